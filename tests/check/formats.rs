//! The same events in every format: `check` finds the same, and the same damage.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::FileWriter;
use fusiongen::plan::{Compression, Format, PartitionBy};

use super::common::falsify::set;
use super::*;

const FORMATS: [(Format, &str); 7] = [
    (Format::Parquet, "zstd"),
    (Format::Ndjson, "none"),
    (Format::Ndjson, "zstd"),
    (Format::Ndjson, "gzip"),
    (Format::Arrow, "none"),
    (Format::Arrow, "lz4"),
    (Format::Arrow, "zstd"),
];

/// A corpus of several row groups in each file.
fn made(root: &Path, schema: SchemaName, format: Format, compression: &str) {
    let config = Config {
        schema,
        format,
        compression: compression.parse().unwrap(),
        partition_by: PartitionBy::Date,
        shard_rows: 4_096,
        row_group_rows: 1_024,
        ..config()
    };
    write(config, whole(2), root);
}

/// The report, without what names the corpus.
fn found(root: &Path) -> Value {
    let mut report = serde_json::to_value(checked(root, Options::default())).unwrap();
    report["fingerprint"] = Value::Null;
    let invariants = report["invariants"].as_array_mut().unwrap();
    for invariant in invariants {
        // Rows that may fail have an example, in a file of the format.
        if let Some(example) = invariant.get_mut("example").and_then(Value::as_object_mut) {
            example.remove("file");
        }
    }
    report
}

#[test]
fn the_same_events_have_the_same_result_in_every_format() {
    for schema in [SchemaName::Fusionai, SchemaName::Ecs] {
        let out = tempfile::tempdir().unwrap();
        let mut first: Option<Value> = None;
        for (format, compression) in FORMATS {
            let root = out.path().join(format!("{}-{compression}", format.name()));
            made(&root, schema, format, compression);
            let found = found(&root);
            assert_eq!(found["passed"], true, "{format:?} {compression}");
            let wanted = first.get_or_insert_with(|| found.clone());
            for part in ["events", "invariants", "figures"] {
                assert_eq!(
                    found[part], wanted[part],
                    "{schema:?} {format:?} {compression}: {part}"
                );
            }
        }
        // Names that differ only in case are there, and were read.
        let tried = |name: &str| {
            let all = first.as_ref().unwrap()["invariants"].as_array().unwrap();
            all.iter().find(|i| i["name"] == name).unwrap()["tried"].as_u64()
        };
        assert!(tried("sysmon.fields") > Some(1_000));
    }
}

/// The largest event file.
fn largest(root: &Path) -> PathBuf {
    let files = common::walk(&root.join("events"));
    files
        .into_iter()
        .max_by_key(|path| (std::fs::metadata(path).unwrap().len(), path.clone()))
        .unwrap()
}

/// The lines of a file.
fn text(path: &Path, compression: &str) -> String {
    let bytes = std::fs::read(path).unwrap();
    let mut text = String::new();
    match compression {
        "zstd" => text = String::from_utf8(zstd::decode_all(&bytes[..]).unwrap()).unwrap(),
        "gzip" => drop(
            flate2::read::MultiGzDecoder::new(&bytes[..])
                .read_to_string(&mut text)
                .unwrap(),
        ),
        _ => text = String::from_utf8(bytes).unwrap(),
    }
    text
}

fn put(path: &Path, text: &str, compression: &str) {
    let bytes = match compression {
        "zstd" => zstd::encode_all(text.as_bytes(), 1).unwrap(),
        "gzip" => {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            writer.write_all(text.as_bytes()).unwrap();
            writer.finish().unwrap()
        }
        _ => text.as_bytes().to_vec(),
    };
    std::fs::write(path, bytes).unwrap();
}

/// Changes the first `network.bytes` of a file of lines.
fn change_line(path: &Path, compression: &str) {
    let mut changed = false;
    let lines = text(path, compression);
    let lines = lines.lines().map(|line| {
        let mut event: Value = serde_json::from_str(line).unwrap();
        match event["network"]["bytes"].as_i64() {
            Some(bytes) if !changed && event["source"]["bytes"].is_i64() => {
                changed = true;
                event["network"]["bytes"] = json!(bytes + 1);
                event.to_string()
            }
            _ => line.to_string(),
        }
    });
    let lines: Vec<String> = lines.collect();
    put(path, &(lines.join("\n") + "\n"), compression);
    assert!(changed, "{}", path.display());
}

