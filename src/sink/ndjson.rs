//! NDJSON: one JSON object for each row, one row for each line.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use flate2::write::GzEncoder;

use super::format::{EventFile, FileFormat, FormatSettings, RowGroupEncoder};
use super::json::Lines;
use super::stream::{EncodedRows, StreamFormat};
use crate::columns::View;
use crate::corpus::file::AtomicFile;
use crate::error::{Error, Result, encoding_failed};
use crate::plan::Compression;
use crate::schema::Schema;

/// The format `ndjson`.
pub struct Ndjson(LineWriter);

/// Turns frames into lines, and compresses them.
struct LineWriter {
    schema: Arc<Schema>,
    compression: Compression,
}

/// The lines of a row group.
pub struct NdjsonEncoder<'f> {
    format: &'f LineWriter,
    path: &'f Path,
    text: Vec<u8>,
}

/// A file of lines.
pub struct NdjsonFile(AtomicFile);

/// Lines without a file.
pub struct NdjsonStream(LineWriter);

impl LineWriter {
    fn new(settings: FormatSettings<'_>) -> Self {
        LineWriter {
            schema: settings.schema.clone(),
            compression: settings.config.compression,
        }
    }

    /// Appends the lines of a view to `text`; calls `each` after every line.
    fn lines(
        &self,
        view: &View<'_>,
        path: &Path,
        text: &mut Vec<u8>,
        mut each: impl FnMut(&Vec<u8>),
    ) -> Result<()> {
        let batch = self.schema.batch(view);
        let batch = batch.map_err(|e| encoding_failed(path, e.into()))?;
        let lines = Lines::new(&batch);
        for row in 0..batch.num_rows() {
            lines.write(row, text);
            text.push(b'\n');
            each(text);
        }
        Ok(())
    }

    /// The text, compressed. Readers accept a sequence of zstd frames or of gzip members.
    fn compressed(&self, text: Vec<u8>, path: &Path) -> Result<Vec<u8>> {
        let compressed = match self.compression {
            Compression::Zstd(level) => zstd::bulk::compress(&text, level),
            Compression::Gzip(level) => gzip(&text, level),
            Compression::None | Compression::Snappy | Compression::Lz4 => Ok(text),
        };
        compressed.map_err(|e| Error::io(path, "compress", e))
    }
}

/// A gzip member without a time or a name.
fn gzip(text: &[u8], level: u32) -> std::io::Result<Vec<u8>> {
    let mut writer = GzEncoder::new(Vec::new(), flate2::Compression::new(level));
    writer.write_all(text)?;
    writer.finish()
}

impl FileFormat for Ndjson {
    type RowGroup = Vec<u8>;
    type Encoder<'f> = NdjsonEncoder<'f>;
    type File = NdjsonFile;

    fn new(settings: FormatSettings<'_>) -> Result<Self> {
        Ok(Ndjson(LineWriter::new(settings)))
    }

    fn encoder<'f>(&'f self, _rows: u64, path: &'f Path) -> Result<NdjsonEncoder<'f>> {
        Ok(NdjsonEncoder {
            format: &self.0,
            path,
            text: Vec::new(),
        })
    }

    fn create(&self, file: AtomicFile) -> Result<NdjsonFile> {
        Ok(NdjsonFile(file))
    }
}

impl RowGroupEncoder for NdjsonEncoder<'_> {
    type RowGroup = Vec<u8>;

    fn write(&mut self, view: &View<'_>) -> Result<()> {
        (self.format).lines(view, self.path, &mut self.text, |_| {})
    }

    fn finish(self) -> Result<Vec<u8>> {
        self.format.compressed(self.text, self.path)
    }
}

impl EventFile for NdjsonFile {
    type RowGroup = Vec<u8>;

    fn append(&mut self, text: Vec<u8>) -> Result<()> {
        let written = self.0.write_all(&text);
        written.map_err(|e| Error::io(self.0.path(), "write", e))
    }

    fn finish(self) -> Result<AtomicFile> {
        Ok(self.0)
    }
}

impl NdjsonStream {
    pub(super) fn new(settings: FormatSettings<'_>) -> Self {
        NdjsonStream(LineWriter::new(settings))
    }
}

impl StreamFormat for NdjsonStream {
    fn head(&self) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn encode(&self, view: &View<'_>) -> Result<EncodedRows> {
        let path = Path::new("ndjson");
        let (mut text, mut ends) = (Vec::new(), Vec::new());
        let is_plain = self.0.compression == Compression::None;
        self.0.lines(view, path, &mut text, |text| {
            if is_plain {
                ends.push(text.len());
            }
        })?;
        Ok(EncodedRows {
            bytes: self.0.compressed(text, path)?,
            ends,
        })
    }

    fn end(&self) -> Vec<u8> {
        Vec::new()
    }
}
