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
