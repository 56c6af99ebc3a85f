//! Facts about a corpus that are read before its events: plan, assets, chains, ATT&CK.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{ArrowError, Schema};
use parquet::arrow::ProjectionMask;
use parquet::schema::types::SchemaDescriptor;

use super::SAMPLED_ROWS;
use super::records::{Record, records};
use crate::catalog::{Catalog, attack::Technique};
use crate::corpus::{Corpus, Manifest, PlanFile, manifest};
use crate::error::{Error, Result};
use crate::plan::{Config, Format};
use crate::sink::read;

const MILLION: u64 = 1_000_000;

/// A hash for comparing values within one run.
pub fn digest(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// A row of entities/assets.
pub struct Asset {
    pub address: String,
    pub system: String,
    pub platform: String,
    pub kind: String,
    pub location: String,
    pub owner: String,
}

/// A row of truth/chains.
pub struct Chain {
    pub id: String,
    pub playbook: String,
    pub start: i64,
    pub end: i64,
    pub hosts: Vec<String>,
    pub steps: i64,
    pub events: i64,
    pub stop: String,
    pub kept: bool,
}

/// A row of truth/edges.
pub struct Edge {
    pub chain: u32,
    pub from_step: i64,
    pub to_step: i64,
    /// Kind of the shared value: `process`, `ip`…
    pub pivot: String,
    /// Digest of the value in both events.
    pub value: u64,
}

/// A partition of the plan.
pub struct Partition {
    /// Days since the epoch.
    pub day: i64,
    pub category: String,
    pub rows: u64,
}

/// Facts that audits of events look up.
pub struct Facts {
    pub plan: PlanFile,
    pub manifest: Manifest,
    pub assets: HashMap<String, Asset>,
    /// Addresses of hosts. Some may be public.
    pub inside: HashSet<IpAddr>,
    pub platform_of: HashMap<IpAddr, String>,
    pub partitions: BTreeMap<i64, Partition>,
    pub chains: Vec<Chain>,
    pub chain_of: HashMap<String, u32>,
    pub edges: Vec<Edge>,
    /// Edges by event of a chain: index of the edge, and whether the event is its later end.
    pub ends: HashMap<(u32, i64), Vec<(u32, bool)>>,
    pub techniques: BTreeMap<String, Technique>,
    pub records: BTreeMap<i64, Record>,
    /// Number of hosts of each playbook in the catalog.
    pub playbook_hosts: HashMap<String, usize>,
    /// Share of hosts and chains that are audited, in parts per million.
    pub kept: u64,
}

/// The error of a file that ends early or holds something else.
fn broken(corpus: &Corpus, file: &str, format: Format, problem: &ArrowError) -> Error {
    Error::input(
        &corpus.root.join(file),
        None,
        format!("this is not a complete {} file: {problem}", format.name()),
        "run fusiongen check --integrity to list damaged files, then generate the corpus again",
    )
}

/// Reads an event file batch by batch, in the corpus's format; `mask` chooses the columns of Parquet.
///
/// # Errors
/// The file is missing or damaged, or the error of `each`.
pub fn event_batches(
    corpus: &Corpus,
    config: &Config,
    file: &str,
    mask: impl FnOnce(&Schema, &SchemaDescriptor) -> ProjectionMask,
    mut each: impl FnMut(&RecordBatch) -> Result<()>,
) -> Result<()> {
    let broken = |problem: ArrowError| broken(corpus, file, config.format, &problem);
    let opened = corpus.open_planned(file)?;
    for batch in read::batches(opened, config, mask).map_err(broken)? {
        each(&batch.map_err(broken)?)?;
    }
    Ok(())
}

/// Reads a table of truth or entities, which is Parquet in every corpus.
///
/// # Errors
/// As [`event_batches`].
pub fn table_batches(
    corpus: &Corpus,
    file: &str,
    each: impl FnMut(&RecordBatch) -> Result<()>,
) -> Result<()> {
    let config = Config {
        format: Format::Parquet,
        ..Config::default()
    };
    event_batches(corpus, &config, file, |_, _| ProjectionMask::all(), each)
}

/// Reads a flat table row by row.
///
/// # Errors
/// As [`table_batches`].
pub fn each_row(
    corpus: &Corpus,
    file: &str,
    mut each: impl FnMut(&Table<'_>, usize),
) -> Result<()> {
    table_batches(corpus, file, |batch| {
        let table = Table::new(batch);
        (0..batch.num_rows()).for_each(|row| each(&table, row));
        Ok(())
    })
}

/// Columns of a flat table.
pub struct Table<'b> {
    batch: &'b RecordBatch,
}

impl<'b> Table<'b> {
    /// The columns of a batch.
    pub fn new(batch: &'b RecordBatch) -> Self {
        Table { batch }
    }

    /// A text; empty if null.
    pub fn text(&self, name: &str, row: usize) -> &'b str {
        let array = self.batch.column_by_name(name);
        let texts = array.and_then(|a| a.as_string_opt::<i32>());
        texts.map_or("", |a| if a.is_valid(row) { a.value(row) } else { "" })
    }

    /// Days since the epoch; -1 if null.
    pub fn date(&self, name: &str, row: usize) -> i64 {
        let array = self.batch.column_by_name(name);
        let dates = array.and_then(|a| a.as_primitive_opt::<Date32Type>());
        dates.map_or(-1, |a| {
            if a.is_valid(row) {
                a.value(row).into()
            } else {
                -1
            }
        })
    }

    /// A number or a time; -1 if null.
    pub fn integer(&self, name: &str, row: usize) -> i64 {
        let Some(array) = self.batch.column_by_name(name) else {
            return -1;
        };
        let number = array.as_primitive_opt::<Int64Type>();
        let time = array.as_primitive_opt::<TimestampMicrosecondType>();
        match (number, time) {
            (Some(a), _) if a.is_valid(row) => a.value(row),
            (_, Some(a)) if a.is_valid(row) => a.value(row),
            _ => -1,
        }
    }
}

