//! `winlog.*`: the envelope and one struct of event data.
//!
//! Field names, order and formats follow real Sysmon 13.30+ and Security records.
//! In `fusionai`, process ids and ports are integers and Security's hexadecimal
//! ids too; every other leaf is text.

use arrow::array::ArrayRef;

use super::enrichment::{counter, ends, write_utc_time};
use super::process::guid;
use super::{FILTERING, Kinds, SECURITY, SYSMON, SYSMON_PROCESS, View, WINDOWS, kinds};
use crate::catalog::Telemetry as T;
use crate::frame::NONE;
use crate::random::Key;
use crate::world::processes::write_logon_guid;

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
const SESSIONS: &str = "0|1";
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
const OWNED: Kinds = kinds(&[T::ExplicitLogon, T::HandleRequested, T::ObjectAccess]);

fn provider(v: &View<'_>, row: usize) -> i32 {
    match v.frame.telemetry[row] {
        T::ServiceCreated => 2,
        T::ScriptBlock => 3,
        T::LogCleared => 4,
        _ => i32::from(v.is(row, SECURITY)),
    }
}
fn channel_index(v: &View<'_>, row: usize) -> i32 {
    match provider(v, row) {
        4 => 1,
        other => other,
    }
}
/// The audit failed.
pub(super) fn is_failure(v: &View<'_>, row: usize) -> bool {
    match v.frame.telemetry[row] {
        T::ConnectionBlocked | T::LogonFailed | T::PreauthFailed => true,
        T::CredentialValidated | T::TicketRequested | T::ServiceTicket => {
            !v.frame.success[row] && !v.frame.blocked[row]
        }
        _ => false,
    }
}

/// `winlog.channel`.
pub fn channel(v: &View<'_>) -> ArrayRef {
    v.texts_of(WINDOWS, &v.tables.words.get(CHANNELS), |r| {
        channel_index(v, r)
    })
}
/// `winlog.provider_name`.
pub fn provider_name(v: &View<'_>) -> ArrayRef {
    v.texts_of(WINDOWS, &v.tables.words.get(PROVIDERS), |r| provider(v, r))
}
/// `winlog.provider_guid`.
pub fn provider_guid(v: &View<'_>) -> ArrayRef {
    v.texts_of(WINDOWS, &v.tables.words.get(PROVIDER_GUIDS), |r| {
        provider(v, r)
    })
}
/// `winlog.keywords`: Sysmon's, audit success, audit failure, classic, none, a cleared log's.
pub fn keywords(v: &View<'_>) -> ArrayRef {
    v.texts_of(WINDOWS, &v.tables.words.get(KEYWORDS), |r| {
        match provider(v, r) {
            1 => 1 + i32::from(is_failure(v, r)),
            0 => 0,
            other => other + 1,
        }
    })
}
/// `winlog.opcode`.
pub fn opcode(v: &View<'_>) -> ArrayRef {
    v.texts_of(WINDOWS, &v.tables.words.get(OPCODE), |r| {
        i32::from(provider(v, r) == 3)
    })
}
/// `winlog.level`.
pub fn level(v: &View<'_>) -> ArrayRef {
    v.texts_of(WINDOWS, &v.tables.words.get(LEVEL), |r| {
        i32::from(provider(v, r) == 3)
    })
}

fn id(telemetry: T) -> i64 {
    match telemetry {
        T::ProcessCreation => 1,
        T::NetworkConnection => 3,
        T::ProcessTermination => 5,
        T::FileCreate => 11,
        T::RegistrySet => 13,
        T::DnsQuery => 22,
        T::Logon => 4624,
        T::ConnectionPermitted => 5156,
        T::ConnectionBlocked => 5157,
        T::FileTimeChanged => 2,
        T::SysmonState => 4,
        T::DriverLoaded => 6,
        T::ImageLoaded => 7,
        T::RemoteThread => 8,
        T::ProcessAccess => 10,
        T::RegistryKey => 12,
        T::StreamCreated => 15,
        T::SysmonConfig => 16,
        T::PipeCreated => 17,
        T::PipeConnected => 18,
        T::WmiFilter => 19,
        T::WmiConsumer => 20,
        T::WmiBinding => 21,
        T::FileDeleted => 23,
        T::ProcessTampering => 25,
        T::FileDeleteLogged => 26,
        T::LogonFailed => 4625,
        T::Logoff => 4634,
        T::ExplicitLogon => 4648,
        T::HandleRequested => 4656,
        T::ObjectAccess => 4663,
        T::SpecialLogon => 4672,
        T::ProcessCreated => 4688,
        T::ServiceInstalled => 4697,
        T::TaskCreated => 4698,
        T::TaskUpdated => 4702,
        T::UserCreated => 4720,
        T::GlobalMemberAdded => 4728,
        T::LocalMemberAdded => 4732,
        T::TicketRequested => 4768,
        T::ServiceTicket => 4769,
        T::PreauthFailed => 4771,
        T::CredentialValidated => 4776,
        T::ShareAccess => 5140,
        T::ShareCheck => 5145,
        T::LogCleared => 1102,
        T::ServiceCreated => 7045,
        T::ScriptBlock => 4104,
        _ => 0,
    }
}

