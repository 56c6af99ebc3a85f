//! What a command says on stderr beside its result: notes, and with `--verbose` what it does.

use std::fmt::Display;
use std::time::Instant;

use clap::Args;

/// How much a command says.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Voice {
    /// No progress bar, no notes and no summary; errors and results stay
    #[arg(short, long, conflicts_with = "verbose")]
    quiet: bool,
    /// Also say on stderr what is done: each step with its seconds, and what it worked on
    #[arg(short, long)]
    verbose: bool,
}

impl Voice {
    /// Whether only errors and results are printed.
    pub fn is_quiet(self) -> bool {
        self.quiet
    }

    /// Whether every step is printed.
    pub fn is_verbose(self) -> bool {
        self.verbose
    }

    /// Prints a note, unless quiet.
    pub fn note(self, text: impl Display) {
        if !self.quiet {
            eprintln!("note: {text}");
        }
    }

    /// Prints a line, if verbose.
    pub fn more(self, text: impl Display) {
        if self.verbose {
            eprintln!("{text}");
        }
    }

    /// Does `work`; says how long it took, if verbose.
    pub fn timed<T>(self, what: &str, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let done = work();
        self.more(took(what, started));
        done
    }
}

/// `planned in 1.2 s`
pub fn took(what: &str, started: Instant) -> String {
    format!("{what} in {:.1} s", started.elapsed().as_secs_f64())
}
