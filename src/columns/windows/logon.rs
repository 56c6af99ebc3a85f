//! Event data of the Security channel: logons, subjects and targets.

use super::{
    CLIENT, CREATED, DASH, EXPLICIT, IMPERSONATION, KERBEROS, LOGOFF, LOGON, LOGON_FAILED,
    LOGON_PROCESSES, LOGON_TYPES, LOGONS, NAMED_TARGET, NO, NULL_SID, OWNED, PACKAGES,
    SERVICE_TICKET, SUBJECT, TARGET_DOMAIN, YES,
};
use crate::columns::words::WordTable;
use crate::columns::{Column, View};
use crate::frame::NONE;
use crate::kinds::{Telemetry as T, kinds};
use crate::world::users::is_windows_own;

/// Whether the record is a network logon, which names no process of this host.
pub(super) fn network_logon(v: &View<'_>, row: usize) -> bool {
    v.is(row, LOGONS) && v.frame.logon_type[row] == 3
}
/// 0 Kerberos, 1 NTLM, 2 Negotiate.
pub(super) fn package(v: &View<'_>, row: usize) -> i32 {
    match v.frame.logon_type[row] {
        // A network logon that the server refuses itself used no ticket.
        3 if v.is(row, LOGON_FAILED) => 1,
        3 => i32::from(v.frame.salt[row].is_multiple_of(9)),
        _ => 2,
    }
}
/// Whether the subject of a logon is SYSTEM. A network logon has no subject.
fn subject_is_system(v: &View<'_>, row: usize) -> bool {
    !network_logon(v, row)
}
static ADMIN_MODES: WordTable = WordTable::new(&["-", NO]);
static LM_PACKAGES: WordTable = WordTable::new(&["-", "NTLM V2"]);
static KEY_LENGTHS: WordTable = WordTable::new(&["0", "128"]);
static ELEVATED: WordTable = WordTable::new(&[NO, YES]);

