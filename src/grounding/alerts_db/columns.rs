//! Which column of a foreign table is what.
//!
//! Names are compared without case and punctuation against `data/grounding/alerts.toml`; of
//! several candidates the first is taken whose values are what the field needs. What a cell
//! holds is [`super::value`]'s business.

use std::collections::{BTreeMap, HashSet};
use std::hash::BuildHasher;

use super::value::Value;
use crate::grounding::severity::{Hints, SeverityScale};

/// What a column can mean to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Signature,
    SignatureId,
    Category,
    Severity,
    /// The transport alone (`TCP`, `6`).
    Protocol,
    /// The seed's: transport, application or both.
    Protocols,
    Application,
    Direction,
    Action,
    SourceAddress,
    DestinationAddress,
    /// The machine that reported.
    HostAddress,
    SourcePort,
    DestinationPort,
    BytesToServer,
    BytesToClient,
    Time,
    Techniques,
    /// The sensor's own record as JSON text.
    RawJson,
    /// ntopng's number of a kind of alert, used where its record names none.
    AlertId,
}

/// Every field with its name in `alerts.toml`, in the order in which cells are read.
const FIELDS: [(Field, &str); 20] = [
    (Field::Signature, "signature"),
    (Field::SignatureId, "signature_id"),
    (Field::Category, "category"),
    (Field::Severity, "severity"),
    (Field::Protocol, "protocol"),
    (Field::Protocols, "protocols"),
    (Field::Application, "application"),
    (Field::Direction, "direction"),
    (Field::Action, "action"),
    (Field::SourceAddress, "source_address"),
    (Field::DestinationAddress, "destination_address"),
    (Field::HostAddress, "host_address"),
    (Field::SourcePort, "source_port"),
    (Field::DestinationPort, "destination_port"),
    (Field::BytesToServer, "bytes_to_server"),
    (Field::BytesToClient, "bytes_to_client"),
    (Field::Time, "time"),
    (Field::Techniques, "techniques"),
    (Field::RawJson, "raw_json"),
    (Field::AlertId, "alert_id"),
];

const NAMES: &str = include_str!("../../../data/grounding/alerts.toml");

/// What is special about a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// A row is an alert, its facts are columns.
    Plain,
    /// `alert_id` is a kind of alert and names the rule (ntopng); elsewhere it is a row's
    /// number.
    Numbered,
    /// A row is an event of some kind, as a JSON record (EveBox's `source`, lines of eve.json).
    Records,
}

/// EveBox's column of records; in other tables it may hold anything.
const RECORD: &str = "source";

/// Rows that decide which column is taken.
pub(super) const TRIED: u64 = 20_000;
/// Rows from which a column of rules with nearly as many names as rows is no column of rules.
const ENOUGH: u64 = 50;

