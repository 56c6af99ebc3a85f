//! `fusiongen list`: what the settings can choose, with what one needs to choose.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::output;
use crate::catalog::{Catalog, Category, Playbook, Scenario, Technique};
use crate::corpus::to_json;
use crate::error::Result;
use crate::kinds::KINDS;
use crate::settings::Preset;

/// A list that can be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// Attacks, for --playbook
    Playbooks,
    /// Noise, for --scenario
    Scenarios,
    /// Categories of events, for --category of `sample`
    Categories,
    /// ATT&CK techniques, for --technique
    Techniques,
    /// Kinds of records that hosts and services write
    Records,
    /// What Windows hosts do by themselves and for their users
    Routines,
    /// Settings for a purpose, for --preset
    Presets,
}

/// Arguments of `list`.
#[derive(Debug, Args)]
pub struct List {
    /// What to list
    what: What,
    /// Print the list as JSON
    #[arg(long)]
    json: bool,
    /// Directory of another catalog
    #[arg(long, value_name = "DIR", env = "FUSIONGEN_CATALOG")]
    catalog: Option<PathBuf>,
}

/// A row: names of columns and their values, in order.
type Row = Map<String, Value>;

impl List {
    /// Prints the list.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub fn run(&self) -> Result<()> {
        let catalog = match &self.catalog {
            Some(directory) => Catalog::read(directory)?,
            None => Catalog::embedded()?,
        };
        let rows = rows(self.what, &catalog);
        let text = match self.json {
            true => String::from_utf8_lossy(&to_json(&rows)).into_owned(),
            false => table(&rows),
        };
        output::print(&text)
    }
}

fn rows(what: What, catalog: &Catalog) -> Vec<Row> {
    let rows: Vec<Value> = match what {
        What::Playbooks => (catalog.playbooks.iter())
            .map(|it| playbook(catalog, it))
            .collect(),
        What::Scenarios => (catalog.scenarios.iter())
            .map(|it| scenario(catalog, it))
            .collect(),
        What::Categories => (catalog.categories.iter().enumerate())
            .map(|(index, it)| category(catalog, index, it))
            .collect(),
        What::Techniques => (catalog.techniques.iter().enumerate())
            .map(|(index, it)| technique(catalog, index, it))
            .collect(),
        What::Records => KINDS.iter().map(record).collect(),
        What::Routines => (catalog.routines.iter())
            .map(|it| {
                json!({
                    "name": it.name,
                    "weight": it.weight,
                    "when": it.when.word(),
                    "hosts": it.hosts.word(),
                    "records": unique(it.steps.iter().map(|step| step.record.telemetry.word())),
                })
            })
            .collect(),
        What::Presets => Preset::all().iter().map(preset).collect(),
    };
    let rows = rows.into_iter().map(|row| match row {
        Value::Object(row) => row,
        _ => Row::new(),
    });
    rows.collect()
}

fn playbook(catalog: &Catalog, it: &Playbook) -> Value {
    let technique = |step: &crate::catalog::Step| catalog.techniques[step.technique].id.as_str();
    json!({
        "name": it.name,
        "weight": it.weight,
        "hosts": it.hosts.iter().map(|class| class.word()).collect::<Vec<_>>(),
        "techniques": unique(it.steps.iter().map(technique)),
        "description": it.about,
    })
}

fn scenario(catalog: &Catalog, it: &Scenario) -> Value {
    let category = |of: usize| catalog.categories[of].name.as_str();
    json!({
        "name": it.name,
        "weight": it.weight,
        "variants": it.variants.len(),
        "verdicts": unique(it.variants.iter().map(|v| v.verdict.word())),
        "categories": unique(it.variants.iter().map(|v| category(v.category))),
    })
}

fn category(catalog: &Catalog, index: usize, it: &Category) -> Value {
    let technique = it.technique.map(|at| &catalog.techniques[at]);
    let playbooks = (catalog.playbooks.iter())
        .filter(|playbook| playbook.steps.iter().any(|step| step.category == index));
    json!({
        "name": it.name,
        "technique": technique.map(|technique| technique.id.as_str()),
        "tactic": technique.map(|technique| technique.tactics[it.tactic].as_str()),
        "rules": it.signatures.len(),
        "playbooks": playbooks.map(|playbook| playbook.name.as_str()).collect::<Vec<_>>(),
    })
}

fn technique(catalog: &Catalog, index: usize, it: &Technique) -> Value {
    let playbooks = (catalog.playbooks.iter())
        .filter(|playbook| playbook.steps.iter().any(|step| step.technique == index));
    json!({
        "id": it.id,
        "name": it.name,
        "tactics": it.tactics,
        "playbooks": playbooks.map(|playbook| playbook.name.as_str()).collect::<Vec<_>>(),
    })
}

fn record(kind: &crate::kinds::Kind) -> Value {
    json!({
        "name": kind.word,
        "provider": kind.provider.name(),
        "code": Some(kind.code).filter(|code| !code.is_empty()),
        "action": Some(kind.fusionai.action).filter(|action| !action.is_empty()),
    })
}

fn preset(it: &Preset) -> Value {
    let settings = it.values().map(|(name, text)| format!("{name}={text}"));
    json!({
        "name": it.name,
        "settings": settings.collect::<Vec<_>>(),
        "description": it.about,
    })
}

/// Each text once, in order.
fn unique<'t>(texts: impl Iterator<Item = &'t str>) -> Vec<&'t str> {
    let mut seen = Vec::new();
    for text in texts {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen
}

/// Rows as text, in aligned columns below their names.
fn table(rows: &[Row]) -> String {
    let Some(first) = rows.first() else {
        return String::new();
    };
    let names: Vec<String> = first.keys().cloned().collect();
    let numeric: Vec<bool> = first.values().map(Value::is_number).collect();
    let cells = rows.iter().map(|row| row.values().map(cell).collect());
    let lines: Vec<Vec<String>> = std::iter::once(names).chain(cells).collect();
    let width = |column: usize| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..numeric.len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let padded = line.iter().zip(&widths).zip(&numeric);
        let padded: Vec<String> = padded
            .map(|((cell, &width), numeric)| match numeric {
                true => format!("{cell:>width$}"),
                false => format!("{cell:<width$}"),
            })
            .collect();
        text += padded.join("  ").trim_end();
        text.push('\n');
    }
    text
}

/// A value in a column.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "-".into(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_has_rows_of_the_same_columns() {
        let catalog = Catalog::embedded().unwrap();
        for what in What::value_variants() {
            let rows = rows(*what, &catalog);
            assert!(rows.len() >= 4, "{what:?}");
            for row in &rows {
                assert!(row.keys().eq(rows[0].keys()), "{what:?}");
            }
            assert_eq!(table(&rows).lines().count(), rows.len() + 1);
        }
    }

    #[test]
    fn columns_are_aligned() {
        let row = |value: Value| value.as_object().cloned().unwrap();
        let rows = [
            row(json!({"name": "a", "weight": 5, "of": ["x", "y"]})),
            row(json!({"name": "long", "weight": 120, "of": []})),
        ];
        assert_eq!(
            table(&rows),
            "name  weight  of\na          5  x, y\nlong     120  -\n"
        );
    }
}
