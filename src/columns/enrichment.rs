//! Times and closed forms that native records carry.

use super::View;
use crate::frame::NONE;

pub(super) const WORDS: &[&str] = &[];

/// Appends `YYYY-MM-DD HH:MM:SS.mmm`.
pub fn write_utc_time(out: &mut Vec<u8>, us: i64) {
    let (days, rest) = (
        us.div_euclid(86_400_000_000),
        us.rem_euclid(86_400_000_000) / 1000,
    );
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
    let mut text = *b"0000-00-00 00:00:00.000";
    let mut put = |at: usize, width: usize, mut value: i64| {
        for i in (at..at + width).rev() {
            text[i] = b'0' + (value % 10) as u8;
            value /= 10;
        }
    };
    put(0, 4, year);
    put(5, 2, month);
    put(8, 2, day);
    put(11, 2, rest / 3_600_000);
    put(14, 2, rest / 60_000 % 60);
    put(17, 2, rest / 1000 % 60);
    put(20, 3, rest % 1000);
    out.extend_from_slice(&text);
}

/// A counter that never falls with time: record ids and audit serials. `unit` is microseconds a step.
pub fn counter(v: &View<'_>, row: usize, channel: u64, unit: i64) -> i64 {
    let key = v.maker.world.host_key(v.frame.host[row] as u32);
    let base = 10_000 + key.below(channel, 4_000_000) as i64;
    let since = v.frame.time[row] - v.maker.world.start * 1_000_000;
    // Each host writes at its own pace.
    let pace = unit + key.below(channel ^ 0x100, unit as u64) as i64;
    base + since / pace
}

/// The client's and the server's (address, port) of a row's flow.
pub fn ends(v: &View<'_>, row: usize) -> ((i32, i32), (i32, i32)) {
    let f = v.frame;
    if f.source[row] == NONE {
        return ((NONE, NONE), (NONE, NONE));
    }
    let (source, destination) = (
        (f.source[row], f.source_port[row]),
        (f.destination[row], f.destination_port[row]),
    );
    if f.client_is_source[row] {
        (source, destination)
    } else {
        (destination, source)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn utc_time_is_as_sysmon_writes_it() {
        let mut out = Vec::new();
        super::write_utc_time(&mut out, 1_723_458_104_123_999);
        assert_eq!(out, b"2024-08-12 10:21:44.123");
        out.clear();
        super::write_utc_time(&mut out, 951_782_400_000_000);
        assert_eq!(out, b"2000-02-29 00:00:00.000");
    }
}
