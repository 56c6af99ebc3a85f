//! Fields of Security, System and PowerShell records other than 4624 and 5156.
//!
//! In `fusionai`, hexadecimal ids are numbers. Status codes, masks and encryption types stay strings,
//! because detection rules match them as strings.

use super::enrichment::{ends, push_decimal};
use super::words::WordTable;
use super::{Column, View};
use crate::kinds::{Kinds, Telemetry as T, field, kinds};
use crate::random::Key;
use crate::world::users::is_windows_own;

static PRIVILEGES: WordTable = WordTable::new(&[
    "-",
    "SeSecurityPrivilege\n\t\t\tSeBackupPrivilege\n\t\t\tSeRestorePrivilege\n\t\t\t\
         SeTakeOwnershipPrivilege\n\t\t\tSeDebugPrivilege\n\t\t\tSeSystemEnvironmentPrivilege\n\t\t\t\
         SeLoadDriverPrivilege\n\t\t\tSeImpersonatePrivilege\n\t\t\tSeDelegateSessionUserImpersonatePrivilege",
    "SeAssignPrimaryTokenPrivilege\n\t\t\tSeTcbPrivilege\n\t\t\tSeSecurityPrivilege\n\t\t\t\
         SeTakeOwnershipPrivilege\n\t\t\tSeLoadDriverPrivilege\n\t\t\tSeBackupPrivilege\n\t\t\t\
         SeRestorePrivilege\n\t\t\tSeDebugPrivilege\n\t\t\tSeAuditPrivilege\n\t\t\t\
         SeSystemEnvironmentPrivilege\n\t\t\tSeImpersonatePrivilege\n\t\t\tSeDelegateSessionUserImpersonatePrivilege",
]);
static ELEVATION_TYPES: WordTable = WordTable::new(&["%%1936", "%%1938"]);
static MANDATORY_LABELS: WordTable =
    WordTable::new(&["S-1-16-16384", "S-1-16-12288", "S-1-16-8192"]);
static SERVICE_TYPES: WordTable =
    WordTable::new(&["0x10", "0x1", "user mode service", "kernel mode driver"]);

const PRIVILEGED: Kinds = kinds(&[T::SpecialLogon]);
const OBJECT: Kinds = field("ObjectServer");
const HANDLE: Kinds = field("TransactionId");
const CREATED: Kinds = field("NewProcessId");
const SERVICE: Kinds = kinds(&[T::ServiceInstalled]);
const TASK: Kinds = field("RpcCallClientLocality");
const USER: Kinds = field("SamAccountName");
const MEMBER: Kinds = field("MemberSid");
const TICKET: Kinds = kinds(&[T::TicketRequested]);
const SERVICE_TICKET: Kinds = kinds(&[T::ServiceTicket]);
const PREAUTH: Kinds = kinds(&[T::PreauthFailed]);
const SHARE: Kinds = field("ShareName");
const CHECK: Kinds = kinds(&[T::ShareCheck]);
const SYSTEM: Kinds = kinds(&[T::ServiceCreated]);
const SCRIPT: Kinds = field("ScriptBlockText");

given! {
    sub_status "SubStatus"
    target_server_name "TargetServerName" target_info "TargetInfo"
    object_name "ObjectName"
    service_file_name "ServiceFileName" service_start_type "ServiceStartType"
    service_account "ServiceAccount" task_name "TaskName"
    ticket_encryption_type "TicketEncryptionType" ticket_options "TicketOptions"
    workstation "Workstation" share_name "ShareName" relative_target_name "RelativeTargetName"
    image_path "ImagePath" start_type "StartType" account_name "AccountName"
    script_block_text "ScriptBlockText" script_path "Path"
}

