//! Arrow arrays of the forms that columns have: dictionaries over tables, plain texts, lists.
//! Knows no frame but its text columns.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, DictionaryArray, Int32Array, ListArray, PrimitiveArray, StringArray,
    new_null_array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Field, Int32Type, Int64Type};

use crate::frame::TextColumn;

/// A column of a frame. Most are packed, for Parquet stores no nulls among values, and what a
/// frame's few rows of some kinds have is short then.
#[derive(Debug, Clone)]
pub enum Column {
    /// One element for each row.
    Array(ArrayRef),
    /// Values of the rows that have one, in order, and which rows those are, if not all.
    Packed(Values, Option<NullBuffer>),
    /// Texts of a table by key.
    Keyed(KeyedTexts),
}

/// Values without nulls.
#[derive(Debug, Clone)]
pub enum Values {
    Integers(ScalarBuffer<i64>),
    Texts(StringArray),
}

/// Texts of a table by key.
#[derive(Debug, Clone)]
pub struct KeyedTexts {
    /// Places in the table, of the rows that have a text, in order.
    pub keys: ScalarBuffer<i32>,
    /// Which rows have one, if not all.
    pub nulls: Option<NullBuffer>,
    pub table: ArrayRef,
}

impl From<ArrayRef> for Column {
    fn from(array: ArrayRef) -> Self {
        Column::Array(array)
    }
}

impl Column {
    pub(super) fn of(array: impl Array + 'static) -> Self {
        Column::Array(Arc::new(array))
    }

    /// The column as an Arrow array.
    pub fn into_array(self) -> ArrayRef {
        match self {
            Column::Array(array) => array,
            Column::Packed(Values::Integers(values), nulls) => {
                Arc::new(spread::<Int64Type>(&values, nulls))
            }
            Column::Packed(Values::Texts(texts), None) => Arc::new(texts),
            Column::Packed(Values::Texts(texts), Some(nulls)) => {
                Arc::new(spread_texts(&texts, nulls))
            }
            Column::Keyed(texts) => texts.into_array(),
        }
    }
}

/// Packed integers with zeroes where there is none.
fn spread<T: ArrowPrimitiveType>(
    values: &ScalarBuffer<T::Native>,
    nulls: Option<NullBuffer>,
) -> PrimitiveArray<T> {
    let Some(nulls) = nulls else {
        return PrimitiveArray::new(values.clone(), None);
    };
    let mut all = vec![T::Native::default(); nulls.len()];
    for (row, value) in nulls.valid_indices().zip(values) {
        all[row] = *value;
    }
    PrimitiveArray::new(all.into(), Some(nulls))
}

/// Packed texts with empty ones where there is none.
fn spread_texts(texts: &StringArray, nulls: NullBuffer) -> StringArray {
    let mut ends = texts.value_offsets().iter().copied();
    let mut end = ends.next().unwrap_or(0);
    let mut offsets = Vec::with_capacity(nulls.len() + 1);
    offsets.push(end);
    for valid in &nulls {
        if valid {
            end = ends.next().unwrap_or(end);
        }
        offsets.push(end);
    }
    let offsets = OffsetBuffer::new(offsets.into());
    StringArray::new(offsets, texts.values().clone(), Some(nulls))
}

impl KeyedTexts {
    /// Of keys by row, those that stand in rows that are not null.
    pub(super) fn of(
        keys: &ScalarBuffer<i32>,
        nulls: Option<NullBuffer>,
        table: &ArrayRef,
    ) -> Self {
        let nulls = nulls.filter(|nulls| nulls.null_count() > 0);
        let keys = match &nulls {
            None => keys.clone(),
            Some(nulls) => nulls.valid_indices().map(|row| keys[row]).collect(),
        };
        let table = table.clone();
        KeyedTexts { keys, nulls, table }
    }

    /// The same keys of another table, which is no shorter.
    pub(super) fn over(&self, table: &ArrayRef) -> Column {
        debug_assert!(self.table.len() <= table.len());
        Column::Keyed(KeyedTexts {
            table: table.clone(),
            ..self.clone()
        })
    }

