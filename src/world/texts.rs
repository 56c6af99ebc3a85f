//! Many short strings in one allocation, by index. A million separate strings would take five times
//! the memory.

use std::ops::Index;

/// A list of strings in one buffer.
#[derive(Debug, Default)]
pub struct PackedStrings {
    bytes: String,
    /// End offset of each string.
    ends: Vec<usize>,
}

impl PackedStrings {
    /// Number of strings.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// String `index`; `None` if the index is out of bounds.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&str> {
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.bytes.get(start..*self.ends.get(index)?)
    }

    /// Iterates over the strings.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    pub(super) fn push(&mut self, text: &str) {
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
    }
}

impl Index<usize> for PackedStrings {
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
        let mut texts = PackedStrings::default();
        let given = ["10.0.0.1", "", "2001:db8::1", "é"];
        given.iter().for_each(|text| texts.push(text));
        assert_eq!(texts.iter().collect::<Vec<_>>(), given);
        assert_eq!((&texts[0], &texts[2]), ("10.0.0.1", "2001:db8::1"));
        assert_eq!((texts.get(3), texts.get(4)), (Some("é"), None));
    }
}
