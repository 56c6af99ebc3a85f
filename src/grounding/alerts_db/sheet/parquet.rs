//! Parquet files of alerts. Struct fields are columns named by their path.

use std::borrow::Cow;
use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, ArrayRef, StructArray};
use arrow_cast::cast::cast;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{DataType, Schema, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::{Each, Sheet, SheetFormat};
use crate::error::{Error, Result};
use crate::grounding::alerts_db::columns::Layout;
use crate::grounding::alerts_db::value::Value;

const BATCH: usize = 4_096;

fn damaged(path: &Path, source: &dyn std::fmt::Display) -> Error {
    Error::input(
        path,
        None,
        format!("cannot be read as Parquet: {source}"),
        "write it again, or copy it again if it was cut off",
    )
}

fn builder(path: &Path) -> Result<ParquetRecordBatchReaderBuilder<File>> {
    let file = File::open(path).map_err(|source| Error::io(path, "read", source))?;
    ParquetRecordBatchReaderBuilder::try_new(file).map_err(|source| damaged(path, &source))
}

/// Path and root column of every leaf; a list is a leaf.
fn leaves(schema: &Schema) -> Vec<(String, usize)> {
    fn add(path: String, root: usize, kind: &DataType, out: &mut Vec<(String, usize)>) {
        match kind {
            DataType::Struct(fields) => {
                for field in fields {
                    add(
                        format!("{path}.{}", field.name()),
                        root,
                        field.data_type(),
                        out,
                    );
                }
            }
            _ => out.push((path, root)),
        }
    }
    let mut out = Vec::new();
    for (root, field) in schema.fields().iter().enumerate() {
        add(field.name().clone(), root, field.data_type(), &mut out);
    }
    out
}

pub(super) fn open(path: &Path) -> Result<Sheet> {
    let columns = leaves(builder(path)?.schema());
    let columns = columns.into_iter().map(|(name, _)| name).collect();
    Ok(Sheet::of_file(
        path,
        columns,
        Layout::Plain,
        SheetFormat::Parquet,
    ))
}

/// Cells of one column of a batch.
enum Cells<'b> {
    Integers(&'b arrow_array::Int64Array),
    Reals(&'b arrow_array::Float64Array),
    Texts(&'b arrow_array::StringArray),
    Others(&'b dyn Array, ArrayFormatter<'b>),
}

impl Cells<'_> {
    fn at(&self, row: usize) -> Value<'_> {
        match self {
            Cells::Integers(array) if array.is_valid(row) => Value::Integer(array.value(row)),
            Cells::Reals(array) if array.is_valid(row) => Value::Real(array.value(row)),
            Cells::Texts(array) if array.is_valid(row) => {
                Value::Text(Cow::Borrowed(array.value(row)))
            }
            Cells::Others(array, format) if array.is_valid(row) => format
                .value(row)
                .try_to_string()
                .map_or(Value::Null, |text| Value::Text(Cow::Owned(text))),
            _ => Value::Null,
        }
    }
}

/// The leaf at a path below a column. Fields of a null struct are null.
fn leaf(array: &ArrayRef, path: &[&str]) -> Option<ArrayRef> {
    let Some((name, rest)) = path.split_first() else {
        return Some(array.clone());
    };
    let structs: &StructArray = array.as_struct_opt()?;
    let child = structs.column_by_name(name)?;
    let child = match structs.nulls() {
        // Where the struct is null, the field is null.
        Some(nulls) => {
            let is_null = arrow_array::BooleanArray::new(!nulls.inner(), None);
            arrow_select::nullif::nullif(child, &is_null).ok()?
        }
        None => child.clone(),
    };
    leaf(&child, rest)
}

/// Converts integers, floats, times (as microseconds) and strings.
fn simplified(array: &ArrayRef) -> ArrayRef {
    let kind = match array.data_type() {
        DataType::Dictionary(_, value) => value.as_ref(),
        kind => kind,
    };
    let target = match kind {
        kind if kind.is_integer() => DataType::Int64,
        kind if kind.is_floating() => DataType::Float64,
        DataType::Decimal128(..) | DataType::Decimal256(..) => DataType::Float64,
        DataType::Timestamp(_, _) => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        _ => return array.clone(),
    };
    let Ok(simple) = cast(array, &target) else {
        return array.clone();
    };
    match simple.data_type() {
        DataType::Timestamp(..) => cast(&simple, &DataType::Int64).unwrap_or(simple),
        _ => simple,
    }
}

pub(super) fn visit(sheet: &Sheet, wanted: &[usize], each: Each<'_>) -> Result<()> {
    let path = &sheet.path;
    let builder = builder(path)?;
    let all = leaves(builder.schema());
    let chosen: Vec<&(String, usize)> = wanted.iter().filter_map(|&at| all.get(at)).collect();
    let names: Vec<String> = builder
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), chosen.iter().map(|it| it.1));
    let reader = builder
        .with_projection(mask)
        .with_batch_size(BATCH)
        .build()
        .map_err(|source| damaged(path, &source))?;
    for batch in reader {
        let batch = batch.map_err(|source| damaged(path, &source))?;
        let arrays: Vec<Option<ArrayRef>> = chosen
            .iter()
            .map(|(name, root)| {
                let root = names.get(*root)?;
                let below = name.get(root.len()..)?.trim_start_matches('.');
                let path: Vec<&str> = match below {
                    "" => Vec::new(),
                    below => below.split('.').collect(),
                };
                leaf(batch.column_by_name(root)?, &path).map(|array| simplified(&array))
            })
            .collect();
        let options = FormatOptions::default();
        let cells: Vec<Option<Cells<'_>>> = arrays
            .iter()
            .map(|array| {
                let array = array.as_ref()?;
                Some(match array.data_type() {
                    DataType::Int64 => Cells::Integers(array.as_primitive::<Int64Type>()),
                    DataType::Float64 => Cells::Reals(array.as_primitive::<Float64Type>()),
                    DataType::Utf8 => Cells::Texts(array.as_string::<i32>()),
                    _ => Cells::Others(
                        array.as_ref(),
                        ArrayFormatter::try_new(array.as_ref(), &options).ok()?,
                    ),
                })
            })
            .collect();
        for row in 0..batch.num_rows() {
            let row: Vec<Value<'_>> = cells
                .iter()
                .map(|cells| cells.as_ref().map_or(Value::Null, |cells| cells.at(row)))
                .collect();
            if !each(&row) {
                return Ok(());
            }
        }
    }
    Ok(())
}
