"""`fusiongen report`: its figures equal DuckDB's, its page opens in a browser, and hostile texts are not executed."""

import base64
import gzip
import html
import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest
from support import Corpus, fusiongen, generate, one

PLOTS = ["timeline", "week", "categories", "signatures", "steps"]
#: Hostile texts in an alerts database, and the effects that they must not have.
HOSTILE = [
    "</script><img src=x onerror=window.owned=1>",
    "<!--<script>window.owned=1</script>",
    "\"><svg onload=window.owned=1>'",
    "{{ 7 * 7 }} {% raw %} &lt;b&gt; \\u003cb\\u003e",
]


@dataclass(frozen=True)
class Page:
    """A report and its corpus."""

    corpus: Corpus
    path: Path
    html: str = field(repr=False)

    @property
    def data(self) -> dict:
        """The data of the plots."""
        found = re.findall(r'<script nonce="\w+" id="data" type="application/json">(.*?)</script>', self.html, re.DOTALL)
        assert len(found) == 1
        return json.loads(found[0])

    @property
    def chains(self) -> dict[str, dict]:
        """All chains on the page by id, the one that is shown first."""
        data = self.data
        shown = [data["chain"]] if data["chain"] else []
        packed = (json.loads(gzip.decompress(base64.b64decode(listed["packed"]))) for listed in data["chains"])
        return {chain["id"]: chain for chain in (*shown, *packed)}


def report(corpus: Corpus, out: Path, *more: str) -> Page:
    """Makes a report, or fails with the program's output."""
    done = fusiongen("report", corpus.path, "-o", out, "--no-progress", *more)
    assert done.returncode == 0, done.stdout + done.stderr
    return Page(corpus, out, out.read_text())


@pytest.fixture(scope="module")
def ecs(tmp_path_factory) -> Corpus:
    """ECS with one level of directories, small row groups and several files per date."""
    out = tmp_path_factory.mktemp("ecs") / "corpus"
    layout = ["--partition-by", "date", "--row-group-rows", "4k", "--shard-rows", "10k"]
    return generate(out, "--events", "60k", "--days", "4", "--start", "2024-08-10", "--schema", "ecs", *layout)


@pytest.fixture(scope="module")
def unlabelled(tmp_path_factory) -> Corpus:
    """A corpus whose events keep the answers to themselves."""
    out = tmp_path_factory.mktemp("unlabelled") / "corpus"
    return generate(out, "--events", "20k", "--labels", "none", "--compression", "snappy")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Page:
    """A report of a corpus grounded in a hostile database, with hostile tables."""
    directory = tmp_path_factory.mktemp("hostile")
    with sqlite3.connect(directory / "alerts.sqlite") as database:
        database.execute("CREATE TABLE alerts (signature TEXT, category TEXT, severity INTEGER)")
        rows = [(text, f"{text} c", 2) for text in HOSTILE for _ in range(40)]
        database.executemany("INSERT INTO alerts VALUES (?, ?, ?)", rows)
    corpus = generate(directory / "corpus", "--events", "20k", "--alerts-db", directory / "alerts.sqlite")
    # Names of accounts and playbooks are checked when a corpus is made; a page doesn't rely on it.
    falsified = {
        "entities/assets.parquet": "role = 'HOSTILE', platform = 'HOSTILE'",
        "entities/users.parquet": "kind = 'HOSTILE', \"domain\" = 'HOSTILE'",
        **{
            str(path.relative_to(corpus.path)): "playbook = 'HOSTILE', users = 'HOSTILE', stop_reason = 'HOSTILE'"
            for path in (corpus.path / "truth" / "chains").rglob("*.parquet")
        },
    }
    for path, change in falsified.items():
        database = duckdb.connect()
        database.execute(f"CREATE TABLE t AS SELECT * FROM read_parquet('{corpus.path / path}', hive_partitioning = false)")
        database.execute(f"UPDATE t SET {change.replace('HOSTILE', HOSTILE[0])}")
        database.execute(f"COPY t TO '{corpus.path / path}' (FORMAT parquet)")
    return report(corpus, directory / "report.html")


@pytest.fixture(scope="module", params=["sample", "ecs", "unlabelled"])
def page(request, tmp_path_factory) -> Page:
    """A report of each layout."""
    name = "corpus" if request.param == "sample" else request.param
    return report(request.getfixturevalue(name), tmp_path_factory.mktemp("page") / "report.html")


@pytest.fixture(scope="module", params=["sample", "ecs"])
def labelled(request, tmp_path_factory) -> Page:
    """A report of each corpus with labels."""
    name = "corpus" if request.param == "sample" else request.param
    return report(request.getfixturevalue(name), tmp_path_factory.mktemp("labelled") / "report.html")


