//! The fit from a real file: layouts, fallbacks, refusals.

use std::path::PathBuf;

use rusqlite::Connection;

use super::*;
use crate::grounding::profile::{Direction, Tuple};
use crate::grounding::test_data;

mod files;
mod hostile;
mod tools;

/// A database made by SQL, in a directory of its own.
struct Database {
    directory: tempfile::TempDir,
    path: PathBuf,
}

fn database(sql: &str) -> Database {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("alerts.sqlite");
    let connection = Connection::open(&path).expect("a database");
    connection.execute_batch(sql).expect("valid SQL");
    Database { directory, path }
}

fn profile(sql: &str) -> Profile {
    let database = database(sql);
    let profile = fit(&database.path, None).expect("a profile");
    profile.validate(&database.path).expect("a valid profile");
    profile
}

fn refusal(sql: &str) -> String {
    let error = fit(&database(sql).path, None).expect_err("refused");
    assert_eq!(error.exit_code(), 2);
    error.to_string()
}

fn only(profile: &Profile) -> &Tuple {
    assert_eq!(profile.tuples.len(), 1);
    &profile.tuples[0]
}

fn missing(profile: &Profile, start: &str) -> bool {
    profile.missing.iter().any(|it| it.starts_with(start))
}

#[test]
fn the_seeds_columns() {
    let profile = profile(
        r#"CREATE TABLE ALERTS (Src_IP, dest_ip, src_port, dest_port, signature, category, severity, protocols);
        INSERT INTO ALERTS VALUES
        ('8.8.8.8', '10.0.4.9', 52244, 445, 'PSEXEC Service Creation', 'psexec_lateral', 2, '["tcp","smb"]'),
        ('9.9.9.9', '10.0.4.9', '52245', '445', 'PSEXEC Service Creation', 'psexec_lateral', '2', 'tcp,smb');"#,
    );
    let tuple = only(&profile);
    assert_eq!((profile.rows, tuple.count), (2, 2));
    assert_eq!(profile.severity_scale, SeverityScale::Fusionai);
    assert_eq!(profile.table, "ALERTS");
    assert_eq!(tuple.protocol, "tcp");
    assert_eq!(tuple.application.as_deref(), Some("smb"));
    assert_eq!(tuple.service_port, Some(445));
    assert_eq!(tuple.severity, Some(2));
    assert_eq!(tuple.direction, Direction::Unknown);
    assert_eq!(tuple.ends.external_internal, 2);
    assert_eq!(profile.external_clients.len(), 2);
    assert_eq!(profile.internal_service_addresses, ["10.0.4.9"]);
    assert!(missing(&profile, "direction") && missing(&profile, "bytes"));
    assert!(!missing(&profile, "severity"));
}

#[test]
fn a_socs_demo_table() {
    let profile = profile(
        "CREATE TABLE alerts (id INTEGER PRIMARY KEY, timestamp TEXT, src_ip TEXT, dest_ip TEXT,
           alert_message TEXT, severity INTEGER, protocol TEXT, action_taken TEXT, raw_data TEXT);
         INSERT INTO alerts VALUES (1, '2024-08-12 10:00:00', '10.0.0.1', '1.1.1.1',
           'Beacon', 3, 'TCP', 'BLOCKED', 'GET / HTTP/1.1');",
    );
    let tuple = only(&profile);
    assert_eq!(tuple.signature, "Beacon");
    assert_eq!(tuple.action, "blocked");
    assert_eq!(tuple.ends.internal_external, 1);
    // A number from 1 to 4 may run either way, and nothing here says which.
    assert_eq!(profile.severity_scale, SeverityScale::None);
    assert!(profile.severity_reason.contains("give --severity-scale"));
}

