//! Times of noise and alerts in the plan.

use std::collections::BTreeSet;

use fusiongen::Generator;
use fusiongen::catalog::Telemetry;
use fusiongen::plan::{Config, Origin};

/// Rows by hour of the window: noise, and standalone alerts.
fn hours(config: Config) -> [Vec<u64>; 2] {
    let generator = Generator::builder().config(config).build().unwrap();
    let plan = generator.plan();
    let mut hours = [(); 2].map(|()| vec![0; plan.config.days as usize * 24]);
    let mut times = Vec::new();
    for partition in &plan.partitions {
        for population in &partition.populations {
            let law = population.law(&plan.calendar, partition.date, partition.category);
            times.clear();
            match (law, population.origin) {
                (Some(law), _) => law.times(0..population.rows, &mut times),
                (None, Origin::Days) => {
                    let (calendar, date) = (&plan.calendar, partition.date);
                    let (from, to) = (calendar.midnight(date), calendar.midnight(date + 1));
                    let found = plan.scripts.rows(calendar, date, from, to);
                    times.extend(found.iter().map(|(_, row)| row.time));
                }
                (None, _) => continue,
            }
            let which = usize::from(population.origin == Origin::Alerts);
            for &time in &times {
                let hour = (time - plan.calendar.midnight(0)) / 3_600_000_000;
                hours[which][hour as usize] += 1;
            }
        }
    }
    hours
}

fn by_hour_of_day(hours: &[u64], offset: usize) -> [f64; 24] {
    let mut day = [0.0; 24];
    for (hour, rows) in hours.iter().enumerate() {
        day[(hour + offset) % 24] += *rows as f64;
    }
    let total: f64 = day.iter().sum();
    day.map(|rows| rows / total)
}

/// Share of rows from 07 to 19 by local time.
fn daytime(hours: &[u64], offset: usize) -> f64 {
    by_hour_of_day(hours, offset)[7..19].iter().sum()
}

/// Standard deviation of the hours of the window over their mean.
fn variation(hours: &[u64]) -> f64 {
    let mean = hours.iter().sum::<u64>() as f64 / hours.len() as f64;
    let variance = hours
        .iter()
        .map(|h| (*h as f64 - mean).powi(2))
        .sum::<f64>();
    (variance / hours.len() as f64).sqrt() / mean
}

/// Jensen–Shannon divergence in bits.
fn divergence(left: &[f64; 24], right: &[f64; 24]) -> f64 {
    let mut sum = 0.0;
    for (p, q) in left.iter().zip(right) {
        for x in [p, q] {
            if *x > 0.0 {
                sum += x * (x / ((p + q) / 2.0)).log2();
            }
        }
    }
    sum / 2.0
}

fn config(seed: u64) -> Config {
    Config {
        events: 400_000,
        seed,
        ..Config::default()
    }
}

#[test]
fn noise_keeps_working_hours_with_seasonality_and_none_without() {
    for seed in 1..=3 {
        for offset in [0, 5] {
            let on = hours(Config {
                noise_seasonality: true,
                time_zone_offset: offset as i64 * 3600,
                ..config(seed)
            });
            // A storm at night takes some of it.
            let share = daytime(&on[0], offset);
            assert!((0.62..=0.90).contains(&share), "seed {seed}: {share}");
            assert!(daytime(&on[1], offset) < 0.40, "alerts come at night");
            for rows in &on {
                let variation = variation(rows);
                assert!((0.5..=1.1).contains(&variation), "seed {seed}: {variation}");
            }
        }
        // Storms come at any hour: without a working week, day and night have equal shares over weeks.
        let off = hours(Config {
            days: 56,
            ..config(seed)
        });
        let share = daytime(&off[0], 0);
        assert!((0.45..=0.55).contains(&share), "seed {seed}: {share}");
    }
}

/// In real feeds, the hourly counts vary by half their mean or more, and by a third of it around the
/// mean of the same hour of the week.
#[test]
fn hours_of_noise_are_busy_and_quiet() {
    for seasonality in [false, true] {
        let rows = &hours(Config {
            days: 28,
            noise_seasonality: seasonality,
            ..config(4)
        })[0];
        let all = variation(rows);
        assert!((0.5..=1.1).contains(&all), "{seasonality}: {all}");
        let mean = rows.iter().sum::<u64>() as f64 / rows.len() as f64;
        let weeks = rows.len() / 168;
        let apart: f64 = (0..rows.len())
            .map(|hour| {
                let same = (0..weeks).map(|week| rows[week * 168 + hour % 168]);
                rows[hour] as f64 - same.sum::<u64>() as f64 / weeks as f64
            })
            .map(|apart| apart * apart)
            .sum();
        let residual = (apart / rows.len() as f64).sqrt() / mean;
        assert!(residual > 0.3, "{seasonality}: {residual}");
    }
}

