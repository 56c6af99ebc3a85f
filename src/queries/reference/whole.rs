//! Events with all their columns, by their places: the view `flat`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef};
use serde_json::{Value as Json, json};

use super::Table;
use super::frame::{Frame, date};
use crate::error::{Error, Result, encoding_failed};
use crate::generator::{Generator, Select};
use crate::queries::columns::Texts;
use crate::queries::views::flat_leaves;
use crate::schema::{Schema, leaf};

/// The value of a row in a column of texts, integers or booleans.
fn value(array: Option<&ArrayRef>, row: usize) -> Json {
    let Some(array) = array.filter(|array| array.is_valid(row)) else {
        return Json::Null;
    };
    if let Some(numbers) = array.as_primitive_opt::<Int64Type>() {
        return json!(numbers.value(row));
    }
    match array.as_boolean_opt() {
        Some(booleans) => json!(booleans.value(row)),
        None => json!(Texts::of(Some(array)).text(row)),
    }
}

/// The events at these places, each the time and the sequence of an event of the day, in order of
/// time. Only the frames that have them are made.
///
/// # Errors
/// An event cannot be made, which is a defect.
pub(super) fn whole_rows(generator: &Generator, places: &[Vec<Json>]) -> Result<Table> {
    let defect = || Error::Defect {
        path: "flat".into(),
    };
    let places: Option<Vec<(i64, i64)>> = (places.iter())
        .map(|row| Some((row.first()?.as_i64()?, row.get(1)?.as_i64()?)))
        .collect();
    let places = places.ok_or_else(defect)?;
    let schema = Schema::of(&generator.plan().config);
    let paths: Vec<&str> = flat_leaves(&schema).map(|leaf| leaf.path).collect();
    let mut found: HashMap<(i64, i64), Vec<Json>> = HashMap::new();
    let mut next = 0;
    while let Some(&(from, _)) = places.get(next) {
        let columns = paths.iter().copied().chain(["@timestamp"]);
        let select = Select::all().columns(columns).with_partition_columns();
        let day = date(from.div_euclid(86_400_000_000) as i32).ok_or_else(defect)?;
        let before = next;
        for batch in generator.batches(select.date(day).since(from))? {
            let batch = batch.map_err(|e| encoding_failed("flat".as_ref(), e.into()))?;
            let frame = Frame::new(&batch, Arc::default());
            for row in 0..frame.rows {
                let place = (frame.times[row], frame.sequence(row));
                if !places[next..].contains(&place) {
                    continue;
                }
                let head = [
                    json!(frame.times[row]),
                    json!(frame.day_text),
                    json!(frame.category.text(row)),
                    json!(frame.severity(row)),
                ];
                let leaves = paths.iter().map(|path| value(leaf(&batch, path), row));
                found.insert(place, head.into_iter().chain(leaves).collect());
            }
            while places
                .get(next)
                .is_some_and(|place| found.contains_key(place))
            {
                next += 1;
            }
            // The next place may be far away: another request skips what is between.
            let end = frame.times.last().copied().unwrap_or(i64::MAX);
            if places.get(next).is_none_or(|(time, _)| *time > end) {
                break;
            }
        }
        if next == before {
            return Err(defect());
        }
    }
    let rows = places.iter().map(|place| found.remove(place));
    rows.collect::<Option<Table>>().ok_or_else(defect)
}
