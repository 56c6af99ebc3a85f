//! Event data of a process: image, command line, account, session, hashes, parent.

use arrow_array::ArrayRef;

use super::logon::{network_logon, package};
use super::{
    CLIENTS, CLIPBOARD, CREATE, CREATED, DASH, EMPTY_GUID, EXPLICIT, HASHED_FILE, LOADED, LOGON,
    LOGONS, OWNED, SERVICE_TICKET, SESSIONS,
};
use crate::columns::enrichment::{TimeWriter, push_hexadecimal};
use crate::columns::process::{entity_ids, guid};
use crate::columns::{Column, View};
use crate::frame::NONE;
use crate::ids::Optional;
use crate::kinds::{FILTERING, Kinds, SYSMON, SYSMON_PROCESS, Telemetry as T, field, kinds};
use crate::random::Key;
use crate::world::processes::write_logon_guid;

/// RuleName: `-`, because the configuration names no rules.
pub fn rule_name(v: &View<'_>) -> Column {
    let of = const { field("RuleName") };
    v.constant(of, DASH.table())
}
/// UtcTime.
pub fn utc_time(v: &View<'_>) -> Column {
    let mut clock = TimeWriter::default();
    v.plain(SYSMON, 23, |r, out| {
        clock.write(out, v.frame.native[r]);
        true
    })
}
/// ProcessGuid.
pub fn process_guid(v: &View<'_>) -> Column {
    entity_ids(v, SYSMON_PROCESS)
}
/// ProcessId of Sysmon, ProcessID of 5156, the creator in 4688, and ProcessId of 4624 (0 for none).
pub fn process_id(v: &View<'_>) -> Column {
    let of = SYSMON_PROCESS | FILTERING | LOGONS | OWNED | CREATED;
    v.integers(of, |r| {
        Some(if network_logon(v, r) {
            0
        } else if v.is(r, CREATED) {
            i64::from(v.frame.parent.pid[r])
        } else {
            i64::from(v.frame.process.pid[r])
        })
    })
}
/// Kinds that repeat the image's path as it was launched; others have the file's own spelling.
const LAUNCHED: Kinds = kinds(&[
    T::FileCreate,
    T::RegistryKey,
    T::RegistrySet,
    T::RegistryRenamed,
    T::PipeCreated,
    T::PipeConnected,
    T::FileDeleted,
    T::FileDeleteLogged,
]);

/// Image.
pub fn image(v: &View<'_>) -> Column {
    let path = &v.frame.process.path;
    let key = |r| match path.key(r) {
        key if key < 0 => NONE,
        key if key >= path.known => i32::MAX,
        key => key + if v.is(r, LAUNCHED) { path.known } else { 0 },
    };
    v.mix(SYSMON_PROCESS, &v.tables.image_spellings, key, |r, out| {
        out.extend_from_slice(path.text(r).as_bytes());
    })
}
/// User, as `NETBIOS\name`.
pub fn user(v: &View<'_>) -> Column {
    let of = const { field("User") };
    v.texts_of(of, &v.tables.account_qualified, |r| {
        v.frame.process.account[r].key()
    })
}

fn by_image(v: &View<'_>, values: &ArrayRef, name: &str) -> Column {
    v.blend(
        CREATE,
        values,
        |r| v.frame.process.image[r].key(),
        LOADED,
        |r, out| out.extend_from_slice(v.given_text(r, name).unwrap_or("-").as_bytes()),
    )
}

/// FileVersion: the host's build for files that ship with Windows.
pub fn file_version(v: &View<'_>) -> Column {
    let systems = v.maker.world.hosts.systems.len() as i32;
    v.blend(
        CREATE,
        &v.tables.file_version,
        |r| {
            let os = i32::from(v.maker.world.hosts[v.frame.host[r]].os);
            v.frame.process.image[r].key() * systems + os
        },
        LOADED,
        |r, out| {
            let microsoft = v
                .given_text(r, "Signature")
                .is_some_and(|s| s.starts_with("Microsoft W"));
            let os = v.maker.world.hosts[v.frame.host[r]].os as usize;
            let path = v.frame.file.text(r);
            if path.ends_with("\\mpengine.dll") {
                // Defender's engine is updated with its signatures, not with Windows.
                out.extend_from_slice(b"1.1.24070.3");
            } else if microsoft {
                let file = crate::paths::file_name(path);
                v.maker.world.hosts.systems[os].push_version(file, out);
            } else {
                out.push(b'-');
            }
        },
    )
}
/// Description.
pub fn description(v: &View<'_>) -> Column {
    by_image(v, &v.tables.description, "Description")
}
/// Product.
pub fn product(v: &View<'_>) -> Column {
    by_image(v, &v.tables.product, "Product")
}
/// Company.
pub fn company(v: &View<'_>) -> Column {
    by_image(v, &v.tables.company, "Company")
}
/// OriginalFileName; that of a signed loaded file is its name.
pub fn original_file_name(v: &View<'_>) -> Column {
    v.blend(
        CREATE,
        &v.tables.original_file_name,
        |r| v.frame.process.image[r].key(),
        LOADED,
        |r, out| {
            let unsigned = !v.gives(r, "Signature");
            let name = if unsigned {
                "-"
            } else {
                crate::paths::file_name(v.frame.file.text(r))
            };
            out.extend_from_slice(name.as_bytes());
        },
    )
}
/// CommandLine.
pub fn command_line(v: &View<'_>) -> Column {
    v.own(
        CREATE | CREATED,
        &v.frame.process.command,
        Some(&v.tables.resident_command),
    )
}
/// CurrentDirectory.
pub fn current_directory(v: &View<'_>) -> Column {
    v.own(CREATE, &v.frame.directory, None)
}

