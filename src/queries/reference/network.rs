//! Queries over traffic.

use std::cmp::Reverse;

use hashbrown::hash_map::Entry;
use serde_json::json;

use super::count::{Groups, Pairs, Sharded, Shown, Span, Top, last, together};
use super::frame::{Frame, hash};
use super::{Evaluator, Facts, Table};

/// Events, hosts and times by category.
type Places = Groups<1, (u64, u64, Span)>;

/// `q03`: where an address occurs.
pub(super) struct AddressPivot {
    address: u64,
    /// For each part that the address can play.
    roles: [(&'static str, Places); 3],
    hosts: Pairs,
}

impl AddressPivot {
    pub fn new(address: &str) -> Self {
        AddressPivot {
            address: hash(address),
            roles: ["answer", "destination", "source"].map(|role| (role, Groups::default())),
            hosts: Pairs::default(),
        }
    }

    fn count(&mut self, role: usize, frame: &Frame, row: usize) {
        let category = &frame.category;
        let groups = &mut self.roles[role].1;
        let (events, hosts, span) = groups.at([category.id(row)], || [category.shown(row)]);
        *events += 1;
        let group = [role as u64, category.id(row)];
        *hosts += self.hosts.is_new(&group, frame.host.id(row));
        span.add(frame.times[row]);
    }
}

impl Evaluator for AddressPivot {
    fn add(&mut self, frame: &Frame) {
        for row in 0..frame.rows {
            if frame.source_ip.id(row) == self.address {
                self.count(2, frame, row);
            }
            if frame.destination_ip.id(row) == self.address {
                self.count(1, frame, row);
            }
            if let Some(items) = frame.answers.items() {
                for item in frame.answers.of_row(row) {
                    if items.id(item) == self.address {
                        self.count(0, frame, row);
                    }
                }
            }
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let mut top = Top::all();
        for (role, groups) in self.roles {
            for ([category], (events, hosts, span)) in groups.into_groups() {
                top.add((role, last(&category)), || {
                    let (first, last) = (json!(span.first), json!(span.last));
                    vec![
                        json!(role),
                        json!(category),
                        json!(events),
                        json!(hosts),
                        first,
                        last,
                    ]
                });
            }
        }
        top.rows()
    }
}

/// Rows that send bytes out of the network, and how many.
fn sent(frame: &Frame) -> impl Iterator<Item = (usize, i64)> + '_ {
    let rows = frame.outbound().iter();
    rows.filter(|&&row| !frame.host.is_null(row))
        .filter_map(|&row| Some((row, frame.source_bytes.get(row).filter(|&bytes| bytes > 0)?)))
}

/// `q09`: hosts that send most.
#[derive(Default)]
pub(super) struct TopTalkers {
    hosts: Groups<1, (u64, i64, u64)>,
    peers: Pairs,
}

impl Evaluator for TopTalkers {
    fn add(&mut self, frame: &Frame) {
        for (row, sent) in sent(frame) {
            let host = [frame.host.id(row)];
            let (flows, bytes, peers) = self.hosts.at(host, || [frame.host.shown(row)]);
            *flows += 1;
            *bytes += sent;
            *peers += self.peers.is_new(&host, frame.destination_ip.id(row));
        }
    }

    fn finish(self: Box<Self>, facts: &Facts<'_>) -> Table {
        let mut top = Top::new(25);
        for ([host], (flows, bytes, peers)) in self.hosts.into_groups() {
            // An outer join: a host that the inventory lacks has one row of nulls.
            let known = host
                .as_deref()
                .map_or(&[][..], |host| facts.assets.of(host));
            let assets = known
                .iter()
                .map(Some)
                .chain(known.is_empty().then_some(None));
            for asset in assets {
                top.add((Reverse(bytes), last(&host)), || {
                    vec![
                        json!(host),
                        json!(asset.map(|a| &a.asset_type)),
                        json!(asset.map(|a| &a.criticality)),
                        json!(asset.map(|a| &a.owner)),
                        json!(flows),
                        json!(bytes),
                        json!(peers),
                    ]
                });
            }
        }
        top.rows_with_groups()
    }
}

/// `q16`: hosts that sent more on one day than twice of all other days.
#[derive(Default)]
pub(super) struct Exfiltration(Groups<1, Vec<(String, i64)>>);

impl Evaluator for Exfiltration {
    fn add(&mut self, frame: &Frame) {
        for (row, sent) in sent(frame) {
            let days = (self.0).at([frame.host.id(row)], || [frame.host.shown(row)]);
            // Frames come in order of time.
            match days.last_mut() {
                Some((day, bytes)) if *day == frame.day_text => *bytes += sent,
                _ => days.push((frame.day_text.clone(), sent)),
            }
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let mut top = Top::new(50);
        for ([host], days) in self.0.into_groups() {
            let all: i64 = days.iter().map(|(_, bytes)| bytes).sum();
            for (day, bytes) in days {
                let others = all - bytes;
                if bytes > 2 * others {
                    top.add((Reverse(bytes), last(&host), day.clone()), || {
                        vec![json!(host), json!(day), json!(bytes), json!(others)]
                    });
                }
            }
        }
        top.rows_with_groups()
    }
}

/// Calls of one program to one address, from the second on.
struct Calls {
    before: i64,
    gaps: u64,
    least: i64,
    most: i64,
    /// Host, program and address, from the third gap on: most groups never have one.
    shown: Option<Box<[Shown; 3]>>,
}

/// `q15`: calls at an even pace.
#[derive(Default)]
pub(super) struct Beacons {
    /// Times of the only call of a group, by the hash of host, program and address. Most groups are
    /// here, so they take little memory.
    once: Sharded<i64>,
    again: Sharded<Calls>,
}

impl Beacons {
    fn call(&mut self, group: u64, time: i64, shown: impl FnOnce() -> [Shown; 3]) {
        let calls = match self.again.of(group).entry(group) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => match self.once.of(group).remove(&group) {
                None => {
                    self.once.of(group).insert(group, time);
                    return;
                }
                Some(before) => entry.insert(Calls {
                    before,
                    gaps: 0,
                    least: i64::MAX,
                    most: 0,
                    shown: None,
                }),
            },
        };
        let gap = time - calls.before;
        calls.before = time;
        if gap >= 1_000_000 {
            calls.gaps += 1;
            calls.least = calls.least.min(gap);
            calls.most = calls.most.max(gap);
            if calls.gaps >= 3 && calls.shown.is_none() {
                calls.shown = Some(Box::new(shown()));
            }
        }
    }
}

impl Evaluator for Beacons {
    fn add(&mut self, frame: &Frame) {
        for &row in frame.outbound() {
            if frame.executable.is_null(row) {
                continue;
            }
            let columns = [&frame.host, &frame.executable, &frame.destination_ip];
            let group = together(&columns.map(|column| column.id(row)));
            self.call(group, frame.times[row], || {
                columns.map(|column| column.shown(row))
            });
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let mut top = Top::new(50);
        for calls in self.again.into_values() {
            let Some(shown) = calls.shown.filter(|_| calls.most <= 4 * calls.least) else {
                continue;
            };
            let [host, program, address] = *shown;
            let key = (
                Reverse(calls.gaps),
                last(&host),
                last(&program),
                last(&address),
            );
            top.add(key, || {
                vec![
                    json!(host),
                    json!(program),
                    json!(address),
                    json!(calls.gaps),
                    json!(calls.least),
                    json!(calls.most),
                ]
            });
        }
        top.rows_with_groups()
    }
}

/// `q21`: addresses that touch many ports or hosts within five minutes.
pub(super) struct PortScans {
    /// Where the open window begins, Unix microseconds.
    window: i64,
    sources: Groups<1, [u64; 3]>,
    ports: Pairs,
    peers: Pairs,
    top: Top<ScanKey>,
}

type ScanKey = (Reverse<[u64; 3]>, super::count::Last, i64);

/// Length of a window, in microseconds.
const WINDOW: i64 = 300_000_000;

impl Default for PortScans {
    fn default() -> Self {
        PortScans {
            window: 0,
            sources: Groups::default(),
            ports: Pairs::default(),
            peers: Pairs::default(),
            top: Top::new(50),
        }
    }
}

impl PortScans {
    fn close(&mut self) {
        let window = self.window;
        for ([source], [flows, ports, peers]) in self.sources.drain() {
            if ports >= 3 || peers >= 3 {
                let key = (Reverse([ports, peers, flows]), last(&source), window);
                self.top.add(key, || {
                    vec![
                        json!(source),
                        json!(window),
                        json!(flows),
                        json!(ports),
                        json!(peers),
                    ]
                });
            }
        }
        self.ports.clear();
        self.peers.clear();
    }
}

impl Evaluator for PortScans {
    fn add(&mut self, frame: &Frame) {
        for row in 0..frame.rows {
            let Some(port) = frame.destination_port.get(row) else {
                continue;
            };
            if frame.source_ip.is_null(row) {
                continue;
            }
            let time = frame.times[row];
            if time - time % WINDOW != self.window {
                self.close();
                self.window = time - time % WINDOW;
            }
            let source = [frame.source_ip.id(row)];
            let [flows, ports, peers] = self.sources.at(source, || [frame.source_ip.shown(row)]);
            *flows += 1;
            // Port 0 is a value, the number of a null is not.
            *ports += self.ports.is_new(&source, port as u64 + 1);
            *peers += self.peers.is_new(&source, frame.destination_ip.id(row));
        }
    }

    fn finish(mut self: Box<Self>, _: &Facts<'_>) -> Table {
        self.close();
        self.top.rows_with_groups()
    }
}
