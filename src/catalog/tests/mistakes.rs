//! Every mistake in a catalog is told, with its place and a remedy.

use crate::catalog::Catalog;
use crate::catalog::load::Sources;

/// Changes the first `from` of a file into `to` and loads that; returns the error.
fn error_of(file: &str, from: &str, to: &str) -> String {
    let mut sources = Sources::embedded();
    let source = sources
        .files
        .iter_mut()
        .chain(&mut sources.playbooks)
        .find(|source| source.path.ends_with(file))
        .unwrap_or_else(|| panic!("no file {file}"));
    assert!(source.text.contains(from), "{file} lacks {from:?}");
    source.text = source.text.replacen(from, to, 1);
    match Catalog::from_sources(&sources) {
        Ok(_) => panic!("{file}: {to:?} was accepted"),
        Err(error) => {
            assert_eq!(error.exit_code(), 2);
            error.to_string()
        }
    }
}

/// The error names the file, a line, the problem, and on a second line the remedy.
#[track_caller]
pub(super) fn refuses(file: &str, from: &str, to: &str, problem: &str) {
    let error = error_of(file, from, to);
    assert!(error.contains(problem), "{problem:?} is not in: {error}");
    assert!(error.contains(file) && error.contains("line "), "{error}");
    let remedy = error.lines().last().unwrap_or_default();
    assert!(error.lines().count() > 1 && remedy.len() > 8, "{error}");
}

#[test]
fn unknown_words_are_refused() {
    refuses(
        "categories.toml",
        "severity = 2",
        "level = 2",
        "unknown field `level`",
    );
    refuses(
        "noise.toml",
        "category = \"backup_job\"",
        "category = \"backups\"",
        "unknown category",
    );
    refuses(
        "noise.toml",
        "hosts = \"scanner\"",
        "hosts = \"moon\"",
        "unknown host class",
    );
    refuses(
        "noise.toml",
        "verdict = \"benign\"",
        "verdict = \"attack\"",
        "unknown benign verdict",
    );
    refuses(
        "programs.toml",
        "image = \"conhost\"",
        "image = \"cohost\"",
        "unknown image",
    );
    refuses(
        "programs.toml",
        "parent = \"services\"",
        "parent = \"service\"",
        "unknown resident",
    );
    refuses(
        "categories.toml",
        "\"T1021.002\"",
        "\"T9999\"",
        "unknown technique",
    );
    refuses(
        "residents.toml",
        "account = \"system\"",
        "account = \"root\"",
        "unknown account",
    );
    let playbook = "psexec_lateral_movement.toml";
    refuses(
        playbook,
        "\"LSASS Memory Dump\"",
        "\"LSASS\"",
        "has no signature",
    );
    refuses(
        playbook,
        "process_creation",
        "process_created",
        "unknown telemetry",
    );
    refuses(
        playbook,
        "\"T1087.002\"",
        "\"T1087.009\"",
        "unknown technique",
    );
    refuses(
        playbook,
        "to = \"adversary:exfil\"",
        "to = \"adversary:home\"",
        "unknown end",
    );
    refuses(
        playbook,
        "{hex:8}",
        "{hexa:8}",
        "unknown placeholder {hexa:8}",
    );
    refuses(
        playbook,
        "protocol = \"tcp\"",
        "protocol = \"TCP\"",
        "unknown protocol",
    );
}

#[test]
fn the_error_names_line_and_entry() {
    let error = error_of(
        "psexec_lateral_movement.toml",
        "\"started:dump_shell\"",
        "\"started:dumb\"",
    );
    let place = "[[step]] 5, [[step.alternative]] 1, [[step.alternative.record]] 2";
    assert!(error.contains(place), "{error}");
    let error = error_of(
        "residents.toml",
        "parent = \"wininit\"",
        "parent = \"winit\"",
    );
    assert!(error.contains("(services)"), "{error}");
}

#[test]
fn encoded_text_is_balanced() {
    refuses(
        "noise.toml",
        "{/encoded}",
        "",
        "{encoded} without {/encoded}",
    );
    refuses(
        "noise.toml",
        "{encoded}",
        "",
        "{/encoded} without {encoded}",
    );
}

#[test]
fn telemetry_fits_the_platform_and_shows_what_it_can() {
    let playbook = "psexec_lateral_movement.toml";
    refuses(
        playbook,
        "\"dns_query\"",
        "\"process_termination\"",
        "cannot show `query`",
    );
    refuses(
        playbook,
        "telemetry = \"file_create\"",
        "telemetry = \"process_termination\"",
        "cannot show",
    );
    refuses(
        "linux_crypto_miner.toml",
        "hosts = [\"web_server\"",
        "hosts = [\"workstation\"",
        "is not written by the host's platform",
    );
    refuses(
        "linux_crypto_miner.toml",
        "  syscall = \"accept4\"\n",
        "",
        "without `syscall`",
    );
    refuses(
        playbook,
        "hosts = [\"workstation\"",
        "hosts = [\"any\"",
        "of either platform",
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
        "of the other platform",
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
        "stands alone",
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
        "start in every round",
    );
}

