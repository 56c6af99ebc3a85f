//! Values of the queries' parameters, chosen by rank from the plan and the truth, so that every query
//! has an answer in a corpus of any size. No event is read.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate};
use serde::{Serialize, Serializer};

use super::columns::Texts;
use super::source::Source;
use crate::error::Result;
use crate::plan::{ORDINAL_BITS, TruthTable};

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Integer(i64),
    Date(NaiveDate),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Value::Text(text) => serializer.serialize_str(text),
            Value::Integer(number) => serializer.serialize_i64(*number),
            Value::Date(date) => serializer.collect_str(date),
        }
    }
}

/// Values by name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Parameters(BTreeMap<&'static str, Value>);

/// A chain that completed: its values come from `truth/chains`.
struct Candidate {
    id: String,
    start: i64,
    end: i64,
    hosts: String,
    users: String,
    events: i64,
}

/// What the truth says of one chain beyond its row.
#[derive(Default)]
struct Evidence {
    hash: Option<String>,
    address: Option<String>,
    /// Processes by the number of later steps that follow from them.
    processes: BTreeMap<String, u64>,
}

impl Evidence {
    /// How much of what the queries need the chain left.
    fn rank(&self) -> usize {
        let found = [
            self.hash.is_some(),
            self.address.is_some(),
            !self.processes.is_empty(),
        ];
        found.into_iter().filter(|found| *found).count()
    }
}

fn day(micros: i64) -> NaiveDate {
    DateTime::from_timestamp_micros(micros).map_or(NaiveDate::MIN, |time| time.date_naive())
}