/// `winlog.event_id`.
pub fn event_id(v: &View<'_>) -> ArrayRef {
    v.integers(WINDOWS, |r| Some(id(v.frame.telemetry[r])))
}
/// `winlog.version` of the event's schema.
pub fn version(v: &View<'_>) -> ArrayRef {
    v.integers(WINDOWS, |r| {
        Some(match v.frame.telemetry[r] {
            T::ProcessCreation
            | T::NetworkConnection
            | T::DnsQuery
            | T::FileTimeChanged
            | T::FileDeleted
            | T::ProcessTampering
            | T::FileDeleteLogged => 5,
            T::DriverLoaded
            | T::ProcessTermination
            | T::SysmonState
            | T::ImageLoaded
            | T::ProcessAccess
            | T::SysmonConfig
            | T::WmiFilter
            | T::WmiConsumer
            | T::WmiBinding => 3,
            T::FileCreate
            | T::RegistrySet
            | T::RegistryKey
            | T::RemoteThread
            | T::StreamCreated
            | T::ProcessCreated
            | T::Logon => 2,
            T::LogonFailed
            | T::Logoff
            | T::ExplicitLogon
            | T::SpecialLogon
            | T::ServiceInstalled
            | T::TaskCreated
            | T::TaskUpdated
            | T::UserCreated
            | T::GlobalMemberAdded
            | T::LocalMemberAdded
            | T::TicketRequested
            | T::ServiceTicket
            | T::PreauthFailed
            | T::CredentialValidated
            | T::ShareCheck
            | T::LogCleared
            | T::ServiceCreated => 0,
            _ => 1,
        })
    })
}
/// `winlog.task`: Sysmon's equals the event id.
pub fn task(v: &View<'_>) -> ArrayRef {
    v.integers(WINDOWS, |r| {
        Some(match v.frame.telemetry[r] {
            T::Logon | T::LogonFailed | T::ExplicitLogon => 12_544,
            T::ConnectionPermitted | T::ConnectionBlocked => 12_810,
            T::Logoff => 12_545,
            T::SpecialLogon => 12_548,
            T::HandleRequested | T::ObjectAccess => 12_800,
            T::ProcessCreated => 13_312,
            T::ServiceInstalled => 12_289,
            T::TaskCreated | T::TaskUpdated => 12_804,
            T::UserCreated => 13_824,
            T::GlobalMemberAdded | T::LocalMemberAdded => 13_826,
            T::TicketRequested | T::PreauthFailed => 14_339,
            T::ServiceTicket => 14_337,
            T::CredentialValidated => 14_336,
            T::ShareAccess => 12_808,
            T::ShareCheck => 12_811,
            T::LogCleared => 104,
            T::ServiceCreated => 0,
            T::ScriptBlock => 2,
            other => id(other),
        })
    })
}
/// `winlog.record_id`: never falls with time on a host's channel.
pub fn record_id(v: &View<'_>) -> ArrayRef {
    v.integers(WINDOWS, |r| {
        let stream = [1, 2, 4, 5][channel_index(v, r) as usize];
        Some(counter(v, r, stream, 16_000))
    })
}
/// `winlog.process.pid`: the writing service's, never the subject's.
pub fn service_pid(v: &View<'_>) -> ArrayRef {
    let sysmon = v.maker.catalog.resident("sysmon");
    let lsass = v.maker.catalog.resident("lsass");
    let services = v.maker.catalog.resident("services");
    v.integers(WINDOWS, |r| {
        let resident = match v.frame.telemetry[r] {
            T::ConnectionPermitted
            | T::ConnectionBlocked
            | T::HandleRequested
            | T::ObjectAccess
            | T::ProcessCreated
            | T::ShareAccess
            | T::ShareCheck => return Some(4),
            T::ScriptBlock => return Some(i64::from(v.frame.process.pid[r])),
            T::ServiceCreated | T::LogCleared => services,
            _ if v.is(r, SECURITY) => lsass,
            _ => sysmon,
        }?;
        let host = v.frame.host[r] as u32;
        let seconds = v.frame.time[r].div_euclid(1_000_000);
        Some(i64::from(v.maker.world.resident_pid(
            v.maker.catalog,
            host,
            resident,
            seconds,
        )))
    })
}
/// `winlog.process.thread_id`.
pub fn thread_id(v: &View<'_>) -> ArrayRef {
    v.integers(WINDOWS, |r| {
        // A service logs from few threads.
        let key = v.maker.world.host_key(v.frame.host[r] as u32);
        Some(4 * (400 + key.below(0x7d ^ (v.frame.salt[r] & 3), 2400) as i64))
    })
}

