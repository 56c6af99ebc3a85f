//! A directory before and after a run: what it may hold, what is kept, what is removed.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::claim::{Found, is_ours};
use super::file::{entries, is_temporary, make_directory, not_ours, remove, sweep, sync_directory};
use super::layout::Corpus;
use super::manifest::{FileEntry, PlanFile, to_json};
use crate::error::{Error, Result};
use crate::plan::{Format, TruthTable};
use crate::progress::{Progress, go_on};

/// As [`Corpus::begin`]; temporary files of killed runs are removed.
pub(super) fn begin(
    corpus: &Corpus,
    plan: &PlanFile,
    overwrite: bool,
    again: bool,
) -> Result<Found> {
    let found = open(corpus, plan, overwrite, again)?;
    tidy(corpus)?;
    Ok(found)
}

/// As [`Corpus::join`].
pub(super) fn join(corpus: &Corpus, plan: &PlanFile) -> Result<Found> {
    match std::fs::read(corpus.plan()).is_ok_and(|existing| existing == to_json(plan)) {
        true if corpus.is_finished()? => Ok(Found::Complete),
        true => Ok(Found::Unfinished),
        false => open(corpus, plan, false, false),
    }
}

/// Creates the directory, decides which files stay, and writes `plan.json`. Other runs that begin in
/// the same directory wait.
fn open(corpus: &Corpus, plan: &PlanFile, overwrite: bool, again: bool) -> Result<Found> {
    let root = &corpus.root;
    std::fs::create_dir_all(root).map_err(|e| match e.kind() {
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            corpus.refuse("this is a file, not a directory", "use another --out")
        }
        _ => Error::io(root, "create", e),
    })?;
    let _guard = lock(root)?;
    let found = look(corpus, plan, overwrite, again)?;
    let text = to_json(plan);
    let is_same = std::fs::read(corpus.plan()).is_ok_and(|existing| existing == text);
    if found == Found::Unfinished || !is_same {
        corpus.owns_tables()?;
    }
    if is_same {
        return Ok(found);
    }
    remove(&corpus.success())?;
    corpus.new_file(Corpus::PLAN).write(&text)?;
    Ok(match found {
        Found::Nothing => Found::Nothing,
        Found::Unfinished | Found::Complete => Found::Unfinished,
    })
}

/// Makes other runs wait while this one decides which files stay. A file system without locks
/// is not expected to have other runs.
fn lock(root: &Path) -> Result<std::fs::File> {
    let directory = std::fs::File::open(root).map_err(|e| Error::io(root, "open", e))?;
    let _ = directory.lock();
    Ok(directory)
}

fn look(corpus: &Corpus, plan: &PlanFile, overwrite: bool, again: bool) -> Result<Found> {
    let root = &corpus.root;
    let mut is_empty = true;
    for (path, kind) in entries(root)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !is_ours(&name) && !is_temporary(&name) {
            return Err(corpus.refuse_foreign(&name));
        }
        if kind.is_symlink() {
            return Err(not_ours(&path, kind));
        }
        is_empty &= !is_ours(&name);
    }
    if is_empty {
        // Or a run was killed before it wrote its plan.
        return Ok(Found::Nothing);
    }
    let existing = corpus.read_existing(Corpus::PLAN)?;
    if !corpus.is_same(existing.as_deref(), plan, overwrite)? || again {
        clear(corpus)?;
        return Ok(Found::Nothing);
    }
    Ok(match corpus.is_finished()? {
        true => Found::Complete,
        false => Found::Unfinished,
    })
}

/// As [`Corpus::tidy`].
pub(super) fn tidy(corpus: &Corpus) -> Result<()> {
    let _guard = lock(&corpus.root)?;
    sweep_below(&corpus.root)
}

/// As [`Corpus::make_directories`].
pub(super) fn make_directories<'f>(
    root: &Path,
    files: impl Iterator<Item = &'f str>,
) -> Result<()> {
    let mut relative: BTreeSet<&Path> = BTreeSet::new();
    for file in files {
        // The profile is in the root itself.
        relative.insert(Path::new("journal"));
        let above = Path::new(file).ancestors().skip(1);
        relative.extend(above.filter(|path| !path.as_os_str().is_empty()));
    }
    // A directory sorts before its contents.
    relative
        .into_iter()
        .try_for_each(|path| make_directory(&root.join(path)))
}

/// Removes temporary files below a directory, which must hold no symlinks.
fn sweep_below(directory: &Path) -> Result<()> {
    for (path, kind) in entries(directory)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if kind.is_symlink() {
            return Err(not_ours(&path, kind));
        }
        if kind.is_dir() {
            sweep_below(&path)?;
        } else if kind.is_file() && is_temporary(&name) {
            sweep(&path)?;
        }
    }
    Ok(())
}

