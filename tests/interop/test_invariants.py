"""Invariants of all events, checked in SQL.

One table: a name, the rows that the invariant speaks of, and the condition that breaks it.
`tried` must be above zero, else the check would say nothing; `broken` must be zero.
"""

import base64
import json
import re
from dataclasses import dataclass

import pytest
from support import one, outside

MACROS = r"""
-- Sysmon's GUID {host-start-start-…}: the process start in Unix seconds is group 3, then group 2.
CREATE MACRO guid_start(g) AS ('0x' || substr(g, 16, 4) || substr(g, 11, 4))::BIGINT;
CREATE MACRO guid_host(g) AS substr(g, 2, 8);
CREATE MACRO known(g) AS g IS NOT NULL AND g <> '{00000000-0000-0000-0000-000000000000}';
CREATE MACRO guid_shape(g) AS
  regexp_full_match(g, '\{[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\}');
-- The last eight bytes of a LogonGuid, read as a little-endian number.
CREATE MACRO guid_tail(g) AS (
  '0x' || substr(g, 36, 2) || substr(g, 34, 2) || substr(g, 32, 2) || substr(g, 30, 2)
       || substr(g, 28, 2) || substr(g, 26, 2) || substr(g, 23, 2) || substr(g, 21, 2))::BIGINT;
CREATE MACRO number(text) AS CAST(CAST(text AS VARCHAR) AS BIGINT);
CREATE MACRO utc(text) AS strptime(text, '%Y-%m-%d %H:%M:%S.%g');
CREATE MACRO seconds(text) AS epoch_us(utc(text)) // 1000000;
-- Private, loopback, link-local, multicast and broadcast addresses are inside.
CREATE MACRO inside(ip) AS
  ip LIKE '10.%' OR ip LIKE '192.168.%' OR ip LIKE '127.%' OR ip LIKE '169.254.%'
  OR regexp_matches(ip, '^172\.(1[6-9]|2[0-9]|3[01])\.') OR regexp_matches(ip, '^(22[4-9]|23[0-9])\.')
  OR ip IN ('255.255.255.255', '0.0.0.0', '::', '::1') OR regexp_matches(lower(ip), '^(f[cd]|fe[89ab]|ff)[0-9a-f]{1,2}:');
CREATE MACRO person(name) AS NOT (
  name LIKE '%$' OR upper(name) IN ('SYSTEM', 'LOCAL SERVICE', 'NETWORK SERVICE', 'ANONYMOUS LOGON', 'ROOT', '-'));

-- Sysmon records, with short names.
CREATE VIEW sysmon AS
  SELECT unnest(winlog.event_data), winlog.event_id AS id, host.name AS host, host.ip AS ip, "@timestamp" AS moment,
         "user".name AS account, source.ip AS source_ip, source.port AS source_port,
         destination.ip AS destination_ip, destination.port AS destination_port, network.protocol AS protocol
  FROM e WHERE winlog.provider_name = 'Microsoft-Windows-Sysmon';

-- Every mention of a process: its own record, or a child's word on its parent.
CREATE VIEW processes AS
  SELECT host, ProcessGuid AS guid, ProcessId AS pid, Image AS image, "User" AS account FROM sysmon WHERE known(ProcessGuid)
  UNION ALL
  SELECT host, ParentProcessGuid, ParentProcessId, ParentImage, ParentUser FROM sysmon
  WHERE id = 1 AND known(ParentProcessGuid);

CREATE VIEW chain AS
  SELECT attack.id AS id, attack.playbook AS playbook, attack.step AS step, attack."sequence" AS seq,
         attack.stage AS stage, attack.stop_reason AS stop_reason, "@timestamp" AS moment, host.name AS host, category
  FROM e WHERE attack.id IS NOT NULL;
"""


@dataclass(frozen=True)
class Invariant:
    name: str
    #: A relation with the rows that the invariant is about: a table expression, perhaps with a WHERE.
    of: str
    #: The condition under which such a row violates it; NULL counts as a violation.
    broken: str

    @property
    def tried(self) -> str:
        return f"SELECT count(*) FROM {self.of}"

    @property
    def violations(self) -> str:
        return f"SELECT count(*) FROM (SELECT ({self.broken}) AS broken FROM {self.of}) WHERE broken IS NOT FALSE"

    @property
    def examples(self) -> str:
        return f"SELECT * FROM (SELECT *, ({self.broken}) AS broken FROM {self.of}) WHERE broken IS NOT FALSE LIMIT 3"


