//! Reference answers: each query whose answer only the events hold, as a program of its own over
//! generated events. So an engine is never its own judge.
//!
//! One pass makes the events in order of time, only the columns that the queries name, and gives each
//! frame to every evaluator. Threads make frames ahead; evaluators run side by side, each over all
//! frames in order, so that the number of threads changes nothing. In this order a window, a
//! session or a chain of processes needs only what is open at the time; what grows with the corpus
//! are groups and distinct counts.

mod accounts;
mod alerts;
mod count;
mod frame;
mod grouped;
mod joined;
mod network;
mod packed;
mod pages;
mod processes;
mod searches;
mod whole;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::parameters::{Parameters, Value};
use super::record::ResultRows as Table;
use super::source::Rows;
use super::suite::Query;
use super::views::{leaves_of, words};
use crate::error::{Error, Result, encoding_failed};
use crate::generator::{Generator, Select};
use crate::progress::Progress;
use crate::run::thread_pool;
use crate::schema::Schema;
use frame::{Frame, day_of};
use joined::{ChainRows, Joined};

/// What evaluators know beside the events.
struct Facts<'f> {
    chains: &'f ChainRows,
    assets: Assets,
}

/// A row of the table `assets`.
struct Asset {
    asset_type: Option<String>,
    criticality: Option<String>,
    owner: Option<String>,
}

/// The table `assets`, by name.
#[derive(Default)]
struct Assets(BTreeMap<String, Vec<Asset>>);

impl Assets {
    fn read(generator: &Generator) -> Result<Self> {
        let batch = generator.assets()?;
        let rows = Rows::new(&batch);
        let names = ["hostname", "asset_type", "criticality", "owner"];
        let [hostname, asset_type, criticality, owner] = rows.texts(names);
        let mut assets = Assets::default();
        for row in 0..rows.rows() {
            let name = hostname.text(row).unwrap_or_default().to_string();
            assets.0.entry(name).or_default().push(Asset {
                asset_type: asset_type.text(row).map(String::from),
                criticality: criticality.text(row).map(String::from),
                owner: owner.text(row).map(String::from),
            });
        }
        Ok(assets)
    }

    /// The assets with this name.
    fn of(&self, name: &str) -> &[Asset] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }
}

/// Answers one query.
trait Evaluator: Send {
    /// Takes the next frame in order of time.
    fn add(&mut self, frame: &Frame);

