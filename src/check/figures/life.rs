//! Shares of event kinds in ordinary Windows activity, as a sensor with a usual configuration
//! records it.

use std::collections::BTreeMap;

use crate::check::fields::{EventRow, Field as F};

/// Kinds with a figure, and their Sysmon and Security event ids.
const KINDS: [(&str, &[i64]); 6] = [
    ("life.starts", &[1, 4688]),
    ("life.ends", &[5, 4689]),
    ("life.connections", &[3, 5156, 5157]),
    ("life.dns", &[22]),
    ("life.files", &[2, 11, 15, 23, 26]),
    ("life.registry", &[12, 13, 14]),
];

/// Number of rows of Windows noise without alerts: total, and by kind.
#[derive(Default)]
pub struct Life {
    rows: u64,
    kinds: [u64; KINDS.len()],
}

impl Life {
    /// Reads a row of noise.
    pub fn read(&mut self, row: &EventRow<'_>) {
        let Some(event) = row.integer(F::EventId) else {
            return;
        };
        if row.has(F::RuleName) {
            return;
        }
        self.rows += 1;
        if let Some(kind) = KINDS.iter().position(|(_, ids)| ids.contains(&event)) {
            self.kinds[kind] += 1;
        }
    }

    /// Adds the counts of later files.
    pub fn add(&mut self, other: &Life) {
        self.rows += other.rows;
        (self.kinds.iter_mut().zip(other.kinds)).for_each(|(mine, theirs)| *mine += theirs);
    }

    /// The share of each kind.
    pub fn shares(&self, values: &mut BTreeMap<&str, (u64, Option<f64>)>) {
        for ((name, _), rows) in KINDS.iter().zip(self.kinds) {
            let share = (self.rows > 0).then(|| rows as f64 / self.rows as f64);
            values.insert(name, (self.rows, share));
        }
    }
}
