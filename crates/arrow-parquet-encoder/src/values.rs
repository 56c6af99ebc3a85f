//! Values of a chunk, by physical type: its dictionary, and its current page.

mod boolean;
mod byte_array;
mod delta_page;
mod integer;
mod scratch;

use arrow_schema::DataType;
use parquet::basic::Encoding;
use parquet::bloom_filter::Sbbf;
use parquet::errors::Result;

use crate::bounds::Bounds;
use crate::column::ColumnRef;
use crate::keys::MappedKeySet;
use crate::mode::{AppendOutcome, EncodingMode};
use crate::selection::ValueSelection;
use boolean::BooleanValues;
use byte_array::{ByteArrayValues, Limits, is_byte_array};
use integer::{IntegerValues, is_integer};
pub(crate) use scratch::Scratch;

/// The values of a chunk.
pub(crate) enum ChunkValues {
    /// There has been no value yet. Most leaves of most row groups never have one.
    Empty,
    ByteArrays(Box<ByteArrayValues>),
    Integers(Box<IntegerValues>),
    Booleans(BooleanValues),
}

/// What the writer properties say about a leaf's values.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ValueOptions {
    /// Whether the leaf may have a dictionary.
    pub dictionary: bool,
    /// Limits in bytes.
    pub dictionary_limit: usize,
    pub page_limit: usize,
}

/// Whether [`ChunkValues`] takes arrays of a type.
pub(crate) fn is_supported(data_type: &DataType) -> bool {
    is_byte_array(data_type) || is_integer(data_type) || *data_type == DataType::Boolean
}

impl ChunkValues {
    /// The values of a chunk of about `pages` pages; `None` for an unsupported type.
    pub(crate) fn new(data_type: &DataType, options: ValueOptions, pages: usize) -> Option<Self> {
        let mode = match options.dictionary {
            true => EncodingMode::Undecided,
            false => EncodingMode::Delta,
        };
        if is_byte_array(data_type) {
            let limits = Limits {
                dictionary: options.dictionary_limit,
                page: options.page_limit,
                pages,
            };
            let values = ByteArrayValues::new(mode, limits);
            return Some(ChunkValues::ByteArrays(Box::new(values)));
        }
        if *data_type == DataType::Boolean {
            return Some(ChunkValues::Booleans(BooleanValues::new()));
        }
        is_integer(data_type).then(|| {
            let values = IntegerValues::new(mode, data_type, options.dictionary_limit);
            ChunkValues::Integers(Box::new(values))
        })
    }

    /// The number of values on the page.
    pub(crate) fn len(&self) -> usize {
        match self {
            ChunkValues::Empty => 0,
            ChunkValues::ByteArrays(values) => values.len(),
            ChunkValues::Integers(values) => values.len(),
            ChunkValues::Booleans(values) => values.len(),
        }
    }

    /// Whether the page has no values, or they are known to be equal.
    pub(crate) fn is_constant(&self) -> bool {
        self.len() == 0
            || match self {
                ChunkValues::Empty => true,
                ChunkValues::ByteArrays(values) => values.is_constant(),
                ChunkValues::Integers(values) => values.is_constant(),
                ChunkValues::Booleans(_) => false,
            }
    }

    /// Whether the selected values all equal the one value of the page.
    pub(crate) fn continues(
        &mut self,
        column: ColumnRef<'_>,
        selection: &ValueSelection<'_>,
        scratch: &mut Scratch,
    ) -> bool {
        match self {
            ChunkValues::ByteArrays(values) => values.continues(column, selection, scratch),
            ChunkValues::Integers(values) => values.continues(column, selection, scratch),
            ChunkValues::Empty | ChunkValues::Booleans(_) => false,
        }
    }