#[test]
fn a_triage_tools_table() {
    let profile = profile(
        r#"CREATE TABLE suri_events (id INTEGER, timestamp TEXT, severity INTEGER, signature_id TEXT,
           signature TEXT, src_ip TEXT, src_port INTEGER, dest_ip TEXT, dest_port INTEGER, proto TEXT,
           event_type TEXT, raw_json TEXT);
         INSERT INTO suri_events VALUES (1, '2024-08-12T10:00:00+0000', 1, '2006446', 'S', '10.0.0.1', 80,
           '10.0.0.2', 40000, 'TCP', 'alert',
           '{"app_proto":"http","direction":"to_client","alert":{"category":"C","action":"allowed",
             "metadata":{"mitre_technique_id":["T1190"]}},"flow":{"bytes_toserver":5,"bytes_toclient":7}}');"#,
    );
    let tuple = only(&profile);
    assert_eq!(profile.severity_scale, SeverityScale::Suricata);
    assert_eq!(tuple.signature_id, Some(2_006_446));
    assert_eq!(tuple.category.as_deref(), Some("C"));
    assert_eq!(tuple.application.as_deref(), Some("http"));
    assert_eq!(tuple.direction, Direction::ToClient);
    assert_eq!(tuple.service_port, Some(80));
    assert_eq!(tuple.techniques, ["T1190"]);
    assert_eq!(profile.bytes.len(), 2);
    assert_eq!(profile.bytes[0].application, None);
    assert_eq!(profile.bytes[1].pairs, [(5, 7)]);
}

#[test]
fn a_flow_tools_table() {
    let profile = profile(
        "CREATE TABLE flow_alerts (rowid INTEGER PRIMARY KEY, alert_id INTEGER, tstamp DATETIME,
           severity INTEGER, cli_ip TEXT, srv_ip TEXT, cli_port INTEGER, srv_port INTEGER,
           proto INTEGER, l7_proto INTEGER);
         INSERT INTO flow_alerts VALUES (1, 26, 1723458104, 8, '10.0.0.1', '1.1.1.1', 50000, 53, 17, 5);",
    );
    let tuple = only(&profile);
    assert_eq!(profile.severity_scale, SeverityScale::Ntopng);
    assert_eq!(tuple.severity, Some(8));
    assert!(
        !missing(&profile, "severity"),
        "an emergency is on its scale"
    );
    assert_eq!(tuple.signature, "udp unidirectional flow");
    assert_eq!(tuple.signature_id, Some(26));
    assert_eq!(
        (tuple.protocol.as_str(), tuple.application.as_deref()),
        ("udp", Some("dns"))
    );
    assert_eq!(tuple.service_port, Some(53));
}

const EVEBOX: &str = "CREATE TABLE events (timestamp INTEGER NOT NULL, archived INTEGER DEFAULT 0,
    escalated INTEGER DEFAULT 0, source JSON, source_values TEXT, history JSON DEFAULT '[]');";

#[test]
fn an_evebox_table() {
    let profile = profile(&format!(
        r#"{EVEBOX}
         INSERT INTO events (timestamp, source) VALUES
         (1723458104000000000, '{{"event_type":"alert","src_ip":"8.8.8.8","src_port":53,"dest_ip":"10.0.0.2",
            "dest_port":40000,"proto":"UDP","app_proto":"dns","direction":"to_client",
            "alert":{{"action":"allowed","signature_id":7,"signature":"S","category":"C","severity":1,
              "metadata":{{"mitre_technique_id":["T1071.004"]}}}},
            "flow":{{"bytes_toserver":80,"bytes_toclient":200}}}}'),
         (1723458105000000000, '{{"event_type":"dns","src_ip":"10.0.0.2","dns":{{"rrname":"alert"}}}}'),
         (1723458106000000000, 'no JSON'), (1723458107000000000, NULL);"#
    ));
    let tuple = only(&profile);
    assert_eq!((profile.rows, profile.table.as_str()), (1, "events"));
    assert_eq!(profile.severity_scale, SeverityScale::Suricata);
    assert_eq!(tuple.signature_id, Some(7));
    assert_eq!(
        (tuple.protocol.as_str(), tuple.service_port),
        ("udp", Some(53))
    );
    assert_eq!(tuple.techniques, ["T1071.004"]);
    assert_eq!(tuple.ends.internal_external, 1);
    assert!(missing(&profile, "records: 3 of 4"));
    assert!(missing(&profile, "hours of the day: 0 days"));
    assert!(!missing(&profile, "timestamp"));
}

