//! Category names as directory names.
//!
//! A category becomes part of a path, a partition value and a field, so it must be
//! safe in all three for any database. The raw name is kept elsewhere.

use std::collections::{BTreeMap, BTreeSet};

/// Maximum length of a slug in bytes.
pub const SLUG_LIMIT: usize = 64;

/// The slug of a missing category.
pub const UNCATEGORIZED: &str = "uncategorized";

/// Number of hexadecimal digits of a short hash.
const HASH_DIGITS: usize = 8;

/// The slug of a category: `[a-z][a-z0-9_]*`, at most [`SLUG_LIMIT`] bytes.
///
/// The name is in lower case, and every run of other characters becomes one `_`. A missing category is
/// [`UNCATEGORIZED`]. A blank name is `c_empty`. A name without an ASCII letter or digit is `c_` and a
/// hash. A name that begins with a digit gets the prefix `c_`. A name that is too long is cut, with a
/// hash of the full name at the end.
///
/// ```
/// use fusiongen::grounding::profile::slug;
/// assert_eq!(slug(Some("Web Application Attack")), "web_application_attack");
/// assert_eq!(slug(Some("../../etc/passwd")), "etc_passwd");
/// assert_eq!(slug(Some("404 scan")), "c_404_scan");
/// assert_eq!(slug(None), "uncategorized");
/// ```
pub fn slug(raw: Option<&str>) -> String {
    let Some(raw) = raw else {
        return UNCATEGORIZED.to_string();
    };
    let mut text = String::with_capacity(raw.len().min(SLUG_LIMIT) + 2);
    for character in raw.chars() {
        if character.is_ascii_alphanumeric() {
            text.push(character.to_ascii_lowercase());
        } else if !text.is_empty() && !text.ends_with('_') {
            text.push('_');
        }
    }
    text.truncate(text.trim_end_matches('_').len());
    if text.is_empty() {
        return match raw.trim() {
            "" => "c_empty".to_string(),
            _ => format!("c_{}", hash(raw, HASH_DIGITS)),
        };
    }
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        text.insert_str(0, "c_");
    }
    if text.len() > SLUG_LIMIT {
        text = with_hash(&text, raw, HASH_DIGITS);
    }
    text
}

/// The slugs of several categories, in their order: equal names get equal slugs, and
/// different names get different ones.
///
/// If several names have the same slug, the name that equals its slug (or the missing category, for
/// [`UNCATEGORIZED`]) keeps it, and each other one gets a hash of its raw name. The result
/// depends on the *set* of names, not on their order.
///
/// ```
/// use fusiongen::grounding::profile::slugs;
/// let names = slugs(&[Some("dga_dns"), Some("DGA DNS"), Some("dga_dns")]);
/// assert_eq!(names[0], "dga_dns");
/// assert!(names[1].starts_with("dga_dns_"));
/// assert_eq!(names[2], names[0]);
/// ```
pub fn slugs(raws: &[Option<&str>]) -> Vec<String> {
    let distinct: BTreeSet<Option<&str>> = raws.iter().copied().collect();
    let mut groups: BTreeMap<String, Vec<Option<&str>>> = BTreeMap::new();
    for &raw in &distinct {
        groups.entry(slug(raw)).or_default().push(raw);
    }
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut chosen: BTreeMap<Option<&str>, String> = BTreeMap::new();
    let mut clashing = Vec::new();
    // Plain slugs first: a hashed one must never equal the plain slug of another name.
    for (plain, members) in groups {
        let owner = match members.as_slice() {
            [only] => Some(*only),
            _ if members.contains(&None) => Some(None),
            _ => members
                .iter()
                .copied()
                .find(|raw| *raw == Some(plain.as_str())),
        };
        if let Some(owner) = owner {
            chosen.insert(owner, plain.clone());
        }
        clashing.extend(
            members
                .iter()
                .filter(|raw| Some(**raw) != owner)
                .map(|raw| (plain.clone(), *raw)),
        );
        // Reserve it even if no name equals it, so that every member's slug has a hash.
        taken.insert(plain);
    }
    for (plain, raw) in clashing {
        let text = raw.unwrap_or_default();
        let free = (HASH_DIGITS..=32)
            .step_by(HASH_DIGITS)
            .map(|digits| with_hash(&plain, text, digits))
            .find(|candidate| !taken.contains(candidate))
            .unwrap_or_else(|| with_hash(&plain, text, 60));
        taken.insert(free.clone());
        chosen.insert(raw, free);
    }
    raws.iter().map(|raw| chosen[raw].clone()).collect()
}

