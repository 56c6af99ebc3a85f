"""The command line: exit codes, messages, and files on disk."""

import contextlib
import hashlib
import json
import re
import shlex
import sqlite3
import subprocess
import sys

import duckdb
import pytest
from support import SAMPLE_INPUTS, fusiongen, generate

SUBCOMMANDS = set(
    "generate replay profile plan sample finish check report queries list catalog completions man".split()
)

# Every flag of `generate` that users may rely on, with a value to test; None: the flag takes no value.
FLAGS = {
    "--events": "1500",
    "--seed": "7",
    "--start": "2024-01-30",
    "--days": "2",
    "--out": ...,
    "--alerts-db": SAMPLE_INPUTS[1],
    "--ad-users": SAMPLE_INPUTS[3],
    "--cmdb-assets": SAMPLE_INPUTS[5],
    "--profile": ...,
    "--catalog": ...,
    "--users": "50",
    "--assets": "60",
    "--preset": "soc",
    "--attack-chain-ratio": "0.1",
    "--noise-ratio": "0.3",
    "--chain-density": "0.2",
    "--playbook": "kerberoasting,psexec_lateral_movement=3",
    "--technique": "T1558",
    "--scenario": "vulnerability_scan,backup=2",
    "--noise-seasonality": None,
    "--severity-scale": "suricata",
    "--strict": None,
    "--labels": "full",
    "--schema": "fusionai",
    "--format": "parquet",
    "--compression": "zstd(1)",
    "--partition-by": "date,category",
    "--row-group-rows": "100k",
    "--shard-rows": "100k",
    "--bloom-filter": "source.ip",
    "--table": "delta",
    "--part": ...,
    "--threads": "1",
    "--overwrite": None,
    "--config": ...,
    "--no-progress": None,
    "--json": None,
    "--quiet": None,
    "--verbose": None,
    "--help": ...,
    "--version": ...,
}


def refused(tmp_path, *arguments, env=None):
    """Runs `generate` on bad input: exit code 2, and not a file written."""
    out = tmp_path / "corpus"
    done = fusiongen("generate", "--no-progress", "--events", "1000", "--out", out, *arguments, env=env)
    said = done.stdout + done.stderr
    assert done.returncode == 2, said
    assert not out.exists(), sorted(out.rglob("*"))
    assert "panicked" not in said
    assert done.stderr.strip(), "the reason is on stderr"
    return done.stderr


@pytest.mark.parametrize("flag", ["--alerts-db", "--ad-users", "--cmdb-assets"])
def test_missing_file(tmp_path, flag):
    said = refused(tmp_path, flag, tmp_path / "no-such-file")
    assert "no-such-file" in said


@pytest.mark.parametrize("variable", ["DB_PATH", "AD_USERS_FILE", "CMDB_ASSETS_FILE"])
def test_missing_file_named_by_the_environment(tmp_path, variable):
    said = refused(tmp_path, env={variable: str(tmp_path / "no-such-file")})
    assert "no-such-file" in said


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--events", "0"),
        ("--events", "many"),
        ("--events", "-5"),
        ("--days", "0"),
        ("--days", "-1"),
        ("--start", "2024-13-01"),
        ("--attack-chain-ratio", "NaN"),
        ("--noise-ratio", "NaN"),
        ("--attack-chain-ratio", "-0.1"),
        ("--noise-ratio", "inf"),
    ],
)
def test_bad_value(tmp_path, flag, value):
    out = tmp_path / "corpus"
    arguments = ["generate", "--no-progress", "--out", out, f"{flag}={value}"]
    if flag != "--events":
        arguments += ["--events", "1000"]
    done = fusiongen(*arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert flag in done.stderr
    assert "panicked" not in done.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("variable", "value"), [("TARGET_EVENTS", "0"), ("ATTACK_CHAIN_RATIO", "NaN"), ("NOISE_RATIO", "x")]
)
def test_bad_value_in_the_environment(tmp_path, variable, value):
    out = tmp_path / "corpus"
    done = fusiongen("generate", "--no-progress", "--out", out, env={variable: value})
    assert done.returncode == 2, done.stdout + done.stderr
    assert variable in done.stderr
    assert not out.exists()


