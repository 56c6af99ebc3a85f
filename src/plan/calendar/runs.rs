//! Runs: how the rows of a population are cut into events with one cause.

use super::spread::Run;
use crate::random::Key;

/// Lengths of the runs in a block of noise rows. Events with one cause come together: the
/// inter-arrival times of real feeds have a coefficient of variation of 8 to 14 (AIT-ADS,
/// benign alerts).
pub(super) const NOISE_RUNS: &[u8] = &[1, 2, 4, 8, 16, 24, 32, 32];
/// Lengths of the runs of what people do by hand.
pub(super) const PEOPLE_RUNS: &[u8] = &[1, 1, 2, 3, 4, 6];
/// Lengths of the runs of process starts, at most [`LIFE_RUN`]. A host starts one run at a time.
pub(super) const LIFE_RUNS: &[u8] = &[1, 11, 16, 16];
/// Standalone alerts come one by one.
pub(super) const ALERT_RUNS: &[u8] = &[1];
/// Most process starts of a run.
pub const LIFE_RUN: u64 = 16;
/// Different orders of a block's runs.
const ORDERS: u64 = 16;

/// How rows are cut into runs: every block has the same lengths, in one of [`ORDERS`] orders.
#[derive(Debug)]
pub(super) struct Runs {
    key: Key,
    /// Rows of a block.
    pub block: u64,
    /// For each order: first row of each run, and the end of the block.
    orders: Vec<Vec<u64>>,
}

impl Runs {
    pub fn new(key: Key, lengths: &[u8]) -> Self {
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

    /// The run of a row, in a population of `rows` rows.
    pub fn of(&self, row: u64, rows: u64) -> Run {
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
