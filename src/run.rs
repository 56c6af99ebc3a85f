//! The runner: row groups made in parallel, files written in order.
//!
//! Each thread encodes a row group in memory; one at a time appends them to their files, in order
//! (`run/in_order.rs`). A fixed number of rows is in flight, so memory is bounded whatever the size.
//! Every finished file is noted in the journal; what is noted and stands is not made again.

mod in_order;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use in_order::in_order;

use crate::columns::{Tables, View};
use crate::corpus::file::{Written, sync_directory, write_whole};
use crate::corpus::journal::Notes;
use crate::corpus::target::Found;
use crate::corpus::{Corpus, FileEntry, Manifest, PlanFile, to_json};
use crate::error::{Error, Result};
use crate::frame::Maker;
use crate::plan::{Partition, Plan, RowGroup};
use crate::progress::{Progress, RESUME, RESUME_OVERWRITTEN, Silent, go_on};
use crate::schema::Schema;
use crate::sink::format::{Encoded, EventFile, FileFormat};
use crate::truth::{Truth, entities};
use crate::world::World;

/// One of several shares of a corpus's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// From 1 to `of`.
    pub number: u32,
    pub of: u32,
}

impl Part {
    /// Whether a file is in this share.
    fn holds(self, file: usize) -> bool {
        file % self.of as usize == self.number as usize - 1
    }
}

impl std::str::FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let wrong = || format!("'{text}' is no share like 1/3");
        let (number, of) = text.split_once('/').ok_or_else(wrong)?;
        let part = Part {
            number: number.trim().parse().map_err(|_| wrong())?,
            of: of.trim().parse().map_err(|_| wrong())?,
        };
        if part.number == 0 || part.number > part.of {
            return Err(wrong());
        }
        Ok(part)
    }
}

/// How a corpus is written; changes no byte of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub threads: usize,
    /// Replace another corpus in the directory; without `part`, the same one too.
    pub overwrite: bool,
    /// Make only this share of the files, and no manifest.
    pub part: Option<Part>,
}

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Files of the corpus, or of the part.
    pub files: u64,
    pub bytes: u64,
    /// Events in them.
    pub events: u64,
    /// Files that stood there already.
    pub kept: u64,
    /// The manifest is written.
    pub finished: bool,
}

/// One row group to make, and where it goes.
#[derive(Clone, Copy)]
struct Unit<'p> {
    partition: &'p Partition,
    group: &'p RowGroup,
    /// Index of its file in the plan.
    file: usize,
    last_of_file: bool,
}

/// Everything that workers share.
struct Workshop<'w> {
    corpus: &'w Corpus,
    plan_file: &'w PlanFile,
    maker: &'w Maker,
    tables: &'w Tables,
    schema: Schema,
    format: FileFormat,
    progress: &'w dyn Progress,
    /// Files that this run has finished.
    finished: AtomicU64,
}

