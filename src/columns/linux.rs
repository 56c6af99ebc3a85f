//! `auditd.*` and `log.syslog.*`.
//!
//! Keys and value formats follow real audit records. Names and strings are decoded as a parser does
//! (no hexadecimal, no quotes).

mod arguments;

use std::net::IpAddr;

use super::enrichment::{counter, push_hexadecimal};
use super::words::WordTable;
use super::{Column, View};
use crate::frame::NONE;
use crate::ids::{AccountId, Optional};
use crate::kinds::{AUDIT, AUDIT_USER, Kinds, Provider, Telemetry as T, field, kinds, of};
use crate::paths;
use crate::random::Key;
pub(super) use arguments::{Arguments, arguments};

static SUCCESS: WordTable = WordTable::new(&["yes", "no"]);
static RESULT: WordTable = WordTable::new(&["success", "failed"]);
static ARCHITECTURE: WordTable = WordTable::new(&["x86_64"]);
static TTYS: WordTable = WordTable::new(&["(none)", "pts0", "pts1", "pts2"]);
static TERMINALS: WordTable = WordTable::new(&[
    "ssh",
    "/dev/pts/0",
    "/dev/pts/1",
    "/dev/pts/2",
    "cron",
    "?",
    "pts/0",
    "pts/1",
    "pts/2",
]);
static MODES: WordTable = WordTable::new(&["0100644", "0100755"]);
static OPERATIONS: WordTable = WordTable::new(&[
    "login",
    "PAM:setcred",
    "add-user",
    "PAM:chauthtok",
    "PAM:authentication",
    "PAM:accounting",
    "PAM:session_open",
    "PAM:session_close",
]);
/// PAM modules that granted access: for authentication, account and credentials, then for sessions
/// of sshd, cron and sudo. Debian's come first, then Red Hat's, then none for refused access.
static GRANTORS: WordTable = WordTable::new(&[
    "pam_permit,pam_cap",
    "pam_permit",
    "pam_permit,pam_cap",
    "pam_selinux,pam_loginuid,pam_keyinit,pam_permit,pam_umask,pam_unix,pam_systemd,pam_mail,pam_limits,pam_env,pam_env,pam_selinux",
    "pam_loginuid,pam_env,pam_env,pam_permit,pam_umask,pam_unix,pam_limits",
    "pam_limits,pam_env,pam_env,pam_permit,pam_umask,pam_unix",
    "pam_unix",
    "pam_unix,pam_localuser",
    "pam_env,pam_unix",
    "pam_selinux,pam_loginuid,pam_selinux,pam_namespace,pam_keyinit,pam_keyinit,pam_limits,pam_systemd,pam_unix,pam_lastlog",
    "pam_loginuid,pam_keyinit,pam_limits,pam_systemd",
    "pam_keyinit,pam_limits,pam_keyinit,pam_limits,pam_systemd,pam_unix",
    "?",
]);
static FACILITIES: WordTable = WordTable::new(&[
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp",
]);
static SEVERITIES: WordTable = WordTable::new(&[
    "emerg", "alert", "crit", "err", "warning", "notice", "info", "debug",
]);

const LOGIN: Kinds = kinds(&[T::UserLogin]);
const COMMAND: Kinds = kinds(&[T::UserCmd]);
const SYSCALL: Kinds = field("syscall");
const EXECVE: Kinds = field("argc");
const SYSLOG: Kinds = of(Provider::Syslog);
/// PAM's records with an account name.
const PAM: Kinds = field("acct") & !LOGIN;
const ADDED: Kinds = kinds(&[T::AddUser]);
const UNIT: Kinds = field("unit");
const SET_LOGIN: Kinds = field("old-auid");
const PATH: Kinds = field("nametype");
const CWD: Kinds = kinds(&[T::Cwd]);
const TITLE: Kinds = field("proctitle");
const SOCKET: Kinds = field("saddr");
/// Records with ids of the login session.
const IDS: Kinds = field("auid");
/// The login uid and session of daemons: unset.
const UNSET: i64 = 4_294_967_295;

