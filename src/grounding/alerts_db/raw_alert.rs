//! One alert as the database has it, before counting.
//!
//! All layouts become this type: tables with columns ([`RawAlert::set`]) and records in
//! Suricata's EVE JSON ([`RawAlert::fill_from_eve`]).

use std::net::IpAddr;

use serde::Deserialize;

use super::columns::{AlertField, Layout};
use super::value::Value;
use super::{ntopng, template};
use crate::grounding::profile::Direction;
use crate::grounding::severity::Severity;

/// The facts of one alert; `None` if the database has no usable value.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct RawAlert {
    pub signature: Option<String>,
    pub signature_id: Option<u64>,
    /// `Some("")` for an empty name, which differs from a missing one.
    pub category: Option<String>,
    pub severity: Option<Severity>,
    pub protocol: Option<String>,
    pub application: Option<String>,
    pub direction: Option<Direction>,
    pub blocked: Option<bool>,
    pub source_address: Option<IpAddr>,
    pub destination_address: Option<IpAddr>,
    /// The machine that reported, if the table has it in addition to the flow's ends.
    pub host_address: Option<IpAddr>,
    pub source_port: Option<u16>,
    pub destination_port: Option<u16>,
    pub bytes_to_server: Option<u64>,
    pub bytes_to_client: Option<u64>,
    /// Seconds since 1970 UTC.
    pub time: Option<i64>,
    pub techniques: Vec<String>,
}

impl RawAlert {
    /// Sets a field from a cell. Cells come in the order of [`AlertField`], so that the plain
    /// transport has priority over fusionai's mixed `protocols`.
    pub(super) fn set(&mut self, field: AlertField, value: &Value<'_>, layout: Layout) {
        match field {
            AlertField::Signature => self.signature = value.name(),
            AlertField::SignatureId => self.signature_id = value.unsigned(),
            AlertField::Category => {
                self.category = match (layout, value.unsigned()) {
                    (Layout::Numbered, Some(number)) => {
                        ntopng::category(number).map(str::to_string)
                    }
                    _ => value.category(),
                };
            }
            AlertField::Severity => self.severity = value.severity(),
            AlertField::Protocol | AlertField::Protocols => {
                let (protocol, application) = value.protocols();
                self.protocol = self.protocol.take().or(protocol);
                self.application = self.application.take().or(application);
            }
            AlertField::Application => {
                self.application = value.application().or(self.application.take());
            }
            AlertField::Direction => self.direction = value.direction(),
            AlertField::Action => self.blocked = value.blocked(),
            AlertField::SourceAddress => self.source_address = value.address(),
            AlertField::DestinationAddress => self.destination_address = value.address(),
            AlertField::HostAddress => self.host_address = value.address(),
            AlertField::SourcePort => self.source_port = value.port(),
            AlertField::DestinationPort => self.destination_port = value.port(),
            AlertField::BytesToServer => self.bytes_to_server = value.bytes(),
            AlertField::BytesToClient => self.bytes_to_client = value.bytes(),
            AlertField::Time => self.time = value.time(),
            AlertField::Techniques => self.techniques.extend(value.techniques()),
            AlertField::RawJson => {
                if let Value::Text(json) = value {
                    match layout {
                        Layout::Numbered => self.fill_from_ntopng(json),
                        Layout::Plain | Layout::Records => self.fill_from_eve(json),
                    }
                }
            }
            AlertField::AlertId => {
                if let Some(id) = value.unsigned() {
                    self.signature_id = self.signature_id.or(Some(id));
                    self.signature = self.signature.take().or_else(|| {
                        Some(match ntopng::flow_alert(id) {
                            Some(name) => name.to_string(),
                            None => format!("flow alert {id}"),
                        })
                    });
                }
            }
        }
    }

    /// Sets the signature to the name of the check that fired, from ntopng's record.
    fn fill_from_ntopng(&mut self, json: &str) {
        #[derive(Deserialize)]
        struct NtopngRecord {
            alert_generation: Option<Generation>,
        }
        #[derive(Deserialize)]
        struct Generation {
            script_key: Option<String>,
        }
        if self.signature.is_some() {
            return;
        }
        let record: Option<NtopngRecord> = serde_json::from_str(json).ok();
        let key = record
            .and_then(|record| record.alert_generation)
            .and_then(|generation| generation.script_key);
        self.signature = key
            .map(|key| key.replace('_', " "))
            .and_then(|key| Value::Text(key.into()).name());
    }

    /// Replaces the parts of the signature that differ between alerts by `*`.
    pub(super) fn make_template(&mut self) {
        if let Some(signature) = &mut self.signature {
            *signature = template::of(signature);
        }
    }