/// Writes a corpus, or what is missing of it.
///
/// # Errors
/// A directory that holds something else, I/O, or `progress` wanted an end. Nothing unfinished
/// has a data file's name, and without `_SUCCESS` nothing counts.
pub fn generate(
    corpus: &Corpus,
    maker: &Maker,
    tables: &Tables,
    run: Run,
    progress: &dyn Progress,
) -> Result<Summary> {
    let (plan, world) = (&*maker.plan, &*maker.world);
    // The other parts of the same corpus stay: only a whole run begins it again.
    let again = run.overwrite && run.part.is_none();
    let plan_file = PlanFile::new(plan, world);
    let found = corpus.begin(&plan_file, run.overwrite, again)?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(run.threads)
        .build()
        .map_err(|e| {
            Error::setting(
                "--threads",
                format!("{} threads can't be started: {e}", run.threads),
                "give fewer",
            )
        })?;
    let schema = Schema::of(&plan.config);
    let config = &plan.config;
    let workshop = Workshop {
        corpus,
        plan_file: &plan_file,
        maker,
        tables,
        format: FileFormat::new(config, schema.arrow(), &plan.fingerprint, &corpus.root)?,
        schema,
        progress,
        finished: AtomicU64::new(0),
    };
    let paths: Vec<&str> = plan_file.files().collect();
    let wanted: Vec<usize> = (0..paths.len())
        .filter(|&file| run.part.is_none_or(|part| part.holds(file)))
        .collect();
    let mut entries = match found {
        Found::Nothing => BTreeMap::new(),
        Found::Unfinished | Found::Whole => {
            pool.install(|| standing(corpus, &plan_file, &wanted, progress))?
        }
    };
    let kept = entries.len() as u64;
    let events = plan_file.shards.len();
    let missing: BTreeSet<usize> = wanted
        .iter()
        .copied()
        .filter(|file| !entries.contains_key(file))
        .collect();
    if found == Found::Whole {
        if missing.is_empty() {
            corpus.clear_journal()?;
            return whole(corpus);
        }
        corpus.reopen()?;
    }
    corpus.make_directories(missing.iter().map(|&file| paths[file]))?;
    for (file, entry) in &entries {
        if *file < events {
            progress.advance(entry.rows);
        }
    }
    let mut units = Vec::new();
    for &file in missing.range(..events) {
        let groups = &plan.shards[file].row_groups;
        for (i, &(p, g)) in groups.iter().enumerate() {
            let partition = &plan.partitions[p];
            units.push(Unit {
                partition,
                group: &partition.row_groups[g],
                file,
                last_of_file: i + 1 == groups.len(),
            });
        }
    }
    let stands = |error| match error {
        Error::Stopped { signal, .. } => Error::Stopped {
            path: corpus.root.clone(),
            problem: format!(
                "stopped; {} of {} files are whole",
                kept + workshop.finished.load(Ordering::Relaxed),
                wanted.len()
            ),
            remedy: match again {
                true => RESUME_OVERWRITTEN.into(),
                false => RESUME.into(),
            },
            signal,
        },
        error => error,
    };
    let made = workshop.events(&pool, run.threads, &units);
    entries.extend(made.map_err(stands)?);
    let papers: Vec<usize> = missing.range(events..).copied().collect();
    let truth = Truth::new(maker, tables, progress);
    let made: Result<Vec<(usize, FileEntry)>> = pool.install(|| {
        papers
            .par_iter()
            .map(|&file| {
                let path = corpus.root.join(paths[file]);
                let make = || {
                    go_on(progress, &path)?;
                    workshop.table(&truth, plan, world, file, file - events)
                };
                let entry = unpanicked(&path, make)?;
                workshop.note(file, &entry)?;
                Ok((file, entry))
            })
            .collect()
    });
    entries.extend(made.map_err(stands)?);
    let summary = Summary {
        files: entries.len() as u64,
        bytes: entries.values().map(|e| e.bytes).sum(),
        events: entries.range(..events).map(|(_, e)| e.rows).sum(),
        kept,
        finished: false,
    };
    if run.part.is_some() {
        return Ok(summary);
    }
    let entries = entries.into_values().collect();
    pool.install(|| seal(corpus, &plan_file, entries, progress).map_err(stands))?;
    Ok(Summary {
        finished: true,
        ..summary
    })
}

/// Writes the manifest of a corpus made in parts, after looking at every file.
///
/// # Errors
/// A part is missing, or a file isn't what its journal says.
pub fn finish(root: &Path) -> Result<Summary> {
    let corpus = Corpus::at(root);
    let plan_file = PlanFile::read(&corpus)?;
    corpus.tidy()?;
    let paths: Vec<&str> = plan_file.files().collect();
    let wanted: Vec<usize> = (0..paths.len()).collect();
    let entries = standing(&corpus, &plan_file, &wanted, &Silent)?;
    let missing: Vec<&str> = wanted
        .iter()
        .filter(|file| !entries.contains_key(file))
        .map(|&file| paths[file])
        .collect();
    if !missing.is_empty() {
        let mut named = missing[..missing.len().min(NAMED)].join(", ");
        if missing.len() > NAMED {
            named += &format!(" and {} more", missing.len() - NAMED);
        }
        return Err(Error::Output {
            path: root.to_path_buf(),
            problem: format!(
                "{} of {} files are missing or not as they were written: {named}",
                missing.len(),
                paths.len()
            ),
            remedy: "run generate again for the missing --part, with the same settings".into(),
        });
    }
    if corpus.is_finished() {
        corpus.clear_journal()?;
        return whole(&corpus);
    }
    let entries: Vec<FileEntry> = entries.into_values().collect();
    let summary = Summary {
        files: entries.len() as u64,
        bytes: entries.iter().map(|e| e.bytes).sum(),
        events: plan_file.composition.events,
        kept: entries.len() as u64,
        finished: true,
    };
    seal(&corpus, &plan_file, entries, &Silent)?;
    Ok(summary)
}

