//! In which logon session a record stands, and whose login that is.

use super::Frame;
use super::maker::Maker;
use super::record::Scene;
use crate::catalog::{Platform, Record, Telemetry};
use crate::world::users::ROOT;
use crate::world::{Boot, Purpose, Session, hosts::Role};

/// Seconds that a session lasts at least.
const LASTED: i64 = 180;

impl Maker<'_> {
    /// The session an account acts in on a scene's host.
    pub(super) fn session(
        &self,
        scene: &Scene<'_>,
        on: usize,
        host: u32,
        account: u32,
        time: i64,
    ) -> Session {
        let world = self.world;
        let seconds = time.div_euclid(1_000_000);
        let boot = world.settled_boot(host, seconds);
        let h = &world.hosts[host];
        let account_here = self.login_account(scene, account, host);
        let at_desk = account_here == h.user;
        match scene.chain {
            // A chain's first workstation is its victim's own; elsewhere it logged on when it arrived.
            Some(_) if on == 0 && h.role == Role::Workstation && at_desk => {
                self.acting_session(host, account, boot, world.session(host, seconds))
            }
            Some(c) => {
                let on = on.min(c.chain.arrivals.len() - 1);
                let arrival = c.chain.arrivals[on].div_euclid(1_000_000);
                let boot = world.boot(host, arrival);
                let slot = c.chain.session_slots[on];
                let purpose = Purpose::Chain { slot };
                let session = world.logon(host, boot, arrival, account_here, purpose);
                self.acting_session(host, account, boot, session)
            }
            None if account == h.user => world.session(host, seconds),
            // Someone else's network logon, a little earlier.
            None => {
                let before = seconds - 1 - scene.event.below(7, 50) as i64;
                let session = world.logon(host, boot, before, account_here, Purpose::Visit);
                self.acting_session(host, account, boot, session)
            }
        }
    }

    /// Whose login an account's doings are: on Linux, root's are by sudo of who works there.
    fn login_account(&self, scene: &Scene<'_>, account: u32, host: u32) -> u32 {
        let linux = self.world.hosts[host].platform == Platform::Linux;
        match account {
            ROOT if linux => scene.user,
            account => account,
        }
    }

    /// The session of what an account starts: on Linux root, by sudo, stays in its caller's.
    fn acting_session(&self, host: u32, account: u32, boot: Boot, session: Session) -> Session {
        match self.world.hosts[host].platform {
            Platform::Windows => self.world.session_of(account, boot, session),
            Platform::Linux => session,
        }
    }

    /// Who logged in to the session of an acting process.
    pub(super) fn set_login(&self, frame: &mut Frame, row: usize, scene: &Scene<'_>) {
        let windows = self.world.hosts[frame.host[row] as u32].platform == Platform::Windows;
        if windows || frame.process.session_id[row] >= u64::from(u32::MAX) {
            return;
        }
        let account = frame.process.account[row];
        let root = account == crate::world::users::ROOT as i32;
        frame.login[row] = if root { scene.user as i32 } else { account };
    }

    /// The session that a Linux record opens, closes or stands in, where sshd or sudo, which
    /// write it, have none themselves.
    pub(super) fn set_session(
        &self,
        frame: &mut Frame,
        row: usize,
        record: &Record,
        scene: &Scene<'_>,
    ) {
        use Telemetry::{CredDisp, Login, UserCmd, UserEnd, UserLogin, UserStart};
        let is_closed = matches!(record.telemetry, UserEnd | CredDisp);
        let is_opened = matches!(record.telemetry, UserLogin | Login | UserStart);
        let has_none = frame.process.session_id[row] >= u64::from(u32::MAX);
        let stands = has_none && record.telemetry == UserCmd;
        if !(is_closed || is_opened || stands) {
            return;
        }
        let (host, account) = (frame.host[row] as u32, frame.user[row] as u32);
        let time = frame.time[row];
        let session = match scene.chain {
            Some(_) => self.session(scene, record.on, host, account, time),
            None => {
                let seconds = time.div_euclid(1_000_000);
                let boot = self.world.settled_boot(host, seconds);
                // What ends has lasted long enough for its own doings to be over.
                let lasted = match is_closed {
                    true => {
                        let most = (seconds - boot.start - LASTED).clamp(1, 7200);
                        LASTED + scene.event.below(9, most as u64) as i64
                    }
                    false => 0,
                };
                let purpose = Purpose::Visit;
                self.world
                    .logon(host, boot, seconds - lasted, account, purpose)
            }
        };
        frame.process.session_id[row] = session.id;
        frame.process.session_start[row] = session.start;
    }
}
