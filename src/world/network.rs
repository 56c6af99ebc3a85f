//! Addresses: one table of all possible ends of flows.
//!
//! Every kind of address is a range of the table, so an address is one small number. An external
//! address never changes its role.

use std::collections::{BTreeMap, HashSet};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::WorldSize;
use super::hosts::Hosts;
use super::texts::PackedStrings;
use crate::catalog::{Device, LocalAddress, Purpose};
use crate::grounding::Profile;
use crate::ids::{AccountId, HostId};
use crate::random::{Alias, Key};

/// Addresses per adversary: one per purpose.
const PURPOSES: u32 = 4;
/// Addresses per benign Internet service.
const SERVICE_ADDRESSES: u32 = 3;

/// Maximum number of home connections.
const MOST_HOMES: u32 = 4096;
/// Number of addresses of the organisation's machines in the cloud.
const INSTANCES: u32 = 24;

/// Number of kinds of devices.
const DEVICES: usize = Device::Other as usize + 1;

/// Blocks of access providers, and of Amazon's cloud.
const SUBSCRIBERS: &[u8] = &[24, 68, 71, 73, 77, 79, 82, 84, 86, 90, 92, 98];
const AMAZON: &[u8] = &[3, 18, 52, 54];

/// Every address, by index.
///
/// 1. Host h's address is entry h; those of the inventory's devices follow.
/// 2. Addresses are unique. (The profile's local addresses are the ones of `local`.)
/// 3. No made-up address is in a special-purpose range.
#[derive(Debug)]
pub struct Addresses {
    pub texts: PackedStrings,
    hosts: u32,
    /// Ranges of the inventory's devices, by [`Device`].
    devices: [Vec<u32>; DEVICES],
    /// The printer that each host uses, by host; empty if the inventory has no printer.
    printers: Vec<u32>,
    profile_clients: Range<u32>,
    profile_services: Range<u32>,
    multicast: Range<u32>,
    /// By [`LocalAddress`]; the profile may have some of them.
    local: [u32; LocalAddress::ALL.len()],
    /// The IPv6 address of each host on its link.
    on_link: Range<u32>,
    /// Scanning adversaries, then new clients: one pool for standalone alerts.
    scanners: Range<u32>,
    new_clients: Range<u32>,
    /// Command-and-control, download and exfiltration servers, then new services.
    adversary_services: Range<u32>,
    new_services: Range<u32>,
    benign: Range<u32>,
    /// Egress addresses of the sites, and the index of each host's.
    egress: Range<u32>,
    egress_of_host: Vec<u32>,
    /// Home connections of people.
    homes: Range<u32>,
    /// The organisation's machines in the cloud.
    instances: Range<u32>,
    client_weights: Alias,
    service_weights: Alias,
    multicast_weights: Alias,
    unseen_clients_ppm: u32,
    unseen_services_ppm: u32,
}

/// Public unicast, outside every special-purpose registry (RFC 6890) and the
/// documentation, benchmarking and relay ranges.
fn is_ordinary(ip: u32) -> bool {
    let [a, b, c, _] = ip.to_be_bytes();
    !matches!(
        (a, b, c),
        (0 | 10 | 127, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0 | 168, _)
            | (192, 88, 99)
            | (192, 31, 196)
            | (192, 52, 193)
            | (192, 175, 48)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            | (224..=255, _, _)
            // Large blocks that are allocated but not routed: a client there would be conspicuous.
            | (6 | 7 | 11 | 21 | 22 | 25 | 26 | 28 | 29 | 30 | 33 | 55 | 214 | 215, _, _)
    )
}

/// A made-up public address; the same number always gives the same address.
fn public_address(key: Key, number: u64) -> Ipv4Addr {
    let mut attempt = 0;
    loop {
        let bits = key.at2(number, attempt);
        let ip = bits as u32;
        // Network and broadcast addresses of a /24 are not hosts.
        if is_ordinary(ip) && !matches!(ip as u8, 0 | 255) {
            return Ipv4Addr::from(ip);
        }
        attempt += 1;
    }
}

