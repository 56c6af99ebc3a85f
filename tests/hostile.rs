//! Damaged and malicious inputs, through the program: each is accepted or refused in one line
//! with exit code 2, before anything is made, and none is changed, nor anything beside it.
//! `tests/inputs/` has those that are merely wrong.

mod common;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use common::{digests, program, stderr};
use fusiongen::grounding::Profile;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rusqlite::Connection;
use tempfile::TempDir;

/// A directory with an alerts database of 300 rows, and nothing else.
struct Place {
    inputs: TempDir,
    outputs: TempDir,
}

impl Place {
    fn new(sql: &str) -> Self {
        let place = Place {
            inputs: tempfile::tempdir().unwrap(),
            outputs: tempfile::tempdir().unwrap(),
        };
        let connection = Connection::open(place.database()).unwrap();
        connection.execute_batch(sql).unwrap();
        place
    }

    fn database(&self) -> PathBuf {
        self.inputs.path().join("alerts.sqlite")
    }

    fn out(&self) -> PathBuf {
        self.outputs.path().join("corpus")
    }

    fn generate(&self, flag: &str, input: &Path) -> Output {
        self.generate_with(flag, input, &[])
    }

    fn generate_with(&self, flag: &str, input: &Path, more: &[&str]) -> Output {
        program()
            .args(["generate", "--events", "1000", "--days", "1"])
            .args([flag.as_ref(), input.as_os_str()])
            .args(more)
            .arg("--out")
            .arg(self.out())
            .stdout(Stdio::null())
            .output()
            .unwrap()
    }

    /// The program's word on the database, which it leaves as it is. `None` if it was taken.
    #[track_caller]
    fn profiled(&self) -> Option<String> {
        let before = digests(self.inputs.path());
        let outcome = self.profiled_unwatched();
        assert!(
            digests(self.inputs.path()) == before,
            "the database was changed, or something is left beside it"
        );
        outcome
    }

    #[track_caller]
    fn profiled_unwatched(&self) -> Option<String> {
        let saved = self.outputs.path().join("p.json");
        let _ = std::fs::remove_file(&saved);
        let output = program()
            .args(["profile", "--no-progress", "--alerts-db"])
            .arg(self.database())
            .arg("-o")
            .arg(&saved)
            .stdout(Stdio::null())
            .output()
            .unwrap();
        let message = stderr(&output);
        match output.status.code() {
            Some(0) => {
                Profile::read(&saved).unwrap();
                None
            }
            Some(2) => {
                is_one_error(&message, &self.database());
                assert!(!saved.exists());
                Some(message)
            }
            code => panic!("exit code {code:?}: {message}"),
        }
    }

    #[track_caller]
    fn refused(&self, parts: &[&str]) {
        let message = self.profiled().expect("refused");
        for part in parts {
            assert!(message.contains(part), "{part:?} is not in {message}");
        }
        let output = self.generate("--alerts-db", &self.database());
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(stderr(&output), message);
        assert!(!self.out().exists(), "the corpus was begun");
    }
}

/// What and where, then what to do about it.
#[track_caller]
fn is_one_error(message: &str, input: &Path) {
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(lines.len(), 2, "{message}");
    let start = format!("error: {}", input.display());
    assert!(lines[0].starts_with(&start), "{message}");
    assert!(lines[1].starts_with("  "), "{message}");
    assert!(message.len() < 2_000);
    let plain = |c: char| c == '\n' || !c.is_control();
    assert!(message.chars().all(plain), "{message:?}");
}

const ALERTS: &str = "PRAGMA page_size = 1024;
    CREATE TABLE alerts (signature, category, severity, src_ip, dest_ip, dest_port);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
    INSERT INTO alerts SELECT 'signature ' || i % 20, 'C', 1 + i % 3, '8.8.8.8', '10.0.0.' || (1 + i % 200), 80 FROM n;";

