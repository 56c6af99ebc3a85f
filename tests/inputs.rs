//! Inputs from outside, through the binary: each broken one is one clear error, exit code
//! 2, before the output directory exists; what has a fallback says so and goes on.

mod common;

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
        // A made-up fleet and an inventory exclude each other.
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

    /// One clear error that names the file and says each of `parts`; nothing was made.
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

    /// Done, with `parts` said on stderr; the categories of the corpus.
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

/// Many rows of a plain table.
const ROWS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)";

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

#[test]
fn an_inventory_without_a_host_that_reports() {
    let place = Place::new();
    let csv = "Hostname,IP_Address,OS,Asset_Type\nSW-1,10.0.0.2,Cisco IOS 15.2,Switch\n\
               PRN-1,10.0.0.3,Printer firmware,Printer\n";
    place.refused(
        "--cmdb-assets",
        &place.file("assets.csv", csv),
        &["none of the assets runs Windows or Linux", "assets.csv"],
    );
}

#[test]
fn databases_that_are_none() {
    let place = Place::new();
    let flag = "--alerts-db";
    place.refused(flag, &place.file("empty", ""), &["the file is empty"]);
    place.refused(
        flag,
        &place.file("text", "some text\nS\n"),
        &["no column holds the signature", "some text"],
    );
    let mut damaged = b"SQLite format 3\0".to_vec();
    damaged.extend([0xa5; 9000]);
    place.refused(
        flag,
        &place.file("damaged", damaged),
        &["SQLite says", ".recover"],
    );
    let path = place.database(&format!("CREATE TABLE alerts (signature); {ROWS} INSERT INTO alerts SELECT printf('%.500c', 'x') || i FROM n;"));
    let whole = std::fs::read(&path).expect("read");
    place.refused(
        flag,
        &place.file("half", &whole[..whole.len() / 2]),
        &["SQLite says"],
    );
}

#[test]
fn databases_without_alerts() {
    let place = Place::new();
    let cases: [(&str, &[&str]); 6] = [
        (
            "CREATE TABLE people (name); CREATE VIEW log AS SELECT 1;",
            &[
                "the database has log, people",
                "make a table or view `alerts`",
            ],
        ),
        (
            "CREATE TABLE alerts (signature, severity);",
            &["table alerts", "the table is empty"],
        ),
        (
            "CREATE TABLE alerts (signature, severity); INSERT INTO alerts VALUES (NULL, NULL), (NULL, NULL);",
            &["none of its 2 rows"],
        ),
        (
            "CREATE TABLE alerts (id, severity); INSERT INTO alerts VALUES (1, 2);",
            &["its columns are id, severity"],
        ),
        (
            "CREATE TABLE alerts (signature); INSERT INTO alerts VALUES (printf('%.*c', 10485760, 'x'));",
            &["none of its 1 rows"],
        ),
        (
            "CREATE TABLE \"a\nb\u{1b}[31m\" (x);",
            &["the database has a\\nb"],
        ),
    ];
    for (sql, parts) in cases {
        let path = place.database(sql);
        place.refused("--alerts-db", &path, parts);
        let output = program()
            .args(["profile", "--alerts-db"])
            .arg(&path)
            .arg("-o")
            .arg(place.path("p.json"))
            .output()
            .expect("run");
        place.is_refusal(&output, &path, parts);
        assert!(!place.path("p.json").exists());
    }
}

#[test]
fn odd_content_has_a_stated_fallback() {
    let place = Place::new();
    let flag = "--alerts-db";
    let path = place.database(
        "CREATE TABLE alerts (signature, category, severity, src_ip, dest_ip, dest_port, protocols);
         INSERT INTO alerts VALUES
           (printf('%.*c', 10485760, 'x'), 'long', 1, NULL, NULL, NULL, NULL),
           ('S', '../../etc/passwd', 99, '8.8.8.8', '10.0.0.1', 70000, '[\"tcp\", \"http\"]'),
           (CAST(x'41ff42' AS TEXT), CAST(x'c3' AS TEXT), -1, 'nowhere', '300.0.0.1', -4, 'tcp'),
           ('line' || char(10) || 'break', 'a/b' || char(0) || 'c', 'x', NULL, NULL, NULL, 'udp'),
           ('=HYPERLINK(\"http://x\")', 'DROP TABLE alerts; --', NULL, NULL, NULL, NULL, NULL);",
    );
    let before = std::fs::read(&path).expect("read");
    let categories = place.done(
        flag,
        &path,
        &[
            "signature: 1 of 5 rows have none, or one longer than 1 MiB",
            "nothing says which end is the worst",
        ],
    );
    for category in ["etc_passwd", "a_b_c", "drop_table_alerts"] {
        assert!(
            categories.iter().any(|it| it == category),
            "{category}: {categories:?}"
        );
    }
    let plain = |name: &String| {
        name.bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
    };
    assert!(categories.iter().all(plain), "{categories:?}");
    assert_eq!(std::fs::read(&path).expect("read"), before);
    assert_eq!(
        listed(place.0.path()),
        [path],
        "something is left beside the database"
    );
}

