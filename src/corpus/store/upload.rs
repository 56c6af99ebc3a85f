//! One object that is being written, in bounded memory.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;

use object_store::{MultipartUpload, ObjectStoreExt, PutPayload, PutResult};
use tokio::sync::Mutex;

use super::requests::{ATTEMPTS, Inner, PIECE, Pending, repeated};
use crate::corpus::objects::Upload;
use crate::error::StoreFailure;

/// Maximum number of parts of an upload in S3, and in stores that imitate it.
const MOST_PARTS: u32 = 10_000;

/// An object below one piece is put at once. A longer one is sent in parts, each while the next is
/// filled; the store shows it when all are there.
pub(super) struct StoreUpload {
    store: Arc<Inner>,
    path: String,
    piece: Vec<u8>,
    parts: Option<Parts>,
}

struct Parts {
    upload: Box<dyn MultipartUpload>,
    sent: u32,
    pending: VecDeque<Pending<()>>,
}

impl StoreUpload {
    pub(super) fn new(store: Arc<Inner>, path: &str) -> Self {
        StoreUpload {
            store,
            path: path.into(),
            piece: Vec::new(),
            parts: None,
        }
    }

    /// Sends the piece as the next part. Waits while too many are being sent.
    fn send(&mut self) -> io::Result<()> {
        // Taken first: what failed is not sent again when the upload is dropped.
        let piece = std::mem::take(&mut self.piece);
        let store = self.store.clone();
        let mut parts = match self.parts.take() {
            Some(parts) => parts,
            None => {
                let (objects, key) = (store.objects.clone(), store.key(&self.path)?);
                Parts {
                    upload: store.ask(repeated(move || {
                        let (objects, key) = (objects.clone(), key.clone());
                        async move { objects.put_multipart(&key).await }
                    }))?,
                    sent: 0,
                    pending: VecDeque::new(),
                }
            }
        };
        let sent = parts.send(&store, piece);
        self.parts = Some(parts);
        sent
    }
}

impl Parts {
    fn send(&mut self, store: &Inner, piece: Vec<u8>) -> io::Result<()> {
        if self.sent == MOST_PARTS {
            return Err(StoreFailure::Refused {
                problem: format!("the object would have more than {MOST_PARTS} parts of 8 MiB"),
                remedy: "use a smaller --shard-rows".into(),
            }
            .into());
        }
        self.sent += 1;
        // A failure of an earlier part is found before more is sent.
        while self.pending.front().is_some_and(Pending::is_answered)
            && let Some(part) = self.pending.pop_front()
        {
            store.wait(part)?;
        }
        let pieces = store.pieces.clone();
        let room = store.ask(async move { Ok(pieces.acquire_owned().await) })?;
        let part = self.upload.put_part(PutPayload::from(piece));
        self.pending.push_back(store.start(async move {
            let _room = room;
            part.await
        }));
        Ok(())
    }

    /// Waits for all parts and completes the upload.
    fn complete(mut self, store: &Inner) -> io::Result<PutResult> {
        while let Some(part) = self.pending.pop_front() {
            if let Err(error) = store.wait(part) {
                self.abort(store);
                return Err(error);
            }
        }
        let upload = Arc::new(Mutex::new(self.upload));
        let completing = upload.clone();
        let answer = store.ask(async move { completing.lock().await.complete().await });
        if answer.is_err() {
            abort(store, upload);
        }
        answer
    }

    fn abort(self, store: &Inner) {
        // A part that arrives after the end of its upload would remain.
        self.pending.iter().for_each(|part| part.task.abort());
        abort(store, Arc::new(Mutex::new(self.upload)));
    }
}

/// Removes the parts. If that fails too, the bucket's lifecycle rule does it.
fn abort(store: &Inner, upload: Arc<Mutex<Box<dyn MultipartUpload>>>) {
    let aborting = async move {
        let mut upload = upload.lock().await;
        for _ in 1..ATTEMPTS {
            if upload.abort().await.is_ok() {
                break;
            }
        }
        Some(Ok(()))
    };
    store.wait_a_while(store.spawn(aborting));
}

impl Write for StoreUpload {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let taken = buffer.len().min(PIECE - self.piece.len());
        if self.piece.is_empty() && self.parts.is_some() {
            self.piece.reserve_exact(PIECE);
        }
        self.piece.extend_from_slice(&buffer[..taken]);
        if self.piece.len() == PIECE {
            self.send()?;
        }
        Ok(taken)
    }

    /// Parts have a fixed size, so nothing is sent early.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Upload for StoreUpload {
    fn finish(mut self: Box<Self>, digest: &str) -> io::Result<Option<String>> {
        if self.parts.is_some() && !self.piece.is_empty() {
            self.send()?;
        }
        let store = self.store.clone();
        let Some(parts) = self.parts.take() else {
            let (objects, key) = (store.objects.clone(), store.key(&self.path)?);
            let contents = PutPayload::from(std::mem::take(&mut self.piece));
            let put = store.ask(async move { objects.put(&key, contents).await })?;
            return Ok(put.e_tag);
        };
        match parts.complete(&store) {
            Ok(put) => Ok(put.e_tag),
            // The store may have completed the upload and its answer was lost; then the repeated
            // request fails, as the upload no longer exists. The contents decide.
            Err(error) if !is_stop(&error) => match store.tag_of(&self.path, digest) {
                Some(tag) => Ok(tag),
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }
}

impl Drop for StoreUpload {
    fn drop(&mut self) {
        if let Some(parts) = self.parts.take() {
            parts.abort(&self.store);
        }
    }
}

impl Inner {
    /// The tag of an object with this digest, if one exists.
    fn tag_of(&self, path: &str, digest: &str) -> Option<Option<String>> {
        let tag = self.find(path).ok()??.e_tag;
        let mut hasher = blake3::Hasher::new();
        let mut add = |piece: &[u8]| {
            hasher.update(piece);
            Ok(())
        };
        self.fetch(path, &mut add).ok()?;
        (hasher.finalize().to_hex().as_str() == digest).then_some(tag)
    }
}

impl<T> Pending<T> {
    fn is_answered(&self) -> bool {
        self.task.is_finished()
    }
}

fn is_stop(error: &io::Error) -> bool {
    let failure = error.get_ref().and_then(|e| e.downcast_ref());
    matches!(failure, Some(StoreFailure::Stopped))
}
