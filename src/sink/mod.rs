//! File formats: frames become Parquet, NDJSON or Arrow IPC files. Nothing here knows what an event
//! means.
//!
//! [`table`] makes tables of Parquet files. [`read`] reads event files of any format.
//!
//! A format is one file of this directory that implements [`FileFormat`], an arm of
//! [`with_format`], and an entry of the table in `plan/files.rs`.

mod arrow;
pub mod format;
pub mod json;
mod ndjson;
pub mod parquet;
pub mod read;
pub mod stream;
pub mod table;

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::plan::Format;
use format::{FileFormat, FormatSettings};
use stream::StreamFormat;

/// Work that is compiled once for each format, so that a run decides only once which format it
/// writes.
pub trait FormatTask {
    type Output;

    /// Does the work in the format `F`.
    fn run<F: FileFormat>(self) -> Self::Output;
}

/// Does `task` in the format that a corpus's settings name.
pub fn with_format<T: FormatTask>(format: Format, task: T) -> T::Output {
    match format {
        Format::Parquet => task.run::<parquet::Parquet>(),
        Format::Ndjson => task.run::<ndjson::Ndjson>(),
        Format::Arrow => task.run::<arrow::Arrow>(),
    }
}

/// The format of a corpus's settings as a stream.
///
/// # Errors
/// It needs a file.
pub fn stream_format(settings: FormatSettings<'_>) -> Result<Arc<dyn StreamFormat>> {
    match settings.config.format {
        Format::Ndjson => Ok(Arc::new(ndjson::NdjsonStream::new(settings))),
        Format::Arrow => Ok(Arc::new(arrow::ArrowStream::new(settings)?)),
        Format::Parquet => Err(Error::setting(
            "format",
            "Parquet needs files and cannot be written to a stream",
            "use ndjson or arrow",
        )),
    }
}
