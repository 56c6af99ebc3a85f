#!/usr/bin/env python3
"""Makes the sample inputs beside this script: alerts.sqlite, ad_users.csv, cmdb_assets.csv.

    python3 data/sample/make.py

Everything is invented. Seeded, standard library only: the same files every time (of the
database the same rows; its header carries the version of SQLite).
"""

import csv
import ipaddress
import random
import sqlite3
from datetime import datetime, timedelta, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
RANDOM = random.Random(20240812)

USERS, WORKSTATIONS = 60, 56

FIRST = (
    "Alice Martine Bruno Chiara David Elena Farid Grace Hugo Ines Jonas Karin Lukas Mina Nils Olga Pedro "
    "Quentin Rosa Samir Tara Ulrich Vera Wanda Xavier Yara Zoe Anton Beate Carlos Dora Emil Fiona Goran "
    "Hanna Igor Julia Kofi Laura Mateo"
).split()
LAST = (
    "Example Robert Keller Moretti Novak Petrov Haddad Olsen Laurent Costa Weber Lindqvist Brandt Tanaka "
    "Berg Ivanova Alvarez Dubois Marino Aziz Quinn Vogel Sokolova Kaminski Girard Santos Fischer Hoffmann"
).split()
DEPARTMENTS = {"IT": 10, "Finance": 9, "Engineering": 14, "Sales": 11, "HR": 5, "Legal": 4, "Operations": 7}
SITES = {"Headquarters": 4, "Branch North": 5, "Branch South": 6}

# (hostname, type, criticality, location, address, os, department)
SERVERS = [
    ("DC-01", "Domain Controller", "critical", "Headquarters", "10.0.1.10", "Windows Server 2022 Standard", "IT"),
    ("DC-02", "Domain Controller", "critical", "Branch North", "10.0.1.11", "Windows Server 2019 Standard", "IT"),
    ("FS-01", "Server", "high", "Headquarters", "10.0.1.20", "Windows Server 2022 Standard", "IT"),
    ("FS-02", "Server", "high", "Branch South", "10.0.1.21", "Windows Server 2019 Standard", "IT"),
    ("SQL-01", "Server", "critical", "Headquarters", "10.0.1.30", "Windows Server 2022 Standard", "Finance"),
    ("APP-01", "Server", "high", "Headquarters", "10.0.1.40", "Windows Server 2022 Standard", "Operations"),
    ("APP-02", "Server", "medium", "Headquarters", "10.0.1.41", "Windows Server 2019 Standard", "Sales"),
    ("PRINT-01", "Server", "low", "Headquarters", "10.0.1.50", "Windows Server 2019 Standard", "IT"),
    ("WSUS-01", "Server", "medium", "Headquarters", "10.0.1.51", "Windows Server 2022 Standard", "IT"),
    ("BACKUP-01", "Server", "high", "Headquarters", "10.0.1.60", "Windows Server 2022 Standard", "IT"),
    ("JUMP-01", "Server", "high", "Headquarters", "10.0.1.70", "Windows Server 2022 Standard", "IT"),
    ("WEB-01", "Server", "high", "DMZ", "10.0.2.10", "Ubuntu 22.04 LTS", "Sales"),
    ("WEB-02", "Server", "high", "DMZ", "10.0.2.11", "Ubuntu 22.04 LTS", "Sales"),
    ("MAIL-01", "Server", "critical", "DMZ", "10.0.2.20", "Debian 12", "IT"),
    ("VPN-01", "Server", "critical", "DMZ", "10.0.2.30", "Debian 12", "IT"),
    ("PROXY-01", "Server", "high", "DMZ", "10.0.2.40", "Ubuntu 22.04 LTS", "IT"),
    ("DB-01", "Server", "critical", "Headquarters", "10.0.3.10", "Red Hat Enterprise Linux 9", "Engineering"),
    ("DB-02", "Server", "high", "Headquarters", "10.0.3.11", "Red Hat Enterprise Linux 8", "Operations"),
    ("GIT-01", "Server", "high", "Headquarters", "10.0.3.20", "Ubuntu 24.04 LTS", "Engineering"),
    ("BUILD-01", "Server", "medium", "Headquarters", "10.0.3.21", "Ubuntu 22.04 LTS", "Engineering"),
    ("BUILD-02", "Server", "medium", "Headquarters", "10.0.3.22", "Ubuntu 22.04 LTS", "Engineering"),
    ("LOG-01", "Server", "high", "Headquarters", "10.0.3.30", "Debian 12", "IT"),
    ("DNS-01", "Server", "high", "Headquarters", "10.0.3.40", "Debian 12", "IT"),
    ("MON-01", "Server", "medium", "Headquarters", "10.0.3.50", "Debian 12", "IT"),
]


