//! Rows as JSON objects: nulls left out, schema order, times as `2024-08-12T10:21:44.123456Z`.
//!
//! Names that differ only in case share one leaf, because engines demand it; JSON
//! doesn't, and so writes each record's own spelling.

use std::io::Write;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray,
    StructArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use chrono::{Datelike, Timelike};
use serde_json::{Map, Value};

use crate::schema::{EVENT_ID, SPELLINGS, Spelling, leaf};

/// Row `row` of a batch, as a tree.
pub fn row(batch: &RecordBatch, row: usize) -> Map<String, Value> {
    let mut text = Vec::new();
    Lines::new(batch).write(row, &mut text);
    serde_json::from_slice(&text).unwrap_or_default()
}

/// A batch as lines of JSON.
pub struct Lines<'b> {
    fields: Vec<Named<'b>>,
    event_id: Option<Column<'b>>,
}

/// A field with its name as it is written: `"name":`.
struct Named<'b> {
    key: Vec<u8>,
    /// Other spellings by event id.
    spellings: Vec<(&'static Spelling, Vec<u8>)>,
    column: Column<'b>,
}

enum Column<'b> {
    Struct(Vec<Named<'b>>),
    Text(&'b StringArray),
    Dictionary(&'b Int32Array, &'b StringArray),
    Integer(&'b Int64Array),
    Boolean(&'b BooleanArray),
    Time(&'b TimestampMicrosecondArray),
    List(&'b [i32], &'b ArrayRef, Box<Column<'b>>),
    /// Of a type that no schema has.
    Nothing,
}

fn quoted(name: &str) -> Vec<u8> {
    let mut key = Vec::new();
    text(name, &mut key);
    key.push(b':');
    key
}

fn text(value: &str, out: &mut Vec<u8>) {
    // Writing to memory doesn't fail.
    let _ = serde_json::to_writer(out, value);
}

impl<'b> Named<'b> {
    fn new(path: &str, name: &str, array: &'b ArrayRef) -> Self {
        let path = match path {
            "" => name.to_string(),
            _ => format!("{path}.{name}"),
        };
        Named {
            key: quoted(name),
            spellings: SPELLINGS
                .iter()
                .filter(|s| s.path == path)
                .map(|s| (s, quoted(s.native)))
                .collect(),
            column: Column::new(&path, array),
        }
    }
}

impl<'b> Column<'b> {
    fn new(path: &str, array: &'b ArrayRef) -> Self {
        match array.data_type() {
            DataType::Struct(_) => Column::Struct(fields(path, array.as_struct())),
            DataType::Utf8 => Column::Text(array.as_string()),
            DataType::Int64 => Column::Integer(array.as_primitive::<Int64Type>()),
            DataType::Boolean => Column::Boolean(array.as_boolean()),
            DataType::Timestamp(_, _) => array
                .as_any()
                .downcast_ref()
                .map_or(Column::Nothing, Column::Time),
            DataType::Dictionary(_, _) => {
                let dictionary = array.as_dictionary::<Int32Type>();
                match dictionary.values().as_any().downcast_ref() {
                    Some(values) => Column::Dictionary(dictionary.keys(), values),
                    None => Column::Nothing,
                }
            }
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                let items = Column::new(path, list.values());
                Column::List(list.value_offsets(), array, Box::new(items))
            }
            _ => Column::Nothing,
        }
    }

    /// Writes the value of a row, if there is one.
    fn write(&self, row: usize, event_id: Option<i64>, out: &mut Vec<u8>) -> bool {
        match self {
            Column::Struct(fields) => return write_fields(fields, row, event_id, out),
            Column::Text(array) if array.is_valid(row) => text(array.value(row), out),
            Column::Dictionary(keys, values) if keys.is_valid(row) => {
                let Some(key) = usize::try_from(keys.value(row)).ok() else {
                    return false;
                };
                text(values.value(key), out);
            }
            Column::Integer(array) if array.is_valid(row) => {
                let _ = write!(out, "{}", array.value(row));
            }
            Column::Boolean(array) if array.is_valid(row) => {
                out.extend_from_slice(if array.value(row) { b"true" } else { b"false" });
            }
            Column::Time(array) if array.is_valid(row) => return time(array.value(row), out),
            Column::List(offsets, array, items) if array.is_valid(row) => {
                out.push(b'[');
                for item in offsets[row]..offsets[row + 1] {
                    if item > offsets[row] {
                        out.push(b',');
                    }
                    items.write(item as usize, event_id, out);
                }
                out.push(b']');
            }
            _ => return false,
        }
        true
    }

    /// The value of a row as a number, be it text or not.
    fn number(&self, row: usize) -> Option<i64> {
        match self {
            Column::Integer(array) if array.is_valid(row) => Some(array.value(row)),
            Column::Text(array) if array.is_valid(row) => array.value(row).parse().ok(),
            Column::Dictionary(keys, values) if keys.is_valid(row) => {
                let key = usize::try_from(keys.value(row)).ok()?;
                values.value(key).parse().ok()
            }
            _ => None,
        }
    }
}

fn fields<'b>(path: &str, array: &'b StructArray) -> Vec<Named<'b>> {
    array
        .fields()
        .iter()
        .zip(array.columns())
        .map(|(field, column)| Named::new(path, field.name(), column))
        .collect()
}

/// Writes the fields that have a value as an object; a struct of nulls is absence.
fn write_fields(
    fields: &[Named<'_>],
    row: usize,
    event_id: Option<i64>,
    out: &mut Vec<u8>,
) -> bool {
    let start = out.len();
    out.push(b'{');
    for field in fields {
        let before = out.len();
        let native = field
            .spellings
            .iter()
            .find(|(s, _)| event_id.is_some_and(|id| s.event_ids.contains(&id)));
        out.extend_from_slice(native.map_or(&field.key, |(_, key)| key));
        match field.column.write(row, event_id, out) {
            true => out.push(b','),
            false => out.truncate(before),
        }
    }
    if out.len() == start + 1 {
        out.truncate(start);
        return false;
    }
    if let Some(last) = out.last_mut() {
        *last = b'}';
    }
    true
}

fn time(micros: i64, out: &mut Vec<u8>) -> bool {
    let Some(t) = chrono::DateTime::from_timestamp_micros(micros) else {
        return false;
    };
    let _ = write!(
        out,
        "\"{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z\"",
        t.year(),
        t.month(),
        t.day(),
        t.hour(),
        t.minute(),
        t.second(),
        t.timestamp_subsec_micros()
    );
    true
}

impl<'b> Lines<'b> {
    /// Prepares a batch.
    pub fn new(batch: &'b RecordBatch) -> Self {
        let schema = batch.schema_ref();
        let fields = schema
            .fields()
            .iter()
            .zip(batch.columns())
            .map(|(field, column)| Named::new("", field.name(), column))
            .collect();
        let event_id = leaf(batch, EVENT_ID).map(|array| Column::new(EVENT_ID, array));
        Lines { fields, event_id }
    }

    /// Appends row `row` as an object, without the line's end.
    pub fn write(&self, row: usize, out: &mut Vec<u8>) {
        let event_id = self.event_id.as_ref().and_then(|c| c.number(row));
        if !write_fields(&self.fields, row, event_id, out) {
            out.extend_from_slice(b"{}");
        }
    }
}
