//! Settings that several subcommands take: what to generate, out of what.
//!
//! A flag wins over its environment variable, which wins over the configuration file,
//! which wins over the default (`layers.rs`). A field here is a flag and a key of the file;
//! `config()` hands it on.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, ValueEnum};

use super::hours::Hours;
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::grounding::{Profile, SeverityScale, Table, alerts_db, cmdb, directory};
use crate::near::unknown;
use crate::plan::config::{Labels, SchemaName, parse_count};
use crate::plan::{Config, Format, Grounding, PartitionBy, Ratio};
use crate::schema::Schema;
use crate::world::hosts::reporting;

/// What severity numbers mean.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Scale {
    /// Suricata and Snort: 1 high, 2 medium, 3 low
    Suricata,
    /// 1 low, 2 medium, 3 high, 4 critical
    Fusionai,
    /// 1 to 3 low, 4 medium, 5 high, 6 to 8 critical
    Ntopng,
    /// Wazuh and OSSEC: 0 to 16, from 4 medium, 8 high, 12 critical
    Wazuh,
    /// 0 to 10, from 4 medium, 7 high, 9 critical
    Cvss,
    /// 0 to 100, from 40 medium, 70 high, 90 critical
    Percent,
    /// OCSF: 1 informational, 2 low, 3 medium, 4 high, 5 and 6 critical
    Ocsf,
    /// Words, informational to critical
    Words,
    /// Numbers stay, and events get no severity word
    None,
}

impl From<Scale> for SeverityScale {
    fn from(scale: Scale) -> Self {
        match scale {
            Scale::Suricata => SeverityScale::Suricata,
            Scale::Fusionai => SeverityScale::Fusionai,
            Scale::Ntopng => SeverityScale::Ntopng,
            Scale::Wazuh => SeverityScale::Wazuh,
            Scale::Cvss => SeverityScale::Cvss,
            Scale::Percent => SeverityScale::Percent,
            Scale::Ocsf => SeverityScale::Ocsf,
            Scale::Words => SeverityScale::Words,
            Scale::None => SeverityScale::None,
        }
    }
}

