"""Shared by the tests: the binary, a finished corpus, blocks of pages, and a distance between distributions."""

import json
import math
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "data" / "sample"
SAMPLE_INPUTS = [
    "--alerts-db", SAMPLE / "alerts.sqlite",
    "--ad-users", SAMPLE / "ad_users.csv",
    "--cmdb-assets", SAMPLE / "cmdb_assets.csv",
]  # fmt: skip

# Settings in a developer's environment that would change a corpus.
SETTINGS = (
    "SEED TARGET_EVENTS ATTACK_CHAIN_RATIO NOISE_RATIO NOISE_SEASONALITY NOISE_TZ_OFFSET "
    "DB_PATH AD_USERS_FILE CMDB_ASSETS_FILE NOISE_HOURLY_WEIGHTS ALERT_HOURLY_WEIGHTS"
).split()


def binary() -> Path:
    """The program under test."""
    path = Path(os.environ.get("FUSIONGEN") or ROOT / "target" / "release" / "fusiongen")
    if not path.exists():
        pytest.fail(f"{path} does not exist; build it first: cargo build --release", pytrace=False)
    return path


def fusiongen(*arguments, env=None, timeout=900) -> subprocess.CompletedProcess:
    """Runs the program without a terminal; the caller checks the exit code."""
    environment = {
        name: value for name, value in os.environ.items() if name not in SETTINGS and not name.endswith("_WEIGHT")
    }
    return subprocess.run(
        [str(binary()), *map(str, arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=ROOT,
        env=environment | (env or {}),
    )


def generate(out: Path, *arguments) -> "Corpus":
    """Makes a corpus, or fails with the program's output."""
    done = fusiongen("generate", "--no-progress", "--out", out, *arguments)
    if done.returncode != 0:
        pytest.fail(
            f"{' '.join(map(str, done.args))}\nexit code {done.returncode}\n{done.stdout}{done.stderr}",
            pytrace=False,
        )
    return Corpus(out)


def outside(path: str) -> Path:
    """A file of the reference material next to the project, or a skip with a message."""
    found = ROOT.parent / "shared" / path
    if not found.exists():
        pytest.skip(f"reference material is not here: ../shared/{path}")
    return found


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    #: The heading above it, without `#`.
    heading: str
    #: The first word after the fence, and the others.
    language: str
    words: str
    code: str
    #: Where `code` begins and ends in the page.
    start: int
    end: int


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page that name a language, in order."""
    found, heading = [], ""
    for match in re.finditer(r"^#+ ([^\n]+)$|^```(\w*)([^\n]*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        if match[1]:
            heading = match[1]
        elif match[2]:
            found.append(Block(heading, match[2], match[3].strip(), match[4], match.start(4), match.end(4)))
    return found


@dataclass(frozen=True)
class Corpus:
    """A finished corpus on disk."""

    path: Path

    @property
    def events(self) -> Path:
        return self.path / "events"

    @property
    def glob(self) -> str:
        return f"{self.events}/**/*.parquet"

    @cached_property
    def manifest(self) -> dict:
        return json.loads((self.path / "manifest.json").read_text())

    @cached_property
    def plan(self) -> dict:
        return json.loads((self.path / "plan.json").read_text())

    @cached_property
    def files(self) -> list[Path]:
        """Event files, in order of path."""
        return sorted(self.events.rglob("*.parquet"))

    @property
    def listed(self) -> list[dict]:
        """The manifest's entries of event files."""
        return [entry for entry in self.manifest["files"] if entry["path"].startswith("events/")]

    def connect(self) -> duckdb.DuckDBPyConnection:
        """DuckDB with the events as the view `events`, in UTC."""
        connection = duckdb.connect()
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE VIEW events AS SELECT * FROM read_parquet('{self.glob}', hive_partitioning = true)")
        return connection


#: Measured values, printed at the end of the run even if tests fail.
FIGURES: list[str] = []


def figure(text: str) -> None:
    """Records a measured value."""
    FIGURES.append(text)


def one(connection, sql: str):
    """The first value of the first row."""
    return connection.execute(sql).fetchone()[0]


def js_divergence(left: Mapping, right: Mapping) -> float:
    """Jensen-Shannon divergence in bits of two tables of counts; 0 equal, 1 disjoint."""
    left_total, right_total = sum(left.values()), sum(right.values())
    if not left_total or not right_total:
        raise ValueError("a distribution is empty")
    total = 0.0
    for value in left.keys() | right.keys():
        p, q = left.get(value, 0) / left_total, right.get(value, 0) / right_total
        middle = (p + q) / 2
        total += sum(x * math.log2(x / middle) for x in (p, q) if x)
    return total / 2
