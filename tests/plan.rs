//! Golden plans: what a fixed configuration becomes, cut by cut. A change here changes
//! corpora, and is to be meant. `INSTA_UPDATE=always cargo test --test plan` takes it over.

use std::fmt::Write;

use fusiongen::Generator;
use fusiongen::plan::chains::Stop;
use fusiongen::plan::{Config, PartitionBy};
use fusiongen::sink::PlanFile;

/// A plan in lines, without the fingerprint, which every word of the catalog changes.
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
/// and most of those go on. Steps that fail by their nature (guessing) come on top in `check`.
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
