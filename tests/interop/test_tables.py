"""Delta and Iceberg tables, read by several engines: equal counts per partition, and files skipped.

Delta: delta-rs, Polars, DuckDB. Iceberg: PyIceberg, Polars, DuckDB. DuckDB reads both by extensions, which PyPI has
for another version than that of the other tests' client; its command line runs them
(`requirements-no-deps.txt`).
"""

import json
import re
import subprocess
import sys
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from support import ROOT, SAMPLE_INPUTS, Corpus, fusiongen, generate

DAY = "2024-08-13"
PAGE = (ROOT / "docs" / "tables.md").read_text()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A corpus of each table format, by name."""
    place = tmp_path_factory.mktemp("tables")
    # A path with a space.
    outs = {"delta": place / "delta" / "corpus", "iceberg": place / "an iceberg" / "corpus"}
    return {
        table: generate(out, "--events", "12k", "--days", "2", "--table", table, *SAMPLE_INPUTS)
        for table, out in outs.items()
    }


def per_partition(corpus: Corpus) -> dict:
    """Rows by (date, category), of the manifest."""
    counts = {}
    for entry in corpus.listed:
        partition = tuple(re.findall(r"(?:date|category)=([^/]+)", entry["path"]))
        counts[partition] = counts.get(partition, 0) + entry["rows"]
    return counts


def of_day(corpus: Corpus, day=DAY) -> list[dict]:
    return [entry for entry in corpus.listed if f"date={day}/" in entry["path"]]


def may_hold_sysmon_3(corpus: Corpus) -> list[dict]:
    """Files of the day whose bounds of winlog.event_id, in the footer, include 3."""
    found = []
    for entry in of_day(corpus):
        footer = pq.read_metadata(corpus.path / entry["path"])
        assert footer.num_row_groups == 1
        (column,) = [
            column
            for column in map(footer.row_group(0).column, range(footer.num_columns))
            if column.path_in_schema == "winlog.event_id"
        ]
        statistics = column.statistics
        if statistics.has_min_max and statistics.min <= 3 <= statistics.max:
            found.append(entry)
    return found


def sysmon_3(corpus: Corpus) -> int:
    """Rows of Sysmon 3 on the day, from the files."""
    files = ds.dataset([corpus.path / entry["path"] for entry in of_day(corpus)], format="parquet")
    return files.count_rows(filter=ds.field("winlog", "event_id") == 3)


def counts_of(frame: pl.DataFrame) -> dict:
    return {(str(row["date"]), row["category"]): row["rows"] for row in frame.to_dicts()}


def grouped(scan: pl.LazyFrame) -> dict:
    return counts_of(scan.group_by("date", "category").agg(pl.len().alias("rows")).collect())


def files_read(scan: pl.LazyFrame) -> int:
    """Number of Parquet files that a scan's plan names."""
    found = re.search(r"Parquet SCAN \[[^\]]*?(?:\.\.\. (\d+) other sources)?\]", scan.explain())
    assert found, scan.explain()
    named = found.group(0).count(".parquet")
    return named + int(found.group(1) or 0)


# Delta


@pytest.fixture(scope="module")
def delta(made):
    deltalake = pytest.importorskip("deltalake")
    return deltalake.DeltaTable(str(made["delta"].events), version=0)


def test_delta_is_what_was_written(delta, made):
    corpus = made["delta"]
    assert delta.version() == 0
    assert delta.metadata().partition_columns == ["date", "category"]
    assert sorted(f"events/{path}" for path in delta.get_add_actions(flatten=True)["path"].to_pylist()) == sorted(
        entry["path"] for entry in corpus.listed
    )
    actions = delta.get_add_actions(flatten=True)
    assert sum(actions["num_records"].to_pylist()) == corpus.manifest["events"]


def sql(table, text: str):
    from deltalake import QueryBuilder

    return pa.table(QueryBuilder().register("e", table).execute(text).read_all())


def test_delta_rs_counts_partitions(delta, made):
    rows = sql(delta, "SELECT cast(date AS VARCHAR) AS date, category, count(*) AS rows FROM e GROUP BY 1, 2")
    assert counts_of(pl.from_arrow(rows)) == per_partition(made["delta"])


