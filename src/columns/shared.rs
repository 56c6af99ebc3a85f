//! Columns that follow from a row's host, account, rule or kind: taken from tables, by index.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, DictionaryArray, Int32Array, Int64Array, PrimitiveArray};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::compute::take;
use arrow::datatypes::Int32Type;

use super::selection::Selection;
use super::{Kinds, View, holds, table};
use crate::catalog::Telemetry;

/// A text that the entries of a table share: few values, and which one each entry has, if any.
#[derive(Debug, Clone)]
pub struct Shared {
    /// By entry; −1 for none.
    pub of: Vec<i32>,
    pub values: ArrayRef,
    /// The same as a dictionary array.
    by_entry: ArrayRef,
}

impl Shared {
    pub(super) fn new<'t>(texts: impl Iterator<Item = Option<&'t str>>) -> Self {
        let mut seen: Vec<&str> = Vec::new();
        let mut index = BTreeMap::new();
        let of: Vec<i32> = texts
            .map(|text| match text {
                None => -1,
                Some(text) => *index.entry(text).or_insert_with(|| {
                    seen.push(text);
                    seen.len() as i32 - 1
                }),
            })
            .collect();
        let values = table(&seen);
        Shared {
            by_entry: entries(of.clone(), &values),
            of,
            values,
        }
    }
}

/// Entries of a table as a dictionary array over texts; a negative key is null.
fn entries(keys: Vec<i32>, values: &ArrayRef) -> ArrayRef {
    let nulls = known(&keys);
    let keys = PrimitiveArray::<Int32Type>::new(keys.into(), nulls);
    Arc::new(DictionaryArray::new(keys, values.clone()))
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

    /// What hosts share.
    pub(super) fn by_host(&self, shared: &Shared) -> ArrayRef {
        self.hosts()
            .map(|nulls| Int32Array::new(self.host_keys.clone(), nulls))
            .and_then(|hosts| self.taken(&shared.by_entry, &hosts))
            .unwrap_or_else(|| self.null_texts())
    }

    /// What accounts share.
    pub(super) fn by_user(&self, shared: &Shared) -> ArrayRef {
        let users = Int32Array::new(self.user_keys.clone(), None);
        self.taken(&shared.by_entry, &users)
            .unwrap_or_else(|| self.null_texts())
    }

    /// What the rules of alerts share; null for events.
    pub(super) fn by_rule(&self, shared: &Shared) -> ArrayRef {
        self.taken(&shared.by_entry, self.rules())
            .unwrap_or_else(|| self.null_texts())
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
    ) -> ArrayRef {
        self.telemetry(kinds)
            .and_then(|of| {
                let keys = self.of_kinds(kinds, -1, key).collect();
                self.taken(&entries(keys, values), &of)
            })
            .unwrap_or_else(|| self.null_texts())
    }

    /// Integers by what kind of record a row is, on rows of some kinds.
    pub(super) fn integers_by_kind(
        &self,
        kinds: Kinds,
        value: impl Fn(Telemetry) -> i64,
    ) -> ArrayRef {
        self.telemetry(kinds)
            .and_then(|of| {
                let values = Int64Array::from_iter_values(self.of_kinds(kinds, 0, value));
                self.taken(&values, &of)
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