WINDOWS = "e WHERE winlog.event_id IS NOT NULL"
# An address that only the host itself can use: of its link, or the loopback.
OWN = "({0} LIKE 'fe80:%' OR {0} IN ('127.0.0.1', '::1'))"
FLOWS = "e WHERE source.ip IS NOT NULL AND destination.ip IS NOT NULL"

INVARIANTS = [
    # Identity
    Invariant(
        "one identity per host",
        """(SELECT host.name AS host, count(DISTINCT host.ip) AS ips, count(DISTINCT host.os.name) AS systems,
              count(DISTINCT host.os.platform) AS platforms, count(DISTINCT host.hostname) AS names,
              count(DISTINCT host."type") AS types
            FROM e WHERE host.name IS NOT NULL GROUP BY 1)""",
        "ips <> 1 OR systems <> 1 OR platforms <> 1 OR names <> 1 OR types <> 1",
    ),
    Invariant(
        "an address belongs to one host",
        "(SELECT host.ip[1] AS ip, count(DISTINCT host.name) AS hosts FROM e WHERE host.name IS NOT NULL GROUP BY 1)",
        "hosts <> 1",
    ),
    Invariant(
        "one person per account",
        """(SELECT count(DISTINCT "user".email) AS mails, count(DISTINCT "user".full_name) AS names,
              count(DISTINCT "user".department) AS departments, count(*) AS n, count("user".email) AS with_mail
            FROM e WHERE person("user".name) AND "user".email IS NOT NULL GROUP BY lower("user".domain), lower("user".name))""",
        "mails <> 1 OR names > 1 OR departments > 1",
    ),
    Invariant(
        "an account has its e-mail always or never",
        """(SELECT count(*) AS n, count("user".email) AS with_mail
            FROM e WHERE person("user".name) GROUP BY lower("user".domain), lower("user".name))""",
        "with_mail NOT IN (0, n)",
    ),
    Invariant(
        "SYSTEM and machine accounts have no e-mail",
        """e WHERE "user".name LIKE '%$' OR upper("user".name) IN ('SYSTEM', 'LOCAL SERVICE', 'NETWORK SERVICE')""",
        '"user".email IS NOT NULL OR "user".full_name IS NOT NULL OR "user".department IS NOT NULL',
    ),
    Invariant(
        "user.name is Sysmon's User",
        """sysmon WHERE "User" IS NOT NULL AND "User" <> '-'""",
        r"lower(split_part(\"User\", '\', 2)) <> lower(account) OR strpos(\"User\", '\') = 0 OR contains(\"User\", '\\')".replace(
            '\\"', '"'
        ),
    ),
    Invariant(
        "user.name is the account that logged on",
        "e WHERE winlog.event_id = 4624",
        'lower(winlog.event_data.TargetUserName) <> lower("user".name)',
    ),
    Invariant(
        "the reporting host is an end of the flow",
        FLOWS + " AND host.name IS NOT NULL",
        f"NOT (list_contains(host.ip, source.ip) OR list_contains(host.ip, destination.ip) OR {OWN.format('source.ip')})",
    ),
    Invariant(
        "an inbound flow ends at the reporting host",
        FLOWS + " AND host.name IS NOT NULL AND network.direction = 'inbound'",
        "NOT list_contains(host.ip, destination.ip)",
    ),
    Invariant(
        "Initiated is true exactly on the source",
        "sysmon WHERE id = 3",
        "Initiated NOT IN ('true', 'false')"
        f" OR (Initiated = 'true') <> (list_contains(ip, SourceIp) OR {OWN.format('SourceIp')})",
    ),
    Invariant(
        "Sysmon 3 tells the row's own flow",
        "sysmon WHERE id = 3",
        # Sysmon names the client first; a sensor's `to_client` alert names the server first.
        """(SourceIp, SourcePort, DestinationIp, DestinationPort) NOT IN (
             (source_ip, source_port, destination_ip, destination_port),
             (destination_ip, destination_port, source_ip, source_port))
           OR Protocol NOT IN ('tcp', 'udp') OR Protocol IS DISTINCT FROM protocol""",
    ),
    Invariant(
        "Security 5156 and 5157 tell the row's own flow",
        "e WHERE winlog.event_id IN (5156, 5157)",
        """(winlog.event_data.SourceAddress, winlog.event_data.DestAddress) NOT IN (
             (source.ip, destination.ip), (destination.ip, source.ip))""",
    ),
    Invariant(
        "direction fits the addresses",
        FLOWS + " AND network.direction IS NOT NULL",
        """network.direction <> CASE WHEN inside(source.ip) AND inside(destination.ip) THEN 'internal'
             WHEN inside(source.ip) THEN 'outbound' WHEN inside(destination.ip) THEN 'inbound' ELSE 'external' END""",
    ),
    Invariant("a flow has a direction", FLOWS, "network.direction IS NULL"),
    # Numbers
    Invariant(
        "network.bytes is the sum of both ends",
        "e WHERE network.bytes IS NOT NULL",
        "network.bytes <> source.bytes + destination.bytes",
    ),
    Invariant(
        "Windows pids are multiples of four",
        """(SELECT unnest([winlog.event_data.ProcessId, winlog.event_data.ParentProcessId, winlog.process.pid]) AS pid
            FROM e WHERE winlog.event_id IS NOT NULL) WHERE pid IS NOT NULL""",
        "pid < 0 OR pid % 4 <> 0",
    ),
    Invariant(
        "two live processes of a host share no pid",
        """(SELECT *, lag(last) OVER (PARTITION BY host, ProcessId ORDER BY start, last) AS before FROM (
              SELECT host, ProcessId, ProcessGuid, guid_start(ProcessGuid) AS start, max(seconds(UtcTime)) AS last
              FROM sysmon WHERE known(ProcessGuid) AND ProcessId <> 4 GROUP BY ALL))""",
        "coalesce(before > start + 1, false)",
    ),
    # Outcome
    Invariant(
        "what was blocked failed",
        "e WHERE event.action IN ('blocked', 'denied')",
        "event.outcome <> 'failure'",
    ),
    Invariant(
        "the Filtering Platform blocked with 5157 and let pass with 5156",
        "e WHERE winlog.event_id IN (5156, 5157)",
        "(winlog.event_id = 5157) <> (event.outcome = 'failure')",
    ),
    Invariant(
        "outcome is one of two words",
        "e WHERE event.outcome IS NOT NULL",
        "event.outcome NOT IN ('success', 'failure')",
    ),
    Invariant(
        "a Windows row has winlog and no auditd",
        "e WHERE host.os.platform = 'windows'",
        'winlog.event_id IS NULL OR auditd."type" IS NOT NULL',
    ),
    Invariant(
        "a Linux row has auditd or syslog and no winlog",
        "e WHERE host.os.platform = 'linux'",
        """winlog.event_id IS NOT NULL OR winlog.channel IS NOT NULL
           OR (auditd."type" IS NULL AND log.syslog.facility IS NULL)""",
    ),
    Invariant(
        "a row's platform is known",
        "e",
        "coalesce(host.os.platform, fusionai.cloud.platform) NOT IN ('windows', 'linux', 'cloud', 'saas')",
    ),
    Invariant(
        "a cloud's or a service's row has no host, winlog, auditd or process",
        "e WHERE fusionai.cloud.platform IS NOT NULL",
        """host.name IS NOT NULL OR host.os.platform IS NOT NULL OR winlog.event_id IS NOT NULL
           OR auditd."type" IS NOT NULL OR process.pid IS NOT NULL OR destination.ip IS NOT NULL""",
    ),
    Invariant(
        "images fit the system",
        "e WHERE coalesce(winlog.event_data.Image, auditd.exe) IS NOT NULL",
        r"""CASE WHEN winlog.event_id IS NOT NULL
              THEN NOT (regexp_matches(winlog.event_data.Image, '^[A-Z]:\\[^\\]') OR winlog.event_data.Image IN ('System', '<unknown process>'))
              ELSE NOT starts_with(auditd.exe, '/') END""",
    ),
    # The rule and its row
    Invariant(
        "an alert names its rule",
        "e WHERE event.kind = 'alert'",
        "rule.name IS NULL OR rule.category IS NULL OR fusionai.severity IS NULL",
    ),
    Invariant(
        "an ordinary event names no rule and no threat",
        "e WHERE event.kind = 'event'",
        """rule.name IS NOT NULL OR rule.id IS NOT NULL OR coalesce(len(threat.technique.id), 0) > 0
           OR coalesce(len(threat.tactic.name), 0) > 0""",
    ),
    Invariant("event.kind is alert or event", "e", "event.kind NOT IN ('alert', 'event')"),
    Invariant(
        "verdicts",
        "e",
        """CASE WHEN attack.id IS NOT NULL THEN labels.verdict NOT IN ('attack', 'attempt')
             WHEN fusionai.noise THEN labels.verdict NOT IN ('benign', 'benign_trigger', 'benign_suspicious')
             ELSE labels.verdict NOT IN ('attack', 'attempt', 'benign', 'benign_trigger', 'benign_suspicious') END""",
    ),
    # Sysmon and Security envelopes
    Invariant("event.code is the event id", WINDOWS, "event.code <> CAST(winlog.event_id AS VARCHAR)"),
    Invariant(
        "channel and provider fit the event id",
        WINDOWS,
        """CASE WHEN winlog.event_id < 100
             THEN winlog.provider_name <> 'Microsoft-Windows-Sysmon' OR winlog.channel <> 'Microsoft-Windows-Sysmon/Operational'
             WHEN winlog.event_id = 1102
             THEN winlog.provider_name <> 'Microsoft-Windows-Eventlog' OR winlog.channel <> 'Security'
             WHEN winlog.event_id = 7045
             THEN winlog.provider_name <> 'Service Control Manager' OR winlog.channel <> 'System'
             WHEN winlog.event_id = 4104
             THEN winlog.provider_name <> 'Microsoft-Windows-PowerShell'
                  OR winlog.channel <> 'Microsoft-Windows-PowerShell/Operational'
             ELSE winlog.provider_name <> 'Microsoft-Windows-Security-Auditing' OR winlog.channel <> 'Security' END
           OR event.provider <> winlog.provider_name""",
    ),
    Invariant(
        "computer_name is the host",
        WINDOWS,
        "lower(split_part(winlog.computer_name, '.', 1)) <> lower(split_part(host.name, '.', 1))",
    ),
    Invariant("hostnames fit NetBIOS", WINDOWS, "length(host.hostname) NOT BETWEEN 1 AND 15"),
    Invariant("record ids are positive", WINDOWS, "winlog.record_id <= 0"),
    Invariant(
        "logon types exist",
        "e WHERE winlog.event_id = 4624",
        "number(winlog.event_data.LogonType) NOT IN (0, 2, 3, 4, 5, 7, 8, 9, 10, 11)",
    ),
    # Processes
    Invariant(
        "GUIDs have their shape",
        "(SELECT unnest([ProcessGuid, ParentProcessGuid, LogonGuid]) AS guid FROM sysmon) WHERE guid IS NOT NULL",
        "NOT guid_shape(guid)",
    ),
    Invariant(
        "every Sysmon record has a process",
        "sysmon WHERE id IN (1, 3, 5, 11, 13, 22)",
        "ProcessGuid IS NULL OR ProcessId IS NULL OR Image IS NULL",
    ),
    Invariant(
        "one GUID prefix per host",
        """(SELECT host, count(DISTINCT guid_host(guid)) AS prefixes FROM (
              SELECT host, unnest([ProcessGuid, ParentProcessGuid, LogonGuid]) AS guid FROM sysmon)
            WHERE known(guid) GROUP BY 1)""",
        "prefixes <> 1",
    ),
    Invariant(
        "no event before its process starts",
        "sysmon WHERE known(ProcessGuid)",
        # Most kinds have the time of the system tick before they happen.
        """guid_start(ProcessGuid) * 1000000
           > epoch_us(utc(UtcTime)) + CASE WHEN id IN (1, 3, 22) THEN 0 ELSE 16625 END""",
    ),
    Invariant(
        "a process starts in its GUID's second", "sysmon WHERE id = 1", "guid_start(ProcessGuid) <> seconds(UtcTime)"
    ),
    Invariant(
        "no event after its process ends",
        """(SELECT s.UtcTime AS happened, d.UtcTime AS ended FROM sysmon s JOIN sysmon d
              ON d.id = 5 AND d.ProcessGuid = s.ProcessGuid AND d.host = s.host WHERE s.id <> 5)""",
        "epoch_us(utc(happened)) > epoch_us(utc(ended)) + 16625",
    ),
    Invariant(
        "a process ends once",
        "(SELECT ProcessGuid, count(*) AS ends FROM sysmon WHERE id = 5 GROUP BY 1)",
        "ends <> 1",
    ),
    Invariant(
        "a process starts once",
        "(SELECT ProcessGuid, count(*) AS starts FROM sysmon WHERE id = 1 GROUP BY 1)",
        "starts <> 1",
    ),
    Invariant(
        "a parent is of the same host and not younger",
        "sysmon WHERE id = 1 AND known(ParentProcessGuid)",
        "guid_host(ParentProcessGuid) <> guid_host(ProcessGuid) OR guid_start(ParentProcessGuid) > guid_start(ProcessGuid)",
    ),
    Invariant("LogonGuid ends in the LogonId", "sysmon WHERE id = 1", "guid_tail(LogonGuid) <> number(LogonId)"),
    Invariant(
        "a GUID is one process",
        """(SELECT guid, count(DISTINCT host) AS hosts, count(DISTINCT pid) AS pids, count(DISTINCT lower(image)) AS images,
              count(DISTINCT lower(account)) AS accounts FROM processes GROUP BY 1)""",
        "hosts <> 1 OR pids <> 1 OR images <> 1 OR accounts <> 1",
    ),
    Invariant(
        "a process keeps its command line",
        """(SELECT guid, count(DISTINCT line) AS lines FROM (
              SELECT ProcessGuid AS guid, CommandLine AS line FROM sysmon WHERE id = 1
              UNION ALL SELECT ParentProcessGuid, ParentCommandLine FROM sysmon WHERE id = 1 AND known(ParentProcessGuid))
            WHERE line IS NOT NULL GROUP BY 1)""",
        "lines <> 1",
    ),
    Invariant(
        "a version of an image has one hash",
        """(SELECT Image, FileVersion, count(DISTINCT Hashes) AS hashes FROM sysmon
            WHERE id = 1 AND FileVersion <> '-' GROUP BY ALL)""",
        "hashes <> 1",
    ),
    Invariant(
        "hashes have their length",
        "sysmon WHERE id = 1",
        "NOT regexp_full_match(Hashes, '(SHA1=[0-9A-F]{40}|MD5=[0-9A-F]{32}|SHA256=[0-9A-F]{64}|IMPHASH=[0-9A-F]{32})(,(SHA1=[0-9A-F]{40}|MD5=[0-9A-F]{32}|SHA256=[0-9A-F]{64}|IMPHASH=[0-9A-F]{32}))*')",
    ),
    Invariant(
        "the kernel owns inbound SMB, which the filtering platform tells",
        """e WHERE winlog.event_id = 5156 AND winlog.event_data.DestPort = 445
            AND winlog.event_data.Direction = '%%14592'""",
        "winlog.event_data.Application <> 'System' OR process.pid <> 4",
    ),
    Invariant(
        "what the kernel accepts is not Sysmon's to tell",
        "sysmon WHERE id = 3 AND Initiated = 'false'",
        "Image = 'System'",
    ),
    Invariant(
        "integrity levels exist",
        "sysmon WHERE id = 1",
        "IntegrityLevel NOT IN ('Low', 'Medium', 'High', 'System', 'AppContainer')",
    ),
    Invariant(
        "a DNS answer comes with success",
        "sysmon WHERE id = 22",
        "(CAST(QueryStatus AS VARCHAR) <> '0' AND QueryResults <> '-') OR QueryName IS NULL",
    ),
    Invariant("files have full paths", "sysmon WHERE id = 11", r"NOT regexp_matches(TargetFilename, '^[A-Z]:\\[^\\]')"),
    Invariant(
        "registry paths have a hive",
        "sysmon WHERE id = 13",
        r"NOT regexp_matches(TargetObject, '^(HKLM|HKU|HKCR|\\REGISTRY\\A)\\') OR EventType <> 'SetValue' OR Details IS NULL",
    ),
    # Time
    Invariant(
        "UtcTime has its form",
        "sysmon",
        r"NOT regexp_full_match(UtcTime, '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}')",
    ),
    Invariant("UtcTime is not after @timestamp", "sysmon", "epoch_us(utc(UtcTime)) > epoch_us(moment)"),
    Invariant(
        "every row has its time and place",
        "e",
        """"@timestamp" IS NULL OR event."sequence" IS NULL
           OR (host.name IS NULL) <> (fusionai.cloud.platform IS NOT NULL)""",
    ),
    # auditd and syslog
    Invariant(
        "audit says success or failed", "e WHERE auditd.res IS NOT NULL", "auditd.res NOT IN ('success', 'failed')"
    ),
    Invariant(
        "audit results are the row's outcome",
        "e WHERE auditd.res IS NOT NULL",
        "(auditd.res = 'success') <> (event.outcome = 'success')",
    ),
    Invariant(
        "a failed login carries acct",
        """e WHERE auditd."type" = 'USER_LOGIN' AND auditd.res = 'failed'""",
        "auditd.acct IS NULL OR auditd.id IS NOT NULL",
    ),
    Invariant(
        "a successful login carries id",
        """e WHERE auditd."type" = 'USER_LOGIN' AND auditd.res = 'success'""",
        "auditd.id IS NULL OR auditd.acct IS NOT NULL",
    ),
    Invariant(
        "user-space records have a result",
        """e WHERE auditd."type" IN ('USER_LOGIN', 'USER_CMD', 'CRED_ACQ')""",
        "auditd.res IS NULL",
    ),
    Invariant(
        "system calls go by name and say whether they succeeded",
        """e WHERE auditd."type" = 'SYSCALL'""",
        """auditd.syscall IS NULL OR NOT regexp_full_match(auditd.syscall, '[a-z_][a-z0-9_]*')
           OR lower(CAST(auditd.success AS VARCHAR)) NOT IN ('yes', 'no', 'true', 'false')""",
    ),
    Invariant("sudo says its command", """e WHERE auditd."type" = 'USER_CMD'""", "auditd.cmd IS NULL"),
    Invariant(
        "execve has arguments", """e WHERE auditd."type" = 'EXECVE'""", "auditd.a0 IS NULL OR number(auditd.argc) < 1"
    ),
    Invariant(
        "a program that connects was started a moment before",
        """e WHERE auditd."type" = 'SYSCALL' AND labels.noise_type = 'server_operations'
           AND process.name IN ('curl', 'git', 'aws', 'pip3', 'restic', 'php8.2', 'rsync')""",
        """NOT EXISTS (SELECT 1 FROM e AS started WHERE started.auditd."type" = 'EXECVE'
             AND started.host.name = e.host.name AND started.process.pid = e.process.pid
             AND started.process.name = e.process.name
             AND started."@timestamp" BETWEEN e."@timestamp" - INTERVAL 1 MINUTE AND e."@timestamp")""",
    ),
    Invariant(
        "what the web server's account runs is in no login session",
        """e WHERE auditd."type" = 'SYSCALL' AND auditd.uid = 33""",
        "auditd.auid <> 4294967295 OR auditd.ses <> 4294967295",
    ),
    Invariant("credentials are someone's", """e WHERE auditd."type" = 'CRED_ACQ'""", "auditd.acct IS NULL"),
    Invariant(
        "a syslog row has its text",
        """e WHERE winlog.event_id IS NULL AND auditd."type" IS NULL AND fusionai.cloud.platform IS NULL""",
        "message IS NULL OR log.syslog.facility IS NULL OR log.syslog.severity IS NULL",
    ),
    # Chains
    Invariant(
        "attack.sequence is dense",
        "(SELECT id, min(seq) AS low, max(seq) AS high, count(DISTINCT seq) AS different, count(*) AS n FROM chain GROUP BY 1)",
        "low <> 1 OR high <> n OR different <> n",
    ),
    Invariant(
        "attack.sequence follows time",
        "(SELECT moment, lag(moment) OVER (PARTITION BY id ORDER BY seq) AS before FROM chain)",
        "coalesce(moment < before, false)",
    ),
    Invariant(
        "attack.step is dense",
        "(SELECT id, min(step) AS low, max(step) AS high, count(DISTINCT step) AS different FROM chain GROUP BY 1)",
        "low <> 1 OR high <> different",
    ),
    Invariant(
        "attack.step follows attack.sequence",
        "(SELECT step, lag(step) OVER (PARTITION BY id ORDER BY seq) AS before FROM chain)",
        "coalesce(step < before, false)",
    ),
    Invariant(
        "a chain has one playbook, and each row its stage",
        "(SELECT id, count(DISTINCT playbook) AS playbooks, count(*) AS n, count(stage) AS stages FROM chain GROUP BY 1)",
        "playbooks <> 1 OR stages <> n",
    ),
    Invariant(
        # A blocked chain may stop before it moves, and the corpus ends in the middle of its last chain.
        "lateral movement moves",
        """(SELECT id, count(DISTINCT host) AS hosts FROM chain
            WHERE playbook IN ('psexec_lateral_movement', 'ssh_bruteforce_exfiltration')
            GROUP BY 1 HAVING bool_and(stop_reason = 'completed') AND min(moment) < (SELECT max(start) FROM (
              SELECT min(moment) AS start FROM chain GROUP BY id)))""",
        "hosts < 2",
    ),
    Invariant(
        "a chain lasts three days at most",
        "(SELECT id, min(moment) AS low, max(moment) AS high FROM chain GROUP BY 1)",
        "high - low > INTERVAL 3 DAY",
    ),
    Invariant(
        "categories of chains hold a fifth of other rows",
        "(SELECT category, count(*) AS n, count(attack.id) AS chains FROM e GROUP BY 1) WHERE chains > 0",
        "n - chains < 0.2 * n",
    ),
    Invariant(
        "rows outside chains have no attack fields",
        "e WHERE attack.id IS NULL",
        'attack.playbook IS NOT NULL OR attack.stage IS NOT NULL OR attack.step IS NOT NULL OR attack."sequence" IS NOT NULL OR attack.stop_reason IS NOT NULL',
    ),
]


