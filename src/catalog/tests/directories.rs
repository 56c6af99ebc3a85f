//! A catalog in a directory: each error names the path of the file.

use crate::catalog::Catalog;
use crate::catalog::load::Sources;

/// A copy of the embedded catalog in a directory, with one file changed by `change`.
fn written(file: &str, change: impl Fn(&str) -> Option<String>) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("playbooks")).unwrap();
    let sources = Sources::embedded();
    for source in sources.files.iter().chain(&sources.playbooks) {
        let name = source.path.strip_prefix("data/catalog").unwrap();
        let text = if name.ends_with(file) {
            change(&source.text)
        } else {
            Some(source.text.clone())
        };
        if let Some(text) = text {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
    }
    dir
}

/// The directory is refused with exit code 2, the file's path, the problem and a remedy.
#[track_caller]
fn refuses_directory(dir: &std::path::Path, file: &str, problem: &str) {
    let error = Catalog::read(dir).unwrap_err();
    assert_eq!(error.exit_code(), 2, "{error}");
    let text = error.to_string();
    let path = dir.join(file).display().to_string();
    assert!(text.starts_with(&path), "{path} is not in: {text}");
    assert!(text.contains(problem), "{problem:?} is not in: {text}");
    assert_eq!(text.lines().count(), 2, "one line and a remedy: {text}");
}

#[test]
fn a_directory_with_a_mistake_is_refused() {
    let half = |text: &str| Some(text[..text.len() / 2].to_owned());
    let truncated = written("noise.toml", half);
    let error = Catalog::read(truncated.path()).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("noise.toml, line "), "{error}");

    let open = |text: &str| Some(format!("{text}\n[[category"));
    refuses_directory(
        written("categories.toml", open).path(),
        "categories.toml",
        "line ",
    );
    refuses_directory(
        written("images.toml", |_| None).path(),
        "images.toml",
        "the catalog lacks this",
    );
    let placeholder = |text: &str| Some(text.replacen("{payload}", "{pay}", 1));
    refuses_directory(
        written("linux_crypto_miner.toml", placeholder).path(),
        "playbooks/linux_crypto_miner.toml",
        "unknown placeholder {pay}",
    );
    let cycle = |text: &str| Some(text.replacen("parent = \"smss\"", "parent = \"wininit\"", 1));
    refuses_directory(
        written("residents.toml", cycle).path(),
        "residents.toml",
        "is not defined above its child",
    );
    let key = |text: &str| Some(text.replacen("weight = ", "wieght = ", 1));
    refuses_directory(
        written("noise.toml", key).path(),
        "noise.toml",
        "unknown field `wieght`",
    );
    // The step that starts the process is missing.
    let orphan = |text: &str| Some(text.replacen("starts = \"payload\"", "starts = \"other\"", 1));
    refuses_directory(
        written("powershell_dropper_dga.toml", orphan).path(),
        "playbooks/powershell_dropper_dga.toml",
        "earlier step starts \"payload\"",
    );
    let technique = |text: &str| Some(text.replacen("\"T1105\"", "\"T9105\"", 1));
    refuses_directory(
        written("powershell_dropper_dga.toml", technique).path(),
        "playbooks/powershell_dropper_dga.toml",
        "unknown technique",
    );
    let tactic =
        |text: &str| Some(text.replacen("tactic = \"Persistence\"", "tactic = \"Endurance\"", 1));
    refuses_directory(
        written("powershell_dropper_dga.toml", tactic).path(),
        "playbooks/powershell_dropper_dga.toml",
        "is not a tactic of",
    );
    let binary = written("names.toml", |text| Some(text.to_owned()));
    std::fs::write(binary.path().join("names.toml"), b"given = [\"J\xe9r\"]").unwrap();
    refuses_directory(binary.path(), "names.toml", "not UTF-8");

    let dir = tempfile::tempdir().unwrap();
    refuses_directory(dir.path(), "attack.toml", "the catalog lacks this");
    let error = Catalog::read(&dir.path().join("none")).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(
        error.to_string().contains("none: no such directory"),
        "{error}"
    );
    let bare = written("", |text| Some(text.to_owned()));
    std::fs::remove_dir_all(bare.path().join("playbooks")).unwrap();
    refuses_directory(bare.path(), "playbooks", "the catalog lacks this");
}
