//! Codecs, and compression where it pays.

use lz4_flex::block::{CompressTable, compress_into_with_table, get_maximum_output_size};
use parquet::basic::Compression;
use parquet::errors::{ParquetError, Result};
use zstd::zstd_safe::compress_bound;

/// Bodies shorter than this are not worth a compressor's call: its tables cost some microseconds,
/// and there is little to save.
const SMALLEST: usize = 512;
/// The same of dictionary pages, which are compressed in form only then.
const SMALLEST_DICTIONARY: usize = 256;
/// Bytes that tell whether a body is noise.
const PROBE: usize = 2048;

/// Whether this encoder compresses with a codec itself.
pub(super) fn is_supported(codec: Compression) -> bool {
    matches!(
        codec,
        Compression::UNCOMPRESSED
            | Compression::ZSTD(_)
            | Compression::SNAPPY
            | Compression::LZ4_RAW
    )
}

/// Whether a data page's body of so many bytes is worth trying.
pub(super) fn is_worth_it(length: usize) -> bool {
    length >= SMALLEST
}

/// The codecs' reusable states. What they make of a body depends on nothing before it.
#[derive(Default)]
pub(super) struct Compressor {
    /// Of the last level.
    zstd: Option<(i32, zstd::bulk::Compressor<'static>)>,
    snappy: Option<Box<snap::raw::Encoder>>,
    lz4: Option<Lz4>,
    /// As long as the longest body needed.
    buffer: Vec<u8>,
    /// Of one raw block.
    frame: Vec<u8>,
}

/// Tables for short and for long bodies: a short one compresses differently by a long one's.
struct Lz4 {
    short: CompressTable,
    long: CompressTable,
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
                self.frame.clear();
                put_raw_frame(body, &mut self.frame);
                Ok(Some(&self.frame))
            }
            _ => self.always(codec, body),
        }
    }

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
                let lz4 = self.lz4.get_or_insert_with(|| Lz4 {
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
    fn noise_stays_raw() {
        let mut compressor = Compressor::default();
        let noise = noise(4096);
        for codec in codecs() {
            assert!(compressor.compress(codec, &noise).unwrap().is_none());
            assert!(compressor.compress(codec, &[7; 4096]).unwrap().is_some());
            assert!(compressor.compress(codec, &[7; 8]).unwrap().is_none());
            assert!(compressor.is_noise(codec, &noise).unwrap());
            assert!(!compressor.is_noise(codec, &[7; 4096]).unwrap());
            // Too short to tell.
            assert!(!compressor.is_noise(codec, &noise[1..]).unwrap());
        }
    }

    #[test]
    fn bodies_are_as_with_nothing_before_them() {
        // Four bytes come again, and never five: LZ4's table for long bodies finds few of them.
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
}
