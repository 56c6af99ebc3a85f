//! A Delta Lake table: one commit, version 0, whose log lists the event files.
//!
//! Protocol: <https://github.com/delta-io/delta/blob/master/PROTOCOL.md>, reader version 1 and writer
//! version 2, which every reader of Delta tables supports.

use arrow_schema::{DataType, Field};
use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::statistics::{Bound, FileStatistics, Tracked};
use super::{committed_at, for_each_file, milliseconds, partition_fields, statistics, uuid};
use crate::error::{Error, Result};
use crate::plan::fingerprint::CREATED_BY;
use crate::schema::{Kind, Schema};
use crate::sink::format::{CommitFile, CompleteCorpus, CompleteFile};

/// The log of version 0, relative to `events/`.
pub const LOG: &str = "_delta_log/00000000000000000000.json";

/// An action that adds a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Add {
    pub path: String,
    pub partition_values: Map<String, Value>,
    pub size: u64,
    pub modification_time: i64,
    pub data_change: bool,
    /// JSON.
    pub stats: String,
}

/// The log.
pub fn commit(corpus: &CompleteCorpus<'_>) -> Result<Vec<CommitFile>> {
    let tracked = Tracked::new(corpus.schema, corpus.files.len());
    let partitions = partition_fields(corpus);
    let columns: Vec<&str> = partitions.iter().map(|f| f.name().as_str()).collect();
    let time = committed_at(corpus);
    let defect = || Error::Defect {
        path: corpus.root.join("events").join(LOG),
    };
    let schema = schema_string(corpus.schema, &partitions).ok_or_else(defect)?;
    let mut contents = Vec::new();
    for action in [
        json!({"commitInfo": {
            "timestamp": time,
            "operation": "WRITE",
            "operationParameters": {
                "mode": "ErrorIfExists",
                "partitionBy": json!(columns).to_string(),
            },
            "isBlindAppend": true,
            "engineInfo": CREATED_BY,
        }}),
        json!({"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}),
        json!({"metaData": {
            "id": uuid(corpus.fingerprint),
            "format": {"provider": "parquet", "options": {}},
            "schemaString": schema,
            "partitionColumns": columns,
            // Readers look for statistics of as many columns as this says, 32 by default.
            "configuration": {"delta.dataSkippingNumIndexedCols": match tracked.is_every {
                true => "-1".to_string(),
                false => tracked.leaves.to_string(),
            }},
            "createdTime": time,
        }}),
    ] {
        line(&mut contents, &action).ok_or_else(defect)?;
    }
    let make = |file: &CompleteFile<'_>| {
        let found = statistics::read(corpus, &tracked, file)?;
        let mut text = Vec::new();
        let action = json!({"add": add(corpus, file, &found, time)});
        line(&mut text, &action).ok_or_else(defect)?;
        Ok(text)
    };
    for_each_file(corpus, make, |_, text| {
        contents.extend(text);
        Ok(())
    })?;
    Ok(vec![CommitFile {
        path: LOG.into(),
        contents,
    }])
}

fn line(text: &mut Vec<u8>, action: &Value) -> Option<()> {
    serde_json::to_writer(&mut *text, action).ok()?;
    text.push(b'\n');
    Some(())
}

fn add(
    corpus: &CompleteCorpus<'_>,
    file: &CompleteFile<'_>,
    found: &FileStatistics,
    time: i64,
) -> Add {
    let mut values = Map::new();
    values.insert("date".into(), file.date.into());
    values.extend(file.category.map(|name| ("category".into(), name.into())));
    Add {
        // Paths are those of slugs and dates: nothing needs the escapes of an URI.
        path: file.path.into(),
        partition_values: values,
        size: file.bytes,
        modification_time: file.times.map_or(time, |times| milliseconds(times.1)),
        data_change: true,
        stats: stats(corpus.schema, file.rows, found).to_string(),
    }
}

fn stats(schema: &Schema, rows: u64, found: &FileStatistics) -> Value {
    let (mut least, mut most, mut nulls) = (Map::new(), Map::new(), Map::new());
    for leaf in &found.leaves {
        let of = &schema.leaves[leaf.leaf];
        insert(&mut nulls, of.path, leaf.nulls.into());
        let Some((from, to)) = &leaf.bounds else {
            continue;
        };
        if let (Some(from), Some(to)) = (bound(of.kind, from), bound(of.kind, to)) {
            insert(&mut least, of.path, from);
            insert(&mut most, of.path, to);
        }
    }
    json!({"numRecords": rows, "minValues": least, "maxValues": most, "nullCount": nulls})
}

/// A bound in JSON; none for Booleans, which have no bounds in Delta.
fn bound(kind: Kind, bound: &Bound) -> Option<Value> {
    match bound {
        Bound::Boolean(_) => None,
        Bound::Integer(micros) if kind == Kind::Time => {
            let time = DateTime::from_timestamp_micros(*micros)?;
            Some(time.to_rfc3339_opts(SecondsFormat::Micros, true).into())
        }
        Bound::Integer(integer) => Some((*integer).into()),
        Bound::Text(text) => Some(text.as_str().into()),
    }
}

/// Sets the value at a dotted path.
fn insert(map: &mut Map<String, Value>, path: &str, value: Value) {
    let Some((head, rest)) = path.split_once('.') else {
        map.insert(path.into(), value);
        return;
    };
    let inner = map.entry(head).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(inner) = inner {
        insert(inner, rest, value);
    }
}

/// The schema as Delta's JSON.
fn schema_string(schema: &Schema, partitions: &[Field]) -> Option<String> {
    let own = schema.arrow().fields().iter().map(AsRef::as_ref);
    let fields: Option<Vec<Value>> = own.chain(partitions).map(field).collect();
    Some(json!({"type": "struct", "fields": fields?}).to_string())
}

fn field(field: &Field) -> Option<Value> {
    Some(json!({
        "name": field.name(),
        "type": data_type(field.data_type())?,
        "nullable": field.is_nullable(),
        "metadata": {},
    }))
}

fn data_type(data_type_: &DataType) -> Option<Value> {
    Some(match data_type_ {
        DataType::Boolean => "boolean".into(),
        DataType::Int64 => "long".into(),
        DataType::Utf8 => "string".into(),
        DataType::Dictionary(_, values) => data_type(values)?,
        DataType::Date32 => "date".into(),
        // Delta's `timestamp` is in UTC.
        DataType::Timestamp(_, Some(_)) => "timestamp".into(),
        DataType::List(item) => json!({
            "type": "array",
            "elementType": data_type(item.data_type())?,
            "containsNull": item.is_nullable(),
        }),
        DataType::Struct(fields) => {
            let fields: Option<Vec<Value>> = fields.iter().map(|f| field(f)).collect();
            json!({"type": "struct", "fields": fields?})
        }
        _ => return None,
    })
}
