//! Thrift's compact protocol, as far as Parquet's metadata uses it.

use parquet::errors::{ParquetError, Result};

use crate::bits::{put_varint, put_zigzag};

/// Type codes of fields and of list elements.
pub(crate) const TRUE: u8 = 1;
pub(crate) const FALSE: u8 = 2;
const BYTE: u8 = 3;
pub(crate) const INT16: u8 = 4;
pub(crate) const INT32: u8 = 5;
pub(crate) const INT64: u8 = 6;
const DOUBLE: u8 = 7;
pub(crate) const BINARY: u8 = 8;
pub(crate) const LIST: u8 = 9;
const SET: u8 = 10;
pub(crate) const STRUCT: u8 = 12;

/// The element type of a list of booleans, whatever their values.
pub(crate) const BOOLEAN: u8 = FALSE;

/// Writes the fields of one struct.
pub(crate) struct StructWriter<'o> {
    pub out: &'o mut Vec<u8>,
    last: u8,
}

impl<'o> StructWriter<'o> {
    pub(crate) fn new(out: &'o mut Vec<u8>) -> Self {
        StructWriter::after(0, out)
    }

    /// Continues a struct whose last field was `last`.
    pub(crate) fn after(last: u8, out: &'o mut Vec<u8>) -> Self {
        StructWriter { out, last }
    }

    /// The number of the last field.
    pub(crate) fn last(&self) -> u8 {
        self.last
    }

    /// Begins a field; the caller appends its value.
    pub(crate) fn field(&mut self, id: u8, kind: u8) {
        match id.checked_sub(self.last) {
            Some(step @ 1..=15) => self.out.push(step << 4 | kind),
            _ => {
                self.out.push(kind);
                put_zigzag(self.out, i64::from(id));
            }
        }
        self.last = id;
    }

    pub(crate) fn int32(&mut self, id: u8, value: i32) {
        self.field(id, INT32);
        put_zigzag(self.out, i64::from(value));
    }

    pub(crate) fn int16(&mut self, id: u8, value: i16) {
        self.field(id, INT16);
        put_zigzag(self.out, i64::from(value));
    }

    pub(crate) fn int64(&mut self, id: u8, value: i64) {
        self.field(id, INT64);
        put_zigzag(self.out, value);
    }

    pub(crate) fn boolean(&mut self, id: u8, value: bool) {
        self.field(id, if value { TRUE } else { FALSE });
    }

    pub(crate) fn binary(&mut self, id: u8, value: &[u8]) {
        self.field(id, BINARY);
        put_binary(self.out, value);
    }

    /// Appends fields that are already encoded. `last` is the number of the last one.
    pub(crate) fn fields(&mut self, written: &[u8], last: u8) {
        self.out.extend_from_slice(written);
        self.last = last;
    }

    /// Begins a list; the caller appends its elements.
    pub(crate) fn list(&mut self, id: u8, kind: u8, len: usize) -> &mut Vec<u8> {
        self.field(id, LIST);
        match len {
            0..15 => self.out.push((len as u8) << 4 | kind),
            _ => {
                self.out.push(0xf0 | kind);
                put_varint(self.out, len as u64);
            }
        }
        self.out
    }

    /// Begins a nested struct.
    pub(crate) fn begin(&mut self, id: u8) -> StructWriter<'_> {
        self.field(id, STRUCT);
        StructWriter::new(self.out)
    }

    /// Ends the struct.
    pub(crate) fn end(self) {
        self.out.push(0);
    }
}

/// Appends a binary value or a string.
pub(crate) fn put_binary(out: &mut Vec<u8>, value: &[u8]) {
    put_varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn broken() -> ParquetError {
    ParquetError::EOF("Thrift metadata ends early".into())
}

/// Reads the fields of one struct.
pub(crate) struct StructReader<'b> {
    bytes: &'b [u8],
    /// The position of the next field.
    pub at: usize,
    last: i64,
}

/// A field whose value isn't decoded.
pub(crate) struct RawField<'b> {
    pub id: u8,
    pub kind: u8,
    /// The encoded value; empty for a boolean, whose type code is its value.
    pub value: &'b [u8],
}

impl<'b> StructReader<'b> {
    pub(crate) fn new(bytes: &'b [u8]) -> Self {
        StructReader {
            bytes,
            at: 0,
            last: 0,
        }
    }

    /// Reads the next field; `None` at the struct's end.
    pub(crate) fn next(&mut self) -> Result<Option<RawField<'b>>> {
        let head = *self.bytes.get(self.at).ok_or_else(broken)?;
        self.at += 1;
        let kind = head & 15;
        if kind == 0 {
            return Ok(None);
        }
        self.last = match head >> 4 {
            0 => zigzag(self.bytes, &mut self.at)?,
            step => self.last + i64::from(step),
        };
        let start = self.at;
        skip(self.bytes, &mut self.at, kind)?;
        Ok(Some(RawField {
            id: u8::try_from(self.last).map_err(|_| broken())?,
            kind,
            value: &self.bytes[start..self.at],
        }))
    }

    /// Reads up to the field `id`, which is an error if absent.
    pub(crate) fn find(&mut self, id: u8) -> Result<RawField<'b>> {
        while let Some(field) = self.next()? {
            if field.id == id {
                return Ok(field);
            }
        }
        Err(ParquetError::General(format!(
            "Thrift metadata has no field {id}"
        )))
    }
}

