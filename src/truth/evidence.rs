//! Edges and indicators of chains, read from their rendered events.
//!
//! Analysts pivot on values that the events of two steps share. For steps with many rounds, only the
//! first and last rounds are read: a constant value is in both.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::ArrowError;
use arrow_schema::DataType;

use super::{Columns, Truth, encoding_failed, go_on, integers, own, texts, times};
use crate::columns::View;
use crate::frame::{Frame, NONE};
use crate::plan::Chains;
use crate::plan::chains::ChainEvent;
use crate::schema::leaf;

/// Number of rounds read at each end of a step.
const ROUNDS: u32 = 8;
/// Number of events rendered at once.
const EVENTS: usize = 8 * 1024;

/// One kind of link from an event to a later one.
struct Pivot {
    kind: &'static str,
    /// Leaves with the value in the earlier and in the later event.
    from: &'static [&'static str],
    to: &'static [&'static str],
    /// Whether the value is meaningful only within one host.
    local: bool,
}

/// Pivots, strongest first.
const PIVOTS: &[Pivot] = &[
    Pivot {
        kind: "process",
        from: &["process.entity_id"],
        to: &["process.parent.entity_id", "process.entity_id"],
        local: true,
    },
    // Security has a number and Sysmon hexadecimal text, so each is compared with its own kind.
    Pivot {
        kind: "logon_id",
        from: &[
            "winlog.event_data.LogonId",
            "winlog.event_data.TargetLogonId",
        ],
        to: &[
            "winlog.event_data.LogonId",
            "winlog.event_data.SubjectLogonId",
            "winlog.event_data.TargetLogonId",
        ],
        local: true,
    },
    Pivot {
        kind: "session",
        from: &["auditd.ses"],
        to: &["auditd.ses"],
        local: true,
    },
    // Credentials stolen on one host are used elsewhere: a key, a session or a token.
    Pivot {
        kind: "access_key",
        from: &["fusionai.cloud.access_key_id"],
        to: &["fusionai.cloud.access_key_id"],
        local: false,
    },
    Pivot {
        kind: "cloud_session",
        from: &["fusionai.cloud.session_id"],
        to: &["fusionai.cloud.session_id"],
        local: false,
    },
    Pivot {
        kind: "token",
        from: &["fusionai.cloud.hashed_token"],
        to: &["fusionai.cloud.hashed_token"],
        local: false,
    },
    Pivot {
        kind: "file",
        from: &["file.path"],
        to: &[
            "process.executable",
            "process.parent.executable",
            "file.path",
        ],
        local: true,
    },
    Pivot {
        kind: "domain",
        from: &["dns.question.name"],
        to: &["url.domain", "dns.question.name"],
        local: false,
    },
    Pivot {
        kind: "ip",
        from: &["dns.resolved_ip", "destination.ip", "source.ip", "host.ip"],
        to: &["destination.ip", "source.ip", "dns.resolved_ip"],
        local: false,
    },
    Pivot {
        kind: "pid",
        from: &["process.pid"],
        to: &["process.parent.pid", "process.pid"],
        local: true,
    },
    Pivot {
        kind: "user",
        from: &["user.name"],
        to: &["user.name"],
        local: false,
    },
    Pivot {
        kind: "host",
        from: &["host.hostname"],
        to: &["host.hostname"],
        local: false,
    },
];

/// First of the weak pivots, which are used only if no stronger one links two steps.
const WEAK: usize = 9;

/// Values that are the same in every session or on every machine.
const COMMON: &[&str] = &[
    "0x3e7",
    "0x3e4",
    "0x3e5",
    "999",
    "997",
    "996",
    "4294967295",
    "0",
    "0x0",
    "-",
    "4",
];

struct Edge {
    chain: u32,
    from: Spot,
    to: Spot,
    kind: &'static str,
    value: String,
}

#[derive(Clone, Copy)]
struct Spot {
    step: u8,
    sequence: u32,
}

struct Ioc {
    chain: u32,
    kind: &'static str,
    value: String,
    first: i64,
    last: i64,
}

/// The evidence of the chains of one date.
pub struct Evidence {
    edges: Vec<Edge>,
    iocs: Vec<Ioc>,
}

