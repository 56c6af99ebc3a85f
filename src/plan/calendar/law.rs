//! When row j of a population happens: runs, starts, ends.

use super::exits::Exits;
use super::spread::{APART, Run, Spread};
use super::{ACTIVITY_US, DAY_US, MINUTE_US, MINUTES, Rhythm};
use crate::random::{Key, below, log_uniform};

/// Lengths of the runs that a block of rows comes in. What starts with one cause comes
/// together: real feeds have inter-arrival times of CV 8 to 14 (AIT-ADS, benign alerts).
const NOISE_RUNS: &[u8] = &[1, 2, 4, 8, 16, 24, 32, 32];
/// The same for what people do by hand.
const PEOPLE_RUNS: &[u8] = &[1, 1, 2, 3, 4, 6];
/// The same for process starts. A host starts one run at a time, of at most [`LIFE_RUN`].
const LIFE_RUNS: &[u8] = &[1, 11, 16, 16];
/// Standalone alerts come one by one.
const ALERT_RUNS: &[u8] = &[1];
/// Most process starts of a run.
pub const LIFE_RUN: u64 = 16;
/// Microseconds that a sequence's session is open at most.
const LONGEST_SESSION: u64 = 5_400_000_000;
/// Orders of a block's runs that are told apart.
const ORDERS: u64 = 16;

/// Most microseconds that a run of noise lasts, and one of a host's process starts: programs that
/// one cause starts follow each other within seconds, and seldom together.
const LONGEST_RUN: [u64; 2] = [2_500_000, 9_000_000];
/// Microseconds that each row of a run of people's takes, at least and at most.
const BY_HAND: (u64, u64) = (2_500_000, 20_000_000);

/// How long somebody thinks before the next command of a sequence, at most, in microseconds.
const TYPED: (u64, u64) = (2_000_000, 20_000_000);

/// How rows are cut into runs: blocks of the same lengths, each in one of a few orders.
#[derive(Debug)]
struct Runs {
    key: Key,
    block: u64,
    /// Where the runs of each order begin, and the block's end.
    orders: Vec<Vec<u64>>,
}

impl Runs {
    fn new(key: Key, lengths: &[u8]) -> Self {
        let orders = (0..ORDERS)
            .map(|order| {
                let mut lengths = lengths.to_vec();
                for left in (1..lengths.len()).rev() {
                    let with = key.with(order).below(left as u64, left as u64 + 1) as usize;
                    lengths.swap(left, with);
                }
                let mut sum = 0;
                let ends = lengths.iter().map(|&length| {
                    sum += u64::from(length);
                    sum
                });
                std::iter::once(0).chain(ends).collect()
            })
            .collect();
        Runs {
            key: key.child("blocks"),
            block: lengths.iter().map(|&length| u64::from(length)).sum(),
            orders,
        }
    }

    fn of(&self, row: u64, rows: u64) -> Run {
        let (block, place) = (row / self.block, row % self.block);
        let order = &self.orders[self.key.below(block, ORDERS) as usize];
        let run = order.partition_point(|&begin| begin <= place) - 1;
        let first = block * self.block + order[run];
        Run {
            number: block * (order.len() as u64 - 1) + run as u64,
            first,
            rows: (order[run + 1] - order[run]).min(rows - first),
        }
    }
}

/// The times of `rows` rows by an inverse cumulative weight: a run that begins with row j of n
/// stands at Q((j + u_j · length)/n), its rows follow within seconds.
///
/// 1. `time` is non-decreasing in j and lies within the date (but for [ends](Self::ending)).
/// 2. Any row's time can be computed alone.
#[derive(Debug)]
pub struct TimeLaw {
    midnight: i64,
    /// Sums of minute weights, 1,441 values.
    cumulative: Vec<u64>,
    starts: u64,
    jitter: Key,
    /// Weight per 2⁻²⁴ row, fixed point.
    step: u64,
    rhythm: Rhythm,
    runs: Runs,
    ends: Option<Ends>,
    /// The law is of ends of processes that its alerts start.
    exits: Option<Exits>,
}

/// Which ends a law is of.
#[derive(Debug)]
struct Ends {
    bucket: u64,
    /// Rows of the bucket that are another law's.
    first: u64,
    rows: u64,
    /// Microseconds.
    lifetime: i64,
}

