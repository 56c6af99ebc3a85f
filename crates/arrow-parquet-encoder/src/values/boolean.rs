//! Booleans of a chunk.

use arrow_array::cast::AsArray;
use arrow_buffer::BooleanBufferBuilder;
use parquet::basic::Encoding;
use parquet::errors::Result;

use crate::bits::hybrid_bits;
use crate::bounds::Bounds;
use crate::column::ColumnRef;
use crate::selection::ValueSelection;

/// The booleans of a chunk's current page.
pub(crate) struct BooleanValues {
    bits: BooleanBufferBuilder,
}

impl BooleanValues {
    pub(super) fn new() -> Self {
        BooleanValues {
            bits: BooleanBufferBuilder::new(0),
        }
    }

    /// The number of values on the page.
    pub(super) fn len(&self) -> usize {
        self.bits.len()
    }

    /// Appends the selected values to the page.
    pub(super) fn append(
        &mut self,
        column: ColumnRef<'_>,
        selection: &ValueSelection<'_>,
    ) -> Result<()> {
        let array = column.array().and_then(|array| array.as_boolean_opt());
        let values = array
            .ok_or_else(|| column.wrong_type("a boolean"))?
            .values();
        match selection {
            ValueSelection::Range(offset, len) => {
                self.bits.append_buffer(&values.slice(*offset, *len));
            }
            _ => selection.for_each(|e| self.bits.append(values.value(e))),
        }
        Ok(())
    }

    /// Appends the body of the page, and empties the page.
    pub(super) fn flush(&mut self, out: &mut Vec<u8>) -> (Encoding, Bounds) {
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
