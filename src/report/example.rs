//! Chains in full: the events of each in order, the links between its steps, and its
//! processes as a tree.
//!
//! Events are found by `event.sequence` from `truth/steps`, so this also works for a corpus whose
//! events have no labels.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::Serialize;

use super::read::{Batch, Read, read};
use super::trees::{Act, HostTrees, Process, trees};
use super::truth::Chain;
use crate::corpus::{Corpus, PlanFile};
use crate::error::Result;
use crate::plan::ORDINAL_BITS;

/// A chain in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Example {
    #[serde(flatten)]
    pub chain: Chain,
    pub steps: Vec<Step>,
    pub events: Vec<Event>,
    pub edges: Vec<Edge>,
    /// The process trees of each host, in the order in which the chain used the hosts.
    pub trees: Vec<HostTrees>,
    /// Total number of events; more than in `events` if there are too many to show.
    pub total: u64,
    /// Number of processes left out of the trees.
    pub hidden: usize,
}

/// A step with its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    pub step: i64,
    pub tactic: String,
    /// Techniques of its events.
    pub techniques: Vec<String>,
    pub hosts: Vec<String>,
    pub events: u64,
    /// Unix microseconds.
    pub first: i64,
    pub last: i64,
    /// Description of its most informative event.
    pub what: String,
    /// The first rule that fired.
    pub rule: String,
    /// Links to earlier steps: `3 by ip`.
    pub causes: Vec<String>,
}

/// An event of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Unix microseconds.
    pub time: i64,
    pub sequence: i64,
    pub step: i64,
    pub host: String,
    pub user: String,
    /// Windows event id or audit record type.
    pub code: String,
    pub kind: String,
    pub process: String,
    pub what: String,
    pub rule: String,
    #[serde(skip)]
    key: i64,
    /// Index of its chain.
    #[serde(skip)]
    of: usize,
    #[serde(skip)]
    own: Option<Process>,
    #[serde(skip)]
    parent: Option<Process>,
}

/// A link from a step to an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edge {
    pub from_step: i64,
    pub to_step: i64,
    pub from_sequence: i64,
    pub to_sequence: i64,
    /// `process`, `logon_id`, `ip`…
    pub kind: String,
    pub value: String,
}

/// Events by step.
type Totals = BTreeMap<i64, u64>;

/// A row of `truth/steps`.
struct StepRow {
    /// Index of its chain.
    of: usize,
    step: i64,
    sequence: i64,
    technique: String,
    tactic: String,
}

/// Rows of `truth/steps` by `event.sequence`.
type Rows = BTreeMap<i64, StepRow>;

/// Reads chains in their order; those whose events or steps are missing are left out.
///
/// # Errors
/// A file is missing or broken.
pub fn examples(
    corpus: &Corpus,
    plan: &PlanFile,
    truth: &[&str],
    chains: Vec<Chain>,
) -> Result<Vec<Example>> {
    let dates = chains
        .iter()
        .filter_map(|chain| chain.file.split('/').nth(2));
    let dates: BTreeSet<&str> = dates.collect();
    let files = |table: &str| -> Vec<&str> {
        let prefixes = dates.iter().map(|date| format!("truth/{table}/{date}/"));
        let prefixes: Vec<String> = prefixes.collect();
        let is_wanted = |file: &&str| prefixes.iter().any(|prefix| file.starts_with(prefix));
        truth.iter().copied().filter(is_wanted).collect()
    };
    let (rows, totals) = rows(corpus, &files("steps"), &chains)?;
    let mut found: Vec<Vec<Event>> = chains.iter().map(|_| Vec::new()).collect();
    for event in events(corpus, plan, &rows)? {
        found[event.of].push(event);
    }
    let edges = edges(corpus, &files("edges"), &chains)?;
    let parts = chains.into_iter().zip(totals).zip(found).zip(edges);
    let all = parts.map(|(((chain, totals), events), mut edges)| {
        let steps = steps(&rows, &totals, &events, &edges);
        let (trees, hidden) = trees(events.iter().filter_map(|event| {
            Some(Act {
                host: &event.host,
                user: &event.user,
                step: event.step,
                own: event.own.as_ref()?,
                parent: event.parent.as_ref(),
            })
        }));
        // A link is drawn between two events.
        let shown: BTreeSet<i64> = events.iter().map(|event| event.sequence).collect();
        let is_shown = |sequence| shown.contains(&sequence);
        edges.retain(|edge| is_shown(edge.from_sequence) && is_shown(edge.to_sequence));
        Example {
            total: totals.values().sum(),
            chain,
            steps,
            events,
            edges,
            trees,
            hidden,
        }
    });
    Ok(all.filter(|example| !example.steps.is_empty()).collect())
}

/// Indices of chains by id.
fn by_id(chains: &[Chain]) -> BTreeMap<&str, usize> {
    let ids = chains.iter().enumerate();
    ids.map(|(at, chain)| (chain.id.as_str(), at)).collect()
}

