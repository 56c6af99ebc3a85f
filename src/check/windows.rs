//! Audits of Windows records: Sysmon, Security, System, PowerShell.

use super::audits::{Audit as A, Tallies, shown};
use super::facts::Facts;
use super::fields::{EventRow, Field as F};
use super::records::{Guid, utc};
use super::rows::{is_own, is_windows_image};
use crate::catalog::INTEGRITY_LEVELS;

/// Sysmon's provider.
pub(super) const SYSMON: &str = "Microsoft-Windows-Sysmon";

/// Audits one Windows record.
pub fn audit(facts: &Facts, row: &EventRow<'_>, tallies: &mut Tallies) {
    let Some(id) = row.integer(F::EventId) else {
        return;
    };
    let sysmon = row.text(F::Provider) == Some(SYSMON);
    envelope(facts, row, id, sysmon, tallies);
    pids(row, sysmon, tallies);
    account(row, id, sysmon, tallies);
    if sysmon {
        texts(row, id, tallies);
        times(row, id, tallies);
        if id == 1 {
            start(row, tallies);
        }
        if id == 3 {
            connection(row, tallies);
        }
    } else {
        security(row, id, tallies);
    }
}

fn envelope(facts: &Facts, row: &EventRow<'_>, id: i64, sysmon: bool, tallies: &mut Tallies) {
    let (envelope, fields) = match sysmon {
        true => (A::SysmonEnvelope, A::SysmonFields),
        false => (A::SecurityEnvelope, A::SecurityFields),
    };
    let record = facts.records.get(&id);
    let right = record.is_some_and(|record| {
        row.text(F::Provider) == Some(&record.provider)
            && row.text(F::ProviderGuid) == Some(&record.guid)
            && row.text(F::Channel) == Some(&record.channel)
            && row
                .integer(F::Version)
                .is_some_and(|v| record.versions.contains(&v))
            && record.has_task(row)
            && record.keywords.iter().any(|known| row.is_keywords(known))
    });
    tallies.row(envelope, row, right, || {
        let found = [
            F::Provider,
            F::ProviderGuid,
            F::Channel,
            F::Version,
            F::Task,
            F::Keywords,
        ]
        .map(|f| row.shown(f).unwrap_or_default());
        let expected = record.map_or_else(
            || format!("a known event id, not {id}"),
            |r| {
                format!(
                    "{}, {}, {}, {:?}, {:?} {:?}, {:?}",
                    r.provider,
                    r.guid,
                    r.channel,
                    r.versions,
                    r.tasks,
                    r.tasks
                        .iter()
                        .filter_map(|t| r.names.get(t))
                        .collect::<Vec<_>>(),
                    r.keywords
                )
            },
        );
        (expected, found.join(", "))
    });
    let Some(record) = record else { return };
    let right = row.has_exactly(id, &record.fields);
    tallies.row(fields, row, right, || {
        let there: Vec<&str> = row.event_data().collect();
        let missing: Vec<&str> = record
            .fields
            .iter()
            .map(String::as_str)
            .filter(|f| !there.contains(f))
            .collect();
        let more: Vec<&str> = there
            .iter()
            .copied()
            .filter(|name| !record.fields.iter().any(|f| f == name))
            .collect();
        (
            format!("the {} fields of event {id}", record.fields.len()),
            format!("missing {missing:?}, more {more:?}"),
        )
    });
}

fn pids(row: &EventRow<'_>, sysmon: bool, tallies: &mut Tallies) {
    let fields = [
        F::Pid,
        F::ParentPid,
        F::ProcessId,
        F::ParentProcessId,
        F::SourceProcessId,
        F::TargetProcessId,
        F::ServicePid,
    ];
    let pids = fields.map(|f| row.integer(f));
    if pids.iter().all(Option::is_none) {
        return;
    }
    // The null GUID is that of a process that Sysmon does not know.
    let known = row.text(F::ProcessGuid).and_then(Guid::parse);
    let is_known = sysmon && known.is_some_and(|guid| !guid.is_zero());
    let right = pids.iter().flatten().all(|pid| *pid >= 0 && pid % 4 == 0)
        && !(is_known && row.integer(F::ProcessId) == Some(0));
    tallies.row(A::NumbersPid, row, right, || {
        (
            "multiples of 4, not 0".into(),
            format!("{:?}", pids.iter().flatten().collect::<Vec<_>>()),
        )
    });
}

/// The SID of the local system.
pub const SYSTEM_SID: &str = "S-1-5-18";

/// Names of the local system in a host's records.
pub fn is_system(row: &EventRow<'_>, name: &str) -> bool {
    name == "SYSTEM"
        || name
            .strip_suffix('$')
            .is_some_and(|host| row.text(F::HostName) == Some(host))
}

