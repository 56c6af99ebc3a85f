//! A column as it is given: an Arrow array, or what the encoder takes out of one.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::DataType;
use parquet::errors::{ParquetError, Result};

use super::levels::{Piece, Selection};

/// A column of a batch.
///
/// Parquet stores no nulls among values: who makes a column need not leave room for them, which
/// the encoder would only pass over.
#[derive(Debug, Clone)]
pub enum Column {
    /// One element for each row.
    Array(ArrayRef),
    /// Elements of only the rows that have one, in order, none of them null; no lists.
    Packed {
        /// The elements.
        values: ArrayRef,
        /// Which rows have one, if not all.
        nulls: Option<NullBuffer>,
    },
    /// Texts or binaries by key.
    Dictionary(Dictionary),
}

/// Values by key, of only the rows that have one. An Arrow array of them would have looked at every
/// key whether it has a value; the encoder sees that anyway.
#[derive(Debug, Clone)]
pub struct Dictionary {
    /// Places in `values`, in order of the rows.
    pub keys: ScalarBuffer<i32>,
    /// Which rows have one, if not all.
    pub nulls: Option<NullBuffer>,
    /// Texts or binaries, none of them null.
    pub values: ArrayRef,
}

impl From<ArrayRef> for Column {
    fn from(array: ArrayRef) -> Self {
        Column::Array(array)
    }
}

/// Whether so many values are those of the rows that have one.
fn check(values: usize, nulls: Option<&NullBuffer>) -> Result<()> {
    let rows = nulls.map_or(values, |nulls| nulls.len() - nulls.null_count());
    match rows == values {
        true => Ok(()),
        false => Err(ParquetError::General(format!(
            "{rows} rows have a value, of which there are {values}"
        ))),
    }
}

impl Column {
    /// Whether it is what it says.
    pub(super) fn check(&self) -> Result<()> {
        let (count, nulls, values) = match self {
            Column::Array(_) => return Ok(()),
            Column::Packed { values, nulls } => (values.len(), nulls, values),
            Column::Dictionary(d) => (d.keys.len(), &d.nulls, &d.values),
        };
        if values.logical_null_count() > 0 {
            return Err(ParquetError::General(
                "a value among packed ones is null".into(),
            ));
        }
        check(count, nulls.as_ref())
    }

    pub(super) fn source(&self) -> Source<'_> {
        match self {
            Column::Array(array) => Source::Array(array),
            Column::Packed { values, nulls } => Source::Packed(values, nulls.as_ref()),
            Column::Dictionary(dictionary) => Source::Dictionary(dictionary),
        }
    }
}

/// A borrowed column.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    Array(&'a ArrayRef),
    Packed(&'a ArrayRef, Option<&'a NullBuffer>),
    Dictionary(&'a Dictionary),
}

impl<'a> Source<'a> {
    /// Rows.
    pub(super) fn len(self) -> usize {
        let (values, nulls) = match self {
            Source::Array(array) => (array.len(), None),
            Source::Packed(values, nulls) => (values.len(), nulls),
            Source::Dictionary(dictionary) => (dictionary.keys.len(), dictionary.nulls.as_ref()),
        };
        nulls.map_or(values, NullBuffer::len)
    }

    /// The array that its values are, if they are one.
    pub(super) fn array(self) -> Option<&'a ArrayRef> {
        match self {
            Source::Array(array) | Source::Packed(array, _) => Some(array),
            Source::Dictionary(_) => None,
        }
    }

    pub(super) fn is_dictionary(self) -> bool {
        match self.array() {
            Some(array) => matches!(array.data_type(), DataType::Dictionary(..)),
            None => true,
        }
    }

    pub(super) fn is_of(self, data_type: &DataType) -> bool {
        match (self, data_type) {
            (Source::Array(array) | Source::Packed(array, _), _) => array.data_type() == data_type,
            (Source::Dictionary(dictionary), DataType::Dictionary(key, value)) => {
                **key == DataType::Int32 && **value == *dictionary.values.data_type()
            }
            (Source::Dictionary(_), _) => false,
        }
    }

    /// Its type, to be told of.
    pub(super) fn data_type(self) -> DataType {
        match self {
            Source::Array(array) | Source::Packed(array, _) => array.data_type().clone(),
            Source::Dictionary(dictionary) => {
                let value = dictionary.values.data_type().clone();
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(value))
            }
        }
    }

    /// Validity, dictionary values included.
    pub(super) fn nulls(self) -> Option<NullBuffer> {
        match self {
            Source::Packed(_, nulls) => nulls.cloned(),
            Source::Dictionary(dictionary) => dictionary.nulls.clone(),
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
            Source::Packed(_, nulls) => nulls,
            Source::Dictionary(dictionary) => dictionary.nulls.as_ref(),
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
