//! Where the plan's counts and the truth are read from: the files of a corpus, or its settings alone.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use chrono::NaiveDate;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};

use super::columns::{Integers, Texts};
use crate::corpus::PlanFile;
use crate::corpus::manifest::PlannedPartition;
use crate::error::{Error, Result};
use crate::generator::Generator;
use crate::plan::TruthTable;

/// Receives the batches of a table.
type Each<'e> = dyn FnMut(&Rows<'_>) -> Result<()> + 'e;

/// Counts of the plan, and tables of the truth. No event is read.
pub trait Source {
    /// The plan, as `plan.json` has it.
    fn plan(&self) -> &PlanFile;

    /// Calls `each` with the batches of a truth table in order; only those of chains that start on
    /// `date`, if given.
    ///
    /// # Errors
    /// A file is missing or damaged, or the error of `each`.
    fn truth(
        &self,
        table: TruthTable,
        date: Option<NaiveDate>,
        columns: &[&str],
        each: &mut Each<'_>,
    ) -> Result<()>;

    /// The partitions with their rows.
    fn partitions(&self) -> &[PlannedPartition] {
        &self.plan().partitions
    }
}

/// Rows of a truth table.
pub struct Rows<'b>(&'b RecordBatch);

impl<'b> Rows<'b> {
    /// The rows of a batch.
    pub fn new(batch: &'b RecordBatch) -> Self {
        Rows(batch)
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.0.num_rows()
    }

    /// The columns of texts with these names.
    pub fn texts<const N: usize>(&self, names: [&str; N]) -> [Texts; N] {
        names.map(|name| Texts::of(self.0.column_by_name(name)))
    }

    /// The columns with these names of integers, times in microseconds or dates in days.
    pub fn integers<const N: usize>(&self, names: [&str; N]) -> [Integers; N] {
        names.map(|name| Integers::of(self.0.column_by_name(name)))
    }
}

/// The files of a finished corpus.
pub struct Files {
    root: PathBuf,
    plan: PlanFile,
}

impl Files {
    /// The corpus in `root`, whose plan is `plan`.
    pub fn new(root: &Path, plan: PlanFile) -> Self {
        Files {
            root: root.to_path_buf(),
            plan,
        }
    }
}

fn read(path: &Path, columns: &[&str], each: &mut Each<'_>) -> Result<()> {
    let broken = |problem: String| {
        Error::input(
            path,
            None,
            format!("this is not a complete Parquet file: {problem}"),
            "generate the corpus again, or copy it again",
        )
    };
    let file = File::open(path).map_err(|e| Error::io(path, "open", e))?;
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = ArrowReaderMetadata::load(&file, options).map_err(|e| broken(e.to_string()))?;
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata);
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    let reader = builder
        .with_projection(mask)
        .with_batch_size(16 * 1024)
        .build();
    for batch in reader.map_err(|e| broken(e.to_string()))? {
        each(&Rows(&batch.map_err(|e| broken(e.to_string()))?))?;
    }
    Ok(())
}

impl Source for Files {
    fn plan(&self) -> &PlanFile {
        &self.plan
    }

    fn truth(
        &self,
        table: TruthTable,
        date: Option<NaiveDate>,
        columns: &[&str],
        each: &mut Each<'_>,
    ) -> Result<()> {
        let prefix = match date {
            Some(date) => format!("truth/{}/date={date}/", table.name()),
            None => format!("truth/{}/", table.name()),
        };
        for path in self
            .plan
            .tables
            .iter()
            .filter(|path| path.starts_with(&prefix))
        {
            read(&self.root.join(path), columns, each)?;
        }
        Ok(())
    }
}

/// A corpus that need not exist: its truth is made from its settings.
pub struct Generated<'g>(pub &'g Generator);

impl Source for Generated<'_> {
    fn plan(&self) -> &PlanFile {
        self.0.plan_file()
    }

    fn truth(
        &self,
        table: TruthTable,
        date: Option<NaiveDate>,
        _: &[&str],
        each: &mut Each<'_>,
    ) -> Result<()> {
        let plan = self.0.plan();
        let shards = plan.truth.iter();
        let selected = shards.filter(|shard| {
            shard.table == table && date.is_none_or(|date| date == plan.config.date(shard.date))
        });
        self.0.truth_of(selected, |batch| each(&Rows::new(&batch)))
    }
}
