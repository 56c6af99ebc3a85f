//! Which column is taken, and what speaks for a scale.

use super::*;
use std::borrow::Cow;

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}

fn chosen(columns: &[&str], rows: &[&[&str]]) -> Columns {
    let mut trial = Trial::new(Candidates::locate(&names(columns), Layout::Plain));
    let wanted = trial.wanted().to_vec();
    for row in rows {
        let cells: Vec<Value<'_>> = wanted
            .iter()
            .map(|&at| match row[at] {
                "" => Value::Null,
                text => Value::Text(Cow::Borrowed(text)),
            })
            .collect();
        trial.read(&cells);
    }
    trial.choose()
}

#[test]
fn every_field_has_names_and_no_other_has() {
    let known = known_names();
    for (field, key) in FIELDS {
        assert!(!known[key].is_empty(), "{field:?}");
    }
    assert_eq!(known.len(), FIELDS.len());
}

#[test]
fn foreign_names_are_understood() {
    let columns = chosen(
        &[
            "alert_id", "tstamp", "cli_ip", "srv_ip", "CLI_PORT", "l7_proto",
        ],
        &[&["5", "1723458104", "10.0.0.1", "10.0.0.2", "4000", "dns"]],
    );
    assert_eq!(columns.name(AlertField::Time), Some("tstamp"));
    assert_eq!(columns.name(AlertField::SourceAddress), Some("cli_ip"));
    assert_eq!(columns.name(AlertField::SourcePort), Some("CLI_PORT"));
    assert_eq!(columns.name(AlertField::Application), Some("l7_proto"));
    assert!(
        columns.name(AlertField::Signature).is_none()
            && columns.name(AlertField::AlertId).is_none()
    );
}

#[test]
fn the_better_name_wins_where_its_values_fit() {
    let columns = chosen(
        &["message", "rule", "Signature", "host", "dest_ip"],
        &[&["a sentence", "5710", "S", "web01", "10.0.0.9"]],
    );
    assert_eq!(columns.name(AlertField::Signature), Some("Signature"));
    assert_eq!(columns.name(AlertField::SignatureId), Some("rule"));
    assert_eq!(
        columns.name(AlertField::DestinationAddress),
        Some("dest_ip")
    );
    assert!(columns.name(AlertField::HostAddress).is_none());
    // A rule's number is not its name, a name in `rule` is.
    let columns = chosen(&["rule", "description"], &[&["5710", "sshd: failed"]]);
    assert_eq!(columns.name(AlertField::Signature), Some("description"));
    let columns = chosen(
        &["rule", "description"],
        &[&["Brute force", "sshd: failed"]],
    );
    assert_eq!(columns.name(AlertField::Signature), Some("rule"));
}

#[test]
fn a_sentence_for_each_alert_names_no_rule() {
    let sentences: Vec<String> = (0..100).map(|i| format!("ip 10.0.0.{i} did it")).collect();
    let rows: Vec<[&str; 2]> = sentences.iter().map(|text| [text.as_str(), "S"]).collect();
    let rows: Vec<&[&str]> = rows.iter().map(|row| &row[..]).collect();
    let columns = chosen(&["message", "summary"], &rows);
    assert_eq!(columns.name(AlertField::Signature), Some("summary"));
    assert!(columns.notes[0].contains("nearly every value of message is different (100 in 100"));
    let columns = chosen(&["message", "other"], &rows);
    assert!(columns.is_varied && columns.notes[0].contains("replaced by `*`"));
}

#[test]
fn a_time_that_is_not_understood_is_named_with_a_sample() {
    let columns = chosen(&["signature", "timestamp"], &[&["S", "the day before"]]);
    assert!(columns.name(AlertField::Time).is_none());
    assert!(
        columns.notes[0].contains("timestamp were not understood, such as the day before"),
        "{:?}",
        columns.notes
    );
    let columns = chosen(
        &["signature", "timestamp", "created_at"],
        &[&["S", "?", "2024-08-12 10:00:00"]],
    );
    assert_eq!(columns.name(AlertField::Time), Some("created_at"));
}

#[test]
fn scales_are_spoken_for_by_columns() {
    for (columns, scale) in [
        (
            &["signature", "signature_id", "severity"][..],
            SeverityScale::Suricata,
        ),
        (
            &["signature", "app_proto", "severity"],
            SeverityScale::Suricata,
        ),
        (&["msg", "sid", "gid", "priority"], SeverityScale::Suricata),
        (
            &["alert.signature", "alert.severity"],
            SeverityScale::Suricata,
        ),
        (&["rule_description", "rule_level"], SeverityScale::Wazuh),
        (
            &["rule", "level", "description", "logfile"],
            SeverityScale::Wazuh,
        ),
        (&["title", "cvss_score"], SeverityScale::Cvss),
        (&["title", "severity_id"], SeverityScale::Ocsf),
        (
            &["signature", "severity", "protocols"],
            SeverityScale::Fusionai,
        ),
    ] {
        let row: Vec<&str> = columns.iter().map(|_| "3").collect();
        let hints = chosen(columns, &[&row]).hints(false);
        assert_eq!(hints.scales[0].0, scale, "{columns:?}");
    }
    let silent = chosen(&["title", "severity"], &[&["T", "3"]]).hints(false);
    assert!(silent.scales.is_empty());
}
