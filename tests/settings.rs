//! Settings through the program itself: accepted values, refused values, and messages.

mod common;

use std::path::Path;

use common::{run, stderr, stdout};
use fusiongen::plan::ORDINAL_BITS;

/// Exit code 2, one error that contains all of `parts`, and nothing written.
fn refused(arguments: &[&str], variables: &[(&str, &str)], config: Option<&[u8]>, parts: &[&str]) {
    let place = tempfile::tempdir().unwrap();
    let mut all = vec!["generate", "--no-progress", "--out", "made"];
    if let Some(text) = config {
        std::fs::write(place.path().join("c.toml"), text).unwrap();
        all.extend(["--config", "c.toml"]);
    }
    all.extend(arguments);
    let output = run(place.path(), &all, variables);
    let said = stderr(&output);
    assert_eq!(
        output.status.code(),
        Some(2),
        "{arguments:?} {variables:?}: {said}"
    );
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
    assert_eq!(said.matches("error: ").count(), 1, "{said}");
    assert!(!said.contains("panicked"), "{said}");
    assert!(output.stdout.is_empty());
    assert!(!place.path().join("made").exists(), "{arguments:?}");
}

fn refused_config(text: &str, parts: &[&str]) {
    refused(&[], &[], Some(text.as_bytes()), parts);
}

