//! `fusiongen replay`: writes events to stdout as they happen, from now on.
//!
//! The corpus itself starts today, so every time in an event is right: GUIDs, audit serials and log
//! lines need no shift.

use std::time::{Duration, Instant, SystemTime};

use chrono::{DateTime, Days, NaiveDate};
use clap::{Args, ValueEnum};

use super::generate::threads;
use super::layers::Names;
use super::settings::{EventSettings, flagged};
use super::signals::Signals;
use super::stream::{self, Pipe, stopped};
use super::summary::{counted, grouped};
use super::voice::Voice;
use crate::error::{Error, Result};
use crate::generator::{Chunk, Generator, Select};
use crate::plan::parse::parse_count;
use crate::plan::{Config, Format, Grounding};

/// Events a second if neither `--rate` nor `--events` is given.
const RATE: u64 = 1_000;
/// Longest sleep, so that a signal is seen soon.
const NAP: Duration = Duration::from_millis(100);
/// Shortest sleep: events of this time are written together.
const TICK: Duration = Duration::from_millis(5);
/// A delay that is worth a note.
const LATE: Duration = Duration::from_secs(5);

/// Help of `--events` and `--start`, which differ from those of `generate`.
const EVENTS: &str = "Number of events in --days, instead of --rate";
const START: &str = "No effect: a replay starts today";

/// When an event is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Pace {
    /// At its own @timestamp: busy and quiet hours, bursts
    Clock,
    /// Evenly, the same number every second; times may run ahead of the clock, or behind
    Even,
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
#[command(after_help = super::settings::hours_help())]
#[command(mut_arg("events", |arg| arg.help(EVENTS).hide_default_value(true)))]
#[command(mut_arg("start", |arg| arg.help(START).hide_default_value(true)))]
pub struct Replay {
    #[command(flatten)]
    settings: EventSettings,

    /// Mean events per second, minute or hour: 500, 5k/s, 2M/h [default: 1k/s, or --events over --days]
    #[arg(
        long,
        value_name = "N/UNIT",
        conflicts_with = "events",
        help_heading = "Replay"
    )]
    rate: Option<String>,
    /// When an event is written
    #[arg(long, value_enum, default_value_t = Pace::Clock, help_heading = "Replay")]
    pace: Pace,
    /// Stop after this time: 90s, 10m, 2h [default: run until stopped]
    #[arg(long, value_name = "TIME", help_heading = "Replay")]
    duration: Option<String>,
    /// Number of threads; the output is identical for any value [default: all processors]
    #[arg(long, value_name = "N", help_heading = "Run")]
    threads: Option<usize>,
    #[command(flatten, next_help_heading = "Run")]
    voice: Voice,
}

/// Microseconds since the Unix epoch.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as i64)
}

fn date_of(time: i64) -> NaiveDate {
    DateTime::from_timestamp_micros(time).map_or(NaiveDate::default(), |time| time.date_naive())
}

/// Events in `seconds`, from a rate like `5k/s`.
fn events_in(seconds: u64, rate: &str) -> Result<u64> {
    let (count, unit) = rate.split_once('/').unwrap_or((rate, "s"));
    let unit = match unit.trim() {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => 0,
    };
    let events = match (parse_count(count), unit) {
        (Ok(count @ 1..), 1..) => {
            u64::try_from(u128::from(count) * u128::from(seconds) / unit).ok()
        }
        _ => None,
    };
    events.ok_or_else(|| {
        Error::setting(
            "--rate",
            format!("'{rate}' is not a rate"),
            "give events per second, minute or hour, such as 500, 5k/s or 2M/h",
        )
    })
}

/// A duration like `90s`.
fn duration(text: &str) -> Result<Duration> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[number.len()..] {
        "" | "s" => 1,
        "m" | "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => 0,
    };
    let seconds = number
        .trim()
        .parse()
        .ok()
        .and_then(|n: u64| n.checked_mul(unit));
    match seconds {
        Some(seconds @ 1..) => Ok(Duration::from_secs(seconds)),
        _ => Err(Error::setting(
            "--duration",
            format!("'{text}' is not a duration"),
            "give seconds, minutes or hours, such as 90s, 10m or 2h",
        )),
    }
}

impl Replay {
    pub fn run(&self, names: &Names) -> Result<()> {
        let voice = self.voice;
        let threads = threads(self.threads)?;
        let until = self.duration.as_deref().map(duration).transpose()?;
        let mut config = self.config(date_of(now()), names)?;
        let grounding: Grounding = self.settings.0.grounding(self.voice)?;
        let catalog = self.settings.0.catalog()?;
        let signals = Signals::catch()?;
        let mut begun = None;
        let mut player = Player {
            pipe: Pipe::new(),
            signals: &signals,
            pace: self.pace,
            per_second: config.events as f64 / (f64::from(config.days) * 86_400.0),
            started: None,
            until,
            is_late: false,
            voice,
        };
        loop {
            let (config_of, grounding) = (stream::unsplit(config.clone()), grounding.clone());
            let catalog = catalog.clone();
            let made = voice.timed("planned", || Generator::new(config_of, grounding, catalog));
            let generator = made.map_err(flagged)?;
            if config.period == 0 {
                for notice in &generator.plan().notices {
                    voice.note(notice);
                }
            }
            // Planning took a while. Later periods lie after this time as a whole.
            let select = Select::all().since(*begun.get_or_insert_with(now));
            for chunk in generator.stream(&select, threads)? {
                player.play(&chunk?)?;
                if player.is_done() {
                    player.sum_up();
                    return Ok(());
                }
            }
            config.period += 1;
            config.start = next_start(&config)?;
            config.validate()?;
        }
    }

