//! Infers the severity scale of a table from its columns and values.
//!
//! A number alone is ambiguous: 1 is the worst for Suricata and the least for others. So a scale
//! is chosen only if the columns or the values suggest it, and the user sees the reason for every
//! guess. This module reads no table.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// A severity word, from the least to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Word {
    Informational,
    Low,
    Medium,
    High,
    Critical,
}

const WORDS: [Word; 5] = [
    Word::Informational,
    Word::Low,
    Word::Medium,
    Word::High,
    Word::Critical,
];

impl Word {
    /// The spelling in events.
    pub fn name(self) -> &'static str {
        match self {
            Word::Informational => "informational",
            Word::Low => "low",
            Word::Medium => "medium",
            Word::High => "high",
            Word::Critical => "critical",
        }
    }

    /// The word for a tool's own word, in any case.
    pub(super) fn parse(text: &str) -> Option<Word> {
        let plain: String = text
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(32)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        Some(match plain.as_str() {
            "critical" | "crit" | "severe" | "emergency" | "emerg" | "fatal" | "veryhigh"
            | "urgent" | "p1" | "sev1" => Word::Critical,
            "high" | "major" | "error" | "err" | "alert" | "important" | "p2" | "sev2" => {
                Word::High
            }
            "medium" | "med" | "moderate" | "warning" | "warn" | "p3" | "sev3" => Word::Medium,
            "low" | "minor" | "notice" | "p4" | "sev4" => Word::Low,
            "informational" | "info" | "information" | "none" | "debug" | "verylow" | "p5"
            | "sev5" => Word::Informational,
            _ => return None,
        })
    }
}

/// One severity, as the table has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A number in tenths, because CVSS has one decimal.
    Tenths(i64),
    Word(Word),
}

/// Meaning of the number in [`Tuple::severity`](super::Tuple).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SeverityScale {
    /// Suricata and Snort: 1 high, 2 medium, 3 low, 4 informational (written `low`).
    Suricata,
    /// fusionai's: 1 low, 2 medium, 3 high, 4 critical.
    Fusionai,
    /// ntopng's levels: 1 debug, 2 info and 3 notice (written `low`), 4 warning (`medium`),
    /// 5 error (`high`), 6 critical, 7 alert and 8 emergency (`critical`).
    Ntopng,
    /// Wazuh's and OSSEC's levels, 0 to 16: 12 and more critical, 8 high, 4 medium, else low.
    Wazuh,
    /// 0 to 10, in tenths: 9 and more critical, 7 high, 4 medium, else low (CVSS 3's bands).
    Cvss,
    /// 0 to 100: 90 and more critical, 70 high, 40 medium, else low (Elastic's risk scores).
    Percent,
    /// OCSF's `severity_id`: 1 informational, 2 low, 3 medium, 4 high, 5 and 6 critical.
    Ocsf,
    /// The table has words: 0 informational, 1 low, 2 medium, 3 high, 4 critical.
    Words,
    /// Unknown: events have the number and no word.
    None,
}

/// Every scale, in the order of messages.
pub const SCALES: [SeverityScale; 9] = [
    SeverityScale::Suricata,
    SeverityScale::Fusionai,
    SeverityScale::Ntopng,
    SeverityScale::Wazuh,
    SeverityScale::Cvss,
    SeverityScale::Percent,
    SeverityScale::Ocsf,
    SeverityScale::Words,
    SeverityScale::None,
];

