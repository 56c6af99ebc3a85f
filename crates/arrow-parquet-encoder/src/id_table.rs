//! Tables from small numbers to dictionary ids that are reused without being cleared.

/// The number of entries that an index of 16 bits reaches.
pub(crate) const SMALL: usize = 1 << 16;

/// Dictionary ids by key or value.
///
/// Chunks pass a table on to each other. Clearing it would cost more than most chunks' values, so
/// each user adds `base` to its ids, and the next user's base is greater than every entry so far.
pub(crate) struct IdTable {
    /// `base` plus the id; an entry below `base` is empty.
    pub entries: Vec<u32>,
    pub base: u32,
}

impl Default for IdTable {
    fn default() -> Self {
        IdTable {
            entries: Vec::new(),
            base: 1,
        }
    }
}

impl IdTable {
    /// An empty table for keys below `len`.
    pub(crate) fn with_len(len: usize) -> Self {
        IdTable {
            entries: vec![0; len],
            base: 1,
        }
    }

    /// Grows the table until it has an entry for `key`.
    pub(crate) fn grow_to(&mut self, key: usize) {
        if self.entries.len() <= key {
            self.entries.resize((key + 1).next_power_of_two(), 0);
        }
    }

    /// Sets `ids` to the id of each key. New keys get the next ids, and are appended to `distinct`,
    /// which has the key of each id. The table has entries up to `greatest`, and no key's `index` is
    /// greater.
    pub(crate) fn assign<K: Copy>(
        &mut self,
        keys: &[K],
        greatest: usize,
        index: impl Fn(K) -> usize,
        distinct: &mut Vec<K>,
        ids: &mut [u32],
    ) {
        let IdTable { entries, base } = self;
        let base = *base;
        match entries.first_chunk_mut::<SMALL>() {
            // An index of 16 bits needs no bounds check.
            Some(table) if greatest < SMALL => put_ids(keys, ids, |key| {
                id(
                    key,
                    &mut table[usize::from(index(key) as u16)],
                    base,
                    distinct,
                )
            }),
            _ => put_ids(keys, ids, |key| {
                id(key, &mut entries[index(key)], base, distinct)
            }),
        }
    }

    /// Empties the table, whose user assigned the ids below `ids`.
    pub(crate) fn reset(&mut self, ids: usize) {
        match self.base.checked_add(ids as u32) {
            Some(next) if next < u32::MAX / 2 => self.base = next,
            _ => {
                self.entries.fill(0);
                self.base = 1;
            }
        }
    }
}

/// The id of a key whose entry is `entry`.
#[inline(always)]
fn id<K>(key: K, entry: &mut u32, base: u32, distinct: &mut Vec<K>) -> u32 {
    if *entry < base {
        *entry = base + distinct.len() as u32;
        distinct.push(key);
    }
    *entry - base
}

/// Sets the id of each key, eight keys at a time.
#[inline(always)]
fn put_ids<K: Copy>(keys: &[K], ids: &mut [u32], mut id: impl FnMut(K) -> u32) {
    let (keys, last_keys) = keys.as_chunks::<8>();
    let (ids, last_ids) = ids.as_chunks_mut::<8>();
    for (ids, keys) in ids.iter_mut().zip(keys) {
        for (to, key) in ids.iter_mut().zip(keys) {
            *to = id(*key);
        }
    }
    for (to, key) in last_ids.iter_mut().zip(last_keys) {
        *to = id(*key);
    }
}
