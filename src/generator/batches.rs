//! Events as a stream of record batches.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, Date32Array, DictionaryArray, Int32Array, RecordBatch, RecordBatchReader, StringArray,
};
use arrow_schema::ArrowError;
use arrow_schema::{DataType, Field, Schema as ArrowSchema, SchemaRef};
use chrono::NaiveDate;

use super::Generator;
use super::parallel::{Failure, Make, Parallel};
use super::spans::{Span, Spans};
use crate::columns::{Tables, View};
use crate::error::{Error, Result};
use crate::frame::Maker;
use crate::near::index_of;
use crate::plan::RowGroup;
use crate::schema::Schema;

/// Selects events.
///
/// ```
/// use fusiongen::Select;
///
/// let select = Select::all().category("ssh_bruteforce").with_partition_columns();
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Select {
    date: Option<NaiveDate>,
    category: Option<String>,
    shard: Option<usize>,
    columns: Option<Vec<String>>,
    partition_columns: bool,
    in_time_order: bool,
    since: Option<i64>,
}

impl Select {
    /// Every event.
    pub fn all() -> Self {
        Select::default()
    }

    /// Only events of one date, UTC.
    pub fn date(mut self, date: NaiveDate) -> Self {
        self.date = Some(date);
        self
    }

    /// Only events of one category.
    pub fn category(mut self, category: impl Into<String>) -> Self {
        self.category = Some(category.into());
        self
    }

    /// Only events of one file: its index in [`Plan::shards`](crate::plan::Plan::shards).
    pub fn shard(mut self, shard: usize) -> Self {
        self.shard = Some(shard);
        self
    }

    /// Only these fields, by their path: `host.name`, or `host` for all fields below it. They keep
    /// the order of the schema. The columns of other fields are not made.
    pub fn columns<S: Into<String>>(mut self, paths: impl IntoIterator<Item = S>) -> Self {
        self.columns = Some(paths.into_iter().map(Into::into).collect());
        self
    }

    /// Adds the columns `date` and `category`, which are directories in a corpus on disk.
    pub fn with_partition_columns(mut self) -> Self {
        self.partition_columns = true;
        self
    }

    /// Events in order of time over all categories, instead of category by category within a date.
    pub fn in_time_order(mut self) -> Self {
        self.in_time_order = true;
        self
    }

    /// Only events from this time on, Unix microseconds, [in order of time](Select::in_time_order).
    pub fn since(mut self, time: i64) -> Self {
        self.in_time_order = true;
        self.since = Some(time);
        self
    }

    /// The schema of the selected columns.
    pub(super) fn schema(&self, generator: &Generator) -> Result<Arc<Schema>> {
        Ok(match &self.columns {
            None => generator.schema.clone(),
            Some(paths) => Arc::new(Schema::of(&generator.plan.config).with_columns(paths)?),
        })
    }

    /// The selected frames, in order.
    pub(super) fn spans(&self, generator: &Generator) -> Result<Spans> {
        let maker = generator.maker().clone();
        if !self.in_time_order {
            return Ok(Spans::of(maker, self.row_groups(generator)?));
        }
        if self.category.is_some() || self.shard.is_some() {
            return Err(Error::setting(
                "in_time_order",
                "cannot be combined with a category or a file",
                "omit one of them; the events of a category, and of a file, are in order of time",
            ));
        }
        let days = generator.plan.config.days;
        let dates = self.day(generator)?.map_or(0..days, |date| date..date + 1);
        Ok(Spans::in_time_order(maker, dates, self.since))
    }

    /// The number of the selected date.
    fn day(&self, generator: &Generator) -> Result<Option<u32>> {
        let plan = generator.plan();
        let Some(date) = self.date else {
            return Ok(None);
        };
        let day = (date - plan.config.start).num_days();
        let within = (0..i64::from(plan.config.days)).contains(&day);
        if !within {
            return Err(Error::setting(
                "date",
                format!("{date} is not in the corpus's window"),
                format!(
                    "give {} to {}",
                    plan.config.start,
                    plan.config.date(plan.config.days - 1)
                ),
            ));
        }
        Ok(Some(day as u32))
    }

