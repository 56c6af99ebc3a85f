//! The keys of a batch's dictionary values, deduplicated once for all leaves that share them.
//!
//! Many columns of a batch often have one key buffer and differ only in their dictionary. Which keys
//! occur, in which order and where, is found out once; each leaf then maps only the distinct keys.
//! Where two leaves map them to the same ids, the bodies of their pages are the same bytes, which are
//! packed and compressed once.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowDictionaryKeyType, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_buffer::{BooleanBuffer, Buffer};
use arrow_schema::DataType;
use bytes::Bytes;
use parquet::basic::Compression;

use crate::bits::all_equal;
use crate::column::{ColumnRef, PackedDictionary};
use crate::id_table::{IdTable, SMALL};
use crate::mode::SAMPLE;
use crate::selection::ValueSelection;

/// Identifies the selected keys of a key buffer by address. It holds the buffers, so that their
/// addresses aren't reused.
pub(crate) struct KeySetIdentity {
    keys: Buffer,
    rows: SelectedRows,
}

enum SelectedRows {
    Range(usize, usize),
    Mask(usize, BooleanBuffer),
}

impl KeySetIdentity {
    /// `None` for indices, which would cost too much to compare.
    pub(crate) fn new(keys: &Buffer, selection: &ValueSelection<'_>) -> Option<Self> {
        let rows = match selection {
            ValueSelection::Range(offset, len) => SelectedRows::Range(*offset, *len),
            ValueSelection::Mask { offset, bits, .. } => SelectedRows::Mask(*offset, bits.clone()),
            ValueSelection::Indices(_) => return None,
        };
        let keys = keys.clone();
        Some(KeySetIdentity { keys, rows })
    }

    fn matches(&self, other: &Self) -> bool {
        let same_keys = self.keys.as_ptr() == other.keys.as_ptr();
        same_keys
            && match (&self.rows, &other.rows) {
                (SelectedRows::Range(offset, len), SelectedRows::Range(o, l)) => {
                    (offset, len) == (o, l)
                }
                (SelectedRows::Mask(offset, bits), SelectedRows::Mask(o, b)) => {
                    offset == o
                        && bits.inner().as_ptr() == b.inner().as_ptr()
                        && (bits.offset(), bits.len()) == (b.offset(), b.len())
                }
                _ => false,
            }
    }
}

/// The keys of a leaf's values in a batch.
pub(crate) struct KeySet {
    identity: Option<KeySetIdentity>,
    /// The distinct keys in the order of their first use.
    pub distinct: Vec<u32>,
    /// The index in `distinct` of each value's key; empty if there is only one key.
    places: Vec<u32>,
    /// The number of values.
    pub len: usize,
    /// The number of distinct keys among the first [`SAMPLE`] values.
    pub sampled: usize,
    greatest: u32,
    counts: OnceLock<Vec<u32>>,
    /// Encoded page bodies by the ids of the distinct keys.
    bodies: Mutex<Vec<(Vec<u32>, SharedBody)>>,
}

/// The number of keys that an index of 8 bits reaches.
const FEW: usize = 1 << 8;

/// Whether the ids are 0, 1, 2…
fn is_counting(ids: &[u32]) -> bool {
    ids.iter()
        .enumerate()
        .all(|(place, id)| place as u32 == *id)
}

/// The encoded body of a page, shared by the leaves that have the same ids.
#[derive(Clone)]
pub(crate) struct SharedBody {
    pub bytes: Bytes,
    /// Length in bytes before compression.
    pub uncompressed: usize,
    pub is_compressed: bool,
    /// The codec that was tried, if any.
    pub tried: Option<Compression>,
}

impl KeySet {
    /// Visits the index in `distinct` of each value's key.
    #[inline]
    pub(crate) fn for_each(&self, mut visit: impl FnMut(u32)) {
        match self.places.is_empty() {
            true => (0..self.len).for_each(|_| visit(0)),
            false => self.places.iter().for_each(|place| visit(*place)),
        }
    }

    /// Whether all keys are valid for a dictionary of `values` values.
    pub(crate) fn fits(&self, values: usize) -> bool {
        self.len == 0 || (self.greatest as usize) < values
    }

