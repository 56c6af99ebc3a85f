//! CSV files of alerts, with any common separator.

use std::borrow::Cow;
use std::io::{BufRead, Read};
use std::path::Path;

use super::compressed::{fault, text};
use super::{Each, Sheet, SheetFormat};
use crate::error::{Error, Result};
use crate::grounding::alerts_db::columns::{Layout, known};
use crate::grounding::alerts_db::value::Value;

/// Maximum length of a header, and of a quoted cell in it.
const HEADER: u64 = 1 << 20;

/// The separator that gives the most columns with a known name.
pub(super) fn open(path: &Path) -> Result<Sheet> {
    let (declared, header) = first_lines(path)?;
    let mut best: Option<(usize, u8, Vec<String>)> = None;
    let separators = match declared {
        Some(separator) => vec![separator],
        None => vec![b',', b';', b'\t', b'|'],
    };
    for separator in separators {
        let mut reader = builder(separator).from_reader(header.as_slice());
        let mut record = ::csv::ByteRecord::new();
        if !reader
            .read_byte_record(&mut record)
            .is_ok_and(|found| found)
        {
            continue;
        }
        let names: Vec<String> = record
            .iter()
            .map(|name| decoded(name).trim().to_string())
            .collect();
        let score = known(&names);
        if best.as_ref().is_none_or(|(most, _, _)| score > *most) {
            best = Some((score, separator, names));
        }
    }
    let Some((_, separator, columns)) = best else {
        return Err(Error::input(
            path,
            Some("line 1".to_string()),
            "is not a CSV header",
            "give a file whose first line names the columns",
        ));
    };
    let origin = SheetFormat::Csv { separator };
    Ok(Sheet::of_file(path, columns, Layout::Plain, origin))
}

fn builder(separator: u8) -> ::csv::ReaderBuilder {
    let mut builder = ::csv::ReaderBuilder::new();
    builder
        .delimiter(separator)
        .has_headers(false)
        .flexible(true);
    builder
}

/// Skips `#TYPE …` and `sep=X` lines; returns the separator of the latter.
fn skip_marks(reader: &mut impl BufRead, path: &Path) -> Result<(Option<u8>, Vec<u8>)> {
    let mut declared = None;
    loop {
        let mut line = Vec::new();
        let read = reader
            .by_ref()
            .take(HEADER)
            .read_until(b'\n', &mut line)
            .map_err(|source| fault(path, source))?;
        let bare = line.trim_ascii();
        if read > 0 && (bare.is_empty() || bare.starts_with(b"#TYPE")) {
            continue;
        }
        let is_mark = bare
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"sep="));
        if let (true, Some(&separator)) = (is_mark, bare.get(4)) {
            declared = Some(separator);
            continue;
        }
        return Ok((declared, line));
    }
}

fn first_lines(path: &Path) -> Result<(Option<u8>, Vec<u8>)> {
    let mut reader = text(path)?;
    let (declared, mut header) = skip_marks(&mut reader, path)?;
    // A quoted name may contain line breaks.
    while header.iter().filter(|&&byte| byte == b'"').count() % 2 == 1
        && (header.len() as u64) < HEADER
        && reader
            .by_ref()
            .take(HEADER)
            .read_until(b'\n', &mut header)
            .map_err(|source| fault(path, source))?
            > 0
    {}
    Ok((declared, header))
}

/// Decodes UTF-8, else Windows-1252, in which every byte is valid.
fn decoded(cell: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(cell) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => {
            encoding_rs::WINDOWS_1252
                .decode_without_bom_handling(cell)
                .0
        }
    }
}

pub(super) fn visit(sheet: &Sheet, separator: u8, wanted: &[usize], each: Each<'_>) -> Result<()> {
    let path = &sheet.path;
    let mut reader = text(path)?;
    let (_, header) = skip_marks(&mut reader, path)?;
    let mut reader = builder(separator).from_reader(std::io::Cursor::new(header).chain(reader));
    let mut record = ::csv::ByteRecord::new();
    let mut is_header = true;
    loop {
        let found = reader.read_byte_record(&mut record).map_err(|source| {
            let line = source.position().map(|at| format!("line {}", at.line()));
            match source.into_kind() {
                ::csv::ErrorKind::Io(source) => fault(path, source),
                kind => Error::input(
                    path,
                    line,
                    format!("is not CSV: {kind:?}"),
                    "export it again",
                ),
            }
        })?;
        if !found {
            return Ok(());
        }
        if std::mem::take(&mut is_header) || record.iter().all(|cell| cell.trim_ascii().is_empty())
        {
            continue;
        }
        let cells: Vec<Value<'_>> = wanted
            .iter()
            .map(|&column| match record.get(column).map(<[u8]>::trim_ascii) {
                None | Some([]) => Value::Null,
                Some(cell) => Value::Text(decoded(cell)),
            })
            .collect();
        if !each(&cells) {
            return Ok(());
        }
    }
}
