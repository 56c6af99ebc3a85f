//! Logon sessions: the session that a record's account acts in, and processes that are forked into it.

use super::scene::{EventSlot, Scene, SceneSlot, Whole};
use crate::catalog::Platform;
use crate::ids::{AccountId, HostId, ImageId};
use crate::world::processes::OTHER_STREAM;
use crate::world::users::ROOT;
use crate::world::{Boot, Process, Purpose, Session, World, hosts::Role};

/// Least duration of a session, in seconds.
const LASTED: i64 = 180;

/// Finds the session of an account on a host.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sessions<'m> {
    pub world: &'m World,
}

impl Sessions<'_> {
    /// The session that an account acts in on a scene's host.
    pub(super) fn session(
        &self,
        scene: &Scene<'_>,
        on: usize,
        host: HostId,
        account: AccountId,
        time: i64,
    ) -> Session {
        let world = self.world;
        let seconds = time.div_euclid(1_000_000);
        let boot = world.settled_boot(host, seconds);
        let h = &world.hosts[host];
        let account_here = self.login_account(scene, account, host);
        let at_desk = account_here == h.user;
        match scene.chain {
            // On its first workstation, a chain acts in the victim's session.
            Some(_) if on == 0 && h.role == Role::Workstation && at_desk => {
                self.acting_session(host, account, boot, world.session(host, seconds))
            }
            // Otherwise, it acts in the session that it opened when it arrived on the host.
            Some(c) => {
                let on = on.min(c.chain.arrivals.len() - 1);
                let arrival = c.chain.arrivals[on].div_euclid(1_000_000);
                let boot = world.boot(host, arrival);
                let slot = c.chain.session_slots[on];
                let purpose = Purpose::Chain { slot };
                let session = world.logon(host, boot, arrival, account_here, purpose);
                self.acting_session(host, account, boot, session)
            }
            // A visit has its own session, whatever the account.
            None if let Some(Whole {
                start,
                number: Some(number),
                visit,
                ..
            }) = scene.whole =>
            {
                let begin = start.div_euclid(1_000_000);
                let purpose = Purpose::Whole { number, visit };
                let boot = world.settled_boot(host, begin);
                world.logon(host, boot, begin, account, purpose)
            }
            None if account == h.user => world.session(host, seconds),
            // Another account logged on over the network a little earlier.
            None => {
                let before = match scene.whole {
                    // On Windows, all records of a sequence belong to the logon at its start.
                    Some(whole) if h.platform == Platform::Windows => {
                        whole.start.div_euclid(1_000_000)
                    }
                    _ => seconds - 1 - scene.event.below(EventSlot::Before, 50) as i64,
                };
                let session = world.logon(host, boot, before, account_here, Purpose::Visit);
                self.acting_session(host, account, boot, session)
            }
        }
    }

    /// The session of a user who unlocks a workstation.
    pub(super) fn unlocking(
        &self,
        scene: &Scene<'_>,
        host: HostId,
        account: AccountId,
        time: i64,
    ) -> Session {
        let time = scene.whole.map_or(time, |whole| whole.start);
        let seconds = time.div_euclid(1_000_000);
        let boot = self.world.settled_boot(host, seconds);
        self.world
            .logon(host, boot, seconds, account, Purpose::Visit)
    }

    /// The account that logged in. On Linux, root does not log in: a user became root by sudo.
    fn login_account(&self, scene: &Scene<'_>, account: AccountId, host: HostId) -> AccountId {
        let linux = self.world.hosts[host].platform == Platform::Linux;
        match account {
            ROOT if linux => scene.user,
            account => account,
        }
    }

    /// The session of a process that an account starts. On Linux, a process that sudo starts stays in
    /// the session of its caller.
    fn acting_session(
        &self,
        host: HostId,
        account: AccountId,
        boot: Boot,
        session: Session,
    ) -> Session {
        match self.world.hosts[host].platform {
            Platform::Windows => self.world.session_of(account, boot, session),
            Platform::Linux => session,
        }
    }

    /// The session that cron opened for a job a moment ago.
    pub(super) fn cron(
        &self,
        scene: &Scene<'_>,
        host: HostId,
        account: AccountId,
        start: i64,
    ) -> Session {
        let before = start.div_euclid(1_000_000) - scene.event.below(EventSlot::Before, 3) as i64;
        let boot = self.world.settled_boot(host, before);
        self.world
            .logon(host, boot, before, account, Purpose::Visit)
    }

    /// The session that a single event at `seconds` opens or closes.
    pub(super) fn visit(
        &self,
        scene: &Scene<'_>,
        host: HostId,
        account: AccountId,
        seconds: i64,
        is_closed: bool,
    ) -> Session {
        let boot = self.world.settled_boot(host, seconds);
        // A session that closes began early enough for its other records to precede the close.
        let lasted = match is_closed {
            true => {
                let most = (seconds - boot.start - LASTED).clamp(1, 7200);
                LASTED + scene.event.below(EventSlot::Lasted, most as u64) as i64
            }
            false => 0,
        };
        let purpose = Purpose::Visit;
        self.world
            .logon(host, boot, seconds - lasted, account, purpose)
    }

    /// A process that has been forked just before `time` and speaks to PAM.
    pub(super) fn child(
        &self,
        host: HostId,
        parent: &Process,
        image: ImageId,
        time: i64,
        ordinal: u64,
        scene: &Scene<'_>,
    ) -> Process {
        let late = 4_000 + scene.key.bits(SceneSlot::ForkAge) % 30_000;
        let account = parent.account;
        let session = Some(parent.session);
        let start = time - late as i64;
        self.world
            .started(host, start, OTHER_STREAM, ordinal, image, account, session)
    }
}
