//! Tests of time laws.

use super::*;
use crate::plan::calendar::exits::{SEEN, TURNS};
use crate::random::Key;
use crate::world::Starts;
use proptest::prelude::*;

const RHYTHMS: [Rhythm; 4] = [Rhythm::Alerts, Rhythm::Noise, Rhythm::People, Rhythm::Life];

fn law(rows: u64, weights: &[u64], rhythm: Rhythm) -> TimeLaw {
    let mut cumulative = vec![0];
    for minute in 0..MINUTES {
        let last = cumulative[minute];
        cumulative.push(last + weights[minute % weights.len()].max(1));
    }
    TimeLaw::new(1_000_000, cumulative, rows, Key::root(rows), rhythm)
}

proptest! {
    #[test]
    fn times_rise_within_the_day_and_any_row_stands_alone(
        rows in 1u64..20_000,
        weights in proptest::collection::vec(0u64..150_000_000, 1..50),
        rhythm in 0usize..4,
    ) {
        let law = law(rows, &weights, RHYTHMS[rhythm]);
        let mut times = Vec::new();
        law.times(0..rows, &mut times);
        prop_assert!(times.is_sorted());
        prop_assert!(times[0] >= 1_000_000 && times[rows as usize - 1] < 1_000_000 + DAY_US);
        for j in (0..rows).step_by(97) {
            prop_assert_eq!(law.time(j), times[j as usize]);
            let run = law.run(j);
            prop_assert!(run.first <= j && j < run.first + run.rows);
            prop_assert!(times[(run.first + run.rows - 1) as usize] - times[run.first as usize] < (6 * BY_HAND.1) as i64);
        }
        let middle = times[rows as usize / 2];
        prop_assert_eq!(law.before(middle), times.partition_point(|&t| t < middle) as u64);
    }

    #[test]
    fn sequences_come_whole_and_one_after_the_other(
        rows in 1u64..4_000,
        length in 2u8..12,
        opening in 1u8..12,
        companion in 1u8..12,
        pause in 1u8..12,
        weights in proptest::collection::vec(0u64..150_000_000, 1..50),
    ) {
        let opening = opening.min(length);
        let companion = if companion < length && companion != opening { companion } else { 0 };
        let companions = if companion > 0 { 1 << companion } else { 0 };
        let pause = if pause < opening && pause != companion { pause } else { 0 };
        let pauses = if pause > 0 { 1 << pause } else { 0 };
        let law = law(rows, &weights, Rhythm::Sequence { rows: length, opening, companions, pauses });
        let mut times = Vec::new();
        law.times(0..rows, &mut times);
        prop_assert!(times.is_sorted());
        prop_assert!(times[0] >= 1_000_000 && times[rows as usize - 1] < 1_000_000 + DAY_US);
        for j in 0..rows {
            prop_assert_eq!(law.time(j), times[j as usize]);
            let run = law.run(j);
            prop_assert_eq!(run.first, j / u64::from(length) * u64::from(length));
            let nth = j - run.first;
            if nth > 0 && nth == u64::from(companion) {
                prop_assert_eq!(times[j as usize], times[j as usize - 1]);
            }
            if nth > 0 && nth != u64::from(opening) {
                let most = if nth == u64::from(pause) { 250_000 + TYPED.1 as i64 } else { 250_000 };
                prop_assert!(times[j as usize] - times[j as usize - 1] < most);
            }
        }
        prop_assert_eq!(law.before(times[rows as usize / 2]), times.partition_point(|&t| t < times[rows as usize / 2]) as u64);
    }

    #[test]
    fn starts_of_every_turn_end_once_after_it_on_their_date(
        alerts in 1u64..3_000,
        part in 1u64..100,
        more in 0u64..200,
        seed: u64,
    ) {
        let cumulative = (0..=1440u64).map(|m| m * 1000).collect();
        let law = TimeLaw::new(1_000_000, cumulative, alerts, Key::root(seed), Rhythm::Alerts);
        let starts = Starts::new(part, part + more, 0).unwrap();
        let key = Key::root(seed ^ 1);
        let mut ended = Vec::new();
        for turn in 0..SEEN {
            let rows = Exits::among(&starts, key, turn, alerts);
            let exits = Exits { starts, key, turn, rows };
            let mut before = i64::MIN;
            for row in 0..rows {
                let start = law.time(starts.row(key, exits.nth(row)));
                let end = law.exit_time(&exits, row);
                prop_assert!(end > start && end < 1_000_000 + DAY_US && end >= before);
                before = end;
                ended.push(exits.nth(row));
            }
        }
        let all = starts.among(alerts);
        prop_assert!(ended.iter().all(|nth| *nth < all));
        let count = ended.len() as u64;
        prop_assert!(count.abs_diff(all * u64::from(SEEN) / u64::from(TURNS)) <= u64::from(SEEN));
        ended.sort_unstable();
        ended.dedup();
        prop_assert_eq!(ended.len() as u64, count);
    }
}

#[test]
fn rows_of_a_run_are_no_comb() {
    for rhythm in [Rhythm::Noise, Rhythm::Life] {
        for rows in [10_000, 100_000, 1_000_000] {
            let law = law(rows, &[40_000_000], rhythm);
            let mut times = Vec::new();
            law.times(0..9_000, &mut times);
            let steps: Vec<i64> = times.windows(2).map(|t| t[1] - t[0]).collect();
            let same = steps
                .windows(2)
                .filter(|s| (s[1] - s[0]).abs() < 10)
                .count();
            assert!(
                same < steps.len() / 50,
                "{same} of {} at {rows}",
                steps.len()
            );
        }
    }
}

#[test]
fn a_billion_rows_stay_within_the_day() {
    for rhythm in RHYTHMS {
        let law = law(1_000_000_000, &[1, 40_000_000, 7], rhythm);
        assert!(law.time(999_999_999) < 1_000_000 + DAY_US);
        assert!(law.time(999_999_998) <= law.time(999_999_999));
        assert!(law.time(0) >= 1_000_000);
    }
}