/// What a corpus is made of.
#[derive(Debug, Args)]
pub struct Settings {
    /// Events to write; takes 10k, 5M, 1B
    #[arg(
        long,
        env = "TARGET_EVENTS",
        default_value = "1M",
        value_name = "N",
        help_heading = "Size and time"
    )]
    events: String,
    /// Everything random follows from it
    #[arg(
        long,
        env = "SEED",
        default_value_t = 42,
        value_name = "N",
        help_heading = "Size and time"
    )]
    seed: u64,
    /// First day, UTC
    #[arg(
        long,
        default_value = "2024-08-12",
        value_name = "DATE",
        help_heading = "Size and time"
    )]
    start: String,
    /// Days in the window
    #[arg(
        long,
        default_value_t = 7,
        value_name = "N",
        help_heading = "Size and time"
    )]
    days: u32,

    /// Alerts to take distributions from: SQLite, lines of eve.json (also .gz, .zst), CSV or Parquet
    #[arg(long, env = "DB_PATH", value_name = "FILE", help_heading = "Grounding")]
    alerts_db: Option<PathBuf>,
    /// Profile that `fusiongen profile` saved, instead of --alerts-db
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Grounding",
        conflicts_with = "alerts_db"
    )]
    profile: Option<PathBuf>,
    /// What severity numbers mean [default: by the database's columns, or as the profile says]
    #[arg(long, value_name = "SCALE", help_heading = "Grounding")]
    severity_scale: Option<Scale>,
    /// Users as CSV
    #[arg(
        long,
        env = "AD_USERS_FILE",
        value_name = "FILE",
        help_heading = "Grounding"
    )]
    ad_users: Option<PathBuf>,
    /// Hosts as CSV
    #[arg(
        long,
        env = "CMDB_ASSETS_FILE",
        value_name = "FILE",
        help_heading = "Grounding"
    )]
    cmdb_assets: Option<PathBuf>,
    /// Refuse a file of users or hosts at the first row that is not as expected
    #[arg(long, help_heading = "Grounding")]
    strict: bool,
    /// Users to make up when no CSV gives them [default: 0.85 a host]
    #[arg(
        long,
        value_name = "N",
        help_heading = "Grounding",
        conflicts_with = "ad_users"
    )]
    users: Option<u32>,
    /// Hosts to make up when no CSV gives them [default: one for 1,500 events a day, 250 to 100,000]
    #[arg(
        long,
        value_name = "N",
        help_heading = "Grounding",
        conflicts_with = "cmdb_assets"
    )]
    assets: Option<u32>,

    /// What can happen, laid out like data/catalog of the sources [default: the built-in catalog]
    #[arg(long, value_name = "DIR", help_heading = "Grounding")]
    catalog: Option<PathBuf>,

    /// Share of events that belong to attack chains, 0 to 0.95
    #[arg(
        long,
        env = "ATTACK_CHAIN_RATIO",
        default_value = "0.15",
        value_name = "R",
        help_heading = "Composition",
        allow_hyphen_values = true
    )]
    attack_chain_ratio: String,
    /// Share of events that are benign noise, 0 to 0.95
    #[arg(
        long,
        env = "NOISE_RATIO",
        default_value = "0.2",
        value_name = "R",
        help_heading = "Composition",
        allow_hyphen_values = true
    )]
    noise_ratio: String,
    /// Attack chains per host and day, at most
    #[arg(
        long,
        default_value = "0.1",
        value_name = "R",
        help_heading = "Composition",
        allow_hyphen_values = true
    )]
    chain_density: String,
    /// Give noise and alerts the hours of a working week
    #[arg(long, env = "NOISE_SEASONALITY", help_heading = "Composition", value_parser = clap::builder::BoolishValueParser::new(), num_args = 0..=1, default_missing_value = "true", default_value = "false", require_equals = true, value_name = "BOOL")]
    noise_seasonality: bool,
    /// Whether events carry the answers: labels.verdict, labels.noise_type, attack.*, fusionai.noise
    #[arg(
        long,
        value_enum,
        default_value = "full",
        value_name = "LABELS",
        help_heading = "Composition"
    )]
    labels: Labels,
    #[command(flatten)]
    hours: Hours,

    /// Fields of the events
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "NAME",
        help_heading = "Files"
    )]
    schema: SchemaName,
    /// File format of the events
    #[arg(
        long,
        value_enum,
        default_value = "parquet",
        value_name = "FORMAT",
        help_heading = "Files"
    )]
    format: Format,
    /// zstd(LEVEL), snappy, lz4 or none [default: zstd(1) for parquet, else none]
    #[arg(long, value_name = "CODEC", help_heading = "Files")]
    compression: Option<String>,
    /// Directories of the events
    #[arg(
        long,
        value_enum,
        default_value = "date,category",
        value_name = "KEYS",
        help_heading = "Files"
    )]
    partition_by: PartitionBy,
    /// Rows of a row group, about
    #[arg(
        long,
        default_value = "512Ki",
        value_name = "N",
        help_heading = "Files"
    )]
    row_group_rows: String,
    /// Rows of a file, about
    #[arg(long, default_value = "4Mi", value_name = "N", help_heading = "Files")]
    shard_rows: String,
    /// Fields that get a Bloom filter, with commas: source.ip,process.entity_id
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "FIELD",
        help_heading = "Files"
    )]
    bloom_filter: Vec<String>,

    /// TOML file of settings: a key is a flag's name with _ for -; flags and environment win
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    config: Option<PathBuf>,
}

fn count(flag: &str, text: &str) -> Result<u64> {
    let binary = |suffix: &str, scale: u64| {
        text.strip_suffix(suffix)
            .and_then(|n| n.parse::<u64>().ok())
            .and_then(|n| n.checked_mul(scale))
    };
    if let Some(n) = binary("Ki", 1 << 10).or_else(|| binary("Mi", 1 << 20)) {
        return Ok(n);
    }
    parse_count(text).map_err(|problem| {
        Error::setting(
            flag,
            problem,
            "give a whole number, with k, M or B if you like",
        )
    })
}

fn ratio(flag: &str, text: &str) -> Result<Ratio> {
    text.parse()
        .map_err(|problem: String| Error::setting(flag, problem, "give a decimal such as 0.15"))
}

/// Leaf paths of the schema, sorted, each once.
fn bloom_filter(fields: &[String], config: &Config) -> Result<Vec<String>> {
    let schema = Schema::of(config);
    let known: Vec<&str> = schema.leaves.iter().map(|l| l.path).collect();
    let mut paths = Vec::new();
    for field in fields.iter().map(|f| f.trim()).filter(|f| !f.is_empty()) {
        if !known.contains(&field) {
            return Err(unknown("--bloom-filter", field, &known));
        }
        paths.push(field.to_string());
    }
    paths.sort();
    paths.dedup();
    Ok(paths)
}

