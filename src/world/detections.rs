//! Detections: every rule that can fire, with its category, severity and ATT&CK.
//!
//! Rules of the profile's tuples and of the catalog share one table, so that a
//! row identifies its rule with one number. Categories of both become the corpus's
//! partition categories, by slug.

use super::starts::Starts;
use crate::catalog::{Catalog, Heuristic, Platform, Record, Telemetry};
use crate::grounding::Profile;
use crate::grounding::profile::{SeverityScale, slugs};
use crate::grounding::protocol::is_portless;
use crate::grounding::severity::Word;
use crate::ids::RuleId;

/// One rule.
#[derive(Debug, Clone)]
pub struct Detection {
    pub name: String,
    /// `rule.id`.
    pub id: Option<String>,
    /// The category as its source spells it.
    pub raw_category: Option<String>,
    /// Index into [`Detections::categories`].
    pub category: u32,
    /// The source's number or word, as text.
    pub severity: Option<String>,
    /// `low`, `medium`, `high`, `critical`; `None` if the severity scale is unknown.
    pub severity_word: Option<&'static str>,
    /// Index into `Catalog::techniques`, and the tactic's index in it.
    pub technique: Option<(usize, usize)>,
    /// The endpoint's platform, if the rule implies one.
    pub platform: Option<Platform>,
    /// Index into `Catalog::heuristics`: the endpoint records that such an alert can be based on.
    pub endpoint: Option<usize>,
}

/// Weight of an alert, divided among the records that it can be based on.
const WHOLE: u64 = 2520;
/// Number of alerts above which a profile's counts are scaled down, so that sums of weights do not overflow.
const MOST_ALERTS: u64 = 1 << 51;

impl Detection {
    /// Whether an alert of this rule can be based on a record. A cloud or service record fits any rule.
    pub fn fits(&self, record: &Record) -> bool {
        fits(self.platform, record)
    }

    /// Weight of the rule's alerts per fitting record; the full weight if no record fits.
    /// `alerts` is one of [`counts`].
    pub fn part(&self, records: &[Record], alerts: u64) -> u64 {
        let fitting = records.iter().filter(|r| self.fits(r)).count() as u64;
        alerts * (WHOLE / fitting.max(1))
    }
}

/// The number of alerts of each tuple of a profile, scaled down proportionally if there are very many.
pub fn counts(profile: &Profile) -> Vec<u64> {
    let counts = profile.tuples.iter().map(|tuple| tuple.count);
    let unit = counts.clone().sum::<u64>() / MOST_ALERTS + 1;
    counts.map(|count| count.div_ceil(unit)).collect()
}

fn fits(platform: Option<Platform>, record: &Record) -> bool {
    let of_record = record.telemetry.platform();
    platform.is_none() || of_record.is_none() || of_record == platform
}

/// Whether a record is a process start whose end is recorded too.
pub fn is_start(record: &Record) -> bool {
    record.telemetry == Telemetry::ProcessCreation
}

/// All rules: the profile's tuples first, then the catalog's signatures, category by category.
#[derive(Debug)]
pub struct Detections {
    pub all: Vec<Detection>,
    /// Slugs of all categories, sorted.
    pub categories: Vec<String>,
    /// By category: the standalone alerts that are process starts.
    pub starts: Vec<Option<Starts>>,
    /// Corpus category by catalog category.
    catalog_category: Vec<u32>,
    /// The first signature, by catalog category.
    catalog_first: Vec<RuleId>,
    /// Number of alerts without a technique by raw category; for `fusiongen profile`.
    pub unmapped: Vec<(String, u64)>,
}

fn word(scale: SeverityScale, severity: Option<i64>) -> Option<&'static str> {
    severity
        .and_then(|number| scale.word(number))
        .map(Word::name)
}

fn seed_word(severity: u8) -> Option<&'static str> {
    word(SeverityScale::Fusionai, Some(i64::from(severity)))
}

/// Whether a keyword occurs as a whole word in lower-case text.
fn mentions(text: &str, keyword: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '$' | '_' | '.' | '-');
    text.match_indices(keyword).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        !before.is_some_and(inside) && !after.is_some_and(inside)
    })
}

