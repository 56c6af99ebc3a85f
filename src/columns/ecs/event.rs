//! `event.*`, `ecs.version`, `observer.*` and `log.*`.

use arrow::array::TimestampMicrosecondArray;

use super::Tables;
use crate::catalog::Telemetry as T;
use crate::columns::{ALL, Column, Kinds, RECORDS, SENSOR, View, base, kinds, linux};
use crate::frame::NONE;
use crate::random::{Key, below};

/// The version of the schema.
const VERSION: &str = "9.4.0";
const OBSERVER_TYPE: &str = "ids";
const OBSERVER_VENDOR: &str = "OISF";
const OBSERVER_PRODUCT: &str = "Suricata";

pub(in crate::columns) const WORDS: &[&str] =
    &[VERSION, OBSERVER_TYPE, OBSERVER_VENDOR, OBSERVER_PRODUCT];

fn tables<'v>(v: &'v View<'_>) -> &'v Tables {
    v.tables.ecs(v.maker)
}

/// `ecs.version`.
pub fn version(v: &View<'_>) -> Column {
    v.constant(ALL, &v.tables.words.get(VERSION))
}

/// `event.category`: the record's; `intrusion_detection` too where a rule fired.
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

/// `event.type`: the record's; `allowed` or `denied` too where a rule fired.
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

/// `event.action`: what the record says happened; what the sensor did.
pub fn action(v: &View<'_>) -> Column {
    let t = tables(v);
    let allowed = arrow::array::Array::len(&t.actions) as i32 - 2;
    v.texts(&t.actions, |r| match v.is(r, SENSOR) {
        true => allowed + i32::from(v.frame.blocked[r]),
        false => t.class(v, r).action,
    })
}

/// `event.outcome`: the record's; a sensor's document fails only where it denied the flow.
pub fn outcome(v: &View<'_>) -> Column {
    v.texts(&v.tables.words.get(base::OUTCOMES), |r| {
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
    v.texts(&t.datasets, |r| t.class(v, r).dataset)
}

/// `event.provider`.
pub fn provider(v: &View<'_>) -> Column {
    let t = tables(v);
    v.texts(&t.providers, |r| t.class(v, r).name)
}

/// `event.code`: the event id, or the audit record type in lower case.
pub fn code(v: &View<'_>) -> Column {
    let of = RECORDS & !base::UNCODED;
    v.texts_of(of, &v.tables.words.get(base::CODES), |r| {
        v.frame.telemetry[r] as i32
    })
}

/// `event.severity`: 21 (informational too), 47, 73, 99, as Elastic's rules weigh low to critical.
pub fn severity(v: &View<'_>) -> Column {
    let t = tables(v);
    v.integers(ALL, |r| {
        usize::try_from(v.frame.rule[r])
            .ok()
            .and_then(|rule| t.severity[rule])
    })
}

/// How long after `@timestamp` an agent read row `row`: its batches wait up to a few seconds.
fn read_after(v: &View<'_>, row: usize) -> i64 {
    let key = Key::root(v.frame.first_sequence as u64 + row as u64);
    30_000 + below(key.at(0), 1_970_000) as i64
}

fn times(v: &View<'_>, time: impl Fn(usize) -> i64) -> Column {
    let times = TimestampMicrosecondArray::from_iter_values((0..v.len()).map(time));
    Column::of(times.with_timezone("UTC"))
}

/// `event.created`: when the agent read it, in milliseconds.
pub fn created(v: &View<'_>) -> Column {
    times(v, |r| {
        (v.frame.time[r] + read_after(v, r)).div_euclid(1000) * 1000
    })
}

/// `event.ingested`: when it was indexed, in seconds.
pub fn ingested(v: &View<'_>) -> Column {
    times(v, |r| {
        let key = Key::root(v.frame.first_sequence as u64 + r as u64);
        let sent = v.frame.time[r] + read_after(v, r) + below(key.at(1), 3_000_000) as i64;
        (sent.div_euclid(1_000_000) + 1) * 1_000_000
    })
}

/// `observer.type`.
pub fn observer_type(v: &View<'_>) -> Column {
    v.constant(SENSOR, &v.tables.words.get(OBSERVER_TYPE))
}
/// `observer.vendor`.
pub fn observer_vendor(v: &View<'_>) -> Column {
    v.constant(SENSOR, &v.tables.words.get(OBSERVER_VENDOR))
}
/// `observer.product`.
pub fn observer_product(v: &View<'_>) -> Column {
    v.constant(SENSOR, &v.tables.words.get(OBSERVER_PRODUCT))
}
/// `observer.name`: one sensor a site.
pub fn observer_name(v: &View<'_>) -> Column {
    let names = &tables(v).sensor_name;
    v.texts_of(SENSOR, &names.values, |r| {
        names.of[v.frame.host[r] as usize]
    })
}

/// `log.level` of a Windows record.
pub fn log_level(v: &View<'_>) -> Column {
    crate::columns::windows::level(v)
}

const SYSLOG: Kinds = kinds(&[T::Syslog]);

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
/// `log.syslog.priority`: both in one number (RFC 5424).
pub fn priority(v: &View<'_>) -> Column {
    v.integers(SYSLOG, |r| {
        Some(8 * i64::from(v.frame.facility[r]) + i64::from(v.frame.syslog_severity[r]))
    })
}
/// `log.syslog.appname`: the program.
pub fn program(v: &View<'_>) -> Column {
    v.texts_of(SYSLOG, &v.tables.image_name, |r| v.frame.process.image[r])
}
/// `log.syslog.procid`, an integer.
pub fn program_pid(v: &View<'_>) -> Column {
    v.integers(SYSLOG, |r| {
        (v.frame.process.image[r] != NONE).then(|| i64::from(v.frame.process.pid[r]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::ecs::records::Provider;
    use crate::columns::{AUDIT, WINDOWS};

    #[test]
    fn no_record_is_of_two_worlds() {
        assert_eq!(WINDOWS & AUDIT, 0);
        assert_eq!((WINDOWS | AUDIT | SYSLOG) & SENSOR, 0);
        assert_eq!(Provider::Sensor.name(), None);
    }
}