def test_a_file_that_is_no_database(tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("not a database\n" * 100)
    assert "notes.txt" in refused(tmp_path, "--alerts-db", notes)


def test_a_table_without_its_columns(tmp_path):
    users = tmp_path / "users.csv"
    users.write_text("colour,size\nred,1\n")
    assert "users.csv" in refused(tmp_path, "--ad-users", users)


def test_unknown_flag(tmp_path):
    assert "--evnets" in refused(tmp_path, "--evnets", "5")


def test_no_subcommand():
    done = fusiongen()
    assert done.returncode == 2
    assert "generate" in done.stdout + done.stderr


def digests(root):
    return {
        str(path.relative_to(root)): hashlib.blake2b(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_the_same_command_again_keeps_the_corpus(tmp_path):
    made = generate(tmp_path / "corpus", "--events", "3000", "--days", "2")
    before = digests(made.path)
    times = {path: path.stat().st_mtime_ns for path in made.files}
    again = generate(tmp_path / "corpus", "--events", "3000", "--days", "2")
    assert digests(again.path) == before
    assert {path: path.stat().st_mtime_ns for path in again.files} == times, "right files were written anew"


def test_another_corpus_is_not_overwritten_unasked(tmp_path):
    made = generate(tmp_path / "corpus", "--events", "3000", "--days", "2", "--seed", "1")
    before = digests(made.path)
    done = fusiongen("generate", "--no-progress", "--out", made.path, "--events", "3000", "--days", "2", "--seed", "2")
    assert done.returncode == 2, done.stdout + done.stderr
    assert digests(made.path) == before


def test_threads_and_place_change_nothing(tmp_path):
    one = generate(tmp_path / "one", "--events", "20k", "--days", "2", "--threads", "1")
    two = generate(tmp_path / "elsewhere" / "two", "--events", "20k", "--days", "2", "--threads", "4")
    assert digests(one.path) == digests(two.path)


def test_seed_changes_the_events(tmp_path):
    one = generate(tmp_path / "one", "--events", "2000", "--days", "1", "--seed", "1")
    two = generate(tmp_path / "two", "--events", "2000", "--days", "1", "--seed", "2")
    assert one.manifest["fingerprint"] != two.manifest["fingerprint"]
    assert set(digests(one.events).values()).isdisjoint(digests(two.events).values())


def test_settings_order_flag_then_environment(tmp_path):
    env = {"TARGET_EVENTS": "2k", "SEED": "9"}
    out = tmp_path / "a"
    done = fusiongen("generate", "--no-progress", "--days", "1", "--out", out, env=env)
    assert done.returncode == 0, done.stderr
    flags = generate(tmp_path / "b", "--days", "1", "--events", "2k", "--seed", "9")
    assert digests(out) == digests(flags.path)
    done = fusiongen("generate", "--no-progress", "--days", "1", "--out", tmp_path / "c", "--events", "3k", env=env)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "c" / "manifest.json").read_text())["events"] == 3000


#: What a flag needs beside itself.
NEEDED = {"--severity-scale": SAMPLE_INPUTS[:2]}


def long_flags(text: str) -> set[str]:
    """Flags that a help page defines; a flag that is only mentioned in a sentence does not count."""
    return set(re.findall(r"^\s*(?:-\w, )?(--[a-z][a-z-]*)", text, re.MULTILINE))


def test_helper_long_flags():
    page = "Options:\n      --events <N>  how many, see --days\n  -o, --out <DIR>\n          prose --not-this\n"
    assert long_flags(page) == {"--events", "--out"}


def test_help_names_only_subcommands_that_answer():
    page = fusiongen("--help")
    assert page.returncode == 0
    section = page.stdout.split("Commands:", 1)[1].split("\n\n", 1)[0]
    named = set(re.findall(r"^  ([a-z]+)\b", section, re.MULTILINE)) - {"help"}
    assert "generate" in named
    assert named <= SUBCOMMANDS, named - SUBCOMMANDS
    for name in named:
        assert fusiongen(name, "--help").returncode == 0


def test_help_names_only_flags_that_work(tmp_path):
    page = fusiongen("generate", "--help").stdout
    flags = long_flags(page)
    assert {"--events", "--seed", "--out", "--help"} <= flags
    assert flags <= set(FLAGS), flags - set(FLAGS)
    for number, flag in enumerate(sorted(flags)):
        if FLAGS[flag] is ...:
            continue
        arguments = [flag] if FLAGS[flag] is None else [flag, FLAGS[flag]]
        base = ["--events", "1000"] if flag != "--events" else []
        base += ["--days", "1"] if flag not in ("--days",) else []
        base += ["--no-progress"] if flag != "--no-progress" else []
        base += NEEDED.get(flag, [])
        out = tmp_path / f"corpus-{number}"
        done = fusiongen("generate", "--out", out, *base, *arguments)
        assert done.returncode == 0, f"{flag}: {done.stderr}"
        assert (out / "_SUCCESS").is_file(), flag


def possible_values(text: str) -> list[tuple[str, str]]:
    """(flag, value) of the values that a help page offers, in clap's short and long forms."""
    found, flag, listing = [], None, False
    for line in text.splitlines():
        defined = re.match(r"^\s*(?:-\w, )?(--[a-z][a-z-]*)", line)
        if defined:
            flag, listing = defined.group(1), False
        inline = re.search(r"\[possible values: ([^\]]+)\]", line)
        if inline:
            found += [(flag, value) for value in inline.group(1).split(", ")]
        if line.strip() == "Possible values:":
            listing = True
        elif listing and (item := re.match(r"^\s*- ([^\s:]+)", line)):
            found.append((flag, item.group(1)))
    return found


def test_helper_possible_values():
    page = """
      --format <F>  [default: parquet] [possible values: parquet, ndjson]
      --schema <S>
          The schema

          Possible values:
          - fusionai: one
          - ecs:      two

      --other <X>
          - not a value
"""
    assert possible_values(page) == [
        ("--format", "parquet"), ("--format", "ndjson"), ("--schema", "fusionai"), ("--schema", "ecs"),
    ]  # fmt: skip


def test_help_names_only_values_that_work(tmp_path):
    for number, (flag, value) in enumerate(possible_values(fusiongen("generate", "--help").stdout)):
        out = tmp_path / f"corpus-{number}"
        arguments = [*NEEDED.get(flag, []), f"{flag}={value}"]
        done = fusiongen("generate", "--no-progress", "--events", "1000", "--days", "1", "--out", out, *arguments)
        assert done.returncode == 0, f"{flag} {value}: {done.stderr}"
        assert (out / "_SUCCESS").is_file(), f"{flag} {value}"


def test_progress_and_results_are_apart(tmp_path):
    done = fusiongen("generate", "--events", "1000", "--days", "1", "--out", tmp_path / "corpus")
    assert done.returncode == 0
    assert "1,000" in done.stdout or "1000" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr, "no control sequences off a terminal"


def needs(what: str, *help_of):
    """Skips, with the reason, a test of something that is not on the help page."""
    page = fusiongen(*help_of, "--help").stdout
    if not re.search(rf"^\s*(?:-\w, )?{re.escape(what)}\b", page, re.MULTILINE):
        pytest.skip(f"`{' '.join(['fusiongen', *help_of, '--help'])}` does not offer {what}")


def test_plan_writes_nothing(tmp_path):
    needs("plan")
    done = fusiongen("plan", "--events", "5k", "--out", tmp_path / "corpus")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "corpus").exists()