/// RuleName: a filter without names.
pub fn rule_name(v: &View<'_>) -> ArrayRef {
    let of = SYSMON & !kinds(&[T::SysmonState, T::SysmonConfig]);
    v.constant(of, &v.tables.words.get(DASH))
}
/// UtcTime.
pub fn utc_time(v: &View<'_>) -> ArrayRef {
    v.plain(SYSMON, 23, |r, out| {
        write_utc_time(out, v.frame.native[r]);
        true
    })
}
/// ProcessGuid.
pub fn process_guid(v: &View<'_>) -> ArrayRef {
    v.plain(SYSMON_PROCESS, 38, |r, out| {
        guid(v, &v.frame.process, r, out)
    })
}
/// ProcessId: Sysmon's, 5156's ProcessID, 4688's creator, and 4624's ProcessId (0: none).
pub fn process_id(v: &View<'_>) -> ArrayRef {
    let of = SYSMON_PROCESS | FILTERING | LOGONS | OWNED | CREATED;
    v.integers(of, |r| {
        Some(if network_logon(v, r) {
            0
        } else if v.is(r, CREATED) {
            i64::from(v.frame.parent.pid[r])
        } else {
            i64::from(v.frame.process.pid[r])
        })
    })
}
/// Image.
pub fn image(v: &View<'_>) -> ArrayRef {
    v.own(
        SYSMON_PROCESS,
        &v.frame.process.path,
        Some(&v.tables.image_path),
    )
}
/// User, as `NETBIOS\name`.
pub fn user(v: &View<'_>) -> ArrayRef {
    let of = SYSMON_PROCESS | kinds(&[T::WmiFilter, T::WmiConsumer, T::WmiBinding]);
    v.texts_of(of, &v.tables.account_qualified, |r| {
        v.frame.process.account[r]
    })
}

fn by_image(v: &View<'_>, values: &ArrayRef, name: &str) -> ArrayRef {
    v.blend(
        CREATE,
        values,
        |r| v.frame.process.image[r],
        LOADED,
        |r, out| out.extend_from_slice(v.given_text(r, name).unwrap_or("-").as_bytes()),
    )
}

/// FileVersion: the host's build for what ships with Windows.
pub fn file_version(v: &View<'_>) -> ArrayRef {
    let systems = v.maker.world.hosts.systems.len() as i32;
    v.blend(
        CREATE,
        &v.tables.file_version,
        |r| {
            let os = i32::from(v.maker.world.hosts[v.frame.host[r] as u32].os);
            v.frame.process.image[r] * systems + os
        },
        LOADED,
        |r, out| {
            let microsoft = v
                .given_text(r, "Signature")
                .is_some_and(|s| s.starts_with("Microsoft W"));
            let os = v.maker.world.hosts[v.frame.host[r] as u32].os as usize;
            let version = if microsoft {
                v.maker.world.hosts.systems[os].file_version
            } else {
                "-"
            };
            out.extend_from_slice(version.as_bytes());
        },
    )
}
/// Description.
pub fn description(v: &View<'_>) -> ArrayRef {
    by_image(v, &v.tables.description, "Description")
}
/// Product.
pub fn product(v: &View<'_>) -> ArrayRef {
    by_image(v, &v.tables.product, "Product")
}
/// Company.
pub fn company(v: &View<'_>) -> ArrayRef {
    by_image(v, &v.tables.company, "Company")
}
/// OriginalFileName: a loaded file's is its name, where it is signed.
pub fn original_file_name(v: &View<'_>) -> ArrayRef {
    v.blend(
        CREATE,
        &v.tables.original_file_name,
        |r| v.frame.process.image[r],
        LOADED,
        |r, out| {
            let unsigned = v.frame.data[0].keys[r] == NONE;
            let name = if unsigned {
                "-"
            } else {
                super::tables::file_name(v.frame.file.text(r))
            };
            out.extend_from_slice(name.as_bytes());
        },
    )
}
/// CommandLine.
pub fn command_line(v: &View<'_>) -> ArrayRef {
    v.own(
        CREATE | CREATED,
        &v.frame.process.command,
        Some(&v.tables.resident_command),
    )
}
/// CurrentDirectory.
pub fn current_directory(v: &View<'_>) -> ArrayRef {
    v.own(CREATE, &v.frame.directory, None)
}

