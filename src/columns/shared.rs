//! Columns that follow from a row's host, account, rule or kind: taken from tables, by index.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, AsArray, BooleanBufferBuilder, Int32Array, Int64Array};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::compute::take;

use super::selection::Selection;
use super::{Column, Keyed, KeyedTexts, Kinds, View, holds, table};
use crate::catalog::Telemetry;

/// A text that the entries of a table share: few values, and which one each entry has, if any.
#[derive(Debug, Clone)]
pub struct Shared {
    /// By entry; −1 for none.
    pub of: Vec<i32>,
    pub values: ArrayRef,
    /// Each entry's text: columns have the entries' numbers for keys, one buffer for all of them.
    by_entry: ArrayRef,
    /// Which entries have one, if not all.
    known: Option<Vec<bool>>,
}

impl Shared {
    pub(super) fn new<'t>(texts: impl Iterator<Item = Option<&'t str>>) -> Self {
        let texts: Vec<Option<&str>> = texts.collect();
        let mut seen: Vec<&str> = Vec::new();
        let mut index = BTreeMap::new();
        let of: Vec<i32> = (texts.iter())
            .map(|text| match text {
                None => -1,
                Some(text) => *index.entry(*text).or_insert_with(|| {
                    seen.push(text);
                    seen.len() as i32 - 1
                }),
            })
            .collect();
        Shared {
            values: table(&seen),
            by_entry: table(texts.iter().map(|text| text.unwrap_or_default())),
            known: (of.contains(&-1)).then(|| of.iter().map(|key| *key >= 0).collect()),
            of,
        }
    }
}

/// What a row has one of, in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    Host,
    User,
    Rule,
}

/// Where keys are not negative, if not everywhere.
pub(super) fn known(keys: &[i32]) -> Option<NullBuffer> {
    let signs = keys.iter().fold(0, |signs, key| signs | *key);
    (signs < 0).then(|| BooleanBuffer::collect_bool(keys.len(), |row| keys[row] >= 0).into())
}

