//! A file: row groups in order, page indexes, footer.
//!
//! Chunks bring their metadata along in encoded form, and the rest of the footer is encoded once per
//! encoder. A file of hundreds of columns therefore costs little more than copying its bytes.

use std::io::Write;
use std::sync::Arc;

use parquet::errors::{ParquetError, Result};

use crate::chunk::{ChunkStore, EncodedChunk};
use crate::encoder::Encoder;
use crate::footer::FooterTemplate;
use crate::row_group::EncodedRowGroup;
use crate::thrift::{STRUCT, StructWriter};

const MAGIC: &[u8; 4] = b"PAR1";

/// Writes the row groups of one [`Encoder`] to a file.
///
/// It makes many small writes: `W` should be buffered.
pub struct FileWriter<W> {
    template: Arc<FooterTemplate>,
    out: W,
    /// The number of bytes written.
    position: u64,
    rows: u64,
    row_groups: Vec<WrittenRowGroup>,
}

/// The metadata of a row group that has been written.
struct WrittenRowGroup {
    /// Fields 2 to 7 of `RowGroup`, and the end of the struct.
    tail: Vec<u8>,
    /// `ColumnMetaData`, column indexes and offset indexes of the chunks, each concatenated.
    metadata: Vec<u8>,
    column_indexes: Vec<u8>,
    offset_indexes: Vec<u8>,
    /// The ends of each chunk's parts in the three lists above. An absent index is empty.
    ends: Vec<[usize; 3]>,
}

impl WrittenRowGroup {
    fn with_capacity(chunks: usize) -> Self {
        WrittenRowGroup {
            tail: Vec::with_capacity(32),
            metadata: Vec::with_capacity(chunks * 160),
            column_indexes: Vec::with_capacity(chunks * 64),
            offset_indexes: Vec::with_capacity(chunks * 16),
            ends: Vec::with_capacity(chunks),
        }
    }

    /// Adds the metadata of a chunk at `offset`. `bloom` is the place of its Bloom filter.
    fn add_chunk(
        &mut self,
        store: &ChunkStore,
        chunk: &EncodedChunk,
        offset: u64,
        bloom: Option<(u64, usize)>,
    ) {
        store.put_metadata(chunk, offset, bloom, &mut self.metadata);
        if let Some(index) = store.column_index(chunk) {
            self.column_indexes.extend_from_slice(index);
        }
        if chunk.has_offset_index {
            put_offsets(store, chunk, offset, &mut self.offset_indexes);
        }
        self.ends.push([
            self.metadata.len(),
            self.column_indexes.len(),
            self.offset_indexes.len(),
        ]);
    }
}

