//! Slices of a date: here a slice has few rows, so that a date has many.

use super::*;
use crate::Generator;
use crate::day::segment_of;
use crate::ids::HostId;
use crate::plan::Config;

fn made() -> Generator {
    let config = Config {
        events: 20_000,
        days: 1,
        noise_ratio: "0.8".parse().unwrap(),
        ..Config::default()
    };
    Generator::builder().config(config).build().unwrap()
}

fn identity((slice, row): (&Slice, &ScriptRow)) -> (i64, HostId, u16, u8, u8) {
    let run = slice.runs[row.run as usize];
    (row.time, run.host, run.routine, row.step, row.round)
}

#[test]
fn slices_are_the_date() {
    let generator = made();
    let plan = generator.plan();
    let (scripts, calendar) = (&plan.scripts, &plan.calendar);
    let (from, to) = (calendar.midnight(0), calendar.midnight(1));
    let at_once = Arc::new(scripts.slice(calendar, 0, from, to));
    let whole: Vec<_> = (at_once.rows.iter())
        .map(|row| identity((&at_once, row)))
        .collect();
    let found = scripts.rows(calendar, 0, from, to);
    assert!(found.parts.len() > 5, "{}", found.parts.len());
    assert!(
        found
            .parts
            .iter()
            .all(|(slice, own)| slice.rows.len() == own.len())
    );
    assert_eq!(found.iter().map(identity).collect::<Vec<_>>(), whole);
    for (ordinal, &row) in (0..).zip(&whole) {
        assert_eq!(found.get(ordinal).map(identity), Some(row));
    }
    assert!(found.get(whole.len() as u64).is_none());
    // Any two times, in and between minutes.
    let time = |part: i64| from + part * 11_234_567_891;
    for part in 0..7 {
        let found = scripts.rows(calendar, 0, time(part), time(part + 1));
        let before = whole.partition_point(|row| row.0 < time(part));
        let until = whole.partition_point(|row| row.0 < time(part + 1));
        assert_eq!(found.before, before as u64);
        assert_eq!(
            found.iter().map(identity).collect::<Vec<_>>(),
            whole[before..until]
        );
        assert_eq!(scripts.before(calendar, 0, time(part)), before as u64);
    }
}

/// Every number of a boot belongs to one process, and births count up without a gap in their segment.
#[test]
fn numbers_of_processes_count_from_the_boot() {
    let config = Config {
        events: 60_000,
        days: 9,
        noise_ratio: "0.8".parse().unwrap(),
        ..Config::default()
    };
    let generator = Generator::builder().config(config).build().unwrap();
    let plan = generator.plan();
    let (scripts, calendar) = (&plan.scripts, &plan.calendar);
    let world = &scripts.days.world;
    let (mut sessions, mut boots, mut births, mut visitors) = (0, 0, 0, 0);
    for &host in scripts.days.hosts().iter().step_by(7) {
        let mut next = 0;
        for date in 0..9 {
            let shared = scripts.shared(calendar, date);
            let all = scripts.guests(calendar, date);
            let guests = &all.list[all.range(host)];
            let mut segments = Vec::new();
            let end = scripts.segments((host, date), shared, guests, &mut segments);
            assert_eq!(segments[0].from, calendar.midnight(date));
            let boot = |time: i64| world.settled_boot(host, time.div_euclid(1_000_000));
            for (at, segment) in segments.iter().enumerate() {
                let before = boot(segment.from - 1);
                if boot(segment.from) != before {
                    boots += 1;
                    next = 0;
                }
                sessions += u32::from(segment.session.is_some());
                assert!(
                    segment.session.unwrap_or(segment.first) >= next,
                    "{segments:?}"
                );
                assert!(segment.first < segment.end);
                next = segment.end;
                let until = segments.get(at + 1).map_or(end - UNCOUNTED, |later| {
                    later.session.unwrap_or(later.first)
                });
                assert!(
                    next <= until || boot(segment.from) != boot(calendar.midnight(date + 1) - 1)
                );
            }
            let mut script = Script::default();
            scripts.run_script(calendar, (host, date), guests, &mut script);
            let own = script.births.iter().filter(|birth| birth.time != 0);
            let own = own.map(|birth| (birth.time, 1, birth.number));
            // A guest is before a birth of the same time.
            let others = guests.iter().zip(&script.guests);
            let others = others.map(|(guest, &number)| (guest.time, 0, number));
            let mut born: Vec<(i64, u8, u32)> = own.chain(others).collect();
            born.sort_unstable();
            births += born.len();
            visitors += guests.len();
            for pair in born.windows(2) {
                let [(before, _, one), (after, _, other)] = [pair[0], pair[1]];
                let segment = segment_of(&segments, after);
                if segment == segment_of(&segments, before) {
                    assert_eq!(other, one + 1);
                }
                let Segment { first, end, .. } = segments[segment];
                assert!((first..end).contains(&other));
            }
            for guest in guests {
                let number = |whose| scripts.number_of_guest(calendar, host, guest.time, whose);
                let found = number(guest.whose);
                assert!(born.iter().any(|&(time, is_own, n)| {
                    (time, is_own, Some(n)) == (guest.time, 0, found)
                }));
            }
        }
    }
    assert!(
        sessions > 20 && boots > 3 && births > 300 && visitors > 100,
        "{sessions} {boots} {births} {visitors}"
    );
}
