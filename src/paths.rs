//! Parts of paths.

/// The last part of a path of either platform.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit(['\\', '/']).next().unwrap_or(path)
}

/// What the Linux kernel keeps of an executable's name: fifteen characters.
pub(crate) fn comm(path: &str) -> &str {
    let name = file_name(path);
    let end = name.char_indices().nth(15).map_or(name.len(), |(at, _)| at);
    &name[..end]
}
