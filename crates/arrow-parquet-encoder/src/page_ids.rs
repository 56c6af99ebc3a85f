//! Dictionary ids of the current page, and their encoding.

use crate::bits::{hybrid, hybrid_constant, width_of};
use crate::keys::MappedKeySet;

/// The dictionary ids of the current page's values.
#[derive(Default)]
pub(crate) struct PageIds {
    /// The id of all values while they are equal.
    first: u32,
    count: usize,
    /// The id of each value; empty while all are `first`, or `mapped` has them.
    each: Vec<u32>,
    /// The ids of a page that consists of one key set's values.
    mapped: Option<MappedKeySet>,
}

impl PageIds {
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    fn is_constant(&self) -> bool {
        self.each.is_empty() && self.mapped.is_none()
    }

    /// The id that all values have, if it is one.
    pub(crate) fn constant(&self) -> Option<u32> {
        (self.count > 0 && self.is_constant()).then_some(self.first)
    }

    pub(crate) fn push_constant(&mut self, id: u32, count: usize) {
        if self.count == 0 {
            self.first = id;
        }
        if self.is_constant() && self.first == id {
            self.count += count;
            return;
        }
        self.append_with(|ids| ids.extend(std::iter::repeat_n(id, count)));
    }

    /// Appends the ids of a key set's values, which are not all equal.
    pub(crate) fn push_mapped(&mut self, mapped: MappedKeySet) {
        if self.count == 0 {
            self.count = mapped.set.len;
            self.mapped = Some(mapped);
            return;
        }
        self.append_with(|ids| mapped.set.ids(&mapped.ids, ids));
    }

    /// The key set whose values are the whole page, if there is one.
    pub(crate) fn mapped(&self) -> Option<&MappedKeySet> {
        self.mapped.as_ref()
    }

    /// Takes [`PageIds::mapped`], which empties the page.
    pub(crate) fn take_mapped(&mut self) -> Option<MappedKeySet> {
        let mapped = self.mapped.take()?;
        self.count = 0;
        Some(mapped)
    }

    /// Appends ids one by one.
    pub(crate) fn append_with(&mut self, append: impl FnOnce(&mut Vec<u32>)) {
        append(self.expand());
        self.count = self.each.len();
    }

    /// The id of each value as a list.
    fn expand(&mut self) -> &mut Vec<u32> {
        if let Some(mapped) = self.mapped.take() {
            mapped.set.ids(&mapped.ids, &mut self.each);
        } else if self.each.is_empty() {
            self.each.resize(self.count, self.first);
        }
        &mut self.each
    }

    /// Drops the ids from `len` on.
    pub(crate) fn truncate(&mut self, len: usize) {
        if len < self.count && self.mapped.is_some() {
            self.expand();
        }
        self.each.truncate(len);
        self.count = len;
    }

    /// Visits the id of each value.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(u32)) {
        match &self.mapped {
            Some(mapped) => mapped
                .set
                .for_each(|place| visit(mapped.ids[place as usize])),
            None if self.each.is_empty() => (0..self.count).for_each(|_| visit(self.first)),
            None => self.each.iter().for_each(|id| visit(*id)),
        }
    }

    /// Each distinct id at least once.
    pub(crate) fn used(&self) -> &[u32] {
        match &self.mapped {
            Some(mapped) => &mapped.ids,
            None if self.each.is_empty() => &std::slice::from_ref(&self.first)[..self.count.min(1)],
            None => &self.each,
        }
    }

    /// Appends a page's body (the ids' width, then the ids), and empties the page.
    pub(crate) fn flush(&mut self, out: &mut Vec<u8>) {
        if self.mapped.is_some() {
            self.expand();
        }
        match self.each.is_empty() {
            true => {
                let width = index_width(self.first);
                out.push(width as u8);
                hybrid_constant(self.first, self.count, width, out);
            }
            false => put_ids(&self.each, out),
        }
        self.each.clear();
        self.count = 0;
    }
}

/// Appends ids as the body of a page: their width, then the ids.
pub(crate) fn put_ids(ids: &[u32], out: &mut Vec<u8>) {
    // The union of all bits is as wide as the greatest id, and faster to compute.
    let width = index_width(ids.iter().fold(0, |bits, id| bits | id));
    out.push(width as u8);
    hybrid(ids, width, out);
}

/// The width of ids up to `greatest`. It is at least 1: some readers reject a width of 0.
fn index_width(greatest: u32) -> usize {
    width_of(u64::from(greatest)).max(1)
}
