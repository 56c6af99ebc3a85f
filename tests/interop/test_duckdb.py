"""DuckDB reads a corpus as one table."""

import json

import duckdb
import pytest
from support import one


def test_count_is_the_manifests(corpus, db):
    rows = one(db, "SELECT count(*) FROM events")
    assert rows == 200_000
    assert rows == corpus.manifest["events"]
    assert rows == sum(entry["rows"] for entry in corpus.listed)


def test_every_file_is_listed_with_its_rows_and_size(corpus, db):
    listed = {entry["path"]: (entry["rows"], entry["bytes"]) for entry in corpus.listed}
    counted = db.execute(f"SELECT file_name, num_rows FROM parquet_file_metadata('{corpus.glob}')").fetchall()
    prefix = f"{corpus.path}/"
    sizes = {str(path): path.stat().st_size for path in corpus.files}
    assert {name.removeprefix(prefix): (rows, sizes[name]) for name, rows in counted} == listed


def test_default_world_has_its_count(default_corpus):
    assert one(default_corpus.connect(), "SELECT count(*) FROM events") == 100_000
    assert default_corpus.manifest["events"] == 100_000


def test_partition_columns(db):
    types = dict(db.execute("SELECT column_name, column_type FROM (DESCRIBE events)").fetchall())
    assert types["date"] == "DATE"
    assert types["category"] == "VARCHAR"
    first, last, days = db.execute("SELECT min(date), max(date), count(DISTINCT date) FROM events").fetchone()
    assert (str(first), str(last), days) == ("2024-08-12", "2024-08-18", 7)
    assert one(db, "SELECT count(*) FROM events WHERE NOT regexp_full_match(category, '[a-z][a-z0-9_]{0,63}')") == 0


def test_a_date_reads_only_its_files(corpus, db):
    of_date = len(list((corpus.events / "date=2024-08-14").rglob("*.parquet")))
    text = "\n".join(
        row[1] for row in db.execute("EXPLAIN SELECT count(*) FROM events WHERE date = '2024-08-14'").fetchall()
    )
    assert f"{of_date}/{len(corpus.files)}" in text, text


def test_files_without_event_id_say_so(corpus, db):
    """Chunks of Linux rows have no `winlog.event_id`: the null count says that `= 3` cannot match."""
    chunks = db.execute(
        f"""SELECT file_name, row_group_id, num_values, stats_null_count, stats_min_value, stats_max_value
            FROM parquet_metadata('{corpus.glob}') WHERE path_in_schema = 'winlog, event_id'"""
    ).fetchall()
    assert len(chunks) >= len(corpus.files)
    empty = {(c[0], c[1]) for c in chunks if c[3] == c[2]}
    assert empty, "no row group is without Windows rows"
    assert all(c[4] is None and c[5] is None for c in chunks if (c[0], c[1]) in empty)
    for _, _, _, nulls, low, high in chunks:
        assert nulls is not None
        assert (low is None) == (high is None)
    # The bounds are correct: a file with a 3 has chunks whose bounds include it.
    admitting = {c[0] for c in chunks if c[4] is not None and int(c[4]) <= 3 <= int(c[5])}
    holding = {
        row[0]
        for row in db.execute(
            f"""SELECT DISTINCT filename FROM read_parquet('{corpus.glob}', filename = true)
                WHERE winlog.event_id = 3"""
        ).fetchall()
    }
    assert holding and holding <= admitting
    assert len(admitting) < len(corpus.files)


def test_nested_fields(db):
    assert one(db, "SELECT count(*) FROM events WHERE winlog.event_id = 1") > 0
    image, count = db.execute(
        """SELECT winlog.event_data.Image, count(*) FROM events
           WHERE winlog.event_id = 1 GROUP BY ALL ORDER BY 2 DESC LIMIT 1"""
    ).fetchone()
    assert image.lower().endswith(".exe") and count > 0
    row = db.execute(
        """SELECT typeof(winlog.event_data.ProcessId), typeof(winlog.event_data.SourcePort),
                  typeof(winlog.event_data.DestinationPort), typeof(winlog.event_id),
                  typeof(event."sequence"), typeof(fusionai.noise)
           FROM events LIMIT 1"""
    ).fetchone()
    assert row[:3] == ("BIGINT",) * 3
    assert row[3] in ("BIGINT", "INTEGER")
    assert row[4:] == ("BIGINT", "BOOLEAN")


def test_lists(db):
    assert one(db, "SELECT count(*) FROM events WHERE host.ip[1] IS NOT NULL") > 0
    assert one(db, "SELECT typeof(host.ip) FROM events LIMIT 1") == "VARCHAR[]"
    assert one(db, "SELECT count(*) FROM events WHERE len(tags) > 0") > 0
    assert one(db, "SELECT count(*) FROM events WHERE list_contains(threat.technique.id, 'T1021.002')") > 0


def test_timestamp_is_utc_and_in_its_partition(db):
    assert one(db, 'SELECT typeof("@timestamp") FROM events LIMIT 1') == "TIMESTAMP WITH TIME ZONE"
    outside = one(db, 'SELECT count(*) FROM events WHERE "@timestamp" IS NULL OR CAST("@timestamp" AS DATE) <> date')
    assert outside == 0


