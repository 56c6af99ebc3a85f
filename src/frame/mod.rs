//! A block of events as plain vectors of decisions.
//!
//! One file per population kind fills a [`Frame`]: which host, which account, which
//! process, which rule, when. Nothing here knows a column, a schema or a file
//! format; the columns read a frame and never decide anything.

mod alerts;
mod calls;
mod chain;
mod life;
mod lineage;
mod maker;
mod merge;
mod noise;
mod owners;
mod record;
mod sessions;
mod text;
mod text_column;

pub use calls::{CallRow, Calls};
pub use chain::Actor;
pub use maker::Maker;
pub use merge::{Order, Row};
pub use text::hashes as file_hashes;
pub use text_column::TextColumn;

use crate::catalog::{DATA_SLOTS, Telemetry, scenario::Verdict};
use crate::world::Process;

/// Rows that a frame holds at most; also the rows of a batch. Part of the format version.
pub const FRAME_ROWS: usize = 16 * 1024;

/// No value.
pub const NONE: i32 = -1;

/// Processes of a frame's rows.
#[derive(Debug, Clone)]
pub struct ProcessColumns {
    /// Pid; 0 with image [`NONE`] where the row has no process.
    pub pid: Vec<u32>,
    /// Index into the catalog's images.
    pub image: Vec<i32>,
    /// Path: known are the catalog's fixed paths, by image.
    pub path: TextColumn,
    /// Command line: known are the residents' fixed ones, by resident.
    pub command: TextColumn,
    pub account: Vec<i32>,
    /// Unix microseconds.
    pub start: Vec<i64>,
    pub sequence: Vec<u32>,
    pub boot: Vec<u16>,
    pub session_id: Vec<u64>,
    pub session_start: Vec<i64>,
}

impl ProcessColumns {
    fn new(rows: usize, images: usize, residents: usize) -> Self {
        ProcessColumns {
            pid: vec![0; rows],
            image: vec![NONE; rows],
            path: TextColumn::new(rows, images),
            command: TextColumn::new(rows, residents),
            account: vec![NONE; rows],
            start: vec![0; rows],
            sequence: vec![0; rows],
            boot: vec![0; rows],
            session_id: vec![0; rows],
            session_start: vec![0; rows],
        }
    }

    fn clear(&mut self, row: usize) {
        self.set(row, &Process::default());
        self.image[row] = NONE;
        self.account[row] = NONE;
        self.path.set_key(row, NONE);
        self.command.set_key(row, NONE);
    }

    #[inline]
    fn set(&mut self, row: usize, process: &Process) {
        self.pid[row] = process.pid;
        self.image[row] = process.image as i32;
        self.account[row] = process.account as i32;
        self.start[row] = process.start;
        self.sequence[row] = process.sequence;
        self.boot[row] = process.boot;
        self.session_id[row] = process.session.id;
        self.session_start[row] = process.session.start;
    }
}

/// A block of rows of one partition, in order of time.
///
/// 1. Every vector has `len` entries.
/// 2. A row with `rule` is an alert; without, an event.
/// 3. `native` never follows `time`, and never precedes the start of the row's process.
#[derive(Debug, Clone)]
pub struct Frame {
    pub len: usize,
    /// Index into the world's categories; the same for all rows.
    pub category: u32,
    /// `event.sequence` of row 0; the others follow.
    pub first_sequence: i64,
    /// `@timestamp`, Unix microseconds.
    pub time: Vec<i64>,
    /// When the endpoint's own record says it happened (UtcTime), Unix microseconds.
    pub native: Vec<i64>,
    pub telemetry: Vec<Telemetry>,
    pub host: Vec<i32>,
    /// Account the row is about.
    pub user: Vec<i32>,
    /// Linux: the account that logged in to the session of the row's process (auid); none for daemons.
    pub login: Vec<i32>,
    /// Index into the world's detections.
    pub rule: Vec<i32>,
    pub verdict: Vec<Verdict>,
    /// Index into the catalog's scenarios; life is one past the last.
    pub noise: Vec<i32>,
    pub blocked: Vec<bool>,
    pub success: Vec<bool>,

    /// Indices into the world's addresses. Source is the sender of what the sensor saw.
    pub source: Vec<i32>,
    pub destination: Vec<i32>,
    /// Ports, [`NONE`] where the protocol has none.
    pub source_port: Vec<i32>,
    pub destination_port: Vec<i32>,
    pub source_bytes: Vec<i64>,
    pub destination_bytes: Vec<i64>,
    /// Indices into the vocabulary.
    pub protocol: Vec<i32>,
    pub application: Vec<i32>,
    /// 0 none, 1 to_server, 2 to_client, as the sensor says.
    pub direction: Vec<u8>,
    /// The client's end is `source` (else `destination`).
    pub client_is_source: Vec<bool>,

    pub process: ProcessColumns,
    pub parent: ProcessColumns,
    pub directory: TextColumn,
    /// 0 `-`, then the vocabulary's integrity levels.
    pub integrity: Vec<u8>,
    /// Known are the catalog's hashes, by image × operating system.
    pub hashes: TextColumn,

