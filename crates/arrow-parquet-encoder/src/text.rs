//! Values of a chunk of texts or binaries.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;
use parquet::basic::Encoding;
use parquet::bloom_filter::Sbbf;
use parquet::errors::{ParquetError, Result};

use super::column::Source;
use super::delta::{delta_byte_array, delta_length, prefixes_pay};
use super::dictionary::{Ids, TextPool, head};
use super::keys::{KeySet, Whole, key_set, selected_keys};
use super::levels::Selection;
use super::remap::{Remap, Remaps};
use super::texts::Texts;
use super::values::{Appended, Bounds, Mode, SAMPLE, Scratch, is_varied};

/// Arrow dictionaries whose tables are kept.
const REMAPS: usize = 3;

/// Whether values of a type are read here.
pub(super) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::Binary | DataType::LargeUtf8 | DataType::LargeBinary => true,
        DataType::Dictionary(_, values) => {
            !matches!(**values, DataType::Dictionary(..)) && is_text(values)
        }
        _ => false,
    }
}

/// Whether all keys are one.
pub(super) fn is_constant<T: Copy + PartialEq>(keys: &[T]) -> bool {
    let Some(first) = keys.first() else {
        return true;
    };
    keys.chunks(64)
        .all(|chunk| chunk.iter().fold(true, |same, k| same & (k == first)))
}

/// Texts of a chunk, and those that wait for their page.
pub(super) struct TextValues {
    pub mode: Mode,
    pub pool: TextPool,
    ids: Ids,
    remaps: Vec<Remap>,
    /// Which of them all values of the pool came by, if one alone did.
    only: Option<usize>,
    /// While undecided: at most the bytes of the values that wait.
    most: usize,
    bytes: Vec<u8>,
    lengths: Vec<i64>,
    /// Bytes of values after which the dictionary ends.
    limit: usize,
    page_limit: usize,
    /// Pages that the chunk will have, as far as that is known.
    pages: usize,
}

impl TextValues {
    pub(super) fn new(mode: Mode, limit: usize, page_limit: usize, pages: usize) -> Self {
        TextValues {
            mode,
            pages,
            pool: TextPool::default(),
            ids: Ids::default(),
            remaps: Vec::new(),
            only: None,
            most: 0,
            bytes: Vec::new(),
            lengths: Vec::new(),
            limit,
            page_limit,
        }
    }

    /// Values that wait for their page.
    pub(super) fn len(&self) -> usize {
        match self.mode {
            Mode::Delta => self.lengths.len(),
            _ => self.ids.len(),
        }
    }

    /// Whether those are one and the same, by id.
    pub(super) fn constant(&self) -> Option<u32> {
        self.ids.constant()
    }

    /// Whether the selected values are all the one that waits.
    pub(super) fn continues(
        &mut self,
        source: Source<'_>,
        selection: &Selection<'_>,
        scratch: &mut Scratch,
    ) -> bool {
        let Some(id) = self.constant() else {
            return false;
        };
        let Some((set, values)) = key_set(source, selection, scratch) else {
            return false;
        };
        let Some(texts) = Texts::new(values).filter(|_| set.len > 0) else {
            return false;
        };
        // Several keys may have one value.
        let mut keys = set.distinct.iter();
        keys.all(|key| texts.get(*key as usize) == self.pool.get(id))
    }

    /// Adds the selected values of a column.
    pub(super) fn append(
        &mut self,
        source: Source<'_>,
        selection: &Selection<'_>,
        limited: bool,
        scratch: &mut Scratch,
    ) -> Result<Appended> {
        let foreign = || ParquetError::General(format!("{} is no text", source.data_type()));
        if source.is_dictionary() {
            if self.mode == Mode::Delta {
                let keys = selected_keys(source, selection, &mut scratch.keys);
                let (keys, values) = keys.ok_or_else(foreign)?;
                let texts = Texts::new(values).ok_or_else(foreign)?;
                return Ok(self.append_raw(keys, &texts, limited));
            }
            let (set, values) = key_set(source, selection, scratch)
                .ok_or_else(|| ParquetError::General("a key without a value".into()))?;
            let texts = Texts::new(values).ok_or_else(foreign)?;
            if !self.has_room(&set, &texts, limited) {
                return Ok(Appended::TooLong);
            }
            return Ok(self.append_set(set, values, &texts, &mut scratch.remaps));
        }
        let array = source.array().ok_or_else(foreign)?;
        let texts = Texts::new(array).ok_or_else(foreign)?;
        let ranges = &mut scratch.ranges;
        ranges.clear();
        ranges.reserve(selection.len());
        let mut added = 0;
        selection.for_each(|e| {
            let (start, end) = texts.range(e);
            added += end - start;
            ranges.push((start, end));
        });
        if self.mode != Mode::Dictionary {
            if limited && self.raw() + added > self.page_limit {
                return Ok(Appended::TooLong);
            }
            self.most += added;
        }
        self.append_ranges(ranges, added, texts.bytes(), &mut scratch.remaps)
    }

