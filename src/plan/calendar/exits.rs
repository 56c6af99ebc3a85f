//! When the processes end that standalone alerts started.
//!
//! Their starts are alerts' rows, of a law of their own, so a row here finds its start
//! ([`Starts`]), and the end follows from it.

use super::DAY_US;
use super::law::TimeLaw;
use crate::random::{Key, below, log_uniform};
use crate::world::{ALIVE, Starts};

/// Kinds of lifetimes, in turn among a category's starts.
const TURNS: u8 = 5;
/// Those whose ends are seen, the shortest: a script that hangs or waits is not seen ending.
pub const SEEN: u8 = 3;
/// Least and most lifetime, in microseconds: what a rule fires on is a tool's call, mostly.
const LIFETIME: (u64, u64) = (200_000, 20_000_000);

/// Ends of one lifetime of a category's alerts of a date.
#[derive(Debug, Clone)]
pub struct Exits {
    pub starts: Starts,
    /// Of the category and date.
    pub key: Key,
    pub turn: u8,
    pub rows: u64,
}

impl Exits {
    /// Ends of one turn, if there are so many alerts.
    pub fn among(starts: &Starts, key: Key, turn: u8, alerts: u64) -> u64 {
        let all = starts.among(alerts);
        let (whole, rest) = (all / u64::from(TURNS), all % u64::from(TURNS));
        whole + u64::from(place(key, turn, whole) < rest)
    }

    /// The start that a row ends.
    pub fn nth(&self, row: u64) -> u64 {
        row * u64::from(TURNS) + place(self.key, self.turn, row)
    }

    fn lifetime(&self) -> u64 {
        let part = u64::MAX / u64::from(SEEN);
        let own = self.key.at2(1, u64::from(self.turn)) / u64::from(SEEN);
        let bits = part * u64::from(self.turn.min(SEEN - 1)) + own.min(part);
        log_uniform(bits, LIFETIME.0, LIFETIME.1)
    }

    /// When the process ends that the alert of `row` starts; `law` is that of the alerts.
    ///
    /// Ends follow one another as their starts do, on the date, and before a pid comes again.
    pub fn time(&self, law: &TimeLaw, row: u64) -> i64 {
        let midnight = law.midnight() + DAY_US;
        let at = |nth: u64| match self.starts.row(self.key, nth) {
            alert if alert < law.starts() => law.start_time(alert),
            _ => midnight,
        };
        let nth = self.nth(row);
        let (start, next) = (at(nth), at(self.nth(row + 1)));
        let lifetime = self.lifetime();
        let room = (next - start).clamp(1, (lifetime / 2) as i64) as u64;
        let end = start + (lifetime + below(self.key.at2(2, nth), room)) as i64;
        end.min(start + (midnight - start) / 8 * 7)
            .min(at(nth + ALIVE * 3 / 4))
    }
}

/// Which of a group of starts has the turn.
fn place(key: Key, turn: u8, group: u64) -> u64 {
    (u64::from(turn) + key.with(3).below(group, u64::from(TURNS))) % u64::from(TURNS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::calendar::Rhythm;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn starts_of_every_turn_end_once_after_it_on_their_date(
            alerts in 1u64..3_000,
            part in 1u64..100,
            more in 0u64..200,
            seed: u64,
        ) {
            let cumulative = (0..=1440u64).map(|m| m * 1000).collect();
            let law = TimeLaw::new(1_000_000, cumulative, alerts, Key::root(seed), Rhythm::Alerts);
            let starts = Starts::new(part, part + more, 0).unwrap();
            let key = Key::root(seed ^ 1);
            let mut ended = Vec::new();
            for turn in 0..SEEN {
                let rows = Exits::among(&starts, key, turn, alerts);
                let exits = Exits { starts, key, turn, rows };
                let mut before = i64::MIN;
                for row in 0..rows {
                    let start = law.time(starts.row(key, exits.nth(row)));
                    let end = exits.time(&law, row);
                    prop_assert!(end > start && end < 1_000_000 + DAY_US && end >= before);
                    before = end;
                    ended.push(exits.nth(row));
                }
            }
            let all = starts.among(alerts);
            prop_assert!(ended.iter().all(|nth| *nth < all));
            let count = ended.len() as u64;
            prop_assert!(count.abs_diff(all * u64::from(SEEN) / u64::from(TURNS)) <= u64::from(SEEN));
            ended.sort_unstable();
            ended.dedup();
            prop_assert_eq!(ended.len() as u64, count);
        }
    }
}
