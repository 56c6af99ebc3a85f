//! Truth that queries join with events by place, one date at a time.

use std::collections::HashMap;

use super::count::{Map, Set};
use crate::error::Result;
use crate::generator::Generator;
use crate::plan::TruthTable;
use crate::queries::source::Rows;

/// A chain as the table `chains` has it.
pub(super) struct ChainRow {
    pub playbook: String,
    /// Unix microseconds.
    pub start: i64,
}

/// The chains of a corpus, by their number here.
#[derive(Default)]
pub(super) struct ChainRows {
    pub rows: Vec<ChainRow>,
    numbers: HashMap<String, u32>,
}

impl ChainRows {
    /// Reads the table `chains`.
    ///
    /// # Errors
    /// The truth cannot be made.
    pub fn read(generator: &Generator) -> Result<Self> {
        let mut chains = ChainRows::default();
        generator.truth(TruthTable::Chains, |batch| {
            let rows = Rows::new(&batch);
            let [id, playbook] = rows.texts(["attack_id", "playbook"]);
            let [start] = rows.integers(["start"]);
            for row in 0..rows.rows() {
                let number = chains.rows.len() as u32;
                chains
                    .numbers
                    .insert(id.text(row).unwrap_or_default().to_string(), number);
                chains.rows.push(ChainRow {
                    playbook: playbook.text(row).unwrap_or_default().to_string(),
                    start: start.get(row).unwrap_or_default(),
                });
            }
            Ok(())
        })?;
        Ok(chains)
    }
}

/// The rows of `steps` and `lookalikes` whose events are of one date, by `event.sequence`, which is
/// unique in the corpus, so date and category need not be compared.
#[derive(Default)]
pub(super) struct Joined {
    /// The numbers of the chains.
    pub steps: Map<i64, u32>,
    pub lookalikes: Set<i64>,
}

impl Joined {
    /// The truth of the date with this index in the corpus's window.
    ///
    /// # Errors
    /// The truth cannot be made.
    pub fn of(generator: &Generator, chains: &ChainRows, date: u32) -> Result<Self> {
        let mut joined = Joined::default();
        let of_date = |table: TruthTable| {
            let shards = generator.plan().truth.iter();
            // The part of a file of steps is the number of days from the chain's start to the event.
            shards.filter(move |s| match table {
                TruthTable::Steps => s.table == table && s.date + s.part == date,
                _ => s.table == table && s.date == date,
            })
        };
        generator.truth_of(of_date(TruthTable::Steps), |batch| {
            let rows = Rows::new(&batch);
            let [sequence] = rows.integers(["event_sequence"]);
            let [id] = rows.texts(["attack_id"]);
            for row in 0..rows.rows() {
                let chain = id.text(row).and_then(|id| chains.numbers.get(id));
                if let (Some(sequence), Some(&chain)) = (sequence.get(row), chain) {
                    joined.steps.insert(sequence, chain);
                }
            }
            Ok(())
        })?;
        generator.truth_of(of_date(TruthTable::Lookalikes), |batch| {
            let rows = Rows::new(&batch);
            let [sequence] = rows.integers(["event_sequence"]);
            let sequences = (0..rows.rows()).filter_map(|row| sequence.get(row));
            joined.lookalikes.extend(sequences);
            Ok(())
        })?;
        Ok(joined)
    }
}