/// The set of bytes in a text, as a bit mask over their low six bits.
fn letters(text: &str) -> u64 {
    text.bytes().fold(0, |all, byte| all | 1 << (byte & 63))
}

/// Lower-case text to search for keywords.
struct Searchable {
    text: String,
    /// The text with `_`, `-` and the like, which category names use, replaced by blanks to separate words.
    words: String,
    /// [`letters`] of both. Few keywords have only these letters, and this test is cheaper than a search.
    letters: u64,
}

impl Searchable {
    fn new(text: &str) -> Self {
        let text = text.to_lowercase();
        let words = text.replace(['_', '/', ':', '-'], " ");
        Searchable {
            letters: letters(&text) | letters(&words),
            text,
            words,
        }
    }

    fn mentions(&self, keyword: &str) -> bool {
        letters(keyword) & !self.letters == 0
            && (mentions(&self.text, keyword) || mentions(&self.words, keyword))
    }
}

fn matches(heuristic: &Heuristic, signature: &Searchable, category: &Searchable) -> bool {
    let text = match heuristic.in_signature {
        true => signature,
        false => category,
    };
    heuristic.keywords.iter().any(|k| text.mentions(k))
}

impl std::ops::Index<RuleId> for Detections {
    type Output = Detection;
    #[inline]
    fn index(&self, rule: RuleId) -> &Detection {
        &self.all[rule.index()]
    }
}

impl Detections {
    /// Builds the table for a catalog and a profile.
    pub fn new(catalog: &Catalog, profile: &Profile) -> Self {
        let raws: Vec<Option<&str>> = profile
            .tuples
            .iter()
            .map(|t| t.category.as_deref())
            .collect();
        let tuple_slugs = slugs(&raws);
        let mut categories: Vec<String> = tuple_slugs.clone();
        categories.extend(catalog.categories.iter().map(|c| c.name.clone()));
        categories.sort();
        categories.dedup();
        let index = |slug: &str| {
            categories
                .binary_search_by(|c| c.as_str().cmp(slug))
                .unwrap_or(0) as u32
        };
        let catalog_category: Vec<u32> =
            catalog.categories.iter().map(|c| index(&c.name)).collect();
        let mut all = Vec::new();
        let mut unmapped: Vec<(String, u64)> = Vec::new();
        for (tuple, slug) in profile.tuples.iter().zip(&tuple_slugs) {
            let signature = Searchable::new(&tuple.signature);
            let raw = tuple.category.clone().unwrap_or_default();
            let category = Searchable::new(&raw);
            let by_keyword = |in_signature: bool| {
                catalog
                    .heuristics
                    .iter()
                    .filter(move |h| h.in_signature == in_signature)
                    .find(|h| h.technique.is_some() && matches(h, &signature, &category))
                    .and_then(|h| h.technique.map(|t| (t, h.tactic)))
            };
            let own = || {
                tuple.techniques.iter().find_map(|id| {
                    catalog
                        .techniques
                        .iter()
                        .position(|t| t.id == *id)
                        .map(|t| (t, 0))
                })
            };
            let by_category = || {
                catalog
                    .categories
                    .iter()
                    .find(|c| {
                        c.name == *slug || c.classtypes.iter().any(|k| k.eq_ignore_ascii_case(&raw))
                    })
                    .and_then(|c| c.technique.map(|t| (t, c.tactic)))
            };
            let technique = own()
                .or_else(|| by_keyword(true))
                .or_else(by_category)
                .or_else(|| by_keyword(false));
            if technique.is_none() {
                let name = tuple.category.clone().unwrap_or_else(|| "(none)".into());
                match unmapped.iter_mut().find(|(n, _)| *n == name) {
                    Some(entry) => entry.1 += tuple.count,
                    None => unmapped.push((name, tuple.count)),
                }
            }
            // A technique that exists on one platform only implies that platform.
            let technique_platform = technique.and_then(|(t, _)| {
                let on = |name: &str| catalog.techniques[t].platforms.iter().any(|p| p == name);
                match (on("PRE"), on("Windows"), on("Linux")) {
                    (false, true, false) => Some(Platform::Windows),
                    (false, false, true) => Some(Platform::Linux),
                    _ => None,
                }
            });
            let application = tuple.application.as_deref().unwrap_or("");
            let platform = match (application, tuple.service_port) {
                _ if technique_platform.is_some() => technique_platform,
                ("smb" | "dcerpc" | "rdp" | "krb5" | "nbss", _) => Some(Platform::Windows),
                (_, Some(135 | 137 | 138 | 139 | 445 | 3389 | 5985 | 5986)) => {
                    Some(Platform::Windows)
                }
                ("ssh" | "nfs", _) | (_, Some(22)) => Some(Platform::Linux),
                _ => catalog
                    .heuristics
                    .iter()
                    .find(|h| h.platform.is_some() && matches(h, &signature, &category))
                    .and_then(|h| h.platform),
            };
            // An endpoint detection has no service port and is based on the endpoint's own record. A rule
            // with an outside end describes a flow; otherwise that end would be lost.
            let is_outside = tuple.ends.external_internal
                + tuple.ends.internal_external
                + tuple.ends.external_external
                > 0;
            let endpoint = (tuple.service_port.is_none()
                && !is_outside
                && !tuple.spread_ports
                && !is_portless(&tuple.protocol))
            .then(|| {
                catalog.heuristics.iter().position(|h| {
                    h.records.iter().any(|r| fits(platform, r)) && matches(h, &signature, &category)
                })
            })
            .flatten();
            all.push(Detection {
                name: tuple.signature.clone(),
                id: tuple.signature_id.map(|id| id.to_string()),
                raw_category: tuple.category.clone(),
                category: index(slug),
                severity: tuple.severity.map(|s| profile.severity_scale.text(s)),
                severity_word: word(profile.severity_scale, tuple.severity),
                technique,
                platform,
                endpoint,
            });
        }
        let starts = starts(catalog, profile, &all, categories.len());
        let mut catalog_first = Vec::new();
        for (category, &slug) in catalog.categories.iter().zip(&catalog_category) {
            catalog_first.push(RuleId::new(all.len()));
            all.extend(category.signatures.iter().map(|s| Detection {
                name: s.name.clone(),
                id: Some(s.id.to_string()),
                raw_category: Some(category.name.clone()),
                category: slug,
                severity: Some(s.severity.to_string()),
                severity_word: seed_word(s.severity),
                technique: category.technique.map(|t| (t, category.tactic)),
                platform: None,
                endpoint: None,
            }));
        }
        unmapped.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Detections {
            all,
            categories,
            starts,
            catalog_category,
            catalog_first,
            unmapped,
        }
    }

