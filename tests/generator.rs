//! The library's entry point: batches, files, samples and truth of a generator agree.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int64Type};
use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_cast::cast::cast;
use arrow_schema::DataType;
use chrono::NaiveDate;
use fusiongen::generator::{Sampling, System};
use fusiongen::grounding::Asset;
use fusiongen::plan::config::{Labels, SchemaName};
use fusiongen::plan::{Config, TruthTable};
use fusiongen::sink::json;
use fusiongen::{Corpus, Silent};
use fusiongen::{Error, Generator, Select};

fn generator() -> Generator {
    Generator::builder().events(20_000).days(2).build().unwrap()
}

fn rows(batches: impl Iterator<Item = Result<RecordBatch, arrow_schema::ArrowError>>) -> usize {
    batches.map(|batch| batch.unwrap().num_rows()).sum()
}

/// `event.sequence` of every row, in order.
fn sequences(generator: &Generator, select: Select) -> Vec<i64> {
    let mut all = Vec::new();
    for batch in generator.batches(select).unwrap() {
        let batch = batch.unwrap();
        let event = batch.column_by_name("event").unwrap().as_struct();
        let sequence = event.column_by_name("sequence").unwrap();
        all.extend(sequence.as_primitive::<Int64Type>().values());
    }
    all
}

#[test]
fn batches_are_the_rows_of_the_files() {
    let out = tempfile::tempdir().unwrap();
    let generator = generator();
    let root = out.path().join("corpus");
    let summary = generator
        .write(&Corpus::at(&root), common::whole(2), &Silent)
        .unwrap();
    assert!(summary.finished && summary.events == 20_000);
    let documents = |batches: Vec<RecordBatch>| {
        let mut all = BTreeMap::new();
        for batch in batches {
            for row in 0..batch.num_rows() {
                let document = json::row(&batch, row);
                all.insert(document["event"]["sequence"].as_i64().unwrap(), document);
            }
        }
        all
    };
    let written = documents(common::batches(&root.join("events")));
    let streamed = generator.batches(Select::all()).unwrap();
    assert!(written == documents(streamed.map(Result::unwrap).collect()));
    assert_eq!(written.len(), 20_000);
}

#[test]
fn selections_part_the_corpus() {
    let generator = generator();
    let all = sequences(&generator, Select::all());
    assert!(all.is_sorted() && all.len() == 20_000);
    let of_days = [12, 13].map(|day| {
        let date = NaiveDate::from_ymd_opt(2024, 8, day).unwrap();
        sequences(&generator, Select::all().date(date))
    });
    assert_eq!(of_days.concat(), all);
    let categories = &generator.world().detections.categories;
    let by_category = categories.iter().map(|c| Select::all().category(c));
    let mut rejoined: Vec<i64> = by_category.flat_map(|s| sequences(&generator, s)).collect();
    rejoined.sort_unstable();
    assert_eq!(rejoined, all);
    let shards = 0..generator.plan().shards.len();
    let mut rejoined: Vec<i64> = shards
        .flat_map(|shard| sequences(&generator, Select::all().shard(shard)))
        .collect();
    rejoined.sort_unstable();
    assert_eq!(rejoined, all);
}

#[test]
fn partition_columns_are_the_directories() {
    let generator = generator();
    let select = Select::all()
        .category("reconnaissance")
        .with_partition_columns();
    let batches = generator.batches(select).unwrap();
    let schema = batches.schema();
    let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    assert_eq!(names[names.len() - 2..], ["date", "category"]);
    let mut days = Vec::new();
    for batch in batches {
        let batch = batch.unwrap();
        assert_eq!(batch.schema(), schema);
        let text = cast(batch.column_by_name("category").unwrap(), &DataType::Utf8).unwrap();
        assert!(
            text.as_string::<i32>()
                .iter()
                .all(|c| c == Some("reconnaissance"))
        );
        let dates = batch
            .column_by_name("date")
            .unwrap()
            .as_primitive::<Date32Type>()
            .clone();
        days.extend(dates.values().iter().copied());
    }
    days.dedup();
    // 2024-08-12 and 13.
    assert_eq!(days, [19_947, 19_948]);
}

#[test]
fn readers_own_what_they_need_and_may_run_side_by_side() {
    let generator = Arc::new(generator());
    let readers = [12, 13].map(|day| {
        let date = NaiveDate::from_ymd_opt(2024, 8, day).unwrap();
        generator.batches(Select::all().date(date)).unwrap()
    });
    drop(generator);
    let threads = readers.map(|reader| std::thread::spawn(move || rows(reader)));
    let counts = threads.map(|thread| thread.join().unwrap());
    assert_eq!(counts.iter().sum::<usize>(), 20_000);
}

#[test]
fn truth_has_every_chain_and_each_of_its_events() {
    let generator = generator();
    let counts = |table| {
        let mut rows = 0;
        let each = |batch: RecordBatch| {
            rows += batch.num_rows() as u64;
            Ok(())
        };
        generator.truth(table, each).unwrap();
        rows
    };
    let composition = generator.plan().composition;
    assert_eq!(counts(TruthTable::Chains), composition.chains);
    assert_eq!(counts(TruthTable::Steps), composition.chain_events);
    assert!(counts(TruthTable::Edges) > 0 && counts(TruthTable::Iocs) > 0);
}

#[test]
fn a_sample_is_of_the_corpus() {
    let generator = generator();
    let what = Sampling {
        number: 5,
        system: Some(System::Linux),
        ..Sampling::default()
    };
    let sample = generator.sample(&what).unwrap();
    assert_eq!(sample.len(), 5);
    let all = sequences(&generator, Select::all());
    for event in sample {
        assert_eq!(event["host"]["os"]["platform"], "linux");
        assert!(all.contains(&event["event"]["sequence"].as_i64().unwrap()));
    }
}

