//! List arrays: their offsets, and the levels that lists of a batch share.

use std::rc::Rc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use arrow_buffer::NullBuffer;

use crate::nested::NestedLevels;

/// The offsets of a list array.
pub(crate) enum ListOffsets<'a> {
    Small(&'a [i32]),
    Large(&'a [i64]),
}

impl<'a> ListOffsets<'a> {
    /// The offsets of a list array, and its child; `None` for another type.
    pub(crate) fn of(array: &'a ArrayRef) -> Option<(Self, &'a ArrayRef)> {
        if let Some(list) = array.as_list_opt::<i32>() {
            return Some((ListOffsets::Small(list.value_offsets()), list.values()));
        }
        let list = array.as_list_opt::<i64>()?;
        Some((ListOffsets::Large(list.value_offsets()), list.values()))
    }

    /// The start and end of an element's items in the child.
    #[inline]
    fn range(&self, at: usize) -> (usize, usize) {
        match self {
            ListOffsets::Small(offsets) => (offsets[at] as usize, offsets[at + 1] as usize),
            ListOffsets::Large(offsets) => (offsets[at] as usize, offsets[at + 1] as usize),
        }
    }

    /// Descends into the list with these offsets. `nulls` is its validity; `is_nullable` is as in
    /// the schema.
    pub(crate) fn descend(
        &self,
        levels: &mut NestedLevels,
        is_nullable: bool,
        nulls: Option<&NullBuffer>,
    ) {
        match is_nullable {
            true => levels.nullable_list(nulls, |e| self.range(e)),
            false => levels.list(|e| self.range(e)),
        }
    }
}

/// What determines the levels of a list that is under no nullable node: the addresses of its buffers.
#[derive(PartialEq)]
struct ListIdentity {
    offsets: *const u8,
    is_large: bool,
    len: usize,
    is_nullable: bool,
    /// Address of the validity bitmap, and its first bit.
    valid: Option<(*const u8, usize)>,
}

impl ListIdentity {
    fn new(array: &ArrayRef, offsets: &ListOffsets<'_>, is_nullable: bool) -> Self {
        let (offsets, is_large) = match offsets {
            ListOffsets::Small(offsets) => (offsets.as_ptr().cast(), false),
            ListOffsets::Large(offsets) => (offsets.as_ptr().cast(), true),
        };
        let valid = array.nulls().map(NullBuffer::inner);
        ListIdentity {
            offsets,
            is_large,
            len: array.len(),
            is_nullable,
            valid: valid.map(|bits| (bits.values().as_ptr(), bits.offset())),
        }
    }
}

/// The levels of a batch's lists that are under no nullable node. Lists with the same offsets and
/// validity share them. The arrays must live as long as the cache.
#[derive(Default)]
pub(crate) struct ListCache {
    known: Vec<(ListIdentity, Rc<NestedLevels>)>,
    /// Arrays that the caller doesn't keep alive.
    held: Vec<ArrayRef>,
}

impl ListCache {
    /// Keeps an array alive if it is a list, so that its addresses aren't reused.
    pub(crate) fn hold(&mut self, array: ArrayRef) {
        if ListOffsets::of(&array).is_some() {
            self.held.push(array);
        }
    }

    /// The levels of a list under no nullable node.
    pub(crate) fn levels(
        &mut self,
        array: &ArrayRef,
        offsets: &ListOffsets<'_>,
        is_nullable: bool,
    ) -> Rc<NestedLevels> {
        let identity = ListIdentity::new(array, offsets, is_nullable);
        if let Some((_, levels)) = self.known.iter().find(|(list, _)| *list == identity) {
            return levels.clone();
        }
        let mut levels = NestedLevels::new(array.len(), &[]);
        offsets.descend(&mut levels, is_nullable, array.nulls());
        let levels = Rc::new(levels);
        self.known.push((identity, levels.clone()));
        levels
    }
}
