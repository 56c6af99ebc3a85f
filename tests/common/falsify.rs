//! Changing single cells of Parquet files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, StructArray,
    TimestampMicrosecondArray,
};
use arrow_schema::DataType;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

/// A Parquet file.
pub struct File {
    pub path: PathBuf,
    pub batches: Vec<RecordBatch>,
}

impl File {
    /// The files below a directory of a corpus, in the order of their names.
    pub fn below(root: &Path, table: &str) -> Vec<File> {
        let root = root.join(table);
        super::files(&root)
            .into_iter()
            .map(|(name, bytes)| {
                let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes));
                let reader = reader.unwrap().build().unwrap();
                File {
                    path: root.join(name),
                    batches: reader.map(|batch| batch.unwrap()).collect(),
                }
            })
            .collect()
    }

    /// Writes other batches in its place.
    pub fn write(&self, batches: &[RecordBatch]) {
        let file = std::fs::File::create(&self.path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batches[0].schema(), None).unwrap();
        batches.iter().for_each(|b| writer.write(b).unwrap());
        writer.close().unwrap();
    }
}

/// A batch with one cell changed; `path` is of a leaf.
pub fn set(batch: &RecordBatch, path: &str, row: usize, value: &Value) -> RecordBatch {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let at = batch.schema().index_of(name).unwrap();
    let mut columns = batch.columns().to_vec();
    columns[at] = changed(&columns[at], rest, row, value);
    RecordBatch::try_new(batch.schema(), columns).unwrap()
}

fn changed(array: &ArrayRef, path: &str, row: usize, value: &Value) -> ArrayRef {
    match array.data_type() {
        DataType::Struct(fields) => {
            let (name, rest) = path.split_once('.').unwrap_or((path, ""));
            let (child, _) = fields.find(name).unwrap_or_else(|| panic!("no {path}"));
            let parts = array.as_struct();
            let mut columns = parts.columns().to_vec();
            columns[child] = changed(&columns[child], rest, row, value);
            Arc::new(StructArray::new(
                fields.clone(),
                columns,
                parts.nulls().cloned(),
            ))
        }
        DataType::Utf8 => {
            let old = array.as_string::<i32>();
            let texts = old.iter().enumerate();
            let new = texts.map(|(i, text)| if i == row { value.as_str() } else { text });
            Arc::new(new.collect::<StringArray>())
        }
        DataType::Int64 => {
            let numbers = array.as_primitive::<Int64Type>().iter().enumerate();
            let new = numbers.map(|(i, n)| if i == row { value.as_i64() } else { n });
            Arc::new(new.collect::<Int64Array>())
        }
        DataType::Boolean => {
            let flags = array.as_boolean().iter().enumerate();
            let new = flags.map(|(i, f)| if i == row { value.as_bool() } else { f });
            Arc::new(new.collect::<BooleanArray>())
        }
        DataType::Timestamp(_, zone) => {
            let time = value.as_str().map(|text| {
                let time = chrono::DateTime::parse_from_rfc3339(text).unwrap();
                time.timestamp_micros()
            });
            let times = array.as_primitive::<TimestampMicrosecondType>().iter();
            let new = times
                .enumerate()
                .map(|(i, t)| if i == row { time } else { t });
            let new = new.collect::<TimestampMicrosecondArray>();
            Arc::new(new.with_timezone_opt(zone.clone()))
        }
        DataType::List(field) => {
            let lists = array.as_list::<i32>();
            let mut builder = ListBuilder::new(StringBuilder::new()).with_field(field.clone());
            for i in 0..lists.len() {
                if i == row {
                    let items = value.as_array().unwrap().iter().map(Value::as_str);
                    items.for_each(|item| builder.values().append_option(item));
                    builder.append(true);
                } else if lists.is_valid(i) {
                    let items = lists.value(i);
                    items
                        .as_string::<i32>()
                        .iter()
                        .for_each(|item| builder.values().append_option(item));
                    builder.append(true);
                } else {
                    builder.append(false);
                }
            }
            Arc::new(builder.finish())
        }
        other => panic!("{path} is {other}"),
    }
}
