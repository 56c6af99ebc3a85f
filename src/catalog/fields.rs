//! Which telemetry needs and shows which fields.

use super::raw;
use super::record::Telemetry;
use super::source::Source;
use crate::Result;

/// Field of a record: its TOML key, whether it is there, and the telemetry that has it.
type Field = (&'static str, bool, &'static [Telemetry]);

/// What this telemetry needs is there, and nothing that it cannot show.
pub(super) fn check_fields(source: &Source, raw: &raw::Record, telemetry: Telemetry) -> Result<()> {
    use Telemetry::*;
    const STARTS: &[Telemetry] = &[ProcessCreation, Execve];
    const COMMANDS: &[Telemetry] = &[ProcessCreation, Execve, UserCmd];
    // sudo and su are processes of their own in a shell's session.
    const CALLED: &[Telemetry] = &[
        ProcessCreation,
        Execve,
        UserCmd,
        UserAuth,
        UserAcct,
        CredRefr,
        UserStart,
        UserEnd,
        CredDisp,
    ];
    const FLOWS: &[Telemetry] = &[NetworkConnection, ConnectionPermitted, ConnectionBlocked];
    const SESSIONS: &[Telemetry] = &[
        UserLogin,
        UserCmd,
        CredAcq,
        Syscall,
        UserChauthtok,
        ServiceStart,
        UserAuth,
        UserAcct,
        CredentialValidated,
        TicketRequested,
        ServiceTicket,
    ];
    const FILES: &[Telemetry] = &[
        FileCreate,
        FileTimeChanged,
        DriverLoaded,
        ImageLoaded,
        StreamCreated,
        SysmonConfig,
        FileDeleted,
        FileDeleteLogged,
        Path,
    ];
    const REGISTRY: &[Telemetry] = &[RegistrySet, RegistryKey];
    const TARGETS: &[Telemetry] = &[RemoteThread, ProcessAccess];
    const LOGONS: &[Telemetry] = &[Logon, LogonFailed, Logoff];
    const ACCOUNTS: &[Telemetry] = &[
        Logon,
        LogonFailed,
        Logoff,
        SpecialLogon,
        ServiceInstalled,
        TaskCreated,
        TaskUpdated,
        UserCreated,
        GlobalMemberAdded,
        LocalMemberAdded,
        TicketRequested,
        ServiceTicket,
        PreauthFailed,
        CredentialValidated,
        ShareAccess,
        ShareCheck,
        LogCleared,
        UserLogin,
        CredAcq,
        UserAuth,
        UserAcct,
        Login,
        UserStart,
        UserEnd,
        CredDisp,
        CredRefr,
        UserChauthtok,
        CloudAudit,
        SaasAudit,
    ];
    const CALLS: &[Telemetry] = &[CloudAudit, SaasAudit];
    let needed: &[Field] = &[
        ("image", raw.image.is_some(), STARTS),
        ("command", raw.command.is_some(), COMMANDS),
        ("connection", raw.connection.is_some(), FLOWS),
        ("file", raw.file.is_some(), FILES),
        ("target", raw.target.is_some(), TARGETS),
        ("registry", raw.registry.is_some(), REGISTRY),
        ("details", raw.details.is_some(), &[RegistrySet]),
        ("query", raw.query.is_some(), &[DnsQuery]),
        ("logon_type", raw.logon_type.is_some(), LOGONS),
        ("syscall", raw.syscall.is_some(), &[Syscall]),
        ("message", raw.message.is_some(), &[Syslog]),
        ("account", raw.account.is_some(), ACCOUNTS),
        ("call", raw.call.is_some(), CALLS),
    ];
    if let Some((key, ..)) = needed
        .iter()
        .find(|(_, there, of)| of.contains(&telemetry) && !there)
    {
        return Err(source.error_at(
            &raw.telemetry,
            format!("a {} without `{key}`", telemetry.word()),
            format!("add `{key}` to the record"),
        ));
    }
    const LOCAL: &[Telemetry] = &[
        FileCreate,
        RegistrySet,
        DnsQuery,
        ProcessTermination,
        FileTimeChanged,
        DriverLoaded,
        ImageLoaded,
        RemoteThread,
        ProcessAccess,
        RegistryKey,
        StreamCreated,
        FileDeleted,
        FileDeleteLogged,
        ProcessTampering,
        ScriptBlock,
        CloudAudit,
        SaasAudit,
    ];
    let allowed: &[Field] = &[
        ("image", raw.image.is_some(), CALLED),
        ("command", raw.command.is_some(), COMMANDS),
        (
            "directory",
            raw.directory.is_some(),
            &[ProcessCreation, Execve, UserCmd, Cwd],
        ),
        ("starts", raw.starts.is_some(), STARTS),
        ("integrity", raw.integrity.is_some(), &[ProcessCreation]),
        (
            "file",
            raw.file.is_some(),
            &[
                FileCreate,
                FileTimeChanged,
                DriverLoaded,
                ImageLoaded,
                StreamCreated,
                SysmonConfig,
                FileDeleted,
                FileDeleteLogged,
                Path,
                Syscall,
            ],
        ),
        ("target", raw.target.is_some(), TARGETS),
        ("registry", raw.registry.is_some(), REGISTRY),
        ("details", raw.details.is_some(), &[RegistrySet]),
        ("query", raw.query.is_some(), &[DnsQuery]),
        ("answer", raw.answer.is_some(), &[DnsQuery]),
        ("query_status", raw.query_status.is_some(), &[DnsQuery]),
        ("resolves", raw.resolves.is_some(), &[DnsQuery]),
        ("message", raw.message.is_some(), &[Syslog]),
        ("facility", raw.facility.is_some(), &[Syslog]),
        ("severity", raw.severity.is_some(), &[Syslog]),
        ("syscall", raw.syscall.is_some(), &[Syscall]),
        ("key", raw.key.is_some(), &[Syscall, Execve]),
        ("logon_type", raw.logon_type.is_some(), LOGONS),
        ("success", raw.success.is_some(), SESSIONS),
        ("call", raw.call.is_some(), CALLS),
        ("request", raw.request.is_some(), CALLS),
    ];
    let stray = allowed
        .iter()
        .find(|(_, there, of)| *there && !of.contains(&telemetry))
        .map(|(key, ..)| *key)
        .or((raw.connection.is_some() && LOCAL.contains(&telemetry)).then_some("connection"))
        .or((raw.process.is_some() && CALLS.contains(&telemetry)).then_some("process"));
    match stray {
        None => Ok(()),
        Some(key) => Err(source.error_at(
            &raw.telemetry,
            format!("a {} cannot show `{key}`", telemetry.word()),
            format!("take `{key}` out, or choose the telemetry that shows it"),
        )),
    }
}
