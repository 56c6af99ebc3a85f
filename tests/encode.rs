//! The encoder against `ArrowWriter`: the same values from both files, whatever the schema.

use std::io::Write;
use std::sync::Arc;

use arrow::array::*;
use arrow::buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::{cast, concat_batches, take};
use arrow::datatypes::*;
use arrow::error::ArrowError;
use bytes::Bytes;
use fusiongen::encode::{Encoder, FileWriter, RowGroup};
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::arrow::{ArrowSchemaConverter, ArrowWriter};
use parquet::basic::{Compression, Encoding, PageType, SortOrder, ZstdLevel};
use parquet::file::metadata::{
    PageIndexPolicy, ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader,
    ParquetMetaDataWriter, SortingColumn,
};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion};
use parquet::file::statistics::Statistics;
use parquet::file::writer::TrackedWrite;
use proptest::prelude::*;

fn properties() -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).unwrap()))
}

/// A file of one row group for each slice of batches.
fn encode(schema: &SchemaRef, groups: &[&[RecordBatch]], properties: WriterProperties) -> Bytes {
    encode_by(schema, groups, properties, None, |group, batch| {
        group.write(batch)
    })
}

/// The same in row groups of so many rows, if that is said, with batches added as `write` does it.
fn encode_by(
    schema: &SchemaRef,
    groups: &[&[RecordBatch]],
    properties: WriterProperties,
    rows: Option<usize>,
    write: impl Fn(&mut RowGroup<'_>, &RecordBatch) -> parquet::errors::Result<()>,
) -> Bytes {
    let descriptor = ArrowSchemaConverter::new().convert(schema).unwrap();
    let properties = Arc::new(properties);
    let encoder = Encoder::new(schema, &descriptor, &properties).unwrap();
    let mut file = FileWriter::new(Vec::new(), &encoder).unwrap();
    for batches in groups {
        let mut group = match rows {
            Some(rows) => encoder.row_group_of(rows).unwrap(),
            None => encoder.row_group().unwrap(),
        };
        for batch in *batches {
            write(&mut group, batch).unwrap();
        }
        file.append(group.finish().unwrap()).unwrap();
    }
    file.finish().unwrap().into()
}

/// The same by `ArrowWriter`.
fn reference(schema: &SchemaRef, groups: &[&[RecordBatch]], properties: WriterProperties) -> Bytes {
    let mut file = Vec::new();
    let options = ArrowWriterOptions::new()
        .with_properties(properties)
        .with_skip_arrow_metadata(true);
    let mut writer = ArrowWriter::try_new_with_options(&mut file, schema.clone(), options).unwrap();
    for batches in groups {
        for batch in *batches {
            writer.write(batch).unwrap();
        }
        writer.flush().unwrap();
    }
    writer.close().unwrap();
    file.into()
}

fn read(file: &Bytes) -> (Arc<ParquetMetaData>, RecordBatch) {
    try_read(file).unwrap()
}

fn try_read(file: &Bytes) -> Result<(Arc<ParquetMetaData>, RecordBatch), ArrowError> {
    let options = ArrowReaderOptions::new()
        .with_page_index_policy(PageIndexPolicy::Required)
        .with_encoding_stats_as_mask(false);
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(file.clone(), options)
        .unwrap()
        .with_batch_size(1000);
    let metadata = reader.metadata().clone();
    let schema = reader.schema().clone();
    let batches = reader.build()?.collect::<Result<Vec<RecordBatch>, _>>()?;
    Ok((metadata, arrow::compute::concat_batches(&schema, &batches)?))
}

/// Checks what must hold of every chunk's metadata, beside the other writer's.
fn check_metadata(ours: &ParquetMetaData, theirs: &ParquetMetaData) {
    assert_eq!(ours.num_row_groups(), theirs.num_row_groups());
    for (g, (a, b)) in ours
        .row_groups()
        .iter()
        .zip(theirs.row_groups())
        .enumerate()
    {
        assert_eq!(a.num_rows(), b.num_rows());
        for (c, (a, b)) in a.columns().iter().zip(b.columns()).enumerate() {
            let path = a.column_path().string();
            assert_eq!(a.num_values(), b.num_values(), "{path}");
            if let (Some(a), Some(b)) = (a.statistics(), b.statistics()) {
                assert_eq!(a.null_count_opt(), b.null_count_opt(), "{path}");
                assert_eq!(a.min_bytes_opt(), b.min_bytes_opt(), "{path}");
                assert_eq!(a.max_bytes_opt(), b.max_bytes_opt(), "{path}");
                assert_eq!(a.min_is_exact(), b.min_is_exact(), "{path}");
                assert_eq!(a.max_is_exact(), b.max_is_exact(), "{path}");
            }
            let pages: i32 = a
                .page_encoding_stats()
                .unwrap()
                .iter()
                .filter(|s| s.page_type != PageType::DICTIONARY_PAGE)
                .map(|s| s.count)
                .sum();
            let index = ours.page_index_for_row_group(g);
            let locations = index.offset_index(c).unwrap().page_locations().len();
            assert_eq!(pages as usize, locations, "{path}");
            for encoding in a.page_encoding_stats().unwrap() {
                assert!(a.encodings_mask().is_set(encoding.encoding), "{path}");
            }
        }
    }
}

fn for_old_readers(statistics: Statistics) -> Statistics {
    macro_rules! each {
        ($($kind:ident)*) => {
            match statistics {
                $(Statistics::$kind(s) => Statistics::$kind(s.with_backwards_compatible_min_max(true)),)*
            }
        };
    }
    each!(Boolean Int32 Int64 Int96 Float Double ByteArray FixedLenByteArray)
}

/// The bytes of a file's pages, with indexes and footer as the `parquet` crate writes what they say.
fn rewritten(file: &Bytes) -> Vec<u8> {
    let options = ParquetMetaDataOptions::new().with_encoding_stats_as_mask(false);
    let metadata = ParquetMetaDataReader::new()
        .with_page_index_policy(PageIndexPolicy::Required)
        .with_metadata_options(Some(options))
        .parse_and_finish(file)
        .unwrap();
    // A reader forgets whether bounds also stood where old readers look.
    let groups = metadata.row_groups().iter().map(|group| {
        let chunks = group.columns().iter().map(|chunk| {
            let is_signed = chunk.column_descr().sort_order() == SortOrder::SIGNED;
            let rebuilt = chunk.clone().into_builder();
            match chunk.statistics().filter(|_| is_signed) {
                Some(statistics) => rebuilt.set_statistics(for_old_readers(statistics.clone())),
                None => rebuilt,
            }
            .build()
            .unwrap()
        });
        let chunks = chunks.collect();
        (group.clone().into_builder())
            .set_column_metadata(chunks)
            .build()
            .unwrap()
    });
    let groups = groups.collect();
    let metadata = metadata.into_builder().set_row_groups(groups).build();
    let length = u32::from_le_bytes(*file[..file.len() - 4].last_chunk().unwrap());
    let footer = file.len() - 8 - length as usize;
    let chunks = metadata.row_groups().iter().flat_map(|g| g.columns());
    let indexes = chunks
        .flat_map(|c| [c.column_index_offset(), c.offset_index_offset()])
        .flatten()
        .min();
    let mut out = Vec::new();
    let mut tracked = TrackedWrite::new(&mut out);
    let pages = indexes.map_or(footer, |at| at as usize);
    tracked.write_all(&file[..pages]).unwrap();
    ParquetMetaDataWriter::new_with_tracked(tracked, &metadata)
        .finish()
        .unwrap();
    out
}

/// Writes by both and compares.
///
/// `None` where the reader refuses `ArrowWriter`'s own file, as it does some garbage under null
/// parents (a required field's in a struct in a list): there is nothing to compare with.
fn compare(
    schema: &SchemaRef,
    groups: &[&[RecordBatch]],
    properties: &WriterProperties,
) -> Option<Bytes> {
    // `ArrowWriter` leaves out row groups without rows.
    let rows = |batches: &[RecordBatch]| batches.iter().any(|b| b.num_rows() > 0);
    let groups: Vec<&[RecordBatch]> = groups.iter().copied().filter(|g| rows(g)).collect();
    let groups = groups.as_slice();
    let ours = encode(schema, groups, properties.clone());
    let theirs = reference(schema, groups, properties.clone());
    let (their_metadata, b) = try_read(&theirs).ok()?;
    let (our_metadata, a) = read(&ours);
    assert_eq!(a, b);
    check_metadata(&our_metadata, &their_metadata);
    // Not by assert_eq!, which would print both files.
    assert!(
        rewritten(&ours) == ours,
        "another footer than the parquet crate's"
    );
    Some(ours)
}

// ---- Random schemas and batches ----

/// A source of choices.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let x = self.0 ^ self.0 >> 32;
        x.wrapping_mul(0xd6e8_feb8_6659_fd93) >> 16
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

fn leaf_type(dice: &mut Dice) -> DataType {
    use DataType as T;
    let keys = [
        T::Int8,
        T::Int16,
        T::Int32,
        T::Int64,
        T::UInt8,
        T::UInt16,
        T::UInt32,
        T::UInt64,
    ];
    let texts = [T::Utf8, T::LargeUtf8, T::Binary, T::LargeBinary];
    let plain = [
        T::Boolean,
        T::Int8,
        T::Int16,
        T::Int32,
        T::Int64,
        T::UInt8,
        T::UInt16,
        T::UInt32,
        T::UInt64,
        T::Date32,
        T::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        T::Timestamp(TimeUnit::Second, None),
        T::Float64,
        T::Utf8View,
        T::FixedSizeBinary(3),
        T::Decimal128(20, 2),
    ];
    match dice.below(3) {
        0 => {
            let key = keys[dice.below(keys.len())].clone();
            let value = match dice.one_in(8) {
                true => T::Int64,
                false => texts[dice.below(texts.len())].clone(),
            };
            T::Dictionary(Box::new(key), Box::new(value))
        }
        1 => texts[dice.below(texts.len())].clone(),
        _ => plain[dice.below(plain.len())].clone(),
    }
}

fn field(dice: &mut Dice, name: String, depth: usize) -> Field {
    let data_type = match (depth, dice.below(4)) {
        (0, _) | (_, 0 | 1) => leaf_type(dice),
        (_, 2) => DataType::Struct(
            (0..1 + dice.below(3))
                .map(|i| field(dice, format!("{name}_{i}"), depth - 1))
                .collect(),
        ),
        _ => {
            let item = Arc::new(field(dice, "element".into(), depth - 1));
            match dice.below(5) {
                0 => DataType::LargeList(item),
                1 => DataType::FixedSizeList(item, 2),
                _ => DataType::List(item),
            }
        }
    };
    Field::new(name, data_type, dice.one_in(2))
}

fn nulls(dice: &mut Dice, len: usize) -> Option<NullBuffer> {
    let rate = match dice.below(5) {
        0 => return None,
        1 => 1,
        2 => usize::MAX,
        3 => 10,
        _ => 2,
    };
    // In stretches, so that runs of levels come up.
    let stretch = [1, 1, 9, 100][dice.below(4)];
    let mut valid = true;
    Some(NullBuffer::new(BooleanBuffer::collect_bool(len, |i| {
        if i % stretch == 0 {
            valid = !dice.one_in(rate);
        }
        valid
    })))
}

fn text(dice: &mut Dice, distinct: usize) -> String {
    let n = dice.below(distinct);
    match n % 5 {
        0 => String::new(),
        1 => format!("C:\\Windows\\System32\\{n}.exe"),
        2 => "ü".repeat(n % 90),
        _ => format!("{n}"),
    }
}

/// An array of a field's type; `required` values are none but where a parent is null.
fn array(dice: &mut Dice, field: &Field, len: usize, parent: Option<&NullBuffer>) -> ArrayRef {
    use DataType as T;
    let own = match field.is_nullable() {
        true => nulls(dice, len),
        // Nulls where the parent is null: garbage that nobody may see.
        false => parent.cloned().filter(|_| dice.one_in(2)),
    };
    let distinct = [1, 3, 100, 100_000][dice.below(4)];
    macro_rules! primitive {
        ($t:ty) => {
            Arc::new(PrimitiveArray::<$t>::new(
                (0..len)
                    .map(|_| {
                        let value = match dice.one_in(50) {
                            true => dice.next() << 20 | dice.next(),
                            false => dice.below(distinct) as u64,
                        };
                        value as <$t as ArrowPrimitiveType>::Native
                    })
                    .collect::<Vec<_>>()
                    .into(),
                own,
            ))
        };
    }
    match field.data_type() {
        T::Boolean => {
            let stretch = [1, 40][dice.below(2)];
            let mut value = false;
            let bits = BooleanBuffer::collect_bool(len, |i| {
                if i % stretch == 0 {
                    value = dice.one_in(2);
                }
                value
            });
            Arc::new(BooleanArray::new(bits, own))
        }
        T::Int8 => primitive!(Int8Type),
        T::Int16 => primitive!(Int16Type),
        T::Int32 => primitive!(Int32Type),
        T::Int64 => primitive!(Int64Type),
        T::UInt8 => primitive!(UInt8Type),
        T::UInt16 => primitive!(UInt16Type),
        T::UInt32 => primitive!(UInt32Type),
        T::UInt64 => primitive!(UInt64Type),
        T::Date32 => primitive!(Date32Type),
        T::Float64 => primitive!(Float64Type),
        T::Decimal128(..) | T::FixedSizeBinary(_) | T::Timestamp(..) => {
            let values = Int64Array::new(
                (0..len)
                    .map(|_| dice.below(distinct) as i64)
                    .collect::<Vec<_>>()
                    .into(),
                own,
            );
            match field.data_type() {
                T::FixedSizeBinary(size) => {
                    let mut builder = FixedSizeBinaryBuilder::new(*size);
                    for i in 0..len {
                        match values.is_null(i) {
                            true => builder.append_null(),
                            false => builder
                                .append_value(&values.value(i).to_le_bytes()[..*size as usize])
                                .unwrap(),
                        }
                    }
                    Arc::new(builder.finish())
                }
                other => arrow::compute::cast(&values, other).unwrap(),
            }
        }
        T::Utf8 | T::LargeUtf8 | T::Binary | T::LargeBinary | T::Utf8View => {
            // Nulls over texts that are there all the same.
            let texts: Vec<String> = (0..len).map(|_| text(dice, distinct)).collect();
            let texts = StringArray::from_iter_values(&texts);
            let (offsets, bytes, _) = texts.into_parts();
            let texts = StringArray::new(offsets, bytes, own);
            match field.data_type() {
                T::Utf8 => Arc::new(texts),
                other => arrow::compute::cast(&texts, other).unwrap(),
            }
        }
        T::Dictionary(key, value) => {
            let distinct = distinct.clamp(2, 100);
            // Duplicates, nulls and values that no row uses.
            let values = Field::new(
                "values",
                (**value).clone(),
                field.is_nullable() && dice.one_in(3),
            );
            let values = array(dice, &values, distinct, None);
            let keys: Vec<i64> = keys(dice, len, distinct).map(|key| key as i64).collect();
            macro_rules! dictionary {
                ($t:ty) => {{
                    // Garbage under nulls, out of the values' range.
                    let keys: Vec<_> = keys
                        .iter()
                        .enumerate()
                        .map(|(i, k)| {
                            let null = own.as_ref().is_some_and(|n| n.is_null(i));
                            (if null { 117 } else { *k }) as <$t as ArrowPrimitiveType>::Native
                        })
                        .collect();
                    let keys = PrimitiveArray::<$t>::new(keys.into(), own.clone());
                    Arc::new(DictionaryArray::new(keys, values))
                }};
            }
            match **key {
                T::Int8 => dictionary!(Int8Type),
                T::Int16 => dictionary!(Int16Type),
                T::Int32 => dictionary!(Int32Type),
                T::Int64 => dictionary!(Int64Type),
                T::UInt8 => dictionary!(UInt8Type),
                T::UInt16 => dictionary!(UInt16Type),
                T::UInt32 => dictionary!(UInt32Type),
                _ => dictionary!(UInt64Type),
            }
        }
        T::Struct(fields) => {
            let valid = NullBuffer::union(own.as_ref(), None);
            let children = fields
                .iter()
                .map(|f| array(dice, f, len, valid.as_ref()))
                .collect();
            Arc::new(StructArray::new(fields.clone(), children, own))
        }
        T::FixedSizeList(item, size) => {
            let child = Field::new("element", item.data_type().clone(), item.is_nullable());
            let values = array(dice, &child, len * *size as usize, None);
            Arc::new(FixedSizeListArray::new(item.clone(), *size, values, own))
        }
        T::List(item) | T::LargeList(item) => {
            // Null lists may span elements.
            let lengths: Vec<usize> = (0..len).map(|_| [0, 1, 1, 2, 5][dice.below(5)]).collect();
            let skipped = dice.below(3);
            let mut offsets = vec![skipped];
            for length in &lengths {
                offsets.push(offsets[offsets.len() - 1] + length);
            }
            let child = Field::new("element", item.data_type().clone(), item.is_nullable());
            let elements = offsets[len] + dice.below(3);
            let values = array(dice, &child, elements, None);
            match field.data_type() {
                T::List(_) => {
                    let offsets: ScalarBuffer<i32> = offsets.iter().map(|o| *o as i32).collect();
                    Arc::new(ListArray::new(
                        item.clone(),
                        OffsetBuffer::new(offsets),
                        values,
                        own,
                    ))
                }
                _ => {
                    let offsets: ScalarBuffer<i64> = offsets.iter().map(|o| *o as i64).collect();
                    Arc::new(LargeListArray::new(
                        item.clone(),
                        OffsetBuffer::new(offsets),
                        values,
                        own,
                    ))
                }
            }
        }
        other => unreachable!("{other}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, max_global_rejects: 19, ..ProptestConfig::default() })]

    /// Nested in any way, sliced, cut into pages, with dictionaries that come and go.
    #[test]
    fn any_batch_reads_back_as_from_arrow_writer(
        seed in any::<u64>(),
        columns in 1usize..5,
        lengths in prop::collection::vec(0usize..700, 1..4),
        page_rows in prop::sample::select(vec![1usize, 7, 64, 1000, 20_000]),
        page_bytes in prop::sample::select(vec![100usize, 4096, 1 << 20]),
        dictionary_bytes in prop::sample::select(vec![64usize, 2000, 1 << 20]),
        // Snappy is left to `ArrowColumnWriter`, all columns of it.
        codec in prop::sample::select(vec![
            Compression::ZSTD(ZstdLevel::default()),
            Compression::UNCOMPRESSED,
            Compression::SNAPPY,
        ]),
        has_bloom_filters in any::<bool>(),
    ) {
        let mut dice = Dice(seed);
        let fields: Vec<Field> = (0..columns).map(|i| field(&mut dice, format!("c{i}"), 3)).collect();
        let schema = Arc::new(Schema::new(fields));
        let mut batches = Vec::new();
        for len in lengths {
            let arrays = schema.fields().iter().map(|f| array(&mut dice, f, len + 5, None)).collect();
            let batch = RecordBatch::try_new(schema.clone(), arrays).unwrap();
            // Offsets into bitmaps.
            batches.push(batch.slice(dice.below(5), len));
        }
        if page_bytes == 100 && page_rows > 64 {
            // Many pages of few values: enough rows as it is.
            batches.truncate(1);
        }
        let properties = properties()
            .set_compression(codec)
            .set_bloom_filter_enabled(has_bloom_filters)
            .set_sorting_columns(dice.one_in(2).then(|| {
                vec![SortingColumn {
                    column_idx: 0,
                    descending: dice.one_in(2),
                    nulls_first: true,
                }]
            }))
            .set_data_page_row_count_limit(page_rows)
            .set_data_page_size_limit(page_bytes)
            .set_dictionary_page_size_limit(dictionary_bytes)
            .set_write_batch_size(page_rows.min(64))
            .build();
        // More than a tenth of such cases fails the test.
        prop_assume!(compare(&schema, &[&batches], &properties).is_some());
        let halves = batches.split_at(batches.len() / 2);
        prop_assume!(compare(&schema, &[halves.0, halves.1], &properties).is_some());
    }
}

/// Keys of a dictionary of `distinct` values, each at random or thirty times in a row.
fn keys(dice: &mut Dice, len: usize, distinct: usize) -> impl Iterator<Item = usize> {
    let stretch = [1, 1, 30][dice.below(3)];
    let mut current = 0;
    (0..len).map(move |i| {
        if i % stretch == 0 {
            current = dice.below(distinct);
        }
        current
    })
}

/// Dictionary leaves of a batch that have one buffer of keys in common: with the same nulls or
/// others, and dictionaries of all kinds. The last is a list of its own.
fn sharing(dice: &mut Dice, names: &[String], len: usize) -> RecordBatch {
    let distinct = 2 + dice.below(90);
    let keys: ScalarBuffer<i32> = keys(dice, len, distinct).map(|key| key as i32).collect();
    let masks: [Option<NullBuffer>; 3] = [
        None,
        nulls(dice, len),
        // Bits that begin within a byte.
        nulls(dice, len + 3).map(|nulls| nulls.slice(3, len)),
    ];
    let offsets = OffsetBuffer::new((0..=len as i32).collect());
    let arrays = names.iter().map(|name| {
        let text = |i: usize| match dice.below(4) {
            // Values that are long, or stand there twice.
            0 => "x".repeat(i % 40),
            1 => "again".to_string(),
            _ => format!("{name} {i}"),
        };
        let texts: Vec<String> = (0..distinct).map(text).collect();
        let texts: Vec<String> = match dice.below(3) {
            0 => (0..distinct + 3).map(|i| format!("{i} {name}")).collect(),
            _ => texts,
        };
        let has_nulls = dice.one_in(4);
        let values: StringArray = (texts.iter())
            .map(|t| (!has_nulls || !dice.one_in(5)).then_some(t))
            .collect();
        let mask = masks[dice.below(3)].clone();
        let keys = Int32Array::new(keys.clone(), mask.filter(|_| !name.starts_with("list")));
        let items: ArrayRef = Arc::new(DictionaryArray::new(keys, Arc::new(values) as ArrayRef));
        let array: ArrayRef = match name.starts_with("list") {
            true => {
                let item = Arc::new(Field::new("element", items.data_type().clone(), true));
                Arc::new(ListArray::new(
                    item,
                    offsets.clone(),
                    items,
                    masks[1].clone(),
                ))
            }
            false => items,
        };
        (name.clone(), array, true)
    });
    RecordBatch::try_from_iter_with_nullable(arrays.collect::<Vec<_>>()).unwrap()
}

/// The bytes of each column chunk of a file.
fn chunks(file: &Bytes) -> Vec<Bytes> {
    let (metadata, _) = read(file);
    let of = |column: &parquet::file::metadata::ColumnChunkMetaData| {
        let (start, length) = column.byte_range();
        file.slice(start as usize..(start + length) as usize)
    };
    (metadata.row_groups().iter())
        .flat_map(|g| g.columns().iter().map(of))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// A column's bytes don't depend on the columns beside it.
    #[test]
    fn leaves_that_share_keys_are_written_as_each_alone(
        seed in any::<u64>(),
        lengths in prop::collection::vec(1usize..1500, 1..4),
        page_rows in prop::sample::select(vec![100usize, 1000, 20_000]),
        page_bytes in prop::sample::select(vec![1000usize, 1 << 20]),
        dictionary_bytes in prop::sample::select(vec![300usize, 2000, 1 << 20]),
    ) {
        let mut dice = Dice(seed);
        let names = ["a", "b", "c", "raw", "best", "list", "list2"].map(String::from);
        let mut batches: Vec<RecordBatch> = Vec::new();
        for len in lengths {
            let batch = sharing(&mut dice, &names, len + 9);
            batches.push(batch.slice(dice.below(9), len));
            if dice.one_in(3) {
                // The same buffers in the next batch, from another row on.
                batches.push(batch.slice(dice.below(9), len));
            }
        }
        let properties = properties()
            .set_column_compression("raw".into(), Compression::UNCOMPRESSED)
            .set_column_compression("best".into(), Compression::ZSTD(ZstdLevel::try_new(9).unwrap()))
            .set_data_page_row_count_limit(page_rows)
            .set_data_page_size_limit(page_bytes)
            .set_dictionary_page_size_limit(dictionary_bytes)
            .set_write_batch_size(page_rows.min(64))
            .build();
        let together = compare(&batches[0].schema(), &[&batches], &properties).unwrap();
        for (c, bytes) in chunks(&together).into_iter().enumerate() {
            let alone: Vec<RecordBatch> =
                batches.iter().map(|b| b.project(&[c]).unwrap()).collect();
            let alone = encode(&alone[0].schema(), &[&alone], properties.clone());
            prop_assert_eq!(&chunks(&alone)[0], &bytes, "{}", &names[c]);
        }
        // Leaf by leaf, too: as they are, and as copies, each in the memory of one before it.
        let schema = batches[0].schema();
        let as_they_are = encode_by(&schema, &[&batches], properties.clone(), None, |group, batch| {
            group.write_leaves(batch.num_rows(), batch.columns().iter().cloned())
        });
        prop_assert_eq!(&as_they_are, &together);
        let copies = encode_by(&schema, &[&batches], properties, None, |group, batch| {
            let rows = UInt32Array::from_iter_values(0..batch.num_rows() as u32);
            let copy = |column: &ArrayRef| take(column, &rows, None).unwrap();
            group.write_leaves(batch.num_rows(), batch.columns().iter().map(copy))
        });
        prop_assert_eq!(&copies, &together);
    }
}

// ---- Single rules ----

fn dictionary(keys: Vec<Option<i32>>, values: &[&str]) -> ArrayRef {
    let values = Arc::new(StringArray::from_iter_values(values));
    Arc::new(DictionaryArray::<Int32Type>::new(keys.into(), values))
}

fn one(name: &str, array: ArrayRef) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable([(name, array, true)]).unwrap()
}

/// The only chunk of a file of these batches.
fn chunk(batches: &[RecordBatch], properties: &WriterProperties) -> (Arc<ParquetMetaData>, Bytes) {
    let file = compare(&batches[0].schema(), &[batches], properties).unwrap();
    (read(&file).0, file)
}

#[test]
fn a_null_chunk_is_one_page_without_dictionary() {
    let batches = vec![one("c", dictionary(vec![None; 15_000], &["a"])); 4];
    let (metadata, file) = chunk(&batches, &properties().build());
    let column = metadata.row_group(0).column(0);
    assert_eq!(column.dictionary_page_offset(), None);
    assert_eq!(column.page_encoding_stats().unwrap()[0].count, 1);
    let statistics = column.statistics().unwrap();
    assert_eq!(statistics.null_count_opt(), Some(60_000));
    assert_eq!(statistics.min_bytes_opt(), None);
    let index = metadata.page_index_for_row_group(0);
    assert!(index.column_index(0).unwrap().is_null_page(0));
    assert_eq!(index.offset_index(0).unwrap().page_locations().len(), 1);
    assert!(file.len() < 500, "{}", file.len());
}

#[test]
fn a_constant_chunk_is_one_page() {
    let batches = vec![one("c", dictionary(vec![Some(1); 15_000], &["a", "b"])); 4];
    let (metadata, _) = chunk(&batches, &properties().build());
    let column = metadata.row_group(0).column(0);
    let statistics = column.statistics().unwrap();
    assert_eq!(statistics.min_bytes_opt(), Some(&b"b"[..]));
    assert_eq!(statistics.max_bytes_opt(), Some(&b"b"[..]));
    let pages = column.page_encoding_stats().unwrap();
    assert_eq!((pages[0].count, pages[1].count), (1, 1));
    assert_eq!(pages[1].encoding, Encoding::RLE_DICTIONARY);
}

#[test]
fn dictionaries_are_merged_by_value_and_hold_what_is_used() {
    let batches = [
        one(
            "c",
            dictionary(
                (0..600).map(|i| Some(i % 2)).collect(),
                &["a", "b", "unused"],
            ),
        ),
        one(
            "c",
            dictionary((0..600).map(|i| Some(i % 3)).collect(), &["b", "c", "b"]),
        ),
    ];
    let (metadata, file) = chunk(&batches, &properties().build());
    let column = metadata.row_group(0).column(0);
    let start = column.dictionary_page_offset().unwrap() as usize;
    // Header: type, two sizes, then the dictionary header with the number of values.
    let page = &file[start..column.data_page_offset() as usize];
    let body = [1, 0, 0, 0, b'a', 1, 0, 0, 0, b'b', 1, 0, 0, 0, b'c'];
    assert!(page.ends_with(&body), "{page:?}");
}

#[test]
fn a_full_dictionary_ends_and_the_statistics_say_so() {
    let texts: Vec<String> = (0..20_000).map(|i| format!("some value {i}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let few = dictionary((0..20_000).map(|i| Some(i % 50)).collect(), &texts[..50]);
    let many = dictionary((0..20_000).map(Some).collect(), &texts);
    let properties = properties().set_dictionary_page_size_limit(10_000).build();
    let (metadata, _) = chunk(&[one("c", few), one("c", many)], &properties);
    let column = metadata.row_group(0).column(0);
    let pages: Vec<(PageType, Encoding)> = column
        .page_encoding_stats()
        .unwrap()
        .iter()
        .map(|s| (s.page_type, s.encoding))
        .collect();
    assert_eq!(pages[0], (PageType::DICTIONARY_PAGE, Encoding::PLAIN));
    assert_eq!(pages[1], (PageType::DATA_PAGE_V2, Encoding::RLE_DICTIONARY));
    assert_eq!(
        pages[2],
        (PageType::DATA_PAGE_V2, Encoding::DELTA_BYTE_ARRAY)
    );
}

#[test]
fn a_table_is_a_dictionary_where_its_values_come_again() {
    const ROWS: usize = 2000;
    const PAGES: usize = 20;
    let of = |names: usize| -> Vec<RecordBatch> {
        let table: ArrayRef = Arc::new(StringArray::from_iter_values(
            (0..names).map(|n| format!("host-{n:05}.example.net")),
        ));
        let mut dice = Dice(7);
        let mut batch = || {
            let keys: Vec<i32> = (0..ROWS).map(|_| dice.below(names) as i32).collect();
            let array = DictionaryArray::<Int32Type>::new(keys.into(), table.clone());
            one("c", Arc::new(array))
        };
        (0..PAGES).map(|_| batch()).collect()
    };
    let properties = || properties().set_data_page_row_count_limit(ROWS).build();
    let write = |batches: &[RecordBatch], rows: Option<usize>| {
        let schema = batches[0].schema();
        let file = encode_by(&schema, &[batches], properties(), rows, |group, batch| {
            group.write(batch)
        });
        let (metadata, all) = read(&file);
        let rows = |batch: &RecordBatch| cast(batch.column(0), &DataType::Utf8).unwrap();
        let together = concat_batches(&schema, batches).unwrap();
        assert_eq!(&rows(&all), &rows(&together));
        let encodings = metadata.row_group(0).column(0).encodings_mask();
        (encodings.is_set(Encoding::RLE_DICTIONARY), file.len())
    };
    // Nearly every value of the first few is new, but not of the first page.
    let few = of(ROWS);
    assert!(write(&few, None).0);
    // Nearly every value of the first page is new: whether there is a second decides.
    let many = of(3 * ROWS);
    let (unknown, long) = write(&many, None);
    let (known, short) = write(&many, Some(ROWS * PAGES));
    assert!(!unknown && known);
    assert!(short * 10 < long * 9, "{short} {long}");
    assert!(!write(&many[..1], Some(ROWS)).0);
}

#[test]
fn shortened_bounds_are_inexact() {
    let long = "x".repeat(200);
    let batch = one(
        "c",
        dictionary((0..900).map(|i| Some(i % 2)).collect(), &["a", &long]),
    );
    let (metadata, _) = chunk(&[batch], &properties().build());
    let statistics = metadata
        .row_group(0)
        .column(0)
        .statistics()
        .unwrap()
        .clone();
    assert!(statistics.min_is_exact() && !statistics.max_is_exact());
    assert!(statistics.max_bytes_opt().unwrap() > long.as_bytes());
}

#[test]
fn raw_and_compressed_pages_stand_side_by_side() {
    let mut dice = Dice(7);
    let noise: Vec<i64> = (0..20_000).map(|_| (dice.next() << 30) as i64).collect();
    let calm: Vec<i64> = (0..20_000).map(|i| 1000 * (i / 40 % 7) + i % 3).collect();
    let batches: Vec<RecordBatch> = [noise, calm]
        .into_iter()
        .map(|v| one("c", Arc::new(Int64Array::from(v))))
        .collect();
    let (metadata, _) = chunk(&batches, &properties().build());
    let column = metadata.row_group(0).column(0);
    assert!(matches!(column.compression(), Compression::ZSTD(_)));
    assert!(column.compressed_size() < column.uncompressed_size());
    let index = metadata.page_index_for_row_group(0);
    let pages = index.offset_index(0).unwrap().page_locations();
    assert!(pages[1].compressed_page_size * 2 < pages[0].compressed_page_size);
}

#[test]
fn pages_are_cut_at_records() {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for i in 0..1000 {
        for j in 0..i % 9 {
            builder.values().append_value(format!("{}", i * j));
        }
        builder.append(i % 11 != 0);
    }
    let batch = one("c", Arc::new(builder.finish()));
    let properties = properties()
        .set_data_page_row_count_limit(37)
        .set_write_batch_size(1)
        .build();
    let (metadata, _) = chunk(&[batch], &properties);
    let index = metadata.page_index_for_row_group(0);
    let pages = index.offset_index(0).unwrap().page_locations();
    let starts: Vec<i64> = pages.iter().map(|p| p.first_row_index).collect();
    assert_eq!(starts, (0..1000).step_by(37).collect::<Vec<i64>>());
}

#[test]
fn bloom_filters_know_used_values_only() {
    use parquet::file::properties::ReaderProperties;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::file::serialized_reader::ReadOptionsBuilder;
    let batch = RecordBatch::try_from_iter_with_nullable([
        (
            "text",
            dictionary(
                (0..900).map(|i| Some(i % 2)).collect(),
                &["a", "b", "unused"],
            ),
            true,
        ),
        (
            "own",
            Arc::new(StringArray::from_iter_values(
                (0..900).map(|i| format!("own {i}")),
            )) as ArrayRef,
            true,
        ),
        (
            "number",
            Arc::new(Int64Array::from_iter_values((0..900).map(|i| i % 7))) as ArrayRef,
            true,
        ),
        ("none", dictionary(vec![None; 900], &["a"]), true),
    ])
    .unwrap();
    let properties = properties()
        .set_bloom_filter_enabled(true)
        .set_bloom_filter_fpp(0.001)
        .build();
    let file = compare(&batch.schema(), &[&[batch]], &properties).unwrap();
    let options = ReadOptionsBuilder::new()
        .with_reader_properties(
            ReaderProperties::builder()
                .set_read_bloom_filter(true)
                .build(),
        )
        .build();
    let reader = SerializedFileReader::new_with_options(file, options).unwrap();
    let group = reader.get_row_group(0).unwrap();
    let bloom = |c: usize| group.get_column_bloom_filter(c).unwrap();
    assert!(bloom(0).check("a") && bloom(0).check("b") && !bloom(0).check("unused"));
    assert!((0..900).all(|i| bloom(1).check(format!("own {i}").as_str())));
    assert!(!bloom(1).check("own 900"));
    assert!((0..7i64).all(|i| bloom(2).check(&i)) && !bloom(2).check(&7i64));
    assert!(!bloom(3).check("a"));
}

#[test]
fn a_batch_of_another_schema_is_refused() {
    let schema = Arc::new(Schema::new(vec![Field::new("c", DataType::Utf8, false)]));
    let descriptor = ArrowSchemaConverter::new().convert(&schema).unwrap();
    let encoder = Encoder::new(&schema, &descriptor, &Arc::new(properties().build())).unwrap();
    for wrong in [
        Arc::new(Int64Array::from(vec![1])) as ArrayRef,
        Arc::new(StringArray::from(vec![None::<&str>])),
    ] {
        let mut group = encoder.row_group().unwrap();
        assert!(group.write(&one("c", wrong)).is_err());
    }
}

#[test]
fn leaves_of_structs_are_those_of_the_batch() {
    let rows = 3000;
    let text = |of: i32| dictionary((0..rows).map(|r| Some(r % of)).collect(), &["a", "b", "c"]);
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter(
        (0..rows).map(|r| (r % 3 > 0).then_some(i64::from(r))),
    ));
    let child =
        |name, array: &ArrayRef| Arc::new(Field::new(name, array.data_type().clone(), true));
    let (x, y) = (text(2), text(3));
    // One struct may be null, as far as the schema says.
    let inner = StructArray::from(vec![(child("y", &y), y.clone())]);
    let field = Arc::new(Field::new("inner", inner.data_type().clone(), true));
    let outer: ArrayRef = Arc::new(StructArray::from(vec![
        (child("x", &x), x.clone()),
        (field, Arc::new(inner) as ArrayRef),
    ]));
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("outer", outer, false),
        ("n", numbers.clone(), true),
    ])
    .unwrap();
    let schema = batch.schema();
    let batches = [batch];
    let whole = compare(&schema, &[&batches], &properties().build()).unwrap();
    let leaves = encode_by(
        &schema,
        &[&batches],
        properties().build(),
        None,
        |group, _| group.write_leaves(rows as usize, [x.clone(), y.clone(), numbers.clone()]),
    );
    assert_eq!(leaves, whole);

    let descriptor = ArrowSchemaConverter::new().convert(&schema).unwrap();
    let error = |leaves: &[&ArrayRef], properties: WriterPropertiesBuilder| {
        let encoder = Encoder::new(&schema, &descriptor, &Arc::new(properties.build())).unwrap();
        let mut group = encoder.row_group().unwrap();
        let leaves = leaves.iter().map(|leaf| (*leaf).clone());
        group
            .write_leaves(rows as usize, leaves)
            .unwrap_err()
            .to_string()
    };
    let refused = |leaves: &[&ArrayRef]| error(leaves, properties());
    assert!(refused(&[&x, &y]).contains("no leaf is left for column n"));
    assert!(refused(&[&x, &y, &numbers, &x]).contains("more leaves"));
    assert!(refused(&[&x, &numbers, &y]).contains("column y is Int64"));
    assert!(refused(&[&x, &y.slice(1, 9), &numbers]).contains("column y has 9 rows where 3000"));
    let snappy = properties().set_compression(Compression::SNAPPY);
    assert!(error(&[&x, &y, &numbers], snappy).contains("takes whole batches"));
}

#[test]
fn lists_that_follow_each_other_in_memory_are_told_apart() {
    const ROWS: usize = 3000;
    let item = Arc::new(Field::new("element", DataType::Int64, false));
    // Of the same size, each; that the next has the place of the last is up to the allocator.
    let list = |longer: usize| -> ArrayRef {
        let mut offsets = Vec::with_capacity(ROWS + 1);
        offsets.push(0);
        for row in 0..ROWS {
            offsets.push(offsets[row] + if row % 7 == longer { 7 } else { 1 });
        }
        let values = Arc::new(Int64Array::from_iter_values(0..i64::from(offsets[ROWS])));
        Arc::new(ListArray::new(
            item.clone(),
            OffsetBuffer::new(offsets.into()),
            values,
            None,
        ))
    };
    let whole = RecordBatch::try_from_iter_with_nullable(
        (0..5).map(|longer| (format!("list{longer}"), list(longer), false)),
    )
    .unwrap();
    let (schema, batches) = (whole.schema(), [whole]);
    let expected = encode(&schema, &[&batches], properties().build());
    let leaves = encode_by(
        &schema,
        &[&batches],
        properties().build(),
        None,
        |group, _| group.write_leaves(ROWS, (0..5).map(list)),
    );
    assert_eq!(leaves, expected);
}

#[test]
fn a_row_group_of_another_schema_is_refused() {
    let group = |batch: &RecordBatch| {
        let descriptor = ArrowSchemaConverter::new()
            .convert(&batch.schema())
            .unwrap();
        let properties = Arc::new(properties().build());
        Encoder::new(&batch.schema(), &descriptor, &properties).unwrap()
    };
    let column = dictionary(vec![Some(0)], &["a"]);
    let two = RecordBatch::try_from_iter([("a", column.clone()), ("b", column.clone())]).unwrap();
    let (one, two) = (group(&one("a", column)), group(&two));
    let mut file = FileWriter::new(Vec::new(), &one).unwrap();
    let refused = file.append(two.row_group().unwrap().finish().unwrap());
    assert_eq!(
        refused.unwrap_err().to_string(),
        "Parquet error: a row group of 2 columns where 1 are expected"
    );
}

#[test]
fn a_file_without_row_groups_is_one() {
    let batch = one("c", dictionary(vec![], &[]));
    let file = encode(&batch.schema(), &[], properties().build());
    let (metadata, all) = read(&file);
    assert_eq!((metadata.num_row_groups(), all.num_rows()), (0, 0));
    assert_eq!(rewritten(&file), file);
}

#[test]
fn an_empty_row_group_reads_back() {
    let batch = one("c", dictionary(vec![], &[]));
    let (metadata, all) = read(&encode(
        &batch.schema(),
        &[&[batch.clone(), batch]],
        properties().build(),
    ));
    assert_eq!((metadata.num_row_groups(), all.num_rows()), (1, 0));
}
