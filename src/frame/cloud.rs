//! Records of clouds and services: who called, from where, in which session.

use super::Frame;
use super::calls::CallRow;
use super::recipe::Recipe;
use super::scene::{EventSlot, Scene, SceneSlot};
use super::text::Texts;
use crate::catalog::{Call, Catalog, Origin, Record};
use crate::ids::{AccountId, HostId};
use crate::world::World;

/// Fills rows that no host writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct CloudRecords<'m> {
    pub world: &'m World,
    pub catalog: &'m Catalog,
}

impl CloudRecords<'_> {
    /// Fills a row that no host writes; `call` is the record's call.
    pub fn emit(
        &self,
        frame: &mut Frame,
        row: usize,
        record: &Record,
        call: &Call,
        recipe: Recipe,
        scene: &Scene<'_>,
    ) {
        let host = scene.reporter(record);
        let account = scene.account(self.world, record, host);
        frame.host[row] = host;
        frame.user[row] = account;
        frame.telemetry[row] = record.telemetry;
        frame.success[row] = record.succeeds(scene.event.bits(EventSlot::Before));
        frame.salt[row] = scene.event.bits(EventSlot::Salt);
        frame.native[row] = frame.time[row];
        frame.source[row] = self.origin(call, scene, host, account) as i32;
        // A chain keeps the session that it stole when it arrived.
        let time = match scene.chain {
            Some(c) => c.chain.arrivals[0],
            None => frame.time[row],
        };
        let session = self
            .world
            .cloud
            .session(account, time.div_euclid(1_000_000));
        // Outsiders use their own clients, whatever account they use.
        let who = match call.origin {
            Origin::Adversary(_) => 1 << 32 | u64::from(scene.adversary),
            Origin::Outside => 1 << 33 | frame.source[row] as u64,
            _ => u64::from(account),
        };
        let agent = self.world.cloud.agent(&call.agents, who) as u32;
        frame.calls.set(
            row,
            frame.len,
            CallRow {
                call: recipe.call,
                agent,
                session: session.number,
                session_start: session.start,
            },
        );
        let mut texts = Texts::new((self.world, self.catalog), scene, host, account);
        texts.source = frame.source[row];
        for (column, template) in [
            (&mut frame.request, &record.request),
            (&mut frame.url, &record.url),
        ] {
            if let Some(template) = template {
                texts.set(column, row, template);
            }
        }
    }

    /// The address that a call comes from.
    fn origin(&self, call: &Call, scene: &Scene<'_>, host: HostId, account: AccountId) -> u32 {
        let addresses = &self.world.addresses;
        match call.origin {
            Origin::Office => addresses.egress(host),
            Origin::Home => addresses.home(account),
            Origin::Cloud => addresses.instance(self.world.cloud.session(account, 0).number),
            Origin::Outside => addresses.client(
                scene.key.bits(SceneSlot::CallerRank),
                scene.key.bits(SceneSlot::CallerAddress),
            ),
            Origin::Adversary(purpose) => addresses.adversary(scene.adversary, purpose),
        }
    }
}
