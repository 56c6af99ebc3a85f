//! `check` passes a real corpus, and fails one that was falsified on purpose: one edit an
//! invariant.

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use arrow::array::RecordBatch;
use common::falsify::{File, set};
use common::{whole, write};
use fusiongen::check::{Audit, EXACT_ROWS, Options, Report, Status, check, integrity};
use fusiongen::plan::{
    Config,
    config::{Labels, SchemaName},
};
use serde_json::{Value, json};

/// A corpus that is copied, never changed.
fn original() -> &'static Path {
    static CORPUS: OnceLock<tempfile::TempDir> = OnceLock::new();
    let corpus = CORPUS.get_or_init(|| {
        let out = tempfile::tempdir().unwrap();
        write(config(), whole(2), &out.path().join("corpus"));
        out
    });
    Box::leak(corpus.path().join("corpus").into_boxed_path())
}

/// One with more chains, files and dates.
fn larger() -> &'static Path {
    static CORPUS: OnceLock<tempfile::TempDir> = OnceLock::new();
    let corpus = CORPUS.get_or_init(|| {
        let out = tempfile::tempdir().unwrap();
        write(larger_config(), whole(2), &out.path().join("corpus"));
        out
    });
    Box::leak(corpus.path().join("corpus").into_boxed_path())
}

fn larger_config() -> Config {
    Config {
        events: 24_000,
        days: 3,
        assets: Some(120),
        shard_rows: 1_024,
        row_group_rows: 1_024,
        ..config()
    }
}

fn config() -> Config {
    Config {
        events: 6_000,
        days: 1,
        assets: Some(60),
        ..Config::default()
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(std::fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// A copy that a test may change.
fn copied() -> (tempfile::TempDir, PathBuf) {
    let out = tempfile::tempdir().unwrap();
    let root = out.path().join("corpus");
    copy(original(), &root);
    (out, root)
}

fn checked(root: &Path, options: Options<'_>) -> Report {
    check(root, options, &|_| {}).unwrap()
}

fn failed(report: &Report) -> Vec<&'static str> {
    let of = report.invariants.iter();
    of.filter(|i| i.status == Status::Failed)
        .map(|i| i.name)
        .collect()
}

/// A row: its file, its number there, its values.
type Row = (usize, usize, Value);

/// The rows of a table of a corpus, and how they are to be changed.
struct Rows {
    rows: Vec<Row>,
}

/// One cell's new value.
struct Cell {
    file: usize,
    row: usize,
    path: &'static str,
    value: Value,
}

fn at<'v>(row: &'v Value, path: &str) -> &'v Value {
    path.split('.').fold(row, |value, name| &value[name])
}

fn text<'v>(row: &'v Value, path: &str) -> &'v str {
    at(row, path).as_str().unwrap_or("")
}

fn number(row: &Value, path: &str) -> i64 {
    at(row, path).as_i64().unwrap_or(-1)
}

const DATA: &str = "winlog.event_data.";

fn data<'v>(row: &'v Value, name: &str) -> &'v str {
    text(row, &format!("{DATA}{name}"))
}

fn id(row: &Value) -> i64 {
    number(row, "winlog.event_id")
}

impl Rows {
    fn read(root: &Path, table: &str) -> Self {
        let files = File::below(root, table);
        let mut rows = Vec::new();
        for (file, content) in files.iter().enumerate() {
            let mut number = 0;
            for batch in &content.batches {
                for row in 0..batch.num_rows() {
                    let map = fusiongen::sink::json::row(batch, row);
                    rows.push((file, number, Value::Object(map)));
                    number += 1;
                }
            }
        }
        Rows { rows }
    }

    /// The first row that is as wanted.
    fn first(&self, wanted: impl Fn(&Value) -> bool) -> &Row {
        let found = self.rows.iter().find(|(_, _, row)| wanted(row));
        found.expect("the corpus has no row to falsify")
    }

    /// One cell of the first row that is as wanted.
    fn one(
        &self,
        wanted: impl Fn(&Value) -> bool,
        path: &'static str,
        value: impl Fn(&Value) -> Value,
    ) -> Vec<Cell> {
        let (file, row, values) = self.first(wanted);
        vec![cell((*file, *row), path, value(values))]
    }

