"""NDJSON, Arrow IPC and every codec hold what Parquet by zstd holds, whichever engine reads them.

The same configuration is written in every format; each engine reads fields of every type
with its own reader, and the rows are those of the Parquet corpus.
"""

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.json
import pyarrow.parquet as pq
import pytest
from support import SAMPLE_INPUTS, generate, one

TEXT, INTEGER, FLAG, TEXTS, TIME = pa.string(), pa.int64(), pa.bool_(), pa.list_(pa.string()), pa.timestamp("us", "UTC")

#: Every type, at every depth, mandatory and mostly null, and names that need quotes.
FIELDS = {
    "@timestamp": TIME,
    "event.sequence": INTEGER,
    "event.severity": TEXT,
    "message": TEXT,
    "source.ip": TEXT,
    "destination.port": INTEGER,
    "user.name": TEXT,
    "host.ip": TEXTS,
    "host.os.platform": TEXT,
    "process.parent.command_line": TEXT,
    "dns.resolved_ip": TEXTS,
    "threat.technique.id": TEXTS,
    "fusionai.noise": FLAG,
    "winlog.event_id": INTEGER,
    "winlog.event_data.CommandLine": TEXT,
    "winlog.event_data.SubjectLogonId": INTEGER,
    "auditd.exit": INTEGER,
    "auditd.old-auid": INTEGER,
    "tags": TEXTS,
    "labels.noise_type": TEXT,
    "attack.sequence": INTEGER,
}
PARTITIONS = {"date": TEXT, "category": TEXT}
TABLE = pa.schema([pa.field(name, kind) for name, kind in (FIELDS | PARTITIONS).items()])

NDJSON = {"ndjson": [], "ndjson.zst": ["--compression", "zstd"]}
ARROW = {"arrow": [], "arrow zstd": ["--compression", "zstd"], "arrow lz4": ["--compression", "lz4"]}
CODECS = {"parquet snappy": "SNAPPY", "parquet lz4": "LZ4", "parquet none": "UNCOMPRESSED"}


def tree(fields: dict) -> dict:
    """Dotted paths as a tree."""
    root = {}
    for path, kind in fields.items():
        *parents, name = path.split(".")
        node = root
        for parent in parents:
            node = node.setdefault(parent, {})
        node[name] = kind
    return root


def arrow_type(node):
    if not isinstance(node, dict):
        return node
    return pa.struct([pa.field(name, arrow_type(child)) for name, child in node.items()])


def duckdb_type(node) -> str:
    if isinstance(node, dict):
        return "STRUCT(" + ", ".join(f'"{name}" {duckdb_type(child)}' for name, child in node.items()) + ")"
    return {TEXT: "VARCHAR", INTEGER: "BIGINT", FLAG: "BOOLEAN", TEXTS: "VARCHAR[]", TIME: "TIMESTAMPTZ"}[node]


def spark_type(node) -> str:
    if isinstance(node, dict):
        return "STRUCT<" + ", ".join(f"`{name}`: {spark_type(child)}" for name, child in node.items()) + ">"
    return {TEXT: "STRING", INTEGER: "BIGINT", FLAG: "BOOLEAN", TEXTS: "ARRAY<STRING>", TIME: "TIMESTAMP"}[node]


def polars_type(node):
    if isinstance(node, dict):
        return pl.Struct({name: polars_type(child) for name, child in node.items()})
    texts, time = pl.List(pl.String), pl.Datetime("us", "UTC")
    return {TEXT: pl.String, INTEGER: pl.Int64, FLAG: pl.Boolean, TEXTS: texts, TIME: time}[node]


SCHEMA = pa.schema([pa.field(name, arrow_type(node)) for name, node in tree(FIELDS).items()])


def same_shape(table: pa.Table) -> pa.Table:
    """A table in a form that is comparable between engines: one type per column, rows sorted by event.sequence."""
    columns = [
        # A date is compared in the form that it has in the path.
        pc.cast(pc.cast(table[field.name], pa.string()) if field.name in PARTITIONS else table[field.name], field.type)
        for field in TABLE
    ]
    return pa.table(columns, schema=TABLE).sort_by("event.sequence").combine_chunks()


def with_pyarrow(dataset: ds.Dataset) -> pa.Table:
    return dataset.to_table(
        columns={path: ds.field(*path.split(".")) for path in FIELDS} | {name: ds.field(name) for name in PARTITIONS}
    )


