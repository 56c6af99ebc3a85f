//! Parquet files, encoded by [`arrow_parquet_encoder`].
//!
//! [`Layout`] holds the settings of a schema's files, [`ParquetRowGroup`] encodes a row group on any
//! thread, [`ParquetFile`] appends row groups in order. Truth and entities use these directly;
//! [`Parquet`] is the format of the events.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{Int64Array, RecordBatch};
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowSchemaConverter;
use parquet::basic::{Compression as Codec, Encoding, GzipLevel, ZstdLevel};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::{
    EnabledStatistics, WriterProperties, WriterPropertiesPtr, WriterVersion,
};
use parquet::schema::types::{ColumnPath, SchemaDescriptor};

use super::format::{
    CommitFile, CompleteCorpus, EventFile, FileFormat, FormatSettings, RowGroupEncoder,
};
use super::table;
use crate::columns::{Column, Values, View};
use crate::corpus::file::AtomicFile;
use crate::error::{Result, encoding_failed};
use crate::frame::FRAME_ROWS;
use crate::plan::Compression;
use crate::plan::fingerprint::{CREATED_BY, FORMAT_VERSION};
use crate::schema::{Leaf, Role, Schema};
use arrow_parquet_encoder::{
    ColumnData, EncodedRowGroup, Encoder, FileWriter, PackedDictionary, RowGroupWriter,
};

/// How the files of one schema are written.
#[derive(Debug, Clone)]
pub struct Layout {
    encoder: Arc<Encoder>,
    properties: WriterPropertiesPtr,
}

impl Layout {
    /// The layout of a schema. Leaves whose [role](Role) calls for it are sorting columns, or
    /// delta-encoded without a dictionary. `bloom_filters` are the paths of leaves that get a Bloom
    /// filter; of a list, the items are filtered.
    ///
    /// # Errors
    /// The Arrow schema has no Parquet equivalent, or a path is not a leaf. Settings are checked
    /// earlier, so both are defects.
    pub fn new(
        arrow: &SchemaRef,
        leaves: &[Leaf],
        bloom_filters: &[String],
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
        let in_deltas = leaves
            .iter()
            .filter(|leaf| matches!(leaf.role, Role::Sorted | Role::Rising));
        for leaf in in_deltas {
            let mut columns = descriptor.columns().iter().enumerate();
            let Some((index, column)) = columns.find(|(_, c)| c.path().string() == leaf.path)
            else {
                return Err(ParquetError::General(format!(
                    "{} is not a column",
                    leaf.path
                )));
            };
            properties = properties
                .set_column_encoding(column.path().clone(), Encoding::DELTA_BINARY_PACKED)
                .set_column_dictionary_enabled(column.path().clone(), false);
            if leaf.role == Role::Sorted {
                sorting = Some(SortingColumn {
                    column_idx: index as i32,
                    descending: false,
                    nulls_first: false,
                });
            }
        }
        for wanted in bloom_filters {
            let path = path_of(&descriptor, wanted)?;
            properties = properties.set_column_bloom_filter_enabled(path, true);
        }
        let properties = properties
            .set_sorting_columns(sorting.map(|s| vec![s]))
            .build();
        let properties = Arc::new(properties);
        Ok(Layout {
            encoder: Arc::new(Encoder::new(arrow, &descriptor, &properties)?),
            properties,
        })
    }

    /// The properties of the files.
    pub fn properties(&self) -> &WriterPropertiesPtr {
        &self.properties
    }
}

/// The columns at `wanted`: a leaf, or the items of a list.
fn path_of(descriptor: &SchemaDescriptor, wanted: &str) -> ParquetResult<ColumnPath> {
    // The path of a list's items continues the list's path.
    let items = format!("{wanted}.");
    let mut paths = descriptor.columns().iter().map(|column| column.path());
    paths
        .find(|path| path.string() == wanted || path.string().starts_with(&items))
        .cloned()
        .ok_or_else(|| ParquetError::General(format!("{wanted} is not a column")))
}

fn codec(compression: Compression) -> ParquetResult<Codec> {
    Ok(match compression {
        Compression::None => Codec::UNCOMPRESSED,
        Compression::Snappy => Codec::SNAPPY,
        Compression::Lz4 => Codec::LZ4_RAW,
        Compression::Zstd(level) => Codec::ZSTD(ZstdLevel::try_new(level)?),
        Compression::Gzip(level) => Codec::GZIP(GzipLevel::try_new(level)?),
    })
}

/// A row group that is being encoded. It belongs to no file yet.
pub struct ParquetRowGroup<'l>(RowGroupWriter<'l>);

impl<'l> ParquetRowGroup<'l> {
    /// Begins a row group of about `rows` rows.
    ///
    /// # Errors
    /// The library rejects the schema, which is a defect.
    pub fn new(layout: &'l Layout, rows: u64) -> ParquetResult<Self> {
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        Ok(ParquetRowGroup(layout.encoder.row_group_with_rows(rows)?))
    }

