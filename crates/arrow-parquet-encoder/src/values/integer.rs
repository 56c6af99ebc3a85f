//! Integers, dates and timestamps of a chunk.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};
use parquet::basic::Encoding;
use parquet::bloom_filter::Sbbf;
use parquet::errors::Result;

use super::scratch::Scratch;
use crate::bits::{all_equal, width_of};
use crate::bounds::{Bounds, sign_flip};
use crate::column::ColumnRef;
use crate::delta::{delta_at_most, delta_binary_packed};
use crate::dictionary::IntegerDictionary;
use crate::id_table::IdTable;
use crate::mode::{AppendOutcome, EncodingMode, SAMPLE, is_varied};
use crate::page_ids::PageIds;
use crate::selection::ValueSelection;

/// The dictionary of a chunk of integers, and the values of its current page. Values are those of
/// the physical type, widened to 64 bits.
pub(crate) struct IntegerValues {
    mode: EncodingMode,
    dictionary: IntegerDictionary,
    /// The page's values, unless the mode is `Delta`.
    ids: PageIds,
    /// The page's values in the mode `Delta`.
    delta: Vec<i64>,
    /// `delta` encoded, if choosing the mode has done that already.
    encoded: Vec<u8>,
    /// Minimum and maximum of the page's values, each XORed with `flip`.
    bounds: Option<(i64, i64)>,
    /// Whether the physical type has 32 bits.
    narrow: bool,
    /// See [`sign_flip`].
    flip: i64,
    /// The number of dictionary bytes after which the dictionary ends.
    limit: usize,
}

/// The selected values of an integer array, widened to 64 bits; `None` for another type.
fn selected_integers<'a>(
    column: ColumnRef<'a>,
    selection: &ValueSelection<'_>,
    scratch: &'a mut Vec<i64>,
) -> Option<&'a [i64]> {
    fn wide<'a, T: ArrowPrimitiveType<Native = i64>>(
        array: &'a ArrayRef,
        selection: &ValueSelection<'_>,
        scratch: &'a mut Vec<i64>,
    ) -> Option<&'a [i64]> {
        Some(selection.gather(array.as_primitive_opt::<T>()?.values(), scratch))
    }
    fn narrow<'a, T: ArrowPrimitiveType>(
        array: &'a ArrayRef,
        selection: &ValueSelection<'_>,
        scratch: &'a mut Vec<i64>,
        convert: impl Fn(T::Native) -> i64,
    ) -> Option<&'a [i64]> {
        let values = array.as_primitive_opt::<T>()?.values();
        scratch.clear();
        scratch.reserve(selection.len());
        selection.for_each(|e| scratch.push(convert(values[e])));
        Some(scratch)
    }
    let array = column.array()?;
    match array.data_type() {
        DataType::Int64 => wide::<Int64Type>(array, selection, scratch),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            wide::<TimestampMillisecondType>(array, selection, scratch)
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            wide::<TimestampMicrosecondType>(array, selection, scratch)
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            wide::<TimestampNanosecondType>(array, selection, scratch)
        }
        DataType::UInt64 => narrow::<UInt64Type>(array, selection, scratch, |v| v as i64),
        DataType::Int8 => narrow::<Int8Type>(array, selection, scratch, i64::from),
        DataType::Int16 => narrow::<Int16Type>(array, selection, scratch, i64::from),
        DataType::Int32 => narrow::<Int32Type>(array, selection, scratch, i64::from),
        DataType::Date32 => narrow::<Date32Type>(array, selection, scratch, i64::from),
        DataType::UInt8 => narrow::<UInt8Type>(array, selection, scratch, i64::from),
        DataType::UInt16 => narrow::<UInt16Type>(array, selection, scratch, i64::from),
        DataType::UInt32 => narrow::<UInt32Type>(array, selection, scratch, i64::from),
        _ => None,
    }
}

/// Whether [`IntegerValues`] takes arrays of a type.
pub(super) fn is_integer(data_type: &DataType) -> bool {
    use DataType as T;
    match data_type {
        T::Timestamp(unit, _) => *unit != TimeUnit::Second,
        other => {
            matches!(other, T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::Date32)
                || other.is_unsigned_integer()
        }
    }
}

