//! Corpora in object stores, through `object_store`.
//!
//! Requests run on a small runtime of their own. Callers wait for their results on a channel, so
//! that they may be threads of any kind, those of another runtime included.

mod connect;
mod failure;
mod requests;
#[cfg(test)]
mod tests;
mod upload;

use std::collections::BTreeSet;
use std::fmt::{self, Debug};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::Path as Key;
use object_store::{Error, GetOptions, ObjectMeta, ObjectStore};
use tokio::sync::{Semaphore, watch};

use super::address::Bucket;
use super::objects::{Object, Objects, Upload};
use crate::error::Result;
use requests::{Background, Inner, contents, repeated};
use upload::StoreUpload;

/// Parts of all files that are being sent at a time. With the part that each file fills, they bound
/// the memory of a run.
const PIECES_IN_FLIGHT: usize = 6;
/// Small objects that are read at a time.
const SMALL_AHEAD: usize = 32;

/// A prefix of a bucket.
pub struct Store(Arc<Inner>);

impl Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Store").field(&self.0.bucket.url()).finish()
    }
}

impl Store {
    /// Connects to a bucket with the credentials of the environment. Nothing is requested yet.
    ///
    /// # Errors
    /// Environment variables are missing or contradict each other.
    pub fn open(bucket: Bucket, place: &Path) -> Result<Self> {
        let objects = connect::connect(&bucket, place)?;
        Store::over(bucket, objects).map_err(|e| crate::error::Error::io(place, "connect", e))
    }

    fn over(bucket: Bucket, objects: Arc<dyn ObjectStore>) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("fusiongen-store")
            .enable_all()
            .build()?;
        let prefix = Key::parse(&bucket.prefix).map_err(|e| io::Error::other(e.to_string()))?;
        Ok(Store(Arc::new(Inner {
            bucket,
            objects,
            prefix,
            handle: runtime.handle().clone(),
            stopped: watch::Sender::new(false),
            pieces: Arc::new(Semaphore::new(PIECES_IN_FLIGHT)),
            _runtime: Background(Some(runtime)),
        })))
    }
}

impl Objects for Store {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let (objects, key) = (self.0.objects.clone(), self.0.key(path)?);
        let contents = self.0.ask(contents(objects, key))?;
        Ok(contents.into())
    }

    fn read_all(&self, paths: &[String]) -> io::Result<Vec<Option<Vec<u8>>>> {
        let keys = paths.iter().map(|path| self.0.key(path));
        let keys = keys.collect::<io::Result<Vec<_>>>()?;
        let objects = self.0.objects.clone();
        let read = move |key: Key| {
            let objects = objects.clone();
            async move {
                match contents(objects, key).await {
                    Err(Error::NotFound { .. }) => Ok(None),
                    other => other.map(|contents| Some(contents.to_vec())),
                }
            }
        };
        let requests = stream::iter(keys).map(read).buffered(SMALL_AHEAD);
        self.0.ask(requests.try_collect())
    }

    fn find(&self, path: &str) -> io::Result<Option<Object>> {
        let found = self.0.find(path)?;
        Ok(found.and_then(|meta| self.0.object(meta)))
    }

    fn list(&self, below: &str) -> io::Result<Vec<Object>> {
        let prefix = match below {
            "" => self.0.prefix.clone(),
            _ => self.0.key(below)?,
        };
        let objects = self.0.objects.clone();
        let listed: Vec<ObjectMeta> = self.0.ask(repeated(move || {
            let listed = objects.list(Some(&prefix));
            listed.try_collect()
        }))?;
        let found = listed.into_iter().filter_map(|meta| self.0.object(meta));
        Ok(found.collect())
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let (objects, prefix) = (self.0.objects.clone(), self.0.prefix.clone());
        let listed = self.0.ask(repeated(move || {
            let (objects, prefix) = (objects.clone(), prefix.clone());
            async move { objects.list_with_delimiter(Some(&prefix)).await }
        }))?;
        let keys = listed.objects.iter().map(|meta| &meta.location);
        let keys = keys.chain(&listed.common_prefixes);
        let names: BTreeSet<String> = keys.filter_map(|key| self.0.path(key)).collect();
        Ok(names.into_iter().collect())
    }

    fn upload(&self, path: &str) -> Box<dyn Upload> {
        Box::new(StoreUpload::new(self.0.clone(), path))
    }

    fn create(&self, path: &str, contents: &[u8]) -> io::Result<bool> {
        if let Some(created) = self.0.try_create(path, contents)? {
            return Ok(created);
        }
        // Without atomic creation, two runs that begin at the same time are not told apart.
        let is_new = self.0.find(path)?.is_none();
        if is_new {
            let mut upload = self.upload(path);
            upload.write_all(contents)?;
            upload.finish(blake3::hash(contents).to_hex().as_str())?;
        }
        Ok(is_new)
    }

    fn remove(&self, paths: &[String]) -> io::Result<()> {
        let keys = paths.iter().map(|path| self.0.key(path));
        let keys = keys.collect::<io::Result<Vec<_>>>()?;
        let objects = self.0.objects.clone();
        self.0.ask(repeated(move || {
            let keys = stream::iter(keys.clone()).map(Ok).boxed();
            let mut removed = objects.delete_stream(keys);
            async move {
                while let Some(key) = removed.next().await {
                    match key {
                        Ok(_) | Err(Error::NotFound { .. }) => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(())
            }
        }))
    }

    fn fetch(&self, path: &str, each: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        self.0.fetch(path, each)
    }

    fn range(&self, path: &str, bytes: Range<u64>) -> io::Result<Vec<u8>> {
        let (objects, key) = (self.0.objects.clone(), self.0.key(path)?);
        let found = self.0.ask(repeated(move || {
            let (objects, key) = (objects.clone(), key.clone());
            let options = GetOptions {
                range: Some(bytes.clone().into()),
                ..GetOptions::default()
            };
            async move { objects.get_opts(&key, options).await?.bytes().await }
        }))?;
        Ok(found.into())
    }

    fn set_stopped(&self, stopped: bool) {
        self.0.stopped.send_replace(stopped);
    }
}
