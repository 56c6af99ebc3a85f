//! Avro object container files, as far as Iceberg's manifests need them.
//!
//! Specification: <https://avro.apache.org/docs/1.12.0/specification/>. The `apache-avro` crate writes
//! the entries of a file's header in the order of a hash map, so its bytes differ from run to run.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde_json::{Map, Value};

const MAGIC: &[u8] = b"Obj\x01";
const MARKER: usize = 16;

/// Values in Avro's binary encoding.
#[derive(Debug, Default)]
pub struct Encoder(Vec<u8>);

impl Encoder {
    /// An `int` or a `long`.
    pub fn long(&mut self, value: i64) {
        let mut rest = ((value << 1) ^ (value >> 63)) as u64;
        while rest >= 0x80 {
            self.0.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.0.push(rest as u8);
    }

    /// `bytes`, or a `string` in UTF-8.
    pub fn bytes(&mut self, value: &[u8]) {
        self.long(value.len() as i64);
        self.0.extend_from_slice(value);
    }

    pub fn boolean(&mut self, value: bool) {
        self.0.push(value.into());
    }

    /// The null of a union of null and another type.
    pub fn null(&mut self) {
        self.long(0);
    }

    /// A value of the other type of such a union.
    pub fn some(&mut self, value: impl FnOnce(&mut Self)) {
        self.long(1);
        value(self);
    }

    /// An array.
    pub fn array<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        if !items.is_empty() {
            self.long(items.len() as i64);
            items.iter().for_each(|item| each(self, item));
        }
        self.long(0);
    }
}

/// A container file of one block.
///
/// # Errors
/// Compression fails, which writing to memory does not.
pub fn file(
    schema: &Value,
    metadata: &[(&str, String)],
    marker: [u8; MARKER],
    count: usize,
    records: &Encoder,
) -> std::io::Result<Vec<u8>> {
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::default());
    deflated.write_all(&records.0)?;
    let block = deflated.finish()?;
    let mut header = vec![
        ("avro.schema", schema.to_string()),
        ("avro.codec", "deflate".to_string()),
    ];
    header.extend(metadata.iter().cloned());
    let mut file = Encoder(MAGIC.to_vec());
    file.array(&header, |file, (key, value)| {
        file.bytes(key.as_bytes());
        file.bytes(value.as_bytes());
    });
    file.0.extend_from_slice(&marker);
    if count > 0 {
        file.long(count as i64);
        file.bytes(&block);
        file.0.extend_from_slice(&marker);
    }
    Ok(file.0)
}

/// Reads the records of a container file, as JSON; the values of `bytes` are left out.
///
/// # Errors
/// What is wrong with the file.
pub fn read(file: &[u8]) -> Result<Vec<Value>, String> {
    let mut input = Decoder(file);
    if input.take(MAGIC.len())? != MAGIC {
        return Err("it does not begin as an Avro file".into());
    }
    let (mut schema, mut codec) = (Value::Null, Vec::new());
    input.blocks(|input| {
        let key = input.bytes()?.to_vec();
        let value = input.bytes()?;
        match key.as_slice() {
            b"avro.schema" => schema = serde_json::from_slice(value).map_err(|e| e.to_string())?,
            b"avro.codec" => codec = value.to_vec(),
            _ => {}
        }
        Ok(())
    })?;
    let marker = input.take(MARKER)?;
    let mut records = Vec::new();
    while !input.0.is_empty() {
        let count = input.long()?;
        let block = input.bytes()?;
        let mut inflated = Vec::new();
        match codec.as_slice() {
            b"deflate" => {
                let mut decoder = DeflateDecoder::new(block);
                decoder
                    .read_to_end(&mut inflated)
                    .map_err(|e| e.to_string())?;
            }
            b"null" | b"" => inflated.extend_from_slice(block),
            _ => return Err("its codec is neither deflate nor null".into()),
        }
        let mut block = Decoder(&inflated);
        block.can_hold(count)?;
        for _ in 0..count {
            records.push(block.value(&schema)?);
        }
        if !block.0.is_empty() || input.take(MARKER)? != marker {
            return Err("a block does not end with its last record".into());
        }
    }
    Ok(records)
}

struct Decoder<'d>(&'d [u8]);