fn session(v: &View<'_>, row: usize) -> crate::world::Session {
    crate::world::Session {
        id: v.frame.process.session_id[row],
        start: v.frame.process.session_start[row],
    }
}

/// LogonGuid: Sysmon's has the LogonId in its tail; 4624's is Kerberos' own.
pub fn logon_guid(v: &View<'_>) -> ArrayRef {
    v.plain(CREATE | LOGON | EXPLICIT | SERVICE_TICKET, 38, |r, out| {
        if v.is(r, EXPLICIT) {
            out.extend_from_slice(EMPTY_GUID.as_bytes());
        } else if v.frame.telemetry[r] == T::ProcessCreation {
            let prefix = v.maker.world.hosts[v.frame.host[r] as u32].guid_prefix;
            write_logon_guid(out, prefix, session(v, r));
        } else {
            // Kerberos' ticket; NTLM has none. Random as real ones are, and the same for one logon.
            let key = Key::root(session(v, r).id).with(v.frame.host[r] as u64);
            let key = if v.is(r, SERVICE_TICKET) {
                Key::root(v.frame.salt[r])
            } else {
                key
            };
            if v.is(r, SERVICE_TICKET) || package(v, r) == 0 {
                let text = format!(
                    "{{{:08x}-{:04x}-{:04x}-{:04x}-{:012x}}}",
                    key.at(0) as u32,
                    key.at(1) as u16,
                    key.at(2) as u16,
                    key.at(3) as u16,
                    key.at(4) >> 16
                );
                out.extend_from_slice(text.as_bytes());
            } else {
                out.extend_from_slice(EMPTY_GUID.as_bytes());
            }
        }
        true
    })
}

fn push_hex(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(format!("0x{value:x}").as_bytes());
}

/// LogonId, `0x3e7`.
pub fn logon_id(v: &View<'_>) -> ArrayRef {
    v.plain(CREATE, 9, |r, out| {
        push_hex(out, v.frame.process.session_id[r]);
        true
    })
}
/// TerminalSessionId: 0 for services, 1 for the console.
pub fn terminal_session(v: &View<'_>) -> ArrayRef {
    v.texts_of(CREATE, &v.tables.words.get(SESSIONS), |r| {
        let host = &v.maker.world.hosts[v.frame.host[r] as u32];
        let interactive = v.frame.process.account[r] as u32 == host.user
            && host.role == crate::world::hosts::Role::Workstation;
        i32::from(interactive)
    })
}
/// IntegrityLevel.
pub fn integrity(v: &View<'_>) -> ArrayRef {
    v.texts_of(CREATE, &v.tables.integrity, |r| {
        i32::from(v.frame.integrity[r])
    })
}
/// Hashes.
pub fn hashes(v: &View<'_>) -> ArrayRef {
    let own = super::own_values(&v.frame.hashes, Some(&v.tables.hashes), |text| text);
    v.blend(
        CREATE,
        &own,
        |r| v.frame.hashes.keys[r],
        HASHED_FILE,
        |r, out| super::sysmon::file_hashes(v, r, out),
    )
}
/// ParentProcessGuid.
pub fn parent_process_guid(v: &View<'_>) -> ArrayRef {
    v.plain(CREATE, 38, |r, out| guid(v, &v.frame.parent, r, out))
}
/// ParentProcessId: of the process that starts, or that had a service or task made.
pub fn parent_process_id(v: &View<'_>) -> ArrayRef {
    v.integers(CREATE | CLIENTS, |r| Some(i64::from(v.frame.parent.pid[r])))
}
/// ParentImage.
pub fn parent_image(v: &View<'_>) -> ArrayRef {
    v.own(CREATE, &v.frame.parent.path, Some(&v.tables.image_path))
}
/// ParentCommandLine.
pub fn parent_command_line(v: &View<'_>) -> ArrayRef {
    v.own(
        CREATE,
        &v.frame.parent.command,
        Some(&v.tables.resident_command),
    )
}
/// ParentUser.
pub fn parent_user(v: &View<'_>) -> ArrayRef {
    v.texts_of(CREATE, &v.tables.account_qualified, |r| {
        v.frame.parent.account[r]
    })
}

/// Protocol: Sysmon's `tcp`, `udp`; the filtering platform's IANA number.
pub fn protocol(v: &View<'_>) -> ArrayRef {
    let numbers = super::table(["tcp", "udp", "6", "17", "1", "58", "2", "47", "50", "0"]);
    v.texts_of(CONNECT | FILTERING, &numbers, |r| {
        let name = usize::try_from(v.frame.protocol[r])
            .ok()
            .and_then(|p| v.maker.vocabulary.protocols.get(p));
        let name = name.map_or("tcp", String::as_str);
        if v.frame.telemetry[r] == T::NetworkConnection {
            return i32::from(name == "udp");
        }
        match name {
            "tcp" => 2,
            "udp" => 3,
            "icmp" => 4,
            "ipv6-icmp" | "icmpv6" => 5,
            "igmp" => 6,
            "gre" => 7,
            "esp" => 8,
            _ => 9,
        }
    })
}