@pytest.fixture(scope="module")
def facts(table):
    table.execute(MACROS)
    yield table
    # Other modules share the table, so restore it.
    for view in ("processes", "sysmon", "chain"):
        table.execute(f"DROP VIEW {view}")
    for macro in (
        "guid_start",
        "guid_host",
        "known",
        "guid_shape",
        "guid_tail",
        "number",
        "utc",
        "seconds",
        "inside",
        "person",
    ):
        table.execute(f"DROP MACRO {macro}")


@pytest.mark.parametrize("invariant", INVARIANTS, ids=lambda invariant: invariant.name)
def test_invariant(facts, invariant):
    tried = one(facts, invariant.tried)
    assert tried > 0, f"no row to try it on:\n{invariant.tried}"
    broken = one(facts, invariant.violations)
    if broken:
        examples = facts.execute(invariant.examples).fetchall()
        text = "\n".join(str(row)[:1500] for row in examples)
        pytest.fail(f"{broken} of {tried} break it, for example:\n{text}\n{invariant.violations}", pytrace=False)


@pytest.mark.parametrize(("platform", "low", "high"), [("windows", 49152, 65535), ("linux", 32768, 60999)])
def test_clients_use_their_systems_ports(facts, platform, low, high):
    """Internal clients: at least 90% of source ports are in the range of the client's own system."""
    tried, fitting = facts.execute(
        f"""SELECT count(*), count(*) FILTER (source.port BETWEEN {low} AND {high})
            FROM e WHERE host.os.platform = '{platform}' AND list_contains(host.ip, source.ip)
              AND network.protocol IN ('tcp', 'udp') AND source.port IS NOT NULL AND destination.port < 32768"""
    ).fetchone()
    assert tried > 0
    assert fitting / tried >= 0.9


