"""The files themselves: footers, types, names, page indexes."""

import re

import pyarrow as pa
import pyarrow.compute
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest


@pytest.fixture(scope="module")
def footers(corpus):
    return {path: pq.read_metadata(path) for path in corpus.files}


@pytest.fixture(scope="module")
def schema(corpus) -> pa.Schema:
    return pq.read_schema(corpus.files[0])


def leaves(field_or_schema, path=()):
    """Every field, including structs and lists, with its path."""
    for field in field_or_schema:
        yield (*path, field.name), field.type
        inner = field.type
        while pa.types.is_list(inner) or pa.types.is_large_list(inner):
            inner = inner.value_type
        if pa.types.is_struct(inner):
            yield from leaves([inner.field(i) for i in range(inner.num_fields)], (*path, field.name))


def test_dataset_counts(corpus):
    dataset = ds.dataset(corpus.events, format="parquet", partitioning="hive")
    assert dataset.count_rows() == corpus.manifest["events"]
    assert {"date", "category"} <= set(dataset.schema.names)
    found = dataset.count_rows(filter=ds.field("winlog", "event_id") == 3)
    everything = dataset.to_table(columns={"id": ds.field("winlog", "event_id")})["id"].to_pylist()
    assert found == everything.count(3) > 0


def test_all_files_have_one_schema(corpus, schema, footers):
    for path in corpus.files:
        assert pq.read_schema(path).equals(schema), f"{path} differs"
        assert footers[path].schema.equals(footers[corpus.files[0]].schema), f"{path} differs"


def test_nothing_but_parquet_under_events(corpus):
    others = [path for path in corpus.events.rglob("*") if path.is_file() and path.suffix != ".parquet"]
    assert others == []
    for path in corpus.files:
        assert re.fullmatch(
            r"date=\d{4}-\d\d-\d\d/category=[a-z][a-z0-9_]{0,63}/part-\d{5}\.parquet",
            str(path.relative_to(corpus.events)),
        )


def test_footers(corpus, footers):
    for path, footer in footers.items():
        assert re.match(r"fusiongen version \d+\.\d+\.\d+", footer.created_by), path
        metadata = footer.metadata or {}
        assert b"ARROW:schema" not in metadata, path
        keys = {key.decode(): value.decode() for key, value in metadata.items()}
        fingerprints = [value for key, value in keys.items() if key.endswith("fingerprint")]
        assert fingerprints == [corpus.plan["fingerprint"]], (path, keys)
        assert any(key.endswith("format_version") for key in keys), (path, keys)


def test_every_footer_says_the_same_version(footers):
    assert len({footer.created_by for footer in footers.values()}) == 1
    assert len({tuple(sorted((footer.metadata or {}).items())) for footer in footers.values()}) == 1


def test_timestamp_type(schema, footers):
    assert schema.field("@timestamp").type == pa.timestamp("us", "UTC")
    footer = next(iter(footers.values()))
    column = next(c for c in (footer.schema.column(i) for i in range(footer.num_columns)) if c.path == "@timestamp")
    assert column.physical_type == "INT64"
    assert column.logical_type.type == "TIMESTAMP"


def test_types_that_every_engine_reads(schema):
    for path, kind in leaves(schema):
        assert not pa.types.is_unsigned_integer(kind), path
        assert not pa.types.is_float16(kind), path
        assert not pa.types.is_time(kind), path
        assert not pa.types.is_dictionary(kind), path
        assert not pa.types.is_binary(kind) and not pa.types.is_fixed_size_binary(kind), path
        assert not pa.types.is_null(kind), path


def test_names_are_unique_without_case(schema):
    paths = [".".join(path).lower() for path, _ in leaves(schema)]
    assert len(paths) == len(set(paths))
    assert not {"date", "category"} & {name.lower() for name in schema.names}, "partition columns are not in the files"
    assert not [name for name in schema.names if "." in name]


def test_row_groups(footers):
    for path, footer in footers.items():
        assert footer.num_row_groups > 0, path
        timestamp = next(i for i in range(footer.num_columns) if footer.schema.column(i).path == "@timestamp")
        for index in range(footer.num_row_groups):
            group = footer.row_group(index)
            assert group.num_rows > 0, path
            assert [(s.column_index, s.descending) for s in group.sorting_columns] == [(timestamp, False)], path
            for number in range(group.num_columns):
                chunk = group.column(number)
                where = f"{path}, row group {index}, {chunk.path_in_schema}"
                assert chunk.compression == "ZSTD", where
                assert chunk.has_column_index, where
                assert chunk.has_offset_index, where
                assert chunk.is_stats_set and chunk.statistics.has_null_count, where


def test_bounds_are_true(corpus, footers):
    """Minimum and maximum of each chunk contain the values; checked on the largest file."""
    path = max(corpus.files, key=lambda file: file.stat().st_size)
    footer = footers[path]
    file = pq.ParquetFile(path)
    checked = 0
    for index in range(footer.num_row_groups):
        table = file.read_row_group(index)
        for number in range(footer.num_columns):
            chunk = footer.row_group(index).column(number)
            if ".list." in chunk.path_in_schema:
                continue
            column = table
            for name in chunk.path_in_schema.split("."):
                if isinstance(column, pa.Table):
                    column = column[name].combine_chunks()
                else:
                    column = pa.compute.struct_field(column, name)
            assert chunk.statistics.null_count == column.null_count, chunk.path_in_schema
            if column.null_count == len(column):
                assert not chunk.statistics.has_min_max, chunk.path_in_schema
            elif chunk.statistics.has_min_max and pa.types.is_integer(column.type):
                bounds = pa.compute.min_max(column)
                assert chunk.statistics.min <= bounds["min"].as_py(), chunk.path_in_schema
                assert chunk.statistics.max >= bounds["max"].as_py(), chunk.path_in_schema
                checked += 1
    assert checked > 0


def test_whole_corpus_decodes(corpus):
    rows = sum(pq.ParquetFile(path).read().num_rows for path in corpus.files)
    assert rows == corpus.manifest["events"]
