//! The truth files of a corpus, and their dates.
//!
//! Truth is what the generator knows and a SIEM must find. It is split by date, like the events,
//! so that each file can be made independently. The module `truth` makes the rows.

use super::{Chains, Origin, Partition, RowGroup};
use crate::catalog::Catalog;
use crate::catalog::scenario::{Scenario, Variant, Verdict};
use crate::world::World;

/// A truth table; its name is its directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TruthTable {
    /// One row per chain.
    Chains,
    /// One row per event of a chain.
    Steps,
    /// Links from a step to an earlier one.
    Edges,
    /// Indicators of compromise.
    Iocs,
    /// Benign rows that resemble a technique.
    Lookalikes,
    /// Every row whose verdict is not benign.
    Verdicts,
}

impl TruthTable {
    /// All tables.
    pub const ALL: [TruthTable; 6] = [
        TruthTable::Chains,
        TruthTable::Steps,
        TruthTable::Edges,
        TruthTable::Iocs,
        TruthTable::Lookalikes,
        TruthTable::Verdicts,
    ];

    /// Directory under `truth/`.
    pub fn name(self) -> &'static str {
        match self {
            TruthTable::Chains => "chains",
            TruthTable::Steps => "steps",
            TruthTable::Edges => "edges",
            TruthTable::Iocs => "iocs",
            TruthTable::Lookalikes => "lookalikes",
            TruthTable::Verdicts => "verdicts",
        }
    }
}

/// One truth file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TruthShard {
    pub table: TruthTable,
    /// Date of its directory: that of the chains' start; for lookalikes and verdicts, that of the event.
    pub date: u32,
    /// Number within its directory; for steps, the days from the chain's start to the event, for
    /// lookalikes and verdicts, the index in [`parts`].
    pub part: u32,
}

/// The noise variant of a population whose rows resemble a technique but are benign.
pub fn lookalike(origin: Origin, catalog: &Catalog) -> Option<(&Scenario, &Variant)> {
    let Origin::Noise { scenario, variant } = origin else {
        return None;
    };
    let scenario = &catalog.scenarios[scenario as usize];
    let variant = &scenario.variants[variant as usize];
    let resembles = catalog.categories[variant.category].technique.is_some();
    (variant.verdict != Verdict::Benign && resembles).then_some((scenario, variant))
}

/// Whether the rows of a population have a verdict other than benign: all have, or none.
pub fn has_verdict(origin: Origin, catalog: &Catalog) -> bool {
    match origin {
        Origin::Alerts | Origin::Chains => true,
        Origin::Noise { scenario, variant } => {
            let scenario = &catalog.scenarios[scenario as usize];
            scenario.variants[variant as usize].verdict != Verdict::Benign
        }
        Origin::Days | Origin::Life { .. } | Origin::Exits { .. } => false,
    }
}

/// Most events behind one file of lookalikes or verdicts, so that it takes no longer than some files
/// of events.
const PART_EVENTS: u64 = 64 << 20;

/// The row groups of each file of lookalikes or verdicts of a date: those with a population that is
/// `wanted`.
pub fn parts(
    partitions: &[Partition],
    row_groups: &[RowGroup],
    date: u32,
    wanted: impl Fn(Origin) -> bool,
) -> Vec<Vec<usize>> {
    let mut parts: Vec<Vec<usize>> = Vec::new();
    let mut events = 0;
    for (index, group) in row_groups.iter().enumerate() {
        let mut of_group = partitions[group.partitions.clone()].iter();
        let is_wanted = |p: &Partition| p.populations.iter().any(|q| wanted(q.origin));
        if partitions[group.partitions.start].date != date || !of_group.any(is_wanted) {
            continue;
        }
        match parts.last_mut() {
            Some(part) if events + group.rows <= PART_EVENTS => part.push(index),
            _ => {
                events = 0;
                parts.push(vec![index]);
            }
        }
        events += group.rows;
    }
    parts
}

/// The truth files of a plan, by table and date.
pub(super) fn shards(
    partitions: &[Partition],
    row_groups: &[RowGroup],
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
    let is_lookalike = |origin: Origin| lookalike(origin, catalog).is_some();
    let is_suspect = |origin: Origin| has_verdict(origin, catalog);
    let of_events: [(TruthTable, &dyn Fn(Origin) -> bool); 2] = [
        (TruthTable::Lookalikes, &is_lookalike),
        (TruthTable::Verdicts, &is_suspect),
    ];
    for (table, is_in) in of_events {
        let mut dates: Vec<u32> = partitions.iter().map(|p| p.date).collect();
        dates.dedup();
        for date in dates {
            let parts = parts(partitions, row_groups, date, is_in).len() as u32;
            shards.extend((0..parts).map(|part| TruthShard { table, date, part }));
        }
    }
    shards.sort_by_key(|s| (s.table, s.date, s.part));
    shards
}
