//! An HTML report about a finished corpus: a summary, how to load it, and its content.
//!
//! Reads only what `sink/` wrote (metadata, events, truth, entities): no world, no frame. So the
//! page shows exactly what is in the files. From the catalog it uses only ATT&CK's names. The page is
//! a function of the corpus and does not depend on paths, clocks or threads.

mod attack;
mod card;
mod events;
mod example;
mod packed;
pub(crate) mod page;
mod read;
mod sizes;
mod time;
mod trees;
mod truth;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;

use crate::catalog::Catalog;
use crate::check;
use crate::corpus::{Corpus, Manifest, PlanFile, manifest, refuse_inside};
use crate::error::{Error, Result};
use crate::plan::config::Labels;
use crate::progress::Progress;

use attack::Matrix;
use card::Card;
use events::{ByKind, Counts, Kinds};
use example::Example;
use packed::Packed;
use sizes::Sizes;
use time::{Timeline, Week};
use truth::{Playbook, Techniques};

/// Number of bars in the plots of categories and signatures.
const TOP: usize = 20;

/// A finished Parquet corpus.
#[derive(Debug)]
pub struct ParquetCorpus {
    corpus: Corpus,
    /// All existing files.
    there: BTreeSet<String>,
    plan: PlanFile,
    manifest: Manifest,
}

impl ParquetCorpus {
    /// Opens a corpus.
    ///
    /// # Errors
    /// The directory has no corpus, an unfinished one, or one whose events are not Parquet.
    pub fn open(corpus: Corpus) -> Result<Self> {
        let (plan, manifest) = manifest::finished_parquet(&corpus, "report")?;
        let there = corpus.list()?.into_iter().map(|(path, _)| path).collect();
        Ok(ParquetCorpus {
            corpus,
            there,
            manifest,
            plan,
        })
    }

    /// Number of events in the manifest.
    pub fn events(&self) -> u64 {
        self.manifest.events
    }

    /// Refuses an output path inside the corpus, which must not contain other files.
    ///
    /// # Errors
    /// `output` is inside the corpus.
    pub fn refuse_inside(&self, output: &Path) -> Result<()> {
        refuse_inside(&self.corpus.root, output)
    }

    /// Existing files of a truth table.
    fn truth(&self, table: &str) -> Vec<&str> {
        let prefix = format!("truth/{table}/");
        self.tables(|path| path.starts_with(&prefix))
    }

    fn tables(&self, wanted: impl Fn(&str) -> bool) -> Vec<&str> {
        let tables = self.plan.tables.iter().map(String::as_str);
        let there = tables.filter(|path| wanted(path) && self.there.contains(*path));
        there.collect()
    }
}

/// A name with its counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Named {
    name: String,
    /// By kind.
    counts: Vec<u64>,
    total: u64,
}

/// The most frequent names, and totals of the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Top {
    names: Vec<Named>,
    /// Total number of names.
    distinct: usize,
    /// Number of events of names that are not shown.
    others: u64,
}

/// A playbook with its chains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct NamedPlaybook {
    name: String,
    #[serde(flatten)]
    playbook: Playbook,
}

/// A group of entities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Entities {
    name: String,
    more: String,
    count: u64,
}

/// The events of one kind of record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Telemetry {
    /// Empty for records that name none.
    provider: String,
    code: String,
    events: u64,
}

/// All values on the page.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    card: Card,
    /// The corpus as the user named it, for code to paste.
    #[serde(skip)]
    place: String,
    kinds: &'static [&'static str],
    /// Events by kind.
    kind_events: Vec<u64>,
    /// Events by verdict, most frequent first; empty without labels.
    verdicts: Vec<(String, u64)>,
    timeline: Timeline,
    week: Week,
    categories: Top,
    signatures: Top,
    attack: Matrix,
    playbooks: Vec<NamedPlaybook>,
    /// The chain that the page shows first.
    chain: Option<Example>,
    /// Other chains to choose, of every playbook.
    chains: Vec<Packed>,
    /// Events by provider and code of the record, most frequent first.
    telemetry: Vec<Telemetry>,
    /// Sizes of the files of each table.
    sizes: Vec<Sizes>,
    /// The result of `check`, if it was asked for.
    checked: Option<check::Report>,
    /// Hosts by role and platform.
    hosts: Vec<Entities>,
    /// Accounts by kind and domain.
    accounts: Vec<Entities>,
    /// Tables that are missing from the directory.
    missing: Vec<&'static str>,
}