/// Fraction bits of a row's position.
const POSITION_BITS: u32 = 24;
/// Fraction bits of `step`.
const STEP_BITS: u32 = 24;
/// Kinds of lifetimes of one class, by which its blocks of starts go round.
pub const BUCKETS: u64 = 6;
/// Least and most lifetime of the classes whose ends are seen, in microseconds: seconds and
/// minutes. What runs for hours ends with its session.
const LIFETIMES: [(u64, u64); 2] = [(250_000, 45_000_000), (60_000_000, 1_200_000_000)];
/// Lifetime classes whose ends are seen.
pub const ENDING: u8 = LIFETIMES.len() as u8;

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
            Rhythm::Noise | Rhythm::Sequence { .. } => NOISE_RUNS,
            Rhythm::People => PEOPLE_RUNS,
            Rhythm::Life => LIFE_RUNS,
        };
        TimeLaw {
            midnight,
            cumulative,
            starts: rows,
            jitter,
            step,
            rhythm,
            runs: Runs::new(jitter.child("runs"), lengths),
            ends: None,
            exits: None,
        }
    }

    /// The law of the ends of those of this law's alerts that start a process.
    pub fn exiting(self, exits: Exits) -> TimeLaw {
        TimeLaw {
            exits: Some(exits),
            ..self
        }
    }

    /// What its ends are of, where it is of ends of alerts' processes.
    pub fn exits(&self) -> Option<&Exits> {
        self.exits.as_ref()
    }

    pub(super) fn midnight(&self) -> i64 {
        self.midnight
    }

    pub(super) fn starts(&self) -> u64 {
        self.starts
    }

    /// The law of the ends of those of this law's processes that have the class's lifetimes of
    /// one bucket: the `rows` from the `first` on.
    pub fn ending(self, class: u8, bucket: u8, first: u64, rows: u64) -> TimeLaw {
        let (low, high) = LIFETIMES[usize::from(class) % LIFETIMES.len()];
        // The middle of the bucket's share of the logarithmic scale.
        let middle = ((2 * u128::from(bucket) + 1) << 64) / (2 * u128::from(BUCKETS));
        TimeLaw {
            ends: Some(Ends {
                bucket: u64::from(bucket),
                first,
                rows,
                lifetime: log_uniform(middle as u64, low, high) as i64,
            }),
            ..self
        }
    }

    /// Processes of a bucket among all of this law.
    pub fn in_bucket(&self, bucket: u8) -> u64 {
        let group = BUCKETS * self.runs.block;
        let (whole, rest) = (self.starts / group, self.starts % group);
        let block = self.block_of(u64::from(bucket), whole) % BUCKETS;
        let of_rest = rest.saturating_sub(block * self.runs.block);
        whole * self.runs.block + of_rest.min(self.runs.block)
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        match (&self.ends, &self.exits) {
            (Some(ends), _) => ends.rows,
            (None, Some(exits)) => exits.rows,
            (None, None) => self.starts,
        }
    }

    /// The block of a group that a bucket has.
    fn block_of(&self, bucket: u64, group: u64) -> u64 {
        let turn = self.jitter.with(2).below(group, BUCKETS);
        group * BUCKETS + (bucket + turn) % BUCKETS
    }

    /// The start that a row is, or ends.
    #[inline]
    pub fn start(&self, row: u64) -> u64 {
        if let Some(exits) = &self.exits {
            return exits.starts.row(exits.key, exits.nth(row));
        }
        let Some(ends) = &self.ends else { return row };
        let row = row + ends.first;
        let block = self.block_of(ends.bucket, row / self.runs.block);
        block * self.runs.block + row % self.runs.block
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
        let jitter = self.jitter.at(run.first) >> (64 - POSITION_BITS);
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
            // The records' own time, a little before, is in the slot too.
            Rhythm::Life => begin.max(begin.div_euclid(ACTIVITY_US) * ACTIVITY_US + 25_000),
            _ => begin,
        }
    }

    /// When a run begins, and the one after it.
    fn bounds(&self, run: &Run) -> (i64, i64) {
        let next = run.first + run.rows;
        let end = match next < self.starts {
            true => self.begin(&self.run(next)),
            false => self.midnight + DAY_US,
        };
        (self.begin(run), end)
    }

    /// Where the starts of a run stand.
    fn starting(&self, run: &Run) -> Spread {
        let (begin, next) = self.bounds(run);
        let (most, room) = match self.rhythm {
            // A host's run stays in the host's slot, and leaves room for its ends.
            Rhythm::Life => {
                let end = (begin.div_euclid(ACTIVITY_US) + 1) * ACTIVITY_US;
                let room = ((next - begin) / 2).min((end - begin) / 8 * 7);
                (LONGEST_RUN[1], room)
            }
            _ => (LONGEST_RUN[0], (next - begin) / 8 * 7),
        };
        if let Rhythm::Sequence {
            rows,
            opening,
            companions,
            pauses,
        } = self.rhythm
        {
            let (rows, opening) = (i64::from(rows), i64::from(opening));
            let step = log_uniform(self.jitter.with(8).at(run.first), 21_000, 70_000) as i64;
            let step = step.min(room / (rows + 1)).max(1);
            let thought = log_uniform(self.jitter.with(10).at(run.first), TYPED.0, TYPED.1) as i64;
            let many = i64::from(pauses.count_ones());
            let thought = thought
                .min((room - (rows + 1) * step) / 2 / many.max(1))
                .max(0);
            let begun = begin + opening * step + thought * many;
            let pause = log_uniform(self.jitter.with(9).at(run.first), 300_000, LONGEST_SESSION);
            let pause = (pause as i64)
                .min(begin + room - begun - (rows + 1 - opening) * step)
                .max(0);
            return Spread {
                from: begin,
                span: 0,
                jitter: self.jitter.with(4),
                step,
                closing: (opening as u64, begun + pause),
                companions,
                thought: (pauses, thought),
                after: 0,
                drift: 0,
            };
        }
        let (least, most) = match self.rhythm {
            Rhythm::People => (BY_HAND.0 * run.rows, BY_HAND.1 * run.rows),
            _ => (3 * APART as u64 * run.rows, most),
        };
        let drawn = log_uniform(self.jitter.with(3).at(run.first), least, most) as i64;
        Spread {
            from: begin,
            span: drawn.min(room),
            jitter: self.jitter.with(4),
            step: 0,
            closing: (0, 0),
            companions: 0,
            thought: (0, 0),
            after: 0,
            drift: 0,
        }
    }

    /// Where their ends stand: each a lifetime and a wait after its start, before those of the
    /// next run.
    fn stopping(&self, run: &Run, lifetime: i64) -> Spread {
        let (begin, next) = self.bounds(run);
        let gap = next - begin;
        let wait = below(
            self.jitter.with(5).at(run.first),
            (gap / 4).min(lifetime / 2).max(1) as u64,
        );
        let drawn = log_uniform(self.jitter.with(6).at(run.first), 30_000, 5_000_000) as i64;
        Spread {
            after: lifetime + wait as i64,
            drift: drawn.min(lifetime).min(gap / 8),
            ..self.starting(run)
        }
    }

    /// Where this law's rows of a run stand.
    fn spread(&self, run: &Run) -> Spread {
        match &self.ends {
            None => self.starting(run),
            Some(ends) => self.stopping(run, ends.lifetime),
        }
    }

    /// Time of a row, Unix microseconds.
    pub fn time(&self, row: u64) -> i64 {
        if let Some(exits) = &self.exits {
            return exits.time(self, row);
        }
        let start = self.start(row);
        let run = self.run(start);
        match self.rhythm {
            Rhythm::Alerts => self.begin(&run),
            _ => self.spread(&run).time(start, &run),
        }
    }

    /// Time of a start, of a law of process starts or of ends.
    pub fn start_time(&self, start: u64) -> i64 {
        let run = self.run(start);
        match self.rhythm {
            Rhythm::Alerts => self.begin(&run),
            _ => self.starting(&run).time(start, &run),
        }
    }

    /// Appends the times of a range of rows: one walk through the minutes, or the runs.
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
        let mut spread = self.spread(&run);
        for row in rows {
            let start = self.start(row);
            if start >= run.first + run.rows {
                run = self.run(start);
                spread = self.spread(&run);
            }
            out.push(spread.time(start, &run));
        }
    }

    /// How many rows stand before `time`.
    pub fn before(&self, time: i64) -> u64 {
        partition(self.rows(), |row| self.time(row) < time)
    }

    /// How many starts stand before `time`.
    pub fn starts_before(&self, time: i64) -> u64 {
        partition(self.starts, |start| self.start_time(start) < time)
    }
}

