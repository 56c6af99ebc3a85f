//! Data pages and page headers.

use bytes::Bytes;
use parquet::basic::{Encoding, PageType};
use parquet::errors::{ParquetError, Result};

use crate::bounds::Bounds;
use crate::thrift::StructWriter;

/// A data page (version 2), without its header.
pub(crate) struct DataPage {
    /// The bytes of its levels.
    pub levels: usize,
    /// The bytes of its repetition levels, which come first.
    pub repetition_length: usize,
    pub body: PageBody,
    /// The length of its body in bytes before compression.
    pub uncompressed_body: usize,
    pub is_compressed: bool,
    /// `None` if it has no values.
    pub encoding: Option<Encoding>,
    /// The number of values, nulls and empty lists.
    pub slots: usize,
    /// The number of slots without a value.
    pub nulls: usize,
    pub rows: usize,
    pub bounds: Bounds,
}

/// The body of a page.
pub(crate) enum PageBody {
    /// Stored after the page's levels: the length in bytes.
    Own(usize),
    /// Shared with other leaves.
    Shared(Bytes),
}

impl PageBody {
    pub(crate) fn len(&self) -> usize {
        match self {
            PageBody::Own(length) => *length,
            PageBody::Shared(bytes) => bytes.len(),
        }
    }
}

/// A length as page headers store it.
fn length(value: usize) -> Result<i32> {
    i32::try_from(value)
        .map_err(|_| ParquetError::General(format!("a page of {value} bytes is too long")))
}

impl DataPage {
    /// Appends the header.
    pub(crate) fn header(&self, encoding: Encoding, out: &mut Vec<u8>) -> Result<()> {
        let mut header = StructWriter::new(out);
        header.int32(1, PageType::DATA_PAGE_V2 as i32);
        header.int32(2, length(self.uncompressed())?);
        header.int32(3, length(self.levels + self.body.len())?);
        let mut v2 = header.begin(8);
        v2.int32(1, length(self.slots)?);
        v2.int32(2, length(self.nulls)?);
        v2.int32(3, length(self.rows)?);
        v2.int32(4, encoding as i32);
        v2.int32(5, length(self.levels - self.repetition_length)?);
        v2.int32(6, length(self.repetition_length)?);
        v2.boolean(7, self.is_compressed);
        v2.end();
        header.end();
        Ok(())
    }

    /// The length of levels and body in bytes before compression.
    pub(crate) fn uncompressed(&self) -> usize {
        self.levels + self.uncompressed_body
    }
}

/// Appends a dictionary page's header.
pub(crate) fn dictionary_header(
    values: usize,
    uncompressed: usize,
    compressed: usize,
    out: &mut Vec<u8>,
) -> Result<()> {
    let mut header = StructWriter::new(out);
    header.int32(1, PageType::DICTIONARY_PAGE as i32);
    header.int32(2, length(uncompressed)?);
    header.int32(3, length(compressed)?);
    let mut dictionary = header.begin(7);
    dictionary.int32(1, length(values)?);
    dictionary.int32(2, Encoding::PLAIN as i32);
    dictionary.end();
    header.end();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dictionary_header_is_encoded() {
        let mut out = Vec::new();
        dictionary_header(3, 100, 50, &mut out).unwrap();
        assert_eq!(
            out,
            [
                0x15, 4, 0x15, 0xc8, 1, 0x15, 100, 0x4c, 0x15, 6, 0x15, 0, 0, 0
            ]
        );
    }
}
