//! The query suite: questions of analysts in plain SQL, views that make one text run on every
//! engine, parameters that give every query an answer, known answers, and a runner.
//!
//! It knows schemas, the plan and the truth, but neither world nor frame. No engine is linked: each
//! runs as a process of its own, and answers lines of JSON.

mod adapter;
mod answers;
mod clickbench;
mod columns;
mod compare;
mod constructed;
mod engine;
#[cfg(feature = "report")]
mod page;
mod parameters;
mod record;
mod reference;
mod run;
mod source;
mod suite;
mod tables;
mod usage;
mod views;

pub use adapter::Launch;
pub use answers::{Answer, Answers, Known};
pub use clickbench::{ClickBench, Labels};
pub use columns::{Integers, Texts};
pub use compare::{Comparison, Line, Verdict, against, compare};
pub use engine::Engine;
#[cfg(feature = "report")]
pub use page::{html, write_page};
pub use parameters::{Parameters, Value};
pub use record::{Outcome, Record, Status};
pub use run::{Options, Suite, run, run_against};
pub use source::{Files, Generated, Rows, Source};
pub use suite::{Provenance, Query, select, suite, version};
pub use views::Views;