    /// That cell of as many rows.
    fn many(
        &self,
        most: usize,
        wanted: impl Fn(&Value) -> bool,
        path: &'static str,
        value: Value,
    ) -> Vec<Cell> {
        let rows = self.rows.iter().filter(|(_, _, row)| wanted(row));
        let cells: Vec<Cell> = rows
            .take(most)
            .map(|(file, row, _)| cell((*file, *row), path, value.clone()))
            .collect();
        assert!(!cells.is_empty(), "the corpus has no row to falsify");
        cells
    }

    /// Two rows with one key, the second being as wanted of the first.
    fn pair<K: Ord>(
        &self,
        key: impl Fn(&Value) -> Option<K>,
        wanted: impl Fn(&Value, &Value) -> bool,
    ) -> (&Row, &Row) {
        let mut before: BTreeMap<K, Vec<&Row>> = BTreeMap::new();
        for row in &self.rows {
            let Some(key) = key(&row.2) else { continue };
            let group = before.entry(key).or_default();
            if let Some(first) = group.iter().find(|first| wanted(&first.2, &row.2)) {
                return (first, row);
            }
            group.push(row);
        }
        panic!("the corpus has no two rows to falsify");
    }
}

fn cell((file, row): (usize, usize), path: &'static str, value: Value) -> Cell {
    Cell {
        file,
        row,
        path,
        value,
    }
}

/// Two rows of one process; the second is later.
fn process(events: &Rows) -> (&Row, &Row) {
    events.pair(
        |row| (id(row) == 3).then(|| data(row, "ProcessGuid").to_string()),
        |a, b| data(a, "UtcTime") < data(b, "UtcTime"),
    )
}

/// A text with its last character changed.
fn turned(text: &str) -> String {
    let (rest, last) = text.split_at(text.len() - 1);
    format!("{rest}{}", if last == "1" { "2" } else { "1" })
}

/// No audit session.
const UNSET: i64 = 4_294_967_295;

/// The table that holds what is changed, and the change.
fn falsification(audit: Audit, events: &Rows, root: &Path) -> (&'static str, Vec<Cell>) {
    let windows = |row: &Value| id(row) > 0;
    let chain = |row: &Value| !at(row, "attack.id").is_null();
    let has_host = |row: &Value| !at(row, "host.name").is_null();
    let cloud = |row: &Value| text(row, "fusionai.cloud.platform") == "cloud";
    let logged_in = |row: &Value| text(row, "auditd.type") == "USER_LOGIN";
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
        // Some hosts may be behind a gateway; all can't.
        Audit::NumbersClientPort => events.many(
            usize::MAX,
            |row| number(row, "source.port") > 0,
            "source.port",
            json!(1024),
        ),
        Audit::NumbersPid => events.one(
            |row| id(row) == 1,
            "process.pid",
            |row| json!(number(row, "process.pid") + 1),
        ),
        // Another process with the pid that is in use: the same one, a second younger.
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
        // A start that is its own end instead.
        Audit::TimeKnown => events.one(|row| id(row) == 1, "winlog.event_id", |_| json!(5)),
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
        // A login that comes before it was allowed to.
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
        // PowerShell is no technique of Linux in the table.
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
        // All edges of one chain name what isn't there.
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
        Audit::ChainsTell => events.many(300, chain, "source.ip", json!("250.1.2.3")),
        Audit::CompositionCounts => events.one(
            |row| at(row, "fusionai.noise") == true,
            "fusionai.noise",
            |_| json!(false),
        ),
    };
    ("events", cells)
}

/// Applies the cells, and tells what each file was.
fn falsify(root: &Path, table: &str, cells: &[Cell]) -> Vec<(PathBuf, Vec<u8>)> {
    let files = File::below(root, table);
    let mut by_file: BTreeMap<usize, Vec<&Cell>> = BTreeMap::new();
    for cell in cells {
        by_file.entry(cell.file).or_default().push(cell);
    }
    let mut before = Vec::new();
    for (file, cells) in by_file {
        let file = &files[file];
        before.push((file.path.clone(), std::fs::read(&file.path).unwrap()));
        let mut batches: Vec<RecordBatch> = file.batches.clone();
        for cell in cells {
            let (mut batch, mut row) = (0, cell.row);
            while row >= batches[batch].num_rows() {
                row -= batches[batch].num_rows();
                batch += 1;
            }
            batches[batch] = set(&batches[batch], cell.path, row, &cell.value);
        }
        file.write(&batches);
    }
    before
}

