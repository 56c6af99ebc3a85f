//! Attack chains: who, where, when, and how many events.
//!
//! A chain's playbook, hosts, stops and delays depend on (seed, i) alone. The quota
//! is met by volume, as in reality: the rounds of scans, brute force, beacons and
//! exfiltration are heavy-tailed keyed counts, multiplied by one factor that is computed here.
//! Every event of a chain is a function of (chain, step, index).

mod births;
mod place;

use std::collections::{BTreeMap, HashSet};

use super::Config;
use super::calendar::DAY_US;
use crate::catalog::Catalog;
use crate::ids::{AccountId, HostId};
use crate::random::{Alias, Draws, Key, below, slots};
use crate::world::World;
use place::{Draft, place};

/// Maximum duration of a playbook, in microseconds.
const LONGEST: i64 = 3 * DAY_US;
/// Maximum number of rounds of a step.
const MOST_ROUNDS: u64 = 2_000_000;
/// Volume factor that adds one mean round, fixed point.
const UNIT_FACTOR: u64 = 1 << 16;

/// One step of one chain, placed in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacedStep {
    /// Unix microseconds.
    pub start: i64,
    /// Microseconds over which its rounds are spread.
    pub span: i64,
    pub rounds: u32,
    /// Records per round.
    pub records: u32,
    /// Index of the first record of the chain's alternative among the step's records.
    pub first_record: u32,
    /// Bit i: record i of a round belongs to the same audit event as the record before it.
    pub companions: u64,
    /// Bit i: a person pauses to think and type before record i; steps with one round only.
    pub pauses: u64,
    /// Maximum length of such a pause, in microseconds.
    pub pause: i64,
    /// Number of events of all earlier steps.
    pub first: u32,
    /// Number of events of this step; less than rounds × records only if the chain is cut short.
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
    /// Values of `attack.stop_reason`, in the order of the variants.
    pub const WORDS: &'static [&'static str] = &["completed", "blocked", "quota_met"];

    /// `attack.stop_reason`.
    pub fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// One run of a playbook.
///
/// 1. Steps are sorted by time, and so are events.
/// 2. `hosts` are distinct, and at least as many as the playbook uses.
#[derive(Debug, Clone)]
pub struct Chain {
    pub playbook: u16,
    pub user: AccountId,
    pub admin: AccountId,
    pub adversary: u32,
    pub hosts: Vec<HostId>,
    /// Number of earlier chains on each host: keeps the processes of chains distinct.
    pub host_ordinals: Vec<u32>,
    /// When the chain first acts on each host, Unix microseconds.
    pub arrivals: Vec<i64>,
    /// The slot of its sessions on each host, which no other chain uses.
    pub session_slots: Vec<i64>,
    /// The alternative of each of the playbook's steps.
    pub alternatives: Vec<u8>,
    pub steps: Vec<PlacedStep>,
    pub stop: Stop,
}

/// All chains, sorted by start.
#[derive(Debug)]
pub struct Chains {
    pub key: Key,
    pub all: Vec<Chain>,
    /// (chain, step) by corpus category, in order of the chains.
    by_category: Vec<Vec<(u32, u8)>>,
    /// By playbook and process: the step that starts the process, and the index of the starting
    /// record within a round of each alternative.
    starts: Vec<Vec<(u8, Vec<u8>)>>,
}

