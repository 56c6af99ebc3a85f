//! Figures of hosts' streams are in their ranges, and each leaves its range where what it measures is gone.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Duration, NaiveDateTime};
use fusiongen::check::Figure;
use fusiongen::plan::PartitionBy;

use super::*;

/// The group's figures.
pub fn figures(report: &Report) -> impl Iterator<Item = &Figure> {
    report
        .figures
        .iter()
        .filter(|figure| figure.name.starts_with("stream."))
}

/// Much noise on few hosts: each has some hundred records of its own.
fn noisy() -> Config {
    Config {
        events: 40_000,
        days: 1,
        assets: Some(60),
        noise_ratio: "0.9".parse().unwrap(),
        attack_chain_ratio: "0.03".parse().unwrap(),
        ..Config::default()
    }
}

const UTC: &str = "winlog.event_data.UtcTime";
const GUID: &str = "winlog.event_data.ProcessGuid";
const NO_GUID: &str = "{00000000-0000-0000-0000-000000000000}";

fn time(row: &Value) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(data(row, "UtcTime"), "%Y-%m-%d %H:%M:%S%.3f").unwrap()
}

fn shown(time: NaiveDateTime) -> Value {
    json!(time.format("%Y-%m-%d %H:%M:%S%.3f").to_string())
}

/// A number below `below` that follows from a row's sequence, without a pattern.
fn drawn(row: &Value, below: u64) -> u64 {
    let mixed = (number(row, "event.sequence") as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed >> 32) % below
}

/// Sysmon's records of the hosts' own life.
struct Streams {
    /// By host, in the order of the log.
    hosts: BTreeMap<String, Vec<Row>>,
}

impl Streams {
    fn read(root: &Path) -> Self {
        let mut hosts: BTreeMap<String, Vec<Row>> = BTreeMap::new();
        for row in Rows::read(root, "events").rows {
            let of_sysmon = text(&row.2, "winlog.provider_name") == "Microsoft-Windows-Sysmon";
            if of_sysmon && text(&row.2, "labels.noise_type") == "process_life" {
                let host = text(&row.2, "host.name").to_string();
                hosts.entry(host).or_default().push(row);
            }
        }
        for rows in hosts.values_mut() {
            rows.sort_by_key(|row| number(&row.2, "winlog.record_id"));
        }
        Streams { hosts }
    }

    /// A cell of every record of some kinds.
    fn each(
        &self,
        kinds: &[i64],
        path: &'static str,
        value: impl Fn(&Value) -> Value,
    ) -> Vec<Cell> {
        self.numbered(kinds, path, |row, _| value(row))
    }

    /// The same, where the value follows from the record's number among those of its host. No kinds are
    /// all kinds.
    fn numbered(
        &self,
        kinds: &[i64],
        path: &'static str,
        value: impl Fn(&Value, usize) -> Value,
    ) -> Vec<Cell> {
        let is_wanted = |row: &&Row| kinds.is_empty() || kinds.contains(&id(&row.2));
        let of_host = |rows: &Vec<Row>| -> Vec<Cell> {
            let wanted = rows.iter().filter(is_wanted).enumerate();
            wanted
                .map(|(nth, (file, row, values))| cell((*file, *row), path, value(values, nth)))
                .collect()
        };
        let cells: Vec<Cell> = self.hosts.values().flat_map(of_host).collect();
        assert!(!cells.is_empty(), "the corpus has no {path} to falsify");
        cells
    }

    /// Native times that no two records of a host share.
    fn distinct_milliseconds(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        for rows in self.hosts.values() {
            let mut last = NaiveDateTime::MIN;
            for (file, row, values) in rows {
                last = time(values).max(last + Duration::milliseconds(1));
                cells.push(cell((*file, *row), UTC, shown(last)));
            }
        }
        cells
    }

    /// Logs that have all records of a kind, and then all of the next.
    fn blocks_of_kinds(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        for rows in self.hosts.values() {
            let ids = rows.iter().map(|row| at(&row.2, "winlog.record_id"));
            let mut by_kind: Vec<&Row> = rows.iter().collect();
            by_kind.sort_by_key(|row| id(&row.2));
            for ((file, row, _), id) in by_kind.into_iter().zip(ids) {
                cells.push(cell((*file, *row), "winlog.record_id", id.clone()));
            }
        }
        cells
    }

    /// Processes that all live for ten seconds.
    fn one_lifetime(&self) -> Vec<Cell> {
        let rows = || self.hosts.values().flatten();
        let births = rows().filter(|row| id(&row.2) == 1);
        let born: BTreeMap<&str, NaiveDateTime> = births
            .map(|row| (data(&row.2, "ProcessGuid"), time(&row.2)))
            .collect();
        let ends = rows().filter(|row| id(&row.2) == 5);
        ends.filter_map(|(file, row, values)| {
            let born = born.get(data(values, "ProcessGuid"))?;
            let end = shown(*born + Duration::seconds(10));
            Some(cell((*file, *row), UTC, end))
        })
        .collect()
    }
}