def with_polars(scan: pl.LazyFrame) -> pa.Table:
    def column(path):
        top, *names = path.split(".")
        expression = pl.col(top)
        for name in names:
            expression = expression.struct.field(name)
        return expression.alias(path)

    table = scan.select(*[column(path) for path in TABLE.names]).collect().to_arrow()
    return table.cast(pa.schema([pa.field(f.name, pa.string() if f.name == "date" else f.type) for f in TABLE]))


def quoted(path: str, quote: str) -> str:
    return ".".join(f"{quote}{name}{quote}" for name in path.split("."))


def with_duckdb(connection, source: str) -> pa.Table:
    columns = ", ".join(f'e.{quoted(path, chr(34))} AS "{path}"' for path in TABLE.names)
    return connection.sql(f"SELECT {columns} FROM {source} e").to_arrow_table()


def equal(found: pa.Table, expected: pa.Table):
    assert found.num_rows == expected.num_rows
    for name in TABLE.names:
        if not found[name].equals(expected[name]):
            wrong = [
                (sequence, left, right)
                for sequence, left, right in zip(
                    expected["event.sequence"].to_pylist(), found[name].to_pylist(), expected[name].to_pylist()
                )
                if left != right
            ]
            pytest.fail(f"{name}: {len(wrong)} rows differ, of (event.sequence, found, Parquet): {wrong[:3]}")


@pytest.fixture(scope="module")
def make(tmp_path_factory):
    """One corpus per format, made on first use."""
    made = {}

    def corpus(name: str, *options):
        if name not in made:
            out = tmp_path_factory.mktemp("formats") / "corpus"
            kind = name.split()[0].removesuffix(".zst")
            made[name] = generate(out, "--events", "20k", *SAMPLE_INPUTS, "--format", kind, *options)
        return made[name]

    return corpus


@pytest.fixture(scope="module")
def expected(make) -> pa.Table:
    return same_shape(with_pyarrow(ds.dataset(make("parquet").events, format="parquet", partitioning="hive")))


@pytest.fixture(scope="module", params=NDJSON)
def either(request, make):
    return make(request.param, *NDJSON[request.param])


@pytest.fixture(scope="module", params=ARROW)
def batches(request, make):
    return make(request.param, *ARROW[request.param])


@pytest.fixture(scope="module", params=CODECS)
def coded(request, make):
    return make(request.param, "--compression", request.param.split()[1]), CODECS[request.param]


def hive(corpus, suffix: str) -> list[tuple]:
    """Each file with its partition."""
    files = sorted(corpus.events.rglob(f"*.{suffix}"))
    assert files and len(files) == len(corpus.listed)
    return [(file, *(part.split("=", 1)[1] for part in file.relative_to(corpus.events).parts[:2])) for file in files]


def test_fields_of_the_comparison_have_values_and_nulls(expected):
    """Otherwise equality would mean little."""
    assert expected.num_rows == 20_000
    always = {name for name in TABLE.names if expected[name].null_count == 0}
    assert {"@timestamp", "event.sequence", "user.name", "fusionai.noise", "tags", "date", "category"} <= always
    assert always < set(TABLE.names)
    for name in TABLE.names:
        values = {str(value) for value in expected[name].drop_null().to_pylist()}
        # A login without an earlier audit uid has a fixed value: -1, unsigned.
        assert len(values) > (name != "auditd.old-auid"), f"{name} has {values}"
    assert max(map(len, expected["tags"].to_pylist())) > 1, "no list of more than one"


def test_duckdb_reads_lines(expected, either):
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    columns = ", ".join(f"'{name}': '{duckdb_type(node)}'" for name, node in tree(FIELDS).items())
    source = f"read_json('{either.events}/**/*.ndjson*', hive_partitioning = true, columns = {{{columns}}})"
    equal(same_shape(with_duckdb(connection, source)), expected)


def native_spellings(make, db) -> int:
    """Rows whose JSON has the spelling `ProcessID`; the schema has one leaf for both spellings."""
    return one(
        db,
        f"""SELECT count(winlog.event_data.ProcessId) FROM read_parquet('{make("parquet").glob}')
            WHERE winlog.provider_name <> 'Microsoft-Windows-Sysmon' AND winlog.event_id IN (5156, 5157)""",
    )


def test_duckdb_reads_native_spellings(db, lines, make):
    columns = "{'winlog': 'STRUCT(event_data JSON)'}"
    found = one(
        db,
        f"""SELECT count(winlog.event_data->>'ProcessID')
            FROM read_json('{lines.events}/**/*.ndjson', columns = {columns})""",
    )
    assert found == native_spellings(make, db) > 0


