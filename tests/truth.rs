//! Truth contains only what the events contain.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use common::{batches, whole, write};
use fusiongen::plan::Config;
use fusiongen::schema::leaf;
use serde_json::Value;

fn cell(batch: &RecordBatch, path: &str, row: usize) -> Value {
    let array = leaf(batch, path).unwrap_or_else(|| panic!("no column {path}"));
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::Timestamp(_, _) => array
            .as_primitive::<TimestampMicrosecondType>()
            .value(row)
            .into(),
        DataType::Date32 => {
            let days = array
                .as_primitive::<arrow_array::types::Date32Type>()
                .value(row);
            days.into()
        }
        DataType::Dictionary(_, _) => {
            let d = array.as_dictionary::<Int32Type>();
            let key = d.keys().value(row) as usize;
            d.values().as_string::<i32>().value(key).into()
        }
        DataType::Boolean => array.as_boolean().value(row).into(),
        other => panic!("{path} is {other}"),
    }
}

/// event.sequence, attack.step, time, host, and the whole event.
type Event = (i64, i64, i64, Value, Value);

/// Rows of a table as maps.
fn rows(root: &Path, columns: &[&str]) -> Vec<BTreeMap<String, Value>> {
    batches(root)
        .iter()
        .flat_map(|batch| {
            (0..batch.num_rows())
                .map(|row| {
                    columns
                        .iter()
                        .map(|c| (c.to_string(), cell(batch, c, row)))
                        .collect()
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

/// All texts in a JSON value.
fn texts(value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::String(s) => {
            out.insert(s.clone());
            // Sysmon's `SHA1=…,SHA256=…` holds several.
            out.extend(
                s.split(',')
                    .filter_map(|h| h.split_once('='))
                    .map(|h| h.1.to_string()),
            );
        }
        Value::Number(n) => {
            out.insert(n.to_string());
        }
        Value::Array(items) => items.iter().for_each(|v| texts(v, out)),
        Value::Object(fields) => fields.values().for_each(|v| texts(v, out)),
        _ => {}
    }
}

#[test]
fn truth_matches_the_events() {
    let out = tempfile::tempdir().unwrap();
    let root = out.path().join("corpus");
    write(
        Config {
            events: 60_000,
            days: 4,
            row_group_rows: 1024,
            shard_rows: 4096,
            ..Config::default()
        },
        whole(2),
        &root,
    );
    // Events of chains, by (attack.id, attack.sequence).
    let mut events: BTreeMap<(String, i64), Event> = BTreeMap::new();
    let mut lookalikes = BTreeSet::new();
    let mut verdicts = BTreeSet::new();
    // Texts of events of no attack that an exclusive indicator may not be.
    let mut benign = BTreeSet::new();
    for batch in batches(&root.join("events")) {
        for row in 0..batch.num_rows() {
            let verdict = cell(&batch, "labels.verdict", row);
            let sequence = cell(&batch, "event.sequence", row).as_i64().unwrap();
            if verdict != "benign" {
                let noise = cell(&batch, "labels.noise_type", row);
                verdicts.insert((sequence, verdict.to_string(), noise.to_string()));
            }
            if cell(&batch, "attack.id", row).is_null() {
                if verdict != "benign" {
                    lookalikes.insert(sequence);
                }
                for path in ["url.full", "winlog.event_data.Hashes"] {
                    texts(&cell(&batch, path, row), &mut benign);
                }
                continue;
            }
            let id = cell(&batch, "attack.id", row).as_str().unwrap().to_string();
            let order = cell(&batch, "attack.sequence", row).as_i64().unwrap();
            let event = (
                sequence,
                cell(&batch, "attack.step", row).as_i64().unwrap(),
                cell(&batch, "@timestamp", row).as_i64().unwrap(),
                // Records of clouds and services have no host.
                cell(&batch, "host.hostname", row),
                Value::Object(fusiongen::sink::json::row(&batch, row)),
            );
            assert!(
                events.insert((id, order), event).is_none(),
                "a sequence twice"
            );
        }
    }
    assert!(events.len() > 5_000, "{}", events.len());

    let columns = ["event_sequence", "verdict", "noise_type"];
    let listed: Vec<_> = rows(&root.join("truth/verdicts"), &columns)
        .iter()
        .map(|row| {
            let sequence = row["event_sequence"].as_i64().unwrap();
            (
                sequence,
                row["verdict"].to_string(),
                row["noise_type"].to_string(),
            )
        })
        .collect();
    assert_eq!(listed.len(), verdicts.len());
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), verdicts);
    for word in ["attack", "attempt", "benign_trigger", "benign_suspicious"] {
        let quoted = format!("\"{word}\"");
        assert!(
            verdicts.iter().any(|(_, verdict, _)| *verdict == quoted),
            "{word}"
        );
    }

    let steps = rows(
        &root.join("truth/steps"),
        &[
            "attack_id",
            "step",
            "sequence",
            "event_sequence",
            "host",
            "user",
            "technique",
            "time",
            "rule",
            "process_entity_id",
            "parent_entity_id",
        ],
    );
    assert_eq!(steps.len(), events.len());
    let mut starts = 0;
    for step in &steps {
        let key = (
            step["attack_id"].as_str().unwrap().to_string(),
            step["sequence"].as_i64().unwrap(),
        );
        let event = &events[&key];
        assert_eq!(step["event_sequence"], event.0, "{key:?}");
        assert_eq!(step["time"], event.2, "{key:?}");
        let is_alert = event.4.pointer("/event/kind") == Some(&"alert".into());
        let rule = match is_alert {
            true => event.4.pointer("/rule/name").cloned().unwrap(),
            false => Value::Null,
        };
        assert_eq!(step["rule"], rule, "{key:?}");
        assert_eq!(step["step"], event.1, "{key:?}");
        assert_eq!(step["host"], event.3, "{key:?}");
        assert_eq!(step["user"], event.4["user"]["name"], "{key:?}");
        let of_event = |path: &str| event.4.pointer(path).cloned().unwrap_or(Value::Null);
        if step["process_entity_id"].is_null() {
            assert!(step["parent_entity_id"].is_null(), "{key:?}");
            let is_start = of_event("/event/code") == "1"
                && of_event("/event/provider") == "Microsoft-Windows-Sysmon";
            assert!(!is_start, "{key:?} starts a process");
        } else {
            starts += 1;
            assert_eq!(
                step["process_entity_id"],
                of_event("/process/entity_id"),
                "{key:?}"
            );
            let parent = of_event("/process/parent/entity_id");
            assert_eq!(step["parent_entity_id"], parent, "{key:?}");
        }
    }
    assert!(starts > 100, "{starts}");

    let edges = rows(
        &root.join("truth/edges"),
        &[
            "attack_id",
            "from_step",
            "to_step",
            "pivot_type",
            "pivot_value",
            "from_sequence",
            "to_sequence",
        ],
    );
    let mut tied: BTreeSet<(String, i64)> = BTreeSet::new();
    for edge in &edges {
        let id = edge["attack_id"].as_str().unwrap().to_string();
        let value = edge["pivot_value"].as_str().unwrap();
        for (sequence, step) in [("from_sequence", "from_step"), ("to_sequence", "to_step")] {
            let event = &events[&(id.clone(), edge[sequence].as_i64().unwrap())];
            assert_eq!(edge[step], event.1);
            let mut there = BTreeSet::new();
            texts(&event.4, &mut there);
            assert!(there.contains(value), "{edge:?} not in {}", event.4);
        }
        assert!(edge["from_step"].as_i64() < edge["to_step"].as_i64());
        tied.insert((id, edge["to_step"].as_i64().unwrap()));
    }
    // Every step except a chain's first is linked to an earlier one.
    for step in &steps {
        let number = step["step"].as_i64().unwrap();
        let id = step["attack_id"].as_str().unwrap().to_string();
        assert!(
            number == 1 || tied.contains(&(id, number)),
            "{step:?} hangs on nothing"
        );
    }

    let iocs = rows(
        &root.join("truth/iocs"),
        &[
            "attack_id",
            "type",
            "value",
            "first_seen",
            "last_seen",
            "events",
            "exclusive",
        ],
    );
    assert!(!iocs.is_empty());
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    let mut counted = BTreeSet::new();
    for ioc in &iocs {
        let id = ioc["attack_id"].as_str().unwrap();
        let (kind, value) = (
            ioc["type"].as_str().unwrap(),
            ioc["value"].as_str().unwrap(),
        );
        let of_attack = || events.range((id.to_string(), 0)..=(id.to_string(), i64::MAX));
        for time in ["first_seen", "last_seen"] {
            let mut there = BTreeSet::new();
            for (_, event) in of_attack().filter(|(_, event)| Some(event.2) == ioc[time].as_i64()) {
                texts(&event.4, &mut there);
            }
            assert!(there.contains(value), "{ioc:?}");
        }
        if ioc["exclusive"] == true {
            assert!(["sha256", "url"].contains(&kind), "{ioc:?}");
            assert!(!benign.contains(value), "{ioc:?} is in a benign event");
            let owner = owners.entry(value).or_insert(id);
            assert_eq!(*owner, id, "{ioc:?}");
        }
        // An event shows each of these kinds in fields of its own.
        let paths: &[&str] = match kind {
            "ip" => &["/source/ip", "/destination/ip", "/dns/resolved_ip"],
            "url" => &["/url/full"],
            "sha256" => &["/winlog/event_data/Hashes"],
            _ => &[],
        };
        let shows = |event: &Value| {
            let of_start = kind != "sha256" || event.pointer("/event/code") == Some(&"1".into());
            let of_alert = kind != "url" || event.pointer("/event/kind") == Some(&"alert".into());
            let mut there = BTreeSet::new();
            for found in paths.iter().filter_map(|path| event.pointer(path)) {
                texts(found, &mut there);
            }
            of_start && of_alert && there.contains(value)
        };
        let found = of_attack().filter(|(_, event)| shows(&event.4)).count() as i64;
        match paths {
            [] => assert!(ioc["events"].as_i64() > Some(0), "{ioc:?}"),
            _ => assert_eq!(ioc["events"], found, "{ioc:?}"),
        }
        if found > 16 {
            counted.insert(kind);
        }
    }
    assert!(owners.len() > 10, "{}", owners.len());
    // Addresses are in more rounds than are read.
    assert!(counted.contains("ip"), "{counted:?}");

    let chains = rows(
        &root.join("truth/chains"),
        &[
            "attack_id",
            "events",
            "start",
            "end",
            "hosts",
            "stop_reason",
        ],
    );
    let ids: BTreeSet<String> = events.keys().map(|k| k.0.clone()).collect();
    assert_eq!(chains.len(), ids.len());
    for chain in &chains {
        let id = chain["attack_id"].as_str().unwrap().to_string();
        let mine: Vec<_> = events
            .range((id.clone(), 0)..=(id.clone(), i64::MAX))
            .collect();
        assert_eq!(chain["events"], mine.len() as i64);
        assert_eq!(chain["start"], mine[0].1.2);
        assert_eq!(chain["end"], mine[mine.len() - 1].1.2);
        let hosts: BTreeSet<&str> = mine.iter().filter_map(|e| e.1.3.as_str()).collect();
        let named: BTreeSet<&str> = chain["hosts"].as_str().unwrap().split(',').collect();
        assert_eq!(hosts, named);
    }

    // A lookalike is a benign row that resembles a technique and is not plainly benign.
    let listed: BTreeSet<i64> = rows(
        &root.join("truth/lookalikes"),
        &["event_sequence", "reason"],
    )
    .iter()
    .map(|row| {
        assert!(!row["reason"].as_str().unwrap().is_empty());
        row["event_sequence"].as_i64().unwrap()
    })
    .collect();
    assert!(!listed.is_empty());
    assert!(listed.is_subset(&lookalikes));
}
