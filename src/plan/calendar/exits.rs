//! When the processes that standalone alerts started end.
//!
//! The starts are rows of the alerts, which have a time law of their own. A row here finds
//! its start ([`Starts`]), and the end follows from the start.

use crate::random::{Draws, Key, below, log_uniform, slots};
use crate::world::{ALIVE, Starts};

/// Kinds of lifetimes, which the starts of a category take in turn.
pub(super) const TURNS: u8 = 5;
/// Kinds whose ends are seen, the shortest: no end is seen of a script that hangs or waits.
pub const SEEN: u8 = 3;
/// Least and most lifetime, in microseconds: rules mostly fire on short calls of a tool.
const LIFETIME: (u64, u64) = (200_000, 20_000_000);

slots! {
    /// Draws of a category's ends on a date. [`Starts`] draws from the same key by number of the start.
    enum ExitSlot {
        /// By turn.
        Lifetime = 1,
        /// By start: how much longer than the lifetime it runs.
        Wait = 2,
        /// By group of starts: which of them has which turn.
        Turn = 3,
    }
}

/// Ends of the processes of one turn that a category's alerts of a date started.
#[derive(Debug, Clone)]
pub struct Exits {
    pub starts: Starts,
    /// Key of the category and date.
    pub key: Key,
    pub turn: u8,
    pub rows: u64,
}

impl Exits {
    /// Number of ends of one turn among this many alerts.
    pub fn among(starts: &Starts, key: Key, turn: u8, alerts: u64) -> u64 {
        let all = starts.among(alerts);
        let (whole, rest) = (all / u64::from(TURNS), all % u64::from(TURNS));
        whole + u64::from(place(key, turn, whole) < rest)
    }

    /// The start that a row ends.
    pub fn nth(&self, row: u64) -> u64 {
        row * u64::from(TURNS) + place(self.key, self.turn, row)
    }

    fn draws(&self) -> Draws<ExitSlot> {
        Draws::new(self.key)
    }

    fn lifetime(&self) -> u64 {
        let part = u64::MAX / u64::from(SEEN);
        let own = self
            .draws()
            .part(ExitSlot::Lifetime)
            .at(u64::from(self.turn))
            / u64::from(SEEN);
        let bits = part * u64::from(self.turn.min(SEEN - 1)) + own.min(part);
        log_uniform(bits, LIFETIME.0, LIFETIME.1)
    }

    /// When the process of a row ends, Unix microseconds. `midnight` ends the date; `start` is
    /// the time of an alert, and none past the last.
    ///
    /// Ends are in the order of their starts, on the same date, and before the pid is used again.
    pub fn time(&self, row: u64, midnight: i64, start: impl Fn(u64) -> Option<i64>) -> i64 {
        let at = |nth| start(self.starts.row(self.key, nth)).unwrap_or(midnight);
        let nth = self.nth(row);
        let (start, next) = (at(nth), at(self.nth(row + 1)));
        let lifetime = self.lifetime();
        let room = (next - start).clamp(1, (lifetime / 2) as i64) as u64;
        let end =
            start + (lifetime + below(self.draws().part(ExitSlot::Wait).at(nth), room)) as i64;
        end.min(start + (midnight - start) / 8 * 7)
            .min(at(nth + ALIVE * 3 / 4))
    }
}

/// The start of a group that has the turn.
fn place(key: Key, turn: u8, group: u64) -> u64 {
    (u64::from(turn)
        + Draws::new(key)
            .part(ExitSlot::Turn)
            .below(group, u64::from(TURNS)))
        % u64::from(TURNS)
}
