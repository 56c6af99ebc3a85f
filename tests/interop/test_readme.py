"""The README's commands and the recipes of docs/recipes.md run unchanged, on the tests' corpora.

    UPDATE_DOCS=1 pytest test_readme.py      writes the event of the pages anew
"""

import json
import os
import re
import shlex
import subprocess
import sys

import duckdb
import pytest
from support import ROOT, blocks, fusiongen

#: Paths in recipes, and the fixtures that replace them.
PLACES = {"out/corpus/events": "corpus", "out/lines/events": "lines"}

README = (ROOT / "README.md").read_text()
DOCS = ROOT / "docs"


def recipes(text: str) -> list[tuple[str, str, str]]:
    """(name, language, code) of a page's recipes in SQL and Python."""
    found = [block for block in blocks(text) if block.language in ("python", "sql")]
    return [(f"{block.heading} {number}", block.language, block.code) for number, block in enumerate(found, 1)]


RECIPES = recipes((DOCS / "recipes.md").read_text())


def test_helper_recipes():
    text = "# A\n```sql\nno\n```\n## X\n```sql words\n# SELECT\n```\n```sh\nls\n```\n```\nplain\n```\n## B\n```python\nno\n```\n"
    assert recipes(text) == [("A 1", "sql", "no\n"), ("X 2", "sql", "# SELECT\n"), ("B 3", "python", "no\n")]
    assert [text[block.start : block.end] == block.code for block in blocks(text)] == [True] * 4
    assert blocks(text)[1].words == "words"


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
    """The arguments of every `cargo run --release --`."""
    return [shlex.split(line) for line in re.findall(r"^cargo run --release -- (.*)$", text, re.MULTILINE)]


def test_commands_do_what_the_readme_says(tmp_path):
    """Unchanged and in order, except for sizes and output paths."""
    found = commands(README)
    assert {arguments[0] for arguments in found} == {"generate", "plan", "sample", "report"}
    for arguments in found:
        small = {"1M": "20k"} if arguments[0] == "generate" else {}
        arguments = [small.get(word, re.sub(r"^out/", f"{tmp_path}/", word)) for word in arguments]
        done = fusiongen(*arguments)
        assert done.returncode == 0, (arguments, done.stderr)
        assert done.stdout.strip()
    assert {path.name for path in tmp_path.iterdir()} == {"corpus", "report.html"}


def test_jobs_of_the_readme_are_on_their_pages():
    """test_jobs.py runs them there."""
    jobs = [block.code for block in blocks(README) if block.heading == "Jobs"]
    pages = re.findall(r"\]\(docs/jobs/([a-z-]+\.md)\)", README)
    assert len(jobs) == len(pages) == len(list((DOCS / "jobs").glob("*.md"))) == 5
    for job, page in zip(jobs, pages):
        lines = (DOCS / "jobs" / page).read_text().splitlines()
        assert set(job.splitlines()) <= set(lines), page


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    """Files and headings that pages name."""
    text = page.read_text()
    for block in reversed(blocks(text)):
        text = text[: block.start] + text[block.end :]
    for path, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)", text):
        target = page.parent / path if path else page
        assert target.exists(), f"{page.name} names {path}"
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
            slugs = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
            assert anchor in slugs, f"{page.name} names {path}#{anchor}"


def without_nulls(event):
    if isinstance(event, dict):
        fields = {name: without_nulls(value) for name, value in event.items()}
        return {name: value for name, value in fields.items() if value not in (None, {})}
    return event


def only(event, form):
    """The fields of an event that another one has."""
    return {name: only(event[name], form[name]) for name in form} if isinstance(form, dict) else event


def short(event: dict, form: str) -> str:
    """The fields of an event that a text has, divided into lines as in the text."""
    lines = [json.loads("{" + line.strip().rstrip(",") + "}") for line in form.splitlines()[1:-1]]
    return "{\n" + ",\n".join(f"  {json.dumps(only(event, line), ensure_ascii=False)[1:-1]}" for line in lines) + "\n}\n"


def test_helper_short():
    event = {"a": {"b": 1, "c": {"d": "é"}}, "e": [2], "f": 3}
    assert short(event, '{\n  "e": 0, "a": {"c": 0},\n  "f": 0\n}\n') == '{\n  "e": [2], "a": {"c": {"d": "é"}},\n  "f": 3\n}\n'


def test_the_event_of_the_pages_is_one_that_the_readmes_command_writes(tmp_path):
    """docs/output.md shows all of it, the README a part."""
    pages = {page: next(b for b in blocks(page.read_text()) if b.language == "json") for page in (DOCS / "output.md", ROOT / "README.md")}
    (arguments,) = [a for a in commands(README) if a[0] == "generate"]
    arguments = [re.sub(r"^out/", f"{tmp_path}/", word) for word in arguments]
    done = fusiongen(*arguments)
    assert done.returncode == 0, done.stderr
    written = json.loads(pages[DOCS / "output.md"].code)
    which = f"event.sequence = {written['event']['sequence']}"
    if os.environ.get("UPDATE_DOCS"):
        which = "rule.name = 'PsExec Client Started Against Remote Host' AND winlog.event_id = 3 AND labels.verdict = 'attack'"
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    time, text = connection.execute(
        f"""SELECT strftime("@timestamp", '%Y-%m-%dT%H:%M:%S.%fZ'), to_json(e)
            FROM read_parquet('{tmp_path}/corpus/events/**/*.parquet', hive_partitioning = false) AS e
            WHERE {which} ORDER BY event.sequence LIMIT 1"""
    ).fetchone()
    event = without_nulls(json.loads(text)) | {"@timestamp": time}
    for page, block in pages.items():
        text = short(event, block.code) if page.name == "README.md" else json.dumps(event, indent=2, ensure_ascii=False) + "\n"
        if os.environ.get("UPDATE_DOCS"):
            page.write_text(page.read_text()[: block.start] + text + page.read_text()[block.end :])
        else:
            assert text == block.code, page


def test_configuration_of_the_readme_is_understood(tmp_path):
    (text,) = [block.code for block in blocks(README) if block.language == "toml"]
    file = tmp_path / "corpus.toml"
    file.write_text(text)
    done = fusiongen("plan", "--config", file)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("50,000,000 events, 2024-08-12 to 2024-08-25")
