//! Queries over alerts, and those that join alerts with the truth.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::count::{Groups, Pairs, Top, last};
use super::frame::Frame;
use super::{Evaluator, Facts, Table};

/// `q06`: the latest alerts of high or critical severity.
#[derive(Default)]
pub(super) struct LatestAlerts(Vec<((i64, i64), Vec<Json>)>);

/// Rows of `q06`.
const LATEST: usize = 100;

impl Evaluator for LatestAlerts {
    fn add(&mut self, frame: &Frame) {
        let is_high = |row: &usize| frame.severity(*row).is_some_and(|severity| severity >= 3);
        let alerts = frame.alerts().iter().copied().filter(is_high);
        let mut rows: Vec<_> = alerts
            .map(|row| ((frame.times[row], frame.sequence(row)), row))
            .collect();
        rows.sort_unstable_by_key(|row| Reverse(*row));
        for (key, row) in rows.into_iter().take(LATEST) {
            self.0.push((
                key,
                vec![
                    json!(key.0),
                    json!(key.1),
                    json!(frame.category.text(row)),
                    json!(frame.severity(row)),
                    json!(frame.rule.text(row)),
                    json!(frame.host.text(row)),
                    json!(frame.user.text(row)),
                    json!(frame.source_ip.text(row)),
                    json!(frame.destination_ip.text(row)),
                    json!(frame.outcome.text(row)),
                ],
            ));
        }
        self.0.sort_unstable_by_key(|(key, _)| Reverse(*key));
        self.0.truncate(LATEST);
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        self.0.into_iter().map(|(_, row)| row).collect()
    }
}

/// `q25`: techniques that alerts name.
#[derive(Default)]
pub(super) struct AttackMatrix {
    techniques: Groups<1, (u64, u64)>,
    hosts: Pairs,
}

impl Evaluator for AttackMatrix {
    fn add(&mut self, frame: &Frame) {
        let Some(items) = frame.techniques.items() else {
            return;
        };
        for &row in frame.alerts() {
            for item in frame.techniques.of_row(row) {
                let technique = [items.id(item)];
                let (alerts, hosts) = self.techniques.at(technique, || [items.shown(item)]);
                *alerts += 1;
                *hosts += self.hosts.is_new(&technique, frame.host.id(row));
            }
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let mut top = Top::all();
        for ([technique], (alerts, hosts)) in self.techniques.into_groups() {
            top.add(last(&technique), || {
                vec![json!(technique), json!(alerts), json!(hosts)]
            });
        }
        top.rows()
    }
}

/// Events of one attack.
#[derive(Default, Clone)]
struct Attack {
    found: u64,
    alerted: u64,
    first_alert: Option<i64>,
}

/// Attacks of one playbook.
#[derive(Default)]
struct Playbook {
    run: u64,
    detected: u64,
    events: u64,
    silent: u64,
    least: Option<i64>,
    most: Option<i64>,
}

/// `q26`: attacks that raised an alert, and how soon.
#[derive(Default)]
pub(super) struct DetectionScore(Vec<Attack>);

impl Evaluator for DetectionScore {
    fn add(&mut self, frame: &Frame) {
        for row in 0..frame.rows {
            let Some(chain) = frame.joined.steps.chain(frame.sequence(row)) else {
                continue;
            };
            let chain = chain as usize;
            if self.0.len() <= chain {
                self.0.resize(chain + 1, Attack::default());
            }
            let attack = &mut self.0[chain];
            attack.found += 1;
            if frame.kind.text(row) == Some("alert") {
                attack.alerted += 1;
                // Rows come in order of time.
                attack.first_alert.get_or_insert(frame.times[row]);
            }
        }
    }

