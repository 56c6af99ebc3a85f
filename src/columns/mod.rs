//! Named columns, computed from a frame.
//!
//! A column reads the frame's decisions and renders values. It decides nothing and knows no
//! schema. Most strings are dictionary keys over tables that are built once per run from world
//! and catalog; columns whose rows nearly all differ (times, GUIDs) are plain strings.

#[macro_use]
mod given;

mod arrays;
pub mod base;
mod cache;
pub mod cloud;
pub mod ecs;
pub mod enrichment;
pub mod identity;
mod keyed;
pub mod linux;
mod meaning;
pub mod network;
pub mod process;
pub mod security;
mod selection;
mod shared;
pub mod sysmon;
mod tables;
pub mod threat;
pub mod windows;
mod words;

use std::any::TypeId;
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, BooleanArray, ListArray};
use arrow_buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};

use crate::frame::{Frame, Maker, NONE, TextColumn};
use crate::kinds::{ALL, HOSTS, Kinds, SENSOR_KIND, has};
use cache::Cache;
use keyed::Keyed;
use selection::{ByKind, Selection, Validity};
use shared::known;

pub use arrays::{Column, KeyedTexts, Values, list_item, table, text_type};
use arrays::{dictionary, lists, own_texts, own_values, packed_texts, plain_texts};
pub use tables::Tables;

/// A frame with the world and the tables that it refers to, and what its columns share.
pub struct View<'v> {
    pub frame: &'v Frame,
    pub maker: &'v Maker,
    pub tables: &'v Tables,
    /// The set of kinds that occur in the frame.
    present: Kinds,
    /// Each row's kind: its telemetry, or [`SENSOR_KIND`].
    kind: Vec<u8>,
    by_kind: ByKind,
    host_keys: ScalarBuffer<i32>,
    user_keys: ScalarBuffer<i32>,
    cache: Cache,
    no_texts: ArrayRef,
    no_own_texts: ArrayRef,
    no_integers: ArrayRef,
}

/// Message of a failed check: functions are told apart by their type ([`Keyed`]).
const CAPTURES_NOTHING: &str = "a function that is known by its type captures nothing";

impl<'v> View<'v> {
    /// A view of a frame.
    pub fn new(frame: &'v Frame, maker: &'v Maker, tables: &'v Tables) -> Self {
        let kind = frame.telemetry.iter().map(|&t| t as u8).collect();
        let host_keys: Vec<i32> = frame.host.iter().map(|host| host.key()).collect();
        let user_keys: Vec<i32> = frame.user.iter().map(|user| user.key()).collect();
        let (host_keys, user_keys) = (host_keys.into(), user_keys.into());
        View::with_kinds(frame, maker, tables, kind, host_keys, user_keys)
    }

    fn with_kinds(
        frame: &'v Frame,
        maker: &'v Maker,
        tables: &'v Tables,
        kind: Vec<u8>,
        host_keys: ScalarBuffer<i32>,
        user_keys: ScalarBuffer<i32>,
    ) -> Self {
        let by_kind = ByKind::new(&kind);
        View {
            frame,
            maker,
            tables,
            present: by_kind.present,
            kind,
            by_kind,
            host_keys,
            user_keys,
            cache: Cache::default(),
            no_texts: tables.no_texts.slice(0, frame.len),
            no_own_texts: tables.no_own_texts.slice(0, frame.len),
            no_integers: tables.no_integers.slice(0, frame.len),
        }
    }

    /// The same frame with each fused alert shown as its sensor's document: an alert of the network
    /// alone, without the host's record that it was fused with.
    pub fn with_sensor_documents(&self) -> Self {
        let (f, rules) = (self.frame, &self.maker.world.detections);
        let is_sensors = |row: usize| match f.rule[row].get() {
            Some(rule) => f.noise[row] < 0 && f.chain[row] < 0 && rules[rule].endpoint.is_none(),
            None => false,
        };
        let kind: Vec<u8> = (0..f.len)
            .map(|row| match is_sensors(row) {
                true => SENSOR_KIND,
                false => f.telemetry[row] as u8,
            })
            .collect();
        let (host_keys, user_keys) = (self.host_keys.clone(), self.user_keys.clone());
        View::with_kinds(f, self.maker, self.tables, kind, host_keys, user_keys)
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.frame.len
    }

    /// Always false: a frame has rows.
    pub fn is_empty(&self) -> bool {
        self.frame.len == 0
    }

    /// Whether the kind of row `row` is in `kinds`.
    #[inline]
    pub fn is(&self, row: usize, kinds: Kinds) -> bool {
        has(kinds, self.kind[row])
    }

