//! Hosts from a CMDB, made-up hosts, and hosts that every network needs.

use super::fleet::{FLEET, WORKSTATION_SYSTEMS};
use super::revisions::Revisions;
use super::role::{assumed, role_of, silent_role};
use super::system::{Edition, ParsedSystem, distribution, system_of};
use super::{Host, Inventory, OperatingSystem, Role, Said, SilentHost};
use crate::catalog::{Device, HostClass, Names, Platform};
use crate::grounding::{Asset, shown};
use crate::ids::AccountId;
use crate::random::{Alias, Draws, Key, choose, slots};
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
    /// Number of addresses assigned so far per (site, zone).
    pub(super) used: Vec<u32>,
}

impl Builder<'_> {
    /// Index of an operating system in the fleet's list.
    fn system(&mut self, system: OperatingSystem) -> u16 {
        match self.systems.iter().position(|s| s.name == system.name) {
            Some(i) => i as u16,
            None => {
                self.systems.push(system);
                (self.systems.len() - 1) as u16
            }
        }
    }

    /// The next free address of a site's zone, from /24 networks in 10/8 with 240 hosts each.
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

    /// CMDB hosts come first; a made-up address can conflict only with them.
    fn first_synthetic(&self) -> usize {
        self.all
            .iter()
            .position(|h| h.user == SYNTHETIC)
            .unwrap_or(self.all.len())
    }

    /// Whether a host has this name.
    fn is_taken(&self, name: &str) -> bool {
        let hosts = self.all.iter().map(|h| &h.inventory.name);
        let silent = self.silent.iter().map(|h| &h.inventory.name);
        hosts.chain(silent).any(|n| n.eq_ignore_ascii_case(name))
    }

    fn push(&mut self, host: Host) {
        self.all.push(host);
    }

    fn timed(&self, index: u64, role: Role) -> (i64, i64) {
        let key = Draws::new(self.key.child("boot").with(index));
        let day = 86_400;
        let local_midnight = self.start - self.offset;
        if role == Role::Workstation {
            let period = 1 + key.below(BootSlot::Period, 7) as i64;
            let back = period * (5 + key.below(BootSlot::Back, 40) as i64)
                - key.below(BootSlot::Offset, period as u64) as i64;
            let minute = 7 * 60 + key.below(BootSlot::Moment, 70) as i64;
            (period * day, local_midnight - back * day + minute * 60)
        } else {
            // Servers reboot on patch nights: every fourth Sunday, 01:00 to 04:00.
            let weekday = (self.start / day + 4).rem_euclid(7);
            let sunday = local_midnight - weekday * day;
            let weeks = 4 * (2 + key.below(BootSlot::Back, 20) as i64)
                - key.below(BootSlot::Offset, 4) as i64;
            (
                28 * day,
                sunday - weeks * 7 * day + 3600 + key.below(BootSlot::Moment, 10_800) as i64,
            )
        }
    }

    fn synthetic(&mut self, role: Role, name: String, system: &str, kind: &str, criticality: &str) {
        let index = self.all.len() as u64;
        let key = Draws::new(self.key.with(index));
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
        // Servers are at headquarters, except every tenth.
        let site = if zone == 0 || key.below(HostSlot::IsAtBranch, 10) == 0 {
            self.sites.draw(key.bits(HostSlot::Site))
        } else {
            0
        };
        let ip = self.address(site, zone);
        let department = match role {
            Role::Workstation => self.names.departments
                [self.departments.draw(key.bits(HostSlot::Department))]
            .0
            .clone(),
            _ => "IT".to_string(),
        };
        let given = choose(&self.names.given, key.bits(HostSlot::OwnerGiven));
        let family = choose(&self.names.family, key.bits(HostSlot::OwnerFamily));
        let (boot_period, boot_phase) = self.timed(index, role);
        let criticality = if role == Role::Workstation {
            choose(
                &["low", "medium", "medium", "high"],
                key.bits(HostSlot::Criticality),
            )
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
            guid_prefix: key.bits(HostSlot::GuidPrefix) as u32,
            boot_period,
            boot_phase,
        });
    }
}

