//! In which logon session a record stands, and whose login that is.

use super::Frame;
use super::lineage::Acting;
use super::maker::Maker;
use super::record::{ChainScene, Scene, Whole};
use crate::catalog::{Platform, ProcessRef, Record, Telemetry};
use crate::world::processes::OTHER_STREAM;
use crate::world::users::ROOT;
use crate::world::{Boot, Process, Purpose, Session, hosts::Role};

/// Seconds that a session lasts at least.
const LASTED: i64 = 180;

impl Maker {
    /// The session an account acts in on a scene's host.
    pub(super) fn session(
        &self,
        scene: &Scene<'_>,
        on: usize,
        host: u32,
        account: u32,
        time: i64,
    ) -> Session {
        let world = &self.world;
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
            // A visit's is its own, whoever it is.
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
            // Someone else's network logon, a little earlier.
            None => {
                let before = match scene.whole {
                    // What comes together on Windows is of one logon.
                    Some(whole) if h.platform == Platform::Windows => {
                        whole.start.div_euclid(1_000_000)
                    }
                    _ => seconds - 1 - scene.event.below(7, 50) as i64,
                };
                let session = world.logon(host, boot, before, account_here, Purpose::Visit);
                self.acting_session(host, account, boot, session)
            }
        }
    }

    /// The session of who comes back to a locked desk.
    pub(super) fn unlocking(
        &self,
        scene: &Scene<'_>,
        host: u32,
        account: u32,
        time: i64,
    ) -> Session {
        let time = scene.whole.map_or(time, |whole| whole.start);
        let seconds = time.div_euclid(1_000_000);
        let boot = self.world.settled_boot(host, seconds);
        self.world
            .logon(host, boot, seconds, account, Purpose::Visit)
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
    pub(super) fn set_login(
        &self,
        frame: &mut Frame,
        row: usize,
        scene: &Scene<'_>,
        process: ProcessRef,
    ) {
        let host = frame.host[row] as u32;
        let windows = self.world.hosts[host].platform == Platform::Windows;
        if windows || frame.process.session_id[row] >= u64::from(u32::MAX) {
            return;
        }
        let account = frame.process.account[row] as u32;
        frame.login[row] = self.login_of(scene, process, host, account) as i32;
    }

    /// The session that a record of sshd or cron opens, closes or stands in: their processes
    /// have none themselves. What sudo writes stands in its caller's.
    pub(super) fn set_session(
        &self,
        frame: &mut Frame,
        row: usize,
        record: &Record,
        scene: &Scene<'_>,
    ) {
        use Telemetry::{CredDisp, CredRefr, Login, UserCmd, UserEnd, UserLogin, UserStart};
        if frame.process.session_id[row] < u64::from(u32::MAX)
            || !matches!(
                record.telemetry,
                UserLogin | Login | UserStart | CredRefr | UserCmd | UserEnd | CredDisp
            )
        {
            return;
        }
        let is_closed = matches!(record.telemetry, UserEnd | CredDisp);
        let (host, account) = (frame.host[row] as u32, frame.user[row] as u32);
        let time = frame.time[row];
        let is_known = scene.chain.is_some() || scene.whole.is_some_and(|w| w.number.is_some());
        let session = match is_known {
            true => self.session(scene, record.on, host, account, time),
            false => {
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
        frame.login[row] = account as i32;
    }

    /// The process that writes a record: of those of a login, the one that speaks to PAM.
    pub(super) fn writer<'a>(
        &'a self,
        scene: &Scene<'_>,
        record: &'a Record,
        host: u32,
        time: i64,
    ) -> Acting<'a> {
        let acting = self.acting(scene, record.process, host, time);
        let is_daemon = matches!(record.process, ProcessRef::Resident(r) if self.owners.forks(r));
        let is_line = is_daemon && record.telemetry == Telemetry::Syslog;
        if !record.telemetry.is_of_login() && !is_line {
            return acting;
        }
        let image = match record.image {
            _ if is_daemon => acting.process.image,
            Some(image) if image as u32 != acting.process.image => image as u32,
            _ => return acting,
        };
        // Rounds are attempts, each with a connection of its own.
        let rounds = scene
            .chain
            .map_or(1, |c| c.chain.steps[usize::from(c.step)].rounds);
        if acting.is_child() && rounds == 1 {
            return acting;
        }
        let (start, ordinal) = match (scene.chain, scene.whole) {
            (Some(c), _) => {
                let (index, position) = self.first_of_call(&c, record, is_daemon);
                let index = scene.round * c.chain.steps[usize::from(c.step)].records + index;
                let time = self.plan.chains.time(c.index, c.step, index);
                (time, u64::from(c.step) + position)
            }
            (None, Some(whole)) => (whole.start, scene.ordinal),
            (None, None) => (time, scene.ordinal),
        };
        let process = self.child(host, &acting.process, image, start, ordinal, scene);
        acting.with_child(process)
    }

    /// Which record of a round is the first that the same process writes: from the connection
    /// on, or from where sudo is called.
    fn first_of_call(&self, c: &ChainScene<'_>, record: &Record, is_daemon: bool) -> (u32, u64) {
        if is_daemon {
            return (0, 0);
        }
        use Telemetry::{UserAcct, UserAuth, UserCmd};
        let placed = &c.chain.steps[usize::from(c.step)];
        let step =
            &self.catalog.playbooks[usize::from(c.chain.playbook)].steps[usize::from(c.step)];
        let first = placed.first_record as usize;
        let records = &step.records[first..first + placed.records as usize];
        let mut at = records
            .iter()
            .position(|r| std::ptr::eq(r, record))
            .unwrap_or(0);
        let is_call = |r: &Record| r.telemetry.is_of_login() && r.image == record.image;
        while at > 0 && is_call(&records[at - 1]) {
            let (before, this) = (records[at - 1].telemetry, records[at].telemetry);
            let begins = match this {
                UserAuth => true,
                UserAcct => before != UserAuth,
                UserCmd => !matches!(before, UserAuth | UserAcct),
                _ => false,
            };
            if begins {
                break;
            }
            at -= 1;
        }
        (at as u32, at as u64)
    }

    /// The child of sshd or cron that a login on a host has been given, if there is a login.
    pub(super) fn login_child<'a>(
        &'a self,
        scene: &Scene<'_>,
        resident: usize,
        host: u32,
        time: i64,
    ) -> Option<Acting<'a>> {
        if !self.owners.forks(resident) {
            return None;
        }
        let (start, ordinal) = match (scene.chain, scene.whole) {
            (Some(c), _) => {
                let on = c.chain.hosts.iter().position(|&h| h == host)?;
                let step = self.login_step(&c, on, resident)?;
                let start = self.plan.chains.time(c.index, step, 0);
                (start, u64::from(c.chain.host_ordinals[on]))
            }
            (None, whole) => (whole?.start, scene.ordinal),
        };
        let daemon = self.resident(host, resident, time);
        let image = daemon.process.image;
        let process = self.child(host, &daemon.process, image, start, ordinal, scene);
        (process.start <= time).then(|| daemon.with_child(process))
    }

    /// The step in which a chain logs in to one of its hosts.
    fn login_step(&self, c: &ChainScene<'_>, on: usize, resident: usize) -> Option<u8> {
        let steps = &self.catalog.playbooks[usize::from(c.chain.playbook)].steps;
        let logs_in = |record: &Record| {
            record.on == on
                && record.success
                && record.process == ProcessRef::Resident(resident)
                && matches!(record.telemetry, Telemetry::Login | Telemetry::UserLogin)
        };
        let at = c.chain.steps.iter().zip(steps).position(|(placed, step)| {
            let first = placed.first_record as usize;
            placed.rounds == 1
                && step.records[first..first + placed.records as usize]
                    .iter()
                    .any(logs_in)
        })?;
        Some(at as u8)
    }

    /// A process that has been forked just before `time` and speaks to PAM.
    pub(super) fn child(
        &self,
        host: u32,
        parent: &Process,
        image: u32,
        time: i64,
        ordinal: u64,
        scene: &Scene<'_>,
    ) -> Process {
        let late = 4_000 + scene.key.at(0xc41d) % 30_000;
        let account = parent.account;
        let session = Some(parent.session);
        let start = time - late as i64;
        self.world
            .started(host, start, OTHER_STREAM, ordinal, image, account, session)
    }
}
