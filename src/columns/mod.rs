//! Named columns from a frame: keys over tables that exist before the first row.
//!
//! A column reads decisions and renders values; it decides nothing, and knows no
//! schema. Texts are `DictionaryArray`s over world and catalog tables, or plain
//! where nearly every row has its own (times, GUIDs).

mod arrays;
pub mod base;
pub mod cloud;
pub mod ecs;
pub mod enrichment;
pub mod identity;
mod kinds;
pub mod linux;
pub mod network;
pub mod process;
pub mod security;
mod selection;
mod shared;
pub mod sysmon;
mod tables;
pub mod threat;
pub mod windows;

use std::any::TypeId;
use std::cell::{OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, ListArray};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::Int32Type;

use crate::catalog::Telemetry;
use crate::frame::{Frame, Maker, NONE, TextColumn};
use selection::{ByKind, Selection, Validity};

pub use arrays::{Column, KeyedTexts, Values, list_item, table, text_type};
use arrays::{dictionary, lists, own_texts, own_values, packed_texts, plain_texts};
pub use kinds::{
    ALL, AUDIT, AUDIT_USER, FILTERING, Kinds, RECORDS, SECURITY, SENSOR, SYSMON, SYSMON_PROCESS,
    WINDOWS, holds, kinds,
};
use kinds::{SENSOR_KIND, has};
pub use tables::Tables;

/// A frame with all it refers to.
pub struct View<'v> {
    pub frame: &'v Frame,
    pub maker: &'v Maker,
    pub tables: &'v Tables,
    /// Kinds of telemetry that occur in the frame, as a set.
    present: Kinds,
    /// Each row's kind: its telemetry, or [`SENSOR_KIND`].
    kind: Vec<u8>,
    by_kind: ByKind,
    host_keys: ScalarBuffer<i32>,
    user_keys: ScalarBuffer<i32>,
    /// Where rows of some kinds stand, as columns have asked: many ask for the same kinds.
    selections: RefCell<Vec<(Kinds, Rc<Selection>)>>,
    /// Values of the frame's text columns, by their addresses: several columns show the same ones.
    values: RefCell<Vec<(*const TextColumn, ArrayRef)>>,
    /// Keys that several columns have, as the first of them made them.
    keyed: RefCell<Vec<(Keyed, Kinds, Column)>>,
    /// By [`Entry`](shared::Entry).
    entries: [OnceCell<Option<KeyedTexts>>; 3],
    /// The same where only some entries have something, by which.
    known_entries: RefCell<Vec<KnownEntries>>,
    rules: OnceCell<Int32Array>,
    chains: OnceCell<Int32Array>,
    ends: OnceCell<enrichment::Ends>,
    telemetry: OnceCell<ScalarBuffer<i32>>,
    no_texts: ArrayRef,
    no_own_texts: ArrayRef,
    no_integers: ArrayRef,
    guids: OnceCell<process::Guids>,
    arguments: OnceCell<linux::Arguments>,
}

/// Entries of a table, which of them have something, and the rows' keys.
type KnownEntries = (shared::Entry, Box<[bool]>, Option<KeyedTexts>);

/// Of the functions that [`Keyed`] tells apart by type.
const CAPTURES_NOTHING: &str = "a function that is known by its type captures nothing";

/// What decides the keys of a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keyed {
    /// The same key in every row.
    Constant,
    /// A text column of the frame, by its address.
    Column(*const TextColumn),
    /// A function of the row, by its type.
    Function(TypeId),
    /// The same of lists.
    Lists(TypeId),
    /// The kind of record.
    Kind,
    /// The process.
    Process,
}

