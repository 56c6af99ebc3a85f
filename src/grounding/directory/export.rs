//! Decodes values that `csvde` and `ldifde` encode because they are not ASCII.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Decodes `X'4dc3bc…'` and `: TcO8…`; `None` for anything else.
pub(super) fn decoded(cell: &str) -> Option<String> {
    let hex = cell.strip_prefix("X'").or_else(|| cell.strip_prefix("x'"));
    if let Some(digits) = hex.and_then(|rest| rest.strip_suffix('\'')) {
        return readable(from_hex(digits)?);
    }
    let rest = cell
        .strip_prefix("::")
        .or_else(|| cell.strip_prefix(": "))?;
    readable(STANDARD.decode(rest.trim()).ok()?)
}

/// Decodes a name in bare base64. Text that could itself be a name is not decoded.
pub(super) fn decoded_name(cell: &str) -> Option<String> {
    if cell.len() < 8 || !cell.len().is_multiple_of(4) || reads_as_name(cell) {
        return None;
    }
    let text = readable(STANDARD.decode(cell).ok()?)?;
    let in_name = |c: char| c.is_alphabetic() || matches!(c, ' ' | '-' | '\'' | '.' | ',' | '’');
    // Exports only encode values that are not ASCII.
    (!text.is_ascii() && text.chars().all(in_name)).then_some(text)
}

/// Whether letters change from lower to upper case at most once, as in `McDonald`.
fn reads_as_name(cell: &str) -> bool {
    let bytes = cell.as_bytes();
    let rises = bytes
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()));
    let is_word = bytes.iter().all(u8::is_ascii_alphabetic);
    is_word && rises.count() < 2
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let pair = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
        _ => None,
    };
    digits.as_bytes().chunks(2).map(pair).collect()
}

/// UTF-8 without control characters.
fn readable(bytes: Vec<u8>) -> Option<String> {
    let text = String::from_utf8(bytes).ok()?;
    let text = text.trim();
    (!text.is_empty() && !text.contains(char::is_control)).then(|| text.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_and_marked_base64_values_are_decoded() {
        assert_eq!(decoded("X'4dc3bc6c6c6572'").as_deref(), Some("Müller"));
        assert_eq!(decoded(": TcO8bGxlcg==").as_deref(), Some("Müller"));
        assert_eq!(decoded(":: TcO8bGxlcg==").as_deref(), Some("Müller"));
        for plain in ["Müller", "X'4d", "X'4'", "X'zz'", "X'ff'", ": hello!", ""] {
            assert_eq!(decoded(plain), None, "{plain}");
        }
    }

    #[test]
    fn bare_base64_of_a_name_is_decoded_and_a_name_is_not() {
        for (encoded, name) in [
            ("TcO8bGxlcg==", "Müller"),
            ("T8WhdmFsZA==", "Ošvald"),
            ("SsO8cmdlbiBNw7xsbGVy", "Jürgen Müller"),
        ] {
            assert_eq!(decoded_name(encoded).as_deref(), Some(name));
        }
        for name in [
            "Anderson",
            "McDonald",
            "DELACROIX",
            "MacArthurson",
            "Hans",
            "Rosa Berg",
            "Marketing123",
            "SGVsbG8gd29ybGQ=",
        ] {
            assert_eq!(decoded_name(name), None, "{name}");
        }
    }
}
