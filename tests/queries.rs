//! The query suite: parameters and known answers are the same from files and from settings, by any
//! number of threads, and `docs/queries.md` lists every query.
//!
//! `UPDATE_DOCS=1 cargo test --test queries` regenerates the list, `UPDATE_ANSWERS=1` the answers of
//! the corpus with default settings and 100,000 events. Let two engines agree before you commit
//! these: `fusiongen queries run --answers` on that corpus.

mod common;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use common::{whole, write};
use fusiongen::corpus::{Corpus, PlanFile};
use fusiongen::plan::config::{Labels, SchemaName};
use fusiongen::plan::{Config, PartitionBy};
use fusiongen::progress::{Progress, Silent};
use fusiongen::queries::{
    Answers, Engine, Files, Generated, Known, Parameters, Provenance, Source, Views, select,
};
use fusiongen::{Error, Generator};

fn generator(config: &Config) -> Generator {
    Generator::builder().config(config.clone()).build().unwrap()
}

fn small(seed: u64) -> Config {
    Config {
        events: 20_000,
        days: 3,
        seed,
        ..Config::default()
    }
}

fn facts(source: &dyn Source) -> (Parameters, Answers) {
    let parameters = Parameters::choose(source).unwrap();
    let answers = Answers::construct(source, &parameters, &select(&[]).unwrap()).unwrap();
    (parameters, answers)
}

/// All answers, by `threads` threads.
fn derived(config: &Config, threads: usize) -> Answers {
    let queries = select(&[]).unwrap();
    Answers::derive(&generator(config), &queries, threads, &Silent).unwrap()
}

#[test]
fn files_and_settings_give_the_same_parameters_and_answers() {
    let config = small(7);
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("corpus");
    write(config.clone(), whole(2), &root);
    let plan = PlanFile::read(&Corpus::at(&root)).unwrap();
    let read = facts(&Files::new(&root, plan));
    let generator = generator(&config);
    let made = facts(&Generated(&generator));
    assert_eq!(read.0, made.0);
    assert_eq!(read.1, made.1);
}

#[test]
fn every_query_has_values_at_any_seed() {
    for seed in 1..=4 {
        let generator = generator(&small(seed));
        let (parameters, answers) = facts(&Generated(&generator));
        let mut constructed = 0;
        for query in select(&[]).unwrap() {
            for engine in Engine::ALL {
                let sql = query.fill(&parameters, *engine).unwrap();
                // Braces of GUIDs stay; those of a parameter hold a name.
                let is_name = |text: &str| {
                    let name = text.split('}').next().unwrap_or_default();
                    name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
                };
                assert!(!sql.split('{').skip(1).any(is_name), "seed {seed}: {sql}");
            }
            if let Some(answer) = answers.get(query.number()) {
                assert!(answer.rows > 0, "seed {seed}: {}", query.name);
                constructed += 1;
            }
            let is_constructed = query.provenance == Provenance::Constructed;
            assert_eq!(
                answers.get(query.number()).is_some(),
                is_constructed,
                "{}",
                query.name
            );
        }
        assert!(constructed >= 12);
    }
}

#[test]
fn a_corpus_without_attacks_lacks_only_what_attacks_give() {
    let generator = generator(&Config {
        events: 5_000,
        days: 2,
        attack_chain_ratio: "0".parse().unwrap(),
        ..Config::default()
    });
    let (parameters, answers) = facts(&Generated(&generator));
    let error = select(&["q40".into()]).unwrap()[0]
        .fill(&parameters, Engine::DuckDb)
        .unwrap_err();
    assert!(error.to_string().contains("'attack'"), "{error}");
    assert!(answers.get("q01").is_some_and(|answer| answer.rows > 0));
    let sql = select(&["q38".into()]).unwrap()[0]
        .fill(&parameters, Engine::DuckDb)
        .unwrap();
    assert!(sql.contains("DATE '2024-08-13'"), "{sql}");
}

#[test]
fn answers_are_the_same_by_any_number_of_threads() {
    for schema in [SchemaName::Fusionai, SchemaName::Ecs] {
        let config = Config { schema, ..small(2) };
        let one = derived(&config, 1);
        assert_eq!(one, derived(&config, 2));
        for query in select(&[]).unwrap() {
            let known = match query.provenance {
                Provenance::Constructed => Known::Constructed,
                Provenance::Reference => Known::Reference,
            };
            let answer = one.get(query.number());
            assert_eq!(
                answer.map(|answer| answer.answer),
                Some(known),
                "{}",
                query.name
            );
        }
    }
}

