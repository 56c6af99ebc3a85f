//! `docs/grounding.md` matches the readers, and its examples can be read.

use std::path::Path;

use fusiongen::grounding::{alerts_db, cmdb, directory};

const PAGE: &str = include_str!("../docs/grounding.md");

/// Name and headings of every column of a data file.
fn columns(file: &str) -> Vec<(String, Vec<String>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data/grounding")
        .join(file);
    let table: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    let text = |value: &toml::Value| value.as_str().unwrap().to_string();
    table["column"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| {
            let aliases = column["aliases"].as_array().unwrap();
            (text(&column["name"]), aliases.iter().map(text).collect())
        })
        .collect()
}

/// The fenced blocks with the info string `kind`.
fn examples(kind: &str) -> Vec<String> {
    let fence = format!("```{kind}\n");
    PAGE.split(&fence)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_string())
        .collect()
}

/// Reads each example with `read`.
fn each<T>(kind: &str, least: usize, read: impl Fn(&Path) -> Vec<T>) {
    let examples = examples(kind);
    assert!(
        examples.len() >= least,
        "{} examples of {kind}",
        examples.len()
    );
    for example in examples {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &example).unwrap();
        assert!(!read(file.path()).is_empty(), "{example}");
    }
}

#[test]
fn tables_of_headings_are_those_of_the_data_files() {
    for file in ["users.toml", "assets.toml"] {
        let columns = columns(file);
        assert!(columns.len() > 5);
        for (name, aliases) in columns {
            let headings: Vec<String> = aliases.iter().map(|alias| format!("`{alias}`")).collect();
            let listed = format!("| {} |", headings.join(", "));
            let start = format!("| `{name}` |");
            assert!(
                PAGE.lines()
                    .any(|line| line.starts_with(&start) && line.ends_with(&listed)),
                "{file}: the page has no row `{name}` that ends with {listed}"
            );
        }
    }
}

#[test]
fn examples_are_read() {
    each("csv users", 3, |path| {
        directory::read(path, false).unwrap().rows
    });
    each("csv assets", 3, |path| {
        cmdb::read(path, false).unwrap().rows
    });
    each("csv", 1, |path| alerts_db::fit(path, None).unwrap().tuples);
}
