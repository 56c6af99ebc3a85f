//! The rows of one leaf that are appended together.

use std::borrow::Cow;

use arrow_buffer::NullBuffer;

use crate::nested::{Elements, NestedLevels};
use crate::selection::ValueSelection;

/// A range of a batch's rows, as one leaf sees them.
pub(crate) enum LeafRows<'a> {
    /// Under no list: row `r` is element `offset + r` of the leaf's array.
    Flat {
        offset: usize,
        len: usize,
        /// Validity of each nullable node on the way to the leaf, the leaf included, outermost
        /// first; `None` where all elements are valid.
        nulls: &'a [Option<&'a NullBuffer>],
    },
    /// Under at least one list.
    Nested(&'a NestedLevels),
}

impl<'a> LeafRows<'a> {
    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        match self {
            LeafRows::Flat { len, .. } => *len,
            LeafRows::Nested(slots) => slots.rows,
        }
    }

    /// The elements of the leaf's array that are values of these rows.
    pub(crate) fn selection(&self) -> ValueSelection<'a> {
        match self {
            LeafRows::Flat { offset, len, nulls } => {
                let mut present = nulls.iter().flatten();
                let Some(first) = present.next() else {
                    return ValueSelection::Range(*offset, *len);
                };
                let mut valid = Cow::Borrowed(*first);
                for nulls in present {
                    if let Some(both) = NullBuffer::union(Some(&valid), Some(nulls)) {
                        valid = Cow::Owned(both);
                    }
                }
                let bits = valid.inner().slice(*offset, *len);
                let count = match *len == valid.len() {
                    true => len - valid.null_count(),
                    false => bits.count_set_bits(),
                };
                match count == *len {
                    true => ValueSelection::Range(*offset, *len),
                    false => ValueSelection::Mask {
                        offset: *offset,
                        bits,
                        count,
                    },
                }
            }
            LeafRows::Nested(slots) => match &slots.elements {
                Elements::Range(start, end) => ValueSelection::Range(*start, end - start),
                Elements::Indices(elements) => ValueSelection::Indices(elements),
            },
        }
    }
}
