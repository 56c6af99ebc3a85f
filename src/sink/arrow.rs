//! Arrow IPC files and streams, without dictionaries: the file format does not allow replacing a
//! dictionary between two batches.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch, StructArray};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Schema as ArrowSchema, SchemaRef};
use arrow_select::take::take;

use super::format::{EventFile, FileFormat, FormatSettings, RowGroupEncoder};
use super::stream::{EncodedRows, StreamFormat};
use crate::columns::View;
use crate::corpus::file::AtomicFile;
use crate::error::{Error, Result, encoding_failed};
use crate::plan::Compression;
use crate::schema::Schema;

type ArrowResult<T> = std::result::Result<T, ArrowError>;

/// The format `arrow`.
pub struct Arrow {
    schema: Arc<Schema>,
    /// The schema without dictionaries.
    plain: SchemaRef,
    options: IpcWriteOptions,
}

/// The batches of a row group.
pub struct ArrowEncoder<'f> {
    format: &'f Arrow,
    path: &'f Path,
    batches: Vec<RecordBatch>,
}

/// A file of batches.
pub struct ArrowFile {
    writer: FileWriter<AtomicFile>,
    path: PathBuf,
}

/// Batches without a file: Arrow's IPC stream.
pub struct ArrowStream(Arrow);

impl FileFormat for Arrow {
    type RowGroup = Vec<RecordBatch>;
    type Encoder<'f> = ArrowEncoder<'f>;
    type File = ArrowFile;

    fn new(
        FormatSettings {
            config,
            schema,
            fingerprint,
            root,
        }: FormatSettings<'_>,
    ) -> Result<Self> {
        let fields = schema.arrow().fields().iter().map(plain_field);
        let metadata = HashMap::from([("fusiongen.fingerprint".into(), fingerprint.into())]);
        let plain = ArrowSchema::new_with_metadata(fields.collect::<Vec<_>>(), metadata);
        Ok(Arrow {
            schema: schema.clone(),
            plain: Arc::new(plain),
            options: ipc_options(config.compression).map_err(|e| failed(root, e))?,
        })
    }

    fn encoder<'f>(&'f self, _rows: u64, path: &'f Path) -> Result<ArrowEncoder<'f>> {
        Ok(ArrowEncoder {
            format: self,
            path,
            batches: Vec::new(),
        })
    }

    fn create(&self, file: AtomicFile) -> Result<ArrowFile> {
        let path = file.path().to_path_buf();
        let writer = FileWriter::try_new_with_options(file, &self.plain, self.options.clone());
        Ok(ArrowFile {
            writer: writer.map_err(|e| failed(&path, e))?,
            path,
        })
    }
}

impl RowGroupEncoder for ArrowEncoder<'_> {
    type RowGroup = Vec<RecordBatch>;

    fn write(&mut self, view: &View<'_>) -> Result<()> {
        let batch = self.format.batch(view);
        self.batches.push(batch.map_err(|e| failed(self.path, e))?);
        Ok(())
    }

    fn finish(self) -> Result<Vec<RecordBatch>> {
        Ok(self.batches)
    }
}

impl EventFile for ArrowFile {
    type RowGroup = Vec<RecordBatch>;

    fn append(&mut self, batches: Vec<RecordBatch>) -> Result<()> {
        let mut written = batches.iter().map(|batch| self.writer.write(batch));
        written
            .try_for_each(|batch| batch)
            .map_err(|e| failed(&self.path, e))
    }

    fn finish(self) -> Result<AtomicFile> {
        let file = self.writer.into_inner();
        file.map_err(|e| failed(&self.path, e))
    }
}

impl Arrow {
    fn batch(&self, view: &View<'_>) -> ArrowResult<RecordBatch> {
        let batch = self.schema.batch(view)?;
        plain_batch(&batch, &self.plain)
    }
}

impl ArrowStream {
    /// # Errors
    /// A library rejects the compression, which is a defect.
    pub(super) fn new(settings: FormatSettings<'_>) -> Result<Self> {
        let mut format = Arrow::new(settings)?;
        // The fingerprint identifies a corpus of files; a stream has none.
        format.plain = Arc::new(ArrowSchema::new(format.plain.fields().clone()));
        Ok(ArrowStream(format))
    }

    /// A stream in memory that has its head.
    fn open(&self) -> ArrowResult<StreamWriter<Vec<u8>>> {
        let Arrow { plain, options, .. } = &self.0;
        StreamWriter::try_new_with_options(Vec::new(), plain, options.clone())
    }

    fn encoded(&self, view: &View<'_>) -> ArrowResult<Vec<u8>> {
        let batch = self.0.batch(view)?;
        let mut writer = self.open()?;
        writer.get_mut().clear();
        writer.write(&batch)?;
        Ok(std::mem::take(writer.get_mut()))
    }
}

impl StreamFormat for ArrowStream {
    fn head(&self) -> Result<Vec<u8>> {
        let head = self
            .open()
            .map(|mut writer| std::mem::take(writer.get_mut()));
        head.map_err(|e| failed("arrow".as_ref(), e))
    }

    fn encode(&self, view: &View<'_>) -> Result<EncodedRows> {
        let bytes = self
            .encoded(view)
            .map_err(|e| failed("arrow".as_ref(), e))?;
        Ok(EncodedRows {
            bytes,
            ends: Vec::new(),
        })
    }

    /// The end-of-stream marker: a continuation, and a message of no bytes.
    fn end(&self) -> Vec<u8> {
        vec![0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]
    }
}

fn failed(path: &Path, source: ArrowError) -> Error {
    match source {
        ArrowError::IoError(_, io) => Error::io(path, "write", io),
        other => encoding_failed(path, other.into()),
    }
}

/// Writer options of a compression.
fn ipc_options(compression: Compression) -> ArrowResult<IpcWriteOptions> {
    let options = IpcWriteOptions::default();
    match compression {
        Compression::Lz4 => options.try_with_compression(Some(CompressionType::LZ4_FRAME)),
        Compression::Zstd(level) => options
            .try_with_compression(Some(CompressionType::ZSTD))?
            .try_with_compression_level(Some(level)),
        Compression::None | Compression::Snappy | Compression::Gzip(_) => Ok(options),
    }
}

/// A field with each dictionary replaced by the type of its values.
fn plain_field(field: &FieldRef) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Dictionary(_, values) => (**values).clone(),
        DataType::Struct(children) => DataType::Struct(children.iter().map(plain_field).collect()),
        DataType::List(item) => DataType::List(plain_field(item)),
        other => other.clone(),
    };
    Arc::new(Field::new(field.name(), data_type, field.is_nullable()))
}

/// An array with each dictionary replaced by its values.
fn plain_array(array: &ArrayRef) -> ArrowResult<ArrayRef> {
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
                columns.collect::<ArrowResult<_>>()?,
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

/// A batch of the schema without dictionaries.
fn plain_batch(batch: &RecordBatch, schema: &SchemaRef) -> ArrowResult<RecordBatch> {
    let columns = batch.columns().iter().map(plain_array);
    RecordBatch::try_new(schema.clone(), columns.collect::<ArrowResult<_>>()?)
}
