//! Attack chains: who, where, when, and how many events.
//!
//! A chain's playbook, hosts, stops and delays depend on (seed, i) alone. The quota
//! is met by volume, as in reality: the rounds of scans, brute force, beacons and
//! exfiltration are keyed heavy-tailed counts times one factor found here.
//! Every event of a chain is a function of (chain, step, index).

use std::collections::BTreeMap;

use super::Config;
use super::calendar::DAY_US;
use crate::catalog::{Catalog, HostClass, Playbook, Step};
use crate::random::{Alias, Key, below, heavy_tail, log_uniform};
use crate::world::World;

/// A playbook lasts at most this long, in microseconds.
const LONGEST: i64 = 3 * DAY_US;
/// No step has more rounds than this.
const MOST_ROUNDS: u64 = 2_000_000;
/// Volume factor that adds one mean round, fixed point.
const UNIT_FACTOR: u64 = 1 << 16;

/// One step of one chain, placed in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacedStep {
    /// Unix microseconds.
    pub start: i64,
    /// Microseconds that its rounds spread over.
    pub span: i64,
    pub rounds: u32,
    /// Records of a round.
    pub records: u32,
    /// Where the chain's alternative begins in the step's records.
    pub first_record: u32,
    /// Bit i: record i of a round tells of the same audit event as the one before.
    pub companions: u64,
    /// Events of all steps before.
    pub first: u32,
    /// Events of this step; less than rounds × records only where the chain is cut.
    pub events: u32,
    pub blocked: bool,
}

/// Why a chain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    Completed,
    /// A step was blocked.
    Blocked,
    /// The corpus's quota of chain events was met.
    QuotaMet,
}

impl Stop {
    /// The words of `attack.stop_reason` in the order of the variants, between bars.
    pub const WORDS: &'static str = "completed|blocked|quota_met";

    /// `attack.stop_reason`.
    pub fn word(self) -> &'static str {
        Self::WORDS.split('|').nth(self as usize).unwrap_or("")
    }
}

/// One run of a playbook.
///
/// 1. Its steps follow each other in time; so do its events.
/// 2. `hosts` are distinct, and at least as many as the playbook moves through.
#[derive(Debug, Clone)]
pub struct Chain {
    pub playbook: u16,
    pub user: u32,
    pub admin: u32,
    pub adversary: u32,
    pub hosts: Vec<u32>,
    /// How many earlier chains touched each host: keeps their processes apart.
    pub host_ordinals: Vec<u32>,
    /// When the chain first acts on each host, Unix microseconds.
    pub arrivals: Vec<i64>,
    /// The alternative of each of the playbook's steps.
    pub alternatives: Vec<u8>,
    pub steps: Vec<PlacedStep>,
    pub stop: Stop,
}

/// All chains, in order of start.
#[derive(Debug)]
pub struct Chains {
    pub key: Key,
    pub all: Vec<Chain>,
    /// (chain, step) by corpus category, in order of the chains.
    by_category: Vec<Vec<(u32, u8)>>,
    /// For each playbook and process: the step that starts it, and by which record of a
    /// round in each of its alternatives.
    starts: Vec<Vec<(u8, Vec<u8>)>>,
}

/// One event of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChainEvent {
    pub time: i64,
    pub chain: u32,
    pub step: u8,
    /// Round × records + record.
    pub index: u32,
}

/// Rows of one step on one day.
struct StepDay {
    chain: u32,
    date: u32,
    category: u32,
    rows: u64,
}

impl PlacedStep {
    /// Time of event `index`: rounds are spread evenly with jitter in the first half of
    /// their share, the records of a round follow each other in the second.
    #[inline]
    pub fn time(&self, key: Key, index: u32) -> i64 {
        let (round, mut record) = (
            u64::from(index / self.records),
            u64::from(index % self.records),
        );
        while record > 0 && self.companions >> record.min(63) & 1 == 1 {
            record -= 1;
        }
        let share = (self.span / i64::from(self.rounds)).max(4) as u64;
        let bits = key.at(round);
        let jitter = below(bits, share / 2);
        let slot = share / 2 / u64::from(self.records);
        let within = record * slot
            + below(
                bits.rotate_left(20) ^ record.wrapping_mul(0x9e37_79b9_7f4a_7c15),
                slot.max(1),
            );
        self.start
            + (i128::from(round) * i128::from(self.span) / i128::from(self.rounds)) as i64
            + (jitter + within) as i64
    }

    /// Where the record of event `index` stands in the step's records.
    #[inline]
    pub fn record(&self, index: u32) -> usize {
        (self.first_record + index % self.records) as usize
    }

