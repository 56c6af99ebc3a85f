//! Tables from small numbers to dictionary ids that are reused without being cleared.

/// Dictionary ids by key or value.
///
/// Chunks pass a table on to each other. Clearing it would cost more than most chunks' values, so
/// each user adds `base` to its ids, and the next user's base is greater than every entry so far.
pub(crate) struct IdTable {
    /// `base` plus the id; an entry below `base` is empty.
    pub entries: Vec<u32>,
    pub base: u32,
}

impl Default for IdTable {
    fn default() -> Self {
        IdTable {
            entries: Vec::new(),
            base: 1,
        }
    }
}

impl IdTable {
    /// An empty table for keys below `len`.
    pub(crate) fn with_len(len: usize) -> Self {
        IdTable {
            entries: vec![0; len],
            base: 1,
        }
    }

    /// Grows the table until it has an entry for `key`.
    pub(crate) fn grow_to(&mut self, key: usize) {
        if self.entries.len() <= key {
            self.entries.resize((key + 1).next_power_of_two(), 0);
        }
    }

    /// Empties the table, whose user assigned the ids below `ids`.
    pub(crate) fn reset(&mut self, ids: usize) {
        match self.base.checked_add(ids as u32) {
            Some(next) if next < u32::MAX / 2 => self.base = next,
            _ => {
                self.entries.fill(0);
                self.base = 1;
            }
        }
    }
}
