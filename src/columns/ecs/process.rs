//! Fields of `process.*`, `file.*` and `registry.*` that the `fusionai` schema does not have.

use std::ops::Range;

use arrow_array::{Array, ArrayRef, StringArray};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::tables::{EcsTables, HASHES, hash_part};
use super::{own_lists, parts};
use crate::columns::process::{COMMANDED, FILES, REGISTRY, START, command_of, guid};
use crate::columns::sysmon::file_hashes;
use crate::columns::windows::HASHED_FILE;
use crate::columns::words::WordTable;
use crate::columns::{Column, View, plain_texts, table};
use crate::frame::{NONE, ProcessColumns};
use crate::kinds::{Kinds, RECORDS, SYSMON, Telemetry as T, WINDOWS, field, kinds};

const CREATE: Kinds = kinds(&[T::ProcessCreation]);
/// Records that identify the process by more than its pid.
const IDENTIFIED: Kinds = RECORDS & (SYSMON | !WINDOWS);
/// Records with the hashes of a file.
const HASHED: Kinds = HASHED_FILE | field("Hash");
static VALUE_TYPES: WordTable = WordTable::new(&["REG_SZ", "REG_DWORD", "REG_QWORD", "REG_BINARY"]);

fn tables<'v>(v: &'v View<'_>) -> &'v EcsTables {
    v.tables.ecs(v.maker)
}

/// Appends the entity id of a row's process: the GUID on Windows; on Linux, a digest of host, pid and
/// start time.
fn entity(v: &View<'_>, process: &ProcessColumns, row: usize, out: &mut Vec<u8>) -> bool {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if !tables(v).is_linux[v.frame.host[row].index()] {
        return guid(v, process, row, out);
    }
    if !process.image[row].is_some() {
        return false;
    }
    let key = v
        .maker
        .world
        .host_key(v.frame.host[row])
        .with(u64::from(process.pid[row]))
        .with(process.start[row] as u64);
    for word in [key.at(0), key.at(1)] {
        out.extend((0..8).map(|i| DIGITS[(word >> (6 * i) & 63) as usize]));
    }
    true
}

/// `process.entity_id`.
pub fn entity_id(v: &View<'_>) -> Column {
    v.plain(IDENTIFIED, 38, |r, out| entity(v, &v.frame.process, r, out))
}
/// `process.parent.entity_id`.
pub fn parent_entity_id(v: &View<'_>) -> Column {
    v.plain(START & IDENTIFIED, 38, |r, out| {
        entity(v, &v.frame.parent, r, out)
    })
}

/// Appends the arguments of a command line, split as on the platform.
fn split(command: &str, windows: bool, out: &mut Vec<u8>, ends: &mut Vec<i32>) {
    if windows {
        split_windows(command.as_bytes(), out, ends);
    } else {
        split_shell(command, out, ends);
    }
}

/// Microsoft's rules: arguments are separated by blanks outside quotes, and a backslash only escapes
/// before a quote.
fn split_windows(command: &[u8], out: &mut Vec<u8>, ends: &mut Vec<i32>) {
    let mut at = 0;
    loop {
        while command.get(at).is_some_and(|c| matches!(c, b' ' | b'\t')) {
            at += 1;
        }
        if at == command.len() {
            return;
        }
        let mut quoted = false;
        while let Some(&c) = command.get(at) {
            match c {
                b' ' | b'\t' if !quoted => break,
                b'\\' => {
                    let count = command[at..].iter().take_while(|c| **c == b'\\').count();
                    at += count;
                    let before_quote = command.get(at) == Some(&b'"');
                    let kept = if before_quote { count / 2 } else { count };
                    out.resize(out.len() + kept, b'\\');
                    if before_quote && count % 2 == 1 {
                        out.push(b'"');
                        at += 1;
                    }
                }
                b'"' => {
                    if quoted && command.get(at + 1) == Some(&b'"') {
                        out.push(b'"');
                        at += 1;
                    }
                    quoted = !quoted;
                    at += 1;
                }
                c => {
                    out.push(c);
                    at += 1;
                }
            }
        }
        ends.push(out.len() as i32);
    }
}

/// The arguments that a shell passes to a program, as in `auditd.a0`…
fn split_shell(command: &str, out: &mut Vec<u8>, ends: &mut Vec<i32>) {
    for argument in crate::columns::linux::arguments(command) {
        out.extend_from_slice(argument.as_bytes());
        ends.push(out.len() as i32);
    }
}

