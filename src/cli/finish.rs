//! `fusiongen finish`: the manifest of a corpus made in parts.

use std::path::PathBuf;

use clap::Args;

use super::output;
use super::summary::{counted, next_command, sized};
use crate::corpus::{Corpus, PlanFile};
use crate::error::Result;
use crate::run;

/// Arguments of `finish`.
#[derive(Debug, Args)]
pub struct Finish {
    /// Directory of the corpus
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl Finish {
    /// Checks that every file of every part is there, and writes the manifest.
    ///
    /// # Errors
    /// No plan, missing or altered files, I/O.
    pub fn run(&self) -> Result<()> {
        let summary = run::finish(&self.directory)?;
        let plan = PlanFile::read(&Corpus::at(&self.directory))?;
        output::print(&format!(
            "{} in {}, {}\nin {}, seed {}, fingerprint {}\nnext: {}\n",
            counted(summary.events, "event"),
            counted(summary.files, "file"),
            sized(summary.bytes),
            self.directory.display(),
            plan.config.seed,
            plan.fingerprint,
            next_command(&self.directory, plan.config.format)
        ))
    }
}
