//! Catalog records with their words looked up.

use super::NONE;
use super::vocabulary::{Vocabulary, position};
use crate::catalog::template::salt_of;
use crate::catalog::{Catalog, Record};

/// The words of a record as indices into the vocabulary.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    pub protocol: i32,
    pub application: i32,
    pub syscall: i32,
    pub audit_key: i32,
    pub integrity: u8,
    /// Index into the vocabulary's calls; 0 where the record has none.
    pub call: u32,
    /// Slot at which a chain draws the port: the same as for `{80|443}` in its texts.
    pub ports: u64,
}

impl Recipe {
    fn new(record: &Record, vocabulary: &Vocabulary) -> Self {
        let connection = record.connection.as_ref();
        let ports: Vec<String> = connection
            .map(|c| c.ports.iter().map(u16::to_string).collect())
            .unwrap_or_default();
        Recipe {
            ports: salt_of(ports.iter().map(String::as_str)),
            protocol: position(
                &vocabulary.protocols,
                connection.map(|c| c.protocol.as_str()),
            ),
            application: position(
                &vocabulary.applications,
                connection.and_then(|c| c.application.as_deref()),
            ),
            syscall: record
                .syscall
                .as_ref()
                .and_then(|name| vocabulary.syscalls.iter().position(|s| s.0 == *name))
                .map_or(NONE, |i| i as i32),
            audit_key: position(&vocabulary.audit_keys, record.key.as_deref()),
            integrity: position(&vocabulary.integrity, Some(&record.integrity)).max(0) as u8,
            call: record
                .call
                .as_ref()
                .and_then(|call| vocabulary.calls.iter().position(|c| c == call))
                .unwrap_or(0) as u32,
        }
    }
}

/// Recipes in the catalog's nesting: `[scenario][variant][record]`, `[playbook][step][record]`,
/// `[heuristic][record]`, `[routine][step]`.
#[derive(Debug, Clone)]
pub struct Recipes {
    pub variants: Vec<Vec<Vec<Recipe>>>,
    pub playbooks: Vec<Vec<Vec<Recipe>>>,
    pub heuristics: Vec<Vec<Recipe>>,
    pub routines: Vec<Vec<Recipe>>,
}

impl Recipes {
    pub fn new(catalog: &Catalog, vocabulary: &Vocabulary) -> Self {
        let list = |records: &[Record]| {
            records
                .iter()
                .map(|r| Recipe::new(r, vocabulary))
                .collect::<Vec<_>>()
        };
        Recipes {
            variants: catalog
                .scenarios
                .iter()
                .map(|s| s.variants.iter().map(|v| list(&v.records)).collect())
                .collect(),
            playbooks: catalog
                .playbooks
                .iter()
                .map(|p| p.steps.iter().map(|s| list(&s.records)).collect())
                .collect(),
            heuristics: catalog
                .heuristics
                .iter()
                .map(|h| list(&h.records))
                .collect(),
            routines: (catalog.routines.iter())
                .map(|routine| {
                    let steps = routine.steps.iter();
                    steps.map(|s| Recipe::new(&s.record, vocabulary)).collect()
                })
                .collect(),
        }
    }
}
