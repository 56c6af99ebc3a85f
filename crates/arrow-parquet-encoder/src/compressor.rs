//! Compression codecs, and when to use them.

use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};
use parquet::basic::Compression;
use parquet::errors::{ParquetError, Result};
use zstd::zstd_safe::compress_bound;

/// Page bodies shorter than this many bytes are not compressed: setting up a compressor's tables
/// takes microseconds, and there is little to save.
const SMALLEST: usize = 512;
/// Dictionary pages shorter than this many bytes become a zstd frame of one raw block.
const SMALLEST_DICTIONARY: usize = 256;
/// The number of bytes that are compressed to find out whether a body is compressible.
const PROBE: usize = 2048;

/// Whether this crate compresses with a codec itself.
pub(crate) fn is_supported(codec: Compression) -> bool {
    matches!(
        codec,
        Compression::UNCOMPRESSED
            | Compression::ZSTD(_)
            | Compression::SNAPPY
            | Compression::LZ4_RAW
    )
}

/// Whether a data page's body of `length` bytes is long enough to compress.
pub(crate) fn is_worth_it(length: usize) -> bool {
    length >= SMALLEST
}

/// Reusable codec state. The output for a body doesn't depend on the bodies before it.
#[derive(Default)]
pub(crate) struct Compressor {
    /// The last level used, and its compressor.
    zstd: Option<(i32, zstd::bulk::Compressor<'static>)>,
    snappy: Option<Box<snap::raw::Encoder>>,
    lz4: Option<Lz4Tables>,
    /// Output; grows to the longest compressed size possible for the bodies so far.
    buffer: Vec<u8>,
    /// A zstd frame of one raw block.
    frame: Vec<u8>,
}

/// LZ4 tables for short and for long bodies. `lz4_flex` compresses a short body differently with
/// a long body's table.
struct Lz4Tables {
    short: CompressTable,
    long: CompressTable,
}

impl Compressor {
    /// Compresses a data page's body; `None` where that saves less than 5%.
    pub(crate) fn compress(&mut self, codec: Compression, body: &[u8]) -> Result<Option<&[u8]>> {
        if !is_worth_it(body.len()) {
            return Ok(None);
        }
        let compressed = self.always(codec, body)?;
        Ok(compressed.filter(|c| c.len() * 20 <= body.len() * 19))
    }

    /// Whether a long body is unlikely to compress, judged by a sample from its middle.
    pub(crate) fn is_noise(&mut self, codec: Compression, body: &[u8]) -> Result<bool> {
        let middle = body.len() / 2;
        match body.get(middle..middle + PROBE) {
            Some(probe) if middle >= PROBE => Ok(self.compress(codec, probe)?.is_none()),
            _ => Ok(false),
        }
    }

    /// Compresses a dictionary page's body; `None` only without a codec, for a dictionary page has
    /// no flag that says it is uncompressed.
    pub(crate) fn dictionary(&mut self, codec: Compression, body: &[u8]) -> Result<Option<&[u8]>> {
        match codec {
            Compression::ZSTD(_) if body.len() < SMALLEST_DICTIONARY => {
                self.frame.clear();
                put_raw_frame(body, &mut self.frame);
                Ok(Some(&self.frame))
            }
            _ => self.always(codec, body),
        }
    }

