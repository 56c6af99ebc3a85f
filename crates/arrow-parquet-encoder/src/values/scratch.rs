//! Buffers and caches that the values of all chunks share.

use crate::id_table::IdTable;
use crate::key_map::KeyMapCache;
use crate::keys::KeySetCache;

/// Reusable buffers, and what chunks pass on to each other.
#[derive(Default)]
pub(crate) struct Scratch {
    pub keys: Vec<u32>,
    pub integers: Vec<i64>,
    pub ranges: Vec<(usize, usize)>,
    pub ids: Vec<u32>,
    pub key_sets: KeySetCache,
    /// Tables of integer dictionaries that no chunk uses at the moment.
    pub tables: Vec<IdTable>,
    pub key_maps: KeyMapCache,
}
