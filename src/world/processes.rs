//! Processes, each a function of its coordinates.
//!
//! A process is (host, boot, sequence), which determine pid, GUID and start. Residents are
//! keyed by boot or logon. All other processes are keyed by the ten-minute slot of their start, a
//! stream (ordinary life, by lifetime class, or everything else) and an ordinal within it, so that
//! no two live processes of a host share a pid.

use super::World;
use super::activity::SLOT;
use super::boots::{Boot, COMING_UP, SETTLED};
use super::hosts::Role;
use super::sessions::{Purpose, Session};
use super::starts::STARTING;
use super::users::{ROOT, SYSTEM};
use crate::catalog::{Catalog, MOST_RESIDENTS, Platform, Resident, Scope};
use crate::ids::{AccountId, HostId, ImageId};
use crate::random::{Draws, Key, Permutation, chance, slots};

/// [`SETTLED`] of Windows' System process and of init: their pids are fixed, so those of the last boot
/// must be gone.
const ROOT_SETTLED: i64 = 1;
/// Bits of a slot's sequence numbers: 5 bits of ordinal, 2 bits of stream, 1 bit for the residents of a
/// session.
const SEQUENCE_BITS: u32 = 8;
const ORDINAL_BITS: u32 = 5;
const RESIDENT_BIT: u32 = 0x80;
/// Many populations share the last stream, so its ordinals need more bits. Bits above
/// [`ORDINAL_BITS`] are added to the slot, which keeps numbers as small as real ones, with zeros at the
/// end of the GUID. Ordinals of chains come after this number.
const OTHERS: u32 = 1 << 15;
/// Maximum starts of one stream on a host in a slot.
pub const STARTS_PER_SLOT: u64 = 32;
/// The stream of processes that alerts and noise start; each is in one record only.
pub const OTHER_STREAM: u32 = 3;
/// Numbers since the boot of the residents of a session; those of a boot are as many. The residents of the
/// session that starts with the boot have the next ones, and then all births.
pub const OF_SESSION: u32 = MOST_RESIDENTS as u32;
pub const FIRST_BIRTH: u32 = 1 + 2 * OF_SESSION;
/// Number of pid units of processes that a day's script starts. They are given in turn, but for those of live processes.
pub const BIRTH_UNITS: u32 = 1_024;
/// Longest life of such a process, in microseconds.
pub const LONGEST_BIRTH: i64 = 23 * SLOT * 1_000_000;
/// Marks the ordinal of a process in a sequence. Its lowest bits number the processes of the sequence;
/// the others identify the sequence.
pub const OF_SEQUENCE: u64 = 1 << 63;
/// The stream of chains' processes, which may live for days.
pub const CHAIN_STREAM: u32 = 4;
/// The stream of alerts' processes whose ends are recorded.
pub const ALERT_STREAM: u32 = 5;
/// Number of pid units per alert category. Processes this many starts apart reuse a unit, because they
/// are never alive at once.
pub const ALIVE: u64 = 2048 / STARTING as u64;
/// Pid units of a resident: one for each lane.
const LANES: u32 = 8;
/// Smallest pids that are spread; smaller ones belong to processes that start with the boot. Windows'
/// recorded hosts have pids up to 26,616.
const LEAST_WINDOWS: u32 = 3_660;
const LEAST_LINUX: u32 = 2_000;
/// Seconds after a boot within which started residents have pids below all others.
const EARLY: u32 = 7;
/// Number of residents with the lowest pids, in their order. The order of the others depends on the host.
const FIRST_RESIDENTS: u64 = 8;
/// A prime, at least the number of residents.
const PLACES: u64 = 97;
/// Number of slots after which a lifetime class reuses its units. Its processes have ended by then; for
/// those that run for hours, this is longer than an eight-hour day.
const SLOTS: [u32; 3] = [4, 8, 64];
/// Number of units of residents, which come first.
const RESIDENTS: u32 = LANES * MOST_RESIDENTS as u32;
/// Units of the lifetime classes of Linux, after those of residents.
const LIFE: [u32; 3] = [0, 128, 384];
const OF_LIFE: u32 = 2_432;
/// Number of units of alerts' processes, a power of two.
const OF_ALERTS: u32 = 2_048;

/// How the units of a platform's pids are shared out, after those of residents: to processes of scripts
/// or of ordinary life, of alerts, others in one record only, and of chains.
struct Units {
    /// Number of units: a prime, so that multiplying by any factor permutes them.
    space: u32,
    alerts: u32,
    others: u32,
    chains: u32,
    /// Number of units of others, and of chains; powers of two.
    of_others: u32,
    of_chains: u32,
}

