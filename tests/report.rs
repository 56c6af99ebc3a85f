//! The report of a finished corpus: a function of its files, in both schemas and layouts.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use fusiongen::Silent;
use fusiongen::plan::config::SchemaName;
use fusiongen::plan::{Config, PartitionBy};
use fusiongen::report::{ParquetCorpus, Report};
use serde_json::Value;
use tempfile::tempdir;

fn page(corpus: &Path, to: &Path) -> String {
    page_with(corpus, &[], to)
}

/// The page with these chains.
fn page_with(corpus: &Path, chains: &[String], to: &Path) -> String {
    let source = ParquetCorpus::open(fusiongen::Corpus::at(corpus)).unwrap();
    let report = Report::new(&source, chains, &Silent).unwrap();
    assert_eq!(report.events(), source.events());
    assert_eq!(
        report.write(to).unwrap(),
        std::fs::metadata(to).unwrap().len()
    );
    std::fs::read_to_string(to).unwrap()
}

#[test]
fn a_page_is_a_function_of_the_corpus_and_its_place() {
    for (schema, partition_by) in [
        (SchemaName::Fusionai, PartitionBy::DateCategory),
        (SchemaName::Ecs, PartitionBy::Date),
    ] {
        let config = Config {
            events: 6_000,
            days: 2,
            schema,
            partition_by,
            ..Config::default()
        };
        let directory = tempdir().unwrap();
        let corpus = directory.path().join("corpus");
        common::write(config, common::whole(2), &corpus);
        let first = page(&corpus, &directory.path().join("first.html"));
        let moved = directory.path().join("moved");
        std::fs::rename(&corpus, &moved).unwrap();
        let second = page(&moved, &directory.path().join("second.html"));
        let without = |page: &str, place: &Path| {
            let place = place.to_str().unwrap().replace('/', "&#x2f;");
            assert_eq!(
                page.matches(&place).count(),
                4,
                "in the code for each engine"
            );
            page.replace(&place, "PLACE")
        };
        assert!(without(&first, &corpus) == without(&second, &moved));
        assert!(first.contains("<h1>6,000 events</h1>"));
        assert!(
            first.contains("Process tree"),
            "{schema:?}: a chain is shown"
        );
    }
}

/// The numbers on a page.
fn data(page: &str) -> Value {
    let (_, data) = page
        .split_once("id=\"data\" type=\"application/json\">")
        .unwrap();
    let (data, _) = data.split_once("</script>").unwrap();
    serde_json::from_str(data).unwrap()
}

/// The chains to choose, which the page holds packed, by id.
fn packed(data: &Value) -> BTreeMap<String, Value> {
    let chains = data["chains"].as_array().unwrap().iter();
    let unpacked = chains.map(|listed| {
        let packed = STANDARD.decode(listed["packed"].as_str().unwrap()).unwrap();
        let chain: Value = serde_json::from_reader(GzDecoder::new(&packed[..])).unwrap();
        for key in ["playbook", "start", "hosts", "stop_reason", "total"] {
            assert_eq!(chain[key], listed[key], "{key}");
        }
        (chain["id"].as_str().unwrap().to_string(), chain)
    });
    unpacked.collect()
}

/// A corpus whose chains all have room on a page.
fn with_chains(directory: &Path) -> PathBuf {
    let corpus = directory.join("corpus");
    let config = Config {
        events: 30_000,
        days: 3,
        ..Config::default()
    };
    common::write(config, common::whole(2), &corpus);
    corpus
}

#[test]
fn a_page_has_chains_to_choose_records_and_sizes() {
    let directory = tempdir().unwrap();
    let corpus = with_chains(directory.path());
    let page = page(&corpus, &directory.path().join("page.html"));
    let data = data(&page);
    let sum = |rows: &Value, key: &str| {
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| row[key].as_u64().unwrap()).sum::<u64>()
    };

    let mut chains = packed(&data);
    assert_eq!(chains.len(), data["chains"].as_array().unwrap().len());
    let best = data["chain"].clone();
    let listed_too = chains.insert(best["id"].as_str().unwrap().to_string(), best);
    assert!(listed_too.is_none(), "each once");
    assert_eq!(
        chains.len() as u64,
        data["card"]["chains"].as_u64().unwrap()
    );
    assert!(
        !page.contains("id=\"chain-limit\""),
        "all of them are there"
    );
    for chain in chains.values() {
        let steps = &chain["steps"];
        assert_eq!(sum(steps, "events"), chain["total"].as_u64().unwrap());
        let shown: BTreeSet<_> = chain["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["step"].as_i64())
            .collect();
        assert_eq!(
            shown.len(),
            steps.as_array().unwrap().len(),
            "every step has an event"
        );
    }

    assert_eq!(sum(&data["telemetry"], "events"), 30_000);
    let kinds = data["telemetry"].as_array().unwrap();
    let starts =
        |kind: &&Value| kind["provider"] == "Microsoft-Windows-Sysmon" && kind["code"] == "1";
    assert_eq!(kinds.iter().filter(starts).count(), 1);
    let times = kinds.iter().map(|kind| kind["events"].as_u64());
    assert!(times.is_sorted_by(|a, b| a >= b), "most frequent first");

    let sizes = data["sizes"].as_array().unwrap();
    assert_eq!(
        sum(&data["sizes"], "bytes"),
        data["card"]["bytes"].as_u64().unwrap()
    );
    assert_eq!(
        sum(&data["sizes"], "files"),
        data["card"]["files"].as_u64().unwrap()
    );
    let events = sizes.iter().find(|it| it["table"] == "events").unwrap();
    assert_eq!(events["rows"], 30_000);
    assert_eq!(events["files"], data["card"]["event_files"]);
    assert!(data["checked"].is_null() && !page.contains("id=\"check\""));
}