impl SeverityScale {
    /// Its name and the meaning of its numbers.
    pub fn description(self) -> &'static str {
        match self {
            SeverityScale::Suricata => "suricata (1 high, 2 medium, 3 low)",
            SeverityScale::Fusionai => "fusionai (1 low, 2 medium, 3 high, 4 critical)",
            SeverityScale::Ntopng => "ntopng (1 debug to 8 emergency)",
            SeverityScale::Wazuh => "wazuh (0 to 16: 4 medium, 8 high, 12 critical)",
            SeverityScale::Cvss => "cvss (0 to 10: 4 medium, 7 high, 9 critical)",
            SeverityScale::Percent => "percent (0 to 100: 40 medium, 70 high, 90 critical)",
            SeverityScale::Ocsf => "ocsf (1 informational to 5 critical)",
            SeverityScale::Words => "words (informational to critical)",
            SeverityScale::None => "none (numbers without a meaning)",
        }
    }

    /// Range of the scale's numbers, as a profile stores them.
    pub fn numbers(self) -> RangeInclusive<i64> {
        match self {
            SeverityScale::Suricata | SeverityScale::Fusionai => 1..=4,
            SeverityScale::Ntopng => 1..=8,
            SeverityScale::Wazuh => 0..=16,
            SeverityScale::Cvss | SeverityScale::Percent => 0..=100,
            SeverityScale::Ocsf => 0..=6,
            SeverityScale::Words => 0..=4,
            SeverityScale::None => i64::MIN..=i64::MAX,
        }
    }

    /// The number that a profile stores; `None` if the scale has no such severity.
    pub fn number(self, severity: Severity) -> Option<i64> {
        let word = match severity {
            Severity::Tenths(tenths) => {
                return match self {
                    SeverityScale::Cvss => Some(tenths),
                    SeverityScale::Words => None,
                    _ => (tenths % 10 == 0).then_some(tenths / 10),
                };
            }
            Severity::Word(word) => word,
        };
        let by_word: [i64; 5] = match self {
            SeverityScale::Suricata => [4, 3, 2, 1, 1],
            SeverityScale::Fusionai => [1, 1, 2, 3, 4],
            SeverityScale::Ntopng => [2, 3, 4, 5, 6],
            SeverityScale::Wazuh => [0, 3, 7, 10, 13],
            SeverityScale::Cvss | SeverityScale::Percent => [0, 20, 50, 80, 95],
            SeverityScale::Ocsf => [1, 2, 3, 4, 5],
            SeverityScale::Words => [0, 1, 2, 3, 4],
            SeverityScale::None => return None,
        };
        by_word.get(word as usize).copied()
    }

    /// The severity of a stored number: the inverse of [`SeverityScale::number`].
    pub fn severity(self, number: i64) -> Option<Severity> {
        match self {
            SeverityScale::Cvss => Some(Severity::Tenths(number)),
            SeverityScale::Words => usize::try_from(number)
                .ok()
                .and_then(|rank| WORDS.get(rank).copied())
                .map(Severity::Word),
            _ => number.checked_mul(10).map(Severity::Tenths),
        }
    }

    /// The value of `fusionai.severity`: the table's number or word.
    pub fn text(self, number: i64) -> String {
        match (self, self.severity(number)) {
            (_, Some(Severity::Word(word))) => word.name().to_string(),
            (SeverityScale::Cvss, Some(Severity::Tenths(tenths))) if tenths % 10 != 0 => {
                let sign = if tenths < 0 { "-" } else { "" };
                let tenths = tenths.unsigned_abs();
                format!("{sign}{}.{}", tenths / 10, tenths % 10)
            }
            (SeverityScale::Cvss, Some(Severity::Tenths(tenths))) => (tenths / 10).to_string(),
            _ => number.to_string(),
        }
    }

    /// The word in `event.severity`; `None` for a number that is not on the scale.
    pub fn word(self, number: i64) -> Option<Word> {
        if !self.numbers().contains(&number) {
            return None;
        }
        let banded = |medium, high, critical| match number {
            n if n >= critical => Word::Critical,
            n if n >= high => Word::High,
            n if n >= medium => Word::Medium,
            _ => Word::Low,
        };
        Some(match self {
            SeverityScale::Suricata => match number {
                1 => Word::High,
                2 => Word::Medium,
                _ => Word::Low,
            },
            SeverityScale::Fusionai => banded(2, 3, 4),
            SeverityScale::Ntopng => banded(4, 5, 6),
            SeverityScale::Wazuh => banded(4, 8, 12),
            SeverityScale::Cvss | SeverityScale::Percent => banded(40, 70, 90),
            SeverityScale::Ocsf => match number {
                0 => return None,
                1 => Word::Informational,
                _ => banded(3, 4, 5),
            },
            SeverityScale::Words => *WORDS.get(usize::try_from(number).ok()?)?,
            SeverityScale::None => return None,
        })
    }
}

