//! Kinds of records: one row for each.
//!
//! A row holds the provider, the code, the fields in order, the keys of a TOML record of this kind,
//! and the classification in each schema. The catalog's reader, the frame and the columns all take
//! it from there.
//!
//! | file | rows |
//! | --- | --- |
//! | `sysmon.rs` | Sysmon |
//! | `windows.rs` | the Security, System and PowerShell channels |
//! | `linux.rs` | auditd and syslog |
//! | `services.rs` | audit logs of clouds and services |
//!
//! The rows are Rust, not a data file. Sets of kinds are therefore constants in the columns' inner
//! loops, and a missing or misspelt row does not compile.
//!
//! To add a kind: add its name in `telemetry.rs`, its row in one of these files, a column and a leaf
//! of the schema for each new field, and TOML that uses it.

mod linux;
mod provider;
mod row;
mod services;
mod set;
mod sysmon;
mod telemetry;
mod windows;

pub use provider::{Platform, Provider};
pub use row::{About, Block, Key, Kind, Meaning, Stamp, Writer};
pub use set::{
    ALL, AUDIT, AUDIT_USER, FILTERING, HOSTS, Kinds, RECORDS, SECURITY, SENSOR, SENSOR_KIND,
    SERVICES, STARTS, SYSMON, SYSMON_PROCESS, WINDOWS, block, field, given, has, holds, kinds, of,
};
pub use telemetry::Telemetry;

/// Maximum number of values under `data`.
pub const DATA_SLOTS: usize = 4;

/// The row of each kind, by number. Does not compile if a kind has no row or two rows.
pub static KINDS: [Kind; Telemetry::COUNT] = {
    let mut rows = [linux::ROWS[0]; Telemetry::COUNT];
    let files = [sysmon::ROWS, windows::ROWS, linux::ROWS, services::ROWS];
    let mut seen: Kinds = 0;
    let mut file = 0;
    while file < files.len() {
        let mut i = 0;
        while i < files[file].len() {
            let row = files[file][i];
            let bit = 1 << row.telemetry as u32;
            assert!(seen & bit == 0, "two rows of one kind");
            assert!(row.data.len() <= DATA_SLOTS, "more values than slots");
            seen |= bit;
            rows[row.telemetry as usize] = row;
            i += 1;
        }
        file += 1;
    }
    assert!(
        seen.count_ones() as usize == Telemetry::COUNT,
        "a kind without a row"
    );
    rows
};

impl Telemetry {
    /// The kind's row.
    #[inline]
    pub fn kind(self) -> &'static Kind {
        &KINDS[self as usize]
    }

    /// Every kind, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Telemetry> {
        KINDS.iter().map(|kind| kind.telemetry)
    }

    /// The name in TOML.
    pub fn word(self) -> &'static str {
        self.kind().word
    }

    /// The platform whose hosts write it; `None` for records of clouds and services.
    pub fn platform(self) -> Option<Platform> {
        self.kind().provider.platform()
    }

    /// Whether all its records are failures.
    pub fn is_failure(self) -> bool {
        self.kind().is_failure
    }

    /// Whether it records the start of a process.
    pub fn is_start(self) -> bool {
        self.kind().about == About::Start
    }

    /// Whether it is about a process, whose account the record has.
    pub fn is_of_process(self) -> bool {
        matches!(self.kind().about, About::Process | About::Companion)
    }

    /// Whether it names a second process, the `target`.
    pub fn has_target(self) -> bool {
        self.kind().needs.contains(&Key::Target)
    }

    /// Whether it is about an account's logon session, whichever process writes it.
    pub fn is_of_session(self) -> bool {
        self.kind().about == About::Session
    }

    /// Whether it records a login through PAM.
    pub fn is_of_login(self) -> bool {
        self.kind().about == About::Login
    }

    /// Whether it belongs to the previous audit event, with the same time and serial.
    pub fn is_companion(self) -> bool {
        self.kind().about == About::Companion
    }

    /// Slot and default of a name under `data`.
    pub fn slot(self, name: &str) -> Option<(usize, Option<&'static str>)> {
        let data = self.kind().data;
        let at = data.iter().position(|(known, _)| *known == name)?;
        Some((at, data[at].1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_codes_name_one_kind() {
        for (at, kind) in KINDS.iter().enumerate() {
            assert_eq!(kind.telemetry as usize, at);
            for other in &KINDS[..at] {
                assert_ne!(kind.word, other.word);
                assert!(kind.code.is_empty() || kind.code != other.code);
            }
        }
    }

    #[test]
    fn values_that_a_record_gives_are_fields_or_parts_of_fields() {
        // Parts of TaskContent, the account in MemberName and MemberSid, the account of `id`.
        const PARTS: [&str; 4] = ["Command", "Arguments", "Member", "acct"];
        for kind in KINDS
            .iter()
            .filter(|kind| kind.provider.platform().is_some())
        {
            for (name, _) in kind.data {
                let is_field = kind.fields.split(' ').any(|field| field == *name);
                assert!(is_field || PARTS.contains(name), "{} {name}", kind.word);
            }
        }
    }

    #[test]
    fn every_kind_means_something() {
        for kind in &KINDS {
            let windows = kind.provider.platform() == Some(Platform::Windows);
            assert_eq!(windows, !kind.task.1.is_empty() || kind.code == "7045");
            assert_eq!(kind.fusionai.category.len(), 1, "{}", kind.word);
            assert_eq!(kind.fusionai.types.len(), 1, "{}", kind.word);
            assert_eq!(
                windows,
                !kind.fields.is_empty() && kind.code.parse::<u16>().is_ok()
            );
        }
    }
}