/// `auditd.type`.
pub fn record_type(v: &View<'_>) -> Column {
    v.texts_of(AUDIT, &v.tables.audit_type, |r| v.frame.telemetry[r] as i32)
}
/// `auditd.sequence`: the serial of the audit event.
pub fn sequence(v: &View<'_>) -> Column {
    v.integers(AUDIT, |r| Some(counter(v, r, 3)))
}
/// `auditd.success` of SYSCALL: `yes`, `no`.
pub fn success(v: &View<'_>) -> Column {
    v.texts_of(const { field("success") }, SUCCESS.table(), |r| {
        i32::from(!v.frame.success[r])
    })
}
/// `auditd.res` of user-space records: `success`, `failed`.
pub fn result(v: &View<'_>) -> Column {
    v.texts_of(const { field("res") }, RESULT.table(), |r| {
        i32::from(!v.frame.success[r])
    })
}
/// `auditd.arch`.
pub fn architecture(v: &View<'_>) -> Column {
    v.constant(SYSCALL, ARCHITECTURE.table())
}
/// `auditd.syscall`: the name.
pub fn syscall(v: &View<'_>) -> Column {
    v.texts_of(SYSCALL, &v.tables.syscall, |r| v.frame.syscall[r])
}
/// `auditd.exit`: a descriptor, 0, or the negative error number.
pub fn exit(v: &View<'_>) -> Column {
    v.integers(SYSCALL, |r| {
        let name = usize::try_from(v.frame.syscall[r])
            .ok()
            .map(|s| v.maker.vocabulary.syscalls[s].0.as_str());
        Some(match (v.frame.success[r], name) {
            (false, _) => -13,
            (true, Some("openat" | "open" | "accept4" | "accept")) => {
                3 + (v.frame.salt[r] % 20) as i64
            }
            _ => 0,
        })
    })
}

/// `auditd.argc` of EXECVE.
pub fn argument_count(v: &View<'_>) -> Column {
    v.integers(EXECVE, |r| Some(Arguments::of(v).count(r) as i64))
}

/// The n-th argument of a system call.
fn call_argument(name: &str, nth: usize, salt: u64, to_ipv6: bool) -> u64 {
    let key = Key::root(salt);
    let descriptor = 3 + key.below(0, 12);
    let stack = 0x7ffc_0000_0000 + (key.below(1, 1 << 32) & !0xf);
    let heap = 0x55d0_0000_0000 + (key.below(2, 1 << 34) & !0xf);
    match (name, nth) {
        // AT_FDCWD, the path, the flags, and the mode of a new file.
        ("openat", 0) => 0xffff_ff9c,
        ("openat", 1) => heap,
        ("openat", 2) => [0x0, 0x80000, 0x241, 0x441][(salt % 4) as usize],
        ("openat", _) => [0, 0, 0x1b6, 0x1a4][(salt % 4) as usize],
        ("open" | "unlink" | "chmod", 0) => heap,
        ("open", 1) => [0x0, 0x80000, 0x241, 0x441][(salt % 4) as usize],
        ("open", 2) => 0x1b6,
        // The socket, the address, and its length.
        ("connect", 0) => descriptor,
        ("connect", 1) => stack,
        ("connect", 2) => 0x10 + 0xc * u64::from(to_ipv6),
        ("accept4" | "accept", 0) => descriptor,
        ("accept4" | "accept", 1) => stack,
        ("accept4" | "accept", 2) => stack - 0x14,
        ("accept4", _) => 0x80800,
        // The path, the arguments, the environment.
        ("execve", 0) => heap,
        ("execve", 1) => heap + 0x40 + (key.below(3, 1 << 12) & !0xf),
        ("execve", 2) => heap + 0x1_0000 + (key.below(4, 1 << 14) & !0xf),
        ("execve", _) => [0x8, 0x0][(salt % 2) as usize],
        (_, 0) => descriptor,
        (_, 1) => stack,
        _ => 0,
    }
}

/// `auditd.a0`… : EXECVE's arguments; a syscall's first four, in hexadecimal.
pub fn argument<const N: usize>(v: &View<'_>) -> Column {
    let of = if N < 4 { EXECVE | SYSCALL } else { EXECVE };
    v.plain(of, 8, |r, out| {
        if v.frame.telemetry[r] == T::Syscall {
            let name = usize::try_from(v.frame.syscall[r])
                .map_or("", |s| v.maker.vocabulary.syscalls[s].0.as_str());
            let to_ipv6 = usize::try_from(v.frame.destination[r])
                .is_ok_and(|address| v.tables.is_ipv6[address]);
            let value = call_argument(name, N, v.frame.salt[r], to_ipv6);
            push_hexadecimal(out, value);
            return true;
        }
        match Arguments::of(v).get(r, N) {
            Some(argument) => {
                out.extend_from_slice(argument);
                true
            }
            None => false,
        }
    })
}

