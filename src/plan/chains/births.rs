//! The processes that chains start.

use super::Chains;
use crate::catalog::Catalog;
use crate::ids::HostId;

/// The start of a process of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainBirth {
    pub host: HostId,
    /// When it is recorded, Unix microseconds.
    pub time: i64,
    pub chain: u32,
    /// Number among the processes of its playbook.
    pub process: usize,
}

impl Chains {
    /// The processes that chains start, chain by chain.
    pub(in crate::plan) fn births<'c>(
        &'c self,
        catalog: &'c Catalog,
    ) -> impl Iterator<Item = ChainBirth> + 'c {
        (0..).zip(&self.all).flat_map(move |(index, chain)| {
            let playbook = &catalog.playbooks[usize::from(chain.playbook)];
            (0..playbook.processes).filter_map(move |process| {
                let (step, position) = self.start_of(chain, process);
                // A chain may end early.
                let placed = chain.steps.get(usize::from(step))?;
                let record =
                    &playbook.steps[usize::from(step)].records[placed.record(u32::from(position))];
                // Of the alternatives of a step, only one starts its processes.
                if record.starts != Some(process) || u32::from(position) >= placed.events {
                    return None;
                }
                Some(ChainBirth {
                    host: chain.hosts[record.on.min(chain.hosts.len() - 1)],
                    time: self.time(index, step, position.into()),
                    chain: index,
                    process,
                })
            })
        })
    }
}
