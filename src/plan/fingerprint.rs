//! The fingerprint: a hash of everything that decides a corpus's content.

use serde::{Deserialize, Serialize};

use super::{Config, Grounding, Table};
use crate::catalog::Catalog;

/// Version of the corpus format. Bytes are identical within one version. It covers how rows follow
/// from their coordinates, batch size, array types, writer properties and the versions of the
/// Parquet and zstd libraries.
pub const FORMAT_VERSION: u32 = 7;

/// `created_by` of Parquet files, which engines parse as the writer's version.
pub const CREATED_BY: &str = concat!("fusiongen version ", env!("CARGO_PKG_VERSION"));

/// Digests of the inputs' contents.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    pub profile: String,
    pub catalog: String,
    /// `synthetic` if no file was given.
    pub users: String,
    pub assets: String,
}

impl Inputs {
    /// Computes the digests of these inputs.
    pub fn new(grounding: &Grounding, catalog: &Catalog) -> Self {
        let digest = |text: String| blake3::hash(text.as_bytes()).to_hex()[..32].to_string();
        let synthetic = || "synthetic".to_string();
        let users = grounding.users.as_ref();
        let assets = grounding.assets.as_ref();
        Inputs {
            profile: grounding.profile.digest(),
            catalog: catalog.digest.clone(),
            users: users.map_or_else(synthetic, |users| digest(format!("{users:?}"))),
            assets: assets.map_or_else(synthetic, |assets| digest(format!("{assets:?}"))),
        }
    }
}

/// BLAKE3 over format version, settings and input *contents*; never paths, threads, part or table.
pub fn of(config: &Config, inputs: &Inputs) -> String {
    let config = &Config {
        table: Table::None,
        ..config.clone()
    };
    let mut hasher = blake3::Hasher::new();
    let mut field = |name: &str, text: &str| {
        hasher.update(&(name.len() as u64).to_le_bytes());
        hasher.update(name.as_bytes());
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    field("format", &FORMAT_VERSION.to_string());
    field("config", &serde_json::to_string(config).unwrap_or_default());
    field("profile", &inputs.profile);
    field("catalog", &inputs.catalog);
    field("users", &inputs.users);
    field("assets", &inputs.assets);
    hasher.finalize().to_hex()[..32].to_string()
}
