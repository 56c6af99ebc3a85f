//! Keyword rules, scenarios and playbooks: what can happen, resolved.

use std::collections::BTreeSet;

use super::load::{LONGEST_PLAYBOOK, check_platform, find_category, technique, weight};
use super::order;
use super::raw;
use toml::Spanned;

use super::record::{HostClass, Platform, Words, is_slug};
use super::records::{Records, Setting};
use super::scenario::{Sequence, Visit};
use super::source::{Source, Text};
use super::{
    Category, Heuristic, Image, Playbook, Record, Resident, Scenario, Step, Technique, Variant,
};
use crate::Result;

/// A chain's processes have this much room in their host's numbering.
const MOST_PROCESSES: usize = 32;
/// Records of one sequence.
const MOST_IN_SEQUENCE: usize = 16;
/// Sequences that open sessions: each has numbers of its own on every host.
pub const LOGIN_SEQUENCES: u8 = 16;

/// What the rest refers to.
pub(super) struct Tables<'a> {
    pub techniques: &'a [Technique],
    pub categories: &'a [Category],
    pub images: &'a [Image],
    pub residents: &'a [Resident],
}

/// How a variant's records come as one.
fn sequence(
    source: &Source,
    key: &Spanned<bool>,
    visit: Visit,
    by_hand: bool,
    records: &[Record],
    logins: &mut u8,
) -> Result<Sequence> {
    use super::record::Telemetry::{CredDisp, Login, Logoff, UserEnd};
    let is_closed = |record: &Record| matches!(record.telemetry, UserEnd | CredDisp | Logoff);
    let opening = records.iter().position(is_closed).unwrap_or(records.len());
    if !(2..=MOST_IN_SEQUENCE).contains(&records.len()) || opening == 0 {
        return Err(source.error_at(
            key,
            format!(
                "a sequence of {} records, {opening} before its end",
                records.len()
            ),
            format!("write 2 to {MOST_IN_SEQUENCE} records, and what opens the session first"),
        ));
    }
    let logs_in = records.iter().any(|record| record.telemetry == Login);
    if logs_in && (visit != Visit::RoundRobin || *logins >= LOGIN_SEQUENCES) {
        return Err(source.error_at(
            key,
            format!("the {}th sequence that opens a session", *logins + 1),
            format!("there may be {LOGIN_SEQUENCES}, and they visit hosts round_robin"),
        ));
    }
    *logins += u8::from(logs_in);
    Ok(Sequence {
        rows: records.len() as u8,
        opening: opening as u8,
        companions: order::companions(records) as u16,
        pauses: if by_hand {
            order::pauses(records) as u16
        } else {
            0
        },
        number: logs_in.then(|| *logins - 1),
    })
}