#[test]
fn a_real_corpus_passes_every_invariant() {
    let report = checked(larger(), Options::default());
    assert_eq!(failed(&report), Vec::<&str>::new(), "{}", report.text());
    assert_eq!(report.events, 24_000);
    assert_eq!(report.sampled, 1.0);
    assert_eq!(report.invariants.len(), Audit::ALL.len());
    for invariant in &report.invariants {
        assert_eq!(
            invariant.tried == 0,
            invariant.status == Status::NotApplicable
        );
        assert!(invariant.tried > 0, "{} looked at nothing", invariant.name);
    }
    for figure in &report.figures {
        assert_ne!(figure.status, Status::Failed, "{figure:?}");
    }
}

#[test]
fn every_invariant_fails_on_what_breaks_it() {
    let (_out, root) = copied();
    let events = Rows::read(&root, "events");
    for audit in Audit::ALL.iter().copied() {
        let (table, cells) = falsification(audit, &events, &root);
        let before = falsify(&root, table, &cells);
        let report = checked(&root, Options::default());
        let invariant = report
            .invariants
            .iter()
            .find(|i| i.name == audit.name())
            .unwrap();
        assert_eq!(
            invariant.status,
            Status::Failed,
            "{} passes what is false: {:?}",
            audit.name(),
            cells.iter().map(|c| (c.path, &c.value)).next()
        );
        assert!(invariant.passed < invariant.tried, "{}", audit.name());
        let example = invariant.example.as_ref().unwrap();
        assert!(!example.expected.is_empty() && !example.found.is_empty());
        assert!(!report.passed);
        assert!(report.text().contains(audit.name()));
        for (path, bytes) in before {
            std::fs::write(path, bytes).unwrap();
        }
    }
    assert!(checked(&root, Options::default()).passed);
}

/// What is at one with itself in each file, and differs between two.
#[test]
fn files_that_disagree_fail_by_their_rows() {
    let (_out, root) = copied();
    let events = Rows::read(&root, "events");
    let named = |row: &Row| (!text(&row.2, "user.full_name").is_empty()).then_some(row.0);
    let last = events.rows.iter().filter_map(named).max().unwrap();
    let users = |file: bool| -> Vec<&str> {
        let rows = events.rows.iter();
        rows.filter(|row| named(row).is_some_and(|f| (f == last) == file))
            .map(|row| text(&row.2, "user.name"))
            .collect()
    };
    let (here, elsewhere) = (users(true), users(false));
    let user = *here.iter().find(|u| elsewhere.contains(u)).unwrap();
    let cells: Vec<Cell> = events
        .rows
        .iter()
        .filter(|(file, _, row)| *file == last && text(row, "user.name") == user)
        .map(|(file, row, _)| cell((*file, *row), "user.full_name", json!("Somebody Else")))
        .collect();
    falsify(&root, "events", &cells);
    let report = checked(&root, Options::default());
    let invariant = report
        .invariants
        .iter()
        .find(|i| i.name == Audit::IdentityUser.name())
        .unwrap();
    assert_eq!(invariant.status, Status::Failed, "{}", report.text());
    assert_eq!(invariant.tried - invariant.passed, cells.len() as u64);
    assert_eq!(report.failed(), 1, "{}", report.text());
}

/// How many rows an audit looked at.
fn tried(report: &Report, audit: Audit) -> u64 {
    let named = report.invariants.iter().find(|i| i.name == audit.name());
    named.unwrap().tried
}

