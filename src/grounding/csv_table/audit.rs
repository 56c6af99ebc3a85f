//! What was left out of a table and what was mended, for one note each.

use std::collections::BTreeMap;

use super::Source;
use crate::{Error, Result};

/// How many lines a note names for each reason.
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

    /// `no usable address (4; lines 17, 20, 33, …), doubled name (1; line 41)`.
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

/// Counts the odd rows of one file. Under `strict` the first of them is refused instead.
pub(crate) struct Audit<'a> {
    source: Source<'a>,
    strict: bool,
    /// All rows of the file that are not blank.
    pub rows: u64,
    left_out: Reasons,
    out: u64,
    mended: Reasons,
    mended_rows: u64,
    last_mended: u64,
    /// What else to say.
    pub notes: Vec<String>,
}

impl<'a> Audit<'a> {
    pub fn new(source: Source<'a>, strict: bool) -> Self {
        Audit {
            source,
            strict,
            rows: 0,
            left_out: Reasons::default(),
            out: 0,
            mended: Reasons::default(),
            mended_rows: 0,
            last_mended: 0,
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

    /// A row that cannot be used; `problem` and `remedy` are the refusal's.
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

    /// A row that the table is right to have, and that is not meant here.
    pub fn not_meant(&mut self, line: u64, reason: &'static str) {
        self.left_out.add(reason, line);
        self.out += 1;
    }

    /// A value that has one meaning although it is not in the expected form.
    pub fn mend(
        &mut self,
        line: u64,
        what: &'static str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Result<()> {
        if self.strict {
            return Err(self.source.fault(line, problem, remedy));
        }
        self.mended.add(what, line);
        self.mended_rows += u64::from(self.last_mended != line);
        self.last_mended = line;
        Ok(())
    }

    /// Whether `value` is new. A doubled one leaves the row out. `seen` maps values without
    /// case to lines.
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

    /// Why no row is left.
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
        if self.mended_rows > 0 {
            notes.push(format!(
                "{file}: {} of {rows} rows mended: {}",
                self.mended_rows,
                self.mended.spoken()
            ));
        }
        notes
    }
}
