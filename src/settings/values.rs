//! Settings as they were given, and what they mean.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::Path;

use chrono::NaiveDate;
use serde::de::DeserializeOwned;

use super::preset::Preset;
use super::table::{Kind, SETTINGS, Setting};
use super::{find, words};
use crate::error::{Error, Result};
use crate::near::unknown;
use crate::plan::choice::parse_techniques;
use crate::plan::config::{AlertWeights, NoiseWeights};
use crate::plan::parse::{parse_count, parse_offset};
use crate::plan::ratio::{decimal, parts_per_million};
use crate::plan::{Choice, Config, Ratio};
use crate::schema::Schema;

/// The texts of settings, by name. A setting that is absent has the preset's value, or its default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Values {
    texts: BTreeMap<&'static str, OsString>,
    /// Shares that are reduced if they are too large; others are refused.
    reducible: BTreeSet<&'static str>,
    /// Settings that the preset does not set, because they have no effect.
    idle: BTreeSet<&'static str>,
}

impl Values {
    /// Sets a setting. Lists are separated by commas.
    ///
    /// # Errors
    /// There is no setting of this name.
    pub fn set(&mut self, name: &str, text: impl Into<OsString>) -> Result<()> {
        let setting = find(name)?;
        self.texts.insert(setting.name, text.into());
        Ok(())
    }

    /// Lets a share that is too large be reduced, with a notice of the plan.
    ///
    /// # Errors
    /// There is no setting of this name.
    pub fn reduce(&mut self, name: &str) -> Result<()> {
        self.reducible.insert(find(name)?.name);
        Ok(())
    }

    /// Refuses settings that exclude each other, and an unknown preset.
    ///
    /// # Errors
    /// Names both, or names similar presets.
    pub fn validate(&self) -> Result<()> {
        self.parse("preset", Preset::find)?;
        for setting in SETTINGS.iter().filter(|s| self.texts.contains_key(s.name)) {
            let Some(other) = setting.excludes.filter(|o| self.texts.contains_key(o)) else {
                continue;
            };
            return Err(Error::setting(
                setting.name,
                format!("cannot be given together with {other}"),
                "give one of the two",
            ));
        }
        Ok(())
    }

    /// Whether a setting was given.
    pub fn is_given(&self, name: &str) -> bool {
        self.texts.contains_key(name)
    }

    /// Takes a setting back, also from the preset; whether it was given.
    pub fn remove(&mut self, name: &str) -> bool {
        self.idle.extend(find(name).map(|setting| setting.name));
        self.texts.remove(name).is_some()
    }

    /// Whether a setting was taken back, because it has no effect.
    pub fn is_idle(&self, name: &str) -> bool {
        self.idle.contains(name)
    }

