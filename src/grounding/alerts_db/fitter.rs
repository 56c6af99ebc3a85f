//! Counts alerts.
//!
//! As long as everything fits into memory, the result does not depend on the order of the
//! alerts: they are counted in maps that are sorted at the end, and the only sample
//! (byte pairs) is chosen by a hash of the values. Memory is bounded for any database, see
//! [`Tally`]. This module knows no SQL.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;
use std::rc::Rc;

use super::raw_alert::RawAlert;
use super::reservoir::Reservoir;
use super::tally::{Counted, Fixed, Tally, mix, mix_bytes};
use crate::grounding::address::{AddressKind, kind};
use crate::grounding::profile::{Direction, Ends, PORT_LIMIT, TECHNIQUE_LIMIT};
use crate::grounding::severity::Severity;

mod finish;

pub(super) use finish::Finish;

/// First port that is ephemeral on every system, where repetition is chance.
const EPHEMERAL: u16 = 32_768;

/// Maximum tuples counted at once, maximum bytes of their texts, and so on: together about 400 MiB
/// at most; a typical database needs a few MiB.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub cells: usize,
    pub text_bytes: usize,
    pub addresses: usize,
    pub groups: usize,
    pub client_ports: usize,
    pub byte_tables: usize,
}

impl Limits {
    pub(super) const USUAL: Limits = Limits {
        cells: 1 << 18,
        text_bytes: 64 << 20,
        addresses: 1 << 19,
        groups: 1 << 16,
        client_ports: 1 << 18,
        byte_tables: 64,
    };
}

/// The running counts.
#[derive(Debug)]
pub(super) struct Fitter {
    limits: Limits,
    rows: u64,
    unnamed: u64,
    texts: Interner,
    cells: Tally<CellKey, Cell>,
    /// Number of cells made so far, which numbers the next one.
    made: u64,
    /// By cell number and port.
    client_ports: Tally<(u64, u16), ClientPort>,
    /// By signature.
    techniques: HashMap<Rc<str>, BTreeSet<String>>,
    external: Tally<IpAddr, Sides>,
    internal: Tally<IpAddr, Sides>,
    groups: Tally<IpAddr, u64>,
    bytes: Tally<ByteKey, Reservoir>,
    days: BTreeMap<i64, [u64; 24]>,
    seen: Seen,
}

/// Interned texts, so that rows are counted without copying their text.
#[derive(Debug, Default)]
struct Interner {
    known: HashSet<Rc<str>>,
    bytes: usize,
}

impl Interner {
    fn shared(&mut self, text: &str) -> Rc<str> {
        if let Some(known) = self.known.get(text) {
            return Rc::clone(known);
        }
        let shared: Rc<str> = text.into();
        self.bytes += text.len();
        self.known.insert(Rc::clone(&shared));
        shared
    }

    /// Drops texts that are no longer in use.
    fn sweep(&mut self) {
        self.known.retain(|text| Rc::strong_count(text) > 1);
        self.bytes = self.known.iter().map(|text| text.len()).sum();
    }
}

/// A tuple without its service port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Combination {
    signature: Rc<str>,
    signature_id: Option<u64>,
    category: Option<Rc<str>>,
    severity: Option<Severity>,
    protocol: Rc<str>,
    application: Option<Rc<str>>,
    direction: Direction,
    blocked: bool,
}

/// The service port of a tuple.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Service {
    None,
    Port(u16),
    /// All ports except the [`PORT_LIMIT`] most frequent ones.
    Spread,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct CellKey {
    combination: Combination,
    service: Service,
}

impl Fixed for CellKey {
    fn fixed_hash(&self) -> u64 {
        let Combination {
            signature,
            signature_id,
            category,
            severity,
            protocol,
            application,
            direction,
            blocked,
        } = &self.combination;
        let service = match self.service {
            Service::None => 0,
            Service::Port(port) => u64::from(port),
            Service::Spread => 1 << 16,
        };
        let numbers = [
            signature_id.map_or(0, mix),
            severity.map_or(0, |severity| match severity {
                Severity::Tenths(number) => mix(number as u64),
                Severity::Word(word) => mix(1 << 60 | word as u64),
            }),
            service,
            u64::from(*blocked) << 8 | *direction as u64,
        ];
        let texts = [
            signature.as_bytes(),
            category.as_deref().unwrap_or("").as_bytes(),
            protocol.as_bytes(),
            application.as_deref().unwrap_or("").as_bytes(),
        ];
        let hash = numbers.iter().fold(0, |hash, number| mix(hash ^ number));
        texts.iter().fold(hash, |hash, text| mix_bytes(hash, text))
    }
}