def kind_of(page: Page) -> str:
    """The kind of an event, as SQL."""
    if page.data["kinds"] == ["events", "alerts"]:
        return "if(event.kind = 'alert', 'alerts', 'events')"
    return "if(attack.id IS NOT NULL, 'chains', if(fusionai.noise, 'noise', 'alerts'))"


def table(page: Page, name: str) -> duckdb.DuckDBPyConnection:
    """DuckDB with a table of truth as `t`, beside `events`."""
    connection = page.corpus.connect()
    where = f"{page.corpus.path}/truth/{name}/**/*.parquet"
    connection.execute(f"CREATE VIEW t AS SELECT * FROM read_parquet('{where}')")
    return connection


# Figures


def test_the_card_is_the_manifests(page):
    card, manifest = page.data["card"], page.corpus.manifest
    assert card["fingerprint"] == manifest["fingerprint"]
    assert card["events"] == manifest["events"] == sum(page.data["kind_events"])
    assert card["event_files"] == len(page.corpus.files)
    assert card["event_bytes"] == sum(path.stat().st_size for path in page.corpus.files)
    assert card["files"] == len(manifest["files"])
    for text in (f"{card['events']:,}", card["fingerprint"], str(card["seed"])):
        assert text in page.html


def test_settings_of_the_card_are_those_that_differ(ecs, tmp_path):
    settings = dict(report(ecs, tmp_path / "report.html").data["card"]["settings"])
    assert settings == {
        "events": "60000",
        "start": "2024-08-10",
        "days": "4",
        "partition_by": "date",
        "schema": "ecs",
        "row_group_rows": "4000",
        "shard_rows": "10000",
    }


def test_kinds_and_verdicts(page):
    db = page.corpus.connect()
    counted = dict(db.execute(f"SELECT {kind_of(page)} AS kind, count(*) FROM events GROUP BY ALL").fetchall())
    assert dict(zip(page.data["kinds"], page.data["kind_events"])) == counted
    if "noise" in counted:
        verdicts = db.execute("SELECT labels.verdict, count(*) AS n FROM events GROUP BY ALL ORDER BY n DESC").fetchall()
        assert [tuple(v) for v in page.data["verdicts"]] == verdicts
    else:
        assert page.data["verdicts"] == []


def test_telemetry_and_sizes(page):
    db = page.corpus.connect()
    rows = db.execute("SELECT coalesce(event.provider, ''), coalesce(event.code, ''), count(*) FROM events GROUP BY ALL").fetchall()
    shown = [(kind["provider"], kind["code"], kind["events"]) for kind in page.data["telemetry"]]
    assert sorted(shown) == sorted(rows)
    assert [events for *_, events in shown] == sorted((events for *_, events in shown), reverse=True)
    sizes = {it["table"]: it for it in page.data["sizes"]}
    files = sorted(path.stat().st_size for path in page.corpus.files)
    assert sizes["events"]["files"] == len(files) and sizes["events"]["bytes"] == sum(files)
    assert (sizes["events"]["least"], sizes["events"]["most"]) == (files[0], files[-1])


