//! `check` passes an unchanged corpus, and fails one that was falsified on purpose: one change per
//! invariant.

mod cells;
mod command;
#[path = "../common/mod.rs"]
mod common;
mod damage;
mod explain;
mod falsify;
mod formats;
mod stream;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use common::{grounding, whole, write, write_grounded};
use fusiongen::check::{Audit, EXACT_ROWS, Options, Report, Status, check};
use fusiongen::plan::{
    Config, Table,
    config::{Labels, SchemaName},
};
use serde_json::{Value, json};

use cells::*;
use falsify::falsification;

/// A corpus that is copied, never changed.
pub fn original() -> &'static Path {
    static CORPUS: OnceLock<tempfile::TempDir> = OnceLock::new();
    let corpus = CORPUS.get_or_init(|| {
        let out = tempfile::tempdir().unwrap();
        write(config(), whole(2), &out.path().join("corpus"));
        out
    });
    Box::leak(corpus.path().join("corpus").into_boxed_path())
}

/// A corpus with more chains, files and dates.
pub fn larger() -> &'static Path {
    static CORPUS: OnceLock<tempfile::TempDir> = OnceLock::new();
    let corpus = CORPUS.get_or_init(|| {
        let out = tempfile::tempdir().unwrap();
        write(larger_config(), whole(2), &out.path().join("corpus"));
        out
    });
    Box::leak(corpus.path().join("corpus").into_boxed_path())
}

pub fn larger_config() -> Config {
    Config {
        events: 24_000,
        days: 3,
        assets: Some(120),
        shard_rows: 1_024,
        row_group_rows: 1_024,
        table: Table::Delta,
        ..config()
    }
}

pub fn config() -> Config {
    Config {
        events: 9_000,
        days: 1,
        assets: Some(60),
        ..Config::default()
    }
}

pub fn copy(from: &Path, to: &Path) {
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
pub fn copied() -> (tempfile::TempDir, PathBuf) {
    let out = tempfile::tempdir().unwrap();
    let root = out.path().join("corpus");
    copy(original(), &root);
    (out, root)
}

pub fn checked(root: &Path, options: Options<'_>) -> Report {
    check(&fusiongen::Corpus::at(root), options, &fusiongen::Silent).unwrap()
}

pub fn failed(report: &Report) -> Vec<&'static str> {
    let of = report.invariants.iter();
    of.filter(|i| i.status == Status::Failed)
        .map(|i| i.name)
        .collect()
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
        let of_inventory = OF_INVENTORY
            .iter()
            .any(|audit| audit.name() == invariant.name);
        assert!(
            invariant.tried > 0 || of_inventory,
            "{} looked at nothing",
            invariant.name
        );
    }
    for figure in &report.figures {
        assert_ne!(figure.status, Status::Failed, "{figure:?}");
    }
}

