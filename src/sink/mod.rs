//! Where batches go: Parquet files, and the papers that make them a corpus.
//!
//! A sink knows batches and files; what an event means is behind it.

pub mod json;
pub mod manifest;
pub mod parquet;
pub mod run;
mod target;

pub use run::{Progress, Silent, Summary, generate};
pub use target::Corpus;
