//! `check --explain`, and its page.

use std::path::Path;

use fusiongen::check::Explanation;
use serde_json::Value;

use super::command::fusiongen;
use super::*;

/// The part of docs/check.md that is made of the table.
const HEAD: &str = "## What each check is for\n";

fn tables() -> String {
    let all = Explanation::all().unwrap();
    let mut groups: Vec<&str> = Vec::new();
    for it in &all {
        if !groups.contains(&it.group()) {
            groups.push(it.group());
        }
    }
    let mut text = String::new();
    for group in groups {
        let of_group: Vec<&Explanation> = all.iter().filter(|it| it.group() == group).collect();
        let first = of_group[0];
        let facts =
            |it: &Explanation| format!("Source: {}. If it fails: {}.", it.source, it.remedy);
        text += &format!("\n### {group}\n\n{}\n\n", facts(first));
        text += "| check | what | expected | why |\n| --- | --- | --- | --- |\n";
        for it in &of_group {
            let (name, what, expected, why) = (&it.name, &it.what, &it.expected, &it.why);
            text += &format!("| `{name}` | {what} | {expected} | {why} |\n");
        }
        for it in of_group.iter().filter(|it| facts(it) != facts(first)) {
            text += &format!("\n`{}`: {}\n", it.name, facts(it));
        }
    }
    text
}

#[test]
fn the_page_has_what_explain_prints() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/check.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, after) = page.split_once(HEAD).unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{before}{HEAD}{}", tables())).unwrap();
        return;
    }
    assert!(
        after == tables(),
        "docs/check.md differs from src/check/explain.toml; run UPDATE_DOCS=1 cargo test --test check explain"
    );
}

#[test]
fn explain_prints_all_one_or_a_group() {
    let (code, text, errors) = fusiongen(&["check", "--explain"]);
    assert_eq!((code, errors.as_str()), (0, ""));
    for it in Explanation::all().unwrap() {
        assert!(text.contains(&it.text()), "{}", it.name);
    }
    let (code, text, _) = fusiongen(&["check", "--explain", "stream.tick"]);
    assert_eq!(code, 0);
    for part in [
        "stream.tick: share of gaps",
        "0.75 to 1",
        "33 recorded",
        "if it fails",
    ] {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
    assert_eq!(text.lines().count(), 5, "{text}");
    let (code, text, _) = fusiongen(&["check", "--json", "--explain", "dns"]);
    assert_eq!(code, 0);
    let found: Value = serde_json::from_str(&text).unwrap();
    let names: Vec<&str> = (found.as_array().unwrap().iter())
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["dns.dga_gap", "dns.benign_high", "dns.word_family"]);

    let (code, _, errors) = fusiongen(&["check", "--explain", "stream.tik"]);
    assert_eq!(code, 2);
    assert!(errors.contains("did you mean stream.tick"), "{errors}");
    // A directory after the flag is its value.
    let place = tempfile::tempdir().unwrap();
    let directory = place.path().to_str().unwrap();
    let (code, _, errors) = fusiongen(&["check", "--explain", directory]);
    assert_eq!(code, 2);
    assert!(
        errors.contains(&format!("check {directory} --explain")),
        "{errors}"
    );
    // What needs a corpus is not ignored without one.
    for flag in [
        "--integrity",
        "--exact-events=5",
        "--profile=p.json",
        "--no-progress",
    ] {
        assert_eq!(fusiongen(&["check", "--explain", flag]).0, 2, "{flag}");
    }
}

#[test]
fn explain_with_a_corpus_is_about_what_fails_there() {
    let (_out, root) = copied();
    let directory = root.to_str().unwrap();
    let events = Rows::read(&root, "events");
    let (table, cells) = falsification(Audit::NumbersBytes, &events, &root);
    falsify(&root, table, &cells);
    let (code, text, _) = fusiongen(&["check", directory, "--explain"]);
    assert_eq!(code, 1);
    let all = Explanation::all().unwrap();
    let of = |name: &str| all.iter().find(|it| it.name == name).unwrap().text();
    assert!(text.contains(&of("numbers.bytes")), "{text}");
    assert!(!text.contains(&of("numbers.pid")), "{text}");
    let (code, text, _) = fusiongen(&["check", directory, "--json", "--explain"]);
    assert_eq!(code, 1);
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["passed"], false);
    let names: Vec<&str> = (found["explanations"].as_array().unwrap().iter())
        .map(|it| it["name"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"numbers.bytes") && !names.contains(&"numbers.pid"),
        "{names:?}"
    );
    let (_, text, _) = fusiongen(&["check", directory, "--explain", "numbers.pid"]);
    assert!(text.contains(&of("numbers.pid")) && !text.contains(&of("numbers.bytes")));
}