impl Report {
    /// Reads a corpus. The chains with these ids are on the page, and the first of them is shown.
    ///
    /// # Errors
    /// A file is missing or broken, or the corpus has no such chain.
    pub fn new(source: &ParquetCorpus, chains: &[String], progress: &dyn Progress) -> Result<Self> {
        let (corpus, plan) = (&source.corpus, &source.plan);
        let (playbooks, chosen) = truth::chains(corpus, &source.truth("chains"), chains)?;
        let kinds = match plan.config.labels {
            Labels::Full => Kinds::Labelled,
            Labels::None => Kinds::Unlabelled,
        };
        let clock = time::Clock::new(plan.config.start, plan.config.days);
        let shards = plan.shards.iter().map(|s| (s.path.as_str(), s.rows));
        let files: Vec<_> = shards.collect();
        progress.step("read events");
        let counts = Counts::of(corpus, &files, kinds, clock.bin(), progress)?;
        if !clock.holds(&counts.bins) {
            return Err(Error::input(
                &corpus.root,
                None,
                "an event is outside the window in plan.json",
                "events or plan.json were changed; generate the corpus again",
            ));
        }
        let names = kinds.names();

        progress.step("read truth and entities");
        let steps = truth::techniques(corpus, &source.truth("steps"))?;
        let lookalikes = truth::techniques(corpus, &source.truth("lookalikes"))?;
        let catalog = Catalog::embedded()?;
        let attack = Matrix::new(&steps, &counts.techniques, &lookalikes, &catalog.techniques);

        let all = source.tables(|path| path.starts_with("truth/"));
        let mut examples = example::examples(corpus, plan, &all, chosen)?;
        let is_there = |name: &&String| examples.iter().any(|it| it.chain.id == **name);
        if let Some(missing) = chains.iter().find(|name| !is_there(name)) {
            return Err(Error::input(
                &corpus.root.join("truth/steps"),
                None,
                format!("the events of chain '{missing}' are not there"),
                "copy the corpus again, with all its files",
            ));
        }
        let others = examples.split_off(examples.len().min(1)).into_par_iter();
        let others: std::io::Result<_> = others.map(Packed::new).collect();
        let entities = |file: &str, columns| match source.tables(|path| path == file)[..] {
            [file] => truth::entities(corpus, file, columns).map(listed),
            _ => Ok(Vec::new()),
        };
        let mut verdicts: Vec<(String, u64)> = counts.verdicts.clone().into_iter().collect();
        verdicts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let mut playbooks: Vec<NamedPlaybook> = playbooks
            .into_iter()
            .map(|(name, playbook)| NamedPlaybook { name, playbook })
            .collect();
        playbooks.sort_by_key(|p| std::cmp::Reverse(p.playbook.events));
        let there = |prefix: &str| {
            let planned = plan.tables.iter().any(|path| path.starts_with(prefix));
            !planned || !source.tables(|path| path.starts_with(prefix)).is_empty()
        };
        let missing = ["truth", "entities"].into_iter();
        Ok(Report {
            card: Card::new(plan, &source.manifest),
            place: place(&corpus.root),
            kinds: names,
            kind_events: counts.events()[..names.len()].to_vec(),
            verdicts,
            timeline: clock.timeline(&counts.bins, names.len()),
            week: clock.week(&counts.bins, names.len()),
            categories: top(&counts.categories, names.len()),
            signatures: top(&counts.signatures, names.len()),
            attack,
            playbooks,
            chain: examples.pop(),
            chains: others.map_err(|e| Error::io(&corpus.root, "compress", e))?,
            telemetry: telemetry(counts.telemetry),
            sizes: Sizes::of(&source.manifest),
            checked: None,
            hosts: entities("entities/assets.parquet", ["role", "platform"])?,
            accounts: entities("entities/users.parquet", ["kind", "domain"])?,
            missing: missing.filter(|table| !there(table)).collect(),
        })
    }

    /// Adds the result of `check` of the same corpus.
    pub fn with_check(mut self, checked: check::Report) -> Self {
        self.checked = Some(checked);
        self
    }

    /// Number of events counted.
    pub fn events(&self) -> u64 {
        self.kind_events.iter().sum()
    }

    /// The corpus's fingerprint.
    pub fn fingerprint(&self) -> &str {
        &self.card.fingerprint
    }

    /// Writes the page; returns its size in bytes.
    ///
    /// # Errors
    /// The page cannot be written there.
    pub fn write(&self, path: &Path) -> Result<u64> {
        page::write(&page::html(self)?, path)
    }
}

/// The path of a corpus for code to paste; a placeholder if quotes or escapes would be needed.
fn place(root: &Path) -> String {
    let plain = |text: &&str| !text.contains(['\'', '"', '\\', '*', '?', '[', '{']);
    root.to_str().filter(plain).unwrap_or("CORPUS").to_string()
}

/// Sorts by descending frequency, then by name.
fn top(counts: &BTreeMap<String, ByKind>, kinds: usize) -> Top {
    let each = counts.iter().map(|(name, counts)| Named {
        name: name.clone(),
        counts: counts[..kinds].to_vec(),
        total: counts.iter().sum(),
    });
    let mut names: Vec<Named> = each.collect();
    names.sort_by_key(|named| std::cmp::Reverse(named.total));
    let distinct = names.len();
    let others = names.split_off(distinct.min(TOP));
    Top {
        names,
        distinct,
        others: others.iter().map(|named| named.total).sum(),
    }
}

/// Kinds of records, most frequent first.
fn telemetry(counts: Techniques) -> Vec<Telemetry> {
    let each = counts
        .into_iter()
        .map(|((provider, code), events)| Telemetry {
            provider,
            code,
            events,
        });
    let mut all: Vec<Telemetry> = each.collect();
    all.sort_by_key(|kind| std::cmp::Reverse(kind.events));
    all
}

/// Groups of entities, largest first.
fn listed(counts: Techniques) -> Vec<Entities> {
    let each = counts.into_iter();
    let each = each.map(|((name, more), count)| Entities { name, more, count });
    let mut list: Vec<Entities> = each.collect();
    list.sort_by_key(|group| std::cmp::Reverse(group.count));
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_shown_is_counted() {
        let many = (0..TOP as u64 + 3).map(|i| (format!("c{i:02}"), [i, 1, 0]));
        let top = top(&many.collect(), 2);
        assert_eq!(
            (top.names.len(), top.distinct, top.others),
            (TOP, TOP + 3, 1 + 2 + 3)
        );
        assert_eq!(top.names[0].name, format!("c{}", TOP + 2));
        assert_eq!(top.names[0].counts.len(), 2);
    }
}
