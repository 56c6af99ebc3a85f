//! The settings of a corpus, resolved and checked.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use super::files::{Compression, Format, PartitionBy};
use super::ratio::{Ratio, decimal, parts_per_million};
use crate::error::{Error, Result};
use crate::numbers::counted;

/// Whether the answers stand in the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Labels {
    /// Verdicts, noise types and attacks are written.
    #[default]
    Full,
    /// They are left out, as in a SIEM; the truth has them.
    None,
}

/// How much noise an hour of the week holds under `noise_seasonality`, in millionths; local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NoiseWeights {
    /// 08 to 18 on working days.
    pub day: u64,
    /// 01 to 04, and the full backup on Sunday 22 to 24.
    pub maintenance: u64,
    pub weekend: u64,
    /// 05 to 07.
    pub early: u64,
    pub default: u64,
}

impl Default for NoiseWeights {
    fn default() -> Self {
        NoiseWeights {
            day: 5_000_000,
            maintenance: 4_000_000,
            weekend: 400_000,
            early: 300_000,
            default: 1_200_000,
        }
    }
}

/// How many standalone alerts an hour of the week holds under `noise_seasonality`, in millionths; local time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlertWeights {
    /// 22 to 06.
    pub night: u64,
    /// 18 to 22.
    pub evening: u64,
    pub weekend: u64,
    /// 08 to 18 on working days.
    pub day: u64,
    pub default: u64,
}

impl Default for AlertWeights {
    fn default() -> Self {
        AlertWeights {
            night: 6_000_000,
            evening: 4_000_000,
            weekend: 3_000_000,
            day: 400_000,
            default: 1_000_000,
        }
    }
}

/// The fields of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SchemaName {
    /// An ECS-like document with fusionai's own words and the host's native record
    #[default]
    Fusionai,
    /// The Elastic Common Schema 9.4, with the native record beside
    Ecs,
}

/// Everything that decides the content of a corpus, besides its inputs. Paths and
/// threads are not here: they may not change a byte.
///
/// A setting that a `plan.json` of an older version lacks has its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    pub events: u64,
    pub seed: u64,
    pub start: NaiveDate,
    pub days: u32,
    /// Shares of events.
    pub attack_chain_ratio: Ratio,
    pub noise_ratio: Ratio,
    /// Chains per host and day at most.
    pub chain_density: Ratio,
    pub noise_seasonality: bool,
    /// Seconds east of UTC that working hours are in.
    pub time_zone_offset: i64,
    pub noise_weights: NoiseWeights,
    pub alert_weights: AlertWeights,
    /// Weight of each local hour in millionths; wins over `noise_weights` and needs no seasonality.
    pub noise_hours: Option<[u64; 24]>,
    /// Weight of each local hour in millionths; wins over `alert_weights` and the profile's hours.
    pub alert_hours: Option<[u64; 24]>,
    pub labels: Labels,
    pub assets: Option<u32>,
    pub users: Option<u32>,
    pub format: Format,
    pub compression: Compression,
    pub partition_by: PartitionBy,
    pub schema: SchemaName,
    pub row_group_rows: u64,
    pub shard_rows: u64,
    /// Leaf paths that get a Bloom filter, sorted.
    pub bloom_filter: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            events: 1_000_000,
            seed: 42,
            start: NaiveDate::from_ymd_opt(2024, 8, 12).unwrap_or_default(),
            days: 7,
            attack_chain_ratio: Ratio::from_millionths(150_000),
            noise_ratio: Ratio::from_millionths(200_000),
            chain_density: Ratio::from_millionths(100_000),
            noise_seasonality: false,
            time_zone_offset: 0,
            noise_weights: NoiseWeights::default(),
            alert_weights: AlertWeights::default(),
            noise_hours: None,
            alert_hours: None,
            labels: Labels::Full,
            assets: None,
            users: None,
            format: Format::Parquet,
            compression: Format::Parquet.default_compression(),
            partition_by: PartitionBy::DateCategory,
            schema: SchemaName::Fusionai,
            row_group_rows: 512 * 1024,
            shard_rows: 4 * 1024 * 1024,
            bloom_filter: Vec::new(),
        }
    }
}