/// The error of a setting, by the flag that gives it.
pub(super) fn flagged(error: Error) -> Error {
    let Error::Setting {
        setting,
        problem,
        remedy,
    } = error
    else {
        return error;
    };
    let flag = match (setting.as_str(), setting.split_once("_weights.")) {
        ("noise_hours", _) => "noise-hourly-weights".into(),
        ("alert_hours", _) => "alert-hourly-weights".into(),
        ("time_zone_offset", _) => "noise-tz-offset".into(),
        (_, Some((of, "maintenance"))) => format!("{of}-maint-weight"),
        (_, Some((of, weight))) => format!("{of}-{weight}-weight"),
        (name, None) => name.replace('_', "-"),
    };
    Error::setting(format!("--{flag}"), problem, remedy)
}

/// The rows of a table, after its notes are printed.
fn said<T>(table: Table<T>) -> Vec<T> {
    for sentence in &table.notes {
        eprintln!("note: {sentence}");
    }
    table.rows
}

impl Settings {
    /// The resolved settings.
    ///
    /// # Errors
    /// A value that cannot be used, with its flag.
    pub fn config(&self) -> Result<Config> {
        let start = NaiveDate::parse_from_str(&self.start, "%Y-%m-%d").map_err(|_| {
            Error::setting(
                "--start",
                format!("'{}' is not a date", self.start),
                "give one like 2024-08-12",
            )
        })?;
        let format = self.format;
        let compression = match &self.compression {
            None => format.default_compression(),
            Some(text) => text.parse().map_err(|problem: String| {
                Error::setting(
                    "--compression",
                    problem,
                    "give zstd, zstd(LEVEL) with a level of 1 to 22, snappy, lz4 or none",
                )
            })?,
        };
        let shard_rows = count("--shard-rows", &self.shard_rows)?;
        let mut config = Config {
            events: count("--events", &self.events)?,
            seed: self.seed,
            start,
            days: self.days,
            attack_chain_ratio: ratio("--attack-chain-ratio", &self.attack_chain_ratio)?,
            noise_ratio: ratio("--noise-ratio", &self.noise_ratio)?,
            chain_density: ratio("--chain-density", &self.chain_density)?,
            noise_seasonality: self.noise_seasonality,
            labels: self.labels,
            assets: self.assets,
            users: self.users,
            schema: self.schema,
            format,
            compression,
            partition_by: self.partition_by,
            // A file holds no larger row group than itself.
            row_group_rows: count("--row-group-rows", &self.row_group_rows)?.min(shard_rows),
            shard_rows,
            ..Config::default()
        };
        self.hours.apply(&mut config)?;
        config.bloom_filter = bloom_filter(&self.bloom_filter, &config)?;
        config.validate().map_err(flagged)?;
        Ok(config)
    }

    /// Reads every input.
    ///
    /// # Errors
    /// The first file that cannot be used, and why.
    pub fn grounding(&self) -> Result<Grounding> {
        let scale = self.severity_scale.map(SeverityScale::from);
        let mut profile = match (&self.alerts_db, &self.profile) {
            (Some(path), _) => alerts_db::fit(path, scale)?,
            (None, Some(path)) => Profile::read(path)?,
            (None, None) => Profile::embedded(),
        };
        if let Some(scale) = scale.filter(|scale| *scale != profile.severity_scale) {
            profile.rescale(scale);
        }
        let reason = std::iter::once(&profile.severity_reason).filter(|it| !it.is_empty());
        for sentence in reason.chain(&profile.missing) {
            eprintln!("note: {sentence}");
        }
        let users = self.ad_users.as_deref();
        let users = users.map(|path| directory::read(path, self.strict));
        let assets = self.cmdb_assets.as_deref();
        let assets = assets
            .map(|path| cmdb::read(path, self.strict))
            .transpose()?;
        if let (Some(path), Some(assets)) = (&self.cmdb_assets, &assets)
            && reporting(&assets.rows) == 0
        {
            return Err(Error::input(
                path,
                None,
                "none of the assets runs Windows or Linux, so no host could report anything",
                "give at least one workstation or server, or leave --cmdb-assets out",
            ));
        }
        Ok(Grounding {
            profile,
            users: users.transpose()?.map(said),
            assets: assets.map(said),
        })
    }

    /// The catalog: the directory's, or the built-in one.
    ///
    /// # Errors
    /// The first mistake of a file, with its place and a remedy.
    pub fn catalog(&self) -> Result<Catalog> {
        match &self.catalog {
            Some(dir) => Catalog::read(dir),
            None => Catalog::embedded(),
        }
    }
}
