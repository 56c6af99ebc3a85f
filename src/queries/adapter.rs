//! An engine under test: a child process that speaks lines of JSON.
//!
//! `{"open": {"statements": […], "threads": 2}}` is answered by `{"engine", "version", "settings"}`,
//! `{"run": {"sql": …}}` by `{"ms", "columns", "rows"}`; either may answer `{"error": …}` instead.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Engine;
use super::usage::{Usage, usage};
use crate::error::{Error, Result, shown_up_to};
use crate::progress::Progress;

/// Lines of the engine's messages that an error repeats.
const KEPT_LINES: usize = 5;
/// How often a request to stop is looked for while the engine works.
const TICK: Duration = Duration::from_millis(50);
/// How long an engine that stops answering has to end.
const FAREWELL: Duration = Duration::from_secs(1);

/// How an engine is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Launch {
    /// A Python program that is part of fusiongen.
    Shipped(Engine),
    /// A command of the user's, for the shell; it takes SQL of this engine's dialect.
    Command(String, Engine),
}

impl Launch {
    /// The dialect of the views and literals.
    pub fn dialect(&self) -> Engine {
        match self {
            Launch::Shipped(engine) | Launch::Command(_, engine) => *engine,
        }
    }

    /// The engine as the user named it.
    pub fn name(&self) -> &str {
        match self {
            Launch::Shipped(engine) => engine.name(),
            Launch::Command(command, _) => command,
        }
    }

    fn command(&self) -> Command {
        match self {
            Launch::Shipped(engine) => {
                let python = std::env::var_os("FUSIONGEN_PYTHON");
                let mut command = Command::new(python.unwrap_or_else(|| "python3".into()));
                command.arg("-c").arg(engine.adapter());
                command
            }
            Launch::Command(text, _) => {
                let (shell, flag) = match cfg!(windows) {
                    true => ("cmd", "/C"),
                    false => ("sh", "-c"),
                };
                let mut command = Command::new(shell);
                command.args([flag, text]);
                command
            }
        }
    }

    fn remedy(&self) -> String {
        match self {
            Launch::Shipped(engine) => format!(
                "install the engine with `pip install {}`, or set FUSIONGEN_PYTHON to a Python that has it",
                engine.package()
            ),
            Launch::Command(_, _) => {
                "run the command by hand; docs/queries.md says what it is sent and must answer"
                    .into()
            }
        }
    }
}

/// What an engine says of itself.
#[derive(Debug, Clone, PartialEq, Deserialize, serde::Serialize)]
pub struct About {
    pub engine: String,
    pub version: String,
    #[serde(default)]
    pub settings: Map<String, Value>,
}

impl About {
    /// Each setting as `name = value`.
    pub(super) fn settings_shown(&self) -> Vec<String> {
        let shown = |(name, value): (&String, &Value)| match value.as_str() {
            Some(text) => format!("{name} = {text}"),
            None => format!("{name} = {value}"),
        };
        self.settings.iter().map(shown).collect()
    }
}

/// The result of one run of a query.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Table {
    pub ms: f64,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Value>>,
}

/// Why a query has no result.
#[derive(Debug)]
pub enum Failure {
    /// The engine refused the query; it can go on with the next one.
    Refused(String),
    /// The engine took longer than allowed, and was ended.
    TimedOut,
    /// The engine ended, or answered something else.
    Broken(Error),
    /// The run was stopped on request, and the engine was ended.
    Stopped(Error),
}

/// A running engine.
pub struct Adapter {
    launch: Launch,
    child: Child,
    input: ChildStdin,
    lines: Receiver<String>,
    messages: Arc<Mutex<VecDeque<String>>>,
    /// Told when the engine's messages have ended.
    silent: Receiver<()>,
}

/// Lines of outside data; a line that is not UTF-8 is repaired, so that it is only not JSON.
fn lines_of(pipe: impl Read) -> impl Iterator<Item = String> {
    let lines = BufReader::new(pipe).split(b'\n');
    lines
        .map_while(std::result::Result::ok)
        .map(|line| String::from_utf8_lossy(&line).into_owned())
}