#[test]
fn every_invariant_fails_on_what_breaks_it() {
    let (_out, root) = copied();
    let events = Rows::read(&root, "events");
    // `tests/tables.rs` falsifies tables.
    let others = [&OF_INVENTORY[..], &OF_PROFILE, &[Audit::TableFiles]].concat();
    let of_events = |audit: &Audit| !others.contains(audit);
    for audit in Audit::ALL.iter().copied().filter(of_events) {
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

/// Audits that need an inventory, which a made-up fleet does not have.
const OF_INVENTORY: [Audit; 4] = [
    Audit::GroundingAsset,
    Audit::GroundingOwner,
    Audit::GroundingRole,
    Audit::GroundingPlatform,
];
/// Audits of `profile.json`.
const OF_PROFILE: [Audit; 2] = [Audit::GroundingScale, Audit::GroundingNames];

/// A corpus of the sample's users, assets and alerts.
fn grounded(root: &Path) -> fusiongen::grounding::Profile {
    use fusiongen::grounding::{alerts_db, cmdb, directory};
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample");
    let profile = alerts_db::fit(&sample.join("alerts.sqlite"), None).unwrap();
    let inputs = fusiongen::plan::Grounding {
        profile: profile.clone(),
        users: Some(
            directory::read(&sample.join("ad_users.csv"), false)
                .unwrap()
                .rows,
        ),
        assets: Some(
            cmdb::read(&sample.join("cmdb_assets.csv"), false)
                .unwrap()
                .rows,
        ),
    };
    write_grounded(config(), whole(2), &inputs, root);
    profile
}

#[test]
fn what_the_inventory_says_holds_and_fails_where_it_is_put_back() {
    let out = tempfile::tempdir().unwrap();
    let root = out.path().join("corpus");
    grounded(&root);
    let report = checked(&root, Options::default());
    assert_eq!(failed(&report), Vec::<&str>::new(), "{}", report.text());
    let events = Rows { rows: Vec::new() };
    for audit in OF_INVENTORY {
        assert!(tried(&report, audit) > 0, "{audit:?}");
        let (table, cells) = falsification(audit, &events, &root);
        let before = falsify(&root, table, &cells);
        assert!(
            failed(&checked(&root, Options::default())).contains(&audit.name()),
            "{audit:?}"
        );
        for (path, bytes) in before {
            std::fs::write(path, bytes).unwrap();
        }
    }
    assert!(checked(&root, Options::default()).passed);
}

#[test]
fn a_profile_that_was_read_wrongly_fails() {
    let (_out, root) = copied();
    let path = root.join("profile.json");
    let kept = fusiongen::grounding::Profile::read(&path).unwrap();
    assert_eq!(kept, grounding().profile.without_addresses());
    // A scale whose numbers these are not.
    let mut wrong = kept.clone();
    wrong
        .tuples
        .iter_mut()
        .for_each(|tuple| tuple.severity = Some(12));
    wrong.write(&path).unwrap();
    assert!(failed(&checked(&root, Options::default())).contains(&Audit::GroundingScale.name()));
    // A sentence for each alert.
    let mut wrong = kept.clone();
    let first = kept.tuples[0].clone();
    wrong.rows = 2_000;
    wrong.tuples = (0..2_000)
        .map(|i| fusiongen::grounding::Tuple {
            signature: format!("alert {i} of one kind"),
            count: 1,
            client_ports: Vec::new(),
            ends: Default::default(),
            ..first.clone()
        })
        .collect();
    wrong.write(&path).unwrap();
    let names = failed(&checked(&root, Options::default()));
    assert!(names.contains(&Audit::GroundingNames.name()), "{names:?}");
    assert!(names.contains(&Audit::GroundingRule.name()), "{names:?}");
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
pub fn tried(report: &Report, audit: Audit) -> u64 {
    let named = report.invariants.iter().find(|i| i.name == audit.name());
    named.unwrap().tried
}

#[test]
fn an_ecs_corpus_passes_every_invariant() {
    let out = tempfile::tempdir().unwrap();
    let root = out.path().join("corpus");
    let config = Config {
        schema: SchemaName::Ecs,
        table: Table::Iceberg,
        ..larger_config()
    };
    write(config, whole(2), &root);
    let report = checked(&root, Options::default());
    assert_eq!(failed(&report), Vec::<&str>::new(), "{}", report.text());
    for audit in Audit::ALL.iter().filter(|it| !OF_INVENTORY.contains(it)) {
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
        let same = [
            "divergence.",
            "composition.",
            "timing.",
            "process.",
            "stream.",
        ];
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
    // A figure of too few rows has a value, which is not compared.
    let gap = figure("composition.attack_gap");
    assert!(gap.value.is_some());
    assert_eq!(gap.status, Status::NotApplicable);
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
    // Nothing says which rows are the hosts' own life.
    for figure in stream::figures(&report) {
        assert_eq!(figure.status, Status::NotApplicable, "{}", figure.name);
    }
}

#[test]
fn a_report_is_the_same_each_time() {
    let text = || serde_json::to_string(&checked(original(), Options::default())).unwrap();
    assert_eq!(text(), text());
}
