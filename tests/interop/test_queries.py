"""The query suite: engines give the known answers, and `queries run` notices what is wrong or slow."""

import base64
import html.parser
import json
import re
import signal
import subprocess
import sys
import textwrap

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import query_mutants
from support import SAMPLE_INPUTS, binary, fusiongen, generate

ENVIRONMENT = {"FUSIONGEN_PYTHON": sys.executable}


def queries(*arguments, timeout=900):
    return fusiongen("queries", *arguments, env=ENVIRONMENT, timeout=timeout)


def measured(corpus, record, *arguments) -> dict:
    """Runs the suite, which must be fine, and returns the record."""
    done = queries("run", corpus.path, "--tries", "1", "--threads", "2", "-o", record, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(record.read_text())


def by_query(record: dict) -> dict:
    return {outcome["query"]: outcome for outcome in record["queries"]}


def answered(file, *settings):
    """Writes the known answers of a corpus with these settings, and returns the file."""
    done = queries("answers", *settings, "-o", file)
    assert done.returncode == 0, done.stdout + done.stderr
    return file


SMALL = ("--events", "60k", "--days", "2", "--partition-by", "date", *SAMPLE_INPUTS)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """60,000 events of the sample inputs in two days. Few files: Spark lists them for each query."""
    return generate(tmp_path_factory.mktemp("queries") / "corpus", *SMALL)


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    return answered(tmp_path_factory.mktemp("answers") / "answers.json", *SMALL)


@pytest.fixture(scope="module")
def duckdb_run(small, answers, tmp_path_factory):
    record = tmp_path_factory.mktemp("run") / "duckdb.json"
    return measured(small, record, "--engine", "duckdb", "--answers", answers)


def test_duckdb_gives_the_known_answer_of_every_query(duckdb_run):
    outcomes = duckdb_run["queries"]
    listed = json.loads(queries("list", "--json").stdout)
    assert [outcome["query"] for outcome in outcomes] == [query["name"] for query in listed]
    assert len(outcomes) >= 40
    for outcome in outcomes:
        assert outcome["status"] == "fine", outcome
        assert outcome["rows"] > 0 and outcome["samples"][0]["ms"] > 0
    assert [outcome["answer"] for outcome in outcomes] == [query["answer"] for query in listed]


def test_spark_gives_the_same_rows(small, answers, duckdb_run, tmp_path):
    pytest.importorskip("pyspark")
    spark = measured(small, tmp_path / "spark.json", "--engine", "spark", "--answers", answers)
    assert_same(by_query(spark), by_query(duckdb_run))


def assert_same(found: dict, expected: dict):
    assert found.keys() == expected.keys()
    for name, outcome in found.items():
        assert outcome["result"] == expected[name]["result"], name
        assert outcome["columns"] == expected[name]["columns"], name
        assert outcome["checksum"] == expected[name]["checksum"], name


#: Queries that an engine cannot run, and what it says; docs/queries.md has the same table.
EXCEPTIONS = {
    "datafusion": {},
    "chdb": {"q17_brute_force_success": "nonnegative 32-bit integer"},
    "polars": {"q17_brute_force_success": "window frame"},
}


def of_engine(corpus, engine, record) -> dict:
    """Runs the suite, without the queries that the engine refuses, which it must still do."""
    pytest.importorskip(engine)
    done = queries("run", corpus.path, "--engine", engine, "--tries", "1", "--threads", "2", "-o", record)
    found = by_query(json.loads(record.read_text())) if record.exists() else pytest.fail(done.stdout + done.stderr)
    for name, message in EXCEPTIONS[engine].items():
        refused = found.pop(name)
        assert refused["status"] == "failed" and message in refused["problem"], refused
    assert done.returncode == (3 if EXCEPTIONS[engine] else 0), done.stdout + done.stderr
    assert {outcome["status"] for outcome in found.values()} == {"fine"}, done.stdout
    return found


@pytest.mark.parametrize("engine", EXCEPTIONS)
def test_another_engine_gives_the_same_rows(engine, small, duckdb_run, tmp_path):
    found = of_engine(small, engine, tmp_path / "run.json")
    expected = {name: outcome for name, outcome in by_query(duckdb_run).items() if name not in EXCEPTIONS[engine]}
    assert_same(found, expected)


@pytest.mark.parametrize("engine", EXCEPTIONS)
@pytest.mark.parametrize(
    "settings",
    [["--schema", "ecs", "--table", "delta"], ["--attack-chain-ratio", "0", "--partition-by", "date"]],
    ids=["files of a table, ECS", "no attacks"],
)
def test_another_engine_reads_every_layout(engine, settings, tmp_path):
    """Partitions of dates and categories beside the log of a table; truth without a file."""
    pytest.importorskip(engine)
    corpus = generate(tmp_path / "corpus", "--events", "10k", "--days", "2", *settings)
    only = ["--only", "q01,q25,q31,q33,q38,q41" + (",q03,q27,q34" if "ecs" in settings else "")]
    found = by_query(measured(corpus, tmp_path / "run.json", "--engine", engine, *only))
    assert_same(found, by_query(measured(corpus, tmp_path / "duckdb.json", *only)))


@pytest.mark.parametrize(
    "settings",
    [
        ["--schema", "ecs", "--events", "40k", "--days", "2", "--partition-by", "date"],
        ["--labels", "none", "--events", "20k", "--days", "1", "--seed", "3"],
        ["--events", "100k", "--days", "10", "--seed", "5", "--partition-by", "date"],
    ],
    ids=["ecs", "no labels", "ten days"],
)
def test_other_corpora_have_known_answers_that_are_not_empty(settings, tmp_path):
    answers = answered(tmp_path / "answers.json", *settings)
    record = measured(generate(tmp_path / "corpus", *settings), tmp_path / "run.json", "--answers", answers)
    for outcome in record["queries"]:
        assert outcome["rows"] > 0 and outcome["answer"] in ("constructed", "reference"), outcome


def test_answers_are_those_of_one_corpus(small, copy, answers, tmp_path):
    """A corpus without inputs has all that its answers follow from; one with inputs does not."""
    settings = ("--events", "5k", "--days", "2", "--partition-by", "date")
    of_settings = answered(tmp_path / "settings.json", *settings)
    of_corpus = answered(tmp_path / "corpus.json", "--corpus", copy)
    assert of_settings.read_bytes() == of_corpus.read_bytes()
    refused = queries("run", copy, "--answers", answers)
    assert refused.returncode == 2 and "fingerprint" in refused.stderr, refused.stderr
    refused = queries("answers", "--corpus", small.path)
    assert refused.returncode == 2, refused.stdout
    assert "the users" in refused.stderr and "instead of --corpus" in refused.stderr, refused.stderr
    known = json.loads(answers.read_text())["answers"]
    constructed = queries("answers", "--corpus", small.path, "--constructed")
    assert constructed.returncode == 0, constructed.stderr
    found = json.loads(constructed.stdout)["answers"]
    assert found == {number: answer for number, answer in known.items() if answer["answer"] == "constructed"}
    only = json.loads(queries("answers", *SMALL, "--only", "q17,q38", "--checksums").stdout)["answers"]
    assert only == {n: {k: v for k, v in known[n].items() if k != "result"} for n in ("q17", "q38")}


def test_shown_sql_runs_when_it_is_pasted(small, duckdb_run):
    import duckdb

    expected = by_query(duckdb_run)
    for number in ("q03", "q18", "q34", "q41"):
        shown = queries("show", number, "--corpus", small.path)
        assert shown.returncode == 0, shown.stderr
        rows = duckdb.connect().execute(shown.stdout).fetchall()
        outcome = next(value for name, value in expected.items() if name.startswith(number))
        assert [list(row) for row in rows] == outcome["result"]


def test_encoded_commands_are_decoded_as_python_decodes_them(small, duckdb_run):
    import duckdb

    source = f"read_parquet('{small.path}/events/**/*.parquet')"
    commands = duckdb.sql(
        f"""SELECT host.name, "user".name, process.command_line FROM {source}
        WHERE process.command_line ILIKE '%powershell% -enc% %'"""
    ).fetchall()
    known = set()
    for host, user, command in commands:
        code = re.search(r" -enc\S* (\S+)", command, re.IGNORECASE)
        if code and len(code[1]) % 4 == 0:
            known.add((host, user, base64.b64decode(code[1]).decode("utf-16-le", "replace")[:60]))
    result = next(outcome["result"] for name, outcome in by_query(duckdb_run).items() if name.startswith("q13"))
    decoded = {tuple(row[:3]) for row in result if row[2] is not None}
    assert len(decoded) > 2 and decoded <= known, decoded - known


def test_samples_of_hashes_are_near_the_exact_count(duckdb_run):
    result = next(outcome["result"] for name, outcome in by_query(duckdb_run).items() if name.startswith("q44"))
    assert len(result) == 2
    for _, records, exact, by_16, by_256 in result:
        assert records >= exact > 100 and by_16 % 16 == by_256 % 256 == 0
        # Five standard errors: the corpus is always the same, so this never fails by chance.
        assert abs(by_16 - exact) < 5 * 4 * exact**0.5 and abs(by_256 - exact) < 5 * 16 * exact**0.5


@pytest.fixture
def copy(tmp_path):
    """A corpus of two files, to be damaged."""
    return generate(tmp_path / "corpus", "--events", "5k", "--days", "2", "--partition-by", "date").path


def rewritten(path, change):
    """Writes a file again with its rows changed."""
    table = pq.read_table(path, partitioning=None)
    rows = table.to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)


