//! Summary of a profile: how varied its alerts are, and which values dominate.
//!
//! For people and reports only; generation does not use it.

use std::collections::BTreeMap;

use super::{Direction, Ends, Profile, Tuple};

/// The figures of a profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Number of alerts in the tuples: rows without those too rare to keep.
    pub alerts: u64,
    /// Number of tuples with a single alert.
    pub single_tuples: usize,
    /// Fields of alerts with their values; the joint tuple first.
    pub facts: Vec<Ranking>,
    /// Ends of flows, summed over all tuples.
    pub ends: Ends,
    /// Alerts by direction: to server, to client, unknown.
    pub directions: [u64; 3],
    /// Number of alerts that the sensor blocked.
    pub blocked: u64,
    /// Number of alerts whose rule itself names an ATT&CK technique.
    pub with_techniques: u64,
}

/// The values of one field by frequency.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    pub fact: &'static str,
    /// Values with counts, most frequent first; for the joint tuple, its index in the profile.
    pub values: Vec<(String, u64)>,
}

impl Ranking {
    fn new(fact: &'static str, values: impl IntoIterator<Item = (String, u64)>) -> Self {
        let mut sums: BTreeMap<String, u64> = BTreeMap::new();
        for (value, count) in values {
            *sums.entry(value).or_default() += count;
        }
        let mut values: Vec<(String, u64)> = sums.into_iter().collect();
        values.sort_by(|one, two| two.1.cmp(&one.1).then_with(|| one.0.cmp(&two.0)));
        Ranking { fact, values }
    }

    /// Number of alerts (or address occurrences) counted.
    pub fn total(&self) -> u64 {
        self.values.iter().map(|(_, count)| count).sum()
    }

    /// Shannon entropy in bits: 0 for a single value, log₂ n for n equally frequent values.
    pub fn entropy(&self) -> f64 {
        let total = self.total() as f64;
        let bits: f64 = self
            .values
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|&(_, count)| {
                let share = count as f64 / total;
                -share * share.log2()
            })
            .sum();
        // Not -0.
        if bits > 0.0 { bits } else { 0.0 }
    }

    /// Number of values with a count of one.
    pub fn singletons(&self) -> usize {
        self.values.iter().filter(|(_, count)| *count == 1).count()
    }
}

impl Summary {
    /// The figures of a profile.
    pub fn new(profile: &Profile) -> Self {
        let tuples = &profile.tuples;
        let fact = |name, value: fn(&Tuple) -> String| {
            Ranking::new(name, tuples.iter().map(|tuple| (value(tuple), tuple.count)))
        };
        let mut facts = vec![
            Ranking::new(
                "tuple",
                (0..)
                    .zip(tuples)
                    .map(|(place, tuple): (usize, _)| (place.to_string(), tuple.count)),
            ),
            fact("signature", |tuple| tuple.signature.clone()),
            fact("category", |tuple| {
                tuple
                    .category
                    .clone()
                    .unwrap_or_else(|| "(none)".to_string())
            }),
            Ranking::new(
                "severity",
                tuples.iter().map(|tuple| {
                    let text = tuple.severity.map(|it| profile.severity_scale.text(it));
                    (text.unwrap_or_else(|| "(none)".to_string()), tuple.count)
                }),
            ),
            fact("protocol", |tuple| {
                let application = tuple.application.as_deref().unwrap_or("-");
                format!("{}/{application}", tuple.protocol)
            }),
            fact("service port", |tuple| match tuple.service_port {
                Some(port) => port.to_string(),
                None if tuple.spread_ports => "(rare ones)".to_string(),
                None => "(none)".to_string(),
            }),
        ];
        let pools = [
            ("external clients", &profile.external_clients),
            ("external servers", &profile.external_services),
        ];
        facts.extend(pools.map(|(name, pool)| Ranking::new(name, pool.iter().cloned())));
        let ranks = [
            ("internal clients", &profile.internal_clients),
            ("internal servers", &profile.internal_services),
        ];
        facts.extend(ranks.map(|(name, counts)| {
            let named = counts.iter().enumerate();
            Ranking::new(name, named.map(|(rank, &count)| (rank.to_string(), count)))
        }));
        let sum = |wanted: fn(&Tuple) -> bool| -> u64 {
            tuples
                .iter()
                .filter(|it| wanted(it))
                .map(|it| it.count)
                .sum()
        };
        let mut ends = Ends::default();
        tuples.iter().for_each(|tuple| ends.add(&tuple.ends));
        Summary {
            alerts: sum(|_| true),
            single_tuples: tuples.iter().filter(|tuple| tuple.count == 1).count(),
            facts,
            ends,
            directions: [
                sum(|tuple| tuple.direction == Direction::ToServer),
                sum(|tuple| tuple.direction == Direction::ToClient),
                sum(|tuple| tuple.direction == Direction::Unknown),
            ],
            blocked: sum(|tuple| tuple.action == "blocked"),
            with_techniques: sum(|tuple| !tuple.techniques.is_empty()),
        }
    }

    /// A field by name.
    pub fn fact(&self, name: &str) -> Option<&Ranking> {
        self.facts.iter().find(|ranking| ranking.fact == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranking(counts: &[u64]) -> Ranking {
        Ranking::new(
            "x",
            (0..)
                .zip(counts)
                .map(|(i, &c): (u32, _)| (i.to_string(), c)),
        )
    }

    #[test]
    fn entropy_is_the_number_of_equal_choices_in_bits() {
        assert_eq!(ranking(&[7]).entropy(), 0.0);
        assert_eq!(ranking(&[]).entropy(), 0.0);
        assert!((ranking(&[3; 8]).entropy() - 3.0).abs() < 1e-12);
        assert!((ranking(&[2, 1, 1]).entropy() - 1.5).abs() < 1e-12);
        assert_eq!(ranking(&[1, 5, 1]).singletons(), 2);
    }

    #[test]
    fn the_sums_are_those_of_the_tuples() {
        let profile = Profile::embedded();
        let summary = Summary::new(&profile);
        assert_eq!(summary.alerts, profile.rows);
        assert_eq!(summary.directions.iter().sum::<u64>(), profile.rows);
        let tuple = summary.fact("tuple").expect("a fact");
        assert_eq!(tuple.values.len(), profile.tuples.len());
        assert_eq!(tuple.values[0].1, profile.tuples[0].count);
        for fact in &summary.facts[..6] {
            assert_eq!(fact.total(), profile.rows, "{}", fact.fact);
            assert!(fact.entropy() <= tuple.entropy() + 1e-9);
        }
    }
}