    /// How many events stand before `time`.
    fn before(&self, key: Key, time: i64) -> u32 {
        if self.events == 0 || time <= self.start {
            return 0;
        }
        if time > self.start + self.span {
            return self.events;
        }
        let (mut low, mut high) = (0, self.events);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.time(key, middle) < time {
                low = middle + 1
            } else {
                high = middle
            }
        }
        low
    }
}

impl Chain {
    /// Events of the whole chain.
    pub fn events(&self) -> u64 {
        self.steps.iter().map(|s| u64::from(s.events)).sum()
    }
}

/// What (seed, i) says about a chain before its volume is known.
struct Draft {
    playbook: usize,
    /// The alternative of each step.
    alternatives: Vec<usize>,
    /// Steps that run; the rest are never reached.
    steps: usize,
    blocked: Vec<bool>,
    stop: Stop,
}

impl Draft {
    fn new(key: Key, catalog: &Catalog, weights: &Alias) -> Self {
        let playbook = weights.draw(key.at(0));
        let steps = &catalog.playbooks[playbook].steps;
        let mut blocked = Vec::with_capacity(steps.len());
        let alternatives: Vec<usize> = steps
            .iter()
            .enumerate()
            .map(|(s, step)| alternative(step, key.with(10).at(s as u64)))
            .collect();
        let reaches = |(step, &chosen): (&Step, &usize)| {
            let records = step.alternatives[chosen].records.clone();
            step.records[records].iter().any(|record| record.on > 0)
        };
        // The first step on another host; none where the playbook has one host.
        let moved = match catalog.playbooks[playbook].hosts.len() {
            1 => 0,
            _ => (steps.iter().zip(&alternatives))
                .position(reaches)
                .unwrap_or(steps.len()),
        };
        for (s, step) in steps.iter().enumerate() {
            let draw = below(key.with(1).at(s as u64), 2000);
            // Half of the blocked steps end the chain; one that moves gets over it until it has.
            blocked.push(draw < 2 * u64::from(step.blocked));
            if draw < u64::from(step.blocked) && s >= moved {
                return Draft {
                    playbook,
                    alternatives,
                    steps: s + 1,
                    blocked,
                    stop: Stop::Blocked,
                };
            }
        }
        Draft {
            playbook,
            alternatives,
            steps: steps.len(),
            blocked,
            stop: Stop::Completed,
        }
    }

    fn rounds(&self, key: Key, playbook: &Playbook, step: usize, factor: u64) -> u32 {
        let s = &playbook.steps[step];
        let bits = key.with(2).at(step as u64);
        let (low, high) = (u64::from(s.rounds[0]), u64::from(s.rounds[1]));
        let rounds = if s.scales {
            // heavy_tail has mean 1024, UNIT_FACTOR is 2¹⁶.
            low + ((u128::from(heavy_tail(bits)) * u128::from(factor)) >> 26) as u64
        } else {
            log_uniform(bits, low, high)
        };
        rounds.clamp(1, MOST_ROUNDS) as u32
    }

    fn events(&self, key: Key, catalog: &Catalog, factor: u64) -> u64 {
        let playbook = &catalog.playbooks[self.playbook];
        (0..self.steps)
            .map(|s| {
                u64::from(self.rounds(key, playbook, s, factor))
                    * playbook.steps[s].alternatives[self.alternatives[s]]
                        .records
                        .len() as u64
            })
            .sum()
    }
}

