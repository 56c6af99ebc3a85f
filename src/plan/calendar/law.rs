//! When row j of a population happens.

use super::exits::Exits;
use super::rhythm::{ACTIVITY_US, DAY_US, MINUTE_US, MINUTES, Rhythm};
use super::runs::{ALERT_RUNS, LIFE_RUNS, NOISE_RUNS, PEOPLE_RUNS, Runs};
use super::spread::{APART, Run, Spread};
use crate::random::{Draws, Key, log_uniform, slots};

/// Longest session of a sequence, in microseconds.
const LONGEST_SESSION: u64 = 5_400_000_000;
/// Longest run of noise, and of a host's process starts, in microseconds. Programs with one cause
/// start within seconds of each other, and seldom together.
const LONGEST_RUN: [u64; 2] = [2_500_000, 9_000_000];
/// Least and most time per row of a run that people make by hand, in microseconds.
const BY_HAND: (u64, u64) = (2_500_000, 20_000_000);

/// Range of the longest pause before a typed command of a sequence, in microseconds.
const TYPED: (u64, u64) = (2_000_000, 20_000_000);

slots! {
    /// Draws of a time law, by run or block. A run's own position is drawn at its first row.
    enum LawSlot {
        /// How long the run lasts.
        Span = 3,
        /// The times of its rows.
        Rows = 4,
        /// Time from row to row of a sequence.
        Step = 8,
        /// How long a sequence's session is open.
        Session = 9,
        /// How long a person thinks before a command.
        Thought = 10,
    }
}

/// The times of `rows` rows, by an inverse cumulative weight: a run that begins with row j of n
/// begins at Q((j + u_j · length)/n), and its rows follow within seconds.
///
/// 1. `time` is non-decreasing in j and lies within the date.
/// 2. The time of any row can be computed alone.
#[derive(Debug)]
pub struct TimeLaw {
    midnight: i64,
    /// Sums of minute weights, 1,441 values.
    cumulative: Vec<u64>,
    /// Number of rows, or of alerts where the law is of ends.
    starts: u64,
    jitter: Draws<LawSlot>,
    /// Weight per 2⁻²⁴ row, fixed point.
    step: u64,
    rhythm: Rhythm,
    runs: Runs,
    /// Set where the law is of the ends of processes that its alerts start.
    exits: Option<Exits>,
}

/// Fraction bits of a row's position.
const POSITION_BITS: u32 = 24;
/// Fraction bits of `step`.
const STEP_BITS: u32 = 24;
impl TimeLaw {
    pub(super) fn new(
        midnight: i64,
        cumulative: Vec<u64>,
        rows: u64,
        jitter: Key,
        rhythm: Rhythm,
    ) -> Self {
        let total = cumulative.last().copied().unwrap_or(1);
        let step = ((u128::from(total) << STEP_BITS) / u128::from(rows.max(1))) as u64;
        let lengths = match rhythm {
            Rhythm::Alerts => ALERT_RUNS,
            // Sequences are runs of one length.
            Rhythm::Noise | Rhythm::Sequence { .. } | Rhythm::Days => NOISE_RUNS,
            Rhythm::People => PEOPLE_RUNS,
            Rhythm::Life => LIFE_RUNS,
        };
        TimeLaw {
            midnight,
            cumulative,
            starts: rows,
            jitter: Draws::new(jitter),
            step,
            rhythm,
            runs: Runs::new(jitter.child("runs"), lengths),
            exits: None,
        }
    }

    /// The law of the ends of processes that this law's alerts start.
    pub fn exiting(self, exits: Exits) -> TimeLaw {
        TimeLaw {
            exits: Some(exits),
            ..self
        }
    }

    /// The ends of alerts' processes, if that is what the law is of.
    pub fn exits(&self) -> Option<&Exits> {
        self.exits.as_ref()
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        match &self.exits {
            Some(exits) => exits.rows,
            None => self.starts,
        }
    }