const WINDOWS: Units = Units {
    space: 5_897,
    alerts: RESIDENTS + BIRTH_UNITS,
    others: RESIDENTS + BIRTH_UNITS + OF_ALERTS,
    chains: RESIDENTS + BIRTH_UNITS + OF_ALERTS + 1_024,
    of_others: 1_024,
    of_chains: 1_024,
};

const LINUX: Units = Units {
    space: 14_221,
    alerts: RESIDENTS + OF_LIFE,
    others: RESIDENTS + OF_LIFE + OF_ALERTS,
    chains: RESIDENTS + OF_LIFE + OF_ALERTS + 4_096,
    of_others: 4_096,
    of_chains: 4_096,
};

impl Units {
    fn of(platform: Platform) -> &'static Units {
        match platform {
            Platform::Windows => &WINDOWS,
            Platform::Linux => &LINUX,
        }
    }
}

/// A boot's or session's pace is that of the catalog's delays times a number of 1/1024 in this range:
/// machines are not equally fast, and no two starts of one are.
const PACE: (u64, u64) = (740, 1_530);
/// The draw of the pace, beside those of residents by number.
const PACE_DRAW: u64 = 0x9ace;
/// Longest time from a resident's turn to its start, in microseconds: less than what lies between the turns
/// of two residents whose delays differ.
const LATE: u64 = 700_000;

slots! {
    /// Draws of a host's pids.
    enum PidSlot {
        /// Order of the units of processes that records start.
        Salt = 0,
        /// The affine permutation of the pid space.
        Factor = 1,
        Offset = 2,
        /// The affine permutation of what a boot starts first.
        EarlyFactor = 3,
        EarlyOffset = 4,
        /// The cycle in which births take units.
        Births = 5,
    }
}

slots! {
    /// Draws of a host's hardware. Columns draw from the same key by channel, thread and filter.
    pub enum HardwareSlot {
        /// MAC address.
        Mac = 1,
        /// Seconds since the boot when the window begins.
        Uptime = 2,
        /// The SID of a member server.
        MachineSid = 0x51d,
        /// Where a boot loads modules.
        ModuleBase = 0xba5e,
    }
}

/// One process, as its events name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Process {
    pub image: ImageId,
    pub account: AccountId,
    pub pid: u32,
    /// Unix microseconds.
    pub start: i64,
    /// Process sequence number since boot; the GUID's tail. 0 for a resident of a session that began when its
    /// boot had settled: the plan of the host's scripts has the number.
    pub sequence: u32,
    pub boot: u16,
    pub session: Session,
}

impl World {
    /// A resident process of a host, alive at `time` (Unix seconds).
    pub fn resident(&self, catalog: &Catalog, host: HostId, resident: usize, time: i64) -> Process {
        let r = &catalog.residents[resident];
        let h = &self.hosts[host];
        let boot = self.boot(host, time - settled(r));
        // Most residents start with the boot, independent of logons.
        let interactive = match r.scope {
            Scope::Boot => None,
            Scope::Session => Some(self.session(host, time)),
        };
        let account = self
            .accounts
            .resolve(&r.account, h.platform, host, h.user, h.user);
        // The account of a service logs on when the service starts.
        let key = self.resident_key(host, boot.start);
        let delay = delay_of(r, key);
        let service = self.service_session(host, boot, resident, delay / 1_000_000);
        let session = match interactive {
            Some(interactive) if account != SYSTEM && account != ROOT => interactive,
            // Daemons are in no audit session.
            _ if h.platform == Platform::Linux => self.session_of(ROOT, boot, service),
            _ => self.session_of(account, boot, service),
        };
        let (base, key, delay) = match interactive {
            None => (boot.start, key, delay),
            Some(session) => {
                let key = self.resident_key(host, session.start);
                (session.start, key, delay_of(r, key))
            }
        };
        let number = resident as u64;
        let start = base * 1_000_000 + delay + key.below(number, LATE) as i64;
        let lane = match r.scope {
            Scope::Boot => u64::from(boot.number),
            Scope::Session => {
                let day = (base + self.time_zone_offset).div_euclid(86_400) as u64;
                // The session that starts with the boot comes before the day's logon.
                day * 2 + u64::from(base - boot.start < COMING_UP)
            }
        };
        let pid = self.pid_of_resident(host, resident, r, lane);
        Process {
            image: r.image,
            account,
            pid,
            start,
            // Boot residents have the first numbers; residents of a session follow in the session's slot.
            sequence: match r.scope {
                Scope::Boot => number as u32 + 1,
                Scope::Session if h.platform == Platform::Windows => {
                    match base - boot.start < SETTLED {
                        true => 1 + OF_SESSION + number as u32,
                        false => 0,
                    }
                }
                Scope::Session => {
                    (self.slot_of(boot, base) << SEQUENCE_BITS) | RESIDENT_BIT | number as u32
                }
            },
            boot: boot.number,
            session,
        }
    }

