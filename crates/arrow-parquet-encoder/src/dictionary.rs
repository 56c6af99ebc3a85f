//! The dictionary of a column chunk: its distinct values in the order of their first use.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::id_table::IdTable;
use crate::page_ids::PageIds;

/// A dictionary of strings or binary values, in the form of a dictionary page.
#[derive(Default)]
pub(crate) struct ByteArrayDictionary {
    /// `PLAIN` encoding: each value after its length.
    pub bytes: Vec<u8>,
    /// Where each value's length begins in `bytes`.
    starts: Vec<u32>,
    /// The first eight bytes of each value, which decide most comparisons.
    heads: Vec<u64>,
    /// Hash and id. It has the values up to the last lookup; those added without one are inserted
    /// when the next lookup needs them.
    index: HashTable<(u32, u32)>,
}

/// The first eight bytes as a number with the same order.
#[inline]
pub(crate) fn head(value: &[u8]) -> u64 {
    match value.first_chunk::<8>() {
        Some(bytes) => u64::from_be_bytes(*bytes),
        None => {
            let mut bytes = [0; 8];
            bytes[..value.len()].copy_from_slice(value);
            u64::from_be_bytes(bytes)
        }
    }
}

/// The stored hash of a value; [`spread`] makes it a hash for `HashTable`.
#[inline]
pub(crate) fn hash_bytes(value: &[u8]) -> u32 {
    let hash = FixedState::with_seed(0).hash_one(value);
    (hash ^ hash >> 32) as u32
}

