//! From the keys of an Arrow dictionary to a chunk's ids.
//!
//! Many dictionaries are tables that stand for longer than a batch. What was worked out of such a
//! one is kept as long as it stands: its memory, and, once looking its values up has cost as much
//! as that, which of them are the same. Its values aren't looked up any more then.

use std::sync::{Arc, Weak};

use arrow::array::{Array, ArrayRef};
use hashbrown::HashTable;

use super::dictionary::{Direct, TextPool, hash_text, next_base, spread};
use super::texts::Texts;

/// A table from the keys of one Arrow dictionary to the chunk's ids.
pub(super) struct Remap {
    /// Held, so that its address stays its own.
    values: ArrayRef,
    ids: Direct,
    /// By key: the first that has the same value.
    first: Option<Arc<[u32]>>,
    /// Values that were looked up.
    lookups: usize,
}

impl Remap {
    /// Values of the Arrow dictionary.
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether an array is this one's dictionary, buffer for buffer.
    pub(super) fn is_of(&self, values: &ArrayRef) -> bool {
        std::ptr::addr_eq(&raw const **values, &raw const *self.values)
            || (values.len() == self.values.len()
                && values.to_data().ptr_eq(&self.values.to_data()))
    }

    /// Whether it is known which of its values are the same.
    pub(super) fn tells_values_apart(&self) -> bool {
        self.first.is_some()
    }

    /// Appends the ids of keys, which differ, to `ids`; `texts` are the dictionary's. `is_alone`
    /// says that the pool has no values but of it. `None` where the pool has passed `limit` bytes
    /// before all are in it; the new ids mean nothing then.
    pub(super) fn map(
        &mut self,
        keys: &[u32],
        texts: &Texts<'_>,
        pool: &mut TextPool,
        limit: usize,
        is_alone: bool,
        ids: &mut Vec<u32>,
    ) -> Option<()> {
        let start = ids.len();
        let Direct { entries, base } = &mut self.ids;
        let known = |key: &u32| entries.get(*key as usize).copied();
        ids.extend(keys.iter().map(|key| known(key).unwrap_or(0)));
        let new = &mut ids[start..];
        let missing = new.iter().filter(|id| **id < *base).count();
        if missing > 0 {
            let first = self.first.as_deref().filter(|_| is_alone);
            pool.expect(missing);
            if first.is_none() {
                pool.expect_lookups(missing);
                self.lookups += missing;
            }
            for (id, key) in new.iter_mut().zip(keys).filter(|(id, _)| **id < *base) {
                let at = match first {
                    Some(first) => *first.get(*key as usize)?,
                    None => *key,
                } as usize;
                let entry = entries.get_mut(at)?;
                if *entry < *base {
                    if pool.bytes.len() > limit {
                        return None;
                    }
                    *entry = *base
                        + match first {
                            Some(_) => pool.push(texts.get(at)),
                            None => pool.intern(texts.get(at)),
                        };
                }
                *id = *entry;
                *entries.get_mut(*key as usize)? = *id;
            }
        }
        new.iter_mut().for_each(|id| *id -= *base);
        Some(())
    }
}

/// What chunks leave of tables that still stand.
#[derive(Default)]
pub(super) struct Remaps {
    idle: Vec<(Weak<dyn Array>, Direct)>,
    known: Vec<Known>,
}

/// Which values of a table are the same.
struct Known {
    of: Weak<dyn Array>,
    lookups: usize,
    first: Option<Arc<[u32]>>,
}

fn is_of(of: &Weak<dyn Array>, values: &ArrayRef) -> bool {
    std::ptr::addr_eq(of.as_ptr(), Arc::as_ptr(values))
}

impl Remaps {
    /// The table of a dictionary for a chunk.
    pub(super) fn take(&mut self, values: &ArrayRef) -> Remap {
        let idle = self.idle.iter().position(|(of, _)| is_of(of, values));
        let ids = match idle {
            Some(at) => self.idle.swap_remove(at).1,
            None => Direct {
                entries: vec![0; values.len()],
                ..Direct::default()
            },
        };
        let known = self.known.iter().find(|known| is_of(&known.of, values));
        Remap {
            values: values.clone(),
            ids,
            first: known.and_then(|known| known.first.clone()),
            lookups: 0,
        }
    }

    /// Takes one back from a chunk that had so many ids.
    pub(super) fn give_back(&mut self, mut remap: Remap, ids: usize) {
        let of = Arc::downgrade(&remap.values);
        if of.strong_count() == 1 {
            return;
        }
        let Direct { entries, base } = &mut remap.ids;
        *base = next_base(*base, ids, entries);
        let at = match self
            .known
            .iter()
            .position(|known| is_of(&known.of, &remap.values))
        {
            Some(at) => at,
            None => {
                self.known.push(Known {
                    of: of.clone(),
                    lookups: 0,
                    first: None,
                });
                self.known.len() - 1
            }
        };
        let known = &mut self.known[at];
        known.lookups += remap.lookups;
        if known.first.is_none() && known.lookups > remap.values.len() {
            known.first = Texts::new(&remap.values).map(|t| firsts(remap.values.len(), &t));
        }
        self.idle.push((of, remap.ids));
    }

    /// Forgets tables that stand no more.
    pub(super) fn forget(&mut self) {
        self.idle.retain(|(of, _)| of.strong_count() > 0);
        self.known.retain(|known| known.of.strong_count() > 0);
    }
}

/// Of each of `len` values the place of the first that is the same.
fn firsts(len: usize, texts: &Texts<'_>) -> Arc<[u32]> {
    let mut index: HashTable<(u32, u32)> = HashTable::with_capacity(len);
    let place = |at: usize| {
        let hash = hash_text(texts.get(at));
        let is_same =
            |(h, first): &(u32, u32)| *h == hash && texts.get(*first as usize) == texts.get(at);
        if let Some((_, first)) = index.find(spread(hash), is_same) {
            return *first;
        }
        let own = (hash, at as u32);
        index.insert_unique(spread(hash), own, |(h, _)| spread(*h));
        own.1
    };
    (0..len).map(place).collect()
}