/// `config` of the plan.json that these settings make.
fn planned(place: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> serde_json::Value {
    let mut all = vec!["generate", "--no-progress", "--out", "made", "--overwrite"];
    all.extend(arguments);
    let output = run(place, &all, variables);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = std::fs::read(place.join("made/plan.json")).unwrap();
    let mut plan: serde_json::Value = serde_json::from_slice(&text).unwrap();
    plan["config"].take()
}

#[test]
fn flags_that_make_no_corpus_are_refused() {
    refused(&["--days", "0"], &[], None, &["--days", "give 1"]);
    refused(&["--events", "0"], &[], None, &["--events", "give 1"]);
    for ratio in ["NaN", "-0.1", "inf", "1e-3", ""] {
        let flag = format!("--noise-ratio={ratio}");
        refused(&[&flag], &[], None, &["--noise-ratio"]);
        let flag = format!("--attack-chain-ratio={ratio}");
        refused(&[&flag], &[], None, &["--attack-chain-ratio"]);
    }
    refused(
        &["--labels", "some"],
        &[],
        None,
        &["--labels", "full", "none"],
    );
    refused(
        &["--noise-day-weight", "3"],
        &[],
        None,
        &["NOISE_DAY_WEIGHT"],
    );
}

#[test]
fn variables_are_named_as_they_are() {
    refused(&[], &[("TARGET_EVENTS", "0")], None, &["TARGET_EVENTS:"]);
    refused(&[], &[("SEED", "x")], None, &["SEED:", "'x'"]);
    refused(&[], &[("NOISE_RATIO", "NaN")], None, &["NOISE_RATIO:"]);
    refused(
        &[],
        &[("NOISE_SEASONALITY", "perhaps")],
        None,
        &["NOISE_SEASONALITY:"],
    );
    refused(
        &[],
        &[("NOISE_DAY_WEIGHT", "-1")],
        None,
        &["NOISE_DAY_WEIGHT:"],
    );
    refused(
        &[],
        &[("NOISE_TZ_OFFSET", "99")],
        None,
        &["NOISE_TZ_OFFSET:", "14 hours"],
    );
    refused(&[], &[("DB_PATH", "no.sqlite")], None, &["no.sqlite"]);
}

#[test]
fn shares_are_believed_or_refused() {
    let place = tempfile::tempdir().unwrap();
    let plan = |arguments: &[&str], variables: &[(&str, &str)]| {
        let all = [&["plan", "--events", "1e5"], arguments].concat();
        let output = run(place.path(), &all, variables);
        assert!(output.status.success(), "{}", stderr(&output));
        (stderr(&output), String::from_utf8(output.stdout).unwrap())
    };
    for share in ["0.5", "50%"] {
        let (_, text) = plan(&["--attack-chain-ratio", share], &[]);
        assert!(text.contains("50.0%"), "{text}");
    }
    let too_much = ["--attack-chain-ratio: 1.2", "0.95"];
    refused(&["--attack-chain-ratio", "1.2"], &[], None, &too_much);
    let both = ["--attack-chain-ratio", "0.8", "--noise-ratio", "0.5"];
    refused(&both, &[], None, &["--noise-ratio: 0.5", "0.8"]);
    refused(
        &["--noise-ratio", "x%"],
        &[],
        None,
        &["--noise-ratio", "15%"],
    );
    // Systems that share these variables reduce such shares.
    let (said, _) = plan(&[], &[("ATTACK_CHAIN_RATIO", "1.2")]);
    assert!(said.contains("1.2 is reduced to 0.95"), "{said}");
}

#[test]
fn variables_with_the_prefix_win_and_all_are_said() {
    let place = tempfile::tempdir().unwrap();
    let seed = |arguments: &[&str], variables: &[(&str, &str)]| {
        let all = [&["plan", "--events", "10k"], arguments].concat();
        let output = run(place.path(), &all, variables);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (text, stderr(&output))
    };
    let (text, said) = seed(&[], &[("SEED", "7")]);
    assert!(
        text.contains("seed 7,") && said.contains("environment: SEED=7"),
        "{said}"
    );
    let (text, said) = seed(&[], &[("SEED", "7"), ("FUSIONGEN_SEED", "8")]);
    assert!(
        text.contains("seed 8,") && said.contains("FUSIONGEN_SEED=8"),
        "{said}"
    );
    let (text, said) = seed(&["--seed", "9"], &[("SEED", "7"), ("FUSIONGEN_SEED", "8")]);
    assert!(
        text.contains("seed 9,") && !said.contains("environment"),
        "{said}"
    );
    refused(&[], &[("FUSIONGEN_DAYS", "0")], None, &["FUSIONGEN_DAYS:"]);
}

#[test]
fn what_has_no_effect_is_refused() {
    let place = tempfile::tempdir().unwrap();
    for (arguments, part) in [
        (&["sample", "-n", "0"][..], "-n"),
        (&["sample", "--format", "arrow"], "--format"),
        (&["sample", "--severity-scale", "cvss"], "--severity-scale"),
        (
            &["plan", "--severity-scale", "cvss"],
            "alerts database or a profile",
        ),
    ] {
        let output = run(place.path(), arguments, &[]);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
    // A configuration file serves all commands.
    std::fs::write(place.path().join("c.toml"), "format = \"arrow\"\n").unwrap();
    let output = run(place.path(), &["sample", "--config", "c.toml"], &[]);
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn hour_lists_must_have_24_weights() {
    let list = |count: usize, weight: &str| vec![weight; count].join(",");
    for name in ["NOISE_HOURLY_WEIGHTS", "ALERT_HOURLY_WEIGHTS"] {
        refused(&[], &[(name, &list(23, "1"))], None, &[name, "23"]);
        refused(&[], &[(name, &list(24, "-1"))], None, &[name, "hour 0"]);
        refused(
            &[],
            &[(name, &list(24, "0"))],
            None,
            &[name, "all 24 are 0"],
        );
        refused(&[], &[(name, &list(24, "x"))], None, &[name, "'x'"]);
    }
    let text = format!("days = 1\nalert_hourly_weights = [{}]\n", list(23, "1.5"));
    refused_config(&text, &["alert_hourly_weights in c.toml, line 2", "23"]);
}

#[test]
fn files_of_settings_are_refused_by_line_and_key() {
    refused_config(
        "days = 1\nevnets = 5\n",
        &["c.toml", "line 2", "evnets", "did you mean events?"],
    );
    refused_config("colour = 5\n", &["c.toml", "line 1", "colour", "--help"]);
    refused_config("days = \"many\"\n", &["c.toml", "line 1", "days", "many"]);
    refused_config("\ndays = [1, 2]\n", &["c.toml", "line 2", "days", "list"]);
    refused_config("days = true\n", &["c.toml", "line 1", "days"]);
    refused_config("days = 0\n", &["days in c.toml, line 1", "give 1"]);
    refused_config("overwrite = \"yes\"\n", &["overwrite", "true or false"]);
    refused_config("labels = \"some\"\n", &["line 1", "labels", "some", "full"]);
    refused_config("[generate]\ndays = 1\n", &["line 1", "generate"]);
    refused_config(
        "days = 1\nevents = 5\nTARGET_EVENTS = 6\n",
        &["line 3", "line 2"],
    );
    refused_config("noise_ratio = nan\n", &["noise_ratio in c.toml, line 1"]);
    refused_config(
        "noise_tz_offset = \"moon\"\n",
        &["noise_tz_offset in c.toml, line 1"],
    );
    refused_config(
        "bloom_filter = \"image\"\n",
        &["bloom_filter", "winlog.event_data.Image"],
    );
    refused_config("users = 5\nad_users = \"x.csv\"\n", &["c.toml", "--users"]);
}

#[test]
fn files_that_are_no_settings_are_refused() {
    refused_config("days = 1\nlist = [1, 2", &["c.toml", "line 2", "TOML"]);
    refused(
        &[],
        &[],
        Some(b"days = 1\n# \xff\xfe\n"),
        &["c.toml", "line 2", "UTF-8"],
    );
    refused(
        &["--config", "absent.toml"],
        &[],
        None,
        &["absent.toml", "cannot be read"],
    );
    refused(&["--config", "."], &[], None, &["cannot be read"]);
}

#[test]
fn flag_then_variable_then_file_then_default() {
    let place = tempfile::tempdir().unwrap();
    let text = "events = 900\ndays = 2\nseed = 5\nattack-chain-ratio = 0.10\nstart = 2024-03-01\n\
        NOISE_TZ_OFFSET = \"+05:30\"\nnoise_seasonality = true\nnoise_day_weight = 2.5\n\
        alert_night_weight = \"7\"\nbloom_filter = [\"source.ip\"]\nprogress = 1\n";
    let text = text.replace("progress = 1\n", "no_progress = true\n");
    std::fs::write(place.path().join("c.toml"), text).unwrap();
    let variables = [
        ("SEED", "6"),
        ("TARGET_EVENTS", "800"),
        ("NOISE_DAY_WEIGHT", "3"),
    ];
    let config = planned(
        place.path(),
        &["--config", "c.toml", "--events", "700"],
        &variables,
    );
    assert_eq!(config["events"], 700, "flag");
    assert_eq!(config["seed"], 6, "variable");
    assert_eq!(config["noise_weights"]["day"], 3_000_000, "variable");
    assert_eq!(config["days"], 2, "file");
    assert_eq!(config["attack_chain_ratio"], "0.1", "file");
    assert_eq!(config["start"], "2024-03-01", "file");
    assert_eq!(config["time_zone_offset"], 19_800, "file");
    assert_eq!(config["noise_seasonality"], true, "file");
    assert_eq!(config["alert_weights"]["night"], 7_000_000, "file");
    assert_eq!(config["bloom_filter"][0], "source.ip", "file");
    assert_eq!(config["noise_ratio"], "0.2", "default");
    assert_eq!(config["labels"], "full", "default");
}

#[test]
fn a_flag_wins_over_keys_that_it_excludes() {
    let place = tempfile::tempdir().unwrap();
    std::fs::write(
        place.path().join("c.toml"),
        "ad_users = \"absent.csv\"\ndays = 1\n",
    )
    .unwrap();
    let arguments = ["--config", "c.toml", "--events", "500", "--users", "30"];
    assert_eq!(planned(place.path(), &arguments, &[])["users"], 30);
}

#[test]
fn a_ratio_above_its_most_is_clamped_with_a_notice() {
    let place = tempfile::tempdir().unwrap();
    let arguments = ["plan", "--events", "500", "--days", "1"];
    let output = run(place.path(), &arguments, &[("ATTACK_CHAIN_RATIO", "2.0")]);
    assert!(output.status.success());
    let said = stderr(&output);
    assert!(
        said.contains("note: --attack-chain-ratio 2 is reduced to 0.95"),
        "{said}"
    );
    let output = run(
        place.path(),
        &["plan", "--events", "500"],
        &[("NOISE_DAY_WEIGHT", "3")],
    );
    assert!(stderr(&output).contains("have no effect without --noise-seasonality"));
}

#[test]
fn foreign_files_in_the_directory_are_not_touched() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("out");
    std::fs::create_dir(&out).unwrap();
    std::fs::write(out.join("thesis.txt"), "mine").unwrap();
    let base = [
        "generate",
        "--no-progress",
        "--events",
        "500",
        "--days",
        "1",
    ];
    let with = |more: &[&str]| run(place.path(), &[&base[..], more].concat(), &[]);
    let output = with(&["--out", "out", "--overwrite"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("thesis.txt"));
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 1);

    assert!(with(&["--out", "made"]).status.success());
    let plan = std::fs::read(place.path().join("made/plan.json")).unwrap();
    let output = with(&["--out", "made", "--seed", "9"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--overwrite"));
    assert_eq!(
        std::fs::read(place.path().join("made/plan.json")).unwrap(),
        plan
    );
    // Equal settings in other notation give the same corpus.
    let output = with(&["--out", "made", "--noise-ratio", "0.20"]);
    assert!(
        stdout(&output).contains("nothing to do"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn bloom_filters_and_labels_are_in_the_files() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let place = tempfile::tempdir().unwrap();
    let fields = "process.entity_id,threat.technique.id,source.ip";
    planned(
        place.path(),
        &[
            "--events",
            "2000",
            "--days",
            "1",
            "--bloom-filter",
            fields,
            "--labels",
            "none",
        ],
        &[],
    );
    let mut open = vec![place.path().join("made/events")];
    let mut files = 0;
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(path).unwrap().map(|e| e.unwrap().path()));
            continue;
        }
        files += 1;
        let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
        for group in reader.metadata().row_groups() {
            let filtered: Vec<String> = group
                .columns()
                .iter()
                .filter(|c| c.bloom_filter_offset().is_some())
                .map(|c| c.column_path().string())
                .collect();
            assert_eq!(filtered.len(), 3, "{filtered:?}");
            assert_eq!(filtered[..2], ["source.ip", "process.entity_id"]);
            assert!(
                filtered[2].starts_with("threat.technique.id."),
                "{filtered:?}"
            );
            for column in group.columns() {
                let path = column.column_path().string();
                assert!(
                    !path.starts_with("attack.") && path != "labels.verdict",
                    "{path}"
                );
                assert!(
                    path != "labels.noise_type" && path != "fusionai.noise",
                    "{path}"
                );
            }
        }
    }
    assert!(files > 10);
}

#[test]
fn plan_says_what_would_be_and_makes_nothing() {
    let place = tempfile::tempdir().unwrap();
    let output = run(
        place.path(),
        &["plan", "--events", "20k", "--days", "2"],
        &[],
    );
    let said = stdout(&output);
    for part in [
        "20,000 events, 2024-08-12 to 2024-08-13",
        "partitions",
        "files",
        "process_activity",
        "below 1 MB",
    ] {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
    assert!(!stderr(&output).contains("32 MB"));
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
    let many = ["plan", "--events", "100M", "--days", "365"];
    for (more, expected) in [
        (&[][..], "--partition-by date gives about 365"),
        (&["--partition-by", "date"], "files of 32 MB or more"),
    ] {
        let output = run(place.path(), &[&many[..], more].concat(), &[]);
        let said = stderr(&output);
        assert!(said.contains(expected), "{said}");
    }
}

#[test]
fn the_readme_shows_a_file_that_is_taken() {
    let place = tempfile::tempdir().unwrap();
    let readme = include_str!("../README.md");
    let text = readme.split("```toml\n").nth(1).unwrap();
    let text = text
        .split("```")
        .next()
        .unwrap()
        .replace("\"50M\"", "\"50k\"");
    std::fs::write(place.path().join("c.toml"), text).unwrap();
    let output = run(place.path(), &["plan", "--config", "c.toml"], &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("50,000 events, 2024-08-12 to 2024-08-25"));
}

fn sample(arguments: &[&str]) -> Vec<serde_json::Value> {
    let place = tempfile::tempdir().unwrap();
    let output = run(place.path(), &[&["sample"], arguments].concat(), &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
    let events = serde_json::Deserializer::from_slice(&output.stdout).into_iter();
    events.collect::<Result<_, _>>().unwrap()
}

#[test]
fn samples_are_what_was_asked_for() {
    assert_eq!(sample(&["--events", "20k"]).len(), 3);
    let many = sample(&["--events", "20k", "-n", "700"]);
    let numbers: std::collections::BTreeSet<u64> = many
        .iter()
        .map(|e| e["event"]["sequence"].as_u64().unwrap())
        .collect();
    assert_eq!((many.len(), numbers.len()), (700, 700), "each event once");
    for platform in ["windows", "linux"] {
        for event in sample(&["--events", "20k", "-n", "20", "--platform", platform]) {
            assert_eq!(event["host"]["os"]["platform"], platform);
        }
    }
    for event in sample(&["--events", "20k", "--category", "process_activity"]) {
        assert_eq!(event["fusionai"]["category"], "process_activity");
    }
    let chain = sample(&[
        "--events",
        "100k",
        "-n",
        "4",
        "--playbook",
        "psexec_lateral_movement",
    ]);
    let steps: Vec<u64> = chain
        .iter()
        .map(|e| e["attack"]["step"].as_u64().unwrap())
        .collect();
    assert!(
        chain
            .iter()
            .all(|e| e["attack"]["playbook"] == "psexec_lateral_movement")
    );
    assert!(steps.is_sorted() && steps[0] < steps[3], "{steps:?}");
}

#[test]
fn a_sample_is_of_the_corpus() {
    use fusiongen::plan::{Config, RowGroup};
    use fusiongen::{Generator, columns::View};
    let config = Config {
        events: 20_000,
        ..Config::default()
    };
    let generator = Generator::builder().config(config).build().unwrap();
    let plan = generator.plan();
    let schema = fusiongen::schema::Schema::of(&plan.config);
    for event in sample(&["--events", "20k", "-n", "9"]) {
        let sequence = event["event"]["sequence"].as_u64().unwrap();
        let partition = &plan.partitions[(sequence >> ORDINAL_BITS) as usize];
        let mut rows = Vec::new();
        let of_it = |group: &&RowGroup| group.partitions.start == partition.index as usize;
        for group in plan.row_groups.iter().filter(of_it) {
            generator.maker().frames(group, |frame| {
                let view = View::new(&frame, generator.maker(), generator.tables());
                let batch = schema.batch(&view).unwrap();
                rows.extend((0..frame.len).map(|r| fusiongen::sink::json::row(&batch, r)));
            });
        }
        let row = rows.swap_remove((sequence & ((1 << ORDINAL_BITS) - 1)) as usize);
        assert_eq!(event, serde_json::Value::Object(row));
    }
}

#[test]
fn unknown_names_list_near_ones() {
    let place = tempfile::tempdir().unwrap();
    for (flag, name, near) in [
        ("--category", "psexec_lateral_", "psexec_lateral"),
        ("--playbook", "linux_cryptominer", "linux_crypto_miner"),
    ] {
        let output = run(place.path(), &["sample", "--events", "1k", flag, name], &[]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(near), "{}", stderr(&output));
    }
}

#[test]
fn help_completions_and_manual_pages_know_the_flags() {
    let place = tempfile::tempdir().unwrap();
    let help = stdout(&run(place.path(), &["generate", "--help"], &[]));
    for part in [
        "Size and time:",
        "Grounding:",
        "Composition:",
        "Files:",
        "noise_tz_offset",
        "FUSIONGEN_SEED",
        "--config",
    ] {
        assert!(help.contains(part), "{part:?} is not in: {help}");
    }
    assert!(!help.contains("--noise-day-weight"));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = stdout(&run(place.path(), &["completions", shell], &[]));
        assert!(script.contains("noise-seasonality"), "{shell}");
    }
    let page = stdout(&run(place.path(), &["man", "generate"], &[]));
    assert!(
        page.contains(".TH") && page.contains("noise\\-seasonality"),
        "{page}"
    );
    assert_eq!(
        run(place.path(), &["man", "generat"], &[]).status.code(),
        Some(2)
    );
}

#[test]
fn a_flag_wins_over_the_variable_that_it_excludes() {
    let place = tempfile::tempdir().unwrap();
    let profile = concat!(env!("CARGO_MANIFEST_DIR"), "/data/profile/default.json");
    // Neither variable names an existing file, so reading one would fail.
    for (given, variable) in [
        (["--profile", profile], "DB_PATH"),
        (["--users", "30"], "AD_USERS_FILE"),
        (["--assets", "40"], "CMDB_ASSETS_FILE"),
    ] {
        let mut arguments = vec!["plan", "--events", "1000"];
        arguments.extend(given);
        let output = run(place.path(), &arguments, &[(variable, "nothing")]);
        assert!(output.status.success(), "{given:?}: {}", stderr(&output));
        let both = format!("{}={}", given[0], given[1]);
        let output = run(place.path(), &["plan", &both], &[(variable, "nothing")]);
        assert!(output.status.success(), "{both}: {}", stderr(&output));
    }
    // Two flags that exclude each other are still an error.
    let both = ["plan", "--users", "30", "--ad-users", "u.csv"];
    assert_eq!(run(place.path(), &both, &[]).status.code(), Some(2));
}
