"""Corpora by Spark 4: executors write the files, or stream events without files.

    from fusiongen import spark as on_spark

    on_spark.generate(spark, "/shared/corpus", events="1B")
    spark.read.format("fusiongen").option("events", "10M").load()

Executors need the module, such as from ``pip install fusiongen[spark]``. Tasks run the generator
inside Spark's Python workers, so that a task that is killed leaves no process behind. Any task may
be repeated, killed, or run twice at once: the corpus has the bytes that ``fusiongen.generate``
writes.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pyspark import TaskContext
from pyspark.sql.datasource import (
    DataSource,
    DataSourceArrowWriter,
    DataSourceReader,
    InputPartition,
    WriterCommitMessage,
)

import fusiongen
from fusiongen import _spark_types as types
from fusiongen._native import sweep

if TYPE_CHECKING:
    import pyarrow  # type: ignore[import-untyped, unused-ignore]
    from pyspark.sql import SparkSession
    from pyspark.sql.types import StructType
    from typing_extensions import Unpack

__all__ = ["FusiongenDataSource", "generate", "register"]

#: Options of a reader that are not settings.
_READER = {"category", "columns", "date", "task_rows", "threads"}


def register(spark: SparkSession) -> None:
    """Makes the format ``fusiongen`` known to a session.

    Spark finds it by itself where the driver's Python has the module.
    """
    from pyspark.errors import AnalysisException

    try:
        spark.dataSource.register(FusiongenDataSource)
    except AnalysisException as error:
        if error.getCondition() != "DATA_SOURCE_ALREADY_EXISTS":
            raise


def generate(
    spark: SparkSession,
    out: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    task_rows: int | str | None = None,
    threads: int | None = None,
    **settings: Unpack[fusiongen.Settings],
) -> fusiongen.Summary:
    """Writes a corpus into the directory or URL ``out``, or the files that it lacks, by tasks of Spark.

    The driver and all executors must reach ``out``; a store's credentials are environment variables
    of all. A task writes files of one date with about
    ``task_rows`` events, on ``threads`` threads (default: ``spark.task.cpus``). Once all tasks have
    ended, the manifest and ``_SUCCESS`` are written. The same call completes a corpus whose driver
    was killed.
    """
    out = _place(out)
    threads = _threads_of(threads)
    # Errors are found here, before the first task.
    plan = fusiongen.plan(**settings)
    plan.begin(out, overwrite=overwrite)
    tasks = len(plan.tasks(task_rows))
    _, (fingerprint, origin) = plan.__reduce__()
    options = {"out": out, "fingerprint": fingerprint, "origin": base64.b64encode(origin).decode()}
    given = {"task_rows": task_rows, "threads": threads or None}
    options |= {name: str(value) for name, value in given.items() if value is not None}
    register(spark)
    writer = spark.range(0, tasks, 1, tasks).write.format(FusiongenDataSource.name())
    writer.options(**options).mode("append").save()
    # Also removes temporary files of tasks that lost a race.
    return fusiongen.finish(out, verify=False)


def _place(out: str | os.PathLike[str]) -> str:
    """A URL, or an absolute path: executors run in other directories than the driver."""
    place = os.fspath(out)
    # Like `s3:/bucket`, which a Path makes of a URL, and which is refused.
    return place if re.match(r"[A-Za-z][\w+.-]+:/", place) else os.path.abspath(place)


class FusiongenDataSource(DataSource):
    """The format ``fusiongen``: settings are options.

    ``date`` and ``category`` keep some events, and ``columns`` some fields, by path; each may be a
    list with commas. A partition of the result is a group of files of one date, of about
    ``task_rows`` events, made by ``threads`` threads.
    """

    _made: fusiongen.Plan | None = None

    @classmethod
    def name(cls) -> str:
        return "fusiongen"

    def _plan(self) -> fusiongen.Plan:
        """The plan, whose pickle goes to the executors with this object."""
        if self._made is None:
            settings: Any = {
                name: _flag(value) for name, value in self.options.items() if name not in _READER
            }
            self._made = fusiongen.plan(**settings)
        return self._made

    def _list(self, option: str) -> list[str] | None:
        """The names in a list with commas, each once: a name given twice would be read twice."""
        given = self.options.get(option)
        return None if given is None else _once(name.strip() for name in given.split(","))

    def _dates(self) -> list[str] | None:
        given = self._list("date")
        return None if given is None else _once(map(_date, given))

    def schema(self) -> StructType:
        stream = self._plan().stream(columns=self._list("columns"), partition_columns=True)
        return types.spark_schema(stream)

    def reader(self, schema: StructType) -> DataSourceReader:
        types.require_part(schema, self.schema())
        dates, categories = self._dates(), self._list("category")
        # A date outside of the window and an unknown category are errors here.
        for date in dates or []:
            self._plan().stream(date=date)
        for category in categories or []:
            self._plan().stream(category=category)
        return _Reader(
            self._plan(),
            schema,
            dates,
            categories,
            self.options.get("task_rows"),
            _threads_of(self.options.get("threads")),
        )

    def writer(self, schema: StructType, overwrite: bool) -> DataSourceArrowWriter:
        options = dict(self.options)
        if "fingerprint" not in options or "origin" not in options:
            raise fusiongen.Error(
                "the format fusiongen writes no rows of a DataFrame",
                "call fusiongen.spark.generate(spark, out, ...), which makes the rows itself",
            )
        origin = base64.b64decode(options["origin"])
        plan = fusiongen.Plan._restore(options["fingerprint"], origin)
        threads = _threads_of(options.get("threads"))
        return _Writer(plan, options["out"], options.get("task_rows"), threads)


def _once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))


def _date(text: str) -> str:
    """A date as the plan writes it: 2024-8-13 is 2024-08-13."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date().isoformat()
    except ValueError:
        raise fusiongen.SettingError(
            "date", f"'{text}' is not a date", "give one like 2024-08-12"
        ) from None


