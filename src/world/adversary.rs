//! Adversaries: the names behind their addresses.

use crate::catalog::{Names, Purpose};
use crate::random::{Alias, Key, below};

/// What adversaries call their infrastructure. Addresses stand in the network's table.
#[derive(Debug)]
pub struct Adversaries {
    key: Key,
    count: u32,
    words: Vec<String>,
    top: Vec<String>,
    top_weights: Alias,
}

const CONSONANTS: &[u8] = b"bcdfghjklmnpqrstvwxz";
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz";

impl Adversaries {
    pub(super) fn new(key: Key, count: u32, names: &Names) -> Self {
        let weights: Vec<u64> = names
            .top_level_domains
            .iter()
            .map(|t| u64::from(t.1))
            .collect();
        Adversaries {
            key,
            count,
            words: names.domain_words.clone(),
            top: names
                .top_level_domains
                .iter()
                .map(|t| t.0.clone())
                .collect(),
            top_weights: Alias::new(&weights),
        }
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        self.count
    }

    fn word(&self, bits: u64) -> &str {
        &self.words[below(bits, self.words.len() as u64) as usize]
    }

    fn top(&self, bits: u64) -> &str {
        &self.top[self.top_weights.draw(bits)]
    }

    /// Writes the registered domain of an adversary for one purpose: two words, sometimes a digit.
    pub fn domain(&self, adversary: u32, purpose: Purpose, out: &mut String) {
        let key = self.key.with(u64::from(adversary)).with(purpose as u64);
        out.push_str(self.word(key.at(0)));
        if key.below(1, 3) == 0 {
            out.push('-');
        }
        out.push_str(self.word(key.at(2)));
        if key.below(3, 5) == 0 {
            out.push((b'0' + key.below(4, 10) as u8) as char);
        }
        out.push('.');
        out.push_str(self.top(key.at(5)));
    }

    /// Writes a generated domain. Families differ by adversary: random letters, consonant-heavy, or
    /// word-based, which hides its names among as many of random letters.
    pub fn generated(&self, adversary: u32, bits: u64, out: &mut String) {
        let family = Key::root(bits);
        let kind = match self.key.with(u64::from(adversary)).below(9, 3) {
            2 if family.below(8, 2) == 0 => 0,
            kind => kind,
        };
        match kind {
            0 => {
                for i in 0..12 + family.below(0, 8) {
                    out.push(LETTERS[family.with(10 + i).below(0, 26) as usize] as char);
                }
            }
            1 => {
                for i in 0..14 + family.below(0, 4) {
                    let set = if family.with(40 + i).below(0, 5) == 0 {
                        LETTERS
                    } else {
                        CONSONANTS
                    };
                    out.push(set[family.with(10 + i).below(0, set.len() as u64) as usize] as char);
                }
            }
            _ => {
                out.push_str(self.word(family.at(1)));
                out.push_str(self.word(family.at(2)));
            }
        }
        out.push('.');
        out.push_str(self.top(family.at(3)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    /// The label of a generated domain.
    fn label(adversaries: &Adversaries, adversary: u32, bits: u64) -> String {
        let mut name = String::new();
        adversaries.generated(adversary, bits, &mut name);
        name.split('.').next().unwrap_or_default().to_owned()
    }

    #[test]
    fn letters_of_generated_names_do_not_step_evenly() {
        let catalog = Catalog::embedded().unwrap();
        let adversaries = Adversaries::new(Key::root(7), 12, &catalog.names);
        let (mut even, mut all) = (0, 0);
        for adversary in 0..12 {
            for bits in 0..200 {
                let label = label(&adversaries, adversary, bits * 0x9e37_79b9);
                for w in label.as_bytes().windows(3) {
                    all += 1;
                    even += u32::from(w[0].wrapping_sub(w[1]) == w[1].wrapping_sub(w[2]));
                }
            }
        }
        assert!(even * 15 < all, "{even} of {all}");
    }

    #[test]
    fn every_adversary_asks_for_names_without_words() {
        let catalog = Catalog::embedded().unwrap();
        let adversaries = Adversaries::new(Key::root(7), 12, &catalog.names);
        for adversary in 0..12 {
            let random = (0..200)
                .map(|bits| label(&adversaries, adversary, bits * 0x9e37_79b9))
                .filter(|label| {
                    !catalog
                        .names
                        .domain_words
                        .iter()
                        .any(|w| label.starts_with(w.as_str()))
                })
                .count();
            assert!(random > 60, "{adversary}: {random} of 200");
        }
    }
}