#[test]
fn a_list_of_hours_shows_in_the_events() {
    let list: [u64; 24] = std::array::from_fn(|h| (1 + (h as u64 * 7) % 11) * 500_000);
    let other: [u64; 24] = std::array::from_fn(|h| if h == 3 { 90_000_000 } else { 10_000_000 });
    for (seasonality, offset) in [(false, 0), (true, 0), (false, 9)] {
        let found = hours(Config {
            noise_hours: Some(list),
            alert_hours: Some(other),
            noise_seasonality: seasonality,
            time_zone_offset: offset as i64 * 3600,
            ..config(1)
        });
        for (rows, list) in found.iter().zip([list, other]) {
            let total: u64 = list.iter().sum();
            let wanted = list.map(|w| w as f64 / total as f64);
            let apart = divergence(&by_hour_of_day(rows, offset), &wanted);
            assert!(apart < 0.01, "{apart}");
            assert!(
                divergence(&[1.0 / 24.0; 24], &wanted) > 0.02,
                "the test can fail"
            );
        }
    }
}

#[test]
fn half_an_hour_off_is_half_an_hour_off() {
    // Only 09 to 10 local, at +05:30: 03:30 to 04:30 UTC.
    let mut list = [0; 24];
    list[9] = 1_000_000;
    let found = hours(Config {
        noise_hours: Some(list),
        time_zone_offset: 19_800,
        ..config(1)
    });
    let day = by_hour_of_day(&found[0], 0);
    assert!((day[3] + day[4] - 1.0).abs() < 0.001, "{day:?}");
    assert!(day[3] > 0.3 && day[4] > 0.3, "{day:?}");
}

#[test]
fn weights_of_any_size_are_shares() {
    let at = |scale: u64| {
        hours(Config {
            alert_hours: Some(std::array::from_fn(|h| (h as u64 + 1) * scale)),
            ..config(1)
        })
    };
    let (small, large) = (at(1_000), at(40_000_000));
    let apart = divergence(&by_hour_of_day(&small[1], 0), &by_hour_of_day(&large[1], 0));
    assert!(apart < 0.001, "{apart}");
}

/// Even if few hours have a weight, processes that a host starts in a slot have distinct pids.
#[test]
fn starts_in_one_hour_have_their_own_pids() {
    let mut hours = [0; 24];
    hours[3] = 1_000_000;
    let config = Config {
        events: 60_000,
        days: 1,
        assets: Some(60),
        attack_chain_ratio: "0".parse().unwrap(),
        noise_ratio: "0.9".parse().unwrap(),
        noise_hours: Some(hours),
        ..Config::default()
    };
    let generator = Generator::builder().config(config).build().unwrap();
    let (plan, catalog) = (generator.plan(), generator.catalog());
    let (mut starts, mut pids) = (0, BTreeSet::new());
    for group in &plan.row_groups {
        generator.maker().frames(group, |frame| {
            for row in 0..frame.len {
                let starting = [Telemetry::ProcessCreation, Telemetry::Execve];
                if frame.noise[row] == catalog.scenarios.len() as i32
                    && starting.contains(&frame.telemetry[row])
                {
                    let slot = frame.process.start[row] / 600_000_000;
                    starts += 1;
                    pids.insert((frame.host[row], slot, frame.process.pid[row]));
                }
            }
        });
    }
    assert!(starts > 300, "{starts}");
    assert_eq!(pids.len(), starts);
}

/// Two wheels in one slot would give two processes of a host the same ordinal, and so the same pid.
#[test]
fn a_slot_has_one_wheel_in_every_time_zone() {
    use fusiongen::world::activity::SLOT;
    for offset in [0, 900, 1_800, 2_700, 20_700, -12_600, 45_900] {
        let config = Config {
            time_zone_offset: offset,
            events: 20_000,
            ..Config::default()
        };
        let generator = Generator::builder().config(config).build().unwrap();
        let (world, first) = (generator.world(), generator.world().start);
        for slot in 0..7 * 86_400 / SLOT {
            let start = first + slot * SLOT;
            let lengths: BTreeSet<u64> = (start..start + SLOT)
                .step_by(60)
                .map(|time| world.wheel(time).len())
                .collect();
            assert_eq!(lengths.len(), 1, "offset {offset}, slot {slot}");
        }
    }
}
