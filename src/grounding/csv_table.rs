//! A CSV file with a header, as tools export it.
//!
//! Encodings, delimiters and headings differ between tools, so columns are found by
//! name. A line with a wrong number of fields is repaired if nothing is lost, and left out
//! otherwise. This module does not interpret columns.

mod audit;
mod dialect;
mod encoding;
mod vocabulary;

use std::path::Path;

pub(super) use audit::RowAudit;
pub(super) use vocabulary::{Vocabulary, plain_name, plain_words};

use super::{shown, shown_list};
use crate::error::{Error, Result};

/// The file, for messages.
#[derive(Clone, Copy)]
pub(super) struct CsvSource<'a> {
    pub path: &'a Path,
    /// The flag that names the file.
    pub flag: &'static str,
}

impl CsvSource<'_> {
    /// An error at a line.
    pub(super) fn fault(
        &self,
        line: u64,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Error {
        Error::input(self.path, format!("line {line}"), problem, remedy)
    }

    /// The file's name without its directories.
    pub(super) fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        shown(&name.to_string_lossy())
    }

    /// The error for an unusable file.
    pub(super) fn useless(&self, problem: impl Into<String>) -> Error {
        Error::input(
            self.path,
            None,
            problem,
            format!(
                "give {} a CSV file with a header and at least one row",
                self.flag
            ),
        )
    }
}

/// One line of the table.
pub(super) struct CsvRow<'s> {
    /// Line number in the file, from 1.
    pub line: u64,
    texts: &'s [String],
    candidates: &'s [Vec<usize>],
}

impl<'s> CsvRow<'s> {
    /// The non-empty cells under a column's headings, best heading first.
    pub(super) fn all(&self, column: usize) -> impl Iterator<Item = &'s str> {
        let texts = self.texts;
        let places = self.candidates.get(column).map_or(&[][..], Vec::as_slice);
        let cells = places.iter().filter_map(|at| texts.get(*at));
        cells.map(String::as_str).filter(|cell| !cell.is_empty())
    }

    /// The first cell, including line breaks.
    pub(super) fn raw(&self, column: usize) -> Option<&'s str> {
        self.all(column).next()
    }

    /// The first cell, on one line.
    pub(super) fn text(&self, column: usize) -> Option<String> {
        self.raw(column).map(one_line)
    }

    /// The cell at an index of the line.
    pub(super) fn at(&self, place: usize) -> Option<&'s str> {
        let cell = self.texts.get(place).map(String::as_str);
        cell.filter(|cell| !cell.is_empty())
    }
}

/// Collapses each run of white space to one blank.
pub(super) fn one_line(text: &str) -> String {
    match text.contains(char::is_control) {
        true => text.split_whitespace().collect::<Vec<_>>().join(" "),
        false => text.to_string(),
    }
}

/// What kind of file that is no text this is.
fn binary(bytes: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 5] = [
        (b"SQLite format 3\0", "an SQLite database"),
        (b"PK\x03\x04", "a ZIP archive or an Excel workbook"),
        (b"PAR1", "a Parquet file"),
        (b"\x1f\x8b", "compressed with gzip"),
        (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
    ];
    let known = KINDS.iter().find(|(start, _)| bytes.starts_with(start));
    // One in a later line is that row's fault.
    let first_line = bytes.iter().take_while(|byte| **byte != b'\n');
    let has_nul = || first_line.take(4096).any(|byte| *byte == 0);
    match known {
        Some((_, kind)) => Some(kind),
        None => has_nul().then_some("binary"),
    }
}

/// An open table with a parsed header. Its rows can be read more than once.
pub(super) struct CsvTable<'a> {
    source: CsvSource<'a>,
    vocabulary: &'a Vocabulary,
    mandatory: &'a [usize],
    bytes: Vec<u8>,
    start: usize,
    header: dialect::Header,
}

