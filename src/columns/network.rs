//! Flows as the sensor saw them.

use super::{ALL, Column, View, kinds};
use crate::catalog::Telemetry as T;
use crate::frame::NONE;

pub(super) const DIRECTIONS: &str = "internal|outbound|inbound|external";
const SENSOR_DIRECTIONS: &str = "to_server|to_client";
const QUERY_TYPE: &str = "A";
const RESPONSE_CODES: &str = "NOERROR|NXDOMAIN|SERVFAIL";

pub(super) const WORDS: &[&str] = &[DIRECTIONS, SENSOR_DIRECTIONS, QUERY_TYPE, RESPONSE_CODES];

fn port(value: i32) -> Option<i64> {
    (value != NONE).then_some(i64::from(value))
}

#[inline]
fn has_flow(v: &View<'_>, row: usize) -> bool {
    // A cloud's record knows who came from where, and no flow.
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
/// Both.
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
/// Key into [`DIRECTIONS`] of a row with a flow: which ends are inside.
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
/// Follows from which ends are inside.
pub fn direction(v: &View<'_>) -> Column {
    v.texts(&v.tables.words.get(DIRECTIONS), |r| match has_flow(v, r) {
        true => direction_of(v, r),
        false => NONE,
    })
}
/// Which way the packet that fired went, in the database's word.
pub fn sensor_direction(v: &View<'_>) -> Column {
    v.texts(&v.tables.words.get(SENSOR_DIRECTIONS), |r| {
        i32::from(v.frame.direction[r]) - 1
    })
}

pub(super) const DNS: super::Kinds = kinds(&[T::DnsQuery]);

/// `dns.question.name`.
pub fn question_name(v: &View<'_>) -> Column {
    v.own(DNS, &v.frame.query, None)
}
/// `dns.question.type`.
pub fn question_type(v: &View<'_>) -> Column {
    v.constant(DNS, &v.tables.words.get(QUERY_TYPE))
}
/// `dns.response_code`.
pub fn response_code(v: &View<'_>) -> Column {
    v.texts_of(DNS, &v.tables.words.get(RESPONSE_CODES), |r| {
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
