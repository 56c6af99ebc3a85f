//! Standalone alerts against the profile that they were drawn from.
//!
//! The corpus keeps that profile (`profile.json`), so input and output can be compared: rule,
//! category and severity together, the word of a severity, and whether the ends of flows are
//! inside or outside.

use std::collections::HashMap;
use std::net::IpAddr;

use super::audits::{Audit as A, Tallies, shown};
use super::facts::Facts;
use super::fields::{EventRow, Field as F};
use crate::grounding::address::{AddressKind, kind};
use crate::grounding::{Ends, Profile, SeverityScale};

/// Number of alerts from which nearly as many rule names as alerts means that they are not rules.
const ENOUGH: u64 = 1_000;

/// Whether a flow's ends are inside or outside. In a corpus, one of two public ends becomes inside.
const PLACES: [&str; 4] = [
    "inside to inside, or no flow",
    "inside to outside",
    "outside to inside",
    "to a group",
];

/// The profile's facts about one rule.
#[derive(Debug, Default)]
struct Rule {
    /// Severity as text, and category.
    kinds: Vec<(Option<String>, Option<String>)>,
    /// Number of alerts by place; all 0 if the table had no ends.
    places: [f64; 4],
}

impl Rule {
    /// Whether an end is known to be outside. An alert without that end has lost it.
    fn is_outside(&self) -> bool {
        let [_, outwards, inwards, _] = self.places;
        outwards + inwards > 0.0
    }
}

/// The rules of a profile, by name.
#[derive(Debug)]
pub struct Alerts {
    scale: SeverityScale,
    rules: HashMap<String, Rule>,
    /// The word by severity text.
    words: HashMap<String, Option<&'static str>>,
    /// Number of alerts with a severity on the scale, and with any severity.
    on_scale: (u64, u64),
    rows: u64,
}

fn places(ends: &Ends) -> [u64; 4] {
    [
        ends.internal_internal,
        ends.internal_external,
        ends.external_internal
            .saturating_add(ends.external_external),
        ends.multicast,
    ]
}

impl Alerts {
    /// The rules of a profile.
    pub fn new(profile: &Profile) -> Self {
        let scale = profile.severity_scale;
        let mut alerts = Alerts {
            scale,
            rules: HashMap::new(),
            words: HashMap::new(),
            on_scale: (0, 0),
            rows: profile.rows,
        };
        for tuple in &profile.tuples {
            let rule = alerts.rules.entry(tuple.signature.clone()).or_default();
            let severity = tuple.severity.map(|number| scale.text(number));
            if let (Some(number), Some(text)) = (tuple.severity, &severity) {
                let word = scale.word(number).map(|word| word.name());
                alerts.words.insert(text.clone(), word);
                alerts.on_scale.1 += tuple.count;
                if scale.numbers().contains(&number) {
                    alerts.on_scale.0 += tuple.count;
                }
            }
            let kind = (severity, tuple.category.clone());
            if !rule.kinds.contains(&kind) {
                rule.kinds.push(kind);
            }
            let counts = places(&tuple.ends);
            let known: u64 = counts.iter().sum();
            for (place, count) in rule.places.iter_mut().zip(counts) {
                *place += tuple.count as f64 * count as f64 / known.max(1) as f64;
            }
            if known == 0 {
                rule.places[0] += tuple.count as f64;
            }
        }
        alerts
    }

