//! What a run has written.

use fusiongen::run as files;
use pyo3::prelude::*;

/// What was written.
#[pyclass(frozen, get_all, module = "fusiongen")]
pub struct Summary {
    /// Events in the files.
    events: u64,
    /// Files of the corpus, or of the part.
    files: u64,
    bytes: u64,
    /// Files that were there already.
    kept: u64,
    /// Whether the corpus is complete.
    finished: bool,
}

impl From<files::Summary> for Summary {
    fn from(summary: files::Summary) -> Self {
        let files::Summary {
            files,
            bytes,
            events,
            kept,
            finished,
            unchanged: _,
            kept_events: _,
        } = summary;
        Summary {
            events,
            files,
            bytes,
            kept,
            finished,
        }
    }
}

#[pymethods]
impl Summary {
    #[new]
    fn new(events: u64, files: u64, bytes: u64, kept: u64, finished: bool) -> Self {
        Summary {
            events,
            files,
            bytes,
            kept,
            finished,
        }
    }

    /// The arguments that make it again from a pickle.
    fn __getnewargs__(&self) -> (u64, u64, u64, u64, bool) {
        let Summary {
            events,
            files,
            bytes,
            kept,
            finished,
        } = *self;
        (events, files, bytes, kept, finished)
    }

    fn __repr__(&self) -> String {
        let Summary {
            events,
            files,
            bytes,
            kept,
            finished,
        } = self;
        format!(
            "<fusiongen.Summary: {events} events, {files} files, {bytes} bytes, {kept} kept, {}>",
            match finished {
                true => "finished",
                false => "not finished",
            }
        )
    }
}
