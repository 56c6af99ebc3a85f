//! Whether a chunk's values are dictionary-encoded, and the sample that gives up early.

/// The number of values after which a chunk of mostly distinct values gives up its dictionary.
pub(crate) const SAMPLE: usize = 512;

/// Whether the chunk's first values are too varied for a dictionary to pay off.
pub(crate) fn is_varied(values: usize, distinct: usize) -> bool {
    values >= SAMPLE && distinct * 4 > values * 3
}

/// How a chunk's values are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EncodingMode {
    /// The first page isn't complete; its values are buffered as dictionary ids.
    Undecided,
    Dictionary,
    Delta,
}

/// The result of appending values to a page. Nothing was appended unless it is `Done`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AppendOutcome {
    Done,
    /// The page would exceed its limit of bytes.
    PageFull,
    /// The dictionary would exceed its limit. The current page is the last that uses it.
    DictionaryFull,
    /// The chunk has just given up its dictionary: append the values again.
    Retry,
}