    /// The start that a row records, or whose process it ends.
    #[inline]
    pub fn start(&self, row: u64) -> u64 {
        match &self.exits {
            Some(exits) => exits.starts.row(exits.key, exits.nth(row)),
            None => row,
        }
    }

    /// The run that a start belongs to.
    #[inline]
    pub fn run(&self, start: u64) -> Run {
        match self.rhythm {
            Rhythm::Alerts => Run {
                number: start,
                first: start,
                rows: 1,
            },
            Rhythm::Sequence { rows, .. } => {
                let number = start / u64::from(rows);
                let first = number * u64::from(rows);
                Run {
                    number,
                    first,
                    rows: u64::from(rows).min(self.starts - first),
                }
            }
            _ => self.runs.of(start, self.starts),
        }
    }

    #[inline]
    fn position(&self, run: &Run) -> u64 {
        let jitter = self.jitter.key().at(run.first) >> (64 - POSITION_BITS);
        let x = (run.first << POSITION_BITS) + jitter * run.rows;
        ((u128::from(x) * u128::from(self.step)) >> (POSITION_BITS + STEP_BITS)) as u64
    }

    #[inline]
    fn within(&self, minute: usize, position: u64) -> i64 {
        let weight = self.cumulative[minute + 1] - self.cumulative[minute];
        let into = (position - self.cumulative[minute]) * MINUTE_US / weight;
        self.midnight + (minute as u64 * MINUTE_US + into) as i64
    }

    /// When a run begins.
    fn begin(&self, run: &Run) -> i64 {
        let position = self.position(run);
        let minute = self.cumulative.partition_point(|&c| c <= position) - 1;
        let begin = self.within(minute.min(MINUTES - 1), position);
        match self.rhythm {
            // The time in the records, a little earlier, is in the same slot.
            Rhythm::Life => begin.max(begin.div_euclid(ACTIVITY_US) * ACTIVITY_US + 25_000),
            _ => begin,
        }
    }

    /// When a run and the next one begin.
    fn bounds(&self, run: &Run) -> (i64, i64) {
        let next = run.first + run.rows;
        let end = match next < self.starts {
            true => self.begin(&self.run(next)),
            false => self.midnight + DAY_US,
        };
        (self.begin(run), end)
    }

    /// The times of a run's starts.
    fn starting(&self, run: &Run) -> Spread {
        let (begin, next) = self.bounds(run);
        let (most, room) = match self.rhythm {
            // A host's run stays in one slot of the host, and leaves room for its ends.
            Rhythm::Life => {
                let end = (begin.div_euclid(ACTIVITY_US) + 1) * ACTIVITY_US;
                let room = ((next - begin) / 2).min((end - begin) / 8 * 7);
                (LONGEST_RUN[1], room)
            }
            _ => (LONGEST_RUN[0], (next - begin) / 8 * 7),
        };
        let (least, most) = match self.rhythm {
            Rhythm::Sequence {
                rows,
                opening,
                companions,
                pauses,
            } => {
                let spread = self.sequence(run, begin, room, (rows.into(), opening.into()), pauses);
                return Spread {
                    companions,
                    ..spread
                };
            }
            Rhythm::People => (BY_HAND.0 * run.rows, BY_HAND.1 * run.rows),
            _ => (3 * APART as u64 * run.rows, most),
        };
        let drawn = self.drawn(LawSlot::Span, run, least, most);
        Spread {
            span: drawn.min(room),
            ..Spread::new(begin, self.jitter.part(LawSlot::Rows))
        }
    }

