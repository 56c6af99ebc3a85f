//! Figures: statistics of a corpus, compared with `thresholds.toml`.

mod divergence;
mod friction;
mod life;
mod statistics;
mod stream;

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::alerts::Alerts;
use super::audits::{Audit as A, Tallies};
use super::facts::{Facts, digest};
use super::fields::{EventRow, Field as F};
use crate::error::{Error, Result};
use crate::grounding::Profile;
use crate::plan::others_needed;
use divergence::{chance, divergence};
use friction::Friction;
use life::Life;
use statistics::{labels, median, variation, vowels, zipf};
use stream::Stream;

const THRESHOLDS: &str = include_str!("thresholds.toml");

const HOUR: i64 = 3_600_000_000;
/// Number of process starts whose images and command lines are compared: as many as in the real
/// recordings that the ranges come from (2,013 starts, 224 images, exponent 1.3).
const STARTS: usize = 2_000;
/// Approximate number of people whose working hours are measured.
const PEOPLE: u64 = 2_000;
/// Ports that are compared individually.
const PORTS: usize = 50;
/// Number of entropy bins; a bin is a twentieth of a bit wide.
const BINS: usize = 128;
const REST: &str = "(rest)";
const NOTHING: &str = "(none)";

/// The range of a figure.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    pub name: String,
    pub what: String,
    pub low: f64,
    pub high: f64,
    /// A figure of fewer rows is not compared with the range.
    least: u64,
    #[serde(default)]
    pub fails: bool,
    /// The range does not apply to a corpus with hourly weights in its settings.
    #[serde(default)]
    pub hours: bool,
}

/// `thresholds.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Required rates of invariants that need not hold for every row.
    pub rates: BTreeMap<String, f64>,
    figure: Vec<Threshold>,
}

impl Thresholds {
    /// The figures in the order of the report.
    pub fn figures(&self) -> &[Threshold] {
        &self.figure
    }

    /// The embedded thresholds.
    ///
    /// # Errors
    /// The file is invalid: a bug.
    pub fn embedded() -> Result<Self> {
        toml::from_str(THRESHOLDS).map_err(|e| {
            Error::input(
                "thresholds.toml".as_ref(),
                None,
                e.to_string(),
                "this is a defect of fusiongen",
            )
        })
    }
}

/// The outcome of a figure or an audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Passed,
    Warned,
    Failed,
    /// The corpus has no matching rows, or too few for a figure.
    NotApplicable,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    pub name: String,
    pub what: String,
    /// Number of rows (or people) measured.
    pub rows: u64,
    pub value: Option<f64>,
    /// Low and high bound; `None` if the corpus's settings request nothing.
    pub range: Option<(f64, f64)>,
    pub status: Status,
}

/// Fields of alerts that the profile has too.
const COMPARED: [&str; 5] = ["severity", "category", "signature", "protocol", "port"];

/// Sums of pairs of numbers.
#[derive(Default)]
struct Moments {
    n: u64,
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
    total: f64,
    total2: f64,
}

/// Counts of some files.
pub struct Figures {
    chain_rows: u64,
    noise_rows: u64,
    /// Rows of chains, of noise and in total, by category.
    categories: BTreeMap<String, [u64; 3]>,
    alerts: [BTreeMap<String, u64>; 5],
    noise_times: Vec<i64>,
    hours: BTreeMap<i64, u64>,
    people: HashMap<u64, Vec<i64>>,
    /// The starts with the lowest digests, and the digests of their images.
    images: BTreeMap<u64, u64>,
    /// The same for starts outside chains, with the digests of their command lines.
    commands: BTreeMap<u64, u64>,
    starts: u64,
    ends: u64,
    benign: Vec<u64>,
    random: Vec<u64>,
    words: u64,
    /// Alerts by the place of their ends ([`Alerts`]).
    ends_of_alerts: [u64; 4],
    bytes: Moments,
    friction: Friction,
    life: Life,
    stream: Stream,
    labelled: bool,
}