    /// Appends the id of each value. `distinct_ids` has the ids of the distinct keys.
    pub(crate) fn ids(&self, distinct_ids: &[u32], ids: &mut Vec<u32>) {
        if self.places.is_empty() {
            return ids.extend(
                distinct_ids
                    .iter()
                    .take(1)
                    .flat_map(|id| std::iter::repeat_n(*id, self.len)),
            );
        }
        if is_counting(distinct_ids) {
            return ids.extend_from_slice(&self.places);
        }
        let first = ids.len();
        ids.resize(first + self.places.len(), 0);
        let each = ids[first..].iter_mut().zip(&self.places);
        let mut table = [0; FEW];
        match table.get_mut(..distinct_ids.len()) {
            // An index of 8 bits needs no bounds check.
            Some(few) => {
                few.copy_from_slice(distinct_ids);
                each.for_each(|(id, place)| *id = table[usize::from(*place as u8)]);
            }
            None => each.for_each(|(id, place)| *id = distinct_ids[*place as usize]),
        }
    }

    /// The id of each value, as [`KeySet::ids`]; collected in `scratch` unless they are stored here.
    pub(crate) fn all_ids<'a>(
        &'a self,
        distinct_ids: &[u32],
        scratch: &'a mut Vec<u32>,
    ) -> &'a [u32] {
        if !self.places.is_empty() && is_counting(distinct_ids) {
            return &self.places;
        }
        scratch.clear();
        self.ids(distinct_ids, scratch);
        scratch
    }

    /// The number of values with each of the distinct keys.
    pub(crate) fn counts(&self) -> &[u32] {
        self.counts.get_or_init(|| {
            let mut counts = vec![0; self.distinct.len()];
            self.for_each(|place| counts[place as usize] += 1);
            counts
        })
    }

    /// The body of a page of all values, whose distinct keys have the ids `distinct_ids`. `encode`
    /// is called unless another leaf with the same ids and codec has the body already.
    pub(crate) fn body<E>(
        &self,
        distinct_ids: Vec<u32>,
        tried: Option<Compression>,
        encode: impl FnOnce(&[u32]) -> Result<SharedBody, E>,
    ) -> Result<SharedBody, E> {
        let mut bodies = self.bodies.lock().unwrap_or_else(PoisonError::into_inner);
        let known = bodies
            .iter()
            .find(|(ids, body)| body.tried == tried && *ids == distinct_ids);
        if let Some((_, body)) = known {
            return Ok(body.clone());
        }
        let body = encode(&distinct_ids)?;
        bodies.push((distinct_ids, body.clone()));
        Ok(body)
    }
}

