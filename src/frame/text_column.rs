//! A text column of a frame.
//!
//! Rows of a run often have the same text. A small cache finds a recent text again, so the column
//! stores it once, and parts of paths, arguments and dictionaries are computed once per text.

use super::NONE;

/// Entries of the cache of recent texts.
const RECENT: usize = 1 << 10;

/// A text per row, as keys into a known table followed by the frame's own texts.
///
/// Keys below `known` point into a table that exists before the first row (images,
/// hashes); the rest into `texts`/`offsets`. [`NONE`] is null.
#[derive(Debug, Clone, Default)]
pub struct TextColumn {
    rows: usize,
    /// Empty as long as no row has a text, as in most columns of most frames.
    keys: Vec<i32>,
    pub known: i32,
    pub texts: String,
    pub offsets: Vec<i32>,
    /// By [`place`]: the last text there, as an index. Empty before the first text.
    recent: Vec<i32>,
}

impl TextColumn {
    pub(super) fn new(rows: usize, known: usize) -> Self {
        TextColumn {
            rows,
            keys: Vec::new(),
            known: known as i32,
            texts: String::new(),
            offsets: vec![0],
            recent: Vec::new(),
        }
    }

    /// Whether no row has a text.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// A row's key; [`NONE`] where it has no text.
    #[inline]
    pub fn key(&self, row: usize) -> i32 {
        self.keys.get(row).copied().unwrap_or(NONE)
    }

    /// Sets a row's key.
    #[inline]
    pub fn set_key(&mut self, row: usize, key: i32) {
        if self.keys.is_empty() {
            if key == NONE {
                return;
            }
            self.keys = vec![NONE; self.rows];
        }
        self.keys[row] = key;
    }

    /// Number of this frame's own texts.
    pub fn own(&self) -> usize {
        self.offsets.len() - 1
    }

    /// This frame's own texts.
    pub fn own_texts(&self) -> impl Iterator<Item = &str> {
        let ends = self.offsets.windows(2);
        ends.map(|pair| &self.texts[pair[0] as usize..pair[1] as usize])
    }

    /// Adds a text of this frame's own; returns its key.
    #[inline]
    pub fn add(&mut self, text: &str) -> i32 {
        self.write(|out| out.push_str(text))
    }

    /// As [`add`](Self::add), for a text that `write` appends.
    #[inline]
    pub fn write(&mut self, write: impl FnOnce(&mut String)) -> i32 {
        write(&mut self.texts);
        self.known + self.end()
    }

    /// Ends the text that was just written; returns its index.
    fn end(&mut self) -> i32 {
        if self.recent.is_empty() {
            self.recent = vec![NONE; RECENT];
        }
        let start = *self.offsets.last().unwrap_or(&0) as usize;
        let (before, new) = self.texts.as_bytes().split_at(start);
        let place = &mut self.recent[place(new)];
        if let Ok(at) = usize::try_from(*place)
            && before[self.offsets[at] as usize..self.offsets[at + 1] as usize] == *new
        {
            self.texts.truncate(start);
            return *place;
        }
        *place = self.offsets.len() as i32 - 1;
        self.offsets.push(self.texts.len() as i32);
        *place
    }

    /// A row's text; empty where it has none, or where its text is in the known table.
    pub fn text(&self, row: usize) -> &str {
        let key = self.key(row);
        match usize::try_from(key - self.known) {
            Ok(own) if key != NONE => {
                &self.texts[self.offsets[own] as usize..self.offsets[own + 1] as usize]
            }
            _ => "",
        }
    }

    /// Sets a row to a text of its own.
    #[inline]
    pub fn set(&mut self, row: usize, text: &str) {
        let key = self.add(text);
        self.set_key(row, key);
    }
}

/// A text's place in the cache, from its length, first and last bytes.
#[inline]
fn place(text: &[u8]) -> usize {
    let ends = match (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        (Some(first), Some(last)) => {
            u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(29)
        }
        _ => (text.iter()).fold(0, |all, byte| all << 8 | u64::from(*byte)),
    };
    let mixed = (ends ^ text.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (u64::BITS - RECENT.ilog2())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_have_the_texts_they_were_set_to(
            texts in prop::collection::vec(prop_oneof!["[ab]{0,3}", "[ab]{7,10}", "é{0,9}"], 1..200),
        ) {
            let mut column = TextColumn::new(texts.len(), 5);
            for (row, text) in texts.iter().enumerate() {
                column.set(row, text);
            }
            for (row, text) in texts.iter().enumerate() {
                prop_assert_eq!(column.text(row), text);
                prop_assert!(column.key(row) >= 5);
            }
            prop_assert_eq!(column.own(), column.own_texts().count());
        }
    }

    #[test]
    fn a_run_of_rows_has_its_text_once() {
        let mut column = TextColumn::new(100, 0);
        for row in 0..100 {
            column.set(row, ["/usr/bin/python3.11", "-"][row & 1]);
        }
        assert_eq!(column.own(), 2);
        assert_eq!(column.texts, "/usr/bin/python3.11-");
    }
}