def test_sequence_is_unique(db):
    rows, different, missing = db.execute(
        """SELECT count(*), count(DISTINCT event."sequence"), count(*) FILTER (event."sequence" IS NULL)
           FROM events"""
    ).fetchone()
    assert (different, missing) == (rows, 0)


def test_files_are_sorted_and_do_not_overlap(corpus, db):
    backwards = one(
        db,
        f"""SELECT count(*) FROM (
              SELECT "@timestamp" < lag("@timestamp") OVER (PARTITION BY filename ORDER BY file_row_number) AS back
              FROM read_parquet('{corpus.glob}', filename = true, file_row_number = true)) WHERE back""",
    )
    assert backwards == 0
    overlapping = one(
        db,
        f"""WITH f AS (SELECT date, category, filename, min("@timestamp") AS low, max("@timestamp") AS high
                       FROM read_parquet('{corpus.glob}', filename = true, hive_partitioning = true) GROUP BY ALL)
            SELECT count(*) FROM f a JOIN f b USING (date, category)
            WHERE a.filename < b.filename AND a.low < b.high AND b.low < a.high""",
    )
    assert overlapping == 0


def test_sequence_follows_time_in_a_partition(db):
    backwards = one(
        db,
        """SELECT count(*) FROM (
             SELECT "@timestamp" < lag("@timestamp") OVER (PARTITION BY date, category ORDER BY event."sequence") AS back
             FROM events) WHERE back""",
    )
    assert backwards == 0


@pytest.mark.parametrize("which", ["corpus", "default_corpus"])
def test_shares_are_the_manifests(which, request):
    made = request.getfixturevalue(which)
    chains, noise, both, rows = (
        made.connect()
        .execute(
            """SELECT count(attack.id), count(*) FILTER (fusionai.noise),
                      count(*) FILTER (fusionai.noise AND attack.id IS NOT NULL), count(*) FROM events"""
        )
        .fetchone()
    )
    asked, actual = made.manifest["asked"], made.manifest["actual"]
    assert both == 0
    assert asked["attack_chain_ratio"] == pytest.approx(0.15, abs=1e-9)
    assert asked["noise_ratio"] == pytest.approx(0.20, abs=1e-9)
    assert actual["attack_chain_ratio"] == pytest.approx(chains / rows, abs=1e-6)
    assert actual["noise_ratio"] == pytest.approx(noise / rows, abs=1e-6)
    assert chains / rows == pytest.approx(0.15, abs=0.005)
    assert noise / rows == pytest.approx(0.20, abs=0.005)


def test_truth_agrees_with_the_events(corpus, db):
    db.execute(
        f"CREATE OR REPLACE TEMP VIEW chains AS SELECT * FROM read_parquet('{corpus.path}/truth/chains/**/*.parquet')"
    )
    db.execute(
        f"CREATE OR REPLACE TEMP VIEW steps AS SELECT * FROM read_parquet('{corpus.path}/truth/steps/**/*.parquet')"
    )
    assert one(db, "SELECT count(*) FROM chains") == one(db, "SELECT count(DISTINCT attack.id) FROM events") > 0
    # The event of each step is at the place in truth, and belongs to that chain and step.
    strays = one(
        db,
        """SELECT count(*) FROM steps s LEFT JOIN events e
             ON e.event."sequence" = s.event_sequence AND e.date = CAST(s.event_date AS DATE)
                AND e.category = s.event_category
           WHERE e.attack.id IS DISTINCT FROM s.attack_id OR e.attack.step IS DISTINCT FROM s.step""",
    )
    assert strays == 0
    wrong = one(
        db,
        """SELECT count(*) FROM chains c LEFT JOIN (
             SELECT attack.id AS id, count(*) AS n FROM events WHERE attack.id IS NOT NULL GROUP BY 1) e
             ON e.id = c.attack_id
           WHERE e.n IS DISTINCT FROM c.events""",
    )
    assert wrong == 0


def test_success_marks_a_finished_corpus(corpus):
    assert (corpus.path / "_SUCCESS").is_file()
    assert not (corpus.path / "journal").exists()
    assert {path.name for path in (corpus.path / "entities").iterdir()} == {"users.parquet", "assets.parquet"}
    assert json.loads((corpus.path / "manifest.json").read_text())["fingerprint"] == corpus.plan["fingerprint"]


def test_entities_are_the_worlds(corpus, db):
    """Every host and user in the events is in the entity tables."""
    assets = f"read_parquet('{corpus.path}/entities/assets.parquet')"
    users = f"read_parquet('{corpus.path}/entities/users.parquet')"
    columns = {row[0].lower() for row in db.execute(f"DESCRIBE SELECT * FROM {assets}").fetchall()}
    assert "hostname" in columns, columns
    assert one(db, f"SELECT count(*) FROM {users}") > 0
    strangers = one(
        db,
        f"""SELECT count(DISTINCT host.hostname) FROM events
            WHERE host.hostname IS NOT NULL AND host.hostname NOT IN (SELECT hostname FROM {assets})""",
    )
    assert strangers == 0


def test_duckdb_is_the_pinned_one():
    assert int(duckdb.__version__.split(".")[0]) >= 2
