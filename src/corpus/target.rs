//! A directory before a run: what may be there, what is kept, what is removed.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::file::{is_temporary, make_directory, not_ours, sweep, write_whole};
use super::layout::Corpus;
use super::manifest::{Identity, PlanFile, to_json};
use crate::error::{Error, Result};

/// Everything a corpus's root may hold.
const OURS: [&str; 8] = [
    Corpus::PROFILE,
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
    /// Looks at what stands here, makes the directory and its `plan.json`. This corpus is kept
    /// unless it is to be made `again`, another one is removed if `overwrite`; leftovers of
    /// killed runs are swept. Other runs that begin here wait meanwhile.
    ///
    /// # Errors
    /// Another corpus, foreign files or symlinks: nothing is touched.
    pub fn begin(&self, plan: &PlanFile, overwrite: bool, again: bool) -> Result<Found> {
        std::fs::create_dir_all(&self.root).map_err(|e| match e.kind() {
            ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
                self.refuse("this is a file, not a directory", "give another --out")
            }
            _ => Error::io(&self.root, "create", e),
        })?;
        let _guard = self.lock()?;
        let found = self.look(plan, overwrite, again)?;
        let text = to_json(plan);
        if std::fs::read(self.plan()).is_ok_and(|there| there == text) {
            return Ok(found);
        }
        remove(&self.success())?;
        write_whole(&self.plan(), &text)?;
        Ok(match found {
            Found::Nothing => Found::Nothing,
            Found::Unfinished | Found::Whole => Found::Unfinished,
        })
    }

    /// Keeps others out while one decides what is to stay. Where locks are not to be had,
    /// nobody else is expected.
    fn lock(&self) -> Result<std::fs::File> {
        let root = std::fs::File::open(&self.root).map_err(|e| Error::io(&self.root, "open", e))?;
        let _ = root.lock();
        Ok(root)
    }

    fn look(&self, plan: &PlanFile, overwrite: bool, again: bool) -> Result<Found> {
        let mut names = Vec::new();
        for (path, kind) in entries(&self.root)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !OURS.contains(&&*name) && !is_temporary(&name) {
                return Err(self.refuse(
                    &format!("'{name}' is here, which fusiongen did not write"),
                    "give an empty or new directory as --out",
                ));
            }
            if kind.is_symlink() {
                return Err(not_ours(&path, kind));
            }
            names.push(name.into_owned());
        }
        if !names.iter().any(|n| OURS.contains(&n.as_str())) {
            // Nothing, or what a run left that was killed before its plan stood.
            self.sweep(&self.root)?;
            return Ok(Found::Nothing);
        }
        let Some(there) = self.identity() else {
            return Err(self.refuse(
                "there are files here but no whole plan.json that says whose they are",
                "give an empty or new directory as --out",
            ));
        };
        let same = there.fingerprint == plan.fingerprint;
        if !same && !overwrite {
            return Err(self.refuse(
                &format!(
                    "another corpus is here (fingerprint {}, this one would be {}): {}",
                    there.fingerprint,
                    plan.fingerprint,
                    there.difference(plan)
                ),
                "give another --out, or --overwrite to replace it",
            ));
        }
        if !same || again {
            self.clear()?;
            return Ok(Found::Nothing);
        }
        self.sweep(&self.root)?;
        Ok(match self.is_finished() {
            true => Found::Whole,
            false => Found::Unfinished,
        })
    }

    /// Sweeps what killed runs left.
    ///
    /// # Errors
    /// A symlink is in the corpus, or I/O.
    pub fn tidy(&self) -> Result<()> {
        let _guard = self.lock()?;
        self.sweep(&self.root)
    }

    /// Takes back that the corpus is whole.
    ///
    /// # Errors
    /// I/O.
    pub fn reopen(&self) -> Result<()> {
        remove(&self.success())
    }

    /// Makes the directories of these files, and the journal's. The root is there, or somebody
    /// has taken it away.
    ///
    /// # Errors
    /// A symlink or a file is in the way, or I/O.
    pub fn make_directories<'f>(&self, files: impl Iterator<Item = &'f str>) -> Result<()> {
        let mut relative: BTreeSet<&Path> = BTreeSet::new();
        for file in files {
            let above = Path::new(file).ancestors().skip(1);
            relative.extend(above.filter(|path| !path.as_os_str().is_empty()));
        }
        if !relative.is_empty() {
            relative.insert(Path::new("journal"));
        }
        // A directory sorts before what is in it.
        relative
            .into_iter()
            .try_for_each(|path| make_directory(&self.root.join(path)))
    }

    fn refuse(&self, problem: &str, remedy: &str) -> Error {
        Error::Output {
            path: self.root.clone(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    fn identity(&self) -> Option<Identity> {
        let text = std::fs::read(self.plan()).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// Removes leftovers below a directory, which holds no symlinks.
    fn sweep(&self, directory: &Path) -> Result<()> {
        for (path, kind) in entries(directory)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if kind.is_symlink() {
                return Err(not_ours(&path, kind));
            }
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
        remove(&self.root.join(Corpus::PROFILE))?;
        remove(&self.plan())
    }

    /// Removes the journal of a finished corpus.
    pub fn clear_journal(&self) -> Result<()> {
        self.walk(&self.root.join("journal"), 0, true)
    }

    /// Checks that a tree holds only what we write, or removes it.
    fn walk(&self, directory: &Path, depth: u32, removed: bool) -> Result<()> {
        match std::fs::symlink_metadata(directory) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(Error::io(directory, "look at", e)),
            Ok(found) if !found.is_dir() => return Err(not_ours(directory, found.file_type())),
            Ok(_) => {}
        }
        for (path, kind) in entries(directory)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if kind.is_dir() && depth < 3 && is_our_directory(&name) {
                self.walk(&path, depth + 1, removed)?;
            } else if kind.is_file() && (is_our_file(&name) || is_temporary(&name)) {
                if removed {
                    remove(&path)?;
                }
            } else {
                return Err(not_ours(&path, kind));
            }
        }
        if !removed {
            return Ok(());
        }
        match std::fs::remove_dir(directory) {
            // Another run of the same corpus was here, or still is.
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty) => {
                Ok(())
            }
            other => other.map_err(|e| Error::io(directory, "remove", e)),
        }
    }
}

/// Removes a file if it is there.
fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io(path, "remove", e)),
        _ => Ok(()),
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
            let part = stem.strip_prefix("part-").is_some_and(is_number);
            part || stem == "assets" || stem == "users"
        }
        "json" => stem.len() >= 6 && is_number(stem),
        _ => false,
    }
}

fn is_number(text: &str) -> bool {
    text.len() >= 5 && text.bytes().all(|b| b.is_ascii_digit())
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
