//! `fusiongen queries answers`: the known answers.

use std::path::{Path, PathBuf};

use clap::Args;

use super::facts::Facts;
use crate::cli::generate::threads;
use crate::cli::output::{print, refuse_replacing, refuse_unwritable};
use crate::cli::progress::Bar;
use crate::cli::signals::{Signals, Stoppable};
use crate::cli::voice::Voice;
use crate::corpus::file::NewFile;
use crate::corpus::to_json;
use crate::error::Result;
use crate::queries::{Answers, Parameters, select};

/// Arguments of `queries answers`.
#[derive(Debug, Args)]
pub struct AnswersCommand {
    #[command(flatten)]
    facts: Facts,
    /// Only these queries: full names or numbers, such as q01,q18_drop_run_connect
    #[arg(long, value_name = "QUERY,…", value_delimiter = ',')]
    only: Vec<String>,
    /// Only the answers that follow from plan and truth; quick, because no event is made
    #[arg(long, conflicts_with_all = ["threads", "no_progress"])]
    constructed: bool,
    /// Only numbers of rows and checksums, not the rows
    #[arg(long)]
    checksums: bool,
    /// Number of threads; the output is identical for any value [default: all processors]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// File to write the answers to [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// No progress bar
    #[arg(long)]
    no_progress: bool,
}

impl AnswersCommand {
    /// Derives the answers and writes them.
    ///
    /// # Errors
    /// The corpus or the settings cannot be used, the run is stopped, I/O.
    pub fn run(&self) -> Result<()> {
        let queries = select(&self.only)?;
        if let Some(output) = &self.output {
            if let Some(directory) = &self.facts.corpus {
                crate::corpus::refuse_inside(directory, output)?;
            }
            refuse_unwritable(output)?;
            let inputs = self.facts.inputs();
            let inputs: Vec<&Path> = inputs.iter().map(PathBuf::as_path).collect();
            refuse_replacing(output, &inputs)?;
        }
        let answers = match self.constructed {
            true => self.facts.with(|source| {
                let parameters = Parameters::choose(source)?;
                Answers::construct(source, &parameters, &queries)
            })?,
            false => {
                let generator = self.facts.generator()?;
                let threads = threads(self.threads)?;
                let signals = Signals::catch()?;
                let events = generator.plan().config.events;
                let bar = Bar::new(events, self.no_progress, Voice::default());
                let progress = Stoppable(&bar, &signals);
                let answers = Answers::derive(&generator, &queries, threads, &progress);
                bar.finish();
                answers.map_err(|error| signals.named(error))?
            }
        };
        let answers = match self.checksums {
            true => answers.without_results(),
            false => answers,
        };
        match &self.output {
            Some(path) => NewFile::at(path.clone())
                .write(&to_json(&answers))
                .map(|_| ()),
            None => print(&String::from_utf8_lossy(&to_json(&answers))),
        }
    }
}
