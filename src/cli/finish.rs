//! `fusiongen finish`: the manifest of a corpus made in parts.

use std::path::PathBuf;

use clap::Args;

use super::output;
use super::summary::{counted, next_command, sized};
use crate::corpus::{Corpus, PlanFile};
use crate::error::Result;
use crate::progress::Silent;
use crate::run;

/// Arguments of `finish`.
#[derive(Debug, Args)]
pub struct Finish {
    /// Directory or URL of the corpus
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl Finish {
    /// Checks that every file of every part exists, and writes the manifest.
    ///
    /// # Errors
    /// No plan, missing or altered files, I/O.
    pub fn run(&self) -> Result<()> {
        let corpus = Corpus::open(&self.directory)?;
        let summary = run::finish(&corpus, &Silent)?;
        let plan = PlanFile::read(&corpus)?;
        output::print(&format!(
            "{} in {}, {}\nin {}, seed {}, fingerprint {}\nnext: {}\n",
            counted(summary.events, "event"),
            counted(summary.files, "file"),
            sized(summary.bytes),
            corpus.root.display(),
            plan.config.seed,
            plan.fingerprint,
            next_command(&corpus.root, plan.config.format)
        ))
    }
}
