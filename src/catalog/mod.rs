//! What can happen: categories, programs, noise scenarios and playbooks, read from TOML.
//!
//! The catalog only describes *kinds* of things. It knows no hosts, accounts or times: those belong
//! to the world and the plan, which read it. The embedded files under `data/catalog/` are the
//! default; a directory with the same layout replaces them.
//!
//! | file | holds | type |
//! | --- | --- | --- |
//! | `attack.toml` | the ATT&CK v18.1 techniques in use | [`Technique`] |
//! | `categories.toml` | categories with their signatures, and the classtype mapping | [`Category`] |
//! | `heuristics.toml` | keyword rules for signatures and categories not listed | [`Heuristic`] |
//! | `images.toml` | executables with their version resources | [`Image`] |
//! | `residents.toml` | processes that live as long as a boot or a session | [`Resident`] |
//! | `programs.toml` | programs that come and go on Linux | [`Program`] |
//! | `routines.toml` | what Windows hosts do by themselves and for their users | [`Routine`] |
//! | `noise.toml` | benign scenarios | [`Scenario`] |
//! | `playbooks/*.toml` | attack chains | [`Playbook`] |
//! | `names.toml` | names of a synthetic organisation's people, sites and domains | [`Names`] |

pub mod attack;
pub mod category;
pub mod cloud;
mod embedded;
mod events;
mod fields;
pub mod heuristics;
mod load;
mod lookup;
pub mod names;
mod order;
mod place;
pub mod playbook;
pub mod program;
mod raw;
pub mod record;
mod records;
mod resident;
pub mod routine;
pub mod scenario;
mod source;
pub mod template;
#[cfg(test)]
mod tests;
mod words;

pub use crate::kinds::{DATA_SLOTS, Platform, Telemetry};
pub use attack::Technique;
pub use category::{Category, Signature};
pub use cloud::{AGENTS, Agent, AuditLog, Call, Credential, Origin};
pub use events::LOGIN_SEQUENCES;
pub use heuristics::Heuristic;
pub use load::PROCESS_LIFE;
pub use names::Names;
pub use place::{Device, End, HostClass, LocalAddress, Purpose};
pub use playbook::{Alternative, Playbook, Step};
pub use program::{FileVersion, Image, Lifetime, Program, Resident, Scope};
pub use record::{AccountRef, Connection, INTEGRITY_LEVELS, ProcessRef, Record};
pub use resident::MOST_RESIDENTS;
pub use routine::{Lives, Routine, Step as RoutineStep, When};
pub use scenario::{Scenario, Sequence, Variant, Verdict, Visit};
pub use template::{Piece, Placeholder, Template, TemplateError};

/// The contents of the catalog files, with names resolved to indices. Invariants:
///
/// 1. Every index is within the table that it refers to.
/// 2. Every technique of a category, record or playbook is in `techniques`.
/// 3. Every category that a playbook uses is also used by a scenario, so that no category has
///    attacks only. Entries with a weight of 0 do not count.
/// 4. A process that a record names was started by an earlier record of the same playbook or
///    variant, or is a resident.
/// 5. Entries are in file order.
#[derive(Debug, Clone)]
pub struct Catalog {
    pub techniques: Vec<Technique>,
    pub categories: Vec<Category>,
    pub heuristics: Vec<Heuristic>,
    pub images: Vec<Image>,
    pub residents: Vec<Resident>,
    pub programs: Vec<Program>,
    pub scenarios: Vec<Scenario>,
    pub routines: Vec<Routine>,
    pub playbooks: Vec<Playbook>,
    pub names: Names,
    /// BLAKE3 of the files' contents in a fixed order; part of the fingerprint.
    pub digest: String,
}
