//! Activity of hosts, in keyed ten-minute slots.
//!
//! Each slot has a *wheel* of positions: all servers, and the workstations whose
//! users are active, in a keyed order. The host at a position is found in O(1), so drawing a host,
//! or visiting hosts in turn, needs no list of a slot's hosts.

use super::World;
use crate::catalog::{HostClass, Platform};
use crate::ids::HostId;
use crate::random::{Draws, Permutation, below, slots};

/// Length of a slot in seconds.
pub const SLOT: i64 = 600;

slots! {
    /// Draws of a slot of activity: the orders of its hosts.
    enum WheelSlot {
        Servers = 0,
        Workstations = 1,
        /// Servers and active workstations together.
        All = 2,
    }
}

/// The hosts active in one slot.
#[derive(Debug, Clone, Copy)]
pub struct Wheel<'a> {
    servers: &'a [HostId],
    workstations: &'a [HostId],
    server_order: Permutation,
    workstation_order: Permutation,
    active: u64,
    /// Order of servers and active workstations together, so that neither kind comes first.
    order: Permutation,
}

/// Share of workstations in use, per mille, by local hour on a working day.
const WORKING_DAY: [u16; 24] = [
    30, 25, 20, 20, 25, 40, 90, 240, 520, 640, 660, 640, 480, 560, 650, 640, 600, 480, 300, 190,
    140, 110, 80, 50,
];
/// Share of workstations in use, per mille, by local hour at the weekend.
const WEEKEND: [u16; 24] = [
    25, 20, 15, 15, 15, 20, 25, 35, 50, 60, 65, 65, 60, 60, 60, 60, 55, 55, 60, 65, 60, 50, 40, 30,
];

impl World {
    /// Local hour of day and weekday (0 Monday) of a Unix time in seconds.
    #[inline]
    pub fn local(&self, time: i64) -> (usize, usize) {
        let local = time + self.time_zone_offset;
        let hour = local.rem_euclid(86_400) / 3600;
        // 1970-01-01 was a Thursday.
        let weekday = (local.div_euclid(86_400) + 3).rem_euclid(7);
        (hour as usize, weekday as usize)
    }

    /// Share of workstations in use, per mille, at a Unix time in seconds.
    #[inline]
    pub fn in_use(&self, time: i64) -> u64 {
        let (hour, weekday) = self.local(time);
        u64::from(match weekday < 5 {
            true => WORKING_DAY[hour],
            false => WEEKEND[hour],
        })
    }

    /// The wheel of the slot that holds `time` (Unix seconds).
    #[inline]
    pub fn wheel(&self, time: i64) -> Wheel<'_> {
        self.turning(
            time,
            &self.hosts.servers,
            self.class(HostClass::Workstation),
        )
    }

    /// The wheel of one platform's hosts.
    #[inline]
    pub fn wheel_of(&self, platform: Platform, time: i64) -> Wheel<'_> {
        let workstations = match platform {
            Platform::Windows => self.class(HostClass::Workstation),
            Platform::Linux => &[],
        };
        self.turning(time, self.always_on(platform), workstations)
    }

    /// Hosts of a platform that are always active.
    pub fn always_on(&self, platform: Platform) -> &[HostId] {
        self.class(match platform {
            Platform::Windows => HostClass::WindowsServer,
            Platform::Linux => HostClass::LinuxServer,
        })
    }

    #[inline]
    fn turning<'w>(
        &self,
        time: i64,
        servers: &'w [HostId],
        workstations: &'w [HostId],
    ) -> Wheel<'w> {
        let slot = time.div_euclid(SLOT);
        let key = Draws::new(self.keys.activity.with(slot as u64));
        let n = workstations.len() as u64;
        // Of the slot, not of the time: an hour of local time may begin within a slot.
        let share = self.in_use(slot * SLOT);
        let active = (n * share).div_ceil(1000).clamp(n.min(1), n);
        Wheel {
            servers,
            workstations,
            server_order: Permutation::new(key.part(WheelSlot::Servers), servers.len() as u64),
            workstation_order: Permutation::new(key.part(WheelSlot::Workstations), n),
            active,
            order: Permutation::new(key.part(WheelSlot::All), servers.len() as u64 + active),
        }
    }
}

impl Wheel<'_> {
    /// Number of positions.
    #[inline]
    pub fn len(&self) -> u64 {
        self.servers.len() as u64 + self.active
    }

    /// Always false: infrastructure is always active.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The host at a position below [`len`](Self::len).
    #[inline]
    pub fn host(&self, position: u64) -> HostId {
        let position = self.order.forward(position);
        match position.checked_sub(self.servers.len() as u64) {
            None => self.servers[self.server_order.forward(position) as usize],
            Some(p) => self.workstations[self.workstation_order.forward(p) as usize],
        }
    }

    /// A workstation whose user is active.
    #[inline]
    pub fn active_workstation(&self, bits: u64) -> HostId {
        self.workstations[self.workstation_order.forward(below(bits, self.active)) as usize]
    }
}
