//! A corpus as files in a directory or an object store: their paths, the checks of the place before a
//! run, and the JSON files that describe a corpus. Nothing here knows how a file is encoded, or what
//! an event is.
//!
//! `plan.json` is written first, a journal entry after each file, `manifest.json` and `_SUCCESS`
//! last.

mod address;
mod claim;
mod directory;
pub(crate) mod file;
pub(crate) mod journal;
pub(crate) mod layout;
pub mod manifest;
mod objects;
mod prefix;
#[cfg(feature = "object-stores")]
mod store;
mod table;
pub(crate) mod target;

pub use file::AtomicFile;
pub use layout::{Corpus, EventPath, refuse_inside};
pub use manifest::{FileEntry, Manifest, PlanFile, to_json};
