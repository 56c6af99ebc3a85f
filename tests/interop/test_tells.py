"""Marks of a generator that reviewers of synthetic logs look for, and that must not be found."""

import re

import pytest
from support import figure

#: Playbooks that abuse a service which others use honestly: storage, meetings, remote support.
ABUSE_OF_SERVICES = {"insider_misuse", "c2_nuance", "saas_account_takeover"}

PROCESSES = r"""
WITH mentions AS (
  SELECT DISTINCT host.name AS host, winlog.event_data.ProcessGuid AS guid FROM e
  WHERE winlog.provider_name = 'Microsoft-Windows-Sysmon' AND winlog.event_data.ProcessGuid IS NOT NULL
    AND winlog.event_data.ProcessGuid <> '{00000000-0000-0000-0000-000000000000}')
SELECT host, substr(guid, 2, 8) AS machine,
  ('0x' || substr(guid, 16, 4) || substr(guid, 11, 4))::BIGINT AS start,
  ('0x' || substr(guid, 28, 2) || substr(guid, 26, 2) || substr(guid, 23, 2) || substr(guid, 21, 2))::BIGINT AS number,
  substr(guid, 30, 4) AS middle,
  ('0x' || substr(guid, 36, 2) || substr(guid, 34, 2))::BIGINT AS boot
FROM mentions
"""


@pytest.fixture(scope="module")
def processes(table):
    table.execute(f"CREATE OR REPLACE TEMP TABLE tell_processes AS {PROCESSES}")
    yield table
    table.execute("DROP TABLE tell_processes")


def test_a_guid_begins_with_its_machine(processes):
    hosts, machines, pairs = processes.execute(
        "SELECT count(DISTINCT host), count(DISTINCT machine), count(DISTINCT (host, machine)) FROM tell_processes"
    ).fetchone()
    assert hosts > 50
    assert hosts == machines == pairs


def test_a_guid_ends_in_a_small_number_and_the_boot(processes):
    """Real tails count processes of a boot: three bytes of number, zeros, the boot. Random ones would fill them."""
    least, most, middles, boots = processes.execute(
        "SELECT min(number), max(number), count(*) FILTER (middle <> '0000'), max(boot) FROM tell_processes"
    ).fetchone()
    assert 0 < least and most < 1 << 24
    assert middles == 0
    assert 0 < boots < 1000


def test_a_guids_number_and_boot_grow_with_its_start(processes):
    falls, n = processes.execute(
        """SELECT count(*) FILTER (boot < before), count(*) FROM (
             SELECT boot, lag(boot) OVER (PARTITION BY host ORDER BY start, boot) AS before FROM tell_processes)"""
    ).fetchone()
    # Hosts start more or fewer processes a day: each is compared with itself.
    (together,) = processes.execute(
        """SELECT median(together) FROM (
             SELECT corr(start, number) AS together FROM tell_processes GROUP BY host, boot HAVING count(*) >= 20)"""
    ).fetchone()
    figure(f"ProcessGuid: number and start correlate with {together:.3f}, boots fall {falls} times in {n}")
    assert together > 0.9
    # What the last boot's applications still do in the first minutes of the next.
    assert falls < 0.005 * n


def test_gaps_of_record_ids_are_explained_by_time(table):
    """A host's channel has a pace: what lies between two collected records is as much as the time between them holds."""
    falls, n = table.execute(
        """SELECT count(*) FILTER (id < before), count(before) FROM (
             SELECT winlog.record_id AS id, lag(winlog.record_id) OVER (
               PARTITION BY host.name, winlog.channel ORDER BY "@timestamp", winlog.record_id) AS before
             FROM e WHERE winlog.record_id IS NOT NULL)"""
    ).fetchone()
    assert n > 10_000
    assert falls == 0
    table.execute(
        """CREATE OR REPLACE TEMP TABLE tell_gaps AS SELECT host, channel, ids / seconds AS pace FROM (
             SELECT host.name AS host, winlog.channel AS channel,
               winlog.record_id - lag(winlog.record_id) OVER own AS ids,
               epoch("@timestamp") - epoch(lag("@timestamp") OVER own) AS seconds
             FROM e WHERE winlog.record_id IS NOT NULL
             WINDOW own AS (PARTITION BY host.name, winlog.channel ORDER BY "@timestamp", winlog.record_id))
           WHERE seconds >= 60"""
    )
    gaps, slowest, fastest = table.execute("SELECT count(*), min(pace), max(pace) FROM tell_gaps").fetchone()
    jumps, paces = table.execute(
        """SELECT max(fastest / slowest), count(DISTINCT round(slowest, 2)) FROM (
             SELECT host, min(pace) AS slowest, max(pace) AS fastest FROM tell_gaps GROUP BY host, channel)"""
    ).fetchone()
    table.execute("DROP TABLE tell_gaps")
    figure(f"record ids: {slowest:.0f} to {fastest:.0f} a second over {gaps} gaps, {jumps:.2f} times as many at most")
    assert gaps > 1000
    assert 20 < slowest and fastest < 500
    # Busy hours and quiet ones, and nothing between them that time would not explain.
    assert 1.1 < jumps < 4
    # And no two hosts write in step.
    assert paces > 50


