//! What a file format must provide.
//!
//! Three traits, because their values live on different threads: one [`FileFormat`] is shared by
//! all threads of a run, a [`RowGroupEncoder`] works on any of them, and one thread at a time
//! appends to an [`EventFile`]. Associated types connect the three: a file accepts only row groups
//! of its own format, and nothing is boxed.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use crate::columns::View;
use crate::corpus::file::AtomicFile;
use crate::error::Result;
use crate::plan::Config;
use crate::schema::Schema;

/// What a format is built from.
#[derive(Clone, Copy)]
pub struct FormatSettings<'s> {
    pub config: &'s Config,
    pub schema: &'s Arc<Schema>,
    /// Fingerprint of the corpus, which files carry if their format has room for it.
    pub fingerprint: &'s str,
    /// Root of the corpus, for messages.
    pub root: &'s Path,
}

/// How the event files of a corpus are written.
pub trait FileFormat: Sized + Send + Sync {
    /// An encoded row group in memory.
    type RowGroup: Send;
    type Encoder<'f>: RowGroupEncoder<RowGroup = Self::RowGroup>
    where
        Self: 'f;
    type File: EventFile<RowGroup = Self::RowGroup> + Send;

    /// The format with the settings of a corpus.
    ///
    /// # Errors
    /// A library rejects the schema, which is a defect.
    fn new(settings: FormatSettings<'_>) -> Result<Self>;

    /// Begins a row group of about `rows` rows. `path` is its file, for messages.
    ///
    /// # Errors
    /// A library rejects the schema, which is a defect.
    fn encoder<'f>(&'f self, rows: u64, path: &'f Path) -> Result<Self::Encoder<'f>>;

    /// Begins a file.
    ///
    /// # Errors
    /// I/O.
    fn create(&self, file: AtomicFile) -> Result<Self::File>;

    /// The files that make the event files a table, such as Delta's log or Iceberg's metadata;
    /// none by default.
    ///
    /// Called after every event file is on disk. The caller writes the files, lists them in
    /// `manifest.json` and then writes `_SUCCESS`. A corpus may be committed several times: after
    /// an interrupted run, when one of these files was lost, or for another table. So the result
    /// must depend on nothing but the argument; no clock, no random number.
    ///
    /// # Errors
    /// An event file cannot be read back, or the metadata cannot be encoded, which is a defect.
    fn commit(_corpus: &CompleteCorpus<'_>) -> Result<Vec<CommitFile>> {
        Ok(Vec::new())
    }
}

/// Encodes one row group.
pub trait RowGroupEncoder {
    type RowGroup;

    /// Adds the rows of a view.
    ///
    /// # Errors
    /// A column breaks the schema's promise, which is a defect.
    fn write(&mut self, view: &View<'_>) -> Result<()>;

    /// Ends the row group.
    ///
    /// # Errors
    /// Compression fails, which is a defect.
    fn finish(self) -> Result<Self::RowGroup>;
}

/// An event file that is being written, and has no name yet.
pub trait EventFile {
    type RowGroup;

    /// Appends a row group.
    ///
    /// # Errors
    /// I/O.
    fn append(&mut self, group: Self::RowGroup) -> Result<()>;

    /// Ends the file. The caller gives it its name.
    ///
    /// # Errors
    /// I/O.
    fn finish(self) -> Result<AtomicFile>;
}

/// A corpus whose event files are all on disk.
pub struct CompleteCorpus<'c> {
    pub config: &'c Config,
    pub schema: &'c Schema,
    pub fingerprint: &'c str,
    /// Root of the corpus, for messages.
    pub root: &'c Path,
    /// URI of `events/`, without a `/` at its end, if the table names its files absolutely.
    pub location: Option<String>,
    /// In the order of the plan.
    pub files: Vec<CompleteFile<'c>>,
    /// Reads the last bytes of an event file, as many as asked for, or all if it has fewer.
    pub tail: &'c Tail<'c>,
}

/// Reads the end of an event file, wherever the corpus is.
pub type Tail<'t> = dyn Fn(&CompleteFile<'_>, u64) -> Result<Bytes> + Sync + 't;

/// An event file of a [`CompleteCorpus`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompleteFile<'c> {
    /// Relative to `events/`, with `/`.
    pub path: &'c str,
    /// The partition's `date`, `2024-08-12`.
    pub date: &'c str,
    /// The partition's `category`; `None` if the corpus is partitioned by date only.
    pub category: Option<&'c str>,
    pub rows: u64,
    pub bytes: u64,
    /// BLAKE3, hexadecimal.
    pub blake3: &'c str,
    /// Times of the first and last row, Unix microseconds.
    pub times: Option<(i64, i64)>,
}

/// A file that a format adds to the event files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitFile {
    /// Relative to `events/`, with `/`; without `.` and `..`.
    pub path: String,
    pub contents: Vec<u8>,
}
