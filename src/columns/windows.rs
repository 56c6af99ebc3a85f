//! `winlog.*`: the envelope and one struct of event data.
//!
//! Field names, order and formats follow real Sysmon 13.30+ and Security records.
//! In `fusionai`, process ids and ports are integers and Security's hexadecimal
//! ids too; every other leaf is text.

use arrow::array::ArrayRef;

use super::enrichment::{counter, ends, write_utc_time};
use super::process::guid;
use super::{FILTERING, Kinds, SECURITY, SYSMON, View, WINDOWS, kinds};
use crate::catalog::Telemetry as T;
use crate::frame::NONE;
use crate::random::Key;
use crate::world::processes::write_logon_guid;

const CHANNELS: &str = "Microsoft-Windows-Sysmon/Operational|Security";
const PROVIDERS: &str = "Microsoft-Windows-Sysmon|Microsoft-Windows-Security-Auditing";
const PROVIDER_GUIDS: &str =
    "{5770385f-c22a-43e0-bf4c-06f5698ffbd9}|{54849625-5478-4994-a5ba-3e3b0328c30d}";
const KEYWORDS: &str = "0x8000000000000000|0x8020000000000000|0x8010000000000000";
const OPCODE: &str = "Info";
const LEVEL: &str = "information";
const DASH: &str = "-";
const EMPTY_GUID: &str = "{00000000-0000-0000-0000-000000000000}";
const BOOLEANS: &str = "false|true";
const FILTER_DIRECTIONS: &str = "%%14593|%%14592";
const LAYERS: &str = "%%14611|%%14610|%%14597";
const LAYER_IDS: &str = "48|44|13";
const SET_VALUE: &str = "SetValue";
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
    SET_VALUE,
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
const FILE: Kinds = kinds(&[T::FileCreate]);
const REGISTRY: Kinds = kinds(&[T::RegistrySet]);
const DNS: Kinds = kinds(&[T::DnsQuery]);
const LOGON: Kinds = kinds(&[T::Logon]);

fn is_security(v: &View<'_>, row: usize) -> i32 {
    i32::from(v.is(row, SECURITY))
}

