//! Truth: what the generator knows and a SIEM must find, as flat tables; and who is in the corpus.
//!
//! A truth file is made from the plan and the chains alone, apart from the events'
//! files. Edges and indicators are read off rendered events, so they say nothing that
//! doesn't stand there.

pub mod entities;
mod evidence;

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{Int32Type, SchemaRef};

use crate::catalog::Step;
use crate::columns::{Tables, table};
use crate::corpus::file::Written;
use crate::error::Result;
use crate::frame::{Maker, NONE, Order};
use crate::plan::truth::lookalike;
use crate::plan::{Origin, Partition, Plan, RowGroup, TruthShard, TruthTable};
use crate::progress::{Progress, go_on};
use crate::schema::Schema;
use crate::sink::parquet::{File, Layout, RowGroupEncoder, encoding_failed};

/// Rows of a batch, and of a row group.
const BATCH: usize = 16 * 1024;
const ROW_GROUP: u64 = 512 * 1024;

/// Makes truth files.
pub struct Truth<'t> {
    plan: &'t Plan,
    maker: &'t Maker,
    tables: &'t Tables,
    /// Events are read in this shape, whatever the corpus is written in.
    schema: Schema,
    progress: &'t dyn Progress,
    /// `attack.id` of every chain.
    ids: ArrayRef,
    /// Day on which each chain starts.
    starts: Vec<u32>,
    /// The tactics of all techniques one after the other, and where each technique's begin.
    tactics: ArrayRef,
    first_tactic: Vec<usize>,
}

/// Columns of a table, by name.
type Columns = Vec<(&'static str, ArrayRef)>;
/// Who takes the batches of a table.
pub type Each<'e> = dyn FnMut(RecordBatch) -> Result<()> + 'e;
/// Who takes the columns.
type EachColumns<'e> = dyn FnMut(Columns) -> Result<()> + 'e;

/// The columns as a batch; `path` is for the error.
fn batch_of(columns: Columns, path: &Path) -> Result<RecordBatch> {
    let columns =
        (columns.into_iter()).map(|(name, array)| (name, array, NULLABLE.contains(&name)));
    RecordBatch::try_from_iter_with_nullable(columns).map_err(|e| encoding_failed(path, e.into()))
}

/// A Parquet file with the schema of its first batch.
struct Output<'o> {
    path: &'o Path,
    plan: &'o Plan,
    layout: Option<(Layout, File)>,
    batches: Vec<RecordBatch>,
    waiting: u64,
    rows: u64,
}

impl<'o> Output<'o> {
    fn new(path: &'o Path, plan: &'o Plan) -> Self {
        Output {
            path,
            plan,
            layout: None,
            batches: Vec::new(),
            waiting: 0,
            rows: 0,
        }
    }

    fn write(&mut self, batch: RecordBatch) -> Result<()> {
        self.waiting += batch.num_rows() as u64;
        self.batches.push(batch);
        if self.waiting >= ROW_GROUP {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let Some(first) = self.batches.first() else {
            return Ok(());
        };
        let failed = |e| encoding_failed(self.path, e);
        if self.layout.is_none() {
            let layout = table_layout(&first.schema(), self.plan).map_err(failed)?;
            let file = File::create(self.path, &layout)?;
            self.layout = Some((layout, file));
        }
        if let Some((layout, file)) = &mut self.layout {
            let mut encoder = RowGroupEncoder::new(layout, self.waiting).map_err(failed)?;
            for batch in self.batches.drain(..) {
                encoder.write(&batch).map_err(failed)?;
            }
            file.append(encoder.finish().map_err(failed)?)?;
        }
        self.rows += self.waiting;
        self.waiting = 0;
        Ok(())
    }

    fn finish(mut self) -> Result<(u64, Written)> {
        self.flush()?;
        match self.layout {
            Some((_, file)) => Ok((self.rows, file.finish()?)),
            // The plan lists no file without rows; edges and indicators write an empty batch.
            None => Err(crate::Error::Defect {
                path: self.path.to_path_buf(),
            }),
        }
    }
}

/// Columns that may be null: what not every account or host has.
const NULLABLE: &[&str] = &[
    "email",
    "display_name",
    "department",
    "domain",
    "home_host",
    // What a cloud or a service reports.
    "host",
    "sid",
    // Assets without telemetry, and what an inventory does not say.
    "platform",
    "os",
    "user",
    "inventory_type",
    "inventory_os",
    "inventory_location",
    "inventory_department",
    "inventory_owner",
];

/// Truth and entities are Parquet in every format; a compression that Parquet hasn't isn't asked for.
fn table_layout(schema: &SchemaRef, plan: &Plan) -> parquet::errors::Result<Layout> {
    Layout::new(
        schema,
        None,
        crate::plan::Format::Parquet.default_compression(),
        &plan.fingerprint,
    )
}

/// Writes one table as a file.
///
/// # Errors
/// I/O.
pub fn write_table(plan: &Plan, path: &Path, columns: Columns) -> Result<(u64, Written)> {
    let mut output = Output::new(path, plan);
    output.write(batch_of(columns, path)?)?;
    output.finish()
}

/// Texts out of a table by key; negative keys are null.
pub fn texts(values: &ArrayRef, keys: impl Iterator<Item = i32>) -> ArrayRef {
    let keys: Int32Array = keys.map(|key| (key >= 0).then_some(key)).collect();
    Arc::new(DictionaryArray::<Int32Type>::new(keys, values.clone()))
}

/// Times in Unix microseconds.
fn times(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(values).with_timezone("UTC"))
}

