//! The commit hook, through a format that adds files to the event files.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::path::Path;

use super::complete::{Compared, Finish};
use super::*;
use crate::check::integrity::integrity;
use crate::corpus::Manifest;
use crate::generator::Generator;
use crate::plan::{Config, PartitionBy};
use crate::progress::Silent;
use crate::sink::format::{CommitFile, CompleteCorpus};
use crate::sink::parquet::Parquet;

/// What a test format adds to a corpus.
trait Commit: Send + Sync {
    fn files(corpus: &CompleteCorpus<'_>) -> Vec<CommitFile>;
}

/// Parquet files, and the files of a commit.
struct Table<C>(Parquet, PhantomData<C>);

impl<C: Commit> FileFormat for Table<C> {
    type RowGroup = <Parquet as FileFormat>::RowGroup;
    type Encoder<'f>
        = <Parquet as FileFormat>::Encoder<'f>
    where
        C: 'f;
    type File = <Parquet as FileFormat>::File;

    fn new(settings: FormatSettings<'_>) -> Result<Self> {
        Parquet::new(settings).map(|parquet| Table(parquet, PhantomData))
    }

    fn encoder<'f>(&'f self, rows: u64, path: &'f Path) -> Result<Self::Encoder<'f>> {
        self.0.encoder(rows, path)
    }

    fn create(&self, file: AtomicFile) -> Result<Self::File> {
        self.0.create(file)
    }

    fn commit(corpus: &CompleteCorpus<'_>) -> Result<Vec<CommitFile>> {
        Ok(C::files(corpus))
    }
}

/// A log with a line for each event file, and the schema's paths in a directory of their own.
struct Log;

impl Commit for Log {
    fn files(corpus: &CompleteCorpus<'_>) -> Vec<CommitFile> {
        let lines = corpus.files.iter().map(|file| format!("{file:?}\n"));
        let paths = corpus.schema.leaves.iter().map(|leaf| leaf.path);
        let file = |path: &str, text: String| CommitFile {
            path: path.into(),
            contents: text.into_bytes(),
        };
        vec![
            file("_log/0.txt", lines.collect()),
            file("_log/schema/paths", paths.collect::<Vec<_>>().join("\n")),
        ]
    }
}

/// A file outside of `events/`.
struct Outside;

impl Commit for Outside {
    fn files(_: &CompleteCorpus<'_>) -> Vec<CommitFile> {
        vec![CommitFile {
            path: "../manifest.json".into(),
            contents: Vec::new(),
        }]
    }
}

fn generator(seed: u64, partition_by: PartitionBy) -> Generator {
    let config = Config {
        events: 2_000,
        days: 2,
        seed,
        partition_by,
        ..Config::default()
    };
    Generator::builder().config(config).build().unwrap()
}

fn all_files() -> Run {
    Run {
        threads: 2,
        overwrite: false,
        part: None,
    }
}

fn write<F: FileFormat>(generator: &Generator, root: &Path, run: Run) -> Result<Summary> {
    let generate = Generate {
        corpus: &Corpus::at(root),
        maker: generator.maker(),
        tables: generator.tables(),
        run,
        progress: &Silent,
    };
    generate.run::<F>()
}

fn finish_as<F: FileFormat>(root: &Path) -> Result<Summary> {
    let corpus = Corpus::at(root);
    let plan_file = PlanFile::read(&corpus)?;
    let finish = Finish {
        corpus: &corpus,
        plan_file: &plan_file,
        compared: Compared::Contents,
        progress: &Silent,
    };
    finish.run::<F>()
}

/// Contents of all files, by path.
fn contents(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => {
                let inner = contents(&path).into_iter();
                let name = PathBuf::from(path.file_name().unwrap());
                found.extend(inner.map(|(inside, bytes)| (name.join(inside), bytes)));
            }
            false => {
                let bytes = std::fs::read(&path).unwrap();
                found.insert(path.file_name().unwrap().into(), bytes);
            }
        }
    }
    found
}

