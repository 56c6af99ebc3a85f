//! When things happen: weights per date and minute.

mod exits;
mod law;
mod rhythm;
mod runs;
mod spread;

use super::config::{AlertWeights, Config, NoiseWeights};
use crate::catalog::scenario::Sequence;
use crate::catalog::{Catalog, Platform};
use crate::day::Minutes;
use crate::grounding::Profile;
use crate::random::{HEAVY_TAIL, Key, heavy_tail};
use crate::world::World;
use crate::world::activity;
pub use exits::{Exits, SEEN};
pub use law::TimeLaw;
use rhythm::MINUTES;
pub use rhythm::{DAY_US, Rhythm};
pub use runs::LIFE_RUN;
pub use spread::APART;

/// Slots of a day that have a weight: quarter-hours, the finest offset of local time from UTC.
const SLOTS: usize = 96;
/// Minutes of a slot.
const SLOT: usize = MINUTES / SLOTS;

/// Largest factor of a storm (1024: none), and its largest effect on program starts.
const MOST_STORM: u32 = 16 << 10;
const MOST_LIFE_STORM: u32 = 5 << 10;

/// Draws of a population's factors on a date. The numbers of minutes come before [`QUARTERS`].
const QUARTERS: u64 = 1 << 32;
const CLOCK: u64 = 1 << 33;

/// Weights by (date, slot).
type Weights = Vec<[u64; SLOTS]>;

/// Weights of the window, by date and minute.
#[derive(Debug)]
pub struct Calendar {
    key: Key,
    /// Midnight UTC of day 0, Unix microseconds.
    start: i64,
    alerts: Weights,
    /// Whether the alerts' weights are the profile's hours.
    alerts_of_profile: bool,
    noise: Weights,
    life: Weights,
    /// Factor of all noise by date and minute, in 1/1024. It changes about once an hour.
    storms: Vec<[u32; MINUTES]>,
    alert_dates: Vec<u64>,
    noise_dates: Vec<u64>,
    /// By scenario and variant: its sequence, if it has one.
    sequences: Vec<Vec<Option<Sequence>>>,
    /// By scenario and variant: whether people make it by hand.
    people: Vec<Vec<bool>>,
}

fn noise_weight(weights: &NoiseWeights, hour: usize, weekday: usize) -> u64 {
    let backup = weekday == 6 && hour >= 22;
    if backup || (1..4).contains(&hour) {
        weights.maintenance
    } else if weekday >= 5 {
        weights.weekend
    } else if (8..18).contains(&hour) {
        weights.day
    } else if (5..7).contains(&hour) {
        weights.early
    } else {
        weights.default
    }
}

fn alert_weight(weights: &AlertWeights, hour: usize, weekday: usize) -> u64 {
    if !(6..22).contains(&hour) {
        weights.night
    } else if hour >= 18 {
        weights.evening
    } else if weekday >= 5 {
        weights.weekend
    } else if (8..18).contains(&hour) {
        weights.day
    } else {
        weights.default
    }
}

/// Scales weights of any size down to at most 6,000, so that a day's sums fit 64 bits.
fn scale(weights: &mut Weights) {
    let most = weights.iter().flatten().copied().max().unwrap_or(1).max(1);
    let to = (most / 1000).clamp(1000, 6000);
    for weight in weights.iter_mut().flatten() {
        *weight = (u128::from(*weight) * u128::from(to) / u128::from(most)) as u64;
    }
}

/// Sweeps, patch rounds and quiet spells, as a factor by date and minute. The hours of real feeds
/// differ by half their mean and more, and by a third when each hour of the week is compared with
/// itself. A spell begins in any minute. Hours that the settings ask for have no storms.
fn storms(key: Key, config: &Config) -> Vec<[u32; MINUTES]> {
    let factor = |key: Key, spell: u64| {
        // A spell has two draws: its factor, and when it begins.
        let tail = HEAVY_TAIL[key.below(2 * spell, 256) as usize];
        // The square root has half the σ.
        let half = (tail << 10).isqrt();
        match (&config.noise_hours, config.noise_seasonality) {
            (Some(_), _) => 1024,
            // The hours of a working week differ already.
            (None, true) => half,
            (None, false) => (tail.min(MOST_STORM) + 2 * half) / 3,
        }
    };
    (0..config.days)
        .map(|date| {
            let key = key.with(u64::from(date));
            let mut minutes = [factor(key, 0); MINUTES];
            for spell in 0..24 {
                let begin = 60 * spell + key.below(2 * spell + 1, 60);
                minutes[begin as usize..].fill(factor(key, spell + 1));
            }
            minutes
        })
        .collect()
}

