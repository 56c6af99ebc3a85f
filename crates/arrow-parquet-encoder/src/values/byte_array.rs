//! Strings and binary values of a chunk.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use parquet::basic::Encoding;
use parquet::bloom_filter::Sbbf;
use parquet::errors::{ParquetError, Result};

use super::delta_page::DeltaPage;
use super::scratch::Scratch;
use crate::bits::width_of;
use crate::bounds::Bounds;
use crate::byte_arrays::ByteArrays;
use crate::column::ColumnRef;
use crate::dictionary::ByteArrayDictionary;
use crate::key_map::{KeyMap, KeyMapCache, Target};
use crate::keys::{KeySet, MappedKeySet, key_set, selected_keys};
use crate::mode::{AppendOutcome, EncodingMode, SAMPLE, is_varied};
use crate::page_ids::PageIds;
use crate::selection::ValueSelection;

/// The number of Arrow dictionaries whose key maps a chunk keeps.
const KEY_MAPS: usize = 3;

/// Whether [`ByteArrayValues`] takes arrays of a type.
pub(super) fn is_byte_array(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::Binary | DataType::LargeUtf8 | DataType::LargeBinary => true,
        DataType::Dictionary(_, values) => {
            !matches!(**values, DataType::Dictionary(..)) && is_byte_array(values)
        }
        _ => false,
    }
}

/// The limits of a chunk of strings or binary values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// The number of dictionary bytes after which the dictionary ends.
    pub dictionary: usize,
    /// The number of bytes of values on a page without a dictionary.
    pub page: usize,
    /// The number of pages that the chunk will have, if that is known; else 1.
    pub pages: usize,
}

/// The dictionary of a chunk of strings or binary values, and the values of its current page.
pub(crate) struct ByteArrayValues {
    mode: EncodingMode,
    dictionary: ByteArrayDictionary,
    /// The page's values, unless the mode is `Delta`.
    ids: PageIds,
    key_maps: Vec<KeyMap>,
    /// The index in `key_maps` of the map that all values of the dictionary come from, if there is
    /// only one, and it knows its duplicates.
    only_source: Option<usize>,
    /// In the mode `Undecided`: an upper bound of the bytes of the page's values.
    max_bytes: usize,
    /// The page's values in the mode `Delta`.
    delta: DeltaPage,
    limits: Limits,
}

/// The state to which a failed append returns.
#[derive(Clone, Copy)]
struct Checkpoint {
    ids: usize,
    dictionary: usize,
}

/// The result of mapping a key set.
enum MappedKeys {
    /// The ids of the distinct keys.
    Ids(Vec<u32>),
    DictionaryFull,
    /// The sample is mostly distinct: a dictionary doesn't help.
    Varied,
}

fn key_out_of_range() -> ParquetError {
    ParquetError::General("a dictionary key is out of range".into())
}

impl ByteArrayValues {
    pub(super) fn new(mode: EncodingMode, limits: Limits) -> Self {
        ByteArrayValues {
            mode,
            dictionary: ByteArrayDictionary::default(),
            ids: PageIds::default(),
            key_maps: Vec::new(),
            only_source: None,
            max_bytes: 0,
            delta: DeltaPage::default(),
            limits,
        }
    }

    /// The number of values on the page.
    pub(super) fn len(&self) -> usize {
        match self.mode {
            EncodingMode::Delta => self.delta.len(),
            _ => self.ids.len(),
        }
    }

    /// Whether the page's values are known to be equal.
    pub(super) fn is_constant(&self) -> bool {
        self.ids.constant().is_some()
    }

    /// Whether the selected values all equal the one value of the page.
    pub(super) fn continues(
        &mut self,
        column: ColumnRef<'_>,
        selection: &ValueSelection<'_>,
        scratch: &mut Scratch,
    ) -> bool {
        let Some(id) = self.ids.constant() else {
            return false;
        };
        let set = key_set(column, selection, &mut scratch.key_sets, &mut scratch.keys);
        let Some((set, values)) = set else {
            return false;
        };
        let Some(values) = ByteArrays::new(values).filter(|_| set.len > 0) else {
            return false;
        };
        // Several keys may have the same value.
        let mut keys = set.distinct.iter();
        keys.all(|key| values.get(*key as usize) == self.dictionary.get(id))
    }