/// Evidence of a table's columns for its scale, best first.
#[derive(Debug, Clone, Default)]
pub(super) struct Hints {
    /// The severity column.
    pub column: Option<String>,
    /// Scale and evidence: `the column signature_id is Suricata's`.
    pub scales: Vec<(SeverityScale, String)>,
}

/// The scale of a table, and the note for the user.
pub(super) fn choose(hints: &Hints, seen: &BTreeMap<Severity, u64>) -> (SeverityScale, String) {
    let numbers: Vec<(i64, u64)> = seen
        .iter()
        .filter_map(|(severity, &count)| match severity {
            Severity::Tenths(tenths) => Some((*tenths, count)),
            Severity::Word(_) => None,
        })
        .collect();
    let words: u64 = seen
        .iter()
        .filter(|(severity, _)| matches!(severity, Severity::Word(_)))
        .map(|(_, count)| count)
        .sum();
    let all: u64 = numbers.iter().map(|(_, count)| count).sum();
    let taken = |scale: SeverityScale, verb: &str, why: &str| {
        let sentence = format!(
            "severity: {verb} the scale {}: {why}; --severity-scale overrides it",
            scale.description()
        );
        (scale, sentence)
    };
    let (Some(&(least, _)), Some(&(most, _))) = (numbers.first(), numbers.last()) else {
        return match words {
            0 => (SeverityScale::Suricata, String::new()),
            _ => taken(SeverityScale::Words, "on", "the values are words"),
        };
    };
    let column = hints.column.as_deref().unwrap_or("severity");
    let outside = |scale: SeverityScale| -> u64 {
        let on = |tenths: i64| {
            scale
                .number(Severity::Tenths(tenths))
                .is_some_and(|number| scale.numbers().contains(&number))
        };
        numbers.iter().filter(|it| !on(it.0)).map(|it| it.1).sum()
    };
    if let Some((scale, why)) = hints.scales.iter().find(|(scale, _)| outside(*scale) == 0) {
        return taken(*scale, "on", why);
    }
    let shown = |tenths: i64| SeverityScale::Cvss.text(tenths);
    let range = format!(
        "the values of {column} run from {} to {}",
        shown(least),
        shown(most)
    );
    let has_fractions = numbers.iter().any(|(tenths, _)| tenths % 10 != 0);
    let guess = match most {
        _ if least < 0 => None,
        0..=100 if has_fractions => Some(SeverityScale::Cvss),
        90..=100 => Some(SeverityScale::Cvss),
        101..=160 if !has_fractions => Some(SeverityScale::Wazuh),
        161..=1000 if !has_fractions => Some(SeverityScale::Percent),
        _ => None,
    };
    // A few numbers off the scale do not outweigh the columns, unless another scale fits them all.
    let nearly = hints
        .scales
        .iter()
        .find(|(scale, _)| outside(*scale) * 100 <= all);
    match (nearly, guess) {
        (Some((scale, why)), None) => taken(*scale, "on", why),
        (_, Some(scale)) => taken(scale, "guessed to be on", &range),
        (None, None) => (
            SeverityScale::None,
            format!(
                "severity: {range}, and nothing says which end is the worst; events keep the \
                 number and have no severity word; give --severity-scale suricata if 1 is the \
                 worst, fusionai if 4 is"
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seen(values: &[i64]) -> BTreeMap<Severity, u64> {
        values
            .iter()
            .map(|&value| (Severity::Tenths(value * 10), 100))
            .collect()
    }

    fn hint(scale: SeverityScale) -> Hints {
        Hints {
            column: Some("level".to_string()),
            scales: vec![(scale, "a column is its own".to_string())],
        }
    }

    #[test]
    fn a_column_speaks_for_its_scale_where_the_values_fit() {
        let (scale, sentence) = choose(&hint(SeverityScale::Suricata), &seen(&[1, 2, 3]));
        assert_eq!(scale, SeverityScale::Suricata);
        assert!(
            sentence.contains("a column is its own") && sentence.contains("--severity-scale"),
            "{sentence}"
        );
    }

    #[test]
    fn values_outside_rule_a_scale_out() {
        let (scale, sentence) = choose(&hint(SeverityScale::Suricata), &seen(&[1, 3, 12, 15]));
        assert_eq!(scale, SeverityScale::Wazuh);
        assert!(sentence.contains("guessed") && sentence.contains("level run from 1 to 15"));
        let (scale, _) = choose(&Hints::default(), &seen(&[21, 47, 73, 99]));
        assert_eq!(scale, SeverityScale::Percent);
    }

    #[test]
    fn a_decimal_is_cvss_and_words_are_words() {
        let decimals = [(Severity::Tenths(75), 3), (Severity::Tenths(50), 1)];
        let (scale, _) = choose(&Hints::default(), &decimals.into());
        assert_eq!(scale, SeverityScale::Cvss);
        assert_eq!(scale.text(75), "7.5");
        assert_eq!(scale.text(50), "5");
        assert_eq!(scale.word(75), Some(Word::High));
        let words = [(Severity::Word(Word::High), 3)];
        assert_eq!(
            choose(&Hints::default(), &words.into()).0,
            SeverityScale::Words
        );
    }

    #[test]
    fn a_few_odd_numbers_do_not_outweigh_the_columns() {
        let mut odd = seen(&[1, 2, 3]);
        odd.insert(Severity::Tenths(2550), 1);
        assert_eq!(
            choose(&hint(SeverityScale::Suricata), &odd).0,
            SeverityScale::Suricata
        );
        assert_eq!(SeverityScale::Suricata.word(255), None);
    }

    #[test]
    fn where_nothing_speaks_there_is_no_word() {
        let (scale, sentence) = choose(&Hints::default(), &seen(&[1, 2, 3, 4]));
        assert_eq!(scale, SeverityScale::None);
        assert_eq!(scale.word(1), None);
        assert!(sentence.contains("give --severity-scale suricata"));
        // 1 to 5 and 1 to 8 may also run either way.
        assert_eq!(
            choose(&Hints::default(), &seen(&[1, 5])).0,
            SeverityScale::None
        );
    }

    #[test]
    fn bands_are_those_of_the_tools() {
        for (scale, number, word) in [
            (SeverityScale::Suricata, 1, Word::High),
            (SeverityScale::Suricata, 4, Word::Low),
            (SeverityScale::Fusionai, 4, Word::Critical),
            (SeverityScale::Ntopng, 5, Word::High),
            (SeverityScale::Wazuh, 3, Word::Low),
            (SeverityScale::Wazuh, 7, Word::Medium),
            (SeverityScale::Wazuh, 11, Word::High),
            (SeverityScale::Wazuh, 12, Word::Critical),
            (SeverityScale::Percent, 73, Word::High),
            (SeverityScale::Ocsf, 1, Word::Informational),
            (SeverityScale::Ocsf, 2, Word::Low),
            (SeverityScale::Ocsf, 4, Word::High),
            (SeverityScale::Ocsf, 6, Word::Critical),
            (SeverityScale::Words, 0, Word::Informational),
        ] {
            assert_eq!(scale.word(number), Some(word), "{scale:?} {number}");
        }
    }

    #[test]
    fn words_of_tools_are_known_in_any_case() {
        assert_eq!(Word::parse(" HIGH "), Some(Word::High));
        assert_eq!(Word::parse("Informational"), Some(Word::Informational));
        assert_eq!(Word::parse("Very-High"), Some(Word::Critical));
        assert_eq!(Word::parse("7"), None);
    }

    proptest! {
        #[test]
        fn a_stored_number_is_read_back(tenths in -1_000_000i64..1_000_000, rank in 0usize..5) {
            for scale in SCALES {
                for severity in [Severity::Tenths(tenths), Severity::Word(WORDS[rank])] {
                    let Some(number) = scale.number(severity) else { continue };
                    let again = scale.severity(number).and_then(|it| scale.number(it));
                    prop_assert_eq!(again, Some(number));
                }
            }
        }
    }
}
