//! Keys of dictionary arrays by first use, worked out once for all leaves that have them.
//!
//! What many columns of a batch say follows from one thing: they have one buffer of keys, and a
//! dictionary each. Which keys occur, in which order, and where, is the same for all of them; a
//! leaf looks up only what each key means to it. Where two leaves give the keys the same ids, the
//! bodies of their pages are the same bytes, packed and compressed once.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::{BooleanBuffer, Buffer};
use arrow::datatypes::{
    ArrowDictionaryKeyType, DataType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use bytes::Bytes;
use parquet::basic::Compression;

use super::column::{Dictionary, Source};
use super::dictionary::next_base;
use super::levels::Selection;
use super::values::{SAMPLE, Scratch};

/// Which keys of which buffer. Holds the buffers, so that their addresses stay their own.
pub(super) struct Identity {
    keys: Buffer,
    rows: Rows,
}

enum Rows {
    Range(usize, usize),
    Mask(usize, BooleanBuffer),
}

impl Identity {
    /// Of the selected keys of a buffer; `None` where a comparison would cost too much.
    pub(super) fn new(keys: &Buffer, selection: &Selection<'_>) -> Option<Self> {
        let rows = match selection {
            Selection::Range(offset, len) => Rows::Range(*offset, *len),
            Selection::Mask { offset, bits, .. } => Rows::Mask(*offset, bits.clone()),
            Selection::Elements(_) => return None,
        };
        let keys = keys.clone();
        Some(Identity { keys, rows })
    }

    fn is(&self, other: &Self) -> bool {
        let same_keys = self.keys.as_ptr() == other.keys.as_ptr();
        same_keys
            && match (&self.rows, &other.rows) {
                (Rows::Range(offset, len), Rows::Range(o, l)) => (offset, len) == (o, l),
                (Rows::Mask(offset, bits), Rows::Mask(o, b)) => {
                    offset == o
                        && bits.inner().as_ptr() == b.inner().as_ptr()
                        && (bits.offset(), bits.len()) == (b.offset(), b.len())
                }
                _ => false,
            }
    }
}

/// Keys of values of a batch.
pub(super) struct KeySet {
    identity: Option<Identity>,
    /// By first use.
    pub distinct: Vec<u32>,
    /// Of each value, the place of its key in `distinct`; none where there is one key only.
    places: Vec<u32>,
    /// Values.
    pub len: usize,
    /// Keys among the first [`SAMPLE`] values.
    pub sampled: usize,
    greatest: u32,
    counts: OnceLock<Vec<u32>>,
    bodies: Mutex<Vec<(Vec<u32>, Body)>>,
}

/// Whether ids are 0, 1, 2…
fn is_counting(ids: &[u32]) -> bool {
    ids.iter()
        .enumerate()
        .all(|(place, id)| place as u32 == *id)
}

/// A page's body.
#[derive(Clone)]
pub(super) struct Body {
    pub bytes: Bytes,
    /// Length before compression.
    pub length: usize,
    pub is_compressed: bool,
    /// What it was to be compressed with; `None` where that was not tried.
    pub tried: Option<Compression>,
}

impl KeySet {
    /// Each value's place in `distinct`.
    #[inline]
    pub(super) fn for_each(&self, mut visit: impl FnMut(u32)) {
        match self.places.is_empty() {
            true => (0..self.len).for_each(|_| visit(0)),
            false => self.places.iter().for_each(|place| visit(*place)),
        }
    }

    /// Whether each key has a value in a dictionary of `values`.
    pub(super) fn fits(&self, values: usize) -> bool {
        self.len == 0 || (self.greatest as usize) < values
    }

    /// Appends to `ids` each value's, where `of` are those of the distinct keys.
    pub(super) fn ids(&self, of: &[u32], ids: &mut Vec<u32>) {
        if self.places.is_empty() {
            return ids.extend(
                of.iter()
                    .take(1)
                    .flat_map(|id| std::iter::repeat_n(*id, self.len)),
            );
        }
        if is_counting(of) {
            return ids.extend_from_slice(&self.places);
        }
        ids.extend(self.places.iter().map(|place| of[*place as usize]));
    }

    /// The ids of all values, where `of` are those of the distinct keys; in `scratch` where they
    /// don't stand here.
    pub(super) fn all_ids<'a>(&'a self, of: &[u32], scratch: &'a mut Vec<u32>) -> &'a [u32] {
        if !self.places.is_empty() && is_counting(of) {
            return &self.places;
        }
        scratch.clear();
        self.ids(of, scratch);
        scratch
    }

    /// Values that have each of the distinct keys.
    pub(super) fn counts(&self) -> &[u32] {
        self.counts.get_or_init(|| {
            let mut counts = vec![0; self.distinct.len()];
            self.for_each(|place| counts[place as usize] += 1);
            counts
        })
    }

    /// The body of a page of all values with these ids of the distinct keys. `make` makes it where
    /// no leaf has; leaves that compress in different ways have none in common.
    pub(super) fn body<E>(
        &self,
        of: Vec<u32>,
        tried: Option<Compression>,
        make: impl FnOnce(&[u32]) -> Result<Body, E>,
    ) -> Result<Body, E> {
        let mut bodies = self.bodies.lock().unwrap_or_else(PoisonError::into_inner);
        let known = bodies
            .iter()
            .find(|(ids, body)| body.tried == tried && *ids == of);
        if let Some((_, body)) = known {
            return Ok(body.clone());
        }
        let body = make(&of)?;
        bodies.push((of, body.clone()));
        Ok(body)
    }
}

/// The selected keys of a dictionary, and its values.
pub(super) fn selected_keys<'a>(
    source: Source<'a>,
    selection: &Selection<'_>,
    scratch: &'a mut Vec<u32>,
) -> Option<(&'a [u32], &'a ArrayRef)> {
    fn narrow<'a, K: ArrowDictionaryKeyType>(
        array: &'a ArrayRef,
        selection: &Selection<'_>,
        scratch: &'a mut Vec<u32>,
        convert: impl Fn(K::Native) -> u32,
    ) -> Option<(&'a [u32], &'a ArrayRef)> {
        let array = array.as_dictionary_opt::<K>()?;
        let keys = array.keys().values();
        scratch.clear();
        scratch.reserve(selection.len());
        selection.for_each(|e| scratch.push(convert(keys[e])));
        Some((scratch, array.values()))
    }
    let array = match source {
        Source::Array(array) | Source::Packed(array, _) => array,
        Source::Dictionary(Dictionary { keys, values, .. }) => {
            let keys = keys.inner().typed_data::<u32>();
            return Some((selection.gather(keys, scratch), values));
        }
    };
    let DataType::Dictionary(key, _) = array.data_type() else {
        return None;
    };
    // Keys of values are never negative; those of nulls are not selected.
    match **key {
        DataType::Int32 => {
            let array = array.as_dictionary_opt::<Int32Type>()?;
            let keys = array.keys().values().inner().typed_data::<u32>();
            Some((selection.gather(keys, scratch), array.values()))
        }
        DataType::UInt32 => {
            let array = array.as_dictionary_opt::<UInt32Type>()?;
            let keys: &[u32] = array.keys().values();
            Some((selection.gather(keys, scratch), array.values()))
        }
        DataType::Int8 => narrow::<Int8Type>(array, selection, scratch, |k| k as u32),
        DataType::Int16 => narrow::<Int16Type>(array, selection, scratch, |k| k as u32),
        DataType::Int64 => narrow::<Int64Type>(array, selection, scratch, |k| k as u32),
        DataType::UInt8 => narrow::<UInt8Type>(array, selection, scratch, u32::from),
        DataType::UInt16 => narrow::<UInt16Type>(array, selection, scratch, u32::from),
        DataType::UInt64 => narrow::<UInt64Type>(array, selection, scratch, |k| k as u32),
        _ => None,
    }
}

