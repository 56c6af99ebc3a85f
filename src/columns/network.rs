//! Flows as seen by the sensor, DNS and URLs.

use super::words::WordTable;
use super::{Column, View};
use crate::frame::NONE;
use crate::kinds::{ALL, Kinds, field};

pub(super) static DIRECTIONS: WordTable =
    WordTable::new(&["internal", "outbound", "inbound", "external"]);
static SENSOR_DIRECTIONS: WordTable = WordTable::new(&["to_server", "to_client"]);
static QUERY_TYPE: WordTable = WordTable::new(&["A"]);
static RESPONSE_CODES: WordTable = WordTable::new(&["NOERROR", "NXDOMAIN", "SERVFAIL"]);

fn port(value: i32) -> Option<i64> {
    (value != NONE).then_some(i64::from(value))
}

#[inline]
fn has_flow(v: &View<'_>, row: usize) -> bool {
    // Records of clouds have a source address, but no flow.
    v.frame.destination[row] != NONE
}

/// `source.ip`.
pub fn source_ip(v: &View<'_>) -> Column {
    v.texts(&v.tables.address, |r| v.frame.source[r])
}
/// `destination.ip`.
pub fn destination_ip(v: &View<'_>) -> Column {
    v.texts(&v.tables.address, |r| v.frame.destination[r])
}
/// `source.port`.
pub fn source_port(v: &View<'_>) -> Column {
    v.integers(ALL, |r| port(v.frame.source_port[r]))
}
/// `destination.port`.
pub fn destination_port(v: &View<'_>) -> Column {
    v.integers(ALL, |r| port(v.frame.destination_port[r]))
}
/// Bytes sent by the source.
pub fn source_bytes(v: &View<'_>) -> Column {
    v.integers(ALL, |r| has_flow(v, r).then(|| v.frame.source_bytes[r]))
}
/// Bytes sent by the destination.
pub fn destination_bytes(v: &View<'_>) -> Column {
    v.integers(ALL, |r| {
        has_flow(v, r).then(|| v.frame.destination_bytes[r])
    })
}
/// `network.bytes`: the sum of both.
pub fn bytes(v: &View<'_>) -> Column {
    v.integers(ALL, |r| {
        has_flow(v, r).then(|| v.frame.source_bytes[r] + v.frame.destination_bytes[r])
    })
}
/// Transport protocol.
pub fn protocol(v: &View<'_>) -> Column {
    v.texts(&v.tables.protocol, |r| v.frame.protocol[r])
}
/// Application protocol.
pub fn application(v: &View<'_>) -> Column {
    v.texts(&v.tables.application, |r| v.frame.application[r])
}
/// Key into [`DIRECTIONS`] of a row with a flow; depends on which ends are internal.
pub(super) fn direction_of(v: &View<'_>, row: usize) -> i32 {
    let inside = |address: i32| v.maker.world.addresses.is_inside(address as u32);
    let (source, destination) = (v.frame.source[row], v.frame.destination[row]);
    match (inside(source), inside(destination)) {
        (true, true) => 0,
        (true, false) => 1,
        (false, true) => 2,
        (false, false) => 3,
    }
}
/// `network.direction`; depends on which ends are internal.
pub fn direction(v: &View<'_>) -> Column {
    v.texts(DIRECTIONS.table(), |r| match has_flow(v, r) {
        true => direction_of(v, r),
        false => NONE,
    })
}
/// Direction of the packet that triggered the alert, as the alerts database spells it.
pub fn sensor_direction(v: &View<'_>) -> Column {
    v.texts(SENSOR_DIRECTIONS.table(), |r| {
        i32::from(v.frame.direction[r]) - 1
    })
}

pub(super) const DNS: Kinds = field("QueryName");

/// `dns.question.name`.
pub fn question_name(v: &View<'_>) -> Column {
    v.own(DNS, &v.frame.query, None)
}
/// `dns.question.type`.
pub fn question_type(v: &View<'_>) -> Column {
    v.constant(DNS, QUERY_TYPE.table())
}
/// `dns.response_code`.
pub fn response_code(v: &View<'_>) -> Column {
    v.texts_of(DNS, RESPONSE_CODES.table(), |r| {
        match v.frame.query_status[r] {
            0 | 9501 => 0,
            9003 => 1,
            _ => 2,
        }
    })
}
/// `dns.resolved_ip`.
pub fn resolved_ip(v: &View<'_>) -> Column {
    v.lists_of_one(&v.tables.address, |v, r| v.frame.answer[r])
}
/// `url.full`.
pub fn url(v: &View<'_>) -> Column {
    v.own(ALL, &v.frame.url, None)
}
/// `url.domain`.
pub fn url_domain(v: &View<'_>) -> Column {
    v.part(ALL, &v.frame.url, None, |url| {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        rest.split(['/', ':', '?']).next().unwrap_or(rest)
    })
}
