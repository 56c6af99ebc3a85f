//! Fields of Sysmon's rarer records: loads, access, pipes, WMI, deletions.
//!
//! Names, order and formats follow real Sysmon 13.30+ records.

use super::enrichment::Clock;
use super::process::guid;
use super::tables::file_name;
use super::{Column, Kinds, View, kinds};
use crate::catalog::Telemetry as T;
use crate::frame::NONE;
use crate::random::Key;

pub(super) const WORDS: &[&str] = &[];

const LOADED: Kinds = kinds(&[T::ImageLoaded]);
const DRIVER: Kinds = kinds(&[T::DriverLoaded]);
const THREAD: Kinds = kinds(&[T::RemoteThread]);
const ACCESS: Kinds = kinds(&[T::ProcessAccess]);
const STREAM: Kinds = kinds(&[T::StreamCreated]);
const TIME: Kinds = kinds(&[T::FileTimeChanged]);
const DELETED: Kinds = kinds(&[T::FileDeleted, T::FileDeleteLogged]);
const WMI: Kinds = kinds(&[T::WmiFilter, T::WmiConsumer, T::WmiBinding]);
const STATE: Kinds = kinds(&[T::SysmonState]);
const CONFIG: Kinds = kinds(&[T::SysmonConfig]);
const TWO: Kinds = THREAD | ACCESS;

/// Text fields that records give themselves, each over all kinds that have it.
macro_rules! given {
    ($($function:ident $name:literal)*) => {$(
        #[doc = concat!("`", $name, "`, the record's own.")]
        pub fn $function(v: &View<'_>) -> Column {
            v.given($name)
        }
    )*};
}
given! {
    state "State" signature "Signature" start_module "StartModule" start_function "StartFunction"
    granted_access "GrantedAccess" call_trace "CallTrace" contents "Contents" pipe_name "PipeName"
    event_namespace "EventNamespace" name "Name" query "Query" destination "Destination"
    consumer "Consumer" filter "Filter" kind "Type"
}

/// SourceProcessGUID.
pub fn source_process_guid(v: &View<'_>) -> Column {
    v.plain(TWO, 38, |r, out| guid(v, &v.frame.process, r, out))
}
/// SourceProcessId.
pub fn source_process_id(v: &View<'_>) -> Column {
    v.integers(TWO, |r| Some(i64::from(v.frame.process.pid[r])))
}
/// SourceThreadId.
pub fn source_thread_id(v: &View<'_>) -> Column {
    v.integers(ACCESS, |r| {
        Some(4 * (200 + (v.frame.salt[r] % 2800) as i64))
    })
}
/// SourceImage.
pub fn source_image(v: &View<'_>) -> Column {
    v.own(TWO, &v.frame.process.path, Some(&v.tables.image_path))
}
/// TargetProcessGUID.
pub fn target_process_guid(v: &View<'_>) -> Column {
    v.plain(TWO, 38, |r, out| guid(v, &v.frame.parent, r, out))
}
/// TargetProcessId.
pub fn target_process_id(v: &View<'_>) -> Column {
    v.integers(TWO, |r| Some(i64::from(v.frame.parent.pid[r])))
}
/// TargetImage.
pub fn target_image(v: &View<'_>) -> Column {
    v.own(TWO, &v.frame.parent.path, Some(&v.tables.image_path))
}
/// SourceUser.
pub fn source_user(v: &View<'_>) -> Column {
    v.texts_of(TWO, &v.tables.account_qualified, |r| {
        v.frame.process.account[r]
    })
}
/// TargetUser.
pub fn target_user(v: &View<'_>) -> Column {
    v.texts_of(TWO, &v.tables.account_qualified, |r| {
        v.frame.parent.account[r]
    })
}
/// NewThreadId.
pub fn new_thread_id(v: &View<'_>) -> Column {
    v.integers(THREAD, |r| {
        Some(4 * (300 + (v.frame.salt[r] % 2900) as i64))
    })
}
/// StartAddress: inside a module, or on the heap where no module is named.
pub fn start_address(v: &View<'_>) -> Column {
    v.plain(THREAD, 18, |r, out| {
        let bits = Key::root(v.frame.salt[r]).at(2);
        let address = if v.frame.data[0].key(r) == NONE {
            0x0000_0200_0000_0000 | bits & 0xff_ffff_0000
        } else {
            // A boot loads a module at one address, and a build has the function at one place.
            let host = v.frame.host[r] as u32;
            let base = v.maker.world.host_key(host).with(0xba5e);
            let base = base.at(u64::from(v.frame.process.boot[r])) & 0xffff_0000;
            let os = u64::from(v.maker.world.hosts[host].os);
            (0x0000_7ff8_0000_0000 | base) + (Key::root(os).at(0xf0) & 0xf_fff0)
        };
        out.extend_from_slice(format!("0x{address:016X}").as_bytes());
        true
    })
}
/// ImageLoaded.
pub fn image_loaded(v: &View<'_>) -> Column {
    v.own(LOADED | DRIVER, &v.frame.file, None)
}
fn is_signed(v: &View<'_>, row: usize) -> bool {
    v.frame.data[0].key(row) != NONE
}
/// Signed.
pub fn signed(v: &View<'_>) -> Column {
    v.texts_of(LOADED | DRIVER, &super::table(["false", "true"]), |r| {
        i32::from(is_signed(v, r))
    })
}
/// SignatureStatus.
pub fn signature_status(v: &View<'_>) -> Column {
    v.texts_of(
        LOADED | DRIVER,
        &super::table(["Unavailable", "Valid"]),
        |r| i32::from(is_signed(v, r)),
    )
}

