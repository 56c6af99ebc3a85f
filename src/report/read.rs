//! Reads columns of a corpus's Parquet files in batches.
//!
//! Only the requested columns are decoded, and strings can remain dictionaries, so that counting
//! them is counting keys. This module does not interpret columns.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowPredicateFn, ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
    RowFilter,
};
use parquet::file::statistics::Statistics;

use crate::corpus::Corpus;
use crate::error::{Error, Result};
use crate::schema::leaf;

/// Rows per batch.
const BATCH: usize = 64 * 1024;

/// What to read from a file.
#[derive(Debug, Default, Clone, Copy)]
pub struct Read<'r> {
    /// Paths of the leaves to read; leaves that the file lacks are left out.
    pub columns: &'r [&'r str],
    /// Whether strings are read as dictionaries.
    pub dictionaries: bool,
    /// Only rows whose integer at this path is one of these.
    pub only: Option<(&'r str, &'r BTreeSet<i64>)>,
}

/// Reads a file batch by batch.
///
/// # Errors
/// The file is missing or damaged.
pub fn read(
    corpus: &Corpus,
    file: &str,
    how: Read<'_>,
    mut each: impl FnMut(&Batch) -> Result<()>,
) -> Result<()> {
    let broken = |problem: String| {
        Error::input(
            &corpus.root.join(file),
            None,
            format!("this is not a complete Parquet file: {problem}"),
            "generate the corpus again, or copy it again",
        )
    };
    let file = corpus.open_planned(file)?;
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
        let (groups, values) = groups_with(&builder, column, values);
        if groups.is_empty() {
            return Ok(());
        }
        let filter = filter(&builder, column, values);
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

/// The field, with dictionaries for strings.
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

/// Row groups that can contain some of the values, and these values: of many thousands, a file has few.
fn groups_with(
    builder: &Builder,
    column: &str,
    values: &BTreeSet<i64>,
) -> (Vec<usize>, BTreeSet<i64>) {
    let mut found = (Vec::new(), BTreeSet::new());
    let columns = builder.parquet_schema().columns();
    let Some(index) = columns.iter().position(|c| c.path().string() == column) else {
        return found;
    };
    for (at, group) in builder.metadata().row_groups().iter().enumerate() {
        let (low, high) = match group.column(index).statistics() {
            Some(Statistics::Int64(bounds)) => (bounds.min_opt(), bounds.max_opt()),
            _ => (None, None),
        };
        let low = low.copied().unwrap_or(i64::MIN);
        let high = high.copied().unwrap_or(i64::MAX);
        let mut held = values.range(low..=high.max(low)).peekable();
        if held.peek().is_some() {
            found.0.push(at);
            found.1.extend(held);
        }
    }
    found
}

/// Selects rows whose integer is one of the values.
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

/// A batch of rows, with access by path.
pub struct Batch(RecordBatch);

impl Batch {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.0.num_rows()
    }

    /// The array at a path: `event.kind`.
    pub fn column(&self, path: &str) -> Option<ArrayRef> {
        leaf(&self.0, path).cloned()
    }

    /// A non-null string. The file must be read without dictionaries.
    pub fn text(&self, path: &str, row: usize) -> Option<String> {
        let array = self.column(path)?;
        let texts = array.as_string_opt::<i32>()?;
        texts.is_valid(row).then(|| texts.value(row).to_string())
    }

    /// A non-null integer, time in microseconds or date in days.
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

/// The keys of a string column. The file must be read with dictionaries.
pub struct Keys<'k> {
    keys: &'k arrow_array::PrimitiveArray<Int32Type>,
    values: &'k StringArray,
}

impl<'k> Keys<'k> {
    /// The keys of a string column.
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

    /// Number of distinct keys.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// The string of a key.
    pub fn text(&self, key: usize) -> &'k str {
        self.values.value(key)
    }

    /// The key of a string, if the dictionary has it.
    pub fn find(&self, text: &str) -> Option<usize> {
        self.values.iter().position(|value| value == Some(text))
    }
}

/// Adds the rows of a batch by two string columns; a null counts as an empty string. `None`, and
/// nothing added, if a column is missing. The file must be read with dictionaries.
pub fn add_pairs(
    batch: &Batch,
    columns: [&str; 2],
    into: &mut BTreeMap<(String, String), u64>,
) -> Option<()> {
    let [left, right] = columns.map(|path| batch.column(path));
    let (left, right) = (left?, right?);
    let (left, right) = (Keys::of(&left)?, Keys::of(&right)?);
    let wide = right.len() + 1;
    let mut counts = vec![0; (left.len() + 1) * wide];
    for row in 0..batch.rows() {
        let l = left.key(row).unwrap_or(left.len());
        let r = right.key(row).unwrap_or(right.len());
        counts[l * wide + r] += 1;
    }
    let word = |keys: &Keys<'_>, key: usize| match key < keys.len() {
        true => keys.text(key).to_string(),
        false => String::new(),
    };
    for (at, count) in counts.into_iter().enumerate().filter(|(_, n)| *n > 0) {
        let pair = (word(&left, at / wide), word(&right, at % wide));
        *into.entry(pair).or_default() += count;
    }
    Some(())
}
