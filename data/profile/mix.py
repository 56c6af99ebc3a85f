#!/usr/bin/env python3
"""Makes default.json: a fitted profile without addresses, mixed with endpoint detections.

    fusiongen profile --alerts-db alerts.sqlite -o fitted.json
    python3 data/profile/mix.py fitted.json > data/profile/default.json

Standard library only; the same input gives the same output.
"""

import ipaddress
import json
import sys

# Share of the weight that endpoint detections get.
ENDPOINT_PERCENT = 25

# Where the two ends lie, in per cent of the tuple's count.
INSIDE = {"internal_internal": 100}
TO_RESOLVER = {"internal_internal": 88, "internal_external": 12}
OUTWARD = {"internal_external": 100}
FROM_OUTSIDE = {"external_internal": 80, "internal_internal": 20}
MOSTLY_INSIDE = {"internal_internal": 70, "external_internal": 30}
LATERAL = {"internal_internal": 92, "external_internal": 8}

# Where it was seen: protocol, application, service port, ends. An endpoint detection has
# no flow: no port, and the host is both of its ends.
ENDPOINT = ("tcp", None, None, INSIDE)
SMB = ("tcp", "smb", 445, LATERAL)
SSH_INSIDE = ("tcp", "ssh", 22, INSIDE)
SSH_OUTSIDE = ("tcp", "ssh", 22, FROM_OUTSIDE)
DNS = ("udp", "dns", 53, TO_RESOLVER)
TLS = ("tcp", "tls", 443, OUTWARD)
HTTP = ("tcp", "http", 80, OUTWARD)
FTP = ("tcp", "ftp", 21, OUTWARD)
STRATUM = ("tcp", None, 3333, OUTWARD)
KERBEROS = ("tcp", "krb5", 88, INSIDE)

# (category, id, signature, severity, where, weight, per cent blocked, techniques)
# Severity is on Suricata's scale: 1 high, 2 medium, 3 low.
# Weights follow what sensors show: noisy attempts often, hands-on activity seldom.
DETECTIONS = [
    ("psexec_lateral", 4821, "PSEXEC Service Creation", 2, SMB, 70, 10, ["T1021.002", "T1569.002"]),
    ("psexec_lateral", 4822, "PSEXEC Executable Copied to ADMIN$ Share", 2, SMB, 45, 15, ["T1021.002"]),
    ("psexec_lateral", 4823, "Remote Service Started From Random-Named Binary", 1, ENDPOINT, 20, 20, ["T1569.002"]),
    ("malicious_powershell_detect", 4831, "PowerShell Encoded Command Execution", 2, ENDPOINT, 90, 15, ["T1059.001", "T1027.010"]),
    ("malicious_powershell_detect", 4832, "PowerShell Download Cradle", 1, ENDPOINT, 40, 35, ["T1059.001", "T1105"]),
    ("malicious_powershell_detect", 4833, "PowerShell Script Downloaded Over HTTP", 2, HTTP, 30, 30, ["T1059.001", "T1105"]),
    ("malicious_powershell_detect", 4834, "PowerShell AMSI Tampering", 1, ENDPOINT, 12, 50, ["T1059.001"]),
    ("dga_dns", 4841, "DNS Query for Algorithmically Generated Domain", 2, DNS, 130, 20, ["T1568.002"]),
    ("dga_dns", 4842, "Burst of NXDOMAIN Answers for Random Names", 3, DNS, 80, 0, ["T1568.002"]),
    ("ssh_bruteforce", 4851, "SSH Repeated Authentication Failures", 3, SSH_OUTSIDE, 220, 25, ["T1110.001"]),
    ("ssh_bruteforce", 4852, "SSH Password Spraying Across Accounts", 2, SSH_OUTSIDE, 70, 20, ["T1110.003"]),
    ("ssh_bruteforce", 4853, "SSH Login Attempts for Nonexistent Users", 3, SSH_OUTSIDE, 110, 25, ["T1110.001"]),
    ("ssh_lateral", 4861, "SSH Session From Server to Server With New Key", 2, SSH_INSIDE, 35, 0, ["T1021.004"]),
    ("ssh_lateral", 4862, "SSH Login Chain Across Several Hosts", 1, SSH_INSIDE, 15, 0, ["T1021.004"]),
    ("privilege_escalation", 4871, "Sudo Shell Spawned by Service Account", 2, ENDPOINT, 45, 5, ["T1548.003"]),
    ("privilege_escalation", 4872, "UAC Bypass via Auto-Elevated Binary", 2, ENDPOINT, 30, 25, ["T1548.002"]),
    ("privilege_escalation", 4873, "Token of SYSTEM Process Duplicated", 1, ENDPOINT, 14, 20, ["T1134.001"]),
    ("credential_access", 4881, "LSASS Memory Opened by Unusual Process", 1, ENDPOINT, 40, 40, ["T1003.001"]),
    ("credential_access", 4882, "Shadow File Read Outside Login Programs", 2, ENDPOINT, 25, 0, ["T1003.008"]),
    ("credential_access", 4883, "Kerberos Service Tickets Requested in Bulk With RC4", 2, KERBEROS, 30, 0, ["T1558.003"]),
    ("credential_access", 4884, "SAM Hive Saved to Disk", 1, ENDPOINT, 12, 30, ["T1003.002"]),
    ("persistence_run_key", 4891, "Run Key Points to User-Writable Directory", 2, ENDPOINT, 75, 10, ["T1547.001"]),
    ("persistence_run_key", 4892, "Run Key Starts Script Interpreter", 2, ENDPOINT, 40, 20, ["T1547.001"]),
    ("malware_dropper", 4901, "Office Document Wrote and Started Executable", 1, ENDPOINT, 45, 55, ["T1204.002"]),
    ("malware_dropper", 4902, "Executable Downloaded From Address Without Name", 2, HTTP, 70, 40, ["T1105"]),
    ("malware_dropper", 4903, "MSHTA Fetched Remote Payload", 1, ENDPOINT, 25, 45, ["T1218.005", "T1105"]),
    ("data_exfiltration", 4911, "Large Upload to Rare TLS Destination", 2, TLS, 60, 10, ["T1041"]),
    ("data_exfiltration", 4912, "Archive Uploaded to Cloud Storage", 2, TLS, 45, 10, ["T1567.002"]),
    ("data_exfiltration", 4913, "Archive Sent by FTP to External Host", 1, FTP, 15, 20, ["T1048.003"]),
    ("crypto_miner", 4921, "Stratum Mining Pool Login", 2, STRATUM, 55, 40, ["T1496.001"]),
    ("crypto_miner", 4922, "Mining Pool Connection Over TLS", 2, TLS, 40, 30, ["T1496.001"]),
    ("crypto_miner", 4923, "Miner Process With Pool Address in Command Line", 2, ENDPOINT, 20, 30, ["T1496.001"]),
    ("c2_beacon", 4931, "Periodic TLS Beacon to Rare Destination", 1, TLS, 140, 10, ["T1071.001", "T1573.002"]),
    ("c2_beacon", 4932, "HTTP Beacon With Fixed URI and Interval", 1, HTTP, 80, 15, ["T1071.001"]),
    ("c2_beacon", 4933, "DNS Beacon With Long TXT Queries", 2, DNS, 40, 10, ["T1071.004"]),
    ("reconnaissance", 4941, "Host Probed Many Ports", 3, ("tcp", "failed", 445, MOSTLY_INSIDE), 70, 20, ["T1046"]),
    ("reconnaissance", 4941, "Host Probed Many Ports", 3, ("tcp", "failed", 22, MOSTLY_INSIDE), 50, 20, ["T1046"]),
    ("reconnaissance", 4941, "Host Probed Many Ports", 3, ("tcp", "failed", 3389, MOSTLY_INSIDE), 50, 20, ["T1046"]),
    ("reconnaissance", 4942, "SMB Sweep of Neighbouring Hosts", 2, ("tcp", "smb", 445, INSIDE), 45, 5, ["T1018"]),
    ("reconnaissance", 4943, "Domain Accounts Enumerated From Workstation", 2, ENDPOINT, 40, 0, ["T1087.002"]),
    ("ssh_login_anomaly", 4951, "SSH Login From New Country", 2, ("tcp", "ssh", 22, {"external_internal": 100}), 45, 5, ["T1078"]),
    ("ssh_login_anomaly", 4952, "SSH Login at Unusual Hour", 3, SSH_INSIDE, 60, 0, ["T1078"]),
    ("ssh_login_anomaly", 4953, "SSH Login of Local Account Long Unused", 2, SSH_INSIDE, 25, 0, ["T1078.003"]),
]