#[test]
fn an_ecs_corpus_passes_every_invariant() {
    let out = tempfile::tempdir().unwrap();
    let root = out.path().join("corpus");
    let config = Config {
        schema: SchemaName::Ecs,
        ..larger_config()
    };
    write(config, whole(2), &root);
    let report = checked(&root, Options::default());
    assert_eq!(failed(&report), Vec::<&str>::new(), "{}", report.text());
    for audit in Audit::ALL {
        assert!(tried(&report, *audit) > 0, "{}", audit.name());
    }
    // What a cloud or a service reports has no host.
    let cloud = tried(&report, Audit::CloudRow);
    for audit in [
        Audit::IdentityHost,
        Audit::PlatformRecord,
        Audit::LabelsVerdict,
    ] {
        let rows = tried(&report, audit)
            + if audit == Audit::IdentityHost {
                cloud
            } else {
                0
            };
        assert_eq!(rows, 24_000, "{}", audit.name());
    }
    // What a figure says of alerts and noise is not the schema's.
    let theirs = checked(larger(), Options::default());
    for (ours, theirs) in report.figures.iter().zip(&theirs.figures) {
        assert_eq!(ours.name, theirs.name);
        let same = ["divergence.", "composition.", "timing.", "process."];
        if same.iter().any(|s| ours.name.starts_with(s)) {
            assert_eq!(ours.value, theirs.value, "{}", ours.name);
        }
        assert_eq!(ours.value.is_some(), theirs.value.is_some());
    }
}

#[test]
fn an_ecs_corpus_fails_on_what_breaks_it() {
    let out = tempfile::tempdir().unwrap();
    let root = out.path().join("corpus");
    let config = Config {
        schema: SchemaName::Ecs,
        ..config()
    };
    write(config, whole(2), &root);
    let events = Rows::read(&root, "events");
    let id = |row: &Value, id: &str| text(row, "winlog.event_id") == id;
    let is_sensor = |row: &Value| !at(row, "observer.name").is_null();
    let says = |row: &Value, path: &str, word: &str| {
        let words = at(row, path).as_array();
        words.is_some_and(|words| words.iter().any(|w| w == word))
    };
    let cases = [
        (
            Audit::CloudRow,
            events.one(
                |row| text(row, "event.dataset") == "aws.cloudtrail",
                "host.name",
                |_| json!("elsewhere"),
            ),
        ),
        (
            Audit::IdentityHost,
            events.one(
                |row| !at(row, "host.name").is_null(),
                "host.os.type",
                |_| json!("solaris"),
            ),
        ),
        (
            Audit::NumbersSequence,
            events.one(|_| true, "fusionai.category", |_| json!("other")),
        ),
        (
            Audit::NumbersFlow,
            events.one(
                |row| id(row, "3"),
                "winlog.event_data.DestinationPort",
                |_| json!("1"),
            ),
        ),
        (
            Audit::OutcomeBlocked,
            events.one(
                |row| !is_sensor(row) && says(row, "event.type", "denied"),
                "event.outcome",
                |_| json!("success"),
            ),
        ),
        (
            Audit::PlatformRecord,
            events.one(is_sensor, "winlog.event_id", |_| json!("3")),
        ),
        (
            Audit::SysmonEnvelope,
            events.one(|row| id(row, "1"), "winlog.task", |_| json!("1")),
        ),
        (
            Audit::SysmonFormats,
            events.one(
                |row| id(row, "1"),
                "winlog.event_data.ProcessId",
                |row| json!(format!("0x{}", data(row, "ProcessId"))),
            ),
        ),
        (
            Audit::SecurityEnvelope,
            events.one(|row| id(row, "4624"), "winlog.keywords", |_| json!([])),
        ),
        (
            Audit::SecurityFormats,
            events.one(
                |row| id(row, "4624"),
                "winlog.event_data.TargetLogonId",
                |_| json!("999"),
            ),
        ),
        (
            Audit::MitrePlatform,
            events.one(
                |row| {
                    text(row, "host.os.type") == "linux"
                        && at(row, "threat.technique.subtechnique.id").is_null()
                        && !at(row, "threat.technique.id").is_null()
                },
                "threat.technique.id",
                |_| json!(["T1047"]),
            ),
        ),
        (
            Audit::AuditdResult,
            events.one(
                |row| text(row, "auditd.type") == "USER_LOGIN",
                "auditd.res",
                |_| json!("failure"),
            ),
        ),
    ];
    for (audit, cells) in cases {
        let before = falsify(&root, "events", &cells);
        let report = checked(&root, Options::default());
        assert!(failed(&report).contains(&audit.name()), "{}", audit.name());
        for (path, bytes) in before {
            std::fs::write(path, bytes).unwrap();
        }
    }
    assert!(checked(&root, Options::default()).passed);
}

