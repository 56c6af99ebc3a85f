//! `fusiongen check`: audits of a finished corpus.

use std::path::PathBuf;

use clap::Args;

use super::output::print;
use super::progress::Bar;
use super::summary::{counted, sized};
use crate::check::{Options, check, integrity};
use crate::corpus::{Corpus, Manifest, to_json};
use crate::error::{Error, Result};
use crate::grounding::{Profile, alerts_db};
use crate::plan::config::parse_count;
use crate::progress::Progress;

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Directory of the corpus
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Compare the files with the manifest, byte for byte, instead
    #[arg(long)]
    integrity: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Alerts database that the corpus was made from, for figures of divergence
    #[arg(long, value_name = "FILE", conflicts_with = "integrity")]
    alerts_db: Option<PathBuf>,
    /// Profile that the corpus was made from, for figures of divergence [default: the embedded one]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["integrity", "alerts_db"])]
    profile: Option<PathBuf>,
    /// Events up to which every host, account and chain is followed through all files; of a
    /// larger corpus, a keyed sample of them is
    #[arg(long, value_name = "N", default_value = "100M", value_parser = parse_count, conflicts_with = "integrity")]
    exact_events: u64,
    /// No progress bar
    #[arg(long)]
    no_progress: bool,
}

impl Check {
    /// Audits, prints, and fails where an audit failed.
    ///
    /// # Errors
    /// An audit failed, the directory holds no finished corpus, I/O.
    pub fn run(&self) -> Result<()> {
        let failed = |count: usize| Error::Check {
            path: self.directory.clone(),
            failed: count,
        };
        if self.integrity {
            let found = integrity(&self.directory)?;
            let text = match self.json {
                true => String::from_utf8_lossy(&to_json(&found)).into_owned(),
                false => {
                    let mut text: String = found
                        .damages
                        .iter()
                        .map(|d| {
                            format!("{}: expected {}, found {}\n", d.file, d.expected, d.found)
                        })
                        .collect();
                    text.push_str(&format!(
                        "{}, {}: {}\n",
                        counted(found.files, "file"),
                        sized(found.bytes),
                        match found.damages.len() {
                            0 => "all as written".to_string(),
                            n => format!("{n} not as written"),
                        }
                    ));
                    text
                }
            };
            print(&text)?;
            return match found.damages.len() {
                0 => Ok(()),
                n => Err(failed(n)),
            };
        }
        let profile = match (&self.alerts_db, &self.profile) {
            (Some(path), _) => Some(alerts_db::fit(path, None)?),
            (None, Some(path)) => Some(Profile::read(path)?),
            (None, None) => None,
        };
        // How many events there are is read again by the check, with its errors.
        let events =
            Manifest::read(&Corpus::at(&self.directory)).map_or(0, |manifest| manifest.events);
        let bar = Bar::new(events, self.no_progress || events == 0);
        let outcome = check(
            &self.directory,
            Options {
                profile: profile.as_ref(),
                exact_rows: self.exact_events,
            },
            &|rows| bar.advance(rows),
        );
        bar.finish();
        let report = outcome?;
        match self.json {
            true => print(&String::from_utf8_lossy(&to_json(&report)))?,
            false => print(&report.text())?,
        }
        match report.failed() {
            0 => Ok(()),
            n => Err(failed(n)),
        }
    }
}
