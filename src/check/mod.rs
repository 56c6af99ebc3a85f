//! Audits of a finished corpus: whether it keeps the design's promises, and whether it is complete.
//!
//! Reads only what `sink/` wrote: no world, no frame. So the result depends on the files alone.
//! Audits of single rows are in `rows`, `windows` and `linux`, relations between rows in `cross` and
//! `chains`, figures in [`figures`].

mod alerts;
pub mod audits;
mod chains;
mod cloud;
mod cross;
mod entities;
pub mod explain;
mod facts;
mod fields;
pub mod figures;
pub mod integrity;
mod linux;
mod logins;
mod order;
mod records;
mod report;
mod rows;
mod tables;
mod windows;

use std::cmp::Reverse;
use std::collections::HashMap;

use rayon::prelude::*;

use alerts::Alerts;
use audits::Tallies;
use chains::Chains;
use cross::Cross;
use facts::{Facts, event_batches};
use fields::{EventBatch, mask};
use figures::{Figures, Thresholds};

pub use audits::{Audit, Example};
pub use explain::Explanation;
pub use figures::{Figure, Status};
pub use integrity::{Damage, Integrity, integrity};
pub use report::{Invariant, Report};

use crate::corpus::Corpus;
use crate::error::{Error, Result};
use crate::grounding::Profile;
use crate::progress::{Progress, go_on};

/// Number of rows up to which relations between rows are audited exactly. Each row takes about 30 bytes
/// of memory.
pub const EXACT_ROWS: u64 = 100_000_000;
/// In a longer corpus, hosts, accounts and chains are sampled to about this many rows.
pub const SAMPLED_ROWS: u64 = 20_000_000;

/// Options of a check.
#[derive(Debug, Clone, Copy)]
pub struct Options<'p> {
    /// The profile to compare with, instead of the one in the corpus.
    pub profile: Option<&'p Profile>,
    /// Number of rows up to which every host, account and chain is followed through all files. In a
    /// longer corpus a sample of them is followed, so that memory is bounded.
    pub exact_rows: u64,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options {
            profile: None,
            exact_rows: EXACT_ROWS,
        }
    }
}

/// The state from one file.
struct Part {
    tallies: Tallies,
    cross: Cross,
    chains: Chains,
    figures: Figures,
}

fn read(
    facts: &Facts,
    alerts: &Alerts,
    corpus: &Corpus,
    file: &str,
    progress: &dyn Progress,
) -> Result<Part> {
    let mut part = Part {
        tallies: Tallies::of(file),
        cross: Cross::default(),
        chains: Chains::default(),
        figures: Figures::default(),
    };
    event_batches(corpus, &facts.plan.config, file, mask, |batch| {
        go_on(progress, &corpus.root)?;
        let rows = EventBatch::new(batch);
        for index in 0..rows.len {
            let row = rows.row(index);
            rows::audit(facts, &row, &mut part.tallies);
            windows::audit(facts, &row, &mut part.tallies);
            linux::audit(&row, &mut part.tallies);
            cloud::audit(&row, &mut part.tallies);
            part.cross.read(facts, &row, &mut part.tallies);
            part.chains.read(facts, &row, &mut part.tallies);
            part.figures.read(facts, &row);
            if let Some(place) = alerts.audit(facts, &row, &mut part.tallies) {
                part.figures.end(place);
            }
        }
        Ok(())
    })?;
    part.cross.close();
    Ok(part)
}

/// The profile that a corpus was grounded on.
fn profile_of(corpus: &Corpus) -> Result<Profile> {
    let path = corpus.root.join(Corpus::PROFILE);
    let text = corpus.read(Corpus::PROFILE);
    Profile::parse(&path, &text.map_err(|e| Error::io(&path, "read", e))?)
}

/// Audits a finished corpus; tells `progress` the number of rows read; it may stop the check.
///
/// # Errors
/// The directory is not a finished corpus, a file is missing or damaged, or I/O.
pub fn check(corpus: &Corpus, options: Options<'_>, progress: &dyn Progress) -> Result<Report> {
    corpus.watched(progress, || audit(corpus, options, progress))
}

fn audit(corpus: &Corpus, options: Options<'_>, progress: &dyn Progress) -> Result<Report> {
    progress.step("read plan, entities and truth");
    let facts = Facts::read(corpus, options.exact_rows)?;
    let thresholds = Thresholds::embedded()?;
    // The caller's profile, else the corpus's own; older corpora have none.
    let is_kept = facts.plan.tables.iter().any(|path| path == Corpus::PROFILE);
    let kept = is_kept.then(|| profile_of(corpus)).transpose()?;
    let (profile, given) = match (options.profile.cloned(), kept) {
        // The corpus's scale may be one that the user chose with --severity-scale.
        (Some(mut profile), Some(kept)) => {
            profile.rescale(kept.severity_scale);
            (profile, true)
        }
        (Some(profile), None) | (None, Some(profile)) => (profile, true),
        (None, None) => (Profile::embedded(), false),
    };
    let profile = &profile;
    let alerts = Alerts::new(profile);
    progress.step("read events");
    let mut tallies = Tallies::of("events");
    let (mut cross, mut chains, mut figures) =
        (Cross::default(), Chains::default(), Figures::default());
    // Files are read in parallel and added in a fixed order, so that the report is a function of
    // the corpus. A window of files bounds memory. Files of similar length share a window, so that
    // none waits for a long one.
    let listed = facts.manifest.files.iter();
    let bytes: HashMap<&str, u64> = listed.map(|f| (f.path.as_str(), f.bytes)).collect();
    let window = rayon::current_num_threads() * 2;
    let mut shards: Vec<_> = facts.plan.shards.iter().collect();
    shards.sort_by_key(|shard| Reverse(shard.rows));
    for shards in shards.chunks(window) {
        let parts: Vec<Part> = shards
            .par_iter()
            .map(|shard| read(&facts, &alerts, corpus, &shard.path, progress))
            .collect::<Result<_>>()?;
        for (mut part, shard) in parts.into_iter().zip(shards) {
            // Rows that contradict earlier files have passed in their own file.
            cross.add(part.cross, &mut part.tallies);
            tallies.add(part.tallies);
            chains.add(part.chains);
            figures.add(part.figures);
            progress.advance(shard.rows);
            progress.file(
                &shard.path,
                shard.rows,
                bytes.get(shard.path.as_str()).map_or(0, |bytes| *bytes),
            );
        }
    }
    progress.step("compared files with each other");
    let mut last = Tallies::of("events");
    cross.finish(&facts, &mut last);
    tallies.add(last);
    let mut last = Tallies::of("entities/assets.parquet");
    entities::audit(corpus, &mut last)?;
    tallies.add(last);
    let mut last = Tallies::of("events");
    tables::audit(&facts, corpus, &mut last)?;
    tallies.add(last);
    let mut last = Tallies::of("truth");
    chains.finish(&facts, corpus, &mut last)?;
    let figures = figures.finish(&facts, &thresholds, (profile, &alerts), given, &mut last);
    tallies.add(last);
    Ok(Report::new(&facts, &thresholds, &tallies, figures, given))
}