impl Tables<'_> {
    pub fn heuristics(&self, source: &Source) -> Result<Vec<Heuristic>> {
        let file: raw::HeuristicsFile = source.parse()?;
        source.unique("heuristic", file.heuristic.iter().map(|h| &h.name))?;
        let mut heuristics = Vec::new();
        for raw in &file.heuristic {
            for keyword in &raw.keywords {
                let word = keyword.get_ref();
                let fits =
                    |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"$_.-".contains(&b);
                if word.is_empty() || !word.bytes().all(fits) {
                    return Err(source.error_at(
                        keyword,
                        format!("{word:?} can never be found as a word"),
                        "write lower-case letters, digits and $ _ . - only",
                    ));
                }
            }
            if raw.keywords.is_empty() {
                return Err(source.error_at(
                    &raw.name,
                    "no keyword",
                    "add one, or take the rule out",
                ));
            }
            let in_signature = match raw.of.get_ref().as_str() {
                "signature" => true,
                "category" => false,
                _ => {
                    return Err(source.error_at(
                        &raw.of,
                        format!("keywords of {:?}", raw.of.get_ref()),
                        "write signature or category",
                    ));
                }
            };
            let found = raw
                .technique
                .as_ref()
                .map(|id| technique(source, self.techniques, id, raw.tactic.as_ref()))
                .transpose()?;
            let platform: Option<Platform> =
                raw.platform.as_ref().map(|p| source.word(p)).transpose()?;
            if let (Some((index, _)), Some(platform)) = (found, platform) {
                check_platform(
                    source,
                    &raw.name,
                    &self.techniques[index],
                    &[platform.attack_name()],
                )?;
            }
            let mut records = Vec::new();
            for record in &raw.record {
                // Each stands alone: none follows from another.
                let resolved = Records::new(
                    source,
                    self.images,
                    self.residents,
                    Setting::Alert(platform),
                )
                .resolve(record, None)?;
                if let Some((index, _)) = found {
                    let names = resolved.attack_names();
                    check_platform(source, &record.telemetry, &self.techniques[index], names)?;
                }
                records.push(resolved);
            }
            heuristics.push(Heuristic {
                name: raw.name.get_ref().clone(),
                keywords: raw.keywords.iter().map(|k| k.get_ref().clone()).collect(),
                in_signature,
                technique: found.map(|(index, _)| index),
                tactic: found.map_or(0, |(_, tactic)| tactic),
                platform,
                records,
            });
        }
        Ok(heuristics)
    }

    pub fn scenarios(&self, source: &Source) -> Result<Vec<Scenario>> {
        let file: raw::NoiseFile = source.parse()?;
        source.unique("scenario", file.scenario.iter().map(|s| &s.name))?;
        let mut scenarios = Vec::new();
        let mut logins = 0;
        for raw in &file.scenario {
            scenarios.push(Scenario {
                name: raw.name.get_ref().clone(),
                weight: weight(source, &raw.weight)?,
                variants: raw
                    .variant
                    .iter()
                    .map(|variant| self.variant(source, variant, &mut logins))
                    .collect::<Result<_>>()?,
            });
        }
        Ok(scenarios)
    }

    fn variant(&self, source: &Source, raw: &raw::Variant, logins: &mut u8) -> Result<Variant> {
        use super::scenario::Verdict;
        let is_sequence = raw.sequence.as_ref().is_some_and(|s| *s.get_ref());
        let category = find_category(source, &raw.category, self.categories)?;
        let hosts = class_of_one_platform(source, &raw.hosts)?;
        let verdict: Verdict = source.word(&raw.verdict)?;
        let triggers = verdict == Verdict::BenignTrigger;
        // Of a sequence one record is enough for a rule.
        let suits = |record: &&raw::Record| match is_sequence && triggers {
            true => !raw.record.iter().any(|record| record.alert),
            false => record.alert != triggers,
        };
        if let Some(record) = raw.record.iter().find(suits) {
            return Err(source.error_at(
                &record.telemetry,
                format!(
                    "a record {} alert in a variant whose verdict is {}",
                    if record.alert { "with" } else { "without" },
                    raw.verdict.get_ref()
                ),
                "benign_trigger rows are all alerts, others never are; make two variants",
            ));
        }
        if raw.record.is_empty() || raw.reason.get_ref().is_empty() {
            return Err(source.error_at(
                &raw.category,
                "a variant without a record or a reason",
                "say what it leaves behind, and why an analyst would close it",
            ));
        }
        let setting = match is_sequence {
            true => Setting::Sequence(hosts),
            false => Setting::Row(hosts),
        };
        let mut resolver = Records::new(source, self.images, self.residents, setting);
        let mut records = Vec::new();
        for record in &raw.record {
            let resolved = resolver.resolve(record, Some(&self.categories[category]))?;
            if resolved.alert
                && let Some(index) = self.categories[category].technique
            {
                let names = resolved.attack_names();
                check_platform(source, &record.telemetry, &self.techniques[index], names)?;
            }
            records.push(resolved);
        }
        let visit = source.word(&raw.visit)?;
        let by_hand = raw.people.unwrap_or(false);
        let sequence = match &raw.sequence {
            Some(key) if is_sequence => {
                Some(sequence(source, key, visit, by_hand, &records, logins)?)
            }
            _ => None,
        };
        Ok(Variant {
            category,
            weight: weight(source, &raw.weight)?,
            hosts,
            visit,
            verdict,
            records,
            sequence,
            people: by_hand,
            reason: raw.reason.get_ref().clone(),
        })
    }

    /// A playbook, and its name with its place.
    pub fn playbook(&self, source: &Source) -> Result<(Playbook, Text)> {
        let raw: raw::PlaybookFile = source.parse()?;
        if !is_slug(raw.name.get_ref()) {
            return Err(source.error_at(
                &raw.name,
                format!("{:?} is no slug", raw.name.get_ref()),
                "write [a-z][a-z0-9_]*, at most 64 bytes",
            ));
        }
        let hosts = raw
            .hosts
            .iter()
            .map(|class| class_of_one_platform(source, class))
            .collect::<Result<Vec<_>>>()?;
        if hosts.is_empty() || raw.step.is_empty() {
            return Err(source.error_at(
                &raw.name,
                "a playbook without hosts or steps",
                "name the victim's class in `hosts` and add at least one [[step]]",
            ));
        }
        let mut records = Records::new(source, self.images, self.residents, Setting::Chain(&hosts));
        let mut steps: Vec<Step> = Vec::new();
        let mut span = 0;
        for raw in &raw.step {
            let step = self.step(source, raw, &mut records)?;
            span += u64::from(step.delay[1])
                + u64::from(step.rounds[1]) * u64::from(step.round_seconds);
            if span > LONGEST_PLAYBOOK {
                return Err(source.error_at(
                    &raw.delay,
                    format!("the playbook may last {span} s up to here"),
                    format!("shorten delays or rounds: a chain ends within {LONGEST_PLAYBOOK} s"),
                ));
            }
            steps.push(step);
        }
        let processes = records.processes();
        if processes > MOST_PROCESSES {
            return Err(source.error_at(
                &raw.name,
                format!("{processes} processes are started"),
                format!("a chain has room for {MOST_PROCESSES}; split the playbook"),
            ));
        }
        order::end_processes(&mut steps);
        let playbook = Playbook {
            name: raw.name.get_ref().clone(),
            weight: weight(source, &raw.weight)?,
            hosts,
            steps,
            processes,
        };
        Ok((playbook, raw.name))
    }

    fn step(&self, source: &Source, raw: &raw::Step, records: &mut Records) -> Result<Step> {
        let category = find_category(source, &raw.category, self.categories)?;
        let (index, tactic) =
            technique(source, self.techniques, &raw.technique, Some(&raw.tactic))?;
        if raw.record.is_empty() == raw.alternative.is_empty() {
            return Err(source.error_at(
                &raw.category,
                "a step needs either records or alternatives",
                "write [[step.record]], or [[step.alternative]] with [[step.alternative.record]]",
            ));
        }
        let mut ways: Vec<(u32, &Vec<raw::Record>)> = Vec::new();
        if !raw.record.is_empty() {
            ways.push((1, &raw.record));
        }
        for alternative in &raw.alternative {
            let weight = match &alternative.weight {
                Some(weight) => self::weight(source, weight)?,
                None => 1,
            };
            ways.push((weight, &alternative.record));
        }
        let mut resolved = Vec::new();
        let mut alternatives = Vec::new();
        for (weight, way) in &ways {
            records.next_alternative();
            let first = resolved.len();
            for record in *way {
                let made = records.resolve(record, Some(&self.categories[category]))?;
                if made.alert {
                    let names = made.attack_names();
                    check_platform(source, &raw.technique, &self.techniques[index], names)?;
                }
                resolved.push(made);
            }
            if !resolved[first..].iter().any(|record| record.alert) {
                return Err(source.error_at(
                    way.first()
                        .map_or(&raw.category, |record| &record.telemetry),
                    "a step in which no rule fires",
                    "add alert = true to the record that a detection sees",
                ));
            }
            alternatives.push(order::way(*weight, first, &resolved));
        }
        records.end_step(ways.len());
        let rounds = match &raw.rounds {
            Some(rounds) => source.range(rounds, "rounds")?,
            None => [1, 1],
        };
        if let Some(at) = raw.rounds.as_ref().filter(|_| rounds[0] == 0) {
            return Err(source.error_at(
                at,
                "a step that may have no round",
                "write 1 or more; `blocked` says how often a step fails",
            ));
        }
        if (rounds[1] > 1 || raw.scales)
            && let Some(position) = resolved.iter().position(|record| record.starts.is_some())
        {
            return Err(source.error_at(
                ways.iter()
                    .flat_map(|(_, way)| way.iter())
                    .nth(position)
                    .map_or(&raw.category, |record| &record.telemetry),
                "a process that would start in every round",
                "start it in a step of its own before, and name it here with started:LABEL",
            ));
        }
        let blocked = raw.blocked.as_ref().map_or(0, |blocked| *blocked.get_ref());
        if let Some(at) = raw.blocked.as_ref().filter(|_| blocked > 1000) {
            return Err(source.error_at(
                at,
                "more than all are blocked",
                "write per mille, 0 to 1000",
            ));
        }
        Ok(Step {
            stage: raw.tactic.get_ref().clone(),
            category,
            technique: index,
            tactic,
            delay: source.range(&raw.delay, "delay")?,
            records: resolved,
            alternatives,
            rounds,
            scales: raw.scales,
            round_seconds: raw.round_seconds.unwrap_or(1),
            blocked,
        })
    }

    /// No category is a chain's alone: else the directory would be the label.
    pub fn check_categories_are_shared(
        &self,
        source: &Source,
        playbook: &Playbook,
        scenarios: &[Scenario],
    ) -> Result<()> {
        let in_noise: BTreeSet<usize> = scenarios
            .iter()
            .flat_map(|scenario| &scenario.variants)
            .map(|variant| variant.category)
            .collect();
        for step in &playbook.steps {
            if !in_noise.contains(&step.category) {
                let name = &self.categories[step.category].name;
                let at = source.text.find(&format!("\"{name}\"")).unwrap_or(0);
                return Err(source.error(
                    at,
                    format!("category {name} is used here but by no variant of noise.toml"),
                    "add a benign variant of that category, or choose another category",
                ));
            }
        }
        Ok(())
    }
}

/// Rows need a host whose platform is known before it is drawn.
fn class_of_one_platform(source: &Source, word: &Text) -> Result<HostClass> {
    let class: HostClass = source.word(word)?;
    if class.platform().is_some() {
        return Ok(class);
    }
    let known: Vec<&str> = HostClass::WORDS
        .iter()
        .filter(|(_, class)| class.platform().is_some())
        .map(|(word, _)| *word)
        .collect();
    Err(source.error_at(
        word,
        format!(
            "hosts of class {} can be of either platform",
            word.get_ref()
        ),
        format!("write one of {}", known.join(", ")),
    ))
}
