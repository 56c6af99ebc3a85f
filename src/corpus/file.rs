//! A file that appears whole or not at all.
//!
//! It is written under a random hidden name, hashed as it passes, and gets its own
//! name by a rename. What never ends so is swept: by its own drop, or, after a kill,
//! by the next run. Knows no format.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// End of every temporary name; never that of a data file, so no engine reads it.
const TEMPORARY: &str = ".inprogress";

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub bytes: u64,
    /// BLAKE3, hexadecimal.
    pub digest: String,
}

/// A file under a temporary name.
pub struct Whole {
    file: BufWriter<Hashed>,
    path: PathBuf,
}

/// What passes on its way to the file. It stands below the buffer: BLAKE3 is several times as quick
/// over long pieces as over the few bytes of a page's header.
struct Hashed {
    file: NamedTempFile,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Write for Hashed {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(buffer)?;
        self.hasher.update(&buffer[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Whether a name is one that [`Whole`] gives before the rename.
pub fn is_temporary(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(TEMPORARY)
}

/// Makes a directory of a corpus, which must be no symlink: nothing is written out of the corpus.
///
/// # Errors
/// A symlink or a file is there, or I/O.
pub fn make_directory(path: &Path) -> Result<()> {
    match std::fs::create_dir(path) {
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
        other => return other.map_err(|e| Error::io(path, "create", e)),
    }
    let found = std::fs::symlink_metadata(path).map_err(|e| Error::io(path, "look at", e))?;
    match found.is_dir() {
        true => Ok(()),
        false => Err(not_ours(path, found.file_type())),
    }
}

/// Something stands where the corpus has, or would have, something of its own.
pub fn not_ours(path: &Path, kind: std::fs::FileType) -> Error {
    Error::Output {
        path: path.to_path_buf(),
        problem: match kind.is_symlink() {
            true => "this is a symlink, and a corpus is written through none".into(),
            false => "fusiongen did not write this".into(),
        },
        remedy: "move it away, or give another --out".into(),
    }
}

/// Removes a temporary that a killed run left; one that is being written is locked, and stays.
///
/// # Errors
/// I/O.
pub fn sweep(path: &Path) -> Result<()> {
    let file = match std::fs::File::open(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(|e| Error::io(path, "open", e))?,
    };
    if file.try_lock().is_err() {
        return Ok(());
    }
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, "remove", e)),
        _ => Ok(()),
    }
}

impl Whole {
    /// Begins `path`. Its directory must be there: one that somebody removes from under a run
    /// is not to come back half-filled.
    ///
    /// # Errors
    /// I/O.
    pub fn create(path: &Path) -> Result<Self> {
        let directory = path.parent().unwrap_or(Path::new("."));
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or("file");
        let stem = name.split('.').next().unwrap_or(name);
        let file = loop {
            let prefix = format!(".{stem}.");
            let mut builder = tempfile::Builder::new();
            builder.prefix(&prefix).suffix(TEMPORARY);
            #[cfg(unix)]
            builder.permissions(public());
            let file = builder
                .tempfile_in(directory)
                .map_err(|e| Error::io(path, "create", e))?;
            // Whoever sweeps leaves it alone from now on; where locks are not to be had, nobody
            // else is expected. A sweeper may have been faster, and then it is gone.
            let _ = file.as_file().lock();
            if has_name(file.as_file()).map_err(|e| Error::io(path, "create", e))? {
                break file;
            }
        };
        Ok(Whole {
            file: BufWriter::with_capacity(
                1 << 18,
                Hashed {
                    file,
                    hasher: blake3::Hasher::new(),
                    bytes: 0,
                },
            ),
            path: path.to_path_buf(),
        })
    }

    /// The name it will have.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// I/O.
    pub fn finish(self) -> Result<Written> {
        let Hashed {
            file,
            hasher,
            bytes,
        } = self
            .file
            .into_inner()
            .map_err(|e| Error::io(&self.path, "write", e.into_error()))?;
        file.persist(&self.path)
            .map_err(|e| Error::io(&self.path, "rename", e.error))?;
        Ok(Written {
            bytes,
            digest: hasher.finalize().to_hex().to_string(),
        })
    }

    /// The same, and on disk before it has its name.
    ///
    /// # Errors
    /// I/O.
    pub fn finish_synced(mut self) -> Result<Written> {
        self.file
            .flush()
            .and_then(|()| self.file.get_ref().file.as_file().sync_all())
            .map_err(|e| Error::io(&self.path, "sync", e))?;
        self.finish()
    }
}

impl Write for Whole {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        self.file.write(buffer)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Writes a small file as a whole, synced.
///
/// # Errors
/// I/O.
pub fn write_whole(path: &Path, text: &[u8]) -> Result<Written> {
    let mut file = Whole::create(path)?;
    file.write_all(text)
        .map_err(|e| Error::io(path, "write", e))?;
    file.finish_synced()
}

/// Makes renames within a directory last. Windows opens no directory, and writes renames itself.
///
/// # Errors
/// I/O.
pub fn sync_directory(path: &Path) -> Result<()> {
    if cfg!(not(unix)) {
        return Ok(());
    }
    File::open(path)
        .and_then(|d| d.sync_all())
        .map_err(|e| Error::io(path, "sync", e))
}

/// What the umask leaves, not the private mode of temporary files.
#[cfg(unix)]
fn public() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}

/// Whether an open file is still in a directory.
#[cfg(unix)]
fn has_name(file: &File) -> std::io::Result<bool> {
    Ok(std::os::unix::fs::MetadataExt::nlink(&file.metadata()?) > 0)
}

/// Windows removes no file that is open and locked.
#[cfg(not(unix))]
fn has_name(_: &File) -> std::io::Result<bool> {
    Ok(true)
}

/// BLAKE3 of a file, hexadecimal.
///
/// # Errors
/// I/O.
pub fn digest(path: &Path) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    let file = File::open(path).map_err(|e| Error::io(path, "open", e))?;
    hasher
        .update_reader(file)
        .map_err(|e| Error::io(path, "read", e))?;
    Ok(hasher.finalize().to_hex().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_whole_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("part-00000.parquet");
        let mut file = Whole::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        let names = || {
            std::fs::read_dir(path.parent().unwrap())
                .unwrap()
                .map(|e| e.unwrap().file_name().into_string().unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(names().len(), 1);
        assert!(is_temporary(&names()[0]), "{:?}", names());
        // Somebody who sweeps now doesn't take it away.
        sweep(&path.with_file_name(&names()[0])).unwrap();
        assert_eq!(names().len(), 1);
        drop(file);
        assert_eq!(names().len(), 0);
        let written = write_whole(&path, b"whole").unwrap();
        assert_eq!(written.bytes, 5);
        assert_eq!(written.digest, digest(&path).unwrap());
        assert_eq!(names(), ["part-00000.parquet"]);
    }
}
