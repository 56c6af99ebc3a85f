//! A column chunk: pages as rows come, layout and metadata at its end.

mod counts;
mod options;
mod pages;
mod statistics;
mod store;
mod workspace;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, PageType};
use parquet::bloom_filter::Sbbf;
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::EnabledStatistics;

use crate::bits::put_zigzag;
use crate::bounds::Bounds;
use crate::column::ColumnRef;
use crate::keys::{MappedKeySet, SharedBody};
use crate::levels::LevelBuffer;
use crate::mode::AppendOutcome;
use crate::page::{DataPage, PageBody, dictionary_header};
use crate::page_ids::put_ids;
use crate::rows::LeafRows;
use crate::selection::ValueSelection;
use crate::thrift::{INT32, STRUCT, StructWriter};
use crate::values::ChunkValues;
use counts::PageCounts;
pub(crate) use options::LeafOptions;
use pages::{ChunkPages, compress_body};
use statistics::ChunkStatistics;
pub(crate) use store::{ChunkMetadata, ChunkStore, EncodedChunk, PageLocation};
pub(crate) use workspace::{Workspace, WorkspacePool};

/// Encodes one column chunk.
pub(crate) struct ChunkWriter<'o> {
    options: &'o LeafOptions,
    /// The levels and values of the current page.
    definition: LevelBuffer,
    repetition: LevelBuffer,
    values: ChunkValues,
    /// The number of pages that the chunk will have, if that is known; else 1.
    expected_pages: usize,
    /// The number of rows on the current page.
    page_rows: usize,
    pages: ChunkPages,
    /// The Bloom filter of values on pages without a dictionary.
    bloom: Option<Sbbf>,
}

/// The encoded body of a page.
struct EncodedBody {
    body: PageBody,
    /// Its length in bytes before compression.
    uncompressed: usize,
    is_compressed: bool,
    /// `None` if the page has no values.
    encoding: Option<Encoding>,
    bounds: Bounds,
}

impl EncodedBody {
    /// The body of a page without values.
    fn empty() -> Self {
        EncodedBody {
            body: PageBody::Own(0),
            uncompressed: 0,
            is_compressed: false,
            encoding: None,
            bounds: Bounds::None,
        }
    }
}

impl<'o> ChunkWriter<'o> {
    /// A chunk of about `rows` rows, if that is known.
    pub(crate) fn new(options: &'o LeafOptions, rows: Option<usize>) -> Self {
        ChunkWriter {
            definition: LevelBuffer::new(options.descriptor.max_def_level()),
            repetition: LevelBuffer::new(options.descriptor.max_rep_level()),
            values: ChunkValues::Empty,
            expected_pages: rows.map_or(1, |rows| rows.div_ceil(options.page_rows).max(1)),
            options,
            page_rows: 0,
            pages: ChunkPages::default(),
            bloom: None,
        }
    }

    /// Appends rows of a batch's column.
    pub(crate) fn append(
        &mut self,
        column: ColumnRef<'_>,
        rows: &LeafRows<'_>,
        workspace: &mut Workspace,
    ) -> Result<()> {
        if rows.len() == 0 {
            return Ok(());
        }
        let selection = rows.selection();
        if selection.len() > 0 && matches!(self.values, ChunkValues::Empty) {
            self.create_values()?;
        }
        let packed = column.packed_values(rows, &selection);
        let values = packed.as_ref().unwrap_or(&selection);
        if !self.continues(column, rows, values, workspace) {
            if self.page_rows >= self.options.page_rows {
                self.flush(workspace)?;
            }
            let room = self.options.page_rows - self.page_rows;
            if rows.len() > room && !(self.page_rows == 0 && selection.len() == 0) {
                return self.split(column, rows, room, workspace);
            }
        }
        if !self.append_values(column, values, rows.len(), workspace)? {
            return self.split(column, rows, rows.len() / 2, workspace);
        }
        self.definition.push_definition(rows, &selection);
        self.repetition.push_repetition(rows);
        self.page_rows += rows.len();
        if self.page_rows >= self.options.page_rows && !self.is_uniform() {
            self.flush(workspace)?;
        }
        Ok(())
    }

