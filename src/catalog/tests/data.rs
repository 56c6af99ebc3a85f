//! Properties of the embedded catalog.

use std::collections::BTreeSet;
use std::path::Path;

use crate::catalog::load::Sources;
use crate::catalog::*;

pub(super) fn embedded() -> Catalog {
    Catalog::embedded().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn the_embedded_catalog_has_what_the_seed_asks_for() {
    let catalog = embedded();
    assert!(catalog.endpoint_categories().count() >= 50);
    assert!(catalog.categories.len() >= 60);
    assert!(catalog.scenarios.len() >= 18);
    assert!(catalog.playbooks.len() >= 20);
    assert!(
        catalog
            .images
            .iter()
            .filter(|i| i.platform == Platform::Windows)
            .count()
            >= 70
    );
    assert!(
        catalog
            .images
            .iter()
            .filter(|i| i.platform == Platform::Linux)
            .count()
            >= 45
    );
    assert!(catalog.names.given.len() >= 120 && catalog.names.family.len() >= 160);
    assert!(catalog.names.services.len() >= 120);
    for index in catalog.endpoint_categories() {
        let signatures = catalog.categories[index].signatures.len();
        assert!(
            (2..=4).contains(&signatures),
            "{}",
            catalog.categories[index].name
        );
    }
    let psexec = &catalog.categories[catalog.category("psexec_lateral").unwrap()];
    let service = &psexec.signatures[0];
    assert_eq!(
        (service.id, service.name.as_str(), service.severity),
        (4821, "PSEXEC Service Creation", 2)
    );
    let technique = &catalog.techniques[psexec.technique.unwrap()];
    assert_eq!(technique.name, "SMB/Windows Admin Shares");
    assert_eq!(technique.tactics[psexec.tactic], "Lateral Movement");
    assert_eq!(technique.tactic_ids[psexec.tactic], "TA0008");
}

#[test]
fn every_telemetry_of_the_seed_is_in_use() {
    let in_use = embedded().telemetry_in_use();
    for needed in [
        "process_creation",
        "network_connection",
        "file_create",
        "registry_set",
        "dns_query",
        "logon",
        "user_login",
        "user_cmd",
        "syscall",
        "execve",
        "cred_acq",
        "syslog",
        "process_access",
        "remote_thread",
        "pipe_created",
        "stream_created",
        "driver_loaded",
        "service_created",
        "share_check",
        "special_logon",
        "service_ticket",
        "preauth_failed",
        "script_block",
        "user_start",
        "path",
        "proctitle",
    ] {
        assert!(in_use.contains(needed), "{needed}");
    }
}

#[test]
fn a_chain_shows_the_seed_s_example_as_a_user_s_connection() {
    let catalog = embedded();
    let psexec = catalog.category("psexec_lateral").unwrap();
    let found = catalog.playbooks.iter().flat_map(|p| &p.steps).any(|step| {
        step.category == psexec
            && step.records.iter().any(|record| {
                record.telemetry == Telemetry::NetworkConnection
                    && record.alert
                    && record.account == AccountRef::User
            })
    });
    assert!(found);
}

#[test]
fn playbooks_are_of_sensible_length_and_move_where_they_say() {
    for playbook in &embedded().playbooks {
        assert!(
            (5..=12).contains(&playbook.steps.len()),
            "{}",
            playbook.name
        );
        let scaling = playbook.steps.iter().filter(|step| step.scales).count();
        assert!(scaling >= 1, "{}", playbook.name);
        let reporting: BTreeSet<usize> = playbook
            .steps
            .iter()
            .flat_map(|s| &s.records)
            .map(|r| r.on)
            .collect();
        assert_eq!(reporting.len(), playbook.hosts.len(), "{}", playbook.name);
        let starts: BTreeSet<usize> = playbook
            .steps
            .iter()
            .flat_map(|s| &s.records)
            .filter_map(|r| r.starts)
            .collect();
        assert_eq!(starts, (0..playbook.processes).collect());
        for alternative in playbook.steps.iter().flat_map(|s| &s.alternatives) {
            assert!(
                (1..=12).contains(&alternative.records.len()),
                "{}",
                playbook.name
            );
        }
    }
}

#[test]
fn steps_go_more_than_one_way() {
    for playbook in &embedded().playbooks {
        let ways: usize = playbook
            .steps
            .iter()
            .map(|s| s.alternatives.len())
            .product();
        assert!(ways >= 16, "{}: {ways}", playbook.name);
        // 30 to 60 % of the chains are blocked at some step.
        let whole = playbook.steps.iter().fold(1000u64, |rest, step| {
            rest * (1000 - u64::from(step.blocked)) / 1000
        });
        assert!((400..=700).contains(&whole), "{}: {whole}", playbook.name);
    }
}

#[test]
fn logons_are_called_for_by_whom_windows_has_for_them() {
    let catalog = embedded();
    let of = |key| ProcessRef::Resident(catalog.resident(key).unwrap());
    let variants = catalog.scenarios.iter().flat_map(|s| &s.variants);
    let steps = catalog.playbooks.iter().flat_map(|p| &p.steps);
    let records = (variants.flat_map(|v| &v.records))
        .chain(steps.flat_map(|s| &s.records))
        .chain(catalog.heuristics.iter().flat_map(|h| &h.records))
        .filter(|r| matches!(r.telemetry, Telemetry::Logon | Telemetry::LogonFailed));
    for record in records {
        let wanted = match record.logon_type {
            2 | 11 => of("lsm"),
            5 => of("services"),
            10 => of("termservice"),
            _ => continue,
        };
        assert_eq!(record.process, wanted, "{record:?}");
    }
}

#[test]
fn documents_stand_in_folders_of_other_names() {
    let noise = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/data/catalog/noise.toml"
    ));
    let twice =
        |line: &&str| line.contains(r"{document}\{document}.{") || line.contains(r"{letters:4}\{");
    assert_eq!(noise.lines().find(twice), None);
}

