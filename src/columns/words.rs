//! Tables of words.

use std::sync::OnceLock;

use arrow_array::ArrayRef;

use super::table;

/// A fixed list of words, and its table, which is built once for all frames.
pub(super) struct WordTable {
    words: &'static [&'static str],
    table: OnceLock<ArrayRef>,
}

impl WordTable {
    pub(super) const fn new(words: &'static [&'static str]) -> Self {
        WordTable {
            words,
            table: OnceLock::new(),
        }
    }

    /// The words as dictionary values; a word's key is its index.
    pub(super) fn table(&self) -> &ArrayRef {
        self.table.get_or_init(|| table(self.words))
    }
}

/// A list of distinct words that grows while tables are built.
#[derive(Debug, Default)]
pub(super) struct Lexicon {
    words: Vec<String>,
}

impl Lexicon {
    /// The index of a word, which is added if it is new.
    pub(super) fn key(&mut self, word: &str) -> i32 {
        let at = self.words.iter().position(|known| known == word);
        at.unwrap_or_else(|| {
            self.words.push(word.to_owned());
            self.words.len() - 1
        }) as i32
    }

    pub(super) fn table(&self) -> ArrayRef {
        table(&self.words)
    }
}
