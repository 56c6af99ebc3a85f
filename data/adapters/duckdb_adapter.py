"""Runs queries on DuckDB. `protocol.py` comes before it."""

import time

import duckdb

connection = duckdb.connect()


def open_corpus(threads, statements):
    connection.execute("SET TimeZone = 'UTC'")
    if threads:
        connection.execute(f"SET threads = {int(threads)}")
    for statement in statements:
        connection.execute(statement)
    names = "('threads', 'memory_limit')"
    settings = connection.execute(f"SELECT name, value FROM duckdb_settings() WHERE name IN {names}").fetchall()
    return {"engine": "duckdb", "version": duckdb.__version__, "settings": dict(settings)}


def run(sql):
    started = time.perf_counter()
    cursor = connection.execute(sql)
    rows = cursor.fetchall()
    milliseconds = 1000 * (time.perf_counter() - started)
    names = [column[0] for column in cursor.description]
    return {"ms": milliseconds, "columns": names, "rows": [[plain(value) for value in row] for row in rows]}


serve(open_corpus, run)