/// Missing files that a message names.
const NAMED: usize = 5;

/// Which files of `wanted` are there and right.
fn standing(
    corpus: &Corpus,
    plan_file: &PlanFile,
    wanted: &[usize],
    progress: &dyn Progress,
) -> Result<BTreeMap<usize, FileEntry>> {
    let notes = Notes::read(corpus, &plan_file.fingerprint);
    let paths: Vec<&str> = plan_file.files().collect();
    let look = |&file: &usize| match progress.stopped() {
        false => Some(Ok((file, notes.standing(file, paths[file])?))),
        true => Some(Err(Error::Stopped {
            path: corpus.root.clone(),
            problem: "stopped while looking at what is there".into(),
            remedy: "run the same command again: it makes what is missing".into(),
            signal: None,
        })),
    };
    wanted.par_iter().filter_map(look).collect()
}

/// The summary of a finished corpus.
fn whole(corpus: &Corpus) -> Result<Summary> {
    let manifest = Manifest::read(corpus)?;
    let files = manifest.files.len().saturating_sub(1) as u64;
    Ok(Summary {
        files,
        bytes: manifest.files.iter().map(|f| f.bytes).sum(),
        events: manifest.events,
        kept: files,
        finished: true,
    })
}

/// Syncs everything, writes manifest and `_SUCCESS`, and removes the journal.
fn seal(
    corpus: &Corpus,
    plan_file: &PlanFile,
    entries: Vec<FileEntry>,
    progress: &dyn Progress,
) -> Result<()> {
    let paths: Vec<_> = entries.iter().map(|e| corpus.root.join(&e.path)).collect();
    paths.par_iter().try_for_each(|path| {
        go_on(progress, path)?;
        std::fs::File::open(path)
            .and_then(|file| file.sync_all())
            .map_err(|e| Error::io(path, "sync", e))
    })?;
    let directories: BTreeSet<&Path> = paths
        .iter()
        .flat_map(|path| {
            let above = path.ancestors().skip(1);
            above.take_while(|path| path.starts_with(&corpus.root))
        })
        .collect();
    directories
        .iter()
        .try_for_each(|path| sync_directory(path))?;
    let plan_text =
        std::fs::read(corpus.plan()).map_err(|e| Error::io(&corpus.plan(), "read", e))?;
    let mut files = vec![FileEntry {
        path: "plan.json".into(),
        rows: 0,
        bytes: plan_text.len() as u64,
        blake3: blake3::hash(&plan_text).to_hex().to_string(),
        first: None,
        last: None,
    }];
    files.extend(entries);
    let manifest = to_json(&Manifest::new(plan_file, files));
    write_whole(&corpus.manifest(), &manifest)?;
    sync_directory(&corpus.root)?;
    write_whole(
        &corpus.success(),
        format!("{}\n", blake3::hash(&manifest).to_hex()).as_bytes(),
    )?;
    sync_directory(&corpus.root)?;
    corpus.clear_journal()
}

/// A panic must end the run with the file's name, not leave it waiting.
fn unpanicked<T>(path: &Path, make: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(make)).unwrap_or_else(|_| {
        Err(Error::Defect {
            path: path.to_path_buf(),
        })
    })
}