impl Default for Figures {
    fn default() -> Self {
        Figures {
            chain_rows: 0,
            noise_rows: 0,
            categories: BTreeMap::new(),
            alerts: Default::default(),
            noise_times: Vec::new(),
            hours: BTreeMap::new(),
            people: HashMap::new(),
            images: BTreeMap::new(),
            commands: BTreeMap::new(),
            starts: 0,
            ends: 0,
            benign: vec![0; BINS],
            random: vec![0; BINS],
            words: 0,
            ends_of_alerts: [0; 4],
            bytes: Moments::default(),
            friction: Friction::default(),
            life: Life::default(),
            stream: Stream::default(),
            labelled: false,
        }
    }
}

/// Keeps the starts with the lowest digests: a sample that does not depend on the order of files.
fn keep(sample: &mut BTreeMap<u64, u64>, sequence: &i64, value: &impl std::hash::Hash) {
    sample.insert(digest(sequence), digest(value));
    if sample.len() > STARTS {
        sample.pop_last();
    }
}

impl Figures {
    /// Reads one row.
    pub fn read(&mut self, facts: &Facts, row: &EventRow<'_>) {
        let chain = row.has(F::AttackId);
        if let Some(attack) = row.text(F::AttackId) {
            self.friction.read(attack, row);
        }
        let noise = row.flag(F::Noise);
        self.labelled |= noise.is_some();
        self.chain_rows += u64::from(chain);
        self.noise_rows += u64::from(noise == Some(true));
        let time = row.integer(F::Time).unwrap_or(0);
        if let Some(category) = row.text(F::Category) {
            let one = [u64::from(chain), u64::from(noise == Some(true)), 1];
            match self.categories.get_mut(category) {
                Some(counts) => counts.iter_mut().zip(one).for_each(|(c, n)| *c += n),
                None => {
                    self.categories.insert(category.into(), one);
                }
            }
        }
        if noise == Some(true) {
            self.life.read(row);
            *self.hours.entry(time.div_euclid(HOUR)).or_default() += 1;
            // Thinning would change the gaps. Above the exact size, the first hours represent all.
            if time < facts.start() + facts.kept_span() {
                self.noise_times.push(time);
            }
        }
        if row.text(F::Kind) == Some("alert") && !chain && noise == Some(false) {
            self.alert(row);
        }
        if row.has(F::UserEmail)
            && !chain
            && let Some(user) = row.text(F::UserName)
        {
            let key = digest(&user);
            if key % facts.plan.users.max(1) < PEOPLE && facts.keeps(user) {
                self.people.entry(key).or_default().push(time);
            }
        }
        self.stream.read(facts, row);
        self.process(row, chain);
        self.dns(row, chain);
        if let (Some(source), Some(destination), Some("tcp")) = (
            row.integer(F::SourceBytes),
            row.integer(F::DestinationBytes),
            row.text(F::Protocol),
        ) && source > 0
            && destination > 0
        {
            let (x, y) = ((source as f64).log10(), (destination as f64).log10());
            let total = ((source + destination) as f64).log10();
            let m = &mut self.bytes;
            m.n += 1;
            m.x += x;
            m.y += y;
            m.xx += x * x;
            m.yy += y * y;
            m.xy += x * y;
            m.total += total;
            m.total2 += total * total;
        }
    }

    /// Counts an alert by the place of its ends.
    pub fn end(&mut self, place: usize) {
        if let Some(count) = self.ends_of_alerts.get_mut(place) {
            *count += 1;
        }
    }

    fn alert(&mut self, row: &EventRow<'_>) {
        let port = match row.text(F::SensorDirection) {
            Some("to_client") => row.integer(F::SourcePort),
            _ => row.integer(F::DestinationPort),
        };
        let port = port.map_or(NOTHING.to_string(), |p| p.to_string());
        let values = [
            row.text(F::Severity),
            row.text(F::RuleCategory),
            row.text(F::RuleName),
            row.text(F::Protocol),
            Some(port.as_str()),
        ];
        for ((fact, counts), value) in COMPARED.iter().zip(&mut self.alerts).zip(values) {
            // An endpoint detection describes no flow, whatever the sensor's row contains.
            if *fact == "protocol" && value.is_none() {
                continue;
            }
            let value = value.unwrap_or(NOTHING);
            match counts.get_mut(value) {
                Some(count) => *count += 1,
                None => {
                    counts.insert(value.into(), 1);
                }
            }
        }
    }

