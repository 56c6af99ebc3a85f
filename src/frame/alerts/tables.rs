//! What the database has about each tuple, as tables to draw from.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::requests;
use crate::catalog::{Catalog, HostClass, Platform};
use crate::frame::NONE;
use crate::frame::vocabulary::{Vocabulary, position};
use crate::grounding::protocol::is_portless;
use crate::grounding::{Direction, Profile, Tuple};
use crate::ids::{HostId, RuleId};
use crate::random::{Alias, below};
use crate::world::World;
use crate::world::detections::{Detection, counts, is_start};

/// A tuple of the database: one rule on one kind of flow.
#[derive(Debug, Clone)]
pub(super) struct TupleTable {
    pub(super) protocol: i32,
    pub(super) application: i32,
    /// 0 none, 1 to_server, 2 to_client.
    pub(super) direction: u8,
    pub(super) service_port: i32,
    pub(super) spread_ports: bool,
    pub(super) portless: bool,
    pub(super) blocked: bool,
    /// Cumulative 32-bit thresholds of the five kinds of ends.
    pub(super) ends: [u64; 5],
    pub(super) client_ports: Vec<u16>,
    /// Weights of `client_ports`, and of one more entry for any other port.
    pub(super) client_port_weights: Alias,
    /// Index into `bytes`.
    pub(super) bytes: usize,
    /// Theme of the requests to a web server on which the rule fires.
    pub(super) requests: u8,
    /// Records of its heuristic that fit the rule: all, and those that start no process.
    pub(super) records: [Vec<usize>; 2],
}

/// The rules that fire in a category.
#[derive(Debug, Clone)]
pub(super) struct Category {
    pub(super) rules: Vec<RuleId>,
    /// Weights of `rules`; without process starts, where those have strata of their own.
    pub(super) alias: Alias,
    pub(super) starts: (Vec<Way>, Alias),
}

/// A rule whose record is a process start.
#[derive(Debug, Clone)]
pub(super) struct Way {
    pub(super) rule: RuleId,
    /// Index of the heuristic, and of its record.
    pub(super) record: (usize, usize),
}

/// Tables of all standalone alerts.
#[derive(Debug, Clone)]
pub struct AlertTables {
    pub(super) tuples: Vec<TupleTable>,
    /// By corpus category.
    pub(super) categories: Vec<Category>,
    /// (to server, to client) pairs in order of their sum.
    pub(super) bytes: Vec<Vec<(u64, u64)>>,
    pub(super) clients: Ranks,
    pub(super) services: Ranks,
}

/// Private addresses of the database by rank of frequency, mapped to the world's hosts.
#[derive(Debug, Clone)]
pub(super) struct Ranks {
    alias: Alias,
    count: u64,
    /// By rank: the world's host or device with the same address, where the CMDB has one.
    known: Vec<Option<u32>>,
    /// Whether one of them is a device.
    has_devices: bool,
}

impl Ranks {
    fn new(
        weights: &[u64],
        addresses: &[String],
        world: &World,
        owners: &BTreeMap<IpAddr, u32>,
    ) -> Self {
        let owner = |text: &String| owners.get(&text.parse::<IpAddr>().ok()?).copied();
        let known: Vec<Option<u32>> = addresses.iter().map(owner).collect();
        let mut devices = known.iter().flatten();
        Ranks {
            alias: Alias::new(weights),
            count: weights.len().max(1) as u64,
            has_devices: devices.any(|&address| world.addresses.is_device(address)),
            known,
        }
    }

    /// The device whose rank is drawn, if it is a device's.
    #[inline]
    pub(super) fn device(&self, world: &World, bits: u64) -> Option<u32> {
        if !self.has_devices {
            return None;
        }
        let known = self.known.get(self.alias.draw(bits));
        let known = known.copied().flatten();
        known.filter(|address| world.addresses.is_device(*address))
    }

    /// A host of a class: rank r of K covers the r-th of K equal parts of the class. Where the alert
    /// implies a platform, the next host of the class that runs it.
    pub(super) fn draw(
        &self,
        world: &World,
        class: HostClass,
        platform: Option<Platform>,
        bits: u64,
        within: u64,
    ) -> HostId {
        let fits = |host: HostId| platform.is_none_or(|p| world.hosts[host].platform == p);
        let rank = self.alias.draw(bits) as u64;
        if let Some(Some(address)) = self.known.get(rank as usize)
            && let Some(host) = world.addresses.host(*address)
            && world.hosts[host].is(class)
            && fits(host)
        {
            return host;
        }
        let list = world.class(class);
        let n = list.len() as u64;
        let (low, high) = (rank * n / self.count, (rank + 1) * n / self.count);
        let at = (low + below(within, (high - low).max(1))).min(n - 1) as usize;
        let next = (at..list.len()).chain(0..at).find(|&i| fits(list[i]));
        list[next.unwrap_or(at)]
    }
}

/// The host or device of each address of the inventory; the first if several have it.
fn owners(world: &World) -> BTreeMap<IpAddr, u32> {
    let silent = world.hosts.silent.iter().map(|asset| asset.inventory.ip);
    let all = world.hosts.all.iter().map(|h| h.inventory.ip).chain(silent);
    let mut owners = BTreeMap::new();
    for (ip, at) in all.zip(0..) {
        owners.entry(ip).or_insert(at);
    }
    owners
}

