//! Faults of the disk and the system during a run. Each one is a single error that names the file and
//! leaves no partial file, and the next run recovers.
//!
//! The full and the read-only file system are real: a small tmpfs in a user namespace.
//! If the machine does not allow such a mount, those two tests print that and end, and a file size
//! limit (EFBIG) is tested instead. A quota (EDQUOT) and a failing disk (EIO) are injected
//! between the program and the C library; without a C compiler, their test prints that and ends.

mod common;

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use common::{digests, program, stderr, walk};

const EVENTS: &str = "5k";
/// Enough events for a run that lasts until the fault.
const LONG: &str = "60k";

fn arguments(command: &mut Command, events: &str, out: &Path) {
    command
        .args(["generate", "--events", events, "--days", "1"])
        .args(["--assets", "60", "--users", "60", "--threads", "2"])
        .arg("--out")
        .arg(out);
}

fn generate(out: &Path) -> Command {
    let mut command = program();
    arguments(&mut command, EVENTS, out);
    command
}

#[track_caller]
fn succeeds(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}

/// A shell that runs the program as `"$@"` between other commands.
fn shell(script: &str, out: &Path) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", script, "sh"])
        .arg(env!("CARGO_BIN_EXE_fusiongen"));
    arguments(&mut command, EVENTS, out);
    command.stdin(Stdio::null());
    command
}

/// The same in a user namespace of its own, in which `$M` can be mounted; `None` if the machine
/// does not allow it.
fn namespace(script: &str, mount: &Path, out: &Path) -> Option<Command> {
    let enter = |script: &str| {
        let mut command = Command::new("unshare");
        command
            .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
            .arg(script)
            .env("M", mount)
            .stdin(Stdio::null());
        command
    };
    let probe = enter("mount -t tmpfs -o size=1m none \"$M\"").output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        eprintln!("SKIPPED: this machine lets nobody mount a tmpfs in a user namespace");
        return None;
    }
    let mut command = enter(script);
    command.arg("sh").arg(env!("CARGO_BIN_EXE_fusiongen"));
    arguments(&mut command, EVENTS, out);
    Some(command)
}

/// The error of a run that the system refused: it names a file in `out`.
#[track_caller]
fn refused_by_the_system(message: &str, out: &Path, cause: &str) {
    let errors: Vec<&str> = message
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    assert_eq!(errors.len(), 1, "{message}");
    let start = format!("error: {}", out.display());
    assert!(errors[0].starts_with(&start), "{message}");
    assert!(errors[0].contains(cause), "{message}");
}

/// Every file under its final name is complete, and there are no other files.
#[track_caller]
fn is_part_of(out: &Path, reference: &BTreeMap<String, blake3::Hash>) -> usize {
    let mut found = digests(out);
    found.retain(|name, _| !name.starts_with("journal/"));
    for (name, digest) in &found {
        assert!(reference.get(name) == Some(digest), "{name}");
    }
    found.len()
}

#[test]
fn a_full_disk() {
    let place = tempfile::tempdir().unwrap();
    let (one, mount) = (place.path().join("one"), place.path().join("mount"));
    let copies = place.path().join("copies");
    std::fs::create_dir(&mount).unwrap();
    std::fs::create_dir(&copies).unwrap();
    succeeds(&mut generate(&one));
    let reference = digests(&one);
    let out = mount.join("out");
    // Full, twice; then there is room. What was there after each is copied.
    let script = r#"
        mount -t tmpfs -o size=1m none "$M" || exit 9
        "$@"; echo "code $?" >&2
        cp -R "$M/out" "$C/1"
        mount -o remount,size=1500k none "$M" || exit 9
        "$@"; echo "code $?" >&2
        cp -R "$M/out" "$C/2"
        mount -o remount,size=64m none "$M" || exit 9
        "$@" || exit 8
        cp -R "$M/out" "$C/3"
    "#;
    let Some(mut command) = namespace(script, &mount, &out) else {
        return;
    };
    let output = command.env("C", &copies).output().unwrap();
    let message = stderr(&output);
    assert!(output.status.success(), "{message}");
    let runs: Vec<&str> = message.split("code 3\n").collect();
    assert_eq!(runs.len(), 3, "{message}");
    for run in &runs[..2] {
        refused_by_the_system(run, &out, "No space left on device");
    }
    let kept = [1, 2].map(|run| is_part_of(&copies.join(run.to_string()), &reference));
    assert!(3 < kept[0] && kept[0] < kept[1], "{kept:?} files");
    assert!(kept[1] < reference.len());
    assert!(digests(&copies.join("3")) == reference);
}

