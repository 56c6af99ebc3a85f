//! Recognises the columns of a foreign table.
//!
//! Names are compared with `data/grounding/alerts.toml`, without case and punctuation. Of several
//! candidates, the first whose values fit the field is used. [`super::value`] converts cells.

use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasher;

use super::value::Value;
use crate::grounding::severity::{Hints, SeverityScale};

/// A fact that a column can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AlertField {
    Signature,
    SignatureId,
    Category,
    Severity,
    /// The transport alone (`TCP`, `6`).
    Protocol,
    /// fusionai's column: transport, application or both.
    Protocols,
    Application,
    Direction,
    Action,
    SourceAddress,
    DestinationAddress,
    /// The machine that reported the alert.
    HostAddress,
    SourcePort,
    DestinationPort,
    BytesToServer,
    BytesToClient,
    Time,
    Techniques,
    /// The sensor's own record as JSON text.
    RawJson,
    /// ntopng's number of a kind of alert, used if its record has no name.
    AlertId,
}

/// All fields with their names in `alerts.toml`, in the order in which cells are read.
const FIELDS: [(AlertField, &str); 20] = [
    (AlertField::Signature, "signature"),
    (AlertField::SignatureId, "signature_id"),
    (AlertField::Category, "category"),
    (AlertField::Severity, "severity"),
    (AlertField::Protocol, "protocol"),
    (AlertField::Protocols, "protocols"),
    (AlertField::Application, "application"),
    (AlertField::Direction, "direction"),
    (AlertField::Action, "action"),
    (AlertField::SourceAddress, "source_address"),
    (AlertField::DestinationAddress, "destination_address"),
    (AlertField::HostAddress, "host_address"),
    (AlertField::SourcePort, "source_port"),
    (AlertField::DestinationPort, "destination_port"),
    (AlertField::BytesToServer, "bytes_to_server"),
    (AlertField::BytesToClient, "bytes_to_client"),
    (AlertField::Time, "time"),
    (AlertField::Techniques, "techniques"),
    (AlertField::RawJson, "raw_json"),
    (AlertField::AlertId, "alert_id"),
];

const NAMES: &str = include_str!("../../../data/grounding/alerts.toml");

/// The layout of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// A row is an alert, and its facts are columns.
    Plain,
    /// `alert_id` is a kind of alert and names the rule (ntopng). In other tables it numbers the rows.
    Numbered,
    /// A row is an event of any kind, as a JSON record (EveBox's `source`, lines of eve.json).
    Records,
}

/// EveBox's column of records; other tables use the name for anything.
const RECORD: &str = "source";

/// Number of rows that decide which column is used.
pub(super) const TRIED: u64 = 20_000;
/// Number of rows from which a rule column with nearly as many names as rows is rejected.
const ENOUGH: u64 = 50;

/// Candidate columns of each field.
#[derive(Debug)]
pub(super) struct Candidates {
    layout: Layout,
    names: Vec<String>,
    /// Column positions by field, best first.
    of: Vec<(AlertField, Vec<usize>)>,
}

/// Names by field, without case and punctuation.
#[expect(clippy::expect_used, reason = "our own file, which a test reads")]
fn known_names() -> BTreeMap<String, Vec<String>> {
    let written: BTreeMap<String, Vec<String>> =
        toml::from_str(NAMES).expect("data/grounding/alerts.toml is a table of lists");
    written
        .into_iter()
        .map(|(field, names)| (field, names.iter().map(|name| plain(name)).collect()))
        .collect()
}

/// Number of columns with a known name. It identifies the separator of a text file.
pub(super) fn known(names: &[String]) -> usize {
    let fields = known_names();
    let known: HashSet<&str> = fields.values().flatten().map(String::as_str).collect();
    names
        .iter()
        .filter(|name| known.contains(plain(name).as_str()))
        .count()
}

