//! Relations between rows: one value per host, account, process, session.
//!
//! The state is digests, a few machine words per host or process. It is exact within a sample of
//! hosts. Up to a hundred million rows, the sample is everything.

use std::collections::{BTreeMap, HashMap};

use super::audits::{Audit as A, Tallies};
use super::facts::{Facts, digest};
use super::fields::{EventRow, Field as F};
use super::linux::UNSET;
use super::logins::{Logins, is_of_daemon};
use super::order::Order;
use super::records::{Guid, utc};
use super::windows::{SYSTEM_SID, TICK, is_system};
use crate::plan::ORDINAL_BITS;

/// The first occurrence of a value, and the number of equal ones.
#[derive(Clone, Copy)]
struct Sight {
    audit: A,
    value: u64,
    sequence: i64,
    rows: u64,
}

/// A process by its GUID.
#[derive(Clone, Copy)]
struct ProcessState {
    /// Host and pid.
    pid: u64,
    /// Unix seconds.
    start: i64,
    last: i64,
    last_sequence: i64,
    end: i64,
    /// Its start event was seen.
    started: bool,
}

/// An audit session.
#[derive(Clone, Copy)]
struct SessionState {
    start: i64,
    last: i64,
    last_sequence: i64,
    end: i64,
}

/// The rows of a partition in one file.
#[derive(Clone, Copy)]
struct OrdinalRange {
    first: i64,
    last: i64,
    time: i64,
}

/// State of some files.
#[derive(Default)]
pub struct Cross {
    sights: HashMap<u64, Sight>,
    processes: HashMap<u64, ProcessState>,
    sessions: HashMap<u64, SessionState>,
    logins: Logins,
    order: Order,
    /// Last record id and its time, by host and channel; within one file.
    records: HashMap<u64, (i64, i64)>,
    open: HashMap<i64, OrdinalRange>,
    /// (partition, first, last ordinal).
    runs: Vec<(i64, i64, i64)>,
}

/// Session ids that every machine has.
fn is_well_known(logon: i64) -> bool {
    matches!(logon, 0 | 0x3e4 | 0x3e5 | 0x3e7)
}

impl Cross {
    /// Reads one row.
    pub fn read(&mut self, facts: &Facts, row: &EventRow<'_>, tallies: &mut Tallies) {
        self.sequence(facts, row, tallies);
        let user = row.text(F::UserName);
        if let Some(user) = user
            && facts.keeps(user)
        {
            // A local account is not in the directory.
            let scope = match row.text(F::UserDomain) {
                Some(_) => "",
                None => "local",
            };
            let values = [
                F::UserDomain,
                F::UserEmail,
                F::UserDepartment,
                F::UserFullName,
            ]
            .map(|f| row.text(f));
            self.see(A::IdentityUser, &(user, scope), &values, row, tallies);
        }
        for (name, sid) in [
            (F::SubjectUserName, F::SubjectUserSid),
            (F::TargetUserName, F::TargetUserSid),
        ] {
            // An unresolved account has the null SID.
            let (Some(name), Some(sid)) = (row.text(name), row.text(sid)) else {
                continue;
            };
            if sid == SYSTEM_SID {
                // A machine account also has a SID in the domain.
                tallies.row(A::IdentitySid, row, is_system(row, name), || {
                    (
                        format!("SYSTEM or the host's own account for {sid}"),
                        name.into(),
                    )
                });
            } else if !["-", ""].contains(&name) && sid != "S-1-0-0" && facts.keeps(name) {
                self.see(A::IdentitySid, &name, &sid, row, tallies);
            }
        }
        self.cloud(user, facts, row, tallies);
        let Some(host) = row.text(F::HostName) else {
            return;
        };
        if !facts.keeps(host) {
            return;
        }
        self.windows(host, row, tallies);
        self.audit(host, row, tallies);
        self.logins.read(host, row, tallies);
        self.order.read(row);
    }

