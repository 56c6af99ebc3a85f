//! A column chunk: pages as its rows come, layout and metadata at its end.

mod encoded;
mod options;
mod statistics;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, EncodingMask, PageType};
use parquet::bloom_filter::Sbbf;
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::EnabledStatistics;

use super::bits::put_zigzag;
use super::column::Source;
use super::compressor::{Compressor, is_worth_it};
use super::dictionary::put_ids;
use super::keys::{Body, Whole};
use super::levels::{Pending, Piece, Selection};
use super::page::{DataPage, PageBody, dictionary_header};
use super::thrift::{INT32, STRUCT, Writer};
use super::values::{Appended, Bounds, Scratch, Values};
use encoded::LONG;
pub(super) use encoded::{ChunkMetadata, EncodedChunk, Store};
pub(super) use options::LeafOptions;

/// After so many pages that compression did not help, only some are tried.
const HOPELESS: usize = 2;
/// One page in so many, then.
const RETRY: usize = 8;

/// A column chunk in the making.
pub(super) struct ChunkWriter<'o> {
    options: &'o LeafOptions,
    definition: Pending,
    repetition: Pending,
    values: Values,
    /// Pages that the chunk will have, as far as that is known.
    expected: usize,
    /// Rows that wait for their page.
    waiting: usize,
    pages: Vec<DataPage>,
    /// Levels and bodies of the pages.
    bodies: Vec<u8>,
    bloom: Option<Sbbf>,
    /// Pages in a row that compression did not help.
    misses: usize,
}

impl<'o> ChunkWriter<'o> {
    /// A chunk of about `rows` rows, if that is known.
    pub(super) fn new(options: &'o LeafOptions, rows: Option<usize>) -> Self {
        ChunkWriter {
            definition: Pending::new(options.descriptor.max_def_level()),
            repetition: Pending::new(options.descriptor.max_rep_level()),
            values: Values::Nothing,
            expected: rows.map_or(1, |rows| rows.div_ceil(options.page_rows).max(1)),
            options,
            waiting: 0,
            pages: Vec::new(),
            bodies: Vec::new(),
            bloom: None,
            misses: 0,
        }
    }

    /// Adds a piece of a batch.
    pub(super) fn append(
        &mut self,
        source: Source<'_>,
        piece: &Piece<'_>,
        memory: &mut Memory,
    ) -> Result<()> {
        if piece.rows() == 0 {
            return Ok(());
        }
        let selection = piece.selection();
        if selection.len() > 0 && matches!(self.values, Values::Nothing) {
            let LeafOptions {
                data_type, values, ..
            } = self.options;
            self.values = Values::new(data_type, *values, self.expected)
                .ok_or_else(|| ParquetError::General(format!("{data_type} is not encoded here")))?;
        }
        let packed = source.packed(piece, &selection);
        let values = packed.as_ref().unwrap_or(&selection);
        if !self.continues(source, piece, values, memory) {
            if self.waiting >= self.options.page_rows {
                self.flush(memory)?;
            }
            let room = self.options.page_rows - self.waiting;
            if piece.rows() > room && !(self.waiting == 0 && selection.len() == 0) {
                return self.split(source, piece, room, memory);
            }
        }
        let mut limited = true;
        loop {
            match self
                .values
                .append(source, values, limited, &mut memory.scratch)?
            {
                Appended::Done => break,
                Appended::Again => {}
                Appended::TooLong if self.waiting > 0 => self.flush(memory)?,
                Appended::TooLong if piece.rows() == 1 => limited = false,
                Appended::TooLong => {
                    return self.split(source, piece, piece.rows() / 2, memory);
                }
                Appended::Full => {
                    self.flush(memory)?;
                    self.values.fall_back();
                }
            }
        }
        self.definition.push_definition(piece, &selection);
        self.repetition.push_repetition(piece);
        self.waiting += piece.rows();
        if self.waiting >= self.options.page_rows && !self.is_uniform() {
            self.flush(memory)?;
        }
        Ok(())
    }

    fn split(
        &mut self,
        source: Source<'_>,
        piece: &Piece<'_>,
        at: usize,
        memory: &mut Memory,
    ) -> Result<()> {
        match piece {
            Piece::Flat { offset, len, nulls } => {
                for (offset, len) in [(*offset, at), (offset + at, len - at)] {
                    self.append(source, &Piece::Flat { offset, len, nulls }, memory)?;
                }
            }
            Piece::Nested(slots) => {
                for part in [slots.rows(0, at), slots.rows(at, slots.rows)] {
                    self.append(source, &Piece::Nested(&part), memory)?;
                }
            }
        }
        Ok(())
    }