impl Candidates {
    pub(super) fn locate(names: &[String], layout: Layout) -> Self {
        let known = known_names();
        let written: Vec<String> = names.iter().map(|name| plain(name)).collect();
        let of = FIELDS
            .iter()
            .map(|&(field, key)| {
                let record = (field == AlertField::RawJson && layout == Layout::Records)
                    .then(|| RECORD.to_string());
                let aliases = record.iter().chain(known.get(key).into_iter().flatten());
                let positions = match field {
                    AlertField::AlertId if layout != Layout::Numbered => Vec::new(),
                    _ => aliases
                        .flat_map(|alias| {
                            (written.iter().enumerate())
                                .filter(move |(_, name)| *name == alias)
                                .map(|(position, _)| position)
                        })
                        .collect(),
                };
                (field, positions)
            })
            .collect();
        Candidates {
            layout,
            names: names.to_vec(),
            of,
        }
    }

    fn positions(&self, field: AlertField) -> &[usize] {
        self.of
            .iter()
            .find(|(it, _)| *it == field)
            .map_or(&[], |(_, positions)| positions)
    }

    /// Whether the table can supply rule names.
    pub(super) fn has_signature(&self) -> bool {
        !self.positions(AlertField::Signature).is_empty()
            || !self.positions(AlertField::AlertId).is_empty()
            || (self.layout == Layout::Records && !self.positions(AlertField::RawJson).is_empty())
    }

    /// Positions that any field may use, ascending.
    pub(super) fn wanted(&self) -> Vec<usize> {
        let mut wanted: Vec<usize> = self.of.iter().flat_map(|(_, it)| it.clone()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        wanted
    }
}

/// Statistics of the candidates in the first rows.
#[derive(Debug)]
pub(super) struct Trial {
    candidates: Candidates,
    wanted: Vec<usize>,
    /// By field and candidate: number of non-empty cells, and of usable ones.
    counts: Vec<Vec<(u64, u64)>>,
    /// By candidate for the rule name: distinct texts.
    texts: Vec<HashSet<u64>>,
    hasher: foldhash::quality::FixedState,
    /// By candidate for the time: a text that is not a time.
    unread: Vec<Option<String>>,
}

impl Trial {
    pub(super) fn new(candidates: Candidates) -> Self {
        Trial {
            wanted: candidates.wanted(),
            counts: (candidates.of.iter().map(|(_, it)| vec![(0, 0); it.len()])).collect(),
            texts: vec![HashSet::new(); candidates.positions(AlertField::Signature).len()],
            unread: vec![None; candidates.positions(AlertField::Time).len()],
            hasher: foldhash::quality::FixedState::default(),
            candidates,
        }
    }

    pub(super) fn wanted(&self) -> &[usize] {
        &self.wanted
    }

