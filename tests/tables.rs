//! Tables over the event files: what they list, when they are written, and whose files they are.
//! `tests/interop/test_tables.py` reads them with other engines.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{batches, files, program, stderr, walk, whole, write};
use fusiongen::check::{Audit, Options, check};
use fusiongen::plan::config::SchemaName;
use fusiongen::plan::{Config, PartitionBy, Table};
use fusiongen::run::{Part, Run, finish};
use fusiongen::schema::{Kind, SPELLINGS, Schema};
use fusiongen::sink::json;
use fusiongen::sink::table::read;
use fusiongen::{Corpus, Generator, Silent};
use serde_json::Value;

const DELTA_LOG: &str = "events/_delta_log/00000000000000000000.json";

fn config(table: Table) -> Config {
    Config {
        events: 3_000,
        days: 2,
        assets: Some(60),
        table,
        ..Config::default()
    }
}

fn actions(root: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(root.join(DELTA_LOG)).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// Whether `table.files` passes, and how many files it looked at.
fn table_audit(root: &Path) -> (bool, u64) {
    let report = check(&Corpus::at(root), Options::default(), &Silent).unwrap();
    let of_table = |name| name == Audit::TableFiles.name();
    let mut invariants = report.invariants.iter();
    let found = invariants
        .find(|invariant| of_table(invariant.name))
        .unwrap();
    (found.passed == found.tried, found.tried)
}

fn event_files(root: &Path) -> u64 {
    let paths = files(root).into_keys();
    paths
        .filter(|path| path.starts_with("events/") && path.ends_with(".parquet"))
        .count() as u64
}

#[test]
fn a_table_lists_every_file_in_every_layout_and_schema() {
    for table in [Table::Delta, Table::Iceberg] {
        for (partition_by, schema) in [
            (PartitionBy::DateCategory, SchemaName::Fusionai),
            (PartitionBy::Date, SchemaName::Ecs),
        ] {
            let out = tempfile::tempdir().unwrap();
            let root = out.path().join("corpus");
            let config = Config {
                partition_by,
                schema,
                ..config(table)
            };
            write(config, whole(2), &root);
            assert_eq!(table_audit(&root), (true, event_files(&root)), "{table:?}");
            let listed = read(table, &Corpus::at(&root)).unwrap();
            assert_eq!(listed.iter().map(|file| file.rows).sum::<u64>(), 3_000);
            let has_category = partition_by == PartitionBy::DateCategory;
            for file in listed {
                assert!(file.date.unwrap().starts_with("2024-08-1"));
                assert_eq!(file.category.is_some(), has_category);
            }
        }
    }
}

#[test]
fn the_same_settings_give_the_same_table() {
    for table in [Table::Delta, Table::Iceberg] {
        // Iceberg's metadata names the place, so both corpora are written to the same.
        let out = tempfile::tempdir().unwrap();
        let (root, kept) = (out.path().join("corpus"), out.path().join("kept"));
        write(config(table), whole(2), &root);
        std::fs::rename(&root, &kept).unwrap();
        for number in [2, 1] {
            let run = Run {
                part: Some(Part { number, of: 2 }),
                ..whole(1)
            };
            write(config(table), run, &root);
        }
        finish(&Corpus::at(&root), &Silent).unwrap();
        let (one, other) = (files(&kept), files(&root));
        for (path, bytes) in &one {
            assert!(other[path] == *bytes, "{path} differs");
        }
        assert_eq!(one.len(), other.len());
        // A lost file of the table is written again.
        let lost = walk(&root.join("events").join(table.directory().unwrap()));
        for path in lost {
            std::fs::remove_file(&path).unwrap();
            let summary = write(config(table), whole(2), &root);
            assert_eq!(summary.kept, summary.files);
            assert!(files(&root) == one, "{}", path.display());
        }
    }
}

#[test]
fn a_table_is_added_to_a_corpus_and_taken_from_it() {
    let out = tempfile::tempdir().unwrap();
    let root = out.path().join("corpus");
    let mut expected = BTreeMap::new();
    for table in Table::ALL {
        write(config(*table), whole(2), &root);
        expected.insert(table.words().0, files(&root));
        std::fs::remove_dir_all(&root).unwrap();
    }
    let paths = |name: &str| {
        expected[name]
            .keys()
            .filter(|p| p.ends_with(".parquet"))
            .count()
    };
    assert_eq!(paths("none"), paths("delta"));
    use Table::{Delta, Iceberg, None};
    for (step, table) in [None, Delta, Iceberg, None, Iceberg, Delta, Delta, None]
        .iter()
        .enumerate()
    {
        let summary = write(config(*table), whole(2), &root);
        assert!(
            step == 0 || summary.kept == summary.files,
            "{step}: events are written again"
        );
        // Delta again: there is nothing to write.
        assert_eq!(summary.unchanged, step == 6, "{step}");
        assert!(files(&root) == expected[table.words().0], "step {step}");
        assert!(
            table.directory() == Some("_delta_log") || !root.join("events/_delta_log").exists()
        );
        assert!(table.directory() == Some("metadata") || !root.join("events/metadata").exists());
    }
}

#[test]
fn a_table_that_others_changed_is_left_alone() {
    for (table, other, foreign) in [
        (
            Table::Delta,
            Table::None,
            "events/_delta_log/00000000000000000001.json",
        ),
        (
            Table::Iceberg,
            Table::Delta,
            "events/metadata/v2.metadata.json",
        ),
        // A log that someone made over the files of a corpus without a table.
        (Table::None, Table::Delta, DELTA_LOG),
    ] {
        let out = tempfile::tempdir().unwrap();
        let root = out.path().join("corpus");
        write(config(table), whole(2), &root);
        let path = root.join(foreign);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "theirs").unwrap();
        let before = files(&root);
        // The corpus itself is complete.
        let summary = write(config(table), whole(2), &root);
        assert_eq!(summary.kept, summary.files);
        let generator = Generator::builder().config(config(other)).build().unwrap();
        let written = generator.write(&Corpus::at(&root), whole(2), &Silent);
        let error = written.unwrap_err().to_string();
        let name = foreign.rsplit('/').next().unwrap();
        assert!(
            error.contains(name) && error.contains("did not write"),
            "{error}"
        );
        assert!(files(&root) == before, "{table:?} to {other:?}");
        let run = Run {
            overwrite: true,
            ..whole(2)
        };
        let overwritten = generator.write(&Corpus::at(&root), run, &Silent);
        let error = overwritten.unwrap_err().to_string();
        assert!(error.contains(name), "{error}");
        assert!(files(&root) == before, "{table:?} overwritten by {other:?}");
    }
}