/// Candidate columns of each field.
#[derive(Debug)]
pub(super) struct Candidates {
    layout: Layout,
    names: Vec<String>,
    /// Positions by field, the best first.
    of: Vec<(Field, Vec<usize>)>,
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

/// How many of these columns have a known name: which separator a text file has is told by it.
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
                let record = (field == Field::RawJson && layout == Layout::Records)
                    .then(|| RECORD.to_string());
                let aliases = record.iter().chain(known.get(key).into_iter().flatten());
                let positions = match field {
                    Field::AlertId if layout != Layout::Numbered => Vec::new(),
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

    fn positions(&self, field: Field) -> &[usize] {
        self.of
            .iter()
            .find(|(it, _)| *it == field)
            .map_or(&[], |(_, positions)| positions)
    }

    /// Whether rows of this table can be named at all.
    pub(super) fn has_signature(&self) -> bool {
        !self.positions(Field::Signature).is_empty()
            || !self.positions(Field::AlertId).is_empty()
            || (self.layout == Layout::Records && !self.positions(Field::RawJson).is_empty())
    }

    /// Every position that some field may want, ascending.
    pub(super) fn wanted(&self) -> Vec<usize> {
        let mut wanted: Vec<usize> = self.of.iter().flat_map(|(_, it)| it.clone()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        wanted
    }
}

/// What the first rows say of the candidates.
#[derive(Debug)]
pub(super) struct Trial {
    candidates: Candidates,
    wanted: Vec<usize>,
    /// By field and candidate: cells that have something, and those that are usable.
    counts: Vec<Vec<(u64, u64)>>,
    /// By candidate for the rule's name: different texts.
    texts: Vec<HashSet<u64>>,
    hasher: foldhash::quality::FixedState,
    /// By candidate for the time: a text that is no time.
    unread: Vec<Option<String>>,
}

impl Trial {
    pub(super) fn new(candidates: Candidates) -> Self {
        Trial {
            wanted: candidates.wanted(),
            counts: (candidates.of.iter().map(|(_, it)| vec![(0, 0); it.len()])).collect(),
            texts: vec![HashSet::new(); candidates.positions(Field::Signature).len()],
            unread: vec![None; candidates.positions(Field::Time).len()],
            hasher: foldhash::quality::FixedState::default(),
            candidates,
        }
    }

    pub(super) fn wanted(&self) -> &[usize] {
        &self.wanted
    }

    /// Reads one row of the wanted cells.
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
                    Field::Signature => {
                        let text = cell.name().unwrap_or_default();
                        if let Some(texts) = self.texts.get_mut(nth) {
                            texts.insert(self.hasher.hash_one(&text));
                        }
                        cell.integer().is_none() && cell.address().is_none()
                    }
                    Field::SignatureId | Field::AlertId => cell.unsigned().is_some(),
                    Field::Severity => cell.severity().is_some(),
                    Field::SourceAddress | Field::DestinationAddress | Field::HostAddress => {
                        cell.address().is_some()
                    }
                    Field::SourcePort | Field::DestinationPort => cell.port().is_some(),
                    Field::BytesToServer | Field::BytesToClient => cell.bytes().is_some(),
                    Field::Time => {
                        let is_time = cell.time().is_some();
                        if let (false, Some(unread)) = (is_time, self.unread.get_mut(nth)) {
                            unread.get_or_insert_with(|| cell.name().unwrap_or_default());
                        }
                        is_time
                    }
                    // A number names no category, but ntopng's have names.
                    Field::Category => {
                        cell.integer().is_none() || self.candidates.layout == Layout::Numbered
                    }
                    Field::Techniques => !cell.techniques().is_empty(),
                    Field::RawJson => cell.is_json(),
                    _ => true,
                };
                *usable += u64::from(is_usable);
            }
        }
    }

    /// The columns to take, and what the user should know of the choice.
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
            if *field == Field::Signature {
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
            if *field == Field::Time && chosen.is_none() {
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
            if *field == Field::Category && chosen.is_none() {
                let filled =
                    (0..positions.len()).find(|&nth| counts.get(nth).is_some_and(|c| c.0 > 0));
                if let Some(nth) = filled {
                    notes.push(format!(
                        "category: {} holds numbers without a name, which were left out",
                        name(nth)
                    ));
                }
            }
            // A column whose first rows are empty may fill up later.
            let is_named_by_number = matches!(field, Field::Signature);
            let fallback = (!positions.is_empty()
                && counts.iter().all(|(filled, _)| *filled == 0)
                && *field != Field::Time)
                .then_some(0)
                .or_else(|| (is_named_by_number && !positions.is_empty()).then_some(0));
            if let Some(position) = chosen.or(fallback).and_then(|nth| positions.get(nth)) {
                found.push((*field, *position));
            }
        }
        // One column is one fact: a rule's number is not its name, a host not a source.
        let mut taken: HashSet<(usize, bool)> = HashSet::new();
        found.retain(|&(field, position)| {
            let is_protocol = matches!(field, Field::Protocol | Field::Protocols);
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

/// Where each field is in a table.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    layout: Layout,
    names: Vec<String>,
    /// In the order of [`Field`].
    found: Vec<(Field, usize)>,
    /// What the user should know of the choice.
    pub(super) notes: Vec<String>,
    /// Nearly every alert has a text of its own, which must be made a template.
    pub(super) is_varied: bool,
}

impl Columns {
    pub(super) fn name(&self, field: Field) -> Option<&str> {
        self.found
            .iter()
            .find(|(it, _)| *it == field)
            .and_then(|(_, position)| self.names.get(*position))
            .map(String::as_str)
    }

    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    /// The positions to read, ascending, and each field's place among them.
    pub(super) fn plan(&self) -> (Vec<usize>, Vec<(Field, usize)>) {
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

    /// What the columns say of the severity's scale. `has_records`: rows have Suricata's own
    /// JSON with an `alert`.
    pub(super) fn hints(&self, has_records: bool) -> Hints {
        let all: HashSet<String> = self.names.iter().map(|name| plain(name)).collect();
        let has = |name: &str| all.contains(name);
        let column = self.name(Field::Severity).map(str::to_string);
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