/// Spreads 32 bits over 64, for `HashTable` uses the highest bits too.
#[inline]
pub(crate) fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl ByteArrayDictionary {
    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }

    /// The value of an id.
    #[inline]
    pub(crate) fn get(&self, id: u32) -> &[u8] {
        let start = self.starts[id as usize] as usize;
        let end = match self.starts.get(id as usize + 1) {
            Some(next) => *next as usize,
            None => self.bytes.len(),
        };
        &self.bytes[start + 4..end]
    }

    /// Reserves room for up to `more` values if the dictionary is small: growing step by step to
    /// thousands of values would move all of them repeatedly.
    pub(crate) fn reserve(&mut self, more: usize) {
        if more > 2 * self.len() {
            self.starts.reserve(more);
            self.heads.reserve(more);
        }
    }

    /// As [`ByteArrayDictionary::reserve`], for the index of [`ByteArrayDictionary::intern`].
    pub(crate) fn reserve_index(&mut self, more: usize) {
        if more > 2 * self.index.len() {
            self.index.reserve(more, |(hash, _)| spread(*hash));
        }
    }

    /// Adds a value that the dictionary doesn't have; returns its id.
    pub(crate) fn push(&mut self, value: &[u8]) -> u32 {
        let id = self.starts.len() as u32;
        self.starts.push(self.bytes.len() as u32);
        self.bytes
            .extend_from_slice(&(value.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(value);
        self.heads.push(head(value));
        id
    }

    /// The id of a value, which is added if it is new.
    pub(crate) fn intern(&mut self, value: &[u8]) -> u32 {
        for id in self.index.len() as u32..self.starts.len() as u32 {
            let hash = hash_bytes(self.get(id));
            self.index
                .insert_unique(spread(hash), (hash, id), |(h, _)| spread(*h));
        }
        let hash = hash_bytes(value);
        let found = self
            .index
            .find(spread(hash), |(h, id)| *h == hash && self.get(*id) == value);
        if let Some((_, id)) = found {
            return *id;
        }
        let id = self.push(value);
        self.index
            .insert_unique(spread(hash), (hash, id), |(h, _)| spread(*h));
        id
    }

    /// Drops the values from `len` on. No value can be added after that.
    pub(crate) fn truncate(&mut self, len: usize) {
        if let Some(start) = self.starts.get(len) {
            self.bytes.truncate(*start as usize);
            self.starts.truncate(len);
        }
        self.index = HashTable::new();
    }

    /// The ids of the minimum and the maximum among a page's values.
    pub(crate) fn extremes(&self, ids: &PageIds) -> Option<(u32, u32)> {
        let used = ids.used();
        let first = *used.first()?;
        let head = self.heads[first as usize];
        let ((mut low, mut least), (mut high, mut greatest)) = ((head, first), (head, first));
        for &id in &used[1..] {
            let head = self.heads[id as usize];
            // Most values are neither.
            if head > low && head < high {
                continue;
            }
            if head < low || (head == low && self.is_less(id, least)) {
                (low, least) = (head, id);
            } else if head > high || (head == high && self.is_less(greatest, id)) {
                (high, greatest) = (head, id);
            }
        }
        Some((least, greatest))
    }

    /// Whether the value of `a` is less than that of `b`.
    fn is_less(&self, a: u32, b: u32) -> bool {
        a != b && self.get(a) < self.get(b)
    }
}

/// Values from 0 to below this are looked up in a table, others by hash.
const TABLE_LIMIT: i64 = 1 << 16;

/// A dictionary of integers.
#[derive(Default)]
pub(crate) struct IntegerDictionary {
    pub values: Vec<i64>,
    table: IdTable,
    index: HashTable<u32>,
}

#[inline]
fn hash_integer(value: i64) -> u64 {
    let mixed = (value as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ mixed >> 29
}

impl IntegerDictionary {
    /// Takes over an earlier chunk's table, if there is one, before the first value.
    pub(crate) fn begin(&mut self, tables: &mut Vec<IdTable>) {
        if self.values.is_empty()
            && self.table.entries.is_empty()
            && let Some(table) = tables.pop()
        {
            self.table = table;
        }
    }

    /// Passes the table on to later chunks. No value can be added after that.
    pub(crate) fn end(&mut self, tables: &mut Vec<IdTable>) {
        let mut table = std::mem::take(&mut self.table);
        if table.entries.is_empty() {
            return;
        }
        table.reset(self.values.len());
        tables.push(table);
    }

    /// Appends the id of each value to `ids`. `bounds` are the minimum and the maximum.
    pub(crate) fn map(&mut self, values: &[i64], bounds: (i64, i64), ids: &mut Vec<u32>) {
        if bounds.0 < 0 || bounds.1 >= TABLE_LIMIT {
            ids.extend(values.iter().map(|value| self.id(*value)));
            return;
        }
        let (greatest, first) = (bounds.1 as usize, ids.len());
        self.table.grow_to(greatest);
        ids.resize(first + values.len(), 0);
        let (known, ids) = (&mut self.values, &mut ids[first..]);
        self.table
            .assign(values, greatest, |v| v as usize, known, ids);
    }

    fn id(&mut self, value: i64) -> u32 {
        if (0..TABLE_LIMIT).contains(&value) {
            self.table.grow_to(value as usize);
            let (entry, base) = (&mut self.table.entries[value as usize], self.table.base);
            if *entry < base {
                *entry = base + self.values.len() as u32;
                self.values.push(value);
            }
            return *entry - base;
        }
        let hash = hash_integer(value);
        let found = self
            .index
            .find(hash, |id| self.values[*id as usize] == value);
        if let Some(id) = found {
            return *id;
        }
        let id = self.values.len() as u32;
        self.values.push(value);
        let values = &self.values;
        self.index
            .insert_unique(hash, id, |id| hash_integer(values[*id as usize]));
        id
    }

    /// Whether most values are looked up by hash.
    pub(crate) fn is_scattered(&self) -> bool {
        self.index.len() * 2 > self.values.len()
    }

    /// Drops the values from `len` on. No value can be added after that.
    pub(crate) fn truncate(&mut self, len: usize) {
        self.values.truncate(len);
        self.index = HashTable::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn integers() -> impl Strategy<Value = i64> {
        prop_oneof![0i64..9, 0i64..70_000, -5i64..5, any::<i64>()]
    }

    proptest! {
        #[test]
        fn ids_are_right_after_a_table_is_passed_on(
            chunks in prop::collection::vec(prop::collection::vec(integers(), 1..60), 1..6),
            base in prop_oneof![Just(1), u32::MAX / 2 - 60..u32::MAX / 2],
        ) {
            let mut tables = vec![IdTable { entries: vec![0], base }];
            for chunk in chunks {
                let mut dictionary = IntegerDictionary::default();
                dictionary.begin(&mut tables);
                let mut ids = Vec::new();
                for values in chunk.chunks(20) {
                    let bounds = values.iter().fold((i64::MAX, i64::MIN), |(l, g), v| (l.min(*v), g.max(*v)));
                    dictionary.map(values, bounds, &mut ids);
                }
                let mapped: Vec<i64> = ids.iter().map(|id| dictionary.values[*id as usize]).collect();
                prop_assert_eq!(&mapped, &chunk);
                let mut once = dictionary.values.clone();
                once.sort_unstable();
                once.dedup();
                prop_assert_eq!(once.len(), dictionary.values.len());
                dictionary.end(&mut tables);
                prop_assert_eq!(tables.len(), 1);
            }
        }
    }
}
