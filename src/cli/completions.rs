//! `fusiongen completions`: a shell's completion script on stdout.

use clap::{Args, CommandFactory};

use super::{Cli, output};
use crate::error::Result;

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// Shell to generate the script for
    shell: clap_complete::Shell,
}

impl Completions {
    pub fn run(&self) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "fusiongen", &mut script);
        output::print(&String::from_utf8_lossy(&script))
    }
}
