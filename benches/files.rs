//! Size of files: bytes of each column compared with `ArrowWriter`'s, and the cost of a one-row file.
//!
//! Prints Markdown tables on stdout. CPU time is this thread's, from Linux's accounting.

use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use arrow_parquet_encoder::{Encoder, FileWriter};
use bytes::Bytes;
use fusiongen::Generator;
use fusiongen::columns::View;
use fusiongen::corpus::AtomicFile;
use fusiongen::plan::Config;
use fusiongen::schema::Schema;
use fusiongen::sink::format::EventFile as _;
use fusiongen::sink::parquet::{Layout, ParquetFile, ParquetRowGroup};
use parquet::arrow::{ArrowSchemaConverter, ArrowWriter};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr, WriterVersion};
use parquet::schema::types::ColumnPath;

type Failure = Box<dyn std::error::Error>;

/// CPU time of this thread, or the time of day if the kernel does not report it.
fn cpu_time(since: Instant) -> Duration {
    let nanoseconds = std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| since.elapsed(), Duration::from_nanos)
}

/// Properties of event files, for both writers: compression, bounds and delta encodings.
/// Page limits are the defaults of `parquet`.
fn properties() -> Result<WriterPropertiesPtr, Failure> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_column_index_truncate_length(Some(64))
        .set_statistics_truncate_length(Some(64));
    for path in [vec!["@timestamp"], vec!["event", "sequence"]] {
        let path = ColumnPath::new(path.into_iter().map(String::from).collect());
        properties = properties
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
    }
    Ok(properties.build().into())
}

/// Bytes and footer of a file with one row group, from the encoder and from `ArrowWriter`.
fn both(
    batches: &[RecordBatch],
    properties: &WriterPropertiesPtr,
) -> Result<[(usize, ParquetMetaData); 2], Failure> {
    let schema = batches.first().ok_or("no rows")?.schema();
    let descriptor = ArrowSchemaConverter::new().convert(&schema)?;
    let encoder = Encoder::new(&schema, &descriptor, properties)?;
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let mut group = encoder.row_group_with_rows(rows)?;
    let mut file = FileWriter::new(Vec::new(), &encoder)?;
    let mut theirs = ArrowWriter::try_new(
        Vec::new(),
        schema.clone(),
        Some(properties.as_ref().clone()),
    )?;
    for batch in batches {
        group.write(batch)?;
        theirs.write(batch)?;
    }
    file.append(group.finish()?)?;
    let ours = Bytes::from(file.finish()?);
    let footer = ParquetMetaDataReader::new().parse_and_finish(&ours)?;
    let their_footer = theirs.finish()?;
    Ok([(ours.len(), footer), (theirs.inner().len(), their_footer)])
}

fn sizes(groups: &[Vec<RecordBatch>], events: f64) -> Result<(), Failure> {
    let properties = properties()?;
    let mut columns: Vec<(String, [i64; 2])> = Vec::new();
    let mut files = [0, 0];
    for batches in groups {
        for (w, (bytes, footer)) in both(batches, &properties)?.iter().enumerate() {
            files[w] += bytes;
            for group in footer.row_groups() {
                columns.resize(group.num_columns(), Default::default());
                for (chunk, column) in group.columns().iter().zip(&mut columns) {
                    column.0 = chunk.column_path().string();
                    column.1[w] += chunk.compressed_size();
                }
            }
        }
    }
    println!("| column | bytes an event | `ArrowWriter` | ratio |\n| --- | ---: | ---: | ---: |");
    let line = |name: &str, [ours, theirs]: [f64; 2]| {
        let ratio = ours / theirs;
        let (ours, theirs) = (ours / events, theirs / events);
        println!("| {name} | {ours:.3} | {theirs:.3} | {ratio:.3} |");
    };
    line("whole files", files.map(|bytes| bytes as f64));
    columns.sort_by_key(|(_, bytes)| -bytes[0]);
    for (name, bytes) in &columns {
        line(name, bytes.map(|b| b as f64));
    }
    println!();
    Ok(())
}

/// Writes files with the last row of each row group, to disk like a run.
fn one_row_files(layout: &Layout, groups: &[Vec<RecordBatch>], rounds: u32) -> Result<(), Failure> {
    let directory = tempfile::tempdir()?;
    let (mut micros, mut kibibytes) = (Vec::new(), Vec::new());
    let path = directory.path().join("one.parquet");
    for _ in 0..rounds {
        kibibytes.clear();
        // The kernel's accounting has the resolution of its tick, so measure a round, not a file.
        let since = Instant::now();
        let before = cpu_time(since);
        for batch in groups.iter().filter_map(|batches| batches.last()) {
            let row = batch.slice(batch.num_rows() - 1, 1);
            let mut group = ParquetRowGroup::new(layout, 1)?;
            group.write(&row)?;
            let mut file = ParquetFile::create(AtomicFile::create(&path)?, layout)?;
            file.append(group.finish()?)?;
            file.finish()?.finish()?;
            kibibytes.push(std::fs::metadata(&path)?.len() as f64 / 1024.0);
        }
        let took = cpu_time(since).saturating_sub(before);
        micros.push(took.as_secs_f64() * 1e6 / groups.len() as f64);
    }
    println!("| one-row file | median | least | most |\n| --- | ---: | ---: | ---: |");
    for (name, mut values) in [("CPU µs", micros), ("KiB", kibibytes)] {
        values.sort_by(f64::total_cmp);
        if let (Some(least), Some(middle), Some(most)) =
            (values.first(), values.get(values.len() / 2), values.last())
        {
            println!("| {name} | {middle:.1} | {least:.1} | {most:.1} |");
        }
    }
    println!();
    Ok(())
}

fn main() -> Result<(), Failure> {
    let smoke = std::env::args().any(|a| a == "--test");
    let config = Config {
        events: if smoke { 5_000 } else { 1_000_000 },
        days: 1,
        ..Config::default()
    };
    let generator = Generator::builder().config(config).build()?;
    let (plan, maker, tables) = (generator.plan(), generator.maker(), generator.tables());
    let schema = Schema::of(&plan.config);
    let mut groups = Vec::new();
    for group in &plan.row_groups {
        let mut batches = Vec::new();
        maker.frames(group, |frame| {
            batches.push(schema.batch(&View::new(&frame, maker, tables)));
        });
        groups.push(batches.into_iter().collect::<Result<Vec<_>, _>>()?);
    }
    let (leaves, compression) = (&schema.leaves, plan.config.compression);
    let layout = Layout::new(schema.arrow(), leaves, &[], compression, &plan.fingerprint)?;
    one_row_files(&layout, &groups, if smoke { 1 } else { 10 })?;
    sizes(&groups, plan.config.events as f64)
}