impl IntegerValues {
    pub(super) fn new(mode: EncodingMode, data_type: &DataType, limit: usize) -> Self {
        IntegerValues {
            mode,
            dictionary: IntegerDictionary::default(),
            ids: PageIds::default(),
            delta: Vec::new(),
            encoded: Vec::new(),
            bounds: None,
            narrow: data_type.primitive_width().is_some_and(|w| w < 8),
            flip: sign_flip(data_type),
            limit,
        }
    }

    /// The number of values on the page.
    pub(super) fn len(&self) -> usize {
        match self.mode {
            EncodingMode::Delta => self.delta.len(),
            _ => self.ids.len(),
        }
    }

    /// Whether the page's values are known to be equal.
    pub(super) fn is_constant(&self) -> bool {
        self.ids.constant().is_some()
    }

    /// The width of a value in bytes.
    pub(crate) fn width(&self) -> usize {
        if self.narrow { 4 } else { 8 }
    }

    /// Whether the selected values all equal the one value of the page.
    pub(super) fn continues(
        &self,
        column: ColumnRef<'_>,
        selection: &ValueSelection<'_>,
        scratch: &mut Scratch,
    ) -> bool {
        let Some(id) = self.ids.constant() else {
            return false;
        };
        selected_integers(column, selection, &mut scratch.integers).is_some_and(|values| {
            values.first() == Some(&self.dictionary.values[id as usize]) && all_equal(values)
        })
    }

    /// Appends the selected values to the page.
    pub(super) fn append(
        &mut self,
        column: ColumnRef<'_>,
        selection: &ValueSelection<'_>,
        scratch: &mut Scratch,
    ) -> Result<AppendOutcome> {
        let values = selected_integers(column, selection, &mut scratch.integers)
            .ok_or_else(|| column.wrong_type("an integer"))?;
        let Some(bounds) = bounds_of(values, 0) else {
            return Ok(AppendOutcome::Done);
        };
        let bounds_before = self.bounds;
        self.widen_bounds(values, bounds);
        if self.mode == EncodingMode::Delta {
            self.delta.extend_from_slice(values);
            return Ok(AppendOutcome::Done);
        }
        let tables = &mut scratch.tables;
        self.dictionary.begin(tables);
        let (len_before, dictionary_before) = (self.ids.len(), self.dictionary.values.len());
        self.append_ids(values, bounds, tables);
        if self.mode == EncodingMode::Delta || self.dictionary_bytes() <= self.limit {
            return Ok(AppendOutcome::Done);
        }
        self.ids.truncate(len_before);
        self.bounds = bounds_before;
        if self.mode == EncodingMode::Undecided {
            self.leave_dictionary(tables);
            return Ok(AppendOutcome::Retry);
        }
        self.dictionary.end(tables);
        self.dictionary.truncate(dictionary_before);
        Ok(AppendOutcome::DictionaryFull)
    }

    /// Appends the ids of `values`, whose signed minimum and maximum are `bounds`. Leaves the
    /// dictionary if the chunk's first values are mostly distinct.
    fn append_ids(&mut self, values: &[i64], bounds: (i64, i64), tables: &mut Vec<IdTable>) {
        if bounds.0 == bounds.1 {
            let mut id = Vec::new();
            self.dictionary.map(&values[..1], bounds, &mut id);
            self.ids.push_constant(id[0], values.len());
            return;
        }
        let sampled = match self.mode == EncodingMode::Undecided && self.ids.len() == 0 {
            true => values.len().min(SAMPLE),
            false => values.len(),
        };
        for part in [&values[..sampled], &values[sampled..]] {
            if self.mode == EncodingMode::Delta {
                self.delta.extend_from_slice(part);
                return;
            }
            let dictionary = &mut self.dictionary;
            self.ids
                .append_with(|ids| dictionary.map(part, bounds, ids));
            // A dictionary of many small values can still pay: `decide` finds out.
            if self.mode == EncodingMode::Undecided
                && is_varied(self.ids.len(), self.dictionary.values.len())
                && self.dictionary.is_scattered()
            {
                self.leave_dictionary(tables);
            }
        }
    }

    /// Extends the page's bounds by `values`, whose signed bounds are known.
    fn widen_bounds(&mut self, values: &[i64], signed: (i64, i64)) {
        let more = match self.flip {
            0 => Some(signed),
            flip => bounds_of(values, flip),
        };
        self.bounds = match (self.bounds, more) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
    }

    /// Gives up the dictionary, which no page has used.
    fn leave_dictionary(&mut self, tables: &mut Vec<IdTable>) {
        self.dictionary.end(tables);
        let ids = std::mem::take(&mut self.ids);
        let dictionary = std::mem::take(&mut self.dictionary);
        ids.for_each(|id| self.delta.push(dictionary.values[id as usize]));
        self.fall_back();
    }

