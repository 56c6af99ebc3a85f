//! The command: output and exit codes.

use std::process::Command;

use super::*;

pub fn fusiongen(arguments: &[&str]) -> (i32, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_fusiongen"))
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        out.status.code().unwrap_or(-1),
        text(out.stdout),
        text(out.stderr),
    )
}

#[test]
fn the_command_says_how_it_went() {
    let (_out, root) = copied();
    let directory = root.to_str().unwrap();
    let (code, text, errors) = fusiongen(&["check", directory]);
    assert_eq!((code, errors.as_str()), (0, ""), "{text}");
    assert!(text.contains("exact, every host and chain"), "{text}");
    for audit in Audit::ALL {
        assert!(text.contains(audit.name()), "{}", audit.name());
    }
    let (code, text, _) = fusiongen(&["check", directory, "--json"]);
    assert_eq!(code, 0);
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(report["events"], 9_000);
    assert_eq!(report["passed"], true);
    let names: Vec<&str> = report["invariants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| {
            assert!(i["tried"].is_u64() && i["passed"].is_u64() && i["what"].is_string());
            i["name"].as_str().unwrap()
        })
        .collect();
    let wanted: Vec<&str> = Audit::ALL.iter().map(|a| a.name()).collect();
    assert_eq!(names, wanted);
    assert!(report["figures"].as_array().unwrap().len() > 20);
    let (code, text, _) = fusiongen(&["check", directory, "--integrity"]);
    assert_eq!(code, 0);
    assert!(text.contains("all as written"), "{text}");

    let events = Rows::read(&root, "events");
    let (table, cells) = falsification(Audit::NumbersBytes, &events, &root);
    falsify(&root, table, &cells);
    let (code, text, errors) = fusiongen(&["check", directory]);
    assert_eq!(code, 1);
    assert!(
        text.contains("FAILED") && text.contains("numbers.bytes"),
        "{text}"
    );
    assert!(errors.contains("1 check failed"), "{errors}");
    let (code, text, _) = fusiongen(&["check", directory, "--json"]);
    assert_eq!(code, 1);
    let report: Value = serde_json::from_str(&text).unwrap();
    let bytes = report["invariants"].as_array().unwrap().iter();
    let bytes = bytes
        .clone()
        .find(|i| i["name"] == "numbers.bytes")
        .unwrap();
    assert_eq!(bytes["status"], "failed");
    assert!(
        bytes["example"]["file"]
            .as_str()
            .unwrap()
            .starts_with("events/")
    );
    assert!(bytes["example"]["sequence"].is_i64());
    let (code, text, _) = fusiongen(&["check", directory, "--integrity", "--json"]);
    assert_eq!(code, 1);
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["damages"].as_array().unwrap().len(), 1, "{text}");
}

#[test]
fn what_is_no_corpus_is_named() {
    let out = tempfile::tempdir().unwrap();
    let nowhere = out.path().join("nowhere");
    let wrong = |arguments: &[&str], word: &str| {
        let (code, text, errors) = fusiongen(arguments);
        assert_eq!(code, 2, "{arguments:?}: {errors}");
        assert!(text.is_empty() && errors.contains(word), "{errors}");
    };
    for directory in [nowhere.as_path(), out.path()] {
        let name = directory.to_str().unwrap();
        wrong(&["check", name], name);
        wrong(&["check", name, "--integrity"], name);
    }
    wrong(&["check"], "DIR");
    wrong(&["check", "x", "--exact-events", "many"], "many");

    let (_out, root) = small();
    let directory = root.to_str().unwrap();
    let profile = out.path().join("profile.json");
    std::fs::write(&profile, "{").unwrap();
    wrong(
        &["check", directory, "--profile", profile.to_str().unwrap()],
        "profile.json",
    );
    let names: Vec<String> = common::files(&root).into_keys().collect();
    let event = names.iter().find(|n| n.starts_with("events/")).unwrap();
    let bytes = std::fs::read(root.join(event)).unwrap();
    std::fs::write(root.join(event), &bytes[..bytes.len() / 2]).unwrap();
    wrong(&["check", directory], event);
    std::fs::remove_file(root.join(event)).unwrap();
    wrong(&["check", directory], event);
    let success = std::fs::read(root.join("_SUCCESS")).unwrap();
    std::fs::remove_file(root.join("_SUCCESS")).unwrap();
    wrong(&["check", directory], "_SUCCESS does not match");
    std::fs::write(root.join("_SUCCESS"), success).unwrap();
    // A window of billions of days is refused, not iterated over.
    let plan = std::fs::read_to_string(root.join("plan.json")).unwrap();
    let long = plan.replace("\"days\": 1,", "\"days\": 4000000000,");
    assert_ne!(plan, long);
    std::fs::write(root.join("plan.json"), long).unwrap();
    wrong(&["check", directory], "no corpus has these settings");
    std::fs::write(root.join("plan.json"), plan).unwrap();
    std::fs::remove_file(root.join("manifest.json")).unwrap();
    wrong(&["check", directory], "isn't finished");
}