fn session(v: &View<'_>, row: usize) -> crate::world::Session {
    crate::world::Session {
        id: v.frame.process.session_id[row],
        start: v.frame.process.session_start[row],
    }
}

/// LogonGuid: Sysmon's ends with the LogonId; that of 4624 comes from Kerberos.
pub fn logon_guid(v: &View<'_>) -> Column {
    v.plain(CREATE | LOGON | EXPLICIT | SERVICE_TICKET, 38, |r, out| {
        if v.is(r, EXPLICIT) {
            out.extend_from_slice(EMPTY_GUID.as_bytes());
        } else if v.frame.telemetry[r] == T::ProcessCreation {
            let prefix = v.maker.world.hosts[v.frame.host[r]].guid_prefix;
            write_logon_guid(out, prefix, session(v, r));
        } else {
            // Only Kerberos has one: random, and fixed per logon.
            let key = Key::root(session(v, r).id).with(v.frame.host[r].into());
            let key = if v.is(r, SERVICE_TICKET) {
                Key::root(v.frame.salt[r])
            } else {
                key
            };
            if v.is(r, SERVICE_TICKET) || package(v, r) == 0 {
                let text = format!(
                    "{{{:08x}-{:04x}-{:04x}-{:04x}-{:012x}}}",
                    key.at(0) as u32,
                    key.at(1) as u16,
                    key.at(2) as u16,
                    key.at(3) as u16,
                    key.at(4) >> 16
                );
                out.extend_from_slice(text.as_bytes());
            } else {
                out.extend_from_slice(EMPTY_GUID.as_bytes());
            }
        }
        true
    })
}

fn push_hex(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(b"0x");
    push_hexadecimal(out, value);
}

/// LogonId, `0x3e7`.
pub fn logon_id(v: &View<'_>) -> Column {
    v.plain(CREATE, 9, |r, out| {
        push_hex(out, v.frame.process.session_id[r]);
        true
    })
}
/// Terminal session of a row's process: 0 for services, 1 for the console, higher for remote desktop.
fn terminal(v: &View<'_>) -> impl Fn(usize) -> i32 {
    use crate::world::{AccountKind, hosts::Role};
    let image = |key| Optional::from(v.maker.catalog.image(key));
    let desks = [image("explorer"), image("rdpclip")];
    let remote = ["wmiprvse", "wsmprovhost", "psexesvc", "services", "svchost"].map(image);
    move |r| {
        let host = &v.maker.world.hosts[v.frame.host[r]];
        let account = v.frame.process.account[r].get().unwrap_or_default();
        let is_admin = v.maker.world.accounts[account].kind == AccountKind::Admin;
        let (image, parent) = (v.frame.process.image[r], v.frame.parent.image[r]);
        match host.role {
            Role::Workstation if account == host.user => 1,
            Role::Workstation => i32::from(is_admin && !remote.contains(&parent)),
            _ if is_admin && (desks.contains(&image) || desks.contains(&parent)) => {
                2 + (v.frame.process.session_id[r] >> 3 & 1) as i32
            }
            _ => 0,
        }
    }
}
/// TerminalSessionId.
pub fn terminal_session(v: &View<'_>) -> Column {
    v.texts_of(CREATE, SESSIONS.table(), terminal(v))
}
/// Session of event 24.
pub fn clipboard_session(v: &View<'_>) -> Column {
    v.texts_of(CLIPBOARD, SESSIONS.table(), terminal(v))
}
/// ClientInfo: the user of the clipboard.
pub fn client_info(v: &View<'_>) -> Column {
    v.plain(CLIPBOARD, 24, |r, out| {
        let account = &v.maker.world.accounts[v.frame.process.account[r].get().unwrap_or_default()];
        out.extend_from_slice(b"user: ");
        out.extend_from_slice(account.qualified.as_bytes());
        true
    })
}
/// IntegrityLevel.
pub fn integrity(v: &View<'_>) -> Column {
    v.texts_of(CREATE, &v.tables.integrity, |r| {
        i32::from(v.frame.integrity[r])
    })
}
/// Hashes.
pub fn hashes(v: &View<'_>) -> Column {
    let column = &v.frame.hashes;
    if v.present & (HASHED_FILE | CLIPBOARD) == 0 && column.own() == 0 {
        return v.own(CREATE, column, Some(&v.tables.hashes));
    }
    let key = |r| match v.is(r, CREATE) {
        true => column.key(r),
        false => i32::MAX,
    };
    v.mix(
        CREATE | HASHED_FILE | CLIPBOARD,
        &v.tables.hashes,
        key,
        |r, out| match v.is(r, CREATE) {
            true => out.extend_from_slice(column.text(r).as_bytes()),
            false => crate::columns::sysmon::file_hashes(v, r, out),
        },
    )
}
/// ParentProcessGuid.
pub fn parent_process_guid(v: &View<'_>) -> Column {
    v.plain(CREATE, 38, |r, out| guid(v, &v.frame.parent, r, out))
}
/// ParentProcessId: the parent of the process that starts, or of the process that installs a service
/// or task.
pub fn parent_process_id(v: &View<'_>) -> Column {
    v.integers(CREATE | CLIENTS, |r| Some(i64::from(v.frame.parent.pid[r])))
}
/// ParentImage.
pub fn parent_image(v: &View<'_>) -> Column {
    v.own(CREATE, &v.frame.parent.path, Some(&v.tables.image_path))
}
/// ParentCommandLine.
pub fn parent_command_line(v: &View<'_>) -> Column {
    v.own(
        CREATE,
        &v.frame.parent.command,
        Some(&v.tables.resident_command),
    )
}
/// ParentUser.
pub fn parent_user(v: &View<'_>) -> Column {
    v.texts_of(CREATE, &v.tables.account_qualified, |r| {
        v.frame.parent.account[r].key()
    })
}
