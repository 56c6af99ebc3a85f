//! Standalone alerts: a sensor's detection, fused with the reporting host's own record of that flow.

mod linux;
mod requests;
mod tables;

use super::maker::Maker;
use super::merge::Row;
use super::record::Scene;
use super::{Frame, NONE, lag};
use crate::catalog::{HostClass, Platform, Telemetry, scenario::Verdict};
use crate::plan::TimeLaw;
use crate::random::{Key, below, chance};
use crate::world::processes::{ALERT_STREAM, OTHER_STREAM};
use crate::world::starts::STARTING;
pub use tables::AlertTables;
use tables::{KINDS, Kind};

/// What switches, printers and hypervisors serve.
const DEVICE_PORTS: [i32; 14] = [
    22, 23, 53, 80, 123, 161, 427, 443, 515, 631, 902, 8080, 8443, 9100,
];

/// A flow as its reporting host saw it.
struct Flow {
    /// That host opened it.
    initiated: bool,
    answered: bool,
    /// From inside to outside.
    outwards: bool,
    /// The service's.
    port: i32,
}

/// An alert that starts a process whose end is seen.
#[derive(Debug, Clone, Copy)]
struct Start {
    nth: u64,
    /// Its category, among those that have such alerts.
    number: u8,
}

impl Maker {
    /// `starts` is the key of which of the date's alerts start a process.
    pub(super) fn fill_alerts<'r>(
        &self,
        frame: &mut Frame,
        key: Key,
        starts: Key,
        mine: impl Iterator<Item = (usize, &'r Row)>,
    ) {
        let category = frame.category;
        let of_category = &self.alerts.categories[category as usize];
        if of_category.tuples.is_empty() {
            return;
        }
        let strata = &self.world.detections.starts[category as usize];
        let mut stream = key.rows();
        for (row, at) in mine {
            let draws = stream.row(at.ordinal);
            if let Some(strata) = strata
                && let Some(nth) = strata.nth(starts, at.ordinal)
            {
                let number = strata.number;
                self.start_alert(frame, row, category, Start { nth, number }, at, draws);
                continue;
            }
            let tuple = of_category.tuples[of_category.alias.draw(draws[0])];
            frame.rule[row] = tuple as i32;
            frame.verdict[row] = Verdict::BenignTrigger;
            let detection = &self.world.detections.all[tuple as usize];
            let Some(heuristic) = detection.endpoint else {
                self.flow_alert(frame, row, tuple as usize, draws);
                continue;
            };
            let records = &self.alerts.tuples[tuple as usize].records;
            let fitting = &records[usize::from(strata.is_some())];
            let nth = below(draws[1], fitting.len().max(1) as u64) as usize;
            let choice = fitting.get(nth).copied().unwrap_or(0);
            self.endpoint_alert(frame, row, (heuristic, choice), None, at, draws);
        }
    }

    /// Fills ends of processes that the alerts of a category start; `key` is of those.
    pub(super) fn fill_exits<'r>(
        &self,
        frame: &mut Frame,
        key: Key,
        category: u32,
        law: &TimeLaw,
        mine: impl Iterator<Item = (usize, &'r Row)>,
    ) {
        let Some(exits) = law.exits() else { return };
        let mut stream = key.rows();
        for (row, at) in mine {
            let ordinal = law.start(at.ordinal);
            let alert = Row {
                time: law.start_time(ordinal),
                ordinal,
                ..*at
            };
            let draws = stream.row(ordinal);
            // The start is made again, and what an end tells of it stays.
            frame.time[row] = alert.time;
            let start = Start {
                nth: exits.nth(at.ordinal),
                number: exits.starts.number,
            };
            self.start_alert(frame, row, category, start, &alert, draws);
            frame.time[row] = at.time;
            self.end_instead(frame, row, Key::root(draws[7]).child("exit"));
        }
    }

