//! Values of a chunk that wait for their page, by physical type.

use arrow::array::{Array, ArrayRef, AsArray, BooleanBufferBuilder};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Int8Type, Int16Type, Int32Type, Int64Type, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use parquet::basic::Encoding;
use parquet::bloom_filter::Sbbf;
use parquet::errors::{ParquetError, Result};

use super::bits::{hybrid_bits, width_of};
use super::column::Source;
use super::delta::{delta_at_most, delta_binary_packed};
use super::dictionary::{Direct, Ids, IntegerPool};
use super::keys::{KeySets, Whole};
use super::levels::Selection;
use super::remap::Remaps;
use super::text::{TextValues, is_constant, is_text};

/// Values after which a chunk of new values only gives up its dictionary.
pub(super) const SAMPLE: usize = 512;

/// Whether so many of a chunk's first values are distinct that a dictionary is no help.
pub(super) fn is_varied(values: usize, distinct: usize) -> bool {
    values >= SAMPLE && distinct * 4 > values * 3
}

/// How a chunk's values are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// The first page is not full; ids wait.
    Undecided,
    Dictionary,
    Delta,
}

/// What became of values that were to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Appended {
    Done,
    /// Nothing was: the page would be too long.
    TooLong,
    /// Nothing was: the dictionary is full. The page at hand is the last that uses it.
    Full,
    /// Nothing was: there is no dictionary any more.
    Again,
}

/// Least and greatest value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bounds {
    None,
    Text(Vec<u8>, Vec<u8>),
    Integer(i64, i64),
    Boolean(bool, bool),
}

/// Memory that calls share.
#[derive(Default)]
pub(super) struct Scratch {
    pub keys: Vec<u32>,
    pub integers: Vec<i64>,
    pub ranges: Vec<(usize, usize)>,
    pub ids: Vec<u32>,
    pub sets: KeySets,
    pub tables: Vec<Direct>,
    pub remaps: Remaps,
}

/// Integers of a chunk, as the bits of their physical type widened.
pub(super) struct IntegerValues {
    pub mode: Mode,
    pub pool: IntegerPool,
    ids: Ids,
    delta: Vec<i64>,
    /// Those as the page has them, where the decision took that.
    packed: Vec<u8>,
    /// Least and greatest of what waits, in the order of their bits with those of `flip` turned.
    bounds: Option<(i64, i64)>,
    /// 32 bits wide.
    pub narrow: bool,
    /// 64 bits without a sign.
    unsigned: bool,
    limit: usize,
}

/// The selected values of an integer array, widened.
fn selected_integers<'a>(
    source: Source<'a>,
    selection: &Selection<'_>,
    scratch: &'a mut Vec<i64>,
) -> Option<&'a [i64]> {
    fn wide<'a, T: ArrowPrimitiveType<Native = i64>>(
        array: &'a ArrayRef,
        selection: &Selection<'_>,
        scratch: &'a mut Vec<i64>,
    ) -> Option<&'a [i64]> {
        Some(selection.gather(array.as_primitive_opt::<T>()?.values(), scratch))
    }
    fn narrow<'a, T: ArrowPrimitiveType>(
        array: &'a ArrayRef,
        selection: &Selection<'_>,
        scratch: &'a mut Vec<i64>,
        convert: impl Fn(T::Native) -> i64,
    ) -> Option<&'a [i64]> {
        let values = array.as_primitive_opt::<T>()?.values();
        scratch.clear();
        scratch.reserve(selection.len());
        selection.for_each(|e| scratch.push(convert(values[e])));
        Some(scratch)
    }
    let array = source.array()?;
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

