//! The order of a step's or sequence's records: which of them belong to one audit event, where a
//! person pauses, and when the processes of a playbook end.

use super::record::{AccountRef, ProcessRef, Record};
use super::{Alternative, Step};
use crate::kinds::{Platform, Telemetry};

/// Whether a record belongs to the same audit event as the one before it. An exec has an EXECVE and
/// a SYSCALL record, and companions belong to the event that they follow.
fn is_of_same_event(last: &Record, record: &Record) -> bool {
    let is_exec = last.telemetry == Telemetry::Execve
        && record.telemetry == Telemetry::Syscall
        && record.syscall.as_deref() == Some("execve");
    is_exec || record.telemetry.is_companion()
}

/// Bit i: record i belongs to the same audit event as the one before it.
pub(super) fn companions(records: &[Record]) -> u64 {
    (1..records.len().min(64))
        .filter(|&i| is_of_same_event(&records[i - 1], &records[i]))
        .fold(0, |bits, i| bits | 1 << i)
}

/// Bit i: a person pauses before record i. That is where a shell starts a further process, or a user
/// opens a file that was saved.
pub(super) fn pauses(records: &[Record]) -> u64 {
    let shell = |record: &Record| record.starts.map(|_| record.process);
    let is_saved = |record: &Record| {
        record.account == AccountRef::User && record.telemetry == Telemetry::FileCreate
    };
    let is_opening = |record: &Record| {
        record.account == AccountRef::User && matches!(record.process, ProcessRef::Resident(_))
    };
    (1..records.len().min(64))
        .filter(|&i| {
            let before = &records[..i];
            shell(&records[i]).is_some_and(|parent| {
                before.iter().any(|record| shell(record) == Some(parent))
                    || is_opening(&records[i]) && before.iter().any(is_saved)
            })
        })
        .fold(0, |bits, i| bits | 1 << i)
}

/// The alternative whose records begin at `first`.
pub(super) fn way(weight: u32, first: usize, records: &[Record]) -> Alternative {
    Alternative {
        weight,
        records: first..records.len(),
        companions: companions(&records[first..]),
        pauses: pauses(&records[first..]),
    }
}

/// Adds a termination record for each Windows process that no other step names. It comes after the
/// last record that names the process or one of its children. Processes that other steps name,
/// their ancestors, and targets of code injection keep running.
pub(super) fn end_processes(steps: &mut [Step]) {
    let known = |step: &Step, process| step.records.iter().any(|record| names(record, process));
    for at in 0..steps.len() {
        let (before, rest) = steps.split_at_mut(at);
        let Some((step, after)) = rest.split_first_mut() else {
            return;
        };
        let injected: Vec<ProcessRef> = (step.records.iter())
            .filter(|record| record.telemetry == Telemetry::RemoteThread)
            .filter_map(|record| record.target)
            .collect();
        let is_own = |process| {
            !injected.contains(&ProcessRef::Started(process))
                && !(before.iter().chain(&*after)).any(|step| known(step, process))
        };
        let mut records = Vec::with_capacity(step.records.len());
        for alternative in &mut step.alternatives {
            let first = records.len();
            records.extend(with_ends(
                &step.records[alternative.records.clone()],
                &is_own,
            ));
            *alternative = way(alternative.weight, first, &records);
        }
        step.records = records;
    }
}

/// Whether a record names a process, as the acting one or the target.
fn names(record: &Record, process: usize) -> bool {
    [Some(record.process), record.target].contains(&Some(ProcessRef::Started(process)))
}

/// One alternative's records with those of process ends, which only Windows records.
fn with_ends(records: &[Record], is_own: &impl Fn(usize) -> bool) -> Vec<Record> {
    // Per record, the record after which its process ends. Children start after their parents, so a
    // reverse pass sees the ends of the children first.
    let mut ends: Vec<Option<usize>> = vec![None; records.len()];
    for (i, start) in records.iter().enumerate().rev() {
        let is_windows = start.telemetry.platform() == Some(Platform::Windows);
        let Some(process) = start
            .starts
            .filter(|&process| is_windows && is_own(process))
        else {
            continue;
        };
        let children = (records.iter().zip(&ends)).filter(|(child, _)| {
            child.starts.is_some() && child.process == ProcessRef::Started(process)
        });
        let named = records.iter().rposition(|record| names(record, process));
        ends[i] = children
            .map(|(_, &end)| end)
            .try_fold(named.unwrap_or(i), |last, end| Some(last.max(end?)));
    }
    let mut all = Vec::with_capacity(2 * records.len());
    for (i, record) in records.iter().enumerate() {
        all.push(record.clone());
        let here = (records.iter().zip(&ends)).filter(|&(_, &end)| end == Some(i));
        all.extend(here.rev().map(|(start, _)| end_of(start)));
    }
    all
}

/// The termination record of the process that a record starts.
pub(super) fn end_of(start: &Record) -> Record {
    Record {
        telemetry: Telemetry::ProcessTermination,
        alert: false,
        process: ProcessRef::Started(start.starts.unwrap_or_default()),
        starts: None,
        image: None,
        command: None,
        directory: None,
        url: None,
        connection: None,
        data: Vec::new(),
        ..start.clone()
    }
}