/// How many of `0..n` hold, where those that do come first.
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
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RHYTHMS: [Rhythm; 4] = [Rhythm::Alerts, Rhythm::Noise, Rhythm::People, Rhythm::Life];

    fn law(rows: u64, weights: &[u64], rhythm: Rhythm) -> TimeLaw {
        let mut cumulative = vec![0];
        for minute in 0..MINUTES {
            let last = cumulative[minute];
            cumulative.push(last + weights[minute % weights.len()].max(1));
        }
        TimeLaw::new(1_000_000, cumulative, rows, Key::root(rows), rhythm)
    }

    proptest! {
        #[test]
        fn times_rise_within_the_day_and_any_row_stands_alone(
            rows in 1u64..20_000,
            weights in proptest::collection::vec(0u64..150_000_000, 1..50),
            rhythm in 0usize..4,
        ) {
            let law = law(rows, &weights, RHYTHMS[rhythm]);
            let mut times = Vec::new();
            law.times(0..rows, &mut times);
            prop_assert!(times.is_sorted());
            prop_assert!(times[0] >= 1_000_000 && times[rows as usize - 1] < 1_000_000 + DAY_US);
            for j in (0..rows).step_by(97) {
                prop_assert_eq!(law.time(j), times[j as usize]);
                let run = law.run(j);
                prop_assert!(run.first <= j && j < run.first + run.rows);
                prop_assert!(times[(run.first + run.rows - 1) as usize] - times[run.first as usize] < (6 * BY_HAND.1) as i64);
            }
            let middle = times[rows as usize / 2];
            prop_assert_eq!(law.before(middle), times.partition_point(|&t| t < middle) as u64);
        }

        #[test]
        fn sequences_come_whole_and_one_after_the_other(
            rows in 1u64..4_000,
            length in 2u8..12,
            opening in 1u8..12,
            companion in 1u8..12,
            pause in 1u8..12,
            weights in proptest::collection::vec(0u64..150_000_000, 1..50),
        ) {
            let opening = opening.min(length);
            let companion = if companion < length && companion != opening { companion } else { 0 };
            let companions = if companion > 0 { 1 << companion } else { 0 };
            let pause = if pause < opening && pause != companion { pause } else { 0 };
            let pauses = if pause > 0 { 1 << pause } else { 0 };
            let law = law(rows, &weights, Rhythm::Sequence { rows: length, opening, companions, pauses });
            let mut times = Vec::new();
            law.times(0..rows, &mut times);
            prop_assert!(times.is_sorted());
            prop_assert!(times[0] >= 1_000_000 && times[rows as usize - 1] < 1_000_000 + DAY_US);
            for j in 0..rows {
                prop_assert_eq!(law.time(j), times[j as usize]);
                let run = law.run(j);
                prop_assert_eq!(run.first, j / u64::from(length) * u64::from(length));
                let nth = j - run.first;
                if nth > 0 && nth == u64::from(companion) {
                    prop_assert_eq!(times[j as usize], times[j as usize - 1]);
                }
                if nth > 0 && nth != u64::from(opening) {
                    let most = if nth == u64::from(pause) { 250_000 + TYPED.1 as i64 } else { 250_000 };
                    prop_assert!(times[j as usize] - times[j as usize - 1] < most);
                }
            }
            prop_assert_eq!(law.before(times[rows as usize / 2]), times.partition_point(|&t| t < times[rows as usize / 2]) as u64);
        }

        #[test]
        fn every_process_ends_once_and_after_its_start(
            rows in 1u64..5_000,
            weights in proptest::collection::vec(0u64..150_000_000, 1..50),
            class in 0..ENDING,
        ) {
            let starts = law(rows, &weights, Rhythm::Life);
            let mut ended = vec![false; rows as usize];
            for bucket in 0..BUCKETS as u8 {
                let number = starts.in_bucket(bucket);
                let ends = law(rows, &weights, Rhythm::Life).ending(class, bucket, 0, number);
                let mut times = Vec::new();
                ends.times(0..number, &mut times);
                prop_assert!(times.is_sorted());
                for (row, time) in times.iter().enumerate() {
                    let start = ends.start(row as u64);
                    prop_assert!(!std::mem::replace(&mut ended[start as usize], true));
                    prop_assert_eq!(ends.start_time(start), starts.time(start));
                    prop_assert!(*time > starts.time(start) && *time < starts.time(start) + DAY_US);
                    prop_assert_eq!(*time, ends.time(row as u64));
                }
                if number > 1 {
                    let rest = law(rows, &weights, Rhythm::Life).ending(class, bucket, 1, number - 1);
                    prop_assert_eq!(rest.time(0), times[1]);
                }
            }
            prop_assert!(ended.iter().all(|e| *e));
        }
    }

    #[test]
    fn rows_of_a_run_are_no_comb() {
        for rhythm in [Rhythm::Noise, Rhythm::Life] {
            for rows in [10_000, 100_000, 1_000_000] {
                let law = law(rows, &[40_000_000], rhythm);
                let mut times = Vec::new();
                law.times(0..9_000, &mut times);
                let steps: Vec<i64> = times.windows(2).map(|t| t[1] - t[0]).collect();
                let same = steps
                    .windows(2)
                    .filter(|s| (s[1] - s[0]).abs() < 10)
                    .count();
                assert!(
                    same < steps.len() / 50,
                    "{same} of {} at {rows}",
                    steps.len()
                );
            }
        }
    }

    #[test]
    fn a_billion_rows_stay_within_the_day() {
        for rhythm in RHYTHMS {
            let law = law(1_000_000_000, &[1, 40_000_000, 7], rhythm);
            assert!(law.time(999_999_999) < 1_000_000 + DAY_US);
            assert!(law.time(999_999_998) <= law.time(999_999_999));
            assert!(law.time(0) >= 1_000_000);
        }
    }
}