/// The events of a chain to read, in order: those of the first and last rounds of every step.
pub fn sample(chains: &Chains, chain: u32) -> Vec<ChainEvent> {
    let mut events = Vec::new();
    for (step, placed) in chains.all[chain as usize].steps.iter().enumerate() {
        let end = ROUNDS * placed.records;
        let tail = placed.events.saturating_sub(end).max(end);
        for index in (0..placed.events.min(end)).chain(tail..placed.events) {
            let step = step as u8;
            events.push(ChainEvent {
                time: chains.time(chain, step, index),
                chain,
                step,
                index,
            });
        }
    }
    events
}

/// Visits the texts of a row, including each item of lists.
fn each_text(array: &ArrayRef, row: usize, visit: &mut dyn FnMut(&str)) {
    if array.is_null(row) {
        return;
    }
    match array.data_type() {
        DataType::Utf8 => visit(array.as_string::<i32>().value(row)),
        DataType::Int64 => visit(&array.as_primitive::<Int64Type>().value(row).to_string()),
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_dictionary::<Int32Type>();
            let key = dictionary.keys().value(row) as usize;
            visit(dictionary.values().as_string::<i32>().value(key));
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            for item in 0..items.len() {
                each_text(&items, item, visit);
            }
        }
        _ => {}
    }
}

/// The SHA-256 in Sysmon's `SHA1=…,MD5=…,SHA256=…,IMPHASH=…`.
fn sha256(hashes: &str) -> Option<&str> {
    hashes
        .split(',')
        .find_map(|hash| hash.strip_prefix("SHA256="))
}

fn leaves<'b>(batch: &'b RecordBatch, paths: &[&str]) -> Vec<&'b ArrayRef> {
    paths.iter().filter_map(|path| leaf(batch, path)).collect()
}

impl Evidence {
    /// Reads the chains that start on a date.
    ///
    /// # Errors
    /// A column violates the schema (a bug), or the run is stopped. `path` is for the message.
    pub fn new(truth: &Truth<'_>, date: u32, path: &Path) -> crate::error::Result<Self> {
        let failed = |e: ArrowError| encoding_failed(path, e.into());
        let mut evidence = Evidence {
            edges: Vec::new(),
            iocs: Vec::new(),
        };
        let mut events: Vec<ChainEvent> = Vec::new();
        for chain in truth.of_date(date) {
            events.extend(sample(&truth.plan.chains, chain));
            if events.len() >= EVENTS {
                go_on(truth.progress, path)?;
                evidence.read(truth, &events).map_err(failed)?;
                events.clear();
            }
        }
        if !events.is_empty() {
            evidence.read(truth, &events).map_err(failed)?;
        }
        Ok(evidence)
    }

    /// Reads events of complete chains.
    fn read(&mut self, truth: &Truth<'_>, events: &[ChainEvent]) -> Result<(), ArrowError> {
        let frame = truth.maker.chain_frame(events);
        let view = View::new(&frame, truth.maker, truth.tables);
        let batch = truth.schema.batch(&view)?;
        let mut first = 0;
        while first < events.len() {
            let chain = events[first].chain;
            let rows = events[first..]
                .iter()
                .take_while(|e| e.chain == chain)
                .count();
            self.edges_of(&frame, &batch, chain, first..first + rows);
            self.iocs_of(truth, &frame, &batch, chain, first..first + rows);
            first += rows;
        }
        Ok(())
    }

    fn edges_of(
        &mut self,
        frame: &Frame,
        batch: &RecordBatch,
        chain: u32,
        rows: std::ops::Range<usize>,
    ) {
        let columns: Vec<_> = PIVOTS
            .iter()
            .map(|p| (leaves(batch, p.from), leaves(batch, p.to)))
            .collect();
        let spot = |row: usize| Spot {
            step: frame.step[row],
            sequence: frame.attack_sequence[row],
        };
        // The latest event of earlier steps by value. Only looked up, never iterated.
        let mut held: HashMap<(usize, i32, String), Spot> = HashMap::new();
        let mut start = rows.start;
        while start < rows.end {
            let step = frame.step[start];
            let end = (start..rows.end)
                .find(|&r| frame.step[r] != step)
                .unwrap_or(rows.end);
            let before = self.edges.len();
            for (p, pivot) in PIVOTS.iter().enumerate() {
                if p >= WEAK && self.edges.len() > before {
                    break;
                }
                let mut best: Option<(Spot, Spot, String)> = None;
                for row in start..end {
                    let host = if pivot.local {
                        frame.host[row].key()
                    } else {
                        NONE
                    };
                    for array in &columns[p].1 {
                        each_text(array, row, &mut |text| {
                            let key = (p, host, text.to_string());
                            if let Some(&from) = held.get(&key)
                                && best.as_ref().is_none_or(|b| b.0.sequence < from.sequence)
                            {
                                best = Some((from, spot(row), key.2));
                            }
                        });
                    }
                }
                if let Some((from, to, value)) = best {
                    self.edges.push(Edge {
                        chain,
                        from,
                        to,
                        kind: pivot.kind,
                        value,
                    });
                }
            }
            for (p, pivot) in PIVOTS.iter().enumerate() {
                for row in start..end {
                    let host = if pivot.local {
                        frame.host[row].key()
                    } else {
                        NONE
                    };
                    for array in &columns[p].0 {
                        each_text(array, row, &mut |text| {
                            if !COMMON.contains(&text) {
                                held.insert((p, host, text.to_string()), spot(row));
                            }
                        });
                    }
                }
            }
            start = end;
        }
    }

