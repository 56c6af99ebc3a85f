//! A block of events as plain vectors of decisions.
//!
//! One type per population kind fills a [`Frame`]: which host, which account, which
//! process, which rule, when. Nothing here knows a column, a schema or a file
//! format; the columns read a frame and never decide anything.
//!
//! From the bottom up: columns of a frame (`text_column`, `sparse`, `calls`), words and
//! tables (`vocabulary`, `recipe`, `owners`), where a record happens (`scene`) and its
//! texts (`words`, `text`), its sessions and processes (`sessions`, `lineage`, `logins`,
//! `processes`), the record as a row (`cloud`, `record`), one filler per population kind
//! (`chain`, `days`, `noise`, `life`, `alerts`), and [`Maker`], which holds what they borrow. `merge`
//! decides the order of rows before any is filled.

mod alerts;
mod calls;
mod chain;
mod cloud;
mod days;
mod life;
mod lineage;
mod logins;
mod maker;
mod merge;
mod noise;
mod owners;
mod processes;
mod recipe;
mod record;
mod scene;
mod sessions;
mod sparse;
mod text;
mod text_column;
mod vocabulary;
mod words;

pub use calls::{CallRow, Calls};
pub use chain::Actor;
pub use maker::Maker;
pub use merge::{Order, Row, Source};
pub use sparse::Sparse;
pub use text_column::TextColumn;
pub use words::{hashes as file_hashes, hashes_with as file_hashes_with, program as program_key};

use crate::catalog::scenario::Verdict;
use crate::ids::{AccountId, HostId, ImageId, Optional, RuleId};
use crate::kinds::{DATA_SLOTS, Telemetry};
use crate::world::Process;

/// Most rows of a frame, and of a batch. Part of the format version.
pub const FRAME_ROWS: usize = 16 * 1024;

/// No value.
pub const NONE: i32 = -1;

/// One process per row.
#[derive(Debug, Clone)]
pub struct ProcessColumns {
    /// Pid; 0 and no image where the row has no process.
    pub pid: Vec<u32>,
    pub image: Vec<Optional<ImageId>>,
    /// Path; keys below `known` are images whose path is fixed.
    pub path: TextColumn,
    /// Command line; keys below `known` are residents whose command line is fixed.
    pub command: TextColumn,
    pub account: Vec<Optional<AccountId>>,
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
            image: vec![Optional::NONE; rows],
            path: TextColumn::new(rows, images),
            command: TextColumn::new(rows, residents),
            account: vec![Optional::NONE; rows],
            start: vec![0; rows],
            sequence: vec![0; rows],
            boot: vec![0; rows],
            session_id: vec![0; rows],
            session_start: vec![0; rows],
        }
    }

    fn clear(&mut self, row: usize) {
        self.set(row, &Process::default());
        self.image[row] = Optional::NONE;
        self.account[row] = Optional::NONE;
        self.path.set_key(row, NONE);
        self.command.set_key(row, NONE);
    }

    #[inline]
    fn set(&mut self, row: usize, process: &Process) {
        self.pid[row] = process.pid;
        self.image[row] = process.image.into();
        self.account[row] = process.account.into();
        self.start[row] = process.start;
        self.sequence[row] = process.sequence;
        self.boot[row] = process.boot;
        self.session_id[row] = process.session.id;
        self.session_start[row] = process.session.start;
    }
}

/// The process that a row's process acts on: Sysmon's target of events 8 and 10.
#[derive(Debug, Clone)]
pub struct Targets {
    /// The process, by row.
    pub processes: Sparse<Process>,
    /// Its path; keys below `known` are images whose path is fixed.
    pub path: TextColumn,
}

/// Sizes of the tables that the keys of a frame's text columns point into.
#[derive(Debug, Clone, Copy)]
struct KnownTexts {
    images: usize,
    residents: usize,
    systems: usize,
}

