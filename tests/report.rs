//! The report of a finished corpus: a function of its files, in both schemas and layouts.

mod common;

use std::collections::BTreeSet;
use std::path::Path;

use fusiongen::Silent;
use fusiongen::plan::config::SchemaName;
use fusiongen::plan::{Config, PartitionBy};
use fusiongen::report::{ParquetCorpus, Report};
use tempfile::tempdir;

fn page(corpus: &Path, to: &Path) -> String {
    let source = ParquetCorpus::open(fusiongen::Corpus::at(corpus)).unwrap();
    let report = Report::new(&source, &Silent).unwrap();
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
fn data(page: &str) -> serde_json::Value {
    let (_, data) = page
        .split_once("id=\"data\" type=\"application/json\">")
        .unwrap();
    let (data, _) = data.split_once("</script>").unwrap();
    serde_json::from_str(data).unwrap()
}

#[test]
fn a_page_has_chains_to_choose_records_and_sizes() {
    let directory = tempdir().unwrap();
    let corpus = directory.path().join("corpus");
    let config = Config {
        events: 30_000,
        days: 3,
        ..Config::default()
    };
    common::write(config, common::whole(2), &corpus);
    let page = page(&corpus, &directory.path().join("page.html"));
    let data = data(&page);
    let sum = |rows: &serde_json::Value, key: &str| {
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| row[key].as_u64().unwrap()).sum::<u64>()
    };

    // Every chain, if they are few; else every playbook.
    let more = data["more_chains"].as_array().unwrap();
    let chains: Vec<_> = more.iter().chain([&data["chain"]]).collect();
    let ids: BTreeSet<_> = chains
        .iter()
        .map(|chain| chain["id"].as_str().unwrap())
        .collect();
    let total = data["card"]["chains"].as_u64().unwrap();
    assert_eq!(ids.len() as u64, total.min(40), "each once");
    let playbooks: BTreeSet<_> = chains
        .iter()
        .map(|chain| chain["playbook"].as_str())
        .collect();
    assert_eq!(playbooks.len(), data["playbooks"].as_array().unwrap().len());
    for chain in &chains {
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
    let starts = |kind: &&serde_json::Value| {
        kind["provider"] == "Microsoft-Windows-Sysmon" && kind["code"] == "1"
    };
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
    let mut wrong: serde_json::Value = serde_json::from_str(&text).unwrap();
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
