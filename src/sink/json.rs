//! Rows as JSON objects: fields in the schema's order, without nulls, times as
//! `2024-08-12T10:21:44.123456Z`.
//!
//! Names that differ only in case share one leaf, because query engines ignore case in names. JSON
//! does not, so each record gets its own spelling ([`SPELLINGS`]).

use std::io::Write;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray, StructArray,
    TimestampMicrosecondArray,
};
use arrow_schema::DataType;
use chrono::{Datelike, Timelike};
use serde_json::{Map, Value};

use crate::schema::{EVENT_ID, SPELLINGS, Spelling, leaf};

/// Row `row` of a batch as a JSON object.
pub fn row(batch: &RecordBatch, row: usize) -> Map<String, Value> {
    let mut text = Vec::new();
    Lines::new(batch).write(row, &mut text);
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Writes the rows of a batch as JSON objects.
pub struct Lines<'b> {
    members: Vec<Member<'b>>,
    event_id: Option<TypedArray<'b>>,
}

/// A member of a JSON object.
struct Member<'b> {
    /// `"name":`
    key: Vec<u8>,
    /// Keys that records of some event ids have instead.
    spellings: Vec<(&'static Spelling, Vec<u8>)>,
    array: TypedArray<'b>,
}

/// An Arrow array by its type.
enum TypedArray<'b> {
    Struct(Vec<Member<'b>>),
    Text(&'b StringArray),
    Dictionary(&'b Int32Array, &'b StringArray),
    Integer(&'b Int64Array),
    Boolean(&'b BooleanArray),
    Time(&'b TimestampMicrosecondArray),
    /// Offsets, the list itself, its items.
    List(&'b [i32], &'b ArrayRef, Box<TypedArray<'b>>),
    /// A type that no schema has; not written.
    Unsupported,
}

fn quoted(name: &str) -> Vec<u8> {
    let mut key = Vec::new();
    text(name, &mut key);
    key.push(b':');
    key
}

fn text(value: &str, out: &mut Vec<u8>) {
    // Writing to a vector cannot fail.
    let _ = serde_json::to_writer(out, value);
}

impl<'b> Member<'b> {
    fn new(path: &str, name: &str, array: &'b ArrayRef) -> Self {
        let path = match path {
            "" => name.to_string(),
            _ => format!("{path}.{name}"),
        };
        Member {
            key: quoted(name),
            spellings: SPELLINGS
                .iter()
                .filter(|s| s.path == path)
                .map(|s| (s, quoted(s.native)))
                .collect(),
            array: TypedArray::new(&path, array),
        }
    }
}

impl<'b> TypedArray<'b> {
    fn new(path: &str, array: &'b ArrayRef) -> Self {
        match array.data_type() {
            DataType::Struct(_) => TypedArray::Struct(members(path, array.as_struct())),
            DataType::Utf8 => TypedArray::Text(array.as_string()),
            DataType::Int64 => TypedArray::Integer(array.as_primitive::<Int64Type>()),
            DataType::Boolean => TypedArray::Boolean(array.as_boolean()),
            DataType::Timestamp(_, _) => array
                .as_any()
                .downcast_ref()
                .map_or(TypedArray::Unsupported, TypedArray::Time),
            DataType::Dictionary(_, _) => {
                let dictionary = array.as_dictionary::<Int32Type>();
                match dictionary.values().as_any().downcast_ref() {
                    Some(values) => TypedArray::Dictionary(dictionary.keys(), values),
                    None => TypedArray::Unsupported,
                }
            }
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                let items = TypedArray::new(path, list.values());
                TypedArray::List(list.value_offsets(), array, Box::new(items))
            }
            _ => TypedArray::Unsupported,
        }
    }

    /// Writes the value of a row; false, and nothing written, if it has none.
    fn write(&self, row: usize, event_id: Option<i64>, out: &mut Vec<u8>) -> bool {
        match self {
            TypedArray::Struct(members) => return write_object(members, row, event_id, out),
            TypedArray::Text(array) if array.is_valid(row) => text(array.value(row), out),
            TypedArray::Dictionary(keys, values) if keys.is_valid(row) => {
                let Some(key) = usize::try_from(keys.value(row)).ok() else {
                    return false;
                };
                text(values.value(key), out);
            }
            TypedArray::Integer(array) if array.is_valid(row) => {
                let _ = write!(out, "{}", array.value(row));
            }
            TypedArray::Boolean(array) if array.is_valid(row) => {
                out.extend_from_slice(if array.value(row) { b"true" } else { b"false" });
            }
            TypedArray::Time(array) if array.is_valid(row) => return time(array.value(row), out),
            TypedArray::List(offsets, array, items) if array.is_valid(row) => {
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

    /// The value of a row as a number, which may be stored as text.
    fn number(&self, row: usize) -> Option<i64> {
        match self {
            TypedArray::Integer(array) if array.is_valid(row) => Some(array.value(row)),
            TypedArray::Text(array) if array.is_valid(row) => array.value(row).parse().ok(),
            TypedArray::Dictionary(keys, values) if keys.is_valid(row) => {
                let key = usize::try_from(keys.value(row)).ok()?;
                values.value(key).parse().ok()
            }
            _ => None,
        }
    }
}

fn members<'b>(path: &str, array: &'b StructArray) -> Vec<Member<'b>> {
    array
        .fields()
        .iter()
        .zip(array.columns())
        .map(|(field, column)| Member::new(path, field.name(), column))
        .collect()
}

/// Writes the members that have a value as an object; false, and nothing written, if none has.
fn write_object(
    members: &[Member<'_>],
    row: usize,
    event_id: Option<i64>,
    out: &mut Vec<u8>,
) -> bool {
    let start = out.len();
    out.push(b'{');
    for member in members {
        let before = out.len();
        let native = member
            .spellings
            .iter()
            .find(|(s, _)| event_id.is_some_and(|id| s.event_ids.contains(&id)));
        out.extend_from_slice(native.map_or(&member.key, |(_, key)| key));
        match member.array.write(row, event_id, out) {
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
        let members = schema
            .fields()
            .iter()
            .zip(batch.columns())
            .map(|(field, column)| Member::new("", field.name(), column))
            .collect();
        let event_id = leaf(batch, EVENT_ID).map(|array| TypedArray::new(EVENT_ID, array));
        Lines { members, event_id }
    }

    /// Appends row `row` as an object, without a line feed.
    pub fn write(&self, row: usize, out: &mut Vec<u8>) {
        let event_id = self.event_id.as_ref().and_then(|c| c.number(row));
        if !write_object(&self.members, row, event_id, out) {
            out.extend_from_slice(b"{}");
        }
    }
}