def _flag(text: str) -> bool | str:
    return {"true": True, "false": False}.get(text.lower(), text)


def _threads_of(given: object) -> int:
    """The option ``threads``; 0 if it is not given."""
    if given is None:
        return 0
    if not str(given).isdecimal() or int(str(given)) == 0:
        raise fusiongen.SettingError(
            "threads", f"'{given}' is not a number of threads", "give 1 or more"
        )
    return int(str(given))


def _threads(given: int) -> int:
    """Threads of a task: those given, else the processors that Spark reserves for it."""
    context = TaskContext.get()
    return given or (context.cpus() if context is not None else 1)


@dataclass
class _Written(WriterCommitMessage):
    events: int
    files: int


class _Writer(DataSourceArrowWriter):
    """Each row is the number of a task, which writes the files of a group of the plan."""

    def __init__(
        self, plan: fusiongen.Plan, out: str, task_rows: str | None, threads: int
    ) -> None:
        self._plan = plan
        self._out = out
        self._task_rows = task_rows
        self._threads = threads

    def write(self, iterator: Iterator[pyarrow.RecordBatch]) -> _Written:
        tasks = self._plan.tasks(self._task_rows)
        written = _Written(0, 0)
        for batch in iterator:
            for task in batch.column(0).to_pylist():
                threads = _threads(self._threads)
                summary = self._plan.write_shards(tasks[task], self._out, threads=threads)
                written.events += summary.events
                written.files += summary.files
        return written

    def commit(self, messages: list[WriterCommitMessage | None]) -> None:
        # Each task has just written or read its files: there is no need to read them again.
        fusiongen.finish(self._out, verify=False)

    def abort(self, messages: list[WriterCommitMessage | None]) -> None:
        sweep(self._out)


class _Reader(DataSourceReader):
    """Partitions are groups of files of a plan; their events are made, and not written.

    It takes no filters. PySpark 4.3.0 keeps the partitions of the last filter with a DataFrame, and
    gives their rows to queries of the same DataFrame with another filter or none.
    """

    def __init__(
        self,
        plan: fusiongen.Plan,
        schema: StructType,
        dates: list[str] | None,
        categories: list[str] | None,
        task_rows: str | None,
        threads: int,
    ) -> None:
        self._plan = plan
        self._schema = types.arrow_schema(schema)
        self._columns = types.leaves(self._schema)
        self._dates = dates
        self._categories = categories
        self._task_rows = task_rows
        self._threads = threads

    def partitions(self) -> Sequence[InputPartition]:
        groups = (
            [part for shard in group for part in self._parts(shard)]
            for group in self._plan.tasks(self._task_rows)
            if group[0].kind == "events"
        )
        return [InputPartition(group) for group in groups if group]

    def _parts(self, shard: fusiongen.Shard) -> list[tuple[int, str | None]]:
        """What to read of a file: shard and category; the category is None for all of the file."""
        if self._dates is not None and shard.date not in self._dates:
            return []
        if self._categories is None or shard.category in self._categories:
            return [(shard.index, None)]
        # A file of a whole date has all categories.
        return [(shard.index, name) for name in self._categories if shard.category is None]

    def read(self, partition: InputPartition) -> Iterator[pyarrow.RecordBatch]:
        import pyarrow

        # Spark reads one partition without a value if there is none.
        for shard, category in partition.value or []:
            stream = self._plan.stream(
                shard=shard,
                category=category,
                columns=self._columns,
                partition_columns=True,
                threads=_threads(self._threads),
            )
            for batch in pyarrow.RecordBatchReader.from_stream(stream):
                yield types.converted(batch, self._schema)
