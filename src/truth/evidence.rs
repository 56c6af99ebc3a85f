//! Edges of chains, read from their rendered events: analysts pivot on values that the events of two
//! steps share.

use std::collections::HashMap;
use std::path::Path;

use arrow_array::{ArrayRef, RecordBatch};

use super::reading::{each_chain, each_text};
use super::{Columns, Truth, integers, own, texts};
use crate::error::Result;
use crate::frame::{Frame, NONE};
use crate::schema::leaf;

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

fn leaves<'b>(batch: &'b RecordBatch, paths: &[&str]) -> Vec<&'b ArrayRef> {
    paths.iter().filter_map(|path| leaf(batch, path)).collect()
}

/// The edges of chains.
#[derive(Default)]
struct Edges(Vec<Edge>);

impl Edges {
    fn chain(
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
            let before = self.0.len();
            for (p, pivot) in PIVOTS.iter().enumerate() {
                if p >= WEAK && self.0.len() > before {
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
                    self.0.push(Edge {
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

    fn columns(&self, ids: &ArrayRef) -> Columns {
        let each = || self.0.iter();
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
}

/// `edges`: what links the steps of the chains that start on a date.
///
/// # Errors
/// A column violates the schema (a bug), or the run is stopped. `path` is for the message.
pub(super) fn edges(truth: &Truth<'_>, date: u32, path: &Path) -> Result<Columns> {
    let mut edges = Edges::default();
    each_chain(truth, date, path, |rendered, chain, rows| {
        edges.chain(rendered.frame, rendered.batch, chain, rows);
        Ok(())
    })?;
    Ok(edges.columns(&truth.ids))
}