/// The command lines of a frame's processes, each distinct one split once.
pub(in crate::columns) struct Split {
    text: Vec<u8>,
    /// End of each argument in `text`, after a leading 0.
    ends: Vec<i32>,
    /// Per row, the numbers of its arguments; empty without a command line.
    rows: Vec<Range<usize>>,
}

impl Split {
    fn new(v: &View<'_>, of: Kinds, process: &ProcessColumns) -> Self {
        let (t, column) = (tables(v), &process.command);
        let (mut text, mut ends) = (Vec::new(), vec![0]);
        // By key and platform.
        let lines = column.known as usize + column.own();
        let mut known: Vec<Option<Range<usize>>> = vec![None; 2 * lines];
        let rows = (0..v.len())
            .map(|row| {
                let Ok(key) = usize::try_from(column.key(row)) else {
                    return 0..0;
                };
                if !v.is(row, of) {
                    return 0..0;
                }
                let windows = !t.is_linux[v.frame.host[row].index()];
                let arguments = known[2 * key + usize::from(windows)].get_or_insert_with(|| {
                    let first = ends.len() - 1;
                    let command = command_of(v, process, row);
                    split(command, windows, &mut text, &mut ends);
                    first..ends.len() - 1
                });
                arguments.clone()
            })
            .collect();
        Split { text, ends, rows }
    }

    /// The command lines of the rows' processes.
    fn of_processes<'v>(v: &'v View<'_>) -> &'v Self {
        let split = || Split::new(v, COMMANDED, &v.frame.process);
        v.cache.split.get_or_init(split)
    }

    /// The command lines of the rows' parents.
    fn of_parents<'v>(v: &'v View<'_>) -> &'v Self {
        let split = || Split::new(v, START, &v.frame.parent);
        v.cache.parent_split.get_or_init(split)
    }

    /// Appends a row's arguments and their ends.
    fn push(&self, row: usize, out: &mut Vec<u8>, ends: &mut Vec<i32>) {
        let Range { start, end } = self.rows[row];
        let from = self.ends[start];
        let before = out.len() as i32;
        out.extend_from_slice(&self.text[from as usize..self.ends[end] as usize]);
        let own = &self.ends[start + 1..=end];
        ends.extend(own.iter().map(|at| before + at - from));
    }

    /// The number of a row's arguments; `None` without any.
    fn count(&self, row: usize) -> Option<i64> {
        let count = self.rows[row].len();
        (count > 0).then_some(count as i64)
    }
}

/// `process.args`.
pub fn args(v: &View<'_>) -> Column {
    own_lists(v, COMMANDED, |r, out, ends| {
        Split::of_processes(v).push(r, out, ends);
    })
}
/// `process.args_count`.
pub fn args_count(v: &View<'_>) -> Column {
    v.integers(COMMANDED, |r| Split::of_processes(v).count(r))
}
/// `process.parent.args`.
pub fn parent_args(v: &View<'_>) -> Column {
    own_lists(v, START, |r, out, ends| {
        Split::of_parents(v).push(r, out, ends);
    })
}
/// `process.parent.args_count`.
pub fn parent_args_count(v: &View<'_>) -> Column {
    v.integers(START, |r| Split::of_parents(v).count(r))
}

/// Appends one hash of `SHA1=…,MD5=…` in lower case.
fn push_hash(hashes: &[u8], name: &str, out: &mut Vec<u8>) {
    let hashes = std::str::from_utf8(hashes).unwrap_or_default();
    let hash = hash_part(hashes, name).unwrap_or_default();
    out.extend(hash.bytes().map(|b| b.to_ascii_lowercase()));
}

/// Dictionary values: a table of known hashes, then the frame's own. `parts` names the hashes to take.
fn hash_values(v: &View<'_>, known: &ArrayRef, parts: &[&str]) -> ArrayRef {
    let column = &v.frame.hashes;
    let own = column.own();
    let known_texts = match known.as_any().downcast_ref::<StringArray>() {
        Some(texts) if own > 0 => texts,
        _ => return known.clone(),
    };
    let mut bytes = known_texts.value_data().to_vec();
    let mut offsets = known_texts.value_offsets().to_vec();
    for part in parts {
        for hashes in column.own_texts() {
            push_hash(hashes.as_bytes(), part, &mut bytes);
            offsets.push(bytes.len() as i32);
        }
    }
    plain_texts(bytes, offsets, None)
}

fn hash(v: &View<'_>, which: usize) -> Column {
    if v.present & CREATE == 0 {
        return v.null_texts();
    }
    let values = hash_values(v, &tables(v).hashes[which], &HASHES[which..=which]);
    v.texts_of(CREATE, &values, |r| v.frame.hashes.key(r))
}

