//! Access to the values of Arrow string and binary arrays by their bytes.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{BinaryType, ByteArrayType, LargeBinaryType, LargeUtf8Type, Utf8Type};
use arrow_schema::DataType;

/// Offsets and bytes of a string or binary array, with 32-bit or 64-bit offsets.
pub(crate) enum ByteArrays<'a> {
    Small(&'a [i32], &'a [u8]),
    Large(&'a [i64], &'a [u8]),
}

impl<'a> ByteArrays<'a> {
    /// `None` for an array of another type.
    pub(crate) fn new(array: &'a dyn Array) -> Option<Self> {
        fn small<T: ByteArrayType<Offset = i32>>(array: &dyn Array) -> Option<ByteArrays<'_>> {
            let array = array.as_bytes_opt::<T>()?;
            Some(ByteArrays::Small(array.value_offsets(), array.value_data()))
        }
        fn large<T: ByteArrayType<Offset = i64>>(array: &dyn Array) -> Option<ByteArrays<'_>> {
            let array = array.as_bytes_opt::<T>()?;
            Some(ByteArrays::Large(array.value_offsets(), array.value_data()))
        }
        match array.data_type() {
            DataType::Utf8 => small::<Utf8Type>(array),
            DataType::Binary => small::<BinaryType>(array),
            DataType::LargeUtf8 => large::<LargeUtf8Type>(array),
            DataType::LargeBinary => large::<LargeBinaryType>(array),
            _ => None,
        }
    }

    /// The bytes of all values.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        match self {
            ByteArrays::Small(_, bytes) | ByteArrays::Large(_, bytes) => bytes,
        }
    }

    /// The start and end of a value in [`ByteArrays::bytes`].
    #[inline]
    pub(crate) fn range(&self, at: usize) -> (usize, usize) {
        match self {
            ByteArrays::Small(offsets, _) => (offsets[at] as usize, offsets[at + 1] as usize),
            ByteArrays::Large(offsets, _) => (offsets[at] as usize, offsets[at + 1] as usize),
        }
    }

    #[inline]
    pub(crate) fn get(&self, at: usize) -> &'a [u8] {
        let (start, end) = self.range(at);
        &self.bytes()[start..end]
    }
}
