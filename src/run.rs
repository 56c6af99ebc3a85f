//! The runner: threads encode row groups in parallel, files are written in order.
//!
//! Each thread encodes a row group in memory. One thread at a time appends encoded row groups to
//! their files, in order (`run/in_order.rs`). A fixed number of rows is in flight, so memory does
//! not grow with the corpus. The journal gets an entry for every finished file; a later run keeps
//! the files that have an entry and are unchanged. When all files are there, `run/complete.rs`
//! commits the corpus.

mod complete;
mod files;
mod helped;
mod in_order;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use complete::{Compared, commit, committed, intact_files};
use helped::{Hand, helped};
use in_order::in_order;

use crate::columns::{Tables, View};
use crate::corpus::file::{AtomicFile, NewFile, Written};
use crate::corpus::target::Found;
use crate::corpus::{Corpus, FileEntry, PlanFile};
use crate::error::{Error, Result, unpanicked};
use crate::frame::Maker;
use crate::plan::RowGroup;
use crate::progress::{Progress, RESUME, RESUME_OVERWRITTEN, go_on};
use crate::schema::Schema;
use crate::sink::format::{EventFile, FileFormat, FormatSettings, RowGroupEncoder};
use crate::sink::{FormatTask, with_format};
use crate::truth::{Truth, entities};

pub use complete::{finish, finish_noted};
pub use files::write_files;

/// Files of an object store that are finished at a time, each after a few answers of the store.
const FINISHING: usize = 6;

/// One of several shares of a corpus's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// From 1 to `of`.
    pub number: u32,
    pub of: u32,
}

impl Part {
    /// Whether a file, by its number in the plan, is in this share.
    pub(crate) fn holds(self, file: usize) -> bool {
        file % self.of as usize == self.number as usize - 1
    }
}

impl std::str::FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let wrong = || format!("'{text}' is not a share like 1/3");
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

/// How a corpus is written. The bytes are the same for any value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub threads: usize,
    /// Replace another corpus in the directory. Without `part`, replace the same corpus too.
    pub overwrite: bool,
    /// Write only this share of the files, and no manifest.
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
    /// Files that an earlier run wrote.
    pub kept: u64,
    /// Events in those files.
    pub kept_events: u64,
    /// The corpus is complete: manifest and `_SUCCESS` are written.
    pub finished: bool,
    /// The corpus was complete before, and nothing was written.
    pub unchanged: bool,
}

/// A row group, and the file it belongs to.
#[derive(Clone, Copy)]
struct Unit<'p> {
    group: &'p RowGroup,
    /// Index of the file in the plan.
    file: usize,
    last_of_file: bool,
}

/// What all threads share.
struct Workshop<'w, F> {
    corpus: &'w Corpus,
    plan_file: &'w PlanFile,
    maker: &'w Maker,
    tables: &'w Tables,
    format: F,
    progress: &'w dyn Progress,
    /// Number of files that this run has finished.
    finished: AtomicU64,
}

/// The arguments of [`generate`].
struct Generate<'g> {
    corpus: &'g Corpus,
    maker: &'g Maker,
    tables: &'g Tables,
    run: Run,
    progress: &'g dyn Progress,
}

/// Writes a corpus, or the files that it lacks.
///
/// # Errors
/// The directory holds something else, I/O, or `progress` asked to stop. A file has its name only
/// when it is complete, and the corpus is complete only when it has `_SUCCESS`.
pub fn generate(
    corpus: &Corpus,
    maker: &Maker,
    tables: &Tables,
    run: Run,
    progress: &dyn Progress,
) -> Result<Summary> {
    let generate = Generate {
        corpus,
        maker,
        tables,
        run,
        progress,
    };
    corpus.watched(progress, || with_format(maker.plan.config.format, generate))
}

