//! The envelope: provider, channel, event id, version and task.

use super::KEYWORDS;
use crate::columns::enrichment::counter;
use crate::columns::{Column, View};
use crate::ids::HostId;
use crate::kinds::{Provider, Telemetry as T, WINDOWS, Writer};

/// Whether the record is an audit failure.
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
    v.texts_by_kind(WINDOWS, |kind| kind.provider.channel().unwrap_or_default())
}
/// `winlog.provider_name`.
pub fn provider_name(v: &View<'_>) -> Column {
    v.texts_by_kind(WINDOWS, |kind| kind.provider.name().unwrap_or_default())
}
/// `winlog.provider_guid`.
pub fn provider_guid(v: &View<'_>) -> Column {
    v.texts_by_kind(WINDOWS, |kind| kind.provider.guid().unwrap_or_default())
}
/// `winlog.keywords`; in the Security channel, audit success or failure.
pub fn keywords(v: &View<'_>) -> Column {
    v.texts_of(WINDOWS, KEYWORDS.table(), |r| {
        let provider = v.frame.telemetry[r].kind().provider as i32;
        2 * provider + i32::from(is_failure(v, r))
    })
}
/// `winlog.opcode`.
pub fn opcode(v: &View<'_>) -> Column {
    v.texts_by_kind(WINDOWS, |kind| kind.provider.opcode())
}
/// `winlog.level`.
pub fn level(v: &View<'_>) -> Column {
    v.texts_by_kind(WINDOWS, |kind| kind.provider.level())
}
/// `winlog.event_id`.
pub fn event_id(v: &View<'_>) -> Column {
    v.integers_by_kind(WINDOWS, |kind| kind.code.parse().unwrap_or(0))
}
/// `winlog.version` of the event's schema.
pub fn version(v: &View<'_>) -> Column {
    v.integers_by_kind(WINDOWS, |kind| i64::from(kind.version))
}
/// `winlog.task`: the number.
pub fn task(v: &View<'_>) -> Column {
    v.integers_by_kind(WINDOWS, |kind| i64::from(kind.task.0))
}
/// `winlog.record_id`: never falls with time within a host's channel.
pub fn record_id(v: &View<'_>) -> Column {
    v.integers(WINDOWS, |r| {
        // Each channel has its own counter.
        let stream = match v.frame.telemetry[r].kind().provider {
            Provider::Sysmon => 1,
            Provider::System => 4,
            Provider::PowerShell => 5,
            _ => 2,
        };
        Some(counter(v, r, stream))
    })
}
/// `winlog.process.pid`: the pid of the service that writes the record, not of the subject.
pub fn service_pid(v: &View<'_>) -> Column {
    let writers = &v.tables.writers;
    let mut known = Services::new(v.len());
    v.integers(WINDOWS, |r| {
        let telemetry = v.frame.telemetry[r];
        let resident = match telemetry.kind().writer {
            Writer::Kernel => return Some(4),
            Writer::Subject => return Some(i64::from(v.frame.process.pid[r])),
            Writer::Resident(_) => writers[telemetry as usize]?,
        };
        let host = v.frame.host[r];
        let seconds = v.frame.time[r].div_euclid(1_000_000);
        Some(i64::from(known.pid(v, host, resident, seconds)))
    })
}

/// A service of a host during one boot.
#[derive(Clone, Copy)]
struct ServiceRun {
    host: HostId,
    resident: usize,
    from: i64,
    until: i64,
    pid: u32,
}

/// Cache of the services that wrote previous rows.
struct Services {
    /// Direct-mapped by host and resident.
    last: Vec<ServiceRun>,
}

impl Services {
    fn new(rows: usize) -> Self {
        let none = ServiceRun {
            host: HostId::default(),
            resident: 0,
            from: i64::MAX,
            until: i64::MIN,
            pid: 0,
        };
        Services {
            last: vec![none; rows.next_power_of_two().min(2048)],
        }
    }

    /// The pid of a host's service at a time in Unix seconds.
    fn pid(&mut self, v: &View<'_>, host: HostId, resident: usize, seconds: i64) -> u32 {
        let at = (host.index() * 4 + resident % 4) & (self.last.len() - 1);
        let known = &mut self.last[at];
        if (known.host, known.resident) != (host, resident)
            || !(known.from..known.until).contains(&seconds)
        {
            let world = &v.maker.world;
            let (from, until) = world.resident_span(&v.maker.catalog, host, resident, seconds);
            let pid = world.resident_pid(&v.maker.catalog, host, resident, seconds);
            *known = ServiceRun {
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
        // A service writes from few threads.
        let key = v.maker.world.host_key(v.frame.host[r]);
        Some(4 * (400 + key.below(0x7d ^ (v.frame.salt[r] & 3), 2400) as i64))
    })
}
