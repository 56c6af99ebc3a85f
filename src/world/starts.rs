//! The standalone alerts that are process starts, found without drawing alerts.
//!
//! A process end is a separate row and must find its start. So the alerts of a
//! category are divided into strata with one start each: the number of a start and its row
//! can each be computed from the other.

use crate::random::Key;

/// Maximum number of categories with recorded process ends. Each has a share of the pids.
pub const STARTING: usize = 8;

/// The share of a category's standalone alerts that are Windows process starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Starts {
    /// Number of starts in `whole` alerts.
    part: u64,
    whole: u64,
    /// Number of the category among those with such alerts.
    pub number: u8,
}

impl Starts {
    /// `None` if no alert is a start.
    pub(crate) fn new(part: u64, whole: u64, number: usize) -> Option<Self> {
        (part > 0 && part <= whole && number < STARTING).then_some(Starts {
            part,
            whole,
            number: number as u8,
        })
    }

    /// First row of the n-th stratum.
    fn first(&self, nth: u64) -> u64 {
        (u128::from(nth) * u128::from(self.whole) / u128::from(self.part)) as u64
    }

    /// Number of complete strata in the first `rows` rows.
    pub fn among(&self, rows: u64) -> u64 {
        let scaled = (u128::from(rows) + 1) * u128::from(self.part);
        (scaled.div_ceil(u128::from(self.whole)) - 1) as u64
    }

    /// The row of the n-th start.
    #[inline]
    pub fn row(&self, key: Key, nth: u64) -> u64 {
        let first = self.first(nth);
        first + key.below(nth, self.first(nth + 1) - first)
    }

    /// The number of the start in this row, if the row is a start.
    #[inline]
    pub fn nth(&self, key: Key, row: u64) -> Option<u64> {
        let nth = self.among(row);
        (self.row(key, nth) == row).then_some(nth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_and_starts_find_each_other(part in 1u64..1 << 40, more in 0u64..1 << 40, rows in 1u64..3000, seed: u64) {
            let starts = Starts::new(part, part + more, 0).unwrap();
            let key = Key::root(seed);
            let found: Vec<u64> = (0..rows).filter(|&row| starts.nth(key, row).is_some()).collect();
            for (nth, &row) in found.iter().enumerate() {
                prop_assert_eq!(starts.nth(key, row), Some(nth as u64));
                prop_assert_eq!(starts.row(key, nth as u64), row);
            }
            let expected = (u128::from(rows) * u128::from(part) / u128::from(part + more)) as u64;
            prop_assert!(starts.among(rows).abs_diff(expected) <= 1);
            prop_assert!((found.len() as u64).abs_diff(expected) <= 1);
            prop_assert!(starts.among(rows) <= found.len() as u64);
        }
    }
}
