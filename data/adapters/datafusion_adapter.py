"""Runs queries on DataFusion. `protocol.py` comes before it."""

import os
import time

context = None


def open_corpus(threads, statements):
    global context
    if threads:
        # Read when the package is loaded.
        os.environ["TOKIO_WORKER_THREADS"] = str(int(threads))
    import datafusion

    config = datafusion.SessionConfig()
    if threads:
        config = config.with_target_partitions(int(threads))
    context = datafusion.SessionContext(config)
    for statement in statements:
        context.sql(statement).collect()
    settings = {"target_partitions": int(threads) if threads else os.cpu_count()}
    return {"engine": "datafusion", "version": datafusion.__version__, "settings": settings}


def run(sql):
    started = time.perf_counter()
    frame = context.sql(sql)
    rows = [row for batch in frame.collect() for row in zip(*(column.to_pylist() for column in batch.columns))]
    milliseconds = 1000 * (time.perf_counter() - started)
    return {"ms": milliseconds, "columns": frame.schema().names, "rows": [[plain(v) for v in row] for row in rows]}


serve(open_corpus, run)
