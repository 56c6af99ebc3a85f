//! The clocks of a day: when routines begin, and how a sensor stamps what it sees.

use crate::kinds::{Stamp, Telemetry};
use crate::random::{Key, below, log_uniform};

/// The system tick of Windows in microseconds.
const TICK: i64 = 15_625;

/// Weights of a date's minutes.
#[derive(Debug, Clone)]
pub struct Minutes {
    /// Unix microseconds.
    pub midnight: i64,
    /// Sums of weights up to each minute; begins with 0.
    pub cumulative: Vec<u64>,
}

impl Minutes {
    /// The number of minutes.
    pub fn count(&self) -> usize {
        self.cumulative.len() - 1
    }

    /// The end of the date, Unix microseconds.
    pub fn end(&self) -> i64 {
        self.midnight + self.count() as i64 * 60_000_000
    }

    /// The weight of the date before a time.
    pub(super) fn before(&self, time: i64) -> u64 {
        let into = (time - self.midnight).clamp(0, self.end() - self.midnight);
        let minute = (into / 60_000_000) as usize;
        let from = self.cumulative[minute];
        let to = self.cumulative.get(minute + 1).copied().unwrap_or(from);
        from + (to - from) * (into % 60_000_000) as u64 / 60_000_000
    }

    /// A time by the minutes' weights.
    #[inline]
    pub(super) fn draw(&self, bits: u64) -> i64 {
        let total = self.cumulative.last().copied().unwrap_or(1);
        let position = ((u128::from(bits) * u128::from(total)) >> 64) as u64;
        let minute = self.cumulative.partition_point(|&sum| sum <= position) - 1;
        let weight = self.cumulative[minute + 1] - self.cumulative[minute];
        let into = (position - self.cumulative[minute]) * 60_000_000 / weight;
        // The seconds of a minute come from the weight; what is finer, from the draw's low bits.
        let fine = bits & 0xffff;
        self.midnight + minute as i64 * 60_000_000 + (into + fine % 1_000) as i64
    }
}

/// How long a record of one event alone takes to the log, in microseconds.
#[inline]
pub fn lag(telemetry: Telemetry, bits: u64) -> i64 {
    let us = match telemetry.kind().stamp {
        Stamp::Log => 0,
        Stamp::Precise => log_uniform(bits, 800, 4_000),
        Stamp::Tick => log_uniform(bits, 1_500, 12_000),
        Stamp::Late => BUFFERED as u64 + below(bits, FLUSH as u64 + WRITTEN),
    };
    us as i64
}

/// Records of the network wait this long in their session's buffer, and are written together, which
/// takes up to the last; in microseconds.
pub(super) const BUFFERED: i64 = 1_000_000;
pub(super) const FLUSH: i64 = 600_000;
pub(super) const WRITTEN: u64 = 90_000;

/// When a host's ticks are, in microseconds after a multiple of the tick.
pub(super) fn phase_of(host: Key) -> i64 {
    host.below(TICK_PHASE, TICK as u64) as i64
}

/// The last system tick before a time, for a host's phase.
#[inline]
pub(super) fn tick(phase: i64, time: i64) -> i64 {
    (time - phase).div_euclid(TICK) * TICK + phase
}

/// The draw of a host's phase.
const TICK_PHASE: u64 = 0x71c;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_apart_by_their_length() {
        let phase = phase_of(Key::root(3));
        for time in (1_700_000_000_000_000i64..).step_by(977).take(1000) {
            let found = tick(phase, time);
            assert!((0..TICK).contains(&(time - found)));
            assert_eq!(tick(phase, found), found);
            assert_eq!(tick(phase, found + TICK), found + TICK);
        }
    }

    #[test]
    fn draws_follow_the_weights() {
        let law = Minutes {
            midnight: 0,
            cumulative: vec![0, 1, 4],
        };
        let key = Key::root(1);
        let later = (0..4000u64)
            .filter(|&i| law.draw(key.at(i)) >= 60_000_000)
            .count();
        assert!((2_900..3_100).contains(&later), "{later}");
    }
}