impl<'v> View<'v> {
    /// A view of a frame.
    pub fn new(frame: &'v Frame, maker: &'v Maker, tables: &'v Tables) -> Self {
        let kind = frame.telemetry.iter().map(|&t| t as u8).collect();
        let (host_keys, user_keys) = (frame.host.clone().into(), frame.user.clone().into());
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
            selections: RefCell::default(),
            values: RefCell::default(),
            keyed: RefCell::default(),
            entries: Default::default(),
            known_entries: RefCell::default(),
            rules: OnceCell::new(),
            chains: OnceCell::new(),
            ends: OnceCell::new(),
            telemetry: OnceCell::new(),
            no_texts: tables.no_texts.slice(0, frame.len),
            no_own_texts: tables.no_own_texts.slice(0, frame.len),
            no_integers: tables.no_integers.slice(0, frame.len),
            guids: OnceCell::new(),
            arguments: OnceCell::new(),
        }
    }

    /// The same frame with each fused alert as its sensor's document: a standalone alert of the
    /// network, without the record of the host that it was fused with.
    pub fn with_sensor_documents(&self) -> Self {
        let (f, rules) = (self.frame, &self.maker.world.detections.all);
        let is_sensors = |row: usize| match usize::try_from(f.rule[row]) {
            Ok(rule) => f.noise[row] < 0 && f.chain[row] < 0 && rules[rule].endpoint.is_none(),
            Err(_) => false,
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

    /// Never: a frame has rows.
    pub fn is_empty(&self) -> bool {
        self.frame.len == 0
    }

    /// Whether row `row` is one of `kinds`.
    #[inline]
    pub fn is(&self, row: usize, kinds: Kinds) -> bool {
        has(kinds, self.kind[row])
    }

    /// Where a row has a host, if not everywhere; none at all where no row has one.
    fn hosts(&self) -> Option<Option<NullBuffer>> {
        match &*self.select(cloud::HOSTS)? {
            Selection::All => Some(None),
            Selection::Some(_, valid) => Some(Some(valid.clone())),
        }
    }

    /// The rows of some kinds; none where none is.
    fn select(&self, kinds: Kinds) -> Option<Rc<Selection>> {
        let kinds = kinds & self.present;
        if kinds == 0 {
            return None;
        }
        let mut selections = self.selections.borrow_mut();
        if let Some((_, known)) = selections.iter().find(|(k, _)| *k == kinds) {
            return Some(known.clone());
        }
        let selection = Rc::new(self.by_kind.select(kinds));
        selections.push((kinds, selection.clone()));
        Some(selection)
    }

    /// Texts of a table by key, over all rows; a negative key is null.
    pub fn texts(&self, values: &ArrayRef, key: impl Fn(usize) -> i32) -> Column {
        self.texts_of(ALL, values, key)
    }

    /// Texts of a table by key on rows of some kinds, null elsewhere.
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

    /// The keys of a selection's rows.
    fn keys(&self, selection: &Selection, mut key: impl FnMut(usize) -> i32) -> Vec<i32> {
        match selection {
            Selection::All => (0..self.frame.len).map(key).collect(),
            Selection::Some(rows, _) => rows.iter().map(|&row| key(row as usize)).collect(),
        }
    }

    /// Texts of a table by the keys of a selection's rows; negative ones are null.
    fn dictionary(&self, table: &ArrayRef, mut keys: Vec<i32>, selection: &Selection) -> Column {
        let mut validity = Validity::new(self.frame.len, selection);
        if keys.iter().fold(0, |signs, key| signs | *key) < 0 {
            let mut kept = 0;
            for (at, row) in selection.rows(self.frame.len).enumerate() {
                // The next one takes the place of what is none.
                let key = keys[at];
                keys[kept] = key;
                kept += usize::from(key >= 0);
                if key < 0 {
                    validity.lose(row);
                }
            }
            keys.truncate(kept);
        }
        match table.is_empty() || keys.is_empty() {
            true => self.null_texts(),
            false => Column::Keyed(KeyedTexts {
                keys: keys.into(),
                nulls: validity.finish(),
                table: table.clone(),
            }),
        }
    }

    /// Texts of a table whose keys `keyed` decides: columns that share them share one buffer.
    fn keyed(
        &self,
        keyed: Keyed,
        kinds: Kinds,
        values: &ArrayRef,
        key: impl FnMut(usize) -> i32,
    ) -> Column {
        let kinds = kinds & self.present;
        let mut made = self.keyed.borrow_mut();
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

    /// Texts of a table on rows of some kinds by a key that other columns have, too.
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

    /// One text on rows of some kinds.
    pub fn constant(&self, kinds: Kinds, values: &ArrayRef) -> Column {
        self.keyed(Keyed::Constant, kinds, values, |_| 0)
    }

    /// A text that only rows of some kinds have; no table stands for it where none is there.
    pub fn literal(&self, kinds: Kinds, text: &str) -> Column {
        match self.present & kinds {
            0 => self.null_texts(),
            _ => self.constant(kinds, &table([text])),
        }
    }

    /// A column of the frame's own texts on rows of some kinds, with the table its known keys point into.
    pub fn own(&self, kinds: Kinds, column: &'v TextColumn, known: Option<&ArrayRef>) -> Column {
        if self.present & kinds == 0 || column.is_empty() {
            return self.null_texts();
        }
        self.own_by(kinds, column, &self.values_of(column, known))
    }

    /// A column of the frame's own texts on rows of some kinds, with other values: one for each text.
    fn own_by(&self, kinds: Kinds, column: &TextColumn, values: &ArrayRef) -> Column {
        self.keyed(Keyed::Column(column), kinds, values, |row| column.key(row))
    }

    /// A part of each of the frame's own texts, with the table of the known ones' parts.
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

    /// Values of one of the frame's text columns; `known` is always the same for one column.
    fn values_of(&self, column: &'v TextColumn, known: Option<&ArrayRef>) -> ArrayRef {
        let mut made = self.values.borrow_mut();
        if let Some((_, values)) = made.iter().find(|(of, _)| std::ptr::eq(*of, column)) {
            return values.clone();
        }
        let values = own_texts(column, known);
        made.push((column, values.clone()));
        values
    }

    /// Texts of a table by key on rows of some kinds, and texts of their own on rows of `others`.
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

    /// Texts of a table by key on rows of some kinds, and of their own where the key is past it; a
    /// negative key is null.
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
        // Of the table only what rows have: the rest would be copied for nothing.
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
        // The values are whole only when all keys are known.
        let keys = self.keys(&selection, place);
        self.dictionary(&plain_texts(bytes, offsets, None), keys, &selection)
    }

    /// A value under `data` of a row's record; none where neither record nor kind says one.
    pub fn given_text(&self, row: usize, name: &str) -> Option<&str> {
        let (slot, default) = self.frame.telemetry[row].slot(name)?;
        let column = &self.frame.data[slot];
        if column.key(row) == NONE {
            return default.filter(|text| !text.is_empty());
        }
        Some(column.text(row))
    }

    /// The values under `data` of one name, over all kinds that have it.
    pub fn given(&self, name: &str) -> Column {
        let kinds = Telemetry::all()
            .filter(|t| self.present >> *t as u32 & 1 == 1 && t.slot(name).is_some())
            .fold(0, |set, t| set | 1 << t as u32);
        self.plain(kinds, 16, |row, out| {
            out.extend_from_slice(self.given_text(row, name).unwrap_or_default().as_bytes());
            true
        })
    }

    /// Null texts in every row.
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

    /// Plain texts, each row's own, on rows of some kinds. `write` appends the text and says whether there is one.
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

    /// Lists of one text of a table, null where the key is negative. Columns that share the
    /// function share keys and offsets.
    pub fn lists_of_one<K: Fn(&View<'_>, usize) -> i32 + 'static>(
        &self,
        values: &ArrayRef,
        key: K,
    ) -> Column {
        const { assert!(size_of::<K>() == 0, "{}", CAPTURES_NOTHING) };
        let of = Keyed::Lists(TypeId::of::<K>());
        let mut made = self.keyed.borrow_mut();
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
            // The next one takes the place of what is none.
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

    /// Lists of a table's texts: `push` appends the keys of a row's list.
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