def wrong(directory) -> set[str]:
    """Runs the suite on a damaged corpus; the numbers of the queries that notice."""
    done = queries("run", directory, "--tries", "1", "--only", "q01,q02,q27,q39")
    assert done.returncode == 1, done.stdout + done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    return {line[0][:3] for line in lines if "WRONG" in line}


def test_a_changed_event_is_noticed(copy):
    steps = pq.read_table(sorted(copy.glob("truth/steps/*/*.parquet"))[0], partitioning=None).to_pylist()
    step = next(row for row in steps if row["host"])
    path = copy / f"events/date={step['event_date']}"

    def change(rows):
        event = next(row for row in rows if row["event"]["sequence"] == step["event_sequence"])
        event["host"]["name"] = "ELSEWHERE"

    for file in path.glob("*.parquet"):
        sequences = pq.read_table(file, columns=["event"], partitioning=None)["event"].to_pylist()
        if any(event["sequence"] == step["event_sequence"] for event in sequences):
            rewritten(file, change)
    assert wrong(copy) >= {"q27", "q39"}


def test_a_lost_event_and_a_lost_file_are_noticed(copy):
    file = sorted(copy.glob("events/*/*.parquet"))[-1]
    rewritten(file, lambda rows: rows.pop())
    assert "q01" in wrong(copy)
    file.unlink()
    assert {"q01", "q27"} <= wrong(copy)


