//! Partitions, shards and row groups: where the corpus is cut.
//!
//! Cuts are *times*, so that files of a partition don't overlap and a row group
//! knows, for each population, exactly which ordinals it holds.

use super::calendar::{Exits, Rhythm};
use super::files::PartitionBy;
use super::{Calendar, Chains, Config, Origin, Plan, Population, TimeLaw};
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

/// One file of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    pub date: u32,
    /// Index into the world's categories; `None` where files are partitioned by date only.
    pub category: Option<u32>,
    /// Number within its directory.
    pub part: u32,
    pub rows: u64,
    /// Its row groups in order: (partition, row group of the partition).
    pub row_groups: Vec<(usize, usize)>,
}

/// Low bits of `event.sequence`, which hold a row's ordinal in its partition; above stands the
/// partition's index.
pub const ORDINAL_BITS: u32 = 40;

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
    /// In order of time, without gap or overlap.
    pub row_groups: Vec<RowGroup>,
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
            Origin::Ends {
                class, bucket, day, ..
            } => root
                .child("ends")
                .with(u64::from(class))
                .with(u64::from(bucket) * 2 + u64::from(day)),
            Origin::Exits { category, turn, .. } => root
                .child("exits")
                .with(u64::from(category))
                .with(u64::from(turn)),
            Origin::Chains => root.child("chains"),
        }
    }

    /// Key of which of a date's alerts start a process.
    pub fn starts_key(&self, date: u32, category: u32) -> Key {
        self.key(category).child("starts").with(u64::from(date))
    }

    /// The population's time law on a date; chains have none, their events place themselves.
    pub fn law(&self, calendar: &Calendar, date: u32, category: u32) -> Option<TimeLaw> {
        let rhythm = match self.origin {
            Origin::Alerts => Rhythm::Alerts,
            Origin::Noise { scenario, variant } => calendar.noise_rhythm(scenario, variant),
            Origin::Life { .. } => Rhythm::Life,
            Origin::Ends {
                class,
                bucket,
                day,
                starts,
                first,
            } => {
                let of = Population {
                    origin: Origin::Life { class },
                    rows: starts,
                };
                let law = of.law(calendar, date - u32::from(day), category)?;
                return Some(law.ending(class, bucket, first, self.rows));
            }
            Origin::Exits {
                category,
                turn,
                starts,
                alerts,
            } => {
                let of = Population {
                    origin: Origin::Alerts,
                    rows: alerts,
                };
                let law = of.law(calendar, date, category)?;
                return Some(law.exiting(Exits {
                    starts,
                    key: of.starts_key(date, category),
                    turn,
                    rows: self.rows,
                }));
            }
            Origin::Chains => return None,
        };
        Some(calendar.law(rhythm, date, self.key(category), self.rows))
    }
}

impl Partition {
    /// `event.sequence` of the row with this ordinal in the partition.
    pub fn sequence(&self, ordinal: u64) -> i64 {
        (i64::from(self.index) << ORDINAL_BITS) + ordinal as i64
    }

    fn counter<'c>(&self, calendar: &Calendar, chains: &'c Chains) -> Counter<'c> {
        Counter::new(
            calendar.midnight(self.date),
            calendar.midnight(self.date + 1),
            self.category,
            &self.populations,
            self.date,
            calendar,
            chains,
        )
    }

    /// The rows in `from..to` of its date as a row group, without any cut of the plan.
    pub fn span(&self, plan: &Plan, from: i64, to: i64) -> RowGroup {
        let counter = self.counter(&plan.calendar, &plan.chains);
        between(&(from, counter.before(from)), &(to, counter.before(to)))
    }

    /// About `rows` rows from the `first`-th on as a row group, without any cut of the plan.
    pub fn around(&self, plan: &Plan, first: u64, rows: u64) -> RowGroup {
        let counter = self.counter(&plan.calendar, &plan.chains);
        let from = match first {
            0 => (counter.start, vec![0; self.populations.len()]),
            _ => counter.reach(first),
        };
        let to = match first + rows < self.rows {
            true => counter.reach(first + rows),
            false => (counter.end, counter.before(counter.end)),
        };
        between(&from, &to)
    }

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
        let row_groups = if rows <= config.row_group_rows {
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
        Partition {
            index,
            date,
            category,
            rows,
            populations,
            row_groups,
        }
    }
}

/// Packs row groups into files of about `config.shard_rows`.
pub(super) fn pack(partitions: &[Partition], config: &Config) -> Vec<Shard> {
    let mut shards: Vec<Shard> = Vec::new();
    for (p, partition) in partitions.iter().enumerate() {
        let category = match config.partition_by {
            PartitionBy::DateCategory => Some(partition.category),
            PartitionBy::Date => None,
        };
        for (g, group) in partition.row_groups.iter().enumerate() {
            let part = match shards.last_mut() {
                Some(shard) if (shard.date, shard.category) == (partition.date, category) => {
                    if shard.rows + group.rows / 2 < config.shard_rows {
                        shard.rows += group.rows;
                        shard.row_groups.push((p, g));
                        continue;
                    }
                    shard.part + 1
                }
                _ => 0,
            };
            shards.push(Shard {
                date: partition.date,
                category,
                part,
                rows: group.rows,
                row_groups: vec![(p, g)],
            });
        }
    }
    shards
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
    let counter = Counter::new(start, end, category, populations, date, calendar, chains);
    let groups = rows.div_ceil(config.row_group_rows);
    let mut cuts: Vec<(i64, Vec<u64>)> = vec![(start, vec![0; populations.len()])];
    for group in 1..groups {
        let target = (u128::from(rows) * u128::from(group) / u128::from(groups)) as u64;
        let (high, counts) = counter.reach(target);
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
        .map(|pair| between(&pair[0], &pair[1]))
        .collect()
}

/// The rows between two cuts, each a time and the rows of every population before it.
fn between(from: &(i64, Vec<u64>), to: &(i64, Vec<u64>)) -> RowGroup {
    let ordinals: Vec<_> = from.1.iter().zip(&to.1).map(|(&a, &b)| a..b).collect();
    RowGroup {
        from: from.0,
        to: to.0,
        first: from.1.iter().sum(),
        rows: ordinals.iter().map(|r| r.end - r.start).sum(),
        ordinals,
    }
}

/// Counts a partition's rows before a time.
struct Counter<'c> {
    start: i64,
    end: i64,
    category: u32,
    laws: Vec<Option<TimeLaw>>,
    chains: &'c Chains,
}

impl<'c> Counter<'c> {
    fn new(
        start: i64,
        end: i64,
        category: u32,
        populations: &[Population],
        date: u32,
        calendar: &Calendar,
        chains: &'c Chains,
    ) -> Self {
        let laws = populations.iter().map(|p| p.law(calendar, date, category));
        Counter {
            start,
            end,
            category,
            laws: laws.collect(),
            chains,
        }
    }

    /// Rows of each population before `time`.
    fn before(&self, time: i64) -> Vec<u64> {
        self.laws
            .iter()
            .map(|law| match law {
                Some(law) => law.before(time),
                None => self.chains.count(self.category, self.start, time),
            })
            .collect()
    }

    /// Least time with at least `target` rows before it, to the millisecond.
    fn reach(&self, target: u64) -> (i64, Vec<u64>) {
        let (mut low, mut high) = (self.start, self.end);
        while high - low > 1000 {
            let middle = low + (high - low) / 2;
            if self.before(middle).iter().sum::<u64>() < target {
                low = middle
            } else {
                high = middle
            }
        }
        (high, self.before(high))
    }
}