#[test]
fn a_signature_alone_will_do() {
    let place = Place::new();
    let path = place.database("CREATE TABLE alerts (signature, category, severity, src_ip); INSERT INTO alerts VALUES ('S', NULL, NULL, NULL);");
    let categories = place.done(
        "--alerts-db",
        &path,
        &["note: category", "note: severity", "note: timestamp"],
    );
    assert!(categories.iter().any(|it| it == "uncategorized"));
}

/// A table in each foreign layout.
fn foreign() -> [(&'static str, String); 6] {
    let rows = |insert: &str| format!("{ROWS} INSERT INTO {insert} FROM n;");
    [
        (
            "EveBox",
            format!(
                "CREATE TABLE events (timestamp INTEGER NOT NULL, archived INTEGER DEFAULT 0, escalated INTEGER DEFAULT 0, source JSON, source_values TEXT, history JSON DEFAULT '[]'); {}",
                rows(
                    "events (timestamp, source) SELECT 1723458104000000000 + i, json_object('event_type', 'alert', 'src_ip', '8.8.8.' || (i % 200 + 1), 'src_port', 40000 + i, 'dest_ip', '10.0.0.9', 'dest_port', 445, 'proto', 'TCP', 'app_proto', 'smb', 'direction', 'to_server', 'alert', json_object('signature', 'Foreign', 'signature_id', 7, 'category', 'Foreign', 'severity', 2))"
                )
            ),
        ),
        (
            "a demo",
            format!(
                "CREATE TABLE alerts (id, timestamp TEXT, src_ip, dest_ip, alert_message TEXT, severity INTEGER, protocol TEXT, action_taken TEXT, raw_data TEXT); {}",
                rows(
                    "alerts SELECT i, '2024-08-12 10:00:00', '10.0.0.1', '1.1.1.1', 'Foreign', 3, 'TCP', 'blocked', 'GET /'"
                )
            ),
        ),
        (
            "a triage tool",
            format!(
                "CREATE TABLE suri_events (id, timestamp TEXT, severity INTEGER, signature_id TEXT, signature TEXT, src_ip, src_port INTEGER, dest_ip, dest_port INTEGER, proto TEXT, event_type TEXT, raw_json TEXT); {}",
                rows(
                    "suri_events SELECT i, '2024-08-12T10:00:00.000000+0000', 1, '2006446', 'Foreign', '8.8.8.8', 50000, '10.0.0.2', 80, 'TCP', 'alert', '{}'"
                )
            ),
        ),
        (
            "ntopng",
            format!(
                "CREATE TABLE flow_alerts (rowid INTEGER PRIMARY KEY, alert_id INTEGER, tstamp DATETIME, tstamp_end, severity INTEGER, counter INTEGER, json TEXT, cli_ip, srv_ip, cli_port, srv_port, vlan_id, is_attacker_to_victim, is_victim_to_attacker, proto INTEGER, l7_proto INTEGER); {}",
                rows(
                    "flow_alerts SELECT i, 26, 1723458104, 1723458105, 3, 1, '{\"a\":1}', '10.0.0.1', '1.1.1.1', 50000, 53, 0, 1, 0, 17, 5"
                )
            ),
        ),
        (
            "the seed",
            format!(
                "CREATE TABLE alerts (src_ip, dest_ip, src_port, dest_port, signature, category, severity, protocols); {}",
                rows(
                    "alerts SELECT '8.8.8.8', '10.0.4.9', 52244, 445, 'Foreign', 'Foreign', i % 4 + 1, '[\"tcp\",\"smb\"]'"
                )
            ),
        ),
        (
            "AIT-ADS",
            format!(
                "CREATE TABLE alerts (timestamp INTEGER, host_ip, host, signature, signature_id, category, severity); {}",
                rows(
                    "alerts SELECT 1723458104 + i, '10.0.0.7', 'web', 'Foreign', 100001, 'Web Application Attack', 3"
                )
            ),
        ),
    ]
}

#[test]
fn every_foreign_layout_profiles_and_generates() {
    let place = Place::new();
    for (tool, sql) in foreign() {
        let path = place.database(&sql);
        let categories = place.done("--alerts-db", &path, &["note: "]);
        assert!(!categories.is_empty(), "{tool}");

        let saved = place.path("p.json");
        let output = program()
            .args(["profile", "--alerts-db"])
            .arg(&path)
            .arg("-o")
            .arg(&saved)
            .output()
            .expect("run");
        assert_eq!(output.status.code(), Some(0), "{tool}: {}", stderr(&output));
        let printed = String::from_utf8(output.stdout).expect("UTF-8");
        eprintln!("--- {tool}\n{printed}");
        for part in [
            "300 alerts of table",
            "Top tuples",
            "entropy",
            "Seen once",
            "Hours: none",
            "Missing",
        ] {
            assert!(
                printed.contains(part),
                "{tool}: {part} is not in\n{printed}"
            );
        }
        assert_eq!(place.done("--profile", &saved, &[]), categories, "{tool}");
        std::fs::remove_file(&saved).expect("removed");
    }
}

#[test]
fn a_saved_profile_stands_for_its_database() {
    let place = Place::new();
    let path = place.database(&foreign()[0].1);
    let saved = place.path("p.json");
    let profiled = program()
        .args(["profile", "--alerts-db"])
        .arg(&path)
        .arg("-o")
        .arg(&saved)
        .output()
        .expect("run");
    assert!(profiled.status.success());
    let sample = |flag: &str, input: &Path, more: &[&str]| {
        let output = program()
            .args([
                "sample",
                "-n",
                "4",
                "--events",
                "3000",
                "--days",
                "1",
                "--category",
                "foreign",
            ])
            .args([flag.as_ref(), input.as_os_str()])
            .args(more)
            .output()
            .expect("run");
        assert!(output.status.success(), "{}", stderr(&output));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let by_profile = sample("--profile", &saved, &[]);
    assert_eq!(sample("--alerts-db", &path, &[]), by_profile);
    // 2 is medium on both scales, 1 and 3 change places.
    assert!(by_profile.contains("\"severity\": \"medium\""));
    let profile = std::fs::read_to_string(&saved).expect("read");
    for (scale, number, word) in [
        ("suricata", 1, "high"),
        ("fusionai", 1, "low"),
        ("ntopng", 7, "critical"),
    ] {
        let numbered = profile.replace("\"severity\":2", &format!("\"severity\":{number}"));
        std::fs::write(&saved, numbered).expect("written");
        let text = sample("--profile", &saved, &["--severity-scale", scale]);
        assert!(
            text.contains(&format!("\"severity\": \"{word}\"")),
            "{scale}: {text}"
        );
    }
    let both = program()
        .args(["sample", "--alerts-db"])
        .arg(&path)
        .arg("--profile")
        .arg(&saved)
        .output()
        .expect("run");
    assert_eq!(both.status.code(), Some(2));
    assert!(stderr(&both).contains("cannot be used with"));
}

#[test]
fn profiles_that_are_no_good() {
    let place = Place::new();
    let flag = "--profile";
    let saved = place.path("p.json");
    let path = place.database(&foreign()[4].1);
    let output = program()
        .args(["profile", "--alerts-db"])
        .arg(&path)
        .arg("-o")
        .arg(&saved)
        .output()
        .expect("run");
    assert!(output.status.success());
    let json = std::fs::read_to_string(&saved).expect("read");
    let with = |old: &str, new: &str| {
        assert!(json.contains(old), "{old} is not in {json}");
        place.file("spoilt.json", json.replacen(old, new, 1))
    };
    place.refused(
        flag,
        &place.file("cut.json", &json[..json.len() / 2]),
        &["ends too early", "line "],
    );
    place.refused(flag, &place.file("empty.json", ""), &["ends too early"]);
    place.refused(flag, &place.file("text.json", "hello"), &["is not JSON"]);
    place.refused(
        flag,
        &place.file("utf8.json", b"{\"version\":1,\"table\":\"\xff\"}"),
        &["line 1"],
    );
    place.refused(
        flag,
        &with("\"version\":1", "\"version\":2"),
        &["version 2", "newer fusiongen"],
    );
    place.refused(
        flag,
        &with("\"version\":1", "\"version\":0"),
        &["old version 0"],
    );
    place.refused(flag, &with("\"version\":1,\n", ""), &["has no version"]);
    place.refused(
        flag,
        &with("\"rows\":", "\"wor\\nds\":"),
        &["is no profile", "wor"],
    );
    place.refused(
        flag,
        &with("\"count\":75", "\"count\":0"),
        &["the count is 0"],
    );
    place.refused(
        flag,
        &with("\"count\":75", "\"count\":-1"),
        &["is no profile"],
    );
    place.refused(
        flag,
        &with("\"count\":75", "\"count\":18446744073709551615"),
        &["2⁶³"],
    );
    place.refused(
        flag,
        &with("\"external_internal\":75", "\"external_internal\":76"),
        &["the ends sum"],
    );
    place.refused(
        flag,
        &with("\"service_port\":445", "\"service_port\":70000"),
        &["is no profile"],
    );
    place.refused(
        flag,
        &with("\"Foreign\"", "\"a\\u0000b\""),
        &["control characters"],
    );
    place.refused(flag, &with("8.8.8.8", "8.8.8"), &["no address"]);
}

#[test]
fn csv_files_that_leave_nothing() {
    let place = Place::new();
    let users: [(&[u8], &[&str]); 4] = [
        (b"", &["the file is empty"]),
        (
            b"Department,Mail\nIT,x\n",
            &["Username", "Department, Mail"],
        ),
        (b"na\x1b[31mme\nx\n", &["Username", "na\\u{1b}[31mme"]),
        (b"username\nkrbtgt\nWS-1$\n", &["users.csv"]),
    ];
    for (content, parts) in users {
        place.refused("--ad-users", &place.file("users.csv", content), parts);
    }
    let assets: [(&str, &[&str]); 2] = [
        ("host,os\nA,Windows 10\n", &["IP_Address"]),
        ("host,ip,os\nA,10.0.0.1,\"W\nB,10.0.0.2,W\n", &["quote"]),
    ];
    for (content, parts) in assets {
        place.refused("--cmdb-assets", &place.file("assets.csv", content), parts);
    }
}

#[test]
fn odd_rows_are_mended_or_left_out_and_refused_when_asked() {
    let place = Place::new();
    let users: [(&[u8], &str, &[&str]); 3] = [
        (b"username\nalice\nb\xffb\n", "Windows-1252", &["line 3"]),
        (
            b"username\nalice\nALICE\n",
            "left out",
            &["line 3", "line 2"],
        ),
        (b"username,mail\nalice,a\nb;b\n", "left out", &["line 3"]),
    ];
    let assets: [(&[u8], &str, &[&str]); 4] = [
        (
            b"host,ip,os\nA,10.0.0.1,Windows 10\nA,10.0.0.2,Windows 10\n",
            "left out",
            &["line 3", "hostname A", "line 2"],
        ),
        (
            b"host,ip,os\nA,10.0.0.1,Windows 10\nB,10.0.0.1,Windows 10\n",
            "left out",
            &["line 3", "address 10.0.0.1", "line 2"],
        ),
        (
            b"host,ip,os\nA,10.0.0.1,Windows 10\nB,unknown,Windows 10\n",
            "left out",
            &["line 3", "no IPv4 address"],
        ),
        (
            b"host,ip,os\nA.corp.example,10.0.0.1/24,Windows 10\n",
            "",
            &["line 2"],
        ),
    ];
    for (flag, cases) in [("--ad-users", &users[..]), ("--cmdb-assets", &assets[..])] {
        for (content, note, refusal) in cases {
            let file = place.file("table.csv", content);
            place.done(flag, &file, &[note]);
            let output = place.run(flag, &file, &["--strict"]);
            let message = stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{message}");
            assert!(
                refusal.iter().all(|part| message.contains(part)),
                "{message}"
            );
            assert!(!place.out().exists(), "the corpus was begun");
        }
    }
}

#[test]
fn csv_files_as_programs_export_them() {
    let place = Place::new();
    let mut users = String::from("\u{feff}\"sAMAccountName\",\"Full Name\"\r\n");
    for i in 0..300 {
        users.push_str(&format!("\"user{i}\",\"Last{i}, \"\"First\"\"\"\r\n\r\n"));
    }
    users.push_str("formula,=cmd|'/C calc'!A0\r\n");
    place.done("--ad-users", &place.file("users.csv", users), &[]);
}

/// What a profile may say at most must not overflow anything.
#[test]
fn extreme_profiles_generate() {
    use fusiongen::Generator;
    use fusiongen::grounding::Profile;
    use fusiongen::plan::Config;

    const MUCH: u64 = 1 << 61;
    type Change = fn(&mut Profile);
    let changes: [Change; 5] = [
        |p| {
            for tuple in &mut p.tuples {
                tuple.count = MUCH;
                tuple.ends.internal_external = MUCH / 2;
                tuple.ends.external_internal = MUCH / 2;
                tuple.ends.internal_internal = 0;
                tuple.ends.external_external = 0;
                tuple.ends.multicast = 0;
                tuple.client_ports = vec![(1, MUCH / 2), (65_535, MUCH / 2)];
                tuple.severity = Some(i64::MIN);
                tuple.signature_id = Some(u64::MAX);
            }
        },
        |p| {
            p.external_clients = vec![("8.8.8.8".into(), MUCH), ("2606:4700::1111".into(), MUCH)];
            p.external_services = vec![("9.9.9.9".into(), MUCH)];
            p.multicast = vec![("224.0.0.1".into(), MUCH)];
            p.internal_clients = vec![MUCH, MUCH];
            p.internal_client_addresses = vec!["10.0.0.1".into(), "fe80::1".into()];
            p.internal_services = vec![MUCH];
            p.internal_service_addresses = Vec::new();
            p.unseen_clients_ppm = 1_000_000;
            p.unseen_services_ppm = 0;
        },
        |p| {
            p.internal_clients.clear();
            p.internal_services.clear();
            p.internal_client_addresses.clear();
            p.internal_service_addresses.clear();
            p.multicast.clear();
        },
        |p| {
            p.bytes
                .iter_mut()
                .for_each(|table| table.pairs = vec![(MUCH, MUCH)])
        },
        |p| {
            p.hours = Some(
                (0..24)
                    .map(|hour| if hour == 7 { MUCH } else { 0 })
                    .collect(),
            )
        },
    ];
    for (number, change) in changes.iter().enumerate() {
        let mut profile = Profile::embedded();
        profile.tuples.truncate(3);
        change(&mut profile);
        profile
            .validate(Path::new("p.json"))
            .unwrap_or_else(|e| panic!("{number}: {e}"));
        let config = Config {
            events: 1_500,
            days: 1,
            assets: Some(260),
            ..Config::default()
        };
        let generator = Generator::builder().config(config).profile(profile);
        let generator = generator.build().unwrap();
        let mut rows = 0;
        for partition in &generator.plan().partitions {
            for group in &partition.row_groups {
                (generator.maker()).frames(partition, group, |frame| rows += frame.len);
            }
        }
        assert_eq!(rows, 1_500, "{number}");
    }
}

/// Run with `cargo test --release --test inputs -- --ignored`.
#[test]
#[ignore = "ten million rows take a minute, without optimisation ten"]
#[cfg(target_os = "linux")]
fn ten_million_different_alerts_fit_into_512_mib() {
    let place = Place::new();
    // Every other alert has a signature and addresses of its own.
    let path = place.database(
        "CREATE VIEW alerts AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000000)
         SELECT 1723420800 + i / 6 AS timestamp,
           (i * 7919 % 223 + 1) || '.' || (i / 65536 % 256) || '.' || (i / 256 % 256) || '.' || (i % 256) AS src_ip,
           '10.' || (i / 65536 % 256) || '.' || (i / 256 % 256) || '.' || (i % 256) AS dest_ip,
           1024 + i % 60000 AS src_port, CASE i % 2 WHEN 0 THEN 80 + i % 7 ELSE i % 65536 END AS dest_port,
           'TCP' AS proto, 'http' AS app_proto,
           CASE i % 2 WHEN 0 THEN 'frequent signature ' || (i % 1000) ELSE 'a signature seen only once in this table, number ' || i END AS signature,
           'Category ' || (i % 40) AS category, 1 + i % 3 AS severity, i % 100000 AS bytes_toserver, i % 77777 AS bytes_toclient FROM n;",
    );
    let saved = place.path("p.json");
    let mut child = program()
        .args(["profile", "--alerts-db"])
        .arg(&path)
        .arg("-o")
        .arg(&saved)
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("started");
    let mut most = 0;
    let status = loop {
        let running = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
        let peak = running.unwrap_or_default().lines().find_map(|line| {
            let kilobytes = line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?;
            kilobytes.parse::<u64>().ok()
        });
        most = most.max(peak.unwrap_or(0));
        if let Some(status) = child.try_wait().expect("waited") {
            break status;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    };
    assert!(status.success());
    eprintln!("peak {} MiB", most >> 10);
    assert!((1..512 << 10).contains(&most), "{most} KiB");
    let profile = fusiongen::grounding::Profile::read(&saved).expect("a profile");
    assert_eq!(profile.rows, 10_000_000);
    let frequent = |count: usize| profile.tuples[..count].iter().all(|it| it.count > 400);
    assert!(frequent(1_000));
    assert!(
        profile
            .missing
            .iter()
            .any(|it| it.starts_with("tuples: only the"))
    );
}
