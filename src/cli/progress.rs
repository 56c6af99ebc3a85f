//! A progress bar on stderr, hidden if stderr is not a terminal.

use std::fmt::Write;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::progress::Progress;

/// A style whose `{rate}` is a whole number a second.
fn style(template: &str) -> ProgressStyle {
    let rate = |state: &ProgressState, text: &mut dyn Write| {
        let _ = write!(text, "{}/s", HumanCount(state.per_sec() as u64));
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => style.with_key("rate", rate),
        Err(_) => ProgressStyle::default_bar(),
    }
}

/// Shows events, events/s and the remaining time.
#[derive(Debug)]
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar for `events` events.
    pub fn new(events: u64, hidden: bool) -> Self {
        let bar = if hidden {
            ProgressBar::with_draw_target(Some(events), ProgressDrawTarget::hidden())
        } else {
            ProgressBar::new(events)
        };
        let template = "{bar:30} {human_pos}/{human_len} events  {rate}  {eta} to go";
        Bar(bar.with_style(style(template)))
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

    fn kept(&self, rows: u64) {
        self.0.inc(rows);
        // The speed is that of new rows.
        self.0.reset_eta();
    }
}

/// A sign that a plan is being made, which takes seconds from about 100M events on.
#[derive(Debug)]
pub struct Planning(ProgressBar);

impl Planning {
    /// Shows it for a plan of `events` events.
    pub fn new(events: u64, hidden: bool) -> Self {
        let bar = match hidden {
            true => ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
            false => ProgressBar::no_length(),
        };
        let bar = bar.with_style(style("{spinner} planning {msg} events  {elapsed}"));
        bar.set_message(HumanCount(events).to_string());
        bar.enable_steady_tick(std::time::Duration::from_millis(200));
        Planning(bar)
    }
}

impl Drop for Planning {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A count of rows read, for a source of unknown length.
#[derive(Debug)]
pub struct Reading(ProgressBar);

impl Reading {
    /// `what` is counted, such as `alerts`.
    pub fn new(what: &'static str, hidden: bool) -> Self {
        let bar = if hidden {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden())
        } else {
            ProgressBar::no_length()
        };
        let bar = bar.with_style(style("{human_pos} {msg} read  {rate}"));
        bar.set_message(what);
        Reading(bar)
    }

    /// Sets the number of rows read so far.
    pub fn at(&self, rows: u64) {
        self.0.set_position(rows);
    }

    /// Removes the count.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}
