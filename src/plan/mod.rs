//! The plan: how many rows each population has on each date, and where files are split. Exact,
//! pure data.
//!
//! The plan reads the world's size and the catalog's playbooks; it draws no row.
//! It contains everything that a worker needs to make one row group independently.

pub mod calendar;
pub mod chains;
pub mod choice;
pub mod config;
pub mod days;
pub mod files;
pub mod fingerprint;
pub mod parse;
mod population;
pub mod quota;
pub mod ratio;
pub mod shards;
pub mod truth;
pub mod visits;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalog::{Catalog, HostClass, PROCESS_LIFE, Platform};
use crate::day::Days;
use crate::error::Result;
use crate::grounding::{Asset, Profile, User};
use crate::numbers::counted;
use crate::random::Key;
use crate::world::{Sources, World, WorldSize};

pub use calendar::{APART, Calendar, LIFE_RUN, TimeLaw};
use calendar::{Exits, SEEN};
pub use chains::{Chain, Chains};
pub use choice::Choice;
use choice::Weights;
pub use config::Config;
pub use days::Scripts;
pub use files::{Compression, Format, PartitionBy, Table};
pub use fingerprint::Inputs;
pub use population::{Origin, Population};
pub use quota::apportion;
pub use ratio::Ratio;
pub use shards::{ORDINAL_BITS, Partition, RowGroup, Shard};
pub use truth::{TruthShard, TruthTable};

/// The grounding inputs of a corpus.
#[derive(Debug, Clone)]
pub struct Grounding {
    pub profile: Profile,
    /// `None`: make them up.
    pub users: Option<Vec<User>>,
    pub assets: Option<Vec<Asset>>,
}

/// The composition of the corpus, in events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Composition {
    pub events: u64,
    pub alerts: u64,
    pub noise: u64,
    /// The part of `noise` that is the ordinary life of hosts.
    pub life: u64,
    pub chain_events: u64,
    pub chains: u64,
}

/// Everything that is decided before the first row is made.
///
/// 1. The rows of all partitions sum to `config.events`.
/// 2. Partitions are sorted by (date, category); their index is the high part of `event.sequence`.
/// 3. Row groups cover the partitions without gap or overlap. They are sorted by date, then by category
///    if each has its own files, then by time. Each is in exactly one shard, in order.
#[derive(Debug)]
pub struct Plan {
    pub config: Config,
    pub inputs: Inputs,
    pub fingerprint: String,
    pub calendar: Calendar,
    pub scripts: Scripts,
    pub chains: Chains,
    pub partitions: Vec<Partition>,
    pub row_groups: Vec<RowGroup>,
    pub shards: Vec<Shard>,
    pub truth: Vec<TruthShard>,
    pub composition: Composition,
    /// The profile that alerts are drawn from, without addresses; written to the corpus.
    pub profile: Profile,
    /// Notes for the user, one sentence each.
    pub notices: Vec<String>,
}

/// Shares of the noise, per mille: what hosts do by themselves, and what people at Windows hosts do.
const LIFE_SHARE: u64 = 600;
const PEOPLE_SHARE: u64 = 135;
/// Mean process starts per active host in the busiest slot: half a run. A slot's ordinals have room for
/// two runs.
const STARTS_AT_ONCE: u64 = 6;
/// Minimum number of non-attack rows per 1,000 attack rows in a category that chains use.
const OTHERS_PER_MILLE: u64 = 260;

/// Number of benign rows, in addition to `alerts`, that a category with `chain` attack rows needs.
pub(crate) fn others_needed(chain: u64, alerts: u64) -> u64 {
    (chain * OTHERS_PER_MILLE)
        .div_ceil(1000)
        .saturating_sub(alerts)
}

impl Plan {
    /// Builds the world for these settings and inputs.
    pub fn world(config: &Config, grounding: &Grounding, catalog: &Catalog) -> World {
        let (chain_ratio, _) = config.ratios(&mut Vec::new());
        World::new(
            Key::root(config.seed),
            config.start_seconds(),
            config.epoch_seconds(),
            config.time_zone_offset,
            world_size(config, share(config.events, chain_ratio)),
            Sources {
                catalog,
                profile: &grounding.profile,
                users: grounding.users.as_deref(),
                assets: grounding.assets.as_deref(),
            },
        )
    }

