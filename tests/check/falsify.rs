//! For each invariant, changes of cells that violate it.

use std::path::Path;

use fusiongen::check::Audit;
use serde_json::{Value, json};

use super::cells::{Cell, Row, Rows, at, cell, data, id, number, text};

/// Two rows of one process; the second is later.
pub fn process(events: &Rows) -> (&Row, &Row) {
    events.pair(
        |row| (id(row) == 3).then(|| data(row, "ProcessGuid").to_string()),
        |a, b| data(a, "UtcTime") < data(b, "UtcTime"),
    )
}

/// A text with its last character changed.
pub fn turned(text: &str) -> String {
    let (rest, last) = text.split_at(text.len() - 1);
    format!("{rest}{}", if last == "1" { "2" } else { "1" })
}

/// No audit session.
pub const UNSET: i64 = 4_294_967_295;

/// The table to change, and the change.
pub fn falsification(audit: Audit, events: &Rows, root: &Path) -> (&'static str, Vec<Cell>) {
    let windows = |row: &Value| id(row) > 0;
    let chain = |row: &Value| !at(row, "attack.id").is_null();
    let has_host = |row: &Value| !at(row, "host.name").is_null();
    let cloud = |row: &Value| text(row, "fusionai.cloud.platform") == "cloud";
    let logged_in = |row: &Value| text(row, "auditd.type") == "USER_LOGIN";
    let standalone = |row: &Value| {
        text(row, "event.kind") == "alert"
            && at(row, "attack.id").is_null()
            && at(row, "fusionai.noise") == false
    };
    let truth = |table| Rows::read(root, table);
    let cells = match audit {
        Audit::IdentityHost => events.one(has_host, "host.os.name", |_| json!("Plan 9")),
        Audit::IdentityUser => {
            let (_, (file, row, _)) = events.pair(
                |row| Some(text(row, "user.email").to_string()).filter(|m| !m.is_empty()),
                |_, _| true,
            );
            vec![cell((*file, *row), "user.email", json!("x@example.org"))]
        }
        Audit::IdentitySid => {
            let (_, (file, row, values)) = events.pair(
                |row| {
                    let name = data(row, "TargetUserName").to_string();
                    data(row, "TargetUserSid")
                        .starts_with("S-1-5-21-")
                        .then_some(name)
                },
                |_, _| true,
            );
            let sid = turned(data(values, "TargetUserSid"));
            vec![cell(
                (*file, *row),
                "winlog.event_data.TargetUserSid",
                json!(sid),
            )]
        }
        Audit::IdentityReporter => events.one(
            |row| text(row, "network.direction") == "inbound",
            "host.ip",
            |_| json!(["10.99.99.99"]),
        ),
        Audit::IdentityInitiated => events.one(
            |row| id(row) == 3,
            "winlog.event_data.Initiated",
            |row| {
                json!(if data(row, "Initiated") == "true" {
                    "false"
                } else {
                    "true"
                })
            },
        ),
        Audit::IdentityDirection => events.one(
            |row| text(row, "network.direction") == "internal",
            "network.direction",
            |_| json!("inbound"),
        ),
        Audit::IdentityAccount => {
            events.one(|row| id(row) == 1, "user.name", |_| json!("nobody.atall"))
        }
        Audit::IdentityMail => events.one(
            |row| text(row, "user.name") == "SYSTEM",
            "user.email",
            |_| json!("system@example.org"),
        ),
        Audit::NumbersSequence => events.one(
            |_| true,
            "event.sequence",
            |row| json!(number(row, "event.sequence") + 1),
        ),
        Audit::NumbersBytes => events.one(
            |row| number(row, "destination.bytes") >= 0,
            "network.bytes",
            |row| json!(number(row, "network.bytes") + 1),
        ),
        // Some hosts may be behind a gateway, but not all.
        Audit::NumbersClientPort => events.many(
            usize::MAX,
            |row| number(row, "source.port") > 0,
            "source.port",
            json!(1024),
        ),
        Audit::NumbersPort => events.one(
            |row| text(row, "network.protocol") == "tcp" && number(row, "source.port") > 0,
            "source.port",
            |_| json!(65_536),
        ),
        Audit::NumbersPid => events.one(
            |row| id(row) == 1,
            "process.pid",
            |row| json!(number(row, "process.pid") + 1),
        ),
        // Another process with a pid in use: a copy of the process, a second younger.
        Audit::NumbersLivePid => {
            let ((file, row, values), _) = events.pair(
                |row| (id(row) == 3).then(|| data(row, "ProcessGuid").to_string()),
                |a, b| data(a, "UtcTime")[..17] < data(b, "UtcTime")[..17],
            );
            let guid = data(values, "ProcessGuid");
            let low = u16::from_str_radix(&guid[10..14], 16)
                .unwrap()
                .wrapping_sub(1);
            let guid = format!("{}{low:04x}{}", &guid[..10], &guid[14..]);
            vec![cell(
                (*file, *row),
                "winlog.event_data.ProcessGuid",
                json!(guid),
            )]
        }
        Audit::NumbersFlow => events.one(
            |row| id(row) == 3,
            "winlog.event_data.DestinationPort",
            |row| json!(number(row, "winlog.event_data.DestinationPort") + 1),
        ),
        Audit::OutcomeBlocked => events.one(
            |row| text(row, "event.action") == "blocked",
            "event.outcome",
            |_| json!("success"),
        ),
        Audit::PlatformRecord => events.one(windows, "winlog.event_id", |_| Value::Null),
        Audit::PlatformImage => events.one(windows, "process.executable", |_| {
            json!("/usr/bin/powershell")
        }),
        Audit::SysmonEnvelope => events.one(|row| id(row) == 1, "winlog.version", |_| json!(99)),
        Audit::SysmonFields => events.one(
            |row| id(row) == 1,
            "winlog.event_data.LogonType",
            |_| json!("3"),
        ),
        Audit::SysmonFormats => events.one(
            |row| id(row) == 1,
            "winlog.event_data.IntegrityLevel",
            |_| json!("high"),
        ),
        Audit::SysmonGuidPrefix => events.one(
            |row| id(row) == 1,
            "winlog.event_data.ProcessGuid",
            |row| json!(format!("{{00000000{}", &data(row, "ProcessGuid")[9..])),
        ),
        Audit::SysmonGuidTime => events.one(
            |row| id(row) == 1,
            "winlog.event_data.UtcTime",
            |_| json!("2024-08-12 00:00:00.000"),
        ),
        Audit::SysmonGuid => {
            let (_, (file, row, values)) = process(events);
            let pid = number(values, "winlog.event_data.ProcessId") + 4;
            vec![cell(
                (*file, *row),
                "winlog.event_data.ProcessId",
                json!(pid),
            )]
        }
        Audit::SysmonParent => events.one(
            |row| id(row) == 1,
            "winlog.event_data.ParentProcessGuid",
            |row| json!(data(row, "ProcessGuid")),
        ),
        Audit::SysmonLogonGuid => events.one(
            |row| id(row) == 1,
            "winlog.event_data.LogonId",
            |_| json!("0x12345"),
        ),
        Audit::SysmonLogonId => {
            let (_, (file, row, _)) = events.pair(
                |row| {
                    let user = data(row, "User");
                    let person = !user.is_empty() && !user.starts_with("NT AUTHORITY");
                    (id(row) == 1 && person).then(|| data(row, "LogonGuid").to_string())
                },
                |_, _| true,
            );
            vec![cell(
                (*file, *row),
                "winlog.event_data.User",
                json!("CORP\\someone.else"),
            )]
        }
        Audit::SysmonHashes => {
            let (_, (file, row, values)) = events.pair(
                |row| {
                    let version = data(row, "FileVersion");
                    let known = id(row) == 1 && !["", "-", "?"].contains(&version);
                    known.then(|| (data(row, "Image").to_string(), version.to_string()))
                },
                |_, _| true,
            );
            let hashes = turned(data(values, "Hashes"));
            vec![cell(
                (*file, *row),
                "winlog.event_data.Hashes",
                json!(hashes),
            )]
        }
        Audit::SecurityEnvelope => events.one(|row| id(row) == 4624, "winlog.task", |_| json!(1)),
        Audit::SecurityFields => events.one(
            |row| id(row) == 4624,
            "winlog.event_data.ElevatedToken",
            |_| Value::Null,
        ),
        Audit::SecurityFormats => events.one(
            |row| id(row) == 4624,
            "winlog.event_data.TargetUserSid",
            |_| json!("someone"),
        ),
        Audit::SecurityLogonId => {
            let ((.., first), (file, row, _)) = events.pair(
                |row| (id(row) == 4624).then(|| text(row, "host.name").to_string()),
                |a, b| {
                    number(a, "winlog.event_data.TargetLogonId") > 999
                        && data(a, "TargetUserName") != data(b, "TargetUserName")
                },
            );
            let logon = at(first, "winlog.event_data.TargetLogonId").clone();
            vec![cell(
                (*file, *row),
                "winlog.event_data.TargetLogonId",
                logon,
            )]
        }
        Audit::TimeWindow => events.one(
            |_| true,
            "@timestamp",
            |_| json!("2024-09-12T00:00:00.000000Z"),
        ),
        Audit::TimeLag => events.one(
            |row| id(row) == 3,
            "winlog.event_data.UtcTime",
            |row| json!(data(row, "UtcTime").replace("2024-", "2023-")),
        ),
        Audit::TimeStart => events.one(
            |row| id(row) == 3,
            "winlog.event_data.UtcTime",
            |_| json!("2001-01-01 00:00:00.000"),
        ),
        // The earlier of two events of a process becomes its end.
        Audit::TimeEnd => {
            let ((file, row, _), _) = process(events);
            vec![cell((*file, *row), "winlog.event_id", json!(5))]
        }
        // Turn a start into the end of its process.
        Audit::TimeKnown => events.one(|row| id(row) == 1, "winlog.event_id", |_| json!(5)),
        // A start that is logged after what its process does.
        Audit::TimeLogged => {
            let own = |row: &Value| text(row, "labels.noise_type") == "process_life";
            let process = |row: &Value| {
                (own(row) && id(row) > 0).then(|| data(row, "ProcessGuid").to_string())
            };
            let one_starts = |a: &Value, b: &Value| (id(a) == 1) != (id(b) == 1);
            let (one, other) = events.pair(process, one_starts);
            let (file, row, values) = if id(&one.2) == 1 { one } else { other };
            let late = number(values, "winlog.record_id") + 1_000_000_000;
            vec![cell((*file, *row), "winlog.record_id", json!(late))]
        }
        Audit::TimeRecordId => {
            let (_, (file, row, _)) = events.pair(
                |row| {
                    let host = text(row, "host.name").to_string();
                    let source = (text(row, "winlog.channel").to_string(), host);
                    windows(row).then(|| (text(row, "event.module").to_string(), source))
                },
                |a, b| {
                    text(a, "@timestamp")[..10] == text(b, "@timestamp")[..10]
                        && text(a, "@timestamp") < text(b, "@timestamp")
                },
            );
            vec![cell((*file, *row), "winlog.record_id", json!(0))]
        }
        Audit::AuditdResult => events.one(logged_in, "auditd.res", |_| json!("failure")),
        Audit::AuditdAccount => events.one(
            |row| logged_in(row) && text(row, "auditd.res") == "success",
            "auditd.acct",
            |_| json!("root"),
        ),
        Audit::AuditdFields => events.one(
            |row| text(row, "auditd.type") == "SYSCALL",
            "auditd.pid",
            |_| Value::Null,
        ),
        Audit::AuditdSession => {
            let (_, (file, row, _)) = events.pair(
                |row| {
                    let session = number(row, "auditd.ses");
                    let real = session > 0 && session != 4_294_967_295;
                    real.then(|| (text(row, "host.name").to_string(), session))
                },
                |_, _| true,
            );
            vec![cell((*file, *row), "auditd.auid", json!(77_777))]
        }
        // A login before it was authorised.
        Audit::AuditdLogin => events.one(
            |row| text(row, "auditd.type") == "USER_ACCT" && number(row, "auditd.ses") == UNSET,
            "auditd.ses",
            |_| json!(17),
        ),
        Audit::AuditdEvent => events.one(
            |row| ["CWD", "PATH", "PROCTITLE"].contains(&text(row, "auditd.type")),
            "auditd.sequence",
            |_| json!(17),
        ),
        Audit::MitreTechnique => events.one(
            |row| !at(row, "threat.technique.name").is_null(),
            "threat.technique.name",
            |row| match at(row, "threat.technique.name") {
                Value::Array(_) => json!(["Sorcery"]),
                _ => json!("Sorcery"),
            },
        ),
        Audit::MitreTactic => events.one(
            |row| !at(row, "threat.tactic.name").is_null(),
            "threat.tactic.name",
            |row| match at(row, "threat.tactic.name") {
                Value::Array(_) => json!(["Impatience"]),
                _ => json!("Impatience"),
            },
        ),
        // PowerShell is not a Linux technique in the table.
        Audit::MitrePlatform => events.one(
            |row| {
                text(row, "host.os.platform") == "linux"
                    && !at(row, "threat.technique.id").is_null()
            },
            "threat.technique.id",
            |row| match at(row, "threat.technique.id") {
                Value::Array(_) => json!(["T1547.001"]),
                _ => json!("T1547.001"),
            },
        ),
        // A process on no host; ids of another shape; a role's key that is a user's.
        Audit::CloudRow => events.one(cloud, "process.pid", |_| json!(4)),
        Audit::CloudAccount => events.one(cloud, "cloud.account.id", |row| {
            json!(turned(text(row, "cloud.account.id")))
        }),
        Audit::CloudKey => {
            let role = |row: &Value| text(row, "fusionai.cloud.identity_type") == "AssumedRole";
            events.one(role, "fusionai.cloud.access_key_id", |row| {
                json!(text(row, "fusionai.cloud.access_key_id").replace("ASIA", "AKIA"))
            })
        }
        Audit::CloudPrincipal => {
            let person = |row: &Value| {
                let whose = [
                    "fusionai.cloud.dataset",
                    "fusionai.cloud.identity_type",
                    "user.name",
                ];
                let has = !text(row, "fusionai.cloud.principal_id").is_empty();
                has.then(|| whose.map(|path| text(row, path).to_string()))
            };
            let (_, (file, row, values)) = events.pair(person, |_, _| true);
            let id = turned(text(values, "fusionai.cloud.principal_id"));
            vec![cell(
                (*file, *row),
                "fusionai.cloud.principal_id",
                json!(id),
            )]
        }
        Audit::CloudOutcome => events.one(
            |row| cloud(row) && text(row, "event.outcome") == "success",
            "fusionai.cloud.error_code",
            |_| json!("AccessDenied"),
        ),
        Audit::LabelsVerdict => events.one(chain, "labels.verdict", |_| json!("benign")),
        Audit::ChainsDense => events.one(chain, "attack.sequence", |row| {
            json!(number(row, "attack.sequence") + 1000)
        }),
        Audit::ChainsMove => {
            let table = "truth/chains";
            let chains = truth(table);
            let moving = chains.first(|row| text(row, "hosts").contains(','));
            let moving = text(&moving.2, "playbook").to_string();
            let still = |row: &Value| {
                !text(row, "hosts").contains(',') && text(row, "stop_reason") == "completed"
            };
            return (table, chains.one(still, "playbook", |_| json!(moving)));
        }
        Audit::ChainsSteps => {
            let table = "truth/steps";
            return (
                table,
                truth(table).one(|_| true, "tactic", |_| json!("Impact")),
            );
        }
        Audit::ChainsTruth => {
            let table = "truth/chains";
            let more = |row: &Value| json!(number(row, "events") + 1);
            return (table, truth(table).one(|_| true, "events", more));
        }
        // All edges of one chain name events that do not exist.
        Audit::ChainsCause => {
            let table = "truth/edges";
            let edges = truth(table);
            let chain = text(&edges.rows[0].2, "attack_id").to_string();
            let mine = |row: &Value| text(row, "attack_id") == chain;
            return (
                table,
                edges.many(usize::MAX, mine, "pivot_value", json!("nowhere")),
            );
        }
        // An address range that nothing else uses.
        Audit::ChainsTell => (["250.1.2.3", "250.9.8.7", "250.77.6.5"].iter().enumerate())
            .flat_map(|(nth, ip)| {
                let third = |row: &Value| number(row, "event.sequence") % 3 == nth as i64;
                events.many(100, |row| chain(row) && third(row), "source.ip", json!(ip))
            })
            .collect(),
        Audit::GroundingRule => events.one(standalone, "rule.category", |_| json!("Another")),
        // The scale reversed.
        Audit::GroundingSeverity => events.many(
            500,
            |row| standalone(row) && text(row, "event.severity") == "high",
            "event.severity",
            json!("low"),
        ),
        Audit::GroundingEnds => {
            let profile = fusiongen::grounding::Profile::embedded();
            let inwards = |name: &str| {
                let mut tuples = profile.tuples.iter().filter(|it| it.signature == name);
                tuples.clone().count() > 0
                    && tuples
                        .all(|it| it.ends.external_internal + it.ends.external_external == it.count)
            };
            let is_inwards = |row: &Value| {
                standalone(row)
                    && text(row, "fusionai.direction") != "to_client"
                    && inwards(text(row, "rule.name"))
            };
            events.one(is_inwards, "source.ip", |_| json!("10.99.9.9"))
        }
        Audit::GroundingScale | Audit::GroundingNames => panic!("this one is of profile.json"),
        Audit::GroundingAsset => {
            let owned = |row: &Value| !text(row, "inventory_owner").is_empty();
            let entities = Rows::read(root, "entities");
            return (
                "entities",
                entities.one(owned, "owner", |_| json!("Somebody Else")),
            );
        }
        Audit::GroundingOwner => {
            let owned = |row: &Value| {
                text(row, "role") == "workstation" && !text(row, "inventory_owner").is_empty()
            };
            let entities = Rows::read(root, "entities");
            return (
                "entities",
                entities.one(owned, "user", |_| json!("somebody.else")),
            );
        }
        Audit::GroundingRole => {
            let server = |row: &Value| {
                text(row, "platform") == "linux" && text(row, "source") == "inventory"
            };
            let entities = Rows::read(root, "entities");
            let wrong = |_: &Value| json!("domain_controller");
            return ("entities", entities.one(server, "role", wrong));
        }
        Audit::GroundingPlatform => {
            let windows = |row: &Value| text(row, "inventory_os").contains("Windows");
            let entities = Rows::read(root, "entities");
            return (
                "entities",
                entities.one(windows, "platform", |_| json!("linux")),
            );
        }
        Audit::TableFiles => unreachable!("`tests/tables.rs` falsifies tables"),
        Audit::CompositionCounts => events.one(
            |row| at(row, "fusionai.noise") == true,
            "fusionai.noise",
            |_| json!(false),
        ),
    };
    ("events", cells)
}
