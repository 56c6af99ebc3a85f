//! The fleet: names, addresses, operating systems, roles.

mod build;

use std::net::IpAddr;

use crate::catalog::{HostClass, Names, Platform};
use crate::grounding::Asset;
use crate::random::{Alias, Key};
use build::{Builder, complete, ground, synthesise};

/// What a host is for; decides what runs on it and who reaches it.
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
    /// File version of the binaries it ships: `10.0.19041.4717 (WinBuild.160101.0800)`; `-` on Linux.
    pub file_version: &'static str,
}

/// What is written down of a host.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// NetBIOS name, at most 15 characters.
    pub name: String,
    /// `Workstation`, `Server`, `Domain Controller`…
    pub asset_type: String,
    /// `low`, `medium`, `high`, `critical`.
    pub criticality: String,
    pub location: String,
    pub owner: String,
    pub department: String,
    pub ip: IpAddr,
}

/// One host. Every row asks one or two for some of this: it is short, so that those of a large
/// fleet stay in the processor's cache.
#[derive(Debug, Clone)]
pub struct Host {
    pub inventory: Box<Inventory>,
    /// Index into [`Hosts::systems`].
    pub os: u16,
    pub platform: Platform,
    pub role: Role,
    /// Account of the primary user (workstations) or administrator (servers).
    pub user: u32,
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
/// 3. `classes` lists hosts in a keyed order, so that a prefix is a fair sample.
#[derive(Debug)]
pub struct Hosts {
    pub all: Vec<Host>,
    pub systems: Vec<OperatingSystem>,
    /// Everything but workstations: what works day and night, in a keyed order.
    pub servers: Vec<u32>,
    classes: Vec<Vec<u32>>,
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
            HostClass::DomainController => self.role == Role::DomainController,
            HostClass::WebServer => self.role == Role::WebServer && !windows,
            HostClass::MailServer => self.role == Role::MailServer,
            HostClass::DatabaseServer => self.role == Role::DatabaseServer,
            HostClass::FileServer => self.role == Role::FileServer,
            HostClass::Dmz => {
                matches!(self.role, Role::WebServer | Role::MailServer | Role::Vpn)
            }
            HostClass::Scanner => self.role == Role::Scanner,
            HostClass::BackupServer => self.role == Role::BackupServer,
            HostClass::JumpHost => self.role == Role::JumpHost,
        }
    }
}

/// Windows builds by words in the name; the first match counts.
const WINDOWS_BUILDS: [(&str, &str); 7] = [
    ("11", "10.0.22621.3880 (WinBuild.160101.0800)"),
    ("2025", "10.0.26100.1301 (WinBuild.160101.0800)"),
    ("2022", "10.0.20348.2582 (WinBuild.160101.0800)"),
    ("2019", "10.0.17763.6054 (WinBuild.160101.0800)"),
    ("2016", "10.0.14393.7155 (WinBuild.160101.0800)"),
    ("2012", "6.3.9600.21972 (winblue_ltsb.240606-0953)"),
    ("", "10.0.19041.4717 (WinBuild.160101.0800)"),
];

const LINUX_WORDS: [&str; 15] = [
    "linux", "ubuntu", "debian", "red hat", "rhel", "centos", "rocky", "alma", "suse", "fedora",
    "oracle", "amazon", "kali", "arch", "gentoo",
];

fn system_of(name: &str) -> Option<OperatingSystem> {
    let lower = name.to_lowercase();
    if lower.contains("windows") {
        let build = WINDOWS_BUILDS.iter().find(|(word, _)| lower.contains(word));
        return Some(OperatingSystem {
            name: name.to_string(),
            platform: Platform::Windows,
            file_version: build.map_or("-", |b| b.1),
        });
    }
    LINUX_WORDS
        .iter()
        .any(|word| lower.contains(word))
        .then(|| OperatingSystem {
            name: name.to_string(),
            platform: Platform::Linux,
            file_version: "-",
        })
}