    /// The selected row groups, in order.
    fn row_groups(&self, generator: &Generator) -> Result<Vec<RowGroup>> {
        let (plan, world) = (generator.plan(), generator.world());
        let categories = &world.detections.categories;
        let categories: Vec<&str> = categories.iter().map(String::as_str).collect();
        let category = match &self.category {
            None => None,
            Some(name) => Some(index_of("category", name, &categories)? as u32),
        };
        let date = self.day(generator)?;
        let groups = match self.shard {
            Some(index) => match plan.shards.get(index) {
                Some(shard) => &plan.row_groups[shard.row_groups.clone()],
                None => {
                    return Err(Error::setting(
                        "shard",
                        format!("the corpus has no file {index}"),
                        format!("give 0 to {}", plan.shards.len().saturating_sub(1)),
                    ));
                }
            },
            None => &plan.row_groups[..],
        };
        let selected = groups.iter().filter_map(|group| {
            let of_date = plan.partitions[group.partitions.start].date;
            match category {
                _ if date.is_some_and(|date| date != of_date) => None,
                None => Some(group.clone()),
                Some(category) => plan.only(group, category),
            }
        });
        Ok(selected.collect())
    }
}

/// Makes the batches of a stream. Threads share it.
struct BatchMaker {
    maker: Arc<Maker>,
    tables: Arc<Tables>,
    schema: Arc<Schema>,
    arrow: SchemaRef,
    /// The dictionary of `category`, if partition columns are selected.
    categories: Option<ArrayRef>,
}

/// A stream of record batches: an iterator, and a [`RecordBatchReader`].
pub struct Batches {
    batches: Arc<BatchMaker>,
    spans: Spans,
}

impl Batches {
    pub(super) fn new(generator: &Generator, select: &Select) -> Result<Self> {
        let schema = select.schema(generator)?;
        let mut fields = schema.arrow().fields().to_vec();
        let categories = select.partition_columns.then(|| {
            let text = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
            fields.push(Arc::new(Field::new("date", DataType::Date32, false)));
            fields.push(Arc::new(Field::new("category", text, false)));
            let names = generator.world().detections.categories.iter();
            Arc::new(StringArray::from_iter_values(names)) as ArrayRef
        });
        let maker = generator.maker().clone();
        let batches = BatchMaker {
            maker: maker.clone(),
            tables: generator.tables().clone(),
            arrow: match categories {
                Some(_) => Arc::new(ArrowSchema::new(fields)),
                None => schema.arrow().clone(),
            },
            schema,
            categories,
        };
        Ok(Batches {
            batches: Arc::new(batches),
            spans: select.spans(generator)?,
        })
    }

    /// The number of rows that are still to come.
    pub fn rows(&self) -> u64 {
        self.spans.rows()
    }

    /// The same batches in the same order, made by `threads` threads ahead of the consumer. The
    /// threads start with the first call of `next`, and end when the stream is dropped.
    pub fn in_parallel(self, threads: usize) -> ParallelBatches {
        ParallelBatches(Parallel::new(self.batches, self.spans, threads))
    }
}

impl BatchMaker {
    /// The batch of a span.
    fn batch(&self, span: &Span) -> std::result::Result<RecordBatch, ArrowError> {
        let frame = self.maker.frame(&span.order, span.frame);
        let batch = (self.schema).batch(&View::new(&frame, &self.maker, &self.tables))?;
        let Some(categories) = &self.categories else {
            return Ok(batch);
        };
        let plan = &self.maker.plan;
        let first_day = (plan.config.start_seconds() / 86_400) as i32;
        let day = first_day + span.order.date(plan) as i32;
        let keys = Int32Array::from_iter_values(frame.category.iter().map(|&c| c as i32));
        let mut columns = batch.columns().to_vec();
        columns.push(Arc::new(Date32Array::from(vec![day; frame.len])));
        columns.push(Arc::new(DictionaryArray::<Int32Type>::try_new(
            keys,
            categories.clone(),
        )?));
        RecordBatch::try_new(self.arrow.clone(), columns)
    }
}

impl Iterator for Batches {
    type Item = std::result::Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let span = self.spans.next()?;
        Some(self.batches.batch(&span))
    }
}

impl RecordBatchReader for Batches {
    fn schema(&self) -> SchemaRef {
        self.batches.arrow.clone()
    }
}

/// [`Batches`] made by several threads: an iterator, and a [`RecordBatchReader`].
pub struct ParallelBatches(Parallel<BatchMaker>);

impl Make for BatchMaker {
    type Item = std::result::Result<RecordBatch, ArrowError>;

    fn make(&self, span: &Span) -> Self::Item {
        self.batch(span)
    }

    fn failed(&self, failure: Failure) -> Self::Item {
        Err(match failure {
            Failure::NoThread(error) => ArrowError::ExternalError(Box::new(error)),
            Failure::Panicked => ArrowError::ComputeError(
                "a thread failed: this is a defect of fusiongen; please report it".into(),
            ),
        })
    }
}

impl Iterator for ParallelBatches {
    type Item = std::result::Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl RecordBatchReader for ParallelBatches {
    fn schema(&self) -> SchemaRef {
        self.0.maker().arrow.clone()
    }
}
