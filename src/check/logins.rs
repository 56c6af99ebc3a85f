//! Logins on Linux: PAM's records of one login, and the records of one audit event.
//!
//! The state is digests and times, a few machine words per session.

use std::collections::HashMap;

use super::audits::{Audit as A, Tallies};
use super::facts::digest;
use super::fields::{EventRow, Field as F};
use super::linux::UNSET;

/// PAM's records in order; those before LOGIN are in no session.
const STAGES: [&str; 8] = [
    "USER_AUTH",
    "USER_ACCT",
    "CRED_ACQ",
    "LOGIN",
    "USER_START",
    "USER_LOGIN",
    "USER_END",
    "CRED_DISP",
];
/// Indices of CRED_ACQ, LOGIN and USER_LOGIN in it.
const CREDENTIALS: usize = 2;
const LOGIN: usize = 3;
const LOGGED_IN: usize = 5;
/// Maximum duration of a login in microseconds, from its first record to USER_LOGIN.
const LASTS: i64 = 5_000_000;
/// The time of a missing record.
const UNSEEN: i64 = i64::MIN;

/// Times of a session's own records.
#[derive(Clone, Copy)]
struct Login {
    /// Host and pid.
    pid: u64,
    sequence: i64,
    /// Whether all of them have that pid.
    one_pid: bool,
    /// By [`STAGES`], from LOGIN on; [`UNSEEN`] if missing.
    times: [i64; STAGES.len() - LOGIN],
}

impl Login {
    /// Merges the session's state from another row or file.
    fn join(&mut self, other: &Login) {
        self.one_pid &= other.one_pid && self.pid == other.pid;
        self.sequence = self.sequence.max(other.sequence);
        for (mine, theirs) in self.times.iter_mut().zip(other.times) {
            *mine = (*mine).max(theirs);
        }
    }
}

/// Whether a record belongs to the audit session itself, which sshd and cron open. sudo opens and
/// closes PAM sessions within its audit session.
pub fn is_of_daemon(row: &EventRow<'_>) -> bool {
    row.text(F::AuditType) == Some("LOGIN")
        || row
            .text(F::AuditExe)
            .is_some_and(|exe| exe.ends_with("/sshd") || exe.ends_with("/cron"))
}

/// State of some files.
#[derive(Default)]
pub struct Logins {
    /// By host and session.
    sessions: HashMap<u64, Login>,
    /// Records before a login, by host and pid: time and index in [`STAGES`].
    asked: HashMap<u64, Vec<(i64, usize)>>,
    /// Time and serial of each host's last syscall; within one file.
    syscalls: HashMap<u64, (i64, i64)>,
}

impl Logins {
    /// Reads one row.
    pub fn read(&mut self, host: &str, row: &EventRow<'_>, tallies: &mut Tallies) {
        let (Some(kind), Some(time)) = (row.text(F::AuditType), row.integer(F::Time)) else {
            return;
        };
        self.companion(host, kind, time, row, tallies);
        let Some(session) = row.integer(F::AuditSession) else {
            return;
        };
        let Some(stage) = STAGES.iter().position(|stage| *stage == kind) else {
            return;
        };
        if !is_of_daemon(row) || row.text(F::AuditResult) == Some("failed") {
            return;
        }
        let pid = digest(&(host, row.integer(F::AuditPid)));
        let Some(place) = stage.checked_sub(LOGIN) else {
            self.asked.entry(pid).or_default().push((time, stage));
            tallies.row(A::AuditdLogin, row, session == UNSET, || {
                (format!("{kind} in no session"), session.to_string())
            });
            return;
        };
        let mut login = Login {
            pid,
            sequence: row.integer(F::Sequence).unwrap_or(-1),
            one_pid: true,
            times: [UNSEEN; STAGES.len() - LOGIN],
        };
        login.times[place] = time;
        self.join(digest(&(host, session)), login);
    }

    fn join(&mut self, key: u64, login: Login) {
        self.sessions
            .entry(key)
            .and_modify(|mine| mine.join(&login))
            .or_insert(login);
    }

    /// The companions of a syscall follow it directly and have its time and serial.
    fn companion(
        &mut self,
        host: &str,
        kind: &str,
        time: i64,
        row: &EventRow<'_>,
        tallies: &mut Tallies,
    ) {
        let serial = row.integer(F::AuditSerial).unwrap_or(-1);
        let host = digest(&host);
        match kind {
            "SYSCALL" | "EXECVE" => {
                self.syscalls.insert(host, (time, serial));
            }
            "CWD" | "PATH" | "PROCTITLE" | "SOCKADDR" => {
                // If the syscall's own record was not collected, there is nothing to compare.
                let of_either = |&(t, s): &(i64, i64)| t == time || s == serial;
                let Some(event) = self.syscalls.get(&host).copied().filter(of_either) else {
                    return;
                };
                tallies.row(A::AuditdEvent, row, event == (time, serial), || {
                    (
                        format!("serial {} at {}", event.1, event.0),
                        format!("serial {serial} at {time}"),
                    )
                });
            }
            _ => {}
        }
    }

    /// Finishes a file: audits of the order within a file end here.
    pub fn close(&mut self) {
        self.syscalls.clear();
    }

    /// Adds the state of later files.
    pub fn add(&mut self, other: Logins) {
        for (key, login) in other.sessions {
            self.join(key, login);
        }
        for (pid, times) in other.asked {
            self.asked.entry(pid).or_default().extend(times);
        }
    }

    /// Compares every session that a LOGIN opens with PAM's order.
    pub fn finish(self, tallies: &mut Tallies) {
        let mut logins: Vec<Login> = self.sessions.into_values().collect();
        logins.retain(|login| login.times[0] != UNSEEN);
        logins.sort_by_key(|login| login.sequence);
        for login in logins {
            let at = login.times[0];
            let mut times = [UNSEEN; STAGES.len()];
            times[LOGIN..].copy_from_slice(&login.times);
            for &(time, stage) in self.asked.get(&login.pid).into_iter().flatten() {
                if (at - LASTS..=at + LASTS).contains(&time) {
                    times[stage] = times[stage].max(time);
                }
            }
            // Without PAM's credential records, only a part of the records is collected.
            if times[CREDENTIALS] == UNSEEN {
                times[LOGGED_IN] = UNSEEN;
            }
            let seen = |times: &[i64]| -> Vec<i64> {
                times.iter().copied().filter(|t| *t != UNSEEN).collect()
            };
            let opening = seen(&times[..=LOGGED_IN]);
            let is_quick = opening[opening.len() - 1] - opening[0] <= LASTS;
            let right = login.one_pid && seen(&times).is_sorted() && is_quick;
            tallies.tried(A::AuditdLogin, right, || {
                let shown = |t: i64| match t {
                    UNSEEN => "-".to_string(),
                    time => time.to_string(),
                };
                let found = match login.one_pid {
                    true => times.map(shown).join(", "),
                    false => "two processes".into(),
                };
                let expected = format!("{}, in this order and by one process", STAGES.join(", "));
                (Some(login.sequence), expected, found)
            });
        }
    }
}
