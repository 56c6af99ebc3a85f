//! Inputs, through the binary. Each invalid one is a single clear error with exit code 2, before the
//! output directory exists. If there is a fallback, a note says so and the run continues.

#[path = "../common/mod.rs"]
mod common;
mod csv;
mod databases;
mod profiles;

use std::path::{Path, PathBuf};
use std::process::Output;

use common::{program, stderr};
use rusqlite::Connection;
use tempfile::TempDir;

/// A directory for a test's inputs and its corpus.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Place(TempDir::new().expect("a temporary directory"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).expect("written");
        path
    }

    fn database(&self, sql: &str) -> PathBuf {
        let path = self.path("alerts.sqlite");
        let _ = std::fs::remove_file(&path);
        let connection = Connection::open(&path).expect("a database");
        connection.execute_batch(sql).expect("valid SQL");
        path
    }

    fn out(&self) -> PathBuf {
        self.path("corpus")
    }

    fn generate(&self, flag: &str, input: &Path) -> Output {
        // A made-up fleet and an inventory are mutually exclusive.
        match flag {
            "--cmdb-assets" => self.run(flag, input, &[]),
            _ => self.run(flag, input, &["--assets", "260"]),
        }
    }

    fn run(&self, flag: &str, input: &Path, more: &[&str]) -> Output {
        program()
            .args(["generate", "--events", "2000", "--days", "1"])
            .args([flag.as_ref(), input.as_os_str()])
            .args(more)
            .arg("--out")
            .arg(self.out())
            .output()
            .expect("run")
    }

    /// One clear error that names the file and contains each of `parts`; nothing was written.
    fn refused(&self, flag: &str, input: &Path, parts: &[&str]) {
        let output = self.run(flag, input, &[]);
        self.is_refusal(&output, input, parts);
    }

    fn is_refusal(&self, output: &Output, input: &Path, parts: &[&str]) {
        let message = stderr(output);
        assert_eq!(output.status.code(), Some(2), "{message}");
        let lines: Vec<&str> = message.lines().collect();
        assert_eq!(lines.len(), 2, "not an error and its remedy: {message}");
        assert!(
            lines[0].starts_with("error: ") && lines[1].starts_with("  "),
            "{message}"
        );
        assert!(message.len() < 2_000, "{} bytes of message", message.len());
        let name = input.file_name().expect("a name").to_string_lossy();
        for part in parts.iter().chain([&&*name]) {
            assert!(message.contains(part), "{part:?} is not in {message}");
        }
        assert!(output.stdout.is_empty());
        assert!(!self.out().exists(), "the corpus was begun");
    }

    /// Success, with `parts` on stderr; returns the categories of the corpus.
    fn done(&self, flag: &str, input: &Path, parts: &[&str]) -> Vec<String> {
        let output = self.generate(flag, input);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(0), "{message}");
        for part in parts {
            assert!(message.contains(part), "{part:?} is not in {message}");
        }
        assert!(
            message.lines().all(|line| line.starts_with("note: ")),
            "{message}"
        );
        let mut categories = Vec::new();
        for date in listed(&self.out().join("events")) {
            for category in listed(&date) {
                let name = category.file_name().expect("a name").to_string_lossy();
                categories.push(
                    name.strip_prefix("category=")
                        .expect("a partition")
                        .to_string(),
                );
            }
        }
        std::fs::remove_dir_all(self.out()).expect("removed");
        categories
    }
}

fn listed(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory)
        .expect("listed")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths
}

#[test]
fn a_file_that_is_not_there() {
    let place = Place::new();
    for flag in ["--alerts-db", "--ad-users", "--cmdb-assets", "--profile"] {
        place.refused(
            flag,
            &place.path("absent.file"),
            &["there is no such file", flag],
        );
        place.refused(flag, place.0.path(), &["is a directory"]);
    }
}
