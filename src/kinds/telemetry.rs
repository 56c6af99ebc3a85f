//! The names of the kinds.

/// A kind of record. Its [row](super::Kind) holds its properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Telemetry {
    /// Sysmon 1.
    ProcessCreation,
    /// Sysmon 2.
    FileTimeChanged,
    /// Sysmon 3.
    NetworkConnection,
    /// Sysmon 4.
    SysmonState,
    /// Sysmon 5.
    ProcessTermination,
    /// Sysmon 6.
    DriverLoaded,
    /// Sysmon 7.
    ImageLoaded,
    /// Sysmon 8.
    RemoteThread,
    /// Sysmon 10.
    ProcessAccess,
    /// Sysmon 11.
    FileCreate,
    /// Sysmon 12.
    RegistryKey,
    /// Sysmon 13.
    RegistrySet,
    /// Sysmon 14.
    RegistryRenamed,
    /// Sysmon 15.
    StreamCreated,
    /// Sysmon 16.
    SysmonConfig,
    /// Sysmon 17.
    PipeCreated,
    /// Sysmon 18.
    PipeConnected,
    /// Sysmon 19.
    WmiFilter,
    /// Sysmon 20.
    WmiConsumer,
    /// Sysmon 21.
    WmiBinding,
    /// Sysmon 22.
    DnsQuery,
    /// Sysmon 23.
    FileDeleted,
    /// Sysmon 24.
    ClipboardChanged,
    /// Sysmon 25.
    ProcessTampering,
    /// Sysmon 26.
    FileDeleteLogged,
    /// Sysmon 27.
    ExecutableBlocked,
    /// Sysmon 29.
    ExecutableDetected,
    /// Security 4624.
    Logon,
    /// Security 4625.
    LogonFailed,
    /// Security 4634.
    Logoff,
    /// Security 4648.
    ExplicitLogon,
    /// Security 4656.
    HandleRequested,
    /// Security 4663.
    ObjectAccess,
    /// Security 4672.
    SpecialLogon,
    /// Security 4688.
    ProcessCreated,
    /// Security 4689.
    ProcessExited,
    /// Security 4697.
    ServiceInstalled,
    /// Security 4698.
    TaskCreated,
    /// Security 4702.
    TaskUpdated,
    /// Security 4720.
    UserCreated,
    /// Security 4728.
    GlobalMemberAdded,
    /// Security 4732.
    LocalMemberAdded,
    /// Security 4768: a Kerberos TGT.
    TicketRequested,
    /// Security 4769.
    ServiceTicket,
    /// Security 4771.
    PreauthFailed,
    /// Security 4776: NTLM.
    CredentialValidated,
    /// Security 5140.
    ShareAccess,
    /// Security 5145.
    ShareCheck,
    /// Security 5156.
    ConnectionPermitted,
    /// Security 5157.
    ConnectionBlocked,
    /// Security 1102.
    LogCleared,
    /// System 7045.
    ServiceCreated,
    /// PowerShell 4104.
    ScriptBlock,
    /// auditd USER_LOGIN.
    UserLogin,
    /// auditd USER_CMD (sudo).
    UserCmd,
    /// auditd SYSCALL.
    Syscall,
    /// auditd EXECVE.
    Execve,
    /// auditd CRED_ACQ.
    CredAcq,
    /// auditd PATH.
    Path,
    /// auditd CWD.
    Cwd,
    /// auditd PROCTITLE.
    Proctitle,
    /// auditd SOCKADDR.
    Sockaddr,
    /// auditd ADD_USER.
    AddUser,
    /// auditd USER_CHAUTHTOK.
    UserChauthtok,
    /// auditd SERVICE_START.
    ServiceStart,
    /// auditd USER_AUTH.
    UserAuth,
    /// auditd USER_ACCT.
    UserAcct,
    /// auditd LOGIN.
    Login,
    /// auditd USER_START.
    UserStart,
    /// auditd USER_END.
    UserEnd,
    /// auditd CRED_DISP.
    CredDisp,
    /// auditd CRED_REFR.
    CredRefr,
    /// A syslog line.
    Syslog,
    /// A cloud's audit log: AWS CloudTrail.
    CloudAudit,
    /// A service's audit log: Entra ID sign-ins, Office 365, GitHub.
    SaasAudit,
}

impl Telemetry {
    /// Number of kinds.
    pub const COUNT: usize = Self::SaasAudit as usize + 1;
}