    /// Compresses `body` whether or not it gets shorter; `None` without a codec.
    fn always(&mut self, codec: Compression, body: &[u8]) -> Result<Option<&[u8]>> {
        let greatest = match codec {
            Compression::ZSTD(_) => compress_bound(body.len()),
            Compression::SNAPPY => snap::raw::max_compress_len(body.len()),
            Compression::LZ4_RAW => get_maximum_output_size(body.len()),
            _ => return Ok(None),
        };
        if self.buffer.len() < greatest {
            self.buffer.resize(greatest, 0);
        }
        let buffer = &mut self.buffer[..];
        let length = match codec {
            Compression::ZSTD(level) => {
                let level = level.compression_level();
                let zstd = match &mut self.zstd {
                    Some((at, zstd)) if *at == level => zstd,
                    other => {
                        let zstd = zstd::bulk::Compressor::new(level).map_err(external)?;
                        &mut other.insert((level, zstd)).1
                    }
                };
                zstd.compress_to_buffer(body, buffer).map_err(external)?
            }
            Compression::SNAPPY => {
                let snappy = self
                    .snappy
                    .get_or_insert_with(|| Box::new(snap::raw::Encoder::new()));
                snappy.compress(body, buffer).map_err(external)?
            }
            _ => {
                let lz4 = self.lz4.get_or_insert_with(|| Lz4Tables {
                    short: CompressTable::small(),
                    long: CompressTable::large(),
                });
                let table = match body.len() < usize::from(u16::MAX) {
                    true => &mut lz4.short,
                    false => &mut lz4.long,
                };
                compress_into_with_table(body, buffer, table).map_err(external)?
            }
        };
        Ok(Some(&self.buffer[..length]))
    }
}

fn external<E: std::error::Error + Send + Sync + 'static>(error: E) -> ParquetError {
    ParquetError::External(Box::new(error))
}

/// Appends a zstd frame (RFC 8878) of one raw block, as zstd does for incompressible input. `body`
/// is shorter than [`SMALLEST_DICTIONARY`].
fn put_raw_frame(body: &[u8], out: &mut Vec<u8>) {
    let length = body.len() as u32;
    out.extend_from_slice(&0xfd2f_b528_u32.to_le_bytes());
    // A single segment, with a content size of one byte.
    out.extend_from_slice(&[0x20, length as u8]);
    // The header of the last block, which is raw.
    out.extend_from_slice(&(length << 3 | 1).to_le_bytes()[..3]);
    out.extend_from_slice(body);
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::basic::ZstdLevel;

    fn codecs() -> [Compression; 4] {
        [
            Compression::ZSTD(ZstdLevel::default()),
            Compression::ZSTD(ZstdLevel::try_new(9).unwrap()),
            Compression::SNAPPY,
            Compression::LZ4_RAW,
        ]
    }

    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1u64;
        (0..length)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 56) as u8
            })
            .collect()
    }

    #[test]
    fn incompressible_bodies_are_not_compressed() {
        let mut compressor = Compressor::default();
        let noise = noise(4096);
        for codec in codecs() {
            assert!(compressor.compress(codec, &noise).unwrap().is_none());
            assert!(compressor.compress(codec, &[7; 4096]).unwrap().is_some());
            assert!(compressor.compress(codec, &[7; 8]).unwrap().is_none());
            assert!(compressor.is_noise(codec, &noise).unwrap());
            assert!(!compressor.is_noise(codec, &[7; 4096]).unwrap());
            // Too short for a sample.
            assert!(!compressor.is_noise(codec, &noise[1..]).unwrap());
        }
    }

    #[test]
    fn output_is_independent_of_earlier_bodies() {
        // Matches of four bytes and never five: LZ4's table for long bodies finds few of them.
        let words = noise(200_000).into_iter().enumerate();
        let words: Vec<u8> = words
            .map(|(at, byte)| b"abcd".get(at % 5).copied().unwrap_or(byte))
            .collect();
        let bodies: [&[u8]; 5] = [&words[..3000], &words, &[], &words[..70_000], &words[..600]];
        let mut all = Compressor::default();
        for codec in codecs() {
            for body in bodies {
                let used = all.always(codec, body).unwrap().unwrap();
                let mut fresh = Compressor::default();
                assert_eq!(used, fresh.always(codec, body).unwrap().unwrap());
                let read = match codec {
                    Compression::SNAPPY => snap::raw::Decoder::new().decompress_vec(used).unwrap(),
                    Compression::LZ4_RAW => lz4_flex::block::decompress(used, body.len()).unwrap(),
                    _ => zstd::bulk::decompress(used, body.len()).unwrap(),
                };
                assert_eq!(read, body);
            }
        }
    }

    #[test]
    fn a_short_dictionary_is_a_valid_frame() {
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
}