    /// An endpoint detection that stands on a process's start.
    fn start_alert(
        &self,
        frame: &mut Frame,
        row: usize,
        category: u32,
        start: Start,
        at: &Row,
        draws: [u64; 8],
    ) {
        let (ways, alias) = &self.alerts.categories[category as usize].starts;
        let way = &ways[alias.draw(draws[0])];
        frame.rule[row] = way.tuple as i32;
        frame.verdict[row] = Verdict::BenignTrigger;
        self.endpoint_alert(frame, row, way.record, Some(start), at, draws);
    }

    /// An endpoint detection: the record that the keyword rule says it stands on.
    fn endpoint_alert(
        &self,
        frame: &mut Frame,
        row: usize,
        (heuristic, choice): (usize, usize),
        start: Option<Start>,
        at: &Row,
        draws: [u64; 8],
    ) {
        let record = &self.catalog.heuristics[heuristic].records[choice];
        let host = match record.telemetry.platform().unwrap_or(Platform::Windows) {
            Platform::Windows if chance(draws[2], 800_000) => self
                .world
                .wheel(at.time.div_euclid(1_000_000))
                .active_workstation(draws[3]),
            Platform::Windows => {
                *super::text::choose(self.world.class(HostClass::WindowsServer), draws[3])
            }
            Platform::Linux => {
                *super::text::choose(self.world.class(HostClass::LinuxServer), draws[3])
            }
        };
        let peer = self.class_member(HostClass::WindowsServer, Key::root(draws[4]), host);
        let scene = Scene {
            hosts: &[host, peer],
            user: self.world.hosts[host].user,
            admin: self.world.administrator(host, draws[7]),
            adversary: below(draws[5], u64::from(self.world.adversaries.count())) as u32,
            key: Key::root(draws[6]),
            event: Key::root(draws[7]),
            burst: Key::root(draws[7]),
            round: 0,
            ordinal: start.map_or(at.ordinal, |start| {
                start.nth * STARTING as u64 + u64::from(start.number)
            }),
            stream: start.map_or(OTHER_STREAM, |_| ALERT_STREAM),
            whole: None,
            chain: None,
        };
        self.emit(
            frame,
            row,
            record,
            self.recipes.heuristics[heuristic][choice],
            &scene,
        );
        let tuple = &self.alerts.tuples[frame.rule[row] as usize];
        frame.blocked[row] = tuple.blocked;
        frame.success[row] &= !tuple.blocked;
    }

