//! Dictionaries of a column chunk: values by first use, each once.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::bits::{hybrid, hybrid_constant, width_of};
use super::keys::Whole;

/// Texts, each once, in the form of a dictionary page.
#[derive(Default)]
pub(super) struct TextPool {
    /// `PLAIN`: each value after its length.
    pub bytes: Vec<u8>,
    starts: Vec<u32>,
    /// The first eight bytes of each, so that most comparisons look no further.
    heads: Vec<u64>,
    /// Hash and id, of as many values as were looked up yet.
    index: HashTable<(u32, u32)>,
}

/// The first eight bytes as a number that orders as they do.
#[inline]
pub(super) fn head(value: &[u8]) -> u64 {
    match value.first_chunk::<8>() {
        Some(bytes) => u64::from_be_bytes(*bytes),
        None => {
            let mut bytes = [0; 8];
            bytes[..value.len()].copy_from_slice(value);
            u64::from_be_bytes(bytes)
        }
    }
}

#[inline]
pub(super) fn hash_text(value: &[u8]) -> u32 {
    let hash = FixedState::with_seed(0).hash_one(value);
    (hash ^ hash >> 32) as u32
}

#[inline]
pub(super) fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl TextPool {
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Value of an id.
    #[inline]
    pub(super) fn get(&self, id: u32) -> &[u8] {
        let start = self.starts[id as usize] as usize;
        let end = match self.starts.get(id as usize + 1) {
            Some(next) => *next as usize,
            None => self.bytes.len(),
        };
        &self.bytes[start + 4..end]
    }

    /// Makes room for up to so many more, where there are few yet: growing by and by to thousands
    /// places all of them again and again.
    pub(super) fn expect(&mut self, more: usize) {
        if more > 2 * self.len() {
            self.starts.reserve(more);
            self.heads.reserve(more);
        }
    }

    /// The same for values that are looked up.
    pub(super) fn expect_lookups(&mut self, more: usize) {
        if more > 2 * self.index.len() {
            self.index.reserve(more, |(hash, _)| spread(*hash));
        }
    }

    /// Adds a value that is known to be new; returns its id.
    pub(super) fn push(&mut self, value: &[u8]) -> u32 {
        let id = self.starts.len() as u32;
        self.starts.push(self.bytes.len() as u32);
        self.bytes
            .extend_from_slice(&(value.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(value);
        self.heads.push(head(value));
        id
    }

    /// Id of a value.
    pub(super) fn intern(&mut self, value: &[u8]) -> u32 {
        for id in self.index.len() as u32..self.starts.len() as u32 {
            let hash = hash_text(self.get(id));
            self.index
                .insert_unique(spread(hash), (hash, id), |(h, _)| spread(*h));
        }
        let hash = hash_text(value);
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

    /// Forgets the values from `len` on. The pool only answers [`TextPool::get`] from then on.
    pub(super) fn truncate(&mut self, len: usize) {
        if let Some(start) = self.starts.get(len) {
            self.bytes.truncate(*start as usize);
            self.starts.truncate(len);
        }
        self.index = HashTable::new();
    }

    /// Ids of the least and the greatest value of some.
    pub(super) fn extremes(&self, ids: &Ids) -> Option<(u32, u32)> {
        let mut found: Option<[(u64, u32); 2]> = None;
        ids.for_each_used(|id| {
            let head = self.heads[id as usize];
            let Some([(low, least), (high, greatest)]) = &mut found else {
                found = Some([(head, id); 2]);
                return;
            };
            if head < *low || (head == *low && self.get(id) < self.get(*least)) {
                (*low, *least) = (head, id);
            } else if head > *high || (head == *high && self.get(id) > self.get(*greatest)) {
                (*high, *greatest) = (head, id);
            }
        });
        found.map(|[(_, least), (_, greatest)]| (least, greatest))
    }
}

/// The base of a table's next user: above all entries of the last, which had `base` and `len`
/// ids, so that none is taken for one of the next.
pub(super) fn next_base(base: u32, len: usize, entries: &mut [u32]) -> u32 {
    match base.checked_add(len as u32) {
        Some(next) if next < u32::MAX / 2 => next,
        _ => {
            entries.fill(0);
            1
        }
    }
}

/// Values below this are found in a table rather than by hash.
const DIRECT: i64 = 1 << 16;

/// Ids by value or key, handed from chunk to chunk: clearing it would cost more than a chunk's
/// values.
pub(super) struct Direct {
    /// By value: `base` and the id; less than `base` where the chunk has no such value.
    pub entries: Vec<u32>,
    pub base: u32,
}

impl Default for Direct {
    fn default() -> Self {
        Direct {
            entries: Vec::new(),
            base: 1,
        }
    }
}

/// Integers, each once.
#[derive(Default)]
pub(super) struct IntegerPool {
    pub values: Vec<i64>,
    direct: Direct,
    index: HashTable<u32>,
}

#[inline]
fn hash_integer(value: i64) -> u64 {
    let mixed = (value as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ mixed >> 29
}

impl IntegerPool {
    /// Begins with a table of an earlier chunk, if there is one.
    pub(super) fn begin(&mut self, tables: &mut Vec<Direct>) {
        if self.values.is_empty()
            && self.direct.entries.is_empty()
            && let Some(direct) = tables.pop()
        {
            self.direct = direct;
        }
    }

    /// Hands the table on; no value can be added after that.
    pub(super) fn end(&mut self, tables: &mut Vec<Direct>) {
        let mut direct = std::mem::take(&mut self.direct);
        if direct.entries.is_empty() {
            return;
        }
        direct.base = next_base(direct.base, self.values.len(), &mut direct.entries);
        tables.push(direct);
    }

    /// Appends the id of each value to `ids`; `bounds` are the least and the greatest.
    pub(super) fn map(&mut self, values: &[i64], bounds: (i64, i64), ids: &mut Vec<u32>) {
        if bounds.0 < 0 || bounds.1 >= DIRECT {
            ids.extend(values.iter().map(|value| self.id(*value)));
            return;
        }
        self.reach(bounds.1);
        let Direct { entries, base } = &mut self.direct;
        let (base, pool) = (*base, &mut self.values);
        ids.extend(values.iter().map(|value| {
            let entry = &mut entries[*value as usize];
            if *entry < base {
                *entry = base + pool.len() as u32;
                pool.push(*value);
            }
            *entry - base
        }));
    }

    /// Makes the table long enough for a value.
    fn reach(&mut self, value: i64) {
        let (entries, len) = (&mut self.direct.entries, value as usize + 1);
        if entries.len() < len {
            entries.resize(len.next_power_of_two(), 0);
        }
    }

    fn id(&mut self, value: i64) -> u32 {
        if (0..DIRECT).contains(&value) {
            self.reach(value);
            let (entry, base) = (&mut self.direct.entries[value as usize], self.direct.base);
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

    /// Whether most values are found by hash.
    pub(super) fn is_scattered(&self) -> bool {
        self.index.len() * 2 > self.values.len()
    }

    /// Forgets the values from `len` on; no value can be added after that.
    pub(super) fn truncate(&mut self, len: usize) {
        self.values.truncate(len);
        self.index = HashTable::new();
    }
}

/// Ids that wait for their page: one and the same as long as it lasts.
#[derive(Default)]
pub(super) struct Ids {
    first: u32,
    count: usize,
    /// Empty while all are `first`, or `whole` says them.
    all: Vec<u32>,
    whole: Option<Whole>,
}

impl Ids {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    fn is_constant(&self) -> bool {
        self.all.is_empty() && self.whole.is_none()
    }

    /// The id that all are.
    pub(super) fn constant(&self) -> Option<u32> {
        (self.count > 0 && self.is_constant()).then_some(self.first)
    }

    pub(super) fn push_constant(&mut self, id: u32, count: usize) {
        if self.count == 0 {
            self.first = id;
        }
        if self.is_constant() && self.first == id {
            self.count += count;
            return;
        }
        let all = self.mix();
        all.extend(std::iter::repeat_n(id, count));
        self.count = self.all.len();
    }

    /// Adds the ids of a key set's values, of which not all have one.
    pub(super) fn push_whole(&mut self, whole: Whole) {
        if self.count == 0 {
            self.count = whole.set.len;
            self.whole = Some(whole);
            return;
        }
        whole.set.ids(&whole.of, self.mix());
        self.settle();
    }

    /// Those, where they are all that waits; nothing does then.
    pub(super) fn take_whole(&mut self) -> Option<Whole> {
        let whole = self.whole.take()?;
        self.count = 0;
        Some(whole)
    }

    /// The same without taking them.
    pub(super) fn whole(&self) -> Option<&Whole> {
        self.whole.as_ref()
    }

    /// The ids, to append to. [`Ids::settle`] must follow.
    pub(super) fn mix(&mut self) -> &mut Vec<u32> {
        if let Some(whole) = self.whole.take() {
            whole.set.ids(&whole.of, &mut self.all);
        } else if self.all.is_empty() {
            self.all.resize(self.count, self.first);
        }
        &mut self.all
    }

    /// Counts what was appended.
    pub(super) fn settle(&mut self) {
        self.count = self.all.len();
    }

    /// Drops the ids from `len` on.
    pub(super) fn truncate(&mut self, len: usize) {
        if len < self.count && self.whole.is_some() {
            self.mix();
        }
        self.all.truncate(len);
        self.count = len;
    }

    /// Each id.
    pub(super) fn for_each(&self, mut visit: impl FnMut(u32)) {
        match &self.whole {
            Some(whole) => whole.set.for_each(|place| visit(whole.of[place as usize])),
            None if self.all.is_empty() => (0..self.count).for_each(|_| visit(self.first)),
            None => self.all.iter().for_each(|id| visit(*id)),
        }
    }

    /// Each id at least once.
    fn for_each_used(&self, mut visit: impl FnMut(u32)) {
        match &self.whole {
            Some(whole) => whole.of.iter().for_each(|id| visit(*id)),
            None if self.all.is_empty() => (0..self.count.min(1)).for_each(|_| visit(self.first)),
            None => self.all.iter().for_each(|id| visit(*id)),
        }
    }

    /// Appends a page's body: width, then the ids; and starts anew.
    pub(super) fn flush(&mut self, out: &mut Vec<u8>) {
        if self.whole.is_some() {
            self.mix();
        }
        match self.all.is_empty() {
            true => {
                let width = index_width(self.first);
                out.push(width as u8);
                hybrid_constant(self.first, self.count, width, out);
            }
            false => put_ids(&self.all, out),
        }
        self.all.clear();
        self.count = 0;
    }
}

/// Appends ids as a page's body has them.
pub(super) fn put_ids(ids: &[u32], out: &mut Vec<u8>) {
    // All bits in use: as wide as the greatest id, and quicker found.
    let width = index_width(ids.iter().fold(0, |bits, id| bits | id));
    out.push(width as u8);
    hybrid(ids, width, out);
}

/// Width of ids up to `greatest`. Some readers know no width of 0.
fn index_width(greatest: u32) -> usize {
    width_of(u64::from(greatest)).max(1)
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
        fn ids_are_of_the_chunk_whose_table_was_handed_on(
            chunks in prop::collection::vec(prop::collection::vec(integers(), 1..60), 1..6),
            base in prop_oneof![Just(1), u32::MAX / 2 - 60..u32::MAX / 2],
        ) {
            let mut tables = vec![Direct { entries: vec![0], base }];
            for chunk in chunks {
                let mut pool = IntegerPool::default();
                pool.begin(&mut tables);
                let mut ids = Vec::new();
                for values in chunk.chunks(20) {
                    let bounds = values.iter().fold((i64::MAX, i64::MIN), |(l, g), v| (l.min(*v), g.max(*v)));
                    pool.map(values, bounds, &mut ids);
                }
                let mapped: Vec<i64> = ids.iter().map(|id| pool.values[*id as usize]).collect();
                prop_assert_eq!(&mapped, &chunk);
                let mut once = pool.values.clone();
                once.sort_unstable();
                once.dedup();
                prop_assert_eq!(once.len(), pool.values.len());
                pool.end(&mut tables);
                prop_assert_eq!(tables.len(), 1);
            }
        }
    }
}