def test_plan_is_a_table(tmp_path):
    """Columns are aligned with their headings, even for long category names."""
    signature = "A category whose name is longer than any of those that are built in"
    database = tmp_path / "alerts.sqlite"
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE alerts (signature, category)")
        connection.execute("INSERT INTO alerts VALUES (?, ?)", (signature, signature))
    done = fusiongen("plan", "--alerts-db", database, "--events", "10k", "--days", "1")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("category "))
    table = lines[start : lines.index("", start)]
    assert max(len(line.split()[0]) for line in table) > 50
    assert len({len(line) for line in table}) == 1


def test_config_file_stands_behind_flags_and_environment(tmp_path):
    needs("--config", "generate")
    config = tmp_path / "corpus.toml"
    config.write_text("events = 2000\ndays = 2\nseed = 5\n")
    out = tmp_path / "a"
    done = fusiongen("generate", "--no-progress", "--config", config, "--out", out, "--days", "1", env={"SEED": "6"})
    assert done.returncode == 0, done.stderr
    flags = generate(tmp_path / "b", "--events", "2000", "--days", "1", "--seed", "6")
    assert digests(out) == digests(flags.path)


def test_parts_make_the_whole(tmp_path):
    needs("--part", "generate")
    needs("finish")
    settings = ["--events", "20k", "--days", "3"]
    whole = generate(tmp_path / "whole", *settings)
    out = tmp_path / "parts"
    for part in ("2/2", "1/2"):
        assert not (out / "_SUCCESS").exists()
        done = fusiongen("generate", "--no-progress", "--out", out, *settings, "--part", part)
        assert done.returncode == 0, done.stderr
        if part == "2/2":
            early = fusiongen("finish", out)
            assert early.returncode == 2, "half of a corpus cannot be finished"
    done = fusiongen("finish", out)
    assert done.returncode == 0, done.stderr
    assert digests(out) == digests(whole.path)


