//! Maps from the keys of Arrow dictionaries to the ids of a chunk's dictionary.
//!
//! Many Arrow dictionaries outlive a batch, and a row group. What the encoder learns about such a
//! dictionary is kept for as long as it exists: the memory of its map, and, once looking up its
//! values has cost more than one pass over them, which of its values are equal. After that its
//! values aren't hashed any more.

use std::sync::{Arc, Weak};

use arrow_array::{Array, ArrayRef};
use hashbrown::HashTable;

use crate::byte_arrays::ByteArrays;
use crate::dictionary::{ByteArrayDictionary, hash_bytes, spread};
use crate::id_table::IdTable;

/// A map from the keys of one Arrow dictionary to the ids of one chunk.
pub(crate) struct KeyMap {
    /// The Arrow dictionary's values; held so that their address isn't reused.
    values: ArrayRef,
    ids: IdTable,
    /// The first key with the same value, by key; `None` while that isn't known.
    first_equal: Option<Arc<[u32]>>,
    /// The number of values that were looked up.
    lookups: usize,
}

impl KeyMap {
    /// The number of values of the Arrow dictionary.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether `values` are this map's dictionary, or share all buffers with it.
    pub(crate) fn is_of(&self, values: &ArrayRef) -> bool {
        std::ptr::addr_eq(&raw const **values, &raw const *self.values)
            || (values.len() == self.values.len()
                && values.to_data().ptr_eq(&self.values.to_data()))
    }

    /// Whether it is known which of the dictionary's values are equal.
    pub(crate) fn knows_duplicates(&self) -> bool {
        self.first_equal.is_some()
    }

    /// Appends the ids of distinct keys to `ids`, and adds new values to the target. `values` are
    /// those of the Arrow dictionary. `None` if the target exceeds its limit before the last value
    /// is added; the appended ids are invalid then.
    pub(crate) fn map(
        &mut self,
        keys: &[u32],
        values: &ByteArrays<'_>,
        target: Target<'_>,
        ids: &mut Vec<u32>,
    ) -> Option<()> {
        let start = ids.len();
        let (entries, base) = (&self.ids.entries, self.ids.base);
        let known = |key: &u32| entries.get(*key as usize).copied();
        ids.extend(keys.iter().map(|key| known(key).unwrap_or(0)));
        let new = &mut ids[start..];
        let missing = new.iter().filter(|id| **id < base).count();
        if missing > 0 {
            target.dictionary.reserve(missing);
            self.add_missing(keys, values, target, missing, new)?;
        }
        new.iter_mut().for_each(|id| *id -= base);
        Some(())
    }

    /// Adds the values of the `missing` keys whose entry in `ids` is below the base, and replaces
    /// these entries.
    fn add_missing(
        &mut self,
        keys: &[u32],
        values: &ByteArrays<'_>,
        target: Target<'_>,
        missing: usize,
        ids: &mut [u32],
    ) -> Option<()> {
        let Target {
            dictionary,
            limit,
            is_only_source,
        } = target;
        let first_equal = self.first_equal.as_deref().filter(|_| is_only_source);
        if first_equal.is_none() {
            dictionary.reserve_index(missing);
            self.lookups += missing;
        }
        let IdTable { entries, base } = &mut self.ids;
        for (id, key) in ids.iter_mut().zip(keys).filter(|(id, _)| **id < *base) {
            let at = match first_equal {
                Some(first_equal) => *first_equal.get(*key as usize)?,
                None => *key,
            } as usize;
            let entry = entries.get_mut(at)?;
            if *entry < *base {
                if dictionary.bytes.len() > limit {
                    return None;
                }
                *entry = *base
                    + match first_equal {
                        Some(_) => dictionary.push(values.get(at)),
                        None => dictionary.intern(values.get(at)),
                    };
            }
            *id = *entry;
            *entries.get_mut(*key as usize)? = *id;
        }
        Some(())
    }
}

