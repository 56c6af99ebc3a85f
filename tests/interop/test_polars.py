"""Polars scans a corpus lazily."""

import polars as pl
import pytest
from support import one


@pytest.fixture(scope="module")
def scan(corpus):
    return pl.scan_parquet(corpus.events, hive_partitioning=True)


def test_count(corpus, scan):
    assert scan.select(pl.len()).collect().item() == corpus.manifest["events"]


def test_partition_columns(scan):
    schema = scan.collect_schema()
    assert schema["category"] == pl.String
    assert schema["date"] in (pl.Date, pl.String)
    days = scan.select(pl.col("date").cast(pl.String)).unique().collect()["date"].sort().to_list()
    assert days == [f"2024-08-{day}" for day in range(12, 19)]


def test_timestamp_is_utc(scan):
    assert scan.collect_schema()["@timestamp"] == pl.Datetime("us", "UTC")


def test_pushed_down_filter_agrees_with_duckdb(scan, db):
    sequence = pl.col("event").struct.field("sequence").alias("sequence")
    image = pl.col("winlog").struct.field("event_data").struct.field("Image").alias("image")
    found = (
        scan.filter(pl.col("winlog").struct.field("event_id") == 3).select(sequence, image).sort("sequence").collect()
    )
    expected = db.execute(
        """SELECT event."sequence", winlog.event_data.Image FROM events WHERE winlog.event_id = 3 ORDER BY 1"""
    ).fetchall()
    assert len(expected) > 0
    assert found.rows() == expected


def test_partition_and_time_filters_agree_with_duckdb(scan, db):
    noon = pl.datetime(2024, 8, 14, 12, time_zone="UTC")
    found = (
        scan.filter((pl.col("date").cast(pl.String) == "2024-08-14") & (pl.col("@timestamp") < noon))
        .select(pl.len())
        .collect()
        .item()
    )
    expected = one(
        db,
        """SELECT count(*) FROM events
           WHERE date = '2024-08-14' AND "@timestamp" < TIMESTAMPTZ '2024-08-14 12:00:00+00'""",
    )
    assert found == expected > 0


def test_list(scan):
    first = scan.select(pl.col("host").struct.field("ip").list.first().alias("ip")).drop_nulls().head(1).collect()
    assert first["ip"][0].count(".") == 3


def test_whole_files_decode(corpus):
    """Every column of some files, not only those that a query touches."""
    for path in corpus.files[:: max(1, len(corpus.files) // 10)]:
        assert pl.read_parquet(path, hive_partitioning=False).height > 0
