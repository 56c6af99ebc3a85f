//! `--out -`: events on stdout, in order of time over all categories.

use std::io::{ErrorKind, Write};
use std::time::Instant;

use super::settings::{Settings, is_of_files};
use super::signals::Signals;
use super::summary::{counted, grouped, sized};
use super::voice::Voice;
use crate::error::{Error, Result};
use crate::generator::{Chunk, Generator, Select};
use crate::plan::{Config, Format};
use crate::progress::Progress;
use crate::settings::SETTINGS;

/// The configuration of `--out -`. The format is NDJSON unless it is given. Settings that only files
/// have are removed with a note, because one configuration file may serve all commands.
///
/// # Errors
/// An invalid value, or a format that needs files.
pub fn config(settings: &mut Settings, voice: Voice) -> Result<Config> {
    let of_files = SETTINGS.iter().filter(|setting| is_of_files(setting));
    let names = of_files.map(|setting| setting.name);
    // A stream has these two.
    let idle = names.filter(|name| !["format", "compression"].contains(name));
    settings.remove_idle(idle, "--out -", voice);
    if !settings.is_given("format") {
        settings.set("format", Format::Ndjson.name())?;
    }
    let config = settings.config(voice)?;
    if config.format.is_parquet() {
        return Err(Error::setting(
            "--format",
            "Parquet needs files, and --out - writes none",
            "use --format ndjson or --format arrow",
        ));
    }
    Ok(config)
}

/// The configuration without splits, which change no row: its plan is fast to make.
pub fn unsplit(config: Config) -> Config {
    Config {
        row_group_rows: u64::MAX,
        shard_rows: u64::MAX,
        ..config
    }
}

/// Stdout, and what went through it.
pub struct Pipe {
    output: std::io::StdoutLock<'static>,
    pub events: u64,
    pub bytes: u64,
    /// The reader has seen enough.
    pub is_closed: bool,
}

impl Pipe {
    pub fn new() -> Self {
        Pipe {
            output: std::io::stdout().lock(),
            events: 0,
            bytes: 0,
            is_closed: false,
        }
    }

    /// Writes bytes with `events` whole events, without waiting for more. A closed pipe is no error.
    ///
    /// # Errors
    /// Any other I/O error.
    pub fn write(&mut self, bytes: &[u8], events: usize) -> Result<()> {
        if self.is_closed {
            return Ok(());
        }
        match self
            .output
            .write_all(bytes)
            .and_then(|()| self.output.flush())
        {
            Ok(()) => {
                self.events += events as u64;
                self.bytes += bytes.len() as u64;
                Ok(())
            }
            Err(e) if e.kind() == ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(())
            }
            Err(e) => Err(Error::io("stdout".as_ref(), "write", e)),
        }
    }
}

/// Error of a stream that a signal stopped.
pub fn stopped(events: u64, signals: &Signals) -> Error {
    Error::Stopped {
        path: "stdout".into(),
        problem: format!("stopped after {}", counted(events, "event")),
        remedy: "run the same command again: it starts over".into(),
        signal: signals.caught(),
    }
}

/// Writes all events to stdout.
///
/// # Errors
/// I/O, or a signal.
pub fn write(
    generator: &Generator,
    threads: usize,
    progress: &dyn Progress,
    signals: &Signals,
    voice: Voice,
) -> Result<()> {
    let started = Instant::now();
    let mut pipe = Pipe::new();
    for chunk in generator.stream(&Select::all().in_time_order(), threads)? {
        let Chunk { bytes, times, .. } = chunk?;
        if signals.caught().is_some() {
            return Err(stopped(pipe.events, signals));
        }
        pipe.write(&bytes, times.len())?;
        if pipe.is_closed {
            return Ok(());
        }
        progress.advance(times.len() as u64);
    }
    if voice.is_quiet() {
        return Ok(());
    }
    let seconds = started.elapsed().as_secs_f64();
    eprintln!(
        "{}, {} in {seconds:.1} s on {}: {} events/s, {}/s",
        counted(pipe.events, "event"),
        sized(pipe.bytes),
        counted(threads as u64, "thread"),
        grouped((pipe.events as f64 / seconds) as u64),
        sized((pipe.bytes as f64 / seconds) as u64),
    );
    Ok(())
}