impl<'a> CsvTable<'a> {
    /// Reads the file and finds its columns. Rows without the mandatory ones are unusable.
    pub(super) fn open(
        source: CsvSource<'a>,
        vocabulary: &'a Vocabulary,
        mandatory: &'a [usize],
        strict: bool,
        audit: &mut RowAudit<'a>,
    ) -> Result<CsvTable<'a>> {
        let bytes = encoding::unmarked(super::read_file(source.path, source.flag)?);
        if let Some(kind) = binary(&bytes) {
            return Err(source.useless(format!("the file is {kind}, not text")));
        }
        let dialect::Preamble { start, delimiter } = dialect::preamble(&bytes);
        let table = bytes.get(start..).unwrap_or_default();
        let header = dialect::header(table, delimiter, vocabulary, mandatory)
            .ok_or_else(|| source.useless("the file is empty"))?;
        let line = Lines::new(&bytes).line_of(start);
        let sheet = CsvTable {
            source,
            vocabulary,
            mandatory,
            bytes,
            start,
            header,
        };
        if strict && sheet.header.foreign {
            return Err(sheet.not_utf8(line));
        }
        for column in mandatory {
            if sheet.places(*column).is_empty() {
                return Err(sheet.no_column(*column, line));
            }
        }
        sheet.say_doubled(line, strict, audit)?;
        Ok(sheet)
    }

    /// Indices of a column's headings, best first.
    pub(super) fn places(&self, column: usize) -> &[usize] {
        let candidates = &self.header.candidates;
        candidates.get(column).map_or(&[], Vec::as_slice)
    }

    /// The heading at an index.
    pub(super) fn heading(&self, place: usize) -> &str {
        self.header.names.get(place).map_or("", String::as_str)
    }

    fn no_column(&self, column: usize, line: u64) -> Error {
        let names = &self.header.names;
        let name = self.vocabulary.name(column);
        let heading = match self.vocabulary.nearest(column, names) {
            Some(heading) => format!("rename {} to {name}", shown(heading)),
            None => format!("name the column {name}"),
        };
        self.source.fault(
            line,
            format!("no column {name}; the columns are {}", shown_list(names)),
            format!(
                "{heading}; the header was read as separated by {}, and docs/grounding.md lists the known names",
                dialect::spoken(self.header.delimiter)
            ),
        )
    }

    fn say_doubled(&self, line: u64, strict: bool, audit: &mut RowAudit<'_>) -> Result<()> {
        let mut said: Vec<String> = Vec::new();
        for (column, places) in self.header.candidates.iter().enumerate() {
            for (index, pair) in places.windows(2).enumerate() {
                let [one, two] = pair else { continue };
                let plain = plain_name(self.heading(*one));
                if plain != plain_name(self.heading(*two)) || said.contains(&plain) {
                    continue;
                }
                if strict && index == 0 {
                    return Err(self.source.fault(
                        line,
                        format!("two columns are called {}", self.vocabulary.name(column)),
                        "remove or rename one of them",
                    ));
                }
                audit.notes.push(format!(
                    "two columns are called {}; the first that is not empty counts",
                    shown(self.heading(*one))
                ));
                said.push(plain);
            }
        }
        Ok(())
    }

    fn not_utf8(&self, line: u64) -> Error {
        self.source.fault(
            line,
            "is not valid UTF-8",
            "save the file as UTF-8 (it may be in Windows-1252 or Latin-1)",
        )
    }

    /// Calls `each` with every row, in file order. Blank lines are skipped.
    pub(super) fn rows(
        &self,
        strict: bool,
        audit: &mut RowAudit<'_>,
        mut each: impl FnMut(&CsvRow<'_>, &mut RowAudit<'_>) -> Result<()>,
    ) -> Result<()> {
        let table = self.bytes.get(self.start..).unwrap_or_default();
        let mut lines = Lines::new(&self.bytes);
        let mut reader = reader(table, self.header.delimiter);
        let mut record = csv::ByteRecord::new();
        let width = self.header.names.len();
        let mut is_wanted = vec![false; width];
        for place in self.header.candidates.iter().flatten() {
            if let Some(wanted) = is_wanted.get_mut(*place) {
                *wanted = true;
            }
        }
        let mut texts = vec![String::new(); width];
        let (mut last, mut is_header) = ((1, 0), true);
        let mut foreign = Foreign::default();
        while reader
            .read_byte_record(&mut record)
            .map_err(|error| self.csv_error(&error))?
        {
            let offset = self.start + record.position().map_or(0, csv::Position::byte) as usize;
            let line = lines.line_of(offset);
            last = (line, offset);
            if is_blank(&record) {
                continue;
            }
            if std::mem::take(&mut is_header) {
                foreign.add(self.header.foreign, line);
                continue;
            }
            audit.rows += 1;
            if !self.fits(&record, line, audit)? {
                continue;
            }
            let mut controls = None;
            for (place, text) in texts.iter_mut().enumerate() {
                text.clear();
                if is_wanted.get(place) != Some(&true) {
                    continue;
                }
                let (cell, odd) = encoding::text(record.get(place).unwrap_or_default());
                if odd && strict {
                    return Err(self.not_utf8(line));
                }
                foreign.add(odd, line);
                let trimmed = cell.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
                let is_break = |c: char| matches!(c, '\n' | '\r' | '\t');
                if strict && trimmed.contains(char::is_control) {
                    return Err(self.source.fault(
                        line,
                        format!(
                            "{} contains a line break or another control character",
                            shown(self.heading(place))
                        ),
                        "remove it; if the field is in quotes, check that they are closed",
                    ));
                }
                let keeps = |c: &char| !c.is_control() || is_break(*c);
                text.extend(trimmed.chars().filter(keeps));
                if text.len() < trimmed.len() {
                    controls = Some(place);
                }
            }
            if let Some(place) = controls {
                let heading = shown(self.heading(place));
                audit.repair(
                    line,
                    "control characters removed",
                    format!("{heading} contains a control character"),
                    "remove it",
                )?;
            }
            let row = CsvRow {
                line,
                texts: &texts,
                candidates: &self.header.candidates,
            };
            each(&row, audit)?;
        }
        self.closed(&mut lines, last)?;
        if audit.rows == 0 {
            return Err(self.source.useless("the file has a header but no rows"));
        }
        audit.notes.extend(foreign.note());
        Ok(())
    }

    /// Whether a line has the header's number of fields, or can be repaired without loss.
    fn fits(&self, record: &csv::ByteRecord, line: u64, audit: &mut RowAudit<'_>) -> Result<bool> {
        let width = self.header.names.len();
        if record.len() == width {
            return Ok(true);
        }
        let problem = format!("has {} fields where the header has {width}", record.len());
        let remedy =
            "give every line as many fields as the header; put fields with the delimiter in quotes";
        let is_empty = |cell: &[u8]| cell.trim_ascii().is_empty();
        let is_repairable = match record.len() > width {
            true => record.iter().skip(width).all(is_empty),
            // The line has at least one heading of every mandatory column.
            false => self.mandatory.iter().all(|column| {
                let places = self.places(*column);
                places.iter().any(|place| *place < record.len())
            }),
        };
        if is_repairable {
            let what = match record.len() > width {
                true => "extra empty fields dropped",
                false => "missing fields at the end treated as empty",
            };
            audit.repair(line, what, problem, remedy)?;
        } else {
            audit.leave_out(line, "wrong number of fields", problem, remedy)?;
        }
        Ok(is_repairable)
    }

    /// Reports an unclosed quote, which would extend a field to the end of the file.
    fn closed(&self, lines: &mut Lines<'_>, (line, offset): (u64, usize)) -> Result<()> {
        let rest = self.bytes.get(offset..).unwrap_or_default();
        let quotes = rest.iter().filter(|byte| **byte == b'"').count();
        let end = self.bytes.trim_ascii_end().len();
        if quotes % 2 == 1 && lines.line_of(end) > line {
            return Err(self.source.fault(
                line,
                "a quote is opened and never closed",
                "close it, or write a quote within a field twice",
            ));
        }
        Ok(())
    }

    fn csv_error(&self, error: &csv::Error) -> Error {
        let line = error.position().map_or(1, csv::Position::line);
        self.source
            .fault(line, format!("is not CSV: {error}"), "export it again")
    }
}