    /// Validity of the rows that have a host: `None` if no row has one, `Some(None)` if all have.
    fn hosts(&self) -> Option<Option<NullBuffer>> {
        match &*self.select(HOSTS)? {
            Selection::All => Some(None),
            Selection::Some(_, valid) => Some(Some(valid.clone())),
        }
    }

    /// The rows of some kinds; `None` if there are none.
    fn select(&self, kinds: Kinds) -> Option<Rc<Selection>> {
        let kinds = kinds & self.present;
        if kinds == 0 {
            return None;
        }
        let mut selections = self.cache.selections.borrow_mut();
        if let Some((_, known)) = selections.iter().find(|(k, _)| *k == kinds) {
            return Some(known.clone());
        }
        let selection = Rc::new(self.by_kind.select(kinds));
        selections.push((kinds, selection.clone()));
        Some(selection)
    }

    /// Looks up a string of `values` per row. A negative key means null.
    pub fn texts(&self, values: &ArrayRef, key: impl Fn(usize) -> i32) -> Column {
        self.texts_of(ALL, values, key)
    }

    /// Looks up a string of `values` per row of `kinds`; other rows are null.
    pub fn texts_of(
        &self,
        kinds: Kinds,
        values: &ArrayRef,
        key: impl FnMut(usize) -> i32,
    ) -> Column {
        let Some(selection) = self.select(kinds) else {
            return self.null_texts();
        };
        let keys = self.keys(&selection, key);
        self.dictionary(values, keys, &selection)
    }

    /// Computes the keys of the selected rows.
    fn keys(&self, selection: &Selection, mut key: impl FnMut(usize) -> i32) -> Vec<i32> {
        match selection {
            Selection::All => (0..self.frame.len).map(key).collect(),
            Selection::Some(rows, _) => rows.iter().map(|&row| key(row as usize)).collect(),
        }
    }

    /// A column of the selected rows' keys. A negative key means null.
    fn dictionary(&self, table: &ArrayRef, mut keys: Vec<i32>, selection: &Selection) -> Column {
        let has_nulls = keys.iter().fold(0, |signs, key| signs | *key) < 0;
        let nulls = match selection {
            Selection::All if has_nulls => known(&keys),
            _ => {
                let mut validity = Validity::new(self.frame.len, selection);
                if has_nulls {
                    let rows = selection.rows(self.frame.len).zip(&keys);
                    let lost = rows.filter(|(_, key)| **key < 0);
                    lost.for_each(|(row, _)| validity.lose(row));
                }
                validity.finish()
            }
        };
        if has_nulls {
            // Compacts in place: a null's slot is overwritten by the next key.
            let mut kept = 0;
            for at in 0..keys.len() {
                let key = keys[at];
                keys[kept] = key;
                kept += usize::from(key >= 0);
            }
            keys.truncate(kept);
        }
        match table.is_empty() || keys.is_empty() {
            true => self.null_texts(),
            false => Column::Keyed(KeyedTexts {
                keys: keys.into(),
                nulls,
                table: table.clone(),
            }),
        }
    }

    /// A column whose keys depend only on `keyed`. Columns with the same keys share one key buffer.
    fn keyed(
        &self,
        keyed: Keyed,
        kinds: Kinds,
        values: &ArrayRef,
        key: impl FnMut(usize) -> i32,
    ) -> Column {
        let kinds = kinds & self.present;
        let mut made = self.cache.keyed.borrow_mut();
        let known = made.iter().find(|(k, of, _)| (k, of) == (&keyed, &kinds));
        match known {
            // Null in every row.
            Some((_, _, Column::Array(nulls))) => nulls.clone().into(),
            Some((_, _, Column::Keyed(texts))) if texts.table.len() <= values.len() => {
                texts.over(values)
            }
            _ => {
                let column = self.texts_of(kinds, values, key);
                made.push((keyed, kinds, column.clone()));
                column
            }
        }
    }

