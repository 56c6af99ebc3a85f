//! What is learned from outside: an alerts database, a directory of users, a CMDB.
//!
//! Grounding reads files and knows nothing of what will be generated. Its
//! products are plain values: a [`Profile`], users, assets.

pub mod alerts_db;
pub mod cmdb;
pub mod directory;
pub mod profile;

pub use cmdb::Asset;
pub use directory::User;
pub use profile::{Direction, Ends, Profile, Tuple};
