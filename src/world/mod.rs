//! The world: hosts, accounts, addresses, processes, adversaries.
//!
//! The world is computed, not stored. Memory holds only a few columns per host and account;
//! everything with a time (boots, logons, processes, activity) is a function of (key, coordinates).
//! The world knows no populations, shards or rows; the plan passes counts to it as arguments.

pub mod activity;
pub mod adversary;
mod boots;
pub mod cloud;
pub mod detections;
pub mod geography;
pub mod hosts;
pub mod network;
pub mod processes;
pub mod sessions;
pub mod starts;
pub mod texts;
pub mod users;

use crate::catalog::{AccountRef, Catalog, End, HostClass, Names, Platform, Record};
use crate::grounding::{Asset, Profile, User};
use crate::ids::HostId;
use crate::random::{Key, below};

pub use activity::Wheel;
pub use adversary::Adversaries;
pub use boots::{Boot, SETTLED};
pub use cloud::{Cloud, CloudSession};
pub use detections::Detections;
pub use hosts::{Host, Hosts, Inventory};
pub use network::Addresses;
pub use processes::{ALIVE, Process};
pub use sessions::{Purpose, Session};
pub use starts::Starts;
pub use users::{AccountKind, Accounts};

/// Size of the world. Chosen by the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorldSize {
    /// Number of hosts to make up if no CMDB is given.
    pub assets: u32,
    /// Number of users to make up if no directory is given.
    pub users: u32,
    /// Number of distinct external addresses in addition to the profile's, per side.
    pub unseen_addresses: u32,
    /// Number of adversaries; each has its own infrastructure.
    pub adversaries: u32,
}

/// Keys of facts that rows look up, derived once, so that no row hashes a name.
#[derive(Debug)]
struct Keys {
    activity: Key,
    administrators: Key,
    audit_policy: Key,
    boots: Key,
    hardware: Key,
    logon_ids: Key,
    logons: Key,
    pids: Key,
    residents: Key,
    service_logons: Key,
}

impl Keys {
    fn new(key: Key) -> Self {
        Keys {
            activity: key.child("activity"),
            administrators: key.child("administrators"),
            audit_policy: key.child("audit policy"),
            boots: key.child("boots"),
            hardware: key.child("hardware"),
            logon_ids: key.child("logon ids"),
            logons: key.child("logons"),
            pids: key.child("pids"),
            residents: key.child("residents"),
            service_logons: key.child("service logons"),
        }
    }
}

/// The draw of a class's member.
const MEMBER: u64 = 0xc1a5;

/// Everything that exists before the first event.
#[derive(Debug)]
pub struct World {
    /// Root key of all facts about the world.
    pub key: Key,
    keys: Keys,
    /// Midnight UTC of the window's first day, Unix seconds.
    pub start: i64,
    /// Midnight UTC of the first period's first day, Unix seconds: boots and counters run from it,
    /// and so go on from one period to the next.
    pub epoch: i64,
    /// Local time is UTC plus this, in seconds.
    pub time_zone_offset: i64,
    pub domain: Domain,
    pub hosts: Hosts,
    pub accounts: Accounts,
    pub addresses: Addresses,
    pub adversaries: Adversaries,
    pub cloud: Cloud,
    pub detections: Detections,
    /// Notes for the user about what was added or left out, one sentence each.
    pub notices: Vec<String>,
}

/// The Active Directory domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    /// `fusionai.local`.
    pub dns: String,
    /// `FUSIONAI`.
    pub netbios: String,
    /// `S-1-5-21-…` without a RID.
    pub sid: String,
}

impl Domain {
    fn new(key: Key, names: &Names) -> Self {
        let part = |i| 1_000_000_000 + key.below(i, 3_200_000_000);
        Domain {
            dns: names.dns_domain.clone(),
            netbios: names.netbios_domain.clone(),
            sid: format!("S-1-5-21-{}-{}-{}", part(0), part(1), part(2)),
        }
    }
}

/// The inputs of the world.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    pub catalog: &'a Catalog,
    pub profile: &'a Profile,
    /// From the CSV files; `None`: make them up.
    pub users: Option<&'a [User]>,
    pub assets: Option<&'a [Asset]>,
}

impl World {
    /// Builds the world. `start` is the window's first midnight (UTC, Unix seconds).
    pub fn new(
        key: Key,
        start: i64,
        epoch: i64,
        time_zone_offset: i64,
        size: WorldSize,
        sources: Sources<'_>,
    ) -> Self {
        let key = key.child("world");
        let names = &sources.catalog.names;
        let mut notices = Vec::new();
        let domain = Domain::new(key.child("domain"), names);
        let mut hosts = Hosts::new(
            key.child("hosts"),
            epoch,
            time_zone_offset,
            size.assets,
            sources.assets,
            names,
            &mut notices,
        );
        let accounts = Accounts::new(
            key.child("accounts"),
            &domain,
            size.users,
            sources.users,
            sources.catalog,
            &mut hosts,
            &mut notices,
        );
        let addresses = Addresses::new(
            key.child("addresses"),
            &hosts,
            sources.profile,
            size,
            names.services.len() as u32,
        );
        let adversaries = Adversaries::new(key.child("adversaries"), size.adversaries, names);
        let detections = Detections::new(sources.catalog, sources.profile);
        World {
            key,
            keys: Keys::new(key),
            start,
            epoch,
            time_zone_offset,
            domain,
            hosts,
            accounts,
            addresses,
            adversaries,
            cloud: Cloud::new(key.child("cloud")),
            detections,
            notices,
        }
    }

    /// Hosts of a class, in a keyed order.
    #[inline]
    pub fn class(&self, class: HostClass) -> &[HostId] {
        self.hosts.class(class)
    }

    /// A keyed member of a class: another host than `host` if the class has one.
    pub fn another(&self, class: HostClass, key: Key, host: HostId) -> HostId {
        let list = self.class(class);
        let mut at = key.below(MEMBER, list.len() as u64) as usize;
        if list[at] == host {
            at = (at + 1) % list.len();
        }
        list[at]
    }

    /// The domain controller that resolves names for a host.
    pub fn resolver(&self, host: HostId) -> HostId {
        let list = self.class(HostClass::DomainController);
        list[host.index() % list.len()]
    }

    /// An ephemeral port, in the range of the operating system behind an address. Strangers on
    /// the Internet with an even number run Windows.
    #[inline]
    pub fn client_port(&self, address: u32, bits: u64) -> i32 {
        let windows = match self.addresses.host(address) {
            Some(host) => self.hosts[host].platform == Platform::Windows,
            None => !self.addresses.is_device(address) && address.is_multiple_of(2),
        };
        if windows {
            49_152 + below(bits, 16_384) as i32
        } else {
            32_768 + below(bits, 28_232) as i32
        }
    }

    /// Whether inventory and directory have every device and account that these records need.
    pub fn has_all(&self, records: &[Record]) -> bool {
        let ends = |r: &Record| {
            let connection = r.connection.iter().flat_map(|c| [&c.from, &c.to]);
            connection.chain(&r.answer).all(|end| match end {
                End::Device(device) => self.addresses.has(*device),
                _ => true,
            })
        };
        let disabled = !self.accounts.disabled().is_empty();
        let account = |r: &Record| disabled || r.account != AccountRef::DisabledUser;
        records.iter().all(|r| ends(r) && account(r))
    }
}
