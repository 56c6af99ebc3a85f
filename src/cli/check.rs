//! `fusiongen check`: audits of a finished corpus.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::output::print;
use super::progress::Bar;
use super::summary::{counted, sized};
use super::voice::Voice;
use crate::check::{Explanation, Options, Report, check, integrity};
use crate::corpus::{Corpus, Manifest, to_json};
use crate::error::{Error, Result};
use crate::grounding::{Profile, alerts_db};
use crate::plan::parse::parse_count;

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Directory or URL of the corpus
    #[arg(value_name = "DIR", required_unless_present = "explain")]
    directory: Option<PathBuf>,
    /// Say what a check measures, why, where its range comes from and what to do if it fails: of all
    /// checks, of one or of a group (`stream.tick`, `stream`), or with DIR of those that fail there
    #[arg(long, value_name = "NAME", num_args = 0..=1)]
    explain: Option<Option<String>>,
    /// Only compare the files with the manifest, byte for byte
    #[arg(long, requires = "directory", conflicts_with = "explain")]
    integrity: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    /// Alerts database to compare the alerts with [default: the corpus's profile.json]
    #[arg(
        long,
        value_name = "FILE",
        requires = "directory",
        conflicts_with = "integrity"
    )]
    alerts_db: Option<PathBuf>,
    /// Profile to compare the alerts with [default: the corpus's profile.json]
    #[arg(long, value_name = "FILE", requires = "directory", conflicts_with_all = ["integrity", "alerts_db"])]
    profile: Option<PathBuf>,
    /// Follow every host, account and chain through all files in corpora of up to N events, and a
    /// sample of them in larger corpora
    #[arg(long, value_name = "N", default_value = "100M", value_parser = parse_count, requires = "directory", conflicts_with = "integrity")]
    exact_events: u64,
    /// No progress bar
    #[arg(long, requires = "directory")]
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
        let Some(directory) = &self.directory else {
            return self.explain_all();
        };
        let failed = match self.integrity {
            true => self.run_integrity(directory)?,
            false => self.run_audit(directory)?,
        };
        match failed {
            0 => Ok(()),
            failed => Err(Error::Check {
                path: directory.clone(),
                failed,
            }),
        }
    }

    /// Explains checks without a corpus.
    fn explain_all(&self) -> Result<()> {
        let wanted = match self.explain.as_ref().and_then(Option::as_deref) {
            Some(name) => named(name)?,
            None => Explanation::all()?,
        };
        print(&match self.json {
            true => String::from_utf8_lossy(&to_json(&wanted)).into_owned(),
            false => texts(&wanted),
        })
    }

    /// Compares every file with the manifest; returns the number of damaged files.
    fn run_integrity(&self, directory: &Path) -> Result<usize> {
        let corpus = Corpus::open(directory)?;
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
    fn run_audit(&self, directory: &Path) -> Result<usize> {
        let explain = match &self.explain {
            Some(Some(name)) => Some(named(name)?),
            _ => None,
        };
        let profile = match (&self.alerts_db, &self.profile) {
            (Some(path), _) => Some(alerts_db::fit(path, None)?),
            (None, Some(path)) => Some(Profile::read(path)?),
            (None, None) => None,
        };
        // The check reads the manifest again and reports its errors; here it only sizes the bar.
        let corpus = Corpus::open(directory)?;
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
        let explanations = match (explain, &self.explain) {
            (None, Some(_)) => {
                let (all, outside) = (Explanation::all()?, report.outside());
                let is_outside = |it: &Explanation| outside.contains(&it.name.as_str());
                Some(all.into_iter().filter(is_outside).collect())
            }
            (given, _) => given,
        };
        let text = match self.json {
            true => {
                let explained = Explained {
                    report: &report,
                    explanations: explanations.as_deref(),
                };
                String::from_utf8_lossy(&to_json(&explained)).into_owned()
            }
            false => {
                let explanations = explanations.unwrap_or_default();
                let break_line = if explanations.is_empty() { "" } else { "\n" };
                format!("{}{break_line}{}", report.text(), texts(&explanations))
            }
        };
        print(&text)?;
        Ok(report.failed())
    }
}

/// A report with what was asked about it.
#[derive(Serialize)]
struct Explained<'r> {
    #[serde(flatten)]
    report: &'r Report,
    #[serde(skip_serializing_if = "Option::is_none")]
    explanations: Option<&'r [Explanation]>,
}

/// The explanations of a name.
///
/// # Errors
/// There is no such check. A directory may have been meant for the corpus.
fn named(name: &str) -> Result<Vec<Explanation>> {
    match Explanation::named(name) {
        Err(_) if Path::new(name).is_dir() => Err(Error::setting(
            "--explain",
            format!("'{name}' is a directory, and no check has this name"),
            format!("to explain what fails in a corpus: fusiongen check {name} --explain"),
        )),
        found => found,
    }
}

fn texts(explanations: &[Explanation]) -> String {
    let texts: Vec<String> = explanations.iter().map(Explanation::text).collect();
    texts.join("\n")
}
