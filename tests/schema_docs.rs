//! `docs/schema.md` matches the schemas, and the tables of truth and entities.
//!
//! `UPDATE_DOCS=1 cargo test --test schema_docs` regenerates it.

mod common;

use arrow_schema::{DataType, Field, Fields};
use common::{batches, whole, write};
use fusiongen::plan::{Config, TruthTable};
use fusiongen::schema::{Schema, meaning};
use fusiongen::truth::meanings;

const HEAD: &str = "\
# Schema

Generated from `src/schema/` and `src/truth/meanings.rs` by `UPDATE_DOCS=1 cargo test --test schema_docs`; a test compares it.

A field without *always* is null, or absent in JSON, in events that have no value for it.
Structs are never null: test a leaf for null instead.
`date` and `category` are in the paths of the files.
";

fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Timestamp(_, _) => "time, microseconds UTC".into(),
        DataType::Utf8 | DataType::Dictionary(_, _) => "text".into(),
        DataType::Int64 => "integer".into(),
        DataType::Date32 => "date".into(),
        DataType::Boolean => "boolean".into(),
        DataType::List(item) => format!("list of {}", type_name(item.data_type())),
        DataType::Struct(fields) => {
            let names: Vec<&str> = fields.iter().map(|f| f.name().as_str()).collect();
            format!("({})", names.join(", "))
        }
        other => panic!("no name for {other}"),
    }
}

/// Leaves in order, by dotted path.
fn leaves(fields: &Fields, prefix: &str, found: &mut Vec<(String, Field)>) {
    for field in fields {
        let path = format!("{prefix}{}", field.name());
        match field.data_type() {
            DataType::Struct(children) => leaves(children, &format!("{path}."), found),
            _ => found.push((path, field.as_ref().clone())),
        }
    }
}

fn table(schema: &Schema) -> String {
    let mut found = Vec::new();
    leaves(schema.arrow().fields(), "", &mut found);
    let mut text = format!(
        "\n## {}\n\n| field | type | | meaning |\n| --- | --- | --- | --- |\n",
        schema.name
    );
    let mut missing = Vec::new();
    for (path, field) in &found {
        let always = if field.is_nullable() { "" } else { "always" };
        let kind = type_name(field.data_type());
        match meaning(schema.name, path) {
            Some(meaning) => text += &format!("| `{path}` | {kind} | {always} | {meaning} |\n"),
            None => missing.push(path),
        }
    }
    assert!(
        missing.is_empty(),
        "say in src/schema/meanings.rs what these mean: {missing:#?}"
    );
    text
}

/// The tables of truth and entities, with the columns that a small corpus has.
fn tables() -> String {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("corpus");
    let config = Config {
        events: 20_000,
        days: 2,
        ..Config::default()
    };
    write(config, whole(2), &root);
    let truth = TruthTable::ALL.map(|table| format!("truth/{}", table.name()));
    let entities = ["entities/assets", "entities/users"].map(String::from);
    let mut text = String::new();
    for name in truth.iter().chain(&entities) {
        let directory = if name.starts_with("truth") {
            name
        } else {
            "entities"
        };
        let found = batches(&root.join(directory));
        let known = |field: &Field| meanings::meaning(name, field.name()).is_some();
        let batch = found
            .iter()
            .find(|batch| batch.schema().fields().iter().all(|f| known(f)));
        let schema = batch
            .unwrap_or_else(|| panic!("src/truth/meanings.rs lacks columns of {name}"))
            .schema();
        text +=
            &format!("\n## {name}\n\n| column | type | | meaning |\n| --- | --- | --- | --- |\n");
        assert_eq!(meanings::columns(name), schema.fields().len(), "{name}");
        for field in schema.fields() {
            let always = if field.is_nullable() { "" } else { "always" };
            let meaning = meanings::meaning(name, field.name()).unwrap();
            let kind = type_name(field.data_type());
            text += &format!("| `{}` | {kind} | {always} | {meaning} |\n", field.name());
        }
    }
    text
}

#[test]
fn the_page_is_the_schema() {
    let schemas = [Schema::fusionai(), Schema::ecs()];
    let page = HEAD.to_string() + &schemas.iter().map(table).collect::<String>() + &tables();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "docs/schema.md differs from the schema; run UPDATE_DOCS=1 cargo test --test schema_docs"
    );
}