    /// Counts one row of the wanted cells.
    pub(super) fn read(&mut self, cells: &[Value<'_>]) {
        for ((field, positions), counts) in self.candidates.of.iter().zip(&mut self.counts) {
            for (nth, (position, (filled, usable))) in positions.iter().zip(counts).enumerate() {
                let cell = self
                    .wanted
                    .binary_search(position)
                    .ok()
                    .and_then(|at| cells.get(at));
                let Some(cell) = cell.filter(|cell| cell.name().is_some()) else {
                    continue;
                };
                *filled += 1;
                let is_usable = match field {
                    AlertField::Signature => {
                        let text = cell.name().unwrap_or_default();
                        if let Some(texts) = self.texts.get_mut(nth) {
                            texts.insert(self.hasher.hash_one(&text));
                        }
                        cell.integer().is_none() && cell.address().is_none()
                    }
                    AlertField::SignatureId | AlertField::AlertId => cell.unsigned().is_some(),
                    AlertField::Severity => cell.severity().is_some(),
                    AlertField::SourceAddress
                    | AlertField::DestinationAddress
                    | AlertField::HostAddress => cell.address().is_some(),
                    AlertField::SourcePort | AlertField::DestinationPort => cell.port().is_some(),
                    AlertField::BytesToServer | AlertField::BytesToClient => cell.bytes().is_some(),
                    AlertField::Time => {
                        let is_time = cell.time().is_some();
                        if let (false, Some(unread)) = (is_time, self.unread.get_mut(nth)) {
                            unread.get_or_insert_with(|| cell.name().unwrap_or_default());
                        }
                        is_time
                    }
                    // A number is not a category name, except for ntopng's, which have names.
                    AlertField::Category => {
                        cell.integer().is_none() || self.candidates.layout == Layout::Numbered
                    }
                    AlertField::Techniques => !cell.techniques().is_empty(),
                    AlertField::RawJson => cell.is_json(),
                    _ => true,
                };
                *usable += u64::from(is_usable);
            }
        }
    }

    /// The columns to use, and notes about the choice.
    pub(super) fn choose(self) -> Columns {
        let mut found = Vec::new();
        let mut notes = Vec::new();
        let mut is_varied = false;
        for ((field, positions), counts) in self.candidates.of.iter().zip(&self.counts) {
            let name = |nth: usize| {
                positions
                    .get(nth)
                    .and_then(|&position| self.candidates.names.get(position))
                    .cloned()
                    .unwrap_or_default()
            };
            let is_good = |(filled, usable): (u64, u64)| filled > 0 && usable * 2 > filled;
            let mut chosen =
                (0..positions.len()).find(|&nth| counts.get(nth).copied().is_some_and(is_good));
            if *field == AlertField::Signature {
                let different = |nth: usize| self.texts.get(nth).map_or(0, HashSet::len) as u64;
                let filled = |nth: usize| counts.get(nth).map_or(0, |it| it.0);
                let varies = |nth: usize| filled(nth) >= ENOUGH && different(nth) * 2 > filled(nth);
                let steady = (0..positions.len())
                    .find(|&nth| counts.get(nth).copied().is_some_and(is_good) && !varies(nth));
                if let Some(first) = chosen.filter(|&nth| varies(nth)) {
                    let said = format!(
                        "signature: nearly every value of {} is different ({} in {} rows)",
                        name(first),
                        different(first),
                        filled(first)
                    );
                    notes.push(match steady {
                        Some(other) => format!("{said}, so {} names the rules", name(other)),
                        None => {
                            is_varied = true;
                            format!(
                                "{said}; addresses, numbers and times were replaced by `*` before \
                                 counting; name the column with the rule's name `signature` if \
                                 there is a better one"
                            )
                        }
                    });
                    chosen = steady.or(chosen);
                }
            }
            if *field == AlertField::Time && chosen.is_none() {
                let filled =
                    (0..positions.len()).find(|&nth| counts.get(nth).is_some_and(|c| c.0 > 0));
                if let Some(nth) = filled {
                    let sample = self.unread.get(nth).cloned().flatten().unwrap_or_default();
                    notes.push(format!(
                        "timestamp: the values of {} were not understood, such as {}; no hours of the day",
                        name(nth),
                        super::super::shown_up_to(60, &sample)
                    ));
                }
            }
            if *field == AlertField::Category && chosen.is_none() {
                let filled =
                    (0..positions.len()).find(|&nth| counts.get(nth).is_some_and(|c| c.0 > 0));
                if let Some(nth) = filled {
                    notes.push(format!(
                        "category: {} holds numbers without a name, which were left out",
                        name(nth)
                    ));
                }
            }
            // A column may be empty in the first rows only.
            let is_named_by_number = matches!(field, AlertField::Signature);
            let fallback = (!positions.is_empty()
                && counts.iter().all(|(filled, _)| *filled == 0)
                && *field != AlertField::Time)
                .then_some(0)
                .or_else(|| (is_named_by_number && !positions.is_empty()).then_some(0));
            if let Some(position) = chosen.or(fallback).and_then(|nth| positions.get(nth)) {
                found.push((*field, *position));
            }
        }
        // One column holds one fact: a rule's number is not its name, and a host is not a source.
        let mut taken: HashSet<(usize, bool)> = HashSet::new();
        found.retain(|&(field, position)| {
            let is_protocol = matches!(field, AlertField::Protocol | AlertField::Protocols);
            taken.insert((position, is_protocol))
        });
        Columns {
            layout: self.candidates.layout,
            names: self.candidates.names,
            found,
            notes,
            is_varied,
        }
    }
}

/// The column of each field in a table.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    layout: Layout,
    names: Vec<String>,
    /// In the order of [`AlertField`].
    found: Vec<(AlertField, usize)>,
    /// Notes about the choice, for the user.
    pub(super) notes: Vec<String>,
    /// Nearly every alert has its own text, which must be turned into a template.
    pub(super) is_varied: bool,
}

impl Columns {
    pub(super) fn name(&self, field: AlertField) -> Option<&str> {
        self.found
            .iter()
            .find(|(it, _)| *it == field)
            .and_then(|(_, position)| self.names.get(*position))
            .map(String::as_str)
    }

    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    /// The positions to read, ascending, and the index of each field among them.
    pub(super) fn plan(&self) -> (Vec<usize>, Vec<(AlertField, usize)>) {
        let mut wanted: Vec<usize> = self.found.iter().map(|it| it.1).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let places = self
            .found
            .iter()
            .filter_map(|&(field, position)| {
                wanted.binary_search(&position).ok().map(|at| (field, at))
            })
            .collect();
        (wanted, places)
    }

