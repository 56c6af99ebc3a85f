//! The three file formats behind one face: batches are encoded on any thread, and
//! what comes out is appended to a file in order.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, RecordBatch, StructArray};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef, Int32Type, Schema as ArrowSchema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::writer::{FileWriter, IpcWriteOptions};

use super::json::Lines;
use super::parquet::{self, Layout, RowGroupEncoder};
use crate::columns::View;
use crate::corpus::file::{Whole, Written};
use crate::error::{Error, Result};
use crate::plan::{Compression, Config, Format};
use crate::schema::Schema;
use arrow_parquet_encoder::EncodedRowGroup;

/// How the event files of a corpus are written.
pub enum FileFormat {
    Parquet(Layout),
    /// With zstd's level, if compressed.
    Ndjson(Option<i32>),
    /// The schema without dictionaries: a file can't replace one between its batches.
    Arrow(SchemaRef, Box<IpcWriteOptions>),
}

/// An encoded row group in memory, of whichever format.
pub enum Encoded {
    Parquet(EncodedRowGroup),
    Lines(Vec<u8>),
    Batches(Vec<RecordBatch>),
}

/// Encodes the batches of one row group.
pub enum Encoder<'f> {
    Parquet(RowGroupEncoder<'f>),
    Ndjson(Vec<u8>, Option<i32>),
    Arrow(Vec<RecordBatch>, &'f SchemaRef),
}

/// An event file that is being written.
pub enum EventFile {
    Parquet(Box<parquet::File>),
    Ndjson(Box<Whole>),
    Arrow(Box<FileWriter<Whole>>, std::path::PathBuf),
}

fn arrow_failed(path: &Path, source: ArrowError) -> Error {
    match source {
        ArrowError::IoError(_, io) => Error::io(path, "write", io),
        other => Error::Parquet {
            path: path.to_path_buf(),
            source: other.into(),
        },
    }
}

impl FileFormat {
    /// The format of a corpus.
    ///
    /// # Errors
    /// When the library refuses the schema: a defect.
    pub fn new(
        config: &Config,
        schema: &SchemaRef,
        fingerprint: &str,
        root: &Path,
    ) -> Result<Self> {
        let compression = config.compression;
        Ok(match config.format {
            Format::Parquet => FileFormat::Parquet(
                Layout::new(schema, Some("@timestamp"), compression, fingerprint)
                    .and_then(|layout| layout.with_bloom_filters(&config.bloom_filter))
                    .map_err(|e| parquet::encoding_failed(root, e))?,
            ),
            Format::Ndjson => FileFormat::Ndjson(match compression {
                Compression::Zstd(level) => Some(level),
                _ => None,
            }),
            Format::Arrow => {
                let fields: Vec<FieldRef> = schema.fields().iter().map(plain_field).collect();
                let plain = Arc::new(ArrowSchema::new_with_metadata(
                    fields,
                    std::collections::HashMap::from([(
                        "fusiongen.fingerprint".to_string(),
                        fingerprint.to_string(),
                    )]),
                ));
                FileFormat::Arrow(
                    plain,
                    Box::new(ipc_options(compression).map_err(|e| arrow_failed(root, e))?),
                )
            }
        })
    }

    /// Begins a row group of about `rows` rows.
    ///
    /// # Errors
    /// When the library refuses the schema: a defect. `path` is for the message.
    pub fn encoder(&self, rows: u64, path: &Path) -> Result<Encoder<'_>> {
        Ok(match self {
            FileFormat::Parquet(layout) => Encoder::Parquet(
                RowGroupEncoder::new(layout, rows)
                    .map_err(|e| parquet::encoding_failed(path, e))?,
            ),
            FileFormat::Ndjson(level) => Encoder::Ndjson(Vec::new(), *level),
            FileFormat::Arrow(schema, _) => Encoder::Arrow(Vec::new(), schema),
        })
    }

    /// Begins a file.
    ///
    /// # Errors
    /// I/O.
    pub fn create(&self, path: &Path) -> Result<EventFile> {
        Ok(match self {
            FileFormat::Parquet(layout) => {
                EventFile::Parquet(Box::new(parquet::File::create(path, layout)?))
            }
            FileFormat::Ndjson(_) => EventFile::Ndjson(Box::new(Whole::create(path)?)),
            FileFormat::Arrow(schema, options) => EventFile::Arrow(
                Box::new(
                    FileWriter::try_new_with_options(
                        Whole::create(path)?,
                        schema,
                        (**options).clone(),
                    )
                    .map_err(|e| arrow_failed(path, e))?,
                ),
                path.to_path_buf(),
            ),
        })
    }
}