/// A host's IPv6 address on its link: Windows draws the interface's half once, and keeps it.
fn link_local(key: Key, host: u64) -> String {
    let bits = key.at(host);
    let part = |nth: u32| (bits >> (16 * nth)) as u16;
    Ipv6Addr::new(0xfe80, 0, 0, 0, part(3), part(2), part(1), part(0)).to_string()
}

/// Moves an address into one of the given /8 blocks, none of which has a special-purpose range.
fn within(blocks: &[u8], address: Ipv4Addr) -> Ipv4Addr {
    let [a, b, c, d] = address.octets();
    Ipv4Addr::from([blocks[usize::from(a) % blocks.len()], b, c, d])
}

/// The printer of each host, at the host's site if there is one.
fn printers(key: Key, hosts: &Hosts) -> Vec<u32> {
    let mut by_site: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    let mut all = Vec::new();
    for (nth, asset) in hosts.silent.iter().enumerate() {
        if asset.kind == Device::Printer {
            let address = (hosts.len() + nth) as u32;
            let site = asset.inventory.location.as_str();
            by_site.entry(site).or_default().push(address);
            all.push(address);
        }
    }
    if all.is_empty() {
        return Vec::new();
    }
    (hosts.all.iter().zip(0..))
        .map(|(host, index)| {
            let near = by_site.get(host.inventory.location.as_str());
            let near = near.unwrap_or(&all);
            near[key.below(index, near.len() as u64) as usize]
        })
        .collect()
}

impl Addresses {
    pub(super) fn new(
        key: Key,
        hosts: &Hosts,
        profile: &Profile,
        size: WorldSize,
        benign_services: u32,
    ) -> Self {
        let mut texts = PackedStrings::default();
        (hosts.all.iter()).for_each(|h| texts.push(&h.inventory.ip.to_string()));
        let mut devices = [const { Vec::new() }; DEVICES];
        for asset in &hosts.silent {
            devices[asset.kind as usize].push(texts.len() as u32);
            texts.push(&asset.inventory.ip.to_string());
        }
        let printers = printers(key.child("printers"), hosts);
        let own: HashSet<String> = texts.iter().map(str::to_owned).collect();
        // Addresses in the inventory are inside, even if the alerts database has them outside.
        let outside = |list: &[(String, u64)]| -> Vec<(String, u64)> {
            let others = list.iter().filter(|(address, _)| !own.contains(address));
            others.cloned().collect()
        };
        let clients = outside(&profile.external_clients);
        let services = outside(&profile.external_services);
        let known = |list: &[(String, u64)], texts: &mut PackedStrings| {
            let first = texts.len() as u32;
            list.iter().for_each(|(address, _)| texts.push(address));
            first..texts.len() as u32
        };
        let profile_clients = known(&clients, &mut texts);
        let profile_services = known(&services, &mut texts);
        let multicast = known(&profile.multicast, &mut texts);
        let local = LocalAddress::ALL.map(|(_, text)| {
            let known = texts.iter().position(|known| known == text);
            known.unwrap_or_else(|| {
                texts.push(text);
                texts.len() - 1
            }) as u32
        });
        let on_link = key.child("on_link");
        let on_link = {
            let first = texts.len() as u32;
            (0..hosts.len() as u64).for_each(|host| texts.push(&link_local(on_link, host)));
            first..texts.len() as u32
        };
        // Made-up addresses are IPv4 in canonical form, so equal addresses have equal text.
        let mut taken: HashSet<Ipv4Addr> = texts.iter().filter_map(|t| t.parse().ok()).collect();
        let mut number = 0u64;
        let mut made_in = |count: u32, blocks: &[u8], texts: &mut PackedStrings| {
            let first = texts.len() as u32;
            while (texts.len() as u32) < first + count {
                let address = match blocks {
                    [] => public_address(key, number),
                    blocks => within(blocks, public_address(key, number)),
                };
                number += 1;
                if taken.insert(address) {
                    texts.push(&address.to_string());
                }
            }
            first..texts.len() as u32
        };
        let mut made = |count, texts: &mut PackedStrings| made_in(count, &[], texts);
        let scanners = made(size.adversaries, &mut texts);
        let new_clients = made(size.unseen_addresses, &mut texts);
        let adversary_services = made(size.adversaries * (PURPOSES - 1), &mut texts);
        let new_services = made(size.unseen_addresses, &mut texts);
        let benign = made(benign_services * SERVICE_ADDRESSES, &mut texts);
        let mut sites = BTreeMap::new();
        let egress_of_host = hosts
            .all
            .iter()
            .map(|h| {
                let next = sites.len() as u32;
                *sites.entry(h.inventory.location.as_str()).or_insert(next)
            })
            .collect();
        let lines = (hosts.len() as u32 / 2).clamp(16, MOST_HOMES);
        let egress = made_in(sites.len() as u32, SUBSCRIBERS, &mut texts);
        let homes = made_in(lines, SUBSCRIBERS, &mut texts);
        let instances = made_in(INSTANCES, AMAZON, &mut texts);
        let weights = |list: &[(String, u64)]| -> Alias {
            Alias::new(&list.iter().map(|(_, w)| *w).collect::<Vec<_>>())
        };
        let unseen =
            |list: &[(String, u64)], ppm: u32| if list.is_empty() { 1_000_000 } else { ppm };
        Addresses {
            hosts: hosts.len() as u32,
            devices,
            printers,
            client_weights: weights(&clients),
            service_weights: weights(&services),
            multicast_weights: weights(&profile.multicast),
            unseen_clients_ppm: unseen(&clients, profile.unseen_clients_ppm),
            unseen_services_ppm: unseen(&services, profile.unseen_services_ppm),
            texts,
            profile_clients,
            profile_services,
            multicast,
            local,
            on_link,
            scanners,
            new_clients,
            adversary_services,
            new_services,
            benign,
            egress,
            egress_of_host,
            homes,
            instances,
        }
    }

