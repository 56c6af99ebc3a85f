//! `winlog.*` as Elastic's agents leave it: texts where the seed's document has numbers.

use super::Tables;
use crate::catalog::Telemetry as T;
use crate::columns::{Column, FILTERING, Kinds, SECURITY, View, WINDOWS, base, kinds, windows};
use std::io::Write;

const API: &str = "wineventlog";
const KEYWORDS: &str = "Audit Success|Audit Failure|Classic";
/// By logon type.
const LOGON_TYPES: &str = "System|1|Interactive|Network|Batch|Service|6|Unlock|NetworkCleartext|NewCredentials|RemoteInteractive|CachedInteractive";

pub(in crate::columns) const WORDS: &[&str] = &[API, KEYWORDS, LOGON_TYPES];

const LOGONS: Kinds = kinds(&[T::Logon, T::LogonFailed, T::Logoff]);
/// Records of a session that opens or closes; the others have their subject's.
const TARGET: Kinds = kinds(&[T::Logon, T::Logoff]);

fn tables<'v>(v: &'v View<'_>) -> &'v Tables {
    v.tables.ecs(v.maker)
}

/// `winlog.api`.
pub fn api(v: &View<'_>) -> Column {
    v.constant(WINDOWS, &v.tables.words.get(API))
}
/// `winlog.event_id`, text.
pub fn event_id(v: &View<'_>) -> Column {
    v.texts_of(WINDOWS, &v.tables.words.get(base::CODES), |r| {
        v.frame.telemetry[r] as i32
    })
}
/// `winlog.task`: its name.
pub fn task(v: &View<'_>) -> Column {
    let (keys, values) = &tables(v).tasks;
    v.texts_of(WINDOWS, values, |r| keys[v.frame.telemetry[r] as usize])
}
/// `winlog.keywords`: an audit's outcome; the service manager's records are classic ones.
pub fn keywords(v: &View<'_>) -> Column {
    v.lists(&v.tables.words.get(KEYWORDS), |r, keys| {
        if v.is(r, SECURITY | kinds(&[T::LogCleared])) {
            keys.push(i32::from(windows::is_failure(v, r)));
        } else if v.is(r, kinds(&[T::ServiceCreated])) {
            keys.push(2);
        }
    })
}
/// `winlog.logon.type`, in words.
pub fn logon_type(v: &View<'_>) -> Column {
    v.texts_of(LOGONS, &v.tables.words.get(LOGON_TYPES), |r| {
        i32::from(v.frame.logon_type[r].min(11))
    })
}
/// `winlog.logon.id`: the session that opens or closes, else the subject's.
pub fn logon_id(v: &View<'_>) -> Column {
    let of = TARGET | windows::SUBJECT;
    v.plain(of, 9, |r, out| {
        write!(out, "0x{:x}", v.frame.process.session_id[r]).is_ok()
    })
}
/// `winlog.event_data.ProcessId`: decimal, but hexadecimal where the Security channel writes it so.
pub fn process_id(v: &View<'_>) -> Column {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::Int64Type;
    let numbers = windows::process_id(v).into_array();
    let numbers = numbers.as_primitive::<Int64Type>();
    let hexadecimal = SECURITY & !FILTERING;
    v.plain(WINDOWS, 6, |r, out| {
        numbers.is_valid(r)
            && match v.is(r, hexadecimal) {
                true => write!(out, "0x{:x}", numbers.value(r)).is_ok(),
                false => write!(out, "{}", numbers.value(r)).is_ok(),
            }
    })
}
