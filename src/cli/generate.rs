//! `fusiongen generate`: writes a corpus.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;

use super::layers::Names;
use super::output;
use super::progress::{Bar, Planning};
use super::settings::{Settings, flagged};
use super::signals::{Signals, Stoppable};
use super::space;
use super::stream;
use super::summary::{
    Composition, composition, counted, grouped, next_command, sized, small_files,
};
use super::voice::{Voice, took};
use crate::corpus::{Corpus, to_json};
use crate::error::{Error, Result};
use crate::generator::Generator;
use crate::plan::Config;
use crate::run::{Part, Run, Summary};

/// Arguments of `generate`.
#[derive(Debug, Args)]
#[command(after_help = super::settings::hours_help())]
pub struct Generate {
    #[command(flatten)]
    pub(super) settings: Settings,

    /// Directory of the corpus, or a URL: s3://BUCKET/PREFIX, gs://, az://, file://; - writes events to
    /// stdout in order of time, as NDJSON unless --format is given
    #[arg(
        long,
        default_value = "out/corpus",
        value_name = "DIR",
        help_heading = "Files"
    )]
    pub(super) out: PathBuf,
    /// Replace another corpus in --out; files that are not fusiongen's are never deleted
    #[arg(long, help_heading = "Files")]
    overwrite: bool,
    /// Write only the I-th of N parts; then run `fusiongen finish` for the manifest
    #[arg(long, value_name = "I/N", help_heading = "Run")]
    part: Option<String>,
    /// Number of threads; the output is identical for any value [default: all processors]
    #[arg(long, value_name = "N", help_heading = "Run")]
    threads: Option<usize>,
    /// No progress bar
    #[arg(long, help_heading = "Run")]
    pub(super) no_progress: bool,
    /// Print the summary as JSON
    #[arg(long, help_heading = "Run")]
    pub(super) json: bool,
    #[command(flatten, next_help_heading = "Run")]
    pub(super) voice: Voice,
}

/// The summary as JSON.
#[derive(Debug, Serialize)]
struct Outcome<'o> {
    /// The corpus's place.
    out: String,
    fingerprint: &'o str,
    seed: u64,
    /// Manifest and `_SUCCESS` are there.
    finished: bool,
    /// The corpus was complete before.
    unchanged: bool,
    /// `1/3`, of a run of one part.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<String>,
    /// In the corpus, or in the part.
    events: u64,
    files: u64,
    bytes: u64,
    /// Files and events that an earlier run wrote.
    kept_files: u64,
    kept_events: u64,
    threads: usize,
    seconds: f64,
    composition: Composition,
    notes: Vec<String>,
    /// A command that looks into the corpus, or completes it.
    next: String,
}

impl Generate {
    pub fn run(&self, names: &Names) -> Result<()> {
        let voice = self.voice;
        let (threads, part) = (threads(self.threads)?, self.part()?);
        let started = Instant::now();
        let to_stdout = self.out.as_os_str() == "-";
        let mut settings = self.settings.clone();
        let config = match to_stdout {
            true => self.stream_config(&mut settings)?,
            false => settings.config(voice)?,
        };
        settings.tell(&config, names, voice);
        let generator = generator(&settings, config, self.no_progress, voice)?;
        let plan = generator.plan();
        for notice in &plan.notices {
            voice.note(notice);
        }
        let signals = Signals::catch()?;
        let bar = Bar::new(plan.config.events, self.no_progress, voice);
        if to_stdout {
            let outcome = stream::write(&generator, threads, &bar, &signals, voice);
            bar.finish();
            return outcome;
        }
        let corpus = Corpus::open(&self.out)?;
        space::check(&corpus, &generator, part, voice)?;
        let run = Run {
            threads,
            overwrite: self.overwrite,
            part,
        };
        let progress = Stoppable(&bar, &signals);
        let outcome = generator.write(&corpus, run, &progress);
        bar.finish();
        let summary = outcome.map_err(|error| signals.named(error))?;
        let elapsed = started.elapsed();
        let text = match (self.json, voice.is_quiet()) {
            (true, _) => Self::json(&corpus, &generator, run, &summary, elapsed),
            (false, true) => return Ok(()),
            (false, false) => Self::outcome(&corpus, &generator, run, &summary, elapsed),
        };
        output::print(&text)
    }

    fn stream_config(&self, settings: &mut Settings) -> Result<Config> {
        let refused = [
            ("--overwrite", self.overwrite),
            ("--part", self.part.is_some()),
            ("--json", self.json),
        ];
        if let Some((flag, _)) = refused.iter().find(|(_, is_given)| *is_given) {
            return Err(Error::setting(
                *flag,
                "has no meaning with --out -, which writes events to stdout and no files",
                "omit it",
            ));
        }
        stream::config(settings, self.voice).map(stream::unsplit)
    }

