//! Which record is what to ECS: one table from (provider, code) to categorisation.
//!
//! Categories, types and actions are those that Elastic's integrations give: `windows`
//! for Sysmon and PowerShell, `system` for the Security and System channels and for
//! syslog, `auditd_manager` (go-libaudit's normalisations) for audit records and
//! syscalls, `suricata` for the sensor. Where an integration gives no category, the
//! nearest that ECS allows is written. Codes stand here before anything makes them:
//! a new kind of telemetry only needs its line when its code is new.

use Provider::{Auditd, Auth, Eventlog, PowerShell, Security, Sensor, Syslog, Sysmon, System};

/// Who wrote a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    Sysmon,
    Security,
    /// The event log's own records in the Security channel.
    Eventlog,
    System,
    PowerShell,
    Auditd,
    /// Syslog lines of logins, sessions and accounts.
    Auth,
    /// Other syslog lines.
    Syslog,
    /// The network sensor of a standalone alert.
    Sensor,
    /// A cloud or a service; which one follows from the call.
    Service,
}

/// All providers, by index.
pub const PROVIDERS: [Provider; 9] = [
    Sysmon, Security, Eventlog, System, PowerShell, Auditd, Auth, Syslog, Sensor,
];

impl Provider {
    /// `event.provider`; none for syslog lines and the sensor.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Sysmon => Some("Microsoft-Windows-Sysmon"),
            Security => Some("Microsoft-Windows-Security-Auditing"),
            Eventlog => Some("Microsoft-Windows-Eventlog"),
            System => Some("Service Control Manager"),
            PowerShell => Some("Microsoft-Windows-PowerShell"),
            Auditd => Some("auditd"),
            Auth | Syslog | Sensor | Provider::Service => None,
        }
    }

    /// `event.module`.
    pub fn module(self) -> &'static str {
        match self {
            Sysmon | PowerShell => "windows",
            Security | Eventlog | System | Auth | Syslog => "system",
            Auditd => "auditd",
            Sensor => "suricata",
            // Never asked: the log says it.
            Provider::Service => "",
        }
    }

    /// `event.dataset`.
    pub fn dataset(self) -> &'static str {
        match self {
            Sysmon => "windows.sysmon_operational",
            PowerShell => "windows.powershell_operational",
            Security | Eventlog => "system.security",
            System => "system.system",
            Auditd => "auditd.log",
            Auth => "system.auth",
            Syslog => "system.syslog",
            Sensor => "suricata.eve",
            Provider::Service => "",
        }
    }
}

/// What one kind of record is to ECS.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    pub provider: Provider,
    /// Event id, audit record type, or the program of a syslog line. [`ANY`]: the provider's others.
    pub code: &'static str,
    /// `event.category`.
    pub category: &'static [&'static str],
    /// `event.type`: each is expected of one of the categories.
    pub types: &'static [&'static str],
    /// `event.action`.
    pub action: &'static str,
}

/// Any other code of a provider.
pub const ANY: &str = "*";

const fn record(
    provider: Provider,
    code: &'static str,
    category: &'static [&'static str],
    types: &'static [&'static str],
    action: &'static str,
) -> Record {
    Record {
        provider,
        code,
        category,
        types,
        action,
    }
}

const AUTHENTICATION: &[&str] = &["authentication"];
const CONFIGURATION: &[&str] = &["configuration"];
const FILE: &[&str] = &["file"];
const IAM: &[&str] = &["iam"];
const IAM_CONFIGURATION: &[&str] = &["iam", "configuration"];
const NETWORK: &[&str] = &["network"];
const PROCESS: &[&str] = &["process"];
const REGISTRY: &[&str] = &["configuration", "registry"];
const SESSION: &[&str] = &["authentication", "session"];
const SHARE: &[&str] = &["network", "file"];

