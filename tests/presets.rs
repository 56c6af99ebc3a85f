//! Presets, and the choice of playbooks, techniques and scenarios.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{digests, run, stderr, stdout};
use fusiongen::catalog::Catalog;
use fusiongen::grounding::Profile;
use fusiongen::plan::chains::Stop;
use fusiongen::plan::{Config, Origin};
use fusiongen::settings::{Preset, Values};
use fusiongen::{Error, Generator};

/// The generator of these settings, for 100k events unless they say otherwise.
fn made(settings: &[(&str, &str)]) -> Result<Generator, Error> {
    let mut values = Values::default();
    values.set("events", "100k")?;
    for (name, text) in settings {
        values.set(name, *text)?;
    }
    let builder = Generator::builder().config(values.config()?);
    builder.profile(Profile::embedded()).build()
}

/// The number of chains of each playbook.
fn chains(generator: &Generator) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for chain in &generator.plan().chains.all {
        let playbook = &generator.catalog().playbooks[usize::from(chain.playbook)];
        *counts.entry(playbook.name.clone()).or_default() += 1;
    }
    counts
}

/// The rows of each scenario.
fn noise(generator: &Generator) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    let partitions = generator.plan().partitions.iter();
    for population in partitions.flat_map(|partition| &partition.populations) {
        if let Origin::Noise { scenario, .. } = population.origin {
            let name = &generator.catalog().scenarios[usize::from(scenario)].name;
            *counts.entry(name.clone()).or_default() += population.rows;
        }
    }
    counts
}

fn rows(generator: &Generator) -> u64 {
    generator.plan().partitions.iter().map(|p| p.rows).sum()
}

