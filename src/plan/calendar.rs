//! When things happen: weights per date and minute, and the time of row j.

use super::config::{AlertWeights, Config, NoiseWeights};
use crate::grounding::Profile;
use crate::random::{HEAVY_TAIL, Key, heavy_tail};
use crate::world::World;

/// Minutes of a day.
const MINUTES: usize = 1440;
/// Microseconds of a minute.
const MINUTE_US: u64 = 60_000_000;
/// Microseconds of a day.
pub const DAY_US: i64 = 86_400_000_000;

/// Slots of a day that have a weight: local time may be a quarter of an hour off UTC's hours.
const SLOTS: usize = 96;
/// Minutes of a slot.
const SLOT: usize = MINUTES / SLOTS;

/// Weights by (date, slot).
type Weights = Vec<[u64; SLOTS]>;

/// Which calendar a population follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rhythm {
    Alerts,
    Noise,
    /// Noise whose bursts are bounded, so that no host starts too many processes at once.
    Life,
}

/// Weights of the window, by date and minute.
#[derive(Debug)]
pub struct Calendar {
    key: Key,
    /// Midnight UTC of day 0, Unix microseconds.
    start: i64,
    alerts: Weights,
    noise: Weights,
    alert_dates: Vec<u64>,
    noise_dates: Vec<u64>,
}

fn noise_weight(weights: &NoiseWeights, hour: usize, weekday: usize) -> u64 {
    let backup = weekday == 6 && hour >= 22;
    if backup || (1..4).contains(&hour) {
        weights.maintenance
    } else if weekday >= 5 {
        weights.weekend
    } else if (8..18).contains(&hour) {
        weights.day
    } else if (5..7).contains(&hour) {
        weights.early
    } else {
        weights.default
    }
}

fn alert_weight(weights: &AlertWeights, hour: usize, weekday: usize) -> u64 {
    if !(6..22).contains(&hour) {
        weights.night
    } else if hour >= 18 {
        weights.evening
    } else if weekday >= 5 {
        weights.weekend
    } else if (8..18).contains(&hour) {
        weights.day
    } else {
        weights.default
    }
}

/// Brings weights of any size to at most 6,000, so that the sums of a day fit 64 bits.
fn scale(weights: &mut Weights) {
    let most = weights.iter().flatten().copied().max().unwrap_or(1).max(1);
    let to = (most / 1000).clamp(1000, 6000);
    for weight in weights.iter_mut().flatten() {
        *weight = (u128::from(*weight) * u128::from(to) / u128::from(most)) as u64;
    }
}

impl Calendar {
    pub(super) fn new(key: Key, config: &Config, world: &World, profile: &Profile) -> Self {
        // Weight of every slot, by local hour and weekday (Monday is 0).
        let local = |weight: &dyn Fn(usize, usize) -> u64| -> Weights {
            let slot_seconds = (SLOT * 60) as i64;
            (0..config.days)
                .map(|date| {
                    let midnight = config.start_seconds() + i64::from(date) * 86_400;
                    std::array::from_fn(|slot| {
                        let (hour, weekday) = world.local(midnight + slot as i64 * slot_seconds);
                        weight(hour, weekday)
                    })
                })
                .collect()
        };
        let flat = |_, _| 1_000_000;
        let mut noise = match &config.noise_hours {
            Some(hours) => local(&|hour, _| hours[hour]),
            None if config.noise_seasonality => {
                local(&|hour, weekday| noise_weight(&config.noise_weights, hour, weekday))
            }
            None => local(&flat),
        };
        let mut alerts = match (&config.alert_hours, &profile.hours) {
            (Some(hours), _) => local(&|hour, _| hours[hour]),
            (None, _) if config.noise_seasonality => {
                local(&|hour, weekday| alert_weight(&config.alert_weights, hour, weekday))
            }
            // The profile's hours are UTC.
            (None, Some(hours)) => {
                let hour = |slot: usize| hours.get(slot * SLOT / 60).copied().unwrap_or(0);
                vec![std::array::from_fn(hour); config.days as usize]
            }
            (None, None) => local(&flat),
        };
        scale(&mut noise);
        scale(&mut alerts);
        let sums = |list: &Weights| list.iter().map(|day| day.iter().sum()).collect();
        Calendar {
            key,
            start: config.start_seconds() * 1_000_000,
            alert_dates: sums(&alerts),
            noise_dates: sums(&noise),
            alerts,
            noise,
        }
    }

    /// Number of dates.
    pub fn days(&self) -> usize {
        self.alerts.len()
    }

    /// Weight of each date for standalone alerts.
    pub fn alert_dates(&self) -> &[u64] {
        &self.alert_dates
    }

    /// Weight of each date for noise.
    pub fn noise_dates(&self) -> &[u64] {
        &self.noise_dates
    }

    /// Midnight UTC of a date, Unix microseconds.
    pub fn midnight(&self, date: u32) -> i64 {
        self.start + i64::from(date) * DAY_US
    }

    /// The date index of a time inside the window.
    pub fn date_of(&self, time: i64) -> u32 {
        (time - self.start).div_euclid(DAY_US) as u32
    }

