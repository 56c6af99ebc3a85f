//! Scripts of hosts' days: exact, in the order of logs, and with causes before effects.

use std::collections::BTreeMap;

use fusiongen::Generator;
use fusiongen::catalog::{Platform, Telemetry};
use fusiongen::ids::HostId;
use fusiongen::plan::days::{Rows, ScriptRow, Slice};
use fusiongen::plan::{Config, Origin};
use fusiongen::world::hosts::Role;

fn made(seed: u64) -> Generator {
    let config = Config {
        seed,
        events: 60_000,
        days: 2,
        noise_ratio: "0.8".parse().unwrap(),
        attack_chain_ratio: "0.02".parse().unwrap(),
        ..Config::default()
    };
    Generator::builder().config(config).build().unwrap()
}

/// The rows that the plan gives to the scripts of a date.
fn planned(generator: &Generator, date: u32) -> u64 {
    let of_date = generator
        .plan()
        .partitions
        .iter()
        .filter(|p| p.date == date);
    let populations = of_date.flat_map(|p| &p.populations);
    let scripts = populations.filter(|p| p.origin == Origin::Days);
    scripts.map(|p| p.rows).sum()
}

#[test]
fn a_date_has_exactly_its_rows_in_the_order_of_time() {
    for seed in [1, 2, 3] {
        let generator = made(seed);
        let plan = generator.plan();
        for date in 0..2 {
            let (from, to) = (
                plan.calendar.midnight(date),
                plan.calendar.midnight(date + 1),
            );
            let found = plan.scripts.rows(&plan.calendar, date, from, to);
            let rows: Vec<_> = found.iter().map(|(_, row)| *row).collect();
            assert_eq!(rows.len() as u64, planned(&generator, date));
            assert!(rows.is_sorted_by_key(|row| row.time));
            assert!(rows.iter().all(|row| (from..to).contains(&row.time)));
            assert!(rows.iter().all(|row| row.native <= row.time));
        }
    }
}

/// Time, native time, host, routine, step and repetition of each row.
fn identities(rows: &Rows) -> Vec<(i64, i64, HostId, u16, u8, u8)> {
    let identity = |(slice, row): (&Slice, &ScriptRow)| {
        let run = slice.runs[row.run as usize];
        (
            row.time,
            row.native,
            run.host,
            run.routine,
            row.step,
            row.round,
        )
    };
    rows.iter().map(identity).collect()
}

#[test]
fn parts_of_a_date_are_the_date() {
    let generator = made(4);
    let plan = generator.plan();
    let (from, to) = (plan.calendar.midnight(0), plan.calendar.midnight(1));
    let whole = plan.scripts.rows(&plan.calendar, 0, from, to);
    let mut joined = Vec::new();
    for part in 0..24 {
        let hour = |n: i64| from + n * 3_600_000_000;
        let rows = plan
            .scripts
            .rows(&plan.calendar, 0, hour(part), hour(part + 1));
        assert_eq!(rows.before, joined.len() as u64);
        assert_eq!(
            plan.scripts.before(&plan.calendar, 0, hour(part)),
            rows.before
        );
        joined.extend(identities(&rows));
    }
    assert_eq!(joined, identities(&whole));
}

#[test]
fn a_process_starts_before_its_other_records_and_ends_after_them() {
    let generator = made(5);
    let (plan, catalog) = (generator.plan(), generator.catalog());
    let (from, to) = (plan.calendar.midnight(0), plan.calendar.midnight(1));
    let rows = plan.scripts.rows(&plan.calendar, 0, from, to);
    let mut born = BTreeMap::new();
    let mut ended = BTreeMap::new();
    let (mut acted, mut children) = (0, 0);
    for (slice, row) in rows.iter() {
        let run = &slice.runs[row.run as usize];
        let step = &catalog.routines[usize::from(run.routine)].steps[usize::from(row.step)];
        let process = |number: usize| slice.processes[run.processes as usize + number];
        if let Some(actor) = step.actor() {
            let actor = (row.run, actor);
            assert!(
                born.contains_key(&actor),
                "a record before its process starts"
            );
            assert!(
                !ended.contains_key(&actor),
                "a record after its process ended"
            );
            acted += 1;
        }
        match (step.record.telemetry, step.record.starts) {
            (Telemetry::ProcessCreation, Some(number)) => {
                assert_eq!(process(number).start, row.native);
                born.insert((row.run, number), row.time);
                children += usize::from(step.actor().is_some());
            }
            (Telemetry::ProcessTermination, _) => {
                ended.insert((row.run, step.actor().unwrap()), row.time);
            }
            _ => {}
        }
    }
    assert!(acted > 2_000 && children > 200 && ended.len() > 500);
}

