//! Process life: programs that come and go.
//!
//! A ten-minute slot's runs of starts go round the wheel of its active hosts: run i
//! of the slot is of the host at position i mod H. So start ↔ (host, ordinal) and
//! start ↔ time are O(1), and a row that ends a process finds all of it again.

use super::maker::Maker;
use super::merge::Row;
use super::record::Scene;
use super::text::{Texts, choose};
use super::{Frame, NONE, lag};
use crate::catalog::{Catalog, Platform, Program, Telemetry, scenario::Verdict};
use crate::plan::{LIFE_RUN, TimeLaw};
use crate::random::{Alias, Key, chance};
use crate::world::activity::SLOT;
use crate::world::hosts::{ROLES, Role};
use crate::world::processes::OTHER_STREAM;
use crate::world::{Process, World};

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

/// Which start a row is about.
struct Start {
    host: u32,
    ordinal: u64,
    draws: [u64; 8],
    /// When it reached the log.
    time: i64,
}

impl Maker {
    /// Fills starts, or ends; `key` is that of the starts.
    pub(super) fn fill_life<'r>(
        &self,
        frame: &mut Frame,
        key: Key,
        class: u8,
        law: &TimeLaw,
        is_end: bool,
        mine: impl Iterator<Item = (usize, &'r Row)>,
    ) {
        let platform = match class / 3 {
            0 => Platform::Windows,
            _ => Platform::Linux,
        };
        let mut stream = key.rows();
        let (mut slot, mut first) = (i64::MIN, 0);
        for (row, at) in mine {
            let start = law.start(at.ordinal);
            let time = match is_end {
                true => law.start_time(start),
                false => at.time,
            };
            let seconds = time.div_euclid(1_000_000);
            let wheel = self.world.wheel_of(platform, seconds);
            if seconds.div_euclid(SLOT) != slot {
                slot = seconds.div_euclid(SLOT);
                first = law.run(law.starts_before(slot * SLOT * 1_000_000)).number;
            }
            let run = law.run(start);
            let index = run.number - first;
            let start = Start {
                host: wheel.host(index % wheel.len()),
                ordinal: index / wheel.len() * LIFE_RUN + start - run.first,
                draws: stream.row(start),
                time,
            };
            match is_end {
                true => self.life_end(frame, row, class % 3, &start),
                false => self.life_start(frame, row, class % 3, &start),
            }
        }
    }

    /// The program that starts, and its process.
    fn life_process<'a>(&'a self, class: u8, start: &Start) -> Option<(&'a Program, Process, u32)> {
        let h = &self.world.hosts[start.host];
        let (programs, alias) = &self.life.cells[cell(class.into(), h.platform, h.role)];
        let &program = programs.get(alias.draw(start.draws[0]))?;
        let program = &self.catalog.programs[program];
        let account =
            self.world
                .accounts
                .resolve(&program.account, h.platform, start.host, h.user, h.user);
        let process = self.world.started(
            start.host,
            start.time - lag(Telemetry::ProcessCreation, start.draws[1]),
            class.into(),
            start.ordinal,
            program.image as u32,
            account,
            None,
        );
        Some((program, process, account))
    }

    /// What starts and ends have in common.
    fn life_row(&self, frame: &mut Frame, row: usize, host: u32, account: u32, process: &Process) {
        frame.host[row] = host as i32;
        frame.user[row] = account as i32;
        frame.noise[row] = self.catalog.scenarios.len() as i32;
        frame.audit_key[row] = 1;
        frame.process.set(row, process);
    }

    fn life_end(&self, frame: &mut Frame, row: usize, class: u8, start: &Start) {
        let Some((program, process, account)) = self.life_process(class, start) else {
            return;
        };
        self.life_row(frame, row, start.host, account, &process);
        let bits = Key::root(start.draws[7]);
        frame.telemetry[row] = match self.world.is_seen_by_security(start.host, bits.at(2)) {
            true => Telemetry::ProcessExited,
            false => Telemetry::ProcessTermination,
        };
        frame.salt[row] = bits.at(0);
        frame.set_native(row, lag(frame.telemetry[row], bits.at(1)), Some(&process));
        let scene = self.life_scene(&start.host, start);
        let texts = Texts::new(self, &scene, start.host, account);
        self.life_path(frame, row, program, &texts);
    }

    /// Makes a row that starts a process one of that process's end.
    pub(super) fn end_instead(&self, frame: &mut Frame, row: usize, bits: Key) {
        let process = Process {
            start: frame.process.start[row],
            ..Process::default()
        };
        frame.rule[row] = NONE;
        frame.verdict[row] = Verdict::Benign;
        frame.noise[row] = self.catalog.scenarios.len() as i32;
        frame.blocked[row] = false;
        frame.success[row] = true;
        frame.telemetry[row] = Telemetry::ProcessTermination;
        frame.salt[row] = bits.at(0);
        frame.set_native(
            row,
            lag(Telemetry::ProcessTermination, bits.at(1)),
            Some(&process),
        );
        frame.parent.clear(row);
        frame.process.command.set_key(row, NONE);
        frame.directory.set_key(row, NONE);
        frame.hashes.set_key(row, NONE);
        frame.integrity[row] = 0;
    }

    fn life_scene<'s>(&self, host: &'s u32, start: &Start) -> Scene<'s> {
        let user = self.world.hosts[*host].user;
        Scene {
            hosts: std::slice::from_ref(host),
            user,
            admin: user,
            adversary: 0,
            key: Key::root(start.draws[2]),
            event: Key::root(start.draws[3]),
            burst: Key::root(start.draws[3]),
            round: 0,
            ordinal: start.ordinal,
            stream: OTHER_STREAM,
            whole: None,
            chain: None,
        }
    }

    fn life_path(&self, frame: &mut Frame, row: usize, program: &Program, texts: &Texts<'_, '_>) {
        let image = &self.catalog.images[program.image];
        let path = &mut frame.process.path;
        match image.path.as_literal() {
            Some(_) => path.set_key(row, program.image as i32),
            None => texts.set(path, row, &image.path),
        }
    }

    fn life_start(&self, frame: &mut Frame, row: usize, class: u8, start: &Start) {
        let Some((program, process, account)) = self.life_process(class, start) else {
            return;
        };
        let host = start.host;
        let h = &self.world.hosts[host];
        self.life_row(frame, row, host, account, &process);
        frame.telemetry[row] = match h.platform {
            Platform::Windows => {
                let bits = Key::root(start.draws[7]).at(2);
                match self.world.is_seen_by_security(host, bits) {
                    true => Telemetry::ProcessCreated,
                    false => Telemetry::ProcessCreation,
                }
            }
            Platform::Linux => Telemetry::Execve,
        };
        frame.salt[row] = start.draws[4];
        frame.native[row] = process.start;
        let scene = self.life_scene(&start.host, start);
        let parent = self.resident(host, program.parent, process.start);
        frame.parent.set(row, &parent.process);
        self.set_parent_texts(frame, row, &parent, &scene);
        if h.platform == Platform::Windows {
            let systems = self.world.hosts.systems.len();
            let key = program.image * systems + usize::from(h.os);
            frame.hashes.set_key(row, key as i32);
        }
        let mut texts = Texts::new(self, &scene, host, account);
        texts.pid = process.pid;
        self.life_path(frame, row, program, &texts);
        let command = choose(&program.commands, start.draws[5]);
        texts.set(&mut frame.process.command, row, command);
        texts.set(&mut frame.directory, row, &program.directory);
        frame.integrity[row] = self.life_integrity(program, start.draws[6]);
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
