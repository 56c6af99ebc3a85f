//! Sizes of the files of a corpus by table, from manifest.json.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::corpus::Manifest;

/// The files of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sizes {
    /// `events`, `truth/chains`, `entities/assets.parquet`…
    pub table: String,
    pub files: u64,
    pub rows: u64,
    pub bytes: u64,
    /// Bytes of the smallest, the middle and the largest file.
    pub least: u64,
    pub median: u64,
    pub most: u64,
}

/// The table that a file belongs to; its own name for a single file.
fn table(path: &str) -> &str {
    match path.split_once("/date=") {
        Some((table, _)) => table,
        None => path,
    }
}

impl Sizes {
    /// The files of each table, in order of their paths.
    pub fn of(manifest: &Manifest) -> Vec<Sizes> {
        let mut tables: BTreeMap<&str, (u64, Vec<u64>)> = BTreeMap::new();
        for file in &manifest.files {
            let (rows, bytes) = tables.entry(table(&file.path)).or_default();
            *rows += file.rows;
            bytes.push(file.bytes);
        }
        let each = tables.into_iter().map(|(table, (rows, mut bytes))| {
            bytes.sort_unstable();
            let at = |index: usize| bytes.get(index).copied().unwrap_or_default();
            Sizes {
                table: table.into(),
                files: bytes.len() as u64,
                rows,
                bytes: bytes.iter().sum(),
                least: at(0),
                median: at(bytes.len() / 2),
                most: at(bytes.len().saturating_sub(1)),
            }
        });
        each.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_belong_to_the_table_before_their_date() {
        assert_eq!(
            table("events/date=2024-08-12/category=dns/part-0.parquet"),
            "events"
        );
        assert_eq!(
            table("truth/chains/date=2024-08-12/part-0.parquet"),
            "truth/chains"
        );
        assert_eq!(table("entities/users.parquet"), "entities/users.parquet");
    }
}
