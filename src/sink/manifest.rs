//! The corpus's papers: `plan.json`, `manifest.json`, and the journal between them.
//!
//! `plan.json` is written before the first row and lists every file there will be; each
//! finished file leaves a journal entry; the manifest is both together. So a corpus can
//! be finished from its directory alone.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::file::Whole;
use super::parquet::CREATED_BY;
use super::target::Corpus;
use crate::error::{Error, Result};
use crate::plan::fingerprint::FORMAT_VERSION;
use crate::plan::{Composition, Config, Plan, Shard};
use crate::world::World;

/// `plan.json`: what will be written, before the first row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanFile {
    pub fingerprint: String,
    pub format_version: u32,
    pub created_by: String,
    pub config: Config,
    pub composition: Composition,
    pub hosts: u64,
    pub users: u64,
    pub partitions: Vec<PlannedPartition>,
    pub shards: Vec<PlannedShard>,
    /// Truth and entities, relative to the root.
    pub tables: Vec<String>,
}

/// A partition of the plan; its index is the high part of `event.sequence`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedPartition {
    pub index: u32,
    pub date: String,
    pub category: String,
    pub rows: u64,
}

/// A file of events; times are Unix microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedShard {
    pub path: String,
    pub rows: u64,
    pub row_groups: usize,
    pub from: i64,
    pub to: i64,
}

fn planned(plan: &Plan, world: &World, shard: &Shard) -> PlannedShard {
    let groups = shard
        .row_groups
        .iter()
        .map(|&(p, g)| &plan.partitions[p].row_groups[g]);
    PlannedShard {
        path: Corpus::shard(plan, world, shard),
        rows: shard.rows,
        row_groups: shard.row_groups.len(),
        from: groups.clone().map(|g| g.from).min().unwrap_or(0),
        to: groups.map(|g| g.to).max().unwrap_or(0),
    }
}

impl PlanFile {
    /// `plan.json` of a plan.
    pub fn new(plan: &Plan, world: &World) -> Self {
        let partitions = plan.partitions.iter().map(|p| PlannedPartition {
            index: p.index,
            date: plan.config.date(p.date).to_string(),
            category: world.detections.categories[p.category as usize].clone(),
            rows: p.rows,
        });
        let truth = plan.truth.iter().map(|shard| Corpus::truth(plan, shard));
        let entities = Corpus::ENTITIES.iter().map(|path| path.to_string());
        PlanFile {
            fingerprint: plan.fingerprint.clone(),
            format_version: FORMAT_VERSION,
            created_by: CREATED_BY.into(),
            config: plan.config.clone(),
            composition: plan.composition,
            hosts: world.hosts.len() as u64,
            users: u64::from(world.accounts.user_count()),
            partitions: partitions.collect(),
            shards: plan
                .shards
                .iter()
                .map(|s| planned(plan, world, s))
                .collect(),
            tables: truth.chain(entities).collect(),
        }
    }

    /// Reads the `plan.json` of a corpus.
    ///
    /// # Errors
    /// There is none, or this version can't read it.
    pub fn read(corpus: &Corpus) -> Result<Self> {
        let path = corpus.plan();
        let text = std::fs::read(&path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Error::input(
                &path,
                None,
                "there is no such file",
                "name the directory of a corpus that fusiongen wrote",
            ),
            _ => Error::io(&path, "read", e),
        })?;
        serde_json::from_slice(&text).map_err(|e| {
            Error::input(
                &path,
                format!("line {}", e.line()),
                format!("this version ({CREATED_BY}) can't read it: {e}"),
                "use the version that wrote the corpus",
            )
        })
    }

    /// Every data file in order: events, truth, entities.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let shards = self.shards.iter().map(|s| s.path.as_str());
        shards.chain(self.tables.iter().map(String::as_str))
    }
}

