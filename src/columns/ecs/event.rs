//! `event.*`, `ecs.version`, `observer.*` and `log.*`.

use crate::columns::words::WordTable;
use arrow_array::TimestampMicrosecondArray;

use super::EcsTables;
use crate::columns::{Column, View, base, linux};
use crate::kinds::{ALL, Kinds, Provider, RECORDS, SENSOR, of};
use crate::random::{Key, below};

/// The version of the schema.
static VERSION: WordTable = WordTable::new(&["9.4.0"]);
static OBSERVER_TYPE: WordTable = WordTable::new(&["ids"]);
static OBSERVER_VENDOR: WordTable = WordTable::new(&["OISF"]);
static OBSERVER_PRODUCT: WordTable = WordTable::new(&["Suricata"]);

fn tables<'v>(v: &'v View<'_>) -> &'v EcsTables {
    v.tables.ecs(v.maker)
}

/// `ecs.version`.
pub fn version(v: &View<'_>) -> Column {
    v.constant(ALL, VERSION.table())
}

/// `event.category`: the record's; also `intrusion_detection` if a rule fired.
pub fn category(v: &View<'_>) -> Column {
    let t = tables(v);
    v.lists(&t.categories, |r, keys| {
        let class = t.class(v, r);
        keys.extend_from_slice(&class.category);
        if base::is_alert(v, r) && !class.category.contains(&t.intrusion) {
            keys.push(t.intrusion);
        }
    })
}

/// `event.type`: the record's; also `allowed` or `denied` if a rule fired.
pub fn kind_of_change(v: &View<'_>) -> Column {
    let t = tables(v);
    v.lists(&t.types, |r, keys| {
        let class = t.class(v, r);
        keys.extend_from_slice(&class.types);
        let said = class.types.contains(&t.allowed) || class.types.contains(&t.denied);
        if base::is_alert(v, r) && !said {
            keys.push(match v.frame.blocked[r] {
                true => t.denied,
                false => t.allowed,
            });
        }
    })
}

/// `event.action`: the record's, or what the sensor did.
pub fn action(v: &View<'_>) -> Column {
    let t = tables(v);
    v.texts(&t.actions, |r| match v.is(r, SENSOR) {
        true => t.sensor_actions[usize::from(v.frame.blocked[r])],
        false => t.class(v, r).action,
    })
}

/// `event.outcome`: the record's. A sensor's document is a failure only if it denied the flow.
pub fn outcome(v: &View<'_>) -> Column {
    v.texts(base::OUTCOMES.table(), |r| {
        i32::from(match v.is(r, SENSOR) {
            true => v.frame.blocked[r],
            false => base::is_failure(v, r),
        })
    })
}

/// `event.module`.
pub fn module(v: &View<'_>) -> Column {
    let t = tables(v);
    v.texts(&t.modules, |r| t.class(v, r).module)
}

/// `event.dataset`.
pub fn dataset(v: &View<'_>) -> Column {
    let t = tables(v);
    v.texts(&t.datasets, |r| t.class(v, r).module)
}

/// `event.provider`.
pub fn provider(v: &View<'_>) -> Column {
    let t = tables(v);
    v.texts(&t.providers, |r| t.class(v, r).name)
}

/// `event.code`: the event id, or the audit record type in lower case.
pub fn code(v: &View<'_>) -> Column {
    v.texts_by_kind(RECORDS & !base::UNCODED, |kind| kind.code)
}

/// `event.severity`: Elastic's risk scores 21 (low and informational), 47, 73, 99 (critical).
pub fn severity(v: &View<'_>) -> Column {
    let t = tables(v);
    v.integers(ALL, |r| {
        v.frame.rule[r]
            .get()
            .and_then(|rule| t.severity[rule.index()])
    })
}

/// Delay from `@timestamp` until the agent read the row. Its batches wait up to a few seconds.
fn read_after(v: &View<'_>, row: usize) -> i64 {
    let key = Key::root(v.frame.sequence[row] as u64);
    30_000 + below(key.at(0), 1_970_000) as i64
}

fn times(v: &View<'_>, time: impl Fn(usize) -> i64) -> Column {
    let times = TimestampMicrosecondArray::from_iter_values((0..v.len()).map(time));
    Column::of(times.with_timezone("UTC"))
}

/// `event.created`: when the agent read the record, to the millisecond.
pub fn created(v: &View<'_>) -> Column {
    times(v, |r| {
        (v.frame.time[r] + read_after(v, r)).div_euclid(1000) * 1000
    })
}

/// `event.ingested`: when the record was indexed, to the second.
pub fn ingested(v: &View<'_>) -> Column {
    times(v, |r| {
        let key = Key::root(v.frame.sequence[r] as u64);
        let sent = v.frame.time[r] + read_after(v, r) + below(key.at(1), 3_000_000) as i64;
        (sent.div_euclid(1_000_000) + 1) * 1_000_000
    })
}

/// `observer.type`.
pub fn observer_type(v: &View<'_>) -> Column {
    v.constant(SENSOR, OBSERVER_TYPE.table())
}
/// `observer.vendor`.
pub fn observer_vendor(v: &View<'_>) -> Column {
    v.constant(SENSOR, OBSERVER_VENDOR.table())
}
/// `observer.product`.
pub fn observer_product(v: &View<'_>) -> Column {
    v.constant(SENSOR, OBSERVER_PRODUCT.table())
}
/// `observer.name`: one sensor per site.
pub fn observer_name(v: &View<'_>) -> Column {
    let names = &tables(v).sensor_name;
    v.texts_of(SENSOR, &names.values, |r| names.of[v.frame.host[r].index()])
}

/// `log.level` of a Windows record.
pub fn log_level(v: &View<'_>) -> Column {
    crate::columns::windows::level(v)
}

const SYSLOG: Kinds = of(Provider::Syslog);

/// `log.syslog.facility.code`.
pub fn facility_code(v: &View<'_>) -> Column {
    v.integers(SYSLOG, |r| Some(i64::from(v.frame.facility[r])))
}
/// `log.syslog.facility.name`.
pub fn facility_name(v: &View<'_>) -> Column {
    linux::facility(v)
}
/// `log.syslog.severity.code`.
pub fn severity_code(v: &View<'_>) -> Column {
    v.integers(SYSLOG, |r| Some(i64::from(v.frame.syslog_severity[r])))
}
/// `log.syslog.severity.name`.
pub fn severity_name(v: &View<'_>) -> Column {
    linux::severity(v)
}
/// `log.syslog.priority`: facility × 8 + severity (RFC 5424).
pub fn priority(v: &View<'_>) -> Column {
    v.integers(SYSLOG, |r| {
        Some(8 * i64::from(v.frame.facility[r]) + i64::from(v.frame.syslog_severity[r]))
    })
}
/// `log.syslog.appname`: the program.
pub fn program(v: &View<'_>) -> Column {
    v.texts_of(SYSLOG, &v.tables.image_name, |r| {
        v.frame.process.image[r].key()
    })
}
/// `log.syslog.procid`, an integer.
pub fn program_pid(v: &View<'_>) -> Column {
    v.integers(SYSLOG, |r| {
        v.frame.process.image[r]
            .is_some()
            .then(|| i64::from(v.frame.process.pid[r]))
    })
}
