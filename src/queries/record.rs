//! `run.json`: what a run of the suite measured and found.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::adapter::About;
use crate::corpus::file::NewFile;
use crate::corpus::to_json;
use crate::error::{Error, Result};
use crate::numbers::counted;

/// Rows up to which a record keeps the whole result.
pub const KEPT_ROWS: usize = 1_000;

/// The rows of a result.
pub type ResultRows = Vec<Vec<Value>>;

/// One run of one query.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Time of the query, as the engine measured it.
    pub ms: f64,
    /// Processor time of the engine's processes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cpu_ms: Option<u64>,
}

/// What became of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The answer is the known one, or no answer is known.
    Fine,
    /// The answer is not the known one, or changes between runs.
    Wrong,
    /// The engine refused the query, took too long, or ended.
    Failed,
    /// The corpus has no value for a parameter.
    Skipped,
}

/// One query of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    pub query: String,
    /// Where the known answer comes from; `none` if the result was not compared.
    pub answer: String,
    pub status: Status,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<String>,
    /// The first is cold.
    pub samples: Vec<Sample>,
    pub rows: u64,
    /// BLAKE3 of the rows as lines of JSON.
    pub checksum: String,
    pub columns: Vec<String>,
    /// The rows, if there are at most `KEPT_ROWS`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub result: Option<ResultRows>,
}

/// The machine that a run was measured on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    pub system: String,
    pub architecture: String,
    pub processor: String,
    pub threads: usize,
}

impl Machine {
    /// The machine that this process runs on.
    pub fn here() -> Self {
        let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = info
            .lines()
            .find_map(|line| line.strip_prefix("model name"));
        let model = model.map_or("", |rest| rest.trim_start_matches([' ', '\t', ':']));
        Machine {
            system: std::env::consts::OS.into(),
            architecture: std::env::consts::ARCH.into(),
            processor: model.to_string(),
            threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        }
    }

    /// The name of the processor, if the system has one, and the number of threads.
    pub(super) fn shown(&self) -> String {
        let threads = counted(self.threads as u64, "thread");
        match self.processor.as_str() {
            "" => threads,
            processor => format!("{processor}, {threads}"),
        }
    }
}

/// A run of the suite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub created_by: String,
    /// Version of the queries' texts.
    pub suite: String,
    /// Fingerprint of the corpus.
    pub fingerprint: String,
    pub events: u64,
    /// Size of the event files, in bytes.
    #[serde(default)]
    pub event_bytes: u64,
    pub machine: Machine,
    /// Threads that the engine was asked to use; `None` if it chose for itself.
    pub threads: Option<usize>,
    pub tries: usize,
    #[serde(flatten)]
    pub about: About,
    /// Values of the queries' parameters.
    pub parameters: Value,
    /// Peak memory of the engine: the sum of its processes' peaks.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub peak_kib: Option<u64>,
    pub queries: Vec<Outcome>,
}

impl Record {
    /// Reads a record.
    ///
    /// # Errors
    /// The file is missing or not a record.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read(path).map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Error::input(
                path,
                None,
                "there is no such file",
                "name a file that `fusiongen queries run -o FILE` wrote",
            ),
            _ => Error::io(path, "read", e),
        })?;
        serde_json::from_slice(&text).map_err(|e| {
            Error::input(
                path,
                format!("line {}", e.line()),
                format!("this is not a record of a run: {e}"),
                "name a file that `fusiongen queries run -o FILE` wrote",
            )
        })
    }

    /// Writes the record; the file appears complete or not at all.
    ///
    /// # Errors
    /// I/O.
    pub fn write(&self, path: &Path) -> Result<()> {
        NewFile::at(path.to_path_buf())
            .write(&to_json(self))
            .map(|_| ())
    }

    /// The outcomes with a status.
    pub fn with(&self, status: Status) -> impl Iterator<Item = &Outcome> {
        self.queries
            .iter()
            .filter(move |outcome| outcome.status == status)
    }
}

impl Outcome {
    /// The samples that count: all but the cold one, or the cold one if there is no other.
    pub fn warm(&self) -> &[Sample] {
        match self.samples.as_slice() {
            [_, warm @ ..] if !warm.is_empty() => warm,
            all => all,
        }
    }

    /// The shortest and the longest time of the samples that count.
    pub fn range(&self) -> Option<(f64, f64)> {
        let times = self.warm().iter().map(|sample| sample.ms);
        let least = times.clone().reduce(f64::min)?;
        Some((least, times.reduce(f64::max)?))
    }

    /// Median time of the samples that count.
    pub fn median(&self) -> Option<f64> {
        let mut times: Vec<f64> = self.warm().iter().map(|sample| sample.ms).collect();
        times.sort_by(f64::total_cmp);
        let n = times.len();
        (n > 0).then(|| (times[(n - 1) / 2] + times[n / 2]) / 2.0)
    }
}

/// BLAKE3 of rows as lines of JSON.
pub fn checksum(rows: &[Vec<Value>]) -> String {
    let mut hash = blake3::Hasher::new();
    for row in rows {
        hash.update(serde_json::to_string(row).unwrap_or_default().as_bytes());
        hash.update(b"\n");
    }
    hash.finalize().to_hex().to_string()
}

/// The first difference between two results, as a sentence; `None` if they are equal.
pub fn difference(
    columns: &[String],
    found: &[Vec<Value>],
    expected: &[Vec<Value>],
) -> Option<String> {
    for (at, (f, e)) in found.iter().zip(expected).enumerate() {
        if f.len() != e.len() {
            return Some(format!(
                "row {}: {} columns, expected {}",
                at + 1,
                f.len(),
                e.len()
            ));
        }
        if let Some(column) = (0..f.len()).find(|&c| f[c] != e[c]) {
            let name = columns.get(column).map_or("?", String::as_str);
            return Some(format!(
                "row {} col {name}: {}, expected {}",
                at + 1,
                f[column],
                e[column]
            ));
        }
    }
    (found.len() != expected.len())
        .then(|| format!("{} rows, expected {}", found.len(), expected.len()))
}