/// What the CMDB's words say about a role.
fn role_of(asset: &Asset) -> Role {
    let text = format!(
        "{} {}",
        asset.asset_type.as_deref().unwrap_or(""),
        asset.hostname
    );
    let text = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|w| text.contains(w));
    let os = asset.os.as_deref().unwrap_or("").to_lowercase();
    let server_os = os.contains("server");
    if has(&["workstation", "laptop", "desktop", "wks", "client"]) {
        Role::Workstation
    } else if has(&["domain controller", "dc-", "dc0", "dc1", "-dc"]) {
        Role::DomainController
    } else if has(&["web", "www", "proxy", "nginx"]) {
        Role::WebServer
    } else if has(&["mail", "exchange", "smtp", "mx"]) {
        Role::MailServer
    } else if has(&["database", "sql", "db-", "db0", "oracle", "postgres"]) {
        Role::DatabaseServer
    } else if has(&["file", "fs-", "nas", "storage"]) {
        Role::FileServer
    } else if has(&["backup", "bkp", "veeam"]) {
        Role::BackupServer
    } else if has(&["scan", "nessus"]) {
        Role::Scanner
    } else if has(&["vpn", "gateway"]) {
        Role::Vpn
    } else if has(&["jump", "jmp", "bastion", "paw"]) {
        Role::JumpHost
    } else if server_os || has(&["server", "srv"]) || !os.contains("windows") {
        Role::Server
    } else {
        Role::Workstation
    }
}

/// How a synthetic fleet is made up: role, name prefix, OS, minimum, one per so many assets, asset type, criticality.
const FLEET: [(Role, &str, &str, u32, u32, &str, &str); 13] = [
    (
        Role::DomainController,
        "DC",
        "Windows Server 2022 Standard",
        2,
        400,
        "Domain Controller",
        "critical",
    ),
    (
        Role::FileServer,
        "FS",
        "Windows Server 2019 Standard",
        1,
        120,
        "Server",
        "high",
    ),
    (
        Role::DatabaseServer,
        "SQL",
        "Windows Server 2019 Standard",
        1,
        160,
        "Server",
        "critical",
    ),
    (
        Role::DatabaseServer,
        "PGS",
        "Red Hat Enterprise Linux 9.4",
        1,
        160,
        "Server",
        "critical",
    ),
    (
        Role::MailServer,
        "MX",
        "Debian GNU/Linux 12",
        1,
        300,
        "Server",
        "high",
    ),
    (
        Role::WebServer,
        "IIS",
        "Windows Server 2022 Standard",
        1,
        200,
        "Server",
        "high",
    ),
    (
        Role::WebServer,
        "WEB",
        "Ubuntu 22.04.4 LTS",
        2,
        60,
        "Server",
        "high",
    ),
    (
        Role::Vpn,
        "VPN",
        "Debian GNU/Linux 12",
        1,
        500,
        "Server",
        "high",
    ),
    (
        Role::Scanner,
        "SCAN",
        "Ubuntu 22.04.4 LTS",
        1,
        5000,
        "Server",
        "medium",
    ),
    (
        Role::BackupServer,
        "BKP",
        "Windows Server 2022 Standard",
        1,
        2000,
        "Server",
        "high",
    ),
    (
        Role::JumpHost,
        "JMP",
        "Windows Server 2022 Standard",
        1,
        1000,
        "Server",
        "high",
    ),
    (
        Role::Server,
        "APP",
        "Windows Server 2019 Standard",
        2,
        25,
        "Server",
        "medium",
    ),
    (
        Role::Server,
        "LNX",
        "Ubuntu 22.04.4 LTS",
        2,
        14,
        "Server",
        "medium",
    ),
];

const WORKSTATION_SYSTEMS: [(&str, u64); 3] = [
    ("Windows 10 Pro", 50),
    ("Windows 11 Pro", 35),
    ("Windows 10 Enterprise", 15),
];

impl Hosts {
    /// The fleet from a CMDB, or a synthetic one of `count` hosts.
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
                "the CMDB lacks hosts that every network has; added {}",
                added.join(", ")
            ));
        }
        let classes = CLASSES
            .iter()
            .enumerate()
            .map(|(c, &class)| {
                let mut list: Vec<u32> = (0..builder.all.len() as u32)
                    .filter(|&h| builder.all[h as usize].is(class))
                    .collect();
                let order = key.child("class").with(c as u64);
                list.sort_by_key(|&h| (order.at(u64::from(h)), h));
                list
            })
            .collect::<Vec<Vec<u32>>>();
        let servers = classes[0]
            .iter()
            .copied()
            .filter(|&h| builder.all[h as usize].role != Role::Workstation)
            .collect();
        Hosts {
            all: builder.all,
            systems: builder.systems,
            servers,
            classes,
        }
    }

    /// Hosts of a class, in a keyed order; never empty.
    pub fn class(&self, class: HostClass) -> &[u32] {
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

    /// Never: a fleet has its infrastructure.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// The operating system of a host.
    pub fn system(&self, host: u32) -> &OperatingSystem {
        &self.systems[self.all[host as usize].os as usize]
    }
}

impl std::ops::Index<u32> for Hosts {
    type Output = Host;
    #[inline]
    fn index(&self, host: u32) -> &Host {
        &self.all[host as usize]
    }
}
