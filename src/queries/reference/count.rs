//! Parts of evaluators: groups, distinct counts, and the first rows of an order.

use std::cmp::Ordering;

use foldhash::fast::FixedState;
use hashbrown::hash_map::Entry;
use hashbrown::{HashMap, HashSet};
use serde_json::{Value as Json, json};

use super::packed::Hashes;
use crate::queries::record::ResultRows as Table;

/// The number of a null text.
pub(super) const NULL: u64 = 0;

/// A text that a result shows.
pub(super) type Shown = Option<Box<str>>;

/// A map by hashes of texts and other integers.
pub(super) type Map<K, V> = HashMap<K, V, FixedState>;
pub(super) type Set<K> = HashSet<K, FixedState>;

/// Groups by `N` texts, which are kept to be shown.
pub(super) struct Groups<const N: usize, A>(Map<[u64; N], ([Shown; N], A)>);

impl<const N: usize, A> Default for Groups<N, A> {
    fn default() -> Self {
        Groups(Map::default())
    }
}

impl<const N: usize, A: Default> Groups<N, A> {
    /// The group with these hashes; `shown` tells its texts when it is new.
    pub fn at(&mut self, ids: [u64; N], shown: impl FnOnce() -> [Shown; N]) -> &mut A {
        match self.0.entry(ids) {
            Entry::Occupied(entry) => &mut entry.into_mut().1,
            Entry::Vacant(entry) => &mut entry.insert((shown(), A::default())).1,
        }
    }

    /// Takes the groups out, in no order.
    pub fn drain(&mut self) -> impl Iterator<Item = ([Shown; N], A)> + '_ {
        self.0.drain().map(|(_, group)| group)
    }

    /// The hashes and texts of the groups, in no order.
    pub fn into_texts(self) -> impl Iterator<Item = ([u64; N], [Shown; N])> {
        self.0.into_iter().map(|(ids, (shown, _))| (ids, shown))
    }

    /// The groups, in no order.
    pub fn into_groups(self) -> impl Iterator<Item = ([Shown; N], A)> {
        self.0.into_values()
    }
}

/// One hash of several.
pub(super) fn together(ids: &[u64]) -> u64 {
    use std::hash::BuildHasher as _;
    foldhash::quality::FixedState::default().hash_one(ids)
}

/// Counts the distinct values of groups: each pair of group and value once. A null is no value.
#[derive(Default)]
pub(super) struct Pairs(Hashes);

