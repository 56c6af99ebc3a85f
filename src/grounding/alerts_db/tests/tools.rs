//! Tables in the shapes of real tools.

use super::*;
use crate::grounding::severity::Word;

/// The words of severity by signature.
fn words(profile: &Profile) -> Vec<(&str, Option<Word>)> {
    let word = |tuple: &Tuple| profile.severity_scale.word(tuple.severity?);
    let mut words: Vec<(&str, Option<Word>)> = profile
        .tuples
        .iter()
        .map(|tuple| (tuple.signature.as_str(), word(tuple)))
        .collect();
    words.sort();
    words.dedup();
    words
}

#[test]
fn a_blockers_table_has_scenarios_sentences_and_one_end() {
    let profile = profile(
        "CREATE TABLE alerts (id INTEGER, created_at DATETIME, scenario TEXT, message TEXT,
           started_at DATETIME, source_ip TEXT, source_value TEXT);
         WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1499)
         INSERT INTO alerts SELECT i, NULL, 'acme/' || CASE i % 3 WHEN 0 THEN 'ssh-bf'
             WHEN 1 THEN 'http-probing' ELSE 'odd-one' END,
           'Ip 203.0.113.' || (i % 200) || ' did it ' || i || ' times',
           datetime(1723420800 + i % 20 * 86400 + i % 7 * 3600, 'unixepoch') || '.5+00:00',
           '93.184.216.' || (i % 200), 'x' FROM n;",
    );
    let mut signatures: Vec<&str> = profile
        .tuples
        .iter()
        .map(|it| it.signature.as_str())
        .collect();
    signatures.sort_unstable();
    assert_eq!(
        signatures,
        ["acme/http-probing", "acme/odd-one", "acme/ssh-bf"]
    );
    assert!(
        profile
            .tuples
            .iter()
            .all(|it| it.ends.external_internal == it.count)
    );
    assert_eq!(profile.external_clients.len(), 200);
    assert!(profile.hours.is_some(), "{:?}", profile.missing);
    let port = |name: &str| {
        let tuple = profile
            .tuples
            .iter()
            .find(|it| it.signature.ends_with(name));
        tuple.and_then(|it| it.service_port)
    };
    assert_eq!(
        (port("ssh-bf"), port("http-probing"), port("odd-one")),
        (Some(22), Some(80), None)
    );
    assert!(missing(&profile, "services: named by words of the rule"));
}

#[test]
fn sentences_alone_become_templates() {
    let profile = profile(
        "CREATE TABLE alerts (message TEXT);
         WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199)
         INSERT INTO alerts SELECT 'Login of ' || CASE i % 2 WHEN 0 THEN 'root' ELSE 'admin' END ||
           ' from 203.0.113.' || i || ' port ' || (1000 + i) || ' failed' FROM n;",
    );
    let mut signatures: Vec<(&str, u64)> = profile
        .tuples
        .iter()
        .map(|it| (it.signature.as_str(), it.count))
        .collect();
    signatures.sort_unstable();
    assert_eq!(
        signatures,
        [
            ("Login of admin from * port * failed", 100),
            ("Login of root from * port * failed", 100)
        ]
    );
    assert!(missing(
        &profile,
        "signature: nearly every value of message is different (200 in 200 rows)"
    ));
}

#[test]
fn a_flow_tools_newer_table_has_names_for_its_numbers() {
    let profile = profile(
        r#"CREATE TABLE flow_alerts (alert_id INTEGER, alert_category INTEGER, tstamp DATETIME,
           severity INTEGER, score INTEGER, json TEXT, cli_ip TEXT, srv_ip TEXT, proto INTEGER);
         INSERT INTO flow_alerts VALUES
         (88, 1, 1723458104, 8, 78, '{"alert_generation":{"script_key":"ndpi_dga_domain"}}', '10.0.0.1', '1.1.1.1', 17),
         (20, 3, 1723458104, 5, 78, '', '10.0.0.1', '1.1.1.1', 6),
         (4711, 99, 1723458104, 5, 78, NULL, '10.0.0.1', '1.1.1.1', 6);"#,
    );
    let mut names: Vec<(&str, Option<&str>)> = profile
        .tuples
        .iter()
        .map(|it| (it.signature.as_str(), it.category.as_deref()))
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            ("flow alert 4711", None),
            ("ndpi dga domain", Some("security")),
            ("tcp connection refused", Some("network")),
        ]
    );
    assert_eq!(profile.severity_scale, SeverityScale::Ntopng);
    assert!(missing(
        &profile,
        "signature: some alerts have a number that is not known"
    ));
}

#[test]
fn snorts_priority_runs_down_and_its_times_need_no_year() {
    for year in ["", "/24"] {
        let profile = profile(&format!(
            "CREATE TABLE alerts (id INTEGER, timestamp TEXT, proto TEXT, dir TEXT, src_addr TEXT,
               src_port INTEGER, dst_addr TEXT, dst_port INTEGER, msg TEXT, class TEXT, sid INTEGER,
               gid INTEGER, priority INTEGER);
             WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1999)
             INSERT INTO alerts SELECT i,
               printf('08/%02d{year}-%02d:21:44.123456', 1 + i % 20, i % 7), 'TCP', 'C2S', '8.8.8.8',
               40000, '10.0.0.1', 80, CASE i % 2 WHEN 0 THEN 'shellcode' ELSE 'ping' END, 'C', i % 2,
               1, CASE i % 2 WHEN 0 THEN 1 ELSE 3 END FROM n;"
        ));
        assert_eq!(profile.severity_scale, SeverityScale::Suricata);
        assert_eq!(
            words(&profile),
            [("ping", Some(Word::Low)), ("shellcode", Some(Word::High))]
        );
        assert!(
            profile.severity_reason.contains("priority"),
            "{}",
            profile.severity_reason
        );
        assert_eq!(profile.tuples[0].direction, Direction::ToServer);
        let hours = profile.hours.expect("hours");
        assert!(hours[..7].iter().all(|&it| it > 0) && hours[7..].iter().all(|&it| it == 0));
    }
}

