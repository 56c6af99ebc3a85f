//! Columns that depend on a row's host, account, rule or kind only: lookups in tables.

use std::collections::BTreeMap;

use arrow_array::{Array, ArrayRef, Int32Array, Int64Array};
use arrow_buffer::BooleanBufferBuilder;
use arrow_buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow_select::take::take;

use super::keyed::{Entry, Keyed};
use super::selection::Selection;
use super::{Column, KeyedTexts, View, table};
use crate::kinds::{KINDS, Kind, Kinds, holds};

/// A string per entry of a table, with few distinct values; entries may have none.
#[derive(Debug, Clone)]
pub struct SharedTexts {
    /// Index into `values` per entry; −1 for none.
    pub of: Vec<i32>,
    pub values: ArrayRef,
    /// The string of each entry. Columns use the entry's number as key, so that they share one key
    /// buffer.
    by_entry: ArrayRef,
    /// Which entries have a string; `None` if all have.
    known: Option<Vec<bool>>,
}

impl SharedTexts {
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
        SharedTexts {
            values: table(&seen),
            by_entry: table(texts.iter().map(|text| text.unwrap_or_default())),
            known: (of.contains(&-1)).then(|| of.iter().map(|key| *key >= 0).collect()),
            of,
        }
    }
}

/// Keys (−1 for none) and the table of optional strings.
pub(super) fn optional<'t>(texts: impl Iterator<Item = Option<&'t str>>) -> (Vec<i32>, ArrayRef) {
    let SharedTexts { of, values, .. } = SharedTexts::new(texts);
    (of, values)
}

/// Validity of keys, where negative ones are null; `None` if no key is null.
pub(super) fn known(keys: &[i32]) -> Option<NullBuffer> {
    let signs = keys.iter().fold(0, |signs, key| signs | *key);
    (signs < 0).then(|| BooleanBuffer::collect_bool(keys.len(), |row| keys[row] >= 0).into())
}

impl View<'_> {
    /// Looks up each row's index in a table; `None` if all rows are null.
    fn taken(&self, entries: &dyn Array, index: &Int32Array) -> Option<ArrayRef> {
        let taken = take(entries, index, None).ok()?;
        (taken.null_count() < taken.len()).then_some(taken)
    }

    /// Each row's host, account or rule as keys; `None` if no row has one. All columns that depend on
    /// the entry share this buffer.
    fn entries(&self, of: Entry) -> Option<&KeyedTexts> {
        let at = of as usize;
        let made = self.cache.entries[at].get_or_init(|| {
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

    /// As [`entries`](Self::entries), without rows whose entry is not in `known`.
    fn known_entries(&self, of: Entry, known: &[bool]) -> Option<KeyedTexts> {
        let mut made = self.cache.known_entries.borrow_mut();
        let of_these = made.iter().find(|(o, k, _)| (*o, &k[..]) == (of, known));
        if let Some((_, _, entries)) = of_these {
            return entries.clone();
        }
        let all = self.entries(of)?;
        let mut keys = Vec::with_capacity(all.keys.len());
        let mut valid = BooleanBufferBuilder::new(self.frame.len);
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

    /// The string of each row's entry. `values` has one per entry.
    pub(super) fn by_entry(&self, of: Entry, values: &ArrayRef) -> Column {
        match self.entries(of) {
            Some(entries) => entries.over(values),
            None => self.null_texts(),
        }
    }

    fn shared(&self, of: Entry, shared: &SharedTexts) -> Column {
        let Some(known) = &shared.known else {
            return self.by_entry(of, &shared.by_entry);
        };
        match self.known_entries(of, known) {
            Some(entries) => entries.over(&shared.by_entry),
            None => self.null_texts(),
        }
    }

    /// The string of each row's host.
    pub(super) fn by_host(&self, shared: &SharedTexts) -> Column {
        self.shared(Entry::Host, shared)
    }

    /// The string of each row's account.
    pub(super) fn by_user(&self, shared: &SharedTexts) -> Column {
        self.shared(Entry::User, shared)
    }

    /// The string of each row's rule; null for events.
    pub(super) fn by_rule(&self, shared: &SharedTexts) -> Column {
        self.shared(Entry::Rule, shared)
    }

    /// Each row's rule; null for events.
    pub(super) fn rules(&self) -> &Int32Array {
        self.cache.rules.get_or_init(|| {
            let rules: Vec<i32> = self.frame.rule.iter().map(|rule| rule.key()).collect();
            let known = known(&rules);
            Int32Array::new(rules.into(), known)
        })
    }

    /// Each row's chain; null outside chains.
    pub(super) fn chains(&self) -> &Int32Array {
        self.cache.chains.get_or_init(|| {
            let chains = &self.frame.chain;
            Int32Array::new(chains.clone().into(), known(chains))
        })
    }

    /// Whether no row belongs to a chain.
    pub(super) fn is_without_chains(&self) -> bool {
        self.chains().null_count() == self.frame.len
    }

    /// Each row's kind; null on rows of kinds other than the given ones.
    fn telemetry(&self, kinds: Kinds) -> Option<Int32Array> {
        let nulls = match &*self.select(kinds)? {
            Selection::All => None,
            Selection::Some(_, valid) => Some(valid.clone()),
        };
        let keys = self.cache.telemetry.get_or_init(|| {
            let telemetry = self.frame.telemetry.iter();
            ScalarBuffer::from_iter(telemetry.map(|&telemetry| telemetry as i32))
        });
        Some(Int32Array::new(keys.clone(), nulls))
    }

    /// A string per kind of record, on rows of the given kinds.
    pub(super) fn texts_by_kind(
        &self,
        kinds: Kinds,
        text: impl Fn(&Kind) -> &'static str,
    ) -> Column {
        if kinds & self.present == 0 {
            return self.null_texts();
        }
        let texts = table(KINDS.iter().map(|kind| match holds(kinds, kind.telemetry) {
            true => text(kind),
            false => "",
        }));
        self.keyed(Keyed::Kind, kinds, &texts, |row| {
            self.frame.telemetry[row] as i32
        })
    }

    /// An integer per kind of record, on rows of the given kinds.
    pub(super) fn integers_by_kind(&self, kinds: Kinds, value: impl Fn(&Kind) -> i64) -> Column {
        let values = KINDS.iter().map(|kind| match holds(kinds, kind.telemetry) {
            true => value(kind),
            false => 0,
        });
        self.telemetry(kinds)
            .and_then(|of| {
                self.taken(&Int64Array::from_iter_values(values), &of)
                    .map(Column::from)
            })
            .unwrap_or_else(|| self.null_integers())
    }
}