    fn process(&mut self, row: &EventRow<'_>, chain: bool) {
        match row.integer(F::EventId) {
            Some(1) => {}
            Some(5) => {
                self.ends += 1;
                return;
            }
            _ => return,
        }
        self.starts += 1;
        let Some(sequence) = row.integer(F::Sequence) else {
            return;
        };
        if let Some(image) = row.text(F::Image) {
            keep(&mut self.images, &sequence, &image.to_lowercase());
        }
        if let (false, Some(command)) = (chain, row.text(F::CommandLine)) {
            keep(&mut self.commands, &sequence, &command);
        }
    }

    fn dns(&mut self, row: &EventRow<'_>, chain: bool) {
        let Some(name) = row.text(F::QuestionName) else {
            return;
        };
        let bin = |bits: f64| ((bits * 20.0).round() as usize).min(BINS - 1);
        if !chain && row.text(F::Kind) != Some("alert") {
            labels(name).for_each(|(_, bits)| self.benign[bin(bits)] += 1);
        } else if chain && row.text(F::Category).is_some_and(|c| c.contains("dga")) {
            // The generated label is the one with the highest entropy.
            let Some((label, bits)) = labels(name).max_by(|a, b| a.1.total_cmp(&b.1)) else {
                return;
            };
            match vowels(label) < 0.3 {
                true => self.random[bin(bits)] += 1,
                false => self.words += 1,
            }
        }
    }

    /// Adds the counts of later files.
    pub fn add(&mut self, other: Figures) {
        self.chain_rows += other.chain_rows;
        self.noise_rows += other.noise_rows;
        self.labelled |= other.labelled;
        for (category, counts) in other.categories {
            let mine = self.categories.entry(category).or_default();
            mine.iter_mut().zip(counts).for_each(|(m, n)| *m += n);
        }
        for (mine, theirs) in self.alerts.iter_mut().zip(other.alerts) {
            for (value, count) in theirs {
                *mine.entry(value).or_default() += count;
            }
        }
        self.noise_times.extend(other.noise_times);
        for (hour, count) in other.hours {
            *self.hours.entry(hour).or_default() += count;
        }
        for (user, times) in other.people {
            self.people.entry(user).or_default().extend(times);
        }
        for (mine, theirs) in [
            (&mut self.images, other.images),
            (&mut self.commands, other.commands),
        ] {
            mine.extend(theirs);
            while mine.len() > STARTS {
                mine.pop_last();
            }
        }
        self.starts += other.starts;
        self.ends += other.ends;
        for (mine, theirs) in [
            (&mut self.benign, &other.benign),
            (&mut self.random, &other.random),
        ] {
            mine.iter_mut().zip(theirs).for_each(|(m, t)| *m += t);
        }
        self.words += other.words;
        let ends = other.ends_of_alerts;
        self.ends_of_alerts
            .iter_mut()
            .zip(ends)
            .for_each(|(m, t)| *m += t);
        self.friction.add(other.friction);
        self.life.add(&other.life);
        self.stream.add(other.stream);
        let (m, o) = (&mut self.bytes, &other.bytes);
        m.n += o.n;
        m.x += o.x;
        m.y += o.y;
        m.xx += o.xx;
        m.yy += o.yy;
        m.xy += o.xy;
        m.total += o.total;
        m.total2 += o.total2;
    }