/// A query reads the columns that its text names, so it is answered alone as among all.
#[test]
fn a_query_alone_has_the_same_answer() {
    for schema in [SchemaName::Fusionai, SchemaName::Ecs] {
        let config = Config { schema, ..small(7) };
        let (generator, all) = (generator(&config), derived(&config, 2));
        for query in select(&[]).unwrap() {
            let rows = all.get(query.number()).map(|answer| answer.rows);
            assert!(rows > Some(0), "{}", query.name);
            let alone = Answers::derive(&generator, std::slice::from_ref(&query), 1, &Silent);
            let alone = alone.unwrap();
            assert_eq!(alone.iter().count(), 1, "{}", query.name);
            assert_eq!(
                alone.get(query.number()),
                all.get(query.number()),
                "{}",
                query.name
            );
        }
    }
}

#[test]
fn answers_do_not_depend_on_files_and_labels() {
    let full = derived(&small(5), 2);
    let by_date = derived(
        &Config {
            partition_by: PartitionBy::Date,
            ..small(5)
        },
        2,
    );
    assert!(full.iter().eq(by_date.iter()));
    let unlabelled = derived(
        &Config {
            labels: Labels::None,
            ..small(5)
        },
        2,
    );
    for (number, answer) in full.iter() {
        // A page of all columns has no labels then.
        let same = unlabelled.get(number) == Some(answer);
        assert_eq!(same, number != "q34", "{number}");
    }
}

/// Asks to stop once it has seen a frame.
#[derive(Default)]
struct Impatient(AtomicU64);

impl Progress for Impatient {
    fn advance(&self, rows: u64) {
        self.0.fetch_add(rows, Ordering::Relaxed);
    }

    fn stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

#[test]
fn answers_stop_on_request_and_count_their_events() {
    let (generator, queries) = (generator(&small(1)), select(&["q02".into()]).unwrap());
    let progress = Impatient::default();
    let error = Answers::derive(&generator, &queries, 2, &progress).unwrap_err();
    assert!(matches!(error, Error::Stopped { .. }), "{error}");
    let seen = progress.0.into_inner();
    assert!(seen > 0 && seen < 20_000, "{seen}");
}

#[test]
fn the_agreed_answers_are_those_of_this_version() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/queries/agreed");
    let canonical = |events| Config {
        events,
        ..Config::default()
    };
    let config = canonical(100_000);
    let path = directory.join("100k.json");
    let answers = derived(&config, 2).without_results();
    let expected = serde_json::to_string_pretty(&answers).unwrap() + "\n";
    if std::env::var_os("UPDATE_ANSWERS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap() == expected,
        "run UPDATE_ANSWERS=1 cargo test --test queries; see the head of this file"
    );
    for (name, events) in [("1m.json", 1_000_000), ("10m.json", 10_000_000)] {
        let text = std::fs::read(directory.join(name)).unwrap();
        let found: Answers = serde_json::from_slice(&text).unwrap();
        let plan = Generator::builder()
            .config(canonical(events))
            .build()
            .unwrap();
        let made = (&found.suite, &found.fingerprint, found.events);
        assert_eq!(
            made,
            (&answers.suite, &plan.plan().fingerprint, events),
            "{name}"
        );
    }
    // Whoever runs the suite on this corpus gets them.
    let generator = generator(&config);
    let (_, known) = facts(&Generated(&generator));
    let known = known.with_agreed().unwrap();
    let agreed = known
        .iter()
        .filter(|(_, answer)| answer.answer == Known::Agreed);
    assert_eq!(agreed.count(), 33);
}

