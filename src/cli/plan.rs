//! `fusiongen plan`: what `generate` would write. Writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use clap::Args;

use super::generate::Generate;
use super::output;
use super::progress::Planning;
use super::settings::flagged;
use super::space;
use super::summary::{composition, counted, grouped, sized, small_files};
use crate::corpus::Corpus;
use crate::error::Result;
use crate::generator::Generator;
use crate::plan::Compression;
use crate::plan::Plan;
use crate::plan::files::{bytes_per_event, bytes_per_file};
use crate::world::World;

/// Bytes from which the cost of opening a file is negligible.
const LARGE: u64 = 32_000_000;
/// Number of events from which most bytes should be in large files.
const MANY_EVENTS: u64 = 100_000_000;
/// Upper bounds of the classes of the size distribution.
const CLASSES: [(u64, &str); 5] = [
    (1_000_000, "below 1 MB"),
    (8_000_000, "1 to 8 MB"),
    (LARGE, "8 to 32 MB"),
    (256_000_000, "32 to 256 MB"),
    (u64::MAX, "256 MB or more"),
];

/// Arguments of `plan`: those of `generate`.
#[derive(Debug, Args)]
pub struct PlanCommand {
    #[command(flatten)]
    generate: Generate,
}

#[derive(Debug, Default, Clone, Copy)]
struct Sum {
    partitions: u64,
    files: u64,
    events: u64,
    bytes: u64,
}

impl PlanCommand {
    pub fn run(&self) -> Result<()> {
        let settings = &self.generate.settings;
        let config = settings.config()?;
        let grounding = settings.grounding()?;
        let planning = Planning::new(config.events, self.generate.no_progress);
        let generator = Generator::new(config, grounding, settings.catalog()?).map_err(flagged)?;
        drop(planning);
        let plan = generator.plan();
        let sizes: Vec<u64> = plan
            .shards
            .iter()
            .map(|s| plan.config.estimated_bytes(s.rows))
            .collect();
        for notice in plan
            .notices
            .iter()
            .chain(&small_files(plan).or_else(|| warning(plan.config.events, &sizes)))
        {
            eprintln!("note: {notice}");
        }
        // Where it cannot be opened, `generate` says why.
        let out = &self.generate.out;
        let corpus = (out.as_os_str() != "-").then(|| Corpus::open(out).ok());
        let free = corpus.flatten().and_then(|corpus| space::said(&corpus));
        output::print(&text(plan, generator.world(), &sizes, free))
    }
}

/// A warning if a large corpus would consist mostly of small files.
fn warning(events: u64, sizes: &[u64]) -> Option<String> {
    let all: u64 = sizes.iter().sum();
    let large: u64 = sizes.iter().filter(|s| **s >= LARGE).sum();
    (events >= MANY_EVENTS && large * 10 < all * 8).then(|| {
        format!(
            "only {}% of the bytes are in files of 32 MB or more: fewer --days or more --events \
             give larger files, which engines read faster",
            large * 100 / all.max(1)
        )
    })
}

fn text(plan: &Plan, world: &World, sizes: &[u64], free: Option<String>) -> String {
    let mut out = String::new();
    let (format, compression) = (plan.config.format, plan.config.compression);
    let (per_event, per_file) = (bytes_per_event(format, compression), bytes_per_file(format));
    let compression = match compression {
        Compression::None => "uncompressed",
        compression => compression.name(),
    };
    let total: u64 = sizes.iter().sum();
    let mut line = |text: String| {
        let _ = writeln!(out, "{text}");
    };
    line(format!(
        "{}, {} to {}, seed {}, fingerprint {}",
        counted(plan.config.events, "event"),
        plan.config.start,
        plan.config.date(plan.config.days - 1),
        plan.config.seed,
        plan.fingerprint
    ));
    line(composition(plan, world));
    line(format!(
        "\n{}, {}, {}, about {}",
        counted(plan.partitions.len() as u64, "partition"),
        counted(sizes.len() as u64, "file"),
        counted(plan.row_groups.len() as u64, "row group"),
        sized(total)
    ));
    line(format!(
        "(estimate for {compression} {}: {per_event} bytes per event and {} kB per file)",
        format.name(),
        per_file / 1000
    ));
    if let Some(free) = free {
        line(free);
    }

    let mut categories: BTreeMap<&str, Sum> = BTreeMap::new();
    for partition in &plan.partitions {
        let name = &world.detections.categories[partition.category as usize];
        let sum = categories.entry(name).or_default();
        sum.partitions += 1;
        sum.events += partition.rows;
        sum.bytes += partition.rows * per_event;
    }
    for shard in &plan.shards {
        let groups = &plan.row_groups[shard.row_groups.clone()];
        let held: BTreeSet<u32> = (groups.iter())
            .flat_map(|group| &plan.partitions[group.partitions.clone()])
            .map(|partition| partition.category)
            .collect();
        for category in &held {
            let name = world.detections.categories[*category as usize].as_str();
            let sum = categories.entry(name).or_default();
            sum.files += 1;
            sum.bytes += per_file / held.len() as u64;
        }
    }
    let mut categories: Vec<_> = categories.into_iter().collect();
    categories.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.events));
    // Names are ASCII slugs of at most 64 characters.
    let wide = categories.iter().map(|(name, _)| name.len()).max();
    let wide = wide.unwrap_or(0).max(40);
    line(format!(
        "\n{:<wide$} {:>10} {:>8} {:>16} {:>11}",
        "category", "partitions", "files", "events", "size"
    ));
    for (name, sum) in categories {
        line(format!(
            "{name:<wide$} {:>10} {:>8} {:>16} {:>11}",
            grouped(sum.partitions),
            grouped(sum.files),
            grouped(sum.events),
            sized(sum.bytes)
        ));
    }

    line(format!(
        "\n{:<wide$} {:>10} {:>15}",
        "file size", "files", "share of bytes"
    ));
    let mut from = 0;
    for (until, name) in CLASSES {
        let of_class = || sizes.iter().filter(|s| (from..until).contains(*s));
        let share = 100.0 * of_class().sum::<u64>() as f64 / total.max(1) as f64;
        line(format!(
            "{name:<wide$} {:>10} {share:>14.1}%",
            grouped(of_class().count() as u64)
        ));
        from = until;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_large_corpora_of_small_files_get_a_warning() {
        assert!(warning(MANY_EVENTS, &[1_000_000; 100]).is_some());
        assert!(warning(MANY_EVENTS - 1, &[1_000_000; 100]).is_none());
        assert!(warning(MANY_EVENTS, &[LARGE, LARGE, LARGE, LARGE, 1_000_000]).is_none());
    }
}
