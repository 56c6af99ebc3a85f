//! `fusiongen completions`: a shell's completion script on stdout.

use clap::builder::PossibleValuesParser;
use clap::{Args, Command, CommandFactory};

use super::{Cli, output};
use crate::catalog::Catalog;
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
        let mut command = offering(Cli::command(), &names()?);
        clap_complete::generate(self.shell, &mut command, "fusiongen", &mut script);
        output::print(&String::from_utf8_lossy(&script))
    }
}

/// Names of the built-in catalog that a flag takes, by the flag's setting.
fn names() -> Result<[(&'static str, Vec<String>); 3]> {
    let catalog = Catalog::embedded()?;
    let playbooks = catalog.playbooks.into_iter().map(|it| it.name);
    let techniques = catalog.techniques.into_iter().map(|it| it.id);
    let scenarios = catalog.scenarios.into_iter().map(|it| it.name);
    Ok([
        ("playbook", playbooks.collect()),
        ("technique", techniques.collect()),
        ("scenario", scenarios.collect()),
    ])
}

/// The command, and those below it, with these names as values. Only a script is made from it: the
/// program itself takes weights and other catalogs' names, too.
fn offering(command: Command, names: &[(&'static str, Vec<String>)]) -> Command {
    let there = |command: &Command, name: &str| {
        let mut arguments = command.get_arguments();
        arguments.any(|arg| arg.get_id().as_str() == name)
    };
    let command = names.iter().fold(command, |command, (name, values)| {
        if !there(&command, name) {
            return command;
        }
        let values = PossibleValuesParser::new(values.clone());
        command.mut_arg(*name, |arg| arg.value_parser(values))
    });
    let below = command.get_subcommands().map(|sub| sub.get_name());
    let below: Vec<String> = below.map(String::from).collect();
    below.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |inner| offering(inner, names))
    })
}
