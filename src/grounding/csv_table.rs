//! A CSV file with a header, read strictly.
//!
//! Exports of directories and CMDBs differ in names and order of columns, so columns
//! are found by name; what is ragged, doubled or not UTF-8 is refused with its line.
//! It knows no column's meaning.

use std::collections::BTreeMap;
use std::path::Path;

use crate::{Error, Result};

/// A column that a reader wants.
pub(super) struct Column {
    /// What to call it in messages.
    pub name: &'static str,
    /// Accepted names, the best first; lower case, letters and digits only.
    pub aliases: &'static [&'static str],
    pub mandatory: bool,
}

/// A row's cells in the order of the wanted columns, trimmed.
pub(super) struct Row {
    /// Counted from 1, in the file.
    pub line: u64,
    /// `None` where the column is absent or the cell is blank.
    pub cells: Vec<Option<String>>,
}

impl Row {
    /// Takes a cell out.
    pub(super) fn take(&mut self, index: usize) -> Option<String> {
        self.cells.get_mut(index).and_then(Option::take)
    }
}

/// A file being read, for its error messages.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub path: &'a Path,
    /// The option that named the file.
    pub flag: &'static str,
}

impl Source<'_> {
    /// An error at a line.
    pub(super) fn fault(
        &self,
        line: u64,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Error {
        Error::input(self.path, format!("line {line}"), problem, remedy)
    }

    /// The cell that a row cannot do without.
    pub(super) fn required(&self, row: &mut Row, index: usize, name: &str) -> Result<String> {
        row.take(index).ok_or_else(|| {
            self.fault(
                row.line,
                format!("{name} is empty"),
                format!("fill {name} in, or remove the line"),
            )
        })
    }

    /// Reads all rows. Blank lines are skipped.
    pub(super) fn read(&self, wanted: &[Column]) -> Result<Vec<Row>> {
        let bytes = super::read_file(self.path, self.flag)?;
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(self.fault(
                1,
                "the file is UTF-16",
                "save it as UTF-8 (PowerShell: Export-Csv -Encoding UTF8)",
            ));
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let mut lines = Lines::new(bytes);
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(bytes);
        let mut record = csv::ByteRecord::new();
        let mut header: Option<(usize, Vec<Option<usize>>, Vec<String>)> = None;
        let mut rows = Vec::new();
        let mut last_line = 1;
        while reader
            .read_byte_record(&mut record)
            .map_err(|source| self.csv_error(&source))?
        {
            let start = record.position().map_or(0, csv::Position::byte);
            let line = lines.line_of(start as usize);
            last_line = line;
            if record.iter().all(|cell| cell.trim_ascii().is_empty()) {
                continue;
            }
            let Some((width, positions, names)) = &header else {
                let names = self.texts(&record, line)?;
                let positions = self.locate(&names, wanted, line)?;
                header = Some((names.len(), positions, names));
                continue;
            };
            if record.len() != *width {
                return Err(self.fault(
                    line,
                    format!("has {} fields where the header has {width}", record.len()),
                    "give every line as many fields as the header; put fields with commas in quotes",
                ));
            }
            let texts = self.texts(&record, line)?;
            let mut cells = Vec::with_capacity(wanted.len());
            for position in positions {
                let cell = position.map(|at| texts[at].as_str()).unwrap_or_default();
                if cell.chars().any(char::is_control) {
                    let name = position
                        .map(|at| super::shown(&names[at]))
                        .unwrap_or_default();
                    return Err(self.fault(
                        line,
                        format!("{name} holds a line break or another control character"),
                        "remove it; if the field is in quotes, see that they are closed",
                    ));
                }
                cells.push((!cell.is_empty()).then(|| cell.to_string()));
            }
            rows.push(Row { line, cells });
        }
        // A quote left open swallows everything to the end of the file.
        let quotes = bytes.iter().filter(|byte| **byte == b'"').count();
        if quotes % 2 == 1 && record_spans_lines(bytes, &mut lines, last_line) {
            return Err(self.fault(
                last_line,
                "a quote is opened and never closed",
                "close it, or write a quote within a field twice",
            ));
        }
        let empty = |problem: &str| {
            Err(Error::input(
                self.path,
                None,
                problem,
                format!(
                    "give {} a CSV file with a header and at least one line",
                    self.flag
                ),
            ))
        };
        match header {
            None => empty("the file is empty"),
            Some(_) if rows.is_empty() => empty("there is a header and nothing else"),
            Some(_) => Ok(rows),
        }
    }

    fn texts(&self, record: &csv::ByteRecord, line: u64) -> Result<Vec<String>> {
        record
            .iter()
            .map(|cell| match std::str::from_utf8(cell) {
                Ok(text) => Ok(text.trim().to_string()),
                Err(_) => Err(self.fault(
                    line,
                    "is not valid UTF-8",
                    "save the file as UTF-8 (it may be in Windows-1252 or Latin-1)",
                )),
            })
            .collect()
    }

    /// The position of each wanted column.
    fn locate(&self, names: &[String], wanted: &[Column], line: u64) -> Result<Vec<Option<usize>>> {
        let plain: Vec<String> = names.iter().map(|name| plain_name(name)).collect();
        let mut positions = Vec::with_capacity(wanted.len());
        for column in wanted {
            let best = column
                .aliases
                .iter()
                .find(|alias| plain.iter().any(|name| name == *alias));
            let Some(best) = best else {
                if column.mandatory {
                    return Err(self.fault(
                        line,
                        format!(
                            "no column {}; the columns are {}",
                            column.name,
                            super::shown_list(names)
                        ),
                        format!(
                            "name the column {} (fields are separated by commas)",
                            column.name
                        ),
                    ));
                }
                positions.push(None);
                continue;
            };
            let mut found = plain.iter().enumerate().filter(|(_, name)| name == best);
            let first = found.next().map(|(index, _)| index);
            if found.next().is_some() {
                return Err(self.fault(
                    line,
                    format!("two columns are called {}", column.name),
                    "remove or rename one of them",
                ));
            }
            positions.push(first);
        }
        Ok(positions)
    }

    fn csv_error(&self, source: &csv::Error) -> Error {
        let line = source.position().map_or(1, csv::Position::line);
        self.fault(line, format!("is not CSV: {source}"), "export it again")
    }

    /// Refuses a value that was there before. `seen` maps values without case to lines.
    pub(super) fn unique(
        &self,
        seen: &mut BTreeMap<String, u64>,
        what: &str,
        value: &str,
        line: u64,
    ) -> Result<()> {
        match seen.insert(value.to_lowercase(), line) {
            None => Ok(()),
            Some(before) => Err(self.fault(
                line,
                format!("the {what} {value} is already in line {before}"),
                "remove one of the two lines",
            )),
        }
    }
}

fn record_spans_lines(bytes: &[u8], lines: &mut Lines<'_>, start: u64) -> bool {
    lines.line_of(bytes.trim_ascii_end().len()) > start
}

fn plain_name(name: &str) -> String {
    name.chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// Line numbers of ascending offsets. The reader's own count does not see the blank
/// lines and the second half of CRLF before a record.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Lines {
            bytes,
            at: 0,
            line: 1,
        }
    }

    /// The line of the first byte at or after `offset` that ends no line.
    fn line_of(&mut self, offset: usize) -> u64 {
        let next_line = |bytes: &[u8], at: usize| {
            bytes[at] == b'\n' || (bytes[at] == b'\r' && bytes.get(at + 1) != Some(&b'\n'))
        };
        let end = self.bytes.len();
        while self.at < end && (self.at < offset || matches!(self.bytes[self.at], b'\n' | b'\r')) {
            self.line += u64::from(next_line(self.bytes, self.at));
            self.at += 1;
        }
        self.line
    }
}
