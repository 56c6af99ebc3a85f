//! Friction: attacks that stop early or have a failed step.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::facts::digest;
use crate::check::fields::{EventRow, Field as F};

/// State of the chains in some files.
#[derive(Default)]
pub struct Friction {
    /// By chain and step: number of alerts, and of alerts about a failure.
    steps: BTreeMap<(u64, i64), (u64, u64)>,
    stopped: BTreeSet<u64>,
}

impl Friction {
    /// Reads a row of a chain.
    pub fn read(&mut self, attack: &str, row: &EventRow<'_>) {
        let chain = digest(&attack);
        if row.text(F::StopReason) == Some("blocked") {
            self.stopped.insert(chain);
        }
        if row.text(F::Kind) != Some("alert") {
            return;
        }
        let step = row.integer(F::Step).unwrap_or(0);
        let counts = self.steps.entry((chain, step)).or_default();
        counts.0 += 1;
        counts.1 += u64::from(row.text(F::Outcome) == Some("failure"));
    }

    /// Adds the state of later files.
    pub fn add(&mut self, other: Friction) {
        self.stopped.extend(other.stopped);
        for (step, (alerts, failures)) in other.steps {
            let mine = self.steps.entry(step).or_default();
            mine.0 += alerts;
            mine.1 += failures;
        }
    }

    /// Number of chains, and the share that stopped early or had a step in which every alert is about a
    /// failure.
    pub fn share(&self) -> (u64, Option<f64>) {
        let chains: BTreeSet<u64> = self.steps.keys().map(|(chain, _)| *chain).collect();
        let failed = self.steps.iter().filter(|(_, (all, bad))| all == bad);
        let mut rubbed: BTreeSet<u64> = failed.map(|((chain, _), _)| *chain).collect();
        rubbed.extend(self.stopped.intersection(&chains));
        let all = chains.len() as u64;
        (all, (all > 0).then(|| rubbed.len() as f64 / all as f64))
    }
}
