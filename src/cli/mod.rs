//! The command line: one file per subcommand.

mod catalog;
mod check;
mod completions;
mod examples;
mod finish;
mod generate;
mod layers;
mod list;
mod man;
mod output;
mod plan;
mod profile;
mod progress;
mod queries;
mod replay;
mod report;
mod sample;
mod settings;
mod signals;
mod space;
mod stream;
mod summary;
mod voice;

use std::ffi::OsString;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::error::Result;

/// Generates SIEM and EDR event corpora: realistic, correlated, labelled, in partitioned Parquet.
#[derive(Debug, Parser)]
#[command(name = "fusiongen", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a corpus
    Generate(generate::Generate),
    /// Write events to stdout as they happen, from now on
    Replay(replay::Replay),
    /// Verify a corpus made in parts, and write its manifest
    Finish(finish::Finish),
    /// Summarise an alerts database, and save it as a profile
    Profile(profile::Fit),
    /// Show what `generate` would write (dry run)
    Plan(plan::PlanCommand),
    /// Print a few events as formatted JSON; writes no file
    Sample(sample::Sample),
    /// Audit a finished corpus; exit code 1 if a check fails
    Check(check::Check),
    /// Write an HTML report about a finished corpus: summary, plots, one attack in full
    Report(report::ReportCommand),
    /// Test the queries of a SIEM: SQL with known answers, run on an engine and compared
    Queries(queries::Queries),
    /// List what can be chosen: playbooks, scenarios, presets and more
    List(list::List),
    /// Write the built-in catalog to files, to change it
    Catalog(catalog::CatalogCommand),
    /// Print a completion script for a shell
    Completions(completions::Completions),
    /// Print a manual page, for `man -l -`
    Man(man::Man),
}

/// Runs the program. The first argument is the program's name. Prints an error to
/// stderr and returns the exit code. Help and wrong usage end the process with 0 and 2.
pub fn main(arguments: Vec<OsString>) -> u8 {
    match run(arguments) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("error: {error}");
            u8::try_from(error.exit_code()).unwrap_or(3)
        }
    }
}

fn run(arguments: Vec<OsString>) -> Result<()> {
    let (matches, names) = layers::parse(Cli::command(), arguments)?;
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let done = match cli.command {
        Command::Generate(command) => command.run(&names),
        Command::Replay(command) => command.run(&names),
        Command::Finish(command) => command.run(),
        Command::Profile(command) => command.run(),
        Command::Plan(command) => command.run(&names),
        Command::Sample(command) => command.run(&names),
        Command::Check(command) => command.run(),
        Command::Report(command) => command.run(),
        Command::Queries(command) => command.run(),
        Command::List(command) => command.run(),
        Command::Catalog(command) => command.run(),
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(),
    };
    done.map_err(|error| names.rename(error))
}
