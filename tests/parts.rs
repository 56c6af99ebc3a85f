//! A corpus made in parts, resumed, or in another layout is the same corpus.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use arrow::array::RecordBatch;
use common::{batches, files, whole, write};
use fusiongen::plan::{Compression, Config, Format, PartitionBy};
use fusiongen::run::{Part, Run, finish};
use fusiongen::sink::json;

fn config() -> Config {
    Config {
        events: 20_000,
        days: 2,
        ..Config::default()
    }
}

fn part(threads: usize, number: u32, of: u32) -> Run {
    Run {
        part: Some(Part { number, of }),
        ..whole(threads)
    }
}

#[test]
fn parts_in_any_order_are_the_whole() {
    let out = tempfile::tempdir().unwrap();
    let (one, parts) = (out.path().join("whole"), out.path().join("parts"));
    write(config(), whole(2), &one);
    for number in [3, 1, 2] {
        let error = finish(&parts);
        assert!(error.is_err(), "finished before part {number}");
        let summary = write(config(), part(1, number, 3), &parts);
        assert!(!summary.finished && summary.kept == 0);
    }
    // A part again finds everything there.
    let again = write(config(), part(2, 2, 3), &parts);
    assert_eq!(again.kept, again.files);
    assert!(finish(&parts).unwrap().finished);
    assert!(files(&one) == files(&parts), "parts differ from the whole");
    assert!(!one.join("journal").exists());
}

#[test]
fn an_interrupted_corpus_is_completed() {
    let out = tempfile::tempdir().unwrap();
    let (one, broken) = (out.path().join("whole"), out.path().join("broken"));
    write(config(), whole(2), &one);
    write(config(), part(2, 1, 2), &broken);
    // One finished file is cut short, one is another's, and a kill left a temporary.
    let victims: Vec<String> = files(&broken)
        .into_keys()
        .filter(|name| name.starts_with("events/"))
        .collect();
    let bytes = std::fs::read(broken.join(&victims[0])).unwrap();
    std::fs::write(broken.join(&victims[0]), &bytes[..bytes.len() / 2]).unwrap();
    std::fs::copy(broken.join(&victims[2]), broken.join(&victims[1])).unwrap();
    let leftover = broken
        .join(&victims[3])
        .with_file_name(".part-00000.x.inprogress");
    std::fs::write(&leftover, b"half").unwrap();
    let summary = write(config(), whole(2), &broken);
    assert!(summary.finished);
    assert!(summary.kept > 0 && summary.kept < summary.files / 2);
    assert!(files(&one) == files(&broken), "a resumed corpus differs");
}

