"""Realistic, labelled SIEM and EDR datasets, as Parquet or as Arrow streams.

    import fusiongen

    fusiongen.generate("out/corpus", events="1M", progress=True)

``generate``, ``plan``, ``stream``, ``sample`` and ``truth`` take the settings of
``fusiongen generate`` as keyword arguments, with ``_`` for ``-``; ``Settings`` lists them.
Environment variables and configuration files are not read.

A bad value of a setting raises ``SettingError``, which is an ``Error`` and a ``ValueError``. Other
failures raise ``Error``. Unknown arguments and arguments of a wrong type raise ``TypeError``.
"""

from fusiongen._errors import Error, SettingError
from fusiongen._native import (
    CheckReport,
    Damage,
    Integrity,
    Partition,
    Plan,
    Shard,
    Stream,
    Summary,
    __version__,
    check,
    finish,
    generate,
    integrity,
    plan,
    report,
    sample,
    stream,
    truth,
)
from fusiongen._settings import Settings

__all__ = [
    "CheckReport",
    "Damage",
    "Error",
    "Integrity",
    "Partition",
    "Plan",
    "SettingError",
    "Settings",
    "Shard",
    "Stream",
    "Summary",
    "__version__",
    "check",
    "finish",
    "generate",
    "integrity",
    "plan",
    "report",
    "sample",
    "stream",
    "truth",
]
