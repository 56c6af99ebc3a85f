//! Keyword rules: records and ATT&CK technique of signatures and categories that the catalog does
//! not list.

use super::record::Record;
use crate::kinds::Platform;

/// A rule that applies if a keyword occurs in a signature or raw category, as a whole word in any
/// case.
///
/// Rules are tried in file order; the first match wins.
#[derive(Debug, Clone)]
pub struct Heuristic {
    pub name: String,
    /// Lower-case words, each `[a-z0-9$_.-]+`; one match is enough. Any other character is a word
    /// boundary.
    pub keywords: Vec<String>,
    /// Whether the keywords apply to the signature; otherwise to the raw category.
    pub in_signature: bool,
    /// Index into `Catalog::techniques`, if the keyword implies a technique.
    pub technique: Option<usize>,
    /// Index into that technique's tactics.
    pub tactic: usize,
    /// Platform of the host, if the keyword implies one (SMB, WinRM → Windows; ELF → Linux).
    pub platform: Option<Platform>,
    /// Endpoint records that such an alert may have; without one, the alert is about the flow alone.
    /// Only for signatures without a service port (endpoint detections).
    pub records: Vec<Record>,
}
