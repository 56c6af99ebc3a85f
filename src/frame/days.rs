//! Rows of hosts' days: the steps of routines.

use super::Frame;
use super::merge::Row;
use super::recipe::Recipes;
use super::record::Records;
use super::scene::{Cast, Scene};
use crate::catalog::{HostClass, Routine, Telemetry};
use crate::ids::HostId;
use crate::plan::days::{Rows, Run};
use crate::random::{Draws, slots};
use crate::world::World;
use crate::world::processes::OTHER_STREAM;

slots! {
    /// Draws of a run of a routine.
    enum RunSlot {
        Peer = 0,
        Scene = 2,
        Burst = 3,
        SeenBySecurity = 4,
        /// Draws of its events, by step and repetition.
        Events = 5,
    }
}

/// Fills rows of scripts.
#[derive(Debug, Clone, Copy)]
pub(super) struct DayRows<'m> {
    pub records: Records<'m>,
    pub recipes: &'m Recipes,
    pub world: &'m World,
}

impl DayRows<'_> {
    /// Fills the rows `mine` of a row group's scripts.
    pub fn fill<'r>(
        &self,
        frame: &mut Frame,
        scripts: &Rows,
        mine: impl Iterator<Item = (usize, &'r Row)>,
    ) {
        let catalog = self.records.catalog;
        for (row, at) in mine {
            let Some((slice, of)) = scripts.get(at.ordinal) else {
                continue;
            };
            let run = &slice.runs[of.run as usize];
            let routine = &catalog.routines[usize::from(run.routine)];
            let step = &routine.steps[usize::from(of.step)];
            let draws = Draws::<RunSlot>::new(run.key);
            let first = run.processes as usize;
            let event = u64::from(of.step) << 8 | u64::from(of.round);
            let scene = Scene {
                hosts: &[run.host, self.peer(routine, run, draws)],
                user: self.world.hosts[run.host].user,
                admin: run.admin,
                adversary: 0,
                key: Draws::new(draws.part(RunSlot::Scene)),
                event: Draws::new(draws.part(RunSlot::Events).with(event)),
                burst: Draws::new(draws.part(RunSlot::Burst)),
                round: of.round.into(),
                ordinal: 0,
                stream: OTHER_STREAM,
                whole: None,
                chain: None,
                cast: Some(Cast {
                    routine: run.routine.into(),
                    processes: &slice.processes[first..first + routine.born],
                }),
            };
            let recipe = self.recipes.routines[usize::from(run.routine)][usize::from(of.step)];
            self.records.emit(frame, row, &step.record, recipe, &scene);
            frame.native[row] = of.native;
            if of.port != 0 {
                frame.source_port[row] = of.port.into();
            }
            frame.noise[row] = catalog.scenarios.len() as i32;
            let process = step.record.starts.or(step.actor()).unwrap_or(0);
            let sensor = draws.part(RunSlot::SeenBySecurity).at(process as u64);
            self.choose_sensor(frame, row, run.host, sensor);
        }
    }

    /// The other host of a run, of the class that its routine names.
    fn peer(&self, routine: &Routine, run: &Run, draws: Draws<RunSlot>) -> HostId {
        let Some(class) = routine.peer else {
            return run.host;
        };
        let key = draws.part(RunSlot::Peer);
        let peer = self.world.another(class, key, run.host);
        match peer == run.host {
            // The only host of its class talks to another server.
            true => self.world.another(HostClass::WindowsServer, key, run.host),
            false => peer,
        }
    }

    /// On hosts that audit processes, Security's records of a process may be kept instead.
    fn choose_sensor(&self, frame: &mut Frame, row: usize, host: HostId, bits: u64) {
        let instead = match frame.telemetry[row] {
            Telemetry::ProcessCreation => Telemetry::ProcessCreated,
            Telemetry::ProcessTermination => Telemetry::ProcessExited,
            _ => return,
        };
        if self.world.is_seen_by_security(host, bits) {
            frame.telemetry[row] = instead;
        }
    }
}