    fn resident_key(&self, host: HostId, base: i64) -> Key {
        self.keys.residents.with(u64::from(host)).with(base as u64)
    }

    /// Only the pid of a boot-scope resident.
    pub fn resident_pid(&self, catalog: &Catalog, host: HostId, resident: usize, time: i64) -> u32 {
        let r = &catalog.residents[resident];
        let boot = self.boot(host, time - settled(r));
        self.pid_of_resident(host, resident, r, u64::from(boot.number))
    }

    /// The span (start, end) in Unix seconds during which a boot-scope resident is the same process as at
    /// `time`.
    pub fn resident_span(
        &self,
        catalog: &Catalog,
        host: HostId,
        resident: usize,
        time: i64,
    ) -> (i64, i64) {
        let settled = settled(&catalog.residents[resident]);
        let from = self.boot(host, time - settled).start;
        let h = &self.hosts[host];
        let mut next = (time - settled - h.boot_phase).div_euclid(h.boot_period);
        if self.boot_start(host, next) <= time - settled {
            next += 1;
        }
        (from + settled, self.boot_start(host, next) + settled)
    }

    /// The pid of a resident. Residents outlive the start of the next boot or session by [`SETTLED`], so
    /// `lane` keeps the pids of eight consecutive ones distinct.
    fn pid_of_resident(&self, host: HostId, resident: usize, r: &Resident, lane: u64) -> u32 {
        let number = resident as u64;
        let own = lane as u32 % LANES;
        // The first processes of a boot, and the sensor, always have the lowest numbers. All others come
        // from the range of programs and of chains' processes, so a pid does not reveal its origin.
        let is_early = r.scope == Scope::Boot && (r.delay < EARLY || r.is_sensor);
        let place = match is_early {
            false => return self.spread_pid(host, number as u32 * LANES + own),
            true if number < FIRST_RESIDENTS => number,
            true => {
                let key = self.pids(host);
                let factor = 1 + key.below(PidSlot::EarlyFactor, PLACES - 1);
                FIRST_RESIDENTS
                    + (number * factor + key.below(PidSlot::EarlyOffset, PLACES)) % PLACES
            }
        };
        let unit = place as u32 * LANES + own;
        match self.hosts[host].platform {
            // The kernel, and init.
            Platform::Windows if resident == 0 => 4,
            Platform::Linux if r.parent.is_none() => 1,
            Platform::Windows => 4 * (72 + unit),
            Platform::Linux => 300 + unit,
        }
    }

    fn pids(&self, host: HostId) -> Draws<PidSlot> {
        Draws::new(self.keys.pids.with(u64::from(host)))
    }

    /// The pid for a unit of a host's pid space: an affine permutation, so that daemons, programs and
    /// chains' processes come from one range.
    fn spread_pid(&self, host: HostId, unit: u32) -> u32 {
        let key = self.pids(host);
        let platform = self.hosts[host].platform;
        let space = u64::from(Units::of(platform).space);
        let factor = 1 + key.below(PidSlot::Factor, space - 1);
        let offset = key.below(PidSlot::Offset, space);
        let place = ((u64::from(unit) * factor + offset) % space) as u32;
        match platform {
            Platform::Windows => LEAST_WINDOWS + 4 * place,
            Platform::Linux => LEAST_LINUX + place,
        }
    }

    /// Number of activity slots since the boot. Ordinals of a host start at 0 in each slot.
    fn slot_of(&self, boot: Boot, time: i64) -> u32 {
        (time.div_euclid(SLOT) - boot.start.div_euclid(SLOT)).max(0) as u32 + 1
    }

