//! Parses the time formats of many tools to seconds since 1970 UTC.
//!
//! Text without a zone is UTC. A value before 1970 or after 2199 is not a time but a counter.

use chrono::{DateTime, NaiveDateTime};

const YEAR_2200: i64 = 7_258_118_400;
/// Julian day of 1970-01-01T00:00, and of 2200-01-01.
const JULIAN_1970: f64 = 2_440_587.5;
const JULIAN_2200: f64 = 2_524_593.5;
/// The year of times without a year. It has a 29 February; only the hours of such times are used.
const SOME_YEAR: i32 = 2024;

fn plausible(seconds: i64) -> Option<i64> {
    (0..YEAR_2200).contains(&seconds).then_some(seconds)
}

/// Seconds, milli-, micro- or nanoseconds, told apart by size (each unit covers 1973 to 5138).
pub(super) fn of_integer(number: i64) -> Option<i64> {
    let unit = match number.unsigned_abs() {
        0..100_000_000_000 => 1,
        100_000_000_000..100_000_000_000_000 => 1_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000_000,
        _ => 1_000_000_000,
    };
    plausible(number.div_euclid(unit))
}

/// SQLite's Julian days if the number is between 1970 and 2199, else as [`of_integer`].
pub(super) fn of_real(number: f64) -> Option<i64> {
    if (JULIAN_1970..JULIAN_2200).contains(&number) {
        return plausible(((number - JULIAN_1970) * 86_400.0).round() as i64);
    }
    whole(number.trunc()).and_then(of_integer)
}

/// ISO 8601 with or without a zone, RFC 2822, Suricata's and Snort's, syslog's, Apache's,
/// day-first with dots and month-first with slashes, or a number.
pub(super) fn of_text(text: &str) -> Option<i64> {
    let text = text.trim();
    if text.len() > 64 || !text.is_ascii() {
        return None;
    }
    if let Ok(number) = text.parse::<i64>() {
        return match number {
            // 20240812102144
            19_700_101_000_000..22_000_101_000_000 => local(text).and_then(plausible),
            _ => of_integer(number),
        };
    }
    if let Ok(number) = text.parse::<f64>() {
        return of_real(number);
    }
    zoned(text).or_else(|| local(text)).and_then(plausible)
}

/// Text with a zone.
fn zoned(text: &str) -> Option<i64> {
    // `2024-08-12 10:21:44 UTC` → `2024-08-12T10:21:44`, which is UTC anyway.
    let bare = text
        .trim_end_matches("UTC")
        .trim_end_matches("GMT")
        .trim_end_matches(['Z', 'z'])
        .trim_end();
    if bare.len() < text.len() {
        return local(bare);
    }
    if let Ok(time) = DateTime::parse_from_rfc2822(text) {
        return Some(time.timestamp());
    }
    let at = bare.rfind(['+', '-']).filter(|&at| at > 15)?;
    let (time, zone) = bare.split_at(at);
    let zone: String = zone.chars().filter(|c| *c != ':').collect();
    let (sign, digits) = zone.split_at(1);
    let number: i64 = digits.parse().ok()?;
    let seconds = match digits.len() {
        2 => number * 3600,
        4 => number / 100 * 3600 + number % 100 * 60,
        _ => return None,
    };
    let local = local(time.trim_end())?;
    Some(if sign == "-" {
        local + seconds
    } else {
        local - seconds
    })
}

const FORMS: [&str; 20] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y/%m/%dT%H:%M:%S%.f",
    "%Y%m%dT%H%M%S%.f",
    "%Y%m%d%H%M%S",
    // Suricata's fast.log; Snort with and without the century.
    "%m/%d/%Y-%H:%M:%S%.f",
    "%m/%d/%y-%H:%M:%S%.f",
    "%d/%b/%Y:%H:%M:%S",
    "%d.%m.%YT%H:%M:%S%.f",
    "%d.%m.%YT%H:%M",
    "%d-%b-%YT%H:%M:%S%.f",
    "%b %d, %Y @ %H:%M:%S%.f",
    "%b %d, %Y %I:%M:%S %p",
    "%b %d %Y %H:%M:%S%.f",
    "%a %b %d %H:%M:%S %Y",
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y %H:%M:%S%.f",
    "%m/%d/%Y %H:%M",
    "%m/%d/%y %H:%M",
];