    /// Computes the figures and compares them with the thresholds.
    pub fn finish(
        mut self,
        facts: &Facts,
        thresholds: &Thresholds,
        (profile, alerts): (&Profile, &Alerts),
        given: bool,
        tallies: &mut Tallies,
    ) -> Vec<Figure> {
        let composition = &facts.manifest.composition;
        if self.labelled {
            for (what, found, wanted) in [
                ("of chains", self.chain_rows, composition.chain_events),
                ("of noise", self.noise_rows, composition.noise),
            ] {
                tallies.tried(A::CompositionCounts, found == wanted, || {
                    (
                        None,
                        format!("{wanted} rows {what}, as the manifest says"),
                        found.to_string(),
                    )
                });
            }
        }
        let mut values: BTreeMap<&str, (u64, Option<f64>)> = BTreeMap::new();
        let events = facts.manifest.events;
        if self.labelled {
            let share = |rows: u64| rows as f64 / events.max(1) as f64;
            let asked = &facts.manifest.asked;
            let gap = share(self.chain_rows) - asked.attack_chain_ratio;
            values.insert("composition.attack_gap", (events, Some(gap)));
            let gap = share(self.noise_rows) - asked.noise_ratio;
            values.insert("composition.noise_gap", (events, Some(gap)));
            let used = self.categories.values().filter(|counts| counts[0] > 0);
            // If the noise has too few rows, the plan cannot keep the share, and reports that.
            let needed = used.clone().map(|&[chain, noise, all]| {
                others_needed(chain, all.saturating_sub(chain + noise))
            });
            let has_room =
                needed.sum::<u64>() <= composition.noise.saturating_sub(composition.life);
            let least = used
                .clone()
                .map(|&[chain, _, all]| (all - chain) as f64 / all as f64)
                .min_by(f64::total_cmp);
            let rows = used.map(|counts| counts[2]).sum();
            // Chosen scenarios may have no rows of a category; the plan reports that, too.
            let has_room = has_room && facts.plan.config.scenario.is_empty();
            let value = least.filter(|_| has_room);
            values.insert("composition.other_share", (rows, value));
            values.insert("chains.friction", self.friction.share());
            self.life.shares(&mut values);
        }
        std::mem::take(&mut self.stream).finish(&mut values);
        // Allow for chance in few alerts; otherwise a small corpus could not pass.
        let mut allowances: BTreeMap<&str, f64> = BTreeMap::new();
        for (fact, counts) in COMPARED.iter().zip(&self.alerts) {
            let name = thresholds
                .figure
                .iter()
                .find(|t| t.name == format!("divergence.{fact}"));
            if let Some(threshold) = name {
                let rows = counts.values().sum();
                let (value, by_chance) = divergence(fact, counts, profile);
                values.insert(&threshold.name, (rows, value));
                allowances.insert(&threshold.name, by_chance);
            }
        }
        let ends = alerts.finish(&self.ends_of_alerts, tallies);
        values.insert("divergence.ends", ends);
        allowances.insert("divergence.ends", chance(4, ends.0));
        self.timing(facts, &mut values);
        self.shapes(&mut values);
        let hours_given = facts.plan.config.noise_hours.is_some();
        thresholds
            .figure
            .iter()
            .map(|t| {
                let (rows, value) = values.get(t.name.as_str()).copied().unwrap_or((0, None));
                let allowance = allowances.get(t.name.as_str()).copied();
                let range = (!(hours_given && t.hours))
                    .then_some((t.low, t.high + allowance.unwrap_or(0.0)));
                let wrong = |(low, high): (f64, f64)| value.is_some_and(|v| v < low || v > high);
                let outside = range.is_some_and(wrong);
                Figure {
                    name: t.name.clone(),
                    what: t.what.clone(),
                    rows,
                    value,
                    range,
                    // A divergence from a profile other than the corpus's own is not a failure.
                    status: match (outside, t.fails && (given || allowance.is_none())) {
                        _ if value.is_none() || rows < t.least => Status::NotApplicable,
                        (false, _) => Status::Passed,
                        (true, true) => Status::Failed,
                        (true, false) => Status::Warned,
                    },
                }
            })
            .collect()
    }

