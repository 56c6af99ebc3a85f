//! The runner: row groups made in parallel, files written in order.
//!
//! Workers encode row groups in memory; this thread appends them to their files.
//! A fixed window of row groups is in flight, so memory is bounded whatever the size.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;

use super::manifest::{self, WrittenFile};
use super::parquet::{EncodedRowGroup, File, Layout, RowGroupEncoder, encoding_failed};
use super::target::{Corpus, write_whole};
use crate::columns::{Tables, View};
use crate::error::{Error, Result};
use crate::frame::Maker;
use crate::plan::{Partition, Plan, RowGroup};
use crate::schema::Schema;
use crate::world::World;

/// Told how far a run is. Must never affect the data.
pub trait Progress: Sync {
    /// `rows` more are on disk.
    fn advance(&self, rows: u64);
}

/// Says nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn advance(&self, _rows: u64) {}
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    pub files: u64,
    pub bytes: u64,
    /// The corpus was there already, whole.
    pub kept: bool,
}

/// One row group to make, and where it goes.
#[derive(Clone, Copy)]
struct Unit<'p> {
    partition: &'p Partition,
    group: &'p RowGroup,
    /// Index of its file in the run.
    file: usize,
    last_of_file: bool,
}

/// Makes and encodes one row group. `path` is for errors only.
///
/// # Errors
/// The Parquet library refused: a defect.
pub fn encode_row_group(
    maker: &Maker<'_>,
    tables: &Tables,
    schema: &Schema,
    layout: &Layout,
    partition: &Partition,
    group: &RowGroup,
    path: &std::path::Path,
) -> Result<EncodedRowGroup> {
    let failed = |e| encoding_failed(path, e);
    let mut encoder = RowGroupEncoder::new(layout).map_err(failed)?;
    let mut outcome = Ok(());
    maker.frames(partition, group, |frame| {
        if outcome.is_ok() {
            outcome = schema
                .batch(&View::new(&frame, maker, tables))
                .map_err(Into::into)
                .and_then(|batch| encoder.write(&batch));
        }
    });
    outcome.map_err(failed)?;
    encoder.finish().map_err(failed)
}

/// Writes a corpus.
///
/// # Errors
/// A directory that holds something else, or I/O. Nothing unfinished has a `.parquet` name,
/// and without `_SUCCESS` nothing counts.
pub fn generate(
    corpus: &Corpus,
    plan: &Plan,
    world: &World,
    maker: &Maker<'_>,
    threads: usize,
    overwrite: bool,
    progress: &dyn Progress,
) -> Result<Summary> {
    if corpus.prepare(&plan.fingerprint, overwrite)? {
        return Ok(Summary {
            files: 0,
            bytes: 0,
            kept: true,
        });
    }
    let schema = Schema::of(&plan.config);
    let tables = Tables::new(maker);
    let layout = Layout::new(schema.arrow(), "@timestamp", &plan.fingerprint)
        .map_err(|e| encoding_failed(&corpus.root, e))?;
    let plan_text = to_json(&manifest::plan_file(plan, world));
    write_whole(&corpus.plan(), &plan_text)?;

    let mut units = Vec::with_capacity(plan.row_groups());
    let mut paths = Vec::new();
    for partition in &plan.partitions {
        for shard in &partition.shards {
            for (g, group) in shard.row_groups.iter().enumerate() {
                units.push(Unit {
                    partition,
                    group,
                    file: paths.len(),
                    last_of_file: g + 1 == shard.row_groups.len(),
                });
            }
            paths.push(Corpus::shard(plan, world, partition, shard));
        }
    }
    let files = run_units(
        corpus, &units, &paths, maker, &tables, &schema, &layout, threads, progress,
    )?;

    let mut listed = vec![WrittenFile {
        path: "plan.json".into(),
        rows: 0,
        bytes: plan_text.len() as u64,
        blake3: blake3::hash(&plan_text).to_hex().to_string(),
    }];
    listed.extend(files);
    let bytes = listed.iter().map(|f| f.bytes).sum();
    let text = to_json(&manifest::manifest(plan, world, &listed));
    write_whole(&corpus.manifest(), &text)?;
    sync_directory(&corpus.root)?;
    write_whole(
        &corpus.success(),
        format!("{}\n", blake3::hash(&text).to_hex()).as_bytes(),
    )?;
    Ok(Summary {
        files: listed.len() as u64 - 1,
        bytes,
        kept: false,
    })
}