    /// The rows of the result, as the query orders them.
    fn finish(self: Box<Self>, facts: &Facts<'_>) -> Table;
}

/// Days since 1970 of a parameter.
fn day(parameters: &Parameters, name: &str) -> Option<i32> {
    match parameters.get(name)? {
        Value::Date(date) => Some(date.to_epoch_days()),
        _ => None,
    }
}

fn text<'p>(parameters: &'p Parameters, name: &str) -> Option<&'p str> {
    match parameters.get(name)? {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

fn integer(parameters: &Parameters, name: &str) -> Option<i64> {
    match parameters.get(name)? {
        Value::Integer(number) => Some(*number),
        _ => None,
    }
}

/// The evaluator of a query; `None` if the corpus has no value for a parameter, or the answer is
/// constructed.
fn evaluator(number: &str, parameters: &Parameters) -> Option<Box<dyn Evaluator>> {
    let day = |name: &str| day(parameters, name);
    let text = |name: &str| text(parameters, name);
    let integer = |name: &str| integer(parameters, name);
    Some(match number {
        "q02" => Box::<grouped::TimeChart>::default(),
        "q03" => Box::new(network::AddressPivot::new(text("address")?)),
        "q06" => Box::<alerts::LatestAlerts>::default(),
        "q07" => Box::<grouped::Severities>::default(),
        "q08" => Box::<grouped::DailyCardinality>::default(),
        "q09" => Box::<network::TopTalkers>::default(),
        "q10" => Box::<grouped::LogonFailures>::default(),
        "q11" => Box::<grouped::RarePrograms>::default(),
        "q12" => Box::<grouped::OddChildren>::default(),
        "q13" => Box::<searches::EncodedCommands>::default(),
        "q14" => Box::<searches::DnsFanOut>::default(),
        "q15" => Box::<network::Beacons>::default(),
        "q16" => Box::<network::Exfiltration>::default(),
        "q17" => Box::<accounts::BruteForce>::default(),
        "q18" => Box::<processes::DropRunConnect>::default(),
        "q19" => Box::<accounts::LateralLogons>::default(),
        "q20" => Box::new(accounts::FirstSeen::new(day("last_day")?)),
        "q21" => Box::<network::PortScans>::default(),
        "q22" => Box::<searches::LsassAccess>::default(),
        "q23" => Box::<accounts::Sessions>::default(),
        "q24" => Box::new(processes::ProcessTree::new(text("process")?)),
        "q25" => Box::<alerts::AttackMatrix>::default(),
        "q26" => Box::<alerts::DetectionScore>::default(),
        "q28" => Box::<searches::CloudDenials>::default(),
        "q29" => Box::<alerts::HostRisk>::default(),
        "q30" => Box::new(pages::UserTimeline::new(
            day("attack_first_day")?..=day("attack_last_day")?,
            integer("attack_from_us")?..=integer("attack_to_us")?,
            text("account")?,
        )),
        "q31" => Box::<alerts::RuleScore>::default(),
        "q32" => Box::new(pages::ProcessLookup::new(text("process")?)),
        "q34" => Box::new(pages::WidePage::new(text("attack_day")?, text("host")?)),
        "q35" => Box::<searches::TextSearch>::default(),
        "q36" => Box::<grouped::Cardinality>::default(),
        "q37" => Box::new(alerts::TopRules::new(day("from_day")?..=day("to_day")?)),
        "q44" => Box::<grouped::SampledDistinct>::default(),
        _ => return None,
    })
}

/// Answers the queries of a corpus from its events, by number of the query.
///
/// Memory is that of groups and distinct values: about 1 GiB for 100M events.
///
/// # Errors
/// The events cannot be made, the threads cannot be started, or `progress` asked to stop.
pub(super) fn answers(
    generator: &Generator,
    queries: &[Query],
    parameters: &Parameters,
    threads: usize,
    progress: &dyn Progress,
) -> Result<BTreeMap<&'static str, Table>> {
    let schema = Schema::of(&generator.plan().config);
    let mut columns: BTreeSet<&str> = BTreeSet::new();
    let mut evaluators: Vec<(&'static str, Box<dyn Evaluator>)> = Vec::new();
    let mut needs_truth = false;
    for query in queries {
        if let Some(evaluator) = evaluator(query.number(), parameters) {
            evaluators.push((query.number(), evaluator));
            columns.extend(leaves_of(query.sql, &schema));
            let named = words(query.sql);
            needs_truth |= named.contains("steps") || named.contains("lookalikes");
        }
    }
    if evaluators.is_empty() {
        return Ok(BTreeMap::new());
    }
    // In every frame: its order.
    columns.extend(["@timestamp", "event.sequence"]);
    let chains = match needs_truth {
        true => ChainRows::read(generator)?,
        false => ChainRows::default(),
    };
    let pool = thread_pool(threads)?;
    let select = Select::all()
        .columns(columns)
        .with_partition_columns()
        .in_time_order();
    let path: &Path = "events".as_ref();
    let first_day = generator.plan().config.start.to_epoch_days();
    let mut joined = (i32::MIN, Arc::<Joined>::default());
    for batch in generator.batches(select)?.in_parallel(threads) {
        if progress.stopped() {
            return Err(Error::Stopped {
                path: path.to_path_buf(),
                problem: "stopped before all events were read".into(),
                remedy: "run the same command again: it starts over".into(),
                signal: None,
            });
        }
        let batch = batch.map_err(|e| encoding_failed(path, e.into()))?;
        let day = day_of(&batch);
        if needs_truth && day != joined.0 {
            // The truth of the date before is dropped first.
            joined = (day, Arc::default());
            joined.1 = Arc::new(Joined::of(generator, &chains, (day - first_day) as u32)?);
        }
        let frame = Frame::new(&batch, joined.1.clone());
        pool.install(|| (evaluators.par_iter_mut()).for_each(|(_, one)| one.add(&frame)));
        progress.advance(frame.rows as u64);
    }
    let facts = Facts {
        chains: &chains,
        assets: Assets::read(generator)?,
    };
    let mut answers = BTreeMap::new();
    for (number, evaluator) in evaluators {
        let rows = evaluator.finish(&facts);
        let rows = match number {
            "q34" => whole::whole_rows(generator, &rows)?,
            _ => rows,
        };
        answers.insert(number, rows);
    }
    Ok(answers)
}