# An engine that answers every query with the same row, after a time.
ENGINE = """
    import json, sys, time
    calls = 0
    for line in sys.stdin:
        request = json.loads(line)
        if "open" in request:
            reply = {"engine": "fake", "version": "1"}
        else:
            calls += 1
            time.sleep(MS / 1000)
            reply = REPLY
        print(json.dumps(reply), flush=True)
"""
ROW = '{"ms": MS, "columns": ["n"], "rows": [[1]]}'


@pytest.fixture
def engine(tmp_path):
    def make(name, reply=ROW, milliseconds=1.0):
        path = tmp_path / f"{name}.py"
        text = textwrap.dedent(ENGINE).replace("REPLY", reply).replace("MS", str(milliseconds))
        path.write_text(text)
        return f"{sys.executable} {path}"

    return make


def test_a_slower_engine_is_noticed_and_an_equal_one_is_not(small, engine, tmp_path):
    def run(name, milliseconds, *more):
        arguments = ("--only", "q02,q07", "--tries", "4", "-o", tmp_path / f"{name}.json", *more)
        return queries("run", small.path, "--engine", engine(name, milliseconds=milliseconds), *arguments)

    assert run("old", 20.0).returncode == 0
    assert run("same", 21.0).returncode == 0
    slow = run("slow", 45.0, "--baseline", tmp_path / "old.json")
    assert slow.returncode == 1
    assert "2 slower" in slow.stdout and "SLOWER" in slow.stdout, slow.stdout
    compare = lambda new, *more: queries("compare", tmp_path / "old.json", tmp_path / f"{new}.json", *more)  # noqa: E731
    assert compare("same").returncode == 0
    assert compare("slow").returncode == 1
    assert compare("slow", "--fail-on", "wrong").returncode == 0
    assert compare("slow", "--threshold", "200%").returncode == 0


