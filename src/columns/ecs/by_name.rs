//! ECS classification of records by a name in them: the system call or the syslog program.
//!
//! Categories, types and actions are those of Elastic's integrations: `auditd_manager`
//! (go-libaudit's normalisations) for system calls, `system` for syslog, `suricata` for the
//! sensor. Other records are classified by the [row](crate::kinds::Kind) of their kind.

use crate::kinds::{Meaning, Provider};
use Provider::{Auditd, Auth, Sensor, Syslog};

/// The classification of a name.
#[derive(Debug, Clone, Copy)]
pub struct Named {
    pub provider: Provider,
    /// The name, or [`ANY`] for all others.
    pub name: &'static str,
    pub meaning: Meaning,
}

/// Any other name.
pub const ANY: &str = "*";

const fn named(
    provider: Provider,
    name: &'static str,
    category: &'static [&'static str],
    types: &'static [&'static str],
    action: &'static str,
) -> Named {
    Named {
        provider,
        name,
        meaning: Meaning::new(category, types, action),
    }
}

const AUTHENTICATION: &[&str] = &["authentication"];
const FILE: &[&str] = &["file"];
const IAM: &[&str] = &["iam"];
const NETWORK: &[&str] = &["network"];
const PROCESS: &[&str] = &["process"];
const SESSION: &[&str] = &["authentication", "session"];

/// By syslog program; the last entry is for all others.
#[rustfmt::skip]
pub const PROGRAMS: &[Named] = &[
    named(Auth, "sshd", AUTHENTICATION, &["info"], "ssh_login"),
    named(Auth, "login", AUTHENTICATION, &["info"], "login"),
    named(Auth, "su", AUTHENTICATION, &["info"], "su"),
    named(Auth, "sudo", PROCESS, &["start"], "ran-command"),
    named(Auth, "systemd-logind", SESSION, &["info"], "session"),
    named(Auth, "useradd", IAM, &["user", "creation"], "added-user-account"),
    named(Auth, "userdel", IAM, &["user", "deletion"], "deleted-user-account"),
    named(Auth, "groupadd", IAM, &["group", "creation"], "added-group-account"),
    named(Auth, "passwd", IAM, &["user", "change"], "changed-password"),
    named(Syslog, "cron", PROCESS, &["start"], "ran-command"),
    named(Syslog, "crond", PROCESS, &["start"], "ran-command"),
    named(Syslog, "systemd", PROCESS, &["info"], "systemd"),
    named(Syslog, "kernel", NETWORK, &["connection"], "netfilter"),
    named(Syslog, ANY, &["host"], &["info"], "logged"),
];

/// By system call; the last entry is for all others.
#[rustfmt::skip]
pub const SYSCALLS: &[Named] = &[
    named(Auditd, "open", FILE, &["info"], "opened-file"),
    named(Auditd, "openat", FILE, &["info"], "opened-file"),
    named(Auditd, "creat", FILE, &["creation"], "opened-file"),
    named(Auditd, "read", FILE, &["info"], "read-file"),
    named(Auditd, "write", FILE, &["change"], "wrote-to-file"),
    named(Auditd, "truncate", FILE, &["change"], "opened-file"),
    named(Auditd, "chmod", FILE, &["change"], "changed-file-permissions-of"),
    named(Auditd, "fchmod", FILE, &["change"], "changed-file-permissions-of"),
    named(Auditd, "fchmodat", FILE, &["change"], "changed-file-permissions-of"),
    named(Auditd, "chown", FILE, &["change"], "changed-file-ownership-of"),
    named(Auditd, "fchown", FILE, &["change"], "changed-file-ownership-of"),
    named(Auditd, "fchownat", FILE, &["change"], "changed-file-ownership-of"),
    named(Auditd, "setxattr", FILE, &["change"], "changed-file-attributes-of"),
    named(Auditd, "utimensat", FILE, &["info"], "changed-timestamp-of"),
    named(Auditd, "mkdir", FILE, &["creation"], "created-directory"),
    named(Auditd, "symlink", FILE, &["creation"], "symlinked"),
    named(Auditd, "mknod", FILE, &["creation"], "make-device"),
    named(Auditd, "rename", FILE, &["change"], "renamed"),
    named(Auditd, "renameat", FILE, &["change"], "renamed"),
    named(Auditd, "renameat2", FILE, &["change"], "renamed"),
    named(Auditd, "unlink", FILE, &["deletion"], "deleted"),
    named(Auditd, "unlinkat", FILE, &["deletion"], "deleted"),
    named(Auditd, "rmdir", FILE, &["deletion"], "deleted"),
    named(Auditd, "mount", FILE, &["creation"], "mounted"),
    named(Auditd, "umount2", FILE, &["deletion"], "unmounted"),
    named(Auditd, "init_module", &["driver"], &["start"], "loaded-kernel-module"),
    named(Auditd, "finit_module", &["driver"], &["start"], "loaded-kernel-module"),
    named(Auditd, "delete_module", &["driver"], &["end"], "unloaded-kernel-module"),
    named(Auditd, "execve", PROCESS, &["start"], "executed"),
    named(Auditd, "execveat", PROCESS, &["start"], "executed"),
    named(Auditd, "kill", PROCESS, &["end"], "killed-pid"),
    named(Auditd, "setuid", PROCESS, &["change"], "changed-identity-of"),
    named(Auditd, "setgid", PROCESS, &["change"], "changed-identity-of"),
    named(Auditd, "connect", NETWORK, &["connection", "start"], "connected-to"),
    named(Auditd, "accept", NETWORK, &["connection", "start"], "accepted-connection-from"),
    named(Auditd, "accept4", NETWORK, &["connection", "start"], "accepted-connection-from"),
    named(Auditd, "bind", NETWORK, &["connection", "start"], "bound-socket"),
    named(Auditd, "listen", NETWORK, &["connection", "start"], "listen-for-connections"),
    named(Auditd, "sendto", NETWORK, &["connection", "info"], "sent-to"),
    named(Auditd, "recvfrom", NETWORK, &["connection", "info"], "received-from"),
    named(Auditd, "settimeofday", &["host"], &["change"], "changed-system-time"),
    named(Auditd, "sethostname", &["host"], &["change"], "changed-system-name"),
    named(Auditd, ANY, PROCESS, &["info"], "audited"),
];

