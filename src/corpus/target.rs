//! The place of a corpus before, during and after a run. A directory and an object store keep the
//! same promises by different means.

use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

pub use super::claim::Found;
use super::file::remove;
use super::layout::Corpus;
use super::manifest::{FileEntry, PlanFile};
use super::{directory, objects, prefix};
use crate::error::Result;
use crate::progress::Progress;

/// How often a request to stop is looked for while a store answers.
const TICK: Duration = Duration::from_millis(100);

impl Corpus {
    /// Claims the place with a `plan.json`, and tells what it held. Files of this corpus are kept, or
    /// removed if it is to be written `again`. Another corpus is removed if `overwrite`.
    ///
    /// # Errors
    /// The place holds another corpus, foreign files or symlinks, or its table was changed by others;
    /// nothing is changed.
    pub fn begin(&self, plan: &PlanFile, overwrite: bool, again: bool) -> Result<Found> {
        // A place that the table cannot name is refused before anything is written.
        self.location(&plan.config)?;
        match self.objects() {
            None => directory::begin(self, plan, overwrite, again),
            Some(objects) => prefix::begin(self, objects, plan, overwrite, again),
        }
    }

    /// As [`begin`](Corpus::begin), for one of several processes that write files of this corpus at
    /// once. Nothing is removed, because a temporary file may be another process's.
    ///
    /// # Errors
    /// As `begin`; another corpus is never replaced.
    pub fn join(&self, plan: &PlanFile) -> Result<Found> {
        self.location(&plan.config)?;
        match self.objects() {
            None => directory::join(self, plan),
            Some(objects) => prefix::begin(self, objects, plan, false, false),
        }
    }

    /// Removes temporary files of killed runs. A store hides them, and its lifecycle rules remove
    /// them.
    ///
    /// # Errors
    /// The corpus holds a symlink, or I/O.
    pub fn tidy(&self) -> Result<()> {
        match self.is_directory() {
            true => directory::tidy(self),
            false => Ok(()),
        }
    }

    /// Marks the corpus as unfinished.
    ///
    /// # Errors
    /// Its table was changed by others, or I/O.
    pub fn reopen(&self) -> Result<()> {
        self.owns_tables()?;
        match self.objects() {
            None => remove(&self.success()),
            Some(objects) => objects::remove(objects, &self.root, vec![Corpus::SUCCESS.into()]),
        }
    }

    /// Creates the directories of these files and of the journal, if there are any files. A store
    /// has no directories. The root is not created: if it is missing, somebody removed it during
    /// the run.
    ///
    /// # Errors
    /// A symlink or a file has the name of a directory, or I/O.
    pub fn make_directories<'f>(&self, files: impl Iterator<Item = &'f str>) -> Result<()> {
        match self.is_directory() {
            true => directory::make_directories(&self.root, files),
            false => Ok(()),
        }
    }

    /// Makes written files durable. In a store they are.
    ///
    /// # Errors
    /// I/O, or `progress` asks to stop.
    pub fn sync_files(&self, entries: &[FileEntry], progress: &dyn Progress) -> Result<()> {
        match self.is_directory() {
            true => directory::sync_files(&self.root, entries, progress),
            false => Ok(()),
        }
    }

    /// Makes the names of files durable.
    ///
    /// # Errors
    /// I/O.
    pub fn sync_names(&self, entries: &[FileEntry]) -> Result<()> {
        match self.is_directory() {
            true => directory::sync_names(&self.root, entries),
            false => Ok(()),
        }
    }

    /// Writes `_SUCCESS`, which makes the corpus complete.
    ///
    /// # Errors
    /// I/O, or another corpus was completed here meanwhile.
    pub fn complete(&self, text: &[u8]) -> Result<()> {
        match self.objects() {
            None => directory::complete(self, text),
            Some(objects) => prefix::complete(self, objects, text),
        }
    }

    /// Removes the journal of a complete corpus.
    ///
    /// # Errors
    /// The journal holds a foreign file, or I/O.
    pub fn clear_journal(&self) -> Result<()> {
        match self.objects() {
            None => directory::clear_journal(self),
            Some(objects) => prefix::clear_journal(self, objects),
        }
    }

    /// All files of the place, as relative paths, and whether each is a regular file.
    ///
    /// # Errors
    /// I/O.
    pub fn list(&self) -> Result<Vec<(String, bool)>> {
        let mut found = Vec::new();
        match self.objects() {
            None => directory::list(&self.root, "", &mut found)?,
            Some(objects) => {
                let objects = objects::list(objects, &self.root, "")?;
                found.extend(objects.into_iter().map(|object| (object.path, true)));
            }
        }
        Ok(found)
    }

    /// Does `work`. When `progress` asks to stop, requests to a store fail, which may otherwise
    /// take minutes.
    pub fn watched<T>(&self, progress: &dyn Progress, work: impl FnOnce() -> T) -> T {
        let Some(objects) = self.objects() else {
            return work();
        };
        objects.set_stopped(false);
        let (done, is_done) = sync_channel::<()>(0);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                while let Err(RecvTimeoutError::Timeout) = is_done.recv_timeout(TICK) {
                    if progress.stopped() {
                        return objects.set_stopped(true);
                    }
                }
            });
            let result = work();
            drop(done);
            result
        })
    }
}
