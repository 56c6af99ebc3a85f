//! Whether the metadata of a table lists the corpus's event files.

use std::collections::BTreeMap;

use super::audits::{Audit, Tallies};
use super::facts::Facts;
use crate::corpus::{Corpus, EventPath, FileEntry};
use crate::error::Result;
use crate::plan::Table;
use crate::sink::table::{ListedFile, read};

/// Compares what the table lists with the manifest.
///
/// # Errors
/// The table's metadata is missing or damaged.
pub fn audit(facts: &Facts, corpus: &Corpus, tallies: &mut Tallies) -> Result<()> {
    let config = &facts.plan.config;
    if config.table == Table::None {
        return Ok(());
    }
    let prefix = corpus
        .location(config)?
        .map_or(String::new(), |location| format!("{location}/"));
    let mut listed: BTreeMap<String, Vec<ListedFile>> = BTreeMap::new();
    for file in read(config.table, corpus)? {
        listed.entry(file.path.clone()).or_default().push(file);
    }
    let events = facts.manifest.files.iter();
    for expected in events.filter_map(|entry| expected(entry, &prefix)) {
        let found = listed.remove(&expected.path).unwrap_or_default();
        tallies.tried(Audit::TableFiles, found == [expected.clone()], || {
            (None, shown(&[expected]), shown(&found))
        });
    }
    for found in listed.into_values() {
        let expected = match prefix.is_empty() {
            true => "no file that the manifest does not list".into(),
            false => format!(
                "files in {prefix}; fusiongen finish writes the table of a moved corpus again"
            ),
        };
        tallies.tried(Audit::TableFiles, false, || (None, expected, shown(&found)));
    }
    Ok(())
}

/// An event file as the table should list it; none for other files.
fn expected(entry: &FileEntry, prefix: &str) -> Option<ListedFile> {
    let EventPath { date, category } = EventPath::parse(&entry.path)?;
    Some(ListedFile {
        path: format!("{prefix}{}", entry.path.strip_prefix("events/")?),
        date: Some(date.into()),
        category: category.map(str::to_string),
        rows: entry.rows,
        bytes: entry.bytes,
    })
}

fn shown(files: &[ListedFile]) -> String {
    let of = |file: &ListedFile| {
        let (date, category) = (file.date.as_deref(), file.category.as_deref());
        format!(
            "{} of {}, {}: {} rows, {} bytes",
            crate::grounding::shown(&file.path),
            crate::grounding::shown(date.unwrap_or("no date")),
            crate::grounding::shown(category.unwrap_or("no category")),
            file.rows,
            file.bytes
        )
    };
    match files {
        [] => "nothing".into(),
        [file] => of(file),
        [file, ..] => format!("{} times {}", files.len(), of(file)),
    }
}
