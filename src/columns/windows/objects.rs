//! Event data of files, registry values and DNS queries.

use super::{
    DNS, EVENT_TYPES, FILE, GIVEN_TYPE, NEW_FILE, REGISTRY, REGISTRY_SET, SET_BACK, STATUSES, TYPED,
};
use crate::columns::enrichment::TimeWriter;
use crate::columns::sysmon::set_back;
use crate::columns::{Column, View};
use crate::frame::NONE;
use crate::kinds::Telemetry as T;
use crate::random::Key;

/// Domains of content networks and clouds, to which names of services are aliases.
const CLOUDS: [&str; 8] = [
    "trafficmanager.net",
    "akamaiedge.net",
    "cloudfront.net",
    "azurefd.net",
    "cloudapp.azure.com",
    "fastly.net",
    "edgekey.net",
    "awsglobalaccelerator.com",
];

/// Calls `each` with the aliases (CNAME) of the name that a row asks for, from the first to the last: none
/// for most names, and always the same for one name.
pub(in crate::columns) fn each_alias(v: &View<'_>, row: usize, mut each: impl FnMut(&str)) {
    let address = v.frame.answer[row];
    let name = v.frame.query.text(row);
    let is_outside = u32::try_from(address).is_ok_and(|a| !v.maker.world.addresses.is_inside(a));
    if !is_outside || v.frame.chain[row] != NONE {
        return;
    }
    let key = Key::root(0xc4a3).child(name);
    let links = match key.below(0, 100) {
        0..=21 => 1,
        22..=32 => 2,
        33..=36 => 3,
        _ => 0,
    };
    let stem = (name.split('.').find(|label| label.len() > 3)).unwrap_or("www");
    for link in 0..links {
        let cloud = CLOUDS[key.below(2 * link + 1, CLOUDS.len() as u64) as usize];
        let number = key.at(2 * link + 2);
        let nth = (number >> 8) as usize % 4;
        each(&match number & 3 {
            0 => format!("{stem}-prod.{cloud}"),
            1 => format!(
                "e{}.dsc{}.{cloud}",
                1000 + (number >> 10) % 60_000,
                ["a", "b", "g", "x"][nth]
            ),
            2 => format!("{stem}.{}.{cloud}", ["weu", "neu", "eus", "frc"][nth]),
            _ => format!("d{:010x}.{cloud}", (number >> 8) & 0xff_ffff_ffff),
        });
    }
}

/// TargetFilename.
pub fn target_filename(v: &View<'_>) -> Column {
    v.own(FILE, &v.frame.file, None)
}
/// Endings of files that programs write again and again.
const KEPT: [&str; 7] = [
    ".pf",
    ".chk",
    "\\edb.log",
    "lastalive0.dat",
    "lastalive1.dat",
    "-ms",
    "_history.txt",
];
/// Microseconds before the window's start in which such files were created: four months.
const KEPT_SINCE: u64 = 120 * 86_400_000_000;
/// Endings of files that a program began a while ago: logs that it begins anew each day, or when it starts.
const RECENT: [&str; 9] = [
    ".odl",
    "tmp.log",
    "dism.log",
    "CBS.log",
    "MpCmdRun.log",
    "PolicyAgent.log",
    "StatusAgent.log",
    "ClientIDManagerStartup.log",
    "Scheduler.log",
];
/// Microseconds before the event in which such files were created: 18 hours.
const RECENT_SINCE: u64 = 18 * 3_600_000_000;

/// When a file was created that exists before the event, Unix microseconds.
fn created_before(v: &View<'_>, row: usize) -> Option<i64> {
    let path = v.frame.file.text(row);
    let ends = |all: &[&str]| all.iter().any(|end| path.ends_with(end));
    let host = || v.maker.world.host_key(v.frame.host[row]).child(path);
    if ends(&KEPT) {
        let age = host().below(0, KEPT_SINCE) as i64;
        Some(v.maker.world.start * 1_000_000 - age)
    } else if ends(&RECENT) {
        let native = v.frame.native[row];
        Some(native - host().below(native as u64, RECENT_SINCE) as i64)
    } else {
        None
    }
}

/// CreationUtcTime: that of the event if the file is new.
pub fn creation_utc_time(v: &View<'_>) -> Column {
    let mut writer = TimeWriter::default();
    v.plain(NEW_FILE | SET_BACK, 23, |r, out| {
        let time = match v.is(r, SET_BACK) {
            true => set_back(v, r),
            false => created_before(v, r).unwrap_or(v.frame.native[r]),
        };
        writer.write(out, time);
        true
    })
}
/// EventType.
pub fn event_type(v: &View<'_>) -> Column {
    v.blend(
        TYPED,
        EVENT_TYPES.table(),
        |r| match v.frame.telemetry[r] {
            T::PipeCreated => 1,
            T::PipeConnected => 2,
            T::WmiFilter => 3,
            T::WmiConsumer => 4,
            T::WmiBinding => 5,
            _ => 0,
        },
        GIVEN_TYPE,
        |r, out| {
            let kind = v.given_text(r, "EventType").unwrap_or("CreateKey");
            out.extend_from_slice(kind.as_bytes());
        },
    )
}
/// TargetObject.
pub fn target_object(v: &View<'_>) -> Column {
    v.own(REGISTRY, &v.frame.registry, None)
}
/// Details.
pub fn details(v: &View<'_>) -> Column {
    v.own(REGISTRY_SET, &v.frame.details, None)
}
/// QueryName.
pub fn query_name(v: &View<'_>) -> Column {
    v.own(DNS, &v.frame.query, None)
}
/// QueryStatus.
pub fn query_status(v: &View<'_>) -> Column {
    v.texts_of(DNS, STATUSES.table(), |r| match v.frame.query_status[r] {
        0 => 0,
        9003 => 1,
        _ => 2,
    })
}
/// QueryResults: `type:  5 alias;::ffff:a.b.c.d;`, or `-` if there are none.
pub fn query_results(v: &View<'_>) -> Column {
    v.plain(DNS, 24, |r, out| {
        match usize::try_from(v.frame.answer[r]) {
            Ok(address) => {
                each_alias(v, r, |alias| {
                    out.extend_from_slice(b"type:  5 ");
                    out.extend_from_slice(alias.as_bytes());
                    out.push(b';');
                });
                super::logon::push_mapped(out, &v.maker.world.addresses.texts[address]);
                out.push(b';');
            }
            Err(_) => out.push(b'-'),
        }
        true
    })
}
