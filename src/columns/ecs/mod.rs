//! Columns that only the Elastic Common Schema has.
//!
//! `tables.rs` classifies records. A row of kind [`SENSOR`](crate::kinds::SENSOR) is the network sensor's
//! document and has no field of the host's own record.

mod by_name;
pub mod event;
pub mod identity;
pub mod network;
pub mod process;
pub mod related;
mod tables;
pub mod threat;
pub mod winlog;

pub use tables::EcsTables;

use std::io::Write;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, ListArray, StringArray, StructArray, new_null_array};
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Fields};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::{Column, Values, View, dictionary, own_values, packed_texts, plain_texts, text_type};
use crate::frame::{NONE, TextColumn};
use crate::kinds::Kinds;

/// Integers as decimal text: `4688`.
pub fn decimal(integers: Column) -> Column {
    written(integers, |out, value| write!(out, "{value}"))
}

/// Integers as Windows writes them in hexadecimal: `0x3e7`.
pub fn hexadecimal(integers: Column) -> Column {
    written(integers, |out, value| write!(out, "0x{value:x}"))
}

fn written(integers: Column, write: impl Fn(&mut Vec<u8>, i64) -> std::io::Result<()>) -> Column {
    let (integers, nulls) = match integers {
        Column::Packed(Values::Integers(integers), nulls) => (integers, nulls),
        other => {
            let array = other.into_array();
            let integers = array.as_primitive::<Int64Type>();
            let present = integers.iter().flatten().collect();
            (present, integers.nulls().cloned())
        }
    };
    let mut bytes = Vec::with_capacity(8 * integers.len());
    let mut offsets = Vec::with_capacity(integers.len() + 1);
    offsets.push(0);
    for integer in integers.iter() {
        // Writing to a vector cannot fail.
        let _ = write(&mut bytes, *integer);
        offsets.push(bytes.len() as i32);
    }
    Column::Packed(Values::Texts(packed_texts(bytes, offsets)), nulls)
}

/// The element of lists of plain strings.
pub fn own_item() -> Arc<Field> {
    Arc::new(Field::new("element", DataType::Utf8, false))
}

/// The element of `dns.answers`.
pub fn answer_item() -> Arc<Field> {
    let text = |name: &str| Field::new(name, text_type(), false);
    let fields = Fields::from(vec![text("data"), text("type")]);
    Arc::new(Field::new("element", DataType::Struct(fields), false))
}

/// A part of each string of a text column; null where the string has no such part.
fn parts(
    v: &View<'_>,
    kinds: Kinds,
    column: &TextColumn,
    part: impl Fn(&str) -> Option<&str>,
) -> Column {
    if v.present & kinds == 0 || column.is_empty() {
        return v.null_texts();
    }
    let values = own_values(column, None, |text| part(text).unwrap_or_default());
    non_empty(v, kinds, &values, |row| column.key(row))
}

/// Strings of a table; an empty string is null.
fn non_empty(v: &View<'_>, kinds: Kinds, values: &ArrayRef, key: impl Fn(usize) -> i32) -> Column {
    let Some(texts) = values.as_any().downcast_ref::<StringArray>() else {
        return v.null_texts();
    };
    v.texts_of(kinds, values, |row| match usize::try_from(key(row)) {
        Ok(at) if texts.value_offsets()[at] < texts.value_offsets()[at + 1] => at as i32,
        _ => NONE,
    })
}

/// Lists of plain strings. `push` appends a row's strings and their end offsets.
fn own_lists(
    v: &View<'_>,
    kinds: Kinds,
    mut push: impl FnMut(usize, &mut Vec<u8>, &mut Vec<i32>),
) -> Column {
    if v.present & kinds == 0 {
        return new_null_array(&DataType::List(own_item()), v.len()).into();
    }
    let (mut bytes, mut ends) = (Vec::new(), vec![0i32]);
    let mut offsets = Vec::with_capacity(v.len() + 1);
    offsets.push(0i32);
    let valid = BooleanBuffer::collect_bool(v.len(), |row| {
        let before = ends.len();
        if v.is(row, kinds) {
            push(row, &mut bytes, &mut ends);
        }
        offsets.push(ends.len() as i32 - 1);
        ends.len() > before
    });
    Column::of(ListArray::new(
        own_item(),
        OffsetBuffer::new(offsets.into()),
        plain_texts(bytes, ends, None),
        Some(NullBuffer::new(valid)),
    ))
}

/// The DNS answers of each row: `push` calls its argument with the data and the type of each answer, a key
/// of `types`.
fn answers(
    v: &View<'_>,
    types: &ArrayRef,
    push: impl Fn(usize, &mut dyn FnMut(&str, i32)),
) -> Column {
    let (mut data_keys, mut type_keys) = (Vec::new(), Vec::new());
    // Every text once: the encoder writes it as a dictionary.
    let mut known: HashMap<String, i32, FixedState> = HashMap::default();
    let (mut bytes, mut ends) = (Vec::new(), vec![0i32]);
    let mut offsets = Vec::with_capacity(v.len() + 1);
    offsets.push(0i32);
    let valid = BooleanBuffer::collect_bool(v.len(), |row| {
        let before = data_keys.len();
        push(row, &mut |text, kind| {
            let key = known.get(text).copied().unwrap_or_else(|| {
                let key = ends.len() as i32 - 1;
                bytes.extend_from_slice(text.as_bytes());
                ends.push(bytes.len() as i32);
                known.insert(text.to_owned(), key);
                key
            });
            data_keys.push(key);
            type_keys.push(kind);
        });
        offsets.push(data_keys.len() as i32);
        data_keys.len() > before
    });
    let data = plain_texts(bytes, ends, None);
    let item = answer_item();
    let DataType::Struct(fields) = item.data_type() else {
        return new_null_array(&DataType::List(item), v.len()).into();
    };
    let length = data_keys.len();
    let columns = vec![dictionary(&data, data_keys), dictionary(types, type_keys)];
    let items = StructArray::try_new_with_length(fields.clone(), columns, None, length);
    match items {
        Ok(items) => Column::of(ListArray::new(
            item.clone(),
            OffsetBuffer::new(offsets.into()),
            Arc::new(items),
            Some(NullBuffer::new(valid)),
        )),
        Err(_) => new_null_array(&DataType::List(item), v.len()).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::Int64Array;

    #[test]
    fn integers_become_text_and_nulls_stay() {
        let nulls = NullBuffer::from(vec![true, false, true]);
        let packed = Values::Integers(vec![999, 0].into());
        let forms = [
            Column::of(Int64Array::from(vec![Some(999), None, Some(0)])),
            Column::Packed(packed, Some(nulls)),
        ];
        let texts = |column: Column| -> Vec<Option<String>> {
            let array = column.into_array();
            let texts = array.as_string::<i32>();
            texts.iter().map(|t| t.map(String::from)).collect()
        };
        let some = |t: &str| Some(t.to_string());
        for integers in forms {
            assert_eq!(
                texts(hexadecimal(integers.clone())),
                [some("0x3e7"), None, some("0x0")]
            );
            assert_eq!(texts(decimal(integers)), [some("999"), None, some("0")]);
        }
    }
}
