//! Alerts databases: damaged or empty ones, odd content, and the layouts of known tools.

use super::{Place, listed};
use crate::common::{program, stderr};

/// Many rows of a plain table.
const ROWS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)";

#[test]
fn databases_that_are_none() {
    let place = Place::new();
    let flag = "--alerts-db";
    place.refused(flag, &place.file("empty", ""), &["the file is empty"]);
    place.refused(
        flag,
        &place.file("text", "some text\nS\n"),
        &["no column has the signature", "some text"],
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
            &["it has log, people", "make a table or view `alerts`"],
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
            &["the columns are id, severity"],
        ),
        (
            "CREATE TABLE alerts (signature); INSERT INTO alerts VALUES (printf('%.*c', 10485760, 'x'));",
            &["none of its 1 rows"],
        ),
        ("CREATE TABLE \"a\nb\u{1b}[31m\" (x);", &["it has a\\nb"]),
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
pub fn foreign() -> [(&'static str, String); 6] {
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

/// Run with `cargo test --release --test inputs -- --ignored`.
#[test]
#[ignore = "ten million rows take a minute, without optimisation ten"]
#[cfg(target_os = "linux")]
fn ten_million_different_alerts_fit_into_512_mib() {
    let place = Place::new();
    // Every second alert has its own signature and addresses.
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
