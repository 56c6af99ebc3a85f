//! Kinds of records, named as their providers do, and what each can show.

use super::record::{Platform, Words};

/// Declares the kinds in one place: variant, TOML word, platform, meaning.
macro_rules! telemetry {
    ($($platform:expr => { $($name:ident $word:literal $meaning:literal,)* })*) => {
        /// Kind of record, named as its provider does.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Telemetry {
            $($(#[doc = $meaning] $name,)*)*
        }

        impl Words for Telemetry {
            const WHAT: &'static str = "telemetry";
            const WORDS: &'static [(&'static str, Self)] = &[$($(($word, Telemetry::$name),)*)*];
        }

        impl Telemetry {
            /// The platform whose provider writes it; none: a cloud or a service keeps it.
            pub fn platform(self) -> Option<Platform> {
                match self {
                    $($(Telemetry::$name)|* => $platform,)*
                }
            }
        }
    };
}

telemetry! {
    Some(Platform::Windows) => {
        ProcessCreation "process_creation" "Sysmon 1.",
        NetworkConnection "network_connection" "Sysmon 3.",
        ProcessTermination "process_termination" "Sysmon 5.",
        FileCreate "file_create" "Sysmon 11.",
        RegistrySet "registry_set" "Sysmon 13.",
        DnsQuery "dns_query" "Sysmon 22.",
        Logon "logon" "Security 4624.",
        ConnectionPermitted "connection_permitted" "Security 5156.",
        ConnectionBlocked "connection_blocked" "Security 5157.",
        FileTimeChanged "file_time_changed" "Sysmon 2.",
        SysmonState "sysmon_state" "Sysmon 4.",
        DriverLoaded "driver_loaded" "Sysmon 6.",
        ImageLoaded "image_loaded" "Sysmon 7.",
        RemoteThread "remote_thread" "Sysmon 8.",
        ProcessAccess "process_access" "Sysmon 10.",
        RegistryKey "registry_key" "Sysmon 12.",
        StreamCreated "stream_created" "Sysmon 15.",
        SysmonConfig "sysmon_config" "Sysmon 16.",
        PipeCreated "pipe_created" "Sysmon 17.",
        PipeConnected "pipe_connected" "Sysmon 18.",
        WmiFilter "wmi_filter" "Sysmon 19.",
        WmiConsumer "wmi_consumer" "Sysmon 20.",
        WmiBinding "wmi_binding" "Sysmon 21.",
        FileDeleted "file_deleted" "Sysmon 23.",
        ProcessTampering "process_tampering" "Sysmon 25.",
        FileDeleteLogged "file_delete_logged" "Sysmon 26.",
        LogonFailed "logon_failed" "Security 4625.",
        Logoff "logoff" "Security 4634.",
        ExplicitLogon "explicit_logon" "Security 4648.",
        HandleRequested "handle_requested" "Security 4656.",
        ObjectAccess "object_access" "Security 4663.",
        SpecialLogon "special_logon" "Security 4672.",
        ProcessCreated "new_process" "Security 4688.",
        ServiceInstalled "service_installed" "Security 4697.",
        TaskCreated "task_created" "Security 4698.",
        TaskUpdated "task_updated" "Security 4702.",
        UserCreated "user_created" "Security 4720.",
        GlobalMemberAdded "global_member_added" "Security 4728.",
        LocalMemberAdded "local_member_added" "Security 4732.",
        TicketRequested "ticket_requested" "Security 4768: a Kerberos TGT.",
        ServiceTicket "service_ticket" "Security 4769.",
        PreauthFailed "preauth_failed" "Security 4771.",
        CredentialValidated "credential_validated" "Security 4776: NTLM.",
        ShareAccess "share_access" "Security 5140.",
        ShareCheck "share_check" "Security 5145.",
        LogCleared "log_cleared" "Security 1102.",
        ServiceCreated "service_created" "System 7045.",
        ScriptBlock "script_block" "PowerShell 4104.",
        ProcessExited "process_exited" "Security 4689.",
    }
    Some(Platform::Linux) => {
        UserLogin "user_login" "auditd USER_LOGIN.",
        UserCmd "user_cmd" "auditd USER_CMD (sudo).",
        Syscall "syscall" "auditd SYSCALL.",
        Execve "execve" "auditd EXECVE.",
        CredAcq "cred_acq" "auditd CRED_ACQ.",
        Path "path" "auditd PATH.",
        Cwd "cwd" "auditd CWD.",
        Proctitle "proctitle" "auditd PROCTITLE.",
        Sockaddr "sockaddr" "auditd SOCKADDR.",
        AddUser "add_user" "auditd ADD_USER.",
        UserChauthtok "user_chauthtok" "auditd USER_CHAUTHTOK.",
        ServiceStart "service_start" "auditd SERVICE_START.",
        UserAuth "user_auth" "auditd USER_AUTH.",
        UserAcct "user_acct" "auditd USER_ACCT.",
        Login "login" "auditd LOGIN.",
        UserStart "user_start" "auditd USER_START.",
        UserEnd "user_end" "auditd USER_END.",
        CredDisp "cred_disp" "auditd CRED_DISP.",
        CredRefr "cred_refr" "auditd CRED_REFR.",
        Syslog "syslog" "A syslog line.",
    }
    None => {
        CloudAudit "cloud_audit" "A cloud's audit log: AWS CloudTrail.",
        SaasAudit "saas_audit" "A service's audit log: Entra ID sign-ins, Office 365, GitHub.",
    }
}

