//! The end of a run: which files are intact, and the commit that makes them a complete corpus.
//!
//! A commit syncs the data files, writes the manifest, then the files that the format adds for
//! readers of tables ([`FileFormat::commit`]), then `_SUCCESS`. The manifest lists the format's
//! files before they exist, so a later run knows whose they are even if this one is killed.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use rayon::prelude::*;

use super::Summary;
use crate::corpus::journal::Notes;
use crate::corpus::{Corpus, EventPath, FileEntry, Manifest, PlanFile, to_json};
use crate::error::{Error, Result};
use crate::plan::fingerprint::CREATED_BY;
use crate::progress::{Progress, go_on};
use crate::schema::Schema;
use crate::sink::format::{CommitFile, CompleteCorpus, CompleteFile, FileFormat};
use crate::sink::{FormatTask, with_format};

/// Number of missing files that a message names.
const NAMED: usize = 5;

/// How existing files are compared with their entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    /// By size and digest, so every byte is read.
    Contents,
    /// By size.
    Sizes,
}

/// Completes a corpus whose parts were written apart: checks every file, writes the manifest.
///
/// # Errors
/// A part is missing, a file has changed since it was written, another version began the corpus, or
/// `progress` stops it.
pub fn finish(corpus: &Corpus, progress: &dyn Progress) -> Result<Summary> {
    finish_by(corpus, Compared::Contents, progress)
}

/// As [`finish`], but compares only the sizes of files with the journal. It takes as long as there
/// are files, not bytes. For a scheduler whose tasks have all just written or checked their files.
///
/// # Errors
/// A part is missing, a file has another size than the one written, another version began the corpus,
/// or `progress` stops it.
pub fn finish_noted(corpus: &Corpus, progress: &dyn Progress) -> Result<Summary> {
    finish_by(corpus, Compared::Sizes, progress)
}

fn finish_by(corpus: &Corpus, compared: Compared, progress: &dyn Progress) -> Result<Summary> {
    corpus.watched(progress, || {
        let plan_file = PlanFile::read(corpus)?;
        if plan_file.created_by != CREATED_BY {
            return Err(corpus.refuse_version(&plan_file.created_by));
        }
        let finish = Finish {
            corpus,
            plan_file: &plan_file,
            compared,
            progress,
        };
        with_format(plan_file.config.format, finish)
    })
}

/// The arguments of [`finish`].
pub(super) struct Finish<'f> {
    pub(super) corpus: &'f Corpus,
    pub(super) plan_file: &'f PlanFile,
    pub(super) compared: Compared,
    pub(super) progress: &'f dyn Progress,
}

impl FormatTask for Finish<'_> {
    type Output = Result<Summary>;

    fn run<F: FileFormat>(self) -> Result<Summary> {
        let Finish {
            corpus,
            plan_file,
            compared,
            progress,
        } = self;
        corpus.tidy()?;
        let paths: Vec<&str> = plan_file.files().collect();
        let wanted: Vec<usize> = (0..paths.len()).collect();
        let entries = intact_files(corpus, plan_file, &wanted, compared, progress)?;
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
                path: corpus.root.clone(),
                problem: format!(
                    "{} of {} files are missing or have changed: {named}",
                    missing.len(),
                    paths.len()
                ),
                remedy: "run generate again for the missing --part, with the same settings".into(),
            });
        }
        if let Some(summary) = committed(corpus, plan_file)? {
            corpus.clear_journal()?;
            return Ok(summary);
        }
        corpus.reopen()?;
        let entries: Vec<FileEntry> = entries.into_values().collect();
        let summary = Summary {
            files: entries.len() as u64,
            bytes: entries.iter().map(|e| e.bytes).sum(),
            events: plan_file.composition.events,
            kept: entries.len() as u64,
            kept_events: plan_file.composition.events,
            finished: true,
            unchanged: false,
        };
        let schema = Schema::of(&plan_file.config);
        commit::<F>(corpus, plan_file, &schema, entries, progress)?;
        Ok(summary)
    }
}

/// The files of `wanted` that exist and are unchanged, by their index in the plan.
pub(super) fn intact_files(
    corpus: &Corpus,
    plan_file: &PlanFile,
    wanted: &[usize],
    compared: Compared,
    progress: &dyn Progress,
) -> Result<BTreeMap<usize, FileEntry>> {
    let paths: Vec<&str> = plan_file.files().collect();
    let files: Vec<_> = wanted.iter().map(|&file| (file, paths[file])).collect();
    let notes = Notes::read(corpus, &plan_file.fingerprint, &files)?;
    let entry = |file: usize| match compared {
        Compared::Contents => notes.intact(file, paths[file]),
        Compared::Sizes => notes.of_size(file, paths[file]),
    };
    let look = |&file: &usize| match progress.stopped() {
        false => (entry(file).transpose()).map(|entry| entry.map(|entry| (file, entry))),
        true => Some(Err(Error::Stopped {
            path: corpus.root.clone(),
            problem: "stopped while checking the existing files".into(),
            remedy: "run the same command again: it writes the missing files".into(),
            signal: None,
        })),
    };
    wanted.par_iter().filter_map(look).collect()
}

