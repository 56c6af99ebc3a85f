//! A bar on stderr, hidden off a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::progress::Progress;

/// Events, events/s and time to go.
#[derive(Debug)]
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar of `events`.
    pub fn new(events: u64, hidden: bool) -> Self {
        let bar = if hidden {
            ProgressBar::with_draw_target(Some(events), ProgressDrawTarget::hidden())
        } else {
            ProgressBar::new(events)
        };
        if let Ok(style) = ProgressStyle::with_template(
            "{bar:30} {human_pos}/{human_len} events  {per_sec}  {eta} to go",
        ) {
            bar.set_style(style);
        }
        Bar(bar)
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn advance(&self, rows: u64) {
        self.0.inc(rows);
    }
}

/// A count of rows read, for a source whose length nobody knows.
#[derive(Debug)]
pub struct Reading(ProgressBar);

impl Reading {
    /// Counts `what`: `alerts`.
    pub fn new(what: &'static str, hidden: bool) -> Self {
        let bar = if hidden {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden())
        } else {
            ProgressBar::no_length()
        };
        if let Ok(style) = ProgressStyle::with_template("{human_pos} {msg} read  {per_sec}") {
            bar.set_style(style);
        }
        bar.set_message(what);
        Reading(bar)
    }

    /// So many are read by now.
    pub fn at(&self, rows: u64) {
        self.0.set_position(rows);
    }

    /// Removes the count.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