    /// Whether the waiting rows are all alike: such a page may be as long as its chunk.
    fn is_uniform(&self) -> bool {
        let present = self.options.descriptor.max_def_level() as u8;
        let level = if self.values.len() == 0 { 0 } else { present };
        self.repetition.is_all(0) && self.definition.is_all(level) && self.values.is_constant()
    }

    /// Whether a piece is more of the same uniform rows.
    fn continues(
        &mut self,
        source: Source<'_>,
        piece: &Piece<'_>,
        selection: &Selection<'_>,
        memory: &mut Memory,
    ) -> bool {
        let Piece::Flat { nulls, .. } = piece else {
            return false;
        };
        if self.waiting == 0 || !self.is_uniform() {
            return false;
        }
        match self.values.len() {
            0 => selection.len() == 0 && nulls.len() == 1,
            _ => {
                selection.len() == piece.rows()
                    && self
                        .values
                        .continues(source, selection, &mut memory.scratch)
            }
        }
    }

    /// Ends the page at hand.
    fn flush(&mut self, memory: &mut Memory) -> Result<()> {
        if self.waiting == 0 {
            return Ok(());
        }
        let slots = match self.options.descriptor.max_def_level() {
            0 => self.waiting,
            _ => self.definition.len(),
        };
        let mut bytes = std::mem::take(&mut memory.page);
        bytes.clear();
        if self.options.descriptor.max_rep_level() > 0 {
            self.repetition.flush(&mut bytes);
        }
        let repetition_length = bytes.len();
        if self.options.descriptor.max_def_level() > 0 {
            self.definition.flush(&mut bytes);
        }
        let levels = bytes.len();
        let values = self.values.len();
        if values > 0
            && !self.values.decide(&mut memory.scratch)
            && self.bloom.is_none()
            && let Some(bloom) = &self.options.bloom
        {
            self.bloom = Some(Sbbf::new_with_ndv_fpp(bloom.ndv(), bloom.fpp())?);
        }
        let is_tried = self.misses < HOPELESS || self.pages.len().is_multiple_of(RETRY);
        let tried = is_tried.then_some(self.options.codec);
        let whole = match values {
            0 => None,
            _ => self.values.take_whole(),
        };
        let (encoding, bounds, body) = match whole {
            Some((Whole { set, of }, bounds)) => {
                let body = set.body(of, tried, |of| {
                    put_ids(set.all_ids(of, &mut memory.scratch.ids), &mut bytes);
                    let raw = &bytes[levels..];
                    let (stored, is_compressed) = page_body(raw, tried, &mut memory.compressor)?;
                    Ok::<_, ParquetError>(Body {
                        bytes: Bytes::copy_from_slice(stored),
                        length: raw.len(),
                        is_compressed,
                        tried,
                    })
                })?;
                (Some(Encoding::RLE_DICTIONARY), bounds, Some(body))
            }
            None if values == 0 => (None, Bounds::None, None),
            None => {
                let (encoding, bounds) = self.values.flush(&mut bytes, &mut self.bloom);
                (Some(encoding), bounds, None)
            }
        };
        if self.pages.is_empty() {
            self.pages = memory.pages.lend();
            self.bodies = memory.bodies.lend();
        }
        self.bodies.extend_from_slice(&bytes[..levels]);
        let (body, length, is_compressed) = match body {
            Some(body) => (
                PageBody::Shared(body.bytes),
                body.length,
                body.is_compressed,
            ),
            None => {
                let raw = &bytes[levels..];
                let tried = match tried {
                    // Of packed deltas of over a byte each it is likely.
                    Some(codec)
                        if encoding == Some(Encoding::DELTA_BINARY_PACKED)
                            && raw.len() > values
                            && memory.compressor.is_noise(codec, raw)? =>
                    {
                        None
                    }
                    tried => tried,
                };
                let (stored, is_compressed) = page_body(raw, tried, &mut memory.compressor)?;
                self.bodies.extend_from_slice(stored);
                (PageBody::Own(stored.len()), raw.len(), is_compressed)
            }
        };
        self.misses = match is_compressed {
            true => 0,
            false => self.misses + usize::from(is_worth_it(length)),
        };
        self.pages.push(DataPage {
            levels,
            repetition_length,
            body,
            length,
            is_compressed,
            encoding,
            slots,
            nulls: slots - values,
            rows: self.waiting,
            bounds,
        });
        self.waiting = 0;
        memory.page = bytes;
        Ok(())
    }