/// Values of its own that a record takes under `data`: name and default; without a default it is mandatory.
type Data = (&'static str, Option<&'static str>);

/// Slots that a row has for [`Telemetry::data`].
pub const DATA_SLOTS: usize = 4;

impl Telemetry {
    /// It tells of what failed, always.
    pub fn is_failure(self) -> bool {
        use Telemetry::*;
        matches!(self, ConnectionBlocked | LogonFailed | PreauthFailed)
    }

    /// It tells of a process that starts.
    pub fn is_start(self) -> bool {
        matches!(self, Telemetry::ProcessCreation | Telemetry::Execve)
    }

    /// It is about a process of the record's own, whose account it has.
    pub fn is_of_process(self) -> bool {
        use Telemetry::*;
        matches!(
            self,
            NetworkConnection
                | ProcessTermination
                | FileCreate
                | RegistrySet
                | DnsQuery
                | ConnectionPermitted
                | ConnectionBlocked
                | FileTimeChanged
                | ImageLoaded
                | RemoteThread
                | ProcessAccess
                | RegistryKey
                | StreamCreated
                | PipeCreated
                | PipeConnected
                | FileDeleted
                | ProcessTampering
                | FileDeleteLogged
                | ExplicitLogon
                | HandleRequested
                | ObjectAccess
                | ProcessCreated
                | ProcessExited
                | ScriptBlock
                | Syscall
                | Path
                | Cwd
                | Proctitle
                | Sockaddr
        )
    }

    /// It names another process besides the acting one: `target`.
    pub fn has_target(self) -> bool {
        matches!(self, Telemetry::RemoteThread | Telemetry::ProcessAccess)
    }

    /// It tells of an account's logon session, whichever process writes it.
    pub fn is_of_session(self) -> bool {
        use Telemetry::*;
        matches!(
            self,
            Logon
                | Logoff
                | SpecialLogon
                | ServiceInstalled
                | TaskCreated
                | TaskUpdated
                | UserCreated
                | GlobalMemberAdded
                | LocalMemberAdded
                | ShareAccess
                | ShareCheck
                | LogCleared
        )
    }

    /// Who speaks to PAM writes it: sshd, cron or sudo, one process from an account's
    /// authentication to the end of its session.
    pub fn is_of_login(self) -> bool {
        use Telemetry::*;
        matches!(
            self,
            UserLogin
                | UserCmd
                | UserAuth
                | UserAcct
                | CredAcq
                | CredRefr
                | CredDisp
                | Login
                | UserStart
                | UserEnd
        )
    }

    /// It is a further record of the audit event before it: same time, same serial.
    pub fn is_companion(self) -> bool {
        use Telemetry::*;
        matches!(self, Path | Cwd | Proctitle | Sockaddr)
    }

