//! Counts and offsets as people write them.

use super::ratio::parts_per_million;

/// Parses a time-zone offset, given as hours like `2`, `-5`, `5.5` or as `+05:30`, to seconds.
///
/// # Errors
/// Not an offset, not a multiple of a quarter of an hour, or more than 14 hours.
pub fn parse_offset(text: &str) -> std::result::Result<i64, String> {
    let wrong = || format!("'{text}' is not an offset from UTC of at most 14 hours");
    let (sign, rest) = match text.trim() {
        t if t.starts_with('-') => (-1, &t[1..]),
        t => (1, t.strip_prefix('+').unwrap_or(t)),
    };
    let seconds = match rest.split_once(':') {
        Some((hours, minutes)) => {
            let number = |t: &str| match t.bytes().all(|b| b.is_ascii_digit()) {
                true => t.parse::<i64>().ok().filter(|n| *n < 60),
                false => None,
            };
            number(hours).ok_or_else(wrong)? * 3600 + number(minutes).ok_or_else(wrong)? * 60
        }
        None => {
            let millionths = parts_per_million(rest).map_err(|_| wrong())?;
            i64::try_from(millionths * 3600 / 1_000_000).map_err(|_| wrong())?
        }
    };
    if seconds > 14 * 3600 || seconds % 900 != 0 {
        return Err(wrong());
    }
    Ok(sign * seconds)
}

/// Parses a count like `10k`, `5M`, `1.5B`, `1_000`, `1e6`.
///
/// # Errors
/// Not a whole number of events.
pub fn parse_count(text: &str) -> std::result::Result<u64, String> {
    let clean: String = text
        .trim()
        .chars()
        .filter(|c| *c != '_' && *c != ',')
        .collect();
    let wrong = || format!("'{text}' is not a number such as 250000, 10k, 5M or 1B");
    let (number, scale) = match (clean.chars().last(), clean.split_once(['e', 'E'])) {
        (Some('k' | 'K'), _) => (&clean[..clean.len() - 1], 1_000u64),
        (Some('m' | 'M'), _) => (&clean[..clean.len() - 1], 1_000_000),
        (Some('b' | 'B' | 'g' | 'G'), _) => (&clean[..clean.len() - 1], 1_000_000_000),
        (_, Some((number, exponent))) => {
            let exponent = exponent.strip_prefix('+').unwrap_or(exponent).parse();
            let scale = exponent
                .ok()
                .and_then(|exponent| 10u64.checked_pow(exponent));
            (number, scale.ok_or_else(wrong)?)
        }
        _ => (clean.as_str(), 1),
    };
    if scale == 1 {
        return number.parse().map_err(|_| wrong());
    }
    // Only six digits fit after the point.
    let lost = number
        .split_once('.')
        .is_some_and(|(_, f)| f.trim_end_matches('0').len() > 6);
    let millionths = parts_per_million(number).map_err(|_| wrong())?;
    if lost {
        return Err(wrong());
    }
    let events = u128::from(millionths) * u128::from(scale);
    if !events.is_multiple_of(1_000_000) {
        return Err(wrong());
    }
    u64::try_from(events / 1_000_000).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_hours_or_clock_times() {
        assert_eq!(parse_offset("2"), Ok(7200));
        assert_eq!(parse_offset("-5"), Ok(-18_000));
        assert_eq!(parse_offset("+05:30"), Ok(19_800));
        assert_eq!(parse_offset("5.75"), Ok(20_700));
        assert_eq!(parse_offset("-03:30"), Ok(-12_600));
        for bad in [
            "",
            "UTC",
            "15",
            "--2",
            "5:3x",
            "0.1",
            "1e1",
            "-",
            "99999999999",
        ] {
            assert!(parse_offset(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn counts_take_suffixes() {
        assert_eq!(parse_count("10k"), Ok(10_000));
        assert_eq!(parse_count("1.5M"), Ok(1_500_000));
        assert_eq!(parse_count("1B"), Ok(1_000_000_000));
        assert_eq!(parse_count("1_000"), Ok(1000));
        for (text, count) in [("1e6", 1_000_000), ("2.5E+8", 250_000_000), ("3e0", 3)] {
            assert_eq!(parse_count(text), Ok(count));
        }
        for bad in [
            "",
            "k",
            "-1",
            "1.0000001k",
            "ten",
            "1e",
            "e6",
            "1e-3",
            "1e99",
            "1e6k",
            "99999999999B",
        ] {
            assert!(parse_count(bad).is_err(), "{bad}");
        }
    }
}