#[test]
fn no_two_processes_of_a_host_are_one() {
    let generator = made(6);
    let plan = generator.plan();
    let mut seen = BTreeMap::new();
    for date in 0..2 {
        let (from, to) = (
            plan.calendar.midnight(date),
            plan.calendar.midnight(date + 1),
        );
        let rows = plan.scripts.rows(&plan.calendar, date, from, to);
        for (slice, row) in rows.iter() {
            let run = &slice.runs[row.run as usize];
            let step = &generator.catalog().routines[usize::from(run.routine)].steps
                [usize::from(row.step)];
            let Some(number) = step.record.starts else {
                continue;
            };
            let process = slice.processes[run.processes as usize + number];
            let guid = (run.host, process.boot, process.sequence);
            assert!(seen.insert(guid, process.start).is_none());
            assert!(process.pid.is_multiple_of(4));
        }
    }
    assert!(seen.len() > 1_000);
}

#[test]
fn a_host_counts_whatever_starts() {
    let config = Config {
        seed: 3,
        events: 120_000,
        days: 2,
        noise_ratio: "0.6".parse().unwrap(),
        attack_chain_ratio: "0.05".parse().unwrap(),
        ..Config::default()
    };
    let generator = Generator::builder().config(config).build().unwrap();
    let plan = generator.plan();
    let own_life = generator.catalog().scenarios.len() as i32;
    // By host, boot and time: the number of each process, and who starts it.
    let mut births = BTreeMap::new();
    for group in &plan.row_groups {
        generator.maker().frames(group, |frame| {
            for row in 0..frame.len {
                let telemetry = frame.telemetry[row];
                if telemetry.platform() != Some(Platform::Windows) || !telemetry.is_start() {
                    continue;
                }
                let process = &frame.process;
                let whose = match (frame.chain[row] >= 0, frame.noise[row]) {
                    (true, _) => "chain",
                    (_, noise) if noise == own_life => "host",
                    (_, noise) if noise >= 0 => "scenario",
                    _ => "alert",
                };
                let number = process.sequence[row];
                let place = (frame.host[row], process.boot[row], process.start[row]);
                births.insert((place, number), whose);
            }
        });
    }
    let mut pairs: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    let in_order: Vec<_> = births.iter().collect();
    for pair in in_order.windows(2) {
        let [
            (((host, boot, start), first), one),
            (((after, later, next), second), other),
        ] = pair
        else {
            continue;
        };
        let day = 86_400_000_000;
        if (host, boot) != (after, later) || start.div_euclid(day) != next.div_euclid(day) {
            continue;
        }
        for whose in [one, other] {
            let (rising, all) = pairs.entry(whose).or_default();
            *rising += u32::from(first < second);
            *all += 1;
        }
    }
    for whose in ["host", "scenario", "alert", "chain"] {
        let (rising, all) = pairs[whose];
        assert!(all > 150, "{whose}: {all}");
        // A chain's start is counted when it is recorded, some milliseconds later.
        assert!(rising * 100 >= all * 98, "{whose}: {rising} of {all}");
    }
}

#[test]
fn people_work_by_day_and_machines_always() {
    let generator = made(7);
    let (plan, world, catalog) = (generator.plan(), generator.world(), generator.catalog());
    let (from, to) = (plan.calendar.midnight(0), plan.calendar.midnight(1));
    let rows = plan.scripts.rows(&plan.calendar, 0, from, to);
    let mut hours = [[0u32; 24]; 2];
    for (slice, row) in rows.iter() {
        let run = &slice.runs[row.run as usize];
        if world.hosts[run.host].role != Role::Workstation {
            continue;
        }
        let routine = &catalog.routines[usize::from(run.routine)];
        let (hour, _) = world.local(row.time / 1_000_000);
        let of_people = routine.when == fusiongen::catalog::When::Session;
        hours[usize::from(of_people)][hour] += 1;
    }
    let [machines, people] = hours;
    let sum = |of: &[u32; 24], range: std::ops::Range<usize>| of[range].iter().sum::<u32>();
    assert!(
        sum(&people, 9..17) > 20 * sum(&people, 0..6).max(1),
        "{people:?}"
    );
    assert!(machines.iter().all(|&rows| rows > 0), "{machines:?}");
}
