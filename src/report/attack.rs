//! The ATT&CK matrix: techniques by tactic, and how often a corpus has them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::truth::Techniques;
use crate::catalog::Technique;

/// Tactics of ATT&CK Enterprise v18.1, in the matrix's order.
const TACTICS: [(&str, &str); 14] = [
    ("TA0043", "Reconnaissance"),
    ("TA0042", "Resource Development"),
    ("TA0001", "Initial Access"),
    ("TA0002", "Execution"),
    ("TA0003", "Persistence"),
    ("TA0004", "Privilege Escalation"),
    ("TA0005", "Defense Evasion"),
    ("TA0006", "Credential Access"),
    ("TA0007", "Discovery"),
    ("TA0008", "Lateral Movement"),
    ("TA0009", "Collection"),
    ("TA0011", "Command and Control"),
    ("TA0010", "Exfiltration"),
    ("TA0040", "Impact"),
];

/// The matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Matrix {
    /// All tactics of ATT&CK, including empty ones, then names that are not in ATT&CK.
    pub tactics: Vec<Tactic>,
    /// Number of tactics with a technique.
    pub tactics_used: usize,
    /// Number of techniques and sub-techniques; one under several tactics counts once.
    pub techniques_used: usize,
}

/// A column of the matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tactic {
    pub id: String,
    pub name: String,
    /// Sorted by use in chains, then by alerts.
    pub techniques: Vec<Cell>,
}

/// A technique under a tactic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cell {
    pub id: String,
    /// ATT&CK's name; empty if the table of techniques does not have it.
    pub name: String,
    /// Number of chain events whose step uses it, from `truth/steps`.
    pub steps: u64,
    /// Number of events with it in `threat.*`.
    pub alerts: u64,
    /// Number of benign events that resemble it, from `truth/lookalikes`.
    pub lookalikes: u64,
    /// 0 if no chain uses it, else 1 to 4 by order of magnitude.
    pub weight: u32,
}

impl Matrix {
    /// Builds the matrix from counts.
    pub fn new(
        steps: &Techniques,
        alerts: &Techniques,
        lookalikes: &Techniques,
        names: &[Technique],
    ) -> Self {
        let names: BTreeMap<&str, &str> = names
            .iter()
            .map(|technique| (technique.id.as_str(), technique.name.as_str()))
            .collect();
        let mut columns: BTreeMap<&str, BTreeMap<&str, [u64; 3]>> = BTreeMap::new();
        for (i, counts) in [steps, alerts, lookalikes].into_iter().enumerate() {
            // Events without a technique have no cell.
            let known = counts.iter().filter(|((_, id), _)| !id.is_empty());
            for ((tactic, id), count) in known {
                columns.entry(tactic).or_default().entry(id).or_default()[i] += count;
            }
        }
        let used: BTreeSet<&str> = columns.values().flat_map(|c| c.keys().copied()).collect();
        let (tactics_used, techniques_used) = (columns.len(), used.len());
        let known = TACTICS.iter().map(|&(id, name)| (id, name));
        let unknown = columns.keys().map(|&name| ("", name));
        let unknown = unknown.filter(|(_, name)| TACTICS.iter().all(|(_, known)| known != name));
        let tactics = known
            .chain(unknown)
            .map(|(id, name)| Tactic {
                id: id.to_string(),
                name: name.to_string(),
                techniques: cells(columns.get(name), &names),
            })
            .collect();
        Matrix {
            tactics,
            tactics_used,
            techniques_used,
        }
    }
}

/// The techniques of a tactic, most used first.
fn cells(counts: Option<&BTreeMap<&str, [u64; 3]>>, names: &BTreeMap<&str, &str>) -> Vec<Cell> {
    let counts = counts.into_iter().flatten();
    let mut cells: Vec<Cell> = counts
        .map(|(&id, &[steps, alerts, lookalikes])| Cell {
            id: id.to_string(),
            name: names.get(id).copied().unwrap_or_default().to_string(),
            steps,
            alerts,
            lookalikes,
            weight: weight(steps),
        })
        .collect();
    // Stable, so that ties remain sorted by id.
    cells.sort_by_key(|c| std::cmp::Reverse((c.steps, c.alerts, c.lookalikes)));
    cells
}

/// Order of magnitude: below 10, below 100, below 1,000, and more.
fn weight(count: u64) -> u32 {
    count
        .checked_ilog10()
        .map_or(0, |digits| (digits + 1).min(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(of: &[(&str, &str, u64)]) -> Techniques {
        let each = of.iter();
        each.map(|(tactic, id, n)| ((tactic.to_string(), id.to_string()), *n))
            .collect()
    }

    #[test]
    fn a_technique_counts_once_and_stands_under_each_of_its_tactics() {
        let steps = counts(&[("Persistence", "T1053", 12), ("Execution", "T1053", 3)]);
        let alerts = counts(&[("Execution", "T1059", 9_000), ("Execution", "", 4)]);
        let matrix = Matrix::new(&steps, &alerts, &Techniques::new(), &[]);
        assert_eq!((matrix.tactics_used, matrix.techniques_used), (2, 2));
        let execution = &matrix.tactics[3];
        assert_eq!(execution.id, "TA0002");
        let ids: Vec<_> = execution.techniques.iter().map(|c| c.id.as_str()).collect();
        assert_eq!(ids, ["T1053", "T1059"], "what chains use stands first");
        assert_eq!(execution.techniques[1].weight, 0);
        assert_eq!(matrix.tactics[4].techniques[0].weight, 2);
    }

    #[test]
    fn a_tactic_of_another_catalog_is_not_lost() {
        let steps = counts(&[("Stealth", "T9999", 1)]);
        let matrix = Matrix::new(&steps, &Techniques::new(), &Techniques::new(), &[]);
        assert_eq!(matrix.tactics.len(), 15);
        assert_eq!(matrix.tactics[14].name, "Stealth");
        assert_eq!(matrix.tactics[14].techniques[0].steps, 1);
    }
}
