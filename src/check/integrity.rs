//! Integrity: whether the files are, byte for byte, those that were written.
//!
//! `_SUCCESS` has the manifest's digest, and the manifest has every file's. So a single flipped bit
//! anywhere is found, and so is an extra file.

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::Serialize;

use crate::corpus::layout::Size;
use crate::corpus::{Corpus, FileEntry, Manifest, PlanFile, to_json};
use crate::error::{Error, Result};

/// A difference from what was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Damage {
    /// Relative to the corpus.
    pub file: String,
    pub expected: String,
    pub found: String,
}

fn damage(file: &str, expected: impl Into<String>, found: impl Into<String>) -> Damage {
    Damage {
        file: file.into(),
        expected: expected.into(),
        found: found.into(),
    }
}

/// The result of `--integrity`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Integrity {
    pub files: u64,
    pub bytes: u64,
    pub damages: Vec<Damage>,
}

/// The manifest, if its bytes are those that were written.
fn papers(corpus: &Corpus, damages: &mut Vec<Damage>) -> Result<Option<Manifest>> {
    let read = |file: &str| match corpus.read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io(&corpus.root.join(file), "read", e)),
    };
    let manifest = read(Corpus::MANIFEST)?;
    let success = read(Corpus::SUCCESS)?;
    if manifest.is_none() && success.is_none() {
        return Err(Error::input(
            &corpus.root,
            None,
            "this is no finished corpus: it has neither manifest.json nor _SUCCESS",
            "name the directory of a finished corpus, or run generate (or finish) again",
        ));
    }
    let Some(manifest) = manifest else {
        damages.push(damage("manifest.json", "a file", "nothing"));
        return Ok(None);
    };
    let digest = blake3::hash(&manifest).to_hex();
    let wanted = format!("{digest}\n");
    match success {
        None => damages.push(damage("_SUCCESS", "a file", "nothing")),
        Some(text) if text != wanted.as_bytes() => damages.push(damage(
            "_SUCCESS",
            format!("{digest}, the digest of manifest.json, and a line's end"),
            crate::grounding::shown(&String::from_utf8_lossy(&text)),
        )),
        Some(_) => {}
    }
    match serde_json::from_slice(&manifest) {
        Ok(manifest) => Ok(Some(manifest)),
        Err(e) => {
            damages.push(damage("manifest.json", "a manifest", e.to_string()));
            Ok(None)
        }
    }
}

/// One file of the manifest.
fn file(corpus: &Corpus, entry: &FileEntry) -> Result<Option<Damage>> {
    let path = &entry.path;
    let bytes = match corpus.size(path)? {
        Size::Nothing => return Ok(Some(damage(path, "a file", "nothing"))),
        Size::NoFile => return Ok(Some(damage(path, "a regular file", "another thing"))),
        Size::Bytes(bytes) => bytes,
    };
    if bytes != entry.bytes {
        return Ok(Some(damage(
            path,
            format!("{} bytes", entry.bytes),
            format!("{bytes} bytes"),
        )));
    }
    let found = corpus.digest(path)?;
    Ok((found != entry.blake3).then(|| {
        damage(
            path,
            format!("BLAKE3 {}", entry.blake3),
            format!("BLAKE3 {found}"),
        )
    }))
}

/// Whether the manifest is consistent with the plan.
fn counts(plan: &PlanFile, manifest: &Manifest, damages: &mut Vec<Damage>) {
    let wanted = to_json(&Manifest::new(
        plan,
        manifest.files.clone(),
        manifest.commit.clone(),
        manifest.location.clone(),
    ));
    if wanted != to_json(manifest) {
        damages.push(damage(
            "manifest.json",
            "the settings, counts and ratios of plan.json",
            "others",
        ));
    }
    let listed: Vec<&str> = manifest.files.iter().map(|f| f.path.as_str()).collect();
    let planned: Vec<&str> = std::iter::once("plan.json").chain(plan.files()).collect();
    if listed != planned {
        damages.push(damage(
            "manifest.json",
            format!("the {} files of plan.json, in order", planned.len()),
            format!("{} files", listed.len()),
        ));
    }
    let rows: u64 = manifest.event_files().map(|f| f.rows).sum();
    if rows != manifest.events {
        damages.push(damage(
            "manifest.json",
            format!("{} events in its files", manifest.events),
            rows.to_string(),
        ));
    }
    // If a path is listed twice, which has been reported, its first entry counts.
    let mut by_path: BTreeMap<&str, &FileEntry> = BTreeMap::new();
    for entry in &manifest.files {
        by_path.entry(&entry.path).or_insert(entry);
    }
    for shard in &plan.shards {
        if let Some(entry) = by_path.get(shard.path.as_str())
            && entry.rows != shard.rows
        {
            damages.push(damage(
                &shard.path,
                format!("{} rows", shard.rows),
                format!("{} rows", entry.rows),
            ));
        }
    }
}

/// Compares a corpus with its manifest, in parallel over files.
///
/// # Errors
/// The directory is not a finished corpus, or I/O.
pub fn integrity(corpus: &Corpus) -> Result<Integrity> {
    if corpus.is_directory() && !corpus.root.is_dir() {
        return Err(Error::input(
            &corpus.root,
            None,
            "there is no such directory",
            "give the directory of a corpus that fusiongen wrote",
        ));
    }
    let mut damages = Vec::new();
    let manifest = papers(corpus, &mut damages)?;
    let entries: Vec<&FileEntry> = (manifest.iter())
        .flat_map(|manifest| manifest.files.iter().chain(&manifest.commit))
        .collect();
    let broken: Vec<Option<Damage>> = entries
        .par_iter()
        .map(|&entry| file(corpus, entry))
        .collect::<Result<_>>()?;
    damages.extend(broken.into_iter().flatten());
    if let Some(manifest) = &manifest {
        // A changed plan has already been reported.
        match PlanFile::read(corpus) {
            Ok(plan) => counts(&plan, manifest, &mut damages),
            Err(Error::Io {
                path,
                action,
                source,
            }) => {
                return Err(Error::Io {
                    path,
                    action,
                    source,
                });
            }
            Err(_) if damages.iter().any(|d| d.file == "plan.json") => {}
            Err(e) => damages.push(damage("plan.json", "a plan", e.to_string())),
        }
        let mut known: BTreeSet<&str> = entries.iter().map(|e| e.path.as_str()).collect();
        known.extend(["manifest.json", "_SUCCESS"]);
        for (path, is_file) in corpus.list()? {
            if !known.contains(path.as_str()) {
                damages.push(damage(
                    &path,
                    "nothing",
                    "a file that the manifest does not list",
                ));
            } else if !is_file && ["manifest.json", "_SUCCESS"].contains(&path.as_str()) {
                damages.push(damage(&path, "a regular file", "another thing"));
            }
        }
    }
    damages.sort();
    damages.dedup();
    Ok(Integrity {
        files: entries.len() as u64 + 2,
        bytes: entries.iter().map(|e| e.bytes).sum(),
        damages,
    })
}