/// Event 4672. Its subject is the account that has the privileges, even if that is SYSTEM.
const PRIVILEGED: crate::columns::Kinds = kinds(&[T::SpecialLogon]);
/// SubjectUserSid.
pub fn subject_user_sid(v: &View<'_>) -> Column {
    v.blend(
        SUBJECT,
        &v.tables.account_sid,
        |r| v.frame.user[r].key(),
        LOGONS,
        |r, out| {
            let sid = if subject_is_system(v, r) {
                "S-1-5-18"
            } else {
                NULL_SID
            };
            out.extend_from_slice(sid.as_bytes());
        },
    )
}
/// SubjectUserName: the machine account if a local process logged the user on.
pub fn subject_user_name(v: &View<'_>) -> Column {
    v.plain(SUBJECT | LOGONS, 12, |r, out| {
        let account = v.frame.user[r];
        let named = account != crate::world::users::SYSTEM || v.is(r, PRIVILEGED);
        if v.is(r, SUBJECT) && named {
            let name = &v.maker.world.accounts[account].name;
            out.extend_from_slice(name.as_bytes());
        } else if subject_is_system(v, r) {
            out.extend_from_slice(
                v.maker.world.hosts[v.frame.host[r]]
                    .inventory
                    .name
                    .as_bytes(),
            );
            out.push(b'$');
        } else {
            out.push(b'-');
        }
        true
    })
}
/// SubjectDomainName.
pub fn subject_domain_name(v: &View<'_>) -> Column {
    let values =
        crate::columns::table(["-", v.maker.world.domain.netbios.as_str(), "NT AUTHORITY"]);
    v.texts_of(SUBJECT | LOGONS, &values, |r| {
        let account = v.frame.user[r];
        if v.is(r, SUBJECT) {
            let named = account != crate::world::users::SYSTEM || v.is(r, PRIVILEGED);
            1 + i32::from(is_windows_own(account) && named)
        } else {
            i32::from(subject_is_system(v, r))
        }
    })
}
/// SubjectLogonId, a number.
pub fn subject_logon_id(v: &View<'_>) -> Column {
    v.integers(SUBJECT | LOGONS, |r| {
        Some(if v.is(r, SUBJECT) {
            v.frame.process.session_id[r] as i64
        } else if subject_is_system(v, r) {
            0x3e7
        } else {
            0
        })
    })
}
/// TargetUserSid: the null SID if the logon failed.
pub fn target_user_sid(v: &View<'_>) -> Column {
    v.blend(
        LOGON | LOGOFF,
        &v.tables.account_sid,
        |r| v.frame.user[r].key(),
        LOGON_FAILED | CREATED,
        |_, out| out.extend_from_slice(NULL_SID.as_bytes()),
    )
}
/// TargetUserName.
pub fn target_user_name(v: &View<'_>) -> Column {
    v.blend(
        LOGON | LOGOFF,
        &v.tables.account_name,
        |r| v.frame.user[r].key(),
        NAMED_TARGET,
        |r, out| {
            if v.is(r, CREATED) {
                return out.push(b'-');
            }
            let account = &v.maker.world.accounts[v.frame.user[r]].name;
            let name = v.given_text(r, "TargetUserName").unwrap_or(account);
            out.extend_from_slice(name.as_bytes());
            if v.is(r, SERVICE_TICKET) {
                out.push(b'@');
                out.extend_from_slice(v.tables.realm.as_bytes());
            }
        },
    )
}
/// TargetDomainName: the realm with Kerberos, NetBIOS otherwise.
pub fn target_domain_name(v: &View<'_>) -> Column {
    let domain = &v.maker.world.domain;
    let values = crate::columns::table([
        v.tables.realm.as_str(),
        domain.netbios.as_str(),
        "NT AUTHORITY",
        "Builtin",
        "-",
    ]);
    let local = kinds(&[T::UserCreated]);
    let domain_of = |r: usize| match v.frame.telemetry[r] {
        T::LocalMemberAdded => 3,
        T::ProcessCreated => 4,
        T::ServiceTicket => 0,
        T::Logon => match (v.frame.user[r], package(v, r)) {
            (account, _) if is_windows_own(account) => 2,
            (_, 0) => 0,
            _ => 1,
        },
        _ => 1,
    };
    // An account that is created on a member server is local to it.
    v.blend(
        TARGET_DOMAIN & !local,
        &values,
        domain_of,
        local,
        |r, out| {
            let host = &v.maker.world.hosts[v.frame.host[r]];
            let domain = if host.is(crate::catalog::HostClass::DomainController) {
                &v.maker.world.domain.netbios
            } else {
                &host.inventory.name
            };
            out.extend_from_slice(domain.as_bytes());
        },
    )
}
/// TargetLogonId, a number: the session that opens or ends.
pub fn target_logon_id(v: &View<'_>) -> Column {
    v.integers(LOGON | LOGOFF | CREATED, |r| {
        Some(if v.is(r, CREATED) {
            0
        } else {
            v.frame.process.session_id[r] as i64
        })
    })
}
/// LogonType.
pub fn logon_type(v: &View<'_>) -> Column {
    v.texts_of(LOGONS | LOGOFF, LOGON_TYPES.table(), |r| {
        i32::from(v.frame.logon_type[r].min(11))
    })
}
/// LogonProcessName, padded with blanks as LSA registers it.
pub fn logon_process_name(v: &View<'_>) -> Column {
    v.texts_of(LOGONS, LOGON_PROCESSES.table(), |r| {
        match (v.frame.logon_type[r], package(v, r)) {
            (3, 0) => 0,
            (3, _) => 1,
            (5, _) => 3,
            // LSA itself handles an unlock.
            (7, _) if v.is(r, LOGON) => 4,
            _ => 2,
        }
    })
}
/// AuthenticationPackageName.
pub fn authentication_package(v: &View<'_>) -> Column {
    v.texts_of(LOGONS, PACKAGES.table(), |r| package(v, r))
}
/// WorkstationName: the client with NTLM, the host itself for local logons.
pub fn workstation_name(v: &View<'_>) -> Column {
    v.plain(LOGONS, 10, |r, out| {
        let hosts = &v.maker.world.hosts;
        match (v.frame.logon_type[r], package(v, r)) {
            (3, 1) if let Some(host) = v.maker.world.addresses.host(v.frame.source[r] as u32) => {
                out.extend_from_slice(hosts[host].inventory.name.as_bytes());
            }
            (3, _) => out.push(b'-'),
            _ => out.extend_from_slice(hosts[v.frame.host[r]].inventory.name.as_bytes()),
        }
        true
    })
}
/// RestrictedAdminMode: no for remote desktop, `-` for other logons.
pub fn restricted_admin_mode(v: &View<'_>) -> Column {
    v.texts_of(LOGON, ADMIN_MODES.table(), |r| {
        i32::from(v.frame.logon_type[r] == 10)
    })
}
/// `-` in the unused fields of a logon.
pub fn logon_dash(v: &View<'_>) -> Column {
    v.constant(LOGON, DASH.table())
}
/// TransmittedServices: no delegation.
pub fn transmitted_services(v: &View<'_>) -> Column {
    v.constant(LOGONS | SERVICE_TICKET, DASH.table())
}
/// LmPackageName.
pub fn lm_package_name(v: &View<'_>) -> Column {
    v.texts_of(LOGONS, LM_PACKAGES.table(), |r| {
        i32::from(package(v, r) == 1 && v.is(r, LOGON))
    })
}
/// KeyLength.
pub fn key_length(v: &View<'_>) -> Column {
    v.texts_of(LOGONS, KEY_LENGTHS.table(), |r| {
        i32::from(package(v, r) == 1 && v.is(r, LOGON))
    })
}
/// ProcessName.
pub fn process_name(v: &View<'_>) -> Column {
    v.plain(LOGONS | OWNED, 30, |r, out| {
        if network_logon(v, r) {
            out.push(b'-');
            return true;
        }
        let path = &v.frame.process.path;
        match usize::try_from(path.key(r)) {
            Ok(image) if path.key(r) < path.known => {
                let image = v.maker.catalog.images[image].path.as_literal();
                out.extend_from_slice(image.unwrap_or("-").as_bytes());
            }
            Ok(_) => out.extend_from_slice(path.text(r).as_bytes()),
            Err(_) => out.push(b'-'),
        }
        true
    })
}
/// Whether a logon is at the console. Winlogon then records the loopback address as the client.
fn at_console(v: &View<'_>, row: usize) -> bool {
    match v.frame.logon_type[row] {
        2 | 11 => v.is(row, LOGONS),
        7 => v.is(row, LOGON_FAILED),
        _ => false,
    }
}
/// Appends an address as IPv6; an IPv4 address is mapped: `::ffff:10.0.0.1`.
pub(super) fn push_mapped(out: &mut Vec<u8>, address: &str) {
    if !address.contains(':') {
        out.extend_from_slice(b"::ffff:");
    }
    out.extend_from_slice(address.as_bytes());
}

