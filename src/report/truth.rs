//! Reads the truth and entity tables: chains and playbooks, techniques of their steps,
//! benign lookalikes, hosts and accounts.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::read::{Batch, Keys, Read, read};
use crate::corpus::Corpus;
use crate::error::Result;

/// Counts by tactic name and technique id.
pub type Techniques = BTreeMap<(String, String), u64>;

/// The chains of one playbook.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub struct Playbook {
    pub chains: u64,
    pub events: u64,
    /// Number of complete chains.
    pub completed: u64,
    /// Maximum number of hosts of a chain.
    pub hosts: u64,
}

/// A row of `truth/chains`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chain {
    pub id: String,
    pub playbook: String,
    /// Unix microseconds.
    pub start: i64,
    pub end: i64,
    pub hosts: Vec<String>,
    pub users: Vec<String>,
    #[serde(skip)]
    pub steps: u64,
    #[serde(skip)]
    pub events: u64,
    pub stop_reason: String,
    /// Its file, relative to the root.
    #[serde(skip)]
    pub file: String,
}

impl Chain {
    /// Suitability as an example; higher is better. Ids break ties.
    fn worth(&self) -> impl Ord + use<> {
        // Enough events to be interesting, and few enough to show each.
        let readable = (self.steps.saturating_mul(3)..=MOST_EVENTS).contains(&self.events);
        (
            readable,
            self.stop_reason == "completed",
            self.hosts.len().min(4),
            self.steps,
            std::cmp::Reverse(self.events),
            std::cmp::Reverse(self.id.clone()),
        )
    }
}

/// Maximum number of events for showing each.
pub const MOST_EVENTS: u64 = 400;

/// Reads `truth/chains`: the playbooks, and the chain that is the best example.
///
/// # Errors
/// A file is broken.
pub fn chains(
    corpus: &Corpus,
    files: &[&str],
) -> Result<(BTreeMap<String, Playbook>, Option<Chain>)> {
    let mut playbooks: BTreeMap<String, Playbook> = BTreeMap::new();
    let mut best: Option<Chain> = None;
    let how = Read {
        columns: &[
            "attack_id",
            "playbook",
            "start",
            "end",
            "hosts",
            "users",
            "steps",
            "events",
            "stop_reason",
        ],
        ..Read::default()
    };
    for file in files {
        read(corpus, file, how, |batch| {
            for row in 0..batch.rows() {
                let chain = chain(batch, row, file);
                let playbook = playbooks.entry(chain.playbook.clone()).or_default();
                playbook.chains += 1;
                playbook.events += chain.events;
                playbook.completed += u64::from(chain.stop_reason == "completed");
                playbook.hosts = playbook.hosts.max(chain.hosts.len() as u64);
                if best
                    .as_ref()
                    .is_none_or(|best| best.worth() < chain.worth())
                {
                    best = Some(chain);
                }
            }
            Ok(())
        })?;
    }
    Ok((playbooks, best))
}

fn chain(batch: &Batch, row: usize, file: &str) -> Chain {
    let text = |name| batch.text(name, row).unwrap_or_default();
    let integer = |name| batch.integer(name, row).unwrap_or_default();
    let names = |name| {
        let names = text(name);
        let names = names.split(',').filter(|name| !name.is_empty());
        names.map(String::from).collect()
    };
    Chain {
        id: text("attack_id"),
        playbook: text("playbook"),
        start: integer("start"),
        end: integer("end"),
        hosts: names("hosts"),
        users: names("users"),
        steps: integer("steps").unsigned_abs(),
        events: integer("events").unsigned_abs(),
        stop_reason: text("stop_reason"),
        file: file.to_string(),
    }
}

/// Counts a table's rows by tactic and technique: `truth/steps`, `truth/lookalikes`.
///
/// # Errors
/// A file is broken.
pub fn techniques(corpus: &Corpus, files: &[&str]) -> Result<Techniques> {
    let how = Read {
        columns: &["tactic", "technique"],
        dictionaries: true,
        only: None,
    };
    pairs(corpus, files, how)
}

/// Counts entities by two of their columns.
///
/// # Errors
/// The file is damaged.
pub fn entities(corpus: &Corpus, file: &str, columns: [&str; 2]) -> Result<Techniques> {
    let how = Read {
        columns: &columns,
        dictionaries: true,
        only: None,
    };
    pairs(corpus, &[file], how)
}

fn pairs(corpus: &Corpus, files: &[&str], how: Read<'_>) -> Result<Techniques> {
    let add = |mut left: Techniques, right: Techniques| {
        for (pair, count) in right {
            *left.entry(pair).or_default() += count;
        }
        left
    };
    files
        .par_iter()
        .try_fold(Techniques::new, |mut found, file| {
            read(corpus, file, how, |batch| {
                let columns = how.columns.iter().map(|name| batch.column(name));
                let columns: Vec<_> = columns.flatten().collect();
                if let [Some(left), Some(right)] = [
                    columns.first().and_then(Keys::of),
                    columns.get(1).and_then(Keys::of),
                ] {
                    let wide = right.len() + 1;
                    let mut counts = vec![0; (left.len() + 1) * wide];
                    for row in 0..batch.rows() {
                        let l = left.key(row).unwrap_or(left.len());
                        let r = right.key(row).unwrap_or(right.len());
                        counts[l * wide + r] += 1;
                    }
                    let word = |keys: &Keys<'_>, key: usize| match key < keys.len() {
                        true => keys.text(key).to_string(),
                        false => String::new(),
                    };
                    for (at, count) in counts.into_iter().enumerate().filter(|(_, n)| *n > 0) {
                        let pair = (word(&left, at / wide), word(&right, at % wide));
                        *found.entry(pair).or_default() += count;
                    }
                }
                Ok(())
            })?;
            Ok(found)
        })
        .try_reduce(Techniques::new, |left, right| Ok(add(left, right)))
}