#[test]
fn residents_are_a_tree_from_the_kernel_down() {
    refuses(
        "residents.toml",
        "parent = \"smss\"",
        "parent = \"wininit\"",
        "at or below its child",
    );
    refuses(
        "residents.toml",
        "parent = \"smss\"",
        "parent = \"csrss\"",
        "at or below its child",
    );
    refuses(
        "residents.toml",
        "delay = 6",
        "delay = 3",
        "before its parent",
    );
    refuses("residents.toml", "delay = 6", "delay = 501", "at most 500");
    refuses(
        "residents.toml",
        "key = \"sysmon\"",
        "key = \"sysman\"",
        "no resident \"sysmon\"",
    );
    refuses(
        "residents.toml",
        "key = \"csrss\"",
        "key = \"smss\"",
        "stands here twice",
    );
    let one = "\n[[resident]]\nkey = \"KEY\"\nimage = \"svchost\"\nscope = \"boot\"\n\
               hosts = \"windows\"\naccount = \"system\"\ncommand = \"\"\nparent = \"system\"\ndelay = 9\n";
    let many: String = (0..45)
        .map(|i| one.replace("KEY", &format!("extra{i}")))
        .collect();
    let first = "\n[[resident]]\nkey = \"smss\"";
    let smss = error_of("residents.toml", first, &format!("{many}{first}"));
    assert!(smss.contains("have room for 96"), "{smss}");
}

#[test]
fn steps_are_whole() {
    let playbook = "powershell_dropper_dga.toml";
    refuses(
        playbook,
        "    alert = true\n    signature = \"Downloaded Executable Started\"\n",
        "",
        "no rule fires",
    );
    refuses(
        playbook,
        "delay = [1, 30]",
        "delay = [30, 1]",
        "30 is more than 1",
    );
    refuses(
        playbook,
        "rounds = [25, 250]",
        "rounds = [0, 250]",
        "may have no round",
    );
    refuses(
        playbook,
        "round_seconds = 300",
        "round_seconds = 3000",
        "may last",
    );
    refuses(playbook, "blocked = 60", "blocked = 1001", "more than all");
    refuses(
        playbook,
        "tactic = \"Persistence\"",
        "tactic = \"Impact\"",
        "is no tactic of T1547.001",
    );
    refuses(
        playbook,
        "out = [300, 900]",
        "out = [901, 900]",
        "901 is more than 900",
    );
    refuses(
        playbook,
        "\"T1547.001\"",
        "\"T1053.003\"",
        "does not exist on Windows",
    );
    let sources = Sources::embedded();
    let miner =
        |source: &&crate::catalog::source::Source| source.path.ends_with("linux_crypto_miner.toml");
    let text = sources.playbooks.iter().find(miner).unwrap().text.clone();
    let steps = &text[text.find("[[step]]").unwrap()..];
    refuses(
        "linux_crypto_miner.toml",
        steps,
        "",
        "without hosts or steps",
    );
}

#[test]
fn names_are_unique_and_usable() {
    refuses(
        "categories.toml",
        "name = \"dga_dns\"",
        "name = \"DGA\"",
        "is no slug",
    );
    refuses(
        "categories.toml",
        "name = \"dga_dns\"",
        "name = \"c2_beacon\"",
        "stands here twice",
    );
    refuses(
        "categories.toml",
        "id = 4822",
        "id = 4821",
        "stands here twice",
    );
    refuses(
        "categories.toml",
        "severity = 2",
        "severity = 5",
        "severity 5",
    );
    refuses(
        "categories.toml",
        "name = \"process_activity\"",
        "name = \"life\"",
        "process_activity",
    );
    refuses(
        "heuristics.toml",
        "\"psexesvc\"",
        "\"PSEXESVC\"",
        "never be found",
    );
    refuses(
        "images.toml",
        "key = \"smss\"",
        "key = \"csrss\"",
        "stands here twice",
    );
    refuses(
        "images.toml",
        "path = \"/usr/bin/ssh\"",
        "path = \"ssh\"",
        "not a full path",
    );
    refuses(
        "names.toml",
        "\"Adam\"",
        "\"adam\"",
        "not a capitalised ASCII name",
    );
    refuses(
        "names.toml",
        "netbios_domain = \"FUSIONAI\"",
        "netbios_domain = \"fusionai.local\"",
        "NetBIOS",
    );
    let twice = error_of(
        "linux_crypto_miner.toml",
        "name = \"linux_crypto_miner\"",
        "name = \"psexec_lateral_movement\"",
    );
    assert!(
        twice.contains("another file's playbook is called"),
        "{twice}"
    );
    refuses(
        "attack.toml",
        "version = \"18.1\"",
        "version = \"16.1\"",
        "instead of 18.1",
    );
}

