//! Tables with one row per event: benign events that resemble an attack, and verdicts.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, Date32Array};

use super::{BATCH, EachColumns, Truth, integers, texts};
use crate::catalog::scenario::Verdict;
use crate::columns::table;
use crate::error::Result;
use crate::frame::{NONE, Order};
use crate::plan::truth::{has_verdict, lookalike, parts};
use crate::plan::{Origin, Partition, TruthShard};
use crate::progress::go_on;

/// Rows in batches; one without rows if there are none, since the file must have its columns.
fn batches<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let none = rows.is_empty().then_some(rows);
    none.into_iter().chain(rows.chunks(BATCH))
}

impl Truth<'_> {
    /// Calls `each` with the rows behind a file in order, row group by row group, for each partition
    /// with a population that is `wanted`.
    fn orders(
        &self,
        shard: &TruthShard,
        path: &Path,
        wanted: impl Fn(Origin) -> bool + Copy,
        mut each: impl FnMut(&Partition, &Order) -> Result<()>,
    ) -> Result<()> {
        let (partitions, groups) = (&self.plan.partitions, &self.plan.row_groups);
        let parts = parts(partitions, groups, shard.date, wanted);
        for group in parts[shard.part as usize].iter().map(|&at| &groups[at]) {
            go_on(self.progress, path)?;
            for index in group.partitions.clone() {
                let partition = &partitions[index];
                if partition.populations.iter().any(|p| wanted(p.origin)) {
                    let only = index..index + 1;
                    let order = Order::between(self.plan, only, group.from, group.to);
                    each(partition, &order)?;
                }
            }
        }
        Ok(())
    }

    /// The columns that every table of events begins with.
    fn places(
        &self,
        partition: &Partition,
        sequences: impl ExactSizeIterator<Item = i64>,
    ) -> [(&'static str, ArrayRef); 3] {
        let rows = sequences.len();
        let dates = vec![self.days_since_epoch(partition.date); rows];
        let category = partition.category as i32;
        let categories = texts(&self.tables.category, std::iter::repeat_n(category, rows));
        [
            ("event_sequence", integers(sequences)),
            ("event_date", Arc::new(Date32Array::from(dates))),
            ("event_category", categories),
        ]
    }

    /// `lookalikes`: benign rows that resemble a technique.
    pub(super) fn lookalikes(
        &self,
        shard: &TruthShard,
        path: &Path,
        each: &mut EachColumns<'_>,
    ) -> Result<()> {
        let catalog = &self.maker.catalog;
        let wanted = |origin| lookalike(origin, catalog).is_some();
        self.orders(shard, path, wanted, |partition, order| {
            let populations = partition.populations.iter();
            let kinds: Vec<_> = populations.map(|p| lookalike(p.origin, catalog)).collect();
            let rows: Vec<(i64, usize)> = order
                .numbered()
                .map(|(row, sequence)| (sequence, row.population as usize))
                .filter(|(_, population)| kinds[*population].is_some())
                .collect();
            let of = |what: &dyn Fn(usize) -> String| {
                let values: Vec<String> = (0..kinds.len()).map(what).collect();
                table(values)
            };
            let technique = |p: usize| {
                kinds[p].and_then(|(_, v)| {
                    let category = &catalog.categories[v.category];
                    category
                        .technique
                        .map(|t| (&catalog.techniques[t], category.tactic))
                })
            };
            let words = [
                of(&|p| technique(p).map_or(String::new(), |(t, _)| t.id.clone())),
                of(&|p| technique(p).map_or(String::new(), |(t, i)| t.tactics[i].clone())),
                of(&|p| kinds[p].map_or(String::new(), |(s, _)| s.name.clone())),
                of(&|p| kinds[p].map_or(String::new(), |(_, v)| v.verdict.word().into())),
                of(&|p| kinds[p].map_or(String::new(), |(_, v)| v.reason.clone())),
            ];
            for rows in batches(&rows) {
                let word = |i: usize| texts(&words[i], rows.iter().map(|r| r.1 as i32));
                let mut columns = self.places(partition, rows.iter().map(|r| r.0)).to_vec();
                columns.extend([
                    ("technique", word(0)),
                    ("tactic", word(1)),
                    ("scenario", word(2)),
                    ("verdict", word(3)),
                    ("reason", word(4)),
                ]);
                each(columns)?;
            }
            Ok(())
        })
    }

    /// `verdicts`: the rows whose verdict is not benign, of chains as well. The columns
    /// `labels.verdict` and `labels.noise_type` have the same, where events have labels.
    pub(super) fn verdicts(
        &self,
        shard: &TruthShard,
        path: &Path,
        each: &mut EachColumns<'_>,
    ) -> Result<()> {
        let catalog = &self.maker.catalog;
        let words = table(Verdict::WORDS);
        let wanted = |origin| has_verdict(origin, catalog);
        self.orders(shard, path, wanted, |partition, order| {
            let populations = partition.populations.iter();
            let scenarios: Vec<i32> = populations
                .map(|p| match p.origin {
                    Origin::Noise { scenario, .. } => scenario.into(),
                    _ => NONE,
                })
                .collect();
            let verdicts = self.maker.verdicts(order);
            let mut rows: Vec<(i64, Verdict, i32)> = Vec::new();
            order
                .numbered()
                .enumerate()
                .for_each(|(at, (row, sequence))| {
                    if let Some(verdict) = verdicts[at] {
                        rows.push((sequence, verdict, scenarios[row.population as usize]));
                    }
                });
            for rows in batches(&rows) {
                let noise = texts(&self.tables.noise_type, rows.iter().map(|r| r.2));
                let mut columns = self.places(partition, rows.iter().map(|r| r.0)).to_vec();
                columns.extend([
                    ("verdict", texts(&words, rows.iter().map(|r| r.1 as i32))),
                    ("noise_type", noise),
                ]);
                each(columns)?;
            }
            Ok(())
        })
    }
}