impl FormatTask for Generate<'_> {
    type Output = Result<Summary>;

    fn run<F: FileFormat>(self) -> Result<Summary> {
        let Generate {
            corpus,
            maker,
            tables,
            run,
            progress,
        } = self;
        // A run of one part keeps the other parts: only a run of all files starts over.
        let again = run.overwrite && run.part.is_none();
        let plan_file = &PlanFile::new(&maker.plan, &maker.world);
        let found = corpus.begin(plan_file, run.overwrite, again)?;
        let wanted = (0..plan_file.files().count())
            .filter(|&file| run.part.is_none_or(|part| part.holds(file)))
            .collect();
        let work = Work {
            corpus,
            plan_file,
            maker,
            tables,
            threads: run.threads,
            found,
            wanted,
            scope: match run.part {
                None => Scope::Corpus,
                Some(_) => Scope::Part,
            },
            remedy: match again {
                true => RESUME_OVERWRITTEN,
                false => RESUME,
            },
            progress,
        };
        work.run::<F>()
    }
}

/// What the wanted files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// All: the run commits the corpus.
    Corpus,
    /// A part, by a run of its own.
    Part,
    /// A few, by one of many processes.
    Files,
}

/// A run that has begun.
struct Work<'w> {
    corpus: &'w Corpus,
    plan_file: &'w PlanFile,
    maker: &'w Maker,
    tables: &'w Tables,
    threads: usize,
    /// What the place held.
    found: Found,
    /// The files to write, by their index in the plan, ascending.
    wanted: Vec<usize>,
    scope: Scope,
    /// What to do if the run is stopped.
    remedy: &'static str,
    progress: &'w dyn Progress,
}

impl Work<'_> {
    /// Writes the wanted files that are missing or have changed.
    fn run<F: FileFormat>(self) -> Result<Summary> {
        let Work {
            corpus,
            plan_file,
            maker,
            tables,
            threads,
            found,
            wanted,
            scope,
            remedy,
            progress,
        } = self;
        let plan = &*maker.plan;
        let pool = thread_pool(threads)?;
        let schema = Arc::new(Schema::of(&plan.config));
        let workshop = Workshop {
            corpus,
            plan_file,
            maker,
            tables,
            format: F::new(FormatSettings {
                config: &plan.config,
                schema: &schema,
                fingerprint: &plan.fingerprint,
                root: &corpus.root,
            })?,
            progress,
            finished: AtomicU64::new(0),
        };
        let paths: Vec<&str> = plan_file.files().collect();
        if found != Found::Nothing {
            progress.step("looked for files that are already there");
        }
        let mut entries = match found {
            Found::Nothing => BTreeMap::new(),
            Found::Unfinished | Found::Complete => pool.install(|| {
                intact_files(corpus, plan_file, &wanted, Compared::Contents, progress)
            })?,
        };
        let kept = entries.len() as u64;
        let events = plan_file.shards.len();
        let missing: BTreeSet<usize> = wanted
            .iter()
            .copied()
            .filter(|file| !entries.contains_key(file))
            .collect();
        if found == Found::Complete && (scope != Scope::Files || !missing.is_empty()) {
            if missing.is_empty()
                && let Some(summary) = committed(corpus, plan_file)?
            {
                corpus.clear_journal()?;
                return Ok(summary);
            }
            corpus.reopen()?;
        }
        corpus.make_directories(missing.iter().map(|&file| paths[file]))?;
        let kept_events = entries.range(..events).map(|(_, e)| e.rows).sum();
        for (_, entry) in entries.range(..events) {
            progress.kept(entry.rows);
        }
        let counted = |error| match error {
            Error::Stopped { signal, .. } => Error::Stopped {
                path: corpus.root.clone(),
                problem: format!(
                    "stopped; {} of {} files are complete",
                    kept + workshop.finished.load(Ordering::Relaxed),
                    wanted.len()
                ),
                remedy: remedy.into(),
                signal,
            },
            error => error,
        };
        progress.step("wrote events");
        let written = workshop.events(&pool, threads, &missing);
        entries.extend(written.map_err(counted)?);
        progress.step("wrote truth, entities and profile");
        let written = pool.install(|| workshop.tables(&missing));
        entries.extend(written.map_err(counted)?);
        let summary = Summary {
            files: entries.len() as u64,
            bytes: entries.values().map(|e| e.bytes).sum(),
            events: entries.range(..events).map(|(_, e)| e.rows).sum(),
            kept,
            kept_events,
            finished: scope == Scope::Corpus,
            unchanged: false,
        };
        if summary.finished {
            progress.step("wrote manifest and _SUCCESS");
            let entries = entries.into_values().collect();
            let commit = || commit::<F>(corpus, plan_file, &schema, entries, progress);
            pool.install(commit).map_err(counted)?;
        } else if !missing.is_empty() && !corpus.is_directory() && corpus.is_finished()? {
            // Another run completed the corpus meanwhile, and did not know of this one's entries.
            corpus.clear_journal()?;
        }
        Ok(summary)
    }
}