#[test]
fn a_moved_iceberg_table_is_written_again() {
    let out = tempfile::tempdir().unwrap();
    let (old, new) = (out.path().join("old"), out.path().join("new"));
    write(config(Table::Iceberg), whole(2), &old);
    std::fs::rename(&old, &new).unwrap();
    let (passed, tried) = table_audit(&new);
    assert!(!passed && tried == 2 * event_files(&new));
    let summary = finish(&Corpus::at(&new), &Silent).unwrap();
    assert_eq!(summary.kept, summary.files);
    assert_eq!(table_audit(&new), (true, event_files(&new)));
    let text = std::fs::read_to_string(new.join("events/metadata/v1.metadata.json")).unwrap();
    assert!(text.contains("/new/events") && !text.contains("/old/events"));
    // A Delta log has relative paths.
    write(config(Table::Delta), whole(2), &new);
    std::fs::rename(&new, &old).unwrap();
    assert_eq!(table_audit(&old), (true, event_files(&old)));
}

#[test]
fn check_finds_a_log_that_lists_something_else() {
    let out = tempfile::tempdir().unwrap();
    let root = out.path().join("corpus");
    write(config(Table::Delta), whole(2), &root);
    let log = root.join(DELTA_LOG);
    let right = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<&str> = right.lines().collect();
    let (first, last) = (lines[3], lines[lines.len() - 1]);
    let rows = |line: &str| line.replacen(r#"{\"numRecords\":"#, r#"{\"numRecords\":1"#, 1);
    for (what, wrong) in [
        (
            "a file is left out",
            right.replace(&format!("{first}\n"), ""),
        ),
        ("a file is twice there", format!("{right}{last}\n")),
        ("rows", right.replace(first, &rows(first))),
        (
            "bytes",
            right.replace(first, &first.replace(r#""size":"#, r#""size":1"#)),
        ),
        (
            "partition",
            right.replace(
                first,
                &first.replacen(r#""date":"2024"#, r#""date":"2023"#, 1),
            ),
        ),
        (
            "path",
            right.replace(first, &first.replacen("part-00000", "part-00009", 1)),
        ),
    ] {
        assert_ne!(wrong, right, "{what}");
        std::fs::write(&log, wrong).unwrap();
        assert!(!table_audit(&root).0, "{what}");
    }
    std::fs::write(&log, "{\"add\": 5}\n").unwrap();
    let error = check(&Corpus::at(&root), Options::default(), &Silent).unwrap_err();
    assert!(error.to_string().contains("line 1"), "{error}");
    std::fs::remove_file(&log).unwrap();
    let error = check(&Corpus::at(&root), Options::default(), &Silent).unwrap_err();
    assert!(error.to_string().contains("generate again"), "{error}");
}

/// The value at a dotted path.
fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.')
        .try_fold(value, |value, name| value.get(name))
}

/// Compares each statistic of a log with the rows of its file.
fn statistics_are_those_of_the_rows(schema: SchemaName) -> u64 {
    let out = tempfile::tempdir().unwrap();
    let root = out.path().join("corpus");
    let config = Config {
        schema,
        // Several row groups to a file.
        shard_rows: 2_048,
        row_group_rows: 1_024,
        partition_by: PartitionBy::Date,
        ..config(Table::Delta)
    };
    let leaves = Schema::of(&config).leaves;
    write(config, whole(2), &root);
    let mut bounds = 0;
    for action in actions(&root).iter().filter_map(|action| action.get("add")) {
        let file = root.join("events").join(action["path"].as_str().unwrap());
        let stats: Value = serde_json::from_str(action["stats"].as_str().unwrap()).unwrap();
        let alone = tempfile::tempdir().unwrap();
        std::fs::copy(&file, alone.path().join("f.parquet")).unwrap();
        let rows: Vec<Value> = batches(alone.path())
            .iter()
            .flat_map(|batch| (0..batch.num_rows()).map(|row| Value::Object(json::row(batch, row))))
            .collect();
        assert_eq!(stats["numRecords"], rows.len());
        // JSON has the native spelling of some names.
        let is_plain = |path: &str| SPELLINGS.iter().all(|spelling| spelling.path != path);
        for leaf in leaves.iter().filter(|leaf| is_plain(leaf.path)) {
            let values: Vec<&Value> = rows.iter().filter_map(|row| at(row, leaf.path)).collect();
            let (least, most) = (
                at(&stats["minValues"], leaf.path),
                at(&stats["maxValues"], leaf.path),
            );
            if matches!(leaf.kind, Kind::Texts | Kind::OwnTexts | Kind::Answers) {
                assert!(least.is_none() && at(&stats["nullCount"], leaf.path).is_none());
                continue;
            }
            let nulls = (rows.len() - values.len()) as u64;
            assert_eq!(
                at(&stats["nullCount"], leaf.path),
                Some(&nulls.into()),
                "{}",
                leaf.path
            );
            let key = |value: &Value| (value.as_i64(), value.as_str().map(str::to_string));
            let keys = values.iter().map(|value| key(value));
            let expected = keys.clone().min().zip(keys.max());
            let (Some((from, to)), true) = (expected, leaf.kind != Kind::Boolean) else {
                assert_eq!((least, most), (None, None), "{}", leaf.path);
                continue;
            };
            let (least, most) = (key(least.unwrap()), key(most.unwrap()));
            let is_long =
                |(_, text): &(_, Option<String>)| text.as_ref().is_some_and(|t| t.len() > 64);
            match is_long(&from) {
                true => assert!(
                    least <= from && least.1 > Some(String::new()),
                    "{}",
                    leaf.path
                ),
                false => assert_eq!(least, from, "{}", leaf.path),
            }
            match is_long(&to) {
                true => assert!(most >= to, "{}", leaf.path),
                false => assert_eq!(most, to, "{}", leaf.path),
            }
            bounds += 1;
        }
    }
    bounds
}

#[test]
fn statistics_are_true_in_every_schema() {
    for schema in [SchemaName::Fusionai, SchemaName::Ecs] {
        assert!(statistics_are_those_of_the_rows(schema) > 300);
    }
}

#[test]
fn settings_without_a_table_are_refused() {
    let out = tempfile::tempdir().unwrap();
    let run = |name: &str, arguments: &[&str]| {
        let root = out.path().join(name);
        let mut command = program();
        command.args(["generate", "--no-progress", "--events", "1000", "--out"]);
        let output = command.arg(&root).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(!root.exists());
        stderr(&output)
    };
    let said = run("a", &["--table", "delta", "--format", "ndjson"]);
    assert!(
        said.contains("--table: a delta table consists of Parquet files"),
        "{said}"
    );
    let said = run("a", &["--table", "hudi"]);
    assert!(said.contains("none, delta, iceberg"), "{said}");
    let said = run("a#b", &["--table", "iceberg"]);
    assert!(said.contains("'#'") && said.contains("--out"), "{said}");
}