/// Whether the reporting host is the client.
fn initiated(v: &View<'_>, row: usize) -> bool {
    ends(v, row).0.0 == v.frame.host[row]
}

/// Initiated.
pub fn is_initiated(v: &View<'_>) -> ArrayRef {
    v.texts_of(CONNECT, &v.tables.words.get(BOOLEANS), |r| {
        i32::from(initiated(v, r))
    })
}

fn is_ipv6(v: &View<'_>, address: i32) -> i32 {
    i32::from(
        v.maker
            .world
            .addresses
            .texts
            .get(address as usize)
            .is_some_and(|t| t.contains(':')),
    )
}
/// SourceIsIpv6.
pub fn source_is_ipv6(v: &View<'_>) -> ArrayRef {
    v.texts_of(CONNECT, &v.tables.words.get(BOOLEANS), |r| {
        is_ipv6(v, ends(v, r).0.0)
    })
}
/// DestinationIsIpv6.
pub fn destination_is_ipv6(v: &View<'_>) -> ArrayRef {
    v.texts_of(CONNECT, &v.tables.words.get(BOOLEANS), |r| {
        is_ipv6(v, ends(v, r).1.0)
    })
}
/// SourceIp: the client's, whichever way the sensor's packet went.
pub fn source_ip(v: &View<'_>) -> ArrayRef {
    v.texts_of(CONNECT, &v.tables.address, |r| ends(v, r).0.0)
}
/// DestinationIp: the server's.
pub fn destination_ip(v: &View<'_>) -> ArrayRef {
    v.texts_of(CONNECT, &v.tables.address, |r| ends(v, r).1.0)
}
/// SourceHostname and DestinationHostname: lookups are off.
pub fn no_host_name(v: &View<'_>) -> ArrayRef {
    v.constant(CONNECT, &v.tables.words.get(DASH))
}

fn port(value: i32) -> Option<i64> {
    Some(if value == NONE { 0 } else { i64::from(value) })
}
/// SourcePort.
pub fn source_port(v: &View<'_>) -> ArrayRef {
    v.integers(CONNECT | FILTERING, |r| port(ends(v, r).0.1))
}
/// DestinationPort.
pub fn destination_port(v: &View<'_>) -> ArrayRef {
    v.integers(CONNECT, |r| port(ends(v, r).1.1))
}

fn port_name(port: i32) -> i32 {
    match port {
        53 => 1,
        445 => 2,
        3389 => 3,
        139 => 4,
        443 => 5,
        80 => 6,
        389 => 7,
        88 => 8,
        135 => 9,
        123 => 10,
        1900 => 11,
        5355 => 12,
        _ => 0,
    }
}
/// SourcePortName.
pub fn source_port_name(v: &View<'_>) -> ArrayRef {
    v.texts_of(CONNECT, &v.tables.words.get(PORT_NAMES), |r| {
        port_name(ends(v, r).0.1)
    })
}
/// DestinationPortName.
pub fn destination_port_name(v: &View<'_>) -> ArrayRef {
    v.texts_of(CONNECT, &v.tables.words.get(PORT_NAMES), |r| {
        port_name(ends(v, r).1.1)
    })
}

