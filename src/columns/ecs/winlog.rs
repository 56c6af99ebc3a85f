//! `winlog.*` as Elastic's agents write it: strings for fields that are numbers in `fusionai`.

use crate::columns::words::WordTable;
use crate::columns::{Column, View, windows};
use crate::kinds::{
    FILTERING, Kinds, Provider, SECURITY, Telemetry as T, WINDOWS, field, kinds, of,
};
use std::io::Write;

static API: WordTable = WordTable::new(&["wineventlog"]);
static KEYWORDS: WordTable = WordTable::new(&["Audit Success", "Audit Failure", "Classic"]);
/// By logon type.
static LOGON_TYPES: WordTable = WordTable::new(&[
    "System",
    "1",
    "Interactive",
    "Network",
    "Batch",
    "Service",
    "6",
    "Unlock",
    "NetworkCleartext",
    "NewCredentials",
    "RemoteInteractive",
    "CachedInteractive",
]);

/// Records whose provider names its tasks. The service manager does not.
const NAMED_TASK: Kinds = WINDOWS & !SERVICE_MANAGER;
const SERVICE_MANAGER: Kinds = of(Provider::System);
const SECURITY_CHANNEL: Kinds = SECURITY | of(Provider::Eventlog);
const LOGONS: Kinds = field("LogonType");
/// Records with a target's logon session; the others have the subject's.
const TARGET: Kinds = kinds(&[T::Logon, T::Logoff]);

/// `winlog.api`.
pub fn api(v: &View<'_>) -> Column {
    v.constant(WINDOWS, API.table())
}
/// `winlog.event_id`, a string.
pub fn event_id(v: &View<'_>) -> Column {
    v.texts_by_kind(WINDOWS, |kind| kind.code)
}
/// `winlog.task`: the name of the task.
pub fn task(v: &View<'_>) -> Column {
    v.texts_by_kind(NAMED_TASK, |kind| kind.task.1)
}
/// `winlog.keywords`: the outcome of an audit; `Classic` for the service manager.
pub fn keywords(v: &View<'_>) -> Column {
    v.lists(KEYWORDS.table(), |r, keys| {
        if v.is(r, SECURITY_CHANNEL) {
            keys.push(i32::from(windows::is_failure(v, r)));
        } else if v.is(r, SERVICE_MANAGER) {
            keys.push(2);
        }
    })
}
/// `winlog.logon.type`, in words.
pub fn logon_type(v: &View<'_>) -> Column {
    v.texts_of(LOGONS, LOGON_TYPES.table(), |r| {
        i32::from(v.frame.logon_type[r].min(11))
    })
}
/// `winlog.logon.id`: the session that opens or closes, otherwise the subject's.
pub fn logon_id(v: &View<'_>) -> Column {
    let of = TARGET | windows::SUBJECT;
    v.plain(of, 9, |r, out| {
        write!(out, "0x{:x}", v.frame.process.session_id[r]).is_ok()
    })
}
/// `winlog.event_data.ProcessId`: hexadecimal in Security records other than 5156 and 5157, otherwise
/// decimal.
pub fn process_id(v: &View<'_>) -> Column {
    use arrow_array::Array;
    use arrow_array::cast::AsArray;
    use arrow_array::types::Int64Type;
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
