//! Truth: what the generator knows and a SIEM must find, as flat tables; and the corpus's entities.
//!
//! A truth file is made from the plan and the chains alone, independent of the event
//! files. Edges and indicators are read from rendered events, so they contain only values that the
//! events have.

pub mod entities;
mod events;
mod evidence;
mod indicators;
pub mod meanings;
mod reading;

use std::path::Path;
use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, Date32Array, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::SchemaRef;

use crate::catalog::Step;
use crate::columns::{Tables, table};
use crate::corpus::file::{NewFile, Written};
use crate::error::{Result, encoding_failed};
use crate::frame::{Maker, NONE, Order};
use crate::ids::{HostId, RuleId};
use crate::plan::{Origin, Partition, Plan, RowGroup, TruthShard, TruthTable};
use crate::progress::{Progress, go_on};
use crate::schema::{Schema, leaf};
use crate::sink::format::EventFile as _;
use crate::sink::parquet::{Layout, ParquetFile, ParquetRowGroup};

/// Rows per batch and per row group.
const BATCH: usize = 16 * 1024;
const ROW_GROUP: u64 = 512 * 1024;

/// Makes truth files.
pub struct Truth<'t> {
    plan: &'t Plan,
    maker: &'t Maker,
    tables: &'t Tables,
    /// The schema for reading events, independent of the corpus's schema.
    schema: Schema,
    progress: &'t dyn Progress,
    /// `attack.id` of every chain.
    ids: ArrayRef,
    /// Day of each chain's start.
    starts: Vec<u32>,
    /// The tactics of all techniques, concatenated, and the index of each technique's first.
    tactics: ArrayRef,
    first_tactic: Vec<usize>,
}

/// Columns of a table, by name.
type Columns = Vec<(&'static str, ArrayRef)>;
/// Receives the batches of a table.
pub type Each<'e> = dyn FnMut(RecordBatch) -> Result<()> + 'e;
/// Receives the columns of a table.
type EachColumns<'e> = dyn FnMut(Columns) -> Result<()> + 'e;

/// The columns as a batch; `path` is for the error.
fn batch_of(columns: Columns, path: &Path) -> Result<RecordBatch> {
    let columns =
        (columns.into_iter()).map(|(name, array)| (name, array, NULLABLE.contains(&name)));
    RecordBatch::try_from_iter_with_nullable(columns).map_err(|e| encoding_failed(path, e.into()))
}

/// A Parquet file with the schema of its first batch.
struct Output<'o> {
    file: &'o NewFile<'o>,
    plan: &'o Plan,
    layout: Option<(Layout, ParquetFile)>,
    batches: Vec<RecordBatch>,
    waiting: u64,
    rows: u64,
}

