//! Sets of kinds, such as the kinds on which a column has values.

use super::provider::{Platform, Provider};
use super::row::{About, Block, Kind};
use super::telemetry::Telemetry;
use super::{KINDS, row};

/// A set of kinds, one bit each.
pub type Kinds = u128;

/// The number of the network sensor's documents, which replace the kind of their row.
pub const SENSOR_KIND: u8 = (Kinds::BITS - 1) as u8;

const _: () = assert!(Telemetry::COUNT < SENSOR_KIND as usize);

/// The set of the given kinds.
pub const fn kinds(list: &[Telemetry]) -> Kinds {
    let mut set: Kinds = 0;
    let mut i = 0;
    while i < list.len() {
        set |= 1 << list[i] as u32;
        i += 1;
    }
    set
}

/// Whether a set contains a kind.
#[inline]
pub const fn holds(kinds: Kinds, telemetry: Telemetry) -> bool {
    has(kinds, telemetry as u8)
}

/// As above, by the number of the kind.
#[inline]
pub const fn has(kinds: Kinds, kind: u8) -> bool {
    let half = if kind < 64 { kinds } else { kinds >> 64 };
    half as u64 >> (kind & 63) & 1 == 1
}

/// The set of kinds whose row satisfies a condition.
macro_rules! set_of {
    ($row:ident => $holds:expr) => {{
        let mut set: Kinds = 0;
        let mut i = 0;
        while i < KINDS.len() {
            let $row: &Kind = &KINDS[i];
            if $holds {
                set |= 1 << i;
            }
            i += 1;
        }
        set
    }};
}

/// Kinds with a native field. In a constant, it does not compile if no kind has the field.
pub const fn field(name: &str) -> Kinds {
    let set = set_of!(row => has_word(row.fields, name));
    assert!(set != 0, "no kind has this field");
    set
}

/// Kinds whose TOML records have a value of this name under `data`. In a constant, it does not
/// compile if no kind has it.
pub const fn given(name: &str) -> Kinds {
    let set = set_of!(row => row::gives(row, name));
    assert!(set != 0, "no kind gives this value");
    set
}

/// Kinds with a group of fields.
pub const fn block(block: Block) -> Kinds {
    set_of!(row => row::has_block(row, block))
}

/// Kinds that a provider writes.
pub const fn of(provider: Provider) -> Kinds {
    set_of!(row => row.provider as u8 == provider as u8)
}

/// Whether `word` is one of the words of `text`.
const fn has_word(text: &str, word: &str) -> bool {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    let mut start = 0;
    while start < text.len() {
        let mut end = start;
        while end < text.len() && text[end] != b' ' {
            end += 1;
        }
        if row::is_same(text.split_at(start).1.split_at(end - start).0, word) {
            return true;
        }
        start = end + 1;
    }
    false
}

/// Sysmon's records.
pub const SYSMON: Kinds = of(Provider::Sysmon);
/// Records of the security audit.
pub const SECURITY: Kinds = of(Provider::Security);
/// Windows records.
pub const WINDOWS: Kinds =
    set_of!(row => matches!(row.provider.platform(), Some(Platform::Windows)));
/// auditd's records.
pub const AUDIT: Kinds = of(Provider::Auditd);
/// auditd's user-space records, which a program sends itself.
pub const AUDIT_USER: Kinds = AUDIT & field("terminal");
/// Records of the filtering platform.
pub const FILTERING: Kinds = field("FilterRTID");
/// Records of clouds and services.
pub const SERVICES: Kinds = of(Provider::Service);
/// Sysmon's records about a single process.
pub const SYSMON_PROCESS: Kinds = SYSMON & field("ProcessGuid");
/// Records about a process that starts.
pub const STARTS: Kinds = set_of!(row => row.about as u8 == About::Start as u8);
/// Every kind.
pub const ALL: Kinds = Kinds::MAX;
/// Documents of the network sensor.
pub const SENSOR: Kinds = 1 << SENSOR_KIND;
/// Native records.
pub const RECORDS: Kinds = !SENSOR;
/// Records of hosts, and the sensor's documents.
pub const HOSTS: Kinds = !SERVICES;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_as_whole_words() {
        assert!(has_word("a0 a1", "a0") && has_word("a0 a1", "a1"));
        assert!(!has_word("Query QueryName", "Quer") && !has_word("QueryName", "Query"));
        assert!(!has_word("", "Query"));
    }
}
