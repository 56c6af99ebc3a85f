//! Runs the suite on an engine.

use std::time::Duration;

use serde_json::Value;

use super::adapter::{About, Adapter, Failure, Launch, Table};
use super::answers::Answers;
use super::compare::{comparable, is_slower};
use super::record::{KEPT_ROWS, Machine, Outcome, Record, Sample, Status, checksum};
use super::{Parameters, Query, Views, version};
use crate::corpus::PlanFile;
use crate::error::Result;
use crate::plan::fingerprint::CREATED_BY;
use crate::progress::Progress;

/// How to run the suite.
#[derive(Debug, Clone)]
pub struct Options {
    pub launch: Launch,
    /// Runs of each query.
    pub tries: usize,
    /// Longest time of one run.
    pub patience: Duration,
    /// Threads that the engine is asked to use.
    pub threads: Option<usize>,
    /// Ratio from which a query is slower than the baseline.
    pub limit: f64,
    /// Compare with a baseline of another corpus, suite, machine or number of threads.
    pub force: bool,
}

/// Queries over one corpus, and what is known of their answers.
#[derive(Clone, Copy)]
pub struct Suite<'s> {
    pub plan: &'s PlanFile,
    pub views: &'s Views,
    /// Size of the event files, in bytes.
    pub event_bytes: u64,
    pub queries: &'s [Query],
    pub parameters: &'s Parameters,
    pub answers: &'s Answers,
}

/// Runs queries one after the other, each `tries` times. With a baseline, a query that seems slower
/// is run again, and keeps its better samples. `each` is called after each query.
///
/// # Errors
/// The engine does not start, the baseline cannot be compared, or `progress` asked to stop.
pub fn run(
    suite: &Suite<'_>,
    options: &Options,
    baseline: Option<&Record>,
    progress: &dyn Progress,
    each: &mut dyn FnMut(&Outcome) -> Result<()>,
) -> Result<Record> {
    let mut bench = Bench::open(suite, options, progress)?;
    if let Some(baseline) = baseline {
        comparable(baseline, &bench.record, options.force)?;
    }
    for query in suite.queries {
        let mut outcome = bench.measured(query)?;
        let before =
            baseline.and_then(|record| record.queries.iter().find(|o| o.query == query.name));
        if let Some(before) = before
            && before.status == Status::Fine
            && outcome.status == Status::Fine
            && is_slower(before, &outcome, options.limit)
        {
            let again = bench.measured(query)?;
            if is_better(before, &again, options.limit) {
                outcome = again;
            }
        }
        each(&outcome)?;
        bench.keep(outcome);
    }
    Ok(bench.record)
}

/// Runs queries on two engines, whose tries alternate, so that both see the same state of the machine.
/// A query on which the second engine seems slower is run again, and keeps its better samples. `each`
/// is called after each query.
///
/// # Errors
/// An engine does not start, or `progress` asked to stop.
pub fn run_against(
    suite: &Suite<'_>,
    options: &Options,
    against: &Options,
    progress: &dyn Progress,
    each: &mut dyn FnMut(&Outcome, &Outcome) -> Result<()>,
) -> Result<(Record, Record)> {
    let mut one = Bench::open(suite, options, progress)?;
    let mut other = Bench::open(suite, against, progress)?;
    for query in suite.queries {
        let (mut a, mut b) = alternating(&mut one, &mut other, query)?;
        let fine = a.status == Status::Fine && b.status == Status::Fine;
        if fine && is_slower(&a, &b, options.limit) {
            let again = alternating(&mut one, &mut other, query)?;
            if again.0.status != Status::Fine || is_better(&again.0, &again.1, options.limit) {
                (a, b) = again;
            }
        }
        each(&a, &b)?;
        one.keep(a);
        other.keep(b);
    }
    Ok((one.record, other.record))
}

/// Runs a query on two engines in turn, and judges both results.
fn alternating(
    one: &mut Bench<'_>,
    other: &mut Bench<'_>,
    query: &Query,
) -> Result<(Outcome, Outcome)> {
    let (mut a, mut b) = (one.start(query), other.start(query));
    for _ in 0..one.options.tries {
        one.run_once(&mut a)?;
        other.run_once(&mut b)?;
    }
    Ok((one.judged(query, a), other.judged(query, b)))
}

/// Whether a second measurement replaces the first, which was slower.
fn is_better(before: &Outcome, again: &Outcome, limit: f64) -> bool {
    again.status != Status::Fine || !is_slower(before, again, limit)
}

/// An engine at work, and what it has done so far.
struct Bench<'b> {
    suite: &'b Suite<'b>,
    options: &'b Options,
    progress: &'b dyn Progress,
    adapter: Adapter,
    record: Record,
}

/// The tries of one query.
struct Trial {
    sql: String,
    samples: Vec<Sample>,
    first: Option<(Table, String)>,
    changed: bool,
    /// Why there are no more tries.
    ended: Option<(Status, String)>,
}

