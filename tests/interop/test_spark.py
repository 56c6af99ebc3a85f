"""Spark reads a corpus with its own reader, in local mode."""

import pytest
from support import one

pyspark = pytest.importorskip("pyspark")
from pyspark.sql import functions as F  # noqa: E402


@pytest.fixture(scope="module")
def frame(spark, corpus):
    return spark.read.parquet(str(corpus.events))


def test_count(corpus, frame):
    assert frame.count() == corpus.manifest["events"]


def test_partition_columns(frame, db):
    types = dict(frame.dtypes)
    assert types["date"] == "date"
    assert types["category"] == "string"
    found = {(str(r["date"]), r["category"]): r["count"] for r in frame.groupBy("date", "category").count().collect()}
    expected = db.execute("SELECT CAST(date AS VARCHAR), category, count(*) FROM events GROUP BY ALL").fetchall()
    assert found == {(date, category): rows for date, category, rows in expected}


def test_nested_fields_and_filter(frame, db):
    found = (
        frame.where(F.col("winlog.event_id") == 3)
        .select(F.col("event.sequence").alias("sequence"), F.col("winlog.event_data.Image").alias("image"))
        .orderBy("sequence")
        .collect()
    )
    expected = db.execute(
        """SELECT event."sequence", winlog.event_data.Image FROM events WHERE winlog.event_id = 3 ORDER BY 1"""
    ).fetchall()
    assert len(expected) > 0
    assert [tuple(row) for row in found] == expected


def test_timestamps_are_utc(frame, db):
    assert dict(frame.dtypes)["@timestamp"] == "timestamp"
    moment = F.col("`@timestamp`")
    low, high = frame.select(
        F.date_format(F.min(moment), "yyyy-MM-dd HH:mm:ss.SSSSSS"),
        F.date_format(F.max(moment), "yyyy-MM-dd HH:mm:ss.SSSSSS"),
    ).first()
    expected = db.execute(
        """SELECT strftime(min("@timestamp"), '%Y-%m-%d %H:%M:%S.%f'), strftime(max("@timestamp"), '%Y-%m-%d %H:%M:%S.%f')
           FROM events"""
    ).fetchone()
    assert (low, high) == expected
    assert frame.where(F.to_date(moment) != F.col("date")).count() == 0


def test_lists(frame, db):
    found = frame.where(F.array_contains("threat.technique.id", "T1021.002")).count()
    assert found == one(db, "SELECT count(*) FROM events WHERE list_contains(threat.technique.id, 'T1021.002')") > 0


def test_whole_rows_decode(spark, corpus):
    """Every column of one file, through Spark's vectorised reader and through its row reader."""
    path = max(corpus.files, key=lambda file: file.stat().st_size)
    for vectorised in ("true", "false"):
        spark.conf.set("spark.sql.parquet.enableVectorizedReader", vectorised)
        rows = spark.read.parquet(str(path)).limit(1000).collect()
        assert rows and all(row["@timestamp"] is not None for row in rows)
    spark.conf.set("spark.sql.parquet.enableVectorizedReader", "true")


def test_pruned_and_unpruned_answers_agree(spark, frame):
    """Statistics and page index never hide a row that matches."""
    query = (F.col("winlog.event_id") == 3) & (F.col("destination.port") == 445)
    answers = []
    for pruning in ("true", "false"):
        spark.conf.set("spark.sql.parquet.filterPushdown", pruning)
        answers.append(frame.where(query).count())
    spark.conf.set("spark.sql.parquet.filterPushdown", "true")
    assert answers[0] == answers[1] > 0