/// TargetFilename.
pub fn target_filename(v: &View<'_>) -> ArrayRef {
    v.own(FILE, &v.frame.file, None)
}
/// CreationUtcTime: the file is new.
pub fn creation_utc_time(v: &View<'_>) -> ArrayRef {
    v.plain(NEW_FILE | SET_BACK, 23, |r, out| {
        if v.is(r, SET_BACK) {
            super::sysmon::write_set_back(v, r, out);
        } else {
            write_utc_time(out, v.frame.native[r]);
        }
        true
    })
}
/// EventType.
pub fn event_type(v: &View<'_>) -> ArrayRef {
    v.blend(
        TYPED,
        &v.tables.words.get(EVENT_TYPES),
        |r| match v.frame.telemetry[r] {
            T::PipeCreated => 1,
            T::PipeConnected => 2,
            T::WmiFilter => 3,
            T::WmiConsumer => 4,
            T::WmiBinding => 5,
            _ => 0,
        },
        REGISTRY_KEY,
        |r, out| {
            let kind = v.given_text(r, "EventType").unwrap_or("CreateKey");
            out.extend_from_slice(kind.as_bytes());
        },
    )
}
/// TargetObject.
pub fn target_object(v: &View<'_>) -> ArrayRef {
    v.own(REGISTRY, &v.frame.registry, None)
}
/// Details.
pub fn details(v: &View<'_>) -> ArrayRef {
    v.own(REGISTRY_SET, &v.frame.details, None)
}
/// QueryName.
pub fn query_name(v: &View<'_>) -> ArrayRef {
    v.own(DNS, &v.frame.query, None)
}
/// QueryStatus.
pub fn query_status(v: &View<'_>) -> ArrayRef {
    v.texts_of(DNS, &v.tables.words.get(STATUSES), |r| {
        match v.frame.query_status[r] {
            0 => 0,
            9003 => 1,
            _ => 2,
        }
    })
}
/// QueryResults: `::ffff:a.b.c.d;`, `-` when none.
pub fn query_results(v: &View<'_>) -> ArrayRef {
    v.plain(DNS, 24, |r, out| {
        match usize::try_from(v.frame.answer[r]) {
            Ok(address) => {
                out.extend_from_slice(b"::ffff:");
                out.extend_from_slice(v.maker.world.addresses.texts[address].as_bytes());
                out.push(b';');
            }
            Err(_) => out.push(b'-'),
        }
        true
    })
}

/// Application: the NT device path, lower case.
pub fn filter_application(v: &View<'_>) -> ArrayRef {
    v.texts_of(FILTERING, &v.tables.device_path, |r| {
        v.frame.process.image[r]
    })
}
/// Direction: inbound %%14592, outbound %%14593.
pub fn filter_direction(v: &View<'_>) -> ArrayRef {
    v.texts_of(FILTERING, &v.tables.words.get(FILTER_DIRECTIONS), |r| {
        i32::from(!initiated(v, r))
    })
}
/// SourceAddress.
pub fn source_address(v: &View<'_>) -> ArrayRef {
    v.texts_of(FILTERING, &v.tables.address, |r| ends(v, r).0.0)
}
/// DestAddress.
pub fn dest_address(v: &View<'_>) -> ArrayRef {
    v.texts_of(FILTERING, &v.tables.address, |r| ends(v, r).1.0)
}
/// DestPort.
pub fn dest_port(v: &View<'_>) -> ArrayRef {
    v.integers(FILTERING, |r| port(ends(v, r).1.1))
}
/// FilterRTID: the filter that matched, few a boot.
pub fn filter_id(v: &View<'_>) -> ArrayRef {
    v.plain(FILTERING, 5, |r, out| {
        let key = v.maker.world.host_key(v.frame.host[r] as u32);
        let id = 65_000 + key.below(0xf1 + v.frame.salt[r] % 3, 8000);
        out.extend_from_slice(id.to_string().as_bytes());
        true
    })
}
/// LayerName: connect, receive/accept.
pub fn layer_name(v: &View<'_>) -> ArrayRef {
    v.texts_of(FILTERING, &v.tables.words.get(LAYERS), |r| {
        i32::from(!initiated(v, r))
    })
}
/// LayerRTID.
pub fn layer_id(v: &View<'_>) -> ArrayRef {
    v.texts_of(FILTERING, &v.tables.words.get(LAYER_IDS), |r| {
        i32::from(!initiated(v, r))
    })
}
/// RemoteUserID and RemoteMachineID.
pub fn remote_id(v: &View<'_>) -> ArrayRef {
    v.constant(FILTERING, &v.tables.words.get(NULL_SID))
}

// Security 4624.

