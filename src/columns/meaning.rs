//! Classification of records in the `fusionai` schema, by kind or by call.

use arrow_array::ArrayRef;

use super::cloud::{event_source, meaning_of};
use super::words::Lexicon;
use crate::frame::{Frame, Maker};
use crate::kinds::{KINDS, Kind};

/// A value per kind of record and per call of the vocabulary.
#[derive(Debug)]
pub struct Meant {
    pub table: ArrayRef,
    of_kind: Vec<i32>,
    of_call: Vec<i32>,
}

impl Meant {
    /// `first` are the first values of the table, so that their keys are fixed.
    fn new<'t>(
        first: &[&str],
        kind: impl Fn(&Kind) -> &'static str,
        calls: impl Iterator<Item = &'t str>,
    ) -> Self {
        let mut words = Lexicon::default();
        for word in first {
            words.key(word);
        }
        let of_kind = KINDS.iter().map(|row| words.key(kind(row))).collect();
        let of_call = calls.map(|word| words.key(word)).collect();
        Meant {
            table: words.table(),
            of_kind,
            of_call,
        }
    }

    /// The key of a row's value.
    #[inline]
    pub fn key(&self, frame: &Frame, row: usize) -> i32 {
        match frame.calls.get(row) {
            Some(call) => self.of_call[call.call as usize],
            None => self.of_kind[frame.telemetry[row] as usize],
        }
    }
}

/// Values of the `event.*` fields.
#[derive(Debug)]
pub struct Meanings {
    /// Key 0 is `security`, for alerts.
    pub category: Meant,
    /// Key 0 is `alert`.
    pub change: Meant,
    /// Keys 0 and 1 are the sensor's actions, `allowed` and `blocked`.
    pub action: Meant,
    pub provider: Meant,
}

impl Meanings {
    pub(super) fn new(maker: &Maker) -> Self {
        let calls = &maker.vocabulary.calls;
        let sources: Vec<String> = calls.iter().map(event_source).collect();
        Meanings {
            category: Meant::new(
                &["security"],
                |kind| kind.fusionai.category[0],
                calls.iter().map(|call| meaning_of(call).category[0]),
            ),
            change: Meant::new(
                &["alert"],
                |kind| kind.fusionai.types[0],
                calls
                    .iter()
                    .map(|call| meaning_of(call).types.last().copied().unwrap_or("info")),
            ),
            action: Meant::new(
                &["allowed", "blocked"],
                |kind| kind.fusionai.action,
                calls.iter().map(|call| call.operation.as_str()),
            ),
            provider: Meant::new(&[], provider, sources.iter().map(String::as_str)),
        }
    }
}

/// `event.provider` of a native record.
pub(super) fn provider(kind: &Kind) -> &'static str {
    kind.provider.name().unwrap_or("syslog")
}
