//! `fusiongen sample`: a few events, at once, as pretty JSON.
//!
//! The events are the corpus's own: a plan that is not cut into files is quick at any
//! size, and of it only short spans are made.

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};

use super::near::unknown;
use super::output;
use super::settings::Settings;
use crate::catalog::{Platform, Telemetry};
use crate::columns::{Tables, View};
use crate::error::{Error, Result};
use crate::frame::{Frame, Maker};
use crate::plan::{Config, Partition, Plan, RowGroup};
use crate::random::Key;
use crate::schema::Schema;
use crate::sink::json;

/// Rows that are looked at in one place of a partition.
const SPAN: u64 = 512;
/// Places that are looked at, beside one for each event asked for.
const PLACES: usize = 600;

/// Where an event was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Family {
    Windows,
    Linux,
    Cloud,
    Saas,
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
    /// Only events of this platform
    #[arg(long, help_heading = "Choice")]
    platform: Option<Family>,
    /// Only attacks of this playbook, step by step
    #[arg(long, value_name = "PLAYBOOK", help_heading = "Choice")]
    playbook: Option<String>,
}

/// The index of a name that a flag gives.
fn index(flag: &str, name: Option<&String>, known: &[&str]) -> Result<Option<usize>> {
    let Some(name) = name else { return Ok(None) };
    match known.iter().position(|k| k == name) {
        Some(at) => Ok(Some(at)),
        None => Err(unknown(flag, name, known)),
    }
}

/// What is asked for, and what was found.
struct Search<'s> {
    maker: &'s Maker<'s>,
    tables: &'s Tables,
    schema: &'s Schema,
    platform: Option<Family>,
    wanted: usize,
    found: Vec<String>,
    /// Events found already: spans may overlap.
    seen: BTreeSet<(u32, u64)>,
}

impl Search<'_> {
    fn is_done(&self) -> bool {
        self.found.len() >= self.wanted
    }

    /// Takes at most `most` of the rows that fit, spread evenly.
    fn look(
        &mut self,
        partition: &Partition,
        group: &RowGroup,
        most: usize,
        fits: &dyn Fn(&Frame, usize) -> bool,
    ) -> Result<usize> {
        let mut frames = Vec::new();
        self.maker
            .frames(partition, group, |frame| frames.push(frame));
        let (mut taken, mut first) = (0, group.first);
        for frame in &frames {
            let rows: Vec<usize> = (0..frame.len)
                .filter(|&row| self.is_platform(frame, row) && fits(frame, row))
                .filter(|&row| !self.seen.contains(&(partition.index, first + row as u64)))
                .collect();
            let number = most
                .saturating_sub(taken)
                .min(self.wanted - self.found.len());
            if number > 0 && !rows.is_empty() {
                let batch = self
                    .schema
                    .batch(&View::new(frame, self.maker, self.tables))
                    .map_err(|e| {
                        Error::setting("sample", e.to_string(), "report this: it is a defect")
                    })?;
                let step = (rows.len() / number).max(1);
                for &row in rows.iter().skip(step / 2).step_by(step).take(number) {
                    let event = serde_json::to_string_pretty(&json::row(&batch, row));
                    self.found.push(event.unwrap_or_default());
                    self.seen.insert((partition.index, first + row as u64));
                    taken += 1;
                }
            }
            first += frame.len as u64;
        }
        Ok(taken)
    }

    fn is_platform(&self, frame: &Frame, row: usize) -> bool {
        let of_row = match frame.telemetry[row] {
            Telemetry::CloudAudit => Family::Cloud,
            Telemetry::SaasAudit => Family::Saas,
            _ => match self.maker.world.hosts[frame.host[row] as u32].platform {
                Platform::Windows => Family::Windows,
                Platform::Linux => Family::Linux,
            },
        };
        self.platform.is_none_or(|wanted| wanted == of_row)
    }

    /// Events of any kind: one place of each partition, then another of each.
    fn anywhere(&mut self, partitions: &[&Partition], order: Key) -> Result<()> {
        if partitions.is_empty() {
            return Ok(());
        }
        let share = self.wanted.div_ceil(partitions.len());
        let mut open: Vec<&Partition> = partitions.to_vec();
        let places = PLACES + self.wanted;
        let (mut place, mut round) = (0, 0);
        while !open.is_empty() && !self.is_done() && place < places {
            let mut next = Vec::new();
            for partition in &open {
                let last = partition.rows.saturating_sub(SPAN) + 1;
                let first = order.with(u64::from(partition.index)).below(round, last);
                let group = partition.around(self.maker.plan, first, SPAN);
                let taken = self.look(partition, &group, share, &|_, _| true)?;
                // A partition of one span is known when it yields less than its share.
                if partition.rows > SPAN || taken == share {
                    next.push(*partition);
                }
                place += 1;
                if self.is_done() || place >= places {
                    break;
                }
            }
            open = next;
            round += 1;
        }
        Ok(())
    }

    /// Events of a playbook: its attacks in a keyed order, each step by step.
    fn playbook(&mut self, playbook: usize, category: Option<u32>, order: Key) -> Result<()> {
        let (plan, world) = (self.maker.plan, self.maker.world);
        let mut chains: Vec<u32> = (0..plan.chains.all.len() as u32)
            .filter(|&c| plan.chains.all[c as usize].playbook as usize == playbook)
            .collect();
        chains.sort_by_key(|&c| order.at(u64::from(c)));
        chains.truncate(PLACES + self.wanted);
        let steps = &self.maker.catalog.playbooks[playbook].steps;
        let most = |c: &u32| {
            plan.chains.all[*c as usize]
                .steps
                .iter()
                .map(|s| s.events)
                .max()
        };
        let rounds = chains.iter().filter_map(most).max().unwrap_or(0);
        let mut places = PLACES + 2 * self.wanted;
        // The first event of each step, then the second, and so on.
        for index in 0..rounds {
            for &chain in &chains {
                for (s, step) in plan.chains.all[chain as usize].steps.iter().enumerate() {
                    let of_step = world.detections.category(steps[s].category);
                    if index >= step.events || category.is_some_and(|c| c != of_step) {
                        continue;
                    }
                    if self.is_done() || places == 0 {
                        return Ok(());
                    }
                    places -= 1;
                    let time = plan.chains.time(chain, s as u8, index);
                    let date = plan.calendar.date_of(time);
                    let at = plan
                        .partitions
                        .binary_search_by_key(&(date, of_step), |p| (p.date, p.category));
                    let Ok(at) = at else { continue };
                    let partition = &plan.partitions[at];
                    let group = partition.span(plan, time, time + 1);
                    let fits = |frame: &Frame, row: usize| {
                        usize::try_from(frame.chain[row]).is_ok_and(|c| c == chain as usize)
                    };
                    self.look(partition, &group, 1, &fits)?;
                }
            }
        }
        Ok(())
    }
}

