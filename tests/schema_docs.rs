//! `docs/schema.md` says what the schemas say.
//!
//! UPDATE_DOCS=1 cargo test --test schema_docs writes it anew.

use arrow::datatypes::{DataType, Field, Fields};
use fusiongen::schema::{Schema, meaning};

const HEAD: &str = "\
# Schema

Made from `src/schema/` by `UPDATE_DOCS=1 cargo test --test schema_docs`; a test keeps it equal.

A field without *always* is null, or absent in JSON, where the event has no such thing.
Structs are always there: ask a leaf whether it is null.
`date` and `category` stand in the paths of the files.
";

fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Timestamp(_, _) => "time, microseconds UTC".into(),
        DataType::Utf8 | DataType::Dictionary(_, _) => "text".into(),
        DataType::Int64 => "integer".into(),
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
        match meaning(path) {
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

#[test]
fn the_page_is_the_schema() {
    let schemas = [Schema::fusionai(), Schema::ecs()];
    let page = HEAD.to_string() + &schemas.iter().map(table).collect::<String>();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page,
        "docs/schema.md is not the schema; run UPDATE_DOCS=1 cargo test --test schema_docs"
    );
}
