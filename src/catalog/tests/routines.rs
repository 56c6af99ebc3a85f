//! Routines: what they must have, and the mistakes that are refused.

use super::data::embedded;
use super::mistakes::refuses;
use crate::catalog::{HostClass, Lives, When};
use crate::kinds::Telemetry;

#[test]
fn times_are_ranges_with_units() {
    for (from, to) in [
        ("after = \"2ms..60ms\"", "after = \"2..60ms\""),
        ("after = \"2ms..60ms\"", "after = \"60ms..2ms\""),
        ("lives = \"150ms..20s\"", "lives = \"150ms..20h\""),
        ("lives = \"150ms..20s\"", "lives = \"1s..900m\""),
    ] {
        refuses("routines.toml", from, to, "is not a range of times");
    }
}

#[test]
fn steps_name_what_is_there() {
    refuses(
        "routines.toml",
        "process = \"started:task\"",
        "process = \"started:tusk\"",
        "no record before this one starts \"tusk\"",
    );
    refuses(
        "routines.toml",
        "lives = \"with:task\"",
        "lives = \"with:tusk\"",
        "no step before this one starts \"tusk\"",
    );
    refuses(
        "routines.toml",
        "when = \"session\"",
        "when = \"weekend\"",
        "unknown time of a routine",
    );
    refuses(
        "routines.toml",
        "chance = 450",
        "chance = 4500",
        "a chance of 4500",
    );
    refuses(
        "routines.toml",
        "times = [1, 2]",
        "times = [2, 1]",
        "`times` is not a range",
    );
}

#[test]
fn times_are_for_routines() {
    refuses(
        "noise.toml",
        "    telemetry = \"connection_permitted\"",
        "    after = \"1s\"\n    telemetry = \"connection_permitted\"",
        "are for steps of routines",
    );
}

#[test]
fn every_console_has_its_program() {
    let catalog = embedded();
    let conhost = catalog.image("conhost").unwrap();
    for routine in &catalog.routines {
        for step in &routine.steps {
            if step.record.starts.is_some() && step.record.image == Some(conhost) {
                assert!(step.actor().is_some(), "{}", routine.name);
                assert!(
                    matches!(step.lives, Some(Lives::With(_))),
                    "{}",
                    routine.name
                );
            }
        }
    }
}

#[test]
fn all_hosts_have_routines_of_many_kinds() {
    let catalog = embedded();
    let of = |class: HostClass| {
        let runs = catalog.routines.iter().filter(|r| r.hosts == class);
        runs.count()
    };
    assert!(of(HostClass::Workstation) >= 45 && of(HostClass::Windows) >= 25);
    let session = catalog.routines.iter().filter(|r| r.when == When::Session);
    assert!(session.count() >= 40);
    for kind in [
        Telemetry::ProcessCreation,
        Telemetry::ProcessTermination,
        Telemetry::ImageLoaded,
        Telemetry::NetworkConnection,
        Telemetry::DnsQuery,
        Telemetry::FileCreate,
        Telemetry::FileDeleted,
        Telemetry::RegistryKey,
        Telemetry::RegistrySet,
        Telemetry::PipeConnected,
        Telemetry::StreamCreated,
    ] {
        let steps = catalog.routines.iter().flat_map(|r| &r.steps);
        assert!(
            steps.filter(|s| s.record.telemetry == kind).count() > 1,
            "{kind:?}"
        );
    }
}
