//! What several tests do: write a corpus, look at its files, read its rows.
#![allow(dead_code, reason = "each test uses some of it")]

pub mod falsify;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use arrow_array::RecordBatch;
use fusiongen::Generator;
use fusiongen::grounding::Profile;
use fusiongen::plan::{Config, Grounding};
use fusiongen::{Corpus, Run, Silent, Summary};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// The embedded profile, and a world made up.
pub fn grounding() -> Grounding {
    Grounding {
        profile: Profile::embedded(),
        users: None,
        assets: None,
    }
}

/// A run of a whole corpus.
pub fn whole(threads: usize) -> Run {
    Run {
        threads,
        overwrite: false,
        part: None,
    }
}

/// Writes a corpus.
pub fn write(config: Config, run: Run, out: &Path) -> Summary {
    write_grounded(config, run, &grounding(), out)
}

/// Writes a corpus of given inputs.
pub fn write_grounded(config: Config, run: Run, grounding: &Grounding, out: &Path) -> Summary {
    let builder = Generator::builder().config(config);
    let generator = builder.grounding(grounding.clone()).build().unwrap();
    generator.write(&Corpus::at(out), run, &Silent).unwrap()
}

/// Every file below a directory that is there, while files may come and go.
pub fn walk(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(walk(&path)),
            path => found.push(path),
        }
    }
    found
}

/// What `read` makes of every file below a directory, by relative path.
fn each<T>(root: &Path, read: impl Fn(&Path) -> T) -> BTreeMap<String, T> {
    assert!(root.is_dir(), "{}", root.display());
    walk(root)
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root).unwrap().display().to_string();
            (name, read(&path))
        })
        .collect()
}

/// Every file below a directory, by relative path.
pub fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    each(root, |path| std::fs::read(path).unwrap())
}

/// BLAKE3 of every file below a directory, by relative path.
pub fn digests(root: &Path) -> BTreeMap<String, blake3::Hash> {
    each(root, |path| blake3::hash(&std::fs::read(path).unwrap()))
}

/// Everything in the Parquet files below a directory, in the order of their names.
pub fn batches(root: &Path) -> Vec<RecordBatch> {
    files(root)
        .into_values()
        .flat_map(|bytes| {
            let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes));
            let reader = reader.unwrap().build().unwrap();
            reader.map(|batch| batch.unwrap()).collect::<Vec<_>>()
        })
        .collect()
}

/// The program, without any setting from the environment, quiet on stdin and stdout.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fusiongen"));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let plain = text
            .strip_prefix("FUSIONGEN_")
            .filter(|name| *name != "PYTHON");
        let of_hours = text.ends_with("_WEIGHT") || text.ends_with("_WEIGHTS");
        if SETTINGS.contains(&&*text) || plain.is_some() || of_hours {
            command.env_remove(name);
        }
    }
    command.stdin(Stdio::null());
    command
}

const SETTINGS: [&str; 9] = [
    "SEED",
    "TARGET_EVENTS",
    "ATTACK_CHAIN_RATIO",
    "NOISE_RATIO",
    "NOISE_SEASONALITY",
    "NOISE_TZ_OFFSET",
    "DB_PATH",
    "AD_USERS_FILE",
    "CMDB_ASSETS_FILE",
];

/// Runs the program in `place` with only these setting variables.
pub fn run(place: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = program();
    command.current_dir(place).args(arguments);
    command.envs(variables.iter().copied()).output().unwrap()
}

/// What a program that succeeded said on stdout.
#[track_caller]
pub fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{}", stderr(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What a program said on stderr.
pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