def test_record_ids_are_given_once(table):
    """Pipelines drop what has a host, channel and record id that they have seen."""
    rows, ids = table.execute(
        """SELECT count(*), count(DISTINCT (host.name, winlog.channel, winlog.record_id))
           FROM e WHERE winlog.record_id IS NOT NULL"""
    ).fetchone()
    figure(f"record ids: {1 - ids / rows:.3%} of {rows} rows share one")
    assert ids > 0.995 * rows


OUTSIDE = r"""
WITH flows AS (
  SELECT CASE winlog.event_id WHEN 3 THEN winlog.event_data.Initiated = 'true'
      ELSE winlog.event_data.Direction = '%%14593' END AS serves,
    CASE WHEN winlog.event_id = 3 AND serves THEN winlog.event_data.DestinationIp
      WHEN winlog.event_id = 3 THEN winlog.event_data.SourceIp
      WHEN serves THEN winlog.event_data.DestAddress ELSE winlog.event_data.SourceAddress END AS ip,
    attack.playbook AS playbook, fusionai.noise AS noise
  FROM e WHERE winlog.event_id IN (3, 5156) AND network.direction IN ('inbound', 'outbound'))
SELECT ip, bool_or(serves) AS serves, bool_or(NOT serves) AS calls, bool_or(noise) AS of_noise,
  list(DISTINCT playbook) FILTER (playbook IS NOT NULL) AS playbooks
FROM flows GROUP BY ip
"""


def test_an_address_outside_has_one_role(table):
    """A server that people browse neither scans nor commands, and nobody's client is a server too."""
    serving, calling, both = table.execute(
        f"SELECT count(*) FILTER (serves), count(*) FILTER (calls), count(*) FILTER (serves AND calls) FROM ({OUTSIDE})"
    ).fetchone()
    figure(f"addresses outside: {serving} serve, {calling} call, {both} do both")
    assert serving > 100 and calling > 20
    assert both == 0
    attackers, shared = table.execute(
        f"""SELECT count(*) FILTER (len(playbooks) > 0),
              list(DISTINCT playbooks) FILTER (len(playbooks) > 0 AND of_noise) FROM ({OUTSIDE})"""
    ).fetchone()
    assert attackers > 5
    assert {playbook for list_ in shared or [] for playbook in list_} <= ABUSE_OF_SERVICES


STEPS = """
WITH counted AS (
  SELECT epoch_us("@timestamp") // 60000000 AS minute, count(*) AS n FROM e WHERE {rows} GROUP BY 1),
minutes AS (
  SELECT i AS minute, coalesce(n, 0) AS n
  FROM range((SELECT min(minute) FROM counted), (SELECT max(minute) FROM counted)) AS all_of_them(i)
  LEFT JOIN counted ON counted.minute = i),
steps AS (
  SELECT minute, abs(
      ln(1 + sum(n) OVER (ORDER BY minute ROWS BETWEEN CURRENT ROW AND 4 FOLLOWING))
    - ln(1 + sum(n) OVER (ORDER BY minute ROWS BETWEEN 5 PRECEDING AND 1 PRECEDING))) AS step
  FROM minutes QUALIFY row_number() OVER (ORDER BY minute) > 5)
SELECT avg(step) FILTER (minute % 60 = 0) / avg(step) FILTER (minute % 15 <> 0),
  avg(step) FILTER (minute % 15 = 0) / avg(step) FILTER (minute % 15 <> 0) FROM steps
"""


@pytest.mark.parametrize("rows", ["true", "fusionai.noise", "NOT fusionai.noise AND attack.id IS NULL"])
def test_rates_do_not_step_at_full_hours(table, rows):
    hour, quarter = table.execute(STEPS.format(rows=rows)).fetchone()
    figure(f"steps of the rate where {rows}: {hour:.2f} at full hours, {quarter:.2f} at quarters, 1 elsewhere")
    assert hour < 1.2
    assert quarter < 1.2


