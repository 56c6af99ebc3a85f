//! Words that rows refer to by number.

use super::NONE;
use crate::catalog::{Call, Catalog, INTEGRITY_LEVELS, Record};
use crate::grounding::Profile;

/// TCP's number among [`Vocabulary::protocols`].
pub(super) const TCP: i32 = 0;

/// `network_accept`, `exec` and `network_connect` among [`Vocabulary::audit_keys`].
pub(super) const ACCEPT: i32 = 0;
pub(super) const EXEC: i32 = 1;
pub(super) const CONNECT: i32 = 2;

/// Words that rows refer to by number.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    /// Transport protocols, lower case.
    pub protocols: Vec<String>,
    /// Application protocols.
    pub applications: Vec<String>,
    /// Syscall names with their x86_64 numbers.
    pub syscalls: Vec<(String, u32)>,
    /// Audit rule keys.
    pub audit_keys: Vec<String>,
    /// Sysmon's integrity levels; 0 is `-`.
    pub integrity: Vec<String>,
    /// `labels.noise_type`: the scenarios, then process life.
    pub noise_types: Vec<String>,
    /// Distinct calls of clouds and services.
    pub calls: Vec<Call>,
}

impl Vocabulary {
    pub(super) fn new(catalog: &Catalog, profile: &Profile) -> Self {
        let mut vocabulary = Vocabulary {
            protocols: ["tcp", "udp", "icmp"].map(String::from).to_vec(),
            applications: Vec::new(),
            syscalls: Vec::new(),
            audit_keys: ["network_accept", "exec", "network_connect"]
                .map(String::from)
                .to_vec(),
            integrity: (std::iter::once("-").chain(INTEGRITY_LEVELS))
                .map(String::from)
                .collect(),
            calls: Vec::new(),
            noise_types: catalog.scenarios.iter().map(|s| s.name.clone()).collect(),
        };
        vocabulary.noise_types.push("process_life".into());
        for name in ["connect", "accept4", "execve"] {
            vocabulary
                .syscalls
                .push((name.into(), syscall_number(name)));
        }
        let records = all_records(catalog);
        for record in records {
            if let Some(connection) = &record.connection {
                intern(&mut vocabulary.protocols, &connection.protocol);
                if let Some(application) = &connection.application {
                    intern(&mut vocabulary.applications, application);
                }
            }
            if let Some(name) = &record.syscall
                && !vocabulary.syscalls.iter().any(|s| s.0 == *name)
            {
                vocabulary
                    .syscalls
                    .push((name.clone(), syscall_number(name)));
            }
            if let Some(call) = &record.call
                && !vocabulary.calls.contains(call)
            {
                vocabulary.calls.push(call.clone());
            }
            if let Some(key) = &record.key {
                intern(&mut vocabulary.audit_keys, key);
            }
        }
        for tuple in &profile.tuples {
            intern(&mut vocabulary.protocols, &tuple.protocol);
            if let Some(application) = &tuple.application {
                intern(&mut vocabulary.applications, application);
            }
        }
        vocabulary
    }
}

fn intern(list: &mut Vec<String>, word: &str) {
    if !list.iter().any(|w| w == word) {
        list.push(word.to_string());
    }
}

/// Position of a word, [`NONE`] if it isn't there.
pub(super) fn position(list: &[String], word: Option<&str>) -> i32 {
    word.and_then(|word| list.iter().position(|w| w == word))
        .map_or(NONE, |i| i as i32)
}

/// x86_64 numbers of the syscalls that audit rules watch.
fn syscall_number(name: &str) -> u32 {
    match name {
        "read" => 0,
        "write" => 1,
        "open" => 2,
        "connect" => 42,
        "accept" => 43,
        "bind" => 49,
        "execve" => 59,
        "kill" => 62,
        "rename" => 82,
        "unlink" => 87,
        "chmod" => 90,
        "fchmod" => 91,
        "chown" => 92,
        "ptrace" => 101,
        "setuid" => 105,
        "setgid" => 106,
        "mount" => 165,
        "init_module" => 175,
        "openat" => 257,
        "unlinkat" => 263,
        "renameat" => 264,
        "fchmodat" => 268,
        "accept4" => 288,
        "finit_module" => 313,
        "execveat" => 322,
        _ => 257,
    }
}

/// Every record of the catalog, in file order.
fn all_records(catalog: &Catalog) -> impl Iterator<Item = &Record> {
    let variants = catalog
        .scenarios
        .iter()
        .flat_map(|s| &s.variants)
        .flat_map(|v| &v.records);
    let steps = catalog
        .playbooks
        .iter()
        .flat_map(|p| &p.steps)
        .flat_map(|s| &s.records);
    let endpoints = catalog.heuristics.iter().flat_map(|h| &h.records);
    variants.chain(steps).chain(endpoints)
}
