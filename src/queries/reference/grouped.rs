//! Queries that group events once: their order does not matter.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::json;

use super::count::{Distinct, Groups, OnlyHost, Pairs, Span, Top, last};
use super::frame::{Frame, Texts, hash};
use super::{Evaluator, Facts, Table};

/// `q02`: events and alerts by hour of the day.
#[derive(Default)]
pub(super) struct TimeChart([(u64, u64); 24]);

impl Evaluator for TimeChart {
    fn add(&mut self, frame: &Frame) {
        let hour = |time: i64| (time.rem_euclid(86_400_000_000) / 3_600_000_000) as usize;
        for &time in &frame.times {
            self.0[hour(time)].0 += 1;
        }
        for &row in frame.alerts() {
            self.0[hour(frame.times[row])].1 += 1;
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let hours = self
            .0
            .iter()
            .enumerate()
            .filter(|(_, (events, _))| *events > 0);
        hours
            .map(|(hour, (events, alerts))| vec![json!(hour), json!(events), json!(alerts)])
            .collect()
    }
}

/// `q07`: alerts by category and severity.
#[derive(Default)]
pub(super) struct Severities(Groups<1, BTreeMap<Option<i64>, (u64, u64)>>);

impl Evaluator for Severities {
    fn add(&mut self, frame: &Frame) {
        for &row in frame.alerts() {
            let category = &frame.category;
            let group = self.0.at([category.id(row)], || [category.shown(row)]);
            let (alerts, failed) = group.entry(frame.severity(row)).or_default();
            *alerts += 1;
            *failed += u64::from(frame.failed(row));
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let mut top = Top::all();
        for ([category], severities) in self.0.into_groups() {
            for (severity, (alerts, failed)) in severities {
                let key = (last(&category), severity.is_none(), severity);
                top.add(key, || {
                    vec![
                        json!(category),
                        json!(severity),
                        json!(alerts),
                        json!(failed),
                    ]
                });
            }
        }
        top.rows()
    }
}

/// `q08`: distinct users, hosts, addresses and processes by day.
#[derive(Default)]
pub(super) struct DailyCardinality {
    day: String,
    sets: [Distinct; 4],
    rows: Table,
}

impl DailyCardinality {
    fn close(&mut self) {
        if !self.day.is_empty() {
            let counts = std::mem::take(&mut self.sets).map(|mut set| json!(set.count()));
            let day = json!(std::mem::take(&mut self.day));
            self.rows.push(std::iter::once(day).chain(counts).collect());
        }
    }
}

/// Adds what a frame has of each column. The sets of different columns are independent.
fn extend(sets: &mut [Distinct; 4], columns: [&Texts; 4]) {
    use rayon::prelude::*;
    (sets.par_iter_mut().zip(columns)).for_each(|(set, column)| set.extend(column.ids()));
}

impl Evaluator for DailyCardinality {
    fn add(&mut self, frame: &Frame) {
        if frame.day_text != self.day {
            self.close();
            self.day.clone_from(&frame.day_text);
        }
        let columns = [&frame.user, &frame.host, &frame.source_ip, &frame.process];
        extend(&mut self.sets, columns);
    }

