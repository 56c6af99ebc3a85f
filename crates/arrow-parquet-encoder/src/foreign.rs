//! Column chunks by `ArrowColumnWriter`: what has no fast path.
//!
//! Such chunks can only be appended to a writer of the `parquet` crate. So those of a row group
//! become a file in memory, out of whose footer their metadata are taken as they stand.

use std::sync::Arc;

use bytes::Bytes;
use parquet::arrow::arrow_writer::ArrowColumnChunk;
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use super::chunk::{ChunkMetadata, EncodedChunk, Store};
use super::file::footer;
use super::thrift::{Field, Fields, Writer};

/// The schema with but those leaves that `is_kept` says, in order; `None` where that is none.
pub(super) fn only(
    node: &TypePtr,
    is_kept: &mut impl Iterator<Item = bool>,
) -> Result<Option<TypePtr>> {
    let Type::GroupType { basic_info, fields } = &**node else {
        return Ok((is_kept.next() == Some(true)).then(|| node.clone()));
    };
    let kept = fields.iter().map(|child| only(child, is_kept));
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

/// Such chunks of a row group, one after the other.
pub(super) struct ForeignChunks {
    file: Bytes,
    /// `ColumnChunk` of each that is left, and its bloom filter.
    columns: std::vec::IntoIter<(Bytes, Option<Vec<u8>>)>,
}

impl ForeignChunks {
    /// Of chunks whose leaves are those of `schema`.
    pub(super) fn new(
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
        let groups = Fields::new(footer(&file)?).find(4)?.elements()?;
        let group = groups.first().ok_or_else(missing)?;
        let columns = Fields::new(group).find(1)?.elements()?;
        let columns = columns.into_iter().map(|column| file.slice_ref(column));
        let columns: Vec<_> = columns.zip(blooms).collect();
        Ok(ForeignChunks {
            columns: columns.into_iter(),
            file,
        })
    }

    /// The next, which goes to `store`.
    pub(super) fn next(&mut self, store: &mut Store) -> Result<EncodedChunk> {
        let (column, bloom) = self.columns.next().ok_or_else(missing)?;
        take(&self.file, &column, bloom, store)
    }
}

fn missing() -> ParquetError {
    ParquetError::General("a file in memory without what was written to it".into())
}

/// A chunk of a file, by its `ColumnChunk`.
fn take(
    file: &Bytes,
    column: &[u8],
    bloom: Option<Vec<u8>>,
    store: &mut Store,
) -> Result<EncodedChunk> {
    let [mut data, mut dictionary, mut uncompressed, mut compressed] = [None; 4];
    let (mut before, mut behind, mut rest) = (Vec::new(), Vec::new(), Vec::new());
    let mut index = [None; 4];
    each(Fields::new(column), |field| {
        match field.id {
            3 => each(Fields::new(field.value), |field| {
                match field.id {
                    9 => data = Some(field.int()?),
                    11 => dictionary = Some(field.int()?),
                    id => {
                        match id {
                            6 => uncompressed = Some(field.int()?),
                            7 => compressed = Some(field.int()?),
                            _ => {}
                        }
                        match id {
                            0..9 => before.push((id, field.kind, field.value)),
                            9..16 => behind.push((id, field.kind, field.value)),
                            _ => rest.push((id, field.kind, field.value.to_vec())),
                        }
                    }
                }
                Ok(())
            })?,
            id @ 4..=7 => index[usize::from(id) - 4] = Some(field.int()?),
            _ => {}
        }
        Ok(())
    })?;
    let data = data.ok_or_else(missing)?;
    let start = dictionary.unwrap_or(data);
    let within = |offset: Option<i64>, length: Option<i64>| {
        let (Some(offset), Some(length)) = (offset, length) else {
            return Ok(None);
        };
        let range = offset as usize..offset as usize + length as usize;
        file.get(range.clone())
            .map(|_| Some(range))
            .ok_or_else(missing)
    };
    let body = within(Some(start), compressed)?.ok_or_else(missing)?;
    let mut taken = store.begin();
    if let Some(range) = within(index[0], index[1])? {
        taken.has_offset_index = true;
        taken.offset_index_rest = put_pages(&file[range], start, &mut store.pages)?;
    }
    let column_index = within(index[2], index[3])?;
    let put = |fields: &[(u8, u8, &[u8])], writer: &mut Writer<'_>| {
        for (id, kind, value) in fields {
            writer.field(*id, *kind);
            writer.out.extend_from_slice(value);
        }
    };
    taken.metadata = ChunkMetadata::new(
        dictionary.is_some(),
        &mut store.metadata,
        |column| put(&before, column),
        |column| put(&behind, column),
        column_index.map(|range| |out: &mut Vec<u8>| out.extend_from_slice(&file[range])),
    )
    .with_rest(rest);
    taken.dictionary = dictionary.map(|start| (data - start) as u64);
    taken.uncompressed = uncompressed.ok_or_else(missing)?;
    taken.bloom = bloom;
    store.put_shared(file.slice(body));
    store.end(&mut taken);
    Ok(taken)
}

fn each<'b>(mut fields: Fields<'b>, mut visit: impl FnMut(Field<'b>) -> Result<()>) -> Result<()> {
    while let Some(field) = fields.next()? {
        visit(field)?;
    }
    Ok(())
}

/// Adds the pages of an `OffsetIndex`, counted from `start`; returns the fields behind them.
fn put_pages(bytes: &[u8], start: i64, pages: &mut Vec<(u64, i32, i64)>) -> Result<Vec<u8>> {
    let mut rest = Vec::new();
    let mut writer = Writer::after(1, &mut rest);
    each(Fields::new(bytes), |field| {
        if field.id != 1 {
            writer.field(field.id, field.kind);
            writer.out.extend_from_slice(field.value);
            return Ok(());
        }
        for page in field.elements()? {
            let mut fields = Fields::new(page);
            let offset = fields.find(1)?.int()? - start;
            let length = fields.find(2)?.int()? as i32;
            pages.push((offset as u64, length, fields.find(3)?.int()?));
        }
        Ok(())
    })?;
    Ok(rest)
}
