//! Boots of hosts: when each begins, and which one is in force.

use super::World;
use crate::ids::HostId;

/// Seconds after the start of residents before any record may name them.
pub const SETTLED: i64 = 600;
/// Seconds after a boot in which only the session that starts with the boot begins.
pub(super) const COMING_UP: i64 = 120;

/// One boot of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Boot {
    /// Number of the boot since the machine was installed.
    pub number: u16,
    /// Unix seconds.
    pub start: i64,
}

impl World {
    /// The boot in force at `time` (Unix seconds).
    pub fn boot(&self, host: HostId, time: i64) -> Boot {
        let h = &self.hosts[host];
        let mut index = (time - h.boot_phase).div_euclid(h.boot_period);
        let mut start = self.boot_start(host, index);
        if start > time {
            index -= 1;
            start = self.boot_start(host, index);
        }
        Boot {
            number: (index + 3) as u16,
            start,
        }
    }

    /// Time of a host's boot `index`, Unix seconds.
    #[inline]
    pub(super) fn boot_start(&self, host: HostId, index: i64) -> i64 {
        let h = &self.hosts[host];
        let late = self
            .keys
            .boots
            .with(u64::from(host))
            .below(index as u64, 1500);
        h.boot_phase + index * h.boot_period + late as i64
    }

    /// The boot that applications belong to. Like residents, they continue a little into the next boot.
    #[inline]
    pub fn settled_boot(&self, host: HostId, time: i64) -> Boot {
        self.boot(host, time - SETTLED)
    }
}