/// The set of the selected keys of a dictionary, and its values; `None` where a key has none.
pub(super) fn key_set<'a>(
    source: Source<'a>,
    selection: &Selection<'_>,
    scratch: &mut Scratch,
) -> Option<(Arc<KeySet>, &'a ArrayRef)> {
    let (keys, values, holders) = match source {
        Source::Dictionary(Dictionary { keys, values, .. }) => (Some(keys.inner()), values, 1),
        Source::Array(array) | Source::Packed(array, _) => {
            let dictionary = array.as_any_dictionary_opt()?;
            let keys = dictionary.keys();
            let signed = keys.as_primitive_opt::<Int32Type>();
            let unsigned = keys.as_primitive_opt::<UInt32Type>();
            let keys = signed
                .map(|keys| keys.values().inner())
                .or_else(|| unsigned.map(|keys| keys.values().inner()));
            (keys, dictionary.values(), Arc::strong_count(array))
        }
    };
    // Keys that nothing else holds are no other leaf's.
    let is_shared = |keys: &&Buffer| holders > 1 || keys.strong_count() > 1;
    let identity = keys
        .filter(is_shared)
        .and_then(|keys| Identity::new(keys, selection));
    if let Some(set) = identity
        .as_ref()
        .and_then(|identity| scratch.sets.find(identity))
    {
        return set.fits(values.len()).then_some((set, values));
    }
    let (keys, _) = selected_keys(source, selection, &mut scratch.keys)?;
    Some((scratch.sets.add(keys, values.len(), identity)?, values))
}

/// Ids of a key set's distinct keys, as all values of a page.
pub(super) struct Whole {
    pub set: Arc<KeySet>,
    pub of: Vec<u32>,
}

/// The key sets of the batch at hand.
pub(super) struct KeySets {
    known: Vec<Arc<KeySet>>,
    /// By key: `base` and its place in the set at hand; less than `base` where it is not in it.
    places: Vec<u32>,
    base: u32,
}