    /// Ends the chunk, which goes to `store`.
    pub(super) fn finish(mut self, memory: &mut Memory, store: &mut Store) -> Result<EncodedChunk> {
        self.flush(memory)?;
        self.values.end(&mut memory.scratch);
        let has_dictionary = self
            .pages
            .iter()
            .any(|p| p.encoding == Some(Encoding::RLE_DICTIONARY));
        let has_others = self
            .pages
            .iter()
            .any(|p| p.encoding.is_some_and(|e| e != Encoding::RLE_DICTIONARY));
        let bloom = match self.bloom_filter(has_dictionary, has_others)? {
            Some(filter) => {
                let mut bytes = Vec::new();
                filter.write(&mut bytes)?;
                Some(bytes)
            }
            None => None,
        };
        let mut chunk = store.begin();
        let mut tally = std::mem::take(&mut memory.tally);
        tally.clear();
        if has_dictionary {
            self.put_dictionary(memory, store, &mut tally)?;
            chunk.dictionary = Some(store.written(&chunk));
        }
        self.put_pages(chunk.dictionary, memory, store, &mut tally)?;
        if self.options.descriptor.max_def_level() > 0 {
            tally.encodings.insert(Encoding::RLE);
        }
        let length = store.written(&chunk);
        chunk.metadata = self.put_metadata(has_dictionary, length, &tally, &mut store.metadata);
        chunk.uncompressed = tally.uncompressed as i64;
        chunk.has_offset_index = self.options.offset_index;
        chunk.bloom = bloom;
        store.end(&mut chunk);
        memory.tally = tally;
        memory.pages.give_back(self.pages);
        Ok(chunk)
    }

    fn put_dictionary(
        &mut self,
        memory: &mut Memory,
        store: &mut Store,
        tally: &mut Tally,
    ) -> Result<()> {
        let (values, body) = self.values.dictionary();
        // A dictionary page has no flag of its own: the chunk's codec holds.
        let packed = memory.compressor.dictionary(self.options.codec, &body)?;
        let head = store.bytes.len();
        let stored = packed.unwrap_or(&body);
        dictionary_header(values, body.len(), stored.len(), &mut store.bytes)?;
        let head = store.bytes.len() - head;
        tally.count(
            PageType::DICTIONARY_PAGE,
            Encoding::PLAIN,
            head + body.len(),
        );
        match packed {
            Some(packed) => store.put(packed),
            None => store.put_own(body),
        }
        Ok(())
    }

    /// Puts the data pages behind the dictionary page, if there is one, of such a length.
    fn put_pages(
        &mut self,
        dictionary: Option<u64>,
        memory: &mut Memory,
        store: &mut Store,
        tally: &mut Tally,
    ) -> Result<()> {
        // A page without values is of the chunk's encoding.
        let empty = match dictionary {
            Some(_) => Encoding::RLE_DICTIONARY,
            None => Encoding::PLAIN,
        };
        let mut offset = dictionary.unwrap_or(0);
        // What is long isn't copied; what is short leaves its memory to the next chunk.
        let bodies = std::mem::take(&mut self.bodies);
        let (long, short) = match bodies.len() < LONG {
            true => (Bytes::new(), bodies),
            false => (bodies.into_boxed_slice().into(), Vec::new()),
        };
        let (mut row, mut from) = (0, 0);
        for page in &mut self.pages {
            let encoding = page.encoding.unwrap_or(empty);
            if page.encoding.is_none() && dictionary.is_some() {
                // The width of indices, and none.
                page.body = PageBody::Shared(Bytes::from_static(&[1]));
                page.length = 1;
            }
            let head = store.bytes.len();
            page.header(encoding, &mut store.bytes)?;
            let head = store.bytes.len() - head;
            tally.count(PageType::DATA_PAGE_V2, encoding, head + page.uncompressed());
            let length = head + page.levels + page.body.len();
            let size = i32::try_from(length)
                .map_err(|_| ParquetError::General("a page is too long".into()))?;
            store.pages.push((offset, size, row));
            offset += length as u64;
            row += page.rows as i64;
            let to = from
                + match &page.body {
                    PageBody::Own(length) => page.levels + length,
                    PageBody::Shared(_) => page.levels,
                };
            match short.get(from..to) {
                Some(bytes) => store.put(bytes),
                None => store.put_shared(long.slice(from..to)),
            }
            from = to;
            if let PageBody::Shared(bytes) = &page.body {
                store.put_shared(bytes.clone());
            }
        }
        memory.bodies.give_back(short);
        Ok(())
    }

