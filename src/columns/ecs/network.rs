//! `source.*`, `destination.*`, `network.*`, `dns.*` and `url.*`; null in records without such
//! values.

use crate::columns::words::WordTable;
use arrow_array::{Array, ArrayRef};

use super::{EcsTables, answers, parts};
use crate::columns::network::{DIRECTIONS, DNS, direction_of};
use crate::columns::windows::each_alias;
use crate::columns::{Column, View};
use crate::frame::NONE;
use crate::kinds::{ALL, Provider};

static TYPES: WordTable = WordTable::new(&["ipv4", "ipv6"]);
static ANSWER_TYPES: WordTable = WordTable::new(&["A", "AAAA", "CNAME"]);
static STATUSES: WordTable = WordTable::new(&[
    "SUCCESS",
    "DNS_ERROR_RCODE_NAME_ERROR",
    "DNS_INFO_NO_RECORDS",
]);

fn tables<'v>(v: &'v View<'_>) -> &'v EcsTables {
    v.tables.ecs(v.maker)
}

/// Key of the source address, if the record has one.
pub(super) fn source(v: &View<'_>, t: &EcsTables, row: usize) -> i32 {
    match t.class(v, row).has_client {
        true => v.frame.source[row],
        false => NONE,
    }
}

/// Key of the destination address, if the record has one.
pub(super) fn destination(v: &View<'_>, t: &EcsTables, row: usize) -> i32 {
    match t.class(v, row).has_flow {
        true => v.frame.destination[row],
        false => NONE,
    }
}

fn has_flow(v: &View<'_>, t: &EcsTables, row: usize) -> bool {
    destination(v, t, row) != NONE
}

fn integer(value: i32) -> Option<i64> {
    (value != NONE).then_some(i64::from(value))
}

/// `source.ip`.
pub fn source_ip(v: &View<'_>) -> Column {
    let t = tables(v);
    v.texts(&v.tables.address, |r| source(v, t, r))
}
/// `destination.ip`.
pub fn destination_ip(v: &View<'_>) -> Column {
    let t = tables(v);
    v.texts(&v.tables.address, |r| destination(v, t, r))
}
/// `source.port`; audit records of logons have none.
pub fn source_port(v: &View<'_>) -> Column {
    let t = tables(v);
    v.integers(ALL, |r| {
        let class = t.class(v, r);
        let has_port = class.has_flow || class.has_client && class.provider != Provider::Auditd;
        integer(if has_port {
            v.frame.source_port[r]
        } else {
            NONE
        })
    })
}
/// `destination.port`.
pub fn destination_port(v: &View<'_>) -> Column {
    let t = tables(v);
    v.integers(ALL, |r| match has_flow(v, t, r) {
        true => integer(v.frame.destination_port[r]),
        false => None,
    })
}
/// `source.bytes`.
pub fn source_bytes(v: &View<'_>) -> Column {
    let t = tables(v);
    v.integers(ALL, |r| has_flow(v, t, r).then(|| v.frame.source_bytes[r]))
}
/// `destination.bytes`.
pub fn destination_bytes(v: &View<'_>) -> Column {
    let t = tables(v);
    v.integers(ALL, |r| {
        has_flow(v, t, r).then(|| v.frame.destination_bytes[r])
    })
}
/// `network.bytes`.
pub fn bytes(v: &View<'_>) -> Column {
    let t = tables(v);
    v.integers(ALL, |r| {
        has_flow(v, t, r).then(|| v.frame.source_bytes[r] + v.frame.destination_bytes[r])
    })
}

