//! Times, counters and flow ends of native records.

use super::View;
use crate::frame::{Frame, NONE};
use crate::numbers::decimal;

/// Writes times as `YYYY-MM-DD HH:MM:SS.mmm`. Date, hour and minute are only formatted if they change.
pub struct TimeWriter {
    /// Minutes since 1970 in the text.
    minute: i64,
    text: [u8; 23],
}

impl Default for TimeWriter {
    fn default() -> Self {
        TimeWriter {
            minute: 0,
            text: *b"1970-01-01 00:00:00.000",
        }
    }
}

/// The two digits of each number below 100.
const PAIRS: [[u8; 2]; 100] = {
    let mut all = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        all[number] = [b'0' + number as u8 / 10, b'0' + number as u8 % 10];
        number += 1;
    }
    all
};

/// Writes the last digits of a number.
#[inline]
fn put(digits: &mut [u8], mut value: u32) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

impl TimeWriter {
    /// Appends a time given in Unix microseconds.
    #[inline]
    pub fn write(&mut self, out: &mut Vec<u8>, us: i64) {
        let minute = us.div_euclid(60_000_000);
        if minute != self.minute {
            self.turn(minute);
        }
        let milliseconds = ((us - minute * 60_000_000) / 1000) as u32;
        let (seconds, part) = (milliseconds / 1000, milliseconds % 1000);
        [self.text[17], self.text[18]] = PAIRS[seconds as usize];
        self.text[20] = b'0' + (part / 100) as u8;
        [self.text[21], self.text[22]] = PAIRS[(part % 100) as usize];
        out.extend_from_slice(&self.text);
    }

    fn turn(&mut self, minute: i64) {
        self.minute = minute;
        let (days, of_day) = (minute.div_euclid(1440), minute.rem_euclid(1440) as u32);
        // Civil date from days since 1970-01-01 (Howard Hinnant's algorithm).
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let of_era = z.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * shifted + 2) / 5 + 1;
        let month = if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        put(&mut self.text[..4], year as u32);
        put(&mut self.text[5..7], month as u32);
        put(&mut self.text[8..10], day as u32);
        put(&mut self.text[11..13], of_day / 60);
        put(&mut self.text[14..16], of_day % 60);
    }
}

/// Appends a number's decimal digits.
pub fn push_decimal(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(decimal(value, &mut [0; 20]));
}

/// Appends a number's lower-case hexadecimal digits.
pub fn push_hexadecimal(out: &mut Vec<u8>, value: u64) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let digits = (64 - value.leading_zeros()).div_ceil(4).max(1);
    out.extend(
        (0..digits)
            .rev()
            .map(|d| HEX[(value >> (4 * d) & 15) as usize]),
    );
}

/// Minimum mean increase of a channel's counter per hour: one per 5 ms, and at least half of that in
/// any hour. Records that are [as far apart](crate::plan::APART) as a run's then have distinct
/// numbers.
const HOURLY: u64 = 720_000;
const HOUR_US: i64 = 3_600_000_000;

/// A counter that never falls with time: record ids and audit serials. Its rate depends on host and
/// channel, and varies by the hour.
#[inline]
pub fn counter(v: &View<'_>, row: usize, channel: u64) -> i64 {
    let key = v.maker.world.host_key(v.frame.host[row]).with(channel);
    let since = v.frame.time[row] - v.maker.world.epoch * 1_000_000;
    let (hour, into) = (since.div_euclid(HOUR_US), since.rem_euclid(HOUR_US));
    let hourly = HOURLY + key.below(u64::MAX, HOURLY / 2);
    let at = |hour: i64| hour * hourly as i64 + key.below(hour as u64, hourly / 2) as i64;
    let (from, to) = (at(hour), at(hour + 1));
    let base = 2_000_000 + key.below(u64::MAX - 1, 400_000_000) as i64;
    base + from + (to - from) * into / HOUR_US
}

/// (Address, port) of the client and the server of each row's flow.
pub(super) struct Ends(Vec<((i32, i32), (i32, i32))>);

impl Ends {
    fn new(f: &Frame) -> Self {
        let of = |row: usize| {
            let (source, destination) = (
                (f.source[row], f.source_port[row]),
                (f.destination[row], f.destination_port[row]),
            );
            match (f.source[row], f.client_is_source[row]) {
                (NONE, _) => ((NONE, NONE), (NONE, NONE)),
                (_, true) => (source, destination),
                (_, false) => (destination, source),
            }
        };
        Ends((0..f.len).map(of).collect())
    }
}

/// The client's and the server's (address, port) of a row's flow.
#[inline]
pub fn ends(v: &View<'_>, row: usize) -> ((i32, i32), (i32, i32)) {
    v.cache.ends.get_or_init(|| Ends::new(v.frame)).0[row]
}

#[cfg(test)]
mod tests {
    #[test]
    fn utc_time_is_as_sysmon_writes_it() {
        let mut out = Vec::new();
        super::TimeWriter::default().write(&mut out, 1_723_458_104_123_999);
        assert_eq!(out, b"2024-08-12 10:21:44.123");
        out.clear();
        super::TimeWriter::default().write(&mut out, 951_782_400_000_000);
        assert_eq!(out, b"2000-02-29 00:00:00.000");
    }
}