    fn config(&self, today: NaiveDate, names: &Names) -> Result<Config> {
        let mut settings = self.settings.0.clone();
        settings.remove_idle(["start"], "replay", self.voice);
        if !settings.is_given("events") {
            // A preset's number of events says nothing about a rate.
            settings.remove_idle(["events"], "replay", self.voice);
        }
        // Each event is a line of its own.
        settings.set("format", Format::Ndjson.name())?;
        let mut config = settings.config(self.voice)?;
        let seconds = u64::from(config.days) * 86_400;
        config.events = match &self.rate {
            Some(rate) => events_in(seconds, rate)?,
            None if settings.is_given("events") => config.events,
            None => RATE * seconds,
        };
        config.start = today;
        config.validate()?;
        settings.tell(&config, names, self.voice);
        Ok(config)
    }
}

/// The day after a period.
fn next_start(config: &Config) -> Result<NaiveDate> {
    let next = config.start.checked_add_days(Days::new(config.days.into()));
    next.ok_or_else(|| Error::setting("--days", "the calendar ends", "start again"))
}

/// Writes events when their time has come.
struct Player<'p> {
    pipe: Pipe,
    signals: &'p Signals,
    pace: Pace,
    /// Mean rate.
    per_second: f64,
    /// When the first events came.
    started: Option<Instant>,
    until: Option<Duration>,
    is_late: bool,
    voice: Voice,
}

impl Player<'_> {
    fn is_done(&self) -> bool {
        self.pipe.is_closed || self.until.is_some_and(|until| self.elapsed() >= until)
    }

    fn elapsed(&self) -> Duration {
        self.started
            .map_or(Duration::ZERO, |started| started.elapsed())
    }

    /// Writes the events of a chunk, each at its time.
    fn play(&mut self, chunk: &Chunk) -> Result<()> {
        self.started.get_or_insert_with(Instant::now);
        let mut next = 0;
        while next < chunk.times.len() && !self.is_done() {
            if self.signals.caught().is_some() {
                return Err(stopped(self.pipe.events, self.signals));
            }
            let due = self.due(&chunk.times, next);
            if due > next {
                let from = next.checked_sub(1).map_or(0, |last| chunk.ends[last]);
                self.pipe
                    .write(&chunk.bytes[from..chunk.ends[due - 1]], due - next)?;
                next = due;
                continue;
            }
            std::thread::sleep(self.wait(chunk.times[next]).clamp(TICK, NAP));
        }
        Ok(())
    }

    /// The first event that must wait, from `next` on.
    fn due(&mut self, times: &[i64], next: usize) -> usize {
        match self.pace {
            Pace::Clock => {
                let now = now();
                self.tell_late(now - times[next]);
                next + times[next..].partition_point(|&time| time <= now)
            }
            Pace::Even => {
                let wanted = (self.elapsed().as_secs_f64() * self.per_second) as u64;
                let due = wanted.saturating_sub(self.pipe.events);
                next + usize::try_from(due)
                    .unwrap_or(usize::MAX)
                    .min(times.len() - next)
            }
        }
    }

    /// How long the event of `time` has to wait.
    fn wait(&self, time: i64) -> Duration {
        match self.pace {
            Pace::Clock => Duration::from_micros(u64::try_from(time - now()).unwrap_or(0)),
            Pace::Even => Duration::from_secs_f64((1.0 / self.per_second).min(1.0)),
        }
    }

    fn tell_late(&mut self, late: i64) {
        if !self.is_late && late > LATE.as_micros() as i64 {
            self.is_late = true;
            self.voice.note(format_args!(
                "events are written {} s after their time: the rate is more than this machine, \
                 or the reader, can do",
                late / 1_000_000
            ));
        }
    }

    fn sum_up(&self) {
        if self.voice.is_quiet() {
            return;
        }
        let seconds = self.elapsed().as_secs_f64();
        eprintln!(
            "{} in {seconds:.1} s, {} events/s",
            counted(self.pipe.events, "event"),
            grouped((self.pipe.events as f64 / seconds.max(0.001)) as u64)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_durations() {
        for (rate, events) in [
            ("500", 43_200_000),
            ("5k/s", 432_000_000),
            ("2M/h", 48_000_000),
        ] {
            assert_eq!(events_in(86_400, rate).unwrap(), events, "{rate}");
        }
        for wrong in ["", "0", "fast", "5k/week", "-1"] {
            assert!(events_in(86_400, wrong).is_err(), "{wrong}");
        }
        for (text, seconds) in [("90s", 90), ("10m", 600), ("2h", 7_200), ("7", 7)] {
            assert_eq!(duration(text).unwrap().as_secs(), seconds, "{text}");
        }
        for wrong in ["", "0s", "h", "10 weeks", "-1s", "99999999999999999999d"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
