//! Chains: events of attack steps.

use super::Frame;
use super::lineage::Started;
use super::maker::Maker;
use super::merge::Row;
use super::record::{ChainScene, Scene};
use crate::catalog::scenario::Verdict;
use crate::plan::chains::ChainEvent;
use crate::world::processes::CHAIN_STREAM;

/// Who acts in one event of a chain, and how it ends: what truth says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    /// The host that reports; none where a cloud or a service does.
    pub host: Option<u32>,
    /// Index into the world's accounts.
    pub account: u32,
    pub success: bool,
}

impl Maker {
    /// Who acts in an event of a chain; the event's own row says the same.
    pub fn actor(&self, event: &ChainEvent) -> Actor {
        let chain = &self.plan.chains.all[event.chain as usize];
        let step = &self.catalog.playbooks[chain.playbook as usize].steps[event.step as usize];
        let placed = &chain.steps[event.step as usize];
        let record = &step.records[placed.record(event.index)];
        let known = Started::default();
        let scene = self.scene(event, &known);
        let host = chain.hosts[record.on.min(chain.hosts.len() - 1)];
        Actor {
            host: record.call.is_none().then_some(host),
            account: self.account(&scene, record, host),
            success: record.succeeds(scene.event) && !(record.alert && placed.blocked),
        }
    }

    /// Where an event of a chain happens.
    fn scene<'a, 's>(&'a self, event: &ChainEvent, known: &'s Started) -> Scene<'s>
    where
        'a: 's,
    {
        let chain = &self.plan.chains.all[event.chain as usize];
        let placed = &chain.steps[event.step as usize];
        let key = self.plan.chains.chain_key(event.chain);
        let own = key
            .with(0xe7e1)
            .with(u64::from(event.index) << 8 | u64::from(event.step));
        Scene {
            hosts: &chain.hosts,
            user: chain.user,
            admin: chain.admin,
            adversary: chain.adversary,
            key: key.with(0x7e87),
            event: own,
            burst: own,
            round: event.index / placed.records,
            ordinal: 0,
            stream: CHAIN_STREAM,
            whole: None,
            chain: Some(ChainScene {
                index: event.chain,
                chain,
                step: event.step,
                known,
            }),
        }
    }

    /// Events of chains as a frame outside of any partition; its category and sequences mean nothing.
    pub fn chain_frame(&self, events: &[ChainEvent]) -> Frame {
        let mut frame = Frame::new(events.len(), 0, 0, self);
        let rows: Vec<Row> = events
            .iter()
            .enumerate()
            .map(|(i, event)| Row {
                time: event.time,
                population: 0,
                ordinal: i as u64,
            })
            .collect();
        for (slot, row) in frame.time.iter_mut().zip(&rows) {
            *slot = row.time;
        }
        self.fill_chains(&mut frame, events, rows.iter().enumerate());
        frame
    }

    pub(super) fn fill_chains<'r>(
        &self,
        frame: &mut Frame,
        events: &[ChainEvent],
        mine: impl Iterator<Item = (usize, &'r Row)>,
    ) {
        let known = Started::default();
        for (row, at) in mine {
            let event = events[at.ordinal as usize];
            let chain = &self.plan.chains.all[event.chain as usize];
            let step = &self.catalog.playbooks[chain.playbook as usize].steps[event.step as usize];
            let placed = &chain.steps[event.step as usize];
            let position = placed.record(event.index);
            let record = &step.records[position];
            let scene = self.scene(&event, &known);
            let recipe =
                self.recipes.playbooks[chain.playbook as usize][event.step as usize][position];
            self.emit(frame, row, record, recipe, &scene);
            frame.chain[row] = event.chain as i32;
            frame.step[row] = event.step + 1;
            frame.attack_sequence[row] = placed.first + event.index + 1;
            frame.verdict[row] = Verdict::Attack;
            if record.alert {
                frame.rule[row] =
                    self.world
                        .detections
                        .signature(step.category, record.signature) as i32;
                if placed.blocked {
                    frame.blocked[row] = true;
                    frame.success[row] = false;
                    frame.verdict[row] = Verdict::Attempt;
                }
            }
        }
    }
}