/// Every record, provider by provider.
#[rustfmt::skip]
pub const RECORDS: &[Record] = &[
    record(Sysmon, "1", PROCESS, &["start"], "Process creation"),
    record(Sysmon, "2", FILE, &["change"], "A process changed a file creation time"),
    record(Sysmon, "3", NETWORK, &["start", "connection", "protocol"], "Network connection"),
    record(Sysmon, "4", PROCESS, &["change"], "Sysmon service state changed"),
    record(Sysmon, "5", PROCESS, &["end"], "Process terminated"),
    record(Sysmon, "6", &["driver"], &["start"], "Driver loaded"),
    record(Sysmon, "7", PROCESS, &["change"], "Image loaded"),
    record(Sysmon, "8", PROCESS, &["change"], "CreateRemoteThread"),
    record(Sysmon, "9", PROCESS, &["access"], "RawAccessRead"),
    record(Sysmon, "10", PROCESS, &["access"], "ProcessAccess"),
    record(Sysmon, "11", FILE, &["creation"], "FileCreate"),
    record(Sysmon, "12", REGISTRY, &["change"], "RegistryEvent (Object create and delete)"),
    record(Sysmon, "13", REGISTRY, &["change"], "RegistryEvent (Value Set)"),
    record(Sysmon, "14", REGISTRY, &["change"], "RegistryEvent (Key and Value Rename)"),
    record(Sysmon, "15", FILE, &["access"], "FileCreateStreamHash"),
    record(Sysmon, "16", CONFIGURATION, &["change"], "ServiceConfigurationChange"),
    record(Sysmon, "17", FILE, &["creation"], "PipeEvent (Pipe Created)"),
    record(Sysmon, "18", FILE, &["access"], "PipeEvent (Pipe Connected)"),
    record(Sysmon, "19", PROCESS, &["info"], "WmiEvent (WmiEventFilter activity detected)"),
    record(Sysmon, "20", PROCESS, &["change"], "WmiEvent (WmiEventConsumer activity detected)"),
    record(Sysmon, "21", PROCESS, &["access"], "WmiEvent (WmiEventConsumerToFilter activity detected)"),
    record(Sysmon, "22", NETWORK, &["connection", "protocol", "info"], "DNSEvent (DNS query)"),
    record(Sysmon, "23", FILE, &["deletion"], "FileDelete (File Delete archived)"),
    record(Sysmon, "24", PROCESS, &["change"], "ClipboardChange (New content in the clipboard)"),
    record(Sysmon, "25", PROCESS, &["change"], "ProcessTampering (Process image change)"),
    record(Sysmon, "26", FILE, &["deletion"], "FileDeleteDetected (File Delete logged)"),
    record(Sysmon, "27", FILE, &["creation"], "FileBlockExecutable"),
    record(Sysmon, "28", FILE, &["deletion"], "FileBlockShredding"),
    record(Sysmon, "29", FILE, &["creation"], "FileExecutableDetected"),

    record(Eventlog, "1102", IAM, &["admin", "change"], "audit-log-cleared"),
    record(Security, "4624", AUTHENTICATION, &["start"], "logged-in"),
    record(Security, "4625", AUTHENTICATION, &["start"], "logon-failed"),
    record(Security, "4634", AUTHENTICATION, &["end"], "logged-out"),
    record(Security, "4647", AUTHENTICATION, &["end"], "logged-out"),
    record(Security, "4648", AUTHENTICATION, &["start"], "logged-in-explicit"),
    record(Security, "4656", FILE, &["access"], "File System"),
    record(Security, "4657", &["registry", "configuration"], &["change"], "registry-value-modified"),
    record(Security, "4658", FILE, &["access"], "File System"),
    record(Security, "4660", FILE, &["deletion"], "File System"),
    record(Security, "4663", FILE, &["access"], "File System"),
    record(Security, "4672", IAM, &["admin"], "logged-in-special"),
    record(Security, "4688", PROCESS, &["start"], "created-process"),
    record(Security, "4689", PROCESS, &["end"], "exited-process"),
    record(Security, "4697", IAM_CONFIGURATION, &["admin", "change"], "service-installed"),
    record(Security, "4698", IAM_CONFIGURATION, &["creation", "admin"], "scheduled-task-created"),
    record(Security, "4699", IAM_CONFIGURATION, &["deletion", "admin"], "scheduled-task-deleted"),
    record(Security, "4700", IAM_CONFIGURATION, &["change", "admin"], "scheduled-task-enabled"),
    record(Security, "4701", IAM_CONFIGURATION, &["change", "admin"], "scheduled-task-disabled"),
    record(Security, "4702", IAM_CONFIGURATION, &["change", "admin"], "scheduled-task-updated"),
    record(Security, "4719", IAM_CONFIGURATION, &["admin", "change"], "changed-audit-config"),
    record(Security, "4720", IAM, &["user", "creation"], "added-user-account"),
    record(Security, "4722", IAM, &["user", "change"], "enabled-user-account"),
    record(Security, "4723", IAM, &["user", "change"], "changed-password"),
    record(Security, "4724", IAM, &["user", "change"], "reset-password"),
    record(Security, "4725", IAM, &["user", "deletion"], "disabled-user-account"),
    record(Security, "4726", IAM, &["user", "deletion"], "deleted-user-account"),
    record(Security, "4728", IAM, &["group", "change"], "added-member-to-group"),
    record(Security, "4729", IAM, &["group", "change"], "removed-member-from-group"),
    record(Security, "4732", IAM, &["group", "change"], "added-member-to-group"),
    record(Security, "4733", IAM, &["group", "change"], "removed-member-from-group"),
    record(Security, "4738", IAM, &["user", "change"], "modified-user-account"),
    record(Security, "4740", IAM, &["user", "change"], "locked-out-user-account"),
    record(Security, "4756", IAM, &["group", "change"], "added-member-to-group"),
    record(Security, "4768", AUTHENTICATION, &["start"], "kerberos-authentication-ticket-requested"),
    record(Security, "4769", AUTHENTICATION, &["start"], "kerberos-service-ticket-requested"),
    record(Security, "4770", AUTHENTICATION, &["start"], "kerberos-service-ticket-renewed"),
    record(Security, "4771", AUTHENTICATION, &["start"], "kerberos-preauth-failed"),
    record(Security, "4776", AUTHENTICATION, &["start"], "credential-validated"),
    record(Security, "4778", SESSION, &["start"], "session-reconnected"),
    record(Security, "4779", SESSION, &["end"], "session-disconnected"),
    record(Security, "5140", SHARE, &["info", "access"], "network-share-object-accessed"),
    record(Security, "5145", SHARE, &["info", "access"], "network-share-object-access-checked"),
    record(Security, "5156", NETWORK, &["connection", "allowed"], "Filtering Platform Connection"),
    record(Security, "5157", NETWORK, &["connection", "denied"], "Filtering Platform Connection"),

    record(System, "104", CONFIGURATION, &["deletion"], "Log clear"),
    record(System, "7036", CONFIGURATION, &["info"], "service-state-changed"),
    record(System, "7040", CONFIGURATION, &["change"], "service-start-type-changed"),
    record(System, "7045", CONFIGURATION, &["creation"], "service-installed"),
    record(PowerShell, "4103", PROCESS, &["info"], "Executing Pipeline"),
    record(PowerShell, "4104", PROCESS, &["info"], "Execute a Remote Command"),

    record(Auditd, "USER_AUTH", AUTHENTICATION, &["info"], "authenticated"),
    record(Auditd, "USER_ACCT", AUTHENTICATION, &["info"], "was-authorized"),
    record(Auditd, "CRED_ACQ", AUTHENTICATION, &["info"], "acquired-credentials"),
    record(Auditd, "CRED_REFR", AUTHENTICATION, &["info"], "refreshed-credentials"),
    record(Auditd, "CRED_DISP", AUTHENTICATION, &["info"], "disposed-credentials"),
    record(Auditd, "LOGIN", AUTHENTICATION, &["start"], "changed-login-id-to"),
    record(Auditd, "USER_LOGIN", AUTHENTICATION, &["start"], "logged-in"),
    record(Auditd, "USER_LOGOUT", AUTHENTICATION, &["end"], "logged-out"),
    record(Auditd, "USER_START", SESSION, &["start"], "started-session"),
    record(Auditd, "USER_END", SESSION, &["end"], "ended-session"),
    record(Auditd, "USER_ERR", AUTHENTICATION, &["info"], "error"),
    record(Auditd, "USER_CMD", PROCESS, &["start"], "ran-command"),
    record(Auditd, "USER_CHAUTHTOK", IAM, &["user", "change"], "changed-password"),
    record(Auditd, "USER_MGMT", IAM, &["user", "change"], "modified-user-account"),
    record(Auditd, "ADD_USER", IAM, &["user", "creation"], "added-user-account"),
    record(Auditd, "DEL_USER", IAM, &["user", "deletion"], "deleted-user-account"),
    record(Auditd, "ADD_GROUP", IAM, &["group", "creation"], "added-group-account-to"),
    record(Auditd, "DEL_GROUP", IAM, &["group", "deletion"], "deleted-group-account-from"),
    record(Auditd, "GRP_MGMT", IAM, &["group", "change"], "modified-group-account"),
    record(Auditd, "SERVICE_START", PROCESS, &["start"], "started-service"),
    record(Auditd, "SERVICE_STOP", PROCESS, &["end"], "stopped-service"),
    record(Auditd, "CONFIG_CHANGE", &["process", "configuration"], &["change"], "changed-audit-configuration"),
    record(Auditd, "EXECVE", PROCESS, &["start"], "executed"),
    record(Auditd, "PROCTITLE", PROCESS, &["info"], "proctitle"),
    record(Auditd, "CWD", PROCESS, &["info"], "cwd"),
    record(Auditd, "PATH", FILE, &["info"], "path"),
    record(Auditd, "SOCKADDR", NETWORK, &["connection", "info"], "sockaddr"),
    record(Auditd, ANY, PROCESS, &["info"], "audited"),

    record(Auth, "sshd", AUTHENTICATION, &["info"], "ssh_login"),
    record(Auth, "login", AUTHENTICATION, &["info"], "login"),
    record(Auth, "su", AUTHENTICATION, &["info"], "su"),
    record(Auth, "sudo", PROCESS, &["start"], "ran-command"),
    record(Auth, "systemd-logind", SESSION, &["info"], "session"),
    record(Auth, "useradd", IAM, &["user", "creation"], "added-user-account"),
    record(Auth, "userdel", IAM, &["user", "deletion"], "deleted-user-account"),
    record(Auth, "groupadd", IAM, &["group", "creation"], "added-group-account"),
    record(Auth, "passwd", IAM, &["user", "change"], "changed-password"),
    record(Syslog, "cron", PROCESS, &["start"], "ran-command"),
    record(Syslog, "crond", PROCESS, &["start"], "ran-command"),
    record(Syslog, "systemd", PROCESS, &["info"], "systemd"),
    record(Syslog, "kernel", NETWORK, &["connection"], "netfilter"),
    record(Syslog, ANY, &["host"], &["info"], "logged"),

    // The type `allowed` or `denied` is the alert's.
    record(Sensor, ANY, &["network", "intrusion_detection"], &["info"], "alert"),
];

