//! Least and greatest values as statistics hold them: whole, or shortened to a bound.

use std::borrow::Cow;

/// The greatest prefix of at most `limit` bytes, and whether it is shorter. Texts are cut between
/// characters.
pub(super) fn lower(value: &[u8], limit: Option<usize>, text: bool) -> (&[u8], bool) {
    let Some(limit) = limit.filter(|l| value.len() > *l) else {
        return (value, false);
    };
    match text.then(|| std::str::from_utf8(value)) {
        Some(Ok(text)) => match text.floor_char_boundary(limit) {
            0 => (value, false),
            cut => (&value[..cut], true),
        },
        _ => (&value[..limit], true),
    }
}

/// A value not less than any that begins with the first `limit` bytes, and whether it is another
/// value. Whole where there is none.
pub(super) fn upper(value: &[u8], limit: Option<usize>, text: bool) -> (Cow<'_, [u8]>, bool) {
    let shortened = limit.filter(|l| value.len() > *l).and_then(|limit| {
        match text.then(|| std::str::from_utf8(value)) {
            Some(Ok(text)) => next_text(&text[..text.floor_char_boundary(limit)]),
            _ => next_bytes(&value[..limit]),
        }
    });
    match shortened {
        Some(bound) => (bound.into(), true),
        None => (value.into(), false),
    }
}

/// The text with its last character raised, in as many bytes; shorter where it can't be.
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
    fn what_has_no_successor_stays_whole() {
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
