//! Files that appear completely or not at all.
//!
//! A file is hashed as it is written. In a directory it has a random hidden name until it is
//! complete; an unfinished file is removed when it is dropped, or by the next run if this one is
//! killed. In an object store an object appears when its upload is finished. The contents can have
//! any format.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::objects::{Objects, Upload};
use crate::error::{Error, Result};

/// Suffix of every temporary name. No data file has it, so no query engine reads a temporary file.
const TEMPORARY: &str = ".inprogress";

/// Size and digest of a written file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub bytes: u64,
    /// BLAKE3, hexadecimal.
    pub digest: String,
    /// The object store's tag of this version; `None` in a directory.
    pub tag: Option<String>,
}

/// A file of a corpus that may be created.
#[derive(Debug, Clone)]
pub struct NewFile<'c> {
    /// For messages; in a directory, where the file is.
    path: PathBuf,
    /// The store, and the path in the corpus.
    object: Option<(&'c dyn Objects, &'c str)>,
}

/// A file that is being written and has no name yet.
pub struct AtomicFile {
    file: BufWriter<Hashed>,
    path: PathBuf,
}

/// Hashes what is written to the file. It sits below the buffer, because BLAKE3 is several times
/// faster over long slices than over the few bytes of a page header.
struct Hashed {
    sink: Sink,
    hasher: blake3::Hasher,
    bytes: u64,
}

enum Sink {
    File(NamedTempFile),
    Object(Box<dyn Upload>),
}

impl Write for Hashed {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        let written = match &mut self.sink {
            Sink::File(file) => file.write(buffer)?,
            Sink::Object(upload) => upload.write(buffer)?,
        };
        self.hasher.update(&buffer[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match &mut self.sink {
            Sink::File(file) => file.flush(),
            Sink::Object(upload) => upload.flush(),
        }
    }
}

impl<'c> NewFile<'c> {
    /// A file in a directory.
    pub fn at(path: PathBuf) -> Self {
        NewFile { path, object: None }
    }

    /// An object; `path` is for messages.
    pub fn object(path: PathBuf, store: &'c dyn Objects, relative: &'c str) -> Self {
        NewFile {
            path,
            object: Some((store, relative)),
        }
    }

    /// The final path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins the file.
    ///
    /// # Errors
    /// I/O.
    pub fn create(&self) -> Result<AtomicFile> {
        match self.object {
            None => AtomicFile::create(&self.path),
            Some((store, relative)) => {
                let upload = Sink::Object(store.upload(relative));
                Ok(AtomicFile::over(upload, &self.path))
            }
        }
    }

    /// Writes a small file at once. It is on disk, or in the store, afterwards.
    ///
    /// # Errors
    /// I/O.
    pub fn write(&self, contents: &[u8]) -> Result<Written> {
        let mut file = self.create()?;
        file.write_all(contents)
            .map_err(|e| Error::io(&self.path, "write", e))?;
        file.finish_synced()
    }
}

/// Whether [`AtomicFile`] uses such a name before the rename.
pub fn is_temporary(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(TEMPORARY)
}

/// Creates a directory of a corpus if it is missing. It must not be a symlink, so that nothing is
/// written outside the corpus.
///
/// # Errors
/// The path is a symlink or a file, or I/O.
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

/// The error for something at a path that belongs to the corpus.
pub fn not_ours(path: &Path, kind: std::fs::FileType) -> Error {
    Error::Output {
        path: path.to_path_buf(),
        problem: match kind.is_symlink() {
            true => "this is a symlink, and a corpus is never written through symlinks".into(),
            false => "fusiongen did not write this".into(),
        },
        remedy: "move it away, or use another --out".into(),
    }
}

/// Removes a temporary file that a killed run left. A file that is being written is locked and stays.
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

impl AtomicFile {
    /// Begins the file `path`. Its directory must exist: a directory that is removed during a run
    /// must not come back with only some of its files.
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
            // The lock keeps other runs from sweeping the file. A file system without locks is
            // not expected to have other runs. Another run may have swept it before the lock.
            let _ = file.as_file().lock();
            if has_name(file.as_file()).map_err(|e| Error::io(path, "create", e))? {
                break file;
            }
        };
        Ok(AtomicFile::over(Sink::File(file), path))
    }

    fn over(sink: Sink, path: &Path) -> Self {
        let hashed = Hashed {
            sink,
            hasher: blake3::Hasher::new(),
            bytes: 0,
        };
        AtomicFile {
            file: BufWriter::with_capacity(1 << 18, hashed),
            path: path.to_path_buf(),
        }
    }

    /// The final path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// I/O.
    pub fn finish(self) -> Result<Written> {
        let Hashed {
            sink,
            hasher,
            bytes,
        } = self
            .file
            .into_inner()
            .map_err(|e| Error::io(&self.path, "write", e.into_error()))?;
        let digest = hasher.finalize().to_hex().to_string();
        let tag = match sink {
            Sink::File(file) => {
                file.persist(&self.path)
                    .map_err(|e| Error::io(&self.path, "rename", e.error))?;
                None
            }
            Sink::Object(upload) => upload
                .finish(&digest)
                .map_err(|e| Error::io(&self.path, "write", e))?,
        };
        Ok(Written { bytes, digest, tag })
    }

    /// As [`finish`](AtomicFile::finish), but synced before the rename. A finished object needs
    /// no sync.
    ///
    /// # Errors
    /// I/O.
    pub fn finish_synced(mut self) -> Result<Written> {
        self.file
            .flush()
            .and_then(|()| match &self.file.get_ref().sink {
                Sink::File(file) => file.as_file().sync_all(),
                Sink::Object(_) => Ok(()),
            })
            .map_err(|e| Error::io(&self.path, "sync", e))?;
        self.finish()
    }
}

impl Write for AtomicFile {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        self.file.write(buffer)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// Makes renames within a directory durable. Windows cannot open directories, and needs no sync.
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

/// The mode that the umask allows, instead of the private mode of temporary files.
#[cfg(unix)]
fn public() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}

/// Whether an open file still has a name in a directory.
#[cfg(unix)]
fn has_name(file: &File) -> std::io::Result<bool> {
    Ok(std::os::unix::fs::MetadataExt::nlink(&file.metadata()?) > 0)
}

/// Windows does not remove files that are open and locked.
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

/// Removes a file if it exists.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path, "remove", e)),
        _ => Ok(()),
    }
}

/// What a directory holds: paths, and their types without following links.
pub(crate) fn entries(directory: &Path) -> Result<Vec<(PathBuf, std::fs::FileType)>> {
    let failed = |e| Error::io(directory, "read", e);
    let mut list = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        list.push((entry.path(), entry.file_type().map_err(failed)?));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_completely_or_not_at_all() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("part-00000.parquet");
        let mut file = AtomicFile::create(&path).unwrap();
        file.write_all(b"half").unwrap();
        let names = || {
            std::fs::read_dir(path.parent().unwrap())
                .unwrap()
                .map(|e| e.unwrap().file_name().into_string().unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(names().len(), 1);
        assert!(is_temporary(&names()[0]), "{:?}", names());
        // The lock keeps it from being swept.
        sweep(&path.with_file_name(&names()[0])).unwrap();
        assert_eq!(names().len(), 1);
        drop(file);
        assert_eq!(names().len(), 0);
        let written = NewFile::at(path.clone()).write(b"whole").unwrap();
        assert_eq!(written.bytes, 5);
        assert_eq!(written.digest, digest(&path).unwrap());
        assert_eq!(names(), ["part-00000.parquet"]);
    }
}