    /// Names of `data` that it takes, in the order of their slots.
    pub fn data(self) -> &'static [Data] {
        use Telemetry::*;
        match self {
            SysmonState => &[("State", Some("Started"))],
            DriverLoaded => &[("Signature", None)],
            ImageLoaded => &[
                ("Signature", Some("-")),
                ("Description", Some("-")),
                ("Company", Some("-")),
                ("Product", Some("-")),
            ],
            RemoteThread => &[("StartModule", Some("-")), ("StartFunction", Some("-"))],
            ProcessAccess => &[("GrantedAccess", None), ("CallTrace", None)],
            RegistryKey => &[("EventType", Some("CreateKey"))],
            StreamCreated => &[("Contents", Some("-"))],
            PipeCreated | PipeConnected => &[("PipeName", None)],
            WmiFilter => &[
                ("EventNamespace", Some(r#" "root\\cimv2""#)),
                ("Name", None),
                ("Query", None),
            ],
            WmiConsumer => &[
                ("Name", None),
                ("Type", Some("Command Line")),
                ("Destination", None),
            ],
            WmiBinding => &[("Consumer", None), ("Filter", None)],
            ProcessTampering => &[("Type", Some("Image is replaced"))],
            LogonFailed => &[
                ("TargetUserName", Some("")),
                ("Status", Some("0xc000006d")),
                ("SubStatus", Some("0xc000006a")),
                ("FailureReason", Some("%%2313")),
            ],
            ExplicitLogon => &[
                ("TargetUserName", None),
                ("TargetServerName", Some("localhost")),
                ("TargetInfo", Some("localhost")),
            ],
            HandleRequested | ObjectAccess => &[
                ("ObjectType", Some("File")),
                ("ObjectName", None),
                ("AccessMask", Some("0x1")),
                ("AccessList", Some("%%4416\n\t\t\t\t")),
            ],
            ServiceInstalled => &[
                ("ServiceName", None),
                ("ServiceFileName", None),
                ("ServiceStartType", Some("3")),
                ("ServiceAccount", Some("LocalSystem")),
            ],
            TaskCreated | TaskUpdated => &[
                ("TaskName", None),
                ("Command", None),
                ("Arguments", Some("")),
            ],
            UserCreated => &[("TargetUserName", None)],
            GlobalMemberAdded | LocalMemberAdded => &[("TargetUserName", None), ("Member", None)],
            TicketRequested => &[
                ("TargetUserName", Some("")),
                ("TicketEncryptionType", Some("0x12")),
                ("TicketOptions", Some("0x40810010")),
                ("Status", Some("0x0")),
            ],
            ServiceTicket => &[
                ("ServiceName", None),
                ("TicketEncryptionType", Some("0x12")),
                ("TicketOptions", Some("0x40810000")),
                ("TargetUserName", Some("")),
            ],
            PreauthFailed => &[
                ("TargetUserName", Some("")),
                ("TicketOptions", Some("0x40810010")),
                ("Status", Some("0x18")),
            ],
            CredentialValidated => &[
                ("TargetUserName", Some("")),
                ("Workstation", Some("")),
                ("Status", Some("0x0")),
            ],
            ShareAccess => &[("ShareName", None), ("ShareLocalPath", Some(""))],
            ShareCheck => &[
                ("ShareName", None),
                ("RelativeTargetName", None),
                ("AccessMask", Some("0x12019f")),
                ("ShareLocalPath", Some("")),
            ],
            ServiceCreated => &[
                ("ServiceName", None),
                ("ImagePath", None),
                ("StartType", Some("demand start")),
                ("AccountName", Some("LocalSystem")),
            ],
            ScriptBlock => &[("ScriptBlockText", None), ("Path", Some(""))],
            ServiceStart => &[("unit", None)],
            AddUser => &[("acct", None)],
            Path => &[("nametype", Some("NORMAL"))],
            _ => &[],
        }
    }

    /// Every kind.
    pub fn all() -> impl Iterator<Item = Telemetry> {
        Self::WORDS.iter().map(|(_, kind)| *kind)
    }

    /// Slot and default of a name under `data`.
    pub fn slot(self, name: &str) -> Option<(usize, Option<&'static str>)> {
        let data = self.data();
        let at = data.iter().position(|(known, _)| *known == name)?;
        Some((at, data[at].1))
    }

    /// Its TOML word.
    pub fn word(self) -> &'static str {
        Self::WORDS
            .iter()
            .find(|(_, value)| *value == self)
            .map_or("", |(word, _)| *word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_fits_the_slots_of_a_row() {
        for (word, telemetry) in Telemetry::WORDS {
            assert!(telemetry.data().len() <= DATA_SLOTS, "{word}");
            for (at, (name, _)) in telemetry.data().iter().enumerate() {
                assert_eq!(telemetry.slot(name).unwrap().0, at, "{word} {name}");
            }
        }
    }
}
