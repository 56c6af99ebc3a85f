//! A prefix of an object store before and after a run.
//!
//! A store has no locks and no renames. So a run claims a prefix by creating `plan.json`, which
//! succeeds for one run, and completes the corpus by creating `_SUCCESS`. Objects of one corpus have
//! the same bytes whoever writes them: two runs of the same corpus do not disturb each other.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::claim::{Found, Listed, ListedPath, is_ours};
use super::layout::Corpus;
use super::manifest::{PlanFile, to_json};
use super::objects::{Object, Objects, list, remove};
use crate::error::{Error, Result};

/// Attempts to claim a prefix while other runs claim and clear it.
const ATTEMPTS: u32 = 5;

/// The files that a `plan.json` lists; any version can be read.
#[derive(Default, Deserialize)]
struct Planned {
    #[serde(default)]
    shards: Vec<ListedPath>,
    #[serde(default)]
    tables: Vec<String>,
}

/// As [`Corpus::begin`].
pub(super) fn begin(
    corpus: &Corpus,
    objects: &dyn Objects,
    plan: &PlanFile,
    overwrite: bool,
    again: bool,
) -> Result<Found> {
    let text = to_json(plan);
    let failed = |e| Error::io(&corpus.plan(), "create", e);
    // What this run has cleared is claimed by it, or by another run of the same corpus.
    let mut again = again;
    for _ in 0..ATTEMPTS {
        let names = objects
            .names()
            .map_err(|e| Error::io(&corpus.root, "list", e))?;
        if let Some(name) = names.iter().find(|name| !is_ours(name)) {
            return Err(corpus.refuse_foreign(name));
        }
        if is_empty(corpus, objects, &names)? {
            match objects.create(Corpus::PLAN, &text).map_err(failed)? {
                true => return Ok(Found::Nothing),
                // Another run has begun.
                false => continue,
            }
        }
        let existing = corpus.read_existing(Corpus::PLAN)?;
        if existing.is_none() && names.iter().any(|name| name == Corpus::PLAN) {
            // Another run is clearing the prefix.
            continue;
        }
        if !corpus.is_same(existing.as_deref(), plan, overwrite)? || again {
            clear(corpus, objects)?;
            again = false;
            continue;
        }
        if existing.is_none_or(|existing| existing != text) {
            corpus.owns_tables()?;
            remove(objects, &corpus.root, vec![Corpus::SUCCESS.into()])?;
            corpus.new_file(Corpus::PLAN).write(&text)?;
            return Ok(Found::Unfinished);
        }
        return Ok(match corpus.is_finished()? {
            true => Found::Complete,
            false => Found::Unfinished,
        });
    }
    Err(corpus.refuse(
        "other runs keep beginning here",
        "wait until they end, and run the same command again",
    ))
}

/// Whether there is nothing but the empty objects that consoles create as directories.
fn is_empty(corpus: &Corpus, objects: &dyn Objects, names: &[String]) -> Result<bool> {
    if names.is_empty() || names.iter().any(|name| name == Corpus::PLAN) {
        return Ok(names.is_empty());
    }
    let is_directory = |object: &Object| {
        let name = object.path.split('/').next().unwrap_or_default();
        object.bytes == 0 && ["events", "truth", "entities", "journal"].contains(&name)
    };
    Ok(list(objects, &corpus.root, "")?.iter().all(is_directory))
}

/// Creates `_SUCCESS`. If it exists, it is another run's of the same corpus, or left by an earlier
/// state of the corpus, which is replaced.
pub(super) fn complete(corpus: &Corpus, objects: &dyn Objects, text: &[u8]) -> Result<()> {
    let failed = |e| Error::io(&corpus.success(), "create", e);
    for _ in 0..ATTEMPTS {
        if objects.create(Corpus::SUCCESS, text).map_err(failed)?
            || corpus
                .read_existing(Corpus::SUCCESS)?
                .is_some_and(|existing| existing == text)
        {
            return Ok(());
        }
        if corpus.is_finished()? {
            return Err(corpus.refuse(
                "another run completed another corpus here meanwhile",
                "use another --out for each corpus",
            ));
        }
        remove(objects, &corpus.root, vec![Corpus::SUCCESS.into()])?;
    }
    Err(corpus.refuse(
        "other runs keep completing corpora here",
        "use another --out for each corpus",
    ))
}

/// Removes the journal.
pub(super) fn clear_journal(corpus: &Corpus, objects: &dyn Objects) -> Result<()> {
    let found = list(objects, &corpus.root, "journal")?;
    let paths = found.into_iter().map(|object| object.path);
    let entries = paths.filter(|path| is_journal(path)).collect();
    remove(objects, &corpus.root, entries)
}

/// Removes the corpus: `_SUCCESS` first, `plan.json` last. Only what the plan and the manifest name
/// is removed; if there is anything else, nothing is.
fn clear(corpus: &Corpus, objects: &dyn Objects) -> Result<()> {
    let mut named: BTreeSet<String> = BTreeSet::new();
    named.extend([Corpus::PLAN, Corpus::MANIFEST, Corpus::SUCCESS].map(String::from));
    let plan = corpus.read_existing(Corpus::PLAN)?.unwrap_or_default();
    let Planned { shards, tables } = serde_json::from_slice(&plan).unwrap_or_default();
    named.extend(tables);
    let Listed { files, commit } = corpus.listed()?;
    let listed = shards.into_iter().chain(files).chain(commit);
    named.extend(listed.map(|file| file.path));
    let mut data = Vec::new();
    for Object { path, .. } in list(objects, &corpus.root, "")? {
        match named.contains(&path) || is_journal(&path) {
            true => data.push(path),
            false => {
                return Err(Error::Output {
                    path: corpus.root.join(path),
                    problem: "fusiongen did not write this".into(),
                    remedy: "move it away, or use another --out".into(),
                });
            }
        }
    }
    data.retain(|path| ![Corpus::PLAN, Corpus::MANIFEST, Corpus::SUCCESS].contains(&path.as_str()));
    for paths in [
        vec![Corpus::SUCCESS.into()],
        data,
        // It lists the files of the commit, so it goes after them.
        vec![Corpus::MANIFEST.into()],
        vec![Corpus::PLAN.into()],
    ] {
        remove(objects, &corpus.root, paths)?;
    }
    Ok(())
}

fn is_journal(path: &str) -> bool {
    let name = path.strip_prefix("journal/");
    let number = name.and_then(|name| name.strip_suffix(".json"));
    number.is_some_and(|it| it.len() >= 6 && it.bytes().all(|b| b.is_ascii_digit()))
}
