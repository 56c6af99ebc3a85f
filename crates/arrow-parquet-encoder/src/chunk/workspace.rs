//! Memory that chunks, batches and row groups reuse.

use std::sync::{Mutex, PoisonError};

use super::counts::PageCounts;
use crate::compressor::Compressor;
use crate::page::DataPage;
use crate::values::Scratch;

/// Reusable memory of one row group.
#[derive(Default)]
pub(crate) struct Workspace {
    pub(super) scratch: Scratch,
    pub(super) compressor: Compressor,
    /// The levels and the body of the page that is being encoded.
    pub(super) page: Vec<u8>,
    pub(super) counts: PageCounts,
    pub(super) pages: VecPool<DataPage>,
    pub(super) bodies: VecPool<u8>,
}

impl Workspace {
    /// Drops what the leaves of the previous batch have shared.
    pub(crate) fn begin_batch(&mut self) {
        self.scratch.key_sets.clear();
    }

    /// Drops what only the finished row group can use.
    fn end_row_group(&mut self) {
        self.begin_batch();
        self.scratch.key_maps.remove_dead();
    }
}

/// Empty lists with capacity.
pub(super) struct VecPool<T>(Vec<Vec<T>>);

impl<T> Default for VecPool<T> {
    fn default() -> Self {
        VecPool(Vec::new())
    }
}

impl<T> VecPool<T> {
    pub(super) fn take(&mut self) -> Vec<T> {
        self.0.pop().unwrap_or_default()
    }

    pub(super) fn give_back(&mut self, mut list: Vec<T>) {
        if list.capacity() > 0 {
            list.clear();
            self.0.push(list);
        }
    }
}

/// The workspaces of finished row groups, for the next ones of any thread.
#[derive(Default)]
pub(crate) struct WorkspacePool(Mutex<Vec<Workspace>>);

impl WorkspacePool {
    pub(crate) fn take(&self) -> Workspace {
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pool.pop().unwrap_or_default()
    }

    /// Takes back the workspace of a finished row group.
    pub(crate) fn give_back(&self, mut workspace: Workspace) {
        workspace.end_row_group();
        let mut pool = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pool.push(workspace);
    }
}