/// The hours of a corpus have a range unless its settings give them.
#[test]
fn hours_have_a_range_unless_they_are_given() {
    let out = tempfile::tempdir().unwrap();
    let root = out.path().join("corpus");
    let config = Config {
        noise_hours: Some([1_000_000; 24]),
        ..config()
    };
    write(config, whole(2), &root);
    for (root, wanted) in [(root.as_path(), false), (original(), true)] {
        let report = checked(root, Options::default());
        for name in ["timing.hourly", "timing.hourly_residual"] {
            let figure = report.figures.iter().find(|f| f.name == name).unwrap();
            assert_eq!(figure.range.is_some(), wanted, "{name}");
            assert!(wanted || figure.status != Status::Warned);
        }
        let named = report.figures.iter().find(|f| f.name == "timing.noise_cv");
        assert!(named.unwrap().range.is_some());
        // One day has no second week to compare with.
        let text = report.text();
        let list = text.lines().find(|l| l.starts_with("not applicable:"));
        assert!(list.unwrap().contains("timing.hourly_residual"), "{text}");
    }
}

#[test]
fn a_sample_follows_some_hosts_and_says_so() {
    let whole = checked(larger(), Options::default());
    let options = Options {
        exact_rows: 6_000,
        ..Options::default()
    };
    let sampled = checked(larger(), options);
    assert!((sampled.sampled - 0.25).abs() < 1e-9);
    assert!(sampled.passed, "{}", sampled.text());
    assert!(sampled.text().contains("sample of 25.00%"));
    for audit in [Audit::SysmonGuid, Audit::ChainsDense, Audit::IdentityUser] {
        let share = tried(&sampled, audit) as f64 / tried(&whole, audit) as f64;
        assert!((0.02..0.7).contains(&share), "{}: {share}", audit.name());
    }
    // What a row says alone is audited in every row.
    assert_eq!(
        tried(&sampled, Audit::NumbersSequence),
        tried(&whole, Audit::NumbersSequence)
    );
    // A day's beginning stands for the day: times in memory are bounded however few days there are.
    let gaps = |options| {
        let report = checked(original(), options);
        let figure = report.figures.iter().find(|f| f.name == "timing.noise_cv");
        figure.unwrap().rows
    };
    let options = Options {
        exact_rows: 600,
        ..Options::default()
    };
    let (some, all) = (gaps(options), gaps(Options::default()));
    assert!(some > 0 && some < all / 2, "{some} of {all}");
    assert_eq!(EXACT_ROWS, 100_000_000);
}

/// What has nothing to be taken from has no value.
#[test]
fn figures_are_numbers_or_none() {
    let out = tempfile::tempdir().unwrap();
    let root = out.path().join("corpus");
    let config = Config {
        events: 3_000,
        days: 14,
        noise_ratio: "0".parse().unwrap(),
        ..config()
    };
    write(config, whole(2), &root);
    let report = checked(&root, Options::default());
    let figure = |name: &str| report.figures.iter().find(|f| f.name == name).unwrap();
    for name in ["timing.noise_cv", "timing.hourly", "timing.hourly_residual"] {
        let figure = figure(name);
        assert_eq!(figure.rows, 0, "{name}");
        assert_eq!(figure.status, Status::NotApplicable, "{name}");
    }
    // The plan says that no category can have its benign rows; nothing fails for it.
    let others = figure("composition.other_share");
    assert_eq!(others.status, Status::NotApplicable);
    assert!(report.passed, "{}", report.text());
    for figure in &report.figures {
        assert!(figure.value.is_none_or(f64::is_finite), "{}", figure.name);
    }
    assert!(figure("divergence.severity").value.is_some());
}