/// A file's hashes: of a program the same for the same name on hosts of one build, of a document
/// its own. What is no program imports nothing.
pub(super) fn file_hashes(v: &View<'_>, row: usize, out: &mut Vec<u8>) {
    const NO_IMPORTS: &[u8] = b"IMPHASH=00000000000000000000000000000000";
    let host = v.frame.host[row] as u32;
    let path = v.frame.file.text(row);
    let name = file_name(path.split(':').take(2).last().unwrap_or(path));
    let key = Key::root(0xf11e);
    if is_program(name) {
        let key = key
            .child(name)
            .with(u64::from(v.maker.world.hosts[host].os));
        out.extend_from_slice(crate::frame::file_hashes(key).as_bytes());
        return;
    }
    // A configuration is handed out; a document is of one host.
    let key = match name.ends_with(".xml") {
        true => key.child(name),
        false => key.child(path).with(u64::from(host)),
    };
    let text = crate::frame::file_hashes(key);
    let own = text.len() - NO_IMPORTS.len();
    out.extend_from_slice(&text.as_bytes()[..own]);
    out.extend_from_slice(NO_IMPORTS);
}

/// What images that can be loaded end with.
const EXECUTABLE: &[&str] = &[".exe", ".dll", ".sys", ".scr"];

fn is_program(name: &str) -> bool {
    ends_with_any(name, EXECUTABLE) || ends_with_any(name, &[".msi"])
}

/// Whether a name ends with one of some, in any case.
fn ends_with_any(name: &str, ends: &[&str]) -> bool {
    let name = name.as_bytes();
    ends.iter().any(|end| {
        name.len() >= end.len()
            && name[name.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes())
    })
}
/// Hash of event 15.
pub fn stream_hash(v: &View<'_>) -> Column {
    v.plain(STREAM, 170, |r, out| {
        file_hashes(v, r, out);
        // Hash of what the stream holds, a text: it imports nothing.
        let digest = out.len() - 32;
        out[digest..].fill(b'0');
        true
    })
}
/// IsExecutable, by what the name says.
pub fn is_executable(v: &View<'_>) -> Column {
    v.texts_of(DELETED, &super::table(["false", "true"]), |r| {
        i32::from(ends_with_any(v.frame.file.text(r), EXECUTABLE))
    })
}
/// Archived: event 23 keeps a copy.
pub fn archived(v: &View<'_>) -> Column {
    v.literal(kinds(&[T::FileDeleted]), "true")
}
/// PreviousCreationUtcTime: the true one.
pub fn previous_creation_time(v: &View<'_>) -> Column {
    v.plain(TIME, 23, |r, out| {
        Clock::default().write(
            out,
            v.frame.native[r] - (v.frame.salt[r] % 90_000_000) as i64,
        );
        true
    })
}
/// CreationUtcTime of event 2: the time that it was set back to, some years ago.
pub(super) fn write_set_back(v: &View<'_>, row: usize, out: &mut Vec<u8>) {
    let bits = Key::root(v.frame.salt[row]).at(5);
    let back = (200 + (bits % 2000) as i64) * 86_400_000_000 + (bits >> 20) as i64 % 86_400_000_000;
    Clock::default().write(out, v.frame.native[row] - back);
}
/// Operation of the WMI records.
pub fn operation(v: &View<'_>) -> Column {
    v.literal(WMI, "Created")
}
/// Version of the Sysmon that starts or stops.
pub fn product_version(v: &View<'_>) -> Column {
    v.literal(STATE, "15.14")
}
/// SchemaVersion.
pub fn schema_version(v: &View<'_>) -> Column {
    v.literal(STATE, "4.90")
}
/// Configuration: the file it was read from.
pub fn configuration(v: &View<'_>) -> Column {
    v.own(CONFIG, &v.frame.file, None)
}
/// ConfigurationFileHash.
pub fn configuration_hash(v: &View<'_>) -> Column {
    v.plain(CONFIG, 71, |r, out| {
        let mut all = Vec::new();
        file_hashes(v, r, &mut all);
        let text = String::from_utf8_lossy(&all);
        let sha256 = text.split(',').find(|h| h.starts_with("SHA256="));
        out.extend_from_slice(sha256.unwrap_or("-").as_bytes());
        true
    })
}
