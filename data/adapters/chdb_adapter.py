"""Runs queries on ClickHouse, as the library chDB. `protocol.py` comes before it."""

import json
import time

import chdb
from chdb import session

# In memory, since a directory would stay behind when the process is ended.
connection = session.Session(":memory:")


def value(sql):
    return json.loads(str(connection.query(sql, "JSONCompact")))["data"][0][0]


def open_corpus(threads, statements):
    connection.query("SET session_timezone = 'UTC', output_format_json_quote_64bit_integers = 0")
    if threads:
        connection.query(f"SET max_threads = {int(threads)}")
    for statement in statements:
        connection.query(statement)
    names = ("max_threads", "join_use_nulls", "use_query_cache", "use_parquet_metadata_cache")
    settings = {name: value(f"SELECT getSetting('{name}')") for name in names}
    return {"engine": "clickhouse", "version": value("SELECT version()"), "settings": settings | {"chdb": chdb.__version__}}


def run(sql):
    started = time.perf_counter()
    reply = json.loads(str(connection.query(sql, "JSONCompact")))
    milliseconds = 1000 * (time.perf_counter() - started)
    # `d.host_name` is called so after a join, where others say `host_name`.
    names = [column["name"].split(".")[-1] for column in reply["meta"]]
    return {"ms": milliseconds, "columns": names, "rows": reply["data"]}


serve(open_corpus, run)