    /// Evidence of the columns for the severity scale. `has_records`: rows have Suricata's own
    /// JSON with an `alert`.
    pub(super) fn hints(&self, has_records: bool) -> Hints {
        let all: HashSet<String> = self.names.iter().map(|name| plain(name)).collect();
        let has = |name: &str| all.contains(name);
        let column = self.name(AlertField::Severity).map(str::to_string);
        let of = column.as_deref().map(plain).unwrap_or_default();
        let mut scales = Vec::new();
        let mut speaks = |scale, condition: bool, why: String| {
            if condition {
                scales.push((scale, why));
            }
        };
        let by_name = format!("the column {}", column.as_deref().unwrap_or("severity"));
        speaks(
            SeverityScale::Ntopng,
            self.layout == Layout::Numbered,
            "the table flow_alerts is ntopng's".to_string(),
        );
        let is_wazuh = of == "rulelevel"
            || (of == "level"
                && [
                    "rulegroups",
                    "ruledescription",
                    "logfile",
                    "agentname",
                    "fulllog",
                    "decoder",
                ]
                .iter()
                .any(|name| has(name)));
        speaks(
            SeverityScale::Wazuh,
            is_wazuh,
            format!("{by_name} is Wazuh's or OSSEC's"),
        );
        speaks(
            SeverityScale::Ocsf,
            of == "severityid",
            format!("{by_name} is OCSF's"),
        );
        speaks(
            SeverityScale::Cvss,
            of.starts_with("cvss"),
            format!("{by_name} is a CVSS score"),
        );
        let is_score = of.ends_with("score");
        speaks(
            SeverityScale::Percent,
            is_score && of != "score",
            format!("{by_name} is a score"),
        );
        let suricatas = [
            "signatureid",
            "alertsignatureid",
            "appproto",
            "alertseverity",
        ];
        let snorts = has("sid") && (has("gid") || of == "priority");
        let speaking = suricatas.iter().find(|name| has(name));
        speaks(
            SeverityScale::Suricata,
            has_records,
            "its records are Suricata's".to_string(),
        );
        if let Some(name) = speaking {
            let written = self.names.iter().find(|it| plain(it) == *name);
            speaks(
                SeverityScale::Suricata,
                true,
                format!(
                    "the column {} is Suricata's",
                    written.map_or(*name, |it| it)
                ),
            );
        }
        speaks(
            SeverityScale::Suricata,
            snorts || of == "priority",
            format!("{by_name} beside rule numbers is Snort's, whose 1 is the worst").replace(
                " beside rule numbers",
                if snorts { " beside sid" } else { "" },
            ),
        );
        speaks(
            SeverityScale::Fusionai,
            has("protocols"),
            "the column protocols is of fusionai's own table".to_string(),
        );
        Hints { column, scales }
    }
}

/// A name without case and punctuation.
pub(super) fn plain(name: &str) -> String {
    name.chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests;