/// The factor of program starts in a storm: a quarter of it, since people and schedules go on.
fn life_storm(storm: u32) -> u32 {
    (3 * 1024 + storm.min(MOST_LIFE_STORM)) / 4
}

impl Calendar {
    pub(super) fn new(
        key: Key,
        config: &Config,
        world: &World,
        catalog: &Catalog,
        profile: &Profile,
    ) -> Self {
        // Weight of every slot, by local hour and weekday (Monday is 0).
        let local = |weight: &dyn Fn(usize, usize) -> u64| -> Weights {
            let slot_seconds = (SLOT * 60) as i64;
            (0..config.days)
                .map(|date| {
                    let midnight = config.start_seconds() + i64::from(date) * 86_400;
                    std::array::from_fn(|slot| {
                        let (hour, weekday) = world.local(midnight + slot as i64 * slot_seconds);
                        weight(hour, weekday)
                    })
                })
                .collect()
        };
        let flat = |_, _| 1_000_000;
        let mut noise = match &config.noise_hours {
            Some(hours) => local(&|hour, _| hours[hour]),
            None if config.noise_seasonality => {
                local(&|hour, weekday| noise_weight(&config.noise_weights, hour, weekday))
            }
            None => local(&flat),
        };
        let mut alerts = match (&config.alert_hours, &profile.hours) {
            (Some(hours), _) => local(&|hour, _| hours[hour]),
            (None, _) if config.noise_seasonality => {
                local(&|hour, weekday| alert_weight(&config.alert_weights, hour, weekday))
            }
            // The profile's hours are UTC.
            (None, Some(hours)) => {
                let hour = |slot: usize| hours.get(slot * SLOT / 60).copied().unwrap_or(0);
                vec![std::array::from_fn(hour); config.days as usize]
            }
            (None, None) => local(&flat),
        };
        let mut life = noise.clone();
        if config.noise_seasonality && config.noise_hours.is_none() {
            // Programs start on servers, and where somebody works.
            for (date, slots) in life.iter_mut().enumerate() {
                let midnight = config.start_seconds() + date as i64 * 86_400;
                for (slot, weight) in slots.iter_mut().enumerate() {
                    let in_use = world.in_use(midnight + (slot * SLOT * 60) as i64);
                    *weight = (u128::from(*weight) * u128::from(300 + in_use) / 1000) as u64;
                }
            }
        }
        scale(&mut life);
        scale(&mut noise);
        scale(&mut alerts);
        let sums = |list: &Weights| list.iter().map(|day| day.iter().sum()).collect();
        Calendar {
            key,
            start: config.start_seconds() * 1_000_000,
            alert_dates: sums(&alerts),
            noise_dates: sums(&noise),
            alerts,
            alerts_of_profile: config.alert_hours.is_none() && !config.noise_seasonality,
            noise,
            life,
            storms: storms(key.child("storms"), config),
            sequences: (catalog.scenarios.iter())
                .map(|s| s.variants.iter().map(|v| v.sequence).collect())
                .collect(),
            people: (catalog.scenarios.iter())
                .map(|s| s.variants.iter().map(|v| v.people).collect())
                .collect(),
        }
    }

    /// The rhythm of a scenario's variant.
    pub fn noise_rhythm(&self, scenario: u16, variant: u16) -> Rhythm {
        match self.sequences[usize::from(scenario)][usize::from(variant)] {
            Some(sequence) => Rhythm::Sequence {
                rows: sequence.rows,
                opening: sequence.opening,
                companions: sequence.companions,
                pauses: sequence.pauses,
            },
            None if self.people[usize::from(scenario)][usize::from(variant)] => Rhythm::People,
            None => Rhythm::Noise,
        }
    }

    /// Number of dates.
    pub fn days(&self) -> usize {
        self.alerts.len()
    }

    /// Weight of each date for standalone alerts.
    pub fn alert_dates(&self) -> &[u64] {
        &self.alert_dates
    }

    /// Weight of each date for noise.
    pub fn noise_dates(&self) -> &[u64] {
        &self.noise_dates
    }

