//! Makes a few events quickly: only short spans of the corpus are generated.

use std::collections::BTreeSet;
use std::path::Path;

use arrow_array::RecordBatch;
use serde_json::{Map, Value};

use super::Generator;
use crate::catalog::{Platform, Telemetry};
use crate::columns::{Tables, View};
use crate::error::{Result, encoding_failed};
use crate::frame::{Frame, Maker, Order};
use crate::ids::HostId;
use crate::near::index_of;
use crate::plan::{Partition, RowGroup};
use crate::random::Key;
use crate::schema::Schema;
use crate::sink::json;

/// Microseconds.
const SECOND: i64 = 1_000_000;
/// Number of rows in one span of a partition.
const SPAN: u64 = 512;
/// Number of spans, in addition to one per requested event.
const PLACES: usize = 600;

/// The platform that recorded an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    Windows,
    Linux,
    Cloud,
    Saas,
}

/// Selects the events of a sample.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sampling {
    /// Maximum number of events.
    pub number: usize,
    /// Only this category.
    pub category: Option<String>,
    /// Only events from this platform.
    pub system: Option<System>,
    /// Only attacks with this playbook, step by step.
    pub playbook: Option<String>,
    /// Only attacks, step by step.
    pub attacks: bool,
    /// All events of a host, in the order of its logs, instead of a varied choice.
    pub page: Option<Page>,
}

/// A page of a host's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The host's name, in any case.
    pub host: String,
    /// How long the page is. It begins at ten o'clock by local time, on the first working day if there is
    /// one.
    pub minutes: u32,
}

/// The events of a sample, as documents.
pub(super) fn sample(generator: &Generator, what: &Sampling) -> Result<Vec<Map<String, Value>>> {
    let (plan, world) = (generator.plan(), generator.world());
    let index = |what: &str, name: &Option<String>, known: &[&str]| {
        let index = |name: &String| index_of(what, name, known);
        name.as_ref().map(index).transpose()
    };
    let playbooks: Vec<&str> = (generator.catalog().playbooks.iter())
        .map(|p| p.name.as_str())
        .collect();
    let playbook = index("playbook", &what.playbook, &playbooks)?;
    let categories: Vec<&str> = (world.detections.categories.iter())
        .map(String::as_str)
        .collect();
    let category = index("category", &what.category, &categories)?.map(|at| at as u32);
    let mut search = Search {
        maker: generator.maker(),
        tables: generator.tables(),
        schema: &generator.schema,
        system: what.system,
        wanted: what.number,
        found: Vec::new(),
        seen: BTreeSet::new(),
    };
    let order = Key::root(plan.config.seed).child("sample");
    if let Some(page) = &what.page {
        search.page(page, category)?;
        return Ok(search.found);
    }
    match what.attacks || playbook.is_some() {
        true => search.attacks(playbook, category, order)?,
        false => {
            // In a keyed order, so that a sample is varied.
            let mut partitions: Vec<&Partition> = (plan.partitions.iter())
                .filter(|p| category.is_none_or(|c| p.category == c))
                .collect();
            partitions.sort_by_key(|p| order.at(u64::from(p.index)));
            search.anywhere(&partitions, order)?;
        }
    }
    Ok(search.found)
}

/// The request, and the events found so far.
struct Search<'s> {
    maker: &'s Maker,
    tables: &'s Tables,
    schema: &'s Schema,
    system: Option<System>,
    wanted: usize,
    found: Vec<Map<String, Value>>,
    /// `event.sequence` of the events found, because spans may overlap.
    seen: BTreeSet<i64>,
}