    fn finish(mut self: Box<Self>, _: &Facts<'_>) -> Table {
        self.close();
        self.rows
    }
}

/// `q36`: distinct processes, files and addresses.
#[derive(Default)]
pub(super) struct Cardinality([Distinct; 4]);

impl Evaluator for Cardinality {
    fn add(&mut self, frame: &Frame) {
        let columns = [
            &frame.process,
            &frame.file,
            &frame.source_ip,
            &frame.destination_ip,
        ];
        extend(&mut self.0, columns);
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        vec![Vec::from(self.0.map(|mut set| json!(set.count())))]
    }
}

/// The SHA-256 in Sysmon's `SHA1=…,MD5=…,SHA256=…`.
fn sha256(hashes: &str) -> Option<&str> {
    let (_, rest) = hashes.split_once("SHA256=")?;
    Some(rest.get(..64).unwrap_or(rest))
}

/// First digits of hashes in each sample of `q44`, and one in how many hashes has them.
const SAMPLES: [(&str, usize); 3] = [("", 1), ("0", 16), ("00", 256)];

/// `q44`: distinct files by day, of all hashes and of samples.
#[derive(Default)]
pub(super) struct SampledDistinct {
    day: String,
    records: u64,
    sets: [Distinct; 3],
    rows: Table,
}

impl SampledDistinct {
    fn close(&mut self) {
        let records = std::mem::take(&mut self.records);
        let sets = std::mem::take(&mut self.sets);
        let day = json!(std::mem::take(&mut self.day));
        if records > 0 {
            let counts = sets.into_iter().zip(SAMPLES);
            let counts = counts.map(|(mut set, (_, times))| json!(times * set.count()));
            let head = [day, json!(records)];
            self.rows.push(head.into_iter().chain(counts).collect());
        }
    }
}

impl Evaluator for SampledDistinct {
    fn add(&mut self, frame: &Frame) {
        if frame.day_text != self.day {
            self.close();
            self.day.clone_from(&frame.day_text);
        }
        let is_asked = |hashes: &str| sha256(hashes).is_some();
        self.records += frame.hashes.rows(is_asked).len() as u64;
        let texts = frame.hashes.distinct();
        for (set, (digits, _)) in self.sets.iter_mut().zip(SAMPLES) {
            let hashes = texts.iter().filter_map(|text| sha256(text));
            let sample = hashes.filter(|hash| hash.starts_with(digits));
            set.extend(sample.map(hash));
        }
    }

