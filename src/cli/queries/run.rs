//! `fusiongen queries run`: runs the suite on an engine.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::compare::{Judge, concluded, header, is_timed, judged, row};
use super::engine::{engines, finished, launch};
use crate::cli::output::{print, refuse_replacing, refuse_unwritable};
use crate::cli::signals::{Signals, Stoppable};
use crate::corpus::refuse_inside;
use crate::error::{Error, Result};
use crate::numbers::counted;
use crate::progress::Silent;
use crate::queries::{
    Answers, Comparison, Files, Launch, Options, Outcome, Parameters, Record, Status, Suite, Views,
    against, run, run_against, select,
};

/// Arguments of `queries run`.
#[derive(Debug, Args)]
pub struct Run {
    /// Directory of the corpus
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Engine: duckdb, spark, datafusion, chdb, polars, or a command with a space or a slash, such as
    /// ./adapter, that speaks JSON lines
    #[arg(long, value_name = "ENGINE", default_value = "duckdb")]
    engine: String,
    /// SQL dialect that the command takes [default: duckdb]
    #[arg(long, value_name = "DIALECT", value_parser = engines())]
    dialect: Option<String>,
    /// Only these queries: full names or numbers, such as q01,q18_drop_run_connect
    #[arg(long, value_name = "QUERY,…", value_delimiter = ',')]
    only: Vec<String>,
    /// Runs of each query; the first is cold and does not count, unless it is the only one. --against
    /// needs 2 or more
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    tries: u32,
    /// Longest time of one run, and of the engine's start, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// Threads that the engine may use [default: the engine's own]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096))]
    threads: Option<u32>,
    /// File to record the run in, as JSON; must be outside DIR
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Known answers, as `queries answers -o FILE` writes them [default: the constructed ones, and
    /// those of corpora with default settings on which two engines agreed]
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// Recorded run to compare with
    #[arg(long, value_name = "FILE", group = "reference")]
    baseline: Option<PathBuf>,
    /// Second engine or command, measured side by side: the tries of both alternate
    #[arg(long, value_name = "ENGINE", group = "reference")]
    against: Option<String>,
    /// SQL dialect that the second command takes [default: duckdb]
    #[arg(long, value_name = "DIALECT", value_parser = engines(), requires = "against")]
    against_dialect: Option<String>,
    /// Threads that the second engine may use [default: --threads]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=4096), requires = "against")]
    against_threads: Option<u32>,
    /// File to record the run of the second engine in; must be outside DIR
    #[arg(long, value_name = "FILE", requires = "against")]
    against_output: Option<PathBuf>,
    #[command(flatten)]
    judge: Judge,
}

/// One line of the table.
fn line(outcome: &Outcome) -> String {
    let status = match outcome.status {
        Status::Fine => "",
        Status::Wrong => "WRONG ",
        Status::Failed => "FAILED ",
        Status::Skipped => "skipped ",
    };
    let time = |ms: Option<f64>| ms.map_or("-".into(), |ms| format!("{ms:.0}"));
    let cpu = outcome
        .warm()
        .iter()
        .filter_map(|sample| sample.cpu_ms)
        .min();
    let problem = outcome.problem.as_deref().unwrap_or("").replace('\n', " ");
    format!(
        "{:<24} {:>6} {:>9} {:>9} {:>9}  {:<12} {status}{problem}\n",
        outcome.query,
        outcome.rows,
        time(outcome.samples.first().map(|sample| sample.ms)),
        time(outcome.median()),
        cpu.map_or("-".into(), |ms| ms.to_string()),
        outcome.answer,
    )
}

impl Run {
    /// Runs the queries, prints a table, and writes the record.
    ///
    /// # Errors
    /// An answer is wrong, a query is slower than the baseline, or the engine fails.
    pub fn run(&self) -> Result<()> {
        let queries = select(&self.only)?;
        self.check_tries()?;
        let first = launch(
            ["--engine", "--dialect"],
            &self.engine,
            self.dialect.as_deref(),
        )?;
        let second = self.against.as_deref().map(|engine| {
            let options = ["--against", "--against-dialect"];
            launch(options, engine, self.against_dialect.as_deref())
        });
        let second = second.transpose()?;
        let baseline = self.baseline.as_deref().map(Record::read).transpose()?;
        let (plan, manifest) = finished(&self.directory)?;
        self.check_outputs()?;
        let source = Files::new(&self.directory, plan.clone());
        let parameters = Parameters::choose(&source)?;
        let answers = match &self.answers {
            Some(path) => Answers::read(path, &plan, &parameters)?,
            None => Answers::construct(&source, &parameters, &queries)?.with_agreed()?,
        };
        let views = Views::new(&self.directory, plan.clone())?;
        let suite = Suite {
            plan: &plan,
            views: &views,
            event_bytes: manifest.event_files().map(|file| file.bytes).sum(),
            queries: &queries,
            parameters: &parameters,
            answers: &answers,
        };
        match second {
            None => self.one(&suite, first, baseline.as_ref()),
            Some(second) => self.two(&suite, first, second),
        }
    }