    fn create_values(&mut self) -> Result<()> {
        let LeafOptions {
            data_type, values, ..
        } = self.options;
        self.values =
            ChunkValues::new(data_type, *values, self.expected_pages).ok_or_else(|| {
                ParquetError::General(format!("{data_type} is not supported by this encoder"))
            })?;
        Ok(())
    }

    /// Appends the values of `rows` rows to the current page, or to a new one. Returns false, and
    /// appends nothing, if they are too long for one page.
    fn append_values(
        &mut self,
        column: ColumnRef<'_>,
        values: &ValueSelection<'_>,
        rows: usize,
        workspace: &mut Workspace,
    ) -> Result<bool> {
        let mut limited = true;
        loop {
            let scratch = &mut workspace.scratch;
            match self.values.append(column, values, limited, scratch)? {
                AppendOutcome::Done => return Ok(true),
                AppendOutcome::Retry => {}
                AppendOutcome::PageFull if self.page_rows > 0 => self.flush(workspace)?,
                // A row isn't split.
                AppendOutcome::PageFull if rows == 1 => limited = false,
                AppendOutcome::PageFull => return Ok(false),
                AppendOutcome::DictionaryFull => {
                    self.flush(workspace)?;
                    self.values.fall_back();
                }
            }
        }
    }

    /// Appends the rows before `at`, then the others.
    fn split(
        &mut self,
        column: ColumnRef<'_>,
        rows: &LeafRows<'_>,
        at: usize,
        workspace: &mut Workspace,
    ) -> Result<()> {
        match rows {
            LeafRows::Flat { offset, len, nulls } => {
                for (offset, len) in [(*offset, at), (offset + at, len - at)] {
                    let part = LeafRows::Flat { offset, len, nulls };
                    self.append(column, &part, workspace)?;
                }
            }
            LeafRows::Nested(levels) => {
                for part in [levels.rows(0, at), levels.rows(at, levels.rows)] {
                    self.append(column, &LeafRows::Nested(&part), workspace)?;
                }
            }
        }
        Ok(())
    }

    /// Whether the rows of the current page are all null, or all have the same value. Such a page
    /// has no limit of rows.
    fn is_uniform(&self) -> bool {
        let present = self.options.descriptor.max_def_level() as u8;
        let level = if self.values.len() == 0 { 0 } else { present };
        self.repetition.is_all(0) && self.definition.is_all(level) && self.values.is_constant()
    }

    /// Whether the current page is uniform, and stays so with these rows.
    fn continues(
        &mut self,
        column: ColumnRef<'_>,
        rows: &LeafRows<'_>,
        selection: &ValueSelection<'_>,
        workspace: &mut Workspace,
    ) -> bool {
        let LeafRows::Flat { nulls, .. } = rows else {
            return false;
        };
        if self.page_rows == 0 || !self.is_uniform() {
            return false;
        }
        match self.values.len() {
            0 => selection.len() == 0 && nulls.len() == 1,
            _ => {
                selection.len() == rows.len()
                    && self
                        .values
                        .continues(column, selection, &mut workspace.scratch)
            }
        }
    }

    /// Ends the current page.
    fn flush(&mut self, workspace: &mut Workspace) -> Result<()> {
        if self.page_rows == 0 {
            return Ok(());
        }
        let slots = match self.options.descriptor.max_def_level() {
            0 => self.page_rows,
            _ => self.definition.len(),
        };
        let mut bytes = std::mem::take(&mut workspace.page);
        bytes.clear();
        let repetition_length = self.flush_levels(&mut bytes);
        let levels = bytes.len();
        self.pages.begin_page(&bytes, workspace);
        let values = self.values.len();
        let encoded = match values {
            0 => EncodedBody::empty(),
            _ => self.flush_values(&mut bytes, workspace)?,
        };
        self.pages.end_page(DataPage {
            levels,
            repetition_length,
            body: encoded.body,
            uncompressed_body: encoded.uncompressed,
            is_compressed: encoded.is_compressed,
            encoding: encoded.encoding,
            slots,
            nulls: slots - values,
            rows: self.page_rows,
            bounds: encoded.bounds,
        });
        self.page_rows = 0;
        workspace.page = bytes;
        Ok(())
    }

