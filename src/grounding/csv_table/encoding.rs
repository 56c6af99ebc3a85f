//! Decodes the text of a file.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Bytes of a file without a byte order mark that are searched for zero bytes.
const PROBE: usize = 4096;

/// Converts UTF-16 to UTF-8 and removes a byte order mark. Any other encoding is unchanged;
/// [`text`] then decodes each cell.
pub(super) fn unmarked(bytes: Vec<u8>) -> Vec<u8> {
    let (encoding, mark) = match Encoding::for_bom(&bytes) {
        Some(found) => found,
        None => match utf16_without_mark(&bytes) {
            Some(encoding) => (encoding, 0),
            None => return bytes,
        },
    };
    let rest = bytes.get(mark..).unwrap_or_default();
    if encoding == UTF_8 {
        return rest.to_vec();
    }
    encoding
        .decode_without_bom_handling(rest)
        .0
        .into_owned()
        .into_bytes()
}

/// Detects UTF-16: mostly Latin text has a zero in every other byte, whereas UTF-8 has no zeros.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let probe = bytes.get(..PROBE).unwrap_or(bytes);
    let pairs = probe.len() / 2;
    if bytes.len() % 2 == 1 || pairs < 4 {
        return None;
    }
    let zeros = |at: usize| {
        probe
            .chunks_exact(2)
            .filter(|pair| pair.get(at) == Some(&0))
            .count()
    };
    let (high, low) = (zeros(0), zeros(1));
    let most = pairs * 3 / 4;
    match (high >= most, low >= most) {
        (true, false) => Some(UTF_16BE),
        (false, true) => Some(UTF_16LE),
        _ => None,
    }
}

/// The text of a cell, and whether it was read as Windows-1252 because it is not UTF-8.
pub(super) fn text(cell: &[u8]) -> (Cow<'_, str>, bool) {
    match std::str::from_utf8(cell) {
        Ok(text) => (Cow::Borrowed(text), false),
        Err(_) => (WINDOWS_1252.decode_without_bom_handling(cell).0, true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        let bytes = |unit: u16| match little {
            true => unit.to_le_bytes(),
            false => unit.to_be_bytes(),
        };
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn utf16_is_read_with_and_without_a_mark() {
        let text = "Username,Name\r\najo,Åse Ögren\r\n";
        for little in [true, false] {
            let marked = utf16(&format!("\u{feff}{text}"), little);
            assert_eq!(unmarked(marked), text.as_bytes());
            assert_eq!(unmarked(utf16(text, little)), text.as_bytes());
        }
    }

    #[test]
    fn a_zero_byte_alone_is_no_utf16() {
        let bytes = b"username\nali\0ce\nbob\n".to_vec();
        assert_eq!(unmarked(bytes.clone()), bytes);
    }

    #[test]
    fn a_cell_that_is_not_utf8_is_windows_1252() {
        assert_eq!(text(b"M\xfcller \x80"), ("Müller €".into(), true));
        assert_eq!(text("Müller".as_bytes()), ("Müller".into(), false));
    }
}