/// Removes what an earlier run wrote: `_SUCCESS` first, `plan.json` last. Only files that a run
/// of this program can have written are removed.
fn clear(corpus: &Corpus) -> Result<()> {
    let root = &corpus.root;
    let trees = ["events", "truth", "entities", "journal"].map(|name| root.join(name));
    // Files of tables have names that a journal may have, too.
    let commit = corpus.owns_tables()?.into_iter();
    let commit = commit.map(|file| root.join(file)).collect();
    // The first pass only checks, so that a foreign file leaves everything unchanged.
    for tree in &trees {
        walk(tree, 0, &commit, false)?;
    }
    remove(&corpus.success())?;
    for tree in &trees {
        walk(tree, 0, &commit, true)?;
    }
    // It lists the files of the commit, so it goes after them.
    remove(&corpus.manifest())?;
    sweep_below(root)?;
    remove(&root.join(Corpus::PROFILE))?;
    remove(&corpus.plan())
}

/// As [`Corpus::clear_journal`].
pub(super) fn clear_journal(corpus: &Corpus) -> Result<()> {
    walk(&corpus.root.join("journal"), 0, &BTreeSet::new(), true)
}

/// As [`Corpus::sync_files`]; also syncs the directories that hold the files.
pub(super) fn sync_files(
    root: &Path,
    entries: &[FileEntry],
    progress: &dyn Progress,
) -> Result<()> {
    entries.par_iter().try_for_each(|entry| {
        let path = root.join(&entry.path);
        go_on(progress, &path)?;
        std::fs::File::open(&path)
            .and_then(|file| file.sync_all())
            .map_err(|e| Error::io(&path, "sync", e))
    })?;
    sync_names(root, entries)
}

/// As [`Corpus::sync_names`]: syncs the directories from the root to these files.
pub(super) fn sync_names(root: &Path, entries: &[FileEntry]) -> Result<()> {
    let paths: Vec<PathBuf> = entries.iter().map(|e| root.join(&e.path)).collect();
    let above = paths.iter().flat_map(|path| path.ancestors().skip(1));
    let mut directories: BTreeSet<&Path> = above.filter(|path| path.starts_with(root)).collect();
    directories.insert(root);
    directories.into_iter().try_for_each(sync_directory)
}

/// All files below a directory, as relative paths, without following links; also whether each is a
/// regular file. A directory without files is listed with a `/` at its end.
pub(super) fn list(root: &Path, below: &str, found: &mut Vec<(String, bool)>) -> Result<()> {
    for (path, kind) in entries(&root.join(below))? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let path = match below {
            "" => name.into_owned(),
            _ => format!("{below}/{name}"),
        };
        if kind.is_dir() {
            let before = found.len();
            list(root, &path, found)?;
            if found.len() == before {
                found.push((format!("{path}/"), false));
            }
        } else {
            found.push((path, kind.is_file()));
        }
    }
    Ok(())
}

/// As [`Corpus::complete`].
pub(super) fn complete(corpus: &Corpus, text: &[u8]) -> Result<()> {
    corpus.new_file(Corpus::SUCCESS).write(text)?;
    sync_directory(&corpus.root)
}

/// Checks that a tree holds only what we write and the files of `commit`; also removes it if
/// `removed`.
fn walk(directory: &Path, depth: u32, commit: &BTreeSet<PathBuf>, removed: bool) -> Result<()> {
    match std::fs::symlink_metadata(directory) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(Error::io(directory, "look at", e)),
        Ok(found) if !found.is_dir() => return Err(not_ours(directory, found.file_type())),
        Ok(_) => {}
    }
    for (path, kind) in entries(directory)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let holds_commit = || commit.iter().any(|file| file.starts_with(&path));
        let is_ours = || is_our_file(&name) || is_temporary(&name) || commit.contains(&path);
        if kind.is_dir() && (depth < 3 && is_our_directory(&name) || holds_commit()) {
            walk(&path, depth + 1, commit, removed)?;
        } else if kind.is_file() && is_ours() {
            if removed {
                remove(&path)?;
            }
        } else {
            return Err(not_ours(&path, kind));
        }
    }
    if !removed {
        return Ok(());
    }
    match std::fs::remove_dir(directory) {
        // Another run of the same corpus removed it, or still uses it.
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty) => Ok(()),
        other => other.map_err(|e| Error::io(directory, "remove", e)),
    }
}

fn is_our_directory(name: &str) -> bool {
    name.starts_with("date=")
        || name.starts_with("category=")
        || TruthTable::ALL.iter().any(|table| table.name() == name)
}

fn is_our_file(name: &str) -> bool {
    let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
    if extension == "json" {
        return stem.len() >= 6 && is_number(stem);
    }
    let part = stem.strip_prefix("part-").is_some_and(is_number);
    Format::is_extension(extension) && (part || stem == "assets" || stem == "users")
}

fn is_number(text: &str) -> bool {
    text.len() >= 5 && text.bytes().all(|b| b.is_ascii_digit())
}
