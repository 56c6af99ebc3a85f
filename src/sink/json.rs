//! Rows as JSON objects: nulls left out, schema order, times as `2024-08-12T10:21:44.123456Z`.

use arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use serde_json::{Map, Value};

/// Row `row` of a batch.
pub fn row(batch: &RecordBatch, row: usize) -> Map<String, Value> {
    let mut object = Map::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if let Some(value) = value(column, row) {
            object.insert(field.name().clone(), value);
        }
    }
    object
}

fn fields(array: &StructArray, row: usize) -> Option<Value> {
    let mut object = Map::new();
    for (field, column) in array.fields().iter().zip(array.columns()) {
        if let Some(value) = value(column, row) {
            object.insert(field.name().clone(), value);
        }
    }
    // A struct of nulls is absence.
    (!object.is_empty()).then_some(Value::Object(object))
}

fn value(array: &ArrayRef, row: usize) -> Option<Value> {
    if array.is_null(row) {
        return None;
    }
    match array.data_type() {
        DataType::Struct(_) => fields(array.as_struct(), row),
        DataType::Utf8 => Some(array.as_string::<i32>().value(row).into()),
        DataType::Int64 => Some(array.as_primitive::<Int64Type>().value(row).into()),
        DataType::Boolean => Some(array.as_boolean().value(row).into()),
        DataType::Timestamp(_, _) => {
            let times = array.as_any().downcast_ref::<TimestampMicrosecondArray>()?;
            let time = chrono::DateTime::from_timestamp_micros(times.value(row))?;
            Some(time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string().into())
        }
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_dictionary::<Int32Type>();
            let values = dictionary.values().as_any().downcast_ref::<StringArray>()?;
            let key = usize::try_from(dictionary.keys().value(row)).ok()?;
            Some(values.value(key).into())
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            Some(Value::Array(
                (0..items.len()).filter_map(|i| value(&items, i)).collect(),
            ))
        }
        _ => None,
    }
}
