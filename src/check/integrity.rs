//! Integrity: whether the files are, byte for byte, those that were written.
//!
//! `_SUCCESS` holds the manifest's digest, the manifest every file's. So one flipped bit
//! anywhere is found, and so is a file too many.

use std::collections::BTreeSet;
use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;

use crate::corpus::{Corpus, FileEntry, Manifest, PlanFile, digest, to_json};
use crate::error::{Error, Result};

/// Something that isn't as it was written.
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

/// What `--integrity` found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Integrity {
    pub files: u64,
    pub bytes: u64,
    pub damages: Vec<Damage>,
}

/// Every file below a directory, relative, without following links.
fn walk(root: &Path, below: &str, found: &mut Vec<(String, bool)>) -> Result<()> {
    let directory = root.join(below);
    let failed = |e| Error::io(&directory, "read", e);
    for entry in std::fs::read_dir(&directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = match below {
            "" => name,
            _ => format!("{below}/{name}"),
        };
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() {
            let before = found.len();
            walk(root, &path, found)?;
            if found.len() == before {
                found.push((format!("{path}/"), false));
            }
        } else {
            found.push((path, kind.is_file()));
        }
    }
    Ok(())
}

/// The manifest as its bytes say, if they are those that were written.
fn papers(corpus: &Corpus, damages: &mut Vec<Damage>) -> Result<Option<Manifest>> {
    let read = |path: &Path| match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io(path, "read", e)),
    };
    let manifest = read(&corpus.manifest())?;
    let success = read(&corpus.success())?;
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
fn file(root: &Path, entry: &FileEntry) -> Result<Option<Damage>> {
    let path = root.join(&entry.path);
    let meta = match std::fs::symlink_metadata(&path) {
        Err(e)
            if matches!(
                e.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(Some(damage(&entry.path, "a file", "nothing")));
        }
        other => other.map_err(|e| Error::io(&path, "look at", e))?,
    };
    if !meta.is_file() {
        return Ok(Some(damage(&entry.path, "a regular file", "another thing")));
    }
    if meta.len() != entry.bytes {
        return Ok(Some(damage(
            &entry.path,
            format!("{} bytes", entry.bytes),
            format!("{} bytes", meta.len()),
        )));
    }
    let found = digest(&path)?;
    Ok((found != entry.blake3).then(|| {
        damage(
            &entry.path,
            format!("BLAKE3 {}", entry.blake3),
            format!("BLAKE3 {found}"),
        )
    }))
}

/// Whether the manifest adds up with the plan.
fn counts(plan: &PlanFile, manifest: &Manifest, damages: &mut Vec<Damage>) {
    let wanted = to_json(&Manifest::new(plan, manifest.files.clone()));
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
    let rows: u64 = manifest
        .files
        .iter()
        .filter(|f| f.path.starts_with("events/"))
        .map(|f| f.rows)
        .sum();
    if rows != manifest.events {
        damages.push(damage(
            "manifest.json",
            format!("{} events in its files", manifest.events),
            rows.to_string(),
        ));
    }
    for shard in &plan.shards {
        let entry = manifest.files.iter().find(|f| f.path == shard.path);
        if let Some(entry) = entry
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
/// It is no finished corpus, or I/O.
pub fn integrity(root: &Path) -> Result<Integrity> {
    let corpus = Corpus::at(root);
    if !root.is_dir() {
        return Err(Error::input(
            root,
            None,
            "there is no such directory",
            "name the directory of a corpus that fusiongen wrote",
        ));
    }
    let mut damages = Vec::new();
    let manifest = papers(&corpus, &mut damages)?;
    let entries: &[FileEntry] = manifest.as_ref().map_or(&[], |m| &m.files);
    let broken: Vec<Option<Damage>> = entries
        .par_iter()
        .map(|entry| file(root, entry))
        .collect::<Result<_>>()?;
    damages.extend(broken.into_iter().flatten());
    if let Some(manifest) = &manifest {
        // A plan that isn't as written has been named already.
        match PlanFile::read(&corpus) {
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
        let mut there = Vec::new();
        walk(root, "", &mut there)?;
        for (path, is_file) in there {
            if !known.contains(path.as_str()) {
                damages.push(damage(&path, "nothing", "a file that no manifest lists"));
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
