//! The settings of a corpus, resolved and checked.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The fields of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub events: u64,
    pub seed: u64,
    pub start: NaiveDate,
    pub days: u32,
    /// Shares of events, as decimals: `0.15`.
    pub attack_chain_ratio: String,
    pub noise_ratio: String,
    /// Chains per host and day at most, as a decimal.
    pub chain_density: String,
    pub noise_seasonality: bool,
    /// Seconds east of UTC that working hours are in.
    pub time_zone_offset: i64,
    pub assets: Option<u32>,
    pub users: Option<u32>,
    pub schema: SchemaName,
    pub row_group_rows: u64,
    pub shard_rows: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            events: 1_000_000,
            seed: 42,
            start: NaiveDate::from_ymd_opt(2024, 8, 12).unwrap_or_default(),
            days: 7,
            attack_chain_ratio: "0.15".into(),
            noise_ratio: "0.20".into(),
            chain_density: "0.1".into(),
            noise_seasonality: false,
            time_zone_offset: 0,
            assets: None,
            users: None,
            schema: SchemaName::Fusionai,
            row_group_rows: 512 * 1024,
            shard_rows: 4 * 1024 * 1024,
        }
    }
}

/// Parts per million of a decimal like `0.15`, without floating point.
///
/// # Errors
/// Not a plain, non-negative decimal (NaN, signs and exponents are refused).
pub fn parts_per_million(text: &str) -> std::result::Result<u64, String> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole)
        || !digits(fraction)
        || (whole.is_empty() && fraction.is_empty())
        || whole.len() > 9
    {
        return Err(format!("'{text}' is not a number of 0 or more like 0.15"));
    }
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().map_err(|_| "too large")?
    };
    let mut millionths = 0;
    for i in 0..6 {
        let digit = fraction
            .as_bytes()
            .get(i)
            .map_or(0, |b| u64::from(b - b'0'));
        millionths = millionths * 10 + digit;
    }
    Ok(whole * 1_000_000 + millionths)
}

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
    /// Names the flag and what it takes.
    pub fn validate(&self) -> Result<()> {
        let fail =
            |flag: &str, problem: String, remedy: &str| Err(Error::setting(flag, problem, remedy));
        if self.events == 0 || self.events > MOST_EVENTS {
            return fail(
                "--events (TARGET_EVENTS)",
                format!("{} events make no corpus", self.events),
                "give 1 to 1000B",
            );
        }
        if self.days == 0 || self.days > 3660 {
            return fail(
                "--days",
                format!("{} days make no window", self.days),
                "give 1 to 3660",
            );
        }
        for (flag, text) in [
            (
                "--attack-chain-ratio (ATTACK_CHAIN_RATIO)",
                &self.attack_chain_ratio,
            ),
            ("--noise-ratio (NOISE_RATIO)", &self.noise_ratio),
            ("--chain-density", &self.chain_density),
        ] {
            if let Err(problem) = parts_per_million(text) {
                return fail(flag, problem, "give a decimal such as 0.15");
            }
        }
        if let Some(assets) = self.assets
            && !(20..=1_000_000).contains(&assets)
        {
            return fail("--assets", format!("{assets} hosts"), "give 20 to 1000000");
        }
        if let Some(users) = self.users
            && !(1..=1_000_000).contains(&users)
        {
            return fail("--users", format!("{users} users"), "give 1 to 1000000");
        }
        if self.row_group_rows < 1024 || self.row_group_rows > 16 << 20 {
            return fail(
                "--row-group-rows",
                format!("{} rows", self.row_group_rows),
                "give 1024 to 16777216",
            );
        }
        if self.shard_rows < self.row_group_rows {
            return fail(
                "--shard-rows",
                format!(
                    "{} rows are less than a row group ({})",
                    self.shard_rows, self.row_group_rows
                ),
                "give at least --row-group-rows",
            );
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
        let mut clamp = |flag: &str, text: &str| {
            let ppm = parts_per_million(text).unwrap_or(0);
            if ppm > MOST {
                notices.push(format!(
                    "{flag} {text} is taken as 0.95, the most there can be"
                ));
            }
            ppm.min(MOST)
        };
        let chain = clamp("--attack-chain-ratio", &self.attack_chain_ratio);
        let noise = clamp("--noise-ratio", &self.noise_ratio);
        if chain + noise <= MOST {
            return (chain, noise);
        }
        notices.push(
            "--attack-chain-ratio and --noise-ratio sum to more than 0.95; both are scaled down to it".into(),
        );
        let scaled = chain * MOST / (chain + noise);
        (scaled, MOST - scaled)
    }

    /// `--chain-density` in parts per million.
    pub fn density(&self) -> u64 {
        parts_per_million(&self.chain_density).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        assert_eq!(parts_per_million("0.15"), Ok(150_000));
        assert_eq!(parts_per_million("1"), Ok(1_000_000));
        assert_eq!(parts_per_million(".000001"), Ok(1));
        for bad in ["NaN", "-0.1", "1e3", "", ".", "inf", "0.1.2", "+1"] {
            assert!(parts_per_million(bad).is_err(), "{bad}");
        }
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
            attack_chain_ratio: "2.0".into(),
            ..Config::default()
        };
        assert_eq!(
            config.ratios(&mut notices).0 + config.ratios(&mut notices).1,
            950_000
        );
        assert!(!notices.is_empty());
    }
}
