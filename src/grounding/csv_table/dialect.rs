//! Lines before the header, and the delimiter.

use super::encoding;
use super::vocabulary::{Vocabulary, plain_name};

/// Delimiters that tools use, most common first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Offset of the header, and the delimiter of a `sep=` line.
pub(super) struct Preamble {
    pub start: usize,
    pub delimiter: Option<u8>,
}

/// Skips PowerShell's `#TYPE …` line, Excel's `sep=;` line and blank lines.
pub(super) fn preamble(bytes: &[u8]) -> Preamble {
    let mut found = Preamble {
        start: 0,
        delimiter: None,
    };
    loop {
        let rest = bytes.get(found.start..).unwrap_or_default();
        let end = rest
            .iter()
            .position(|byte| matches!(byte, b'\n' | b'\r'))
            .unwrap_or(rest.len());
        let line = rest.get(..end).unwrap_or_default();
        let line = line.strip_prefix(b"\"").unwrap_or(line);
        let starts = |mark: &[u8]| {
            let head = line.get(..mark.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(mark))
        };
        if starts(b"sep=") {
            let delimiter = match line.get(4..) {
                Some([b'\\', b't', ..]) => Some(b'\t'),
                Some([byte, ..]) if byte.is_ascii() && *byte != b'"' => Some(*byte),
                _ => None,
            };
            found.delimiter = delimiter.or(found.delimiter);
        } else if !(starts(b"#type") || line.trim_ascii().is_empty() && end < rest.len()) {
            return found;
        }
        // Remove at most one CRLF; further bytes are a blank line.
        found.start += (end + 1).min(rest.len());
        if found.start >= bytes.len() {
            return found;
        }
    }
}

/// A header, split at one delimiter.
pub(super) struct Header {
    pub delimiter: u8,
    pub names: Vec<String>,
    /// The indices of each column's headings, best first.
    pub candidates: Vec<Vec<usize>>,
    /// Number of headings that are not UTF-8.
    pub foreign: bool,
}

/// The header with the delimiter that finds the most columns; `None` if there is no record.
pub(super) fn header(
    bytes: &[u8],
    named: Option<u8>,
    vocabulary: &Vocabulary,
    mandatory: &[usize],
) -> Option<Header> {
    let usual = DELIMITERS.iter().copied();
    let all: Vec<u8> = named.map_or_else(|| usual.collect(), |delimiter| vec![delimiter]);
    let mut best: Option<((usize, usize, usize), Header)> = None;
    for delimiter in all {
        let Some(header) = under(bytes, delimiter, vocabulary) else {
            continue;
        };
        let is_found = |at: &usize| header.candidates.get(*at).is_some_and(|it| !it.is_empty());
        let score = (
            mandatory.iter().filter(|at| is_found(at)).count(),
            header.candidates.iter().filter(|it| !it.is_empty()).count(),
            header.names.len(),
        );
        if best.as_ref().is_none_or(|(most, _)| score > *most) {
            best = Some((score, header));
        }
    }
    best.map(|(_, header)| header)
}

fn under(bytes: &[u8], delimiter: u8, vocabulary: &Vocabulary) -> Option<Header> {
    let mut reader = super::reader(bytes, delimiter);
    let mut record = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).ok()? {
        if super::is_blank(&record) {
            continue;
        }
        let mut foreign = false;
        let mut names = Vec::with_capacity(record.len());
        for cell in &record {
            let (name, odd) = encoding::text(cell);
            foreign |= odd;
            names.push(name.trim().to_string());
        }
        let plain: Vec<String> = names.iter().map(|name| plain_name(name)).collect();
        return Some(Header {
            delimiter,
            names,
            candidates: vocabulary.places(&plain),
            foreign,
        });
    }
    None
}

/// The name of a delimiter in messages.
pub(super) fn spoken(delimiter: u8) -> String {
    match delimiter {
        b',' => "commas".to_string(),
        b';' => "semicolons".to_string(),
        b'\t' => "tabs".to_string(),
        b'|' => "vertical bars".to_string(),
        other => format!("`{}`", char::from(other).escape_default()),
    }
}
