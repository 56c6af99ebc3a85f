//! Views with plain names over a corpus, written for one engine.
//!
//! `events` has a column `a_b_c` for each leaf `a.b.c`. A query names only what these views have, so
//! its text is the same for every engine.

use std::collections::BTreeSet;
use std::path::Path;

use super::Engine;
use super::tables::{ENTITIES, Kind, Table, truth};
use crate::corpus::PlanFile;
use crate::error::{Error, Result};
use crate::plan::config::SchemaName;
use crate::plan::{PartitionBy, TruthTable};
use crate::schema::{Kind as LeafKind, Leaf, Schema};

/// The columns of `events` that the view of a list repeats beside each item.
const BESIDE: [&str; 8] = [
    "ts_us",
    "date",
    "day",
    "category",
    "event_sequence",
    "event_kind",
    "host_name",
    "user_name",
];

/// The views over one corpus.
pub struct Views {
    /// The corpus's directory, absolute.
    root: String,
    plan: PlanFile,
    schema: Schema,
}

/// The name of a leaf's column.
pub(super) fn column_name(path: &str) -> String {
    match path {
        "@timestamp" => "ts".into(),
        _ => path.replace(['.', '-'], "_"),
    }
}

/// The leaves of `flat`: a result has no lists and no times.
pub(super) fn flat_leaves(schema: &Schema) -> impl Iterator<Item = &Leaf> {
    let is_plain = |leaf: &&Leaf| {
        !matches!(
            leaf.kind,
            LeafKind::Texts | LeafKind::OwnTexts | LeafKind::Answers | LeafKind::Time
        )
    };
    schema.leaves.iter().filter(is_plain)
}

/// The leaves whose columns a query's text mentions, by name or through the view of a list.
pub(super) fn leaves_of<'s>(sql: &str, schema: &'s Schema) -> Vec<&'s str> {
    let words = words(sql);
    let is_listed = |leaf: &Leaf| words.contains(each_name(leaf).as_str());
    let has_list = schema.leaves.iter().any(is_listed);
    let is_used = |leaf: &&Leaf| {
        let name = column_name(leaf.path);
        let is_severity = leaf.path == "event.severity" && words.contains("severity");
        let is_beside = has_list && BESIDE.contains(&name.as_str());
        words.contains(name.as_str()) || is_listed(leaf) || is_severity || is_beside
    };
    let used = schema.leaves.iter().filter(is_used);
    used.map(|leaf| leaf.path).collect()
}

/// A list of texts, which gets a view with one row for each item.
fn is_list_of_text(leaf: &Leaf) -> bool {
    matches!(leaf.kind, LeafKind::Texts | LeafKind::OwnTexts)
}

/// The names that a SQL text mentions.
pub(super) fn words(sql: &str) -> BTreeSet<&str> {
    sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
        .collect()
}

impl Views {
    /// The views over the corpus in `root`.
    ///
    /// # Errors
    /// The path cannot be written in SQL.
    pub fn new(root: &Path, plan: PlanFile) -> Result<Self> {
        let absolute = root
            .canonicalize()
            .map_err(|e| Error::io(root, "find", e))?;
        let text = absolute
            .to_str()
            .filter(|text| !text.contains(['*', '?', '[', ']', '{', '}', '\\']));
        let text = text.ok_or_else(|| {
            Error::input(
                root,
                None,
                "engines read *, ?, [], {} and \\ in a path as a pattern",
                "rename the directory, or make a link to it without such characters",
            )
        })?;
        Ok(Views {
            root: text.to_string(),
            schema: Schema::of(&plan.config),
            plan,
        })
    }

    /// The statements that create the views, in order. With a query's text, only the views and the
    /// columns that it mentions.
    pub fn statements(&self, engine: Engine, query: Option<&str>) -> Vec<String> {
        let mentioned = query.map(words);
        let is_used = |name: &str| mentioned.as_ref().is_none_or(|words| words.contains(name));
        let lists: Vec<&Leaf> = (self.schema.leaves.iter())
            .filter(|leaf| is_list_of_text(leaf) && is_used(&each_name(leaf)))
            .collect();
        let flat = is_used("flat");
        let mut statements: Vec<String> = engine.settings().collect();
        if is_used("events") || flat || !lists.is_empty() {
            // `flat` takes every column; the views of lists take their list and those beside it.
            let wanted = |name: &str| {
                flat || is_used(name)
                    || (!lists.is_empty() && BESIDE.contains(&name))
                    || lists.iter().any(|leaf| column_name(leaf.path) == name)
            };
            statements.extend(self.events(engine, &wanted));
            statements.extend(lists.iter().map(|leaf| each(engine, leaf)));
            if flat {
                statements.push(self.flat(engine));
            }
        }
        for table in TruthTable::ALL {
            let table = truth(table);
            if is_used(table.name) {
                statements.extend(self.table(engine, &table, &["date"]));
            }
        }
        for table in &ENTITIES {
            if is_used(table.name) {
                statements.extend(self.table(engine, table, &[]));
            }
        }
        statements
    }

