//! The forms in which a column's values are given: an Arrow array, or values without nulls.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_schema::DataType;
use parquet::errors::{ParquetError, Result};

use crate::rows::LeafRows;
use crate::selection::ValueSelection;

/// The values of one column, for [`RowGroupWriter::write_leaves`](crate::RowGroupWriter::write_leaves).
///
/// Arrow arrays have an element for each row, null or not. Parquet stores only the values. The
/// packed forms have no elements for nulls, so neither the caller nor the encoder spends time on
/// them: a column that is null in 99 of 100 rows costs a hundredth.
#[derive(Debug, Clone)]
pub enum ColumnData {
    /// One element for each row.
    Array(ArrayRef),
    /// One element for each row that isn't null; not for lists.
    Packed {
        /// The values of the non-null rows, in row order, without nulls.
        values: ArrayRef,
        /// The validity of each row; `None` if no row is null.
        nulls: Option<NullBuffer>,
    },
    /// Strings or binary values by key.
    PackedDictionary(PackedDictionary),
}

/// A dictionary column with a key for each row that isn't null.
///
/// Building an Arrow `DictionaryArray` checks every key. This form doesn't: the encoder checks the
/// keys when it reads them.
#[derive(Debug, Clone)]
pub struct PackedDictionary {
    /// Indices into `values` for the non-null rows, in row order.
    pub keys: ScalarBuffer<i32>,
    /// The validity of each row; `None` if no row is null.
    pub nulls: Option<NullBuffer>,
    /// A string or binary array without nulls. It may have duplicates and unused values.
    pub values: ArrayRef,
}

impl From<ArrayRef> for ColumnData {
    fn from(array: ArrayRef) -> Self {
        ColumnData::Array(array)
    }
}

impl ColumnData {
    /// Checks that packed values have no nulls, and that there are as many as non-null rows.
    pub(crate) fn check(&self) -> Result<()> {
        let (count, nulls, values) = match self {
            ColumnData::Array(_) => return Ok(()),
            ColumnData::Packed { values, nulls } => (values.len(), nulls, values),
            ColumnData::PackedDictionary(d) => (d.keys.len(), &d.nulls, &d.values),
        };
        if values.logical_null_count() > 0 {
            return Err(ParquetError::General("packed values contain a null".into()));
        }
        let rows = match nulls {
            Some(nulls) => nulls.len() - nulls.null_count(),
            None => count,
        };
        match rows == count {
            true => Ok(()),
            false => Err(ParquetError::General(format!(
                "a packed column has {count} values for {rows} non-null rows"
            ))),
        }
    }

    pub(crate) fn as_ref(&self) -> ColumnRef<'_> {
        match self {
            ColumnData::Array(array) => ColumnRef::Array(array),
            ColumnData::Packed { values, nulls } => ColumnRef::Packed(values, nulls.as_ref()),
            ColumnData::PackedDictionary(dictionary) => ColumnRef::PackedDictionary(dictionary),
        }
    }
}

/// A borrowed [`ColumnData`].
#[derive(Clone, Copy)]
pub(crate) enum ColumnRef<'a> {
    Array(&'a ArrayRef),
    Packed(&'a ArrayRef, Option<&'a NullBuffer>),
    PackedDictionary(&'a PackedDictionary),
}

impl<'a> ColumnRef<'a> {
    /// The number of rows.
    pub(crate) fn len(self) -> usize {
        let (values, nulls) = match self {
            ColumnRef::Array(array) => (array.len(), None),
            ColumnRef::Packed(values, nulls) => (values.len(), nulls),
            ColumnRef::PackedDictionary(d) => (d.keys.len(), d.nulls.as_ref()),
        };
        nulls.map_or(values, NullBuffer::len)
    }

    /// The array of elements or packed values; `None` for a packed dictionary.
    pub(crate) fn array(self) -> Option<&'a ArrayRef> {
        match self {
            ColumnRef::Array(array) | ColumnRef::Packed(array, _) => Some(array),
            ColumnRef::PackedDictionary(_) => None,
        }
    }

    pub(crate) fn is_dictionary(self) -> bool {
        match self.array() {
            Some(array) => matches!(array.data_type(), DataType::Dictionary(..)),
            None => true,
        }
    }

    pub(crate) fn has_type(self, data_type: &DataType) -> bool {
        match (self, data_type) {
            (ColumnRef::Array(array) | ColumnRef::Packed(array, _), _) => {
                array.data_type() == data_type
            }
            (ColumnRef::PackedDictionary(dictionary), DataType::Dictionary(key, value)) => {
                **key == DataType::Int32 && **value == *dictionary.values.data_type()
            }
            (ColumnRef::PackedDictionary(_), _) => false,
        }
    }

    /// The type, for error messages.
    pub(crate) fn data_type(self) -> DataType {
        match self {
            ColumnRef::Array(array) | ColumnRef::Packed(array, _) => array.data_type().clone(),
            ColumnRef::PackedDictionary(dictionary) => {
                let value = dictionary.values.data_type().clone();
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(value))
            }
        }
    }

    /// The error for a column that isn't `expected`.
    pub(crate) fn wrong_type(self, expected: &str) -> ParquetError {
        ParquetError::General(format!("{} where {expected} is expected", self.data_type()))
    }

    /// The validity of each row, with null dictionary values counted as null; `None` if no row is
    /// null.
    pub(crate) fn nulls(self) -> Option<NullBuffer> {
        match self {
            ColumnRef::Packed(_, nulls) => nulls.cloned(),
            ColumnRef::PackedDictionary(dictionary) => dictionary.nulls.clone(),
            ColumnRef::Array(array) => {
                let has_null_values = array
                    .as_any_dictionary_opt()
                    .is_some_and(|d| d.values().null_count() > 0);
                match has_null_values {
                    true => array.logical_nulls(),
                    false => array.nulls().cloned(),
                }
            }
        }
        .filter(|n| n.null_count() > 0)
    }

    /// The packed values of `rows`, where only the rows `selected` have one. `None` for an array: it
    /// has one element per row.
    pub(crate) fn packed_values(
        self,
        rows: &LeafRows<'_>,
        selected: &ValueSelection<'_>,
    ) -> Option<ValueSelection<'a>> {
        let nulls = match self {
            ColumnRef::Array(_) => return None,
            ColumnRef::Packed(_, nulls) => nulls,
            ColumnRef::PackedDictionary(dictionary) => dictionary.nulls.as_ref(),
        };
        let before = match (nulls, rows) {
            (Some(nulls), LeafRows::Flat { offset, .. }) => {
                nulls.inner().slice(0, *offset).count_set_bits()
            }
            (None, LeafRows::Flat { offset, .. }) => *offset,
            // Leaves under lists are never packed.
            (_, LeafRows::Nested(_)) => return None,
        };
        Some(ValueSelection::Range(before, selected.len()))
    }
}
