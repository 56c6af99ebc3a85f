//! Requests to a store: begun on the store's runtime, waited for in any thread.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use bytes::Bytes;
use object_store::client::{HttpError, HttpErrorKind};
use object_store::path::Path as Key;
use object_store::{
    Error, GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::{Semaphore, watch};
use tokio::task::AbortHandle;

use super::failure::failure;
use crate::corpus::address::Bucket;
use crate::corpus::objects::Object;
use crate::error::StoreFailure;

/// Bytes of a part of a multipart upload, and of a range that is read. Stores want at least 5 MiB,
/// and take at most 10,000 parts.
pub(super) const PIECE: usize = 8 << 20;
/// Ranges of one object that are requested ahead of the reader.
const AHEAD: usize = 4;
/// How long a stopped run waits for the end of a request that cleans up.
const PATIENCE: Duration = Duration::from_secs(10);
/// Attempts of a request that the client does not repeat by itself.
pub(super) const ATTEMPTS: u32 = 3;

pub(super) type Answer<T> = object_store::Result<T>;

/// A bucket, its client, and the runtime of its requests.
pub(super) struct Inner {
    pub(super) bucket: Bucket,
    pub(super) objects: Arc<dyn ObjectStore>,
    pub(super) prefix: Key,
    pub(super) handle: Handle,
    pub(super) stopped: watch::Sender<bool>,
    pub(super) pieces: Arc<Semaphore>,
    pub(super) _runtime: Background,
}

/// A runtime that is dropped without waiting, which is allowed in any thread.
pub(super) struct Background(pub(super) Option<Runtime>);

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// A request that is under way.
pub(super) struct Pending<T> {
    answer: Receiver<Option<Answer<T>>>,
    pub(super) task: AbortHandle,
}

impl Inner {
    /// The key of a path of the corpus.
    pub(super) fn key(&self, path: &str) -> io::Result<Key> {
        let key = match self.prefix.as_ref() {
            "" => Key::parse(path),
            prefix => Key::parse(format!("{prefix}/{path}")),
        };
        key.map_err(|e| io::Error::other(e.to_string()))
    }

    /// The path of a key; `None` for the marker of the prefix itself, which consoles create.
    pub(super) fn path(&self, key: &Key) -> Option<String> {
        let rest = match self.prefix.as_ref() {
            "" => key.as_ref(),
            prefix => key.as_ref().strip_prefix(prefix)?.strip_prefix('/')?,
        };
        (!rest.is_empty()).then(|| rest.to_string())
    }

    pub(super) fn object(&self, meta: ObjectMeta) -> Option<Object> {
        Some(Object {
            path: self.path(&meta.location)?,
            bytes: meta.size,
            tag: meta.e_tag,
        })
    }

    /// Begins a request. It fails when the run is stopped.
    pub(super) fn start<T: Send + 'static>(
        &self,
        request: impl Future<Output = Answer<T>> + Send + 'static,
    ) -> Pending<T> {
        let mut stopped = self.stopped.subscribe();
        self.spawn(async move {
            tokio::select! {
                biased;
                _ = stopped.wait_for(|stopped| *stopped) => None,
                answer = request => Some(answer),
            }
        })
    }

    /// Begins work whose end a stopped run waits for.
    pub(super) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = Option<Answer<T>>> + Send + 'static,
    ) -> Pending<T> {
        // With room for the answer, the task never waits for its receiver.
        let (sender, answer) = sync_channel(1);
        let task = self.handle.spawn(async move {
            let _ = sender.send(work.await);
        });
        Pending {
            answer,
            task: task.abort_handle(),
        }
    }

    /// The answer of a request.
    pub(super) fn wait<T>(&self, pending: Pending<T>) -> io::Result<T> {
        match pending.answer.recv() {
            Ok(Some(Ok(answer))) => Ok(answer),
            Ok(Some(Err(error))) => Err(failure(&self.bucket, error)),
            Ok(None) => Err(StoreFailure::Stopped.into()),
            Err(_) => Err(io::Error::other(
                "a task of the object store's client failed",
            )),
        }
    }

    /// As [`wait`](Inner::wait), but only a while, and without a result.
    pub(super) fn wait_a_while<T>(&self, pending: Pending<T>) {
        if let Err(RecvTimeoutError::Timeout) = pending.answer.recv_timeout(PATIENCE) {
            pending.task.abort();
        }
    }

    pub(super) fn ask<T: Send + 'static>(
        &self,
        request: impl Future<Output = Answer<T>> + Send + 'static,
    ) -> io::Result<T> {
        self.wait(self.start(request))
    }

    pub(super) fn find(&self, path: &str) -> io::Result<Option<ObjectMeta>> {
        let (objects, key) = (self.objects.clone(), self.key(path)?);
        self.ask(async move {
            match objects.head(&key).await {
                Err(Error::NotFound { .. }) => Ok(None),
                other => other.map(Some),
            }
        })
    }

    pub(super) fn fetch(
        &self,
        path: &str,
        each: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let Some(meta) = self.find(path)? else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let range = |from: u64| {
            let (objects, key) = (self.objects.clone(), meta.location.clone());
            // An object that is replaced while it is read is an error, not a mixture.
            let options = GetOptions {
                range: Some((from..meta.size.min(from + PIECE as u64)).into()),
                if_match: meta.e_tag.clone(),
                ..GetOptions::default()
            };
            self.start(repeated(move || {
                let (objects, key, options) = (objects.clone(), key.clone(), options.clone());
                async move { objects.get_opts(&key, options).await?.bytes().await }
            }))
        };
        let mut starts = (0..meta.size).step_by(PIECE);
        let mut waiting: VecDeque<_> = starts.by_ref().take(AHEAD).map(range).collect();
        while let Some(next) = waiting.pop_front() {
            each(&self.wait(next)?)?;
            waiting.extend(starts.next().map(range));
        }
        Ok(())
    }

    /// Creates an object where the store can do so atomically; `None` if it cannot.
    pub(super) fn try_create(&self, path: &str, contents: &[u8]) -> io::Result<Option<bool>> {
        let (objects, key) = (self.objects.clone(), self.key(path)?);
        let contents = Bytes::copy_from_slice(contents);
        self.ask(repeated(move || {
            let (objects, key, contents) = (objects.clone(), key.clone(), contents.clone());
            async move {
                let options = PutOptions::from(PutMode::Create);
                match objects.put_opts(&key, contents.into(), options).await {
                    Ok(_) => Ok(Some(true)),
                    Err(Error::AlreadyExists { .. }) => Ok(Some(false)),
                    Err(Error::NotImplemented { .. }) => Ok(None),
                    Err(error) => Err(error),
                }
            }
        }))
    }
}

/// Repeats a request that may have been carried out although it failed, or whose answer broke off.
/// The client does not: only the caller knows that a second time does no harm.
pub(super) async fn repeated<T, R: Future<Output = Answer<T>>>(
    request: impl Fn() -> R,
) -> Answer<T> {
    for _ in 1..ATTEMPTS {
        match request().await {
            Err(error) if is_unanswered(&error) => {}
            answer => return answer,
        }
    }
    request().await
}

/// Whether it is not known what became of a request.
fn is_unanswered(error: &Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(http) = inner.downcast_ref::<HttpError>() {
            return matches!(
                http.kind(),
                HttpErrorKind::Timeout
                    | HttpErrorKind::Interrupted
                    | HttpErrorKind::Decode
                    | HttpErrorKind::Unknown
            );
        }
        cause = inner.source();
    }
    false
}

/// The contents of a small object.
pub(super) async fn contents(objects: Arc<dyn ObjectStore>, key: Key) -> Answer<Bytes> {
    repeated(|| async { objects.get(&key).await?.bytes().await }).await
}