fn uid(v: &View<'_>, account: AccountId) -> i64 {
    i64::from(v.maker.world.accounts[account].uid)
}
/// `auditd.ppid`.
pub fn parent_pid(v: &View<'_>) -> Column {
    v.integers(SYSCALL, |r| {
        Some(if v.frame.parent.image[r].is_some() {
            i64::from(v.frame.parent.pid[r])
        } else {
            1
        })
    })
}
/// `auditd.pid`.
pub fn pid(v: &View<'_>) -> Column {
    v.integers(IDS, |r| Some(i64::from(v.frame.process.pid[r])))
}

/// The account of the record's login session; `None` if `auid` and `ses` are unset.
fn login(v: &View<'_>, row: usize) -> Option<AccountId> {
    match v.frame.telemetry[row] {
        T::UserLogin if !v.frame.success[row] => None,
        T::ServiceStart => None,
        _ => v.frame.login[row].get(),
    }
}
fn in_session(v: &View<'_>, row: usize) -> bool {
    login(v, row).is_some()
}
/// `auditd.auid`: the login uid.
pub fn login_uid(v: &View<'_>) -> Column {
    v.integers(IDS, |r| {
        Some(login(v, r).map_or(UNSET, |account| uid(v, account)))
    })
}
/// `auditd.ses`: the audit session.
pub fn session(v: &View<'_>) -> Column {
    v.integers(IDS, |r| {
        if !in_session(v, r) {
            return Some(UNSET);
        }
        Some(v.frame.process.session_id[r] as i64)
    })
}
/// `auditd.uid`: 0 for user-space records, which daemons of root write; the caller's for sudo.
pub fn user_id(v: &View<'_>) -> Column {
    v.integers(IDS, |r| {
        Some(match v.frame.telemetry[r] {
            _ if v.is(
                r,
                (PAM | ADDED | UNIT | SET_LOGIN)
                    & !kinds(&[T::UserChauthtok, T::UserAuth, T::UserAcct]),
            ) =>
            {
                0
            }
            T::UserLogin => 0,
            _ => uid(v, v.frame.process.account[r].get().unwrap_or_default()),
        })
    })
}
/// `auditd.gid`, `euid`, `suid`, `fsuid`, `egid`, `sgid` and `fsgid` of SYSCALL: the account's.
pub fn effective_id(v: &View<'_>) -> Column {
    v.integers(SYSCALL, |r| {
        Some(uid(v, v.frame.process.account[r].get().unwrap_or_default()))
    })
}
/// `auditd.tty` of SYSCALL and LOGIN.
pub fn tty(v: &View<'_>) -> Column {
    v.texts_of(const { field("tty") }, TTYS.table(), |r| {
        match in_session(v, r) && !v.is(r, SET_LOGIN) {
            true => 1 + (v.frame.process.session_id[r] % 3) as i32,
            false => 0,
        }
    })
}
/// `auditd.terminal` of a user-space record.
pub fn terminal(v: &View<'_>) -> Column {
    let image = |key| Optional::from(v.maker.catalog.image(key));
    let (sshd, cron) = (image("sshd"), image("cron"));
    v.texts_of(AUDIT_USER, TERMINALS.table(), |r| {
        match v.frame.telemetry[r] {
            T::UserLogin if v.frame.success[r] => 1 + (v.frame.process.session_id[r] % 3) as i32,
            T::UserLogin => 0,
            T::AddUser | T::ServiceStart => 5,
            // sudo and passwd name the terminal without its directory.
            T::UserChauthtok | T::UserCmd => 6 + (v.frame.process.session_id[r] % 3) as i32,
            _ if v.frame.process.image[r] == sshd => 0,
            _ if v.frame.process.image[r] == cron => 4,
            _ if in_session(v, r) => 1 + (v.frame.process.session_id[r] % 3) as i32,
            _ => 5,
        }
    })
}
/// `auditd.comm`.
pub fn comm(v: &View<'_>) -> Column {
    let known = Some(&v.tables.image_comm);
    v.part(SYSCALL | UNIT, &v.frame.process.path, known, paths::comm)
}
/// `auditd.exe`.
pub fn exe(v: &View<'_>) -> Column {
    v.own(
        SYSCALL | AUDIT_USER,
        &v.frame.process.path,
        Some(&v.tables.image_path),
    )
}
/// `auditd.key`: the key of the audit rule, or `(null)`.
pub fn key(v: &View<'_>) -> Column {
    v.texts_of(SYSCALL, &v.tables.audit_key, |r| v.frame.audit_key[r])
}
/// `auditd.op`.
pub fn operation(v: &View<'_>) -> Column {
    v.texts_of(LOGIN | PAM | ADDED, OPERATIONS.table(), |r| {
        match v.frame.telemetry[r] {
            T::CredAcq | T::CredDisp | T::CredRefr => 1,
            T::AddUser => 2,
            T::UserChauthtok => 3,
            T::UserAuth => 4,
            T::UserAcct => 5,
            T::UserStart => 6,
            T::UserEnd => 7,
            _ => 0,
        }
    })
}
/// `auditd.grantors`: the modules of the distribution's PAM stack.
pub fn grantors(v: &View<'_>) -> Column {
    let of = const { field("grantors") };
    let image = |key| Optional::from(v.maker.catalog.image(key));
    let (sshd, cron) = (image("sshd"), image("cron"));
    v.texts_of(of, GRANTORS.table(), |r| {
        if !v.frame.success[r] {
            return 12;
        }
        let image = v.frame.process.image[r];
        let kind = match v.frame.telemetry[r] {
            T::UserAuth => 0,
            T::UserAcct => 1,
            T::UserStart | T::UserEnd if image == sshd => 3,
            T::UserStart | T::UserEnd if image == cron => 4,
            T::UserStart | T::UserEnd => 5,
            _ => 2,
        };
        let system = v.maker.world.hosts.system(v.frame.host[r]);
        kind + 6 * i32::from(system.distribution.1 == "redhat")
    })
}
/// `auditd.acct`: the account by name, in records of failed logins and of PAM.
pub fn account(v: &View<'_>) -> Column {
    v.texts_of(LOGIN | PAM, &v.tables.account_name, |r| {
        if v.frame.telemetry[r] == T::UserLogin && v.frame.success[r] {
            NONE
        } else {
            v.frame.user[r].key()
        }
    })
}
/// `auditd.id`: the account by uid, in records of successful logins.
pub fn account_id(v: &View<'_>) -> Column {
    v.integers(LOGIN | ADDED, |r| {
        if v.is(r, ADDED) {
            let name = v.given_text(r, "acct").unwrap_or_default();
            return Some(1_000 + Key::root(0x1d).child(name).below(0, 60) as i64);
        }
        v.frame.success[r].then(|| uid(v, v.frame.user[r]))
    })
}

