//! Where batches go: files in one of three formats, and the papers that make them a corpus.
//!
//! A sink knows batches and files; what an event means is behind it. Truth and entities
//! are tables of what stands before, and as ignorant of how events look.

mod entities;
mod file;
pub mod format;
mod in_order;
pub mod json;
pub mod manifest;
pub mod parquet;
mod progress;
pub mod run;
mod target;
mod truth;

#[cfg(feature = "report")]
pub(crate) use file::Whole;
pub use file::digest;
pub use manifest::{FileEntry, Manifest, PlanFile, to_json};
pub(crate) use parquet::encoding_failed;
pub use progress::{Progress, Silent};
pub use run::{Part, Run, Summary, finish, generate};
pub use target::Corpus;
pub(crate) use truth::Truth;
