//! Playbooks: how an attack runs, step by step.

use super::record::{HostClass, Record};

/// One step of an attack.
#[derive(Debug, Clone)]
pub struct Step {
    /// `attack.stage`: ATT&CK's tactic name.
    pub stage: String,
    /// Index into `Catalog::categories`.
    pub category: usize,
    /// Index into `Catalog::techniques`, and the tactic's index in it.
    pub technique: usize,
    pub tactic: usize,
    /// Seconds between the end of the step before and this one's start, `[low, high]`.
    pub delay: [u32; 2],
    /// Records of all alternatives, one alternative after the other.
    pub records: Vec<Record>,
    /// The ways it may go; one is drawn per chain. At least one.
    pub alternatives: Vec<Alternative>,
    /// Rounds: `[low, high]`; when `scales`, a keyed heavy-tailed count times the plan's volume factor.
    pub rounds: [u32; 2],
    pub scales: bool,
    /// Seconds that a round takes on average; a step's span is rounds × this, within the playbook's limit.
    pub round_seconds: u32,
    /// Per mille: the step is blocked (its alerts say `blocked`/`failure`); the chain stops there
    /// with half of that probability.
    pub blocked: u16,
}

/// One way a step may go: the records of one round, in order; at least one has `alert`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    pub weight: u32,
    /// Where its records stand in the step's.
    pub records: std::ops::Range<usize>,
    /// Bit i: record i tells of the same audit event as the one before it.
    pub companions: u64,
    /// Bit i: before record i somebody thinks, and types.
    pub pauses: u64,
}

/// A kind of attack chain.
#[derive(Debug, Clone)]
pub struct Playbook {
    pub name: String,
    pub weight: u32,
    /// Classes of the chain's hosts in order: victim first, then where it moves.
    pub hosts: Vec<HostClass>,
    pub steps: Vec<Step>,
    /// Number of processes that its records start.
    pub processes: usize,
}