impl Parameters {
    /// Chooses every value.
    ///
    /// # Errors
    /// The truth cannot be read.
    pub fn choose(source: &dyn Source) -> Result<Self> {
        let mut chosen = Parameters::default();
        // By code, so that a number becomes its character. No literal of them is the same on all engines.
        let characters = (' '..='~').collect();
        chosen.set("characters", Value::Text(characters));
        chosen.days(source);
        chosen.place(source);
        if let Some((chain, evidence)) = median_attack(source)? {
            chosen.attack(&chain, &evidence);
        }
        Ok(chosen)
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All values, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    fn set(&mut self, name: &'static str, value: Value) {
        self.0.insert(name, value);
    }

    /// The last day, the middle day, and the middle third of the days.
    fn days(&mut self, source: &dyn Source) {
        let config = &source.plan().config;
        let date = |index: u32| Value::Date(config.date(index));
        self.set("day", date(config.days / 2));
        self.set("last_day", date(config.days - 1));
        self.set("from_day", date(config.days / 3));
        self.set("to_day", date(config.days * 2 / 3));
    }

    /// The middle event of the middle day's largest partition: its place follows from the plan.
    fn place(&mut self, source: &dyn Source) {
        let config = &source.plan().config;
        let date = config.date(config.days / 2);
        let text = date.to_string();
        let of_day = source
            .partitions()
            .iter()
            .filter(|p| p.date == text && p.rows > 0);
        // The smaller index wins between equals.
        let Some(largest) = of_day.max_by_key(|p| (p.rows, std::cmp::Reverse(p.index))) else {
            return;
        };
        let sequence = (i64::from(largest.index) << ORDINAL_BITS) + (largest.rows / 2) as i64;
        self.set("place_day", Value::Date(date));
        self.set("place_category", Value::Text(largest.category.clone()));
        self.set("place_sequence", Value::Integer(sequence));
    }

    fn attack(&mut self, chain: &Candidate, evidence: &Evidence) {
        let first = |list: &str| Value::Text(list.split(',').next().unwrap_or("").to_string());
        self.set("attack", Value::Text(chain.id.clone()));
        self.set("attack_day", Value::Text(day(chain.start).to_string()));
        self.set("attack_first_day", Value::Date(day(chain.start)));
        self.set("attack_last_day", Value::Date(day(chain.end)));
        self.set("attack_from_us", Value::Integer(chain.start));
        self.set("attack_to_us", Value::Integer(chain.end));
        self.set("host", first(&chain.hosts));
        self.set("account", first(&chain.users));
        if let Some(hash) = &evidence.hash {
            self.set("hash_pattern", Value::Text(format!("%SHA256={hash}%")));
        }
        if let Some(address) = &evidence.address {
            self.set("address", Value::Text(address.clone()));
        }
        let root = evidence
            .processes
            .iter()
            .max_by_key(|(name, steps)| (**steps, std::cmp::Reverse(*name)));
        if let Some((process, _)) = root {
            self.set("process", Value::Text(process.clone()));
        }
    }
}

/// The start of a process, in Unix seconds, from Sysmon's id: `{host-low-high-…}`. A service that has
/// run since before the corpus has no event of its start.
fn started(process: &str) -> Option<i64> {
    let mut parts = process.trim_start_matches('{').split('-').skip(1);
    let (low, high) = (parts.next()?, parts.next()?);
    i64::from_str_radix(&format!("{high}{low}"), 16).ok()
}

/// Of the attacks that completed and moved to a second host, the one nearest to the median by
/// volume that left a file's hash, an address and a tree of processes; else the nearest that left
/// most of these.
fn median_attack(source: &dyn Source) -> Result<Option<(Candidate, Evidence)>> {
    let columns = [
        "attack_id",
        "start",
        "end",
        "hosts",
        "users",
        "events",
        "stop_reason",
    ];
    let mut all: Vec<(bool, Candidate)> = Vec::new();
    source.truth(TruthTable::Chains, None, &columns, &mut |rows| {
        let texts = rows.texts(["attack_id", "hosts", "users", "stop_reason"]);
        let numbers = rows.integers(["start", "end", "events"]);
        for row in 0..rows.rows() {
            let text = |texts: &Texts| texts.text(row).unwrap_or("").to_string();
            let [id, hosts, users, stop_reason] = texts.each_ref().map(text);
            let [start, end, events] = (numbers.each_ref()).map(|n| n.get(row).unwrap_or(0));
            let chain = Candidate {
                id,
                start,
                end,
                hosts,
                users,
                events,
            };
            // Chains of clouds act on no host.
            if !chain.hosts.is_empty() {
                let moved = stop_reason == "completed" && chain.hosts.contains(',');
                all.push((moved, chain));
            }
        }
        Ok(())
    })?;
    if all.iter().any(|(moved, _)| *moved) {
        all.retain(|(moved, _)| *moved);
    }
    let mut ranked: Vec<Candidate> = all.into_iter().map(|(_, chain)| chain).collect();
    ranked.sort_by(|a, b| (a.events, &a.id).cmp(&(b.events, &b.id)));
    let middle = ranked.len() / 2;
    let mut order: Vec<usize> = (0..ranked.len()).collect();
    order.sort_by_key(|&at| (at.abs_diff(middle), at));
    // The evidence is read by date, so the dates are tried in the order of their best chain.
    let mut dates: Vec<NaiveDate> = Vec::new();
    for &at in &order {
        let date = day(ranked[at].start);
        if !dates.contains(&date) {
            dates.push(date);
        }
    }
    let mut best: Option<(usize, usize, Evidence)> = None;
    for date in dates {
        let mut found = evidence_of(source, date)?;
        for &at in order.iter().filter(|&&at| day(ranked[at].start) == date) {
            let mut evidence = found.remove(&ranked[at].id).unwrap_or_default();
            let from = ranked[at].start / 1_000_000;
            (evidence.processes).retain(|process, _| started(process).is_some_and(|at| at >= from));
            if best
                .as_ref()
                .is_none_or(|(rank, _, _)| evidence.rank() > *rank)
            {
                best = Some((evidence.rank(), at, evidence));
            }
        }
        if best.as_ref().is_some_and(|(rank, _, _)| *rank == 3) {
            break;
        }
    }
    Ok(best.map(|(_, at, evidence)| (ranked.swap_remove(at), evidence)))
}

/// What the chains of a date left, by chain.
fn evidence_of(source: &dyn Source, date: NaiveDate) -> Result<BTreeMap<String, Evidence>> {
    let mut found: BTreeMap<String, Evidence> = BTreeMap::new();
    source.truth(
        TruthTable::Iocs,
        Some(date),
        &["attack_id", "type", "value"],
        &mut |rows| {
            let texts = rows.texts(["attack_id", "type", "value"]);
            for row in 0..rows.rows() {
                let [id, kind, value] = texts.each_ref().map(|t| t.text(row).unwrap_or(""));
                let chain = found.entry(id.to_string()).or_default();
                let slot = match kind {
                    "sha256" => &mut chain.hash,
                    "ip" => &mut chain.address,
                    _ => continue,
                };
                if slot.as_deref().is_none_or(|least| value < least) {
                    *slot = Some(value.to_string());
                }
            }
            Ok(())
        },
    )?;
    let columns = ["attack_id", "pivot_type", "pivot_value"];
    source.truth(TruthTable::Edges, Some(date), &columns, &mut |rows| {
        let texts = rows.texts(columns);
        for row in 0..rows.rows() {
            let [id, kind, value] = texts.each_ref().map(|t| t.text(row).unwrap_or(""));
            // Windows's ids only: the tree is one of Sysmon's process starts.
            if kind == "process" && value.starts_with('{') {
                let chain = found.entry(id.to_string()).or_default();
                *chain.processes.entry(value.to_string()).or_default() += 1;
            }
        }
        Ok(())
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_processes_tell_when_they_started() {
        assert_eq!(
            started("{505adc5f-66c6-66ba-614a-040000000800}"),
            Some(0x66ba_66c6)
        );
        assert_eq!(started("4711"), None);
    }
}
