//! Whole files by this crate and by `ArrowWriter`: the same batches and properties, by shape of the
//! columns and codec. Both write to a sink.

use std::sync::Arc;

use arrow_array::types::{Int32Type, TimestampMicrosecondType};
use arrow_array::{
    ArrayRef, DictionaryArray, Int32Array, Int64Array, ListArray, PrimitiveArray, RecordBatch,
    StringArray,
};
use arrow_buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_parquet_encoder::{Encoder, FileWriter};
use arrow_schema::{ArrowError, Field};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use parquet::arrow::{ArrowSchemaConverter, ArrowWriter};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::Result;
use parquet::file::properties::{WriterProperties, WriterVersion};

/// The number of batches of a file, and the rows of each; few if only a test run is asked for.
fn size() -> (usize, usize) {
    match std::env::args().any(|argument| argument == "--test") {
        true => (2, 1000),
        false => (16, 16_384),
    }
}

/// A small random number generator (PCG's linear congruential step).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }

    fn keys(&mut self, rows: usize, values: usize) -> ScalarBuffer<i32> {
        (0..rows).map(|_| self.below(values) as i32).collect()
    }
}

/// The values of an Arrow dictionary that all batches of a file use.
fn table(name: &str, values: usize) -> ArrayRef {
    let values = (0..values).map(|n| format!("{name}-{n:05}.example.net"));
    Arc::new(StringArray::from_iter_values(values))
}

fn tables(count: usize, values: usize) -> Vec<ArrayRef> {
    (0..count)
        .map(|n| table(&format!("table{n}"), values))
        .collect()
}

fn dictionary(keys: ScalarBuffer<i32>, nulls: Option<NullBuffer>, table: &ArrayRef) -> ArrayRef {
    let keys = Int32Array::new(keys, nulls);
    Arc::new(DictionaryArray::<Int32Type>::new(keys, table.clone()))
}

fn batch(columns: Vec<ArrayRef>) -> std::result::Result<RecordBatch, ArrowError> {
    let names = (0..).map(|n| format!("c{n}"));
    let columns = names.zip(columns).map(|(name, array)| (name, array, true));
    RecordBatch::try_from_iter_with_nullable(columns)
}

/// Makes the columns of a batch of that many rows.
type Shape = Box<dyn FnMut(&mut Random, usize) -> Vec<ArrayRef>>;

/// Dictionary columns of `values` values, each with keys of its own.
fn dictionaries(columns: usize, values: usize) -> Shape {
    let tables = tables(columns, values);
    Box::new(move |random, rows| {
        let column = |table| dictionary(random.keys(rows, values), None, table);
        tables.iter().map(column).collect()
    })
}

/// Dictionary columns with one key buffer, as columns that follow from one fact have.
fn shared_keys() -> Shape {
    let tables = tables(16, 500);
    Box::new(move |random, rows| {
        let keys = random.keys(rows, 500);
        let column = |table| dictionary(keys.clone(), None, table);
        tables.iter().map(column).collect()
    })
}

/// Dictionary columns that are null in nine of ten rows.
fn sparse() -> Shape {
    let tables = tables(16, 500);
    Box::new(move |random, rows| {
        let column = |table| {
            let nulls = (0..rows).map(|_| random.below(10) == 0).collect();
            dictionary(random.keys(rows, 500), Some(nulls), table)
        };
        tables.iter().map(column).collect()
    })
}

/// Lists of zero to three dictionary values.
fn lists() -> Shape {
    let tables = tables(4, 500);
    Box::new(move |random, rows| {
        let column = |table: &ArrayRef| -> ArrayRef {
            let offsets: OffsetBuffer<i32> =
                OffsetBuffer::from_lengths((0..rows).map(|_| random.below(4)));
            let keys = random.keys(offsets.last() as usize, 500);
            let items = dictionary(keys, None, table);
            let item = Arc::new(Field::new_list_field(items.data_type().clone(), true));
            Arc::new(ListArray::new(item, offsets, items, None))
        };
        tables.iter().map(column).collect()
    })
}

