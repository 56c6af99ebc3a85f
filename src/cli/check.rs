//! `fusiongen check`: audits of a finished corpus.

use std::path::PathBuf;

use clap::Args;

use super::output::print;
use super::progress::Bar;
use super::summary::{counted, sized};
use super::voice::Voice;
use crate::check::{Options, check, integrity};
use crate::corpus::{Corpus, Manifest, to_json};
use crate::error::{Error, Result};
use crate::grounding::{Profile, alerts_db};
use crate::plan::parse::parse_count;

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Directory or URL of the corpus
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Only compare the files with the manifest, byte for byte
    #[arg(long)]
    integrity: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    /// Alerts database to compare the alerts with [default: the corpus's profile.json]
    #[arg(long, value_name = "FILE", conflicts_with = "integrity")]
    alerts_db: Option<PathBuf>,
    /// Profile to compare the alerts with [default: the corpus's profile.json]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["integrity", "alerts_db"])]
    profile: Option<PathBuf>,
    /// Follow every host, account and chain through all files in corpora of up to N events, and a
    /// sample of them in larger corpora
    #[arg(long, value_name = "N", default_value = "100M", value_parser = parse_count, conflicts_with = "integrity")]
    exact_events: u64,
    /// No progress bar
    #[arg(long)]
    no_progress: bool,
    #[command(flatten)]
    voice: Voice,
}

impl Check {
    /// Audits the corpus and prints the result.
    ///
    /// # Errors
    /// A check failed, the directory holds no finished corpus, I/O.
    pub fn run(&self) -> Result<()> {
        let failed = match self.integrity {
            true => self.run_integrity()?,
            false => self.run_audit()?,
        };
        match failed {
            0 => Ok(()),
            failed => Err(Error::Check {
                path: self.directory.clone(),
                failed,
            }),
        }
    }

    /// Compares every file with the manifest; returns the number of damaged files.
    fn run_integrity(&self) -> Result<usize> {
        let corpus = Corpus::open(&self.directory)?;
        let found = self.voice.timed("compared files", || integrity(&corpus))?;
        let text = match self.json {
            true => String::from_utf8_lossy(&to_json(&found)).into_owned(),
            false => {
                let damages = found.damages.iter();
                let lines = damages
                    .map(|d| format!("{}: expected {}, found {}\n", d.file, d.expected, d.found));
                lines.collect::<String>()
                    + &format!(
                        "{}, {}: {}\n",
                        counted(found.files, "file"),
                        sized(found.bytes),
                        match found.damages.len() {
                            0 => "all as written".to_string(),
                            n => format!("{n} not as written"),
                        }
                    )
            }
        };
        print(&text)?;
        Ok(found.damages.len())
    }

    /// Checks invariants and figures; returns the number of failed checks.
    fn run_audit(&self) -> Result<usize> {
        let profile = match (&self.alerts_db, &self.profile) {
            (Some(path), _) => Some(alerts_db::fit(path, None)?),
            (None, Some(path)) => Some(Profile::read(path)?),
            (None, None) => None,
        };
        // The check reads the manifest again and reports its errors; here it only sizes the bar.
        let corpus = Corpus::open(&self.directory)?;
        let events = Manifest::read(&corpus).map_or(0, |manifest| manifest.events);
        let bar = Bar::new(events, self.no_progress || events == 0, self.voice);
        let outcome = check(
            &corpus,
            Options {
                profile: profile.as_ref(),
                exact_rows: self.exact_events,
            },
            &bar,
        );
        bar.finish();
        let report = outcome?;
        match self.json {
            true => print(&String::from_utf8_lossy(&to_json(&report)))?,
            false => print(&report.text())?,
        }
        Ok(report.failed())
    }
}
