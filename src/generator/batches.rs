//! Events as a stream of record batches.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, DictionaryArray, Int32Array, RecordBatch, RecordBatchReader, StringArray,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema as ArrowSchema, SchemaRef};
use arrow::error::ArrowError;
use chrono::NaiveDate;

use super::Generator;
use crate::columns::{Tables, View};
use crate::frame::{FRAME_ROWS, Maker, Order};
use crate::near::index_of;
use crate::schema::Schema;
use crate::{Error, Result};

/// Which events are wanted.
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
    partition_columns: bool,
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

    /// Adds the columns `date` and `category`, which a corpus on disk has as directories.
    pub fn with_partition_columns(mut self) -> Self {
        self.partition_columns = true;
        self
    }

    /// Row groups that are wanted, as (partition, row group) of the plan, in their order.
    fn row_groups(&self, generator: &Generator) -> Result<Vec<(usize, usize)>> {
        let (plan, world) = (generator.plan(), generator.world());
        let categories = &world.detections.categories;
        let categories: Vec<&str> = categories.iter().map(String::as_str).collect();
        let category = match &self.category {
            None => None,
            Some(name) => Some(index_of("category", name, &categories)? as u32),
        };
        let date = match self.date {
            None => None,
            Some(date) => {
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
                Some(day as u32)
            }
        };
        let groups: Vec<(usize, usize)> = match self.shard {
            Some(index) => match plan.shards.get(index) {
                Some(shard) => shard.row_groups.clone(),
                None => {
                    return Err(Error::setting(
                        "shard",
                        format!("{index} is no file of the corpus"),
                        format!("give 0 to {}", plan.shards.len().saturating_sub(1)),
                    ));
                }
            },
            None => {
                let partitions = plan.partitions.iter().enumerate();
                partitions
                    .flat_map(|(p, partition)| (0..partition.row_groups.len()).map(move |g| (p, g)))
                    .collect()
            }
        };
        let wanted = |(p, _): &(usize, usize)| {
            let partition = &plan.partitions[*p];
            date.is_none_or(|date| partition.date == date)
                && category.is_none_or(|category| partition.category == category)
        };
        Ok(groups.into_iter().filter(wanted).collect())
    }
}

/// A stream of record batches: an iterator, and a [`RecordBatchReader`].
pub struct Batches {
    maker: Arc<Maker>,
    tables: Arc<Tables>,
    schema: Arc<Schema>,
    arrow: SchemaRef,
    /// `category`'s dictionary, where partition columns are wanted.
    categories: Option<ArrayRef>,
    row_groups: std::vec::IntoIter<(usize, usize)>,
    /// The row group at hand, its rows in order, and the first that is not yet made.
    open: Option<(usize, usize, Order, usize)>,
}

impl Batches {
    pub(super) fn new(generator: &Generator, select: &Select) -> Result<Self> {
        let row_groups = select.row_groups(generator)?;
        let mut fields = generator.schema().fields().to_vec();
        let categories = select.partition_columns.then(|| {
            let text = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
            fields.push(Arc::new(Field::new("date", DataType::Date32, false)));
            fields.push(Arc::new(Field::new("category", text, false)));
            let names = generator.world().detections.categories.iter();
            Arc::new(StringArray::from_iter_values(names)) as ArrayRef
        });
        Ok(Batches {
            maker: generator.maker().clone(),
            tables: generator.tables().clone(),
            schema: generator.schema.clone(),
            arrow: match categories {
                Some(_) => Arc::new(ArrowSchema::new(fields)),
                None => generator.schema().clone(),
            },
            categories,
            row_groups: row_groups.into_iter(),
            open: None,
        })
    }

    /// The batch of some rows of a row group.
    fn batch(
        &self,
        (p, g): (usize, usize),
        order: &Order,
        rows: Range<usize>,
    ) -> std::result::Result<RecordBatch, ArrowError> {
        let plan = &self.maker.plan;
        let partition = &plan.partitions[p];
        let frame = (self.maker).frame(partition, &partition.row_groups[g], order, rows);
        let batch = (self.schema).batch(&View::new(&frame, &self.maker, &self.tables))?;
        let Some(categories) = &self.categories else {
            return Ok(batch);
        };
        let day = (plan.config.start_seconds() / 86_400) as i32 + partition.date as i32;
        let rows = batch.num_rows();
        let keys = Int32Array::from(vec![partition.category as i32; rows]);
        let mut columns = batch.columns().to_vec();
        columns.push(Arc::new(Date32Array::from(vec![day; rows])));
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
        loop {
            if let Some((p, g, order, first)) = self.open.take() {
                let last = (first + FRAME_ROWS).min(order.rows.len());
                if first < last {
                    let batch = self.batch((p, g), &order, first..last);
                    self.open = Some((p, g, order, last));
                    return Some(batch);
                }
            }
            let (p, g) = self.row_groups.next()?;
            let partition = &self.maker.plan.partitions[p];
            let order = Order::new(&self.maker.plan, partition, &partition.row_groups[g]);
            self.open = Some((p, g, order, 0));
        }
    }
}

impl RecordBatchReader for Batches {
    fn schema(&self) -> SchemaRef {
        self.arrow.clone()
    }
}