    /// Adds the texts of keys where there is no dictionary.
    fn append_raw(&mut self, keys: &[u32], texts: &Texts<'_>, limited: bool) -> Appended {
        let added: usize = (keys.iter()).map(|k| texts.get(*k as usize).len()).sum();
        if limited && self.bytes.len() + added > self.page_limit {
            return Appended::TooLong;
        }
        self.bytes.reserve(added);
        self.lengths.reserve(keys.len());
        for key in keys {
            self.push_raw(texts.get(*key as usize));
        }
        Appended::Done
    }

    fn push_raw(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.lengths.push(text.len() as i64);
    }

    /// Counts the bytes of a page with the values of a key set, where they would stand in it:
    /// whether it is not too long then.
    fn has_room(&mut self, set: &KeySet, texts: &Texts<'_>, limited: bool) -> bool {
        if self.mode == Mode::Dictionary {
            return true;
        }
        let lengths = set.distinct.iter().map(|k| texts.get(*k as usize).len());
        // Nearly always short enough whatever the keys are; else they are counted.
        let most = lengths.clone().max().unwrap_or(0) * set.len;
        let added = match self.most + most <= self.page_limit {
            true => most,
            false => {
                self.most = self.exact();
                let counts = set.counts().iter();
                counts
                    .zip(lengths)
                    .map(|(n, length)| *n as usize * length)
                    .sum()
            }
        };
        // One value in all rows is short in a dictionary.
        let is_short = set.distinct.len() < 2;
        if limited && !is_short && self.raw() + added > self.page_limit {
            return false;
        }
        self.most += added;
        true
    }

    /// Bytes of the page's values, or at most what they would be without a dictionary.
    fn raw(&self) -> usize {
        match self.mode {
            Mode::Delta => self.bytes.len(),
            _ => self.most,
        }
    }

    /// Bytes of the values that wait by their ids.
    fn exact(&self) -> usize {
        let length = |id: u32| self.pool.get(id).len();
        if let Some(id) = self.ids.constant() {
            return length(id) * self.ids.len();
        }
        if let Some(whole) = self.ids.whole() {
            let counts = whole.set.counts().iter().zip(&whole.of);
            return counts.map(|(n, id)| *n as usize * length(*id)).sum();
        }
        let mut bytes = 0;
        self.ids.for_each(|id| bytes += length(id));
        bytes
    }

    /// The table of a dictionary, among those kept.
    fn remap(&mut self, values: &ArrayRef, remaps: &mut Remaps) -> usize {
        if let Some(at) = self.remaps.iter().position(|r| r.is_of(values)) {
            return at;
        }
        if self.remaps.len() == REMAPS {
            remaps.give_back(self.remaps.remove(0), self.pool.len());
            self.only = None;
        }
        self.remaps.push(remaps.take(values));
        self.remaps.len() - 1
    }

    /// Ends what keys meant: the pool gets no value any more.
    pub(super) fn return_remaps(&mut self, remaps: &mut Remaps) {
        for remap in self.remaps.drain(..) {
            remaps.give_back(remap, self.pool.len());
        }
        self.only = None;
    }

    /// Id of a value that no remap tells.
    fn intern(&mut self, value: &[u8]) -> u32 {
        self.only = None;
        self.pool.intern(value)
    }