    /// A network detection and the reporting host's record of the flow.
    fn flow_alert(&self, frame: &mut Frame, row: usize, tuple: usize, draws: [u64; 8]) {
        let t = &self.alerts.tuples[tuple];
        let platform = self.world.detections.all[tuple].platform;
        let service_port = if t.spread_ports {
            1 + below(draws[1], 65_535) as i32
        } else {
            t.service_port
        };
        let kind_bits = draws[2] >> 32;
        let kind = KINDS[t.ends.iter().position(|&e| kind_bits < e).unwrap_or(2)];

        // Client and server, given the tuple.
        let addresses = &self.world.addresses;
        let known_port = t
            .client_ports
            .get(t.client_port_weights.draw(draws[7].rotate_left(9)))
            .copied();
        // Of a device, the other end tells.
        let device = |ranks: &tables::Ranks, bits| match kind {
            Kind::InternalInternal => ranks.device(&self.world, bits),
            _ => None,
        };
        let serves = t.portless || DEVICE_PORTS.contains(&service_port);
        let serving = match platform {
            None if serves => device(&self.alerts.services, draws[5]),
            _ => None,
        };
        let asking = match serving {
            Some(_) => None,
            None => device(&self.alerts.clients, draws[3]),
        };
        let client_reports =
            serving.is_some() || matches!(kind, Kind::InternalExternal | Kind::Multicast);
        let client_class = match (known_port, platform) {
            // A client port outside Windows' ephemeral range is another system's, unless
            // what fired is of the client's own.
            (Some(32_768..49_152), None) => HostClass::Linux,
            (Some(61_000..), None) => HostClass::Windows,
            (Some(32_768..49_152), _) if !client_reports => HostClass::Linux,
            (Some(61_000..), _) if !client_reports => HostClass::Windows,
            (_, platform) => match platform {
                Some(Platform::Windows) => HostClass::Windows,
                Some(Platform::Linux) => HostClass::Linux,
                None => HostClass::Any,
            },
        };
        let internal_client = || {
            // Names are asked by clients, and passed on by resolvers only.
            if service_port == 53 && kind == Kind::InternalExternal {
                return *super::text::choose(
                    self.world.class(HostClass::DomainController),
                    draws[3],
                );
            }
            self.alerts
                .clients
                .draw(&self.world, client_class, None, draws[3], draws[4])
        };
        let internal_service = |outside: bool| {
            let class = self.service_class(service_port, platform, outside);
            self.alerts
                .services
                .draw(&self.world, class, platform, draws[5], draws[6])
        };
        let (client, server) = match kind {
            Kind::InternalInternal => {
                let server = serving.unwrap_or_else(|| internal_service(false));
                let mut client = asking.unwrap_or_else(internal_client);
                if client == server {
                    client = self.class_member(client_class, Key::root(draws[4]), server);
                }
                (client, server)
            }
            Kind::InternalExternal => (internal_client(), addresses.service(draws[5], draws[6])),
            Kind::ExternalInternal | Kind::ExternalExternal => {
                (addresses.client(draws[3], draws[4]), internal_service(true))
            }
            Kind::Multicast => {
                let client = internal_client();
                (
                    client,
                    addresses
                        .multicast(draws[5])
                        .unwrap_or_else(|| self.resolver(client)),
                )
            }
        };
        if kind == Kind::ExternalInternal {
            frame.verdict[row] = Verdict::Attempt;
        }
        // The owner of the destination reports, or who initiated.
        let event = Key::root(draws[7]);
        let host = match kind {
            Kind::InternalExternal | Kind::Multicast => client,
            Kind::InternalInternal if serving.is_some() => client,
            Kind::InternalInternal if asking.is_some() => server,
            Kind::InternalInternal
                if event.below(1, 4) == 0
                    && platform.is_none_or(|p| self.world.hosts[client].platform == p) =>
            {
                client
            }
            _ => server,
        };
        let initiated = host == client;

        // Ports, bytes.
        let (client_port, server_port) = if t.portless {
            (NONE, NONE)
        } else {
            let port = match known_port {
                Some(port) => i32::from(port),
                None => self.ephemeral(client, event.at(3)),
            };
            (
                port,
                if service_port == NONE {
                    self.ephemeral(server, event.at(4))
                } else {
                    service_port
                },
            )
        };
        let pairs = &self.alerts.bytes[t.bytes];
        let (to_server, to_client) = pairs[below(event.at(5), pairs.len() as u64) as usize];
        let vary = |bytes: u64, bits: u64| {
            // Up to an eighth more or less than a real flow's.
            if bytes < 64 {
                bytes
            } else {
                bytes - bytes / 8 + below(bits, bytes / 4 + 1)
            }
        };
        let (to_server, to_client) = (
            vary(to_server, event.at(6)) as i64,
            vary(to_client, event.at(7)) as i64,
        );

        let to_client_alert = t.direction == 2;
        let sides = if to_client_alert {
            (
                server,
                client,
                server_port,
                client_port,
                to_client,
                to_server,
            )
        } else {
            (
                client,
                server,
                client_port,
                server_port,
                to_server,
                to_client,
            )
        };
        frame.source[row] = sides.0 as i32;
        frame.destination[row] = sides.1 as i32;
        frame.source_port[row] = sides.2;
        frame.destination_port[row] = sides.3;
        frame.source_bytes[row] = sides.4;
        frame.destination_bytes[row] = sides.5;
        frame.client_is_source[row] = !to_client_alert;
        frame.protocol[row] = t.protocol;
        frame.application[row] = t.application;
        frame.direction[row] = t.direction;
        frame.blocked[row] = t.blocked;
        frame.success[row] = !t.blocked;
        frame.salt[row] = event.at(8);
        frame.host[row] = host as i32;
        let flow = Flow {
            initiated,
            answered: to_client > 0 && !t.portless && kind != Kind::Multicast,
            outwards: kind == Kind::InternalExternal,
            port: service_port,
        };
        match self.world.hosts[host].platform {
            Platform::Windows => self.windows_flow(frame, row, host, &flow),
            Platform::Linux => self.linux_flow(frame, row, host, &flow),
        }
        frame.set_native_from_process(row, lag(frame.telemetry[row], event.at(9)));
    }