/// A pool of `threads` threads.
///
/// # Errors
/// The system cannot start so many.
pub(crate) fn thread_pool(threads: usize) -> Result<rayon::ThreadPool> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|e| {
        Error::setting(
            "--threads",
            format!("{threads} threads cannot be started: {e}"),
            "use fewer threads",
        )
    })
}

impl<F: FileFormat> Workshop<'_, F> {
    fn path(&self, file: usize) -> PathBuf {
        self.corpus.root.join(&self.plan_file.shards[file].path)
    }

    /// Adds a finished file to the journal.
    fn note(&self, file: usize, entry: &FileEntry, tag: Option<&str>) -> Result<()> {
        entry.note(self.corpus, file, &self.plan_file.fingerprint, tag)?;
        self.finished.fetch_add(1, Ordering::Relaxed);
        (self.progress).file(&entry.path, entry.rows, entry.bytes);
        Ok(())
    }

    /// The row groups of the event files in `files`, in their order.
    fn units(&self, files: &BTreeSet<usize>) -> Vec<Unit<'_>> {
        let plan = &self.maker.plan;
        let mut units = Vec::new();
        for &file in files.range(..self.plan_file.shards.len()) {
            let groups = plan.shards[file].row_groups.clone();
            units.extend(groups.clone().map(|g| Unit {
                group: &plan.row_groups[g],
                file,
                last_of_file: g + 1 == groups.end,
            }));
        }
        units
    }

    /// Generates and encodes a row group; also the times of its first and last row.
    fn encode(&self, unit: &Unit<'_>) -> Result<(F::RowGroup, (i64, i64))> {
        let path = self.path(unit.file);
        let mut encoder = self.format.encoder(unit.group.rows, &path)?;
        let mut times: Option<(i64, i64)> = None;
        self.maker.try_frames(unit.group, |frame| {
            go_on(self.progress, &path)?;
            if let (Some(&first), Some(&last)) = (frame.time.first(), frame.time.last()) {
                times = Some((times.map_or(first, |t| t.0), last));
            }
            encoder.write(&View::new(&frame, self.maker, self.tables))
        })?;
        let times = times.unwrap_or((unit.group.from, unit.group.to));
        Ok((encoder.finish()?, times))
    }

    /// Writes the event files in `files`.
    fn events(
        &self,
        pool: &rayon::ThreadPool,
        threads: usize,
        files: &BTreeSet<usize>,
    ) -> Result<Vec<(usize, FileEntry)>> {
        let units = self.units(files);
        // One full row group for each thread, and one more so that no thread waits for another.
        // The limit is in rows. A limit in row groups would let one large row group stop the
        // threads that have small ones behind it.
        let room = (threads as u64 + 1) * self.plan_file.config.row_group_rows;
        let rows: Vec<u64> = units.iter().map(|unit| unit.group.rows).collect();
        let helpers = match self.corpus.is_directory() {
            true => 0,
            false => FINISHING,
        };
        let finish = |ended: Ended| unpanicked(&self.path(ended.index), || self.finish(ended));
        helped(helpers, finish, |hand| {
            let writer = Writer {
                workshop: self,
                open: None,
                hand,
            };
            let written = in_order(
                pool,
                &rows,
                room,
                |unit| {
                    let unit = &units[unit];
                    unpanicked(&self.path(unit.file), || self.encode(unit))
                },
                writer,
                |writer, unit, (encoded, times)| {
                    let append = || writer.append(&units[unit], encoded, times);
                    unpanicked(&self.path(units[unit].file), append)?;
                    self.progress.advance(rows[unit]);
                    Ok(())
                },
            );
            written.map(|_| ())
        })
    }

    /// Gives an event file its name, and adds it to the journal.
    fn finish(&self, ended: Ended) -> Result<(usize, FileEntry)> {
        let shard = &self.plan_file.shards[ended.index];
        let written = ended.file.finish()?;
        let entry = entry(&shard.path, shard.rows, &written, Some(ended.times));
        self.note(ended.index, &entry, written.tag.as_deref())?;
        Ok((ended.index, entry))
    }

    /// Writes the files of truth, the entities and the profile in `files`.
    fn tables(&self, files: &BTreeSet<usize>) -> Result<Vec<(usize, FileEntry)>> {
        let events = self.plan_file.shards.len();
        let missing: Vec<usize> = files.range(events..).copied().collect();
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        let truth = Truth::new(self.maker, self.tables, self.progress);
        let write = |&file: &usize| {
            let relative = &self.plan_file.tables[file - events];
            let new = self.corpus.new_file(relative);
            let (rows, written) = unpanicked(new.path(), || {
                go_on(self.progress, new.path())?;
                self.table(&truth, file - events, &new)
            })?;
            let entry = entry(relative, rows, &written, None);
            self.note(file, &entry, written.tag.as_deref())?;
            Ok((file, entry))
        };
        missing.par_iter().map(write).collect()
    }

    /// Writes the table of an index; its rows.
    fn table(&self, truth: &Truth<'_>, index: usize, file: &NewFile<'_>) -> Result<(u64, Written)> {
        let (plan, world) = (&*self.maker.plan, &*self.maker.world);
        match plan.truth.get(index) {
            Some(shard) => truth.write(shard, file),
            None if index == plan.truth.len() => entities::write_assets(plan, world, file),
            None if index == plan.truth.len() + 1 => entities::write_users(plan, world, file),
            None => Ok((0, file.write(plan.profile.to_json().as_bytes())?)),
        }
    }
}

