//! Noise: rows of benign scenarios.

use super::Frame;
use super::maker::Maker;
use super::merge::Row;
use super::record::{Scene, Whole};
use crate::catalog::{
    End, HostClass, Platform, Record, Telemetry,
    scenario::{Verdict, Visit},
};
use crate::plan::TimeLaw;
use crate::random::{Key, below};
use crate::world::processes::OTHER_STREAM;

impl Maker {
    /// Fills rows of one variant. A run of rows is one host's doing, with one peer and one administrator.
    pub(super) fn fill_noise<'r>(
        &self,
        frame: &mut Frame,
        key: Key,
        scenario: usize,
        variant: usize,
        law: &TimeLaw,
        mine: impl Iterator<Item = (usize, &'r Row)>,
    ) {
        let v = &self.catalog.scenarios[scenario].variants[variant];
        let recipes = &self.recipes.variants[scenario][variant];
        let hosts = self.world.class(v.hosts);
        let rows = law.rows();
        let mut stream = key.rows();
        let of_runs = key.child("runs");
        for (row, at) in mine {
            let draws = stream.row(at.ordinal);
            let run = law.run(at.ordinal);
            let of_run = of_runs.with(run.number);
            let choice = match v.sequence {
                Some(_) => (at.ordinal - run.first) as usize,
                None => below(draws[0], v.records.len() as u64) as usize,
            };
            // A sequence is one visit.
            let (visit, visits) = match v.sequence {
                Some(sequence) => (run.number, rows.div_ceil(u64::from(sequence.rows))),
                None => (at.ordinal, rows),
            };
            let record = &v.records[choice];
            let mut host = match v.visit {
                // Every host in turn; the rounds of a day are spread evenly.
                Visit::RoundRobin => {
                    let n = hosts.len() as u64;
                    let turn = if visits < n {
                        u128::from(visit) * u128::from(n) / u128::from(visits)
                    } else {
                        u128::from(visit)
                    };
                    hosts[(turn % u128::from(n)) as usize]
                }
                Visit::Active if v.hosts == HostClass::Workstation => self
                    .world
                    .wheel(at.time.div_euclid(1_000_000))
                    .active_workstation(of_run.at(0)),
                Visit::Active | Visit::Any => hosts[of_run.below(0, hosts.len() as u64) as usize],
            };
            if let Some(platform) = record.telemetry.platform()
                && self.world.hosts[host].platform != platform
            {
                host = self.of_platform(hosts, platform, of_run.at(0));
            }
            let platform = self.world.hosts[host].platform;
            let whole = v.sequence.map(|sequence| Whole {
                scenario,
                variant,
                law,
                first: run.first,
                start: law.time(run.first),
                number: sequence.number,
                visit: run.number / (hosts.len() as u64).max(1),
            });
            let (key, event) = match whole {
                Some(_) => (of_run.with(5), of_run.with(6)),
                None => (Key::root(draws[5]), Key::root(draws[2])),
            };
            // A sequence has one other end, which its first connection names.
            let naming = match v.sequence {
                Some(_) => v.records.iter().find(|r| r.connection.is_some()),
                None => None,
            };
            let naming = naming.unwrap_or(record);
            let peer = match naming.account {
                // Whose user asks is at work.
                crate::catalog::Account::PeerUser => {
                    let time = whole.map_or(at.time, |whole| whole.start);
                    self.world
                        .wheel(time.div_euclid(1_000_000))
                        .active_workstation(of_run.at(1))
                }
                _ => self.peer(naming, host, of_run.at(1), platform),
            };
            let scene = Scene {
                hosts: &[host, peer],
                user: self.world.hosts[host].user,
                admin: self.world.administrator(host, of_run.at(2)),
                adversary: 0,
                key,
                event,
                burst: of_run.with(6),
                round: 0,
                ordinal: visit,
                stream: OTHER_STREAM,
                whole,
                chain: None,
            };
            self.emit(frame, row, record, recipes[choice], &scene);
            frame.noise[row] = scenario as i32;
            frame.verdict[row] = match (v.verdict, record.alert) {
                // What stands beside the record that a rule fired on.
                (Verdict::BenignTrigger, false) => Verdict::BenignSuspicious,
                (verdict, _) => verdict,
            };
            if record.telemetry == Telemetry::ProcessCreation
                && !record.alert
                && self.world.is_seen_by_security(host, event.at(0x1258))
            {
                frame.telemetry[row] = Telemetry::ProcessCreated;
            }
            if record.alert {
                frame.rule[row] =
                    self.world
                        .detections
                        .signature(v.category, record.signature) as i32;
            }
        }
    }

    /// A host of the list that runs the platform; the platform's any, if the list has none.
    fn of_platform(&self, list: &[u32], platform: Platform, bits: u64) -> u32 {
        let fits = |&&h: &&u32| self.world.hosts[h].platform == platform;
        let key = Key::root(bits);
        (0..16)
            .map(|i| &list[key.below(i, list.len() as u64) as usize])
            .find(fits)
            .or_else(|| list.iter().find(fits))
            .copied()
            .unwrap_or_else(|| {
                let class = match platform {
                    Platform::Windows => HostClass::Windows,
                    Platform::Linux => HostClass::Linux,
                };
                let all = self.world.class(class);
                all[below(bits, all.len() as u64) as usize]
            })
    }

    /// The other host of a record: of the class that its connection names, else a server of its kind.
    fn peer(&self, record: &Record, host: u32, bits: u64, platform: Platform) -> u32 {
        let named = record
            .connection
            .iter()
            .flat_map(|c| [&c.from, &c.to])
            .find_map(|end| match end {
                End::Class(class) => Some(*class),
                _ => None,
            });
        let class = named.unwrap_or(match platform {
            Platform::Windows => HostClass::WindowsServer,
            Platform::Linux => HostClass::LinuxServer,
        });
        let peer = self.class_member(class, Key::root(bits), host);
        if peer != host {
            return peer;
        }
        // The only one of its class talks to another server.
        let other = match platform {
            Platform::Windows => HostClass::WindowsServer,
            Platform::Linux => HostClass::LinuxServer,
        };
        self.class_member(other, Key::root(bits), host)
    }
}
