//! A column chunk: pages as its rows come, layout and metadata at its end.

mod encoded;

use arrow::array::ArrayRef;
use bytes::Bytes;
use parquet::basic::{
    BoundaryOrder, Compression, ConvertedType, Encoding, EncodingMask, LogicalType, PageType,
    SortOrder,
};
use parquet::bloom_filter::Sbbf;
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{
    ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats,
};
use parquet::file::properties::{BloomFilterProperties, EnabledStatistics, WriterProperties};
use parquet::file::statistics::{Statistics, ValueStatistics};
use parquet::schema::types::ColumnDescPtr;

use super::bounds::{lower, upper};
use super::dictionary::put_ids;
use super::keys::{Body, Whole};
use super::levels::{Pending, Piece, Selection};
use super::page::{Compressor, DataPage, dictionary_header};
use super::values::{Appended, Bounds, Scratch, ValueOptions, Values};
pub(super) use encoded::EncodedChunk;

/// After so many pages that compression did not help, only some are tried.
const HOPELESS: usize = 2;
/// One page in so many, then.
const RETRY: usize = 8;

/// How a leaf's chunks are written: what the writer properties say of its column.
#[derive(Debug, Clone)]
pub(super) struct LeafOptions {
    pub descriptor: ColumnDescPtr,
    pub data_type: arrow::datatypes::DataType,
    codec: Compression,
    page_rows: usize,
    values: ValueOptions,
    statistics: EnabledStatistics,
    column_index_truncation: Option<usize>,
    statistics_truncation: Option<usize>,
    bloom: Option<BloomFilterProperties>,
    bloom_for_dictionaries: bool,
    offset_index: bool,
}

impl LeafOptions {
    pub(super) fn new(
        descriptor: ColumnDescPtr,
        data_type: arrow::datatypes::DataType,
        properties: &WriterProperties,
    ) -> Self {
        let path = descriptor.path();
        LeafOptions {
            codec: properties.compression(path),
            page_rows: properties.column_data_page_row_count_limit(path).max(1),
            values: ValueOptions {
                dictionary: properties.dictionary_enabled(path),
                dictionary_limit: properties.column_dictionary_page_size_limit(path),
                page_limit: properties.column_data_page_size_limit(path),
            },
            statistics: properties.statistics_enabled(path),
            column_index_truncation: properties.column_index_truncate_length(),
            statistics_truncation: properties.statistics_truncate_length(),
            bloom: properties.bloom_filter_properties(path).cloned(),
            bloom_for_dictionaries: properties.bloom_filter_for_dictionary_encoded_chunks(),
            offset_index: !properties.offset_index_disabled(),
            descriptor,
            data_type,
        }
    }

    pub(super) fn codec(&self) -> Compression {
        self.codec
    }

    fn is_text(&self) -> bool {
        self.descriptor.logical_type_ref() == Some(&LogicalType::String)
            || self.descriptor.converted_type() == ConvertedType::UTF8
    }
}

/// A column chunk in the making.
pub(super) struct ChunkWriter<'o> {
    options: &'o LeafOptions,
    definition: Pending,
    repetition: Pending,
    values: Values,
    /// Rows that wait for their page.
    waiting: usize,
    rows: usize,
    pages: Vec<DataPage>,
    bounds: Vec<Bounds>,
    bloom: Option<Sbbf>,
    /// Pages in a row that compression did not help.
    misses: usize,
}

impl<'o> ChunkWriter<'o> {
    /// A chunk of about `rows` rows, if that is known; `None` for a type that has no fast path.
    pub(super) fn new(options: &'o LeafOptions, rows: Option<usize>) -> Option<Self> {
        let pages = rows.map_or(1, |rows| rows.div_ceil(options.page_rows).max(1));
        Some(ChunkWriter {
            definition: Pending::new(options.descriptor.max_def_level()),
            repetition: Pending::new(options.descriptor.max_rep_level()),
            values: Values::new(&options.data_type, options.values, pages)?,
            options,
            waiting: 0,
            rows: 0,
            pages: Vec::new(),
            bounds: Vec::new(),
            bloom: None,
            misses: 0,
        })
    }

