//! Calls of clouds and services.

use super::Sparse;

/// The call that a row of a cloud or service records. Few frames have any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallRow {
    /// Index into the vocabulary's calls.
    pub call: u32,
    /// Index into the catalog's clients.
    pub agent: u32,
    /// The session's number, and when it was issued, Unix seconds.
    pub session: u64,
    pub session_start: i64,
}

/// The calls of a frame's rows.
pub type Calls = Sparse<CallRow>;
