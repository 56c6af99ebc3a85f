//! From a catalog recipe to a row: hosts, accounts, processes, texts, connection.
//!
//! Chains, noise variants and endpoint alerts all come through [`Maker::emit`].

use super::lineage::{Acting, Call, Started};
use super::maker::{Maker, Vocabulary, position};
use super::text::{Texts, choose};
use super::{Frame, NONE, lag};
use crate::catalog::template::salt_of;
use crate::catalog::{Account, Catalog, Connection, End, HostClass, Platform, Record, Telemetry};
use crate::plan::TimeLaw;
use crate::plan::chains::Chain;
use crate::random::{Key, below, log_uniform};

/// The words of a record as numbers.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    protocol: i32,
    application: i32,
    syscall: i32,
    audit_key: i32,
    integrity: u8,
    call: u32,
    /// What a chain draws its port by: as it draws `{80|443}` in its texts.
    ports: u64,
}

impl Recipe {
    fn new(record: &Record, vocabulary: &Vocabulary) -> Self {
        let connection = record.connection.as_ref();
        let ports: Vec<String> = connection
            .map(|c| c.ports.iter().map(u16::to_string).collect())
            .unwrap_or_default();
        Recipe {
            ports: salt_of(ports.iter().map(String::as_str)),
            protocol: position(
                &vocabulary.protocols,
                connection.map(|c| c.protocol.as_str()),
            ),
            application: position(
                &vocabulary.applications,
                connection.and_then(|c| c.application.as_deref()),
            ),
            syscall: record
                .syscall
                .as_ref()
                .and_then(|name| vocabulary.syscalls.iter().position(|s| s.0 == *name))
                .map_or(NONE, |i| i as i32),
            audit_key: position(&vocabulary.audit_keys, record.key.as_deref()),
            integrity: position(&vocabulary.integrity, Some(&record.integrity)).max(0) as u8,
            call: record
                .call
                .as_ref()
                .and_then(|call| vocabulary.calls.iter().position(|c| c == call))
                .unwrap_or(0) as u32,
        }
    }

    /// Index into the vocabulary's calls; means nothing where the record has none.
    pub(super) fn call(self) -> u32 {
        self.call
    }
}

/// Recipes in the catalog's nesting: `[scenario][variant][record]`, `[playbook][step][record]`, `[heuristic][record]`.
#[derive(Debug, Clone)]
pub struct Recipes {
    pub variants: Vec<Vec<Vec<Recipe>>>,
    pub playbooks: Vec<Vec<Vec<Recipe>>>,
    pub heuristics: Vec<Vec<Recipe>>,
}

impl Recipes {
    pub fn new(catalog: &Catalog, vocabulary: &Vocabulary) -> Self {
        let list = |records: &[Record]| {
            records
                .iter()
                .map(|r| Recipe::new(r, vocabulary))
                .collect::<Vec<_>>()
        };
        Recipes {
            variants: catalog
                .scenarios
                .iter()
                .map(|s| s.variants.iter().map(|v| list(&v.records)).collect())
                .collect(),
            playbooks: catalog
                .playbooks
                .iter()
                .map(|p| p.steps.iter().map(|s| list(&s.records)).collect())
                .collect(),
            heuristics: catalog
                .heuristics
                .iter()
                .map(|h| list(&h.records))
                .collect(),
        }
    }
}

/// The logon type of a desk that is unlocked: a session of its own, which ends at once.
const UNLOCK: u8 = 7;

/// Every record of the catalog, in file order.
pub fn all_records(catalog: &Catalog) -> impl Iterator<Item = &Record> {
    let variants = catalog
        .scenarios
        .iter()
        .flat_map(|s| &s.variants)
        .flat_map(|v| &v.records);
    let steps = catalog
        .playbooks
        .iter()
        .flat_map(|p| &p.steps)
        .flat_map(|s| &s.records);
    let endpoints = catalog.heuristics.iter().flat_map(|h| &h.records);
    variants.chain(steps).chain(endpoints)
}

/// Where a record happens.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'s> {
    /// The hosts in play; `record.on` and `host:k` point here. Noise: the reporter and its peer.
    pub hosts: &'s [u32],
    pub user: u32,
    pub admin: u32,
    pub adversary: u32,
    /// Texts that stay the same over the whole scene are drawn from here.
    pub key: Key,
    /// What is the event's own.
    pub event: Key,
    /// What a burst of events has in common.
    pub burst: Key,
    pub round: u32,
    /// Tells apart processes of one host and slot.
    pub ordinal: u64,
    /// The stream of what its records start.
    pub stream: u32,
    /// The sequence of records that the event is one of; noise only.
    pub whole: Option<Whole<'s>>,
    pub chain: Option<ChainScene<'s>>,
}

