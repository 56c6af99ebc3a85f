//! Types whose values are words in TOML.

use crate::kinds::{KINDS, Platform, Telemetry};

/// A type whose values are words in TOML, from a closed set.
pub(super) trait TomlWord: Sized + Copy + 'static {
    /// The type's name in errors: `telemetry`, `host class`.
    const WHAT: &'static str;
    const WORDS: &'static [(&'static str, Self)];

    /// The word of a value; empty if it has none.
    fn to_word(self) -> &'static str
    where
        Self: PartialEq,
    {
        let known = Self::WORDS.iter().find(|(_, value)| *value == self);
        known.map_or("", |(word, _)| word)
    }

    /// The value of a word. The error lists all words.
    fn from_word(word: &str) -> Result<Self, String> {
        Self::WORDS
            .iter()
            .find(|(known, _)| *known == word)
            .map(|(_, value)| *value)
            .ok_or_else(|| {
                let known: Vec<&str> = Self::WORDS.iter().map(|(known, _)| *known).collect();
                format!("one of {}", known.join(", "))
            })
    }
}

impl TomlWord for Platform {
    const WHAT: &'static str = "platform";
    const WORDS: &'static [(&'static str, Self)] =
        &[("windows", Platform::Windows), ("linux", Platform::Linux)];
}

impl TomlWord for Telemetry {
    const WHAT: &'static str = "telemetry";
    const WORDS: &'static [(&'static str, Self)] = &{
        let mut words = [("", Telemetry::Syslog); Telemetry::COUNT];
        let mut at = 0;
        while at < words.len() {
            words[at] = (KINDS[at].word, KINDS[at].telemetry);
            at += 1;
        }
        words
    };
}

/// Whether a name is `[a-z][a-z0-9_]*` of at most 64 bytes: safe in a path, a column value and a URL.
pub(super) fn is_slug(name: &str) -> bool {
    let bytes = name.as_bytes();
    (1..=64).contains(&bytes.len())
        && bytes[0].is_ascii_lowercase()
        && bytes
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for (word, telemetry) in Telemetry::WORDS {
            assert_eq!(telemetry.word(), *word);
            assert_eq!(Telemetry::from_word(word), Ok(*telemetry));
        }
        assert!(
            Telemetry::from_word("process")
                .unwrap_err()
                .contains("process_creation")
        );
    }

    #[test]
    fn slugs() {
        assert!(is_slug("psexec_lateral") && is_slug("a"));
        for wrong in ["", "1a", "A", "a-b", "ä", &"a".repeat(65)] {
            assert!(!is_slug(wrong), "{wrong}");
        }
    }
}