/// `text_hash`, with `text` cut so that the result fits.
fn with_hash(text: &str, raw: &str, digits: usize) -> String {
    let room = SLUG_LIMIT - digits - 1;
    let head = text[..text.len().min(room)].trim_end_matches('_');
    format!("{head}_{}", hash(raw, digits))
}

fn hash(raw: &str, digits: usize) -> String {
    let mut hex = blake3::hash(raw.as_bytes()).to_hex().to_string();
    hex.truncate(digits);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn harmless(text: &str) -> bool {
        text.len() <= SLUG_LIMIT
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    }

    #[test]
    fn names_read_as_expected() {
        let cases = [
            (
                "A Network Trojan was detected",
                "a_network_trojan_was_detected",
            ),
            ("psexec_lateral", "psexec_lateral"),
            ("../../etc/passwd", "etc_passwd"),
            ("", "c_empty"),
            ("  \t", "c_empty"),
            ("4xx errors", "c_4xx_errors"),
            ("__init__", "init"),
            ("date=2024-01-01/category=x", "date_2024_01_01_category_x"),
        ];
        for (raw, expected) in cases {
            assert_eq!(slug(Some(raw)), expected, "{raw:?}");
        }
        assert_eq!(slug(None), UNCATEGORIZED);
        assert!(harmless(&slug(Some("日本語"))));
        assert_ne!(slug(Some("日本語")), slug(Some("한국어")));
    }

    #[test]
    fn long_names_stay_apart() {
        let one = slug(Some(&"x".repeat(500)));
        let two = slug(Some(&"x".repeat(501)));
        assert_eq!(one.len(), SLUG_LIMIT);
        assert_ne!(one, two);
    }

    #[test]
    fn no_category_keeps_its_slug_from_a_namesake() {
        let names = slugs(&[Some("Uncategorized"), None, Some("uncategorized")]);
        assert_eq!(names[1], UNCATEGORIZED);
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 3);
    }

    #[test]
    fn a_name_that_looks_like_anothers_hashed_slug_keeps_its_own() {
        let hashed = slugs(&[Some("dga dns"), Some("dga_dns")])[0].clone();
        let names = slugs(&[Some("dga dns"), Some("dga_dns"), Some(&hashed)]);
        assert_eq!(names[2], hashed);
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 3);
    }

    proptest! {
        #[test]
        fn every_name_is_harmless(raw in any::<Option<String>>()) {
            prop_assert!(harmless(&slug(raw.as_deref())));
        }

        #[test]
        fn a_slug_is_its_own_slug(raw in any::<String>()) {
            let once = slug(Some(&raw));
            prop_assert_eq!(slug(Some(&once)), once);
        }

        #[test]
        fn different_names_get_different_slugs(
            raws in prop::collection::vec(prop::option::of("[aA_ 1é./]{0,6}"), 0..40),
        ) {
            let borrowed: Vec<Option<&str>> = raws.iter().map(Option::as_deref).collect();
            let named = slugs(&borrowed);
            let mut backwards = borrowed.clone();
            backwards.reverse();
            let mut again = slugs(&backwards);
            again.reverse();
            prop_assert_eq!(&named, &again);
            for (first, first_slug) in borrowed.iter().zip(&named) {
                prop_assert!(harmless(first_slug));
                for (second, second_slug) in borrowed.iter().zip(&named) {
                    prop_assert_eq!(first == second, first_slug == second_slug);
                }
            }
        }
    }
}
