//! Steps, hosts and times of a chain, before and after its volume is known.

use std::collections::HashSet;

use super::{Chain, ChainSlot, LONGEST, MOST_ROUNDS, PlacedStep, Stop};
use crate::catalog::{Catalog, HostClass, Playbook, Step};
use crate::ids::HostId;
use crate::plan::Config;
use crate::plan::calendar::DAY_US;
use crate::random::{Alias, Draws, Key, below, heavy_tail, log_uniform};
use crate::world::World;

/// Strength of the defences that a chain meets, per mille of a step's usual chance to be blocked.
/// Most environments block little and few block much; one draw applies to all steps of a chain,
/// because an environment that blocks one step tends to block the next too.
const HARDNESS: [u64; 5] = [100, 300, 600, 1000, 1500];

/// Range of the maximum pause before a typed command, in microseconds.
const TYPED: (u64, u64) = (4_000_000, 30_000_000);

/// The part of a chain that follows from (seed, i), before its volume is known.
pub(super) struct Draft {
    playbook: usize,
    /// The alternative of each step.
    alternatives: Vec<usize>,
    /// Number of steps that run; later ones are never reached.
    steps: usize,
    blocked: Vec<bool>,
    stop: Stop,
}

impl Draft {
    pub(super) fn new(key: Draws<ChainSlot>, catalog: &Catalog, weights: &Alias) -> Self {
        let playbook = weights.draw(key.bits(ChainSlot::Playbook));
        let steps = &catalog.playbooks[playbook].steps;
        let mut blocked = Vec::with_capacity(steps.len());
        let alternatives: Vec<usize> = steps
            .iter()
            .enumerate()
            .map(|(s, step)| alternative(step, key.part(ChainSlot::Alternative).at(s as u64)))
            .collect();
        let reaches = |(step, &chosen): (&Step, &usize)| {
            let records = step.alternatives[chosen].records.clone();
            step.records[records].iter().any(|record| record.on > 0)
        };
        // The first step on another host; 0 if the playbook has one host.
        let moved = match catalog.playbooks[playbook].hosts.len() {
            1 => 0,
            _ => (steps.iter().zip(&alternatives))
                .position(reaches)
                .unwrap_or(steps.len()),
        };
        let hardness = HARDNESS[key.below(ChainSlot::Hardness, HARDNESS.len() as u64) as usize];
        for (s, step) in steps.iter().enumerate() {
            let draw = below(key.part(ChainSlot::Blocked).at(s as u64), 2000);
            // Half of the blocked steps end the chain, but not before a chain that moves has moved.
            let least = u64::from(step.blocked) * hardness / 1000;
            blocked.push(draw < 2 * least);
            if draw < least && s >= moved {
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

    fn rounds(&self, key: Draws<ChainSlot>, playbook: &Playbook, step: usize, factor: u64) -> u32 {
        let s = &playbook.steps[step];
        let bits = key.part(ChainSlot::Rounds).at(step as u64);
        let (low, high) = (u64::from(s.rounds[0]), u64::from(s.rounds[1]));
        let rounds = if s.scales {
            // heavy_tail has mean 1024, UNIT_FACTOR is 2¹⁶.
            low + ((u128::from(heavy_tail(bits)) * u128::from(factor)) >> 26) as u64
        } else {
            log_uniform(bits, low, high)
        };
        rounds.clamp(1, MOST_ROUNDS) as u32
    }

    pub(super) fn events(&self, key: Draws<ChainSlot>, catalog: &Catalog, factor: u64) -> u64 {
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
    reason = "one caller, and every argument is of a different kind"
)]
pub(super) fn place(
    key: Draws<ChainSlot>,
    index: u64,
    count: u64,
    draft: &Draft,
    factor: u64,
    config: &Config,
    world: &World,
    catalog: &Catalog,
    touched: &mut [u32],
    taken: &mut HashSet<(HostId, u16, i64)>,
) -> Chain {
    let playbook = &catalog.playbooks[draft.playbook];
    let window = i64::from(config.days) * DAY_US;
    let window_start = world.start * 1_000_000;
    // Starts are spread over the window except its last sixteenth, in order of i.
    let reach = window - window / 16;
    let position =
        (u128::from(index) << 32 | u128::from(key.bits(ChainSlot::Start) >> 32)) * reach as u128;
    let start = window_start + ((position / u128::from(count.max(1))) >> 32) as i64;

    // Draw hosts first: a chain on a workstation runs as its user.
    let mut hosts: Vec<HostId> = Vec::new();
    for (k, &class) in playbook.hosts.iter().enumerate() {
        hosts.push(pick_host(
            key.part(ChainSlot::Host).with(k as u64),
            world,
            class,
            start,
            &hosts,
        ));
    }
    let host_ordinals = hosts
        .iter()
        .map(|&h| {
            touched[h.index()] += 1;
            touched[h.index()] - 1
        })
        .collect();
    let victim = world.hosts[hosts[0]].user;
    let users = world.accounts.users();
    let user = if users.contains(victim) {
        victim
    } else {
        users.nth(key.below(ChainSlot::User, (users.len() as u64).max(1)))
    };
    let admins = world.accounts.admins();
    let admin = admins.nth(key.below(ChainSlot::Admin, (admins.len() as u64).max(1)));
    let adversary = key.below(ChainSlot::Adversary, u64::from(world.adversaries.count())) as u32;

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
            cursor += log_uniform(
                key.part(ChainSlot::Delay).at(s as u64),
                low * 1_000_000,
                high * 1_000_000,
            ) as i64;
        }
        let pace = i64::from(step.round_seconds.max(1)) * 1_000_000;
        // 0.6 to 1.6 times the usual pace; long series run faster, so that they end.
        let pace = pace * (600 + key.part(ChainSlot::Pace).below(s as u64, 1000) as i64) / 1000;
        let span = (pace.saturating_mul(i64::from(rounds)))
            .min(LONGEST / 3)
            .max(4 * i64::from(records * rounds));
        let (low, high) = TYPED;
        let pause = match alternative.pauses {
            0 => 0,
            _ => log_uniform(key.part(ChainSlot::Pause).at(s as u64), low, high) as i64,
        };
        let span = span + pause * i64::from(alternative.pauses.count_ones());
        let events = rounds * records;
        steps.push(PlacedStep {
            start: cursor,
            span,
            rounds,
            records,
            first_record: alternative.records.start as u32,
            companions: alternative.companions,
            pauses: alternative.pauses,
            pause,
            first,
            events,
            blocked: draft.blocked[s],
        });
        cursor += span;
        first += events;
    }
    // Shrink to the rest of the window.
    let most = (window_start + window - start).min(LONGEST) - 1_000_000;
    for step in &mut steps {
        if cursor > most {
            step.start = (i128::from(step.start) * i128::from(most) / i128::from(cursor)) as i64;
            step.span = (i128::from(step.span) * i128::from(most) / i128::from(cursor)) as i64;
            step.pause = (i128::from(step.pause) * i128::from(most) / i128::from(cursor)) as i64;
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
        session_slots: Vec::new(),
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
    let arrivals = chain.hosts.iter().zip(&chain.arrivals);
    chain.session_slots = arrivals
        .map(|(&host, arrival)| {
            let seconds = arrival.div_euclid(1_000_000);
            let boot = world.boot(host, seconds);
            let mut slot = world.session_slot(host, boot, seconds);
            while !taken.insert((host, boot.number, slot)) {
                slot += 1;
            }
            slot
        })
        .collect();
    chain
}

/// A host of a class that the chain does not use yet; for workstations, one whose user is at work.
fn pick_host(key: Key, world: &World, class: HostClass, time: i64, taken: &[HostId]) -> HostId {
    let list = world.class(class);
    let mut host = list[0];
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
