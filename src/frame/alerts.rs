//! Standalone alerts: a sensor's detection, fused with the reporting host's own record of the event.

mod flow;
mod linux;
mod network;
mod requests;
mod tables;
mod windows;

use super::Frame;
use super::merge::Row;
use super::processes::EndSlot;
use super::recipe::Recipes;
use super::record::Records;
use super::scene::Scene;
use super::vocabulary::Vocabulary;
use crate::catalog::{HostClass, Platform, scenario::Verdict};
use crate::ids::RuleId;
use crate::plan::TimeLaw;
use crate::plan::visits::host_of_alert;
use crate::random::{DRAWS, Draws, Key, below};
use crate::world::World;
use crate::world::processes::{ALERT_STREAM, OTHER_STREAM};
use crate::world::starts::STARTING;
use linux::LinuxFlows;
use network::NetworkAlerts;
pub use tables::AlertTables;
use windows::WindowsFlows;

/// An alert that starts a process whose end is seen.
#[derive(Debug, Clone, Copy)]
struct Start {
    nth: u64,
    /// Its category, among those that have such alerts.
    number: u8,
}

/// What a standalone alert is of: detections are indices into the world's.
enum Chosen {
    /// A process start whose end is seen.
    Start(Start),
    /// An endpoint detection, and its heuristic.
    Endpoint(RuleId, usize),
    /// A network detection.
    Network(RuleId),
}

/// Fills standalone alerts, and ends of the processes that they start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Alerts<'m> {
    records: Records<'m>,
    recipes: &'m Recipes,
    world: &'m World,
    tables: &'m AlertTables,
    network: NetworkAlerts<'m>,
}

impl<'m> Alerts<'m> {
    pub fn new(
        records: Records<'m>,
        recipes: &'m Recipes,
        vocabulary: &'m Vocabulary,
        tables: &'m AlertTables,
    ) -> Self {
        let world = records.world;
        Alerts {
            records,
            recipes,
            world,
            tables,
            network: NetworkAlerts {
                world,
                tables,
                windows: WindowsFlows {
                    records,
                    vocabulary,
                },
                linux: LinuxFlows {
                    records,
                    vocabulary,
                    tables,
                },
            },
        }
    }

    /// Fills alerts of a category. The key `starts` decides which of the date's alerts
    /// start a process.
    pub fn fill<'r>(
        &self,
        frame: &mut Frame,
        key: Key,
        starts: Key,
        category: u32,
        mine: impl Iterator<Item = (usize, &'r Row)>,
    ) {
        let strata = &self.world.detections.starts[category as usize];
        let mut stream = key.rows();
        for (row, at) in mine {
            let words = stream.row(at.ordinal);
            let [_, record, ..] = words;
            match self.chosen(starts, category, at.ordinal, words) {
                None => return,
                Some(Chosen::Start(start)) => self.start(frame, row, category, start, at, words),
                Some(Chosen::Network(rule)) => {
                    frame.rule[row] = rule.into();
                    self.network.fill(frame, row, rule, words);
                }
                Some(Chosen::Endpoint(rule, heuristic)) => {
                    frame.rule[row] = rule.into();
                    frame.verdict[row] = Verdict::BenignTrigger;
                    let records = &self.tables.tuple(rule).records;
                    let fitting = &records[usize::from(strata.is_some())];
                    let nth = below(record, fitting.len().max(1) as u64) as usize;
                    let choice = fitting.get(nth).copied().unwrap_or(0);
                    self.endpoint(frame, row, (rule, (heuristic, choice)), None, at, words);
                }
            }
        }
    }

    /// Calls `each` with the index and the verdict of each of `mine`, alerts of a category.
    pub fn verdicts<'r>(
        &self,
        key: Key,
        starts: Key,
        category: u32,
        mine: impl Iterator<Item = (usize, &'r Row)>,
        mut each: impl FnMut(usize, Verdict),
    ) {
        let mut stream = key.rows();
        for (row, at) in mine {
            let words = stream.row(at.ordinal);
            let verdict = match self.chosen(starts, category, at.ordinal, words) {
                None => return,
                Some(Chosen::Network(rule)) => self.network.verdict(rule, words),
                Some(_) => Verdict::BenignTrigger,
            };
            each(row, verdict);
        }
    }

