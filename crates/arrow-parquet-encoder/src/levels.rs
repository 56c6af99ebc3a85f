//! Definition and repetition levels: straight from validity bitmaps and offsets.

use std::borrow::Cow;

use arrow::array::BooleanBufferBuilder;
use arrow::buffer::{BooleanBuffer, NullBuffer};

use super::bits::{hybrid, hybrid_bits, hybrid_constant, width_of};
use super::text::is_constant;

/// How the rows of a piece of a batch stand in a leaf's array.
pub(super) enum Piece<'a> {
    /// Row `r` is element `offset + r`.
    Flat {
        offset: usize,
        len: usize,
        /// Validity of each nullable node on the way, outermost first; `None` where all is valid.
        nulls: &'a [Option<&'a NullBuffer>],
    },
    /// Under a list.
    Nested(&'a Slots),
}

/// Rising elements of an array: a span as long as they are one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Elements {
    Span(usize, usize),
    Listed(Vec<usize>),
}

impl Default for Elements {
    fn default() -> Self {
        Elements::Span(0, 0)
    }
}

impl Elements {
    #[inline]
    fn get(&self, at: usize) -> usize {
        match self {
            Elements::Span(start, _) => start + at,
            Elements::Listed(elements) => elements[at],
        }
    }

    #[inline]
    fn push(&mut self, from: usize, to: usize) {
        match self {
            Elements::Span(start, end) if start == end => *self = Elements::Span(from, to),
            Elements::Span(_, end) if *end == from => *end = to,
            Elements::Span(start, end) => {
                let mut elements: Vec<usize> = (*start..*end).collect();
                elements.extend(from..to);
                *self = Elements::Listed(elements);
            }
            Elements::Listed(elements) => elements.extend(from..to),
        }
    }

    fn len(&self) -> usize {
        match self {
            Elements::Span(start, end) => end - start,
            Elements::Listed(elements) => elements.len(),
        }
    }

    fn slice(&self, from: usize, to: usize) -> Self {
        match self {
            Elements::Span(start, _) => Elements::Span(start + from, start + to),
            Elements::Listed(elements) => Elements::Listed(elements[from..to].to_vec()),
        }
    }
}

/// Levels under lists: one slot for each value, null or empty list.
#[derive(Default, Clone)]
pub(super) struct Slots {
    pub definition: Vec<u8>,
    pub repetition: Vec<u8>,
    /// Elements of the current array, one for each slot whose definition is [`Slots::level`].
    pub elements: Elements,
    /// Definition level of what is present so far.
    pub level: u8,
    /// Lists passed.
    pub depth: u8,
    pub rows: usize,
}

impl Slots {
    /// Slots of rows that are under no list yet.
    pub(super) fn new(len: usize, nulls: &[Option<&NullBuffer>]) -> Self {
        let definition = flat_levels(0, len, nulls);
        let level = nulls.len() as u8;
        let mut elements = Elements::default();
        match nulls.iter().all(Option::is_none) {
            true => elements.push(0, len),
            false => (0..len)
                .filter(|r| definition[*r] == level)
                .for_each(|r| elements.push(r, r + 1)),
        }
        Slots {
            elements,
            definition,
            repetition: vec![0; len],
            level,
            depth: 0,
            rows: len,
        }
    }

    /// Whether every slot has an element.
    fn is_full(&self) -> bool {
        self.elements.len() == self.definition.len()
    }

