//! The recipe of one record: telemetry, process, account, texts and connection.
//!
//! Playbook steps, noise variants and keyword rules all say what they leave
//! behind in this one form.

use super::cloud::Call;
pub use super::telemetry::Telemetry;
use super::template::Template;
use crate::random::{Key, chance};

/// Operating system family of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Platform {
    Windows,
    Linux,
}

/// Whose account a process runs under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// The user of the session: the host's primary user, or the chain's victim. `user`
    User,
    /// Some user of the organisation, another in every round. `other_user`
    OtherUser,
    /// The user of the other host. `peer_user`
    PeerUser,
    /// Somebody whose account the directory has disabled, in noise only. `disabled_user`
    DisabledUser,
    /// `HOST$` of the other host, as a domain controller sees who asks. `peer_machine`
    PeerMachine,
    /// The administrator's separate account. `admin`
    Admin,
    /// `NT AUTHORITY\SYSTEM` or root. `system`
    System,
    /// `NT AUTHORITY\LOCAL SERVICE`. `local_service`
    LocalService,
    /// `NT AUTHORITY\NETWORK SERVICE`. `network_service`
    NetworkService,
    /// `HOST$`. `machine`
    Machine,
    /// A named service account, created on demand in the domain: `service:svc_backup`. On Linux a local system user.
    Service(String),
}

/// A set of hosts, by what they are.
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

/// A machine without endpoint telemetry: only others' records tell of it.
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
    /// A benign Internet service (by the row's `{service}` name). `internet`
    Internet,
    /// The DNS resolver that serves the host: a domain controller. `resolver`
    Resolver,
}

/// What an adversary's address is for; an address serves one purpose only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    C2,
    Scan,
    Exfil,
    Download,
}

/// The network side of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    pub from: End,
    pub to: End,
    /// `tcp`, `udp`, `icmp`.
    pub protocol: String,
    /// Application protocol as Suricata names it: `smb`, `http`, `tls`, `dns`, `ssh`.
    pub application: Option<String>,
    /// Service ports; one is drawn.
    pub ports: Vec<u16>,
    /// Bytes from client to server and back, `[low, high]` each; drawn log-uniformly.
    pub bytes_out: [u64; 2],
    pub bytes_in: [u64; 2],
}

/// Which process a record belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessRef {
    /// Index into `Catalog::residents`. `resident:dnscache`
    Resident(usize),
    /// A process of this playbook or variant, by its number in order of start. `started:payload`
    Started(usize),
}

/// How one record is made.
#[derive(Debug, Clone)]
pub struct Record {
    pub telemetry: Telemetry,
    /// Chains: which of the chain's hosts reports (0 is the first victim). Elsewhere 0.
    pub on: usize,
    /// A rule fired: the record has `rule.*` and `threat.*`, and `event.kind` is `alert`.
    pub alert: bool,
    /// Index into the category's signatures.
    pub signature: usize,
    pub account: Account,
    /// For ProcessCreation and Execve: the process it starts, in order of start; the fields below describe it.
    pub starts: Option<usize>,
    /// The acting process; for a start, its parent.
    pub process: ProcessRef,
    /// Image of the process that starts: index into `Catalog::images`.
    pub image: Option<usize>,
    pub command: Option<Template>,
    pub directory: Option<Template>,
    pub integrity: String,
    /// The other process of a remote thread or a process access.
    pub target: Option<ProcessRef>,
    /// FileCreate and its kin: the path. Syscall: the file opened, if any.
    pub file: Option<Template>,
    /// RegistrySet: TargetObject and Details.
    pub registry: Option<Template>,
    pub details: Option<Template>,
    /// DnsQuery: the name, and what it resolves to.
    pub query: Option<Template>,
    pub answer: Option<End>,
    /// DnsQuery: Win32 status, 0, 9003 (NXDOMAIN) or 9501 (no such record).
    pub query_status: u32,
    /// DnsQuery that fails: so many of its events, per mille, succeed all the same.
    pub resolves: u16,
    pub url: Option<Template>,
    /// Syslog: the message text after `program[pid]: `.
    pub message: Option<Template>,
    /// Syslog facility and severity numbers (RFC 5424).
    pub facility: u8,
    pub syslog_severity: u8,
    /// Syscall: its x86_64 name, `connect`, `openat`, `execve`…
    pub syscall: Option<String>,
    /// Audit rule key, `(null)` when none.
    pub key: Option<String>,
    /// Logon: the logon type, 2, 3, 5, 7, 10, 11.
    pub logon_type: u8,
    /// Values of its own, in the slots of [`Telemetry::data`]; a missing one has the default.
    pub data: Vec<(usize, Template)>,
    /// UserLogin, UserCmd, CredAcq, Syscall: it succeeded.
    pub success: bool,
    pub connection: Option<Connection>,
    /// CloudAudit, SaasAudit: what was asked of whom; such a record has no process.
    pub call: Option<Call>,
    /// CloudAudit, SaasAudit: the request's parameters, as JSON.
    pub request: Option<Template>,
}