/// Text without a zone.
fn local(text: &str) -> Option<i64> {
    // Allow a decimal comma, and a blank between date and time.
    let mut text = text.to_string();
    if let Some(at) = text.rfind(',').filter(|&at| at > 15) {
        text.replace_range(at..=at, ".");
    }
    let spaced = text.clone();
    if matches!(text.as_bytes().get(10), Some(b' ' | b'_')) {
        text.replace_range(10..11, "T");
    } else if text.as_bytes().get(11) == Some(&b' ') && text.as_bytes().get(2) == Some(&b'-') {
        text.replace_range(11..12, "T");
    }
    // `%Y` also accepts the `24` of `08/12/24`, as the year 24; such a match is rejected.
    let parse = |text: &str, form: &str| {
        NaiveDateTime::parse_from_str(text, form)
            .ok()
            .and_then(|time| plausible(time.and_utc().timestamp()))
    };
    let parsed = FORMS
        .iter()
        .find_map(|form| parse(&text, form).or_else(|| parse(&spaced, form)));
    parsed.or_else(|| {
        // Without a year: Snort's `03/03-00:13:26.702768`, syslog's `Mar  3 00:13:26`.
        let (slash, blank) = (
            format!("{SOME_YEAR}/{spaced}"),
            format!("{SOME_YEAR} {spaced}"),
        );
        parse(&slash, "%Y/%m/%d-%H:%M:%S%.f")
            .or_else(|| parse(&slash, "%Y/%m/%d %H:%M:%S%.f"))
            .or_else(|| parse(&blank, "%Y %b %d %H:%M:%S%.f"))
    })
}

/// A float that is an integer, in the range where floats are exact.
pub(super) fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOON: i64 = 1_723_458_104;

    #[test]
    fn times_come_in_many_shapes() {
        for shape in [
            "2024-08-12T10:21:44.123456+0000",
            "2024-08-12T12:21:44+02:00",
            "2024-08-12 10:21:44",
            "2024-08-12T10:21:44Z",
            "2024-08-12 10:21:44.5 UTC",
            "2024-08-12 05:21:44-05",
            "2024-08-12 10:21:44,123",
            "2025-08-12 10:21:44.223872+00:00",
            "2024/08/12 10:21:44",
            "20240812T102144Z",
            "20240812102144",
            "08/12/2024-10:21:44.123456",
            "08/12/24-10:21:44.123456",
            "08/12-10:21:44.123456",
            "Aug 12 10:21:44",
            "Aug 12, 2024 @ 10:21:44.000",
            "Mon, 12 Aug 2024 12:21:44 +0200",
            "Mon Aug 12 10:21:44 2024",
            "12/Aug/2024:10:21:44 +0000",
            "12.08.2024 10:21:44",
            "8/12/2024 10:21:44 AM",
            "1723458104",
            "1723458104.25",
            "1723458104123",
        ] {
            let year = if shape.starts_with("2025") {
                365 * 86_400
            } else {
                0
            };
            assert_eq!(of_text(shape), Some(NOON + year), "{shape}");
        }
        for number in [
            NOON,
            NOON * 1_000 + 1,
            NOON * 1_000_000 + 1,
            NOON * 1_000_000_000 + 1,
        ] {
            assert_eq!(of_integer(number), Some(NOON), "{number}");
        }
        assert_eq!(of_real(1_723_458_104.9), Some(NOON));
        assert_eq!(of_real(2_460_534.931_759_259), Some(NOON));
        assert_eq!(of_text("2460534.931759259"), Some(NOON));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for nonsense in [
            "",
            "yesterday",
            "2024-13-40T99:00:00",
            "2024-08-12",
            "1.2.3.4",
            "-5",
        ] {
            assert_eq!(of_text(nonsense), None, "{nonsense}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in any::<String>(), near in "[0-9/:T.,+ AMPZ-]{0,40}") {
            let _ = (of_text(&text), of_text(&near));
        }
    }
}
