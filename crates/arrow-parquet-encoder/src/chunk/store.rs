//! Encoded column chunks, and the bytes of a row group that they refer to.

use std::ops::Range;

use bytes::Bytes;

use crate::thrift::StructWriter;

/// Buffers of at least this many bytes are kept as they are; shorter ones are copied together.
pub(crate) const LONG: usize = 4096;

/// The bytes and metadata of a row group's chunks. A row group has hundreds of chunks, and most are
/// a few bytes long, so they share memory.
#[derive(Default)]
pub(crate) struct ChunkStore {
    /// Headers, levels and other short buffers.
    pub bytes: Vec<u8>,
    /// The start of the bytes that are in no segment yet.
    next: usize,
    /// The number of bytes in segments.
    written: u64,
    segments: Vec<Segment>,
    pub pages: Vec<PageLocation>,
    /// Encoded metadata, to which [`ChunkMetadata`] refers.
    pub metadata: Vec<u8>,
}

/// The place of a data page, as in the offset index.
pub(crate) struct PageLocation {
    /// From the start of the chunk, in bytes.
    pub offset: u64,
    /// With the header, in bytes.
    pub length: i32,
    /// The page's first row in the row group.
    pub first_row: i64,
}

/// Consecutive bytes of a row group.
enum Segment {
    /// In [`ChunkStore::bytes`].
    Copied(Range<usize>),
    Shared(Bytes),
}

/// An encoded column chunk in a [`ChunkStore`], with its metadata.
#[derive(Default)]
pub(crate) struct EncodedChunk {
    segments: Range<usize>,
    /// From the start of the row group, in bytes.
    start: u64,
    /// In bytes.
    pub length: u64,
    /// The length of the dictionary page in bytes, if there is one. The data pages follow it.
    pub dictionary: Option<u64>,
    /// The bytes of all pages with headers, before compression.
    pub uncompressed: i64,
    pub metadata: ChunkMetadata,
    pages: Range<usize>,
    pub has_offset_index: bool,
    /// Encoded fields of the offset index after the page locations.
    pub offset_index_rest: Vec<u8>,
    /// The Bloom filter: header and bits.
    pub bloom: Option<Vec<u8>>,
}

/// Where a [`ChunkStore`] has a chunk's `ColumnMetaData` and column index. The fields that depend on
/// the chunk's place in the file are missing; [`ChunkStore::put_metadata`] adds them.
#[derive(Default)]
pub(crate) struct ChunkMetadata {
    start: usize,
    /// The end of the fields before the page offsets, and the number of the last of them.
    first: (usize, u8),
    /// The same of the fields between the page offsets and the Bloom filter's place.
    second: (usize, u8),
    index: Option<Range<usize>>,
    /// Fields after the Bloom filter's place: number, type, value.
    rest: Vec<(u8, u8, Vec<u8>)>,
}

