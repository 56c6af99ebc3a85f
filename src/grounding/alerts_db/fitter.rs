//! Counts alerts and makes the profile of the counts.
//!
//! Nothing here depends on the order in which alerts come: everything is counted in
//! maps and sorted at the end, and the one sample (byte pairs) is chosen by a hash of
//! the values. It knows no SQL.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap};
use std::net::IpAddr;

use super::raw_alert::RawAlert;
use crate::grounding::address::{AddressKind, kind};
use crate::grounding::profile::{
    ByteTable, CLIENT_PORT_LIMIT, Direction, Ends, PAIR_LIMIT, POOL_LIMIT, PORT_LIMIT,
    PROFILE_VERSION, Profile, SeverityScale, TECHNIQUE_LIMIT, Tuple,
};

/// Ports from here on are ephemeral on every system; one that repeats is chance.
const EPHEMERAL: u16 = 32_768;

/// Distinct byte pairs kept per kind of flow. With fewer the quantiles are exact;
/// with more their error is below one of the 64 steps by far (1/√16384 < 1/100).
const RESERVOIR: usize = 16_384;

/// The rule for hours: that many alerts on each of that many days within that many.
const HOURS_ALERTS: u64 = 50;
const HOURS_DAYS: usize = 14;
const HOURS_WINDOW: i64 = 60;

/// The running counts.
#[derive(Debug, Default)]
pub(super) struct Fitter {
    rows: u64,
    unnamed: u64,
    texts: Interner,
    combinations: HashMap<Combination, Counts>,
    external: HashMap<IpAddr, Sides>,
    internal: HashMap<IpAddr, Sides>,
    groups: HashMap<IpAddr, u64>,
    bytes: HashMap<(u32, Option<u32>), Reservoir>,
    days: BTreeMap<i64, [u64; 24]>,
    seen: Seen,
}

/// Text as a number, so that rows are counted without copying their text.
#[derive(Debug, Default)]
struct Interner {
    numbers: HashMap<Box<str>, u32>,
    texts: Vec<Box<str>>,
}

impl Interner {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        let number = self.texts.len() as u32;
        self.numbers.insert(text.into(), number);
        self.texts.push(text.into());
        number
    }

    fn text(&self, number: u32) -> String {
        self.texts[number as usize].to_string()
    }
}

/// A tuple without its service port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Combination {
    signature: u32,
    signature_id: Option<u64>,
    category: Option<u32>,
    severity: Option<i64>,
    protocol: u32,
    application: Option<u32>,
    direction: Direction,
    blocked: bool,
}

#[derive(Debug, Default)]
struct Counts {
    ports: HashMap<Option<u16>, Cell>,
    techniques: BTreeSet<String>,
}

/// The counts of one tuple.
#[derive(Debug, Default)]
struct Cell {
    count: u64,
    ends: Ends,
    client_ports: HashMap<u16, ClientPort>,
}

impl Cell {
    fn merge(&mut self, other: Cell) {
        self.count += other.count;
        self.ends.add(&other.ends);
        for (port, theirs) in other.client_ports {
            match self.client_ports.get_mut(&port) {
                None => {
                    self.client_ports.insert(port, theirs);
                }
                Some(ours) => {
                    ours.count += theirs.count;
                    ours.several |= theirs.several || ours.hosts != theirs.hosts;
                }
            }
        }
    }
}

/// How often a client port was seen, and whether between more than one pair of hosts:
/// many alerts of one flow say nothing about its client's port, unless it is the
/// destination that a `to_client` alert names.
#[derive(Debug)]
struct ClientPort {
    count: u64,
    hosts: (Option<IpAddr>, Option<IpAddr>),
    several: bool,
}

/// How often an address was the client, and the server.
#[derive(Debug, Default, Clone, Copy)]
struct Sides {
    client: u64,
    service: u64,
}

/// Which facts the database had at all.
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

