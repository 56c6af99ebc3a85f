//! Resolves keyword rules, scenarios and playbooks.

use std::collections::BTreeSet;

use super::lookup::{check_platform, find_category, find_technique, weight};
use super::order;
use super::raw;
use toml::Spanned;

use super::place::HostClass;
use super::records::{RecordResolver, Setting};
use super::scenario::{Sequence, Visit};
use super::source::{Source, Text};
use super::words::{TomlWord, is_slug};
use super::{
    Category, Heuristic, Image, Playbook, Record, Resident, Scenario, Step, Technique, Variant,
};
use crate::error::Result;
use crate::kinds::Platform;

/// Maximum duration of a playbook in seconds, rounds included: three days.
const LONGEST_PLAYBOOK: u64 = 3 * 86_400;
/// Maximum number of processes per chain: each host's numbering reserves this many.
const MOST_PROCESSES: usize = 32;
/// Maximum number of records per sequence.
const MOST_IN_SEQUENCE: usize = 16;
/// Maximum number of sequences that open sessions. Each has its own session numbers on every host.
pub const LOGIN_SEQUENCES: u8 = 16;

/// The tables that keyword rules, scenarios and playbooks refer to.
pub(super) struct CatalogTables<'a> {
    pub techniques: &'a [Technique],
    pub categories: &'a [Category],
    pub images: &'a [Image],
    pub residents: &'a [Resident],
}

