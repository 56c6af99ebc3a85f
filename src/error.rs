//! One error type for the whole crate.
//!
//! Every variant says what went wrong, where, and what to do about it. Bad input
//! is found before the first output file exists.

use std::path::{Path, PathBuf};

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
    /// The output directory holds something that must not be touched.
    #[error("{}: {problem}\n  {remedy}", path.display())]
    Output {
        path: PathBuf,
        problem: String,
        remedy: String,
    },
    /// A check failed; what failed is printed.
    #[error("{}: {failed} checks failed", path.display())]
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
    /// The Parquet or Arrow library refused; a defect of this program unless the disk is full.
    #[error("{}: {source}", path.display())]
    Parquet {
        path: PathBuf,
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// Somebody wanted the run to end. What is finished stands.
    #[error("{}: {problem}\n  {remedy}", path.display())]
    Stopped {
        /// The corpus.
        path: PathBuf,
        problem: String,
        /// How to go on.
        remedy: String,
        /// The signal that asked for it; `None` where a caller of the library did.
        signal: Option<i32>,
    },
    /// A worker failed: a defect of this program.
    #[error("{}: a worker failed\n  this is a defect of fusiongen; please report the message above with the command", path.display())]
    Defect {
        /// The file it was making.
        path: PathBuf,
    },
}

/// This crate's result.
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

    /// Wraps an I/O error with its file.
    pub fn io(path: &Path, action: &'static str, source: std::io::Error) -> Self {
        Error::Io {
            path: path.to_path_buf(),
            action,
            source,
        }
    }

    /// Exit code of the command line: 1 a check failed, 2 bad usage or input, 3 I/O, 128 and the
    /// signal that stopped it.
    pub fn exit_code(&self) -> i32 {
        match self {
            Error::Check { .. } => 1,
            Error::Input { .. } | Error::Setting { .. } | Error::Output { .. } => 2,
            Error::Io { .. } | Error::Parquet { .. } | Error::Defect { .. } => 3,
            // As after an interrupt, which asks the same.
            Error::Stopped { signal, .. } => 128 + signal.unwrap_or(2),
        }
    }
}

/// Text from outside as a message can show it: one line, at most 80 characters, control
/// characters (and what turns the writing direction) escaped.
pub(crate) fn shown(text: &str) -> String {
    shown_up_to(80, text)
}

/// [`shown`] with another limit.
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