    fn iocs_of(
        &mut self,
        truth: &Truth<'_>,
        frame: &Frame,
        batch: &RecordBatch,
        chain: u32,
        rows: std::ops::Range<usize>,
    ) {
        let addresses = &truth.maker.world.addresses;
        let hostile = |address: i32| address != NONE && addresses.is_adversary(address as u32);
        let mut seen: BTreeMap<(&'static str, String), (i64, i64)> = BTreeMap::new();
        for row in rows {
            let time = frame.time[row];
            let mut note = |kind: &'static str, path: &str| {
                let Some(array) = leaf(batch, path) else {
                    return;
                };
                each_text(array, row, &mut |text| {
                    let value = match kind {
                        "sha256" => sha256(text),
                        _ => Some(text),
                    };
                    if let Some(value) = value {
                        let times = seen.entry((kind, value.into())).or_insert((time, time));
                        *times = (times.0.min(time), times.1.max(time));
                    }
                });
            };
            let alert = frame.rule[row].is_some();
            if hostile(frame.source[row]) {
                note("ip", "source.ip");
            }
            if hostile(frame.destination[row]) {
                note("ip", "destination.ip");
            }
            if hostile(frame.answer[row]) {
                note("ip", "dns.resolved_ip");
            }
            // Credentials in an adversary's hands.
            if hostile(frame.source[row]) && frame.calls.get(row).is_some() {
                note("access_key", "fusionai.cloud.access_key_id");
                note("cloud_session", "fusionai.cloud.session_id");
                note("token", "fusionai.cloud.hashed_token");
            }
            // Domains that resolve to an adversary, and generated domains that do not resolve.
            if hostile(frame.answer[row]) || alert {
                note("domain", "dns.question.name");
            }
            if alert && hostile(frame.destination[row]) {
                note("url", "url.full");
            }
            if alert {
                note("file", "file.path");
            }
            // An image with a path of the chain's own is not a program installed by the catalog.
            let own = frame.process.path.key(row) >= frame.process.path.known;
            if own && frame.telemetry[row].is_start() {
                note("file", "process.executable");
                note("sha256", "winlog.event_data.Hashes");
            }
        }
        self.iocs
            .extend(seen.into_iter().map(|((kind, value), (first, last))| Ioc {
                chain,
                kind,
                value,
                first,
                last,
            }));
    }

    /// Columns of `edges`.
    pub fn edges(&self, ids: &ArrayRef) -> Columns {
        let each = || self.edges.iter();
        let integer = |value: &dyn Fn(&Edge) -> i64| integers(each().map(value));
        vec![
            ("attack_id", texts(ids, each().map(|e| e.chain as i32))),
            ("from_step", integer(&|e| i64::from(e.from.step))),
            ("to_step", integer(&|e| i64::from(e.to.step))),
            ("pivot_type", own(each().map(|e| e.kind))),
            ("pivot_value", own(each().map(|e| &e.value))),
            ("from_sequence", integer(&|e| i64::from(e.from.sequence))),
            ("to_sequence", integer(&|e| i64::from(e.to.sequence))),
        ]
    }

    /// Columns of `iocs`.
    pub fn iocs(&self, ids: &ArrayRef) -> Columns {
        let each = || self.iocs.iter();
        vec![
            ("attack_id", texts(ids, each().map(|i| i.chain as i32))),
            ("type", own(each().map(|i| i.kind))),
            ("value", own(each().map(|i| &i.value))),
            ("first_seen", times(each().map(|i| i.first))),
            ("last_seen", times(each().map(|i| i.last))),
        ]
    }
}
