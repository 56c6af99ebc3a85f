//! The part of the footer that all files of an encoder have in common.
//!
//! The schema and the fields about the file as a whole don't depend on its rows: they are taken from
//! a file without rows that the `parquet` crate writes.

use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::TypePtr;

use crate::thrift::{STRUCT, StructReader, StructWriter};

/// The footer of all files of an encoder, without their row groups.
#[derive(Debug)]
pub(crate) struct FooterTemplate {
    /// Fields 1 and 2 of `FileMetaData`: version and schema.
    pub before: Vec<u8>,
    /// The fields after the row groups, and the end of the struct.
    pub after: Vec<u8>,
    /// Field 4 of `RowGroup`, if the properties name sorting columns.
    pub sorting: Option<Vec<u8>>,
    /// The number of leaves.
    pub columns: usize,
}

impl FooterTemplate {
    pub(crate) fn new(
        schema: TypePtr,
        properties: &WriterPropertiesPtr,
        columns: usize,
    ) -> Result<Self> {
        let empty = SerializedFileWriter::new(Vec::new(), schema, properties.clone())?;
        let empty = empty.into_inner()?;
        let bytes = footer(&empty)?;
        let mut fields = StructReader::new(bytes);
        fields.find(2)?;
        let before = bytes[..fields.at].to_vec();
        fields.find(4)?;
        let after = bytes[fields.at..].to_vec();
        let sorting = properties.sorting_columns().map(|columns| {
            let mut bytes = Vec::new();
            let mut writer = StructWriter::after(3, &mut bytes);
            let list = writer.list(4, STRUCT, columns.len());
            for column in columns {
                let mut of = StructWriter::new(list);
                of.int32(1, column.column_idx);
                of.boolean(2, column.descending);
                of.boolean(3, column.nulls_first);
                of.end();
            }
            bytes
        });
        Ok(FooterTemplate {
            before,
            after,
            sorting,
            columns,
        })
    }
}

/// The encoded `FileMetaData` of a file.
pub(crate) fn footer(file: &[u8]) -> Result<&[u8]> {
    let broken = || ParquetError::EOF("a Parquet file has no footer".into());
    let (rest, _magic) = file.split_last_chunk::<4>().ok_or_else(broken)?;
    let (rest, length) = rest.split_last_chunk::<4>().ok_or_else(broken)?;
    let start = rest.len().checked_sub(u32::from_le_bytes(*length) as usize);
    start.and_then(|at| rest.get(at..)).ok_or_else(broken)
}
