//! Which numbers the processes of a host take: Windows counts them from each boot on.
//!
//! A date has one segment, or more where a boot takes over or a session begins. Each segment has its own
//! range of numbers, which is large enough for what may start in it, so that the numbers of a date follow
//! from the budgets of the dates before it, and no script has to run for another's sake. Within a segment
//! every birth has the number after the last one's. What is left of its range was never collected.

use super::{Days, Minutes};
use crate::ids::HostId;
use crate::world::SETTLED;
use crate::world::hosts::Role;
use crate::world::processes::{FIRST_BIRTH as FIRST, OF_SESSION as SESSION};

/// The last numbers of a date, for processes that are not counted: those whose start no record shows.
pub const UNCOUNTED: u32 = 1_024;
/// Births that a segment has room for beside those that its rows make likely.
const ROOM: u32 = 16;

/// A part of a host's date, and its numbers of processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Unix microseconds.
    pub from: i64,
    /// The number of the first resident of the session that begins with it, if one does.
    pub session: Option<u32>,
    /// The number of the first birth.
    pub first: u32,
    /// Most births of the host's script, without guests.
    pub most: u32,
    /// The number after that of the last birth or guest that it has room for.
    pub end: u32,
}

impl Days {
    /// The segments of a host's date, in order, if its first number is `next`. Returns the first number of
    /// the next date.
    ///
    /// `rows`: of its script. `guests`: how many processes of others start on the host before a time.
    pub fn segments(
        &self,
        host: HostId,
        law: &Minutes,
        (rows, next): (u32, u32),
        guests: impl Fn(i64) -> usize,
        segments: &mut Vec<Segment>,
    ) -> u32 {
        let second = 1_000_000;
        let (begin, midnight) = (law.midnight, law.end());
        let inside = |time: i64| (begin + 1..midnight).contains(&time);
        let boot = (self.world.settled_boot(host, midnight / second - 1).start + SETTLED) * second;
        let session = self.session_of(host, midnight).unwrap_or(begin);
        let mut from = [begin, boot, session];
        from.sort_unstable();
        let births = self.births(host, rows);
        segments.clear();
        let mut next = next;
        for from in from {
            if from != begin && !inside(from) || segments.last().is_some_and(|s| s.from == from) {
                continue;
            }
            let later = [boot, session].into_iter();
            let to = later
                .filter(|&time| time > from)
                .min()
                .unwrap_or(midnight)
                .min(midnight);
            if from == boot {
                next = FIRST;
            }
            let with_session = (from == session && inside(session)).then_some(next);
            next += with_session.map_or(0, |_| SESSION);
            let share = law.before(to) - law.before(from);
            let total = law.before(midnight).max(1);
            let most = ROOM + (u128::from(births) * u128::from(share) / u128::from(total)) as u32;
            let visitors = (guests(to) - guests(from)) as u32;
            let end = next + most + visitors;
            segments.push(Segment {
                from,
                session: with_session,
                first: next,
                most,
                end,
            });
            next = end;
        }
        next + UNCOUNTED
    }

    /// When the session begins that a date ends with, Unix microseconds, if its residents have numbers of
    /// the date it begins on: not on servers, and not if it starts with the boot.
    fn session_of(&self, host: HostId, end: i64) -> Option<i64> {
        let second = 1_000_000;
        if self.world.hosts[host].role != Role::Workstation {
            return None;
        }
        let session = self.world.session(host, end / second - 1 + SETTLED).start;
        let boot = self.world.boot(host, session).start;
        (session - boot >= SETTLED).then_some(session * second)
    }

    /// The first number of the first date.
    pub fn first_number(&self, host: HostId, law: &Minutes, rows: u32) -> u32 {
        let begin = law.midnight / 1_000_000;
        let days = (begin - self.world.settled_boot(host, begin).start) / 86_400 + 1;
        FIRST + days as u32 * self.of_day(host, rows)
    }

    /// The number of a resident of a session that began before the first date, at `start` (Unix seconds).
    pub fn before_window(
        &self,
        host: HostId,
        law: &Minutes,
        rows: u32,
        start: i64,
        resident: usize,
    ) -> u32 {
        let boot = self
            .world
            .settled_boot(host, law.midnight / 1_000_000)
            .start;
        let days = (start - boot).max(0) / 86_400;
        FIRST + days as u32 * self.of_day(host, rows) + resident as u32
    }

    /// Numbers of a date before the first one: as many as the first has.
    fn of_day(&self, host: HostId, rows: u32) -> u32 {
        SESSION + 2 * ROOM + UNCOUNTED + self.births(host, rows)
    }

    /// More births than are likely among a date's rows.
    fn births(&self, host: HostId, rows: u32) -> u32 {
        let mixes = self.mixes(self.world.hosts[host].role);
        let share = mixes.iter().map(|mix| mix.births).max().unwrap_or_default();
        ((u64::from(rows) * u64::from(share)) >> 10) as u32
    }
}

/// The segment that a time is in.
pub fn segment_of(segments: &[Segment], time: i64) -> usize {
    segments
        .partition_point(|segment| segment.from <= time)
        .max(1)
        - 1
}