    /// The time law of `rows` rows of a population on a date. `name` is the population's own
    /// key part, so that unrelated populations share no burst.
    pub fn law(&self, rhythm: Rhythm, date: u32, name: Key, rows: u64) -> TimeLaw {
        let weights = match rhythm {
            Rhythm::Alerts => &self.alerts,
            Rhythm::Noise | Rhythm::Life => &self.noise,
        };
        let key = self.key.with(name.at(0)).with(u64::from(date));
        let mut cumulative = Vec::with_capacity(MINUTES + 1);
        let mut sum = 0u64;
        cumulative.push(0);
        for minute in 0..MINUTES {
            let factor = match rhythm {
                Rhythm::Life => 512 + u64::from(heavy_tail(key.at(minute as u64)).min(3072)) / 2,
                _ => u64::from(heavy_tail(key.at(minute as u64))),
            };
            // Bursts last for minutes, not for one: half of a minute's factor is its quarter-hour's.
            let quarter =
                u64::from(HEAVY_TAIL[key.below((minute / 15) as u64 | 1 << 32, 256) as usize]);
            let quarter = if rhythm == Rhythm::Life {
                1024
            } else {
                quarter.min(8192)
            };
            sum += (weights[date as usize][minute / SLOT] * (factor + quarter) / 2).max(1);
            cumulative.push(sum);
        }
        TimeLaw::new(self.midnight(date), cumulative, rows, key.child("jitter"))
    }
}

/// The times of `rows` rows by an inverse cumulative weight: row j of n stands at Q((j + u_j)/n).
///
/// 1. `time` is non-decreasing in j and lies within the date.
/// 2. Any row's time can be computed alone.
#[derive(Debug)]
pub struct TimeLaw {
    midnight: i64,
    /// Sums of minute weights, 1,441 values.
    cumulative: Vec<u64>,
    rows: u64,
    jitter: Key,
    /// Weight per 2⁻²⁴ row, fixed point.
    step: u64,
}

/// Fraction bits of a row's position.
const POSITION_BITS: u32 = 24;
/// Fraction bits of `step`.
const STEP_BITS: u32 = 24;

impl TimeLaw {
    fn new(midnight: i64, cumulative: Vec<u64>, rows: u64, jitter: Key) -> Self {
        let total = cumulative.last().copied().unwrap_or(1);
        let step = ((u128::from(total) << STEP_BITS) / u128::from(rows.max(1))) as u64;
        TimeLaw {
            midnight,
            cumulative,
            rows,
            jitter,
            step,
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    #[inline]
    fn position(&self, row: u64) -> u64 {
        let x = (row << POSITION_BITS) | (self.jitter.at(row) >> (64 - POSITION_BITS));
        ((u128::from(x) * u128::from(self.step)) >> (POSITION_BITS + STEP_BITS)) as u64
    }

    #[inline]
    fn within(&self, minute: usize, position: u64) -> i64 {
        let weight = self.cumulative[minute + 1] - self.cumulative[minute];
        let into = (position - self.cumulative[minute]) * MINUTE_US / weight;
        self.midnight + (minute as u64 * MINUTE_US + into) as i64
    }

    /// Time of a row, Unix microseconds.
    pub fn time(&self, row: u64) -> i64 {
        let position = self.position(row);
        let minute = self.cumulative.partition_point(|&c| c <= position) - 1;
        self.within(minute.min(MINUTES - 1), position)
    }

    /// Appends the times of a range of rows: one walk through the minutes.
    pub fn times(&self, rows: std::ops::Range<u64>, out: &mut Vec<i64>) {
        if rows.is_empty() {
            return;
        }
        let mut minute = self
            .cumulative
            .partition_point(|&c| c <= self.position(rows.start))
            - 1;
        out.reserve((rows.end - rows.start) as usize);
        for row in rows {
            let position = self.position(row);
            while self.cumulative[minute + 1] <= position {
                minute += 1;
            }
            out.push(self.within(minute, position));
        }
    }

    /// How many rows stand before `time`.
    pub fn before(&self, time: i64) -> u64 {
        let (mut low, mut high) = (0, self.rows);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.time(middle) < time {
                low = middle + 1
            } else {
                high = middle
            }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn law(rows: u64, weights: &[u64]) -> TimeLaw {
        let mut cumulative = vec![0];
        for minute in 0..MINUTES {
            let last = cumulative[minute];
            cumulative.push(last + weights[minute % weights.len()].max(1));
        }
        TimeLaw::new(1_000_000, cumulative, rows, Key::root(rows))
    }

    proptest! {
        #[test]
        fn times_rise_within_the_day_and_any_row_stands_alone(
            rows in 1u64..20_000,
            weights in proptest::collection::vec(0u64..150_000_000, 1..50),
        ) {
            let law = law(rows, &weights);
            let mut times = Vec::new();
            law.times(0..rows, &mut times);
            prop_assert!(times.is_sorted());
            prop_assert!(times[0] >= 1_000_000 && times[rows as usize - 1] < 1_000_000 + DAY_US);
            for j in (0..rows).step_by(97) {
                prop_assert_eq!(law.time(j), times[j as usize]);
            }
            let middle = times[rows as usize / 2];
            prop_assert_eq!(law.before(middle), times.partition_point(|&t| t < middle) as u64);
        }
    }

    #[test]
    fn a_billion_rows_stay_within_the_day() {
        let law = law(1_000_000_000, &[1, 40_000_000, 7]);
        assert!(law.time(999_999_999) < 1_000_000 + DAY_US);
        assert!(law.time(999_999_998) <= law.time(999_999_999));
        assert!(law.time(0) >= 1_000_000);
    }
}
