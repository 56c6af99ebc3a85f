//! Random mistakes and malicious edits in text files, for property tests of the readers.

use proptest::prelude::*;
use proptest::sample::Index;

use crate::catalog::Catalog;
use crate::grounding::Profile;
use crate::plan::Config;
use crate::{Generator, Select};

/// One mistake or malicious edit.
#[derive(Debug, Clone)]
pub enum Slip {
    /// A value is replaced by another.
    Value(Index, String),
    /// A value is replaced by one from elsewhere in the file.
    Swapped(Index, Index),
    /// A line is removed, repeated or moved.
    Lost(Index),
    Doubled(Index),
    Moved(Index, Index),
    /// A byte is removed.
    Byte(Index),
    /// The end is cut off.
    Cut(Index),
}

/// Valid and invalid TOML or JSON values.
fn value() -> impl Strategy<Value = String> {
    let words = [
        "\"\"",
        "\" \"",
        "\"{\"",
        "\"{}\"",
        "\"{hex:0}\"",
        "\"{hex:255}\"",
        "\"{host:9}\"",
        "\"{a|}\"",
        "\"{encoded}\"",
        "\"{dga}{c2_domain}\"",
        "\"../../x\"",
        "\"a/b\\\\c\"",
        "\"\\u0000\"",
        "\"\\n\"",
        "\"=1+1\"",
        "\"\u{202e}\"",
        "0",
        "1",
        "-1",
        "255",
        "65536",
        "4294967296",
        "9223372036854775807",
        "-9223372036854775808",
        "0.5",
        "1e400",
        "nan",
        "true",
        "[]",
        "[[]]",
        "{}",
        "[1, \"a\"]",
        "2024-08-12",
        "'",
        "\"",
    ];
    prop_oneof![
        8 => prop::sample::select(words.to_vec()).prop_map(String::from),
        1 => Just(format!("\"{}\"", "x".repeat(100_000))),
        1 => "\"[ -~]{0,30}\"",
        1 => any::<i64>().prop_map(|number| number.to_string()),
    ]
}

/// Any slip.
pub fn slip() -> impl Strategy<Value = Slip> {
    let at = any::<Index>;
    prop_oneof![
        4 => (at(), value()).prop_map(|(at, value)| Slip::Value(at, value)),
        4 => (at(), at()).prop_map(|(at, from)| Slip::Swapped(at, from)),
        2 => at().prop_map(Slip::Lost),
        1 => at().prop_map(Slip::Doubled),
        1 => (at(), at()).prop_map(|(at, to)| Slip::Moved(at, to)),
        1 => at().prop_map(Slip::Byte),
        1 => at().prop_map(Slip::Cut),
    ]
}

/// Byte ranges of quoted strings and numbers.
fn values(text: &str) -> Vec<std::ops::Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        match bytes[at] {
            quote @ (b'"' | b'\'') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote && bytes[at] != b'\n' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at = (at + 1).min(bytes.len());
                found.push(start..at);
            }
            b'0'..=b'9' => {
                while at < bytes.len() && bytes[at].is_ascii_digit() {
                    at += 1;
                }
                found.push(start..at);
            }
            _ => at += 1,
        }
    }
    found.retain(|range| text.get(range.clone()).is_some());
    found
}

/// Applies a slip to a text.
pub fn slipped(text: &str, slip: &Slip) -> String {
    let values = values(text);
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    if values.is_empty() {
        return text.to_string();
    }
    let replaced = |at: &Index, value: &str| {
        let mut text = text.to_string();
        text.replace_range(values[at.index(values.len())].clone(), value);
        text
    };
    match slip {
        Slip::Value(at, value) => replaced(at, value),
        Slip::Swapped(at, from) => replaced(at, &text[values[from.index(values.len())].clone()]),
        Slip::Lost(at) => {
            lines.remove(at.index(lines.len()));
            lines.concat()
        }
        Slip::Doubled(at) => {
            let at = at.index(lines.len());
            lines.insert(at, lines[at]);
            lines.concat()
        }
        Slip::Moved(at, to) => {
            let line = lines.remove(at.index(lines.len()));
            lines.insert(to.index(lines.len() + 1), line);
            lines.concat()
        }
        Slip::Byte(at) => {
            let at = text.floor_char_boundary(at.index(text.len()));
            let mut text = text.to_string();
            text.remove(at);
            text
        }
        Slip::Cut(at) => text[..text.floor_char_boundary(at.index(text.len()))].to_string(),
    }
}

/// Generates every row of a small corpus.
pub fn generate(catalog: &Catalog, profile: Profile) {
    let config = Config {
        events: 600,
        days: 1,
        assets: Some(40),
        users: Some(40),
        attack_chain_ratio: "0.4".parse().unwrap(),
        noise_ratio: "0.3".parse().unwrap(),
        chain_density: "1".parse().unwrap(),
        ..Config::default()
    };
    let builder = Generator::builder().config(config).profile(profile);
    let generator = builder.catalog(catalog.clone()).build().unwrap();
    let batches = generator.batches(Select::all()).unwrap();
    let rows: usize = batches.map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(rows, 600);
}