/// A column of one end's location, from a table indexed by address.
fn place(
    v: &View<'_>,
    end: fn(&View<'_>, &EcsTables, usize) -> i32,
    values: fn(&EcsTables) -> &ArrayRef,
    keys: fn(&EcsTables) -> &Vec<i32>,
) -> Column {
    let t = tables(v);
    let (values, keys) = (values(t), keys(t));
    if values.is_empty() {
        return v.null_texts();
    }
    v.texts(values, |r| {
        usize::try_from(end(v, t, r)).map_or(NONE, |address| keys[address])
    })
}

fn system_number(v: &View<'_>, end: fn(&View<'_>, &EcsTables, usize) -> i32) -> Column {
    let t = tables(v);
    v.integers(ALL, |r| {
        let address = usize::try_from(end(v, t, r)).ok()?;
        (t.country[address] != NONE).then(|| t.system_number[address])
    })
}

/// `source.geo.country_iso_code`.
pub fn source_country_code(v: &View<'_>) -> Column {
    place(v, source, |t| &t.country_code, |t| &t.country)
}
/// `source.geo.country_name`.
pub fn source_country_name(v: &View<'_>) -> Column {
    place(v, source, |t| &t.country_name, |t| &t.country)
}
/// `source.geo.continent_name`.
pub fn source_continent(v: &View<'_>) -> Column {
    place(v, source, |t| &t.continent, |t| &t.country)
}
/// `source.as.number`.
pub fn source_system_number(v: &View<'_>) -> Column {
    system_number(v, source)
}
/// `source.as.organization.name`.
pub fn source_system_name(v: &View<'_>) -> Column {
    place(v, source, |t| &t.system_name.1, |t| &t.system_name.0)
}
/// `destination.geo.country_iso_code`.
pub fn destination_country_code(v: &View<'_>) -> Column {
    place(v, destination, |t| &t.country_code, |t| &t.country)
}
/// `destination.geo.country_name`.
pub fn destination_country_name(v: &View<'_>) -> Column {
    place(v, destination, |t| &t.country_name, |t| &t.country)
}
/// `destination.geo.continent_name`.
pub fn destination_continent(v: &View<'_>) -> Column {
    place(v, destination, |t| &t.continent, |t| &t.country)
}
/// `destination.as.number`.
pub fn destination_system_number(v: &View<'_>) -> Column {
    system_number(v, destination)
}
/// `destination.as.organization.name`.
pub fn destination_system_name(v: &View<'_>) -> Column {
    place(v, destination, |t| &t.system_name.1, |t| &t.system_name.0)
}

/// `network.transport`.
pub fn transport(v: &View<'_>) -> Column {
    let t = tables(v);
    v.texts(&v.tables.protocol, |r| match has_flow(v, t, r) {
        true => v.frame.protocol[r],
        false => NONE,
    })
}
/// `network.iana_number`.
pub fn iana_number(v: &View<'_>) -> Column {
    let t = tables(v);
    let (keys, values) = &v.tables.iana_number;
    v.texts(values, |r| {
        match (has_flow(v, t, r), usize::try_from(v.frame.protocol[r])) {
            (true, Ok(protocol)) => keys[protocol],
            _ => NONE,
        }
    })
}
/// `network.protocol`: the application protocol.
pub fn protocol(v: &View<'_>) -> Column {
    let t = tables(v);
    let (keys, values) = &t.application;
    v.texts(values, |r| {
        if v.is(r, DNS) {
            return t.dns;
        }
        match (has_flow(v, t, r), usize::try_from(v.frame.application[r])) {
            (true, Ok(application)) => keys[application],
            _ => NONE,
        }
    })
}
/// `network.type`.
pub fn kind(v: &View<'_>) -> Column {
    let t = tables(v);
    v.texts(TYPES.table(), |r| {
        usize::try_from(destination(v, t, r)).map_or(NONE, |a| i32::from(v.tables.is_ipv6[a]))
    })
}
/// `network.direction`: depends on which ends are internal.
pub fn direction(v: &View<'_>) -> Column {
    let t = tables(v);
    v.texts(DIRECTIONS.table(), |r| match has_flow(v, t, r) {
        true => direction_of(v, r),
        false => NONE,
    })
}

