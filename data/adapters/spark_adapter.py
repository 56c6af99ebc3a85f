"""Runs queries on Spark in local mode. `protocol.py` comes before it."""

import os
import time

from pyspark.sql import SparkSession

session = None


def open_corpus(threads, statements):
    global session
    cores = int(threads) if threads else "*"
    settings = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": str(int(threads) if threads else os.cpu_count()),
        "spark.driver.memory": os.environ.get("SPARK_DRIVER_MEMORY", "2g"),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
    }
    builder = SparkSession.builder.master(f"local[{cores}]").appName("fusiongen")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    for statement in statements:
        session.sql(statement)
    return {"engine": "spark", "version": session.version, "settings": settings | {"spark.master": f"local[{cores}]"}}


def run(sql):
    started = time.perf_counter()
    frame = session.sql(sql)
    rows = frame.collect()
    milliseconds = 1000 * (time.perf_counter() - started)
    return {"ms": milliseconds, "columns": frame.columns, "rows": [[plain(value) for value in row] for row in rows]}


serve(open_corpus, run)
