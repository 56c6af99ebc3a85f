//! Logon sessions: their accounts, start times and numbers.
//!
//! Each row of a session must be able to compute the session's number. Within a boot, numbers rise
//! with time, and no two accounts of a host share one. So a boot is divided into slots, and in each
//! slot every account that may log on has a number of its own.

use super::World;
use super::boots::{Boot, COMING_UP, SETTLED};
use super::users::{LOCAL_SERVICE, NETWORK_SERVICE, ROOT, SYSTEM};
use crate::catalog::Platform;
use crate::ids::{AccountId, HostId};

/// One logon session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Session {
    /// `TargetLogonId`; on Linux the audit session number.
    pub id: u64,
    /// Unix seconds.
    pub start: i64,
}

/// The purpose of a session other than the interactive one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Remote work: one session per account and slot.
    Visit,
    /// The complete session of a scenario: the scenario, and the number of its visit to the host.
    Whole { number: u8, visit: u64 },
    /// A chain's session, in a slot that no other chain uses on the host.
    Chain { slot: i64 },
}

/// Length of a slot in seconds, unless the numbers would not suffice.
const SLOT: i64 = 60;
/// Maximum duration of a boot in seconds: four weeks plus the maximum delay of its start.
const LONGEST_BOOT: i64 = 29 * 86_400;
/// Number of interactive sessions of a slot: one that starts with the boot, and one of the day.
const DESK: u64 = 2;
/// Number of administrators with an account on a Linux host.
const ADMINISTRATORS: u64 = 8;
/// Number of classes of a chain's accounts before services: its user, administrators, machines.
const CHAIN_CLASSES: u64 = 3;
/// Number of scenarios with complete sessions.
const WHOLE: u8 = crate::catalog::LOGIN_SEQUENCES;
/// Maximum complete sessions of one scenario that begin in one slot of a Linux host.
const VISITS: u64 = 16;
/// First number of services that log on with the boot, on Windows.
const FIRST_SERVICE: u64 = 0x1_0000;

/// How sessions of a host are numbered.
struct Numbering {
    first: u64,
    /// Number of sessions that can begin in one slot.
    lanes: u64,
    /// Index of the first of them that is a complete session of a scenario; Linux only.
    whole: u64,
    /// Seconds.
    slot: i64,
}

/// The draw of the second at which a host's session starts with the boot.
const COMING_UP_SLOT: u64 = u64::MAX;
/// Draws of the minute and the second of a day's logon; each is XORed with the day. The draw of the day
/// alone decides whether the user works at a weekend.
const MINUTE: u64 = 0xd0;
const SECOND: u64 = 0xe0;

impl Numbering {
    fn slot_of(&self, boot: Boot, time: i64) -> i64 {
        (time - boot.start).max(0) / self.slot
    }

    fn number(&self, slot: i64, lane: u64) -> u64 {
        self.first + slot.max(0) as u64 * self.lanes + lane
    }
}

impl World {
    fn numbering(&self, host: HostId) -> Numbering {
        let services = self.accounts.services().len() as u64;
        let chains = CHAIN_CLASSES + services;
        // Numbers are as small as real ones: LogonIds have four bytes, audit sessions three.
        let (first, visitors, most) = match self.hosts[host].platform {
            Platform::Windows => {
                let salt = self.keys.logon_ids.below(u64::from(host), 4096);
                let first = 0x2_0000 + salt * 16;
                (first, self.accounts.all.len() as u64, 1 << 31)
            }
            Platform::Linux => (1, 3 + ADMINISTRATORS + services, 1 << 24),
        };
        let whole = DESK + chains + visitors;
        let lanes = match self.hosts[host].platform {
            Platform::Windows => whole,
            Platform::Linux => whole + u64::from(WHOLE) * VISITS,
        };
        Numbering {
            first,
            lanes,
            whole,
            slot: SLOT.max((LONGEST_BOOT as u64 * lanes).div_ceil(most) as i64),
        }
    }

    /// The index of an account's remote session within a slot.
    fn visitor(&self, host: HostId, account: AccountId) -> u64 {
        let accounts = &self.accounts;
        let admins = accounts.admins();
        let services = accounts.services();
        match self.hosts[host].platform {
            Platform::Windows => u64::from(account),
            _ if account == self.hosts[host].user => 0,
            _ if account == ROOT => 1,
            _ if let Some(place) = admins.place(account) => {
                let count = admins.len() as u64;
                let first = self.first_administrator(host);
                let rank = (place + count - first) % count;
                2 + rank.min(ADMINISTRATORS - 1)
            }
            // No record opens a Linux session of any other account.
            _ => 2 + ADMINISTRATORS + services.place(account).unwrap_or(services.len() as u64),
        }
    }

