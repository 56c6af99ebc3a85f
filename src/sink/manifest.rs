//! `plan.json` and `manifest.json`.

use serde::Serialize;

use super::parquet::CREATED_BY;
use super::target::Corpus;
use crate::plan::fingerprint::FORMAT_VERSION;
use crate::plan::{Composition, Config, Plan};
use crate::world::World;

/// `plan.json`: what will be written, before the first row.
#[derive(Debug, Serialize)]
pub struct PlanFile<'p> {
    pub fingerprint: &'p str,
    pub format_version: u32,
    pub created_by: &'p str,
    pub config: &'p Config,
    pub composition: &'p Composition,
    pub hosts: usize,
    pub users: u32,
    pub partitions: Vec<PlannedPartition<'p>>,
}

/// A partition of the plan.
#[derive(Debug, Serialize)]
pub struct PlannedPartition<'p> {
    pub index: u32,
    pub date: String,
    pub category: &'p str,
    pub rows: u64,
    pub shards: Vec<PlannedShard>,
}

/// A shard of the plan; times are Unix microseconds.
#[derive(Debug, Serialize)]
pub struct PlannedShard {
    pub path: String,
    pub rows: u64,
    pub row_groups: usize,
    pub from: i64,
    pub to: i64,
}

/// `plan.json` of a plan.
pub fn plan_file<'p>(plan: &'p Plan, world: &'p World) -> PlanFile<'p> {
    PlanFile {
        fingerprint: &plan.fingerprint,
        format_version: FORMAT_VERSION,
        created_by: CREATED_BY,
        config: &plan.config,
        composition: &plan.composition,
        hosts: world.hosts.len(),
        users: world.accounts.user_count(),
        partitions: plan
            .partitions
            .iter()
            .map(|p| PlannedPartition {
                index: p.index,
                date: plan.config.date(p.date).to_string(),
                category: &world.detections.categories[p.category as usize],
                rows: p.rows,
                shards: p
                    .shards
                    .iter()
                    .map(|s| PlannedShard {
                        path: Corpus::shard(plan, world, p, s),
                        rows: s.rows,
                        row_groups: s.row_groups.len(),
                        from: s.row_groups.first().map_or(0, |g| g.from),
                        to: s.row_groups.last().map_or(0, |g| g.to),
                    })
                    .collect(),
            })
            .collect(),
    }
}

/// A file of the corpus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrittenFile {
    /// Relative to the root, with `/`.
    pub path: String,
    pub rows: u64,
    pub bytes: u64,
    /// BLAKE3, hexadecimal.
    pub blake3: String,
}

/// Shares of events.
#[derive(Debug, Serialize)]
pub struct Ratios {
    pub attack_chain_ratio: f64,
    pub noise_ratio: f64,
}

/// `manifest.json`: what was written.
#[derive(Debug, Serialize)]
pub struct Manifest<'p> {
    pub fingerprint: &'p str,
    pub format_version: u32,
    pub created_by: &'p str,
    pub events: u64,
    pub composition: &'p Composition,
    pub asked: Ratios,
    pub actual: Ratios,
    pub chains_per_host_day: f64,
    pub files: &'p [WrittenFile],
}

/// The manifest of a finished corpus. `files` are in the plan's order, `plan.json` first.
pub fn manifest<'p>(plan: &'p Plan, world: &World, files: &'p [WrittenFile]) -> Manifest<'p> {
    let c = &plan.composition;
    let (chain, noise) = plan.config.ratios(&mut Vec::new());
    let share = |events: u64| events as f64 / c.events as f64;
    Manifest {
        fingerprint: &plan.fingerprint,
        format_version: FORMAT_VERSION,
        created_by: CREATED_BY,
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
            / (world.hosts.len() as f64 * f64::from(plan.config.days)),
        files,
    }
}