fn remote<'v>(v: &'v View<'_>, row: usize) -> Option<&'v str> {
    let client = super::enrichment::ends(v, row).0.0;
    usize::try_from(client)
        .ok()
        .map(|address| &v.maker.world.addresses.texts[address])
}
/// `auditd.addr`.
pub fn address(v: &View<'_>) -> Column {
    v.plain(const { field("addr") }, 14, |r, out| {
        out.extend_from_slice(remote(v, r).unwrap_or("?").as_bytes());
        true
    })
}
/// `auditd.hostname`: the address on success, `?` on failure.
pub fn host_name(v: &View<'_>) -> Column {
    v.plain(const { field("addr") }, 14, |r, out| {
        let name = if v.frame.success[r] {
            remote(v, r)
        } else {
            None
        };
        out.extend_from_slice(name.unwrap_or("?").as_bytes());
        true
    })
}
/// `auditd.cwd` of USER_CMD.
pub fn working_directory(v: &View<'_>) -> Column {
    v.own(COMMAND | CWD, &v.frame.directory, None)
}
/// `auditd.cmd` of USER_CMD.
pub fn command(v: &View<'_>) -> Column {
    v.own(
        COMMAND,
        &v.frame.process.command,
        Some(&v.tables.resident_command),
    )
}

given! { unit "unit" path_type "nametype" }

