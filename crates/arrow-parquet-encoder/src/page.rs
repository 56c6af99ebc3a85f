//! Pages and their headers.

use bytes::Bytes;
use parquet::basic::{Encoding, PageType};
use parquet::errors::{ParquetError, Result};

use super::thrift::Writer;
use super::values::Bounds;

/// A data page (version 2) before its header.
pub(super) struct DataPage {
    /// Bytes of its levels.
    pub levels: usize,
    /// Those of them that are repetition levels.
    pub repetition_length: usize,
    pub body: PageBody,
    /// The body's length before compression.
    pub length: usize,
    pub is_compressed: bool,
    /// `None`: no values.
    pub encoding: Option<Encoding>,
    /// Values, nulls and empty lists.
    pub slots: usize,
    /// Slots that are no value.
    pub nulls: usize,
    pub rows: usize,
    pub bounds: Bounds,
}

/// Where a page's body is.
pub(super) enum PageBody {
    /// Behind its levels: so many bytes.
    Own(usize),
    /// Other leaves have it too.
    Shared(Bytes),
}

impl PageBody {
    pub(super) fn len(&self) -> usize {
        match self {
            PageBody::Own(length) => *length,
            PageBody::Shared(bytes) => bytes.len(),
        }
    }
}

/// A length as headers have it.
fn length(value: usize) -> Result<i32> {
    i32::try_from(value)
        .map_err(|_| ParquetError::General(format!("a page of {value} bytes is too long")))
}

impl DataPage {
    /// Appends the header.
    pub(super) fn header(&self, encoding: Encoding, out: &mut Vec<u8>) -> Result<()> {
        let mut header = Writer::new(out);
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

    /// Length before compression.
    pub(super) fn uncompressed(&self) -> usize {
        self.levels + self.length
    }
}

/// Appends a dictionary page's header.
pub(super) fn dictionary_header(
    values: usize,
    uncompressed: usize,
    compressed: usize,
    out: &mut Vec<u8>,
) -> Result<()> {
    let mut header = Writer::new(out);
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
    fn headers_are_thrift() {
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
