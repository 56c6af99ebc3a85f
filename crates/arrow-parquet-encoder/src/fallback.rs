//! Column chunks that `ArrowColumnWriter` encodes: those of types and codecs without a fast path.
//!
//! Such a chunk can only be appended to a writer of the `parquet` crate. A row group's are therefore
//! written to a file in memory, and their bytes and metadata are copied from it.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parquet::arrow::arrow_writer::ArrowColumnChunk;
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use crate::chunk::{ChunkMetadata, ChunkStore, EncodedChunk, PageLocation};
use crate::footer::footer;
use crate::thrift::{RawField, StructReader, StructWriter};

/// The schema with only those leaves for which `is_kept` says true, in order; `None` if there are none.
pub(crate) fn keep_leaves(
    node: &TypePtr,
    is_kept: &mut impl Iterator<Item = bool>,
) -> Result<Option<TypePtr>> {
    let Type::GroupType { basic_info, fields } = &**node else {
        return Ok((is_kept.next() == Some(true)).then(|| node.clone()));
    };
    let kept = fields.iter().map(|child| keep_leaves(child, is_kept));
    let kept: Vec<TypePtr> = kept.filter_map(Result::transpose).collect::<Result<_>>()?;
    if kept.is_empty() {
        return Ok(None);
    }
    let mut group = Type::group_type_builder(basic_info.name())
        .with_converted_type(basic_info.converted_type())
        .with_logical_type(basic_info.logical_type_ref().cloned())
        .with_id(basic_info.has_id().then(|| basic_info.id()))
        .with_fields(kept);
    if basic_info.has_repetition() {
        group = group.with_repetition(basic_info.repetition());
    }
    Ok(Some(Arc::new(group.build()?)))
}

/// The chunks of a row group that `ArrowColumnWriter` has encoded, in order.
pub(crate) struct FallbackChunks {
    file: Bytes,
    /// The remaining chunks: `ColumnChunk`, and the encoded Bloom filter.
    columns: std::vec::IntoIter<(Bytes, Option<Vec<u8>>)>,
}

impl FallbackChunks {
    /// Takes chunks whose leaves are those of `schema`.
    pub(crate) fn new(
        chunks: Vec<ArrowColumnChunk>,
        schema: &TypePtr,
        properties: &WriterPropertiesPtr,
    ) -> Result<Self> {
        let mut file = SerializedFileWriter::new(Vec::new(), schema.clone(), properties.clone())?;
        let mut group = file.next_row_group()?;
        let mut blooms = Vec::with_capacity(chunks.len());
        for mut chunk in chunks {
            blooms.push(match chunk.close_mut().bloom_filter.take() {
                Some(filter) => {
                    let mut bytes = Vec::new();
                    filter.write(&mut bytes)?;
                    Some(bytes)
                }
                None => None,
            });
            chunk.append_to_row_group(&mut group)?;
        }
        group.close()?;
        let file = Bytes::from(file.into_inner()?);
        let groups = StructReader::new(footer(&file)?).find(4)?.elements()?;
        let group = groups.first().ok_or_else(missing)?;
        let columns = StructReader::new(group).find(1)?.elements()?;
        let columns = columns.into_iter().map(|column| file.slice_ref(column));
        let columns: Vec<_> = columns.zip(blooms).collect();
        Ok(FallbackChunks {
            columns: columns.into_iter(),
            file,
        })
    }

    /// Writes the next chunk to `store`.
    pub(crate) fn next(&mut self, store: &mut ChunkStore) -> Result<EncodedChunk> {
        let (column, bloom) = self.columns.next().ok_or_else(missing)?;
        copy_chunk(&self.file, &column, bloom, store)
    }
}

fn missing() -> ParquetError {
    ParquetError::General("a chunk by ArrowColumnWriter has incomplete metadata".into())
}

/// An encoded field: number, type, value.
type FieldParts<'b> = (u8, u8, &'b [u8]);

/// A parsed `ColumnChunk`.
#[derive(Default)]
struct ColumnChunk<'b> {
    /// The offsets of the first data page and of the dictionary page in the file.
    data: Option<i64>,
    dictionary: Option<i64>,
    /// In bytes.
    uncompressed: Option<i64>,
    compressed: Option<i64>,
    /// The other fields of `ColumnMetaData`: those before the page offsets, those up to the Bloom
    /// filter's place, and those after it.
    first: Vec<FieldParts<'b>>,
    second: Vec<FieldParts<'b>>,
    rest: Vec<FieldParts<'b>>,
    /// Offset and length of the offset index, then of the column index.
    indexes: [Option<i64>; 4],
}