/// Counts cells that are not UTF-8.
#[derive(Default)]
struct Foreign {
    cells: u64,
    first: u64,
}

impl Foreign {
    fn add(&mut self, is_foreign: bool, line: u64) {
        if is_foreign {
            self.cells += 1;
            if self.first == 0 {
                self.first = line;
            }
        }
    }

    fn note(&self) -> Option<String> {
        let Foreign { cells, first } = self;
        let (word, were) = match cells {
            1 => ("cell is", "was"),
            _ => ("cells are", "were"),
        };
        (*cells > 0).then(|| {
            format!(
                "{cells} {word} not UTF-8 and {were} read as Windows-1252; the first is in line {first}"
            )
        })
    }
}

fn reader(bytes: &[u8], delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(bytes)
}

fn is_blank(record: &csv::ByteRecord) -> bool {
    record.iter().all(|cell| cell.trim_ascii().is_empty())
}

/// Line numbers of ascending offsets. The reader's own count ignores blank lines, and the
/// second half of a CRLF, before a record.
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

    /// The line of the first byte at or after `offset` that is not a line end.
    fn line_of(&mut self, offset: usize) -> u64 {
        while let Some(byte) = self.bytes.get(self.at) {
            let is_end = matches!(byte, b'\n' | b'\r');
            if self.at >= offset && !is_end {
                break;
            }
            let is_half = *byte == b'\r' && self.bytes.get(self.at + 1) == Some(&b'\n');
            self.line += u64::from(is_end && !is_half);
            self.at += 1;
        }
        self.line
    }
}
