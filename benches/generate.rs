//! End to end in memory: plan, frames, columns.
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fusiongen::Generator;
use fusiongen::columns::View;
use fusiongen::plan::Config;
use fusiongen::schema::Schema;
use fusiongen::sink::format::{FileFormat, FormatSettings, RowGroupEncoder};
use fusiongen::sink::parquet::Parquet;

fn benches(criterion: &mut Criterion) {
    const EVENTS: u64 = 100_000;
    let config = Config {
        events: EVENTS,
        days: 1,
        ..Config::default()
    };
    let builder = Generator::builder().config(config.clone());
    let mut group = criterion.benchmark_group("generate");
    group
        .throughput(Throughput::Elements(EVENTS))
        .sample_size(10);
    group.bench_function("plan", |b| {
        b.iter(|| builder.clone().build().is_ok());
    });
    let Ok(generator) = builder.build() else {
        return;
    };
    let (plan, maker, tables) = (generator.plan(), generator.maker(), generator.tables());
    let schema = std::sync::Arc::new(Schema::fusionai());
    let all = |render: bool| {
        let mut rows = 0;
        for row_group in &plan.row_groups {
            maker.frames(row_group, |frame| {
                rows += frame.len;
                if render && let Ok(batch) = schema.batch(&View::new(&frame, maker, tables)) {
                    std::hint::black_box(batch);
                }
            });
        }
        rows
    };
    group.bench_function("frames", |b| b.iter(|| all(false)));
    group.bench_function("frames and columns", |b| b.iter(|| all(true)));
    let path = std::path::Path::new("in memory");
    let settings = FormatSettings {
        config: &config,
        schema: &schema,
        fingerprint: &plan.fingerprint,
        root: path,
    };
    let Ok(format) = Parquet::new(settings) else {
        return;
    };
    group.bench_function("frames, columns and Parquet encode", |b| {
        b.iter(|| {
            for row_group in &plan.row_groups {
                let Ok(mut encoder) = format.encoder(row_group.rows, path) else {
                    return;
                };
                maker.frames(row_group, |frame| {
                    let view = View::new(&frame, maker, tables);
                    encoder.write(&view).ok();
                });
                std::hint::black_box(encoder.finish()).ok();
            }
        });
    });
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