def shares(total, weights):
    """Splits a total by weights into whole numbers that sum to it."""
    everything, before, parts = sum(weights), 0, []
    for weight in weights:
        parts.append(total * (before + weight) // everything - total * before // everything)
        before += weight
    return parts


def detections(total):
    """Tuples of the endpoints' world, their counts summing to `total`."""
    counts = shares(total, [detection[5] for detection in DETECTIONS])
    for (category, number, signature, severity, where, _, blocked, techniques), count in zip(DETECTIONS, counts):
        protocol, application, port, ends = where
        stopped = count * blocked // 100
        for action, part in (("allowed", count - stopped), ("blocked", stopped)):
            if part == 0:
                continue
            split = dict.fromkeys(
                ("internal_internal", "internal_external", "external_internal", "external_external", "multicast"), 0
            )
            split.update(zip(ends, shares(part, list(ends.values()))))
            yield {
                "signature": signature,
                "signature_id": number,
                "category": category,
                "severity": severity,
                "protocol": protocol,
                "application": application,
                "direction": "unknown" if port is None else "to_server",
                "action": action,
                "service_port": port,
                "count": part,
                "ends": split,
                "techniques": sorted(techniques),
            }


def order(entry):
    """The profile's canonical order; nothing stands before any value."""
    optional = lambda value, blank: (value is not None, blank if value is None else value)
    return (
        -entry["count"],
        entry["signature"].encode(),
        optional(entry["signature_id"], 0),
        optional(entry["category"], ""),
        optional(entry["severity"], 0),
        entry["protocol"],
        optional(entry["application"], ""),
        entry["action"],
        ("to_server", "to_client", "unknown").index(entry["direction"]),
        optional(entry["service_port"], 0),
        entry.get("spread_ports", False),
    )


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def lines(items):
    return "[\n" + ",\n".join(map(compact, items)) + "\n]"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        profile = json.load(file)
    real = sum(entry["count"] for entry in profile["tuples"])
    extra = real * ENDPOINT_PERCENT // (100 - ENDPOINT_PERCENT)
    profile["tuples"] = sorted([*profile["tuples"], *detections(extra)], key=order)
    profile["rows"] = real + extra
    profile["table"] = "embedded"
    profile["missing"] = []
    for name in ("external_clients", "external_services", "internal_client_addresses", "internal_service_addresses"):
        profile[name] = []
    profile["multicast"] = [
        [address, count] for address, count in profile["multicast"] if ipaddress.ip_address(address).is_multicast
    ]
    fields = [
        f'"{name}":' + (lines(value) if name in ("tuples", "bytes") else compact(value))
        for name, value in profile.items()
    ]
    sys.stdout.write("{\n" + ",\n".join(fields) + "\n}\n")


main()
