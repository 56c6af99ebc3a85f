"""Arrow streams in the engines that take them."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
from datetime import date

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pytest

import fusiongen
from conftest import SMALL

EVENTS = SMALL["events"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    out = tmp_path_factory.mktemp("stream") / "corpus"
    fusiongen.generate(out, **SMALL)
    return out


@pytest.fixture(scope="module")
def stream():
    return fusiongen.stream(**SMALL)


def table(stream):
    return pa.RecordBatchReader.from_stream(stream).read_all()


def plain(events):
    """A table without dictionaries, which files do not have."""

    def without(of):
        if pa.types.is_dictionary(of):
            return of.value_type
        if pa.types.is_struct(of):
            return pa.struct([field.with_type(without(field.type)) for field in of])
        if pa.types.is_list(of):
            return pa.list_(of.value_field.with_type(without(of.value_type)))
        return of

    schema = pa.schema([field.with_type(without(field.type)) for field in events.schema])
    arrays = []
    for name, field in zip(events.column_names, schema, strict=True):
        chunks = [_cast(chunk, field.type) for chunk in events.column(name).chunks]
        arrays.append(pa.chunked_array(chunks, type=field.type))
    return pa.Table.from_arrays(arrays, schema=schema)


def _cast(array, to):
    """pyarrow casts no dictionaries inside of structs."""
    if pa.types.is_struct(to):
        children = [_cast(array.field(i), to.field(i).type) for i in range(to.num_fields)]
        return pa.StructArray.from_arrays(children, fields=list(to))
    return array.cast(to)


def test_every_engine_counts_the_rows(stream):
    assert stream.num_rows == EVENTS
    assert sum(batch.num_rows for batch in pa.RecordBatchReader.from_stream(stream)) == EVENTS
    assert pl.DataFrame(stream).height == EVENTS
    assert duckdb.sql("SELECT count(*) FROM stream").fetchall() == [(EVENTS,)]
    query = "SELECT count(DISTINCT event.sequence) FROM stream"
    assert duckdb.sql(query).fetchall() == [(EVENTS,)]
    assert len(pd.DataFrame.from_arrow(stream)) == EVENTS


def test_the_schema_is_known_before_the_rows(stream):
    schema = pa.schema(stream)
    assert schema.names == stream.column_names
    assert schema == table(fusiongen.stream(**{**SMALL, "events": 1000})).schema


def test_rows_are_those_of_the_files(stream, corpus):
    files = ds.dataset(corpus / "events", format="parquet").to_table()
    key = lambda of: of.column("event").combine_chunks().field("sequence")
    ours, theirs = plain(table(stream)), files
    ours = ours.take(pa.compute.sort_indices(key(ours)))
    theirs = theirs.take(pa.compute.sort_indices(key(theirs)))
    assert ours.column_names == theirs.column_names
    for name in ours.column_names:
        assert ours.column(name).combine_chunks().to_pylist() == (
            theirs.column(name).combine_chunks().to_pylist()
        ), name


def test_any_number_of_threads_makes_the_same_stream(stream):
    one = table(fusiongen.stream(**SMALL, threads=1))
    assert one.equals(table(fusiongen.stream(**SMALL, threads=7)))
    assert one.equals(table(stream))
    with pytest.raises(fusiongen.SettingError, match="threads"):
        fusiongen.stream(**SMALL, threads=0)


def test_a_category_a_date_a_shard():
    plan = fusiongen.plan(**SMALL)
    partition = max(plan.partitions, key=lambda partition: partition.rows)
    for day in (partition.date, date.fromisoformat(partition.date)):
        chosen = {"category": partition.category, "date": day}
        part = plan.stream(**chosen, partition_columns=True)
        rows = pl.DataFrame(part)
        assert rows.height == part.num_rows == partition.rows
        assert rows["date"].unique().to_list() == [date.fromisoformat(partition.date)]
        assert rows["category"].cast(pl.String).unique().to_list() == [partition.category]
        assert table(fusiongen.stream(**SMALL, **chosen)).num_rows == partition.rows
    shards = [shard for shard in plan.shards if shard.kind == "events"]
    assert sum(plan.stream(shard=shard).num_rows for shard in shards) == EVENTS
    with pytest.raises(ValueError, match="did you mean psexec_lateral"):
        plan.stream(category="psexec_latera")
    with pytest.raises(ValueError, match="window"):
        plan.stream(date="2031-01-01")
    with pytest.raises(ValueError, match="not a date"):
        plan.stream(date="yesterday")
    with pytest.raises(TypeError, match="date takes"):
        plan.stream(date=7)


def test_columns_are_a_part_of_the_same_rows(stream):
    part = table(fusiongen.stream(**SMALL, columns=["host.name", "event", "@timestamp"]))
    whole = table(stream)
    assert part.column_names == ["@timestamp", "event", "host"]
    assert part.column("event").equals(whole.column("event"))
    host = pa.chunked_array([chunk.field("name") for chunk in whole.column("host").chunks])
    assert [field.name for field in part.schema.field("host").type] == ["name"]
    found = pa.chunked_array([chunk.field("name") for chunk in part.column("host").chunks])
    assert found.equals(host)
    with pytest.raises(ValueError, match="did you mean host.name"):
        fusiongen.stream(**SMALL, columns=["host.nam"])


def test_streams_may_be_left_early_and_read_by_many(stream):
    readers = [pa.RecordBatchReader.from_stream(stream) for _ in range(3)]
    first = [reader.read_next_batch() for reader in readers]
    assert first[0].equals(first[1]) and first[0].equals(first[2])
    del readers, first
    gc.collect()
    capsule = stream.__arrow_c_stream__()
    del capsule
    counts = []
    threads = [
        threading.Thread(target=lambda: counts.append(table(stream).num_rows)) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [EVENTS] * 3


@pytest.mark.parametrize("name", ["chains", "steps", "edges", "iocs", "lookalikes", "verdicts"])
def test_truth_is_that_of_the_files(name, corpus):
    truth = table(fusiongen.truth(name, **SMALL))
    files = ds.dataset(corpus / "truth" / name, format="parquet").to_table()
    assert truth.num_rows == files.num_rows > 0
    assert truth.column_names == files.column_names


def test_a_truth_without_rows_and_one_that_is_not_there():
    assert table(fusiongen.truth("chains", events=2000, attack_chain_ratio=0)).num_rows == 0
    with pytest.raises(ValueError, match="chains, steps"):
        fusiongen.truth("people")


PEAK = """
import resource, sys
import pyarrow as pa
import fusiongen

def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

stream = fusiongen.stream(events=int(sys.argv[1]), threads=2)
rows = sum(batch.num_rows for batch in pa.RecordBatchReader.from_stream(stream))
assert rows == int(sys.argv[1])
print(megabytes())
"""


def test_memory_does_not_grow_with_the_rows():
    def peak(events):
        command = [sys.executable, "-c", PEAK, str(events)]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    small, large = peak(100_000), peak(800_000)
    # 700,000 rows in memory would be more than 400 MiB.
    assert large < small + 150, (small, large)