impl Pairs {
    /// 1 if the group, given by its hashes, gets the value for the first time; else 0.
    pub fn is_new<const N: usize>(&mut self, group: &[u64; N], value: u64) -> u64 {
        if value == NULL {
            return 0;
        }
        let group = match group.as_slice() {
            [one] => *one,
            several => together(several),
        };
        u64::from(self.0.insert(together(&[group, value])))
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// Distinct values among many.
#[derive(Default)]
pub(super) struct Distinct {
    known: Hashes,
    /// Values that are added in order, so that neighbours in memory follow each other.
    waiting: Vec<u64>,
}

/// Values that wait, at least.
const WAITING: usize = 64 * 1024;

impl Distinct {
    pub fn extend(&mut self, values: impl Iterator<Item = u64>) {
        self.waiting.extend(values);
        if self.waiting.len() >= WAITING {
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.waiting.sort_unstable();
        self.waiting.dedup();
        for value in self.waiting.drain(..) {
            self.known.insert(value);
        }
    }

    /// The number of distinct values.
    pub fn count(&mut self) -> usize {
        self.settle();
        self.known.len()
    }
}

/// First and last time, Unix microseconds.
#[derive(Clone, Copy)]
pub(super) struct Span {
    pub first: i64,
    pub last: i64,
}

impl Default for Span {
    fn default() -> Self {
        Span {
            first: i64::MAX,
            last: i64::MIN,
        }
    }
}

impl Span {
    pub fn add(&mut self, time: i64) {
        self.first = self.first.min(time);
        self.last = self.last.max(time);
    }
}

/// Whether a group has exactly one host, and which. Nulls do not count.
#[derive(Default)]
pub(super) struct OnlyHost {
    id: u64,
    shown: Shown,
    are_more: bool,
}

impl OnlyHost {
    pub fn add(&mut self, id: u64, shown: impl FnOnce() -> Shown) {
        if id == NULL || id == self.id {
            return;
        }
        match self.id {
            NULL => (self.id, self.shown) = (id, shown()),
            _ => self.are_more = true,
        }
    }

    /// The host, if it is the only one.
    pub fn get(self) -> Option<Box<str>> {
        self.shown.filter(|_| !self.are_more)
    }
}

/// A text in an order with `NULLS LAST`: by bytes.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone)]
pub(super) struct Last(bool, Shown);

/// The text's place in an order.
pub(super) fn last(text: &Shown) -> Last {
    Last(text.is_none(), text.clone())
}

/// The first rows of an order, and how many there were.
pub(super) struct Top<K> {
    most: usize,
    rows: Vec<(K, Vec<Json>)>,
    seen: u64,
}

impl<K: Ord> Top<K> {
    /// Keeps `most` rows.
    pub fn new(most: usize) -> Self {
        Top {
            most,
            rows: Vec::new(),
            seen: 0,
        }
    }

    /// Keeps all rows.
    pub fn all() -> Self {
        Top::new(usize::MAX)
    }

    pub fn add(&mut self, key: K, row: impl FnOnce() -> Vec<Json>) {
        self.seen += 1;
        // Once sorted and cut, the last row is the greatest that is kept.
        self.rows.push((key, row()));
        if self.rows.len() > self.most.saturating_mul(8) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.rows
            .sort_unstable_by(|a, b| -> Ordering { a.0.cmp(&b.0) });
        self.rows.truncate(self.most);
    }

    /// The rows in order.
    pub fn rows(mut self) -> Table {
        self.cut();
        self.rows.into_iter().map(|(_, row)| row).collect()
    }

    /// The rows in order, each with the number of all rows: `count(*) OVER () AS groups`.
    pub fn rows_with_groups(self) -> Table {
        let seen = self.seen;
        let mut rows = self.rows();
        for row in &mut rows {
            row.push(json!(seen));
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinct_values_are_counted_once() {
        let mut distinct = Distinct::default();
        let mut expected = std::collections::BTreeSet::new();
        // In three lots that overlap, larger than what waits.
        for lot in 0..3u64 {
            let values = (0..100_000u64).map(|n| (n * 7919 + lot * 13) % 150_001);
            expected.extend(values.clone());
            distinct.extend(values);
        }
        assert_eq!(distinct.count(), expected.len());
        // Counting twice changes nothing.
        assert_eq!(distinct.count(), expected.len());
        assert_eq!(Distinct::default().count(), 0);
    }

    #[test]
    fn pairs_are_new_once_in_each_group() {
        let mut pairs = Pairs::default();
        let calls = [([1], 5), ([1], 5), ([2], 5), ([1], NULL), ([1], 6)];
        let new = calls.map(|(group, value)| pairs.is_new(&group, value));
        assert_eq!(new, [1, 0, 1, 0, 1]);
        pairs.clear();
        assert_eq!(pairs.is_new(&[1], 5), 1);
    }

    #[test]
    fn the_first_rows_are_kept_in_order_and_all_are_counted() {
        let mut top = Top::new(3);
        for key in [9, 4, 7, 1, 8, 2, 6, 5, 3, 0].into_iter().cycle().take(40) {
            top.add(key, || vec![json!(key)]);
        }
        let row = |key: u64| vec![json!(key), json!(40)];
        assert_eq!(top.rows_with_groups(), [row(0), row(0), row(0)]);
        assert!(last(&None) > last(&Some("z".into())));
    }
}
