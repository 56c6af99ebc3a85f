//! The recipe of one record: telemetry, process, account, texts and connection.
//!
//! Playbook steps, noise variants and keyword rules all consist of such recipes.

use super::cloud::Call;
use super::place::End;
use super::template::Template;
use crate::ids::ImageId;
use crate::kinds::{Platform, Telemetry};
use crate::random::chance;

/// The integrity levels that a process of Windows may have, as Sysmon names them.
pub const INTEGRITY_LEVELS: [&str; 5] = ["Low", "Medium", "High", "System", "AppContainer"];

/// The account of a process or record, relative to its host or chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountRef {
    /// The user of the session: the host's primary user, or the chain's victim. `user`
    User,
    /// Any user of the organisation, a different one in every round. `other_user`
    OtherUser,
    /// The user of the other host. `peer_user`
    PeerUser,
    /// A user whose account is disabled in the directory; noise only. `disabled_user`
    DisabledUser,
    /// `HOST$` of the other host, as a domain controller records a client. `peer_machine`
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
    /// A named service account: `service:svc_backup`. On Windows it is a domain account, on Linux a
    /// local system user.
    Service(String),
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

/// A process that a record refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessRef {
    /// Index into `Catalog::residents`. `resident:dnscache`
    Resident(usize),
    /// A process that this playbook or variant starts, by its number in order of start.
    /// `started:payload`
    Started(usize),
}

/// The recipe of one record.
#[derive(Debug, Clone)]
pub struct Record {
    pub telemetry: Telemetry,
    /// In chains, the index of the host that reports (0 is the first victim); otherwise 0.
    pub on: usize,
    /// A rule fired: the record has `rule.*` and `threat.*`, and `event.kind` is `alert`.
    pub alert: bool,
    /// Index into the category's signatures.
    pub signature: usize,
    pub account: AccountRef,
    /// ProcessCreation, Execve: number of the process it starts, in order of start. The fields below
    /// describe that process.
    pub starts: Option<usize>,
    /// The acting process; for a start, its parent.
    pub process: ProcessRef,
    /// Image of the process that starts.
    pub image: Option<ImageId>,
    pub command: Option<Template>,
    pub directory: Option<Template>,
    /// One of [`INTEGRITY_LEVELS`], or `-` for no level.
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
    /// DnsQuery with a status other than 0: per mille of its events that succeed nevertheless.
    pub resolves: u16,
    pub url: Option<Template>,
    /// Syslog: the message text after `program[pid]: `.
    pub message: Option<Template>,
    /// Syslog facility and severity numbers (RFC 5424).
    pub facility: u8,
    pub syslog_severity: u8,
    /// Syscall: its x86_64 name, `connect`, `openat`, `execve`…
    pub syscall: Option<String>,
    /// Key of the audit rule; `None` is written as `(null)`.
    pub key: Option<String>,
    /// Logon: the logon type, 2, 3, 5, 7, 10, 11.
    pub logon_type: u8,
    /// Values under `data`, with their slots; a missing one has the default of its kind.
    pub data: Vec<(usize, Template)>,
    /// UserLogin, UserCmd, CredAcq, Syscall: whether it succeeded.
    pub success: bool,
    pub connection: Option<Connection>,
    /// CloudAudit, SaasAudit: the call. Such a record has no process.
    pub call: Option<Call>,
    /// CloudAudit, SaasAudit: the request's parameters, as JSON.
    pub request: Option<Template>,
}

impl Record {
    /// The ATT&CK platforms of the record; a technique needs one of them.
    pub fn attack_names(&self) -> &'static [&'static str] {
        match (&self.call, self.telemetry.platform()) {
            (Some(call), _) => call.log.attack_names(),
            (None, Some(Platform::Windows)) => &["Windows"],
            (None, _) => &["Linux"],
        }
    }

    /// Whether its event succeeds if it is not blocked. `bits` decide whether a query resolves.
    pub fn succeeds(&self, bits: u64) -> bool {
        self.success
            && !self.telemetry.is_failure()
            && (self.telemetry != Telemetry::DnsQuery || self.query_status(bits) == 0)
    }

    /// The Win32 status of a query: 0 if `bits` decide that it resolves.
    #[inline]
    pub fn query_status(&self, bits: u64) -> u32 {
        if self.resolves > 0 && chance(bits, u32::from(self.resolves) * 1000) {
            return 0;
        }
        self.query_status
    }
}

impl AccountRef {
    /// Parses `user`, `system`, `service:svc_backup`… The error says what is expected.
    pub fn parse(word: &str) -> Result<Self, String> {
        Ok(match word {
            "user" => AccountRef::User,
            "other_user" => AccountRef::OtherUser,
            "peer_user" => AccountRef::PeerUser,
            "disabled_user" => AccountRef::DisabledUser,
            "peer_machine" => AccountRef::PeerMachine,
            "admin" => AccountRef::Admin,
            "system" => AccountRef::System,
            "local_service" => AccountRef::LocalService,
            "network_service" => AccountRef::NetworkService,
            "machine" => AccountRef::Machine,
            _ => match word.strip_prefix("service:") {
                Some(name) if is_account(name) => AccountRef::Service(name.to_owned()),
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

/// Whether an account name is valid on Windows (at most 20 characters) and on Linux.
fn is_account(name: &str) -> bool {
    let start = |b: u8| b.is_ascii_lowercase() || b == b'_';
    (1..=20).contains(&name.len())
        && start(name.as_bytes()[0])
        && name
            .bytes()
            .all(|b| start(b) || b.is_ascii_digit() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts() {
        assert_eq!(
            AccountRef::parse("service:svc_backup"),
            Ok(AccountRef::Service("svc_backup".into()))
        );
        for wrong in [
            "service:",
            "service:a name",
            "root",
            "service:averyveryverylongname",
        ] {
            assert!(AccountRef::parse(wrong).is_err(), "{wrong}");
        }
    }
}
