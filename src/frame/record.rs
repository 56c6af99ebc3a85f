//! Turns a catalog record into a row: hosts, accounts, processes, texts, connection.
//!
//! Chains, noise and endpoint alerts all come through [`Records::emit`].

use super::cloud::CloudRecords;
use super::lineage::Lineage;
use super::logins::Logins;
use super::processes::Processes;
use super::recipe::Recipe;
use super::scene::{BurstSlot, EventSlot, Scene};
use super::text::{Texts, service};
use super::{Frame, TextColumn};
use crate::catalog::{
    Catalog, Connection, End, Placeholder, ProcessRef, Record, Telemetry, Template,
};
use crate::day::lag;
use crate::ids::HostId;
use crate::kinds::Stamp;
use crate::random::{Draws, Key, chance, log_uniform};
use crate::world::World;

/// The logon type of a desk that is unlocked: a session of its own, which ends at once.
const UNLOCK: u8 = 7;

/// Share of the writes of a registry value that write the same again, per million (recorded: 0.84).
const KEPT: u32 = 840_000;
/// The port of multicast DNS, at both ends.
const MDNS: u16 = 5_353;

/// Fills rows from catalog records.
#[derive(Debug, Clone, Copy)]
pub(super) struct Records<'m> {
    pub world: &'m World,
    pub catalog: &'m Catalog,
    pub lineage: Lineage<'m>,
    pub logins: Logins<'m>,
    pub processes: Processes<'m>,
    pub cloud: CloudRecords<'m>,
}

impl<'m> Records<'m> {
    /// Fills a row from a recipe.
    pub(super) fn emit(
        &self,
        frame: &mut Frame,
        row: usize,
        record: &'m Record,
        recipe: Recipe,
        scene: &Scene<'_>,
    ) {
        if let Some(call) = &record.call {
            return self.cloud.emit(frame, row, record, call, recipe, scene);
        }
        let host = scene.reporter(record);
        let resolves = scene.event.bits(EventSlot::Before);
        frame.host[row] = host;
        frame.telemetry[row] = record.telemetry;
        frame.success[row] = record.succeeds(resolves);
        frame.salt[row] = scene.event.bits(EventSlot::Salt);
        frame.syscall[row] = recipe.syscall;
        frame.audit_key[row] = recipe.audit_key;
        frame.integrity[row] = recipe.integrity;
        frame.facility[row] = record.facility;
        frame.syslog_severity[row] = record.syslog_severity;
        frame.logon_type[row] = record.logon_type;
        frame.query_status[row] = record.query_status(resolves);
        let account = scene.account(self.world, record, host);
        frame.user[row] = account;

        match record.telemetry.is_start() {
            true => self.start(frame, row, record, scene, host),
            false => self.doing(frame, row, record, scene, host),
        }
        self.logins.set_login(frame, row, scene, record.process);
        self.logins.set_session(frame, row, record, scene);
        if let Some(connection) = &record.connection {
            self.connect(frame, row, connection, recipe, scene, host);
        }
        if let Some(answer) = &record.answer
            && frame.query_status[row] == 0
        {
            frame.answer[row] = self.address(answer, scene, host) as i32;
        }
        self.set_texts(frame, row, record, scene, host);
    }

    /// Fills the started process of a record, and its parent.
    fn start(
        &self,
        frame: &mut Frame,
        row: usize,
        record: &'m Record,
        scene: &Scene<'_>,
        host: HostId,
    ) {
        let (lineage, processes) = (&self.lineage, &self.processes);
        let time = frame.time[row];
        let acting = match (scene.chain, scene.cast, record.starts) {
            (Some(_), _, Some(process)) => lineage.started(scene, process, time),
            (None, Some(_), Some(process)) => {
                lineage.acting(scene, ProcessRef::Started(process), host, time)
            }
            _ => lineage.start(scene, record, host, time, scene.round),
        };
        let parent = lineage.acting(scene, record.process, host, acting.process.start);
        frame.native[row] = acting.process.start;
        processes.set(&mut frame.process, row, &acting, scene);
        processes.set_hashes(frame, row, &acting, scene);
        processes.set(&mut frame.parent, row, &parent, scene);
    }

    /// Gives a row whose kind is stamped by the system tick the last tick of its host.
    pub(super) fn stamp(&self, frame: &mut Frame, row: usize) {
        if frame.telemetry[row].kind().stamp == Stamp::Tick {
            let days = &self.lineage.plan.scripts.days;
            frame.native[row] = days.tick(frame.host[row], frame.native[row]);
        }
    }

