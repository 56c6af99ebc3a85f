//! Words and numbers of what the subcommands print at their end.

use std::path::Path;

pub use crate::numbers::{counted, grouped, sized};
use crate::plan::{Format, Plan};
use crate::world::World;

/// What the events are, in three lines.
pub fn composition(plan: &Plan, world: &World) -> String {
    let c = &plan.composition;
    let line = |name: &str, events: u64, more: String| {
        let share = 100.0 * events as f64 / c.events as f64;
        format!("  {name} {:>16}  {share:5.1}%{more}", grouped(events))
    };
    let life = format!("  ({} process starts and ends)", grouped(c.life));
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

/// A command that looks into a corpus.
pub fn next_command(out: &Path, format: Format) -> String {
    let out = out.display();
    let source = match format {
        Format::Parquet => {
            format!("read_parquet('{out}/events/**/*.parquet', hive_partitioning = true)")
        }
        // Without types DuckDB would make one struct of all keys, and stumble over those
        // that differ only in case.
        Format::Ndjson => format!(
            "read_json('{out}/events/**/*.ndjson*', columns = {{fusionai: 'STRUCT(category VARCHAR)'}})"
        ),
        // DuckDB reads no Arrow files by itself.
        Format::Arrow => {
            return format!(
                "python3 -c \"import pyarrow.dataset as d; print(d.dataset('{out}/events', format='arrow', partitioning='hive').count_rows())\""
            );
        }
    };
    format!(
        "duckdb -c \"SELECT fusionai.category, count(*) FROM {source} GROUP BY ALL ORDER BY 2 DESC\""
    )
}
