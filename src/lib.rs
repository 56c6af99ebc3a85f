//! fusiongen builds SIEM and EDR event corpora: the realism of a hand-built lab,
//! at the speed of a TPC generator.
//!
//! A corpus is a pure function of (format version, settings, grounding contents).
//! Data goes one way; a module uses only what stands before it:
//!
//! ```text
//! grounding ─► profile ─┐
//! catalog ──────────────┴─► world ─► plan ─► frame ─► columns ─► schema ─► sink ─► truth ─► run
//! ```
//!
//! Features: `cli` (the program; default) brings `alerts-db` (alerts from SQLite) and `report`
//! (the HTML page). [`Generator`] needs none of them.
//!
//! [`Generator`] holds all of it, and makes record batches, files, or a few events.
//!
//! # Events as record batches
//!
//! ```
#![doc = include_str!("../examples/stream.rs")]
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
#[cfg(feature = "cli")]
pub mod cli;
pub mod columns;
pub mod corpus;
pub mod error;
pub mod frame;
pub mod generator;
pub mod grounding;
mod near;
mod numbers;
pub mod plan;
pub mod progress;
pub mod random;
#[cfg(feature = "report")]
pub mod report;
pub mod run;
pub mod schema;
pub mod sink;
#[cfg(test)]
mod slips;
pub mod truth;
pub mod world;

/// The examples of `docs/library.md` are tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
pub struct LibraryPage;

pub use corpus::Corpus;
pub use error::{Error, Result};
pub use generator::{Generator, Select};
pub use progress::{Progress, Silent};
pub use run::{Run, Summary};
