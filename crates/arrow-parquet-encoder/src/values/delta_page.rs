//! The values of a page without a dictionary, for delta encodings of strings and binary values.

use parquet::basic::Encoding;
use parquet::bloom_filter::Sbbf;

use crate::bounds::Bounds;
use crate::delta::{delta_byte_array, delta_length, prefixes_pay};
use crate::dictionary::head;

/// The values of a page, one after the other.
#[derive(Default)]
pub(super) struct DeltaPage {
    bytes: Vec<u8>,
    lengths: Vec<i64>,
}

impl DeltaPage {
    /// The number of values.
    pub(super) fn len(&self) -> usize {
        self.lengths.len()
    }

    /// The number of bytes of all values.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn reserve(&mut self, values: usize, bytes: usize) {
        self.bytes.reserve(bytes);
        self.lengths.reserve(values);
    }

    pub(super) fn push(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.lengths.push(value.len() as i64);
    }

    /// Appends the values at `ranges` in `bytes`. `total` is the sum of their lengths.
    pub(super) fn extend(&mut self, ranges: &[(usize, usize)], total: usize, bytes: &[u8]) {
        self.lengths
            .extend(ranges.iter().map(|(start, end)| (end - start) as i64));
        match (ranges.first(), ranges.last()) {
            // Contiguous values are copied at once.
            (Some((start, _)), Some((_, end))) if end - start == total => {
                self.bytes.extend_from_slice(&bytes[*start..*end]);
            }
            _ => ranges
                .iter()
                .for_each(|(start, end)| self.bytes.extend_from_slice(&bytes[*start..*end])),
        }
    }

    /// The bounds of the values, which are inserted into the Bloom filter.
    pub(super) fn scan(&self, bloom: &mut Option<Sbbf>) -> Bounds {
        let mut at = 0;
        let mut bounds: Option<[(u64, &[u8]); 2]> = None;
        for length in &self.lengths {
            let value = &self.bytes[at..at + *length as usize];
            at += *length as usize;
            let new = (head(value), value);
            match &mut bounds {
                None => bounds = Some([new, new]),
                Some([min, max]) => {
                    if new < *min {
                        *min = new;
                    } else if new > *max {
                        *max = new;
                    }
                }
            }
            if let Some(bloom) = bloom {
                bloom.insert(value);
            }
        }
        bounds.map_or(Bounds::None, |[min, max]| {
            Bounds::ByteArray(min.1.to_vec(), max.1.to_vec())
        })
    }

    /// Appends the body of the page, and empties the page.
    pub(super) fn flush(&mut self, out: &mut Vec<u8>) -> Encoding {
        let encoding = match prefixes_pay(&self.lengths, &self.bytes) {
            true => {
                delta_byte_array(&self.lengths, &self.bytes, out);
                Encoding::DELTA_BYTE_ARRAY
            }
            false => {
                delta_length(&self.lengths, &self.bytes, out);
                Encoding::DELTA_LENGTH_BYTE_ARRAY
            }
        };
        self.bytes.clear();
        self.lengths.clear();
        encoding
    }
}
