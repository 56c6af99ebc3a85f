//! Queries that search texts or rare records, and group what they find.

use std::cmp::Reverse;

use serde_json::json;

use super::count::{Groups, Pairs, Span, Top, last};
use super::frame::Frame;
use super::{Evaluator, Facts, Table};

/// `q13`: encoded, hidden or downloading PowerShell by host and user.
#[derive(Default)]
pub(super) struct EncodedCommands(Groups<2, ([u64; 4], Span)>);

impl Evaluator for EncodedCommands {
    fn add(&mut self, frame: &Frame) {
        let is_asked = |command: &str| command.to_lowercase().contains("powershell");
        for row in frame.command_line.rows(is_asked) {
            if !matches!(frame.code.text(row), Some("1" | "4688")) {
                continue;
            }
            let command = frame
                .command_line
                .text(row)
                .unwrap_or_default()
                .to_lowercase();
            let found = [" -enc", " hidden", "http"].map(|word| command.contains(word));
            if found.contains(&true) {
                let ids = [frame.host.id(row), frame.user.id(row)];
                let shown = || [frame.host.shown(row), frame.user.shown(row)];
                let (counts, span) = self.0.at(ids, shown);
                counts[0] += 1;
                for (count, found) in counts[1..].iter_mut().zip(found) {
                    *count += u64::from(found);
                }
                span.add(frame.times[row]);
            }
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let mut top = Top::new(50);
        for ([host, user], (counts, span)) in self.0.into_groups() {
            top.add((Reverse(counts[0]), last(&host), last(&user)), || {
                let mut row = vec![json!(host), json!(user)];
                row.extend(counts.map(|count| json!(count)));
                row.push(json!(span.first));
                row
            });
        }
        top.rows_with_groups()
    }
}

/// `q14`: names that hosts look up.
#[derive(Default)]
pub(super) struct DnsFanOut {
    hosts: Groups<1, [u64; 3]>,
    names: Pairs,
    missing: Pairs,
}

impl Evaluator for DnsFanOut {
    fn add(&mut self, frame: &Frame) {
        for row in 0..frame.rows {
            let name = frame.question.id(row);
            if frame.question.is_null(row) {
                continue;
            }
            let host = [frame.host.id(row)];
            let [lookups, names, missing] = self.hosts.at(host, || [frame.host.shown(row)]);
            *lookups += 1;
            *names += self.names.is_new(&host, name);
            if frame.response.text(row) == Some("NXDOMAIN") {
                *missing += self.missing.is_new(&host, name);
            }
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let mut top = Top::new(50);
        for ([host], [lookups, names, missing]) in self.hosts.into_groups() {
            top.add((Reverse(missing), Reverse(lookups), last(&host)), || {
                vec![json!(host), json!(lookups), json!(names), json!(missing)]
            });
        }
        top.rows_with_groups()
    }
}

/// `q22`: programs that open lsass.
#[derive(Default)]
pub(super) struct LsassAccess {
    programs: Groups<2, (u64, u64, Span)>,
    hosts: Pairs,
}

impl Evaluator for LsassAccess {
    fn add(&mut self, frame: &Frame) {
        for row in frame.code.rows(|code| code == "10") {
            let target = frame.target_image.text(row);
            if !target.is_some_and(|image| image.to_lowercase().ends_with("lsass.exe")) {
                continue;
            }
            let (image, access) = (&frame.source_image, &frame.access);
            let ids = [image.id(row), access.id(row)];
            let shown = || [image.shown(row), access.shown(row)];
            let (accesses, hosts, span) = self.programs.at(ids, shown);
            *accesses += 1;
            *hosts += self.hosts.is_new(&ids, frame.host.id(row));
            span.add(frame.times[row]);
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let mut top = Top::new(50);
        for ([image, access], (accesses, hosts, span)) in self.programs.into_groups() {
            top.add((hosts, accesses, last(&image), last(&access)), || {
                vec![
                    json!(image),
                    json!(access),
                    json!(accesses),
                    json!(hosts),
                    json!(span.first),
                ]
            });
        }
        top.rows_with_groups()
    }
}

/// `q28`: refused calls of clouds and services.
#[derive(Default)]
pub(super) struct CloudDenials {
    users: Groups<2, [u64; 4]>,
    operations: Pairs,
    addresses: Pairs,
}

impl Evaluator for CloudDenials {
    fn add(&mut self, frame: &Frame) {
        for row in frame.operation.rows(|_| true) {
            let ids = [frame.dataset.id(row), frame.user.id(row)];
            let shown = || [frame.dataset.shown(row), frame.user.shown(row)];
            let [calls, refused, operations, addresses] = self.users.at(ids, shown);
            *calls += 1;
            if frame.failed(row) {
                *refused += 1;
                *operations += self.operations.is_new(&ids, frame.operation.id(row));
            }
            *addresses += self.addresses.is_new(&ids, frame.source_ip.id(row));
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let mut top = Top::new(50);
        for ([dataset, user], counts) in self.users.into_groups() {
            let [calls, refused, ..] = counts;
            let key = (
                Reverse(refused),
                Reverse(calls),
                last(&dataset),
                last(&user),
            );
            top.add(key, || {
                let texts = [json!(dataset), json!(user)];
                texts
                    .into_iter()
                    .chain(counts.map(|count| json!(count)))
                    .collect()
            });
        }
        top.rows_with_groups()
    }
}

/// `q35`: hosts that log POST requests.
#[derive(Default)]
pub(super) struct TextSearch(Groups<1, (u64, Span)>);

impl Evaluator for TextSearch {
    fn add(&mut self, frame: &Frame) {
        for row in frame.message.rows(|message| message.contains("POST ")) {
            let (lines, span) = (self.0).at([frame.host.id(row)], || [frame.host.shown(row)]);
            *lines += 1;
            span.add(frame.times[row]);
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let mut top = Top::new(50);
        for ([host], (lines, span)) in self.0.into_groups() {
            top.add((Reverse(lines), last(&host)), || {
                vec![
                    json!(host),
                    json!(lines),
                    json!(span.first),
                    json!(span.last),
                ]
            });
        }
        top.rows_with_groups()
    }
}