impl<'b> ColumnChunk<'b> {
    fn parse(bytes: &'b [u8]) -> Result<Self> {
        let mut chunk = ColumnChunk::default();
        each(StructReader::new(bytes), |field| {
            match field.id {
                3 => each(StructReader::new(field.value), |field| {
                    chunk.set_metadata(field)
                })?,
                id @ 4..=7 => chunk.indexes[usize::from(id) - 4] = Some(field.int()?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(chunk)
    }

    /// Sets a field of `ColumnMetaData`.
    fn set_metadata(&mut self, field: RawField<'b>) -> Result<()> {
        let parts = (field.id, field.kind, field.value);
        match field.id {
            6 => self.uncompressed = Some(field.int()?),
            7 => self.compressed = Some(field.int()?),
            9 => self.data = Some(field.int()?),
            11 => self.dictionary = Some(field.int()?),
            _ => {}
        }
        match field.id {
            0..9 => self.first.push(parts),
            9 | 11 => {}
            10..16 => self.second.push(parts),
            _ => self.rest.push(parts),
        }
        Ok(())
    }
}

/// The range of `length` bytes at `offset`, if both are set.
fn range(file: &[u8], offset: Option<i64>, length: Option<i64>) -> Result<Option<Range<usize>>> {
    let (Some(offset), Some(length)) = (offset, length) else {
        return Ok(None);
    };
    let range = offset as usize..offset as usize + length as usize;
    match file.get(range.clone()) {
        Some(_) => Ok(Some(range)),
        None => Err(missing()),
    }
}

fn put_fields(fields: &[FieldParts<'_>], writer: &mut StructWriter<'_>) {
    for (id, kind, value) in fields {
        writer.field(*id, *kind);
        writer.out.extend_from_slice(value);
    }
}

/// Copies a chunk of `file` to `store`. `column` is its `ColumnChunk`.
fn copy_chunk(
    file: &Bytes,
    column: &[u8],
    bloom: Option<Vec<u8>>,
    store: &mut ChunkStore,
) -> Result<EncodedChunk> {
    let column = ColumnChunk::parse(column)?;
    let data = column.data.ok_or_else(missing)?;
    let start = column.dictionary.unwrap_or(data);
    let body = range(file, Some(start), column.compressed)?.ok_or_else(missing)?;
    let [offset_at, offset_length, column_at, column_length] = column.indexes;
    let column_index = range(file, column_at, column_length)?;
    let mut chunk = store.begin();
    if let Some(range) = range(file, offset_at, offset_length)? {
        chunk.has_offset_index = true;
        chunk.offset_index_rest = put_pages(&file[range], start, &mut store.pages)?;
    }
    let rest = column.rest.iter();
    chunk.metadata = ChunkMetadata::new(
        column.dictionary.is_some(),
        &mut store.metadata,
        |writer| put_fields(&column.first, writer),
        |writer| put_fields(&column.second, writer),
        column_index.map(|range| |out: &mut Vec<u8>| out.extend_from_slice(&file[range])),
    )
    .with_rest(
        rest.map(|(id, kind, value)| (*id, *kind, value.to_vec()))
            .collect(),
    );
    chunk.dictionary = column.dictionary.map(|start| (data - start) as u64);
    chunk.uncompressed = column.uncompressed.ok_or_else(missing)?;
    chunk.bloom = bloom;
    store.put_shared(file.slice(body));
    store.end(&mut chunk);
    Ok(chunk)
}

/// Visits the fields of a struct.
fn each<'b>(
    mut fields: StructReader<'b>,
    mut visit: impl FnMut(RawField<'b>) -> Result<()>,
) -> Result<()> {
    while let Some(field) = fields.next()? {
        visit(field)?;
    }
    Ok(())
}

/// Adds the pages of an `OffsetIndex`, with offsets relative to `start`; returns the encoded fields
/// after them.
fn put_pages(bytes: &[u8], start: i64, pages: &mut Vec<PageLocation>) -> Result<Vec<u8>> {
    let mut rest = Vec::new();
    let mut writer = StructWriter::after(1, &mut rest);
    each(StructReader::new(bytes), |field| {
        if field.id != 1 {
            writer.field(field.id, field.kind);
            writer.out.extend_from_slice(field.value);
            return Ok(());
        }
        for page in field.elements()? {
            let mut fields = StructReader::new(page);
            pages.push(PageLocation {
                offset: (fields.find(1)?.int()? - start) as u64,
                length: fields.find(2)?.int()? as i32,
                first_row: fields.find(3)?.int()?,
            });
        }
        Ok(())
    })?;
    Ok(rest)
}
