//! What each check is for: what it measures, why, where its range comes from, and what to do if it
//! fails. The texts are in `explain.toml`.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::audits::Audit;
use super::figures::Thresholds;
use crate::error::{Error, Result};
use crate::near::unknown;

/// The texts.
const TEXTS: &str = include_str!("explain.toml");

/// What the checks of a group have in common.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    source: String,
    remedy: String,
}

/// What a check says itself, in place of its group.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    why: String,
    source: Option<String>,
    remedy: Option<String>,
}

/// `explain.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    group: BTreeMap<String, Group>,
    check: BTreeMap<String, Own>,
}

/// What one invariant or figure is for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    pub name: String,
    /// What is tested, or measured.
    pub what: String,
    /// What must hold: a share of rows, or a range.
    pub expected: String,
    pub why: String,
    /// Where the expectation comes from.
    pub source: String,
    /// What to do if it fails.
    pub remedy: String,
}

fn defect(problem: String) -> Error {
    let remedy = "this is a defect of fusiongen";
    Error::input("explain.toml".as_ref(), None, problem, remedy)
}

impl Explanation {
    /// Every check in the order of the report.
    ///
    /// # Errors
    /// The table is invalid or lacks a check: a bug.
    pub fn all() -> Result<Vec<Explanation>> {
        let texts: Texts = toml::from_str(TEXTS).map_err(|e| defect(e.to_string()))?;
        let thresholds = Thresholds::embedded()?;
        let mut all = Vec::new();
        for audit in Audit::ALL {
            let rate = thresholds.rates.get(audit.name()).copied().unwrap_or(1.0);
            let expected = match rate < 1.0 {
                true => format!("at least {}% of what is tested", 100.0 * rate),
                false => "all of what is tested".into(),
            };
            all.push(texts.explain(audit.name(), audit.what(), expected)?);
        }
        for figure in thresholds.figures() {
            let outside = match figure.fails {
                true => "fails",
                false => "is reported",
            };
            let mut expected = format!("{} to {}; outside {outside}", figure.low, figure.high);
            if figure.hours {
                expected += "; no range if the settings give hourly weights";
            }
            all.push(texts.explain(&figure.name, &figure.what, expected)?);
        }
        Ok(all)
    }

    /// The check of this name, or the checks of this group: `stream.tick`, `stream`.
    ///
    /// # Errors
    /// No check and no group has this name. The remedy lists similar ones.
    pub fn named(name: &str) -> Result<Vec<Explanation>> {
        let all = Self::all()?;
        let group = name.trim_end_matches(['.', '*']);
        let is_wanted = |it: &&Explanation| it.name == name || it.group() == group;
        let wanted: Vec<Explanation> = all.iter().filter(is_wanted).cloned().collect();
        match wanted.is_empty() {
            true => {
                let known: Vec<&str> = all.iter().map(|it| it.name.as_str()).collect();
                Err(unknown("--explain", name, &known))
            }
            false => Ok(wanted),
        }
    }

    /// The first part of the name.
    pub fn group(&self) -> &str {
        self.name.split('.').next().unwrap_or_default()
    }

    /// A few lines for people.
    pub fn text(&self) -> String {
        let mut text = format!("{}: {}\n", self.name, self.what);
        for (label, line) in [
            ("expected", &self.expected),
            ("why", &self.why),
            ("source", &self.source),
            ("if it fails", &self.remedy),
        ] {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "  {label:<12} {line}");
        }
        text
    }
}

impl Texts {
    fn explain(&self, name: &str, what: &str, expected: String) -> Result<Explanation> {
        let group = name.split('.').next().unwrap_or_default();
        let (Some(own), Some(group)) = (self.check.get(name), self.group.get(group)) else {
            return Err(defect(format!("{name} or its group is missing")));
        };
        let or = |own: &Option<String>, group: &String| own.as_ref().unwrap_or(group).clone();
        Ok(Explanation {
            name: name.into(),
            what: what.into(),
            expected,
            why: own.why.clone(),
            source: or(&own.source, &group.source),
            remedy: or(&own.remedy, &group.remedy),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_is_explained_and_nothing_else() {
        let all = Explanation::all().unwrap();
        let texts: Texts = toml::from_str(TEXTS).unwrap();
        assert_eq!(all.len(), texts.check.len());
        for it in &all {
            for text in [&it.what, &it.expected, &it.why, &it.source, &it.remedy] {
                assert!(!text.is_empty() && !text.ends_with('.'), "{it:?}");
            }
        }
        for group in texts.group.keys() {
            assert!(all.iter().any(|it| it.group() == group), "{group}");
        }
    }
}