#[test]
fn kerberos_is_written_by_domain_controllers() {
    let catalog = embedded();
    let kerberos = |t: Telemetry| {
        matches!(
            t,
            Telemetry::TicketRequested | Telemetry::ServiceTicket | Telemetry::PreauthFailed
        )
    };
    for playbook in &catalog.playbooks {
        for record in playbook.steps.iter().flat_map(|s| &s.records) {
            if kerberos(record.telemetry) {
                assert_eq!(
                    playbook.hosts[record.on],
                    HostClass::DomainController,
                    "{}",
                    playbook.name
                );
            }
        }
    }
    for variant in catalog.scenarios.iter().flat_map(|s| &s.variants) {
        if variant.records.iter().any(|r| kerberos(r.telemetry)) {
            assert_eq!(variant.hosts, HostClass::DomainController);
        }
    }
}

#[test]
fn every_endpoint_category_has_a_benign_side_and_false_positives() {
    let catalog = embedded();
    let variants: Vec<&Variant> = catalog.scenarios.iter().flat_map(|s| &s.variants).collect();
    for index in catalog.endpoint_categories() {
        let verdicts: BTreeSet<u8> = variants
            .iter()
            .filter(|variant| variant.category == index)
            .map(|variant| variant.verdict as u8)
            .collect();
        let name = &catalog.categories[index].name;
        assert!(verdicts.contains(&(Verdict::BenignTrigger as u8)), "{name}");
        assert!(verdicts.len() > 1, "{name}");
    }
}

#[test]
fn every_endpoint_category_has_a_keyword_rule_with_records() {
    let catalog = embedded();
    for index in catalog.endpoint_categories() {
        let category = &catalog.categories[index];
        let rule = catalog
            .heuristics
            .iter()
            .find(|rule| !rule.in_signature && rule.keywords.contains(&category.name))
            .unwrap_or_else(|| panic!("{}", category.name));
        assert_eq!(rule.technique, category.technique, "{}", category.name);
        assert!(!rule.records.is_empty(), "{}", category.name);
    }
}

