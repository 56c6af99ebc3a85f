//! The fingerprint: what a corpus's content follows from.

use super::{Config, Grounding};
use crate::catalog::Catalog;

/// Byte identity is promised within one format version: batch size, array kinds, writer
/// properties and the versions of the Parquet and zstd libraries are part of it.
pub const FORMAT_VERSION: u32 = 2;

/// BLAKE3 over format version, settings and input *contents*; never paths, threads or part.
pub fn of(config: &Config, grounding: &Grounding, catalog: &Catalog) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut field = |name: &str, text: &str| {
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    field("format", &FORMAT_VERSION.to_string());
    field("config", &serde_json::to_string(config).unwrap_or_default());
    field("profile", &grounding.profile.digest());
    field("catalog", &catalog.digest);
    match &grounding.users {
        Some(users) => field("users", &format!("{users:?}")),
        None => field("users", "synthetic"),
    }
    match &grounding.assets {
        Some(assets) => field("assets", &format!("{assets:?}")),
        None => field("assets", "synthetic"),
    }
    hasher.finalize().to_hex()[..32].to_string()
}
