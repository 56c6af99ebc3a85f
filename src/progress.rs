//! Progress of a run: rows written so far, and requests to stop.

use std::path::Path;

pub use crate::error::RESUME;
use crate::error::{Error, Result};

/// Receives the progress of a run, and can stop it. Must never affect the data.
pub trait Progress: Sync {
    /// `rows` more rows are on disk.
    fn advance(&self, rows: u64);

    /// `rows` rows are on disk from an earlier run.
    fn kept(&self, rows: u64) {
        self.advance(rows);
    }

    /// A file of so many rows and bytes is complete.
    fn file(&self, path: &str, rows: u64, bytes: u64) {
        let _ = (path, rows, bytes);
    }

    /// A step begins, and the one before it ends. The name says what it will have done: `wrote events`.
    fn step(&self, name: &'static str) {
        let _ = name;
    }

    /// Whether the run should stop. Every thread calls this often. The run ends with
    /// [`Error::Stopped`] once every thread has seen `true`; finished files are kept.
    fn stopped(&self) -> bool {
        false
    }
}

/// Ignores progress and never stops.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn advance(&self, _rows: u64) {}
}

/// Returns an error if the run should stop; `path` is the file or corpus being written.
///
/// # Errors
/// [`Error::Stopped`]. The run adds which files are complete.
pub fn go_on(progress: &dyn Progress, path: &Path) -> Result<()> {
    match progress.stopped() {
        false => Ok(()),
        true => Err(Error::Stopped {
            path: path.to_path_buf(),
            problem: "stopped".into(),
            remedy: RESUME.into(),
            signal: None,
        }),
    }
}

/// How to resume a stopped run whose command has `--overwrite`.
pub const RESUME_OVERWRITTEN: &str =
    "run the same command without --overwrite: it keeps these files and writes the rest";