#[test]
fn a_database_with_flipped_bits_is_taken_or_refused() {
    let place = Place::new(ALERTS);
    let whole = std::fs::read(place.database()).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let mut outcomes = BTreeMap::new();
    for round in 0..60 {
        let mut bytes = whole.clone();
        for _ in 0..1 + round % 8 {
            // Half of the damage to the header, the schema and the roots of the tables.
            let within = if round % 2 == 0 { 2_048 } else { bytes.len() };
            let at = random.next_u32() as usize % within;
            bytes[at] ^= 1 << (random.next_u32() % 8);
        }
        std::fs::write(place.database(), bytes).unwrap();
        let taken = place.profiled().is_none();
        *outcomes.entry(taken).or_insert(0) += 1;
    }
    assert!(outcomes.len() == 2, "{outcomes:?}");
}

#[test]
fn a_truncated_database_is_refused() {
    let place = Place::new(ALERTS);
    let whole = std::fs::read(place.database()).unwrap();
    for length in [
        16,
        99,
        100,
        1_023,
        1_024,
        whole.len() / 2,
        whole.len() - 1_024,
    ] {
        std::fs::write(place.database(), &whole[..length]).unwrap();
        place.refused(&["SQLite says: "]);
    }
}

#[test]
fn a_locked_database_is_refused() {
    let place = Place::new(ALERTS);
    let before = digests(place.inputs.path());
    let writer = Connection::open(place.database()).unwrap();
    writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
    // To look at the file here and now would end this process's lock on it.
    let message = place.profiled_unwatched().expect("refused");
    assert!(message.contains("database is locked"), "{message}");
    assert!(message.contains("stop it, or give a copy"), "{message}");
    writer.execute_batch("ROLLBACK").unwrap();
    drop(writer);
    assert!(digests(place.inputs.path()) == before);
    assert_eq!(place.profiled(), None);
}

#[test]
fn a_database_that_is_being_written_is_read_as_it_was_committed() {
    let place = Place::new(ALERTS);
    // In WAL mode, readers and a writer do not block each other.
    let writer = Connection::open(place.database()).unwrap();
    writer
        .execute_batch(
            "PRAGMA journal_mode = WAL; INSERT INTO alerts (signature) VALUES ('committed');
             BEGIN IMMEDIATE; INSERT INTO alerts (signature) VALUES ('not yet');",
        )
        .unwrap();
    let main = std::fs::read(place.database()).unwrap();
    let log = place.inputs.path().join("alerts.sqlite-wal");
    let logged = std::fs::read(&log).unwrap();
    let saved = place.outputs.path().join("p.json");
    let output = program()
        .args(["profile", "--alerts-db"])
        .arg(place.database())
        .arg("-o")
        .arg(&saved)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(Profile::read(&saved).unwrap().rows, 301);
    assert!(std::fs::read(place.database()).unwrap() == main);
    assert!(std::fs::read(&log).unwrap() == logged);
    writer.execute_batch("COMMIT").unwrap();
    drop(writer);
    // After a proper close, the log is gone, the mode remains, and no file is created again.
    assert!(!log.exists());
    assert_eq!(place.profiled(), None);
}

#[test]
fn a_read_only_database_in_a_read_only_directory_is_read() {
    for mode in ["DELETE", "WAL"] {
        let place = Place::new(&format!("PRAGMA journal_mode = {mode}; {ALERTS}"));
        let set = |path: &Path, mode: u32| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        set(&place.database(), 0o444);
        set(place.inputs.path(), 0o555);
        assert_eq!(place.profiled(), None, "{mode}");
        set(place.inputs.path(), 0o755);
    }
}

#[test]
fn views_stand_for_tables_and_cannot_write() {
    let place = Place::new(
        "CREATE TABLE log (message, host);
         INSERT INTO log VALUES ('ET SCAN', '10.0.0.1'), ('=1+1', '10.0.0.2');
         CREATE VIEW alerts AS SELECT message AS signature, host AS src_ip FROM log;",
    );
    assert_eq!(place.profiled(), None);
    // Functions that access files outside the database cannot be called from views.
    for view in [
        "SELECT load_extension('/tmp/x.so') AS signature",
        "SELECT writefile('/tmp/x', 'x') AS signature",
        "SELECT * FROM nowhere",
        "SELECT signature FROM alerts",
        "SELECT printf('%.*c', 3000000000, 'x') AS signature",
    ] {
        let place = Place::new(&format!("CREATE VIEW alerts AS {view};"));
        place.refused(&[]);
    }
}