/// The summary of a complete corpus; none if it lacks `_SUCCESS` or a file of its commit, or was
/// moved and has files that name its place.
///
/// # Errors
/// The store fails.
pub(super) fn committed(corpus: &Corpus, plan_file: &PlanFile) -> Result<Option<Summary>> {
    let manifest = corpus.finished_manifest()?;
    let manifest = manifest.and_then(|text| serde_json::from_slice::<Manifest>(&text).ok());
    let Some(manifest) = manifest else {
        return Ok(None);
    };
    if manifest.location != corpus.location(&plan_file.config)? {
        return Ok(None);
    }
    for entry in &manifest.commit {
        if !entry.is_intact(corpus)? {
            return Ok(None);
        }
    }
    let files = plan_file.files().count() as u64;
    Ok(Some(Summary {
        files,
        // Like a run's own summary, without plan.json.
        bytes: (manifest.files.iter().filter(|f| f.path != Corpus::PLAN))
            .map(|f| f.bytes)
            .sum(),
        events: manifest.events,
        kept: files,
        kept_events: manifest.events,
        finished: true,
        unchanged: true,
    }))
}

/// Makes the files a complete corpus; `entries` are those of all files, in the plan's order.
pub(super) fn commit<F: FileFormat>(
    corpus: &Corpus,
    plan_file: &PlanFile,
    schema: &Schema,
    entries: Vec<FileEntry>,
    progress: &dyn Progress,
) -> Result<()> {
    corpus.sync_files(&entries, progress)?;
    let location = corpus.location(&plan_file.config)?;
    let tail = |file: &CompleteFile<'_>, bytes| {
        let relative = format!("events/{}", file.path);
        let path = corpus.root.join(&relative);
        go_on(progress, &path)?;
        let tail = corpus.tail(&relative, file.bytes, bytes);
        tail.map_err(|e| Error::io(&path, "read", e))
    };
    let added = F::commit(&CompleteCorpus {
        config: &plan_file.config,
        schema,
        fingerprint: &plan_file.fingerprint,
        root: &corpus.root,
        location: location.clone(),
        files: (entries.iter().take(plan_file.shards.len()))
            .map(|entry| complete_file(entry).ok_or_else(|| defect(corpus, &entry.path)))
            .collect::<Result<_>>()?,
        tail: &tail,
    })?;
    let commit: Vec<FileEntry> = (added.iter())
        .map(|file| committed_entry(file).ok_or_else(|| defect(corpus, &file.path)))
        .collect::<Result<_>>()?;
    // The existing manifest lists them, and the new one does not.
    corpus.remove_table(&commit.iter().map(|entry| entry.path.as_str()).collect())?;
    let plan_text = corpus.read(Corpus::PLAN);
    let plan_text = plan_text.map_err(|e| Error::io(&corpus.plan(), "read", e))?;
    let mut files = vec![untimed_entry(Corpus::PLAN.into(), &plan_text)];
    files.extend(entries);
    let manifest = to_json(&Manifest::new(plan_file, files, commit.clone(), location));
    corpus.new_file(Corpus::MANIFEST).write(&manifest)?;
    corpus.sync_names(&[])?;
    corpus.make_directories(commit.iter().map(|entry| entry.path.as_str()))?;
    for (entry, file) in commit.iter().zip(&added) {
        corpus.new_file(&entry.path).write(&file.contents)?;
    }
    corpus.sync_names(&commit)?;
    let digest = blake3::hash(&manifest).to_hex();
    corpus.complete(format!("{digest}\n").as_bytes())?;
    corpus.clear_journal()
}

fn complete_file(entry: &FileEntry) -> Option<CompleteFile<'_>> {
    let EventPath { date, category } = EventPath::parse(&entry.path)?;
    Some(CompleteFile {
        path: entry.path.strip_prefix("events/")?,
        date,
        category,
        rows: entry.rows,
        bytes: entry.bytes,
        blake3: &entry.blake3,
        times: entry.first.zip(entry.last),
    })
}

/// The entry of a file that the format adds; none if its path leaves `events/`.
fn committed_entry(file: &CommitFile) -> Option<FileEntry> {
    let mut parts = Path::new(&file.path).components();
    let is_inside = parts.all(|part| matches!(part, Component::Normal(_)));
    is_inside.then(|| untimed_entry(format!("events/{}", file.path), &file.contents))
}

/// The entry of a file that holds no rows.
fn untimed_entry(path: String, contents: &[u8]) -> FileEntry {
    FileEntry {
        path,
        rows: 0,
        bytes: contents.len() as u64,
        blake3: blake3::hash(contents).to_hex().to_string(),
        first: None,
        last: None,
    }
}

fn defect(corpus: &Corpus, path: &str) -> Error {
    Error::Defect {
        path: corpus.root.join(path),
    }
}
