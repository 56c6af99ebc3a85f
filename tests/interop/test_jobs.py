"""The pages of docs/jobs and docs/versions.md run as they are written, and print what they say.

    UPDATE_DOCS=1 pytest test_jobs.py      writes the results on the pages anew

The blocks of a page run in order, in a directory that looks like a checkout. A block `text` is what the
block before it prints; in a block `text varies`, numbers, widths of columns and verdicts on speed may differ.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest
from support import ROOT, SETTINGS, Block, binary, blocks, one
from test_elasticsearch import TEMPLATE, Check, server  # noqa: F401

PAGES = [*sorted((ROOT / "docs" / "jobs").glob("*.md")), ROOT / "docs" / "versions.md"]
SERVER = "http://localhost:9200"


@dataclass
class Page:
    """A page whose blocks have run."""

    path: Path
    place: Path
    connection: duckdb.DuckDBPyConnection
    #: What the blocks of each heading printed, joined.
    printed: dict[str, str] = field(default_factory=dict)

    def one(self, sql: str):
        return one(self.connection, sql)

    def numbers(self, heading: str) -> list[float]:
        return [float(number) for number in re.findall(r"\d+(?:\.\d+)?", self.printed[heading])]


def masked(text: str) -> str:
    """A result without its numbers, the widths of its columns and the verdicts on speed."""
    text = re.sub(r" (?:fine|suspect|SLOWER)$", " #", re.sub(r": SLOWER$", "", text, flags=re.MULTILINE), flags=re.MULTILINE)
    return re.sub(r"[ \t]+", " ", re.sub(r"\d+(?:[.,]\d+)*", "#", re.sub(r"[─┬┼┴]+", "─", text)))


def checkout(place: Path) -> dict[str, str]:
    """Makes a directory look like a checkout; the environment of its commands."""
    (place / "out").mkdir()
    (place / "bin").mkdir()
    for name in ("data", "docs"):
        (place / name).symlink_to(ROOT / name)
    (place / "bin" / "fusiongen").symlink_to(binary())
    environment = {n: v for n, v in os.environ.items() if n not in SETTINGS and not n.endswith("_WEIGHT")}
    return environment | {
        "PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "FUSIONGEN_PYTHON": sys.executable,
        "no_proxy": "127.0.0.1,localhost",
    }


def run(block: Block, place: Path, connection, environment: dict[str, str]) -> str:
    """Runs a block and returns what it prints."""
    if block.language == "sql":
        relation = connection.sql(block.code)
        return str(relation) if relation is not None else ""
    command = [sys.executable, "-c"] if block.language == "python" else ["bash", "-euo", "pipefail", "-c"]
    done = subprocess.run(
        [*command, block.code],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, cwd=place, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, f"{block.code}\n{done.stdout}{done.stderr}"
    return done.stdout


def compare(path: Path, results: list[tuple[Block, str]]):
    """Results with those on the page, or onto it."""
    text = path.read_text()
    if os.environ.get("UPDATE_DOCS"):
        for block, printed in reversed(results):
            text = text[: block.start] + printed.strip("\n") + "\n" + text[block.end :]
        path.write_text(text)
        return
    for block, printed in results:
        written, printed = block.code.strip("\n"), printed.strip("\n")
        if block.words == "varies":
            written, printed = masked(written), masked(printed)
        assert printed == written, f"{path.name}, {block.heading}; UPDATE_DOCS=1 pytest {Path(__file__).name} writes it anew"


def needs(page: str):
    for tool in ("awk", "curl", "split"):
        if tool in page and shutil.which(tool) is None:
            pytest.skip(f"the page needs {tool}, which is not installed")


def test_helper_masked():
    assert masked("a  12.5 ms") == masked("a 7 ms") != masked("b 7 ms")
    assert masked("q01  1 fine") == masked("q01  2 SLOWER") != masked("q01  3 WRONG")
    assert masked("ratios 1.5: SLOWER") == masked("ratios 0.9")
    assert masked("├────┼──┤") == masked("├──┼───┤")


def test_every_job_has_a_page_and_facts():
    assert {page.stem for page in PAGES} == set(FACTS)


@pytest.mark.parametrize("path", PAGES, ids=[path.stem for path in PAGES])
def test_page(path, tmp_path, monkeypatch, server):  # noqa: F811
    needs(path.read_text())
    monkeypatch.chdir(tmp_path)
    environment = checkout(tmp_path)
    page = Page(path, tmp_path, duckdb.connect())
    page.connection.execute("SET TimeZone = 'UTC'")
    results, last = [], None
    for block in blocks(path.read_text()):
        if block.language == "text":
            results.append((block, last))
        elif block.language in ("sh", "sql", "python"):
            here = Block(**{**vars(block), "code": block.code.replace(SERVER, f"http://127.0.0.1:{server.server_port}")})
            last = run(here, tmp_path, page.connection, environment)
            page.printed[block.heading] = page.printed.get(block.heading, "") + last
    compare(path, results)
    FACTS[path.stem](page, server)


def score_a_detection(page: Page, _):
    rows = page.connection.execute("SELECT * FROM score").fetchall()
    assert [row[0] for row in rows] == ["T1003.001", "T1021.002", "T1059.001", "T1547.001"]
    for _technique, hits, good, alerts, precision, without, steps, found, recall in rows:
        assert 0 < good <= hits - alerts and 0 < found <= steps
        assert 0 < precision <= without <= 1 and 0 < recall <= 1
    assert page.one("SELECT count(*) FROM events") == 200_000
    assert page.one("SELECT sum(events) FROM chains") == page.one("SELECT count(*) FROM steps") == 10_000
    # Another way to the same figures: the verdicts of a corpus with labels.
    done = subprocess.run(
        [binary(), "generate", "--events", "200k", "--noise-ratio", "0.9", "--attack-chain-ratio", "0.05",
         "--partition-by", "date", "--no-progress", "--out", page.place / "out" / "labelled"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    precision, recall = page.connection.execute("""
        SELECT round(count(*) FILTER (WHERE hit AND labels.verdict IN ('attack', 'attempt')) / count(*) FILTER (WHERE hit), 3),
            round(count(DISTINCT (attack.id, attack.step)) FILTER (WHERE hit AND technique = 'T1003.001')
                / count(DISTINCT (attack.id, attack.step)) FILTER (WHERE technique = 'T1003.001'), 3)
        FROM (
            SELECT *, coalesce(winlog.event_id = 10 AND winlog.event_data.TargetImage ILIKE '%\\lsass.exe', false) AS hit
            FROM read_parquet('out/labelled/events/**/*.parquet') LEFT JOIN steps ON event_sequence = event.sequence
        )
    """).fetchone()
    assert page.numbers("In Python") == [precision, recall]
    assert page.one("SELECT precision FROM score WHERE technique = 'T1003.001'") == precision
    assert page.one("SELECT recall FROM score WHERE technique = 'T1003.001'") == recall


def dashboards(page: Page, server):  # noqa: F811
    assert page.one("SELECT count(*) FROM events") == 100_000
    shares = [[float(share) for share in pair] for pair in re.findall(r"([\d.]+)% +([\d.]+)%", page.printed["Does it look like yours?"])]
    assert len(shares) == 5
    assert all(abs(theirs - ours) < 0.5 for theirs, ours in shares)
    assert page.one("SELECT sum(alerts) FROM 'out/alerts-by-hour.csv'") == page.one("SELECT count(*) FROM events WHERE event.kind = 'alert'")
    assert server.problems == [] and server.templates == {"fusionai": json.loads(TEMPLATE.read_text())}
    assert len({document["event"]["sequence"] for document in server.documents}) == len(server.documents) == 20_000
    check = Check(server.templates["fusionai"]["template"]["mappings"])
    for document in server.documents[:1000]:
        check.document(document)


def feed_an_ingest(page: Page, _):
    sent = (page.place / "out" / "sent.ndjson").read_text().splitlines()
    assert len(sent) == page.one("SELECT count(DISTINCT n) FROM sent") == 50_000
    assert page.one("SELECT count(*) FROM received") == 50_000 - 50 + 10
    sequences = [json.loads(line)["event"]["sequence"] for line in sent]
    assert set(sequences[499::1000]) == {n for (n,) in page.connection.execute("SELECT n FROM sent ANTI JOIN received USING (n)").fetchall()}
    live = [json.loads(line) for line in (page.place / "out" / "live.ndjson").read_text().splitlines()]
    assert len({event["event"]["sequence"] for event in live}) == len(live) > 50
    events, gaps = re.search(r"│ +(\d+) │ +(\d+) │\n└", page.printed["Live events"]).groups()
    assert (int(events), int(gaps)) == (len(live), 0)


def regression_suite(page: Page, _):
    assert page.printed["A baseline"].endswith("45 fine, 0 wrong, 0 failed, 0 skipped\n")
    assert "0 wrong" in page.printed["After a change"].splitlines()[-1]
    fault = page.printed["What a fault looks like"]
    assert fault.count("WRONG") == 2 and fault.endswith("1 fine, 2 wrong, 0 failed, 0 skipped\nexit code 1\n")
    for name in ("base", "new", "damaged", "two", "one"):
        assert json.loads((page.place / "out" / f"{name}.json").read_text())
    assert "<html" in (page.place / "out" / "queries.html").read_text()


def machine_learning(page: Page, _):
    listed = dict(re.findall(r"│ (\w+) +│ +(\d+) │", page.printed["Events and labels"]))
    assert sum(map(int, listed.values())) == 100_000
    (rows, share), seed, time, (playbook, seen), leak = [
        [float(number) for number in re.findall(r"(?<!\S)\d+(?:\.\d+)?", line)] for line in page.printed["An example"].splitlines()
    ]
    assert rows > 1000 and 0 < share < 0.2
    for figure in (*seed, *time, playbook, seen, *leak):
        assert share < figure <= 1
    assert playbook < seen


def versions(page: Page, _):
    plan, manifest = (json.loads((page.place / "out" / "one" / name).read_text()) for name in ("plan.json", "manifest.json"))
    assert plan["fingerprint"] == manifest["fingerprint"]
    source = (ROOT / "src" / "plan" / "fingerprint.rs").read_text()
    (version,) = re.findall(r"FORMAT_VERSION: u32 = (\d+);", source)
    assert plan["format_version"] == int(version)
    text = page.path.read_text()
    assert f"| `{version}` | `format_version`" in text and f"format version {version}," in text
    other = subprocess.run(
        [binary(), "generate", "--events", "20k", "--days", "2", "--compression", "snappy", "--no-progress", "--out", page.place / "out" / "other"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert other.returncode == 0, other.stderr
    assert plan["fingerprint"] not in other.stdout


FACTS = {
    "score-a-detection": score_a_detection,
    "dashboards": dashboards,
    "feed-an-ingest": feed_an_ingest,
    "regression-suite": regression_suite,
    "machine-learning": machine_learning,
    "versions": versions,
}
