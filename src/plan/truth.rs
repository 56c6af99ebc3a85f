//! Which truth files there will be, and for which dates.
//!
//! Truth is what the generator knows and a SIEM must find. It is cut like the events,
//! by date, so that each file can be made alone; what stands in it is the sink's.

use super::{Chains, Origin, Partition};
use crate::catalog::Catalog;
use crate::catalog::scenario::{Scenario, Variant, Verdict};
use crate::world::World;

/// A table of truth; its name is its directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TruthTable {
    /// One row a chain.
    Chains,
    /// One row an event of a chain.
    Steps,
    /// What ties a step to one before it.
    Edges,
    /// Indicators of compromise.
    Iocs,
    /// Benign rows that look like a technique.
    Lookalikes,
}

impl TruthTable {
    /// Directory under `truth/`.
    pub fn name(self) -> &'static str {
        match self {
            TruthTable::Chains => "chains",
            TruthTable::Steps => "steps",
            TruthTable::Edges => "edges",
            TruthTable::Iocs => "iocs",
            TruthTable::Lookalikes => "lookalikes",
        }
    }
}

/// One truth file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TruthShard {
    pub table: TruthTable,
    /// Date of its directory: of the chains' start; of the event for lookalikes.
    pub date: u32,
    /// Number within its directory; for steps, days from the chain's start to the event.
    pub part: u32,
}

/// The noise variant whose rows look like a technique and are benign, if a population is one.
pub fn lookalike(origin: Origin, catalog: &Catalog) -> Option<(&Scenario, &Variant)> {
    let Origin::Noise { scenario, variant } = origin else {
        return None;
    };
    let scenario = &catalog.scenarios[scenario as usize];
    let variant = &scenario.variants[variant as usize];
    let resembles = catalog.categories[variant.category].technique.is_some();
    (variant.verdict != Verdict::Benign && resembles).then_some((scenario, variant))
}

/// The truth files of a plan, by table and date.
pub(super) fn shards(
    partitions: &[Partition],
    chains: &Chains,
    world: &World,
    catalog: &Catalog,
) -> Vec<TruthShard> {
    let by_start = chains.counts_by_start(world, catalog);
    let mut starts: Vec<u32> = by_start.keys().map(|(start, _)| *start).collect();
    starts.dedup();
    let mut shards = Vec::new();
    for table in [TruthTable::Chains, TruthTable::Edges, TruthTable::Iocs] {
        shards.extend(starts.iter().map(|&date| TruthShard {
            table,
            date,
            part: 0,
        }));
    }
    shards.extend(by_start.keys().map(|&(date, event)| TruthShard {
        table: TruthTable::Steps,
        date,
        part: event - date,
    }));
    let mut dates: Vec<u32> = partitions
        .iter()
        .filter(|p| {
            p.populations
                .iter()
                .any(|q| lookalike(q.origin, catalog).is_some())
        })
        .map(|p| p.date)
        .collect();
    dates.dedup();
    shards.extend(dates.into_iter().map(|date| TruthShard {
        table: TruthTable::Lookalikes,
        date,
        part: 0,
    }));
    shards.sort_by_key(|s| (s.table, s.date, s.part));
    shards
}
