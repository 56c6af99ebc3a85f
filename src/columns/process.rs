//! Columns of processes, files and registry values.

use arrow_array::ArrayRef;

use super::keyed::Keyed;
use super::{Column, View, own_values, plain_texts};
use crate::frame::{NONE, ProcessColumns};
use crate::ids::HostId;
use crate::kinds::{Block, Kinds, RECORDS, Telemetry as T, WINDOWS, block, kinds};
use crate::paths::file_name;
use crate::random::Key;
use crate::world::processes::write_process_guid;

pub(super) const START: Kinds = block(Block::Start);
pub(super) const COMMANDED: Kinds = START | block(Block::Command);

/// Appends the GUID of a row's process. Returns whether it has one.
pub(super) fn guid(v: &View<'_>, process: &ProcessColumns, row: usize, out: &mut Vec<u8>) -> bool {
    if !process.image[row].is_some() {
        return false;
    }
    let (start, boot) = (process.start[row], process.boot[row]);
    write_process_guid(out, guid_prefix(v, row), start, process.sequence[row], boot);
    true
}

/// Appends the GUID of a row's target process. Returns whether it has one.
pub(super) fn target_guid(v: &View<'_>, row: usize, out: &mut Vec<u8>) -> bool {
    let Some(process) = v.frame.targets.processes.get(row) else {
        return false;
    };
    let (start, boot) = (process.start, process.boot);
    write_process_guid(out, guid_prefix(v, row), start, process.sequence, boot);
    true
}

/// The first part of the GUIDs of a host's processes.
fn guid_prefix(v: &View<'_>, row: usize) -> u32 {
    v.maker.world.hosts[v.frame.host[row]].guid_prefix
}

/// The distinct GUIDs of a frame's processes.
pub(super) struct Guids {
    /// Key per row; [`NONE`] without a process.
    keys: Vec<i32>,
    values: ArrayRef,
}

impl Guids {
    fn new(v: &View<'_>) -> Self {
        let (f, process) = (v.frame, &v.frame.process);
        // A hash table with open addressing; entries are indices into `seen`, plus 1.
        let mut places = vec![0u32; (f.len * 2).next_power_of_two()];
        let mask = places.len() - 1;
        let mut seen: Vec<(HostId, i64, u64)> = Vec::with_capacity(f.len);
        let (mut bytes, mut offsets) = (Vec::new(), vec![0]);
        let keys = (0..f.len)
            .map(|row| {
                if !process.image[row].is_some() || !v.is(row, WINDOWS) {
                    return NONE;
                }
                let sequence =
                    u64::from(process.sequence[row]) << 16 | u64::from(process.boot[row]);
                let own = (f.host[row], process.start[row], sequence);
                let key = Key::root(process.start[row] as u64 ^ u64::from(f.host[row]) << 52);
                let mut at = key.at(sequence) as usize & mask;
                loop {
                    match places[at] {
                        0 => {
                            guid(v, process, row, &mut bytes);
                            offsets.push(bytes.len() as i32);
                            seen.push(own);
                            places[at] = seen.len() as u32;
                        }
                        place if seen[place as usize - 1] != own => at = (at + 1) & mask,
                        place => return place as i32 - 1,
                    }
                }
            })
            .collect();
        Guids {
            keys,
            values: plain_texts(bytes, offsets, None),
        }
    }
}

/// The GUIDs of the processes of Windows records of the given kinds.
pub(super) fn entity_ids(v: &View<'_>, of: Kinds) -> Column {
    if v.select(of).is_none() {
        return v.null_texts();
    }
    let guids = v.cache.guids.get_or_init(|| Guids::new(v));
    v.keyed(Keyed::Process, of, &guids.values, |r| guids.keys[r])
}

fn pid(process: &ProcessColumns, row: usize) -> Option<i64> {
    process.image[row]
        .is_some()
        .then(|| i64::from(process.pid[row]))
}

fn path(v: &View<'_>, of: Kinds, process: &ProcessColumns) -> Column {
    v.own(of, &process.path, Some(&v.tables.image_path))
}

fn name(v: &View<'_>, of: Kinds, process: &ProcessColumns) -> Column {
    v.part(of, &process.path, Some(&v.tables.image_name), file_name)
}