#[test]
fn answers_of_another_corpus_or_suite_are_refused() {
    let generator = generator(&small(1));
    let (parameters, answers) = facts(&Generated(&generator));
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("answers.json");
    let read = || Answers::read(&path, generator.plan_file(), &parameters);
    let refused = |answers: &Answers| {
        std::fs::write(&path, serde_json::to_vec(answers).unwrap()).unwrap();
        read().map(|_| ()).unwrap_err().to_string()
    };
    let mut other = answers.clone();
    other.fingerprint = "0".repeat(32);
    assert!(refused(&other).contains("the corpus 000"));
    let mut other = answers.clone();
    other.suite = "0".repeat(16);
    assert!(refused(&other).contains("suite 000"));
    let mut other = answers.clone();
    other.parameters["address"] = "1.2.3.4".into();
    assert!(refused(&other).contains("other values of the parameters"));
    std::fs::write(&path, "{\n}").unwrap();
    let error = read().unwrap_err().to_string();
    assert!(
        error.contains("no answers") && error.contains("line 2"),
        "{error}"
    );
    std::fs::write(&path, serde_json::to_vec(&answers).unwrap()).unwrap();
    assert_eq!(read().unwrap(), answers);
}

#[test]
fn views_are_only_those_that_a_query_reads() {
    let directory = tempfile::tempdir().unwrap();
    let generator = generator(&small(1));
    let plan = PlanFile::new(generator.plan(), generator.world());
    let views = Views::new(directory.path(), plan).unwrap();
    let of = |name: &str| {
        let query = select(&[name.into()]).unwrap().remove(0);
        views.statements(Engine::DuckDb, Some(query.sql))
    };
    let one = of("q05");
    assert_eq!(one.len(), 2, "{one:#?}");
    assert!(one[0].contains("winlog_event_data_Hashes") && !one[0].contains("dns_question_name"));
    assert!(one[1].contains("VIEW iocs"));
    assert!(
        of("q34")[0].contains("auditd_cwd"),
        "a page of all columns needs all"
    );
}

#[test]
fn views_are_written_for_each_engine() {
    let directory = tempfile::tempdir().unwrap();
    let generator = generator(&small(1));
    let plan = PlanFile::new(generator.plan(), generator.world());
    let views = Views::new(directory.path(), plan).unwrap();
    for &engine in Engine::ALL {
        let statements = views.statements(engine, None);
        // In DuckDB's words, as the reference of what there is.
        let standard = views.statements(Engine::DuckDb, None);
        assert!(standard.len() > 8);
        for text in standard {
            let name = text.split(" VIEW ").nth(1).unwrap().split(' ').next();
            let end = format!(" {}", name.unwrap());
            let starts = statements.iter().filter(|text| text.starts_with("CREATE"));
            let mut starts = starts.filter_map(|text| text.split(" AS ").next());
            assert!(starts.any(|start| start.ends_with(&end)), "{engine:?}{end}");
        }
        let text = statements.join("\n");
        assert!(!text.contains("{}"), "{engine:?}: an operand is missing");
        let quote = match engine {
            Engine::Spark => "e.`event`.`kind`",
            _ => "e.\"event\".\"kind\"",
        };
        assert!(text.contains(quote), "{engine:?}");
        let escaped = match engine {
            Engine::Spark | Engine::ChDb => r"'C:\\it''s'",
            _ => r"'C:\it''s'",
        };
        let value = fusiongen::queries::Value::Text(r"C:\it's".into());
        assert_eq!(engine.literal(&value), escaped, "{engine:?}");
    }
}

#[test]
fn a_path_that_engines_read_as_a_pattern_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("a*b");
    std::fs::create_dir(&root).unwrap();
    let generator = generator(&small(1));
    let plan = PlanFile::new(generator.plan(), generator.world());
    let error = Views::new(&root, plan).map(|_| ()).unwrap_err().to_string();
    assert!(
        error.contains("pattern") && error.contains("rename"),
        "{error}"
    );
}

const START: &str = "<!-- queries: generated -->\n";
const END: &str = "<!-- /queries -->\n";

#[test]
fn the_documentation_lists_every_query() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/queries.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(START).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let mut table = "| query | question | choke point | answer | source of truth |\n| --- | --- | --- | --- | --- |\n".to_string();
    for query in select(&[]).unwrap() {
        table += &format!(
            "| `{}` | {} | {} | {} | {} |\n",
            query.name,
            query.question,
            query.choke_point,
            query.provenance.word(),
            query.source
        );
    }
    let expected = format!("{before}{START}{table}{END}{after}");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        expected,
        "run UPDATE_DOCS=1 cargo test --test queries"
    );
}