    fn finish(mut self: Box<Self>, _: &Facts<'_>) -> Table {
        self.close();
        self.rows
    }
}

/// `q10`: failed logons by user.
#[derive(Default)]
pub(super) struct LogonFailures {
    users: Groups<1, [u64; 3]>,
    addresses: Pairs,
    hosts: Pairs,
}

impl Evaluator for LogonFailures {
    fn add(&mut self, frame: &Frame) {
        let codes = ["4625", "4771", "4776", "user_login", "user_auth"];
        for row in frame.code.rows(|code| codes.contains(&code)) {
            if frame.failed(row) {
                let user = [frame.user.id(row)];
                let [failures, addresses, hosts] = self.users.at(user, || [frame.user.shown(row)]);
                *failures += 1;
                *addresses += self.addresses.is_new(&user, frame.source_ip.id(row));
                *hosts += self.hosts.is_new(&user, frame.host.id(row));
            }
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let mut top = Top::new(25);
        for ([user], [failures, addresses, hosts]) in self.users.into_groups() {
            top.add((Reverse(failures), last(&user)), || {
                vec![json!(user), json!(failures), json!(addresses), json!(hosts)]
            });
        }
        top.rows_with_groups()
    }
}

/// `q11`: programs that ran on one host only.
#[derive(Default)]
pub(super) struct RarePrograms(Groups<1, (OnlyHost, u64, Span)>);

impl Evaluator for RarePrograms {
    fn add(&mut self, frame: &Frame) {
        for row in frame.code.rows(|code| matches!(code, "1" | "4688")) {
            let program = &frame.executable;
            if program.is_null(row) {
                continue;
            }
            let group = self.0.at([program.id(row)], || [program.shown(row)]);
            group.0.add(frame.host.id(row), || frame.host.shown(row));
            group.1 += 1;
            group.2.add(frame.times[row]);
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let mut top = Top::new(100);
        for ([program], (host, starts, span)) in self.0.into_groups() {
            if let Some(host) = host.get() {
                top.add((Reverse(starts), last(&program)), || {
                    vec![
                        json!(program),
                        json!(host),
                        json!(starts),
                        json!(span.first),
                    ]
                });
            }
        }
        top.rows_with_groups()
    }
}

/// `q12`: children of some programs that one host has.
#[derive(Default)]
pub(super) struct OddChildren(Groups<2, (OnlyHost, u64)>);

/// The parents that `q12` asks for.
const PARENTS: [&str; 16] = [
    "winword.exe",
    "excel.exe",
    "outlook.exe",
    "powerpnt.exe",
    "chrome.exe",
    "msedge.exe",
    "firefox.exe",
    "w3wp.exe",
    "services.exe",
    "wmiprvse.exe",
    "wsmprovhost.exe",
    "psexesvc.exe",
    "sqlservr.exe",
    "tomcat9.exe",
    "httpd.exe",
    "explorer.exe",
];

impl Evaluator for OddChildren {
    fn add(&mut self, frame: &Frame) {
        let is_asked = |name: &str| PARENTS.contains(&name.to_lowercase().as_str());
        for row in frame.parent_name.rows(is_asked) {
            if !frame.is_start(row) {
                continue;
            }
            let lower = |texts: &Texts| texts.text(row).map(str::to_lowercase);
            let names = [lower(&frame.parent_name), lower(&frame.process_name)];
            let ids = [&names[0], &names[1]].map(|name| name.as_deref().map_or(0, hash));
            let group = self.0.at(ids, || names.map(|name| name.map(Box::from)));
            group.0.add(frame.host.id(row), || frame.host.shown(row));
            group.1 += 1;
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let mut top = Top::new(100);
        for ([parent, child], (host, starts)) in self.0.into_groups() {
            if let Some(host) = host.get() {
                top.add((last(&parent), last(&child)), || {
                    vec![json!(parent), json!(child), json!(host), json!(starts)]
                });
            }
        }
        top.rows_with_groups()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::types::Int32Type;
    use arrow_array::{
        Array, ArrayRef, Date32Array, DictionaryArray, RecordBatch, StringArray, StructArray,
    };

    use super::*;

    /// A frame of a day whose events have these hashes, with one entry of the dictionary for each row.
    fn frame(day: i32, hashes: &[Option<&str>]) -> Frame {
        let keys = (0..hashes.len() as i32).map(|at| hashes[at as usize].map(|_| at));
        let texts: StringArray = hashes.iter().copied().collect();
        let keyed: DictionaryArray<Int32Type> =
            DictionaryArray::new(keys.collect(), Arc::new(texts));
        let within = |name: &str, array: ArrayRef| -> ArrayRef {
            let field = arrow_schema::Field::new(name, array.data_type().clone(), true);
            Arc::new(StructArray::from(vec![(Arc::new(field), array)]))
        };
        let winlog = within("event_data", within("Hashes", Arc::new(keyed)));
        let dates: ArrayRef = Arc::new(Date32Array::from(vec![day; hashes.len()]));
        let batch = RecordBatch::try_from_iter([("date", dates), ("winlog", winlog)]).unwrap();
        Frame::new(&batch, Arc::default())
    }

    #[test]
    fn samples_are_hashes_with_the_first_digits() {
        let text = |first: &str| format!("SHA1=00,SHA256={first:F<64},IMPHASH=00");
        let [a, b, c, d] = ["00", "0", "7", "01"].map(text);
        let mut one = Box::<SampledDistinct>::default();
        let texts = [
            Some(a.as_str()),
            Some(&b),
            Some(&c),
            None,
            Some("MD5=0"),
            Some(&c),
        ];
        one.add(&frame(0, &texts));
        one.add(&frame(0, &[Some(&a), Some(&d)]));
        // A day without hashes has no row.
        one.add(&frame(1, &[None]));
        one.add(&frame(2, &[Some(&c)]));
        let assets = super::super::Assets::default();
        let chains = super::super::ChainRows::default();
        let facts = Facts {
            chains: &chains,
            assets,
        };
        let rows = (one as Box<dyn Evaluator>).finish(&facts);
        let expected = [
            vec![
                json!("1970-01-01"),
                json!(6),
                json!(4),
                json!(48),
                json!(256),
            ],
            vec![json!("1970-01-03"), json!(1), json!(1), json!(0), json!(0)],
        ];
        assert_eq!(rows, expected);
    }
}
