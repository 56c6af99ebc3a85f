//! The corpus directory: what may be there, what is made there.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::plan::{Partition, Plan, Shard};
use crate::world::World;

/// A corpus on disk.
#[derive(Debug, Clone)]
pub struct Corpus {
    pub root: PathBuf,
}

/// Everything a corpus's root may hold.
const OURS: [&str; 5] = [
    "plan.json",
    "events",
    "manifest.json",
    "_SUCCESS",
    "journal",
];

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

    /// `events/date=…/category=…/part-00000.parquet`, relative to the root.
    pub fn shard(plan: &Plan, world: &World, partition: &Partition, shard: &Shard) -> String {
        format!(
            "events/date={}/category={}/part-{:05}.parquet",
            plan.config.date(partition.date),
            world.detections.categories[partition.category as usize],
            shard.part
        )
    }

    /// Whether a finished corpus with this fingerprint stands here already.
    ///
    /// # Errors
    /// Another corpus, or foreign files: nothing is touched.
    pub fn prepare(&self, fingerprint: &str, overwrite: bool) -> Result<bool> {
        let entries = match std::fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                std::fs::create_dir_all(&self.root)
                    .map_err(|e| Error::io(&self.root, "create", e))?;
                return Ok(false);
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
        if names.is_empty() {
            return Ok(false);
        }
        if let Some(foreign) = names.iter().find(|n| !OURS.contains(&n.as_str())) {
            return Err(self.refuse(
                &format!("'{foreign}' is here, which fusiongen did not write"),
                "give an empty or new directory as --out",
            ));
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
        if found == fingerprint && !overwrite && self.is_finished() {
            return Ok(true);
        }
        self.clear()?;
        Ok(false)
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
    fn is_finished(&self) -> bool {
        let (Ok(manifest), Ok(success)) = (
            std::fs::read(self.manifest()),
            std::fs::read_to_string(self.success()),
        ) else {
            return false;
        };
        success.trim() == blake3::hash(&manifest).to_hex().as_str()
    }

    /// Removes what an earlier run wrote: `_SUCCESS` first, `plan.json` last, and only files with our names.
    fn clear(&self) -> Result<()> {
        let remove = |path: &Path| match std::fs::remove_file(path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, "remove", e)),
            _ => Ok(()),
        };
        remove(&self.success())?;
        remove(&self.manifest())?;
        self.clear_events(&self.root.join("events"), 0)?;
        remove(&self.plan())
    }

    fn clear_events(&self, directory: &Path, depth: u32) -> Result<()> {
        let entries = match std::fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(Error::io(directory, "read", e)),
        };
        for entry in entries {
            let entry = entry.map_err(|e| Error::io(directory, "read", e))?;
            let (path, name) = (
                entry.path(),
                entry.file_name().to_string_lossy().into_owned(),
            );
            let kind = entry.file_type().map_err(|e| Error::io(&path, "read", e))?;
            let part = name.starts_with("part-") && name.ends_with(".parquet");
            let unfinished = name.starts_with(".part-") && name.ends_with(".inprogress");
            if kind.is_dir()
                && depth < 2
                && (name.starts_with("date=") || name.starts_with("category="))
            {
                self.clear_events(&path, depth + 1)?;
            } else if kind.is_file() && (part || unfinished) {
                std::fs::remove_file(&path).map_err(|e| Error::io(&path, "remove", e))?;
            } else {
                return Err(Error::Output {
                    path,
                    problem: "fusiongen did not write this".into(),
                    remedy: "move it away, or give another --out".into(),
                });
            }
        }
        std::fs::remove_dir(directory).map_err(|e| Error::io(directory, "remove", e))
    }
}

/// Writes a file as a whole: temporary name, sync, rename.
pub fn write_whole(path: &Path, text: &[u8]) -> Result<()> {
    use std::io::Write;
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("file");
    let temporary = path.with_file_name(format!(".{name}.inprogress"));
    let mut file =
        std::fs::File::create(&temporary).map_err(|e| Error::io(&temporary, "create", e))?;
    file.write_all(text)
        .map_err(|e| Error::io(&temporary, "write", e))?;
    file.sync_all()
        .map_err(|e| Error::io(&temporary, "sync", e))?;
    std::fs::rename(&temporary, path).map_err(|e| Error::io(path, "rename", e))
}