/// The chains' rows of `truth/steps`, and for each chain the number of events per step.
///
/// If a chain has too many events to show, only the first of each step.
fn rows(corpus: &Corpus, files: &[&str], chains: &[Chain]) -> Result<(Rows, Vec<Totals>)> {
    let how = Read {
        columns: &[
            "attack_id",
            "step",
            "sequence",
            "event_sequence",
            "technique",
            "tactic",
        ],
        ..Read::default()
    };
    let ids = by_id(chains);
    let mut totals = vec![Totals::new(); chains.len()];
    // By chain, step and position in the step.
    type Steps = BTreeMap<i64, BTreeMap<i64, (i64, StepRow)>>;
    let mut found: Vec<Steps> = chains.iter().map(|_| Steps::new()).collect();
    for file in files {
        read(corpus, file, how, |batch| {
            for (row, of) in of_chains(batch, &ids) {
                let text = |name| batch.text(name, row).unwrap_or_default();
                let integer = |name| batch.integer(name, row).unwrap_or_default();
                let (step, sequence) = (integer("step"), integer("sequence"));
                *totals[of].entry(step).or_default() += 1;
                let of_step = found[of].entry(step).or_default();
                let row = StepRow {
                    of,
                    step,
                    sequence,
                    technique: text("technique"),
                    tactic: text("tactic"),
                };
                of_step.insert(sequence, (integer("event_sequence"), row));
                let chain = &chains[of];
                let each = (chain.most / chain.steps.max(1)).max(1) as usize;
                if chain.events > chain.most && of_step.len() > each {
                    of_step.pop_last();
                }
            }
            Ok(())
        })?;
    }
    let steps = found.into_iter().flat_map(BTreeMap::into_values);
    Ok((steps.flat_map(BTreeMap::into_values).collect(), totals))
}

/// The rows of a truth table that belong to one of the chains, with the chain's index.
fn of_chains(batch: &Batch, ids: &BTreeMap<&str, usize>) -> Vec<(usize, usize)> {
    let column = batch.column("attack_id");
    let column = column
        .as_ref()
        .and_then(|ids| arrow_array::cast::AsArray::as_string_opt::<i32>(ids));
    let rows = column.into_iter().flatten().enumerate();
    rows.filter_map(|(row, id)| Some((row, *ids.get(id?)?)))
        .collect()
}

/// The links between the events of each chain.
fn edges(corpus: &Corpus, files: &[&str], chains: &[Chain]) -> Result<Vec<Vec<Edge>>> {
    let ids = by_id(chains);
    let mut found: Vec<Vec<Edge>> = chains.iter().map(|_| Vec::new()).collect();
    for file in files {
        let how = Read {
            columns: &[
                "attack_id",
                "from_step",
                "to_step",
                "from_sequence",
                "to_sequence",
                "pivot_type",
                "pivot_value",
            ],
            ..Read::default()
        };
        read(corpus, file, how, |batch| {
            for (row, of) in of_chains(batch, &ids) {
                let integer = |name| batch.integer(name, row).unwrap_or_default();
                let text = |name| batch.text(name, row).unwrap_or_default();
                found[of].push(Edge {
                    from_step: integer("from_step"),
                    to_step: integer("to_step"),
                    from_sequence: integer("from_sequence"),
                    to_sequence: integer("to_sequence"),
                    kind: text("pivot_type"),
                    value: text("pivot_value"),
                });
            }
            Ok(())
        })?;
    }
    Ok(found)
}

const COLUMNS: [&str; 27] = [
    "@timestamp",
    "event.sequence",
    "event.kind",
    "event.code",
    "event.action",
    "host.name",
    "user.name",
    "rule.name",
    "message",
    "process.pid",
    "process.entity_id",
    "process.name",
    "process.command_line",
    "process.parent.pid",
    "process.parent.entity_id",
    "process.parent.name",
    "process.parent.command_line",
    "dns.question.name",
    "file.path",
    "registry.path",
    "url.full",
    "source.ip",
    "destination.ip",
    "destination.port",
    "winlog.event_data.ShareName",
    "winlog.event_data.ServiceName",
    "fusionai.cloud.event_name",
];

