//! The role of a host, from the inventory.
//!
//! The asset's type and operating system decide. The name is used only if the type names no role,
//! and only by whole words: `NASSAU` is not a NAS, and `dc1` in `fra-dc1-web01` is a data centre.

use super::Role;
use super::system::{Edition, ParsedSystem};
use crate::catalog::Device;

/// The meaning of a type's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AssetKind {
    Role(Role),
    /// A server of unknown kind; the name may tell.
    AnyServer,
    /// A device that usually has no endpoint telemetry.
    Device(Device),
    Nothing,
}

/// Words in types and their meaning; the first line with a word of the type decides.
const TYPES: [(AssetKind, &[&str]); 18] = [
    (
        AssetKind::Role(Role::DomainController),
        &[
            "domaincontroller",
            "domänencontroller",
            "domänenkontroller",
            "dc",
            "adds",
            "rodc",
        ],
    ),
    (
        AssetKind::Role(Role::JumpHost),
        &[
            "jump",
            "jumphost",
            "jumpserver",
            "jumpbox",
            "bastion",
            "sprungserver",
            "paw",
        ],
    ),
    (
        AssetKind::Device(Device::Hypervisor),
        &["hypervisor", "esxi", "esx", "virtualisierungshost"],
    ),
    (AssetKind::Role(Role::Vpn), &["vpn"]),
    (
        AssetKind::Role(Role::DatabaseServer),
        &[
            "database",
            "databases",
            "databaseserver",
            "db",
            "sql",
            "mssql",
            "mysql",
            "mariadb",
            "postgres",
            "postgresql",
            "datenbank",
            "datenbankserver",
            "données",
            "dbserver",
        ],
    ),
    (
        AssetKind::Role(Role::MailServer),
        &[
            "mail",
            "email",
            "mailserver",
            "exchange",
            "smtp",
            "imap",
            "messaging",
            "messagerie",
        ],
    ),
    (
        AssetKind::Role(Role::WebServer),
        &[
            "web",
            "webserver",
            "www",
            "http",
            "nginx",
            "apache",
            "iis",
            "proxy",
        ],
    ),
    (
        AssetKind::Role(Role::BackupServer),
        &[
            "backup",
            "backupserver",
            "datensicherung",
            "sicherung",
            "sauvegarde",
            "veeam",
        ],
    ),
    (
        AssetKind::Role(Role::Scanner),
        &["vulnerability", "nessus", "scanner", "scan"],
    ),
    (
        AssetKind::Role(Role::FileServer),
        &[
            "file",
            "files",
            "fileserver",
            "dateiserver",
            "nas",
            "storage",
            "fichiers",
            "datei",
        ],
    ),
    (
        AssetKind::Role(Role::Server),
        &[
            "anwendungsserver",
            "applikationsserver",
            "druckserver",
            "terminalserver",
        ],
    ),
    (
        AssetKind::Device(Device::Printer),
        &[
            "printer",
            "drucker",
            "imprimante",
            "mfp",
            "multifunction",
            "plotter",
            "copier",
        ],
    ),
    (
        AssetKind::Device(Device::NetworkDevice),
        &[
            "switch",
            "router",
            "routeur",
            "firewall",
            "wlc",
            "ap",
            "wap",
            "balancer",
            "loadbalancer",
            "commutateur",
            "netzwerkgerät",
            "modem",
            "bridge",
            "hub",
        ],
    ),
    (
        AssetKind::Device(Device::Other),
        &[
            "phone",
            "smartphone",
            "telefon",
            "telephone",
            "téléphone",
            "camera",
            "kamera",
            "caméra",
            "ups",
            "usv",
            "pdu",
            "iot",
            "plc",
            "sensor",
            "ipad",
            "iphone",
            "television",
            "tv",
            "kvm",
            "monitor",
            "beamer",
            "projector",
        ],
    ),
    (
        AssetKind::Role(Role::Workstation),
        &[
            "workstation",
            "workstations",
            "laptop",
            "laptops",
            "desktop",
            "desktops",
            "notebook",
            "notebooks",
            "pc",
            "client",
            "kiosk",
            "tablet",
            "ultrabook",
            "convertible",
            "portable",
            "poste",
            "arbeitsplatz",
            "arbeitsplatzrechner",
            "arbeitsstation",
            "thinclient",
            "einzelplatz",
            "minitower",
            "endpoint",
        ],
    ),
    (
        AssetKind::AnyServer,
        &[
            "server",
            "servers",
            "srv",
            "serveur",
            "rack",
            "blade",
            "rackmount",
        ],
    ),
    // Words that many types contain; they decide only if no other word does.
    (
        AssetKind::Device(Device::NetworkDevice),
        &["gateway", "access", "network", "netzwerk", "réseau"],
    ),
    (AssetKind::Device(Device::Other), &["mobile"]),
];

