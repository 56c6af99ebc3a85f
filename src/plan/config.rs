//! The settings of a corpus, parsed and validated.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

use super::choice::Choice;
use super::files::{Compression, Format, PartitionBy, Table, bytes_per_event, bytes_per_file};
use super::ratio::{Ratio, decimal};
use crate::error::{Error, Result};
use crate::numbers::counted;
use crate::random::Key;

/// Whether events have labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Labels {
    /// Events have verdict, noise type and attack.
    #[default]
    Full,
    /// No labels, as in a SIEM; the truth tables still have them.
    None,
}

/// Weights of noise by hour of the week under `noise_seasonality`, in millionths; local time.
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

/// Weights of standalone alerts by hour of the week under `noise_seasonality`, in millionths; local time.
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

/// The schema of the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SchemaName {
    #[default]
    Fusionai,
    Ecs,
}

impl SchemaName {
    /// Every schema, in the order of the help text.
    pub const ALL: &[SchemaName] = &[SchemaName::Fusionai, SchemaName::Ecs];

    /// Value of `--schema`, and its help text.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            SchemaName::Fusionai => (
                "fusionai",
                "An ECS-like document with fusionai's own fields and the host's native record",
            ),
            SchemaName::Ecs => (
                "ecs",
                "The Elastic Common Schema 9.4, with the native record",
            ),
        }
    }
}

/// All settings that decide the content of a corpus, except its inputs. Paths and
/// threads are not settings, because they must not change a byte.
///
/// A setting that is missing from an older `plan.json` has its default.
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
    /// Maximum chains per host per day.
    pub chain_density: Ratio,
    /// Only these playbooks are run. A choice that is not made is not serialised, so it leaves the
    /// fingerprint as it was before choices existed.
    #[serde(skip_serializing_if = "Choice::is_empty")]
    pub playbook: Choice,
    /// Only playbooks with a step of one of these techniques are run; ids, sorted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub technique: Vec<String>,
    /// Only these noise scenarios occur.
    #[serde(skip_serializing_if = "Choice::is_empty")]
    pub scenario: Choice,
    pub noise_seasonality: bool,
    /// Local time of working hours, in seconds east of UTC.
    pub time_zone_offset: i64,
    pub noise_weights: NoiseWeights,
    pub alert_weights: AlertWeights,
    /// Weight of each local hour in millionths; overrides `noise_weights` and needs no seasonality.
    pub noise_hours: Option<[u64; 24]>,
    /// Weight of each local hour in millionths; overrides `alert_weights` and the profile's hours.
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
    /// Paths of leaf fields with a Bloom filter, sorted.
    pub bloom_filter: Vec<String>,
    /// Number of the corpus among those that follow each other in time. All have the same hosts and
    /// users; attacks and noise differ.
    #[serde(skip_serializing_if = "is_first")]
    pub period: u32,
    /// Files that make the events a table. No data file depends on it, so the fingerprint leaves it
    /// out: a table is added to an existing corpus, or taken from it, without writing events again.
    #[serde(skip_serializing_if = "is_none")]
    pub table: Table,
}

fn is_first(period: &u32) -> bool {
    *period == 0
}

fn is_none(table: &Table) -> bool {
    *table == Table::None
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
            playbook: Choice::default(),
            technique: Vec::new(),
            scenario: Choice::default(),
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
            period: 0,
            table: Table::None,
        }
    }
}

/// Larger weights would leave too few bits for the other hours of a list.
const MOST_WEIGHT: u64 = 1_000_000_000;

/// Maximum number of events, 10¹²; a larger number is a mistake.
const MOST_EVENTS: u64 = 1_000_000_000_000;

impl Config {
    /// Midnight UTC of the first period's first day, Unix seconds.
    pub(crate) fn epoch_seconds(&self) -> i64 {
        self.start_seconds() - i64::from(self.period) * i64::from(self.days) * 86_400
    }

    /// Key of what differs between periods.
    pub(crate) fn key(&self, name: &str) -> Key {
        let key = Key::root(self.seed).child(name);
        match self.period {
            0 => key,
            period => key.with(u64::from(period)),
        }
    }