impl Record {
    /// ATT&CK's words for where it happens; one of them is enough.
    pub fn attack_names(&self) -> &'static [&'static str] {
        match (&self.call, self.telemetry.platform()) {
            (Some(call), _) => call.log.attack_names(),
            (None, Some(Platform::Windows)) => &["Windows"],
            (None, _) => &["Linux"],
        }
    }

    /// Whether what it tells of succeeds in the event of a key, when nothing blocks it.
    pub fn succeeds(&self, event: Key) -> bool {
        self.success
            && !self.telemetry.is_failure()
            && (self.telemetry != Telemetry::DnsQuery || self.query_status(event) == 0)
    }

    /// The Win32 status of a query in the event of a key.
    #[inline]
    pub fn query_status(&self, event: Key) -> u32 {
        if self.resolves > 0 && chance(event.at(7), u32::from(self.resolves) * 1000) {
            return 0;
        }
        self.query_status
    }
}

/// A closed set of words that TOML uses for the values of a type.
pub(super) trait Words: Sized + Copy + 'static {
    /// What a value is called in an error: `telemetry`, `host class`.
    const WHAT: &'static str;
    const WORDS: &'static [(&'static str, Self)];

    /// The value a word stands for; the error lists the words.
    fn from_word(word: &str) -> Result<Self, String> {
        Self::WORDS
            .iter()
            .find(|(known, _)| *known == word)
            .map(|(_, value)| *value)
            .ok_or_else(|| {
                let known: Vec<&str> = Self::WORDS.iter().map(|(known, _)| *known).collect();
                format!("one of {}", known.join(", "))
            })
    }
}

impl Words for Platform {
    const WHAT: &'static str = "platform";
    const WORDS: &'static [(&'static str, Self)] =
        &[("windows", Platform::Windows), ("linux", Platform::Linux)];
}

impl Platform {
    /// ATT&CK's word for it.
    pub fn attack_name(self) -> &'static str {
        match self {
            Platform::Windows => "Windows",
            Platform::Linux => "Linux",
        }
    }
}

impl Words for HostClass {
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
    /// The one platform of all its hosts, if there is one.
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

    /// Every host of `other` with this platform is one of `self`.
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

    /// Every host of `other` is one of `self`.
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

impl Words for Device {
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

impl Words for Purpose {
    const WHAT: &'static str = "purpose";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("c2", Purpose::C2),
        ("scan", Purpose::Scan),
        ("exfil", Purpose::Exfil),
        ("download", Purpose::Download),
    ];
}

impl Account {
    /// Reads `user`, `system`, `service:svc_backup`…; the error says what is expected.
    pub fn parse(word: &str) -> Result<Self, String> {
        Ok(match word {
            "user" => Account::User,
            "other_user" => Account::OtherUser,
            "peer_user" => Account::PeerUser,
            "disabled_user" => Account::DisabledUser,
            "peer_machine" => Account::PeerMachine,
            "admin" => Account::Admin,
            "system" => Account::System,
            "local_service" => Account::LocalService,
            "network_service" => Account::NetworkService,
            "machine" => Account::Machine,
            _ => match word.strip_prefix("service:") {
                Some(name) if is_account(name) => Account::Service(name.to_owned()),
                _ => {
                    return Err(
                        "one of user, other_user, peer_user, disabled_user, peer_machine, admin, system, local_service, network_service, \
                                machine, service:NAME ([a-z_][a-z0-9_-]*, at most 20 bytes)"
                            .to_owned(),
                    );
                }
            },
        })
    }
}

impl End {
    /// Reads `host`, `host:1`, `class:mail_server`, `adversary:c2`…; the error says what is expected.
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
            _ => {
                return Err(
                    "one of host, host:N, class:CLASS, device:DEVICE, adversary:PURPOSE, internet, resolver"
                        .to_owned(),
                );
            }
        })
    }
}

/// An account name that Windows (20 letters) and Linux both take.
fn is_account(name: &str) -> bool {
    let start = |b: u8| b.is_ascii_lowercase() || b == b'_';
    (1..=20).contains(&name.len())
        && start(name.as_bytes()[0])
        && name
            .bytes()
            .all(|b| start(b) || b.is_ascii_digit() || b == b'-')
}

/// `[a-z][a-z0-9_]*`, at most 64 bytes: safe in a path, a column value and a URL.
pub(super) fn is_slug(name: &str) -> bool {
    let bytes = name.as_bytes();
    (1..=64).contains(&bytes.len())
        && bytes[0].is_ascii_lowercase()
        && bytes
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for (word, telemetry) in Telemetry::WORDS {
            assert_eq!(telemetry.word(), *word);
            assert_eq!(Telemetry::from_word(word), Ok(*telemetry));
        }
        assert!(
            Telemetry::from_word("process")
                .unwrap_err()
                .contains("process_creation")
        );
    }

    #[test]
    fn ends_and_accounts() {
        assert_eq!(End::parse("host:2"), Ok(End::ChainHost(2)));
        assert_eq!(End::parse("class:dmz"), Ok(End::Class(HostClass::Dmz)));
        assert_eq!(
            End::parse("adversary:exfil"),
            Ok(End::Adversary(Purpose::Exfil))
        );
        for wrong in ["", "host:x", "class:moon", "adversary:", "outside"] {
            assert!(End::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            Account::parse("service:svc_backup"),
            Ok(Account::Service("svc_backup".into()))
        );
        for wrong in [
            "service:",
            "service:a name",
            "root",
            "service:averyveryverylongname",
        ] {
            assert!(Account::parse(wrong).is_err(), "{wrong}");
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

    #[test]
    fn slugs() {
        assert!(is_slug("psexec_lateral") && is_slug("a"));
        for wrong in ["", "1a", "A", "a-b", "ä", &"a".repeat(65)] {
            assert!(!is_slug(wrong), "{wrong}");
        }
    }
}
