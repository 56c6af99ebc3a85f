//! JSON lines: Suricata's eve.json, or objects of any other tool.

use std::path::Path;

use serde_json::Value as Json;

use super::compressed::lines;
use super::{Each, Sheet, SheetFormat};
use crate::error::{Error, Result};
use crate::grounding::alerts_db::columns::{Layout, TRIED};
use crate::grounding::alerts_db::value::Value;

/// Maximum depth of objects whose fields become columns: `rule.level`, `kibana.alert.rule.name`.
const DEPTH: usize = 5;
/// Maximum number of columns.
const COLUMNS: usize = 4_096;

/// Objects with `alert` are Suricata's records. For other objects, every field is a column.
pub(super) fn open(path: &Path) -> Result<Sheet> {
    let mut columns: Vec<String> = Vec::new();
    let mut known = std::collections::HashSet::new();
    let (mut read, mut objects, mut eve) = (0u64, 0u64, false);
    lines(path, |line| {
        read += 1;
        if let Ok(Json::Object(object)) = serde_json::from_str::<Json>(line) {
            objects += 1;
            // Suricata's other events have no `alert`, but have these keys.
            let is_event = object.get("event_type").is_some_and(Json::is_string)
                && ["flow_id", "in_iface", "stats"]
                    .iter()
                    .any(|name| object.contains_key(*name));
            eve |= is_event || object.get("alert").is_some_and(Json::is_object);
            let record = Json::Object(object);
            fields(unwrapped(&record), &mut String::new(), 0, &mut |name| {
                if known.len() < COLUMNS && known.insert(name.to_string()) {
                    columns.push(name.to_string());
                }
            });
        }
        !eve && read < TRIED
    })?;
    if objects == 0 {
        return Err(Error::input(
            path,
            Some("line 1".to_string()),
            "is not a JSON object",
            "give a file with one JSON object per line, such as eve.json",
        ));
    }
    if eve {
        let columns = vec!["source".to_string()];
        let origin = SheetFormat::Json { eve: true };
        return Ok(Sheet::of_file(path, columns, Layout::Records, origin));
    }
    let origin = SheetFormat::Json { eve: false };
    Ok(Sheet::of_file(path, columns, Layout::Plain, origin))
}

/// The document of an Elasticsearch export, which is in `_source`.
fn unwrapped(record: &Json) -> &Json {
    match record.get("_source") {
        Some(inner) if inner.is_object() => inner,
        _ => record,
    }
}

/// All fields that are not objects, by path.
fn fields(json: &Json, path: &mut String, depth: usize, each: &mut dyn FnMut(&str)) {
    let Json::Object(object) = json else {
        return each(path);
    };
    if depth == DEPTH {
        return;
    }
    for (name, value) in object {
        let length = path.len();
        if length > 0 {
            path.push('.');
        }
        path.push_str(name);
        fields(value, path, depth + 1, each);
        path.truncate(length);
    }
}

/// The value at a path; names may themselves contain dots.
fn at<'j>(json: &'j Json, path: &str) -> Option<&'j Json> {
    let object = json.as_object()?;
    if let Some(found) = object.get(path) {
        return Some(found);
    }
    path.match_indices('.').find_map(|(dot, _)| {
        let (name, rest) = (path.get(..dot)?, path.get(dot + 1..)?);
        at(object.get(name)?, rest)
    })
}

/// Passes each line as a record. Lines without an alert are passed as null, unparsed.
pub(super) fn visit_records(sheet: &Sheet, each: Each<'_>) -> Result<()> {
    lines(&sheet.path, |line| {
        if line.contains("\"alert\"") {
            each(&[Value::Text(line.into())])
        } else {
            each(&[Value::Null])
        }
    })
}

/// Passes the wanted columns of each object. A line that is not an object is a row of nulls.
pub(super) fn visit_objects(sheet: &Sheet, wanted: &[usize], each: Each<'_>) -> Result<()> {
    let names: Vec<&str> = wanted
        .iter()
        .map(|&column| sheet.columns.get(column).map_or("", String::as_str))
        .collect();
    lines(&sheet.path, |line| {
        let record: Json = serde_json::from_str(line).unwrap_or(Json::Null);
        let object = unwrapped(&record);
        let cells: Vec<Value<'_>> = names
            .iter()
            .map(|name| at(object, name).map_or(Value::Null, Value::from))
            .collect();
        each(&cells)
    })
}
