//! Which elements of an array hold a leaf's values.

use arrow_buffer::BooleanBuffer;

/// The elements of a leaf's array that are values; the others are null or belong to no row.
pub(crate) enum ValueSelection<'a> {
    /// First element and number of elements.
    Range(usize, usize),
    /// Bit `i` selects element `offset + i`.
    Mask {
        offset: usize,
        bits: BooleanBuffer,
        count: usize,
    },
    Indices(&'a [usize]),
}

impl ValueSelection<'_> {
    /// The number of selected elements.
    pub(crate) fn len(&self) -> usize {
        match self {
            ValueSelection::Range(_, len) => *len,
            ValueSelection::Mask { count, .. } => *count,
            ValueSelection::Indices(elements) => elements.len(),
        }
    }

    /// Visits the selected elements in order.
    #[inline]
    pub(crate) fn for_each(&self, mut visit: impl FnMut(usize)) {
        match self {
            ValueSelection::Range(offset, len) => (*offset..offset + len).for_each(visit),
            ValueSelection::Mask { offset, bits, .. } => {
                let mut base = *offset;
                for mut word in bits.bit_chunks().iter_padded() {
                    while word != 0 {
                        visit(base + word.trailing_zeros() as usize);
                        word &= word - 1;
                    }
                    base += 64;
                }
            }
            ValueSelection::Indices(elements) => elements.iter().for_each(|e| visit(*e)),
        }
    }

    /// The values of the selected elements; borrowed from `values` where those are contiguous.
    #[inline]
    pub(crate) fn gather<'v, T: Copy>(&self, values: &'v [T], scratch: &'v mut Vec<T>) -> &'v [T] {
        match self {
            ValueSelection::Range(offset, len) => return &values[*offset..offset + len],
            ValueSelection::Mask {
                offset,
                bits,
                count,
            } => {
                scratch.clear();
                scratch.reserve(*count);
                let mut base = *offset;
                for mut word in bits.bit_chunks().iter_padded() {
                    if word == u64::MAX {
                        scratch.extend_from_slice(&values[base..base + 64]);
                    } else {
                        while word != 0 {
                            scratch.push(values[base + word.trailing_zeros() as usize]);
                            word &= word - 1;
                        }
                    }
                    base += 64;
                }
            }
            ValueSelection::Indices(elements) => {
                scratch.clear();
                scratch.extend(elements.iter().map(|e| values[*e]));
            }
        }
        scratch
    }
}