/// `auditd.old-auid` and `auditd.old-ses` of LOGIN: unset.
pub fn before_login(v: &View<'_>) -> Column {
    v.integers(SET_LOGIN, |_| Some(UNSET))
}
/// `auditd.proctitle`: the command line, decoded.
pub fn process_title(v: &View<'_>) -> Column {
    v.own(
        TITLE,
        &v.frame.process.command,
        Some(&v.tables.resident_command),
    )
}
/// `auditd.name` of PATH.
pub fn path_name(v: &View<'_>) -> Column {
    v.own(PATH, &v.frame.file, None)
}
/// `auditd.item` of PATH.
pub fn path_item(v: &View<'_>) -> Column {
    v.integers(PATH, |_| Some(0))
}
/// `auditd.inode`: a file keeps its inode on a host.
pub fn path_inode(v: &View<'_>) -> Column {
    v.integers(PATH, |r| {
        let key = v.maker.world.host_key(v.frame.host[r]);
        Some(1_000 + key.child(v.frame.file.text(r)).below(0, 2_000_000) as i64)
    })
}
/// `auditd.dev`.
pub fn path_device(v: &View<'_>) -> Column {
    v.literal(PATH, "08:01")
}
/// `auditd.mode`: that of executables and scripts, or that of other files.
pub fn path_mode(v: &View<'_>) -> Column {
    v.texts_of(PATH, MODES.table(), |r| {
        let path = v.frame.file.text(r);
        i32::from(path.contains("/bin/") || path.contains("/sbin/") || path.ends_with(".sh"))
    })
}
/// `auditd.ouid` and `auditd.ogid`.
pub fn path_owner(v: &View<'_>) -> Column {
    v.integers(PATH, |_| Some(0))
}
/// `auditd.rdev`.
pub fn path_special_device(v: &View<'_>) -> Column {
    v.literal(PATH, "00:00")
}
/// `auditd.saddr`: an IPv4 or IPv6 socket address in hexadecimal. The family is in host byte order,
/// the port in network byte order.
pub fn socket_address(v: &View<'_>) -> Column {
    v.plain(SOCKET, 32, |r, out| {
        let (_, (address, port)) = super::enrichment::ends(v, r);
        let ip = usize::try_from(address)
            .ok()
            .and_then(|a| v.maker.world.addresses.texts[a].parse::<IpAddr>().ok());
        let port = port.max(0);
        let text = match ip {
            // Flow information and scope, before and after the address, are zero.
            Some(IpAddr::V6(ip)) => {
                format!("0A00{port:04X}00000000{:032X}00000000", u128::from(ip))
            }
            Some(IpAddr::V4(ip)) => format!("0200{port:04X}{:08X}0000000000000000", u32::from(ip)),
            None => format!("0200{port:04X}000000000000000000000000"),
        };
        out.extend_from_slice(text.as_bytes());
        true
    })
}

/// `log.syslog.facility`.
pub fn facility(v: &View<'_>) -> Column {
    v.texts_of(SYSLOG, FACILITIES.table(), |r| {
        i32::from(v.frame.facility[r].min(11))
    })
}
/// `log.syslog.severity`.
pub fn severity(v: &View<'_>) -> Column {
    v.texts_of(SYSLOG, SEVERITIES.table(), |r| {
        i32::from(v.frame.syslog_severity[r].min(7))
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn calls_have_the_arguments_that_their_prototypes_ask_for() {
        for salt in 0..100 {
            let of = |name, nth| super::call_argument(name, nth, salt, false);
            assert_eq!(of("connect", 2), 0x10);
            assert_eq!(super::call_argument("connect", 2, salt, true), 0x1c);
            assert!(of("connect", 0) < 20 && of("connect", 1) >> 32 == 0x7ffc);
            assert_eq!(of("openat", 0), 0xffff_ff9c);
            assert_eq!(of("openat", 2) & 0x40 != 0, of("openat", 3) != 0);
            assert!(of("execve", 0) >> 40 == 0x55 && of("execve", 1) > of("execve", 0));
        }
    }
}
