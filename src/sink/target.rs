//! The corpus directory: what may be there, what is made there.

use std::path::{Path, PathBuf};

use super::file::{is_temporary, sweep};
use crate::error::{Error, Result};
use crate::plan::{Plan, Shard, TruthShard};
use crate::world::World;

/// A corpus on disk.
#[derive(Debug, Clone)]
pub struct Corpus {
    pub root: PathBuf,
}

/// Everything a corpus's root may hold.
const OURS: [&str; 7] = [
    "plan.json",
    "events",
    "truth",
    "entities",
    "manifest.json",
    "_SUCCESS",
    "journal",
];

/// What stands in a corpus directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    Nothing,
    /// This corpus, not finished.
    Unfinished,
    /// This corpus, whole.
    Whole,
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

    /// Looks at what stands here, and makes the directory. This corpus is kept unless it is
    /// to be made `again`, another one is removed if `overwrite`; leftovers of killed runs are swept.
    ///
    /// # Errors
    /// Another corpus, or foreign files: nothing is touched.
    pub fn prepare(&self, fingerprint: &str, overwrite: bool, again: bool) -> Result<Found> {
        let entries = match std::fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                std::fs::create_dir_all(&self.root)
                    .map_err(|e| Error::io(&self.root, "create", e))?;
                return Ok(Found::Nothing);
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotADirectory => {
                return Err(self.refuse("this is a file, not a directory", "give another --out"));
            }
            Err(e) => return Err(Error::io(&self.root, "read", e)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| Error::io(&self.root, "read", e))?;
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
        let ours = |n: &&String| OURS.contains(&n.as_str()) || is_temporary(n);
        if let Some(foreign) = names.iter().find(|n| !ours(n)) {
            return Err(self.refuse(
                &format!("'{foreign}' is here, which fusiongen did not write"),
                "give an empty or new directory as --out",
            ));
        }
        if !names.iter().any(|n| OURS.contains(&n.as_str())) {
            // Nothing, or what a run left that was killed before its plan stood.
            self.sweep(&self.root)?;
            return Ok(Found::Nothing);
        }
        let Some(found) = self.fingerprint() else {
            return Err(self.refuse(
                "there are files here but no plan.json that says whose they are",
                "give an empty or new directory as --out",
            ));
        };
        if found != fingerprint && !overwrite {
            return Err(self.refuse(
                &format!(
                    "another corpus is here (fingerprint {found}, this one would be {fingerprint})"
                ),
                "give another --out, or --overwrite to replace it",
            ));
        }
        if found != fingerprint || again {
            self.clear()?;
            return Ok(Found::Nothing);
        }
        if self.is_finished() {
            return Ok(Found::Whole);
        }
        self.sweep(&self.root)?;
        Ok(Found::Unfinished)
    }

    fn refuse(&self, problem: &str, remedy: &str) -> Error {
        Error::Output {
            path: self.root.clone(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    fn fingerprint(&self) -> Option<String> {
        let text = std::fs::read_to_string(self.plan()).ok()?;
        let plan: serde_json::Value = serde_json::from_str(&text).ok()?;
        plan.get("fingerprint")?.as_str().map(String::from)
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

    /// Removes leftovers below a directory.
    fn sweep(&self, directory: &Path) -> Result<()> {
        for (path, kind) in entries(directory)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if kind.is_dir() {
                self.sweep(&path)?;
            } else if kind.is_file() && is_temporary(&name) {
                sweep(&path)?;
            }
        }
        Ok(())
    }

    /// Removes what an earlier run wrote: `_SUCCESS` first, `plan.json` last, and only files with our names.
    fn clear(&self) -> Result<()> {
        let remove = |path: &Path| match std::fs::remove_file(path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, "remove", e)),
            _ => Ok(()),
        };
        let trees = ["events", "truth", "entities", "journal"].map(|name| self.root.join(name));
        // First look at everything, so that a foreign file keeps all as it is.
        for tree in &trees {
            self.walk(tree, 0, false)?;
        }
        remove(&self.success())?;
        remove(&self.manifest())?;
        for tree in &trees {
            self.walk(tree, 0, true)?;
        }
        self.sweep(&self.root)?;
        remove(&self.plan())
    }

    /// Removes the journal of a finished corpus.
    pub fn clear_journal(&self) -> Result<()> {
        self.walk(&self.root.join("journal"), 0, true)
    }

    /// Checks that a tree holds only what we write, or removes it.
    fn walk(&self, directory: &Path, depth: u32, remove: bool) -> Result<()> {
        if !directory.exists() {
            return Ok(());
        }
        for (path, kind) in entries(directory)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if kind.is_dir() && depth < 3 && is_our_directory(&name) {
                self.walk(&path, depth + 1, remove)?;
            } else if kind.is_file() && (is_our_file(&name) || is_temporary(&name)) {
                if remove {
                    std::fs::remove_file(&path).map_err(|e| Error::io(&path, "remove", e))?;
                }
            } else {
                return Err(Error::Output {
                    path,
                    problem: "fusiongen did not write this".into(),
                    remedy: "move it away, or give another --out".into(),
                });
            }
        }
        if remove {
            std::fs::remove_dir(directory).map_err(|e| Error::io(directory, "remove", e))?;
        }
        Ok(())
    }
}

fn is_our_directory(name: &str) -> bool {
    name.starts_with("date=")
        || name.starts_with("category=")
        || ["chains", "steps", "edges", "iocs", "lookalikes"].contains(&name)
}

fn is_our_file(name: &str) -> bool {
    let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
    match extension {
        "parquet" | "ndjson" | "ndjson.zst" | "arrow" => {
            stem.starts_with("part-") || stem == "assets" || stem == "users"
        }
        "json" => stem.len() == 6 && stem.bytes().all(|b| b.is_ascii_digit()),
        _ => false,
    }
}

fn entries(directory: &Path) -> Result<Vec<(PathBuf, std::fs::FileType)>> {
    let failed = |e| Error::io(directory, "read", e);
    let mut list = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        list.push((entry.path(), entry.file_type().map_err(failed)?));
    }
    Ok(list)
}
