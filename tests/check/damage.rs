//! `check --integrity` finds every file that differs from what was written.

use std::path::Path;

use fusiongen::check::integrity;

use super::*;

/// The files that `--integrity` finds damaged.
fn damaged(root: &Path) -> Vec<String> {
    let found = integrity(&fusiongen::Corpus::at(root)).unwrap();
    found.damages.into_iter().map(|d| d.file).collect()
}

/// A stream of pseudo-random numbers from a seed.
fn numbers(mut state: u64) -> impl FnMut(u64) -> u64 {
    move |below| {
        // splitmix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

#[test]
fn integrity_finds_every_flipped_bit() {
    let (_out, root) = small();
    assert_eq!(damaged(&root), Vec::<String>::new());
    let files: Vec<(String, Vec<u8>)> = common::files(&root).into_iter().collect();
    assert!(files.len() > 20, "{}", files.len());
    let total: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    let mut number = numbers(7);
    let flip = |name: &str, bytes: &[u8], bit: u64| {
        let mut wrong = bytes.to_vec();
        wrong[(bit / 8) as usize] ^= 1 << (bit % 8);
        std::fs::write(root.join(name), wrong).unwrap();
        let found = damaged(&root);
        std::fs::write(root.join(name), bytes).unwrap();
        assert!(!found.is_empty(), "bit {bit} of {name} may be flipped");
        // If manifest and _SUCCESS disagree, it is unknown which of them is damaged.
        let papers = ["manifest.json", "_SUCCESS"];
        assert!(
            found.iter().any(|f| f == name) || papers.contains(&name),
            "bit {bit} of {name}: {found:?}"
        );
    };
    // One bit in every file, and then a thousand bits anywhere.
    for (name, bytes) in &files {
        flip(name, bytes, number(bytes.len() as u64 * 8));
    }
    for _ in 0..1000 {
        let mut byte = number(total as u64) as usize;
        let (name, bytes) = files
            .iter()
            .find(|(_, bytes)| {
                let here = byte < bytes.len();
                byte -= if here { 0 } else { bytes.len() };
                here
            })
            .unwrap();
        flip(name, bytes, byte as u64 * 8 + number(8));
    }
    assert_eq!(damaged(&root), Vec::<String>::new());
}

#[test]
fn integrity_finds_what_is_missing_more_or_moved() {
    let (_out, root) = small();
    let names: Vec<String> = common::files(&root).into_keys().collect();
    let events: Vec<&String> = names.iter().filter(|n| n.starts_with("events/")).collect();
    let (one, two) = (root.join(events[0]), root.join(events[1]));
    let (first, second) = (std::fs::read(&one).unwrap(), std::fs::read(&two).unwrap());
    let whole = |when: &str| assert_eq!(damaged(&root), Vec::<String>::new(), "{when}");

    for cut in [0, 1, first.len() / 2, first.len() - 1] {
        std::fs::write(&one, &first[..cut]).unwrap();
        assert_eq!(damaged(&root), [events[0].as_str()], "cut to {cut}");
    }
    std::fs::write(&one, [&first[..], b"\0"].concat()).unwrap();
    assert_eq!(damaged(&root), [events[0].as_str()], "longer");

    std::fs::write(&one, &second).unwrap();
    std::fs::write(&two, &first).unwrap();
    assert_eq!(damaged(&root), [events[0].as_str(), events[1].as_str()]);
    std::fs::write(&one, &first).unwrap();
    std::fs::write(&two, &second).unwrap();
    whole("swapped back");

    for name in &names {
        let bytes = std::fs::read(root.join(name)).unwrap();
        std::fs::remove_file(root.join(name)).unwrap();
        assert!(damaged(&root).contains(name), "{name} is gone");
        std::fs::write(root.join(name), bytes).unwrap();
    }

    let other = one.with_file_name("part-00009.parquet");
    std::fs::rename(&one, &other).unwrap();
    let renamed = damaged(&root);
    assert_eq!(renamed.len(), 2, "{renamed:?}");
    assert!(
        renamed[0].ends_with("part-00000.parquet") && renamed[1].ends_with("part-00009.parquet")
    );
    std::fs::rename(&other, &one).unwrap();

    for extra in [
        "note.txt",
        "events/.part-00000.1234.inprogress",
        "truth/steps/part-00000.parquet",
        "journal/x.json",
    ] {
        let path = root.join(extra);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "x").unwrap();
        assert_eq!(damaged(&root), [extra]);
        std::fs::remove_file(&path).unwrap();
    }
    std::fs::remove_dir(root.join("journal")).unwrap();
    #[cfg(unix)]
    {
        // The same bytes elsewhere are not this file.
        let away = root.parent().unwrap().join("away");
        std::fs::rename(&one, &away).unwrap();
        std::os::unix::fs::symlink(&away, &one).unwrap();
        assert_eq!(damaged(&root), [events[0].as_str()], "a link");
        std::fs::remove_file(&one).unwrap();
        std::fs::rename(&away, &one).unwrap();
    }
    whole("put back");
}

/// An edited manifest with a matching digest still contradicts the plan.
#[test]
fn integrity_finds_an_edited_manifest() {
    let (_out, root) = small();
    let path = root.join("manifest.json");
    let original = std::fs::read(&path).unwrap();
    let success = std::fs::read(root.join("_SUCCESS")).unwrap();
    type Edit = fn(&mut Value);
    let edits: [(&str, Edit); 5] = [
        ("events", |m| m["events"] = json!(601)),
        ("a digest", |m| {
            m["files"][1]["blake3"] = json!("0".repeat(64))
        }),
        ("rows", |m| m["files"][1]["rows"] = json!(99_999)),
        ("a file less", |m| {
            drop(m["files"].as_array_mut().unwrap().pop())
        }),
        ("the seed", |m| m["fingerprint"] = json!("0".repeat(32))),
    ];
    for (what, edit) in edits {
        let mut manifest: Value = serde_json::from_slice(&original).unwrap();
        edit(&mut manifest);
        let text = serde_json::to_vec_pretty(&manifest).unwrap();
        std::fs::write(&path, &text).unwrap();
        let alone = damaged(&root);
        assert!(alone.contains(&"_SUCCESS".to_string()), "{what}: {alone:?}");
        let digest = blake3::hash(&text).to_hex();
        std::fs::write(root.join("_SUCCESS"), format!("{digest}\n")).unwrap();
        let found = damaged(&root);
        assert!(!found.is_empty(), "{what} may be edited");
        assert!(
            !found.contains(&"_SUCCESS".to_string()),
            "{what}: {found:?}"
        );
        std::fs::write(&path, &original).unwrap();
        std::fs::write(root.join("_SUCCESS"), &success).unwrap();
    }
    assert_eq!(damaged(&root), Vec::<String>::new());
}
