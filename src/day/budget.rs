//! How a date's rows are shared out to hosts.

use super::Days;
use crate::ids::HostId;
use crate::random::heavy_tail;

impl Days {
    /// The rows of each host on a date, in the order of [`hosts`](Days::hosts); their sum is `rows`.
    pub fn budgets(&self, date: u32, rows: u64) -> Vec<u32> {
        let weights: Vec<u64> = (self.hosts().iter())
            .map(|&host| self.weight(host, date))
            .collect();
        let total: u64 = weights.iter().sum::<u64>().max(1);
        let (mut sum, mut given) = (0u64, 0u64);
        let share = |weight| {
            sum += weight;
            let until = (u128::from(rows) * u128::from(sum) / u128::from(total)) as u64;
            let own = until - given;
            given = until;
            own as u32
        };
        weights.into_iter().map(share).collect()
    }

    /// A host's weight on a date: its habit, and how the day differs from others.
    fn weight(&self, host: HostId, date: u32) -> u64 {
        let key = self.key.with(u64::from(host));
        // Hosts differ more from each other than a host's days do.
        let habit = u64::from(heavy_tail(key.at(HABIT)).clamp(256, 4096));
        let day = 820 + key.below(DAY + u64::from(date), 410);
        habit * day
    }
}

/// Draws of a host.
const HABIT: u64 = 0x4ab;
const DAY: u64 = 1 << 32;
