//! Columns of a corpus's Parquet files, a batch at a time.
//!
//! Only the wanted columns are decoded, and texts may stay dictionaries: then counting
//! them is counting keys. Knows files and columns, not what they mean.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::datatypes::{
    DataType, Date32Type, Field, FieldRef, Fields, Int32Type, Int64Type, Schema,
    TimestampMicrosecondType,
};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
    RowFilter,
};
use parquet::file::statistics::Statistics;

use crate::error::{Error, Result};
use crate::schema::leaf;

/// Rows of a batch.
const BATCH: usize = 64 * 1024;

/// How a file is read.
#[derive(Debug, Default, Clone, Copy)]
pub struct Read<'r> {
    /// Paths of the wanted leaves; those that the file doesn't have are left out.
    pub columns: &'r [&'r str],
    /// Whether texts come as dictionaries.
    pub dictionaries: bool,
    /// Only rows whose integer of this path is one of these.
    pub only: Option<(&'r str, &'r BTreeSet<i64>)>,
}

/// Reads a file batch by batch.
///
/// # Errors
/// There is none, or it is broken.
pub fn read(path: &Path, how: Read<'_>, mut each: impl FnMut(&Batch) -> Result<()>) -> Result<()> {
    let broken = |problem: String| {
        Error::input(
            path,
            None,
            format!("this is no whole Parquet file: {problem}"),
            "make the corpus again, or copy it again",
        )
    };
    let file = File::open(path).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::input(
            path,
            None,
            "the plan lists this file, and it isn't there",
            "run the same fusiongen generate again; it makes what is missing",
        ),
        _ => Error::io(path, "open", e),
    })?;
    let failed = |e: parquet::errors::ParquetError| broken(e.to_string());
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let mut metadata = ArrowReaderMetadata::load(&file, options).map_err(failed)?;
    if how.dictionaries {
        let fields = metadata.schema().fields().iter().map(with_dictionaries);
        let schema = Schema::new(fields.collect::<Fields>());
        let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
        metadata =
            ArrowReaderMetadata::try_new(metadata.metadata().clone(), options).map_err(failed)?;
    }
    let mut builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
    let mask = ProjectionMask::columns(builder.parquet_schema(), how.columns.iter().copied());
    if let Some((column, values)) = how.only {
        let groups = groups_with(&builder, column, values);
        if groups.is_empty() {
            return Ok(());
        }
        let filter = filter(&builder, column, values.clone());
        builder = builder.with_row_groups(groups).with_row_filter(filter);
    }
    let reader = builder
        .with_projection(mask)
        .with_batch_size(BATCH)
        .build()
        .map_err(failed)?;
    for batch in reader {
        each(&Batch(batch.map_err(|e| broken(e.to_string()))?))?;
    }
    Ok(())
}

/// The field, with dictionaries for texts.
fn with_dictionaries(field: &FieldRef) -> FieldRef {
    let kind = match field.data_type() {
        DataType::Utf8 => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
        DataType::Struct(fields) => {
            DataType::Struct(fields.iter().map(with_dictionaries).collect())
        }
        DataType::List(item) => DataType::List(with_dictionaries(item)),
        other => other.clone(),
    };
    Arc::new(Field::new(field.name(), kind, field.is_nullable()))
}

type Builder = ParquetRecordBatchReaderBuilder<File>;

/// Row groups that can hold one of the values.
fn groups_with(builder: &Builder, column: &str, values: &BTreeSet<i64>) -> Vec<usize> {
    let (Some(&least), Some(&most)) = (values.first(), values.last()) else {
        return Vec::new();
    };
    let columns = builder.parquet_schema().columns();
    let Some(index) = columns.iter().position(|c| c.path().string() == column) else {
        return Vec::new();
    };
    let groups = builder.metadata().row_groups().iter().enumerate();
    let can_hold = groups.filter(|(_, group)| match group.column(index).statistics() {
        Some(Statistics::Int64(bounds)) => {
            let (low, high) = (bounds.min_opt(), bounds.max_opt());
            let low = *low.unwrap_or(&least).max(&least);
            let high = *high.unwrap_or(&most).min(&most);
            low <= high && values.range(low..=high).next().is_some()
        }
        _ => true,
    });
    can_hold.map(|(index, _)| index).collect()
}

/// Lets rows through whose integer is one of the values.
fn filter(builder: &Builder, column: &str, values: BTreeSet<i64>) -> RowFilter {
    let mask = ProjectionMask::columns(builder.parquet_schema(), [column]);
    let path = column.to_string();
    let predicate = ArrowPredicateFn::new(mask, move |batch| {
        let batch = Batch(batch);
        let rows = 0..batch.rows();
        let found = batch.column(&path);
        let numbers = found
            .as_ref()
            .and_then(|c| c.as_primitive_opt::<Int64Type>());
        Ok(match numbers {
            Some(numbers) => rows
                .map(|row| Some(numbers.is_valid(row) && values.contains(&numbers.value(row))))
                .collect(),
            None => BooleanArray::from(vec![false; rows.len()]),
        })
    });
    RowFilter::new(vec![Box::new(predicate)])
}

/// A batch of rows, asked by path.
pub struct Batch(RecordBatch);

impl Batch {
    /// How many rows.
    pub fn rows(&self) -> usize {
        self.0.num_rows()
    }

    /// The array at a path: `event.kind`.
    pub fn column(&self, path: &str) -> Option<ArrayRef> {
        leaf(&self.0, path).cloned()
    }

    /// A text that is there. The file was read without dictionaries.
    pub fn text(&self, path: &str, row: usize) -> Option<String> {
        let array = self.column(path)?;
        let texts = array.as_string_opt::<i32>()?;
        texts.is_valid(row).then(|| texts.value(row).to_string())
    }

    /// An integer, a time in microseconds or a date in days, that is there.
    pub fn integer(&self, path: &str, row: usize) -> Option<i64> {
        let array = self.column(path)?;
        if array.is_null(row) {
            return None;
        }
        let number = array.as_primitive_opt::<Int64Type>().map(|a| a.value(row));
        let time = || {
            array
                .as_primitive_opt::<TimestampMicrosecondType>()
                .map(|a| a.value(row))
        };
        let date = || {
            array
                .as_primitive_opt::<Date32Type>()
                .map(|a| a.value(row).into())
        };
        number.or_else(time).or_else(date)
    }
}

/// A column of texts as keys. The file was read with dictionaries.
pub struct Keys<'k> {
    keys: &'k arrow::array::PrimitiveArray<Int32Type>,
    values: &'k StringArray,
}

impl<'k> Keys<'k> {
    /// The keys of a text column.
    pub fn of(array: &'k ArrayRef) -> Option<Self> {
        let dictionary = array.as_dictionary_opt::<Int32Type>()?;
        Some(Keys {
            keys: dictionary.keys(),
            values: dictionary.values().as_string_opt::<i32>()?,
        })
    }

    /// The key of a row; `None` for null.
    pub fn key(&self, row: usize) -> Option<usize> {
        self.keys
            .is_valid(row)
            .then(|| self.keys.value(row) as usize)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// The text of a key.
    pub fn text(&self, key: usize) -> &'k str {
        self.values.value(key)
    }

    /// Key of a text, where it is one.
    pub fn find(&self, text: &str) -> Option<usize> {
        self.values.iter().position(|value| value == Some(text))
    }
}