    /// The times of a sequence that begins at `begin` and has `room` microseconds: `opening` of
    /// its rows, a session, and the others.
    fn sequence(
        &self,
        run: &Run,
        begin: i64,
        room: i64,
        (rows, opening): (i64, i64),
        pauses: u16,
    ) -> Spread {
        let step = self.drawn(LawSlot::Step, run, 21_000, 70_000);
        let step = step.min(room / (rows + 1)).max(1);
        let many = i64::from(pauses.count_ones());
        let thought = self
            .drawn(LawSlot::Thought, run, TYPED.0, TYPED.1)
            .min((room - (rows + 1) * step) / 2 / many.max(1))
            .max(0);
        let opened = begin + opening * step + thought * many;
        let session = self
            .drawn(LawSlot::Session, run, 300_000, LONGEST_SESSION)
            .min(begin + room - opened - (rows + 1 - opening) * step)
            .max(0);
        Spread {
            step,
            closing: (opening as u64, opened + session),
            thought: (pauses, thought),
            ..Spread::new(begin, self.jitter.part(LawSlot::Rows))
        }
    }

    /// A log-uniform draw of a run.
    fn drawn(&self, slot: LawSlot, run: &Run, low: u64, high: u64) -> i64 {
        log_uniform(self.jitter.part(slot).at(run.first), low, high) as i64
    }

    /// Time of a row, Unix microseconds.
    pub fn time(&self, row: u64) -> i64 {
        if let Some(exits) = &self.exits {
            return self.exit_time(exits, row);
        }
        let start = self.start(row);
        let run = self.run(start);
        match self.rhythm {
            Rhythm::Alerts => self.begin(&run),
            _ => self.starting(&run).time(start, &run),
        }
    }

    /// When the process of a row of `exits` ends, Unix microseconds.
    fn exit_time(&self, exits: &Exits, row: u64) -> i64 {
        exits.time(row, self.midnight + DAY_US, |alert| {
            (alert < self.starts).then(|| self.start_time(alert))
        })
    }

    /// Time of a start, Unix microseconds; the law may be of starts or of ends.
    pub fn start_time(&self, start: u64) -> i64 {
        let run = self.run(start);
        match self.rhythm {
            Rhythm::Alerts => self.begin(&run),
            _ => self.starting(&run).time(start, &run),
        }
    }

    /// Appends the times of a range of rows, in one pass over the minutes or the runs.
    pub fn times(&self, rows: std::ops::Range<u64>, out: &mut Vec<i64>) {
        if rows.is_empty() {
            return;
        }
        out.reserve((rows.end - rows.start) as usize);
        if self.exits.is_some() {
            out.extend(rows.map(|row| self.time(row)));
            return;
        }
        if self.rhythm == Rhythm::Alerts {
            let position = |row| self.position(&self.run(row));
            let first = position(rows.start);
            let mut minute = self.cumulative.partition_point(|&c| c <= first) - 1;
            for row in rows {
                let position = position(row);
                while self.cumulative[minute + 1] <= position {
                    minute += 1;
                }
                out.push(self.within(minute, position));
            }
            return;
        }
        let mut run = self.run(self.start(rows.start));
        let mut spread = self.starting(&run);
        for row in rows {
            let start = self.start(row);
            if start >= run.first + run.rows {
                run = self.run(start);
                spread = self.starting(&run);
            }
            out.push(spread.time(start, &run));
        }
    }

    /// Number of rows before `time`.
    pub fn before(&self, time: i64) -> u64 {
        self.before_within(time, 0..self.rows())
    }

    /// As [`before`](TimeLaw::before), if the number is known to be in a range, its end included.
    pub fn before_within(&self, time: i64, rows: std::ops::Range<u64>) -> u64 {
        rows.start
            + partition(rows.end - rows.start, |row| {
                self.time(rows.start + row) < time
            })
    }

    /// Number of starts before `time`.
    pub fn starts_before(&self, time: i64) -> u64 {
        partition(self.starts, |start| self.start_time(start) < time)
    }
}

/// How many of `0..n` fulfil `holds`; these come first.
fn partition(n: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (0, n);
    while low < high {
        let middle = low + (high - low) / 2;
        match holds(middle) {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    low
}

#[cfg(test)]
mod tests;