    /// Passes a nullable node.
    pub(super) fn nullable(&mut self, nulls: Option<&NullBuffer>) {
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

    /// Passes a list whose element `i` spans `range(i)` of its child.
    pub(super) fn list(&mut self, range: impl Fn(usize) -> (usize, usize)) {
        let mut next = Slots {
            definition: Vec::with_capacity(self.definition.len() * 4),
            repetition: Vec::with_capacity(self.definition.len() * 4),
            elements: Elements::default(),
            level: self.level + 1,
            depth: self.depth + 1,
            rows: self.rows,
        };
        if let (true, Elements::Span(first, last)) = (self.is_full(), &self.elements)
            && first < last
            && (*first..*last).all(|e| range(e).0 < range(e).1)
            && (*first..*last - 1).all(|e| range(e).1 == range(e + 1).0)
        {
            // No list is empty: each is a slot that repeats as its parent does, and more of its own.
            let (start, end) = (range(*first).0, range(*last - 1).1);
            next.definition.resize(end - start, next.level);
            next.repetition.resize(end - start, next.depth);
            for (element, repetition) in (*first..*last).zip(&self.repetition) {
                next.repetition[range(element).0 - start] = *repetition;
            }
            next.elements = Elements::Span(start, end);
            *self = next;
            return;
        }
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
        *self = next;
    }

    /// Passes a nullable list.
    pub(super) fn nullable_list(
        &mut self,
        nulls: Option<&NullBuffer>,
        range: impl Fn(usize) -> (usize, usize),
    ) {
        let (Some(nulls), true) = (nulls.filter(|n| n.null_count() > 0), self.is_full()) else {
            self.nullable(nulls);
            return self.list(range);
        };
        // Both at once: what has no list has no element either.
        let (absent, empty, present) = (self.level, self.level + 1, self.level + 2);
        let mut next = Slots {
            definition: Vec::with_capacity(self.definition.len() * 2),
            repetition: Vec::with_capacity(self.definition.len() * 2),
            elements: Elements::default(),
            level: present,
            depth: self.depth + 1,
            rows: self.rows,
        };
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

    /// Slot at which row `row` starts.
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

    /// The slots of rows `from..to`.
    pub(super) fn rows(&self, from: usize, to: usize) -> Slots {
        let (first, last) = (self.start_of(from), self.start_of(to));
        let live = |slots: &[u8]| match self.is_full() {
            true => slots.len(),
            false => slots.iter().filter(|d| **d == self.level).count(),
        };
        let (before, within) = (
            live(&self.definition[..first]),
            live(&self.definition[first..last]),
        );
        Slots {
            definition: self.definition[first..last].to_vec(),
            repetition: self.repetition[first..last].to_vec(),
            elements: self.elements.slice(before, before + within),
            level: self.level,
            depth: self.depth,
            rows: to - from,
        }
    }
}

/// A definition level for each row: the number of nodes that are valid before the first null.
fn flat_levels(offset: usize, len: usize, nulls: &[Option<&NullBuffer>]) -> Vec<u8> {
    let mut levels = vec![nulls.len() as u8; len];
    // Outer nulls overwrite inner ones.
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

/// Which elements of a leaf's array are values.
pub(super) enum Selection<'a> {
    Range(usize, usize),
    /// Bit `i` stands for element `offset + i`.
    Mask {
        offset: usize,
        bits: BooleanBuffer,
        count: usize,
    },
    Elements(&'a [usize]),
}

impl Selection<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Selection::Range(_, len) => *len,
            Selection::Mask { count, .. } => *count,
            Selection::Elements(elements) => elements.len(),
        }
    }

    /// Elements in order.
    #[inline]
    pub(super) fn for_each(&self, mut visit: impl FnMut(usize)) {
        match self {
            Selection::Range(offset, len) => (*offset..offset + len).for_each(visit),
            Selection::Mask { offset, bits, .. } => {
                let mut base = *offset;
                for mut word in bits.bit_chunks().iter_padded() {
                    while word != 0 {
                        visit(base + word.trailing_zeros() as usize);
                        word &= word - 1;
                    }
                    base += 64;
                }
            }
            Selection::Elements(elements) => elements.iter().for_each(|e| visit(*e)),
        }
    }

    /// Values of the selected elements; borrowed where they lie in a row.
    #[inline]
    pub(super) fn gather<'v, T: Copy>(&self, values: &'v [T], scratch: &'v mut Vec<T>) -> &'v [T] {
        match self {
            Selection::Range(offset, len) => return &values[*offset..offset + len],
            Selection::Mask {
                offset,
                bits,
                count,
            } => {
                scratch.clear();
                scratch.reserve(*count);
                let mut base = *offset;
                for mut word in bits.bit_chunks().iter_padded() {
                    if word == u64::MAX {
                        scratch.extend_from_slice(&values[base..base + 64]);
                    } else {
                        while word != 0 {
                            scratch.push(values[base + word.trailing_zeros() as usize]);
                            word &= word - 1;
                        }
                    }
                    base += 64;
                }
            }
            Selection::Elements(elements) => {
                scratch.clear();
                scratch.extend(elements.iter().map(|e| values[*e]));
            }
        }
        scratch
    }
}

impl<'a> Piece<'a> {
    pub(super) fn rows(&self) -> usize {
        match self {
            Piece::Flat { len, .. } => *len,
            Piece::Nested(slots) => slots.rows,
        }
    }

    /// The elements that are values.
    pub(super) fn selection(&self) -> Selection<'a> {
        match self {
            Piece::Flat { offset, len, nulls } => {
                let mut present = nulls.iter().flatten();
                let Some(first) = present.next() else {
                    return Selection::Range(*offset, *len);
                };
                let mut valid = Cow::Borrowed(*first);
                for nulls in present {
                    if let Some(both) = NullBuffer::union(Some(&valid), Some(nulls)) {
                        valid = Cow::Owned(both);
                    }
                }
                let bits = valid.inner().slice(*offset, *len);
                let count = match *len == valid.len() {
                    true => len - valid.null_count(),
                    false => bits.count_set_bits(),
                };
                match count == *len {
                    true => Selection::Range(*offset, *len),
                    false => Selection::Mask {
                        offset: *offset,
                        bits,
                        count,
                    },
                }
            }
            Piece::Nested(slots) => match &slots.elements {
                Elements::Span(start, end) => Selection::Range(*start, end - start),
                Elements::Listed(elements) => Selection::Elements(elements),
            },
        }
    }
}

