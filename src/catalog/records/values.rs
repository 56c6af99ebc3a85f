//! Checks single fields of a record.

use super::{RecordResolver, Setting};
use crate::catalog::category::Category;
use crate::catalog::lookup::{check_integrity, check_path, default_integrity};
use crate::catalog::place::End;
use crate::catalog::raw;
use crate::catalog::record::{AccountRef, Connection};
use crate::catalog::source::Text;
use crate::catalog::template::{Placeholder, Template};
use crate::error::Result;
use crate::kinds::{Platform, Telemetry};

impl RecordResolver<'_> {
    pub(super) fn signature(
        &self,
        raw: &raw::Record,
        category: Option<&Category>,
    ) -> Result<usize> {
        let source = self.source;
        let Some(category) = category else {
            return match &raw.signature {
                None => Ok(0),
                Some(name) => Err(source.error_at(
                    name,
                    "a keyword rule's record takes the signature of its alert",
                    "omit `signature`",
                )),
            };
        };
        let Some(name) = &raw.signature else {
            if raw.alert && category.signatures.is_empty() {
                return Err(source.error_at(
                    &raw.telemetry,
                    format!("category {} has no signature for this alert", category.name),
                    "add signatures to the category, or remove `alert`",
                ));
            }
            return Ok(0);
        };
        if !raw.alert {
            return Err(source.error_at(
                name,
                "a signature without alert = true",
                "add alert = true, or omit `signature`",
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
                    format!("use one of {}", known.join(", ")),
                )
            })
    }

    pub(super) fn end(&self, word: &Text, on: usize) -> Result<End> {
        let source = self.source;
        let end = End::parse(word.get_ref()).map_err(|expected| {
            source.error_at(
                word,
                format!("unknown endpoint {:?}", word.get_ref()),
                format!("use {expected}"),
            )
        })?;
        match (&end, self.setting) {
            (End::ChainHost(k), Setting::Chain(hosts)) if *k >= hosts.len() || *k == on => {
                Err(source.error_at(
                    word,
                    format!("host {k} is the reporting host, or not a host of the chain"),
                    format!("the chain's hosts are 0 to {}", hosts.len() - 1),
                ))
            }
            (End::Device(_), _) if !self.setting.is_noise() => Err(source.error_at(
                word,
                "devices are allowed in noise only, because an inventory may have none",
                "use class:CLASS",
            )),
            (End::ChainHost(_) | End::Adversary(_), _) if !self.setting.is_chain() => Err(source
                .error_at(
                    word,
                    "only a chain has further hosts and an adversary",
                    "use class:CLASS, device:DEVICE, internet or resolver",
                )),
            _ => Ok(end),
        }
    }

    pub(super) fn connection(&self, raw: &raw::Connection, on: usize) -> Result<Connection> {
        let source = self.source;
        let from = self.end(&raw.from, on)?;
        let to = self.end(&raw.to, on)?;
        if let End::Local(_) = from {
            return Err(source.error_at(
                &raw.from,
                "a local address is where a connection goes to",
                "use from = \"host\", to = \"local:ADDRESS\"",
            ));
        }
        if (from == End::Host) == (to == End::Host) {
            return Err(source.error_at(
                &raw.from,
                "exactly one end of a connection must be the reporting host",
                "use from = \"host\" or to = \"host\"",
            ));
        }
        let protocol = raw.protocol.get_ref();
        if !matches!(protocol.as_str(), "tcp" | "udp" | "icmp") {
            return Err(source.error_at(
                &raw.protocol,
                format!("unknown protocol {protocol:?}"),
                "use one of tcp, udp, icmp",
            ));
        }
        if raw.ports.is_empty() != (protocol == "icmp")
            || raw.ports.iter().any(|port| *port.get_ref() == 0)
        {
            return Err(source.error_at(
                &raw.protocol,
                "the ports do not match the protocol",
                "tcp and udp need at least one port, and no port 0; icmp has no ports",
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

    /// Compiles a text, and checks that its placeholders have a value in this record.
    pub(super) fn text(&self, text: &Text, connection: Option<&Connection>) -> Result<Template> {
        let template = self.source.template(text)?;
        for placeholder in template.placeholders() {
            let problem = match (placeholder, self.setting) {
                (
                    Placeholder::SourceIp | Placeholder::DestinationIp | Placeholder::SourcePort,
                    _,
                ) if connection.is_none() => {
                    "a connection's placeholder in a record without a connection"
                }
                (Placeholder::Round, Setting::Routine(_)) => continue,
                (Placeholder::Round, setting) if !setting.is_chain() => {
                    "a placeholder that only chains and routines have"
                }
                (placeholder, setting) if placeholder.is_of_a_chain() && !setting.is_chain() => {
                    "a placeholder that only chains have"
                }
                (Placeholder::ChainHost(k) | Placeholder::ChainHostIp(k), setting) => match setting
                {
                    Setting::Chain(hosts) if usize::from(k) < hosts.len() => continue,
                    // A sequence and a run of a routine have one peer.
                    Setting::Routine(_) | Setting::Sequence(_) if k == 1 => continue,
                    _ if !setting.is_chain() && k == 1 && connection.is_some() => {
                        continue;
                    }
                    _ => "a placeholder of a host that does not exist",
                },
                _ => continue,
            };
            return Err(self.source.error_at(
                text,
                format!("{problem}: {:?}", text.get_ref()),
                "remove the placeholder; outside a chain, {host:1} is the other end of the connection",
            ));
        }
        Ok(template)
    }

    /// The values under `data`, with their slots.
    pub(super) fn data(
        &self,
        raw: &raw::Record,
        telemetry: Telemetry,
        connection: Option<&Connection>,
    ) -> Result<Vec<(usize, Template)>> {
        let mut data = Vec::new();
        for (name, text) in &raw.data {
            let Some((slot, _)) = telemetry.slot(name) else {
                let known: Vec<&str> = telemetry
                    .kind()
                    .data
                    .iter()
                    .map(|(known, _)| *known)
                    .collect();
                return Err(self.source.error_at(
                    text,
                    format!("{} records have no {name} under `data`", telemetry.word()),
                    if known.is_empty() {
                        "remove `data`".to_owned()
                    } else {
                        format!("use one of {}", known.join(", "))
                    },
                ));
            };
            data.push((slot, self.text(text, connection)?));
        }
        let missing = telemetry
            .kind()
            .data
            .iter()
            .find(|(name, default)| default.is_none() && !raw.data.contains_key(*name));
        match missing {
            None => Ok(data),
            Some((name, _)) => Err(self.source.error_at(
                &raw.telemetry,
                format!("{} records need {name} under `data`", telemetry.word()),
                format!("add data = {{ {name} = \"…\" }} to the record"),
            )),
        }
    }

    pub(super) fn integrity(
        &self,
        word: Option<&Text>,
        platform: Platform,
        account: &AccountRef,
    ) -> Result<String> {
        check_integrity(self.source, word, platform)?;
        Ok(word.map_or_else(
            || default_integrity(platform, account).to_owned(),
            |word| word.get_ref().clone(),
        ))
    }

    pub(super) fn number(
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
                format!("{what} {} is out of range", number.get_ref()),
                format!("use a number from 0 to {greatest} (RFC 5424)"),
            )),
        }
    }

    pub(super) fn logon_type(&self, raw: &raw::Record) -> Result<u8> {
        match &raw.logon_type {
            None => Ok(0),
            Some(number) if [2, 3, 5, 7, 10, 11].contains(number.get_ref()) => {
                Ok(*number.get_ref())
            }
            Some(number) => Err(self.source.error_at(
                number,
                format!("logon type {} is not supported", number.get_ref()),
                "use one of 2, 3, 5, 7, 10, 11",
            )),
        }
    }

    pub(super) fn check_path(
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

    pub(super) fn check_registry(
        &self,
        text: Option<&Text>,
        path: Option<&Template>,
    ) -> Result<()> {
        let (Some(text), Some(_)) = (text, path) else {
            return Ok(());
        };
        let known = [r"HKLM\", r"HKU\", r"HKCR\", r"\REGISTRY\A\"];
        if known.iter().any(|hive| text.get_ref().starts_with(hive)) {
            return Ok(());
        }
        Err(self.source.error_at(
            text,
            format!(
                "{:?} does not begin with a hive as Sysmon writes it",
                text.get_ref()
            ),
            format!(
                "begin with one of {}; a user's hive is HKU\\{{sid}}",
                known.join(" ")
            ),
        ))
    }
}
