"""Every path of the documented example event is there, with its JSON type.

The example is a PsExec alert on a Windows host with Sysmon's record of the connection.
"""

from datetime import date, datetime

import pyarrow.dataset as ds
import pytest

TEXT, NUMBER, TEXTS = "string", "number", "array of string"

EXAMPLE = {
    "@timestamp": TEXT,
    "event.category": TEXT,
    "event.type": TEXT,
    "event.kind": TEXT,
    "event.severity": TEXT,
    "event.action": TEXT,
    "event.outcome": TEXT,
    "event.module": TEXT,
    "event.dataset": TEXT,
    "event.code": TEXT,
    "event.provider": TEXT,
    "source.ip": TEXT,
    "source.port": NUMBER,
    "source.bytes": NUMBER,
    "destination.ip": TEXT,
    "destination.port": NUMBER,
    "destination.bytes": NUMBER,
    "network.protocol": TEXT,
    "network.bytes": NUMBER,
    "network.direction": TEXT,
    "user.name": TEXT,
    "user.domain": TEXT,
    "user.email": TEXT,
    "user.department": TEXT,
    "user.full_name": TEXT,
    "host.name": TEXT,
    "host.hostname": TEXT,
    "host.type": TEXT,
    "host.ip": TEXTS,
    "host.os.name": TEXT,
    "host.os.platform": TEXT,
    "host.risk.static_level": TEXT,
    "threat.framework": TEXT,
    "threat.technique.id": TEXTS,
    "threat.technique.name": TEXTS,
    "threat.tactic.name": TEXTS,
    "rule.name": TEXT,
    "rule.category": TEXT,
    "rule.id": TEXT,
    "fusionai.signature": TEXT,
    "fusionai.category": TEXT,
    "fusionai.severity": TEXT,
    "fusionai.asset_owner": TEXT,
    "fusionai.asset_location": TEXT,
    "fusionai.asset_department": TEXT,
    "winlog.channel": TEXT,
    "winlog.provider_name": TEXT,
    "winlog.computer_name": TEXT,
    "winlog.event_id": NUMBER,
    "winlog.record_id": NUMBER,
    "winlog.opcode": TEXT,
    "winlog.process.pid": NUMBER,
    "winlog.process.thread_id": NUMBER,
    "winlog.event_data.UtcTime": TEXT,
    "winlog.event_data.Image": TEXT,
    "winlog.event_data.User": TEXT,
    "winlog.event_data.Protocol": TEXT,
    "winlog.event_data.SourceIp": TEXT,
    "winlog.event_data.SourcePort": NUMBER,
    "winlog.event_data.DestinationIp": TEXT,
    "winlog.event_data.DestinationPort": NUMBER,
    "winlog.event_data.Initiated": TEXT,
    "winlog.event_data.ProcessGuid": TEXT,
    "winlog.event_data.ProcessId": NUMBER,
    "tags": TEXTS,
    "labels.env": TEXT,
    "labels.source": TEXT,
    "labels.data_source": TEXT,
}

# SYSTEM, which owns an inbound SMB connection, is nobody: it has no such attributes.
OF_PEOPLE = {"user.email", "user.department", "user.full_name"}


def json_type(value) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return NUMBER
    if isinstance(value, (str, datetime, date)):
        return TEXT
    if isinstance(value, list):
        inner = {json_type(item) for item in value}
        return f"array of {inner.pop() if len(inner) == 1 else sorted(inner)}"
    raise TypeError(type(value))


def paths(value, prefix="") -> dict[str, str]:
    """Leaf paths and their JSON types; nulls and empty objects are left out, as in NDJSON."""
    found = {}
    for name, inner in value.items():
        path = f"{prefix}{name}"
        if isinstance(inner, dict):
            found |= paths(inner, f"{path}.")
        elif inner is not None:
            found[path] = json_type(inner)
    return found


def test_helper_paths():
    event = {"a": {"b": None, "c": [1]}, "d": {"e": None}, "f": ["x"], "g": datetime(2024, 8, 12), "h": True}
    assert paths(event) == {"a.c": "array of number", "f": TEXTS, "g": TEXT, "h": "boolean"}


@pytest.fixture(scope="module")
def alerts(corpus) -> list[dict]:
    dataset = ds.dataset(corpus.events, format="parquet", partitioning="hive")
    wanted = (ds.field("category") == "psexec_lateral") & (ds.field("winlog", "event_id") == 3)
    rows = dataset.to_table(filter=wanted & (ds.field("event", "kind") == "alert")).drop(["date", "category"])
    return [paths(row) for row in rows.slice(0, 2000).to_pylist()]


def missing(event: dict[str, str]) -> dict[str, tuple[str, str | None]]:
    return {path: (kind, event.get(path)) for path, kind in EXAMPLE.items() if event.get(path) != kind}


def test_an_event_has_every_path(alerts):
    assert alerts, "no psexec_lateral alert with Sysmon 3"
    best = min((missing(event) for event in alerts), key=len)
    assert best == {}, "path: (expected, found), in the event that comes nearest"


def test_every_such_event_has_them_but_for_a_persons(alerts):
    assert alerts
    for event in alerts:
        # A database without rule ids has none to give.
        assert set(missing(event)) <= OF_PEOPLE | {"rule.id"}, missing(event)