/// `process.hash.md5`.
pub fn md5(v: &View<'_>) -> Column {
    hash(v, 0)
}
/// `process.hash.sha1`.
pub fn sha1(v: &View<'_>) -> Column {
    hash(v, 1)
}
/// `process.hash.sha256`.
pub fn sha256(v: &View<'_>) -> Column {
    hash(v, 2)
}
/// `process.pe.imphash`.
pub fn imphash(v: &View<'_>) -> Column {
    hash(v, 3)
}

/// The hashes of the files of a frame's records, each distinct text parsed once.
pub(in crate::columns) struct FileHashes {
    /// The hashes in lower case, for each text in the order of [`HASHES`].
    bytes: Vec<u8>,
    /// End of each hash in `bytes`, after a leading 0.
    ends: Vec<usize>,
    /// Per row, the number of its first hash; 0 if it has none.
    first: Vec<usize>,
}

impl FileHashes {
    fn new(v: &View<'_>) -> Self {
        let mut known: HashMap<Vec<u8>, usize, FixedState> = HashMap::default();
        let (mut bytes, mut ends) = (Vec::new(), vec![0]);
        let mut text = Vec::new();
        let first = (0..v.len())
            .map(|row| {
                if !v.is(row, HASHED) {
                    return 0;
                }
                text.clear();
                file_hashes(v, row, &mut text);
                if let Some(first) = known.get(&text[..]) {
                    return *first;
                }
                let first = ends.len() - 1;
                for name in HASHES {
                    push_hash(&text, name, &mut bytes);
                    ends.push(bytes.len());
                }
                known.insert(text.clone(), first);
                first
            })
            .collect();
        FileHashes { bytes, ends, first }
    }

    fn of<'v>(v: &'v View<'_>) -> &'v Self {
        v.cache.file_hashes.get_or_init(|| FileHashes::new(v))
    }

    /// One hash of the file of a row's record.
    fn get(&self, row: usize, which: usize) -> &[u8] {
        let at = self.first[row] + which;
        &self.bytes[self.ends[at]..self.ends[at + 1]]
    }
}

fn hash_of_file(v: &View<'_>, which: usize) -> Column {
    v.plain(HASHED, 64, |r, out| {
        out.extend_from_slice(FileHashes::of(v).get(r, which));
        true
    })
}

/// `file.hash.md5`.
pub fn file_md5(v: &View<'_>) -> Column {
    hash_of_file(v, 0)
}
/// `file.hash.sha1`.
pub fn file_sha1(v: &View<'_>) -> Column {
    hash_of_file(v, 1)
}
/// `file.hash.sha256`.
pub fn file_sha256(v: &View<'_>) -> Column {
    hash_of_file(v, 2)
}

/// `related.hash`: all hashes of the process or the file.
pub fn related_hash(v: &View<'_>) -> Column {
    let column = &v.frame.hashes;
    let (known, own) = (column.known, column.own() as i32);
    // Only process starts use the table of known hashes.
    let mut values = match v.present & CREATE {
        0 => table::<&str>([]),
        _ => hash_values(v, &tables(v).all_hashes, &HASHES),
    };
    let mut next = values.len() as i32;
    if v.present & HASHED != 0
        && let Some(texts) = values.as_any().downcast_ref::<StringArray>()
    {
        let mut bytes = texts.value_data().to_vec();
        let mut offsets = texts.value_offsets().to_vec();
        let hashes = FileHashes::of(v);
        for row in (0..v.len()).filter(|&r| v.is(r, HASHED)) {
            for which in 0..HASHES.len() {
                bytes.extend_from_slice(hashes.get(row, which));
                offsets.push(bytes.len() as i32);
            }
        }
        values = plain_texts(bytes, offsets, None);
    }
    let number = HASHES.len() as i32;
    v.lists(&values, |r, keys| {
        if v.is(r, HASHED) {
            keys.extend(next..next + number);
            next += number;
        }
        let key = column.key(r);
        if !v.is(r, CREATE) || key == NONE {
            return;
        }
        keys.extend((0..number).map(|which| match key - column.known {
            of_frame if of_frame >= 0 => number * known + which * own + of_frame,
            _ => which * known + key,
        }));
    })
}

fn by_image(v: &View<'_>, (keys, values): &(Vec<i32>, ArrayRef)) -> Column {
    if values.is_empty() {
        return v.null_texts();
    }
    v.texts_of(CREATE, values, |r| {
        let image = v.frame.process.image[r].get();
        image.map_or(NONE, |image| keys[image.index()])
    })
}