/// PrivilegeList: that of administrators or of SYSTEM in 4672, `-` in other records.
pub fn privilege_list(v: &View<'_>) -> Column {
    v.texts_of(
        PRIVILEGED | USER | MEMBER | HANDLE,
        PRIVILEGES.table(),
        |r| {
            let is_system = v.frame.user[r] == crate::world::users::SYSTEM;
            i32::from(v.is(r, PRIVILEGED)) + i32::from(v.is(r, PRIVILEGED) && is_system)
        },
    )
}
/// ObjectServer.
pub fn object_server(v: &View<'_>) -> Column {
    v.literal(OBJECT, "Security")
}
/// ObjectType: the record's own; `File` for shares.
pub fn object_type(v: &View<'_>) -> Column {
    v.plain(OBJECT | SHARE, 6, |r, out| {
        let text = if v.is(r, SHARE) {
            "File"
        } else {
            v.given_text(r, "ObjectType").unwrap_or("File")
        };
        out.extend_from_slice(text.as_bytes());
        true
    })
}
/// HandleId.
pub fn handle_id(v: &View<'_>) -> Column {
    v.integers(OBJECT, |r| Some(4 * (30 + (v.frame.salt[r] % 3000) as i64)))
}
/// AccessMask.
pub fn access_mask(v: &View<'_>) -> Column {
    v.plain(OBJECT | SHARE, 8, |r, out| {
        let mask = v.given_text(r, "AccessMask").unwrap_or("0x1");
        out.extend_from_slice(mask.as_bytes());
        true
    })
}
/// AccessList: the rights of the mask, as message ids.
pub fn access_list(v: &View<'_>) -> Column {
    v.plain(OBJECT | SHARE, 16, |r, out| {
        let is_file = v.is(r, SHARE) || v.given_text(r, "ObjectType") == Some("File");
        if !is_file {
            let list = v.given_text(r, "AccessList").unwrap_or_default();
            out.extend_from_slice(list.as_bytes());
            return true;
        }
        let mask = v.given_text(r, "AccessMask").unwrap_or("0x1");
        let mask = u64::from_str_radix(mask.trim_start_matches("0x"), 16).unwrap_or(1);
        // Bits 0–8 are file rights from %%4416, bits 16–20 the standard rights from %%1537.
        for bit in (16..21).chain(0..9) {
            if mask >> bit & 1 == 1 {
                let id = if bit >= 16 {
                    1537 + bit - 16
                } else {
                    4416 + bit
                };
                out.extend_from_slice(b"%%");
                push_decimal(out, id);
                out.extend_from_slice(b"\n\t\t\t\t");
            }
        }
        true
    })
}
/// AccessReason.
pub fn access_reason(v: &View<'_>) -> Column {
    v.literal(CHECK | HANDLE, "-")
}
/// ResourceAttributes.
pub fn resource_attributes(v: &View<'_>) -> Column {
    v.literal(OBJECT, "-")
}
/// TransactionId.
pub fn transaction_id(v: &View<'_>) -> Column {
    v.literal(HANDLE, "{00000000-0000-0000-0000-000000000000}")
}
/// RestrictedSidCount.
pub fn restricted_sid_count(v: &View<'_>) -> Column {
    v.literal(HANDLE, "0")
}

/// NewProcessId.
pub fn new_process_id(v: &View<'_>) -> Column {
    v.integers(CREATED, |r| Some(i64::from(v.frame.process.pid[r])))
}
/// NewProcessName.
pub fn new_process_name(v: &View<'_>) -> Column {
    v.own(CREATED, &v.frame.process.path, Some(&v.tables.image_path))
}
/// ParentProcessName.
pub fn parent_process_name(v: &View<'_>) -> Column {
    v.own(CREATED, &v.frame.parent.path, Some(&v.tables.image_path))
}
/// TokenElevationType: limited for the host's user, otherwise default.
pub fn token_elevation_type(v: &View<'_>) -> Column {
    v.texts_of(CREATED, ELEVATION_TYPES.table(), |r| {
        let host = v.maker.world.hosts[v.frame.host[r]].user;
        i32::from(v.frame.process.account[r] == host.into())
    })
}
/// MandatoryLabel: the SID of the integrity level.
pub fn mandatory_label(v: &View<'_>) -> Column {
    v.texts_of(CREATED, MANDATORY_LABELS.table(), |r| {
        let user = v.maker.world.hosts[v.frame.host[r]].user;
        match v.frame.process.account[r].get() {
            Some(account) if is_windows_own(account) => 0,
            Some(account) if account == user => 2,
            _ => 1,
        }
    })
}