#[test]
fn events_without_alerts_are_refused() {
    let message = refusal(&format!(
        r#"{EVEBOX} INSERT INTO events (timestamp, source) VALUES (1, '{{"event_type":"flow"}}');"#
    ));
    assert!(
        message.contains("none of its 1 rows is an alert"),
        "{message}"
    );
    let message = refusal("CREATE TABLE events (id, what); INSERT INTO events VALUES (1, 2);");
    assert!(message.contains("the columns are id, what"), "{message}");
}

#[test]
fn real_records_are_read() {
    let Some(path) = test_data::shared("data/alerts_evebox.sqlite") else {
        return;
    };
    let profile = fit(&path, None).expect("a profile");
    profile.validate(&path).expect("a valid profile");
    assert_eq!((profile.rows, profile.table.as_str()), (4_000, "events"));
    assert_eq!(profile.severity_scale, SeverityScale::Suricata);
    assert_eq!(profile.tuples.iter().map(|it| it.count).sum::<u64>(), 4_000);
    assert!(!missing(&profile, "records") && !missing(&profile, "timestamp"));
}

#[test]
fn epochs_of_every_unit_make_the_same_hours() {
    let of = |unit: &str| {
        profile(&format!(
            "CREATE TABLE alerts (signature, ts);
             WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1999)
             INSERT INTO alerts SELECT 'S', (1723420800 + i % 20 * 86400 + i % 7 * 3600){unit} FROM n;"
        ))
        .hours
        .expect("hours")
    };
    let seconds = of("");
    assert_eq!(seconds.iter().sum::<u64>(), 2_000);
    assert!(seconds[..7].iter().all(|&it| it > 0) && seconds[7..].iter().all(|&it| it == 0));
    for unit in [
        " * 1000 + 7",
        " * 1000000",
        " * 1000000000 + 5",
        " + 0.5",
        " || ''",
    ] {
        assert_eq!(of(unit), seconds, "{unit}");
    }
}

#[test]
fn an_export_without_ports_and_protocol() {
    let profile = profile(
        "CREATE TABLE alerts (timestamp INTEGER, host_ip TEXT, host TEXT, signature TEXT,
           signature_id INTEGER, category TEXT, severity INTEGER);
         INSERT INTO alerts VALUES (1723458104, '10.0.0.7', 'web', 'S', 1, 'C', 3);",
    );
    let tuple = only(&profile);
    assert_eq!((tuple.protocol.as_str(), tuple.service_port), ("tcp", None));
    assert_eq!(profile.internal_service_addresses, ["10.0.0.7"]);
    assert!(missing(&profile, "protocol") && missing(&profile, "service ports"));
    assert!(missing(&profile, "client addresses"));
    assert_eq!(tuple.ends, crate::grounding::Ends::default());
}

#[test]
fn a_signature_is_enough() {
    let profile =
        profile("CREATE TABLE alerts (signature); INSERT INTO alerts VALUES ('S'), ('S');");
    assert_eq!(only(&profile).count, 2);
    assert_eq!(profile.missing.len(), 13, "{:?}", profile.missing);
}

#[test]
fn a_view_will_do() {
    let profile = profile(
        "CREATE TABLE log (what TEXT); INSERT INTO log VALUES ('S');
         CREATE VIEW alerts AS SELECT what AS signature FROM log;",
    );
    assert_eq!(only(&profile).signature, "S");
}

