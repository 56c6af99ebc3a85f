//! Divergence of alerts from the profile.

use std::collections::BTreeMap;

use super::statistics::jensen_shannon;
use super::{NOTHING, PORTS, REST};
use crate::grounding::Profile;

/// The divergence of a field's counts from the profile's, in bits, and the part that chance alone can
/// explain.
pub(super) fn divergence(
    fact: &str,
    counts: &BTreeMap<String, u64>,
    profile: &Profile,
) -> (Option<f64>, f64) {
    let mut wanted: BTreeMap<String, u64> = BTreeMap::new();
    for tuple in &profile.tuples {
        let ports = tuple.service_port.is_some() || tuple.spread_ports;
        if fact == "protocol" && !ports && ["tcp", "udp"].contains(&tuple.protocol.as_str()) {
            continue;
        }
        let value = match fact {
            "severity" => tuple.severity.map(|s| profile.severity_scale.text(s)),
            "category" => tuple.category.clone(),
            "signature" => Some(tuple.signature.clone()),
            "protocol" => Some(tuple.protocol.clone()),
            _ if tuple.spread_ports => Some(REST.into()),
            _ => tuple.service_port.map(|p| p.to_string()),
        };
        *wanted
            .entry(value.unwrap_or_else(|| NOTHING.into()))
            .or_default() += tuple.count;
    }
    if fact != "port" {
        return (
            jensen_shannon(counts, &wanted),
            chance(wanted.len(), counts.values().sum()),
        );
    }
    // If the database has no port, an event has any port or none: one class on both sides.
    let named = wanted
        .iter()
        .filter(|(p, _)| ![REST, NOTHING].contains(&p.as_str()));
    let mut frequent: Vec<(&String, &u64)> = named.collect();
    frequent.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let kept: std::collections::BTreeSet<String> = frequent
        .iter()
        .take(PORTS)
        .map(|(p, _)| (*p).clone())
        .collect();
    let folded = |all: &BTreeMap<String, u64>| {
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for (port, count) in all {
            let port = if kept.contains(port) {
                port.as_str()
            } else {
                REST
            };
            *sums.entry(port.into()).or_default() += count;
        }
        sums
    };
    let (seen, wanted) = (folded(counts), folded(&wanted));
    let allowance = chance(wanted.len(), seen.values().sum());
    (jensen_shannon(&seen, &wanted), allowance)
}

/// Three times the mean divergence of `draws` draws of `values` values, which for a fair draw is
/// (values − 1) / (8 · draws · ln 2).
pub(super) fn chance(values: usize, draws: u64) -> f64 {
    3.0 * values.saturating_sub(1) as f64 / (8.0 * draws.max(1) as f64 * std::f64::consts::LN_2)
}