    /// Plans a corpus in [its world](Plan::world).
    ///
    /// # Errors
    /// The settings choose what the catalog does not have, or nothing that can occur.
    pub fn new(
        config: Config,
        grounding: &Grounding,
        catalog: &Arc<Catalog>,
        world: &Arc<World>,
    ) -> Result<Plan> {
        let weights = Weights::new(&config, catalog, world)?;
        let mut notices = Vec::new();
        let (chain_ratio, noise_ratio) = config.ratios(&mut notices);
        config.idle(&mut notices);
        let events = config.events;
        let share = |ppm: u64| share(events, ppm);
        let calendar = Calendar::new(
            config.key("calendar"),
            &config,
            world,
            catalog,
            &grounding.profile,
        );
        let chains = Chains::new(
            config.key("chains"),
            &config,
            world,
            catalog,
            &weights.playbooks,
            share(chain_ratio),
        );
        let chain_events = chains.events();
        if chain_events < share(chain_ratio) {
            notices.push(format!(
                "attack chains have {chain_events} events instead of {}: {} fit into {} and {} at a density of {}",
                share(chain_ratio),
                counted(chains.all.len() as u64, "chain"),
                counted(world.hosts.len() as u64, "host"),
                counted(config.days.into(), "day"),
                config.chain_density,
            ));
        }
        let noise = share(noise_ratio).min(events - chain_events);
        let alerts = events - chain_events - noise;
        let mut cells: BTreeMap<(u32, u32), Vec<Population>> = BTreeMap::new();
        let mut add = |date: u32, category: u32, origin: Origin, rows: u64| {
            if rows > 0 {
                cells
                    .entry((date, category))
                    .or_default()
                    .push(Population { origin, rows });
            }
        };
        let per_category = plan_alerts(&mut add, &calendar, &grounding.profile, world, alerts);
        // Hours set by the user apply to all noise, but these ends follow the hours of their alerts.
        let exits = match config.noise_hours {
            Some(_) => None,
            None => Some(&per_category[..]),
        };
        let (life, days) = plan_life(
            &mut add,
            &calendar,
            world,
            catalog,
            exits,
            [LIFE_SHARE, PEOPLE_SHARE].map(|share| noise * share / 1000),
        );
        plan_noise(
            &mut add,
            &calendar,
            world,
            catalog,
            &weights.scenarios,
            &chains,
            &per_category,
            noise - life,
            &mut notices,
        );
        for ((date, category), rows) in chains.counts(world, catalog) {
            add(date, category, Origin::Chains, rows);
        }
        let mut scripts = Scripts::new(
            Days::new(config.key("days"), world.clone(), catalog.clone()),
            days,
            &calendar,
            &chains,
            config.key("rows"),
        );
        for (&(date, category), populations) in &cells {
            for population in populations {
                scripts.add(date, category, population);
            }
        }
        let inputs = Inputs::new(grounding, catalog);
        let fingerprint = fingerprint::of(&config, &inputs);
        // A period has at most this many partitions.
        let most = config.days * world.detections.categories.len() as u32;
        let first_number = most * config.period;
        let partitions: Vec<Partition> = cells
            .into_iter()
            .enumerate()
            .map(|(index, ((date, category), mut populations))| {
                populations.sort_by_key(|p| p.origin);
                Partition {
                    index: index as u32,
                    number: first_number + index as u32,
                    date,
                    category,
                    rows: populations.iter().map(|p| p.rows).sum(),
                    populations,
                }
            })
            .collect();
        let row_groups = shards::split(&partitions, &config, &calendar, &chains, &scripts);
        let shards = shards::pack(&row_groups, &partitions, &config);
        let truth = truth::shards(&partitions, &row_groups, &chains, world, catalog);
        let composition = Composition {
            events,
            alerts,
            noise,
            life,
            chain_events,
            chains: chains.all.len() as u64,
        };
        notices.extend(world.notices.iter().cloned());
        Ok(Plan {
            config,
            inputs,
            fingerprint,
            calendar,
            scripts,
            chains,
            partitions,
            row_groups,
            shards,
            truth,
            composition,
            profile: grounding.profile.clone().without_addresses(),
            notices,
        })
    }
}

/// `ppm` parts per million of the events.
fn share(events: u64, ppm: u64) -> u64 {
    (u128::from(events) * u128::from(ppm) / 1_000_000) as u64
}