/// The record of a syscall, as go-libaudit normalises it: of its name.
#[rustfmt::skip]
pub const SYSCALLS: &[Record] = &[
    record(Auditd, "open", FILE, &["info"], "opened-file"),
    record(Auditd, "openat", FILE, &["info"], "opened-file"),
    record(Auditd, "creat", FILE, &["creation"], "opened-file"),
    record(Auditd, "read", FILE, &["info"], "read-file"),
    record(Auditd, "write", FILE, &["change"], "wrote-to-file"),
    record(Auditd, "truncate", FILE, &["change"], "opened-file"),
    record(Auditd, "chmod", FILE, &["change"], "changed-file-permissions-of"),
    record(Auditd, "fchmod", FILE, &["change"], "changed-file-permissions-of"),
    record(Auditd, "fchmodat", FILE, &["change"], "changed-file-permissions-of"),
    record(Auditd, "chown", FILE, &["change"], "changed-file-ownership-of"),
    record(Auditd, "fchown", FILE, &["change"], "changed-file-ownership-of"),
    record(Auditd, "fchownat", FILE, &["change"], "changed-file-ownership-of"),
    record(Auditd, "setxattr", FILE, &["change"], "changed-file-attributes-of"),
    record(Auditd, "utimensat", FILE, &["info"], "changed-timestamp-of"),
    record(Auditd, "mkdir", FILE, &["creation"], "created-directory"),
    record(Auditd, "symlink", FILE, &["creation"], "symlinked"),
    record(Auditd, "mknod", FILE, &["creation"], "make-device"),
    record(Auditd, "rename", FILE, &["change"], "renamed"),
    record(Auditd, "renameat", FILE, &["change"], "renamed"),
    record(Auditd, "renameat2", FILE, &["change"], "renamed"),
    record(Auditd, "unlink", FILE, &["deletion"], "deleted"),
    record(Auditd, "unlinkat", FILE, &["deletion"], "deleted"),
    record(Auditd, "rmdir", FILE, &["deletion"], "deleted"),
    record(Auditd, "mount", FILE, &["creation"], "mounted"),
    record(Auditd, "umount2", FILE, &["deletion"], "unmounted"),
    record(Auditd, "init_module", &["driver"], &["start"], "loaded-kernel-module"),
    record(Auditd, "finit_module", &["driver"], &["start"], "loaded-kernel-module"),
    record(Auditd, "delete_module", &["driver"], &["end"], "unloaded-kernel-module"),
    record(Auditd, "execve", PROCESS, &["start"], "executed"),
    record(Auditd, "execveat", PROCESS, &["start"], "executed"),
    record(Auditd, "kill", PROCESS, &["end"], "killed-pid"),
    record(Auditd, "setuid", PROCESS, &["change"], "changed-identity-of"),
    record(Auditd, "setgid", PROCESS, &["change"], "changed-identity-of"),
    record(Auditd, "connect", NETWORK, &["connection", "start"], "connected-to"),
    record(Auditd, "accept", NETWORK, &["connection", "start"], "accepted-connection-from"),
    record(Auditd, "accept4", NETWORK, &["connection", "start"], "accepted-connection-from"),
    record(Auditd, "bind", NETWORK, &["connection", "start"], "bound-socket"),
    record(Auditd, "listen", NETWORK, &["connection", "start"], "listen-for-connections"),
    record(Auditd, "sendto", NETWORK, &["connection", "info"], "sent-to"),
    record(Auditd, "recvfrom", NETWORK, &["connection", "info"], "received-from"),
    record(Auditd, "settimeofday", &["host"], &["change"], "changed-system-time"),
    record(Auditd, "sethostname", &["host"], &["change"], "changed-system-name"),
    record(Auditd, ANY, PROCESS, &["info"], "audited"),
];

