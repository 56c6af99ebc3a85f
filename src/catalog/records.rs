//! Resolves a record of the TOML files: names become indices, and every reference is checked.

mod calls;
mod values;

use super::category::Category;
use super::fields::check_fields;
use super::lookup::{default_directory, find_image, find_resident};
use super::place::HostClass;
use super::program::{Image, Resident};
use super::raw;
use super::record::{AccountRef, ProcessRef, Record};
use super::source::{Source, Text};
use crate::error::Result;
use crate::ids::ImageId;
use crate::kinds::{Platform, Telemetry};

/// The context of a record, which decides what it may refer to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Setting<'a> {
    /// A step of a chain over these hosts.
    Chain(&'a [HostClass]),
    /// A single row of noise on a host of this class.
    Row(HostClass),
    /// A record of a sequence of noise on a host of this class.
    Sequence(HostClass),
    /// A step of a routine on a host of this class.
    Routine(HostClass),
    /// A standalone alert of a keyword rule, on hosts of this platform.
    Alert(Option<Platform>),
}

impl Setting<'_> {
    fn is_chain(self) -> bool {
        matches!(self, Setting::Chain(_))
    }

    fn is_noise(self) -> bool {
        matches!(
            self,
            Setting::Row(_) | Setting::Sequence(_) | Setting::Routine(_)
        )
    }
}

/// A process that an earlier record of the same chain or sequence started.
#[derive(Debug)]
struct Started {
    label: Option<String>,
    on: usize,
    account: AccountRef,
    /// Number of alternatives of its step that start it.
    alternatives: usize,
    /// Whether the current alternative starts it, or every alternative of an earlier step.
    here: bool,
}

/// Resolves the records of one playbook, variant or rule, in order.
pub(super) struct RecordResolver<'a> {
    pub source: &'a Source,
    pub images: &'a [Image],
    pub residents: &'a [Resident],
    pub setting: Setting<'a>,
    started: Vec<Started>,
    /// Number of processes that earlier steps start.
    before: usize,
}

impl<'a> RecordResolver<'a> {
    pub fn new(
        source: &'a Source,
        images: &'a [Image],
        residents: &'a [Resident],
        setting: Setting<'a>,
    ) -> Self {
        RecordResolver {
            source,
            images,
            residents,
            setting,
            started: Vec::new(),
            before: 0,
        }
    }

    /// Begins another alternative of the current step. Processes of its siblings cannot be named.
    pub fn next_alternative(&mut self) {
        let before = self.before;
        self.started[before..]
            .iter_mut()
            .for_each(|started| started.here = false);
    }

    /// Ends a step. Later steps may name the processes that all of its `alternatives` start.
    pub fn end_step(&mut self, alternatives: usize) {
        let before = self.before;
        for started in &mut self.started[before..] {
            started.here = started.alternatives == alternatives;
        }
        self.before = self.started.len();
    }

    /// Number of the process that a record starts. Alternatives share numbers, because only one of
    /// them runs.
    fn start(&mut self, raw: &raw::Record, on: usize, account: &AccountRef) -> Result<usize> {
        let label = raw.starts.as_ref().map(|label| label.get_ref().clone());
        let free = |started: &Started| !started.here && started.label == label;
        if let Some(text) = &raw.starts {
            let same = |started: &&Started| started.label == label;
            let twice = self.started[..self.before].iter().any(|s| same(&s))
                || self.started[self.before..]
                    .iter()
                    .any(|s| same(&s) && s.here);
            if twice {
                return Err(self.source.error_at(
                    text,
                    format!("process {:?} is started twice", text.get_ref()),
                    "give the second one another label",
                ));
            }
            if let Some(other) = self.started[self.before..].iter().find(same)
                && (other.on != on || other.account != *account)
            {
                return Err(self.source.error_at(
                    text,
                    format!(
                        "another alternative starts {:?} on another host or account",
                        text.get_ref()
                    ),
                    "use the same host and account in all alternatives, or another label",
                ));
            }
        }
        let before = self.before;
        let found = self.started[before..].iter().position(free);
        let at = match found {
            Some(at) => before + at,
            None => {
                self.started.push(Started {
                    label,
                    on,
                    account: account.clone(),
                    alternatives: 0,
                    here: false,
                });
                self.started.len() - 1
            }
        };
        let started = &mut self.started[at];
        started.on = on;
        started.account = account.clone();
        started.alternatives += 1;
        started.here = true;
        Ok(at)
    }

    /// Number of processes started so far.
    pub fn processes(&self) -> usize {
        self.started.len()
    }