/// Seconds of a time-zone offset: hours like `2`, `-5`, `5.5`, or `+05:30`.
///
/// # Errors
/// No such thing, not in quarters of an hour, or more than 14 hours.
pub fn parse_offset(text: &str) -> std::result::Result<i64, String> {
    let wrong = || format!("'{text}' is no offset from UTC of at most 14 hours");
    let (sign, rest) = match text.trim() {
        t if t.starts_with('-') => (-1, &t[1..]),
        t => (1, t.strip_prefix('+').unwrap_or(t)),
    };
    let seconds = match rest.split_once(':') {
        Some((hours, minutes)) => {
            let number = |t: &str| match t.bytes().all(|b| b.is_ascii_digit()) {
                true => t.parse::<i64>().ok().filter(|n| *n < 60),
                false => None,
            };
            number(hours).ok_or_else(wrong)? * 3600 + number(minutes).ok_or_else(wrong)? * 60
        }
        None => {
            let millionths = parts_per_million(rest).map_err(|_| wrong())?;
            i64::try_from(millionths * 3600 / 1_000_000).map_err(|_| wrong())?
        }
    };
    if seconds > 14 * 3600 || seconds % 900 != 0 {
        return Err(wrong());
    }
    Ok(sign * seconds)
}

/// More would leave no room for the rest of an hour list.
const MOST_WEIGHT: u64 = 1_000_000_000;

/// A count like `10k`, `5M`, `1.5B`, `1_000`.
///
/// # Errors
/// Not a whole number of events.
pub fn parse_count(text: &str) -> std::result::Result<u64, String> {
    let clean: String = text
        .trim()
        .chars()
        .filter(|c| *c != '_' && *c != ',')
        .collect();
    let (number, scale) = match clean.chars().last() {
        Some('k' | 'K') => (&clean[..clean.len() - 1], 1_000u64),
        Some('m' | 'M') => (&clean[..clean.len() - 1], 1_000_000),
        Some('b' | 'B' | 'g' | 'G') => (&clean[..clean.len() - 1], 1_000_000_000),
        _ => (clean.as_str(), 1),
    };
    let wrong = || format!("'{text}' is not a count like 250000, 10k, 5M or 1B");
    if scale == 1 {
        return number.parse().map_err(|_| wrong());
    }
    // Digits beyond the sixth would be lost.
    let lost = number
        .split_once('.')
        .is_some_and(|(_, f)| f.trim_end_matches('0').len() > 6);
    let millionths = parts_per_million(number).map_err(|_| wrong())?;
    if lost {
        return Err(wrong());
    }
    let events = u128::from(millionths) * u128::from(scale);
    if !events.is_multiple_of(1_000_000) {
        return Err(wrong());
    }
    u64::try_from(events / 1_000_000).map_err(|_| wrong())
}

/// More than this is surely a slip: 10¹² events.
const MOST_EVENTS: u64 = 1_000_000_000_000;