impl<W: Write> FileWriter<W> {
    /// Begins a file by writing its magic number.
    ///
    /// # Errors
    /// When writing fails.
    pub fn new(out: W, encoder: &Encoder) -> Result<Self> {
        let mut file = FileWriter {
            template: encoder.footer_template(),
            out,
            position: 0,
            rows: 0,
            row_groups: Vec::new(),
        };
        file.put(MAGIC)?;
        Ok(file)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.out.write_all(bytes).map_err(external)?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    /// Appends a row group.
    ///
    /// # Errors
    /// When the row group has another number of columns, or writing fails.
    pub fn append(&mut self, group: EncodedRowGroup) -> Result<()> {
        let EncodedRowGroup {
            chunks,
            store,
            rows,
        } = &group;
        if chunks.len() != self.template.columns {
            return Err(ParquetError::General(format!(
                "a row group has {} columns where {} are expected",
                chunks.len(),
                self.template.columns
            )));
        }
        let start = self.position;
        for buffer in chunks.iter().flat_map(|chunk| store.buffers(chunk)) {
            self.put(buffer)?;
        }
        let compressed = self.position - start;
        let mut written = WrittenRowGroup::with_capacity(chunks.len());
        let mut offset = start;
        for chunk in chunks {
            let bloom = self.put_bloom_filter(chunk)?;
            written.add_chunk(store, chunk, offset, bloom);
            offset += chunk.length;
        }
        let mut tail = StructWriter::after(1, &mut written.tail);
        tail.int64(2, chunks.iter().map(|chunk| chunk.uncompressed).sum());
        tail.int64(3, *rows as i64);
        if let Some(sorting) = &self.template.sorting {
            tail.fields(sorting, 4);
        }
        tail.int64(5, start as i64);
        tail.int64(6, compressed as i64);
        if let Ok(ordinal) = i16::try_from(self.row_groups.len()) {
            tail.int16(7, ordinal);
        }
        tail.end();
        self.rows += rows;
        self.row_groups.push(written);
        Ok(())
    }

    /// Writes a chunk's Bloom filter, if it has one; returns its offset and length.
    fn put_bloom_filter(&mut self, chunk: &EncodedChunk) -> Result<Option<(u64, usize)>> {
        let Some(bytes) = &chunk.bloom else {
            return Ok(None);
        };
        let at = self.position;
        self.put(bytes)?;
        Ok(Some((at, bytes.len())))
    }

    /// Writes the page indexes and the footer, and flushes and returns the inner writer.
    ///
    /// # Errors
    /// When writing fails.
    pub fn finish(mut self) -> Result<W> {
        let groups = std::mem::take(&mut self.row_groups);
        let column_indexes = self.position;
        for group in &groups {
            self.put(&group.column_indexes)?;
        }
        let offset_indexes = self.position;
        for group in &groups {
            self.put(&group.offset_indexes)?;
        }
        let footer = self.footer(&groups, [column_indexes, offset_indexes]);
        let length = u32::try_from(footer.len())
            .map_err(|_| ParquetError::General("the footer exceeds 4 GiB".into()))?;
        self.put(&footer)?;
        self.put(&length.to_le_bytes())?;
        self.put(MAGIC)?;
        self.out.flush().map_err(external)?;
        Ok(self.out)
    }

    /// `FileMetaData`. `starts` has the places of the column and offset indexes.
    fn footer(&self, groups: &[WrittenRowGroup], mut starts: [u64; 2]) -> Vec<u8> {
        let FooterTemplate { before, after, .. } = &*self.template;
        let lengths = groups
            .iter()
            .map(|group| group.metadata.len() + group.ends.len() * 24 + 64);
        let mut footer = Vec::with_capacity(before.len() + after.len() + lengths.sum::<usize>());
        footer.extend_from_slice(before);
        let mut file = StructWriter::after(2, &mut footer);
        file.int64(3, self.rows as i64);
        let list = file.list(4, STRUCT, groups.len());
        for group in groups {
            put_group(group, &mut starts, list);
        }
        footer.extend_from_slice(after);
        footer
    }
}

/// Appends `RowGroup`. `starts` has the places of its column and offset indexes, and is advanced to
/// those of the next row group.
fn put_group(group: &WrittenRowGroup, starts: &mut [u64; 2], out: &mut Vec<u8>) {
    let mut row_group = StructWriter::new(out);
    let list = row_group.list(1, STRUCT, group.ends.len());
    let mut from = [0; 3];
    for ends in &group.ends {
        let mut chunk = StructWriter::new(list);
        chunk.int64(2, 0);
        chunk.field(3, STRUCT);
        chunk
            .out
            .extend_from_slice(&group.metadata[from[0]..ends[0]]);
        for (side, field) in [(2, 4), (1, 6)] {
            let length = ends[side] - from[side];
            let start = &mut starts[side - 1];
            if length > 0 {
                chunk.int64(field, *start as i64);
                chunk.int32(field + 1, length as i32);
            }
            *start += length as u64;
        }
        chunk.end();
        from = *ends;
    }
    list.extend_from_slice(&group.tail);
}

/// Appends the `OffsetIndex` of a chunk that begins at `start`.
fn put_offsets(store: &ChunkStore, chunk: &EncodedChunk, start: u64, out: &mut Vec<u8>) {
    let mut offsets = StructWriter::new(out);
    let pages = store.pages(chunk);
    let list = offsets.list(1, STRUCT, pages.len());
    for location in pages {
        let mut page = StructWriter::new(list);
        page.int64(1, (start + location.offset) as i64);
        page.int32(2, location.length);
        page.int64(3, location.first_row);
        page.end();
    }
    out.extend_from_slice(&chunk.offset_index_rest);
    out.push(0);
}

fn external(error: std::io::Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}
