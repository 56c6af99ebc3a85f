//! Levels buffered for the current page, and their encoding.

use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};

use crate::bits::{all_equal, hybrid, hybrid_bits, hybrid_constant, width_of};
use crate::nested::flat_levels;
use crate::rows::LeafRows;
use crate::selection::ValueSelection;

/// The definition or repetition levels of the current page.
pub(crate) struct LevelBuffer {
    max: u8,
    /// The level of all slots while they are equal.
    uniform: u8,
    count: usize,
    levels: Levels,
}

enum Levels {
    /// All are [`LevelBuffer::uniform`].
    Uniform,
    /// Levels whose maximum is 1.
    Bits(BooleanBufferBuilder),
    Numbers(Vec<u32>),
}

impl LevelBuffer {
    /// A buffer of levels up to `max`.
    pub(crate) fn new(max: i16) -> Self {
        LevelBuffer {
            max: max as u8,
            uniform: 0,
            count: 0,
            levels: Levels::Uniform,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    /// Whether all levels are `level`.
    pub(crate) fn is_all(&self, level: u8) -> bool {
        matches!(self.levels, Levels::Uniform) && (self.count == 0 || self.uniform == level)
    }

    /// The levels in a form that holds different ones.
    fn mix(&mut self) -> &mut Levels {
        if matches!(self.levels, Levels::Uniform) {
            self.levels = match self.max {
                1 => {
                    let mut bits = BooleanBufferBuilder::new(20_480);
                    bits.append_n(self.count, self.uniform == 1);
                    Levels::Bits(bits)
                }
                _ => Levels::Numbers(vec![u32::from(self.uniform); self.count]),
            };
        }
        &mut self.levels
    }

    fn push_all(&mut self, level: u8, count: usize) {
        if self.max == 0 || count == 0 {
            return;
        }
        if self.is_all(level) {
            self.uniform = level;
        } else {
            match self.mix() {
                Levels::Bits(bits) => bits.append_n(count, level == 1),
                Levels::Numbers(levels) => {
                    levels.extend(std::iter::repeat_n(u32::from(level), count))
                }
                Levels::Uniform => {}
            }
        }
        self.count += count;
    }

    fn push_levels(&mut self, new: &[u8]) {
        let Some(first) = new.first().filter(|_| self.max > 0) else {
            return;
        };
        if all_equal(new) {
            return self.push_all(*first, new.len());
        }
        match self.mix() {
            Levels::Bits(bits) => {
                bits.append_buffer(&BooleanBuffer::collect_bool(new.len(), |i| new[i] == 1));
            }
            Levels::Numbers(levels) => levels.extend(new.iter().map(|l| u32::from(*l))),
            Levels::Uniform => {}
        }
        self.count += new.len();
    }

    /// Appends definition levels. `selection` is that of `rows`.
    pub(crate) fn push_definition(&mut self, rows: &LeafRows<'_>, selection: &ValueSelection<'_>) {
        match rows {
            LeafRows::Nested(slots) => self.push_levels(&slots.definition),
            LeafRows::Flat { offset, len, nulls } => match selection {
                ValueSelection::Range(..) => self.push_all(self.max, *len),
                ValueSelection::Mask { count: 0, .. } if nulls.len() == 1 => self.push_all(0, *len),
                ValueSelection::Mask { bits, .. } if nulls.len() == 1 => {
                    if let Levels::Bits(all) = self.mix() {
                        let start = bits.offset();
                        all.append_packed_range(start..start + len, bits.values());
                    }
                    self.count += len;
                }
                _ => self.push_levels(&flat_levels(*offset, *len, nulls)),
            },
        }
    }

    /// Appends repetition levels.
    pub(crate) fn push_repetition(&mut self, rows: &LeafRows<'_>) {
        match rows {
            LeafRows::Nested(slots) => self.push_levels(&slots.repetition),
            LeafRows::Flat { len, .. } => self.push_all(0, *len),
        }
    }

    /// Appends the encoded levels to a page, and empties the buffer.
    pub(crate) fn flush(&mut self, out: &mut Vec<u8>) {
        let width = width_of(u64::from(self.max));
        match std::mem::replace(&mut self.levels, Levels::Uniform) {
            Levels::Uniform => hybrid_constant(u32::from(self.uniform), self.count, width, out),
            Levels::Bits(bits) => hybrid_bits(bits.as_slice(), self.count, out),
            Levels::Numbers(levels) => hybrid(&levels, width, out),
        }
        self.count = 0;
    }
}
