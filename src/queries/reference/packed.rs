//! Many hashes in little memory: 6 bytes for each, and a sixteenth more on average where hash tables
//! need 10 to 21.
//!
//! The upper 16 bits of a hash choose one of 65,536 parts, so that an entry needs only the other 48.
//! A part is a sorted vector that grows by an eighth. Parts have some hundred entries: to find one is a
//! short binary search, to insert one moves some hundred bytes.

use foldhash::fast::FixedState;
use hashbrown::HashSet;

/// Bits of a hash that an entry keeps.
const KEPT: u32 = 48;
const PARTS: usize = 1 << (u64::BITS - KEPT);

/// What is kept beside a hash: bytes, so that nothing is wasted on alignment.
pub(super) trait Bytes: Copy {}

impl<const N: usize> Bytes for [u8; N] {}

/// The lower bits of a hash, greatest byte first, and what is kept beside it.
#[derive(Clone, Copy)]
struct Entry<V> {
    key: [u8; 6],
    value: V,
}

/// A map by a 64-bit hash.
pub(super) struct Packed<V> {
    /// Empty until the first entry.
    parts: Vec<Vec<Entry<V>>>,
    len: usize,
}

impl<V> Default for Packed<V> {
    fn default() -> Self {
        Packed {
            parts: Vec::new(),
            len: 0,
        }
    }
}

/// The part of a hash, and what its entry keeps.
fn split(hash: u64) -> (usize, [u8; 6]) {
    let [a, b, c, d, e, f, g, h] = hash.to_be_bytes();
    (usize::from(u16::from_be_bytes([a, b])), [c, d, e, f, g, h])
}

impl<V: Bytes> Packed<V> {
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The value of a hash.
    pub fn get(&self, hash: u64) -> Option<V> {
        let (part, key) = split(hash);
        let part = self.parts.get(part)?;
        let at = part.binary_search_by_key(&key, |entry| entry.key).ok()?;
        Some(part[at].value)
    }

    /// The value of a hash, to be changed.
    pub fn get_mut(&mut self, hash: u64) -> Option<&mut V> {
        let (part, key) = split(hash);
        let part = self.parts.get_mut(part)?;
        let at = part.binary_search_by_key(&key, |entry| entry.key).ok()?;
        Some(&mut part[at].value)
    }

    /// Adds an entry unless the hash has one; says whether it is new.
    pub fn insert(&mut self, hash: u64, value: V) -> bool {
        if self.parts.is_empty() {
            self.parts.resize_with(PARTS, Vec::new);
        }
        let (part, key) = split(hash);
        let part = &mut self.parts[part];
        let Err(at) = part.binary_search_by_key(&key, |entry| entry.key) else {
            return false;
        };
        if part.len() == part.capacity() {
            part.reserve_exact(2.max(part.len() / 8));
        }
        part.insert(at, Entry { key, value });
        self.len += 1;
        true
    }

    /// Takes the entry of a hash out.
    pub fn remove(&mut self, hash: u64) -> Option<V> {
        let (part, key) = split(hash);
        let part = self.parts.get_mut(part)?;
        let at = part.binary_search_by_key(&key, |entry| entry.key).ok()?;
        self.len -= 1;
        Some(part.remove(at).value)
    }

    pub fn clear(&mut self) {
        *self = Packed::default();
    }
}

/// Hashes that a set holds before they are packed: 65,536 parts are large for less.
const FEW: usize = 256 * 1024;

/// A set of hashes that may become large.
#[derive(Default)]
pub(super) struct Hashes {
    few: HashSet<u64, FixedState>,
    /// All, once there are more than [`FEW`].
    many: Packed<[u8; 0]>,
}

impl Hashes {
    /// Adds a hash; says whether it is new.
    pub fn insert(&mut self, hash: u64) -> bool {
        if self.many.len() > 0 {
            return self.many.insert(hash, []);
        }
        let is_new = self.few.insert(hash);
        if self.few.len() > FEW {
            for hash in std::mem::take(&mut self.few) {
                self.many.insert(hash, []);
            }
        }
        is_new
    }

    /// Number of hashes.
    pub fn len(&self) -> usize {
        self.few.len() + self.many.len()
    }

    /// Keeps the memory of few hashes for the next ones.
    pub fn clear(&mut self) {
        self.few.clear();
        self.many.clear();
    }
}

/// A time or a duration in 7 bytes: microseconds within a thousand years of 1970.
#[derive(Clone, Copy)]
pub(super) struct Micros([u8; 7]);

impl From<i64> for Micros {
    fn from(micros: i64) -> Self {
        let [low @ .., _] = micros.to_le_bytes();
        Micros(low)
    }
}

impl From<Micros> for i64 {
    fn from(Micros([a, b, c, d, e, f, g]): Micros) -> i64 {
        // The sign is that of the highest byte that is kept.
        i64::from_le_bytes([0, a, b, c, d, e, f, g]) >> 8
    }
}

impl Bytes for Micros {}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Hashes that fill few parts, with neighbours that differ in one bit.
    fn hashes(count: u64) -> impl Iterator<Item = u64> {
        (0..count).map(|n| ((n % 3) << 48) | ((n * 7919) % 1009) | ((n % 2) << 47))
    }

    #[test]
    fn entries_take_no_more_than_their_bytes() {
        assert_eq!(size_of::<Entry<[u8; 0]>>(), 6);
        assert_eq!(size_of::<Entry<Micros>>(), 13);
    }

    #[test]
    fn a_packed_map_is_a_map() {
        let mut packed = Packed::default();
        let mut expected = BTreeMap::new();
        assert!(
            packed.get(7).is_none() && packed.remove(7).is_none() && packed.get_mut(7).is_none()
        );
        for (n, hash) in hashes(20_000).enumerate() {
            let value = (n as u32).to_be_bytes();
            match n % 5 {
                4 => assert_eq!(packed.remove(hash), expected.remove(&hash)),
                3 => {
                    let found = packed.get_mut(hash);
                    assert_eq!(found.as_deref(), expected.get(&hash));
                    if let (Some(found), Some(known)) = (found, expected.get_mut(&hash)) {
                        (*found, *known) = (value, value);
                    }
                }
                _ => {
                    let is_new = !expected.contains_key(&hash);
                    expected.entry(hash).or_insert(value);
                    assert_eq!(packed.insert(hash, value), is_new);
                }
            }
            assert_eq!(packed.get(hash), expected.get(&hash).copied());
            assert_eq!(packed.len(), expected.len());
        }
        assert!(packed.len() > 1000);
        for (hash, value) in expected {
            assert_eq!(packed.remove(hash), Some(value));
        }
        assert_eq!(packed.len(), 0);
    }

    #[test]
    fn a_set_stays_the_same_when_it_is_packed() {
        let mut set = Hashes::default();
        let mut expected = BTreeSet::new();
        // Each value twice, the second time after the set was packed for most of them.
        for n in (0..FEW as u64 + 1000).chain(0..FEW as u64 + 2000) {
            let hash = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            assert_eq!(set.insert(hash), expected.insert(hash));
        }
        assert!(set.few.is_empty());
        assert_eq!(set.len(), expected.len());
        set.clear();
        assert_eq!(set.len(), 0);
        assert!(set.insert(5) && !set.insert(5));
    }

    #[test]
    fn times_keep_their_value() {
        for micros in [
            0,
            1,
            -1,
            1_723_507_200_000_001,
            -62_135_596_800,
            i64::from(i32::MAX) << 20,
        ] {
            assert_eq!(i64::from(Micros::from(micros)), micros);
        }
    }
}
