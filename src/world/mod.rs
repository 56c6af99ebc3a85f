//! Where it happens: hosts, accounts, addresses, processes, adversaries.
//!
//! The world is computed, not stored: a few columns per host and account stand in
//! memory, everything that has a time (boots, logons, processes, activity) is a
//! function of (key, coordinates). It has never heard of a population, a shard or
//! a row; counts reach it as arguments that only the plan chooses.

pub mod activity;
pub mod adversary;
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

use crate::catalog::{Account, Catalog, End, HostClass, Names, Record};
use crate::grounding::{Asset, Profile, User};
use crate::random::Key;

pub use activity::Wheel;
pub use adversary::Adversaries;
pub use cloud::{Cloud, CloudSession};
pub use detections::Detections;
pub use hosts::{Host, Hosts, Inventory};
pub use network::Addresses;
pub use processes::{ALIVE, Boot, Process};
pub use sessions::{Purpose, Session};
pub use starts::Starts;
pub use users::{AccountKind, Accounts};

/// How large the world is. Chosen by the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorldSize {
    /// Hosts to synthesise when no CMDB is given.
    pub assets: u32,
    /// Users to synthesise when no directory is given.
    pub users: u32,
    /// Distinct external addresses beyond the profile's, per side.
    pub unseen_addresses: u32,
    /// Adversaries; each has its own infrastructure.
    pub adversaries: u32,
}

/// Keys of what rows ask for, named once: no row hashes a name.
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

/// Everything that exists before the first event.
#[derive(Debug)]
pub struct World {
    /// Root of every keyed fact about the world.
    pub key: Key,
    keys: Keys,
    /// Midnight UTC of the window's first day, Unix seconds.
    pub start: i64,
    /// Local time is UTC plus this, in seconds.
    pub time_zone_offset: i64,
    pub domain: Domain,
    pub hosts: Hosts,
    pub accounts: Accounts,
    pub addresses: Addresses,
    pub adversaries: Adversaries,
    pub cloud: Cloud,
    pub detections: Detections,
    /// What had to be added or left out, one sentence each; for stderr.
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

/// What the world is built from.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    pub catalog: &'a Catalog,
    pub profile: &'a Profile,
    /// From the CSVs; `None` means synthesise.
    pub users: Option<&'a [User]>,
    pub assets: Option<&'a [Asset]>,
}

impl World {
    /// Builds the world. `start` is the window's first midnight (UTC, Unix seconds).
    pub fn new(
        key: Key,
        start: i64,
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
            start,
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
    pub fn class(&self, class: HostClass) -> &[u32] {
        self.hosts.class(class)
    }

    /// Whether the inventory and the directory have all that these records are about.
    pub fn has_all(&self, records: &[Record]) -> bool {
        let ends = |r: &Record| {
            let connection = r.connection.iter().flat_map(|c| [&c.from, &c.to]);
            connection.chain(&r.answer).all(|end| match end {
                End::Device(device) => self.addresses.has(*device),
                _ => true,
            })
        };
        let disabled = !self.accounts.disabled().is_empty();
        let account = |r: &Record| disabled || r.account != Account::DisabledUser;
        records.iter().all(|r| ends(r) && account(r))
    }
}