#[test]
fn commands_hold_no_literal_placeholder_of_another_language() {
    let catalog = embedded();
    let templates = catalog
        .playbooks
        .iter()
        .flat_map(|p| &p.steps)
        .flat_map(|s| &s.records)
        .chain(
            catalog
                .scenarios
                .iter()
                .flat_map(|s| &s.variants)
                .flat_map(|v| &v.records),
        )
        .chain(catalog.heuristics.iter().flat_map(|h| &h.records))
        .filter_map(|record| record.command.as_ref())
        .chain(
            catalog
                .programs
                .iter()
                .flat_map(|program| &program.commands),
        );
    for template in templates {
        for piece in &template.pieces {
            if let Piece::Literal(text) = piece {
                for stray in ["<", "TODO", "example", "xxx", "\n", "\t"] {
                    assert!(!text.contains(stray) || text.contains("<-"), "{text:?}");
                }
            }
        }
    }
}

#[test]
fn a_directory_reads_as_the_embedded_catalog_does() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/catalog");
    let read = Catalog::read(&dir).unwrap_or_else(|error| panic!("{error}"));
    let embedded = embedded();
    assert_eq!(read.digest, embedded.digest);
    assert_eq!(format!("{read:?}"), format!("{embedded:?}"));
    assert_eq!(read.digest.len(), 64);
}

#[test]
fn the_digest_follows_the_contents() {
    let mut sources = Sources::embedded();
    sources.files[0].text.push_str("# a word more\n");
    let changed = Catalog::from_sources(&sources).unwrap();
    assert_ne!(changed.digest, embedded().digest);
}

#[test]
fn a_directory_without_a_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let error = Catalog::read(dir.path()).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("attack.toml"), "{error}");
}

#[test]
fn process_life_is_dominated_by_few_images_but_not_by_one() {
    let catalog = embedded();
    for platform in [Platform::Windows, Platform::Linux] {
        let mut weights = vec![0u32; catalog.images.len()];
        match platform {
            Platform::Linux => {
                for program in &catalog.programs {
                    weights[program.image.index()] += program.weight;
                }
            }
            Platform::Windows => {
                for routine in &catalog.routines {
                    let started = routine.steps.iter().filter(|s| s.record.starts.is_some());
                    for step in started {
                        let image = step.record.image.unwrap();
                        weights[image.index()] += routine.weight * u32::from(step.chance);
                    }
                }
            }
        }
        weights.sort_unstable_by(|a, b| b.cmp(a));
        let all: u32 = weights.iter().sum();
        let ten: u32 = weights.iter().take(10).sum();
        // Measured on real hosts: 59%, the most frequent image 14%.
        assert!(
            (450..=750).contains(&(1000 * ten / all)),
            "{platform:?}: {ten} of {all}"
        );
        assert!(100 * weights[0] / all <= 20, "{platform:?}");
        assert!(
            weights.iter().filter(|weight| **weight > 0).count() >= 25,
            "{platform:?}"
        );
    }
}

#[test]
fn classtypes_lend_a_technique_only_where_they_say_one() {
    let catalog = embedded();
    let technique = |description: &str| {
        let category = &catalog.categories[catalog.classtype(description)?];
        Some(catalog.techniques[category.technique?].id.as_str())
    };
    assert_eq!(technique("A Network Trojan was detected"), Some("T1071"));
    assert_eq!(technique("Web Application Attack"), Some("T1190"));
    assert_eq!(
        technique("Crypto Currency Mining Activity Detected"),
        Some("T1496.001")
    );
    for silent in [
        "Generic Protocol Command Decode",
        "Not Suspicious Traffic",
        "Unknown Traffic",
        "Misc activity",
    ] {
        assert_eq!(technique(silent), None, "{silent}");
    }
}
