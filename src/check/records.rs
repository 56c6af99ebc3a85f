//! Windows records in real logs, and the formats of their GUIDs and times.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;

use super::fields::EventRow;

/// Records in real logs.
const RECORDS: &str = include_str!("records.toml");

/// One kind of record.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub provider: String,
    pub guid: String,
    pub channel: String,
    pub id: i64,
    pub versions: Vec<i64>,
    pub tasks: Vec<i64>,
    pub keywords: Vec<String>,
    pub fields: Vec<String>,
    /// The provider's name for a task.
    #[serde(skip)]
    pub names: BTreeMap<i64, String>,
}

impl Record {
    /// Whether a row's task is one of the record's.
    pub fn has_task(&self, row: &EventRow<'_>) -> bool {
        let name = |task| self.names.get(task).map(String::as_str);
        self.tasks.iter().any(|task| row.is_task(*task, name(task)))
    }
}

/// Kinds of records by event id, which is unique across the providers here.
pub fn records() -> Result<BTreeMap<i64, Record>, toml::de::Error> {
    #[derive(Deserialize)]
    struct File {
        record: Vec<Record>,
        names: BTreeMap<String, BTreeMap<i64, String>>,
    }
    let file: File = toml::from_str(RECORDS)?;
    let named = file.record.into_iter().map(|mut record| {
        if let Some(names) = file.names.get(&record.provider) {
            record.names.clone_from(names);
        }
        (record.id, record)
    });
    Ok(named.collect())
}

/// The parts of a GUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guid {
    /// The prefix of the machine.
    pub prefix: u32,
    /// Unix seconds.
    pub seconds: i64,
    /// The last 16 digits as a little-endian number.
    pub tail: u64,
}

impl Guid {
    /// `{3f2504e0-4f89-66bb-9a0c-0305e82c3301}`, in lower case.
    pub fn parse(text: &str) -> Option<Self> {
        let inner = text.strip_prefix('{')?.strip_suffix('}')?;
        let bytes = inner.as_bytes();
        let right = bytes.len() == 36
            && bytes.iter().enumerate().all(|(i, b)| match i {
                8 | 13 | 18 | 23 => *b == b'-',
                _ => b.is_ascii_digit() || (b'a'..=b'f').contains(b),
            });
        if !right {
            return None;
        }
        let hex = |range: std::ops::Range<usize>| u64::from_str_radix(&inner[range], 16).ok();
        let (low, high) = (hex(9..13)?, hex(14..18)?);
        let tail = (hex(19..23)? << 48) | hex(24..36)?;
        Some(Guid {
            prefix: hex(0..8)? as u32,
            seconds: (high << 16 | low) as i64,
            tail: tail.swap_bytes(),
        })
    }

    /// The null GUID.
    pub fn is_zero(self) -> bool {
        self.prefix == 0 && self.seconds == 0 && self.tail == 0
    }

    /// Number of boots since the machine was installed, in a process GUID.
    pub fn boot(self) -> u64 {
        self.tail >> 48
    }
}

/// Parses `2024-08-12 10:21:44.123` to microseconds since the epoch.
pub fn utc(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let shape = bytes.len() == 23
        && bytes.iter().enumerate().all(|(i, b)| match i {
            4 | 7 => *b == b'-',
            10 => *b == b' ',
            13 | 16 => *b == b':',
            19 => *b == b'.',
            _ => b.is_ascii_digit(),
        });
    if !shape {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        let digits = bytes[range].iter();
        digits.fold(0, |n, digit| n * 10 + u32::from(digit - b'0'))
    };
    let date = NaiveDate::from_ymd_opt(number(0..4) as i32, number(5..7), number(8..10))?;
    let time = date.and_hms_milli_opt(
        number(11..13),
        number(14..16),
        number(17..19),
        number(20..23),
    )?;
    Some(time.and_utc().timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_and_times_are_taken_apart() {
        let guid = Guid::parse("{c796cb41-5ebb-66b9-6189-000000000b00}").unwrap();
        assert_eq!(guid.prefix, 0xc796_cb41);
        assert_eq!(guid.seconds, 0x66b9_5ebb);
        assert_eq!((guid.tail & 0xffff, guid.boot()), (0x8961, 0x000b));
        assert!(Guid::parse("{C796cb41-5ebb-66b9-6189-000000000b00}").is_none());
        assert!(Guid::parse("c796cb41-5ebb-66b9-6189-000000000b00").is_none());
        assert_eq!(utc("1970-01-01 00:00:01.500"), Some(1_500_000));
        assert_eq!(utc("1970-01-01T00:00:01.500"), None);
        let records = records().unwrap();
        assert!(records.len() > 40);
        // Only tasks of the service control manager have no name.
        for record in records.values() {
            let named = record.tasks.iter().any(|t| record.names.contains_key(t));
            assert_eq!(named, record.id != 7045, "{}", record.id);
        }
    }
}