slots! {
    /// Draws of one chain.
    pub enum ChainSlot {
        Playbook = 0,
        /// By step: whether it is blocked.
        Blocked = 1,
        /// By step.
        Rounds = 2,
        Start = 3,
        /// By place in the playbook's list of hosts.
        Host = 4,
        User = 5,
        Admin = 6,
        Adversary = 7,
        /// By step: the time before it, and its pace.
        Delay = 8,
        Pace = 9,
        /// By step.
        Alternative = 10,
        Hardness = 11,
        /// By step: how long somebody thinks before a command.
        Pause = 12,
        Id = 0x1d,
        /// The draws of its scene.
        Scene = 0x7e87,
        /// By event: what belongs to a process that it starts.
        Process = 0x9c0c,
        /// By event: its own draws.
        Event = 0xe7e1,
        /// A family, by step: times of its events.
        Step = 0x57e9_0000,
    }
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
    /// Time of event `index`. Rounds are evenly spread; each starts, with jitter, in the first half
    /// of its share of the span, and its records follow in the second half.
    #[inline]
    pub fn time(&self, key: Key, index: u32) -> i64 {
        let (round, mut record) = (
            u64::from(index / self.records),
            u64::from(index % self.records),
        );
        while record > 0 && self.companions >> record.min(63) & 1 == 1 {
            record -= 1;
        }
        let (spread, half) = self.spread();
        let bits = key.at(round);
        let jitter = below(bits, half);
        let slot = half / u64::from(self.records);
        let apart = slot / 4;
        let within = record * slot
            + apart
            + below(
                bits.rotate_left(20) ^ record.wrapping_mul(0x9e37_79b9_7f4a_7c15),
                (slot - apart).max(1),
            );
        self.start
            + (i128::from(round) * i128::from(spread) / i128::from(self.rounds)) as i64
            + (jitter + within) as i64
            + self.typed(bits, record)
    }

    /// Minimum microseconds between two records of a round.
    pub fn apart(&self) -> i64 {
        (self.spread().1 / u64::from(self.records) / 4) as i64
    }

    /// The part of the span without pauses, and half of a round's share of it.
    #[inline]
    fn spread(&self) -> (i64, u64) {
        let spread = self.span - self.pause * i64::from(self.pauses.count_ones());
        let share = (spread / i64::from(self.rounds)).max(4);
        (spread, share as u64 / 2)
    }

    /// Total length of the pauses before a record. Each pause is between a third of the maximum and the maximum.
    fn typed(&self, bits: u64, record: u64) -> i64 {
        let passed = (self.pauses & u64::MAX >> (63 - record.min(63))).count_ones();
        (0..passed)
            .map(|nth| {
                let drawn = bits.rotate_left(7 * nth + 11) & 0xffff;
                let least = self.pause / 3;
                least + (((self.pause - least) as u64 * drawn) >> 16) as i64
            })
            .sum()
    }

    /// Index, among the step's records, of the record of event `index`.
    #[inline]
    pub fn record(&self, index: u32) -> usize {
        (self.first_record + index % self.records) as usize
    }

    /// Number of events before `time`.
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
    /// Number of events of the chain.
    pub fn events(&self) -> u64 {
        self.steps.iter().map(|s| u64::from(s.events)).sum()
    }
}