    /// What an alert of a category is of; none if the category has no detection.
    #[inline]
    fn chosen(
        &self,
        starts: Key,
        category: u32,
        ordinal: u64,
        [rule, ..]: [u64; DRAWS],
    ) -> Option<Chosen> {
        let of_category = &self.tables.categories[category as usize];
        if of_category.rules.is_empty() {
            return None;
        }
        if let Some(strata) = &self.world.detections.starts[category as usize]
            && let Some(nth) = strata.nth(starts, ordinal)
        {
            let number = strata.number;
            return Some(Chosen::Start(Start { nth, number }));
        }
        let rule = of_category.rules[of_category.alias.draw(rule)];
        Some(match self.world.detections[rule].endpoint {
            Some(heuristic) => Chosen::Endpoint(rule, heuristic),
            None => Chosen::Network(rule),
        })
    }

    /// Fills ends of processes that the alerts of a category start; `key` is that of the alerts.
    pub fn fill_exits<'r>(
        &self,
        frame: &mut Frame,
        key: Key,
        category: u32,
        law: &TimeLaw,
        mine: impl Iterator<Item = (usize, &'r Row)>,
    ) {
        let Some(exits) = law.exits() else { return };
        let mut stream = key.rows();
        for (row, at) in mine {
            let ordinal = law.start(at.ordinal);
            let alert = Row {
                time: law.start_time(ordinal),
                ordinal,
                ..*at
            };
            let words = stream.row(ordinal);
            let [.., event] = words;
            // The start is computed again; the fields that an end has are kept.
            frame.time[row] = alert.time;
            let start = Start {
                nth: exits.nth(at.ordinal),
                number: exits.starts.number,
            };
            self.start(frame, row, category, start, &alert, words);
            frame.time[row] = at.time;
            let draws: Draws<EndSlot> = Draws::new(Key::root(event).child("exit"));
            self.records.processes.end_instead(frame, row, draws);
            self.records.stamp(frame, row);
        }
    }

    /// An endpoint detection whose record is a process start.
    fn start(
        &self,
        frame: &mut Frame,
        row: usize,
        category: u32,
        start: Start,
        at: &Row,
        words: [u64; DRAWS],
    ) {
        let [way, ..] = words;
        let (ways, alias) = &self.tables.categories[category as usize].starts;
        let way = &ways[alias.draw(way)];
        frame.rule[row] = way.rule.into();
        frame.verdict[row] = Verdict::BenignTrigger;
        self.endpoint(frame, row, (way.rule, way.record), Some(start), at, words);
    }

    /// An endpoint detection: a record of the heuristic that the rule's keywords select.
    fn endpoint(
        &self,
        frame: &mut Frame,
        row: usize,
        (rule, (heuristic, choice)): (RuleId, (usize, usize)),
        start: Option<Start>,
        at: &Row,
        words: [u64; DRAWS],
    ) {
        let [_, _, _, _, peer, adversary, scene, event] = words;
        let record = &self.records.catalog.heuristics[heuristic].records[choice];
        let platform = record.telemetry.platform().unwrap_or(Platform::Windows);
        let host = host_of_alert(self.world, platform, at.time, words);
        let peer = (self.world).another(HostClass::WindowsServer, Key::root(peer), host);
        let adversaries = u64::from(self.world.adversaries.count());
        let scene = Scene {
            hosts: &[host, peer],
            user: self.world.hosts[host].user,
            admin: self.world.administrator(host, event),
            adversary: below(adversary, adversaries) as u32,
            key: Draws::new(Key::root(scene)),
            event: Draws::new(Key::root(event)),
            burst: Draws::new(Key::root(event)),
            round: 0,
            ordinal: start.map_or(at.ordinal, |start| {
                start.nth * STARTING as u64 + u64::from(start.number)
            }),
            stream: start.map_or(OTHER_STREAM, |_| ALERT_STREAM),
            whole: None,
            chain: None,
            cast: None,
        };
        let recipe = self.recipes.heuristics[heuristic][choice];
        self.records.emit(frame, row, record, recipe, &scene);
        let tuple = self.tables.tuple(rule);
        frame.blocked[row] = tuple.blocked;
        frame.success[row] &= !tuple.blocked;
    }
}