    /// Appends the selected values to the page. If not `limited`, the page may exceed its limit of
    /// bytes.
    pub(super) fn append(
        &mut self,
        column: ColumnRef<'_>,
        selection: &ValueSelection<'_>,
        limited: bool,
        scratch: &mut Scratch,
    ) -> Result<AppendOutcome> {
        match (column.is_dictionary(), self.mode) {
            (true, EncodingMode::Delta) => {
                self.append_keys_raw(column, selection, limited, &mut scratch.keys)
            }
            (true, _) => self.append_keys(column, selection, limited, scratch),
            (false, _) => self.append_array(column, selection, limited, scratch),
        }
    }

    /// Appends a dictionary column to a page without a dictionary.
    fn append_keys_raw(
        &mut self,
        column: ColumnRef<'_>,
        selection: &ValueSelection<'_>,
        limited: bool,
        buffer: &mut Vec<u32>,
    ) -> Result<AppendOutcome> {
        let wrong_type = || column.wrong_type("a string or binary array");
        let (keys, values) = selected_keys(column, selection, buffer).ok_or_else(wrong_type)?;
        if keys.iter().any(|key| *key as usize >= values.len()) {
            return Err(key_out_of_range());
        }
        let values = ByteArrays::new(values).ok_or_else(wrong_type)?;
        let added: usize = (keys.iter()).map(|k| values.get(*k as usize).len()).sum();
        if limited && self.delta.bytes() + added > self.limits.page {
            return Ok(AppendOutcome::PageFull);
        }
        self.delta.reserve(keys.len(), added);
        for key in keys {
            self.delta.push(values.get(*key as usize));
        }
        Ok(AppendOutcome::Done)
    }

    /// Appends a dictionary column to a page with a dictionary.
    fn append_keys(
        &mut self,
        column: ColumnRef<'_>,
        selection: &ValueSelection<'_>,
        limited: bool,
        scratch: &mut Scratch,
    ) -> Result<AppendOutcome> {
        let (set, array) = key_set(column, selection, &mut scratch.key_sets, &mut scratch.keys)
            .ok_or_else(key_out_of_range)?;
        let values =
            ByteArrays::new(array).ok_or_else(|| column.wrong_type("a string or binary array"))?;
        if !self.has_room(&set, &values, limited) {
            return Ok(AppendOutcome::PageFull);
        }
        Ok(self.append_set(set, array, &values, &mut scratch.key_maps))
    }

    /// Appends a string or binary column.
    fn append_array(
        &mut self,
        column: ColumnRef<'_>,
        selection: &ValueSelection<'_>,
        limited: bool,
        scratch: &mut Scratch,
    ) -> Result<AppendOutcome> {
        let values = column
            .array()
            .and_then(|array| ByteArrays::new(array))
            .ok_or_else(|| column.wrong_type("a string or binary array"))?;
        let ranges = &mut scratch.ranges;
        ranges.clear();
        ranges.reserve(selection.len());
        let mut added = 0;
        selection.for_each(|e| {
            let (start, end) = values.range(e);
            added += end - start;
            ranges.push((start, end));
        });
        if self.mode != EncodingMode::Dictionary {
            if limited && self.raw_bytes() + added > self.limits.page {
                return Ok(AppendOutcome::PageFull);
            }
            self.max_bytes += added;
        }
        if self.mode == EncodingMode::Delta {
            self.delta.extend(ranges, added, values.bytes());
            return Ok(AppendOutcome::Done);
        }
        Ok(self.append_ranges(ranges, values.bytes(), &mut scratch.key_maps))
    }

