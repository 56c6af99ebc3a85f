//! Parquet files, by [`encode`], under a name of their own once they are whole.
//!
//! [`RowGroupEncoder`] is the one seam between events and Parquet: batches in, the column
//! chunks of a row group out, on any thread. [`File`] appends them in order.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowSchemaConverter;
use parquet::basic::{Compression as Codec, Encoding, ZstdLevel};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterPropertiesPtr,
    WriterVersion,
};
use parquet::schema::types::{ColumnPath, SchemaDescriptor, TypePtr};

use crate::columns::{Column, Values};
use crate::corpus::file::{Whole, Written};
use crate::error::{Error, Result};
use crate::frame::FRAME_ROWS;
use crate::plan::Compression;
use crate::plan::fingerprint::{CREATED_BY, FORMAT_VERSION};
use arrow_parquet_encoder::{self as encode, EncodedRowGroup, Encoder, FileWriter, RowGroup};

/// How files are written; the same for every file of a corpus.
#[derive(Debug, Clone)]
pub struct Layout {
    arrow: SchemaRef,
    encoder: Arc<Encoder>,
    parquet: TypePtr,
    properties: WriterPropertiesPtr,
}

impl Layout {
    /// The layout of a schema whose row groups are sorted by `sorted_by`, a top-level column, if any.
    ///
    /// # Errors
    /// When the Arrow schema has no Parquet form: a defect.
    pub fn new(
        arrow: &SchemaRef,
        sorted_by: Option<&str>,
        compression: Compression,
        fingerprint: &str,
    ) -> ParquetResult<Self> {
        let descriptor = ArrowSchemaConverter::new().convert(arrow)?;
        let mut properties = WriterProperties::builder()
            .set_created_by(CREATED_BY.into())
            .set_compression(codec(compression)?)
            .set_writer_version(WriterVersion::PARQUET_2_0)
            .set_statistics_enabled(EnabledStatistics::Page)
            // A frame is a page: pages of other lengths would cut every array in two.
            .set_data_page_row_count_limit(FRAME_ROWS)
            .set_data_page_size_limit(1 << 20)
            .set_dictionary_page_size_limit(1 << 20)
            .set_column_index_truncate_length(Some(64))
            .set_statistics_truncate_length(Some(64))
            .set_key_value_metadata(Some(vec![
                KeyValue::new("fusiongen.fingerprint".into(), fingerprint.to_string()),
                KeyValue::new(
                    "fusiongen.format_version".into(),
                    FORMAT_VERSION.to_string(),
                ),
            ]));
        let mut sorting = None;
        for (index, column) in descriptor.columns().iter().enumerate() {
            let path = column.path().string();
            if Some(path.as_str()) == sorted_by {
                sorting = Some(SortingColumn {
                    column_idx: index as i32,
                    descending: false,
                    nulls_first: false,
                });
                // Rising times are small deltas.
                properties = properties
                    .set_column_encoding(
                        ColumnPath::from(path.as_str()),
                        Encoding::DELTA_BINARY_PACKED,
                    )
                    .set_column_dictionary_enabled(ColumnPath::from(path.as_str()), false);
            }
        }
        if path_exists(&descriptor, "event.sequence") {
            let path = ColumnPath::from(vec!["event".to_string(), "sequence".to_string()]);
            properties = properties
                .set_column_encoding(path.clone(), Encoding::DELTA_BINARY_PACKED)
                .set_column_dictionary_enabled(path, false);
        }
        let properties = properties
            .set_sorting_columns(sorting.map(|s| vec![s]))
            .build();
        let properties = Arc::new(properties);
        Ok(Layout {
            arrow: arrow.clone(),
            encoder: Arc::new(Encoder::new(arrow, &descriptor, &properties)?),
            parquet: descriptor.root_schema_ptr(),
            properties,
        })
    }
}

fn codec(compression: Compression) -> ParquetResult<Codec> {
    Ok(match compression {
        Compression::None => Codec::UNCOMPRESSED,
        Compression::Snappy => Codec::SNAPPY,
        Compression::Lz4 => Codec::LZ4_RAW,
        Compression::Zstd(level) => Codec::ZSTD(ZstdLevel::try_new(level)?),
    })
}

