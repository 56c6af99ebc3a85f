//! Logins: the account that logged in to a row's session, and the process that writes a login's record.

use super::Frame;
use super::lineage::{Acting, Lineage};
use super::scene::{ChainScene, Scene};
use crate::catalog::{Platform, ProcessRef, Record, Telemetry};
use crate::ids::HostId;

/// Fills the session of rows, and finds the process that writes them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Logins<'m> {
    pub lineage: Lineage<'m>,
}

impl<'m> Logins<'m> {
    /// Sets a row's login account: the one that logged in to the session of the row's process.
    pub(super) fn set_login(
        &self,
        frame: &mut Frame,
        row: usize,
        scene: &Scene<'_>,
        process: ProcessRef,
    ) {
        let host = frame.host[row];
        let windows = self.lineage.world.hosts[host].platform == Platform::Windows;
        if windows || frame.process.session_id[row] >= u64::from(u32::MAX) {
            return;
        }
        let Some(account) = frame.process.account[row].get() else {
            return;
        };
        frame.login[row] = self.lineage.login_of(scene, process, host, account).into();
    }

    /// Sets the session of a record of sshd or cron, which opens, closes or uses a session although the
    /// process itself is in none. A record of sudo is in the session of its caller.
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
        let (host, account) = (frame.host[row], frame.user[row]);
        let time = frame.time[row];
        let is_known = scene.chain.is_some() || scene.whole.is_some_and(|w| w.number.is_some());
        let sessions = &self.lineage.sessions;
        let session = match is_known {
            true => sessions.session(scene, record.on, host, account, time),
            false => {
                let seconds = time.div_euclid(1_000_000);
                sessions.visit(scene, host, account, seconds, is_closed)
            }
        };
        frame.process.session_id[row] = session.id;
        frame.process.session_start[row] = session.start;
        frame.login[row] = account.into();
    }

    /// The process that writes a record. The records of a login are written by the process that talks to
    /// PAM.
    pub(super) fn writer(
        &self,
        scene: &Scene<'_>,
        record: &'m Record,
        host: HostId,
        time: i64,
    ) -> Acting<'m> {
        let acting = self.lineage.acting(scene, record.process, host, time);
        let is_daemon =
            matches!(record.process, ProcessRef::Resident(r) if self.lineage.owners.forks(r));
        let is_line = is_daemon && record.telemetry == Telemetry::Syslog;
        if !record.telemetry.is_of_login() && !is_line {
            return acting;
        }
        let image = match record.image {
            _ if is_daemon => acting.process.image,
            Some(image) if image != acting.process.image => image,
            _ => return acting,
        };
        // Each round is an attempt with its own connection.
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
                let time = self.lineage.plan.chains.time(c.index, c.step, index);
                (time, u64::from(c.step) + position)
            }
            (None, Some(whole)) => (whole.start, scene.ordinal),
            (None, None) => (time, scene.ordinal),
        };
        let process =
            self.lineage
                .sessions
                .child(host, &acting.process, image, start, ordinal, scene);
        acting.with_child(process)
    }

    /// The first record of a round that the same process writes. A daemon writes from the first record
    /// of the round; another process from the record where sudo is called. Returns the record's index
    /// and its position in the round.
    fn first_of_call(&self, c: &ChainScene<'_>, record: &Record, is_daemon: bool) -> (u32, u64) {
        if is_daemon {
            return (0, 0);
        }
        use Telemetry::{UserAcct, UserAuth, UserCmd};
        let placed = &c.chain.steps[usize::from(c.step)];
        let step = &self.lineage.catalog.playbooks[usize::from(c.chain.playbook)].steps
            [usize::from(c.step)];
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
}
