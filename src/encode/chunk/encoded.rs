//! A column chunk that is ready for its file.

use bytes::Bytes;
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::Result;
use parquet::file::reader::{ChunkReader, Length};
use std::io::Read;

/// A column chunk as it lies in a file, with its metadata. Offsets count from its first byte.
pub(in crate::encode) struct EncodedChunk {
    pub(super) segments: Vec<Bytes>,
    /// Until it is appended to a file.
    pub close: Option<ColumnCloseResult>,
}

/// Reads a chunk's segments as one.
pub(in crate::encode) struct Segments<'c> {
    segments: &'c [Bytes],
    at: usize,
}

impl Read for Segments<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while let Some(segment) = self.segments.first() {
            let rest = &segment[self.at..];
            if rest.is_empty() {
                self.segments = &self.segments[1..];
                self.at = 0;
                continue;
            }
            let length = rest.len().min(buffer.len());
            buffer[..length].copy_from_slice(&rest[..length]);
            self.at += length;
            return Ok(length);
        }
        Ok(0)
    }
}

impl<'c> ChunkReader for &'c EncodedChunk {
    type T = Segments<'c>;

    /// Chunks are read from the beginning, or from their first data page, whole.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        let mut start = start as usize;
        for (s, segment) in self.segments.iter().enumerate() {
            if start < segment.len() {
                return Ok(Segments {
                    segments: &self.segments[s..],
                    at: start,
                });
            }
            start -= segment.len();
        }
        Ok(Segments {
            segments: &[],
            at: 0,
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let mut bytes = vec![0; length];
        self.get_read(start)?.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

impl Length for &EncodedChunk {
    fn len(&self) -> u64 {
        self.segments.iter().map(|s| s.len() as u64).sum()
    }
}