fn refused(settings: &[(&str, &str)], parts: &[&str]) {
    let said = made(settings).unwrap_err().to_string();
    for part in parts {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
}

#[test]
fn a_builder_takes_a_preset_and_what_follows_changes_it() {
    for preset in Preset::all() {
        let built = Generator::builder()
            .preset(preset.name)
            .events(100_000)
            .build();
        let settings = made(&[("preset", preset.name)]).unwrap();
        assert_eq!(
            built.unwrap().plan().fingerprint,
            settings.plan().fingerprint,
            "{}",
            preset.name
        );
    }
    let unknown = Generator::builder()
        .preset("sok")
        .days(1)
        .build()
        .unwrap_err();
    assert!(
        unknown.to_string().contains("did you mean soc"),
        "{unknown}"
    );
    let other = Generator::builder()
        .preset("sok")
        .preset("soc")
        .days(1)
        .events(5_000);
    assert_eq!(
        other.build().unwrap().plan().config.noise_ratio.to_string(),
        "0.94"
    );
}

#[test]
fn every_preset_makes_a_corpus_of_exactly_its_shares() {
    for preset in Preset::all() {
        let generator = made(&[("preset", preset.name)]).unwrap();
        let (plan, composition) = (generator.plan(), generator.plan().composition);
        assert_eq!(rows(&generator), 100_000, "{}", preset.name);
        let share = |ratio: fusiongen::plan::Ratio| ratio.millionths() / 10;
        let config = &plan.config;
        assert_eq!(composition.chain_events, share(config.attack_chain_ratio));
        assert_eq!(composition.noise, share(config.noise_ratio));
    }
}

#[test]
fn detections_have_every_playbook_in_many_short_attacks() {
    for seed in ["1", "42"] {
        let generator = made(&[("preset", "detections"), ("seed", seed)]).unwrap();
        let found = chains(&generator);
        assert_eq!(
            found.len(),
            generator.catalog().playbooks.len(),
            "{found:?}"
        );
        let all = &generator.plan().chains.all;
        let short = all.iter().filter(|chain| chain.stop != Stop::QuotaMet);
        let mean = short.clone().map(|c| c.events()).sum::<u64>() / short.count() as u64;
        assert!(all.len() > 200 && mean < 150, "{} of {mean}", all.len());
    }
}

#[test]
fn a_preset_is_no_part_of_the_corpus() {
    let place = tempfile::tempdir().unwrap();
    let write = |out: &str, arguments: &[&str]| {
        let all = [
            "generate",
            "--no-progress",
            "--events",
            "3000",
            "--days",
            "1",
        ];
        let all = [&all[..], &["--out", out], arguments].concat();
        let output = run(place.path(), &all, &[]);
        assert!(output.status.success(), "{}", stderr(&output));
        digests(&place.path().join(out))
    };
    let flags = [
        "--attack-chain-ratio=1%",
        "--noise-ratio=0.94",
        "--noise-seasonality",
    ];
    assert_eq!(write("a", &["--preset", "soc"]), write("b", &flags));
    assert_eq!(write("c", &[]), write("d", &["--preset", "seed"]));
}

#[test]
fn anything_that_is_given_overrides_a_preset() {
    let place = tempfile::tempdir().unwrap();
    let config = "preset = \"soc\"\nevents = 1000\nnoise_ratio = 0.7\n";
    std::fs::write(place.path().join("c.toml"), config).unwrap();
    let plan = |arguments: &[&str], variables: &[(&str, &str)]| {
        let all = [&["plan", "--config", "c.toml"], arguments].concat();
        let output = run(place.path(), &all, variables);
        (stdout(&output), stderr(&output))
    };
    let (text, notes) = plan(&[], &[]);
    assert!(text.contains("70.0%") && text.contains("1.0%"), "{text}");
    let from = "from the preset: attack_chain_ratio=0.01, noise_seasonality=true";
    assert!(notes.contains(from), "{notes}");
    // The variable overrides the file, and the flag overrides both.
    let variables = [
        ("FUSIONGEN_NOISE_RATIO", "0.6"),
        ("FUSIONGEN_PRESET", "detections"),
    ];
    let (text, notes) = plan(&[], &variables);
    assert!(text.contains("60.0%") && text.contains("30.0%"), "{text}");
    assert!(notes.contains("FUSIONGEN_PRESET=detections"), "{notes}");
    let (text, notes) = plan(&["--noise-ratio", "0.5", "--preset=seed"], &variables);
    assert!(text.contains("50.0%") && text.contains("15.0%"), "{text}");
    assert!(
        notes.contains("from the preset: attack_chain_ratio=0.15"),
        "{notes}"
    );
    let help = stdout(&run(place.path(), &["generate", "--help"], &[]));
    for preset in Preset::all() {
        assert!(
            help.contains(preset.name) && help.contains(preset.about),
            "{help}"
        );
    }
    // A preset's values about files mean nothing to commands that write none.
    let sample = [
        "sample", "--preset", "stress", "--events", "1000", "-n", "1",
    ];
    let output = run(place.path(), &sample, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let notes = stderr(&output);
    assert!(
        notes.contains("schema=fusionai") && !notes.contains("shard_rows"),
        "{notes}"
    );
    let params = ["queries", "params", "--preset", "soc", "--events", "1000"];
    stdout(&run(place.path(), &params, &[]));
}

#[test]
fn only_chosen_playbooks_run_by_their_weights() {
    let plain = made(&[("chain_density", "1")]).unwrap();
    let config = serde_json::to_value(&plain.plan().config).unwrap();
    for absent in ["playbook", "technique", "scenario"] {
        assert!(config.get(absent).is_none(), "the fingerprint would change");
    }
    let text = "kerberoasting=3,psexec_lateral_movement=1,c2_nuance=0";
    let generator = made(&[("chain_density", "1"), ("playbook", text)]).unwrap();
    let found = chains(&generator);
    let names: Vec<&String> = found.keys().collect();
    assert_eq!(names, ["kerberoasting", "psexec_lateral_movement"]);
    assert!(
        found["kerberoasting"] > 2 * found["psexec_lateral_movement"],
        "{found:?}"
    );
    assert_eq!(rows(&generator), 100_000);
    assert_eq!(
        generator.plan().composition.chain_events,
        plain.plan().composition.chain_events
    );
    assert_ne!(generator.plan().fingerprint, plain.plan().fingerprint);
    let turned = "psexec_lateral_movement=1, c2_nuance=0, kerberoasting=3";
    let turned = made(&[("chain_density", "1"), ("playbook", turned)]).unwrap();
    assert_eq!(turned.plan().fingerprint, generator.plan().fingerprint);
}

#[test]
fn techniques_choose_playbooks() {
    let holding = |wanted: &str| {
        let catalog = Catalog::embedded().unwrap();
        let of = |step: &fusiongen::catalog::Step| catalog.techniques[step.technique].id.clone();
        let fits = |id: String| id == wanted || id.starts_with(&format!("{wanted}."));
        let playbooks = catalog.playbooks.iter();
        let found = playbooks.filter(|p| p.steps.iter().any(|step| fits(of(step))));
        found.map(|p| p.name.clone()).collect::<BTreeSet<_>>()
    };
    let found = |settings: &[(&str, &str)]| {
        let density = [("chain_density", "1")];
        let generator = made(&[&density[..], settings].concat()).unwrap();
        chains(&generator).into_keys().collect::<BTreeSet<_>>()
    };
    let roasting = holding("T1558.003");
    assert!(roasting.contains("kerberoasting"));
    assert_eq!(found(&[("technique", "t1558.003")]), roasting);
    let tickets = holding("T1558");
    assert!(tickets.len() > roasting.len() && tickets.is_superset(&roasting));
    assert_eq!(found(&[("technique", "T1558")]), tickets);
    let both = [
        ("technique", "T1558"),
        ("playbook", "kerberoasting,c2_nuance"),
    ];
    assert_eq!(found(&both), ["kerberoasting".to_string()].into());
}

#[test]
fn only_chosen_scenarios_occur_and_totals_stay_exact() {
    let text = "vulnerability_scan=3,backup=1";
    let generator = made(&[("scenario", text), ("noise_ratio", "0.4")]).unwrap();
    let found = noise(&generator);
    let names: Vec<&String> = found.keys().collect();
    assert_eq!(names, ["backup", "vulnerability_scan"]);
    assert!(
        found["vulnerability_scan"] > 2 * found["backup"],
        "{found:?}"
    );
    let composition = generator.plan().composition;
    assert_eq!(rows(&generator), 100_000);
    assert_eq!(composition.noise, 40_000);
    assert_eq!(
        found.values().sum::<u64>(),
        composition.noise - composition.life
    );
    let notices = generator.plan().notices.join("\n");
    assert!(notices.contains("mostly attack"), "{notices}");
}

#[test]
fn choices_that_cannot_be_met_say_why() {
    refused(
        &[("playbook", "kerberosting")],
        &[
            "playbook: 'kerberosting'",
            "kerberoasting",
            "fusiongen list playbooks",
        ],
    );
    refused(
        &[("scenario", "bakcup")],
        &["scenario: ", "backup", "fusiongen list scenarios"],
    );
    refused(
        &[("technique", "T1558.033")],
        &["technique: ", "T1558.003", "fusiongen list techniques"],
    );
    refused(
        &[("technique", "T1558.003"), ("playbook", "c2_nuance")],
        &["technique: none of the chosen playbooks"],
    );
    refused(&[("playbook", "c2_nuance=0")], &["all weights are 0"]);
    refused(
        &[("playbook", "c2_nuance=2.5")],
        &["c2_nuance=2.5", "whole number"],
    );
    // A made-up fleet has no printers.
    refused(
        &[("scenario", "printing")],
        &["scenario: ", "the inventory lacks"],
    );
    let generator = made(&[("playbook", "c2_nuance"), ("attack_chain_ratio", "0")]).unwrap();
    let notices = generator.plan().notices.join("\n");
    assert!(notices.contains("playbook has no effect"), "{notices}");
    // The command line names its flag, the variable or the key.
    let place = tempfile::tempdir().unwrap();
    for (variables, name) in [
        (
            vec![("FUSIONGEN_PLAYBOOK", "no_such")],
            "FUSIONGEN_PLAYBOOK: ",
        ),
        (vec![], "--playbook: "),
    ] {
        let mut arguments = vec!["plan", "--events", "1000"];
        if variables.is_empty() {
            arguments.extend(["--playbook", "no_such"]);
        }
        let output = run(place.path(), &arguments, &variables);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(name), "{}", stderr(&output));
    }
}

#[test]
fn samples_show_the_chosen_attacks() {
    let place = tempfile::tempdir().unwrap();
    let arguments = [
        "sample",
        "--events",
        "50k",
        "--technique",
        "T1558.003",
        "-n",
        "6",
    ];
    let text = stdout(&run(place.path(), &arguments, &[]));
    let events = serde_json::Deserializer::from_str(&text).into_iter::<serde_json::Value>();
    let events: Vec<_> = events.map(Result::unwrap).collect();
    assert_eq!(events.len(), 6);
    assert!(events.iter().all(|event| event["attack"]["id"].is_string()));
}

#[test]
fn lists_name_what_can_be_chosen() {
    let place = tempfile::tempdir().unwrap();
    let list = |what: &str| {
        let text = stdout(&run(place.path(), &["list", what, "--json"], &[]));
        let rows: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
        let table = stdout(&run(place.path(), &["list", what], &[]));
        assert_eq!(table.lines().count(), rows.len() + 1, "{table}");
        rows
    };
    let playbooks = list("playbooks");
    let row = playbooks
        .iter()
        .find(|row| row["name"] == "kerberoasting")
        .unwrap();
    let techniques = row["techniques"].as_array().unwrap();
    assert!(techniques.contains(&"T1558.003".into()), "{row}");
    assert!(
        row["description"]
            .as_str()
            .unwrap()
            .starts_with("Passwords"),
        "{row}"
    );
    assert_eq!(list("presets").len(), Preset::all().len());
    for what in [
        "scenarios",
        "categories",
        "techniques",
        "records",
        "routines",
    ] {
        assert!(list(what).len() > 20, "{what}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = stdout(&run(place.path(), &["completions", shell], &[]));
        assert!(script.contains("ssh_bruteforce_exfiltration"), "{shell}");
    }
}

#[test]
fn an_exported_catalog_is_the_built_in_one_until_it_is_changed() {
    let place = tempfile::tempdir().unwrap();
    let export = || run(place.path(), &["catalog", "export", "mine"], &[]);
    stdout(&export());
    let mine = place.path().join("mine");
    let digest = Catalog::embedded().unwrap().digest;
    assert_eq!(Catalog::read(&mine).unwrap().digest, digest);
    let again = export();
    assert_eq!(again.status.code(), Some(2));
    assert!(
        stderr(&again).contains("not replaced"),
        "{}",
        stderr(&again)
    );
    // A weight of 0 means never.
    let playbook = mine.join("playbooks/c2_nuance.toml");
    let text = std::fs::read_to_string(&playbook).unwrap();
    std::fs::write(&playbook, text.replacen("weight = 22", "weight = 0", 1)).unwrap();
    let catalog = Catalog::read(&mine).unwrap();
    let make = |text: Option<&str>| {
        let config = Config {
            events: 100_000,
            attack_chain_ratio: "0.5".parse().unwrap(),
            chain_density: "1".parse().unwrap(),
            playbook: text.map_or_else(Default::default, |text| text.parse().unwrap()),
            ..Config::default()
        };
        let builder = Generator::builder().config(config).catalog(catalog.clone());
        chains(&builder.build().unwrap())
    };
    let found = make(None);
    assert!(!found.contains_key("c2_nuance") && found.len() == catalog.playbooks.len() - 1);
    // Who names it wants it.
    assert_eq!(make(Some("c2_nuance")).len(), 1);
}