    /// A process that starts at `start` (Unix microseconds). `stream` is the lifetime class,
    /// [`OTHER_STREAM`], [`CHAIN_STREAM`] or [`ALERT_STREAM`]; `ordinal` tells apart what one host starts in a slot of that stream.
    #[expect(clippy::too_many_arguments, reason = "the coordinates of a process")]
    pub fn started(
        &self,
        host: HostId,
        start: i64,
        stream: u32,
        ordinal: u64,
        image: ImageId,
        account: AccountId,
        interactive: Option<Session>,
    ) -> Process {
        let seconds = start.div_euclid(1_000_000);
        let boot = self.settled_boot(host, seconds);
        let low = match stream {
            OTHER_STREAM | ALERT_STREAM => {
                // Neighbours of one population or sequence differ in their ordinals; those of different ones
                // differ by chance.
                let own = match ordinal & OF_SEQUENCE {
                    0 => Key::root(start as u64).at2(ordinal, u64::from(image)) as u32,
                    _ => (ordinal >> ORDINAL_BITS) as u32,
                };
                ((own << ORDINAL_BITS) | (ordinal % STARTS_PER_SLOT) as u32) % OTHERS
            }
            CHAIN_STREAM => OTHERS | (ordinal as u32 % OTHERS),
            _ => (ordinal % STARTS_PER_SLOT) as u32,
        };
        let slot = self.slot_of(boot, seconds);
        let within_slot =
            (stream.min(OTHER_STREAM) << ORDINAL_BITS) | (low % STARTS_PER_SLOT as u32);
        let sequence = ((slot + (low >> ORDINAL_BITS)) << SEQUENCE_BITS) | within_slot;
        let units = Units::of(self.hosts[host].platform);
        let salt = self.pids(host).below(PidSlot::Salt, 4_096) as u32;
        // Multiplying by an odd constant permutes a pid space whose size is a power of two.
        let within = |place: u32, size: u32| (place.wrapping_mul(0x9e5) ^ salt) % size;
        let unit = match stream {
            OTHER_STREAM => {
                let place = (seconds - boot.start) as u32 + 257 * low;
                units.others + within(place, units.of_others)
            }
            CHAIN_STREAM => units.chains + within(ordinal as u32, units.of_chains),
            ALERT_STREAM => units.alerts + within(ordinal as u32, OF_ALERTS),
            _ => {
                let class = stream as usize % LIFE.len();
                let size = SLOTS[class] << ORDINAL_BITS;
                // Reused units come in another order.
                let turn = (slot / SLOTS[class]).wrapping_mul(0x9e37_79b1);
                let low = low ^ turn >> (32 - ORDINAL_BITS);
                RESIDENTS + LIFE[class] + within(slot << ORDINAL_BITS | low, size)
            }
        };
        let pid = self.spread_pid(host, unit);
        let interactive = interactive.unwrap_or_else(|| self.session(host, seconds));
        Process {
            image,
            account,
            pid,
            start,
            sequence,
            boot: boot.number,
            session: self.session_of(account, boot, interactive),
        }
    }

    /// A process that the script of a host's day starts at `start` (Unix microseconds). `sequence` is its
    /// number since the boot, `turn` its pid's place in the host's cycle of [`BIRTH_UNITS`].
    pub fn born(
        &self,
        host: HostId,
        start: i64,
        (sequence, turn): (u32, u16),
        image: ImageId,
        account: AccountId,
    ) -> Process {
        let seconds = start.div_euclid(1_000_000);
        let boot = self.settled_boot(host, seconds);
        // Windows gives the id that has been free for longest, so each boot has its own cycle.
        let cycle = self.pids(host).part(PidSlot::Births);
        let cycle = Permutation::new(cycle.with(boot.number.into()), BIRTH_UNITS.into());
        let unit = RESIDENTS + cycle.forward(turn.into()) as u32;
        // Another account than the host's user has logged on a moment ago.
        let session = match account == self.hosts[host].user {
            true => self.session(host, seconds),
            false => self.logon(host, boot, seconds - 1, account, Purpose::Visit),
        };
        Process {
            image,
            account,
            pid: self.spread_pid(host, unit),
            start,
            sequence,
            boot: boot.number,
            session: self.session_of(account, boot, session),
        }
    }

    /// Whether a host audits process creation (Security 4688, 4689) in addition to Sysmon: domain
    /// controllers, and half of the other Windows servers, do.
    pub fn audits_processes(&self, host: HostId) -> bool {
        let h = &self.hosts[host];
        match (h.platform, h.role) {
            (Platform::Windows, Role::DomainController) => true,
            (Platform::Windows, Role::Workstation) | (Platform::Linux, _) => false,
            (Platform::Windows, _) => chance(self.keys.audit_policy.at(u64::from(host)), 500_000),
        }
    }

    /// Which sensor's record of a process the collector keeps, by a draw of the process. On hosts that
    /// audit processes, it is Security's in half of the cases.
    pub fn is_seen_by_security(&self, host: HostId, bits: u64) -> bool {
        chance(bits, 500_000) && self.audits_processes(host)
    }