impl Fitter {
    /// Counts one alert. One without a signature is only counted as such.
    pub(super) fn add(&mut self, alert: &RawAlert) {
        let Some(signature) = &alert.signature else {
            self.unnamed += 1;
            return;
        };
        self.rows += 1;
        let direction = alert.direction.unwrap_or(Direction::Unknown);
        let (client, service, client_port, service_port) = match direction {
            Direction::ToClient => (
                alert.destination_address,
                alert.source_address,
                alert.destination_port,
                alert.source_port,
            ),
            Direction::ToServer | Direction::Unknown => (
                alert.source_address,
                alert.destination_address,
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

        let combination = Combination {
            signature: self.texts.number(signature),
            signature_id: alert.signature_id,
            category: alert.category.as_deref().map(|it| self.texts.number(it)),
            severity: alert.severity,
            protocol: self.texts.number(protocol),
            application: application.map(|it| self.texts.number(it)),
            direction,
            blocked: alert.blocked.unwrap_or(false),
        };
        let counts = self.combinations.entry(combination).or_default();
        for technique in &alert.techniques {
            if !counts.techniques.contains(technique) {
                counts.techniques.insert(technique.clone());
            }
        }
        let cell = counts.ports.entry(service_port).or_default();
        cell.count += 1;
        if let (Some(client), Some(service)) = (client, service) {
            count_ends(&mut cell.ends, kind(client), kind(service));
        }
        // The destination port of a `to_client` alert is the client's: as much grounded as a service port.
        let grounded = direction == Direction::ToClient;
        if let Some(port) = client_port.filter(|port| grounded || *port < EPHEMERAL) {
            let hosts = (client, service);
            let known = cell.client_ports.entry(port).or_insert(ClientPort {
                count: 0,
                hosts,
                several: false,
            });
            // Without addresses a second sight has to do.
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
            let protocol = combination.protocol;
            self.bytes.entry((protocol, None)).or_default().add(pair);
            if let Some(application) = combination.application {
                let key = (protocol, Some(application));
                self.bytes.entry(key).or_default().add(pair);
            }
        }
        if let Some(time) = alert.time {
            let hour = time.rem_euclid(86_400) / 3_600;
            let day = self.days.entry(time.div_euclid(86_400)).or_default();
            day[hour as usize] += 1;
        }
    }

    fn count_address(&mut self, address: IpAddr, side: impl Fn(&mut Sides) -> &mut u64) {
        match kind(address) {
            AddressKind::External => {
                *side(self.external.entry(address).or_default()) += 1;
            }
            // A host that has no address yet is no host of the pool.
            AddressKind::Internal if address.is_unspecified() => {}
            AddressKind::Internal => {
                *side(self.internal.entry(address).or_default()) += 1;
            }
            AddressKind::Group => *self.groups.entry(address).or_default() += 1,
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

    /// Alerts that have a signature.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// The profile of everything counted; `rows` must not be 0.
    pub(super) fn finish(self, table: &str, severity_scale: SeverityScale) -> Profile {
        let hours = self.hours();
        let missing = self.missing(hours.is_some());
        let (external_clients, external_services) = split_external(&self.external);
        let (internal_client_addresses, internal_clients) =
            ranked(&self.internal, |sides| sides.client);
        let (internal_service_addresses, internal_services) =
            ranked(&self.internal, |sides| sides.service);
        let mut profile = Profile {
            version: PROFILE_VERSION,
            rows: self.rows,
            table: table.to_string(),
            missing,
            severity_scale,
            unseen_clients_ppm: unseen_ppm(&external_clients),
            unseen_services_ppm: unseen_ppm(&external_services),
            external_clients: named(external_clients),
            external_services: named(external_services),
            internal_clients,
            internal_services,
            internal_client_addresses,
            internal_service_addresses,
            multicast: named(top_pool(self.groups.into_iter().collect())),
            bytes: byte_tables(self.bytes, &self.texts),
            tuples: tuples(self.combinations, &self.texts),
            hours,
        };
        profile.sort();
        profile
    }

    /// Alerts by hour, if enough days within some window have enough alerts: those of
    /// the window with the most such days, the earliest of equals.
    fn hours(&self) -> Option<Vec<u64>> {
        let busy: Vec<i64> = self
            .days
            .iter()
            .filter(|(_, hours)| hours.iter().sum::<u64>() >= HOURS_ALERTS)
            .map(|(day, _)| *day)
            .collect();
        let mut best: Option<(usize, i64)> = None;
        let mut end = 0;
        for (start, &first) in busy.iter().enumerate() {
            while end < busy.len() && busy[end] - first < HOURS_WINDOW {
                end += 1;
            }
            if best.is_none_or(|(most, _)| end - start > most) {
                best = Some((end - start, first));
            }
        }
        let (days, first) = best?;
        if days < HOURS_DAYS {
            return None;
        }
        let mut total = vec![0; 24];
        for hours in self.days.range(first..first + HOURS_WINDOW).map(|it| it.1) {
            for (sum, hour) in total.iter_mut().zip(hours) {
                *sum += hour;
            }
        }
        Some(total)
    }

    /// What the database lacked and what stands in for it.
    fn missing(&self, hours: bool) -> Vec<String> {
        let seen = &self.seen;
        let facts = [
            (
                seen.signature_id,
                "signature_id: no rule has an id of its own",
            ),
            (seen.category, "category: every alert is uncategorized"),
            (seen.severity, "severity: no alert has one of its own"),
            (
                seen.protocol,
                "protocol: guessed from the application and the service port, else tcp",
            ),
            (
                seen.application,
                "application protocol: none, services follow from ports alone",
            ),
            (
                seen.direction,
                "direction: unknown, the destination is taken for the server",
            ),
            (seen.action, "action: every alert counts as allowed"),
            (
                seen.client_address,
                "client addresses: no pool of clients, none are drawn from here",
            ),
            (
                seen.service_address,
                "server addresses: no pool of servers, none are drawn from here",
            ),
            (
                seen.client_port,
                "client ports: all are drawn from the client's ephemeral range",
            ),
            (
                seen.service_port,
                "service ports: no alert has one of its own",
            ),
            (
                seen.bytes,
                "bytes: no sizes of flows, the built-in ones are taken",
            ),
            (seen.time, "timestamp: no hours of the day"),
            (
                hours || !seen.time,
                "hours of the day: fewer than 14 days within 60 have 50 alerts or more",
            ),
        ];
        let mut sentences: Vec<String> = facts
            .iter()
            .filter(|(known, _)| !known)
            .map(|(_, sentence)| sentence.to_string())
            .collect();
        if self.unnamed > 0 {
            sentences.push(format!(
                "signature: {} of {} rows have none and were left out",
                self.unnamed,
                self.unnamed + self.rows
            ));
        }
        sentences
    }
}

/// The transport of an alert whose database names none.
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

fn count_ends(ends: &mut Ends, client: AddressKind, service: AddressKind) {
    use AddressKind::{External, Group, Internal};
    let slot = match (client, service) {
        (Group, _) | (_, Group) => &mut ends.multicast,
        (Internal, Internal) => &mut ends.internal_internal,
        (Internal, External) => &mut ends.internal_external,
        (External, Internal) => &mut ends.external_internal,
        (External, External) => &mut ends.external_external,
    };
    *slot += 1;
}

fn tuples(combinations: HashMap<Combination, Counts>, texts: &Interner) -> Vec<Tuple> {
    let mut tuples = Vec::new();
    for (combination, counts) in combinations {
        let template = Tuple {
            signature: texts.text(combination.signature),
            signature_id: combination.signature_id,
            category: combination.category.map(|number| texts.text(number)),
            severity: combination.severity,
            protocol: texts.text(combination.protocol),
            application: combination.application.map(|number| texts.text(number)),
            direction: combination.direction,
            action: if combination.blocked {
                "blocked".to_string()
            } else {
                "allowed".to_string()
            },
            service_port: None,
            spread_ports: false,
            count: 0,
            ends: Ends::default(),
            client_ports: Vec::new(),
            techniques: counts
                .techniques
                .into_iter()
                .take(TECHNIQUE_LIMIT)
                .collect(),
        };
        let mut cells: Vec<(Option<u16>, Cell)> = counts.ports.into_iter().collect();
        // The one without a port first, then the most frequent ports.
        cells.sort_by_key(|(port, cell)| (port.is_some(), std::cmp::Reverse(cell.count), *port));
        let kept = PORT_LIMIT + usize::from(cells.first().is_some_and(|(port, _)| port.is_none()));
        let rest = cells.split_off(kept.min(cells.len()));
        tuples.extend(cells.into_iter().map(|(service_port, cell)| Tuple {
            service_port,
            ..with_counts(&template, cell)
        }));
        if !rest.is_empty() {
            let mut spread = Cell::default();
            for (_, cell) in rest {
                spread.merge(cell);
            }
            tuples.push(Tuple {
                spread_ports: true,
                ..with_counts(&template, spread)
            });
        }
    }
    tuples
}

fn with_counts(template: &Tuple, cell: Cell) -> Tuple {
    let mut client_ports: Vec<(u16, u64)> = cell
        .client_ports
        .into_iter()
        .filter(|(_, seen)| seen.several)
        .map(|(port, seen)| (port, seen.count))
        .collect();
    client_ports.sort_by_key(|&(port, count)| (std::cmp::Reverse(count), port));
    client_ports.truncate(CLIENT_PORT_LIMIT);
    Tuple {
        count: cell.count,
        ends: cell.ends,
        client_ports,
        ..template.clone()
    }
}

type Pool = Vec<(IpAddr, u64)>;

/// Each public address goes to the side where it was seen more often (clients if
/// equally), with all its sightings.
fn split_external(external: &HashMap<IpAddr, Sides>) -> (Pool, Pool) {
    let (mut clients, mut services) = (Vec::new(), Vec::new());
    for (&address, sides) in external {
        let pool = if sides.client >= sides.service {
            &mut clients
        } else {
            &mut services
        };
        pool.push((address, sides.client + sides.service));
    }
    (clients, services)
}

/// Good–Turing: the share of draws that showed an address for the first and only time
/// is the chance that the next draw shows a new one. In millionths.
fn unseen_ppm(pool: &Pool) -> u32 {
    let draws: u128 = pool.iter().map(|&(_, count)| u128::from(count)).sum();
    let singles = pool.iter().filter(|&&(_, count)| count == 1).count() as u128;
    (singles * 1_000_000).checked_div(draws).unwrap_or(0) as u32
}

/// By descending count, then by address; at most [`POOL_LIMIT`].
fn top_pool(mut pool: Pool) -> Pool {
    pool.sort_by_key(|&(address, count)| (std::cmp::Reverse(count), address));
    pool.truncate(POOL_LIMIT);
    pool
}

fn named(pool: Pool) -> Vec<(String, u64)> {
    top_pool(pool)
        .into_iter()
        .map(|(address, count)| (address.to_string(), count))
        .collect()
}

fn ranked(
    internal: &HashMap<IpAddr, Sides>,
    side: impl Fn(&Sides) -> u64,
) -> (Vec<String>, Vec<u64>) {
    let pool: Pool = internal
        .iter()
        .map(|(&address, sides)| (address, side(sides)))
        .filter(|&(_, count)| count > 0)
        .collect();
    named(pool).into_iter().unzip()
}

fn byte_tables(
    reservoirs: HashMap<(u32, Option<u32>), Reservoir>,
    texts: &Interner,
) -> Vec<ByteTable> {
    reservoirs
        .into_iter()
        .map(|((protocol, application), reservoir)| ByteTable {
            protocol: texts.text(protocol),
            application: application.map(|number| texts.text(number)),
            pairs: reservoir.quantiles(),
        })
        .collect()
}

/// Distinct byte pairs with their counts: all of them, or the [`RESERVOIR`] whose hashes
/// are smallest. A pair that is kept in the end was kept from its first sight on, so
/// its count is whole, whatever the order.
#[derive(Debug, Default)]
struct Reservoir {
    counts: HashMap<(u64, u64), u64>,
    largest: BinaryHeap<(u64, (u64, u64))>,
}

impl Reservoir {
    fn add(&mut self, pair: (u64, u64)) {
        if let Some(count) = self.counts.get_mut(&pair) {
            *count += 1;
            return;
        }
        let entry = (scramble(pair), pair);
        if self.counts.len() >= RESERVOIR {
            match self.largest.peek() {
                Some(top) if entry < *top => {
                    let (_, evicted) = *top;
                    self.largest.pop();
                    self.counts.remove(&evicted);
                }
                _ => return,
            }
        }
        self.largest.push(entry);
        self.counts.insert(pair, 1);
    }

    /// At most [`PAIR_LIMIT`] pairs at equal quantiles of the sum, ascending.
    fn quantiles(self) -> Vec<(u64, u64)> {
        let mut sorted: Vec<((u64, u64), u64)> = self.counts.into_iter().collect();
        sorted.sort_by_key(|&((up, down), _)| (u128::from(up) + u128::from(down), up));
        let total: u128 = sorted.iter().map(|&(_, count)| u128::from(count)).sum();
        let steps = (PAIR_LIMIT as u128).min(total);
        let mut pairs = Vec::with_capacity(steps as usize);
        let mut below: u128 = 0;
        for (pair, count) in sorted {
            below += u128::from(count);
            // The middle of step i is at (2i + 1) / 2·steps of the total.
            while (2 * pairs.len() as u128 + 1) * total < 2 * steps * below
                && (pairs.len() as u128) < steps
            {
                pairs.push(pair);
            }
        }
        pairs
    }
}

/// A fixed mixing of a pair (SplitMix64's finalizer, twice).
fn scramble((up, down): (u64, u64)) -> u64 {
    let mix = |mut word: u64| {
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    };
    mix(mix(up.wrapping_add(0x9e37_79b9_7f4a_7c15)) ^ down)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(signature: &str) -> RawAlert {
        RawAlert {
            signature: Some(signature.to_string()),
            protocol: Some("tcp".to_string()),
            ..RawAlert::default()
        }
    }

    fn fit(alerts: &[RawAlert]) -> Profile {
        let mut fitter = Fitter::default();
        for alert in alerts {
            fitter.add(alert);
        }
        fitter.finish("alerts", SeverityScale::Suricata)
    }

    fn address(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    #[test]
    fn an_alert_to_the_client_has_its_service_at_the_source() {
        let profile = fit(&[RawAlert {
            direction: Some(Direction::ToClient),
            source_address: address("8.8.8.8"),
            source_port: Some(443),
            destination_address: address("10.0.0.4"),
            destination_port: Some(50_000),
            ..alert("S")
        }]);
        assert_eq!(profile.tuples[0].service_port, Some(443));
        assert_eq!(profile.tuples[0].ends.internal_external, 1);
        assert_eq!(profile.internal_client_addresses, ["10.0.0.4"]);
        assert_eq!(profile.external_services, [("8.8.8.8".to_string(), 1)]);
        assert!(profile.external_clients.is_empty());
        assert_eq!(profile.unseen_services_ppm, 1_000_000);
    }

    #[test]
    fn an_address_is_in_the_pool_of_its_commoner_side() {
        let flow = |from: &str, to: &str| RawAlert {
            source_address: address(from),
            destination_address: address(to),
            ..alert("S")
        };
        let profile = fit(&[
            flow("8.8.8.8", "10.0.0.4"),
            flow("8.8.8.8", "10.0.0.4"),
            flow("10.0.0.4", "8.8.8.8"),
            flow("9.9.9.9", "10.0.0.4"),
            flow("10.0.0.4", "224.0.0.251"),
        ]);
        assert_eq!(
            profile.external_clients,
            [("8.8.8.8".to_string(), 3), ("9.9.9.9".to_string(), 1)]
        );
        assert!(profile.external_services.is_empty());
        assert_eq!(profile.unseen_clients_ppm, 250_000);
        assert_eq!(profile.multicast, [("224.0.0.251".to_string(), 1)]);
        assert_eq!(profile.tuples[0].ends.multicast, 1);
    }

    #[test]
    fn ports_beyond_the_limit_are_spread() {
        let mut alerts = Vec::new();
        for port in 1..=300u16 {
            for _ in 0..(if port <= 10 { 2 } else { 1 }) {
                alerts.push(RawAlert {
                    destination_port: Some(port),
                    ..alert("scan")
                });
            }
        }
        alerts.push(alert("scan"));
        let profile = fit(&alerts);
        assert_eq!(profile.tuples.len(), PORT_LIMIT + 2);
        let spread = profile
            .tuples
            .iter()
            .find(|tuple| tuple.spread_ports)
            .expect("a spread tuple");
        assert_eq!((spread.count, spread.service_port), (44, None));
        assert_eq!(profile.tuples.iter().map(|t| t.count).sum::<u64>(), 311);
        alerts.reverse();
        assert_eq!(profile, fit(&alerts));
    }

    #[test]
    fn a_client_port_counts_when_several_hosts_use_it() {
        let flow = |from: &str, port: u16| RawAlert {
            source_address: address(from),
            source_port: Some(port),
            destination_address: address("10.0.0.1"),
            destination_port: Some(123),
            ..alert("ntp")
        };
        let profile = fit(&[
            flow("10.0.0.2", 123),
            flow("10.0.0.3", 123),
            flow("10.0.0.2", 1_055),
            flow("10.0.0.2", 1_055),
            flow("10.0.0.2", 50_000),
            flow("10.0.0.3", 50_000),
        ]);
        assert_eq!(profile.tuples[0].client_ports, [(123, 2)]);
    }

    #[test]
    fn a_repeated_destination_of_to_client_alerts_is_kept() {
        let answer = |port: u16| RawAlert {
            source_address: address("10.0.0.1"),
            source_port: Some(445),
            destination_address: address("10.0.0.2"),
            destination_port: Some(port),
            direction: Some(Direction::ToClient),
            ..alert("smb")
        };
        let profile = fit(&[answer(48_768), answer(48_768), answer(50_000)]);
        assert_eq!(profile.tuples[0].service_port, Some(445));
        assert_eq!(profile.tuples[0].client_ports, [(48_768, 2)]);
    }

    #[test]
    fn protocols_without_ports_have_none() {
        let profile = fit(&[RawAlert {
            protocol: Some("icmp".to_string()),
            destination_port: Some(8),
            ..alert("ping")
        }]);
        assert_eq!(profile.tuples[0].service_port, None);
    }

    #[test]
    fn hours_need_enough_busy_days_close_together() {
        let days = |days: i64, apart: i64, each: i64| -> Vec<RawAlert> {
            (0..days * each)
                .map(|i| RawAlert {
                    time: Some((i / each) * apart * 86_400 + (i % each) * 60),
                    ..alert("S")
                })
                .collect()
        };
        let hours = fit(&days(14, 4, 50)).hours.expect("hours");
        assert_eq!(hours.len(), 24);
        assert_eq!(hours.iter().sum::<u64>(), 14 * 50);
        assert_eq!(hours[0], 14 * 50);
        assert_eq!(fit(&days(13, 4, 50)).hours, None);
        assert_eq!(fit(&days(14, 5, 50)).hours, None);
        assert_eq!(fit(&days(14, 4, 49)).hours, None);
    }

    #[test]
    fn quantiles_are_exact_while_everything_fits() {
        let mut reservoir = Reservoir::default();
        for sum in (0..6_400u64).rev() {
            reservoir.add((sum / 2, sum - sum / 2));
        }
        let sums: Vec<u64> = reservoir
            .quantiles()
            .iter()
            .map(|(up, down)| up + down)
            .collect();
        let expected: Vec<u64> = (0..64).map(|step| step * 100 + 50).collect();
        assert_eq!(sums, expected);
        let mut few = Reservoir::default();
        few.add((5, 5));
        few.add((1, 0));
        few.add((5, 5));
        assert_eq!(few.quantiles(), [(1, 0), (5, 5), (5, 5)]);
    }

    #[test]
    fn a_full_reservoir_does_not_depend_on_order() {
        let pairs: Vec<(u64, u64)> = (0..3 * RESERVOIR as u64).map(|i| (i, i * i)).collect();
        let mut forward = Reservoir::default();
        let mut backward = Reservoir::default();
        pairs.iter().for_each(|&pair| forward.add(pair));
        pairs.iter().rev().for_each(|&pair| backward.add(pair));
        assert_eq!(forward.counts, backward.counts);
        assert_eq!(forward.counts.len(), RESERVOIR);
        assert_eq!(forward.quantiles(), backward.quantiles());
    }
}
