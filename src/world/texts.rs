//! Many short texts by index, in one piece of memory: a million strings of their own would cost
//! five times as much. Knows nothing of what they say.

use std::ops::Index;

/// Texts in the order in which they came.
#[derive(Debug, Default)]
pub struct Texts {
    bytes: String,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Texts {
    /// Number of texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Text `index`, if there are so many.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&str> {
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.bytes.get(start..*self.ends.get(index)?)
    }

    /// Each text in turn.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    pub(super) fn push(&mut self, text: &str) {
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
    }
}

impl Index<usize> for Texts {
    type Output = str;

    #[inline]
    fn index(&self, index: usize) -> &str {
        let start = match index {
            0 => 0,
            _ => self.ends[index - 1],
        };
        &self.bytes[start..self.ends[index]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_comes_back_by_its_index() {
        let mut texts = Texts::default();
        let given = ["10.0.0.1", "", "2001:db8::1", "é"];
        given.iter().for_each(|text| texts.push(text));
        assert_eq!(texts.iter().collect::<Vec<_>>(), given);
        assert_eq!((&texts[0], &texts[2]), ("10.0.0.1", "2001:db8::1"));
        assert_eq!((texts.get(3), texts.get(4)), (Some("é"), None));
    }
}
