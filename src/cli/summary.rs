//! The summary that subcommands print at the end.

use std::path::Path;

use serde::Serialize;

pub use crate::numbers::{counted, grouped, sized};
use crate::plan::{Format, PartitionBy, Plan};
use crate::world::World;

/// Numbers of events by what they are, and of what they are about, for programs.
#[derive(Debug, Serialize)]
pub struct Composition {
    #[serde(flatten)]
    events: crate::plan::Composition,
    hosts: u64,
    days: u32,
}

impl Composition {
    pub fn new(plan: &Plan, world: &World) -> Self {
        Composition {
            events: plan.composition,
            hosts: world.hosts.len() as u64,
            days: plan.config.days,
        }
    }
}

/// Numbers of alerts, noise and chain events, in three lines.
pub fn composition(plan: &Plan, world: &World) -> String {
    let c = &plan.composition;
    let line = |name: &str, events: u64, more: String| {
        let share = 100.0 * events as f64 / c.events as f64;
        format!("  {name} {:>16}  {share:5.1}%{more}", grouped(events))
    };
    let life = format!("  ({} of ordinary life)", grouped(c.life));
    let chains = format!(
        "  ({}, {}, {})",
        counted(c.chains, "chain"),
        counted(world.hosts.len() as u64, "host"),
        counted(plan.config.days.into(), "day")
    );
    [
        line("alerts", c.alerts, String::new()),
        line("noise ", c.noise, life),
        line("chains", c.chain_events, chains),
    ]
    .join("\n")
}

/// A command that queries a corpus.
pub fn next_command(out: &Path, format: Format) -> String {
    format.query(&format!("{}/events", out.display()))
}

/// Below this size the time to open a file exceeds the time to read it.
const SMALL: u64 = 4 << 20;

/// Recommends fewer files if half of them are small.
pub fn small_files(plan: &Plan) -> Option<String> {
    let config = &plan.config;
    let sizes = plan
        .shards
        .iter()
        .map(|shard| config.estimated_bytes(shard.rows));
    let by_date = (config.events.div_ceil(config.shard_rows)).max(config.days.into());
    match config.partition_by {
        // Footers make small Parquet files costly.
        PartitionBy::DateCategory if config.format.is_parquet() => {
            fewer_files(sizes.collect(), by_date)
        }
        _ => None,
    }
}

/// Recommends `by_date` files instead of files of these sizes.
fn fewer_files(mut sizes: Vec<u64>, by_date: u64) -> Option<String> {
    sizes.sort_unstable();
    let median = *sizes.get(sizes.len() / 2)?;
    (median < SMALL && by_date < sizes.len() as u64).then(|| {
        format!(
            "half of the {} are below {}: engines open fewer, larger files faster, and \
             --partition-by date gives about {}",
            counted(sizes.len() as u64, "event file"),
            // Not "0.0 MiB".
            sized(median.max(1 << 17)),
            grouped(by_date),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_files_are_recommended_only_if_they_are_small_and_can_be_fewer() {
        let said = fewer_files(vec![SMALL, 1 << 20, 2 << 20, SMALL * 9, 3 << 20], 2);
        let said = said.unwrap();
        assert!(
            said.starts_with("half of the 5 event files are below 3.0 MiB"),
            "{said}"
        );
        assert!(
            said.ends_with("--partition-by date gives about 2"),
            "{said}"
        );
        assert_eq!(fewer_files(vec![SMALL, 1 << 20, SMALL], 1), None);
        assert_eq!(fewer_files(vec![1 << 20; 3], 3), None);
        assert_eq!(fewer_files(Vec::new(), 0), None);
    }
}
