//! Delta encodings: `DELTA_BINARY_PACKED`, `DELTA_LENGTH_BYTE_ARRAY`, `DELTA_BYTE_ARRAY`.

use crate::bits::{pack, pack_wide, put_varint, put_zigzag, width_of};

/// Deltas per block, and per miniblock.
const BLOCK: usize = 128;
const MINIBLOCK: usize = 32;

/// Appends integers as `DELTA_BINARY_PACKED`. With `narrow` they are 32 bits wide, and so are
/// their wrapping deltas.
pub(crate) fn delta_binary_packed(values: &[i64], narrow: bool, out: &mut Vec<u8>) {
    delta_at_most(values, narrow, usize::MAX, out);
}

/// As [`delta_binary_packed`], but stops and returns false when it takes more than `most` bytes;
/// what was appended to `out` is incomplete then.
pub(crate) fn delta_at_most(values: &[i64], narrow: bool, most: usize, out: &mut Vec<u8>) -> bool {
    let most = out.len().saturating_add(most);
    put_varint(out, BLOCK as u64);
    put_varint(out, (BLOCK / MINIBLOCK) as u64);
    put_varint(out, values.len() as u64);
    let first = values.first().copied().unwrap_or(0);
    put_zigzag(
        out,
        if narrow {
            i64::from(first as i32)
        } else {
            first
        },
    );
    let mut deltas = [0i64; BLOCK];
    let mut start = 1;
    while start < values.len() {
        let count = BLOCK.min(values.len() - start);
        let pairs = values[start - 1..start + count].windows(2);
        let mut least = i64::MAX;
        for (delta, pair) in deltas.iter_mut().zip(pairs) {
            *delta = pair[1].wrapping_sub(pair[0]);
            if narrow {
                *delta = i64::from(*delta as i32);
            }
            least = least.min(*delta);
        }
        put_zigzag(out, least);
        let mut above = [0u64; BLOCK];
        for (above, delta) in above.iter_mut().zip(&deltas[..count]) {
            *above = delta.wrapping_sub(least) as u64;
        }
        if narrow {
            above.iter_mut().for_each(|a| *a &= u64::from(u32::MAX));
        }
        let widths = out.len();
        out.resize(widths + BLOCK / MINIBLOCK, 0);
        for (m, miniblock) in above.as_chunks::<MINIBLOCK>().0.iter().enumerate() {
            // Miniblocks after the last value have no body.
            if m * MINIBLOCK >= count {
                break;
            }
            let width = width_of(miniblock.iter().fold(0, |all, a| all | a));
            out[widths + m] = width as u8;
            if width <= 32 {
                let mut low = [0; MINIBLOCK];
                for (low, above) in low.iter_mut().zip(miniblock) {
                    *low = *above as u32;
                }
                pack(&low, width, out);
            } else {
                pack_wide(miniblock, width, out);
            }
        }
        start += count;
        if out.len() > most {
            return false;
        }
    }
    out.len() <= most
}

/// Appends byte arrays as `DELTA_LENGTH_BYTE_ARRAY`: all lengths, then all bytes.
pub(crate) fn delta_length(lengths: &[i64], bytes: &[u8], out: &mut Vec<u8>) {
    delta_binary_packed(lengths, true, out);
    out.extend_from_slice(bytes);
}

/// The length of the longest common prefix.
#[inline]
pub(crate) fn common_prefix(a: &[u8], b: &[u8]) -> usize {
    let length = a.len().min(b.len());
    let mut at = 0;
    let words = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0);
    for (a, b) in words {
        let differ = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differ != 0 {
            return at + differ.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while at < length && a[at] == b[at] {
        at += 1;
    }
    at
}

/// Appends byte arrays as `DELTA_BYTE_ARRAY`: the length of the prefix that each shares with its
/// predecessor, and the suffix.
pub(crate) fn delta_byte_array(lengths: &[i64], bytes: &[u8], out: &mut Vec<u8>) {
    let mut prefixes = Vec::with_capacity(lengths.len());
    let mut suffixes = Vec::with_capacity(lengths.len());
    let mut rest = Vec::with_capacity(bytes.len());
    let (mut previous, mut at): (&[u8], usize) = (&[], 0);
    for &length in lengths {
        let value = &bytes[at..at + length as usize];
        let shared = common_prefix(previous, value);
        prefixes.push(shared as i64);
        suffixes.push(length - shared as i64);
        rest.extend_from_slice(&value[shared..]);
        previous = value;
        at += length as usize;
    }
    delta_binary_packed(&prefixes, true, out);
    delta_length(&suffixes, &rest, out);
}

/// Whether prefixes shared with predecessors save more bytes than their lengths cost, estimated
/// from the first 64 values.
pub(crate) fn prefixes_pay(lengths: &[i64], bytes: &[u8]) -> bool {
    let (mut previous, mut at, mut shared): (&[u8], usize, usize) = (&[], 0, 0);
    let sample = &lengths[..lengths.len().min(64)];
    for &length in sample {
        let value = &bytes[at..at + length as usize];
        shared += common_prefix(previous, value);
        previous = value;
        at += length as usize;
    }
    shared > sample.len() * 3
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    // The decoders of the `parquet` crate are not public: `tests/encoder/` reads whole files back.

    #[test]
    fn a_single_value_is_a_header() {
        let mut out = Vec::new();
        delta_binary_packed(&[7], false, &mut out);
        assert_eq!(out, [0x80, 1, 4, 1, 14]);
    }

    proptest! {
        #[test]
        fn delta_at_most_keeps_to_its_limit(
            values in prop::collection::vec(any::<i64>().prop_map(|v| v >> (v & 63)), 0..600),
            narrow in any::<bool>(),
        ) {
            let mut all = vec![1, 2, 3];
            delta_binary_packed(&values, narrow, &mut all);
            let length = all.len() - 3;
            let mut out = vec![1, 2, 3];
            prop_assert!(delta_at_most(&values, narrow, length, &mut out));
            prop_assert_eq!(out, all);
            prop_assert!(!delta_at_most(&values, narrow, length - 1, &mut Vec::new()));
        }

        #[test]
        fn the_common_prefix_is_the_longest(a in "[ab]{0,20}", b in "[ab]{0,20}") {
            let expected = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
            prop_assert_eq!(common_prefix(a.as_bytes(), b.as_bytes()), expected);
        }
    }
}