    /// Fills the process that acts in a record, and the one that it acts on.
    fn doing(
        &self,
        frame: &mut Frame,
        row: usize,
        record: &'m Record,
        scene: &Scene<'_>,
        host: HostId,
    ) {
        let (lineage, processes) = (&self.lineage, &self.processes);
        let time = frame.time[row];
        let acting = self.logins.writer(scene, record, host, time);
        let lag = lag(record.telemetry, scene.event.bits(EventSlot::Lag));
        let lag = match (record.telemetry, scene.chain) {
            // A process's end is its last record by UtcTime, too.
            (Telemetry::ProcessTermination, Some(of)) => {
                lag.min(of.chain.steps[usize::from(of.step)].apart())
            }
            _ => lag,
        };
        frame.set_native(row, lag, Some(&acting.process));
        self.stamp(frame, row);
        processes.set(&mut frame.process, row, &acting, scene);
        if matches!(
            record.telemetry,
            Telemetry::Syscall
                | Telemetry::ProcessCreated
                | Telemetry::ServiceInstalled
                | Telemetry::TaskCreated
                | Telemetry::TaskUpdated
        ) && let Some(parent) = lineage.parent(&acting, scene)
        {
            processes.set(&mut frame.parent, row, &parent, scene);
        }
        if let Some(target) = record.target {
            let target = lineage.acting(scene, target, host, frame.native[row]);
            processes.set_target(frame, row, &target, scene);
        }
        if record.telemetry.is_of_session() {
            // The session that opens is the account's, not the logging process's.
            let account = frame.user[row];
            let sessions = &lineage.sessions;
            let session = match record.logon_type {
                UNLOCK => sessions.unlocking(scene, host, account, time),
                _ => sessions.session(scene, record.on, host, account, time),
            };
            frame.process.session_id[row] = session.id;
            frame.process.session_start[row] = session.start;
        }
    }

