//! A table of truth as a stream of record batches.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, Schema as ArrowSchema, SchemaRef};

use super::Generator;
use crate::error::{Error, Result, unpanicked};
use crate::plan::TruthTable;
use crate::progress::Silent;
use crate::truth::Truth;

/// Batches that wait for the consumer.
const AHEAD: usize = 2;

/// The batches of a table of truth, made by a thread: an iterator, and a [`RecordBatchReader`].
/// A table without rows has no columns.
pub struct TruthBatches {
    schema: SchemaRef,
    /// The first batch, which was made for its schema.
    first: Option<RecordBatch>,
    rest: Receiver<Result<RecordBatch>>,
}

impl TruthBatches {
    pub(super) fn new(generator: &Generator, table: TruthTable) -> Result<Self> {
        let (sender, rest) = sync_channel(AHEAD);
        let (maker, tables) = (generator.maker().clone(), generator.tables().clone());
        let path = Path::new(table.name());
        let make = move || {
            let made = unpanicked(path, || {
                let truth = Truth::new(&maker, &tables, &Silent);
                let mut send = |batch| sender.send(Ok(batch)).map_err(|_| gone(path));
                let mut shards = maker.plan.truth.iter().filter(|s| s.table == table);
                shards.try_for_each(|shard| truth.make(shard, path, &mut send))
            });
            if let Err(error) = made {
                // Once the consumer has left, there is nobody to send to.
                let _ = sender.send(Err(error));
            }
        };
        (std::thread::Builder::new()
            .name("fusiongen".into())
            .spawn(make))
        .map_err(|e| Error::io(path, "start a thread for", e))?;
        let first = rest.recv().ok().transpose()?;
        let schema = first.as_ref().map(RecordBatch::schema);
        Ok(TruthBatches {
            schema: schema.unwrap_or_else(|| Arc::new(ArrowSchema::empty())),
            first,
            rest,
        })
    }
}

/// The consumer has left.
fn gone(path: &Path) -> Error {
    Error::Stopped {
        path: path.to_path_buf(),
        problem: "stopped".into(),
        remedy: "read the stream to its end".into(),
        signal: None,
    }
}

impl Iterator for TruthBatches {
    type Item = std::result::Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(first) = self.first.take() {
            return Some(Ok(first));
        }
        let next = self.rest.recv().ok()?;
        Some(next.map_err(|error| ArrowError::ExternalError(Box::new(error))))
    }
}

impl RecordBatchReader for TruthBatches {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}