/// Index into [`RECORDS`] of a native code: an event id, an audit record type in either case.
pub fn native(code: &str) -> usize {
    let found = RECORDS
        .iter()
        .position(|r| !matches!(r.provider, Auth | Syslog) && r.code.eq_ignore_ascii_case(code));
    found.unwrap_or_else(|| any(Auditd))
}

/// Index into [`RECORDS`] of a syslog program.
pub fn syslog(program: &str) -> usize {
    let found = RECORDS
        .iter()
        .position(|r| matches!(r.provider, Auth | Syslog) && r.code == program);
    found.unwrap_or_else(|| any(Syslog))
}

/// Index into [`SYSCALLS`] of a syscall.
pub fn syscall(name: &str) -> usize {
    let found = SYSCALLS.iter().position(|r| r.code == name);
    found.unwrap_or(SYSCALLS.len() - 1)
}

/// Index into [`RECORDS`] of what a provider writes besides the codes it has.
pub fn any(provider: Provider) -> usize {
    RECORDS
        .iter()
        .position(|r| r.provider == provider && r.code == ANY)
        .unwrap_or(RECORDS.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for record in RECORDS.iter().chain(SYSCALLS) {
            let mut expected = Vec::new();
            for category in record.category {
                let entry = EXPECTED.iter().find(|(name, _)| name == category);
                expected.extend_from_slice(entry.expect(category).1);
            }
            assert!(!record.types.is_empty() && !record.category.is_empty());
            for kind in record.types {
                assert!(expected.contains(kind), "{record:?}: {kind}");
            }
        }
    }

    #[test]
    fn no_code_stands_twice() {
        for list in [RECORDS, SYSCALLS] {
            for (i, a) in list.iter().enumerate() {
                let twin = list[..i]
                    .iter()
                    .find(|b| b.code == a.code && (a.provider == b.provider || a.code != ANY));
                assert!(twin.is_none(), "{a:?}");
            }
        }
    }

    #[test]
    fn the_kinds_a_corpus_can_hold_have_their_lines() {
        // A syscall's line is that of its name.
        let codes = crate::columns::base::CODES.split('|');
        for code in codes.filter(|code| *code != "syscall") {
            let found = RECORDS[native(code)].code;
            assert!(found.eq_ignore_ascii_case(code), "{code}: {found}");
        }
        for program in ["sshd", "sudo", "cron", "kernel"] {
            assert_eq!(RECORDS[syslog(program)].code, program);
            assert_ne!(RECORDS[native(program)].code, program);
        }
        assert_eq!(RECORDS[native("user_login")].action, "logged-in");
        assert_eq!(SYSCALLS[syscall("nanosleep")].code, ANY);
    }
}