    /// Visits each row that has a text, with its key.
    pub(super) fn for_each(&self, mut visit: impl FnMut(usize, i32)) {
        let keys = self.keys.iter();
        match &self.nulls {
            None => keys.enumerate().for_each(|(row, key)| visit(row, *key)),
            Some(nulls) => keys
                .zip(nulls.valid_indices())
                .for_each(|(key, row)| visit(row, *key)),
        }
    }

    fn into_array(self) -> ArrayRef {
        let keys = spread::<Int32Type>(&self.keys, self.nulls);
        Arc::new(DictionaryArray::new(keys, self.table))
    }
}

/// Lists of a table's texts, null where they are empty.
pub(super) fn lists(values: &ArrayRef, keys: Vec<i32>, offsets: Vec<i32>) -> ArrayRef {
    let valid =
        BooleanBuffer::collect_bool(offsets.len() - 1, |row| offsets[row] < offsets[row + 1]);
    let items = match values.is_empty() {
        true => new_null_array(&text_type(), keys.len()),
        false => dictionary(values, keys),
    };
    Arc::new(ListArray::new(
        list_item(),
        OffsetBuffer::new(offsets.into()),
        items,
        Some(NullBuffer::new(valid)),
    ))
}

/// The type of dictionary texts.
pub fn text_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// The element of every list of texts.
pub fn list_item() -> Arc<Field> {
    Arc::new(Field::new("element", text_type(), false))
}

/// A table of texts.
pub fn table<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(texts))
}

/// A dictionary array without nulls over a table that is not empty.
pub(super) fn dictionary(values: &ArrayRef, keys: Vec<i32>) -> ArrayRef {
    let keys = Int32Array::new(keys.into(), None);
    Arc::new(DictionaryArray::new(keys, values.clone()))
}

pub(super) fn plain_texts(
    bytes: Vec<u8>,
    offsets: Vec<i32>,
    nulls: Option<NullBuffer>,
) -> ArrayRef {
    let offsets = OffsetBuffer::new(offsets.into());
    Arc::new(StringArray::new(offsets, Buffer::from_vec(bytes), nulls))
}

/// Texts without nulls.
pub(super) fn packed_texts(bytes: Vec<u8>, offsets: Vec<i32>) -> StringArray {
    let offsets = OffsetBuffer::new(offsets.into());
    StringArray::new(offsets, Buffer::from_vec(bytes), None)
}

/// Values of a frame's text column: the known table, then the frame's own, each through `map`.
pub(super) fn own_values(
    column: &TextColumn,
    known: Option<&ArrayRef>,
    map: impl Fn(&str) -> &str,
) -> ArrayRef {
    if let (0, Some(known)) = (column.own(), known) {
        return known.clone();
    }
    let (mut bytes, mut offsets) = begin(column, known);
    for text in column.own_texts() {
        bytes.extend_from_slice(map(text).as_bytes());
        offsets.push(bytes.len() as i32);
    }
    plain_texts(bytes, offsets, None)
}

/// The same, with the texts as they are.
pub(super) fn own_texts(column: &TextColumn, known: Option<&ArrayRef>) -> ArrayRef {
    if let (0, Some(known)) = (column.own(), known) {
        return known.clone();
    }
    let (mut bytes, mut offsets) = begin(column, known);
    let before = bytes.len() as i32;
    bytes.extend_from_slice(column.texts.as_bytes());
    offsets.extend(column.offsets[1..].iter().map(|end| before + end));
    plain_texts(bytes, offsets, None)
}

/// The bytes and offsets of a known table, with room for a column's own texts.
fn begin(column: &TextColumn, known: Option<&ArrayRef>) -> (Vec<u8>, Vec<i32>) {
    let known = known.and_then(|k| k.as_any().downcast_ref::<StringArray>());
    let (data, ends) = known.map_or((&[][..], &[0][..]), |k| (k.value_data(), k.value_offsets()));
    let mut bytes = Vec::with_capacity(data.len() + column.texts.len());
    let mut offsets = Vec::with_capacity(ends.len() + column.own());
    bytes.extend_from_slice(data);
    offsets.extend_from_slice(ends);
    (bytes, offsets)
}