/// A block of rows of one row group, in order of time.
///
/// 1. Every vector has `len` entries.
/// 2. A row with `rule` is an alert; without, an event.
/// 3. `native` never follows `time`, and never precedes the start of the row's process.
#[derive(Debug, Clone)]
pub struct Frame {
    pub len: usize,
    /// Index into the world's categories.
    pub category: Vec<u32>,
    /// `event.sequence`.
    pub sequence: Vec<i64>,
    /// `@timestamp`, Unix microseconds.
    pub time: Vec<i64>,
    /// The time in the endpoint's own record (UtcTime), Unix microseconds.
    pub native: Vec<i64>,
    /// The kind of record; `src/kinds/` has a row for each.
    pub telemetry: Vec<Telemetry>,
    pub host: Vec<HostId>,
    /// Account the row is about.
    pub user: Vec<AccountId>,
    /// Linux: the account that logged in to the session of the row's process (auid); none for daemons.
    pub login: Vec<Optional<AccountId>>,
    /// The rule that fired.
    pub rule: Vec<Optional<RuleId>>,
    pub verdict: Vec<Verdict>,
    /// Index into the catalog's scenarios; one past the last for process life.
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
    /// The sensor's direction: 0 none, 1 to_server, 2 to_client.
    pub direction: Vec<u8>,
    /// The client's end is `source` (else `destination`).
    pub client_is_source: Vec<bool>,

    /// The process that the record is about.
    pub process: ProcessColumns,
    /// The process that started it, where the record names it.
    pub parent: ProcessColumns,
    /// The process that it acts on.
    pub targets: Targets,
    pub directory: TextColumn,
    /// 0 `-`, then the vocabulary's integrity levels.
    pub integrity: Vec<u8>,
    /// Keys below `known` are the hashes of an image on an operating system, image-major.
    pub hashes: TextColumn,

    pub file: TextColumn,
    pub registry: TextColumn,
    pub details: TextColumn,
    pub query: TextColumn,
    /// Address the query resolved to.
    pub answer: Vec<i32>,
    pub query_status: Vec<u32>,
    pub url: TextColumn,
    /// The line of a syslog record.
    pub message: TextColumn,
    /// Parameters of a call to a cloud or service, as JSON.
    pub request: TextColumn,
    /// Values that the record itself gives, in the slots of `Telemetry::data`.
    pub data: [TextColumn; DATA_SLOTS],
    pub syscall: Vec<i32>,
    pub audit_key: Vec<i32>,
    pub facility: Vec<u8>,
    pub syslog_severity: Vec<u8>,
    pub logon_type: Vec<u8>,
    /// The calls that clouds and services record.
    pub calls: Calls,
    /// 64 random bits per row, for values without meaning (thread ids, syscall arguments).
    pub salt: Vec<u64>,

    /// Index into the plan's chains.
    pub chain: Vec<i32>,
    pub step: Vec<u8>,
    /// 1-based, over the chain's events.
    pub attack_sequence: Vec<u32>,
}

impl Frame {
    fn new(sequence: Vec<i64>, known: KnownTexts) -> Self {
        let rows = sequence.len();
        let KnownTexts {
            images,
            residents,
            systems,
        } = known;
        let text = || TextColumn::new(rows, 0);
        Frame {
            len: rows,
            category: vec![0; rows],
            sequence,
            time: vec![0; rows],
            native: vec![0; rows],
            telemetry: vec![Telemetry::Syslog; rows],
            host: vec![HostId::default(); rows],
            user: vec![AccountId::default(); rows],
            login: vec![Optional::NONE; rows],
            rule: vec![Optional::NONE; rows],
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
            targets: Targets {
                processes: Sparse::default(),
                path: TextColumn::new(rows, images),
            },
            directory: text(),
            integrity: vec![0; rows],
            hashes: TextColumn::new(rows, images * systems),
            file: text(),
            registry: text(),
            details: text(),
            query: text(),
            answer: vec![NONE; rows],
            query_status: vec![0; rows],
            url: text(),
            message: text(),
            request: text(),
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

    /// Sets the rule that a row's record raises. A sensor that alerts on a connection has seen what the
    /// client sent.
    fn raise(&mut self, row: usize, rule: RuleId) {
        self.rule[row] = rule.into();
        if self.source[row] != NONE {
            self.direction[row] = 1;
        }
    }

    /// Sets `native`: `lag` microseconds before `time`, but not before the row's process starts.
    #[inline]
    fn set_native(&mut self, row: usize, lag: i64, process: Option<&Process>) {
        self.set_native_after(row, lag, process.map(|process| process.start));
    }

    /// As [`set_native`](Self::set_native), for a row whose process is already set.
    #[inline]
    fn set_native_from_process(&mut self, row: usize, lag: i64) {
        let is_set = self.process.image[row].is_some();
        self.set_native_after(row, lag, is_set.then_some(self.process.start[row]));
    }

    #[inline]
    fn set_native_after(&mut self, row: usize, lag: i64, start: Option<i64>) {
        let time = self.time[row];
        let room = start.map_or(i64::MAX, |start| ((time - start) / 2).max(0));
        self.native[row] = time - lag.min(room);
    }
}
