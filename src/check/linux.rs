//! Audits of audit records.

use super::audits::{Audit as A, Tallies, shown};
use super::fields::{EventRow, Field as F};

/// The id of no session.
pub const UNSET: i64 = 4_294_967_295;

/// Mandatory fields of a record type.
fn mandatory(kind: &str) -> &'static [F] {
    match kind {
        "SYSCALL" => &[
            F::AuditSyscall,
            F::AuditSuccess,
            F::AuditPid,
            F::AuditUid,
            F::AuditLogin,
            F::AuditSession,
            F::AuditExe,
            F::AuditSerial,
        ],
        "EXECVE" | "PATH" | "CWD" | "PROCTITLE" | "SOCKADDR" => &[F::AuditSerial],
        "LOGIN" => &[
            F::AuditPid,
            F::AuditUid,
            F::AuditLogin,
            F::AuditSession,
            F::AuditSerial,
        ],
        "USER_CMD" => &[
            F::AuditPid,
            F::AuditUid,
            F::AuditLogin,
            F::AuditSession,
            F::AuditResult,
            F::AuditSerial,
        ],
        _ => &[
            F::AuditPid,
            F::AuditUid,
            F::AuditLogin,
            F::AuditSession,
            F::AuditResult,
            F::AuditSerial,
            F::AuditExe,
        ],
    }
}

/// Audits one audit record.
pub fn audit(row: &EventRow<'_>, tallies: &mut Tallies) {
    let Some(kind) = row.text(F::AuditType) else {
        return;
    };
    let missing = mandatory(kind).iter().find(|f| !row.has(**f));
    tallies.row(A::AuditdFields, row, missing.is_none(), || {
        (
            format!("{kind} with {}", missing.map_or("", |f| f.path(row.ecs()))),
            "nothing".into(),
        )
    });
    let outcome = row.text(F::Outcome);
    if let Some(result) = row.text(F::AuditResult) {
        // LOGIN records have 1 and 0.
        let right = match result {
            "success" | "1" => outcome == Some("success"),
            "failed" | "0" => outcome == Some("failure"),
            _ => false,
        };
        tallies.row(A::AuditdResult, row, right, || {
            (
                format!("success or failed, for outcome {}", shown(outcome)),
                shown(Some(result)),
            )
        });
        if kind == "USER_LOGIN" {
            let (account, id) = (row.has(F::AuditAccount), row.has(F::AuditId));
            let right = match result {
                "failed" => account && !id,
                _ => id && !account,
            };
            tallies.row(A::AuditdAccount, row, right, || {
                (
                    format!("acct if failed, else id, for {result}"),
                    format!("acct {account}, id {id}"),
                )
            });
        }
    }
    if let (Some(success), Some("SYSCALL")) = (row.text(F::AuditSuccess), row.text(F::AuditType)) {
        let right = match success {
            "yes" => outcome == Some("success"),
            "no" => outcome == Some("failure"),
            _ => false,
        };
        tallies.row(A::AuditdResult, row, right, || {
            (
                format!("yes or no, for outcome {}", shown(outcome)),
                shown(Some(success)),
            )
        });
    }
}
