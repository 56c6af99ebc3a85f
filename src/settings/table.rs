//! The settings of a corpus: name, type, default and help of each, in the order of `--help`.

use super::preset;
use super::words::{self, Word};

/// The type of a setting's value, as text.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A whole number up to a maximum: `42`.
    Number(u64),
    /// A count, with a suffix if it is long: `250000`, `10k`, `5M`, `512Ki`.
    Count,
    /// A decimal number: `0.15`.
    Decimal,
    /// Hours east of UTC: `2`, `-5.5`, `+05:30`.
    Offset,
    /// A date: `2024-08-12`.
    Date,
    Text,
    /// One of several words.
    Choice(fn() -> Vec<Word>),
    File,
    Directory,
    /// On if it is given.
    Switch,
    Boolean,
    /// Words separated by commas.
    Words,
    /// Decimal numbers separated by commas.
    Decimals,
}

/// Sections of `--help`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    Size,
    Grounding,
    Composition,
    /// Hours of noise and alerts. On the command line these are not flags, only environment
    /// variables and keys of the configuration file, because there are many and few users need them.
    Hours,
    Files,
}

/// A setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Key of the configuration file and Python argument.
    pub name: &'static str,
    pub kind: Kind,
    pub section: Section,
    /// The value's name in `--help`: `N`, `FILE`.
    pub value: &'static str,
    pub help: &'static str,
    /// Environment variable without the prefix `FUSIONGEN_`, which other generators have, too.
    pub variable: Option<&'static str>,
    /// `None` if the default depends on other settings; `help` describes it then.
    pub default: Option<&'static str>,
    /// A setting that cannot be given together with this one.
    pub excludes: Option<&'static str>,
}

impl Setting {
    const fn new(
        section: Section,
        name: &'static str,
        kind: Kind,
        value: &'static str,
        help: &'static str,
    ) -> Self {
        Setting {
            name,
            kind,
            section,
            value,
            help,
            variable: None,
            default: None,
            excludes: None,
        }
    }

    const fn variable(self, variable: &'static str) -> Self {
        Setting {
            variable: Some(variable),
            ..self
        }
    }

    const fn default(self, default: &'static str) -> Self {
        Setting {
            default: Some(default),
            ..self
        }
    }

    const fn excludes(self, other: &'static str) -> Self {
        Setting {
            excludes: Some(other),
            ..self
        }
    }

    /// Its own environment variable: `FUSIONGEN_SEED`.
    pub fn own_variable(&self) -> String {
        format!("FUSIONGEN_{}", self.name.to_uppercase())
    }
}

const fn size(name: &'static str, kind: Kind, value: &'static str, help: &'static str) -> Setting {
    Setting::new(Section::Size, name, kind, value, help)
}

const fn grounding(
    name: &'static str,
    kind: Kind,
    value: &'static str,
    help: &'static str,
) -> Setting {
    Setting::new(Section::Grounding, name, kind, value, help)
}

const fn composition(
    name: &'static str,
    kind: Kind,
    value: &'static str,
    help: &'static str,
) -> Setting {
    Setting::new(Section::Composition, name, kind, value, help)
}

const fn hours(
    name: &'static str,
    kind: Kind,
    value: &'static str,
    variable: &'static str,
    help: &'static str,
) -> Setting {
    Setting::new(Section::Hours, name, kind, value, help).variable(variable)
}

const fn files(name: &'static str, kind: Kind, value: &'static str, help: &'static str) -> Setting {
    Setting::new(Section::Files, name, kind, value, help)
}

const MOST_U32: u64 = u32::MAX as u64;