/// The selected keys of a dictionary column, and the dictionary's values.
pub(crate) fn selected_keys<'a>(
    column: ColumnRef<'a>,
    selection: &ValueSelection<'_>,
    scratch: &'a mut Vec<u32>,
) -> Option<(&'a [u32], &'a ArrayRef)> {
    fn narrow<'a, K: ArrowDictionaryKeyType>(
        array: &'a ArrayRef,
        selection: &ValueSelection<'_>,
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
    let array = match column {
        ColumnRef::Array(array) | ColumnRef::Packed(array, _) => array,
        ColumnRef::PackedDictionary(PackedDictionary { keys, values, .. }) => {
            let keys = keys.inner().typed_data::<u32>();
            return Some((selection.gather(keys, scratch), values));
        }
    };
    let DataType::Dictionary(key, _) = array.data_type() else {
        return None;
    };
    // The keys of nulls are not selected, and the others are never negative in an Arrow array.
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

/// The key set of a dictionary column's selected keys, and the dictionary's values. `None` where a
/// key has no value, or the column is no dictionary. `buffer` is scratch memory.
pub(crate) fn key_set<'a>(
    column: ColumnRef<'a>,
    selection: &ValueSelection<'_>,
    sets: &mut KeySetCache,
    buffer: &mut Vec<u32>,
) -> Option<(Arc<KeySet>, &'a ArrayRef)> {
    let (keys, values, holders) = match column {
        ColumnRef::PackedDictionary(PackedDictionary { keys, values, .. }) => {
            (Some(keys.inner()), values, 1)
        }
        ColumnRef::Array(array) | ColumnRef::Packed(array, _) => {
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
    // A key buffer with no other owner belongs to no other leaf.
    let is_shared = |keys: &&Buffer| holders > 1 || keys.strong_count() > 1;
    let identity = keys
        .filter(is_shared)
        .and_then(|keys| KeySetIdentity::new(keys, selection));
    if let Some(set) = identity.as_ref().and_then(|identity| sets.find(identity)) {
        return set.fits(values.len()).then_some((set, values));
    }
    let (keys, _) = selected_keys(column, selection, buffer)?;
    Some((sets.add(keys, values.len(), identity)?, values))
}

/// A key set, and the dictionary ids of its distinct keys.
pub(crate) struct MappedKeySet {
    pub set: Arc<KeySet>,
    /// The id of each of [`KeySet::distinct`].
    pub ids: Vec<u32>,
}

/// The key sets of the current batch that other leaves may share.
#[derive(Default)]
pub(crate) struct KeySetCache {
    known: Vec<Arc<KeySet>>,
    /// Indices in [`KeySet::distinct`] by key, while a set is made.
    places: IdTable,
}

impl KeySetCache {
    /// Drops the sets of the previous batch.
    pub(crate) fn clear(&mut self) {
        self.known.clear();
    }

    /// A set that an earlier leaf of the batch had.
    pub(crate) fn find(&self, identity: &KeySetIdentity) -> Option<Arc<KeySet>> {
        let is_it = |set: &&Arc<KeySet>| set.identity.as_ref().is_some_and(|i| i.matches(identity));
        self.known.iter().find(is_it).cloned()
    }

    /// Makes the set of a leaf's keys, and keeps it if it has an `identity`. `None` where a key is out
    /// of range for a dictionary of `values` values.
    pub(crate) fn add(
        &mut self,
        keys: &[u32],
        values: usize,
        identity: Option<KeySetIdentity>,
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
        if let Some(first) = keys.first() {
            let is_constant = all_equal(keys);
            set.greatest = match is_constant {
                true => *first,
                false => upper_bound(keys, values),
            };
            if !set.fits(values) {
                return None;
            }
            match is_constant {
                true => {
                    set.distinct.push(*first);
                    set.sampled = 1;
                }
                false => self.deduplicate(keys, &mut set),
            }
        }
        let set = Arc::new(set);
        if set.identity.is_some() {
            self.known.push(set.clone());
        }
        Some(set)
    }

    /// Fills a set with its distinct keys, and with the place of each value's key among them. No key
    /// is greater than the set's `greatest`, which becomes the greatest key.
    fn deduplicate(&mut self, keys: &[u32], set: &mut KeySet) {
        // A table of this length needs no bounds checks.
        self.places.grow_to((set.greatest as usize).max(SMALL - 1));
        set.places.resize(keys.len(), 0);
        let (sample, rest) = keys.split_at(keys.len().min(SAMPLE));
        let (places, others) = set.places.split_at_mut(sample.len());
        let (distinct, index) = (&mut set.distinct, |key| key as usize);
        let greatest = set.greatest as usize;
        self.places
            .assign(sample, greatest, index, distinct, places);
        // The keys of the sample have the first places.
        set.sampled = distinct.len();
        self.places.assign(rest, greatest, index, distinct, others);
        set.greatest = distinct.iter().fold(0, |all, key| all.max(*key));
        self.places.reset(set.distinct.len());
    }
}

/// An upper bound of the keys: the greatest key, or a number below `values`.
fn upper_bound(keys: &[u32], values: usize) -> u32 {
    // The union of all bits is faster to compute than the greatest key.
    let bits = keys.iter().fold(0, |bits, key| bits | key);
    match (bits as usize) < values {
        true => bits,
        false => keys.iter().fold(0, |all, key| all.max(*key)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_buffer::ScalarBuffer;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ids_follow_the_keys(
            keys in prop::collection::vec(0u32..40, 0..1200),
            base in prop_oneof![Just(1), u32::MAX / 2 - 50..u32::MAX / 2],
        ) {
            let places = IdTable { entries: Vec::new(), base };
            let mut sets = KeySetCache { known: Vec::new(), places };
            // An earlier set's places don't matter.
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
    fn a_key_out_of_range_is_rejected() {
        let mut sets = KeySetCache::default();
        assert!(sets.add(&[0, 5], 9, None).is_some());
        assert!(sets.add(&[0, 5], 5, None).is_none());
        assert!(sets.add(&[5, 5], 5, None).is_none());
        assert!(sets.add(&[], 0, None).is_some());
    }

    #[test]
    fn sets_are_found_by_buffer_and_rows() {
        let keys = ScalarBuffer::from(vec![0u32, 1, 0, 1]);
        let of =
            |selection: &ValueSelection<'_>| KeySetIdentity::new(keys.inner(), selection).unwrap();
        let bits = BooleanBuffer::from(vec![true, false, true, false, true]);
        let mask = |from: usize| ValueSelection::Mask {
            offset: 0,
            bits: bits.slice(from, 4),
            count: 2,
        };
        let mut sets = KeySetCache::default();
        sets.add(&[0, 0], 2, Some(of(&mask(0))));
        assert!(sets.find(&of(&mask(0))).is_some());
        assert!(sets.find(&of(&mask(1))).is_none());
        assert!(sets.find(&of(&ValueSelection::Range(0, 4))).is_none());
        sets.clear();
        assert!(sets.find(&of(&mask(0))).is_none());
    }
}
