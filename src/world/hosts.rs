//! The fleet: names, addresses, operating systems, roles.

mod build;
mod fleet;
mod revisions;
mod role;
mod system;

use std::net::IpAddr;

use crate::catalog::{Device, HostClass, Names, Platform};
use crate::grounding::Asset;
use crate::ids::{AccountId, HostId};
use crate::random::{Alias, Key};
pub use build::reporting;
use build::{Builder, complete, ground, synthesise};
use revisions::Revisions;

/// The role of a host. It decides what runs on the host and who connects to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    Workstation,
    Server,
    DomainController,
    FileServer,
    DatabaseServer,
    MailServer,
    WebServer,
    Vpn,
    Scanner,
    BackupServer,
    JumpHost,
}

impl Role {
    /// Its name in the entity table.
    pub fn word(self) -> &'static str {
        match self {
            Role::Workstation => "workstation",
            Role::Server => "server",
            Role::DomainController => "domain_controller",
            Role::FileServer => "file_server",
            Role::DatabaseServer => "database_server",
            Role::MailServer => "mail_server",
            Role::WebServer => "web_server",
            Role::Vpn => "vpn",
            Role::Scanner => "scanner",
            Role::BackupServer => "backup_server",
            Role::JumpHost => "jump_host",
        }
    }
}

/// All roles, by index.
pub const ROLES: [Role; 11] = [
    Role::Workstation,
    Role::Server,
    Role::DomainController,
    Role::FileServer,
    Role::DatabaseServer,
    Role::MailServer,
    Role::WebServer,
    Role::Vpn,
    Role::Scanner,
    Role::BackupServer,
    Role::JumpHost,
];

/// An operating system as the CMDB names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatingSystem {
    /// `Windows 10 Pro`.
    pub name: String,
    pub platform: Platform,
    /// Distribution and family as Elastic's agents name them: `rhel` and `redhat`; `windows` twice.
    pub distribution: (&'static str, &'static str),
    /// File version of the binaries it ships: `10.0.19041.4717 (WinBuild.160101.0800)`; `-` on Linux.
    /// Its latest ones: each file has the build of the month that last changed it.
    pub file_version: &'static str,
    revisions: Option<Revisions>,
}

impl OperatingSystem {
    /// Appends the file version of one of its files, by a name or key of the file.
    pub fn push_version(&self, file: &str, out: &mut Vec<u8>) {
        match &self.revisions {
            Some(revisions) => revisions.push(file, out),
            None => out.extend_from_slice(self.file_version.as_bytes()),
        }
    }

    /// As [`push_version`](Self::push_version), as text.
    pub fn version_of(&self, file: &str) -> String {
        let mut version = Vec::new();
        self.push_version(file, &mut version);
        String::from_utf8_lossy(&version).into_owned()
    }
}

/// A host's record in the inventory.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// On Windows the NetBIOS name, at most 15 characters; on Linux up to 63 characters.
    pub name: String,
    /// `Workstation`, `Server`, `Domain Controller`…
    pub asset_type: String,
    /// `low`, `medium`, `high`, `critical`.
    pub criticality: String,
    pub location: String,
    pub owner: String,
    pub department: String,
    pub ip: IpAddr,
    /// The CMDB's row, if the host is from a CMDB.
    pub said: Option<Box<Said>>,
}

/// The values of an asset's CMDB row; `None` if the row has none and a value is assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub asset_type: Option<String>,
    pub os: Option<String>,
    pub owner: Option<String>,
    pub department: Option<String>,
    pub location: Option<String>,
}

/// An asset without endpoint telemetry. It appears only as an end of other hosts' traffic.
#[derive(Debug, Clone)]
pub struct SilentHost {
    pub inventory: Inventory,
    pub kind: Device,
}

/// One host. Every row reads one or two hosts, so the struct is small: a large fleet then fits into
/// the processor's cache.
#[derive(Debug, Clone)]
pub struct Host {
    pub inventory: Box<Inventory>,
    /// Index into [`Hosts::systems`].
    pub os: u16,
    pub platform: Platform,
    pub role: Role,
    /// Account of the primary user (workstations) or administrator (servers).
    pub user: AccountId,
    /// First eight hex digits of every ProcessGuid and LogonGuid here.
    pub guid_prefix: u32,
    /// Boots happen every `boot_period` seconds, the first at `boot_phase` (Unix seconds), with jitter.
    pub boot_period: i64,
    pub boot_phase: i64,
}

/// The fleet.
///
/// 1. Names and addresses are unique.
/// 2. There is at least one host of every class, and two domain controllers.
/// 3. `classes` lists hosts in a keyed order, so that any prefix is a random sample.
#[derive(Debug)]
pub struct Hosts {
    pub all: Vec<Host>,
    pub systems: Vec<OperatingSystem>,
    /// All hosts except workstations, which are always active, in a keyed order.
    pub servers: Vec<HostId>,
    /// Assets without telemetry. Their addresses follow those of the hosts.
    pub silent: Vec<SilentHost>,
    classes: Vec<Vec<HostId>>,
}