#[test]
fn a_disk_too_small_for_the_plan() {
    let place = tempfile::tempdir().unwrap();
    let mount = place.path().join("mount");
    std::fs::create_dir(&mount).unwrap();
    let out = mount.join("out");
    let script = r#"
        mount -t tmpfs -o size=4k none "$M" || exit 9
        "$@"; echo "code $?" >&2
        ls -A "$M/out" >&2
        mount -o remount,size=64m none "$M" || exit 9
        "$@" || exit 8
    "#;
    let Some(mut command) = namespace(script, &mount, &out) else {
        return;
    };
    let output = command.output().unwrap();
    let message = stderr(&output);
    assert!(output.status.success(), "{message}");
    refused_by_the_system(&message, &out.join("plan.json"), "No space left on device");
    let listed = message.split_once("code 3\n").map(|(_, listed)| listed);
    assert_eq!(listed, Some(""), "{message}");
}

#[test]
fn a_corpus_that_cannot_fit_is_refused_before_it_begins() {
    let place = tempfile::tempdir().unwrap();
    let mount = place.path().join("mount");
    std::fs::create_dir(&mount).unwrap();
    let out = mount.join("out");
    let script = r#"
        mount -t tmpfs -o size=8m none "$M" || exit 9
        "$1" generate --events 10M --days 1 --out "$M/out"; echo "code $?" >&2
        ls -A "$M" >&2
    "#;
    let Some(mut command) = namespace(script, &mount, &out) else {
        return;
    };
    let message = stderr(&command.output().unwrap());
    assert!(
        message.contains("are needed, 8.0 MiB are free"),
        "{message}"
    );
    let listed = message.split_once("code 2\n").map(|(_, listed)| listed);
    assert_eq!(listed, Some(""), "{message}");
}

#[test]
fn a_file_longer_than_allowed() {
    let place = tempfile::tempdir().unwrap();
    let (one, out) = (place.path().join("one"), place.path().join("out"));
    succeeds(&mut generate(&one));
    let reference = digests(&one);
    // Above the size of plan.json, which would be the first.
    let plan = std::fs::metadata(one.join("plan.json")).unwrap().len();
    let limit = plan / 512 + 2;
    assert!(
        walk(&one)
            .iter()
            .any(|path| std::fs::metadata(path).unwrap().len() > limit * 512),
        "no file is longer than {limit} blocks"
    );
    // `ulimit -f` counts blocks of 512 bytes in POSIX's shell, and of 1024 in some others.
    let script = format!(r#"trap "" XFSZ; ulimit -f {limit}; exec "$@""#);
    let output = shell(&script, &out).output().unwrap();
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{message}");
    refused_by_the_system(&message, &out, "File too large");
    is_part_of(&out, &reference);
    succeeds(&mut generate(&out));
    assert!(digests(&out) == reference);
}

#[test]
fn a_read_only_file_system() {
    let place = tempfile::tempdir().unwrap();
    let mount = place.path().join("mount");
    std::fs::create_dir(&mount).unwrap();
    let out = mount.join("out");
    // Before the first file, and over a corpus that is not whole.
    let script = r#"
        mount -t tmpfs -o size=64m none "$M" && mount -o remount,ro none "$M" || exit 9
        "$@"; echo "code $?" >&2
        mount -o remount,rw none "$M" && "$@" --part 1/2 && mount -o remount,ro none "$M" || exit 9
        "$@"; echo "code $?" >&2
        mount -o remount,rw none "$M" && "$@" || exit 8
    "#;
    let Some(mut command) = namespace(script, &mount, &out) else {
        return;
    };
    let output = command.output().unwrap();
    let message = stderr(&output);
    assert!(output.status.success(), "{message}");
    let runs: Vec<&str> = message.split("code 3\n").collect();
    assert_eq!(runs.len(), 3, "{message}");
    for run in &runs[..2] {
        refused_by_the_system(run, &out, "Read-only file system");
    }
}

/// The library that makes calls fail; `None` where nothing compiles it.
fn failing_disk(place: &Path) -> Option<PathBuf> {
    let library = place.join("failing_disk.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/failing_disk.c");
    let compiler = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl")
        .output();
    match compiler {
        Ok(output) => assert!(output.status.success(), "{}", stderr(&output)),
        Err(error) => {
            eprintln!("SKIPPED: no C compiler to make a failing disk with: {error}");
            return None;
        }
    }
    Some(library)
}

#[test]
fn a_failing_disk_and_a_quota() {
    let place = tempfile::tempdir().unwrap();
    let place = place.path().canonicalize().unwrap();
    let Some(library) = failing_disk(&place) else {
        return;
    };
    let one = place.join("one");
    succeeds(&mut generate(&one));
    let reference = digests(&one);
    let (eio, edquot) = (("5", "Input/output error"), ("122", "quota exceeded"));
    for (call, (errno, cause)) in [
        ("write", eio),
        ("write", edquot),
        ("fsync", eio),
        ("read", eio),
    ] {
        let out = place.join(format!("{call}-{errno}"));
        let (mut at, mut failures) = (1, 0);
        // Fail later each time, over the files of earlier runs, until the corpus is complete.
        loop {
            let output = generate(&out)
                .env("LD_PRELOAD", &library)
                .envs([("FAULT_CALL", call), ("FAULT_ERRNO", errno)])
                .env("FAULT_IN", &out)
                .env("FAULT_AT", at.to_string())
                .output()
                .unwrap();
            if output.status.success() {
                break;
            }
            let message = stderr(&output);
            assert_eq!(output.status.code(), Some(3), "{call} {at}: {message}");
            refused_by_the_system(&message, &out, cause);
            is_part_of(&out, &reference);
            failures += 1;
            at *= 3;
        }
        assert!(failures > 2, "{call}: {failures} failures");
        assert!(digests(&out) == reference, "{call} {errno}");
    }
}

/// Runs a corpus that takes a while, and does something to it once its first files are there.
fn disturbed(out: &Path, disturb: impl FnOnce()) -> Output {
    let mut command = program();
    arguments(&mut command, LONG, out);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while walk(&out.join("journal")).is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "ended too early");
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(5));
    }
    disturb();
    child.wait_with_output().unwrap()
}

