//! Where a catalog record happens: the hosts, people and keys that its row is drawn from.

use std::cell::RefCell;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::catalog::{AccountRef, Record};
use crate::ids::{AccountId, HostId};
use crate::plan::TimeLaw;
use crate::plan::chains::Chain;
use crate::random::{Draws, below, slots};
use crate::world::{Process, World};

slots! {
    /// Draws of a scene: the same for all records of a chain, a visit or a single event.
    pub enum SceneSlot {
        /// Source address of a call from outside, and which of its neighbours.
        CallerRank = 2,
        CallerAddress = 3,
        ServiceRank = 0x5e1,
        OtherServiceRank = 0x5e2,
        OtherUser = 0x07e5,
        /// Processes of a sequence of records.
        Ordinals = 0x0c1d,
        /// Time from the start of a short-lived program to the record that names it.
        ProgramAge = 0x9209,
        /// Time from a fork to the record that the child writes.
        ForkAge = 0xc41d,
        Command = 0xc033,
        PayloadStem = 0xba1,
        PayloadIsNumbered = 0xba2,
        PayloadNumber = 0xba3,
        CdnDomain = 0xcd0,
        Document = 0xd0c,
        GeneratedDomain = 0xd6a,
        Folder = 0xf01d,
        Principal = 0x5b4,
        Newcomer = 0x0e3c,
        TaskStem = 0x7a5,
        TaskEnd = 0x7a6,
        /// Families: one key per number in the placeholder.
        Letters = 0x1e00,
        Hex = 0x4e00,
        CdnLabel = 0xcd00,
        Digits = 0xd100,
        Found = 0xf_0d00,
        FoundIn = 0xf_1d00,
        /// Five families, one per group of a GUID.
        Guid = 0x60_d000,
    }
}

slots! {
    /// Draws of one event.
    pub enum EventSlot {
        /// Time from the record to `@timestamp`.
        Lag = 1,
        /// Address of a service on the Internet.
        ServiceAddress = 2,
        ServicePort = 3,
        ClientPort = 4,
        BytesOut = 5,
        BytesIn = 6,
        /// How long before the event its session was opened; for a DNS query, whether it resolves.
        Before = 7,
        /// How long a session has lasted that the event closes.
        Lasted = 9,
        Device = 0x0de7,
        /// Which sensor's record of a process start is kept.
        SeenBySecurity = 0x1258,
        /// The frame's `salt`.
        Salt = 0x5a17,
    }
}

slots! {
    /// Draws that a burst of events shares.
    pub enum BurstSlot {
        /// Source address of a client on the Internet, and which of its neighbours.
        ClientRank = 8,
        ClientAddress = 9,
        DisabledUser = 0xd15a,
        /// Whether a run of a routine writes registry values again as they are.
        Keeps = 0x4ee9,
        /// Address of a service on the Internet that a run of a routine asks for.
        ServiceAddress = 0x5ad,
    }
}

/// Where a record happens.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'s> {
    /// The hosts in play; `record.on` and `host:k` are indices here. Noise has the reporting
    /// host and its peer.
    pub hosts: &'s [HostId],
    pub user: AccountId,
    pub admin: AccountId,
    pub adversary: u32,
    /// Draws that stay the same over the whole scene.
    pub key: Draws<SceneSlot>,
    pub event: Draws<EventSlot>,
    pub burst: Draws<BurstSlot>,
    pub round: u32,
    /// Distinguishes the processes that one host starts in a slot of activity.
    pub ordinal: u64,
    /// The stream of the processes that its records start.
    pub stream: u32,
    /// The sequence of records that the event belongs to; noise only.
    pub whole: Option<Whole<'s>>,
    pub chain: Option<ChainScene<'s>>,
    /// The run of a routine that the event belongs to.
    pub cast: Option<Cast<'s>>,
}

/// A run of a routine.
#[derive(Debug, Clone, Copy)]
pub struct Cast<'s> {
    /// Index into the catalog's routines.
    pub routine: usize,
    /// The processes that it starts, by number.
    pub processes: &'s [Process],
}

/// A sequence of records with one cause: a visit to a host.
#[derive(Debug, Clone, Copy)]
pub struct Whole<'s> {
    /// The scenario and variant whose records they are.
    pub scenario: usize,
    pub variant: usize,
    /// Times of the variant's rows, and the row of the sequence's first record.
    pub law: &'s TimeLaw,
    pub first: u64,
    /// Time of its first record, Unix microseconds.
    pub start: i64,
    /// Number of the variant among the sequences that open a session.
    pub number: Option<u8>,
    /// Counts its visits to a host.
    pub visit: u64,
}

impl Whole<'_> {
    /// Time of its record `at`, Unix microseconds.
    pub fn time(&self, at: usize) -> i64 {
        self.law.time(self.first + at as u64)
    }
}

/// The chain a scene belongs to.
#[derive(Debug, Clone, Copy)]
pub struct ChainScene<'s> {
    pub index: u32,
    pub chain: &'s Chain,
    pub step: u8,
    /// Processes that earlier rows of the frame have computed.
    pub known: &'s Started,
}

/// Cache of the processes that chains start, by chain, number and round.
#[derive(Debug, Default)]
pub struct Started(RefCell<HashMap<(u32, usize, u32), Process, FixedState>>);

impl Started {
    /// A process, computed by `make` on its first use.
    pub(super) fn get(&self, of: (u32, usize, u32), make: impl FnOnce() -> Process) -> Process {
        let known = self.0.borrow().get(&of).copied();
        known.unwrap_or_else(|| {
            let process = make();
            self.0.borrow_mut().insert(of, process);
            process
        })
    }
}

impl Scene<'_> {
    /// The host that writes a record.
    pub(super) fn reporter(&self, record: &Record) -> HostId {
        self.hosts[record.on.min(self.hosts.len() - 1)]
    }

    /// The account that a record on `host` is about.
    pub(super) fn account(&self, world: &World, record: &Record, host: HostId) -> AccountId {
        let accounts = &world.accounts;
        match record.account {
            AccountRef::OtherUser => {
                let users = accounts.users();
                let count = (users.len() as u64).max(1);
                let bits = self
                    .key
                    .part(SceneSlot::OtherUser)
                    .at(u64::from(self.round));
                return users.nth(below(bits, count));
            }
            AccountRef::DisabledUser => {
                let disabled = accounts.disabled();
                if !disabled.is_empty() {
                    let count = disabled.len() as u64;
                    return disabled.nth(self.burst.below(BurstSlot::DisabledUser, count));
                }
            }
            AccountRef::PeerMachine if self.hosts.len() > 1 => {
                return accounts.machine(self.hosts[1]);
            }
            AccountRef::PeerUser if self.hosts.len() > 1 => {
                return world.hosts[self.hosts[1]].user;
            }
            _ => {}
        }
        let platform = world.hosts[host].platform;
        accounts.resolve(&record.account, platform, host, self.user, self.admin)
    }
}

#[cfg(test)]
mod tests {
    use super::SceneSlot;

    #[test]
    fn no_draw_of_a_scene_lies_in_a_family_of_another() {
        use SceneSlot::{CdnLabel, Digits, Found, FoundIn, Guid, Hex, Letters};
        let one = [Letters, Hex, CdnLabel, Digits, Found, FoundIn].map(|slot| (slot, 1));
        for (family, groups) in one.into_iter().chain([(Guid, 5)]) {
            let numbers = family as u64..family as u64 + 256 * groups;
            for &slot in SceneSlot::ALL.iter().filter(|slot| **slot != family) {
                assert!(!numbers.contains(&(slot as u64)), "{slot:?} {family:?}");
            }
        }
    }
}
