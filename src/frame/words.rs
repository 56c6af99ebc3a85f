//! Parts of rendered text: names, numbers, times, hashes.
//!
//! Each function appends to a string or makes one from a key. None knows a row or a scene.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use chrono::{Datelike, Timelike};

use crate::numbers::decimal;
use crate::random::{Draws, Key, slots};

pub(super) const HEX: &[u8; 16] = b"0123456789abcdef";

/// Stems of the files that droppers write: near misses of well-known names.
pub(super) const PAYLOADS: [&str; 24] = [
    "svchelper",
    "winupdate",
    "onedrivesync",
    "teamsupdate",
    "chromeupd",
    "adobearm",
    "javaupd",
    "msofficehelper",
    "driverhost",
    "netcfgsvc",
    "audiosrv",
    "printspool",
    "wmiadapter",
    "taskrunner",
    "sysmonitor",
    "edgeupdater",
    "invoice_viewer",
    "docrender",
    "pdfconv",
    "zoomhelper",
    "vpnagent",
    "certsync",
    "timesvc",
    "cachemgr",
];
/// First halves of service and task names.
pub(super) const TASKS: [&str; 16] = [
    "Update",
    "Sync",
    "Telemetry",
    "Maintenance",
    "Health",
    "Inventory",
    "Cache",
    "License",
    "Audio",
    "Display",
    "Network",
    "Print",
    "Report",
    "Backup",
    "Index",
    "Policy",
];

/// The hexadecimal digits of each byte, low digit first.
const DIGITS: [[u8; 2]; 256] = {
    let mut digits = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        digits[byte] = [
            HEX[byte & 15].to_ascii_uppercase(),
            HEX[byte >> 4].to_ascii_uppercase(),
        ];
        byte += 1;
    }
    digits
};

/// Key of the hashes of a program that no catalog image is: one for each scene and file name, so
/// that a file that is written, started and deleted is the same file.
pub fn program(scene: Key, name: &str) -> Key {
    scene.child(&name.to_lowercase())
}

/// Sysmon's `Hashes` of a file, from its key.
pub fn hashes(key: Key) -> String {
    hashes_with(key, key)
}

/// As [`hashes`], with a key of its own for the import hash.
pub fn hashes_with(key: Key, imports: Key) -> String {
    let mut text = String::with_capacity(195);
    for (i, (name, length)) in [("SHA1", 40), ("MD5", 32), ("SHA256", 64), ("IMPHASH", 32)]
        .into_iter()
        .enumerate()
    {
        if i > 0 {
            text.push(',');
        }
        text.push_str(name);
        text.push('=');
        let key = if name == "IMPHASH" { imports } else { key };
        let key = key.with(i as u64);
        let mut digits = [0; 64];
        for (word, part) in digits[..length].chunks_mut(16).enumerate() {
            let bytes = key.at(word as u64).to_le_bytes();
            for (pair, byte) in part.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
                *pair = DIGITS[usize::from(byte)];
            }
        }
        text.push_str(std::str::from_utf8(&digits[..length]).unwrap_or_default());
    }
    text
}

/// Names of services with an account. The count has no factor 7: rounds step through them by 7.
pub(super) const PRINCIPALS: [&str; 30] = [
    "sql",
    "sqlrep",
    "sqlagent",
    "ssrs",
    "sharepoint",
    "spfarm",
    "erp",
    "erpdb",
    "crm",
    "iis",
    "webapp",
    "adfs",
    "scom",
    "sccm",
    "wsus",
    "backup",
    "exchange",
    "print",
    "scan",
    "tableau",
    "jira",
    "confluence",
    "jenkins",
    "gitlab",
    "vpn",
    "citrix",
    "vcenter",
    "oracle",
    "mdm",
    "fax",
];
/// Departments, as the folders of a share name them.
const DEPARTMENTS: [&str; 8] = [
    "Finance",
    "HR",
    "Sales",
    "Projects",
    "Engineering",
    "Legal",
    "Marketing",
    "Operations",
];
/// File types on a share; frequent ones are repeated.
const EXTENSIONS: [&str; 16] = [
    "docx", "docx", "docx", "docx", "xlsx", "xlsx", "xlsx", "xlsx", "pdf", "pdf", "pdf", "pptx",
    "pptx", "jpg", "csv", "txt",
];

slots! {
    /// Draws of a file's name.
    enum FoundSlot {
        Word = 0,
        OtherWord = 1,
        Shape = 2,
        Version = 3,
        Year = 4,
        Month = 5,
        Number = 6,
        Extension = 7,
    }
}

slots! {
    /// Draws of a file's folders.
    enum FolderSlot {
        Department = 0,
        Depth = 1,
        Year = 2,
        Word = 3,
    }
}

/// Appends the name of a file that a person saved.
pub(super) fn push_found(key: Key, words: &[String], out: &mut String) {
    let draws = Draws::new(key);
    let word = |slot| &words[draws.apart(slot, words.len() as u64) as usize];
    out.push_str(word(FoundSlot::Word));
    match draws.apart(FoundSlot::Shape, 8) {
        0 | 1 => {
            out.push('_');
            out.push_str(word(FoundSlot::OtherWord));
        }
        2 | 3 => {
            out.push(' ');
            out.push_str(word(FoundSlot::OtherWord));
            out.push_str(
                [" final", " v2", " v3", " draft"][draws.apart(FoundSlot::Version, 4) as usize],
            );
        }
        4 | 5 => {
            out.push('_');
            push_number(out, 2018 + draws.apart(FoundSlot::Year, 7));
            out.push('-');
            push_number(out, 10 + draws.apart(FoundSlot::Month, 3));
            out.push('_');
            out.push_str(word(FoundSlot::OtherWord));
        }
        _ => {
            out.push('-');
            push_number(out, 100 + draws.apart(FoundSlot::Number, 9_900));
        }
    }
    out.push('.');
    out.push_str(EXTENSIONS[draws.apart(FoundSlot::Extension, EXTENSIONS.len() as u64) as usize]);
}

