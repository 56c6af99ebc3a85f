"""Standalone alerts have the distributions of the database that they are grounded in."""

import sqlite3
from collections import Counter

import pytest
from support import figure, generate, js_divergence, outside

DATABASE = "data/alerts.sqlite"
#: First port that is ephemeral and drawn for each flow.
EPHEMERAL = 32768

COLUMNS = {
    "fusionai.severity": ("fusionai.severity", "CAST(severity AS TEXT)"),
    "rule.category": ("rule.category", "category"),
    "network.protocol": ("network.protocol", "lower(proto)"),
    "fusionai.direction": ("fusionai.direction", "direction"),
    "rule.name": ("rule.name", "signature"),
}


def test_helper_js_divergence():
    assert js_divergence({"a": 1, "b": 3}, {"a": 10, "b": 30}) == pytest.approx(0, abs=1e-12)
    assert js_divergence({"a": 5}, {"b": 7}) == pytest.approx(1)
    # P = (1/2, 1/2), Q = (1, 0): 1/2 (1/2 log2(2/3) + 1/2 log2 2) + 1/2 log2(4/3)
    assert js_divergence({"a": 1, "b": 1}, {"a": 1}) == pytest.approx(0.311278, abs=1e-6)
    left, right = {"a": 2, "b": 1}, {"a": 1, "c": 4}
    assert js_divergence(left, right) == pytest.approx(js_divergence(right, left))
    with pytest.raises(ValueError):
        js_divergence({}, {"a": 1})


def test_helper_top():
    counts = Counter({80: 50, 443: 30, None: 10, 22: 5, 23: 5})
    assert top(counts, 2, counts) == {80: 50, 443: 30, None: 10, "other": 10}
    assert top(Counter({80: 1, 8080: 2}), 2, counts) == {80: 1, "other": 2}


def top(counts: Counter, n: int, ranking: Counter) -> dict:
    """Counts of the first `n` ports of the ranking and of missing ports; all others are `other`."""
    leading = {value for value, _ in Counter({k: v for k, v in ranking.items() if k is not None}).most_common(n)}
    result: Counter = Counter()
    for value, count in counts.items():
        result[value if value is None or value in leading else "other"] += count
    return dict(result)


@pytest.fixture(scope="module")
def database():
    path = outside(DATABASE)
    connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def alerts(tmp_path_factory):
    out = tmp_path_factory.mktemp("grounded") / "corpus"
    made = generate(out, "--events", "1M", "--alerts-db", outside(DATABASE))
    connection = made.connect()
    connection.execute(
        """CREATE TABLE a AS SELECT * FROM events
           WHERE attack.id IS NULL AND NOT fusionai.noise AND event.kind = 'alert'"""
    )
    return connection


def counts(connection, expression: str, relation: str) -> Counter:
    rows = connection.execute(f"SELECT {expression}, count(*) FROM {relation} GROUP BY {expression}").fetchall()
    return Counter({row[:-1] if len(row) > 2 else row[0]: row[-1] for row in rows})


@pytest.mark.parametrize("column", COLUMNS)
def test_one_column(alerts, database, column):
    ours, theirs = COLUMNS[column]
    distance = js_divergence(counts(alerts, ours, "a"), counts(database, theirs, "alerts"))
    figure(f"JS divergence of {column}: {distance:.5f} bits")
    assert distance < 0.02


def test_signature_and_severity_together(alerts, database):
    ours = counts(alerts, "rule.name, fusionai.severity", "a")
    theirs = counts(database, "signature, CAST(severity AS TEXT)", "alerts")
    distance = js_divergence(ours, theirs)
    figure(f"JS divergence of (signature, severity): {distance:.5f} bits")
    assert distance < 0.03


def test_destination_ports(alerts, database):
    ours, theirs = counts(alerts, "destination.port", "a"), counts(database, "dest_port", "alerts")
    distance = js_divergence(top(ours, 50, theirs), top(theirs, 50, theirs))
    services = [
        Counter({port: n for port, n in ports.items() if port is None or port < EPHEMERAL}) for ports in (ours, theirs)
    ]
    below = js_divergence(top(services[0], 50, services[1]), top(services[1], 50, services[1]))
    figure(
        f"JS divergence of the 50 first destination ports: {distance:.5f} bits; of those below {EPHEMERAL}: {below:.5f}"
    )
    assert distance < 0.02


def test_no_signature_meets_a_foreign_category(alerts, database):
    ours = set(counts(alerts, "rule.name, rule.category, network.protocol", "a"))
    theirs = set(counts(database, "signature, category, lower(proto)", "alerts"))
    assert ours and ours <= theirs
