//! The row of a kind of record.

use super::provider::Provider;
use super::telemetry::Telemetry;

/// The properties of a kind of record.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    pub telemetry: Telemetry,
    /// The name in the catalog's TOML: `telemetry = "dns_query"`.
    pub word: &'static str,
    pub provider: Provider,
    /// The event id, or the audit record type in lower case; empty if the provider has no codes.
    pub code: &'static str,
    /// Version of the event's schema. Windows only.
    pub version: u8,
    /// Number and name of the task. Windows only.
    pub task: (u16, &'static str),
    /// Delay between the recorded action and the time at which it is logged.
    pub stamp: Stamp,
    /// The process whose pid is in the envelope. Windows only.
    pub writer: Writer,
    pub about: About,
    /// Whether all records of this kind are failures.
    pub is_failure: bool,
    /// Required keys of a TOML record, and optional ones.
    pub needs: &'static [Key],
    pub takes: &'static [Key],
    /// Groups of fields that several kinds have.
    pub blocks: &'static [Block],
    /// Names of the native fields in native order, separated by spaces: `EventData` on Windows, keys
    /// of auditd. A field has the same type in all kinds; the schema's leaf declares it.
    pub fields: &'static str,
    /// Values that a TOML record has under `data`, with their defaults. A value without a default is
    /// required. The frame keeps them in this order.
    pub data: &'static [(&'static str, Option<&'static str>)],
    /// Category, type and action in the `fusionai` schema.
    pub fusionai: Meaning,
    /// Categories, types and action in ECS; `None` if they depend on the system call, the program or
    /// the call.
    pub ecs: Option<Meaning>,
}

/// The classification of a record in a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// `event.category`.
    pub category: &'static [&'static str],
    /// `event.type`.
    pub types: &'static [&'static str],
    /// `event.action`; empty if it is the operation of the call.
    pub action: &'static str,
}

impl Meaning {
    pub(crate) const fn new(
        category: &'static [&'static str],
        types: &'static [&'static str],
        action: &'static str,
    ) -> Self {
        Meaning {
            category,
            types,
            action,
        }
    }
}

/// The clock that gives a record its time, and how late the record is in the log.
///
/// Source: UtcTime and order of recorded Sysmon logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    /// The record only has the time of the log.
    Log,
    /// A precise time, some milliseconds before the log (Sysmon 1).
    Precise,
    /// The system tick of 15.625 ms: Sysmon's kinds from the kernel.
    Tick,
    /// The network's own clock; its records come in batches, a second or more late (Sysmon 3, 22).
    Late,
}

/// The process that writes a Windows record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    /// The kernel: pid 4.
    Kernel,
    /// A resident of the catalog, by its key.
    Resident(&'static str),
    /// The process that the record is about.
    Subject,
}

/// The subject of a record, which determines its process and account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// A process that starts.
    Start,
    /// An action of a process.
    Process,
    /// The previous audit event, with the same process, time and serial.
    Companion,
    /// An account's logon session, whichever process writes the record.
    Session,
    /// A login through PAM. One process of sshd, cron or sudo writes all records, from the
    /// authentication of an account to the end of its session.
    Login,
    /// None of these.
    Other,
}

/// A key of a TOML record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    Account,
    Answer,
    Call,
    Command,
    Connection,
    Details,
    Directory,
    Facility,
    File,
    Image,
    Integrity,
    /// The key of the audit rule.
    Key,
    LogonType,
    Message,
    Process,
    Query,
    QueryStatus,
    Registry,
    Request,
    Resolves,
    Severity,
    Starts,
    Success,
    Syscall,
    Target,
}

impl Key {
    /// The key in TOML.
    pub fn word(self) -> &'static str {
        match self {
            Key::Account => "account",
            Key::Answer => "answer",
            Key::Call => "call",
            Key::Command => "command",
            Key::Connection => "connection",
            Key::Details => "details",
            Key::Directory => "directory",
            Key::Facility => "facility",
            Key::File => "file",
            Key::Image => "image",
            Key::Integrity => "integrity",
            Key::Key => "key",
            Key::LogonType => "logon_type",
            Key::Message => "message",
            Key::Process => "process",
            Key::Query => "query",
            Key::QueryStatus => "query_status",
            Key::Registry => "registry",
            Key::Request => "request",
            Key::Resolves => "resolves",
            Key::Severity => "severity",
            Key::Starts => "starts",
            Key::Success => "success",
            Key::Syscall => "syscall",
            Key::Target => "target",
        }
    }
}

/// A group of fields that several kinds have in both schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// `process.parent.*`, and `process.command_line` and `working_directory`.
    Start,
    /// `process.command_line` and `working_directory` alone.
    Command,
    /// `file.*`.
    File,
    /// `registry.*`.
    Registry,
}

/// Defaults of a row.
const COMMON: Kind = Kind {
    telemetry: Telemetry::Syslog,
    word: "",
    provider: Provider::Syslog,
    code: "",
    version: 0,
    task: (0, ""),
    stamp: Stamp::Log,
    writer: Writer::Subject,
    about: About::Other,
    is_failure: false,
    needs: &[],
    takes: &[],
    blocks: &[],
    fields: "",
    data: &[],
    fusionai: Meaning::new(&[], &[], ""),
    ecs: None,
};

pub(super) const SYSMON: Kind = Kind {
    provider: Provider::Sysmon,
    stamp: Stamp::Tick,
    writer: Writer::Resident("sysmon"),
    ..COMMON
};
pub(super) const SECURITY: Kind = Kind {
    provider: Provider::Security,
    writer: Writer::Resident("lsass"),
    ..COMMON
};
pub(super) const EVENTLOG: Kind = Kind {
    provider: Provider::Eventlog,
    writer: Writer::Resident("services"),
    ..COMMON
};
pub(super) const SYSTEM: Kind = Kind {
    provider: Provider::System,
    writer: Writer::Resident("services"),
    ..COMMON
};
pub(super) const POWERSHELL: Kind = Kind {
    provider: Provider::PowerShell,
    ..COMMON
};
pub(super) const AUDITD: Kind = Kind {
    provider: Provider::Auditd,
    ..COMMON
};
pub(super) const SYSLOG: Kind = Kind {
    provider: Provider::Syslog,
    ..COMMON
};
pub(super) const SERVICE: Kind = Kind {
    provider: Provider::Service,
    takes: &[Key::Request],
    ..COMMON
};

/// Whether a kind has a block.
pub(super) const fn has_block(kind: &Kind, block: Block) -> bool {
    let mut i = 0;
    while i < kind.blocks.len() {
        if kind.blocks[i] as u8 == block as u8 {
            return true;
        }
        i += 1;
    }
    false
}

/// Whether records of a kind have a value of this name under `data`.
pub(super) const fn gives(kind: &Kind, name: &str) -> bool {
    let mut i = 0;
    while i < kind.data.len() {
        if is_same(kind.data[i].0.as_bytes(), name.as_bytes()) {
            return true;
        }
        i += 1;
    }
    false
}

/// Whether two strings are equal. `==` cannot be used in constants yet.
pub(super) const fn is_same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}