impl<'o> Output<'o> {
    fn new(file: &'o NewFile<'o>, plan: &'o Plan) -> Self {
        Output {
            file,
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
        let failed = |e| encoding_failed(self.file.path(), e);
        if self.layout.is_none() {
            let layout = table_layout(&first.schema(), self.plan).map_err(failed)?;
            let file = ParquetFile::create(self.file.create()?, &layout)?;
            self.layout = Some((layout, file));
        }
        if let Some((layout, file)) = &mut self.layout {
            let mut encoder = ParquetRowGroup::new(layout, self.waiting).map_err(failed)?;
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
            Some((_, file)) => Ok((self.rows, file.finish()?.finish()?)),
            // The plan lists no file without rows; edges and indicators may write an empty batch.
            None => Err(crate::error::Error::Defect {
                path: self.file.path().to_path_buf(),
            }),
        }
    }
}

/// Nullable columns: values that not every account or host has.
const NULLABLE: &[&str] = &[
    "email",
    "display_name",
    "department",
    "domain",
    "home_host",
    // Null in records of clouds and services.
    "host",
    // Null in events that are no alerts.
    "rule",
    // Null in events that start no process, and on Linux, which has no such ids.
    "process_entity_id",
    "parent_entity_id",
    // Null in alerts of the database.
    "noise_type",
    "sid",
    // Null for assets without telemetry, and if the inventory has no value.
    "platform",
    "os",
    "user",
    "inventory_type",
    "inventory_os",
    "inventory_location",
    "inventory_department",
    "inventory_owner",
];

/// Layout of truth and entity tables. They are Parquet in every format, with Parquet's default compression
/// instead of the corpus's.
fn table_layout(schema: &SchemaRef, plan: &Plan) -> parquet::errors::Result<Layout> {
    Layout::new(
        schema,
        &[],
        &[],
        crate::plan::Format::Parquet.default_compression(),
        &plan.fingerprint,
    )
}

/// Writes one table as a file.
///
/// # Errors
/// I/O.
pub fn write_table(plan: &Plan, file: &NewFile<'_>, columns: Columns) -> Result<(u64, Written)> {
    let mut output = Output::new(file, plan);
    output.write(batch_of(columns, file.path())?)?;
    output.finish()
}

/// Looks up a string per key; a negative key means null.
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

/// The leaves with the id of a process that starts, and of its parent.
const LINEAGE: [&str; 2] = ["process.entity_id", "process.parent.entity_id"];

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
    time: i64,
    /// Index into the world's detections, [`NONE`] if the event is no alert.
    rule: i32,
}

impl<'t> Truth<'t> {
    /// Prepares state shared by all files.
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

    /// Writes one truth file; returns its number of rows.
    ///
    /// # Errors
    /// I/O.
    pub fn write(&self, shard: &TruthShard, file: &NewFile<'_>) -> Result<(u64, Written)> {
        let mut output = Output::new(file, self.plan);
        self.make(shard, file.path(), &mut |batch| output.write(batch))?;
        output.finish()
    }

    /// Calls `each` with the batches of one truth file, in order. `path` is for errors.
    ///
    /// # Errors
    /// The error of `each`, or the run is stopped.
    pub fn make(&self, shard: &TruthShard, path: &Path, each: &mut Each<'_>) -> Result<()> {
        let mut each = |columns| each(batch_of(columns, path)?);
        match shard.table {
            TruthTable::Chains => each(self.chains(shard.date)),
            TruthTable::Edges => each(evidence::edges(self, shard.date, path)?),
            TruthTable::Iocs => each(indicators::iocs(self, shard.date, path)?),
            TruthTable::Steps => self.steps(shard.date, shard.date + shard.part, path, &mut each),
            TruthTable::Lookalikes => self.lookalikes(shard, path, &mut each),
            TruthTable::Verdicts => self.verdicts(shard, path, &mut each),
        }
    }

    /// Chains that start on a date.
    fn of_date(&self, date: u32) -> impl Iterator<Item = u32> + Clone + '_ {
        // Chains are sorted by start.
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

