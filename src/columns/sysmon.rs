//! Fields of Sysmon's less frequent records: loads, access, pipes, WMI, deletions.
//!
//! Names, order and formats follow real Sysmon 15 records.

use arrow_array::cast::AsArray;

use super::enrichment::TimeWriter;
use super::process::{guid, target_guid};
use super::windows::BOOLEANS;
use super::words::WordTable;
use super::{Column, View};
use crate::frame::{NONE, program_key};
use crate::kinds::{Kinds, field};
use crate::paths::file_name;
use crate::plan::chains::ChainSlot;
use crate::random::Key;
use crate::world::processes::HardwareSlot;

static SIGNATURE_STATUSES: WordTable = WordTable::new(&["Unavailable", "Valid"]);

const LOADED: Kinds = field("ImageLoaded");
const THREAD: Kinds = field("NewThreadId");
const ACCESS: Kinds = field("GrantedAccess");
const STREAM: Kinds = field("Contents");
const TIME: Kinds = field("PreviousCreationUtcTime");
const DELETED: Kinds = field("IsExecutable");
const WMI: Kinds = field("Operation");
const STATE: Kinds = field("State");
const CONFIG: Kinds = field("Configuration");
const TWO: Kinds = field("SourceProcessGUID");

given! {
    state "State" signature "Signature" start_module "StartModule" start_function "StartFunction"
    granted_access "GrantedAccess" call_trace "CallTrace" contents "Contents" pipe_name "PipeName"
    event_namespace "EventNamespace" name "Name" query "Query" destination "Destination"
    consumer "Consumer" filter "Filter" kind "Type" new_name "NewName"
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
    v.plain(TWO, 38, |r, out| target_guid(v, r, out))
}
/// TargetProcessId.
pub fn target_process_id(v: &View<'_>) -> Column {
    v.integers(TWO, |r| {
        let target = v.frame.targets.processes.get(r);
        Some(target.map_or(0, |process| i64::from(process.pid)))
    })
}
/// TargetImage.
pub fn target_image(v: &View<'_>) -> Column {
    v.own(TWO, &v.frame.targets.path, Some(&v.tables.image_path))
}
/// SourceUser.
pub fn source_user(v: &View<'_>) -> Column {
    v.texts_of(TWO, &v.tables.account_qualified, |r| {
        v.frame.process.account[r].key()
    })
}
/// TargetUser.
pub fn target_user(v: &View<'_>) -> Column {
    v.texts_of(TWO, &v.tables.account_qualified, |r| {
        let target = v.frame.targets.processes.get(r);
        target.map_or(NONE, |process| process.account.key())
    })
}
/// NewThreadId.
pub fn new_thread_id(v: &View<'_>) -> Column {
    v.integers(THREAD, |r| {
        Some(4 * (300 + (v.frame.salt[r] % 2900) as i64))
    })
}
/// StartAddress: within the module, or on the heap if no module is named.
pub fn start_address(v: &View<'_>) -> Column {
    v.plain(THREAD, 18, |r, out| {
        let bits = Key::root(v.frame.salt[r]).at(2);
        let address = if !v.gives(r, "StartModule") {
            0x0000_0200_0000_0000 | bits & 0xff_ffff_0000
        } else {
            // A module's base address is fixed per boot, a function's offset per build.
            let host = v.frame.host[r];
            let base = v.maker.world.hardware(host).part(HardwareSlot::ModuleBase);
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
    v.own(LOADED, &v.frame.file, None)
}
fn is_signed(v: &View<'_>, row: usize) -> bool {
    v.gives(row, "Signature")
}
/// Signed.
pub fn signed(v: &View<'_>) -> Column {
    v.texts_of(LOADED, BOOLEANS.table(), |r| i32::from(is_signed(v, r)))
}
/// SignatureStatus.
pub fn signature_status(v: &View<'_>) -> Column {
    v.texts_of(LOADED, SIGNATURE_STATUSES.table(), |r| {
        i32::from(is_signed(v, r))
    })
}

/// Hashes of a row's file, or of the clipboard's contents.
///
/// A program of the catalog has the same hashes at any path. A program that a chain brings along is
/// unique to the chain. The hashes of other programs depend on name and Windows build, those of
/// documents on the file. Only programs have an import hash.
pub(super) fn file_hashes(v: &View<'_>, row: usize, out: &mut Vec<u8>) {
    const NO_IMPORTS: &[u8] = b"IMPHASH=00000000000000000000000000000000";
    let host = v.frame.host[row];
    let os = v.maker.world.hosts[host].os;
    let path = v.frame.file.text(row);
    let name = file_name(path.split(':').take(2).last().unwrap_or(path));
    let files = Key::root(0xf11e);
    if is_program(name) {
        let known = v.tables.image_of_name.get(&name.to_lowercase());
        let chain = u32::try_from(v.frame.chain[row]);
        let key = match (known, chain) {
            (Some(image), _) => {
                let systems = v.maker.world.hosts.systems.len();
                let hashes = v.tables.hashes.as_string::<i32>();
                let hashes = hashes.value(image.index() * systems + usize::from(os));
                out.extend_from_slice(hashes.as_bytes());
                return;
            }
            (None, Ok(chain)) => {
                let scene = v.maker.plan.chains.chain_key(chain).part(ChainSlot::Scene);
                program_key(scene, name)
            }
            (None, Err(_)) => files.child(name).with(u64::from(os)),
        };
        out.extend_from_slice(crate::frame::file_hashes(key).as_bytes());
        return;
    }
    // Configurations are the same on all hosts, documents differ by host, clipboard texts by event.
    let key = match name {
        "" => files.with(v.frame.salt[row]),
        name if name.ends_with(".xml") => files.child(name),
        _ => files.child(path).with(u64::from(host)),
    };
    let text = crate::frame::file_hashes(key);
    let own = text.len() - NO_IMPORTS.len();
    out.extend_from_slice(&text.as_bytes()[..own]);
    out.extend_from_slice(NO_IMPORTS);
}

/// Extensions of executable images.
const EXECUTABLE: &[&str] = &[".exe", ".dll", ".sys", ".scr"];

fn is_program(name: &str) -> bool {
    ends_with_any(name, EXECUTABLE) || ends_with_any(name, &[".msi"])
}

/// Whether a name has one of the endings, in any case.
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
        // The hashes of the stream's contents, a text, which has no import hash.
        let digest = out.len() - 32;
        out[digest..].fill(b'0');
        true
    })
}
/// IsExecutable, by the file's extension.
pub fn is_executable(v: &View<'_>) -> Column {
    v.texts_of(DELETED, BOOLEANS.table(), |r| {
        i32::from(ends_with_any(v.frame.file.text(r), EXECUTABLE))
    })
}
/// Archived: event 23 keeps a copy.
pub fn archived(v: &View<'_>) -> Column {
    v.literal(const { field("Archived") }, "true")
}
/// PreviousCreationUtcTime: the true time of creation.
pub fn previous_creation_time(v: &View<'_>) -> Column {
    let mut writer = TimeWriter::default();
    v.plain(TIME, 23, |r, out| {
        let since = (v.frame.salt[r] % 90_000_000) as i64;
        writer.write(out, v.frame.native[r] - since);
        true
    })
}
/// CreationUtcTime of event 2, in Unix microseconds: the forged time, some years back.
pub(super) fn set_back(v: &View<'_>, row: usize) -> i64 {
    let bits = Key::root(v.frame.salt[row]).at(5);
    let back = (200 + (bits % 2000) as i64) * 86_400_000_000 + (bits >> 20) as i64 % 86_400_000_000;
    v.frame.native[row] - back
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
/// Configuration: the file that it was read from.
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
