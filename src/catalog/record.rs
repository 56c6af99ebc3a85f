//! The recipe of one record: telemetry, process, account, texts and connection.
//!
//! Playbook steps, noise variants and keyword rules all say what they leave
//! behind in this one form.

use super::template::Template;

/// Operating system family of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Platform {
    Windows,
    Linux,
}

/// Kind of record, named as its provider does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Telemetry {
    /// Sysmon 1, TOML `process_creation`.
    ProcessCreation,
    /// Sysmon 3, `network_connection`.
    NetworkConnection,
    /// Sysmon 5, `process_termination`.
    ProcessTermination,
    /// Sysmon 11, `file_create`.
    FileCreate,
    /// Sysmon 13, `registry_set`.
    RegistrySet,
    /// Sysmon 22, `dns_query`.
    DnsQuery,
    /// Security 4624, `logon`.
    Logon,
    /// Security 5156, `connection_permitted`.
    ConnectionPermitted,
    /// Security 5157, `connection_blocked`.
    ConnectionBlocked,
    /// auditd USER_LOGIN, `user_login`.
    UserLogin,
    /// auditd USER_CMD (sudo), `user_cmd`.
    UserCmd,
    /// auditd SYSCALL, `syscall`.
    Syscall,
    /// auditd EXECVE, `execve`.
    Execve,
    /// auditd CRED_ACQ, `cred_acq`.
    CredAcq,
    /// A syslog line, `syslog`.
    Syslog,
}

/// Whose account a process runs under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// The user of the session: the host's primary user, or the chain's victim. `user`
    User,
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

/// One end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The host that reports. `host`
    Host,
    /// The chain's k-th host, from 0. `host:1`
    ChainHost(usize),
    /// Another host of a class. `class:domain_controller`
    Class(HostClass),
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
    /// FileCreate: the path. Syscall: the file opened, if any.
    pub file: Option<Template>,
    /// RegistrySet: TargetObject and Details.
    pub registry: Option<Template>,
    pub details: Option<Template>,
    /// DnsQuery: the name, and what it resolves to.
    pub query: Option<Template>,
    pub answer: Option<End>,
    /// DnsQuery: Win32 status, 0 or 9003 (NXDOMAIN).
    pub query_status: u32,
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
    /// UserLogin, UserCmd, CredAcq, Syscall: it succeeded.
    pub success: bool,
    pub connection: Option<Connection>,
}