    /// The preset that was given. The default one has the defaults as values.
    fn preset(&self) -> Option<&'static Preset> {
        Preset::find(self.texts.get("preset")?.to_str()?).ok()
    }

    /// The value that the preset has for a setting, whether or not another one was given.
    fn preset_text(&self, name: &str) -> Option<&'static OsStr> {
        let preset = self.preset().filter(|_| !self.idle.contains(name));
        preset?.text(name)
    }

    /// Settings that have the value of the preset that was given, and these values.
    pub fn of_preset(&self) -> Vec<(&'static str, &'static str)> {
        let values = self.preset().into_iter().flat_map(Preset::values);
        values
            .filter(|(name, _)| !self.is_given(name) && !self.idle.contains(name))
            .collect()
    }

    /// The text that was given, or the preset's, or the default.
    fn get(&self, name: &str) -> Option<&OsStr> {
        let given = self.texts.get(name).map(OsString::as_os_str);
        given
            .or_else(|| self.preset_text(name))
            .or_else(|| find(name).ok()?.default.map(OsStr::new))
    }

    /// The path of an input, if it was given.
    pub fn path(&self, name: &str) -> Option<&Path> {
        self.get(name).map(Path::new)
    }

    /// The text, if there is one.
    fn text(&self, name: &str) -> Result<Option<&str>> {
        let text = self.get(name).map(|text| {
            text.to_str()
                .ok_or_else(|| Error::setting(name, "is not UTF-8", "give it in UTF-8"))
        });
        text.transpose()
    }

    /// The value of a setting; `None` if it was not given and has no default.
    fn parse<T>(&self, name: &str, parse: impl Fn(&str) -> Result<T>) -> Result<Option<T>> {
        self.text(name)?.map(parse).transpose()
    }

    pub(super) fn word<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let Kind::Choice(words) = find(name)?.kind else {
            return Ok(None);
        };
        self.parse(name, |text| words::parse(name, text, &words()))
    }

    /// A switch, or a Boolean.
    pub(super) fn is_on(&self, name: &str) -> Result<bool> {
        let on = self.parse(name, |text| {
            boolean(text).ok_or_else(|| {
                let problem = format!("'{text}' is neither true nor false");
                Error::setting(name, problem, "give true or false")
            })
        });
        Ok(on?.unwrap_or_default())
    }

    fn count(&self, name: &str, default: u64) -> Result<u64> {
        let count = self.parse(name, |text| count(name, text));
        Ok(count?.unwrap_or(default))
    }

    fn number(&self, name: &str) -> Result<Option<u64>> {
        let Setting {
            kind: Kind::Number(most),
            ..
        } = find(name)?
        else {
            return Ok(None);
        };
        self.parse(name, |text| {
            let number = text.parse().ok().filter(|number| number <= most);
            number.ok_or_else(|| {
                let problem = format!("'{text}' is not a whole number up to {most}");
                Error::setting(name, problem, "give a number such as 42")
            })
        })
    }

    fn number_u32(&self, name: &str) -> Result<Option<u32>> {
        // The table's maximum is that of u32.
        let number = self.number(name)?;
        Ok(number.and_then(|number| u32::try_from(number).ok()))
    }

    /// A decimal number in millionths.
    fn millionths(&self, name: &str, remedy: &str, default: u64) -> Result<u64> {
        let number = self.parse(name, |text| {
            parts_per_million(text).map_err(|problem| Error::setting(name, problem, remedy))
        });
        Ok(number?.unwrap_or(default))
    }

    /// Parses and checks the settings that are not inputs.
    ///
    /// # Errors
    /// The first invalid value, by the setting's name.
    pub fn config(&self) -> Result<Config> {
        self.validate()?;
        let default = Config::default();
        let (chains, noise) = self.shares(&default)?;
        let density = "give a decimal such as 0.15";
        let density = self.millionths("chain_density", density, default.chain_density.millionths());
        let format = self.word("format")?.unwrap_or(default.format);
        let compression = self.parse("compression", |text| {
            text.parse().map_err(|problem: String| {
                Error::setting(
                    "compression",
                    problem,
                    "give zstd or zstd(LEVEL) with a level of 1 to 22, gzip or gzip(LEVEL) with a level of 1 to 9, \
                     snappy, lz4 or none",
                )
            })
        });
        let shard_rows = self.count("shard_rows", default.shard_rows)?;
        let row_group_rows = self.count("row_group_rows", default.row_group_rows)?;
        let mut config = Config {
            events: self.count("events", default.events)?,
            seed: self.number("seed")?.unwrap_or(default.seed),
            start: self.parse("start", date)?.unwrap_or(default.start),
            days: self.number_u32("days")?.unwrap_or(default.days),
            attack_chain_ratio: Ratio::from_millionths(chains),
            noise_ratio: Ratio::from_millionths(noise),
            chain_density: Ratio::from_millionths(density?),
            playbook: self.choice("playbook")?,
            technique: self.techniques()?,
            scenario: self.choice("scenario")?,
            noise_seasonality: self.is_on("noise_seasonality")?,
            time_zone_offset: self.offset("noise_tz_offset")?,
            noise_weights: self.noise_weights(default.noise_weights)?,
            alert_weights: self.alert_weights(default.alert_weights)?,
            noise_hours: self.parse("noise_hourly_weights", |text| {
                hours("noise_hourly_weights", text)
            })?,
            alert_hours: self.parse("alert_hourly_weights", |text| {
                hours("alert_hourly_weights", text)
            })?,
            labels: self.word("labels")?.unwrap_or_default(),
            assets: self.number_u32("assets")?,
            users: self.number_u32("users")?,
            format,
            compression: compression?.unwrap_or(format.default_compression()),
            partition_by: self.word("partition_by")?.unwrap_or(default.partition_by),
            schema: self.word("schema")?.unwrap_or_default(),
            // A row group cannot be larger than its file.
            row_group_rows: row_group_rows.min(shard_rows),
            shard_rows,
            bloom_filter: Vec::new(),
            period: default.period,
            table: self.word("table")?.unwrap_or_default(),
        };
        config.bloom_filter = self.bloom_filter(&config)?;
        config.validate().map_err(named)?;
        Ok(config)
    }

    fn choice(&self, name: &str) -> Result<Choice> {
        let choice = self.parse(name, |text| {
            text.parse().map_err(|problem: String| {
                let remedy = "give names, separated by commas, each with =WEIGHT or without: a,b=3; \
                              a weight is a whole number from 0 to 1000000";
                Error::setting(name, problem, remedy)
            })
        });
        Ok(choice?.unwrap_or_default())
    }

    fn techniques(&self) -> Result<Vec<String>> {
        let techniques = self.parse("technique", |text| {
            parse_techniques(text).map_err(|problem| {
                let remedy = "give ids, separated by commas, such as T1558.003,T1021";
                Error::setting("technique", problem, remedy)
            })
        });
        Ok(techniques?.unwrap_or_default())
    }

    /// The shares of chains and of noise in millionths. If only one is given, the preset's value or
    /// default of the other one gives way.
    fn shares(&self, default: &Config) -> Result<(u64, u64)> {
        const MOST: u64 = Config::MOST_OF_CHAINS_AND_NOISE;
        let (chains, noise) = ("attack_chain_ratio", "noise_ratio");
        let share = |name: &str| {
            if !self.is_given(name) {
                return Ok(None);
            }
            let share = self.parse(name, |text| {
                percentage(text).map_err(|problem| {
                    Error::setting(name, problem, "give a share such as 0.15 or 15%")
                })
            })?;
            match share {
                Some(share) if share > MOST && !self.reducible.contains(name) => {
                    let problem = format!("{} is more than 0.95, the maximum", decimal(share));
                    let remedy =
                        "give a share from 0 to 0.95: some events are alerts of the database";
                    Err(Error::setting(name, problem, remedy))
                }
                share => Ok(share),
            }
        };
        let unless_given = |name: &str, default: Ratio| {
            let text = self.preset_text(name).and_then(OsStr::to_str);
            text.and_then(|text| percentage(text).ok())
                .unwrap_or(default.millionths())
        };
        let defaults = [
            unless_given(chains, default.attack_chain_ratio),
            unless_given(noise, default.noise_ratio),
        ];
        match (share(chains)?, share(noise)?) {
            (None, None) => Ok(defaults.into()),
            (Some(share), None) => Ok((share, defaults[1].min(MOST.saturating_sub(share)))),
            (None, Some(share)) => Ok((defaults[0].min(MOST.saturating_sub(share)), share)),
            (Some(a), Some(b)) if a + b > MOST && self.reducible.is_empty() => Err(Error::setting(
                noise,
                format!(
                    "{} and {chains} {} add up to more than 0.95, the maximum",
                    decimal(b),
                    decimal(a)
                ),
                "lower one of the two: some events are alerts of the database",
            )),
            (Some(a), Some(b)) => Ok((a, b)),
        }
    }

    fn offset(&self, name: &str) -> Result<i64> {
        let offset = self.parse(name, |text| {
            parse_offset(text).map_err(|problem| {
                let remedy = "give hours east of UTC, such as 2, -5 or +05:30";
                Error::setting(name, problem, remedy)
            })
        });
        Ok(offset?.unwrap_or_default())
    }

    fn weight(&self, name: &str, default: u64) -> Result<u64> {
        self.millionths(name, "give a weight such as 4 or 0.3", default)
    }

    fn noise_weights(&self, default: NoiseWeights) -> Result<NoiseWeights> {
        Ok(NoiseWeights {
            day: self.weight("noise_day_weight", default.day)?,
            maintenance: self.weight("noise_maint_weight", default.maintenance)?,
            weekend: self.weight("noise_weekend_weight", default.weekend)?,
            early: self.weight("noise_early_weight", default.early)?,
            default: self.weight("noise_default_weight", default.default)?,
        })
    }

    fn alert_weights(&self, default: AlertWeights) -> Result<AlertWeights> {
        Ok(AlertWeights {
            night: self.weight("alert_night_weight", default.night)?,
            evening: self.weight("alert_evening_weight", default.evening)?,
            weekend: self.weight("alert_weekend_weight", default.weekend)?,
            day: self.weight("alert_day_weight", default.day)?,
            default: self.weight("alert_default_weight", default.default)?,
        })
    }

    /// Leaf paths of the schema, sorted, each once.
    fn bloom_filter(&self, config: &Config) -> Result<Vec<String>> {
        let fields = self.text("bloom_filter")?.unwrap_or_default();
        let schema = Schema::of(config);
        let known: Vec<&str> = schema.leaves.iter().map(|l| l.path).collect();
        let mut paths = Vec::new();
        for field in fields.split(',').map(str::trim).filter(|f| !f.is_empty()) {
            if !known.contains(&field) {
                return Err(unknown("bloom_filter", field, &known));
            }
            paths.push(field.to_string());
        }
        paths.sort();
        paths.dedup();
        Ok(paths)
    }
}

