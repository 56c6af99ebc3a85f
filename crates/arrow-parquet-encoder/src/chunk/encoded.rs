//! Column chunks that are ready for a file, and where the bytes of a row group's lie.

use std::ops::Range;

use bytes::Bytes;

use super::super::thrift::Writer;

/// Pieces of at least so many bytes stand alone; shorter ones are copied.
pub(super) const LONG: usize = 4096;

/// What the chunks of a row group are made of: hundreds of them, and most are a few bytes.
#[derive(Default)]
pub(in super::super) struct Store {
    /// Headers, levels, and what else is short.
    pub bytes: Vec<u8>,
    /// Where those that have no segment yet begin.
    next: usize,
    /// Bytes in segments.
    written: u64,
    segments: Vec<Segment>,
    /// Of each page: its place in the chunk, its length, and its first row in the row group.
    pub pages: Vec<(u64, i32, i64)>,
    /// [`ChunkMetadata`]'s.
    pub metadata: Vec<u8>,
}

/// A run of a row group's bytes.
enum Segment {
    Stored(Range<usize>),
    Alone(Bytes),
}

/// A column chunk as it lies in a file, with its metadata.
#[derive(Default)]
pub(in super::super) struct EncodedChunk {
    segments: Range<usize>,
    /// Where it begins in the row group, and how long it is.
    start: u64,
    pub length: u64,
    /// Length of the dictionary page, where there is one: the first data page is behind it.
    pub dictionary: Option<u64>,
    /// Bytes of all pages and headers, before compression.
    pub uncompressed: i64,
    pub metadata: ChunkMetadata,
    pages: Range<usize>,
    pub has_offset_index: bool,
    /// Fields of the offset index behind the pages, as they stand.
    pub offset_index_rest: Vec<u8>,
    /// Header and bits.
    pub bloom: Option<Vec<u8>>,
}

/// Where a store has `ColumnMetaData`, but for what depends on the chunk's place in the file, and
/// the column index.
#[derive(Default)]
pub(in super::super) struct ChunkMetadata {
    start: usize,
    /// Where the fields up to 8 end, and those up to 13, with the number of the last.
    first: (usize, u8),
    second: (usize, u8),
    index: Option<Range<usize>>,
    /// Fields behind the bloom filter's: number, type, value.
    rest: Vec<(u8, u8, Vec<u8>)>,
}

impl ChunkMetadata {
    /// Of three writers: the fields before the pages' offsets, those behind them, and the column
    /// index, where there is one.
    pub(in super::super) fn new(
        has_dictionary: bool,
        bytes: &mut Vec<u8>,
        first: impl FnOnce(&mut Writer<'_>),
        second: impl FnOnce(&mut Writer<'_>),
        index: Option<impl FnOnce(&mut Vec<u8>)>,
    ) -> Self {
        let start = bytes.len();
        let mut writer = Writer::new(bytes);
        first(&mut writer);
        let last = writer.last();
        let first = (bytes.len(), last);
        let before = if has_dictionary { 11 } else { 9 };
        let mut writer = Writer::after(before, bytes);
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

    /// The same with fields behind the bloom filter's: number, type, value.
    pub(in super::super) fn with_rest(self, rest: Vec<(u8, u8, Vec<u8>)>) -> Self {
        ChunkMetadata { rest, ..self }
    }
}

impl Store {
    pub(in super::super) fn begin(&mut self) -> EncodedChunk {
        self.settle();
        EncodedChunk {
            segments: self.segments.len()..self.segments.len(),
            start: self.written,
            pages: self.pages.len()..self.pages.len(),
            ..EncodedChunk::default()
        }
    }

    /// What is stored since the last segment becomes one.
    fn settle(&mut self) {
        if self.next < self.bytes.len() {
            self.written += (self.bytes.len() - self.next) as u64;
            self.segments
                .push(Segment::Stored(self.next..self.bytes.len()));
            self.next = self.bytes.len();
        }
    }

    /// Appends bytes to the chunk at hand.
    pub(in super::super) fn put(&mut self, bytes: &[u8]) {
        match bytes.len() {
            0..LONG => self.bytes.extend_from_slice(bytes),
            _ => self.put_shared(Bytes::copy_from_slice(bytes)),
        }
    }

    pub(in super::super) fn put_own(&mut self, bytes: Vec<u8>) {
        match bytes.len() {
            0..LONG => self.bytes.extend_from_slice(&bytes),
            _ => self.put_shared(bytes.into()),
        }
    }

    pub(in super::super) fn put_shared(&mut self, bytes: Bytes) {
        if bytes.len() < LONG {
            return self.bytes.extend_from_slice(&bytes);
        }
        self.settle();
        self.written += bytes.len() as u64;
        self.segments.push(Segment::Alone(bytes));
    }

    /// Bytes of the chunk at hand.
    pub(in super::super) fn written(&self, chunk: &EncodedChunk) -> u64 {
        self.written + (self.bytes.len() - self.next) as u64 - chunk.start
    }

    /// Ends the chunk at hand.
    pub(in super::super) fn end(&mut self, chunk: &mut EncodedChunk) {
        self.settle();
        chunk.length = self.written - chunk.start;
        chunk.segments.end = self.segments.len();
        chunk.pages.end = self.pages.len();
    }

    /// A chunk's bytes, piece by piece.
    pub(in super::super) fn pieces(&self, chunk: &EncodedChunk) -> impl Iterator<Item = &[u8]> {
        let segments = self.segments[chunk.segments.clone()].iter();
        segments.map(|segment| match segment {
            Segment::Stored(range) => &self.bytes[range.clone()],
            Segment::Alone(bytes) => bytes,
        })
    }

    /// A chunk's column index, where it has one.
    pub(in super::super) fn column_index(&self, chunk: &EncodedChunk) -> Option<&[u8]> {
        chunk
            .metadata
            .index
            .clone()
            .map(|range| &self.metadata[range])
    }

    /// A chunk's pages: place in the chunk, length, first row in the row group.
    pub(in super::super) fn pages(&self, chunk: &EncodedChunk) -> &[(u64, i32, i64)] {
        &self.pages[chunk.pages.clone()]
    }

    /// Appends `ColumnMetaData` of a chunk that is at `offset`, whose bloom filter has an offset
    /// and a length.
    pub(in super::super) fn put_metadata(
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
        let mut writer = Writer::after(first.1, out);
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
