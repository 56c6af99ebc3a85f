//! Process life on Linux: programs that start.
//!
//! The runs of starts of a ten-minute slot are assigned to its active hosts in rotation:
//! run i of the slot belongs to the host at position i mod H.

use super::Frame;
use super::lineage::Lineage;
use super::merge::Row;
use super::processes::Processes;
use super::scene::Scene;
use super::text::Texts;
use super::vocabulary::EXEC;
use crate::catalog::{Catalog, Platform, Program, Telemetry};
use crate::day::lag;
use crate::ids::{AccountId, HostId};
use crate::plan::{LIFE_RUN, TimeLaw};
use crate::random::{Alias, DRAWS, Draws, Key, choose};
use crate::world::activity::SLOT;
use crate::world::hosts::{ROLES, Role};
use crate::world::processes::OTHER_STREAM;
use crate::world::{Process, World};

/// Programs by (lifetime class, role): which may start, and how often.
#[derive(Debug, Clone)]
pub struct LifeTables {
    cells: Vec<(Vec<usize>, Alias)>,
}

const ROLE_COUNT: usize = ROLES.len();

fn cell(class: usize, role: Role) -> usize {
    let role = ROLES.iter().position(|&r| r == role).unwrap_or(0);
    class * ROLE_COUNT + role
}

/// Whether a program can start on Linux hosts of a role.
fn fits(program: &Program, world: &World, role: Role) -> bool {
    world
        .hosts
        .all
        .iter()
        .find(|h| h.role == role && h.platform == Platform::Linux)
        .is_some_and(|h| h.is(program.hosts))
}

impl LifeTables {
    pub fn new(catalog: &Catalog, world: &World) -> Self {
        let mut cells = vec![(Vec::new(), Alias::new(&[])); 3 * ROLE_COUNT];
        for class in 0..3 {
            for role in ROLES {
                let of_class = |any_class: bool| -> Vec<usize> {
                    (0..catalog.programs.len())
                        .filter(|&p| any_class || catalog.programs[p].lifetime as usize == class)
                        .filter(|&p| fits(&catalog.programs[p], world, role))
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
                cells[cell(class, role)] = (programs, Alias::new(&weights));
            }
        }
        LifeTables { cells }
    }
}

/// The start that a row records.
struct Start {
    host: HostId,
    ordinal: u64,
    draws: StartDraws,
    /// `@timestamp` of the start.
    time: i64,
}

/// The words of a start's row, by what each decides.
struct StartDraws {
    program: u64,
    lag: u64,
    scene: u64,
    event: u64,
    salt: u64,
    command: u64,
}

impl StartDraws {
    fn new(words: [u64; DRAWS]) -> Self {
        let [program, lag, scene, event, salt, command, ..] = words;
        StartDraws {
            program,
            lag,
            scene,
            event,
            salt,
            command,
        }
    }
}

/// Fills starts of programs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Life<'m> {
    pub tables: &'m LifeTables,
    pub world: &'m World,
    pub catalog: &'m Catalog,
    pub lineage: Lineage<'m>,
    pub processes: Processes<'m>,
}

impl<'m> Life<'m> {
    /// Fills the starts of a lifetime class.
    pub fn fill<'r>(
        &self,
        frame: &mut Frame,
        key: Key,
        class: u8,
        law: &TimeLaw,
        mine: impl Iterator<Item = (usize, &'r Row)>,
    ) {
        let mut stream = key.rows();
        let (mut slot, mut first) = (i64::MIN, 0);
        for (row, at) in mine {
            let seconds = at.time.div_euclid(1_000_000);
            let wheel = self.world.wheel_of(Platform::Linux, seconds);
            if seconds.div_euclid(SLOT) != slot {
                slot = seconds.div_euclid(SLOT);
                first = law.run(law.starts_before(slot * SLOT * 1_000_000)).number;
            }
            let run = law.run(at.ordinal);
            let index = run.number - first;
            let start = Start {
                host: wheel.host(index % wheel.len()),
                ordinal: index / wheel.len() * LIFE_RUN + at.ordinal - run.first,
                draws: StartDraws::new(stream.row(at.ordinal)),
                time: at.time,
            };
            self.start(frame, row, class, &start);
        }
    }

    /// The program that starts, and its process.
    fn process(&self, class: u8, start: &Start) -> Option<(&'m Program, Process, AccountId)> {
        let h = &self.world.hosts[start.host];
        let (programs, alias) = &self.tables.cells[cell(class.into(), h.role)];
        let &program = programs.get(alias.draw(start.draws.program))?;
        let program = &self.catalog.programs[program];
        let account =
            self.world
                .accounts
                .resolve(&program.account, h.platform, start.host, h.user, h.user);
        let process = self.world.started(
            start.host,
            start.time - lag(Telemetry::ProcessCreation, start.draws.lag),
            class.into(),
            start.ordinal,
            program.image,
            account,
            None,
        );
        Some((program, process, account))
    }

    fn scene<'s>(&self, host: &'s HostId, start: &Start) -> Scene<'s> {
        let user = self.world.hosts[*host].user;
        Scene {
            hosts: std::slice::from_ref(host),
            user,
            admin: user,
            adversary: 0,
            key: Draws::new(Key::root(start.draws.scene)),
            event: Draws::new(Key::root(start.draws.event)),
            burst: Draws::new(Key::root(start.draws.event)),
            round: 0,
            ordinal: start.ordinal,
            stream: OTHER_STREAM,
            whole: None,
            chain: None,
            cast: None,
        }
    }

    fn path(&self, frame: &mut Frame, row: usize, program: &Program, texts: &Texts<'_, '_>) {
        let image = &self.catalog.images[program.image.index()];
        let path = &mut frame.process.path;
        match image.path.as_literal() {
            Some(_) => path.set_key(row, program.image.key()),
            None => texts.set(path, row, &image.path),
        }
    }

    fn start(&self, frame: &mut Frame, row: usize, class: u8, start: &Start) {
        let Some((program, process, account)) = self.process(class, start) else {
            return;
        };
        let host = start.host;
        frame.host[row] = host;
        frame.user[row] = account;
        frame.noise[row] = self.catalog.scenarios.len() as i32;
        frame.audit_key[row] = EXEC;
        frame.process.set(row, &process);
        frame.telemetry[row] = Telemetry::Execve;
        frame.salt[row] = start.draws.salt;
        frame.native[row] = process.start;
        let scene = self.scene(&start.host, start);
        let parent = self.lineage.resident(host, program.parent, process.start);
        self.processes.set(&mut frame.parent, row, &parent, &scene);
        let mut texts = Texts::new((self.world, self.catalog), &scene, host, account);
        texts.pid = process.pid;
        self.path(frame, row, program, &texts);
        let command = choose(&program.commands, start.draws.command);
        texts.set(&mut frame.process.command, row, command);
        texts.set(&mut frame.directory, row, &program.directory);
    }
}
