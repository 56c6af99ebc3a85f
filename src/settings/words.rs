//! The words of settings that take one of several words.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::plan::config::SchemaName;
use crate::plan::{Format, Table};

/// A word and its meaning.
pub type Word = (&'static str, &'static str);

/// `labels`, read as [`Labels`](crate::plan::config::Labels).
pub fn labels() -> Vec<Word> {
    vec![
        ("full", "Events have verdict, noise type and attack"),
        ("none", "No labels, as in a SIEM; truth/ still has them"),
    ]
}

/// `schema`, read as [`SchemaName`].
pub fn schemas() -> Vec<Word> {
    SchemaName::ALL
        .iter()
        .map(|schema| schema.words())
        .collect()
}

/// `format`, read as [`Format`].
pub fn formats() -> Vec<Word> {
    let formats = Format::ALL.iter();
    formats
        .map(|format| (format.name(), format.help()))
        .collect()
}

/// `partition_by`, read as [`PartitionBy`](crate::plan::PartitionBy).
pub fn partitions() -> Vec<Word> {
    vec![
        ("date,category", "`date=…/category=…/`"),
        ("date", "`date=…/`"),
    ]
}

/// `table`, read as [`Table`].
pub fn tables() -> Vec<Word> {
    Table::ALL.iter().map(|table| table.words()).collect()
}

/// `severity_scale`, read as [`SeverityScale`](crate::grounding::SeverityScale).
pub fn scales() -> Vec<Word> {
    vec![
        ("suricata", "Suricata and Snort: 1 high, 2 medium, 3 low"),
        ("fusionai", "1 low, 2 medium, 3 high, 4 critical"),
        ("ntopng", "1 to 3 low, 4 medium, 5 high, 6 to 8 critical"),
        (
            "wazuh",
            "Wazuh and OSSEC: 0 to 16, from 4 medium, 8 high, 12 critical",
        ),
        ("cvss", "0 to 10, from 4 medium, 7 high, 9 critical"),
        ("percent", "0 to 100, from 40 medium, 70 high, 90 critical"),
        (
            "ocsf",
            "OCSF: 1 informational, 2 low, 3 medium, 4 high, 5 and 6 critical",
        ),
        ("words", "Words, from informational to critical"),
        (
            "none",
            "Unknown: events keep the number and get no severity word",
        ),
    ]
}

/// The value of a word.
///
/// # Errors
/// The setting does not take the word; the remedy lists those that it takes.
pub(super) fn parse<T: DeserializeOwned>(setting: &str, text: &str, words: &[Word]) -> Result<T> {
    serde_json::from_value(Value::String(text.into())).map_err(|_| {
        let known: Vec<&str> = words.iter().map(|word| word.0).collect();
        Error::setting(
            setting,
            format!("'{text}' is not one of its values"),
            format!("give one of: {}", known.join("; ")),
        )
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::grounding::SeverityScale;
    use crate::plan::PartitionBy;
    use crate::plan::config::Labels;

    /// Parses every word, and counts the different values.
    fn values<T: DeserializeOwned + std::fmt::Debug>(words: &[Word]) -> usize {
        let parsed = words.iter().map(|(word, _)| {
            let value: T = parse("setting", word, words).unwrap();
            format!("{value:?}")
        });
        parsed.collect::<BTreeSet<_>>().len()
    }

    #[test]
    fn every_word_is_a_value_of_its_own() {
        assert_eq!(values::<Labels>(&labels()), 2);
        assert_eq!(values::<SchemaName>(&schemas()), 2);
        assert_eq!(values::<Format>(&formats()), 3);
        assert_eq!(values::<PartitionBy>(&partitions()), 2);
        assert_eq!(values::<Table>(&tables()), 3);
        assert_eq!(
            values::<SeverityScale>(&scales()),
            crate::grounding::severity::SCALES.len()
        );
        let error = parse::<Labels>("labels", "some", &labels()).unwrap_err();
        assert!(error.to_string().contains("full; none"), "{error}");
    }
}
