//! Host classes, devices and the ends of connections that records name.

use super::words::TomlWord;
use crate::kinds::Platform;

/// A class of hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HostClass {
    /// Any host. `any`
    Any,
    /// `windows`, `linux`: any host of that platform.
    Windows,
    Linux,
    /// Windows clients with a user. `workstation`
    Workstation,
    /// `windows_server`, `linux_server`
    WindowsServer,
    LinuxServer,
    /// `domain_controller`
    DomainController,
    /// Linux hosts in the DMZ with a web server. `web_server`
    WebServer,
    /// `mail_server`, `database_server`, `file_server`
    MailServer,
    DatabaseServer,
    FileServer,
    /// Published hosts: web, mail, VPN. `dmz`
    Dmz,
    /// The vulnerability scanner (Linux), the backup server (Windows), the administrators' jump host (Windows).
    Scanner,
    BackupServer,
    JumpHost,
}

/// A machine without endpoint telemetry. It only occurs in the records of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Device {
    /// A switch, router or firewall. `network_device`
    NetworkDevice,
    /// `printer`
    Printer,
    /// `hypervisor`
    Hypervisor,
    /// Phones, cameras, Macs, mainframes. `other`
    Other,
}

/// The purpose of an adversary's address. Each address has only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    C2,
    Scan,
    Exfil,
    Download,
}

/// An address with the same meaning on every host. Where it is IPv6, the client's end is, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LocalAddress {
    /// The host itself, `127.0.0.1` and `::1`; both ends of the connection. `loopback` `loopback6`
    Loopback,
    Loopback6,
    /// Multicast DNS, `224.0.0.251` and `ff02::fb`, from port 5353 to port 5353. `mdns` `mdns6`
    Mdns,
    Mdns6,
    /// Link-local name resolution, `224.0.0.252` and `ff02::1:3`. `llmnr` `llmnr6`
    Llmnr,
    Llmnr6,
    /// Discovery of devices and services, `239.255.255.250` and `ff02::c`. `ssdp` `ssdp6`
    Ssdp,
    Ssdp6,
}

/// One end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The host that reports. `host`
    Host,
    /// The chain's k-th host, from 0. `host:1`
    ChainHost(usize),
    /// Another host of a class. `class:domain_controller`
    Class(HostClass),
    /// A device of the inventory, in noise only. `device:printer`
    Device(Device),
    /// The adversary's address for one purpose. `adversary:c2`, `adversary:scan`, `adversary:exfil`, `adversary:download`
    Adversary(Purpose),
    /// A benign Internet service, the one of the row's `{service}` name. `internet`
    Internet,
    /// The DNS resolver that serves the host: a domain controller. `resolver`
    Resolver,
    /// The host itself, or all hosts of its link. `local:mdns`
    Local(LocalAddress),
}

impl TomlWord for HostClass {
    const WHAT: &'static str = "host class";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("any", HostClass::Any),
        ("windows", HostClass::Windows),
        ("linux", HostClass::Linux),
        ("workstation", HostClass::Workstation),
        ("windows_server", HostClass::WindowsServer),
        ("linux_server", HostClass::LinuxServer),
        ("domain_controller", HostClass::DomainController),
        ("web_server", HostClass::WebServer),
        ("mail_server", HostClass::MailServer),
        ("database_server", HostClass::DatabaseServer),
        ("file_server", HostClass::FileServer),
        ("dmz", HostClass::Dmz),
        ("scanner", HostClass::Scanner),
        ("backup_server", HostClass::BackupServer),
        ("jump_host", HostClass::JumpHost),
    ];
}

impl HostClass {
    /// Its name in the catalog.
    pub fn word(self) -> &'static str {
        self.to_word()
    }

    /// The platform of all its hosts; `None` if they have both.
    pub fn platform(self) -> Option<Platform> {
        use HostClass::*;
        match self {
            Windows | Workstation | WindowsServer | DomainController | BackupServer | JumpHost => {
                Some(Platform::Windows)
            }
            Linux | LinuxServer | WebServer | Scanner => Some(Platform::Linux),
            Any | MailServer | DatabaseServer | FileServer | Dmz => None,
        }
    }

    /// Whether `self` includes every host of `other` with this platform.
    pub fn covers(self, other: HostClass, platform: Platform) -> bool {
        use HostClass::*;
        let servers = matches!(other, MailServer | DatabaseServer | FileServer);
        other.platform().is_none_or(|only| only == platform)
            && (self.includes(other)
                || match (self, platform) {
                    (Windows, Platform::Windows) | (Linux, Platform::Linux) => true,
                    (WindowsServer, Platform::Windows) | (LinuxServer, Platform::Linux) => servers,
                    _ => false,
                })
    }

    /// Whether `self` includes every host of `other`.
    pub fn includes(self, other: HostClass) -> bool {
        use HostClass::*;
        self == other
            || match self {
                Any => true,
                Windows => other.platform() == Some(Platform::Windows),
                Linux => other.platform() == Some(Platform::Linux),
                WindowsServer => matches!(other, DomainController | BackupServer | JumpHost),
                LinuxServer => matches!(other, WebServer | Scanner),
                Dmz => matches!(other, WebServer | MailServer),
                _ => false,
            }
    }
}