def test_answers_of_an_engine_are_judged(small, engine, answers):
    done = queries("run", small.path, "--engine", engine("one"), "--only", "q02,q38", "--tries", "2")
    assert done.returncode == 1
    line = next(line for line in done.stdout.splitlines() if line.startswith("q38"))
    assert "WRONG" in line and "constructed" in line and "expected" in line, line
    changing = engine("changing", '{"ms": 1, "columns": ["n"], "rows": [[calls]]}')
    done = queries("run", small.path, "--engine", changing, "--only", "q02", "--tries", "2")
    assert done.returncode == 1 and "changes between runs" in done.stdout
    empty = engine("empty", '{"ms": 1, "columns": ["n"], "rows": []}')
    done = queries("run", small.path, "--engine", empty, "--only", "q02", "--tries", "1")
    assert done.returncode == 0 and "empty, and no answer is known" in done.stdout
    done = queries("run", small.path, "--engine", empty, "--only", "q02", "--tries", "1", "--answers", answers)
    assert done.returncode == 1 and "0 rows, expected" in done.stdout


def test_engines_are_measured_side_by_side(small, engine, tmp_path):
    one, two = tmp_path / "one.json", tmp_path / "two.json"

    def run(milliseconds, *more, reply=ROW):
        a, b = engine("a", milliseconds=20.0), engine("b", reply, milliseconds)
        arguments = ("--only", "q02,q07", "--tries", "4", "-o", one, "--against-output", two, *more)
        return queries("run", small.path, "--engine", a, "--against", b, *arguments)

    slow = run(45.0)
    assert slow.returncode == 1, slow.stdout + slow.stderr
    assert "2 slower" in slow.stdout and re.search(r"^q02\S+ +20 +45 +2.25  SLOWER$", slow.stdout, re.MULTILINE)
    records = [json.loads(path.read_text()) for path in (one, two)]
    assert [record["queries"][0]["samples"][0]["ms"] for record in records] == [20.0, 45.0]
    assert all(len(outcome["samples"]) == 4 for record in records for outcome in record["queries"])
    assert run(45.0, "--fail-on", "wrong").returncode == 0
    assert run(45.0, "--threshold", "200%").returncode == 0
    fast = run(10.0)
    assert fast.returncode == 0 and " 0.50  fine" in fast.stdout, fast.stdout
    other = run(20.0, reply='{"ms": MS, "columns": ["n"], "rows": [[2]]}')
    assert other.returncode == 1 and "2 wrong" in other.stdout and "row 1 col n: 2, expected 1" in other.stdout
    refused = run(20.0, reply='{"error": "no such function"}')
    assert refused.returncode == 3 and "A: fake 1, 2 fine" in refused.stdout and "2 failed" in refused.stdout


