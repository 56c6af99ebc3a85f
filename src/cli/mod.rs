//! The command line: one file per subcommand.

mod check;
mod completions;
mod finish;
mod generate;
mod hours;
mod layers;
mod man;
mod output;
mod plan;
mod profile;
mod progress;
mod report;
mod sample;
mod settings;
mod signals;
mod summary;
mod words;

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
    /// Check a corpus made in parts, and write its manifest
    Finish(finish::Finish),
    /// Print what an alerts database says, and save it as a profile
    Profile(profile::Fit),
    /// Say what generate would write; writes nothing
    Plan(plan::PlanCommand),
    /// Print a few events as pretty JSON; writes no file
    Sample(sample::Sample),
    /// Audit a finished corpus; exit 1 when an audit fails
    Check(check::Check),
    /// Write a page that shows a finished corpus: its card, plots, one chain in full
    Report(report::ReportCommand),
    /// Print a shell's completion script
    Completions(completions::Completions),
    /// Print a manual page, for `man -l -`
    Man(man::Man),
}

/// Parses the arguments and runs.
///
/// # Errors
/// What the subcommand says; usage errors are printed by clap and exit with 2.
pub fn main() -> Result<()> {
    let (matches, names) = layers::parse(Cli::command(), std::env::args_os().collect())?;
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let done = match cli.command {
        Command::Generate(command) => command.run(),
        Command::Finish(command) => command.run(),
        Command::Profile(command) => command.run(),
        Command::Plan(command) => command.run(),
        Command::Sample(command) => command.run(),
        Command::Check(command) => command.run(),
        Command::Report(command) => command.run(),
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(),
    };
    done.map_err(|error| names.rename(error))
}
