//! The summary card of a corpus, from plan.json and manifest.json.

use serde::Serialize;
use serde_json::Value;

use crate::corpus::{Manifest, PlanFile};
use crate::plan::Config;

/// The values of the card.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Card {
    pub fingerprint: String,
    pub created_by: String,
    pub format_version: u32,
    pub schema: String,
    pub compression: String,
    pub partition_by: String,
    pub labels: String,
    pub seed: u64,
    /// First and last date.
    pub first: String,
    pub last: String,
    pub days: u32,
    pub events: u64,
    pub hosts: u64,
    pub users: u64,
    pub chains: u64,
    pub event_files: u64,
    pub event_bytes: u64,
    /// Including truth, entities and metadata.
    pub files: u64,
    pub bytes: u64,
    /// Shares of events in percent: requested and actual.
    pub chain_share: [f64; 2],
    pub noise_share: [f64; 2],
    pub chains_per_host_day: f64,
    /// Settings that differ from the defaults, as in plan.json.
    pub settings: Vec<(String, String)>,
}

/// Formats a value for people.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn hundredths(share: f64) -> f64 {
    (share * 10_000.0).round() / 100.0
}

impl Card {
    /// The card of a finished corpus.
    pub fn new(plan: &PlanFile, manifest: &Manifest) -> Self {
        let config = &plan.config;
        let settings = settings(config);
        let word = |name: &str| {
            let found = settings.iter().find(|(key, ..)| key == name);
            found.map_or_else(String::new, |(_, value, _)| value.clone())
        };
        let entries = || manifest.event_files();
        let last = config.start + chrono::Days::new(u64::from(config.days.max(1)) - 1);
        let shares = [manifest.asked, manifest.actual];
        Card {
            fingerprint: plan.fingerprint.clone(),
            created_by: plan.created_by.clone(),
            format_version: plan.format_version,
            schema: word("schema"),
            compression: word("compression"),
            partition_by: word("partition_by"),
            labels: word("labels"),
            seed: config.seed,
            first: config.start.to_string(),
            last: last.to_string(),
            days: config.days,
            events: manifest.events,
            hosts: plan.hosts,
            users: plan.users,
            chains: manifest.composition.chains,
            event_files: entries().count() as u64,
            event_bytes: entries().map(|f| f.bytes).sum(),
            files: manifest.files.len() as u64,
            bytes: manifest.files.iter().map(|f| f.bytes).sum(),
            chain_share: shares.map(|ratios| hundredths(ratios.attack_chain_ratio)),
            noise_share: shares.map(|ratios| hundredths(ratios.noise_ratio)),
            chains_per_host_day: (manifest.chains_per_host_day * 1e4).round() / 1e4,
            settings: settings
                .into_iter()
                .filter(|(.., default)| !default)
                .map(|(key, value, _)| (key, value))
                .collect(),
        }
    }
}

/// All settings: name, value, and whether the value is the default.
fn settings(config: &Config) -> Vec<(String, String, bool)> {
    let fields = |config: &Config| match serde_json::to_value(config) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let defaults = fields(&Config::default());
    let each = fields(config).into_iter();
    each.map(|(key, value)| {
        let is_default = defaults.get(&key) == Some(&value);
        (key, plain(&value), is_default)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_told_from_defaults() {
        let config = Config {
            seed: 7,
            alert_hours: Some([1; 24]),
            ..Config::default()
        };
        let other: Vec<_> = settings(&config).into_iter().filter(|s| !s.2).collect();
        let names: Vec<_> = other.iter().map(|s| s.0.as_str()).collect();
        assert_eq!(names, ["seed", "alert_hours"]);
        assert_eq!(other[0].1, "7");
    }
}
