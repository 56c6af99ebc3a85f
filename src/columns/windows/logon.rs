//! Event data of logons, subjects and targets: the security audit.

use super::{
    CLIENT, CREATED, DASH, EXPLICIT, IMPERSONATION, KERBEROS, LOGOFF, LOGON, LOGON_FAILED,
    LOGON_PROCESSES, LOGON_TYPES, LOGONS, NAMED_TARGET, NO, NULL_SID, OWNED, PACKAGES,
    SERVICE_TICKET, SUBJECT, TARGET_DOMAIN, YES,
};
use crate::catalog::Telemetry as T;
use crate::columns::{Column, View, kinds};
use crate::frame::NONE;

/// A logon over the network names no process of this host.
pub(super) fn network_logon(v: &View<'_>, row: usize) -> bool {
    v.is(row, LOGONS) && v.frame.logon_type[row] == 3
}
/// 0 Kerberos, 1 NTLM, 2 Negotiate.
pub(super) fn package(v: &View<'_>, row: usize) -> i32 {
    match v.frame.logon_type[row] {
        // What the server itself refuses was no ticket.
        3 if v.is(row, LOGON_FAILED) => 1,
        3 => i32::from(v.frame.salt[row].is_multiple_of(9)),
        _ => 2,
    }
}
fn subject_is_system(v: &View<'_>, row: usize) -> bool {
    !network_logon(v, row)
}
/// 4672 names the account that has the privileges, SYSTEM too.
const PRIVILEGED: crate::columns::Kinds = kinds(&[T::SpecialLogon]);
/// The three built-in accounts of Windows come first.
fn is_built_in(account: i32) -> bool {
    (0..=2).contains(&account)
}
/// SubjectUserSid.
pub fn subject_user_sid(v: &View<'_>) -> Column {
    v.blend(
        SUBJECT,
        &v.tables.account_sid,
        |r| v.frame.user[r],
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
/// SubjectUserName: the machine account, where a local process logged the user on.
pub fn subject_user_name(v: &View<'_>) -> Column {
    v.plain(SUBJECT | LOGONS, 12, |r, out| {
        let account = v.frame.user[r];
        let named = account != crate::world::users::SYSTEM as i32 || v.is(r, PRIVILEGED);
        if v.is(r, SUBJECT) && named {
            let name = &v.maker.world.accounts[account as u32].name;
            out.extend_from_slice(name.as_bytes());
        } else if subject_is_system(v, r) {
            out.extend_from_slice(
                v.maker.world.hosts[v.frame.host[r] as u32]
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
            let named = account != crate::world::users::SYSTEM as i32 || v.is(r, PRIVILEGED);
            1 + i32::from(is_built_in(account) && named)
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
/// TargetUserSid: nobody's where the logon failed.
pub fn target_user_sid(v: &View<'_>) -> Column {
    v.blend(
        LOGON | LOGOFF,
        &v.tables.account_sid,
        |r| v.frame.user[r],
        LOGON_FAILED | CREATED,
        |_, out| out.extend_from_slice(NULL_SID.as_bytes()),
    )
}
/// TargetUserName.
pub fn target_user_name(v: &View<'_>) -> Column {
    v.blend(
        LOGON | LOGOFF,
        &v.tables.account_name,
        |r| v.frame.user[r],
        NAMED_TARGET,
        |r, out| {
            if v.is(r, CREATED) {
                return out.push(b'-');
            }
            let account = &v.maker.world.accounts[v.frame.user[r] as u32].name;
            let name = v.given_text(r, "TargetUserName").unwrap_or(account);
            out.extend_from_slice(name.as_bytes());
            if v.is(r, SERVICE_TICKET) {
                out.push(b'@');
                out.extend_from_slice(v.maker.world.domain.dns.to_uppercase().as_bytes());
            }
        },
    )
}
/// TargetDomainName: the realm with Kerberos, NetBIOS otherwise.
pub fn target_domain_name(v: &View<'_>) -> Column {
    let domain = &v.maker.world.domain;
    let values = crate::columns::table([
        domain.dns.to_uppercase().as_str(),
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
            (0..=2, _) => 2,
            (_, 0) => 0,
            _ => 1,
        },
        _ => 1,
    };
    // An account made on a member server is that server's.
    v.blend(
        TARGET_DOMAIN & !local,
        &values,
        domain_of,
        local,
        |r, out| {
            let host = &v.maker.world.hosts[v.frame.host[r] as u32];
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
    v.texts_of(LOGONS | LOGOFF, &v.tables.words.get(LOGON_TYPES), |r| {
        i32::from(v.frame.logon_type[r].min(11))
    })
}
/// LogonProcessName, blank-padded as LSA registers it.
pub fn logon_process_name(v: &View<'_>) -> Column {
    v.texts_of(LOGONS, &v.tables.words.get(LOGON_PROCESSES), |r| {
        match (v.frame.logon_type[r], package(v, r)) {
            (3, 0) => 0,
            (3, _) => 1,
            (5, _) => 3,
            // LSA itself unlocks.
            (7, _) if v.is(r, LOGON) => 4,
            _ => 2,
        }
    })
}
/// AuthenticationPackageName.
pub fn authentication_package(v: &View<'_>) -> Column {
    v.texts_of(LOGONS, &v.tables.words.get(PACKAGES), |r| package(v, r))
}
/// WorkstationName: the client's with NTLM, the host's own for local logons.
pub fn workstation_name(v: &View<'_>) -> Column {
    v.plain(LOGONS, 10, |r, out| {
        let hosts = &v.maker.world.hosts;
        match (v.frame.logon_type[r], package(v, r)) {
            (3, 1) if v.maker.world.addresses.is_host(v.frame.source[r] as u32) => {
                out.extend_from_slice(hosts[v.frame.source[r] as u32].inventory.name.as_bytes());
            }
            (3, _) => out.push(b'-'),
            _ => out.extend_from_slice(hosts[v.frame.host[r] as u32].inventory.name.as_bytes()),
        }
        true
    })
}
/// RestrictedAdminMode: no, where a remote desktop asks.
pub fn restricted_admin_mode(v: &View<'_>) -> Column {
    v.texts_of(LOGON, &crate::columns::table(["-", NO]), |r| {
        i32::from(v.frame.logon_type[r] == 10)
    })
}
/// `-` of a logon's unused fields.
pub fn logon_dash(v: &View<'_>) -> Column {
    v.constant(LOGON, &v.tables.words.get(DASH))
}
/// TransmittedServices: no delegation.
pub fn transmitted_services(v: &View<'_>) -> Column {
    v.constant(LOGONS | SERVICE_TICKET, &v.tables.words.get(DASH))
}
/// LmPackageName.
pub fn lm_package_name(v: &View<'_>) -> Column {
    v.texts_of(LOGONS, &crate::columns::table(["-", "NTLM V2"]), |r| {
        i32::from(package(v, r) == 1 && v.is(r, LOGON))
    })
}
/// KeyLength.
pub fn key_length(v: &View<'_>) -> Column {
    v.texts_of(LOGONS, &crate::columns::table(["0", "128"]), |r| {
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
/// Winlogon names the loopback address as the client of who sits at the desk.
fn at_console(v: &View<'_>, row: usize) -> bool {
    match v.frame.logon_type[row] {
        2 | 11 => v.is(row, LOGONS),
        7 => v.is(row, LOGON_FAILED),
        _ => false,
    }
}
/// An address as IPv6 has it: `::ffff:10.0.0.1` of IPv4.
pub(super) fn push_mapped(out: &mut Vec<u8>, address: &str) {
    if !address.contains(':') {
        out.extend_from_slice(b"::ffff:");
    }
    out.extend_from_slice(address.as_bytes());
}

/// IpAddress: the client's; the domain controller's Kerberos writes it as IPv6 has it.
pub fn ip_address(v: &View<'_>) -> Column {
    v.plain(CLIENT, 14, |r, out| {
        match crate::columns::security::client(v, r) {
            // Who uses credentials here is no client of this host.
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
/// ImpersonationLevel: impersonation; delegation for services.
pub fn impersonation_level(v: &View<'_>) -> Column {
    v.texts_of(LOGON, &v.tables.words.get(IMPERSONATION), |r| {
        i32::from(package(v, r) == 0 && v.frame.salt[r] % 4 == 1)
    })
}
/// VirtualAccount: no.
pub fn virtual_account(v: &View<'_>) -> Column {
    v.constant(LOGON, &v.tables.words.get(NO))
}
/// TargetLinkedLogonId: no split token.
pub fn linked_logon_id(v: &View<'_>) -> Column {
    v.integers(LOGON, |_| Some(0))
}
/// ElevatedToken: of all but plain users at a desk.
pub fn elevated_token(v: &View<'_>) -> Column {
    v.texts_of(LOGON, &crate::columns::table([NO, YES]), |r| {
        let account = &v.maker.world.accounts[v.frame.user[r] as u32];
        let at_desk = matches!(v.frame.logon_type[r], 2 | 7 | 10 | 11);
        i32::from(!at_desk || account.kind != crate::world::AccountKind::User)
    })
}