slots! {
    /// Draws of one host.
    enum HostSlot {
        /// Whether a server is outside headquarters.
        IsAtBranch = 1,
        Site = 2,
        Department = 3,
        OwnerGiven = 4,
        OwnerFamily = 5,
        Criticality = 6,
        /// The part of its process GUIDs that stays the same.
        GuidPrefix = 7,
    }
}

slots! {
    /// Draws of a host's boots.
    enum BootSlot {
        Period = 0,
        /// How many periods before the window the first boot is, and how far into a period.
        Back = 1,
        Offset = 2,
        /// Time of day.
        Moment = 3,
    }
}

/// Marks a made-up host without a user yet.
const SYNTHETIC: AccountId = AccountId::new(u32::MAX as usize);
/// Marks a CMDB host without a user yet.
const GROUNDED: AccountId = AccountId::new(u32::MAX as usize - 1);

/// An operating system with telemetry, under the inventory's name for it.
fn operating_system(name: &str, system: ParsedSystem) -> Option<OperatingSystem> {
    let (platform, file_version, is_server) = match system {
        ParsedSystem::Windows {
            file_version,
            edition,
        } => (Platform::Windows, file_version, edition == Edition::Server),
        ParsedSystem::Linux => (Platform::Linux, "-", true),
        ParsedSystem::Silent(_) => return None,
    };
    Some(OperatingSystem {
        name: name.to_string(),
        platform,
        distribution: match platform {
            Platform::Windows => ("windows", "windows"),
            Platform::Linux => distribution(name),
        },
        revisions: Revisions::new(file_version, is_server),
        file_version,
    })
}

/// The operating system of an asset and its name, from the inventory or assumed from the kind of
/// asset. `Err` if the asset has no telemetry.
fn system_of_asset(asset: &Asset) -> Result<(&str, ParsedSystem), Device> {
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
        ParsedSystem::Silent(by_system) => Err(silent(by_system)),
        system => Ok((name, system)),
    }
}

/// Number of assets with endpoint telemetry. If it is 0, there is nothing to generate.
pub fn reporting(assets: &[Asset]) -> usize {
    (assets.iter())
        .filter(|asset| system_of_asset(asset).is_ok())
        .count()
}

/// The values of an asset's row, with assumptions for missing ones.
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

/// Formats counts, most frequent first: `Cisco IOS (3), AIX (1)`.
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

/// `1 asset has`, `3 assets have`.
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
        let key = Draws::new(builder.key.with(index));
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
            guid_prefix: key.bits(HostSlot::GuidPrefix) as u32,
            boot_period,
            boot_phase,
        });
    }
    if !silent.is_empty() {
        notices.push(format!(
            "{} no endpoint telemetry: {}; kept in entities/assets and as ends of traffic",
            assets_of(silent.values().sum()),
            counted(silent)
        ));
    }
    if !guessed.is_empty() {
        notices.push(format!(
            "{} no operating system in the inventory; assumed from the kind of asset: {}",
            assets_of(guessed.values().sum()),
            counted(guessed)
        ));
    }
    if !no_controllers.is_empty() {
        let count = no_controllers.len();
        no_controllers.truncate(10);
        notices.push(format!(
            "{} the type of a domain controller but not Windows Server; used as ordinary servers: {}",
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

/// Adds missing hosts that the rest of the world relies on.
pub(super) fn complete(builder: &mut Builder<'_>) {
    for (role, prefix, system, least, _, kind, criticality) in FLEET {
        let platform = operating_system(system, system_of(system)).map(|s| s.platform);
        let have = builder
            .all
            .iter()
            .filter(|h| h.role == role && Some(h.platform) == platform)
            .count() as u32;
        // General servers are useful but not required.
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
