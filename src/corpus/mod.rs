//! A corpus as a directory: where files are, what may be there, and the papers that make files a
//! corpus. Knows no format and no event.
//!
//! `plan.json` is written first, an entry of the journal after each file, `manifest.json` and
//! `_SUCCESS` last.

pub(crate) mod file;
pub(crate) mod journal;
mod layout;
pub mod manifest;
pub(crate) mod target;

pub use file::digest;
pub use layout::Corpus;
pub use manifest::{FileEntry, Manifest, PlanFile, to_json};
