//! A corpus: where it is, the paths of its files, and how they are reached.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::address::{Address, Bucket, parse};
use super::file::NewFile;
use super::objects::Objects;
use crate::error::{Error, Result};
use crate::plan::{Plan, Shard, TruthShard};
use crate::world::World;

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    Nothing,
    /// A directory or a link.
    NoFile,
    Bytes(u64),
}

/// A corpus in a directory or an object store.
#[derive(Debug, Clone)]
pub struct Corpus {
    /// The directory, or the URL.
    pub root: PathBuf,
    /// `None` for a directory.
    objects: Option<Arc<dyn Objects>>,
}

impl Corpus {
    /// A corpus in the directory `root`.
    pub fn at(root: &Path) -> Self {
        Corpus {
            root: root.to_path_buf(),
            objects: None,
        }
    }

    /// A corpus in a directory, or at a URL such as `s3://bucket/prefix`.
    ///
    /// # Errors
    /// The URL is wrong, or its store is not known or not set up.
    pub fn open(place: &Path) -> Result<Self> {
        match parse(place)? {
            Address::Directory(root) => Ok(Corpus::at(&root)),
            Address::Store(bucket) => Ok(Corpus {
                root: bucket.url(),
                objects: Some(open_store(bucket, place)?),
            }),
        }
    }

    /// The object store, unless the corpus is in a directory.
    pub(super) fn objects(&self) -> Option<&dyn Objects> {
        self.objects.as_deref()
    }

    /// Whether the corpus is in a directory.
    pub fn is_directory(&self) -> bool {
        self.objects.is_none()
    }

    /// A file that may be created, by its path in the corpus.
    pub(crate) fn new_file<'c>(&'c self, relative: &'c str) -> NewFile<'c> {
        let path = self.root.join(relative);
        match self.objects() {
            None => NewFile::at(path),
            Some(objects) => NewFile::object(path, objects, relative),
        }
    }

    /// The contents of a small file, by its path in the corpus.
    pub(crate) fn read(&self, relative: &str) -> io::Result<Vec<u8>> {
        match self.objects() {
            None => std::fs::read(self.root.join(relative)),
            Some(objects) => objects.read(relative),
        }
    }

    /// The contents of a small file, if it exists. In a directory a file that cannot be read counts as
    /// missing, because what needs it says so later; a store may fail for a while.
    ///
    /// # Errors
    /// The store fails.
    pub(crate) fn read_existing(&self, relative: &str) -> Result<Option<Vec<u8>>> {
        match self.read(relative) {
            Ok(contents) => Ok(Some(contents)),
            Err(e) if self.is_directory() || e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(Error::io(&self.root.join(relative), "read", e)),
        }
    }

    /// A file of any size, to read at any position. An object is copied to an unnamed temporary
    /// file first: readers of Parquet jump between columns, and each jump would be a request.
    fn open_file(&self, relative: &str) -> io::Result<File> {
        let Some(objects) = self.objects() else {
            return File::open(self.root.join(relative));
        };
        let mut file = tempfile::tempfile()?;
        objects.fetch(relative, &mut |piece| {
            io::Write::write_all(&mut file, piece)
        })?;
        io::Seek::rewind(&mut file)?;
        Ok(file)
    }

