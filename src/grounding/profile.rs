//! The profile: distributions fitted from an alerts database, as one JSON file.
//!
//! It is what the generator knows of real alerts, detached from the database that it
//! came from. It knows nothing of hosts and users to come.

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use super::severity::SeverityScale;
pub use super::slug::{SLUG_LIMIT, UNCATEGORIZED, slug, slugs};
use crate::{Error, Result};

mod anonymise;
mod file;
mod summary;
mod validate;

pub use summary::{Ranking, Summary};

/// Version of the JSON layout; another one is refused.
pub const PROFILE_VERSION: u32 = 1;

/// Longest signature or category in bytes.
pub const TEXT_LIMIT: usize = 1024;
/// Most tuples, the most frequent ones.
pub const TUPLE_LIMIT: usize = 65_536;
/// Most service ports a combination keeps apart; the rest is one tuple with `spread_ports`.
pub const PORT_LIMIT: usize = 256;
/// Most client ports a tuple keeps.
pub const CLIENT_PORT_LIMIT: usize = 256;
/// Most byte pairs a table holds.
pub const PAIR_LIMIT: usize = 64;
/// Most addresses (or ranks) a pool holds, the most frequent ones.
pub const POOL_LIMIT: usize = 65_536;
/// Most ATT&CK techniques a tuple holds.
pub const TECHNIQUE_LIMIT: usize = 16;

/// Everything that standalone alerts are drawn from.
///
/// 1. `tuples` is not empty and every `count` is positive.
/// 2. Order is by descending count, then by the other fields: never by hash.
/// 3. The embedded default holds no external address: `external_*` are empty there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    pub version: u32,
    /// Rows fitted, table they came from, what it lacked (printed on stderr by the caller).
    pub rows: u64,
    pub table: String,
    pub missing: Vec<String>,
    pub severity_scale: SeverityScale,
    /// Why that scale was taken, for the user; empty where there was nothing to choose.
    #[serde(default)]
    pub severity_reason: String,
    /// Joint tuples: a signature never meets a foreign category.
    pub tuples: Vec<Tuple>,
    /// Public addresses mostly seen on the client's / the server's side of flows, with counts;
    /// an address is in one list only.
    pub external_clients: Vec<(String, u64)>,
    pub external_services: Vec<(String, u64)>,
    /// Good–Turing: share of singletons among draws of public addresses, parts per million, each side.
    pub unseen_clients_ppm: u32,
    pub unseen_services_ppm: u32,
    /// Counts of private addresses by rank, descending, each side.
    pub internal_clients: Vec<u64>,
    pub internal_services: Vec<u64>,
    /// The private addresses of those ranks (so that one in the CMDB is that host). Empty in the default.
    pub internal_client_addresses: Vec<String>,
    pub internal_service_addresses: Vec<String>,
    /// Multicast and broadcast destinations with counts (these are public knowledge, kept in the default too).
    pub multicast: Vec<(String, u64)>,
    /// Bytes to server and to client, jointly, per (protocol, application): at most 64 pairs at equal
    /// quantiles of the sum, in order. Key `("tcp", Some("http"))`; `("tcp", None)` is the fallback for a protocol.
    pub bytes: Vec<ByteTable>,
    /// Alerts by UTC hour, if the database has ≥ 50 alerts on each of ≥ 14 days within 60.
    pub hours: Option<Vec<u64>>,
}

/// Which way the packet that fired went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    ToServer,
    ToClient,
    /// The database doesn't say.
    Unknown,
}

/// Where the two ends of a tuple's flows lie, as counts. Client first, then server
/// (for `to_client` alerts the source is the server). They sum to the tuple's `count`,
/// or to less where the database lacks addresses, down to nothing at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ends {
    pub internal_internal: u64,
    pub internal_external: u64,
    pub external_internal: u64,
    pub external_external: u64,
    /// Server side is multicast or broadcast.
    pub multicast: u64,
}

/// One combination that real alerts showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tuple {
    pub signature: String,
    pub signature_id: Option<u64>,
    /// Raw category name; `None` becomes `uncategorized`.
    pub category: Option<String>,
    /// The table's number as [`SeverityScale::number`] stores it.
    pub severity: Option<i64>,
    /// Lower case: `tcp`, `udp`, `icmp`, `ipv6-icmp`…
    pub protocol: String,
    /// Suricata's application protocol, lower case; `failed` is kept.
    pub application: Option<String>,
    pub direction: Direction,
    /// `allowed` or `blocked`.
    pub action: String,
    /// Destination port of `to_server` and unknown alerts, source port of `to_client` ones;
    /// `None` where the protocol has none.
    pub service_port: Option<u16>,
    /// The rest beyond the 256 most frequent ports of a combination: the port is drawn from 1–65535.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spread_ports: bool,
    pub count: u64,
    pub ends: Ends,
    /// Client ports below 32768 that several pairs of hosts used (123, 5060…), and of `to_client` alerts,
    /// whose destination they are, all that were seen twice; with counts, most frequent
    /// first; the remaining `count` is drawn from the client's ephemeral range.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub client_ports: Vec<(u16, u64)>,
    /// ATT&CK ids out of the rule's own metadata (`mitre_technique_id` in the raw JSON).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub techniques: Vec<String>,
}

/// Bytes of one kind of flow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByteTable {
    pub protocol: String,
    pub application: Option<String>,
    /// (to server, to client).
    pub pairs: Vec<(u64, u64)>,
}

#[cfg(test)]
mod tests;