    /// Audits a row. Returns the place of its ends, if it is an alert of a rule with an outside end.
    pub fn audit(&self, facts: &Facts, row: &EventRow<'_>, tallies: &mut Tallies) -> Option<usize> {
        let is_standalone = row.text(F::Kind) == Some("alert")
            && !row.has(F::AttackId)
            && row.flag(F::Noise) == Some(false);
        if !is_standalone {
            return None;
        }
        let name = row.text(F::RuleName);
        let (severity, category) = (row.text(F::Severity), row.text(F::RuleCategory));
        let rule = name.and_then(|name| self.rules.get(name));
        let is_known = rule.is_some_and(|rule| {
            rule.kinds
                .iter()
                .any(|(s, c)| s.as_deref() == severity && c.as_deref() == category)
        });
        tallies.row(A::GroundingRule, row, is_known, || {
            (
                format!(
                    "severity and category that the profile has for {}",
                    shown(name)
                ),
                format!("{} and {}", shown(severity), shown(category)),
            )
        });
        if let Some(word) = severity.and_then(|text| self.words.get(text)) {
            let number = |word: &str| match word {
                "critical" => 99,
                "high" => 73,
                "medium" => 47,
                _ => 21,
            };
            let agrees = match row.has(F::SchemaVersion) {
                true => row.integer(F::SeverityWord) == word.map(number),
                false => row.text(F::SeverityWord) == *word,
            };
            tallies.row(A::GroundingSeverity, row, agrees, || {
                (
                    format!(
                        "{} for {} on the scale {}",
                        shown(*word),
                        shown(severity),
                        self.scale.description()
                    ),
                    match row.integer(F::SeverityWord) {
                        Some(number) => number.to_string(),
                        None => shown(row.text(F::SeverityWord)),
                    },
                )
            });
        }
        let rule = rule.filter(|rule| rule.is_outside())?;
        let place = place(facts, row)?;
        let passed = rule.places.get(place).is_some_and(|&alerts| alerts > 0.0);
        tallies.row(A::GroundingEnds, row, passed, || {
            let known: Vec<&str> = PLACES
                .iter()
                .zip(rule.places)
                .filter(|(_, alerts)| *alerts > 0.0)
                .map(|(name, _)| *name)
                .collect();
            (
                known.join(", or "),
                PLACES.get(place).map_or(String::new(), |p| p.to_string()),
            )
        });
        Some(place)
    }

    /// Audits the profile itself, and compares the places of ends.
    pub fn finish(&self, ends: &[u64; 4], tallies: &mut Tallies) -> (u64, Option<f64>) {
        let (on, all) = self.on_scale;
        if all > 0 {
            tallies.tried(A::GroundingScale, on * 100 >= all * 99, || {
                (
                    None,
                    format!("severities on the scale {}", self.scale.description()),
                    format!("{} of {all} outside", all - on),
                )
            });
        }
        if self.rows >= ENOUGH {
            let rules = self.rules.len() as u64;
            tallies.tried(A::GroundingNames, rules * 2 <= self.rows, || {
                (
                    None,
                    format!("fewer rule names than half of {} alerts", self.rows),
                    rules.to_string(),
                )
            });
        }
        let mut wanted = [0.0; 4];
        for rule in self.rules.values().filter(|rule| rule.is_outside()) {
            wanted
                .iter_mut()
                .zip(rule.places)
                .for_each(|(sum, part)| *sum += part);
        }
        let seen: u64 = ends.iter().sum();
        let all: f64 = wanted.iter().sum();
        if seen == 0 || all <= 0.0 {
            return (seen, None);
        }
        let entropy = |p: f64| if p > 0.0 { -p * p.log2() } else { 0.0 };
        let divergence: f64 = ends
            .iter()
            .zip(wanted)
            .map(|(&count, weight)| {
                let (p, q) = (count as f64 / seen as f64, weight / all);
                entropy((p + q) / 2.0) - (entropy(p) + entropy(q)) / 2.0
            })
            .sum();
        (seen, Some(divergence.max(0.0)))
    }
}

/// The place of the row's ends; `None` if the source is a group address, which no rule has.
fn place(facts: &Facts, row: &EventRow<'_>) -> Option<usize> {
    let side = |field: F| -> Option<AddressKind> {
        let address: IpAddr = row.text(field)?.parse().ok()?;
        Some(match facts.inside.contains(&address) {
            true => AddressKind::Internal,
            false => kind(address),
        })
    };
    let (source, destination) = (side(F::SourceIp), side(F::DestinationIp));
    let (client, server) = match row.text(F::SensorDirection) {
        Some("to_client") => (destination, source),
        _ => (source, destination),
    };
    Some(match (client, server) {
        (_, Some(AddressKind::Group)) => 3,
        (Some(AddressKind::Group), _) => return None,
        (_, Some(AddressKind::External)) => 1,
        (Some(AddressKind::External), _) => 2,
        _ => 0,
    })
}
