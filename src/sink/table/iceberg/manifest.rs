//! Manifests and the manifest list: Avro files that list the event files.
//!
//! The numbers are the field ids of the specification, <https://iceberg.apache.org/spec/#manifests>.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::avro::{self, Encoder};
use super::schema::{Fields, PARTITION_ID};
use crate::sink::format::CompleteFile;
use crate::sink::table::statistics::{Bound, FileStatistics};

fn optional(name: &str, id: i64, data_type: Value) -> Value {
    json!({"name": name, "type": ["null", data_type], "default": null, "field-id": id})
}

fn required(name: &str, id: i64, data_type: Value) -> Value {
    json!({"name": name, "type": data_type, "field-id": id})
}

fn record(name: &str, fields: Vec<Value>) -> Value {
    json!({"type": "record", "name": name, "fields": fields})
}

/// A map by column id, which Avro has only as an array.
fn by_column(key: i64, value: i64, data_type: &str) -> Value {
    json!({"type": "array", "logicalType": "map", "items": record(
        &format!("k{key}_v{value}"),
        vec![required("key", key, "int".into()), required("value", value, data_type.into())],
    )})
}

/// The schema of a manifest's entries.
fn entry_schema(has_category: bool) -> Value {
    let date = json!({"type": "int", "logicalType": "date"});
    let mut partition = vec![optional("date", PARTITION_ID, date)];
    if has_category {
        partition.push(optional("category", PARTITION_ID + 1, "string".into()));
    }
    let data_file = vec![
        required("content", 134, "int".into()),
        required("file_path", 100, "string".into()),
        required("file_format", 101, "string".into()),
        required("partition", 102, record("r102", partition)),
        required("record_count", 103, "long".into()),
        required("file_size_in_bytes", 104, "long".into()),
        optional("value_counts", 109, by_column(119, 120, "long")),
        optional("null_value_counts", 110, by_column(121, 122, "long")),
        optional("lower_bounds", 125, by_column(126, 127, "bytes")),
        optional("upper_bounds", 128, by_column(129, 130, "bytes")),
        optional(
            "split_offsets",
            132,
            json!({"type": "array", "items": "long", "element-id": 133}),
        ),
    ];
    record(
        "manifest_entry",
        vec![
            required("status", 0, "int".into()),
            optional("snapshot_id", 1, "long".into()),
            optional("sequence_number", 3, "long".into()),
            optional("file_sequence_number", 4, "long".into()),
            required("data_file", 2, record("r2", data_file)),
        ],
    )
}

/// The schema of the manifest list's entries.
fn list_schema() -> Value {
    let summary = vec![
        required("contains_null", 509, "boolean".into()),
        optional("contains_nan", 518, "boolean".into()),
        optional("lower_bound", 510, "bytes".into()),
        optional("upper_bound", 511, "bytes".into()),
    ];
    let summaries = json!({
        "type": "array", "items": record("r508", summary), "element-id": 508,
    });
    record(
        "manifest_file",
        vec![
            required("manifest_path", 500, "string".into()),
            required("manifest_length", 501, "long".into()),
            required("partition_spec_id", 502, "int".into()),
            required("content", 517, "int".into()),
            required("sequence_number", 515, "long".into()),
            required("min_sequence_number", 516, "long".into()),
            required("added_snapshot_id", 503, "long".into()),
            required("added_files_count", 504, "int".into()),
            required("existing_files_count", 505, "int".into()),
            required("deleted_files_count", 506, "int".into()),
            required("added_rows_count", 512, "long".into()),
            required("existing_rows_count", 513, "long".into()),
            required("deleted_rows_count", 514, "long".into()),
            optional("partitions", 507, summaries),
        ],
    )
}

/// What all manifests of a table share.
pub struct Table<'t> {
    pub fields: &'t Fields,
    /// URI of `events/`.
    pub location: &'t str,
    pub snapshot: i64,
    pub has_category: bool,
    /// Ends each block of an Avro file, and must not occur in it.
    pub marker: [u8; 16],
}

/// A manifest that is being made: its entries, and what the manifest list says of them.
#[derive(Default)]
pub struct Manifest {
    entries: Encoder,
    files: usize,
    rows: u64,
    /// Smallest and largest.
    dates: Option<(i32, i32)>,
    categories: Option<(String, String)>,
}

/// Days since the epoch; none if the text is no date.
fn days(date: &str) -> Option<i32> {
    let date: NaiveDate = date.parse().ok()?;
    i32::try_from((date - NaiveDate::default()).num_days()).ok()
}

fn widened<T: Ord + Clone>(bounds: Option<(T, T)>, value: T) -> Option<(T, T)> {
    Some(match bounds {
        Some((least, most)) => (least.min(value.clone()), most.max(value)),
        None => (value.clone(), value),
    })
}