@pytest.mark.parametrize("seconds", [3600, 60])
def test_no_second_is_fuller_than_the_others(table, seconds):
    """Jobs start on the hour and on the minute; a corpus whose rows do is made of a schedule."""
    at, others = table.execute(
        f"""SELECT count(*) FILTER (epoch_us("@timestamp") // 1000000 % {seconds} = 0),
              count(*) FILTER (epoch_us("@timestamp") // 1000000 % {seconds} <> 0) / ({seconds} - 1) FROM e"""
    ).fetchone()
    figure(f"rows in the first of {seconds} seconds: {at}, in another {others:.0f}")
    # Hours have few rows in a second, which come in bursts.
    assert 0.4 * others < at < 2.5 * others if seconds == 3600 else 0.9 * others < at < 1.1 * others


def test_starts_of_a_host_are_no_comb(table):
    """What one cause starts follows unevenly: no two gaps in a row are alike."""
    alike, n = table.execute(
        """SELECT count(*) FILTER (abs(gap - before) < 20), count(*) FROM (
             SELECT gap, lag(gap) OVER (PARTITION BY host ORDER BY moment) AS before FROM (
               SELECT host.name AS host, epoch_us("@timestamp") AS moment,
                 epoch_us("@timestamp") - lag(epoch_us("@timestamp")) OVER (
                   PARTITION BY host.name ORDER BY "@timestamp") AS gap
               FROM e WHERE winlog.event_id = 1 AND labels.noise_type = 'process_life'))
           WHERE gap < 10000000 AND before < 10000000"""
    ).fetchone()
    figure(f"process starts: {alike} of {n} gaps are as long as the one before")
    assert n > 150
    assert alike <= 0.01 * n


def test_services_that_boot_have_low_pids(table):
    least, most = table.execute(
        """SELECT min(winlog.process.pid), max(winlog.process.pid) FROM e
           WHERE winlog.provider_name = 'Microsoft-Windows-Sysmon'"""
    ).fetchone()
    assert 200 < least and most < 8000


def test_machines_make_half_of_a_domain_controllers_logons(table):
    logons, machines = table.execute(
        """SELECT count(*), count(*) FILTER (winlog.event_data.TargetUserName LIKE '%$') FROM e
           WHERE winlog.event_id = 4624 AND host.type = 'Domain Controller'"""
    ).fetchone()
    figure(f"domain controllers: {machines} of {logons} logons are machines'")
    assert logons > 15
    assert machines >= 0.5 * logons


def test_special_logons_are_no_chains_alone(table):
    chains, n = table.execute(
        "SELECT count(attack.id), count(*) FROM e WHERE winlog.event_id = 4672"
    ).fetchone()
    assert n > 20
    assert chains < 0.8 * n


def test_a_logon_says_what_asked_for_it(table):
    """Chains and ordinary life agree: a remote desktop's logon is the terminal service's, whoever comes."""
    kinds = table.execute(
        """SELECT winlog.event_data.LogonType, count(DISTINCT winlog.event_data.ProcessName) FROM e
           WHERE winlog.event_id = 4624 GROUP BY ALL"""
    ).fetchall()
    assert {"3", "5", "7", "10"} <= {kind for kind, _ in kinds}
    assert all(names == 1 for _, names in kinds)


def test_an_account_has_one_sid_whoever_names_it(table):
    wrong = table.execute(
        """WITH named AS (
             SELECT DISTINCT winlog.event_data.ServiceName AS name, winlog.event_data.ServiceSid AS sid FROM e
             WHERE winlog.event_id = 4769
             UNION SELECT DISTINCT winlog.event_data.TargetUserName, winlog.event_data.TargetUserSid FROM e
             WHERE winlog.event_id = 4624
             UNION SELECT DISTINCT winlog.event_data.SubjectUserName, winlog.event_data.SubjectUserSid FROM e
             WHERE winlog.event_id = 5140)
           SELECT name FROM named WHERE name LIKE '%$' GROUP BY name HAVING count(DISTINCT sid) > 1"""
    ).fetchall()
    assert wrong == []


def test_people_mistype_few_times_and_slowly(table):
    """Failed logons at a desk are keyed in by hand: seconds apart, and few."""
    quick, n = table.execute(
        """SELECT count(*) FILTER (gap < 1), count(*) FROM (
             SELECT epoch("@timestamp") - epoch(lag("@timestamp") OVER (
               PARTITION BY host.name ORDER BY "@timestamp")) AS gap
             FROM e WHERE winlog.event_id = 4625 AND winlog.event_data.LogonType IN ('2', '7'))
           WHERE gap IS NOT NULL"""
    ).fetchone()
    assert quick <= 0.05 * n


