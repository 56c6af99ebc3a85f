//! Pages: their headers, and compression where it pays.

use parquet::basic::{Compression, Encoding};
use parquet::errors::{ParquetError, Result};

use super::bits::put_zigzag;
use super::keys::Body;

/// Bodies shorter than this are not worth a compressor's call.
const SMALLEST: usize = 48;

/// A data page (version 2) before its header.
pub(super) struct DataPage {
    /// Repetition levels, definition levels.
    pub levels: Vec<u8>,
    pub repetition_length: usize,
    pub body: Body,
    /// `None`: no values.
    pub encoding: Option<Encoding>,
    /// Values, nulls and empty lists.
    pub slots: usize,
    /// Slots that are no value.
    pub nulls: usize,
    pub rows: usize,
}

/// Thrift's compact protocol, as far as page headers go.
struct Header<'o> {
    out: &'o mut Vec<u8>,
    last: u8,
}

impl Header<'_> {
    fn field(&mut self, id: u8, kind: u8) {
        self.out.push((id - self.last) << 4 | kind);
        self.last = id;
    }

    fn int(&mut self, id: u8, value: usize) -> Result<()> {
        let value = i32::try_from(value)
            .map_err(|_| ParquetError::General(format!("a page of {value} bytes is too long")))?;
        self.field(id, 5);
        put_zigzag(self.out, i64::from(value));
        Ok(())
    }

    fn boolean(&mut self, id: u8, value: bool) {
        self.field(id, if value { 1 } else { 2 });
    }

    fn begin(&mut self, id: u8) -> Header<'_> {
        self.field(id, 12);
        Header {
            out: self.out,
            last: 0,
        }
    }

    fn end(self) {
        self.out.push(0);
    }
}

impl DataPage {
    /// Appends the header.
    pub(super) fn header(&self, encoding: Encoding, out: &mut Vec<u8>) -> Result<()> {
        let mut header = Header { out, last: 0 };
        header.int(1, 3)?;
        header.int(2, self.uncompressed())?;
        header.int(3, self.levels.len() + self.body.bytes.len())?;
        let mut v2 = header.begin(8);
        v2.int(1, self.slots)?;
        v2.int(2, self.nulls)?;
        v2.int(3, self.rows)?;
        v2.int(4, encoding as usize)?;
        v2.int(5, self.levels.len() - self.repetition_length)?;
        v2.int(6, self.repetition_length)?;
        v2.boolean(7, self.body.is_compressed);
        v2.end();
        header.end();
        Ok(())
    }

    /// Length before compression.
    pub(super) fn uncompressed(&self) -> usize {
        self.levels.len() + self.body.length
    }
}

/// Appends a dictionary page's header.
pub(super) fn dictionary_header(
    values: usize,
    uncompressed: usize,
    compressed: usize,
    out: &mut Vec<u8>,
) -> Result<()> {
    let mut header = Header { out, last: 0 };
    header.int(1, 2)?;
    header.int(2, uncompressed)?;
    header.int(3, compressed)?;
    let mut dictionary = header.begin(7);
    dictionary.int(1, values)?;
    dictionary.int(2, Encoding::PLAIN as usize)?;
    dictionary.end();
    header.end();
    Ok(())
}

/// A codec with its reusable state.
#[derive(Default)]
pub(super) struct Compressor {
    zstd: Option<(i32, zstd::bulk::Compressor<'static>)>,
    buffer: Vec<u8>,
}

/// Whether this encoder compresses with a codec itself.
pub(super) fn is_supported(codec: Compression) -> bool {
    matches!(codec, Compression::UNCOMPRESSED | Compression::ZSTD(_))
}

impl Compressor {
    /// Compresses `body` into the returned buffer; `None` where that saves less than 5%.
    pub(super) fn compress(&mut self, codec: Compression, body: &[u8]) -> Result<Option<&[u8]>> {
        if body.len() < SMALLEST {
            return Ok(None);
        }
        let compressed = self.always(codec, body)?;
        Ok(compressed.filter(|c| c.len() * 20 <= body.len() * 19))
    }

    /// Compresses `body`; `None` only where the codec is none.
    pub(super) fn always(&mut self, codec: Compression, body: &[u8]) -> Result<Option<&[u8]>> {
        let Compression::ZSTD(level) = codec else {
            return Ok(None);
        };
        let level = level.compression_level();
        let zstd = match &mut self.zstd {
            Some((at, zstd)) if *at == level => zstd,
            other => {
                let zstd = zstd::bulk::Compressor::new(level)
                    .map_err(|e| ParquetError::External(Box::new(e)))?;
                &mut other.insert((level, zstd)).1
            }
        };
        self.buffer.clear();
        self.buffer
            .reserve(zstd::zstd_safe::compress_bound(body.len()));
        zstd.compress_to_buffer(body, &mut self.buffer)
            .map_err(|e| ParquetError::External(Box::new(e)))?;
        Ok(Some(&self.buffer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::basic::ZstdLevel;

    #[test]
    fn noise_stays_raw() {
        let mut compressor = Compressor::default();
        let codec = Compression::ZSTD(ZstdLevel::default());
        let mut state = 1u64;
        let noise: Vec<u8> = (0..4096)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 56) as u8
            })
            .collect();
        assert!(compressor.compress(codec, &noise).unwrap().is_none());
        assert!(compressor.compress(codec, &[7; 4096]).unwrap().is_some());
        assert!(compressor.compress(codec, &[7; 8]).unwrap().is_none());
    }

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
