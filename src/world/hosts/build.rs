//! Hosts from a CMDB, hosts made up, and what both still lack.

use super::fleet::{FLEET, WORKSTATION_SYSTEMS};
use super::role::{assumed, role_of, silent_role};
use super::system::{System, distribution, system_of};
use super::{Host, Inventory, OperatingSystem, Role, Said, SilentHost};
use crate::catalog::{Device, HostClass, Names, Platform};
use crate::grounding::{Asset, shown};
use crate::random::{Alias, Key};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

pub(super) struct Builder<'a> {
    pub(super) key: Key,
    pub(super) start: i64,
    pub(super) offset: i64,
    pub(super) names: &'a Names,
    pub(super) all: Vec<Host>,
    pub(super) silent: Vec<SilentHost>,
    pub(super) systems: Vec<OperatingSystem>,
    pub(super) sites: Alias,
    pub(super) departments: Alias,
    /// Addresses handed out so far per (site, zone).
    pub(super) used: Vec<u32>,
}

impl Builder<'_> {
    /// Index of a system among those of the fleet.
    fn system(&mut self, system: OperatingSystem) -> u16 {
        match self.systems.iter().position(|s| s.name == system.name) {
            Some(i) => i as u16,
            None => {
                self.systems.push(system);
                (self.systems.len() - 1) as u16
            }
        }
    }

    /// The next free address of a site's zone: 10.x/24s of 240 hosts, never one that is taken.
    fn address(&mut self, site: usize, zone: u32) -> Ipv4Addr {
        loop {
            let slot = site * 4 + zone as usize;
            if self.used.len() <= slot {
                self.used.resize(slot + 1, 0);
            }
            let n = self.used[slot];
            self.used[slot] += 1;
            let subnet = n / 240;
            let second = (10 + (site as u32 % 20) * 12 + zone * 3 + subnet / 256) as u8;
            let ip = Ipv4Addr::new(10, second, subnet as u8, (10 + n % 240) as u8);
            let hosts = self.all.iter().take(self.first_synthetic());
            let known = hosts.map(|h| h.inventory.ip);
            let silent = self.silent.iter().map(|h| h.inventory.ip);
            if !known.chain(silent).any(|other| other == ip) {
                return ip;
            }
        }
    }

    /// Hosts out of the CMDB come first; only they can clash with a made-up address.
    fn first_synthetic(&self) -> usize {
        self.all
            .iter()
            .position(|h| h.user == SYNTHETIC)
            .unwrap_or(self.all.len())
    }

    /// Whether a name is a host's.
    fn is_taken(&self, name: &str) -> bool {
        let hosts = self.all.iter().map(|h| &h.inventory.name);
        let silent = self.silent.iter().map(|h| &h.inventory.name);
        hosts.chain(silent).any(|n| n.eq_ignore_ascii_case(name))
    }

    fn push(&mut self, host: Host) {
        self.all.push(host);
    }

    fn timed(&self, index: u64, role: Role) -> (i64, i64) {
        let key = self.key.child("boot").with(index);
        let day = 86_400;
        let local_midnight = self.start - self.offset;
        if role == Role::Workstation {
            let period = 1 + key.below(0, 7) as i64;
            let back = period * (5 + key.below(1, 40) as i64) - key.below(2, period as u64) as i64;
            let minute = 7 * 60 + key.below(3, 70) as i64;
            (period * day, local_midnight - back * day + minute * 60)
        } else {
            // Patch nights: a Sunday, 01:00 to 04:00, every fourth week.
            let weekday = (self.start / day + 4).rem_euclid(7);
            let sunday = local_midnight - weekday * day;
            let weeks = 4 * (2 + key.below(1, 20) as i64) - key.below(2, 4) as i64;
            (
                28 * day,
                sunday - weeks * 7 * day + 3600 + key.below(3, 10_800) as i64,
            )
        }
    }

    fn synthetic(&mut self, role: Role, name: String, system: &str, kind: &str, criticality: &str) {
        let index = self.all.len() as u64;
        let key = self.key.with(index);
        let Some(system) = operating_system(system, system_of(system)) else {
            return;
        };
        let platform = system.platform;
        let os = self.system(system);
        let zone = match role {
            Role::Workstation => 0,
            Role::WebServer | Role::MailServer => 2,
            Role::Vpn => 3,
            _ => 1,
        };
        // Servers stand at headquarters, except every tenth.
        let site = if zone == 0 || key.below(1, 10) == 0 {
            self.sites.draw(key.at(2))
        } else {
            0
        };
        let ip = self.address(site, zone);
        let department = match role {
            Role::Workstation => self.names.departments[self.departments.draw(key.at(3))]
                .0
                .clone(),
            _ => "IT".to_string(),
        };
        let given = &self.names.given[key.below(4, self.names.given.len() as u64) as usize];
        let family = &self.names.family[key.below(5, self.names.family.len() as u64) as usize];
        let (boot_period, boot_phase) = self.timed(index, role);
        let criticality = if role == Role::Workstation {
            ["low", "medium", "medium", "high"][key.below(6, 4) as usize]
        } else {
            criticality
        };
        let inventory = Box::new(Inventory {
            name,
            asset_type: kind.to_string(),
            criticality: criticality.to_string(),
            location: self.names.sites[site].0.clone(),
            owner: format!("{given} {family}"),
            department,
            ip: ip.into(),
            said: None,
        });
        self.push(Host {
            inventory,
            os,
            platform,
            role,
            user: SYNTHETIC,
            guid_prefix: key.at(7) as u32,
            boot_period,
            boot_phase,
        });
    }
}