    fn part(&self) -> Result<Option<Part>> {
        let parse = |text: &str| {
            text.parse::<Part>().map_err(|problem| {
                Error::setting("--part", problem, "give a part such as 1/3, 2/3 or 3/3")
            })
        };
        self.part.as_deref().map(parse).transpose()
    }

    /// The summary for programs.
    fn json(
        corpus: &Corpus,
        generator: &Generator,
        run: Run,
        summary: &Summary,
        elapsed: Duration,
    ) -> String {
        let plan = generator.plan();
        let outcome = Outcome {
            out: corpus.root.display().to_string(),
            fingerprint: &plan.fingerprint,
            seed: plan.config.seed,
            finished: summary.finished,
            unchanged: summary.unchanged,
            part: run.part.map(|part| format!("{}/{}", part.number, part.of)),
            events: summary.events,
            files: summary.files,
            bytes: summary.bytes,
            kept_files: summary.kept,
            kept_events: summary.kept_events,
            threads: run.threads,
            seconds: elapsed.as_secs_f64(),
            composition: Composition::new(plan, generator.world()),
            notes: plan
                .notices
                .iter()
                .cloned()
                .chain(small_files(plan))
                .collect(),
            next: match run.part {
                Some(_) => format!("fusiongen finish {}", corpus.root.display()),
                None => next_command(&corpus.root, plan.config.format),
            },
        };
        String::from_utf8_lossy(&to_json(&outcome)).into_owned()
    }

    /// The summary printed at the end: events, size, speed, and the next command.
    fn outcome(
        corpus: &Corpus,
        generator: &Generator,
        run: Run,
        summary: &Summary,
        elapsed: Duration,
    ) -> String {
        let (plan, out) = (generator.plan(), corpus.root.display());
        if summary.unchanged {
            return format!("{out} already holds this corpus and is complete; nothing to do\n");
        }
        let seconds = elapsed.as_secs_f64();
        let mut lines = Vec::new();
        if summary.kept > 0 {
            lines.push(format!(
                "kept {} of {} that were already written",
                grouped(summary.kept),
                counted(summary.files, "file")
            ));
        }
        lines.push(format!(
            "{} in {}, {} ({:.0} bytes per event)",
            counted(summary.events, "event"),
            counted(summary.files, "file"),
            sized(summary.bytes),
            summary.bytes as f64 / summary.events.max(1) as f64
        ));
        lines.push(format!(
            "{seconds:.1} s on {}, {} events/s",
            counted(run.threads as u64, "thread"),
            grouped(((summary.events - summary.kept_events) as f64 / seconds) as u64)
        ));
        match run.part {
            Some(part) => {
                lines.push(format!(
                    "part {} of {} in {out}, fingerprint {}",
                    part.number, part.of, plan.fingerprint
                ));
                lines.push(format!(
                    "next: write the other parts, then run fusiongen finish {out}"
                ));
            }
            None => {
                lines.push(composition(plan, generator.world()));
                lines.push(format!(
                    "in {out}, seed {}, fingerprint {}",
                    plan.config.seed, plan.fingerprint
                ));
                lines.extend(small_files(plan).map(|said| format!("note: {said}")));
                if let Some(directory) = plan.config.table.directory() {
                    let name = plan.config.table.words().0;
                    lines.push(format!("{name} table in {out}/events ({directory}/)"));
                }
                lines.push(format!(
                    "next: {}",
                    next_command(&corpus.root, plan.config.format)
                ));
            }
        }
        lines.join("\n") + "\n"
    }
}

/// The generator of a configuration; a sign of it is shown meanwhile.
///
/// # Errors
/// An input or the catalog cannot be used; the setting's flag.
pub(super) fn generator(
    settings: &Settings,
    config: Config,
    no_progress: bool,
    voice: Voice,
) -> Result<Generator> {
    let grounding = voice.timed("read inputs", || settings.grounding(voice))?;
    let planning = Planning::new(config.events, no_progress, voice);
    let catalog = settings.catalog()?;
    let started = Instant::now();
    let made = Generator::new(config, grounding, catalog);
    drop(planning);
    voice.more(took("planned", started));
    made.map_err(flagged)
}

/// The number of threads of a run; all processors by default.
///
/// # Errors
/// It is 0.
pub(super) fn threads(given: Option<usize>) -> Result<usize> {
    match given {
        Some(0) => Err(Error::setting(
            "--threads",
            "must be at least 1",
            "give 1 or more, or omit the flag to use all processors",
        )),
        Some(n) => Ok(n),
        None => Ok(std::thread::available_parallelism().map_or(1, usize::from)),
    }
}