impl TomlWord for Device {
    const WHAT: &'static str = "device";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("network_device", Device::NetworkDevice),
        ("printer", Device::Printer),
        ("hypervisor", Device::Hypervisor),
        ("other", Device::Other),
    ];
}

impl Device {
    /// Its name in the catalog and in the entity table.
    pub fn word(self) -> &'static str {
        let known = Self::WORDS.iter().find(|(_, device)| *device == self);
        known.map_or("other", |(word, _)| word)
    }
}

impl TomlWord for LocalAddress {
    const WHAT: &'static str = "local address";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("loopback", LocalAddress::Loopback),
        ("loopback6", LocalAddress::Loopback6),
        ("mdns", LocalAddress::Mdns),
        ("mdns6", LocalAddress::Mdns6),
        ("llmnr", LocalAddress::Llmnr),
        ("llmnr6", LocalAddress::Llmnr6),
        ("ssdp", LocalAddress::Ssdp),
        ("ssdp6", LocalAddress::Ssdp6),
    ];
}

impl LocalAddress {
    /// All, in the order of their declaration, each with its text.
    pub const ALL: [(Self, &'static str); 8] = [
        (LocalAddress::Loopback, "127.0.0.1"),
        (LocalAddress::Loopback6, "::1"),
        (LocalAddress::Mdns, "224.0.0.251"),
        (LocalAddress::Mdns6, "ff02::fb"),
        (LocalAddress::Llmnr, "224.0.0.252"),
        (LocalAddress::Llmnr6, "ff02::1:3"),
        (LocalAddress::Ssdp, "239.255.255.250"),
        (LocalAddress::Ssdp6, "ff02::c"),
    ];

    /// Whether the client's end is the same address.
    pub fn is_loopback(self) -> bool {
        matches!(self, LocalAddress::Loopback | LocalAddress::Loopback6)
    }

    /// Whether the client's end is the host's link-local address.
    pub fn is_on_link6(self) -> bool {
        use LocalAddress::*;
        matches!(self, Mdns6 | Llmnr6 | Ssdp6)
    }
}

impl TomlWord for Purpose {
    const WHAT: &'static str = "purpose";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("c2", Purpose::C2),
        ("scan", Purpose::Scan),
        ("exfil", Purpose::Exfil),
        ("download", Purpose::Download),
    ];
}

impl End {
    /// Parses `host`, `host:1`, `class:mail_server`, `adversary:c2`… The error says what is expected.
    pub fn parse(word: &str) -> Result<Self, String> {
        Ok(match word.split_once(':') {
            None if word == "host" => End::Host,
            None if word == "internet" => End::Internet,
            None if word == "resolver" => End::Resolver,
            Some(("host", k)) => End::ChainHost(
                k.parse()
                    .map_err(|_| "a number after host:, e.g. host:1".to_owned())?,
            ),
            Some(("class", class)) => End::Class(HostClass::from_word(class)?),
            Some(("device", device)) => End::Device(Device::from_word(device)?),
            Some(("adversary", purpose)) => End::Adversary(Purpose::from_word(purpose)?),
            Some(("local", address)) => End::Local(LocalAddress::from_word(address)?),
            _ => {
                return Err(
                    "one of host, host:N, class:CLASS, device:DEVICE, adversary:PURPOSE, local:ADDRESS, internet, resolver"
                        .to_owned(),
                );
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_connections() {
        assert_eq!(End::parse("host:2"), Ok(End::ChainHost(2)));
        assert_eq!(End::parse("class:dmz"), Ok(End::Class(HostClass::Dmz)));
        assert_eq!(
            End::parse("adversary:exfil"),
            Ok(End::Adversary(Purpose::Exfil))
        );
        assert_eq!(
            End::parse("local:mdns6"),
            Ok(End::Local(LocalAddress::Mdns6))
        );
        for wrong in [
            "",
            "local:",
            "host:x",
            "class:moon",
            "adversary:",
            "outside",
        ] {
            assert!(End::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn classes_contain_each_other_as_hosts_do() {
        assert!(HostClass::Windows.includes(HostClass::DomainController));
        assert!(HostClass::LinuxServer.includes(HostClass::Scanner));
        assert!(!HostClass::Workstation.includes(HostClass::Windows));
        assert!(!HostClass::Linux.includes(HostClass::DatabaseServer));
        assert!(HostClass::Linux.covers(HostClass::DatabaseServer, Platform::Linux));
        assert!(!HostClass::Linux.covers(HostClass::Workstation, Platform::Linux));
        assert!(!HostClass::DomainController.covers(HostClass::Windows, Platform::Windows));
    }
}
