//! Runs that end early, through the program itself: killed, stopped by a signal, failed.
//! In every case, no file under its final name is partial, and repeating the command gives the same
//! bytes as an uninterrupted run.

mod common;

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use common::{digests, files, program, stderr, walk, whole};
use fusiongen::Generator;
use fusiongen::Progress;
use fusiongen::corpus::{Corpus, PlanFile};
use fusiongen::error::Error;
use fusiongen::grounding::Profile;
use fusiongen::plan::Config;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

type Digests = BTreeMap<String, blake3::Hash>;

/// `generate` of a corpus of so many events.
fn command(events: &str, out: &Path) -> Command {
    let mut command = program();
    command
        .args(["generate", "--events", events, "--days", "1"])
        .args(["--assets", "60", "--users", "60", "--threads", "2"])
        .arg("--out")
        .arg(out)
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

#[track_caller]
fn succeeds(command: &mut Command) {
    let output = run(command);
    assert!(output.status.success(), "{}", stderr(&output));
}

/// Every file that an engine would read equals the one in `reference`.
fn nothing_is_partial(out: &Path, reference: &Digests) {
    if !out.exists() {
        return;
    }
    for (name, digest) in digests(out) {
        if name.starts_with("journal/") || name.ends_with(".inprogress") {
            continue;
        }
        assert!(
            reference[&name] == digest,
            "{name} is not what it should be"
        );
    }
}

/// Waits until a moment and kills the child; returns whether it was still running.
fn killed_at(child: &mut Child, moment: Duration) -> bool {
    let began = Instant::now();
    while began.elapsed() < moment {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap().signal() == Some(9)
}

/// Kills runs, and the runs that resume them, at random moments of a run's time.
fn kills(events: &str, wanted: u32, seed: u64) {
    let place = tempfile::tempdir().unwrap();
    let (one, out) = (place.path().join("whole"), place.path().join("killed"));
    let began = Instant::now();
    succeeds(&mut command(events, &one));
    // Other tests may have slowed it, so the fastest complete run is used.
    let mut took = began.elapsed();
    let reference = digests(&one);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut killed, mut finished, mut in_a_row) = (0, 0, 0);
    let mut kept_some = false;
    // On a busy machine the first kills may all come before the first file.
    while killed < wanted || !kept_some || in_a_row > 0 {
        assert!(killed < 4 * wanted, "no kill hit a run that kept files");
        let noted = walk(&out.join("journal")).len().min(reference.len());
        let left = took * (reference.len() - noted) as u32 / reference.len() as u32;
        // A run that was killed often may finish, and so may the last one.
        let moment = match (killed < wanted || !kept_some) && in_a_row < 4 {
            true => left * (random.next_u32() % 1000) / 1000,
            false => Duration::from_secs(3600),
        };
        let started = Instant::now();
        let mut child = command(events, &out).spawn().unwrap();
        if killed_at(&mut child, moment) {
            killed += 1;
            in_a_row += 1;
            nothing_is_partial(&out, &reference);
            kept_some |= noted > 0;
            continue;
        }
        assert!(digests(&out) == reference, "after {in_a_row} kills");
        if in_a_row == 0 {
            took = took.min(started.elapsed());
        }
        std::fs::remove_dir_all(&out).unwrap();
        finished += 1;
        in_a_row = 0;
    }
    eprintln!(
        "{killed} kills over {finished} corpora of {events} events, {took:?} each uninterrupted, {:?} in all",
        began.elapsed()
    );
}

#[test]
fn killed_runs_are_resumed() {
    kills("10k", 8, 1);
}

/// Run with `cargo test --release --test resume -- --ignored --nocapture`.
#[test]
#[ignore = "fifty runs of five million events take minutes"]
fn fifty_kills_of_five_million_events() {
    kills("5M", 50, 2);
}

/// Waits for a file below a directory that `is` looks for.
fn wait_for(child: &mut Child, directory: &Path, is: impl Fn(&str) -> bool) {
    let began = Instant::now();
    loop {
        // Files come and go meanwhile.
        let names: Vec<String> = walk(directory)
            .into_iter()
            .map(|path| path.display().to_string())
            .collect();
        if names.iter().any(|name| is(name)) {
            return;
        }
        assert!(child.try_wait().unwrap().is_none(), "ended too early");
        assert!(began.elapsed() < Duration::from_secs(60), "{names:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn leftovers(out: &Path) -> Vec<PathBuf> {
    let mut found = walk(out);
    found.retain(|path| path.to_string_lossy().ends_with(".inprogress"));
    found
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("sh")
        .args(["-c", &format!("kill -{name} {}", child.id())])
        .status();
    assert!(sent.unwrap().success());
}

#[test]
fn signals_stop_within_two_seconds_and_say_how_to_go_on() {
    let place = tempfile::tempdir().unwrap();
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let out = place.path().join(name);
        let mut child = command("300k", &out).spawn().unwrap();
        wait_for(&mut child, &out, |path| path.contains("/journal/0"));
        let began = Instant::now();
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        let took = began.elapsed();
        assert!(took < Duration::from_secs(2), "{name} took {took:?}");
        assert_eq!(output.status.code(), Some(code));
        let message = stderr(&output);
        let lines: Vec<&str> = message
            .lines()
            .filter(|l| !l.starts_with("note: "))
            .collect();
        assert_eq!(lines.len(), 2, "{message}");
        assert!(lines[0].starts_with(&format!("error: {}: stopped; ", out.display())));
        assert!(lines[0].contains(" files are complete"), "{message}");
        assert!(lines[1].contains("run the same command again"), "{message}");
        assert_eq!(leftovers(&out), [] as [PathBuf; 0]);
        assert!(!out.join("_SUCCESS").exists());
    }
}

#[test]
fn a_stopped_overwriting_run_is_not_begun_again() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("out");
    let mut child = command("100k", &out).arg("--overwrite").spawn().unwrap();
    wait_for(&mut child, &out, |path| path.contains("/journal/0"));
    signal(&child, "INT");
    let message = stderr(&child.wait_with_output().unwrap());
    assert!(
        message.contains("run the same command without --overwrite"),
        "{message}"
    );
}

/// Some data files of a corpus, far apart.
fn victims(out: &Path) -> Vec<PathBuf> {
    let names: Vec<String> = files(out)
        .into_keys()
        .filter(|name| name.ends_with(".parquet"))
        .collect();
    assert!(names.len() > 20);
    names
        .iter()
        .step_by(names.len() / 6)
        .map(|name| out.join(name))
        .collect()
}

fn spoil(out: &Path) {
    for (number, path) in victims(out).iter().enumerate() {
        let mut bytes = std::fs::read(path).unwrap();
        match number % 3 {
            0 => {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                std::fs::write(path, bytes).unwrap();
            }
            1 => std::fs::write(path, &bytes[..bytes.len() - 1]).unwrap(),
            _ => std::fs::remove_file(path).unwrap(),
        }
    }
}

#[test]
fn spoilt_files_are_found_and_made_again() {
    let place = tempfile::tempdir().unwrap();
    let (one, out) = (place.path().join("one"), place.path().join("out"));
    succeeds(&mut command("5k", &one));
    let reference = digests(&one);
    // Every file is there, in two parts; the manifest is not.
    for part in ["1/2", "2/2"] {
        succeeds(command("5k", &out).args(["--part", part]));
    }
    spoil(&out);
    // A complete corpus lost its metadata.
    std::fs::write(out.join("journal/000003.json"), b"{").unwrap();
    succeeds(&mut command("5k", &out));
    assert!(digests(&out) == reference);
    // The same for a corpus that was complete.
    let unnamed = victims(&out).len() - 5;
    spoil(&out);
    let refused = run(program().arg("finish").arg(&out));
    let message = stderr(&refused);
    assert_eq!(refused.status.code(), Some(2), "{message}");
    assert!(message.contains("missing or have changed: "));
    let more = format!(" and {unnamed} more");
    assert!(message.contains(&more), "{message}");
    succeeds(&mut command("5k", &out));
    assert!(digests(&out) == reference);
    let again = run(command("5k", &out).stdout(Stdio::piped()));
    let said = String::from_utf8(again.stdout).unwrap();
    assert!(said.contains("nothing to do"), "{said}");
}

#[test]
fn another_corpus_is_refused_with_what_differs() {
    let place = tempfile::tempdir().unwrap();
    let (out, other) = (place.path().join("out"), place.path().join("p.json"));
    succeeds(command("2k", &out).args(["--part", "1/9"]));
    let before = digests(&out);
    let mut profile = Profile::embedded();
    profile.tuples.truncate(40);
    profile.write(&other).unwrap();
    let other = other.to_str().unwrap();
    let cases = [
        (["--seed", "7"], "1", "seed is 42 there and 7 here"),
        (
            ["--chain-density", "0.2"],
            "1",
            "chain_density is \"0.1\" there and \"0.2\" here",
        ),
        (
            ["--seed", "42"],
            "2",
            "noise_weights.weekend is 400000 there and 2000000 here",
        ),
        (["--profile", other], "1", "the contents of profile differ"),
    ];
    for (arguments, weight, difference) in cases {
        let mut command = command("2k", &out);
        if weight != "1" {
            command.env("NOISE_WEEKEND_WEIGHT", weight);
        }
        let refused = run(command.args(arguments));
        let message = stderr(&refused);
        assert_eq!(refused.status.code(), Some(2), "{message}");
        assert!(message.contains(difference), "{message}");
        let plan = std::fs::read_to_string(out.join("plan.json")).unwrap();
        let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
        let fingerprint = plan["fingerprint"].as_str().unwrap();
        assert!(message.contains(&format!("fingerprint {fingerprint}, this one would be ")));
        assert!(digests(&out) == before, "{arguments:?} changed something");
    }
}

#[test]
fn a_corpus_that_another_version_began_is_not_completed() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("out");
    succeeds(command("2k", &out).args(["--part", "1/2"]));
    let plan = out.join("plan.json");
    let own = std::fs::read_to_string(&plan).unwrap();
    let version = concat!("fusiongen version ", env!("CARGO_PKG_VERSION"));
    assert!(own.contains(version));
    std::fs::write(&plan, own.replace(version, "fusiongen version 0.0.9")).unwrap();
    let before = digests(&out);
    let refused = |command: &mut Command| {
        let output = run(command);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{message}");
        for said in ["fusiongen version 0.0.9 began this corpus", version] {
            assert!(message.contains(said), "{message}");
        }
        assert!(digests(&out) == before, "something changed");
    };
    refused(command("2k", &out).args(["--part", "2/2"]));
    refused(program().arg("finish").arg(&out));
    succeeds(command("2k", &out).arg("--overwrite"));
    assert_eq!(std::fs::read_to_string(&plan).unwrap(), own);
}

