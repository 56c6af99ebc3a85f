//! Which host each row of a benign scenario happens on, and each alert of an endpoint: decided here, so
//! that the scripts of days can count the processes that these rows start.

use super::TimeLaw;
use crate::catalog::{
    HostClass, Platform, Record,
    scenario::{Variant, Visit},
};
use crate::ids::HostId;
use crate::random::{DRAWS, Draws, Key, below, chance, choose, slots};
use crate::world::World;

slots! {
    /// Draws that a run of rows shares.
    pub enum RunSlot {
        Host = 0,
        Peer = 1,
        Administrator = 2,
        Scene = 5,
        Burst = 6,
    }
}

/// One row of a variant: its record, and the visit to a host that it belongs to.
pub struct Turn<'m> {
    pub record: &'m Record,
    /// Index of the record in its variant.
    pub choice: usize,
    /// Unix microseconds.
    pub time: i64,
    pub run: Draws<RunSlot>,
    /// The first row of its run, and the run's number.
    pub first: u64,
    pub number: u64,
    /// This visit, and how many there are on the date.
    pub visit: u64,
    visits: u64,
}

impl<'m> Turn<'m> {
    /// Row `ordinal` of a variant, which happens at `time`. `runs`: the [key](runs_key) of its runs;
    /// `draw`: the first draw of the row, for variants that are no sequence.
    pub fn new(
        v: &'m Variant,
        runs: Key,
        law: &TimeLaw,
        (ordinal, time): (u64, i64),
        draw: u64,
    ) -> Self {
        let run = law.run(ordinal);
        let choice = chosen(v, || ordinal - run.first, draw);
        // A sequence is one visit.
        let (visit, visits) = match v.sequence {
            Some(sequence) => (run.number, law.rows().div_ceil(u64::from(sequence.rows))),
            None => (ordinal, law.rows()),
        };
        Turn {
            record: &v.records[choice],
            choice,
            time,
            run: Draws::new(runs.with(run.number)),
            first: run.first,
            number: run.number,
            visit,
            visits,
        }
    }

    /// The host that the visit is to.
    pub fn host(&self, world: &World, v: &Variant) -> HostId {
        let hosts = world.class(v.hosts);
        let host = match v.visit {
            // Every host in turn; the rounds of a day are spread evenly.
            Visit::RoundRobin => {
                let n = hosts.len() as u64;
                let turn = if self.visits < n {
                    u128::from(self.visit) * u128::from(n) / u128::from(self.visits)
                } else {
                    u128::from(self.visit)
                };
                hosts[(turn % u128::from(n)) as usize]
            }
            Visit::Active if v.hosts == HostClass::Workstation => world
                .wheel(self.time.div_euclid(1_000_000))
                .active_workstation(self.run.bits(RunSlot::Host)),
            Visit::Active | Visit::Any => {
                hosts[self.run.below(RunSlot::Host, hosts.len() as u64) as usize]
            }
        };
        match self.record.telemetry.platform() {
            Some(platform) if world.hosts[host].platform != platform => {
                of_platform(world, hosts, platform, self.run.bits(RunSlot::Host))
            }
            _ => host,
        }
    }
}

/// The key of the runs of a variant's rows on a date, whose own key is `rows`.
pub fn runs_key(rows: Key) -> Key {
    rows.child("runs")
}

/// Index of a row's record in its variant: by its place in its run, or by its first draw.
pub fn chosen(v: &Variant, place: impl FnOnce() -> u64, draw: u64) -> usize {
    match v.sequence {
        Some(_) => place() as usize,
        None => below(draw, v.records.len() as u64) as usize,
    }
}

/// A host of the list that runs the platform; any host of the platform if the list has none.
fn of_platform(world: &World, list: &[HostId], platform: Platform, bits: u64) -> HostId {
    let fits = |&&h: &&HostId| world.hosts[h].platform == platform;
    let key = Key::root(bits);
    (0..16)
        .map(|attempt| &list[key.below(attempt, list.len() as u64) as usize])
        .find(fits)
        .or_else(|| list.iter().find(fits))
        .copied()
        .unwrap_or_else(|| {
            let class = match platform {
                Platform::Windows => HostClass::Windows,
                Platform::Linux => HostClass::Linux,
            };
            let all = world.class(class);
            all[below(bits, all.len() as u64) as usize]
        })
}

/// The host of a standalone endpoint alert that is raised at `time` (Unix microseconds); `words` are
/// the draws of its row.
pub fn host_of_alert(world: &World, platform: Platform, time: i64, words: [u64; DRAWS]) -> HostId {
    let [_, _, on_workstation, host, ..] = words;
    match platform {
        Platform::Windows if chance(on_workstation, 800_000) => world
            .wheel(time.div_euclid(1_000_000))
            .active_workstation(host),
        Platform::Windows => *choose(world.class(HostClass::WindowsServer), host),
        Platform::Linux => *choose(world.class(HostClass::LinuxServer), host),
    }
}