impl Layout {
    /// The same layout with Bloom filters for these leaf paths; lists are filtered by item.
    ///
    /// # Errors
    /// When a path is no leaf of the schema: a defect, for settings are checked before.
    pub fn with_bloom_filters(self, paths: &[String]) -> ParquetResult<Self> {
        let descriptor = SchemaDescriptor::new(self.parquet.clone());
        let mut properties = WriterPropertiesBuilder::from((*self.properties).clone());
        for wanted in paths {
            // A list's items stand below its path.
            let inside = format!("{wanted}.");
            let path = descriptor
                .columns()
                .iter()
                .map(|c| c.path())
                .find(|p| p.string() == *wanted || p.string().starts_with(&inside))
                .ok_or_else(|| ParquetError::General(format!("{wanted} is no column")))?;
            properties = properties.set_column_bloom_filter_enabled(path.clone(), true);
        }
        let properties = Arc::new(properties.build());
        Ok(Layout {
            encoder: Arc::new(Encoder::new(&self.arrow, &descriptor, &properties)?),
            properties,
            ..self
        })
    }
}

fn path_exists(descriptor: &SchemaDescriptor, path: &str) -> bool {
    descriptor
        .columns()
        .iter()
        .any(|c| c.path().string() == path)
}

/// A row group in the making, detached from any file.
pub struct RowGroupEncoder<'l>(RowGroup<'l>);

impl<'l> RowGroupEncoder<'l> {
    /// Begins a row group of about `rows` rows.
    ///
    /// # Errors
    /// When the library refuses the schema: a defect.
    pub fn new(layout: &'l Layout, rows: u64) -> ParquetResult<Self> {
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        Ok(RowGroupEncoder(layout.encoder.row_group_of(rows)?))
    }

    /// Whether [leaves](RowGroupEncoder::write_leaves) can be written.
    pub fn takes_leaves(&self) -> bool {
        self.0.takes_leaves()
    }

    /// Adds rows leaf by leaf, as [`RowGroup::write_leaves`] has it.
    ///
    /// # Errors
    /// When the leaves aren't those of the layout's schema: a defect.
    pub fn write_leaves(
        &mut self,
        rows: usize,
        leaves: impl IntoIterator<Item = Column>,
    ) -> ParquetResult<()> {
        self.0.write_leaves(rows, leaves)
    }

    /// Adds a batch.
    ///
    /// # Errors
    /// When a batch doesn't have the layout's schema: a defect.
    pub fn write(&mut self, batch: &RecordBatch) -> ParquetResult<()> {
        self.0.write(batch)
    }

    /// Ends the row group.
    ///
    /// # Errors
    /// When compression fails.
    pub fn finish(self) -> ParquetResult<EncodedRowGroup> {
        self.0.finish()
    }
}

impl From<Column> for encode::Column {
    fn from(column: Column) -> Self {
        match column {
            Column::Array(array) => encode::Column::Array(array),
            Column::Packed(values, nulls) => encode::Column::Packed {
                values: match values {
                    Values::Integers(integers) => Arc::new(Int64Array::new(integers, None)),
                    Values::Texts(texts) => Arc::new(texts),
                },
                nulls,
            },
            Column::Keyed(texts) => encode::Column::Dictionary(encode::Dictionary {
                keys: texts.keys,
                nulls: texts.nulls,
                values: texts.table,
            }),
        }
    }
}

/// A Parquet file under a temporary name until it is whole.
pub struct File {
    writer: FileWriter<Whole>,
    path: std::path::PathBuf,
}

impl File {
    /// Begins `path`.
    ///
    /// # Errors
    /// I/O.
    pub fn create(path: &Path, layout: &Layout) -> Result<Self> {
        let whole = Whole::create(path)?;
        let writer = FileWriter::new(whole, &layout.encoder).map_err(|e| failed(path, e))?;
        Ok(File {
            writer,
            path: path.to_path_buf(),
        })
    }

    /// The name it will have.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a row group.
    ///
    /// # Errors
    /// I/O.
    pub fn append(&mut self, group: EncodedRowGroup) -> Result<()> {
        let appended = self.writer.append(group);
        appended.map_err(|e| failed(&self.path, e))
    }

    /// Writes the footer and gives the file its name.
    ///
    /// # Errors
    /// I/O.
    pub fn finish(self) -> Result<Written> {
        self.writer
            .finish()
            .map_err(|e| failed(&self.path, e))?
            .finish()
    }
}

fn failed(path: &Path, source: ParquetError) -> Error {
    match source {
        ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
            Ok(io) => Error::io(path, "write", *io),
            Err(other) => Error::Parquet {
                path: path.to_path_buf(),
                source: ParquetError::External(other),
            },
        },
        source => Error::Parquet {
            path: path.to_path_buf(),
            source,
        },
    }
}

/// Wraps an encoder's failure with the file it was for.
pub fn encoding_failed(path: &Path, source: ParquetError) -> Error {
    failed(path, source)
}
