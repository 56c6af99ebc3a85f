//! `fusiongen generate`: writes a corpus.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;

use super::output;
use super::progress::{Bar, Planning};
use super::settings::{Settings, flagged};
use super::signals::{Signals, Stoppable};
use super::space;
use super::stream;
use super::summary::{composition, counted, grouped, next_command, sized, small_files};
use crate::corpus::Corpus;
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
}

impl Generate {
    pub fn run(&self) -> Result<()> {
        let (threads, part) = (threads(self.threads)?, self.part()?);
        let started = Instant::now();
        let to_stdout = self.out.as_os_str() == "-";
        let config = match to_stdout {
            true => self.stream_config()?,
            false => self.settings.config()?,
        };
        let grounding = self.settings.grounding()?;
        let planning = Planning::new(config.events, self.no_progress);
        let generator = Generator::new(config, grounding, self.settings.catalog()?);
        let generator = generator.map_err(flagged)?;
        drop(planning);
        let plan = generator.plan();
        for notice in &plan.notices {
            eprintln!("note: {notice}");
        }
        let signals = Signals::catch()?;
        let bar = Bar::new(plan.config.events, self.no_progress);
        if to_stdout {
            let outcome = stream::write(&generator, threads, &bar, &signals);
            bar.finish();
            return outcome;
        }
        let corpus = Corpus::open(&self.out)?;
        space::check(&corpus, &generator, part)?;
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
        output::print(&Self::outcome(&corpus, &generator, run, &summary, elapsed))
    }

    fn stream_config(&self) -> Result<Config> {
        let refused = [
            ("--overwrite", self.overwrite),
            ("--part", self.part.is_some()),
        ];
        if let Some((flag, _)) = refused.iter().find(|(_, is_given)| *is_given) {
            return Err(Error::setting(
                *flag,
                "has no meaning with --out -, which writes no files",
                "omit it",
            ));
        }
        stream::config(&self.settings).map(stream::unsplit)
    }

    fn part(&self) -> Result<Option<Part>> {
        let parse = |text: &str| {
            text.parse::<Part>().map_err(|problem| {
                Error::setting("--part", problem, "give a part such as 1/3, 2/3 or 3/3")
            })
        };
        self.part.as_deref().map(parse).transpose()
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
