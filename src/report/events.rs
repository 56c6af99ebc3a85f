//! Counts over all events: one pass, batch by batch, with files in parallel.
//!
//! Memory depends on the size of the result (bins, categories, signatures, techniques), not of the
//! corpus. Sums do not depend on the order of files.

use std::collections::{BTreeMap, HashMap};

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef};
use rayon::prelude::*;

use super::read::{Batch, Keys, Read, add_pairs, read};
use crate::corpus::Corpus;
use crate::error::{Error, Result};
use crate::progress::Progress;

/// Number of kinds of events, see [`Kinds`].
pub const KINDS: usize = 3;

/// Counts by kind.
pub type ByKind = [u64; KINDS];

/// How events are classified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kinds {
    /// Noise, standalone alerts, chains: by the labels.
    Labelled,
    /// `event`, `alert`: by `event.kind`, if events have no labels.
    Unlabelled,
}

impl Kinds {
    /// Names, in the order of counts.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Kinds::Labelled => &["noise", "alerts", "chains"],
            Kinds::Unlabelled => &["events", "alerts"],
        }
    }
}

const COLUMNS: [&str; 12] = [
    "@timestamp",
    "event.kind",
    "event.provider",
    "event.code",
    "fusionai.category",
    "rule.name",
    "fusionai.noise",
    "attack.step",
    "labels.verdict",
    "threat.technique.id",
    "threat.technique.subtechnique.id",
    "threat.tactic.name",
];

/// Counts of events.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Counts {
    /// By time, in bins since the epoch.
    pub bins: BTreeMap<i64, ByKind>,
    /// By category.
    pub categories: BTreeMap<String, ByKind>,
    /// By signature, without events that have none.
    pub signatures: BTreeMap<String, ByKind>,
    /// By verdict.
    pub verdicts: BTreeMap<String, u64>,
    /// By provider and code of the record; both may be empty.
    pub telemetry: BTreeMap<(String, String), u64>,
    /// By tactic name and technique id, for events with `threat.*`.
    pub techniques: BTreeMap<(String, String), u64>,
}

fn add_all<K: Ord, const N: usize>(
    into: &mut BTreeMap<K, [u64; N]>,
    from: impl IntoIterator<Item = (K, [u64; N])>,
) {
    for (key, counts) in from {
        let sums = into.entry(key).or_insert([0; N]);
        for (sum, count) in sums.iter_mut().zip(counts) {
            *sum += count;
        }
    }
}

impl Counts {
    /// Counts the events of these files; `bin` is in microseconds.
    ///
    /// # Errors
    /// A file is missing or damaged.
    pub fn of(
        corpus: &Corpus,
        files: &[(&str, u64)],
        kinds: Kinds,
        bin: i64,
        progress: &dyn Progress,
    ) -> Result<Self> {
        files
            .par_iter()
            .try_fold(Counts::default, |mut counts, (path, rows)| {
                let how = Read {
                    columns: &COLUMNS,
                    dictionaries: true,
                    only: None,
                };
                read(corpus, path, how, |batch| {
                    counts.read(batch, kinds, bin).ok_or_else(|| {
                        Error::input(
                            &corpus.root.join(path),
                            None,
                            "these are not events of fusiongen: a column is missing or has another type",
                            "give the directory of a corpus that this version wrote",
                        )
                    })
                })?;
                progress.advance(*rows);
                Ok(counts)
            })
            .try_reduce(Counts::default, |left, right| Ok(left.and(right)))
    }

    fn and(mut self, other: Self) -> Self {
        add_all(&mut self.bins, other.bins);
        add_all(&mut self.categories, other.categories);
        add_all(&mut self.signatures, other.signatures);
        for (verdict, count) in other.verdicts {
            *self.verdicts.entry(verdict).or_default() += count;
        }
        for (mine, theirs) in [
            (&mut self.techniques, other.techniques),
            (&mut self.telemetry, other.telemetry),
        ] {
            for (pair, count) in theirs {
                *mine.entry(pair).or_default() += count;
            }
        }
        self
    }

