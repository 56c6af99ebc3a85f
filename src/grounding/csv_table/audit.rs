//! Counts the rows that were left out or repaired, for one note each.

use std::collections::BTreeMap;

use super::CsvSource;
use crate::error::{Error, Result};

/// Maximum number of lines that a note lists per reason.
const LINES: usize = 3;

#[derive(Default)]
struct Reasons(Vec<(&'static str, u64, Vec<u64>)>);

impl Reasons {
    fn add(&mut self, reason: &'static str, line: u64) {
        let at = self.0.iter().position(|it| it.0 == reason);
        let at = at.unwrap_or_else(|| {
            self.0.push((reason, 0, Vec::new()));
            self.0.len() - 1
        });
        if let Some((_, count, lines)) = self.0.get_mut(at) {
            *count += 1;
            if lines.len() < LINES && lines.last() != Some(&line) {
                lines.push(line);
            }
        }
    }

    /// `no usable address (4; lines 17, 20, 33, …), duplicate name (1; line 41)`.
    fn spoken(&self) -> String {
        let of_reason = |(reason, count, lines): &(&'static str, u64, Vec<u64>)| {
            let numbers: Vec<String> = lines.iter().map(u64::to_string).collect();
            let word = if *count == 1 { "line" } else { "lines" };
            let more = match *count > lines.len() as u64 {
                true => ", …",
                false => "",
            };
            format!("{reason} ({count}; {word} {}{more})", numbers.join(", "))
        };
        let all: Vec<String> = self.0.iter().map(of_reason).collect();
        all.join(", ")
    }
}

/// Counts the malformed rows of one file. If `strict`, the first of them is an error instead.
pub(crate) struct RowAudit<'a> {
    source: CsvSource<'a>,
    strict: bool,
    /// Number of non-blank rows in the file.
    pub rows: u64,
    left_out: Reasons,
    out: u64,
    repaired: Reasons,
    repaired_rows: u64,
    last_repaired: u64,
    /// Other notes.
    pub notes: Vec<String>,
}

impl<'a> RowAudit<'a> {
    pub fn new(source: CsvSource<'a>, strict: bool) -> Self {
        RowAudit {
            source,
            strict,
            rows: 0,
            left_out: Reasons::default(),
            out: 0,
            repaired: Reasons::default(),
            repaired_rows: 0,
            last_repaired: 0,
            notes: Vec::new(),
        }
    }

    /// The error at a line.
    pub fn refusal(
        &self,
        line: u64,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Error {
        self.source.fault(line, problem, remedy)
    }

    /// Leaves out an unusable row. If strict, returns an error with `problem` and `remedy`.
    pub fn leave_out(
        &mut self,
        line: u64,
        reason: &'static str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Result<()> {
        if self.strict {
            return Err(self.source.fault(line, problem, remedy));
        }
        self.not_meant(line, reason);
        Ok(())
    }

    /// Leaves out a valid row that is irrelevant here; not an error in strict mode.
    pub fn not_meant(&mut self, line: u64, reason: &'static str) {
        self.left_out.add(reason, line);
        self.out += 1;
    }

    /// Records a repaired value: it has a single meaning, but not the expected form.
    pub fn repair(
        &mut self,
        line: u64,
        what: &'static str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Result<()> {
        if self.strict {
            return Err(self.source.fault(line, problem, remedy));
        }
        self.repaired.add(what, line);
        self.repaired_rows += u64::from(self.last_repaired != line);
        self.last_repaired = line;
        Ok(())
    }

    /// Whether `value` is new. A row with a duplicate is left out. `seen` maps lower-case values to
    /// lines.
    pub fn is_new(
        &mut self,
        seen: &BTreeMap<String, u64>,
        (what, reason): (&str, &'static str),
        value: &str,
        line: u64,
    ) -> Result<bool> {
        let Some(before) = seen.get(&value.to_lowercase()) else {
            return Ok(true);
        };
        let shown = super::super::shown(value);
        self.leave_out(
            line,
            reason,
            format!("the {what} {shown} is already in line {before}"),
            "remove one of the two lines",
        )?;
        Ok(false)
    }

    /// The reasons why no row is left.
    pub fn reasons(&self) -> String {
        self.left_out.spoken()
    }

    /// All notes, each with the file's name.
    pub fn into_notes(self) -> Vec<String> {
        let file = self.source.name();
        let rows = self.rows;
        let mut notes: Vec<String> = self
            .notes
            .iter()
            .map(|note| format!("{file}: {note}"))
            .collect();
        if self.out > 0 {
            notes.push(format!(
                "{file}: {} of {rows} rows left out: {}",
                self.out,
                self.left_out.spoken()
            ));
        }
        if self.repaired_rows > 0 {
            notes.push(format!(
                "{file}: {} of {rows} rows repaired: {}",
                self.repaired_rows,
                self.repaired.spoken()
            ));
        }
        notes
    }
}
