//! fusiongen generates SIEM and EDR event corpora with the realism of a hand-built lab,
//! at the speed of a TPC generator.
//!
//! A corpus is a pure function of (format version, settings, grounding contents).
//! Data flows one way: a module uses only the modules before it.
//!
//! ```text
//! grounding ─► profile ─┐
//! kinds ─► catalog ─────┴─► world ─► plan ─► frame ─► columns ─► schema ─► sink ─► truth ─► run
//! ```
//!
//! [`Generator`] is the entry point: it owns plan, world and catalog, and makes record batches,
//! files, or a few events.
//!
//! Features: `cli` (the program; default) enables `alerts-db` (alerts from SQLite), `object-stores`
//! (corpora in S3, Google Cloud Storage and Azure) and `report` (the HTML report). [`Generator`]
//! needs none of them.
//!
//! # Events as record batches
//!
//! ```
#![doc = include_str!("../examples/stream.rs")]
//! ```

// Code outside tests does not panic; each exception is an `#[expect]` with a reason.
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
pub mod day;
pub mod error;
pub mod frame;
pub mod generator;
pub mod grounding;
pub mod ids;
pub mod kinds;
mod near;
mod numbers;
mod paths;
pub mod plan;
pub mod progress;
pub mod queries;
pub mod random;
#[cfg(feature = "report")]
pub mod report;
pub mod run;
pub mod schema;
pub mod settings;
pub mod sink;
#[cfg(test)]
mod slips;
pub mod truth;
pub mod world;

/// Runs the examples of `docs/library.md` as tests.
#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
pub struct LibraryPage;

pub use corpus::Corpus;
pub use error::{Error, Result};
pub use generator::{Generator, Select};
pub use progress::{Progress, Silent};
pub use run::{Run, Summary};
