//! Mistakes in records: telemetry, processes, sequences, verdicts, calls and queries.

use super::mistakes::refuses;

#[test]
fn telemetry_fits_the_platform_and_shows_what_it_can() {
    let playbook = "psexec_lateral_movement.toml";
    refuses(
        playbook,
        "\"dns_query\"",
        "\"process_termination\"",
        "cannot have `query`",
    );
    refuses(
        playbook,
        "telemetry = \"file_create\"",
        "telemetry = \"process_termination\"",
        "cannot have",
    );
    refuses(
        "linux_crypto_miner.toml",
        "hosts = [\"web_server\"",
        "hosts = [\"workstation\"",
        "the host's platform does not write",
    );
    refuses(
        "linux_crypto_miner.toml",
        "  syscall = \"accept4\"\n",
        "",
        "need `syscall`",
    );
    refuses(
        playbook,
        "hosts = [\"workstation\"",
        "hosts = [\"any\"",
        "can run either platform",
    );
    refuses(
        playbook,
        "\"resident:explorer\"",
        "\"resident:bash\"",
        "does not run on that host",
    );
    refuses(
        playbook,
        "hosts = [\"workstation\"",
        "hosts = [\"jump_host\"",
        "does not run on that host",
    );
    refuses(
        playbook,
        "image = \"nltest\"",
        "image = \"bash\"",
        "belongs to the other platform",
    );
}

#[test]
fn processes_come_from_somewhere() {
    let playbook = "powershell_dropper_dga.toml";
    refuses(
        playbook,
        "starts = \"word\"",
        "starts = \"doc\"",
        "no record before this one starts",
    );
    refuses(
        playbook,
        "starts = \"script\"",
        "starts = \"word\"",
        "started twice",
    );
    refuses(
        "psexec_lateral_movement.toml",
        "\"started:service\"",
        "\"started:shell\"",
        "was started on host 0",
    );
    refuses(
        "noise.toml",
        "\"resident:zabbix_agent\"",
        "\"started:agent\"",
        "cannot name a started process",
    );
    refuses(
        "ssh_bruteforce_exfiltration.toml",
        "starts = \"upload\"",
        "starts = \"cat\"",
        "started twice",
    );
    refuses(
        playbook,
        "delay = [1, 4]",
        "delay = [1, 4]\nrounds = [1, 3]",
        "cannot start a process",
    );
}

#[test]
fn sequences_have_an_order_and_a_place() {
    refuses(
        "noise.toml",
        "visit = \"round_robin\"\n  verdict = \"benign_suspicious\"\n  reason = \"The backup job's session on the second server.\"",
        "visit = \"any\"\n  verdict = \"benign_suspicious\"\n  reason = \"The backup job's session on the second server.\"",
        "sequence that opens a session",
    );
    refuses(
        "noise.toml",
        "verdict = \"benign_trigger\"\n  reason = \"Configuration management opened its nightly sessions.\"",
        "verdict = \"benign\"\n  reason = \"Configuration management opened its nightly sessions.\"",
        "a record with alert",
    );
    refuses(
        "noise.toml",
        "reason = \"Mistyped passwords, as the domain controller sees them.\"",
        "reason = \"Mistyped passwords, as the domain controller sees them.\"\n  sequence = true",
        "only one record",
    );
}

#[test]
fn verdicts_say_whether_a_rule_fired() {
    refuses(
        "noise.toml",
        "verdict = \"benign_trigger\"",
        "verdict = \"benign\"",
        "a record with alert",
    );
    refuses(
        "noise.toml",
        "verdict = \"benign\"",
        "verdict = \"benign_trigger\"",
        "a record without alert",
    );
    refuses(
        "noise.toml",
        "to = \"class:backup_server\"",
        "to = \"adversary:c2\"",
        "only a chain has",
    );
    refuses(
        "noise.toml",
        "{document}{digits:6}.vib",
        "{c2_ip}.vib",
        "that only chains have",
    );
}

#[test]
fn calls_are_a_log_s_own() {
    let playbook = "cloud_cli_abuse.toml";
    refuses(
        playbook,
        "telemetry = \"cloud_audit\"",
        "telemetry = \"saas_audit\"",
        "aws.cloudtrail has no saas_audit records",
    );
    refuses(
        playbook,
        "credential = \"key\"",
        "credential = \"token\"",
        "does not have this credential",
    );
    refuses(
        playbook,
        "agent = \"cli\"",
        "agent = \"pigeon\"",
        "unknown client pool",
    );
    refuses(
        playbook,
        "from = \"office\"",
        "from = \"moon\"",
        "use one of office",
    );
    refuses(
        playbook,
        "telemetry = \"cloud_audit\"",
        "telemetry = \"cloud_audit\"\n    process = \"resident:sshd\"",
        "cannot have `process`",
    );
    refuses(
        "noise.toml",
        "agent = \"cli\", from = \"office\"",
        "agent = \"cli\", from = \"adversary:scan\"",
        "only a chain has an adversary",
    );
}

#[test]
fn only_failing_queries_may_succeed_all_the_same() {
    let playbook = "powershell_dropper_dga.toml";
    refuses(
        playbook,
        "resolves = 280",
        "resolves = 1280",
        "`resolves` is 1280",
    );
    refuses(
        playbook,
        "query_status = 9003\n",
        "",
        "for a query with status 0",
    );
    refuses(playbook, "  resolves = 280\n", "", "has an answer");
}
