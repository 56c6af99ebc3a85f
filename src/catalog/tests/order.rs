//! When the processes of playbooks end, and where people pause.

use crate::catalog::{AccountRef, Catalog, Platform, ProcessRef, Record, Telemetry};

fn is_end(record: &Record) -> bool {
    record.telemetry == Telemetry::ProcessTermination
}

/// Whether a record is about a process, its start and end included.
fn is_about(record: &Record, process: usize) -> bool {
    record.starts == Some(process)
        || [Some(record.process), record.target].contains(&Some(ProcessRef::Started(process)))
}

#[test]
fn a_process_ends_once_after_all_it_does_and_only_where_no_other_step_needs_it() {
    let catalog = Catalog::embedded().unwrap();
    let (mut ended, mut left) = (0, 0);
    for playbook in &catalog.playbooks {
        for (at, step) in playbook.steps.iter().enumerate() {
            for alternative in &step.alternatives {
                let records = &step.records[alternative.records.clone()];
                for (start, record) in records.iter().enumerate() {
                    let Some(process) = record.starts else {
                        continue;
                    };
                    let ends: Vec<usize> = (0..records.len())
                        .filter(|&i| is_end(&records[i]) && is_about(&records[i], process))
                        .collect();
                    assert!(ends.len() < 2, "{} ends twice", playbook.name);
                    let Some(&end) = ends.first() else {
                        left += 1;
                        continue;
                    };
                    ended += 1;
                    assert_eq!(record.telemetry.platform(), Some(Platform::Windows));
                    assert!(start < end && records[end].account == record.account);
                    assert!(records[end].url.is_none() && records[end].connection.is_none());
                    assert!(!records[end..].iter().skip(1).any(|r| is_about(r, process)));
                    let elsewhere = (playbook.steps.iter().enumerate())
                        .filter(|&(other, _)| other != at)
                        .flat_map(|(_, step)| &step.records);
                    assert!(!elsewhere.into_iter().any(|r| is_about(r, process)));
                }
            }
        }
    }
    // Implants, shells and all processes on Linux keep running.
    assert!(ended > 200 && left > 100, "{ended} end, {left} don't");
}

#[test]
fn whoever_types_thinks_before_the_second_command_and_whoever_opens_before_the_first() {
    let catalog = Catalog::embedded().unwrap();
    let (mut pauses, mut opened) = (0, 0);
    for step in catalog.playbooks.iter().flat_map(|p| &p.steps) {
        for alternative in &step.alternatives {
            let records = &step.records[alternative.records.clone()];
            for (i, record) in records.iter().enumerate() {
                let is_of = |r: &&Record| r.starts.is_some() && r.process == record.process;
                let again = record.starts.is_some() && records[..i].iter().any(|r| is_of(&r));
                let opens = record.starts.is_some()
                    && record.account == AccountRef::User
                    && matches!(record.process, ProcessRef::Resident(_))
                    && (records[..i].iter()).any(|r| {
                        r.account == AccountRef::User && r.telemetry == Telemetry::FileCreate
                    });
                assert_eq!(
                    alternative.pauses >> i & 1 == 1,
                    again || opens,
                    "record {i}"
                );
                pauses += u32::from(again);
                opened += u32::from(opens);
            }
        }
    }
    assert!(pauses > 100 && opened > 5, "{pauses}, {opened}");
    let by_hand = (catalog.scenarios.iter().flat_map(|s| &s.variants))
        .filter_map(|variant| Some((variant.people, variant.sequence?)));
    let thinks: Vec<bool> = by_hand
        .map(|(people, s)| people == (s.pauses > 0))
        .collect();
    assert!(thinks.iter().all(|&right| right), "{thinks:?}");
}
