//! The envelope: who wrote the record, where it went, its id, version and task.

use super::{CHANNELS, KEYWORDS, LEVEL, OPCODE, PROVIDER_GUIDS, PROVIDERS};
use crate::catalog::Telemetry as T;
use crate::columns::enrichment::counter;
use crate::columns::{Column, SECURITY, View, WINDOWS, holds};

fn provider(kind: T) -> i32 {
    match kind {
        T::ServiceCreated => 2,
        T::ScriptBlock => 3,
        T::LogCleared => 4,
        kind => i32::from(holds(SECURITY, kind)),
    }
}
fn channel_index(kind: T) -> i32 {
    match provider(kind) {
        4 => 1,
        other => other,
    }
}
/// The audit failed.
pub(in crate::columns) fn is_failure(v: &View<'_>, row: usize) -> bool {
    match v.frame.telemetry[row] {
        telemetry if telemetry.is_failure() => true,
        T::CredentialValidated | T::TicketRequested | T::ServiceTicket => {
            !v.frame.success[row] && !v.frame.blocked[row]
        }
        _ => false,
    }
}

/// `winlog.channel`.
pub fn channel(v: &View<'_>) -> Column {
    v.texts_by_kind(WINDOWS, &v.tables.words.get(CHANNELS), channel_index)
}
/// `winlog.provider_name`.
pub fn provider_name(v: &View<'_>) -> Column {
    v.texts_by_kind(WINDOWS, &v.tables.words.get(PROVIDERS), provider)
}
/// `winlog.provider_guid`.
pub fn provider_guid(v: &View<'_>) -> Column {
    v.texts_by_kind(WINDOWS, &v.tables.words.get(PROVIDER_GUIDS), provider)
}
/// `winlog.keywords`: Sysmon's, audit success, audit failure, classic, none, a cleared log's.
pub fn keywords(v: &View<'_>) -> Column {
    v.texts_of(WINDOWS, &v.tables.words.get(KEYWORDS), |r| {
        match provider(v.frame.telemetry[r]) {
            1 => 1 + i32::from(is_failure(v, r)),
            0 => 0,
            other => other + 1,
        }
    })
}
/// `winlog.opcode`.
pub fn opcode(v: &View<'_>) -> Column {
    v.texts_by_kind(WINDOWS, &v.tables.words.get(OPCODE), |kind| {
        i32::from(provider(kind) == 3)
    })
}
/// `winlog.level`.
pub fn level(v: &View<'_>) -> Column {
    v.texts_by_kind(WINDOWS, &v.tables.words.get(LEVEL), |kind| {
        i32::from(provider(kind) == 3)
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
        T::ProcessExited => 4689,
        _ => 0,
    }
}

/// `winlog.event_id`.
pub fn event_id(v: &View<'_>) -> Column {
    v.integers_by_kind(WINDOWS, id)
}
/// `winlog.version` of the event's schema.
pub fn version(v: &View<'_>) -> Column {
    v.integers_by_kind(WINDOWS, |kind| match kind {
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
        | T::ProcessExited
        | T::ServiceCreated => 0,
        _ => 1,
    })
}
/// `winlog.task`: Sysmon's equals the event id.
pub fn task(v: &View<'_>) -> Column {
    v.integers_by_kind(WINDOWS, |kind| match kind {
        T::Logon | T::LogonFailed | T::ExplicitLogon => 12_544,
        T::ConnectionPermitted | T::ConnectionBlocked => 12_810,
        T::Logoff => 12_545,
        T::SpecialLogon => 12_548,
        T::HandleRequested | T::ObjectAccess => 12_800,
        T::ProcessCreated => 13_312,
        T::ProcessExited => 13_313,
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
}
/// `winlog.record_id`: never falls with time on a host's channel.
pub fn record_id(v: &View<'_>) -> Column {
    v.integers(WINDOWS, |r| {
        let stream = [1, 2, 4, 5][channel_index(v.frame.telemetry[r]) as usize];
        Some(counter(v, r, stream))
    })
}
/// `winlog.process.pid`: the writing service's, never the subject's.
pub fn service_pid(v: &View<'_>) -> Column {
    let sysmon = v.maker.catalog.resident("sysmon");
    let lsass = v.maker.catalog.resident("lsass");
    let services = v.maker.catalog.resident("services");
    let mut known = Services::new(v.len());
    v.integers(WINDOWS, |r| {
        let resident = match v.frame.telemetry[r] {
            T::ConnectionPermitted
            | T::ConnectionBlocked
            | T::HandleRequested
            | T::ObjectAccess
            | T::ProcessCreated
            | T::ProcessExited
            | T::ShareAccess
            | T::ShareCheck => return Some(4),
            T::ScriptBlock => return Some(i64::from(v.frame.process.pid[r])),
            T::ServiceCreated | T::LogCleared => services,
            _ if v.is(r, SECURITY) => lsass,
            _ => sysmon,
        }?;
        let host = v.frame.host[r] as u32;
        let seconds = v.frame.time[r].div_euclid(1_000_000);
        Some(i64::from(known.pid(v, host, resident, seconds)))
    })
}

/// A service of a host, from one boot to the next.
#[derive(Clone, Copy)]
struct Service {
    host: u32,
    resident: usize,
    from: i64,
    until: i64,
    pid: u32,
}

/// The services that rows before were written by.
struct Services {
    /// By host, as far as there is room.
    last: Vec<Service>,
}

impl Services {
    fn new(rows: usize) -> Self {
        let none = Service {
            host: 0,
            resident: 0,
            from: i64::MAX,
            until: i64::MIN,
            pid: 0,
        };
        Services {
            last: vec![none; rows.next_power_of_two().min(2048)],
        }
    }

    /// The pid of a boot's service at a time, Unix seconds.
    fn pid(&mut self, v: &View<'_>, host: u32, resident: usize, seconds: i64) -> u32 {
        let at = (host as usize * 4 + resident % 4) & (self.last.len() - 1);
        let known = &mut self.last[at];
        if (known.host, known.resident) != (host, resident)
            || !(known.from..known.until).contains(&seconds)
        {
            let world = &v.maker.world;
            let (from, until) = world.resident_span(&v.maker.catalog, host, resident, seconds);
            let pid = world.resident_pid(&v.maker.catalog, host, resident, seconds);
            *known = Service {
                host,
                resident,
                from,
                until,
                pid,
            };
        }
        known.pid
    }
}
/// `winlog.process.thread_id`.
pub fn thread_id(v: &View<'_>) -> Column {
    v.integers(WINDOWS, |r| {
        // A service logs from few threads.
        let key = v.maker.world.host_key(v.frame.host[r] as u32);
        Some(4 * (400 + key.below(0x7d ^ (v.frame.salt[r] & 3), 2400) as i64))
    })
}
