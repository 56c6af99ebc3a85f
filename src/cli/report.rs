//! `fusiongen report`: writes an HTML report about a finished corpus.

use std::path::PathBuf;

use clap::Args;

use super::output;
use super::progress::Bar;
use super::summary::{counted, sized};
use super::voice::Voice;
use crate::check::{Options, check};
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
    /// Chain that the page shows instead of a good example, by its attack_id in truth/chains; may be repeated. A page
    /// has the named chains and others to choose from, up to 1,000
    #[arg(long, value_name = "ID")]
    chain: Vec<String>,
    /// Audit the corpus as `fusiongen check` does, and show the result
    #[arg(long)]
    check: bool,
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
        let passes = 1 + u64::from(self.check);
        let bar = Bar::new(passes * source.events(), self.no_progress, self.voice);
        let report = Report::new(&source, &self.chain, &bar);
        let report = report.and_then(|report| match self.check {
            true => {
                let corpus = Corpus::open(&self.directory)?;
                check(&corpus, Options::default(), &bar).map(|found| report.with_check(found))
            }
            false => Ok(report),
        });
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
