//! Shares and densities: exact decimals, without floating point.

use serde::{Deserialize, Serialize};

/// A share or a density in millionths; written as the shortest decimal: `0.15`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Ratio(u64);

impl Ratio {
    /// A ratio of `millionths`.
    pub const fn from_millionths(millionths: u64) -> Self {
        Ratio(millionths)
    }

    /// In millionths.
    pub const fn millionths(self) -> u64 {
        self.0
    }
}

impl std::fmt::Display for Ratio {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&decimal(self.0))
    }
}

impl std::str::FromStr for Ratio {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parts_per_million(text).map(Ratio)
    }
}

impl From<Ratio> for String {
    fn from(ratio: Ratio) -> String {
        ratio.to_string()
    }
}

impl TryFrom<String> for Ratio {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// Parses a decimal like `0.15` to parts per million, without floating point.
///
/// # Errors
/// Not a plain, non-negative decimal; NaN, signs and exponents are refused.
pub fn parts_per_million(text: &str) -> std::result::Result<u64, String> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole)
        || !digits(fraction)
        || (whole.is_empty() && fraction.is_empty())
        || whole.len() > 9
    {
        return Err(format!(
            "'{text}' is not a non-negative number such as 0.15"
        ));
    }
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().map_err(|_| "too large")?
    };
    let mut millionths = 0;
    for i in 0..6 {
        let digit = fraction
            .as_bytes()
            .get(i)
            .map_or(0, |b| u64::from(b - b'0'));
        millionths = millionths * 10 + digit;
    }
    Ok(whole * 1_000_000 + millionths)
}

/// Formats millionths as the shortest decimal: `0.15`, `2`.
pub fn decimal(millionths: u64) -> String {
    let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        assert_eq!(parts_per_million("0.15"), Ok(150_000));
        assert_eq!(parts_per_million("1"), Ok(1_000_000));
        assert_eq!(parts_per_million(".000001"), Ok(1));
        for bad in ["NaN", "-0.1", "1e3", "", ".", "inf", "0.1.2", "+1"] {
            assert!(parts_per_million(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn decimals_come_back_shortest() {
        for (text, shortest) in [("0.20", "0.2"), ("1", "1"), ("0", "0"), ("2.5000", "2.5")] {
            assert_eq!(parts_per_million(text).map(decimal), Ok(shortest.into()));
        }
    }

    #[test]
    fn ratios_are_written_as_decimals() {
        let ratio: Ratio = "0.20".parse().unwrap();
        assert_eq!(serde_json::to_string(&ratio).unwrap(), "\"0.2\"");
        assert_eq!(serde_json::from_str::<Ratio>("\"0.2\"").unwrap(), ratio);
        assert!(serde_json::from_str::<Ratio>("\"-1\"").is_err());
    }
}