/// Words that, together with `server`, name a kind of server without a role here.
const GENERAL: [&str; 8] = [
    "application",
    "app",
    "print",
    "terminal",
    "monitoring",
    "management",
    "citrix",
    "rds",
];

/// Words in host names that name a role.
const NAMES: [(Role, &[&str]); 10] = [
    (
        Role::WebServer,
        &["web", "www", "iis", "nginx", "apache", "proxy"],
    ),
    (
        Role::MailServer,
        &["mail", "smtp", "mx", "exch", "exchange", "imap", "mta"],
    ),
    (
        Role::DatabaseServer,
        &[
            "db", "sql", "mssql", "mysql", "pgsql", "pg", "postgres", "mariadb", "oracle",
        ],
    ),
    (Role::FileServer, &["fs", "nas", "file", "files", "storage"]),
    (
        Role::BackupServer,
        &["backup", "bkp", "bck", "bak", "veeam"],
    ),
    (Role::Scanner, &["scan", "scanner", "nessus"]),
    (Role::Vpn, &["vpn", "gw", "gateway"]),
    (
        Role::JumpHost,
        &["jump", "jmp", "jumphost", "jumpbox", "bastion", "paw"],
    ),
    (
        Role::Workstation,
        &[
            "wks",
            "ws",
            "laptop",
            "lap",
            "notebook",
            "nb",
            "desktop",
            "pc",
            "client",
            "workstation",
        ],
    ),
    // Kinds of servers without a role of their own.
    (
        Role::Server,
        &[
            "app", "erp", "mon", "print", "prn", "wsus", "sccm", "ca", "dns", "dhcp", "git", "ts",
            "rds", "mgmt", "log", "siem", "ci", "build", "test", "crm", "sap",
        ],
    ),
];

fn words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|c: char| !c.is_alphabetic())
        .filter(|w| !w.is_empty())
        .map(String::from)
        .collect()
}

/// The meaning of an asset's type.
pub(super) fn kind_of(asset_type: Option<&str>) -> AssetKind {
    let words = words(asset_type.unwrap_or(""));
    let has = |word: &str| words.iter().any(|w| w == word);
    let pair = |a: &str, b: &str| has(a) && has(b);
    if pair("domain", "controller") || pair("contrôleur", "domaine") || pair("active", "directory")
    {
        return AssetKind::Role(Role::DomainController);
    }
    if pair("privileged", "access") {
        return AssetKind::Role(Role::JumpHost);
    }
    if pair("vm", "host") || pair("virtualization", "host") {
        return AssetKind::Device(Device::Hypervisor);
    }
    let found = TYPES
        .iter()
        .find(|(_, list)| list.iter().any(|word| has(word)));
    match found.map_or(AssetKind::Nothing, |t| t.0) {
        AssetKind::AnyServer if GENERAL.iter().any(|word| has(word)) => {
            AssetKind::Role(Role::Server)
        }
        kind => kind,
    }
}

/// A word without an attached `srv` or `server`.
fn bare(word: &str) -> &str {
    for glue in ["server", "srv", "svr"] {
        let rest = word.strip_suffix(glue).or_else(|| word.strip_prefix(glue));
        if let Some(rest) = rest.filter(|rest| !rest.is_empty()) {
            return rest;
        }
    }
    word
}

