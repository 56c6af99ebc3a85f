//! What columns of one view have computed and others use again.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use arrow_array::{ArrayRef, Int32Array};
use arrow_buffer::ScalarBuffer;

use super::ecs::process::{FileHashes, Split};
use super::keyed::{Entry, Keyed};
use super::selection::Selection;
use super::{Column, KeyedTexts, enrichment, linux, process};
use crate::frame::TextColumn;
use crate::kinds::Kinds;

/// The results that columns of one view share. A view is used by one thread.
#[derive(Default)]
pub(super) struct Cache {
    /// Selected rows, by set of kinds.
    pub selections: RefCell<Vec<(Kinds, Rc<Selection>)>>,
    /// Values of the frame's text columns, by the column's address.
    pub values: RefCell<Vec<(*const TextColumn, ArrayRef)>>,
    /// Columns whose key buffer others use, by what decides the keys and by the kinds of their rows.
    pub keyed: RefCell<Vec<(Keyed, Kinds, Column)>>,
    /// Keys of each row's host, account and rule, by [`Entry`]; none where no row has one.
    pub entries: [OnceCell<Option<KeyedTexts>>; 3],
    /// The same for rows whose entry has a value, by the mask of such entries.
    pub known_entries: RefCell<Vec<KnownEntries>>,
    /// Each row's rule and chain; null without.
    pub rules: OnceCell<Int32Array>,
    pub chains: OnceCell<Int32Array>,
    /// Each row's kind of record.
    pub telemetry: OnceCell<ScalarBuffer<i32>>,
    /// Client and server of each row's flow.
    pub ends: OnceCell<enrichment::Ends>,
    /// GUIDs of the frame's processes.
    pub guids: OnceCell<process::Guids>,
    /// Command lines of EXECVE rows, split.
    pub arguments: OnceCell<linux::Arguments>,
    /// Command lines of the rows' processes, and of their parents, split as ECS has them.
    pub split: OnceCell<Split>,
    pub parent_split: OnceCell<Split>,
    /// Hashes of the files of the rows' records, in parts as ECS has them.
    pub file_hashes: OnceCell<FileHashes>,
}

/// A kind of entry, its mask of entries that have a value, and the rows' keys.
type KnownEntries = (Entry, Box<[bool]>, Option<KeyedTexts>);
