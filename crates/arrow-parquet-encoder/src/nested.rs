//! Definition and repetition levels of leaves under lists.
//!
//! A leaf has one *slot* in its page for each value, each null and each empty list. A slot has a
//! definition level, which is the number of optional and repeated nodes that are present on the way
//! to the leaf, and a repetition level, which is the depth of the list that the slot continues (0 at
//! the first slot of a row).

use arrow_buffer::NullBuffer;

/// Ascending element indices of an array; a range as long as they are contiguous.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Elements {
    /// First element, and the one after the last.
    Range(usize, usize),
    Indices(Vec<usize>),
}

impl Default for Elements {
    fn default() -> Self {
        Elements::Range(0, 0)
    }
}

impl Elements {
    #[inline]
    fn get(&self, at: usize) -> usize {
        match self {
            Elements::Range(start, _) => start + at,
            Elements::Indices(elements) => elements[at],
        }
    }

    #[inline]
    fn push(&mut self, from: usize, to: usize) {
        match self {
            Elements::Range(start, end) if start == end => *self = Elements::Range(from, to),
            Elements::Range(_, end) if *end == from => *end = to,
            Elements::Range(start, end) => {
                let mut elements: Vec<usize> = (*start..*end).collect();
                elements.extend(from..to);
                *self = Elements::Indices(elements);
            }
            Elements::Indices(elements) => elements.extend(from..to),
        }
    }

    fn len(&self) -> usize {
        match self {
            Elements::Range(start, end) => end - start,
            Elements::Indices(elements) => elements.len(),
        }
    }

    fn slice(&self, from: usize, to: usize) -> Self {
        match self {
            Elements::Range(start, _) => Elements::Range(start + from, start + to),
            Elements::Indices(elements) => Elements::Indices(elements[from..to].to_vec()),
        }
    }
}

/// The slots of a node under lists, extended node by node on the way to the leaf.
#[derive(Default, Clone)]
pub(crate) struct NestedLevels {
    pub definition: Vec<u8>,
    pub repetition: Vec<u8>,
    /// Elements of the current node's array: one for each slot whose definition level is
    /// [`NestedLevels::level`].
    pub elements: Elements,
    /// The definition level of slots in which every node so far is present.
    pub level: u8,
    /// The number of lists so far.
    pub depth: u8,
    pub rows: usize,
}

impl NestedLevels {
    /// One slot for each of `len` rows, above the first list. `nulls` has the validity of each
    /// optional node, outermost first; `None` where all elements are valid.
    pub(crate) fn new(len: usize, nulls: &[Option<&NullBuffer>]) -> Self {
        let definition = flat_levels(0, len, nulls);
        let level = nulls.len() as u8;
        let mut elements = Elements::default();
        match nulls.iter().all(Option::is_none) {
            true => elements.push(0, len),
            false => (0..len)
                .filter(|r| definition[*r] == level)
                .for_each(|r| elements.push(r, r + 1)),
        }
        NestedLevels {
            elements,
            definition,
            repetition: vec![0; len],
            level,
            depth: 0,
            rows: len,
        }
    }

    /// Whether each slot has an element.
    fn is_full(&self) -> bool {
        self.elements.len() == self.definition.len()
    }

    /// Descends into a nullable node.
    pub(crate) fn nullable(&mut self, nulls: Option<&NullBuffer>) {
        let next = self.level + 1;
        if nulls.is_none() && self.is_full() {
            self.definition.fill(next);
            self.level = next;
            return;
        }
        let mut kept = Elements::default();
        let live = self.definition.iter_mut().filter(|d| **d == self.level);
        for (at, level) in live.enumerate() {
            let element = self.elements.get(at);
            if nulls.is_none_or(|n| n.is_valid(element)) {
                *level = next;
                kept.push(element, element + 1);
            }
        }
        self.elements = kept;
        self.level = next;
    }

    /// The slots below this node's, without any yet, for a list whose present elements have the
    /// definition level `level`; with room for `growth` slots for each of this node's.
    fn below(&self, level: u8, growth: usize) -> NestedLevels {
        let capacity = self.definition.len() * growth;
        NestedLevels {
            definition: Vec::with_capacity(capacity),
            repetition: Vec::with_capacity(capacity),
            elements: Elements::default(),
            level,
            depth: self.depth + 1,
            rows: self.rows,
        }
    }

    /// Descends into a list whose element `i` holds the elements `range(i)` of its child.
    pub(crate) fn list(&mut self, range: impl Fn(usize) -> (usize, usize)) {
        *self = match self.contiguous_items(&range) {
            Some((start, end)) => self.contiguous_list(start, end, range),
            None => self.any_list(range),
        };
    }

    /// The range of a list's items where every slot has a list, no list is empty, and each begins
    /// where the one before it ends.
    fn contiguous_items(&self, range: impl Fn(usize) -> (usize, usize)) -> Option<(usize, usize)> {
        let Elements::Range(first, last) = self.elements else {
            return None;
        };
        let is_contiguous = self.is_full()
            && first < last
            && (first..last).all(|e| range(e).0 < range(e).1)
            && (first..last - 1).all(|e| range(e).1 == range(e + 1).0);
        is_contiguous.then(|| (range(first).0, range(last - 1).1))
    }

