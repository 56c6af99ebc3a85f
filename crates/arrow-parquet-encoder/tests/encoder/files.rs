//! Writes files by both writers, reads them back, and compares them.

use std::io::Write;
use std::sync::Arc;

use arrow_array::*;
use arrow_parquet_encoder::{Encoder, FileWriter, RowGroupWriter};
use arrow_schema::ArrowError;
use arrow_schema::*;
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::arrow::{ArrowSchemaConverter, ArrowWriter};
use parquet::basic::{Compression, PageType, SortOrder, ZstdLevel};
use parquet::file::metadata::{
    PageIndexPolicy, ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader,
    ParquetMetaDataWriter,
};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion};
use parquet::file::statistics::Statistics;
use parquet::file::writer::TrackedWrite;

pub fn properties() -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).unwrap()))
}

/// A file of one row group for each slice of batches.
pub fn encode(
    schema: &SchemaRef,
    groups: &[&[RecordBatch]],
    properties: WriterProperties,
) -> Bytes {
    encode_by(schema, groups, properties, None, |group, batch| {
        group.write(batch)
    })
}

/// As [`encode`], with the number of rows of each group announced if `rows` is set, and batches
/// appended by `write`.
pub fn encode_by(
    schema: &SchemaRef,
    groups: &[&[RecordBatch]],
    properties: WriterProperties,
    rows: Option<usize>,
    write: impl Fn(&mut RowGroupWriter<'_>, &RecordBatch) -> parquet::errors::Result<()>,
) -> Bytes {
    let descriptor = ArrowSchemaConverter::new().convert(schema).unwrap();
    let properties = Arc::new(properties);
    let encoder = Encoder::new(schema, &descriptor, &properties).unwrap();
    let mut file = FileWriter::new(Vec::new(), &encoder).unwrap();
    for batches in groups {
        let mut group = match rows {
            Some(rows) => encoder.row_group_with_rows(rows).unwrap(),
            None => encoder.row_group().unwrap(),
        };
        for batch in *batches {
            write(&mut group, batch).unwrap();
        }
        file.append(group.finish().unwrap()).unwrap();
    }
    file.finish().unwrap().into()
}

/// As [`encode`], by `ArrowWriter`.
pub fn reference(
    schema: &SchemaRef,
    groups: &[&[RecordBatch]],
    properties: WriterProperties,
) -> Bytes {
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

pub fn read(file: &Bytes) -> (Arc<ParquetMetaData>, RecordBatch) {
    try_read(file).unwrap()
}

pub fn try_read(file: &Bytes) -> Result<(Arc<ParquetMetaData>, RecordBatch), ArrowError> {
    let options = ArrowReaderOptions::new()
        .with_page_index_policy(PageIndexPolicy::Required)
        .with_encoding_stats_as_mask(false);
    let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(file.clone(), options)
        .unwrap()
        .with_batch_size(1000);
    let metadata = reader.metadata().clone();
    let schema = reader.schema().clone();
    let batches = reader.build()?.collect::<Result<Vec<RecordBatch>, _>>()?;
    Ok((
        metadata,
        arrow_select::concat::concat_batches(&schema, &batches)?,
    ))
}

/// Compares the metadata of all chunks with the other writer's, and checks their page counts.
pub fn check_metadata(ours: &ParquetMetaData, theirs: &ParquetMetaData) {
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

/// Statistics with the deprecated minimum and maximum too.
pub fn with_deprecated_bounds(statistics: Statistics) -> Statistics {
    macro_rules! each {
        ($($kind:ident)*) => {
            match statistics {
                $(Statistics::$kind(s) => Statistics::$kind(s.with_backwards_compatible_min_max(true)),)*
            }
        };
    }
    each!(Boolean Int32 Int64 Int96 Float Double ByteArray FixedLenByteArray)
}

/// The file with its page indexes and footer rewritten by the `parquet` crate.
pub fn rewritten(file: &Bytes) -> Vec<u8> {
    let options = ParquetMetaDataOptions::new().with_encoding_stats_as_mask(false);
    let metadata = ParquetMetaDataReader::new()
        .with_page_index_policy(PageIndexPolicy::Required)
        .with_metadata_options(Some(options))
        .parse_and_finish(file)
        .unwrap();
    // The reader forgets whether the deprecated bounds were set.
    let groups = metadata.row_groups().iter().map(|group| {
        let chunks = group.columns().iter().map(|chunk| {
            let is_signed = chunk.column_descr().sort_order() == SortOrder::SIGNED;
            let rebuilt = chunk.clone().into_builder();
            match chunk.statistics().filter(|_| is_signed) {
                Some(statistics) => {
                    rebuilt.set_statistics(with_deprecated_bounds(statistics.clone()))
                }
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

/// Writes a file by both writers, and compares them.
///
/// `None` if the reader rejects the file of `ArrowWriter`, as happens with some hidden values under
/// null parents (of a required field in a struct in a list).
pub fn compare(
    schema: &SchemaRef,
    groups: &[&[RecordBatch]],
    properties: &WriterProperties,
) -> Option<Bytes> {
    // `ArrowWriter` omits row groups without rows.
    let rows = |batches: &[RecordBatch]| batches.iter().any(|b| b.num_rows() > 0);
    let groups: Vec<&[RecordBatch]> = groups.iter().copied().filter(|g| rows(g)).collect();
    let groups = groups.as_slice();
    let ours = encode(schema, groups, properties.clone());
    let theirs = reference(schema, groups, properties.clone());
    let (their_metadata, b) = try_read(&theirs).ok()?;
    let (our_metadata, a) = read(&ours);
    assert_eq!(a, b);
    check_metadata(&our_metadata, &their_metadata);
    // `assert_eq!` would print both files.
    assert!(
        rewritten(&ours) == ours,
        "the footer differs from the parquet crate's"
    );
    Some(ours)
}