    /// Appends the selected values to the page. If not `limited`, the page may exceed its limit of
    /// bytes.
    pub(crate) fn append(
        &mut self,
        column: ColumnRef<'_>,
        selection: &ValueSelection<'_>,
        limited: bool,
        scratch: &mut Scratch,
    ) -> Result<AppendOutcome> {
        match self {
            // Nothing is selected: a chunk's first value creates its values.
            ChunkValues::Empty => Ok(AppendOutcome::Done),
            ChunkValues::ByteArrays(values) => values.append(column, selection, limited, scratch),
            ChunkValues::Integers(values) => values.append(column, selection, scratch),
            ChunkValues::Booleans(values) => {
                values.append(column, selection)?;
                Ok(AppendOutcome::Done)
            }
        }
    }

    /// Ends the dictionary: later pages don't use it. The current page must be empty.
    pub(crate) fn fall_back(&mut self) {
        match self {
            ChunkValues::ByteArrays(values) => values.fall_back(),
            ChunkValues::Integers(values) => values.fall_back(),
            ChunkValues::Empty | ChunkValues::Booleans(_) => {}
        }
    }

    /// Decides, if that is still open, whether the chunk has a dictionary. Returns whether the
    /// current page, which must not be empty, has one.
    pub(crate) fn decide(&mut self, scratch: &mut Scratch) -> bool {
        match self {
            ChunkValues::ByteArrays(values) => values.decide(&mut scratch.key_maps),
            ChunkValues::Integers(values) => values.decide(scratch),
            ChunkValues::Empty | ChunkValues::Booleans(_) => false,
        }
    }

    /// Appends the body of the page, and empties the page. The encoding must be
    /// [decided](ChunkValues::decide).
    pub(crate) fn flush(
        &mut self,
        out: &mut Vec<u8>,
        bloom: &mut Option<Sbbf>,
    ) -> (Encoding, Bounds) {
        match self {
            ChunkValues::Empty => (Encoding::PLAIN, Bounds::None),
            ChunkValues::ByteArrays(values) => values.flush(out, bloom),
            ChunkValues::Integers(values) => values.flush(out, bloom),
            ChunkValues::Booleans(values) => values.flush(out),
        }
    }

    /// Takes the page's values and their bounds if the page has a dictionary and consists of one
    /// key set, whose leaves share the page's body. The encoding must be
    /// [decided](ChunkValues::decide).
    pub(crate) fn take_mapped(&mut self) -> Option<(MappedKeySet, Bounds)> {
        match self {
            ChunkValues::ByteArrays(values) => values.take_mapped(),
            ChunkValues::Empty | ChunkValues::Integers(_) | ChunkValues::Booleans(_) => None,
        }
    }

    /// Passes on what later chunks can use. No value can be added after that.
    pub(crate) fn end(&mut self, scratch: &mut Scratch) {
        match self {
            ChunkValues::ByteArrays(values) => values.return_key_maps(&mut scratch.key_maps),
            ChunkValues::Integers(values) => values.end(&mut scratch.tables),
            ChunkValues::Empty | ChunkValues::Booleans(_) => {}
        }
    }

    /// The number of values in the dictionary.
    pub(crate) fn dictionary_len(&self) -> usize {
        match self {
            ChunkValues::ByteArrays(values) => values.dictionary_len(),
            ChunkValues::Integers(values) => values.dictionary_len(),
            ChunkValues::Empty | ChunkValues::Booleans(_) => 0,
        }
    }

    /// Takes the body of the dictionary page.
    pub(crate) fn take_dictionary_page(&mut self) -> Vec<u8> {
        match self {
            ChunkValues::ByteArrays(values) => values.take_dictionary_page(),
            ChunkValues::Integers(values) => values.dictionary_page(),
            ChunkValues::Empty | ChunkValues::Booleans(_) => Vec::new(),
        }
    }

    /// Inserts the dictionary's values into a Bloom filter.
    pub(crate) fn fill_bloom_filter(&self, bloom: &mut Sbbf) {
        match self {
            ChunkValues::ByteArrays(values) => values.fill_bloom_filter(bloom),
            ChunkValues::Integers(values) => values.fill_bloom_filter(bloom),
            ChunkValues::Empty | ChunkValues::Booleans(_) => {}
        }
    }

    /// The width of an integer in bytes.
    pub(crate) fn integer_width(&self) -> usize {
        match self {
            ChunkValues::Integers(values) => values.width(),
            _ => 8,
        }
    }
}
