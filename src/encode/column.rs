//! A column as it is given: an Arrow array, or what the encoder takes out of one.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::DataType;
use parquet::errors::{ParquetError, Result};

use super::levels::{Piece, Selection};

/// A column of a batch.
///
/// Parquet stores no nulls among values: who makes a column need not leave room for them. Of an
/// Arrow array the values are gathered first.
#[derive(Debug, Clone)]
pub enum Column {
    /// As an array.
    Array(ArrayRef),
    /// Texts or binaries by key.
    Dictionary(Dictionary),
    /// 64-bit integers.
    Integers(Packed<i64>),
}

/// What the rows of a column have that have something.
#[derive(Debug, Clone)]
pub struct Packed<T: arrow::datatypes::ArrowNativeType> {
    /// Of those rows, in order.
    pub values: ScalarBuffer<T>,
    /// Which rows have one, if not all.
    pub nulls: Option<NullBuffer>,
}

/// Values by key. An Arrow array of them would have looked at every key whether it has a value; the
/// encoder sees that anyway.
#[derive(Debug, Clone)]
pub struct Dictionary {
    /// Places in `values`.
    pub keys: Packed<i32>,
    /// Texts or binaries, none of them null.
    pub values: ArrayRef,
}

impl From<ArrayRef> for Column {
    fn from(array: ArrayRef) -> Self {
        Column::Array(array)
    }
}

impl<T: arrow::datatypes::ArrowNativeType> Packed<T> {
    fn rows(&self) -> usize {
        match &self.nulls {
            Some(nulls) => nulls.len(),
            None => self.values.len(),
        }
    }

    fn check(&self) -> Result<()> {
        let Some(nulls) = &self.nulls else {
            return Ok(());
        };
        let rows = nulls.len() - nulls.null_count();
        match rows == self.values.len() {
            true => Ok(()),
            false => Err(ParquetError::General(format!(
                "{rows} rows have a value, of which there are {}",
                self.values.len()
            ))),
        }
    }
}

impl Column {
    /// Whether it is what it says.
    pub(super) fn check(&self) -> Result<()> {
        match self {
            Column::Array(_) => Ok(()),
            Column::Integers(integers) => integers.check(),
            Column::Dictionary(dictionary) => {
                if dictionary.values.null_count() > 0 {
                    let message = "a value of a dictionary is null";
                    return Err(ParquetError::General(message.into()));
                }
                dictionary.keys.check()
            }
        }
    }

    pub(super) fn source(&self) -> Source<'_> {
        match self {
            Column::Array(array) => Source::Array(array),
            Column::Dictionary(dictionary) => Source::Dictionary(dictionary),
            Column::Integers(integers) => Source::Integers(integers),
        }
    }
}

/// A borrowed column.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    Array(&'a ArrayRef),
    Dictionary(&'a Dictionary),
    Integers(&'a Packed<i64>),
}

impl<'a> Source<'a> {
    /// Rows.
    pub(super) fn len(self) -> usize {
        match self {
            Source::Array(array) => array.len(),
            Source::Dictionary(dictionary) => dictionary.keys.rows(),
            Source::Integers(integers) => integers.rows(),
        }
    }

    /// The array that it is, if it is one.
    pub(super) fn array(self) -> Option<&'a ArrayRef> {
        match self {
            Source::Array(array) => Some(array),
            Source::Dictionary(_) | Source::Integers(_) => None,
        }
    }

    pub(super) fn is_dictionary(self) -> bool {
        match self {
            Source::Array(array) => matches!(array.data_type(), DataType::Dictionary(..)),
            Source::Dictionary(_) => true,
            Source::Integers(_) => false,
        }
    }

    pub(super) fn is_of(self, data_type: &DataType) -> bool {
        match (self, data_type) {
            (Source::Array(array), _) => array.data_type() == data_type,
            (Source::Dictionary(dictionary), DataType::Dictionary(key, value)) => {
                **key == DataType::Int32 && **value == *dictionary.values.data_type()
            }
            (Source::Integers(_), DataType::Int64) => true,
            _ => false,
        }
    }

    /// Its type, to be told of.
    pub(super) fn data_type(self) -> DataType {
        match self {
            Source::Array(array) => array.data_type().clone(),
            Source::Integers(_) => DataType::Int64,
            Source::Dictionary(dictionary) => {
                let value = dictionary.values.data_type().clone();
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(value))
            }
        }
    }

    /// Validity, dictionary values included.
    pub(super) fn nulls(self) -> Option<NullBuffer> {
        match self {
            Source::Dictionary(dictionary) => dictionary.keys.nulls.clone(),
            Source::Integers(integers) => integers.nulls.clone(),
            Source::Array(array) => {
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

    /// Where the values of a piece's `selected` rows are, if not where the rows are.
    pub(super) fn packed(
        self,
        piece: &Piece<'_>,
        selected: &Selection<'_>,
    ) -> Option<Selection<'a>> {
        let nulls = match self {
            Source::Array(_) => return None,
            Source::Dictionary(dictionary) => &dictionary.keys.nulls,
            Source::Integers(integers) => &integers.nulls,
        };
        let before = match (nulls, piece) {
            (Some(nulls), Piece::Flat { offset, .. }) => {
                nulls.inner().slice(0, *offset).count_set_bits()
            }
            (None, Piece::Flat { offset, .. }) => *offset,
            // Such a column is no list's.
            (_, Piece::Nested(_)) => return None,
        };
        Some(Selection::Range(before, selected.len()))
    }
}
