//! Writes processes into a frame's rows: numbers, paths, command lines, hashes.

use super::lineage::{Acting, Call};
use super::scene::{Scene, SceneSlot};
use super::text::Texts;
use super::{Frame, NONE, ProcessColumns, TextColumn, words};
use crate::catalog::{Catalog, Platform, Telemetry, scenario::Verdict};
use crate::day::lag;
use crate::ids::{HostId, ImageId, Optional};
use crate::paths::file_name;
use crate::random::{Draws, choose, slots};
use crate::world::World;

slots! {
    /// Draws of a process's end.
    pub enum EndSlot {
        /// The frame's `salt`.
        Salt = 0,
        /// Time from the record to `@timestamp`.
        Lag = 1,
    }
}

/// Writes processes into rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Processes<'m> {
    pub world: &'m World,
    pub catalog: &'m Catalog,
}

impl Processes<'_> {
    /// Writes a process into a row of the acting or the parent processes.
    pub fn set(
        &self,
        processes: &mut ProcessColumns,
        row: usize,
        acting: &Acting<'_>,
        scene: &Scene<'_>,
    ) {
        processes.set(row, &acting.process);
        let path = self.path(&mut processes.path, acting, scene);
        processes.path.set_key(row, path);
        let command = self.command(&mut processes.command, acting, scene);
        processes.command.set_key(row, command);
    }

    /// Writes the hashes of a started process's image into a row.
    pub fn set_hashes(
        &self,
        frame: &mut Frame,
        row: usize,
        acting: &Acting<'_>,
        scene: &Scene<'_>,
    ) {
        let number = acting.process.image;
        let image = &self.catalog.images[number.index()];
        if image.platform != Platform::Windows {
            return;
        }
        let key = match image.path.as_literal() {
            Some(_) => self.known_hashes(number, acting.host),
            None => {
                let name = file_name(frame.process.path.text(row));
                let key = words::program(scene.key.key(), name);
                frame.hashes.add(&words::hashes(key))
            }
        };
        frame.hashes.set_key(row, key);
    }

    /// Key of the hashes that an image with a fixed path has on a host's operating system.
    pub fn known_hashes(&self, image: ImageId, host: HostId) -> i32 {
        let systems = self.world.hosts.systems.len() as i32;
        image.key() * systems + i32::from(self.world.hosts[host].os)
    }

    /// Writes the process that a row's process acts on.
    pub fn set_target(
        &self,
        frame: &mut Frame,
        row: usize,
        acting: &Acting<'_>,
        scene: &Scene<'_>,
    ) {
        let targets = &mut frame.targets;
        targets.processes.set(row, frame.len, acting.process);
        let path = self.path(&mut targets.path, acting, scene);
        targets.path.set_key(row, path);
    }

    /// The texts of a process in a scene.
    fn texts<'t>(&'t self, acting: &Acting<'_>, scene: &'t Scene<'_>) -> Texts<'t, 't> {
        Texts::new(
            (self.world, self.catalog),
            scene,
            acting.host,
            acting.process.account,
        )
    }

    fn path(&self, column: &mut TextColumn, acting: &Acting<'_>, scene: &Scene<'_>) -> i32 {
        let template = &self.catalog.images[acting.process.image.index()].path;
        if template.as_literal().is_some() {
            return acting.process.image.key();
        }
        self.texts(acting, scene).add(column, template)
    }

    fn command(&self, column: &mut TextColumn, acting: &Acting<'_>, scene: &Scene<'_>) -> i32 {
        let template = match acting.call {
            Call::Resident(r) => {
                let template = &self.catalog.residents[r].command;
                if template.as_literal().is_some() {
                    return r as i32;
                }
                template
            }
            Call::Child => return self.path_as_command(column, acting, scene),
            Call::Program(program) => choose(&program.commands, scene.key.bits(SceneSlot::Command)),
            Call::Record(record) => match &record.command {
                Some(template) => template,
                None => return self.path_as_command(column, acting, scene),
            },
        };
        let at_round = Scene {
            round: acting.round,
            ..*scene
        };
        self.texts(acting, &at_round).add(column, template)
    }

    fn path_as_command(
        &self,
        column: &mut TextColumn,
        acting: &Acting<'_>,
        scene: &Scene<'_>,
    ) -> i32 {
        let template = &self.catalog.images[acting.process.image.index()].path;
        self.texts(acting, scene).add(column, template)
    }

    /// Turns the row of a process start into the row of the process's end.
    pub fn end_instead(&self, frame: &mut Frame, row: usize, draws: Draws<EndSlot>) {
        frame.rule[row] = Optional::NONE;
        frame.verdict[row] = Verdict::Benign;
        frame.noise[row] = self.catalog.scenarios.len() as i32;
        frame.blocked[row] = false;
        frame.success[row] = true;
        frame.telemetry[row] = Telemetry::ProcessTermination;
        frame.salt[row] = draws.bits(EndSlot::Salt);
        let lag = lag(Telemetry::ProcessTermination, draws.bits(EndSlot::Lag));
        frame.set_native_from_process(row, lag);
        frame.parent.clear(row);
        frame.process.command.set_key(row, NONE);
        frame.directory.set_key(row, NONE);
        frame.hashes.set_key(row, NONE);
        frame.integrity[row] = 0;
    }
}