    /// Number of the started process with this label.
    pub fn labelled(&self, label: &str) -> Option<usize> {
        let is_it = |started: &Started| started.label.as_deref() == Some(label);
        self.started.iter().position(is_it)
    }

    /// Resolves the next record. `category` is that of the step or variant; keyword rules have none.
    pub fn resolve(&mut self, raw: &raw::Record, category: Option<&Category>) -> Result<Record> {
        let source = self.source;
        let telemetry: Telemetry = source.word(&raw.telemetry)?;
        check_fields(source, raw, telemetry)?;
        self.check_timing(raw)?;
        let on = self.reporting_host(raw)?;
        let Some(written_on) = telemetry.platform() else {
            return self.call_record(raw, telemetry, on, category);
        };
        let class = match self.setting {
            Setting::Chain(hosts) => Some(hosts[on]),
            Setting::Row(class) | Setting::Sequence(class) | Setting::Routine(class) => Some(class),
            Setting::Alert(_) => None,
        };
        let platform = match self.setting {
            Setting::Alert(platform) => platform,
            _ => class.and_then(HostClass::platform),
        };
        if platform.is_some_and(|platform| platform != written_on) {
            return Err(source.error_at(
                &raw.telemetry,
                format!(
                    "the host's platform does not write {}",
                    raw.telemetry.get_ref()
                ),
                "choose another telemetry, or another host",
            ));
        }
        let platform = written_on;

        let Some(process) = &raw.process else {
            return Err(source.error_at(
                &raw.telemetry,
                format!("{} records need `process`", telemetry.word()),
                "add `process` to the record",
            ));
        };
        let (process, acting) = self.process(process, on, class, platform)?;
        let account = match &raw.account {
            Some(word) => source.account(word)?,
            None => acting.clone(),
        };
        if let Some(word) = &raw.account
            && account == AccountRef::DisabledUser
            && !self.setting.is_noise()
        {
            return Err(source.error_at(
                word,
                "disabled_user is allowed in noise only, because a directory may have no disabled users",
                "use other_user",
            ));
        }
        let of_process = telemetry.is_of_process();
        if let Some(word) = &raw.account
            && of_process
            && account != acting
        {
            return Err(source.error_at(
                word,
                "the account differs from the one the process runs under",
                "omit the account, or choose another process",
            ));
        }

        let image = raw
            .image
            .as_ref()
            .map(|key| self.image(key, platform))
            .transpose()?;
        let starts = match (telemetry.is_start(), self.setting) {
            (false, _) => None,
            (true, Setting::Chain(_) | Setting::Sequence(_) | Setting::Routine(_)) => {
                Some(self.start(raw, on, &account)?)
            }
            (true, _) => Some(0),
        };
        let target = match &raw.target {
            Some(word) => Some(self.process(word, on, class, platform)?.0),
            None => None,
        };

        let connection = raw
            .connection
            .as_ref()
            .map(|connection| self.connection(connection, on))
            .transpose()?;
        let text = |text: &Option<Text>| {
            text.as_ref()
                .map(|text| self.text(text, connection.as_ref()))
                .transpose()
        };
        let file = text(&raw.file)?;
        let registry = text(&raw.registry)?;
        self.check_path(raw.file.as_ref(), file.as_ref(), platform)?;
        self.check_registry(raw.registry.as_ref(), registry.as_ref())?;
        let directory = match text(&raw.directory)? {
            // A process with its parent's account starts in its parent's directory.
            None if telemetry.is_start()
                && (account != acting || !matches!(process, ProcessRef::Started(_))) =>
            {
                Some(default_directory(platform, &account))
            }
            directory => directory,
        };
        let query_status = raw
            .query_status
            .as_ref()
            .map_or(0, |status| *status.get_ref());
        let answer = raw
            .answer
            .as_ref()
            .map(|end| self.end(end, on))
            .transpose()?;
        let resolves = raw.resolves.as_ref().map_or(0, |share| *share.get_ref());
        if let Some(share) = &raw.resolves
            && (resolves > 1000 || query_status == 0)
        {
            return Err(source.error_at(
                share,
                format!("`resolves` is {resolves} for a query with status {query_status}"),
                "use at most 1000, and a `query_status` other than 0 for the queries that fail",
            ));
        }
        let answered = query_status == 0 || resolves > 0;
        if telemetry == Telemetry::DnsQuery && answered != answer.is_some() {
            return Err(source.error_at(
                &raw.telemetry,
                format!(
                    "a query with status {query_status} {} an answer",
                    if answer.is_some() { "has" } else { "needs" }
                ),
                "give an `answer` if `query_status` is 0 or `resolves` is not 0, and only then",
            ));
        }

        Ok(Record {
            telemetry,
            on,
            alert: raw.alert,
            signature: self.signature(raw, category)?,
            integrity: self.integrity(raw.integrity.as_ref(), platform, &account)?,
            account,
            starts,
            process,
            image,
            command: text(&raw.command)?,
            directory,
            file,
            registry,
            target,
            data: self.data(raw, telemetry, connection.as_ref())?,
            details: text(&raw.details)?,
            query: text(&raw.query)?,
            answer,
            query_status,
            resolves,
            url: text(&raw.url)?,
            message: text(&raw.message)?,
            // Defaults: authpriv.info, as sshd and sudo use.
            facility: self.number(raw.facility.as_ref(), 23, 10, "facility")?,
            syslog_severity: self.number(raw.severity.as_ref(), 7, 6, "severity")?,
            syscall: raw.syscall.as_ref().map(|name| name.get_ref().clone()),
            key: raw.key.as_ref().map(|key| key.get_ref().clone()),
            logon_type: self.logon_type(raw)?,
            success: raw
                .success
                .as_ref()
                .is_none_or(|success| *success.get_ref()),
            connection,
            call: None,
            request: None,
        })
    }

