//! Event data of connections: Sysmon 3, and 5156 and 5157 of the filtering platform.

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;

use super::{BOOLEANS, CONNECT, DASH, FILTER_DIRECTIONS, LAYER_IDS, LAYERS, NULL_SID, PORT_NAMES};
use crate::columns::enrichment::ends;
use crate::columns::{Column, View, table};
use crate::frame::NONE;
use crate::kinds::{FILTERING, Telemetry as T};
use crate::world::World;

/// Protocol: `tcp` or `udp` in Sysmon, the IANA number in 5156 and 5157.
pub fn protocol(v: &View<'_>) -> Column {
    let (keys, numbers) = &v.tables.iana_number;
    let words = ["tcp", "udp", "0"].into_iter().map(Some);
    let numbers = numbers.as_string::<i32>().iter();
    let values = table(words.chain(numbers).flatten());
    let udp = v.maker.vocabulary.protocols.iter().position(|p| p == "udp");
    v.texts_of(CONNECT | FILTERING, &values, |r| {
        // A flow without a protocol is TCP, the first of the vocabulary.
        let protocol = usize::try_from(v.frame.protocol[r]).unwrap_or(0);
        // Protocols without an IANA number have key −1, which selects `0`.
        match v.frame.telemetry[r] {
            T::NetworkConnection => i32::from(Some(protocol) == udp),
            _ => 3 + keys[protocol],
        }
    })
}

/// Whether the reporting host is the client.
fn initiated(v: &View<'_>, row: usize) -> bool {
    let client = ends(v, row).0.0;
    let addresses = &v.maker.world.addresses;
    u32::try_from(client).is_ok_and(|client| addresses.is_own(client, v.frame.host[row]))
}

/// 0 if the reporting host is the client, otherwise 1.
fn accepted(v: &View<'_>, row: usize) -> i32 {
    i32::from(!initiated(v, row))
}

/// Initiated.
pub fn is_initiated(v: &View<'_>) -> Column {
    v.texts_of(CONNECT, BOOLEANS.table(), |r| i32::from(initiated(v, r)))
}

fn is_ipv6(v: &View<'_>, address: i32) -> i32 {
    let known = v.tables.is_ipv6.get(address as usize);
    i32::from(known.copied().unwrap_or(false))
}
/// SourceIsIpv6.
pub fn source_is_ipv6(v: &View<'_>) -> Column {
    v.texts_of(CONNECT, BOOLEANS.table(), |r| is_ipv6(v, ends(v, r).0.0))
}
/// DestinationIsIpv6.
pub fn destination_is_ipv6(v: &View<'_>) -> Column {
    v.texts_of(CONNECT, BOOLEANS.table(), |r| is_ipv6(v, ends(v, r).1.0))
}
/// SourceIp: the client's address, whatever the direction of the sensor's packet.
pub fn source_ip(v: &View<'_>) -> Column {
    v.texts_of(CONNECT, &v.tables.address, |r| ends(v, r).0.0)
}
/// DestinationIp: the server's address.
pub fn destination_ip(v: &View<'_>) -> Column {
    v.texts_of(CONNECT, &v.tables.address, |r| ends(v, r).1.0)
}
/// SourceHostname and DestinationHostname: `-`, because lookups are off.
pub fn no_host_name(v: &View<'_>) -> Column {
    v.constant(CONNECT, DASH.table())
}

fn port(value: i32) -> Option<i64> {
    Some(if value == NONE { 0 } else { i64::from(value) })
}
/// SourcePort.
pub fn source_port(v: &View<'_>) -> Column {
    v.integers(CONNECT | FILTERING, |r| port(ends(v, r).0.1))
}
/// DestinationPort.
pub fn destination_port(v: &View<'_>) -> Column {
    v.integers(CONNECT, |r| port(ends(v, r).1.1))
}

fn port_name(port: i32) -> i32 {
    match port {
        53 => 1,
        445 => 2,
        3389 => 3,
        139 => 4,
        443 => 5,
        80 => 6,
        389 => 7,
        88 => 8,
        135 => 9,
        123 => 10,
        1900 => 11,
        5355 => 12,
        _ => 0,
    }
}
/// SourcePortName.
pub fn source_port_name(v: &View<'_>) -> Column {
    v.texts_of(CONNECT, PORT_NAMES.table(), |r| port_name(ends(v, r).0.1))
}
/// DestinationPortName.
pub fn destination_port_name(v: &View<'_>) -> Column {
    v.texts_of(CONNECT, PORT_NAMES.table(), |r| port_name(ends(v, r).1.1))
}

/// Application: the NT device path, lower case.
pub fn filter_application(v: &View<'_>) -> Column {
    v.texts_of(FILTERING, &v.tables.device_path, |r| {
        v.frame.process.image[r].key()
    })
}
/// Direction: inbound %%14592, outbound %%14593.
pub fn filter_direction(v: &View<'_>) -> Column {
    v.texts_by(FILTERING, FILTER_DIRECTIONS.table(), accepted)
}
/// SourceAddress.
pub fn source_address(v: &View<'_>) -> Column {
    v.texts_of(FILTERING, &v.tables.address, |r| ends(v, r).0.0)
}
/// DestAddress.
pub fn dest_address(v: &View<'_>) -> Column {
    v.texts_of(FILTERING, &v.tables.address, |r| ends(v, r).1.0)
}
/// DestPort.
pub fn dest_port(v: &View<'_>) -> Column {
    v.integers(FILTERING, |r| port(ends(v, r).1.1))
}
/// Number of filters per host that occur in records.
const FILTERS: u64 = 3;
/// Range of the filters' run-time ids.
const FILTER_IDS: std::ops::Range<u64> = 65_000..73_000;

/// The run-time ids of hosts' filters.
#[derive(Debug)]
pub struct Filters {
    /// Run-time id by host and filter.
    of: Vec<i32>,
    ids: ArrayRef,
}

impl Filters {
    pub(in crate::columns) fn new(world: &World) -> Self {
        let hosts = world.hosts.ids();
        let count = FILTER_IDS.end - FILTER_IDS.start;
        let of_host = |host| {
            let key = world.host_key(host);
            (0..FILTERS).map(move |filter| key.below(0xf1 + filter, count) as i32)
        };
        Filters {
            of: hosts.flat_map(of_host).collect(),
            ids: table(FILTER_IDS.map(|id| id.to_string())),
        }
    }
}

/// FilterRTID: the filter that matched.
pub fn filter_id(v: &View<'_>) -> Column {
    let Filters { of, ids } = &v.tables.filters;
    v.texts_of(FILTERING, ids, |r| {
        let filter = v.frame.salt[r] % FILTERS;
        of[v.frame.host[r].index() * FILTERS as usize + filter as usize]
    })
}
/// LayerName: connect, or receive/accept.
pub fn layer_name(v: &View<'_>) -> Column {
    v.texts_by(FILTERING, LAYERS.table(), accepted)
}
/// LayerRTID.
pub fn layer_id(v: &View<'_>) -> Column {
    v.texts_by(FILTERING, LAYER_IDS.table(), accepted)
}
/// RemoteUserID and RemoteMachineID.
pub fn remote_id(v: &View<'_>) -> Column {
    v.literal(FILTERING, NULL_SID)
}
