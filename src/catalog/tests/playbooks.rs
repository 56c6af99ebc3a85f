//! Mistakes in playbooks: steps, alternatives, and the categories that they share with noise.

use super::mistakes::refuses;
use crate::catalog::Catalog;
use crate::catalog::load::Sources;

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
        "at least one round",
    );
    refuses(
        playbook,
        "round_seconds = 300",
        "round_seconds = 3000",
        "may take",
    );
    refuses(
        playbook,
        "blocked = 60",
        "blocked = 1001",
        "more than 1000 per mille",
    );
    refuses(
        playbook,
        "tactic = \"Persistence\"",
        "tactic = \"Impact\"",
        "is not a tactic of T1547.001",
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
    refuses("linux_crypto_miner.toml", steps, "", "no hosts or no steps");
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
        error.contains("category malware_dropper is used by no variant"),
        "{error}"
    );
}

/// A playbook whose first step has two alternatives; `second` are the records of the second one.
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
