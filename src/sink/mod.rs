//! Formats: batches become Parquet, lines of JSON, or Arrow IPC. What an event means is behind it.

pub mod format;
pub mod json;
pub mod parquet;