impl<'d> Decoder<'d> {
    fn take(&mut self, bytes: usize) -> Result<&'d [u8], String> {
        let (head, rest) = self.0.split_at_checked(bytes).ok_or("it is cut off")?;
        self.0 = rest;
        Ok(head)
    }

    fn long(&mut self) -> Result<i64, String> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
            }
        }
        Err("a number is too long".into())
    }

    fn bytes(&mut self) -> Result<&'d [u8], String> {
        let length = usize::try_from(self.long()?).map_err(|_| "a length is negative")?;
        self.take(length)
    }

    /// The blocks of an array or a map.
    fn blocks(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        loop {
            let mut count = self.long()?;
            if count < 0 {
                // The block's size follows.
                self.long()?;
                count = count.checked_neg().ok_or("a count is too large")?;
            }
            if count == 0 {
                return Ok(());
            }
            self.can_hold(count)?;
            for _ in 0..count {
                each(self)?;
            }
        }
    }

    /// Refuses a count of items that exceeds the remaining bytes: each item takes one or more.
    fn can_hold(&self, count: i64) -> Result<(), String> {
        match usize::try_from(count).is_ok_and(|count| count <= self.0.len()) {
            true => Ok(()),
            false => Err("a count is too large".into()),
        }
    }

    fn value(&mut self, schema: &Value) -> Result<Value, String> {
        let name = match schema {
            Value::Array(branches) => {
                let branch = usize::try_from(self.long()?).ok();
                let branch = branch.and_then(|index| branches.get(index));
                return self.value(branch.ok_or("a union has no such branch")?);
            }
            Value::String(name) => name,
            Value::Object(_) => match &schema["type"] {
                Value::String(name) => name,
                inner => return self.value(inner),
            },
            _ => return Err("its schema is not one of Avro".into()),
        };
        Ok(match name.as_str() {
            "null" => Value::Null,
            "boolean" => (self.take(1)?[0] != 0).into(),
            "int" | "long" => self.long()?.into(),
            "string" => String::from_utf8_lossy(self.bytes()?).into(),
            "bytes" => {
                self.bytes()?;
                Value::Null
            }
            "array" => {
                let mut items = Vec::new();
                self.blocks(|input| {
                    items.push(input.value(&schema["items"])?);
                    Ok(())
                })?;
                items.into()
            }
            "record" => {
                let mut record = Map::new();
                for field in schema["fields"].as_array().into_iter().flatten() {
                    let name = field["name"].as_str().unwrap_or_default();
                    record.insert(name.into(), self.value(&field["type"])?);
                }
                record.into()
            }
            other => return Err(format!("its schema has the type {other}")),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({"type": "record", "name": "r", "fields": [
            {"name": "n", "type": {"type": "int", "logicalType": "date"}},
            {"name": "t", "type": ["null", "string"]},
            {"name": "f", "type": "boolean"},
            {"name": "a", "type": {"type": "array", "items": "long"}},
        ]})
    }

    fn record(records: &mut Encoder, number: i64, text: Option<&str>, list: &[i64]) {
        records.long(number);
        match text {
            Some(text) => records.some(|records| records.bytes(text.as_bytes())),
            None => records.null(),
        }
        records.boolean(text.is_some());
        records.array(list, |records, item| records.long(*item));
    }

    #[test]
    fn records_are_read_as_they_were_written() {
        let mut records = Encoder::default();
        record(
            &mut records,
            i64::MIN,
            Some("héllo"),
            &[1, -1, 64, -65, 1 << 40],
        );
        record(&mut records, i64::MAX, None, &[]);
        let made = file(&schema(), &[("k", "v".into())], [7; 16], 2, &records).unwrap();
        let found = read(&made).unwrap();
        assert_eq!(
            found,
            [
                json!({"n": i64::MIN, "t": "héllo", "f": true, "a": [1, -1, 64, -65, 1_u64 << 40]}),
                json!({"n": i64::MAX, "t": null, "f": false, "a": []}),
            ]
        );
        let empty = file(&schema(), &[], [7; 16], 0, &Encoder::default()).unwrap();
        assert_eq!(read(&empty).unwrap(), [] as [Value; 0]);
    }

    #[test]
    fn numbers_are_zigzag_varints() {
        // The examples of the specification.
        for (number, bytes) in [(0, "00"), (-1, "01"), (1, "02"), (-64, "7f"), (64, "8001")] {
            let mut encoder = Encoder::default();
            encoder.long(number);
            let hex: String = encoder.0.iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(hex, bytes);
        }
    }

    #[test]
    fn damaged_files_are_errors() {
        let mut records = Encoder::default();
        record(&mut records, 5, Some("text"), &[1]);
        let made = file(&schema(), &[], [7; 16], 1, &records).unwrap();
        for length in 0..made.len() {
            // A file that ends after its header has no block.
            let is_empty = read(&made[..length]) == Ok(Vec::new());
            assert!(is_empty || read(&made[..length]).is_err(), "{length}");
        }
        for place in 0..made.len() {
            let mut broken = made.clone();
            broken[place] ^= 0x55;
            let _ = read(&broken);
        }
    }
}