/// Resolves a variant whose records form a sequence. `logins` counts the sequences that open sessions.
fn sequence(
    source: &Source,
    key: &Spanned<bool>,
    visit: Visit,
    by_hand: bool,
    records: &[Record],
    logins: &mut u8,
) -> Result<Sequence> {
    use crate::kinds::Telemetry::{CredDisp, Login, Logoff, UserEnd};
    let is_closed = |record: &Record| matches!(record.telemetry, UserEnd | CredDisp | Logoff);
    let opening = records.iter().position(is_closed).unwrap_or(records.len());
    if !(2..=MOST_IN_SEQUENCE).contains(&records.len()) || opening == 0 {
        let problem = match (opening, records.len()) {
            (0, _) => "the sequence begins with the end of a session".to_owned(),
            (_, 1) => "the sequence has only one record".to_owned(),
            (_, count) => format!("the sequence has {count} records"),
        };
        return Err(source.error_at(
            key,
            problem,
            format!("use 2 to {MOST_IN_SEQUENCE} records, and open the session before it ends"),
        ));
    }
    let logs_in = records.iter().any(|record| record.telemetry == Login);
    if logs_in && visit != Visit::RoundRobin {
        return Err(source.error_at(
            key,
            "a sequence that opens a session must visit its hosts in turn",
            "use visit = \"round_robin\"",
        ));
    }
    if logs_in && *logins >= LOGIN_SEQUENCES {
        return Err(source.error_at(
            key,
            format!("more than {LOGIN_SEQUENCES} sequences open a session"),
            "remove one, or remove its record of telemetry = \"login\"",
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

impl CatalogTables<'_> {
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
                        format!("keyword {word:?} cannot match"),
                        "use only lower-case letters, digits and $ _ . -",
                    ));
                }
            }
            if raw.keywords.is_empty() {
                return Err(source.error_at(
                    &raw.name,
                    "the rule has no keyword",
                    "add one, or remove the rule",
                ));
            }
            let in_signature = match raw.of.get_ref().as_str() {
                "signature" => true,
                "category" => false,
                _ => {
                    return Err(source.error_at(
                        &raw.of,
                        format!("unknown keyword target {:?}", raw.of.get_ref()),
                        "use signature or category",
                    ));
                }
            };
            let found = raw
                .technique
                .as_ref()
                .map(|id| find_technique(source, self.techniques, id, raw.tactic.as_ref()))
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
                // Each record is an alternative of its own, so none can name another's process.
                let resolved = RecordResolver::new(
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
                weight: *raw.weight.get_ref(),
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
        // In a sequence, one alert is enough.
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
                "all rows of a benign_trigger are alerts, rows of other verdicts never are; split the variant",
            ));
        }
        if raw.record.is_empty() || raw.reason.get_ref().is_empty() {
            return Err(source.error_at(
                &raw.category,
                "the variant has no record or no reason",
                "add a record, and the `reason` why an analyst would close it",
            ));
        }
        let setting = match is_sequence {
            true => Setting::Sequence(hosts),
            false => Setting::Row(hosts),
        };
        let mut resolver = RecordResolver::new(source, self.images, self.residents, setting);
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
            weight: *raw.weight.get_ref(),
            hosts,
            visit,
            verdict,
            records,
            sequence,
            people: by_hand,
            reason: raw.reason.get_ref().clone(),
        })
    }

    /// A playbook, and its name with its position in the file.
    pub fn playbook(&self, source: &Source) -> Result<(Playbook, Text)> {
        let raw: raw::PlaybookFile = source.parse()?;
        if !is_slug(raw.name.get_ref()) {
            return Err(source.error_at(
                &raw.name,
                format!("{:?} is not a slug", raw.name.get_ref()),
                "use [a-z][a-z0-9_]*, at most 64 bytes",
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
                "the playbook has no hosts or no steps",
                "name the victim's class in `hosts` and add at least one [[step]]",
            ));
        }
        let mut records =
            RecordResolver::new(source, self.images, self.residents, Setting::Chain(&hosts));
        let mut steps: Vec<Step> = Vec::new();
        let mut span = 0;
        for raw in &raw.step {
            let step = self.step(source, raw, &mut records)?;
            span += u64::from(step.delay[1])
                + u64::from(step.rounds[1]) * u64::from(step.round_seconds);
            if span > LONGEST_PLAYBOOK {
                return Err(source.error_at(
                    &raw.delay,
                    format!("the playbook may take {span} s up to the end of this step"),
                    format!("shorten delays or rounds; the maximum is {LONGEST_PLAYBOOK} s"),
                ));
            }
            steps.push(step);
        }
        let processes = records.processes();
        if processes > MOST_PROCESSES {
            return Err(source.error_at(
                &raw.name,
                format!("the playbook starts {processes} processes"),
                format!("split the playbook; the maximum is {MOST_PROCESSES}"),
            ));
        }
        order::end_processes(&mut steps);
        let playbook = Playbook {
            name: raw.name.get_ref().clone(),
            weight: *raw.weight.get_ref(),
            about: source.heading(),
            hosts,
            steps,
            processes,
        };
        Ok((playbook, raw.name))
    }

    fn step(&self, source: &Source, raw: &raw::Step, records: &mut RecordResolver) -> Result<Step> {
        let category = find_category(source, &raw.category, self.categories)?;
        let (index, tactic) =
            find_technique(source, self.techniques, &raw.technique, Some(&raw.tactic))?;
        if raw.record.is_empty() == raw.alternative.is_empty() {
            return Err(source.error_at(
                &raw.category,
                "a step needs either records or alternatives",
                "add [[step.record]], or [[step.alternative]] with [[step.alternative.record]]",
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
                    "no rule fires in this step or alternative",
                    "add alert = true to the record that the detection sees",
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
                "a step needs at least one round",
                "use 1 or more; `blocked` sets how often a step fails",
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
                "a step with several rounds cannot start a process",
                "start it in an earlier step, and name it here as started:LABEL",
            ));
        }
        let blocked = raw.blocked.as_ref().map_or(0, |blocked| *blocked.get_ref());
        if let Some(at) = raw.blocked.as_ref().filter(|_| blocked > 1000) {
            return Err(source.error_at(
                at,
                "`blocked` is more than 1000 per mille",
                "use a value from 0 to 1000",
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

    /// Checks that noise uses every category of a playbook; otherwise the directory would be the label.
    pub fn check_categories_are_shared(
        &self,
        source: &Source,
        playbook: &Playbook,
        scenarios: &[Scenario],
    ) -> Result<()> {
        // A playbook that never runs needs no benign rows, and a scenario that never occurs has none.
        if playbook.weight == 0 {
            return Ok(());
        }
        let in_noise: BTreeSet<usize> = scenarios
            .iter()
            .filter(|scenario| scenario.weight > 0)
            .flat_map(|scenario| &scenario.variants)
            .filter(|variant| variant.weight > 0)
            .map(|variant| variant.category)
            .collect();
        for step in &playbook.steps {
            if !in_noise.contains(&step.category) {
                let name = &self.categories[step.category].name;
                let at = source.text.find(&format!("\"{name}\"")).unwrap_or(0);
                return Err(source.error(
                    at,
                    format!("category {name} is used by no variant of noise.toml"),
                    "add a benign variant of that category, or choose another category",
                ));
            }
        }
        Ok(())
    }
}

/// A host class of one platform. The platform must be known before a host is drawn.
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
        format!("hosts of class {} can run either platform", word.get_ref()),
        format!("use one of {}", known.join(", ")),
    ))
}
