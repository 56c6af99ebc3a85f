//! The files of a table beside the event files: whose they are, and where the table is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::file::{entries, is_temporary, not_ours, remove};
use super::layout::Corpus;
use super::objects;
use crate::error::{Error, Result};
use crate::plan::{Config, Table};

/// Characters that readers of Iceberg tables take as syntax of an URI.
const SYNTAX: [char; 4] = ['#', '?', '%', '\\'];

impl Corpus {
    /// URI of `events/`, if the metadata of the corpus's table names its files by absolute location.
    ///
    /// # Errors
    /// The path cannot be written as an URI that every reader understands.
    pub fn location(&self, config: &Config) -> Result<Option<String>> {
        if !config.table.is_absolute() {
            return Ok(None);
        }
        let root = match self.is_directory() {
            false => self.root.clone(),
            true => std::fs::canonicalize(&self.root)
                .or_else(|_| std::path::absolute(&self.root))
                .map_err(|e| Error::io(&self.root, "look at", e))?,
        };
        let table = config.table.words().0;
        let refused = |problem: String| Error::Output {
            path: self.root.clone(),
            problem,
            remedy: format!("use another --out, or omit --table {table}"),
        };
        let text = root.to_str().ok_or_else(|| {
            refused(format!(
                "the path is not UTF-8, and {table} metadata contains it"
            ))
        })?;
        if let Some(syntax) = text.chars().find(|c| SYNTAX.contains(c) || c.is_control()) {
            return Err(refused(format!(
                "{table} metadata contains the path as a URI, in which '{}' has a meaning",
                syntax.escape_default()
            )));
        }
        let scheme = match self.is_directory() {
            true => "file://",
            false => "",
        };
        Ok(Some(format!("{scheme}{text}/events")))
    }

    /// Checks that the directories of tables hold only files that the manifest lists, before one of
    /// them is written or removed: a table may have been changed by others since. Returns the files of
    /// the commit that the manifest lists.
    ///
    /// # Errors
    /// They hold other files; nothing is changed.
    pub(super) fn owns_tables(&self) -> Result<BTreeSet<String>> {
        let directories = Table::ALL.iter().filter_map(|table| table.directory());
        // The manifest is written before these files, so it is read after them: another run of the
        // corpus may be at the same.
        if let Some(objects) = self.objects() {
            let mut found = Vec::new();
            for directory in directories {
                let below = format!("events/{directory}");
                found.extend(objects::list(objects, &self.root, &below)?);
            }
            let ours = self.committed()?;
            let mut paths = found.into_iter().map(|object| object.path);
            return match paths.find(|path| !ours.contains(path)) {
                None => Ok(ours),
                Some(foreign) => Err(Error::Output {
                    path: self.root.join(foreign),
                    problem: "fusiongen did not write this".into(),
                    remedy: "move it away, or use another --out".into(),
                }),
            };
        }
        let mut found = Vec::new();
        for directory in directories {
            let directory = self.root.join("events").join(directory);
            match std::fs::symlink_metadata(&directory) {
                Err(_) => continue,
                Ok(is) if is.is_dir() => found.extend(entries(&directory)?),
                Ok(is) => return Err(not_ours(&directory, is.file_type())),
            }
        }
        let ours = self.committed()?;
        for (path, kind) in found {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_listed = || ours.iter().any(|ours| self.root.join(ours) == path);
            if !kind.is_file() || !(is_temporary(&name) || is_listed()) {
                return Err(not_ours(&path, kind));
            }
        }
        Ok(ours)
    }

    /// Removes the files of a table that the manifest lists, except `kept`, which are relative to the
    /// root; also their directories, if they are empty then.
    ///
    /// # Errors
    /// Others changed the table, or I/O.
    pub fn remove_table(&self, kept: &BTreeSet<&str>) -> Result<()> {
        let committed = self.owns_tables()?.into_iter();
        let stale = committed.filter(|path| !kept.contains(path.as_str()));
        if let Some(objects) = self.objects() {
            return objects::remove(objects, &self.root, stale.collect());
        }
        let stale: Vec<PathBuf> = stale.map(|path| self.root.join(path)).collect();
        for path in &stale {
            remove(path)?;
        }
        let events = self.root.join("events");
        let directories: BTreeSet<&Path> = stale.iter().filter_map(|path| path.parent()).collect();
        for directory in directories.into_iter().filter(|path| **path != events) {
            match std::fs::remove_dir(directory) {
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                Err(e) if e.kind() == std::io::ErrorKind::DirectoryNotEmpty => {}
                other => other.map_err(|e| Error::io(directory, "remove", e))?,
            }
        }
        Ok(())
    }
}
