//! A corpus made in parts, resumed, or in another layout is the same corpus.

use std::collections::BTreeMap;
use std::path::Path;

use fusiongen::catalog::Catalog;
use fusiongen::frame::Maker;
use fusiongen::grounding::Profile;
use fusiongen::plan::{Compression, Config, Format, Grounding, PartitionBy, Plan};
use fusiongen::sink::{Corpus, Part, Run, Silent, Summary, finish, generate};

fn config() -> Config {
    Config {
        events: 20_000,
        days: 2,
        ..Config::default()
    }
}

fn write(config: Config, threads: usize, part: Option<Part>, out: &Path) -> Summary {
    let catalog = Catalog::embedded().unwrap();
    let grounding = Grounding {
        profile: Profile::embedded(),
        users: None,
        assets: None,
    };
    let (plan, world) = Plan::new(config, &grounding, &catalog);
    let maker = Maker::new(&plan, &world, &catalog, &grounding.profile);
    let run = Run {
        threads,
        overwrite: false,
        part,
    };
    generate(&Corpus::at(out), &plan, &world, &maker, run, &Silent).unwrap()
}

/// Every file below a directory, by relative path.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().display().to_string();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn parts_in_any_order_are_the_whole() {
    let out = tempfile::tempdir().unwrap();
    let (whole, parts) = (out.path().join("whole"), out.path().join("parts"));
    write(config(), 2, None, &whole);
    for number in [3, 1, 2] {
        let error = finish(&parts);
        assert!(error.is_err(), "finished before part {number}");
        let summary = write(config(), 1, Some(Part { number, of: 3 }), &parts);
        assert!(!summary.finished && summary.kept == 0);
    }
    // A part again finds everything there.
    let again = write(config(), 2, Some(Part { number: 2, of: 3 }), &parts);
    assert_eq!(again.kept, again.files);
    assert!(finish(&parts).unwrap().finished);
    assert!(
        files(&whole) == files(&parts),
        "parts differ from the whole"
    );
    assert!(!whole.join("journal").exists());
}

#[test]
fn an_interrupted_corpus_is_completed() {
    let out = tempfile::tempdir().unwrap();
    let (whole, broken) = (out.path().join("whole"), out.path().join("broken"));
    write(config(), 2, None, &whole);
    write(config(), 2, Some(Part { number: 1, of: 2 }), &broken);
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
    let summary = write(config(), 2, None, &broken);
    assert!(summary.finished);
    assert!(summary.kept > 0 && summary.kept < summary.files / 2);
    assert!(files(&whole) == files(&broken), "a resumed corpus differs");
}

#[test]
fn every_format_is_written_whole_and_repeatably() {
    let out = tempfile::tempdir().unwrap();
    for (format, compression) in [
        (Format::Parquet, Compression::Snappy),
        (Format::Parquet, Compression::Lz4),
        (Format::Parquet, Compression::None),
        (Format::Ndjson, Compression::None),
        (Format::Ndjson, Compression::Zstd(3)),
        (Format::Arrow, Compression::None),
        (Format::Arrow, Compression::Lz4),
        (Format::Arrow, Compression::Zstd(1)),
    ] {
        for partition_by in [PartitionBy::DateCategory, PartitionBy::Date] {
            let config = Config {
                events: 3_000,
                format,
                compression,
                partition_by,
                ..config()
            };
            let name = format!("{format:?}-{compression}-{partition_by:?}");
            let (one, two) = (out.path().join(&name), out.path().join(name.clone() + "-2"));
            let summary = write(config.clone(), 1, None, &one);
            write(config, 2, None, &two);
            assert_eq!(summary.events, 3_000);
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
    write(config, 2, None, &root);
    let (mut rows, mut spelled) = (0, 0);
    for (name, bytes) in files(&root) {
        if !name.starts_with("events/") {
            continue;
        }
        for line in std::str::from_utf8(&bytes).unwrap().lines() {
            let event: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(event["@timestamp"].as_str().unwrap().ends_with('Z'));
            assert!(!line.contains(":null") && !line.contains("{}"), "{line}");
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
