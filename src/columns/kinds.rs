//! Kinds of record as sets: which of them a column has values on. Knows no rows.

use crate::catalog::Telemetry;

/// A set of telemetry kinds.
pub type Kinds = u128;

/// The set of some kinds.
pub const fn kinds(list: &[Telemetry]) -> Kinds {
    let mut set: Kinds = 0;
    let mut i = 0;
    while i < list.len() {
        set |= 1 << list[i] as u32;
        i += 1;
    }
    set
}

/// Whether a kind is one of some.
#[inline]
pub const fn holds(kinds: Kinds, telemetry: Telemetry) -> bool {
    has(kinds, telemetry as u8)
}

/// The same by number.
#[inline]
pub(super) const fn has(kinds: Kinds, kind: u8) -> bool {
    let half = if kind < 64 { kinds } else { kinds >> 64 };
    half as u64 >> (kind & 63) & 1 == 1
}

/// Sysmon's records.
pub const SYSMON: Kinds = kinds(&[
    Telemetry::ProcessCreation,
    Telemetry::NetworkConnection,
    Telemetry::ProcessTermination,
    Telemetry::FileCreate,
    Telemetry::RegistrySet,
    Telemetry::DnsQuery,
    Telemetry::FileTimeChanged,
    Telemetry::SysmonState,
    Telemetry::DriverLoaded,
    Telemetry::ImageLoaded,
    Telemetry::RemoteThread,
    Telemetry::ProcessAccess,
    Telemetry::RegistryKey,
    Telemetry::StreamCreated,
    Telemetry::SysmonConfig,
    Telemetry::PipeCreated,
    Telemetry::PipeConnected,
    Telemetry::WmiFilter,
    Telemetry::WmiConsumer,
    Telemetry::WmiBinding,
    Telemetry::FileDeleted,
    Telemetry::ProcessTampering,
    Telemetry::FileDeleteLogged,
]);
/// Sysmon's records that name one process of their own.
pub const SYSMON_PROCESS: Kinds = SYSMON
    & !kinds(&[
        Telemetry::SysmonState,
        Telemetry::DriverLoaded,
        Telemetry::RemoteThread,
        Telemetry::ProcessAccess,
        Telemetry::SysmonConfig,
        Telemetry::WmiFilter,
        Telemetry::WmiConsumer,
        Telemetry::WmiBinding,
    ]);
/// Records of the filtering platform.
pub const FILTERING: Kinds = kinds(&[Telemetry::ConnectionPermitted, Telemetry::ConnectionBlocked]);
/// Records of the security audit.
pub const SECURITY: Kinds = FILTERING
    | kinds(&[
        Telemetry::Logon,
        Telemetry::LogonFailed,
        Telemetry::Logoff,
        Telemetry::ExplicitLogon,
        Telemetry::HandleRequested,
        Telemetry::ObjectAccess,
        Telemetry::SpecialLogon,
        Telemetry::ProcessCreated,
        Telemetry::ProcessExited,
        Telemetry::ServiceInstalled,
        Telemetry::TaskCreated,
        Telemetry::TaskUpdated,
        Telemetry::UserCreated,
        Telemetry::GlobalMemberAdded,
        Telemetry::LocalMemberAdded,
        Telemetry::TicketRequested,
        Telemetry::ServiceTicket,
        Telemetry::PreauthFailed,
        Telemetry::CredentialValidated,
        Telemetry::ShareAccess,
        Telemetry::ShareCheck,
    ]);
/// Windows records.
pub const WINDOWS: Kinds = SYSMON
    | SECURITY
    | kinds(&[
        Telemetry::LogCleared,
        Telemetry::ServiceCreated,
        Telemetry::ScriptBlock,
    ]);
/// auditd's user-space records.
pub const AUDIT_USER: Kinds = kinds(&[
    Telemetry::UserLogin,
    Telemetry::UserCmd,
    Telemetry::CredAcq,
    Telemetry::AddUser,
    Telemetry::UserChauthtok,
    Telemetry::ServiceStart,
    Telemetry::UserAuth,
    Telemetry::UserAcct,
    Telemetry::UserStart,
    Telemetry::UserEnd,
    Telemetry::CredDisp,
    Telemetry::CredRefr,
]);
/// auditd records.
pub const AUDIT: Kinds = AUDIT_USER
    | kinds(&[
        Telemetry::Syscall,
        Telemetry::Execve,
        Telemetry::Path,
        Telemetry::Cwd,
        Telemetry::Proctitle,
        Telemetry::Sockaddr,
        Telemetry::Login,
    ]);
/// Every kind.
pub const ALL: Kinds = Kinds::MAX;
/// The kind of a row that stands as the network sensor's document.
pub(super) const SENSOR_KIND: u8 = (Kinds::BITS - 1) as u8;
/// Documents of the network sensor.
pub const SENSOR: Kinds = 1 << SENSOR_KIND;
/// Native records of hosts.
pub const RECORDS: Kinds = !SENSOR;