def pick(weights):
    return RANDOM.choices(list(weights), weights=list(weights.values()))[0]


def users():
    """(username, department, display name, e-mail), the names distinct."""
    rows, taken = [], set()
    while len(rows) < USERS:
        first, last = (FIRST[0], LAST[0]) if not rows else (RANDOM.choice(FIRST), RANDOM.choice(LAST))
        username = "alice" if not rows else f"{first[0]}.{last}".lower()
        if username in taken:
            continue
        taken.add(username)
        department = "IT" if not rows else pick(DEPARTMENTS)
        rows.append((username, department, f"{first} {last}", f"{username}@fusionai.local"))
    return rows


def assets(people):
    rows = []
    for hostname, kind, criticality, location, address, system, department in SERVERS:
        owner = RANDOM.choice([person for person in people if person[1] == "IT"])[2]
        rows.append((hostname, kind, criticality, location, address, system, owner, department))
    used = {site: 10 for site in SITES}
    for number in range(1, WORKSTATIONS + 1):
        person = people[number - 1]
        site = pick({"Headquarters": 6, "Branch North": 3, "Branch South": 2})
        used[site] += 1
        system = pick({"Windows 10 Pro": 4, "Windows 11 Pro": 5, "Windows 11 Enterprise": 2})
        criticality = "high" if person[1] in ("Finance", "Legal") else pick({"medium": 3, "low": 5})
        address = f"10.0.{SITES[site]}.{used[site]}"
        rows.append((f"WKS-{number:03}", "Workstation", criticality, site, address, system, person[2], person[1]))
    return rows


# (category, signature, severity 1 low … 4 critical, protocols, service port, weight, from, to)
RULES = [
    ("psexec_lateral", "PSEXEC Service Creation", 2, '["tcp","smb"]', 445, 22, "client", "windows"),
    ("psexec_lateral", "PSEXEC Named Pipe Opened", 3, '["tcp","smb"]', 445, 10, "client", "windows"),
    ("malicious_powershell_detect", "PowerShell Encoded Command", 3, "tcp", 5985, 24, "client", "windows"),
    ("malicious_powershell_detect", "PowerShell Web Request to Raw Address", 3, "tcp,http", 80, 14, "client", "outside"),
    ("dga_dns", "DGA Domain Lookup", 2, "udp,dns", 53, 40, "client", "resolver"),
    ("dga_dns", "NXDOMAIN Storm", 1, "udp,dns", 53, 22, "client", "resolver"),
    ("ssh_bruteforce", "SSH Brute Force", 2, '["tcp","ssh"]', 22, 62, "outside", "dmz"),
    ("ssh_bruteforce", "SSH Invalid User Flood", 1, '["tcp","ssh"]', 22, 34, "outside", "dmz"),
    ("ssh_lateral", "SSH Hop Between Servers", 3, "tcp,ssh", 22, 14, "linux", "linux"),
    ("ssh_lateral", "SSH Key First Use", 2, "tcp,ssh", 22, 10, "client", "linux"),
    ("privilege_escalation", "Sudo to Root by Service Account", 3, "tcp", None, 14, "linux", "linux"),
    ("privilege_escalation", "UAC Bypass Attempt", 3, "tcp", None, 10, "client", "client"),
    ("credential_access", "LSASS Access", 4, "tcp", None, 10, "windows", "windows"),
    ("credential_access", "Kerberos RC4 Ticket Burst", 3, "tcp,krb5", 88, 9, "client", "controller"),
    ("persistence_run_key", "Run Key Added", 2, "tcp", None, 20, "client", "client"),
    ("persistence_run_key", "Startup Folder Script", 2, "tcp", None, 9, "client", "client"),
    ("malware_dropper", "Executable Download", 3, '["tcp","http"]', 80, 22, "client", "outside"),
    ("malware_dropper", "Office Child Process", 4, "tcp", None, 8, "client", "client"),
    ("data_exfiltration", "Large Outbound Upload", 4, '["tcp","tls"]', 443, 14, "windows", "outside"),
    ("data_exfiltration", "DNS Tunnel Volume", 3, "udp,dns", 53, 7, "client", "resolver"),
    ("crypto_miner", "Mining Pool Login", 3, "tcp", 3333, 12, "linux", "outside"),
    ("crypto_miner", "Mining Pool over TLS", 3, "tcp,tls", 443, 7, "linux", "outside"),
    ("c2_beacon", "Beacon Interval Match", 4, '["tcp","tls"]', 443, 34, "client", "outside"),
    ("c2_beacon", "HTTP Beacon URI", 4, '["tcp","http"]', 80, 16, "client", "outside"),
    ("reconnaissance", "Port Scan", 1, "tcp", 445, 20, "client", "windows"),
    ("reconnaissance", "Port Scan", 1, "tcp", 22, 14, "outside", "dmz"),
    ("reconnaissance", "Ping Sweep", 1, "icmp", None, 16, "client", "windows"),
    ("ssh_login_anomaly", "SSH Login From New Country", 3, "tcp,ssh", 22, 12, "outside", "dmz"),
    ("ssh_login_anomaly", "SSH Login at Night", 2, "tcp,ssh", 22, 12, "client", "linux"),
    ("web_attack", "SQL Injection in Query", 3, '["tcp","http"]', 80, 24, "outside", "web"),
    ("web_attack", "Path Traversal in Request", 2, '["tcp","http"]', 80, 16, "outside", "web"),
]

