//! How the Sysmon stream of one host moves from record to record.
//!
//! Only rows of the hosts' own life count: standalone alerts, benign scenarios and chains are drawn one by
//! one, and their share of a corpus would decide every figure. So the figures are the same in any
//! composition. They have no value in a corpus without labels. The numbers of processes are those of all:
//! a host counts whatever starts.
//!
//! A stream is one host's records of one date, in the order of its log. Categories are in files of their
//! own, so a stream is whole only when all files are read. A sample of streams is kept in memory ([`Sample`]);
//! its size does not depend on the corpus.

mod moves;
mod record;
mod sample;

use std::collections::BTreeMap;

use crate::check::facts::{Facts, digest};
use crate::check::fields::{EventRow, Field as F};
use crate::check::windows::SYSMON;
use moves::Moves;
use record::Record;
use sample::Sample;

/// Records that are kept at most, of about 130 bytes each.
const KEPT: usize = 400_000;
/// A stream of fewer records has too few neighbours, births and parents to move like a host: recorded
/// windows have hundreds.
const LEAST: usize = 64;
const DAY: i64 = 86_400_000_000;

/// Streams of some files.
#[derive(Default)]
pub struct Stream {
    sample: Sample<Record>,
}

impl Stream {
    /// Reads one row.
    pub fn read(&mut self, facts: &Facts, row: &EventRow<'_>) {
        if row.text(F::Provider) != Some(SYSMON)
            || !row.is_own_life() && row.integer(F::EventId) != Some(1)
        {
            return;
        }
        let (Some(host), Some(time)) = (row.text(F::HostName), row.integer(F::Time)) else {
            return;
        };
        let stream = digest(&(host, time.div_euclid(DAY)));
        // All rows are at least the rows that would be kept.
        let is_followed =
            u128::from(stream) * u128::from(facts.manifest.events) < (KEPT as u128) << 64;
        if !is_followed || !self.sample.takes(stream) {
            return;
        }
        if let Some(record) = Record::read(facts, row) {
            self.sample.push(stream, record, KEPT);
        }
    }

    /// Adds the streams of later files.
    pub fn add(&mut self, other: Stream) {
        self.sample.add(other.sample, KEPT);
    }

    /// Measures every stream, and adds up what was counted.
    pub fn finish(self, values: &mut BTreeMap<&str, (u64, Option<f64>)>) {
        let mut moves = Moves::default();
        for mut records in self.sample.into_streams() {
            let own = records.iter().filter(|record| record.own).count();
            if own >= LEAST {
                records.sort_unstable_by_key(|record| record.place);
                moves.number(&records);
                records.retain(|record| record.own);
                moves.read(&records);
            }
        }
        moves.values(values);
    }
}
