//! The report of a finished corpus: a function of its files, in both schemas and layouts.

mod common;

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
