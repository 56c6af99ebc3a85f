//! Rendered events of chains: for steps with many rounds, only the first and last rounds. A constant
//! value is in both.

use std::ops::Range;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;

use super::{Truth, encoding_failed, go_on};
use crate::columns::View;
use crate::error::Result;
use crate::frame::Frame;
use crate::plan::Chains;
use crate::plan::chains::{ChainEvent, PlacedStep};
use crate::schema::Schema;

/// Number of rounds read at each end of a step.
const ROUNDS: u32 = 8;
/// Number of events rendered at once.
pub const EVENTS: usize = 8 * 1024;

/// The events of a step that are in neither its first nor its last rounds, by index.
pub fn unread(step: &PlacedStep) -> Range<u32> {
    let end = ROUNDS * step.records;
    end..step.events.saturating_sub(end).max(end)
}

/// An event of a chain.
pub fn event(chains: &Chains, chain: u32, step: u8, index: u32) -> ChainEvent {
    ChainEvent {
        time: chains.time(chain, step, index),
        chain,
        step,
        index,
    }
}

/// The events of a chain to read, in order: those of the first and last rounds of every step.
pub fn sample(chains: &Chains, chain: u32) -> Vec<ChainEvent> {
    let mut events = Vec::new();
    for (step, placed) in chains.all[chain as usize].steps.iter().enumerate() {
        let unread = unread(placed);
        let read = (0..placed.events.min(unread.start)).chain(unread.end..placed.events);
        events.extend(read.map(|index| event(chains, chain, step as u8, index)));
    }
    events
}

/// Rendered events: the frame, its batch, and which events they are.
pub struct Rendered<'r> {
    pub frame: &'r Frame,
    pub batch: &'r RecordBatch,
    pub events: &'r [ChainEvent],
}

/// Renders events with the columns of a schema.
///
/// # Errors
/// A column violates the schema (a bug); `path` is for the message.
pub fn render(
    truth: &Truth<'_>,
    schema: &Schema,
    events: &[ChainEvent],
    path: &Path,
) -> Result<(Frame, RecordBatch)> {
    let frame = truth.maker.chain_frame(events);
    let batch = schema.batch(&View::new(&frame, truth.maker, truth.tables));
    let batch = batch.map_err(|e| encoding_failed(path, e.into()))?;
    Ok((frame, batch))
}

/// Calls `each` with the rows of each chain that starts on a date, in order.
///
/// # Errors
/// A column violates the schema (a bug), or the run is stopped. `path` is for the message.
pub fn each_chain(
    truth: &Truth<'_>,
    date: u32,
    path: &Path,
    mut each: impl FnMut(Rendered<'_>, u32, Range<usize>) -> Result<()>,
) -> Result<()> {
    let mut read = |events: &[ChainEvent]| {
        go_on(truth.progress, path)?;
        let (frame, batch) = render(truth, &truth.schema, events, path)?;
        let mut start = 0;
        for of_chain in events.chunk_by(|a, b| a.chain == b.chain) {
            let rendered = Rendered {
                frame: &frame,
                batch: &batch,
                events,
            };
            let end = start + of_chain.len();
            each(rendered, of_chain[0].chain, start..end)?;
            start = end;
        }
        Ok(())
    };
    let mut events: Vec<ChainEvent> = Vec::new();
    for chain in truth.of_date(date) {
        events.extend(sample(&truth.plan.chains, chain));
        if events.len() >= EVENTS {
            read(&events)?;
            events.clear();
        }
    }
    if events.is_empty() {
        return Ok(());
    }
    read(&events)
}

/// Visits the texts of a row, including each item of lists.
pub fn each_text(array: &ArrayRef, row: usize, visit: &mut dyn FnMut(&str)) {
    if array.is_null(row) {
        return;
    }
    match array.data_type() {
        DataType::Utf8 => visit(array.as_string::<i32>().value(row)),
        DataType::Int64 => visit(&array.as_primitive::<Int64Type>().value(row).to_string()),
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_dictionary::<Int32Type>();
            let key = dictionary.keys().value(row) as usize;
            visit(dictionary.values().as_string::<i32>().value(key));
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            for item in 0..items.len() {
                each_text(&items, item, visit);
            }
        }
        _ => {}
    }
}
