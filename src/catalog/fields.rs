//! Checks that a TOML record has the keys that its kind needs, and no others.

use super::raw;
use super::source::Source;
use crate::error::Result;
use crate::kinds::{Key, Telemetry};

/// The keys that a record has.
fn keys(raw: &raw::Record) -> impl Iterator<Item = Key> {
    [
        (Key::Image, raw.image.is_some()),
        (Key::Command, raw.command.is_some()),
        (Key::Directory, raw.directory.is_some()),
        (Key::Starts, raw.starts.is_some()),
        (Key::Integrity, raw.integrity.is_some()),
        (Key::File, raw.file.is_some()),
        (Key::Target, raw.target.is_some()),
        (Key::Registry, raw.registry.is_some()),
        (Key::Details, raw.details.is_some()),
        (Key::Query, raw.query.is_some()),
        (Key::Answer, raw.answer.is_some()),
        (Key::QueryStatus, raw.query_status.is_some()),
        (Key::Resolves, raw.resolves.is_some()),
        (Key::Message, raw.message.is_some()),
        (Key::Facility, raw.facility.is_some()),
        (Key::Severity, raw.severity.is_some()),
        (Key::Syscall, raw.syscall.is_some()),
        (Key::Key, raw.key.is_some()),
        (Key::LogonType, raw.logon_type.is_some()),
        (Key::Success, raw.success.is_some()),
        (Key::Account, raw.account.is_some()),
        (Key::Call, raw.call.is_some()),
        (Key::Request, raw.request.is_some()),
        (Key::Connection, raw.connection.is_some()),
        (Key::Process, raw.process.is_some()),
    ]
    .into_iter()
    .filter_map(|(key, is_there)| is_there.then_some(key))
}

/// Rejects a record that lacks a required key of its kind, or has a key that its kind does not allow.
pub(super) fn check_fields(source: &Source, raw: &raw::Record, telemetry: Telemetry) -> Result<()> {
    let kind = telemetry.kind();
    if let Some(missing) = kind.needs.iter().find(|key| keys(raw).all(|k| k != **key)) {
        return Err(source.error_at(
            &raw.telemetry,
            format!("{} records need `{}`", kind.word, missing.word()),
            format!("add `{}` to the record", missing.word()),
        ));
    }
    // Every record may name an account, and every record of a host a process.
    let is_common =
        |key: Key| key == Key::Account || key == Key::Process && kind.provider.platform().is_some();
    let is_known = |key| kind.needs.contains(&key) || kind.takes.contains(&key) || is_common(key);
    match keys(raw).find(|key| !is_known(*key)) {
        None => Ok(()),
        Some(stray) => Err(source.error_at(
            &raw.telemetry,
            format!("{} records cannot have `{}`", kind.word, stray.word()),
            format!(
                "remove `{}`, or choose a telemetry that has it",
                stray.word()
            ),
        )),
    }
}
