//! Benign scenarios: the noise that detections must not be wrong about.

use super::record::{HostClass, Record};

/// Whom a scenario visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visit {
    /// Every host of the class in turn. `round_robin`
    RoundRobin,
    /// Hosts whose users are at work. `active`
    Active,
    /// Any host of the class. `any`
    Any,
}

/// What a label says about a row.
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
    /// `labels.verdict`.
    pub const fn word(self) -> &'static str {
        match self {
            Verdict::Attack => "attack",
            Verdict::Attempt => "attempt",
            Verdict::BenignTrigger => "benign_trigger",
            Verdict::BenignSuspicious => "benign_suspicious",
            Verdict::Benign => "benign",
        }
    }
}

/// Records that come together, in their order: a session from its login to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequence {
    pub rows: u8,
    /// How many stand before the first that closes a session.
    pub opening: u8,
    /// Bit i: record i tells of the same audit event as the one before it.
    pub companions: u16,
    /// Bit i: before record i somebody thinks, and types.
    pub pauses: u16,
    /// Among the sequences that open an audit session; none where it stands in another's.
    pub number: Option<u8>,
}

/// One way a scenario shows; all its rows are in one category.
#[derive(Debug, Clone)]
pub struct Variant {
    /// Index into `Catalog::categories`.
    pub category: usize,
    pub weight: u32,
    pub hosts: HostClass,
    pub visit: Visit,
    pub verdict: Verdict,
    /// Records a row is drawn from, equally. Those of a sequence may name processes that an
    /// earlier one starts; others stand alone, and their `process` is a resident.
    pub records: Vec<Record>,
    /// All of its records come in each run, in their order.
    pub sequence: Option<Sequence>,
    /// Its rows are what people do by hand: few at a time, seconds apart; of a sequence, its commands are.
    pub people: bool,
    /// Why an analyst would close it.
    pub reason: String,
}

/// A benign scenario.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// `labels.noise_type`.
    pub name: String,
    /// Share of the noise that isn't process life.
    pub weight: u32,
    pub variants: Vec<Variant>,
}