    /// Appends the current page's levels to `bytes`; returns the length of the repetition levels.
    fn flush_levels(&mut self, bytes: &mut Vec<u8>) -> usize {
        if self.options.descriptor.max_rep_level() > 0 {
            self.repetition.flush(bytes);
        }
        let repetition_length = bytes.len();
        if self.options.descriptor.max_def_level() > 0 {
            self.definition.flush(bytes);
        }
        repetition_length
    }

    /// Encodes the current page's values. `bytes` has the page's levels, and is scratch memory
    /// after them.
    fn flush_values(
        &mut self,
        bytes: &mut Vec<u8>,
        workspace: &mut Workspace,
    ) -> Result<EncodedBody> {
        if !self.values.decide(&mut workspace.scratch)
            && self.bloom.is_none()
            && let Some(bloom) = &self.options.bloom
        {
            self.bloom = Some(Sbbf::new_with_ndv_fpp(bloom.ndv(), bloom.fpp())?);
        }
        let codec = self.pages.tries_compression().then_some(self.options.codec);
        match self.values.take_mapped() {
            Some((mapped, bounds)) => shared_body(mapped, bounds, codec, bytes, workspace),
            None => self.own_body(codec, bytes, workspace),
        }
    }

    /// Encodes a body that no other leaf shares.
    fn own_body(
        &mut self,
        mut codec: Option<Compression>,
        bytes: &mut Vec<u8>,
        workspace: &mut Workspace,
    ) -> Result<EncodedBody> {
        let (levels, values) = (bytes.len(), self.values.len());
        let (encoding, bounds) = self.values.flush(bytes, &mut self.bloom);
        let raw = &bytes[levels..];
        // Deltas wider than a byte rarely compress: a sample from the middle decides.
        if encoding == Encoding::DELTA_BINARY_PACKED
            && raw.len() > values
            && let Some(tried) = codec
            && workspace.compressor.is_noise(tried, raw)?
        {
            codec = None;
        }
        let (length, is_compressed) = self.pages.put_body(raw, codec, &mut workspace.compressor)?;
        Ok(EncodedBody {
            body: PageBody::Own(length),
            uncompressed: raw.len(),
            is_compressed,
            encoding: Some(encoding),
            bounds,
        })
    }

    /// Ends the chunk, and writes it to `store`.
    pub(crate) fn finish(
        mut self,
        workspace: &mut Workspace,
        store: &mut ChunkStore,
    ) -> Result<EncodedChunk> {
        self.flush(workspace)?;
        self.values.end(&mut workspace.scratch);
        let encodings = self.pages.all().iter().filter_map(|page| page.encoding);
        let has_dictionary = encodings.clone().any(|e| e == Encoding::RLE_DICTIONARY);
        let has_others = encodings.clone().any(|e| e != Encoding::RLE_DICTIONARY);
        let bloom = match self.bloom_filter(has_dictionary, has_others)? {
            Some(filter) => {
                let mut bytes = Vec::new();
                filter.write(&mut bytes)?;
                Some(bytes)
            }
            None => None,
        };
        let mut chunk = store.begin();
        let mut counts = std::mem::take(&mut workspace.counts);
        counts.clear();
        if has_dictionary {
            self.put_dictionary(workspace, store, &mut counts)?;
            chunk.dictionary = Some(store.chunk_length(&chunk));
        }
        self.pages
            .put(chunk.dictionary, workspace, store, &mut counts)?;
        if self.options.descriptor.max_def_level() > 0 {
            counts.encodings.insert(Encoding::RLE);
        }
        let length = store.chunk_length(&chunk);
        chunk.metadata = self.put_metadata(has_dictionary, length, &counts, &mut store.metadata);
        chunk.uncompressed = counts.uncompressed as i64;
        chunk.has_offset_index = self.options.offset_index;
        chunk.bloom = bloom;
        store.end(&mut chunk);
        workspace.counts = counts;
        self.pages.recycle(workspace);
        Ok(chunk)
    }

