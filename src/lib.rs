//! fusiongen builds SIEM and EDR event corpora: the realism of a hand-built lab,
//! at the speed of a TPC generator.
//!
//! A corpus is a pure function of (format version, settings, grounding contents).
//! Data goes one way; a module uses only what stands before it:
//!
//! ```text
//! grounding ─► profile ─┐
//! catalog ──────────────┴─► world ─► plan ─► frame ─► columns ─► schema ─► sink
//! ```
//!
//! # A corpus in memory
//!
//! ```
//! use fusiongen::{catalog::Catalog, frame::Maker, plan::{Config, Grounding, Plan}};
//! use fusiongen::grounding::Profile;
//!
//! let config = Config { events: 5_000, days: 2, ..Config::default() };
//! let catalog = Catalog::embedded()?;
//! let grounding = Grounding { profile: Profile::embedded(), users: None, assets: None };
//! let (plan, world) = Plan::new(config, &grounding, &catalog);
//! let maker = Maker::new(&plan, &world, &catalog, &grounding.profile);
//!
//! let mut rows = 0;
//! for partition in &plan.partitions {
//!     for group in &partition.row_groups {
//!         maker.frames(partition, group, |frame| rows += frame.len);
//!     }
//! }
//! assert_eq!(rows, 5_000);
//! # Ok::<(), fusiongen::Error>(())
//! ```

// Outside of tests nothing panics: what can't be is said where it is expected not to be.
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::unreachable,
        clippy::todo
    )
)]

pub mod catalog;
pub mod check;
pub mod cli;
pub mod columns;
pub mod encode;
pub mod error;
pub mod frame;
pub mod grounding;
mod numbers;
pub mod plan;
pub mod random;
pub mod report;
pub mod schema;
pub mod sink;
#[cfg(test)]
mod slips;
pub mod world;

pub use error::{Error, Result};
