//! Cost of each stage and of each column chunk: prints a table on stdout.
//!
//! Thread time of one thread over one corpus in memory. Times are printed, not asserted.
//! `FUSIONGEN_SCHEMA=ecs` measures that schema.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_schema::{Field, Schema as ArrowSchema};
use fusiongen::Generator;
use fusiongen::columns::{Column, View};
use fusiongen::frame::Frame;
use fusiongen::plan::Config;
use fusiongen::plan::config::SchemaName;
use fusiongen::schema::{Leaf, Schema};
use fusiongen::sink::parquet::{Layout, ParquetRowGroup};

/// A frame's rows, and its columns.
type Rendered = (usize, Vec<Column>);

fn encode(schema: &Arc<ArrowSchema>, leaves: &[Leaf], frames: Vec<Rendered>) -> Duration {
    let Ok(layout) = Layout::new(
        schema,
        leaves,
        &[],
        fusiongen::plan::Format::Parquet.default_compression(),
        "bench",
    ) else {
        return Duration::ZERO;
    };
    let rows: usize = frames.iter().map(|(rows, _)| rows).sum();
    let started = Instant::now();
    if let Ok(mut encoder) = ParquetRowGroup::new(&layout, rows as u64) {
        for (rows, columns) in frames {
            let _ = encoder.write_leaves(rows, columns);
        }
        let _ = std::hint::black_box(encoder.finish());
    }
    started.elapsed()
}

fn main() {
    let smoke = std::env::args().any(|a| a == "--test");
    let config = Config {
        events: if smoke { 20_000 } else { 1_000_000 },
        days: 1,
        schema: match std::env::var("FUSIONGEN_SCHEMA").as_deref() {
            Ok("ecs") => SchemaName::Ecs,
            _ => SchemaName::Fusionai,
        },
        ..Config::default()
    };
    let started = Instant::now();
    let Ok(generator) = Generator::builder().config(config).build() else {
        return;
    };
    let (plan, maker, tables) = (generator.plan(), generator.maker(), generator.tables());
    let schema = Schema::of(&plan.config);
    let planned = started.elapsed();
    let started = Instant::now();
    let mut partitions: Vec<Vec<Frame>> = Vec::new();
    for group in &plan.row_groups {
        let mut frames = Vec::new();
        maker.frames(group, |frame| frames.push(frame));
        partitions.push(frames);
    }
    let framed = started.elapsed();
    let events = plan.config.events as f64;
    let mut columns = vec![Duration::ZERO; schema.leaves.len()];
    let mut chunks = vec![Duration::ZERO; schema.leaves.len()];
    let (mut rendered, mut encoded) = (Duration::ZERO, Duration::ZERO);
    for frames in &partitions {
        let started = Instant::now();
        let views: Vec<View<'_>> = frames.iter().map(|f| View::new(f, maker, tables)).collect();
        let documents: Vec<View<'_>> = views
            .into_iter()
            .map(|view| schema.documents(&view).unwrap_or(view))
            .collect();
        let whole: Vec<Rendered> = documents
            .iter()
            .map(|view| (view.len(), schema.columns(view).collect()))
            .collect();
        rendered += started.elapsed();
        encoded += encode(schema.arrow(), &schema.leaves, whole);
        for (l, leaf) in schema.leaves.iter().enumerate() {
            let started = Instant::now();
            let made: Vec<Rendered> = documents
                .iter()
                .map(|view| (view.len(), vec![leaf.column(view)]))
                .collect();
            columns[l] += started.elapsed();
            let Some(first) = made.first().and_then(|(_, columns)| columns.first()) else {
                continue;
            };
            let data_type = first.clone().into_array().data_type().clone();
            let field = Field::new("leaf", data_type, true);
            chunks[l] += encode(&Arc::new(ArrowSchema::new(vec![field])), &[], made);
        }
    }
    let ns = |d: Duration| d.as_nanos() as f64 / events;
    println!("{:>10}  stage", "ns/event");
    for (name, time) in [
        ("plan, world, tables", planned),
        ("frames", framed),
        ("columns", rendered),
        ("Parquet encode", encoded),
    ] {
        println!("{:>10.1}  {name}", ns(time));
    }
    println!(
        "\n{:>10}{:>10}  leaf (ns a row: column, chunk)",
        "column", "chunk"
    );
    for (l, leaf) in schema.leaves.iter().enumerate() {
        println!(
            "{:>10.1}{:>10.1}  {}",
            ns(columns[l]),
            ns(chunks[l]),
            leaf.path
        );
    }
}