/// Millionths of a share: `0.15` or `15%`.
fn percentage(text: &str) -> std::result::Result<u64, String> {
    let Some(number) = text.trim().strip_suffix('%') else {
        return parts_per_million(text);
    };
    match parts_per_million(number.trim_end()) {
        Ok(millionths) if millionths % 100 == 0 => Ok(millionths / 100),
        _ => Err(format!("'{text}' is not a percentage such as 15%")),
    }
}

/// The words of clap's `BoolishValueParser`, in any case.
fn boolean(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "y" | "yes" | "t" | "true" | "on" | "1" => Some(true),
        "n" | "no" | "f" | "false" | "off" | "0" => Some(false),
        _ => None,
    }
}

fn count(name: &str, text: &str) -> Result<u64> {
    let binary = |suffix: &str, scale: u64| {
        text.strip_suffix(suffix)
            .and_then(|n| n.parse::<u64>().ok())
            .and_then(|n| n.checked_mul(scale))
    };
    if let Some(n) = binary("Ki", 1 << 10).or_else(|| binary("Mi", 1 << 20)) {
        return Ok(n);
    }
    parse_count(text).map_err(|problem| {
        Error::setting(name, problem, "give a whole number, such as 10k, 5M or 1B")
    })
}

fn date(text: &str) -> Result<NaiveDate> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| {
        let problem = format!("'{text}' is not a date");
        Error::setting("start", problem, "give one like 2024-08-12")
    })
}