impl Workshop<'_> {
    fn path(&self, file: usize) -> &str {
        &self.plan_file.shards[file].path
    }

    /// Notes a finished file.
    fn note(&self, file: usize, entry: &FileEntry) -> Result<()> {
        entry.note(self.corpus, file, &self.plan_file.fingerprint)?;
        self.finished.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Makes and encodes one row group; with it, the times of its first and last row.
    fn encode(&self, unit: &Unit<'_>) -> Result<(Encoded, (i64, i64))> {
        let path = self.corpus.root.join(self.path(unit.file));
        let mut encoder = self.format.encoder(unit.group.rows, &path)?;
        let mut times: Option<(i64, i64)> = None;
        self.maker.try_frames(unit.partition, unit.group, |frame| {
            go_on(self.progress, &path)?;
            if let (Some(&first), Some(&last)) = (frame.time.first(), frame.time.last()) {
                times = Some((times.map_or(first, |t| t.0), last));
            }
            let view = View::new(&frame, self.maker, self.tables);
            encoder.write_view(&self.schema, &view, &path)
        })?;
        let times = times.unwrap_or((unit.group.from, unit.group.to));
        Ok((encoder.finish(&path)?, times))
    }

    /// Makes a file of truth or entities.
    fn table(
        &self,
        truth: &Truth<'_>,
        plan: &Plan,
        world: &World,
        file: usize,
        index: usize,
    ) -> Result<FileEntry> {
        let relative = &self.plan_file.tables[file - self.plan_file.shards.len()];
        let path = self.corpus.root.join(relative);
        let (rows, written) = match plan.truth.get(index) {
            Some(shard) => truth.write(shard, &path)?,
            None if index == plan.truth.len() => entities::write_assets(plan, world, &path)?,
            None if index == plan.truth.len() + 1 => entities::write_users(plan, world, &path)?,
            None => (0, write_whole(&path, plan.profile.to_json().as_bytes())?),
        };
        Ok(entry(relative, rows, written, None))
    }

    /// Makes event files; `units` are in the order of their files.
    fn events(
        &self,
        pool: &rayon::ThreadPool,
        threads: usize,
        units: &[Unit<'_>],
    ) -> Result<Vec<(usize, FileEntry)>> {
        // A full row group for each thread, and one more so that none waits for another's.
        // Small row groups share that room, or a large one at the head would stop all.
        let room = (threads as u64 + 1) * self.plan_file.config.row_group_rows;
        let rows: Vec<u64> = units.iter().map(|unit| unit.group.rows).collect();
        let path = |unit: usize| self.corpus.root.join(self.path(units[unit].file));
        let writer = Writer {
            workshop: self,
            open: None,
            written: Vec::new(),
        };
        let writer = in_order(
            pool,
            &rows,
            room,
            |unit| unpanicked(&path(unit), || self.encode(&units[unit])),
            writer,
            |writer, unit, (encoded, times)| {
                unpanicked(&path(unit), || writer.append(&units[unit], encoded, times))?;
                self.progress.advance(rows[unit]);
                Ok(())
            },
        )?;
        Ok(writer.written)
    }
}

fn entry(path: &str, rows: u64, written: Written, times: Option<(i64, i64)>) -> FileEntry {
    FileEntry {
        path: path.into(),
        rows,
        bytes: written.bytes,
        blake3: written.digest,
        first: times.map(|t| t.0),
        last: times.map(|t| t.1),
    }
}

/// The file being written.
struct Writer<'w> {
    workshop: &'w Workshop<'w>,
    /// With the times of its first and last row so far.
    open: Option<(EventFile, (i64, i64))>,
    written: Vec<(usize, FileEntry)>,
}

impl Writer<'_> {
    fn append(&mut self, unit: &Unit<'_>, encoded: Encoded, times: (i64, i64)) -> Result<()> {
        let Workshop {
            corpus, plan_file, ..
        } = self.workshop;
        let shard = &plan_file.shards[unit.file];
        let (mut file, times) = match self.open.take() {
            Some((file, (first, last))) => (file, (first.min(times.0), last.max(times.1))),
            None => {
                let path = corpus.root.join(&shard.path);
                (self.workshop.format.create(&path)?, times)
            }
        };
        file.append(encoded)?;
        if !unit.last_of_file {
            self.open = Some((file, times));
            return Ok(());
        }
        let entry = entry(&shard.path, shard.rows, file.finish()?, Some(times));
        self.workshop.note(unit.file, &entry)?;
        self.written.push((unit.file, entry));
        Ok(())
    }
}
