"""benches/stream.py reads corpora of both schemas, and its figures are shares, counts and times."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support import generate

STREAM = Path(__file__).parents[2] / "benches" / "stream.py"


@pytest.mark.parametrize("schema", ["fusionai", "ecs"])
def test_every_figure_has_hosts_or_none_applies(schema, tmp_path):
    settings = ["--events", "60k", "--days", "1", "--assets", "30", "--schema", schema, "--partition-by", "date"]
    corpus = generate(tmp_path / "corpus", *settings)
    done = subprocess.run([sys.executable, STREAM, corpus.path, "--json"], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["records"] > 10_000 and found["hosts"] > 10
    figures = {figure["figure"]: figure for figure in found["figures"]}
    assert len(figures) == len(found["figures"]) >= 25
    seen = [figure for figure in figures.values() if figure["hosts"]]
    assert len(seen) >= len(figures) - 3
    for figure in seen:
        low, median, high = figure["p10, median, p90"]
        # An end has the time of the host's tick, which may be 15.625 ms before.
        least = -16 if figure["figure"].startswith("lifetime") else 0
        assert least <= low <= median <= high and median >= 0, figure
    shares = [figure for name, figure in figures.items() if name.startswith(("newborn", "births whose", "neighbours"))]
    assert len(shares) == 3 and all(figure["p10, median, p90"][2] <= 1 for figure in shares)