/// `process.pe.file_version`.
pub fn file_version(v: &View<'_>) -> Column {
    let (keys, values) = &tables(v).file_version;
    if values.is_empty() {
        return v.null_texts();
    }
    let systems = v.maker.world.hosts.systems.len();
    v.texts_of(CREATE, values, |r| {
        let os = usize::from(v.maker.world.hosts[v.frame.host[r]].os);
        let image = v.frame.process.image[r].get();
        image.map_or(NONE, |image| keys[image.index() * systems + os])
    })
}
/// `process.pe.description`.
pub fn description(v: &View<'_>) -> Column {
    by_image(v, &tables(v).description)
}
/// `process.pe.product`.
pub fn product(v: &View<'_>) -> Column {
    by_image(v, &tables(v).product)
}
/// `process.pe.company`.
pub fn company(v: &View<'_>) -> Column {
    by_image(v, &tables(v).company)
}
/// `process.pe.original_file_name`.
pub fn original_file_name(v: &View<'_>) -> Column {
    by_image(v, &tables(v).original_file_name)
}

/// `file.directory`.
pub fn file_directory(v: &View<'_>) -> Column {
    parts(v, FILES, &v.frame.file, |path| {
        Some(&path[..path.rfind(['\\', '/'])?])
    })
}

/// `registry.hive`: `HKLM`, `HKU`.
pub fn registry_hive(v: &View<'_>) -> Column {
    parts(v, REGISTRY, &v.frame.registry, |path| {
        Some(path.split_once('\\')?.0)
    })
}

/// The number in Sysmon's Details: `DWORD (0x00000001)`.
fn number(details: &str, word: &str) -> Option<u64> {
    let digits = details
        .strip_prefix(word)?
        .strip_prefix(" (0x")?
        .strip_suffix(')')?;
    u64::from_str_radix(digits.split('-').next()?, 16).ok()
}

fn details<'f>(v: &View<'f>, row: usize) -> Option<&'f str> {
    let column = &v.frame.details;
    (column.key(row) != NONE).then(|| column.text(row))
}

/// `registry.data.type`.
pub fn registry_data_type(v: &View<'_>) -> Column {
    v.texts_of(REGISTRY, VALUE_TYPES.table(), |r| match details(v, r) {
        None => NONE,
        Some(text) if text.starts_with("DWORD (") => 1,
        Some(text) if text.starts_with("QWORD (") => 2,
        Some("Binary Data") => 3,
        Some(_) => 0,
    })
}
/// `registry.data.strings`; numbers are decimal.
pub fn registry_data_strings(v: &View<'_>) -> Column {
    use std::io::Write;
    own_lists(v, REGISTRY, |r, out, ends| {
        let Some(text) = details(v, r).filter(|text| *text != "Binary Data") else {
            return;
        };
        match number(text, "DWORD").or_else(|| number(text, "QWORD")) {
            // Writing to a vector cannot fail.
            Some(value) => {
                let _ = write!(out, "{value}");
            }
            None => out.extend_from_slice(text.as_bytes()),
        }
        ends.push(out.len() as i32);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &str, windows: bool) -> Vec<String> {
        let (mut out, mut ends) = (Vec::new(), Vec::new());
        split(command, windows, &mut out, &mut ends);
        let mut start = 0;
        ends.iter()
            .map(|&end| {
                let word = String::from_utf8(out[start..end as usize].to_vec()).unwrap();
                start = end as usize;
                word
            })
            .collect()
    }

    #[test]
    fn windows_arguments_follow_its_runtime() {
        assert_eq!(
            words(r#""C:\Program Files\a b.exe"  -k "x y" "#, true),
            [r"C:\Program Files\a b.exe", "-k", "x y"]
        );
        assert_eq!(
            words(r#"cmd /c echo \"hi\" C:\"#, true)[2..],
            ["echo", "\"hi\"", r"C:\"]
        );
        assert_eq!(words(r#"a "b\\" c"#, true), ["a", r"b\", "c"]);
        assert_eq!(words("", true), Vec::<String>::new());
    }

    #[test]
    fn shell_arguments_are_execves() {
        assert_eq!(
            words("sh -c 'curl x | sh'", false),
            ["sh", "-c", "curl x | sh"]
        );
    }

    #[test]
    fn numbers_of_details() {
        assert_eq!(number("DWORD (0x00000001)", "DWORD"), Some(1));
        assert_eq!(number("text", "DWORD"), None);
    }
}
