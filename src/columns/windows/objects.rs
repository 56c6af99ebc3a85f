//! Event data of files, registry values and DNS queries.

use super::{
    DNS, EVENT_TYPES, FILE, GIVEN_TYPE, NEW_FILE, REGISTRY, REGISTRY_SET, SET_BACK, STATUSES, TYPED,
};
use crate::columns::enrichment::TimeWriter;
use crate::columns::{Column, View};
use crate::kinds::Telemetry as T;

/// TargetFilename.
pub fn target_filename(v: &View<'_>) -> Column {
    v.own(FILE, &v.frame.file, None)
}
/// CreationUtcTime: that of the event if the file is new.
pub fn creation_utc_time(v: &View<'_>) -> Column {
    v.plain(NEW_FILE | SET_BACK, 23, |r, out| {
        if v.is(r, SET_BACK) {
            crate::columns::sysmon::write_set_back(v, r, out);
        } else {
            TimeWriter::default().write(out, v.frame.native[r]);
        }
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
/// QueryResults: `::ffff:a.b.c.d;`, or `-` if there are none.
pub fn query_results(v: &View<'_>) -> Column {
    v.plain(DNS, 24, |r, out| {
        match usize::try_from(v.frame.answer[r]) {
            Ok(address) => {
                super::logon::push_mapped(out, &v.maker.world.addresses.texts[address]);
                out.push(b';');
            }
            Err(_) => out.push(b'-'),
        }
        true
    })
}
