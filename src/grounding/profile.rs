//! The profile: distributions fitted from an alerts database, as one JSON file.
//!
//! The profile is what the generator knows about real alerts, independent of the source
//! database. It knows nothing of the hosts and users of a corpus.

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use super::severity::SeverityScale;
pub use super::slug::{SLUG_LIMIT, UNCATEGORIZED, slug, slugs};
use crate::error::{Error, Result};

mod anonymise;
mod file;
mod summary;
mod validate;

pub use summary::{Ranking, Summary};

/// Version of the JSON layout; other versions are refused.
pub const PROFILE_VERSION: u32 = 1;

/// Maximum length of a signature or category in bytes.
pub const TEXT_LIMIT: usize = 1024;
/// Maximum number of tuples; the most frequent are kept.
pub const TUPLE_LIMIT: usize = 65_536;
/// Maximum service ports per combination; the others are one tuple with `spread_ports`.
pub const PORT_LIMIT: usize = 256;
/// Maximum client ports per tuple.
pub const CLIENT_PORT_LIMIT: usize = 256;
/// Maximum byte pairs per table.
pub const PAIR_LIMIT: usize = 64;
/// Maximum addresses (or ranks) per pool; the most frequent are kept.
pub const POOL_LIMIT: usize = 65_536;
/// Maximum ATT&CK techniques per tuple.
pub const TECHNIQUE_LIMIT: usize = 16;

/// The distributions that standalone alerts are drawn from.
///
/// 1. `tuples` is not empty and every `count` is positive.
/// 2. Order is by descending count, then by the other fields, never by hash.
/// 3. The embedded default has no external addresses: its `external_*` are empty.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    pub version: u32,
    /// Number of rows fitted, their table, and notes about what it lacks (the caller prints them on stderr).
    pub rows: u64,
    pub table: String,
    pub missing: Vec<String>,
    pub severity_scale: SeverityScale,
    /// Reason for the scale, for the user; empty if there was no choice.
    #[serde(default)]
    pub severity_reason: String,
    /// Joint tuples, so that a signature never appears with another rule's category.
    pub tuples: Vec<Tuple>,
    /// Public addresses seen mostly as clients, and mostly as servers, with counts. An address is in one
    /// list only.
    pub external_clients: Vec<(String, u64)>,
    pub external_services: Vec<(String, u64)>,
    /// Good–Turing: share of singletons among draws of public addresses, in parts per million, per side.
    pub unseen_clients_ppm: u32,
    pub unseen_services_ppm: u32,
    /// Counts of private addresses by rank, descending, per side.
    pub internal_clients: Vec<u64>,
    pub internal_services: Vec<u64>,
    /// The private addresses of those ranks, so that an address in the CMDB is that host. Empty in the default.
    pub internal_client_addresses: Vec<String>,
    pub internal_service_addresses: Vec<String>,
    /// Multicast and broadcast destinations with counts. They are public knowledge, so the default keeps them.
    pub multicast: Vec<(String, u64)>,
    /// Joint bytes to server and to client per (protocol, application): at most 64 pairs at equal
    /// quantiles of the sum, ascending. The key is like `("tcp", Some("http"))`; `("tcp", None)` is the
    /// fallback of a protocol.
    pub bytes: Vec<ByteTable>,
    /// Alerts by UTC hour, if the database has ≥ 50 alerts on each of ≥ 14 days within 60.
    pub hours: Option<Vec<u64>>,
}

/// The direction of the packet that triggered the alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    ToServer,
    ToClient,
    /// The database has no direction.
    Unknown,
}

/// Number of flows of a tuple by the class of their two ends: client first, then server
/// (for `to_client` alerts the source is the server). They sum to the tuple's `count`, or to less
/// (even 0) if the database lacks addresses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ends {
    pub internal_internal: u64,
    pub internal_external: u64,
    pub external_internal: u64,
    pub external_external: u64,
    /// The server is a multicast or broadcast address.
    pub multicast: u64,
}

/// One combination of values in real alerts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tuple {
    pub signature: String,
    pub signature_id: Option<u64>,
    /// Raw category name; `None` becomes `uncategorized`.
    pub category: Option<String>,
    /// The table's severity, as [`SeverityScale::number`] stores it.
    pub severity: Option<i64>,
    /// Lower case: `tcp`, `udp`, `icmp`, `ipv6-icmp`…
    pub protocol: String,
    /// Suricata's application protocol in lower case, including `failed`.
    pub application: Option<String>,
    pub direction: Direction,
    /// `allowed` or `blocked`.
    pub action: String,
    /// Destination port of `to_server` and unknown alerts, source port of `to_client` ones;
    /// `None` if the protocol has no ports.
    pub service_port: Option<u16>,
    /// The alerts outside the 256 most frequent ports of a combination: the port is drawn from 1–65535.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spread_ports: bool,
    pub count: u64,
    pub ends: Ends,
    /// Client ports with counts, most frequent first: those below 32768 that several pairs of hosts used
    /// (123, 5060…), and, for `to_client` alerts, whose destination they are, all that were seen twice.
    /// The rest of `count` is drawn from the client's ephemeral range.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub client_ports: Vec<(u16, u64)>,
    /// ATT&CK ids from the rule's own metadata (`mitre_technique_id` in the raw JSON).
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
