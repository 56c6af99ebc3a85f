"""The README's recipes run unchanged, on the tests' corpora."""

import json
import re
import shlex
import subprocess
import sys

import duckdb
import pytest
from support import ROOT, fusiongen

#: Paths in recipes, and the fixtures that replace them.
PLACES = {"out/corpus/events": "corpus", "out/lines/events": "lines"}


def recipes(text: str) -> list[tuple[str, str, str]]:
    """(name, language, code) of the fenced blocks under `## Recipes`."""
    section = re.search(r"^## Recipes\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, "the README has no section `## Recipes`"
    found, heading = [], "recipe"
    for match in re.finditer(r"^### ([^\n]+)$|^```(\w+)\n(.*?)^```$", section.group(1), re.MULTILINE | re.DOTALL):
        if match.group(1):
            heading = match.group(1)
        elif match.group(2) in ("python", "sql"):
            found.append((f"{heading} {len(found) + 1}", match.group(2), match.group(3)))
    return found


README = (ROOT / "README.md").read_text()
RECIPES = recipes(README)


def test_helper_recipes():
    text = "# A\n```sql\nno\n```\n## Recipes\n### X\n```sql\nSELECT 1\n```\n```sh\nls\n```\n## B\n```python\nno\n```\n"
    assert recipes(text) == [("X 1", "sql", "SELECT 1\n")]


def test_there_are_recipes_for_each_engine():
    """Elasticsearch's recipe is a shell script; test_elasticsearch.py runs it."""
    text = " ".join(name for name, _, _ in RECIPES)
    assert all(engine in text for engine in ("DuckDB", "Spark", "Polars", "pandas"))
    for name, _, code in RECIPES:
        assert any(place in code for place in PLACES), f"{name} can't be copied alone"


@pytest.mark.parametrize(("name", "language", "code"), RECIPES, ids=[name for name, _, _ in RECIPES])
def test_recipe(request, tmp_path, name, language, code):
    for place, fixture in PLACES.items():
        if place in code:
            code = code.replace(place, str(request.getfixturevalue(fixture).events))
    if language == "sql":
        connection = duckdb.connect()
        connection.execute("SET TimeZone = 'UTC'")
        rows = connection.execute(code).fetchall()
        assert rows, "the recipe finds nothing"
        return
    script = tmp_path / "recipe.py"
    script.write_text(code)
    done = subprocess.run(
        [sys.executable, script], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip(), "the recipe prints nothing"


def commands(text: str) -> list[list[str]]:
    """The arguments of every `cargo run --release --` outside the recipes."""
    return [shlex.split(line) for line in re.findall(r"^cargo run --release -- (.*)$", text, re.MULTILINE)]


def test_commands_do_what_the_readme_says(tmp_path):
    """Unchanged and in order, except for sizes and output paths."""
    found = commands(README.split("\n## Recipes\n")[0])
    assert {arguments[0] for arguments in found} == {"generate", "plan", "sample", "profile", "report"}
    for arguments in found:
        small = {"1M": "20k", "100k": "10k"} if arguments[0] == "generate" else {}
        arguments = [small.get(word, re.sub(r"^out/", f"{tmp_path}/", word)) for word in arguments]
        done = fusiongen(*arguments)
        assert done.returncode == 0, (arguments, done.stderr)
        assert done.stdout.strip()
    assert {path.name for path in tmp_path.iterdir()} == {"corpus", "profile.json", "profiled", "report.html"}


def test_the_event_of_the_readme_is_one_that_its_command_writes(tmp_path):
    (text,) = re.findall(r"^```json\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    event = json.loads(text)
    (arguments,) = [a for a in commands(README.split("\n## Recipes\n")[0]) if "1M" in a]
    arguments = [re.sub(r"^out/", f"{tmp_path}/", word) for word in arguments]
    done = fusiongen(*arguments)
    assert done.returncode == 0, done.stderr
    found = duckdb.execute(
        f"""SELECT winlog.record_id, winlog.event_data.UtcTime, process.entity_id, process.command_line, attack.id,
              source.port, user.name FROM read_parquet('{tmp_path}/corpus/events/**/*.parquet')
            WHERE event.sequence = {event["event"]["sequence"]}"""
    ).fetchall()
    assert found == [
        (
            event["winlog"]["record_id"],
            event["winlog"]["event_data"]["UtcTime"],
            event["process"]["entity_id"],
            event["process"].get("command_line"),
            event["attack"]["id"],
            event["source"]["port"],
            event["user"]["name"],
        )
    ]


def test_configuration_of_the_readme_is_understood(tmp_path):
    (text,) = re.findall(r"^```toml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    file = tmp_path / "corpus.toml"
    file.write_text(text)
    done = fusiongen("plan", "--config", file)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("50,000,000 events, 2024-08-12 to 2024-08-25")
