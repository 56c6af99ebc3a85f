//! Chains: their order, their moves, the truth about them, and tells that reveal them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::audits::{Audit as A, Tallies};
use super::facts::{Facts, digest, each_row};
use super::fields::{EventRow, Field as F};
use super::records::Guid;
use crate::corpus::Corpus;
use crate::error::Result;
use crate::plan::config::Labels;

/// Microseconds.
const DAY: i64 = 86_400_000_000;
/// Minimum rows of a class before it can count as a tell.
const TELLING: u64 = 200;
/// Minimum addresses or chains with such a class. A class of one adversary alone is no tell.
const OF_SEVERAL: usize = 3;

/// Leaves with the values of a pivot type, in any schema.
fn leaves(pivot: &str) -> &'static [F] {
    match pivot {
        "process" => &[F::EntityId, F::ParentEntityId],
        "logon_id" => &[F::LogonId, F::SubjectLogonId, F::TargetLogonId],
        "session" => &[F::AuditSession],
        "access_key" => &[F::AccessKey],
        "cloud_session" => &[F::CloudSession],
        "token" => &[F::HashedToken],
        "file" => &[F::FilePath, F::Executable, F::ParentExecutable],
        "domain" => &[F::QuestionName, F::UrlDomain],
        "ip" => &[F::ResolvedIp, F::SourceIp, F::DestinationIp, F::HostIp],
        "pid" => &[F::Pid, F::ParentPid],
        "user" => &[F::UserName],
        "host" => &[F::HostHostname],
        _ => &[],
    }
}

/// One event of a chain.
#[derive(Clone, Copy)]
struct Event {
    chain: u32,
    sequence: i64,
    step: i64,
    time: i64,
    event: i64,
    host: u64,
    /// The values that truth/steps repeats: step, event, date, category, host, user, outcome.
    facts: u64,
}

/// State of chains in some files.
#[derive(Default)]
pub struct Chains {
    events: Vec<Event>,
    /// Ends of edges found: bit 1 the earlier, bit 2 the later.
    ends: BTreeMap<u32, u8>,
    /// Rows of a class in chains and in other rows.
    classes: BTreeMap<(&'static str, u64), Class>,
}

/// A digest of the values that an event and its row of truth/steps share.
#[derive(Hash)]
struct Repeated<'r> {
    step: i64,
    event: i64,
    day: i64,
    category: &'r str,
    host: &'r str,
    user: &'r str,
    outcome: &'r str,
}

/// Number of rows with a class of values: in chains, and others.
#[derive(Debug, Default)]
struct Class {
    inside: u64,
    outside: u64,
    /// Up to [`OF_SEVERAL`] of the chains or of their addresses.
    several: Vec<u64>,
}

impl Class {
    fn meet(&mut self, one: u64) {
        if self.several.len() < OF_SEVERAL && !self.several.contains(&one) {
            self.several.push(one);
        }
    }
}

impl Chains {
    /// Reads one row.
    pub fn read(&mut self, facts: &Facts, row: &EventRow<'_>, tallies: &mut Tallies) {
        let id = row.text(F::AttackId);
        self.classify(row, id);
        let Some(id) = id else { return };
        if !facts.keeps(id) {
            return;
        }
        let chain = facts.chain_of.get(id);
        tallies.row(A::ChainsTruth, row, chain.is_some(), || {
            (format!("{id} in truth/chains"), "nothing".into())
        });
        let (Some(&chain), Some(sequence), Some(step), Some(event)) = (
            chain,
            row.integer(F::AttackSequence),
            row.integer(F::Step),
            row.integer(F::Sequence),
        ) else {
            return;
        };
        let host = row.text(F::HostName).unwrap_or("");
        let time = row.integer(F::Time).unwrap_or(-1);
        self.events.push(Event {
            chain,
            sequence,
            step,
            time,
            event,
            host: digest(&host),
            facts: digest(&Repeated {
                step,
                event,
                day: time.div_euclid(DAY),
                category: row.text(F::Module).unwrap_or(""),
                host,
                user: row.text(F::UserName).unwrap_or(""),
                outcome: row.text(F::Outcome).unwrap_or(""),
            }),
        });
        for &(edge, later) in facts.ends.get(&(chain, sequence)).into_iter().flatten() {
            let wanted = &facts.edges[edge as usize];
            let right_step = if later {
                wanted.to_step
            } else {
                wanted.from_step
            };
            let there = |field: &F| {
                row.texts(*field).any(|text| digest(&text) == wanted.value)
                    || row.shown(*field).is_some_and(|text| {
                        digest(&text.as_ref()) == wanted.value
                            || row
                                .integer(*field)
                                .is_some_and(|n| digest(&n.to_string().as_str()) == wanted.value)
                    })
            };
            if step == right_step && leaves(&wanted.pivot).iter().any(there) {
                *self.ends.entry(edge).or_default() |= if later { 2 } else { 1 };
            }
        }
    }