    /// Number of events by kind.
    pub fn events(&self) -> ByKind {
        let mut all = [0; KINDS];
        for counts in self.bins.values() {
            for (sum, count) in all.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        all
    }

    /// Adds a batch; `None` if a column has an unexpected type.
    fn read(&mut self, batch: &Batch, kinds: Kinds, bin: i64) -> Option<()> {
        let kinds = kinds_of(batch, kinds)?;
        self.times(batch, &kinds, bin)?;
        tally(
            &batch.column("fusionai.category")?,
            &kinds,
            &mut self.categories,
        )?;
        tally(&batch.column("rule.name")?, &kinds, &mut self.signatures)?;
        if let Some(verdicts) = batch.column("labels.verdict") {
            let mut by_kind = BTreeMap::new();
            tally(&verdicts, &kinds, &mut by_kind)?;
            for (verdict, counts) in by_kind {
                *self.verdicts.entry(verdict).or_default() += counts.iter().sum::<u64>();
            }
        }
        add_pairs(batch, ["event.provider", "event.code"], &mut self.telemetry)?;
        self.techniques(batch)
    }

    fn times(&mut self, batch: &Batch, kinds: &[u8], bin: i64) -> Option<()> {
        let times = batch.column("@timestamp")?;
        let times = times.as_primitive_opt::<TimestampMicrosecondType>()?;
        // Files are sorted by time, so neighbouring rows are mostly in the same bin.
        let (mut at, mut counts) = (i64::MIN, [0; KINDS]);
        for (&time, &kind) in times.values().iter().zip(kinds) {
            let found = time.div_euclid(bin);
            if found != at {
                if at != i64::MIN {
                    add_all(&mut self.bins, [(at, counts)]);
                }
                (at, counts) = (found, [0; KINDS]);
            }
            counts[usize::from(kind)] += 1;
        }
        if at != i64::MIN {
            add_all(&mut self.bins, [(at, counts)]);
        }
        Some(())
    }

    fn techniques(&mut self, batch: &Batch) -> Option<()> {
        let lists = |path: &str| {
            let column = batch.column(path)?;
            column.as_list_opt::<i32>().cloned()
        };
        let techniques = lists("threat.technique.id")?;
        let tactics = lists("threat.tactic.name")?;
        // Only ECS has sub-techniques in fields of their own.
        let subs = lists("threat.technique.subtechnique.id");
        let technique_keys = Keys::of(techniques.values())?;
        let tactic_keys = Keys::of(tactics.values())?;
        let sub_keys = match &subs {
            Some(subs) => Some(Keys::of(subs.values())?),
            None => None,
        };
        let mut found: HashMap<(usize, Option<usize>, usize), u64> = HashMap::new();
        for row in 0..batch.rows() {
            if techniques.is_null(row) || tactics.is_null(row) {
                continue;
            }
            let first = techniques.value_offsets()[row] as usize;
            let tactic = tactics.value_offsets()[row] as usize;
            for i in 0..techniques.value_length(row) as usize {
                // One tactic for each technique, or the first for all.
                let more = i.min((tactics.value_length(row) as usize).saturating_sub(1));
                let sub = subs
                    .as_ref()
                    .zip(sub_keys.as_ref())
                    .and_then(|(subs, keys)| {
                        let there = subs.is_valid(row) && i < subs.value_length(row) as usize;
                        let at = subs.value_offsets()[row] as usize + i;
                        there.then(|| keys.key(at)).flatten()
                    });
                if let (Some(technique), Some(tactic)) = (
                    technique_keys.key(first + i),
                    tactic_keys.key(tactic + more),
                ) {
                    *found.entry((technique, sub, tactic)).or_default() += 1;
                }
            }
        }
        for ((technique, sub, tactic), count) in found {
            let id = match (sub, &sub_keys) {
                (Some(sub), Some(keys)) => keys.text(sub),
                _ => technique_keys.text(technique),
            };
            let pair = (tactic_keys.text(tactic).to_string(), id.to_string());
            *self.techniques.entry(pair).or_default() += count;
        }
        Some(())
    }
}

/// The kind of every row.
fn kinds_of(batch: &Batch, kinds: Kinds) -> Option<Vec<u8>> {
    let rows = 0..batch.rows();
    Some(match kinds {
        Kinds::Labelled => {
            let noise = batch.column("fusionai.noise")?;
            let noise = noise.as_boolean_opt()?;
            let step = batch.column("attack.step")?;
            rows.map(|row| match (step.is_valid(row), noise.value(row)) {
                (true, _) => 2,
                (false, true) => 0,
                (false, false) => 1,
            })
            .collect()
        }
        Kinds::Unlabelled => {
            let kind = batch.column("event.kind")?;
            let keys = Keys::of(&kind)?;
            let alert = keys.find("alert");
            rows.map(|row| u8::from(alert.is_some() && keys.key(row) == alert))
                .collect()
        }
    })
}

/// Counts a text column by kind; nulls are left out.
fn tally(column: &ArrayRef, kinds: &[u8], into: &mut BTreeMap<String, ByKind>) -> Option<()> {
    let keys = Keys::of(column)?;
    let mut counts = vec![[0; KINDS]; keys.len()];
    for (row, &kind) in kinds.iter().enumerate() {
        if let Some(key) = keys.key(row) {
            counts[key][usize::from(kind)] += 1;
        }
    }
    let found = counts.into_iter().enumerate();
    let found = found.filter(|(_, counts)| *counts != [0; KINDS]);
    add_all(
        into,
        found.map(|(key, counts)| (keys.text(key).to_string(), counts)),
    );
    Some(())
}
