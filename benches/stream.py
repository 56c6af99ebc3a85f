#!/usr/bin/env python3
"""How a corpus's Windows hosts move from record to record, beside recorded hosts.

    pip install duckdb
    benches/stream.py out/corpus                  # a table of figures
    benches/stream.py out/corpus --json           # the same for programs
    benches/stream.py out/corpus --hosts 100      # hosts with the most records, instead of 40

Reads Sysmon's records of Parquet files of either schema. A figure is computed for each host; the table
has the median and the 10th and 90th percentile over hosts. *recorded* is the range of recorded hosts:
33 of them, 198,697 Sysmon records, in windows of 1 to 112 minutes. Most log every kind, so a figure that
depends on the density of records, such as the share of equal milliseconds, is comparable only in
direction. docs/realism.md says what follows from the figures.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import duckdb

#: Sysmon's records of some hosts, in the order of their log.
RECORDS = """
CREATE TEMP TABLE r AS
SELECT host.name AS host, "@timestamp" AS logged, winlog.record_id AS id,
    CAST(winlog.event_id AS INTEGER) AS kind,
    CAST(winlog.event_data.UtcTime AS TIMESTAMP) AS utc,
    coalesce(winlog.event_data.ProcessGuid, winlog.event_data.SourceProcessGUID) AS guid,
    winlog.event_data.ParentProcessGuid AS parent,
    CAST(winlog.event_data.ProcessId AS INTEGER) AS pid,
    coalesce(winlog.event_data.Image, winlog.event_data.SourceImage) AS image,
    winlog.event_data.TargetObject AS object, winlog.event_data.Details AS details,
    winlog.event_data.Protocol AS protocol, winlog.event_data.Initiated AS initiated,
    CAST(winlog.event_data.SourcePort AS INTEGER) AS port,
    winlog.event_data.DestinationIp AS peer, winlog.event_data.QueryName AS query,
    winlog.event_data.QueryResults AS answers,
    CAST(winlog.event_data.CreationUtcTime AS TIMESTAMP) AS created,
    winlog.event_data.FileVersion AS version,
    row_number() OVER (PARTITION BY host.name ORDER BY winlog.record_id, "@timestamp") AS place
FROM read_parquet({files}, hive_partitioning = true)
WHERE winlog.provider_name = 'Microsoft-Windows-Sysmon'
    AND host.name IN (
        SELECT host.name FROM read_parquet({files}, hive_partitioning = true)
        WHERE winlog.provider_name = 'Microsoft-Windows-Sysmon'
        GROUP BY ALL ORDER BY count(*) DESC, 1 LIMIT {hosts});
