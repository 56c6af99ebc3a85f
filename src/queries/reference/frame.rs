//! A batch of events as evaluators read it: columns by name, texts with their hashes.
//!
//! Evaluators compare and count texts by 64-bit hashes, so that a distinct count of many values is
//! one of integers. Two of `n` texts share a hash with a probability of about n² ÷ 2⁶⁵: 3 in a million
//! for 10M texts.

use std::sync::{Arc, OnceLock};

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch};
use foldhash::quality::FixedState;

use super::count::{NULL, Shown};
use super::joined::Joined;
use crate::queries::columns::{self, Integers};
use crate::schema::leaf;

/// Of a text; never [`NULL`].
pub(super) fn hash(text: &str) -> u64 {
    use std::hash::BuildHasher as _;
    FixedState::default().hash_one(text).max(1)
}

/// The texts of a column, and their hashes.
pub(super) struct Texts {
    values: columns::Texts,
    /// By key of a dictionary, or by row; made when an evaluator asks first.
    hashes: OnceLock<Vec<u64>>,
}

impl Texts {
    fn of(array: Option<&ArrayRef>) -> Self {
        Texts {
            values: columns::Texts::of(array),
            hashes: OnceLock::new(),
        }
    }

    pub fn text(&self, row: usize) -> Option<&str> {
        self.values.text(row)
    }

    pub fn is_null(&self, row: usize) -> bool {
        self.values.at(row).is_none()
    }

    pub fn shown(&self, row: usize) -> Shown {
        self.text(row).map(Box::from)
    }

    fn hashes(&self) -> &[u64] {
        self.hashes.get_or_init(|| match &self.values {
            columns::Texts::Absent => Vec::new(),
            columns::Texts::Keyed(keys, texts) => {
                let mut hashes = vec![NULL; texts.len()];
                for key in keys.iter().flatten().map(|key| key as usize) {
                    if hashes[key] == NULL {
                        hashes[key] = hash(texts.value(key));
                    }
                }
                hashes
            }
            columns::Texts::Plain(texts) => {
                (texts.iter()).map(|text| text.map_or(NULL, hash)).collect()
            }
        })
    }

    /// The hash of a row's text; [`NULL`] for none.
    pub fn id(&self, row: usize) -> u64 {
        self.values.at(row).map_or(NULL, |at| self.hashes()[at])
    }

    /// The hashes of the texts that the rows have, those of a dictionary once.
    pub fn ids(&self) -> impl Iterator<Item = u64> + '_ {
        self.hashes().iter().copied().filter(|&id| id != NULL)
    }

    /// The texts that the rows have, those of a dictionary once.
    pub fn distinct(&self) -> Vec<&str> {
        match &self.values {
            columns::Texts::Absent => Vec::new(),
            columns::Texts::Plain(texts) => texts.iter().flatten().collect(),
            columns::Texts::Keyed(keys, texts) => {
                let mut is_used = vec![false; texts.len()];
                for key in keys.iter().flatten() {
                    is_used[key as usize] = true;
                }
                let used = is_used.iter().enumerate().filter(|(_, is_used)| **is_used);
                used.map(|(key, _)| texts.value(key)).collect()
            }
        }
    }

    /// The rows whose text passes a test. Each text of a dictionary is tested once.
    pub fn rows(&self, test: impl Fn(&str) -> bool) -> Vec<usize> {
        match &self.values {
            columns::Texts::Absent => Vec::new(),
            columns::Texts::Plain(texts) => (texts.iter().enumerate())
                .filter_map(|(row, text)| text.is_some_and(&test).then_some(row))
                .collect(),
            columns::Texts::Keyed(keys, texts) => {
                let mut passes: Vec<Option<bool>> = vec![None; texts.len()];
                let passing = keys.iter().enumerate().filter_map(|(row, key)| {
                    let key = key? as usize;
                    let passed = *passes[key].get_or_insert_with(|| test(texts.value(key)));
                    passed.then_some(row)
                });
                passing.collect()
            }
        }
    }
}

/// The lists of texts of a column.
pub(super) struct Lists(Option<(ListArray, Texts)>);

impl Lists {
    fn of(array: Option<&ArrayRef>) -> Self {
        let lists = array.and_then(|a| a.as_list_opt::<i32>().cloned());
        Lists(lists.map(|lists| {
            let items = Texts::of(Some(lists.values()));
            (lists, items)
        }))
    }

    /// The items of all rows, and where each row's are.
    pub fn items(&self) -> Option<&Texts> {
        self.0.as_ref().map(|(_, items)| items)
    }

    /// The positions of a row's items.
    pub fn of_row(&self, row: usize) -> std::ops::Range<usize> {
        match &self.0 {
            Some((lists, _)) if lists.is_valid(row) => {
                let ends = lists.value_offsets();
                ends[row] as usize..ends[row + 1] as usize
            }
            _ => 0..0,
        }
    }
}

