"""A corpus in the Elastic Common Schema: every engine reads it, and the essentials of ECS 9.4 hold."""

import ipaddress
import json

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from support import SAMPLE_INPUTS, Corpus, fusiongen, generate, one

# ECS 9.4: allowed values of event.category, and the event.type expected with each.
TYPES = {
    "authentication": {"start", "end", "info"},
    "configuration": {"access", "change", "creation", "deletion", "info"},
    "driver": {"change", "end", "info", "start"},
    "email": {"info"},
    "file": {"access", "change", "creation", "deletion", "info"},
    "host": {"access", "change", "end", "info", "start"},
    "iam": {"admin", "change", "creation", "deletion", "group", "info", "user"},
    "intrusion_detection": {"allowed", "denied", "info"},
    "network": {"access", "allowed", "connection", "denied", "end", "info", "protocol", "start"},
    "process": {"access", "change", "end", "info", "start"},
    "registry": {"access", "change", "creation", "deletion"},
    "session": {"start", "end", "info"},
    "web": {"access", "error", "info"},
}

# Fields that ECS normalises to arrays, and fields of fixed types.
ARRAYS = [
    "event.category", "event.type", "host.ip", "process.args", "process.parent.args", "dns.answers", "dns.resolved_ip",
    "registry.data.strings", "threat.technique.id", "threat.technique.name", "threat.technique.subtechnique.id",
    "threat.technique.subtechnique.name", "threat.tactic.id", "threat.tactic.name", "related.ip", "related.user",
    "related.hosts", "related.hash", "tags", "winlog.keywords",
]  # fmt: skip
LONGS = [
    "event.severity", "event.sequence", "source.port", "source.bytes", "source.as.number", "destination.port",
    "destination.bytes", "network.bytes", "process.pid", "process.args_count", "process.parent.pid",
    "winlog.process.pid", "winlog.process.thread.id", "log.syslog.priority",
]  # fmt: skip
TEXTS = [
    "ecs.version", "event.code", "user.id", "host.os.type", "process.entity_id", "network.transport", "rule.id",
    "network.iana_number", "winlog.event_id", "winlog.record_id", "log.syslog.procid",
]  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Corpus:
    """100,000 events in ECS, grounded in the sample inputs."""
    out = tmp_path_factory.mktemp("ecs") / "corpus"
    return generate(out, "--events", "100k", "--schema", "ecs", *SAMPLE_INPUTS)


@pytest.fixture(scope="module")
def db(corpus) -> duckdb.DuckDBPyConnection:
    connection = corpus.connect()
    connection.execute("CREATE TABLE e AS SELECT * FROM events")
    return connection


@pytest.fixture(scope="module")
def schema(corpus) -> pa.Schema:
    return pq.read_schema(corpus.files[0])


def field(schema: pa.Schema, path: str) -> pa.DataType:
    head, *rest = path.split(".")
    found = schema.field(head).type
    for name in rest:
        found = found.field(found.get_field_index(name)).type
    return found


def test_the_plan_and_footers_know_the_schema(corpus):
    assert corpus.plan["config"]["schema"] == "ecs"
    footer = pq.read_metadata(corpus.files[0]).metadata
    assert footer[b"fusiongen.fingerprint"].decode() == corpus.plan["fingerprint"]


def test_types(schema):
    for path in ARRAYS:
        assert pa.types.is_list(field(schema, path)), path
    for path in LONGS:
        assert field(schema, path) == pa.int64(), path
    for path in TEXTS:
        assert pa.types.is_string(field(schema, path)), path
    for leaf in field(schema, "winlog.event_data"):
        assert pa.types.is_string(leaf.type), leaf.name
    for path in ("@timestamp", "event.created", "event.ingested"):
        assert field(schema, path) == pa.timestamp("us", "UTC"), path


def test_categories_and_types_fit(db):
    pairs = db.execute("SELECT event.category, event.type, count(*) FROM e GROUP BY ALL").fetchall()
    assert len(pairs) > 8
    for categories, types, _ in pairs:
        assert categories and set(categories) <= TYPES.keys(), categories
        assert types and set(types) <= set().union(*(TYPES[c] for c in categories)), (categories, types)
        assert len(set(types)) == len(types) and len(set(categories)) == len(categories)