/// Status and FailureReason of a failed logon, by its sub-status.
fn failure(sub_status: &str) -> (&'static str, &'static str) {
    match sub_status {
        "0xc000006f" => ("0xc000006e", "%%2311"),
        "0xc0000070" => ("0xc000006e", "%%2312"),
        "0xc0000071" => ("0xc000006e", "%%2309"),
        "0xc0000072" => ("0xc000006e", "%%2310"),
        "0xc0000193" => ("0xc000006e", "%%2305"),
        "0xc000015b" => ("0xc000015b", "%%2308"),
        "0xc0000234" => ("0xc0000234", "%%2307"),
        _ => ("0xc000006d", "%%2313"),
    }
}
/// FailureReason: follows from the sub-status.
pub fn failure_reason(v: &View<'_>) -> Column {
    v.plain(kinds(&[T::LogonFailed]), 6, |r, out| {
        let (_, reason) = failure(v.given_text(r, "SubStatus").unwrap_or_default());
        out.extend_from_slice(reason.as_bytes());
        true
    })
}

/// Status: the record's own; success for 4769.
pub fn status(v: &View<'_>) -> Column {
    let of = kinds(&[
        T::LogonFailed,
        T::TicketRequested,
        T::ServiceTicket,
        T::PreauthFailed,
        T::CredentialValidated,
        T::ProcessExited,
    ]);
    v.plain(of, 10, |r, out| {
        let status = match v.frame.telemetry[r] {
            T::LogonFailed => failure(v.given_text(r, "SubStatus").unwrap_or_default()).0,
            _ => v.given_text(r, "Status").unwrap_or("0x0"),
        };
        out.extend_from_slice(status.as_bytes());
        true
    })
}

/// ServiceName: a service, or the principal that a ticket is for.
pub fn service_name(v: &View<'_>) -> Column {
    v.plain(
        SERVICE | SYSTEM | TICKET | SERVICE_TICKET | PREAUTH,
        14,
        |r, out| {
            let text = match v.frame.telemetry[r] {
                T::TicketRequested => "krbtgt",
                T::PreauthFailed => {
                    out.extend_from_slice(b"krbtgt/");
                    out.extend_from_slice(v.tables.realm.as_bytes());
                    return true;
                }
                _ => v.given_text(r, "ServiceName").unwrap_or_default(),
            };
            out.extend_from_slice(text.as_bytes());
            true
        },
    )
}
/// ServiceSid: that of krbtgt, or of the principal's account.
pub fn service_sid(v: &View<'_>) -> Column {
    v.plain(TICKET | SERVICE_TICKET, 46, |r, out| {
        let name = v.given_text(r, "ServiceName").unwrap_or("krbtgt");
        if name == "krbtgt" {
            out.extend_from_slice(v.maker.world.domain.sid.as_bytes());
            out.extend_from_slice(b"-502");
        } else {
            domain_sid(v, name, out);
        }
        true
    })
}
/// ServiceType: a number in 4697, words in 7045.
pub fn service_type(v: &View<'_>) -> Column {
    v.texts_of(SERVICE | SYSTEM, SERVICE_TYPES.table(), |r| {
        let name = if v.is(r, SYSTEM) {
            "ImagePath"
        } else {
            "ServiceFileName"
        };
        let driver = v
            .given_text(r, name)
            .is_some_and(|path| path.ends_with(".sys"));
        i32::from(driver) + 2 * i32::from(v.is(r, SYSTEM))
    })
}