fn integers(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

fn own<T: AsRef<str>>(values: impl Iterator<Item = T>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// One row of `steps`.
struct StepRow {
    chain: u32,
    step: u8,
    attack_sequence: u32,
    event_sequence: i64,
    date: i32,
    category: i32,
    host: i32,
    account: i32,
    success: bool,
}

impl<'t> Truth<'t> {
    /// Prepares what all files need.
    pub fn new(maker: &'t Maker, tables: &'t Tables, progress: &'t dyn Progress) -> Self {
        let plan = &maker.plan;
        let chains = 0..plan.chains.all.len() as u32;
        let techniques = &maker.catalog.techniques;
        Truth {
            plan,
            maker,
            tables,
            schema: Schema::of(&plan.config),
            progress,
            ids: table(chains.clone().map(|c| plan.chains.id(c))),
            starts: chains
                .map(|c| plan.chains.start_date(c, &maker.world))
                .collect(),
            tactics: table(techniques.iter().flat_map(|t| &t.tactics)),
            first_tactic: (techniques.iter())
                .scan(0, |next, t| {
                    let first = *next;
                    *next += t.tactics.len();
                    Some(first)
                })
                .collect(),
        }
    }

    /// Writes one truth file; returns its rows.
    ///
    /// # Errors
    /// I/O.
    pub fn write(&self, shard: &TruthShard, path: &Path) -> Result<(u64, Written)> {
        let mut output = Output::new(path, self.plan);
        self.make(shard, path, &mut |batch| output.write(batch))?;
        output.finish()
    }

    /// Hands one truth file's batches to `each`, in order. `path` is for errors.
    ///
    /// # Errors
    /// What `each` returns, or the run is stopped.
    pub fn make(&self, shard: &TruthShard, path: &Path, each: &mut Each<'_>) -> Result<()> {
        let mut each = |columns| each(batch_of(columns, path)?);
        match shard.table {
            TruthTable::Chains => each(self.chains(shard.date)),
            TruthTable::Edges | TruthTable::Iocs => {
                let evidence = evidence::Evidence::new(self, shard.date, path)?;
                each(match shard.table {
                    TruthTable::Edges => evidence.edges(&self.ids),
                    _ => evidence.iocs(&self.ids),
                })
            }
            TruthTable::Steps => self.steps(shard.date, shard.date + shard.part, path, &mut each),
            TruthTable::Lookalikes => self.lookalikes(shard.date, path, &mut each),
        }
    }

    /// Chains that start on a date.
    fn of_date(&self, date: u32) -> impl Iterator<Item = u32> + Clone + '_ {
        // Chains are in order of start.
        let first = self.starts.partition_point(|&start| start < date);
        let last = self.starts.partition_point(|&start| start <= date);
        first as u32..last as u32
    }

    fn step(&self, chain: u32, step: u8) -> &'t Step {
        let playbook = self.plan.chains.all[chain as usize].playbook;
        &self.maker.catalog.playbooks[playbook as usize].steps[step as usize]
    }

    fn days_since_epoch(&self, date: u32) -> i32 {
        (self.plan.config.start_seconds() / 86_400) as i32 + date as i32
    }

    /// `chains`: one row a chain, in order of start.
    fn chains(&self, date: u32) -> Columns {
        let all = &self.plan.chains;
        let list: Vec<u32> = self.of_date(date).collect();
        let each = || list.iter().copied();
        let playbooks = table(self.maker.catalog.playbooks.iter().map(|p| &p.name));
        let actors = |c: u32| {
            let (mut hosts, mut accounts) = (Vec::new(), Vec::new());
            for event in evidence::sample(all, c) {
                let actor = self.maker.actor(&event);
                if let Some(host) = actor.host
                    && !hosts.contains(&host)
                {
                    hosts.push(host);
                }
                if !accounts.contains(&actor.account) {
                    accounts.push(actor.account);
                }
            }
            (hosts, accounts)
        };
        let (mut hosts, mut users) = (Vec::new(), Vec::new());
        for chain in each() {
            let (h, a) = actors(chain);
            let names = |list: Vec<&str>| list.join(",");
            let world = &self.maker.world;
            hosts.push(names(
                h.iter()
                    .map(|&h| world.hosts[h].inventory.name.as_str())
                    .collect(),
            ));
            users.push(names(
                a.iter().map(|&a| world.accounts[a].name.as_str()).collect(),
            ));
        }
        let chain = |c: u32| &all.all[c as usize];
        let reached = |c: u32| chain(c).steps.iter().filter(|s| s.events > 0).count();
        vec![
            ("attack_id", texts(&self.ids, each().map(|c| c as i32))),
            (
                "playbook",
                texts(&playbooks, each().map(|c| i32::from(chain(c).playbook))),
            ),
            ("start", times(each().map(|c| all.start(c)))),
            ("end", times(each().map(|c| all.end(c)))),
            ("hosts", own(hosts.into_iter())),
            ("users", own(users.into_iter())),
            ("steps", integers(each().map(|c| reached(c) as i64))),
            ("events", integers(each().map(|c| chain(c).events() as i64))),
            ("stop_reason", own(each().map(|c| chain(c).stop.word()))),
        ]
    }

    /// `steps`: what each event is part of. The technique is the step's own; an alert's
    /// `threat.*` is its rule's, which may call the same thing by another name.
    ///
    /// Events of date `event_date` whose chains start on `date`, in the order of the events.
    fn steps(
        &self,
        date: u32,
        event_date: u32,
        path: &Path,
        each: &mut EachColumns<'_>,
    ) -> Result<()> {
        let mut rows: Vec<StepRow> = Vec::new();
        for (partition, group) in self.groups_of(event_date) {
            go_on(self.progress, path)?;
            let Some(chains) = position(partition, |o| o == Origin::Chains) else {
                continue;
            };
            let mut present = self
                .plan
                .chains
                .chains_in(partition.category, group.from, group.to);
            if !present.any(|c| self.starts[c as usize] == date) {
                continue;
            }
            let order = Order::new(&self.maker.plan, partition, group);
            let first = partition.sequence(group.first);
            for (i, row) in order.rows.iter().enumerate() {
                if usize::from(row.population) != chains {
                    continue;
                }
                let event = &order.chain_events[row.ordinal as usize];
                if self.starts[event.chain as usize] != date {
                    continue;
                }
                let placed = &self.plan.chains.all[event.chain as usize].steps[event.step as usize];
                let actor = self.maker.actor(event);
                rows.push(StepRow {
                    chain: event.chain,
                    step: event.step,
                    attack_sequence: placed.first + event.index + 1,
                    event_sequence: first + i as i64,
                    date: self.days_since_epoch(event_date),
                    category: partition.category as i32,
                    host: actor.host.map_or(NONE, |host| host as i32),
                    account: actor.account as i32,
                    success: actor.success,
                });
                if rows.len() == BATCH {
                    each(self.step_columns(&rows))?;
                    rows.clear();
                }
            }
        }
        if !rows.is_empty() {
            each(self.step_columns(&rows))?;
        }
        Ok(())
    }

    fn step_columns(&self, rows: &[StepRow]) -> Columns {
        let each = || rows.iter();
        let tables = self.tables;
        let outcomes = table(["failure", "success"]);
        let tactic = |r: &StepRow| {
            let step = self.step(r.chain, r.step);
            (self.first_tactic[step.technique] + step.tactic) as i32
        };
        vec![
            (
                "attack_id",
                texts(&self.ids, each().map(|r| r.chain as i32)),
            ),
            ("step", integers(each().map(|r| i64::from(r.step) + 1))),
            (
                "sequence",
                integers(each().map(|r| i64::from(r.attack_sequence))),
            ),
            ("event_sequence", integers(each().map(|r| r.event_sequence))),
            (
                "event_date",
                Arc::new(Date32Array::from_iter_values(each().map(|r| r.date))),
            ),
            (
                "event_category",
                texts(&tables.category, each().map(|r| r.category)),
            ),
            (
                "technique",
                texts(
                    &tables.technique_id,
                    each().map(|r| self.step(r.chain, r.step).technique as i32),
                ),
            ),
            ("tactic", texts(&self.tactics, each().map(tactic))),
            ("host", texts(&tables.host_name, each().map(|r| r.host))),
            (
                "user",
                texts(&tables.account_name, each().map(|r| r.account)),
            ),
            (
                "outcome",
                texts(&outcomes, each().map(|r| i32::from(r.success))),
            ),
        ]
    }

    /// `lookalikes`: benign rows of a date that resemble a technique.
    fn lookalikes(&self, date: u32, path: &Path, each: &mut EachColumns<'_>) -> Result<()> {
        let catalog = &self.maker.catalog;
        for (partition, group) in self.groups_of(date) {
            go_on(self.progress, path)?;
            let kinds: Vec<_> = partition
                .populations
                .iter()
                .map(|p| lookalike(p.origin, catalog))
                .collect();
            if kinds.iter().all(Option::is_none) {
                continue;
            }
            let order = Order::new(&self.maker.plan, partition, group);
            let first = partition.sequence(group.first);
            let rows: Vec<(i64, usize)> = order
                .rows
                .iter()
                .enumerate()
                .filter(|(_, r)| kinds[usize::from(r.population)].is_some())
                .map(|(i, r)| (first + i as i64, usize::from(r.population)))
                .collect();
            let of = |what: &dyn Fn(usize) -> String| {
                let values: Vec<String> = (0..kinds.len()).map(what).collect();
                table(values)
            };
            let technique = |p: usize| {
                kinds[p].and_then(|(_, v)| {
                    let category = &catalog.categories[v.category];
                    category
                        .technique
                        .map(|t| (&catalog.techniques[t], category.tactic))
                })
            };
            let words = [
                of(&|p| technique(p).map_or(String::new(), |(t, _)| t.id.clone())),
                of(&|p| technique(p).map_or(String::new(), |(t, i)| t.tactics[i].clone())),
                of(&|p| kinds[p].map_or(String::new(), |(s, _)| s.name.clone())),
                of(&|p| kinds[p].map_or(String::new(), |(_, v)| v.verdict.word().into())),
                of(&|p| kinds[p].map_or(String::new(), |(_, v)| v.reason.clone())),
            ];
            for rows in rows.chunks(BATCH) {
                let word = |i: usize| texts(&words[i], rows.iter().map(|r| r.1 as i32));
                let category = partition.category as i32;
                each(vec![
                    ("event_sequence", integers(rows.iter().map(|r| r.0))),
                    (
                        "event_date",
                        Arc::new(Date32Array::from_iter_values(
                            rows.iter().map(|_| self.days_since_epoch(date)),
                        )),
                    ),
                    (
                        "event_category",
                        texts(&self.tables.category, rows.iter().map(|_| category)),
                    ),
                    ("technique", word(0)),
                    ("tactic", word(1)),
                    ("scenario", word(2)),
                    ("verdict", word(3)),
                    ("reason", word(4)),
                ])?;
            }
        }
        Ok(())
    }

    /// Row groups of all partitions of a date, in order.
    fn groups_of(&self, date: u32) -> impl Iterator<Item = (&'t Partition, &'t RowGroup)> {
        let partitions = self.plan.partitions.iter().filter(move |p| p.date == date);
        partitions.flat_map(|p| p.row_groups.iter().map(move |g| (p, g)))
    }
}

fn position(partition: &Partition, wanted: impl Fn(Origin) -> bool) -> Option<usize> {
    partition.populations.iter().position(|p| wanted(p.origin))
}
