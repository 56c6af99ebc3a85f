//! A corpus made in parts, resumed, or in another layout is the same corpus.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use arrow_array::RecordBatch;
use common::{batches, files, whole, write};
use fusiongen::corpus::PlanFile;
use fusiongen::plan::{Compression, Config, Format, PartitionBy};
use fusiongen::run::{Part, Run, Summary, finish, finish_noted};
use fusiongen::sink::json;
use fusiongen::{Corpus, Generator, Silent};

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
        let error = finish(&Corpus::at(&parts), &Silent);
        assert!(error.is_err(), "finished before part {number}");
        let summary = write(config(), part(1, number, 3), &parts);
        assert!(!summary.finished && summary.kept == 0);
    }
    // Repeating a part finds all its files.
    let again = write(config(), part(2, 2, 3), &parts);
    assert_eq!(again.kept, again.files);
    assert!(finish(&Corpus::at(&parts), &Silent).unwrap().finished);
    assert!(files(&one) == files(&parts), "parts differ from the whole");
    assert!(!one.join("journal").exists());
}

#[test]
fn a_part_may_be_the_profile_alone() {
    let out = tempfile::tempdir().unwrap();
    let generator = Generator::builder().config(config()).build().unwrap();
    let plan = PlanFile::new(generator.plan(), generator.world());
    let number = plan.files().count() as u32;
    for kept in [0, 1] {
        let summary = write(config(), part(1, number, number), out.path());
        assert_eq!((summary.files, summary.kept), (1, kept));
    }
    let journal = files(out.path()).into_keys();
    let names: Vec<String> = journal.filter(|name| name != "plan.json").collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.contains(&"profile.json".to_string()));
}

#[test]
fn an_interrupted_corpus_is_completed() {
    let out = tempfile::tempdir().unwrap();
    let (one, broken) = (out.path().join("whole"), out.path().join("broken"));
    write(config(), whole(2), &one);
    write(config(), part(2, 1, 2), &broken);
    // One finished file is truncated, one belongs to another corpus, and a kill left a temporary file.
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

/// Copies a directory's files into another directory, which may have files.
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
    assert!(
        finish(&Corpus::at(&place("together")), &Silent)
            .unwrap()
            .finished
    );
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
                    let reader = arrow_ipc::reader::FileReader::try_new(bytes, None).unwrap();
                    reader.map(|batch| batch.unwrap()).collect::<Vec<_>>()
                })
                .collect(),
        ),
        Format::Ndjson => files(events)
            .into_iter()
            .flat_map(|(name, bytes)| {
                let text = match name.rsplit('.').next() {
                    Some("zst") => zstd::stream::decode_all(bytes.as_slice()).unwrap(),
                    Some("gz") => {
                        let mut text = Vec::new();
                        let mut reader = flate2::read::MultiGzDecoder::new(bytes.as_slice());
                        std::io::Read::read_to_end(&mut reader, &mut text).unwrap();
                        text
                    }
                    _ => bytes,
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
    // There is another corpus: the first part replaces it, and the second adds to the first.
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
    finish(&Corpus::at(&parts), &Silent).unwrap();
    assert!(files(&one) == files(&parts));
}

#[test]
fn every_format_is_written_whole_and_repeatably() {
    let out = tempfile::tempdir().unwrap();
    let mut all: Option<BTreeMap<i64, String>> = None;
    let supported = Format::ALL.iter().flat_map(|&format| {
        let compressions = format.compressions();
        compressions.map(move |name| (format, name.parse::<Compression>().unwrap()))
    });
    for (format, compression) in supported {
        // Codecs and directories are independent, so only one codec per format is written in both layouts.
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

/// Whether nothing in the value is null or empty, because fields without a value are not written.
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
                // The filtering platform spells it like this, Sysmon as `ProcessId`.
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

/// Some of a corpus's files, as one of several processes writes them.
fn write_files(
    generator: &Generator,
    root: &Path,
    files: impl IntoIterator<Item = usize>,
) -> fusiongen::Result<Summary> {
    let files: BTreeSet<usize> = files.into_iter().collect();
    generator.write_files(&Corpus::at(root), &files, 1, &Silent)
}

#[test]
fn files_by_many_processes_are_the_whole() {
    let out = tempfile::tempdir().unwrap();
    let (one, many) = (out.path().join("whole"), out.path().join("many"));
    write(config(), whole(2), &one);
    let generators = [0; 3].map(|_| Generator::builder().config(config()).build().unwrap());
    let number = generators[0].plan_file().files().count();
    // Every file is written by two of three processes, which start together in no directory.
    std::thread::scope(|scope| {
        for (process, generator) in generators.iter().enumerate() {
            let many = &many;
            scope.spawn(move || {
                for file in (0..number).filter(|file| file % 3 != process) {
                    write_files(generator, many, [file]).unwrap();
                }
            });
        }
    });
    let again = write_files(&generators[0], &many, 0..number).unwrap();
    assert_eq!((again.files, again.kept), (number as u64, number as u64));
    assert!(!again.finished);
    assert!(finish_noted(&Corpus::at(&many), &Silent).unwrap().finished);
    assert!(files(&one) == files(&many));
    // A late copy of a task finds the complete corpus, and changes nothing.
    let late = write_files(&generators[1], &many, [0, number - 1]).unwrap();
    assert_eq!((late.files, late.kept), (2, 2));
    assert!(files(&one) == files(&many));
    let error = write_files(&generators[1], &many, [number]).unwrap_err();
    assert!(
        error.to_string().contains("the corpus has no file"),
        "{error}"
    );
}

#[test]
fn writing_files_removes_no_temporary_file_and_finishing_does() {
    let out = tempfile::tempdir().unwrap();
    let generator = Generator::builder().config(config()).build().unwrap();
    write_files(&generator, out.path(), [0]).unwrap();
    // On a file system without locks, another process's file looks like one that a killed run left.
    let events = out.path().join("events");
    let temporary = events.join(".part-00000.other.inprogress");
    std::fs::write(&temporary, "half").unwrap();
    write_files(&generator, out.path(), [0, 1]).unwrap();
    assert!(temporary.exists());
    assert!(
        finish_noted(&Corpus::at(out.path()), &Silent).is_err(),
        "files are missing"
    );
    assert!(!temporary.exists());
}

#[test]
fn a_file_of_another_size_is_found_without_reading_and_one_of_other_bytes_is_not() {
    let out = tempfile::tempdir().unwrap();
    let generator = Generator::builder().config(config()).build().unwrap();
    let number = generator.plan_file().files().count();
    write_files(&generator, out.path(), 0..number).unwrap();
    let path = out
        .path()
        .join(generator.plan_file().files().next().unwrap());
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[1..]).unwrap();
    assert!(finish_noted(&Corpus::at(out.path()), &Silent).is_err());
    let mut changed = whole.clone();
    changed[9] ^= 1;
    std::fs::write(&path, &changed).unwrap();
    assert!(finish(&Corpus::at(out.path()), &Silent).is_err());
    // The task is repeated.
    let summary = write_files(&generator, out.path(), [0]).unwrap();
    assert_eq!(summary.kept, 0);
    assert!(std::fs::read(&path).unwrap() == whole);
    assert!(
        finish_noted(&Corpus::at(out.path()), &Silent)
            .unwrap()
            .finished
    );
}