def test_telemetry_of_both_systems_is_there(facts):
    windows = {row[0] for row in facts.execute("SELECT DISTINCT winlog.event_id FROM e").fetchall()}
    assert {1, 3, 5, 11, 13, 22, 4624, 5156, 5157} <= windows
    linux = {row[0] for row in facts.execute('SELECT DISTINCT auditd."type" FROM e').fetchall()}
    assert {"USER_LOGIN", "USER_CMD", "SYSCALL", "EXECVE", "CRED_ACQ"} <= linux


ENCODED = re.compile(r"\s[-/]e(?:n(?:c(?:o(?:d(?:e(?:d(?:c\w*)?)?)?)?)?)?)?\s+\"?([A-Za-z0-9+/=]{8,})", re.IGNORECASE)


def encoded_script(command: str) -> str | None:
    """The script of a PowerShell command line's -enc, if it has one; ValueError when it is not one."""
    match = ENCODED.search(command)
    if match is None:
        return None
    script = base64.b64decode(match.group(1), validate=True).decode("utf-16-le")
    if not script.strip() or not all(c.isprintable() or c in "\r\n\t" for c in script) or not script.isascii():
        raise ValueError(f"not a script: {script[:80]!r}")
    return script


def test_encoded_commands_decode(facts):
    lines = facts.execute(
        """SELECT DISTINCT line FROM (
             SELECT CommandLine AS line FROM sysmon UNION ALL SELECT ParentCommandLine FROM sysmon)
           WHERE regexp_matches(line, '(?i)powershell|pwsh')"""
    ).fetchall()
    scripts = [encoded_script(line) for (line,) in lines]
    assert any(scripts), "no command line with -enc"