/// The network sensor's document. The alert adds the type `allowed` or `denied`.
pub const SENSOR: Named = named(
    Sensor,
    ANY,
    &["network", "intrusion_detection"],
    &[],
    "alert",
);

/// Index of a name in a list whose last entry is for all others.
pub fn find(list: &[Named], name: &str) -> usize {
    let found = list.iter().position(|known| known.name == name);
    found.unwrap_or(list.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::KINDS;

    /// ECS 9.4: `event.category`'s allowed values and the types expected with each.
    const EXPECTED: &[(&str, &[&str])] = &[
        ("authentication", &["start", "end", "info"]),
        (
            "configuration",
            &["access", "change", "creation", "deletion", "info"],
        ),
        ("driver", &["change", "end", "info", "start"]),
        (
            "file",
            &["access", "change", "creation", "deletion", "info"],
        ),
        ("host", &["access", "change", "end", "info", "start"]),
        (
            "iam",
            &[
                "admin", "change", "creation", "deletion", "group", "info", "user",
            ],
        ),
        ("intrusion_detection", &["allowed", "denied", "info"]),
        (
            "network",
            &[
                "access",
                "allowed",
                "connection",
                "denied",
                "end",
                "info",
                "protocol",
                "start",
            ],
        ),
        ("process", &["access", "change", "end", "info", "start"]),
        ("registry", &["access", "change", "creation", "deletion"]),
        ("session", &["start", "end", "info"]),
    ];

    #[test]
    fn types_are_expected_of_a_category() {
        let kinds = KINDS.iter().filter_map(|kind| kind.ecs);
        let named = PROGRAMS.iter().chain(SYSCALLS).map(|named| named.meaning);
        for meaning in kinds.chain(named) {
            let mut expected = Vec::new();
            for category in meaning.category {
                let entry = EXPECTED.iter().find(|(name, _)| name == category);
                expected.extend_from_slice(entry.expect(category).1);
            }
            assert!(!meaning.types.is_empty() && !meaning.category.is_empty());
            for kind in meaning.types {
                assert!(expected.contains(kind), "{meaning:?}: {kind}");
            }
        }
    }

    #[test]
    fn lists_name_each_once_and_end_with_any_other() {
        for list in [PROGRAMS, SYSCALLS] {
            for (i, a) in list.iter().enumerate() {
                assert!(list[..i].iter().all(|b| a.name != b.name), "{a:?}");
            }
            assert_eq!(list[list.len() - 1].name, ANY);
        }
        assert_eq!(PROGRAMS[find(PROGRAMS, "sshd")].meaning.action, "ssh_login");
        assert_eq!(SYSCALLS[find(SYSCALLS, "nanosleep")].name, ANY);
    }
}
