//! A page about a finished corpus, for people: what it is, how to load it, what is in it.
//!
//! Reads what `sink/` wrote (papers, events, truth, entities) and nothing else: no world,
//! no frame. So what it shows is what stands in the files. Of the catalog it knows
//! ATT&CK's names. The page is a function of the corpus: no path, clock or thread decides it.

mod attack;
mod card;
mod events;
mod example;
mod page;
mod read;
mod time;
mod trees;
mod truth;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::catalog::Catalog;
use crate::corpus::file::Whole;
use crate::corpus::{Manifest, PlanFile, manifest};
use crate::error::{Error, Result};
use crate::plan::config::Labels;
use crate::progress::Progress;

use attack::Matrix;
use card::Card;
use events::{ByKind, Counts, Kinds};
use example::Example;
use time::{Timeline, Week};
use truth::{Playbook, Techniques};

/// Bars of the plots of categories and signatures.
const TOP: usize = 20;

/// A finished Parquet corpus.
#[derive(Debug)]
pub struct Source {
    root: PathBuf,
    plan: PlanFile,
    manifest: Manifest,
}

impl Source {
    /// Looks at a directory.
    ///
    /// # Errors
    /// It holds no corpus, an unfinished one, or one whose events are not Parquet.
    pub fn open(root: &Path) -> Result<Self> {
        let (plan, manifest) = manifest::finished(root, "report")?;
        Ok(Source {
            root: root.to_path_buf(),
            manifest,
            plan,
        })
    }

    /// Events that the manifest tells of.
    pub fn events(&self) -> u64 {
        self.manifest.events
    }

    /// Refuses to write into the corpus, where nothing else may be.
    ///
    /// # Errors
    /// `output` lies in the corpus.
    pub fn refuse_inside(&self, output: &Path) -> Result<()> {
        let directory = match output.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        // The nearest directory that is there already.
        let there = directory.ancestors().find_map(|d| d.canonicalize().ok());
        match (there, self.root.canonicalize()) {
            (Some(directory), Ok(root)) if directory.starts_with(&root) => Err(Error::Output {
                path: output.to_path_buf(),
                problem: "this is inside the corpus, which holds nothing but its own files".into(),
                remedy: "give an --output outside of it".into(),
            }),
            _ => Ok(()),
        }
    }

    /// Files of a table of truth that are there.
    fn truth(&self, table: &str) -> Vec<&str> {
        let prefix = format!("truth/{table}/");
        self.tables(|path| path.starts_with(&prefix))
    }

    fn tables(&self, wanted: impl Fn(&str) -> bool) -> Vec<&str> {
        let tables = self.plan.tables.iter().map(String::as_str);
        let there = tables.filter(|path| wanted(path) && self.root.join(path).exists());
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

/// The most frequent names, and what is behind them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Top {
    names: Vec<Named>,
    /// Names in all.
    distinct: usize,
    /// Events of the names that are not shown.
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

/// Everything that the page shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    card: Card,
    kinds: &'static [&'static str],
    /// Events by kind.
    kind_events: Vec<u64>,
    /// Events by verdict, the most frequent first; none without labels.
    verdicts: Vec<(String, u64)>,
    timeline: Timeline,
    week: Week,
    categories: Top,
    signatures: Top,
    attack: Matrix,
    playbooks: Vec<NamedPlaybook>,
    chain: Option<Example>,
    /// Hosts by role and platform.
    hosts: Vec<Entities>,
    /// Accounts by kind, and the domain they are of.
    accounts: Vec<Entities>,
    /// Tables that are not in the directory.
    missing: Vec<&'static str>,
}

impl Report {
    /// Reads a corpus.
    ///
    /// # Errors
    /// A file is missing or broken.
    pub fn new(source: &Source, progress: &dyn Progress) -> Result<Self> {
        let (root, plan) = (source.root.as_path(), &source.plan);
        let kinds = match plan.config.labels {
            Labels::Full => Kinds::Labelled,
            Labels::None => Kinds::Unlabelled,
        };
        let clock = time::Clock::new(plan.config.start, plan.config.days);
        let shards = plan.shards.iter().map(|s| (s.path.as_str(), s.rows));
        let files: Vec<_> = shards.collect();
        let counts = Counts::of(root, &files, kinds, clock.bin(), progress)?;
        if !clock.holds(&counts.bins) {
            return Err(Error::input(
                root,
                None,
                "an event is outside of the window that plan.json says",
                "events or plan.json were changed; make the corpus again",
            ));
        }
        let names = kinds.names();

        let steps = truth::techniques(root, &source.truth("steps"))?;
        let lookalikes = truth::techniques(root, &source.truth("lookalikes"))?;
        let catalog = Catalog::embedded()?;
        let attack = Matrix::new(&steps, &counts.techniques, &lookalikes, &catalog.techniques);

        let (playbooks, best) = truth::chains(root, &source.truth("chains"))?;
        let all = source.tables(|path| path.starts_with("truth/"));
        let chain = match best {
            Some(best) => example::example(root, plan, &all, best)?,
            None => None,
        };
        let entities = |file: &str, columns| match source.tables(|path| path == file)[..] {
            [file] => truth::entities(root, file, columns).map(listed),
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
            kinds: names,
            kind_events: counts.events()[..names.len()].to_vec(),
            verdicts,
            timeline: clock.timeline(&counts.bins, names.len()),
            week: clock.week(&counts.bins, names.len()),
            categories: top(&counts.categories, names.len()),
            signatures: top(&counts.signatures, names.len()),
            attack,
            playbooks,
            chain,
            hosts: entities("entities/assets.parquet", ["role", "platform"])?,
            accounts: entities("entities/users.parquet", ["kind", "domain"])?,
            missing: missing.filter(|table| !there(table)).collect(),
        })
    }

    /// Events that were counted.
    pub fn events(&self) -> u64 {
        self.kind_events.iter().sum()
    }

    /// The corpus's fingerprint.
    pub fn fingerprint(&self) -> &str {
        &self.card.fingerprint
    }

    /// Writes the page; returns its bytes.
    ///
    /// # Errors
    /// It can't be written there.
    pub fn write(&self, path: &Path) -> Result<u64> {
        let html = page::html(self)?;
        let refused = |error: Error| match error {
            Error::Io { action, source, .. } => Error::Output {
                path: path.to_path_buf(),
                problem: format!("the page can't be written here: cannot {action}: {source}"),
                remedy: "give an --output in a directory that you may write to".into(),
            },
            other => other,
        };
        let mut file = Whole::create(path).map_err(refused)?;
        file.write_all(html.as_bytes())
            .map_err(|e| refused(Error::io(path, "write", e)))?;
        file.finish().map_err(refused)?;
        Ok(html.len() as u64)
    }
}

/// The most frequent first; ties by name.
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

/// Groups of entities, the largest first.
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