    /// As [`open_file`](Corpus::open_file), for a file that the plan lists.
    pub(crate) fn open_planned(&self, relative: &str) -> Result<File> {
        let path = self.root.join(relative);
        self.open_file(relative).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => Error::input(
                &path,
                None,
                "the plan lists this file, but it does not exist",
                "run the same fusiongen generate again: it writes the missing files",
            ),
            _ => Error::io(&path, "open", e),
        })
    }

    /// The last `bytes` bytes of a file of `size` bytes, or all of a smaller one.
    pub(crate) fn tail(&self, relative: &str, size: u64, bytes: u64) -> io::Result<Bytes> {
        let from = size.saturating_sub(bytes);
        let Some(objects) = self.objects() else {
            let mut file = File::open(self.root.join(relative))?;
            io::Seek::seek(&mut file, io::SeekFrom::Start(from))?;
            let mut end = Vec::new();
            io::Read::read_to_end(&mut file, &mut end)?;
            return Ok(end.into());
        };
        Ok(objects.range(relative, from..size)?.into())
    }

    /// The size of a file, without following links.
    pub(crate) fn size(&self, relative: &str) -> Result<Size> {
        use io::ErrorKind::{NotADirectory, NotFound};
        let path = self.root.join(relative);
        let failed = |e| Error::io(&path, "look at", e);
        match self.objects() {
            None => match std::fs::symlink_metadata(&path) {
                Err(e) if matches!(e.kind(), NotFound | NotADirectory) => Ok(Size::Nothing),
                Err(e) => Err(failed(e)),
                Ok(found) if found.is_file() => Ok(Size::Bytes(found.len())),
                Ok(_) => Ok(Size::NoFile),
            },
            Some(objects) => {
                let found = objects.find(relative).map_err(failed)?;
                Ok(found.map_or(Size::Nothing, |object| Size::Bytes(object.bytes)))
            }
        }
    }

    /// The BLAKE3 of a file, hexadecimal.
    pub(crate) fn digest(&self, relative: &str) -> Result<String> {
        let path = self.root.join(relative);
        let Some(objects) = self.objects() else {
            return super::file::digest(&path);
        };
        let mut hasher = blake3::Hasher::new();
        let mut add = |piece: &[u8]| {
            hasher.update(piece);
            Ok(())
        };
        objects
            .fetch(relative, &mut add)
            .map_err(|e| Error::io(&path, "read", e))?;
        Ok(hasher.finalize().to_hex().to_string())
    }

    /// `plan.json`, `manifest.json` and `_SUCCESS`, relative to the root.
    pub(crate) const PLAN: &'static str = "plan.json";
    pub(crate) const MANIFEST: &'static str = "manifest.json";
    pub(crate) const SUCCESS: &'static str = "_SUCCESS";

    /// `plan.json`.
    pub fn plan(&self) -> PathBuf {
        self.root.join(Corpus::PLAN)
    }

    /// `manifest.json`.
    pub fn manifest(&self) -> PathBuf {
        self.root.join(Corpus::MANIFEST)
    }

    /// `_SUCCESS`.
    pub fn success(&self) -> PathBuf {
        self.root.join(Corpus::SUCCESS)
    }

    /// The profile that alerts were drawn from, relative to the root.
    pub const PROFILE: &'static str = "profile.json";

    /// Entities, relative to the root.
    pub const ENTITIES: [&'static str; 2] = ["entities/assets.parquet", "entities/users.parquet"];

    /// `journal/000012.json`, by the file's index in the plan, relative to the root.
    pub(crate) fn journal(index: usize) -> String {
        format!("journal/{index:06}.json")
    }

    /// `events/date=…/category=…/part-00000.parquet`, relative to the root; [`EventPath`] reads it.
    pub fn shard(plan: &Plan, world: &World, shard: &Shard) -> String {
        let config = &plan.config;
        let category = shard.category.map_or(String::new(), |category| {
            let name = &world.detections.categories[category as usize];
            format!("category={name}/")
        });
        format!(
            "events/date={}/{category}part-{:05}.{}",
            config.date(shard.date),
            shard.part,
            config.format.extension(config.compression)
        )
    }

    /// `truth/steps/date=…/part-00000.parquet`, relative to the root.
    pub fn truth(plan: &Plan, shard: &TruthShard) -> String {
        format!(
            "truth/{}/date={}/part-{:05}.parquet",
            shard.table.name(),
            plan.config.date(shard.date),
            shard.part
        )
    }

    /// Whether the corpus is complete.
    ///
    /// # Errors
    /// The store fails.
    pub fn is_finished(&self) -> Result<bool> {
        Ok(self.finished_manifest()?.is_some())
    }

    /// The manifest of a complete corpus: `_SUCCESS` holds its digest. `_SUCCESS` is read first. Since
    /// it is written last, the manifest that is read then is no older.
    ///
    /// # Errors
    /// The store fails.
    pub(crate) fn finished_manifest(&self) -> Result<Option<Vec<u8>>> {
        let Some(success) = self.read_existing(Corpus::SUCCESS)? else {
            return Ok(None);
        };
        let manifest = self.read_existing(Corpus::MANIFEST)?;
        Ok(manifest.filter(|text| success.trim_ascii() == blake3::hash(text).to_hex().as_bytes()))
    }
}

#[cfg(feature = "object-stores")]
fn open_store(bucket: Bucket, place: &Path) -> Result<Arc<dyn Objects>> {
    super::store::Store::open(bucket, place).map(|store| Arc::new(store) as _)
}

#[cfg(not(feature = "object-stores"))]
fn open_store(_: Bucket, place: &Path) -> Result<Arc<dyn Objects>> {
    Err(Error::input(
        place,
        None,
        "this build of fusiongen has no object stores",
        "build it with the cargo feature object-stores, which the program and the Python module have",
    ))
}

/// Refuses an output path inside the corpus, which must not contain other files.
///
/// # Errors
/// `output` is inside the directory `root`.
pub fn refuse_inside(root: &Path, output: &Path) -> Result<()> {
    let directory = match output.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    };
    // The nearest existing directory.
    let there = directory.ancestors().find_map(|d| d.canonicalize().ok());
    match (there, root.canonicalize()) {
        (Some(directory), Ok(root)) if directory.starts_with(&root) => Err(Error::Output {
            path: output.to_path_buf(),
            problem: "this is inside the corpus, which may contain only its own files".into(),
            remedy: "give an --output outside the corpus".into(),
        }),
        _ => Ok(()),
    }
}

/// The partition that the path of an event file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventPath<'p> {
    /// `2024-08-12`
    pub date: &'p str,
    /// `None` if the corpus is partitioned by date only.
    pub category: Option<&'p str>,
}

impl<'p> EventPath<'p> {
    /// Reads a path that [`Corpus::shard`] made; `None` for other paths.
    pub fn parse(path: &'p str) -> Option<Self> {
        let (directories, _name) = path.strip_prefix("events/")?.rsplit_once('/')?;
        let (date, category) = match directories.split_once('/') {
            Some((date, category)) => (date, Some(category.strip_prefix("category=")?)),
            None => (directories, None),
        };
        Some(EventPath {
            date: date.strip_prefix("date=")?,
            category,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_event_files_name_their_partition() {
        let deep = EventPath::parse("events/date=2024-08-12/category=dns/part-00000.parquet");
        let found = deep.map(|path| (path.date, path.category));
        assert_eq!(found, Some(("2024-08-12", Some("dns"))));
        let flat = EventPath::parse("events/date=2024-08-12/part-00000.ndjson.zst");
        let found = flat.map(|path| (path.date, path.category));
        assert_eq!(found, Some(("2024-08-12", None)));
        for other in [
            "truth/steps/date=2024-08-12/part-00000.parquet",
            "events/part-00000.parquet",
            "events/date=2024-08-12",
            "events/date=2024-08-12/host=a/part-00000.parquet",
            "events/2024-08-12/part-00000.parquet",
        ] {
            assert_eq!(EventPath::parse(other), None, "{other}");
        }
    }
}
