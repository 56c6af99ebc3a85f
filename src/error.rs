//! One error type for the whole crate.
//!
//! Every variant names the place, the problem and a remedy. Bad input is reported before the
//! first output file is written.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;

use crate::numbers::counted;

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An input file cannot be used.
    #[error("{}{}: {problem}\n  {remedy}", path.display(), place.as_ref().map(|p| format!(", {p}")).unwrap_or_default())]
    Input {
        path: PathBuf,
        /// `line 12`, `column hostname`, `[[category]] 3 (psexec_lateral)`…
        place: Option<String>,
        problem: String,
        remedy: String,
    },
    /// A setting has a value that cannot be used.
    #[error("{setting}: {problem}\n  {remedy}")]
    Setting {
        /// As the user wrote it: `--days`, `NOISE_DAY_WEIGHT`, `days in fusiongen.toml`.
        setting: String,
        problem: String,
        remedy: String,
    },
    /// The output directory contains something that must not be changed.
    #[error("{}: {problem}\n  {remedy}", path.display())]
    Output {
        path: PathBuf,
        problem: String,
        remedy: String,
    },
    /// A check failed. The failures are printed on stdout.
    #[error("{}: {} failed", path.display(), counted(*failed as u64, "check"))]
    Check { path: PathBuf, failed: usize },
    /// The operating system refused.
    #[error("{}: cannot {action}: {source}", path.display())]
    Io {
        path: PathBuf,
        /// `create`, `write`, `rename`…
        action: &'static str,
        #[source]
        source: std::io::Error,
    },
    /// An object store refused a request, or could not be reached.
    #[error("{}: cannot {action}: {problem}\n  {remedy}", path.display())]
    Store {
        path: PathBuf,
        /// `create`, `write`, `read`…
        action: &'static str,
        problem: String,
        remedy: String,
    },
    /// The Parquet or Arrow library failed: a bug in fusiongen, unless the disk is full.
    #[error("{}: {source}", path.display())]
    Parquet {
        path: PathBuf,
        #[source]
        source: ParquetError,
    },
    /// The run was stopped on request. Finished files are kept.
    #[error("{}: {problem}\n  {remedy}", path.display())]
    Stopped {
        /// The corpus.
        path: PathBuf,
        problem: String,
        /// How to continue.
        remedy: String,
        /// The signal that stopped the run; `None` if a caller of the library did.
        signal: Option<i32>,
    },
    /// An engine under test could not be started, or ended.
    #[error("engine {engine}: {problem}\n  {remedy}")]
    Engine {
        engine: String,
        problem: String,
        remedy: String,
    },
    /// A worker thread panicked: a bug in fusiongen.
    #[error("{}: a worker failed\n  this is a bug in fusiongen; please report the message above with the command", path.display())]
    Defect {
        /// The file that the worker was writing.
        path: PathBuf,
    },
}

/// Why a request to an object store failed; the content of an `io::Error`, which writers pass on.
#[derive(Debug, thiserror::Error)]
#[cfg_attr(
    not(feature = "object-stores"),
    allow(dead_code, reason = "only object stores fail like this")
)]
pub(crate) enum StoreFailure {
    #[error("{problem}")]
    Refused { problem: String, remedy: String },
    /// The run was stopped while the request was under way.
    #[error("stopped")]
    Stopped,
}

impl From<StoreFailure> for std::io::Error {
    fn from(failure: StoreFailure) -> Self {
        std::io::Error::other(failure)
    }
}

/// How to resume a stopped run.
pub const RESUME: &str = "run the same command again: it keeps these files and writes the rest";

/// A `Result` with this crate's error.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An unusable input file.
    pub fn input(
        path: &Path,
        place: impl Into<Option<String>>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Error::Input {
            path: path.to_path_buf(),
            place: place.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// An unusable setting.
    pub fn setting(
        setting: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Error::Setting {
            setting: setting.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// Wraps an I/O error with its file. A failure of an object store keeps its remedy.
    pub fn io(path: &Path, action: &'static str, source: std::io::Error) -> Self {
        let path = path.to_path_buf();
        match source.downcast::<StoreFailure>() {
            Ok(StoreFailure::Refused { problem, remedy }) => Error::Store {
                path,
                action,
                problem,
                remedy,
            },
            Ok(StoreFailure::Stopped) => Error::Stopped {
                path,
                problem: StoreFailure::Stopped.to_string(),
                remedy: RESUME.into(),
                signal: None,
            },
            Err(source) => Error::Io {
                path,
                action,
                source,
            },
        }
    }

    /// Exit code of the command line: 1 a check failed, 2 bad usage or input, 3 I/O error, 128 + n
    /// if signal n stopped the run.
    pub fn exit_code(&self) -> i32 {
        match self {
            Error::Check { .. } => 1,
            Error::Input { .. } | Error::Setting { .. } | Error::Output { .. } => 2,
            Error::Io { .. }
            | Error::Store { .. }
            | Error::Parquet { .. }
            | Error::Engine { .. }
            | Error::Defect { .. } => 3,
            // Without a signal, the exit code of an interrupt (SIGINT).
            Error::Stopped { signal, .. } => 128 + signal.unwrap_or(2),
        }
    }
}

/// Untrusted text, made safe for a message: one line, at most 80 characters. Control characters,
/// and characters that change the writing direction, are escaped.
pub(crate) fn shown(text: &str) -> String {
    shown_up_to(80, text)
}

/// [`shown`] with a limit of `most` characters.
pub(crate) fn shown_up_to(most: usize, text: &str) -> String {
    let mut shown = String::new();
    for (index, character) in text.chars().enumerate() {
        if index == most {
            shown.push('…');
            break;
        }
        let turns = matches!(character, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        match character.is_control() || turns {
            true => shown.extend(character.escape_default()),
            false => shown.push(character),
        }
    }
    shown
}

/// A failure of the Parquet or Arrow library as one of the file that was being written.
pub fn encoding_failed(path: &Path, source: ParquetError) -> Error {
    let source = match source {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(io) => return Error::io(path, "write", *io),
            Err(other) => ParquetError::External(other),
        },
        source => source,
    };
    Error::Parquet {
        path: path.to_path_buf(),
        source,
    }
}

/// Runs `make`. A panic in it becomes a defect of `path`, so that no other thread waits for it.
pub(crate) fn unpanicked<T>(path: &Path, make: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(make)).unwrap_or_else(|_| {
        Err(Error::Defect {
            path: path.to_path_buf(),
        })
    })
}