/// Where [`KeyMap::map`] adds new values.
pub(crate) struct Target<'d> {
    pub dictionary: &'d mut ByteArrayDictionary,
    /// The number of bytes after which no value is added.
    pub limit: usize,
    /// Whether all values of the chunk's dictionary come from the map's Arrow dictionary.
    pub is_only_source: bool,
}

/// What chunks leave behind for Arrow dictionaries that still exist.
#[derive(Default)]
pub(crate) struct KeyMapCache {
    /// Tables that no chunk uses at the moment.
    idle: Vec<(Weak<dyn Array>, IdTable)>,
    duplicates: Vec<Duplicates>,
}

/// Which values of an Arrow dictionary are equal.
struct Duplicates {
    of: Weak<dyn Array>,
    /// The number of values that all maps of the dictionary have looked up.
    lookups: usize,
    /// See [`KeyMap::first_equal`].
    first_equal: Option<Arc<[u32]>>,
}

impl Duplicates {
    fn new(of: &Weak<dyn Array>) -> Self {
        Duplicates {
            of: of.clone(),
            lookups: 0,
            first_equal: None,
        }
    }
}

fn is_same(of: &Weak<dyn Array>, values: &ArrayRef) -> bool {
    std::ptr::addr_eq(of.as_ptr(), Arc::as_ptr(values))
}

impl KeyMapCache {
    /// An empty map of an Arrow dictionary for one chunk.
    pub(crate) fn take(&mut self, values: &ArrayRef) -> KeyMap {
        let idle = self.idle.iter().position(|(of, _)| is_same(of, values));
        let ids = match idle {
            Some(at) => self.idle.swap_remove(at).1,
            None => IdTable::with_len(values.len()),
        };
        let known = self.duplicates.iter().find(|d| is_same(&d.of, values));
        KeyMap {
            values: values.clone(),
            ids,
            first_equal: known.and_then(|known| known.first_equal.clone()),
            lookups: 0,
        }
    }

    /// Takes back the map of a chunk whose dictionary has `len` values.
    pub(crate) fn give_back(&mut self, mut map: KeyMap, len: usize) {
        let of = Arc::downgrade(&map.values);
        if of.strong_count() == 1 {
            // Nobody else can use the dictionary again.
            return;
        }
        map.ids.reset(len);
        self.count_lookups(&of, &map);
        self.idle.push((of, map.ids));
    }

    /// Notes the lookups of a map, and finds out which values are equal when that has become
    /// cheaper than looking them up.
    fn count_lookups(&mut self, of: &Weak<dyn Array>, map: &KeyMap) {
        let known = self
            .duplicates
            .iter()
            .position(|d| is_same(&d.of, &map.values));
        let at = known.unwrap_or_else(|| {
            self.duplicates.push(Duplicates::new(of));
            self.duplicates.len() - 1
        });
        let known = &mut self.duplicates[at];
        known.lookups += map.lookups;
        if known.first_equal.is_none() && known.lookups > map.values.len() {
            let values = ByteArrays::new(&map.values);
            known.first_equal = values.map(|values| first_equal(map.values.len(), &values));
        }
    }

    /// Drops what belongs to Arrow dictionaries that no longer exist.
    pub(crate) fn remove_dead(&mut self) {
        self.idle.retain(|(of, _)| of.strong_count() > 0);
        self.duplicates.retain(|d| d.of.strong_count() > 0);
    }
}

/// The index of the first equal value, for each of `len` values.
fn first_equal(len: usize, values: &ByteArrays<'_>) -> Arc<[u32]> {
    let mut index: HashTable<(u32, u32)> = HashTable::with_capacity(len);
    let first = |at: usize| {
        let hash = hash_bytes(values.get(at));
        let is_equal =
            |(h, first): &(u32, u32)| *h == hash && values.get(*first as usize) == values.get(at);
        if let Some((_, first)) = index.find(spread(hash), is_equal) {
            return *first;
        }
        let own = (hash, at as u32);
        index.insert_unique(spread(hash), own, |(h, _)| spread(*h));
        own.1
    };
    (0..len).map(first).collect()
}