    fn timing(&mut self, facts: &Facts, values: &mut BTreeMap<&str, (u64, Option<f64>)>) {
        self.noise_times.sort_unstable();
        let gaps = self.noise_times.windows(2).map(|w| (w[1] - w[0]) as f64);
        let rows = self.noise_times.len() as u64;
        values.insert("timing.noise_cv", (rows, variation(gaps)));

        let offset = facts.plan.config.time_zone_offset * 1_000_000;
        let mut people: Vec<f64> = Vec::new();
        for times in self.people.values_mut() {
            times.sort_unstable();
            let working = |t: i64| {
                let local = t + offset;
                let hour = local.div_euclid(HOUR).rem_euclid(24);
                // 1970-01-01 was a Thursday.
                let weekday = (local.div_euclid(24 * HOUR) + 3).rem_euclid(7);
                (weekday < 5 && (8..18).contains(&hour)).then(|| local.div_euclid(24 * HOUR))
            };
            let gaps: Vec<f64> = times
                .windows(2)
                .filter(|w| working(w[0]).is_some() && working(w[0]) == working(w[1]))
                .map(|w| (w[1] - w[0]) as f64)
                .collect();
            if gaps.len() >= 50 {
                people.extend(variation(gaps.iter().copied()));
            }
        }
        people.sort_by(f64::total_cmp);
        let middle = people.get(people.len() / 2).copied();
        values.insert("timing.user_cv", (people.len() as u64, middle));

        let first = facts.start().div_euclid(HOUR);
        let hours = i64::from(facts.plan.config.days) * 24;
        let count = |hour: i64| self.hours.get(&(first + hour)).copied().unwrap_or(0) as f64;
        values.insert("timing.hourly", (rows, variation((0..hours).map(count))));
        let weeks = hours / 168;
        if weeks >= 2 {
            let mean = (0..hours).map(count).sum::<f64>() / hours as f64;
            let usual = |hour: i64| {
                (0..weeks).map(|w| count(w * 168 + hour % 168)).sum::<f64>() / weeks as f64
            };
            let whole = weeks * 168;
            let squares: f64 = (0..whole).map(|h| (count(h) - usual(h)).powi(2)).sum();
            let residual = (mean > 0.0).then(|| (squares / whole as f64).sqrt() / mean);
            values.insert("timing.hourly_residual", (rows, residual));
        }
    }

    fn shapes(&self, values: &mut BTreeMap<&str, (u64, Option<f64>)>) {
        // Use as many starts as the reference: a longer sample has a longer tail of images with one
        // start, which steepens the fit.
        let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
        for image in self.images.values() {
            *counts.entry(*image).or_default() += 1;
        }
        let mut images: Vec<u64> = counts.into_values().collect();
        images.sort_unstable_by(|a, b| b.cmp(a));
        let all: u64 = images.iter().sum();
        if all > 0 {
            let top: u64 = images.iter().take(10).sum();
            values.insert("process.top10", (all, Some(top as f64 / all as f64)));
            values.insert("process.zipf", (all, zipf(&images)));
        }
        let mut commands: Vec<u64> = self.commands.values().copied().collect();
        let rows = commands.len();
        commands.sort_unstable();
        commands.dedup();
        let share = (rows > 0).then(|| commands.len() as f64 / rows as f64);
        values.insert("process.distinct_commands", (rows as u64, share));
        let ratio = (self.ends > 0).then(|| self.starts as f64 / self.ends as f64);
        values.insert("process.starts_by_ends", (self.ends, ratio));

        let benign: u64 = self.benign.iter().sum();
        let random: u64 = self.random.iter().sum();
        let gap = median(&self.random)
            .zip(median(&self.benign))
            .map(|(r, b)| r - b);
        values.insert("dns.dga_gap", (random.min(benign), gap));
        let high: u64 = self.benign[71..].iter().sum();
        let share = (benign > 0).then(|| high as f64 / benign as f64);
        values.insert("dns.benign_high", (benign, share));
        let dga = random + self.words;
        let share = (dga > 0).then(|| self.words as f64 / dga as f64);
        values.insert("dns.word_family", (dga, share));

        let m = &self.bytes;
        let n = m.n as f64;
        if m.n > 0 {
            let deviation =
                |sum: f64, squares: f64| (squares / n - (sum / n).powi(2)).max(0.0).sqrt();
            values.insert("bytes.sd", (m.n, Some(deviation(m.total, m.total2))));
            let together = m.xy / n - (m.x / n) * (m.y / n);
            let apart = deviation(m.x, m.xx) * deviation(m.y, m.yy);
            let correlation = (apart > 0.0).then(|| together / apart);
            values.insert("bytes.correlation", (m.n, correlation));
        }
    }
}
