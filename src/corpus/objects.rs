//! What a corpus needs of an object store. `store/` has the real ones.
//!
//! Paths are relative to the corpus. Failures are `io::Error`s: of kind `NotFound` for an object
//! that does not exist, else with a [`StoreFailure`](crate::error::StoreFailure) inside.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::io;
use std::ops::Range;
use std::path::Path;

use crate::error::{Error, Result};

/// What is known about an object without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "object-stores"),
    allow(dead_code, reason = "only object stores have objects")
)]
pub struct Object {
    pub path: String,
    pub bytes: u64,
    /// The store's tag of this version of the object (`ETag`).
    pub tag: Option<String>,
}

/// A prefix of an object store.
pub trait Objects: Send + Sync + Debug {
    /// The contents of a small object.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;

    /// The contents of small objects, read concurrently; `None` for those that do not exist.
    fn read_all(&self, paths: &[String]) -> io::Result<Vec<Option<Vec<u8>>>>;

    /// An object, or `None`.
    fn find(&self, path: &str) -> io::Result<Option<Object>>;

    /// Every object below a directory; `""` is the corpus.
    fn list(&self, below: &str) -> io::Result<Vec<Object>>;

    /// The first parts of all paths.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Begins an object, which appears when it is finished.
    fn upload(&self, path: &str) -> Box<dyn Upload>;

    /// Creates a small object; returns whether it did. An existing one is left alone.
    fn create(&self, path: &str, contents: &[u8]) -> io::Result<bool>;

    /// Removes objects; those that do not exist are no error.
    fn remove(&self, paths: &[String]) -> io::Result<()>;

    /// Reads an object of any size in order, piece by piece.
    fn fetch(&self, path: &str, each: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()>;

    /// Some bytes of an object.
    fn range(&self, path: &str, bytes: Range<u64>) -> io::Result<Vec<u8>>;

    /// Lets every request that is under way, and every later one, fail; or no longer.
    fn set_stopped(&self, stopped: bool);
}

/// An object that is being written. Nothing remains of one that is dropped unfinished.
pub trait Upload: io::Write + Send {
    /// Makes the object appear; returns its tag. `digest` is the BLAKE3 of its contents.
    fn finish(self: Box<Self>, digest: &str) -> io::Result<Option<String>>;
}

/// Every object below a directory of a corpus, without the empty ones that consoles create as
/// directories. `root` is the corpus, for messages.
pub fn list(objects: &dyn Objects, root: &Path, below: &str) -> Result<Vec<Object>> {
    let found = objects.list(below);
    let mut found = found.map_err(|e| Error::io(root, "list", e))?;
    let paths = found.iter().map(|object| &object.path);
    let directories: BTreeSet<String> = paths
        .flat_map(|path| {
            path.match_indices('/')
                .map(|(at, _)| path[..at].to_string())
        })
        .collect();
    found.retain(|object| object.bytes > 0 || !directories.contains(&object.path));
    Ok(found)
}

/// Removes objects of a corpus. `root` is the corpus, for messages.
pub fn remove(objects: &dyn Objects, root: &Path, paths: Vec<String>) -> Result<()> {
    match paths.is_empty() {
        true => Ok(()),
        false => objects
            .remove(&paths)
            .map_err(|e| Error::io(root, "remove objects of", e)),
    }
}