CREATE TEMP TABLE births AS
SELECT *, row_number() OVER (PARTITION BY host ORDER BY utc) AS turn FROM r WHERE kind = 1;
CREATE TEMP TABLE lives AS
SELECT b.host, b.guid, b.pid, b.image, b.utc AS born, b.turn, e.utc AS died
FROM births b LEFT JOIN (SELECT host, guid, min(utc) AS utc FROM r WHERE kind = 5 GROUP BY ALL) e USING (host, guid);
"""

#: A process's ordinal since the boot: six bytes, least first, at the start of the last group.
ORDINAL = "CAST(('0x' || substr(hex8, 7, 2) || substr(hex8, 5, 2) || substr(hex8, 3, 2) || substr(hex8, 1, 2)) AS BIGINT)"

PUBLIC = r"""NOT regexp_matches(peer, '^(10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|22[4-9]\.|23\d\.|255\.|::|fe80|ff0)')"""

#: Name, what is recorded, and a query with the columns host and figure.
FIGURES = [
    ("neighbours in the same millisecond", "0.50 to 0.97", """
        SELECT host, avg(CAST(same AS INTEGER)) AS figure FROM (
            SELECT host, date_trunc('milliseconds', utc) = date_trunc('milliseconds', lag(utc) OVER w) AS same
            FROM r WINDOW w AS (PARTITION BY host ORDER BY place)) WHERE same IS NOT NULL GROUP BY host"""),
    ("changes of kind in 120 records", "43 to 75", """
        SELECT host, 119 * avg(CAST(other AS INTEGER)) AS figure FROM (
            SELECT host, kind <> lag(kind) OVER (PARTITION BY host ORDER BY place) AS other
            FROM r WHERE kind IN (1, 3, 5, 11, 12, 13, 22)) WHERE other IS NOT NULL GROUP BY host"""),
    ("kinds on the 15.625 ms tick of their host", "0.75 to 1.00", """
        SELECT host, avg(CAST(on_tick AS INTEGER)) AS figure FROM (
            SELECT host, least(gap % 15625, 15625 - gap % 15625) <= 1000 AS on_tick FROM (
                SELECT host, epoch_us(utc) - epoch_us(lag(utc) OVER (PARTITION BY host ORDER BY utc)) AS gap
                FROM r WHERE kind IN (2, 5, 7, 9, 10, 11, 12, 13, 17, 18, 23)) WHERE gap BETWEEN 1000 AND 200000)
        GROUP BY host"""),
    ("newborn processes with records of their own", "0.32 to 0.64", """
        SELECT host, avg(CAST(acts AS INTEGER)) AS figure FROM (
            SELECT b.host, exists(FROM r WHERE r.host = b.host AND r.guid = b.guid AND kind NOT IN (1, 5)) AS acts
            FROM births b) GROUP BY host"""),
    ("births whose parent was born in the window", "0.28 to 0.94", """
        SELECT host, avg(CAST(known AS INTEGER)) AS figure FROM (
            SELECT b.host, exists(FROM births p WHERE p.host = b.host AND p.guid = b.parent) AS known
            FROM births b) GROUP BY host"""),
    ("of two consecutive births the later dies first", "0.19", """
        SELECT host, avg(CAST(died > next AS INTEGER)) AS figure FROM (
            SELECT host, died, lead(died) OVER (PARTITION BY host ORDER BY turn) AS next FROM lives)
        WHERE died IS NOT NULL AND next IS NOT NULL GROUP BY host"""),
    ("lifetime of reg.exe, median in ms", "3", """
        SELECT host, median(epoch_ms(died) - epoch_ms(born)) AS figure FROM lives
        WHERE lower(image) LIKE '%\\reg.exe' AND died IS NOT NULL GROUP BY host"""),
    ("lifetime of cmd.exe, median in ms", "51", """
        SELECT host, median(epoch_ms(died) - epoch_ms(born)) AS figure FROM lives
        WHERE lower(image) LIKE '%\\cmd.exe' AND died IS NOT NULL GROUP BY host"""),
    ("lifetime of dllhost.exe, median in ms", "5296", """
        SELECT host, median(epoch_ms(died) - epoch_ms(born)) AS figure FROM lives
        WHERE lower(image) LIKE '%\\dllhost.exe' AND died IS NOT NULL GROUP BY host"""),
    ("greatest pid", "26616 or less", "SELECT host, max(pid) AS figure FROM births GROUP BY host"),
    ("median pid", "4080", "SELECT host, median(pid) AS figure FROM births GROUP BY host"),
    ("pid below the one before", "0.50", """
        SELECT host, avg(CAST(step < 0 AS INTEGER)) AS figure FROM (
            SELECT host, pid - lag(pid) OVER (PARTITION BY host ORDER BY turn) AS step FROM births)
        WHERE step IS NOT NULL GROUP BY host"""),
    ("ordinal of a birth is the last one's + 1", "0.99", f"""
        SELECT host, avg(CAST(step = 1 AS INTEGER)) AS figure FROM (
            SELECT host, ordinal - lag(ordinal) OVER (PARTITION BY host ORDER BY turn) AS step FROM (
                SELECT host, turn, {ORDINAL} AS ordinal
                FROM (SELECT host, turn, substr(replace(guid, '-', ''), 18, 8) AS hex8 FROM births)))
        WHERE step IS NOT NULL GROUP BY host"""),
    ("TCP port is the last one's + 1, 2 or 3", "0.97", """
        SELECT host, avg(CAST(step BETWEEN 1 AND 3 AS INTEGER)) AS figure FROM (
            SELECT host, port - lag(port) OVER (PARTITION BY host ORDER BY place) AS step
            FROM r WHERE kind = 3 AND protocol = 'tcp' AND initiated = 'true')
        WHERE step IS NOT NULL GROUP BY host"""),
    ("public connects after a query of the process", "0.67", f"""
        SELECT host, avg(CAST(asked AS INTEGER)) AS figure FROM (
            SELECT c.host, exists(FROM r q WHERE q.host = c.host AND q.guid = c.guid AND q.kind = 22
                AND contains(q.answers, c.peer) AND c.utc BETWEEN q.utc AND q.utc + INTERVAL 5 SECOND) AS asked
            FROM r c WHERE kind = 3 AND protocol = 'tcp' AND initiated = 'true' AND {PUBLIC}) GROUP BY host"""),
    ("answers with a CNAME", "0.36", """
        SELECT host, avg(CAST(contains(answers, 'type:  5 ') AS INTEGER)) AS figure
        FROM r WHERE kind = 22 AND answers NOT IN ('', '-') GROUP BY host"""),
    ("connections by UDP", "0.03 to 0.76", """
        SELECT host, avg(CAST(protocol = 'udp' AS INTEGER)) AS figure FROM r WHERE kind = 3 GROUP BY host"""),
    ("connections by IPv6", "0.06 to 0.66", """
        SELECT host, avg(CAST(contains(peer, ':') AS INTEGER)) AS figure FROM r WHERE kind = 3 GROUP BY host"""),
    ("records 12 for each 13", "1.4 to 4.4", """
        SELECT host, count(*) FILTER (WHERE kind = 12) / count(*) FILTER (WHERE kind = 13) AS figure
        FROM r GROUP BY host HAVING count(*) FILTER (WHERE kind = 13) >= 10"""),
    ("records 12 twice in a millisecond", "0.40", """
        SELECT host, 1 - count(DISTINCT (guid, object, utc)) / count(*) AS figure
        FROM r WHERE kind = 12 GROUP BY host"""),
    ("values set again to the same", "0.84", """
        SELECT host, avg(CAST(same AS INTEGER)) AS figure FROM (
            SELECT host, details = lag(details) OVER (PARTITION BY host, object ORDER BY place) AS same
            FROM r WHERE kind = 13 AND details LIKE 'DWORD%') WHERE same IS NOT NULL GROUP BY host"""),
    ("files created at the time of the record", "0.79", """
        SELECT host, avg(CAST(abs(epoch_us(utc) - epoch_us(created)) <= 1000 AS INTEGER)) AS figure
        FROM r WHERE kind = 11 GROUP BY host"""),
    ("files older than a day", "0.08", """
        SELECT host, avg(CAST(created < utc - INTERVAL 1 DAY AS INTEGER)) AS figure FROM r WHERE kind = 11 GROUP BY host"""),
    ("processes whose path has two spellings", "0.33", """
        SELECT host, avg(CAST(n > 1 AS INTEGER)) AS figure FROM (
            SELECT host, guid, count(DISTINCT image) AS n FROM r WHERE kind IN (1, 11, 12, 13) GROUP BY ALL
            HAVING count(DISTINCT kind) > 1) GROUP BY host"""),
    ("builds of Windows' programs on a host", "4 to 50", """
        SELECT host, count(DISTINCT version) AS figure
        FROM births WHERE version LIKE '10.0.%' AND lower(image) LIKE 'c:\\windows\\%' GROUP BY host"""),
    ("records in the busiest 5% of seconds with any", "0.17 to 0.91", """
        SELECT host, sum(n) FILTER (WHERE 20 * (rank - 1) < seconds) / sum(n) AS figure FROM (
            SELECT host, n, row_number() OVER (PARTITION BY host ORDER BY n DESC) AS rank,
                count(*) OVER (PARTITION BY host) AS seconds FROM (
                SELECT host, date_trunc('second', utc) AS second, count(*) AS n FROM r GROUP BY ALL)) GROUP BY host"""),
    ("births less than 100 ms after the last", "0.00 to 0.67", """
        SELECT host, avg(CAST(gap < 100000 AS INTEGER)) AS figure FROM (
            SELECT host, epoch_us(utc) - epoch_us(lag(utc) OVER (PARTITION BY host ORDER BY utc)) AS gap FROM births)
        WHERE gap IS NOT NULL GROUP BY host"""),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--hosts", type=int, default=40)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if not (arguments.corpus / "events").is_dir():
        sys.exit(f"{arguments.corpus} has no directory events: name a corpus that fusiongen generate wrote")
    database = duckdb.connect()
    if arguments.threads:
        database.execute(f"SET threads = {arguments.threads}")
    files = "'" + str(arguments.corpus / "events" / "**" / "*.parquet").replace("'", "''") + "'"
    for statement in RECORDS.format(files=files, hosts=arguments.hosts).split(";"):
        if statement.strip():
            database.execute(statement)
    records, hosts = database.execute("SELECT count(*), count(DISTINCT host) FROM r").fetchone()
    found = []
    for name, recorded, query in FIGURES:
        row = database.execute(
            f"SELECT count(*), quantile_cont(figure, [0.1, 0.5, 0.9]) FROM ({query}) WHERE figure IS NOT NULL"
        ).fetchone()
        found.append({"figure": name, "recorded": recorded, "hosts": row[0], "p10, median, p90": row[1]})
    if arguments.json:
        print(json.dumps({"records": records, "hosts": hosts, "figures": found}, indent=2))
        return
    print(f"{records:,} records of Sysmon on {hosts} hosts\n")
    print(f"{'figure':<48} {'p10':>9} {'median':>9} {'p90':>9}  recorded")
    for line in found:
        values = line["p10, median, p90"] or [None] * 3
        shown = " ".join(f"{'-' if v is None else f'{v:.4g}':>9}" for v in values)
        print(f"{line['figure']:<48} {shown}  {line['recorded']}")


if __name__ == "__main__":
    main()
