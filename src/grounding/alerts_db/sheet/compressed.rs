//! Text files in UTF-8 or UTF-16, plain or compressed with gzip or zstd.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::Path;

use encoding_rs_io::DecodeReaderBytesBuilder;

use crate::error::{Error, Result};

const BUFFER: usize = 1 << 17;
/// Maximum length of a line in bytes; no alert is longer. The rest of a longer line is skipped.
const LONGEST: u64 = 8 << 20;

/// The text of the file from its beginning; converted to UTF-8 if it has a UTF-16 byte order mark.
pub(super) fn text(path: &Path) -> Result<BufReader<Box<dyn Read>>> {
    let fault = |source| Error::io(path, "read", source);
    let mut file = File::open(path).map_err(fault)?;
    let mut start = [0; 4];
    let length = super::read_up_to(&file, &mut start).map_err(fault)?;
    file.rewind().map_err(fault)?;
    let plain: Box<dyn Read> = match start.get(..length) {
        Some([0x1f, 0x8b, ..]) => Box::new(flate2::read::MultiGzDecoder::new(file)),
        Some([0x28, 0xb5, 0x2f, 0xfd]) => Box::new(zstd::Decoder::new(file).map_err(fault)?),
        _ => Box::new(file),
    };
    let decoded: Box<dyn Read> = Box::new(
        DecodeReaderBytesBuilder::new()
            .utf8_passthru(true)
            .strip_bom(true)
            .build(plain),
    );
    Ok(BufReader::with_capacity(BUFFER, decoded))
}

/// The first characters, to recognise the format.
pub(super) fn first_text(path: &Path) -> Result<String> {
    let mut start = [0; 4096];
    let length =
        super::read_up_to(text(path)?, &mut start).map_err(|source| fault(path, source))?;
    Ok(String::from_utf8_lossy(start.get(..length).unwrap_or_default()).into_owned())
}

/// Maps a read error: a damaged gzip or zstd stream is bad input.
pub(super) fn fault(path: &Path, source: std::io::Error) -> Error {
    use std::io::ErrorKind;
    match source.kind() {
        ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
            Error::input(
                path,
                None,
                format!("is cut off or damaged: {source}"),
                "copy it again, or decompress it first",
            )
        }
        _ if source.raw_os_error().is_none() => Error::input(
            path,
            None,
            format!("cannot be decompressed: {source}"),
            "copy it again, or decompress it first",
        ),
        _ => Error::io(path, "read", source),
    }
}

/// Calls `each` with every line that is not blank, until it answers `false`.
pub(super) fn lines(path: &Path, mut each: impl FnMut(&str) -> bool) -> Result<()> {
    let mut reader = text(path)?;
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader
            .by_ref()
            .take(LONGEST)
            .read_until(b'\n', &mut line)
            .map_err(|source| fault(path, source))?;
        if read == 0 {
            return Ok(());
        }
        if read as u64 == LONGEST && line.last() != Some(&b'\n') {
            line.clear();
            reader
                .skip_until(b'\n')
                .map_err(|source| fault(path, source))?;
            line.extend_from_slice(b"-");
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if !text.is_empty() && !each(text) {
            return Ok(());
        }
    }
}
