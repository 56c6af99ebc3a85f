//! The settings of a corpus, from texts to a plan's [`Config`](crate::plan::Config) and inputs.
//!
//! [`SETTINGS`] is the one table of them. The flags, environment variables and help of the command
//! line, the keys of the configuration file and the arguments of the Python module all follow from
//! it. [`Values`] holds the texts that a user gave, and parses them.

mod inputs;
mod preset;
mod table;
mod values;
mod words;

pub use preset::Preset;
pub use table::{Kind, SETTINGS, Section, Setting};
pub use values::Values;
pub use words::Word;

use crate::error::Result;
use crate::grounding::SeverityScale;
use crate::near::index_of;

/// The setting of a name.
///
/// # Errors
/// No setting has this name. The remedy names similar ones.
pub fn find(name: &str) -> Result<&'static Setting> {
    let known: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
    index_of("setting", name, &known).map(|at| &SETTINGS[at])
}

/// The words of `severity_scale`.
pub fn scales() -> Vec<Word> {
    words::scales()
}

/// The severity scale of a word.
///
/// # Errors
/// There is no such scale.
pub fn scale(word: &str) -> Result<SeverityScale> {
    words::parse("severity_scale", word, &words::scales())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_and_variables_are_unique_and_exclusions_exist() {
        let names: BTreeSet<&str> = SETTINGS.iter().map(|s| s.name).collect();
        assert_eq!(names.len(), SETTINGS.len());
        let variables: Vec<&str> = SETTINGS.iter().filter_map(|s| s.variable).collect();
        let unique: BTreeSet<&&str> = variables.iter().collect();
        assert_eq!(unique.len(), variables.len());
        for setting in SETTINGS {
            assert!(setting.excludes.is_none_or(|other| names.contains(other)));
            assert_eq!(setting.name, setting.name.to_lowercase());
            // The command line reads settings that are not flags from their variables.
            assert!(setting.section != Section::Hours || setting.variable.is_some());
        }
    }
}