impl Chains {
    pub(super) fn new(
        key: Key,
        config: &Config,
        world: &World,
        catalog: &Catalog,
        weights: &[u64],
        quota: u64,
    ) -> Self {
        // Without a playbook that may run there are no chains.
        let is_empty = weights.iter().all(|weight| *weight == 0);
        let weights = Alias::new(weights);
        let most = (u128::from(config.chain_density.millionths())
            * world.hosts.len() as u128
            * u128::from(config.days)
            / 1_000_000) as u64;
        let mut drafts = Vec::new();
        let mut least = 0;
        // As many chains as the density allows and the quota has events for.
        while !is_empty && (drafts.len() as u64) < most && least < quota {
            let chain_key = Draws::new(key.with(drafts.len() as u64));
            let draft = Draft::new(chain_key, catalog, &weights);
            least += draft.events(chain_key, catalog, 0);
            drafts.push(draft);
        }
        let total = |factor: u64| -> u64 {
            drafts
                .iter()
                .enumerate()
                .map(|(i, d)| d.events(Draws::new(key.with(i as u64)), catalog, factor))
                .sum()
        };
        // The smallest factor that meets the quota; volume is monotone in the factor.
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
        let mut taken = HashSet::new();
        let count = drafts.len() as u64;
        let mut all: Vec<Chain> = drafts
            .iter()
            .enumerate()
            .map(|(i, draft)| {
                place(
                    Draws::new(key.with(i as u64)),
                    i as u64,
                    count,
                    draft,
                    low,
                    config,
                    world,
                    catalog,
                    &mut touched,
                    &mut taken,
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

    /// Number of events of all chains.
    pub fn events(&self) -> u64 {
        self.all.iter().map(Chain::events).sum()
    }

    /// `attack.id`: `atk-` and twelve hexadecimal digits of the chain's key.
    pub fn id(&self, chain: u32) -> String {
        format!(
            "atk-{:012x}",
            self.chain_key(chain).bits(ChainSlot::Id) >> 16
        )
    }

    /// Key of one chain: everything drawn once per chain.
    #[inline]
    pub fn chain_key(&self, chain: u32) -> Draws<ChainSlot> {
        Draws::new(self.key.with(u64::from(chain)))
    }

    #[inline]
    fn step_key(&self, chain: u32, step: u8) -> Key {
        self.chain_key(chain).nth(ChainSlot::Step, step)
    }

    /// Time of an event.
    #[inline]
    pub fn time(&self, chain: u32, step: u8, index: u32) -> i64 {
        self.all[chain as usize].steps[step as usize].time(self.step_key(chain, step), index)
    }

    /// The step that starts process `process` of a chain, and the index of the record within a round.
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

    /// Rows of every step, by day.
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

    /// Events of a chain's step before a time.
    pub(super) fn before(&self, chain: u32, step: u8, time: i64) -> u32 {
        self.all[chain as usize].steps[step as usize].before(self.step_key(chain, step), time)
    }

    /// Number of events of a category in `from..to`.
    pub fn count(&self, category: u32, from: i64, to: i64) -> u64 {
        self.spans(category, from, to)
            .map(|(_, _, range)| u64::from(range.end - range.start))
            .sum()
    }

    /// Events of a category in `from..to`, sorted by (time, chain, step, index).
    pub fn events_in(&self, category: u32, from: i64, to: i64) -> Vec<ChainEvent> {
        let mut events = Vec::new();
        for (chain, step, range) in self.spans(category, from, to) {
            events.extend(range.map(|index| ChainEvent {
                time: self.time(chain, step, index),
                chain,
                step,
                index,
            }));
        }
        // The events of a step are already sorted; a stable sort handles such runs fast.
        events.sort();
        events
    }

    /// Chains with events of a category in `from..to`, once for each of their steps there.
    pub fn chains_in(&self, category: u32, from: i64, to: i64) -> impl Iterator<Item = u32> + '_ {
        self.spans(category, from, to).map(|(chain, _, _)| chain)
    }

    pub(super) fn spans(
        &self,
        category: u32,
        from: i64,
        to: i64,
    ) -> impl Iterator<Item = (u32, u8, std::ops::Range<u32>)> + '_ {
        let list = &self.by_category[category as usize];
        // Chains are sorted by start and last at most LONGEST.
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

/// Removes up to `excess` events from a chain's end; returns the number still to be removed.
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn events_of_a_step_rise_within_its_span(
            seed: u64,
            records in 1u32..40,
            rounds in 1u32..50,
            round in 1_000i64..60_000_000,
            pauses: u64,
            pause in 1i64..30_000_000,
        ) {
            // There is no pause if there is more than one round, nor before the first record.
            let pauses = if rounds == 1 { pauses & ((1 << records) - 2) } else { 0 };
            let thought = pause * i64::from(pauses.count_ones());
            let step = PlacedStep {
                start: 1_000,
                span: round * i64::from(rounds) + thought,
                rounds,
                records,
                first_record: 0,
                companions: 0,
                pauses,
                pause,
                first: 0,
                events: records * rounds,
                blocked: false,
            };
            let key = Key::root(seed);
            let times: Vec<i64> = (0..step.events).map(|index| step.time(key, index)).collect();
            prop_assert!(times.is_sorted());
            prop_assert!(times[0] >= step.start && times[times.len() - 1] <= step.start + step.span);
            for (index, pair) in times.windows(2).enumerate() {
                let record = (index as u32 + 1) % records;
                if record > 0 {
                    prop_assert!(pair[1] - pair[0] >= step.apart());
                    if pauses >> record & 1 == 1 {
                        prop_assert!(pair[1] - pair[0] >= pause / 3);
                    }
                }
                prop_assert!(step.before(key, pair[1]) <= index as u32 + 1);
            }
        }
    }
}
