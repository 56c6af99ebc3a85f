//! Formats that can be written to a pipe: bytes that follow each other, without a file around them.

use crate::columns::View;
use crate::error::Result;

/// The rows of a frame as bytes.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct EncodedRows {
    pub bytes: Vec<u8>,
    /// Where each row ends in `bytes`; empty if rows cannot be told apart there.
    pub ends: Vec<usize>,
}

/// A stream is its head, then encoded frames in any number, then its end.
pub trait StreamFormat: Send + Sync {
    /// The bytes before the first row.
    ///
    /// # Errors
    /// A library rejects the schema, which is a defect.
    fn head(&self) -> Result<Vec<u8>>;

    /// Encodes the rows of a view.
    ///
    /// # Errors
    /// A column breaks the schema's promise, or compression fails; both are defects.
    fn encode(&self, view: &View<'_>) -> Result<EncodedRows>;

    /// The bytes after the last row.
    fn end(&self) -> Vec<u8>;
}
