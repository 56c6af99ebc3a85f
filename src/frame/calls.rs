//! Records of clouds and services: who called, from where, in which session.

use super::maker::Maker;
use super::record::{Recipe, Scene};
use super::text::Texts;
use super::{Frame, NONE};
use crate::catalog::{Call, Origin, Record};

/// What a row of a cloud or a service has besides: few frames have any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallRow {
    /// Index into the vocabulary's calls.
    pub call: u32,
    /// Index into the catalog's clients.
    pub agent: u32,
    /// The session's number, and when it was issued, Unix seconds.
    pub session: u64,
    pub session_start: i64,
}

/// The calls of a frame's rows. Empty where no row has one.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    of_row: Vec<i32>,
    rows: Vec<CallRow>,
}

impl Calls {
    /// The call of a row.
    #[inline]
    pub fn get(&self, row: usize) -> Option<&CallRow> {
        let at = usize::try_from(*self.of_row.get(row)?).ok()?;
        self.rows.get(at)
    }

    fn set(&mut self, row: usize, rows: usize, call: CallRow) {
        if self.of_row.is_empty() {
            self.of_row = vec![NONE; rows];
        }
        self.of_row[row] = self.rows.len() as i32;
        self.rows.push(call);
    }
}

impl Maker {
    /// Fills a row that no host writes. `call` is the record's.
    pub(super) fn emit_call<'a>(
        &'a self,
        frame: &mut Frame,
        row: usize,
        record: &'a Record,
        call: &Call,
        recipe: Recipe,
        scene: &Scene<'_>,
    ) {
        let host = scene.hosts[record.on.min(scene.hosts.len() - 1)];
        let account = self.account(scene, record, host);
        frame.host[row] = host as i32;
        frame.user[row] = account as i32;
        frame.telemetry[row] = record.telemetry;
        frame.success[row] = record.succeeds(scene.event);
        frame.salt[row] = scene.event.at(0x5a17);
        frame.native[row] = frame.time[row];
        frame.source[row] = self.origin(call, scene, host, account) as i32;
        // What a chain has stolen stays what it was when it came.
        let time = match scene.chain {
            Some(c) => c.chain.arrivals[0],
            None => frame.time[row],
        };
        let session = (self.world.cloud).session(account, time.div_euclid(1_000_000));
        // Strangers' clients are their own, whoever they say they are.
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
                call: recipe.call(),
                agent,
                session: session.number,
                session_start: session.start,
            },
        );
        let mut texts = Texts::new(self, scene, host, account);
        texts.source = frame.source[row];
        for (column, template) in [
            (&mut frame.message, &record.request),
            (&mut frame.url, &record.url),
        ] {
            if let Some(template) = template {
                texts.set(column, row, template);
            }
        }
    }

    /// The address that a call comes from.
    fn origin(&self, call: &Call, scene: &Scene<'_>, host: u32, account: u32) -> u32 {
        let addresses = &self.world.addresses;
        match call.origin {
            Origin::Office => addresses.egress(host),
            Origin::Home => addresses.home(account),
            Origin::Cloud => addresses.instance(self.world.cloud.session(account, 0).number),
            Origin::Outside => addresses.client(scene.key.at(2), scene.key.at(3)),
            Origin::Adversary(purpose) => addresses.adversary(scene.adversary, purpose),
        }
    }
}
