//! Events as bytes for a pipe.

use std::sync::Arc;

use super::Generator;
use super::batches::Select;
use super::parallel::{Failure, Make, Parallel};
use super::spans::Span;
use crate::columns::{Tables, View};
use crate::error::{Error, Result};
use crate::frame::Maker;
use crate::schema::Schema;
use crate::sink::format::FormatSettings;
use crate::sink::stream::{EncodedRows, StreamFormat};
use crate::sink::stream_format;

/// The bytes of some events. Chunks follow each other without anything between them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Chunk {
    pub bytes: Vec<u8>,
    /// Times of its events, Unix microseconds; empty for the head and the end of a format.
    pub times: Vec<i64>,
    /// Where each event ends in `bytes`; empty if the format or its compression does not tell.
    pub ends: Vec<usize>,
}

/// Encodes frames. Threads share it.
struct ChunkMaker {
    maker: Arc<Maker>,
    tables: Arc<Tables>,
    format: Arc<dyn StreamFormat>,
}

/// The selected events in the format and compression of the settings, as an iterator of chunks.
/// Threads make the chunks ahead of the consumer.
pub struct Stream {
    chunks: Parallel<ChunkMaker>,
    head: Option<Vec<u8>>,
    end: Option<Vec<u8>>,
}

impl Stream {
    pub(super) fn new(generator: &Generator, select: &Select, threads: usize) -> Result<Self> {
        let config = &generator.plan.config;
        let schema: Arc<Schema> = select.schema(generator)?;
        let format = stream_format(FormatSettings {
            config,
            schema: &schema,
            fingerprint: &generator.plan.fingerprint,
            root: "stream".as_ref(),
        })?;
        let maker = ChunkMaker {
            maker: generator.maker().clone(),
            tables: generator.tables().clone(),
            format: format.clone(),
        };
        Ok(Stream {
            head: Some(format.head()?),
            chunks: Parallel::new(Arc::new(maker), select.spans(generator)?, threads),
            end: Some(format.end()),
        })
    }
}

impl Make for ChunkMaker {
    type Item = Result<Chunk>;

    fn make(&self, span: &Span) -> Result<Chunk> {
        let frame = self.maker.frame(&span.order, span.frame);
        let view = View::new(&frame, &self.maker, &self.tables);
        let EncodedRows { bytes, ends } = self.format.encode(&view)?;
        drop(view);
        Ok(Chunk {
            bytes,
            times: frame.time,
            ends,
        })
    }

    fn failed(&self, failure: Failure) -> Result<Chunk> {
        let path = "stream";
        Err(match failure {
            Failure::NoThread(error) => Error::io(path.as_ref(), "start a thread for", error),
            Failure::Panicked => Error::Defect { path: path.into() },
        })
    }
}

impl Iterator for Stream {
    type Item = Result<Chunk>;

    fn next(&mut self) -> Option<Result<Chunk>> {
        let edge = |bytes: Option<Vec<u8>>| {
            let bytes = bytes.filter(|bytes| !bytes.is_empty())?;
            Some(Ok(Chunk {
                bytes,
                ..Chunk::default()
            }))
        };
        edge(self.head.take())
            .or_else(|| self.chunks.next())
            .or_else(|| edge(self.end.take()))
    }
}