def test_delta_rs_skips_files(delta, made):
    corpus = made["delta"]
    on_day = f"date = '{DAY}'"
    assert files_scanned(delta, on_day) == len(of_day(corpus)) < len(corpus.listed)
    # The statistics of a nested column skip more.
    of_sysmon = f"{on_day} AND winlog['event_id'] = 3"
    assert files_scanned(delta, of_sysmon) == len(may_hold_sysmon_3(corpus)) < len(of_day(corpus))
    assert sql(delta, f"SELECT count(*) AS n FROM e WHERE {of_sysmon}")["n"].to_pylist() == [sysmon_3(corpus)]


def files_scanned(table, condition: str) -> int:
    """Row groups that delta-rs considered, by its metrics. A file of these corpora has one."""
    plan = sql(table, f"EXPLAIN ANALYZE SELECT max(message) FROM e WHERE {condition}")
    text = " ".join(plan["plan"].to_pylist())
    found = re.search(r"row_groups_pruned_statistics=(\d+) total", text)
    assert found, text
    return int(found.group(1))


def test_delta_rs_extremes_are_those_of_the_rows(delta, made):
    """Engines may answer them from the log's statistics."""
    rows = ds.dataset(made["delta"].files, format="parquet").to_table(columns=["@timestamp", "message"])
    for column in rows.column_names:
        expected = pc.min_max(rows[column]).as_py()
        # One a query: DataFusion 55 can answer several wrongly, from any Parquet files.
        for name in ("min", "max"):
            found = sql(delta, f'SELECT {name}("{column}") AS n FROM e')
            assert found["n"].to_pylist() == [expected[name]], (name, column)


def test_polars_reads_delta_and_skips_files(made):
    corpus = made["delta"]
    scan = pl.scan_delta(str(corpus.events), version=0)
    assert scan.collect_schema()["date"] == pl.Date
    assert grouped(scan) == per_partition(corpus)
    on_day = scan.filter(pl.col("date") == date.fromisoformat(DAY))
    assert files_read(scan) == len(corpus.listed)
    assert files_read(on_day) == len(of_day(corpus))
    rows = on_day.filter(pl.col("winlog").struct.field("event_id") == 3).select(pl.len()).collect().item()
    assert rows == sysmon_3(corpus)


# Iceberg


@pytest.fixture(scope="module")
def iceberg(made):
    table = pytest.importorskip("pyiceberg.table")
    return table.StaticTable.from_metadata(str(made["iceberg"].events / "metadata" / "v1.metadata.json"))


def planned(iceberg, condition: str) -> list[str]:
    prefix = iceberg.location().removesuffix("events")
    return sorted(task.file.file_path.removeprefix(prefix) for task in iceberg.scan(row_filter=condition).plan_files())


def test_iceberg_is_what_was_written(iceberg, made):
    corpus = made["iceberg"]
    assert iceberg.format_version == 2
    files = iceberg.inspect.files()
    assert files.num_rows == len(corpus.listed)
    assert sum(files["record_count"].to_pylist()) == corpus.manifest["events"]
    partitions = iceberg.inspect.partitions().to_pylist()
    found = {(str(p["partition"]["date"]), p["partition"]["category"]): p["record_count"] for p in partitions}
    assert found == per_partition(corpus)


def test_pyiceberg_skips_files(iceberg, made):
    corpus = made["iceberg"]
    on_day = f"date = '{DAY}'"
    assert planned(iceberg, on_day) == sorted(entry["path"] for entry in of_day(corpus))
    # A column's bounds skip more.
    of_sysmon = planned(iceberg, f"{on_day} AND winlog.event_id = 3")
    assert of_sysmon == sorted(entry["path"] for entry in may_hold_sysmon_3(corpus))
    assert len(of_sysmon) < len(of_day(corpus))
    category = corpus.listed[0]["path"].split("category=")[1].split("/")[0]
    of_category = planned(iceberg, f"category = '{category}'")
    assert of_category == sorted(e["path"] for e in corpus.listed if f"category={category}/" in e["path"])
    rows = iceberg.scan(
        row_filter=f"{on_day} AND winlog.event_id = 3", selected_fields=("date", "category", "host.ip", "@timestamp")
    ).to_arrow()
    assert rows.num_rows == sysmon_3(corpus)
    # The partition columns are in the manifests alone.
    assert set(rows["date"].to_pylist()) == {date.fromisoformat(DAY)}
    assert None not in rows["category"].to_pylist()


def test_pyiceberg_counts_partitions(iceberg, made):
    rows = iceberg.scan(selected_fields=("date", "category")).to_arrow()
    counted = pl.from_arrow(rows).group_by("date", "category").agg(pl.len().alias("rows"))
    assert counts_of(counted) == per_partition(made["iceberg"])


