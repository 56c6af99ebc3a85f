//! A file: row groups in order, page indexes, footer.
//!
//! What a footer says of the schema, and of the file as a whole, is the same for all files of an
//! encoder, and is what the `parquet` crate writes for a file without rows. Between them stand
//! the row groups, whose chunks bring their part along: a file of hundreds of columns costs little
//! more than their bytes.

use std::io::Write;
use std::sync::Arc;

use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::TypePtr;

use super::chunk::{EncodedChunk, Store};
use super::thrift::{Fields, STRUCT, Writer};
use super::{EncodedRowGroup, Encoder};

const MAGIC: &[u8; 4] = b"PAR1";

/// What all files of an encoder have.
#[derive(Debug)]
pub(super) struct FooterTemplate {
    /// Fields 1 and 2 of `FileMetaData`: version and schema.
    before: Vec<u8>,
    /// The fields behind the row groups, and the end.
    behind: Vec<u8>,
    /// Field 4 of `RowGroup`, where rows are sorted.
    sorting: Option<Vec<u8>>,
    columns: usize,
}

impl FooterTemplate {
    pub(super) fn new(
        schema: TypePtr,
        properties: &WriterPropertiesPtr,
        columns: usize,
    ) -> Result<Self> {
        let empty = SerializedFileWriter::new(Vec::new(), schema, properties.clone())?;
        let empty = empty.into_inner()?;
        let bytes = footer(&empty)?;
        let mut fields = Fields::new(bytes);
        fields.find(2)?;
        let before = bytes[..fields.at].to_vec();
        fields.find(4)?;
        let behind = bytes[fields.at..].to_vec();
        let sorting = properties.sorting_columns().map(|columns| {
            let mut bytes = Vec::new();
            let mut writer = Writer::after(3, &mut bytes);
            let list = writer.list(4, STRUCT, columns.len());
            for column in columns {
                let mut of = Writer::new(list);
                of.int32(1, column.column_idx);
                of.boolean(2, column.descending);
                of.boolean(3, column.nulls_first);
                of.end();
            }
            bytes
        });
        Ok(FooterTemplate {
            before,
            behind,
            sorting,
            columns,
        })
    }
}

/// Writes a file of row groups of one [`Encoder`]. It writes in small pieces: give it a buffered
/// writer.
pub struct FileWriter<W> {
    template: Arc<FooterTemplate>,
    out: W,
    /// Bytes written.
    position: u64,
    rows: u64,
    groups: Vec<Group>,
}

/// A row group that is in the file.
struct Group {
    /// Fields 2 to 7 of `RowGroup`, and the end.
    tail: Vec<u8>,
    /// Of all chunks, one behind the other: `ColumnMetaData`, column indexes, offset indexes.
    metadata: Vec<u8>,
    column_indexes: Vec<u8>,
    offset_indexes: Vec<u8>,
    /// Where each ends in them; an index that a chunk hasn't is as long as nothing.
    ends: Vec<[usize; 3]>,
}

