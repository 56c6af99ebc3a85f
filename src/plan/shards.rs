//! Partitions, shards and row groups: how the corpus is split.
//!
//! Splits are at *times*, so files of a partition do not overlap, and a row group has an exact
//! range of ordinals of each population.

use std::ops::Range;

use rayon::prelude::*;

use super::days::Counts;
use super::files::PartitionBy;
use super::{Calendar, Chains, Config, Origin, Plan, Population, Scripts, TimeLaw};

/// Microseconds.
const MILLISECOND: i64 = 1_000;
const MINUTE: i64 = 60_000_000;
/// Number of events from which partitions are split by several threads.
const PARALLEL: u64 = 100_000_000;

/// One unit of work: all rows of some partitions of a date in `from..to`, in order of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowGroup {
    /// Indices into the plan's partitions, which are of one date: one partition if every category
    /// has its own files, all partitions of the date otherwise.
    pub partitions: Range<usize>,
    /// Unix microseconds.
    pub from: i64,
    pub to: i64,
    pub rows: u64,
}

/// One file of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    pub date: u32,
    /// Index into the world's categories; `None` if files are partitioned by date only.
    pub category: Option<u32>,
    /// Number within its directory.
    pub part: u32,
    pub rows: u64,
    /// Its row groups in order: indices into the plan's.
    pub row_groups: Range<usize>,
}

/// Number of low bits of `event.sequence`, which hold a row's ordinal in its partition. The high bits
/// hold the partition's index.
pub const ORDINAL_BITS: u32 = 40;

/// One (date, category).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Index in the plan.
    pub index: u32,
    /// The high part of `event.sequence`: the index, counted on from the periods before.
    pub number: u32,
    pub date: u32,
    /// Index into the world's categories.
    pub category: u32,
    pub rows: u64,
    pub populations: Vec<Population>,
}

impl Partition {
    /// `event.sequence` of the row with this ordinal in the partition.
    pub fn sequence(&self, ordinal: u64) -> i64 {
        (i64::from(self.number) << ORDINAL_BITS) + ordinal as i64
    }

    /// The time laws of its populations.
    pub fn laws(&self, calendar: &Calendar) -> Vec<Option<TimeLaw>> {
        let laws = (self.populations.iter()).map(|p| p.law(calendar, self.date, self.category));
        laws.collect()
    }

    /// The number of rows before `time`, a time of the partition's date.
    pub fn before(&self, plan: &Plan, time: i64) -> u64 {
        // Laws take longer than these.
        if time <= plan.calendar.midnight(self.date) {
            return 0;
        }
        if time >= plan.calendar.midnight(self.date + 1) {
            return self.rows;
        }
        let laws = self.laws(&plan.calendar);
        let counted = (0..laws.len()).map(|p| self.before_of(plan, p, laws[p].as_ref(), time));
        counted.sum()
    }

    /// The number of rows of a population before `time`, a time of the partition's date; `law` is the
    /// population's.
    pub fn before_of(
        &self,
        plan: &Plan,
        population: usize,
        law: Option<&TimeLaw>,
        time: i64,
    ) -> u64 {
        let midnight = plan.calendar.midnight(self.date);
        if time <= midnight {
            return 0;
        }
        if time >= plan.calendar.midnight(self.date + 1) {
            return self.populations[population].rows;
        }
        match (law, self.populations[population].origin) {
            (Some(law), _) => law.before(time),
            (None, Origin::Days) => plan.scripts.before(&plan.calendar, self.date, time),
            (None, _) => plan.chains.count(self.category, midnight, time),
        }
    }
}

impl Plan {
    /// About `rows` rows of a partition from row `first` on as a row group, independent of the
    /// plan's splits.
    pub fn around(&self, partition: &Partition, first: u64, rows: u64) -> RowGroup {
        let index = partition.index as usize;
        let counter = Counter::new(
            std::slice::from_ref(partition),
            &self.calendar,
            &self.chains,
            &self.scripts,
        );
        let (from, before) = match first {
            0 => (counter.start, 0),
            _ => counter.reach(first),
        };
        let (to, until) = match first + rows < partition.rows {
            true => counter.reach(first + rows),
            false => (counter.end, partition.rows),
        };
        RowGroup {
            partitions: index..index + 1,
            from,
            to,
            rows: until - before,
        }
    }

    /// The rows of a row group that are of one category; `None` if it has no such partition.
    pub fn only(&self, group: &RowGroup, category: u32) -> Option<RowGroup> {
        let index = group
            .partitions
            .clone()
            .find(|&p| self.partitions[p].category == category)?;
        if group.partitions.len() == 1 {
            return Some(group.clone());
        }
        let partition = &self.partitions[index];
        Some(self.span(partition, group.from, group.to))
    }

    /// The rows of a partition in `from..to` of its date as a row group, independent of the plan's
    /// splits.
    pub fn span(&self, partition: &Partition, from: i64, to: i64) -> RowGroup {
        let index = partition.index as usize;
        let before = |time| partition.before(self, time);
        RowGroup {
            partitions: index..index + 1,
            from,
            to,
            rows: before(to) - before(from),
        }
    }

