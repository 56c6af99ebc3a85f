//! Statistics of counts: entropy, medians, slopes, divergence.

use std::collections::BTreeMap;

/// Shannon entropy in bits per character.
pub(super) fn entropy(label: &str) -> f64 {
    let mut counts = [0_u32; 256];
    label.bytes().for_each(|b| counts[b as usize] += 1);
    let n = label.len() as f64;
    counts
        .iter()
        .filter(|c| **c > 0)
        .map(|&c| -(f64::from(c) / n) * (f64::from(c) / n).log2())
        .sum()
}

/// The labels of a domain name, without the top-level domain, with their entropy.
pub(super) fn labels(name: &str) -> impl Iterator<Item = (&str, f64)> {
    let labels = name.rsplit_once('.').map_or("", |(labels, _)| labels);
    let each = labels.split('.').filter(|label| !label.is_empty());
    each.map(|label| (label, entropy(label)))
}

pub(super) fn vowels(label: &str) -> f64 {
    let count = label.bytes().filter(|b| b"aeiou".contains(b)).count();
    count as f64 / label.len().max(1) as f64
}

pub(super) fn median(bins: &[u64]) -> Option<f64> {
    let half = bins.iter().sum::<u64>().div_ceil(2);
    let mut sum = 0;
    let at = bins.iter().position(|n| {
        sum += n;
        half > 0 && sum >= half
    })?;
    Some(at as f64 / 20.0)
}

/// Standard deviation divided by mean.
pub(super) fn variation(values: impl Iterator<Item = f64> + Clone) -> Option<f64> {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    let variance = values.map(|v| (v - mean) * (v - mean)).sum::<f64>() / n;
    (mean > 0.0).then(|| variance.sqrt() / mean)
}

/// Slope of log frequency by log rank: least squares over the 100 most frequent values.
pub(super) fn zipf(sorted: &[u64]) -> Option<f64> {
    let points: Vec<(f64, f64)> = sorted
        .iter()
        .take(100)
        .enumerate()
        .map(|(i, &n)| ((i as f64 + 1.0).ln(), (n as f64).ln()))
        .collect();
    let n = points.len() as f64;
    let (x, y) = points
        .iter()
        .fold((0.0, 0.0), |s, p| (s.0 + p.0 / n, s.1 + p.1 / n));
    let above: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let below: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    (below > 0.0).then(|| -above / below)
}

/// Jensen–Shannon divergence in bits between two sets of counts; `None` if one is empty.
pub(super) fn jensen_shannon(
    one: &BTreeMap<String, u64>,
    two: &BTreeMap<String, u64>,
) -> Option<f64> {
    let (n, m) = (
        one.values().sum::<u64>() as f64,
        two.values().sum::<u64>() as f64,
    );
    if n == 0.0 || m == 0.0 {
        return None;
    }
    let names = one
        .keys()
        .chain(two.keys().filter(|k| !one.contains_key(*k)));
    let parts = names.map(|name| {
        let p = one.get(name).copied().unwrap_or(0) as f64 / n;
        let q = two.get(name).copied().unwrap_or(0) as f64 / m;
        let part = |a: f64| {
            if a > 0.0 {
                a * (2.0 * a / (p + q)).log2()
            } else {
                0.0
            }
        };
        (part(p) + part(q)) / 2.0
    });
    Some(parts.sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_shapes() {
        assert!((entropy("abcd") - 2.0).abs() < 1e-9);
        let names: Vec<&str> = labels("www.d3f9qa.example.com").map(|l| l.0).collect();
        assert_eq!(names, ["www", "d3f9qa", "example"]);
        assert_eq!(labels("wpad").count(), 0);
        let counts = |list: &[(&str, u64)]| list.iter().map(|(n, c)| (n.to_string(), *c)).collect();
        let (a, b): (BTreeMap<_, _>, BTreeMap<_, _>) = (counts(&[("x", 5)]), counts(&[("y", 9)]));
        assert!((jensen_shannon(&a, &b).unwrap() - 1.0).abs() < 1e-9);
        assert!(jensen_shannon(&a, &a).unwrap().abs() < 1e-9);
        assert_eq!(jensen_shannon(&a, &BTreeMap::new()), None);
        let harmonic: Vec<u64> = (1..=100).map(|r| 1_000_000 / r).collect();
        assert!((zipf(&harmonic).unwrap() - 1.0).abs() < 0.01);
        assert!(variation([3.0, 3.0].into_iter()).unwrap().abs() < 1e-9);
    }
}
