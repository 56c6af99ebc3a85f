//! Queries over traffic.

use std::cmp::Reverse;

use serde_json::json;

use super::count::{Groups, Map, Pairs, Shown, Span, Top, last, together};
use super::frame::{Frame, hash};
use super::packed::{Bytes, Micros, Packed};
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

/// Calls of one program to one address, from the first gap on.
#[derive(Clone, Copy)]
struct Calls {
    before: Micros,
    gaps: [u8; 4],
    least: Micros,
    most: Micros,
}

impl Bytes for Calls {}

impl Calls {
    fn gaps(&self) -> u32 {
        u32::from_le_bytes(self.gaps)
    }
}

/// Gaps below a second do not count, in microseconds.
const SECOND: i64 = 1_000_000;

/// `q15`: calls at an even pace. Groups are known by the hash of host, program and address.
#[derive(Default)]
pub(super) struct Beacons {
    /// Times of the last call of groups without a gap: most groups, and most of them have one call.
    once: Packed<Micros>,
    /// Groups whose gaps are even so far.
    even: Packed<Calls>,
    /// Groups whose gaps are not, which no later call changes.
    uneven: Packed<[u8; 0]>,
    /// Host, program and address of even groups from the third gap on: most groups never have one.
    shown: Map<u64, [Shown; 3]>,
}

impl Beacons {
    fn call(&mut self, group: u64, time: i64, shown: impl FnOnce() -> [Shown; 3]) {
        if let Some(calls) = self.even.get_mut(group) {
            let gap = time - i64::from(calls.before);
            calls.before = time.into();
            if gap < SECOND {
                return;
            }
            let least = gap.min(calls.least.into());
            let most = gap.max(calls.most.into());
            if most > 4 * least {
                self.even.remove(group);
                self.shown.remove(&group);
                self.uneven.insert(group, []);
                return;
            }
            let gaps = calls.gaps() + 1;
            calls.gaps = gaps.to_le_bytes();
            (calls.least, calls.most) = (least.into(), most.into());
            if gaps == 3 {
                self.shown.insert(group, shown());
            }
        } else if let Some(before) = self.once.get_mut(group) {
            let gap = time - i64::from(*before);
            if gap < SECOND {
                *before = time.into();
                return;
            }
            self.once.remove(group);
            let calls = Calls {
                before: time.into(),
                gaps: 1u32.to_le_bytes(),
                least: gap.into(),
                most: gap.into(),
            };
            self.even.insert(group, calls);
        } else if self.uneven.get(group).is_none() {
            self.once.insert(group, time.into());
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
        for (group, [host, program, address]) in self.shown {
            let Some(calls) = self.even.get(group) else {
                continue;
            };
            let [least, most] = [calls.least, calls.most].map(i64::from);
            let key = (
                Reverse(calls.gaps()),
                last(&host),
                last(&program),
                last(&address),
            );
            top.add(key, || {
                vec![
                    json!(host),
                    json!(program),
                    json!(address),
                    json!(calls.gaps()),
                    json!(least),
                    json!(most),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The gaps, least and most of a group, from all times at once.
    fn expected(times: &[i64]) -> Option<(u32, i64, i64)> {
        let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
        let gaps: Vec<i64> = gaps.filter(|&gap| gap >= SECOND).collect();
        let (least, most) = (*gaps.iter().min()?, *gaps.iter().max()?);
        (gaps.len() >= 3 && most <= 4 * least).then_some((gaps.len() as u32, least, most))
    }

    #[test]
    fn only_even_groups_are_kept() {
        let start = 1_723_507_200_000_000;
        let of_seconds = |times: &[i64]| -> Vec<i64> {
            times
                .iter()
                .map(|time| start + time * SECOND / 10)
                .collect()
        };
        let groups = [
            of_seconds(&[0]),
            of_seconds(&[0, 10, 20]),
            of_seconds(&[0, 10, 20, 30]),
            of_seconds(&[0, 10, 20, 60]),
            of_seconds(&[0, 10, 20, 61]),
            // Uneven at the second gap, then even: it stays uneven.
            of_seconds(&[0, 10, 100, 110, 120, 130, 140]),
            // Calls within a second belong to one.
            of_seconds(&[0, 1, 2, 3, 20, 21, 40, 60, 61, 62]),
            of_seconds(&[0, 9, 18, 27, 36]),
            of_seconds(&[0, 40, 50, 60, 70]),
            of_seconds(&[0, 41, 51, 61, 71]),
        ];
        let mut calls: Vec<(i64, u64)> = Vec::new();
        for (group, times) in (1..).zip(&groups) {
            calls.extend(times.iter().map(|&time| (time, group)));
        }
        calls.sort_unstable();
        let mut beacons = Beacons::default();
        for (time, group) in calls {
            beacons.call(group, time, || [None, None, Some(group.to_string().into())]);
        }
        let found = |group: u64| {
            beacons.shown.get(&group)?;
            let calls = beacons.even.get(group)?;
            Some((calls.gaps(), calls.least.into(), calls.most.into()))
        };
        for (group, times) in (1..).zip(&groups) {
            assert_eq!(found(group), expected(times), "{times:?}");
        }
        assert_eq!((1..=10).filter(|&group| found(group).is_some()).count(), 4);
        // What is uneven takes six bytes, and is nowhere else.
        let all = [beacons.once.len(), beacons.even.len(), beacons.uneven.len()];
        assert_eq!(all.iter().sum::<usize>(), groups.len());
    }
}