    /// The two ends of a host's connection to a local address.
    pub fn local_ends(&self, to: LocalAddress, host: HostId) -> (u32, u32) {
        let address = self.local[to as usize];
        let from = if to.is_loopback() {
            address
        } else if to.is_on_link6() {
            self.on_link.start + host.get()
        } else {
            self.of_host(host)
        };
        (from, address)
    }

    /// Whether an address is the host's own: its one of the inventory, its link's, or the loopback.
    #[inline]
    pub fn is_own(&self, address: u32, host: HostId) -> bool {
        let [loopback, loopback6, ..] = self.local;
        address == self.of_host(host)
            || address == self.on_link.start + host.get()
            || address == loopback
            || address == loopback6
    }

    /// The address of a host.
    #[inline]
    pub fn of_host(&self, host: HostId) -> u32 {
        host.get()
    }

    /// The host that has an address, if it is one of our hosts.
    #[inline]
    pub fn host(&self, address: u32) -> Option<HostId> {
        self.is_host(address).then(|| HostId::new(address as usize))
    }

    /// Whether an address is one of our hosts.
    #[inline]
    pub fn is_host(&self, address: u32) -> bool {
        address < self.hosts
    }

    /// Whether an address belongs to a device without telemetry.
    #[inline]
    pub fn is_device(&self, address: u32) -> bool {
        (self.hosts..self.profile_clients.start).contains(&address)
    }

    /// Whether an address counts as inside: hosts, devices, local addresses, multicast and broadcast.
    #[inline]
    pub fn is_inside(&self, address: u32) -> bool {
        address < self.profile_clients.start
            || (self.multicast.start..self.on_link.end).contains(&address)
    }