    /// The index of an account's session within a chain's slot.
    fn member(&self, account: AccountId) -> u64 {
        let services = self.accounts.services();
        if self.accounts.admins().contains(account) {
            1
        } else if let Some(place) = services.place(account) {
            CHAIN_CLASSES + place
        } else {
            2 * u64::from(account >= services.nth(services.len() as u64))
        }
    }

    fn first_administrator(&self, host: HostId) -> u64 {
        let count = (self.accounts.admins().len() as u64).max(1);
        self.keys.administrators.below(u64::from(host), count)
    }

    /// An administrator who works on a host, by a draw: a Linux host has accounts of only a few.
    pub fn administrator(&self, host: HostId, bits: u64) -> AccountId {
        let admins = self.accounts.admins();
        let count = (admins.len() as u64).max(1);
        let nth = match self.hosts[host].platform {
            Platform::Windows => crate::random::below(bits, count),
            Platform::Linux => {
                let nth = crate::random::below(bits, count.min(ADMINISTRATORS));
                (self.first_administrator(host) + nth) % count
            }
        };
        admins.nth(nth)
    }

    /// The slot of a boot at a time (Unix seconds).
    pub fn session_slot(&self, host: HostId, boot: Boot, time: i64) -> i64 {
        self.numbering(host).slot_of(boot, time)
    }

    /// The interactive session on a workstation whose processes run at `time` (Unix seconds); on other
    /// hosts the last session of an administrator.
    pub fn session(&self, host: HostId, time: i64) -> Session {
        let boot = self.settled_boot(host, time);
        let key = self.keys.logons.with(u64::from(host));
        let settled = time - SETTLED;
        let local_day = (settled + self.time_zone_offset).div_euclid(86_400);
        let mut start = boot.start + 45 + key.below(COMING_UP_SLOT, 30) as i64;
        let mut lane = 0;
        for day in (local_day - 3..=local_day).rev() {
            let weekday = (day + 3).rem_euclid(7);
            let works = weekday < 5 || key.below(day as u64, 20) == 0;
            let minute = 7 * 60 + 40 + key.below(day as u64 ^ MINUTE, 100) as i64;
            let logon = day * 86_400 - self.time_zone_offset
                + minute * 60
                + key.below(day as u64 ^ SECOND, 60) as i64;
            if works && logon <= settled {
                // A logon during the boot belongs to the session that starts with the boot.
                if logon >= boot.start + COMING_UP {
                    (start, lane) = (logon, 1);
                }
                break;
            }
        }
        let numbering = self.numbering(host);
        Session {
            id: numbering.number(numbering.slot_of(boot, start), lane),
            start,
        }
    }

    /// The session that a logon of `account` at `time` (Unix seconds) opens or belongs to.
    pub fn logon(
        &self,
        host: HostId,
        boot: Boot,
        time: i64,
        account: AccountId,
        purpose: Purpose,
    ) -> Session {
        let numbering = self.numbering(host);
        let chains = CHAIN_CLASSES + self.accounts.services().len() as u64;
        match purpose {
            Purpose::Visit => {
                let slot = numbering.slot_of(boot, time);
                let lane = DESK + chains + self.visitor(host, account);
                Session {
                    id: numbering.number(slot, lane),
                    start: boot.start + slot * numbering.slot,
                }
            }
            Purpose::Whole { number, visit } => {
                let lane = numbering.whole + u64::from(number % WHOLE) * VISITS + visit % VISITS;
                Session {
                    id: numbering.number(numbering.slot_of(boot, time), lane),
                    start: time,
                }
            }
            Purpose::Chain { slot } => Session {
                id: numbering.number(slot, DESK + self.member(account)),
                start: time,
            },
        }
    }

    /// The session of a service that logs on `delay` seconds after the boot, given its index among the
    /// residents.
    pub fn service_session(
        &self,
        host: HostId,
        boot: Boot,
        resident: usize,
        delay: i64,
    ) -> Session {
        let salt = self.keys.service_logons.below(u64::from(host), 16);
        Session {
            id: FIRST_SERVICE + salt + 16 * resident as u64,
            start: boot.start + delay,
        }
    }

    /// The session a process of `account` belongs to: a service's fixed one, or `interactive`.
    pub fn session_of(&self, account: AccountId, boot: Boot, interactive: Session) -> Session {
        let fixed = |id| Session {
            id,
            start: boot.start,
        };
        match account {
            SYSTEM => fixed(0x3e7),
            NETWORK_SERVICE => fixed(0x3e4),
            LOCAL_SERVICE => fixed(0x3e5),
            ROOT => fixed(u64::from(u32::MAX)),
            _ => interactive,
        }
    }
}
