//! The processes that records name: who acts, who started it, and in whose session.

use super::owners::Owners;
use super::scene::{Cast, ChainScene, EventSlot, Scene, SceneSlot, Whole};
use super::sessions::Sessions;
use crate::catalog::{Catalog, Platform, ProcessRef, Program, Record, Scope, Telemetry, Template};
use crate::day::lag;
use crate::ids::{AccountId, HostId};
use crate::plan::Plan;
use crate::plan::chains::ChainSlot;
use crate::plan::days::Whose;
use crate::random::Draws;
use crate::world::processes::{CHAIN_STREAM, OF_SEQUENCE, OTHER_STREAM, STARTS_PER_SLOT};
use crate::world::users::{ROOT, SYSTEM};
use crate::world::{Process, Session, World};

/// A process, and where its command line comes from.
pub struct Acting<'r> {
    pub process: Process,
    pub host: HostId,
    pub(super) call: Call<'r>,
    pub(super) round: u32,
}

pub(super) enum Call<'r> {
    Resident(usize),
    Program(&'r Program),
    /// The child that a daemon forks for one login; or sudo.
    Child,
    Record(&'r Record),
}

impl<'r> Acting<'r> {
    /// Whether it is the child that a daemon forked, or sudo.
    pub(super) fn is_child(&self) -> bool {
        matches!(self.call, Call::Child)
    }

    /// The same with a forked child in place of the process.
    pub(super) fn with_child(self, process: Process) -> Self {
        Acting {
            process,
            call: Call::Child,
            ..self
        }
    }
}

/// Finds the processes that records refer to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lineage<'m> {
    pub world: &'m World,
    pub catalog: &'m Catalog,
    pub plan: &'m Plan,
    pub owners: &'m Owners,
    pub sessions: Sessions<'m>,
}

