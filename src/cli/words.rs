//! Words of the command line for settings that are one of a few.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::plan::config::{Labels, SchemaName};
use crate::plan::{Format, PartitionBy};

/// A word and what it means.
fn value(word: &'static str, help: &'static str) -> Option<PossibleValue> {
    Some(PossibleValue::new(word).help(help))
}

impl ValueEnum for Labels {
    fn value_variants<'a>() -> &'a [Self] {
        &[Labels::Full, Labels::None]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Labels::Full => value("full", "Verdicts, noise types and attacks are written"),
            Labels::None => value(
                "none",
                "They are left out, as in a SIEM; the truth has them",
            ),
        }
    }
}

impl ValueEnum for SchemaName {
    fn value_variants<'a>() -> &'a [Self] {
        &[SchemaName::Fusionai, SchemaName::Ecs]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            SchemaName::Fusionai => value(
                "fusionai",
                "An ECS-like document with fusionai's own words and the host's native record",
            ),
            SchemaName::Ecs => value(
                "ecs",
                "The Elastic Common Schema 9.4, with the native record beside",
            ),
        }
    }
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &[Format::Parquet, Format::Ndjson, Format::Arrow]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Format::Parquet => value("parquet", "Parquet files"),
            Format::Ndjson => value("ndjson", "One JSON object a line"),
            Format::Arrow => value("arrow", "Arrow IPC files"),
        }
    }
}

impl ValueEnum for PartitionBy {
    fn value_variants<'a>() -> &'a [Self] {
        &[PartitionBy::DateCategory, PartitionBy::Date]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            PartitionBy::DateCategory => value("date,category", "`date=…/category=…/`"),
            PartitionBy::Date => value("date", "`date=…/`"),
        }
    }
}