    /// Hosts that run what listens on a port.
    fn service_class(&self, port: i32, platform: Option<Platform>, outside: bool) -> HostClass {
        match (port, platform) {
            // From outside only published hosts are reached.
            (_, Some(Platform::Windows)) if !outside => match port {
                88 | 389 | 464 | 636 | 3268 => HostClass::DomainController,
                _ => HostClass::Windows,
            },
            (_, _) if outside => HostClass::Dmz,
            (53, _) => HostClass::DomainController,
            (80 | 443 | 8080 | 8443 | 8888, _) => HostClass::WebServer,
            (25 | 110 | 143 | 465 | 587 | 993, _) => HostClass::MailServer,
            (1433 | 1521 | 3306 | 5432, _) => HostClass::DatabaseServer,
            (_, Some(Platform::Linux)) => HostClass::LinuxServer,
            _ => HostClass::Any,
        }
    }

    fn windows_flow(&self, frame: &mut Frame, row: usize, host: u32, flow: &Flow) {
        let &Flow {
            initiated,
            answered,
            outwards,
            port,
        } = flow;
        let h = &self.world.hosts[host];
        let application = usize::try_from(frame.application[row])
            .ok()
            .and_then(|a| self.vocabulary.applications.get(a))
            .map_or("", String::as_str);
        let owner = if frame.destination_port[row] == NONE {
            None
        } else if initiated {
            let bits = Key::root(frame.salt[row]);
            // Few are at work at night, but locked sessions go on: two of three desks keep theirs.
            let in_use = self.world.in_use(frame.time[row].div_euclid(1_000_000));
            let in_session = bits.below(7, 600) < in_use.max(400);
            self.owners
                .windows_client(h, port, application, outwards, in_session, bits.at(6))
        } else {
            self.owners.windows_server(h, port)
        };
        // Sysmon logs connections; what was not answered, or has no ports, only the filtering platform
        // saw. What the kernel accepts (SMB, WinRM) is too much for Sysmon's configuration.
        let is_served_by_kernel = !initiated && owner == Some(self.owners.system);
        let is_logged = answered && owner.is_some() && !is_served_by_kernel;
        frame.telemetry[row] = match (frame.blocked[row], is_logged) {
            (true, _) => Telemetry::ConnectionBlocked,
            (false, true) => Telemetry::NetworkConnection,
            (false, false) => Telemetry::ConnectionPermitted,
        };
        let owner = owner.unwrap_or(self.owners.system);
        self.set_owner(frame, row, host, owner);
    }

    /// Writes the process that owns a flow.
    fn set_owner(&self, frame: &mut Frame, row: usize, host: u32, owner: usize) {
        let acting = self.resident(host, owner, frame.time[row]);
        let key = Key::root(frame.salt[row]);
        self.set_process(frame, row, &acting, &self.flow_scene(&[host], key));
        frame.user[row] = acting.process.account as i32;
    }

    fn flow_scene<'s>(&self, hosts: &'s [u32; 1], key: Key) -> Scene<'s> {
        let user = self.world.hosts[hosts[0]].user;
        Scene {
            hosts,
            user,
            admin: user,
            adversary: 0,
            key,
            event: key,
            burst: key,
            round: 0,
            ordinal: 0,
            stream: OTHER_STREAM,
            whole: None,
            chain: None,
        }
    }
}