impl Facts {
    /// Reads plan, manifest, entities and truth of a finished corpus.
    ///
    /// # Errors
    /// There is no finished corpus, or a file is damaged.
    pub fn read(corpus: &Corpus, exact_rows: u64) -> Result<Self> {
        let (plan, manifest) = manifest::finished(corpus)?;
        let catalog = Catalog::embedded()?;
        let records = records().map_err(|e| {
            Error::input(
                "records.toml".as_ref(),
                None,
                e.to_string(),
                "this is a bug in fusiongen",
            )
        })?;
        let rows = manifest.events;
        let kept = match rows <= exact_rows {
            true => MILLION,
            false => {
                let sampled = u128::from(exact_rows.min(SAMPLED_ROWS));
                (u128::from(MILLION) * sampled / u128::from(rows)) as u64
            }
        };
        let mut facts = Facts {
            kept,
            assets: HashMap::new(),
            inside: HashSet::new(),
            platform_of: HashMap::new(),
            partitions: BTreeMap::new(),
            chains: Vec::new(),
            chain_of: HashMap::new(),
            edges: Vec::new(),
            ends: HashMap::new(),
            techniques: catalog
                .techniques
                .iter()
                .map(|t| (t.id.clone(), t.clone()))
                .collect(),
            records,
            playbook_hosts: catalog
                .playbooks
                .iter()
                .map(|p| (p.name.clone(), p.hosts.len()))
                .collect(),
            plan,
            manifest,
        };
        for partition in &facts.plan.partitions {
            let day = partition.date.parse::<chrono::NaiveDate>().map_or(-1, |d| {
                d.signed_duration_since(chrono::NaiveDate::default())
                    .num_days()
            });
            facts.partitions.insert(
                i64::from(partition.index),
                Partition {
                    day,
                    category: partition.category.clone(),
                    rows: partition.rows,
                },
            );
        }
        facts.read_assets(corpus)?;
        facts.read_chains(corpus)?;
        facts.read_edges(corpus)?;
        Ok(facts)
    }

    /// Start of the window, in microseconds.
    pub fn start(&self) -> i64 {
        let midnight = self.plan.config.start.and_time(chrono::NaiveTime::MIN);
        midnight.and_utc().timestamp_micros()
    }

    /// Length in microseconds of the first part of the window, whose share of the window is the sample's.
    pub fn kept_span(&self) -> i64 {
        let span = u64::from(self.plan.config.days) * 86_400_000_000;
        (u128::from(span) * u128::from(self.kept) / u128::from(MILLION)) as i64
    }

    /// Files of a truth table, relative to the root, in order.
    pub fn truth(&self, table: &str) -> Vec<String> {
        let prefix = format!("truth/{table}/");
        let tables = self.plan.tables.iter();
        tables.filter(|t| t.starts_with(&prefix)).cloned().collect()
    }

    /// Whether a host or a chain is in the sample.
    pub fn keeps(&self, name: &str) -> bool {
        self.kept >= MILLION || digest(&name) % MILLION < self.kept
    }

    /// Whether everything is in the sample.
    pub fn is_exact(&self) -> bool {
        self.kept >= MILLION
    }

    fn read_assets(&mut self, corpus: &Corpus) -> Result<()> {
        each_row(corpus, "entities/assets.parquet", |table, row| {
            let text = |name: &str| table.text(name, row).to_string();
            let asset = Asset {
                address: text("ip"),
                system: text("os"),
                platform: text("platform"),
                kind: text("asset_type"),
                location: text("location"),
                owner: text("owner"),
            };
            if let Ok(address) = asset.address.parse() {
                self.inside.insert(address);
                self.platform_of.insert(address, asset.platform.clone());
            }
            self.assets.insert(text("hostname"), asset);
        })
    }

    fn read_chains(&mut self, corpus: &Corpus) -> Result<()> {
        for file in self.truth("chains") {
            each_row(corpus, &file, |table, row| {
                let id = table.text("attack_id", row).to_string();
                self.chain_of.insert(id.clone(), self.chains.len() as u32);
                self.chains.push(Chain {
                    playbook: table.text("playbook", row).into(),
                    start: table.integer("start", row),
                    end: table.integer("end", row),
                    hosts: table
                        .text("hosts", row)
                        .split(',')
                        .map(String::from)
                        .collect(),
                    steps: table.integer("steps", row),
                    events: table.integer("events", row),
                    stop: table.text("stop_reason", row).into(),
                    kept: self.keeps(&id),
                    id,
                });
            })?;
        }
        Ok(())
    }

    fn read_edges(&mut self, corpus: &Corpus) -> Result<()> {
        for file in self.truth("edges") {
            each_row(corpus, &file, |table, row| {
                let Some(&chain) = self.chain_of.get(table.text("attack_id", row)) else {
                    return;
                };
                if !self.chains[chain as usize].kept {
                    return;
                }
                let edge = self.edges.len() as u32;
                for (name, later) in [("from_sequence", false), ("to_sequence", true)] {
                    let at = (chain, table.integer(name, row));
                    self.ends.entry(at).or_default().push((edge, later));
                }
                self.edges.push(Edge {
                    chain,
                    from_step: table.integer("from_step", row),
                    to_step: table.integer("to_step", row),
                    pivot: table.text("pivot_type", row).into(),
                    value: digest(&table.text("pivot_value", row)),
                });
            })?;
        }
        Ok(())
    }
}
