//! Chains: events of attack steps.

use super::Frame;
use super::merge::Row;
use super::recipe::{Recipe, Recipes};
use super::record::Records;
use super::scene::{ChainScene, Scene, Started};
use crate::catalog::{Record, Step, scenario::Verdict};
use crate::ids::{AccountId, HostId, RuleId};
use crate::plan::chains::{Chain, ChainEvent, ChainSlot, Chains, PlacedStep};
use crate::random::Draws;
use crate::world::processes::CHAIN_STREAM;

/// Who acts in one event of a chain, and whether it succeeds: what the truth tables hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    /// The host that reports; none where a cloud or a service does.
    pub host: Option<HostId>,
    pub account: AccountId,
    pub success: bool,
    /// None if the event is no alert.
    pub rule: Option<RuleId>,
}

/// What the plan and the catalog hold about one event of a chain.
struct Placed<'m> {
    chain: &'m Chain,
    step: &'m Step,
    placed: &'m PlacedStep,
    record: &'m Record,
    /// Index of the record in its step.
    position: usize,
}

impl Placed<'_> {
    fn is_blocked(&self) -> bool {
        self.record.alert && self.placed.blocked
    }

    fn verdict(&self) -> Verdict {
        match self.is_blocked() {
            true => Verdict::Attempt,
            false => Verdict::Attack,
        }
    }
}

/// Fills the rows of chains.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChainRows<'m> {
    pub records: Records<'m>,
    pub recipes: &'m Recipes,
    pub chains: &'m Chains,
}

impl<'m> ChainRows<'m> {
    fn placed(&self, event: &ChainEvent) -> Placed<'m> {
        let chain = &self.chains.all[event.chain as usize];
        let playbook = &self.records.catalog.playbooks[usize::from(chain.playbook)];
        let step = &playbook.steps[usize::from(event.step)];
        let placed = &chain.steps[usize::from(event.step)];
        let position = placed.record(event.index);
        Placed {
            chain,
            step,
            placed,
            record: &step.records[position],
            position,
        }
    }

    /// Who acts in an event; the event's row has the same.
    pub fn actor(&self, event: &ChainEvent) -> Actor {
        let of = self.placed(event);
        let known = Started::default();
        let scene = self.scene(event, &of, &known);
        let host = scene.reporter(of.record);
        let resolves = scene.event.bits(super::scene::EventSlot::Before);
        Actor {
            host: of.record.call.is_none().then_some(host),
            account: scene.account(self.records.world, of.record, host),
            success: of.record.succeeds(resolves) && !of.is_blocked(),
            rule: self.rule(&of),
        }
    }

    /// The verdict of an event; the event's row has the same.
    pub fn verdict(&self, event: &ChainEvent) -> Verdict {
        self.placed(event).verdict()
    }

    /// The detection that an event raises.
    fn rule(&self, of: &Placed<'_>) -> Option<RuleId> {
        let detections = &self.records.world.detections;
        (of.record.alert).then(|| detections.signature(of.step.category, of.record.signature))
    }

    /// Where an event of a chain happens.
    fn scene<'s>(&self, event: &ChainEvent, of: &Placed<'m>, known: &'s Started) -> Scene<'s>
    where
        'm: 's,
    {
        let key = self.chains.chain_key(event.chain);
        let own = key
            .part(ChainSlot::Event)
            .with(u64::from(event.index) << 8 | u64::from(event.step));
        Scene {
            hosts: &of.chain.hosts,
            user: of.chain.user,
            admin: of.chain.admin,
            adversary: of.chain.adversary,
            key: Draws::new(key.part(ChainSlot::Scene)),
            event: Draws::new(own),
            burst: Draws::new(own),
            round: event.index / of.placed.records,
            ordinal: 0,
            stream: CHAIN_STREAM,
            whole: None,
            chain: Some(ChainScene {
                index: event.chain,
                chain: of.chain,
                step: event.step,
                known,
            }),
            cast: None,
        }
    }

    /// Fills the rows of `mine`, whose ordinals are indices into `events`.
    pub fn fill<'r>(
        &self,
        frame: &mut Frame,
        events: &[ChainEvent],
        mine: impl Iterator<Item = (usize, &'r Row)>,
    ) {
        let known = Started::default();
        for (row, at) in mine {
            let event = events[at.ordinal as usize];
            let of = self.placed(&event);
            let scene = self.scene(&event, &of, &known);
            let recipe = self.recipe(&event, &of);
            self.records.emit(frame, row, of.record, recipe, &scene);
            frame.chain[row] = event.chain as i32;
            frame.step[row] = event.step + 1;
            frame.attack_sequence[row] = of.placed.first + event.index + 1;
            frame.verdict[row] = of.verdict();
            if let Some(rule) = self.rule(&of) {
                frame.raise(row, rule);
            }
            if of.is_blocked() {
                frame.blocked[row] = true;
                frame.success[row] = false;
            }
        }
    }

    fn recipe(&self, event: &ChainEvent, of: &Placed<'_>) -> Recipe {
        let playbook = &self.recipes.playbooks[usize::from(of.chain.playbook)];
        playbook[usize::from(event.step)][of.position]
    }
}
