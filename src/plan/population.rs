//! Populations: the rows of one origin in a partition, their keys and when they happen.

use super::calendar::{Calendar, Exits, Rhythm, TimeLaw};
use crate::random::Key;
use crate::world::Starts;

/// The origin of a population's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// Standalone alerts of the partition's category.
    Alerts,
    /// A variant of a noise scenario.
    Noise { scenario: u16, variant: u16 },
    /// The scripts of the date on all Windows hosts.
    Days,
    /// Process starts on Linux, of one lifetime class: 0 (seconds), 1 (minutes) or 2 (hours).
    Life { class: u8 },
    /// Ends of processes that standalone alerts of a category start, for one lifetime.
    Exits {
        category: u32,
        turn: u8,
        starts: Starts,
        /// Number of alerts of the category on the date.
        alerts: u64,
    },
    /// Steps of attack chains in the partition's category.
    Chains,
}

/// One source of rows in one partition. Its ordinals are `0..rows`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Population {
    pub origin: Origin,
    pub rows: u64,
}

impl Population {
    /// Key of the population: from (category, origin), never from its shard.
    pub fn key(&self, category: u32) -> Key {
        let root = Key::root(u64::from(category));
        match self.origin {
            Origin::Alerts => root.child("alerts"),
            Origin::Noise { scenario, variant } => root
                .child("noise")
                .with(u64::from(scenario))
                .with(u64::from(variant)),
            Origin::Life { class } => root.child("life").with(u64::from(class)),
            Origin::Days => root.child("days"),
            Origin::Exits { category, turn, .. } => root
                .child("exits")
                .with(u64::from(category))
                .with(u64::from(turn)),
            Origin::Chains => root.child("chains"),
        }
    }

    /// Key of the population's rows on a date; `rows`: the settings' key of rows.
    pub fn rows_key(&self, rows: Key, date: u32, category: u32) -> Key {
        rows.with(u64::from(date)).with(self.key(category).at(0))
    }

    /// Key that decides which of a date's alerts start a process.
    pub fn starts_key(&self, date: u32, category: u32) -> Key {
        self.key(category).child("starts").with(u64::from(date))
    }

    /// The population's time law on a date. Chains and scripts have none, because their rows have times of
    /// their own.
    pub fn law(&self, calendar: &Calendar, date: u32, category: u32) -> Option<TimeLaw> {
        let rhythm = match self.origin {
            Origin::Alerts => Rhythm::Alerts,
            Origin::Noise { scenario, variant } => calendar.noise_rhythm(scenario, variant),
            Origin::Life { .. } => Rhythm::Life,
            Origin::Exits {
                category,
                turn,
                starts,
                alerts,
            } => {
                let of = Population {
                    origin: Origin::Alerts,
                    rows: alerts,
                };
                let law = of.law(calendar, date, category)?;
                return Some(law.exiting(Exits {
                    starts,
                    key: of.starts_key(date, category),
                    turn,
                    rows: self.rows,
                }));
            }
            Origin::Chains | Origin::Days => return None,
        };
        Some(calendar.law(rhythm, date, self.key(category), self.rows))
    }
}