#[test]
fn no_category_is_a_chain_s_alone() {
    let mut sources = Sources::embedded();
    let noise = sources
        .files
        .iter_mut()
        .find(|s| s.path.ends_with("noise.toml"))
        .unwrap();
    noise.text = noise
        .text
        .replace(
            "category = \"malware_dropper\"",
            "category = \"backup_job\"",
        )
        .replace("alert = true", "")
        .replace("benign_trigger", "benign");
    noise.text = noise
        .text
        .lines()
        .filter(|line| !line.trim_start().starts_with("signature ="))
        .collect::<Vec<_>>()
        .join("\n");
    let error = Catalog::from_sources(&sources).unwrap_err().to_string();
    assert!(
        error.contains("malware_dropper is used here but by no variant"),
        "{error}"
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
        "a sequence of 1 records",
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
        "only a chain fills",
    );
}

#[test]
fn calls_are_a_log_s_own() {
    let playbook = "cloud_cli_abuse.toml";
    refuses(
        playbook,
        "telemetry = \"cloud_audit\"",
        "telemetry = \"saas_audit\"",
        "aws.cloudtrail holds no saas_audit",
    );
    refuses(
        playbook,
        "credential = \"key\"",
        "credential = \"token\"",
        "names no such credential",
    );
    refuses(
        playbook,
        "agent = \"cli\"",
        "agent = \"pigeon\"",
        "unknown pool of clients",
    );
    refuses(
        playbook,
        "from = \"office\"",
        "from = \"moon\"",
        "write one of office",
    );
    refuses(
        playbook,
        "telemetry = \"cloud_audit\"",
        "telemetry = \"cloud_audit\"\n    process = \"resident:sshd\"",
        "cannot show `process`",
    );
    refuses(
        "noise.toml",
        "agent = \"cli\", from = \"office\"",
        "agent = \"cli\", from = \"adversary:scan\"",
        "only a chain has an adversary",
    );
}

/// A step of two alternatives, of which `second` is the other's records.
fn with_alternatives(second: &str) -> String {
    let first = "[[step.alternative]]\n[[step.alternative.record]]\ntelemetry = \"process_creation\"\n\
                 process = \"resident:explorer\"\nstarts = \"tool\"\nimage = \"cmd\"\ncommand = \"cmd\"\n\
                 alert = true\n[[step.alternative]]\n";
    let last = "\n[[step]]\ncategory = \"reconnaissance\"\ntechnique = \"T1087.002\"\n\
                tactic = \"Discovery\"\ndelay = [0, 1]\n[[step.record]]\ntelemetry = \"process_creation\"\n\
                process = \"started:tool\"\nimage = \"whoami\"\ncommand = \"whoami\"\nalert = true\n";
    format!(
        "name = \"x\"\nweight = 1\nhosts = [\"workstation\"]\n[[step]]\n\
         category = \"reconnaissance\"\ntechnique = \"T1087.002\"\ntactic = \"Discovery\"\n\
         delay = [0, 0]\n{first}{second}{last}"
    )
}

#[test]
fn later_steps_name_what_every_alternative_starts() {
    let record = |starts: &str| {
        format!(
            "[[step.alternative.record]]\ntelemetry = \"process_creation\"\n\
             process = \"resident:explorer\"\n{starts}image = \"powershell\"\n\
             command = \"powershell\"\nalert = true\n"
        )
    };
    let read = |second: String| {
        let mut sources = Sources::embedded();
        sources.playbooks[0].text = with_alternatives(&second);
        Catalog::from_sources(&sources)
    };
    let catalog = read(record("starts = \"tool\"\n")).unwrap();
    let step = &catalog.playbooks[0].steps[0];
    assert_eq!(step.alternatives.len(), 2);
    assert_eq!(step.records[0].starts, step.records[1].starts);
    let error = read(record("")).unwrap_err().to_string();
    assert!(error.contains("not every alternative"), "{error}");
}

#[test]
fn only_failing_queries_may_succeed_all_the_same() {
    let playbook = "powershell_dropper_dga.toml";
    refuses(
        playbook,
        "resolves = 280",
        "resolves = 1280",
        "1280 times in 1000",
    );
    refuses(
        playbook,
        "query_status = 9003\n",
        "",
        "with status 0 succeeds",
    );
    refuses(playbook, "  resolves = 280\n", "", "has an answer");
}