#[test]
fn a_hids_has_levels_from_0_to_15() {
    let flat = profile(
        r#"CREATE TABLE alerts (id TEXT, timestamp TEXT, rule_id TEXT, rule_level INTEGER,
           rule_description TEXT, rule_groups TEXT, mitre_ids TEXT, agent_name TEXT, agent_ip TEXT,
           srcip TEXT, full_log TEXT);
         INSERT INTO alerts VALUES
         ('1', '2025-03-03T00:00:49.832+0000', '5710', 5, 'sshd: no such user',
          '["syslog","authentication_failed"]', 'T1110', 'a0', '10.66.0.10', '8.8.8.8', 'raw'),
         ('2', '2025-03-03T00:00:50.832+0000', '92657', 12, 'Possible pass the hash',
          '["syslog","lateral"]', 'T1550.002', 'a1', '10.66.0.11', '8.8.8.8', 'raw'),
         ('3', '2025-03-03T00:00:50.832+0000', '502', 3, 'Manager started', '["ossec"]', '', 'a1',
          '10.66.0.11', NULL, 'raw');"#,
    );
    assert_eq!(flat.severity_scale, SeverityScale::Wazuh);
    assert_eq!(
        words(&flat),
        [
            ("Manager started", Some(Word::Low)),
            ("Possible pass the hash", Some(Word::Critical)),
            ("sshd: no such user", Some(Word::Medium)),
        ]
    );
    let hash = flat
        .tuples
        .iter()
        .find(|it| it.signature_id == Some(92_657))
        .expect("a tuple");
    assert_eq!(hash.category.as_deref(), Some("lateral"));
    assert_eq!(hash.techniques, ["T1550.002"]);
    assert_eq!(hash.ends.external_internal, 1);

    // `level` alone is Wazuh's by its values.
    let named = profile(
        "CREATE TABLE alerts (level INTEGER, rule_name TEXT, srcip TEXT);
         INSERT INTO alerts VALUES (4, 'mistyped', '8.8.8.8'), (15, 'ransom note', '8.8.8.8');",
    );
    assert_eq!(named.severity_scale, SeverityScale::Wazuh);
    assert!(named.severity_reason.contains("guessed"));

    // OSSEC's own: `rule` is a number, `description` its name, `host` the machine.
    let own = profile(
        "CREATE TABLE alerts (code TEXT, date TIMESTAMP, agent TEXT, logfile TEXT, host TEXT,
           rule INTEGER, level INTEGER, description TEXT, source TEXT, user TEXT);
         INSERT INTO alerts VALUES ('c0', '2025-03-03 00:00:49', 'agent0', '/var/log/auth.log',
           '10.66.0.10', 5710, 5, 'sshd: no such user', '8.8.8.8', 'root');",
    );
    assert_eq!(only(&own).signature, "sshd: no such user");
    assert_eq!(only(&own).signature_id, Some(5_710));
    assert_eq!(own.severity_scale, SeverityScale::Wazuh);
    assert_eq!(only(&own).ends.external_internal, 1);
    assert_eq!(only(&own).service_port, Some(22));
}

#[test]
fn scores_and_words_have_their_bands() {
    let scores = profile(
        "CREATE TABLE alerts (title TEXT, cvss_score REAL);
         INSERT INTO alerts VALUES ('a', 9.8), ('b', 7.5), ('c', 4.0), ('d', 0.5);",
    );
    let bands = [
        ("a", Some(Word::Critical)),
        ("b", Some(Word::High)),
        ("c", Some(Word::Medium)),
        ("d", Some(Word::Low)),
    ];
    assert_eq!(words(&scores), bands);
    let tuple = scores
        .tuples
        .iter()
        .find(|it| it.signature == "a")
        .expect("a tuple");
    assert_eq!(
        scores
            .severity_scale
            .text(tuple.severity.expect("a number")),
        "9.8"
    );
    let named = profile(
        "CREATE TABLE alerts (AlertName TEXT, AlertSeverity TEXT);
         INSERT INTO alerts VALUES ('a', 'Informational'), ('b', 'HIGH');",
    );
    assert_eq!(named.severity_scale, SeverityScale::Words);
    assert_eq!(
        words(&named),
        [("a", Some(Word::Informational)), ("b", Some(Word::High))]
    );
}

#[test]
fn a_category_of_bare_numbers_is_none() {
    let profile =
        profile("CREATE TABLE alerts (signature, category); INSERT INTO alerts VALUES ('S', 3);");
    assert_eq!(only(&profile).category, None);
    assert!(missing(
        &profile,
        "category: category holds numbers without a name"
    ));
}
