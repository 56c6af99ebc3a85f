//! `fusiongen generate`: writes a corpus.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;

use super::output;
use super::progress::Bar;
use super::settings::Settings;
use super::signals::{Signals, Stoppable};
use super::summary::{composition, counted, grouped, next_command, sized};
use crate::corpus::Corpus;
use crate::error::{Error, Result};
use crate::generator::Generator;
use crate::run::{Part, Run};

/// Arguments of `generate`.
#[derive(Debug, Args)]
#[command(after_help = super::hours::HELP)]
pub struct Generate {
    #[command(flatten)]
    pub(super) settings: Settings,

    /// Directory of the corpus
    #[arg(
        long,
        default_value = "out/corpus",
        value_name = "DIR",
        help_heading = "Files"
    )]
    out: PathBuf,
    /// Replace another corpus in --out (never foreign files)
    #[arg(long, help_heading = "Files")]
    overwrite: bool,
    /// Make the I-th of N shares of the files; `fusiongen finish` then makes the manifest
    #[arg(long, value_name = "I/N", help_heading = "Run")]
    part: Option<String>,
    /// Threads [default: all processors]; doesn't change a byte
    #[arg(long, value_name = "N", help_heading = "Run")]
    threads: Option<usize>,
    /// No progress bar
    #[arg(long, help_heading = "Run")]
    no_progress: bool,
}

impl Generate {
    pub fn run(&self) -> Result<()> {
        let threads = match self.threads {
            Some(0) => {
                return Err(Error::setting(
                    "--threads",
                    "0 threads do nothing",
                    "give 1 or more",
                ));
            }
            Some(n) => n,
            None => std::thread::available_parallelism().map_or(1, usize::from),
        };
        let part = self
            .part
            .as_deref()
            .map(|text| {
                text.parse::<Part>().map_err(|problem| {
                    Error::setting("--part", problem, "give one like 1/3, 2/3 or 3/3")
                })
            })
            .transpose()?;
        let started = Instant::now();
        let config = self.settings.config()?;
        let grounding = self.settings.grounding()?;
        let generator = Generator::new(config, grounding, self.settings.catalog()?);
        let plan = generator.plan();
        for notice in &plan.notices {
            eprintln!("note: {notice}");
        }
        let signals = Signals::catch()?;
        let bar = Bar::new(plan.config.events, self.no_progress);
        let corpus = Corpus::at(&self.out);
        let run = Run {
            threads,
            overwrite: self.overwrite,
            part,
        };
        let progress = Stoppable(&bar, &signals);
        let outcome = generator.write(&corpus, run, &progress);
        bar.finish();
        let summary = outcome.map_err(|error| signals.named(error))?;
        let out = self.out.display();
        if summary.kept == summary.files && summary.finished {
            return output::print(&format!(
                "{out} already holds this corpus, whole; nothing to do\n"
            ));
        }
        let seconds = started.elapsed().as_secs_f64();
        let mut lines = Vec::new();
        if summary.kept > 0 {
            lines.push(format!(
                "{} of {} stood there already, and were kept",
                grouped(summary.kept),
                counted(summary.files, "file")
            ));
        }
        lines.push(format!(
            "{} in {}, {} ({:.0} bytes an event)",
            counted(summary.events, "event"),
            counted(summary.files, "file"),
            sized(summary.bytes),
            summary.bytes as f64 / summary.events.max(1) as f64
        ));
        lines.push(format!(
            "{seconds:.1} s on {}, {} events/s",
            counted(threads as u64, "thread"),
            grouped((summary.events as f64 / seconds) as u64)
        ));
        match part {
            Some(part) => {
                lines.push(format!(
                    "part {} of {} in {out}, fingerprint {}",
                    part.number, part.of, plan.fingerprint
                ));
                lines.push(format!(
                    "next: the other parts, then fusiongen finish {out}"
                ));
            }
            None => {
                lines.push(composition(plan, generator.world()));
                lines.push(format!(
                    "in {out}, seed {}, fingerprint {}",
                    plan.config.seed, plan.fingerprint
                ));
                lines.push(format!(
                    "next: {}",
                    next_command(&self.out, plan.config.format)
                ));
            }
        }
        output::print(&(lines.join("\n") + "\n"))
    }
}