/// `winlog.channel`.
pub fn channel(v: &View<'_>) -> ArrayRef {
    v.texts_of(WINDOWS, &v.tables.words.get(CHANNELS), |r| {
        is_security(v, r)
    })
}
/// `winlog.provider_name`.
pub fn provider_name(v: &View<'_>) -> ArrayRef {
    v.texts_of(WINDOWS, &v.tables.words.get(PROVIDERS), |r| {
        is_security(v, r)
    })
}
/// `winlog.provider_guid`.
pub fn provider_guid(v: &View<'_>) -> ArrayRef {
    v.texts_of(WINDOWS, &v.tables.words.get(PROVIDER_GUIDS), |r| {
        is_security(v, r)
    })
}
/// `winlog.keywords`: Sysmon's, audit success, audit failure.
pub fn keywords(v: &View<'_>) -> ArrayRef {
    v.texts_of(WINDOWS, &v.tables.words.get(KEYWORDS), |r| {
        match v.frame.telemetry[r] {
            T::ConnectionBlocked => 2,
            _ => is_security(v, r),
        }
    })
}
/// `winlog.opcode`.
pub fn opcode(v: &View<'_>) -> ArrayRef {
    v.constant(WINDOWS, &v.tables.words.get(OPCODE))
}
/// `winlog.level`.
pub fn level(v: &View<'_>) -> ArrayRef {
    v.constant(WINDOWS, &v.tables.words.get(LEVEL))
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
            T::ProcessCreation | T::NetworkConnection | T::DnsQuery => 5,
            T::ProcessTermination => 3,
            T::FileCreate | T::RegistrySet | T::Logon => 2,
            _ => 1,
        })
    })
}
/// `winlog.task`: Sysmon's equals the event id.
pub fn task(v: &View<'_>) -> ArrayRef {
    v.integers(WINDOWS, |r| {
        Some(match v.frame.telemetry[r] {
            T::Logon => 12_544,
            T::ConnectionPermitted | T::ConnectionBlocked => 12_810,
            other => id(other),
        })
    })
}
/// `winlog.record_id`: never falls with time on a host's channel.
pub fn record_id(v: &View<'_>) -> ArrayRef {
    v.integers(WINDOWS, |r| {
        Some(counter(v, r, 1 + is_security(v, r) as u64, 16_000))
    })
}
/// `winlog.process.pid`: the writing service's, never the subject's.
pub fn service_pid(v: &View<'_>) -> ArrayRef {
    let sysmon = v.maker.catalog.resident("sysmon");
    let lsass = v.maker.catalog.resident("lsass");
    v.integers(WINDOWS, |r| {
        let resident = match v.frame.telemetry[r] {
            T::Logon => lsass,
            T::ConnectionPermitted | T::ConnectionBlocked => return Some(4),
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
    v.constant(SYSMON, &v.tables.words.get(DASH))
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
    v.plain(SYSMON, 38, |r, out| guid(v, &v.frame.process, r, out))
}
/// ProcessId: Sysmon's, 5156's ProcessID and 4624's ProcessId (0: none).
pub fn process_id(v: &View<'_>) -> ArrayRef {
    v.integers(WINDOWS, |r| {
        Some(if network_logon(v, r) {
            0
        } else {
            i64::from(v.frame.process.pid[r])
        })
    })
}
/// Image.
pub fn image(v: &View<'_>) -> ArrayRef {
    v.own(SYSMON, &v.frame.process.path, Some(&v.tables.image_path))
}
/// User, as `NETBIOS\name`.
pub fn user(v: &View<'_>) -> ArrayRef {
    v.texts_of(SYSMON, &v.tables.account_qualified, |r| {
        v.frame.process.account[r]
    })
}

fn by_image(v: &View<'_>, values: &ArrayRef) -> ArrayRef {
    v.texts_of(CREATE, values, |r| v.frame.process.image[r])
}

/// FileVersion: the host's build for what ships with Windows.
pub fn file_version(v: &View<'_>) -> ArrayRef {
    let systems = v.maker.world.hosts.systems.len() as i32;
    v.texts_of(CREATE, &v.tables.file_version, |r| {
        let os = i32::from(v.maker.world.hosts[v.frame.host[r] as u32].os);
        v.frame.process.image[r] * systems + os
    })
}
/// Description.
pub fn description(v: &View<'_>) -> ArrayRef {
    by_image(v, &v.tables.description)
}
/// Product.
pub fn product(v: &View<'_>) -> ArrayRef {
    by_image(v, &v.tables.product)
}
/// Company.
pub fn company(v: &View<'_>) -> ArrayRef {
    by_image(v, &v.tables.company)
}
/// OriginalFileName.
pub fn original_file_name(v: &View<'_>) -> ArrayRef {
    by_image(v, &v.tables.original_file_name)
}
/// CommandLine.
pub fn command_line(v: &View<'_>) -> ArrayRef {
    v.own(
        CREATE,
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
    v.plain(CREATE | LOGON, 38, |r, out| {
        if v.frame.telemetry[r] == T::ProcessCreation {
            let prefix = v.maker.world.hosts[v.frame.host[r] as u32].guid_prefix;
            write_logon_guid(out, prefix, session(v, r));
        } else {
            // Kerberos' ticket; NTLM has none. Random as real ones are, and the same for one logon.
            let key = Key::root(session(v, r).id).with(v.frame.host[r] as u64);
            if package(v, r) == 0 {
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
    v.own(CREATE, &v.frame.hashes, Some(&v.tables.hashes))
}
/// ParentProcessGuid.
pub fn parent_process_guid(v: &View<'_>) -> ArrayRef {
    v.plain(CREATE, 38, |r, out| guid(v, &v.frame.parent, r, out))
}
/// ParentProcessId.
pub fn parent_process_id(v: &View<'_>) -> ArrayRef {
    v.integers(CREATE, |r| Some(i64::from(v.frame.parent.pid[r])))
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
    v.plain(FILE, 23, |r, out| {
        write_utc_time(out, v.frame.native[r]);
        true
    })
}
/// EventType.
pub fn event_type(v: &View<'_>) -> ArrayRef {
    v.constant(REGISTRY, &v.tables.words.get(SET_VALUE))
}
/// TargetObject.
pub fn target_object(v: &View<'_>) -> ArrayRef {
    v.own(REGISTRY, &v.frame.registry, None)
}
/// Details.
pub fn details(v: &View<'_>) -> ArrayRef {
    v.own(REGISTRY, &v.frame.details, None)
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
    v.frame.telemetry[row] == T::Logon && v.frame.logon_type[row] == 3
}
/// 0 Kerberos, 1 NTLM, 2 Negotiate.
fn package(v: &View<'_>, row: usize) -> i32 {
    match v.frame.logon_type[row] {
        3 => i32::from(v.frame.salt[row].is_multiple_of(9)),
        _ => 2,
    }
}
fn subject_is_system(v: &View<'_>, row: usize) -> bool {
    !network_logon(v, row)
}
/// SubjectUserSid.
pub fn subject_user_sid(v: &View<'_>) -> ArrayRef {
    v.texts_of(LOGON, &super::table([NULL_SID, "S-1-5-18"]), |r| {
        i32::from(subject_is_system(v, r))
    })
}
/// SubjectUserName: the machine account, where a local process logged the user on.
pub fn subject_user_name(v: &View<'_>) -> ArrayRef {
    v.plain(LOGON, 12, |r, out| {
        if subject_is_system(v, r) {
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
    let values = super::table(["-", v.maker.world.domain.netbios.as_str()]);
    v.texts_of(LOGON, &values, |r| i32::from(subject_is_system(v, r)))
}
/// SubjectLogonId, a number.
pub fn subject_logon_id(v: &View<'_>) -> ArrayRef {
    v.integers(LOGON, |r| {
        Some(if subject_is_system(v, r) { 0x3e7 } else { 0 })
    })
}
/// TargetUserSid.
pub fn target_user_sid(v: &View<'_>) -> ArrayRef {
    v.texts_of(LOGON, &v.tables.account_sid, |r| v.frame.user[r])
}
/// TargetUserName.
pub fn target_user_name(v: &View<'_>) -> ArrayRef {
    v.texts_of(LOGON, &v.tables.account_name, |r| v.frame.user[r])
}
/// TargetDomainName: the realm with Kerberos, NetBIOS otherwise.
pub fn target_domain_name(v: &View<'_>) -> ArrayRef {
    let domain = &v.maker.world.domain;
    let values = super::table([
        domain.dns.to_uppercase().as_str(),
        domain.netbios.as_str(),
        "NT AUTHORITY",
    ]);
    v.texts_of(LOGON, &values, |r| match (v.frame.user[r], package(v, r)) {
        (0..=2, _) => 2,
        (_, 0) => 0,
        _ => 1,
    })
}
/// TargetLogonId, a number: the session that opens.
pub fn target_logon_id(v: &View<'_>) -> ArrayRef {
    v.integers(LOGON, |r| Some(v.frame.process.session_id[r] as i64))
}
/// LogonType.
pub fn logon_type(v: &View<'_>) -> ArrayRef {
    v.texts_of(LOGON, &v.tables.words.get(LOGON_TYPES), |r| {
        i32::from(v.frame.logon_type[r].min(11))
    })
}
/// LogonProcessName, blank-padded as LSA registers it.
pub fn logon_process_name(v: &View<'_>) -> ArrayRef {
    v.texts_of(LOGON, &v.tables.words.get(LOGON_PROCESSES), |r| {
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
    v.texts_of(LOGON, &v.tables.words.get(PACKAGES), |r| package(v, r))
}
/// WorkstationName: the client's with NTLM, the host's own for local logons.
pub fn workstation_name(v: &View<'_>) -> ArrayRef {
    v.plain(LOGON, 10, |r, out| {
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
/// LmPackageName.
pub fn lm_package_name(v: &View<'_>) -> ArrayRef {
    v.texts_of(LOGON, &super::table(["-", "NTLM V2"]), |r| {
        i32::from(package(v, r) == 1)
    })
}
/// KeyLength.
pub fn key_length(v: &View<'_>) -> ArrayRef {
    v.texts_of(LOGON, &super::table(["0", "128"]), |r| {
        i32::from(package(v, r) == 1)
    })
}
/// ProcessName.
pub fn process_name(v: &View<'_>) -> ArrayRef {
    v.plain(LOGON, 30, |r, out| {
        let path = usize::try_from(v.frame.process.image[r])
            .ok()
            .and_then(|i| v.maker.catalog.images[i].path.as_literal());
        match path {
            Some(path) if !network_logon(v, r) => out.extend_from_slice(path.as_bytes()),
            _ => out.push(b'-'),
        }
        true
    })
}
/// IpAddress.
pub fn ip_address(v: &View<'_>) -> ArrayRef {
    v.plain(LOGON, 14, |r, out| {
        match usize::try_from(v.frame.source[r]) {
            Ok(address) => out.extend_from_slice(v.maker.world.addresses.texts[address].as_bytes()),
            Err(_) => out.push(b'-'),
        }
        true
    })
}
/// IpPort.
pub fn ip_port(v: &View<'_>) -> ArrayRef {
    v.plain(LOGON, 5, |r, out| {
        match v.frame.source_port[r] {
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
