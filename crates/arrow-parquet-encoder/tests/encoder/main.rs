//! Compares files of this crate with those of `ArrowWriter`: both must read back the same.

mod files;
mod forms;
mod random;

use std::sync::Arc;

use arrow_array::builder::*;
use arrow_array::types::*;
use arrow_array::*;
use arrow_buffer::OffsetBuffer;
use arrow_cast::cast::cast;
use arrow_parquet_encoder::{Encoder, FileWriter};
use arrow_schema::*;
use arrow_select::concat::concat_batches;
use bytes::Bytes;
use parquet::arrow::ArrowSchemaConverter;
use parquet::basic::{Compression, Encoding, PageType};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};

use files::*;
use random::Dice;

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
fn dictionaries_are_merged_by_value_without_unused_values() {
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
fn a_full_dictionary_ends_as_the_encoding_statistics_say() {
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
fn a_dictionary_longer_than_a_page_pays_if_later_pages_use_it() {
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
    // Most of the first values are distinct, but not most of the first page's.
    let few = of(ROWS);
    assert!(write(&few, None).0);
    // Most of the first page's values are distinct: it matters whether there are more pages.
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
fn a_chunk_has_raw_and_compressed_pages() {
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
fn bloom_filters_have_used_values_only() {
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
fn a_batch_of_another_schema_is_rejected() {
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
fn leaves_of_structs_are_written_as_their_batch() {
    let rows = 3000;
    let text = |of: i32| dictionary((0..rows).map(|r| Some(r % of)).collect(), &["a", "b", "c"]);
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter(
        (0..rows).map(|r| (r % 3 > 0).then_some(i64::from(r))),
    ));
    let child =
        |name, array: &ArrayRef| Arc::new(Field::new(name, array.data_type().clone(), true));
    let (x, y) = (text(2), text(3));
    // The schema allows one struct to be null.
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
    assert!(refused(&[&x, &numbers, &y]).contains("column y has the type Int64"));
    assert!(refused(&[&x, &y.slice(1, 9), &numbers]).contains("column y has 9 rows where 3000"));
    let hadoop = properties().set_compression(Compression::LZ4);
    assert!(error(&[&x, &y, &numbers], hadoop).contains("can't be written one by one"));
}

#[test]
fn lists_at_reused_addresses_are_told_apart() {
    const ROWS: usize = 3000;
    let item = Arc::new(Field::new("element", DataType::Int64, false));
    // All have the same size, so that the allocator is likely to reuse their memory.
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
fn a_row_group_of_another_schema_is_rejected() {
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
        "Parquet error: a row group has 2 columns where 1 are expected"
    );
}

#[test]
fn a_file_without_row_groups_reads_back() {
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