/// A frame of events in order of time, all of one date. Columns that no evaluator asked for are
/// null.
pub(super) struct Frame {
    pub rows: usize,
    /// Days since 1970.
    pub day: i32,
    /// The date as text, as the view `events` has it.
    pub day_text: String,
    /// Unix microseconds, rising.
    pub times: Vec<i64>,
    pub joined: Arc<Joined>,
    pub sequence: Integers,
    pub category: Texts,
    pub kind: Texts,
    pub outcome: Texts,
    pub code: Texts,
    pub provider: Texts,
    pub action: Texts,
    pub source_ip: Texts,
    pub source_bytes: Integers,
    pub destination_ip: Texts,
    pub destination_port: Integers,
    pub direction: Texts,
    pub user: Texts,
    pub email: Texts,
    pub host: Texts,
    pub process: Texts,
    pub process_name: Texts,
    pub executable: Texts,
    pub command_line: Texts,
    pub parent: Texts,
    pub parent_name: Texts,
    pub question: Texts,
    pub response: Texts,
    pub answers: Lists,
    pub file: Texts,
    pub message: Texts,
    pub rule: Texts,
    pub techniques: Lists,
    pub dataset: Texts,
    pub operation: Texts,
    pub source_image: Texts,
    pub target_image: Texts,
    pub access: Texts,
    pub hashes: Texts,
    pub logon_type: Texts,
    severity_word: Texts,
    severity_number: Integers,
    alerts: OnceLock<Vec<usize>>,
    outbound: OnceLock<Vec<usize>>,
}

impl Frame {
    /// A batch with partition columns.
    pub fn new(batch: &RecordBatch, joined: Arc<Joined>) -> Self {
        let column = |path: &str| leaf(batch, path);
        let texts = |path: &str| Texts::of(column(path));
        let times =
            column("@timestamp").and_then(|a| a.as_primitive_opt::<TimestampMicrosecondType>());
        let day = day_of(batch);
        let data = |name: &str| texts(&format!("winlog.event_data.{name}"));
        Frame {
            rows: batch.num_rows(),
            day,
            day_text: date(day).map_or_else(String::new, |date| date.to_string()),
            times: times.map_or_else(Vec::new, |times| times.values().to_vec()),
            joined,
            sequence: Integers::of(column("event.sequence")),
            category: texts("category"),
            kind: texts("event.kind"),
            outcome: texts("event.outcome"),
            code: texts("event.code"),
            provider: texts("event.provider"),
            action: texts("event.action"),
            source_ip: texts("source.ip"),
            source_bytes: Integers::of(column("source.bytes")),
            destination_ip: texts("destination.ip"),
            destination_port: Integers::of(column("destination.port")),
            direction: texts("network.direction"),
            user: texts("user.name"),
            email: texts("user.email"),
            host: texts("host.name"),
            process: texts("process.entity_id"),
            process_name: texts("process.name"),
            executable: texts("process.executable"),
            command_line: texts("process.command_line"),
            parent: texts("process.parent.entity_id"),
            parent_name: texts("process.parent.name"),
            question: texts("dns.question.name"),
            response: texts("dns.response_code"),
            answers: Lists::of(column("dns.resolved_ip")),
            file: texts("file.path"),
            message: texts("message"),
            rule: texts("rule.name"),
            techniques: Lists::of(column("threat.technique.id")),
            dataset: texts("fusionai.cloud.dataset"),
            operation: texts("fusionai.cloud.event_name"),
            source_image: data("SourceImage"),
            target_image: data("TargetImage"),
            access: data("GrantedAccess"),
            hashes: data("Hashes"),
            logon_type: data("LogonType"),
            severity_word: texts("event.severity"),
            severity_number: Integers::of(column("event.severity")),
            alerts: OnceLock::new(),
            outbound: OnceLock::new(),
        }
    }

    /// The column `severity` of the view `events`: 1 (low) to 4 (critical).
    pub fn severity(&self, row: usize) -> Option<i64> {
        if let Some(number) = self.severity_number.get(row) {
            return Some(match number {
                99.. => 4,
                73.. => 3,
                47.. => 2,
                _ => 1,
            });
        }
        match self.severity_word.text(row)? {
            "low" => Some(1),
            "medium" => Some(2),
            "high" => Some(3),
            "critical" => Some(4),
            _ => None,
        }
    }

    /// The rows with `event_kind = 'alert'`.
    pub fn alerts(&self) -> &[usize] {
        self.alerts
            .get_or_init(|| self.kind.rows(|kind| kind == "alert"))
    }

    /// The rows with `network_direction = 'outbound'`.
    pub fn outbound(&self) -> &[usize] {
        self.outbound
            .get_or_init(|| self.direction.rows(|direction| direction == "outbound"))
    }

    /// Whether a row is a process start of Sysmon.
    pub fn is_start(&self, row: usize) -> bool {
        self.code.text(row) == Some("1") && self.is_sysmon(row)
    }

    pub fn is_sysmon(&self, row: usize) -> bool {
        self.provider.text(row) == Some("Microsoft-Windows-Sysmon")
    }

    pub fn failed(&self, row: usize) -> bool {
        self.outcome.text(row) == Some("failure")
    }

    pub fn sequence(&self, row: usize) -> i64 {
        self.sequence.get(row).unwrap_or_default()
    }
}

/// The date of a batch with partition columns, in days since 1970.
pub(super) fn day_of(batch: &RecordBatch) -> i32 {
    let dates = batch.column_by_name("date");
    let dates = dates.and_then(|a| a.as_primitive_opt::<Date32Type>());
    dates
        .filter(|dates| !dates.is_empty())
        .map_or(0, |dates| dates.value(0))
}

/// A date from days since 1970.
pub(super) fn date(day: i32) -> Option<chrono::NaiveDate> {
    chrono::NaiveDate::from_epoch_days(day)
}