    fn put_dictionary(
        &mut self,
        workspace: &mut Workspace,
        store: &mut ChunkStore,
        counts: &mut PageCounts,
    ) -> Result<()> {
        let values = self.values.dictionary_len();
        let body = self.values.take_dictionary_page();
        let compressed = workspace.compressor.dictionary(self.options.codec, &body)?;
        let start = store.bytes.len();
        let stored = compressed.unwrap_or(&body);
        dictionary_header(values, body.len(), stored.len(), &mut store.bytes)?;
        let header = store.bytes.len() - start;
        counts.add(
            PageType::DICTIONARY_PAGE,
            Encoding::PLAIN,
            header + body.len(),
        );
        match compressed {
            Some(compressed) => store.put(compressed),
            None => store.put_own(body),
        }
        Ok(())
    }

    fn put_metadata(
        &self,
        has_dictionary: bool,
        length: u64,
        counts: &PageCounts,
        out: &mut Vec<u8>,
    ) -> ChunkMetadata {
        let pages = self.pages.all();
        let slots: usize = pages.iter().map(|p| p.slots).sum();
        let statistics = ChunkStatistics {
            options: self.options,
            pages,
            integer_width: self.values.integer_width(),
        };
        ChunkMetadata::new(
            has_dictionary,
            out,
            |column| {
                column.int32(1, self.options.descriptor.physical_type() as i32);
                let list = column.list(2, INT32, counts.encodings.encodings().count());
                for encoding in counts.encodings.encodings() {
                    put_zigzag(list, encoding as i64);
                }
                column.fields(&self.options.path_and_codec, 4);
                column.int64(5, slots as i64);
                column.int64(6, counts.uncompressed as i64);
                column.int64(7, length as i64);
            },
            |column| {
                if self.options.statistics != EnabledStatistics::None {
                    statistics.put_statistics(column.begin(12));
                }
                let list = column.list(13, STRUCT, counts.pages.len());
                for (page, encoding, count) in &counts.pages {
                    let mut of = StructWriter::new(list);
                    of.int32(1, *page as i32);
                    of.int32(2, *encoding as i32);
                    of.int32(3, *count);
                    of.end();
                }
            },
            (self.options.statistics == EnabledStatistics::Page)
                .then_some(|out: &mut Vec<u8>| statistics.put_column_index(out)),
        )
    }

    /// The chunk's Bloom filter. If all pages have the dictionary, it is made of the dictionary's
    /// values, whose number is known exactly.
    fn bloom_filter(&mut self, has_dictionary: bool, has_others: bool) -> Result<Option<Sbbf>> {
        let Some(properties) = &self.options.bloom else {
            return Ok(None);
        };
        if has_dictionary && !has_others {
            if !self.options.bloom_for_dictionaries {
                return Ok(None);
            }
            let values = self.values.dictionary_len() as u64;
            let mut bloom = Sbbf::new_with_ndv_fpp(values, properties.fpp())?;
            self.values.fill_bloom_filter(&mut bloom);
            return Ok(Some(bloom));
        }
        let mut bloom = match self.bloom.take() {
            Some(bloom) => bloom,
            None => Sbbf::new_with_ndv_fpp(1, properties.fpp())?,
        };
        if has_dictionary {
            self.values.fill_bloom_filter(&mut bloom);
        }
        bloom.fold_to_target_fpp(properties.fpp());
        Ok(Some(bloom))
    }
}

/// Encodes the values of a key set as the body of a page, or takes the body of a leaf that has the
/// same. `bytes` is scratch memory after its current end.
fn shared_body(
    MappedKeySet { set, ids }: MappedKeySet,
    bounds: Bounds,
    codec: Option<Compression>,
    bytes: &mut Vec<u8>,
    workspace: &mut Workspace,
) -> Result<EncodedBody> {
    let start = bytes.len();
    let body = set.body(ids, codec, |ids| {
        put_ids(set.all_ids(ids, &mut workspace.scratch.ids), bytes);
        let raw = &bytes[start..];
        let (stored, is_compressed) = compress_body(raw, codec, &mut workspace.compressor)?;
        Ok::<_, ParquetError>(SharedBody {
            bytes: Bytes::copy_from_slice(stored),
            uncompressed: raw.len(),
            is_compressed,
            tried: codec,
        })
    })?;
    Ok(EncodedBody {
        body: PageBody::Shared(body.bytes),
        uncompressed: body.uncompressed,
        is_compressed: body.is_compressed,
        encoding: Some(Encoding::RLE_DICTIONARY),
        bounds,
    })
}