#[test]
fn a_corpus_without_labels_is_audited_without_them() {
    let out = tempfile::tempdir().unwrap();
    let root = out.path().join("corpus");
    let config = Config {
        events: 3_000,
        labels: Labels::None,
        ..config()
    };
    write(config, whole(2), &root);
    let report = checked(&root, Options::default());
    assert!(report.passed, "{}", report.text());
}

#[test]
fn a_report_is_the_same_each_time() {
    let text = || serde_json::to_string(&checked(original(), Options::default())).unwrap();
    assert_eq!(text(), text());
}

/// The files that `--integrity` finds damaged.
fn damaged(root: &Path) -> Vec<String> {
    let found = integrity(root).unwrap();
    found.damages.into_iter().map(|d| d.file).collect()
}

/// A stream of numbers that a seed decides.
fn numbers(mut state: u64) -> impl FnMut(u64) -> u64 {
    move |below| {
        // splitmix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

/// A small corpus, for integrity alone.
fn small() -> (tempfile::TempDir, PathBuf) {
    let out = tempfile::tempdir().unwrap();
    let root = out.path().join("corpus");
    let config = Config {
        events: 600,
        ..config()
    };
    write(config, whole(2), &root);
    (out, root)
}

#[test]
fn integrity_finds_every_flipped_bit() {
    let (_out, root) = small();
    assert_eq!(damaged(&root), Vec::<String>::new());
    let files: Vec<(String, Vec<u8>)> = common::files(&root).into_iter().collect();
    assert!(files.len() > 20, "{}", files.len());
    let total: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    let mut number = numbers(7);
    let flip = |name: &str, bytes: &[u8], bit: u64| {
        let mut wrong = bytes.to_vec();
        wrong[(bit / 8) as usize] ^= 1 << (bit % 8);
        std::fs::write(root.join(name), wrong).unwrap();
        let found = damaged(&root);
        std::fs::write(root.join(name), bytes).unwrap();
        assert!(!found.is_empty(), "bit {bit} of {name} may be flipped");
        // What manifest and _SUCCESS say of each other can't be told apart.
        let papers = ["manifest.json", "_SUCCESS"];
        assert!(
            found.iter().any(|f| f == name) || papers.contains(&name),
            "bit {bit} of {name}: {found:?}"
        );
    };
    // One in every file, and then a thousand anywhere.
    for (name, bytes) in &files {
        flip(name, bytes, number(bytes.len() as u64 * 8));
    }
    for _ in 0..1000 {
        let mut byte = number(total as u64) as usize;
        let (name, bytes) = files
            .iter()
            .find(|(_, bytes)| {
                let here = byte < bytes.len();
                byte -= if here { 0 } else { bytes.len() };
                here
            })
            .unwrap();
        flip(name, bytes, byte as u64 * 8 + number(8));
    }
    assert_eq!(damaged(&root), Vec::<String>::new());
}

#[test]
fn integrity_finds_what_is_missing_more_or_moved() {
    let (_out, root) = small();
    let names: Vec<String> = common::files(&root).into_keys().collect();
    let events: Vec<&String> = names.iter().filter(|n| n.starts_with("events/")).collect();
    let (one, two) = (root.join(events[0]), root.join(events[1]));
    let (first, second) = (std::fs::read(&one).unwrap(), std::fs::read(&two).unwrap());
    let whole = |when: &str| assert_eq!(damaged(&root), Vec::<String>::new(), "{when}");

    for cut in [0, 1, first.len() / 2, first.len() - 1] {
        std::fs::write(&one, &first[..cut]).unwrap();
        assert_eq!(damaged(&root), [events[0].as_str()], "cut to {cut}");
    }
    std::fs::write(&one, [&first[..], b"\0"].concat()).unwrap();
    assert_eq!(damaged(&root), [events[0].as_str()], "longer");

    std::fs::write(&one, &second).unwrap();
    std::fs::write(&two, &first).unwrap();
    assert_eq!(damaged(&root), [events[0].as_str(), events[1].as_str()]);
    std::fs::write(&one, &first).unwrap();
    std::fs::write(&two, &second).unwrap();
    whole("swapped back");

    for name in &names {
        let bytes = std::fs::read(root.join(name)).unwrap();
        std::fs::remove_file(root.join(name)).unwrap();
        assert!(damaged(&root).contains(name), "{name} is gone");
        std::fs::write(root.join(name), bytes).unwrap();
    }

    let other = one.with_file_name("part-00009.parquet");
    std::fs::rename(&one, &other).unwrap();
    let renamed = damaged(&root);
    assert_eq!(renamed.len(), 2, "{renamed:?}");
    assert!(
        renamed[0].ends_with("part-00000.parquet") && renamed[1].ends_with("part-00009.parquet")
    );
    std::fs::rename(&other, &one).unwrap();

    for extra in [
        "note.txt",
        "events/.part-00000.1234.inprogress",
        "truth/steps/part-00000.parquet",
        "journal/x.json",
    ] {
        let path = root.join(extra);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "x").unwrap();
        assert_eq!(damaged(&root), [extra]);
        std::fs::remove_file(&path).unwrap();
    }
    std::fs::remove_dir(root.join("journal")).unwrap();
    #[cfg(unix)]
    {
        // The same bytes elsewhere are not this file.
        let away = root.parent().unwrap().join("away");
        std::fs::rename(&one, &away).unwrap();
        std::os::unix::fs::symlink(&away, &one).unwrap();
        assert_eq!(damaged(&root), [events[0].as_str()], "a link");
        std::fs::remove_file(&one).unwrap();
        std::fs::rename(&away, &one).unwrap();
    }
    whole("put back");
}

/// A manifest that was edited, and given its new digest: the plan still disagrees.
#[test]
fn integrity_finds_an_edited_manifest() {
    let (_out, root) = small();
    let path = root.join("manifest.json");
    let original = std::fs::read(&path).unwrap();
    let success = std::fs::read(root.join("_SUCCESS")).unwrap();
    type Edit = fn(&mut Value);
    let edits: [(&str, Edit); 5] = [
        ("events", |m| m["events"] = json!(601)),
        ("a digest", |m| {
            m["files"][1]["blake3"] = json!("0".repeat(64))
        }),
        ("rows", |m| m["files"][1]["rows"] = json!(99_999)),
        ("a file less", |m| {
            drop(m["files"].as_array_mut().unwrap().pop())
        }),
        ("the seed", |m| m["fingerprint"] = json!("0".repeat(32))),
    ];
    for (what, edit) in edits {
        let mut manifest: Value = serde_json::from_slice(&original).unwrap();
        edit(&mut manifest);
        let text = serde_json::to_vec_pretty(&manifest).unwrap();
        std::fs::write(&path, &text).unwrap();
        let alone = damaged(&root);
        assert!(alone.contains(&"_SUCCESS".to_string()), "{what}: {alone:?}");
        let digest = blake3::hash(&text).to_hex();
        std::fs::write(root.join("_SUCCESS"), format!("{digest}\n")).unwrap();
        let found = damaged(&root);
        assert!(!found.is_empty(), "{what} may be edited");
        assert!(
            !found.contains(&"_SUCCESS".to_string()),
            "{what}: {found:?}"
        );
        std::fs::write(&path, &original).unwrap();
        std::fs::write(root.join("_SUCCESS"), &success).unwrap();
    }
    assert_eq!(damaged(&root), Vec::<String>::new());
}

fn fusiongen(arguments: &[&str]) -> (i32, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_fusiongen"))
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        out.status.code().unwrap_or(-1),
        text(out.stdout),
        text(out.stderr),
    )
}

