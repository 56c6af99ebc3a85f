//! `fusiongen plan`: what `generate` would write. Writes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use chrono::NaiveDate;
use clap::Args;
use serde::Serialize;

use super::generate::{Generate, generator};
use super::layers::Names;
use super::output;
use super::space;
use super::summary::{Composition, composition, counted, grouped, sized, small_files};
use crate::corpus::{Corpus, to_json};
use crate::error::Result;
use crate::plan::files::{bytes_per_event, bytes_per_file};
use crate::plan::{Compression, Config, Plan};
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

/// Help of `--json`, which differs from that of `generate`.
const JSON: &str = "Print the plan as JSON";

/// Arguments of `plan`: those of `generate`.
#[derive(Debug, Args)]
#[command(mut_arg("json", |arg| arg.help(JSON)))]
pub struct PlanCommand {
    #[command(flatten)]
    generate: Generate,
}

/// What a category has.
#[derive(Debug, Default, Clone, Copy, Serialize)]
struct Sum {
    partitions: u64,
    files: u64,
    events: u64,
    /// Estimated.
    bytes: u64,
}

/// A category with its sums.
#[derive(Debug, Serialize)]
struct NamedSum<'p> {
    name: &'p str,
    #[serde(flatten)]
    sum: Sum,
}

/// Files of a class of size.
#[derive(Debug, Serialize)]
struct SizeClass {
    #[serde(skip)]
    name: &'static str,
    /// Bytes of the smallest file of the class.
    from: u64,
    /// Bytes that its files are below; `None` for no limit.
    below: Option<u64>,
    files: u64,
    bytes: u64,
}

/// The plan as it is printed.
#[derive(Debug, Serialize)]
struct Outline<'p> {
    fingerprint: &'p str,
    events: u64,
    start: NaiveDate,
    /// Its last day.
    end: NaiveDate,
    seed: u64,
    composition: Composition,
    partitions: u64,
    files: u64,
    row_groups: u64,
    /// Estimated, as all bytes here.
    bytes: u64,
    bytes_per_event: u64,
    bytes_per_file: u64,
    /// Free bytes at the corpus's place, if the operating system says so.
    free_bytes: Option<u64>,
    categories: Vec<NamedSum<'p>>,
    file_sizes: Vec<SizeClass>,
    notes: Vec<String>,
    /// The settings, as in `plan.json`.
    config: &'p Config,
}

impl PlanCommand {
    pub fn run(&self, names: &Names) -> Result<()> {
        let Generate {
            settings,
            no_progress,
            voice,
            ..
        } = &self.generate;
        let config = settings.config(*voice)?;
        settings.tell(&config, names, *voice);
        let generator = generator(settings, config, *no_progress, *voice)?;
        // Where it cannot be opened, `generate` says why.
        let out = &self.generate.out;
        let corpus = (out.as_os_str() != "-").then(|| Corpus::open(out).ok());
        let free = corpus.flatten().and_then(|corpus| space::free(&corpus));
        let outline = Outline::new(generator.plan(), generator.world(), free);
        outline.notes.iter().for_each(|note| voice.note(note));
        output::print(&match self.generate.json {
            true => String::from_utf8_lossy(&to_json(&outline)).into_owned(),
            false => {
                let composition = composition(generator.plan(), generator.world());
                outline.text(&composition, out)
            }
        })
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

/// The sums of each category, most events first.
fn categories<'p>(plan: &Plan, world: &'p World) -> Vec<NamedSum<'p>> {
    let (format, compression) = (plan.config.format, plan.config.compression);
    let (per_event, per_file) = (bytes_per_event(format, compression), bytes_per_file(format));
    let named = |category: u32| world.detections.categories[category as usize].as_str();
    let mut categories: BTreeMap<&str, Sum> = BTreeMap::new();
    for partition in &plan.partitions {
        let sum = categories.entry(named(partition.category)).or_default();
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
            let sum = categories.entry(named(*category)).or_default();
            sum.files += 1;
            sum.bytes += per_file / held.len() as u64;
        }
    }
    let mut categories: Vec<NamedSum<'p>> = (categories.into_iter())
        .map(|(name, sum)| NamedSum { name, sum })
        .collect();
    categories.sort_by_key(|category| std::cmp::Reverse(category.sum.events));
    categories
}

/// How many files there are of each class of size.
fn file_sizes(sizes: &[u64]) -> Vec<SizeClass> {
    let mut from = 0;
    let classes = CLASSES.map(|(until, name)| {
        let of_class = || sizes.iter().filter(|size| (from..until).contains(*size));
        let class = SizeClass {
            name,
            from,
            below: Some(until).filter(|until| *until < u64::MAX),
            files: of_class().count() as u64,
            bytes: of_class().sum(),
        };
        from = until;
        class
    });
    classes.into()
}

impl<'p> Outline<'p> {
    fn new(plan: &'p Plan, world: &'p World, free_bytes: Option<u64>) -> Self {
        let config = &plan.config;
        let shards = plan.shards.iter();
        let sizes: Vec<u64> = shards.map(|s| config.estimated_bytes(s.rows)).collect();
        let about_sizes = small_files(plan).or_else(|| warning(config.events, &sizes));
        Outline {
            fingerprint: &plan.fingerprint,
            events: config.events,
            start: config.start,
            end: config.date(config.days - 1),
            seed: config.seed,
            composition: Composition::new(plan, world),
            partitions: plan.partitions.len() as u64,
            files: sizes.len() as u64,
            row_groups: plan.row_groups.len() as u64,
            bytes: sizes.iter().sum(),
            bytes_per_event: bytes_per_event(config.format, config.compression),
            bytes_per_file: bytes_per_file(config.format),
            free_bytes,
            categories: categories(plan, world),
            file_sizes: file_sizes(&sizes),
            notes: plan.notices.iter().cloned().chain(about_sizes).collect(),
            config,
        }
    }

    /// The plan for people.
    fn text(&self, composition: &str, place: &Path) -> String {
        let mut out = String::new();
        let compression = match self.config.compression {
            Compression::None => "uncompressed",
            compression => compression.name(),
        };
        let mut line = |text: String| {
            let _ = writeln!(out, "{text}");
        };
        line(format!(
            "{}, {} to {}, seed {}, fingerprint {}",
            counted(self.events, "event"),
            self.start,
            self.end,
            self.seed,
            self.fingerprint
        ));
        line(composition.into());
        line(format!(
            "\n{}, {}, {}, about {}",
            counted(self.partitions, "partition"),
            counted(self.files, "file"),
            counted(self.row_groups, "row group"),
            sized(self.bytes)
        ));
        line(format!(
            "(estimate for {compression} {}: {} bytes per event and {} kB per file)",
            self.config.format.name(),
            self.bytes_per_event,
            self.bytes_per_file / 1000
        ));
        if let Some(free) = self.free_bytes {
            line(format!("{} are free at {}", sized(free), place.display()));
        }
        // Names are ASCII slugs of at most 64 characters.
        let wide = self.categories.iter().map(|it| it.name.len()).max();
        let wide = wide.unwrap_or(0).max(40);
        line(format!(
            "\n{:<wide$} {:>10} {:>8} {:>16} {:>11}",
            "category", "partitions", "files", "events", "size"
        ));
        for NamedSum { name, sum } in &self.categories {
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
        for class in &self.file_sizes {
            let share = 100.0 * class.bytes as f64 / self.bytes.max(1) as f64;
            line(format!(
                "{:<wide$} {:>10} {share:>14.1}%",
                class.name,
                grouped(class.files)
            ));
        }
        out
    }
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
