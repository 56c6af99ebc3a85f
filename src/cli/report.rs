//! `fusiongen report`: writes an HTML report about a finished corpus.

use std::path::PathBuf;

use clap::Args;

use super::output;
use super::progress::Bar;
use super::summary::{counted, sized};
use super::voice::Voice;
use crate::corpus::Corpus;
use crate::error::Result;
use crate::report::{self, Report};

/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct ReportCommand {
    /// Directory or URL of the corpus
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// HTML file to write, which needs no network; must be outside DIR
    #[arg(short, long, default_value = "report.html", value_name = "FILE")]
    output: PathBuf,
    /// No progress bar
    #[arg(long)]
    no_progress: bool,
    #[command(flatten)]
    voice: Voice,
}

impl ReportCommand {
    /// Reads the corpus and writes the page.
    ///
    /// # Errors
    /// The directory holds no finished Parquet corpus, or the page cannot be written.
    pub fn run(&self) -> Result<()> {
        let source = report::ParquetCorpus::open(Corpus::open(&self.directory)?)?;
        source.refuse_inside(&self.output)?;
        output::refuse_unwritable(&self.output)?;
        let bar = Bar::new(source.events(), self.no_progress, self.voice);
        let report = Report::new(&source, &bar);
        bar.finish();
        let report = report?;
        let bytes = report.write(&self.output)?;
        if self.voice.is_quiet() {
            return Ok(());
        }
        let page = self.output.display();
        output::print(&format!(
            "{} of {}, fingerprint {}\n{page}, {}\nnext: open {page} in a browser\n",
            counted(report.events(), "event"),
            self.directory.display(),
            report.fingerprint(),
            sized(bytes)
        ))
    }
}
