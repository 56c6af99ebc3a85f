//! Documents of events: every field of each kind of event, in both schemas.
//!
//! A snapshot lists the leaves of all events of a kind with their JSON types, and the
//! values that depend on the kind alone. So it changes with the document, not with a
//! draw. After an intended change: `INSTA_UPDATE=always cargo test --test documents`.

use std::collections::{BTreeMap, BTreeSet};

use fusiongen::Generator;
use fusiongen::columns::View;
use fusiongen::plan::Config;
use fusiongen::plan::config::SchemaName;
use fusiongen::schema::Schema;
use fusiongen::sink::json;
use serde_json::{Map, Value};

/// Leaves whose values depend on the kind of event alone.
const VOCABULARY: &[&str] = &[
    "ecs.version",
    "event.category",
    "event.code",
    "event.dataset",
    "event.kind",
    "event.module",
    "event.provider",
    "event.type",
    "host.os.type",
    "observer.product",
    "observer.type",
    "observer.vendor",
    "winlog.channel",
    "winlog.event_id",
    "winlog.keywords",
    "winlog.task",
    "auditd.type",
];

/// A kind of event: its name, and a test for its events.
type Kind = (&'static str, fn(&Row) -> bool);

/// The content of a snapshot.
const KINDS: &[Kind] = &[
    ("sysmon_1_process_creation", |e| e.is("1")),
    ("sysmon_3_network_connection", |e| e.is("3")),
    ("sysmon_5_process_terminated", |e| e.is("5")),
    ("sysmon_11_file_create", |e| e.is("11")),
    ("sysmon_13_registry_set", |e| e.is("13")),
    ("sysmon_22_dns_query", |e| e.is("22")),
    ("sysmon_24_clipboard_changed", |e| e.is("24")),
    ("sysmon_29_executable_detected", |e| e.is("29")),
    ("security_4624_logon", |e| e.is("4624")),
    ("sysmon_7_image_loaded", |e| e.is("7")),
    ("sysmon_10_process_access", |e| e.is("10")),
    ("security_4625_logon_failed", |e| e.is("4625")),
    ("security_4769_service_ticket", |e| e.is("4769")),
    ("security_5145_share_checked", |e| e.is("5145")),
    ("system_7045_service_created", |e| e.is("7045")),
    ("powershell_4104_script_block", |e| e.is("4104")),
    ("auditd_path", |e| e.is("path")),
    ("auditd_user_start", |e| e.is("user_start")),
    ("auditd_execve", |e| e.is("execve")),
    ("auditd_user_login", |e| e.is("user_login")),
    ("auditd_user_cmd", |e| e.is("user_cmd")),
    ("auditd_syscall", |e| e.is("syscall")),
    ("syslog", |e| {
        e.code.is_none() && e.log.is_none() && !e.standalone
    }),
    ("aws_cloudtrail", |e| {
        e.log.as_deref() == Some("aws.cloudtrail")
    }),
    ("azure_signinlogs", |e| {
        e.log.as_deref() == Some("azure.signinlogs")
    }),
    ("o365_audit", |e| e.log.as_deref() == Some("o365.audit")),
    ("github_audit", |e| e.log.as_deref() == Some("github.audit")),
    ("standalone_alert", |e| e.standalone),
];

/// The properties that decide an event's kind: the code in fusionai's document, and whether the ECS
/// document is the sensor's.
struct Row {
    code: Option<String>,
    /// The log of a cloud or a service.
    log: Option<String>,
    standalone: bool,
}

impl Row {
    /// Whether it is a host's own record of that code.
    fn is(&self, code: &str) -> bool {
        !self.standalone && self.code.as_deref() == Some(code)
    }
}

type Shape = BTreeMap<String, (usize, BTreeSet<String>)>;

fn json_type(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) => "boolean".into(),
        Value::Number(_) => "integer".into(),
        Value::String(_) => "text".into(),
        Value::Array(items) => format!(
            "list of {}",
            items.first().map_or("nothing".into(), json_type)
        ),
        Value::Object(object) => {
            let fields: Vec<&str> = object.keys().map(String::as_str).collect();
            format!("({})", fields.join(", "))
        }
    }
}

fn walk(prefix: &str, object: &Map<String, Value>, shape: &mut Shape) {
    for (name, value) in object {
        let path = match prefix {
            "" => name.clone(),
            prefix => format!("{prefix}.{name}"),
        };
        if let Value::Object(inner) = value {
            walk(&path, inner, shape);
            continue;
        }
        let said = match VOCABULARY.contains(&path.as_str()) {
            true => value.to_string(),
            false => json_type(value),
        };
        let (count, kinds) = shape.entry(path).or_default();
        *count += 1;
        kinds.insert(said);
    }
}

/// All events under both schemas, side by side.
fn documents() -> Vec<[Map<String, Value>; 2]> {
    let config = Config {
        events: 30_000,
        days: 2,
        ..Config::default()
    };
    let generator = Generator::builder().config(config).build().unwrap();
    let (plan, maker) = (generator.plan(), generator.maker());
    let schemas = [SchemaName::Fusionai, SchemaName::Ecs].map(|schema| {
        Schema::of(&Config {
            schema,
            ..plan.config.clone()
        })
    });
    let mut all = Vec::new();
    for group in &plan.row_groups {
        maker.frames(group, |frame| {
            let view = View::new(&frame, maker, generator.tables());
            let batches = schemas.each_ref().map(|s| s.batch(&view).unwrap());
            for row in 0..frame.len {
                all.push(batches.each_ref().map(|batch| json::row(batch, row)));
            }
        });
    }
    all
}

fn text(event: &Map<String, Value>, path: [&str; 2]) -> Option<String> {
    let value = event.get(path[0])?.get(path[1])?;
    value.as_str().map(String::from)
}

#[test]
fn every_kind_of_event_in_both_schemas() {
    let documents = documents();
    for (name, is_kind) in KINDS {
        let mut shapes = [Shape::new(), Shape::new()];
        let mut count = 0;
        for [seed, ecs] in &documents {
            let row = Row {
                code: text(seed, ["event", "code"]),
                log: seed.get("fusionai").and_then(|fusionai| {
                    let log = fusionai.get("cloud")?.get("dataset")?;
                    log.as_str().map(String::from)
                }),
                standalone: text(ecs, ["observer", "type"]).is_some(),
            };
            if is_kind(&row) {
                count += 1;
                walk("", seed, &mut shapes[0]);
                walk("", ecs, &mut shapes[1]);
            }
        }
        assert!(count > 0, "no event is a {name}");
        for (schema, shape) in ["fusionai", "ecs"].iter().zip(&shapes) {
            let lines: Vec<String> = shape
                .iter()
                .map(|(path, (times, kinds))| {
                    let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
                    let sometimes = if *times < count { "?" } else { "" };
                    format!("{path}{sometimes}: {}", kinds.join(" | "))
                })
                .collect();
            insta::assert_snapshot!(format!("{schema}__{name}"), lines.join("\n"));
        }
    }
}
