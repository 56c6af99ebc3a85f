//! Counts by key in bounded memory.
//!
//! Up to its limit a [`Tally`] is exact. Beyond it, the rarest half of the keys is dropped
//! (among equals, those with a smaller fixed hash, so that a random sample remains), and
//! [`Lost`] sums up what was dropped. The result then depends on the order of the rows, which is
//! part of the database, and on nothing else. This module knows nothing about alerts.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

/// A value with a count.
pub(super) trait Counted {
    fn count(&self) -> u64;

    /// Index of the sum of losses, 0 or 1, that the key belongs to.
    fn side(&self) -> usize {
        0
    }
}

impl Counted for u64 {
    fn count(&self) -> u64 {
        *self
    }
}

/// A key with a hash that never changes from run to run.
pub(super) trait Fixed {
    fn fixed_hash(&self) -> u64;
}

impl Fixed for IpAddr {
    fn fixed_hash(&self) -> u64 {
        let bits = match self {
            IpAddr::V4(address) => u128::from(u32::from(*address)),
            IpAddr::V6(address) => u128::from(*address),
        };
        mix(mix(bits as u64) ^ (bits >> 64) as u64)
    }
}

impl Fixed for (u64, u16) {
    fn fixed_hash(&self) -> u64 {
        mix(mix(self.0) ^ u64::from(self.1))
    }
}

/// SplitMix64's finalizer.
pub(super) fn mix(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// A fixed hash of bytes, chained on `start`.
pub(super) fn mix_bytes(start: u64, bytes: &[u8]) -> u64 {
    bytes
        .chunks(8)
        .fold(mix(start ^ bytes.len() as u64), |hash, chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            mix(hash ^ u64::from_le_bytes(word))
        })
}

/// What was dropped.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost {
    /// Sum of the counts of the dropped keys.
    pub count: u64,
    /// Number of dropped keys with a count of one.
    pub singles: u64,
}

/// Values by key, at most `limit` of them.
#[derive(Debug)]
pub(super) struct Tally<K, V> {
    values: HashMap<K, V>,
    limit: usize,
    lost: [Lost; 2],
}

impl<K: Fixed + Eq + Hash, V: Counted + Default> Tally<K, V> {
    pub(super) fn new(limit: usize) -> Self {
        Tally {
            values: HashMap::new(),
            limit,
            lost: [Lost::default(); 2],
        }
    }

    /// The value of a key. A new key may cause the rarest half to be dropped.
    pub(super) fn entry(&mut self, key: K) -> &mut V {
        if self.is_full() && !self.values.contains_key(&key) {
            self.halve();
        }
        self.values.entry(key).or_default()
    }

    pub(super) fn is_full(&self) -> bool {
        self.values.len() >= self.limit
    }

    pub(super) fn contains(&self, key: &K) -> bool {
        self.values.contains_key(key)
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Drops the rarest half.
    pub(super) fn halve(&mut self) {
        self.keep(self.values.len() / 2);
    }

    /// Drops all but the `most` most frequent keys.
    pub(super) fn keep(&mut self, most: usize) {
        let excess = self.values.len().saturating_sub(most);
        if excess == 0 {
            return;
        }
        let score = |key: &K, value: &V| (value.count(), key.fixed_hash());
        let mut scores: Vec<(u64, u64)> = self.values.iter().map(|(k, v)| score(k, v)).collect();
        let (_, &mut highest_out, _) = scores.select_nth_unstable(excess - 1);
        let lost = &mut self.lost;
        self.values.retain(|key, value| {
            let stays = score(key, value) > highest_out;
            if !stays {
                let lost = &mut lost[value.side()];
                lost.count += value.count();
                lost.singles += u64::from(value.count() == 1);
            }
            stays
        });
    }

    pub(super) fn lost(&self) -> [Lost; 2] {
        self.lost
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.values.iter()
    }

    /// Takes out all entries, in no particular order; the losses remain known.
    pub(super) fn take(&mut self) -> HashMap<K, V> {
        std::mem::take(&mut self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn address(bits: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from(bits))
    }

    #[test]
    fn the_frequent_stay_and_the_rest_is_known_by_sum() {
        let mut tally: Tally<IpAddr, u64> = Tally::new(100);
        for round in 0..10_000u32 {
            *tally.entry(address(round)) += 1;
            if round % 2 == 0 {
                *tally.entry(address(u32::MAX - round % 20)) += 1;
            }
        }
        assert!(tally.len() <= 100);
        for frequent in (0..20).step_by(2) {
            assert_eq!(tally.values[&address(u32::MAX - frequent)], 500);
        }
        let kept: u64 = tally.iter().map(|(_, count)| count).sum();
        let [lost, other] = tally.lost();
        assert_eq!(kept + lost.count, 15_000);
        assert_eq!((lost.singles, other), (lost.count, Lost::default()));
    }

    #[test]
    fn below_the_limit_nothing_is_lost() {
        let mut tally: Tally<IpAddr, u64> = Tally::new(100);
        for round in 0..1_000 {
            *tally.entry(address(round % 100)) += 1;
        }
        assert_eq!(tally.lost(), [Lost::default(); 2]);
        assert_eq!(tally.len(), 100);
    }

    #[test]
    fn equal_bytes_have_equal_hashes_and_lengths_matter() {
        assert_eq!(mix_bytes(1, b"abc"), mix_bytes(1, b"abc"));
        assert_ne!(mix_bytes(1, b"abc"), mix_bytes(1, b"abc\0"));
        assert_ne!(mix_bytes(1, b""), mix_bytes(2, b""));
    }
}