/// Changes the first `network.bytes` of an Arrow file.
fn change_cell(path: &Path) {
    let reader = FileReader::try_new(File::open(path).unwrap(), None).unwrap();
    let mut batches: Vec<RecordBatch> = reader.map(Result::unwrap).collect();
    let cell = batches.iter().enumerate().find_map(|(at, batch)| {
        let row = (0..batch.num_rows()).find(|&row| {
            let event = Value::Object(fusiongen::sink::json::row(batch, row));
            number(&event, "network.bytes") >= 0 && number(&event, "source.bytes") >= 0
        });
        row.map(|row| (at, row))
    });
    let (at, row) = cell.unwrap();
    batches[at] = set(&batches[at], "network.bytes", row, &json!(1));
    let mut writer =
        FileWriter::try_new(File::create(path).unwrap(), &batches[0].schema()).unwrap();
    batches
        .iter()
        .for_each(|batch| writer.write(batch).unwrap());
    writer.finish().unwrap();
}

/// The file of a flow.
fn with_flows(root: &Path, has: impl Fn(&Path) -> bool) -> PathBuf {
    let mut files = common::walk(&root.join("events"));
    files.sort();
    files.into_iter().find(|path| has(path)).unwrap()
}

#[test]
fn a_changed_value_is_found_in_every_format() {
    for (format, compression) in FORMATS {
        let out = tempfile::tempdir().unwrap();
        let root = out.path().join("corpus");
        made(&root, SchemaName::Fusionai, format, compression);
        match format {
            Format::Parquet => {
                let events = Rows::read(&root, "events");
                let (table, cells) = falsification(Audit::NumbersBytes, &events, &root);
                falsify(&root, table, &cells);
            }
            Format::Ndjson => {
                let flows = |path: &Path| {
                    text(path, compression).lines().any(|line| {
                        let event: Value = serde_json::from_str(line).unwrap();
                        event["network"]["bytes"].is_i64() && event["source"]["bytes"].is_i64()
                    })
                };
                change_line(&with_flows(&root, flows), compression);
            }
            Format::Arrow => {
                let flows = |path: &Path| {
                    let reader = FileReader::try_new(File::open(path).unwrap(), None).unwrap();
                    let mut events = reader.map(Result::unwrap).flat_map(|batch| {
                        (0..batch.num_rows())
                            .map(|row| Value::Object(fusiongen::sink::json::row(&batch, row)))
                            .collect::<Vec<_>>()
                    });
                    events.any(|event| {
                        number(&event, "network.bytes") >= 0 && number(&event, "source.bytes") >= 0
                    })
                };
                change_cell(&with_flows(&root, flows));
            }
        }
        let report = checked(&root, Options::default());
        assert_eq!(
            failed(&report),
            ["numbers.bytes"],
            "{format:?} {compression}: {}",
            report.text()
        );
        let invariant = report
            .invariants
            .iter()
            .find(|i| i.name == "numbers.bytes")
            .unwrap();
        assert_eq!(
            invariant.tried - invariant.passed,
            1,
            "{format:?} {compression}"
        );
        let extension = format.extension(compression.parse::<Compression>().unwrap());
        assert!(
            invariant
                .example
                .as_ref()
                .unwrap()
                .file
                .ends_with(extension)
        );
    }
}

#[test]
fn a_file_that_ends_early_or_has_more_is_named() {
    for (format, compression) in FORMATS {
        let out = tempfile::tempdir().unwrap();
        let root = out.path().join("corpus");
        made(&root, SchemaName::Fusionai, format, compression);
        let path = largest(&root);
        let bytes = std::fs::read(&path).unwrap();
        // Not at the end of a line.
        std::fs::write(&path, &bytes[..bytes.len() / 2 - 1]).unwrap();
        let refused = |what: &str| {
            let corpus = fusiongen::Corpus::at(&root);
            let error = check(&corpus, Options::default(), &fusiongen::Silent).unwrap_err();
            let said = error.to_string();
            assert_eq!(error.exit_code(), 2, "{said}");
            let name = path.file_name().unwrap().to_str().unwrap();
            assert!(
                said.contains(name) && said.contains(format.name()),
                "{what}: {said}"
            );
        };
        refused("cut");
        if format == Format::Ndjson {
            std::fs::write(&path, &bytes).unwrap();
            let lines = text(&path, compression);
            put(
                &path,
                &lines.replacen('{', "{\"unknown\":1,", 1),
                compression,
            );
            refused("a member that no schema has");
        }
    }
}
