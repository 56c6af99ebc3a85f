//! The times of one run's rows: close together, or as a sequence.

use crate::random::{Draws, Key, slots};

/// Least microseconds between two records of a run, where there is room: each has its own record
/// id or audit serial.
pub const APART: i64 = 10_500;

/// Fraction bits of a row's position in its run.
const BITS: u32 = 20;

/// Consecutive rows with one cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Counts the population's runs of the date.
    pub number: u64,
    /// Its first row.
    pub first: u64,
    pub rows: u64,
}

slots! {
    /// Draws of one row of a run.
    enum RowSlot {
        Start = 0,
        /// How long a person thinks before a command.
        Pause = 2,
    }
}

/// How the rows of a run are spread over time. All times are in microseconds.
pub(super) struct Spread {
    /// Time of the first row, Unix microseconds.
    pub from: i64,
    /// The other rows come within this time.
    pub span: i64,
    /// Rows are drawn from the key of their number.
    pub jitter: Key,
    /// Distance of a sequence's rows; 0 for other runs.
    pub step: i64,
    /// The first row that closes a sequence, and its time.
    pub closing: (u64, i64),
    /// Bit i: row i has the time of the row before it.
    pub companions: u16,
    /// Bit i: a person thinks before row i; and the longest pause.
    pub thought: (u16, i64),
}

impl Spread {
    /// All rows at one time.
    pub fn new(from: i64, jitter: Key) -> Self {
        Spread {
            from,
            span: 0,
            jitter,
            step: 0,
            closing: (0, 0),
            companions: 0,
            thought: (0, 0),
        }
    }

    #[inline]
    fn draws(&self, row: u64) -> Draws<RowSlot> {
        Draws::new(self.jitter.with(row))
    }

    /// Time of a row of the run; non-decreasing in `start`.
    #[inline]
    pub fn time(&self, start: u64, run: &Run) -> i64 {
        let mut nth = start - run.first;
        if self.step > 0 {
            while self.companions >> nth & 1 == 1 {
                nth -= 1;
            }
            let jitter = self.draws(run.first + nth).bits(RowSlot::Start);
            let (from, nth) = match nth.checked_sub(self.closing.0) {
                Some(nth) => (self.closing.1, nth),
                None => (self.from + self.typed(run, nth), nth),
            };
            let late = jitter % (self.step - APART).max(1) as u64;
            return from + nth as i64 * self.step + late as i64;
        }
        if nth == 0 {
            return self.from;
        }
        // With little room, rows still have uneven distances.
        let apart = (self.span / 4 * 3 / run.rows as i64).min(APART);
        let free = self.span - apart * run.rows as i64;
        // Point hashes of neighbours differ by even steps, so each row has a key of its own.
        let x = (nth << BITS) + (self.draws(start).bits(RowSlot::Start) >> (64 - BITS));
        self.from + apart * nth as i64 + (free as u64 * x / (run.rows << BITS)) as i64
    }

    /// Total time a person has thought before a row of a sequence: each pause is at least a third
    /// of the longest.
    fn typed(&self, run: &Run, nth: u64) -> i64 {
        let (pauses, most) = self.thought;
        let passed = (pauses & u16::MAX >> (15 - nth.min(15))).count_ones();
        (0..u64::from(passed))
            .map(|pause| {
                let least = most / 3;
                let draws = self.draws(run.first + pause);
                least + draws.below(RowSlot::Pause, (most - least).max(1) as u64) as i64
            })
            .sum()
    }
}