def test_spark_infers_native_spellings(db, lines, make, spark):
    from pyspark.sql import functions as F

    spark.conf.set("spark.sql.caseSensitive", "true")
    try:
        frame = spark.read.json(str(lines.events))
        found = frame.select(F.count("winlog.event_data.ProcessID"), F.count("winlog.event_data.ProcessId")).first()
    finally:
        spark.conf.unset("spark.sql.caseSensitive")
    assert found[0] == native_spellings(make, db) > 0
    assert sum(found) == one(db, f"SELECT count(winlog.event_data.ProcessId) FROM '{make('parquet').glob}'")


def test_polars_reads_lines(expected, either):
    schema = pl.Schema({name: polars_type(node) for name, node in tree(FIELDS).items()})
    scan = pl.scan_ndjson(f"{either.events}/**/*.ndjson*", schema=schema, include_file_paths="path").with_columns(
        pl.col("path").str.extract(f"/{name}=([^/]+)/").alias(name) for name in PARTITIONS
    )
    equal(same_shape(with_polars(scan)), expected)


def test_pyarrow_reads_lines(expected, either):
    options = pyarrow.json.ParseOptions(explicit_schema=SCHEMA, unexpected_field_behavior="ignore")
    zst = either.listed[0]["path"].endswith(".zst")
    tables = []
    for file, date, category in hive(either, "ndjson.zst" if zst else "ndjson"):
        with pa.input_stream(str(file), compression="zstd" if zst else None) as stream:
            table = pyarrow.json.read_json(stream, parse_options=options)
        table = table.append_column("date", pa.repeat(date, len(table)))
        tables.append(table.append_column("category", pa.repeat(category, len(table))))
    equal(same_shape(with_pyarrow(ds.dataset(pa.concat_tables(tables)))), expected)


def test_spark_reads_lines(expected, either, spark):
    from pyspark.sql import functions as F

    schema = ", ".join(f"`{name}` {spark_type(node)}" for name, node in tree(FIELDS).items())
    frame = spark.read.schema(schema).json(str(either.events))
    columns = [F.col(quoted(path, "`")).alias(path) for path in TABLE.names]
    equal(same_shape(frame.select(*columns).toArrow()), expected)


@pytest.mark.parametrize("name", ["ipc", "feather", "arrow"])
def test_pyarrow_reads_batches(expected, batches, name):
    equal(same_shape(with_pyarrow(ds.dataset(batches.events, format=name, partitioning="hive"))), expected)


def test_polars_reads_batches(expected, batches):
    equal(same_shape(with_polars(pl.scan_ipc(batches.events, hive_partitioning=True))), expected)


def test_duckdb_reads_batches_by_pyarrow(expected, batches, db):
    batches_of_events = ds.dataset(batches.events, format="ipc", partitioning="hive")
    with db.cursor() as connection:
        connection.register("batches_of_events", batches_of_events)
        equal(same_shape(with_duckdb(connection, "batches_of_events")), expected)


def test_pyarrow_reads_codecs(expected, coded):
    corpus, codec = coded
    equal(same_shape(with_pyarrow(ds.dataset(corpus.events, format="parquet", partitioning="hive"))), expected)
    for file in corpus.files:
        metadata = pq.read_metadata(file)
        groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
        found = {group.column(leaf).compression for group in groups for leaf in range(group.num_columns)}
        assert found == {codec}, file
        # Every column, not only those that are compared.
        assert pq.read_table(file, partitioning=None).num_rows == metadata.num_rows


def test_polars_reads_codecs(expected, coded):
    equal(same_shape(with_polars(pl.scan_parquet(coded[0].events, hive_partitioning=True))), expected)


def test_duckdb_reads_codecs(expected, coded):
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    source = f"read_parquet('{coded[0].glob}', hive_partitioning = true)"
    equal(same_shape(with_duckdb(connection, source)), expected)


def test_spark_reads_codecs(expected, coded, spark):
    from pyspark.sql import functions as F

    frame = spark.read.parquet(str(coded[0].events))
    columns = [F.col(quoted(path, "`")).alias(path) for path in TABLE.names]
    equal(same_shape(frame.select(*columns).toArrow()), expected)


def test_arrow_files_have_the_schema_of_parquet(make):
    """The same names and types in the same order, ignoring nullability."""
    left, right = (
        ds.dataset(make(name).events, format=kind, partitioning="hive").schema
        for name, kind in (("arrow", "ipc"), ("parquet", "parquet"))
    )
    assert left.names == right.names
    assert left.types == right.types
