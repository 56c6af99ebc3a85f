//! From a record as TOML has it to one that can be made.

use super::category::Category;
use super::fields::check_fields;
use super::lookup::{
    check_integrity, check_path, default_directory, default_integrity, find_image, find_resident,
};
use super::program::{Image, Resident};
use super::raw;
use super::record::{Account, Connection, End, HostClass, Platform, ProcessRef, Record, Telemetry};
use super::source::{Source, Text};
use super::template::{Placeholder, Template};
use crate::Result;

/// Where a record stands, which decides what it may refer to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Setting<'a> {
    /// A step of a chain over these hosts.
    Chain(&'a [HostClass]),
    /// A row of its own on a host of this class.
    Row(HostClass),
    /// A standalone alert of a keyword rule, on hosts that run its process.
    Alert(Option<Platform>),
}

/// A process that an earlier record of the same chain started.
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
        let class = match self.setting {
            Setting::Chain(hosts) => Some(hosts[on]),
            Setting::Row(class) => Some(class),
            Setting::Alert(_) => None,
        };
        let platform = match self.setting {
            Setting::Alert(platform) => platform,
            _ => class.and_then(HostClass::platform),
        };
        if platform.is_some_and(|platform| platform != telemetry.platform()) {
            return Err(source.error_at(
                &raw.telemetry,
                format!(
                    "{} is not written by the host's platform",
                    raw.telemetry.get_ref()
                ),
                "choose telemetry of that platform, or another host",
            ));
        }
        let platform = telemetry.platform();

        let (process, acting) = self.process(&raw.process, on, class, platform)?;
        let account = match &raw.account {
            Some(word) => source.account(word)?,
            None => acting.clone(),
        };
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
            (true, Setting::Chain(_)) => Some(self.start(raw, on, &account)?),
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
            None if telemetry.is_start() => Some(default_directory(platform, &account)),
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
        if telemetry == Telemetry::DnsQuery && (query_status == 0) != answer.is_some() {
            return Err(source.error_at(
                &raw.telemetry,
                format!(
                    "a query with status {query_status} {} an answer",
                    if answer.is_some() { "has" } else { "lacks" }
                ),
                "give an `answer` exactly when `query_status` is 0",
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
        if !matches!(self.setting, Setting::Chain(_)) {
            return Err(source.error_at(
                word,
                "a row of noise or of a keyword rule stands alone, so nothing was started before it",
                "name a resident",
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

    fn signature(&self, raw: &raw::Record, category: Option<&Category>) -> Result<usize> {
        let source = self.source;
        let Some(category) = category else {
            return match &raw.signature {
                None => Ok(0),
                Some(name) => Err(source.error_at(
                    name,
                    "a keyword rule's record takes the signature of its alert",
                    "leave `signature` out",
                )),
            };
        };
        let Some(name) = &raw.signature else {
            if raw.alert && category.signatures.is_empty() {
                return Err(source.error_at(
                    &raw.telemetry,
                    format!("an alert in {}, which has no signatures", category.name),
                    "give that category signatures, or take `alert` out",
                ));
            }
            return Ok(0);
        };
        if !raw.alert {
            return Err(source.error_at(
                name,
                "a signature without alert = true",
                "add alert = true, or leave `signature` out",
            ));
        }
        category
            .signatures
            .iter()
            .position(|signature| signature.name == *name.get_ref())
            .ok_or_else(|| {
                let known: Vec<&str> = category
                    .signatures
                    .iter()
                    .map(|s| s.name.as_str())
                    .collect();
                source.error_at(
                    name,
                    format!("{} has no signature {:?}", category.name, name.get_ref()),
                    format!("write one of {}", known.join(", ")),
                )
            })
    }

    fn end(&self, word: &Text, on: usize) -> Result<End> {
        let source = self.source;
        let end = End::parse(word.get_ref()).map_err(|expected| {
            source.error_at(
                word,
                format!("unknown end {:?}", word.get_ref()),
                format!("write {expected}"),
            )
        })?;
        match (&end, self.setting) {
            (End::ChainHost(k), Setting::Chain(hosts)) if *k >= hosts.len() || *k == on => {
                Err(source.error_at(
                    word,
                    format!("host {k} is the reporting host or none of the chain's"),
                    format!("the chain's hosts are 0 to {}", hosts.len() - 1),
                ))
            }
            (End::ChainHost(_) | End::Adversary(_), Setting::Row(_) | Setting::Alert(_)) => {
                Err(source.error_at(
                    word,
                    "only a chain has further hosts and an adversary",
                    "write class:CLASS, internet or resolver",
                ))
            }
            _ => Ok(end),
        }
    }

    fn connection(&self, raw: &raw::Connection, on: usize) -> Result<Connection> {
        let source = self.source;
        let from = self.end(&raw.from, on)?;
        let to = self.end(&raw.to, on)?;
        if (from == End::Host) == (to == End::Host) {
            return Err(source.error_at(
                &raw.from,
                "exactly one end of a connection is the reporting host",
                "write from = \"host\" or to = \"host\"",
            ));
        }
        let protocol = raw.protocol.get_ref();
        if !matches!(protocol.as_str(), "tcp" | "udp" | "icmp") {
            return Err(source.error_at(
                &raw.protocol,
                format!("unknown protocol {protocol:?}"),
                "write one of tcp, udp, icmp",
            ));
        }
        if raw.ports.is_empty() != (protocol == "icmp")
            || raw.ports.iter().any(|port| *port.get_ref() == 0)
        {
            return Err(source.error_at(
                &raw.protocol,
                "ports do not fit the protocol",
                "tcp and udp have at least one port from 1 on, icmp has none",
            ));
        }
        Ok(Connection {
            from,
            to,
            protocol: protocol.clone(),
            application: raw.application.clone(),
            ports: raw.ports.iter().map(|port| *port.get_ref()).collect(),
            bytes_out: source.range(&raw.out, "bytes out")?,
            bytes_in: source.range(&raw.back, "bytes back")?,
        })
    }

    /// Compiles a text and checks that its placeholders mean something here.
    fn text(&self, text: &Text, connection: Option<&Connection>) -> Result<Template> {
        let template = self.source.template(text)?;
        for placeholder in template.placeholders() {
            let problem = match (placeholder, self.setting) {
                (
                    Placeholder::SourceIp | Placeholder::DestinationIp | Placeholder::SourcePort,
                    _,
                ) if connection.is_none() => {
                    "a placeholder of a connection in a record without one"
                }
                (placeholder, Setting::Row(_) | Setting::Alert(_))
                    if placeholder.is_of_a_chain() =>
                {
                    "a placeholder that only a chain fills"
                }
                (Placeholder::ChainHost(k) | Placeholder::ChainHostIp(k), setting) => match setting
                {
                    Setting::Chain(hosts) if usize::from(k) < hosts.len() => continue,
                    Setting::Row(_) | Setting::Alert(_) if k == 1 && connection.is_some() => {
                        continue;
                    }
                    _ => "a host that is not there",
                },
                _ => continue,
            };
            return Err(self.source.error_at(
                text,
                format!("{problem}: {:?}", text.get_ref()),
                "take the placeholder out; {host:1} outside a chain is the connection's other end",
            ));
        }
        Ok(template)
    }

    /// The values under `data`, by slot.
    fn data(
        &self,
        raw: &raw::Record,
        telemetry: Telemetry,
        connection: Option<&Connection>,
    ) -> Result<Vec<(usize, Template)>> {
        let mut data = Vec::new();
        for (name, text) in &raw.data {
            let Some((slot, _)) = telemetry.slot(name) else {
                let known: Vec<&str> = telemetry.data().iter().map(|(known, _)| *known).collect();
                return Err(self.source.error_at(
                    text,
                    format!("a {} takes no {name} under `data`", telemetry.word()),
                    if known.is_empty() {
                        "take `data` out".to_owned()
                    } else {
                        format!("it takes {}", known.join(", "))
                    },
                ));
            };
            data.push((slot, self.text(text, connection)?));
        }
        let missing = telemetry
            .data()
            .iter()
            .find(|(name, default)| default.is_none() && !raw.data.contains_key(*name));
        match missing {
            None => Ok(data),
            Some((name, _)) => Err(self.source.error_at(
                &raw.telemetry,
                format!("a {} without {name} under `data`", telemetry.word()),
                format!("add data = {{ {name} = \"…\" }} to the record"),
            )),
        }
    }

    fn integrity(
        &self,
        word: Option<&Text>,
        platform: Platform,
        account: &Account,
    ) -> Result<String> {
        check_integrity(self.source, word, platform)?;
        Ok(word.map_or_else(
            || default_integrity(platform, account).to_owned(),
            |word| word.get_ref().clone(),
        ))
    }

    fn number(
        &self,
        number: Option<&toml::Spanned<u8>>,
        greatest: u8,
        default: u8,
        what: &str,
    ) -> Result<u8> {
        match number {
            None => Ok(default),
            Some(number) if *number.get_ref() <= greatest => Ok(*number.get_ref()),
            Some(number) => Err(self.source.error_at(
                number,
                format!("{what} {} does not exist", number.get_ref()),
                format!("write a number from 0 to {greatest} (RFC 5424)"),
            )),
        }
    }

    fn logon_type(&self, raw: &raw::Record) -> Result<u8> {
        match &raw.logon_type {
            None => Ok(0),
            Some(number) if [2, 3, 5, 7, 10, 11].contains(number.get_ref()) => {
                Ok(*number.get_ref())
            }
            Some(number) => Err(self.source.error_at(
                number,
                format!("logon type {} is not made here", number.get_ref()),
                "write one of 2, 3, 5, 7, 10, 11",
            )),
        }
    }

    fn check_path(
        &self,
        text: Option<&Text>,
        path: Option<&Template>,
        platform: Platform,
    ) -> Result<()> {
        let (Some(text), Some(_)) = (text, path) else {
            return Ok(());
        };
        check_path(self.source, text, platform)
    }

    fn check_registry(&self, text: Option<&Text>, path: Option<&Template>) -> Result<()> {
        let (Some(text), Some(_)) = (text, path) else {
            return Ok(());
        };
        let known = [r"HKLM\", r"HKU\", r"HKCR\", r"\REGISTRY\A\"];
        if known.iter().any(|hive| text.get_ref().starts_with(hive)) {
            return Ok(());
        }
        Err(self.source.error_at(
            text,
            format!("{:?} is in no hive as Sysmon writes them", text.get_ref()),
            format!(
                "begin with one of {}; a user's hive is HKU\\{{sid}}",
                known.join(" ")
            ),
        ))
    }
}
