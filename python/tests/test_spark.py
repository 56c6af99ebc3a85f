"""Spark writes the corpus of the command line, whatever dies, and reads events without files."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

import fusiongen
from conftest import SMALL

pyspark = pytest.importorskip("pyspark")
if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
    pytest.skip("SKIPPED: Spark needs Java, which is not here", allow_module_level=True)

from pyspark.sql import functions as F  # noqa: E402

from fusiongen import spark as on_spark  # noqa: E402

DAY = "2024-08-13"


@pytest.fixture(scope="module")
def session():
    os.environ |= {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
    session = (
        pyspark.sql.SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "America/New_York")
        .config("spark.sql.shuffle.partitions", "2")
        .getOrCreate()
    )
    yield session
    session.stop()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    out = tmp_path_factory.mktemp("local") / "corpus"
    fusiongen.generate(out, **SMALL)
    return out


def events(session, **options):
    settings = {name: str(value) for name, value in (SMALL | options).items()}
    return session.read.format("fusiongen").options(**settings)


def test_importing_the_module_imports_no_spark():
    code = "import sys, fusiongen; assert not [m for m in sys.modules if 'pyspark' in m]"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_corpus_is_the_same(session, corpus, tmp_path, files):
    out = tmp_path / "corpus"
    summary = on_spark.generate(session, out, **SMALL, task_rows="2k")
    assert summary.finished and summary.events == 20_000
    assert files(out) == files(corpus)
    # A complete corpus is kept; another one is refused before the first task, or replaced.
    assert on_spark.generate(session, out, **SMALL).finished
    with pytest.raises(fusiongen.Error, match="another corpus"):
        on_spark.generate(session, out, **{**SMALL, "seed": 8})
    on_spark.generate(session, out, **{**SMALL, "events": 2000}, overwrite=True)
    assert fusiongen.integrity(out).passed


def test_wrong_arguments_are_found_by_the_driver(session, tmp_path):
    with pytest.raises(fusiongen.SettingError, match="events"):
        on_spark.generate(session, tmp_path / "corpus", events="many")
    for threads in (0, -1, "x"):
        with pytest.raises(fusiongen.SettingError, match="is not a number of threads"):
            on_spark.generate(session, "/nowhere", **SMALL, threads=threads)
    with pytest.raises(fusiongen.Error, match="no object store"):
        on_spark.generate(session, "ftp://host/corpus", **SMALL)
    with pytest.raises(fusiongen.Error, match="two slashes"):
        on_spark.generate(session, Path("s3://bucket/corpus"), **SMALL)
    assert not list(tmp_path.iterdir())


def test_a_task_that_fails_leaves_no_temporary_file(session, corpus, tmp_path, files):
    out = tmp_path / "corpus"
    fusiongen.plan(**SMALL).begin(out)
    (out / "events").write_text("in the way")
    with pytest.raises(Exception, match="fusiongen did not write this"):
        on_spark.generate(session, out, **SMALL)
    assert not list(out.rglob("*.inprogress"))
    assert not (out / "_SUCCESS").exists()
    (out / "events").unlink()
    assert on_spark.generate(session, out, **SMALL).finished
    assert files(out) == files(corpus)


def test_rows_of_a_data_frame_are_refused(session):
    with pytest.raises(Exception, match=r"fusiongen\.spark\.generate"):
        session.range(3).write.format("fusiongen").mode("append").save()


def test_the_reader_has_the_rows_of_the_files(session, tmp_path):
    fusiongen.generate(tmp_path, **{**SMALL, "events": 2000})
    made = events(session, events=2000).load()
    written = session.read.parquet(str(tmp_path / "events"))
    assert made.columns == written.columns
    assert dict(made.dtypes) == dict(written.dtypes)
    key = F.col("event.sequence").alias("key")
    rows = [frame.orderBy(key).collect() for frame in (made, written)]
    assert len(rows[0]) == 2000
    assert rows[0] == rows[1]


def test_partitions_are_groups_of_files(session):
    plan = fusiongen.plan(**SMALL)
    tasks = [task for task in plan.tasks("2k") if task[0].kind == "events"]
    made = events(session, task_rows="2k").load()
    assert made.rdd.getNumPartitions() == len(tasks) > 2
    found = {
        (str(row["date"]), row["category"]): row["count"]
        for row in made.groupBy("date", "category").count().collect()
    }
    expected = {(part.date, part.category): part.rows for part in plan.partitions}
    assert found == expected


@pytest.mark.parametrize("partition_by", ["date,category", "date"])
def test_a_date_and_categories(session, partition_by):
    plan = fusiongen.plan(**SMALL)
    names = sorted({part.category for part in plan.partitions})[:9:4]
    part = events(
        session, date=DAY, category=", ".join(names), partition_by=partition_by, columns="event"
    )
    counts = part.load().groupBy("date", "category").count().collect()
    found = {(str(row["date"]), row["category"]): row["count"] for row in counts}
    assert found == {
        (part.date, part.category): part.rows
        for part in plan.partitions
        if part.date == DAY and part.category in names
    }


@pytest.mark.parametrize("day", [date(2024, 8, 13), "2024-8-13", f"{DAY}, 2024-8-13"])
def test_a_date_and_a_category_given_twice_are_read_once(session, day):
    part = next(part for part in fusiongen.plan(**SMALL).partitions if part.date == DAY)
    given = {"date": day, "category": f"{part.category}, {part.category}", "partition_by": "date"}
    rows = events(session, **given, columns="event.kind").load().groupBy("date", "category")
    found = [(str(row["date"]), row["category"], row["count"]) for row in rows.count().collect()]
    assert found == [(DAY, part.category, part.rows)]


def test_a_frame_with_two_conditions_has_the_rows_of_each(session):
    """PySpark 4.3.0 mixes them up for readers that take filters."""
    session.conf.set("spark.sql.python.filterPushdown.enabled", "true")
    try:
        made = events(session, columns="event.kind").load()
        of_day = made.where(F.col("date") == DAY).count()
        assert made.count() == 20_000
        assert of_day == sum(p.rows for p in fusiongen.plan(**SMALL).partitions if p.date == DAY)
    finally:
        session.conf.unset("spark.sql.python.filterPushdown.enabled")


def test_columns_and_a_schema_of_ones_own(session):
    whole = events(session).load()
    part = events(session, columns="host.name, event").load()
    assert part.columns == ["event", "host", "date", "category"]
    schema = "category string, host struct<name:string>, `@timestamp` timestamp"
    own = events(session).schema(schema).load()
    assert own.schema.simpleString() == (
        "struct<category:string,host:struct<name:string>,@timestamp:timestamp>"
    )
    hosts = lambda frame: dict(frame.groupBy("host.name").count().collect())
    assert hosts(whole) == hosts(part) == hosts(own)
    # Spark's session is in New York; the window is in UTC.
    low = own.agg(F.min("@timestamp").cast("long")).first()[0]
    day = int((date(2024, 8, 12) - date(1970, 1, 1)).total_seconds())
    assert day <= low < day + 3600


@pytest.mark.parametrize(
    ("options", "schema", "message"),
    [
        ({"evnets": 5}, None, "did you mean events"),
        ({"days": 0}, None, "days"),
        ({"columns": "host.nam"}, None, "did you mean host.name"),
        ({"category": "psexec_latera"}, None, "did you mean psexec_lateral"),
        ({"date": "2031-01-01"}, None, "window"),
        ({"date": "yesterday"}, None, "is not a date"),
        ({}, "host struct<nam:string>", "events have no field 'host.nam'"),
        ({}, "host string", "'host' is struct"),
    ],
)
def test_wrong_options_are_told(session, options, schema, message):
    reader = events(session, **options)
    reader = reader.schema(schema) if schema else reader
    with pytest.raises(Exception, match=message):
        reader.load().count()