#[test]
fn overwriting_removes_nothing_foreign() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("out");
    succeeds(command("2k", &out).args(["--part", "1/9"]));
    let category = victims_directory(&out);
    for foreign in [
        out.join("notes.txt"),
        out.join("events/notes.txt"),
        out.join("events/date=2024-08-12/mine/part-00000.parquet"),
        category.join("part-of-mine.parquet"),
        category.join("query.sql"),
        out.join("journal/000001.json.bak"),
    ] {
        std::fs::create_dir_all(foreign.parent().unwrap()).unwrap();
        std::fs::write(&foreign, b"mine").unwrap();
        let before = digests(&out);
        let refused = run(command("2k", &out).args(["--seed", "7", "--overwrite"]));
        let message = stderr(&refused);
        assert_eq!(refused.status.code(), Some(2), "{message}");
        let name = foreign.file_name().unwrap().to_str().unwrap();
        let parent = foreign.parent().unwrap().file_name().unwrap().to_str();
        assert!(
            message.contains(name) || message.contains(parent.unwrap()),
            "{message}"
        );
        assert!(digests(&out) == before, "something is gone");
        std::fs::remove_file(&foreign).unwrap();
        // Only one that was made for it.
        let _ = std::fs::remove_dir(foreign.parent().unwrap());
    }
    succeeds(command("2k", &out).args(["--seed", "7", "--overwrite"]));
}

