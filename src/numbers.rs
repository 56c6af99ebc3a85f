//! Formatting of numbers.

/// `12,345,678`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 day`, `1,234 days`.
pub fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// `12.3 MiB`.
#[cfg(feature = "report")]
pub fn sized(bytes: u64) -> String {
    let mib = bytes as f64 / 1_048_576.0;
    if mib >= 1024.0 {
        format!("{:.2} GiB", mib / 1024.0)
    } else {
        format!("{mib:.1} MiB")
    }
}

/// Writes decimal digits at the end of `buffer`, which has room for any number, and returns them.
#[inline]
pub fn decimal(number: u64, buffer: &mut [u8; 20]) -> &[u8] {
    let (mut at, mut rest) = (buffer.len(), number);
    loop {
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            return &buffer[at..];
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_are_grouped() {
        assert_eq!(super::grouped(0), "0");
        assert_eq!(super::grouped(999), "999");
        assert_eq!(super::grouped(1_000), "1,000");
        assert_eq!(super::grouped(12_345_678), "12,345,678");
        assert_eq!(super::counted(1, "day"), "1 day");
        assert_eq!(super::counted(0, "host"), "0 hosts");
    }

    #[test]
    fn decimal_digits_are_those_of_display() {
        for number in [0, 9, 10, 65_535, 1_000_000_007, u64::MAX] {
            let mut buffer = [0; 20];
            assert_eq!(
                super::decimal(number, &mut buffer),
                number.to_string().as_bytes()
            );
        }
    }
}