def test_tries_of_two_engines_alternate(small, tmp_path):
    log = tmp_path / "log"
    script = tmp_path / "logs.py"
    script.write_text(textwrap.dedent(ENGINE).replace("REPLY", ROW).replace("MS", "1").replace("import json", LOGS))
    command = lambda name: f"{sys.executable} {script} {log} {name}"  # noqa: E731
    done = queries(
        "run", small.path, "--engine", command("a"), "--against", command("b"), "--only", "q02,q07", "--tries", "3",
        "--threads", "2", "--against-threads", "1",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    lines = log.read_text().split()
    assert lines[:2] == ["a:2", "b:1"] and lines[2:] == ["a", "b"] * 6
    assert "B: fake 1 with 1 thread, 2 fine" in done.stdout


# Writes the name of the engine for each request, and its threads for the first.
LOGS = """
import json
loads = json.loads
def logged(line):
    request = loads(line)
    threads = f":{request['open']['threads']}" if "open" in request else ""
    with open(sys.argv[1], "a") as log:
        print(sys.argv[2] + threads, file=log)
    return request
json.loads = logged
import json"""


class Page(html.parser.HTMLParser):
    """Elements that are not closed where they should be, and addresses that a page would load."""

    def __init__(self, text):
        super().__init__()
        self.open, self.problems, self.loads = [], [], []
        self.feed(text)
        self.problems += self.open

    def handle_starttag(self, tag, attributes):
        self.loads += [value for name, value in attributes if name in ("src", "href") and not value.startswith("#")]
        if tag not in ("meta", "br", "link", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.problems.append((tag, self.getpos()))


def test_a_page_shows_runs_side_by_side(small, engine, tmp_path):
    def record(name, milliseconds, reply=ROW):
        path = tmp_path / f"{name}.json"
        command = engine(name, reply, milliseconds)
        queries("run", small.path, "--engine", command, "--only", "q02,q07", "--tries", "3", "-o", path)
        return path

    fast, slow = record("fast", 20.0), record("slow", 45.0)
    broken = record("broken", 20.0, '{"error": "no <function>"}')
    page = tmp_path / "page.html"
    done = queries("report", fast, slow, broken, "-o", page)
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    parsed = Page(text)
    assert parsed.problems == [] and parsed.loads == []
    assert text.count("SLOWER") == 2 and text.count("FAILED") == 2 and "no &lt;function&gt;" in text
    assert small.manifest["fingerprint"] in text and ">2.25<" in text
    queries("report", fast, slow, broken, "-o", tmp_path / "again.html")
    assert (tmp_path / "again.html").read_text() == text
    assert queries("report", fast, "-o", tmp_path / "one.html").returncode == 0
    missing = queries("report", tmp_path / "none.json", "-o", page)
    assert missing.returncode == 2 and "run -o" in missing.stderr


def test_a_run_is_exported_for_clickbench(small, engine, tmp_path):
    run = tmp_path / "run.json"
    command = engine("one", milliseconds=1500.0)
    queries("run", small.path, "--engine", command, "--only", "q02,q38", "--tries", "3", "-o", run)
    done = queries("export", run, "--date", "2026-11-29", "--machine", "c6a.4xlarge")
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert results["result"] == [[1.5, 1.5, 1.5], [None, None, None]], "a wrong answer has no time"
    assert results["data_size"] == sum(entry["bytes"] for entry in small.listed)
    assert (results["system"], results["date"], results["machine"]) == ("fake 1", "2026-11-29", "c6a.4xlarge")
    queries("export", run, "--format", "clickbench", "-o", tmp_path / "results.json")
    assert "date" not in json.loads((tmp_path / "results.json").read_text())
    queries("run", small.path, "--engine", command, "--only", "q02", "--tries", "1", "-o", run)
    fewer = queries("export", run)
    assert fewer.returncode == 2 and "--tries 3" in fewer.stderr


def test_changes_of_queries_are_noticed(small):
    """A part of what query_mutants.py does; docs/queries.md has the figures of the whole suite."""
    judge = query_mutants.Judge(small, ["q02", "q07", "q08", "q10", "q21", "q28", "q33", "q37"])
    results = [(mutant, noticed) for mutant, noticed in judge.mutants() if noticed is not None]
    assert len(results) >= 80 and len({mutant.kind for mutant, _ in results}) >= 10
    survivors = [mutant for mutant, noticed in results if not noticed]
    assert len(survivors) <= 0.15 * len(results), survivors
    assert [mutant for mutant in survivors if query_mutants.reason(mutant) is None] == []


def test_damages_of_a_corpus_are_noticed(tmp_path):
    corpus = query_mutants.sample(tmp_path, "10k")
    only = "q01,q02,q03,q27,q39"
    damages = ["one event is gone", "the host of one event of an attack is another", "the times of one day are an hour late"]
    found = {name: (wrong, other) for name, wrong, other in query_mutants.seen(tmp_path, corpus, damages, only)}
    gone, moved, late = (found[name] for name in damages)
    assert "q01" in gone[0] and {"q27", "q39"} <= moved[0] and "q02" in late[1]


def test_failures_of_an_engine_are_reported(small, engine, tmp_path):
    def failed(command, *more):
        done = queries("run", small.path, "--engine", command, "--only", "q02,q07", "--tries", "1", *more)
        assert done.returncode == 3, done.stdout + done.stderr
        assert "panicked" not in done.stderr
        return done.stdout + done.stderr

    assert "no such function" in failed(engine("refuses", '{"error": "no such function"}'))
    assert "results are texts" in failed(engine("floats", '{"ms": 1, "columns": ["n"], "rows": [[0.5]]}'))
    assert "not JSON" in failed(engine("babbles", "0") + " | sed -u s/^0/babble/")
    assert "it ended" in failed("exit 7 # /")
    assert "took longer than 1 s" in failed(engine("sleeps", milliseconds=20_000), "--timeout", "1")
    missing = fusiongen("queries", "run", small.path, env={"FUSIONGEN_PYTHON": str(tmp_path / "none")})
    assert missing.returncode == 3 and "FUSIONGEN_PYTHON" in missing.stderr


def test_a_run_of_quick_answers_is_stopped(small, engine, tmp_path):
    """45,000 answers, each of which comes at once. The record of an earlier run stays."""
    record, command = tmp_path / "run.json", engine("quick", milliseconds=0.0)
    record.write_text("{}")
    program = subprocess.Popen(
        [binary(), "queries", "run", small.path, "--engine", command, "--tries", "1000", "-o", record],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # The first line is printed before signals are caught, the second after the first query.
    lines = [program.stdout.readline() for _ in range(2)]
    assert lines[1].startswith("q00_floor"), lines
    program.send_signal(signal.SIGINT)
    _, stderr = program.communicate(timeout=10)
    assert program.returncode == 130 and "stopped" in stderr, stderr
    assert record.read_text() == "{}"
    assert {path.name for path in tmp_path.iterdir()} == {"quick.py", "run.json"}


def test_a_file_that_is_read_is_not_replaced(small, engine, answers, tmp_path):
    run, link, known = (tmp_path / name for name in ("run.json", "link.json", "answers.json"))
    known.write_bytes(answers.read_bytes())
    alerts = tmp_path / "alerts.sqlite"
    alerts.write_bytes(SAMPLE_INPUTS[1].read_bytes())
    command = engine("one")
    done = queries("run", small.path, "--engine", command, "--only", "q02", "-o", run)
    assert done.returncode == 0, done.stdout + done.stderr
    link.symlink_to(run)
    again = ("run", small.path, "--engine", command, "--only", "q02")
    for arguments in [
        (*again, "--baseline", run, "-o", run),
        (*again, "--baseline", link, "-o", f"{tmp_path}/./run.json"),
        (*again, "--answers", known, "-o", known),
        (*again, "--against", command, "--answers", known, "--against-output", known),
        ("report", run, "-o", run),
        ("report", link, "-o", run),
        ("export", run, "-o", run),
        ("answers", "--alerts-db", alerts, "-o", alerts),
    ]:
        before = [path.read_bytes() for path in (run, known, alerts)]
        refused = queries(*arguments)
        assert refused.returncode == 2 and "the command reads this file" in refused.stderr, (arguments, refused.stderr)
        assert [path.read_bytes() for path in (run, known, alerts)] == before
    done = queries(*again, "--baseline", run, "--answers", known, "-o", tmp_path / "new.json")
    assert (tmp_path / "new.json").exists(), done.stderr


def test_wrong_usage_names_the_remedy(small, tmp_path):
    def refused(*arguments):
        done = queries(*arguments)
        assert done.returncode == 2, done.stdout + done.stderr
        return done.stderr

    assert "q18_drop_run_connect" in refused("show", "q18_drop_run_conect", "--corpus", small.path)
    assert "duckdb" in refused("run", small.path, "--engine", "ducdb")
    assert "plan.json" in refused("run", tmp_path)
    assert "inside the corpus" in refused("run", small.path, "-o", small.path / "run.json")
    assert "run -o" in refused("compare", tmp_path / "none.json", tmp_path / "none.json")
    assert "--against" in refused("run", small.path, "--against-threads", "1")
    assert "cannot be used with" in refused("run", small.path, "--against", "duckdb", "--baseline", tmp_path / "a.json")
    assert "--against: 'ducdb'" in refused("run", small.path, "--against", "ducdb")
    assert "inside the corpus" in refused("run", small.path, "--against", "duckdb", "--against-output", small.path / "b")
    assert "--tries 2 or more" in refused("run", small.path, "--against", "duckdb", "--tries", "1")
    assert "cannot be used with" in refused("params", "--corpus", small.path, "--seed", "3")
    assert not (small.path / "run.json").exists()


def test_parameters_follow_settings_from_everywhere(small, tmp_path):
    """From files and from settings, by flag or by configuration file, the parameters are the same."""
    found = queries("params", "--corpus", small.path).stdout
    settings = ["--events", "60k", "--days", "2", *SAMPLE_INPUTS]
    assert queries("params", *settings).stdout == found
    config = tmp_path / "corpus.toml"
    config.write_text('events = "60k"\ndays = 2\n')
    assert queries("params", "--config", config, *SAMPLE_INPUTS).stdout == found
    assert queries("params", *settings, "--seed", "43").stdout != found
