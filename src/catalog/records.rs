//! From a record as TOML has it to one that can be made.

mod calls;
mod values;

use super::category::Category;
use super::fields::check_fields;
use super::lookup::{default_directory, find_image, find_resident};
use super::program::{Image, Resident};
use super::raw;
use super::record::{Account, HostClass, Platform, ProcessRef, Record, Telemetry};
use super::source::{Source, Text};
use crate::Result;

/// Where a record stands, which decides what it may refer to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Setting<'a> {
    /// A step of a chain over these hosts.
    Chain(&'a [HostClass]),
    /// A row of its own on a host of this class.
    Row(HostClass),
    /// One of the records that come together on a host of this class.
    Sequence(HostClass),
    /// A standalone alert of a keyword rule, on hosts that run its process.
    Alert(Option<Platform>),
}

impl Setting<'_> {
    fn is_chain(self) -> bool {
        matches!(self, Setting::Chain(_))
    }

    fn is_noise(self) -> bool {
        matches!(self, Setting::Row(_) | Setting::Sequence(_))
    }
}

/// A process that an earlier record of the same chain or sequence started.
#[derive(Debug)]
struct Started {
    label: Option<String>,
    on: usize,
    account: Account,
    /// How many of the alternatives of its step start it.
    alternatives: usize,
    /// The alternative at hand starts it, or every one of an earlier step does.
    here: bool,
}

/// Resolves the records of one playbook, variant or rule, in order.
pub(super) struct Records<'a> {
    pub source: &'a Source,
    pub images: &'a [Image],
    pub residents: &'a [Resident],
    pub setting: Setting<'a>,
    started: Vec<Started>,
    /// Processes of earlier steps.
    before: usize,
}

impl<'a> Records<'a> {
    pub fn new(
        source: &'a Source,
        images: &'a [Image],
        residents: &'a [Resident],
        setting: Setting<'a>,
    ) -> Self {
        Records {
            source,
            images,
            residents,
            setting,
            started: Vec::new(),
            before: 0,
        }
    }

    /// Begins another alternative of the step at hand: what its siblings start is not there.
    pub fn next_alternative(&mut self) {
        let before = self.before;
        self.started[before..]
            .iter_mut()
            .for_each(|started| started.here = false);
    }

    /// Ends a step: later ones may name what all of its `alternatives` start.
    pub fn end_step(&mut self, alternatives: usize) {
        let before = self.before;
        for started in &mut self.started[before..] {
            started.here = started.alternatives == alternatives;
        }
        self.before = self.started.len();
    }

    /// Number of the process that a record starts. Alternatives share numbers: only one of them runs.
    fn start(&mut self, raw: &raw::Record, on: usize, account: &Account) -> Result<usize> {
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
                    format!("a process {:?} is started twice", text.get_ref()),
                    "give the second process another label",
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
                    "let all alternatives start it alike, or give it another label",
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

    /// Processes started so far.
    pub fn processes(&self) -> usize {
        self.started.len()
    }

    /// Resolves the next record. `category` is the step's or variant's.
    pub fn resolve(&mut self, raw: &raw::Record, category: Option<&Category>) -> Result<Record> {
        let source = self.source;
        let telemetry: Telemetry = source.word(&raw.telemetry)?;
        check_fields(source, raw, telemetry)?;
        let on = self.reporting_host(raw)?;
        let Some(written_on) = telemetry.platform() else {
            return self.call_record(raw, telemetry, on, category);
        };
        let class = match self.setting {
            Setting::Chain(hosts) => Some(hosts[on]),
            Setting::Row(class) | Setting::Sequence(class) => Some(class),
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
                    "{} is not written by the host's platform",
                    raw.telemetry.get_ref()
                ),
                "choose telemetry of that platform, or another host",
            ));
        }
        let platform = written_on;

        let Some(process) = &raw.process else {
            return Err(source.error_at(
                &raw.telemetry,
                format!("a {} without `process`", telemetry.word()),
                "add `process` to the record",
            ));
        };
        let (process, acting) = self.process(process, on, class, platform)?;
        let account = match &raw.account {
            Some(word) => source.account(word)?,
            None => acting.clone(),
        };
        if let Some(word) = &raw.account
            && account == Account::DisabledUser
            && !self.setting.is_noise()
        {
            return Err(source.error_at(
                word,
                "only noise names disabled users: not every directory has one",
                "write other_user",
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
                "leave the account out, or choose another process",
            ));
        }

        let image = raw
            .image
            .as_ref()
            .map(|key| self.image(key, platform))
            .transpose()?;
        let starts = match (telemetry.is_start(), self.setting) {
            (false, _) => None,
            (true, Setting::Chain(_) | Setting::Sequence(_)) => {
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
            // What runs as its parent does, runs where its parent does.
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
                format!("a query with status {query_status} succeeds {resolves} times in 1000"),
                "write at most 1000, and a `query_status` of the others that is not 0",
            ));
        }
        let answered = query_status == 0 || resolves > 0;
        if telemetry == Telemetry::DnsQuery && answered != answer.is_some() {
            return Err(source.error_at(
                &raw.telemetry,
                format!(
                    "a query with status {query_status} {} an answer",
                    if answer.is_some() { "has" } else { "lacks" }
                ),
                "give an `answer` exactly when `query_status` is 0, or `resolves` is not",
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
            // authpriv.info, what sshd and sudo write with.
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

    /// Which of a chain's hosts reports.
    fn reporting_host(&self, raw: &raw::Record) -> Result<usize> {
        let Some(on) = &raw.on else { return Ok(0) };
        let hosts = match self.setting {
            Setting::Chain(hosts) => hosts.len(),
            _ => 1,
        };
        if *on.get_ref() >= hosts {
            return Err(self.source.error_at(
                on,
                format!("there is no host {}", on.get_ref()),
                format!("`on` counts from 0; there are {hosts} hosts"),
            ));
        }
        Ok(*on.get_ref())
    }

    /// The acting process and the account it runs under.
    fn process(
        &self,
        word: &Text,
        on: usize,
        class: Option<HostClass>,
        platform: Platform,
    ) -> Result<(ProcessRef, Account)> {
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
                    "choose a resident of that class and platform (residents.toml, `hosts`)",
                ));
            }
            return Ok((ProcessRef::Resident(index), resident.account.clone()));
        }
        let Some(label) = word.get_ref().strip_prefix("started:") else {
            return Err(source.error_at(
                word,
                format!("unknown process {:?}", word.get_ref()),
                "write resident:KEY or started:LABEL",
            ));
        };
        if matches!(self.setting, Setting::Row(_) | Setting::Alert(_)) {
            return Err(source.error_at(
                word,
                "a row of noise or of a keyword rule stands alone, so nothing was started before it",
                "name a resident, or let the variant be a sequence",
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
                format!("write starts = {label:?} in the record that starts it, above this one"),
            )),
        }
    }

    fn image(&self, key: &Text, platform: Platform) -> Result<usize> {
        find_image(self.source, key, platform, self.images)
    }
}