/// Assets: events / (1500 × days), 250 to 100,000. Users: 0.85 per asset.
fn world_size(config: &Config, chain_events: u64) -> WorldSize {
    let assets = config.assets.unwrap_or_else(|| {
        (config.events / (1500 * u64::from(config.days))).clamp(250, 100_000) as u32
    });
    let users = config
        .users
        .unwrap_or((u64::from(assets) * 85 / 100) as u32)
        .max(1);
    WorldSize {
        assets,
        users,
        // New addresses keep appearing, as in a Good–Turing process; the table is bounded.
        unseen_addresses: (config.events / 400).clamp(200, 400_000) as u32,
        adversaries: (chain_events / 4000).clamp(12, 4000) as u32,
    }
}

type Add<'a> = dyn FnMut(u32, u32, Origin, u64) + 'a;

/// Plans standalone alerts by (category, date). Returns the rows of each category.
fn plan_alerts(
    add: &mut Add<'_>,
    calendar: &Calendar,
    profile: &Profile,
    world: &World,
    alerts: u64,
) -> Vec<u64> {
    let mut weights = vec![0u64; world.detections.categories.len()];
    for (tuple, detection) in profile.tuples.iter().zip(&world.detections.all) {
        weights[detection.category as usize] += tuple.count;
    }
    let per_category = apportion(alerts, &weights);
    for (category, &rows) in per_category.iter().enumerate() {
        for (date, rows) in alerts_by_date(calendar, category, rows)
            .into_iter()
            .enumerate()
        {
            add(date as u32, category as u32, Origin::Alerts, rows);
        }
    }
    per_category
}

fn alerts_by_date(calendar: &Calendar, category: usize, rows: u64) -> Vec<u64> {
    apportion_shifted(rows, calendar.alert_dates(), category as u64)
}

/// Apportions small counts without favouring the last dates: the weights are rotated by `shift`.
fn apportion_shifted(rows: u64, weights: &[u64], shift: u64) -> Vec<u64> {
    let by = (shift % weights.len().max(1) as u64) as usize;
    let mut turned = weights.to_vec();
    turned.rotate_left(by);
    let mut counts = apportion(rows, &turned);
    counts.rotate_right(by);
    counts
}

/// Plans the ordinary life of hosts: first the ends of processes that alerts start, then the scripts of
/// days on Windows, and process starts on Linux, so that no host starts more than its share in a slot.
/// `people`: rows of people at Windows hosts, which are the scripts' too.
/// Returns the number of rows, and those of the scripts by date.
fn plan_life(
    add: &mut Add<'_>,
    calendar: &Calendar,
    world: &World,
    catalog: &Catalog,
    alerts: Option<&[u64]>,
    [wanted, people]: [u64; 2],
) -> (u64, Vec<u64>) {
    let none = vec![0; calendar.days()];
    let Some(category) = catalog
        .categories
        .iter()
        .position(|c| c.name == PROCESS_LIFE)
    else {
        return (0, none);
    };
    let category = world.detections.category(category);
    let mut life = alerts.map_or(0, |alerts| {
        plan_exits(add, calendar, world, category, alerts, wanted / 2)
    });
    let machines =
        [HostClass::Windows, HostClass::Linux].map(|class| world.class(class).len() as u64);
    let [windows, linux] = apportion(wanted - life, &machines)[..] else {
        return (life, none);
    };
    let people = if windows > 0 { people } else { 0 };
    let days = apportion(windows + people, calendar.noise_dates());
    for (date, &rows) in days.iter().enumerate() {
        add(date as u32, category, Origin::Days, rows);
        life += rows;
    }
    let bound = calendar.life_room(world, Platform::Linux, STARTS_AT_ONCE);
    let mut weights = [0u64; 3];
    for program in &catalog.programs {
        if program.platform == Platform::Linux {
            weights[program.lifetime as usize] += u64::from(program.weight);
        }
    }
    let starts = (linux / 2).min(bound);
    for (class, rows) in apportion(starts, &weights).into_iter().enumerate() {
        let dates = apportion(rows, calendar.noise_dates());
        for (date, rows) in dates.into_iter().enumerate() {
            add(
                date as u32,
                category,
                Origin::Life { class: class as u8 },
                rows,
            );
            life += rows;
        }
    }
    (life, days)
}