    /// All rules, in their order.
    pub fn ids(&self) -> impl Iterator<Item = RuleId> + use<> {
        (0..self.all.len()).map(RuleId::new)
    }

    /// The corpus category of a catalog category.
    pub fn category(&self, catalog_category: usize) -> u32 {
        self.catalog_category[catalog_category]
    }

    /// The rule of a catalog signature.
    pub fn signature(&self, catalog_category: usize, signature: usize) -> RuleId {
        RuleId::new(self.catalog_first[catalog_category].index() + signature)
    }
}

/// The profile's alerts that are process starts, by category.
fn starts(
    catalog: &Catalog,
    profile: &Profile,
    tuples: &[Detection],
    categories: usize,
) -> Vec<Option<Starts>> {
    let mut sums = vec![(0u64, 0u64); categories];
    for (detection, count) in tuples.iter().zip(counts(profile)) {
        let (part, whole) = &mut sums[detection.category as usize];
        match detection.endpoint.map(|h| &catalog.heuristics[h].records) {
            None => *whole += count * WHOLE,
            Some(records) => {
                let one = detection.part(records, count);
                let fitting = records.iter().filter(|r| detection.fits(r));
                *whole += one * fitting.clone().count() as u64;
                *part += one * fitting.filter(|r| is_start(r)).count() as u64;
            }
        }
    }
    let mut number = 0;
    let with_number = sums.into_iter().map(|(part, whole)| {
        let starts = Starts::new(part, whole, number);
        number += usize::from(starts.is_some());
        starts
    });
    with_number.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_whole_words() {
        assert!(mentions(
            "et malware possible powershell empire",
            "powershell"
        ));
        assert!(!mentions("et info capture of packets", "apt"));
        assert!(Searchable::new("ssh_bruteforce").mentions("ssh"));
        assert!(mentions("access to admin$ share", "admin$"));
    }
}
