//! Playbooks: attack chains, step by step.

use super::place::HostClass;
use super::record::Record;

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
    /// Seconds between the end of the previous step and the start of this one, `[low, high]`.
    pub delay: [u32; 2],
    /// Records of all alternatives, one alternative after the other.
    pub records: Vec<Record>,
    /// The alternatives, at least one. One is drawn per chain.
    pub alternatives: Vec<Alternative>,
    /// Rounds: `[low, high]`; when `scales`, a keyed heavy-tailed count times the plan's volume factor.
    pub rounds: [u32; 2],
    pub scales: bool,
    /// Mean seconds per round. A step takes rounds × this, within the playbook's limit.
    pub round_seconds: u32,
    /// Probability per mille that the step is blocked (its alerts say `blocked`/`failure`). The chain
    /// stops there with half of that probability.
    pub blocked: u16,
}

/// An alternative of a step: the records of one round, in order. At least one has `alert`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    pub weight: u32,
    /// Its range of the step's records.
    pub records: std::ops::Range<usize>,
    /// Bit i: record i belongs to the same audit event as the one before it.
    pub companions: u64,
    /// Bit i: a person pauses before record i.
    pub pauses: u64,
}

/// A kind of attack chain.
#[derive(Debug, Clone)]
pub struct Playbook {
    pub name: String,
    /// What happens: the comment at the head of its file.
    pub about: String,
    /// Weight among the playbooks; 0: never.
    pub weight: u32,
    /// Classes of the chain's hosts: the victim first, then those it moves to.
    pub hosts: Vec<HostClass>,
    pub steps: Vec<Step>,
    /// Number of processes that its records start.
    pub processes: usize,
}
