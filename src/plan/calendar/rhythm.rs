//! Units of time, and the rhythms that populations follow.

use crate::world::activity;

/// Minutes of a day.
pub(super) const MINUTES: usize = 1440;
/// Microseconds of a minute.
pub(super) const MINUTE_US: u64 = 60_000_000;
/// Microseconds of a slot of activity.
pub(super) const ACTIVITY_US: i64 = activity::SLOT * 1_000_000;
/// Microseconds of a day.
pub const DAY_US: i64 = 86_400_000_000;

/// Which calendar a population follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rhythm {
    Alerts,
    Noise,
    /// Noise whose rows come in complete sequences.
    Sequence {
        /// Rows of a sequence.
        rows: u8,
        /// Rows before the session is left open; the others close it.
        opening: u8,
        /// Bit i: row i has the time of the row before it.
        companions: u16,
        /// Bit i: a person thinks and types before row i.
        pauses: u16,
    },
    /// Noise that people make by hand.
    People,
    /// What Windows hosts do.
    Days,
    /// Noise whose bursts are bounded, so that no host starts too many processes at once.
    Life,
}