    /// Fills missing facts from an EVE record. Any other text changes nothing.
    pub(super) fn fill_from_eve(&mut self, json: &str) {
        let wanted = self.is_incomplete() || json.contains("mitre_technique_id");
        if !wanted || !json.trim_start().starts_with('{') {
            return;
        }
        let Ok(eve) = serde_json::from_str::<Eve>(json) else {
            return;
        };
        let alert = eve.alert.unwrap_or_default();
        let flow = eve.flow.unwrap_or_default();
        fill(&mut self.signature, &alert.signature, |v| v.name());
        fill(&mut self.signature_id, &alert.signature_id, |v| {
            v.unsigned()
        });
        fill(&mut self.category, &alert.category, |v| v.text());
        fill(&mut self.severity, &alert.severity, |v| v.severity());
        fill(&mut self.blocked, &alert.action, |v| v.blocked());
        fill(&mut self.protocol, &eve.proto, |v| v.protocols().0);
        fill(&mut self.application, &eve.app_proto, |v| v.application());
        fill(&mut self.direction, &eve.direction, |v| v.direction());
        fill(&mut self.source_address, &eve.src_ip, |v| v.address());
        fill(&mut self.destination_address, &eve.dest_ip, |v| v.address());
        fill(&mut self.source_port, &eve.src_port, |v| v.port());
        fill(&mut self.destination_port, &eve.dest_port, |v| v.port());
        fill(&mut self.time, &eve.timestamp, |v| v.time());
        fill(&mut self.bytes_to_server, &flow.bytes_toserver, |v| {
            v.bytes()
        });
        fill(&mut self.bytes_to_client, &flow.bytes_toclient, |v| {
            v.bytes()
        });
        if let Some(ids) = alert.metadata.and_then(|found| found.mitre_technique_id) {
            self.techniques.extend(Value::from(&ids).techniques());
        }
    }

    fn is_incomplete(&self) -> bool {
        self.signature.is_none()
            || self.signature_id.is_none()
            || self.category.is_none()
            || self.severity.is_none()
            || self.protocol.is_none()
            || self.application.is_none()
            || self.direction.is_none()
            || self.blocked.is_none()
            || self.source_address.is_none()
            || self.destination_address.is_none()
            || self.source_port.is_none()
            || self.destination_port.is_none()
            || self.bytes_to_server.is_none()
            || self.time.is_none()
    }
}

fn fill<T>(
    slot: &mut Option<T>,
    json: &Option<serde_json::Value>,
    read: impl Fn(&Value<'_>) -> Option<T>,
) {
    if let (None, Some(json)) = (&*slot, json) {
        *slot = read(&Value::from(json));
    }
}

/// The parts of an EVE record that are used; everything else is skipped unparsed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Eve {
    timestamp: Option<serde_json::Value>,
    src_ip: Option<serde_json::Value>,
    src_port: Option<serde_json::Value>,
    dest_ip: Option<serde_json::Value>,
    dest_port: Option<serde_json::Value>,
    proto: Option<serde_json::Value>,
    app_proto: Option<serde_json::Value>,
    direction: Option<serde_json::Value>,
    alert: Option<EveAlert>,
    flow: Option<EveFlow>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EveAlert {
    action: Option<serde_json::Value>,
    signature_id: Option<serde_json::Value>,
    signature: Option<serde_json::Value>,
    category: Option<serde_json::Value>,
    severity: Option<serde_json::Value>,
    metadata: Option<EveMetadata>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EveMetadata {
    mitre_technique_id: Option<serde_json::Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct EveFlow {
    bytes_toserver: Option<serde_json::Value>,
    bytes_toclient: Option<serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = r#"{"timestamp":"2024-08-12T10:21:44.0+0000","src_ip":"10.0.0.5",
        "src_port":445,"dest_ip":"10.0.0.9","dest_port":50000,"proto":"TCP","app_proto":"smb",
        "direction":"to_client","alert":{"action":"blocked","signature_id":7,"signature":"S",
        "category":"","severity":3,"metadata":{"mitre_technique_id":["T1021.002","nonsense"]}},
        "flow":{"bytes_toserver":10,"bytes_toclient":20}}"#;

    #[test]
    fn an_eve_record_fills_the_gaps_and_no_more() {
        let mut alert = RawAlert {
            signature: Some("kept".to_string()),
            ..RawAlert::default()
        };
        alert.fill_from_eve(RECORD);
        assert_eq!(alert.signature.as_deref(), Some("kept"));
        assert_eq!(alert.signature_id, Some(7));
        assert_eq!(alert.category.as_deref(), Some(""));
        assert_eq!(alert.direction, Some(Direction::ToClient));
        assert_eq!(alert.blocked, Some(true));
        assert_eq!(alert.source_port, Some(445));
        assert_eq!(alert.bytes_to_client, Some(20));
        assert_eq!(alert.techniques, ["T1021.002"]);
    }

    #[test]
    fn what_is_no_record_changes_nothing() {
        for json in ["", "{", "[]", "GET / HTTP/1.1", r#"{"alert":"text"}"#, "{}"] {
            let mut alert = RawAlert::default();
            alert.fill_from_eve(json);
            assert_eq!(alert, RawAlert::default(), "{json}");
        }
    }
}
