//! Where a corpus has its files.

use std::path::{Path, PathBuf};

use crate::plan::{Plan, Shard, TruthShard};
use crate::world::World;

/// A corpus on disk.
#[derive(Debug, Clone)]
pub struct Corpus {
    pub root: PathBuf,
}

impl Corpus {
    /// A corpus at `root`.
    pub fn at(root: &Path) -> Self {
        Corpus {
            root: root.to_path_buf(),
        }
    }

    /// `plan.json`.
    pub fn plan(&self) -> PathBuf {
        self.root.join("plan.json")
    }

    /// `manifest.json`.
    pub fn manifest(&self) -> PathBuf {
        self.root.join("manifest.json")
    }

    /// `_SUCCESS`.
    pub fn success(&self) -> PathBuf {
        self.root.join("_SUCCESS")
    }

    /// What alerts were drawn from, relative to the root.
    pub const PROFILE: &'static str = "profile.json";

    /// Entities, relative to the root.
    pub const ENTITIES: [&'static str; 2] = ["entities/assets.parquet", "entities/users.parquet"];

    /// `journal/000012.json`, by the file's place in the plan.
    pub fn journal(&self, index: usize) -> PathBuf {
        self.root.join(format!("journal/{index:06}.json"))
    }

    /// `events/date=…/category=…/part-00000.parquet`, relative to the root.
    pub fn shard(plan: &Plan, world: &World, shard: &Shard) -> String {
        let config = &plan.config;
        let category = shard.category.map_or(String::new(), |category| {
            let name = &world.detections.categories[category as usize];
            format!("category={name}/")
        });
        format!(
            "events/date={}/{category}part-{:05}.{}",
            config.date(shard.date),
            shard.part,
            config.format.extension(config.compression)
        )
    }

    /// `truth/steps/date=…/part-00000.parquet`, relative to the root.
    pub fn truth(plan: &Plan, shard: &TruthShard) -> String {
        format!(
            "truth/{}/date={}/part-{:05}.parquet",
            shard.table.name(),
            plan.config.date(shard.date),
            shard.part
        )
    }

    /// `_SUCCESS` holds the manifest's digest.
    pub fn is_finished(&self) -> bool {
        let (Ok(manifest), Ok(success)) = (
            std::fs::read(self.manifest()),
            std::fs::read_to_string(self.success()),
        ) else {
            return false;
        };
        success.trim() == blake3::hash(&manifest).to_hex().as_str()
    }
}
