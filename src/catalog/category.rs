//! Categories of events, with their detection rules and ATT&CK technique.

/// A detection rule of a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    pub id: u64,
    pub name: String,
    /// The seed's scale: 1 low, 2 medium, 3 high, 4 critical.
    pub severity: u8,
}

/// A category of events; one directory level of the corpus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Category {
    /// Slug `[a-z][a-z0-9_]*`, at most 64 bytes.
    pub name: String,
    /// Detection rules; empty if the category only holds ordinary events.
    pub signatures: Vec<Signature>,
    /// Index into `Catalog::techniques`; none for ordinary activity.
    pub technique: Option<usize>,
    /// The category's tactic: index into the technique's `tactics`.
    pub tactic: usize,
    /// Category names of other tools (Suricata's classtype descriptions) that map to this category.
    pub classtypes: Vec<String>,
}