#[test]
fn hostile_cells_do_no_harm() {
    let profile = profile(
        "CREATE TABLE alerts (signature, category, severity, src_ip, dest_ip, src_port, dest_port,
           proto, app_proto, direction, action, timestamp, bytes_toserver, bytes_toclient, raw_json);
         INSERT INTO alerts VALUES
         (x'41ff42', x'00', 'many', 'nowhere', 5.5, -1, 99999, 'what', 7, 9, 1, 'soon', -5, 'x', '{\"alert\":'),
         ('line' || char(10) || 'break', '', 9223372036854775807, 4294967295, '::ffff:10.0.0.1', 1e99, '0x50',
           '[[[', '', 'sideways', '', 1e300, 9223372036854775807, 9223372036854775807, zeroblob(10)),
         (42, NULL, NULL, '10.0.0.1%eth0', '[fe80::1]', NULL, 0, NULL, NULL, NULL, NULL, -9223372036854775808, NULL, NULL, NULL),
         (zeroblob(2000000), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
         ('   ', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
         (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);",
    );
    assert_eq!(profile.rows, 3);
    let mut signatures: Vec<&str> = profile
        .tuples
        .iter()
        .map(|tuple| tuple.signature.as_str())
        .collect();
    signatures.sort_unstable();
    assert_eq!(signatures, ["42", "A\u{fffd}B", "line break"]);
    assert!(missing(&profile, "signature: 3 of 6 rows have none"));
}

#[test]
fn the_scale_can_be_given() {
    let database = database(
        "CREATE TABLE alerts (signature, severity); INSERT INTO alerts VALUES ('S', 'high');",
    );
    let severity = |scale| {
        let profile = fit(&database.path, scale).expect("a profile");
        (profile.severity_scale, profile.tuples[0].severity)
    };
    assert_eq!(severity(None), (SeverityScale::Words, Some(3)));
    assert_eq!(
        severity(Some(SeverityScale::Suricata)),
        (SeverityScale::Suricata, Some(1))
    );
}

#[test]
fn records_in_json_speak_for_suricatas_scale() {
    let profile = profile(
        r#"CREATE TABLE alerts (signature, raw_json); INSERT INTO alerts VALUES ('S', NULL),
           ('S', '{"alert":{"severity":1}}');"#,
    );
    assert_eq!(profile.severity_scale, SeverityScale::Suricata);
}

#[test]
fn refusals_say_what_and_what_to_do() {
    let cases: [(&str, &[&str]); 6] = [
        (
            "CREATE TABLE x (y);",
            &["none of the tables alerts", "has x", "make a table or view"],
        ),
        (
            "CREATE TABLE alerts (alert_id, severity); INSERT INTO alerts VALUES (1, 2);",
            &["table alerts", "the columns are alert_id, severity"],
        ),
        (
            "CREATE TABLE alerts (signature);",
            &["the table is empty", "--alerts-db"],
        ),
        (
            "CREATE TABLE alerts (signature); INSERT INTO alerts VALUES (NULL), (NULL);",
            &["none of its 2 rows is an alert with a signature"],
        ),
        (
            "CREATE TABLE alerts (signature); INSERT INTO alerts VALUES ('');",
            &["none of its 1 rows"],
        ),
        (
            "CREATE TABLE t (signature); CREATE VIEW alerts AS SELECT * FROM t; DROP TABLE t;",
            &["table alerts", "no such table"],
        ),
    ];
    for (sql, expected) in cases {
        let message = refusal(sql);
        for part in expected {
            assert!(message.contains(part), "{part:?} is not in {message:?}");
        }
    }
}

#[test]
fn what_is_no_database_is_refused() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = |name: &str, content: &[u8]| {
        let path = directory.path().join(name);
        std::fs::write(&path, content).expect("written");
        path
    };
    let message = |path: &Path| fit(path, None).expect_err("refused").to_string();
    assert!(message(&directory.path().join("absent")).contains("no such file"));
    assert!(message(directory.path()).contains("is a directory"));
    assert!(message(&file("empty", b"")).contains("the file is empty"));
    assert!(message(&file("text", b"some text\nS\n")).contains("no column has the signature"));
    let mut damaged = b"SQLite format 3\0".to_vec();
    damaged.extend([0xa5; 4000]);
    assert!(message(&file("damaged", &damaged)).contains("SQLite says"));
}