/// Kinds of ends, in the order of `Ends`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    InternalInternal,
    InternalExternal,
    ExternalInternal,
    ExternalExternal,
    Multicast,
}
pub(super) const KINDS: [Kind; 5] = [
    Kind::InternalInternal,
    Kind::InternalExternal,
    Kind::ExternalInternal,
    Kind::ExternalExternal,
    Kind::Multicast,
];

impl Category {
    fn new(
        world: &World,
        catalog: &Catalog,
        counts: &[u64],
        category: usize,
        rules: Vec<RuleId>,
    ) -> Self {
        let apart = world.detections.starts[category].is_some();
        let (mut weights, mut ways, mut of_ways) = (Vec::new(), Vec::new(), Vec::new());
        for &rule in &rules {
            let detection = &world.detections[rule];
            let alerts = counts[rule.index()];
            let Some(heuristic) = detection.endpoint.filter(|_| apart) else {
                weights.push(detection.part(&[], alerts));
                continue;
            };
            let records = &catalog.heuristics[heuristic].records;
            let part = detection.part(records, alerts);
            let fitting = (0..records.len()).filter(|&r| detection.fits(&records[r]));
            let (starts, others): (Vec<_>, Vec<_>) = fitting.partition(|&r| is_start(&records[r]));
            weights.push(part * others.len() as u64);
            of_ways.extend(starts.iter().map(|_| part));
            ways.extend(starts.into_iter().map(|record| Way {
                rule,
                record: (heuristic, record),
            }));
        }
        Category {
            rules,
            alias: Alias::new(&weights),
            starts: (ways, Alias::new(&of_ways)),
        }
    }
}

impl AlertTables {
    /// What the database has about a rule; the profile's tuples are the first rules.
    #[inline]
    pub(super) fn tuple(&self, rule: RuleId) -> &TupleTable {
        &self.tuples[rule.index()]
    }

    pub fn new(
        world: &World,
        catalog: &Catalog,
        profile: &Profile,
        vocabulary: &Vocabulary,
    ) -> Self {
        let byte_table = |protocol: &str, application: Option<&str>| {
            let find = |p: &str, a: Option<&str>| {
                profile.bytes.iter().position(|b| {
                    b.protocol == p && b.application.as_deref() == a && !b.pairs.is_empty()
                })
            };
            find(protocol, application)
                .or_else(|| find(protocol, None))
                .or_else(|| find("tcp", None))
                .unwrap_or(0)
        };
        let table = |(detection, tuple): (&Detection, &Tuple)| {
            let heuristic = detection
                .endpoint
                .map(|h| &catalog.heuristics[h].records[..]);
            let records = heuristic.unwrap_or_default();
            let fitting = (0..records.len()).filter(|&r| detection.fits(&records[r]));
            let others = fitting.clone().filter(|&r| !is_start(&records[r]));
            let e = &tuple.ends;
            let counts = [
                e.internal_internal,
                e.internal_external,
                e.external_internal,
                e.external_external,
                e.multicast,
            ];
            let sum: u128 = counts.iter().copied().map(u128::from).sum();
            let mut cumulative: u128 = 0;
            let ends = counts.map(|c| {
                cumulative += u128::from(c);
                // Without counts, both ends are inside.
                (cumulative << 32).checked_div(sum).unwrap_or(1 << 32) as u64
            });
            let mut weights: Vec<u64> = tuple.client_ports.iter().map(|p| p.1).collect();
            weights.push(
                tuple
                    .count
                    .saturating_sub(weights.iter().sum())
                    .max(u64::from(weights.is_empty())),
            );
            TupleTable {
                protocol: position(&vocabulary.protocols, Some(&tuple.protocol)),
                application: position(&vocabulary.applications, tuple.application.as_deref()),
                direction: match tuple.direction {
                    Direction::ToServer => 1,
                    Direction::ToClient => 2,
                    Direction::Unknown => 0,
                },
                service_port: tuple.service_port.map_or(NONE, i32::from),
                spread_ports: tuple.spread_ports,
                portless: is_portless(&tuple.protocol),
                blocked: tuple.action != "allowed",
                ends,
                client_ports: tuple.client_ports.iter().map(|p| p.0).collect(),
                client_port_weights: Alias::new(&weights),
                bytes: byte_table(&tuple.protocol, tuple.application.as_deref()),
                requests: requests::theme(&tuple.signature),
                records: [fitting.collect(), others.collect()],
            }
        };
        let mut categories: Vec<Vec<RuleId>> = vec![Vec::new(); world.detections.categories.len()];
        for rule in world.detections.ids().take(profile.tuples.len()) {
            categories[world.detections[rule].category as usize].push(rule);
        }
        let alerts = counts(profile);
        let owners = owners(world);
        AlertTables {
            tuples: (world.detections.all.iter())
                .zip(&profile.tuples)
                .map(table)
                .collect(),
            categories: categories
                .into_iter()
                .enumerate()
                .map(|(category, rules)| Category::new(world, catalog, &alerts, category, rules))
                .collect(),
            bytes: profile.bytes.iter().map(|b| b.pairs.clone()).collect(),
            clients: Ranks::new(
                &profile.internal_clients,
                &profile.internal_client_addresses,
                world,
                &owners,
            ),
            services: Ranks::new(
                &profile.internal_services,
                &profile.internal_service_addresses,
                world,
                &owners,
            ),
        }
    }
}