#[test]
fn the_command_says_how_it_went() {
    let (_out, root) = copied();
    let directory = root.to_str().unwrap();
    let (code, text, errors) = fusiongen(&["check", directory]);
    assert_eq!((code, errors.as_str()), (0, ""), "{text}");
    assert!(text.contains("exact, every host and chain"), "{text}");
    for audit in Audit::ALL {
        assert!(text.contains(audit.name()), "{}", audit.name());
    }
    let (code, text, _) = fusiongen(&["check", directory, "--json"]);
    assert_eq!(code, 0);
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["events"], 6_000);
    assert_eq!(report["passed"], true);
    let names: Vec<&str> = report["invariants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| {
            assert!(i["tried"].is_u64() && i["passed"].is_u64() && i["what"].is_string());
            i["name"].as_str().unwrap()
        })
        .collect();
    let wanted: Vec<&str> = Audit::ALL.iter().map(|a| a.name()).collect();
    assert_eq!(names, wanted);
    assert!(report["figures"].as_array().unwrap().len() > 20);
    let (code, text, _) = fusiongen(&["check", directory, "--integrity"]);
    assert_eq!(code, 0);
    assert!(text.contains("all as written"), "{text}");

    let events = Rows::read(&root, "events");
    let (table, cells) = falsification(Audit::NumbersBytes, &events, &root);
    falsify(&root, table, &cells);
    let (code, text, errors) = fusiongen(&["check", directory]);
    assert_eq!(code, 1);
    assert!(
        text.contains("FAILED") && text.contains("numbers.bytes"),
        "{text}"
    );
    assert!(errors.contains("1 checks failed"), "{errors}");
    let (code, text, _) = fusiongen(&["check", directory, "--json"]);
    assert_eq!(code, 1);
    let report: Value = serde_json::from_str(&text).unwrap();
    let bytes = report["invariants"].as_array().unwrap().iter();
    let bytes = bytes
        .clone()
        .find(|i| i["name"] == "numbers.bytes")
        .unwrap();
    assert_eq!(bytes["status"], "failed");
    assert!(
        bytes["example"]["file"]
            .as_str()
            .unwrap()
            .starts_with("events/")
    );
    assert!(bytes["example"]["sequence"].is_i64());
    let (code, text, _) = fusiongen(&["check", directory, "--integrity", "--json"]);
    assert_eq!(code, 1);
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["damages"].as_array().unwrap().len(), 1, "{text}");
}