/// A file of the corpus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Relative to the root, with `/`.
    pub path: String,
    pub rows: u64,
    pub bytes: u64,
    /// BLAKE3, hexadecimal.
    pub blake3: String,
    /// Times of the first and last row, Unix microseconds; events only.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last: Option<i64>,
}

impl FileEntry {
    /// Notes a finished file in the journal.
    ///
    /// # Errors
    /// I/O.
    pub fn note(&self, corpus: &Corpus, index: usize, fingerprint: &str) -> Result<()> {
        let entry = JournalEntry {
            fingerprint: fingerprint.into(),
            file: self.clone(),
        };
        // Not synced: what a crash takes from the journal is made again.
        let path = corpus.journal(index);
        let mut file = Whole::create(&path)?;
        std::io::Write::write_all(&mut file, &to_json(&entry))
            .map_err(|e| Error::io(&path, "write", e))?;
        file.finish().map(|_| ())
    }

    /// The journal's entry for file `index`, if it is this corpus's and says `path`.
    pub fn noted(corpus: &Corpus, index: usize, path: &str, fingerprint: &str) -> Option<Self> {
        let text = std::fs::read(corpus.journal(index)).ok()?;
        let entry: JournalEntry = serde_json::from_slice(&text).ok()?;
        (entry.fingerprint == fingerprint && entry.file.path == path).then_some(entry.file)
    }

    /// Whether the file stands there as noted: size, then digest.
    pub fn stands(&self, root: &Path) -> bool {
        let path = root.join(&self.path);
        std::fs::symlink_metadata(&path).is_ok_and(|m| m.is_file() && m.len() == self.bytes)
            && super::file::digest(&path).is_ok_and(|digest| digest == self.blake3)
    }
}

/// `journal/<shard>.json`.
#[derive(Debug, Serialize, Deserialize)]
struct JournalEntry {
    fingerprint: String,
    #[serde(flatten)]
    file: FileEntry,
}

/// Shares of events.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ratios {
    pub attack_chain_ratio: f64,
    pub noise_ratio: f64,
}

/// `manifest.json`: what was written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub fingerprint: String,
    pub format_version: u32,
    pub created_by: String,
    pub events: u64,
    pub composition: Composition,
    pub asked: Ratios,
    pub actual: Ratios,
    pub chains_per_host_day: f64,
    /// `plan.json` first, then the plan's order.
    pub files: Vec<FileEntry>,
}

impl Manifest {
    /// Reads the manifest of a finished corpus.
    ///
    /// # Errors
    /// There is none, or it is broken.
    pub fn read(corpus: &Corpus) -> Result<Self> {
        let path = corpus.manifest();
        let text = std::fs::read(&path).map_err(|e| Error::io(&path, "read", e))?;
        serde_json::from_slice(&text).map_err(|e| {
            Error::input(
                &path,
                format!("line {}", e.line()),
                format!("this is no manifest of {CREATED_BY}: {e}"),
                "use the version that wrote the corpus",
            )
        })
    }

    /// The manifest of a finished corpus.
    pub fn new(plan: &PlanFile, files: Vec<FileEntry>) -> Self {
        let c = plan.composition;
        let (chain, noise) = plan.config.ratios(&mut Vec::new());
        let share = |events: u64| events as f64 / c.events as f64;
        Manifest {
            fingerprint: plan.fingerprint.clone(),
            format_version: plan.format_version,
            created_by: plan.created_by.clone(),
            events: c.events,
            composition: c,
            asked: Ratios {
                attack_chain_ratio: chain as f64 / 1e6,
                noise_ratio: noise as f64 / 1e6,
            },
            actual: Ratios {
                attack_chain_ratio: share(c.chain_events),
                noise_ratio: share(c.noise),
            },
            chains_per_host_day: c.chains as f64
                / (plan.hosts as f64 * f64::from(plan.config.days)),
            files,
        }
    }
}

/// Pretty JSON with a line's end.
pub fn to_json<T: Serialize>(value: &T) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
    text.push(b'\n');
    text
}
