"""The Python of the pages runs as it stands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

from conftest import ROOT

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
SECTION = re.compile(r"^## Python\n(.*?)^## ", re.M | re.S)


def blocks():
    readme = SECTION.search((ROOT / "README.md").read_text()).group(1)
    pages = {
        "README": readme,
        "python/README": (ROOT / "python" / "README.md").read_text(),
        "docs/python": (ROOT / "docs" / "python.md").read_text(),
        "docs/scale": (ROOT / "docs" / "scale.md").read_text(),
    }
    for page, text in pages.items():
        found = BLOCK.findall(text)
        assert found, page
        for number, code in enumerate(found):
            # A hundredth of the events says as much.
            code = code.replace('"1M"', '"10k"').replace("1_000_000", "10_000")
            yield pytest.param(code, id=f"{page} {number + 1}")


@pytest.mark.parametrize("code", blocks())
def test_block(code, tmp_path):
    if "pyspark" in code:
        pytest.importorskip("pyspark")
        if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
            pytest.skip("SKIPPED: Spark needs Java, which is not here")
    script = tmp_path / "block.py"
    script.write_text(code)
    done = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"},
    )
    assert done.returncode == 0, done.stderr
    if re.search(r'generate\((spark, )?"out/corpus"', code) or "finish(" in code:
        assert (tmp_path / "out" / "corpus" / "_SUCCESS").exists()
