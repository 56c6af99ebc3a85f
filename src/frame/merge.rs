//! The order of a row group: all populations merged by (time, population, ordinal).

use crate::plan::{Origin, Partition, Plan, RowGroup, TimeLaw};

/// One row's identity within its partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    pub time: i64,
    /// Index into the partition's populations.
    pub population: u8,
    /// Ordinal in the population; for chains, index into the row group's event list.
    pub ordinal: u64,
}

/// The rows of a row group in order.
#[derive(Debug)]
pub struct Order {
    pub rows: Vec<Row>,
    /// Chain events of the row group, in order.
    pub chain_events: Vec<crate::plan::chains::ChainEvent>,
    /// The populations' time laws.
    pub laws: Vec<Option<TimeLaw>>,
}

impl Order {
    /// Merges the populations of a row group.
    pub fn new(plan: &Plan, partition: &Partition, group: &RowGroup) -> Self {
        let mut rows: Vec<Row> = Vec::with_capacity(group.rows as usize);
        let mut chain_events = Vec::new();
        let mut laws = Vec::new();
        let mut times = Vec::new();
        for (p, population) in partition.populations.iter().enumerate() {
            let law = population.law(&plan.calendar, partition.date, partition.category);
            match &law {
                Some(law) => {
                    times.clear();
                    law.times(group.ordinals[p].clone(), &mut times);
                    rows.extend(times.iter().zip(group.ordinals[p].clone()).map(
                        |(&time, ordinal)| Row {
                            time,
                            population: p as u8,
                            ordinal,
                        },
                    ));
                }
                None => {
                    debug_assert_eq!(population.origin, Origin::Chains);
                    chain_events = plan
                        .chains
                        .events_in(partition.category, group.from, group.to);
                    rows.extend(chain_events.iter().enumerate().map(|(i, e)| Row {
                        time: e.time,
                        population: p as u8,
                        ordinal: i as u64,
                    }));
                }
            }
            laws.push(law);
        }
        // Runs that are already sorted merge in linear time; rows of one time stand in order.
        if partition.populations.len() > 1 {
            rows.sort_by_key(|row| row.time);
        }
        Order {
            rows,
            chain_events,
            laws,
        }
    }
}