/// The role that a name's last role word names. `dc` means domain controller only at an end of the
/// name, and only if `may_control`.
fn role_of_name(name: &str, may_control: bool) -> Option<Role> {
    let words = words(name);
    let last = words.len().saturating_sub(1);
    let of_word = |(at, word): (usize, &String)| {
        let word = bare(word);
        if ["dc", "rodc", "pdc", "bdc"].contains(&word) {
            let end = at == 0 || at == last;
            return (may_control && end).then_some(Role::DomainController);
        }
        let found = NAMES.iter().find(|(_, list)| list.contains(&word));
        found.map(|n| n.0)
    };
    words.iter().enumerate().rev().find_map(of_word)
}

/// The role of a host with telemetry, and whether its type names a domain controller although its
/// operating system cannot be one.
pub(super) fn role_of(asset_type: Option<&str>, name: &str, system: ParsedSystem) -> (Role, bool) {
    let edition = match system {
        ParsedSystem::Windows { edition, .. } => Some(edition),
        _ => None,
    };
    let controls = matches!(edition, Some(Edition::Server | Edition::Unsaid));
    let kind = kind_of(asset_type);
    match kind {
        AssetKind::Role(Role::DomainController) if !controls => return (Role::Server, true),
        AssetKind::Role(role) => return (role, false),
        AssetKind::AnyServer | AssetKind::Nothing | AssetKind::Device(_) => {}
    }
    let server = kind != AssetKind::Nothing || edition == Some(Edition::Server);
    let by_name = role_of_name(name, controls).filter(|role| {
        // A name turns neither a server into a workstation nor a client system into a server.
        match role {
            Role::Workstation => !server,
            _ => kind == AssetKind::AnyServer || edition != Some(Edition::Client),
        }
    });
    let silent = match server || edition.is_none() {
        true => Role::Server,
        false => Role::Workstation,
    };
    (by_name.unwrap_or(silent), false)
}

/// The operating system assumed if the inventory has none; `None` if the asset has no endpoint
/// telemetry. `other` chooses Linux for servers that can be either.
pub(super) fn assumed(asset_type: Option<&str>, name: &str, other: bool) -> Option<&'static str> {
    const CLIENT: &str = "Windows 10 Pro";
    const SERVER: &str = "Windows Server 2019 Standard";
    const LINUX: &str = "Ubuntu 22.04.4 LTS";
    let kind = match kind_of(asset_type) {
        AssetKind::Device(_) => return None,
        AssetKind::Role(role) => Some(role),
        AssetKind::AnyServer => Some(
            role_of_name(name, true)
                .filter(|role| *role != Role::Workstation)
                .unwrap_or(Role::Server),
        ),
        AssetKind::Nothing => role_of_name(name, true),
    };
    let words = words(asset_type.unwrap_or(""));
    let is_one_of = |list: &[&str]| words.iter().any(|w| list.contains(&w.as_str()));
    if kind == Some(Role::Scanner) && !is_one_of(&["vulnerability", "nessus", "security"]) {
        // Most likely a document scanner.
        return None;
    }
    Some(match kind {
        None | Some(Role::Workstation) => CLIENT,
        Some(Role::DomainController | Role::FileServer | Role::BackupServer | Role::JumpHost) => {
            SERVER
        }
        Some(Role::Scanner | Role::Vpn) => LINUX,
        // A type may name the operating system itself: `server|windows`.
        Some(_) if is_one_of(&["windows", "exchange", "iis", "sql", "mssql"]) => SERVER,
        Some(_) if is_one_of(&["linux", "unix", "nginx", "apache", "postgres"]) => LINUX,
        Some(_) if other => LINUX,
        Some(_) => SERVER,
    })
}

/// The kind of a device without telemetry; its type is more reliable than its system.
pub(super) fn silent_role(asset_type: Option<&str>, by_system: Device) -> Device {
    match (by_system, kind_of(asset_type)) {
        (Device::Other, AssetKind::Device(device)) => device,
        (system, _) => system,
    }
}

#[cfg(test)]
mod tests {
    use super::super::system::system_of;
    use super::*;

