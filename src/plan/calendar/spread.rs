//! Where the rows of one run stand: close together, as a sequence, or after their starts.

use crate::random::{Key, below};

/// Microseconds between two records of a run, at least, where there is room: each has a record id
/// or an audit serial of its own.
pub const APART: i64 = 10_500;

/// Fraction bits of a row's place in its run.
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

/// Where the rows of a run stand.
pub(super) struct Spread {
    /// The first, Unix microseconds.
    pub from: i64,
    /// The others come within so many microseconds.
    pub span: i64,
    pub jitter: Key,
    /// Rows follow each other at this distance, where they are a sequence's.
    pub step: i64,
    /// Where a sequence closes: from which row on, and when.
    pub closing: (u64, i64),
    /// Bit i: row i has the time of the one before it.
    pub companions: u16,
    /// Bit i: before row i somebody thinks, and at most for so many microseconds.
    pub thought: (u16, i64),
    /// Ends follow their starts by so much, and by up to so much more.
    pub after: i64,
    pub drift: i64,
}

impl Spread {
    /// Time of a start of the run, or of its end: rising.
    #[inline]
    pub fn time(&self, start: u64, run: &Run) -> i64 {
        let time = self.start_time(start, run);
        if self.after == 0 {
            return time;
        }
        let x = ((start - run.first) << BITS) + (self.jitter.at2(start, 1) >> (64 - BITS));
        time + self.after + (self.drift as u64 * x / (run.rows << BITS)) as i64
    }

    #[inline]
    fn start_time(&self, start: u64, run: &Run) -> i64 {
        let mut nth = start - run.first;
        if self.step > 0 {
            while self.companions >> nth & 1 == 1 {
                nth -= 1;
            }
            let jitter = self.jitter.at2(run.first + nth, 0);
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
        // Where there is little room they are still no comb.
        let apart = (self.span / 4 * 3 / run.rows as i64).min(APART);
        let free = self.span - apart * run.rows as i64;
        // Point hashes of neighbours step evenly; of theirs each is independent.
        let x = (nth << BITS) + (self.jitter.at2(start, 0) >> (64 - BITS));
        self.from + apart * nth as i64 + (free as u64 * x / (run.rows << BITS)) as i64
    }

    /// How long somebody has thought before a row of a sequence opens: each time a third of the
    /// most, or longer.
    fn typed(&self, run: &Run, nth: u64) -> i64 {
        let (pauses, most) = self.thought;
        let passed = (pauses & u16::MAX >> (15 - nth.min(15))).count_ones();
        (0..u64::from(passed))
            .map(|pause| {
                let least = most / 3;
                least
                    + below(
                        self.jitter.at2(run.first + pause, 2),
                        (most - least).max(1) as u64,
                    ) as i64
            })
            .sum()
    }
}