def test_values(db):
    wrong = db.execute(
        """SELECT count(*) FILTER (ecs.version <> '9.4.0'),
                  count(*) FILTER (event.kind NOT IN ('alert', 'event')),
                  count(*) FILTER (event.outcome NOT IN ('success', 'failure')),
                  count(*) FILTER (host.os."type" NOT IN ('windows', 'linux')),
                  count(*) FILTER (network.direction NOT IN ('internal', 'inbound', 'outbound', 'external')),
                  count(*) FILTER (event.severity NOT IN (21, 47, 73, 99)),
                  count(*) FILTER ((event.severity IS NULL) <> (rule.name IS NULL)),
                  count(*) FILTER (event.created < "@timestamp" OR event.ingested < event.created),
                  count(*) FILTER (len(threat.technique.id) > 0 AND contains(threat.technique.id[1], '.')),
                  count(*) FILTER (NOT starts_with(threat.technique.subtechnique.id[1], threat.technique.id[1] || '.')),
                  count(*) FILTER (network.bytes <> source.bytes + destination.bytes),
                  count(*) FILTER (process.args_count <> len(process.args))
           FROM e"""
    ).fetchone()
    assert wrong == (0,) * len(wrong)
    assert one(db, "SELECT count(*) FROM e WHERE len(threat.technique.subtechnique.id) = 1") > 100


def test_a_fused_alert_is_the_sensors_document(db):
    found = db.execute(
        """SELECT count(*), count(winlog.event_id), count(auditd."type"), count(process.pid), count(message),
                  count(rule.name), count(network.transport), count(*) FILTER (event.dataset <> 'suricata.eve'),
                  count(*) FILTER (event.category <> ['network', 'intrusion_detection']),
                  count(*) FILTER ((event.outcome = 'failure') <> list_contains(event."type", 'denied')),
                  count(*) FILTER ((event.action = 'blocked') <> list_contains(event."type", 'denied'))
           FROM e WHERE observer."type" = 'ids'"""
    ).fetchone()
    rows = found[0]
    assert rows > 10_000
    assert found == (rows, 0, 0, 0, 0, rows, rows, 0, 0, 0, 0)


def test_a_sensor_fails_what_it_denies(tmp_path):
    db = generate(tmp_path / "corpus", "--schema", "ecs", "--events", "20k").connect()
    found = db.execute(
        """SELECT DISTINCT event.outcome, event.action, event."type" FROM events
           WHERE observer."type" = 'ids' ORDER BY ALL"""
    ).fetchall()
    assert found == [("failure", "blocked", ["denied"]), ("success", "allowed", ["allowed"])]


def test_related_holds_what_the_event_holds(db):
    wrong = db.execute(
        """SELECT count(*) FILTER (NOT list_contains(related.ip, host.ip[1])),
                  count(*) FILTER (source.ip IS NOT NULL AND NOT list_contains(related.ip, source.ip)),
                  count(*) FILTER (destination.ip IS NOT NULL AND NOT list_contains(related.ip, destination.ip)),
                  count(*) FILTER (NOT list_contains(related."user", "user".name)),
                  count(*) FILTER (dns.question.name IS NOT NULL
                                   AND NOT list_contains(related.hosts, dns.question.name)),
                  count(*) FILTER (process.hash.sha256 IS NOT NULL
                                   AND NOT list_contains(related.hash, process.hash.sha256)),
                  count(*) FILTER (len(related.ip) <> len(list_distinct(related.ip)))
           FROM e"""
    ).fetchone()
    assert wrong == (0,) * len(wrong)


