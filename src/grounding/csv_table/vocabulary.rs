//! Known headings of each column in common exports.

use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Result};

/// A column that a reader uses.
#[derive(Debug, Deserialize)]
pub(crate) struct KnownColumn {
    /// Its name in messages.
    pub name: String,
    /// Normalised headings, best first.
    pub aliases: Vec<String>,
}

/// One file of `data/grounding`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vocabulary {
    #[serde(rename = "column")]
    pub columns: Vec<KnownColumn>,
    /// Words for kinds of hosts.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// The subset for devices that do not run Windows.
    #[serde(default)]
    pub devices: Vec<String>,
    /// Words for states of hosts that are no longer in use.
    #[serde(default)]
    pub retired: Vec<String>,
}

impl Vocabulary {
    /// Reads the embedded file `name`.
    ///
    /// # Errors
    /// The embedded file is invalid; a test reads all of them.
    pub fn embedded(name: &str, text: &str) -> Result<Vocabulary> {
        toml::from_str(text).map_err(|error: toml::de::Error| {
            Error::input(
                Path::new(name),
                None,
                error.message().to_string(),
                "this is a defect of fusiongen; please report it",
            )
        })
    }

    /// A column's name.
    pub fn name(&self, column: usize) -> &str {
        self.columns.get(column).map_or("", |it| it.name.as_str())
    }

    /// The indices of each column's aliases among normalised headings, best first.
    pub(super) fn places(&self, headings: &[String]) -> Vec<Vec<usize>> {
        let of_alias = |alias: &String| {
            let all = headings.iter().enumerate();
            let same: Vec<usize> = all.filter(|(_, it)| *it == alias).map(|it| it.0).collect();
            same
        };
        self.columns
            .iter()
            .map(|column| column.aliases.iter().flat_map(of_alias).collect())
            .collect()
    }

    /// The heading most similar to an alias of a column, for a remedy.
    pub(super) fn nearest<'h>(&self, column: usize, headings: &'h [String]) -> Option<&'h str> {
        const ENOUGH: f64 = 0.87;
        let aliases = &self.columns.get(column)?.aliases;
        let mut best: Option<(f64, &str)> = None;
        for heading in headings {
            let plain = plain_name(heading);
            if plain.len() < 4 {
                continue;
            }
            for alias in aliases.iter().filter(|alias| alias.len() >= 4) {
                let likeness = strsim::jaro_winkler(&plain, alias);
                if likeness >= ENOUGH && best.is_none_or(|(most, _)| likeness > most) {
                    best = Some((likeness, heading));
                }
            }
        }
        best.map(|(_, heading)| heading)
    }
}

/// A heading without case, accents, blanks and punctuation.
pub(crate) fn plain_name(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for letter in name.chars().flat_map(char::to_lowercase) {
        match letter {
            'à'..='å' => plain.push('a'),
            'ç' => plain.push('c'),
            'è'..='ë' => plain.push('e'),
            'ì'..='ï' => plain.push('i'),
            'ñ' => plain.push('n'),
            'ò'..='ö' => plain.push('o'),
            'ù'..='ü' => plain.push('u'),
            'ß' => plain.push_str("ss"),
            _ if letter.is_alphanumeric() => plain.push(letter),
            _ => {}
        }
    }
    plain
}

/// The words of a text, normalised like [`plain_name`].
pub(crate) fn plain_words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(plain_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_compared_without_case_accents_and_punctuation() {
        assert_eq!(
            plain_name("Système d'exploitation - Nom"),
            "systemedexploitationnom"
        );
        assert_eq!(
            plain_name("Operating_System_Name_and0"),
            "operatingsystemnameand0"
        );
        assert_eq!(plain_name("Gerätename"), "geratename");
    }
}
