//! `fusiongen sample`: a few events, at once, as pretty JSON.

use std::io::Write;

use clap::{Args, ValueEnum};

use super::settings::Settings;
use crate::catalog::Platform;
use crate::columns::{Tables, View};
use crate::error::{Error, Result};
use crate::frame::{Frame, Maker};
use crate::plan::{Partition, Plan};
use crate::random::Key;
use crate::schema::Schema;
use crate::sink::json;

/// Operating system family of an event.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Family {
    Windows,
    Linux,
}

/// Arguments of `sample`.
#[derive(Debug, Args)]
pub struct Sample {
    #[command(flatten)]
    settings: Settings,
    /// Events to print
    #[arg(
        short = 'n',
        default_value_t = 3,
        value_name = "N",
        help_heading = "Choice"
    )]
    number: usize,
    /// Only this category
    #[arg(long, value_name = "CATEGORY", help_heading = "Choice")]
    category: Option<String>,
    /// Only hosts of this platform
    #[arg(long, help_heading = "Choice")]
    platform: Option<Family>,
    /// Only chains of this playbook
    #[arg(long, value_name = "PLAYBOOK", help_heading = "Choice")]
    playbook: Option<String>,
}

impl Sample {
    pub fn run(&self) -> Result<()> {
        let config = self.settings.config()?;
        let grounding = self.settings.grounding()?;
        let catalog = self.settings.catalog()?;
        let (plan, world) = Plan::new(config, &grounding, &catalog);
        let maker = Maker::new(&plan, &world, &catalog, &grounding.profile);
        let category = match &self.category {
            None => None,
            Some(name) => match world.detections.categories.iter().position(|c| c == name) {
                Some(at) => Some(at as u32),
                None => return Err(unknown("--category", name, &world.detections.categories)),
            },
        };
        let names: Vec<String> = catalog.playbooks.iter().map(|p| p.name.clone()).collect();
        let playbook = match &self.playbook {
            None => None,
            Some(name) => match names.iter().position(|p| p == name) {
                Some(at) => Some(at),
                None => return Err(unknown("--playbook", name, &names)),
            },
        };
        let fits = |frame: &Frame, row: usize| {
            let platform = world.hosts[frame.host[row] as u32].platform;
            let of_platform = match self.platform {
                None => true,
                Some(Family::Windows) => platform == Platform::Windows,
                Some(Family::Linux) => platform == Platform::Linux,
            };
            let of_playbook = match (playbook, usize::try_from(frame.chain[row])) {
                (None, _) => true,
                (Some(wanted), Ok(chain)) => plan.chains.all[chain].playbook as usize == wanted,
                (Some(_), Err(_)) => false,
            };
            of_platform && of_playbook
        };
        // Partitions in a keyed order, so that a sample shows different things.
        let mut partitions: Vec<&Partition> = plan
            .partitions
            .iter()
            .filter(|p| category.is_none_or(|c| p.category == c))
            .collect();
        let order = Key::root(plan.config.seed).child("sample");
        partitions.sort_by_key(|p| order.at(u64::from(p.index)));
        let (schema, tables) = (Schema::of(&plan.config), Tables::new(&maker));
        let per_partition = self.number.div_ceil(partitions.len().max(1)).max(1);
        let mut left = self.number;
        let mut output = std::io::stdout().lock();
        'partitions: for partition in partitions {
            let mut here = per_partition;
            for group in partition.shards.iter().flat_map(|s| &s.row_groups) {
                let mut frames = Vec::new();
                maker.frames(partition, group, |frame| frames.push(frame));
                for frame in &frames {
                    let rows: Vec<usize> = (0..frame.len).filter(|&r| fits(frame, r)).collect();
                    if rows.is_empty() {
                        continue;
                    }
                    let batch = schema
                        .batch(&View::new(frame, &maker, &tables))
                        .map_err(|e| {
                            Error::setting("sample", e.to_string(), "report this: it is a defect")
                        })?;
                    if here == 0 || left == 0 {
                        continue 'partitions;
                    }
                    let step = (rows.len() / here.min(left)).max(1);
                    for &row in rows.iter().skip(step / 2).step_by(step) {
                        if left == 0 {
                            break 'partitions;
                        }
                        if here == 0 {
                            continue 'partitions;
                        }
                        let text = serde_json::to_string_pretty(&json::row(&batch, row))
                            .unwrap_or_default();
                        match writeln!(output, "{text}") {
                            // Whoever reads has seen enough.
                            Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
                            Err(e) => return Err(Error::io("stdout".as_ref(), "write", e)),
                            Ok(()) => {}
                        }
                        left -= 1;
                        here -= 1;
                    }
                }
            }
        }
        if left == self.number {
            return Err(Error::setting(
                "sample",
                "no event of this corpus fits",
                "take --category, --platform or --playbook off, or more --events",
            ));
        }
        Ok(())
    }
}

fn unknown(flag: &str, name: &str, known: &[String]) -> Error {
    Error::setting(
        flag,
        format!("'{name}' is not known"),
        format!("give one of {}", known.join(", ")),
    )
}
