//! `fusiongen catalog`: the files of the built-in catalog.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::output;
use crate::catalog::Catalog;
use crate::error::Result;
use crate::numbers::counted;

/// Arguments of `catalog`.
#[derive(Debug, Args)]
pub struct CatalogCommand {
    #[command(subcommand)]
    command: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write its files to a directory, which --catalog reads; existing files are not replaced
    Export {
        /// Directory to write to; it is created
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
}

impl CatalogCommand {
    /// Runs the subcommand.
    ///
    /// # Errors
    /// A file exists, or I/O.
    pub fn run(&self) -> Result<()> {
        let Action::Export { directory } = &self.command;
        let files = Catalog::export(directory)?;
        let (files, there) = (counted(files as u64, "file"), directory.display());
        output::print(&format!(
            "{files} in {there}\nnext: change them, then fusiongen generate --catalog {there}\n"
        ))
    }
}
