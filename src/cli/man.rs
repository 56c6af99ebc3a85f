//! `fusiongen man`: a manual page on stdout.

use clap::{Args, CommandFactory};
use clap_mangen::roff::{Roff, bold, roman};

use super::examples::{Example, examples, exit_codes};
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
        let name = self.command.as_deref().unwrap_or_default();
        let page = String::from_utf8_lossy(&text).into_owned() + &sections(name);
        output::print(&page)
    }
}

/// The sections that clap does not know: examples and exit codes of a subcommand.
fn sections(command: &str) -> String {
    let mut page = Roff::new();
    page.control("SH", ["EXIT STATUS"]);
    for (code, meaning) in exit_codes(command) {
        page.control("TP", []).text([bold(code)]);
        page.text([roman(meaning)]);
    }
    page.control("SH", ["EXAMPLES"]);
    for Example { line, what } in examples(command) {
        page.control("PP", []).text([roman(*what)]);
        page.control("PP", []).control("EX", []);
        page.text([roman(format!("    {line}"))]);
        page.control("EE", []);
    }
    page.render()
}
