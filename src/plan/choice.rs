//! Which playbooks and noise scenarios a corpus has, and their weights.
//!
//! Without a choice, the catalog decides. A choice names some entries, which then are the only ones.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Config;
use crate::catalog::{Catalog, Playbook, Scenario};
use crate::error::{Error, Result};
use crate::near::nearest;
use crate::world::World;

/// Maximum weight; a larger one is a mistake.
const MOST: u32 = 1_000_000;

/// Entries of the catalog by name, each with its weight; `None` is the weight in the catalog.
///
/// The names are sorted, so that their order in a setting does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Choice(BTreeMap<String, Option<u32>>);

impl Choice {
    /// Whether nothing is chosen, so that the catalog decides.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks the weights.
    ///
    /// # Errors
    /// The problem: a weight is too large, or no entry may occur.
    pub(super) fn validate(&self) -> std::result::Result<(), String> {
        if let Some((name, weight)) = self.0.iter().find(|(_, w)| w.is_some_and(|w| w > MOST)) {
            let weight = weight.unwrap_or_default();
            return Err(format!("{name} has the weight {weight}"));
        }
        match !self.is_empty() && self.0.values().all(|weight| *weight == Some(0)) {
            true => Err("all weights are 0".into()),
            false => Ok(()),
        }
    }

    /// The weights of all entries of the catalog, which have these names and weights. An entry that
    /// is named without a weight may occur, even if its weight in the catalog is 0.
    fn weights(&self, of: &Kind, all: &[(&str, u32)]) -> Result<Vec<u64>> {
        let known: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
        if let Some(name) = self.0.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(of.unknown(name, &known));
        }
        let weight = |&(name, weight): &(&str, u32)| match self.0.get(name) {
            _ if self.is_empty() => weight,
            None => 0,
            Some(given) => given.unwrap_or(weight.max(1)),
        };
        Ok(all.iter().map(|entry| u64::from(weight(entry))).collect())
    }
}

impl std::str::FromStr for Choice {
    type Err = String;

    /// Parses `NAME` and `NAME=WEIGHT`, separated by commas.
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let mut chosen = BTreeMap::new();
        for entry in text.split(',').map(str::trim).filter(|e| !e.is_empty()) {
            let (name, weight) = match entry.split_once('=') {
                None => (entry, None),
                Some((name, weight)) => {
                    let parsed = weight
                        .trim()
                        .parse::<u32>()
                        .ok()
                        .filter(|weight| *weight <= MOST);
                    let weight = parsed.ok_or_else(|| format!("'{entry}' has no such weight"))?;
                    (name.trim(), Some(weight))
                }
            };
            if chosen.insert(name.to_string(), weight).is_some() {
                return Err(format!("'{name}' is named twice"));
            }
        }
        match chosen.is_empty() {
            true => Err("names nothing".into()),
            false => Ok(Choice(chosen)),
        }
    }
}

/// Parses ids of techniques, separated by commas: upper case, sorted, each once.
///
/// # Errors
/// The text holds no id.
pub fn parse_techniques(text: &str) -> std::result::Result<Vec<String>, String> {
    let ids = text.split(',').map(str::trim).filter(|id| !id.is_empty());
    let ids: BTreeSet<String> = ids.map(str::to_uppercase).collect();
    match ids.is_empty() {
        true => Err("names nothing".into()),
        false => Ok(ids.into_iter().collect()),
    }
}