/// IpAddress: the client's. A domain controller writes it as IPv6 in Kerberos records.
pub fn ip_address(v: &View<'_>) -> Column {
    v.plain(CLIENT, 14, |r, out| {
        match crate::columns::security::client(v, r) {
            // A process that uses explicit credentials is not a client of this host.
            Some(_) if v.is(r, EXPLICIT) => out.push(b'-'),
            Some(address) => {
                let text = &v.maker.world.addresses.texts[address];
                if v.is(r, KERBEROS) {
                    push_mapped(out, text);
                } else {
                    out.extend_from_slice(text.as_bytes());
                }
            }
            None if v.is(r, KERBEROS) => out.extend_from_slice(b"::1"),
            None if at_console(v, r) => out.extend_from_slice(b"127.0.0.1"),
            None => out.push(b'-'),
        }
        true
    })
}
/// IpPort.
pub fn ip_port(v: &View<'_>) -> Column {
    v.plain(CLIENT, 5, |r, out| {
        match v.frame.source_port[r] {
            NONE if v.is(r, KERBEROS) || at_console(v, r) => out.push(b'0'),
            NONE => out.push(b'-'),
            _ if v.is(r, EXPLICIT) => out.push(b'-'),
            port => out.extend_from_slice(port.to_string().as_bytes()),
        }
        true
    })
}
/// ImpersonationLevel: impersonation, or delegation for a part of the Kerberos logons.
pub fn impersonation_level(v: &View<'_>) -> Column {
    v.texts_of(LOGON, IMPERSONATION.table(), |r| {
        i32::from(package(v, r) == 0 && v.frame.salt[r] % 4 == 1)
    })
}
/// VirtualAccount: always no.
pub fn virtual_account(v: &View<'_>) -> Column {
    v.literal(LOGON, NO)
}
/// TargetLinkedLogonId: no split token.
pub fn linked_logon_id(v: &View<'_>) -> Column {
    v.integers(LOGON, |_| Some(0))
}
/// ElevatedToken: yes, except for plain users at the console.
pub fn elevated_token(v: &View<'_>) -> Column {
    v.texts_of(LOGON, ELEVATED.table(), |r| {
        let account = &v.maker.world.accounts[v.frame.user[r]];
        let at_desk = matches!(v.frame.logon_type[r], 2 | 7 | 10 | 11);
        i32::from(!at_desk || account.kind != crate::world::AccountKind::User)
    })
}
