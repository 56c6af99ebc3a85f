//! Presets: settings for a purpose, under one name.
//!
//! A preset is a configuration file in `data/presets/`, compiled into the program. Its values take
//! the place of defaults: anything that a user gives overrides them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::sync::LazyLock;

use toml::Value;

use super::words::Word;
use crate::error::Result;
use crate::near::index_of;

/// A file of `data/presets` by name.
macro_rules! embed {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/data/presets/",
                $name,
                ".toml"
            )),
        )
    };
}

/// Name and file of each preset. The first is the default.
const FILES: [(&str, &str); 4] = [
    embed!("seed"),
    embed!("soc"),
    embed!("detections"),
    embed!("stress"),
];

static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| FILES.iter().map(Preset::new).collect());

/// Settings for a purpose.
#[derive(Debug)]
pub struct Preset {
    pub name: &'static str,
    /// What it is for: the first line of its file.
    pub about: &'static str,
    /// Values of settings, as a user would write them.
    texts: BTreeMap<String, String>,
}

impl Preset {
    /// Every preset; the first is the default.
    pub fn all() -> &'static [Preset] {
        &PRESETS
    }

    /// The preset of a name.
    ///
    /// # Errors
    /// No preset has this name. The remedy lists the names.
    pub(super) fn find(name: &str) -> Result<&'static Preset> {
        let known: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
        index_of("preset", name, &known).map(|at| &PRESETS[at])
    }

    fn new(&(name, file): &(&'static str, &'static str)) -> Self {
        let table: BTreeMap<String, Value> = toml::from_str(file).unwrap_or_default();
        let texts = table.into_iter().filter_map(|(key, value)| {
            let text = text(&value)?;
            Some((key, text))
        });
        Preset {
            name,
            about: about(file),
            texts: texts.collect(),
        }
    }

    /// The value of a setting.
    pub(super) fn text(&self, setting: &str) -> Option<&OsStr> {
        self.texts.get(setting).map(OsStr::new)
    }

    /// Settings and values, by name.
    pub fn values(&self) -> impl Iterator<Item = (&str, &str)> {
        let texts = self.texts.iter();
        texts.map(|(name, text)| (name.as_str(), text.as_str()))
    }
}

/// The comment in the first line of a file.
fn about(file: &str) -> &str {
    let line = file.lines().next().unwrap_or_default();
    line.trim_start_matches('#').trim()
}

/// A value as a user would write it.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(truth) => Some(truth.to_string()),
        Value::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(text).collect();
            items.map(|items| items.join(","))
        }
        Value::Datetime(_) | Value::Table(_) => None,
    }
}

/// `preset`: the names, and what each is for.
pub(super) fn words() -> Vec<Word> {
    FILES.map(|(name, file)| (name, about(file))).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Config;
    use crate::settings::{SETTINGS, Section, Values, find};

    fn config(preset: &str) -> Config {
        let mut values = Values::default();
        values.set("preset", preset).unwrap();
        values.config().unwrap()
    }

    #[test]
    fn presets_are_settings_without_inputs() {
        for (preset, (name, file)) in Preset::all().iter().zip(FILES) {
            let table: BTreeMap<String, Value> = toml::from_str(file).unwrap();
            assert_eq!(table.len(), preset.values().count(), "{name}");
            assert!(!preset.about.is_empty() && file.starts_with("# "));
            for (setting, _) in preset.values() {
                let setting = find(setting).unwrap();
                // Neither an input nor another preset, and nothing that excludes a setting that is given.
                assert!(setting.section != Section::Grounding && setting.name != "preset");
                assert!(setting.excludes.is_none());
            }
            config(name).validate().unwrap();
        }
        let default = SETTINGS.iter().find(|s| s.name == "preset").unwrap();
        assert_eq!(default.default, Some(FILES[0].0));
        assert_eq!(config(FILES[0].0), Config::default());
    }

    #[test]
    fn a_preset_is_the_same_as_its_settings() {
        for preset in Preset::all() {
            let mut values = Values::default();
            for (name, text) in preset.values() {
                values.set(name, text).unwrap();
            }
            assert_eq!(values.config().unwrap(), config(preset.name));
        }
        let mut values = Values::default();
        values.set("preset", "sok").unwrap();
        let error = values.config().unwrap_err().to_string();
        assert!(
            error.contains("preset: 'sok'") && error.contains("soc"),
            "{error}"
        );
    }

    #[test]
    fn given_values_override_a_preset_which_gives_way() {
        let mut values = Values::default();
        values.set("preset", "soc").unwrap();
        // 0.94 of the preset has no room beside it, so it is lowered like a default.
        values.set("attack_chain_ratio", "0.3").unwrap();
        values.set("noise_seasonality", "false").unwrap();
        let of = values.of_preset();
        assert_eq!(of, [("noise_ratio", "0.94")]);
        let config = values.config().unwrap();
        assert_eq!(config.noise_ratio.to_string(), "0.65");
        assert!(!config.noise_seasonality);
        // A command to which a setting does not apply leaves the preset's value out, too.
        assert!(!values.remove("noise_ratio"));
        assert!(values.of_preset().is_empty());
        assert_eq!(values.config().unwrap().noise_ratio.to_string(), "0.2");
    }
}