impl Encoder<'_> {
    /// Adds the rows of a view; column by column, where the format allows that.
    ///
    /// # Errors
    /// When a column breaks the schema's promise: a defect. `path` is for the message.
    pub fn write_view(&mut self, schema: &Schema, view: &View<'_>, path: &Path) -> Result<()> {
        let failed = |e| parquet::encoding_failed(path, e);
        if let Encoder::Parquet(encoder) = self
            && encoder.takes_leaves()
        {
            let documents = schema.documents(view);
            let view = documents.as_ref().unwrap_or(view);
            let leaves = schema.columns(view);
            return encoder.write_leaves(view.len(), leaves).map_err(failed);
        }
        let batch = schema.batch(view).map_err(|e| failed(e.into()))?;
        self.write(&batch, path)
    }

    /// Adds a batch.
    ///
    /// # Errors
    /// When the library refuses it: a defect. `path` is for the message.
    pub fn write(&mut self, batch: &RecordBatch, path: &Path) -> Result<()> {
        match self {
            Encoder::Parquet(encoder) => encoder
                .write(batch)
                .map_err(|e| parquet::encoding_failed(path, e)),
            Encoder::Ndjson(text, _) => {
                let lines = Lines::new(batch);
                for row in 0..batch.num_rows() {
                    lines.write(row, text);
                    text.push(b'\n');
                }
                Ok(())
            }
            Encoder::Arrow(batches, schema) => {
                batches.push(plain_batch(batch, schema).map_err(|e| arrow_failed(path, e))?);
                Ok(())
            }
        }
    }

    /// Ends the row group.
    ///
    /// # Errors
    /// When compression fails: a defect.
    pub fn finish(self, path: &Path) -> Result<Encoded> {
        Ok(match self {
            Encoder::Parquet(encoder) => Encoded::Parquet(
                encoder
                    .finish()
                    .map_err(|e| parquet::encoding_failed(path, e))?,
            ),
            // Frames of zstd that follow each other are one stream.
            Encoder::Ndjson(text, Some(level)) => Encoded::Lines(
                zstd::bulk::compress(&text, level).map_err(|e| Error::io(path, "compress", e))?,
            ),
            Encoder::Ndjson(text, None) => Encoded::Lines(text),
            Encoder::Arrow(batches, _) => Encoded::Batches(batches),
        })
    }
}

impl EventFile {
    fn path(&self) -> &Path {
        match self {
            EventFile::Parquet(file) => file.path(),
            EventFile::Ndjson(file) => file.path(),
            EventFile::Arrow(_, path) => path,
        }
    }

    /// Appends a row group.
    ///
    /// # Errors
    /// I/O.
    pub fn append(&mut self, encoded: Encoded) -> Result<()> {
        match (self, encoded) {
            (EventFile::Parquet(file), Encoded::Parquet(group)) => file.append(group),
            (EventFile::Ndjson(file), Encoded::Lines(text)) => {
                std::io::Write::write_all(&mut **file, &text)
                    .map_err(|e| Error::io(file.path(), "write", e))
            }
            (EventFile::Arrow(file, path), Encoded::Batches(batches)) => batches
                .iter()
                .try_for_each(|batch| file.write(batch))
                .map_err(|e| arrow_failed(path, e)),
            (file, _) => Err(Error::Defect {
                path: file.path().to_path_buf(),
            }),
        }
    }

    /// Ends the file and gives it its name.
    ///
    /// # Errors
    /// I/O.
    pub fn finish(self) -> Result<Written> {
        match self {
            EventFile::Parquet(file) => file.finish(),
            EventFile::Ndjson(file) => file.finish(),
            EventFile::Arrow(file, path) => file
                .into_inner()
                .map_err(|e| arrow_failed(&path, e))?
                .finish(),
        }
    }
}

fn ipc_options(compression: Compression) -> std::result::Result<IpcWriteOptions, ArrowError> {
    let options = IpcWriteOptions::default();
    match compression {
        Compression::Lz4 => options.try_with_compression(Some(CompressionType::LZ4_FRAME)),
        Compression::Zstd(level) => options
            .try_with_compression(Some(CompressionType::ZSTD))?
            .try_with_compression_level(Some(level)),
        Compression::None | Compression::Snappy => Ok(options),
    }
}

/// A field with its dictionaries replaced by their values' type.
fn plain_field(field: &FieldRef) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Dictionary(_, values) => (**values).clone(),
        DataType::Struct(children) => DataType::Struct(children.iter().map(plain_field).collect()),
        DataType::List(item) => DataType::List(plain_field(item)),
        other => other.clone(),
    };
    Arc::new(Field::new(field.name(), data_type, field.is_nullable()))
}

fn plain_array(array: &ArrayRef) -> std::result::Result<ArrayRef, ArrowError> {
    Ok(match array.data_type() {
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_dictionary::<Int32Type>();
            take(dictionary.values(), dictionary.keys(), None)?
        }
        DataType::Struct(fields) => {
            let plain = array.as_struct();
            let columns = plain.columns().iter().map(plain_array);
            Arc::new(StructArray::try_new(
                fields.iter().map(plain_field).collect(),
                columns.collect::<std::result::Result<_, _>>()?,
                plain.nulls().cloned(),
            )?)
        }
        DataType::List(item) => {
            let list = array.as_list::<i32>();
            Arc::new(ListArray::try_new(
                plain_field(item),
                list.offsets().clone(),
                plain_array(list.values())?,
                list.nulls().cloned(),
            )?)
        }
        _ => array.clone(),
    })
}

fn plain_batch(
    batch: &RecordBatch,
    schema: &SchemaRef,
) -> std::result::Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().map(plain_array);
    RecordBatch::try_new(
        schema.clone(),
        columns.collect::<std::result::Result<_, _>>()?,
    )
}
