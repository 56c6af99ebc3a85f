//! Keyword rules: telemetry and ATT&CK for a signature or category the catalog doesn't list.

use super::record::{Platform, Record};

/// If a keyword occurs (whole word, without case) in a signature or raw category, the rest follows.
///
/// Rules are tried in file order; the first that matches wins.
#[derive(Debug, Clone)]
pub struct Heuristic {
    pub name: String,
    /// Lower-case words, each `[a-z0-9$_.-]+`; one is enough. A word boundary is any other character.
    pub keywords: Vec<String>,
    /// `true`: looked for in the signature; `false`: in the raw category.
    pub in_signature: bool,
    /// Index into `Catalog::techniques`, if the keyword says as much.
    pub technique: Option<usize>,
    /// Index into that technique's tactics.
    pub tactic: usize,
    /// Endpoint the alert must be on, if it follows from the keyword (SMB, WinRM → Windows; ELF → Linux).
    pub platform: Option<Platform>,
    /// The endpoint record such an alert stands on; none: the flow itself.
    /// Only for signatures without a service port (endpoint detections).
    pub records: Vec<Record>,
}
