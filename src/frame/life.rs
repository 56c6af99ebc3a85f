//! Process life: starts of the programs that come and go.
//!
//! A ten-minute slot's starts go round the wheel of its active hosts: start i of
//! the slot is the host at position i mod H, its ordinal there i / H. So
//! (host, ordinal) ↔ start ↔ time is O(1) both ways.

use super::maker::Maker;
use super::merge::Row;
use super::record::Scene;
use super::text::{Texts, choose};
use super::{Frame, lag};
use crate::catalog::{Catalog, Platform, Program, Telemetry};
use crate::plan::TimeLaw;
use crate::random::{Alias, Key, chance};
use crate::world::World;
use crate::world::activity::SLOT;
use crate::world::hosts::{ROLES, Role};

/// Programs by (lifetime class, platform, role): which may start, and how often.
#[derive(Debug, Clone)]
pub struct LifeTables {
    cells: Vec<(Vec<usize>, Alias)>,
}

const ROLE_COUNT: usize = ROLES.len();

fn cell(class: usize, platform: Platform, role: Role) -> usize {
    let role = ROLES.iter().position(|&r| r == role).unwrap_or(0);
    (class * 2 + platform as usize) * ROLE_COUNT + role
}

/// Programs that can be anywhere, for roles that have none of a class.
fn fits(program: &Program, world: &World, platform: Platform, role: Role) -> bool {
    program.platform == platform
        && world
            .hosts
            .all
            .iter()
            .find(|h| h.role == role && h.platform == platform)
            .is_some_and(|h| h.is(program.hosts))
}

impl LifeTables {
    pub fn new(catalog: &Catalog, world: &World) -> Self {
        let mut cells = vec![(Vec::new(), Alias::new(&[])); 3 * 2 * ROLE_COUNT];
        for class in 0..3 {
            for platform in [Platform::Windows, Platform::Linux] {
                for role in ROLES {
                    let of_class = |any_class: bool| -> Vec<usize> {
                        (0..catalog.programs.len())
                            .filter(|&p| {
                                any_class || catalog.programs[p].lifetime as usize == class
                            })
                            .filter(|&p| fits(&catalog.programs[p], world, platform, role))
                            .collect()
                    };
                    let mut programs = of_class(false);
                    if programs.is_empty() {
                        programs = of_class(true);
                    }
                    let weights: Vec<u64> = programs
                        .iter()
                        .map(|&p| u64::from(catalog.programs[p].weight))
                        .collect();
                    cells[cell(class, platform, role)] = (programs, Alias::new(&weights));
                }
            }
        }
        LifeTables { cells }
    }
}

impl<'a> Maker<'a> {
    pub(super) fn fill_life<'r>(
        &self,
        frame: &mut Frame,
        key: Key,
        class: u8,
        law: &TimeLaw,
        mine: impl Iterator<Item = (usize, &'r Row)>,
    ) {
        let mut stream = key.rows();
        let mut slot = i64::MIN;
        let mut first = 0;
        for (row, at) in mine {
            let seconds = at.time.div_euclid(1_000_000);
            let wheel = self.world.wheel(seconds);
            if seconds.div_euclid(SLOT) != slot {
                slot = seconds.div_euclid(SLOT);
                first = law.before(slot * SLOT * 1_000_000);
            }
            let index = at.ordinal - first;
            let host = wheel.host(index % wheel.len());
            let ordinal = index / wheel.len();
            let draws = stream.row(at.ordinal);
            self.life_start(frame, row, host, class, ordinal, draws);
        }
    }

    fn life_start(
        &self,
        frame: &mut Frame,
        row: usize,
        host: u32,
        class: u8,
        ordinal: u64,
        draws: [u64; 8],
    ) {
        let h = &self.world.hosts[host];
        let (programs, alias) = &self.life.cells[cell(class.into(), h.platform, h.role)];
        let Some(&program) = programs.get(alias.draw(draws[0])) else {
            return;
        };
        let program = &self.catalog.programs[program];
        let account =
            self.world
                .accounts
                .resolve(&program.account, h.platform, host, h.user, h.user);
        let telemetry = match h.platform {
            Platform::Windows => Telemetry::ProcessCreation,
            Platform::Linux => Telemetry::Execve,
        };
        let start = frame.time[row] - lag(Telemetry::ProcessCreation, draws[1]);
        let process = self.world.started(
            host,
            start,
            class.into(),
            ordinal,
            program.image as u32,
            account,
            None,
        );
        let scene = Scene {
            hosts: &[host],
            user: h.user,
            admin: h.user,
            adversary: 0,
            key: Key::root(draws[2]),
            event: Key::root(draws[3]),
            round: 0,
            ordinal,
            chain: None,
        };
        let parent = self.resident(host, program.parent, start);
        frame.host[row] = host as i32;
        frame.user[row] = account as i32;
        frame.telemetry[row] = telemetry;
        frame.noise[row] = self.catalog.scenarios.len() as i32;
        frame.salt[row] = draws[4];
        frame.native[row] = start;
        frame.audit_key[row] = 1;
        frame.process.set(row, &process);
        frame.parent.set(row, &parent.process);
        self.set_parent_texts(frame, row, &parent, &scene);
        let image = &self.catalog.images[program.image];
        if h.platform == Platform::Windows {
            let systems = self.world.hosts.systems.len();
            frame.hashes.keys[row] = (program.image * systems + usize::from(h.os)) as i32;
        }
        let mut texts = Texts::new(self, &scene, host, account);
        texts.pid = process.pid;
        frame.process.path.keys[row] = if image.path.as_literal().is_some() {
            program.image as i32
        } else {
            frame.process.path.add(texts.render(&image.path))
        };
        frame
            .process
            .command
            .set(row, texts.render(choose(&program.commands, draws[5])));
        frame.directory.set(row, texts.render(&program.directory));
        frame.integrity[row] = self.life_integrity(program, draws[6]);
    }

    fn life_integrity(&self, program: &Program, bits: u64) -> u8 {
        let wanted = self
            .vocabulary
            .integrity
            .iter()
            .position(|i| *i == program.integrity)
            .unwrap_or(0) as u8;
        // A user's process runs elevated now and then.
        if program.integrity == "Medium" && chance(bits, 40_000) {
            wanted + 1
        } else {
            wanted
        }
    }
}
