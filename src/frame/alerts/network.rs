//! Network detections: the ends of a flow, drawn from the database, and who reports it.

use super::flow::{Flow, FlowSlot};
use super::linux::LinuxFlows;
use super::tables::{AlertTables, KINDS, Kind, Ranks, TupleTable};
use super::windows::WindowsFlows;
use crate::catalog::{HostClass, Platform, scenario::Verdict};
use crate::day::lag;
use crate::frame::{Frame, NONE};
use crate::ids::{HostId, RuleId};
use crate::random::{DRAWS, Draws, Key, below, choose};
use crate::world::World;

/// What switches, printers and hypervisors serve.
const DEVICE_PORTS: [i32; 14] = [
    22, 23, 53, 80, 123, 161, 427, 443, 515, 631, 902, 8080, 8443, 9100,
];

/// The words of a network detection's row, by what each decides.
struct FlowDraws {
    /// Word 0 draws the rule.
    service_port: u64,
    ends: u64,
    /// A client by rank, then within the rank.
    client: (u64, u64),
    server: (u64, u64),
    event: u64,
}

impl FlowDraws {
    fn new(words: [u64; DRAWS]) -> Self {
        let [
            _,
            service_port,
            ends,
            client,
            client_within,
            server,
            server_within,
            event,
        ] = words;
        FlowDraws {
            service_port,
            ends,
            client: (client, client_within),
            server: (server, server_within),
            event,
        }
    }

    /// The kind of flow that a tuple's row is.
    fn kind(&self, tuple: &TupleTable) -> Kind {
        let bits = self.ends >> 32;
        KINDS[tuple.ends.iter().position(|&end| bits < end).unwrap_or(2)]
    }
}

fn verdict(kind: Kind) -> Verdict {
    match kind {
        Kind::ExternalInternal => Verdict::Attempt,
        _ => Verdict::BenignTrigger,
    }
}

/// A rule's flow before its hosts are drawn.
struct Drawn<'m> {
    tuple: &'m TupleTable,
    platform: Option<Platform>,
    kind: Kind,
    service_port: i32,
    /// A port of the database that clients of this rule had.
    client_port: Option<u16>,
}

/// The hosts or other addresses of a flow.
struct Ends {
    client: u32,
    server: u32,
    /// Which of them is a device, which reports nothing.
    serving_device: bool,
    asking_device: bool,
}

/// Fills network detections and the reporting host's record of the flow.
#[derive(Debug, Clone, Copy)]
pub(super) struct NetworkAlerts<'m> {
    pub world: &'m World,
    pub tables: &'m AlertTables,
    pub windows: WindowsFlows<'m>,
    pub linux: LinuxFlows<'m>,
}

impl<'m> NetworkAlerts<'m> {
    /// Fills a row from a tuple of the database.
    pub fn fill(&self, frame: &mut Frame, row: usize, rule: RuleId, words: [u64; DRAWS]) {
        let draws = FlowDraws::new(words);
        let drawn = self.drawn(rule, &draws);
        let ends = self.ends(&drawn, &draws);
        frame.verdict[row] = verdict(drawn.kind);
        let event = Draws::new(Key::root(draws.event));
        let host = self.reporter(&drawn, &ends, event);
        let answered = self.set_ends(frame, row, &drawn, &ends, event);
        let t = drawn.tuple;
        frame.protocol[row] = t.protocol;
        frame.application[row] = t.application;
        frame.direction[row] = t.direction;
        frame.blocked[row] = t.blocked;
        frame.success[row] = !t.blocked;
        frame.salt[row] = event.bits(FlowSlot::Salt);
        frame.host[row] = host;
        let flow = Flow {
            host,
            initiated: self.world.addresses.of_host(host) == ends.client,
            answered: answered && !t.portless && drawn.kind != Kind::Multicast,
            outwards: drawn.kind == Kind::InternalExternal,
            port: drawn.service_port,
        };
        match self.world.hosts[host].platform {
            Platform::Windows => self.windows.fill(frame, row, &flow),
            Platform::Linux => self.linux.fill(frame, row, &flow),
        }
        let lag = lag(frame.telemetry[row], event.bits(FlowSlot::Lag));
        frame.set_native_from_process(row, lag);
    }

    /// The verdict of a row of a tuple.
    pub fn verdict(&self, rule: RuleId, words: [u64; DRAWS]) -> Verdict {
        verdict(FlowDraws::new(words).kind(self.tables.tuple(rule)))
    }