#[test]
fn a_million_users_are_read_and_a_mistake_among_them_found() {
    let place = Place::new(ALERTS);
    let path = place.outputs.path().join("users.csv");
    let mut text = String::from("\u{feff}username,Display Name\r\n");
    for i in 0..1_000_000 {
        text += &format!("user{i},\"Last{i}, \"\"First\"\"\"\r\n");
    }
    text += "user7,again\r\n";
    std::fs::write(&path, text).unwrap();
    let strict = place.generate_with("--ad-users", &path, &["--strict"]);
    let message = stderr(&strict);
    assert_eq!(strict.status.code(), Some(2), "{message}");
    is_one_error(&message, &path);
    assert!(
        message.contains("line 1000002") && message.contains("line 9"),
        "{message}"
    );
    let repaired = place.generate("--ad-users", &path);
    let message = stderr(&repaired);
    assert_eq!(repaired.status.code(), Some(0), "{message}");
    assert!(
        message.contains("1 of 1000001 rows left out: duplicate username (1; line 1000002)"),
        "{message}"
    );
}

/// Every prefix of a valid file, and the file with any line repeated or removed, is accepted or refused.
#[test]
fn pieces_of_profiles_and_users_are_taken_or_refused() {
    let place = Place::new(ALERTS);
    let saved = place.outputs.path().join("p.json");
    let mut profile = Profile::embedded();
    profile.tuples.truncate(12);
    profile.write(&saved).unwrap();
    let whole = std::fs::read(&saved).unwrap();
    let path = place.outputs.path().join("spoilt.json");
    let read = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        match Profile::read(&path) {
            Ok(_) => true,
            Err(error) => {
                is_one_error(&format!("error: {error}\n"), &path);
                assert_eq!(error.exit_code(), 2);
                false
            }
        }
    };
    assert!(read(&whole));
    let text_ends = whole.trim_ascii_end().len();
    for length in (0..text_ends).step_by(text_ends / 500) {
        assert!(!read(&whole[..length]), "{length} of {text_ends} bytes");
    }
    let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    for line in 0..lines.len() {
        let mut fewer = lines.clone();
        fewer.remove(line);
        read(&fewer.concat());
        let mut more = lines.clone();
        more.insert(line, lines[line]);
        read(&more.concat());
    }
}

fn copy_of_the_catalog(into: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![PathBuf::from("data/catalog")];
    while let Some(directory) = open.pop() {
        let to = into.join(directory.strip_prefix("data/catalog").unwrap());
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let copy = to.join(path.file_name().unwrap());
            std::fs::copy(&path, &copy).unwrap();
            files.push(copy);
        }
    }
    files.retain(|path| path.extension().is_some_and(|it| it == "toml"));
    files.sort();
    files
}

#[test]
fn a_truncated_or_misspelt_catalog_is_refused() {
    let place = Place::new(ALERTS);
    let directory = place.outputs.path().join("catalog");
    let files = copy_of_the_catalog(&directory);
    assert!(files.len() > 8, "{files:?}");
    for path in &files {
        let whole = std::fs::read_to_string(path).unwrap();
        let spoilt = [
            // In the middle of a string or a table.
            whole[..whole.floor_char_boundary(whole.trim_end().len() - 2)].to_string(),
            format!("{whole}\n[[nonsense]]\nx = 1\n"),
            format!("version = 99\n{whole}"),
            String::from("\u{0}"),
        ];
        for text in spoilt {
            std::fs::write(path, &text).unwrap();
            let output = place.generate("--catalog", &directory);
            let message = stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{path:?}: {message}");
            is_one_error(&message, path);
            assert!(!place.out().exists());
        }
        std::fs::write(path, whole).unwrap();
    }
    let output = place.generate("--catalog", &directory);
    assert!(output.status.success(), "{}", stderr(&output));
}
