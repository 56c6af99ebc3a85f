//! The order of a row group: all populations of its partitions merged by (time, partition,
//! population, ordinal).

use std::ops::Range;

use super::FRAME_ROWS;
use crate::plan::chains::ChainEvent;
use crate::plan::days::Rows as ScriptRows;
use crate::plan::{Origin, Plan, RowGroup, TimeLaw};

/// One row's identity within its row group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    pub time: i64,
    /// Index into the order's populations.
    pub population: u32,
    /// Ordinal in the population; for chains and scripts, index into the source's list.
    pub ordinal: u64,
}

/// A population of a row group.
#[derive(Debug)]
pub struct Source {
    /// Index into the plan's partitions.
    pub partition: usize,
    /// Index into the partition's populations.
    pub population: usize,
    /// `None` for chains and scripts, whose rows have times of their own.
    pub law: Option<TimeLaw>,
    /// The events of chains in the row group, in order; empty for other populations.
    pub chain_events: Vec<ChainEvent>,
    /// The rows of scripts in the row group; empty for other populations.
    pub scripts: ScriptRows,
}

/// The rows of a row group in order.
#[derive(Debug)]
pub struct Order {
    pub rows: Vec<Row>,
    pub sources: Vec<Source>,
    partitions: Range<usize>,
    /// `event.sequence` of each partition's first row in each frame: frame by frame, in the order
    /// of the partitions.
    sequences: Vec<i64>,
}

impl Order {
    /// The rows of a row group.
    pub fn new(plan: &Plan, group: &RowGroup) -> Self {
        Order::between(plan, group.partitions.clone(), group.from, group.to)
    }

    /// The rows of some partitions of a date in `from..to`.
    pub fn between(plan: &Plan, partitions: Range<usize>, from: i64, to: i64) -> Self {
        let mut rows: Vec<Row> = Vec::new();
        let mut sources: Vec<Source> = Vec::new();
        let mut sequences = Vec::new();
        let mut times = Vec::new();
        for index in partitions.clone() {
            let partition = &plan.partitions[index];
            let mut first = 0;
            for (p, law) in partition.laws(&plan.calendar).into_iter().enumerate() {
                let population = sources.len() as u32;
                let mut chain_events = Vec::new();
                let mut scripts = ScriptRows::default();
                times.clear();
                let is_script = partition.populations[p].origin == Origin::Days;
                let before = match is_script {
                    true => {
                        scripts = plan.scripts.rows(&plan.calendar, partition.date, from, to);
                        scripts.before
                    }
                    false => partition.before_of(plan, p, law.as_ref(), from),
                };
                first += before;
                let first_ordinal = match &law {
                    _ if is_script => {
                        times.extend(scripts.iter().map(|(_, row)| row.time));
                        0
                    }
                    Some(law) => {
                        let until = partition.before_of(plan, p, Some(law), to);
                        law.times(before..until, &mut times);
                        before
                    }
                    None => {
                        chain_events = plan.chains.events_in(partition.category, from, to);
                        times.extend(chain_events.iter().map(|event| event.time));
                        0
                    }
                };
                rows.extend(
                    times
                        .iter()
                        .zip(first_ordinal..)
                        .map(|(&time, ordinal)| Row {
                            time,
                            population,
                            ordinal,
                        }),
                );
                sources.push(Source {
                    partition: index,
                    population: p,
                    law,
                    chain_events,
                    scripts,
                });
            }
            sequences.push(partition.sequence(first));
        }
        // The sort uses the sorted runs, and is stable: equal times keep this order.
        if sources.len() > 1 {
            rows.sort_by_key(|row| row.time);
        }
        let mut order = Order {
            rows,
            sources,
            partitions,
            sequences: Vec::new(),
        };
        order.number(sequences);
        order
    }

    /// Sets `sequences`, given those of the first frame.
    fn number(&mut self, mut next: Vec<i64>) {
        let frames = self.frames();
        let merged = self.partitions.len();
        self.sequences.reserve(frames * merged);
        for frame in 0..frames {
            self.sequences.extend(&next);
            let rows = self.range(frame);
            match &mut next[..] {
                [only] => *only += rows.len() as i64,
                _ => {
                    for row in &self.rows[rows] {
                        let source = &self.sources[row.population as usize];
                        next[source.partition - self.partitions.start] += 1;
                    }
                }
            }
        }
    }

    /// The date of all rows.
    pub fn date(&self, plan: &Plan) -> u32 {
        plan.partitions[self.partitions.start].date
    }

    /// The number of frames.
    pub fn frames(&self) -> usize {
        self.rows.len().div_ceil(FRAME_ROWS)
    }

    /// The rows of a frame.
    pub fn range(&self, frame: usize) -> Range<usize> {
        let first = frame * FRAME_ROWS;
        first..(first + FRAME_ROWS).min(self.rows.len())
    }

    /// The rows of each source among `rows`, as indices of it.
    pub(super) fn by_source(&self, rows: &[Row]) -> Vec<Vec<usize>> {
        let mut counts = vec![0; self.sources.len()];
        for row in rows {
            counts[row.population as usize] += 1;
        }
        let mut of_source: Vec<_> = counts.into_iter().map(Vec::with_capacity).collect();
        for (at, row) in rows.iter().enumerate() {
            of_source[row.population as usize].push(at);
        }
        of_source
    }

    /// `event.sequence` of the rows of a frame.
    pub fn sequences(&self, frame: usize) -> Vec<i64> {
        let merged = self.partitions.len();
        let rows = self.range(frame);
        let mut next = self.sequences[frame * merged..][..merged].to_vec();
        if let [first] = next[..] {
            return (first..first + rows.len() as i64).collect();
        }
        let of_row = |row: &Row| {
            let source = &self.sources[row.population as usize];
            let next = &mut next[source.partition - self.partitions.start];
            *next += 1;
            *next - 1
        };
        self.rows[rows].iter().map(of_row).collect()
    }

    /// All rows, each with its `event.sequence`.
    pub fn numbered(&self) -> impl Iterator<Item = (&Row, i64)> {
        (0..self.frames()).flat_map(|frame| {
            self.rows[self.range(frame)]
                .iter()
                .zip(self.sequences(frame))
        })
    }
}
