"""Runs queries on the SQL of Polars. `protocol.py` comes before it."""

import os
import time

context = None


def open_corpus(threads, statements):
    global context
    if threads:
        # Read when the package is loaded.
        os.environ["POLARS_MAX_THREADS"] = str(int(threads))
    import polars

    context = polars.SQLContext()
    for statement in statements:
        context.execute(statement, eager=True)
    settings = {"threads": polars.thread_pool_size()}
    return {"engine": "polars", "version": polars.__version__, "settings": settings}


def run(sql):
    started = time.perf_counter()
    frame = context.execute(sql, eager=True)
    rows = frame.rows()
    milliseconds = 1000 * (time.perf_counter() - started)
    return {"ms": milliseconds, "columns": frame.columns, "rows": [[plain(value) for value in row] for row in rows]}


serve(open_corpus, run)