/// Copies a directory's files into another, beside what is there.
fn copy_into(from: &Path, to: &Path) {
    for (name, bytes) in files(from) {
        let path = to.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

#[test]
fn parts_made_in_several_directories_are_copied_into_one() {
    let out = tempfile::tempdir().unwrap();
    let place = |name: &str| out.path().join(name);
    let config = || Config {
        events: 5_000,
        ..config()
    };
    write(config(), whole(2), &place("one"));
    for number in [2, 1] {
        write(config(), part(2, number, 2), &place("apart"));
        copy_into(&place("apart"), &place("together"));
        std::fs::remove_dir_all(place("apart")).unwrap();
    }
    assert!(finish(&place("together")).unwrap().finished);
    assert!(files(&place("one")) == files(&place("together")));
}

/// All rows as JSON, by `event.sequence`.
fn rows(events: &Path, format: Format) -> BTreeMap<i64, String> {
    let of_batches = |batches: Vec<RecordBatch>| -> Vec<String> {
        let row = |batch: &RecordBatch, row| serde_json::to_string(&json::row(batch, row)).unwrap();
        let all = |batch: &RecordBatch| (0..batch.num_rows()).map(|r| row(batch, r)).collect();
        batches
            .iter()
            .flat_map(|b| -> Vec<String> { all(b) })
            .collect()
    };
    let lines: Vec<String> = match format {
        Format::Parquet => of_batches(batches(events)),
        Format::Arrow => of_batches(
            files(events)
                .into_values()
                .flat_map(|bytes| {
                    let bytes = std::io::Cursor::new(bytes);
                    let reader = arrow::ipc::reader::FileReader::try_new(bytes, None).unwrap();
                    reader.map(|batch| batch.unwrap()).collect::<Vec<_>>()
                })
                .collect(),
        ),
        Format::Ndjson => files(events)
            .into_iter()
            .flat_map(|(name, bytes)| {
                let text = match name.ends_with(".zst") {
                    true => zstd::stream::decode_all(bytes.as_slice()).unwrap(),
                    false => bytes,
                };
                let text = String::from_utf8(text).unwrap();
                text.lines().map(str::to_string).collect::<Vec<_>>()
            })
            .collect(),
    };
    let sequence = |line: &str| {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        event["event"]["sequence"].as_i64().unwrap()
    };
    lines
        .into_iter()
        .map(|line| (sequence(&line), line))
        .collect()
}

#[test]
fn overwriting_one_part_keeps_the_others() {
    let out = tempfile::tempdir().unwrap();
    let (one, parts) = (out.path().join("one"), out.path().join("parts"));
    write(config(), whole(2), &one);
    // Another corpus stands there; the first part takes its place, the second joins the first.
    let other = Config {
        seed: 7,
        ..config()
    };
    write(other, whole(2), &parts);
    for number in [1, 2] {
        let run = Run {
            overwrite: true,
            ..part(2, number, 2)
        };
        write(config(), run, &parts);
    }
    finish(&parts).unwrap();
    assert!(files(&one) == files(&parts));
}

#[test]
fn every_format_is_written_whole_and_repeatably() {
    let out = tempfile::tempdir().unwrap();
    let mut all: Option<BTreeMap<i64, String>> = None;
    for (format, compression) in [
        (Format::Parquet, Compression::Zstd(1)),
        (Format::Parquet, Compression::Snappy),
        (Format::Parquet, Compression::Lz4),
        (Format::Parquet, Compression::None),
        (Format::Ndjson, Compression::None),
        (Format::Ndjson, Compression::Zstd(3)),
        (Format::Arrow, Compression::None),
        (Format::Arrow, Compression::Lz4),
        (Format::Arrow, Compression::Zstd(1)),
    ] {
        // The codec knows nothing of directories: one of each format is written in both ways.
        let layouts = match compression == format.default_compression() {
            true => &[PartitionBy::DateCategory, PartitionBy::Date][..],
            false => &[PartitionBy::DateCategory],
        };
        for &partition_by in layouts {
            let config = Config {
                events: 3_000,
                format,
                compression,
                partition_by,
                ..config()
            };
            let name = format!("{format:?}-{compression}-{partition_by:?}");
            let (one, two) = (out.path().join(&name), out.path().join(name.clone() + "-2"));
            let summary = write(config.clone(), whole(1), &one);
            write(config, whole(2), &two);
            assert_eq!(summary.events, 3_000);
            let mine = rows(&one.join("events"), format);
            assert_eq!(mine.len(), 3_000);
            let same = all.get_or_insert_with(|| mine.clone());
            assert!(*same == mine, "{name} holds other rows");
            let files = (files(&one), files(&two));
            assert!(files.0 == files.1, "{name}: 1 and 2 threads differ");
            let extension = format.extension(compression);
            let events: Vec<&String> = files
                .0
                .keys()
                .filter(|n| n.starts_with("events/"))
                .collect();
            assert!(events.iter().all(|n| n.ends_with(&format!(".{extension}"))));
            let deep = events.iter().all(|n| n.contains("/category="));
            assert_eq!(deep, partition_by == PartitionBy::DateCategory);
        }
    }
}

/// Nothing in it is null or empty: what has no value isn't written.
fn is_full(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::Null => false,
        serde_json::Value::Object(fields) => !fields.is_empty() && fields.values().all(is_full),
        serde_json::Value::Array(items) => items.iter().all(is_full),
        _ => true,
    }
}

#[test]
fn lines_of_json_are_the_rows() {
    let out = tempfile::tempdir().unwrap();
    let root = out.path().join("lines");
    let config = Config {
        events: 5_000,
        format: Format::Ndjson,
        compression: Compression::None,
        ..config()
    };
    write(config, whole(2), &root);
    let (mut rows, mut spelled) = (0, 0);
    for (name, bytes) in files(&root) {
        if !name.starts_with("events/") {
            continue;
        }
        for line in std::str::from_utf8(&bytes).unwrap().lines() {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(event["@timestamp"].as_str().unwrap().ends_with('Z'));
            assert!(is_full(&event), "{line}");
            let data = &event["winlog"]["event_data"];
            if event["winlog"]["event_id"] == 5156 {
                // The filtering platform spells it so, Sysmon `ProcessId`.
                assert!(
                    data["ProcessID"].is_number() && data["ProcessId"].is_null(),
                    "{line}"
                );
                spelled += 1;
            }
            rows += 1;
        }
    }
    assert_eq!(rows, 5_000);
    assert!(spelled > 0);
}