def test_files_that_chains_touch_have_many_names(table):
    """Encrypted and copied files are a company's, not one name with a counter."""
    chains = table.execute(
        r"""SELECT attack.id, count(*), count(DISTINCT regexp_replace(name, '[0-9]+', '', 'g')) FROM (
              SELECT attack.id AS id, attack, coalesce(winlog.event_data.TargetFilename,
                winlog.event_data.RelativeTargetName) AS name FROM e WHERE attack.id IS NOT NULL)
            WHERE name LIKE 'D:\%' OR name LIKE '%\%\%' GROUP BY ALL HAVING count(*) > 100"""
    ).fetchall()
    assert chains
    assert all(names > 20 for _, _, names in chains)


def test_system_calls_have_the_lengths_of_addresses(table):
    lengths = table.execute(
        "SELECT DISTINCT auditd.a2 FROM e WHERE auditd.syscall = 'connect'"
    ).fetchall()
    assert {length for (length,) in lengths} <= {"10", "1c"}


#: What a record of each kind is mainly about. Paths count by their last name, and what is numbered or
#: random by its place.
MAIN_VALUE = r"""
CASE
  WHEN winlog.event_id IN (1, 3, 5, 4688, 4689, 5156) THEN process.executable
  WHEN winlog.event_id = 7 THEN winlog.event_data.ImageLoaded
  WHEN winlog.event_id IN (8, 10) THEN winlog.event_data.TargetImage
  WHEN winlog.event_id IN (2, 11, 15, 23, 26, 27, 29) THEN winlog.event_data.TargetFilename
  WHEN winlog.event_id IN (12, 13, 14) THEN winlog.event_data.TargetObject
  WHEN winlog.event_id IN (17, 18) THEN
    regexp_replace(winlog.event_data.PipeName, '(PSEXESVC)-.*-(std.*)', '\1-\2')
  WHEN winlog.event_id IN (7045, 4697) THEN winlog.event_data.ServiceName
  WHEN winlog.event_id = 5145 THEN winlog.event_data.RelativeTargetName
  WHEN winlog.event_id IN (4698, 4699, 4702) THEN winlog.event_data.TaskName
  WHEN winlog.event_id IN (4624, 4625) THEN winlog.event_data.LogonType
  WHEN host.os.platform = 'linux' THEN coalesce(process.executable, process.name, event.action)
  ELSE ''
END
"""

def place(column: str) -> str:
    """A column's last name without what is numbered in it, as SQL."""
    last = rf"regexp_replace(lower({column}), '^.*[\\/](.)', '\1')"
    return f"regexp_replace({last}, '[0-9a-f]*[0-9][0-9a-f]*', '#', 'g')"


#: Pairs of a kind and a value that only attacks have, and whether truth has the value as an indicator.
PAIRS = rf"""
WITH told AS (
  SELECT coalesce(winlog.channel || ' ' || winlog.event_id, 'auditd ' || auditd.type, event.dataset) AS kind,
    {place(MAIN_VALUE)} AS value, attack.id AS chain FROM e),
brought AS (SELECT DISTINCT {place("value")} AS name FROM iocs WHERE type = 'file')
SELECT kind, value, count(*), value IN (FROM brought) FROM told WHERE value IS NOT NULL
GROUP BY ALL HAVING count(*) >= 20 AND count(*) = count(chain) ORDER BY ALL
"""

#: Why a pair may be in attacks alone although the value is no indicator.
OF_ATTACKS = [
    (r"how_to_recover_\w+\.txt", "a note of ransomware"),
    (r"xmrig(\.exe)?", "a miner"),
    (r"anydesk\.exe", "remote support that the company does not use"),
    (r"rclone", "a copy tool that the company has on its backup server alone"),
    (r"nc(at)?|socat", "a listener; administrators here use ssh"),
    (r"[a-z]+-#\.(docx|xlsx|pptx|pdf|csv|txt)", "a document that is encrypted or taken, one of a round's"),
    # Complete sessions, of which the noise of a small corpus has few.
    (r"auditd (USER_START|CRED_DISP|USER_END) sshd", "the start or end of a session"),
]


def test_what_attacks_write_is_written_by_others_too(table):
    """Tools of administrators are no sign of an attack: a value that only attacks have is malware's own."""
    pairs = table.execute(PAIRS).fetchall()
    explained = [any(re.fullmatch(pattern, text) for pattern, _ in OF_ATTACKS for text in (value, f"{kind} {value}")) for kind, value, *_ in pairs]
    own = sum(is_brought for *_, is_brought in pairs)
    figure(f"pairs of kind and value in attacks alone: {own} of what attacks bring, {sum(explained)} others")
    assert own > 0, "attacks have no names of their own"
    assert [pair for pair, why in zip(pairs, explained, strict=True) if not why and not pair[-1]] == []
