//! Which rows a column has values on.

use arrow::array::BooleanBufferBuilder;
use arrow::buffer::NullBuffer;

/// Rows of some kinds, of which there are some.
pub(super) enum Selection {
    All,
    /// Rising rows, and the same as validity.
    Some(Vec<u32>, NullBuffer),
}

/// Validity that starts as a selection's and loses rows; nothing is made before the first.
pub(super) struct Validity<'s> {
    len: usize,
    selection: &'s Selection,
    bits: Option<BooleanBufferBuilder>,
}

impl<'s> Validity<'s> {
    pub(super) fn new(len: usize, selection: &'s Selection) -> Self {
        Validity {
            len,
            selection,
            bits: None,
        }
    }

    #[cold]
    fn begin(&self) -> BooleanBufferBuilder {
        let mut bits = BooleanBufferBuilder::new(self.len);
        match self.selection {
            Selection::All => bits.append_n(self.len, true),
            Selection::Some(_, valid) => bits.append_buffer(valid.inner()),
        }
        bits
    }

    /// Row `row` has no value after all.
    #[inline]
    pub(super) fn lose(&mut self, row: usize) {
        if self.bits.is_none() {
            self.bits = Some(self.begin());
        }
        if let Some(bits) = &mut self.bits {
            bits.set_bit(row, false);
        }
    }

    pub(super) fn finish(self) -> Option<NullBuffer> {
        match (self.bits, self.selection) {
            (Some(mut bits), _) => Some(NullBuffer::new(bits.finish())),
            (None, Selection::All) => None,
            (None, Selection::Some(_, valid)) => Some(valid.clone()),
        }
    }
}