    /// Adds the values of a key set to the bytes that the page would have without a dictionary,
    /// unless a `limited` page has no room for them.
    fn has_room(&mut self, set: &KeySet, values: &ByteArrays<'_>, limited: bool) -> bool {
        if self.mode == EncodingMode::Dictionary {
            return true;
        }
        let lengths = set.distinct.iter().map(|k| values.get(*k as usize).len());
        // There is nearly always room for the longest value in all rows. If not, add up the lengths.
        let most = lengths.clone().max().unwrap_or(0) * set.len;
        let added = match self.max_bytes + most <= self.limits.page {
            true => most,
            false => {
                self.max_bytes = self.bytes_of_ids();
                let counts = set.counts().iter();
                counts
                    .zip(lengths)
                    .map(|(n, length)| *n as usize * length)
                    .sum()
            }
        };
        // One value in all rows is short with a dictionary.
        let is_constant = set.distinct.len() < 2;
        if limited && !is_constant && self.raw_bytes() + added > self.limits.page {
            return false;
        }
        self.max_bytes += added;
        true
    }

    /// The bytes of the page's values without a dictionary, or an upper bound.
    fn raw_bytes(&self) -> usize {
        match self.mode {
            EncodingMode::Delta => self.delta.bytes(),
            _ => self.max_bytes,
        }
    }

    /// The exact bytes of the page's values, by their ids.
    fn bytes_of_ids(&self) -> usize {
        let length = |id: u32| self.dictionary.get(id).len();
        if let Some(id) = self.ids.constant() {
            return length(id) * self.ids.len();
        }
        if let Some(mapped) = self.ids.mapped() {
            let counts = mapped.set.counts().iter().zip(&mapped.ids);
            return counts.map(|(n, id)| *n as usize * length(*id)).sum();
        }
        let mut bytes = 0;
        self.ids.for_each(|id| bytes += length(id));
        bytes
    }

    /// The index in [`ByteArrayValues::key_maps`] of the map of an Arrow dictionary.
    fn key_map(&mut self, values: &ArrayRef, cache: &mut KeyMapCache) -> usize {
        if let Some(at) = self.key_maps.iter().position(|map| map.is_of(values)) {
            return at;
        }
        if self.key_maps.len() == KEY_MAPS {
            cache.give_back(self.key_maps.remove(0), self.dictionary.len());
            self.only_source = None;
        }
        self.key_maps.push(cache.take(values));
        self.key_maps.len() - 1
    }

    /// Returns the key maps to the cache. No value can be added to the dictionary after that.
    pub(super) fn return_key_maps(&mut self, cache: &mut KeyMapCache) {
        for map in self.key_maps.drain(..) {
            cache.give_back(map, self.dictionary.len());
        }
        self.only_source = None;
    }

    /// The id of a value that comes from no key map.
    fn intern(&mut self, value: &[u8]) -> u32 {
        self.only_source = None;
        self.dictionary.intern(value)
    }

    fn checkpoint(&self) -> Checkpoint {
        Checkpoint {
            ids: self.ids.len(),
            dictionary: self.dictionary.len(),
        }
    }

    /// Appends the ids of a key set's values.
    fn append_set(
        &mut self,
        set: Arc<KeySet>,
        array: &ArrayRef,
        values: &ByteArrays<'_>,
        cache: &mut KeyMapCache,
    ) -> AppendOutcome {
        let before = self.checkpoint();
        if let [] | [_] = set.distinct[..] {
            if let Some(key) = set.distinct.first() {
                let id = self.intern(values.get(*key as usize));
                self.ids.push_constant(id, set.len);
            }
            return self.check_limit(before, cache);
        }
        // Later pages use the same values again if the Arrow dictionary is longer than the batch.
        let recurs = self.limits.pages > 1 && array.len() > set.len;
        let ids = match self.map_keys(&set, array, values, recurs, cache) {
            MappedKeys::Ids(ids) => ids,
            MappedKeys::DictionaryFull => return self.dictionary_full(before, cache),
            MappedKeys::Varied => {
                self.leave_dictionary(cache);
                set.for_each(|p| {
                    self.delta
                        .push(values.get(set.distinct[p as usize] as usize))
                });
                return AppendOutcome::Done;
            }
        };
        match ids.iter().all(|id| *id == ids[0]) {
            true => self.ids.push_constant(ids[0], set.len),
            false => self.ids.push_mapped(MappedKeySet { set, ids }),
        }
        if !recurs {
            self.check_sample(cache);
        }
        self.check_limit(before, cache)
    }

