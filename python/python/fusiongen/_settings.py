"""Types of the settings, for type checkers and editors.

Made from `src/settings/table.rs` by `UPDATE_DOCS=1 cargo test --test python_settings`; a test keeps it equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from os import PathLike
from typing import Literal, TypedDict


class Settings(TypedDict, total=False):
    """The settings of a corpus. All are optional, and ``None`` is the default."""

    events: int | str | None
    """Number of events, such as 10k, 5M or 1B [default: 1M]."""

    seed: int | str | None
    """Seed of all random choices [default: 42]."""

    start: date | str | None
    """First day, UTC [default: 2024-08-12]."""

    days: int | str | None
    """Number of days [default: 7]."""

    alerts_db: str | PathLike[str] | None
    """Alerts to fit distributions to: SQLite, JSON lines such as eve.json (also .gz, .zst), CSV or Parquet."""

    profile: str | PathLike[str] | None
    """Profile saved by `fusiongen profile`, instead of ``alerts_db``."""

    severity_scale: Literal["suricata", "fusionai", "ntopng", "wazuh", "cvss", "percent", "ocsf", "words", "none"] | None
    """Scale of severity numbers [default: inferred from the database, or the profile's]."""

    ad_users: str | PathLike[str] | None
    """Users as CSV."""

    cmdb_assets: str | PathLike[str] | None
    """Hosts as CSV."""

    strict: bool | None
    """Fail at the first row of users or hosts that would be repaired or left out."""

    users: int | str | None
    """Number of users to make up if there is no CSV [default: 0.85 per host]."""

    assets: int | str | None
    """Number of hosts to make up if there is no CSV [default: one per 1,500 events a day, 250 to 100,000]."""

    catalog: str | PathLike[str] | None
    """Directory that defines what can happen, laid out like data/catalog in the sources [default: the built-in catalog]."""

    preset: Literal["seed", "soc", "detections", "stress"] | None
    """Settings for a purpose; anything that is given overrides them [default: seed]."""

    attack_chain_ratio: float | str | None
    """Share of events that belong to attack chains, such as 0.15 or 15% [default: 0.15]."""

    noise_ratio: float | str | None
    """Share of events that are benign noise; with attack chains at most 0.95 [default: 0.2]."""

    chain_density: float | str | None
    """Maximum attack chains per host per day [default: 0.1]."""

    playbook: Sequence[str] | str | None
    """Only these attacks; NAME=WEIGHT sets a weight. `fusiongen list playbooks` prints them [default: all]."""

    technique: Sequence[str] | str | None
    """Only attacks with a step of one of these ATT&CK techniques, such as T1558 or T1558.003."""

    scenario: Sequence[str] | str | None
    """Only these noise scenarios; NAME=WEIGHT sets a weight. `fusiongen list scenarios` prints them [default: all]."""

    noise_seasonality: bool | None
    """Distribute noise and alerts over the hours of a working week [default: false]."""

    labels: Literal["full", "none"] | None
    """Whether events have labels: labels.verdict, labels.noise_type, attack.*, fusionai.noise [default: full]."""

    noise_tz_offset: float | str | None
    """Hours east of UTC, for working hours [default: 0]."""

    noise_day_weight: float | str | None
    """Noise on working days 08-18, with ``noise_seasonality`` [default: 5]."""

    noise_maint_weight: float | str | None
    """Noise at night 01-04 and on Sundays 22-24 [default: 4]."""

    noise_weekend_weight: float | str | None
    """Noise at weekends [default: 0.4]."""

    noise_early_weight: float | str | None
    """Noise 05-07 [default: 0.3]."""

    noise_default_weight: float | str | None
    """Noise at other times [default: 1.2]."""

    alert_night_weight: float | str | None
    """Alerts 22-06, with ``noise_seasonality`` [default: 6]."""

    alert_evening_weight: float | str | None
    """Alerts 18-22 [default: 4]."""

    alert_weekend_weight: float | str | None
    """Alerts at weekends [default: 3]."""

    alert_day_weight: float | str | None
    """Alerts on working days 08-18 [default: 0.4]."""

    alert_default_weight: float | str | None
    """Alerts at other times [default: 1]."""

    noise_hourly_weights: Sequence[float | str] | str | None
    """24 weights of noise by hour of the day, which replace those above."""

    alert_hourly_weights: Sequence[float | str] | str | None
    """24 weights of alerts by hour of the day, which replace those above."""

    schema: Literal["fusionai", "ecs"] | None
    """Schema of the events [default: fusionai]."""

    format: Literal["parquet", "ndjson", "arrow"] | None
    """File format of the events [default: parquet]."""

    compression: str | None
    """Compression: zstd(LEVEL), gzip(LEVEL), snappy, lz4 or none [default: zstd(1) for parquet, else none]."""

    partition_by: Literal["date,category", "date"] | None
    """Partition keys, which become directories [default: date,category]."""

    row_group_rows: int | str | None
    """Approximate rows per row group [default: 512Ki]."""

    shard_rows: int | str | None
    """Approximate rows per file [default: 4Mi]."""

    bloom_filter: Sequence[str] | str | None
    """Fields with a Bloom filter, separated by commas: source.ip,process.entity_id."""

    table: Literal["none", "delta", "iceberg"] | None
    """Table format whose metadata is written beside the Parquet files [default: none]."""