fn victims_directory(out: &Path) -> PathBuf {
    let found = walk(&out.join("events"));
    found[0].parent().unwrap().to_path_buf()
}

/// A worker that panics, as a caller's code or a bug may.
struct Panics(AtomicU32);

impl Progress for Panics {
    fn advance(&self, _rows: u64) {}

    fn stopped(&self) -> bool {
        if self.0.fetch_add(1, Ordering::Relaxed) == 20 {
            panic!("a worker's panic, on purpose");
        }
        false
    }
}

#[test]
fn a_panic_in_a_worker_is_an_error_that_names_the_file() {
    let place = tempfile::tempdir().unwrap();
    let (one, out) = (place.path().join("one"), place.path().join("out"));
    let config = Config {
        events: 5_000,
        days: 1,
        ..Config::default()
    };
    common::write(config.clone(), whole(2), &one);
    let generator = Generator::builder().config(config.clone()).build().unwrap();
    let progress = Panics(AtomicU32::new(0));
    let corpus = Corpus::at(&out);
    let outcome = generator.write(&corpus, whole(2), &progress);
    match outcome {
        Err(Error::Defect { path }) => {
            assert!(path.starts_with(out.join("events")), "{path:?}");
            assert!(!path.exists(), "{path:?}");
        }
        other => panic!("{other:?}"),
    }
    nothing_is_partial(&out, &digests(&one));
    assert_eq!(leftovers(&out), [] as [PathBuf; 0]);
    common::write(config, whole(2), &out);
    assert!(digests(&one) == digests(&out));
}

