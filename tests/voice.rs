//! What commands print: JSON for programs, less with `--quiet`, more with `--verbose`.

mod common;

use std::process::Output;

use common::{files, run, stderr, stdout};
use serde_json::Value;

fn json(output: &Output) -> Value {
    serde_json::from_str(&stdout(output)).unwrap()
}

/// Settings of a small corpus.
const SMALL: [&str; 4] = ["--events", "2000", "--days", "2"];

fn with<'a>(first: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [first, &SMALL, more].concat()
}

#[test]
fn plan_and_generate_agree_in_json() {
    let place = tempfile::tempdir().unwrap();
    let plan = json(&run(place.path(), &with(&["plan"], &["--json"]), &[]));
    let made = with(&["generate"], &["--json", "--threads", "2"]);
    let first = json(&run(place.path(), &made, &[]));
    assert_eq!(plan["events"], 2000);
    assert_eq!(plan["config"]["days"], 2);
    for key in ["fingerprint", "seed", "events", "composition"] {
        assert_eq!(plan[key], first[key], "{key}");
    }
    let composition = &plan["composition"];
    let parts = ["alerts", "noise", "chain_events"].map(|key| composition[key].as_u64().unwrap());
    assert_eq!(parts.iter().sum::<u64>(), 2000);
    let categories = plan["categories"].as_array().unwrap();
    let sum = |of: &Value, key: &str| {
        let each = of.as_array().unwrap().iter();
        each.map(|row| row[key].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!(sum(&plan["categories"], "events"), 2000);
    assert_eq!(
        sum(&plan["file_sizes"], "files"),
        plan["files"].as_u64().unwrap()
    );
    assert_eq!(
        sum(&plan["file_sizes"], "bytes"),
        plan["bytes"].as_u64().unwrap()
    );
    assert!(
        categories
            .iter()
            .all(|category| category["name"].is_string())
    );

    // The summary is about the files that are there.
    let manifest = std::fs::read(place.path().join("out/corpus/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let listed = manifest["files"].as_array().unwrap();
    let written = listed.iter().filter(|file| file["path"] != "plan.json");
    let bytes: u64 = written.map(|file| file["bytes"].as_u64().unwrap()).sum();
    assert_eq!(first["bytes"], bytes);
    assert_eq!(first["files"], listed.len() as u64 - 1);
    assert_eq!(
        (&first["finished"], &first["unchanged"]),
        (&true.into(), &false.into())
    );
    assert_eq!(first["threads"], 2);
    let again = json(&run(place.path(), &made, &[]));
    assert_eq!(again["unchanged"], true);
    assert_eq!(again["fingerprint"], first["fingerprint"]);

    let part = with(&["generate"], &["--json", "--part", "1/2", "--out", "part"]);
    let part = json(&run(place.path(), &part, &[]));
    assert_eq!(
        (&part["part"], &part["finished"]),
        (&"1/2".into(), &false.into())
    );
    assert!(part["events"].as_u64().unwrap() < 2000);

    // Events and a summary cannot share stdout.
    let both = run(
        place.path(),
        &with(&["generate"], &["--json", "--out", "-"]),
        &[],
    );
    assert_eq!(both.status.code(), Some(2));
    assert!(
        both.stdout.is_empty() && stderr(&both).contains("--json"),
        "{}",
        stderr(&both)
    );
}

#[test]
fn quiet_commands_say_nothing_but_errors_and_results() {
    let place = tempfile::tempdir().unwrap();
    let seed = [("SEED", "7")];
    // There is something to say.
    let loud = run(
        place.path(),
        &with(&["generate"], &["--out", "loud"]),
        &seed,
    );
    assert!(stderr(&loud).contains("note: from the environment: SEED=7"));
    assert!(stdout(&loud).contains("2,000 events"));
    let quiet = run(
        place.path(),
        &with(&["generate"], &["-q", "--out", "quiet"]),
        &seed,
    );
    assert_eq!(
        (stdout(&quiet), stderr(&quiet)),
        (String::new(), String::new())
    );
    let of = |name: &str| files(&place.path().join(name));
    assert!(of("loud") == of("quiet"), "the files are the same");

    let stream = run(
        place.path(),
        &with(&["generate"], &["-q", "--out", "-"]),
        &seed,
    );
    assert_eq!(stdout(&stream).lines().count(), 2000);
    assert_eq!(stderr(&stream), "");
    for command in ["plan", "sample"] {
        let said = run(place.path(), &with(&[command], &["--quiet"]), &seed);
        assert!(!stdout(&said).is_empty(), "{command}");
        assert_eq!(stderr(&said), "", "{command}");
    }
    let replay = [
        "replay",
        "-q",
        "--days",
        "1",
        "--assets",
        "60",
        "--rate",
        "300/s",
        "--pace",
        "even",
        "--duration",
        "1s",
    ];
    let replay = run(place.path(), &replay, &seed);
    assert!(stdout(&replay).lines().count() > 100);
    assert_eq!(stderr(&replay), "");
    let check = run(place.path(), &["check", "quiet", "-q"], &[]);
    // So few events may be outside a range, or fail.
    assert!(String::from_utf8_lossy(&check.stdout).contains(" failed, "));
    assert!(stderr(&check).is_empty() || stderr(&check).starts_with("error: "));
    let report = run(place.path(), &["report", "quiet", "-q"], &[]);
    assert_eq!(
        (stdout(&report), stderr(&report)),
        (String::new(), String::new())
    );
    assert!(place.path().join("report.html").is_file());

    let wrong = run(place.path(), &["generate", "-q", "--days", "0"], &[]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        stderr(&wrong).starts_with("error: --days"),
        "{}",
        stderr(&wrong)
    );
    let both = run(place.path(), &["generate", "-q", "-v"], &[]);
    assert_eq!(both.status.code(), Some(2));
}

#[test]
fn verbose_commands_name_settings_steps_and_files() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(
        place.path().join("c.toml"),
        "\ndays = 2\npreset = \"soc\"\n",
    )
    .unwrap();
    let arguments = [
        "generate", "-v", "--events", "2k", "--config", "c.toml", "--out", "made",
    ];
    let output = run(place.path(), &arguments, &[("FUSIONGEN_SEED", "7")]);
    let said = stderr(&output);
    for line in [
        "events = 2k  (flag)",
        "seed = 7  (FUSIONGEN_SEED in the environment)",
        "days = 2  (days in c.toml, line 2)",
        "noise_ratio = 0.94  (preset)",
        "start = 2024-08-12  (default)",
    ] {
        assert!(
            said.lines().any(|said| said == line),
            "{line:?} is not in: {said}"
        );
    }
    for step in [
        "read inputs in ",
        "planned in ",
        "wrote events in ",
        "wrote manifest",
    ] {
        let times = said.lines().filter(|line| line.starts_with(step)).count();
        assert_eq!(times, 1, "{step:?} in: {said}");
    }
    // Every file of the corpus, each once, with its rows.
    let manifest = std::fs::read(place.path().join("made/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    for file in manifest["files"].as_array().unwrap() {
        let path = file["path"].as_str().unwrap();
        let lines = said
            .lines()
            .filter(|line| line.starts_with(&format!("{path}: ")));
        assert_eq!(
            lines.count(),
            usize::from(path != "plan.json"),
            "{path} in: {said}"
        );
    }
    let plain = run(
        place.path(),
        &["generate", "--events", "2k", "--out", "plain"],
        &[],
    );
    let steps = ["read inputs", "wrote events", "events/"];
    let said = stderr(&plain);
    assert!(
        !said
            .lines()
            .any(|line| steps.iter().any(|step| line.starts_with(step))),
        "{said}"
    );

    let check = run(place.path(), &["check", "-v", "made"], &[]);
    assert!(
        stderr(&check).contains("read events in "),
        "{}",
        stderr(&check)
    );
    assert!(
        stderr(&check).contains(": 2,000 rows") || stderr(&check).matches("part-0").count() > 1
    );
    let report = run(place.path(), &["report", "-v", "made"], &[]);
    assert!(
        stderr(&report).contains("read events in "),
        "{}",
        stderr(&report)
    );
    let sample = run(place.path(), &["sample", "-v", "--events", "2k"], &[]);
    assert!(stderr(&sample).contains("events = 2k  (flag)"));
    assert!(
        !stderr(&sample).contains("format = "),
        "a sample has no files"
    );
    let plan = run(place.path(), &["plan", "-v", "--events", "2k"], &[]);
    assert!(stderr(&plan).contains("planned in "), "{}", stderr(&plan));
}

#[test]
fn an_output_never_replaces_what_a_command_reads() {
    let place = tempfile::tempdir().unwrap();
    let config = place.path().join("c.toml");
    std::fs::write(&config, "events = 2000\ndays = 1\n").unwrap();
    let catalog = place.path().join("catalog");
    stdout(&run(place.path(), &["catalog", "export", "catalog"], &[]));
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/data/sample/alerts.sqlite");
    std::fs::copy(sample, place.path().join("alerts.sqlite")).unwrap();
    let answers = ["queries", "answers", "--constructed", "--config", "c.toml"];
    let cases: [(Vec<&str>, &str); 4] = [
        ([&answers[..], &["-o", "./c.toml"]].concat(), "c.toml"),
        (
            [
                &answers[..],
                &["--catalog", "catalog", "-o", "catalog/categories.toml"],
            ]
            .concat(),
            "catalog/categories.toml",
        ),
        (
            [
                &answers[..],
                &["--alerts-db", "alerts.sqlite", "-o", "alerts.sqlite"],
            ]
            .concat(),
            "alerts.sqlite",
        ),
        (
            vec![
                "profile",
                "--alerts-db",
                "alerts.sqlite",
                "-o",
                "alerts.sqlite",
            ],
            "alerts.sqlite",
        ),
    ];
    assert!(catalog.join("categories.toml").is_file());
    for (arguments, file) in cases {
        let before = std::fs::read(place.path().join(file)).unwrap();
        let output = run(place.path(), &arguments, &[]);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            stderr(&output)
        );
        let said = stderr(&output);
        assert!(
            said.contains("would replace its own input"),
            "{arguments:?}: {said}"
        );
        assert!(
            std::fs::read(place.path().join(file)).unwrap() == before,
            "{file}"
        );
    }
    let fine = [&answers[..], &["-o", "answers.json"]].concat();
    stdout(&run(place.path(), &fine, &[]));
    assert!(place.path().join("answers.json").is_file());
}
