//! Golden plans of fixed configurations, with every split. A change here changes corpora and must be
//! intended. `INSTA_UPDATE=always cargo test --test plan` accepts it.

use std::fmt::Write;

use fusiongen::Generator;
use fusiongen::corpus::{Corpus, PlanFile};
use fusiongen::plan::chains::Stop;
use fusiongen::plan::{Config, PartitionBy};

/// A plan in lines, without the fingerprint, which changes with every word of the catalog.
fn told(config: Config) -> String {
    let generator = Generator::builder().config(config).build().unwrap();
    let file = PlanFile::new(generator.plan(), generator.world());
    let mut text = format!("{:?}\n", file.composition);
    writeln!(text, "{} hosts, {} users", file.hosts, file.users).unwrap();
    for partition in &file.partitions {
        let (date, category) = (&partition.date, &partition.category);
        writeln!(text, "{date} {category} {}", partition.rows).unwrap();
    }
    for shard in &file.shards {
        let (path, rows, groups) = (&shard.path, shard.rows, shard.row_groups);
        let (from, to) = (shard.from, shard.to);
        writeln!(text, "{path} {rows} in {groups}, {from}..{to}").unwrap();
    }
    for table in &file.tables {
        writeln!(text, "{table}").unwrap();
    }
    text
}

#[test]
fn a_small_corpus() {
    insta::assert_snapshot!(told(Config {
        events: 10_000,
        days: 2,
        assets: Some(100),
        users: Some(80),
        ..Config::default()
    }));
}

#[test]
fn a_corpus_whose_files_are_cut() {
    insta::assert_snapshot!(told(Config {
        events: 200_000,
        days: 1,
        seed: 7,
        assets: Some(300),
        noise_seasonality: true,
        partition_by: PartitionBy::Date,
        row_group_rows: 4_096,
        shard_rows: 16_384,
        ..Config::default()
    }));
}

/// Attacks meet friction as a red team's do: a quarter to a half are stopped or fail in a step,
/// and most of those continue. `check` also counts steps that fail by nature (guessing).
#[test]
fn a_part_of_the_chains_is_blocked() {
    let (mut all, mut blocked, mut stopped) = (0, 0, 0);
    for seed in 1..6 {
        let config = Config {
            events: 400_000,
            seed,
            ..Config::default()
        };
        let generator = Generator::builder().config(config).build().unwrap();
        for chain in &generator.plan().chains.all {
            all += 1;
            blocked += u32::from(chain.steps.iter().any(|step| step.blocked));
            stopped += u32::from(chain.stop == Stop::Blocked);
        }
    }
    let share = |count: u32| f64::from(count) / f64::from(all);
    assert!(all > 600, "{all}");
    assert!((0.25..0.45).contains(&share(blocked)), "{}", share(blocked));
    assert!((0.08..0.28).contains(&share(stopped)), "{}", share(stopped));
}

/// A plan that format version 4 wrote. Later versions can read it, even if they add settings.
#[test]
fn plans_of_older_versions_are_read() {
    let root = tempfile::tempdir().unwrap();
    let stored = include_str!("plans/format-4.json");
    let read = |text: &str| {
        std::fs::write(root.path().join("plan.json"), text).unwrap();
        PlanFile::read(&Corpus::at(root.path()))
    };
    let plan = read(stored).unwrap();
    assert_eq!(plan.format_version, 4);
    let config = Config {
        events: 40,
        days: 1,
        assets: Some(20),
        users: Some(10),
        ..Config::default()
    };
    assert_eq!(plan.config, config);
    assert_eq!(plan.shards.iter().map(|shard| shard.rows).sum::<u64>(), 40);
    // A setting that the plan lacks has its default.
    let whole: serde_json::Value = serde_json::from_str(stored).unwrap();
    let settings = whole["config"].as_object().unwrap();
    for name in settings.keys() {
        let mut without = whole.clone();
        without["config"].as_object_mut().unwrap().remove(name);
        let read = read(&without.to_string()).unwrap().config;
        let read = serde_json::to_value(read).unwrap();
        let default = serde_json::to_value(Config::default()).unwrap();
        assert_eq!(read[name], default[name], "{name}");
    }
    // An unknown setting is an error and must not be ignored.
    let unknown = stored.replacen("\"seed\"", "\"seeed\"", 1);
    assert!(read(&unknown).unwrap_err().to_string().contains("seeed"));
}