impl<'b> RawField<'b> {
    pub(crate) fn int(&self) -> Result<i64> {
        zigzag(self.value, &mut 0)
    }

    /// The encoded elements of a list.
    pub(crate) fn elements(&self) -> Result<Vec<&'b [u8]>> {
        let mut at = 0;
        let (kind, len) = list(self.value, &mut at)?;
        (0..len)
            .map(|_| {
                let start = at;
                element(self.value, &mut at, kind)?;
                Ok(&self.value[start..at])
            })
            .collect()
    }
}

fn varint(bytes: &[u8], at: &mut usize) -> Result<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at).ok_or_else(broken)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(broken())
}

fn zigzag(bytes: &[u8], at: &mut usize) -> Result<i64> {
    let value = varint(bytes, at)?;
    Ok((value >> 1) as i64 ^ -((value & 1) as i64))
}

/// Reads the element type and the length of a list.
fn list(bytes: &[u8], at: &mut usize) -> Result<(u8, u64)> {
    let head = *bytes.get(*at).ok_or_else(broken)?;
    *at += 1;
    let len = match head >> 4 {
        15 => varint(bytes, at)?,
        len => u64::from(len),
    };
    Ok((head & 15, len))
}

/// Skips a list element. Unlike a field, a boolean takes a byte there.
fn element(bytes: &[u8], at: &mut usize, kind: u8) -> Result<()> {
    match kind {
        TRUE | FALSE => skip_bytes(bytes, at, 1),
        _ => skip(bytes, at, kind),
    }
}

fn skip_bytes(bytes: &[u8], at: &mut usize, len: u64) -> Result<()> {
    let rest = bytes.len().saturating_sub(*at) as u64;
    if len > rest {
        return Err(broken());
    }
    *at += len as usize;
    Ok(())
}

/// Skips the value of a field.
fn skip(bytes: &[u8], at: &mut usize, kind: u8) -> Result<()> {
    match kind {
        TRUE | FALSE => Ok(()),
        BYTE => skip_bytes(bytes, at, 1),
        INT16..=INT64 => varint(bytes, at).map(|_| ()),
        DOUBLE => skip_bytes(bytes, at, 8),
        BINARY => {
            let len = varint(bytes, at)?;
            skip_bytes(bytes, at, len)
        }
        LIST | SET => {
            let (kind, len) = list(bytes, at)?;
            (0..len).try_for_each(|_| element(bytes, at, kind))
        }
        STRUCT => {
            let mut fields = StructReader::new(bytes.get(*at..).ok_or_else(broken)?);
            while fields.next()?.is_some() {}
            *at += fields.at;
            Ok(())
        }
        kind => Err(ParquetError::General(format!(
            "Thrift metadata has a field of unknown type {kind}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_read_back() {
        let mut out = Vec::new();
        let mut writer = StructWriter::new(&mut out);
        writer.int32(1, -7);
        writer.boolean(2, true);
        writer.binary(20, b"text");
        let list = writer.list(21, BINARY, 20);
        (0..20u8).for_each(|n| put_binary(list, &[n; 3]));
        let mut inner = writer.begin(22);
        inner.int64(3, i64::MIN);
        inner.end();
        let list = writer.list(23, BOOLEAN, 2);
        list.extend([TRUE, FALSE]);
        writer.int64(9, 4);
        writer.end();

        let mut fields = StructReader::new(&out);
        let first = fields.next().unwrap().unwrap();
        assert_eq!((first.id, first.int().unwrap()), (1, -7));
        assert_eq!(fields.find(2).unwrap().kind, TRUE);
        assert_eq!(fields.find(20).unwrap().value, b"\x04text");
        let list = fields.find(21).unwrap().elements().unwrap();
        assert_eq!(list.len(), 20);
        assert_eq!(list[19], [3, 19, 19, 19]);
        let inner = fields.find(22).unwrap();
        let number = StructReader::new(inner.value).find(3).unwrap().int();
        assert_eq!(number.unwrap(), i64::MIN);
        let list = fields.find(23).unwrap().elements().unwrap();
        assert_eq!(list, [[TRUE], [FALSE]]);
        assert_eq!(fields.find(9).unwrap().int().unwrap(), 4);
        assert!(fields.next().unwrap().is_none());
        assert_eq!(fields.at, out.len());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let mut fields = StructReader::new(&bytes);
            while let Ok(Some(field)) = fields.next() {
                let _ = (field.int(), field.elements());
            }
        }
    }
}