impl Search<'_> {
    fn is_done(&self) -> bool {
        self.found.len() >= self.wanted
    }

    /// Takes at most `most` of the matching rows, evenly spread.
    fn look(
        &mut self,
        group: &RowGroup,
        most: usize,
        fits: &dyn Fn(&Frame, usize) -> bool,
    ) -> Result<usize> {
        let mut frames = Vec::new();
        self.maker.frames(group, |frame| frames.push(frame));
        let mut taken = 0;
        for frame in &frames {
            let rows: Vec<usize> = (0..frame.len)
                .filter(|&row| self.is_recorded_there(frame, row) && fits(frame, row))
                .filter(|&row| !self.seen.contains(&frame.sequence[row]))
                .collect();
            let number = most
                .saturating_sub(taken)
                .min(self.wanted - self.found.len());
            if number > 0 && !rows.is_empty() {
                let batch = self.batch(frame)?;
                let step = (rows.len() / number).max(1);
                for &row in rows.iter().skip(step / 2).step_by(step).take(number) {
                    self.found.push(json::row(&batch, row));
                    self.seen.insert(frame.sequence[row]);
                    taken += 1;
                }
            }
        }
        Ok(taken)
    }

    fn is_recorded_there(&self, frame: &Frame, row: usize) -> bool {
        let of_row = match frame.telemetry[row] {
            Telemetry::CloudAudit => System::Cloud,
            Telemetry::SaasAudit => System::Saas,
            _ => match self.maker.world.hosts[frame.host[row]].platform {
                Platform::Windows => System::Windows,
                Platform::Linux => System::Linux,
            },
        };
        self.system.is_none_or(|wanted| wanted == of_row)
    }

    /// Finds the events of a host in a part of a day.
    fn page(&mut self, page: &Page, category: Option<u32>) -> Result<()> {
        let (plan, world) = (self.maker.plan.clone(), self.maker.world.clone());
        let host = (world.hosts.all.iter())
            .position(|h| h.inventory.name.eq_ignore_ascii_case(&page.host));
        let Some(host) = host.map(HostId::new) else {
            let names: Vec<&str> = (world.hosts.all.iter())
                .map(|h| h.inventory.name.as_str())
                .collect();
            return index_of("host", &page.host, &names).map(|_| ());
        };
        let dates = 0..plan.calendar.days() as u32;
        let midnight = |date: u32| plan.calendar.midnight(date);
        let is_workday = |date: &u32| world.local(midnight(*date) / SECOND + 43_200).1 < 5;
        let date = dates.clone().find(is_workday).unwrap_or(0);
        let morning = (10 * 3600 - world.time_zone_offset).rem_euclid(86_400) * SECOND;
        let from = midnight(date) + morning;
        let to = (from + i64::from(page.minutes) * 60 * SECOND).min(midnight(date + 1));
        let order = Order::between(&plan, plan.partitions_of(date), from, to);
        for number in 0..order.frames() {
            let frame = self.maker.frame(&order, number);
            let rows: Vec<usize> = (0..frame.len)
                .filter(|&row| frame.host[row] == host)
                .filter(|&row| category.is_none_or(|c| c == frame.category[row]))
                .filter(|&row| self.is_recorded_there(&frame, row))
                .collect();
            if rows.is_empty() {
                continue;
            }
            let batch = self.batch(&frame)?;
            for row in rows.into_iter().take(self.wanted - self.found.len()) {
                self.found.push(json::row(&batch, row));
            }
        }
        Ok(())
    }

    fn batch(&self, frame: &Frame) -> Result<RecordBatch> {
        self.schema
            .batch(&View::new(frame, self.maker, self.tables))
            .map_err(|e| encoding_failed(Path::new("sample"), e.into()))
    }

    /// Finds events of any kind: one span of each partition, then another of each.
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
                let group = self.maker.plan.around(partition, first, SPAN);
                let taken = self.look(&group, share, &|_, _| true)?;
                // A partition with a single span is exhausted if it yields less than its share.
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

    /// Finds events of attacks, or of those with a playbook, in a keyed order, each step by step.
    fn attacks(
        &mut self,
        playbook: Option<usize>,
        category: Option<u32>,
        order: Key,
    ) -> Result<()> {
        let (plan, world) = (&*self.maker.plan, &*self.maker.world);
        let mut chains: Vec<u32> = (0..plan.chains.all.len() as u32)
            .filter(|&c| {
                let of_chain = usize::from(plan.chains.all[c as usize].playbook);
                playbook.is_none_or(|wanted| wanted == of_chain)
            })
            .collect();
        chains.sort_by_key(|&c| order.at(u64::from(c)));
        chains.truncate(PLACES + self.wanted);
        let playbooks = &self.maker.catalog.playbooks;
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
                let chain_of = &plan.chains.all[chain as usize];
                let steps = &playbooks[usize::from(chain_of.playbook)].steps;
                for (s, step) in chain_of.steps.iter().enumerate() {
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
                    let group = plan.span(partition, time, time + 1);
                    let fits = |frame: &Frame, row: usize| {
                        usize::try_from(frame.chain[row]).is_ok_and(|c| c == chain as usize)
                    };
                    self.look(&group, 1, &fits)?;
                }
            }
        }
        Ok(())
    }
}