    /// The partitions of a date, as indices.
    pub fn partitions_of(&self, date: u32) -> Range<usize> {
        let until = |date: u32| self.partitions.partition_point(|p| p.date < date);
        until(date)..until(date + 1)
    }
}

/// Row groups of about `config.row_group_rows`, by partition or by date.
pub(super) fn split(
    partitions: &[Partition],
    config: &Config,
    calendar: &Calendar,
    chains: &Chains,
    scripts: &Scripts,
) -> Vec<RowGroup> {
    let together = |a: &Partition, b: &Partition| match config.partition_by {
        PartitionBy::DateCategory => false,
        PartitionBy::Date => a.date == b.date,
    };
    let mut first = 0;
    let merged = partitions.chunk_by(together).map(|merged| {
        let range = first..first + merged.len();
        first = range.end;
        range
    });
    let merged: Vec<Range<usize>> = merged.collect();
    let split = |range| row_groups(partitions, range, config, calendar, chains, scripts);
    match pool(config.events) {
        Some(pool) => pool.install(|| merged.into_par_iter().flat_map_iter(split).collect()),
        None => merged.into_iter().flat_map(split).collect(),
    }
}

/// Threads that split partitions; none if the plan takes less time than starting them, or if they
/// cannot be started. The pool is the plan's own: a process that is forked has no global one.
fn pool(events: u64) -> Option<rayon::ThreadPool> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let worthwhile = events >= PARALLEL && threads > 1;
    let builder = rayon::ThreadPoolBuilder::new().num_threads(threads);
    worthwhile.then(|| builder.build().ok()).flatten()
}

/// The row groups of the partitions `merged`, which are of one date.
fn row_groups(
    partitions: &[Partition],
    merged: Range<usize>,
    config: &Config,
    calendar: &Calendar,
    chains: &Chains,
    scripts: &Scripts,
) -> Vec<RowGroup> {
    let of = &partitions[merged.clone()];
    let rows: u64 = of.iter().map(|p| p.rows).sum();
    let Some(first) = of.first() else {
        return Vec::new();
    };
    if rows <= config.row_group_rows {
        return vec![RowGroup {
            partitions: merged,
            from: calendar.midnight(first.date),
            to: calendar.midnight(first.date + 1),
            rows,
        }];
    }
    let counter = Counter::new(of, calendar, chains, scripts);
    cut(
        &counter,
        &merged,
        rows,
        rows.div_ceil(config.row_group_rows),
    )
}

/// Packs row groups into files of about `config.shard_rows`.
pub(super) fn pack(
    row_groups: &[RowGroup],
    partitions: &[Partition],
    config: &Config,
) -> Vec<Shard> {
    let mut shards: Vec<Shard> = Vec::new();
    for (g, group) in row_groups.iter().enumerate() {
        let partition = &partitions[group.partitions.start];
        let category = match config.partition_by {
            PartitionBy::DateCategory => Some(partition.category),
            PartitionBy::Date => None,
        };
        let part = match shards.last_mut() {
            Some(shard) if (shard.date, shard.category) == (partition.date, category) => {
                if shard.rows + group.rows / 2 < config.shard_rows {
                    shard.rows += group.rows;
                    shard.row_groups.end = g + 1;
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
            row_groups: g..g + 1,
        });
    }
    shards
}

/// Splits the `rows` rows of `merged` into about `groups` row groups of the same size.
fn cut(counter: &Counter<'_>, merged: &Range<usize>, rows: u64, groups: u64) -> Vec<RowGroup> {
    let targets: Vec<u64> = (1..groups)
        .map(|group| (u128::from(rows) * u128::from(group) / u128::from(groups)) as u64)
        .collect();
    // A row group may have 1% more or fewer rows than its neighbours.
    let slack = rows / groups / 200;
    let mut cuts = vec![(counter.start, 0)];
    counter.reach_all(&targets, slack, &mut |time, count| {
        if time < counter.end
            && cuts
                .last()
                .is_some_and(|last| last.0 < time && last.1 != count)
        {
            cuts.push((time, count));
        }
    });
    // A split after the last row would make an empty group.
    if cuts.last().is_some_and(|last| last.1 == rows) {
        cuts.pop();
    }
    cuts.push((counter.end, rows));
    let pairs = cuts.windows(2).map(|pair| RowGroup {
        partitions: merged.clone(),
        from: pair[0].0,
        to: pair[1].0,
        rows: pair[1].1 - pair[0].1,
    });
    pairs.collect()
}

/// Finds times by the number of rows before them, of partitions of one date.
struct Counter<'c> {
    start: i64,
    end: i64,
    /// Laws of the populations of all partitions; `None` for chains and scripts.
    laws: Vec<Option<TimeLaw>>,
    /// By population: rows of scripts by minute.
    minutes: Vec<Option<&'c Counts>>,
    /// The least time between two splits: scripts are counted by the minute.
    finest: i64,
    /// Rows of these populations.
    rows: Vec<u64>,
    /// Steps of chains with rows on the date.
    steps: Vec<Placed>,
    chains: &'c Chains,
}