/// Marks a host whose user has yet to be found, and which came from no CMDB.
const SYNTHETIC: u32 = u32::MAX;
/// Marks a CMDB host whose user has yet to be found.
const GROUNDED: u32 = u32::MAX - 1;

/// A system that reports, under the name that the inventory gives it.
fn operating_system(name: &str, system: System) -> Option<OperatingSystem> {
    let (platform, file_version) = match system {
        System::Windows { file_version, .. } => (Platform::Windows, file_version),
        System::Linux => (Platform::Linux, "-"),
        System::Silent(_) => return None,
    };
    Some(OperatingSystem {
        name: name.to_string(),
        platform,
        distribution: match platform {
            Platform::Windows => ("windows", "windows"),
            Platform::Linux => distribution(name),
        },
        file_version,
    })
}

/// The system of an asset and its name: as the inventory says, or assumed from the kind of
/// asset. `Err` is of one that reports nothing.
fn system_of_asset(asset: &Asset) -> Result<(&str, System), Device> {
    let silent = |by_system| silent_role(asset.asset_type.as_deref(), by_system);
    let name = match asset.os.as_deref() {
        Some(os) => os,
        None => {
            let name = &asset.hostname;
            let other = Key::root(0x05).child(name).at(0).is_multiple_of(2);
            assumed(asset.asset_type.as_deref(), name, other)
                .ok_or_else(|| silent(Device::Other))?
        }
    };
    match system_of(name) {
        System::Silent(by_system) => Err(silent(by_system)),
        system => Ok((name, system)),
    }
}

/// How many of the assets have endpoint telemetry; without one there is nothing to generate.
pub fn reporting(assets: &[Asset]) -> usize {
    (assets.iter())
        .filter(|asset| system_of_asset(asset).is_ok())
        .count()
}

/// What an asset's row says, and what is assumed where it says nothing.
fn inventory(asset: &Asset, kind: &str) -> Inventory {
    let or = |value: &Option<String>, default: &str| {
        value.clone().unwrap_or_else(|| default.to_string())
    };
    Inventory {
        name: asset.hostname.clone(),
        asset_type: or(&asset.asset_type, kind),
        criticality: or(&asset.criticality, "medium").to_lowercase(),
        location: or(&asset.location, "Office"),
        owner: or(&asset.owner, "IT Operations"),
        department: or(&asset.department, "IT"),
        ip: asset.ip_address,
        said: Some(Box::new(Said {
            asset_type: asset.asset_type.clone(),
            os: asset.os.clone(),
            owner: asset.owner.clone(),
            department: asset.department.clone(),
            location: asset.location.clone(),
        })),
    }
}

/// Counts of what assets have in common, most frequent first: `Cisco IOS (3), AIX (1)`.
fn counted(of: BTreeMap<String, usize>) -> String {
    const MOST: usize = 10;
    let mut list: Vec<(String, usize)> = of.into_iter().collect();
    list.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let more = list.len().saturating_sub(MOST);
    let mut shown: Vec<String> = list
        .into_iter()
        .take(MOST)
        .map(|(text, count)| format!("{} ({count})", shown(&text)))
        .collect();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    shown.join(", ")
}

/// `asset` or `assets`, with its number.
fn assets_of(count: usize) -> String {
    match count {
        1 => "1 asset has".to_string(),
        count => format!("{count} assets have"),
    }
}

