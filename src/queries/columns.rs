//! Columns of batches by type, as files and the generator have them: texts with or without a
//! dictionary, integers, times and dates.

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, ArrayRef, Date32Array, Int32Array, Int64Array, StringArray, TimestampMicrosecondArray,
};

/// The texts of a column.
#[derive(Debug, Clone)]
pub enum Texts {
    /// The batch has no such column: every text is null.
    Absent,
    /// Keys by row, and the dictionary.
    Keyed(Int32Array, StringArray),
    Plain(StringArray),
}

impl Texts {
    /// The texts of an array; [`Texts::Absent`] if it has other values.
    pub fn of(array: Option<&ArrayRef>) -> Self {
        let Some(array) = array else {
            return Texts::Absent;
        };
        if let Some(texts) = array.as_string_opt::<i32>() {
            return Texts::Plain(texts.clone());
        }
        let dictionary = array.as_dictionary_opt::<Int32Type>();
        let keyed =
            dictionary.and_then(|keyed| Some((keyed, keyed.values().as_string_opt::<i32>()?)));
        keyed.map_or(Texts::Absent, |(keyed, values)| {
            Texts::Keyed(keyed.keys().clone(), values.clone())
        })
    }

    /// The place of a row's text: its key in the dictionary, or the row; `None` for null.
    pub fn at(&self, row: usize) -> Option<usize> {
        match self {
            Texts::Absent => None,
            Texts::Keyed(keys, _) => keys.is_valid(row).then(|| keys.value(row) as usize),
            Texts::Plain(texts) => texts.is_valid(row).then_some(row),
        }
    }

    /// A row's text; `None` for null.
    pub fn text(&self, row: usize) -> Option<&str> {
        let at = self.at(row)?;
        match self {
            Texts::Absent => None,
            Texts::Keyed(_, texts) | Texts::Plain(texts) => Some(texts.value(at)),
        }
    }
}

/// The integers of a column: numbers, times in microseconds, or dates in days since 1970.
#[derive(Debug, Clone)]
pub enum Integers {
    /// The batch has no such column: every integer is null.
    Absent,
    Numbers(Int64Array),
    Times(TimestampMicrosecondArray),
    Dates(Date32Array),
}

impl Integers {
    /// The integers of an array; [`Integers::Absent`] if it has other values.
    pub fn of(array: Option<&ArrayRef>) -> Self {
        let Some(array) = array else {
            return Integers::Absent;
        };
        let numbers = array.as_primitive_opt::<Int64Type>().cloned();
        let times = array
            .as_primitive_opt::<TimestampMicrosecondType>()
            .cloned();
        let dates = array.as_primitive_opt::<Date32Type>().cloned();
        (numbers.map(Integers::Numbers))
            .or(times.map(Integers::Times))
            .or(dates.map(Integers::Dates))
            .unwrap_or(Integers::Absent)
    }

    /// A row's integer; `None` for null.
    pub fn get(&self, row: usize) -> Option<i64> {
        match self {
            Integers::Absent => None,
            Integers::Numbers(a) => a.is_valid(row).then(|| a.value(row)),
            Integers::Times(a) => a.is_valid(row).then(|| a.value(row)),
            Integers::Dates(a) => a.is_valid(row).then(|| a.value(row).into()),
        }
    }
}