    /// Ends the dictionary: this page and later ones don't use it.
    pub(super) fn fall_back(&mut self) {
        self.mode = EncodingMode::Delta;
        self.ids = PageIds::default();
    }

    /// Decides, at the end of the first page, whether the chunk has a dictionary. Returns whether
    /// it has one.
    pub(super) fn decide(&mut self, scratch: &mut Scratch) -> bool {
        if self.mode == EncodingMode::Undecided {
            match self.ids.len() > 1 && self.is_constant() {
                true => self.mode = EncodingMode::Dictionary,
                false => self.choose_mode(scratch),
            }
        }
        self.mode == EncodingMode::Dictionary
    }

    /// Compares the sizes of the page with and without a dictionary.
    fn choose_mode(&mut self, scratch: &mut Scratch) {
        let distinct = self.dictionary.values.len();
        let width = width_of(distinct as u64 - 1).max(1);
        // Most bytes of a dictionary's integers are equal, and compress.
        let dictionary = 24 + distinct * self.width() / 3 + self.ids.len() * width / 8;
        let values = &mut scratch.integers;
        values.clear();
        values.reserve(self.ids.len());
        self.ids
            .for_each(|id| values.push(self.dictionary.values[id as usize]));
        self.encoded.clear();
        if delta_at_most(values, self.narrow, dictionary, &mut self.encoded) {
            std::mem::swap(&mut self.delta, values);
            self.dictionary.end(&mut scratch.tables);
            self.dictionary = IntegerDictionary::default();
            self.fall_back();
        } else {
            self.encoded = Vec::new();
            self.mode = EncodingMode::Dictionary;
        }
    }

    /// Appends the body of the page, and empties the page.
    pub(super) fn flush(
        &mut self,
        out: &mut Vec<u8>,
        bloom: &mut Option<Sbbf>,
    ) -> (Encoding, Bounds) {
        let flip = self.flip;
        let bounds = match self.bounds.take() {
            Some((min, max)) => Bounds::Integer(min ^ flip, max ^ flip),
            None => Bounds::None,
        };
        if self.mode == EncodingMode::Dictionary {
            self.ids.flush(out);
            return (Encoding::RLE_DICTIONARY, bounds);
        }
        if let Some(bloom) = bloom {
            for value in &self.delta {
                insert_integer(bloom, *value, self.narrow);
            }
        }
        match self.encoded.is_empty() {
            true => delta_binary_packed(&self.delta, self.narrow, out),
            false => out.append(&mut self.encoded),
        }
        self.delta.clear();
        (Encoding::DELTA_BINARY_PACKED, bounds)
    }

    /// Passes the dictionary's table on to later chunks. No value can be added after that.
    pub(super) fn end(&mut self, tables: &mut Vec<IdTable>) {
        self.dictionary.end(tables);
    }

    /// The number of values in the dictionary.
    pub(super) fn dictionary_len(&self) -> usize {
        self.dictionary.values.len()
    }

    fn dictionary_bytes(&self) -> usize {
        self.dictionary_len() * self.width()
    }

    /// The body of the dictionary page.
    pub(super) fn dictionary_page(&self) -> Vec<u8> {
        let values = self.dictionary.values.iter();
        match self.narrow {
            true => values.flat_map(|v| (*v as i32).to_le_bytes()).collect(),
            false => values.flat_map(|v| v.to_le_bytes()).collect(),
        }
    }

    /// Inserts the dictionary's values into a Bloom filter.
    pub(super) fn fill_bloom_filter(&self, bloom: &mut Sbbf) {
        for value in &self.dictionary.values {
            insert_integer(bloom, *value, self.narrow);
        }
    }
}

/// The minimum and maximum of `v ^ flip` over the values.
fn bounds_of(values: &[i64], flip: i64) -> Option<(i64, i64)> {
    let (first, rest) = values.split_first()?;
    Some(rest.iter().fold((first ^ flip, first ^ flip), |(l, g), v| {
        (l.min(v ^ flip), g.max(v ^ flip))
    }))
}

fn insert_integer(bloom: &mut Sbbf, value: i64, narrow: bool) {
    match narrow {
        true => bloom.insert(&(value as i32)),
        false => bloom.insert(&value),
    }
}
