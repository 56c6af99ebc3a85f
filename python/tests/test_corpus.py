"""Corpora as files: the same bytes as the command line's, by whatever way."""

from __future__ import annotations

import json
import multiprocessing
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time

import pyarrow as pa
import pytest

import fusiongen
from conftest import COMMAND, FLAGS, SAMPLES, SMALL


@pytest.fixture(scope="module")
def from_command(tmp_path_factory):
    """The corpus of the crate's program where it is given, else of the wheel's command."""
    out = tmp_path_factory.mktemp("command") / "corpus"
    program = os.environ.get("FUSIONGEN", str(COMMAND))
    subprocess.run([program, "generate", *FLAGS, "--no-progress", "--out", out], check=True)
    return out


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    out = tmp_path_factory.mktemp("python") / "corpus"
    summary = fusiongen.generate(out, **SMALL)
    assert summary.finished and summary.events == 20_000 and summary.kept == 0
    return out


def test_the_corpus_is_the_command_lines(from_command, corpus, files):
    expected, found = files(from_command), files(corpus)
    assert len(found) > 50
    assert found == expected


def test_a_complete_corpus_is_kept(corpus):
    summary = fusiongen.generate(str(corpus), **SMALL)
    assert summary.kept == summary.files
    with pytest.raises(fusiongen.Error, match="another corpus") as error:
        fusiongen.generate(corpus, **{**SMALL, "seed": 8})
    assert "overwrite" in error.value.remedy and "--" not in error.value.remedy


@pytest.mark.parametrize("format", ["ndjson", "arrow"])
def test_formats_and_inputs_are_the_command_lines(format, tmp_path, files):
    inputs = {
        "alerts_db": SAMPLES / "alerts.sqlite",
        "ad_users": SAMPLES / "ad_users.csv",
        "cmdb_assets": SAMPLES / "cmdb_assets.csv",
    }
    flags = [part for name, path in inputs.items() for part in (f"--{name.replace('_', '-')}", path)]
    more = ["--schema", "ecs", "--format", format, "--out", tmp_path / "command"]
    subprocess.run([COMMAND, "generate", *FLAGS, *flags, *more], check=True, capture_output=True)
    plan = fusiongen.plan(**SMALL, **inputs, schema="ecs", format=format)
    assert plan.notes
    # The inputs are in the pickle: the other side does not read their files.
    state = pickle.dumps(plan)
    plan = pickle.loads(state)
    for shard in reversed(plan.shards):
        plan.write_shard(shard, tmp_path / "python")
    assert fusiongen.finish(tmp_path / "python").finished
    assert files(tmp_path / "python") == files(tmp_path / "command")


def _write(job):
    plan, shard, out = job
    return plan.write_shard(shard, out).events


def test_shards_by_several_processes_and_finish(tmp_path, from_command, files):
    plan = fusiongen.plan(**SMALL)
    out = tmp_path / "corpus"
    jobs = [(plan, shard.index, out) for shard in plan.shards]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert sum(pool.map(_write, jobs, chunksize=8)) == 20_000
    assert not (out / "_SUCCESS").exists()
    summary = fusiongen.finish(out)
    assert summary.finished and summary.events == 20_000
    assert files(out) == files(from_command)


def test_tasks_are_groups_of_files(tmp_path, from_command, files):
    plan = fusiongen.plan(**SMALL)
    for rows, most in ((500, 500), ("2k", 2000), (1, 1)):
        tasks = plan.tasks(rows)
        indices = [shard.index for task in tasks for shard in task]
        assert sorted(indices) == list(range(len(plan.shards)))
        for task in tasks:
            assert len({shard.date for shard in task}) == 1
            assert len(task) == 1 or sum(shard.rows for shard in task) <= most
    with pytest.raises(fusiongen.SettingError, match="rows"):
        plan.tasks("many")
    # Files of one date are in as few tasks as their rows allow: events and truth of two days, entities.
    assert len(plan.tasks()) == 5
    plan.begin(tmp_path)
    for task in plan.tasks():
        assert plan.write_shards(task, tmp_path).files == len(task)
    summary = fusiongen.finish(tmp_path, verify=False)
    assert summary.finished and files(tmp_path) == files(from_command)
    with pytest.raises(fusiongen.Error, match="another corpus"):
        fusiongen.plan(**{**SMALL, "seed": 8}).begin(tmp_path)
    fusiongen.plan(**{**SMALL, "seed": 8}).begin(tmp_path, overwrite=True)
    assert list(path.name for path in tmp_path.iterdir()) == ["plan.json"]


