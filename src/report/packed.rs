//! Chains to choose on the page: what its list shows, and each chain compressed.
//!
//! The script unpacks a chain when it is chosen, so that a page can hold a thousand.

use std::io::Result;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;

use super::example::Example;
use super::truth::Chain;

/// A chain to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Packed {
    #[serde(flatten)]
    chain: Chain,
    /// Total number of events.
    total: u64,
    /// The [`Example`] as JSON, gzip and Base64.
    packed: String,
}

impl Packed {
    /// Packs a chain.
    ///
    /// # Errors
    /// None is expected: memory takes every byte.
    pub fn new(example: Example) -> Result<Self> {
        let mut writer = GzEncoder::new(Vec::new(), Compression::default());
        serde_json::to_writer(&mut writer, &example)?;
        Ok(Packed {
            packed: STANDARD.encode(writer.finish()?),
            total: example.total,
            chain: example.chain,
        })
    }
}
