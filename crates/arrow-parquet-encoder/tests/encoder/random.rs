//! Random schemas and batches, written by both writers.

use std::sync::Arc;

use arrow_array::builder::*;
use arrow_array::types::*;
use arrow_array::*;
use arrow_buffer::{BooleanBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::*;
use arrow_select::take::take;
use bytes::Bytes;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use proptest::prelude::*;

use super::files::*;

/// A random number generator.
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let x = self.0 ^ self.0 >> 32;
        x.wrapping_mul(0xd6e8_feb8_6659_fd93) >> 16
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    pub fn one_in(&mut self, n: usize) -> bool {
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

pub fn nulls(dice: &mut Dice, len: usize) -> Option<NullBuffer> {
    let rate = match dice.below(5) {
        0 => return None,
        1 => 1,
        2 => usize::MAX,
        3 => 10,
        _ => 2,
    };
    // Several rows at once, so that there are runs of levels.
    let stretch = [1, 1, 9, 100][dice.below(4)];
    let mut valid = true;
    Some(NullBuffer::new(BooleanBuffer::collect_bool(len, |i| {
        if i % stretch == 0 {
            valid = !dice.one_in(rate);
        }
        valid
    })))
}

pub fn text(dice: &mut Dice, distinct: usize) -> String {
    let n = dice.below(distinct);
    match n % 5 {
        0 => String::new(),
        1 => format!("C:\\Windows\\System32\\{n}.exe"),
        2 => "ü".repeat(n % 90),
        _ => format!("{n}"),
    }
}

/// An array of a field's type. A required field is null only where its parent is.
fn array(dice: &mut Dice, field: &Field, len: usize, parent: Option<&NullBuffer>) -> ArrayRef {
    use DataType as T;
    let own = match field.is_nullable() {
        true => nulls(dice, len),
        // Hidden by the parent's nulls.
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
                other => arrow_cast::cast::cast(&values, other).unwrap(),
            }
        }
        T::Utf8 | T::LargeUtf8 | T::Binary | T::LargeBinary | T::Utf8View => {
            // Nulls with a value underneath.
            let texts: Vec<String> = (0..len).map(|_| text(dice, distinct)).collect();
            let texts = StringArray::from_iter_values(&texts);
            let (offsets, bytes, _) = texts.into_parts();
            let texts = StringArray::new(offsets, bytes, own);
            match field.data_type() {
                T::Utf8 => Arc::new(texts),
                other => arrow_cast::cast::cast(&texts, other).unwrap(),
            }
        }
        T::Dictionary(key, value) => {
            let distinct = distinct.clamp(2, 100);
            // With duplicates, nulls and unused values.
            let values = Field::new(
                "values",
                (**value).clone(),
                field.is_nullable() && dice.one_in(3),
            );
            let values = array(dice, &values, distinct, None);
            let keys: Vec<i64> = keys(dice, len, distinct).map(|key| key as i64).collect();
            macro_rules! dictionary {
                ($t:ty) => {{
                    // Keys of nulls are out of range.
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

    /// Any nesting, slices, page limits, and dictionaries that end.
    #[test]
    fn any_batch_reads_back_as_from_arrow_writer(
        seed in any::<u64>(),
        columns in 1usize..5,
        lengths in prop::collection::vec(0usize..700, 1..4),
        page_rows in prop::sample::select(vec![1usize, 7, 64, 1000, 20_000]),
        page_bytes in prop::sample::select(vec![100usize, 4096, 1 << 20]),
        dictionary_bytes in prop::sample::select(vec![64usize, 2000, 1 << 20]),
        // `ArrowColumnWriter` encodes all columns with Hadoop's LZ4.
        codec in prop::sample::select(vec![
            Compression::ZSTD(ZstdLevel::default()),
            Compression::UNCOMPRESSED,
            Compression::SNAPPY,
            Compression::LZ4_RAW,
            Compression::LZ4,
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
            // Slices begin within a bitmap.
            batches.push(batch.slice(dice.below(5), len));
        }
        if page_bytes == 100 && page_rows > 64 {
            // These make many pages of few values.
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
        // The test fails if more than a tenth of the cases are rejected.
        prop_assume!(compare(&schema, &[&batches], &properties).is_some());
        let halves = batches.split_at(batches.len() / 2);
        prop_assume!(compare(&schema, &[halves.0, halves.1], &properties).is_some());
    }
}

/// Random keys of a dictionary of `distinct` values, once or thirty times in a row.
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

/// A batch of dictionary columns with one key buffer, and different nulls and dictionaries. Those
/// whose name begins with `list` are lists of one element.
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
            // Long values, and duplicates.
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
pub fn chunks(file: &Bytes) -> Vec<Bytes> {
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

    /// A column's bytes don't depend on the other columns.
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
                // The next batch has the same buffers, from another row on.
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
        // Also leaf by leaf: the same arrays, and copies, whose memory is reused.
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