#[test]
fn two_runs_of_the_same_corpus_at_once_don_t_hurt_each_other() {
    let place = tempfile::tempdir().unwrap();
    let (one, out) = (place.path().join("one"), place.path().join("out"));
    succeeds(&mut command("5k", &one));
    let reference = digests(&one);
    // One after the other finishes, and the last finds everything done or nearly so.
    let children: Vec<Child> = (0..3)
        .map(|number| {
            std::thread::sleep(Duration::from_millis(number * 300));
            command("5k", &out).spawn().unwrap()
        })
        .collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    }
    let mut found = digests(&out);
    // The last run may have started a journal entry when another one ended.
    found.retain(|name, _| !name.starts_with("journal/"));
    assert!(found == reference);
    succeeds(&mut command("5k", &out));
    assert!(digests(&out) == reference);
}

#[test]
fn parts_as_processes_are_the_whole() {
    let place = tempfile::tempdir().unwrap();
    let (one, out) = (place.path().join("one"), place.path().join("parts"));
    let part = |number: u32| {
        let mut command = command("10k", &out);
        command.args(["--part", &format!("{number}/4")]);
        command
    };
    succeeds(&mut command("10k", &one));
    let reference = digests(&one);
    // All four at once, the third twice; the second is killed in the middle of a file.
    let mut children: Vec<Child> = [1, 3, 3, 4]
        .map(|number| part(number).spawn().unwrap())
        .into();
    let mut doomed = part(2).spawn().unwrap();
    wait_for(&mut doomed, &out, |path| {
        path.ends_with("/journal/000001.json")
    });
    doomed.kill().unwrap();
    doomed.wait().unwrap();
    for child in children.drain(..) {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    }
    nothing_is_partial(&out, &reference);
    let early = run(program().arg("finish").arg(&out));
    let message = stderr(&early);
    assert_eq!(early.status.code(), Some(2), "{message}");
    let missing = message.split_once("have changed: ").unwrap().1;
    let first = missing.split([',', ' ', '\n']).next().unwrap();
    let plan = PlanFile::read(&Corpus::at(&out)).unwrap();
    let place = plan.files().position(|name| name == first);
    assert_eq!(place.map(|index| index % 4 + 1), Some(2), "{message}");
    // Two at once try again, and one more time afterwards.
    let again = [part(2).spawn().unwrap(), part(2).spawn().unwrap()];
    for child in again {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    }
    succeeds(&mut part(2));
    succeeds(program().arg("finish").arg(&out).stdout(Stdio::null()));
    assert!(digests(&out) == reference);
}
