//! Databases that somebody spoiled, by malice or by a crash: each is read or refused in
//! one line, and none is changed.

use super::*;

#[test]
fn hostile_names_are_shown_harmlessly() {
    let message = refusal(
        "CREATE TABLE \"x'; DROP TABLE alerts; --\" (y);
         CREATE TABLE \"line\nbreak\u{202e}\u{1b}[31m\" (y);
         CREATE TABLE \"../../etc/passwd\" (y);",
    );
    assert!(message.contains("DROP TABLE") && message.contains("../../etc/passwd"));
    assert_eq!(message.lines().count(), 2, "{message}");
    assert!(!message.contains(['\u{1b}', '\u{202e}']), "{message:?}");
    let long = "n".repeat(100_000);
    let message = refusal(&format!("CREATE TABLE alerts (\"{long}\", \"a\nb\");"));
    assert!(
        message.len() < 1_000 && message.lines().count() == 2,
        "{message}"
    );
}

#[test]
fn a_quoted_column_is_read_under_its_own_name() {
    let profile = profile(
        "CREATE TABLE alerts (\"Signature\"\"; DROP TABLE alerts; --\" TEXT, \"signature\" TEXT,
           \"src ip\" TEXT);
         INSERT INTO alerts VALUES ('no', '=cmd|'' /C calc''!A0', '8.8.8.8');",
    );
    // Spreadsheet formulas are text like any other.
    assert_eq!(only(&profile).signature, "=cmd|' /C calc'!A0");
    assert_eq!(profile.external_clients.len(), 1);
}

#[test]
fn a_column_whose_name_is_no_utf8_is_left_alone() {
    let database = database(
        "CREATE TABLE alerts (signature, category, signaturX, zzz);
         INSERT INTO alerts VALUES ('S', 'C', 'no', 'no');",
    );
    let mut bytes = std::fs::read(&database.path).expect("read");
    let at = bytes
        .windows(10)
        .position(|it| it == b"signaturX,")
        .expect("the schema");
    bytes[at + 8] = 0xff;
    std::fs::write(&database.path, &bytes).expect("written");
    assert_eq!(
        only(&fit(&database.path, None).expect("a profile")).signature,
        "S"
    );
    let at = bytes
        .windows(10)
        .position(|it| it == b"signature,")
        .expect("the schema");
    bytes[at] = 0xff;
    std::fs::write(&database.path, &bytes).expect("written");
    let message = fit(&database.path, None).expect_err("refused").to_string();
    assert!(
        message.contains("the columns are category, zzz"),
        "{message}"
    );
}

#[test]
fn giant_texts_count_as_null() {
    let profile = profile(
        "CREATE TABLE alerts (signature, category, raw_json);
         INSERT INTO alerts VALUES (printf('%.*c', 10000000, 'x'), 'C', NULL),
           ('S', printf('%.*c', 10000000, 'x'), printf('%.*c', 3000000, '[')),
           (printf('%.*c', 1000000, 'y'), '../../etc/passwd', printf('%.*c', 500000, '['));",
    );
    assert_eq!(profile.rows, 2);
    assert!(missing(
        &profile,
        "signature: 1 of 3 rows have none, or one longer than 1 MiB"
    ));
    let categories: Vec<_> = profile
        .tuples
        .iter()
        .map(|it| it.category.as_deref())
        .collect();
    assert!(categories.contains(&None) && categories.contains(&Some("../../etc/passwd")));
    assert!(profile.tuples.iter().all(|it| it.signature.len() <= 1_024));
}

#[test]
fn a_locked_database_is_refused_and_left_alone() {
    let database = database("CREATE TABLE alerts (signature); INSERT INTO alerts VALUES ('S');");
    let writer = Connection::open(&database.path).expect("a database");
    writer.execute_batch("BEGIN EXCLUSIVE").expect("locked");
    let message = fit(&database.path, None).expect_err("refused").to_string();
    assert!(
        message.contains("locked") && message.contains("give a copy"),
        "{message}"
    );
    writer.execute_batch("ROLLBACK").expect("unlocked");
    assert_eq!(fit(&database.path, None).expect("a profile").rows, 1);
}

/// A copy of a database and its log or journal, as a crash leaves them.
fn crashed(sql: &str, beside: &str) -> Database {
    let original = database("CREATE TABLE alerts (signature);");
    let writer = Connection::open(&original.path).expect("a database");
    writer.execute_batch(sql).expect("valid SQL");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("alerts.sqlite");
    let copy = |suffix: &str| {
        let name = |of: &Path| {
            let mut name = of.as_os_str().to_os_string();
            name.push(suffix);
            PathBuf::from(name)
        };
        std::fs::copy(name(&original.path), name(&path)).expect("copied");
    };
    copy("");
    copy(beside);
    Database { directory, path }
}