pub(super) fn ground(builder: &mut Builder<'_>, assets: &[Asset], notices: &mut Vec<String>) {
    let mut silent: BTreeMap<String, usize> = BTreeMap::new();
    let mut guessed: BTreeMap<String, usize> = BTreeMap::new();
    let mut no_controllers: Vec<String> = Vec::new();
    for asset in assets {
        let (name, system) = match system_of_asset(asset) {
            Ok(found) => found,
            Err(kind) => {
                let text = match (&asset.os, &asset.asset_type) {
                    (Some(os), _) => os.clone(),
                    (None, Some(kind)) => format!("{kind} without operating system"),
                    (None, None) => "no operating system".to_string(),
                };
                *silent.entry(text).or_default() += 1;
                let kind_name = match kind {
                    Device::NetworkDevice => "Network Device",
                    Device::Printer => "Printer",
                    Device::Hypervisor => "Hypervisor",
                    Device::Other => "Other",
                };
                builder.silent.push(SilentHost {
                    inventory: inventory(asset, kind_name),
                    kind,
                });
                continue;
            }
        };
        let Some(known) = operating_system(name, system) else {
            continue;
        };
        if asset.os.is_none() {
            *guessed.entry(name.to_string()).or_default() += 1;
        }
        let (role, refused) = role_of(asset.asset_type.as_deref(), &asset.hostname, system);
        if refused {
            no_controllers.push(shown(&asset.hostname));
        }
        let platform = known.platform;
        let os = builder.system(known);
        let index = builder.all.len() as u64;
        let key = builder.key.with(index);
        let (boot_period, boot_phase) = builder.timed(index, role);
        let kind = match role {
            Role::Workstation => "Workstation",
            Role::DomainController => "Domain Controller",
            _ => "Server",
        };
        builder.push(Host {
            inventory: Box::new(inventory(asset, kind)),
            os,
            platform,
            role,
            user: GROUNDED,
            guid_prefix: key.at(7) as u32,
            boot_period,
            boot_phase,
        });
    }
    if !silent.is_empty() {
        notices.push(format!(
            "{} no endpoint telemetry: {}; they are kept in entities/assets and as ends of traffic",
            assets_of(silent.values().sum()),
            counted(silent)
        ));
    }
    if !guessed.is_empty() {
        notices.push(format!(
            "{} no operating system in the inventory; assumed by kind: {}",
            assets_of(guessed.values().sum()),
            counted(guessed)
        ));
    }
    if !no_controllers.is_empty() {
        let count = no_controllers.len();
        no_controllers.truncate(10);
        notices.push(format!(
            "{} the type of a domain controller and no Windows Server; used as plain servers: {}",
            assets_of(count),
            no_controllers.join(", ")
        ));
    }
}

pub(super) fn synthesise(builder: &mut Builder<'_>, count: u32) {
    for (role, prefix, system, least, per, kind, criticality) in FLEET {
        for i in 0..least.max(count / per) {
            builder.synthetic(
                role,
                format!("{prefix}-{:02}", i + 1),
                system,
                kind,
                criticality,
            );
        }
    }
    let systems = Alias::new(&WORKSTATION_SYSTEMS.map(|s| s.1));
    for i in 0..count.saturating_sub(builder.all.len() as u32) {
        let bits = builder.key.child("workstation").at(u64::from(i));
        let system = WORKSTATION_SYSTEMS[systems.draw(bits)].0;
        builder.synthetic(
            Role::Workstation,
            format!("WKS-{:04}", i + 1),
            system,
            "Workstation",
            "",
        );
    }
}

/// Adds the hosts that the rest of the world relies on, where they are missing.
pub(super) fn complete(builder: &mut Builder<'_>) {
    for (role, prefix, system, least, _, kind, criticality) in FLEET {
        let platform = operating_system(system, system_of(system)).map(|s| s.platform);
        let have = builder
            .all
            .iter()
            .filter(|h| h.role == role && Some(h.platform) == platform)
            .count() as u32;
        // General servers are worth having, not needed.
        let needed = if role == Role::Server {
            least.min(1)
        } else {
            least
        };
        for i in have..needed {
            let mut number = i + 1;
            let mut name = format!("{prefix}-{number:02}");
            while builder.is_taken(&name) {
                number += 1;
                name = format!("{prefix}-{number:02}");
            }
            builder.synthetic(role, name, system, kind, criticality);
        }
    }
    if !builder.all.iter().any(|h| h.is(HostClass::Workstation)) {
        let name = (1..).map(|number: u32| format!("WKS-{number:04}"));
        let free = name.into_iter().find(|name| !builder.is_taken(name));
        builder.synthetic(
            Role::Workstation,
            free.unwrap_or_else(|| "WKS-0001".into()),
            "Windows 10 Pro",
            "Workstation",
            "",
        );
    }
}
