//! Constructed answers, derived from the plan and the truth without reading an event.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{Days, NaiveDate};
use serde_json::{Value as Json, json};

use super::columns::{Integers, Texts};
use super::parameters::{Parameters, Value};
use super::record::ResultRows as Table;
use super::source::Source;
use crate::error::Result;
use crate::plan::TruthTable;

/// Rows that `q39` shows.
const VICTIMS: usize = 50;

/// Answers by the number of the query.
type Answers = BTreeMap<&'static str, Table>;

/// Texts by number, so that counting compares integers.
#[derive(Default)]
struct Names {
    numbers: HashMap<String, u32>,
    texts: Vec<String>,
}

impl Names {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        let number = self.texts.len() as u32;
        self.numbers.insert(text.to_string(), number);
        self.texts.push(text.to_string());
        number
    }

    fn text(&self, number: u32) -> &str {
        &self.texts[number as usize]
    }

    fn or_null(&self, number: Option<u32>) -> Json {
        number.map_or(Json::Null, |number| json!(self.text(number)))
    }
}

/// Derives the answers of the queries with these numbers, by number.
///
/// # Errors
/// The truth cannot be read.
pub(super) fn construct(
    source: &dyn Source,
    parameters: &Parameters,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Answers> {
    let mut answers = Answers::new();
    counts(&mut answers, source, parameters);
    if ["q04", "q05"].into_iter().any(wanted) {
        indicators(&mut answers, source, parameters)?;
    }
    if wanted("q41") {
        lookalikes(&mut answers, source)?;
    }
    if ["q27", "q39", "q40", "q42", "q43"].into_iter().any(wanted) {
        steps(&mut answers, source, parameters)?;
    }
    answers.retain(|number, _| wanted(number));
    Ok(answers)
}

/// Answers that follow from the rows of the partitions.
fn counts(answers: &mut Answers, source: &dyn Source, parameters: &Parameters) {
    answers.insert("q00", vec![vec![json!(0)]]);
    let mut feeds: BTreeMap<&str, (u64, BTreeSet<&str>)> = BTreeMap::new();
    for partition in source.partitions().iter().filter(|p| p.rows > 0) {
        let feed = feeds.entry(&partition.category).or_default();
        feed.0 += partition.rows;
        feed.1.insert(&partition.date);
    }
    let feeds = feeds.into_iter().map(|(category, (rows, days))| {
        vec![
            json!(category),
            json!(rows),
            json!(days.len()),
            json!(days.first()),
            json!(days.last()),
        ]
    });
    answers.insert("q01", feeds.collect());
    if let Some(Value::Date(day)) = parameters.get("day") {
        let day = day.to_string();
        let of_day = source
            .partitions()
            .iter()
            .filter(|p| p.date == day && p.rows > 0);
        let mut rows: Vec<(u64, &str)> = of_day.map(|p| (p.rows, p.category.as_str())).collect();
        rows.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        let rows = rows
            .into_iter()
            .map(|(rows, category)| vec![json!(category), json!(rows)]);
        answers.insert("q38", rows.collect());
    }
    let place = ["place_sequence", "place_category", "place_day"].map(|name| parameters.get(name));
    if let [Some(sequence), Some(category), Some(day)] = place {
        answers.insert(
            "q33",
            vec![vec![json!(sequence), json!(category), json!(day), json!(1)]],
        );
    }
}

fn indicators(answers: &mut Answers, source: &dyn Source, parameters: &Parameters) -> Result<()> {
    let mut files: BTreeMap<String, (i64, i64, i64)> = BTreeMap::new();
    let columns = ["type", "value", "events", "first_seen", "last_seen"];
    source.truth(TruthTable::Iocs, None, &columns, &mut |rows| {
        let [kind, value] = rows.texts(["type", "value"]);
        let numbers = rows.integers(["events", "first_seen", "last_seen"]);
        for row in (0..rows.rows()).filter(|&row| kind.text(row) == Some("sha256")) {
            let hash = value.text(row).unwrap_or("");
            let [starts, first, last] = numbers.each_ref().map(|n| n.get(row).unwrap_or(0));
            let seen = files.entry(hash.to_string()).or_insert((0, first, last));
            *seen = (seen.0 + starts, seen.1.min(first), seen.2.max(last));
        }
        Ok(())
    })?;
    if let Some(Value::Text(pattern)) = parameters.get("hash_pattern") {
        let hash = pattern.trim_matches('%').trim_start_matches("SHA256=");
        if let Some((_, first, last)) = files.get(hash) {
            answers.insert("q04", vec![vec![json!(first), json!(last)]]);
        }
    }
    let rows = files.into_iter().map(|(hash, (starts, first, last))| {
        vec![json!(hash), json!(starts), json!(first), json!(last)]
    });
    answers.insert("q05", rows.collect());
    Ok(())
}

fn lookalikes(answers: &mut Answers, source: &dyn Source) -> Result<()> {
    let mut names = Names::default();
    let mut counts: HashMap<[u32; 4], u64> = HashMap::new();
    let columns = ["technique", "verdict", "scenario", "event_category"];
    source.truth(TruthTable::Lookalikes, None, &columns, &mut |rows| {
        let texts = rows.texts(columns);
        for row in 0..rows.rows() {
            let key = texts
                .each_ref()
                .map(|text| names.number(text.text(row).unwrap_or("")));
            *counts.entry(key).or_default() += 1;
        }
        Ok(())
    })?;
    let mut rows: Vec<([&str; 4], u64)> = (counts.into_iter())
        .map(|(key, count)| (key.map(|number| names.text(number)), count))
        .collect();
    rows.sort_unstable();
    let rows = rows.into_iter().map(|(key, count)| {
        let mut row: Vec<Json> = key.iter().map(|text| json!(text)).collect();
        row.push(json!(count));
        row
    });
    answers.insert("q41", rows.collect());
    Ok(())
}

fn steps(answers: &mut Answers, source: &dyn Source, parameters: &Parameters) -> Result<()> {
    let mut playbooks: HashMap<String, String> = HashMap::new();
    source.truth(
        TruthTable::Chains,
        None,
        &["attack_id", "playbook"],
        &mut |rows| {
            let [id, playbook] = rows.texts(["attack_id", "playbook"]);
            for row in 0..rows.rows() {
                let text = |texts: &Texts| texts.text(row).unwrap_or("").to_string();
                playbooks.insert(text(&id), text(&playbook));
            }
            Ok(())
        },
    )?;
    let attack = match parameters.get("attack") {
        Some(Value::Text(attack)) => Some(attack.as_str()),
        _ => None,
    };
    let mut counts = Steps::default();
    let columns = [&TEXTS[..], &NULLABLE[..], &INTEGERS[..]].concat();
    source.truth(TruthTable::Steps, None, &columns, &mut |rows| {
        let steps = StepRows {
            texts: rows.texts(TEXTS),
            nullable: rows.texts(NULLABLE),
            integers: rows.integers(INTEGERS),
        };
        for row in 0..rows.rows() {
            counts.add(&steps, row, &playbooks, attack);
        }
        Ok(())
    })?;
    counts.finish(answers);
    Ok(())
}

/// Columns of `steps` that are read.
const TEXTS: [&str; 6] = [
    "attack_id",
    "event_category",
    "technique",
    "tactic",
    "user",
    "outcome",
];
/// The host is null where a cloud or a service reports, the process where none starts.
const NULLABLE: [&str; 2] = ["host", "process_entity_id"];
const INTEGERS: [&str; 3] = ["step", "sequence", "event_date"];

/// Rows of `steps`.
struct StepRows {
    texts: [Texts; 6],
    nullable: [Texts; 2],
    integers: [Integers; 3],
}

/// Counts of steps in one pass.
#[derive(Default)]
struct Steps {
    names: Names,
    /// Steps, and those that start a process.
    by_category: HashMap<u32, (u64, u64)>,
    by_host: HashMap<u32, Group>,
    /// By day, tactic and outcome.
    by_day: HashMap<(i64, u32, u32), Group>,
    by_playbook: HashMap<u32, Group>,
    /// Steps of the chosen attack: count and first sequence.
    timeline: HashMap<StepKey, (u64, i64)>,
}

/// Events, and what differs among them.
#[derive(Default)]
struct Group {
    events: u64,
    attacks: HashSet<u32>,
    techniques: HashSet<u32>,
    hosts: HashSet<u32>,
    accounts: HashSet<u32>,
}

/// Step, technique, tactic, category, host, account, outcome.
type StepKey = (i64, u32, u32, u32, Option<u32>, u32, u32);

impl Steps {
    fn add(
        &mut self,
        rows: &StepRows,
        row: usize,
        playbooks: &HashMap<String, String>,
        attack: Option<&str>,
    ) {
        let names = &mut self.names;
        let ([attack_id, ..], [host, process]) = (&rows.texts, &rows.nullable);
        let text = attack_id.text(row).unwrap_or("");
        let mut number = |texts: &Texts| names.number(texts.text(row).unwrap_or(""));
        let [id, category, technique, tactic, account, outcome] =
            rows.texts.each_ref().map(&mut number);
        let host = host.text(row).map(|host| names.number(host));
        let [step, sequence, date] = (rows.integers.each_ref()).map(|i| i.get(row).unwrap_or(0));
        let (steps, starts) = self.by_category.entry(category).or_default();
        *steps += 1;
        *starts += u64::from(process.at(row).is_some());
        if let Some(host) = host {
            let group = self.by_host.entry(host).or_default();
            group.events += 1;
            group.attacks.insert(id);
            group.techniques.insert(technique);
        }
        let group = self.by_day.entry((date, tactic, outcome)).or_default();
        group.events += 1;
        group.attacks.insert(id);
        if let Some(playbook) = playbooks.get(text) {
            let playbook = names.number(playbook);
            let group = self.by_playbook.entry(playbook).or_default();
            group.events += 1;
            group.attacks.insert(id);
            group.techniques.insert(technique);
            group.hosts.extend(host);
            group.accounts.insert(account);
        }
        if attack == Some(text) {
            let key = (step, technique, tactic, category, host, account, outcome);
            let seen = self.timeline.entry(key).or_insert((0, sequence));
            *seen = (seen.0 + 1, seen.1.min(sequence));
        }
    }

    fn finish(self, answers: &mut Answers) {
        let names = &self.names;
        let text = |number: u32| names.text(number);
        let categories: BTreeMap<&str, (u64, u64)> = (self.by_category.iter())
            .map(|(&c, &n)| (text(c), n))
            .collect();
        let rows = categories.iter().map(|(category, (steps, starts))| {
            // The events agree with all of them.
            vec![
                json!(category),
                json!(steps),
                json!(steps),
                json!(starts),
                json!(starts),
            ]
        });
        answers.insert("q27", rows.collect());

        let mut hosts: Vec<(&str, &Group)> =
            self.by_host.iter().map(|(&h, g)| (text(h), g)).collect();
        hosts.sort_by(|a, b| b.1.events.cmp(&a.1.events).then(a.0.cmp(b.0)));
        let groups = hosts.len();
        let rows = hosts.iter().take(VICTIMS).map(|(host, g)| {
            vec![
                json!(host),
                json!(g.events),
                json!(g.attacks.len()),
                json!(g.techniques.len()),
                json!(groups),
            ]
        });
        answers.insert("q39", rows.collect());

        let mut days: Vec<(i64, &str, &str, &Group)> = (self.by_day.iter())
            .map(|(&(day, tactic, outcome), g)| (day, text(tactic), text(outcome), g))
            .collect();
        days.sort_by(|a, b| (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)));
        let rows = days.iter().map(|(day, tactic, outcome, g)| {
            let day = NaiveDate::default().checked_add_days(Days::new(*day as u64));
            vec![
                json!(day),
                json!(tactic),
                json!(outcome),
                json!(g.events),
                json!(g.attacks.len()),
            ]
        });
        answers.insert("q42", rows.collect());

        let playbooks: BTreeMap<&str, &Group> = self
            .by_playbook
            .iter()
            .map(|(&p, g)| (text(p), g))
            .collect();
        let rows = playbooks.iter().map(|(playbook, g)| {
            let sizes = [
                g.attacks.len(),
                g.events as usize,
                g.hosts.len(),
                g.accounts.len(),
                g.techniques.len(),
            ];
            std::iter::once(json!(playbook))
                .chain(sizes.map(|n| json!(n)))
                .collect()
        });
        answers.insert("q43", rows.collect());

        if !self.timeline.is_empty() {
            let mut steps: Vec<_> = self.timeline.iter().collect();
            steps.sort_by_key(
                |((step, _, _, category, host, account, outcome), (_, first))| {
                    let host = host.map(text);
                    (
                        *step,
                        *first,
                        text(*category),
                        host.is_none(),
                        host,
                        text(*account),
                        text(*outcome),
                    )
                },
            );
            let rows = steps.iter().map(
                |((step, technique, tactic, category, host, account, outcome), (n, first))| {
                    vec![
                        json!(step),
                        json!(text(*technique)),
                        json!(text(*tactic)),
                        json!(text(*category)),
                        names.or_null(*host),
                        json!(text(*account)),
                        json!(text(*outcome)),
                        json!(n),
                        json!(first),
                    ]
                },
            );
            answers.insert("q40", rows.collect());
        }
    }
}