#[test]
fn what_is_no_corpus_is_named() {
    let out = tempfile::tempdir().unwrap();
    let nowhere = out.path().join("nowhere");
    let wrong = |arguments: &[&str], word: &str| {
        let (code, text, errors) = fusiongen(arguments);
        assert_eq!(code, 2, "{arguments:?}: {errors}");
        assert!(text.is_empty() && errors.contains(word), "{errors}");
    };
    for directory in [nowhere.as_path(), out.path()] {
        let name = directory.to_str().unwrap();
        wrong(&["check", name], name);
        wrong(&["check", name, "--integrity"], name);
    }
    wrong(&["check"], "DIR");
    wrong(&["check", "x", "--exact-events", "many"], "many");

    let (_out, root) = small();
    let directory = root.to_str().unwrap();
    let profile = out.path().join("profile.json");
    std::fs::write(&profile, "{").unwrap();
    wrong(
        &["check", directory, "--profile", profile.to_str().unwrap()],
        "profile.json",
    );
    let names: Vec<String> = common::files(&root).into_keys().collect();
    let event = names.iter().find(|n| n.starts_with("events/")).unwrap();
    let bytes = std::fs::read(root.join(event)).unwrap();
    std::fs::write(root.join(event), &bytes[..bytes.len() / 2]).unwrap();
    wrong(&["check", directory], event);
    std::fs::remove_file(root.join(event)).unwrap();
    wrong(&["check", directory], event);
    let success = std::fs::read(root.join("_SUCCESS")).unwrap();
    std::fs::remove_file(root.join("_SUCCESS")).unwrap();
    wrong(&["check", directory], "_SUCCESS is not that");
    std::fs::write(root.join("_SUCCESS"), success).unwrap();
    // A window of billions of days is refused, not walked through.
    let plan = std::fs::read_to_string(root.join("plan.json")).unwrap();
    let long = plan.replace("\"days\": 1,", "\"days\": 4000000000,");
    assert_ne!(plan, long);
    std::fs::write(root.join("plan.json"), long).unwrap();
    wrong(&["check", directory], "no corpus has these settings");
    std::fs::write(root.join("plan.json"), plan).unwrap();
    std::fs::remove_file(root.join("manifest.json")).unwrap();
    wrong(&["check", directory], "isn't finished");
}
