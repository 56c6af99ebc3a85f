//! Records of Sysmon 15 (schema 4.90), by event id.
//!
//! Fields and their order follow the manifest, versions and tasks follow real logs.

use super::row::{About, Block, Key, Kind, Meaning, SYSMON, Stamp};
use super::telemetry::Telemetry as T;

pub(super) const ROWS: &[Kind] = &[
    Kind {
        telemetry: T::ProcessCreation,
        word: "process_creation",
        code: "1",
        version: 5,
        task: (1, "Process Create (rule: ProcessCreate)"),
        stamp: Stamp::Precise,
        about: About::Start,
        needs: &[Key::Image, Key::Command],
        takes: &[Key::Connection, Key::Directory, Key::Starts, Key::Integrity],
        blocks: &[Block::Start],
        fields: "RuleName UtcTime ProcessGuid ProcessId Image FileVersion Description Product \
            Company OriginalFileName CommandLine CurrentDirectory User LogonGuid LogonId \
            TerminalSessionId IntegrityLevel Hashes ParentProcessGuid ParentProcessId \
            ParentImage ParentCommandLine ParentUser",
        fusionai: Meaning::new(&["process"], &["start"], "process_started"),
        ecs: Some(Meaning::new(&["process"], &["start"], "Process creation")),
        ..SYSMON
    },
    Kind {
        telemetry: T::FileTimeChanged,
        word: "file_time_changed",
        code: "2",
        version: 5,
        task: (2, "File creation time changed (rule: FileCreateTime)"),
        about: About::Process,
        needs: &[Key::File],
        blocks: &[Block::File],
        fields: "RuleName UtcTime ProcessGuid ProcessId Image TargetFilename CreationUtcTime \
            PreviousCreationUtcTime User",
        fusionai: Meaning::new(&["file"], &["change"], "file_time_changed"),
        ecs: Some(Meaning::new(
            &["file"],
            &["change"],
            "A process changed a file creation time",
        )),
        ..SYSMON
    },
    Kind {
        telemetry: T::NetworkConnection,
        word: "network_connection",
        code: "3",
        version: 5,
        task: (3, "Network connection detected (rule: NetworkConnect)"),
        stamp: Stamp::Late,
        about: About::Process,
        needs: &[Key::Connection],
        fields: "RuleName UtcTime ProcessGuid ProcessId Image User Protocol Initiated \
            SourceIsIpv6 SourceIp SourceHostname SourcePort SourcePortName DestinationIsIpv6 \
            DestinationIp DestinationHostname DestinationPort DestinationPortName",
        fusionai: Meaning::new(&["network"], &["connection"], "connection_logged"),
        ecs: Some(Meaning::new(
            &["network"],
            &["start", "connection", "protocol"],
            "Network connection",
        )),
        ..SYSMON
    },
    Kind {
        telemetry: T::SysmonState,
        word: "sysmon_state",
        code: "4",
        version: 3,
        task: (4, "Sysmon service state changed"),
        stamp: Stamp::Precise,
        takes: &[Key::Connection],
        fields: "UtcTime State Version SchemaVersion",
        data: &[("State", Some("Started"))],
        fusionai: Meaning::new(&["process"], &["info"], "sensor_state_changed"),
        ecs: Some(Meaning::new(
            &["process"],
            &["change"],
            "Sysmon service state changed",
        )),
        ..SYSMON
    },
    Kind {
        telemetry: T::ProcessTermination,
        word: "process_termination",
        code: "5",
        version: 3,
        task: (5, "Process terminated (rule: ProcessTerminate)"),
        about: About::Process,
        fields: "RuleName UtcTime ProcessGuid ProcessId Image User",
        fusionai: Meaning::new(&["process"], &["end"], "process_ended"),
        ecs: Some(Meaning::new(&["process"], &["end"], "Process terminated")),
        ..SYSMON
    },
    Kind {
        telemetry: T::DriverLoaded,
        word: "driver_loaded",
        code: "6",
        version: 3,
        task: (6, "Driver loaded (rule: DriverLoad)"),
        stamp: Stamp::Precise,
        needs: &[Key::File],
        blocks: &[Block::File],
        fields: "RuleName UtcTime ImageLoaded Hashes Signed Signature SignatureStatus",
        data: &[("Signature", None)],
        fusionai: Meaning::new(&["driver"], &["start"], "driver_loaded"),
        ecs: Some(Meaning::new(&["driver"], &["start"], "Driver loaded")),
        ..SYSMON
    },
    Kind {
        telemetry: T::ImageLoaded,
        word: "image_loaded",
        code: "7",
        version: 3,
        task: (7, "Image loaded (rule: ImageLoad)"),
        about: About::Process,
        needs: &[Key::File],
        blocks: &[Block::File],
        fields: "RuleName UtcTime ProcessGuid ProcessId Image ImageLoaded FileVersion Description \
            Product Company OriginalFileName Hashes Signed Signature SignatureStatus User",
        data: &[
            ("Signature", Some("-")),
            ("Description", Some("-")),
            ("Company", Some("-")),
            ("Product", Some("-")),
        ],
        fusionai: Meaning::new(&["library"], &["start"], "image_loaded"),
        ecs: Some(Meaning::new(&["process"], &["change"], "Image loaded")),
        ..SYSMON
    },
    Kind {
        telemetry: T::RemoteThread,
        word: "remote_thread",
        code: "8",
        version: 2,
        task: (8, "CreateRemoteThread detected (rule: CreateRemoteThread)"),
        about: About::Process,
        needs: &[Key::Target],
        fields: "RuleName UtcTime SourceProcessGUID SourceProcessId SourceImage TargetProcessGUID \
            TargetProcessId TargetImage NewThreadId StartAddress StartModule StartFunction \
            SourceUser TargetUser",
        data: &[("StartModule", Some("-")), ("StartFunction", Some("-"))],
        fusionai: Meaning::new(&["process"], &["change"], "remote_thread_created"),
        ecs: Some(Meaning::new(
            &["process"],
            &["change"],
            "CreateRemoteThread",
        )),
        ..SYSMON
    },
    Kind {
        telemetry: T::ProcessAccess,
        word: "process_access",
        code: "10",
        version: 3,
        task: (10, "Process accessed (rule: ProcessAccess)"),
        about: About::Process,
        needs: &[Key::Target],
        fields: "RuleName UtcTime SourceProcessGUID SourceProcessId SourceThreadId SourceImage \
            TargetProcessGUID TargetProcessId TargetImage GrantedAccess CallTrace SourceUser \
            TargetUser",
        data: &[("GrantedAccess", None), ("CallTrace", None)],
        fusionai: Meaning::new(&["process"], &["access"], "process_accessed"),
        ecs: Some(Meaning::new(&["process"], &["access"], "ProcessAccess")),
        ..SYSMON
    },
    Kind {
        telemetry: T::FileCreate,
        word: "file_create",
        code: "11",
        version: 2,
        task: (11, "File created (rule: FileCreate)"),
        about: About::Process,
        needs: &[Key::File],
        blocks: &[Block::File],
        fields: "RuleName UtcTime ProcessGuid ProcessId Image TargetFilename CreationUtcTime User",
        fusionai: Meaning::new(&["file"], &["creation"], "file_created"),
        ecs: Some(Meaning::new(&["file"], &["creation"], "FileCreate")),
        ..SYSMON
    },
    Kind {
        telemetry: T::RegistryKey,
        word: "registry_key",
        code: "12",
        version: 2,
        task: (12, "Registry object added or deleted (rule: RegistryEvent)"),
        about: About::Process,
        needs: &[Key::Registry],
        blocks: &[Block::Registry],
        fields: "RuleName EventType UtcTime ProcessGuid ProcessId Image TargetObject User",
        data: &[("EventType", Some("CreateKey"))],
        fusionai: Meaning::new(&["registry"], &["change"], "registry_key_changed"),
        ecs: Some(Meaning::new(
            &["configuration", "registry"],
            &["change"],
            "RegistryEvent (Object create and delete)",
        )),
        ..SYSMON
    },
    Kind {
        telemetry: T::RegistrySet,
        word: "registry_set",
        code: "13",
        version: 2,
        task: (13, "Registry value set (rule: RegistryEvent)"),
        about: About::Process,
        needs: &[Key::Registry, Key::Details],
        blocks: &[Block::Registry],
        fields: "RuleName EventType UtcTime ProcessGuid ProcessId Image TargetObject Details User",
        fusionai: Meaning::new(&["registry"], &["change"], "registry_value_set"),
        ecs: Some(Meaning::new(
            &["configuration", "registry"],
            &["change"],
            "RegistryEvent (Value Set)",
        )),
        ..SYSMON
    },
    Kind {
        telemetry: T::RegistryRenamed,
        word: "registry_renamed",
        code: "14",
        version: 2,
        task: (14, "Registry object renamed (rule: RegistryEvent)"),
        about: About::Process,
        needs: &[Key::Registry],
        blocks: &[Block::Registry],
        fields: "RuleName EventType UtcTime ProcessGuid ProcessId Image TargetObject NewName User",
        data: &[("EventType", Some("RenameKey")), ("NewName", None)],
        fusionai: Meaning::new(&["registry"], &["change"], "registry_renamed"),
        ecs: Some(Meaning::new(
            &["configuration", "registry"],
            &["change"],
            "RegistryEvent (Key and Value Rename)",
        )),
        ..SYSMON
    },
    Kind {
        telemetry: T::StreamCreated,
        word: "stream_created",
        code: "15",
        version: 2,
        task: (15, "File stream created (rule: FileCreateStreamHash)"),
        about: About::Process,
        needs: &[Key::File],
        blocks: &[Block::File],
        fields: "RuleName UtcTime ProcessGuid ProcessId Image TargetFilename CreationUtcTime Hash \
            Contents User",
        data: &[("Contents", Some("-"))],
        fusionai: Meaning::new(&["file"], &["creation"], "stream_created"),
        ecs: Some(Meaning::new(&["file"], &["access"], "FileCreateStreamHash")),
        ..SYSMON
    },
    Kind {
        telemetry: T::SysmonConfig,
        word: "sysmon_config",
        code: "16",
        version: 3,
        task: (16, "Sysmon config state changed"),
        stamp: Stamp::Precise,
        needs: &[Key::File],
        takes: &[Key::Connection],
        fields: "UtcTime Configuration ConfigurationFileHash",
        fusionai: Meaning::new(&["configuration"], &["change"], "sensor_config_changed"),
        ecs: Some(Meaning::new(
            &["configuration"],
            &["change"],
            "ServiceConfigurationChange",
        )),
        ..SYSMON
    },
    Kind {
        telemetry: T::PipeCreated,
        word: "pipe_created",
        code: "17",
        version: 1,
        task: (17, "Pipe Created (rule: PipeEvent)"),
        about: About::Process,
        takes: &[Key::Connection],
        fields: "RuleName EventType UtcTime ProcessGuid ProcessId PipeName Image User",
        data: &[("PipeName", None)],
        fusionai: Meaning::new(&["file"], &["creation"], "pipe_created"),
        ecs: Some(Meaning::new(
            &["file"],
            &["creation"],
            "PipeEvent (Pipe Created)",
        )),
        ..SYSMON
    },
    Kind {
        telemetry: T::PipeConnected,
        word: "pipe_connected",
        code: "18",
        version: 1,
        task: (18, "Pipe Connected (rule: PipeEvent)"),
        about: About::Process,
        takes: &[Key::Connection],
        fields: "RuleName EventType UtcTime ProcessGuid ProcessId PipeName Image User",
        data: &[("PipeName", None)],
        fusionai: Meaning::new(&["file"], &["access"], "pipe_connected"),
        ecs: Some(Meaning::new(
            &["file"],
            &["access"],
            "PipeEvent (Pipe Connected)",
        )),
        ..SYSMON
    },
    Kind {
        telemetry: T::WmiFilter,
        word: "wmi_filter",
        code: "19",
        version: 3,
        task: (19, "WmiEventFilter activity detected (rule: WmiEvent)"),
        stamp: Stamp::Precise,
        takes: &[Key::Connection],
        fields: "RuleName EventType UtcTime Operation User EventNamespace Name Query",
        data: &[
            ("EventNamespace", Some(r#" "root\\cimv2""#)),
            ("Name", None),
            ("Query", None),
        ],
        fusionai: Meaning::new(&["configuration"], &["creation"], "wmi_filter_registered"),
        ecs: Some(Meaning::new(
            &["process"],
            &["info"],
            "WmiEvent (WmiEventFilter activity detected)",
        )),
        ..SYSMON
    },
    Kind {
        telemetry: T::WmiConsumer,
        word: "wmi_consumer",
        code: "20",
        version: 3,
        task: (20, "WmiEventConsumer activity detected (rule: WmiEvent)"),
        stamp: Stamp::Precise,
        takes: &[Key::Connection],
        fields: "RuleName EventType UtcTime Operation User Name Type Destination",
        data: &[
            ("Name", None),
            ("Type", Some("Command Line")),
            ("Destination", None),
        ],
        fusionai: Meaning::new(&["configuration"], &["creation"], "wmi_consumer_registered"),
        ecs: Some(Meaning::new(
            &["process"],
            &["change"],
            "WmiEvent (WmiEventConsumer activity detected)",
        )),
        ..SYSMON
    },
    Kind {
        telemetry: T::WmiBinding,
        word: "wmi_binding",
        stamp: Stamp::Precise,
        code: "21",
        version: 3,
        task: (
            21,
            "WmiEventConsumerToFilter activity detected (rule: WmiEvent)",
        ),
        takes: &[Key::Connection],
        fields: "RuleName EventType UtcTime Operation User Consumer Filter",
        data: &[("Consumer", None), ("Filter", None)],
        fusionai: Meaning::new(&["configuration"], &["creation"], "wmi_consumer_bound"),
        ecs: Some(Meaning::new(
            &["process"],
            &["access"],
            "WmiEvent (WmiEventConsumerToFilter activity detected)",
        )),
        ..SYSMON
    },
    Kind {
        telemetry: T::DnsQuery,
        word: "dns_query",
        code: "22",
        version: 5,
        task: (22, "Dns query (rule: DnsQuery)"),
        stamp: Stamp::Late,
        about: About::Process,
        needs: &[Key::Query],
        takes: &[Key::Answer, Key::QueryStatus, Key::Resolves],
        fields: "RuleName UtcTime ProcessGuid ProcessId QueryName QueryStatus QueryResults Image \
            User",
        fusionai: Meaning::new(&["network"], &["info"], "dns_query"),
        ecs: Some(Meaning::new(
            &["network"],
            &["connection", "protocol", "info"],
            "DNSEvent (DNS query)",
        )),
        ..SYSMON
    },
    Kind {
        telemetry: T::FileDeleted,
        word: "file_deleted",
        code: "23",
        version: 5,
        task: (23, "File Delete archived (rule: FileDelete)"),
        about: About::Process,
        needs: &[Key::File],
        blocks: &[Block::File],
        fields: "RuleName UtcTime ProcessGuid ProcessId User Image TargetFilename Hashes \
            IsExecutable Archived",
        fusionai: Meaning::new(&["file"], &["deletion"], "file_deleted"),
        ecs: Some(Meaning::new(
            &["file"],
            &["deletion"],
            "FileDelete (File Delete archived)",
        )),
        ..SYSMON
    },
    Kind {
        telemetry: T::ClipboardChanged,
        word: "clipboard_changed",
        code: "24",
        version: 5,
        task: (24, "Clipboard changed (rule: ClipboardChange)"),
        about: About::Process,
        fields: "RuleName UtcTime ProcessGuid ProcessId Image Session ClientInfo Hashes Archived \
            User",
        fusionai: Meaning::new(&["process"], &["change"], "clipboard_changed"),
        ecs: Some(Meaning::new(
            &["process"],
            &["change"],
            "ClipboardChange (New content in the clipboard)",
        )),
        ..SYSMON
    },
    Kind {
        telemetry: T::ProcessTampering,
        word: "process_tampering",
        code: "25",
        version: 5,
        task: (25, "Process Tampering (rule: ProcessTampering)"),
        about: About::Process,
        fields: "RuleName UtcTime ProcessGuid ProcessId Image Type User",
        data: &[("Type", Some("Image is replaced"))],
        fusionai: Meaning::new(&["process"], &["change"], "process_tampered"),
        ecs: Some(Meaning::new(
            &["process"],
            &["change"],
            "ProcessTampering (Process image change)",
        )),
        ..SYSMON
    },
    Kind {
        telemetry: T::FileDeleteLogged,
        word: "file_delete_logged",
        code: "26",
        version: 5,
        task: (26, "File Delete logged (rule: FileDeleteDetected)"),
        about: About::Process,
        needs: &[Key::File],
        blocks: &[Block::File],
        fields: "RuleName UtcTime ProcessGuid ProcessId User Image TargetFilename Hashes \
            IsExecutable",
        fusionai: Meaning::new(&["file"], &["deletion"], "file_deleted"),
        ecs: Some(Meaning::new(
            &["file"],
            &["deletion"],
            "FileDeleteDetected (File Delete logged)",
        )),
        ..SYSMON
    },
    Kind {
        telemetry: T::ExecutableBlocked,
        word: "executable_blocked",
        code: "27",
        version: 5,
        task: (27, "File Block Executable (rule: FileBlockExecutable)"),
        about: About::Process,
        is_failure: true,
        needs: &[Key::File],
        blocks: &[Block::File],
        fields: "RuleName UtcTime ProcessGuid ProcessId User Image TargetFilename Hashes",
        fusionai: Meaning::new(&["file"], &["creation"], "executable_blocked"),
        ecs: Some(Meaning::new(
            &["file"],
            &["creation"],
            "FileBlockExecutable",
        )),
        ..SYSMON
    },
    Kind {
        telemetry: T::ExecutableDetected,
        word: "executable_detected",
        code: "29",
        version: 5,
        task: (
            29,
            "File Executable Detected (rule: FileExecutableDetected)",
        ),
        about: About::Process,
        needs: &[Key::File],
        blocks: &[Block::File],
        fields: "RuleName UtcTime ProcessGuid ProcessId User Image TargetFilename Hashes",
        fusionai: Meaning::new(&["file"], &["creation"], "executable_detected"),
        ecs: Some(Meaning::new(
            &["file"],
            &["creation"],
            "FileExecutableDetected",
        )),
        ..SYSMON
    },
];