    /// Validates the settings.
    ///
    /// # Errors
    /// The first invalid setting, with the accepted range.
    pub fn validate(&self) -> Result<()> {
        let fail = |setting: &str, problem: String, remedy: &str| {
            Err(Error::setting(setting, problem, remedy))
        };
        if self.events == 0 || self.events > MOST_EVENTS {
            return fail(
                "events",
                format!("{} events are outside the accepted range", self.events),
                "give 1 to 1000B",
            );
        }
        if self.days == 0 || self.days > 3660 {
            return fail(
                "days",
                format!("{} days are outside the accepted range", self.days),
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
        // A corpus names events from some years before its window, and a process GUID holds seconds
        // since 1970 in 32 bits.
        let years = 1980..2100;
        let last = self
            .start
            .checked_add_days(chrono::Days::new(u64::from(self.days) - 1));
        let within = |date: NaiveDate| years.contains(&date.year());
        if !within(self.start) || !last.is_some_and(within) {
            return fail(
                "start",
                format!(
                    "{} from {} on are not within the years 1980 to 2099",
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
            return Err(Error::setting("compression", problem, remedy));
        }
        if self.table != Table::None && !self.format.is_parquet() {
            let (table, format) = (self.table.words().0, self.format.name());
            return fail(
                "table",
                format!("a {table} table consists of Parquet files, not of {format} files"),
                "use format parquet, or omit table",
            );
        }
        if self.shard_rows < self.row_group_rows {
            return fail(
                "shard_rows",
                format!(
                    "{} rows are fewer than a row group has ({})",
                    self.shard_rows, self.row_group_rows
                ),
                "give at least the rows of a row group",
            );
        }
        for (setting, choice) in [("playbook", &self.playbook), ("scenario", &self.scenario)] {
            if let Err(problem) = choice.validate() {
                let remedy = "give at least one name a weight from 1 to 1000000";
                return fail(setting, problem, remedy);
            }
        }
        for (setting, hours) in [
            ("noise_hours", &self.noise_hours),
            ("alert_hours", &self.alert_hours),
        ] {
            let Some(hours) = hours else { continue };
            if hours.iter().all(|w| *w == 0) {
                return fail(
                    setting,
                    "all 24 are 0".into(),
                    "give at least one hour a weight above 0",
                );
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
                return fail(
                    group[0].0,
                    problem,
                    "give at least one of them a weight above 0",
                );
            }
        }
        if self.time_zone_offset.abs() > 14 * 3600 || self.time_zone_offset % 900 != 0 {
            let problem = format!("{} seconds", self.time_zone_offset);
            let remedy = "give a multiple of a quarter of an hour, at most 14 hours from UTC";
            return fail("time_zone_offset", problem, remedy);
        }
        Ok(())
    }

    /// Whether the settings choose among the playbooks.
    pub fn chooses_attacks(&self) -> bool {
        !self.playbook.is_empty() || !self.technique.is_empty()
    }

    /// Midnight UTC of the first day, Unix seconds.
    pub fn start_seconds(&self) -> i64 {
        self.start
            .and_time(chrono::NaiveTime::MIN)
            .and_utc()
            .timestamp()
    }

    /// Estimated bytes of a file of `rows` events.
    pub fn estimated_bytes(&self, rows: u64) -> u64 {
        bytes_per_file(self.format) + rows * bytes_per_event(self.format, self.compression)
    }

    /// The date of day `index`.
    pub fn date(&self, index: u32) -> NaiveDate {
        self.start + chrono::Days::new(u64::from(index))
    }

    /// Largest share of chains and noise together, in parts per million.
    pub const MOST_OF_CHAINS_AND_NOISE: u64 = 950_000;

    /// Shares of chains and noise in parts per million. Each is at most 0.95; if their sum is above
    /// 0.95, both are scaled down.
    pub fn ratios(&self, notices: &mut Vec<String>) -> (u64, u64) {
        const MOST: u64 = Config::MOST_OF_CHAINS_AND_NOISE;
        let mut clamp = |flag: &str, ratio: Ratio| {
            if ratio.millionths() > MOST {
                notices.push(format!("{flag} {ratio} is reduced to 0.95, the maximum"));
            }
            ratio.millionths().min(MOST)
        };
        let chain = clamp("--attack-chain-ratio", self.attack_chain_ratio);
        let noise = clamp("--noise-ratio", self.noise_ratio);
        if chain + noise <= MOST {
            return (chain, noise);
        }
        notices.push(
            "--attack-chain-ratio and --noise-ratio add up to more than 0.95; both are scaled down"
                .into(),
        );
        let scaled = chain * MOST / (chain + noise);
        (scaled, MOST - scaled)
    }

    /// Notices about settings that are given but have no effect.
    pub(super) fn idle(&self, notices: &mut Vec<String>) {
        if !self.bloom_filter.is_empty() && !self.format.is_parquet() {
            notices.push(format!(
                "--bloom-filter has no effect with --format {}: only Parquet has Bloom filters",
                self.format.name()
            ));
        }
        let (chains, noise) = self.ratios(&mut Vec::new());
        for (setting, given, of, share) in [
            (
                "playbook",
                !self.playbook.is_empty(),
                "attack chains",
                chains,
            ),
            (
                "technique",
                !self.technique.is_empty(),
                "attack chains",
                chains,
            ),
            ("scenario", !self.scenario.is_empty(), "noise", noise),
        ] {
            if given && share == 0 {
                notices.push(format!(
                    "{setting} has no effect, because the share of {of} is 0"
                ));
            }
        }
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
                    "the {name}_*_WEIGHT settings have no effect, because {name}_HOURLY_WEIGHTS is set"
                ));
            } else if given && !on {
                notices.push(format!(
                    "the {name}_*_WEIGHT settings have no effect without --noise-seasonality"
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn settings_without_effect_have_a_notice() {
        let notices = |format| {
            let config = Config {
                format,
                bloom_filter: vec!["source.ip".into()],
                ..Config::default()
            };
            let mut notices = Vec::new();
            config.idle(&mut notices);
            notices
        };
        assert!(notices(Format::Parquet).is_empty());
        let said = notices(Format::Ndjson);
        assert!(said[0].starts_with("--bloom-filter"), "{said:?}");
    }
}