    fn drawn(&self, rule: RuleId, draws: &FlowDraws) -> Drawn<'m> {
        let t = self.tables.tuple(rule);
        let known_port = t.client_port_weights.draw(draws.event.rotate_left(9));
        Drawn {
            tuple: t,
            platform: self.world.detections[rule].platform,
            kind: draws.kind(t),
            service_port: match t.spread_ports {
                true => 1 + below(draws.service_port, 65_535) as i32,
                false => t.service_port,
            },
            client_port: t.client_ports.get(known_port).copied(),
        }
    }

    /// Draws client and server, given the tuple.
    fn ends(&self, drawn: &Drawn<'_>, draws: &FlowDraws) -> Ends {
        let (world, addresses) = (self.world, &self.world.addresses);
        let (service_port, platform) = (drawn.service_port, drawn.platform);
        // A flow with a device is reported by its other end.
        let device = |ranks: &Ranks, bits| match drawn.kind {
            Kind::InternalInternal => ranks.device(world, bits),
            _ => None,
        };
        let serves = drawn.tuple.portless || DEVICE_PORTS.contains(&service_port);
        let serving = match platform {
            None if serves => device(&self.tables.services, draws.server.0),
            _ => None,
        };
        let asking = match serving {
            Some(_) => None,
            None => device(&self.tables.clients, draws.client.0),
        };
        let client_reports =
            serving.is_some() || matches!(drawn.kind, Kind::InternalExternal | Kind::Multicast);
        let client_class = client_class(drawn.client_port, platform, client_reports);
        let internal_client = || {
            // Clients ask their resolver for names; only resolvers ask the Internet.
            if service_port == 53 && drawn.kind == Kind::InternalExternal {
                return *choose(world.class(HostClass::DomainController), draws.client.0);
            }
            let (rank, within) = draws.client;
            let clients = &self.tables.clients;
            clients.draw(world, client_class, None, rank, within)
        };
        let internal_service = |outside: bool| {
            let class = service_class(service_port, platform, outside);
            let (rank, within) = draws.server;
            let services = &self.tables.services;
            services.draw(world, class, platform, rank, within)
        };
        let of_host = |host| addresses.of_host(host);
        let (client, server) = match drawn.kind {
            Kind::InternalInternal => {
                let server = serving.unwrap_or_else(|| of_host(internal_service(false)));
                let mut client = asking.unwrap_or_else(|| of_host(internal_client()));
                if client == server
                    && let Some(host) = addresses.host(server)
                {
                    let key = Key::root(draws.client.1);
                    client = of_host(world.another(client_class, key, host));
                }
                (client, server)
            }
            Kind::InternalExternal => {
                let server = addresses.service(draws.server.0, draws.server.1);
                (of_host(internal_client()), server)
            }
            Kind::ExternalInternal | Kind::ExternalExternal => {
                let client = addresses.client(draws.client.0, draws.client.1);
                (client, of_host(internal_service(true)))
            }
            Kind::Multicast => {
                let client = internal_client();
                let group = addresses.multicast(draws.server.0);
                let server = group.unwrap_or_else(|| of_host(world.resolver(client)));
                (of_host(client), server)
            }
        };
        Ends {
            client,
            server,
            serving_device: serving.is_some(),
            asking_device: asking.is_some(),
        }
    }

    /// The host that reports a flow: mostly the owner of the destination.
    fn reporter(&self, drawn: &Drawn<'_>, ends: &Ends, event: Draws<FlowSlot>) -> HostId {
        // The end that reports is a host.
        let host = |address| self.world.addresses.host(address).unwrap_or_default();
        let fits = || {
            let platform = self.world.hosts[host(ends.client)].platform;
            drawn.platform.is_none_or(|p| platform == p)
        };
        host(match drawn.kind {
            Kind::InternalExternal | Kind::Multicast => ends.client,
            Kind::InternalInternal if ends.serving_device => ends.client,
            Kind::InternalInternal if ends.asking_device => ends.server,
            Kind::InternalInternal if event.below(FlowSlot::Reporter, 4) == 0 && fits() => {
                ends.client
            }
            _ => ends.server,
        })
    }

    /// Fills addresses, ports and bytes; returns whether the server sent any.
    fn set_ends(
        &self,
        frame: &mut Frame,
        row: usize,
        drawn: &Drawn<'_>,
        ends: &Ends,
        event: Draws<FlowSlot>,
    ) -> bool {
        let t = drawn.tuple;
        let port = |slot, address| self.world.client_port(address, event.bits(slot));
        let (client_port, server_port) = match t.portless {
            true => (NONE, NONE),
            false => (
                match drawn.client_port {
                    Some(port) => i32::from(port),
                    None => port(FlowSlot::ClientPort, ends.client),
                },
                match drawn.service_port {
                    NONE => port(FlowSlot::ServerPort, ends.server),
                    port => port,
                },
            ),
        };
        let &(to_server, to_client) =
            choose(&self.tables.bytes[t.bytes], event.bits(FlowSlot::Bytes));
        let to_server = vary(to_server, event.bits(FlowSlot::ToServer)) as i64;
        let to_client = vary(to_client, event.bits(FlowSlot::ToClient)) as i64;

        let client = (ends.client as i32, client_port, to_server);
        let server = (ends.server as i32, server_port, to_client);
        // An alert on what the server sent has the server for its source.
        let client_is_source = t.direction != 2;
        let (source, destination) = match client_is_source {
            true => (client, server),
            false => (server, client),
        };
        (
            frame.source[row],
            frame.source_port[row],
            frame.source_bytes[row],
        ) = source;
        frame.destination[row] = destination.0;
        frame.destination_port[row] = destination.1;
        frame.destination_bytes[row] = destination.2;
        frame.client_is_source[row] = client_is_source;
        to_client > 0
    }
}

/// A real flow's bytes, up to an eighth more or less.
fn vary(bytes: u64, bits: u64) -> u64 {
    match bytes {
        0..64 => bytes,
        _ => bytes - bytes / 8 + below(bits, bytes / 4 + 1),
    }
}

/// Hosts that may have opened a flow. A client port outside Windows' ephemeral range belongs to
/// another system, unless the rule fires on something of the reporting client's own.
fn client_class(
    client_port: Option<u16>,
    platform: Option<Platform>,
    client_reports: bool,
) -> HostClass {
    match (client_port, platform) {
        (Some(32_768..49_152), None) => HostClass::Linux,
        (Some(61_000..), None) => HostClass::Windows,
        (Some(32_768..49_152), _) if !client_reports => HostClass::Linux,
        (Some(61_000..), _) if !client_reports => HostClass::Windows,
        (_, Some(Platform::Windows)) => HostClass::Windows,
        (_, Some(Platform::Linux)) => HostClass::Linux,
        (_, None) => HostClass::Any,
    }
}

/// Hosts that run what listens on a port. From outside, only published hosts are reached.
fn service_class(port: i32, platform: Option<Platform>, outside: bool) -> HostClass {
    match (port, platform) {
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
