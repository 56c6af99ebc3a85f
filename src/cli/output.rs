//! Results on stdout.

use std::io::Write;
use std::path::Path;

use crate::error::{Error, Result};

/// Refuses a file to write that would fail after the work, or replace something else than a file.
///
/// # Errors
/// Its directory does not exist, or it exists and is no regular file.
pub fn refuse_unwritable(path: &Path) -> Result<()> {
    let directory = path.parent().filter(|parent| *parent != Path::new(""));
    let there = std::fs::symlink_metadata(path);
    let problem = match (directory, there) {
        (Some(directory), _) if !directory.exists() => {
            "cannot be written: its directory does not exist"
        }
        (Some(directory), _) if !directory.is_dir() => {
            "cannot be written: what should be its directory is a file"
        }
        (_, Ok(found)) if !found.is_file() => {
            "cannot be written: this exists and is not a regular file"
        }
        _ => return Ok(()),
    };
    Err(Error::Output {
        path: path.to_path_buf(),
        problem: problem.into(),
        remedy: "name a file in a directory that exists".into(),
    })
}

/// Refuses a file to write that is one of the files that the command reads.
///
/// # Errors
/// Both are the same file, whether or not their paths are written alike.
pub fn refuse_replacing(path: &Path, reads: &[&Path]) -> Result<()> {
    // A file that does not exist cannot be an input.
    let Ok(there) = path.canonicalize() else {
        return Ok(());
    };
    let is_there = |read: &&Path| read.canonicalize().is_ok_and(|read| read == there);
    match reads.iter().any(is_there) {
        true => Err(Error::Output {
            path: path.to_path_buf(),
            problem: "the command reads this file, so it would replace its own input".into(),
            remedy: "give the output a file of its own".into(),
        }),
        false => Ok(()),
    }
}

/// Prints text. A closed pipe is no error: the reader has seen enough.
///
/// # Errors
/// Any other I/O error.
pub fn print(text: &str) -> Result<()> {
    let mut output = std::io::stdout().lock();
    match output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
    {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::io("stdout".as_ref(), "write", e))
        }
        _ => Ok(()),
    }
}