/// The figures that a change takes out of their ranges, and the change.
fn falsifications(streams: &Streams) -> Vec<(Vec<&'static str>, Vec<Cell>)> {
    let ordinary: Vec<i64> = (2..30).filter(|kind| *kind != 5).collect();
    let kernel = [2, 5, 7, 9, 10, 11, 12, 13, 17, 18, 23];
    let whole = |cells: [Vec<Cell>; 2]| cells.into_iter().flatten().collect();
    vec![
        (vec!["same_millisecond"], streams.distinct_milliseconds()),
        (vec!["kind_changes"], streams.blocks_of_kinds()),
        (
            vec!["tick"],
            streams.each(&kernel, UTC, |row| {
                shown(time(row) + Duration::milliseconds(drawn(row, 1_000) as i64))
            }),
        ),
        // One record a second.
        (
            vec!["busiest", "births_close", "same_millisecond"],
            streams.numbered(&[], UTC, |row, nth| {
                let midnight = time(row).date().and_hms_opt(0, 0, 0).unwrap();
                shown(midnight + Duration::seconds(nth as i64))
            }),
        ),
        // Newborns whose records are another's, and children of nobody.
        (
            vec!["newborns_act"],
            streams.each(&ordinary, GUID, |_| json!(NO_GUID)),
        ),
        (
            vec!["parents_born"],
            streams.each(&[1], "winlog.event_data.ParentProcessGuid", |_| {
                json!(NO_GUID)
            }),
        ),
        (
            vec![
                "later_first",
                "life_reg",
                "life_cmd",
                "life_conhost",
                "life_dllhost",
            ],
            streams.one_lifetime(),
        ),
        // Pids that only rise.
        (
            vec!["pid_high", "pid_median", "pid_falls"],
            streams.numbered(&[1], "winlog.event_data.ProcessId", |_, nth| {
                json!(44_000 + 4 * nth)
            }),
        ),
        (
            vec!["ordinal_next"],
            streams.each(&[1], GUID, |row| {
                let guid = data(row, "ProcessGuid");
                json!(format!(
                    "{}{:04x}{}",
                    &guid[..20],
                    drawn(row, 65_536),
                    &guid[24..]
                ))
            }),
        ),
        (
            vec!["builds"],
            streams.each(&[1], "winlog.event_data.FileVersion", |_| {
                json!("10.0.19041.1 (WinBuild.160101.0800)")
            }),
        ),
        (
            vec!["port_next"],
            streams.each(&[3], "winlog.event_data.SourcePort", |row| {
                json!(50_000 + drawn(row, 10_000))
            }),
        ),
        // Every name has one address, where nobody connects.
        (
            vec!["query_first", "cname"],
            streams.each(&[22], "winlog.event_data.QueryResults", |_| {
                json!("::ffff:192.0.2.1;")
            }),
        ),
        (
            vec!["udp", "ipv6"],
            whole([
                streams.each(&[3], "winlog.event_data.Protocol", |_| json!("udp")),
                streams.each(&[3], "winlog.event_data.DestinationIp", |_| {
                    json!("fe80::1")
                }),
            ]),
        ),
        (
            vec!["keys_by_values"],
            streams.each(&[12], "winlog.event_id", |_| json!(13)),
        ),
        (
            vec!["keys_again"],
            streams.each(&[12], "winlog.event_data.TargetObject", |row| {
                json!(format!(r"HKLM\SOFTWARE\{}", number(row, "event.sequence")))
            }),
        ),
        (
            vec!["values_same"],
            streams.numbered(&[13], "winlog.event_data.Details", |_, nth| {
                json!(format!("DWORD ({nth:#010x})"))
            }),
        ),
        (
            vec!["files_now", "files_old"],
            streams.each(&[11], "winlog.event_data.CreationUtcTime", |_| {
                json!("2001-01-01 00:00:00.000")
            }),
        ),
        (
            vec!["spellings"],
            streams.each(&[1, 11, 12, 13], "winlog.event_data.Image", |_| {
                json!(r"C:\Windows\explorer.exe")
            }),
        ),
    ]
}

#[test]
fn figures_of_streams_are_inside_and_leave_where_a_stream_is_falsified() {
    let out = tempfile::tempdir().unwrap();
    let root = out.path().join("corpus");
    write(noisy(), whole(2), &root);
    let report = checked(&root, Options::default());
    let text = report.text();
    for figure in figures(&report) {
        assert_eq!(figure.status, Status::Passed, "{}\n{text}", figure.name);
    }
    assert!(text.contains("a host's own Sysmon stream"), "{text}");

    let streams = Streams::read(&root);
    let (mut falsified, mut unseen) = (BTreeSet::new(), Vec::new());
    for (names, cells) in falsifications(&streams) {
        let before = falsify(&root, "events", &cells);
        let report = checked(&root, Options::default());
        for name in names {
            let figure = figures(&report).find(|f| f.name == format!("stream.{name}"));
            let figure = figure.unwrap();
            if figure.status != Status::Warned {
                unseen.push(figure.clone());
            }
            falsified.insert(figure.name.clone());
        }
        for (path, bytes) in before {
            std::fs::write(path, bytes).unwrap();
        }
    }
    assert!(unseen.is_empty(), "what is false passes: {unseen:#?}");
    let all: BTreeSet<String> = figures(&report).map(|figure| figure.name.clone()).collect();
    assert_eq!(falsified, all);
    assert_eq!(checked(&root, Options::default()), report);
}

/// The same records in another schema, and in files of all categories, are the same streams.
#[test]
fn figures_of_streams_are_the_same_in_either_schema() {
    let out = tempfile::tempdir().unwrap();
    let measured = |name: &str, schema, partition_by| {
        let root = out.path().join(name);
        let config = Config {
            schema,
            partition_by,
            ..noisy()
        };
        write(config, whole(2), &root);
        let report = checked(&root, Options::default());
        figures(&report).cloned().collect::<Vec<Figure>>()
    };
    let ours = measured("ours", SchemaName::Fusionai, PartitionBy::DateCategory);
    let ecs = measured("ecs", SchemaName::Ecs, PartitionBy::Date);
    assert_eq!(ours, ecs);
}