impl<'b> Bench<'b> {
    fn open(
        suite: &'b Suite<'b>,
        options: &'b Options,
        progress: &'b dyn Progress,
    ) -> Result<Self> {
        let (adapter, about) = Self::adapter(suite, options, progress)?;
        Ok(Bench {
            suite,
            options,
            progress,
            adapter,
            record: Record {
                created_by: CREATED_BY.into(),
                suite: version(),
                fingerprint: suite.plan.fingerprint.clone(),
                events: suite.plan.config.events,
                event_bytes: suite.event_bytes,
                machine: Machine::here(),
                threads: options.threads,
                tries: options.tries,
                about,
                parameters: serde_json::to_value(suite.parameters).unwrap_or(Value::Null),
                peak_kib: None,
                queries: Vec::new(),
            },
        })
    }

    fn adapter(
        suite: &Suite<'_>,
        options: &Options,
        progress: &dyn Progress,
    ) -> Result<(Adapter, About)> {
        let statements = suite.views.statements(options.launch.dialect(), None);
        let Options {
            launch,
            threads,
            patience,
            ..
        } = options;
        Adapter::open(launch, &statements, *threads, *patience, progress)
    }

    fn start(&self, query: &Query) -> Trial {
        let dialect = self.options.launch.dialect();
        let (sql, ended) = match query.fill(self.suite.parameters, dialect) {
            Ok(sql) => (sql, None),
            Err(problem) => (String::new(), Some((Status::Skipped, problem.to_string()))),
        };
        Trial {
            sql,
            samples: Vec::new(),
            first: None,
            changed: false,
            ended,
        }
    }

    /// Runs a query once, unless its tries have ended. An engine that has ended is opened again.
    fn run_once(&mut self, trial: &mut Trial) -> Result<()> {
        if trial.ended.is_some() {
            return Ok(());
        }
        let before = self.adapter.usage();
        let problem = match (self.adapter).run(&trial.sql, self.options.patience, self.progress) {
            Ok(table) => {
                let after = self.adapter.usage();
                let cpu_ms = before
                    .zip(after)
                    .map(|(b, a)| a.cpu_ms.saturating_sub(b.cpu_ms));
                let ms = table.ms;
                trial.samples.push(Sample { ms, cpu_ms });
                let sum = checksum(&table.rows);
                match &trial.first {
                    None => trial.first = Some((table, sum)),
                    Some((_, known)) => trial.changed |= *known != sum,
                }
                return Ok(());
            }
            Err(Failure::Stopped(error)) => return Err(error),
            Err(Failure::Refused(problem)) => problem,
            Err(Failure::Broken(error)) => {
                self.reopen()?;
                error.to_string()
            }
            Err(Failure::TimedOut) => {
                self.reopen()?;
                format!("took longer than {} s", self.options.patience.as_secs())
            }
        };
        trial.ended = Some((Status::Failed, problem));
        Ok(())
    }

    fn reopen(&mut self) -> Result<()> {
        self.adapter = Self::adapter(self.suite, self.options, self.progress)?.0;
        Ok(())
    }

    /// Runs a query several times and judges its result.
    fn measured(&mut self, query: &Query) -> Result<Outcome> {
        let mut trial = self.start(query);
        for _ in 0..self.options.tries {
            self.run_once(&mut trial)?;
        }
        Ok(self.judged(query, trial))
    }

    fn judged(&self, query: &Query, trial: Trial) -> Outcome {
        let nothing = Outcome {
            query: query.name.into(),
            answer: "none".into(),
            status: Status::Fine,
            problem: None,
            samples: Vec::new(),
            rows: 0,
            checksum: String::new(),
            columns: Vec::new(),
            result: None,
        };
        if let Some((status, problem)) = trial.ended {
            return Outcome {
                status,
                problem: Some(problem),
                ..nothing
            };
        }
        let Some((table, checksum)) = trial.first else {
            return nothing;
        };
        let known = self.suite.answers.get(query.number());
        let problem = match known {
            _ if trial.changed => Some("the result changes between runs".to_string()),
            Some(answer) => answer.difference(&table.columns, &table.rows, &checksum),
            None => None,
        };
        let is_wrong = problem.is_some();
        // Small corpora have queries without rows.
        let is_doubtful = known.is_none() && table.rows.is_empty();
        let remark = "empty, and no answer is known: see `queries answers`";
        let problem = problem.or_else(|| is_doubtful.then(|| remark.into()));
        Outcome {
            answer: known.map_or("none", |answer| answer.answer.word()).into(),
            status: match is_wrong {
                true => Status::Wrong,
                false => Status::Fine,
            },
            problem,
            samples: trial.samples,
            rows: table.rows.len() as u64,
            checksum,
            columns: table.columns,
            result: (table.rows.len() <= KEPT_ROWS).then_some(table.rows),
            ..nothing
        }
    }

    /// Adds an outcome to the record, with the memory used so far.
    fn keep(&mut self, outcome: Outcome) {
        let peak = self.adapter.usage().map(|usage| usage.peak_kib);
        self.record.peak_kib = self.record.peak_kib.max(peak);
        self.record.queries.push(outcome);
    }
}
