//! Rows of a corpus's tables, and changes of single cells.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use serde_json::Value;

use super::common::falsify::{File, set};

/// A row: the index of its file, its index in the file, its values.
pub type Row = (usize, usize, Value);

/// The rows of a table of a corpus.
pub struct Rows {
    pub rows: Vec<Row>,
}

/// One cell's new value.
pub struct Cell {
    pub file: usize,
    pub row: usize,
    pub path: &'static str,
    pub value: Value,
}

pub fn at<'v>(row: &'v Value, path: &str) -> &'v Value {
    path.split('.').fold(row, |value, name| &value[name])
}

pub fn text<'v>(row: &'v Value, path: &str) -> &'v str {
    at(row, path).as_str().unwrap_or("")
}

pub fn number(row: &Value, path: &str) -> i64 {
    at(row, path).as_i64().unwrap_or(-1)
}

pub const DATA: &str = "winlog.event_data.";

pub fn data<'v>(row: &'v Value, name: &str) -> &'v str {
    text(row, &format!("{DATA}{name}"))
}

pub fn id(row: &Value) -> i64 {
    number(row, "winlog.event_id")
}

impl Rows {
    pub fn read(root: &Path, table: &str) -> Self {
        let files = File::below(root, table);
        let mut rows = Vec::new();
        for (file, content) in files.iter().enumerate() {
            let mut number = 0;
            for batch in &content.batches {
                for row in 0..batch.num_rows() {
                    let map = fusiongen::sink::json::row(batch, row);
                    rows.push((file, number, Value::Object(map)));
                    number += 1;
                }
            }
        }
        Rows { rows }
    }

    /// The first row that matches.
    pub fn first(&self, wanted: impl Fn(&Value) -> bool) -> &Row {
        let found = self.rows.iter().find(|(_, _, row)| wanted(row));
        found.expect("the corpus has no row to falsify")
    }

    /// A change of one cell in the first row that matches.
    pub fn one(
        &self,
        wanted: impl Fn(&Value) -> bool,
        path: &'static str,
        value: impl Fn(&Value) -> Value,
    ) -> Vec<Cell> {
        let (file, row, values) = self.first(wanted);
        vec![cell((*file, *row), path, value(values))]
    }

    /// The same change in the first rows that match, at most `most`.
    pub fn many(
        &self,
        most: usize,
        wanted: impl Fn(&Value) -> bool,
        path: &'static str,
        value: Value,
    ) -> Vec<Cell> {
        let rows = self.rows.iter().filter(|(_, _, row)| wanted(row));
        let cells: Vec<Cell> = rows
            .take(most)
            .map(|(file, row, _)| cell((*file, *row), path, value.clone()))
            .collect();
        assert!(!cells.is_empty(), "the corpus has no row to falsify");
        cells
    }

    /// The first two rows with the same key for which `wanted` is true.
    pub fn pair<K: Ord>(
        &self,
        key: impl Fn(&Value) -> Option<K>,
        wanted: impl Fn(&Value, &Value) -> bool,
    ) -> (&Row, &Row) {
        let mut before: BTreeMap<K, Vec<&Row>> = BTreeMap::new();
        for row in &self.rows {
            let Some(key) = key(&row.2) else { continue };
            let group = before.entry(key).or_default();
            if let Some(first) = group.iter().find(|first| wanted(&first.2, &row.2)) {
                return (first, row);
            }
            group.push(row);
        }
        panic!("the corpus has no two rows to falsify");
    }
}

pub fn cell((file, row): (usize, usize), path: &'static str, value: Value) -> Cell {
    Cell {
        file,
        row,
        path,
        value,
    }
}

/// Applies the changes, and returns the original content of each file.
pub fn falsify(root: &Path, table: &str, cells: &[Cell]) -> Vec<(PathBuf, Vec<u8>)> {
    let files = File::below(root, table);
    let mut by_file: BTreeMap<usize, Vec<&Cell>> = BTreeMap::new();
    for cell in cells {
        by_file.entry(cell.file).or_default().push(cell);
    }
    let mut before = Vec::new();
    for (file, cells) in by_file {
        let file = &files[file];
        before.push((file.path.clone(), std::fs::read(&file.path).unwrap()));
        let mut batches: Vec<RecordBatch> = file.batches.clone();
        for cell in cells {
            let (mut batch, mut row) = (0, cell.row);
            while row >= batches[batch].num_rows() {
                row -= batches[batch].num_rows();
                batch += 1;
            }
            batches[batch] = set(&batches[batch], cell.path, row, &cell.value);
        }
        file.write(&batches);
    }
    before
}
