//! Queries that show the first events of an order, with their columns.

use std::ops::RangeInclusive;

use serde_json::{Value as Json, json};

use super::frame::{Frame, hash};
use super::{Evaluator, Facts, Table};

/// The first rows by time and sequence, of rows that come in order of time.
struct Page {
    most: usize,
    rows: Vec<((i64, i64), Vec<Json>)>,
    seen: u64,
}

impl Page {
    fn new(most: usize) -> Self {
        Page {
            most,
            rows: Vec::new(),
            seen: 0,
        }
    }

    fn add(&mut self, frame: &Frame, row: usize, columns: impl FnOnce() -> Vec<Json>) {
        self.seen += 1;
        let key = (frame.times[row], frame.sequence(row));
        // Rows of the same time are in any order.
        if self.rows.len() < self.most || self.rows.last().is_some_and(|(k, _)| k.0 == key.0) {
            self.rows.push((key, columns()));
        }
    }

    /// The rows: time, sequence, and their columns.
    fn rows(mut self) -> impl Iterator<Item = Vec<Json>> {
        self.rows.sort_unstable_by_key(|(key, _)| *key);
        self.rows.truncate(self.most);
        self.rows.into_iter().map(|((time, sequence), columns)| {
            let place = [json!(time), json!(sequence)];
            place.into_iter().chain(columns).collect()
        })
    }
}

/// `q30`: what a user did during an attack.
pub(super) struct UserTimeline {
    days: RangeInclusive<i32>,
    times: RangeInclusive<i64>,
    account: u64,
    page: Page,
}

impl UserTimeline {
    pub fn new(days: RangeInclusive<i32>, times: RangeInclusive<i64>, account: &str) -> Self {
        UserTimeline {
            days,
            times,
            account: hash(account),
            page: Page::new(200),
        }
    }
}

impl Evaluator for UserTimeline {
    fn add(&mut self, frame: &Frame) {
        if !self.days.contains(&frame.day) {
            return;
        }
        for row in 0..frame.rows {
            if self.times.contains(&frame.times[row]) && frame.user.id(row) == self.account {
                self.page.add(frame, row, || {
                    let columns = [
                        &frame.category,
                        &frame.action,
                        &frame.outcome,
                        &frame.host,
                        &frame.process_name,
                        &frame.source_ip,
                        &frame.destination_ip,
                        &frame.file,
                    ];
                    columns.map(|column| json!(column.text(row))).to_vec()
                });
            }
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let seen = self.page.seen;
        let with_groups = |mut row: Vec<Json>| {
            row.push(json!(seen));
            row
        };
        self.page.rows().map(with_groups).collect()
    }
}

/// `q32`: what a process did.
pub(super) struct ProcessLookup {
    process: u64,
    page: Page,
}

impl ProcessLookup {
    pub fn new(process: &str) -> Self {
        ProcessLookup {
            process: hash(process),
            page: Page::new(100),
        }
    }
}

impl Evaluator for ProcessLookup {
    fn add(&mut self, frame: &Frame) {
        for row in (0..frame.rows).filter(|&row| frame.process.id(row) == self.process) {
            self.page.add(frame, row, || {
                let columns = [
                    &frame.category,
                    &frame.action,
                    &frame.process_name,
                    &frame.file,
                    &frame.destination_ip,
                    &frame.question,
                ];
                columns.map(|column| json!(column.text(row))).to_vec()
            });
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        self.page.rows().collect()
    }
}

/// `q34`: the first events of a host on a day, with all columns. The pass only finds their places.
pub(super) struct WidePage {
    day: String,
    host: u64,
    page: Page,
}

impl WidePage {
    pub fn new(day: &str, host: &str) -> Self {
        WidePage {
            day: day.to_string(),
            host: hash(host),
            page: Page::new(50),
        }
    }
}

impl Evaluator for WidePage {
    fn add(&mut self, frame: &Frame) {
        if frame.day_text == self.day {
            for row in (0..frame.rows).filter(|&row| frame.host.id(row) == self.host) {
                self.page.add(frame, row, Vec::new);
            }
        }
    }

    /// The places of the rows: time and sequence.
    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        self.page.rows().collect()
    }
}
