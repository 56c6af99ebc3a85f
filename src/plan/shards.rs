//! Partitions, shards and row groups: where the corpus is cut.
//!
//! Cuts are *times*, so that files of a partition don't overlap and a row group
//! knows, for each population, exactly which ordinals it holds.

use super::calendar::Rhythm;
use super::{Calendar, Chains, Config, Origin, Population, TimeLaw};
use crate::random::Key;

/// One unit of work: all rows of a partition in `from..to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowGroup {
    /// Unix microseconds.
    pub from: i64,
    pub to: i64,
    /// Ordinal of its first row in the partition.
    pub first: u64,
    pub rows: u64,
    /// For each population of the partition, its ordinals.
    pub ordinals: Vec<std::ops::Range<u64>>,
}

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// Number within the partition.
    pub part: u32,
    pub rows: u64,
    pub row_groups: Vec<RowGroup>,
}

/// One (date, category).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Index in the plan; the high part of `event.sequence`.
    pub index: u32,
    pub date: u32,
    /// Index into the world's categories.
    pub category: u32,
    pub rows: u64,
    pub populations: Vec<Population>,
    pub shards: Vec<Shard>,
}

impl Population {
    /// Key part of the population: (category, origin), never its shard.
    pub fn key(&self, category: u32) -> Key {
        let root = Key::root(u64::from(category));
        match self.origin {
            Origin::Alerts => root.child("alerts"),
            Origin::Noise { scenario, variant } => root
                .child("noise")
                .with(u64::from(scenario))
                .with(u64::from(variant)),
            Origin::Life { class } => root.child("life").with(u64::from(class)),
            Origin::Chains => root.child("chains"),
        }
    }

    /// The population's time law on a date; chains have none, their events place themselves.
    pub fn law(&self, calendar: &Calendar, date: u32, category: u32) -> Option<TimeLaw> {
        let rhythm = match self.origin {
            Origin::Alerts => Rhythm::Alerts,
            Origin::Noise { .. } => Rhythm::Noise,
            Origin::Life { .. } => Rhythm::Life,
            Origin::Chains => return None,
        };
        Some(calendar.law(rhythm, date, self.key(category), self.rows))
    }
}

impl Partition {
    pub(super) fn new(
        index: u32,
        date: u32,
        category: u32,
        populations: Vec<Population>,
        config: &Config,
        calendar: &Calendar,
        chains: &Chains,
    ) -> Self {
        let rows = populations.iter().map(|p| p.rows).sum();
        let (start, end) = (calendar.midnight(date), calendar.midnight(date + 1));
        let groups = if rows <= config.row_group_rows {
            let ordinals = populations.iter().map(|p| 0..p.rows).collect();
            vec![RowGroup {
                from: start,
                to: end,
                first: 0,
                rows,
                ordinals,
            }]
        } else {
            cut(
                start,
                end,
                rows,
                category,
                &populations,
                date,
                config,
                calendar,
                chains,
            )
        };
        let mut shards: Vec<Shard> = Vec::new();
        for group in groups {
            match shards.last_mut() {
                Some(shard) if shard.rows + group.rows / 2 < config.shard_rows => {
                    shard.rows += group.rows;
                    shard.row_groups.push(group);
                }
                _ => shards.push(Shard {
                    part: shards.len() as u32,
                    rows: group.rows,
                    row_groups: vec![group],
                }),
            }
        }
        Partition {
            index,
            date,
            category,
            rows,
            populations,
            shards,
        }
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "one caller, and each is a different thing"
)]
fn cut(
    start: i64,
    end: i64,
    rows: u64,
    category: u32,
    populations: &[Population],
    date: u32,
    config: &Config,
    calendar: &Calendar,
    chains: &Chains,
) -> Vec<RowGroup> {
    let laws: Vec<Option<TimeLaw>> = populations
        .iter()
        .map(|p| p.law(calendar, date, category))
        .collect();
    let before = |time: i64| -> Vec<u64> {
        laws.iter()
            .map(|law| match law {
                Some(law) => law.before(time),
                None => chains.count(category, start, time),
            })
            .collect()
    };
    let groups = rows.div_ceil(config.row_group_rows);
    let mut cuts: Vec<(i64, Vec<u64>)> = vec![(start, vec![0; populations.len()])];
    for group in 1..groups {
        let target = (u128::from(rows) * u128::from(group) / u128::from(groups)) as u64;
        // Least time with at least `target` rows before it, to the millisecond.
        let (mut low, mut high) = (start, end);
        while high - low > 1000 {
            let middle = low + (high - low) / 2;
            if before(middle).iter().sum::<u64>() < target {
                low = middle
            } else {
                high = middle
            }
        }
        let counts = before(high);
        if high < end
            && cuts
                .last()
                .is_some_and(|last| last.0 < high && last.1 != counts)
        {
            cuts.push((high, counts));
        }
    }
    let all: Vec<u64> = populations.iter().map(|p| p.rows).collect();
    // A cut after the last row would make an empty group.
    if cuts.last().is_some_and(|last| last.1 == all) {
        cuts.pop();
    }
    cuts.push((end, all));
    cuts.windows(2)
        .map(|pair| {
            let ordinals: Vec<_> = pair[0]
                .1
                .iter()
                .zip(&pair[1].1)
                .map(|(&a, &b)| a..b)
                .collect();
            RowGroup {
                from: pair[0].0,
                to: pair[1].0,
                first: pair[0].1.iter().sum(),
                rows: ordinals.iter().map(|r| r.end - r.start).sum(),
                ordinals,
            }
        })
        .collect()
}
