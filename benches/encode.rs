//! `arrow-parquet-encoder` and the column writers of `ArrowWriter` on the same batches of generated
//! events: their dictionary columns alone, and all columns. The crate's own bench has synthetic
//! columns by shape and codec.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_parquet_encoder::Encoder;
use arrow_schema::{DataType, Field, Fields, Schema as ArrowSchema, SchemaRef};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use fusiongen::Generator;
use fusiongen::columns::View;
use fusiongen::frame::FRAME_ROWS;
use fusiongen::plan::Config;
use fusiongen::schema::Schema;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::Result;
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr, WriterVersion};
use parquet::file::writer::SerializedFileWriter;

/// Number of events: enough that a category of the day fills pages, as in a real corpus; only a few for
/// a test that the bench runs.
fn events() -> u64 {
    match std::env::args().any(|a| a == "--test") {
        true => 20_000,
        false => 1_000_000,
    }
}

/// The batches of each row group of a day.
fn event_batches() -> fusiongen::Result<Vec<Vec<RecordBatch>>> {
    let config = Config {
        events: events(),
        days: 1,
        ..Config::default()
    };
    let generator = Generator::builder().config(config).build()?;
    let (maker, schema) = (generator.maker(), Schema::fusionai());
    let mut groups = Vec::new();
    for group in &generator.plan().row_groups {
        let mut batches = Vec::new();
        maker.frames(group, |frame| {
            batches.extend(
                schema
                    .batch(&View::new(&frame, maker, generator.tables()))
                    .ok(),
            );
        });
        groups.push(batches);
    }
    Ok(groups)
}

/// The dictionary columns of batches, flattened and named by their paths.
fn dictionary_columns(groups: &[Vec<RecordBatch>]) -> Vec<Vec<RecordBatch>> {
    fn paths(fields: &Fields, before: &mut Vec<usize>, found: &mut Vec<Vec<usize>>) {
        for (i, field) in fields.iter().enumerate() {
            before.push(i);
            match field.data_type() {
                DataType::Struct(children) => paths(children, before, found),
                DataType::Dictionary(..) => found.push(before.clone()),
                _ => {}
            }
            before.pop();
        }
    }
    let Some(first) = groups.first().and_then(|g| g.first()) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    paths(first.schema().fields(), &mut Vec::new(), &mut found);
    let fields: Vec<Field> = found
        .iter()
        .map(|path| {
            let key = Box::new(DataType::Int32);
            let text = DataType::Dictionary(key, Box::new(DataType::Utf8));
            Field::new(format!("{path:?}"), text, true)
        })
        .collect();
    let schema = Arc::new(ArrowSchema::new(fields));
    let flatten = |batch: &RecordBatch| {
        let columns = found
            .iter()
            .filter_map(|path| {
                let (first, rest) = path.split_first()?;
                rest.iter()
                    .try_fold(batch.column(*first).clone(), |array, i| {
                        use arrow_array::cast::AsArray;
                        Some(array.as_struct_opt()?.column(*i).clone())
                    })
            })
            .collect();
        RecordBatch::try_new(schema.clone(), columns).ok()
    };
    groups
        .iter()
        .map(|batches| batches.iter().filter_map(flatten).collect())
        .collect()
}

fn by_encoder(encoder: &Encoder, groups: &[Vec<RecordBatch>]) -> Result<u64> {
    let mut rows = 0;
    for batches in groups {
        let rows_of_group = batches.iter().map(RecordBatch::num_rows).sum();
        let mut group = encoder.row_group_with_rows(rows_of_group)?;
        for batch in batches {
            group.write(batch)?;
        }
        rows += std::hint::black_box(group.finish()?).rows;
    }
    Ok(rows)
}

fn by_arrow_writer(
    schema: &SchemaRef,
    properties: &WriterPropertiesPtr,
    groups: &[Vec<RecordBatch>],
) -> Result<u64> {
    let mut rows = 0;
    let root = ArrowSchemaConverter::new()
        .convert(schema)?
        .root_schema_ptr();
    let file = SerializedFileWriter::new(std::io::sink(), root, properties.clone())?;
    let factory = ArrowRowGroupWriterFactory::new(&file, schema.clone());
    for batches in groups {
        let mut writers = factory.create_column_writers(0)?;
        for batch in batches {
            let mut writers = writers.iter_mut();
            for (field, column) in schema.fields().iter().zip(batch.columns()) {
                for (leaf, writer) in compute_leaves(field, column)?.iter().zip(&mut writers) {
                    writer.write(leaf)?;
                }
            }
            rows += batch.num_rows() as u64;
        }
        for writer in writers {
            std::hint::black_box(writer.close()?);
        }
    }
    Ok(rows)
}

fn both(group: &mut BenchmarkGroup<'_, WallTime>, groups: &[Vec<RecordBatch>]) -> Result<()> {
    let Some(first) = groups.first().and_then(|g| g.first()) else {
        return Ok(());
    };
    let schema = first.schema();
    let properties = Arc::new(
        WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_2_0)
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
            // One page per batch, as in the corpus's files, for both.
            .set_data_page_row_count_limit(FRAME_ROWS)
            .build(),
    );
    let descriptor = ArrowSchemaConverter::new().convert(&schema)?;
    let encoder = Encoder::new(&schema, &descriptor, &properties)?;
    group
        .throughput(Throughput::Elements(events()))
        .sample_size(10);
    group.bench_function("encode", |b| b.iter(|| by_encoder(&encoder, groups)));
    group.bench_function("ArrowWriter", |b| {
        b.iter(|| by_arrow_writer(&schema, &properties, groups));
    });
    Ok(())
}

fn benches(criterion: &mut Criterion) {
    let Ok(groups) = event_batches() else {
        return;
    };
    let dictionaries = dictionary_columns(&groups);
    for (name, groups) in [
        ("dictionary columns", &dictionaries),
        ("whole events", &groups),
    ] {
        let mut group = criterion.benchmark_group(name);
        if let Err(error) = both(&mut group, groups) {
            eprintln!("{name}: {error}");
        }
        group.finish();
    }
}

criterion_group!(all, benches);
criterion_main!(all);