#[test]
fn settings_reach_the_events() {
    let builder = Generator::builder().events(2_000).days(1).seed(7);
    let full = builder.clone().build().unwrap();
    let bare = builder.clone().labels(Labels::None).build().unwrap();
    assert!(full.schema().field_with_name("attack").is_ok());
    assert!(bare.schema().field_with_name("attack").is_err());
    let ecs = builder.clone().schema(SchemaName::Ecs).build().unwrap();
    assert!(ecs.schema().field_with_name("ecs").is_ok());
    let start = NaiveDate::from_ymd_opt(2026, 1, 5).unwrap();
    let later = builder.start(start).build().unwrap();
    assert_eq!(later.plan().config.date(0), start);
}

#[test]
fn mistakes_are_named() {
    let problem = |error: Error| error.to_string();
    let select = |select| problem(generator().batches(select).err().unwrap());
    let message = select(Select::all().category("reconnaisance"));
    assert!(
        message.contains("did you mean reconnaissance?"),
        "{message}"
    );
    let message = select(Select::all().date(NaiveDate::from_ymd_opt(2024, 8, 14).unwrap()));
    assert!(message.contains("2024-08-12 to 2024-08-13"), "{message}");
    let message = select(Select::all().shard(1_000_000));
    assert!(message.contains("the corpus has no file"), "{message}");
    let config = Config {
        days: 0,
        ..Config::default()
    };
    let build = Generator::builder().config(config).build();
    assert!(problem(build.err().unwrap()).contains("0 days"));
    let printer = Asset {
        hostname: "PRN-1".into(),
        asset_type: Some("Printer".into()),
        criticality: None,
        location: None,
        ip_address: "10.0.0.9".parse().unwrap(),
        os: None,
        owner: None,
        department: None,
    };
    let build = Generator::builder().assets(vec![printer]).build();
    assert!(problem(build.err().unwrap()).contains("none of the assets"));
    let build = Generator::builder().users(Vec::new()).build();
    assert!(problem(build.err().unwrap()).contains("none of the users"));
}

#[test]
fn batches_made_in_parallel_are_the_same_in_the_same_order() {
    let generator = Generator::builder().events(60_000).days(2).build().unwrap();
    let batches = || generator.batches(Select::all()).unwrap();
    let expected: Vec<RecordBatch> = batches().collect::<Result<_, _>>().unwrap();
    assert_eq!(batches().rows(), 60_000);
    for threads in [1, 3, 16] {
        let parallel = batches().in_parallel(threads);
        let found: Vec<RecordBatch> = parallel.collect::<Result<_, _>>().unwrap();
        assert_eq!(found, expected, "{threads} threads");
    }
    // A reader that is dropped early ends its threads; one that is at its end stays there.
    let mut left = batches().in_parallel(2);
    assert_eq!(left.next().unwrap().unwrap(), expected[0]);
    drop(left);
    let mut none = generator
        .batches(Select::all().shard(0))
        .unwrap()
        .in_parallel(2);
    assert!(none.by_ref().count() > 0);
    assert!(none.next().is_none());
}

#[test]
fn columns_are_a_part_of_the_same_rows() {
    let generator = Generator::builder().events(2_000).days(1).build().unwrap();
    let paths = ["host.name", "@timestamp", "event"];
    let select = Select::all().columns(paths).with_partition_columns();
    let mut whole = generator.batches(Select::all()).unwrap();
    for part in generator.batches(select).unwrap() {
        let (part, whole) = (part.unwrap(), whole.next().unwrap().unwrap());
        let names: Vec<&str> = part
            .schema_ref()
            .fields()
            .iter()
            .map(|f| f.name().as_str())
            .collect();
        assert_eq!(names, ["@timestamp", "event", "host", "date", "category"]);
        assert_eq!(part["event"].as_ref(), whole["event"].as_ref());
        for path in ["host.name", "@timestamp"] {
            let of = |batch| fusiongen::schema::leaf(batch, path).unwrap().clone();
            assert_eq!(of(&part).as_ref(), of(&whole).as_ref());
        }
        assert_eq!(part["host"].as_struct().num_columns(), 1);
    }
    assert!(whole.next().is_none());
    let none: [&str; 0] = [];
    for select in [
        Select::all().columns(none),
        Select::all().columns(none).with_partition_columns(),
    ] {
        let batches = generator.batches(select).unwrap();
        let rows: usize = batches.map(|batch| batch.unwrap().num_rows()).sum();
        assert_eq!(rows as u64, generator.plan().config.events);
    }
    let error = generator.batches(Select::all().columns(["host.nam"]));
    let error = error.err().unwrap().to_string();
    assert!(error.contains("did you mean host.name"), "{error}");
}

#[test]
fn truth_as_a_stream_is_the_truth() {
    let generator = Generator::builder().events(20_000).days(2).build().unwrap();
    for table in TruthTable::ALL {
        let mut expected = Vec::new();
        generator
            .truth(table, |batch| {
                expected.push(batch);
                Ok(())
            })
            .unwrap();
        let stream = generator.truth_batches(table).unwrap();
        let found: Vec<RecordBatch> = stream.collect::<Result<_, _>>().unwrap();
        assert_eq!(found, expected, "{}", table.name());
        assert!(!found.is_empty());
        // Its thread ends with it.
        drop(generator.truth_batches(table).unwrap());
    }
}