/// Plain strings: nearly all distinct, and of a few hundred values.
fn strings() -> Shape {
    Box::new(|random, rows| {
        let strings = |random: &mut Random, values: usize| -> ArrayRef {
            let values = (0..rows).map(|_| format!("C:\\Users\\{}.exe", random.below(values)));
            Arc::new(StringArray::from_iter_values(values))
        };
        vec![strings(random, usize::MAX >> 1), strings(random, 300)]
    })
}

/// Ascending timestamps, numbers of a small range, and random ones.
fn integers() -> Shape {
    let mut now = 1_700_000_000_000_000;
    Box::new(move |random, rows| {
        let times = (0..rows).map(|_| {
            now += random.below(50_000) as i64;
            now
        });
        let times = PrimitiveArray::<TimestampMicrosecondType>::from_iter_values(times);
        let numbers = |random: &mut Random, below: usize| -> ArrayRef {
            let numbers = (0..rows).map(|_| random.below(below) as i64);
            Arc::new(Int64Array::from_iter_values(numbers))
        };
        let times: ArrayRef = Arc::new(times);
        vec![times, numbers(random, 65_536), numbers(random, 1 << 31)]
    })
}

fn by_encoder(batches: &[RecordBatch], properties: &Arc<WriterProperties>) -> Result<()> {
    let schema = batches[0].schema();
    let descriptor = ArrowSchemaConverter::new().convert(&schema)?;
    let encoder = Encoder::new(&schema, &descriptor, properties)?;
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let mut group = encoder.row_group_with_rows(rows)?;
    for batch in batches {
        group.write(batch)?;
    }
    let mut file = FileWriter::new(std::io::sink(), &encoder)?;
    file.append(group.finish()?)?;
    file.finish()?;
    Ok(())
}

fn by_arrow_writer(batches: &[RecordBatch], properties: &Arc<WriterProperties>) -> Result<()> {
    let properties = Some(properties.as_ref().clone());
    let mut file = ArrowWriter::try_new(std::io::sink(), batches[0].schema(), properties)?;
    for batch in batches {
        file.write(batch)?;
    }
    file.close()?;
    Ok(())
}

fn compare(criterion: &mut Criterion, name: &str, mut shape: Shape) {
    let (batches, rows) = size();
    let mut random = Random(42);
    let batches: Vec<RecordBatch> = (0..batches)
        .map(|_| batch(shape(&mut random, rows)).unwrap())
        .collect();
    let zstd = Compression::ZSTD(ZstdLevel::try_new(1).unwrap());
    for (codec, compression) in [
        ("none", Compression::UNCOMPRESSED),
        ("snappy", Compression::SNAPPY),
        ("lz4_raw", Compression::LZ4_RAW),
        ("zstd(1)", zstd),
    ] {
        let properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_2_0)
            .set_compression(compression)
            .build();
        let properties = Arc::new(properties);
        let mut group = criterion.benchmark_group(format!("{name}/{codec}"));
        group
            .throughput(Throughput::Elements((batches.len() * rows) as u64))
            .sample_size(10);
        group.bench_function("arrow-parquet-encoder", |bencher| {
            bencher.iter(|| by_encoder(&batches, &properties).unwrap());
        });
        group.bench_function("ArrowWriter", |bencher| {
            bencher.iter(|| by_arrow_writer(&batches, &properties).unwrap());
        });
        group.finish();
    }
}

fn shapes(criterion: &mut Criterion) {
    compare(criterion, "dictionaries", dictionaries(16, 500));
    compare(criterion, "long dictionaries", dictionaries(4, 30_000));
    compare(criterion, "shared keys", shared_keys());
    compare(criterion, "sparse dictionaries", sparse());
    compare(criterion, "lists of dictionaries", lists());
    compare(criterion, "strings", strings());
    compare(criterion, "integers", integers());
}

criterion_group!(all, shapes);
criterion_main!(all);