    fn finish(self: Box<Self>, facts: &Facts<'_>) -> Table {
        let mut playbooks: BTreeMap<&str, Playbook> = BTreeMap::new();
        let attacks = self.0.iter().zip(&facts.chains.rows);
        for (attack, chain) in attacks.filter(|(attack, _)| attack.found > 0) {
            let playbook = playbooks.entry(&chain.playbook).or_default();
            playbook.run += 1;
            playbook.detected += u64::from(attack.alerted > 0);
            playbook.events += attack.found;
            playbook.silent += attack.found - attack.alerted;
            if let Some(first) = attack.first_alert {
                let delay = first - chain.start;
                playbook.least = Some(playbook.least.map_or(delay, |least| least.min(delay)));
                playbook.most = Some(playbook.most.map_or(delay, |most| most.max(delay)));
            }
        }
        let rows = playbooks.into_iter().map(|(name, p)| {
            vec![
                json!(name),
                json!(p.run),
                json!(p.detected),
                json!(p.events),
                json!(p.silent),
                json!(p.least),
                json!(p.most),
            ]
        });
        rows.collect()
    }
}

/// `q29`: hosts at risk.
#[derive(Default)]
pub(super) struct HostRisk {
    hosts: Groups<1, [u64; 3]>,
    rules: Pairs,
}

impl Evaluator for HostRisk {
    fn add(&mut self, frame: &Frame) {
        for &row in frame.alerts() {
            if frame.host.is_null(row) {
                continue;
            }
            let host = [frame.host.id(row)];
            let [alerts, rules, points] = self.hosts.at(host, || [frame.host.shown(row)]);
            *alerts += 1;
            *rules += self.rules.is_new(&host, frame.rule.id(row));
            *points += match frame.severity(row) {
                Some(4) => 100,
                Some(3) => 40,
                Some(2) => 10,
                _ => 1,
            };
        }
    }

    fn finish(self: Box<Self>, facts: &Facts<'_>) -> Table {
        let mut top = Top::new(25);
        for ([host], [alerts, rules, points]) in self.hosts.into_groups() {
            for asset in host
                .as_deref()
                .map_or(&[][..], |host| facts.assets.of(host))
            {
                let weight = match asset.criticality.as_deref() {
                    Some("critical") => 4,
                    Some("high") => 3,
                    Some("medium") => 2,
                    _ => 1,
                };
                let risk = points * weight;
                top.add((Reverse(risk), last(&host)), || {
                    vec![
                        json!(host),
                        json!(asset.asset_type),
                        json!(asset.criticality),
                        json!(alerts),
                        json!(rules),
                        json!(risk),
                    ]
                });
            }
        }
        top.rows_with_groups()
    }
}

/// `q31`: alerts of each rule, on attacks and on lookalikes.
#[derive(Default)]
pub(super) struct RuleScore {
    rules: Groups<1, [u64; 4]>,
    attacks: Pairs,
}

impl Evaluator for RuleScore {
    fn add(&mut self, frame: &Frame) {
        for &row in frame.alerts() {
            let rule = [frame.rule.id(row)];
            let [alerts, on_attacks, on_lookalikes, attacks] =
                self.rules.at(rule, || [frame.rule.shown(row)]);
            *alerts += 1;
            let place = frame.sequence(row);
            if let Some(chain) = frame.joined.steps.chain(place) {
                *on_attacks += 1;
                *attacks += self.attacks.is_new(&rule, u64::from(chain) + 1);
            }
            *on_lookalikes += u64::from(frame.joined.lookalikes.has(place));
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let mut top = Top::new(50);
        for ([rule], counts) in self.rules.into_groups() {
            top.add((Reverse(counts[1]), last(&rule)), || {
                let counts = counts.map(|count| json!(count));
                std::iter::once(json!(rule)).chain(counts).collect()
            });
        }
        top.rows_with_groups()
    }
}

/// `q37`: rules that fired most in some days.
pub(super) struct TopRules {
    /// Days since 1970.
    days: std::ops::RangeInclusive<i32>,
    rules: Groups<2, (u64, u64)>,
    hosts: Pairs,
}

impl TopRules {
    pub fn new(days: std::ops::RangeInclusive<i32>) -> Self {
        TopRules {
            days,
            rules: Groups::default(),
            hosts: Pairs::default(),
        }
    }
}

impl Evaluator for TopRules {
    fn add(&mut self, frame: &Frame) {
        if !self.days.contains(&frame.day) {
            return;
        }
        for &row in frame.alerts() {
            let ids = [frame.rule.id(row), frame.category.id(row)];
            let shown = || [frame.rule.shown(row), frame.category.shown(row)];
            let (alerts, hosts) = self.rules.at(ids, shown);
            *alerts += 1;
            *hosts += self.hosts.is_new(&ids, frame.host.id(row));
        }
    }

    fn finish(self: Box<Self>, _: &Facts<'_>) -> Table {
        let mut top = Top::new(20);
        for ([rule, category], (alerts, hosts)) in self.rules.into_groups() {
            top.add((Reverse(alerts), last(&rule), last(&category)), || {
                vec![json!(rule), json!(category), json!(alerts), json!(hosts)]
            });
        }
        top.rows_with_groups()
    }
}