#[test]
fn a_log_that_a_crash_left_is_read_and_left_alone() {
    let database = crashed(
        "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; INSERT INTO alerts VALUES ('S'), ('T');",
        "-wal",
    );
    let log = database.directory.path().join("alerts.sqlite-wal");
    let content = || [&database.path, &log].map(|path| std::fs::read(path).expect("read"));
    let before = content();
    assert_eq!(fit(&database.path, None).expect("a profile").rows, 2);
    assert_eq!(content(), before);
}

#[test]
fn a_journal_that_a_crash_left_is_refused_and_left_alone() {
    let database = crashed(
        "PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
         INSERT INTO alerts SELECT 'signature ' || i FROM n;",
        "-journal",
    );
    let before = std::fs::read(&database.path).expect("read");
    let message = fit(&database.path, None).expect_err("refused").to_string();
    assert!(message.contains("unfinished transactions"), "{message}");
    assert_eq!(std::fs::read(&database.path).expect("read"), before);
}

#[test]
fn an_endless_view_is_read_in_bounded_steps() {
    let mut reports = Vec::new();
    let database = database(
        "CREATE VIEW alerts AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
           SELECT 'signature ' || (i % 50) AS signature, i AS src_port FROM n;",
    );
    let profile =
        fit_watched(&database.path, None, &mut |rows| reports.push(rows)).expect("fitted");
    assert_eq!(profile.rows, 200_000);
    assert_eq!(reports, [65_536, 131_072, 196_608]);
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_damaged_database_is_read_or_refused(
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        ) {
            let database = database(
                "PRAGMA page_size = 512; CREATE TABLE alerts (signature, category, src_ip, raw_json);
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
                 INSERT INTO alerts SELECT 'signature ' || i, 'C', '8.8.8.' || i, '{\"proto\":\"TCP\"}' FROM n;",
            );
            let mut bytes = std::fs::read(&database.path).expect("read");
            for (at, byte) in flips {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            std::fs::write(&database.path, &bytes).expect("written");
            match fit(&database.path, None) {
                Ok(profile) => profile.validate(&database.path).expect("a valid profile"),
                Err(error) => prop_assert_eq!(error.exit_code(), 2, "{}", error),
            }
            prop_assert_eq!(std::fs::read(&database.path).expect("read"), bytes);
        }

        #[test]
        fn any_bytes_after_the_header_are_refused(tail in prop::collection::vec(any::<u8>(), 0..3000)) {
            let directory = tempfile::tempdir().expect("a temporary directory");
            let path = directory.path().join("x");
            let mut bytes = b"SQLite format 3\0".to_vec();
            bytes.extend(tail);
            std::fs::write(&path, bytes).expect("written");
            prop_assert_eq!(fit(&path, None).expect_err("refused").exit_code(), 2);
        }

        #[test]
        fn any_cells_make_a_valid_profile(
            rows in prop::collection::vec(prop::collection::vec(cell(), 9), 1..8),
        ) {
            let database = database(
                "CREATE TABLE alerts (signature, category, severity, src_ip, dest_port, protocols,
                   timestamp, bytes_toserver, raw_json);",
            );
            let writer = Connection::open(&database.path).expect("a database");
            for row in &rows {
                writer
                    .execute(
                        "INSERT INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        rusqlite::params_from_iter(row),
                    )
                    .expect("inserted");
            }
            drop(writer);
            if let Ok(profile) = fit(&database.path, None) {
                profile.validate(&database.path).expect("a valid profile");
                let path = database.directory.path().join("p.json");
                profile.write(&path).expect("written");
                prop_assert_eq!(Profile::read(&path).expect("read"), profile);
            }
        }
    }

    fn cell() -> impl Strategy<Value = rusqlite::types::Value> {
        use rusqlite::types::Value as Cell;
        prop_oneof![
            Just(Cell::Null),
            any::<i64>().prop_map(Cell::Integer),
            (0..100_000i64).prop_map(Cell::Integer),
            any::<f64>().prop_map(Cell::Real),
            any::<String>().prop_map(Cell::Text),
            "[a-zA-Z0-9 .,:/\\[\\]{}\"-]{0,40}".prop_map(Cell::Text),
            prop::collection::vec(any::<u8>(), 0..40).prop_map(Cell::Blob),
        ]
    }
}