    /// Adds a piece of a batch.
    pub(super) fn append(
        &mut self,
        array: &ArrayRef,
        piece: &Piece<'_>,
        memory: &mut Memory,
    ) -> Result<()> {
        if piece.rows() == 0 {
            return Ok(());
        }
        let selection = piece.selection();
        if !self.continues(array, piece, &selection, memory) {
            if self.waiting >= self.options.page_rows {
                self.flush(memory)?;
            }
            let room = self.options.page_rows - self.waiting;
            if piece.rows() > room && !(self.waiting == 0 && selection.len() == 0) {
                return self.split(array, piece, room, memory);
            }
        }
        let mut limited = true;
        loop {
            match self
                .values
                .append(array, &selection, limited, &mut memory.scratch)?
            {
                Appended::Done => break,
                Appended::Again => {}
                Appended::TooLong if self.waiting > 0 => self.flush(memory)?,
                Appended::TooLong if piece.rows() == 1 => limited = false,
                Appended::TooLong => {
                    return self.split(array, piece, piece.rows() / 2, memory);
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
        self.rows += piece.rows();
        if self.waiting >= self.options.page_rows && !self.is_uniform() {
            self.flush(memory)?;
        }
        Ok(())
    }

    fn split(
        &mut self,
        array: &ArrayRef,
        piece: &Piece<'_>,
        at: usize,
        memory: &mut Memory,
    ) -> Result<()> {
        match piece {
            Piece::Flat { offset, len, nulls } => {
                for (offset, len) in [(*offset, at), (offset + at, len - at)] {
                    self.append(array, &Piece::Flat { offset, len, nulls }, memory)?;
                }
            }
            Piece::Nested(slots) => {
                for part in [slots.rows(0, at), slots.rows(at, slots.rows)] {
                    self.append(array, &Piece::Nested(&part), memory)?;
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
        array: &ArrayRef,
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
                    && self.values.continues(array, selection, &mut memory.scratch)
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
                    let ids = &mut memory.scratch.ids;
                    ids.clear();
                    set.ids(of, ids);
                    put_ids(ids, &mut bytes);
                    page_body(&bytes[levels..], tried, &mut memory.compressor)
                })?;
                (Some(Encoding::RLE_DICTIONARY), bounds, body)
            }
            None => {
                let (encoding, bounds) = match values {
                    0 => (None, Bounds::None),
                    _ => {
                        let (encoding, bounds) = self.values.flush(&mut bytes, &mut self.bloom);
                        (Some(encoding), bounds)
                    }
                };
                let body = page_body(&bytes[levels..], tried, &mut memory.compressor)?;
                (encoding, bounds, body)
            }
        };
        self.misses = match body.is_compressed {
            true => 0,
            false => self.misses + 1,
        };
        self.pages.push(DataPage {
            levels: bytes[..levels].to_vec(),
            repetition_length,
            body,
            encoding,
            slots,
            nulls: slots - values,
            rows: self.waiting,
        });
        self.bounds.push(bounds);
        self.waiting = 0;
        memory.page = bytes;
        Ok(())
    }

    /// Ends the chunk.
    pub(super) fn finish(mut self, memory: &mut Memory) -> Result<EncodedChunk> {
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
        let bloom = self.bloom_filter(has_dictionary, has_others)?;
        let mut segments = Vec::with_capacity(1 + self.pages.len() * 2);
        let (mut compressed, mut uncompressed) = (0, 0);
        let mut encodings = EncodingMask::default();
        let mut statistics = Vec::new();
        if has_dictionary {
            let (values, body) = self.values.dictionary();
            // A dictionary page has no flag of its own: the chunk's codec holds.
            let packed = memory.compressor.always(self.options.codec, &body)?;
            let stored = packed.unwrap_or(&body);
            let mut segment = Vec::with_capacity(stored.len() + 32);
            dictionary_header(values, body.len(), stored.len(), &mut segment)?;
            uncompressed += segment.len() + body.len();
            segment.extend_from_slice(stored);
            compressed += segment.len();
            segments.push(segment.into());
            statistics.push(PageEncodingStats {
                page_type: PageType::DICTIONARY_PAGE,
                encoding: Encoding::PLAIN,
                count: 1,
            });
            encodings.insert(Encoding::PLAIN);
        }
        let dictionary_length = compressed as i64;
        let mut offsets = OffsetIndexBuilder::new();
        for page in &mut self.pages {
            let encoding = page.encoding.unwrap_or(match has_dictionary {
                true => Encoding::RLE_DICTIONARY,
                false => Encoding::PLAIN,
            });
            if page.encoding.is_none() && has_dictionary {
                // A page without values: the width of indices, and none.
                page.body.bytes = Bytes::from_static(&[1]);
                page.body.length = 1;
            }
            let mut head = Vec::with_capacity(48 + page.levels.len());
            page.header(encoding, &mut head)?;
            uncompressed += head.len() + page.uncompressed();
            head.extend_from_slice(&page.levels);
            let length = head.len() + page.body.bytes.len();
            offsets.append_row_count(page.rows as i64);
            let size = i32::try_from(length)
                .map_err(|_| ParquetError::General("a page is too long".into()))?;
            offsets.append_offset_and_size(compressed as i64, size);
            compressed += length;
            segments.push(head.into());
            segments.push(std::mem::take(&mut page.body.bytes));
            encodings.insert(encoding);
            match statistics.last_mut() {
                Some(last)
                    if last.page_type == PageType::DATA_PAGE_V2 && last.encoding == encoding =>
                {
                    last.count += 1;
                }
                _ => statistics.push(PageEncodingStats {
                    page_type: PageType::DATA_PAGE_V2,
                    encoding,
                    count: 1,
                }),
            }
        }
        if self.options.descriptor.max_def_level() > 0 {
            encodings.insert(Encoding::RLE);
        }
        let slots: usize = self.pages.iter().map(|p| p.slots).sum();
        let mut metadata = ColumnChunkMetaData::builder(self.options.descriptor.clone())
            .set_compression(self.options.codec)
            .set_encodings_mask(encodings)
            .set_page_encoding_stats(statistics)
            .set_total_compressed_size(compressed as i64)
            .set_total_uncompressed_size(uncompressed as i64)
            .set_num_values(slots as i64)
            .set_data_page_offset(dictionary_length)
            .set_dictionary_page_offset(has_dictionary.then_some(0));
        if self.options.statistics != EnabledStatistics::None {
            metadata = metadata.set_statistics(self.statistics());
        }
        let column_index = match self.options.statistics {
            EnabledStatistics::Page => Some(self.column_index()?),
            _ => None,
        };
        Ok(EncodedChunk {
            close: Some(ColumnCloseResult {
                bytes_written: compressed as u64,
                rows_written: self.rows as u64,
                metadata: metadata.build()?,
                bloom_filter: bloom,
                column_index,
                offset_index: self.options.offset_index.then(|| offsets.build()),
            }),
            segments,
        })
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

    /// Least and greatest value of the chunk.
    fn chunk_bounds(&self) -> Bounds {
        let flip = self.flip();
        self.bounds
            .iter()
            .fold(Bounds::None, |all, page| match (all, page) {
                (Bounds::None, page) => page.clone(),
                (all, Bounds::None) => all,
                (Bounds::Text(least, greatest), Bounds::Text(l, g)) => Bounds::Text(
                    if *l < least { l.clone() } else { least },
                    if *g > greatest { g.clone() } else { greatest },
                ),
                (Bounds::Integer(least, greatest), Bounds::Integer(l, g)) => Bounds::Integer(
                    (least ^ flip).min(l ^ flip) ^ flip,
                    (greatest ^ flip).max(g ^ flip) ^ flip,
                ),
                (Bounds::Boolean(least, greatest), Bounds::Boolean(l, g)) => {
                    Bounds::Boolean(least & l, greatest | g)
                }
                (all, _) => all,
            })
    }

    /// What turns the order of 64-bit unsigned integers into that of signed ones.
    fn flip(&self) -> i64 {
        match self.options.data_type {
            arrow::datatypes::DataType::UInt64 => i64::MIN,
            _ => 0,
        }
    }

    fn statistics(&self) -> Statistics {
        let nulls = Some(self.pages.iter().map(|p| p.nulls as u64).sum());
        let signed = self.options.descriptor.sort_order() == SortOrder::SIGNED;
        let limit = self.options.statistics_truncation;
        let is_text = self.options.is_text();
        macro_rules! plain {
            ($least:expr, $greatest:expr) => {
                ValueStatistics::new($least, $greatest, None, nulls, false)
                    .with_backwards_compatible_min_max(signed)
            };
        }
        match (self.chunk_bounds(), &self.values) {
            (Bounds::Text(least, greatest), _) => {
                let (low, low_differs) = lower(&least, limit, is_text);
                let (high, high_differs) = upper(&greatest, limit, is_text);
                Statistics::ByteArray(
                    ValueStatistics::new(
                        Some(ByteArray::from(low.to_vec())),
                        Some(ByteArray::from(high)),
                        None,
                        nulls,
                        signed,
                    )
                    .with_min_is_exact(!low_differs)
                    .with_max_is_exact(!high_differs),
                )
            }
            (Bounds::Integer(least, greatest), Values::Integers(integers)) if integers.narrow => {
                Statistics::Int32(plain!(Some(least as i32), Some(greatest as i32)))
            }
            (Bounds::Integer(least, greatest), _) => {
                Statistics::Int64(plain!(Some(least), Some(greatest)))
            }
            (Bounds::Boolean(least, greatest), _) => {
                Statistics::Boolean(plain!(Some(least), Some(greatest)))
            }
            (Bounds::None, Values::Texts(_)) => {
                Statistics::ByteArray(plain!(None::<ByteArray>, None))
            }
            (Bounds::None, Values::Integers(integers)) if integers.narrow => {
                Statistics::Int32(plain!(None::<i32>, None))
            }
            (Bounds::None, Values::Integers(_)) => Statistics::Int64(plain!(None::<i64>, None)),
            (Bounds::None, Values::Booleans(_)) => Statistics::Boolean(plain!(None::<bool>, None)),
        }
    }

    fn column_index(&self) -> Result<parquet::file::page_index::column_index::ColumnIndexMetaData> {
        let mut index = ColumnIndexBuilder::new(self.options.descriptor.physical_type());
        let limit = self.options.column_index_truncation;
        let is_text = self.options.is_text();
        let narrow = matches!(&self.values, Values::Integers(i) if i.narrow);
        let integer = |value: i64| match narrow {
            true => (value as i32).to_le_bytes().to_vec(),
            false => value.to_le_bytes().to_vec(),
        };
        for (page, bounds) in self.pages.iter().zip(&self.bounds) {
            let (least, greatest) = match bounds {
                Bounds::None => (Vec::new(), Vec::new()),
                Bounds::Text(least, greatest) => (
                    lower(least, limit, is_text).0.to_vec(),
                    upper(greatest, limit, is_text).0,
                ),
                Bounds::Integer(least, greatest) => (integer(*least), integer(*greatest)),
                Bounds::Boolean(least, greatest) => (vec![*least as u8], vec![*greatest as u8]),
            };
            let is_null = *bounds == Bounds::None;
            index.append(is_null, least, greatest, page.nulls as i64, None);
        }
        index.set_boundary_order(self.boundary_order());
        index.build()
    }

    fn boundary_order(&self) -> BoundaryOrder {
        let flip = self.flip();
        let (mut rising, mut falling) = (true, true);
        let mut present = self.bounds.iter().filter(|b| **b != Bounds::None);
        let Some(mut last) = present.next() else {
            return BoundaryOrder::ASCENDING;
        };
        for next in present {
            let (least, greatest) = match (last, next) {
                (Bounds::Text(a, b), Bounds::Text(c, d)) => (a.cmp(c), b.cmp(d)),
                (Bounds::Integer(a, b), Bounds::Integer(c, d)) => {
                    ((a ^ flip).cmp(&(c ^ flip)), (b ^ flip).cmp(&(d ^ flip)))
                }
                (Bounds::Boolean(a, b), Bounds::Boolean(c, d)) => (a.cmp(c), b.cmp(d)),
                _ => return BoundaryOrder::UNORDERED,
            };
            rising &= least.is_le() && greatest.is_le();
            falling &= least.is_ge() && greatest.is_ge();
            last = next;
        }
        match (rising, falling) {
            (true, _) => BoundaryOrder::ASCENDING,
            (false, true) => BoundaryOrder::DESCENDING,
            (false, false) => BoundaryOrder::UNORDERED,
        }
    }
}

/// A page's body, compressed where that is tried and helps.
fn page_body(raw: &[u8], tried: Option<Compression>, compressor: &mut Compressor) -> Result<Body> {
    let packed = match tried {
        Some(codec) => compressor.compress(codec, raw)?,
        None => None,
    };
    Ok(Body {
        is_compressed: packed.is_some(),
        bytes: Bytes::copy_from_slice(packed.unwrap_or(raw)),
        length: raw.len(),
        tried,
    })
}

/// Memory that a thread's chunks share.
#[derive(Default)]
pub(super) struct Memory {
    pub scratch: Scratch,
    pub compressor: Compressor,
    page: Vec<u8>,
}

impl Memory {
    /// Forgets what leaves of the batch before have shared.
    pub(super) fn begin_batch(&mut self) {
        self.scratch.sets.clear();
    }
}