def test_helper_encoded_script():
    line = "powershell.exe -NoP -W Hidden -enc " + base64.b64encode("Get-Date; whoami".encode("utf-16-le")).decode()
    assert encoded_script(line) == "Get-Date; whoami"
    assert encoded_script("powershell.exe -ExecutionPolicy Bypass -File C:\\scripts\\inventory.ps1") is None
    with pytest.raises(ValueError):
        encoded_script("powershell.exe -enc " + base64.b64encode(b"Get-Date; whoami").decode())


# ATT&CK's platforms of the logs of clouds and services.
LOGS = {
    "aws.cloudtrail": {"iaas"},
    "azure.signinlogs": {"identity provider"},
    "o365.audit": {"office suite", "saas"},
    "github.audit": {"saas"},
}


def test_attack_is_mitres(facts):
    """Techniques exist, go by ATT&CK's names, and have the tactic and the platform of their row."""
    attack = json.loads(outside("facts/attack.json").read_text())
    titles = {key: value["name"] for key, value in attack["tactics"].items()}
    wrong, tried = [], 0
    for ids, names, tactics, platform in facts.execute(
        """SELECT DISTINCT threat.technique.id, threat.technique.name, threat.tactic.name,
                  coalesce(host.os.platform, fusionai.cloud.dataset)
           FROM e WHERE len(threat.technique.id) > 0"""
    ).fetchall():
        if len(ids) != len(names) or not tactics:
            wrong.append((ids, names, tactics))
            continue
        allowed = set()
        for identifier, name in zip(ids, names, strict=True):
            tried += 1
            technique = attack["techniques"].get(identifier)
            if technique is None or technique["revoked"] or technique["deprecated"] or technique["name"] != name:
                wrong.append((identifier, name))
                continue
            allowed |= {titles[tactic] for tactic in technique["tactics"]}
            platforms = {p.lower() for p in technique["platforms"]}
            if not platforms & LOGS.get(platform, {platform}) and "pre" not in platforms:
                wrong.append((identifier, platform, sorted(platforms)))
        if not set(tactics) <= allowed:
            wrong.append((ids, tactics, sorted(allowed)))
    assert tried > 0
    assert wrong == []


def test_stages_are_attacks_tactics(facts):
    attack = json.loads(outside("facts/attack.json").read_text())
    stages = {row[0] for row in facts.execute("SELECT DISTINCT stage FROM chain").fetchall()}
    assert stages and stages <= {tactic["name"] for tactic in attack["tactics"].values()}