    /// Adds the rows of a view, column by column.
    ///
    /// # Errors
    /// A column breaks the schema's promise, which is a defect.
    pub fn write_view(&mut self, schema: &Schema, view: &View<'_>) -> ParquetResult<()> {
        let documents = schema.documents(view);
        let view = documents.as_ref().unwrap_or(view);
        self.write_leaves(view.len(), schema.columns(view))
    }

    /// Adds rows leaf by leaf, as [`RowGroupWriter::write_leaves`] does.
    ///
    /// # Errors
    /// The leaves are not those of the layout's schema, which is a defect.
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
    /// The batch does not have the layout's schema, which is a defect.
    pub fn write(&mut self, batch: &RecordBatch) -> ParquetResult<()> {
        self.0.write(batch)
    }

    /// Ends the row group.
    ///
    /// # Errors
    /// Compression fails.
    pub fn finish(self) -> ParquetResult<EncodedRowGroup> {
        self.0.finish()
    }
}

impl From<Column> for ColumnData {
    fn from(column: Column) -> Self {
        match column {
            Column::Array(array) => ColumnData::Array(array),
            Column::Packed(values, nulls) => ColumnData::Packed {
                values: match values {
                    Values::Integers(integers) => Arc::new(Int64Array::new(integers, None)),
                    Values::Texts(texts) => Arc::new(texts),
                },
                nulls,
            },
            Column::Keyed(texts) => ColumnData::PackedDictionary(PackedDictionary {
                keys: texts.keys,
                nulls: texts.nulls,
                values: texts.table,
            }),
        }
    }
}

/// A Parquet file that is being written.
pub struct ParquetFile {
    writer: FileWriter<AtomicFile>,
    path: PathBuf,
}

impl ParquetFile {
    /// Begins a file.
    ///
    /// # Errors
    /// I/O.
    pub fn create(file: AtomicFile, layout: &Layout) -> Result<Self> {
        let path = file.path().to_path_buf();
        let writer = FileWriter::new(file, &layout.encoder);
        Ok(ParquetFile {
            writer: writer.map_err(|e| encoding_failed(&path, e))?,
            path,
        })
    }
}

impl EventFile for ParquetFile {
    type RowGroup = EncodedRowGroup;

    fn append(&mut self, group: EncodedRowGroup) -> Result<()> {
        let appended = self.writer.append(group);
        appended.map_err(|e| encoding_failed(&self.path, e))
    }

    fn finish(self) -> Result<AtomicFile> {
        let file = self.writer.finish();
        file.map_err(|e| encoding_failed(&self.path, e))
    }
}

/// The format `parquet`.
pub struct Parquet {
    schema: Arc<Schema>,
    layout: Layout,
}

/// A row group of events.
pub struct ParquetEncoder<'f> {
    schema: &'f Schema,
    path: &'f Path,
    group: ParquetRowGroup<'f>,
}

impl FileFormat for Parquet {
    type RowGroup = EncodedRowGroup;
    type Encoder<'f> = ParquetEncoder<'f>;
    type File = ParquetFile;

    fn new(
        FormatSettings {
            config,
            schema,
            fingerprint,
            root,
        }: FormatSettings<'_>,
    ) -> Result<Self> {
        let layout = Layout::new(
            schema.arrow(),
            &schema.leaves,
            &config.bloom_filter,
            config.compression,
            fingerprint,
        );
        Ok(Parquet {
            schema: schema.clone(),
            layout: layout.map_err(|e| encoding_failed(root, e))?,
        })
    }

    fn encoder<'f>(&'f self, rows: u64, path: &'f Path) -> Result<ParquetEncoder<'f>> {
        let group = ParquetRowGroup::new(&self.layout, rows);
        Ok(ParquetEncoder {
            schema: &self.schema,
            path,
            group: group.map_err(|e| encoding_failed(path, e))?,
        })
    }

    fn create(&self, file: AtomicFile) -> Result<ParquetFile> {
        ParquetFile::create(file, &self.layout)
    }

    fn commit(corpus: &CompleteCorpus<'_>) -> Result<Vec<CommitFile>> {
        table::commit(corpus)
    }
}

impl RowGroupEncoder for ParquetEncoder<'_> {
    type RowGroup = EncodedRowGroup;

    fn write(&mut self, view: &View<'_>) -> Result<()> {
        let written = self.group.write_view(self.schema, view);
        written.map_err(|e| encoding_failed(self.path, e))
    }

    fn finish(self) -> Result<EncodedRowGroup> {
        let group = self.group.finish();
        group.map_err(|e| encoding_failed(self.path, e))
    }
}