fn account(row: &EventRow<'_>, id: i64, sysmon: bool, tallies: &mut Tallies) {
    let user = row.text(F::UserName);
    let found: Vec<&str> = if sysmon {
        let name = row.text(F::User).or(row.text(F::SourceUser));
        name.and_then(|n| n.rsplit('\\').next())
            .into_iter()
            .collect()
    } else {
        [F::SubjectUserName, F::TargetUserName]
            .iter()
            .filter_map(|f| row.text(*f))
            .map(|n| n.split('@').next().unwrap_or(n))
            .collect()
    };
    if found.is_empty() {
        return;
    }
    // If the local system acts, Security has its SID, but the name of the machine account.
    let system = row.text(F::SubjectUserSid) == Some(SYSTEM_SID)
        && row
            .text(F::SubjectUserName)
            .is_some_and(|n| is_system(row, n));
    let right = user.is_some_and(|user| found.contains(&user) || system && user == "SYSTEM");
    tallies.row(A::IdentityAccount, row, right, || {
        (format!("one of {found:?} in event {id}"), shown(user))
    });
}

fn is_hexadecimal(text: &str, length: usize) -> bool {
    text.len() == length
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b))
}

const PREFIXED: &str = "0x and lower-case hexadecimal";

/// Whether a text is hexadecimal like `0x3e7`.
fn is_prefixed(text: &str) -> bool {
    text.strip_prefix("0x").is_some_and(|digits| {
        !digits.is_empty()
            && digits
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

fn is_decimal(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_hashes(text: &str) -> bool {
    const LENGTHS: [(&str, usize); 4] =
        [("SHA1", 40), ("MD5", 32), ("SHA256", 64), ("IMPHASH", 32)];
    let mut last = None;
    text.split(',').all(|part| {
        let Some((name, value)) = part.split_once('=') else {
            return false;
        };
        let at = LENGTHS.iter().position(|(n, _)| *n == name);
        let grows = at > last;
        last = at;
        at.is_some_and(|at| grows && is_hexadecimal(value, LENGTHS[at].1))
    })
}

fn is_query_results(text: &str) -> bool {
    text == "-"
        || text.strip_suffix(';').is_some_and(|list| {
            list.split(';')
                .all(|item| match item.strip_prefix("type:  ") {
                    Some(rest) => rest.split_once(' ').is_some_and(|(n, name)| {
                        n.parse::<u16>().is_ok() && !name.trim().is_empty()
                    }),
                    None => item
                        .parse::<std::net::IpAddr>()
                        .is_ok_and(|ip| ip.is_ipv6()),
                })
        })
}

fn texts(row: &EventRow<'_>, id: i64, tallies: &mut Tallies) {
    let guid = |text: &str| Guid::parse(text).is_some();
    let yes_no = |text: &str| ["true", "false"].contains(&text);
    let decimal = |text: &str| is_decimal(text);
    type Shape<'s> = (F, &'static str, &'s dyn Fn(&str) -> bool);
    let shapes: [Shape<'_>; 21] = [
        (F::UtcTime, "YYYY-MM-DD HH:MM:SS.mmm", &|t| utc(t).is_some()),
        (F::CreationTime, "YYYY-MM-DD HH:MM:SS.mmm", &|t| {
            utc(t).is_some()
        }),
        (F::ProcessGuid, "{8-4-4-4-12} in lower case", &guid),
        (F::ParentProcessGuid, "{8-4-4-4-12} in lower case", &guid),
        (F::SourceProcessGuid, "{8-4-4-4-12} in lower case", &guid),
        (F::TargetProcessGuid, "{8-4-4-4-12} in lower case", &guid),
        (F::LogonGuid, "{8-4-4-4-12} in lower case", &guid),
        (F::LogonId, PREFIXED, &is_prefixed),
        // A number in one schema, text in the other.
        (F::ProcessId, "a decimal", &decimal),
        (F::ParentProcessId, "a decimal", &decimal),
        (F::FlowSourcePort, "a decimal", &decimal),
        (F::FlowDestinationPort, "a decimal", &decimal),
        (F::IntegrityLevel, "the name of an integrity level", &|t| {
            INTEGRITY_LEVELS.contains(&t)
        }),
        (F::Hashes, "SHA1=…,MD5=…,SHA256=…,IMPHASH=…", &is_hashes),
        (F::FlowProtocol, "tcp or udp", &|t| {
            ["tcp", "udp"].contains(&t)
        }),
        (F::Initiated, "true or false", &yes_no),
        (F::User, r"DOMAIN\user", &|t| {
            t == "-" || t.split('\\').filter(|p| !p.is_empty()).count() == 2
        }),
        (F::Image, "a path", &is_windows_image),
        (
            F::TargetObject,
            r"HKLM\, HKU\, HKCR\ or \REGISTRY\A\",
            &|t| {
                [r"HKLM\", r"HKU\", r"HKCR\", r"\REGISTRY\A\"]
                    .iter()
                    .any(|p| t.starts_with(p))
            },
        ),
        (
            F::QueryResults,
            "- or a list that ends with ;",
            &is_query_results,
        ),
        (F::EventType, "a word of the event id", &|t| match id {
            12 => ["CreateKey", "DeleteKey", "DeleteValue"].contains(&t),
            13 => t == "SetValue",
            17 => t == "CreatePipe",
            18 => t == "ConnectPipe",
            19 => t == "WmiFilterEvent",
            20 => t == "WmiConsumerEvent",
            21 => t == "WmiBindingEvent",
            _ => true,
        }),
    ];
    let wrong = shapes
        .iter()
        .find(|(field, _, shape)| row.text(*field).is_some_and(|text| !shape(text)));
    tallies.row(A::SysmonFormats, row, wrong.is_none(), || {
        let (field, shape, _) = wrong.unwrap_or(&shapes[0]);
        (
            format!("{} as {shape}", field.path(row.ecs())),
            shown(row.text(*field)),
        )
    });
}

/// The system tick of Windows in microseconds, with which Sysmon's kinds from the kernel are stamped; and
/// a millisecond, to which `UtcTime` is cut.
pub(super) const TICK: i64 = 15_625 + 1_000;

/// Maximum milliseconds by which the log's time is later. Real logs have a long tail for events 3 and 22;
/// this generator's are at most some 2 s.
fn longest_lag(id: i64) -> i64 {
    match id {
        3 => 6_500,
        22 => 7_500,
        _ => 600,
    }
}

fn times(row: &EventRow<'_>, id: i64, tallies: &mut Tallies) {
    let (Some(time), Some(text)) = (row.integer(F::Time), row.text(F::UtcTime)) else {
        return;
    };
    let Some(native) = utc(text) else { return };
    let lag = time - native;
    // UtcTime is cut to milliseconds.
    let right = (0..=longest_lag(id) * 1_000 + 1_000).contains(&lag);
    tallies.row(A::TimeLag, row, right, || {
        (
            format!("0 to {} ms for event {id}", longest_lag(id)),
            format!("{} ms", lag as f64 / 1e3),
        )
    });
    for field in [F::ProcessGuid, F::SourceProcessGuid, F::TargetProcessGuid] {
        let Some(guid) = row.text(field).and_then(Guid::parse) else {
            continue;
        };
        if guid.is_zero() {
            continue;
        }
        // Most kinds have the time of the tick before they happen, event 1 its own.
        let late = if [1, 3, 22].contains(&id) { 0 } else { TICK };
        tallies.row(
            A::TimeStart,
            row,
            native + late >= guid.seconds * 1_000_000,
            || {
                (
                    format!("not before the start in {}", row.text(field).unwrap_or("")),
                    text.into(),
                )
            },
        );
    }
}

/// Event 1.
fn start(row: &EventRow<'_>, tallies: &mut Tallies) {
    let (Some(own), Some(native)) = (
        row.text(F::ProcessGuid).and_then(Guid::parse),
        row.text(F::UtcTime).and_then(utc),
    ) else {
        return;
    };
    let second = native.div_euclid(1_000_000);
    tallies.row(A::SysmonGuidTime, row, own.seconds == second, || {
        (
            format!("{:08x} as the time in the GUID", second),
            shown(row.text(F::ProcessGuid)),
        )
    });
    if let Some(parent) = row.text(F::ParentProcessGuid).and_then(Guid::parse) {
        let right = parent.is_zero()
            || (parent.prefix == own.prefix && parent.seconds <= own.seconds && parent != own);
        tallies.row(A::SysmonParent, row, right, || {
            (
                format!(
                    "an older process of {}",
                    row.text(F::ProcessGuid).unwrap_or("")
                ),
                shown(row.text(F::ParentProcessGuid)),
            )
        });
    }
    if let (Some(logon), Some(id)) = (
        row.text(F::LogonGuid).and_then(Guid::parse),
        row.integer(F::LogonId),
    ) {
        let right = logon.prefix == own.prefix && logon.tail == id as u64;
        tallies.row(A::SysmonLogonGuid, row, right, || {
            (
                format!("{:08x} first and {id:#x} last", own.prefix),
                shown(row.text(F::LogonGuid)),
            )
        });
    }
}

/// Event 3.
fn connection(row: &EventRow<'_>, tallies: &mut Tallies) {
    let source = row.text(F::FlowSourceIp);
    if let (Some(initiated), Some(source)) = (row.text(F::Initiated), source)
        && row.has(F::HostIp)
    {
        let own = is_own(row, source);
        tallies.row(
            A::IdentityInitiated,
            row,
            (initiated == "true") == own,
            || {
                (
                    format!("'{own}' for {source} on {}", shown(row.shown(F::HostIp))),
                    shown(Some(initiated)),
                )
            },
        );
    }
    // The packet that triggered the alert came from the server, so the event's ends are swapped.
    let (source, source_port, destination, destination_port) =
        match row.text(F::SensorDirection) == Some("to_client") {
            true if row.text(F::FlowSourceIp) == row.text(F::DestinationIp) => (
                F::DestinationIp,
                F::DestinationPort,
                F::SourceIp,
                F::SourcePort,
            ),
            _ => (
                F::SourceIp,
                F::SourcePort,
                F::DestinationIp,
                F::DestinationPort,
            ),
        };
    let pairs = [
        (F::FlowSourceIp, source),
        (F::FlowDestinationIp, destination),
        (F::FlowSourcePort, source_port),
        (F::FlowDestinationPort, destination_port),
        (F::FlowProtocol, F::Protocol),
    ];
    let wrong = pairs
        .iter()
        .find(|(native, event)| row.shown(*native) != row.shown(*event));
    tallies.row(A::NumbersFlow, row, wrong.is_none(), || {
        let (native, event) = wrong.unwrap_or(&pairs[0]);
        (
            format!("{} {}", event.path(row.ecs()), shown(row.shown(*event))),
            format!("{} {}", native.path(row.ecs()), shown(row.shown(*native))),
        )
    });
}

/// Whether a text is a SID: `S-1-` and numbers.
fn is_sid(text: &str) -> bool {
    text.strip_prefix("S-1-").is_some_and(|rest| {
        rest.split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
    })
}

/// NTSTATUS codes of failed logons, as Windows defines them; not all appear in real 4625 records.
const STATUSES: [&str; 16] = [
    "0xc000006d",
    "0xc000006a",
    "0xc0000064",
    "0xc000006e",
    "0xc000006f",
    "0xc0000070",
    "0xc0000071",
    "0xc0000072",
    "0xc0000133",
    "0xc000015b",
    "0xc0000193",
    "0xc0000224",
    "0xc0000225",
    "0xc0000234",
    "0xc0000413",
    "0x0",
];

/// Records of the filtering platform, which have decimal pids.
const FILTERING: [i64; 2] = [5156, 5157];

fn security(row: &EventRow<'_>, id: i64, tallies: &mut Tallies) {
    let mut wrong: Option<(F, &'static str)> = None;
    for field in [F::SubjectUserSid, F::TargetUserSid] {
        if row.text(field).is_some_and(|sid| !is_sid(sid)) {
            wrong = Some((field, "a SID"));
        }
    }
    // A number in one schema; in the other, text as Windows formats it.
    for field in [F::SubjectLogonId, F::TargetLogonId] {
        if row.text(field).is_some_and(|text| !is_prefixed(text)) {
            wrong = Some((field, PREFIXED));
        }
    }
    if let Some(pid) = row.text(F::ProcessId) {
        let (right, shape) = match FILTERING.contains(&id) {
            true => (is_decimal(pid), "a decimal"),
            false => (is_prefixed(pid), PREFIXED),
        };
        if !right {
            wrong = Some((F::ProcessId, shape));
        }
    }
    if let Some(kind) = row.integer(F::LogonType)
        && !matches!(kind, 0 | 2 | 3 | 4 | 5 | 7 | 8 | 9 | 10 | 11)
    {
        wrong = Some((F::LogonType, "a logon type"));
    }
    if id == 4625 {
        for field in [F::Status, F::SubStatus] {
            if !row.text(field).is_some_and(|s| STATUSES.contains(&s)) {
                wrong = Some((field, "the NTSTATUS of a failed logon, in lower case"));
            }
        }
    }
    // The keywords show whether the audited action succeeded.
    let failure = row.text(F::Outcome) == Some("failure");
    if row.is_failed_audit() && !failure {
        wrong = Some((F::Keywords, "audit success, as the outcome says"));
    }
    tallies.row(A::SecurityFormats, row, wrong.is_none(), || {
        let (field, shape) = wrong.unwrap_or((F::Keywords, ""));
        (
            format!("{} as {shape}", field.path(row.ecs())),
            shown(row.shown(field)),
        )
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_of_their_shape() {
        assert!(
            is_query_results("type:  5 a.example;::ffff:1.2.3.4;") && !is_query_results("1.2.3.4")
        );
        assert!(is_hashes(&format!("MD5={}", "A".repeat(32))) && !is_hashes("MD5=A"));
        assert!(is_prefixed("0x3e7") && !is_prefixed("0x3E7") && !is_prefixed("999"));
    }
}
