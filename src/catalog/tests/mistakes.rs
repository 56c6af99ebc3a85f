//! Mistakes in single entries and names: each error names the file, the line and a remedy.

use crate::catalog::Catalog;
use crate::catalog::load::Sources;

/// Changes the first `from` of a file into `to` and loads that; returns the error.
pub(super) fn error_of(file: &str, from: &str, to: &str) -> String {
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
        "image = \"sh\"",
        "image = \"shh\"",
        "unknown image",
    );
    refuses(
        "programs.toml",
        "parent = \"cron\"",
        "parent = \"crond\"",
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
        "unknown endpoint",
    );
    refuses(
        "routines.toml",
        "to = \"local:mdns\"",
        "to = \"local:mdns4\"",
        "one of loopback, loopback6, mdns",
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
fn a_connection_never_comes_from_a_local_address() {
    for (file, from, to) in [
        (
            "noise.toml",
            "from = \"class:scanner\", to = \"host\"",
            "from = \"local:loopback\", to = \"host\"",
        ),
        (
            "routines.toml",
            "from = \"host\", to = \"local:mdns\"",
            "from = \"local:mdns\", to = \"local:mdns\"",
        ),
        (
            "psexec_lateral_movement.toml",
            "from = \"host\", to = \"adversary:exfil\"",
            "from = \"local:ssdp6\", to = \"host\"",
        ),
    ] {
        refuses(
            file,
            from,
            to,
            "a local address is where a connection goes to",
        );
        let error = error_of(file, from, to);
        let remedy = "use from = \"host\", to = \"local:ADDRESS\"";
        assert!(error.contains(remedy), "{error}");
    }
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
fn residents_are_a_tree_from_the_kernel_down() {
    refuses(
        "residents.toml",
        "parent = \"smss\"",
        "parent = \"wininit\"",
        "is not defined above its child",
    );
    refuses(
        "residents.toml",
        "parent = \"smss\"",
        "parent = \"csrss\"",
        "is not defined above its child",
    );
    refuses(
        "residents.toml",
        "delay = 6",
        "delay = 3",
        "before its parent",
    );
    refuses("residents.toml", "delay = 6", "delay = 391", "at most 390");
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
        "duplicate ",
    );
    let one = "\n[[resident]]\nkey = \"KEY\"\nimage = \"svchost\"\nscope = \"boot\"\n\
               hosts = \"windows\"\naccount = \"system\"\ncommand = \"\"\nparent = \"system\"\ndelay = 9\n";
    let many: String = (0..45)
        .map(|i| one.replace("KEY", &format!("extra{i}")))
        .collect();
    let first = "\n[[resident]]\nkey = \"smss\"";
    let smss = error_of("residents.toml", first, &format!("{many}{first}"));
    assert!(smss.contains("the maximum is 96"), "{smss}");
}

#[test]
fn names_are_unique_and_usable() {
    refuses(
        "categories.toml",
        "name = \"dga_dns\"",
        "name = \"DGA\"",
        "is not a slug",
    );
    refuses(
        "categories.toml",
        "name = \"dga_dns\"",
        "name = \"c2_beacon\"",
        "duplicate ",
    );
    refuses("categories.toml", "id = 4822", "id = 4821", "duplicate ");
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
        "cannot match",
    );
    refuses(
        "images.toml",
        "key = \"smss\"",
        "key = \"csrss\"",
        "duplicate ",
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
        twice.contains("another file has a playbook named"),
        "{twice}"
    );
    refuses(
        "attack.toml",
        "version = \"18.1\"",
        "version = \"16.1\"",
        "instead of 18.1",
    );
}