impl Config {
    /// Refuses settings that make no corpus.
    ///
    /// # Errors
    /// Names the setting and what it takes.
    pub fn validate(&self) -> Result<()> {
        let fail = |setting: &str, problem: String, remedy: &str| {
            Err(Error::setting(setting, problem, remedy))
        };
        if self.events == 0 || self.events > MOST_EVENTS {
            return fail(
                "events",
                format!("{} events make no corpus", self.events),
                "give 1 to 1000B",
            );
        }
        if self.days == 0 || self.days > 3660 {
            return fail(
                "days",
                format!("{} days make no window", self.days),
                "give 1 to 3660",
            );
        }
        if let Some(assets) = self.assets
            && !(20..=1_000_000).contains(&assets)
        {
            return fail(
                "assets",
                counted(assets.into(), "host"),
                "give 20 to 1000000",
            );
        }
        if let Some(users) = self.users
            && !(1..=1_000_000).contains(&users)
        {
            return fail("users", counted(users.into(), "user"), "give 1 to 1000000");
        }
        // What a corpus tells of before its window starts some years before it; a process's
        // GUID holds seconds since 1970 in 32 bits.
        let years = 1980..2100;
        let last = self
            .start
            .checked_add_days(chrono::Days::new(u64::from(self.days) - 1));
        let within = |date: NaiveDate| years.contains(&date.year());
        if !within(self.start) || !last.is_some_and(within) {
            return fail(
                "start",
                format!(
                    "{} from {} on reach beyond the years 1980 to 2099",
                    counted(self.days.into(), "day"),
                    self.start
                ),
                "give a window within these years",
            );
        }
        if self.shard_rows < 1024 {
            return fail(
                "shard_rows",
                counted(self.shard_rows, "row"),
                "give 1024 or more",
            );
        }
        if self.row_group_rows < 1024 || self.row_group_rows > 16 << 20 {
            return fail(
                "row_group_rows",
                counted(self.row_group_rows, "row"),
                "give 1024 to 16777216",
            );
        }
        if let Err((problem, remedy)) = self.format.takes(self.compression) {
            return fail("compression", problem, remedy);
        }
        if self.shard_rows < self.row_group_rows {
            return fail(
                "shard_rows",
                format!(
                    "{} rows are less than a row group ({})",
                    self.shard_rows, self.row_group_rows
                ),
                "give at least as many as a row group has",
            );
        }
        for (setting, hours) in [
            ("noise_hours", &self.noise_hours),
            ("alert_hours", &self.alert_hours),
        ] {
            let Some(hours) = hours else { continue };
            if hours.iter().all(|w| *w == 0) {
                return fail(setting, "all 24 are 0".into(), "give one hour a weight");
            }
            if let Some(hour) = hours.iter().position(|w| *w > MOST_WEIGHT) {
                let problem = format!("hour {hour} has {}", decimal(hours[hour]));
                return fail(setting, problem, "give weights of 0 to 1000");
            }
        }
        let (noise, alerts) = (&self.noise_weights, &self.alert_weights);
        let groups = [
            [
                ("noise_weights.day", noise.day),
                ("noise_weights.maintenance", noise.maintenance),
                ("noise_weights.weekend", noise.weekend),
                ("noise_weights.early", noise.early),
                ("noise_weights.default", noise.default),
            ],
            [
                ("alert_weights.night", alerts.night),
                ("alert_weights.evening", alerts.evening),
                ("alert_weights.weekend", alerts.weekend),
                ("alert_weights.day", alerts.day),
                ("alert_weights.default", alerts.default),
            ],
        ];
        for group in groups {
            if let Some((setting, weight)) = group.iter().find(|w| w.1 > MOST_WEIGHT) {
                return fail(setting, decimal(*weight), "give a weight of 0 to 1000");
            }
            if group.iter().all(|w| w.1 == 0) {
                let problem = "this and the other four weights are 0".into();
                return fail(group[0].0, problem, "give one of them a weight");
            }
        }
        if self.time_zone_offset.abs() > 14 * 3600 || self.time_zone_offset % 900 != 0 {
            let problem = format!("{} seconds", self.time_zone_offset);
            let remedy = "give quarters of an hour, at most 14 hours from UTC";
            return fail("time_zone_offset", problem, remedy);
        }
        Ok(())
    }

    /// Midnight UTC of the first day, Unix seconds.
    pub fn start_seconds(&self) -> i64 {
        self.start
            .and_time(chrono::NaiveTime::MIN)
            .and_utc()
            .timestamp()
    }

    /// The date of day `index`.
    pub fn date(&self, index: u32) -> NaiveDate {
        self.start + chrono::Days::new(u64::from(index))
    }

    /// Chain and noise shares in parts per million: each at most 0.95, scaled down together past 0.95.
    pub fn ratios(&self, notices: &mut Vec<String>) -> (u64, u64) {
        const MOST: u64 = 950_000;
        let mut clamp = |flag: &str, ratio: Ratio| {
            if ratio.millionths() > MOST {
                notices.push(format!(
                    "{flag} {ratio} is taken as 0.95, the most there can be"
                ));
            }
            ratio.millionths().min(MOST)
        };
        let chain = clamp("--attack-chain-ratio", self.attack_chain_ratio);
        let noise = clamp("--noise-ratio", self.noise_ratio);
        if chain + noise <= MOST {
            return (chain, noise);
        }
        notices.push(
            "--attack-chain-ratio and --noise-ratio sum to more than 0.95; both are scaled down to it".into(),
        );
        let scaled = chain * MOST / (chain + noise);
        (scaled, MOST - scaled)
    }

