//! The files that a table lists, read back from its metadata.

use std::path::Path;

use chrono::NaiveDate;
use serde_json::Value;

use super::delta::{Add, LOG};
use super::iceberg::{METADATA, avro};
use crate::corpus::Corpus;
use crate::error::{Error, Result};
use crate::plan::Table;

/// A file as a table lists it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListedFile {
    /// As the table names it: relative to `events/` in Delta, absolute in Iceberg.
    pub path: String,
    pub date: Option<String>,
    pub category: Option<String>,
    pub rows: u64,
    pub bytes: u64,
}

/// Reads what the table of a corpus lists, in its order.
///
/// # Errors
/// Its metadata is missing or cannot be read.
pub fn read(table: Table, corpus: &Corpus) -> Result<Vec<ListedFile>> {
    match table {
        Table::None => Ok(Vec::new()),
        Table::Delta => delta(corpus),
        Table::Iceberg => iceberg(corpus),
    }
}

/// Path of a file of the table, relative to the corpus; it is named relative to `events/`.
fn relative(name: &str) -> String {
    format!("events/{name}")
}

fn contents(corpus: &Corpus, relative: &str) -> Result<Vec<u8>> {
    let path = &corpus.root.join(relative);
    corpus.read(relative).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::input(
            path,
            None,
            "the table's metadata needs this file, but it does not exist",
            "run the same fusiongen generate again: it writes the table again",
        ),
        _ => Error::io(path, "read", e),
    })
}

fn broken(path: &Path, problem: impl Into<String>) -> Error {
    Error::input(
        path,
        None,
        format!(
            "this is not metadata that fusiongen wrote: {}",
            problem.into()
        ),
        "remove the file and run the same fusiongen generate again: it writes the table again",
    )
}

fn delta(corpus: &Corpus) -> Result<Vec<ListedFile>> {
    let log = relative(LOG);
    let path = corpus.root.join(&log);
    let text = contents(corpus, &log)?;
    let lines = text.split(|byte| *byte == b'\n').filter(|l| !l.is_empty());
    let mut files = Vec::new();
    for (number, line) in lines.enumerate() {
        let at = |e: serde_json::Error| broken(&path, format!("line {}: {e}", number + 1));
        let mut action: Value = serde_json::from_slice(line).map_err(at)?;
        let Some(add) = action.get_mut("add") else {
            continue;
        };
        let add: Add = serde_json::from_value(add.take()).map_err(at)?;
        let stats: Value = serde_json::from_str(&add.stats).map_err(at)?;
        let partition = |name: &str| text_of(add.partition_values.get(name));
        files.push(ListedFile {
            date: partition("date"),
            category: partition("category"),
            rows: stats["numRecords"].as_u64().unwrap_or_default(),
            bytes: add.size,
            path: add.path,
        });
    }
    Ok(files)
}

fn text_of(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).map(str::to_string)
}

fn iceberg(corpus: &Corpus) -> Result<Vec<ListedFile>> {
    let metadata = relative(METADATA);
    let path = corpus.root.join(&metadata);
    let metadata: Value = serde_json::from_slice(&contents(corpus, &metadata)?)
        .map_err(|e| broken(&path, format!("line {}: {e}", e.line())))?;
    let location = text_of(metadata.get("location")).unwrap_or_default();
    let current = &metadata["current-snapshot-id"];
    let snapshots = metadata["snapshots"].as_array().into_iter().flatten();
    let list = snapshots
        .filter(|snapshot| snapshot["snapshot-id"] == *current)
        .find_map(|snapshot| text_of(snapshot.get("manifest-list")))
        .ok_or_else(|| broken(&path, "its snapshot has no manifest list"))?;
    let local = |uri: &str| {
        let inside = uri
            .strip_prefix(&location)
            .map(|p| p.trim_start_matches('/'));
        let inside = inside.ok_or_else(|| broken(&path, format!("{uri} is not in {location}")))?;
        Ok(relative(inside))
    };
    let mut files = Vec::new();
    for manifest in records(corpus, &local(&list)?)? {
        let uri = text_of(manifest.get("manifest_path")).unwrap_or_default();
        for entry in records(corpus, &local(&uri)?)? {
            let file = &entry["data_file"];
            let date = file["partition"]["date"].as_i64().and_then(date_of);
            files.push(ListedFile {
                path: text_of(file.get("file_path")).unwrap_or_default(),
                date,
                category: text_of(file["partition"].get("category")),
                rows: file["record_count"].as_u64().unwrap_or_default(),
                bytes: file["file_size_in_bytes"].as_u64().unwrap_or_default(),
            });
        }
    }
    Ok(files)
}

fn records(corpus: &Corpus, relative: &str) -> Result<Vec<Value>> {
    let read = avro::read(&contents(corpus, relative)?);
    read.map_err(|problem| broken(&corpus.root.join(relative), problem))
}

fn date_of(days: i64) -> Option<String> {
    let date = NaiveDate::default().checked_add_signed(chrono::Duration::try_days(days)?)?;
    Some(date.to_string())
}