def test_timeline_and_week(page):
    db, data = page.corpus.connect(), page.data
    start, width = data["timeline"]["start"], data["timeline"]["width"]
    rows = db.execute(
        f"""SELECT {kind_of(page)} AS kind, (epoch("@timestamp")::BIGINT - {start}) // {width} AS bin, count(*)
            FROM (SELECT * REPLACE (date_trunc('second', "@timestamp") AS "@timestamp") FROM events) GROUP BY ALL"""
    ).fetchall()
    drawn = {
        (kind, bin): count
        for kind, counts in zip(data["kinds"], data["timeline"]["counts"])
        for bin, count in enumerate(counts)
        if count
    }
    assert drawn == {(kind, bin): count for kind, bin, count in rows}
    rows = db.execute(
        f"""SELECT {kind_of(page)} AS kind, isodow("@timestamp") - 1 AS day, hour("@timestamp") AS hour, count(*)
            FROM events GROUP BY ALL"""
    ).fetchall()
    drawn = {
        (kind, cell // 24, cell % 24): count
        for kind, counts in zip(data["kinds"], data["week"]["counts"])
        for cell, count in enumerate(counts)
        if count
    }
    assert drawn == {(kind, day, hour): count for kind, day, hour, count in rows}
    days = Counter(row[0] for row in db.execute("SELECT isodow(d) - 1 FROM (SELECT DISTINCT date AS d FROM events)").fetchall())
    assert data["week"]["days"] == [days[day] for day in range(7)]


@pytest.mark.parametrize(("what", "column"), [("categories", "fusionai.category"), ("signatures", "rule.name")])
def test_most_frequent_names(page, what, column):
    db, top = page.corpus.connect(), page.data[what]
    counted = Counter()
    for name, kind, count in db.execute(
        f"SELECT {column} AS name, {kind_of(page)} AS kind, count(*) FROM events WHERE {column} IS NOT NULL GROUP BY ALL"
    ).fetchall():
        counted[name, kind] = count
    totals = Counter()
    for (name, _), count in counted.items():
        totals[name] += count
    wanted = sorted(totals.items(), key=lambda item: (-item[1], item[0].encode()))[:20]
    assert [(named["name"], named["total"]) for named in top["names"]] == wanted
    for named in top["names"]:
        assert named["counts"] == [counted[named["name"], kind] for kind in page.data["kinds"]]
    assert top["distinct"] == len(totals)
    assert top["others"] + sum(count for _, count in wanted) == totals.total()


def test_attack_matrix(page):
    db = table(page, "steps")
    count = "SELECT tactic, technique, count(*) FROM t GROUP BY ALL"
    counted = {"steps": Counter(), "alerts": Counter(), "lookalikes": Counter()}
    for tactic, technique, n in db.execute(count).fetchall():
        counted["steps"][tactic, technique] = n
    for tactic, technique, n in table(page, "lookalikes").execute(count).fetchall():
        if technique:
            counted["lookalikes"][tactic, technique] = n
    technique = "threat.technique.id[1]"
    if page.data["card"]["schema"] == "ecs":
        technique = f"coalesce(threat.technique.subtechnique.id[1], {technique})"
    alerts = f"SELECT threat.tactic.name[1], {technique}, count(*) FROM events WHERE {technique} IS NOT NULL GROUP BY ALL"
    for tactic, technique, n in db.execute(alerts).fetchall():
        counted["alerts"][tactic, technique] = n
    matrix = page.data["attack"]
    shown = {name: Counter() for name in counted}
    for tactic in matrix["tactics"]:
        for cell in tactic["techniques"]:
            for name in counted:
                if cell[name]:
                    shown[name][tactic["name"], cell["id"]] = cell[name]
            assert cell["name"], f"{cell['id']} has no name"
            assert f'data-technique="{cell["id"]}"' in page.html
    assert shown == counted
    assert len(matrix["tactics"]) == 14
    every = {technique for counts in counted.values() for _, technique in counts}
    assert matrix["techniques_used"] == len(every)


def test_playbooks(page):
    rows = table(page, "chains").execute(
        """SELECT playbook, count(*), sum(events)::BIGINT AS n, count(*) FILTER (stop_reason = 'completed'),
                  max(len(string_split(hosts, ','))) FROM t GROUP BY ALL ORDER BY n DESC, playbook"""
    )
    shown = [(p["name"], p["chains"], p["events"], p["completed"], p["hosts"]) for p in page.data["playbooks"]]
    assert shown == rows.fetchall()


def test_entities(page):
    db = duckdb.connect()
    for shown, file, columns in (("hosts", "assets", "role, platform"), ("accounts", "users", "kind, coalesce(domain, '')")):
        rows = db.execute(f"SELECT {columns}, count(*) FROM '{page.corpus.path}/entities/{file}.parquet' GROUP BY ALL").fetchall()
        assert {(g["name"], g["more"], g["count"]) for g in page.data[shown]} == set(rows)


def told_as_it_is(page: Page, chain: dict) -> list[tuple]:
    """Compares a chain of the page with the files. Its events, of which the page may leave out the last of a step."""
    db = table(page, "steps")
    row = table(page, "chains").execute(
        """SELECT playbook, epoch_us(start), epoch_us("end"), hosts, users, stop_reason FROM t WHERE attack_id = ?""",
        [chain["id"]],
    ).fetchone()
    shown = [chain[name] for name in ("playbook", "start", "end", "hosts", "users", "stop_reason")]
    assert [*shown[:3], ",".join(shown[3]), ",".join(shown[4]), shown[5]] == list(row)
    events = db.execute(
        """SELECT epoch_us(e."@timestamp"), t.sequence, t.step, coalesce(e.host.name, ''), e."user".name, e.event.kind, coalesce(e.rule.name, '')
           FROM events e JOIN t ON t.event_sequence = e.event."sequence" WHERE t.attack_id = ? ORDER BY t.sequence""",
        [chain["id"]],
    ).fetchall()
    assert chain["total"] == len(events)
    sequences = {event["sequence"] for event in chain["events"]}
    steps = {step: [event for event in events if event[2] == step] for step in {event[2] for event in events}}
    for of_step in steps.values():
        told = [event for event in of_step if event[1] in sequences]
        assert told and told == of_step[: len(told)], "the first events of each step"
    names = ("time", "sequence", "step", "host", "user", "kind", "rule")
    shown = [tuple(event[name] for name in names) for event in chain["events"]]
    assert shown == [event for event in events if event[1] in sequences]
    steps = db.execute(
        "SELECT step, min(tactic), count(*) FROM t WHERE attack_id = ? GROUP BY step ORDER BY step", [chain["id"]]
    ).fetchall()
    assert [(step["step"], step["tactic"], step["events"]) for step in chain["steps"]] == steps
    edges = table(page, "edges").execute(
        """SELECT from_step, to_step, from_sequence, to_sequence, pivot_type, pivot_value FROM t WHERE attack_id = ?""",
        [chain["id"]],
    ).fetchall()
    names = ("from_step", "to_step", "from_sequence", "to_sequence", "kind", "value")
    both_ends = [edge for edge in edges if edge[2] in sequences and edge[3] in sequences]
    assert Counter(tuple(edge[name] for name in names) for edge in chain["edges"]) == Counter(both_ends)
    return events


def test_the_chain_is_told_as_it_is(page):
    chain = page.data["chain"]
    events = told_as_it_is(page, chain)
    assert len(events) == chain["total"] == len(chain["events"])
    assert len(set(event[3] for event in events)) >= 2, "an exemplary chain moves"


def test_every_chain_is_on_the_page_and_told_as_it_is(page):
    every = table(page, "chains").execute("SELECT attack_id FROM t").fetchall()
    assert set(page.chains) == {id for (id,) in every}
    for chain in page.chains.values():
        told_as_it_is(page, chain)


def test_a_named_chain_is_shown(labelled, tmp_path):
    before = labelled.chains
    # The one of which the page of all chains shows the least.
    name = max(before, key=lambda id: before[id]["total"] - len(before[id]["events"]))
    other = list(before)[-1] if list(before)[-1] != name else list(before)[-2]
    page = report(labelled.corpus, tmp_path / "report.html", "--chain", name, "--chain", other)
    assert f'<p id="chain-lead"><code>{name}</code>' in page.html
    assert page.data["chain"]["id"] == name
    after = page.chains
    assert set(after) == set(before)
    for id in (name, other):
        told_as_it_is(page, after[id])
        total = after[id]["total"]
        assert len(after[id]["events"]) == total if total <= 400 else 100 < len(after[id]["events"]) <= 400


def test_of_too_many_chains_the_page_has_a_thousand(tmp_path):
    layout = ["--events", "300k", "--days", "5", "--attack-chain-ratio", "0.5", "--chain-density", "1"]
    corpus = generate(tmp_path / "corpus", *layout)
    page = report(corpus, tmp_path / "report.html")
    every = dict(table(page, "chains").execute("SELECT attack_id, playbook FROM t").fetchall())
    chains = page.chains
    assert len(every) > 1000 == len(chains)
    assert f"This page has 1,000 of the corpus's {len(every):,} chains" in page.html
    shown, there = (Counter(chain["playbook"] for chain in chains.values()), Counter(every.values()))
    assert all(count in (there[playbook], max(shown.values()), max(shown.values()) - 1) for playbook, count in shown.items())
    assert set(shown) == set(there)
    absent = next(id for id in every if id not in chains)
    named = report(corpus, tmp_path / "named.html", "--chain", absent).chains
    assert next(iter(named)) == absent and len(named) == 1000
    assert len(page.html) < 6_000_000


def test_the_process_tree_holds_every_start(page):
    chain = page.data["chain"]
    below, events = set(), 0
    for tree in chain["trees"]:
        nodes = [(None, node) for node in tree["processes"]]
        while nodes:
            parent, node = nodes.pop()
            events += node["events"]
            if parent:
                below.add((tree["host"], parent["name"], node["name"], node["pid"]))
            nodes += [(node, child) for child in node["children"]]
    db = table(page, "steps")
    of_chain = "events e JOIN t ON t.event_sequence = e.event.\"sequence\" WHERE t.attack_id = ?"
    starts = db.execute(
        f"""SELECT DISTINCT e.host.name, e.process.parent.name, e.process.name, e.process.pid
            FROM {of_chain} AND e.process.parent.pid IS NOT NULL""",
        [chain["id"]],
    ).fetchall()
    assert starts and below == set(starts)
    with_process = db.execute(f"SELECT count(*) FROM {of_chain} AND e.process.pid IS NOT NULL", [chain["id"]]).fetchone()
    assert events == with_process[0]


def test_one_chain_of_thousands_of_events_is_cut(tmp_path):
    """Where no chain can be shown event by event, the first events of each step stand for it."""
    layout = ["--events", "60k", "--assets", "30", "--days", "1", "--chain-density", "0.05", "--attack-chain-ratio", "0.5"]
    corpus = generate(tmp_path / "corpus", *layout)
    page = report(corpus, tmp_path / "report.html")
    chain = page.data["chain"]
    assert one(corpus.connect(), f"SELECT count(*) FROM events WHERE attack.id = '{chain['id']}'") == chain["total"] > 400
    assert len(chain["events"]) <= 400
    assert {event["step"] for event in chain["events"]} == {step["step"] for step in chain["steps"]}
    assert sum(step["events"] for step in chain["steps"]) == chain["total"]
    assert "Shown are the first" in page.html


# The page


def test_one_corpus_is_one_page(ecs, tmp_path):
    """Only the code to load the corpus has its place; threads change nothing."""
    place = lambda text, path: text.replace(str(path).replace("/", "&#x2f;"), "PLACE")
    first = place(report(ecs, tmp_path / "first.html").html, ecs.path)
    copy = tmp_path / "elsewhere"
    shutil.copytree(ecs.path, copy)
    done = fusiongen("report", copy, "-o", tmp_path / "second.html", env={"RAYON_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    assert place((tmp_path / "second.html").read_text(), copy) == first
    assert first.count("PLACE") == 4


class Tags(HTMLParser):
    """Counts the elements of a page, and its attributes that could run or fetch something."""

    def __init__(self, html: str):
        super().__init__()
        self.tags, self.suspect = Counter(), []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        for name, value in attributes:
            if name.startswith("on") or name in ("src", "srcset", "action", "data") or "javascript:" in (value or ""):
                self.suspect.append((tag, name, value))
            if name == "href" and not value.startswith("#"):
                self.suspect.append((tag, name, value))


def test_hostile_texts_are_no_markup(hostile):
    tags = Tags(hostile.html)
    assert tags.suspect == []
    assert tags.tags["script"] == 3 and not tags.tags["img"] and not tags.tags["svg"]
    names = [named["name"] for named in hostile.data["signatures"]["names"]]
    assert set(HOSTILE) <= set(names), "the texts are in the page, as they are"
    data = hostile.data
    for text in (data["chain"]["playbook"], data["playbooks"][0]["name"], data["hosts"][0]["name"], data["accounts"][0]["more"]):
        assert text == HOSTILE[0]


def test_the_page_allows_nothing_from_outside(page):
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page.html).group(1)
    assert policy.startswith("default-src 'none'; script-src 'nonce-")
    assert "unsafe-eval" not in policy and "http" not in policy
    tags = Tags(page.html)
    assert tags.suspect == [] and not tags.tags["link"] and not tags.tags["iframe"]


def test_the_library_keeps_its_notice(page):
    assert "Licensed to the Apache Software Foundation (ASF)" in page.html
    for text in ("Copyright 2017-2026 The Apache Software Foundation", "END OF TERMS AND CONDITIONS", "Redistribution and use"):
        assert text in page.html


def snippets(page: Page) -> dict[str, str]:
    """What the card says of loading, by engine."""
    found = re.findall(r'data-name="(\w+)"><h3>\w+</h3><pre><code>(.*?)</code>', page.html, re.DOTALL)
    unescaped = {name: html.unescape(code) for name, code in found}
    assert all(str(page.corpus.path) in code for code in unescaped.values())
    return unescaped


def test_the_card_says_how_to_load(page, tmp_path):
    code = snippets(page)
    assert set(code) == {"DuckDB", "Spark", "Polars", "pyarrow"}
    rows = duckdb.connect().execute(code["DuckDB"]).fetchall()
    assert sum(row[2] for row in rows) == page.data["card"]["events"]
    for name in ("Polars", "pyarrow"):
        script = tmp_path / f"load_with_{name}.py"
        script.write_text(code[name])
        done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr


def test_the_card_says_how_to_load_in_spark(labelled, spark, capsys):
    exec(snippets(labelled)["Spark"], {"spark": spark})
    assert "count" in capsys.readouterr().out


def test_tables_that_are_not_there_are_left_out(ecs, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(ecs.path, copy)
    shutil.rmtree(copy / "truth")
    shutil.rmtree(copy / "entities")
    page = report(Corpus(copy), tmp_path / "report.html")
    data = page.data
    assert data["missing"] == ["truth", "entities"]
    assert data["chain"] is None and data["playbooks"] == [] and data["hosts"] == []
    assert "Not in this directory, so not shown: truth, entities." in page.html
    assert 'id="chain"' not in page.html
    assert any(cell["alerts"] for tactic in data["attack"]["tactics"] for cell in tactic["techniques"])


def test_a_corpus_without_chains(tmp_path):
    corpus = generate(tmp_path / "corpus", "--events", "3000", "--attack-chain-ratio", "0", "--days", "1")
    page = report(corpus, tmp_path / "report.html")
    assert page.data["chain"] is None and page.data["missing"] == []
    assert page.data["kind_events"][2] == 0


# Errors


def refused(*arguments) -> str:
    """Runs `report` on bad input: exit code 2, one reason."""
    done = fusiongen("report", *arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    assert re.findall(r"^error:", done.stderr, re.MULTILINE) == ["error:"], done.stderr
    assert "panicked" not in done.stderr
    return done.stderr


@pytest.fixture
def small(tmp_path) -> Corpus:
    return generate(tmp_path / "corpus", "--events", "2000", "--days", "1")


def test_no_such_directory(tmp_path):
    assert "nowhere" in refused(tmp_path / "nowhere", "-o", tmp_path / "report.html")


def test_not_a_corpus(tmp_path):
    (tmp_path / "notes.txt").write_text("no corpus")
    assert "name the directory of a corpus" in refused(tmp_path, "-o", tmp_path / "report.html")
    assert "notes.txt" in refused(tmp_path / "notes.txt", "-o", tmp_path / "report.html")


def test_without_a_manifest(small, tmp_path):
    (small.path / "manifest.json").unlink()
    said = refused(small.path, "-o", tmp_path / "report.html")
    assert "isn't finished" in said and "manifest.json" in said
    assert not (tmp_path / "report.html").exists()


def test_unfinished(small, tmp_path):
    (small.path / "_SUCCESS").unlink()
    said = refused(small.path, "-o", tmp_path / "report.html")
    assert "isn't finished" in said and "_SUCCESS" in said


def test_a_plan_that_is_no_json(small, tmp_path):
    (small.path / "plan.json").write_text("{")
    assert "plan.json" in refused(small.path, "-o", tmp_path / "report.html")


def test_a_plan_that_is_not_the_corpuss(small, tmp_path):
    plan = small.plan
    for days, reason in ((4_000_000_000, "4000000000 days"), (0, "0 days")):
        changed = plan | {"config": plan["config"] | {"days": days}}
        (small.path / "plan.json").write_text(json.dumps(changed))
        said = refused(small.path, "-o", tmp_path / "report.html")
        assert "plan.json" in said and reason in said
    changed = plan | {"config": plan["config"] | {"start": "2024-08-13"}}
    (small.path / "plan.json").write_text(json.dumps(changed))
    assert "outside the window" in refused(small.path, "-o", tmp_path / "report.html")


def test_another_format(lines, tmp_path):
    assert "--format parquet" in refused(lines.path, "-o", tmp_path / "report.html")


def test_an_event_file_is_missing_or_broken(small, tmp_path):
    file = small.files[0]
    whole = file.read_bytes()
    file.unlink()
    assert str(file) in refused(small.path, "-o", tmp_path / "report.html")
    file.write_bytes(whole[: len(whole) // 2])
    assert str(file) in refused(small.path, "-o", tmp_path / "report.html")
    damaged = bytearray(whole)
    damaged[100:2000] = b"\xff" * 1900
    file.write_bytes(damaged)
    assert str(file) in refused(small.path, "-o", tmp_path / "report.html")
    connection = duckdb.connect()
    connection.execute(f"COPY (SELECT 1 AS one) TO '{file}' (FORMAT parquet)")
    assert "events of fusiongen: a column is missing" in refused(small.path, "-o", tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_no_such_chain(small, tmp_path):
    said = refused(small.path, "-o", tmp_path / "report.html", "--chain", "atk-000000000000")
    assert "--chain: the corpus has no chain 'atk-000000000000'" in said and "truth/chains" in said
    assert not (tmp_path / "report.html").exists()


def test_not_into_the_corpus(small):
    for inside in ("report.html", "events/report.html", "new/report.html"):
        said = refused(small.path, "-o", small.path / inside)
        assert "inside the corpus" in said
        assert not (small.path / inside).exists()


def test_where_nothing_can_be_written(small, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "directory").mkdir()
    for place in (tmp_path / "file" / "report.html", tmp_path / "directory"):
        said = refused(small.path, "-o", place)
        assert "cannot be written" in said and str(place) in said
    assert not list((tmp_path / "directory").iterdir())
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")], "no leftovers"


# In a browser


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium, of Debian or of Playwright itself."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no browser test: playwright is not installed")
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with playwright.sync_playwright() as started:
        try:
            # As root, Chromium's own sandbox can't be had.
            browser = started.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except playwright.Error as error:
            pytest.skip(f"no browser test: Chromium can't be started: {error.message.splitlines()[0]}")
        yield browser
        browser.close()


@dataclass
class Opened:
    """An opened page, and what it said and asked for."""

    page: object
    said: list
    asked: list


@pytest.fixture
def opened(browser):
    """Opens pages; each must ask for nothing and have nothing to complain of."""
    pages = []

    def open(page: Page, scheme="light", width=1280) -> Opened:
        tab = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        found = Opened(tab, [], [])
        tab.on("console", lambda message: found.said.append(f"{message.type}: {message.text}"))
        tab.on("pageerror", lambda error: found.said.append(str(error)))
        tab.on("request", lambda request: found.asked.append(request.url))
        tab.goto(page.path.as_uri())
        tab.wait_for_function("document.documentElement.dataset.ready === 'yes'")
        tab.wait_for_function("[...document.querySelectorAll('.plot')].every(e => e.dataset.drawn === 'yes')")
        pages.append((page, found))
        return found

    yield open
    for page, found in pages:
        assert found.said == []
        assert found.asked == [page.path.as_uri()]
        found.page.close()


def marks(tab, plot: str, colour: str) -> int:
    """Shapes of a plot that have the colour of a style."""
    return tab.evaluate(
        """([plot, name]) => {
            const probe = document.createElement('i');
            probe.style.color = `var(--${name})`;
            document.body.append(probe);
            const wanted = getComputedStyle(probe).color;
            probe.remove();
            return [...document.querySelectorAll(`#${plot} svg path`)]
                .filter(path => getComputedStyle(path).fill === wanted && path.getBBox().width > 0).length;
        }""",
        [plot, colour],
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_plot_is_drawn(page, opened, scheme):
    tab = opened(page, scheme).page
    shown = [element.get_attribute("id") for element in tab.query_selector_all(".plot")]
    assert shown == PLOTS
    for plot in PLOTS:
        box = tab.locator(f"#{plot} svg").bounding_box()
        assert box["width"] > 300 and box["height"] > 150
    data = page.data
    for kind, counts in zip(data["kinds"], data["timeline"]["counts"]):
        name = "noise" if kind == "events" else kind
        assert marks(tab, "timeline", name) >= sum(1 for count in counts if count), kind
        filled = sum(1 for named in data["categories"]["names"] if named["counts"][data["kinds"].index(kind)])
        assert marks(tab, "categories", name) >= filled
    assert marks(tab, "week", "surface") == 0
    assert tab.locator("#week svg path").count() >= 24 * sum(1 for days in data["week"]["days"] if days)
    assert marks(tab, "steps", "s0") > 1
    hosts = {event["host"] for event in data["chain"]["events"]}
    assert sum(marks(tab, "steps", f"s{i}") for i in range(6)) >= len(data["chain"]["events"]) >= len(hosts)


def test_plots_answer(labelled, opened):
    tab = opened(labelled).page
    before = tab.locator("#week svg").inner_html()
    tab.get_by_role("button", name="chains").click()
    assert tab.locator("#week svg").inner_html() != before
    tab.get_by_role("tab", name="Polars").click()
    assert tab.get_by_text("pl.scan_parquet").is_visible()
    assert not tab.get_by_text("FROM read_parquet").is_visible()
    tab.locator("#timeline").hover()
    tip = tab.locator("#timeline .tip")
    tip.wait_for()
    assert "alerts" in tip.inner_text()


def test_any_chain_is_chosen(labelled, opened):
    tab = opened(labelled).page
    chains = labelled.chains
    first, *others = chains
    assert others
    drawn = lambda: tab.locator("#steps svg text").all_text_contents()  # noqa: E731
    before = drawn()
    pick = tab.locator("#pick select")
    assert pick.input_value() == first
    options = pick.locator("option")
    assert [option.get_attribute("value") for option in options.all()] == list(chains)
    assert all(id in text for id, text in zip(chains, options.all_text_contents()))
    for id in (others[0], others[-1], first):
        pick.select_option(id)
        shows(tab, chains[id])
        assert (drawn() != before) == (id != first)
    # The tables of the first chain are as they were made without scripts.
    texts = lambda found: [" ".join(row.split()) for row in found]
    made = re.search(r'<table id="chain-steps">.*?</table>', labelled.html, re.DOTALL).group(0)
    drawn = tab.locator("#chain-steps tbody tr").all_text_contents()
    plain = [html.unescape(re.sub(r"<[^>]+>", "", row)) for row in re.findall(r"<tr>(.*?)</tr>", made, re.DOTALL)[1:]]
    assert texts(drawn) == texts(plain)


def shows(tab, chain: dict) -> None:
    """Waits for a chain, and compares its tables."""
    tab.locator("#chain-lead code", has_text=chain["id"]).wait_for()
    assert tab.locator("#chain-steps tbody tr").count() == len(chain["steps"])
    assert tab.locator("#chain-events tbody tr").count() == len(chain["events"])
    assert tab.locator("#chain-trees .trees").count() == len(chain["trees"])


def test_chains_are_searched(labelled, opened):
    tab = opened(labelled).page
    chains = labelled.chains
    first, *others = chains
    pick, search = tab.locator("#pick select"), tab.locator("#pick input")
    listed = lambda: [option.get_attribute("value") for option in pick.locator("option").all()]  # noqa: E731
    search.fill(f" {others[-1].upper()} ")
    assert listed() == [others[-1]]
    shows(tab, chains[others[-1]])
    assert tab.locator("#pick [role=status]").inner_text() == f"1 of {len(chains)} chains"
    # The shown chain stays, if it is found too.
    chain = chains[others[-1]]
    search.fill(f"{chain['hosts'][0]} {chain['playbook']}")
    wanted = [id for id, other in chains.items() if chain["hosts"][0] in other["hosts"] and other["playbook"] == chain["playbook"]]
    assert listed() == wanted and pick.input_value() == chain["id"]
    search.fill("no such chain")
    assert listed() == [] and pick.is_disabled()
    shows(tab, chain)
    search.fill("")
    assert listed() == list(chains) and pick.input_value() == chain["id"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_are_switched(labelled, opened, scheme):
    tab = opened(labelled, scheme).page
    ground = lambda: tab.evaluate("getComputedStyle(document.body).backgroundColor")
    first = ground()
    tab.locator("#theme").click()
    second = ground()
    assert second != first
    assert marks(tab, "timeline", "alerts") > 0, "plots have the new colours"
    tab.locator("#theme").click()
    assert ground() == first


def test_labels_are_whole(page, opened):
    tab = opened(page).page
    for plot in ("categories", "signatures"):
        texts = "".join(tab.locator(f"#{plot} svg text").all_text_contents())
        squeezed = re.sub(r"\s", "", texts)
        for named in page.data[plot]["names"]:
            if len(named["name"]) <= 45:
                assert re.sub(r"\s", "", named["name"]) in squeezed, named["name"]
        box = tab.locator(f"#{plot} svg").bounding_box()
        for text in tab.locator(f"#{plot} svg text").all():
            own = text.bounding_box()
            assert box["x"] - 1 <= own["x"] and own["x"] + own["width"] <= box["x"] + box["width"] + 1
    ticks = [text for text in tab.locator("#timeline svg text").all_text_contents() if re.fullmatch(r"[\d,.]+", text)]
    assert ticks and not any("." in tick for tick in ticks)


def test_the_result_of_check_is_shown(labelled, tmp_path):
    done = fusiongen("report", labelled.corpus.path, "-o", tmp_path / "report.html", "--check")
    assert done.returncode == 0, done.stderr
    checked = Page(labelled.corpus, tmp_path / "report.html", (tmp_path / "report.html").read_text())
    assert checked.data["checked"]["passed"] and "Every invariant holds" in checked.html
    assert labelled.data["checked"] is None


def test_narrow_screens_do_not_scroll_sideways(page, opened):
    tab = opened(page, width=390).page
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390


def test_it_prints(labelled, opened, tmp_path):
    tab = opened(labelled, "dark").page
    tab.pdf(path=tmp_path / "report.pdf", format="A4")
    assert (tmp_path / "report.pdf").stat().st_size > 50_000


def test_hostile_texts_stay_texts(hostile, opened):
    tab = opened(hostile).page
    for plot in ("signatures", "categories"):
        tab.locator(f"#{plot}").hover()
        tab.locator(f"#{plot} .tip").wait_for()
    for summary in tab.locator("summary").all():
        summary.click()
    tab.wait_for_timeout(200)
    assert tab.evaluate("window.owned === undefined")
    assert tab.locator("img").count() == 0
    assert tab.locator("table", has_text=HOSTILE[0]).count() >= 1


def test_without_scripts_the_tables_tell_it(page, browser):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(page.path.as_uri())
    top = page.data["categories"]["names"][0]
    row = tab.locator("#content tr", has=tab.locator(f"th:text-is('{top['name']}')"))
    assert f"{top['total']:,}" in row.first.text_content()
    assert tab.get_by_text("FROM read_parquet").is_visible() and tab.get_by_text("pl.scan_parquet").is_visible()
    context.close()
