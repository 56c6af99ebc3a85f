//! A bar on stderr, hidden off a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::sink::Progress;

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
