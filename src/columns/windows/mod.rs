//! `winlog.*`: the envelope and one struct of event data.
//!
//! Field names, order and formats follow real Sysmon 13.30+ and Security records.
//! In `fusionai`, process ids and ports are integers and Security's hexadecimal
//! ids too; every other leaf is text.

mod envelope;
mod logon;
mod network;
mod objects;
mod process;

pub use envelope::*;
pub use logon::*;
pub use network::*;
pub use objects::*;
pub use process::*;

use super::{Kinds, kinds};
use crate::catalog::Telemetry as T;

const CHANNELS: &str =
    "Microsoft-Windows-Sysmon/Operational|Security|System|Microsoft-Windows-PowerShell/Operational";
const PROVIDERS: &str = "Microsoft-Windows-Sysmon|Microsoft-Windows-Security-Auditing|Service Control Manager|Microsoft-Windows-PowerShell|Microsoft-Windows-Eventlog";
const PROVIDER_GUIDS: &str = "{5770385f-c22a-43e0-bf4c-06f5698ffbd9}|{54849625-5478-4994-a5ba-3e3b0328c30d}|{555908d1-a6d7-4695-8e1e-26931d2012f4}|{a0c1853b-5c40-4b15-8766-3cf1c58f985a}|{fc65ddd8-d6ef-4962-83d5-6e5cfe9ce148}";
const KEYWORDS: &str = "0x8000000000000000|0x8020000000000000|0x8010000000000000|0x8080000000000000|0x0|0x4020000000000000";
const OPCODE: &str = "Info|On create calls";
const LEVEL: &str = "information|verbose";
const DASH: &str = "-";
const EMPTY_GUID: &str = "{00000000-0000-0000-0000-000000000000}";
const BOOLEANS: &str = "false|true";
const FILTER_DIRECTIONS: &str = "%%14593|%%14592";
const LAYERS: &str = "%%14611|%%14610|%%14597";
const LAYER_IDS: &str = "48|44|13";
const EVENT_TYPES: &str =
    "SetValue|CreatePipe|ConnectPipe|WmiFilterEvent|WmiConsumerEvent|WmiBindingEvent";
const NULL_SID: &str = "S-1-0-0";
const SESSIONS: &str = "0|1|2|3";
const STATUSES: &str = "0|9003|9501";
const LOGON_PROCESSES: &str = "Kerberos|NtLmSsp |User32 |Advapi  |Negotiat";
const PACKAGES: &str = "Kerberos|NTLM|Negotiate";
const IMPERSONATION: &str = "%%1833|%%1840";
const NO: &str = "%%1843";
const YES: &str = "%%1842";
const LOGON_TYPES: &str = "0|1|2|3|4|5|6|7|8|9|10|11";
const PORT_NAMES: &str =
    "-|domain|microsoft-ds|ms-wbt-server|netbios-ssn|https|http|ldap|kerberos|epmap|ntp|ssdp|llmnr";

pub(super) const WORDS: &[&str] = &[
    CHANNELS,
    PROVIDERS,
    PROVIDER_GUIDS,
    KEYWORDS,
    OPCODE,
    LEVEL,
    DASH,
    EMPTY_GUID,
    BOOLEANS,
    FILTER_DIRECTIONS,
    LAYERS,
    LAYER_IDS,
    EVENT_TYPES,
    NULL_SID,
    SESSIONS,
    STATUSES,
    LOGON_PROCESSES,
    PACKAGES,
    IMPERSONATION,
    NO,
    YES,
    LOGON_TYPES,
    PORT_NAMES,
];

const CREATE: Kinds = kinds(&[T::ProcessCreation]);
const CONNECT: Kinds = kinds(&[T::NetworkConnection]);
const FILE: Kinds = kinds(&[
    T::FileCreate,
    T::FileTimeChanged,
    T::StreamCreated,
    T::FileDeleted,
    T::FileDeleteLogged,
]);
const NEW_FILE: Kinds = kinds(&[T::FileCreate, T::StreamCreated]);
const SET_BACK: Kinds = kinds(&[T::FileTimeChanged]);
pub(super) const HASHED_FILE: Kinds = kinds(&[
    T::DriverLoaded,
    T::ImageLoaded,
    T::FileDeleted,
    T::FileDeleteLogged,
]);
const LOADED: Kinds = kinds(&[T::ImageLoaded]);
const REGISTRY: Kinds = kinds(&[T::RegistrySet, T::RegistryKey]);
const REGISTRY_SET: Kinds = kinds(&[T::RegistrySet]);
const REGISTRY_KEY: Kinds = kinds(&[T::RegistryKey]);
const TYPED: Kinds = kinds(&[
    T::RegistrySet,
    T::PipeCreated,
    T::PipeConnected,
    T::WmiFilter,
    T::WmiConsumer,
    T::WmiBinding,
]);
const DNS: Kinds = kinds(&[T::DnsQuery]);
const LOGON: Kinds = kinds(&[T::Logon]);
const LOGON_FAILED: Kinds = kinds(&[T::LogonFailed]);
const LOGONS: Kinds = LOGON | LOGON_FAILED;
const LOGOFF: Kinds = kinds(&[T::Logoff]);
const EXPLICIT: Kinds = kinds(&[T::ExplicitLogon]);
const CREATED: Kinds = kinds(&[T::ProcessCreated]);
const CLIENTS: Kinds = kinds(&[T::ServiceInstalled, T::TaskCreated, T::TaskUpdated]);
const SERVICE_TICKET: Kinds = kinds(&[T::ServiceTicket]);
/// Records with a subject that is the row's account in its session.
pub(super) const SUBJECT: Kinds = kinds(&[
    T::ExplicitLogon,
    T::HandleRequested,
    T::ObjectAccess,
    T::SpecialLogon,
    T::ProcessCreated,
    T::ProcessExited,
    T::ServiceInstalled,
    T::TaskCreated,
    T::TaskUpdated,
    T::UserCreated,
    T::GlobalMemberAdded,
    T::LocalMemberAdded,
    T::ShareAccess,
    T::ShareCheck,
    T::LogCleared,
]);
/// Records whose target is named by the record or is the row's account.
const NAMED_TARGET: Kinds = kinds(&[
    T::LogonFailed,
    T::TicketRequested,
    T::PreauthFailed,
    T::CredentialValidated,
    T::ExplicitLogon,
    T::UserCreated,
    T::GlobalMemberAdded,
    T::LocalMemberAdded,
    T::ServiceTicket,
    T::ProcessCreated,
]);
const TARGET_DOMAIN: Kinds =
    LOGON | LOGOFF | (NAMED_TARGET & !kinds(&[T::PreauthFailed, T::CredentialValidated]));
const CLIENT: Kinds = LOGONS
    | kinds(&[
        T::ExplicitLogon,
        T::TicketRequested,
        T::ServiceTicket,
        T::PreauthFailed,
        T::ShareAccess,
        T::ShareCheck,
    ]);
const KERBEROS: Kinds = kinds(&[T::TicketRequested, T::ServiceTicket, T::PreauthFailed]);
const OWNED: Kinds = kinds(&[
    T::ExplicitLogon,
    T::HandleRequested,
    T::ObjectAccess,
    T::ProcessExited,
]);