/// Plans the ends of processes that alerts start, at most `most`. Returns the number of rows.
fn plan_exits(
    add: &mut Add<'_>,
    calendar: &Calendar,
    world: &World,
    category: u32,
    alerts: &[u64],
    most: u64,
) -> u64 {
    let mut life = 0;
    for turn in 0..SEEN {
        let mut exits = Vec::new();
        for (of, starts) in world.detections.starts.iter().enumerate() {
            let Some(starts) = *starts else { continue };
            let dates = alerts_by_date(calendar, of, alerts[of]);
            for (date, alerts) in dates.into_iter().enumerate() {
                let population = Population {
                    origin: Origin::Alerts,
                    rows: alerts,
                };
                let key = population.starts_key(date as u32, of as u32);
                let rows = Exits::among(&starts, key, turn, alerts);
                let origin = Origin::Exits {
                    category: of as u32,
                    turn,
                    starts,
                    alerts,
                };
                exits.push((date as u32, origin, rows));
            }
        }
        let rows: u64 = exits.iter().map(|e| e.2).sum();
        if life + rows > most {
            break;
        }
        for (date, origin, rows) in exits {
            add(date, category, origin, rows);
        }
        life += rows;
    }
    life
}

/// Plans the other noise: first the rows that categories of chains need, then the rest by the
/// scenarios' weights.
#[expect(
    clippy::too_many_arguments,
    reason = "one caller, and every argument is of a different kind"
)]
fn plan_noise(
    add: &mut Add<'_>,
    calendar: &Calendar,
    world: &World,
    catalog: &Catalog,
    scenarios: &[u64],
    chains: &Chains,
    alerts: &[u64],
    rows: u64,
    notices: &mut Vec<String>,
) {
    let mut variants = Vec::new();
    for (s, (scenario, of_scenario)) in catalog.scenarios.iter().zip(scenarios).enumerate() {
        // Without a printer in the world, variants that print are left out; likewise for other devices.
        let there = (scenario.variants.iter().enumerate()).filter(|v| world.has_all(&v.1.records));
        let total: u64 = there.clone().map(|(_, v)| u64::from(v.weight)).sum();
        for (v, variant) in there {
            let weight = u128::from(*of_scenario) * 1_000_000 * u128::from(variant.weight);
            // The total is 0 if none of the variants that are there may occur.
            let weight = weight.checked_div(u128::from(total)).unwrap_or(0) as u64;
            variants.push((
                s as u16,
                v as u16,
                world.detections.category(variant.category),
                weight,
            ));
        }
    }
    let mut needed = vec![0u64; world.detections.categories.len()];
    for ((_, category), rows) in chains.counts(world, catalog) {
        needed[category as usize] += rows;
    }
    for (need, have) in needed.iter_mut().zip(alerts) {
        *need = others_needed(*need, *have);
    }
    // Of the chosen scenarios, none may have rows of a category.
    let mut bare = Vec::new();
    for (category, need) in needed.iter_mut().enumerate().filter(|(_, need)| **need > 0) {
        if !(variants.iter()).any(|&(_, _, of, weight)| of as usize == category && weight > 0) {
            bare.push(world.detections.categories[category].as_str());
            *need = 0;
        }
    }
    if !bare.is_empty() {
        notices.push(format!(
            "no noise scenario that is left has benign rows of {}: these are mostly attack",
            bare.join(", ")
        ));
    }
    let total: u64 = needed.iter().sum();
    if total > rows {
        notices.push(format!(
            "{total} benign rows are needed so that no category is mostly attack, but the noise has room for only {rows}: \
             raise --noise-ratio or lower --attack-chain-ratio"
        ));
        let granted = apportion(rows, &needed);
        needed = granted;
    }
    let rest = rows - needed.iter().sum::<u64>();
    let mut counts = apportion(rest, &variants.iter().map(|v| v.3).collect::<Vec<_>>());
    for (category, &need) in needed.iter().enumerate().filter(|(_, n)| **n > 0) {
        let weights: Vec<u64> = variants
            .iter()
            .map(|v| if v.2 as usize == category { v.3 } else { 0 })
            .collect();
        for (count, more) in counts.iter_mut().zip(apportion(need, &weights)) {
            *count += more;
        }
    }
    for (i, (variant, count)) in variants.iter().zip(counts).enumerate() {
        let origin = Origin::Noise {
            scenario: variant.0,
            variant: variant.1,
        };
        let dates = apportion_shifted(count, calendar.noise_dates(), i as u64);
        for (date, rows) in dates.into_iter().enumerate() {
            add(date as u32, variant.2, origin, rows);
        }
    }
}