    /// The slots of a list with [contiguous items](NestedLevels::contiguous_items) `start..end`.
    fn contiguous_list(
        &self,
        start: usize,
        end: usize,
        range: impl Fn(usize) -> (usize, usize),
    ) -> NestedLevels {
        let mut next = self.below(self.level + 1, 4);
        next.definition.resize(end - start, next.level);
        next.repetition.resize(end - start, next.depth);
        // The first item of each list keeps the parent's repetition level.
        for (at, repetition) in self.repetition.iter().enumerate() {
            next.repetition[range(self.elements.get(at)).0 - start] = *repetition;
        }
        next.elements = Elements::Range(start, end);
        next
    }

    fn any_list(&self, range: impl Fn(usize) -> (usize, usize)) -> NestedLevels {
        let mut next = self.below(self.level + 1, 4);
        let mut at = 0;
        for (definition, repetition) in self.definition.iter().zip(&self.repetition) {
            next.repetition.push(*repetition);
            if *definition != self.level {
                next.definition.push(*definition);
                continue;
            }
            let (start, end) = range(self.elements.get(at));
            at += 1;
            if start == end {
                next.definition.push(*definition);
                continue;
            }
            let count = next.definition.len() + end - start;
            next.definition.resize(count, next.level);
            next.repetition.resize(count, next.depth);
            next.elements.push(start, end);
        }
        next
    }

    /// Descends into a nullable list.
    pub(crate) fn nullable_list(
        &mut self,
        nulls: Option<&NullBuffer>,
        range: impl Fn(usize) -> (usize, usize),
    ) {
        let (Some(nulls), true) = (nulls.filter(|n| n.null_count() > 0), self.is_full()) else {
            self.nullable(nulls);
            return self.list(range);
        };
        // Both steps in one pass: a null list has no elements.
        let (absent, empty, present) = (self.level, self.level + 1, self.level + 2);
        let mut next = self.below(present, 2);
        for (at, repetition) in self.repetition.iter().enumerate() {
            let element = self.elements.get(at);
            next.repetition.push(*repetition);
            if nulls.is_null(element) {
                next.definition.push(absent);
                continue;
            }
            let (start, end) = range(element);
            if start == end {
                next.definition.push(empty);
                continue;
            }
            next.definition.push(present);
            for _ in start + 1..end {
                next.definition.push(present);
                next.repetition.push(next.depth);
            }
            next.elements.push(start, end);
        }
        *self = next;
    }

    /// The first slot of a row.
    fn start_of(&self, row: usize) -> usize {
        if self.repetition.len() == self.rows {
            return row;
        }
        let mut before = 0;
        for (block, slots) in self.repetition.chunks(256).enumerate() {
            let starts = slots.iter().filter(|r| **r == 0).count();
            if before + starts > row {
                let mut starts = (0..slots.len()).filter(|s| slots[*s] == 0);
                let within = starts.nth(row - before).unwrap_or(slots.len());
                return block * 256 + within;
            }
            before += starts;
        }
        self.repetition.len()
    }

    /// The slots of the rows `from..to`.
    pub(crate) fn rows(&self, from: usize, to: usize) -> NestedLevels {
        let (first, last) = (self.start_of(from), self.start_of(to));
        let live = |slots: &[u8]| match self.is_full() {
            true => slots.len(),
            false => slots.iter().filter(|d| **d == self.level).count(),
        };
        let (before, within) = (
            live(&self.definition[..first]),
            live(&self.definition[first..last]),
        );
        NestedLevels {
            definition: self.definition[first..last].to_vec(),
            repetition: self.repetition[first..last].to_vec(),
            elements: self.elements.slice(before, before + within),
            level: self.level,
            depth: self.depth,
            rows: to - from,
        }
    }
}

/// The definition level of each row above any list: the number of optional nodes before the first
/// null one. `nulls` is as for [`NestedLevels::new`].
pub(crate) fn flat_levels(offset: usize, len: usize, nulls: &[Option<&NullBuffer>]) -> Vec<u8> {
    let mut levels = vec![nulls.len() as u8; len];
    // Outer nulls override inner ones.
    for (depth, nulls) in nulls.iter().enumerate().rev() {
        if let Some(nulls) = nulls {
            for (row, level) in levels.iter_mut().enumerate() {
                if nulls.is_null(offset + row) {
                    *level = depth as u8;
                }
            }
        }
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_empty_lists_and_elements_differ() {
        // [null], [], [a, b], and a null struct whose list has hidden elements.
        let outer = NullBuffer::from(vec![true, true, true, false]);
        let list = NullBuffer::from(vec![false, true, true, true]);
        let offsets = [0, 0, 0, 2, 3];
        let mut slots = NestedLevels::new(4, &[Some(&outer)]);
        slots.nullable(Some(&list));
        slots.list(|i| (offsets[i], offsets[i + 1]));
        assert_eq!(slots.definition, [1, 2, 3, 3, 0]);
        assert_eq!(slots.repetition, [0, 0, 0, 1, 0]);
        assert_eq!(slots.elements, Elements::Range(0, 2));
        let middle = slots.rows(1, 3);
        assert_eq!(middle.definition, [2, 3, 3]);
        assert_eq!(middle.elements, Elements::Range(0, 2));
        assert_eq!(slots.rows(3, 4).definition, [0]);
    }

    #[test]
    fn outer_nulls_hide_inner_ones() {
        let outer = NullBuffer::from(vec![true, false, true]);
        let inner = NullBuffer::from(vec![true, true, false]);
        assert_eq!(
            flat_levels(0, 3, &[Some(&outer), None, Some(&inner)]),
            [3, 0, 2]
        );
    }
}
