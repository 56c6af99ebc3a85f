//! Records of Windows' own channels, by event id: Security, System, PowerShell.
//!
//! Fields, versions and tasks are those of the newest version that Windows 10 and 11 and Server 2016
//! to 2022 write.

use super::row::{
    About, Block, EVENTLOG, Key, Kind, Meaning, POWERSHELL, SECURITY, SYSTEM, Writer,
};
use super::telemetry::Telemetry as T;

pub(super) const ROWS: &[Kind] = &[
    Kind {
        telemetry: T::Logon,
        word: "logon",
        code: "4624",
        version: 2,
        task: (12_544, "Logon"),
        about: About::Session,
        needs: &[Key::LogonType, Key::Account],
        takes: &[Key::Connection],
        fields: "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId TargetUserSid \
            TargetUserName TargetDomainName TargetLogonId LogonType LogonProcessName \
            AuthenticationPackageName WorkstationName LogonGuid TransmittedServices \
            LmPackageName KeyLength ProcessId ProcessName IpAddress IpPort \
            ImpersonationLevel RestrictedAdminMode TargetOutboundUserName \
            TargetOutboundDomainName VirtualAccount TargetLinkedLogonId ElevatedToken",
        fusionai: Meaning::new(&["authentication"], &["start"], "logged_in"),
        ecs: Some(Meaning::new(&["authentication"], &["start"], "logged-in")),
        ..SECURITY
    },
    Kind {
        telemetry: T::LogonFailed,
        word: "logon_failed",
        code: "4625",
        version: 0,
        task: (12_544, "Logon"),
        is_failure: true,
        needs: &[Key::LogonType, Key::Account],
        takes: &[Key::Connection],
        fields: "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId TargetUserSid \
            TargetUserName TargetDomainName Status FailureReason SubStatus LogonType \
            LogonProcessName AuthenticationPackageName WorkstationName TransmittedServices \
            LmPackageName KeyLength ProcessId ProcessName IpAddress IpPort",
        data: &[
            ("TargetUserName", Some("")),
            ("Status", Some("0xc000006d")),
            ("SubStatus", Some("0xc000006a")),
            ("FailureReason", Some("%%2313")),
        ],
        fusionai: Meaning::new(&["authentication"], &["start"], "logon_failed"),
        ecs: Some(Meaning::new(
            &["authentication"],
            &["start"],
            "logon-failed",
        )),
        ..SECURITY
    },
    Kind {
        telemetry: T::Logoff,
        word: "logoff",
        code: "4634",
        version: 0,
        task: (12_545, "Logoff"),
        about: About::Session,
        needs: &[Key::LogonType, Key::Account],
        takes: &[Key::Connection],
        fields: "TargetUserSid TargetUserName TargetDomainName TargetLogonId LogonType",
        fusionai: Meaning::new(&["authentication"], &["end"], "logged_out"),
        ecs: Some(Meaning::new(&["authentication"], &["end"], "logged-out")),
        ..SECURITY
    },
    Kind {
        telemetry: T::ExplicitLogon,
        word: "explicit_logon",
        code: "4648",
        version: 0,
        task: (12_544, "Logon"),
        about: About::Process,
        takes: &[Key::Connection],
        fields: "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId LogonGuid \
            TargetUserName TargetDomainName TargetLogonGuid TargetServerName TargetInfo \
            ProcessId ProcessName IpAddress IpPort",
        data: &[
            ("TargetUserName", None),
            ("TargetServerName", Some("localhost")),
            ("TargetInfo", Some("localhost")),
        ],
        fusionai: Meaning::new(&["authentication"], &["start"], "logged_in_explicit"),
        ecs: Some(Meaning::new(
            &["authentication"],
            &["start"],
            "logged-in-explicit",
        )),
        ..SECURITY
    },
    Kind {
        telemetry: T::HandleRequested,
        word: "handle_requested",
        code: "4656",
        version: 1,
        task: (12_800, "File System"),
        writer: Writer::Kernel,
        about: About::Process,
        takes: &[Key::Connection],
        fields: "AccessList PrivilegeList ObjectServer SubjectUserName ObjectType ObjectName \
            AccessMask SubjectDomainName ProcessId TransactionId SubjectLogonId ProcessName \
            ResourceAttributes SubjectUserSid AccessReason RestrictedSidCount HandleId",
        data: &[
            ("ObjectType", Some("File")),
            ("ObjectName", None),
            ("AccessMask", Some("0x1")),
            ("AccessList", Some("%%4416\n\t\t\t\t")),
        ],
        fusionai: Meaning::new(&["file"], &["access"], "handle_requested"),
        ecs: Some(Meaning::new(&["file"], &["access"], "File System")),
        ..SECURITY
    },
    Kind {
        telemetry: T::ObjectAccess,
        word: "object_access",
        code: "4663",
        version: 1,
        task: (12_800, "File System"),
        writer: Writer::Kernel,
        about: About::Process,
        takes: &[Key::Connection],
        fields: "ProcessId SubjectLogonId AccessList ObjectServer SubjectUserName SubjectUserSid \
            ProcessName ObjectType ResourceAttributes ObjectName SubjectDomainName HandleId \
            AccessMask",
        data: &[
            ("ObjectType", Some("File")),
            ("ObjectName", None),
            ("AccessMask", Some("0x1")),
            ("AccessList", Some("%%4416\n\t\t\t\t")),
        ],
        fusionai: Meaning::new(&["file"], &["access"], "object_accessed"),
        ecs: Some(Meaning::new(&["file"], &["access"], "File System")),
        ..SECURITY
    },
    Kind {
        telemetry: T::SpecialLogon,
        word: "special_logon",
        code: "4672",
        version: 0,
        task: (12_548, "Special Logon"),
        about: About::Session,
        needs: &[Key::Account],
        takes: &[Key::Connection],
        fields: "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId PrivilegeList",
        fusionai: Meaning::new(&["iam"], &["admin"], "privileges_assigned"),
        ecs: Some(Meaning::new(&["iam"], &["admin"], "logged-in-special")),
        ..SECURITY
    },
    Kind {
        telemetry: T::ProcessCreated,
        word: "new_process",
        code: "4688",
        version: 2,
        task: (13_312, "Process Creation"),
        writer: Writer::Kernel,
        about: About::Process,
        takes: &[Key::Connection],
        blocks: &[Block::Start],
        fields: "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId NewProcessId \
            NewProcessName TokenElevationType ProcessId CommandLine TargetUserSid \
            TargetUserName TargetDomainName TargetLogonId ParentProcessName MandatoryLabel",
        fusionai: Meaning::new(&["process"], &["start"], "process_started"),
        ecs: Some(Meaning::new(&["process"], &["start"], "created-process")),
        ..SECURITY
    },
    Kind {
        telemetry: T::ProcessExited,
        word: "process_exited",
        code: "4689",
        version: 0,
        task: (13_313, "Process Termination"),
        writer: Writer::Kernel,
        about: About::Process,
        takes: &[Key::Connection],
        fields: "ProcessId SubjectLogonId SubjectUserName SubjectUserSid ProcessName Status \
            SubjectDomainName",
        fusionai: Meaning::new(&["process"], &["end"], "process_ended"),
        ecs: Some(Meaning::new(&["process"], &["end"], "exited-process")),
        ..SECURITY
    },
    Kind {
        telemetry: T::ServiceInstalled,
        word: "service_installed",
        code: "4697",
        version: 0,
        task: (12_289, "Security System Extension"),
        about: About::Session,
        needs: &[Key::Account],
        takes: &[Key::Connection],
        fields: "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId ServiceName \
            ServiceFileName ServiceType ServiceStartType ServiceAccount \
            ClientProcessStartKey ClientProcessId ParentProcessId",
        data: &[
            ("ServiceName", None),
            ("ServiceFileName", None),
            ("ServiceStartType", Some("3")),
            ("ServiceAccount", Some("LocalSystem")),
        ],
        fusionai: Meaning::new(&["configuration"], &["creation"], "service_installed"),
        ecs: Some(Meaning::new(
            &["iam", "configuration"],
            &["admin", "change"],
            "service-installed",
        )),
        ..SECURITY
    },
    Kind {
        telemetry: T::TaskCreated,
        word: "task_created",
        code: "4698",
        version: 0,
        task: (12_804, "Other Object Access Events"),
        about: About::Session,
        needs: &[Key::Account],
        takes: &[Key::Connection],
        fields: "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId TaskName \
            TaskContent ClientProcessStartKey ClientProcessId ParentProcessId \
            RpcCallClientLocality FQDN",
        data: &[
            ("TaskName", None),
            ("Command", None),
            ("Arguments", Some("")),
        ],
        fusionai: Meaning::new(&["configuration"], &["creation"], "scheduled_task_created"),
        ecs: Some(Meaning::new(
            &["iam", "configuration"],
            &["creation", "admin"],
            "scheduled-task-created",
        )),
        ..SECURITY
    },
    Kind {
        telemetry: T::TaskUpdated,
        word: "task_updated",
        code: "4702",
        version: 0,
        task: (12_804, "Other Object Access Events"),
        about: About::Session,
        needs: &[Key::Account],
        takes: &[Key::Connection],
        fields: "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId TaskName \
            TaskContentNew ClientProcessStartKey ClientProcessId ParentProcessId \
            RpcCallClientLocality FQDN",
        data: &[
            ("TaskName", None),
            ("Command", None),
            ("Arguments", Some("")),
        ],
        fusionai: Meaning::new(&["configuration"], &["change"], "scheduled_task_updated"),
        ecs: Some(Meaning::new(
            &["iam", "configuration"],
            &["change", "admin"],
            "scheduled-task-updated",
        )),
        ..SECURITY
    },
    Kind {
        telemetry: T::UserCreated,
        word: "user_created",
        code: "4720",
        version: 0,
        task: (13_824, "User Account Management"),
        about: About::Session,
        needs: &[Key::Account],
        takes: &[Key::Connection],
        fields: "TargetUserName TargetDomainName TargetSid SubjectUserSid SubjectUserName \
            SubjectDomainName SubjectLogonId PrivilegeList SamAccountName DisplayName \
            UserPrincipalName HomeDirectory HomePath ScriptPath ProfilePath UserWorkstations \
            PasswordLastSet AccountExpires PrimaryGroupId AllowedToDelegateTo OldUacValue \
            NewUacValue UserAccountControl UserParameters SidHistory LogonHours",
        data: &[("TargetUserName", None)],
        fusionai: Meaning::new(&["iam"], &["creation"], "user_created"),
        ecs: Some(Meaning::new(
            &["iam"],
            &["user", "creation"],
            "added-user-account",
        )),
        ..SECURITY
    },
    Kind {
        telemetry: T::GlobalMemberAdded,
        word: "global_member_added",
        code: "4728",
        version: 0,
        task: (13_826, "Security Group Management"),
        about: About::Session,
        needs: &[Key::Account],
        takes: &[Key::Connection],
        fields: "MemberName MemberSid TargetUserName TargetDomainName TargetSid SubjectUserSid \
            SubjectUserName SubjectDomainName SubjectLogonId PrivilegeList",
        data: &[("TargetUserName", None), ("Member", None)],
        fusionai: Meaning::new(&["iam"], &["change"], "group_member_added"),
        ecs: Some(Meaning::new(
            &["iam"],
            &["group", "change"],
            "added-member-to-group",
        )),
        ..SECURITY
    },
    Kind {
        telemetry: T::LocalMemberAdded,
        word: "local_member_added",
        code: "4732",
        version: 0,
        task: (13_826, "Security Group Management"),
        about: About::Session,
        needs: &[Key::Account],
        takes: &[Key::Connection],
        fields: "MemberName MemberSid TargetUserName TargetDomainName TargetSid SubjectUserSid \
            SubjectUserName SubjectDomainName SubjectLogonId PrivilegeList",
        data: &[("TargetUserName", None), ("Member", None)],
        fusionai: Meaning::new(&["iam"], &["change"], "group_member_added"),
        ecs: Some(Meaning::new(
            &["iam"],
            &["group", "change"],
            "added-member-to-group",
        )),
        ..SECURITY
    },
    Kind {
        telemetry: T::TicketRequested,
        word: "ticket_requested",
        code: "4768",
        version: 0,
        task: (14_339, "Kerberos Authentication Service"),
        needs: &[Key::Account],
        takes: &[Key::Connection, Key::Success],
        fields: "TargetUserName TargetDomainName TargetSid ServiceName ServiceSid TicketOptions \
            Status TicketEncryptionType PreAuthType IpAddress IpPort CertIssuerName \
            CertSerialNumber CertThumbprint",
        data: &[
            ("TargetUserName", Some("")),
            ("TicketEncryptionType", Some("0x12")),
            ("TicketOptions", Some("0x40810010")),
            ("Status", Some("0x0")),
        ],
        fusionai: Meaning::new(&["authentication"], &["start"], "ticket_requested"),
        ecs: Some(Meaning::new(
            &["authentication"],
            &["start"],
            "kerberos-authentication-ticket-requested",
        )),
        ..SECURITY
    },
    Kind {
        telemetry: T::ServiceTicket,
        word: "service_ticket",
        code: "4769",
        version: 0,
        task: (14_337, "Kerberos Service Ticket Operations"),
        needs: &[Key::Account],
        takes: &[Key::Connection, Key::Success],
        fields: "TargetUserName TargetDomainName ServiceName ServiceSid TicketOptions \
            TicketEncryptionType IpAddress IpPort Status LogonGuid TransmittedServices",
        data: &[
            ("ServiceName", None),
            ("TicketEncryptionType", Some("0x12")),
            ("TicketOptions", Some("0x40810000")),
            ("TargetUserName", Some("")),
        ],
        fusionai: Meaning::new(&["authentication"], &["start"], "service_ticket_requested"),
        ecs: Some(Meaning::new(
            &["authentication"],
            &["start"],
            "kerberos-service-ticket-requested",
        )),
        ..SECURITY
    },
    Kind {
        telemetry: T::PreauthFailed,
        word: "preauth_failed",
        code: "4771",
        version: 0,
        task: (14_339, "Kerberos Authentication Service"),
        is_failure: true,
        needs: &[Key::Account],
        takes: &[Key::Connection],
        fields: "TargetUserName TargetSid ServiceName TicketOptions Status PreAuthType IpAddress \
            IpPort CertIssuerName CertSerialNumber CertThumbprint",
        data: &[
            ("TargetUserName", Some("")),
            ("TicketOptions", Some("0x40810010")),
            ("Status", Some("0x18")),
        ],
        fusionai: Meaning::new(&["authentication"], &["start"], "preauthentication_failed"),
        ecs: Some(Meaning::new(
            &["authentication"],
            &["start"],
            "kerberos-preauth-failed",
        )),
        ..SECURITY
    },
    Kind {
        telemetry: T::CredentialValidated,
        word: "credential_validated",
        code: "4776",
        version: 0,
        task: (14_336, "Credential Validation"),
        needs: &[Key::Account],
        takes: &[Key::Connection, Key::Success],
        fields: "PackageName TargetUserName Workstation Status",
        data: &[
            ("TargetUserName", Some("")),
            ("Workstation", Some("")),
            ("Status", Some("0x0")),
        ],
        fusionai: Meaning::new(&["authentication"], &["start"], "credential_validated"),
        ecs: Some(Meaning::new(
            &["authentication"],
            &["start"],
            "credential-validated",
        )),
        ..SECURITY
    },
    Kind {
        telemetry: T::ShareAccess,
        word: "share_access",
        code: "5140",
        version: 1,
        task: (12_808, "File Share"),
        writer: Writer::Kernel,
        about: About::Session,
        needs: &[Key::Account],
        takes: &[Key::Connection],
        fields: "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId ObjectType \
            IpAddress IpPort ShareName ShareLocalPath AccessMask AccessList",
        data: &[("ShareName", None), ("ShareLocalPath", Some(""))],
        fusionai: Meaning::new(&["file"], &["access"], "share_accessed"),
        ecs: Some(Meaning::new(
            &["network", "file"],
            &["info", "access"],
            "network-share-object-accessed",
        )),
        ..SECURITY
    },
    Kind {
        telemetry: T::ShareCheck,
        word: "share_check",
        code: "5145",
        version: 0,
        task: (12_811, "Detailed File Share"),
        writer: Writer::Kernel,
        about: About::Session,
        needs: &[Key::Account],
        takes: &[Key::Connection],
        fields: "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId ObjectType \
            IpAddress IpPort ShareName ShareLocalPath RelativeTargetName AccessMask \
            AccessList AccessReason",
        data: &[
            ("ShareName", None),
            ("RelativeTargetName", None),
            ("AccessMask", Some("0x12019f")),
            ("ShareLocalPath", Some("")),
        ],
        fusionai: Meaning::new(&["file"], &["access"], "share_object_checked"),
        ecs: Some(Meaning::new(
            &["network", "file"],
            &["info", "access"],
            "network-share-object-access-checked",
        )),
        ..SECURITY
    },
    Kind {
        telemetry: T::ConnectionPermitted,
        word: "connection_permitted",
        code: "5156",
        version: 1,
        task: (12_810, "Filtering Platform Connection"),
        writer: Writer::Kernel,
        about: About::Process,
        needs: &[Key::Connection],
        fields: "ProcessId Application Direction SourceAddress SourcePort DestAddress DestPort \
            Protocol FilterRTID LayerName LayerRTID RemoteUserID RemoteMachineID",
        fusionai: Meaning::new(&["network"], &["allowed"], "connection_permitted"),
        ecs: Some(Meaning::new(
            &["network"],
            &["connection", "allowed"],
            "Filtering Platform Connection",
        )),
        ..SECURITY
    },
    Kind {
        telemetry: T::ConnectionBlocked,
        word: "connection_blocked",
        code: "5157",
        version: 1,
        task: (12_810, "Filtering Platform Connection"),
        is_failure: true,
        writer: Writer::Kernel,
        about: About::Process,
        needs: &[Key::Connection],
        fields: "ProcessId Application Direction SourceAddress SourcePort DestAddress DestPort \
            Protocol FilterRTID LayerName LayerRTID RemoteUserID RemoteMachineID",
        fusionai: Meaning::new(&["network"], &["denied"], "connection_blocked"),
        ecs: Some(Meaning::new(
            &["network"],
            &["connection", "denied"],
            "Filtering Platform Connection",
        )),
        ..SECURITY
    },
    Kind {
        telemetry: T::LogCleared,
        word: "log_cleared",
        code: "1102",
        version: 0,
        task: (104, "Log clear"),
        about: About::Session,
        needs: &[Key::Account],
        takes: &[Key::Connection],
        fields: "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId",
        fusionai: Meaning::new(&["configuration"], &["change"], "log_cleared"),
        ecs: Some(Meaning::new(
            &["iam"],
            &["admin", "change"],
            "audit-log-cleared",
        )),
        ..EVENTLOG
    },
    Kind {
        telemetry: T::ServiceCreated,
        word: "service_created",
        code: "7045",
        version: 0,
        task: (0, ""),
        takes: &[Key::Connection],
        fields: "ServiceName ImagePath ServiceType StartType AccountName",
        data: &[
            ("ServiceName", None),
            ("ImagePath", None),
            ("StartType", Some("demand start")),
            ("AccountName", Some("LocalSystem")),
        ],
        fusionai: Meaning::new(&["configuration"], &["creation"], "service_created"),
        ecs: Some(Meaning::new(
            &["configuration"],
            &["creation"],
            "service-installed",
        )),
        ..SYSTEM
    },
    Kind {
        telemetry: T::ScriptBlock,
        word: "script_block",
        code: "4104",
        version: 1,
        task: (2, "Execute a Remote Command"),
        about: About::Process,
        fields: "MessageNumber MessageTotal ScriptBlockText ScriptBlockId Path",
        data: &[("ScriptBlockText", None), ("Path", Some(""))],
        fusionai: Meaning::new(&["process"], &["info"], "script_block_logged"),
        ecs: Some(Meaning::new(
            &["process"],
            &["info"],
            "Execute a Remote Command",
        )),
        ..POWERSHELL
    },
];
