//! A column chunk that is ready for its file.

use std::ops::Range;

use bytes::Bytes;

use crate::encode::thrift::Writer;

/// A column chunk as it lies in a file, with its metadata. Offsets count from its first byte.
#[derive(Default)]
pub(in crate::encode) struct EncodedChunk {
    /// Headers of pages, and the dictionary page.
    pub heads: Vec<u8>,
    /// Levels and bodies of pages.
    pub bodies: Vec<u8>,
    /// What stands where, in order.
    pub segments: Vec<Segment>,
    /// Length of the dictionary page, where there is one: the first data page is behind it.
    pub dictionary: Option<u64>,
    /// Bytes of all pages and headers, before compression.
    pub uncompressed: i64,
    /// What the footer says of the chunk.
    pub metadata: ChunkMetadata,
    pub offset_index: Option<OffsetIndex>,
    /// Header and bits.
    pub bloom: Option<Vec<u8>>,
}

/// A run of a chunk's bytes.
pub(in crate::encode) enum Segment {
    Heads(Range<usize>),
    Bodies(Range<usize>),
    Shared(Bytes),
}

/// `ColumnMetaData` but for what depends on the chunk's place in the file, and the column index.
#[derive(Default)]
pub(in crate::encode) struct ChunkMetadata {
    bytes: Vec<u8>,
    /// Where the fields up to 8 end, and those up to 13, with the number of the last.
    first: (usize, u8),
    second: (usize, u8),
    has_index: bool,
    /// Fields behind the bloom filter's: number, type, value.
    rest: Vec<(u8, u8, Vec<u8>)>,
}

/// Where pages are.
#[derive(Default)]
pub(in crate::encode) struct OffsetIndex {
    /// Offset and length of each, and its first row in the row group.
    pub pages: Vec<(u64, i32, i64)>,
    /// Fields behind the pages', as they stand.
    pub rest: Vec<u8>,
}

impl ChunkMetadata {
    /// Of three writers: the fields before the pages' offsets, those behind them, and the column
    /// index, where there is one.
    pub(in crate::encode) fn new(
        has_dictionary: bool,
        first: impl FnOnce(&mut Writer<'_>),
        second: impl FnOnce(&mut Writer<'_>),
        index: Option<impl FnOnce(&mut Vec<u8>)>,
    ) -> Self {
        let mut bytes = Vec::with_capacity(256);
        let mut writer = Writer::new(&mut bytes);
        first(&mut writer);
        let last = writer.last();
        let first = (bytes.len(), last);
        let before = if has_dictionary { 11 } else { 9 };
        let mut writer = Writer::after(before, &mut bytes);
        second(&mut writer);
        let last = writer.last();
        let second = (bytes.len(), last);
        let has_index = index.is_some();
        if let Some(index) = index {
            index(&mut bytes);
        }
        ChunkMetadata {
            bytes,
            first,
            second,
            has_index,
            rest: Vec::new(),
        }
    }

    /// The same with fields behind the bloom filter's: number, type, value.
    pub(in crate::encode) fn with_rest(self, rest: Vec<(u8, u8, Vec<u8>)>) -> Self {
        ChunkMetadata { rest, ..self }
    }

    pub(in crate::encode) fn column_index(&self) -> Option<&[u8]> {
        self.has_index.then(|| &self.bytes[self.second.0..])
    }
}

impl EncodedChunk {
    fn segment<'c>(&'c self, segment: &'c Segment) -> &'c [u8] {
        match segment {
            Segment::Heads(range) => &self.heads[range.clone()],
            Segment::Bodies(range) => &self.bodies[range.clone()],
            Segment::Shared(bytes) => bytes,
        }
    }

    /// The chunk's bytes, piece by piece.
    pub(in crate::encode) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.segments.iter().map(|segment| self.segment(segment))
    }

    /// Bytes in the file.
    pub(in crate::encode) fn len(&self) -> u64 {
        self.pieces().map(|piece| piece.len() as u64).sum()
    }

    /// Appends `ColumnMetaData` of the chunk at `offset`, whose bloom filter has an offset and a
    /// length.
    pub(in crate::encode) fn put_metadata(
        &self,
        offset: u64,
        bloom: Option<(u64, usize)>,
        out: &mut Vec<u8>,
    ) {
        let ChunkMetadata {
            bytes,
            first,
            second,
            rest,
            ..
        } = &self.metadata;
        out.extend_from_slice(&bytes[..first.0]);
        let mut writer = Writer::after(first.1, out);
        writer.int64(9, (offset + self.dictionary.unwrap_or(0)) as i64);
        if self.dictionary.is_some() {
            writer.int64(11, offset as i64);
        }
        out.extend_from_slice(&bytes[first.0..second.0]);
        let mut writer = Writer::after(second.1, out);
        if let Some((offset, length)) = bloom {
            writer.int64(14, offset as i64);
            writer.int32(15, length as i32);
        }
        for (id, kind, value) in rest {
            writer.field(*id, *kind);
            writer.out.extend_from_slice(value);
        }
        writer.end();
    }
}
