//! The MITRE ATT&CK v18.1 techniques that the catalog uses.
//!
//! `data/catalog/attack.toml` is generated from ATT&CK's own data, so all names and tactics are
//! ATT&CK's.

/// One technique or sub-technique.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Technique {
    /// `T1021.002`.
    pub id: String,
    /// ATT&CK's name: `SMB/Windows Admin Shares`.
    pub name: String,
    /// Tactics it belongs to, ATT&CK's names: `Lateral Movement`.
    pub tactics: Vec<String>,
    /// ATT&CK's ids of those tactics, in the same order: `TA0008`.
    pub tactic_ids: Vec<String>,
    /// ATT&CK's platforms: `Windows`, `Linux`, `PRE`…
    pub platforms: Vec<String>,
}
