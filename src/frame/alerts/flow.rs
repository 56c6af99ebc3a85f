//! A flow as the reporting host saw it, and the draws of its row.

use crate::frame::scene::Scene;
use crate::ids::HostId;
use crate::random::{Draws, Key, slots};
use crate::world::World;
use crate::world::processes::OTHER_STREAM;

slots! {
    /// Draws of a network detection.
    pub(super) enum FlowSlot {
        /// Which end of a flow between two hosts reports it.
        Reporter = 1,
        ClientPort = 3,
        ServerPort = 4,
        /// Which real flow's byte counts are taken, and how far each is varied.
        Bytes = 5,
        ToServer = 6,
        ToClient = 7,
        /// The frame's `salt`.
        Salt = 8,
        /// Time from the record to `@timestamp`.
        Lag = 9,
    }
}

slots! {
    /// Draws of a flow's record on Windows, from the row's `salt`.
    pub(super) enum WindowsSlot {
        Owner = 6,
        /// Whether somebody is logged on.
        InSession = 7,
    }
}

slots! {
    /// Draws of a web server's log line, from the row's `salt`.
    pub(super) enum AccessSlot {
        Request = 11,
        Status = 12,
        Bytes = 13,
        Agent = 14,
    }
}

slots! {
    /// Draws of a packet filter's log line, from the row's `salt`.
    pub(super) enum PacketSlot {
        Microseconds = 1,
        TimeToLive = 2,
        Length = 3,
        Id = 4,
        Window = 5,
        EchoId = 6,
        EchoSequence = 7,
    }
}

/// A flow as its reporting host saw it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flow {
    pub host: HostId,
    /// The host opened it.
    pub initiated: bool,
    pub answered: bool,
    /// From inside to outside.
    pub outwards: bool,
    /// Port of the service; [`NONE`](crate::frame::NONE) where the protocol has none.
    pub port: i32,
}

/// The scene of a flow's record on one host; its draws come from the row's `salt`.
pub(super) fn scene<'s>(world: &World, hosts: &'s [HostId; 1], salt: u64) -> Scene<'s> {
    let (key, user) = (Key::root(salt), world.hosts[hosts[0]].user);
    Scene {
        hosts,
        user,
        admin: user,
        adversary: 0,
        key: Draws::new(key),
        event: Draws::new(key),
        burst: Draws::new(key),
        round: 0,
        ordinal: 0,
        stream: OTHER_STREAM,
        whole: None,
        chain: None,
        cast: None,
    }
}
