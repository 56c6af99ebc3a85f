//! Inputs: an alerts database, a directory of users, a CMDB.
//!
//! Grounding reads files and knows nothing of what will be generated. Its results are plain
//! values: a [`Profile`], users, assets. For any file, the result is a value or an [`Error`] that
//! names the file, the place and a remedy.

pub mod address;
pub mod alerts_db;
pub mod cmdb;
mod csv_table;
pub mod directory;
pub mod profile;
pub mod protocol;
pub mod severity;
pub mod slug;

pub use cmdb::Asset;
pub use directory::User;
pub use profile::{Direction, Ends, Profile, SeverityScale, Tuple};

use std::io::ErrorKind;
use std::path::Path;

use crate::error::{Error, Result};
pub(crate) use crate::error::{shown, shown_up_to};

/// Rows of a file, and notes about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table<T> {
    /// In file order.
    pub rows: Vec<T>,
    /// Sentences without a full stop, for the user.
    pub notes: Vec<String>,
}

/// Returns an error if the path is missing, a directory or a device.
///
/// `flag` is the flag that names the file, for the remedy.
fn require_file(path: &Path, flag: &str) -> Result<()> {
    match std::fs::metadata(path) {
        Err(source)
            if matches!(
                source.kind(),
                ErrorKind::NotFound | ErrorKind::NotADirectory
            ) =>
        {
            Err(Error::input(
                path,
                None,
                "there is no such file",
                format!("check the path given to {flag}"),
            ))
        }
        Err(source) => Err(Error::io(path, "read", source)),
        Ok(found) if found.is_dir() => Err(Error::input(
            path,
            None,
            "is a directory, not a file",
            format!("give {flag} the path of a file"),
        )),
        Ok(found) if !found.is_file() => Err(Error::input(
            path,
            None,
            "is not a regular file",
            format!("save its content to a file and give that to {flag}"),
        )),
        Ok(_) => Ok(()),
    }
}

/// Reads a complete file, after [`require_file`].
fn read_file(path: &Path, flag: &str) -> Result<Vec<u8>> {
    require_file(path, flag)?;
    std::fs::read(path).map_err(|source| Error::io(path, "read", source))
}

/// Lists names for a message, at most 30 of them.
fn shown_list(names: &[String]) -> String {
    const MOST: usize = 30;
    let first: Vec<String> = names.iter().take(MOST).map(|name| shown(name)).collect();
    match names.len().saturating_sub(MOST) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

/// Paths of test inputs.
#[cfg(test)]
mod test_data {
    use std::path::PathBuf;

    /// A file under `../shared`, or `None` with a message on stderr if that is absent.
    pub fn shared(name: &str) -> Option<PathBuf> {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../shared")
            .join(name);
        if path.exists() {
            return Some(path);
        }
        eprintln!("skipped: ../shared is absent");
        None
    }

    /// A file under `data/sample`.
    pub fn sample(name: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("data/sample")
            .join(name)
    }
}