impl Chains {
    pub(super) fn new(
        key: Key,
        config: &Config,
        world: &World,
        catalog: &Catalog,
        quota: u64,
    ) -> Self {
        let weights = Alias::new(
            &catalog
                .playbooks
                .iter()
                .map(|p| u64::from(p.weight))
                .collect::<Vec<_>>(),
        );
        let most =
            (u128::from(config.density()) * world.hosts.len() as u128 * u128::from(config.days)
                / 1_000_000) as u64;
        let mut drafts = Vec::new();
        let mut least = 0;
        // As many chains as the density allows and the quota feeds.
        while !catalog.playbooks.is_empty() && (drafts.len() as u64) < most && least < quota {
            let chain_key = key.with(drafts.len() as u64);
            let draft = Draft::new(chain_key, catalog, &weights);
            least += draft.events(chain_key, catalog, 0);
            drafts.push(draft);
        }
        let total = |factor: u64| -> u64 {
            drafts
                .iter()
                .enumerate()
                .map(|(i, d)| d.events(key.with(i as u64), catalog, factor))
                .sum()
        };
        // The least factor that meets the quota; volume is monotone in it.
        let (mut low, mut high) = (0u64, UNIT_FACTOR);
        while !drafts.is_empty() && total(high) < quota && high < 1 << 44 {
            high *= 4;
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if total(middle) >= quota {
                high = middle
            } else {
                low = middle + 1
            }
        }
        let mut touched = vec![0u32; world.hosts.len()];
        let count = drafts.len() as u64;
        let mut all: Vec<Chain> = drafts
            .iter()
            .enumerate()
            .map(|(i, draft)| {
                place(
                    key.with(i as u64),
                    i as u64,
                    count,
                    draft,
                    low,
                    config,
                    world,
                    catalog,
                    &mut touched,
                )
            })
            .collect();
        let mut excess = all
            .iter()
            .map(Chain::events)
            .sum::<u64>()
            .saturating_sub(quota);
        for chain in all.iter_mut().rev() {
            if excess == 0 {
                break;
            }
            excess = cut(chain, excess);
        }
        all.retain(|c| c.events() > 0);
        let mut by_category = vec![Vec::new(); world.detections.categories.len()];
        for (c, chain) in all.iter().enumerate() {
            for (s, step) in chain.steps.iter().enumerate() {
                if step.events > 0 {
                    let category = catalog.playbooks[chain.playbook as usize].steps[s].category;
                    by_category[world.detections.category(category) as usize]
                        .push((c as u32, s as u8));
                }
            }
        }
        let starts = catalog
            .playbooks
            .iter()
            .map(|p| {
                let mut starts = vec![(0, Vec::new()); p.processes];
                for (s, step) in p.steps.iter().enumerate() {
                    for (a, alternative) in step.alternatives.iter().enumerate() {
                        for (r, record) in
                            step.records[alternative.records.clone()].iter().enumerate()
                        {
                            if let Some(process) = record.starts {
                                let (at, positions) = &mut starts[process];
                                *at = s as u8;
                                positions.resize(step.alternatives.len(), 0);
                                positions[a] = r as u8;
                            }
                        }
                    }
                }
                starts
            })
            .collect();
        Chains {
            key,
            all,
            by_category,
            starts,
        }
    }

    /// Events of all chains.
    pub fn events(&self) -> u64 {
        self.all.iter().map(Chain::events).sum()
    }

    /// `attack.id`: `atk-` and twelve hexadecimal digits of the chain's key.
    pub fn id(&self, chain: u32) -> String {
        format!("atk-{:012x}", self.chain_key(chain).at(0x1d) >> 16)
    }

    /// Key of one chain: everything drawn once per chain.
    #[inline]
    pub fn chain_key(&self, chain: u32) -> Key {
        self.key.with(u64::from(chain))
    }

    #[inline]
    fn step_key(&self, chain: u32, step: u8) -> Key {
        self.chain_key(chain).with(0x57e9_0000 | u64::from(step))
    }

    /// Time of an event.
    #[inline]
    pub fn time(&self, chain: u32, step: u8, index: u32) -> i64 {
        self.all[chain as usize].steps[step as usize].time(self.step_key(chain, step), index)
    }

    /// The step that starts a chain's process `process`, and the record of a round that does.
    pub fn start_of(&self, chain: &Chain, process: usize) -> (u8, u8) {
        let (step, positions) = &self.starts[chain.playbook as usize][process];
        (
            *step,
            positions[chain.alternatives[*step as usize] as usize],
        )
    }

    /// Rows per (date, category).
    pub fn counts(&self, world: &World, catalog: &Catalog) -> BTreeMap<(u32, u32), u64> {
        let mut counts = BTreeMap::new();
        for days in self.days(world, catalog) {
            *counts.entry((days.date, days.category)).or_insert(0) += days.rows;
        }
        counts
    }

    /// Rows per (date of the chain's start, date of the event).
    pub fn counts_by_start(&self, world: &World, catalog: &Catalog) -> BTreeMap<(u32, u32), u64> {
        let mut counts = BTreeMap::new();
        for days in self.days(world, catalog) {
            let start = self.start_date(days.chain, world);
            *counts.entry((start, days.date)).or_insert(0) += days.rows;
        }
        counts
    }

    /// Day of the window on which a chain starts.
    pub fn start_date(&self, chain: u32, world: &World) -> u32 {
        (self.start(chain) - world.start * 1_000_000).div_euclid(DAY_US) as u32
    }

    /// Time of a chain's first event, Unix microseconds.
    pub fn start(&self, chain: u32) -> i64 {
        self.time(chain, 0, 0)
    }