#[test]
fn a_truncated_database_is_refused() {
    let database = database(
        "CREATE TABLE alerts (signature);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
         INSERT INTO alerts SELECT 'signature ' || i FROM n;",
    );
    let bytes = std::fs::read(&database.path).expect("read");
    std::fs::write(&database.path, &bytes[..bytes.len() / 2]).expect("written");
    let message = fit(&database.path, None).expect_err("refused").to_string();
    assert!(message.contains("SQLite says"), "{message}");
}

#[test]
fn odd_paths_are_opened_and_nothing_is_left_behind() {
    let original = database(
        "PRAGMA journal_mode = WAL; CREATE TABLE alerts (signature); INSERT INTO alerts VALUES ('S');",
    );
    let odd = original.directory.path().join("50% ü #1?mode=rw&x.db");
    std::fs::rename(&original.path, &odd).expect("renamed");
    let listing = || {
        let mut names: Vec<_> = std::fs::read_dir(original.directory.path())
            .expect("listed")
            .map(|entry| entry.expect("an entry").file_name())
            .collect();
        names.sort();
        names
    };
    let (before, bytes) = (listing(), std::fs::read(&odd).expect("read"));
    let mut permissions = std::fs::metadata(&odd).expect("there").permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&odd, permissions).expect("set");
    assert_eq!(fit(&odd, None).expect("a profile").rows, 1);
    assert_eq!(listing(), before);
    assert_eq!(std::fs::read(&odd).expect("read"), bytes);
}

#[test]
fn alerts_still_in_the_log_are_read() {
    let database = database("PRAGMA journal_mode = WAL; CREATE TABLE alerts (signature);");
    let writer = Connection::open(&database.path).expect("a database");
    writer
        .execute_batch("INSERT INTO alerts VALUES ('S');")
        .expect("inserted");
    assert_eq!(fit(&database.path, None).expect("a profile").rows, 1);
}

#[test]
fn the_sample_is_fitted() {
    let profile = fit(&test_data::sample("alerts.sqlite"), None).expect("a profile");
    assert_eq!(profile.severity_scale, SeverityScale::Fusionai);
    assert!(profile.rows >= 500 && profile.tuples.len() >= 30);
    let addresses = profile
        .external_clients
        .iter()
        .chain(&profile.external_services);
    for (address, _) in addresses {
        let address = address.parse().expect("an address");
        assert!(
            !crate::grounding::address::is_special_purpose(address),
            "{address}"
        );
    }
}

#[test]
fn real_alerts_in_any_order_give_the_same_profile() {
    let Some(path) = test_data::shared("data/alerts.sqlite") else {
        return;
    };
    let profile = fit(&path, None).expect("a profile");
    profile.validate(&path).expect("a valid profile");
    assert_eq!(profile.rows, 8_071);
    assert_eq!(profile.severity_scale, SeverityScale::Suricata);
    assert_eq!(profile.tuples.iter().map(|it| it.count).sum::<u64>(), 8_071);
    assert!(profile.tuples.iter().any(|it| !it.techniques.is_empty()));
    assert_eq!(profile.hours, None);

    let shuffled = tempfile::tempdir().expect("a temporary directory");
    let copy = shuffled.path().join("shuffled.sqlite");
    let connection = Connection::open(&copy).expect("a database");
    connection
        .execute("ATTACH ?1 AS original", [path.to_str().expect("UTF-8")])
        .expect("attached");
    connection
        .execute_batch(
            "CREATE TABLE alerts AS SELECT * FROM original.alerts
             ORDER BY (id * 2654435761) % 4294967296",
        )
        .expect("copied");
    assert_eq!(fit(&copy, None).expect("a profile"), profile);
}