/// A sequence of records with one cause: a visit to a host.
#[derive(Debug, Clone, Copy)]
pub struct Whole<'s> {
    /// Whose records they are.
    pub scenario: usize,
    pub variant: usize,
    /// Times of the variant's rows, and which of them is the first of these.
    pub law: &'s TimeLaw,
    pub first: u64,
    /// Time of its first record, Unix microseconds.
    pub start: i64,
    /// Which of the sequences that open a session.
    pub number: Option<u8>,
    /// Counts its visits to a host.
    pub visit: u64,
}

impl Whole<'_> {
    /// Time of its record `at`, Unix microseconds.
    pub fn time(&self, at: usize) -> i64 {
        self.law.time(self.first + at as u64)
    }
}

/// The chain a scene belongs to.
#[derive(Debug, Clone, Copy)]
pub struct ChainScene<'s> {
    pub index: u32,
    pub chain: &'s Chain,
    pub step: u8,
    /// Processes that the events before have named.
    pub known: &'s Started,
}

impl Maker {
    /// Fills a row from a recipe.
    pub(super) fn emit<'a>(
        &'a self,
        frame: &mut Frame,
        row: usize,
        record: &'a Record,
        recipe: Recipe,
        scene: &Scene<'_>,
    ) {
        if let Some(call) = &record.call {
            return self.emit_call(frame, row, record, call, recipe, scene);
        }
        let host = scene.hosts[record.on.min(scene.hosts.len() - 1)];
        let time = frame.time[row];
        frame.host[row] = host as i32;
        frame.telemetry[row] = record.telemetry;
        frame.success[row] = record.succeeds(scene.event);
        frame.salt[row] = scene.event.at(0x5a17);
        frame.syscall[row] = recipe.syscall;
        frame.audit_key[row] = recipe.audit_key;
        frame.integrity[row] = recipe.integrity;
        frame.facility[row] = record.facility;
        frame.syslog_severity[row] = record.syslog_severity;
        frame.logon_type[row] = record.logon_type;
        frame.query_status[row] = record.query_status(scene.event);
        let account = self.account(scene, record, host);
        frame.user[row] = account as i32;

        if record.telemetry.is_start() {
            let acting = match (scene.chain, record.starts) {
                (Some(_), Some(process)) => self.started(scene, process, time),
                _ => self.start(scene, record, host, time, scene.round),
            };
            let parent = self.acting(scene, record.process, host, acting.process.start);
            frame.native[row] = acting.process.start;
            self.set_process(frame, row, &acting, scene);
            self.set_hashes(frame, row, &acting, scene);
            self.set_parent(frame, row, &parent, scene);
        } else {
            let acting = self.writer(scene, record, host, time);
            let lag = lag(record.telemetry, scene.event.at(1));
            let lag = match (record.telemetry, scene.chain) {
                // An end is the last that a process does, by its own time too.
                (Telemetry::ProcessTermination, Some(of)) => {
                    lag.min(of.chain.steps[usize::from(of.step)].apart())
                }
                _ => lag,
            };
            frame.set_native(row, lag, Some(&acting.process));
            self.set_process(frame, row, &acting, scene);
            if matches!(
                record.telemetry,
                Telemetry::Syscall
                    | Telemetry::ProcessCreated
                    | Telemetry::ServiceInstalled
                    | Telemetry::TaskCreated
                    | Telemetry::TaskUpdated
            ) && let Some(parent) = self.parent(&acting, scene)
            {
                self.set_parent(frame, row, &parent, scene);
            }
            if let Some(target) = record.target {
                // The other process stands where a start has its parent.
                let target = self.acting(scene, target, host, frame.native[row]);
                self.set_parent(frame, row, &target, scene);
            }
            if record.telemetry.is_of_session() {
                // The session that opens is the account's, not the logging process's.
                let session = match record.logon_type {
                    UNLOCK => self.unlocking(scene, host, account, time),
                    _ => self.session(scene, record.on, host, account, time),
                };
                frame.process.session_id[row] = session.id;
                frame.process.session_start[row] = session.start;
            }
        }
        self.set_login(frame, row, scene, record.process);
        self.set_session(frame, row, record, scene);
        if let Some(connection) = &record.connection {
            self.connect(frame, row, connection, recipe, scene, host);
        }
        if let Some(answer) = &record.answer
            && frame.query_status[row] == 0
        {
            frame.answer[row] = self.address(answer, scene, host) as i32;
        }
        let mut texts = Texts::new(self, scene, host, account);
        texts.source = frame.source[row];
        texts.destination = frame.destination[row];
        texts.client_port = if frame.client_is_source[row] {
            frame.source_port[row]
        } else {
            frame.destination_port[row]
        };
        texts.pid = frame.process.pid[row];
        texts.time = frame.time[row];
        let put = |column: &mut super::TextColumn, template: &Option<crate::catalog::Template>| {
            if let Some(template) = template {
                texts.set(column, row, template);
            }
        };
        put(&mut frame.directory, self.directory(scene, record));
        put(&mut frame.file, &record.file);
        put(&mut frame.registry, &record.registry);
        put(&mut frame.details, &record.details);
        put(&mut frame.query, &record.query);
        put(&mut frame.url, &record.url);
        put(&mut frame.message, &record.message);
        if matches!(record.telemetry, Telemetry::UserCmd) {
            // sudo's own record: the command it ran is the record's, not sudo's.
            put(&mut frame.process.command, &record.command);
        }
        for (slot, template) in &record.data {
            texts.set(&mut frame.data[*slot], row, template);
        }
    }

    /// Whom a record is about.
    pub(super) fn account(&self, scene: &Scene<'_>, record: &Record, host: u32) -> u32 {
        match record.account {
            Account::OtherUser => return self.other_user(scene),
            Account::DisabledUser => {
                let disabled = self.world.accounts.disabled();
                let count = u64::from(disabled.end - disabled.start);
                if count > 0 {
                    return disabled.start + below(scene.burst.at(0xd15a), count) as u32;
                }
            }
            Account::PeerMachine if scene.hosts.len() > 1 => {
                return self.world.accounts.machine(scene.hosts[1]);
            }
            Account::PeerUser if scene.hosts.len() > 1 => {
                return self.world.hosts[scene.hosts[1]].user;
            }
            _ => {}
        }
        let platform = self.world.hosts[host].platform;
        let accounts = &self.world.accounts;
        accounts.resolve(&record.account, platform, host, scene.user, scene.admin)
    }

    /// Some user, by the scene and its round.
    fn other_user(&self, scene: &Scene<'_>) -> u32 {
        let users = self.world.accounts.users();
        let count = u64::from(users.end - users.start).max(1);
        users.start + below(scene.key.at2(0x07e5, u64::from(scene.round)), count) as u32
    }

    /// Writes an acting process into a row.
    pub(super) fn set_process(
        &self,
        frame: &mut Frame,
        row: usize,
        acting: &Acting<'_>,
        scene: &Scene<'_>,
    ) {
        let process = &mut frame.process;
        process.set(row, &acting.process);
        let path = self.path(&mut process.path, acting, scene);
        process.path.set_key(row, path);
        let command = self.command(&mut process.command, acting, scene);
        process.command.set_key(row, command);
    }

    /// Writes the hashes of a started process's image into a row.
    fn set_hashes(&self, frame: &mut Frame, row: usize, acting: &Acting<'_>, scene: &Scene<'_>) {
        let hashes = &mut frame.hashes;
        let image = &self.catalog.images[acting.process.image as usize];
        if image.platform == Platform::Windows {
            let known = image.path.as_literal().is_some();
            let key = if known {
                let systems = self.world.hosts.systems.len() as i32;
                acting.process.image as i32 * systems + i32::from(self.world.hosts[acting.host].os)
            } else {
                hashes.add(&super::text::hashes(
                    scene.key.with(u64::from(acting.process.image)),
                ))
            };
            hashes.set_key(row, key);
        }
    }

    pub(super) fn set_parent(
        &self,
        frame: &mut Frame,
        row: usize,
        acting: &Acting<'_>,
        scene: &Scene<'_>,
    ) {
        frame.parent.set(row, &acting.process);
        self.set_parent_texts(frame, row, acting, scene);
    }

    pub(super) fn set_parent_texts(
        &self,
        frame: &mut Frame,
        row: usize,
        acting: &Acting<'_>,
        scene: &Scene<'_>,
    ) {
        let parent = &mut frame.parent;
        let path = self.path(&mut parent.path, acting, scene);
        parent.path.set_key(row, path);
        let command = self.command(&mut parent.command, acting, scene);
        parent.command.set_key(row, command);
    }

    fn path(&self, column: &mut super::TextColumn, acting: &Acting<'_>, scene: &Scene<'_>) -> i32 {
        let template = &self.catalog.images[acting.process.image as usize].path;
        if template.as_literal().is_some() {
            return acting.process.image as i32;
        }
        let texts = Texts::new(self, scene, acting.host, acting.process.account);
        texts.add(column, template)
    }

    fn command(
        &self,
        column: &mut super::TextColumn,
        acting: &Acting<'_>,
        scene: &Scene<'_>,
    ) -> i32 {
        let template = match acting.call {
            Call::Resident(r) => {
                let template = &self.catalog.residents[r].command;
                if template.as_literal().is_some() {
                    return r as i32;
                }
                template
            }
            Call::Child => return self.path_as_command(column, acting, scene),
            Call::Program(program) => choose(&program.commands, scene.key.at(0xc033)),
            Call::Record(record) => match &record.command {
                Some(template) => template,
                None => return self.path_as_command(column, acting, scene),
            },
        };
        let at_round = Scene {
            round: acting.round,
            ..*scene
        };
        let texts = Texts::new(self, &at_round, acting.host, acting.process.account);
        texts.add(column, template)
    }

    fn path_as_command(
        &self,
        column: &mut super::TextColumn,
        acting: &Acting<'_>,
        scene: &Scene<'_>,
    ) -> i32 {
        let template = &self.catalog.images[acting.process.image as usize].path;
        let texts = Texts::new(self, scene, acting.host, acting.process.account);
        texts.add(column, template)
    }

    /// The address of an end.
    fn address(&self, end: &End, scene: &Scene<'_>, host: u32) -> u32 {
        match end {
            End::Host => host,
            End::ChainHost(k) => scene.hosts[(*k).min(scene.hosts.len() - 1)],
            End::Class(class) => match scene.chain {
                // Another one every round: what goes through a network meets many.
                Some(_) => self.class_member(*class, scene.key.with(u64::from(scene.round)), host),
                None => scene.hosts[1.min(scene.hosts.len() - 1)],
            },
            End::Device(device) => {
                let addresses = &self.world.addresses;
                let found = addresses.device(*device, host, scene.event.at(0x0de7));
                found.unwrap_or_else(|| self.resolver(host))
            }
            End::Adversary(purpose) => self.world.addresses.adversary(scene.adversary, *purpose),
            End::Internet => {
                let service = super::text::service(self, scene);
                self.world.addresses.benign(service, scene.event.at(2))
            }
            End::Resolver => self.resolver(host),
        }
    }

    /// A keyed member of a class, another host if there is one.
    pub(super) fn class_member(&self, class: HostClass, key: Key, host: u32) -> u32 {
        let list = self.world.class(class);
        let mut at = key.below(0xc1a5, list.len() as u64) as usize;
        if list[at] == host {
            at = (at + 1) % list.len();
        }
        list[at]
    }

    /// The domain controller that resolves names for a host.
    pub(super) fn resolver(&self, host: u32) -> u32 {
        let list = self.world.class(HostClass::DomainController);
        list[host as usize % list.len()]
    }

    fn connect(
        &self,
        frame: &mut Frame,
        row: usize,
        connection: &Connection,
        recipe: Recipe,
        scene: &Scene<'_>,
        host: u32,
    ) {
        let from = match connection.from {
            // Who comes from the Internet is a client, not one of its services.
            End::Internet => {
                let addresses = &self.world.addresses;
                addresses.client(scene.burst.at(8), scene.burst.at(9))
            }
            _ => self.address(&connection.from, scene, host),
        };
        let to = self.address(&connection.to, scene, host);
        frame.source[row] = from as i32;
        frame.destination[row] = to as i32;
        frame.protocol[row] = recipe.protocol;
        frame.application[row] = recipe.application;
        frame.client_is_source[row] = true;
        if !crate::grounding::protocol::is_portless(&connection.protocol) {
            let count = connection.ports.len() as u64;
            let nth = match scene.chain {
                Some(_) => scene.key.below(recipe.ports, count),
                None => below(scene.event.at(3), count),
            };
            let port = connection.ports[nth as usize];
            frame.destination_port[row] = i32::from(port);
            // Records of one connection have its port, whichever end writes them.
            let flow = match scene.chain {
                Some(c) => scene
                    .key
                    .with(u64::from(scene.round) << 8 | u64::from(c.step))
                    .with(u64::from(from) << 32 | u64::from(to)),
                None if scene.whole.is_some() => {
                    (scene.event.with(u64::from(port))).with(u64::from(from) << 32 | u64::from(to))
                }
                None => scene.event,
            };
            frame.source_port[row] = self.ephemeral(from, flow.at(4));
        }
        let out = log_uniform(
            scene.event.at(5),
            connection.bytes_out[0],
            connection.bytes_out[1],
        );
        // An answer grows with its question: half of its draw is the question's.
        let answer = (scene.event.at(5) >> 1) + (scene.event.at(6) >> 1);
        let back = log_uniform(answer, connection.bytes_in[0], connection.bytes_in[1]);
        frame.source_bytes[row] = out as i64;
        frame.destination_bytes[row] = back as i64;
    }

    /// A client port of the range that the client's operating system uses.
    #[inline]
    pub(super) fn ephemeral(&self, address: u32, bits: u64) -> i32 {
        let windows = if self.world.addresses.is_host(address) {
            self.world.hosts[address].platform == Platform::Windows
        } else {
            !self.world.addresses.is_device(address) && address.is_multiple_of(2)
        };
        if windows {
            49_152 + below(bits, 16_384) as i32
        } else {
            32_768 + below(bits, 28_232) as i32
        }
    }
}