def test_files_of_lookalikes_and_verdicts_have_a_weight():
    """Each file has 10,000 events behind it, and takes as long as 833 events."""
    tasks = fusiongen.plan(**SMALL, attack_chain_ratio="0").tasks(1000)
    tables = [
        {shard.path.split("/")[1] for shard in task if shard.kind == "truth"} for task in tasks
    ]
    assert {"lookalikes", "verdicts"} <= set().union(*tables)
    assert not any({"lookalikes", "verdicts"} <= of_task for of_task in tables)


def test_a_pickle_is_small_and_a_process_restores_it_once(tmp_path):
    catalog = tmp_path / "catalog"
    shutil.copytree(SAMPLES.parent / "catalog", catalog)
    plan = fusiongen.plan(**SMALL, catalog=catalog)
    state = pickle.dumps(plan)
    assert len(state) < 2000
    pickle.loads(state)
    # Without its catalog the plan cannot be made again.
    shutil.rmtree(catalog)
    restored = []
    threads = [
        threading.Thread(target=lambda: restored.append(pickle.loads(state))) for _ in range(50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [of.fingerprint for of in restored] == [plan.fingerprint] * 50


def test_a_restored_plan_has_its_own_table():
    for table in ("none", "delta", "none"):
        plan = fusiongen.plan(**SMALL, table=table)
        assert pickle.loads(pickle.dumps(plan)).to_json() == plan.to_json()


def test_a_place_that_a_table_cannot_name_is_refused_at_once(tmp_path):
    plan = fusiongen.plan(**SMALL, table="iceberg")
    for write in (plan.begin, lambda out: plan.write_shard(0, out)):
        with pytest.raises(fusiongen.Error, match="has a meaning"):
            write(tmp_path / "a#b")
    assert not (tmp_path / "a#b").exists()


def test_an_incomplete_corpus_is_not_finished(tmp_path):
    plan = fusiongen.plan(**SMALL)
    assert plan.write_shard(0, tmp_path).files == 1
    assert plan.write_shard(0, tmp_path).kept == 1
    with pytest.raises(fusiongen.Error, match="missing"):
        fusiongen.finish(tmp_path)
    for wrong in (-1, len(plan.shards)):
        with pytest.raises(IndexError, match="there is no shard"):
            plan.write_shard(wrong, tmp_path)


def test_parts_are_shares(tmp_path, from_command, files):
    for part in ("1/2", "2/2"):
        assert not fusiongen.generate(tmp_path, **SMALL, part=part).finished
    fusiongen.finish(tmp_path)
    assert files(tmp_path) == files(from_command)


def test_a_plan_is_the_corpuss(corpus):
    plan = fusiongen.plan(**SMALL)
    assert plan.to_json().encode() == (corpus / "plan.json").read_bytes()
    assert plan.events == sum(partition.rows for partition in plan.partitions) == 20_000
    events = [shard for shard in plan.shards if shard.kind == "events"]
    assert sum(shard.rows for shard in events) == 20_000
    assert sum(shard.bytes for shard in events) == plan.bytes > 0
    assert {shard.kind for shard in plan.shards} == {"events", "truth", "entities", "profile"}
    assert [shard.index for shard in plan.shards] == list(range(len(plan.shards)))
    there = {str(path.relative_to(corpus)) for path in corpus.rglob("*") if path.is_file()}
    assert {shard.path for shard in plan.shards} == there - {
        "plan.json",
        "manifest.json",
        "_SUCCESS",
    }
    assert pickle.loads(pickle.dumps(plan)).to_json() == plan.to_json()
    for value in (plan.shards[0], plan.partitions[0]):
        assert repr(pickle.loads(pickle.dumps(value))) == repr(value)


def test_a_plan_of_another_catalog_is_refused(tmp_path):
    """A catalog is not in the pickle, so the fingerprint guards it."""
    catalog = tmp_path / "catalog"
    shutil.copytree(SAMPLES.parent / "catalog", catalog)
    state = pickle.dumps(fusiongen.plan(**SMALL, catalog=catalog))
    playbook = sorted((catalog / "playbooks").iterdir())[0]
    playbook.write_text(playbook.read_text() + "\n# changed\n")
    with pytest.raises(fusiongen.SettingError, match="fingerprint"):
        pickle.loads(state)


def test_a_plan_of_another_version_is_refused():
    """Its fingerprint may be the same, but Parquet files name the version that wrote them."""
    pyarrow = pytest.importorskip("pyarrow")
    restore, (fingerprint, origin) = fusiongen.plan(**SMALL).__reduce__()
    made = json.loads(pyarrow.CompressedInputStream(pyarrow.BufferReader(origin), "zstd").read())
    assert made["created_by"] == f"fusiongen version {fusiongen.__version__}"
    made["created_by"] = "fusiongen version 0.0.9"
    other = pyarrow.compress(json.dumps(made).encode(), codec="zstd", asbytes=True)
    with pytest.raises(fusiongen.SettingError, match=r"0\.0\.9 made it"):
        restore(fingerprint, other)


def test_check_integrity_and_report(corpus, tmp_path):
    told = []
    report = fusiongen.check(corpus, progress=lambda done, total: told.append((done, total)))
    assert report.events == 20_000
    assert report.passed == (report.failed == 0)
    assert json.loads(report.to_json())["fingerprint"] == report.fingerprint
    assert "invariant" in str(report)
    assert told[-1] == (20_000, 20_000)
    found = fusiongen.integrity(corpus)
    assert found.passed and found.files > 50 and found.bytes > 0
    page = fusiongen.report(corpus, tmp_path / "report.html", progress=False)
    assert page == tmp_path / "report.html"
    assert "<html" in page.read_text()
    chain = pa.table(fusiongen.truth("chains", **SMALL))["attack_id"][-1].as_py()
    page = fusiongen.report(corpus, tmp_path / "chain.html", chains=[chain], progress=False)
    assert f'<p id="chain-lead"><code>{chain}</code>' in page.read_text()
    with pytest.raises(fusiongen.Error, match="no chain 'x'"):
        fusiongen.report(corpus, tmp_path / "chain.html", chains=["x"])
    with pytest.raises(fusiongen.Error, match="inside the corpus"):
        fusiongen.report(corpus, corpus / "report.html")


def test_integrity_names_damaged_files(tmp_path):
    fusiongen.generate(tmp_path, **{**SMALL, "events": 2000})
    profile = tmp_path / "profile.json"
    profile.write_text(profile.read_text() + " ")
    found = fusiongen.integrity(tmp_path)
    assert not found.passed
    assert [damage.file for damage in found.damages] == ["profile.json"]


def test_samples_are_the_command_lines():
    arguments = ["sample", *FLAGS, "-n", "4", "--platform", "linux"]
    output = subprocess.run([COMMAND, *arguments], check=True, capture_output=True, text=True)
    events = fusiongen.sample(4, platform="linux", **SMALL)
    assert len(events) == 4
    decoder, texts = json.JSONDecoder(), output.stdout
    expected = []
    while texts.strip():
        event, end = decoder.raw_decode(texts.lstrip())
        expected.append(event)
        texts = texts.lstrip()[end:]
    assert events == expected


def test_progress_is_told_and_may_stop(tmp_path):
    told = []
    fusiongen.generate(tmp_path / "all", **SMALL, progress=lambda *at: told.append(at))
    assert told[-1] == (20_000, 20_000)
    assert told == sorted(told)

    class Enough(Exception):
        pass

    def stop(done, total):
        raise Enough

    with pytest.raises(Enough):
        fusiongen.generate(tmp_path / "some", events="2M", progress=stop)
    assert not (tmp_path / "some" / "_SUCCESS").exists()
    with pytest.raises(TypeError, match="progress"):
        fusiongen.generate(tmp_path / "none", **SMALL, progress="yes")


def test_keyboard_interrupt_stops_and_a_second_call_resumes(tmp_path):
    settings = {"events": 400_000, "days": 1}
    timer = threading.Timer(1.0, signal.raise_signal, [signal.SIGINT])
    timer.start()
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        while True:
            fusiongen.generate(tmp_path / "corpus", **settings, overwrite=True)
    assert time.monotonic() - began < 20
    timer.join()
    assert not list(tmp_path.rglob("*.inprogress"))
    fusiongen.generate(tmp_path / "corpus", **settings)
    assert fusiongen.integrity(tmp_path / "corpus").passed


def test_other_threads_run_meanwhile(tmp_path):
    ticks = []
    stop = threading.Event()

    def tick():
        while not stop.wait(0.01):
            ticks.append(time.monotonic())

    thread = threading.Thread(target=tick)
    thread.start()
    began = time.monotonic()
    fusiongen.generate(tmp_path, **{**SMALL, "events": 200_000})
    seconds = time.monotonic() - began
    stop.set()
    thread.join()
    assert len(ticks) > 10 * seconds


def test_a_bar_in_a_terminal_and_in_a_notebook(tmp_path, monkeypatch, capsys):
    from types import SimpleNamespace

    fusiongen.generate(tmp_path / "one", **SMALL, progress=True)
    bar = capsys.readouterr().err
    assert "20,000/20,000 events" in bar and bar.startswith("\r") and bar.endswith("\r")
    fusiongen.generate(tmp_path / "two", **SMALL)
    assert capsys.readouterr().err == ""

    shown = []
    handle = SimpleNamespace(update=shown.append)
    display = SimpleNamespace(HTML=str, display=lambda page, display_id: handle)
    shell = SimpleNamespace(kernel=object())
    ipython = SimpleNamespace(get_ipython=lambda: shell, display=display)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    fusiongen.generate(tmp_path / "three", **SMALL)
    assert '<progress value="20000" max="20000">' in shown[-2] and shown[-1] == ""