/// Whether a technique is the wanted one, or a sub-technique of it.
fn is_of(id: &str, wanted: &str) -> bool {
    let rest = id.strip_prefix(wanted);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// A kind of entries that a setting names.
struct Kind {
    setting: &'static str,
    /// The word of `fusiongen list`.
    plural: &'static str,
}

const PLAYBOOKS: Kind = Kind {
    setting: "playbook",
    plural: "playbooks",
};
const SCENARIOS: Kind = Kind {
    setting: "scenario",
    plural: "scenarios",
};
const TECHNIQUES: Kind = Kind {
    setting: "technique",
    plural: "techniques",
};

impl Kind {
    fn unknown(&self, name: &str, known: &[&str]) -> Error {
        let list = format!("`fusiongen list {}` prints the names", self.plural);
        let remedy = match nearest(name, known).as_slice() {
            [] => list,
            near => format!("did you mean {}? {list}", near.join(" or ")),
        };
        Error::setting(self.setting, format!("'{name}' is not known"), remedy)
    }

    /// The error for a choice that leaves nothing.
    fn none_left(&self, problem: impl Into<String>) -> Error {
        let remedy = format!("see `fusiongen list {}`", self.plural);
        Error::setting(self.setting, problem, remedy)
    }
}

/// The weights of the catalog's playbooks and scenarios under the settings, by index.
#[derive(Debug)]
pub(super) struct Weights {
    pub playbooks: Vec<u64>,
    pub scenarios: Vec<u64>,
}

impl Weights {
    /// # Errors
    /// A name is unknown, or nothing is left that can occur.
    pub fn new(config: &Config, catalog: &Catalog, world: &World) -> Result<Self> {
        let (chains, noise) = config.ratios(&mut Vec::new());
        let playbooks = playbooks(config, catalog)?;
        if chains > 0 && !catalog.playbooks.is_empty() && playbooks.iter().all(|w| *w == 0) {
            let problem = "the playbooks that are left have the weight 0 in the catalog";
            return Err(PLAYBOOKS.none_left(problem));
        }
        let all: Vec<(&str, u32)> = (catalog.scenarios.iter())
            .map(|scenario| (scenario.name.as_str(), scenario.weight))
            .collect();
        let scenarios = config.scenario.weights(&SCENARIOS, &all)?;
        let mut weighted = catalog.scenarios.iter().zip(&scenarios);
        let can_occur = |(scenario, weight): (&Scenario, &u64)| {
            let there = |v: &crate::catalog::Variant| v.weight > 0 && world.has_all(&v.records);
            *weight > 0 && scenario.variants.iter().any(there)
        };
        if noise > 0 && !weighted.any(can_occur) {
            let problem = "no scenario that is left can occur: its weight is 0, or the inventory lacks \
                           the devices or the disabled accounts that it needs";
            return Err(SCENARIOS.none_left(problem));
        }
        Ok(Weights {
            playbooks,
            scenarios,
        })
    }
}

/// The weights of playbooks: of those that are chosen, those with a wanted technique.
fn playbooks(config: &Config, catalog: &Catalog) -> Result<Vec<u64>> {
    let all: Vec<(&str, u32)> = (catalog.playbooks.iter())
        .map(|playbook| (playbook.name.as_str(), playbook.weight))
        .collect();
    let mut weights = config.playbook.weights(&PLAYBOOKS, &all)?;
    if config.technique.is_empty() {
        return Ok(weights);
    }
    let ids: BTreeSet<&str> = (catalog.techniques.iter())
        .flat_map(|t| [Some(t.id.as_str()), t.id.split_once('.').map(|id| id.0)])
        .flatten()
        .collect();
    let known: Vec<&str> = ids.into_iter().collect();
    let holds = |playbook: &Playbook, wanted: &str| {
        let mut steps = playbook.steps.iter();
        steps.any(|step| is_of(&catalog.techniques[step.technique].id, wanted))
    };
    for wanted in &config.technique {
        if !known.contains(&wanted.as_str()) {
            return Err(TECHNIQUES.unknown(wanted, &known));
        }
        let mut weighted = catalog.playbooks.iter().zip(&weights);
        if !weighted.any(|(playbook, weight)| *weight > 0 && holds(playbook, wanted)) {
            let of = match config.playbook.is_empty() {
                true => "no playbook",
                false => "none of the chosen playbooks",
            };
            return Err(TECHNIQUES.none_left(format!("{of} has a step of {wanted}")));
        }
    }
    for (playbook, weight) in catalog.playbooks.iter().zip(&mut weights) {
        if !config
            .technique
            .iter()
            .any(|wanted| holds(playbook, wanted))
        {
            *weight = 0;
        }
    }
    Ok(weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_do_not_depend_on_the_order_of_names() {
        let choice = |text: &str| text.parse::<Choice>();
        assert_eq!(choice("b=3, a").unwrap(), choice("a,b = 3,").unwrap());
        let text = serde_json::to_string(&choice("b=3,a").unwrap()).unwrap();
        assert_eq!(text, r#"{"a":null,"b":3}"#);
        for (wrong, part) in [
            ("a,a=2", "twice"),
            ("a=-1", "weight"),
            ("a=x", "weight"),
            ("a=1000001", "weight"),
            (" ,", "nothing"),
        ] {
            assert!(choice(wrong).unwrap_err().contains(part), "{wrong}");
        }
        assert!(choice("a=0,b=0").unwrap().validate().is_err());
        assert!(choice("a=0,b").unwrap().validate().is_ok());
    }

    #[test]
    fn a_technique_has_its_sub_techniques() {
        assert!(is_of("T1558.003", "T1558") && is_of("T1558", "T1558"));
        assert!(!is_of("T1558", "T1558.003") && !is_of("T15580", "T1558"));
        assert_eq!(
            parse_techniques("t1558.003, T1021,T1558.003").unwrap(),
            ["T1021", "T1558.003"]
        );
    }
}