    pub file: TextColumn,
    pub registry: TextColumn,
    pub details: TextColumn,
    pub query: TextColumn,
    /// Address the query resolved to.
    pub answer: Vec<i32>,
    pub query_status: Vec<u32>,
    pub url: TextColumn,
    /// Syslog: the line. Clouds and services: the request's parameters.
    pub message: TextColumn,
    /// Values of the record's own, in the slots of `Telemetry::data`.
    pub data: [TextColumn; DATA_SLOTS],
    pub syscall: Vec<i32>,
    pub audit_key: Vec<i32>,
    pub facility: Vec<u8>,
    pub syslog_severity: Vec<u8>,
    pub logon_type: Vec<u8>,
    /// What clouds and services tell of.
    pub calls: Calls,
    /// 64 bits of the row's own for values without meaning (thread ids, syscall arguments).
    pub salt: Vec<u64>,

    /// Index into the plan's chains.
    pub chain: Vec<i32>,
    pub step: Vec<u8>,
    /// 1-based, over the chain's events.
    pub attack_sequence: Vec<u32>,
}

impl Frame {
    fn new(rows: usize, category: u32, first_sequence: i64, maker: &Maker) -> Self {
        let (images, residents) = (maker.catalog.images.len(), maker.catalog.residents.len());
        let text = || TextColumn::new(rows, 0);
        Frame {
            len: rows,
            category,
            first_sequence,
            time: vec![0; rows],
            native: vec![0; rows],
            telemetry: vec![Telemetry::Syslog; rows],
            host: vec![0; rows],
            user: vec![0; rows],
            login: vec![NONE; rows],
            rule: vec![NONE; rows],
            verdict: vec![Verdict::Benign; rows],
            noise: vec![NONE; rows],
            blocked: vec![false; rows],
            success: vec![true; rows],
            source: vec![NONE; rows],
            destination: vec![NONE; rows],
            source_port: vec![NONE; rows],
            destination_port: vec![NONE; rows],
            source_bytes: vec![0; rows],
            destination_bytes: vec![0; rows],
            protocol: vec![NONE; rows],
            application: vec![NONE; rows],
            direction: vec![0; rows],
            client_is_source: vec![true; rows],
            process: ProcessColumns::new(rows, images, residents),
            parent: ProcessColumns::new(rows, images, residents),
            directory: text(),
            integrity: vec![0; rows],
            hashes: TextColumn::new(rows, images * maker.world.hosts.systems.len()),
            file: text(),
            registry: text(),
            details: text(),
            query: text(),
            answer: vec![NONE; rows],
            query_status: vec![0; rows],
            url: text(),
            message: text(),
            data: std::array::from_fn(|_| text()),
            syscall: vec![NONE; rows],
            audit_key: vec![NONE; rows],
            facility: vec![0; rows],
            syslog_severity: vec![0; rows],
            logon_type: vec![0; rows],
            calls: Calls::default(),
            salt: vec![0; rows],
            chain: vec![NONE; rows],
            step: vec![0; rows],
            attack_sequence: vec![0; rows],
        }
    }

    /// Sets the moment of a row's native record: `lag` before `time`, but not before its process starts.
    #[inline]
    fn set_native(&mut self, row: usize, lag: i64, process: Option<&Process>) {
        let time = self.time[row];
        let room = process.map_or(i64::MAX, |p| ((time - p.start) / 2).max(0));
        self.native[row] = time - lag.min(room);
    }

    /// The same for a row whose process is set.
    #[inline]
    fn set_native_from_process(&mut self, row: usize, lag: i64) {
        let time = self.time[row];
        let room = if self.process.image[row] == NONE {
            i64::MAX
        } else {
            ((time - self.process.start[row]) / 2).max(0)
        };
        self.native[row] = time - lag.min(room);
    }
}

/// How long after the record `@timestamp` stands, in microseconds.
///
/// Source: TimeCreated − UtcTime of real Sysmon records: 2–21 ms for event 1, up to 13 ms
/// for 11 and 13, median 1.2 s with a long tail for 3 (batching), 2–7 s for 22.
#[inline]
pub(crate) fn lag(telemetry: Telemetry, bits: u64) -> i64 {
    use crate::random::{below, log_uniform};
    let us = match telemetry {
        Telemetry::ProcessCreation | Telemetry::ProcessTermination => 2_000 + below(bits, 19_000),
        Telemetry::FileCreate
        | Telemetry::RegistrySet
        | Telemetry::FileTimeChanged
        | Telemetry::SysmonState
        | Telemetry::DriverLoaded
        | Telemetry::ImageLoaded
        | Telemetry::RemoteThread
        | Telemetry::ProcessAccess
        | Telemetry::RegistryKey
        | Telemetry::StreamCreated
        | Telemetry::SysmonConfig
        | Telemetry::PipeCreated
        | Telemetry::PipeConnected
        | Telemetry::WmiFilter
        | Telemetry::WmiConsumer
        | Telemetry::WmiBinding
        | Telemetry::FileDeleted
        | Telemetry::ProcessTampering
        | Telemetry::FileDeleteLogged => below(bits, 13_000),
        Telemetry::NetworkConnection => log_uniform(bits, 240_000, 6_000_000),
        Telemetry::DnsQuery => 2_000_000 + below(bits, 5_000_000),
        // These records carry no time of their own besides the log's.
        _ => 0,
    };
    us as i64
}