# The first octets of invented public addresses: ordinary unicast space.
PUBLIC = (14, 37, 41, 46, 57, 62, 77, 79, 83, 101, 105, 114, 122, 149, 154, 177, 186, 196, 201)


def public_address():
    while True:
        octets = [RANDOM.choice(PUBLIC), RANDOM.randrange(256), RANDOM.randrange(256), RANDOM.randrange(1, 255)]
        address = ipaddress.ip_address(".".join(map(str, octets)))
        if address.is_global and not address.is_multicast:
            return str(address)


def alerts(hosts):
    """Rows of the table, ascending in time."""
    outside = [public_address() for _ in range(60)]
    # A few are seen all the time, most once or twice.
    weights = [1 / (rank + 1) for rank in range(len(outside))]
    groups = {
        "client": [host[4] for host in hosts if host[1] == "Workstation"],
        "windows": [host[4] for host in hosts if host[5].startswith("Windows")],
        "controller": [host[4] for host in hosts if host[1] == "Domain Controller"],
        "resolver": ["10.0.3.40", "10.0.1.10"],
        "linux": [host[4] for host in hosts if not host[5].startswith("Windows")],
        "dmz": [host[4] for host in hosts if host[3] == "DMZ"],
        "web": ["10.0.2.10", "10.0.2.11"],
    }

    def end(where):
        if where == "outside":
            return RANDOM.choices(outside, weights)[0] if RANDOM.random() < 0.8 else public_address()
        return RANDOM.choice(groups[where])

    rows = []
    start = datetime(2024, 7, 29, tzinfo=timezone.utc)
    for category, signature, severity, protocols, port, count, client, server in RULES:
        for _ in range(count):
            source, destination = end(client), end(server)
            if port is None and not protocols.startswith("icmp"):
                destination = source  # an endpoint detection: one host
            client_port = None if port is None else RANDOM.randrange(49152, 65536)
            at = start + timedelta(seconds=RANDOM.randrange(14 * 86400))
            rows.append(
                (source, destination, client_port, port, signature, category, severity, protocols)
                + (at.strftime("%Y-%m-%dT%H:%M:%SZ"),)
            )
    rows.sort(key=lambda row: (row[8], str(row)))
    return rows


def write_csv(name, header, rows):
    with open(HERE / name, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def main():
    people = users()
    hosts = assets(people)
    write_csv("ad_users.csv", ["Username", "Department", "Display_Name", "Email"], people)
    write_csv(
        "cmdb_assets.csv",
        ["Hostname", "Asset_Type", "Criticality", "Location", "IP_Address", "OS", "Owner", "Department"],
        hosts,
    )
    path = HERE / "alerts.sqlite"
    path.unlink(missing_ok=True)
    database = sqlite3.connect(path)
    database.execute("PRAGMA page_size = 4096")
    database.execute(
        "CREATE TABLE alerts (src_ip TEXT, dest_ip TEXT, src_port INTEGER, dest_port INTEGER, "
        "signature TEXT, category TEXT, severity INTEGER, protocols TEXT, timestamp TEXT)"
    )
    database.executemany("INSERT INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", alerts(hosts))
    database.commit()
    database.execute("VACUUM")
    database.close()


main()