/// Parses 24 weights, from midnight on, separated by commas or spaces; brackets are ignored.
fn hours(name: &str, text: &str) -> Result<[u64; 24]> {
    let numbers: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || ",;[]".contains(c))
        .filter(|t| !t.is_empty())
        .collect();
    let remedy = "give 24 weights, one for each hour from midnight, such as 1,1,1,0.5,…";
    if numbers.len() != 24 {
        let problem = format!("{} weights instead of 24", numbers.len());
        return Err(Error::setting(name, problem, remedy));
    }
    let mut weights = [0; 24];
    for (hour, (weight, text)) in weights.iter_mut().zip(numbers).enumerate() {
        *weight = parts_per_million(text)
            .map_err(|problem| Error::setting(name, format!("hour {hour}: {problem}"), remedy))?;
    }
    Ok(weights)
}

/// Renames an error's field of [`Config`] to the setting that gives it.
pub(super) fn named(error: Error) -> Error {
    let Error::Setting {
        setting,
        problem,
        remedy,
    } = error
    else {
        return error;
    };
    let name = match (setting.as_str(), setting.split_once("_weights.")) {
        ("noise_hours", _) => "noise_hourly_weights".into(),
        ("alert_hours", _) => "alert_hourly_weights".into(),
        ("time_zone_offset", _) => "noise_tz_offset".into(),
        (_, Some((of, "maintenance"))) => format!("{of}_maint_weight"),
        (_, Some((of, weight))) => format!("{of}_{weight}_weight"),
        _ => setting,
    };
    Error::setting(name, problem, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_of_the_table_are_those_of_a_config() {
        assert_eq!(Values::default().config().unwrap(), Config::default());
    }

    #[test]
    fn every_setting_has_an_effect_or_is_an_input() {
        for setting in SETTINGS {
            let text = match (setting.kind, setting.name) {
                (Kind::File | Kind::Directory, _) => continue,
                // These change how inputs are read.
                (_, "strict" | "severity_scale") => continue,
                (Kind::Choice(words), _) => words()[1].0.to_string(),
                (Kind::Date, _) => "2025-01-01".into(),
                (Kind::Words, _) => "source.ip".into(),
                (Kind::Decimals, _) => ["2"; 24].join(","),
                (Kind::Text, _) => "zstd(7)".into(),
                (Kind::Boolean | Kind::Switch, _) => "true".into(),
                (Kind::Count, _) => "2Ki".into(),
                (Kind::Decimal, _) => "0.9".into(),
                (Kind::Number(_) | Kind::Offset, _) => "13".into(),
            };
            let text = match setting.name {
                "assets" | "users" => "50".into(),
                _ => text,
            };
            let mut values = Values::default();
            values.set(setting.name, text).unwrap();
            assert_ne!(
                values.config().unwrap(),
                Config::default(),
                "{}",
                setting.name
            );
        }
    }

    #[test]
    fn errors_name_the_setting() {
        for (name, text) in [
            ("events", "many"),
            ("seed", "-1"),
            ("days", "4294967296"),
            ("start", "yesterday"),
            ("noise_ratio", "NaN"),
            ("noise_ratio", "0.96"),
            ("attack_chain_ratio", "-5%"),
            ("noise_seasonality", "perhaps"),
            ("labels", "some"),
            ("compression", "gzip(10)"),
            ("compression", "brotli"),
            ("noise_tz_offset", "99"),
            ("noise_maint_weight", "2000"),
            ("alert_hourly_weights", "1,2"),
            ("bloom_filter", "image"),
            ("days", "0"),
        ] {
            let mut values = Values::default();
            values.set(name, text).unwrap();
            let Err(Error::Setting { setting, .. }) = values.config() else {
                panic!("{name} takes {text}");
            };
            assert_eq!(setting, name);
        }
        let mut values = Values::default();
        assert!(values.set("evnets", "1").is_err());
        values.set("users", "5").unwrap();
        values.set("ad_users", "u.csv").unwrap();
        let error = values.config().unwrap_err().to_string();
        assert!(error.contains("together with ad_users"), "{error}");
    }

    #[test]
    fn shares_are_believed_or_refused() {
        let config = |texts: &[(&str, &str)], reducible: &[&str]| {
            let mut values = Values::default();
            for (name, text) in texts {
                values.set(name, *text).unwrap();
            }
            reducible
                .iter()
                .for_each(|name| values.reduce(name).unwrap());
            let config = values.config()?;
            Ok::<_, Error>((
                config.attack_chain_ratio.to_string(),
                config.noise_ratio.to_string(),
            ))
        };
        let shares = |chains: &str, noise: &str| (chains.to_string(), noise.to_string());
        let (chains, noise) = ("attack_chain_ratio", "noise_ratio");
        assert_eq!(
            config(&[(chains, "12.5%")], &[]).unwrap(),
            shares("0.125", "0.2")
        );
        assert_eq!(
            config(&[(chains, "0.8")], &[]).unwrap(),
            shares("0.8", "0.15")
        );
        assert_eq!(
            config(&[(noise, "94%")], &[]).unwrap(),
            shares("0.01", "0.94")
        );
        let both = [(chains, "0.8"), (noise, "0.5")];
        assert!(config(&both, &[]).is_err());
        assert_eq!(config(&both, &[noise]).unwrap(), shares("0.8", "0.5"));
        assert_eq!(
            config(&[(chains, "1.2")], &[chains]).unwrap(),
            shares("1.2", "0")
        );
        assert!(config(&[(chains, "1.2")], &[noise]).is_err());
    }

    #[test]
    fn hour_lists_take_commas_spaces_and_brackets() {
        let comma = (0..24).map(|h| h.to_string()).collect::<Vec<_>>().join(",");
        let expected = std::array::from_fn(|h| h as u64 * 1_000_000);
        for text in [&comma, &comma.replace(',', " "), &format!("[{comma}]")] {
            assert_eq!(hours("x", text).unwrap(), expected);
        }
        for bad in ["1", "", &format!("{comma},1")] {
            assert!(hours("x", bad).is_err());
        }
    }
}