    /// Draws of a host's hardware: MAC address, disk, thread ids.
    #[inline]
    pub fn hardware(&self, host: HostId) -> Draws<HardwareSlot> {
        Draws::new(self.keys.hardware.with(u64::from(host)))
    }

    /// Key of a host's hardware, for draws at coordinates.
    #[inline]
    pub fn host_key(&self, host: HostId) -> Key {
        self.hardware(host).key()
    }
}

/// Microseconds from the start of a boot or session to a resident's turn; `key` is of the boot or session.
fn delay_of(resident: &Resident, key: Key) -> i64 {
    let pace = PACE.0 + key.below(PACE_DRAW, PACE.1 - PACE.0);
    ((u64::from(resident.delay) * 1_000_000 * pace) >> 10) as i64
}

fn settled(resident: &Resident) -> i64 {
    match resident.parent {
        None => ROOT_SETTLED,
        Some(_) => SETTLED,
    }
}

/// Writes a ProcessGuid: `{prefix-<start low>-<start high>-<sequence LE>…<boot LE>}`.
///
/// Source: 3,532 real Sysmon records; groups 3 and 2 are the start as Unix seconds,
/// the tail is the little-endian sequence number with the boot count on top.
#[inline]
pub fn write_process_guid(
    out: &mut Vec<u8>,
    prefix: u32,
    process_start_us: i64,
    sequence: u32,
    boot: u16,
) {
    let seconds = process_start_us.div_euclid(1_000_000) as u32;
    let tail = u64::from(sequence) | u64::from(boot) << 48;
    write_guid(out, prefix, seconds, tail);
}

/// Writes a LogonGuid: the tail is the LogonId, little-endian.
#[inline]
pub fn write_logon_guid(out: &mut Vec<u8>, prefix: u32, session: Session) {
    write_guid(out, prefix, session.start as u32, session.id);
}

/// Hexadecimal digits of each byte.
const HEXADECIMAL: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut all = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        all[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    all
};

#[inline]
fn write_guid(out: &mut Vec<u8>, prefix: u32, seconds: u32, tail: u64) {
    let mut text = *b"{00000000-0000-0000-0000-000000000000}";
    let mut put = |at: usize, byte: u8| {
        let [high, low] = HEXADECIMAL[byte as usize];
        (text[at], text[at + 1]) = (high, low);
    };
    let p = prefix.to_be_bytes();
    for (i, byte) in p.into_iter().enumerate() {
        put(1 + 2 * i, byte);
    }
    let s = seconds.to_be_bytes();
    put(10, s[2]);
    put(12, s[3]);
    put(15, s[0]);
    put(17, s[1]);
    let t = tail.to_le_bytes();
    put(20, t[0]);
    put(22, t[1]);
    for i in 0..6 {
        put(25 + 2 * i, t[2 + i]);
    }
    out.extend_from_slice(&text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_pids_are_each_of_one_kind() {
        let sizes = SLOTS.map(|slots| slots << ORDINAL_BITS);
        assert_eq!([LIFE[0] + sizes[0], LIFE[1] + sizes[1]], [LIFE[1], LIFE[2]]);
        assert_eq!(LIFE[2] + sizes[2], OF_LIFE);
        for units in [WINDOWS, LINUX] {
            assert_eq!(units.alerts + OF_ALERTS, units.others);
            assert_eq!(units.others + units.of_others, units.chains);
            assert!(units.chains + units.of_chains <= units.space);
            assert!(
                (2..units.space)
                    .take_while(|d| d * d <= units.space)
                    .all(|d| units.space % d > 0)
            );
        }
        assert!(MOST_RESIDENTS as u64 <= PLACES);
        let residents = (FIRST_RESIDENTS + PLACES) as u32 * LANES;
        assert!(4 * (72 + residents) <= LEAST_WINDOWS && 300 + residents <= LEAST_LINUX);
        assert_eq!(OF_ALERTS, STARTING as u32 * ALIVE as u32);
    }

    #[test]
    fn guids_have_the_shape_of_real_ones() {
        let mut out = Vec::new();
        write_process_guid(
            &mut out,
            0x2d35_1099,
            0x5f5f_5ca9 * 1_000_000 + 999_999,
            0x042f,
            4,
        );
        assert_eq!(out, b"{2d351099-5ca9-5f5f-2f04-000000000400}");
        out.clear();
        write_logon_guid(
            &mut out,
            0xec2b_781c,
            Session {
                id: 0x3e7,
                start: 0x64f7_7005,
            },
        );
        assert_eq!(out, b"{ec2b781c-7005-64f7-e703-000000000000}");
    }
}