    /// Identities in a cloud.
    fn cloud(
        &mut self,
        user: Option<&str>,
        facts: &Facts,
        row: &EventRow<'_>,
        tallies: &mut Tallies,
    ) {
        let (Some(user), Some(dataset)) = (user, row.text(F::CloudDataset)) else {
            return;
        };
        if !facts.keeps(user) {
            return;
        }
        let identity = row.text(F::CloudIdentity);
        if let Some(principal) = row.text(F::CloudPrincipal) {
            let key = (user, dataset, identity);
            self.see(A::CloudPrincipal, &key, &principal, row, tallies);
            let key = (dataset, identity, principal);
            self.see(A::CloudPrincipal, &key, &user, row, tallies);
        }
        if let Some(account) = row.text(F::CloudAccount) {
            self.see(A::CloudAccount, &user, &account, row, tallies);
        }
        if let Some(key) = row.text(F::AccessKey) {
            self.see(A::CloudKey, &(0, key), &user, row, tallies);
            if key.starts_with("AKIA") {
                self.see(A::CloudKey, &(1, user), &key, row, tallies);
            }
        }
        if let Some(token) = row.text(F::HashedToken) {
            self.see(A::CloudKey, &(2, user), &token, row, tallies);
        }
    }

    /// Records the value of a key. A value that differs from an earlier one is a failure.
    fn see(
        &mut self,
        audit: A,
        key: &impl std::hash::Hash,
        value: &impl std::hash::Hash,
        row: &EventRow<'_>,
        tallies: &mut Tallies,
    ) {
        let key = digest(&(audit as usize, digest(key)));
        let value = digest(value);
        let sequence = row.integer(F::Sequence).unwrap_or(-1);
        let sight = self.sights.entry(key).or_insert(Sight {
            audit,
            value,
            sequence,
            rows: 0,
        });
        let same = sight.value == value;
        sight.rows += u64::from(same);
        let before = sight.sequence;
        tallies.row(audit, row, same, || {
            (format!("the values of event {before}"), "others".into())
        });
    }

    fn sequence(&mut self, facts: &Facts, row: &EventRow<'_>, tallies: &mut Tallies) {
        let (Some(sequence), Some(time)) = (row.integer(F::Sequence), row.integer(F::Time)) else {
            return;
        };
        let (partition, ordinal) = (
            sequence >> ORDINAL_BITS,
            sequence & ((1 << ORDINAL_BITS) - 1),
        );
        let planned = facts.partitions.get(&partition);
        let run = self.open.get(&partition).copied();
        let category = row.text(F::Module);
        let right = planned
            .is_some_and(|p| Some(p.category.as_str()) == category && (ordinal as u64) < p.rows)
            && run.is_none_or(|r| r.last + 1 == ordinal);
        tallies.row(A::NumbersSequence, row, right, || {
            let expected = match (planned, run) {
                (Some(p), Some(r)) => format!("ordinal {} of {}", r.last + 1, p.category),
                (Some(p), None) => format!("one of {}", p.category),
                (None, _) => "a planned partition".into(),
            };
            (
                expected,
                format!("partition {partition}, ordinal {ordinal}, {category:?}"),
            )
        });
        let day = time.div_euclid(86_400_000_000);
        let right = planned.is_some_and(|p| p.day == day) && run.is_none_or(|r| r.time <= time);
        tallies.row(A::TimeWindow, row, right, || {
            (
                format!(
                    "day {} since 1970, not before {}",
                    planned.map_or(-1, |p| p.day),
                    run.map_or(0, |r| r.time)
                ),
                format!("{time}, which is on day {day}"),
            )
        });
        let first = run.map_or(ordinal, |r| r.first);
        self.open.insert(
            partition,
            OrdinalRange {
                first,
                last: ordinal,
                time,
            },
        );
    }

