//! Bit packing, and Parquet's hybrid encoding of runs and bit-packed groups of eight values.

/// Values of a bit-packed group.
const GROUP: usize = 8;

/// Appends an unsigned LEB128 number.
#[inline]
pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed number as zigzag LEB128.
#[inline]
pub(crate) fn put_zigzag(out: &mut Vec<u8>, value: i64) {
    put_varint(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// The number of bits that `max` needs: 0 for 0.
#[inline]
pub(crate) fn width_of(max: u64) -> usize {
    (u64::BITS - max.leading_zeros()) as usize
}

/// Bytes that storing a group may write past the group's end.
const SLACK: usize = 16;

/// Packs eight values of `W` bits, at most 16, into one number. Eight values fill whole bytes, so
/// groups are independent of each other.
#[inline]
fn pack_8<const W: usize>(v: &[u32; GROUP]) -> u128 {
    let four = |v: [u32; 4]| {
        u64::from(v[0])
            | u64::from(v[1]) << W
            | u64::from(v[2]) << (2 * W)
            | u64::from(v[3]) << (3 * W)
    };
    let (low, high) = (
        four([v[0], v[1], v[2], v[3]]),
        four([v[4], v[5], v[6], v[7]]),
    );
    match W {
        0..=8 => u128::from(low | high << (4 * W)),
        _ => u128::from(low) | u128::from(high) << (4 * W),
    }
}

/// Writes a group into the first `W` of `W + SLACK` bytes; the bytes after them are undefined.
#[inline]
fn put_8<const W: usize>(v: &[u32; GROUP], out: &mut [u8]) {
    if W <= 8 {
        let word = pack_8::<W>(v) as u64;
        out[..8].copy_from_slice(&word.to_le_bytes());
        return;
    }
    if W <= 16 {
        let word = pack_8::<W>(v);
        out[..16].copy_from_slice(&word.to_le_bytes());
        return;
    }
    // Two values at a time; a word is stored when it is full.
    let (mut bits, mut filled, mut at) = (0u128, 0, 0);
    for pair in v.as_chunks::<2>().0 {
        let pair = u64::from(pair[0]) | u64::from(pair[1]) << W;
        bits |= u128::from(pair) << filled;
        filled += 2 * W;
        if filled >= 64 {
            out[at..at + 8].copy_from_slice(&(bits as u64).to_le_bytes());
            at += 8;
            bits >>= 64;
            filled -= 64;
        }
    }
    out[at..at + 8].copy_from_slice(&(bits as u64).to_le_bytes());
}

fn pack_groups<const W: usize>(values: &[u32], out: &mut Vec<u8>) {
    let (start, groups) = (out.len(), values.len().div_ceil(GROUP));
    let end = start + groups * W;
    out.resize(end + SLACK, 0);
    let (whole, rest) = values.as_chunks::<GROUP>();
    let mut bytes = &mut out[start..];
    for group in whole {
        put_8::<W>(group, bytes);
        bytes = &mut bytes[W..];
    }
    if !rest.is_empty() {
        let mut group = [0; GROUP];
        group[..rest.len()].copy_from_slice(rest);
        put_8::<W>(&group, bytes);
    }
    out.truncate(end);
}

/// Appends bit-packed values, least significant bit first, padded with zeros to a multiple of
/// eight values. `width` is 0 to 32, and every value fits it.
pub(crate) fn pack(values: &[u32], width: usize, out: &mut Vec<u8>) {
    macro_rules! widths {
        ($($w:literal)*) => {
            match width { $($w => pack_groups::<$w>(values, out),)* _ => {} }
        };
    }
    widths!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);
}

/// [`pack`] for values of up to 64 bits.
pub(crate) fn pack_wide(values: &[u64], width: usize, out: &mut Vec<u8>) {
    let start = out.len();
    let mut bits = 0u128;
    let mut filled = 0;
    for value in values {
        bits |= u128::from(*value) << filled;
        filled += width;
        while filled >= 8 {
            out.push(bits as u8);
            bits >>= 8;
            filled -= 8;
        }
    }
    if filled > 0 {
        out.push(bits as u8);
    }
    out.resize(start + values.len().div_ceil(GROUP) * width, 0);
}

/// Whether all values are equal.
pub(crate) fn all_equal<T: Copy + PartialEq>(values: &[T]) -> bool {
    let Some(first) = values.first() else {
        return true;
    };
    values
        .chunks(64)
        .all(|chunk| chunk.iter().fold(true, |same, v| same & (v == first)))
}

fn put_run(out: &mut Vec<u8>, count: usize, value: u32, width: usize) {
    put_varint(out, (count as u64) << 1);
    out.extend_from_slice(&value.to_le_bytes()[..width.div_ceil(8)]);
}

fn put_literals(out: &mut Vec<u8>, values: &[u32], width: usize) {
    if !values.is_empty() {
        put_varint(out, (values.len().div_ceil(GROUP) as u64) << 1 | 1);
        pack(values, width, out);
    }
}

/// Appends a run of `count` equal values.
pub(crate) fn hybrid_constant(value: u32, count: usize, width: usize, out: &mut Vec<u8>) {
    if count > 0 {
        put_run(out, count, value, width);
    }
}

/// Appends values in the hybrid encoding. A run is used where it saves bytes: a run takes two or
/// three bytes, and the literals after it need another header.
pub(crate) fn hybrid(values: &[u32], width: usize, out: &mut Vec<u8>) {
    let shortest = (3 + width.div_ceil(8)) / width.max(1) + 1;
    let count = values.len();
    let (mut at, mut literals) = (0, 0);
    let (groups, _) = values.as_chunks::<GROUP>();
    while let Some(group) = groups.get(at / GROUP) {
        let value = group[0];
        // The first two values of most groups differ, which is faster to see.
        if group[1] != value || group.iter().fold(0, |all, v| all | (v ^ value)) != 0 {
            at += GROUP;
            continue;
        }
        let mut end = at + GROUP;
        while let Some(next) = groups.get(end / GROUP)
            && next.iter().fold(0, |all, v| all | (v ^ value)) == 0
        {
            end += GROUP;
        }
        if end + GROUP > count && values[end..].iter().all(|v| *v == value) {
            end = count;
        }
        if (end - at).div_ceil(GROUP) >= shortest {
            put_literals(out, &values[literals..at], width);
            put_run(out, end - at, value, width);
            literals = end;
        }
        at = end;
        if at == count {
            break;
        }
    }
    put_literals(out, &values[literals..], width);
}

/// Appends the first `count` bits of a bitmap in the hybrid encoding, with a width of one bit.
pub(crate) fn hybrid_bits(bits: &[u8], count: usize, out: &mut Vec<u8>) {
    /// The number of equal bytes from which a run is shorter: it takes a count, a value, and the
    /// header of the literals after it.
    const SHORTEST: usize = 5;
    let whole = count / GROUP;
    let literal = |out: &mut Vec<u8>, from: usize, to: usize| {
        if to > from {
            put_varint(out, ((to - from) as u64) << 1 | 1);
            out.extend_from_slice(&bits[from..to]);
        }
    };
    let (mut at, mut literals) = (0, 0);
    while at + SHORTEST <= whole {
        // A run that begins here, or at one of the next bytes, has this byte.
        let byte = bits[at + SHORTEST - 1];
        if byte != 0 && byte != 0xff {
            at += SHORTEST;
            continue;
        }
        let before = &bits[at..at + SHORTEST - 1];
        if let Some(other) = before.iter().rposition(|b| *b != byte) {
            at += other + 1;
            continue;
        }
        let mut end = at + SHORTEST;
        let wide = u64::from_ne_bytes([byte; 8]);
        while end + 8 <= whole && bits[end..end + 8] == wide.to_ne_bytes() {
            end += 8;
        }
        while end < whole && bits[end] == byte {
            end += 1;
        }
        literal(out, literals, at);
        let mut values = (end - at) * GROUP;
        if end == whole {
            // The last byte may be incomplete.
            let rest = count % GROUP;
            let mask = ((1u32 << rest) - 1) as u8;
            if rest > 0 && bits[end] & mask == byte & mask {
                values += rest;
                end += 1;
            }
        }
        put_run(out, values, u32::from(byte & 1), 1);
        literals = end;
        at = end;
    }
    let bytes = count.div_ceil(GROUP);
    if literals < bytes {
        literal(out, literals, bytes);
        // Padding bits are zero.
        if !count.is_multiple_of(GROUP)
            && let Some(last) = out.last_mut()
        {
            *last &= ((1u32 << (count % GROUP)) - 1) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads a varint.
    fn varint(bytes: &mut &[u8]) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = bytes[0];
            *bytes = &bytes[1..];
            value |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                return value;
            }
        }
    }

    /// Unpacks `count` values.
    fn unpack(bytes: &[u8], width: usize, count: usize) -> Vec<u64> {
        (0..count)
            .map(|i| {
                (0..width).fold(0, |value, b| {
                    let bit = i * width + b;
                    value | u64::from(bytes[bit / 8] >> (bit % 8) & 1) << b
                })
            })
            .collect()
    }

    fn decode(mut bytes: &[u8], width: usize, count: usize) -> Vec<u64> {
        let mut values = Vec::new();
        while !bytes.is_empty() {
            let header = varint(&mut bytes);
            let size = (header >> 1) as usize;
            if header & 1 == 1 {
                values.extend(unpack(bytes, width, size * GROUP));
                bytes = &bytes[size * width..];
            } else {
                let value = unpack(bytes, width, 1)[0];
                values.extend(std::iter::repeat_n(value, size));
                bytes = &bytes[width.div_ceil(8)..];
            }
        }
        assert!(values.len() >= count && values.len() < count + GROUP);
        assert!(values[count..].iter().all(|v| *v == 0));
        values.truncate(count);
        values
    }

    fn runs(max: u32) -> impl Strategy<Value = Vec<u32>> {
        prop::collection::vec((0..=max, 1usize..70), 0..40).prop_map(|runs| {
            runs.into_iter()
                .flat_map(|(value, count)| std::iter::repeat_n(value, count))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn hybrid_reads_back(width in 1usize..=32, seed in runs(u32::MAX)) {
            let values: Vec<u32> = seed.iter().map(|v| v >> (32 - width)).collect();
            let mut out = Vec::new();
            hybrid(&values, width, &mut out);
            let wide: Vec<u64> = values.iter().map(|v| u64::from(*v)).collect();
            prop_assert_eq!(decode(&out, width, values.len()), wide);
        }

        #[test]
        fn bits_read_back(values in runs(1)) {
            let mut bits = vec![0u8; values.len().div_ceil(8)];
            for (i, v) in values.iter().enumerate() {
                bits[i / 8] |= (*v as u8) << (i % 8);
            }
            let mut out = Vec::new();
            hybrid_bits(&bits, values.len(), &mut out);
            let wide: Vec<u64> = values.iter().map(|v| u64::from(*v)).collect();
            prop_assert_eq!(decode(&out, 1, values.len()), wide);
        }

        #[test]
        fn wide_values_read_back(width in 1usize..=64, values in prop::collection::vec(any::<u64>(), 0..80)) {
            let values: Vec<u64> = values.iter().map(|v| v >> (64 - width)).collect();
            let mut out = Vec::new();
            pack_wide(&values, width, &mut out);
            prop_assert_eq!(out.len(), values.len().div_ceil(8) * width);
            prop_assert_eq!(unpack(&out, width, values.len()), values);
        }
    }

    #[test]
    fn one_value_is_one_run() {
        let mut out = Vec::new();
        hybrid(&[5; 1000], 3, &mut out);
        assert_eq!(out, [0xd0, 0x0f, 5]);
    }
}
