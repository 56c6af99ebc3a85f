//! Bit packing, and Parquet's hybrid of run lengths and bit-packed groups of eight.

/// Values of a bit-packed group.
const GROUP: usize = 8;

/// Appends an unsigned LEB128 number.
#[inline]
pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed number, zigzag and LEB128.
#[inline]
pub(super) fn put_zigzag(out: &mut Vec<u8>, value: i64) {
    put_varint(out, ((value << 1) ^ (value >> 63)) as u64);
}

/// Bits that `max` takes: 0 for 0.
#[inline]
pub(super) fn width_of(max: u64) -> usize {
    (u64::BITS - max.leading_zeros()) as usize
}

/// Packs 32 values of `W` bits into `4 * W` bytes.
#[inline]
fn pack_32<const W: usize>(values: &[u32; 32], out: &mut [u8]) {
    if W <= 16 {
        // Eight values begin and end at a byte: no value waits for another's bits.
        let mut packed = [0; 4 * 16 + 16];
        for (at, v) in values.as_chunks::<8>().0.iter().enumerate() {
            let wide = v.map(u64::from);
            let low = wide[0] | wide[1] << W | wide[2] << (2 * W) | wide[3] << (3 * W);
            let high = wide[4] | wide[5] << W | wide[6] << (2 * W) | wide[7] << (3 * W);
            let word = u128::from(low) | u128::from(high) << (4 * W);
            packed[at * W..at * W + 16].copy_from_slice(&word.to_le_bytes());
        }
        out[..4 * W].copy_from_slice(&packed[..4 * W]);
        return;
    }
    let mut bits = 0u64;
    let mut filled = 0;
    let mut at = 0;
    for &value in values {
        bits |= u64::from(value) << filled;
        filled += W;
        if filled >= 32 {
            out[at..at + 4].copy_from_slice(&(bits as u32).to_le_bytes());
            at += 4;
            bits >>= 32;
            filled -= 32;
        }
    }
}

fn pack_blocks<const W: usize>(values: &[u32], out: &mut Vec<u8>) {
    let groups = values.len().div_ceil(GROUP);
    let start = out.len();
    out.resize(start + groups * W, 0);
    let bytes = &mut out[start..];
    let (blocks, rest) = values.as_chunks::<32>();
    for (block, bytes) in blocks.iter().zip(bytes.chunks_exact_mut(4 * W)) {
        pack_32::<W>(block, bytes);
    }
    if !rest.is_empty() {
        let mut block = [0; 32];
        block[..rest.len()].copy_from_slice(rest);
        let mut packed = [0; 128];
        pack_32::<W>(&block, &mut packed);
        let tail = rest.len().div_ceil(GROUP) * W;
        bytes[blocks.len() * 4 * W..].copy_from_slice(&packed[..tail]);
    }
}

/// Appends values bit-packed, least significant bit first, padded with zeros to a multiple of
/// eight values. `width` is 0 to 32 and every value fits.
pub(super) fn pack(values: &[u32], width: usize, out: &mut Vec<u8>) {
    macro_rules! widths {
        ($($w:literal)*) => {
            match width { $($w => pack_blocks::<$w>(values, out),)* _ => {} }
        };
    }
    widths!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);
}

/// [`pack`] for values of up to 64 bits.
pub(super) fn pack_wide(values: &[u64], width: usize, out: &mut Vec<u8>) {
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

/// Appends `count` times one value.
pub(super) fn hybrid_constant(value: u32, count: usize, width: usize, out: &mut Vec<u8>) {
    if count > 0 {
        put_run(out, count, value, width);
    }
}

/// Appends values in the hybrid encoding. A run is taken where it saves bytes: its own two or
/// three, and one for the literals that begin anew after it.
pub(super) fn hybrid(values: &[u32], width: usize, out: &mut Vec<u8>) {
    let shortest = (3 + width.div_ceil(8)) / width.max(1) + 1;
    let count = values.len();
    let (mut at, mut literals) = (0, 0);
    let (groups, _) = values.as_chunks::<GROUP>();
    while let Some(group) = groups.get(at / GROUP) {
        let value = group[0];
        if group.iter().fold(0, |all, v| all | (v ^ value)) != 0 {
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

/// Appends single bits in the hybrid encoding, `count` of them from a packed bitmap.
pub(super) fn hybrid_bits(bits: &[u8], count: usize, out: &mut Vec<u8>) {
    /// Bytes from which a run is shorter: count, value, and the header of what follows.
    const SHORTEST: usize = 5;
    let whole = count / GROUP;
    let literal = |out: &mut Vec<u8>, from: usize, to: usize| {
        if to > from {
            put_varint(out, ((to - from) as u64) << 1 | 1);
            out.extend_from_slice(&bits[from..to]);
        }
    };
    let (mut at, mut literals) = (0, 0);
    while at < whole {
        let byte = bits[at];
        if byte != 0 && byte != 0xff {
            at += 1;
            continue;
        }
        let mut end = at + 1;
        let wide = u64::from_ne_bytes([byte; 8]);
        while end + 8 <= whole && bits[end..end + 8] == wide.to_ne_bytes() {
            end += 8;
        }
        while end < whole && bits[end] == byte {
            end += 1;
        }
        if end - at >= SHORTEST {
            literal(out, literals, at);
            let mut values = (end - at) * GROUP;
            if end == whole {
                // The bits of the last byte that are there.
                let rest = count % GROUP;
                let mask = ((1u32 << rest) - 1) as u8;
                if rest > 0 && bits[end] & mask == byte & mask {
                    values += rest;
                    end += 1;
                }
            }
            put_run(out, values, u32::from(byte & 1), 1);
            literals = end;
        }
        at = end;
    }
    let bytes = count.div_ceil(GROUP);
    if literals < bytes {
        literal(out, literals, bytes);
        // Padding is zero.
        if !count.is_multiple_of(GROUP)
            && let Some(last) = out.last_mut()
        {
            *last &= ((1u32 << (count % GROUP)) - 1) as u8;
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
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
    pub(in crate::encode) fn unpack(bytes: &[u8], width: usize, count: usize) -> Vec<u64> {
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