def test_polars_reads_iceberg_and_skips_files(iceberg, made):
    corpus = made["iceberg"]
    scan = pl.scan_iceberg(iceberg, reader_override="native")
    assert grouped(scan) == per_partition(corpus)
    on_day = scan.filter(pl.col("date") == date.fromisoformat(DAY))
    assert files_read(scan) == len(corpus.listed)
    assert files_read(on_day) == len(of_day(corpus))
    rows = on_day.filter(pl.col("winlog").struct.field("event_id") == 3).select(pl.len()).collect().item()
    assert rows == sysmon_3(corpus)


def test_a_sql_catalog_registers_the_table(made, tmp_path):
    sql_catalog = pytest.importorskip("pyiceberg.catalog.sql")
    catalog = sql_catalog.SqlCatalog("here", uri=f"sqlite:///{tmp_path}/catalog.sqlite", warehouse=f"file://{tmp_path}")
    catalog.create_namespace("siem")
    metadata = made["iceberg"].events / "metadata" / "v1.metadata.json"
    table = catalog.register_table("siem.events", f"file://{metadata}")
    assert table.scan().count() == made["iceberg"].manifest["events"]


# DuckDB


def duckdb(text: str, *options: str) -> str:
    """What DuckDB's command line prints, with its extensions."""
    if not find_spec("duckdb_cli"):
        pytest.skip("duckdb-cli is not installed; tests/run.sh installs it")
    loads = ""
    for name in ("avro", "delta", "iceberg"):
        place = Path(find_spec(f"duckdb_extension_{name}").origin).parent
        (file,) = place.rglob(f"{name}.duckdb_extension")
        loads += f"LOAD '{file}';"
    program = Path(find_spec("duckdb_cli").origin).parent / "duckdb"
    done = subprocess.run(
        [program, *options, "-c", f"{loads} {text}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("table", ["delta", "iceberg"])
def test_duckdb_reads_tables_and_skips_files(made, table):
    corpus = made[table]
    source = f"{table}_scan('{corpus.events}')"
    rows = json.loads(duckdb(f"SELECT date, category, count(*) AS rows FROM {source} GROUP BY ALL", "-json"))
    assert {(row["date"], row["category"]): row["rows"] for row in rows} == per_partition(corpus)
    where = f"WHERE date = '{DAY}' AND winlog.event_id = 3"
    (row,) = json.loads(duckdb(f"SELECT count(*) AS n FROM {source} {where}", "-json"))
    assert row["n"] == sysmon_3(corpus)
    plan = duckdb(f"EXPLAIN ANALYZE SELECT max(message) FROM {source} {where}")
    read = int(re.search(r"Total Files Read: (\d+)", plan).group(1))
    # Of Iceberg, the extension does not use bounds of nested columns.
    expected = may_hold_sysmon_3(corpus) if table == "delta" else of_day(corpus)
    assert read == len(expected) < len(corpus.listed)


# The page


def recipes() -> list[tuple[str, str]]:
    """(language, code) of the page's fenced blocks."""
    found = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [(language, code) for language, code in found if language in ("python", "sql")]


@pytest.mark.parametrize(("language", "code"), recipes(), ids=lambda text: text.split("\n")[0][:40])
def test_recipes_of_the_page(made, tmp_path, language, code):
    (tmp_path / "out").mkdir()
    for table, corpus in made.items():
        (tmp_path / "out" / table).symlink_to(corpus.path)
    if language == "sql":
        for table, corpus in made.items():
            code = code.replace(f"out/{table}", str(corpus.path))
        assert json.loads(duckdb(code, "-json")), "the recipe finds nothing"
        return
    script = tmp_path / "recipe.py"
    script.write_text(code)
    done = subprocess.run(
        [sys.executable, script], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() not in ("", "0"), "the recipe finds nothing"


def test_commands_of_the_page(tmp_path):
    (commands,) = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    for line in commands.splitlines():
        program, *arguments = line.replace("1M", "3k").replace("out/", f"{tmp_path}/").split()
        assert program == "fusiongen"
        done = fusiongen(*arguments, "--assets", "60", "--days", "1")
        assert done.returncode == 0, done.stderr
        done = fusiongen("check", arguments[-1], "--json")
        invariants = {i["name"]: i for i in json.loads(done.stdout)["invariants"]}
        assert invariants["table.files"]["status"] == "passed", done.stdout