impl ChunkMetadata {
    /// Appends metadata to `bytes`. The callbacks write the fields of `ColumnMetaData` before the
    /// page offsets, those after them, and the column index, if there is one.
    pub(crate) fn new(
        has_dictionary: bool,
        bytes: &mut Vec<u8>,
        first: impl FnOnce(&mut StructWriter<'_>),
        second: impl FnOnce(&mut StructWriter<'_>),
        index: Option<impl FnOnce(&mut Vec<u8>)>,
    ) -> Self {
        let start = bytes.len();
        let mut writer = StructWriter::new(bytes);
        first(&mut writer);
        let last = writer.last();
        let first = (bytes.len(), last);
        let before = if has_dictionary { 11 } else { 9 };
        let mut writer = StructWriter::after(before, bytes);
        second(&mut writer);
        let last = writer.last();
        let second = (bytes.len(), last);
        ChunkMetadata {
            start,
            first,
            second,
            index: index.map(|index| {
                index(bytes);
                second.0..bytes.len()
            }),
            rest: Vec::new(),
        }
    }

    /// Adds fields after the Bloom filter's place: number, type, value.
    pub(crate) fn with_rest(self, rest: Vec<(u8, u8, Vec<u8>)>) -> Self {
        ChunkMetadata { rest, ..self }
    }
}

impl ChunkStore {
    /// Begins the next chunk.
    pub(crate) fn begin(&mut self) -> EncodedChunk {
        self.end_segment();
        EncodedChunk {
            segments: self.segments.len()..self.segments.len(),
            start: self.written,
            pages: self.pages.len()..self.pages.len(),
            ..EncodedChunk::default()
        }
    }

    /// Makes a segment of the bytes since the last one.
    fn end_segment(&mut self) {
        if self.next < self.bytes.len() {
            self.written += (self.bytes.len() - self.next) as u64;
            self.segments
                .push(Segment::Copied(self.next..self.bytes.len()));
            self.next = self.bytes.len();
        }
    }

    /// Appends bytes to the current chunk.
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        match bytes.len() {
            0..LONG => self.bytes.extend_from_slice(bytes),
            _ => self.put_shared(Bytes::copy_from_slice(bytes)),
        }
    }

    /// As [`ChunkStore::put`], without copying long buffers.
    pub(crate) fn put_own(&mut self, bytes: Vec<u8>) {
        match bytes.len() {
            0..LONG => self.bytes.extend_from_slice(&bytes),
            _ => self.put_shared(bytes.into()),
        }
    }

    /// As [`ChunkStore::put`], without copying long buffers.
    pub(crate) fn put_shared(&mut self, bytes: Bytes) {
        if bytes.len() < LONG {
            return self.bytes.extend_from_slice(&bytes);
        }
        self.end_segment();
        self.written += bytes.len() as u64;
        self.segments.push(Segment::Shared(bytes));
    }

    /// The number of bytes in the current chunk.
    pub(crate) fn chunk_length(&self, chunk: &EncodedChunk) -> u64 {
        self.written + (self.bytes.len() - self.next) as u64 - chunk.start
    }

    /// Ends the current chunk.
    pub(crate) fn end(&mut self, chunk: &mut EncodedChunk) {
        self.end_segment();
        chunk.length = self.written - chunk.start;
        chunk.segments.end = self.segments.len();
        chunk.pages.end = self.pages.len();
    }

    /// A chunk's bytes, buffer by buffer.
    pub(crate) fn buffers(&self, chunk: &EncodedChunk) -> impl Iterator<Item = &[u8]> {
        let segments = self.segments[chunk.segments.clone()].iter();
        segments.map(|segment| match segment {
            Segment::Copied(range) => &self.bytes[range.clone()],
            Segment::Shared(bytes) => bytes,
        })
    }

    /// A chunk's column index, if it has one.
    pub(crate) fn column_index(&self, chunk: &EncodedChunk) -> Option<&[u8]> {
        chunk
            .metadata
            .index
            .clone()
            .map(|range| &self.metadata[range])
    }

    /// A chunk's data pages.
    pub(crate) fn pages(&self, chunk: &EncodedChunk) -> &[PageLocation] {
        &self.pages[chunk.pages.clone()]
    }

    /// Appends the `ColumnMetaData` of a chunk that begins at `offset` in the file. `bloom` is the
    /// offset and the length of its Bloom filter.
    pub(crate) fn put_metadata(
        &self,
        chunk: &EncodedChunk,
        offset: u64,
        bloom: Option<(u64, usize)>,
        out: &mut Vec<u8>,
    ) {
        let ChunkMetadata {
            start,
            first,
            second,
            rest,
            ..
        } = &chunk.metadata;
        out.extend_from_slice(&self.metadata[*start..first.0]);
        let mut writer = StructWriter::after(first.1, out);
        writer.int64(9, (offset + chunk.dictionary.unwrap_or(0)) as i64);
        if chunk.dictionary.is_some() {
            writer.int64(11, offset as i64);
        }
        writer.fields(&self.metadata[first.0..second.0], second.1);
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