/// Every setting that decides the content of a corpus.
pub const SETTINGS: &[Setting] = &[
    size(
        "events",
        Kind::Count,
        "N",
        "Number of events, such as 10k, 5M or 1B",
    )
    .variable("TARGET_EVENTS")
    .default("1M"),
    size(
        "seed",
        Kind::Number(u64::MAX),
        "N",
        "Seed of all random choices",
    )
    .variable("SEED")
    .default("42"),
    size("start", Kind::Date, "DATE", "First day, UTC").default("2024-08-12"),
    size("days", Kind::Number(MOST_U32), "N", "Number of days").default("7"),
    grounding(
        "alerts_db",
        Kind::File,
        "FILE",
        "Alerts to fit distributions to: SQLite, JSON lines such as eve.json (also .gz, .zst), CSV or Parquet",
    )
    .variable("DB_PATH"),
    grounding(
        "profile",
        Kind::File,
        "FILE",
        "Profile saved by `fusiongen profile`, instead of --alerts-db",
    )
    .excludes("alerts_db"),
    grounding(
        "severity_scale",
        Kind::Choice(words::scales),
        "SCALE",
        "Scale of severity numbers [default: inferred from the database, or the profile's]",
    ),
    grounding("ad_users", Kind::File, "FILE", "Users as CSV").variable("AD_USERS_FILE"),
    grounding("cmdb_assets", Kind::File, "FILE", "Hosts as CSV").variable("CMDB_ASSETS_FILE"),
    grounding(
        "strict",
        Kind::Switch,
        "",
        "Fail at the first row of users or hosts that would be repaired or left out",
    ),
    grounding(
        "users",
        Kind::Number(MOST_U32),
        "N",
        "Number of users to make up if there is no CSV [default: 0.85 per host]",
    )
    .excludes("ad_users"),
    grounding(
        "assets",
        Kind::Number(MOST_U32),
        "N",
        "Number of hosts to make up if there is no CSV [default: one per 1,500 events a day, 250 to 100,000]",
    )
    .excludes("cmdb_assets"),
    grounding(
        "catalog",
        Kind::Directory,
        "DIR",
        "Directory that defines what can happen, laid out like data/catalog in the sources [default: the built-in catalog]",
    ),
    composition(
        "preset",
        Kind::Choice(preset::words),
        "NAME",
        "Settings for a purpose; anything that is given overrides them",
    )
    .default("seed"),
    composition(
        "attack_chain_ratio",
        Kind::Decimal,
        "R",
        "Share of events that belong to attack chains, such as 0.15 or 15%",
    )
    .variable("ATTACK_CHAIN_RATIO")
    .default("0.15"),
    composition(
        "noise_ratio",
        Kind::Decimal,
        "R",
        "Share of events that are benign noise; with attack chains at most 0.95",
    )
    .variable("NOISE_RATIO")
    .default("0.2"),
    composition(
        "chain_density",
        Kind::Decimal,
        "R",
        "Maximum attack chains per host per day",
    )
    .default("0.1"),
    composition(
        "playbook",
        Kind::Words,
        "NAME,…",
        "Only these attacks; NAME=WEIGHT sets a weight. `fusiongen list playbooks` prints them [default: all]",
    ),
    composition(
        "technique",
        Kind::Words,
        "ID,…",
        "Only attacks with a step of one of these ATT&CK techniques, such as T1558 or T1558.003",
    ),
    composition(
        "scenario",
        Kind::Words,
        "NAME,…",
        "Only these noise scenarios; NAME=WEIGHT sets a weight. `fusiongen list scenarios` prints them [default: all]",
    ),
    composition(
        "noise_seasonality",
        Kind::Boolean,
        "BOOL",
        "Distribute noise and alerts over the hours of a working week",
    )
    .variable("NOISE_SEASONALITY")
    .default("false"),
    composition(
        "labels",
        Kind::Choice(words::labels),
        "LABELS",
        "Whether events have labels: labels.verdict, labels.noise_type, attack.*, fusionai.noise",
    )
    .default("full"),
    hours(
        "noise_tz_offset",
        Kind::Offset,
        "HOURS",
        "NOISE_TZ_OFFSET",
        "hours east of UTC, for working hours",
    )
    .default("0"),
    hours(
        "noise_day_weight",
        Kind::Decimal,
        "W",
        "NOISE_DAY_WEIGHT",
        "noise on working days 08-18, with --noise-seasonality",
    )
    .default("5"),
    hours(
        "noise_maint_weight",
        Kind::Decimal,
        "W",
        "NOISE_MAINT_WEIGHT",
        "noise at night 01-04 and on Sundays 22-24",
    )
    .default("4"),
    hours(
        "noise_weekend_weight",
        Kind::Decimal,
        "W",
        "NOISE_WEEKEND_WEIGHT",
        "noise at weekends",
    )
    .default("0.4"),
    hours(
        "noise_early_weight",
        Kind::Decimal,
        "W",
        "NOISE_EARLY_WEIGHT",
        "noise 05-07",
    )
    .default("0.3"),
    hours(
        "noise_default_weight",
        Kind::Decimal,
        "W",
        "NOISE_DEFAULT_WEIGHT",
        "noise at other times",
    )
    .default("1.2"),
    hours(
        "alert_night_weight",
        Kind::Decimal,
        "W",
        "ALERT_NIGHT_WEIGHT",
        "alerts 22-06, with --noise-seasonality",
    )
    .default("6"),
    hours(
        "alert_evening_weight",
        Kind::Decimal,
        "W",
        "ALERT_EVENING_WEIGHT",
        "alerts 18-22",
    )
    .default("4"),
    hours(
        "alert_weekend_weight",
        Kind::Decimal,
        "W",
        "ALERT_WEEKEND_WEIGHT",
        "alerts at weekends",
    )
    .default("3"),
    hours(
        "alert_day_weight",
        Kind::Decimal,
        "W",
        "ALERT_DAY_WEIGHT",
        "alerts on working days 08-18",
    )
    .default("0.4"),
    hours(
        "alert_default_weight",
        Kind::Decimal,
        "W",
        "ALERT_DEFAULT_WEIGHT",
        "alerts at other times",
    )
    .default("1"),
    hours(
        "noise_hourly_weights",
        Kind::Decimals,
        "W",
        "NOISE_HOURLY_WEIGHTS",
        "24 weights of noise by hour of the day, which replace those above",
    ),
    hours(
        "alert_hourly_weights",
        Kind::Decimals,
        "W",
        "ALERT_HOURLY_WEIGHTS",
        "24 weights of alerts by hour of the day, which replace those above",
    ),
    files(
        "schema",
        Kind::Choice(words::schemas),
        "NAME",
        "Schema of the events",
    )
    .default("fusionai"),
    files(
        "format",
        Kind::Choice(words::formats),
        "FORMAT",
        "File format of the events",
    )
    .default("parquet"),
    files(
        "compression",
        Kind::Text,
        "CODEC",
        "Compression: zstd(LEVEL), gzip(LEVEL), snappy, lz4 or none [default: zstd(1) for parquet, else none]",
    ),
    files(
        "partition_by",
        Kind::Choice(words::partitions),
        "KEYS",
        "Partition keys, which become directories",
    )
    .default("date,category"),
    files(
        "row_group_rows",
        Kind::Count,
        "N",
        "Approximate rows per row group",
    )
    .default("512Ki"),
    files("shard_rows", Kind::Count, "N", "Approximate rows per file").default("4Mi"),
    files(
        "bloom_filter",
        Kind::Words,
        "FIELD",
        "Fields with a Bloom filter, separated by commas: source.ip,process.entity_id",
    ),
    files(
        "table",
        Kind::Choice(words::tables),
        "TABLE",
        "Table format whose metadata is written beside the Parquet files",
    )
    .default("none"),
];