    /// Rejects keys of a step's time outside of routines.
    fn check_timing(&self, raw: &raw::Record) -> Result<()> {
        let texts = [&raw.after, &raw.each, &raw.lives];
        let is_timed =
            texts.into_iter().any(Option::is_some) || raw.times.is_some() || raw.chance.is_some();
        if !is_timed || matches!(self.setting, Setting::Routine(_)) {
            return Ok(());
        }
        Err(self.source.error_at(
            &raw.telemetry,
            "`after`, `each`, `times`, `chance` and `lives` are for steps of routines",
            "remove them, or make this a routine",
        ))
    }

    /// Index of the chain's host that reports.
    fn reporting_host(&self, raw: &raw::Record) -> Result<usize> {
        let Some(on) = &raw.on else { return Ok(0) };
        let hosts = match self.setting {
            Setting::Chain(hosts) => hosts.len(),
            _ => 1,
        };
        if *on.get_ref() >= hosts {
            return Err(self.source.error_at(
                on,
                format!("host {} does not exist", on.get_ref()),
                format!("use a number from 0 to {}", hosts - 1),
            ));
        }
        Ok(*on.get_ref())
    }

    /// The acting process and its account.
    fn process(
        &self,
        word: &Text,
        on: usize,
        class: Option<HostClass>,
        platform: Platform,
    ) -> Result<(ProcessRef, AccountRef)> {
        let source = self.source;
        if let Some(key) = word.get_ref().strip_prefix("resident:") {
            let index = find_resident(source, word, key, self.residents)?;
            let resident = &self.residents[index];
            let there = resident.platform == platform
                && class.is_none_or(|class| resident.hosts.covers(class, platform));
            if !there {
                return Err(source.error_at(
                    word,
                    format!("{key} does not run on that host"),
                    "choose a resident that runs there (`hosts` in residents.toml)",
                ));
            }
            return Ok((ProcessRef::Resident(index), resident.account.clone()));
        }
        let Some(label) = word.get_ref().strip_prefix("started:") else {
            return Err(source.error_at(
                word,
                format!("unknown process {:?}", word.get_ref()),
                "use resident:KEY or started:LABEL",
            ));
        };
        if matches!(self.setting, Setting::Row(_) | Setting::Alert(_)) {
            return Err(source.error_at(
                word,
                "a single record of noise or of a keyword rule cannot name a started process",
                "name a resident, or make the variant a sequence",
            ));
        }
        let found = self
            .started
            .iter()
            .position(|started| started.label.as_deref() == Some(label) && started.here);
        match found {
            Some(index) if self.started[index].on == on => Ok((
                ProcessRef::Started(index),
                self.started[index].account.clone(),
            )),
            Some(index) => Err(source.error_at(
                word,
                format!(
                    "{label} was started on host {}, not on host {on}",
                    self.started[index].on
                ),
                "name a process of the reporting host",
            )),
            None => Err(source.error_at(
                word,
                if self
                    .started
                    .iter()
                    .any(|s| s.label.as_deref() == Some(label))
                {
                    format!("not every alternative of an earlier step starts {label:?}")
                } else {
                    format!("no record before this one starts {label:?}")
                },
                format!("add starts = {label:?} to the record above this one that starts it"),
            )),
        }
    }

    fn image(&self, key: &Text, platform: Platform) -> Result<ImageId> {
        find_image(self.source, key, platform, self.images)
    }
}
