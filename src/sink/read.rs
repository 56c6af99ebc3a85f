//! Event files as record batches, whatever their format.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{
    Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchReader, StructArray, new_null_array,
};
use arrow_ipc::reader::FileReader;
use arrow_json::ReaderBuilder;
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema as ArrowSchema, SchemaRef};
use arrow_select::zip::zip;
use flate2::bufread::MultiGzDecoder;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::schema::types::SchemaDescriptor;

use crate::plan::{Compression, Config, Format};
use crate::schema::{SPELLINGS, Schema, Spelling};

type ArrowResult<T> = std::result::Result<T, ArrowError>;

/// Rows of a batch.
const BATCH: usize = 8 * 1024;

/// Reads an event file of a corpus with these settings. Batches have the corpus's columns without
/// dictionaries; the Parquet reader leaves out the columns that `mask` does not choose.
///
/// # Errors
/// The file is not of the format. The batches may have errors, too: the file is damaged.
pub fn batches(
    file: File,
    config: &Config,
    mask: impl FnOnce(&ArrowSchema, &SchemaDescriptor) -> ProjectionMask,
) -> ArrowResult<Box<dyn RecordBatchReader>> {
    Ok(match config.format {
        Format::Parquet => {
            let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
            let mask = mask(builder.schema(), builder.parquet_schema());
            Box::new(
                builder
                    .with_projection(mask)
                    .with_batch_size(BATCH)
                    .build()?,
            )
        }
        Format::Arrow => Box::new(FileReader::try_new_buffered(file, None)?),
        Format::Ndjson => Box::new(lines(file, config)?),
    })
}

/// The batches of a file of JSON lines.
fn lines(file: File, config: &Config) -> ArrowResult<impl RecordBatchReader + use<>> {
    let file = BufReader::new(file);
    let text: Box<dyn BufRead> = match config.compression {
        Compression::Zstd(_) => Box::new(BufReader::new(zstd::Decoder::with_buffer(file)?)),
        Compression::Gzip(_) => Box::new(BufReader::new(MultiGzDecoder::new(file))),
        Compression::None | Compression::Snappy | Compression::Lz4 => Box::new(file),
    };
    let schema = Schema::of(config);
    let read = Arc::new(ArrowSchema::new(readable(
        "",
        schema.arrow().fields(),
        true,
    )));
    let plain = Arc::new(ArrowSchema::new(readable(
        "",
        schema.arrow().fields(),
        false,
    )));
    // A member that the schema does not have is damage, and not to be skipped.
    let reader = ReaderBuilder::new(read)
        .with_strict_mode(true)
        .with_batch_size(BATCH);
    Ok(Lines {
        reader: reader.build(text)?,
        schema: plain,
    })
}

/// Fields as JSON has them: values instead of dictionaries, everything may be absent, and times are
/// UTC without saying so. With `spelled`, also the names that records of some event ids have instead.
fn readable(path: &str, fields: &Fields, spelled: bool) -> Fields {
    let mut all: Vec<Field> = Vec::new();
    for field in fields {
        let path = joined(path, field.name());
        let kind = readable_type(&path, field.data_type(), spelled);
        if spelled {
            all.extend(spellings(&path).map(|it| Field::new(it.native, kind.clone(), true)));
        }
        all.push(Field::new(field.name(), kind, true));
    }
    all.into()
}

fn readable_type(path: &str, of: &DataType, spelled: bool) -> DataType {
    match of {
        DataType::Dictionary(_, values) => (**values).clone(),
        DataType::Struct(children) => DataType::Struct(readable(path, children, spelled)),
        DataType::List(item) => {
            let inner = readable_type(path, item.data_type(), spelled);
            DataType::List(Arc::new(Field::new(item.name(), inner, true)))
        }
        DataType::Timestamp(unit, _) => DataType::Timestamp(*unit, None),
        other => other.clone(),
    }
}

fn joined(path: &str, name: &str) -> String {
    match path {
        "" => name.into(),
        path => format!("{path}.{name}"),
    }
}

fn spellings(path: &str) -> impl Iterator<Item = &'static Spelling> {
    SPELLINGS.iter().filter(move |it| it.path == path)
}

/// JSON lines with each value under the schema's name.
struct Lines<R: BufRead> {
    reader: arrow_json::Reader<R>,
    schema: SchemaRef,
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = ArrowResult<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.reader.next()?;
        Some(batch.and_then(|batch| {
            let read = StructArray::from(batch);
            let columns = respelled("", &read, self.schema.fields())?;
            RecordBatch::try_new(self.schema.clone(), columns)
        }))
    }
}

impl<R: BufRead> RecordBatchReader for Lines<R> {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

/// The columns of these fields; a value under another spelling moves to its field.
fn respelled(path: &str, read: &StructArray, fields: &Fields) -> ArrowResult<Vec<ArrayRef>> {
    let columns = fields.iter().map(|field| {
        let path = joined(path, field.name());
        let Some(column) = read.column_by_name(field.name()) else {
            return Ok(new_null_array(field.data_type(), read.len()));
        };
        if let DataType::Struct(children) = field.data_type() {
            let inner = column.as_struct();
            let columns = respelled(&path, inner, children)?;
            let nulls = inner.nulls().cloned();
            let made =
                StructArray::try_new_with_length(children.clone(), columns, nulls, inner.len())?;
            return Ok(Arc::new(made) as ArrayRef);
        }
        let mut column = column.clone();
        for spelling in spellings(&path) {
            if let Some(other) = read.column_by_name(spelling.native)
                && other.null_count() < other.len()
            {
                let is_there =
                    BooleanArray::from_iter((0..other.len()).map(|i| Some(other.is_valid(i))));
                column = zip(&is_there, other, &column)?;
            }
        }
        Ok(column)
    });
    columns.collect()
}