fn push_escaped(out: &mut Vec<u8>, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.extend_from_slice(b"&amp;"),
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}
fn task_xml(v: &View<'_>, kind: T) -> Column {
    v.plain(kinds(&[kind]), 1400, |r, out| {
        let account = &v.maker.world.accounts[v.frame.user[r]];
        let mut text = |text: &str| out.extend_from_slice(text.as_bytes());
        text("<?xml version=\"1.0\" encoding=\"UTF-16\"?>\r\n<Task version=\"1.2\" xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">\r\n  <RegistrationInfo>\r\n    <Author>");
        text(&account.qualified);
        text("</Author>\r\n    <URI>");
        text(v.given_text(r, "TaskName").unwrap_or_default());
        text("</URI>\r\n  </RegistrationInfo>\r\n  <Principals>\r\n    <Principal id=\"Author\">\r\n      <UserId>");
        text(&account.sid);
        text("</UserId>\r\n      <RunLevel>HighestAvailable</RunLevel>\r\n    </Principal>\r\n  </Principals>\r\n  <Settings>\r\n    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>\r\n    <Enabled>true</Enabled>\r\n  </Settings>\r\n  <Actions Context=\"Author\">\r\n    <Exec>\r\n      <Command>");
        push_escaped(out, v.given_text(r, "Command").unwrap_or_default());
        out.extend_from_slice(b"</Command>\r\n      <Arguments>");
        push_escaped(out, v.given_text(r, "Arguments").unwrap_or_default());
        out.extend_from_slice(b"</Arguments>\r\n    </Exec>\r\n  </Actions>\r\n</Task>");
        true
    })
}
/// TaskContent of 4698.
pub fn task_content(v: &View<'_>) -> Column {
    task_xml(v, T::TaskCreated)
}
/// TaskContentNew of 4702.
pub fn task_content_new(v: &View<'_>) -> Column {
    task_xml(v, T::TaskUpdated)
}
/// ClientProcessId of task and service records: the acting process.
pub fn client_process_id(v: &View<'_>) -> Column {
    v.integers(SERVICE | TASK, |r| Some(i64::from(v.frame.process.pid[r])))
}
/// ClientProcessStartKey.
pub fn client_process_start_key(v: &View<'_>) -> Column {
    v.plain(SERVICE | TASK, 16, |r, out| {
        let key = 0x3_0000_0000_0000 + (v.frame.salt[r] >> 8) % 9000;
        out.extend_from_slice(key.to_string().as_bytes());
        true
    })
}
/// RpcCallClientLocality.
pub fn client_locality(v: &View<'_>) -> Column {
    v.literal(TASK, "0")
}
/// FQDN.
pub fn fully_qualified_name(v: &View<'_>) -> Column {
    v.texts_of(TASK, &v.tables.computer_name, |r| v.frame.host[r].key())
}

/// The SID of a domain account. New accounts have numbers above all others.
fn domain_sid(v: &View<'_>, name: &str, out: &mut Vec<u8>) {
    let accounts = &v.maker.world.accounts;
    if let Some(account) = accounts.named(name) {
        out.extend_from_slice(accounts[account].sid.as_bytes());
        return;
    }
    let rid = u64::from(accounts.next_rid()) + Key::root(0x51d).child(name).below(1, 2_000);
    out.extend_from_slice(v.maker.world.domain.sid.as_bytes());
    out.extend_from_slice(format!("-{rid}").as_bytes());
}

/// The SID of an account that a record creates or adds. On a member server it is a local account.
fn account_sid(v: &View<'_>, row: usize, name: &str, out: &mut Vec<u8>) {
    let host = v.frame.host[row];
    if v.maker.world.hosts[host].is(crate::catalog::HostClass::DomainController) {
        return domain_sid(v, name, out);
    }
    let key = v
        .maker
        .world
        .hardware(host)
        .part(crate::world::processes::HardwareSlot::MachineSid);
    let part = |n| 1_000_000_000 + key.with(n).below(0, 3_000_000_000);
    let rid = 1_001 + Key::root(0x51d).child(name).below(1, 12);
    let sid = format!("S-1-5-21-{}-{}-{}-{rid}", part(0), part(1), part(2));
    out.extend_from_slice(sid.as_bytes());
}
/// TargetSid: the SID of the account or group that the record is about.
pub fn target_sid(v: &View<'_>) -> Column {
    v.plain(TICKET | PREAUTH | USER | MEMBER, 46, |r, out| {
        let given = v.given_text(r, "TargetUserName");
        match (v.frame.telemetry[r], given) {
            (T::LocalMemberAdded, Some("Remote Desktop Users")) => {
                out.extend_from_slice(b"S-1-5-32-555");
            }
            (T::LocalMemberAdded, _) => out.extend_from_slice(b"S-1-5-32-544"),
            (T::GlobalMemberAdded, group) => {
                out.extend_from_slice(v.maker.world.domain.sid.as_bytes());
                let rid = match group.unwrap_or_default() {
                    "Domain Admins" => 512,
                    "Enterprise Admins" => 519,
                    // A group of the organisation. Its number is below those of people's accounts.
                    name => 1_000 + Key::root(0x6e0).child(name).below(1, 100),
                };
                out.extend_from_slice(format!("-{rid}").as_bytes());
            }
            (T::UserCreated, Some(name)) => account_sid(v, r, name, out),
            (T::TicketRequested, Some(name)) if name.ends_with('$') => domain_sid(v, name, out),
            // An unknown principal has no SID.
            (T::TicketRequested | T::PreauthFailed, Some(_)) => out.extend_from_slice(b"S-1-0-0"),
            _ => out.extend_from_slice(v.maker.world.accounts[v.frame.user[r]].sid.as_bytes()),
        }
        true
    })
}
/// MemberSid.
pub fn member_sid(v: &View<'_>) -> Column {
    v.plain(MEMBER, 46, |r, out| {
        account_sid(v, r, v.given_text(r, "Member").unwrap_or_default(), out);
        true
    })
}
/// MemberName: the distinguished name, in domain groups.
pub fn member_name(v: &View<'_>) -> Column {
    v.plain(MEMBER, 40, |r, out| {
        if v.frame.telemetry[r] == T::LocalMemberAdded {
            out.push(b'-');
            return true;
        }
        let member = v.given_text(r, "Member").unwrap_or_default();
        out.extend_from_slice(format!("CN={member},CN=Users").as_bytes());
        for part in v.maker.world.domain.dns.split('.') {
            out.extend_from_slice(format!(",DC={part}").as_bytes());
        }
        true
    })
}
/// SamAccountName.
pub fn sam_account_name(v: &View<'_>) -> Column {
    v.plain(USER, 12, |r, out| {
        let name = v.given_text(r, "TargetUserName").unwrap_or_default();
        out.extend_from_slice(name.as_bytes());
        true
    })
}
/// `%%1793` (value not set): DisplayName, HomeDirectory, HomePath, ScriptPath, ProfilePath,
/// UserWorkstations and UserParameters.
pub fn not_set(v: &View<'_>) -> Column {
    v.literal(USER, "%%1793")
}
/// PasswordLastSet and AccountExpires: never.
pub fn never(v: &View<'_>) -> Column {
    v.literal(USER, "%%1794")
}
/// UserPrincipalName, AllowedToDelegateTo and SidHistory.
pub fn user_dash(v: &View<'_>) -> Column {
    v.literal(USER, "-")
}
/// PrimaryGroupId.
pub fn primary_group_id(v: &View<'_>) -> Column {
    v.literal(USER, "513")
}
/// OldUacValue.
pub fn old_uac_value(v: &View<'_>) -> Column {
    v.literal(USER, "0x0")
}
/// NewUacValue.
pub fn new_uac_value(v: &View<'_>) -> Column {
    v.literal(USER, "0x15")
}
/// UserAccountControl.
pub fn user_account_control(v: &View<'_>) -> Column {
    v.literal(USER, "\n\t\t%%2080\n\t\t%%2082\n\t\t%%2084")
}
/// LogonHours: all hours.
pub fn logon_hours(v: &View<'_>) -> Column {
    v.literal(USER, "%%1797")
}

/// PreAuthType: encrypted timestamp.
pub fn preauth_type(v: &View<'_>) -> Column {
    v.literal(TICKET | PREAUTH, "2")
}
/// CertIssuerName, CertSerialNumber, CertThumbprint: empty without a smart card.
pub fn no_certificate(v: &View<'_>) -> Column {
    v.literal(TICKET | PREAUTH, "")
}
/// PackageName of 4776.
pub fn package_name(v: &View<'_>) -> Column {
    v.literal(
        kinds(&[T::CredentialValidated]),
        "MICROSOFT_AUTHENTICATION_PACKAGE_V1_0",
    )
}
/// TargetLogonGuid: zero, because the caller does not know it.
pub fn target_logon_guid(v: &View<'_>) -> Column {
    v.literal(
        kinds(&[T::ExplicitLogon]),
        "{00000000-0000-0000-0000-000000000000}",
    )
}
/// ShareLocalPath: the record's own, otherwise that of the share.
pub fn share_local_path(v: &View<'_>) -> Column {
    v.plain(SHARE, 14, |r, out| {
        let given = v.given_text(r, "ShareLocalPath").unwrap_or_default();
        let share = v.given_text(r, "ShareName").unwrap_or_default();
        let path = match share.rsplit('\\').next().unwrap_or_default() {
            _ if !given.is_empty() => given,
            "ADMIN$" => r"\??\C:\Windows",
            "C$" => r"\??\C:\",
            "D$" => r"\??\D:\",
            "SYSVOL" => r"\??\C:\Windows\SYSVOL\sysvol",
            "NETLOGON" => r"\??\C:\Windows\SYSVOL\sysvol\scripts",
            "IPC$" => "",
            name => {
                out.extend_from_slice(br"\??\D:\");
                out.extend_from_slice(name.as_bytes());
                return true;
            }
        };
        out.extend_from_slice(path.as_bytes());
        true
    })
}
/// MessageNumber and MessageTotal: 1.
pub fn one(v: &View<'_>) -> Column {
    v.literal(SCRIPT, "1")
}
/// ScriptBlockId.
pub fn script_block_id(v: &View<'_>) -> Column {
    v.plain(SCRIPT, 36, |r, out| {
        let key = Key::root(v.frame.salt[r]);
        let text = format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            key.at(0) as u32,
            key.at(1) as u16,
            key.at(2) & 0xfff,
            0x8000 | key.at(3) & 0x3fff,
            key.at(4) >> 16
        );
        out.extend_from_slice(text.as_bytes());
        true
    })
}
/// The client address of a Kerberos or share record, if it is known.
pub(super) fn client(v: &View<'_>, row: usize) -> Option<usize> {
    usize::try_from(ends(v, row).0.0).ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_failed_logon_says_one_thing_in_three_fields() {
        assert_eq!(super::failure("0xc000006a"), ("0xc000006d", "%%2313"));
        assert_eq!(super::failure("0xc0000064"), ("0xc000006d", "%%2313"));
        assert_eq!(super::failure("0xc0000072"), ("0xc000006e", "%%2310"));
        assert_eq!(super::failure("0xc0000071"), ("0xc000006e", "%%2309"));
        assert_eq!(super::failure("0xc0000070"), ("0xc000006e", "%%2312"));
    }
}