fn is_integer(data_type: &DataType) -> bool {
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
    fn continues(
        &self,
        source: Source<'_>,
        selection: &Selection<'_>,
        scratch: &mut Scratch,
    ) -> bool {
        let Some(id) = self.ids.constant() else {
            return false;
        };
        selected_integers(source, selection, &mut scratch.integers).is_some_and(|values| {
            values.first() == Some(&self.pool.values[id as usize]) && is_constant(values)
        })
    }

    fn append(
        &mut self,
        source: Source<'_>,
        selection: &Selection<'_>,
        scratch: &mut Scratch,
    ) -> Result<Appended> {
        let foreign = || ParquetError::General(format!("{} is no integer", source.data_type()));
        let values =
            selected_integers(source, selection, &mut scratch.integers).ok_or_else(foreign)?;
        let Some(bounds) = bounds_of(values, 0) else {
            return Ok(Appended::Done);
        };
        let before = self.bounds;
        self.widen(values, bounds);
        if self.mode == Mode::Delta {
            self.delta.extend_from_slice(values);
            return Ok(Appended::Done);
        }
        let tables = &mut scratch.tables;
        self.pool.begin(tables);
        let (waiting, known) = (self.ids.len(), self.pool.values.len());
        if bounds.0 == bounds.1 {
            let mut one = Vec::new();
            self.pool.map(&values[..1], bounds, &mut one);
            self.ids.push_constant(one[0], values.len());
        } else {
            let sampled = match self.mode == Mode::Undecided && waiting == 0 {
                true => values.len().min(SAMPLE),
                false => values.len(),
            };
            for part in [&values[..sampled], &values[sampled..]] {
                if self.mode == Mode::Delta {
                    self.delta.extend_from_slice(part);
                    return Ok(Appended::Done);
                }
                self.pool.map(part, bounds, self.ids.mix());
                self.ids.settle();
                // Few bits make a dictionary of many values still worth it: that is seen later.
                if self.mode == Mode::Undecided
                    && is_varied(self.ids.len(), self.pool.values.len())
                    && self.pool.is_scattered()
                {
                    self.leave_dictionary(tables);
                }
            }
        }
        if self.mode == Mode::Delta || self.pool.values.len() * self.size() <= self.limit {
            return Ok(Appended::Done);
        }
        self.ids.truncate(waiting);
        self.bounds = before;
        if self.mode == Mode::Undecided {
            self.leave_dictionary(tables);
            return Ok(Appended::Again);
        }
        self.pool.end(tables);
        self.pool.truncate(known);
        Ok(Appended::Full)
    }

    fn flip(&self) -> i64 {
        if self.unsigned { i64::MIN } else { 0 }
    }

    /// Has the bounds of what waits hold more values, whose signed bounds are known.
    fn widen(&mut self, values: &[i64], signed: (i64, i64)) {
        let more = match self.unsigned {
            true => bounds_of(values, self.flip()),
            false => Some(signed),
        };
        self.bounds = match (self.bounds, more) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
    }

    fn size(&self) -> usize {
        if self.narrow { 4 } else { 8 }
    }

    fn leave_dictionary(&mut self, tables: &mut Vec<Direct>) {
        self.pool.end(tables);
        let (ids, pool) = (
            std::mem::take(&mut self.ids),
            std::mem::take(&mut self.pool),
        );
        ids.for_each(|id| self.delta.push(pool.values[id as usize]));
        self.fall_back();
    }

    fn fall_back(&mut self) {
        self.mode = Mode::Delta;
        self.ids = Ids::default();
    }

    fn decide(&mut self, scratch: &mut Scratch) {
        if self.mode != Mode::Undecided {
            return;
        }
        let distinct = self.pool.values.len();
        let width = width_of(distinct as u64 - 1).max(1);
        // Most bytes of a dictionary's integers are alike, and compress.
        let dictionary = 24 + distinct * self.size() / 3 + self.ids.len() * width / 8;
        if self.ids.constant().is_some() && self.ids.len() > 1 {
            self.mode = Mode::Dictionary;
            return;
        }
        let values = &mut scratch.integers;
        values.clear();
        values.reserve(self.ids.len());
        self.ids
            .for_each(|id| values.push(self.pool.values[id as usize]));
        self.packed.clear();
        if delta_at_most(values, self.narrow, dictionary, &mut self.packed) {
            std::mem::swap(&mut self.delta, values);
            self.pool.end(&mut scratch.tables);
            self.pool = IntegerPool::default();
            self.fall_back();
        } else {
            self.packed = Vec::new();
            self.mode = Mode::Dictionary;
        }
    }

    fn flush(&mut self, out: &mut Vec<u8>, bloom: &mut Option<Sbbf>) -> (Encoding, Bounds) {
        let flip = self.flip();
        let bounds = match self.bounds.take() {
            Some((least, greatest)) => Bounds::Integer(least ^ flip, greatest ^ flip),
            None => Bounds::None,
        };
        if self.mode == Mode::Dictionary {
            self.ids.flush(out);
            return (Encoding::RLE_DICTIONARY, bounds);
        }
        if let Some(bloom) = bloom {
            for value in &self.delta {
                insert_integer(bloom, *value, self.narrow);
            }
        }
        match self.packed.is_empty() {
            true => delta_binary_packed(&self.delta, self.narrow, out),
            false => out.append(&mut self.packed),
        }
        self.delta.clear();
        (Encoding::DELTA_BINARY_PACKED, bounds)
    }
}

