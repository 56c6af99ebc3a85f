//! Records of auditd, by type, and syslog lines.
//!
//! Fields have the names and the order of auditd. `res` of user-space records and decoded names are as
//! a parser writes them.

use super::row::{AUDITD, About, Block, Key, Kind, Meaning, SYSLOG};
use super::telemetry::Telemetry as T;

pub(super) const ROWS: &[Kind] = &[
    Kind {
        telemetry: T::UserLogin,
        word: "user_login",
        code: "user_login",
        about: About::Login,
        needs: &[Key::Account],
        takes: &[Key::Connection, Key::Success],
        fields: "pid uid auid ses op acct id exe hostname addr terminal res",
        fusionai: Meaning::new(&["authentication"], &["start"], "login"),
        ecs: Some(Meaning::new(&["authentication"], &["start"], "logged-in")),
        ..AUDITD
    },
    Kind {
        telemetry: T::UserCmd,
        word: "user_cmd",
        code: "user_cmd",
        about: About::Login,
        needs: &[Key::Command],
        takes: &[Key::Connection, Key::Image, Key::Directory, Key::Success],
        blocks: &[Block::Command],
        fields: "pid uid auid ses cwd cmd exe terminal res",
        fusionai: Meaning::new(&["process"], &["start"], "ran_command"),
        ecs: Some(Meaning::new(&["process"], &["start"], "ran-command")),
        ..AUDITD
    },
    Kind {
        telemetry: T::Syscall,
        word: "syscall",
        code: "syscall",
        about: About::Process,
        needs: &[Key::Syscall],
        takes: &[Key::Connection, Key::File, Key::Key, Key::Success],
        blocks: &[Block::File],
        fields: "arch syscall success exit a0 a1 a2 a3 ppid pid auid uid gid euid suid fsuid egid \
            sgid fsgid tty ses comm exe key",
        fusionai: Meaning::new(&["process"], &["info"], "syscall"),
        ..AUDITD
    },
    Kind {
        telemetry: T::Execve,
        word: "execve",
        code: "execve",
        about: About::Start,
        needs: &[Key::Image, Key::Command],
        takes: &[Key::Connection, Key::Directory, Key::Starts, Key::Key],
        blocks: &[Block::Start],
        fields: "argc a0 a1 a2 a3 a4 a5 a6 a7",
        fusionai: Meaning::new(&["process"], &["start"], "executed"),
        ecs: Some(Meaning::new(&["process"], &["start"], "executed")),
        ..AUDITD
    },
    Kind {
        telemetry: T::CredAcq,
        word: "cred_acq",
        code: "cred_acq",
        about: About::Login,
        needs: &[Key::Account],
        takes: &[Key::Connection, Key::Success],
        fields: "pid uid auid ses op grantors acct exe hostname addr terminal res",
        fusionai: Meaning::new(&["authentication"], &["info"], "acquired_credentials"),
        ecs: Some(Meaning::new(
            &["authentication"],
            &["info"],
            "acquired-credentials",
        )),
        ..AUDITD
    },
    Kind {
        telemetry: T::Path,
        word: "path",
        code: "path",
        about: About::Companion,
        needs: &[Key::File],
        takes: &[Key::Connection],
        blocks: &[Block::File],
        fields: "item name inode dev mode ouid ogid rdev nametype",
        data: &[("nametype", Some("NORMAL"))],
        fusionai: Meaning::new(&["file"], &["info"], "opened_file"),
        ecs: Some(Meaning::new(&["file"], &["info"], "path")),
        ..AUDITD
    },
    Kind {
        telemetry: T::Cwd,
        word: "cwd",
        code: "cwd",
        about: About::Companion,
        takes: &[Key::Connection, Key::Directory],
        fields: "cwd",
        fusionai: Meaning::new(&["process"], &["info"], "syscall"),
        ecs: Some(Meaning::new(&["process"], &["info"], "cwd")),
        ..AUDITD
    },
    Kind {
        telemetry: T::Proctitle,
        word: "proctitle",
        code: "proctitle",
        about: About::Companion,
        takes: &[Key::Connection],
        fields: "proctitle",
        fusionai: Meaning::new(&["process"], &["info"], "syscall"),
        ecs: Some(Meaning::new(&["process"], &["info"], "proctitle")),
        ..AUDITD
    },
    Kind {
        telemetry: T::Sockaddr,
        word: "sockaddr",
        code: "sockaddr",
        about: About::Companion,
        takes: &[Key::Connection],
        fields: "saddr",
        fusionai: Meaning::new(&["network"], &["info"], "syscall"),
        ecs: Some(Meaning::new(
            &["network"],
            &["connection", "info"],
            "sockaddr",
        )),
        ..AUDITD
    },
    Kind {
        telemetry: T::AddUser,
        word: "add_user",
        code: "add_user",
        takes: &[Key::Connection],
        fields: "pid uid auid ses op id exe hostname addr terminal res",
        data: &[("acct", None)],
        fusionai: Meaning::new(&["iam"], &["creation"], "added_user_account"),
        ecs: Some(Meaning::new(
            &["iam"],
            &["user", "creation"],
            "added-user-account",
        )),
        ..AUDITD
    },
    Kind {
        telemetry: T::UserChauthtok,
        word: "user_chauthtok",
        code: "user_chauthtok",
        needs: &[Key::Account],
        takes: &[Key::Connection, Key::Success],
        fields: "pid uid auid ses op acct exe hostname addr terminal res",
        fusionai: Meaning::new(&["iam"], &["change"], "changed_password"),
        ecs: Some(Meaning::new(
            &["iam"],
            &["user", "change"],
            "changed-password",
        )),
        ..AUDITD
    },
    Kind {
        telemetry: T::ServiceStart,
        word: "service_start",
        code: "service_start",
        takes: &[Key::Connection, Key::Success],
        fields: "pid uid auid ses unit comm exe hostname addr terminal res",
        data: &[("unit", None)],
        fusionai: Meaning::new(&["process"], &["start"], "started_service"),
        ecs: Some(Meaning::new(&["process"], &["start"], "started-service")),
        ..AUDITD
    },
    Kind {
        telemetry: T::UserAuth,
        word: "user_auth",
        code: "user_auth",
        about: About::Login,
        needs: &[Key::Account],
        takes: &[Key::Connection, Key::Image, Key::Success],
        fields: "pid uid auid ses op grantors acct exe hostname addr terminal res",
        fusionai: Meaning::new(&["authentication"], &["start"], "authenticated"),
        ecs: Some(Meaning::new(
            &["authentication"],
            &["info"],
            "authenticated",
        )),
        ..AUDITD
    },
    Kind {
        telemetry: T::UserAcct,
        word: "user_acct",
        code: "user_acct",
        about: About::Login,
        needs: &[Key::Account],
        takes: &[Key::Connection, Key::Image, Key::Success],
        fields: "pid uid auid ses op grantors acct exe hostname addr terminal res",
        fusionai: Meaning::new(&["authentication"], &["info"], "was_authorized"),
        ecs: Some(Meaning::new(
            &["authentication"],
            &["info"],
            "was-authorized",
        )),
        ..AUDITD
    },
    Kind {
        telemetry: T::Login,
        word: "login",
        code: "login",
        about: About::Login,
        needs: &[Key::Account],
        takes: &[Key::Connection],
        fields: "pid uid old-auid auid tty old-ses ses res",
        fusionai: Meaning::new(&["authentication"], &["start"], "changed_login_id"),
        ecs: Some(Meaning::new(
            &["authentication"],
            &["start"],
            "changed-login-id-to",
        )),
        ..AUDITD
    },
    Kind {
        telemetry: T::UserStart,
        word: "user_start",
        code: "user_start",
        about: About::Login,
        needs: &[Key::Account],
        takes: &[Key::Connection, Key::Image],
        fields: "pid uid auid ses op grantors acct exe hostname addr terminal res",
        fusionai: Meaning::new(&["session"], &["start"], "started_session"),
        ecs: Some(Meaning::new(
            &["authentication", "session"],
            &["start"],
            "started-session",
        )),
        ..AUDITD
    },
    Kind {
        telemetry: T::UserEnd,
        word: "user_end",
        code: "user_end",
        about: About::Login,
        needs: &[Key::Account],
        takes: &[Key::Connection, Key::Image],
        fields: "pid uid auid ses op grantors acct exe hostname addr terminal res",
        fusionai: Meaning::new(&["session"], &["end"], "ended_session"),
        ecs: Some(Meaning::new(
            &["authentication", "session"],
            &["end"],
            "ended-session",
        )),
        ..AUDITD
    },
    Kind {
        telemetry: T::CredDisp,
        word: "cred_disp",
        code: "cred_disp",
        about: About::Login,
        needs: &[Key::Account],
        takes: &[Key::Connection, Key::Image],
        fields: "pid uid auid ses op grantors acct exe hostname addr terminal res",
        fusionai: Meaning::new(&["authentication"], &["info"], "disposed_credentials"),
        ecs: Some(Meaning::new(
            &["authentication"],
            &["info"],
            "disposed-credentials",
        )),
        ..AUDITD
    },
    Kind {
        telemetry: T::CredRefr,
        word: "cred_refr",
        code: "cred_refr",
        about: About::Login,
        needs: &[Key::Account],
        takes: &[Key::Connection, Key::Image],
        fields: "pid uid auid ses op grantors acct exe hostname addr terminal res",
        fusionai: Meaning::new(&["authentication"], &["info"], "refreshed_credentials"),
        ecs: Some(Meaning::new(
            &["authentication"],
            &["info"],
            "refreshed-credentials",
        )),
        ..AUDITD
    },
    Kind {
        telemetry: T::Syslog,
        word: "syslog",
        needs: &[Key::Message],
        takes: &[Key::Connection, Key::Facility, Key::Severity],
        fusionai: Meaning::new(&["host"], &["info"], "logged"),
        ..SYSLOG
    },
];
