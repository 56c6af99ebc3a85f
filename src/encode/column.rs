//! A column as it is given: an Arrow array, or a dictionary's parts.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, PrimitiveArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Int32Type};
use parquet::errors::{ParquetError, Result};

/// A column of a batch.
#[derive(Debug, Clone)]
pub enum Column {
    /// As an array.
    Array(ArrayRef),
    /// As what a dictionary array would be made of.
    Dictionary(Dictionary),
}

/// A dictionary array's parts. To make one, Arrow looks at every key whether it has a value; the
/// encoder sees that anyway.
#[derive(Debug, Clone)]
pub struct Dictionary {
    /// By row: the place of its value. What stands in a null row means nothing.
    pub keys: ScalarBuffer<i32>,
    /// Which rows have a value, if not all.
    pub nulls: Option<NullBuffer>,
    /// Texts or binaries.
    pub values: ArrayRef,
}

impl From<ArrayRef> for Column {
    fn from(array: ArrayRef) -> Self {
        Column::Array(array)
    }
}

impl Column {
    /// The same, so that the encoder can read it: a dictionary with null values is an array.
    pub(super) fn checked(self) -> Result<Self> {
        let Column::Dictionary(dictionary) = &self else {
            return Ok(self);
        };
        let Dictionary {
            keys,
            nulls,
            values,
        } = dictionary;
        if let Some(nulls) = nulls.as_ref().filter(|nulls| nulls.len() != keys.len()) {
            return Err(ParquetError::General(format!(
                "a dictionary of {} keys has nulls for {}",
                keys.len(),
                nulls.len()
            )));
        }
        if values.null_count() == 0 {
            return Ok(self);
        }
        let keys = PrimitiveArray::<Int32Type>::try_new(keys.clone(), nulls.clone())?;
        let array = DictionaryArray::try_new(keys, values.clone())?;
        Ok(Column::Array(Arc::new(array)))
    }

    pub(super) fn source(&self) -> Source<'_> {
        match self {
            Column::Array(array) => Source::Array(array),
            Column::Dictionary(dictionary) => Source::Dictionary(dictionary),
        }
    }
}

/// A borrowed column.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    Array(&'a ArrayRef),
    Dictionary(&'a Dictionary),
}

impl<'a> Source<'a> {
    pub(super) fn len(self) -> usize {
        match self {
            Source::Array(array) => array.len(),
            Source::Dictionary(dictionary) => dictionary.keys.len(),
        }
    }

    /// The array that it is, if it is one.
    pub(super) fn array(self) -> Option<&'a ArrayRef> {
        match self {
            Source::Array(array) => Some(array),
            Source::Dictionary(_) => None,
        }
    }

    pub(super) fn is_dictionary(self) -> bool {
        match self {
            Source::Array(array) => matches!(array.data_type(), DataType::Dictionary(..)),
            Source::Dictionary(_) => true,
        }
    }

    pub(super) fn is_of(self, data_type: &DataType) -> bool {
        match (self, data_type) {
            (Source::Array(array), _) => array.data_type() == data_type,
            (Source::Dictionary(dictionary), DataType::Dictionary(key, value)) => {
                **key == DataType::Int32 && **value == *dictionary.values.data_type()
            }
            (Source::Dictionary(_), _) => false,
        }
    }

    /// Its type, to be told of.
    pub(super) fn data_type(self) -> DataType {
        match self {
            Source::Array(array) => array.data_type().clone(),
            Source::Dictionary(dictionary) => {
                let value = dictionary.values.data_type().clone();
                DataType::Dictionary(Box::new(DataType::Int32), Box::new(value))
            }
        }
    }

    /// Validity, dictionary values included.
    pub(super) fn nulls(self) -> Option<NullBuffer> {
        match self {
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
}
