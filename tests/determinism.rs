//! A corpus is a pure function of its settings and inputs: threads, splits and runs change no byte.

mod common;

use common::{files, whole};
use fusiongen::Run;
use fusiongen::plan::Config;
use fusiongen::plan::config::SchemaName;
use fusiongen::sink::json;
use fusiongen::{Generator, Select};

fn config() -> Config {
    Config {
        events: 30_000,
        days: 2,
        ..Config::default()
    }
}

/// All rows as JSON, in the order of partition and ordinal.
fn rows(config: Config) -> Vec<String> {
    let generator = Generator::builder().config(config).build().unwrap();
    let mut rows = Vec::new();
    for batch in generator.batches(Select::all()).unwrap() {
        let batch = batch.unwrap();
        for row in 0..batch.num_rows() {
            rows.push(serde_json::to_string(&json::row(&batch, row)).unwrap());
        }
    }
    rows
}

#[test]
fn threads_and_repetition_change_no_byte() {
    let out = tempfile::tempdir().unwrap();
    let write = |run: Run, out: &std::path::Path| {
        common::write(config(), run, out);
        files(out)
    };
    let one = write(whole(1), &out.path().join("one"));
    let two = write(whole(2), &out.path().join("two"));
    assert!(one.len() > 50 && one.contains_key("_SUCCESS"));
    assert!(one == two, "1 and 2 threads differ");
    let again = Run {
        overwrite: true,
        ..whole(2)
    };
    let again = write(again, &out.path().join("two"));
    assert!(one == again, "a second run differs");
}

#[test]
fn cuts_change_no_row() {
    let whole = rows(config());
    let cut = rows(Config {
        row_group_rows: 1024,
        shard_rows: 2048,
        ..config()
    });
    assert_eq!(whole.len(), 30_000);
    assert!(whole == cut, "row groups of another size hold other rows");
}

#[test]
fn ecs_is_a_pure_function_too() {
    let ecs = |config| Config {
        schema: SchemaName::Ecs,
        ..config
    };
    let out = tempfile::tempdir().unwrap();
    let write = |threads, name| {
        let path = out.path().join(name);
        common::write(ecs(config()), whole(threads), &path);
        files(&path)
    };
    let (one, two) = (write(1, "one"), write(2, "two"));
    assert!(one.len() > 50 && one == two, "1 and 2 threads differ");
    let whole = rows(ecs(config()));
    let cut = rows(Config {
        row_group_rows: 1024,
        shard_rows: 2048,
        ..ecs(config())
    });
    assert!(whole == cut, "row groups of another size hold other rows");
    let seeds = rows(config());
    assert!(whole.len() == seeds.len() && whole.iter().all(|row| row.contains("\"ecs\"")));
}

#[test]
fn another_seed_is_another_corpus() {
    let (a, b) = (
        rows(Config {
            seed: 1,
            ..config()
        }),
        rows(Config {
            seed: 2,
            ..config()
        }),
    );
    let same = a.iter().zip(&b).filter(|(a, b)| a == b).count();
    assert_eq!(same, 0);
}

#[test]
fn shares_are_exact() {
    for events in [1, 7, 1_000, 54_321] {
        let config = Config { events, ..config() };
        let generator = Generator::builder().config(config).build().unwrap();
        let (plan, world) = (generator.plan(), generator.world());
        let planned: u64 = plan.partitions.iter().map(|p| p.rows).sum();
        let c = plan.composition;
        assert_eq!(planned, events);
        assert_eq!(c.alerts + c.noise + c.chain_events, events);
        assert!(c.chain_events <= events * 15 / 100);
        assert!(c.chains as f64 <= 0.1 * world.hosts.len() as f64 * 2.0);
    }
}