/// Least and greatest of values in the order of their bits with those of `flip` turned, turned.
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

/// Booleans that wait for their page.
pub(super) struct BooleanValues {
    bits: BooleanBufferBuilder,
}

impl BooleanValues {
    fn append(&mut self, source: Source<'_>, selection: &Selection<'_>) -> Result<()> {
        let foreign = || ParquetError::General(format!("{} is no boolean", source.data_type()));
        let array = source.array().and_then(|array| array.as_boolean_opt());
        let values = array.ok_or_else(foreign)?.values();
        match selection {
            Selection::Range(offset, len) => self.bits.append_buffer(&values.slice(*offset, *len)),
            _ => selection.for_each(|e| self.bits.append(values.value(e))),
        }
        Ok(())
    }

    fn flush(&mut self, out: &mut Vec<u8>) -> (Encoding, Bounds) {
        let count = self.bits.len();
        let values = std::mem::replace(&mut self.bits, BooleanBufferBuilder::new(0)).build();
        let set = values.count_set_bits();
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        hybrid_bits(values.values(), count, out);
        let length = (out.len() - start - 4) as u32;
        out[start..start + 4].copy_from_slice(&length.to_le_bytes());
        (Encoding::RLE, Bounds::Boolean(set == count, set > 0))
    }
}

/// Values of a chunk.
pub(super) enum Values {
    /// Not yet, and in most leaves of most row groups never.
    Nothing,
    Texts(Box<TextValues>),
    Integers(Box<IntegerValues>),
    Booleans(BooleanValues),
}

/// How values of a leaf are to be written.
#[derive(Debug, Clone, Copy)]
pub(super) struct ValueOptions {
    pub dictionary: bool,
    pub dictionary_limit: usize,
    pub page_limit: usize,
}

/// Whether this module writes arrays of a type.
pub(super) fn is_supported(data_type: &DataType) -> bool {
    is_text(data_type) || is_integer(data_type) || *data_type == DataType::Boolean
}

impl Values {
    /// Of a chunk of about so many pages.
    pub(super) fn new(data_type: &DataType, options: ValueOptions, pages: usize) -> Option<Self> {
        let mode = match options.dictionary {
            true => Mode::Undecided,
            false => Mode::Delta,
        };
        if is_text(data_type) {
            return Some(Values::Texts(Box::new(TextValues::new(
                mode,
                options.dictionary_limit,
                options.page_limit,
                pages,
            ))));
        }
        if *data_type == DataType::Boolean {
            return Some(Values::Booleans(BooleanValues {
                bits: BooleanBufferBuilder::new(0),
            }));
        }
        is_integer(data_type).then(|| {
            Values::Integers(Box::new(IntegerValues {
                mode,
                pool: IntegerPool::default(),
                ids: Ids::default(),
                delta: Vec::new(),
                packed: Vec::new(),
                bounds: None,
                narrow: data_type.primitive_width().is_some_and(|w| w < 8),
                unsigned: *data_type == DataType::UInt64,
                limit: options.dictionary_limit,
            }))
        })
    }

    /// Values that wait for their page.
    pub(super) fn len(&self) -> usize {
        match self {
            Values::Nothing => 0,
            Values::Texts(texts) => texts.len(),
            Values::Integers(integers) => match integers.mode {
                Mode::Delta => integers.delta.len(),
                _ => integers.ids.len(),
            },
            Values::Booleans(booleans) => booleans.bits.len(),
        }
    }

    /// Whether those are none, or one and the same.
    pub(super) fn is_constant(&self) -> bool {
        self.len() == 0
            || match self {
                Values::Nothing => true,
                Values::Texts(texts) => texts.constant().is_some(),
                Values::Integers(integers) => integers.ids.constant().is_some(),
                Values::Booleans(_) => false,
            }
    }

    /// Whether the selected values are all the one that waits.
    pub(super) fn continues(
        &mut self,
        source: Source<'_>,
        selection: &Selection<'_>,
        scratch: &mut Scratch,
    ) -> bool {
        match self {
            Values::Nothing => false,
            Values::Texts(texts) => texts.continues(source, selection, scratch),
            Values::Integers(integers) => integers.continues(source, selection, scratch),
            Values::Booleans(_) => false,
        }
    }