/// All classes, by index.
pub const CLASSES: [HostClass; 15] = [
    HostClass::Any,
    HostClass::Windows,
    HostClass::Linux,
    HostClass::Workstation,
    HostClass::WindowsServer,
    HostClass::LinuxServer,
    HostClass::DomainController,
    HostClass::WebServer,
    HostClass::MailServer,
    HostClass::DatabaseServer,
    HostClass::FileServer,
    HostClass::Dmz,
    HostClass::Scanner,
    HostClass::BackupServer,
    HostClass::JumpHost,
];

impl Host {
    /// Whether the host belongs to a class.
    pub fn is(&self, class: HostClass) -> bool {
        let windows = self.platform == Platform::Windows;
        match class {
            HostClass::Any => true,
            HostClass::Windows => windows,
            HostClass::Linux => !windows,
            HostClass::Workstation => self.role == Role::Workstation && windows,
            HostClass::WindowsServer => self.role != Role::Workstation && windows,
            HostClass::LinuxServer => self.role != Role::Workstation && !windows,
            HostClass::DomainController => self.role == Role::DomainController && windows,
            HostClass::WebServer => self.role == Role::WebServer && !windows,
            HostClass::MailServer => self.role == Role::MailServer,
            HostClass::DatabaseServer => self.role == Role::DatabaseServer,
            HostClass::FileServer => self.role == Role::FileServer,
            HostClass::Dmz => {
                matches!(self.role, Role::WebServer | Role::MailServer | Role::Vpn)
            }
            HostClass::Scanner => self.role == Role::Scanner && !windows,
            HostClass::BackupServer => self.role == Role::BackupServer && windows,
            HostClass::JumpHost => self.role == Role::JumpHost && windows,
        }
    }
}

impl Hosts {
    /// Builds the fleet from a CMDB, or a synthetic one of `count` hosts.
    pub(super) fn new(
        key: Key,
        start: i64,
        offset: i64,
        count: u32,
        assets: Option<&[Asset]>,
        names: &Names,
        notices: &mut Vec<String>,
    ) -> Self {
        let weights = |list: &[(String, u32)]| -> Vec<u64> {
            list.iter().map(|(_, w)| u64::from(*w)).collect()
        };
        let mut builder = Builder {
            key,
            start,
            offset,
            names,
            all: Vec::new(),
            silent: Vec::new(),
            systems: Vec::new(),
            sites: Alias::new(&weights(&names.sites)),
            departments: Alias::new(&weights(&names.departments)),
            used: Vec::new(),
        };
        match assets {
            Some(assets) => ground(&mut builder, assets, notices),
            None => synthesise(&mut builder, count),
        }
        let grounded = builder.all.len();
        complete(&mut builder);
        if builder.all.len() > grounded {
            let added: Vec<&str> = builder.all[grounded..]
                .iter()
                .map(|h| h.inventory.name.as_str())
                .collect();
            notices.push(format!(
                "added hosts that every network needs and the CMDB lacks: {}",
                added.join(", ")
            ));
        }
        let classes = CLASSES
            .iter()
            .enumerate()
            .map(|(c, &class)| {
                let mut list: Vec<HostId> = (0..builder.all.len())
                    .map(HostId::new)
                    .filter(|&h| builder.all[h.index()].is(class))
                    .collect();
                let order = key.child("class").with(c as u64);
                list.sort_by_key(|&h| (order.at(u64::from(h)), h));
                list
            })
            .collect::<Vec<Vec<HostId>>>();
        let servers = classes[0]
            .iter()
            .copied()
            .filter(|&h| builder.all[h.index()].role != Role::Workstation)
            .collect();
        Hosts {
            all: builder.all,
            systems: builder.systems,
            servers,
            silent: builder.silent,
            classes,
        }
    }

    /// Hosts of a class, in a keyed order; never empty.
    pub fn class(&self, class: HostClass) -> &[HostId] {
        let index = CLASSES.iter().position(|&c| c == class).unwrap_or(0);
        let list = &self.classes[index];
        if list.is_empty() {
            &self.classes[0]
        } else {
            list
        }
    }

    /// Number of hosts.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// All hosts, in their order.
    pub fn ids(&self) -> impl Iterator<Item = HostId> + Clone + use<> {
        (0..self.all.len()).map(HostId::new)
    }

    /// Always false: every fleet has infrastructure.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The operating system of a host.
    pub fn system(&self, host: HostId) -> &OperatingSystem {
        &self.systems[self.all[host.index()].os as usize]
    }
}

impl std::ops::Index<HostId> for Hosts {
    type Output = Host;
    #[inline]
    fn index(&self, host: HostId) -> &Host {
        &self.all[host.index()]
    }
}
