//! A progress bar on stderr, hidden if stderr is not a terminal.

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::summary::{counted, grouped};
use super::voice::{Voice, took};
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

/// Shows events, events/s and the remaining time; with `--verbose` also files and steps.
#[derive(Debug)]
pub struct Bar {
    bar: ProgressBar,
    voice: Voice,
    /// The step that is being done, and when it began.
    step: Mutex<Option<(&'static str, Instant)>>,
}

impl Bar {
    /// A bar for `events` events.
    pub fn new(events: u64, hidden: bool, voice: Voice) -> Self {
        let bar = if hidden || voice.is_quiet() {
            ProgressBar::with_draw_target(Some(events), ProgressDrawTarget::hidden())
        } else {
            ProgressBar::new(events)
        };
        let template = "{bar:30} {human_pos}/{human_len} events  {rate}  {eta} to go";
        Bar {
            bar: bar.with_style(style(template)),
            voice,
            step: Mutex::new(None),
        }
    }

    /// Removes the bar. The last step ends.
    pub fn finish(&self) {
        self.end_step(None);
        self.bar.finish_and_clear();
    }

    fn end_step(&self, next: Option<(&'static str, Instant)>) {
        let mut step = self.step.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = std::mem::replace(&mut *step, next);
        if let Some((name, started)) = ended {
            self.say(&took(name, started));
        }
    }

    /// Prints a line above the bar.
    fn say(&self, line: &str) {
        if self.voice.is_verbose() {
            self.bar.suspend(|| self.voice.more(line));
        }
    }
}

impl Progress for Bar {
    fn advance(&self, rows: u64) {
        self.bar.inc(rows);
    }

    fn kept(&self, rows: u64) {
        self.bar.inc(rows);
        // The speed is that of new rows.
        self.bar.reset_eta();
    }

    fn file(&self, path: &str, rows: u64, bytes: u64) {
        let rows = counted(rows, "row");
        self.say(&format!("{path}: {rows}, {} bytes", grouped(bytes)));
    }

    fn step(&self, name: &'static str) {
        self.end_step(Some((name, Instant::now())));
    }
}

/// A sign that a plan is being made, which takes seconds from about 100M events on.
#[derive(Debug)]
pub struct Planning(ProgressBar);

impl Planning {
    /// Shows it for a plan of `events` events.
    pub fn new(events: u64, hidden: bool, voice: Voice) -> Self {
        let bar = match hidden || voice.is_quiet() {
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
