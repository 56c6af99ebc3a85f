//! Events in order of time: on stdout, in files of a date, and as they happen.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use arrow_array::{RecordBatch, StructArray};
use arrow_ipc::reader::StreamReader;
use common::{batches, files, program, stderr, whole};
use fusiongen::plan::{Config, PartitionBy};
use fusiongen::{Generator, Select};
use serde_json::Value;

/// `generate --out -` of a small corpus.
fn stream(more: &[&str]) -> Output {
    let mut command = program();
    command.args([
        "generate", "--events", "20k", "--days", "3", "--assets", "60",
    ]);
    command.args(["--out", "-"]).args(more);
    command.output().unwrap()
}

#[track_caller]
fn streamed(more: &[&str]) -> Vec<u8> {
    let output = stream(more);
    assert!(output.status.success(), "{}", stderr(&output));
    output.stdout
}

fn lines(text: &[u8]) -> Vec<Value> {
    let lines = text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

fn time(event: &Value) -> &str {
    event["@timestamp"].as_str().unwrap()
}

fn sequence(event: &Value) -> i64 {
    event["event"]["sequence"].as_i64().unwrap()
}

/// The whole events, by sequence.
fn by_sequence(events: Vec<Value>) -> BTreeMap<i64, Value> {
    events
        .into_iter()
        .map(|event| (sequence(&event), event))
        .collect()
}

#[test]
fn a_stream_has_the_events_of_the_files_in_order_of_time() {
    let place = tempfile::tempdir().unwrap();
    let mut command = program();
    command.args([
        "generate", "--events", "20k", "--days", "3", "--assets", "60",
    ]);
    command.args(["--format", "ndjson", "--out", "made"]);
    let output = command.current_dir(place.path()).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let written = files(&place.path().join("made/events"));
    let written = written
        .into_values()
        .flat_map(|text| lines(&text))
        .collect();
    let events = lines(&streamed(&[]));
    assert_eq!(events.len(), 20_000);
    assert!(events.is_sorted_by(|a, b| time(a) <= time(b)));
    let categories = |events: &[Value]| -> BTreeSet<String> {
        events
            .iter()
            .map(|e| e["fusionai"]["category"].to_string())
            .collect()
    };
    assert!(categories(&events[..1_000]).len() > 10);
    assert_eq!(by_sequence(events), by_sequence(written));
}

#[test]
fn threads_and_compression_change_nothing() {
    let plain = streamed(&["--format", "ndjson", "--threads", "1"]);
    assert_eq!(streamed(&["--threads", "3"]), plain);
    let zstd = streamed(&["--compression", "zstd(3)"]);
    assert!(zstd::decode_all(&zstd[..]).unwrap() == plain);
    for level in ["gzip", "gzip(1)"] {
        let gzip = streamed(&["--compression", level]);
        assert_eq!(gzip, streamed(&["--compression", level, "--threads", "1"]));
        let mut text = Vec::new();
        let mut reader = flate2::read::MultiGzDecoder::new(&gzip[..]);
        reader.read_to_end(&mut text).unwrap();
        assert!(text == plain);
    }
}

fn times(batch: &RecordBatch) -> Vec<i64> {
    let times = batch.column_by_name("@timestamp").unwrap();
    times
        .as_primitive::<TimestampMicrosecondType>()
        .values()
        .to_vec()
}

fn sequences(batch: &RecordBatch) -> Vec<i64> {
    let event: &StructArray = batch.column_by_name("event").unwrap().as_struct();
    let numbers = event.column_by_name("sequence").unwrap();
    numbers.as_primitive::<Int64Type>().values().to_vec()
}

#[test]
fn an_arrow_stream_has_the_same_events() {
    let numbers: Vec<i64> = lines(&streamed(&[])).iter().map(sequence).collect();
    for more in [
        &[][..],
        &["--compression", "lz4"],
        &["--compression", "zstd"],
    ] {
        let bytes = streamed(&[&["--format", "arrow"], more].concat());
        let reader = StreamReader::try_new(&bytes[..], None).unwrap();
        let batches: Vec<RecordBatch> = reader.map(|batch| batch.unwrap()).collect();
        let read: Vec<i64> = batches.iter().flat_map(sequences).collect();
        assert_eq!(read, numbers);
        assert!(batches.iter().flat_map(times).is_sorted());
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let mut command = program();
    command.args(["generate", "--events", "1M", "--out", "-"]);
    let mut child = (command.stdout(Stdio::piped()).stderr(Stdio::piped()))
        .spawn()
        .unwrap();
    let mut first = String::new();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut first).unwrap();
    drop(reader);
    serde_json::from_str::<Value>(&first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn a_stream_refuses_what_needs_files_and_notes_what_has_no_effect() {
    for (more, expected) in [
        (
            &["--format", "parquet"][..],
            "use --format ndjson or --format arrow",
        ),
        (&["--part", "1/2"], "--part: has no meaning with --out -"),
        (&["--overwrite"], "--overwrite: has no meaning with --out -"),
    ] {
        let output = stream(more);
        assert_eq!(output.status.code(), Some(2), "{more:?}");
        assert!(output.stdout.is_empty());
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
    let place = tempfile::tempdir().unwrap();
    let config = place.path().join("corpus.toml");
    let text = "partition_by = \"date\"\nshard_rows = \"1M\"\nbloom_filter = [\"source.ip\"]\ntable = \"delta\"\n";
    std::fs::write(&config, text).unwrap();
    let output = stream(&["--config", config.to_str().unwrap()]);
    assert!(output.status.success(), "{}", stderr(&output));
    for flag in ["partition-by", "shard-rows", "bloom-filter", "table"] {
        let note = format!("note: --{flag} has no effect with --out -");
        assert!(stderr(&output).contains(&note), "{}", stderr(&output));
    }
    assert!(output.stdout == streamed(&[]));
}

#[test]
fn files_of_a_date_are_in_order_of_time_over_all_categories() {
    let config = Config {
        events: 60_000,
        days: 2,
        assets: Some(100),
        row_group_rows: 5_000,
        shard_rows: 12_000,
        ..Config::default()
    };
    let by_date = Config {
        partition_by: PartitionBy::Date,
        ..config.clone()
    };
    let place = tempfile::tempdir().unwrap();
    let written = |name: &str, config: &Config, threads| {
        let out = place.path().join(name);
        common::write(config.clone(), whole(threads), &out);
        out.join("events")
    };
    let dated = written("dated", &by_date, 2);
    assert!(files(&dated) == files(&written("again", &by_date, 1)));
    let mut all = BTreeSet::new();
    for day in ["2024-08-12", "2024-08-13"] {
        let day = dated.join(format!("date={day}"));
        assert!(files(&day).len() > 1);
        let of_day = batches(&day);
        assert!(
            of_day.iter().flat_map(times).is_sorted(),
            "{}",
            day.display()
        );
        all.extend(of_day.iter().flat_map(sequences));
    }
    let apart = batches(&written("apart", &config, 2));
    assert_eq!(all.len(), 60_000);
    assert_eq!(all, apart.iter().flat_map(sequences).collect());
}

#[test]
fn a_selection_since_a_time_is_the_end_of_the_whole() {
    let config = Config {
        events: 40_000,
        days: 2,
        assets: Some(100),
        ..Config::default()
    };
    let generator = Generator::builder().config(config).build().unwrap();
    let rows = |select: Select| -> Vec<(i64, i64)> {
        let reader = generator.batches(select).unwrap();
        let expected = reader.rows();
        let rows: Vec<(i64, i64)> = reader
            .flat_map(|batch| {
                let batch = batch.unwrap();
                times(&batch)
                    .into_iter()
                    .zip(sequences(&batch))
                    .collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(rows.len() as u64, expected);
        rows
    };
    let whole = rows(Select::all().in_time_order());
    assert_eq!(whole.len(), 40_000);
    assert!(whole.is_sorted_by(|a, b| a.0 <= b.0));
    let middle = whole[whole.len() / 3].0;
    let since = rows(Select::all().since(middle));
    assert_eq!(since, whole[whole.partition_point(|row| row.0 < middle)..]);
    assert_eq!(rows(Select::all().since(i64::MAX)), []);
    let error = generator.batches(Select::all().in_time_order().category("port_scan"));
    assert!(error.is_err_and(|e| e.to_string().contains("in_time_order")));
}

/// Hosts, attacks, sequences, and the least and largest record id of each host and channel.
type Period = (
    Vec<String>,
    BTreeSet<String>,
    BTreeSet<i64>,
    BTreeMap<(String, String), (i64, i64)>,
);

fn period(number: u32) -> Period {
    let start = Config::default().start + chrono::Days::new(2 * u64::from(number));
    let config = Config {
        events: 30_000,
        days: 2,
        start,
        assets: Some(100),
        period: number,
        ..Config::default()
    };
    let generator = Generator::builder().config(config).build().unwrap();
    let (plan, world) = (generator.plan(), generator.world());
    let hosts = world
        .hosts
        .all
        .iter()
        .map(|host| host.inventory.name.clone());
    let attacks = (0..plan.chains.all.len() as u32).map(|chain| plan.chains.id(chain));
    let (mut numbers, mut records) = (BTreeSet::new(), BTreeMap::new());
    for batch in generator.batches(Select::all()).unwrap() {
        let batch = batch.unwrap();
        for row in 0..batch.num_rows() {
            let event = Value::Object(fusiongen::sink::json::row(&batch, row));
            numbers.insert(sequence(&event));
            let Some(record) = event["winlog"]["record_id"].as_i64() else {
                continue;
            };
            let text = |value: &Value| value.as_str().unwrap().to_string();
            let of = (
                text(&event["host"]["hostname"]),
                text(&event["winlog"]["channel"]),
            );
            let (least, most) = records.entry(of).or_insert((record, record));
            (*least, *most) = ((*least).min(record), (*most).max(record));
        }
    }
    (hosts.collect(), attacks.collect(), numbers, records)
}

#[test]
fn periods_have_the_same_hosts_and_go_on_with_other_attacks_and_events() {
    let (first, second) = (period(0), period(1));
    assert_eq!(first.0, second.0);
    assert!(!first.1.is_empty() && first.1.is_disjoint(&second.1));
    assert_eq!(first.2.len(), 30_000);
    assert!(first.2.is_disjoint(&second.2));
    let mut compared = 0;
    for (of, (_, before)) in &first.3 {
        if let Some((after, _)) = second.3.get(of) {
            assert!(before < after, "{of:?}: {before}, then {after}");
            compared += 1;
        }
    }
    assert!(compared > 50, "{compared}");
}

fn replay(more: &[&str]) -> Command {
    let mut command = program();
    command
        .args(["replay", "--days", "2", "--assets", "60"])
        .args(more);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The time now as events have it.
fn clock() -> String {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    let now = chrono::DateTime::from_timestamp_micros(now.as_micros() as i64).unwrap();
    now.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// Reads lines of a replay that goes on, then stops it.
fn interrupted(command: &mut Command, lines: usize) -> (Vec<Value>, Output) {
    let mut child = command.spawn().unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut events = Vec::new();
    for _ in 0..lines {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        events.push(serde_json::from_str(&line).unwrap());
    }
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(killed.unwrap().success());
    let mut rest = String::new();
    reader.read_to_string(&mut rest).unwrap();
    assert!(rest.is_empty() || rest.ends_with('\n'));
    (events, child.wait_with_output().unwrap())
}

#[test]
fn a_replay_writes_events_at_their_time() {
    let begun = clock();
    let (events, output) = interrupted(&mut replay(&["--rate", "2k/s"]), 500);
    let ended = clock();
    assert_eq!(output.status.code(), Some(130));
    assert!(
        stderr(&output).contains("stopped after"),
        "{}",
        stderr(&output)
    );
    assert!(events.is_sorted_by(|a, b| time(a) <= time(b)));
    assert!(*begun <= *time(&events[0]), "{begun}");
    assert!(time(&events[events.len() - 1]) <= &*ended, "{ended}");
    // A Sysmon record's own time is that of the same moment.
    let native =
        |event: &Value| Some(event["winlog"]["event_data"]["UtcTime"].as_str()?[..10].to_string());
    let days: BTreeSet<String> = events.iter().filter_map(native).collect();
    assert!(
        !days.is_empty()
            && days
                .iter()
                .all(|day| **day >= begun[..10] && **day <= ended[..10])
    );
}

#[test]
fn an_even_replay_ends_after_its_duration() {
    let even = ["--rate", "500/s", "--pace", "even", "--duration", "1s"];
    let output = replay(&even).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let events = lines(&output.stdout);
    // Not many fewer either, unless the machine is busy.
    assert!((1..=510).contains(&events.len()), "{}", events.len());
}

#[test]
fn a_closed_pipe_ends_a_replay() {
    let mut child = replay(&["--rate", "5k/s", "--pace", "even"])
        .spawn()
        .unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    reader.read_line(&mut String::new()).unwrap();
    drop(reader);
    for _ in 0..600 {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    child.kill().unwrap();
    panic!("the replay goes on without a reader");
}

#[test]
fn a_replay_refuses_what_it_cannot_do() {
    for (more, expected) in [
        (&["--rate", "fast"][..], "'fast' is not a rate"),
        (&["--rate", "1k/s", "--events", "1M"], "cannot be used with"),
        (&["--duration", "soon"], "'soon' is not a duration"),
        (&["--format", "arrow"], "unexpected argument '--format'"),
        (&["--table", "delta"], "unexpected argument '--table'"),
    ] {
        let output = replay(more).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{more:?}");
        assert!(stderr(&output).contains(expected), "{}", stderr(&output));
    }
}

#[test]
fn a_replay_has_no_settings_of_files() {
    let help = program().args(["replay", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(help.contains("--schema"), "{help}");
    assert!(!help.contains("--partition-by"), "{help}");
    let place = tempfile::tempdir().unwrap();
    let config = place.path().join("corpus.toml");
    let text = "format = \"parquet\"\ntable = \"delta\"\nstart = \"2024-08-12\"\n";
    std::fs::write(&config, text).unwrap();
    let even = ["--rate", "500/s", "--pace", "even", "--duration", "1s"];
    let output = replay(&even)
        .args(["--config", config.to_str().unwrap()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let note = "note: --start has no effect with replay";
    assert!(stderr(&output).contains(note), "{}", stderr(&output));
    assert!(!lines(&output.stdout).is_empty());
}

#[test]
fn a_file_named_like_the_flag_is_not_made() {
    let place = tempfile::tempdir().unwrap();
    let mut command = program();
    command.args(["generate", "--events", "1k", "--days", "1", "--out", "-"]);
    let output = command.current_dir(place.path()).output().unwrap();
    assert!(output.status.success());
    assert!(!Path::new(&place.path().join("-")).exists());
}