    /// Looks up a string per row of `kinds` by a key function that other columns use, too.
    pub fn texts_by<K: Fn(&View<'_>, usize) -> i32 + 'static>(
        &self,
        kinds: Kinds,
        values: &ArrayRef,
        key: K,
    ) -> Column {
        const { assert!(size_of::<K>() == 0, "{}", CAPTURES_NOTHING) };
        let of = Keyed::Function(TypeId::of::<K>());
        self.keyed(of, kinds, values, |row| key(self, row))
    }

    /// The first string of `values` on rows of `kinds`.
    pub fn constant(&self, kinds: Kinds, values: &ArrayRef) -> Column {
        self.keyed(Keyed::Constant, kinds, values, |_| 0)
    }

    /// One string on rows of `kinds`. Its table is built only if the frame has such rows.
    pub fn literal(&self, kinds: Kinds, text: &str) -> Column {
        match self.present & kinds {
            0 => self.null_texts(),
            _ => self.constant(kinds, &table([text])),
        }
    }

    /// A text column of the frame on rows of `kinds`. `known` is the table of its fixed strings.
    pub fn own(&self, kinds: Kinds, column: &'v TextColumn, known: Option<&ArrayRef>) -> Column {
        if self.present & kinds == 0 || column.is_empty() {
            return self.null_texts();
        }
        self.own_by(kinds, column, &self.values_of(column, known))
    }

    /// A text column of the frame on rows of `kinds`, with `values` in place of its strings.
    fn own_by(&self, kinds: Kinds, column: &TextColumn, values: &ArrayRef) -> Column {
        self.keyed(Keyed::Column(column), kinds, values, |row| column.key(row))
    }

    /// A part of each string of a text column. `known` is the table of the fixed strings' parts.
    pub(super) fn part(
        &self,
        kinds: Kinds,
        column: &TextColumn,
        known: Option<&ArrayRef>,
        part: impl Fn(&str) -> &str,
    ) -> Column {
        if self.present & kinds == 0 || column.is_empty() {
            return self.null_texts();
        }
        self.own_by(kinds, column, &own_values(column, known, part))
    }

    /// All strings of a text column: `known`, then the frame's own. One column always has the same
    /// `known`.
    fn values_of(&self, column: &'v TextColumn, known: Option<&ArrayRef>) -> ArrayRef {
        let mut made = self.cache.values.borrow_mut();
        if let Some((_, values)) = made.iter().find(|(of, _)| std::ptr::eq(*of, column)) {
            return values.clone();
        }
        let values = own_texts(column, known);
        made.push((column, values.clone()));
        values
    }

    /// Looks up a string per row of `kinds`, and writes one per row of `others`.
    pub fn blend(
        &self,
        kinds: Kinds,
        values: &ArrayRef,
        key: impl Fn(usize) -> i32,
        others: Kinds,
        write: impl FnMut(usize, &mut Vec<u8>),
    ) -> Column {
        if self.present & others == 0 {
            return self.texts_of(kinds, values, key);
        }
        let key = |row| match self.is(row, kinds) {
            true => key(row),
            false => i32::MAX,
        };
        self.mix(kinds | others, values, key, write)
    }

    /// Looks up a string per row of `kinds`; a key past the table means that `write` makes the string,
    /// a negative key means null.
    pub fn mix(
        &self,
        kinds: Kinds,
        values: &ArrayRef,
        key: impl Fn(usize) -> i32,
        mut write: impl FnMut(usize, &mut Vec<u8>),
    ) -> Column {
        let Some(selection) = self.select(kinds) else {
            return self.null_texts();
        };
        let known = values.as_string::<i32>();
        // Copies only the strings that rows use.
        let mut places = vec![NONE; known.len()];
        let (mut bytes, mut offsets) = (Vec::new(), vec![0]);
        let place = |row: usize| {
            let Ok(at) = usize::try_from(key(row)) else {
                return NONE;
            };
            let new = offsets.len() as i32 - 1;
            match places.get_mut(at) {
                Some(place) if *place != NONE => return *place,
                Some(place) => {
                    *place = new;
                    bytes.extend_from_slice(known.value(at).as_bytes());
                }
                None => write(row, &mut bytes),
            }
            offsets.push(bytes.len() as i32);
            new
        };
        // `values` is complete only once all keys are computed.
        let keys = self.keys(&selection, place);
        self.dictionary(&plain_texts(bytes, offsets, None), keys, &selection)
    }

    /// A value that the row's record gives under `data`, or its default; `None` without either.
    pub fn given_text(&self, row: usize, name: &str) -> Option<&str> {
        let (slot, default) = self.frame.telemetry[row].slot(name)?;
        let column = &self.frame.data[slot];
        if column.key(row) == NONE {
            return default.filter(|text| !text.is_empty());
        }
        Some(column.text(row))
    }

    /// Whether a row's record gives the value of this name itself, rather than leave the default.
    pub(super) fn gives(&self, row: usize, name: &str) -> bool {
        let slot = self.frame.telemetry[row].slot(name);
        slot.is_some_and(|(slot, _)| self.frame.data[slot].key(row) != NONE)
    }

    /// The column of one name under `data`, on rows of `kinds`: those that have it.
    fn given(&self, kinds: Kinds, name: &str) -> Column {
        self.plain(kinds, 16, |row, out| {
            out.extend_from_slice(self.given_text(row, name).unwrap_or_default().as_bytes());
            true
        })
    }

    /// Null strings in every row.
    pub fn null_texts(&self) -> Column {
        self.no_texts.clone().into()
    }

    /// Null integers in every row.
    fn null_integers(&self) -> Column {
        self.no_integers.clone().into()
    }

    /// Integers on rows of some kinds.
    pub fn integers(&self, kinds: Kinds, mut value: impl FnMut(usize) -> Option<i64>) -> Column {
        let Some(selection) = self.select(kinds) else {
            return self.null_integers();
        };
        let mut validity = Validity::new(self.frame.len, &selection);
        let rows = selection.rows(self.frame.len);
        let (mut values, mut kept) = (vec![0; rows.len()], 0);
        for row in rows {
            let value = value(row);
            values[kept] = value.unwrap_or(0);
            kept += usize::from(value.is_some());
            if value.is_none() {
                validity.lose(row);
            }
        }
        values.truncate(kept);
        match values.is_empty() {
            true => self.null_integers(),
            false => Column::Packed(Values::Integers(values.into()), validity.finish()),
        }
    }

    /// Booleans in every row.
    pub fn booleans(&self, value: impl FnMut(usize) -> bool) -> Column {
        Column::of(BooleanArray::new(
            BooleanBuffer::collect_bool(self.frame.len, value),
            None,
        ))
    }

    /// Plain strings on rows of `kinds`. `write` appends the string and returns whether there is one.
    /// `width` is its usual length in bytes.
    pub fn plain(
        &self,
        kinds: Kinds,
        width: usize,
        mut write: impl FnMut(usize, &mut Vec<u8>) -> bool,
    ) -> Column {
        let Some(selection) = self.select(kinds) else {
            return self.no_own_texts.clone().into();
        };
        let mut validity = Validity::new(self.frame.len, &selection);
        let rows = selection.rows(self.frame.len);
        let mut offsets = Vec::with_capacity(rows.len() + 1);
        offsets.push(0);
        let mut bytes = Vec::with_capacity(rows.len() * width);
        for row in rows {
            let start = bytes.len();
            match write(row, &mut bytes) {
                true => offsets.push(bytes.len() as i32),
                false => {
                    bytes.truncate(start);
                    validity.lose(row);
                }
            }
        }
        match offsets.len() {
            1 => self.no_own_texts.clone().into(),
            _ => {
                let texts = packed_texts(bytes, offsets);
                Column::Packed(Values::Texts(texts), validity.finish())
            }
        }
    }

    /// Lists of one string each, null where the key is negative. Columns with the same key function
    /// share keys and offsets.
    pub fn lists_of_one<K: Fn(&View<'_>, usize) -> i32 + 'static>(
        &self,
        values: &ArrayRef,
        key: K,
    ) -> Column {
        const { assert!(size_of::<K>() == 0, "{}", CAPTURES_NOTHING) };
        let of = Keyed::Lists(TypeId::of::<K>());
        let mut made = self.cache.keyed.borrow_mut();
        let known = made.iter().find(|(k, _, _)| *k == of);
        let list = match known {
            Some((_, _, Column::Array(list))) => list.as_list_opt::<i32>(),
            _ => None,
        };
        if let Some(list) = list.filter(|list| !list.values().is_empty()) {
            let items = list.values().as_dictionary::<Int32Type>();
            if items.values().len() <= values.len() {
                let items = Arc::new(items.with_values(values.clone()));
                let (offsets, nulls) = (list.offsets().clone(), list.nulls().cloned());
                return Column::of(ListArray::new(list_item(), offsets, items, nulls));
            }
        }
        let (mut keys, mut count) = (vec![0; self.frame.len], 0);
        let mut offsets = Vec::with_capacity(self.frame.len + 1);
        offsets.push(0);
        for row in 0..self.frame.len {
            // Compacts in place, as above.
            let key = key(self, row);
            keys[count] = key;
            count += usize::from(key >= 0);
            offsets.push(count as i32);
        }
        keys.truncate(count);
        let list = Column::from(lists(values, keys, offsets));
        made.push((of, ALL, list.clone()));
        list
    }

    /// Lists of strings: `push` appends the keys of a row's list.
    pub fn lists(&self, values: &ArrayRef, mut push: impl FnMut(usize, &mut Vec<i32>)) -> Column {
        let mut keys = Vec::with_capacity(self.frame.len);
        let mut offsets = Vec::with_capacity(self.frame.len + 1);
        offsets.push(0i32);
        for row in 0..self.frame.len {
            push(row, &mut keys);
            offsets.push(keys.len() as i32);
        }
        lists(values, keys, offsets).into()
    }
}