fn entry(path: &str, rows: u64, written: &Written, times: Option<(i64, i64)>) -> FileEntry {
    FileEntry {
        path: path.into(),
        rows,
        bytes: written.bytes,
        blake3: written.digest.clone(),
        first: times.map(|t| t.0),
        last: times.map(|t| t.1),
    }
}

/// An event file that has all its bytes, but not its name.
struct Ended {
    /// In the plan.
    index: usize,
    file: AtomicFile,
    /// Times of the first and last row.
    times: (i64, i64),
}

/// Appends row groups to event files, one file after the other.
struct Writer<'w, F: FileFormat> {
    workshop: &'w Workshop<'w, F>,
    /// The file that is being written, with the times of its first and last row so far.
    open: Option<(F::File, (i64, i64))>,
    hand: &'w Hand<'w, Ended>,
}

impl<F: FileFormat> Writer<'_, F> {
    fn append(&mut self, unit: &Unit<'_>, group: F::RowGroup, times: (i64, i64)) -> Result<()> {
        let shard = &self.workshop.plan_file.shards[unit.file];
        let (mut file, times) = match self.open.take() {
            Some((file, (first, last))) => (file, (first.min(times.0), last.max(times.1))),
            None => {
                let file = self.workshop.corpus.new_file(&shard.path).create()?;
                (self.workshop.format.create(file)?, times)
            }
        };
        file.append(group)?;
        if !unit.last_of_file {
            self.open = Some((file, times));
            return Ok(());
        }
        (self.hand)(Ended {
            index: unit.file,
            file: file.finish()?,
            times,
        })
    }
}
