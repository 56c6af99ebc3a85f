//! Audits of a finished corpus: whether it is what the design promises, and whether it is whole.
//!
//! Reads what `sink/` wrote and nothing else: no world, no frame. So what it says of a
//! corpus is what stands in the files. Row audits are in `rows`, `windows` and `linux`;
//! what ties rows together in `cross` and `chains`; figures in [`figures`].

mod alerts;
pub mod audits;
mod chains;
mod cloud;
mod cross;
mod entities;
mod facts;
mod fields;
pub mod figures;
pub mod integrity;
mod linux;
mod logins;
mod records;
mod report;
mod rows;
mod windows;

use std::cmp::Reverse;
use std::path::Path;

use rayon::prelude::*;

use alerts::Alerts;
use audits::Tallies;
use chains::Chains;
use cross::Cross;
use facts::{Facts, batches};
use fields::{Rows, mask};
use figures::{Figures, Thresholds};

pub use audits::{Audit, Example};
pub use figures::{Figure, Status};
pub use integrity::{Damage, Integrity, integrity};
pub use report::{Invariant, Report};

use crate::corpus::Corpus;
use crate::error::Result;
use crate::grounding::Profile;

/// Rows up to which what ties rows together is audited exactly: some 25 bytes of memory each.
pub const EXACT_ROWS: u64 = 100_000_000;
/// Rows that hosts, accounts and chains are sampled to of a longer corpus.
pub const SAMPLED_ROWS: u64 = 20_000_000;

/// How a corpus is checked.
#[derive(Debug, Clone, Copy)]
pub struct Options<'p> {
    /// The profile that the corpus was made from, instead of the one that it keeps.
    pub profile: Option<&'p Profile>,
    /// Rows up to which every host, account and chain is followed through all files. A
    /// longer corpus has a keyed sample of them followed, so that memory is bounded.
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

/// What one file shows.
struct Part {
    tallies: Tallies,
    cross: Cross,
    chains: Chains,
    figures: Figures,
}

fn read(facts: &Facts, alerts: &Alerts, root: &Path, file: &str) -> Result<Part> {
    let mut part = Part {
        tallies: Tallies::of(file),
        cross: Cross::default(),
        chains: Chains::default(),
        figures: Figures::default(),
    };
    batches(
        &root.join(file),
        |builder| Some(mask(builder.schema(), builder.parquet_schema())),
        |batch| {
            let rows = Rows::new(batch);
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
        },
    )?;
    part.cross.close();
    Ok(part)
}

/// Audits a finished corpus; `progress` is told of rows.
///
/// # Errors
/// It is no finished Parquet corpus, a file is missing or broken, or I/O.
pub fn check(root: &Path, options: Options<'_>, progress: &dyn Fn(u64)) -> Result<Report> {
    let facts = Facts::read(root, options.exact_rows)?;
    let thresholds = Thresholds::embedded()?;
    // What the caller gives, else what the corpus keeps; an older corpus keeps none.
    let is_kept = facts.plan.tables.iter().any(|path| path == Corpus::PROFILE);
    let kept = is_kept
        .then(|| Profile::read(&root.join(Corpus::PROFILE)))
        .transpose()?;
    let (profile, given) = match (options.profile.cloned(), kept) {
        // The corpus's scale may be one that its maker gave.
        (Some(mut profile), Some(kept)) => {
            profile.rescale(kept.severity_scale);
            (profile, true)
        }
        (Some(profile), None) | (None, Some(profile)) => (profile, true),
        (None, None) => (Profile::embedded(), false),
    };
    let profile = &profile;
    let alerts = Alerts::new(profile);
    let mut tallies = Tallies::of("events");
    let (mut cross, mut chains, mut figures) =
        (Cross::default(), Chains::default(), Figures::default());
    // Files are read side by side and added in a fixed order, so that a report is a function
    // of the corpus; a window of them bounds memory. Files of one length share a window: none
    // waits for a long one.
    let window = rayon::current_num_threads() * 2;
    let mut shards: Vec<_> = facts.plan.shards.iter().collect();
    shards.sort_by_key(|shard| Reverse(shard.rows));
    for shards in shards.chunks(window) {
        let parts: Vec<Part> = shards
            .par_iter()
            .map(|shard| read(&facts, &alerts, root, &shard.path))
            .collect::<Result<_>>()?;
        for (mut part, shard) in parts.into_iter().zip(shards) {
            // Rows that disagree with earlier files have passed in their own.
            cross.add(part.cross, &mut part.tallies);
            tallies.add(part.tallies);
            chains.add(part.chains);
            figures.add(part.figures);
            progress(shard.rows);
        }
    }
    let mut last = Tallies::of("events");
    cross.finish(&facts, &mut last);
    tallies.add(last);
    let mut last = Tallies::of("entities/assets.parquet");
    entities::audit(root, &mut last)?;
    tallies.add(last);
    let mut last = Tallies::of("truth");
    chains.finish(&facts, root, &mut last)?;
    let figures = figures.finish(&facts, &thresholds, (profile, &alerts), given, &mut last);
    tallies.add(last);
    Ok(Report::new(&facts, &thresholds, &tallies, figures, given))
}
