//! Reads the truth and entity tables: chains and playbooks, techniques of their steps,
//! benign lookalikes, hosts and accounts.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::read::{Batch, Read, add_pairs, read};
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
/// Maximum number of chains to choose from, if no more playbooks occur.
const MOST_CHAINS: usize = 40;

/// Chooses chains to show: the best example, and then the best of each playbook and of all.
#[derive(Debug, Default)]
struct Choice {
    of_playbooks: BTreeMap<String, Chain>,
    best: Vec<Chain>,
}

impl Choice {
    fn add(&mut self, chain: Chain) {
        let own = self.of_playbooks.get(&chain.playbook);
        if own.is_none_or(|own| own.worth() < chain.worth()) {
            (self.of_playbooks).insert(chain.playbook.clone(), chain.clone());
        }
        self.best.push(chain);
        // Now and then, so that memory is bounded and few chains are compared.
        if self.best.len() >= 4 * MOST_CHAINS {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.best
            .sort_by_cached_key(|chain| std::cmp::Reverse(chain.worth()));
        self.best.truncate(MOST_CHAINS);
    }

    /// The best first, the others by playbook and start.
    fn chosen(mut self) -> Vec<Chain> {
        self.cut();
        let best = self.best.first().map(|chain| chain.id.clone());
        let mut chosen: Vec<Chain> = self.of_playbooks.into_values().collect();
        for chain in self.best {
            let is_new = chosen.iter().all(|other| other.id != chain.id);
            if is_new && chosen.len() < MOST_CHAINS {
                chosen.push(chain);
            }
        }
        let key = |chain: &Chain| {
            (
                Some(&chain.id) != best.as_ref(),
                chain.playbook.clone(),
                chain.start,
            )
        };
        chosen.sort_by_cached_key(key);
        chosen
    }
}

/// Reads `truth/chains`: the playbooks, and chains to show, the best example first.
///
/// # Errors
/// A file is broken.
pub fn chains(corpus: &Corpus, files: &[&str]) -> Result<(BTreeMap<String, Playbook>, Vec<Chain>)> {
    let mut playbooks: BTreeMap<String, Playbook> = BTreeMap::new();
    let mut choice = Choice::default();
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
                choice.add(chain);
            }
            Ok(())
        })?;
    }
    Ok((playbooks, choice.chosen()))
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
                if let [left, right] = *how.columns {
                    // A table that lacks a column has nothing to count.
                    let _ = add_pairs(batch, [left, right], &mut found);
                }
                Ok(())
            })?;
            Ok(found)
        })
        .try_reduce(Techniques::new, |left, right| Ok(add(left, right)))
}