fn to_json<T: serde::Serialize>(value: &T) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value).unwrap_or_default();
    text.push(b'\n');
    text
}

fn sync_directory(path: &std::path::Path) -> Result<()> {
    std::fs::File::open(path)
        .and_then(|d| d.sync_all())
        .map_err(|e| Error::io(path, "sync", e))
}

#[expect(
    clippy::too_many_arguments,
    reason = "one caller, and each is a different thing"
)]
fn run_units(
    corpus: &Corpus,
    units: &[Unit<'_>],
    paths: &[String],
    maker: &Maker<'_>,
    tables: &Tables,
    schema: &Schema,
    layout: &Layout,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Vec<WrittenFile>> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|e| {
            Error::setting(
                "--threads",
                format!("{threads} threads can't be started: {e}"),
                "give fewer",
            )
        })?;
    // One row group for each thread, and one more so that none waits for this one.
    let window = threads + 1;
    let stop = std::sync::atomic::AtomicBool::new(false);
    let (sender, receiver) = mpsc::channel::<(usize, Result<EncodedRowGroup>)>();
    pool.in_place_scope(|scope| {
        let spawn = |index: usize| {
            let unit = units[index];
            let (sender, stop) = (sender.clone(), &stop);
            scope.spawn(move |_| {
                if stop.load(std::sync::atomic::Ordering::Relaxed) {
                    return;
                }
                let path = corpus.root.join(&paths[unit.file]);
                let encode = || {
                    encode_row_group(
                        maker,
                        tables,
                        schema,
                        layout,
                        unit.partition,
                        unit.group,
                        &path,
                    )
                };
                // A panic must end the run, not leave it waiting.
                let encoded = catch_unwind(AssertUnwindSafe(encode))
                    .unwrap_or_else(|_| Err(Error::Defect { path: path.clone() }));
                // The receiver is gone only when the run has failed already.
                let _ = sender.send((index, encoded));
            });
        };
        let mut next = 0;
        while next < units.len().min(window) {
            spawn(next);
            next += 1;
        }
        let mut waiting: BTreeMap<usize, EncodedRowGroup> = BTreeMap::new();
        let mut writer = Writer {
            corpus,
            paths,
            layout,
            open: None,
            written: Vec::new(),
        };
        let mut done = 0;
        let outcome = (|| {
            while done < units.len() {
                let Ok((index, encoded)) = receiver.recv() else {
                    break;
                };
                waiting.insert(index, encoded?);
                // Row groups are appended in the plan's order.
                while let Some(encoded) = waiting.remove(&done) {
                    let rows = encoded.rows;
                    writer.append(&units[done], encoded)?;
                    progress.advance(rows);
                    done += 1;
                    if next < units.len() {
                        spawn(next);
                        next += 1;
                    }
                }
            }
            Ok(())
        })();
        if outcome.is_err() {
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        }
        outcome.map(|()| writer.written)
    })
}

/// The file being written.
struct Writer<'w> {
    corpus: &'w Corpus,
    paths: &'w [String],
    layout: &'w Layout,
    open: Option<File>,
    written: Vec<WrittenFile>,
}

impl Writer<'_> {
    fn append(&mut self, unit: &Unit<'_>, encoded: EncodedRowGroup) -> Result<()> {
        let relative = &self.paths[unit.file];
        let path = self.corpus.root.join(relative);
        let mut file = match self.open.take() {
            Some(file) => file,
            None => {
                if let Some(parent) = path.parent() {
                    std::fs::create_dir_all(parent).map_err(|e| Error::io(parent, "create", e))?;
                }
                File::create(&path, &format!("{:08x}", std::process::id()), self.layout)?
            }
        };
        file.append(encoded)?;
        if unit.last_of_file {
            let finished = file.finish()?;
            self.written.push(WrittenFile {
                path: relative.clone(),
                rows: finished.rows,
                bytes: finished.bytes,
                blake3: finished.digest,
            });
        } else {
            self.open = Some(file);
        }
        Ok(())
    }
}
