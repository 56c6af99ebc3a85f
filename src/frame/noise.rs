//! Noise: rows of benign scenarios.

use super::Frame;
use super::merge::Row;
use super::recipe::Recipes;
use super::record::Records;
use super::scene::{EventSlot, Scene, Whole};
use crate::catalog::{
    AccountRef, End, HostClass, Platform, Record, Telemetry,
    scenario::{Variant, Verdict},
};
use crate::ids::HostId;
use crate::plan::TimeLaw;
use crate::plan::visits::{RunSlot, Turn, chosen, runs_key};
use crate::random::{DRAWS, Draws, Key};
use crate::world::World;
use crate::world::processes::OTHER_STREAM;

/// Fills rows of benign scenarios.
#[derive(Debug, Clone, Copy)]
pub(super) struct Noise<'m> {
    pub records: Records<'m>,
    pub recipes: &'m Recipes,
    pub world: &'m World,
}

fn verdict(v: &Variant, record: &Record) -> Verdict {
    match (v.verdict, record.alert) {
        // A record beside the one that the rule fired on.
        (Verdict::BenignTrigger, false) => Verdict::BenignSuspicious,
        (verdict, _) => verdict,
    }
}

impl<'m> Noise<'m> {
    /// Fills rows of one variant. The rows of a run are one host's, with one peer and one
    /// administrator.
    pub fn fill<'r>(
        &self,
        frame: &mut Frame,
        key: Key,
        (scenario, variant): (usize, usize),
        law: &TimeLaw,
        mine: impl Iterator<Item = (usize, &'r Row)>,
    ) {
        let v = &self.records.catalog.scenarios[scenario].variants[variant];
        let recipes = &self.recipes.variants[scenario][variant];
        let hosts = self.world.class(v.hosts);
        let mut stream = key.rows();
        let runs = runs_key(key);
        for (row, at) in mine {
            let draws: [u64; DRAWS] = stream.row(at.ordinal);
            let [choice, _, of_event, _, _, of_scene, _, _] = draws;
            let turn = Turn::new(v, runs, law, (at.ordinal, at.time), choice);
            let whole = v.sequence.map(|sequence| Whole {
                scenario,
                variant,
                law,
                first: turn.first,
                start: law.time(turn.first),
                number: sequence.number,
                visit: turn.number / (hosts.len() as u64).max(1),
            });
            let host = turn.host(self.world, v);
            let peer = self.peer(v, &turn, whole.as_ref(), host);
            let burst = turn.run.part(RunSlot::Burst);
            let (key, event) = match whole {
                Some(_) => (turn.run.part(RunSlot::Scene), burst),
                None => (Key::root(of_scene), Key::root(of_event)),
            };
            let scene = Scene {
                hosts: &[host, peer],
                user: self.world.hosts[host].user,
                admin: (self.world).administrator(host, turn.run.bits(RunSlot::Administrator)),
                adversary: 0,
                key: Draws::new(key),
                event: Draws::new(event),
                burst: Draws::new(burst),
                round: 0,
                ordinal: turn.visit,
                stream: OTHER_STREAM,
                whole,
                chain: None,
                cast: None,
            };
            let recipe = recipes[turn.choice];
            self.records.emit(frame, row, turn.record, recipe, &scene);
            frame.noise[row] = scenario as i32;
            self.label(frame, row, v, turn.record, &scene);
        }
    }

    /// Calls `each` with the index and the verdict of each of `mine`, rows of one variant.
    pub fn verdicts<'r>(
        &self,
        key: Key,
        (scenario, variant): (usize, usize),
        law: &TimeLaw,
        mine: impl Iterator<Item = (usize, &'r Row)>,
        mut each: impl FnMut(usize, Verdict),
    ) {
        let v = &self.records.catalog.scenarios[scenario].variants[variant];
        let mut stream = key.rows();
        for (row, at) in mine {
            let [choice, ..]: [u64; DRAWS] = stream.row(at.ordinal);
            let choice = chosen(v, || at.ordinal - law.run(at.ordinal).first, choice);
            each(row, verdict(v, &v.records[choice]));
        }
    }

    /// The other host of a row. A sequence has one peer, which its first connection names.
    fn peer(
        &self,
        v: &Variant,
        turn: &Turn<'_>,
        whole: Option<&Whole<'_>>,
        host: HostId,
    ) -> HostId {
        let naming = match v.sequence {
            Some(_) => v.records.iter().find(|r| r.connection.is_some()),
            None => None,
        };
        let naming = naming.unwrap_or(turn.record);
        let bits = turn.run.bits(RunSlot::Peer);
        match naming.account {
            // The peer's user is at work.
            AccountRef::PeerUser => {
                let time = whole.map_or(turn.time, |whole| whole.start);
                self.world
                    .wheel(time.div_euclid(1_000_000))
                    .active_workstation(bits)
            }
            _ => self.peer_of(naming, host, bits),
        }
    }

    /// A peer of the class that a record's connection names, else a server of the host's platform.
    fn peer_of(&self, record: &Record, host: HostId, bits: u64) -> HostId {
        let named = record
            .connection
            .iter()
            .flat_map(|c| [&c.from, &c.to])
            .find_map(|end| match end {
                End::Class(class) => Some(*class),
                _ => None,
            });
        let servers = match self.world.hosts[host].platform {
            Platform::Windows => HostClass::WindowsServer,
            Platform::Linux => HostClass::LinuxServer,
        };
        let key = Key::root(bits);
        let peer = self.world.another(named.unwrap_or(servers), key, host);
        match peer == host {
            // The only host of its class talks to another server.
            true => self.world.another(servers, key, host),
            false => peer,
        }
    }

    /// Labels a row by its variant, and decides which sensor's record of a process start is kept.
    fn label(
        &self,
        frame: &mut Frame,
        row: usize,
        v: &Variant,
        record: &Record,
        scene: &Scene<'_>,
    ) {
        frame.verdict[row] = verdict(v, record);
        let bits = scene.event.bits(EventSlot::SeenBySecurity);
        if record.telemetry == Telemetry::ProcessCreation
            && !record.alert
            && self.world.is_seen_by_security(scene.hosts[0], bits)
        {
            frame.telemetry[row] = Telemetry::ProcessCreated;
        }
        if record.alert {
            let rule = (self.world.detections).signature(v.category, record.signature);
            frame.raise(row, rule);
        }
    }
}