/// The chains' events in order; only the files and row groups with these events are read.
fn events(corpus: &Corpus, plan: &PlanFile, rows: &Rows) -> Result<Vec<Event>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let wanted: BTreeSet<i64> = rows.keys().copied().collect();
    let partitions: BTreeSet<i64> = wanted
        .iter()
        .map(|sequence| sequence >> ORDINAL_BITS)
        .collect();
    let held = plan
        .partitions
        .iter()
        .filter(|p| partitions.contains(&i64::from(p.index)));
    let held: BTreeSet<(&str, &str)> = held
        .map(|p| (p.date.as_str(), p.category.as_str()))
        .collect();
    let holds = |path: &str| {
        let part = |name: &str| path.split('/').find_map(|part| part.strip_prefix(name));
        let (date, category) = (part("date="), part("category="));
        held.iter().any(|&(d, c)| {
            date.is_none_or(|date| date == d) && category.is_none_or(|category| category == c)
        })
    };
    let files: Vec<&str> = plan
        .shards
        .iter()
        .map(|s| s.path.as_str())
        .filter(|p| holds(p))
        .collect();
    let how = Read {
        columns: &COLUMNS,
        dictionaries: false,
        only: Some(("event.sequence", &wanted)),
    };
    let parts: Vec<Vec<Event>> = files
        .par_iter()
        .map(|file| {
            let mut found = Vec::new();
            read(corpus, file, how, |batch| {
                found.extend((0..batch.rows()).filter_map(|row| event(batch, row, rows)));
                Ok(())
            })?;
            Ok(found)
        })
        .collect::<Result<_>>()?;
    let mut events: Vec<Event> = parts.into_iter().flatten().collect();
    events.sort_by_key(|event| (event.sequence, event.key));
    Ok(events)
}

fn event(batch: &Batch, row: usize, rows: &Rows) -> Option<Event> {
    let key = batch.integer("event.sequence", row)?;
    let of_chain = rows.get(&key)?;
    let text = |path: &str| batch.text(path, row);
    let or_empty = |path: &str| text(path).unwrap_or_default();
    let process = |prefix: &str| {
        let of = |leaf: &str| format!("{prefix}.{leaf}");
        let pid = batch.integer(&of("pid"), row)?;
        Some(Process {
            entity: batch.text(&of("entity_id"), row),
            pid,
            name: batch.text(&of("name"), row).unwrap_or_default(),
            command_line: batch.text(&of("command_line"), row).unwrap_or_default(),
        })
    };
    let destination = || {
        let ip = text("destination.ip")?;
        let port = batch.integer("destination.port", row);
        let to = port.map_or(ip.clone(), |port| format!("{ip}:{port}"));
        Some(format!("{} → {to}", text("source.ip")?))
    };
    let named = |path: &str, word: &str| text(path).map(|value| format!("{word} {value}"));
    let what = text("process.command_line")
        .or_else(|| named("dns.question.name", "DNS"))
        .or_else(|| text("file.path"))
        .or_else(|| text("registry.path"))
        .or_else(|| text("url.full"))
        .or_else(|| named("winlog.event_data.ServiceName", "service"))
        .or_else(|| named("winlog.event_data.ShareName", "share"))
        .or_else(|| text("fusionai.cloud.event_name"))
        .or_else(destination)
        .or_else(|| text("message"))
        .or_else(|| text("event.action"));
    Some(Event {
        time: batch.integer("@timestamp", row)?,
        sequence: of_chain.sequence,
        step: of_chain.step,
        // Cloud records have no host.
        host: or_empty("host.name"),
        user: or_empty("user.name"),
        code: or_empty("event.code"),
        kind: or_empty("event.kind"),
        process: or_empty("process.name"),
        what: what.unwrap_or_default(),
        rule: or_empty("rule.name"),
        key,
        of: of_chain.of,
        own: process("process"),
        parent: process("process.parent"),
    })
}

fn steps(rows: &Rows, totals: &Totals, events: &[Event], edges: &[Edge]) -> Vec<Step> {
    let mut steps: BTreeMap<i64, Step> = BTreeMap::new();
    for event in events {
        let Some(row) = rows.get(&event.key) else {
            continue;
        };
        let step = steps.entry(event.step).or_insert_with(|| Step {
            step: event.step,
            tactic: row.tactic.clone(),
            techniques: Vec::new(),
            hosts: Vec::new(),
            events: totals.get(&event.step).copied().unwrap_or_default(),
            first: event.time,
            last: event.time,
            what: String::new(),
            rule: String::new(),
            causes: Vec::new(),
        });
        step.last = step.last.max(event.time);
        if !step.techniques.contains(&row.technique) {
            step.techniques.push(row.technique.clone());
        }
        if !event.host.is_empty() && !step.hosts.contains(&event.host) {
            step.hosts.push(event.host.clone());
        }
        if step.rule.is_empty() {
            step.rule = event.rule.clone();
        }
    }
    for step in steps.values_mut() {
        let own = || events.iter().filter(|event| event.step == step.step);
        // A command is more informative than other records, and an alert more than other events.
        let telling = |event: &&Event| (event.parent.is_some(), event.kind == "alert");
        // `rev` prefers the first of equals.
        let best = own().rev().max_by_key(telling);
        step.what = best.map_or_else(String::new, |event| event.what.clone());
    }
    for edge in edges {
        let cause = format!("{} by {}", edge.from_step, edge.kind.replace('_', " "));
        if let Some(step) = steps
            .get_mut(&edge.to_step)
            .filter(|s| !s.causes.contains(&cause))
        {
            step.causes.push(cause);
        }
    }
    steps.into_values().collect()
}