#[test]
fn named_chains_are_on_the_page_whatever_else_is() {
    let directory = tempdir().unwrap();
    let corpus = with_chains(directory.path());
    let to = directory.path().join("page.html");
    let plain = data(&page(&corpus, &to));
    let others = packed(&plain);
    // A page without names shows the smallest part of the longest chain.
    let longest = others.values().max_by_key(|chain| chain["total"].as_u64());
    let longest = longest.unwrap();
    let id = |chain: &Value| chain["id"].as_str().unwrap().to_string();
    let last = others.keys().rfind(|other| **other != id(longest)).unwrap();
    let count = |chain: &Value| chain["events"].as_array().unwrap().len();
    let named = [id(longest), last.clone(), id(longest)];
    let data = data(&page_with(&corpus, &named, &to));
    assert_eq!(data["chain"]["id"], longest["id"], "the first is shown");
    assert!(count(&data["chain"]) > count(longest), "with more events");
    let others = packed(&data);
    assert!(others.contains_key(last) && others.contains_key(&id(&plain["chain"])));
    assert_eq!(others.len(), plain["chains"].as_array().unwrap().len());

    let source = ParquetCorpus::open(fusiongen::Corpus::at(&corpus)).unwrap();
    let refused = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let error = Report::new(&source, &names, &Silent).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{error}");
        error.to_string()
    };
    let said = refused(&[last, "atk-nowhere"]);
    assert!(
        said.contains("--chain: the corpus has no chain 'atk-nowhere'"),
        "{said}"
    );
    assert!(said.contains("truth/chains"), "{said}");
    // Without its steps a chain cannot be shown.
    std::fs::remove_dir_all(corpus.join("truth/steps")).unwrap();
    let source = ParquetCorpus::open(fusiongen::Corpus::at(&corpus)).unwrap();
    let error = Report::new(&source, std::slice::from_ref(last), &Silent).unwrap_err();
    assert!(error.to_string().contains("truth/steps"), "{error}");
    assert!(Report::new(&source, &[], &Silent).is_ok());
}

#[test]
fn a_page_shows_what_check_found() {
    let directory = tempdir().unwrap();
    let corpus = directory.path().join("corpus");
    let config = Config {
        events: 9_000,
        days: 1,
        assets: Some(60),
        ..Config::default()
    };
    common::write(config, common::whole(2), &corpus);
    let made = |path: &str| {
        let mut command = common::program();
        command.current_dir(directory.path());
        let output = command
            .args(["report", "corpus", "--check", "-q", "-o", path])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", common::stderr(&output));
        std::fs::read_to_string(directory.path().join(path)).unwrap()
    };
    let page = made("good.html");
    assert_eq!(data(&page)["checked"]["passed"], true);
    assert!(page.contains("Every invariant holds"));
    // A report of a failure is no failure of the report.
    let profile = corpus.join("profile.json");
    let text = std::fs::read_to_string(&profile).unwrap();
    let mut wrong: Value = serde_json::from_str(&text).unwrap();
    for tuple in wrong["tuples"].as_array_mut().unwrap() {
        tuple["severity"] = 12.into();
    }
    std::fs::write(&profile, wrong.to_string()).unwrap();
    let page = made("bad.html");
    assert_eq!(data(&page)["checked"]["passed"], false);
    assert!(page.contains("Some checks failed") && page.contains("grounding.scale, failed"));
}

#[test]
fn only_whole_corpora_have_a_page_and_it_stays_outside() {
    let directory = tempdir().unwrap();
    let said = |path: &Path| ParquetCorpus::open(fusiongen::Corpus::at(path)).unwrap_err();
    assert_eq!(said(directory.path()).exit_code(), 2);
    let corpus = directory.path().join("corpus");
    let config = Config {
        events: 1_000,
        days: 1,
        ..Config::default()
    };
    common::write(config, common::whole(1), &corpus);
    let source = ParquetCorpus::open(fusiongen::Corpus::at(&corpus)).unwrap();
    for inside in ["report.html", "new/deep/report.html"] {
        let refused = source.refuse_inside(&corpus.join(inside)).unwrap_err();
        assert_eq!(refused.exit_code(), 2, "{refused}");
    }
    source
        .refuse_inside(&directory.path().join("report.html"))
        .unwrap();
    source.refuse_inside(Path::new("report.html")).unwrap();
    std::fs::remove_file(corpus.join("_SUCCESS")).unwrap();
    let unfinished = said(&corpus);
    assert!(
        unfinished.to_string().contains("isn't finished"),
        "{unfinished}"
    );
    assert_eq!(unfinished.exit_code(), 2);
}