fn bound_bytes(bound: &Bound) -> Vec<u8> {
    match bound {
        Bound::Boolean(value) => vec![u8::from(*value)],
        Bound::Integer(value) => value.to_le_bytes().into(),
        Bound::Text(text) => text.as_bytes().into(),
    }
}

impl Manifest {
    /// Number of its files.
    pub fn len(&self) -> usize {
        self.files
    }

    /// Adds a file; none if its date is no date.
    pub fn add(
        &mut self,
        table: &Table<'_>,
        file: &CompleteFile<'_>,
        found: &FileStatistics,
    ) -> Option<()> {
        let date = days(file.date)?;
        self.dates = widened(self.dates, date);
        if let Some(category) = file.category {
            self.categories = widened(self.categories.take(), category.to_string());
        }
        self.files += 1;
        self.rows += file.rows;
        let entry = &mut self.entries;
        // Added by the snapshot; its sequence number is inherited from the manifest list.
        entry.long(1);
        entry.some(|entry| entry.long(table.snapshot));
        entry.null();
        entry.null();
        // A data file.
        entry.long(0);
        entry.bytes(format!("{}/{}", table.location, file.path).as_bytes());
        entry.bytes(b"PARQUET");
        entry.some(|entry| entry.long(date.into()));
        if table.has_category {
            entry.some(|entry| entry.bytes(file.category.unwrap_or_default().as_bytes()));
        }
        entry.long(file.rows as i64);
        entry.long(file.bytes as i64);
        let leaves = &found.leaves;
        let id = |leaf: usize| i64::from(table.fields.leaves[leaf]);
        entry.some(|entry| {
            entry.array(leaves, |entry, leaf| {
                entry.long(id(leaf.leaf));
                entry.long(file.rows as i64);
            });
        });
        entry.some(|entry| {
            entry.array(leaves, |entry, leaf| {
                entry.long(id(leaf.leaf));
                entry.long(leaf.nulls as i64);
            });
        });
        let bounds = leaves.iter().filter_map(|leaf| {
            let (least, most) = leaf.bounds.as_ref()?;
            Some((id(leaf.leaf), bound_bytes(least), bound_bytes(most)))
        });
        let bounds: Vec<(i64, Vec<u8>, Vec<u8>)> = bounds.collect();
        entry.some(|entry| {
            entry.array(&bounds, |entry, (id, least, _)| {
                entry.long(*id);
                entry.bytes(least);
            });
        });
        entry.some(|entry| {
            entry.array(&bounds, |entry, (id, _, most)| {
                entry.long(*id);
                entry.bytes(most);
            });
        });
        entry.some(|entry| {
            entry.array(&found.offsets, |entry, offset| entry.long(*offset));
        });
        Some(())
    }

    /// The Avro file.
    pub fn file(&self, table: &Table<'_>) -> std::io::Result<Vec<u8>> {
        let metadata = [
            ("schema", table.fields.schema().to_string()),
            ("schema-id", "0".into()),
            (
                "partition-spec",
                table.fields.partition_fields().to_string(),
            ),
            ("partition-spec-id", "0".into()),
            ("format-version", "2".into()),
            ("content", "data".into()),
        ];
        let schema = entry_schema(table.has_category);
        avro::file(&schema, &metadata, table.marker, self.files, &self.entries)
    }

    /// Its entry in the manifest list.
    pub fn list(&self, table: &Table<'_>, path: &str, bytes: usize, list: &mut Encoder) {
        list.bytes(format!("{}/{path}", table.location).as_bytes());
        list.long(bytes as i64);
        // Partition spec, content (data), sequence numbers.
        for number in [0, 0, 1, 1, table.snapshot] {
            list.long(number);
        }
        // Files and rows: added, existing, deleted.
        for number in [self.files as i64, 0, 0, self.rows as i64, 0, 0] {
            list.long(number);
        }
        let date = self.dates.map(|(least, most)| {
            let bytes = |days: i32| days.to_le_bytes().to_vec();
            (bytes(least), bytes(most))
        });
        let category = self.categories.clone();
        let category = category.map(|(least, most)| (least.into_bytes(), most.into_bytes()));
        let summaries: Vec<(Vec<u8>, Vec<u8>)> = date.into_iter().chain(category).collect();
        list.some(|list| {
            list.array(&summaries, |list, (least, most)| {
                list.boolean(false);
                list.null();
                list.some(|list| list.bytes(least));
                list.some(|list| list.bytes(most));
            });
        });
    }
}

/// The Avro file of the manifest list.
pub fn list_file(table: &Table<'_>, count: usize, list: &Encoder) -> std::io::Result<Vec<u8>> {
    let metadata = [
        ("snapshot-id", table.snapshot.to_string()),
        ("parent-snapshot-id", "null".into()),
        ("sequence-number", "1".into()),
        ("format-version", "2".into()),
    ];
    avro::file(&list_schema(), &metadata, table.marker, count, list)
}
