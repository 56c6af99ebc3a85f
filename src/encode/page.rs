//! Pages: their headers, and compression where it pays.

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, PageType};
use parquet::errors::{ParquetError, Result};

use super::thrift::Writer;
use super::values::Bounds;

/// Bodies shorter than this are not worth a compressor's call: its tables cost some microseconds,
/// and there is little to save.
const SMALLEST: usize = 512;
/// The same of dictionary pages, which are compressed in form only then.
const SMALLEST_DICTIONARY: usize = 256;
/// Bytes that tell whether a body is noise.
const PROBE: usize = 2048;

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
        if !is_worth_it(body.len()) {
            return Ok(None);
        }
        let compressed = self.always(codec, body)?;
        Ok(compressed.filter(|c| c.len() * 20 <= body.len() * 19))
    }

    /// Whether a body's middle says that compression is of no use, for a part of the cost.
    pub(super) fn is_noise(&mut self, codec: Compression, body: &[u8]) -> Result<bool> {
        let middle = body.len() / 2;
        match body.get(middle..middle + PROBE) {
            Some(probe) if middle >= PROBE => Ok(self.compress(codec, probe)?.is_none()),
            _ => Ok(false),
        }
    }

    /// A dictionary page's body as the codec has it; `None` only where the codec is none.
    pub(super) fn dictionary(&mut self, codec: Compression, body: &[u8]) -> Result<Option<&[u8]>> {
        match codec {
            Compression::ZSTD(_) if body.len() < SMALLEST_DICTIONARY => {
                self.buffer.clear();
                put_raw_frame(body, &mut self.buffer);
                Ok(Some(&self.buffer))
            }
            _ => self.always(codec, body),
        }
    }

    fn always(&mut self, codec: Compression, body: &[u8]) -> Result<Option<&[u8]>> {
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

/// Whether a data page's body of so many bytes is worth trying.
pub(super) fn is_worth_it(length: usize) -> bool {
    length >= SMALLEST
}

/// Appends a zstd frame (RFC 8878) of one raw block: what zstd makes of noise. `body` is shorter
/// than [`SMALLEST_DICTIONARY`].
fn put_raw_frame(body: &[u8], out: &mut Vec<u8>) {
    let length = body.len() as u32;
    out.extend_from_slice(&0xfd2f_b528_u32.to_le_bytes());
    // A single segment, whose size is one byte.
    out.extend_from_slice(&[0x20, length as u8]);
    // The last block, and raw.
    out.extend_from_slice(&(length << 3 | 1).to_le_bytes()[..3]);
    out.extend_from_slice(body);
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
        assert!(compressor.is_noise(codec, &noise).unwrap());
        assert!(!compressor.is_noise(codec, &[7; 4096]).unwrap());
        // Too short to tell.
        assert!(!compressor.is_noise(codec, &noise[1..]).unwrap());
    }

    #[test]
    fn a_short_dictionary_is_a_frame() {
        let mut compressor = Compressor::default();
        let codec = Compression::ZSTD(ZstdLevel::default());
        for length in [0, 1, 128, 255, 256, 1000] {
            let body: Vec<u8> = (0..length).map(|n| (n * n) as u8).collect();
            let frame = compressor.dictionary(codec, &body).unwrap().unwrap();
            assert_eq!(zstd::bulk::decompress(frame, 2000).unwrap(), body);
            assert_eq!(
                zstd::zstd_safe::get_frame_content_size(frame).unwrap(),
                Some(length as u64)
            );
        }
        let none = compressor.dictionary(Compression::UNCOMPRESSED, &[1]);
        assert!(none.unwrap().is_none());
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