    /// Time of a chain's last event, Unix microseconds.
    pub fn end(&self, chain: u32) -> i64 {
        let steps = &self.all[chain as usize].steps;
        let last = steps.iter().rposition(|s| s.events > 0).unwrap_or(0);
        self.time(chain, last as u8, steps[last].events.saturating_sub(1))
    }

    /// Every step's rows, day by day.
    fn days<'c>(
        &'c self,
        world: &'c World,
        catalog: &'c Catalog,
    ) -> impl Iterator<Item = StepDay> + 'c {
        let midnight = world.start * 1_000_000;
        let date = move |time: i64| (time - midnight).div_euclid(DAY_US);
        let steps = self.all.iter().enumerate().flat_map(|(c, chain)| {
            let steps = chain.steps.iter().enumerate();
            steps.map(move |(s, step)| (c as u32, chain, s, step))
        });
        steps
            .filter(|(_, _, _, step)| step.events > 0)
            .flat_map(move |(c, chain, s, step)| {
                let category = catalog.playbooks[chain.playbook as usize].steps[s].category;
                let category = world.detections.category(category);
                let key = self.step_key(c, s as u8);
                let first = date(step.time(key, 0));
                let last = date(step.time(key, step.events - 1));
                let mut done = 0;
                (first..=last).filter_map(move |day| {
                    let until = step.before(key, midnight + (day + 1) * DAY_US);
                    let rows = u64::from(until - done.min(until));
                    done = done.max(until);
                    (rows > 0).then_some(StepDay {
                        chain: c,
                        date: day as u32,
                        category,
                        rows,
                    })
                })
            })
    }

    /// How many of a category's events stand in `from..to`.
    pub fn count(&self, category: u32, from: i64, to: i64) -> u64 {
        self.spans(category, from, to)
            .map(|(_, _, range)| u64::from(range.end - range.start))
            .sum()
    }

    /// Events of a category in `from..to`, in order of (time, chain, step, index).
    pub fn events_in(&self, category: u32, from: i64, to: i64) -> Vec<ChainEvent> {
        let mut events = Vec::new();
        for (chain, step, range) in self.spans(category, from, to) {
            for index in range {
                events.push(ChainEvent {
                    time: self.time(chain, step, index),
                    chain,
                    step,
                    index,
                });
            }
        }
        events.sort_unstable();
        events
    }

    /// Chains with events of a category in `from..to`, each as often as it has steps there.
    pub fn chains_in(&self, category: u32, from: i64, to: i64) -> impl Iterator<Item = u32> + '_ {
        self.spans(category, from, to).map(|(chain, _, _)| chain)
    }

    fn spans(
        &self,
        category: u32,
        from: i64,
        to: i64,
    ) -> impl Iterator<Item = (u32, u8, std::ops::Range<u32>)> + '_ {
        let list = &self.by_category[category as usize];
        // Chains are ordered by start and last at most LONGEST.
        let first = list.partition_point(|&(c, _)| {
            self.all[c as usize].steps[0].start + LONGEST + DAY_US < from
        });
        list[first..]
            .iter()
            .take_while(move |&&(c, _)| self.all[c as usize].steps[0].start < to)
            .filter_map(move |&(c, s)| {
                let step = &self.all[c as usize].steps[s as usize];
                if step.start >= to || step.start + step.span < from {
                    return None;
                }
                let key = self.step_key(c, s);
                let range = step.before(key, from)..step.before(key, to);
                (!range.is_empty()).then_some((c, s, range))
            })
    }
}

/// Takes `excess` events off a chain's tail; returns what is left of the excess.
fn cut(chain: &mut Chain, mut excess: u64) -> u64 {
    for step in chain.steps.iter_mut().rev() {
        let off = excess.min(u64::from(step.events)) as u32;
        step.events -= off;
        excess -= u64::from(off);
        chain.stop = Stop::QuotaMet;
        if excess == 0 {
            break;
        }
    }
    excess
}

/// A weighted choice among a step's alternatives.
fn alternative(step: &Step, bits: u64) -> usize {
    let sum: u64 = step.alternatives.iter().map(|a| u64::from(a.weight)).sum();
    let mut draw = below(bits, sum.max(1));
    for (i, alternative) in step.alternatives.iter().enumerate() {
        let weight = u64::from(alternative.weight);
        if draw < weight {
            return i;
        }
        draw -= weight;
    }
    0
}

