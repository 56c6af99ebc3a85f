//! Settings that several subcommands take: what to generate, out of what.
//!
//! A flag wins over its environment variable, which wins over the default.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::Args;

use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::grounding::{Profile, alerts_db, cmdb, directory};
use crate::plan::config::{SchemaName, parse_count};
use crate::plan::{Config, Grounding};

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

    /// SQLite alerts to take distributions from
    #[arg(long, env = "DB_PATH", value_name = "FILE", help_heading = "Grounding")]
    alerts_db: Option<PathBuf>,
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
        default_value = "0.20",
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

    /// Fields of the events
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "NAME",
        help_heading = "Files"
    )]
    schema: SchemaName,
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
        let shard_rows = count("--shard-rows", &self.shard_rows)?;
        let config = Config {
            events: count("--events (TARGET_EVENTS)", &self.events)?,
            seed: self.seed,
            start,
            days: self.days,
            attack_chain_ratio: self.attack_chain_ratio.trim().to_string(),
            noise_ratio: self.noise_ratio.trim().to_string(),
            chain_density: self.chain_density.trim().to_string(),
            noise_seasonality: self.noise_seasonality,
            time_zone_offset: 0,
            assets: self.assets,
            users: self.users,
            schema: self.schema,
            // A file holds no larger row group than itself.
            row_group_rows: count("--row-group-rows", &self.row_group_rows)?.min(shard_rows),
            shard_rows,
        };
        config.validate()?;
        Ok(config)
    }

    /// Reads every input.
    ///
    /// # Errors
    /// The first file that cannot be used, and why.
    pub fn grounding(&self) -> Result<Grounding> {
        let profile = match &self.alerts_db {
            Some(path) => alerts_db::fit(path, None)?,
            None => Profile::embedded(),
        };
        for sentence in &profile.missing {
            eprintln!("note: {sentence}");
        }
        let users = self.ad_users.as_deref().map(directory::read).transpose()?;
        let assets = self.cmdb_assets.as_deref().map(cmdb::read).transpose()?;
        Ok(Grounding {
            profile,
            users,
            assets,
        })
    }

    /// The catalog.
    ///
    /// # Errors
    /// A defect of the embedded files.
    pub fn catalog(&self) -> Result<Catalog> {
        Catalog::embedded()
    }
}