    fn append_set(
        &mut self,
        set: Arc<KeySet>,
        values: &ArrayRef,
        texts: &Texts<'_>,
        remaps: &mut Remaps,
    ) -> Appended {
        let (waiting, known) = (self.ids.len(), self.pool.len());
        if let [] | [_] = set.distinct[..] {
            if let Some(key) = set.distinct.first() {
                let id = self.intern(texts.get(*key as usize));
                self.ids.push_constant(id, set.len);
            }
            return self.check(waiting, known, remaps);
        }
        let at = self.remap(values, remaps);
        let is_alone = self.pool.len() == 0 || self.only == Some(at);
        let is_sampled = self.mode == Mode::Undecided && waiting == 0;
        let sampled = match is_sampled {
            true => set.sampled,
            false => 0,
        };
        // Of a table that is longer than the batch, what is new here will come again.
        let comes_again = self.pages > 1 && values.len() > set.len;
        let limit = self.limit;
        let mut of = Vec::with_capacity(set.distinct.len());
        let (sample, rest) = set.distinct.split_at(sampled);
        for part in [sample, rest] {
            let (remap, pool) = (&mut self.remaps[at], &mut self.pool);
            let mapped = remap.map(part, texts, pool, limit, is_alone, &mut of);
            self.only = (is_alone && remap.tells_values_apart()).then_some(at);
            if mapped.is_none() {
                return self.full(waiting, known, remaps);
            }
            if is_sampled
                && is_varied(SAMPLE.min(set.len), self.pool.len())
                && of.len() == sampled
                && is_varied(set.len, set.distinct.len())
                && !comes_again
            {
                self.leave_dictionary(remaps);
                set.for_each(|p| self.push_raw(texts.get(set.distinct[p as usize] as usize)));
                return Appended::Done;
            }
        }
        match of.iter().all(|id| *id == of[0]) {
            true => self.ids.push_constant(of[0], set.len),
            false => self.ids.push_whole(Whole { set, of }),
        }
        if !comes_again {
            self.sample(remaps);
        }
        self.check(waiting, known, remaps)
    }

    fn append_ranges(
        &mut self,
        ranges: &[(usize, usize)],
        total: usize,
        bytes: &[u8],
        remaps: &mut Remaps,
    ) -> Result<Appended> {
        if self.mode == Mode::Delta {
            self.lengths
                .extend(ranges.iter().map(|(start, end)| (end - start) as i64));
            match (ranges.first(), ranges.last()) {
                (Some((start, _)), Some((_, end))) if end - start == total => {
                    self.bytes.extend_from_slice(&bytes[*start..*end]);
                }
                _ => ranges
                    .iter()
                    .for_each(|(start, end)| self.bytes.extend_from_slice(&bytes[*start..*end])),
            }
            return Ok(Appended::Done);
        }
        let (waiting, known) = (self.ids.len(), self.pool.len());
        for (at, (start, end)) in ranges.iter().enumerate() {
            if at == SAMPLE && waiting == 0 {
                self.sample(remaps);
                if self.mode == Mode::Delta {
                    let rest = &ranges[at..];
                    let total = rest.iter().map(|(start, end)| end - start).sum();
                    return self.append_ranges(rest, total, bytes, remaps);
                }
            }
            if self.pool.bytes.len() > self.limit {
                return Ok(self.full(waiting, known, remaps));
            }
            let id = self.intern(&bytes[*start..*end]);
            self.ids.push_constant(id, 1);
        }
        self.sample(remaps);
        Ok(self.check(waiting, known, remaps))
    }

    /// Leaves the dictionary early where nearly every value is new.
    fn sample(&mut self, remaps: &mut Remaps) {
        if self.mode == Mode::Undecided && is_varied(self.ids.len(), self.pool.len()) {
            self.leave_dictionary(remaps);
        }
    }

    fn check(&mut self, waiting: usize, known: usize, remaps: &mut Remaps) -> Appended {
        match self.mode != Mode::Delta && self.pool.bytes.len() > self.limit {
            true => self.full(waiting, known, remaps),
            false => Appended::Done,
        }
    }

    /// The dictionary is full: takes back what was appended after `waiting` values.
    fn full(&mut self, waiting: usize, known: usize, remaps: &mut Remaps) -> Appended {
        self.ids.truncate(waiting);
        match self.mode {
            Mode::Undecided => {
                // No page has used it: the chunk has no dictionary at all.
                self.leave_dictionary(remaps);
                Appended::Again
            }
            _ => {
                self.return_remaps(remaps);
                self.pool.truncate(known);
                Appended::Full
            }
        }
    }

