//! What identifies a key buffer that several columns share.

use std::any::TypeId;

use crate::frame::TextColumn;

/// A table that rows refer to by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    Host,
    User,
    Rule,
}

/// What decides the keys of a column.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyed {
    /// The same key in every row.
    Constant,
    /// A text column of the frame, by its address.
    Column(*const TextColumn),
    /// A function of the row, by its type.
    Function(TypeId),
    /// A function of the row that makes lists, by its type.
    Lists(TypeId),
    /// The kind of record.
    Kind,
    /// The process.
    Process,
}
