//! What figures need of one record of Sysmon.

use std::net::IpAddr;

use crate::check::facts::{Facts, digest};
use crate::check::fields::{EventRow, Field as F};
use crate::check::records::{Guid, utc};
use crate::grounding::address::{AddressKind, kind};

/// Programs whose lifetimes have a figure: a tool that does one thing, a shell, its console, and a host of
/// COM objects that ends after five idle seconds.
pub const PROGRAMS: [&str; 4] = ["reg.exe", "cmd.exe", "conhost.exe", "dllhost.exe"];

/// A record; texts are digests.
pub struct Record {
    /// Order in the host's log: record id, time, and `event.sequence` so that no two are equal.
    pub place: (i64, i64, i64),
    /// `UtcTime` in microseconds.
    pub time: i64,
    pub kind: i64,
    /// Whether it is of the host's own life; of others, only process starts are read.
    pub own: bool,
    /// ProcessGuid of the process that acts.
    pub process: u64,
    pub what: What,
}

/// The fields of a kind of record.
pub enum What {
    Start(Start),
    Flow(Flow),
    Query(Query),
    /// Event 12, with the image as it is spelled here.
    Key {
        image: u64,
        object: u64,
    },
    /// Event 13; `number` if the data is a DWORD.
    Value {
        image: u64,
        object: u64,
        number: Option<u64>,
    },
    /// Event 11, with the file's time of creation.
    File {
        image: u64,
        created: Option<i64>,
    },
    Other,
}

/// Event 1.
pub struct Start {
    pub image: u64,
    pub parent: u64,
    pub pid: i64,
    /// Boot and number of the process since the boot.
    pub ordinal: u64,
    /// Index in [`PROGRAMS`].
    pub program: Option<usize>,
    /// The file version, if the program is one of Windows' own.
    pub build: Option<u64>,
}

/// Event 3.
pub struct Flow {
    pub tcp: bool,
    pub initiated: bool,
    pub port: Option<i64>,
    /// The other end; `None` if it is no address.
    pub peer: Option<IpAddr>,
    pub public: bool,
}

/// Event 22.
pub struct Query {
    /// Whether it was answered.
    pub answered: bool,
    pub alias: bool,
    pub addresses: Box<[IpAddr]>,
}

impl Record {
    /// Takes a record from a row; `None` if it lacks what every record has.
    pub fn read(facts: &Facts, row: &EventRow<'_>) -> Option<Self> {
        let kind = row.integer(F::EventId)?;
        let guid = row
            .text(F::ProcessGuid)
            .or_else(|| row.text(F::SourceProcessGuid));
        let text = |field: F| digest(&row.text(field));
        let what = match kind {
            1 => What::Start(start(row)),
            3 => What::Flow(flow(facts, row)),
            11 => What::File {
                image: text(F::Image),
                created: row.text(F::CreationTime).and_then(utc),
            },
            12 => What::Key {
                image: text(F::Image),
                object: text(F::TargetObject),
            },
            13 => What::Value {
                image: text(F::Image),
                object: text(F::TargetObject),
                number: row
                    .text(F::Details)
                    .filter(|details| details.starts_with("DWORD"))
                    .map(|details| digest(&details)),
            },
            22 => What::Query(query(row)),
            _ => What::Other,
        };
        Some(Record {
            place: (
                row.integer(F::RecordId)?,
                row.integer(F::Time)?,
                row.integer(F::Sequence)?,
            ),
            time: row.text(F::UtcTime).and_then(utc)?,
            kind,
            own: row.is_own_life(),
            process: digest(&guid),
            what,
        })
    }
}

fn start(row: &EventRow<'_>) -> Start {
    let image = row.text(F::Image).unwrap_or("");
    let lower = image.to_lowercase();
    let name = lower.rsplit('\\').next().unwrap_or("");
    let build = row
        .text(F::FileVersion)
        .filter(|version| version.starts_with("10.0.") && lower.starts_with(r"c:\windows\"));
    Start {
        image: digest(&Some(image)),
        parent: digest(&row.text(F::ParentProcessGuid)),
        pid: row.integer(F::ProcessId).unwrap_or(0),
        ordinal: (row.text(F::ProcessGuid).and_then(Guid::parse)).map_or(0, |guid| guid.tail),
        program: PROGRAMS.iter().position(|program| *program == name),
        build: build.map(|version| digest(&version)),
    }
}

fn flow(facts: &Facts, row: &EventRow<'_>) -> Flow {
    let peer: Option<IpAddr> = row
        .text(F::FlowDestinationIp)
        .and_then(|text| text.parse().ok());
    Flow {
        tcp: row.text(F::FlowProtocol) == Some("tcp"),
        initiated: row.text(F::Initiated) == Some("true"),
        port: row.integer(F::FlowSourcePort),
        peer,
        public: peer.is_some_and(|peer| {
            kind(peer) == AddressKind::External && !facts.inside.contains(&peer)
        }),
    }
}

/// `type:  5 alias.example;::ffff:192.0.2.1;`
fn query(row: &EventRow<'_>) -> Query {
    let answers = row.text(F::QueryResults).unwrap_or("");
    let addresses = answers.split(';').filter_map(|answer| {
        let bare = answer.strip_prefix("::ffff:").unwrap_or(answer);
        bare.parse().ok()
    });
    Query {
        answered: !["", "-"].contains(&answers),
        alias: answers.contains("type:  5 "),
        addresses: addresses.collect(),
    }
}
