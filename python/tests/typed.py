"""A program for type checkers: it uses the whole module, and is never run."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

import fusiongen
import fusiongen.spark

settings: fusiongen.Settings = {"events": "10M", "seed": 3, "labels": "none"}


def told(done: int, total: int) -> None:
    print(done / total)


summary: fusiongen.Summary = fusiongen.generate(
    Path("out"), overwrite=True, threads=2, progress=told, **settings
)
events: int = summary.events
plan: fusiongen.Plan = fusiongen.plan(start=date(2025, 1, 1), noise_ratio=0.1, bloom_filter=["a"])
for shard in plan.shards:
    kept: int = plan.write_shard(shard, "out").kept
    day: str | None = shard.date
    part: fusiongen.Stream = plan.stream(shard=shard, columns=["host.name"])
plan.begin("out", overwrite=True)
for task in plan.tasks("1M"):
    files: int = plan.write_shards(task, "out", threads=2).files
done: bool = fusiongen.finish("out", verify=False).finished
stream: fusiongen.Stream = fusiongen.stream(category="x", date="2024-08-12", **settings)
rows: int | None = stream.num_rows
documents: list[dict[str, Any]] = fusiongen.sample(5, platform="linux", assets=None)
chains: fusiongen.Stream = fusiongen.truth("chains", events=10)
passed: bool = fusiongen.check("out", exact_events="10M", progress=False).passed
damages: list[str] = [damage.file for damage in fusiongen.integrity("out").damages]
page: Path = fusiongen.report("out", "report.html", chains=["atk-0123456789ab"])
try:
    fusiongen.plan(events="many")
except fusiongen.SettingError as error:
    name: str = error.setting
    remedy: str | None = error.remedy


def on_spark(session: SparkSession) -> bool:
    fusiongen.spark.register(session)
    return fusiongen.spark.generate(session, "out", task_rows="1M", threads=2, **settings).finished
