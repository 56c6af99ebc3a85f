//! SIGINT and SIGTERM stop a run between two frames of rows.
//!
//! A second signal ends the process immediately, as if the first had not been caught. Commands that
//! write events (a corpus, `--out -`, `replay`), `queries run` and `queries answers` catch signals. All
//! others may end at any point.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::error::{Error, Result};
use crate::progress::Progress;

/// Progress of a run that a signal stops.
pub struct Stoppable<'s>(pub &'s dyn Progress, pub &'s Signals);

impl Progress for Stoppable<'_> {
    fn advance(&self, rows: u64) {
        self.0.advance(rows);
    }

    fn kept(&self, rows: u64) {
        self.0.kept(rows);
    }

    fn file(&self, path: &str, rows: u64, bytes: u64) {
        self.0.file(path, rows, bytes);
    }

    fn step(&self, name: &'static str) {
        self.0.step(name);
    }

    fn stopped(&self) -> bool {
        self.1.caught().is_some()
    }
}

/// Catches signals until the process ends.
#[derive(Debug)]
pub struct Signals {
    /// The last signal caught; 0 for none.
    which: Arc<AtomicUsize>,
}

impl Signals {
    /// Starts to catch signals.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn catch() -> Result<Self> {
        let (which, again) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        for signal in [SIGINT, SIGTERM] {
            let code = 128 + signal;
            let caught = usize::try_from(signal).unwrap_or_default();
            // In this order: the first signal finds the flag unset, and sets it.
            flag::register_conditional_shutdown(signal, code, Arc::clone(&again))
                .and_then(|_| flag::register(signal, Arc::clone(&again)))
                .and_then(|_| flag::register_usize(signal, Arc::clone(&which), caught))
                .map_err(|e| Error::io("signals".as_ref(), "catch", e))?;
        }
        Ok(Signals { which })
    }

    /// The signal that was caught.
    pub fn caught(&self) -> Option<i32> {
        match self.which.load(Ordering::Relaxed) {
            0 => None,
            signal => i32::try_from(signal).ok(),
        }
    }

    /// Adds the signal to the error of a stopped run.
    pub fn named(&self, error: Error) -> Error {
        match error {
            Error::Stopped {
                path,
                problem,
                remedy,
                ..
            } => Error::Stopped {
                path,
                problem,
                remedy,
                signal: self.caught(),
            },
            error => error,
        }
    }
}