impl View<'_> {
    /// What the entries of a table have, by each row's index.
    fn taken(&self, entries: &dyn Array, index: &Int32Array) -> Option<ArrayRef> {
        let taken = take(entries, index, None).ok()?;
        (taken.null_count() < taken.len()).then_some(taken)
    }

    /// Each row's number of a host, account or rule, as keys; none where no row has one. All
    /// columns that follow from it share the buffer.
    fn entries(&self, of: Entry) -> Option<&KeyedTexts> {
        let at = of as usize;
        let made = self.entries[at].get_or_init(|| {
            let tables = self.tables;
            let texts = match of {
                Entry::Host => KeyedTexts::of(&self.host_keys, self.hosts()?, &tables.host_name),
                Entry::User => KeyedTexts::of(&self.user_keys, None, &tables.account_name),
                Entry::Rule => {
                    let rules = self.rules();
                    let nulls = rules.nulls().cloned();
                    KeyedTexts::of(rules.values(), nulls, &tables.rule_name)
                }
            };
            (!texts.keys.is_empty()).then_some(texts)
        });
        made.as_ref()
    }

    /// The same without rows whose entry has nothing.
    fn known_entries(&self, of: Entry, known: &[bool]) -> Option<KeyedTexts> {
        let mut made = self.known_entries.borrow_mut();
        let of_these = made.iter().find(|(o, k, _)| (*o, &k[..]) == (of, known));
        if let Some((_, _, entries)) = of_these {
            return entries.clone();
        }
        let all = self.entries(of)?;
        let (mut keys, mut valid) = (Vec::new(), BooleanBufferBuilder::new(self.frame.len));
        valid.append_n(self.frame.len, false);
        all.for_each(|row, key| {
            if known.get(key as usize) == Some(&true) {
                keys.push(key);
                valid.set_bit(row, true);
            }
        });
        let nulls = NullBuffer::new(valid.finish());
        let entries = (!keys.is_empty()).then(|| KeyedTexts {
            keys: keys.into(),
            nulls: Some(nulls).filter(|nulls| nulls.null_count() > 0),
            table: all.table.clone(),
        });
        made.push((of, known.into(), entries.clone()));
        entries
    }

    /// A text of the entry of each row: one for each there is.
    pub(super) fn by_entry(&self, of: Entry, values: &ArrayRef) -> Column {
        match self.entries(of) {
            Some(entries) => entries.over(values),
            None => self.null_texts(),
        }
    }

    fn shared(&self, of: Entry, shared: &Shared) -> Column {
        let Some(known) = &shared.known else {
            return self.by_entry(of, &shared.by_entry);
        };
        match self.known_entries(of, known) {
            Some(entries) => entries.over(&shared.by_entry),
            None => self.null_texts(),
        }
    }

    /// What hosts share.
    pub(super) fn by_host(&self, shared: &Shared) -> Column {
        self.shared(Entry::Host, shared)
    }

    /// What accounts share.
    pub(super) fn by_user(&self, shared: &Shared) -> Column {
        self.shared(Entry::User, shared)
    }

    /// What the rules of alerts share; null for events.
    pub(super) fn by_rule(&self, shared: &Shared) -> Column {
        self.shared(Entry::Rule, shared)
    }

    /// Each row's rule; null for events.
    pub(super) fn rules(&self) -> &Int32Array {
        self.rules.get_or_init(|| {
            let rules = &self.frame.rule;
            Int32Array::new(rules.clone().into(), known(rules))
        })
    }

    /// Each row's chain; null outside.
    pub(super) fn chains(&self) -> &Int32Array {
        self.chains.get_or_init(|| {
            let chains = &self.frame.chain;
            Int32Array::new(chains.clone().into(), known(chains))
        })
    }

    /// Whether no row is of a chain.
    pub(super) fn is_without_chains(&self) -> bool {
        self.chains().null_count() == self.frame.len
    }

    /// Each row's telemetry on rows of some kinds, null elsewhere.
    fn telemetry(&self, kinds: Kinds) -> Option<Int32Array> {
        let nulls = match &*self.select(kinds)? {
            Selection::All => None,
            Selection::Some(_, valid) => Some(valid.clone()),
        };
        let keys = self.telemetry.get_or_init(|| {
            let telemetry = self.frame.telemetry.iter();
            ScalarBuffer::from_iter(telemetry.map(|&telemetry| telemetry as i32))
        });
        Some(Int32Array::new(keys.clone(), nulls))
    }

    /// Texts of a table by what kind of record a row is, on rows of some kinds.
    pub(super) fn texts_by_kind(
        &self,
        kinds: Kinds,
        values: &ArrayRef,
        key: impl Fn(Telemetry) -> i32,
    ) -> Column {
        if kinds & self.present == 0 {
            return self.null_texts();
        }
        let is_of = |telemetry: &Telemetry| holds(kinds, *telemetry);
        if Telemetry::all()
            .filter(is_of)
            .any(|telemetry| key(telemetry) < 0)
        {
            return self.texts_of(kinds, values, |row| key(self.frame.telemetry[row]));
        }
        let texts = values.as_string::<i32>();
        let of_kind = table(Telemetry::all().map(|telemetry| match is_of(&telemetry) {
            true => texts.value(key(telemetry) as usize),
            false => "",
        }));
        // Sets with the same rows.
        let kinds = kinds & self.present;
        let mut made = self.keyed.borrow_mut();
        if let Some((_, _, Column::Keyed(texts))) = made
            .iter()
            .find(|(k, of, _)| (*k, *of) == (Keyed::Kind, kinds))
        {
            return texts.over(&of_kind);
        }
        let column = self.texts_of(kinds, &of_kind, |row| self.frame.telemetry[row] as i32);
        made.push((Keyed::Kind, kinds, column.clone()));
        column
    }

    /// Integers by what kind of record a row is, on rows of some kinds.
    pub(super) fn integers_by_kind(
        &self,
        kinds: Kinds,
        value: impl Fn(Telemetry) -> i64,
    ) -> Column {
        self.telemetry(kinds)
            .and_then(|of| {
                let values = Int64Array::from_iter_values(self.of_kinds(kinds, 0, value));
                self.taken(&values, &of).map(Column::from)
            })
            .unwrap_or_else(|| self.null_integers())
    }

    /// A function of the kind for each there is, as far as it is one of `kinds`.
    fn of_kinds<T: Copy>(
        &self,
        kinds: Kinds,
        other: T,
        of: impl Fn(Telemetry) -> T,
    ) -> impl Iterator<Item = T> {
        Telemetry::all().map(move |telemetry| match holds(kinds, telemetry) {
            true => of(telemetry),
            false => other,
        })
    }
}