def test_a_profile_stands_for_its_database(tmp_path):
    needs("profile")
    needs("--profile", "generate")
    saved = tmp_path / "profile.json"
    done = fusiongen("profile", *SAMPLE_INPUTS[:2], "-o", saved)
    assert done.returncode == 0, done.stderr
    settings = ["--events", "5000", "--days", "2"]
    direct = generate(tmp_path / "direct", *settings, *SAMPLE_INPUTS[:2])
    through = generate(tmp_path / "through", *settings, "--profile", saved)
    assert digests(direct.events) == digests(through.events)


def test_check_passes_a_corpus_and_finds_a_defect(tmp_path):
    needs("check")
    made = generate(tmp_path / "corpus", "--events", "20k", "--days", "2")
    done = fusiongen("check", made.path)
    assert done.returncode == 0, done.stdout + done.stderr
    victim = max(made.files, key=lambda path: path.stat().st_size)
    victim.unlink()
    done = fusiongen("check", made.path)
    assert done.returncode == 2 and victim.name in done.stderr, done.stdout + done.stderr
    done = fusiongen("check", "--integrity", made.path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert victim.name in done.stdout + done.stderr


def test_sample_prints_events():
    needs("sample")
    done = fusiongen("sample", "-n", "3")
    assert done.returncode == 0, done.stderr
    text, events = done.stdout.strip(), []
    while text:
        event, end = json.JSONDecoder().raw_decode(text)
        events += event if isinstance(event, list) else [event]
        text = text[end:].strip()
    assert len(events) == 3
    assert all({"@timestamp", "event"} <= event.keys() for event in events)
    # No host writes the audit logs of clouds and services.
    assert all("host" in event or "cloud" in event["fusionai"] for event in events)


@pytest.mark.parametrize("options", [["parquet"], ["ndjson"], ["ndjson", "--compression", "zstd"], ["arrow"]], ids=" ".join)
def test_next_command_works(tmp_path, options):
    """The next command that `generate` prints works with the engine that it names."""
    done = fusiongen("generate", "--no-progress", "--events", "5k", "--out", tmp_path / "corpus", "--format", *options)
    assert done.returncode == 0, done.stderr
    program, flag, code = shlex.split(re.search(r"^next: (.*)$", done.stdout, re.MULTILINE)[1])
    if program == "duckdb":
        assert flag == "-c"
        assert sum(events for _, events in duckdb.execute(code).fetchall()) == 5_000
    else:
        assert (program, flag) == ("python3", "-c")
        ran = subprocess.run([sys.executable, flag, code], capture_output=True, text=True, timeout=120)
        assert ran.stdout.strip() == "5000", ran.stderr
