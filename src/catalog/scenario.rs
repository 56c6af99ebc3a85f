//! Benign scenarios: the noise in which detections must not see an attack.

use super::place::HostClass;
use super::record::Record;

/// Which hosts a scenario visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visit {
    /// Every host of the class in turn. `round_robin`
    RoundRobin,
    /// Hosts whose users are at work. `active`
    Active,
    /// Any host of the class. `any`
    Any,
}

/// The verdict label of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Verdict {
    Attack,
    Attempt,
    BenignTrigger,
    BenignSuspicious,
    Benign,
}

impl Verdict {
    /// The words of all verdicts, in their order.
    pub const WORDS: [&str; 5] = [
        "attack",
        "attempt",
        "benign_trigger",
        "benign_suspicious",
        "benign",
    ];

    /// `labels.verdict`.
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }
}

/// Records that occur together in order, such as a session from its login to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequence {
    pub rows: u8,
    /// Number of records before the first that closes a session.
    pub opening: u8,
    /// Bit i: record i belongs to the same audit event as the one before it.
    pub companions: u16,
    /// Bit i: a person pauses before record i.
    pub pauses: u16,
    /// Its number among the sequences that open an audit session; `None` if it opens none.
    pub number: Option<u8>,
}

/// A variant of a scenario. All its rows are in one category.
#[derive(Debug, Clone)]
pub struct Variant {
    /// Index into `Catalog::categories`.
    pub category: usize,
    /// Weight within the scenario; 0: never.
    pub weight: u32,
    pub hosts: HostClass,
    pub visit: Visit,
    pub verdict: Verdict,
    /// The records. A row is one of them, drawn uniformly, unless they form a sequence. Records of a
    /// sequence may name processes that an earlier one starts; the `process` of others is a resident.
    pub records: Vec<Record>,
    /// If the records form a sequence, every run has all of them in order.
    pub sequence: Option<Sequence>,
    /// Whether people do it by hand: few rows at a time, seconds apart. In a sequence, this applies to
    /// the commands.
    pub people: bool,
    /// Why an analyst would close it.
    pub reason: String,
}

/// A benign scenario.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// `labels.noise_type`.
    pub name: String,
    /// Weight among the scenarios; 0: never. Process life is not part of it.
    pub weight: u32,
    pub variants: Vec<Variant>,
}
