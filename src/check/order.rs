//! The order of a process's records in the log of its host's own life.
//!
//! `UtcTime` cannot tell it: kinds from the kernel have the time of the last tick, so a library may seem
//! loaded before its process starts. Record ids count in the order in which Sysmon wrote.

use std::collections::HashMap;

use super::audits::{Audit as A, Tallies};
use super::facts::digest;
use super::fields::{EventRow, Field as F};
use super::records::Guid;
use super::windows::SYSMON;

/// A record's id, and its `event.sequence`.
type Place = (i64, i64);

/// Before and after every record.
const BEFORE: Place = (i64::MIN, -1);
const AFTER: Place = (i64::MAX, -1);

/// The records of a process. Numbers instead of options: there are millions of processes.
#[derive(Clone, Copy)]
struct Span {
    /// Record ids of the start and the end; the greatest number if they were not seen.
    start: i64,
    end: i64,
    /// The first record that is not the start.
    first: Place,
    /// The last record that is not the end.
    last: Place,
}

impl Span {
    const EMPTY: Span = Span {
        start: AFTER.0,
        end: AFTER.0,
        first: AFTER,
        last: BEFORE,
    };

    fn add(&mut self, other: Span) {
        self.start = self.start.min(other.start);
        self.end = self.end.min(other.end);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

/// Processes of some files, by ProcessGuid.
#[derive(Default)]
pub struct Order {
    processes: HashMap<u64, Span>,
}

impl Order {
    /// Reads one row.
    pub fn read(&mut self, row: &EventRow<'_>) {
        if !row.is_own_life() || row.text(F::Provider) != Some(SYSMON) {
            return;
        }
        let (Some(record), Some(sequence)) = (row.integer(F::RecordId), row.integer(F::Sequence))
        else {
            return;
        };
        let here = (record, sequence);
        let id = row.integer(F::EventId);
        for field in [F::ProcessGuid, F::SourceProcessGuid, F::ParentProcessGuid] {
            let Some(text) = row.text(field) else {
                continue;
            };
            if Guid::parse(text).is_none_or(Guid::is_zero) {
                continue;
            }
            let of_itself = field == F::ProcessGuid;
            let mut span = Span {
                first: here,
                last: here,
                ..Span::EMPTY
            };
            if of_itself && id == Some(1) {
                (span.start, span.first) = (record, AFTER);
            } else if of_itself && id == Some(5) {
                (span.end, span.last) = (record, BEFORE);
            }
            let process = self.processes.entry(digest(&text)).or_insert(Span::EMPTY);
            process.add(span);
        }
    }

    /// Adds the processes of other files.
    pub fn add(&mut self, other: Order) {
        for (process, span) in other.processes {
            self.processes
                .entry(process)
                .or_insert(Span::EMPTY)
                .add(span);
        }
    }

    /// Audits each process whose start or end was seen.
    pub fn finish(self, tallies: &mut Tallies) {
        let mut spans: Vec<Span> = self.processes.into_values().collect();
        spans.sort_by_key(|span| (span.start, span.end, span.first, span.last));
        for Span {
            start,
            end,
            first,
            last,
        } in spans
        {
            if start != AFTER.0 && first != AFTER {
                tallies.tried(A::TimeLogged, start <= first.0, || {
                    (
                        Some(first.1),
                        format!("no record before {start}, where the process starts"),
                        format!("record {}", first.0),
                    )
                });
            }
            if end != AFTER.0 && last != BEFORE {
                tallies.tried(A::TimeLogged, last.0 <= end, || {
                    (
                        Some(last.1),
                        format!("no record after {end}, where the process ends"),
                        format!("record {}", last.0),
                    )
                });
            }
        }
    }
}