    /// Refuses a single try with a second engine: it is cold, and cold times are not compared.
    fn check_tries(&self) -> Result<()> {
        match (&self.against, self.tries) {
            (Some(_), 1) => Err(Error::setting(
                "--tries",
                "the only try is cold, and --against does not compare cold times",
                "give --tries 2 or more",
            )),
            _ => Ok(()),
        }
    }

    /// Refuses files that cannot be written or that are read, before hours are measured.
    fn check_outputs(&self) -> Result<()> {
        let reads = [&self.baseline, &self.answers].into_iter().flatten();
        let reads: Vec<&Path> = reads.map(PathBuf::as_path).collect();
        for output in [&self.output, &self.against_output].into_iter().flatten() {
            refuse_inside(&self.directory, output)?;
            refuse_unwritable(output)?;
            refuse_replacing(output, &reads)?;
        }
        if self.output.is_some() && self.output == self.against_output {
            return Err(Error::setting(
                "--against-output",
                "names the same file as --output",
                "give each run a file of its own",
            ));
        }
        Ok(())
    }

    fn options(&self, launch: Launch, threads: Option<u32>) -> Options {
        Options {
            launch,
            tries: self.tries as usize,
            patience: Duration::from_secs(self.timeout),
            threads: threads.map(|threads| threads as usize),
            limit: self.judge.limit(),
            force: self.judge.force,
        }
    }

    fn one(&self, suite: &Suite<'_>, launch: Launch, baseline: Option<&Record>) -> Result<()> {
        print(&format!(
            "{:<24} {:>6} {:>9} {:>9} {:>9}  answer\n",
            "query", "rows", "cold ms", "ms", "cpu ms"
        ))?;
        let signals = Signals::catch()?;
        let progress = Stoppable(&Silent, &signals);
        let options = self.options(launch, self.threads);
        let mut each = |outcome: &Outcome| print(&line(outcome));
        let record = run(suite, &options, baseline, &progress, &mut each);
        let record = record.map_err(|error| signals.named(error))?;
        if let Some(output) = &self.output {
            record.write(output)?;
        }
        print(&counts(&record))?;
        let concluded = match baseline {
            Some(baseline) => judged(baseline, &record, &self.judge, &self.directory),
            None => match record.with(Status::Wrong).count() {
                0 => Ok(()),
                failed => Err(Error::Check {
                    path: self.directory.clone(),
                    failed,
                }),
            },
        };
        // An engine that failed is the stronger code.
        none_failed(&record, &self.engine)?;
        concluded
    }

    fn two(&self, suite: &Suite<'_>, launch: Launch, second: Launch) -> Result<()> {
        print(&header("A ms", "B ms"))?;
        let signals = Signals::catch()?;
        let progress = Stoppable(&Silent, &signals);
        let one = self.options(launch, self.threads);
        let other = self.options(second, self.against_threads.or(self.threads));
        let mut lines = Vec::new();
        let mut each = |a: &Outcome, b: &Outcome| {
            let line = against(a, b, one.limit, "A");
            let printed = print(&row(&line));
            lines.push(line);
            printed
        };
        let records = run_against(suite, &one, &other, &progress, &mut each);
        let (a, b) = records.map_err(|error| signals.named(error))?;
        for (record, output) in [(&a, &self.output), (&b, &self.against_output)] {
            if let Some(output) = output {
                record.write(output)?;
            }
        }
        let compared = Comparison::of(lines, one.limit, &is_timed()?);
        print(&format!("A: {}B: {}", counts(&a), counts(&b)))?;
        let concluded = concluded(&compared, &self.judge, &self.directory);
        none_failed(&a, one.launch.name())?;
        none_failed(&b, other.launch.name())?;
        concluded
    }
}

/// How many queries were fine, as a line.
fn counts(record: &Record) -> String {
    let count = |status| record.with(status).count();
    let threads = record.threads.map_or(String::new(), |threads| {
        format!(" with {}", counted(threads as u64, "thread"))
    });
    format!(
        "{} {}{threads}, {} fine, {} wrong, {} failed, {} skipped\n",
        record.about.engine,
        record.about.version,
        count(Status::Fine),
        count(Status::Wrong),
        count(Status::Failed),
        count(Status::Skipped)
    )
}

/// # Errors
/// A query failed.
fn none_failed(record: &Record, engine: &str) -> Result<()> {
    match record.with(Status::Failed).count() {
        0 => Ok(()),
        failed => Err(Error::Engine {
            engine: engine.to_string(),
            problem: format!("{} failed", counted(failed as u64, "query")),
            remedy: "the table above says why; --only can name the queries that the engine can run"
                .into(),
        }),
    }
}
