//! The writer properties of one leaf.

use arrow_schema::DataType;
use parquet::basic::{Compression, CompressionCodec, ConvertedType, LogicalType};
use parquet::file::properties::{BloomFilterProperties, EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnDescPtr;

use crate::thrift::{BINARY, StructWriter, put_binary};
use crate::values::ValueOptions;

/// How a leaf's chunks are encoded, according to the writer properties.
#[derive(Debug, Clone)]
pub(crate) struct LeafOptions {
    pub descriptor: ColumnDescPtr,
    pub data_type: DataType,
    pub(super) codec: Compression,
    /// The maximum number of rows of a page.
    pub(super) page_rows: usize,
    pub(super) values: ValueOptions,
    pub(super) statistics: EnabledStatistics,
    /// The lengths in bytes to which bounds are truncated.
    pub(super) column_index_truncation: Option<usize>,
    pub(super) statistics_truncation: Option<usize>,
    pub(super) bloom: Option<BloomFilterProperties>,
    pub(super) bloom_for_dictionaries: bool,
    pub(super) offset_index: bool,
    /// Encoded fields 3 and 4 of `ColumnMetaData`: path and codec.
    pub(super) path_and_codec: Vec<u8>,
}

impl LeafOptions {
    pub(crate) fn new(
        descriptor: ColumnDescPtr,
        data_type: DataType,
        properties: &WriterProperties,
    ) -> Self {
        let path = descriptor.path();
        let mut path_and_codec = Vec::new();
        let mut writer = StructWriter::after(2, &mut path_and_codec);
        let list = writer.list(3, BINARY, path.parts().len());
        for part in path.parts() {
            put_binary(list, part.as_bytes());
        }
        writer.int32(
            4,
            CompressionCodec::from(properties.compression(path)) as i32,
        );
        LeafOptions {
            path_and_codec,
            codec: properties.compression(path),
            page_rows: properties.column_data_page_row_count_limit(path).max(1),
            values: ValueOptions {
                dictionary: properties.dictionary_enabled(path),
                dictionary_limit: properties.column_dictionary_page_size_limit(path),
                page_limit: properties.column_data_page_size_limit(path),
            },
            statistics: properties.statistics_enabled(path),
            column_index_truncation: properties.column_index_truncate_length(),
            statistics_truncation: properties.statistics_truncate_length(),
            bloom: properties.bloom_filter_properties(path).cloned(),
            bloom_for_dictionaries: properties.bloom_filter_for_dictionary_encoded_chunks(),
            offset_index: !properties.offset_index_disabled(),
            descriptor,
            data_type,
        }
    }

    pub(crate) fn codec(&self) -> Compression {
        self.codec
    }

    /// Whether the values are UTF-8.
    pub(super) fn is_utf8(&self) -> bool {
        self.descriptor.logical_type_ref() == Some(&LogicalType::String)
            || self.descriptor.converted_type() == ConvertedType::UTF8
    }
}
