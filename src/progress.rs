//! What a run tells whoever waits for it, and what it asks.

use std::path::Path;

use crate::error::{Error, Result};

/// Told how far a run is, and asked whether it is to end. Must never affect the data.
pub trait Progress: Sync {
    /// `rows` more are on disk.
    fn advance(&self, rows: u64);

    /// Asked often and from every thread: whether to end here. The run then ends with
    /// [`Error::Stopped`] as soon as every thread has asked; what is finished stays.
    fn stopped(&self) -> bool {
        false
    }
}

/// Says nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn advance(&self, _rows: u64) {}
}

/// Whether the run goes on; `path` is what is being made.
///
/// # Errors
/// [`Error::Stopped`], which the run completes with what stands.
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

/// How a stopped run is taken up again.
pub const RESUME: &str = "run the same command again: it keeps them and makes the rest";
/// The same where the command begins the corpus again.
pub const RESUME_OVERWRITTEN: &str =
    "run the same command without --overwrite: it keeps them and makes the rest";