    /// Maps the distinct keys of a set to ids. The first page of a chunk maps a sample first, and
    /// stops there if most of the set's values are distinct and none `recurs`.
    fn map_keys(
        &mut self,
        set: &KeySet,
        array: &ArrayRef,
        values: &ByteArrays<'_>,
        recurs: bool,
        cache: &mut KeyMapCache,
    ) -> MappedKeys {
        let at = self.key_map(array, cache);
        let is_only_source = self.dictionary.len() == 0 || self.only_source == Some(at);
        let is_sampled = self.mode == EncodingMode::Undecided && self.ids.len() == 0;
        let sampled = match is_sampled {
            true => set.sampled,
            false => 0,
        };
        let mut ids = Vec::with_capacity(set.distinct.len());
        let (sample, rest) = set.distinct.split_at(sampled);
        for part in [sample, rest] {
            let map = &mut self.key_maps[at];
            let target = Target {
                dictionary: &mut self.dictionary,
                limit: self.limits.dictionary,
                is_only_source,
            };
            let mapped = map.map(part, values, target, &mut ids);
            self.only_source = (is_only_source && map.knows_duplicates()).then_some(at);
            if mapped.is_none() {
                return MappedKeys::DictionaryFull;
            }
            if is_sampled
                && is_varied(SAMPLE.min(set.len), self.dictionary.len())
                && ids.len() == sampled
                && is_varied(set.len, set.distinct.len())
                && !recurs
            {
                return MappedKeys::Varied;
            }
        }
        MappedKeys::Ids(ids)
    }

    /// Appends the ids of values; `ranges` are their places in `bytes`.
    fn append_ranges(
        &mut self,
        ranges: &[(usize, usize)],
        bytes: &[u8],
        cache: &mut KeyMapCache,
    ) -> AppendOutcome {
        let before = self.checkpoint();
        for (at, (start, end)) in ranges.iter().enumerate() {
            if at == SAMPLE && before.ids == 0 {
                self.check_sample(cache);
                if self.mode == EncodingMode::Delta {
                    let rest = &ranges[at..];
                    let total = rest.iter().map(|(start, end)| end - start).sum();
                    self.delta.extend(rest, total, bytes);
                    return AppendOutcome::Done;
                }
            }
            if self.dictionary.bytes.len() > self.limits.dictionary {
                return self.dictionary_full(before, cache);
            }
            let id = self.intern(&bytes[*start..*end]);
            self.ids.push_constant(id, 1);
        }
        self.check_sample(cache);
        self.check_limit(before, cache)
    }

    /// Gives up the dictionary if nearly all values so far are distinct.
    fn check_sample(&mut self, cache: &mut KeyMapCache) {
        if self.mode == EncodingMode::Undecided && is_varied(self.ids.len(), self.dictionary.len())
        {
            self.leave_dictionary(cache);
        }
    }

    fn check_limit(&mut self, before: Checkpoint, cache: &mut KeyMapCache) -> AppendOutcome {
        let is_full = self.dictionary.bytes.len() > self.limits.dictionary;
        match is_full && self.mode != EncodingMode::Delta {
            true => self.dictionary_full(before, cache),
            false => AppendOutcome::Done,
        }
    }

    /// Undoes an append that exceeds the dictionary's limit.
    fn dictionary_full(&mut self, before: Checkpoint, cache: &mut KeyMapCache) -> AppendOutcome {
        self.ids.truncate(before.ids);
        match self.mode {
            EncodingMode::Undecided => {
                // No page has used the dictionary: the chunk has none.
                self.leave_dictionary(cache);
                AppendOutcome::Retry
            }
            _ => {
                self.return_key_maps(cache);
                self.dictionary.truncate(before.dictionary);
                AppendOutcome::DictionaryFull
            }
        }
    }