/// The counts of one tuple.
#[derive(Debug, Default)]
struct Cell {
    /// 0 until the first alert is counted.
    number: u64,
    count: u64,
    ends: Ends,
}

impl Counted for Cell {
    fn count(&self) -> u64 {
        self.count
    }
}

/// How often a client port was seen, and whether between more than one pair of hosts. Many
/// alerts of one flow say nothing about the client port of the rule, except for the
/// destination port of a `to_client` alert.
#[derive(Debug, Default, Clone)]
struct ClientPort {
    count: u64,
    hosts: (Option<IpAddr>, Option<IpAddr>),
    several: bool,
}

impl Counted for ClientPort {
    fn count(&self) -> u64 {
        self.count
    }
}

impl ClientPort {
    fn merge(&mut self, other: &ClientPort) {
        if self.count == 0 {
            *self = other.clone();
            return;
        }
        self.count += other.count;
        self.several |= other.several || self.hosts != other.hosts;
    }
}

/// How often an address was the client, and how often the server.
#[derive(Debug, Default, Clone, Copy)]
struct Sides {
    client: u64,
    service: u64,
}

impl Counted for Sides {
    fn count(&self) -> u64 {
        self.client + self.service
    }

    /// The side where the address was seen more often: 0 client (also if equal), 1 server.
    fn side(&self) -> usize {
        usize::from(self.service > self.client)
    }
}

/// Protocol and application of a table of byte pairs.
type ByteKey = (Rc<str>, Option<Rc<str>>);

impl Fixed for ByteKey {
    fn fixed_hash(&self) -> u64 {
        mix_bytes(
            mix_bytes(0, self.0.as_bytes()),
            self.1.as_deref().unwrap_or("").as_bytes(),
        )
    }
}

/// The facts that the database has in any row.
#[derive(Debug, Default)]
struct Seen {
    signature_id: bool,
    category: bool,
    severity: bool,
    protocol: bool,
    application: bool,
    direction: bool,
    action: bool,
    client_address: bool,
    service_address: bool,
    client_port: bool,
    service_port: bool,
    bytes: bool,
    time: bool,
}

impl Default for Fitter {
    fn default() -> Self {
        Fitter::within(Limits::USUAL)
    }
}

impl Fitter {
    pub(super) fn within(limits: Limits) -> Self {
        Fitter {
            limits,
            rows: 0,
            unnamed: 0,
            texts: Interner::default(),
            cells: Tally::new(limits.cells),
            made: 0,
            client_ports: Tally::new(limits.client_ports),
            techniques: HashMap::new(),
            external: Tally::new(limits.addresses),
            internal: Tally::new(limits.addresses),
            groups: Tally::new(limits.groups),
            bytes: Tally::new(limits.byte_tables),
            days: BTreeMap::new(),
            seen: Seen::default(),
        }
    }

