//! Time axes of plots: bins of the window, and hours of the week. UTC.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate, NaiveTime};
use serde::Serialize;

use super::events::ByKind;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// Possible widths of a timeline's bins in seconds. Each divides an hour or is a multiple of hours.
const WIDTHS: [i64; 10] = [
    300,
    900,
    1_800,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    7 * DAY,
];
/// Maximum bins of a timeline, unless it has more days than that.
const MOST_BINS: i64 = 400;

/// A corpus's window and its bins.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: NaiveDate,
    days: u32,
    /// Width of a timeline bin in seconds.
    width: i64,
}

/// Events over time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Timeline {
    /// Unix seconds of the first bin.
    pub start: i64,
    /// Width of a bin in seconds.
    pub width: i64,
    /// By kind, then by bin.
    pub counts: Vec<Vec<u64>>,
    /// Dates with counts by kind, for the table.
    pub dates: Vec<(String, Vec<u64>)>,
}

/// Events by hour of the week, Monday first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Week {
    /// Number of dates per weekday.
    pub days: [u64; 7],
    /// By kind, then weekday × 24 + hour.
    pub counts: Vec<Vec<u64>>,
}

impl Clock {
    /// The clock of a window of `days` days.
    pub fn new(start: NaiveDate, days: u32) -> Self {
        let seconds = i64::from(days) * DAY;
        let fits = |width: &&i64| seconds / **width <= MOST_BINS;
        Clock {
            start,
            days,
            width: *WIDTHS.iter().find(fits).unwrap_or(&(7 * DAY)),
        }
    }

    /// Width in microseconds of the bins to count in, which suit both timeline and week.
    pub fn bin(&self) -> i64 {
        self.width.min(HOUR) * SECOND
    }

    fn start_seconds(&self) -> i64 {
        self.start.and_time(NaiveTime::MIN).and_utc().timestamp()
    }

    /// Whether all counted bins are in the window.
    pub fn holds(&self, bins: &BTreeMap<i64, ByKind>) -> bool {
        let window = i64::from(self.days) * DAY;
        let first = self.start_seconds() * SECOND / self.bin();
        let until = first + window * SECOND / self.bin();
        bins.keys().all(|bin| (first..until).contains(bin))
    }

    /// The timeline of counted bins, which the window [holds](Self::holds).
    pub fn timeline(&self, bins: &BTreeMap<i64, ByKind>, kinds: usize) -> Timeline {
        let seconds = |bin: i64| bin * self.bin() / SECOND;
        let start = self.start_seconds();
        let length = (i64::from(self.days) * DAY + self.width - 1) / self.width;
        let mut counts = vec![vec![0; length as usize]; kinds];
        let mut dates: BTreeMap<i64, Vec<u64>> = BTreeMap::new();
        for (&bin, of_bin) in bins {
            let at = (seconds(bin) - start) / self.width;
            for (row, count) in counts.iter_mut().zip(of_bin) {
                row[at as usize] += count;
            }
            let of_date = dates
                .entry(seconds(bin).div_euclid(DAY))
                .or_insert_with(|| vec![0; kinds]);
            for (sum, count) in of_date.iter_mut().zip(of_bin) {
                *sum += count;
            }
        }
        let date = |day: i64| {
            chrono::DateTime::from_timestamp(day * DAY, 0)
                .map_or_else(String::new, |time| time.date_naive().to_string())
        };
        Timeline {
            start,
            width: self.width,
            counts,
            dates: dates
                .into_iter()
                .map(|(day, counts)| (date(day), counts))
                .collect(),
        }
    }

    /// The hours of the week of counted bins.
    pub fn week(&self, bins: &BTreeMap<i64, ByKind>, kinds: usize) -> Week {
        let first = u64::from(self.start.weekday().num_days_from_monday());
        let days = u64::from(self.days);
        let dates = |weekday: u64| {
            let after = (weekday + 7 - first) % 7;
            (days + 6 - after) / 7
        };
        let mut counts = vec![vec![0; 7 * 24]; kinds];
        for (&bin, of_bin) in bins {
            let hours = (bin * self.bin() / SECOND).div_euclid(HOUR);
            // 1970-01-01 was a Thursday.
            let weekday = (hours.div_euclid(24) + 3).rem_euclid(7);
            let cell = (weekday * 24 + hours.rem_euclid(24)) as usize;
            for (row, count) in counts.iter_mut().zip(of_bin) {
                row[cell] += count;
            }
        }
        Week {
            days: [0, 1, 2, 3, 4, 5, 6].map(dates),
            counts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(days: u32) -> Clock {
        // A Monday.
        Clock::new(NaiveDate::from_ymd_opt(2024, 8, 12).unwrap(), days)
    }

    #[test]
    fn a_timeline_has_readable_many_bins() {
        for (days, width) in [
            (1, 300),
            (7, 1_800),
            (30, 2 * HOUR),
            (365, DAY),
            (4_000, 7 * DAY),
        ] {
            let clock = clock(days);
            assert_eq!(clock.width, width, "{days} days");
            assert_eq!(clock.bin(), width.min(HOUR) * SECOND);
            let timeline = clock.timeline(&BTreeMap::new(), 3);
            assert_eq!(
                timeline.counts[0].len() as i64,
                (i64::from(days) * DAY + width - 1) / width
            );
        }
    }

    #[test]
    fn events_fall_into_their_bin_and_hour() {
        let clock = clock(8);
        // Tuesday of the first week at 13:30, in bins of half an hour.
        let bin = (clock.start_seconds() + DAY + 13 * HOUR + 1_800) / 1_800;
        let bins = BTreeMap::from([(bin, [1, 2, 3])]);
        let timeline = clock.timeline(&bins, 3);
        assert_eq!(timeline.start, clock.start_seconds());
        assert_eq!(timeline.counts[2][(24 + 13) * 2 + 1], 3);
        let week = clock.week(&bins, 3);
        assert_eq!(week.counts[1][24 + 13], 2);
        assert_eq!(week.days, [2, 1, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn an_event_outside_of_the_window_is_noticed() {
        let clock = clock(2);
        let first = clock.start_seconds() / clock.width;
        let last = first + 2 * DAY / clock.width - 1;
        let holds = |bins: &[i64]| clock.holds(&bins.iter().map(|&b| (b, [1, 0, 0])).collect());
        assert!(holds(&[first, last]));
        assert!(!holds(&[first - 1, last]));
        assert!(!holds(&[first, last + 1]));
    }
}