#[test]
fn a_corpus_removed_in_the_middle_does_not_come_back_in_pieces() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("out");
    let output = disturbed(&out, || {
        std::fs::rename(&out, place.path().join("moved")).unwrap();
    });
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{message}");
    refused_by_the_system(&message, &out, "No such file or directory");
    assert!(!out.exists());
    succeeds(&mut generate(&out));
}

#[test]
fn a_directory_removed_in_the_middle_is_made_again_by_the_next_run() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("out");
    let output = disturbed(&out, || {
        // A run that makes a file right now may be faster than the removal.
        while let Err(e) = std::fs::remove_dir_all(out.join("events")) {
            assert_eq!(e.kind(), std::io::ErrorKind::DirectoryNotEmpty, "{e}");
        }
    });
    let message = stderr(&output);
    assert_eq!(output.status.code(), Some(3), "{message}");
    refused_by_the_system(&message, &out.join("events"), "No such file or directory");
    assert!(!out.join("events").exists() && !out.join("_SUCCESS").exists());
    let mut again = program();
    arguments(&mut again, LONG, &out);
    succeeds(&mut again);
    assert!(out.join("_SUCCESS").exists());
}

#[test]
fn nothing_is_written_through_a_symlink() {
    let place = tempfile::tempdir().unwrap();
    let (out, elsewhere) = (place.path().join("out"), place.path().join("elsewhere"));
    succeeds(generate(&out).args(["--part", "1/2"]));
    let before = digests(&out);
    let date = out.join("events/date=2024-08-12");
    let mut categories: Vec<PathBuf> = std::fs::read_dir(&date)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    categories.sort();
    let links = [
        categories[0].clone(),
        categories[1].clone(),
        date.clone(),
        out.join("events"),
        out.join("entities"),
        out.join("journal"),
        out.join("plan.json"),
    ];
    for link in links {
        // Existing files are still there, seen through the link.
        std::fs::rename(&link, &elsewhere).unwrap();
        symlink(&elsewhere, &link).unwrap();
        let seed = ["--seed", "7", "--overwrite"];
        for arguments in [&[][..], &["--part", "2/2"], &["--overwrite"], &seed] {
            let output = generate(&out).args(arguments).output().unwrap();
            let message = stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{message}");
            let expected = format!("error: {}: this is a symlink", link.display());
            assert!(message.contains(&expected), "{arguments:?}: {message}");
            assert!(digests(&out) == before, "{arguments:?} over {link:?}");
        }
        let output = program().arg("finish").arg(&out).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains("this is a symlink"));
        std::fs::remove_file(&link).unwrap();
        std::fs::rename(&elsewhere, &link).unwrap();
    }
    // The corpus directory itself may be a symlink, because the user named it.
    let link = place.path().join("link");
    symlink(&out, &link).unwrap();
    succeeds(&mut generate(&link));
    assert!(out.join("_SUCCESS").exists());
}

#[test]
fn files_have_the_permissions_that_the_umask_leaves() {
    let place = tempfile::tempdir().unwrap();
    for (umask, file, directory) in [("027", 0o640, 0o750), ("000", 0o666, 0o777)] {
        let out = place.path().join(umask);
        let output = shell(&format!("umask {umask}; exec \"$@\""), &out).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o7777;
        for path in walk(&out) {
            assert_eq!(mode(&path), file, "{path:?}");
            assert_eq!(mode(path.parent().unwrap()), directory, "{path:?}");
        }
    }
}