    fn windows(&mut self, host: &str, row: &EventRow<'_>, tallies: &mut Tallies) {
        let Some(id) = row.integer(F::EventId) else {
            return;
        };
        let time = row.integer(F::Time).unwrap_or(-1);
        if let (Some(record), Some(channel)) = (row.integer(F::RecordId), row.text(F::Channel)) {
            let last = self
                .records
                .insert(digest(&(host, channel)), (record, time));
            let right = last.is_none_or(|(r, t)| r <= record || t > time);
            tallies.row(A::TimeRecordId, row, right, || {
                (
                    format!("{} or more on {host}", last.map_or(0, |l| l.0)),
                    record.to_string(),
                )
            });
        }
        let native = row.text(F::UtcTime).and_then(utc);
        let image = row.text(F::Image);
        let user = row.text(F::User);
        for (guid, pid, image, user) in [
            (F::ProcessGuid, F::ProcessId, image, user),
            (
                F::ParentProcessGuid,
                F::ParentProcessId,
                row.text(F::ParentImage),
                row.text(F::ParentUser),
            ),
            (
                F::SourceProcessGuid,
                F::SourceProcessId,
                row.text(F::SourceImage),
                row.text(F::SourceUser),
            ),
            (
                F::TargetProcessGuid,
                F::TargetProcessId,
                row.text(F::TargetImage),
                row.text(F::TargetUser),
            ),
        ] {
            let (Some(text), Some(pid), Some(native)) = (row.text(guid), row.integer(pid), native)
            else {
                continue;
            };
            let Some(parsed) = Guid::parse(text).filter(|g| !g.is_zero()) else {
                continue;
            };
            self.see(A::SysmonGuidPrefix, &host, &parsed.prefix, row, tallies);
            // Kinds spell the path as the file has it, or as it was launched.
            let image = image.map(str::to_lowercase);
            self.see(
                A::SysmonGuid,
                &text,
                &(host, pid, image, user),
                row,
                tallies,
            );
            let sequence = row.integer(F::Sequence).unwrap_or(-1);
            let process = self.processes.entry(digest(&text)).or_insert(ProcessState {
                pid: digest(&(host, pid)),
                start: parsed.seconds,
                last: native,
                last_sequence: sequence,
                end: i64::MAX,
                started: false,
            });
            process.started |= id == 1 && guid == F::ProcessGuid;
            // The end of a process is its last event.
            if id == 5 && guid == F::ProcessGuid {
                process.end = process.end.min(native);
            } else if native >= process.last {
                process.last = native;
                process.last_sequence = sequence;
            }
        }
        if id == 1 {
            let boot = row
                .text(F::ProcessGuid)
                .and_then(Guid::parse)
                .map(Guid::boot);
            if let (Some(boot), Some(logon)) = (boot, row.integer(F::LogonId)) {
                let value = (
                    row.text(F::LogonGuid),
                    user.filter(|_| !is_well_known(logon)),
                );
                self.see(A::SysmonLogonId, &(host, boot, logon), &value, row, tallies);
            }
            if let (Some(hashes), Some(image)) = (row.text(F::Hashes), image) {
                let version = row.text(F::FileVersion).unwrap_or("-");
                let original = row.text(F::OriginalFileName).unwrap_or("-");
                let name = image.rsplit('\\').next().unwrap_or(image);
                if !["-", "?", ""].contains(&version) {
                    let key = (0, name.to_lowercase(), original, version);
                    self.see(A::SysmonHashes, &key, &hashes, row, tallies);
                }
                let key = (1, hashes);
                self.see(A::SysmonHashes, &key, &(original, version), row, tallies);
            }
        }
        if id == 4624
            && let (Some(logon), Some(name)) =
                (row.integer(F::TargetLogonId), row.text(F::TargetUserName))
            && !is_well_known(logon)
        {
            let value = (name, row.text(F::TargetUserSid));
            self.see(A::SecurityLogonId, &(host, logon), &value, row, tallies);
        }
    }

    fn audit(&mut self, host: &str, row: &EventRow<'_>, tallies: &mut Tallies) {
        let (Some(kind), Some(session)) = (row.text(F::AuditType), row.integer(F::AuditSession))
        else {
            return;
        };
        if session == UNSET {
            return;
        }
        self.see(
            A::AuditdSession,
            &(host, session),
            &row.integer(F::AuditLogin),
            row,
            tallies,
        );
        let time = row.integer(F::Time).unwrap_or(-1);
        let sequence = row.integer(F::Sequence).unwrap_or(-1);
        let entry = self
            .sessions
            .entry(digest(&(host, session)))
            .or_insert(SessionState {
                start: i64::MAX,
                last: i64::MIN,
                last_sequence: -1,
                end: i64::MAX,
            });
        let is_own = is_of_daemon(row);
        match kind {
            "LOGIN" | "USER_START" if is_own => entry.start = entry.start.min(time),
            "USER_END" if is_own => entry.end = time,
            // Credentials are disposed with the session or just after it.
            "CRED_DISP" | "USER_LOGOUT" => return,
            // Background processes keep the number of their session.
            "SYSCALL" | "EXECVE" | "PATH" | "CWD" | "PROCTITLE" | "SOCKADDR" => return,
            _ => {}
        }
        if !(is_own && kind == "USER_END") && time > entry.last {
            entry.last = time;
            entry.last_sequence = sequence;
        }
    }

    /// Finishes a file: audits of the order within a file end here.
    pub fn close(&mut self) {
        let open = std::mem::take(&mut self.open);
        self.runs
            .extend(open.into_iter().map(|(p, run)| (p, run.first, run.last)));
        self.records.clear();
        self.logins.close();
    }