fn command(v: &View<'_>, of: Kinds, process: &ProcessColumns) -> Column {
    v.own(of, &process.command, Some(&v.tables.resident_command))
}

/// The command line of a row's process; empty if it has none.
pub(super) fn command_of<'v>(v: &'v View<'_>, process: &'v ProcessColumns, row: usize) -> &'v str {
    let column = &process.command;
    match usize::try_from(column.key(row)) {
        Ok(resident) if column.key(row) < column.known => v.maker.catalog.residents[resident]
            .command
            .as_literal()
            .unwrap_or_default(),
        _ => column.text(row),
    }
}

/// `process.pid`.
pub fn process_pid(v: &View<'_>) -> Column {
    v.integers(RECORDS, |r| pid(&v.frame.process, r))
}
/// `process.entity_id`: the ProcessGuid.
pub fn entity_id(v: &View<'_>) -> Column {
    entity_ids(v, WINDOWS)
}
/// `process.name`.
pub fn process_name(v: &View<'_>) -> Column {
    name(v, RECORDS, &v.frame.process)
}
/// `process.executable`.
pub fn executable(v: &View<'_>) -> Column {
    path(v, RECORDS, &v.frame.process)
}
/// `process.command_line`, if the record has it.
pub fn command_line(v: &View<'_>) -> Column {
    command(v, COMMANDED, &v.frame.process)
}
/// `process.working_directory`.
pub fn working_directory(v: &View<'_>) -> Column {
    v.own(COMMANDED | kinds(&[T::Cwd]), &v.frame.directory, None)
}
/// `process.parent.pid`.
pub fn parent_pid(v: &View<'_>) -> Column {
    v.integers(START, |r| pid(&v.frame.parent, r))
}
/// `process.parent.entity_id`.
pub fn parent_entity_id(v: &View<'_>) -> Column {
    v.plain(kinds(&[T::ProcessCreation]), 38, |r, out| {
        guid(v, &v.frame.parent, r, out)
    })
}
/// `process.parent.name`.
pub fn parent_name(v: &View<'_>) -> Column {
    name(v, START, &v.frame.parent)
}
/// `process.parent.executable`.
pub fn parent_executable(v: &View<'_>) -> Column {
    path(v, START, &v.frame.parent)
}
/// `process.parent.command_line`.
pub fn parent_command_line(v: &View<'_>) -> Column {
    command(v, START, &v.frame.parent)
}

pub(super) const FILES: Kinds = block(Block::File);

/// `file.path`.
pub fn file_path(v: &View<'_>) -> Column {
    v.own(FILES, &v.frame.file, None)
}
/// `file.name`.
pub fn file_base_name(v: &View<'_>) -> Column {
    v.part(FILES, &v.frame.file, None, file_name)
}
/// `file.extension`; null if it is empty.
pub fn file_extension(v: &View<'_>) -> Column {
    if v.present & FILES == 0 || v.frame.file.is_empty() {
        return v.null_texts();
    }
    let extension = |path: &str| -> Option<usize> {
        let name = file_name(path);
        name.rfind('.')
            .filter(|&at| at > 0 && at + 1 < name.len())
            .map(|at| path.len() - name.len() + at + 1)
    };
    let values = own_values(&v.frame.file, None, |path| {
        extension(path).map_or("", |at| &path[at..])
    });
    let texts = values.as_any().downcast_ref::<arrow_array::StringArray>();
    v.texts_of(FILES, &values, |r| {
        let key = v.frame.file.key(r);
        match (usize::try_from(key), texts) {
            (Ok(at), Some(texts)) if !texts.value(at).is_empty() => key,
            _ => NONE,
        }
    })
}

pub(super) const REGISTRY: Kinds = block(Block::Registry);

/// `registry.path`: hive, key and value.
pub fn registry_path(v: &View<'_>) -> Column {
    v.own(REGISTRY, &v.frame.registry, None)
}
/// `registry.key`: without hive and value.
pub fn registry_key(v: &View<'_>) -> Column {
    v.part(REGISTRY, &v.frame.registry, None, |path| {
        let rest = path.split_once('\\').map_or(path, |(_, rest)| rest);
        rest.rsplit_once('\\').map_or(rest, |(key, _)| key)
    })
}
/// `registry.value`.
pub fn registry_value(v: &View<'_>) -> Column {
    v.part(REGISTRY, &v.frame.registry, None, file_name)
}
