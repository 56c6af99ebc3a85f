//! Interprets words in inventories: states, criticality, operating systems.

use crate::grounding::csv_table::{plain_name, plain_words};

/// Whether a text contains one of the words. A number at the end of a word is ignored.
pub(super) fn has(text: &str, list: &[String]) -> bool {
    plain_words(text).any(|word| {
        let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
        list.iter().any(|known| known == word)
    })
}

/// Placeholders that tools write for empty values.
pub(super) fn is_placeholder(text: &str) -> bool {
    let plain = text.trim().to_lowercase();
    [
        "-",
        "--",
        "n/a",
        "na",
        "null",
        "(null)",
        "none",
        "(none)",
        "(empty)",
        "unknown",
        "undefined",
        "?",
    ]
    .contains(&plain.as_str())
}

/// Whether a state means that the host is no longer in use. ServiceNow's numbers are recognised only
/// under ServiceNow's headings.
pub(super) fn is_retired(heading: &str, cell: &str, retired: &[String]) -> bool {
    let number = match plain_name(heading).as_str() {
        "operationalstatus" => Some("6"),
        "installstatus" => Some("7"),
        _ => None,
    };
    number == Some(cell.trim()) || has(cell, retired)
}

/// One of the four criticality words, if the inventory means one; else its own word in lower case.
pub(super) fn criticality(heading: &str, cell: &str) -> String {
    let lower = cell.to_lowercase();
    let (number, word) = match lower.split_once(" - ") {
        Some((number, word)) if number.trim().parse::<u8>().is_ok() => {
            (Some(number.trim()), word.trim())
        }
        _ => (None, lower.trim()),
    };
    let known = match word {
        "low" | "minor" | "minimal" | "very low" | "not critical" | "niedrig" | "gering"
        | "faible" | "informational" => "low",
        "medium" | "moderate" | "normal" | "standard" | "less critical" | "mittel" | "moyen"
        | "moyenne" => "medium",
        "high" | "important" | "major" | "somewhat critical" | "hoch" | "haute" | "eleve"
        | "élevé" | "élevée" => "high",
        "critical" | "very high" | "mission critical" | "mission-critical"
        | "business critical" | "business-critical" | "most critical" | "kritisch"
        | "sehr hoch" | "critique" => "critical",
        _ => "",
    };
    if !known.is_empty() {
        return known.to_string();
    }
    // Only under these headings is it known which number is the worst.
    let counts_down = ["businesscriticality", "priority"].contains(&plain_name(heading).as_str());
    let digit = number.unwrap_or(word);
    let digit = digit.strip_prefix('p').unwrap_or(digit);
    match digit {
        "1" if counts_down => "critical".to_string(),
        "2" if counts_down => "high".to_string(),
        "3" if counts_down => "medium".to_string(),
        "4" | "5" if counts_down => "low".to_string(),
        _ => lower,
    }
}

/// The operating system, with the version added if the name has none.
pub(super) fn system(name: Option<String>, version: Option<String>) -> Option<String> {
    let said = |text: &String| !is_placeholder(text);
    match (name.filter(said), version.filter(said)) {
        (Some(name), Some(version)) if has_no_release(&name) => {
            match version.to_lowercase().starts_with(&name.to_lowercase()) {
                true => Some(version),
                false => Some(format!("{name} {version}")),
            }
        }
        (name, version) => name.or(version),
    }
}

/// Whether a system's name has no number that is a release.
fn has_no_release(name: &str) -> bool {
    let is_width = |word: &str| {
        matches!(
            word,
            "64" | "32" | "x64" | "x86" | "64bit" | "32bit" | "amd64" | "arm64" | "86"
        )
    };
    plain_words(name)
        .all(|word| is_width(&word) || !word.chars().any(|letter| letter.is_ascii_digit()))
}

/// Whether a host has a NetBIOS name: decided by its system, or by its kind if the system is unknown.
pub(super) fn is_windows(os: Option<&str>, kind: &str, devices: &[String]) -> bool {
    let Some(os) = os else {
        return !has(kind, devices);
    };
    let is_word = |word: String| {
        let letters = word.trim_end_matches(|c: char| c.is_ascii_digit());
        matches!(letters, "windows" | "win" | "microsoft" | "w")
            || letters.starts_with("windows")
            || word.starts_with("w2k")
    };
    plain_words(os).any(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_joined_where_the_name_has_none() {
        for (name, version, both) in [
            ("Windows", "10.0.19045", "Windows 10.0.19045"),
            (
                "Windows 10 Enterprise",
                "10.0.19045",
                "Windows 10 Enterprise",
            ),
            ("Linux Red Hat", "8.6", "Linux Red Hat 8.6"),
            ("Windows x64", "10.0.19045", "Windows x64 10.0.19045"),
            ("Ubuntu", "Ubuntu 22.04", "Ubuntu 22.04"),
            ("unknown", "Windows 11", "Windows 11"),
        ] {
            let joined = system(Some(name.to_string()), Some(version.to_string()));
            assert_eq!(joined.as_deref(), Some(both));
        }
        assert_eq!(system(Some("N/A".to_string()), None), None);
    }

    #[test]
    fn numbers_are_criticality_only_where_the_heading_tells_their_order() {
        for (heading, cell, word) in [
            ("business_criticality", "1 - most critical", "critical"),
            ("business_criticality", "2 - somewhat critical", "high"),
            ("business_criticality", "3 - less critical", "medium"),
            ("business_criticality", "4 - not critical", "low"),
            ("Business criticality", "1", "critical"),
            ("priority", "P2", "high"),
            ("criticality", "1", "1"),
            ("criticality", "Moderate", "medium"),
            ("criticality", "Crown Jewel", "crown jewel"),
        ] {
            assert_eq!(criticality(heading, cell), word, "{heading} {cell}");
        }
    }

    #[test]
    fn states_of_hosts_in_use_are_not_retired() {
        let retired = ["retired".to_string(), "disposed".to_string()];
        for (heading, cell, expected) in [
            ("install_status", "Retired", true),
            ("install_status", "7", true),
            ("operational_status", "6", true),
            ("operational_status", "1", false),
            ("status", "7", false),
            ("Status", "In use", false),
            ("Status", "Disposed (2024)", true),
        ] {
            assert_eq!(
                is_retired(heading, cell, &retired),
                expected,
                "{heading} {cell}"
            );
        }
    }

    #[test]
    fn windows_is_told_by_the_system_then_by_the_kind() {
        let devices = ["switch".to_string()];
        assert!(is_windows(Some("Win 2019"), "", &devices));
        assert!(is_windows(Some("W2K16"), "", &devices));
        assert!(is_windows(None, "Laptop", &devices));
        assert!(!is_windows(None, "IP Switch", &devices));
        assert!(!is_windows(Some("Darwin 23"), "", &devices));
        assert!(!is_windows(Some("Linux Debian"), "Workstation", &devices));
    }
}