    /// Whether the inventory has a device of this kind.
    pub fn has(&self, device: Device) -> bool {
        !self.devices[device as usize].is_empty()
    }

    /// The device of a kind that a host uses, if the inventory has one: for printers always the same
    /// one, at the host's site if possible; for other kinds any.
    pub fn device(&self, of: Device, host: HostId, bits: u64) -> Option<u32> {
        if of == Device::Printer {
            return self.printers.get(host.index()).copied();
        }
        let all = &self.devices[of as usize];
        all.get(crate::random::below(bits, all.len().max(1) as u64) as usize)
            .copied()
    }

    /// An external client, drawn by the profile's weights, or a new one (Good–Turing).
    #[inline]
    pub fn client(&self, bits: u64, choose: u64) -> u32 {
        if crate::random::chance(choose, self.unseen_clients_ppm) {
            pick(self.scanners.start..self.new_clients.end, bits)
        } else {
            self.profile_clients.start + self.client_weights.draw(bits) as u32
        }
    }

    /// An external server, drawn by the profile's weights, or a new one.
    #[inline]
    pub fn service(&self, bits: u64, choose: u64) -> u32 {
        if crate::random::chance(choose, self.unseen_services_ppm) {
            pick(self.adversary_services.start..self.new_services.end, bits)
        } else {
            self.profile_services.start + self.service_weights.draw(bits) as u32
        }
    }

    /// A multicast or broadcast destination, if the profile has one.
    #[inline]
    pub fn multicast(&self, bits: u64) -> Option<u32> {
        (!self.multicast.is_empty())
            .then(|| self.multicast.start + self.multicast_weights.draw(bits) as u32)
    }

    /// An adversary's address for one purpose.
    pub fn adversary(&self, adversary: u32, purpose: Purpose) -> u32 {
        let service = |k| self.adversary_services.start + adversary * (PURPOSES - 1) + k;
        match purpose {
            Purpose::Scan => self.scanners.start + adversary,
            Purpose::C2 => service(0),
            Purpose::Exfil => service(1),
            Purpose::Download => service(2),
        }
    }

    /// Whether an address belongs to an adversary, for any purpose.
    pub fn is_adversary(&self, address: u32) -> bool {
        self.scanners.contains(&address) || self.adversary_services.contains(&address)
    }

    /// The egress address of a host's site.
    pub fn egress(&self, host: HostId) -> u32 {
        self.egress.start + self.egress_of_host[host.index()]
    }

    /// The home address of a person.
    pub fn home(&self, account: AccountId) -> u32 {
        let homes = self.homes.end - self.homes.start;
        self.homes.start + account.get() % homes
    }

    /// One of the organisation's machines in the cloud.
    pub fn instance(&self, bits: u64) -> u32 {
        pick(self.instances.clone(), bits)
    }

    /// One of the addresses of benign service `service`.
    pub fn benign(&self, service: u32, bits: u64) -> u32 {
        self.benign.start
            + service * SERVICE_ADDRESSES
            + crate::random::below(bits, u64::from(SERVICE_ADDRESSES)) as u32
    }
}

#[inline]
fn pick(range: Range<u32>, bits: u64) -> u32 {
    range.start + crate::random::below(bits, u64::from(range.end - range.start).max(1)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_addresses_avoid_special_ranges() {
        let key = Key::root(1);
        for i in 0..100_000 {
            let ip = public_address(key, i);
            assert!(!ip.is_private() && !ip.is_loopback() && !ip.is_documentation());
            assert!(!ip.is_multicast() && !ip.is_link_local() && !ip.is_broadcast());
        }
        assert!(!is_ordinary(u32::from(Ipv4Addr::new(198, 51, 100, 42))));
        assert!(!is_ordinary(u32::from(Ipv4Addr::new(100, 100, 0, 1))));
        assert!(is_ordinary(u32::from(Ipv4Addr::new(8, 8, 8, 8))));
    }
}