/// A step of a chain, and a range of its rows.
struct Placed {
    /// Index into the counter's populations.
    population: usize,
    chain: u32,
    step: u8,
    rows: Range<u32>,
}

/// A time, and the number of rows of every population before it.
type Split = (i64, Vec<u64>);

impl<'c> Counter<'c> {
    fn new(
        partitions: &[Partition],
        calendar: &Calendar,
        chains: &'c Chains,
        scripts: &'c Scripts,
    ) -> Self {
        let date = partitions.first().map_or(0, |p| p.date);
        let (start, end) = (calendar.midnight(date), calendar.midnight(date + 1));
        let (mut laws, mut rows, mut steps) = (Vec::new(), Vec::new(), Vec::new());
        let mut minutes = Vec::new();
        for partition in partitions {
            let origins = partition.populations.iter().map(|p| p.origin);
            for (law, origin) in partition.laws(calendar).into_iter().zip(origins) {
                let is_script = origin == Origin::Days;
                minutes.push(is_script.then(|| scripts.counts(calendar, date)));
                if origin == Origin::Chains {
                    let spans = chains.spans(partition.category, start, end);
                    steps.extend(spans.map(|(chain, step, rows)| Placed {
                        population: laws.len(),
                        chain,
                        step,
                        rows,
                    }));
                }
                laws.push(law);
            }
            rows.extend(partition.populations.iter().map(|p| p.rows));
        }
        let is_scripted = minutes.iter().any(Option::is_some);
        Counter {
            start,
            end,
            laws,
            minutes,
            finest: if is_scripted { MINUTE } else { MILLISECOND },
            rows,
            steps,
            chains,
        }
    }

    /// Earliest time with at least `target` rows before it, to the millisecond, and their number.
    fn reach(&self, target: u64) -> (i64, u64) {
        let mut found = (self.end, self.rows.iter().sum());
        self.reach_all(&[target], 0, &mut |time, count| found = (time, count));
        found
    }

    /// Calls `each` with a time for each of the ascending targets, and the number of rows before it:
    /// within `slack` of the target where a millisecond has no more. All targets share one search,
    /// and a population or step is only searched between rows that it has between two times.
    fn reach_all(&self, targets: &[u64], slack: u64, each: &mut dyn FnMut(i64, u64)) {
        let low = (self.start, vec![0; self.laws.len()]);
        let high = (self.end, self.rows.clone());
        let search = Search {
            counter: self,
            slack,
        };
        search.between(&low, &high, &self.steps, targets, each);
    }
}

/// A search for targets.
struct Search<'s> {
    counter: &'s Counter<'s>,
    slack: u64,
}

impl Search<'_> {
    /// Finds the targets between two splits; `steps` have the rows that are between them.
    fn between(
        &self,
        low: &Split,
        high: &Split,
        steps: &[Placed],
        targets: &[u64],
        each: &mut dyn FnMut(i64, u64),
    ) {
        if targets.is_empty() {
            return;
        }
        let finest = self.counter.finest;
        if high.0 - low.0 <= finest {
            let count = high.1.iter().sum();
            targets.iter().for_each(|_| each(high.0, count));
            return;
        }
        let middle = low.0 + (high.0 - low.0) / 2 / finest * finest;
        let ranges = low.1.iter().zip(&high.1).zip(&self.counter.laws);
        let minute = ((middle - self.counter.start) / MINUTE) as usize;
        let counts = (ranges.zip(&self.counter.minutes)).map(|(((&low, &high), law), minutes)| {
            match (law, minutes) {
                (Some(law), _) => law.before_within(middle, low..high),
                (None, Some(minutes)) => minutes[minute],
                // Its steps are counted below.
                (None, None) => low,
            }
        });
        let mut split: Split = (middle, counts.collect());
        let (mut earlier, mut later) = (Vec::new(), Vec::new());
        for placed in steps {
            let rows = &placed.rows;
            let before = self
                .counter
                .chains
                .before(placed.chain, placed.step, middle);
            let before = before.clamp(rows.start, rows.end);
            split.1[placed.population] += u64::from(before - rows.start);
            let part = |rows: Range<u32>| Placed { rows, ..*placed };
            if before > rows.start {
                earlier.push(part(rows.start..before));
            }
            if before < rows.end {
                later.push(part(before..rows.end));
            }
        }
        let count: u64 = split.1.iter().sum();
        let is_near = |target: u64| self.slack > 0 && target.abs_diff(count) <= self.slack;
        let left = targets.partition_point(|&target| target <= count && !is_near(target));
        let near = targets[left..].partition_point(|&target| is_near(target));
        self.between(low, &split, &earlier, &targets[..left], each);
        (0..near).for_each(|_| each(middle, count));
        self.between(&split, high, &later, &targets[left + near..], each);
    }
}