def test_ecs_agrees_with_the_native_record(db):
    wrong = db.execute(
        """SELECT count(*) FILTER (event.code <> winlog.event_id),
                  count(*) FILTER (winlog.event_id = '3' AND winlog.event_data.SourceIp <> source.ip),
                  count(*) FILTER (winlog.event_id = '3'
                                   AND winlog.event_data.DestinationPort <> CAST(destination.port AS VARCHAR)),
                  count(*) FILTER (winlog.channel LIKE '%Sysmon%'
                                   AND winlog.event_data.ProcessId <> CAST(process.pid AS VARCHAR)),
                  count(*) FILTER (winlog.event_data.ProcessGuid <> process.entity_id),
                  count(*) FILTER (winlog.event_data.CommandLine <> process.command_line),
                  count(*) FILTER (winlog.event_id = '1'
                                   AND NOT contains(lower(winlog.event_data.Hashes), process.hash.sha256)),
                  count(*) FILTER (winlog.event_id = '4624' AND winlog.event_data.TargetUserSid <> "user".id),
                  count(*) FILTER (winlog.event_id = '4624'
                                   AND NOT regexp_full_match(winlog.event_data.TargetLogonId, '0x[0-9a-f]+')),
                  count(*) FILTER (auditd."type" = 'EXECVE' AND auditd.a0 <> process.args[1]),
                  count(*) FILTER (dns.answers IS NOT NULL AND dns.answers[len(dns.answers)].data <> dns.resolved_ip[len(dns.resolved_ip)])
           FROM e"""
    ).fetchone()
    assert wrong == (0,) * len(wrong)
    for code in ("1", "3", "22", "4624"):
        assert one(db, f"SELECT count(*) FROM e WHERE winlog.event_id = '{code}'") > 0, code


def test_external_ends_have_a_place(db):
    found = db.execute(
        """SELECT count(*), count(source.geo.country_iso_code), count(source."as".number),
                  count(DISTINCT source.geo.country_iso_code)
           FROM e WHERE network.direction = 'inbound'"""
    ).fetchone()
    assert found[0] == found[1] == found[2] > 0
    assert found[3] > 5
    places = """SELECT max(places) FROM (SELECT count(DISTINCT source.geo.country_iso_code) places
                FROM e GROUP BY source.ip)"""
    assert one(db, places) == 1


def test_both_schemas_tell_of_the_same_events(corpus, db, tmp_path):
    other = generate(tmp_path / "corpus", "--events", "100k", *SAMPLE_INPUTS)
    columns = """event."sequence" AS n, "@timestamp", host.name, "user".name, rule.name, attack.id, labels.verdict"""
    left = db.execute(f"SELECT {columns} FROM e ORDER BY n").fetchall()
    right = other.connect().execute(f"SELECT {columns} FROM events ORDER BY n").fetchall()
    assert left == right
    assert corpus.plan["fingerprint"] != other.plan["fingerprint"]


def test_pyarrow_and_polars_read_it(corpus):
    assert ds.dataset(corpus.events, format="parquet", partitioning="hive").count_rows() == 100_000
    scan = pl.scan_parquet(corpus.events, hive_partitioning=True)
    answers = (
        scan.select(pl.col("dns").struct.field("answers"))
        .drop_nulls()
        .explode("answers")
        .select(pl.col("answers").struct.field("data"), pl.col("answers").struct.field("type"))
        .collect()
    )
    assert answers.height > 0 and set(answers["type"]) == {"A", "CNAME"}
    for address in answers.filter(pl.col("type") == "A")["data"].head(100):
        ipaddress.ip_address(address)
    for path in corpus.files[:: max(1, len(corpus.files) // 5)]:
        assert pl.read_parquet(path, hive_partitioning=False).height > 0


def test_spark_reads_it(corpus, db):
    pyspark = pytest.importorskip("pyspark")
    session = (
        pyspark.sql.SparkSession.builder.master("local[2]")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "2g")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    frame = session.read.parquet(str(corpus.events))
    assert frame.count() == 100_000
    found = frame.selectExpr("explode(dns.answers) AS a").selectExpr("a.data").count()
    assert found == one(db, "SELECT sum(len(dns.answers)) FROM e") > 0


def test_sample_prints_ecs():
    done = fusiongen("sample", "--schema", "ecs", "--events", "20k", "-n", "20")
    assert done.returncode == 0, done.stderr
    decoder, text, events = json.JSONDecoder(), done.stdout, []
    while text.strip():
        event, end = decoder.raw_decode(text.lstrip())
        text = text.lstrip()[end:]
        events.append(event)
    assert len(events) == 20
    for event in events:
        assert isinstance(event["event"]["category"], list) and event["ecs"] == {"version": "9.4.0"}
        assert "winlog" not in event or isinstance(event["winlog"]["event_id"], str)
