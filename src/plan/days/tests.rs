//! Slices of a date: here a slice has few rows, so that a date has many.

use super::*;
use crate::Generator;
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