    /// Turns waiting ids into texts: there is no dictionary.
    fn leave_dictionary(&mut self, remaps: &mut Remaps) {
        self.return_remaps(remaps);
        let (ids, pool) = (
            std::mem::take(&mut self.ids),
            std::mem::take(&mut self.pool),
        );
        ids.for_each(|id| self.push_raw(pool.get(id)));
        self.fall_back();
    }

    /// Pages from here on have no dictionary.
    pub(super) fn fall_back(&mut self) {
        self.mode = Mode::Delta;
        self.ids = Ids::default();
    }

    /// Values of the dictionary, and the bytes of it that are the first page's to answer for. A
    /// table that is longer than the page serves all pages, and is never longer than itself.
    fn share_of_dictionary(&self) -> (usize, usize) {
        let (distinct, bytes) = (self.pool.len(), self.pool.bytes.len());
        let table = self.remaps.iter().map(Remap::len).max().unwrap_or(0);
        let in_all = table.min(distinct.saturating_mul(self.pages));
        let bytes_in_all = bytes * in_all / distinct.max(1);
        match table > self.ids.len() && bytes_in_all <= self.limit {
            true => (in_all, bytes_in_all / self.pages),
            false => (distinct, bytes),
        }
    }

    /// Decides, at the end of the first page, whether the chunk has a dictionary.
    pub(super) fn decide(&mut self, remaps: &mut Remaps) {
        if self.mode != Mode::Undecided {
            return;
        }
        let (distinct, bytes) = self.share_of_dictionary();
        let width = super::bits::width_of(distinct as u64 - 1).max(1);
        let dictionary = 24 + bytes + self.ids.len() * width / 8;
        let same = self.ids.constant().is_some() && self.ids.len() > 1;
        let cheaper = |raw: usize| dictionary < raw + self.ids.len() / 2;
        match same || cheaper(0) || cheaper(self.exact()) {
            true => self.mode = Mode::Dictionary,
            false => self.leave_dictionary(remaps),
        }
    }

    /// Bounds of the page at hand by its ids.
    fn bounds(&self) -> Bounds {
        match self.pool.extremes(&self.ids) {
            Some((least, greatest)) => Bounds::Text(
                self.pool.get(least).to_vec(),
                self.pool.get(greatest).to_vec(),
            ),
            None => Bounds::None,
        }
    }

    /// The page's values, where they are of one key set and have a dictionary; and starts anew.
    pub(super) fn take_whole(&mut self) -> Option<(Whole, Bounds)> {
        if self.mode != Mode::Dictionary {
            return None;
        }
        self.ids.whole()?;
        let bounds = self.bounds();
        self.most = 0;
        Some((self.ids.take_whole()?, bounds))
    }

    /// Appends the page's body, and starts anew.
    pub(super) fn flush(
        &mut self,
        out: &mut Vec<u8>,
        bloom: &mut Option<Sbbf>,
    ) -> (Encoding, Bounds) {
        self.most = 0;
        if self.mode == Mode::Dictionary {
            let bounds = self.bounds();
            self.ids.flush(out);
            return (Encoding::RLE_DICTIONARY, bounds);
        }
        let mut at = 0;
        let mut bounds: Option<[(u64, &[u8]); 2]> = None;
        for length in &self.lengths {
            let text = &self.bytes[at..at + *length as usize];
            at += *length as usize;
            let new = (head(text), text);
            match &mut bounds {
                None => bounds = Some([new, new]),
                Some([least, greatest]) => {
                    if new < *least {
                        *least = new;
                    } else if new > *greatest {
                        *greatest = new;
                    }
                }
            }
            if let Some(bloom) = bloom {
                bloom.insert(text);
            }
        }
        let bounds = bounds.map_or(Bounds::None, |[least, greatest]| {
            Bounds::Text(least.1.to_vec(), greatest.1.to_vec())
        });
        let encoding = match prefixes_pay(&self.lengths, &self.bytes) {
            true => {
                delta_byte_array(&self.lengths, &self.bytes, out);
                Encoding::DELTA_BYTE_ARRAY
            }
            false => {
                delta_length(&self.lengths, &self.bytes, out);
                Encoding::DELTA_LENGTH_BYTE_ARRAY
            }
        };
        self.bytes.clear();
        self.lengths.clear();
        (encoding, bounds)
    }
}