    /// Adds the state of later files; contradictions are failures.
    pub fn add(&mut self, other: Cross, tallies: &mut Tallies) {
        let mut sights: Vec<(u64, Sight)> = other.sights.into_iter().collect();
        sights.sort_by_key(|(key, sight)| (sight.sequence, *key));
        for (key, theirs) in sights {
            match self.sights.entry(key) {
                std::collections::hash_map::Entry::Vacant(entry) => {
                    entry.insert(theirs);
                }
                std::collections::hash_map::Entry::Occupied(mut entry) => {
                    let mine = entry.get_mut();
                    if mine.value == theirs.value {
                        mine.rows += theirs.rows;
                    } else {
                        tallies.revoke(theirs.audit, theirs.rows, theirs.sequence, || {
                            (
                                format!("the values of event {}", mine.sequence),
                                "others".into(),
                            )
                        });
                    }
                }
            }
        }
        for (key, theirs) in other.processes {
            self.processes
                .entry(key)
                .and_modify(|mine| {
                    mine.end = mine.end.min(theirs.end);
                    mine.started |= theirs.started;
                    if (theirs.last, theirs.last_sequence) > (mine.last, mine.last_sequence) {
                        mine.last = theirs.last;
                        mine.last_sequence = theirs.last_sequence;
                    }
                })
                .or_insert(theirs);
        }
        self.logins.add(other.logins);
        self.order.add(other.order);
        for (key, theirs) in other.sessions {
            self.sessions
                .entry(key)
                .and_modify(|mine| {
                    mine.start = mine.start.min(theirs.start);
                    mine.end = mine.end.min(theirs.end);
                    if (theirs.last, theirs.last_sequence) > (mine.last, mine.last_sequence) {
                        mine.last = theirs.last;
                        mine.last_sequence = theirs.last_sequence;
                    }
                })
                .or_insert(theirs);
        }
        self.runs.extend(other.runs);
    }

    /// Audits that need all files.
    pub fn finish(self, facts: &Facts, tallies: &mut Tallies) {
        let mut processes: Vec<ProcessState> = self.processes.into_values().collect();
        processes.sort_by_key(|p| (p.pid, p.start, p.last, p.last_sequence));
        for process in &processes {
            if process.end != i64::MAX {
                // Event 5 has the time of the tick before the end, event 1 its own.
                tallies.tried(A::TimeEnd, process.last <= process.end + TICK, || {
                    (
                        Some(process.last_sequence),
                        format!("no event after the process's end at {}", process.end),
                        format!("one at {}", process.last),
                    )
                });
                // A process that started before the window has its start event before it too.
                if process.start * 1_000_000 >= facts.start() {
                    tallies.tried(A::TimeKnown, process.started, || {
                        (
                            Some(process.last_sequence),
                            format!("the start, at {}, of what ends here", process.start),
                            "none".into(),
                        )
                    });
                }
            }
        }
        for pair in processes.windows(2) {
            let [before, after] = pair else { continue };
            let right = before.pid != after.pid || before.last < (after.start + 1) * 1_000_000;
            tallies.tried(A::NumbersLivePid, right, || {
                (
                    Some(before.last_sequence),
                    format!(
                        "the process gone at {}, when its pid starts again",
                        after.start
                    ),
                    format!("an event of it at {}", before.last),
                )
            });
        }
        self.logins.finish(tallies);
        self.order.finish(tallies);
        let mut sessions: Vec<SessionState> = self.sessions.into_values().collect();
        sessions.sort_by_key(|s| (s.last, s.last_sequence));
        for session in sessions.iter().filter(|s| s.end != i64::MAX) {
            let right = session.last <= session.end
                && (session.start == i64::MAX || session.start <= session.end);
            tallies.tried(A::AuditdSession, right, || {
                (
                    Some(session.last_sequence),
                    format!("no event after the session's end at {}", session.end),
                    format!("one at {}", session.last),
                )
            });
        }
        let mut runs: BTreeMap<i64, Vec<(i64, i64)>> = BTreeMap::new();
        for (partition, first, last) in self.runs {
            runs.entry(partition).or_default().push((first, last));
        }
        for (index, partition) in &facts.partitions {
            let mut mine = runs.remove(index).unwrap_or_default();
            mine.sort_unstable();
            let next = mine.iter().try_fold(0, |next, &(first, last)| {
                (first == next).then_some(last + 1)
            });
            tallies.tried(
                A::NumbersSequence,
                next == Some(partition.rows as i64),
                || {
                    (
                        None,
                        format!(
                            "{} rows of {} once each",
                            partition.rows, partition.category
                        ),
                        format!("ordinals {mine:?}"),
                    )
                },
            );
        }
    }
}