    /// The most process starts of a platform in the window for which no slot has more than
    /// `per_host` per active host.
    pub fn life_room(&self, world: &World, platform: Platform, per_host: u64) -> u64 {
        let all: u128 = self.noise_dates.iter().copied().map(u128::from).sum();
        let mut room = u128::MAX;
        for (date, day) in self.life.iter().enumerate() {
            let midnight = self.midnight(date as u32) / 1_000_000;
            let of_date = u128::from(self.noise_dates[date]);
            let storms = &self.storms[date];
            let minutes = |slot: usize| &storms[slot * SLOT..(slot + 1) * SLOT];
            let of_day: u128 = (day.iter().enumerate())
                .map(|(slot, &weight)| {
                    let storm: u32 = minutes(slot).iter().copied().map(life_storm).sum();
                    u128::from(weight) * u128::from(storm) / SLOT as u128
                })
                .sum();
            for (slot, &weight) in day.iter().enumerate() {
                let most = minutes(slot).iter().copied().max().unwrap_or(1024);
                let weight = u128::from(weight) * u128::from(life_storm(most));
                let begin = midnight + (slot * SLOT * 60) as i64;
                // The slots of activity that the quarter-hour touches.
                let hosts = [begin, begin + 600]
                    .map(|time| world.wheel_of(platform, time).len())
                    .into_iter()
                    .min()
                    .unwrap_or(0);
                let starts =
                    u128::from(per_host * hosts) * (SLOT * 60) as u128 / activity::SLOT as u128;
                let share = weight * of_date;
                if let Some(most) = (starts * all * of_day).checked_div(share) {
                    room = room.min(most);
                }
            }
        }
        u64::try_from(room).unwrap_or(u64::MAX)
    }

    /// Midnight UTC of a date, Unix microseconds.
    pub fn midnight(&self, date: u32) -> i64 {
        self.start + i64::from(date) * DAY_US
    }

    /// The date index of a time inside the window.
    pub fn date_of(&self, time: i64) -> u32 {
        (time - self.start).div_euclid(DAY_US) as u32
    }

    /// The time law of `rows` rows of a population on a date. `name` is the population's own
    /// key, so that unrelated populations have no bursts in common.
    pub fn law(&self, rhythm: Rhythm, date: u32, name: Key, rows: u64) -> TimeLaw {
        let key = self.key.with(name.at(0)).with(u64::from(date));
        TimeLaw::new(
            self.midnight(date),
            self.cumulative(rhythm, date, key),
            rows,
            key.child("jitter"),
            rhythm,
        )
    }

    /// The minutes of a date, as hosts' days follow them.
    pub fn minutes(&self, date: u32, name: Key) -> Minutes {
        let key = self.key.with(name.at(0)).with(u64::from(date));
        Minutes {
            midnight: self.midnight(date),
            cumulative: self.cumulative(Rhythm::Days, date, key),
        }
    }

    /// Sums of a population's weights up to each minute of a date.
    fn cumulative(&self, rhythm: Rhythm, date: u32, key: Key) -> Vec<u64> {
        let weights = match rhythm {
            Rhythm::Alerts => &self.alerts,
            Rhythm::Noise | Rhythm::People | Rhythm::Sequence { .. } => &self.noise,
            Rhythm::Life | Rhythm::Days => &self.life,
        };
        let mut cumulative = Vec::with_capacity(MINUTES + 1);
        let mut sum = 0u64;
        cumulative.push(0);
        // The rate of a population changes at quarter-hours of its own clock, at most seven minutes
        // off; otherwise the whole corpus would jump at full hours. Hours that the settings ask for
        // are exact to the minute, and program starts follow people, whose slots are the world's.
        let off = match rhythm {
            Rhythm::Life => SLOT / 2,
            _ => key.below(CLOCK, SLOT as u64) as usize,
        };
        let is_of_profile = rhythm == Rhythm::Alerts && self.alerts_of_profile;
        // Bursts last several minutes: half of a minute's factor is its quarter-hour's.
        let quarters: [u64; SLOTS] = std::array::from_fn(|own| match rhythm {
            Rhythm::Life => 1024,
            _ => u64::from(HEAVY_TAIL[key.below(QUARTERS | own as u64, 256) as usize]).min(8192),
        });
        let (weights, storms) = (&weights[date as usize], &self.storms[date as usize]);
        for (minute, &storm) in storms.iter().enumerate() {
            let own = ((minute + off).saturating_sub(SLOT / 2) / SLOT).min(SLOTS - 1);
            let slot = if is_of_profile { own } else { minute / SLOT };
            let factor = match rhythm {
                Rhythm::Life => 512 + u64::from(heavy_tail(key.at(minute as u64)).min(3072)) / 2,
                _ => u64::from(heavy_tail(key.at(minute as u64))),
            };
            let storm = match rhythm {
                Rhythm::Noise | Rhythm::People | Rhythm::Sequence { .. } => storm,
                // Schedules go on in a storm, and in a quiet spell.
                Rhythm::Days => (1024 + storm) / 2,
                Rhythm::Life => life_storm(storm),
                Rhythm::Alerts => 1024,
            };
            let factor = u64::from(storm) * (factor + quarters[own]) / 2048;
            sum += (weights[slot] * factor).max(1);
            cumulative.push(sum);
        }
        cumulative
    }
}