/// `dns.answers`: (data, type).
pub fn dns_answers(v: &View<'_>) -> Column {
    answers(v, ANSWER_TYPES.table(), |r, push| {
        let Ok(address) = usize::try_from(v.frame.answer[r]) else {
            return;
        };
        if v.is(r, DNS) {
            each_alias(v, r, |alias| push(alias, 2));
            let text = &v.maker.world.addresses.texts[address];
            push(text, i32::from(v.tables.is_ipv6[address]));
        }
    })
}
/// `dns.resolved_ip`.
pub fn resolved_ip(v: &View<'_>) -> Column {
    v.lists(&v.tables.address, |r, keys| {
        if v.is(r, DNS) && v.frame.answer[r] != NONE {
            keys.push(v.frame.answer[r]);
        }
    })
}
/// `sysmon.dns.status`: the name of the query's Win32 status.
pub fn dns_status(v: &View<'_>) -> Column {
    v.texts_of(DNS, STATUSES.table(), |r| match v.frame.query_status[r] {
        0 => 0,
        9003 => 1,
        _ => 2,
    })
}

/// Public suffixes of two labels.
const SECOND_LEVEL: &[&str] = &[
    "co.uk", "org.uk", "ac.uk", "gov.uk", "com.au", "net.au", "co.nz", "co.jp", "ne.jp", "or.jp",
    "co.kr", "com.br", "com.ar", "com.mx", "com.cn", "com.tw", "com.hk", "com.sg", "co.in",
    "co.za", "com.tr", "com.ua", "com.pl",
];

/// Offsets in a name at which the registered domain and the public suffix begin.
fn registered(name: &str) -> Option<(usize, usize)> {
    let name = name.trim_end_matches('.');
    let last = name.rfind('.')?;
    let second = name[..last].rfind('.').map_or(0, |at| at + 1);
    if !SECOND_LEVEL.contains(&&name[second..]) {
        return Some((second, last + 1));
    }
    let third = name[..second.checked_sub(1)?]
        .rfind('.')
        .map_or(0, |at| at + 1);
    Some((third, second))
}

/// `dns.question.registered_domain`.
pub fn registered_domain(v: &View<'_>) -> Column {
    parts(v, DNS, &v.frame.query, |name| {
        Some(&name[registered(name)?.0..])
    })
}
/// `dns.question.top_level_domain`.
pub fn top_level_domain(v: &View<'_>) -> Column {
    parts(v, DNS, &v.frame.query, |name| {
        Some(&name[registered(name)?.1..])
    })
}
/// `dns.question.subdomain`.
pub fn subdomain(v: &View<'_>) -> Column {
    parts(v, DNS, &v.frame.query, |name| {
        Some(&name[..registered(name)?.0.checked_sub(1)?])
    })
}

/// `url.scheme`.
pub fn url_scheme(v: &View<'_>) -> Column {
    parts(v, ALL, &v.frame.url, |url| Some(url.split_once("://")?.0))
}
/// `url.path`.
pub fn url_path(v: &View<'_>) -> Column {
    parts(v, ALL, &v.frame.url, |url| {
        let (_, rest) = url.split_once("://")?;
        let path = &rest[rest.find('/')?..];
        path.split(['?', '#']).next()
    })
}

#[cfg(test)]
mod tests {
    use super::registered;

    #[test]
    fn names_split_at_the_public_suffix() {
        let split = |name: &'static str| {
            registered(name).map(|(at, suffix)| (&name[at..], &name[suffix..]))
        };
        assert_eq!(split("a.b.example.com"), Some(("example.com", "com")));
        assert_eq!(split("example.co.uk"), Some(("example.co.uk", "co.uk")));
        assert_eq!(split("www.example.co.uk"), Some(("example.co.uk", "co.uk")));
        assert_eq!(
            split("dc-01.fusionai.local"),
            Some(("fusionai.local", "local"))
        );
        assert_eq!(split("co.uk"), None);
        assert_eq!(split("wpad"), None);
    }
}