#[test]
fn the_commit_lists_every_event_file_and_is_part_of_the_corpus() {
    for partition_by in [PartitionBy::DateCategory, PartitionBy::Date] {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("corpus");
        let summary =
            write::<Table<Log>>(&generator(42, partition_by), &root, all_files()).unwrap();
        let manifest = Manifest::read(&Corpus::at(&root)).unwrap();
        let plan = PlanFile::read(&Corpus::at(&root)).unwrap();
        let paths: Vec<&str> = manifest.commit.iter().map(|f| f.path.as_str()).collect();
        assert_eq!(paths, ["events/_log/0.txt", "events/_log/schema/paths"]);
        assert_eq!(summary.files as usize, manifest.files.len() - 1);
        // A run that finds the corpus complete says the same of it.
        let again = write::<Table<Log>>(&generator(42, partition_by), &root, all_files()).unwrap();
        assert_eq!((again.files, again.bytes), (summary.files, summary.bytes));
        let log = std::fs::read_to_string(root.join("events/_log/0.txt")).unwrap();
        let expected: String = (manifest.files.iter().skip(1).take(plan.shards.len()))
            .map(|entry| {
                let path = entry.path.strip_prefix("events/").unwrap();
                let named = |name: &str| path.split('/').find_map(|part| part.strip_prefix(name));
                let file = crate::sink::format::CompleteFile {
                    path,
                    date: named("date=").unwrap(),
                    category: named("category="),
                    rows: entry.rows,
                    bytes: entry.bytes,
                    blake3: &entry.blake3,
                    times: entry.first.zip(entry.last),
                };
                format!("{file:?}\n")
            })
            .collect();
        assert_eq!(log, expected);
        let has_category = log.contains("category: Some(");
        assert_eq!(has_category, partition_by == PartitionBy::DateCategory);
        assert_eq!(integrity(&Corpus::at(&root)).unwrap().damages, []);
        // A file of the commit is checked as any other.
        std::fs::write(root.join("events/_log/0.txt"), "another").unwrap();
        let damages = integrity(&Corpus::at(&root)).unwrap().damages;
        assert_eq!(damages[0].file, "events/_log/0.txt");
    }
}

#[test]
fn a_commit_is_the_same_after_parts_and_after_losses() {
    let place = tempfile::tempdir().unwrap();
    let (one, parts) = (place.path().join("one"), place.path().join("parts"));
    let generator = generator(42, PartitionBy::Date);
    write::<Table<Log>>(&generator, &one, all_files()).unwrap();
    let complete = contents(&one);
    for number in [2, 1] {
        let part = Some(Part { number, of: 2 });
        let run = Run {
            part,
            ..all_files()
        };
        write::<Table<Log>>(&generator, &parts, run).unwrap();
        assert!(!parts.join("events/_log").exists());
    }
    finish_as::<Table<Log>>(&parts).unwrap();
    assert!(complete == contents(&parts));
    // Complete, or complete but for a lost file: each run leaves the same bytes.
    for lost in ["", "_SUCCESS", "manifest.json", "events/_log/0.txt"] {
        for by_finish in [false, true] {
            if !lost.is_empty() {
                std::fs::remove_file(one.join(lost)).unwrap();
            }
            let summary = match by_finish {
                true => finish_as::<Table<Log>>(&one).ok(),
                false => write::<Table<Log>>(&generator, &one, all_files()).ok(),
            };
            if lost == "manifest.json" && by_finish {
                // Neither the journal nor the manifest has the entries of the files.
                assert!(summary.is_none());
                write::<Table<Log>>(&generator, &one, all_files()).unwrap();
            } else {
                assert!(summary.unwrap().finished, "{lost}");
            }
            assert!(complete == contents(&one), "{lost} {by_finish}");
        }
    }
}

#[test]
fn overwriting_removes_a_commit_but_no_foreign_file_beside_it() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("corpus");
    let first = generator(42, PartitionBy::Date);
    write::<Table<Log>>(&first, &root, all_files()).unwrap();
    let other = generator(7, PartitionBy::Date);
    let run = Run {
        overwrite: true,
        ..all_files()
    };
    let foreign = root.join("events/_log/1.txt");
    std::fs::write(&foreign, "theirs").unwrap();
    let before = contents(&root);
    let error = write::<Parquet>(&other, &root, run).unwrap_err();
    assert!(error.to_string().contains("1.txt"), "{error}");
    assert!(before == contents(&root));
    std::fs::remove_file(&foreign).unwrap();
    write::<Parquet>(&other, &root, run).unwrap();
    assert!(!root.join("events/_log").exists());
    assert_eq!(integrity(&Corpus::at(&root)).unwrap().damages, []);
}

#[test]
fn a_commit_stays_inside_the_events() {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("corpus");
    let generator = generator(42, PartitionBy::Date);
    let error = write::<Table<Outside>>(&generator, &root, all_files()).unwrap_err();
    assert!(matches!(error, Error::Defect { .. }), "{error}");
    assert!(!root.join("_SUCCESS").exists() && !root.join("manifest.json").exists());
}