    /// Counts one alert. Alerts without a signature are only counted as rows without one.
    pub(super) fn add(&mut self, alert: &RawAlert) {
        let Some(signature) = &alert.signature else {
            self.unnamed += 1;
            return;
        };
        self.rows += 1;
        let direction = alert.direction.unwrap_or(Direction::Unknown);
        let destination_address = alert.destination_address.or_else(|| inside_end(alert));
        let (client, service, client_port, service_port) = match direction {
            Direction::ToClient => (
                destination_address,
                alert.source_address,
                alert.destination_port,
                alert.source_port,
            ),
            Direction::ToServer | Direction::Unknown => (
                alert.source_address,
                destination_address,
                alert.source_port,
                alert.destination_port,
            ),
        };
        let application = alert.application.as_deref();
        let protocol = alert
            .protocol
            .as_deref()
            .unwrap_or_else(|| likely_protocol(application, service_port));
        let has_ports = matches!(protocol, "tcp" | "udp" | "sctp" | "dccp" | "udplite");
        let client_port = client_port.filter(|_| has_ports);
        let service_port = service_port.filter(|_| has_ports);
        self.note(alert, client, service, client_port, service_port);

        let protocol = self.texts.shared(protocol);
        let application = application.map(|it| self.texts.shared(it));
        let signature = self.texts.shared(signature);
        let combination = Combination {
            signature: Rc::clone(&signature),
            signature_id: alert.signature_id,
            category: alert.category.as_deref().map(|it| self.texts.shared(it)),
            severity: alert.severity,
            protocol: Rc::clone(&protocol),
            application: application.clone(),
            direction,
            blocked: alert.blocked.unwrap_or(false),
        };
        let cell = self.cell(combination, service_port);
        cell.count += 1;
        count_ends(&mut cell.ends, client.map(kind), service.map(kind));
        let number = cell.number;
        self.learn_techniques(&signature, &alert.techniques);
        // The destination port of a `to_client` alert is the client's, and as reliable as a service port.
        let grounded = direction == Direction::ToClient;
        if let Some(port) = client_port.filter(|port| grounded || *port < EPHEMERAL) {
            let hosts = (client, service);
            let known = self.client_ports.entry((number, port));
            if known.count == 0 {
                known.hosts = hosts;
            }
            // Without addresses, a second occurrence is enough.
            known.several |=
                known.hosts != hosts || (known.count > 0 && (grounded || hosts == (None, None)));
            known.count += 1;
        }
        if let Some(address) = client {
            self.count_address(address, |sides| &mut sides.client);
        }
        if let Some(address) = service {
            self.count_address(address, |sides| &mut sides.service);
        }
        let pair = (
            alert.bytes_to_server.unwrap_or(0),
            alert.bytes_to_client.unwrap_or(0),
        );
        if pair != (0, 0) {
            self.seen.bytes = true;
            self.bytes.entry((Rc::clone(&protocol), None)).add(pair);
            if application.is_some() {
                self.bytes.entry((protocol, application)).add(pair);
            }
        }
        if let Some(time) = alert.time {
            let hour = time.rem_euclid(86_400) / 3_600;
            let day = self.days.entry(time.div_euclid(86_400)).or_default();
            day[hour as usize] += 1;
        }
    }

    /// The counts of a tuple. A combination with spread ports may still collect ports of its own; they
    /// are spread at the end.
    fn cell(&mut self, combination: Combination, service_port: Option<u16>) -> &mut Cell {
        let service = service_port.map_or(Service::None, Service::Port);
        let key = CellKey {
            combination,
            service,
        };
        let no_room = self.cells.is_full() || self.texts.bytes >= self.limits.text_bytes;
        if no_room && !self.cells.contains(&key) {
            self.make_room();
        }
        let made = &mut self.made;
        let cell = self.cells.entry(key);
        if cell.number == 0 {
            *made += 1;
            cell.number = *made;
        }
        cell
    }

    /// Spreads the ports of combinations with too many. If that is not enough, drops the rarest half of
    /// the tuples and the texts that only they used.
    fn make_room(&mut self) {
        self.spread_ports();
        let crowded = self.cells.len() * 4 > self.limits.cells * 3;
        if crowded || self.texts.bytes >= self.limits.text_bytes {
            self.cells.halve();
            let kept: HashSet<&Rc<str>> = self
                .cells
                .iter()
                .map(|(key, _)| &key.combination.signature)
                .collect();
            self.techniques
                .retain(|signature, _| kept.contains(signature));
            self.texts.sweep();
        }
    }

    /// Merges the ports beyond the [`PORT_LIMIT`] most frequent ones of each combination.
    fn spread_ports(&mut self) {
        let mut ports: HashMap<&Combination, Vec<(u64, Service)>> = HashMap::new();
        for (key, cell) in self.cells.iter() {
            if matches!(key.service, Service::Port(_)) {
                let ports = ports.entry(&key.combination).or_default();
                ports.push((cell.count, key.service));
            }
        }
        let mut rest: HashSet<CellKey> = HashSet::new();
        for (combination, mut ports) in ports {
            if ports.len() > PORT_LIMIT {
                ports.sort_by_key(|&(count, port)| (std::cmp::Reverse(count), port));
                rest.extend(ports[PORT_LIMIT..].iter().map(|&(_, service)| CellKey {
                    combination: combination.clone(),
                    service,
                }));
            }
        }
        if rest.is_empty() {
            return;
        }
        // Number of the merged cell, by old cell number.
        let mut moved: HashMap<u64, u64> = HashMap::new();
        let (merging, staying): (Vec<_>, Vec<_>) = self
            .cells
            .take()
            .into_iter()
            .partition(|(key, _)| rest.contains(key));
        for (key, cell) in staying {
            *self.cells.entry(key) = cell;
        }
        for (mut key, cell) in merging {
            key.service = Service::Spread;
            let spread = self.cells.entry(key);
            if spread.number == 0 {
                self.made += 1;
                spread.number = self.made;
            }
            spread.count += cell.count;
            spread.ends.add(&cell.ends);
            moved.insert(cell.number, spread.number);
        }
        for ((number, port), theirs) in self.client_ports.take() {
            let number = moved.get(&number).copied().unwrap_or(number);
            self.client_ports.entry((number, port)).merge(&theirs);
        }
    }

