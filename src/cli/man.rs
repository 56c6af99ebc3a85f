//! `fusiongen man`: a manual page on stdout.

use clap::{Args, CommandFactory};

use super::{Cli, output};
use crate::error::{Error, Result};
use crate::near::unknown;

/// Arguments of `man`.
#[derive(Debug, Args)]
pub struct Man {
    /// Subcommand to describe [default: the program itself]
    command: Option<String>,
}

impl Man {
    pub fn run(&self) -> Result<()> {
        let mut command = Cli::command();
        command.build();
        let page = match &self.command {
            None => command.clone(),
            Some(name) => match command.find_subcommand(name) {
                Some(found) => found.clone(),
                None => {
                    let known: Vec<&str> = command
                        .get_subcommands()
                        .map(clap::Command::get_name)
                        .collect();
                    return Err(unknown("man", name, &known));
                }
            },
        };
        let mut text = Vec::new();
        clap_mangen::Man::new(page)
            .render(&mut text)
            .map_err(|e| Error::io("stdout".as_ref(), "write", e))?;
        output::print(&String::from_utf8_lossy(&text))
    }
}