    /// Adds the selected values of a column; whole, where `limited` is false and only the page's
    /// length stands against it.
    pub(super) fn append(
        &mut self,
        source: Source<'_>,
        selection: &Selection<'_>,
        limited: bool,
        scratch: &mut Scratch,
    ) -> Result<Appended> {
        match self {
            // There is none to add.
            Values::Nothing => Ok(Appended::Done),
            Values::Texts(texts) => texts.append(source, selection, limited, scratch),
            Values::Integers(integers) => integers.append(source, selection, scratch),
            Values::Booleans(booleans) => {
                booleans.append(source, selection)?;
                Ok(Appended::Done)
            }
        }
    }

    /// Pages from here on have no dictionary.
    pub(super) fn fall_back(&mut self) {
        match self {
            Values::Texts(texts) => texts.fall_back(),
            Values::Integers(integers) => integers.fall_back(),
            Values::Nothing | Values::Booleans(_) => {}
        }
    }

    /// Whether the page of the waiting values, of which there are some, has a dictionary.
    pub(super) fn decide(&mut self, scratch: &mut Scratch) -> bool {
        match self {
            Values::Texts(texts) => {
                texts.decide(&mut scratch.remaps);
                texts.mode == Mode::Dictionary
            }
            Values::Integers(integers) => {
                integers.decide(scratch);
                integers.mode == Mode::Dictionary
            }
            Values::Nothing | Values::Booleans(_) => false,
        }
    }

    /// Appends the body of a page of the waiting values, and starts anew. They must be
    /// [decided](Values::decide).
    pub(super) fn flush(
        &mut self,
        out: &mut Vec<u8>,
        bloom: &mut Option<Sbbf>,
    ) -> (Encoding, Bounds) {
        match self {
            Values::Nothing => (Encoding::PLAIN, Bounds::None),
            Values::Texts(texts) => texts.flush(out, bloom),
            Values::Integers(integers) => integers.flush(out, bloom),
            Values::Booleans(booleans) => booleans.flush(out),
        }
    }

    /// The waiting values, where they are all of a page and of one key set; their body is made
    /// elsewhere then. Whatever [waits](Values::decide) must have a dictionary.
    pub(super) fn take_whole(&mut self) -> Option<(Whole, Bounds)> {
        match self {
            Values::Texts(texts) => texts.take_whole(),
            Values::Nothing | Values::Integers(_) | Values::Booleans(_) => None,
        }
    }

    /// Hands on what the next chunk may use; no value can be added after that.
    pub(super) fn end(&mut self, scratch: &mut Scratch) {
        match self {
            Values::Texts(texts) => texts.return_remaps(&mut scratch.remaps),
            Values::Integers(integers) => integers.pool.end(&mut scratch.tables),
            Values::Nothing | Values::Booleans(_) => {}
        }
    }

    /// The dictionary's length, and its page's body.
    pub(super) fn dictionary(&mut self) -> (usize, Vec<u8>) {
        match self {
            Values::Texts(texts) => (texts.pool.len(), std::mem::take(&mut texts.pool.bytes)),
            Values::Integers(integers) => {
                let values = &integers.pool.values;
                let body = match integers.narrow {
                    true => values
                        .iter()
                        .flat_map(|v| (*v as i32).to_le_bytes())
                        .collect(),
                    false => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
                };
                (values.len(), body)
            }
            Values::Nothing | Values::Booleans(_) => (0, Vec::new()),
        }
    }

    /// Number of the dictionary's values.
    pub(super) fn dictionary_len(&self) -> usize {
        match self {
            Values::Texts(texts) => texts.pool.len(),
            Values::Integers(integers) => integers.pool.values.len(),
            Values::Nothing | Values::Booleans(_) => 0,
        }
    }

    /// Puts the dictionary's values into a bloom filter.
    pub(super) fn fill(&self, bloom: &mut Sbbf) {
        match self {
            Values::Texts(texts) => {
                for id in 0..texts.pool.len() {
                    bloom.insert(texts.pool.get(id as u32));
                }
            }
            Values::Integers(integers) => {
                for value in &integers.pool.values {
                    insert_integer(bloom, *value, integers.narrow);
                }
            }
            Values::Nothing | Values::Booleans(_) => {}
        }
    }
}