    /// Weights that are given but decide nothing.
    pub(super) fn idle(&self, notices: &mut Vec<String>) {
        let default = Config::default();
        for (name, given, on, instead) in [
            (
                "NOISE",
                self.noise_weights != default.noise_weights,
                self.noise_seasonality,
                &self.noise_hours,
            ),
            (
                "ALERT",
                self.alert_weights != default.alert_weights,
                self.noise_seasonality,
                &self.alert_hours,
            ),
        ] {
            if given && instead.is_some() {
                notices.push(format!(
                    "the {name}_*_WEIGHT settings do nothing beside {name}_HOURLY_WEIGHTS"
                ));
            } else if given && !on {
                notices.push(format!(
                    "the {name}_*_WEIGHT settings do nothing without --noise-seasonality"
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_hours_or_clock_times() {
        assert_eq!(parse_offset("2"), Ok(7200));
        assert_eq!(parse_offset("-5"), Ok(-18_000));
        assert_eq!(parse_offset("+05:30"), Ok(19_800));
        assert_eq!(parse_offset("5.75"), Ok(20_700));
        assert_eq!(parse_offset("-03:30"), Ok(-12_600));
        for bad in [
            "",
            "UTC",
            "15",
            "--2",
            "5:3x",
            "0.1",
            "1e1",
            "-",
            "99999999999",
        ] {
            assert!(parse_offset(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn weights_that_make_no_calendar_are_refused() {
        let refused = |config: Config| config.validate().unwrap_err().to_string();
        let said = refused(Config {
            noise_hours: Some([0; 24]),
            ..Config::default()
        });
        assert!(said.starts_with("noise_hours: all 24 are 0"), "{said}");
        let none = AlertWeights {
            night: 0,
            evening: 0,
            weekend: 0,
            day: 0,
            default: 0,
        };
        let said = refused(Config {
            alert_weights: none,
            ..Config::default()
        });
        assert!(said.contains("alert_weights.night"), "{said}");
        let said = refused(Config {
            time_zone_offset: 100,
            ..Config::default()
        });
        assert!(said.contains("time_zone_offset"), "{said}");
    }

    #[test]
    fn windows_beyond_what_records_can_tell_are_refused() {
        let window = |start: &str, days| Config {
            start: start.parse().unwrap(),
            days,
            ..Config::default()
        };
        for (start, days) in [("1980-01-01", 1), ("2099-12-31", 1), ("2099-01-01", 365)] {
            window(start, days).validate().unwrap();
        }
        for (start, days) in [
            ("1979-12-31", 7),
            ("-0500-01-01", 1),
            ("2099-12-31", 2),
            ("+262142-12-31", 3660),
        ] {
            let said = window(start, days).validate().unwrap_err().to_string();
            assert!(said.starts_with("start: "), "{said}");
        }
        let small = Config {
            shard_rows: 500,
            row_group_rows: 500,
            ..Config::default()
        };
        let said = small.validate().unwrap_err().to_string();
        assert!(said.starts_with("shard_rows: 500 rows"), "{said}");
    }

    #[test]
    fn counts_take_suffixes() {
        assert_eq!(parse_count("10k"), Ok(10_000));
        assert_eq!(parse_count("1.5M"), Ok(1_500_000));
        assert_eq!(parse_count("1B"), Ok(1_000_000_000));
        assert_eq!(parse_count("1_000"), Ok(1000));
        for bad in ["", "k", "-1", "1.0000001k", "ten", "1e6", "99999999999B"] {
            assert!(parse_count(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn ratios_are_clamped_with_a_notice() {
        let mut notices = Vec::new();
        let config = Config {
            attack_chain_ratio: "2.0".parse().unwrap(),
            ..Config::default()
        };
        assert_eq!(
            config.ratios(&mut notices).0 + config.ratios(&mut notices).1,
            950_000
        );
        assert!(!notices.is_empty());
    }
}