    /// Renders the templates of a record, from what its row has by now.
    fn set_texts(
        &self,
        frame: &mut Frame,
        row: usize,
        record: &Record,
        scene: &Scene<'_>,
        host: HostId,
    ) {
        let account = frame.user[row];
        let mut texts = Texts::new((self.world, self.catalog), scene, host, account);
        texts.source = frame.source[row];
        texts.destination = frame.destination[row];
        texts.client_port = if frame.client_is_source[row] {
            frame.source_port[row]
        } else {
            frame.destination_port[row]
        };
        texts.pid = frame.process.pid[row];
        texts.time = frame.time[row];
        let put = |column: &mut TextColumn, template: &Option<Template>| {
            if let Some(template) = template {
                texts.set(column, row, template);
            }
        };
        put(&mut frame.directory, self.lineage.directory(scene, record));
        put(&mut frame.file, &record.file);
        put(&mut frame.registry, &record.registry);
        match scene.cast {
            Some(_) => self.set_details(frame, row, record, scene, host),
            None => put(&mut frame.details, &record.details),
        }
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

    /// Sets the value that a run of a routine writes. Most writes of a value do not change it.
    fn set_details(
        &self,
        frame: &mut Frame,
        row: usize,
        record: &Record,
        scene: &Scene<'_>,
        host: HostId,
    ) {
        let Some(template) = &record.details else {
            return;
        };
        let mut kept = *scene;
        if chance(scene.burst.bits(BurstSlot::Keeps), KEPT) {
            let path = frame.registry.text(row);
            kept.key = Draws::new(self.world.host_key(host).child(path));
        }
        let account = frame.user[row];
        let mut texts = Texts::new((self.world, self.catalog), &kept, host, account);
        texts.pid = frame.process.pid[row];
        texts.time = frame.time[row];
        texts.set(&mut frame.details, row, template);
    }

    /// The address of an end.
    fn address(&self, end: &End, scene: &Scene<'_>, host: HostId) -> u32 {
        match end {
            End::Host => self.world.addresses.of_host(host),
            End::ChainHost(k) => {
                let host = scene.hosts[(*k).min(scene.hosts.len() - 1)];
                self.world.addresses.of_host(host)
            }
            End::Class(class) => {
                let other = match scene.chain {
                    // Another one every round: what goes through a network meets many.
                    Some(_) => {
                        let key = scene.key.key().with(u64::from(scene.round));
                        self.world.another(*class, key, host)
                    }
                    None => scene.hosts[1.min(scene.hosts.len() - 1)],
                };
                self.world.addresses.of_host(other)
            }
            End::Device(device) => {
                let addresses = &self.world.addresses;
                let found = addresses.device(*device, host, scene.event.bits(EventSlot::Device));
                found.unwrap_or_else(|| addresses.of_host(self.world.resolver(host)))
            }
            End::Adversary(purpose) => self.world.addresses.adversary(scene.adversary, *purpose),
            End::Internet => {
                let service = service(&self.catalog.names, scene);
                match scene.cast {
                    // A run connects to the address that it was told.
                    Some(cast) => {
                        let service = self.asked(cast.routine, scene, host).unwrap_or(service);
                        let address = scene.burst.bits(BurstSlot::ServiceAddress);
                        self.world.addresses.benign(service, address)
                    }
                    None => {
                        let address = scene.event.bits(EventSlot::ServiceAddress);
                        self.world.addresses.benign(service, address)
                    }
                }
            }
            End::Resolver => self.world.addresses.of_host(self.world.resolver(host)),
            End::Local(local) => self.world.addresses.local_ends(*local, host).1,
        }
    }

    /// The service behind the name that a run of a routine asks for: always the same for one name.
    fn asked(&self, routine: usize, scene: &Scene<'_>, host: HostId) -> Option<u32> {
        let steps = &self.catalog.routines[routine].steps;
        let query = steps.iter().find_map(|step| step.record.query.as_ref())?;
        if query.placeholders().any(|p| p == Placeholder::Service) {
            return None;
        }
        let account = self.world.hosts[host].user;
        let texts = Texts::new((self.world, self.catalog), scene, host, account);
        let services = self.catalog.names.services.len() as u64;
        Some(Key::root(0xd5).child(&texts.text(query)).below(0, services) as u32)
    }

    fn connect(
        &self,
        frame: &mut Frame,
        row: usize,
        connection: &Connection,
        recipe: Recipe,
        scene: &Scene<'_>,
        host: HostId,
    ) {
        let client = match connection.from {
            // Who comes from the Internet is a client, not one of its services.
            End::Internet => {
                let addresses = &self.world.addresses;
                addresses.client(
                    scene.burst.bits(BurstSlot::ClientRank),
                    scene.burst.bits(BurstSlot::ClientAddress),
                )
            }
            _ => self.address(&connection.from, scene, host),
        };
        let (from, to) = match connection.to {
            End::Local(local) => self.world.addresses.local_ends(local, host),
            _ => (client, self.address(&connection.to, scene, host)),
        };
        frame.source[row] = from as i32;
        frame.destination[row] = to as i32;
        frame.protocol[row] = recipe.protocol;
        frame.application[row] = recipe.application;
        frame.client_is_source[row] = true;
        if !crate::grounding::protocol::is_portless(&connection.protocol) {
            let count = connection.ports.len() as u64;
            let nth = match scene.chain {
                Some(_) => scene.key.key().below(recipe.ports, count),
                None => scene.event.below(EventSlot::ServicePort, count),
            };
            let port = connection.ports[nth as usize];
            frame.destination_port[row] = i32::from(port);
            // Both ends of a connection record the same client port.
            let ends = u64::from(from) << 32 | u64::from(to);
            let flow = match scene.chain {
                Some(c) => {
                    let moment = u64::from(scene.round) << 8 | u64::from(c.step);
                    Draws::new(scene.key.key().with(moment).with(ends))
                }
                None if scene.whole.is_some() => {
                    Draws::new(scene.event.key().with(u64::from(port)).with(ends))
                }
                None => scene.event,
            };
            let bits = flow.bits(EventSlot::ClientPort);
            frame.source_port[row] = match port {
                MDNS => i32::from(MDNS),
                _ => self.world.client_port(client, bits),
            };
        }
        let out = log_uniform(
            scene.event.bits(EventSlot::BytesOut),
            connection.bytes_out[0],
            connection.bytes_out[1],
        );
        // An answer grows with its question: half of its draw is the question's.
        let answer = (scene.event.bits(EventSlot::BytesOut) >> 1)
            + (scene.event.bits(EventSlot::BytesIn) >> 1);
        let back = log_uniform(answer, connection.bytes_in[0], connection.bytes_in[1]);
        frame.source_bytes[row] = out as i64;
        frame.destination_bytes[row] = back as i64;
    }
}