impl<W: Write> FileWriter<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// When writing fails.
    pub fn new(out: W, encoder: &Encoder) -> Result<Self> {
        let mut file = FileWriter {
            template: encoder.template.clone(),
            out,
            position: 0,
            rows: 0,
            groups: Vec::new(),
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
    /// When it is of another schema, or writing fails.
    pub fn append(&mut self, group: EncodedRowGroup) -> Result<()> {
        let EncodedRowGroup {
            chunks,
            store,
            rows,
        } = &group;
        if chunks.len() != self.template.columns {
            return Err(ParquetError::General(format!(
                "a row group of {} columns where {} are expected",
                chunks.len(),
                self.template.columns
            )));
        }
        let start = self.position;
        for piece in chunks.iter().flat_map(|chunk| store.pieces(chunk)) {
            self.put(piece)?;
        }
        let compressed = self.position - start;
        let mut done = Group {
            tail: Vec::with_capacity(32),
            metadata: Vec::with_capacity(chunks.len() * 160),
            column_indexes: Vec::with_capacity(chunks.len() * 64),
            offset_indexes: Vec::with_capacity(chunks.len() * 16),
            ends: Vec::with_capacity(chunks.len()),
        };
        let (mut offset, mut uncompressed) = (start, 0);
        for chunk in chunks {
            let bloom = match &chunk.bloom {
                Some(bytes) => {
                    let at = self.position;
                    self.put(bytes)?;
                    Some((at, bytes.len()))
                }
                None => None,
            };
            store.put_metadata(chunk, offset, bloom, &mut done.metadata);
            if let Some(index) = store.column_index(chunk) {
                done.column_indexes.extend_from_slice(index);
            }
            if chunk.has_offset_index {
                put_offsets(store, chunk, offset, &mut done.offset_indexes);
            }
            done.ends.push([
                done.metadata.len(),
                done.column_indexes.len(),
                done.offset_indexes.len(),
            ]);
            offset += chunk.length;
            uncompressed += chunk.uncompressed;
        }
        let mut tail = Writer::after(1, &mut done.tail);
        tail.int64(2, uncompressed);
        tail.int64(3, *rows as i64);
        if let Some(sorting) = &self.template.sorting {
            tail.fields(sorting, 4);
        }
        tail.int64(5, start as i64);
        tail.int64(6, compressed as i64);
        if let Ok(ordinal) = i16::try_from(self.groups.len()) {
            tail.int16(7, ordinal);
        }
        tail.end();
        self.rows += rows;
        self.groups.push(done);
        Ok(())
    }

    /// Writes the indexes and the footer; returns the writer.
    ///
    /// # Errors
    /// When writing fails.
    pub fn finish(mut self) -> Result<W> {
        let groups = std::mem::take(&mut self.groups);
        let column_indexes = self.position;
        for group in &groups {
            self.put(&group.column_indexes)?;
        }
        let offset_indexes = self.position;
        for group in &groups {
            self.put(&group.offset_indexes)?;
        }
        let template = self.template.clone();
        let mut footer = Vec::with_capacity(
            template.before.len()
                + template.behind.len()
                + groups
                    .iter()
                    .map(|g| g.metadata.len() + g.ends.len() * 24 + 64)
                    .sum::<usize>(),
        );
        footer.extend_from_slice(&template.before);
        let mut file = Writer::after(2, &mut footer);
        file.int64(3, self.rows as i64);
        let list = file.list(4, STRUCT, groups.len());
        let mut starts = [column_indexes, offset_indexes];
        for group in &groups {
            put_group(group, &mut starts, list);
        }
        footer.extend_from_slice(&template.behind);
        let length = u32::try_from(footer.len())
            .map_err(|_| ParquetError::General("a footer of over 4 GiB".into()))?;
        self.put(&footer)?;
        self.put(&length.to_le_bytes())?;
        self.put(MAGIC)?;
        self.out.flush().map_err(external)?;
        Ok(self.out)
    }
}

/// A file's `FileMetaData`.
pub(super) fn footer(file: &[u8]) -> Result<&[u8]> {
    let broken = || ParquetError::EOF("a file without a footer".into());
    let (rest, _magic) = file.split_last_chunk::<4>().ok_or_else(broken)?;
    let (rest, length) = rest.split_last_chunk::<4>().ok_or_else(broken)?;
    let start = rest.len().checked_sub(u32::from_le_bytes(*length) as usize);
    start.and_then(|at| rest.get(at..)).ok_or_else(broken)
}

/// Appends `RowGroup`, whose column and offset indexes begin at `starts`; those are the next one's
/// then.
fn put_group(group: &Group, starts: &mut [u64; 2], out: &mut Vec<u8>) {
    let mut row_group = Writer::new(out);
    let list = row_group.list(1, STRUCT, group.ends.len());
    let mut from = [0; 3];
    for ends in &group.ends {
        let mut chunk = Writer::new(list);
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

/// Appends `OffsetIndex` of a chunk that begins at `start`.
fn put_offsets(store: &Store, chunk: &EncodedChunk, start: u64, out: &mut Vec<u8>) {
    let mut offsets = Writer::new(out);
    let pages = store.pages(chunk);
    let list = offsets.list(1, STRUCT, pages.len());
    for (offset, length, row) in pages {
        let mut page = Writer::new(list);
        page.int64(1, (start + offset) as i64);
        page.int32(2, *length);
        page.int64(3, *row);
        page.end();
    }
    out.extend_from_slice(&chunk.offset_index_rest);
    out.push(0);
}

fn external(error: std::io::Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}