    /// The columns that a view adds to the leaves: their names and expressions.
    fn added(&self, engine: Engine) -> Vec<(&'static str, String)> {
        let time = engine.leaf("@timestamp");
        let category = match self.plan.config.partition_by {
            PartitionBy::DateCategory => engine.leaf("category"),
            PartitionBy::Date => engine.leaf("fusionai.category"),
        };
        vec![
            ("ts", time.clone()),
            ("ts_us", engine.micros(&time)),
            ("date", engine.date(&engine.leaf("date"))),
            (
                "day",
                format!("CAST({} AS {})", engine.leaf("date"), engine.text_type()),
            ),
            ("category", category),
            ("severity", self.severity(&engine.leaf("event.severity"))),
        ]
    }

    /// The severity of an alert from 1 (low) to 4 (critical), which the schemas write differently.
    fn severity(&self, leaf: &str) -> String {
        match self.plan.config.schema {
            SchemaName::Fusionai => format!(
                "CASE {leaf} WHEN 'low' THEN 1 WHEN 'medium' THEN 2 WHEN 'high' THEN 3 WHEN 'critical' THEN 4 END"
            ),
            SchemaName::Ecs => format!(
                "CASE WHEN {leaf} >= 99 THEN 4 WHEN {leaf} >= 73 THEN 3 WHEN {leaf} >= 47 THEN 2 \
                 WHEN {leaf} IS NOT NULL THEN 1 END"
            ),
        }
    }

    fn events(&self, engine: Engine, wanted: &dyn Fn(&str) -> bool) -> Vec<String> {
        let levels: &[&str] = match self.plan.config.partition_by {
            PartitionBy::DateCategory => &["date", "category"],
            PartitionBy::Date => &["date"],
        };
        let leaves = (self.schema.leaves.iter())
            .filter(|leaf| leaf.path != "@timestamp")
            .map(|leaf| (column_name(leaf.path), engine.leaf(leaf.path)));
        let added = self.added(engine).into_iter();
        let columns: Vec<String> = added
            .map(|(name, text)| (name.to_string(), text))
            .chain(leaves)
            .filter(|(name, _)| wanted(name))
            .map(|(name, text)| format!("{text} AS {name}"))
            .collect();
        // A query may count rows without naming a column.
        let columns = match columns.is_empty() {
            true => format!("{} AS ts", engine.leaf("@timestamp")),
            false => columns.join(",\n    "),
        };
        let (mut statements, from) =
            engine.files(&format!("{}/events", self.root), "raw_events", levels);
        statements.push(format!(
            "{} AS SELECT\n    {columns}\nFROM {from} AS e",
            engine.create("events")
        ));
        statements
    }

    /// `flat`: the columns that a result can have: no lists, no times.
    fn flat(&self, engine: Engine) -> String {
        let leaves = flat_leaves(&self.schema).map(|leaf| column_name(leaf.path));
        let added = ["ts_us", "day", "category", "severity"].map(String::from);
        let columns: Vec<String> = added.into_iter().chain(leaves).collect();
        format!(
            "{} AS SELECT {} FROM events",
            engine.create("flat"),
            columns.join(", ")
        )
    }

    /// A table of the truth (partitions by date) or of entities (one file).
    fn table(&self, engine: Engine, table: &Table, levels: &[&str]) -> Vec<String> {
        let column = |&(name, from, kind): &(&str, &str, Kind)| {
            let leaf = engine.leaf(from);
            match kind {
                Kind::Time => format!("{} AS {name}", engine.micros(&leaf)),
                _ => format!("{leaf} AS {name}"),
            }
        };
        let create = engine.create(table.name);
        // A table without rows has no file.
        if !self
            .plan
            .tables
            .iter()
            .any(|path| path.starts_with(table.path))
        {
            let columns: Vec<String> = (table.columns.iter())
                .map(|(name, _, kind)| format!("CAST(NULL AS {}) AS {name}", kind.sql(engine)))
                .collect();
            return vec![format!("{create} AS SELECT {} LIMIT 0", columns.join(", "))];
        }
        let path = format!("{}/{}", self.root, table.path);
        let raw = format!("raw_{}", table.name);
        let (mut statements, from) = engine.files(&path, &raw, levels);
        let columns: Vec<String> = table.columns.iter().map(column).collect();
        statements.push(format!(
            "{create} AS SELECT {} FROM {from} AS e",
            columns.join(", ")
        ));
        statements
    }
}

fn each_name(leaf: &Leaf) -> String {
    format!("each_{}", column_name(leaf.path))
}

/// A list's view: one row for each item, in the column `item`.
fn each(engine: Engine, leaf: &Leaf) -> String {
    let (item, condition) = engine.each(&column_name(leaf.path));
    format!(
        "{} AS SELECT {}, {item} AS item FROM events{condition}",
        engine.create(&each_name(leaf)),
        BESIDE.join(", "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_columns_are_unique_without_case() {
        for schema in [Schema::fusionai(), Schema::ecs()] {
            let mut names: Vec<String> = (schema.leaves.iter())
                .map(|leaf| column_name(leaf.path).to_lowercase())
                .chain(["ts_us", "date", "day", "category", "severity"].map(String::from))
                .collect();
            let count = names.len();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), count, "{}", schema.name);
            for name in BESIDE {
                assert!(names.iter().any(|n| n == name), "{name}");
            }
        }
    }
}