    /// Gives up the dictionary, which no page has used.
    fn leave_dictionary(&mut self, cache: &mut KeyMapCache) {
        self.return_key_maps(cache);
        let ids = std::mem::take(&mut self.ids);
        let dictionary = std::mem::take(&mut self.dictionary);
        ids.for_each(|id| self.delta.push(dictionary.get(id)));
        self.fall_back();
    }

    /// Ends the dictionary: this page and later ones don't use it.
    pub(super) fn fall_back(&mut self) {
        self.mode = EncodingMode::Delta;
        self.ids = PageIds::default();
    }

    /// The expected number of values in the dictionary, and the first page's share of its bytes.
    ///
    /// An Arrow dictionary that is longer than the page will serve all pages, which share its cost;
    /// the chunk's dictionary never grows longer than it.
    fn dictionary_share(&self) -> (usize, usize) {
        let (distinct, bytes) = (self.dictionary.len(), self.dictionary.bytes.len());
        let longest = self.key_maps.iter().map(KeyMap::len).max().unwrap_or(0);
        let pages = self.limits.pages;
        let in_all = longest.min(distinct.saturating_mul(pages));
        let bytes_in_all = bytes * in_all / distinct.max(1);
        match longest > self.ids.len() && bytes_in_all <= self.limits.dictionary {
            true => (in_all, bytes_in_all / pages),
            false => (distinct, bytes),
        }
    }

    /// Decides, at the end of the first page, whether the chunk has a dictionary. Returns whether
    /// it has one.
    pub(super) fn decide(&mut self, cache: &mut KeyMapCache) -> bool {
        if self.mode == EncodingMode::Undecided {
            let (distinct, bytes) = self.dictionary_share();
            let width = width_of(distinct as u64 - 1).max(1);
            let dictionary = 24 + bytes + self.ids.len() * width / 8;
            let is_constant = self.ids.len() > 1 && self.is_constant();
            let is_shorter = |raw: usize| dictionary < raw + self.ids.len() / 2;
            match is_constant || is_shorter(0) || is_shorter(self.bytes_of_ids()) {
                true => self.mode = EncodingMode::Dictionary,
                false => self.leave_dictionary(cache),
            }
        }
        self.mode == EncodingMode::Dictionary
    }

    /// The bounds of the page, by its ids.
    fn bounds_of_ids(&self) -> Bounds {
        match self.dictionary.extremes(&self.ids) {
            Some((min, max)) => Bounds::ByteArray(
                self.dictionary.get(min).to_vec(),
                self.dictionary.get(max).to_vec(),
            ),
            None => Bounds::None,
        }
    }

    /// Takes the page's values and their bounds if the page has a dictionary and consists of one
    /// key set; empties the page then.
    pub(super) fn take_mapped(&mut self) -> Option<(MappedKeySet, Bounds)> {
        if self.mode != EncodingMode::Dictionary {
            return None;
        }
        self.ids.mapped()?;
        let bounds = self.bounds_of_ids();
        self.max_bytes = 0;
        Some((self.ids.take_mapped()?, bounds))
    }

    /// Appends the body of the page, and empties the page.
    pub(super) fn flush(
        &mut self,
        out: &mut Vec<u8>,
        bloom: &mut Option<Sbbf>,
    ) -> (Encoding, Bounds) {
        self.max_bytes = 0;
        if self.mode == EncodingMode::Dictionary {
            let bounds = self.bounds_of_ids();
            self.ids.flush(out);
            return (Encoding::RLE_DICTIONARY, bounds);
        }
        let bounds = self.delta.scan(bloom);
        (self.delta.flush(out), bounds)
    }

    /// The number of values in the dictionary.
    pub(super) fn dictionary_len(&self) -> usize {
        self.dictionary.len()
    }

    /// Takes the body of the dictionary page.
    pub(super) fn take_dictionary_page(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.dictionary.bytes)
    }

    /// Inserts the dictionary's values into a Bloom filter.
    pub(super) fn fill_bloom_filter(&self, bloom: &mut Sbbf) {
        for id in 0..self.dictionary.len() {
            bloom.insert(self.dictionary.get(id as u32));
        }
    }
}