    fn role(kind: &str, name: &str, os: &str) -> Role {
        role_of(Some(kind), name, system_of(os)).0
    }

    #[test]
    fn a_type_that_names_a_role_beats_the_name() {
        let windows = "Windows Server 2022 Standard";
        assert_eq!(
            role("Web server", "fra-dc1-web01", "Ubuntu 22.04"),
            Role::WebServer
        );
        assert_eq!(
            role("Database server", "dc01", windows),
            Role::DatabaseServer
        );
        assert_eq!(
            role("Domain Controller", "ADDS01", windows),
            Role::DomainController
        );
        assert_eq!(
            role("Workstation", "web-01", "Windows 10 Pro"),
            Role::Workstation
        );
        assert_eq!(role("Laptop", "srv-01", "Ubuntu 22.04"), Role::Workstation);
        assert_eq!(
            role("Application server", "app-db01", windows),
            Role::Server
        );
        assert_eq!(role("Datenbankserver", "x", windows), Role::DatabaseServer);
        assert_eq!(
            role("Poste de travail", "x", "Windows 10"),
            Role::Workstation
        );
        assert_eq!(role("Jump host", "x", windows), Role::JumpHost);
        assert_eq!(role("SQL Server", "x", windows), Role::DatabaseServer);
    }

    #[test]
    fn names_count_by_whole_words_and_the_last_one() {
        let (windows, linux) = ("Windows Server 2019 Standard", "Debian GNU/Linux 12");
        assert_eq!(role("Server", "NASSAU-APP01", windows), Role::Server);
        assert_eq!(role("Server", "MXMTY-ERP01", windows), Role::Server);
        assert_eq!(role("Server", "ams-dc2-mon01", linux), Role::Server);
        assert_eq!(role("Server", "fra-dc1-web01", windows), Role::WebServer);
        assert_eq!(role("Server", "fra-dc1-x01", windows), Role::Server);
        assert_eq!(role("Server", "WEBSRV01", linux), Role::WebServer);
        assert_eq!(role("Server", "pc-01", windows), Role::Server);
        assert_eq!(role("", "pc-01", "Ubuntu"), Role::Workstation);
        for name in ["dc01", "dc-02", "DC1", "muc-dc01", "SRVDC01"] {
            assert_eq!(
                role("Server", name, windows),
                Role::DomainController,
                "{name}"
            );
            assert_eq!(role("Server", name, linux), Role::Server, "{name}");
        }
    }

    #[test]
    fn a_domain_controller_is_a_windows_server() {
        let of = |os| role_of(Some("Domain Controller"), "dc01", system_of(os));
        assert_eq!(of("Ubuntu 22.04"), (Role::Server, true));
        assert_eq!(of("Windows 10 Pro"), (Role::Server, true));
        assert_eq!(of("Windows"), (Role::DomainController, false));
    }

    #[test]
    fn where_the_type_says_nothing_the_system_decides() {
        for kind in ["", "Computer", "Virtual Machine", "Thing"] {
            assert_eq!(role(kind, "X1", "Windows 10 Pro"), Role::Workstation);
            assert_eq!(role(kind, "X1", "Windows Server 2016"), Role::Server);
            assert_eq!(role(kind, "X1", "Rocky 9"), Role::Server);
        }
    }

    #[test]
    fn a_missing_system_is_assumed_from_the_kind() {
        let of = |kind| assumed(Some(kind), "x", true);
        assert_eq!(of("server|windows"), Some("Windows Server 2019 Standard"));
        let either = |other| assumed(Some("Linux server"), "x", other);
        assert_eq!(either(false), Some("Ubuntu 22.04.4 LTS"));
        assert_eq!(of("Laptop"), Some("Windows 10 Pro"));
        assert_eq!(of("Exchange server"), Some("Windows Server 2019 Standard"));
        assert_eq!(of("File server"), Some("Windows Server 2019 Standard"));
        assert_eq!(of("Web server"), Some("Ubuntu 22.04.4 LTS"));
        for device in ["Leaf switch", "Firewall", "Printer", "IP phone", "Camera"] {
            assert_eq!(of(device), None, "{device}");
        }
    }
}