impl Adapter {
    /// Starts the engine and creates the views.
    ///
    /// # Errors
    /// The command does not start, or refuses a view.
    pub fn open(
        launch: &Launch,
        statements: &[String],
        threads: Option<usize>,
        patience: Duration,
        progress: &dyn Progress,
    ) -> Result<(Self, About)> {
        let mut command = launch.command();
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // A group of its own: its processor time is told from ours, and all of it can be ended.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let failed = |problem: String| Error::Engine {
            engine: launch.name().to_string(),
            problem,
            remedy: launch.remedy(),
        };
        let mut child = command
            .spawn()
            .map_err(|e| failed(format!("it cannot be started: {e}")))?;
        let (Some(input), Some(output), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(failed("it has no pipes".into()));
        };
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in lines_of(output) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let messages = Arc::new(Mutex::new(VecDeque::new()));
        let kept = messages.clone();
        let (told, silent) = channel();
        std::thread::spawn(move || {
            for line in lines_of(errors) {
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.push_back(line);
                if kept.len() > KEPT_LINES {
                    kept.pop_front();
                }
            }
            let _ = told.send(());
        });
        let mut adapter = Adapter {
            launch: launch.clone(),
            child,
            input,
            lines,
            messages,
            silent,
        };
        let request = json!({"open": {"statements": statements, "threads": threads}});
        match adapter.ask(&request, patience, progress) {
            Ok(reply) => match serde_json::from_value(reply) {
                Ok(about) => Ok((adapter, about)),
                Err(e) => {
                    Err(adapter.broken(&format!("its answer to \"open\" is not understood: {e}")))
                }
            },
            Err(Failure::Refused(problem)) => Err(Error::Engine {
                engine: launch.name().to_string(),
                problem: format!("it refused a view over the corpus: {problem}"),
                remedy: "check the files with `fusiongen check DIR --integrity`, and the --dialect"
                    .into(),
            }),
            Err(Failure::TimedOut) => Err(Error::Engine {
                engine: launch.name().to_string(),
                problem: format!("it did not start within {} s", patience.as_secs()),
                remedy: "give a longer --timeout".into(),
            }),
            Err(Failure::Broken(error) | Failure::Stopped(error)) => Err(error),
        }
    }

    /// Runs a query.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn run(
        &mut self,
        sql: &str,
        patience: Duration,
        progress: &dyn Progress,
    ) -> std::result::Result<Table, Failure> {
        let reply = self.ask(&json!({"run": {"sql": sql}}), patience, progress)?;
        let table: Table = serde_json::from_value(reply).map_err(|e| {
            Failure::Broken(self.broken(&format!("its answer to \"run\" is not understood: {e}")))
        })?;
        let wrong = table.rows.iter().flatten().find(|value| match value {
            Value::Number(number) => number.is_f64(),
            Value::Array(_) | Value::Object(_) => true,
            _ => false,
        });
        match wrong {
            Some(value) => Err(Failure::Refused(format!(
                "the result contains {value}, but results are texts, integers, booleans and nulls"
            ))),
            None => Ok(table),
        }
    }

    /// Processor time and memory that the engine has used so far; `None` where the system does not say.
    pub fn usage(&self) -> Option<Usage> {
        usage(self.child.id())
    }

    fn ask(
        &mut self,
        request: &Value,
        patience: Duration,
        progress: &dyn Progress,
    ) -> std::result::Result<Value, Failure> {
        // While every answer comes at once, the wait below never looks for a request to stop.
        self.stopped(progress)?;
        let sent = writeln!(self.input, "{request}").and_then(|()| self.input.flush());
        if sent.is_err() {
            return Err(Failure::Broken(self.ended()));
        }
        let until = Instant::now() + patience;
        let line = loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left.min(TICK)) {
                Ok(line) => break line,
                Err(RecvTimeoutError::Timeout) => {
                    self.stopped(progress)?;
                    if left.is_zero() {
                        self.end();
                        return Err(Failure::TimedOut);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Err(Failure::Broken(self.ended())),
            }
        };
        let reply: Value = serde_json::from_str(&line).map_err(|_| {
            let problem = format!(
                "it answered '{}', which is not JSON",
                shown_up_to(80, &line)
            );
            Failure::Broken(self.broken(&problem))
        })?;
        match reply.get("error") {
            Some(problem) => {
                let text = problem
                    .as_str()
                    .map_or_else(|| problem.to_string(), str::to_string);
                Err(Failure::Refused(shown_up_to(300, text.trim())))
            }
            None => Ok(reply),
        }
    }

    /// Ends the engine if the run should stop. A terminal's Ctrl-C does not reach the engine, which
    /// has a process group of its own.
    ///
    /// # Errors
    /// The run should stop.
    fn stopped(&mut self, progress: &dyn Progress) -> std::result::Result<(), Failure> {
        if !progress.stopped() {
            return Ok(());
        }
        self.end();
        Err(Failure::Stopped(Error::Stopped {
            path: self.launch.name().into(),
            problem: "stopped".into(),
            remedy: "run the same command again: it starts over".into(),
            signal: None,
        }))
    }

    fn broken(&self, problem: &str) -> Error {
        Error::Engine {
            engine: self.launch.name().to_string(),
            problem: problem.to_string(),
            remedy: self.launch.remedy(),
        }
    }

    /// The error for an engine that ended, with its last messages.
    fn ended(&mut self) -> Error {
        // It may have closed its stdout only, and wait for more requests.
        let until = Instant::now() + FAREWELL;
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break format!(" ({status})"),
                Ok(None) if Instant::now() < until => std::thread::sleep(TICK),
                _ => {
                    self.end();
                    break String::new();
                }
            }
        };
        let _ = self.silent.recv_timeout(FAREWELL);
        let kept = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let said: Vec<String> = kept
            .iter()
            .map(|line| format!("\n  {}", shown_up_to(200, line)))
            .collect();
        drop(kept);
        self.broken(&format!("it ended{status}{}", said.concat()))
    }

    /// Ends the engine and what it started.
    fn end(&mut self) {
        #[cfg(unix)]
        {
            let group = format!("-{}", self.child.id());
            let _ = Command::new("kill")
                .args(["-KILL", "--", &group])
                .stderr(Stdio::null())
                .status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Adapter {
    fn drop(&mut self) {
        self.end();
    }
}