/// Levels of one kind that wait for their page.
pub(super) struct Pending {
    max: u8,
    /// While all are one level: it, and how many.
    uniform: u8,
    count: usize,
    mixed: Mixed,
}

enum Mixed {
    No,
    /// Where the greatest level is 1.
    Bits(BooleanBufferBuilder),
    Levels(Vec<u32>),
}

impl Pending {
    pub(super) fn new(max: i16) -> Self {
        Pending {
            max: max as u8,
            uniform: 0,
            count: 0,
            mixed: Mixed::No,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Whether all are one level and `level` is it.
    pub(super) fn is_all(&self, level: u8) -> bool {
        matches!(self.mixed, Mixed::No) && (self.count == 0 || self.uniform == level)
    }

    fn mix(&mut self) -> &mut Mixed {
        if matches!(self.mixed, Mixed::No) {
            self.mixed = match self.max {
                1 => {
                    let mut bits = BooleanBufferBuilder::new(20_480);
                    bits.append_n(self.count, self.uniform == 1);
                    Mixed::Bits(bits)
                }
                _ => Mixed::Levels(vec![u32::from(self.uniform); self.count]),
            };
        }
        &mut self.mixed
    }

    fn push_all(&mut self, level: u8, count: usize) {
        if self.max == 0 || count == 0 {
            return;
        }
        if self.is_all(level) {
            self.uniform = level;
        } else {
            match self.mix() {
                Mixed::Bits(bits) => bits.append_n(count, level == 1),
                Mixed::Levels(levels) => {
                    levels.extend(std::iter::repeat_n(u32::from(level), count))
                }
                Mixed::No => {}
            }
        }
        self.count += count;
    }

    fn push_levels(&mut self, new: &[u8]) {
        let Some(first) = new.first().filter(|_| self.max > 0) else {
            return;
        };
        if is_constant(new) {
            return self.push_all(*first, new.len());
        }
        match self.mix() {
            Mixed::Bits(bits) => {
                bits.append_buffer(&BooleanBuffer::collect_bool(new.len(), |i| new[i] == 1));
            }
            Mixed::Levels(levels) => levels.extend(new.iter().map(|l| u32::from(*l))),
            Mixed::No => {}
        }
        self.count += new.len();
    }

    /// Adds a piece's definition levels. `selection` is the piece's.
    pub(super) fn push_definition(&mut self, piece: &Piece<'_>, selection: &Selection<'_>) {
        match piece {
            Piece::Nested(slots) => self.push_levels(&slots.definition),
            Piece::Flat { offset, len, nulls } => match selection {
                Selection::Range(..) => self.push_all(self.max, *len),
                Selection::Mask { count: 0, .. } if nulls.len() == 1 => self.push_all(0, *len),
                Selection::Mask { bits, .. } if nulls.len() == 1 => {
                    if let Mixed::Bits(all) = self.mix() {
                        let start = bits.offset();
                        all.append_packed_range(start..start + len, bits.values());
                    }
                    self.count += len;
                }
                _ => self.push_levels(&flat_levels(*offset, *len, nulls)),
            },
        }
    }

    /// Adds a piece's repetition levels.
    pub(super) fn push_repetition(&mut self, piece: &Piece<'_>) {
        match piece {
            Piece::Nested(slots) => self.push_levels(&slots.repetition),
            Piece::Flat { len, .. } => self.push_all(0, *len),
        }
    }

    /// Appends the levels as a page holds them, and starts anew.
    pub(super) fn flush(&mut self, out: &mut Vec<u8>) {
        let width = width_of(u64::from(self.max));
        match std::mem::replace(&mut self.mixed, Mixed::No) {
            Mixed::No => hybrid_constant(u32::from(self.uniform), self.count, width, out),
            Mixed::Bits(bits) => hybrid_bits(bits.as_slice(), self.count, out),
            Mixed::Levels(levels) => hybrid(&levels, width, out),
        }
        self.count = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_empty_lists_and_elements_differ() {
        // [null], [], [a, b], and a row whose struct is null over a list with garbage.
        let outer = NullBuffer::from(vec![true, true, true, false]);
        let list = NullBuffer::from(vec![false, true, true, true]);
        let offsets = [0, 0, 0, 2, 3];
        let mut slots = Slots::new(4, &[Some(&outer)]);
        slots.nullable(Some(&list));
        slots.list(|i| (offsets[i], offsets[i + 1]));
        assert_eq!(slots.definition, [1, 2, 3, 3, 0]);
        assert_eq!(slots.repetition, [0, 0, 0, 1, 0]);
        assert_eq!(slots.elements, Elements::Span(0, 2));
        let middle = slots.rows(1, 3);
        assert_eq!(middle.definition, [2, 3, 3]);
        assert_eq!(middle.elements, Elements::Span(0, 2));
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