/// Appends the folders of a share that lead to a file.
pub(super) fn push_folders(key: Key, words: &[String], out: &mut String) {
    let draws = Draws::new(key);
    let department = draws.apart(FolderSlot::Department, DEPARTMENTS.len() as u64);
    out.push_str(DEPARTMENTS[department as usize]);
    let depth = draws.apart(FolderSlot::Depth, 4);
    if depth & 1 == 1 {
        out.push('\\');
        push_number(out, 2019 + draws.apart(FolderSlot::Year, 6));
    }
    if depth > 0 {
        out.push('\\');
        out.push_str(&words[draws.apart(FolderSlot::Word, words.len() as u64) as usize]);
    }
}

/// Appends a decimal number.
pub(super) fn push_number(out: &mut String, number: u64) {
    out.push_str(std::str::from_utf8(decimal(number, &mut [0; 20])).unwrap_or_default());
}

/// Appends base64 of the text's UTF-16LE bytes, as PowerShell's -EncodedCommand takes it.
pub(super) fn push_base64_utf16(out: &mut String, text: &str) {
    let mut bytes = Vec::with_capacity(2 * text.len());
    bytes.extend(text.encode_utf16().map(u16::to_le_bytes));
    STANDARD.encode_string(bytes.as_flattened(), out);
}

/// Appends a decimal number of at least `digits` digits.
pub(super) fn push_padded(out: &mut String, number: u64, digits: u32) {
    for place in (1..digits).rev() {
        if number < 10u64.pow(place) {
            out.push('0');
        }
    }
    push_number(out, number);
}

/// Appends a time as web servers log it: `12/Aug/2024:10:21:44 +0000`.
pub(super) fn push_log_time(out: &mut String, time: i64) {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let time = chrono::DateTime::from_timestamp_micros(time).unwrap_or_default();
    push_padded(out, time.day().into(), 2);
    out.push('/');
    out.push_str(MONTHS[time.month0() as usize]);
    out.push('/');
    push_padded(out, time.year().max(0) as u64, 4);
    for part in [time.hour(), time.minute(), time.second()] {
        out.push(':');
        push_padded(out, part.into(), 2);
    }
    out.push_str(" +0000");
}

/// A time (Unix microseconds) in names of logs: `2026-08-15.0937`.
pub(super) fn push_log_minute(out: &mut String, time: i64) {
    let time = chrono::DateTime::from_timestamp_micros(time).unwrap_or_default();
    push_padded(out, time.year().max(0) as u64, 4);
    for part in [time.month(), time.day()] {
        out.push('-');
        push_padded(out, part.into(), 2);
    }
    out.push('.');
    push_padded(out, time.hour().into(), 2);
    push_padded(out, time.minute().into(), 2);
}

/// A time (Unix microseconds) as Windows counts it: in 100 ns since 1601.
pub(super) fn file_time(time: i64) -> u64 {
    const SINCE_1601: i64 = 11_644_473_600_000_000;
    (time + SINCE_1601) as u64 * 10
}

/// Appends the last `digits` hex digits of a number.
pub(super) fn push_hex(out: &mut String, number: u64, digits: u32) {
    let digit = |at: u32| char::from_digit((number >> (4 * at) & 15) as u32, 16);
    out.extend((0..digits).rev().filter_map(digit));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_time_counts_from_1601() {
        // [MS-DTYP] 2.3.3; 2024-08-12 10:21:44 UTC.
        assert_eq!(file_time(1_723_458_104_000_000), 133_679_317_040_000_000);
        let mut out = String::new();
        push_hex(&mut out, 133_679_317_040_000_000, 16);
        assert_eq!(out, "01daeca16dfc6c00");
    }

    #[test]
    fn names_of_logs_have_the_date_and_minute() {
        let mut out = String::new();
        push_log_minute(&mut out, 1_786_786_659_000_000);
        assert_eq!(out, "2026-08-15.0937");
    }

    #[test]
    fn encoded_commands_are_base64_of_utf16() {
        let mut out = String::new();
        push_base64_utf16(&mut out, "whoami");
        assert_eq!(out, "dwBoAG8AYQBtAGkA");
        out.clear();
        push_base64_utf16(&mut out, "dir");
        assert_eq!(out, "ZABpAHIA");
        out.clear();
        push_base64_utf16(&mut out, "a");
        assert_eq!(out, "YQA=");
    }

    #[test]
    fn files_that_are_found_differ() {
        let words: Vec<String> = (0..100).map(|n| format!("w{n}")).collect();
        let mut names = std::collections::BTreeSet::new();
        for round in 0..1000 {
            let mut name = String::new();
            push_found(Key::root(1).with(round), &words, &mut name);
            names.insert(name);
        }
        assert!(names.len() > 970, "{}", names.len());
    }

    #[test]
    fn hashes_have_their_lengths() {
        let text = hashes(Key::root(1));
        let lengths: Vec<(&str, usize)> = text
            .split(',')
            .map(|h| h.split_once('=').map_or(("", 0), |(n, v)| (n, v.len())))
            .collect();
        assert_eq!(
            lengths,
            [("SHA1", 40), ("MD5", 32), ("SHA256", 64), ("IMPHASH", 32)]
        );
    }
}
