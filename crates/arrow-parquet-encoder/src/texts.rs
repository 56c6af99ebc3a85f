//! The bytes of an Arrow array of texts or binaries.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    BinaryType, ByteArrayType, DataType, LargeBinaryType, LargeUtf8Type, Utf8Type,
};

/// The bytes of a text or binary array.
pub(super) enum Texts<'a> {
    Small(&'a [i32], &'a [u8]),
    Large(&'a [i64], &'a [u8]),
}

impl<'a> Texts<'a> {
    pub(super) fn new(array: &'a dyn Array) -> Option<Self> {
        fn small<T: ByteArrayType<Offset = i32>>(array: &dyn Array) -> Option<Texts<'_>> {
            let array = array.as_bytes_opt::<T>()?;
            Some(Texts::Small(array.value_offsets(), array.value_data()))
        }
        fn large<T: ByteArrayType<Offset = i64>>(array: &dyn Array) -> Option<Texts<'_>> {
            let array = array.as_bytes_opt::<T>()?;
            Some(Texts::Large(array.value_offsets(), array.value_data()))
        }
        match array.data_type() {
            DataType::Utf8 => small::<Utf8Type>(array),
            DataType::Binary => small::<BinaryType>(array),
            DataType::LargeUtf8 => large::<LargeUtf8Type>(array),
            DataType::LargeBinary => large::<LargeBinaryType>(array),
            _ => None,
        }
    }

    pub(super) fn bytes(&self) -> &'a [u8] {
        match self {
            Texts::Small(_, bytes) | Texts::Large(_, bytes) => bytes,
        }
    }

    #[inline]
    pub(super) fn range(&self, at: usize) -> (usize, usize) {
        match self {
            Texts::Small(offsets, _) => (offsets[at] as usize, offsets[at + 1] as usize),
            Texts::Large(offsets, _) => (offsets[at] as usize, offsets[at + 1] as usize),
        }
    }

    #[inline]
    pub(super) fn get(&self, at: usize) -> &'a [u8] {
        let (start, end) = self.range(at);
        &self.bytes()[start..end]
    }
}