impl<'m> Lineage<'m> {
    /// The parent of an acting process.
    pub(super) fn parent(&self, acting: &Acting<'m>, scene: &Scene<'_>) -> Option<Acting<'m>> {
        let (host, start) = (acting.host, acting.process.start);
        match acting.call {
            Call::Child => None,
            Call::Record(starting) => Some(self.acting(scene, starting.process, host, start)),
            Call::Program(program) => Some(self.resident(host, program.parent, start)),
            Call::Resident(resident) => {
                let parent = self.catalog.residents[resident].parent?;
                Some(self.resident(host, parent, start))
            }
        }
    }

    /// The process that a record refers to.
    pub(super) fn acting(
        &self,
        scene: &Scene<'_>,
        process: ProcessRef,
        host: HostId,
        time: i64,
    ) -> Acting<'m> {
        if let (Some(cast), ProcessRef::Started(number)) = (scene.cast, process) {
            return self.in_run(scene, &cast, number, host);
        }
        match (process, scene.chain, scene.whole) {
            (ProcessRef::Started(p), Some(_), _) => self.started(scene, p, time),
            (ProcessRef::Started(p), None, Some(whole)) => self.in_sequence(scene, &whole, p, host),
            (ProcessRef::Started(_), None, None) => self.resident(host, self.fallback(host), time),
            (ProcessRef::Resident(r), ..) => self
                .login_child(scene, r, host, time)
                .unwrap_or_else(|| self.resident(host, r, time)),
        }
    }

    /// Process `number` of a run of a routine.
    fn in_run(
        &self,
        scene: &Scene<'_>,
        cast: &Cast<'_>,
        number: usize,
        host: HostId,
    ) -> Acting<'m> {
        match self.starting(scene, number) {
            Some(starting) => Acting {
                process: cast.processes[number],
                host,
                call: Call::Record(starting),
                round: 0,
            },
            None => self.resident(host, self.fallback(host), 0),
        }
    }

    fn fallback(&self, host: HostId) -> usize {
        match self.world.hosts[host].platform {
            Platform::Windows => self.owners.system,
            Platform::Linux => self.owners.systemd,
        }
    }

    /// A resident as an acting process.
    pub(super) fn resident(&self, host: HostId, resident: usize, time: i64) -> Acting<'m> {
        let time = time.div_euclid(1_000_000);
        let mut process = self.world.resident(self.catalog, host, resident, time);
        if process.sequence == 0 {
            let Plan {
                scripts, calendar, ..
            } = self.plan;
            let start = match process.account {
                SYSTEM => self.world.session(host, time).start,
                _ => process.session.start,
            };
            process.sequence = scripts.number_in_session(calendar, host, start, resident);
        }
        Acting {
            process,
            host,
            call: Call::Resident(resident),
            round: 0,
        }
    }

    /// A process whose start is recorded at `time`, with its number among those of its host.
    fn counted(&self, host: HostId, time: i64, whose: Whose, process: Process) -> Process {
        let Plan {
            scripts, calendar, ..
        } = self.plan;
        match scripts.number_of_guest(calendar, host, time, whose) {
            Some(sequence) => Process {
                sequence,
                ..process
            },
            None => self.uncounted(host, process),
        }
    }

    /// A process that is not counted with those of its host's script, with a number of its own.
    fn uncounted(&self, host: HostId, process: Process) -> Process {
        let Plan {
            scripts, calendar, ..
        } = self.plan;
        // The low bits tell apart what a sequence starts.
        let bits = process.sequence >> 8 << 5 | process.sequence & 31;
        match scripts.uncounted(calendar, host, process.start, bits) {
            Some(sequence) => Process {
                sequence,
                ..process
            },
            None => process,
        }
    }

    /// A short-lived program that started just before `time`.
    pub(super) fn program(
        &self,
        host: HostId,
        program: usize,
        time: i64,
        scene: &Scene<'_>,
    ) -> Acting<'m> {
        let program = &self.catalog.programs[program];
        let h = &self.world.hosts[host];
        let account =
            self.world
                .accounts
                .resolve(&program.account, h.platform, host, h.user, h.user);
        let start = time - 4_000 - scene.key.below(SceneSlot::ProgramAge, 900_000) as i64;
        let session = match self.is_cron(program.parent) {
            true => self.sessions.cron(scene, host, account, start),
            false => self.resident(host, program.parent, start).process.session,
        };
        let image = program.image;
        let process =
            self.world
                .started(host, start, OTHER_STREAM, 0, image, account, Some(session));
        Acting {
            process: self.uncounted(host, process),
            host,
            call: Call::Program(program),
            round: 0,
        }
    }

    /// A process that a record starts, outside any chain.
    pub(super) fn start(
        &self,
        scene: &Scene<'_>,
        record: &'m Record,
        host: HostId,
        time: i64,
        round: u32,
    ) -> Acting<'m> {
        let account = scene.account(self.world, record, host);
        let start = time - lag(Telemetry::ProcessCreation, scene.event.bits(EventSlot::Lag));
        let session = self.inherited(scene, record, host, account, start);
        let image = record.image.unwrap_or_default();
        let ordinal = match (scene.whole, record.starts) {
            (Some(_), Some(number)) => {
                OF_SEQUENCE
                    | scene.key.bits(SceneSlot::Ordinals) >> 1 & !(STARTS_PER_SLOT - 1)
                    | number as u64
            }
            _ => scene.ordinal,
        };
        let process = self.world.started(
            host,
            start,
            scene.stream,
            ordinal,
            image,
            account,
            Some(session),
        );
        Acting {
            process: self.counted(host, time, Whose::Other, process),
            host,
            call: Call::Record(record),
            round,
        }
    }

    /// Process `number` of a sequence; the same for all of its records.
    fn in_sequence(
        &self,
        scene: &Scene<'_>,
        whole: &Whole<'_>,
        number: usize,
        host: HostId,
    ) -> Acting<'m> {
        match self.starting_in(whole, number) {
            Some((at, record)) => self.start(scene, record, host, whole.time(at), 0),
            None => self.resident(host, self.fallback(host), whole.start),
        }
    }

    /// The record of a sequence that starts its process `number`.
    fn starting_in(&self, whole: &Whole<'_>, number: usize) -> Option<(usize, &'m Record)> {
        self.sequence(whole)
            .iter()
            .enumerate()
            .find(|(_, record)| record.starts == Some(number))
    }

    /// The records of a sequence.
    pub(super) fn sequence(&self, whole: &Whole<'_>) -> &'m [Record] {
        &self.catalog.scenarios[whole.scenario].variants[whole.variant].records
    }

    /// Process `number` of the scene's chain; the same for all of its events.
    pub(super) fn started(&self, scene: &Scene<'_>, number: usize, time: i64) -> Acting<'m> {
        let Some(c) = scene.chain else {
            return self.resident(scene.hosts[0], self.fallback(scene.hosts[0]), time);
        };
        let chains = &self.plan.chains;
        let (step, position) = chains.start_of(c.chain, number);
        let placed = &c.chain.steps[step as usize];
        let record = &self.catalog.playbooks[c.chain.playbook as usize].steps[step as usize]
            .records[placed.record(u32::from(position))];
        // A process of the same step is this round's; of an earlier step, its first round's.
        let round = if step == c.step { scene.round } else { 0 };
        let on = record.on.min(c.chain.hosts.len() - 1);
        let host = c.chain.hosts[on];
        let process = c.known.get((c.index, number, round), || {
            let index = round * placed.records + u32::from(position);
            let at = chains.time(c.index, step, index);
            let key = chains
                .chain_key(c.index)
                .part(ChainSlot::Process)
                .with(u64::from(index) << 8 | u64::from(step));
            let key = Draws::<EventSlot>::new(key);
            let mut start = at - lag(Telemetry::ProcessCreation, key.bits(EventSlot::Lag));
            if let ProcessRef::Started(parent) = record.process
                && parent != number
            {
                let parent = self.started(&Scene { round, ..*scene }, parent, at).process;
                start = start.max(parent.start + 1000).min(at);
            }
            let platform = self.world.hosts[host].platform;
            let account = self.world.accounts.resolve(
                &record.account,
                platform,
                host,
                scene.user,
                scene.admin,
            );
            let session = self.inherited(scene, record, host, account, start);
            let ordinal = u64::from(c.chain.host_ordinals[on]) * 32 + number as u64;
            let image = record.image.unwrap_or_default();
            let process = self.world.started(
                host,
                start,
                CHAIN_STREAM,
                ordinal,
                image,
                account,
                Some(session),
            );
            let whose = Whose::Chain {
                chain: c.index,
                process: number as u16,
            };
            match round {
                0 => self.counted(host, at, whose, process),
                _ => self.uncounted(host, process),
            }
        });
        Acting {
            process,
            host,
            call: Call::Record(record),
            round,
        }
    }

    /// The session of the process that a record starts. A Linux process is in its parent's session.
    /// Children of a daemon have none, unless the daemon opens one per login (sshd, cron).
    fn inherited(
        &self,
        scene: &Scene<'_>,
        record: &'m Record,
        host: HostId,
        account: AccountId,
        start: i64,
    ) -> Session {
        let by_account = |lineage: &Self| {
            lineage
                .sessions
                .session(scene, record.on, host, account, start)
        };
        if self.world.hosts[host].platform == Platform::Windows {
            return by_account(self);
        }
        if let (ProcessRef::Started(_), None) = (record.process, scene.chain) {
            return self
                .acting(scene, record.process, host, start)
                .process
                .session;
        }
        let Some(first) = self.ancestor(scene, record.process) else {
            return by_account(self);
        };
        let is_daemon = self.catalog.residents[first].scope == Scope::Boot;
        match (scene.chain, scene.whole) {
            _ if is_daemon && !self.owners.forks(first) => {
                self.resident(host, first, start).process.session
            }
            (None, _) if !is_daemon => self.resident(host, first, start).process.session,
            (None, whole) if self.is_cron(first) && whole.is_none_or(|w| w.number.is_none()) => {
                self.sessions.cron(scene, host, account, start)
            }
            _ => by_account(self),
        }
    }

    pub(super) fn is_cron(&self, resident: usize) -> bool {
        self.owners.forks(resident) && resident != self.owners.sshd()
    }

    /// The resident that a process descends from.
    fn ancestor(&self, scene: &Scene<'_>, mut process: ProcessRef) -> Option<usize> {
        loop {
            let number = match process {
                ProcessRef::Resident(resident) => return Some(resident),
                ProcessRef::Started(number) => number,
            };
            let starting = self.starting(scene, number)?;
            if starting.process == process {
                return None;
            }
            process = starting.process;
        }
    }

    /// The record that starts process `number` of a scene's chain or sequence.
    fn starting(&self, scene: &Scene<'_>, number: usize) -> Option<&'m Record> {
        if let Some(cast) = scene.cast {
            let routine = &self.catalog.routines[cast.routine];
            return Some(&routine.steps[*routine.starts.get(number)?].record);
        }
        match (scene.chain, scene.whole) {
            (Some(c), _) => {
                let (step, position) = self.plan.chains.start_of(c.chain, number);
                let placed = &c.chain.steps[step as usize];
                let playbook = &self.catalog.playbooks[usize::from(c.chain.playbook)];
                Some(&playbook.steps[step as usize].records[placed.record(u32::from(position))])
            }
            (None, Some(whole)) => Some(self.starting_in(&whole, number)?.1),
            (None, None) => None,
        }
    }

    /// The working directory of the process that a record starts: the record's, else its parent's.
    pub(super) fn directory(&self, scene: &Scene<'_>, record: &'m Record) -> &'m Option<Template> {
        let mut told = record;
        while told.directory.is_none()
            && told.telemetry.is_start()
            && let ProcessRef::Started(number) = told.process
            && let Some(starting) = self.starting(scene, number)
            && starting.process != told.process
        {
            told = starting;
        }
        &told.directory
    }

    /// The account that logged in to the session of a process that `account` runs.
    pub(super) fn login_of(
        &self,
        scene: &Scene<'_>,
        process: ProcessRef,
        host: HostId,
        account: AccountId,
    ) -> AccountId {
        if let (None, Some(whole)) = (scene.chain, &scene.whole)
            && whole.number.is_some()
            && let Some(login) =
                (self.sequence(whole).iter()).find(|r| r.telemetry == Telemetry::Login)
        {
            return scene.account(self.world, login, host);
        }
        match account {
            // Root acts through a user's sudo, or in a job of cron.
            ROOT if !self
                .ancestor(scene, process)
                .is_some_and(|first| self.is_cron(first)) =>
            {
                scene.user
            }
            account => account,
        }
    }
    /// The child that sshd or cron forked for a scene's login on a host, if there is a login.
    pub(super) fn login_child(
        &self,
        scene: &Scene<'_>,
        resident: usize,
        host: HostId,
        time: i64,
    ) -> Option<Acting<'m>> {
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
        let process = self
            .sessions
            .child(host, &daemon.process, image, start, ordinal, scene);
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
}
