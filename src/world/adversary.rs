//! Adversaries: the names behind their addresses.

use crate::catalog::{Names, Purpose};
use crate::random::{Alias, Draws, Key, below, slots};

/// Domain names of the adversaries' infrastructure. Their addresses are in the network's table.
#[derive(Debug)]
pub struct Adversaries {
    key: Key,
    count: u32,
    words: Vec<String>,
    top: Vec<String>,
    top_weights: Alias,
}

slots! {
    /// Draws of an adversary's domain.
    enum DomainSlot {
        First = 0,
        IsHyphenated = 1,
        Second = 2,
        HasDigit = 3,
        Digit = 4,
        Top = 5,
    }
}

slots! {
    /// Draws of a generated domain.
    enum GeneratedSlot {
        Length = 0,
        First = 1,
        Second = 2,
        Top = 3,
        /// Whether a word-based family has random letters.
        IsRandom = 8,
        /// By letter, up to 30 of them.
        Letters = 10,
        /// By letter: whether it may be a vowel.
        Sets = 40,
    }
}

/// The draw of an adversary's family of generated domains. Purposes have smaller numbers.
const FAMILY: u64 = 9;

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

    /// Number of adversaries.
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
        let key = Draws::new(key);
        out.push_str(self.word(key.bits(DomainSlot::First)));
        if key.below(DomainSlot::IsHyphenated, 3) == 0 {
            out.push('-');
        }
        out.push_str(self.word(key.bits(DomainSlot::Second)));
        if key.below(DomainSlot::HasDigit, 5) == 0 {
            out.push((b'0' + key.below(DomainSlot::Digit, 10) as u8) as char);
        }
        out.push('.');
        out.push_str(self.top(key.bits(DomainSlot::Top)));
    }

    /// Writes a generated (DGA) domain. The family depends on the adversary: random letters,
    /// consonant-heavy, or word-based, which mixes its names with as many of random letters.
    pub fn generated(&self, adversary: u32, bits: u64, out: &mut String) {
        let draws = Draws::new(Key::root(bits));
        let letter = |i: u64, set: &[u8]| {
            let key = draws.key().with(GeneratedSlot::Letters as u64 + i);
            char::from(set[key.below(0, set.len() as u64) as usize])
        };
        let kind = match self.key.with(u64::from(adversary)).below(FAMILY, 3) {
            2 if draws.below(GeneratedSlot::IsRandom, 2) == 0 => 0,
            kind => kind,
        };
        match kind {
            0 => {
                for i in 0..12 + draws.below(GeneratedSlot::Length, 8) {
                    out.push(letter(i, LETTERS));
                }
            }
            1 => {
                for i in 0..14 + draws.below(GeneratedSlot::Length, 4) {
                    let any = draws.key().with(GeneratedSlot::Sets as u64 + i);
                    let set = match any.below(0, 5) {
                        0 => LETTERS,
                        _ => CONSONANTS,
                    };
                    out.push(letter(i, set));
                }
            }
            _ => {
                out.push_str(self.word(draws.bits(GeneratedSlot::First)));
                out.push_str(self.word(draws.bits(GeneratedSlot::Second)));
            }
        }
        out.push('.');
        out.push_str(self.top(draws.bits(GeneratedSlot::Top)));
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
