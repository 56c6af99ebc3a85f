"""Security 4688 and 4689 in ordinary activity: hosts that audit processes, and the content of the records."""

from support import one

LIFE = "fusionai.noise AND attack.id IS NULL AND labels.noise_type = 'process_life'"


def test_audited_hosts_are_servers_and_have_both_sensors(db):
    """Every domain controller and some servers, but no workstation; Sysmon's records remain too."""
    by_host = db.execute(
        f"""SELECT host.name, any_value(host.type), count(*) FILTER (winlog.event_id IN (4688, 4689)) AS audited,
            count(*) FILTER (winlog.event_id IN (1, 5)) AS sysmon
        FROM events WHERE {LIFE} AND winlog.event_id IS NOT NULL GROUP BY 1"""
    ).fetchall()
    audited = [row for row in by_host if row[2]]
    assert audited and len(audited) < len(by_host)
    assert not [row for row in audited if "workstation" in row[1]]
    busy = [row for row in audited if row[2] + row[3] >= 40]
    assert busy and all(0.2 < row[2] / (row[2] + row[3]) < 0.8 for row in busy), busy


def test_a_process_is_seen_by_one_sensor_and_ends_where_it_started(db):
    """A 4689 follows the 4688 of its pid and image; no Sysmon 5 does."""
    orphans = one(
        db,
        f"""WITH starts AS (
            SELECT host.name AS host, winlog.event_data.NewProcessId AS pid, process.executable AS image, "@timestamp" AS at
            FROM events WHERE {LIFE} AND winlog.event_id = 4688)
        SELECT count(*) FROM events e WHERE {LIFE} AND winlog.event_id = 4689
            AND "@timestamp" > (SELECT min("@timestamp") FROM events) + INTERVAL 1 DAY
            AND NOT EXISTS (FROM starts s WHERE s.host = e.host.name AND s.pid = e.winlog.event_data.ProcessId
                AND s.image = e.process.executable AND s.at <= e."@timestamp")""",
    )
    assert orphans == 0


def test_a_4688_says_what_sysmon_says(db):
    """Parent, command line, account and session as a Sysmon 1 of the same program has them."""
    wrong = one(
        db,
        f"""SELECT count(*) FROM events WHERE {LIFE} AND winlog.event_id = 4688 AND NOT coalesce(
            winlog.event_data.NewProcessName = process.executable
            AND winlog.event_data.CommandLine = process.command_line
            AND winlog.event_data.ParentProcessName = process.parent.executable
            AND winlog.event_data.ProcessId = process.parent.pid
            AND winlog.event_data.NewProcessId = process.pid
            AND winlog.event_data.SubjectLogonId > 0, false)""",
    )
    assert wrong == 0
    pairs = "SELECT DISTINCT process.executable, process.parent.executable FROM events"
    unknown = db.execute(
        f"""{pairs} WHERE {LIFE} AND winlog.event_id = 4688
        EXCEPT {pairs} WHERE winlog.event_id = 1 OR winlog.event_id = 4688 AND NOT ({LIFE})"""
    ).fetchall()
    both = one(db, f"SELECT count(*) FROM ({pairs} WHERE {LIFE} AND winlog.event_id = 4688)")
    assert len(unknown) <= both / 2, unknown