    fn put_metadata(
        &self,
        has_dictionary: bool,
        length: u64,
        tally: &Tally,
        out: &mut Vec<u8>,
    ) -> ChunkMetadata {
        let slots: usize = self.pages.iter().map(|p| p.slots).sum();
        ChunkMetadata::new(
            has_dictionary,
            out,
            |column| {
                column.int32(1, self.options.descriptor.physical_type() as i32);
                let list = column.list(2, INT32, tally.encodings.encodings().count());
                for encoding in tally.encodings.encodings() {
                    put_zigzag(list, encoding as i64);
                }
                column.fields(&self.options.path_and_codec, 4);
                column.int64(5, slots as i64);
                column.int64(6, tally.uncompressed as i64);
                column.int64(7, length as i64);
            },
            |column| {
                if self.options.statistics != EnabledStatistics::None {
                    self.put_statistics(column.begin(12));
                }
                let list = column.list(13, STRUCT, tally.pages.len());
                for (page, encoding, count) in &tally.pages {
                    let mut of = Writer::new(list);
                    of.int32(1, *page as i32);
                    of.int32(2, *encoding as i32);
                    of.int32(3, *count);
                    of.end();
                }
            },
            (self.options.statistics == EnabledStatistics::Page)
                .then_some(|out: &mut Vec<u8>| self.put_column_index(out)),
        )
    }

    /// The bloom filter: of the dictionary's values where all pages have it, so that its size is
    /// exact.
    fn bloom_filter(&mut self, has_dictionary: bool, has_others: bool) -> Result<Option<Sbbf>> {
        let Some(properties) = &self.options.bloom else {
            return Ok(None);
        };
        if has_dictionary && !has_others {
            if !self.options.bloom_for_dictionaries {
                return Ok(None);
            }
            let mut bloom =
                Sbbf::new_with_ndv_fpp(self.values.dictionary_len() as u64, properties.fpp())?;
            self.values.fill(&mut bloom);
            return Ok(Some(bloom));
        }
        let mut bloom = match self.bloom.take() {
            Some(bloom) => bloom,
            None => Sbbf::new_with_ndv_fpp(1, properties.fpp())?,
        };
        if has_dictionary {
            self.values.fill(&mut bloom);
        }
        bloom.fold_to_target_fpp(properties.fpp());
        Ok(Some(bloom))
    }
}

/// A page's body, compressed where that is tried and helps.
fn page_body<'b>(
    raw: &'b [u8],
    tried: Option<Compression>,
    compressor: &'b mut Compressor,
) -> Result<(&'b [u8], bool)> {
    let packed = match tried {
        Some(codec) => compressor.compress(codec, raw)?,
        None => None,
    };
    Ok((packed.unwrap_or(raw), packed.is_some()))
}

/// What was counted of a chunk's pages.
#[derive(Default)]
struct Tally {
    uncompressed: usize,
    encodings: EncodingMask,
    /// `PageEncodingStats`: how many one after the other are of a kind and an encoding.
    pages: Vec<(PageType, Encoding, i32)>,
}

impl Tally {
    fn clear(&mut self) {
        self.uncompressed = 0;
        self.encodings = EncodingMask::default();
        self.pages.clear();
    }

    /// Counts a page of so many bytes, header and all, before compression.
    fn count(&mut self, page: PageType, encoding: Encoding, bytes: usize) {
        self.uncompressed += bytes;
        self.encodings.insert(encoding);
        match self.pages.last_mut() {
            Some((last, of, count)) if (*last, *of) == (page, encoding) => *count += 1,
            _ => self.pages.push((page, encoding, 1)),
        }
    }
}

/// Lists that chunks have had, for the next to fill.
struct Spare<T>(Vec<Vec<T>>);

impl<T> Default for Spare<T> {
    fn default() -> Self {
        Spare(Vec::new())
    }
}

impl<T> Spare<T> {
    fn lend(&mut self) -> Vec<T> {
        self.0.pop().unwrap_or_default()
    }

    fn give_back(&mut self, mut list: Vec<T>) {
        if list.capacity() > 0 {
            list.clear();
            self.0.push(list);
        }
    }
}

/// Memory that a thread's chunks share.
#[derive(Default)]
pub(super) struct Memory {
    pub scratch: Scratch,
    pub compressor: Compressor,
    page: Vec<u8>,
    tally: Tally,
    pages: Spare<DataPage>,
    bodies: Spare<u8>,
}

impl Memory {
    /// Forgets what leaves of the batch before have shared.
    pub(super) fn begin_batch(&mut self) {
        self.scratch.sets.clear();
    }

    /// Keeps nothing for the next row group that only this one had.
    pub(super) fn end_row_group(&mut self) {
        self.begin_batch();
        self.scratch.remaps.forget();
    }
}
