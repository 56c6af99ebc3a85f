//! Compares the corpus's assets with the inventory.
//!
//! `entities/assets` has both: the generator's values, and the words of the input. The
//! comparison is independent of how the generator interprets those words.

use std::collections::HashMap;

use super::audits::{Audit as A, Tallies, shown};
use super::facts::each_row;
use crate::corpus::Corpus;
use crate::error::Result;

/// Unambiguous types, and the role that such a Windows or Linux host must have.
const TYPES: [(&str, &str); 10] = [
    ("workstation", "workstation"),
    ("laptop", "workstation"),
    ("desktop", "workstation"),
    ("notebook", "workstation"),
    ("web server", "web_server"),
    ("database server", "database_server"),
    ("file server", "file_server"),
    ("mail server", "mail_server"),
    ("backup server", "backup_server"),
    ("domain controller", "domain_controller"),
];

/// Unambiguous parts of system names, and their platform; empty if such a system has no telemetry.
const SYSTEMS: [(&str, &str); 12] = [
    ("esxi", ""),
    ("solaris", ""),
    ("cisco", ""),
    ("macos", ""),
    ("windows", "windows"),
    ("ubuntu", "linux"),
    ("debian", "linux"),
    ("red hat", "linux"),
    ("rhel", "linux"),
    ("centos", "linux"),
    ("suse", "linux"),
    ("rocky", "linux"),
];

/// Words in lower case, sorted, so that `Berg, Rosa` equals `Rosa Berg`.
fn sorted(text: &str) -> Vec<String> {
    let mut words: Vec<String> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.sort();
    words
}

/// Audits `entities/assets` and `entities/users`.
///
/// # Errors
/// A table is missing or broken.
pub fn audit(corpus: &Corpus, tallies: &mut Tallies) -> Result<()> {
    // People who may log on, by display name and mail. A name of two people identifies neither.
    let mut people: HashMap<Vec<String>, Vec<String>> = HashMap::new();
    each_row(corpus, "entities/users.parquet", |table, row| {
        if table.text("kind", row) == "user" {
            for column in ["display_name", "email"] {
                let name = sorted(table.text(column, row));
                let known = people.entry(name).or_default();
                let account = table.text("username", row).to_string();
                if !known.contains(&account) {
                    known.push(account);
                }
            }
        }
    })?;
    each_row(corpus, "entities/assets.parquet", |table, row| {
        let text = |name: &str| table.text(name, row);
        if text("source") != "inventory" {
            return;
        }
        let host = text("hostname");
        for (taken, said) in [
            ("owner", "inventory_owner"),
            ("department", "inventory_department"),
            ("location", "inventory_location"),
            ("asset_type", "inventory_type"),
        ] {
            if !text(said).is_empty() {
                tallies.tried(A::GroundingAsset, text(taken) == text(said), || {
                    (
                        None,
                        format!("{taken} {} of {host}", shown(Some(text(said)))),
                        shown(Some(text(taken))),
                    )
                });
            }
        }
        let owner = people.get(&sorted(text("inventory_owner")));
        if let (Some([account]), "workstation") = (owner.map(Vec::as_slice), text("role")) {
            tallies.tried(A::GroundingOwner, text("user") == account, || {
                (
                    None,
                    format!("{account} at {host}, whose owner they are"),
                    shown(Some(text("user"))),
                )
            });
        }
        let (kind, role) = (text("inventory_type").to_lowercase(), text("role"));
        let is_windows = text("platform") == "windows";
        let wanted = TYPES.iter().find(|(name, _)| *name == kind).map(|it| it.1);
        let wanted = wanted.filter(|role| *role != "domain_controller" || is_windows);
        if !text("platform").is_empty() && (wanted.is_some() || role == "domain_controller") {
            let fits = wanted.is_none_or(|wanted| wanted == role)
                && (role != "domain_controller" || is_windows);
            tallies.tried(A::GroundingRole, fits, || {
                (
                    None,
                    format!(
                        "the role of a {} on {}",
                        shown(Some(&kind)),
                        text("inventory_os")
                    ),
                    format!("{role} for {host}"),
                )
            });
        }
        let system = text("inventory_os").to_lowercase();
        if let Some((_, platform)) = SYSTEMS.iter().find(|(part, _)| system.contains(part)) {
            tallies.tried(A::GroundingPlatform, text("platform") == *platform, || {
                (
                    None,
                    format!("platform {} of {host}", shown(Some(platform))),
                    shown(Some(text("platform"))),
                )
            });
        }
    })
}