impl Sample {
    pub fn run(&self) -> Result<()> {
        // Cuts change no row, and a plan without them is made at once.
        let config = Config {
            row_group_rows: u64::MAX,
            shard_rows: u64::MAX,
            ..self.settings.config()?
        };
        let grounding = self.settings.grounding()?;
        let catalog = self.settings.catalog()?;
        let playbooks: Vec<&str> = catalog.playbooks.iter().map(|p| p.name.as_str()).collect();
        let playbook = index("--playbook", self.playbook.as_ref(), &playbooks)?;
        let (plan, world) = Plan::new(config, &grounding, &catalog);
        let categories: Vec<&str> = world
            .detections
            .categories
            .iter()
            .map(String::as_str)
            .collect();
        let category =
            index("--category", self.category.as_ref(), &categories)?.map(|at| at as u32);
        let maker = Maker::new(&plan, &world, &catalog, &grounding.profile);
        let (schema, tables) = (Schema::of(&plan.config), Tables::new(&maker));
        let mut search = Search {
            maker: &maker,
            tables: &tables,
            schema: &schema,
            platform: self.platform,
            wanted: self.number,
            found: Vec::new(),
            seen: BTreeSet::new(),
        };
        let order = Key::root(plan.config.seed).child("sample");
        match playbook {
            Some(playbook) => search.playbook(playbook, category, order)?,
            None => {
                // In a keyed order, so that a sample shows different things.
                let mut partitions: Vec<&Partition> = plan
                    .partitions
                    .iter()
                    .filter(|p| category.is_none_or(|c| p.category == c))
                    .collect();
                partitions.sort_by_key(|p| order.at(u64::from(p.index)));
                search.anywhere(&partitions, order)?;
            }
        }
        let mut text = search.found.join("\n");
        if text.is_empty() && self.number > 0 {
            return Err(Error::setting(
                "sample",
                "no event of this corpus was found that fits",
                "take --category, --platform or --playbook off, or give more --events",
            ));
        }
        text.push('\n');
        output::print(&text)
    }
}