    /// `chains`: one row per chain, sorted by start.
    fn chains(&self, date: u32) -> Columns {
        let all = &self.plan.chains;
        let list: Vec<u32> = self.of_date(date).collect();
        let each = || list.iter().copied();
        let playbooks = table(self.maker.catalog.playbooks.iter().map(|p| &p.name));
        let actors = |c: u32| {
            let (mut hosts, mut accounts) = (Vec::new(), Vec::new());
            for event in reading::sample(all, c) {
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

    /// `steps`: the chain and step of each event. The technique is the step's own, whereas an alert's
    /// `threat.*` is its rule's, which may use another technique for the same action.
    ///
    /// Contains the events of date `event_date` whose chains start on `date`, in the order of events.
    fn steps(
        &self,
        date: u32,
        event_date: u32,
        path: &Path,
        each: &mut EachColumns<'_>,
    ) -> Result<()> {
        let lineage = Schema::of(&self.plan.config).with_columns(&LINEAGE.map(String::from))?;
        let mut each = |rows: &[StepRow]| {
            let mut columns = self.step_columns(rows);
            let lineage = self.lineage(rows, &lineage, path)?;
            columns.extend(
                ["process_entity_id", "parent_entity_id"]
                    .into_iter()
                    .zip(lineage),
            );
            each(columns)
        };
        let mut rows: Vec<StepRow> = Vec::new();
        for (index, from, to) in self.groups_of(event_date) {
            go_on(self.progress, path)?;
            let partition = &self.plan.partitions[index];
            let Some(chains) = position(partition, |o| o == Origin::Chains) else {
                continue;
            };
            let mut present = self.plan.chains.chains_in(partition.category, from, to);
            if !present.any(|c| self.starts[c as usize] == date) {
                continue;
            }
            let order = Order::between(self.plan, index..index + 1, from, to);
            for (row, event_sequence) in order.numbered() {
                if row.population as usize != chains {
                    continue;
                }
                let event = &order.sources[chains].chain_events[row.ordinal as usize];
                if self.starts[event.chain as usize] != date {
                    continue;
                }
                let placed = &self.plan.chains.all[event.chain as usize].steps[event.step as usize];
                let actor = self.maker.actor(event);
                rows.push(StepRow {
                    chain: event.chain,
                    step: event.step,
                    attack_sequence: placed.first + event.index + 1,
                    event_sequence,
                    date: self.days_since_epoch(event_date),
                    category: partition.category as i32,
                    host: actor.host.map_or(NONE, HostId::key),
                    account: actor.account.key(),
                    success: actor.success,
                    time: row.time,
                    rule: actor.rule.map_or(NONE, RuleId::key),
                });
                if rows.len() == BATCH {
                    each(&rows)?;
                    rows.clear();
                }
            }
        }
        if !rows.is_empty() {
            each(&rows)?;
        }
        Ok(())
    }

    /// The ids of the processes that events start, and of their parents, which only a rendered event
    /// has.
    fn lineage(&self, rows: &[StepRow], schema: &Schema, path: &Path) -> Result<[ArrayRef; 2]> {
        let chains = &self.plan.chains;
        let (mut places, mut events) = (Vec::new(), Vec::new());
        for (place, row) in rows.iter().enumerate() {
            let placed = &chains.all[row.chain as usize].steps[row.step as usize];
            let index = row.attack_sequence - 1 - placed.first;
            let record = &self.step(row.chain, row.step).records[placed.record(index)];
            if record.telemetry.is_start() {
                places.push(place);
                events.push(reading::event(chains, row.chain, row.step, index));
            }
        }
        let mut ids: [Vec<Option<String>>; 2] = LINEAGE.map(|_| vec![None; rows.len()]);
        if !events.is_empty() {
            let (_, batch) = reading::render(self, schema, &events, path)?;
            for (ids, name) in ids.iter_mut().zip(LINEAGE) {
                let Some(array) = leaf(&batch, name) else {
                    continue;
                };
                for (row, &place) in places.iter().enumerate() {
                    reading::each_text(array, row, &mut |id| ids[place] = Some(id.to_string()));
                }
            }
        }
        Ok(ids.map(|ids| Arc::new(StringArray::from(ids)) as ArrayRef))
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
            ("time", times(each().map(|r| r.time))),
            ("rule", texts(&tables.rule_name, each().map(|r| r.rule))),
        ]
    }

    /// The times of a date's row groups in order, for each of their partitions: its index and its
    /// rows' times from and to.
    fn groups_of(&self, date: u32) -> impl Iterator<Item = (usize, i64, i64)> + use<'t> {
        let plan = self.plan;
        let of_date = move |group: &&RowGroup| plan.partitions[group.partitions.start].date == date;
        let groups = plan.row_groups.iter().filter(of_date);
        groups.flat_map(|group| group.partitions.clone().map(|p| (p, group.from, group.to)))
    }
}

fn position(partition: &Partition, wanted: impl Fn(Origin) -> bool) -> Option<usize> {
    partition.populations.iter().position(|p| wanted(p.origin))
}
