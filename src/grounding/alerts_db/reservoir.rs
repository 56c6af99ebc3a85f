//! A bounded, order-independent sample of byte pairs and their quantiles.

use std::collections::{BinaryHeap, HashMap};

use super::tally::{Counted, mix};
use crate::grounding::profile::PAIR_LIMIT;

/// Distinct byte pairs kept per kind of flow. With fewer pairs the quantiles are exact;
/// with more, their error is far below one of the 64 steps (1/√16384 < 1/100).
const RESERVOIR: usize = 16_384;

/// Distinct byte pairs with their counts: all of them, or the [`RESERVOIR`] with the smallest
/// hashes. A pair that is kept at the end was kept from its first occurrence on, so its count is
/// complete in any order.
#[derive(Debug, Default)]
pub(super) struct Reservoir {
    seen: u64,
    counts: HashMap<(u64, u64), u64>,
    largest: BinaryHeap<(u64, (u64, u64))>,
}

impl Reservoir {
    pub(super) fn add(&mut self, pair: (u64, u64)) {
        self.seen += 1;
        if let Some(count) = self.counts.get_mut(&pair) {
            *count += 1;
            return;
        }
        let entry = (scramble(pair), pair);
        if self.counts.len() >= RESERVOIR {
            match self.largest.peek() {
                Some(top) if entry < *top => {
                    let (_, evicted) = *top;
                    self.largest.pop();
                    self.counts.remove(&evicted);
                }
                _ => return,
            }
        }
        self.largest.push(entry);
        self.counts.insert(pair, 1);
    }

    /// At most [`PAIR_LIMIT`] pairs at equal quantiles of the sum, ascending.
    pub(super) fn quantiles(self) -> Vec<(u64, u64)> {
        let mut sorted: Vec<((u64, u64), u64)> = self.counts.into_iter().collect();
        sorted.sort_by_key(|&((up, down), _)| (u128::from(up) + u128::from(down), up));
        let total: u128 = sorted.iter().map(|&(_, count)| u128::from(count)).sum();
        let steps = (PAIR_LIMIT as u128).min(total);
        let mut pairs = Vec::with_capacity(steps as usize);
        let mut below: u128 = 0;
        for (pair, count) in sorted {
            below += u128::from(count);
            // The middle of step i is at (2i + 1) / (2·steps) of the total.
            while (2 * pairs.len() as u128 + 1) * total < 2 * steps * below
                && (pairs.len() as u128) < steps
            {
                pairs.push(pair);
            }
        }
        pairs
    }
}

impl Counted for Reservoir {
    fn count(&self) -> u64 {
        self.seen
    }
}

fn scramble((up, down): (u64, u64)) -> u64 {
    mix(mix(up) ^ down)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_exact_while_everything_fits() {
        let mut reservoir = Reservoir::default();
        for sum in (0..6_400u64).rev() {
            reservoir.add((sum / 2, sum - sum / 2));
        }
        let sums: Vec<u64> = reservoir
            .quantiles()
            .iter()
            .map(|(up, down)| up + down)
            .collect();
        let expected: Vec<u64> = (0..64).map(|step| step * 100 + 50).collect();
        assert_eq!(sums, expected);
        let mut few = Reservoir::default();
        few.add((5, 5));
        few.add((1, 0));
        few.add((5, 5));
        assert_eq!(few.quantiles(), [(1, 0), (5, 5), (5, 5)]);
    }

    #[test]
    fn a_full_reservoir_does_not_depend_on_order() {
        let pairs: Vec<(u64, u64)> = (0..3 * RESERVOIR as u64).map(|i| (i, i * i)).collect();
        let mut forward = Reservoir::default();
        let mut backward = Reservoir::default();
        pairs.iter().for_each(|&pair| forward.add(pair));
        pairs.iter().rev().for_each(|&pair| backward.add(pair));
        assert_eq!(forward.counts, backward.counts);
        assert_eq!(forward.counts.len(), RESERVOIR);
        assert_eq!(forward.quantiles(), backward.quantiles());
    }
}
