from collections.abc import Callable, Sequence
from datetime import date as _date
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TypeAlias

from typing_extensions import Unpack

from fusiongen._settings import Settings

_Path: TypeAlias = str | PathLike[str]
_Progress: TypeAlias = bool | Callable[[int, int], object] | None
# The name of a property below hides the type's.
_Bytes: TypeAlias = bytes
_Platform: TypeAlias = Literal["windows", "linux", "cloud", "saas"]
_Table: TypeAlias = Literal["chains", "steps", "edges", "iocs", "lookalikes", "verdicts"]

__version__: str

class SettingInfo:
    @property
    def name(self) -> str: ...
    @property
    def help(self) -> str: ...
    @property
    def default(self) -> str | None: ...

def settings() -> list[SettingInfo]: ...
def command_line(arguments: Sequence[str]) -> int: ...

class Summary:
    """What was written."""

    @property
    def events(self) -> int: ...
    @property
    def files(self) -> int:
        """Files of the corpus, or of the part."""
    @property
    def bytes(self) -> int: ...
    @property
    def kept(self) -> int:
        """Files that were there already."""
    @property
    def finished(self) -> bool:
        """Whether the corpus is complete."""

class Partition:
    """The events of one date and category."""

    @property
    def date(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def rows(self) -> int: ...

class Shard:
    """A file of a corpus: of events, of truth, of entities, or the profile."""

    @property
    def index(self) -> int: ...
    @property
    def path(self) -> str:
        """Relative to the corpus."""
    @property
    def kind(self) -> Literal["events", "truth", "entities", "profile"]: ...
    @property
    def rows(self) -> int:
        """Events in it; 0 for other kinds."""
    @property
    def bytes(self) -> int:
        """Estimated size as zstd Parquet; 0 for other kinds."""
    @property
    def date(self) -> str | None:
        """The date of its directory; None for entities and the profile."""
    @property
    def category(self) -> str | None:
        """The category of its directory; None if it has none."""
    def __index__(self) -> int: ...

class Stream:
    """Record batches for any Arrow consumer: pyarrow, Polars, DuckDB, DataFusion, pandas.

    Each consumer starts at the first row. Batches are made by threads, a few ahead of the
    consumer, so memory does not grow with the number of rows.
    """

    @property
    def num_rows(self) -> int | None:
        """The number of rows, from the plan; None for truth."""
    @property
    def column_names(self) -> list[str]: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...
    def __arrow_c_schema__(self) -> object: ...

class Plan:
    """What a corpus will hold: partitions, files and sizes. No event is generated for it.

    A plan can be pickled. ``write_shard`` of all shards, in any processes and order, and then
    ``fusiongen.finish`` make the corpus that ``fusiongen.generate`` makes.
    """

    @property
    def fingerprint(self) -> str:
        """What the corpus follows from: settings, contents of inputs, format version."""
    @property
    def events(self) -> int: ...
    @property
    def bytes(self) -> int:
        """Estimated bytes of the events as zstd Parquet."""
    @property
    def partitions(self) -> list[Partition]: ...
    @property
    def shards(self) -> list[Shard]:
        """All files of the corpus: events first, then truth, entities and the profile."""
    @property
    def notes(self) -> list[str]:
        """Sentences about inputs and settings."""
    def tasks(self, rows: int | str | None = None) -> list[list[Shard]]:
        """All files in groups, one for each task of a scheduler.

        The files of a group are of one date and have about ``rows`` events. By default there are
        256 groups or more, unless a group would have fewer than 65,536 events.
        """
    def to_json(self) -> str:
        """The text of the corpus's plan.json."""
    def begin(self, out: _Path, *, overwrite: bool = False) -> None:
        """Makes the directory ``out`` ready for this corpus, before tasks write its files.

        It need not be called: the first ``write_shard`` creates the directory. It finds what would
        make every task fail, and removes temporary files of killed runs. ``overwrite`` removes
        any corpus there.
        """
    def write_shard(self, shard: int | Shard, out: _Path, *, threads: int = 1) -> Summary:
        """Writes one file of the corpus into the directory or URL ``out``, unless it exists unchanged.

        Any number of processes may write at once, even the same file.
        """
    def write_shards(
        self, shards: Sequence[int | Shard], out: _Path, *, threads: int = 1
    ) -> Summary:
        """As ``write_shard``, for several files."""
    def __reduce__(self) -> tuple[Callable[..., Plan], tuple[str, _Bytes]]:
        """What a pickle makes the plan from: its fingerprint, and the settings and inputs."""
    @staticmethod
    def _restore(fingerprint: str, origin: _Bytes) -> Plan: ...
    def stream(
        self,
        *,
        category: str | None = None,
        date: _date | str | None = None,
        shard: int | Shard | None = None,
        columns: Sequence[str] | None = None,
        partition_columns: bool = False,
        threads: int | None = None,
    ) -> Stream:
        """Events as Arrow record batches, made when a consumer asks for them."""

class CheckReport:
    """The outcome of the audits of a corpus; ``str`` is the report for people."""

    @property
    def passed(self) -> bool: ...
    @property
    def failed(self) -> int:
        """How many invariants and figures failed."""
    @property
    def events(self) -> int: ...
    @property
    def fingerprint(self) -> str: ...
    def to_json(self) -> str:
        """The report as JSON, as ``fusiongen check --json`` prints it."""

class Damage:
    """A file that is not as it was written."""

    @property
    def file(self) -> str: ...
    @property
    def expected(self) -> str: ...
    @property
    def found(self) -> str: ...

class Integrity:
    """The outcome of a comparison of files with the manifest."""

    @property
    def passed(self) -> bool: ...
    @property
    def files(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def damages(self) -> list[Damage]: ...

def generate(
    out: _Path,
    *,
    overwrite: bool = False,
    part: str | None = None,
    threads: int | None = None,
    progress: _Progress = None,
    **settings: Unpack[Settings],
) -> Summary:
    """Writes a corpus into the directory or URL ``out``, or the files that it lacks.

    ``part`` such as ``"1/3"`` writes only a share of the files; ``finish`` then completes the
    corpus. ``threads`` is the number of processors by default; any number makes the same files.
    """

def finish(out: _Path, *, verify: bool = True) -> Summary:
    """Checks that no file of a corpus is missing, and writes its manifest.

    ``verify=True`` reads every byte. ``verify=False`` compares only sizes, which is enough if tasks
    have just written or checked all files.
    """

def sweep(out: _Path) -> None:
    """Removes temporary files of killed runs from the directory of a corpus."""

def plan(**settings: Unpack[Settings]) -> Plan:
    """Plans a corpus, and writes nothing."""

def stream(
    *,
    category: str | None = None,
    date: _date | str | None = None,
    columns: Sequence[str] | None = None,
    partition_columns: bool = False,
    threads: int | None = None,
    **settings: Unpack[Settings],
) -> Stream:
    """Events as Arrow record batches, without files, made when a consumer asks for them.

    ``category`` and ``date`` keep a part of the events. ``columns`` keeps some fields, by path:
    ``"host.name"``, or ``"host"`` for all below it. ``partition_columns`` adds ``date`` and
    ``category``, which a corpus has as directories.
    """

def sample(
    n: int | None = None,
    *,
    category: str | None = None,
    platform: _Platform | None = None,
    host: str | None = None,
    minutes: int = 10,
    **settings: Unpack[Settings],
) -> list[dict[str, Any]]:
    """A few events as dicts, without making the others: ``n``, by default 3.

    With ``host``, the events of this host in the order of its logs, at most ``n``, by default 1,000.
    They begin at ten o'clock local time on the first working day, and end ``minutes`` later.
    Without ``host``, the settings ``playbook`` and ``technique`` give only events of their attacks.
    """

def truth(table: _Table, /, **settings: Unpack[Settings]) -> Stream:
    """A table of truth as Arrow record batches: chains, steps, edges, iocs, lookalikes or verdicts."""

def check(
    out: _Path,
    *,
    alerts_db: _Path | None = None,
    profile: _Path | None = None,
    exact_events: int | str | None = None,
    progress: _Progress = None,
) -> CheckReport:
    """Audits a complete corpus.

    Alerts are compared with the profile that the corpus keeps, or with ``alerts_db`` or ``profile``.
    Above ``exact_events`` (100M), hosts, accounts and chains are sampled.
    """

def integrity(out: _Path) -> Integrity:
    """Compares the files of a complete corpus with its manifest, byte for byte."""

def report(out: _Path, output: _Path | None = None, *, chains: Sequence[str] = (), progress: _Progress = None) -> Path:
    """Writes an HTML report about a complete corpus (default: report.html), and returns its path.

    The page shows the first of ``chains`` (ids of ``truth("chains")``) instead of a good example, and has the others
    and more to choose from.
    """