    fn classify(&mut self, row: &EventRow<'_>, chain: Option<&str>) {
        let whole = chain.map(|id| digest(&id));
        let mut note = |kind: &'static str, class: u64, one: Option<u64>| {
            let seen = self.classes.entry((kind, class)).or_default();
            match one {
                Some(one) => {
                    seen.inside += 1;
                    seen.meet(one);
                }
                None => seen.outside += 1,
            }
        };
        for field in [F::SourceIp, F::DestinationIp] {
            if let Some(Ok(IpAddr::V4(address))) = row.text(field).map(str::parse) {
                let one = whole.map(|_| u64::from(u32::from(address)));
                note("address range /8", u64::from(address.octets()[0]), one);
            }
        }
        if let Some(port) = row.integer(F::SourcePort) {
            note("source ports, 4096 each", port as u64 / 4096, whole);
        }
        if let Some(hashes) = row.text(F::Hashes) {
            note("number of hashes", hashes.split(',').count() as u64, whole);
        }
        let guid = row.text(F::ProcessGuid).and_then(Guid::parse);
        if let Some(guid) = guid
            && row.integer(F::EventId) == Some(1)
        {
            note(
                "process pid modulo 8",
                row.integer(F::ProcessId).unwrap_or(0) as u64 % 8,
                whole,
            );
            note(
                "GUID tail, bits",
                u64::from((guid.tail & 0xffff_ffff_ffff).max(1).ilog2()),
                whole,
            );
        }
    }

    /// Adds the state of later files.
    pub fn add(&mut self, other: Chains) {
        self.events.extend(other.events);
        for (edge, ends) in other.ends {
            *self.ends.entry(edge).or_default() |= ends;
        }
        for (class, seen) in other.classes {
            let mine = self.classes.entry(class).or_default();
            mine.inside += seen.inside;
            mine.outside += seen.outside;
            seen.several.into_iter().for_each(|one| mine.meet(one));
        }
    }

    /// Audits that need all files.
    ///
    /// # Errors
    /// truth/steps cannot be read.
    pub fn finish(mut self, facts: &Facts, corpus: &Corpus, tallies: &mut Tallies) -> Result<()> {
        // Events without labels cannot be compared with truth.
        if facts.plan.config.labels == Labels::None {
            return Ok(());
        }
        self.events
            .sort_unstable_by_key(|e| (e.chain, e.sequence, e.event));
        let mut groups: BTreeMap<u32, std::ops::Range<usize>> = BTreeMap::new();
        let mut start = 0;
        for chunk in self.events.chunk_by(|a, b| a.chain == b.chain) {
            groups.insert(chunk[0].chain, start..start + chunk.len());
            start += chunk.len();
        }
        for (index, chain) in facts.chains.iter().enumerate().filter(|(_, c)| c.kept) {
            let range = groups.get(&(index as u32)).cloned().unwrap_or(0..0);
            let events = &self.events[range];
            // Records of clouds and services have no host.
            let none = digest(&"");
            let hosts: BTreeSet<u64> = events
                .iter()
                .map(|e| e.host)
                .filter(|h| *h != none)
                .collect();
            let named: BTreeSet<u64> = chain.hosts.iter().map(|h| digest(&h.as_str())).collect();
            let steps: BTreeSet<i64> = events.iter().map(|e| e.step).collect();
            let right = events.len() as i64 == chain.events
                && steps.len() as i64 == chain.steps
                && events.first().map(|e| e.time) == Some(chain.start)
                && events.last().map(|e| e.time) == Some(chain.end)
                && hosts == named;
            tallies.tried(A::ChainsTruth, right, || {
                (
                    events.first().map(|e| e.event),
                    format!(
                        "{}: {} events, {} steps, on {}, from {} to {}",
                        chain.id,
                        chain.events,
                        chain.steps,
                        chain.hosts.join(","),
                        chain.start,
                        chain.end
                    ),
                    format!(
                        "{} events, {} steps, on {} hosts, from {:?} to {:?}",
                        events.len(),
                        steps.len(),
                        hosts.len(),
                        events.first().map(|e| e.time),
                        events.last().map(|e| e.time)
                    ),
                )
            });
            let mut before: Option<&Event> = None;
            for event in events {
                let right = match before {
                    None => event.sequence == 1 && event.step == 1,
                    Some(b) => {
                        event.sequence == b.sequence + 1
                            && (event.step == b.step || event.step == b.step + 1)
                            && event.time >= b.time
                    }
                };
                tallies.tried(A::ChainsDense, right, || {
                    let place = |e: &Event| {
                        format!("sequence {}, step {}, time {}", e.sequence, e.step, e.time)
                    };
                    (
                        Some(event.event),
                        format!(
                            "{}: what follows {}",
                            chain.id,
                            before.map_or("nothing".into(), place)
                        ),
                        place(event),
                    )
                });
                before = Some(event);
            }
            let moves = facts
                .playbook_hosts
                .get(&chain.playbook)
                .is_some_and(|n| *n > 1);
            if moves && chain.stop == "completed" {
                tallies.tried(A::ChainsMove, hosts.len() > 1, || {
                    (
                        events.first().map(|e| e.event),
                        format!("two hosts or more in {} ({})", chain.id, chain.playbook),
                        chain.hosts.join(","),
                    )
                });
            }
        }
        self.causes(facts, &groups, tallies);
        self.steps(facts, corpus, &groups, tallies)?;
        for ((kind, class), seen) in &self.classes {
            if seen.inside >= TELLING && seen.several.len() >= OF_SEVERAL {
                tallies.tried(A::ChainsTell, seen.outside > 0, || {
                    (
                        None,
                        format!("{kind}: class {class} in other rows too"),
                        format!("{} rows of chains only", seen.inside),
                    )
                });
            }
        }
        Ok(())
    }

    fn causes(
        &self,
        facts: &Facts,
        groups: &BTreeMap<u32, std::ops::Range<usize>>,
        tallies: &mut Tallies,
    ) {
        let mut caused: BTreeSet<(u32, i64)> = BTreeSet::new();
        for (index, edge) in facts.edges.iter().enumerate() {
            if edge.from_step < edge.to_step && self.ends.get(&(index as u32)) == Some(&3) {
                caused.insert((edge.chain, edge.to_step));
            }
        }
        for (chain, range) in groups {
            let mut last = 1;
            for event in &self.events[range.clone()] {
                if event.step <= last {
                    continue;
                }
                last = event.step;
                tallies.tried(A::ChainsCause, caused.contains(&(*chain, last)), || {
                    (
                        Some(event.event),
                        format!(
                            "an edge to step {last} of {}, its value in both events",
                            facts.chains[*chain as usize].id
                        ),
                        "none".into(),
                    )
                });
            }
        }
    }

    fn steps(
        &self,
        facts: &Facts,
        corpus: &Corpus,
        groups: &BTreeMap<u32, std::ops::Range<usize>>,
        tallies: &mut Tallies,
    ) -> Result<()> {
        let mut met = vec![false; self.events.len()];
        for file in facts.truth("steps") {
            each_row(corpus, &file, |table, row| {
                let id = table.text("attack_id", row);
                if !facts.keeps(id) {
                    return;
                }
                let event = table.integer("event_sequence", row);
                let sequence = table.integer("sequence", row);
                let wanted = digest(&Repeated {
                    step: table.integer("step", row),
                    event,
                    day: table.date("event_date", row),
                    category: table.text("event_category", row),
                    host: table.text("host", row),
                    user: table.text("user", row),
                    outcome: table.text("outcome", row),
                });
                // The technique here is the step's own, whereas an alert has its rule's.
                let real = facts
                    .techniques
                    .get(table.text("technique", row))
                    .is_some_and(|t| t.tactics.iter().any(|t| t == table.text("tactic", row)));
                let range = facts.chain_of.get(id).and_then(|c| groups.get(c));
                let range = range.cloned().unwrap_or(0..0);
                let at = self.events[range.clone()]
                    .binary_search_by_key(&sequence, |e| e.sequence)
                    .ok()
                    .map(|at| range.start + at);
                let right = at.is_some_and(|at| {
                    met[at] = true;
                    real && self.events[at].facts == wanted
                });
                tallies.tried(A::ChainsSteps, right, || {
                    (
                        Some(event),
                        format!(
                            "{id}, sequence {sequence}: step {}, category {}, host {}, user {}, {}, {} ({})",
                            table.integer("step", row),
                            table.text("event_category", row),
                            table.text("host", row),
                            table.text("user", row),
                            table.text("outcome", row),
                            table.text("technique", row),
                            table.text("tactic", row)
                        ),
                        at.map_or("no such event".into(), |at| {
                            format!("event {} with other values", self.events[at].event)
                        }),
                    )
                });
            })?;
        }
        for (event, met) in self.events.iter().zip(met) {
            if !met {
                tallies.tried(A::ChainsSteps, false, || {
                    (
                        Some(event.event),
                        format!(
                            "{}, sequence {} in truth/steps",
                            facts.chains[event.chain as usize].id, event.sequence
                        ),
                        "no such row".into(),
                    )
                });
            }
        }
        Ok(())
    }
}