/// A logon over the network names no process of this host.
fn network_logon(v: &View<'_>, row: usize) -> bool {
    v.is(row, LOGONS) && v.frame.logon_type[row] == 3
}
/// 0 Kerberos, 1 NTLM, 2 Negotiate.
fn package(v: &View<'_>, row: usize) -> i32 {
    match v.frame.logon_type[row] {
        // What the server itself refuses was no ticket.
        3 if v.is(row, LOGON_FAILED) => 1,
        3 => i32::from(v.frame.salt[row].is_multiple_of(9)),
        _ => 2,
    }
}
fn subject_is_system(v: &View<'_>, row: usize) -> bool {
    !network_logon(v, row)
}
/// The three built-in accounts of Windows come first.
fn is_built_in(account: i32) -> bool {
    (0..=2).contains(&account)
}
/// SubjectUserSid.
pub fn subject_user_sid(v: &View<'_>) -> ArrayRef {
    v.blend(
        SUBJECT,
        &v.tables.account_sid,
        |r| v.frame.user[r],
        LOGONS,
        |r, out| {
            let sid = if subject_is_system(v, r) {
                "S-1-5-18"
            } else {
                NULL_SID
            };
            out.extend_from_slice(sid.as_bytes());
        },
    )
}
/// SubjectUserName: the machine account, where a local process logged the user on.
pub fn subject_user_name(v: &View<'_>) -> ArrayRef {
    v.plain(SUBJECT | LOGONS, 12, |r, out| {
        let account = v.frame.user[r];
        if v.is(r, SUBJECT) && account != crate::world::users::SYSTEM as i32 {
            let name = &v.maker.world.accounts[account as u32].name;
            out.extend_from_slice(name.as_bytes());
        } else if subject_is_system(v, r) {
            out.extend_from_slice(v.maker.world.hosts[v.frame.host[r] as u32].name.as_bytes());
            out.push(b'$');
        } else {
            out.push(b'-');
        }
        true
    })
}
/// SubjectDomainName.
pub fn subject_domain_name(v: &View<'_>) -> ArrayRef {
    let values = super::table(["-", v.maker.world.domain.netbios.as_str(), "NT AUTHORITY"]);
    v.texts_of(SUBJECT | LOGONS, &values, |r| {
        let account = v.frame.user[r];
        if v.is(r, SUBJECT) {
            1 + i32::from(is_built_in(account) && account != crate::world::users::SYSTEM as i32)
        } else {
            i32::from(subject_is_system(v, r))
        }
    })
}
/// SubjectLogonId, a number.
pub fn subject_logon_id(v: &View<'_>) -> ArrayRef {
    v.integers(SUBJECT | LOGONS, |r| {
        Some(if v.is(r, SUBJECT) {
            v.frame.process.session_id[r] as i64
        } else if subject_is_system(v, r) {
            0x3e7
        } else {
            0
        })
    })
}
/// TargetUserSid: nobody's where the logon failed.
pub fn target_user_sid(v: &View<'_>) -> ArrayRef {
    v.blend(
        LOGON | LOGOFF,
        &v.tables.account_sid,
        |r| v.frame.user[r],
        LOGON_FAILED | CREATED,
        |_, out| out.extend_from_slice(NULL_SID.as_bytes()),
    )
}
/// TargetUserName.
pub fn target_user_name(v: &View<'_>) -> ArrayRef {
    v.blend(
        LOGON | LOGOFF,
        &v.tables.account_name,
        |r| v.frame.user[r],
        NAMED_TARGET,
        |r, out| {
            if v.is(r, CREATED) {
                return out.push(b'-');
            }
            let account = &v.maker.world.accounts[v.frame.user[r] as u32].name;
            let name = v.given_text(r, "TargetUserName").unwrap_or(account);
            out.extend_from_slice(name.as_bytes());
            if v.is(r, SERVICE_TICKET) {
                out.push(b'@');
                out.extend_from_slice(v.maker.world.domain.dns.to_uppercase().as_bytes());
            }
        },
    )
}
/// TargetDomainName: the realm with Kerberos, NetBIOS otherwise.
pub fn target_domain_name(v: &View<'_>) -> ArrayRef {
    let domain = &v.maker.world.domain;
    let values = super::table([
        domain.dns.to_uppercase().as_str(),
        domain.netbios.as_str(),
        "NT AUTHORITY",
        "Builtin",
        "-",
    ]);
    let local = kinds(&[T::UserCreated]);
    let domain_of = |r: usize| match v.frame.telemetry[r] {
        T::LocalMemberAdded => 3,
        T::ProcessCreated => 4,
        T::ServiceTicket => 0,
        T::Logon => match (v.frame.user[r], package(v, r)) {
            (0..=2, _) => 2,
            (_, 0) => 0,
            _ => 1,
        },
        _ => 1,
    };
    // An account made on a member server is that server's.
    v.blend(
        TARGET_DOMAIN & !local,
        &values,
        domain_of,
        local,
        |r, out| {
            let host = &v.maker.world.hosts[v.frame.host[r] as u32];
            let domain = if host.is(crate::catalog::HostClass::DomainController) {
                &v.maker.world.domain.netbios
            } else {
                &host.name
            };
            out.extend_from_slice(domain.as_bytes());
        },
    )
}
/// TargetLogonId, a number: the session that opens or ends.
pub fn target_logon_id(v: &View<'_>) -> ArrayRef {
    v.integers(LOGON | LOGOFF | CREATED, |r| {
        Some(if v.is(r, CREATED) {
            0
        } else {
            v.frame.process.session_id[r] as i64
        })
    })
}
/// LogonType.
pub fn logon_type(v: &View<'_>) -> ArrayRef {
    v.texts_of(LOGONS | LOGOFF, &v.tables.words.get(LOGON_TYPES), |r| {
        i32::from(v.frame.logon_type[r].min(11))
    })
}
/// LogonProcessName, blank-padded as LSA registers it.
pub fn logon_process_name(v: &View<'_>) -> ArrayRef {
    v.texts_of(LOGONS, &v.tables.words.get(LOGON_PROCESSES), |r| {
        match (v.frame.logon_type[r], package(v, r)) {
            (3, 0) => 0,
            (3, _) => 1,
            (5, _) => 3,
            _ => 2,
        }
    })
}
/// AuthenticationPackageName.
pub fn authentication_package(v: &View<'_>) -> ArrayRef {
    v.texts_of(LOGONS, &v.tables.words.get(PACKAGES), |r| package(v, r))
}
/// WorkstationName: the client's with NTLM, the host's own for local logons.
pub fn workstation_name(v: &View<'_>) -> ArrayRef {
    v.plain(LOGONS, 10, |r, out| {
        let hosts = &v.maker.world.hosts;
        match (v.frame.logon_type[r], package(v, r)) {
            (3, 1) if v.maker.world.addresses.is_host(v.frame.source[r] as u32) => {
                out.extend_from_slice(hosts[v.frame.source[r] as u32].name.as_bytes());
            }
            (3, _) => out.push(b'-'),
            _ => out.extend_from_slice(hosts[v.frame.host[r] as u32].name.as_bytes()),
        }
        true
    })
}
/// `-` of a logon's unused fields.
pub fn logon_dash(v: &View<'_>) -> ArrayRef {
    v.constant(LOGON, &v.tables.words.get(DASH))
}
/// TransmittedServices: no delegation.
pub fn transmitted_services(v: &View<'_>) -> ArrayRef {
    v.constant(LOGONS | SERVICE_TICKET, &v.tables.words.get(DASH))
}
/// LmPackageName.
pub fn lm_package_name(v: &View<'_>) -> ArrayRef {
    v.texts_of(LOGONS, &super::table(["-", "NTLM V2"]), |r| {
        i32::from(package(v, r) == 1 && v.is(r, LOGON))
    })
}
/// KeyLength.
pub fn key_length(v: &View<'_>) -> ArrayRef {
    v.texts_of(LOGONS, &super::table(["0", "128"]), |r| {
        i32::from(package(v, r) == 1 && v.is(r, LOGON))
    })
}
/// ProcessName.
pub fn process_name(v: &View<'_>) -> ArrayRef {
    v.plain(LOGONS | OWNED, 30, |r, out| {
        if network_logon(v, r) {
            out.push(b'-');
            return true;
        }
        let path = &v.frame.process.path;
        match usize::try_from(path.keys[r]) {
            Ok(image) if path.keys[r] < path.known => {
                let image = v.maker.catalog.images[image].path.as_literal();
                out.extend_from_slice(image.unwrap_or("-").as_bytes());
            }
            Ok(_) => out.extend_from_slice(path.text(r).as_bytes()),
            Err(_) => out.push(b'-'),
        }
        true
    })
}
/// IpAddress: the client's; the domain controller's Kerberos writes it as IPv6 has it.
pub fn ip_address(v: &View<'_>) -> ArrayRef {
    v.plain(CLIENT, 14, |r, out| {
        match super::security::client(v, r) {
            Some(address) => {
                if v.is(r, KERBEROS) {
                    out.extend_from_slice(b"::ffff:");
                }
                out.extend_from_slice(v.maker.world.addresses.texts[address].as_bytes());
            }
            None if v.is(r, KERBEROS) => out.extend_from_slice(b"::1"),
            None => out.push(b'-'),
        }
        true
    })
}
/// IpPort.
pub fn ip_port(v: &View<'_>) -> ArrayRef {
    v.plain(CLIENT, 5, |r, out| {
        match v.frame.source_port[r] {
            NONE if v.is(r, KERBEROS) => out.push(b'0'),
            NONE => out.push(b'-'),
            port => out.extend_from_slice(port.to_string().as_bytes()),
        }
        true
    })
}
/// ImpersonationLevel: impersonation; delegation for services.
pub fn impersonation_level(v: &View<'_>) -> ArrayRef {
    v.texts_of(LOGON, &v.tables.words.get(IMPERSONATION), |r| {
        i32::from(package(v, r) == 0 && v.frame.salt[r] % 4 == 1)
    })
}
/// VirtualAccount: no.
pub fn virtual_account(v: &View<'_>) -> ArrayRef {
    v.constant(LOGON, &v.tables.words.get(NO))
}
/// TargetLinkedLogonId: no split token.
pub fn linked_logon_id(v: &View<'_>) -> ArrayRef {
    v.integers(LOGON, |_| Some(0))
}
/// ElevatedToken: yes.
pub fn elevated_token(v: &View<'_>) -> ArrayRef {
    v.constant(LOGON, &v.tables.words.get(YES))
}
