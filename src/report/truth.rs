//! Reads the truth and entity tables: chains and playbooks, techniques of their steps,
//! benign lookalikes, hosts and accounts.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::read::{Batch, Read, add_pairs, read};
use crate::corpus::Corpus;
use crate::error::{Error, Result, shown};

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
    /// Maximum number of its events to show.
    #[serde(skip)]
    pub most: u64,
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
            Reverse(self.events),
            Reverse(self.id.clone()),
        )
    }
}

/// Maximum number of events of the chain that the page shows first, and of named ones.
const MOST_EVENTS: u64 = 400;
/// Maximum number of events of the others.
const FEWER_EVENTS: u64 = MOST_EVENTS / 4;
/// Maximum number of chains on a page, if no more are named.
const MOST_CHAINS: usize = 1_000;

/// Chooses chains to show: named ones, then the best of each playbook, the second best, and so on.
#[derive(Debug)]
struct Choice<'n> {
    names: &'n [String],
    named: BTreeMap<&'n str, Chain>,
    of_playbooks: BTreeMap<String, Vec<Chain>>,
}

impl<'n> Choice<'n> {
    fn new(names: &'n [String]) -> Self {
        Choice {
            names,
            named: BTreeMap::new(),
            of_playbooks: BTreeMap::new(),
        }
    }

    fn add(&mut self, chain: Chain) {
        if let Some(name) = self.names.iter().find(|name| **name == chain.id) {
            self.named.insert(name, chain);
            return;
        }
        let own = self.of_playbooks.entry(chain.playbook.clone()).or_default();
        own.push(chain);
        // Now and then, so that memory is bounded and few chains are compared.
        if own.len() >= 2 * MOST_CHAINS {
            cut(own);
        }
    }

    /// The first named chain or else the best, then the others by playbook and start.
    ///
    /// # Errors
    /// A name that no chain has.
    fn chosen(self) -> std::result::Result<Vec<Chain>, &'n str> {
        let mut names = self.names.iter().map(String::as_str);
        if let Some(missing) = names.find(|name| !self.named.contains_key(name)) {
            return Err(missing);
        }
        let room = MOST_CHAINS.saturating_sub(self.named.len());
        let ranked = self.of_playbooks.into_values().flat_map(|mut own| {
            cut(&mut own);
            own.into_iter().enumerate()
        });
        let mut ranked: Vec<(usize, Chain)> = ranked.collect();
        ranked.sort_by_cached_key(|(rank, chain)| (*rank, Reverse(chain.worth())));
        let named = self.named.into_values().map(|chain| Chain {
            most: MOST_EVENTS,
            ..chain
        });
        let ranked = ranked.into_iter().map(|(_, chain)| chain).take(room);
        let mut chosen: Vec<Chain> = named.chain(ranked).collect();
        let first = self.names.first();
        let first = first.or(chosen.first().map(|chain| &chain.id)).cloned();
        chosen.sort_by_cached_key(|chain| {
            let follows = first.as_ref() != Some(&chain.id);
            (follows, chain.playbook.clone(), chain.start)
        });
        if let Some(first) = chosen.first_mut() {
            first.most = MOST_EVENTS;
        }
        Ok(chosen)
    }
}

/// Keeps the best chains of a playbook, best first.
fn cut(chains: &mut Vec<Chain>) {
    chains.sort_by_cached_key(|chain| Reverse(chain.worth()));
    chains.truncate(MOST_CHAINS);
}

/// Reads `truth/chains`. Returns the playbooks, and the chains to show: the page shows the first at once.
///
/// # Errors
/// A file is broken, or no chain has one of the names.
pub fn chains(
    corpus: &Corpus,
    files: &[&str],
    names: &[String],
) -> Result<(BTreeMap<String, Playbook>, Vec<Chain>)> {
    let mut playbooks: BTreeMap<String, Playbook> = BTreeMap::new();
    let mut choice = Choice::new(names);
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
    let chosen = choice.chosen().map_err(|missing| {
        Error::setting(
            "--chain",
            format!("the corpus has no chain '{}'", shown(missing)),
            "give an attack_id of truth/chains",
        )
    })?;
    Ok((playbooks, chosen))
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
        most: FEWER_EVENTS,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(id: String, playbook: &str, events: u64) -> Chain {
        Chain {
            id,
            playbook: playbook.into(),
            start: 0,
            end: 1,
            hosts: Vec::new(),
            users: Vec::new(),
            steps: 1,
            events,
            stop_reason: "completed".into(),
            file: String::new(),
            most: FEWER_EVENTS,
        }
    }

    /// Many chains of the playbook `a`, the best first, and five of `b`.
    fn choice(names: &[String]) -> Choice<'_> {
        let mut choice = Choice::new(names);
        for i in 0..3 * MOST_CHAINS {
            choice.add(chain(format!("a{i}"), "a", 10 + i as u64));
        }
        for i in 0..5 {
            choice.add(chain(format!("b{i}"), "b", 5));
        }
        choice
    }

    #[test]
    fn every_playbook_has_its_part_of_the_page() {
        let chosen = choice(&[]).chosen().unwrap();
        assert_eq!(chosen.len(), MOST_CHAINS);
        assert_eq!(chosen.iter().filter(|c| c.playbook == "b").count(), 5);
        assert_eq!((chosen[0].id.as_str(), chosen[0].most), ("b0", MOST_EVENTS));
        assert!(chosen[1..].iter().all(|c| c.most == FEWER_EVENTS));
        let last = format!("a{}", MOST_CHAINS - 6);
        assert!(chosen.iter().any(|c| c.id == last), "the best of each");
    }

    #[test]
    fn named_chains_take_the_place_of_others() {
        let last = format!("a{}", 3 * MOST_CHAINS - 1);
        let names = [last.clone(), "b3".to_string(), last.clone()];
        let chosen = choice(&names).chosen().unwrap();
        assert_eq!((chosen.len(), &chosen[0].id), (MOST_CHAINS, &last));
        let whole = chosen.iter().filter(|c| c.most == MOST_EVENTS);
        assert_eq!(whole.count(), 2);
        let none = ["b3".to_string(), "c0".to_string()];
        assert_eq!(choice(&none).chosen().unwrap_err(), "c0");
    }
}
