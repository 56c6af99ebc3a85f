//! The engine and the corpus that subcommands of `queries` are given.

use std::path::Path;

use clap::builder::PossibleValuesParser;

use crate::corpus::{Corpus, Manifest, PlanFile, manifest};
use crate::error::{Error, Result};
use crate::queries::{Engine, Launch};

/// Names of engines.
pub fn engines() -> PossibleValuesParser {
    PossibleValuesParser::new(Engine::ALL.iter().map(|engine| engine.name()))
}

/// What an option starts, and the SQL that it takes. One word that names no engine is a typing error.
/// `options` are the names of the engine's and the dialect's option.
///
/// # Errors
/// No engine has this name, or a shipped one got a dialect.
pub fn launch(options: [&str; 2], engine: &str, dialect: Option<&str>) -> Result<Launch> {
    let [option, of_dialect] = options;
    match (Engine::named(option, engine), dialect) {
        (Ok(engine), None) => Ok(Launch::Shipped(engine)),
        (Ok(_), Some(_)) => Err(Error::setting(
            of_dialect,
            format!("{engine} has its own dialect"),
            format!("omit {of_dialect}, which is for commands"),
        )),
        (Err(_), _) if engine.contains([' ', '/', '\\']) => {
            let dialect = Engine::named(of_dialect, dialect.unwrap_or("duckdb"))?;
            Ok(Launch::Command(engine.to_string(), dialect))
        }
        (Err(unknown), _) => Err(unknown),
    }
}

/// The plan and the manifest of a finished Parquet corpus.
///
/// # Errors
/// The directory holds no such corpus.
pub fn finished(directory: &Path) -> Result<(PlanFile, Manifest)> {
    manifest::finished_parquet(&Corpus::at(directory), "queries")
}
