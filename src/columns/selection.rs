//! The rows on which a column has values.

use crate::kinds::Kinds;
use arrow_buffer::BooleanBufferBuilder;
use arrow_buffer::bit_util;
use arrow_buffer::{BooleanBuffer, MutableBuffer, NullBuffer};

/// A non-empty selection of rows by kind.
pub(super) enum Selection {
    All,
    /// Row numbers in ascending order, and the same as validity.
    Some(Vec<u32>, NullBuffer),
}

impl Selection {
    /// The selected rows of a frame of `len` rows.
    pub(super) fn rows(&self, len: usize) -> impl ExactSizeIterator<Item = usize> {
        let (count, rows) = match self {
            Selection::All => (len, None),
            Selection::Some(rows, _) => (rows.len(), Some(rows)),
        };
        (0..count).map(move |at| match rows {
            None => at,
            Some(rows) => rows[at] as usize,
        })
    }
}

/// The rows of each kind.
pub(super) struct ByKind {
    /// Row numbers, sorted by kind and then by row.
    rows: Vec<u32>,
    /// Where each kind begins in `rows`, and a last element for the end.
    first: [u32; Kinds::BITS as usize + 1],
    /// The kinds that occur.
    pub(super) present: Kinds,
}

impl ByKind {
    pub(super) fn new(kind: &[u8]) -> Self {
        let mut first = [0; Kinds::BITS as usize + 1];
        for &kind in kind {
            first[usize::from(kind) + 1] += 1;
        }
        let mut present = 0;
        for kind in 0..Kinds::BITS as usize {
            present |= Kinds::from(first[kind + 1] > 0) << kind;
            first[kind + 1] += first[kind];
        }
        let (mut next, mut rows) = (first, vec![0; kind.len()]);
        for (row, &kind) in kind.iter().enumerate() {
            let at = &mut next[usize::from(kind)];
            rows[*at as usize] = row as u32;
            *at += 1;
        }
        ByKind {
            rows,
            first,
            present,
        }
    }

    /// The rows of the given kinds. At least one of the kinds must occur.
    pub(super) fn select(&self, kinds: Kinds) -> Selection {
        if kinds & self.present == self.present {
            return Selection::All;
        }
        let len = self.rows.len();
        let mut bits = MutableBuffer::from_len_zeroed(len.div_ceil(8));
        let (mut rest, mut count) = (kinds & self.present, 0);
        let mut of_kind: &[u32] = &[];
        while rest != 0 {
            let kind = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            of_kind = &self.rows[self.first[kind] as usize..self.first[kind + 1] as usize];
            count += of_kind.len();
            for &row in of_kind {
                bit_util::set_bit(&mut bits, row as usize);
            }
        }
        let valid = BooleanBuffer::new(bits.into(), 0, len);
        // The rows of one kind are in order already.
        let rows = match count == of_kind.len() {
            true => of_kind.to_vec(),
            false => {
                let mut rows = Vec::with_capacity(count);
                rows.extend(valid.set_indices_u32());
                rows
            }
        };
        Selection::Some(rows, NullBuffer::new(valid))
    }
}

/// The validity of a selection, from which rows can be removed. The bitmap is copied on the first
/// removal.
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

    /// Marks a row as null.
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