#[expect(
    clippy::too_many_arguments,
    reason = "one caller, and each is a different thing"
)]
fn place(
    key: Key,
    index: u64,
    count: u64,
    draft: &Draft,
    factor: u64,
    config: &Config,
    world: &World,
    catalog: &Catalog,
    touched: &mut [u32],
) -> Chain {
    let playbook = &catalog.playbooks[draft.playbook];
    let window = i64::from(config.days) * DAY_US;
    let window_start = world.start * 1_000_000;
    // Starts are spread over the window but for its last sixteenth, in order of i.
    let reach = window - window / 16;
    let position = (u128::from(index) << 32 | u128::from(key.at(3) >> 32)) * reach as u128;
    let start = window_start + ((position / u128::from(count.max(1))) >> 32) as i64;

    // Hosts first: a chain on a workstation is its user's.
    let mut hosts: Vec<u32> = Vec::new();
    for (k, &class) in playbook.hosts.iter().enumerate() {
        hosts.push(pick_host(
            key.with(4).with(k as u64),
            world,
            class,
            start,
            &hosts,
        ));
    }
    let host_ordinals = hosts
        .iter()
        .map(|&h| {
            touched[h as usize] += 1;
            touched[h as usize] - 1
        })
        .collect();
    let victim = world.hosts[hosts[0]].user;
    let users = world.accounts.users();
    let user = if users.contains(&victim) {
        victim
    } else {
        users.start + key.below(5, u64::from(world.accounts.user_count().max(1))) as u32
    };
    let admins = world.accounts.admins();
    let admin = admins.start + key.below(6, u64::from(admins.end - admins.start).max(1)) as u32;
    let adversary = key.below(7, u64::from(world.adversaries.count())) as u32;

    // Delays and spans as drawn, in microseconds from the start.
    let mut cursor = 0i64;
    let mut first = 0u32;
    let mut steps: Vec<PlacedStep> = Vec::with_capacity(draft.steps);
    for s in 0..draft.steps {
        let step = &playbook.steps[s];
        let rounds = draft.rounds(key, playbook, s, factor);
        let alternative = &step.alternatives[draft.alternatives[s]];
        let records = alternative.records.len() as u32;
        if s > 0 {
            let (low, high) = (u64::from(step.delay[0]), u64::from(step.delay[1]));
            cursor +=
                log_uniform(key.with(8).at(s as u64), low * 1_000_000, high * 1_000_000) as i64;
        }
        let pace = i64::from(step.round_seconds.max(1)) * 1_000_000;
        // 0.6 to 1.6 of the usual pace; long series are run faster rather than for ever.
        let pace = pace * (600 + key.with(9).below(s as u64, 1000) as i64) / 1000;
        let span = (pace.saturating_mul(i64::from(rounds)))
            .min(LONGEST / 3)
            .max(4 * i64::from(records * rounds));
        let events = rounds * records;
        steps.push(PlacedStep {
            start: cursor,
            span,
            rounds,
            records,
            first_record: alternative.records.start as u32,
            companions: alternative.companions,
            first,
            events,
            blocked: draft.blocked[s],
        });
        cursor += span;
        first += events;
    }
    // Shrink to what is left of the window.
    let most = (window_start + window - start).min(LONGEST) - 1_000_000;
    for step in &mut steps {
        if cursor > most {
            step.start = (i128::from(step.start) * i128::from(most) / i128::from(cursor)) as i64;
            step.span = (i128::from(step.span) * i128::from(most) / i128::from(cursor)) as i64;
        }
        step.start += start;
    }
    let mut chain = Chain {
        playbook: draft.playbook as u16,
        user,
        admin,
        adversary,
        hosts,
        host_ordinals,
        arrivals: Vec::new(),
        alternatives: draft.alternatives.iter().map(|&a| a as u8).collect(),
        steps,
        stop: draft.stop,
    };
    chain.arrivals = (0..chain.hosts.len())
        .map(|k| {
            chain
                .steps
                .iter()
                .enumerate()
                .find(|(s, _)| playbook.steps[*s].records.iter().any(|r| r.on == k))
                .map_or(start, |(_, placed)| placed.start)
        })
        .collect();
    chain
}

/// A host of a class that the chain isn't on yet; workstations whose user is at work.
fn pick_host(key: Key, world: &World, class: HostClass, time: i64, taken: &[u32]) -> u32 {
    let list = world.class(class);
    let mut host = 0;
    for attempt in 0..64 {
        host = if class == HostClass::Workstation && attempt < 8 {
            world
                .wheel(time / 1_000_000)
                .active_workstation(key.at(attempt))
        } else {
            list[key.below(attempt, list.len() as u64) as usize]
        };
        if !taken.contains(&host) {
            return host;
        }
    }
    list.iter()
        .copied()
        .find(|h| !taken.contains(h))
        .unwrap_or(host)
}
