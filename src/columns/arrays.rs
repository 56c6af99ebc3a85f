//! The Arrow arrays of columns: dictionaries over tables, plain strings, lists. Of a frame, this
//! file only knows the text columns.

use std::sync::Arc;

use arrow_array::types::{ArrowPrimitiveType, Int32Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, DictionaryArray, Int32Array, ListArray, PrimitiveArray, StringArray,
    new_null_array,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field};

use crate::frame::TextColumn;

/// A column of a frame. Most columns are packed: Parquet stores no nulls among the values, and a
/// column that only few rows have stays short.
#[derive(Debug, Clone)]
pub enum Column {
    /// One element per row.
    Array(ArrayRef),
    /// The values of the non-null rows in order, and the validity, if any row is null.
    Packed(Values, Option<NullBuffer>),
    /// Keys into a table of strings.
    Keyed(KeyedTexts),
}

/// Values without nulls.
#[derive(Debug, Clone)]
pub enum Values {
    Integers(ScalarBuffer<i64>),
    Texts(StringArray),
}

/// Keys into a table of strings.
#[derive(Debug, Clone)]
pub struct KeyedTexts {
    /// The keys of the non-null rows, in order.
    pub keys: ScalarBuffer<i32>,
    /// Validity, if any row is null.
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

/// Expands packed integers to one per row; null rows hold 0.
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

/// Expands packed strings to one per row; null rows hold an empty string.
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
    /// Keeps the keys of non-null rows. `keys` has one per row.
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

    /// The same keys over another table, which must be at least as long.
    pub(super) fn over(&self, table: &ArrayRef) -> Column {
        debug_assert!(self.table.len() <= table.len());
        Column::Keyed(KeyedTexts {
            table: table.clone(),
            ..self.clone()
        })
    }

    /// Calls `visit` with each non-null row and its key.
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

/// Lists of a table's strings. An empty list is null.
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

/// The Arrow type of dictionary-encoded strings.
pub fn text_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// The element of lists of dictionary-encoded strings.
pub fn list_item() -> Arc<Field> {
    Arc::new(Field::new("element", text_type(), false))
}

/// A table of strings, the values of dictionaries.
pub fn table<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(texts))
}

/// A dictionary array without nulls. The table must not be empty.
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

/// A string array without nulls.
pub(super) fn packed_texts(bytes: Vec<u8>, offsets: Vec<i32>) -> StringArray {
    let offsets = OffsetBuffer::new(offsets.into());
    StringArray::new(offsets, Buffer::from_vec(bytes), None)
}

/// Dictionary values of a text column: the known table, then the frame's own strings through `map`.
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

/// As [`own_values`], with the frame's own strings unchanged.
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

/// Bytes and offsets of a known table, with capacity for the column's own strings.
fn begin(column: &TextColumn, known: Option<&ArrayRef>) -> (Vec<u8>, Vec<i32>) {
    let known = known.and_then(|k| k.as_any().downcast_ref::<StringArray>());
    let (data, ends) = known.map_or((&[][..], &[0][..]), |k| (k.value_data(), k.value_offsets()));
    let mut bytes = Vec::with_capacity(data.len() + column.texts.len());
    let mut offsets = Vec::with_capacity(ends.len() + column.own());
    bytes.extend_from_slice(data);
    offsets.extend_from_slice(ends);
    (bytes, offsets)
}
