from __future__ import annotations

import os
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "data" / "sample"
#: The command that the wheel installs, beside the interpreter.
COMMAND = Path(sys.executable).with_name("fusiongen")
#: A corpus that takes a second.
SMALL = {"events": 20_000, "days": 2, "seed": 7}
FLAGS = ["--events", "20000", "--days", "2", "--seed", "7"]


@pytest.fixture(autouse=True, scope="session")
def no_settings_from_outside() -> None:
    """The command reads the environment; tests decide on their own settings."""
    for name in ("TARGET_EVENTS", "SEED", "DB_PATH", "AD_USERS_FILE", "CMDB_ASSETS_FILE"):
        os.environ.pop(name, None)


@pytest.fixture(scope="session")
def files() -> Callable[[Path], dict[str, str]]:
    """All files of a directory, and their digests, which fit into a message as contents do not."""

    def read(root: Path) -> dict[str, str]:
        paths = (path for path in root.rglob("*") if path.is_file())
        return {
            str(path.relative_to(root)): sha256(path.read_bytes()).hexdigest() for path in paths
        }

    return read