impl Default for KeySets {
    fn default() -> Self {
        KeySets {
            known: Vec::new(),
            places: Vec::new(),
            base: 1,
        }
    }
}

impl KeySets {
    /// Forgets the batch before.
    pub(super) fn clear(&mut self) {
        self.known.clear();
    }

    /// A set that some leaf had.
    pub(super) fn find(&self, identity: &Identity) -> Option<Arc<KeySet>> {
        let is_it = |set: &&Arc<KeySet>| set.identity.as_ref().is_some_and(|i| i.is(identity));
        self.known.iter().find(is_it).cloned()
    }

    /// The set of keys of a dictionary of `values` values; `None` where a key has none.
    pub(super) fn add(
        &mut self,
        keys: &[u32],
        values: usize,
        identity: Option<Identity>,
    ) -> Option<Arc<KeySet>> {
        let mut set = KeySet {
            distinct: Vec::new(),
            places: Vec::new(),
            len: keys.len(),
            sampled: 0,
            greatest: 0,
            counts: OnceLock::new(),
            bodies: Mutex::default(),
            identity,
        };
        if let Some((first, rest)) = keys.split_first() {
            let (least, greatest) = rest
                .iter()
                .fold((*first, *first), |(l, g), k| (l.min(*k), g.max(*k)));
            set.greatest = greatest;
            if !set.fits(values) {
                return None;
            }
            match least == greatest {
                true => {
                    set.distinct.push(*first);
                    set.sampled = 1;
                }
                false => self.tell_apart(keys, &mut set),
            }
        }
        let set = Arc::new(set);
        if set.identity.is_some() {
            self.known.push(set.clone());
        }
        Some(set)
    }

    fn tell_apart(&mut self, keys: &[u32], set: &mut KeySet) {
        let len = set.greatest as usize + 1;
        if self.places.len() < len {
            self.places.resize(len.next_power_of_two(), 0);
        }
        let (base, distinct, known) = (self.base, &mut set.distinct, &mut self.places);
        let mut place = |key: &u32| {
            let entry = &mut known[*key as usize];
            if *entry < base {
                *entry = base + distinct.len() as u32;
                distinct.push(*key);
            }
            *entry - base
        };
        let (sample, rest) = keys.split_at(keys.len().min(SAMPLE));
        set.places.reserve_exact(keys.len());
        set.places.extend(sample.iter().map(&mut place));
        // By first use: those of the sample have the first places.
        set.sampled = set.places.iter().fold(0, |all, p| all.max(*p)) as usize + 1;
        set.places.extend(rest.iter().map(place));
        self.base = next_base(base, set.distinct.len(), &mut self.places);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::buffer::ScalarBuffer;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ids_are_those_of_the_keys(
            keys in prop::collection::vec(0u32..40, 0..1200),
            base in prop_oneof![Just(1), u32::MAX / 2 - 50..u32::MAX / 2],
        ) {
            let mut sets = KeySets { base, ..KeySets::default() };
            // Places in sets before don't matter.
            sets.add(&[3, 1, 2], 40, None);
            let set = sets.add(&keys, 40, None).unwrap();
            let mut ids = Vec::new();
            set.ids(&set.distinct, &mut ids);
            prop_assert_eq!(&ids, &keys);
            let mut seen: Vec<u32> = Vec::new();
            for (at, key) in keys.iter().enumerate() {
                if at == SAMPLE {
                    prop_assert_eq!(set.sampled, seen.len());
                }
                if !seen.contains(key) {
                    seen.push(*key);
                }
            }
            prop_assert_eq!(&set.distinct, &seen);
            let counts: Vec<u32> =
                (seen.iter()).map(|k| keys.iter().filter(|key| *key == k).count() as u32).collect();
            prop_assert_eq!(set.counts(), counts);
        }
    }

    #[test]
    fn a_key_without_a_value_is_refused() {
        let mut sets = KeySets::default();
        assert!(sets.add(&[0, 5], 9, None).is_some());
        assert!(sets.add(&[0, 5], 5, None).is_none());
        assert!(sets.add(&[5, 5], 5, None).is_none());
        assert!(sets.add(&[], 0, None).is_some());
    }

    #[test]
    fn sets_are_known_by_buffer_and_rows() {
        let keys = ScalarBuffer::from(vec![0u32, 1, 0, 1]);
        let of = |selection: &Selection<'_>| Identity::new(keys.inner(), selection).unwrap();
        let bits = BooleanBuffer::from(vec![true, false, true, false, true]);
        let mask = |from: usize| Selection::Mask {
            offset: 0,
            bits: bits.slice(from, 4),
            count: 2,
        };
        let mut sets = KeySets::default();
        sets.add(&[0, 0], 2, Some(of(&mask(0))));
        assert!(sets.find(&of(&mask(0))).is_some());
        assert!(sets.find(&of(&mask(1))).is_none());
        assert!(sets.find(&of(&Selection::Range(0, 4))).is_none());
        sets.clear();
        assert!(sets.find(&of(&mask(0))).is_none());
    }
}
