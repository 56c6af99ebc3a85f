//! Minimum and maximum values, and their truncation for statistics.

use std::borrow::Cow;

use arrow_schema::DataType;

/// The minimum and maximum of a page's or a chunk's values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bounds {
    /// There are no values.
    None,
    ByteArray(Vec<u8>, Vec<u8>),
    Integer(i64, i64),
    Boolean(bool, bool),
}

/// The mask whose XOR turns the order of a type's integers into that of signed ones: the sign bit
/// for 64-bit unsigned integers, else 0.
pub(crate) fn sign_flip(data_type: &DataType) -> i64 {
    match data_type {
        DataType::UInt64 => i64::MIN,
        _ => 0,
    }
}

/// A lower bound of `value`: its longest prefix of at most `limit` bytes, and whether that is
/// shorter than the value. UTF-8 is cut between characters.
pub(crate) fn lower(value: &[u8], limit: Option<usize>, is_utf8: bool) -> (&[u8], bool) {
    let Some(limit) = limit.filter(|l| value.len() > *l) else {
        return (value, false);
    };
    match is_utf8.then(|| std::str::from_utf8(value)) {
        Some(Ok(text)) => match text.floor_char_boundary(limit) {
            0 => (value, false),
            cut => (&value[..cut], true),
        },
        _ => (&value[..limit], true),
    }
}

/// An upper bound of every value with the same first `limit` bytes, and whether it differs from
/// `value`. It is `value` itself where no shorter bound exists.
pub(crate) fn upper(value: &[u8], limit: Option<usize>, is_utf8: bool) -> (Cow<'_, [u8]>, bool) {
    let shortened = limit.filter(|l| value.len() > *l).and_then(|limit| {
        match is_utf8.then(|| std::str::from_utf8(value)) {
            Some(Ok(text)) => next_text(&text[..text.floor_char_boundary(limit)]),
            _ => next_bytes(&value[..limit]),
        }
    });
    match shortened {
        Some(bound) => (bound.into(), true),
        None => (value.into(), false),
    }
}

/// The text with its last character replaced by the next one of the same length in bytes.
/// Characters that have no such successor are dropped.
fn next_text(text: &str) -> Option<Vec<u8>> {
    text.char_indices().rev().find_map(|(at, character)| {
        let next = char::from_u32(character as u32 + 1)?;
        (next.len_utf8() == character.len_utf8()).then(|| {
            let mut bound = text[..at].to_string();
            bound.push(next);
            bound.into_bytes()
        })
    })
}

fn next_bytes(bytes: &[u8]) -> Option<Vec<u8>> {
    let kept = bytes.len() - bytes.iter().rev().take_while(|b| **b == 0xff).count();
    let mut bound = bytes[..kept].to_vec();
    *bound.last_mut()? += 1;
    Some(bound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bounds_enclose(value in "\\PC{0,12}", limit in 1usize..8) {
            for text in [true, false] {
                let bytes = value.as_bytes();
                let (low, shorter) = lower(bytes, Some(limit), text);
                prop_assert!(low <= bytes);
                prop_assert_eq!(shorter, low != bytes);
                let (high, other) = upper(bytes, Some(limit), text);
                prop_assert!(&*high >= bytes);
                prop_assert_eq!(other, &*high != bytes);
                if text {
                    prop_assert!(std::str::from_utf8(low).is_ok());
                    prop_assert!(std::str::from_utf8(&high).is_ok());
                }
            }
        }
    }

    #[test]
    fn a_value_without_a_successor_is_not_shortened() {
        assert_eq!(
            upper(&[0xff; 9], Some(4), false),
            (vec![0xff; 9].into(), false)
        );
        assert_eq!(upper(b"abcd", Some(2), true), (b"ac".into(), true));
        assert_eq!(
            lower("ééé".as_bytes(), Some(3), true),
            ("é".as_bytes(), true)
        );
    }
}