    fn learn_techniques(&mut self, signature: &Rc<str>, techniques: &[String]) {
        if techniques.is_empty() {
            return;
        }
        let known = self.techniques.entry(Rc::clone(signature)).or_default();
        for technique in techniques {
            if !known.contains(technique) {
                known.insert(technique.clone());
            }
        }
        while known.len() > TECHNIQUE_LIMIT {
            known.pop_last();
        }
    }

    fn count_address(&mut self, address: IpAddr, side: impl Fn(&mut Sides) -> &mut u64) {
        match kind(address) {
            AddressKind::External => {
                *side(self.external.entry(address)) += 1;
            }
            // A host without an address yet does not belong to the pool.
            AddressKind::Internal if address.is_unspecified() => {}
            AddressKind::Internal => {
                *side(self.internal.entry(address)) += 1;
            }
            AddressKind::Group => *self.groups.entry(address) += 1,
        }
    }

    fn note(
        &mut self,
        alert: &RawAlert,
        client: Option<IpAddr>,
        service: Option<IpAddr>,
        client_port: Option<u16>,
        service_port: Option<u16>,
    ) {
        let seen = &mut self.seen;
        seen.signature_id |= alert.signature_id.is_some();
        seen.category |= alert.category.is_some();
        seen.severity |= alert.severity.is_some();
        seen.protocol |= alert.protocol.is_some();
        seen.application |= alert.application.is_some();
        seen.direction |= alert.direction.is_some();
        seen.action |= alert.blocked.is_some();
        seen.client_address |= client.is_some();
        seen.service_address |= service.is_some();
        seen.client_port |= client_port.is_some();
        seen.service_port |= service_port.is_some();
        seen.time |= alert.time.is_some();
    }
}

/// The transport of an alert, if the database has none.
fn likely_protocol(application: Option<&str>, service_port: Option<u16>) -> &'static str {
    match (application, service_port) {
        (Some("dns" | "ntp" | "snmp" | "tftp" | "dhcp" | "quic" | "sip"), _) => "udp",
        (Some("mdns" | "ssdp" | "llmnr" | "stun" | "bittorrent-dht" | "ike"), _) => "udp",
        (Some(_), _) => "tcp",
        (None, Some(53 | 67 | 68 | 69 | 123 | 137 | 138 | 161 | 162 | 500 | 514)) => "udp",
        (None, Some(1900 | 3478 | 4500 | 5353 | 5355)) => "udp",
        _ => "tcp",
    }
}

/// Completes the ends of an alert with one address. If that is outside, the other end is inside,
/// because otherwise no sensor would have seen the flow. An inside end says nothing about the other.
fn count_ends(ends: &mut Ends, client: Option<AddressKind>, service: Option<AddressKind>) {
    use AddressKind::{External, Group, Internal};
    let slot = match (client, service) {
        (Some(Group), _) | (_, Some(Group)) => &mut ends.multicast,
        (Some(Internal), Some(Internal)) => &mut ends.internal_internal,
        (Some(Internal) | None, Some(External)) => &mut ends.internal_external,
        (Some(External), Some(Internal) | None) => &mut ends.external_internal,
        (Some(External), Some(External)) => &mut ends.external_external,
        (Some(Internal), None) | (None, Some(Internal)) | (None, None) => return,
    };
    *slot += 1;
}

/// Uses the machine that reported as the missing end of a table with sources only. Without a source,
/// it is the end that the alert is about.
fn inside_end(alert: &RawAlert) -> Option<IpAddr> {
    let host = alert.host_address?;
    (alert.source_address != Some(host)).then_some(host)
}

#[cfg(test)]
mod tests;
